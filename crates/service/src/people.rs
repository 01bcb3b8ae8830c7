//! Users, teams, tokens and signing in.

use crate::{Error, Result, Service, audit::Entry, clock::new_id};
use domain::{
    Action, Code, Failure, Millis, Viewer,
    access::{Membership, Via},
    id::{TeamId, TokenId, UserId},
    identity::{CreatedToken, Me, NewToken, NewUser, Team, Token, User},
    validate::{self, Checks},
};
use identity::{Secret, Throttle, password};
use serde_json::json;
use std::{
    net::IpAddr,
    sync::{Mutex, PoisonError},
};
use tokio::sync::Semaphore;

/// Password checks at once; each holds 19 MiB and a core.
const PARALLEL_CHECKS: usize = 2;
/// A token's last use is written at most this often.
const TOUCH_MS: Millis = 60_000;
/// Name of the user the first start makes.
const FIRST_USER: &str = "admin";

/// What slows guessing down.
pub(crate) struct Guard {
    throttle: Mutex<Throttle>,
    checks: Semaphore,
}

impl Default for Guard {
    fn default() -> Self {
        Self {
            throttle: Mutex::default(),
            checks: Semaphore::new(PARALLEL_CHECKS),
        }
    }
}

/// Somebody who proved who they are. The epoch goes into the session: when the user's grows, the
/// session ends.
#[derive(Debug, Clone)]
pub struct SignedIn {
    pub viewer: Viewer,
    pub epoch: i64,
}

impl Service {
    /// Signs in by name and password. `from` is the caller's address.
    pub async fn login(&self, name: &str, given: &str, from: IpAddr) -> Result<SignedIn> {
        let name = name.trim().to_lowercase();
        let address = identity::address_key(from);
        let wait = self.throttle().attempt(&name, &address, self.now());
        if let Err(wait) = wait {
            return Err(Failure::new(Code::TooMany)
                .with("seconds", wait.div_euclid(1000) + 1)
                .into());
        }
        let found = if name.is_empty() || name.len() > 200 {
            None
        } else {
            store::users::by_name(self.db(), &name).await?
        };
        let hash = found.as_ref().and_then(|user| user.password_hash.clone());
        let right = {
            let _permit = self
                .inner
                .people
                .checks
                .acquire()
                .await
                .map_err(Error::internal)?;
            let given = given.to_owned();
            tokio::task::spawn_blocking(move || password::verify(&given, hash.as_deref()))
                .await
                .map_err(Error::internal)?
        };
        match found.filter(|user| right && !user.disabled) {
            Some(user) => {
                self.throttle().succeeded(&name, &address);
                self.signed_in(&user.id, "auth.login").await
            }
            None => {
                self.note_refused(&name).await?;
                Err(Code::BadCredentials.into())
            }
        }
    }

    /// Signs in with a one-time link.
    pub async fn login_with_link(&self, secret: &str) -> Result<SignedIn> {
        let secret = Secret::new(secret);
        if !secret.is_login_link() {
            return Err(Code::LoginLinkInvalid.into());
        }
        let mut tx = self.db().begin().await?;
        let user = store::login_links::consume(&mut tx, &secret.hash(), self.now()).await?;
        tx.commit().await?;
        match user {
            Some(user) => self.signed_in(&user, "auth.login_link").await,
            None => Err(Code::LoginLinkInvalid.into()),
        }
    }

    fn throttle(&self) -> std::sync::MutexGuard<'_, Throttle> {
        self.inner
            .people
            .throttle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    async fn note_refused(&self, name: &str) -> Result<()> {
        let mut tx = self.db().begin().await?;
        let shown: String = name.chars().filter(|c| !c.is_control()).take(100).collect();
        let entry = Entry {
            actor: "-",
            user: None,
            action: "auth.refused",
            object: None,
            team: None,
            detail: json!({ "name": shown }),
        };
        self.record(&mut tx, entry).await?;
        Ok(tx.commit().await?)
    }

    async fn signed_in(&self, user: &UserId, action: &str) -> Result<SignedIn> {
        let (viewer, epoch) = self.viewer(user, Via::Session).await?;
        let mut tx = self.db().begin().await?;
        let entry = Entry {
            actor: &viewer.name,
            user: Some(user),
            action,
            object: Some(user.as_str()),
            team: None,
            detail: json!({}),
        };
        self.record(&mut tx, entry).await?;
        tx.commit().await?;
        Ok(SignedIn { viewer, epoch })
    }

    /// Notes that the viewer signed out.
    pub async fn logged_out(&self, viewer: &Viewer) -> Result<()> {
        let mut tx = self.db().begin().await?;
        let entry = Entry {
            actor: &viewer.name,
            user: Some(&viewer.user),
            action: "auth.logout",
            object: Some(viewer.user.as_str()),
            team: None,
            detail: json!({}),
        };
        self.record(&mut tx, entry).await?;
        Ok(tx.commit().await?)
    }

