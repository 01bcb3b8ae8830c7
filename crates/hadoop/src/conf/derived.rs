use super::Configuration;
use crate::{ApplicationId, HdfsPath, path::PathError};
use std::fmt;

/// Port of the NameNode's and ResourceManager's web server unless configured.
const NAMENODE_HTTP: u16 = 9870;
const NAMENODE_HTTPS: u16 = 9871;
const RM_HTTP: u16 = 8088;
const RM_HTTPS: u16 = 8090;

/// Class path entries of a cluster that configures none.
const YARN_CLASSPATH: &[&str] = &[
    "$HADOOP_CONF_DIR",
    "$HADOOP_COMMON_HOME/share/hadoop/common/*",
    "$HADOOP_COMMON_HOME/share/hadoop/common/lib/*",
    "$HADOOP_HDFS_HOME/share/hadoop/hdfs/*",
    "$HADOOP_HDFS_HOME/share/hadoop/hdfs/lib/*",
    "$HADOOP_YARN_HOME/share/hadoop/yarn/*",
    "$HADOOP_YARN_HOME/share/hadoop/yarn/lib/*",
];

/// A setting that is needed and missing or unusable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    /// The setting somebody has to add or correct.
    pub key: String,
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the setting {} is missing or unusable", self.key)
    }
}

impl std::error::Error for Missing {}

fn missing<T>(key: impl Into<String>) -> Result<T, Missing> {
    Err(Missing { key: key.into() })
}

impl Configuration {
    /// `fs.defaultFS`, such as `hdfs://ns1`, without a slash at the end.
    pub fn default_fs(&self) -> Result<String, Missing> {
        match self.trimmed("fs.defaultFS") {
            Some(fs) if fs.contains("://") => Ok(fs.trim_end_matches('/').to_owned()),
            _ => missing("fs.defaultFS"),
        }
    }

    /// WebHDFS addresses of the default file system's NameNodes, such as `http://nn1:9870`.
    pub fn namenode_addresses(&self) -> Result<Vec<String>, Missing> {
        let fs = self.default_fs()?;
        let authority = match fs.split_once("://") {
            Some(("hdfs" | "webhdfs" | "swebhdfs", authority)) => {
                authority.split('/').next().unwrap_or_default()
            }
            _ => return missing("fs.defaultFS"),
        };
        let https = self.https_only("dfs.http.policy");
        let (key, port) = match https {
            true => ("dfs.namenode.https-address", NAMENODE_HTTPS),
            false => ("dfs.namenode.http-address", NAMENODE_HTTP),
        };
        if !self.list("dfs.nameservices").iter().any(|ns| ns == authority) {
            let host = authority.rsplit_once(':').map_or(authority, |(host, _)| host);
            return match self.address(key, https) {
                Some(address) => Ok(vec![address]),
                None if host.is_empty() => missing("fs.defaultFS"),
                None => Ok(vec![address(https, &format!("{host}:{port}"))]),
            };
        }
        let ids = self.list(&format!("dfs.ha.namenodes.{authority}"));
        if ids.is_empty() {
            let key = format!("{key}.{authority}");
            return self
                .address(&key, https)
                .map(|one| vec![one])
                .ok_or(Missing { key });
        }
        let one = |id: &String| {
            let full = format!("{key}.{authority}.{id}");
            let rpc = self.trimmed(&format!("dfs.namenode.rpc-address.{authority}.{id}"));
            let host = rpc
                .as_deref()
                .and_then(|rpc| rpc.rsplit_once(':'))
                .map(|(host, _)| host);
            let guess = host.map(|host| address(https, &format!("{host}:{port}")));
            self.address(&full, https).or(guess).ok_or(Missing { key: full })
        };
        ids.iter().map(one).collect()
    }

