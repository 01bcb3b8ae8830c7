//! The Hadoop client files that lead to the fake cluster.

use crate::{Service, cluster::Cluster, options::Options};

/// Text of the three files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientXml {
    pub core_site: String,
    pub hdfs_site: String,
    pub yarn_site: String,
}

impl ClientXml {
    /// File names with their contents, as a cluster is registered.
    pub fn files(&self) -> [(&'static str, &str); 3] {
        [
            ("core-site.xml", &self.core_site),
            ("hdfs-site.xml", &self.hdfs_site),
            ("yarn-site.xml", &self.yarn_site),
        ]
    }
}

pub(crate) fn default_fs(options: &Options) -> String {
    if options.ha {
        "hdfs://fake"
    } else {
        "hdfs://127.0.0.1:8020"
    }
    .to_owned()
}

pub(crate) fn of(cluster: &Cluster) -> ClientXml {
    let at = |service| cluster.address(service).to_string();
    let options = &cluster.options;
    let core = [
        ("fs.defaultFS", default_fs(options)),
        ("hadoop.security.authentication", "simple".into()),
    ];
    let mut hdfs = vec![("dfs.replication", "1".to_owned())];
    let mut yarn = vec![
        (
            "yarn.application.classpath",
            "/opt/hadoop/conf,/opt/hadoop/lib/*".to_owned(),
        ),
        ("yarn.acl.enable", options.acls.to_string()),
        ("yarn.log-aggregation-enable", "true".to_owned()),
        ("yarn.nodemanager.remote-app-log-dir", "/tmp/logs".to_owned()),
        ("yarn.nodemanager.remote-app-log-dir-suffix", "logs".to_owned()),
        ("yarn.log-aggregation.file-formats", "TFile".to_owned()),
    ];
    if options.ha {
        hdfs.extend([
            ("dfs.nameservices", "fake".to_owned()),
            ("dfs.ha.namenodes.fake", "nn1,nn2".to_owned()),
            ("dfs.namenode.rpc-address.fake.nn1", "127.0.0.1:8020".to_owned()),
            ("dfs.namenode.rpc-address.fake.nn2", "127.0.0.1:8021".to_owned()),
            ("dfs.namenode.http-address.fake.nn1", at(Service::Nn)),
            ("dfs.namenode.http-address.fake.nn2", at(Service::Nn2)),
            (
                "dfs.client.failover.proxy.provider.fake",
                "org.apache.hadoop.hdfs.server.namenode.ha.ConfiguredFailoverProxyProvider".to_owned(),
            ),
        ]);
        yarn.extend([
            ("yarn.resourcemanager.ha.enabled", "true".to_owned()),
            ("yarn.resourcemanager.cluster-id", "fake".to_owned()),
            ("yarn.resourcemanager.ha.rm-ids", "rm1,rm2".to_owned()),
            ("yarn.resourcemanager.webapp.address.rm1", at(Service::Rm)),
            ("yarn.resourcemanager.webapp.address.rm2", at(Service::Rm2)),
        ]);
    } else {
        hdfs.push(("dfs.namenode.http-address", at(Service::Nn)));
        yarn.extend([
            ("yarn.resourcemanager.hostname", "127.0.0.1".to_owned()),
            ("yarn.resourcemanager.webapp.address", at(Service::Rm)),
        ]);
    }
    ClientXml {
        core_site: file(&core),
        hdfs_site: file(&hdfs),
        yarn_site: file(&yarn),
    }
}

fn file(properties: &[(&str, String)]) -> String {
    let lines: String = properties
        .iter()
        .map(|(name, value)| format!("  <property><name>{name}</name><value>{value}</value></property>\n"))
        .collect();
    format!("<?xml version=\"1.0\"?>\n<configuration>\n{lines}</configuration>\n")
}
