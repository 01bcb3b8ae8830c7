//! A fake YARN + HDFS + Flink cluster over real HTTP on loopback, with scripted applications,
//! faults and a log of what really happened; an independent checker that judges a fake or a real
//! cluster; builders and a clock. For tests only.
//!
//! What it answers was compared with Hadoop 3.4.2; the contract tests run the same assertions on
//! both.

#![allow(clippy::expect_used, reason = "a test tool stops the test with a message")]

mod answer;
pub mod builders;
pub mod checker;
mod client_xml;
mod clock;
mod cluster;
mod control;
mod fault;
mod flink;
mod hdfs;
mod history;
mod listener;
mod nm;
mod options;
mod rm;
mod script;
mod serve;
mod xml;

pub use client_xml::ClientXml;
pub use clock::{ManualClock, Time};
pub use cluster::Service;
pub use control::{AppView, Control, FileView};
pub use fault::{Action, Chaos, Fault};
pub use history::{Deed, Request};
pub use options::{Options, QueueOptions};
pub use script::{FinalStatus, Move, Savepoints, Script, Step};

use std::io;

/// A running fake cluster; dropping it ends its daemons.
pub struct FakeCluster {
    /// `http://127.0.0.1:port` of the ResourceManager.
    pub rm_url: String,
    /// Of the NameNode.
    pub nn_url: String,
    /// Of the DataNode.
    pub dn_url: String,
    /// Of the NodeManager.
    pub nm_url: String,
    control: Control,
}

impl FakeCluster {
    /// A cluster like the development sandbox, on free ports.
    pub async fn start() -> Self {
        Self::with(Options::default()).await
    }

    pub async fn with(options: Options) -> Self {
        Self::try_with(options)
            .await
            .expect("the fake cluster gets its ports")
    }

    /// As [`FakeCluster::with`]; fails when a wanted port is taken.
    pub async fn try_with(options: Options) -> io::Result<Self> {
        let cluster = cluster::Cluster::start(options).await?;
        let url = |service| format!("http://{}", cluster.address(service));
        Ok(Self {
            rm_url: url(Service::Rm),
            nn_url: url(Service::Nn),
            dn_url: url(Service::Dn),
            nm_url: url(Service::Nm),
            control: Control { cluster },
        })
    }

    /// Base URL of any daemon.
    pub fn url(&self, service: Service) -> String {
        format!("http://{}", self.control.cluster.address(service))
    }

    pub fn control(&self) -> &Control {
        &self.control
    }

    pub fn client_xml(&self) -> ClientXml {
        client_xml::of(&self.control.cluster)
    }

    /// A judge that reads this cluster as its superuser.
    pub fn checker(&self) -> checker::Checker {
        checker::Checker::new(
            &self.rm_url,
            &self.nn_url,
            &self.control.cluster.options.superuser,
        )
    }
}

impl Drop for FakeCluster {
    fn drop(&mut self) {
        self.control.cluster.shut_down();
    }
}