    /// Web addresses of the ResourceManagers, such as `http://rm1:8088`.
    pub fn rm_addresses(&self) -> Result<Vec<String>, Missing> {
        let https = self.https_only("yarn.http.policy");
        let (key, port) = match https {
            true => ("yarn.resourcemanager.webapp.https.address", RM_HTTPS),
            false => ("yarn.resourcemanager.webapp.address", RM_HTTP),
        };
        let one = |suffix: &str| {
            let key = format!("{key}{suffix}");
            let host_key = format!("yarn.resourcemanager.hostname{suffix}");
            let host = self.trimmed(&host_key).filter(|host| host != "0.0.0.0");
            let guess = host.map(|host| address(https, &format!("{host}:{port}")));
            self.address(&key, https).or(guess).ok_or(Missing { key })
        };
        if !self.bool("yarn.resourcemanager.ha.enabled", false) {
            return one("").map(|one| vec![one]);
        }
        let ids = self.list("yarn.resourcemanager.ha.rm-ids");
        if ids.is_empty() {
            return missing("yarn.resourcemanager.ha.rm-ids");
        }
        ids.iter().map(|id| one(&format!(".{id}"))).collect()
    }

    /// Entries of `yarn.application.classpath`; variables in them are those of the nodes.
    pub fn yarn_classpath(&self) -> Vec<String> {
        let entries = self.list("yarn.application.classpath");
        if entries.is_empty() {
            YARN_CLASSPATH.iter().map(|&entry| entry.to_owned()).collect()
        } else {
            entries
        }
    }

    /// Whether nodes copy the logs of ended containers to the file system.
    pub fn log_aggregation(&self) -> bool {
        self.bool("yarn.log-aggregation-enable", false)
    }

    /// Directory all aggregated logs lie below.
    pub fn remote_log_dir(&self) -> Result<HdfsPath, Missing> {
        const KEY: &str = "yarn.nodemanager.remote-app-log-dir";
        let dir = self.trimmed(KEY).unwrap_or_else(|| "/tmp/logs".into());
        // It may be written with the file system in front.
        let path = match dir.split_once("://") {
            Some((_, rest)) => rest.find('/').map_or("/", |at| &rest[at..]),
            None => &dir,
        };
        HdfsPath::new(path).or_else(|_| missing(KEY))
    }

    pub fn remote_log_suffix(&self) -> String {
        self.trimmed("yarn.nodemanager.remote-app-log-dir-suffix")
            .unwrap_or_else(|| "logs".into())
    }

    /// Where an application's aggregated logs may lie, the layout of current versions first.
    pub fn log_dirs(&self, user: &str, app: ApplicationId) -> Result<Vec<HdfsPath>, Missing> {
        let (root, suffix) = (self.remote_log_dir()?, self.remote_log_suffix());
        let bucket = app.number % 10_000;
        let join = |below: String| -> Result<HdfsPath, PathError> { root.join(&below) };
        let dirs = [
            join(format!("{user}/bucket-{suffix}-tfile/{bucket:04}/{app}")),
            join(format!("{user}/{suffix}/{app}")),
        ];
        dirs.into_iter()
            .collect::<Result<_, _>>()
            .or_else(|_| missing("yarn.nodemanager.remote-app-log-dir-suffix"))
    }

    fn https_only(&self, key: &str) -> bool {
        self.trimmed(key)
            .is_some_and(|policy| policy.eq_ignore_ascii_case("HTTPS_ONLY"))
    }

    /// A configured `host:port`, unless it only says on which interfaces to listen.
    fn address(&self, key: &str, https: bool) -> Option<String> {
        let value = self.trimmed(key)?;
        let host = value.rsplit_once(':').map_or(value.as_str(), |(host, _)| host);
        (!matches!(host, "0.0.0.0" | "" | "[::]") && !value.contains("${")).then(|| address(https, &value))
    }
}

