//! The fake cluster keeps the contract that a real one was seen to keep.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a failed assertion is the purpose"
)]

#[path = "../src/contract.rs"]
#[allow(
    dead_code,
    unused_imports,
    unreachable_pub,
    reason = "shared with the tests on a real cluster"
)]
mod contract;

use hadoop::{Endpoints, HdfsPath, Identity, conf::Configuration, rm::ResourceManager, webhdfs::WebHdfs};
use testkit::{FakeCluster, Options, Service};

fn conf(cluster: &FakeCluster) -> Configuration {
    let mut conf = Configuration::new();
    for (name, text) in cluster.client_xml().files() {
        conf.add(name, text).unwrap();
    }
    conf
}

fn clients(cluster: &FakeCluster, identity: &Identity) -> (ResourceManager, WebHdfs) {
    let conf = conf(cluster);
    let (rm, nn) = (conf.rm_addresses().unwrap(), conf.namenode_addresses().unwrap());
    (
        ResourceManager::new(contract::http(), Endpoints::new(&rm).unwrap(), identity.clone()),
        WebHdfs::new(contract::http(), Endpoints::new(&nn).unwrap(), identity.clone()),
    )
}

#[tokio::test]
async fn webhdfs() {
    let cluster = FakeCluster::start().await;
    for identity in [
        Identity::simple("penstock"),
        Identity::simple_do_as("team_a", "penstock"),
    ] {
        let (_, hdfs) = clients(&cluster, &identity);
        let home = hdfs.home().await.unwrap();
        assert_eq!(home.as_str(), format!("/user/{}", identity.user));
        let dir = home.join("contract").unwrap();
        contract::webhdfs_contract(&hdfs, &dir, &HdfsPath::root()).await;
    }
}

#[tokio::test]
async fn resource_manager() {
    let cluster = FakeCluster::start().await;
    let (rm, _) = clients(&cluster, &Identity::simple("penstock"));
    contract::rm_contract(&rm, "default", Some(Identity::simple("team_b"))).await;
}

#[tokio::test]
async fn both_behind_stand_bys() {
    let cluster = FakeCluster::with(Options {
        ha: true,
        ..Options::default()
    })
    .await;
    for service in [Service::Rm, Service::Nn] {
        cluster.control().standby(service);
    }
    for service in [Service::Rm2, Service::Nn2] {
        cluster.control().activate(service);
    }
    let (rm, hdfs) = clients(&cluster, &Identity::simple("penstock"));
    let dir = hdfs.home().await.unwrap().join("contract").unwrap();
    contract::webhdfs_contract(&hdfs, &dir, &HdfsPath::root()).await;
    contract::rm_contract(&rm, "root.adhoc", Some(Identity::simple("team_b"))).await;
}
