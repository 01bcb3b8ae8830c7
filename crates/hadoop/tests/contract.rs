//! The clients against a real cluster. `PENSTOCK_SANDBOX_CONF` names the directory with its client
//! XML; without it these tests fail.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a failed assertion is the purpose"
)]

#[path = "../../testkit/src/contract.rs"]
#[allow(
    dead_code,
    unused_imports,
    unreachable_pub,
    reason = "shared with the fake cluster's tests"
)]
mod contract;

use contract::http;
use hadoop::{Endpoints, HdfsPath, Identity, conf::Configuration, rm::ResourceManager, webhdfs::WebHdfs};

const USER: &str = "penstock";
const TEAM: &str = "team_a";

fn conf() -> Configuration {
    let dir = std::env::var("PENSTOCK_SANDBOX_CONF").expect("PENSTOCK_SANDBOX_CONF: start the sandbox first");
    let mut conf = Configuration::new();
    for file in ["core-site.xml", "hdfs-site.xml", "yarn-site.xml"] {
        conf.add(file, &std::fs::read_to_string(format!("{dir}/{file}")).unwrap())
            .unwrap();
    }
    conf
}

fn hdfs(conf: &Configuration, identity: Identity) -> WebHdfs {
    WebHdfs::new(
        http(),
        Endpoints::new(&conf.namenode_addresses().unwrap()).unwrap(),
        identity,
    )
}

fn rm(conf: &Configuration, identity: Identity) -> ResourceManager {
    ResourceManager::new(
        http(),
        Endpoints::new(&conf.rm_addresses().unwrap()).unwrap(),
        identity,
    )
}

fn dir(user: &str, name: &str) -> HdfsPath {
    HdfsPath::new(&format!("/user/{user}/contract-{name}-{}", std::process::id())).unwrap()
}

#[tokio::test]
async fn webhdfs() {
    let hdfs = hdfs(&conf(), Identity::simple(USER));
    assert_eq!(hdfs.home().await.unwrap().as_str(), format!("/user/{USER}"));
    contract::webhdfs_contract(&hdfs, &dir(USER, "files"), &HdfsPath::root()).await;
}

#[tokio::test]
async fn webhdfs_for_a_team() {
    let hdfs = hdfs(&conf(), Identity::simple_do_as(TEAM, USER));
    assert_eq!(hdfs.home().await.unwrap().as_str(), format!("/user/{TEAM}"));
    contract::webhdfs_contract(&hdfs, &dir(TEAM, "files"), &HdfsPath::root()).await;
}

#[tokio::test]
async fn resource_manager() {
    let rm = rm(&conf(), Identity::simple(USER));
    contract::rm_contract(&rm, "default", Some(Identity::simple("team_b"))).await;
}

#[tokio::test]
async fn container_and_its_logs() {
    let conf = conf();
    let (rm, hdfs) = (
        rm(&conf, Identity::simple(USER)),
        hdfs(&conf, Identity::simple(USER)),
    );
    contract::container_contract(&conf, &rm, &hdfs, "default", &dir(USER, "container")).await;
}

#[tokio::test]
async fn container_for_a_team() {
    let conf = conf();
    let identity = || Identity::simple_do_as(TEAM, USER);
    let (rm, hdfs) = (rm(&conf, identity()), hdfs(&conf, identity()));
    contract::container_contract(&conf, &rm, &hdfs, "root.adhoc", &dir(TEAM, "container")).await;
}
