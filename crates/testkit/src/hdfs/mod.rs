//! The file system: a tree in memory, and the NameNode and DataNode faces of it.

pub(crate) mod datanode;
pub(crate) mod namenode;
mod rename;
pub(crate) mod tree;

use crate::answer::{self, Answer};

/// A refusal as Hadoop names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HdfsError {
    pub(crate) status: u16,
    pub(crate) class: &'static str,
    pub(crate) message: String,
}

macro_rules! errors {
    ($($name:ident = $status:literal $class:literal;)*) => {
        impl HdfsError {$(
            pub(crate) fn $name(message: impl Into<String>) -> Self {
                Self { status: $status, class: $class, message: message.into() }
            }
        )*}
    };
}

errors! {
    not_found = 404 "java.io.FileNotFoundException";
    denied = 403 "org.apache.hadoop.security.AccessControlException";
    no_impersonation = 403 "org.apache.hadoop.security.authorize.AuthorizationException";
    exists = 403 "org.apache.hadoop.fs.FileAlreadyExistsException";
    not_a_directory = 403 "org.apache.hadoop.fs.ParentNotDirectoryException";
    not_empty = 403 "org.apache.hadoop.fs.PathIsNotEmptyDirectoryException";
    safe_mode = 403 "org.apache.hadoop.hdfs.server.namenode.SafeModeException";
    standby = 403 "org.apache.hadoop.ipc.StandbyException";
    quota = 403 "org.apache.hadoop.hdfs.protocol.DSQuotaExceededException";
    io = 403 "java.io.IOException";
    argument = 400 "java.lang.IllegalArgumentException";
}

impl HdfsError {
    pub(crate) fn answer(&self) -> Answer {
        answer::remote_exception(self.status, self.class, &self.message)
    }
}
