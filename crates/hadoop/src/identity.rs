/// How the console proves who it is on a cluster without Kerberos.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Mode {
    /// It claims to be the user.
    Simple,
    /// It claims to be `service_user`, which the cluster allows to act for others.
    SimpleDoAs { service_user: String },
}

/// The Hadoop user a call is made as.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Identity {
    pub user: String,
    pub mode: Mode,
}

impl Identity {
    pub fn simple(user: impl Into<String>) -> Self {
        Self {
            user: user.into(),
            mode: Mode::Simple,
        }
    }

    pub fn simple_do_as(user: impl Into<String>, service_user: impl Into<String>) -> Self {
        Self {
            user: user.into(),
            mode: Mode::SimpleDoAs {
                service_user: service_user.into(),
            },
        }
    }

    /// Query of ResourceManager and NodeManager calls.
    pub fn yarn(&self) -> Vec<(&'static str, &str)> {
        self.query("doAs")
    }

    /// Query of WebHDFS calls; the parameter is spelt differently there.
    pub(crate) fn hdfs(&self) -> Vec<(&'static str, &str)> {
        self.query("doas")
    }

    fn query(&self, do_as: &'static str) -> Vec<(&'static str, &str)> {
        match &self.mode {
            Mode::Simple => vec![("user.name", &self.user)],
            // Acting for oneself is not impersonation, and many clusters refuse it as such.
            Mode::SimpleDoAs { service_user } if *service_user == self.user => {
                vec![("user.name", &self.user)]
            }
            Mode::SimpleDoAs { service_user } => vec![("user.name", service_user), (do_as, &self.user)],
        }
    }
}
