//! Who may do what: one table, deny by default.

use crate::id::{TeamId, TokenId, UserId};
use serde::{Deserialize, Serialize};

/// A role a user has in a team; each contains the ones before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum Role {
    Viewer,
    Developer,
    Operator,
}

impl Role {
    pub const ALL: [Role; 3] = [Role::Viewer, Role::Developer, Role::Operator];

    pub fn name(self) -> &'static str {
        match self {
            Role::Viewer => "viewer",
            Role::Developer => "developer",
            Role::Operator => "operator",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }
}

macro_rules! actions {
    ($($(#[$doc:meta])* $name:ident = $text:literal, $least:expr;)*) => {
        /// Everything a person can be allowed to do. The name is what the audit log shows.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum Action { $($(#[$doc])* #[serde(rename = $text)] $name,)* }

        impl Action {
            pub const ALL: &'static [Action] = &[$(Action::$name,)*];

            pub fn name(self) -> &'static str {
                match self { $(Action::$name => $text,)* }
            }

            /// The least role in the object's team that allows it; `None`: administrators only.
            pub fn least_role(self) -> Option<Role> {
                match self { $(Action::$name => $least,)* }
            }
        }
    };
}

actions! {
    JobRead = "job.read", Some(Role::Viewer);
    JobWrite = "job.write", Some(Role::Developer);
    JobDelete = "job.delete", Some(Role::Developer);
    RunRead = "run.read", Some(Role::Viewer);
    RunStart = "run.start", Some(Role::Developer);
    /// Ends a run one started oneself.
    RunStopOwn = "run.stop_own", Some(Role::Developer);
    /// Ends any run of the team.
    RunStopAny = "run.stop", Some(Role::Operator);
    /// Takes a savepoint of a run of the team that goes on.
    SavepointTake = "savepoint.take", Some(Role::Operator);
    /// Deletes a savepoint from HDFS.
    SavepointDispose = "savepoint.dispose", Some(Role::Operator);
    /// Reads the logs of runs one started oneself.
    LogReadOwn = "log.read_own", Some(Role::Developer);
    /// Reads the logs of any run of the team; logs hold data, so seeing a run is not enough.
    LogReadAny = "log.read", Some(Role::Operator);
    ArtifactRead = "artifact.read", Some(Role::Viewer);
    ArtifactWrite = "artifact.write", Some(Role::Developer);
    EnvironmentRead = "environment.read", Some(Role::Viewer);
    EnvironmentSync = "environment.sync", Some(Role::Operator);
    EnvironmentWrite = "environment.write", None;
    ClusterRead = "cluster.read", Some(Role::Viewer);
    ClusterCheck = "cluster.check", Some(Role::Operator);
    ClusterWrite = "cluster.write", None;
    TokenOwn = "token.own", Some(Role::Viewer);
    TeamWrite = "team.write", None;
    UserWrite = "user.write", None;
    AuditRead = "audit.read", None;
}

/// How the caller proved who they are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Via {
    Session,
    Token(TokenId),
    /// A subcommand on the host, through the management socket.
    Host,
}

/// Who is calling. Made by the identity layer alone, looked up anew for each request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Viewer {
    pub user: UserId,
    pub name: String,
    pub admin: bool,
    pub teams: Vec<Membership>,
    pub via: Via,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Membership {
    pub team: TeamId,
    pub team_name: String,
    pub role: Role,
}

/// What a read may see; ends in the WHERE of every query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// Every team: administrators and the console's own reconcilers.
    All,
    /// The teams of one user.
    User(UserId),
}

impl Viewer {
    pub fn scope(&self) -> Scope {
        if self.admin {
            Scope::All
        } else {
            Scope::User(self.user.clone())
        }
    }

    pub fn role_in(&self, team: &TeamId) -> Option<Role> {
        self.teams.iter().find(|m| &m.team == team).map(|m| m.role)
    }

    /// Whether the action is allowed on an object of `team`.
    pub fn may(&self, action: Action, team: &TeamId) -> bool {
        self.admin
            || matches!((self.role_in(team), action.least_role()), (Some(have), Some(least)) if have >= least)
    }

    /// Whether the action is allowed on an object every team shares: a role in any team will do.
    pub fn may_shared(&self, action: Action) -> bool {
        self.admin
            || self
                .teams
                .iter()
                .any(|m| action.least_role().is_some_and(|least| m.role >= least))
    }

    /// As [`Viewer::may`], for actions that are wider for one's own objects.
    pub fn may_own(&self, own: Action, any: Action, team: &TeamId, owner: &UserId) -> bool {
        self.may(any, team) || (&self.user == owner && self.may(own, team))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn team(last: char) -> TeamId {
        TeamId::from_ulid(&format!("0000000000000000000000000{last}")).unwrap()
    }

    fn viewer(role: Option<Role>, admin: bool) -> Viewer {
        Viewer {
            user: UserId::from_ulid("00000000000000000000000001").unwrap(),
            name: "li".into(),
            admin,
            teams: role
                .map(|role| Membership {
                    team: team('1'),
                    team_name: "rt".into(),
                    role,
                })
                .into_iter()
                .collect(),
            via: Via::Session,
        }
    }

    #[test]
    fn a_role_counts_only_in_its_team() {
        for role in Role::ALL {
            for &action in Action::ALL {
                let viewer = viewer(Some(role), false);
                assert_eq!(
                    viewer.may(action, &team('1')),
                    action.least_role().is_some_and(|least| role >= least)
                );
                assert!(!viewer.may(action, &team('2')));
            }
        }
        assert!(
            Action::ALL
                .iter()
                .all(|&a| !viewer(None, false).may(a, &team('1')) && !viewer(None, false).may_shared(a))
        );
        assert!(Action::ALL.iter().all(|&a| viewer(None, true).may(a, &team('2'))));
    }

    #[test]
    fn developers_stop_their_own_runs_only() {
        let dev = viewer(Some(Role::Developer), false);
        let other = UserId::from_ulid("00000000000000000000000002").unwrap();
        assert!(dev.may_own(Action::RunStopOwn, Action::RunStopAny, &team('1'), &dev.user));
        assert!(!dev.may_own(Action::RunStopOwn, Action::RunStopAny, &team('1'), &other));
    }
}