    async fn viewer(&self, user: &UserId, via: Via) -> Result<(Viewer, i64)> {
        let row = store::users::row(self.db(), user)
            .await?
            .filter(|row| !row.disabled)
            .ok_or(Code::Unauthenticated)?;
        let teams = store::users::memberships(self.db(), user).await?;
        Ok((
            Viewer {
                user: row.id,
                name: row.name,
                admin: row.admin,
                teams,
                via,
            },
            row.epoch,
        ))
    }

    /// Who a session belongs to, with the rights of this moment.
    pub async fn viewer_of_session(&self, user: &UserId, epoch: i64) -> Result<Viewer> {
        let (viewer, now) = self.viewer(user, Via::Session).await?;
        if now == epoch {
            Ok(viewer)
        } else {
            Err(Code::Unauthenticated.into())
        }
    }

    /// Who a bearer token belongs to.
    pub async fn viewer_of_token(&self, bearer: &str) -> Result<Viewer> {
        let Some(hash) = identity::token_hash(bearer) else {
            return Err(Code::TokenInvalid.into());
        };
        let now = self.now();
        let token = store::tokens::by_hash(self.db(), &hash)
            .await?
            .ok_or(Code::TokenInvalid)?;
        if token.revoked_at.is_some() || token.expires_at <= now {
            return Err(Code::TokenInvalid.into());
        }
        if token.last_used_at.is_none_or(|last| now - last > TOUCH_MS) {
            store::tokens::touch(self.db(), &token.id, now).await?;
        }
        let (viewer, _) = self.viewer(&token.user, Via::Token(token.id)).await?;
        Ok(viewer)
    }

    /// The caller.
    pub async fn me(&self, viewer: &Viewer) -> Result<Me> {
        let actions = Action::ALL
            .iter()
            .filter(|&&action| viewer.may_shared(action))
            .map(|action| action.name().to_owned())
            .collect();
        Ok(Me {
            id: viewer.user.clone(),
            name: viewer.name.clone(),
            admin: viewer.admin,
            teams: viewer.teams.clone(),
            actions,
        })
    }

    /// The viewer's own tokens.
    pub async fn tokens(&self, viewer: &Viewer) -> Result<Vec<Token>> {
        Ok(store::tokens::list(self.db(), &viewer.user).await?)
    }

    /// Makes a token with the viewer's rights; its secret is answered this once.
    pub async fn create_token(&self, viewer: &Viewer, new: NewToken) -> Result<CreatedToken> {
        // A token that makes tokens would outlive its own revocation.
        if matches!(viewer.via, Via::Token(_)) {
            return Err(Error::forbidden(Action::TokenOwn));
        }
        let mut checks = Checks::default();
        checks.take("name", validate::line("name", &new.name, 100));
        checks.take(
            "days",
            validate::range("days", new.days, identity::TOKEN_DAYS.0, identity::TOKEN_DAYS.1),
        );
        Error::check(checks.0)?;
        let now = self.now();
        let secret = Secret::token().map_err(Error::internal)?;
        let id = new_id!(TokenId, now);
        let row = store::tokens::NewToken {
            id: id.clone(),
            user: viewer.user.clone(),
            name: new.name.clone(),
            secret_hash: secret.hash(),
            created_at: now,
            expires_at: now + new.days * 86_400_000,
        };
        let mut tx = self.db().begin().await?;
        store::tokens::insert(&mut tx, &row).await?;
        let detail = json!({ "name": new.name, "days": new.days });
        self.record(
            &mut tx,
            Entry::by(viewer, Action::TokenOwn, id.as_str(), None, detail),
        )
        .await?;
        tx.commit().await?;
        let token = Token {
            id,
            name: new.name,
            created_at: now,
            expires_at: row.expires_at,
            last_used_at: None,
            revoked_at: None,
        };
        Ok(CreatedToken {
            token,
            secret: secret.expose().to_owned(),
        })
    }

    /// Ends a token of the viewer; at once.
    pub async fn revoke_token(&self, viewer: &Viewer, id: &TokenId) -> Result<()> {
        let mut tx = self.db().begin().await?;
        if !store::tokens::revoke(&mut tx, &viewer.user, id, self.now()).await? {
            return Err(Error::not_found("token"));
        }
        self.record(
            &mut tx,
            Entry::by(
                viewer,
                Action::TokenOwn,
                id.as_str(),
                None,
                json!({ "revoked": true }),
            ),
        )
        .await?;
        Ok(tx.commit().await?)
    }

    /// All users; for administrators.
    pub async fn users(&self, viewer: &Viewer) -> Result<Vec<User>> {
        if !viewer.admin {
            return Err(Error::forbidden(Action::UserWrite));
        }
        Ok(store::users::list(self.db()).await?)
    }