fn address(https: bool, host_port: &str) -> String {
    format!("{}://{host_port}", if https { "https" } else { "http" })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn conf(pairs: &[(&str, &str)]) -> Configuration {
        let body: String = pairs
            .iter()
            .map(|(k, v)| format!("<property><name>{k}</name><value>{v}</value></property>"))
            .collect();
        let mut conf = Configuration::new();
        conf.add("x", &format!("<configuration>{body}</configuration>"))
            .unwrap();
        conf
    }

    #[test]
    fn single_daemons() {
        let c = conf(&[
            ("fs.default.name", "hdfs://nn:8020/"),
            ("yarn.resourcemanager.hostname", "rm"),
        ]);
        assert_eq!(c.default_fs().unwrap(), "hdfs://nn:8020");
        assert_eq!(c.namenode_addresses().unwrap(), ["http://nn:9870"]);
        assert_eq!(c.rm_addresses().unwrap(), ["http://rm:8088"]);
        let c = conf(&[
            ("fs.defaultFS", "hdfs://nn:8020"),
            ("dfs.namenode.http-address", "0.0.0.0:50070"),
            ("yarn.resourcemanager.hostname", "rm"),
            (
                "yarn.resourcemanager.webapp.address",
                "${yarn.resourcemanager.hostname}:18088",
            ),
        ]);
        assert_eq!(c.namenode_addresses().unwrap(), ["http://nn:9870"]);
        assert_eq!(c.rm_addresses().unwrap(), ["http://rm:18088"]);
    }

    #[test]
    fn high_availability() {
        let c = conf(&[
            ("fs.defaultFS", "hdfs://ns1"),
            ("dfs.nameservices", "ns1, ns2"),
            ("dfs.ha.namenodes.ns1", "a,b"),
            ("dfs.namenode.http-address.ns1.a", "nn1:9870"),
            ("dfs.namenode.rpc-address.ns1.b", "nn2:8020"),
            ("yarn.resourcemanager.ha.enabled", "true"),
            ("yarn.resourcemanager.ha.rm-ids", "rm1,rm2"),
            ("yarn.resourcemanager.hostname.rm1", "h1"),
            ("yarn.resourcemanager.webapp.https.address.rm2", "h2:8443"),
            ("yarn.http.policy", "HTTPS_ONLY"),
        ]);
        assert_eq!(
            c.namenode_addresses().unwrap(),
            ["http://nn1:9870", "http://nn2:9870"]
        );
        assert_eq!(c.rm_addresses().unwrap(), ["https://h1:8090", "https://h2:8443"]);
    }

    #[test]
    fn says_which_setting_is_missing() {
        assert_eq!(conf(&[]).default_fs().unwrap_err().key, "fs.defaultFS");
        assert_eq!(
            conf(&[]).rm_addresses().unwrap_err().key,
            "yarn.resourcemanager.webapp.address"
        );
        let c = conf(&[
            ("fs.defaultFS", "hdfs://ns"),
            ("dfs.nameservices", "ns"),
            ("dfs.ha.namenodes.ns", "a"),
        ]);
        assert_eq!(
            c.namenode_addresses().unwrap_err().key,
            "dfs.namenode.http-address.ns.a"
        );
        let c = conf(&[("fs.defaultFS", "file:///")]);
        assert_eq!(c.namenode_addresses().unwrap_err().key, "fs.defaultFS");
    }

    #[test]
    fn log_directories() {
        let c = conf(&[("yarn.nodemanager.remote-app-log-dir", "hdfs://ns1/logs")]);
        let dirs = c
            .log_dirs("etl", "application_17_12345".parse().unwrap())
            .unwrap();
        let want = [
            "/logs/etl/bucket-logs-tfile/2345/application_17_12345",
            "/logs/etl/logs/application_17_12345",
        ];
        assert_eq!(dirs.iter().map(HdfsPath::as_str).collect::<Vec<_>>(), want);
        assert!(
            c.log_dirs("../root", "application_17_0001".parse().unwrap())
                .is_err()
        );
    }
}