    pub async fn create_user(&self, viewer: &Viewer, new: NewUser) -> Result<User> {
        if !viewer.admin {
            return Err(Error::forbidden(Action::UserWrite));
        }
        let mut checks = Checks::default();
        checks.take("name", validate::code("name", &new.name, 60));
        if let Some(given) = &new.password {
            checks.take("password", password::check("password", given));
        }
        Error::check(checks.0)?;
        let known = store::teams::list(self.db(), &domain::Scope::All).await?;
        let mut teams = Vec::new();
        for wanted in &new.teams {
            let team = known
                .iter()
                .find(|team| team.name == wanted.team)
                .ok_or_else(|| Error::not_found("team"))?;
            teams.push(Membership {
                team: team.id.clone(),
                team_name: team.name.clone(),
                role: wanted.role,
            });
        }
        let hash = match new.password {
            None => None,
            Some(given) => {
                let _permit = self
                    .inner
                    .people
                    .checks
                    .acquire()
                    .await
                    .map_err(Error::internal)?;
                let hashed = tokio::task::spawn_blocking(move || password::hash(&given))
                    .await
                    .map_err(Error::internal)?;
                Some(hashed.map_err(Error::internal)?)
            }
        };
        let now = self.now();
        let user = User {
            id: new_id!(UserId, now),
            name: new.name.to_lowercase(),
            admin: new.admin,
            disabled: false,
            teams,
            created_at: now,
        };
        let mut tx = self.db().begin().await?;
        match store::users::insert(&mut tx, &user, hash.as_deref()).await {
            Err(error) if error.constraint() == Some(store::Constraint::UserName) => {
                return Err(Failure::new(Code::NameTaken).with("name", &user.name).into());
            }
            other => other?,
        }
        for membership in &user.teams {
            store::users::set_membership(&mut tx, &user.id, &membership.team, membership.role).await?;
        }
        let detail = json!({ "name": user.name, "admin": user.admin, "teams": user.teams });
        self.record(
            &mut tx,
            Entry::by(viewer, Action::UserWrite, user.id.as_str(), None, detail),
        )
        .await?;
        tx.commit().await?;
        Ok(user)
    }

    /// The teams the viewer sees: all for administrators, else its own.
    pub async fn teams(&self, viewer: &Viewer) -> Result<Vec<Team>> {
        Ok(store::teams::list(self.db(), &viewer.scope()).await?)
    }

    pub async fn create_team(&self, viewer: &Viewer, name: &str) -> Result<Team> {
        if !viewer.admin {
            return Err(Error::forbidden(Action::TeamWrite));
        }
        validate::code("name", name, 60)?;
        let now = self.now();
        let team = Team {
            id: new_id!(TeamId, now),
            name: name.to_owned(),
        };
        let mut tx = self.db().begin().await?;
        match store::teams::insert(&mut tx, &team, now).await {
            Err(error) if error.constraint() == Some(store::Constraint::TeamName) => {
                return Err(Failure::new(Code::NameTaken).with("name", name).into());
            }
            other => other?,
        }
        self.record(
            &mut tx,
            Entry::by(
                viewer,
                Action::TeamWrite,
                team.id.as_str(),
                Some(&team.id),
                json!({ "name": name }),
            ),
        )
        .await?;
        tx.commit().await?;
        Ok(team)
    }

    /// Makes the first user when there is none and answers the secret of its login link.
    pub async fn first_start(&self) -> Result<Option<Secret>> {
        if store::users::any(self.db()).await? {
            return Ok(None);
        }
        let now = self.now();
        let user = User {
            id: new_id!(UserId, now),
            name: FIRST_USER.to_owned(),
            admin: true,
            disabled: false,
            teams: Vec::new(),
            created_at: now,
        };
        let mut tx = self.db().begin().await?;
        store::users::insert(&mut tx, &user, None).await?;
        let entry = Entry {
            actor: "console",
            user: None,
            action: "user.first",
            object: Some(user.id.as_str()),
            team: None,
            detail: json!({ "name": user.name }),
        };
        self.record(&mut tx, entry).await?;
        tx.commit().await?;
        self.host_login_link(Some(FIRST_USER)).await.map(Some)
    }

    /// Makes a login link for somebody on the host; for the management socket alone.
    pub async fn host_login_link(&self, name: Option<&str>) -> Result<Secret> {
        let name = name.unwrap_or(FIRST_USER);
        let user = store::users::by_name(self.db(), &name.to_lowercase())
            .await?
            .filter(|user| !user.disabled)
            .ok_or_else(|| Error::not_found("user"))?;
        let now = self.now();
        let secret = Secret::login_link().map_err(Error::internal)?;
        let mut tx = self.db().begin().await?;
        store::login_links::insert(&mut tx, &secret.hash(), &user.id, now + identity::LOGIN_LINK_MS).await?;
        let entry = Entry {
            actor: "host",
            user: None,
            action: "auth.link_made",
            object: Some(user.id.as_str()),
            team: None,
            detail: json!({}),
        };
        self.record(&mut tx, entry).await?;
        tx.commit().await?;
        Ok(secret)
    }

    /// The viewer a subcommand on the host acts as; for the management socket alone.
    pub async fn host_viewer(&self, name: &str) -> Result<Viewer> {
        let user = store::users::by_name(self.db(), &name.to_lowercase())
            .await?
            .ok_or_else(|| Error::not_found("user"))?;
        Ok(self.viewer(&user.id, Via::Host).await?.0)
    }
}
