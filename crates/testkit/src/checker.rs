//! A judge that asks the ResourceManager and the NameNode itself, and never the console. Works on
//! a fake and on a real cluster. It reads with its own few lines, so that a mistake in the
//! console's clients cannot hide itself.

use net::{Client, Method, Url};
use serde_json::Value;
use std::time::Duration;

/// An application as the ResourceManager lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenApp {
    pub id: String,
    pub user: String,
    pub name: String,
    pub queue: String,
    pub state: String,
    pub final_status: String,
    pub tags: Vec<String>,
}

impl SeenApp {
    pub fn is_over(&self) -> bool {
        matches!(self.state.as_str(), "FINISHED" | "FAILED" | "KILLED")
    }
}

/// A file or directory as the NameNode lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenFile {
    pub path: String,
    pub is_dir: bool,
    pub length: u64,
    pub owner: String,
    /// Octal.
    pub permission: String,
    pub modified: i64,
}

/// Reads one cluster as one user; a user that may see everything sees all.
#[derive(Debug, Clone)]
pub struct Checker {
    http: Client,
    rm: Url,
    nn: Url,
    user: String,
}

impl Checker {
    /// `rm` and `nn` are base URLs such as `http://127.0.0.1:8088`.
    pub fn new(rm: &str, nn: &str, user: &str) -> Self {
        let url = |text: &str| Url::parse(text).expect("a base URL");
        Self {
            http: Client::new().expect("an HTTP client"),
            rm: url(rm),
            nn: url(nn),
            user: user.to_owned(),
        }
    }

    async fn get(&self, base: &Url, path: &str, query: &[(&str, &str)]) -> Result<(u16, Vec<u8>), String> {
        let mut url = base.clone();
        url.set_path(path);
        let mut request = self
            .http
            .request(Method::GET, url)
            .accept_json()
            .timeout(Duration::from_secs(30));
        for (name, value) in query.iter().chain(&[("user.name", self.user.as_str())]) {
            request = request.query(name, value);
        }
        let reply = request.send().await.map_err(|error| error.to_string())?;
        Ok((reply.status.as_u16(), reply.body.to_vec()))
    }

    async fn json(&self, base: &Url, path: &str, query: &[(&str, &str)]) -> Result<Value, String> {
        let (status, body) = self.get(base, path, query).await?;
        if status != 200 {
            return Err(format!("{path}: {status} {}", String::from_utf8_lossy(&body)));
        }
        serde_json::from_slice(&body).map_err(|error| format!("{path}: {error}"))
    }

    /// Applications that carry the tag, ended ones included, in the order of their ids.
    pub async fn applications_by_tag(&self, tag: &str) -> Result<Vec<SeenApp>, String> {
        let tag = tag.to_lowercase();
        let value = self
            .json(&self.rm, "/ws/v1/cluster/apps", &[("applicationTags", &tag)])
            .await?;
        let mut apps: Vec<_> = entries(value.pointer("/apps/app"))
            .into_iter()
            .map(seen_app)
            .collect();
        apps.retain(|app| app.tags.contains(&tag));
        apps.sort_by(|a, b| a.id.cmp(&b.id));
        Ok(apps)
    }

    /// One application; `None` when the ResourceManager does not know it.
    pub async fn application(&self, id: &str) -> Result<Option<SeenApp>, String> {
        let path = format!("/ws/v1/cluster/apps/{id}");
        let (status, body) = self.get(&self.rm, &path, &[]).await?;
        match status {
            200 => {
                let value: Value = serde_json::from_slice(&body).map_err(|error| error.to_string())?;
                Ok(value.get("app").map(seen_app))
            }
            404 => Ok(None),
            _ => Err(format!("{path}: {status}")),
        }
    }

    /// The one application with this tag.
    ///
    /// # Panics
    /// When there are none, or several: a run was lost, or started twice.
    pub async fn assert_exactly_one(&self, tag: &str) -> SeenApp {
        let mut apps = self
            .applications_by_tag(tag)
            .await
            .expect("the ResourceManager answers");
        assert_eq!(apps.len(), 1, "applications with the tag {tag}: {apps:#?}");
        apps.remove(0)
    }

    /// # Panics
    /// When any application carries the tag.
    pub async fn assert_none(&self, tag: &str) {
        let apps = self
            .applications_by_tag(tag)
            .await
            .expect("the ResourceManager answers");
        assert!(apps.is_empty(), "applications with the tag {tag}: {apps:#?}");
    }

    /// Everything below `root`, in the order of paths; empty when it does not exist.
    pub async fn files_below(&self, root: &str) -> Result<Vec<SeenFile>, String> {
        let mut out = Vec::new();
        let mut open = vec![root.trim_end_matches('/').to_owned()];
        while let Some(directory) = open.pop() {
            let path = format!("/webhdfs/v1{directory}");
            let (status, body) = self.get(&self.nn, &path, &[("op", "LISTSTATUS")]).await?;
            match status {
                200 => {}
                // It may have gone between the two listings.
                404 => continue,
                _ => return Err(format!("{path}: {status} {}", String::from_utf8_lossy(&body))),
            }
            let value: Value = serde_json::from_slice(&body).map_err(|error| error.to_string())?;
            for entry in entries(value.pointer("/FileStatuses/FileStatus")) {
                let file = seen_file(&directory, entry);
                if file.is_dir {
                    open.push(file.path.clone());
                }
                out.push(file);
            }
        }
        out.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(out)
    }

    /// Content of a file, read from the DataNode the NameNode names.
    pub async fn read(&self, path: &str) -> Result<Vec<u8>, String> {
        let query = [("op", "OPEN"), ("noredirect", "true")];
        let value = self.json(&self.nn, &format!("/webhdfs/v1{path}"), &query).await?;
        let location = value
            .get("Location")
            .and_then(Value::as_str)
            .ok_or("no Location")?;
        let url = Url::parse(location).map_err(|error| error.to_string())?;
        let reply = self
            .http
            .get(url)
            .send()
            .await
            .map_err(|error| error.to_string())?;
        if reply.status.is_success() {
            Ok(reply.body.to_vec())
        } else {
            Err(format!("{path}: {}", reply.status))
        }
    }
}

/// A list that may be one object, or missing.
fn entries(value: Option<&Value>) -> Vec<&Value> {
    match value {
        Some(Value::Array(items)) => items.iter().collect(),
        Some(item @ Value::Object(_)) => vec![item],
        _ => Vec::new(),
    }
}

fn text(value: &Value, name: &str) -> String {
    value
        .get(name)
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned()
}

fn seen_app(value: &Value) -> SeenApp {
    let tags = text(value, "applicationTags");
    SeenApp {
        id: text(value, "id"),
        user: text(value, "user"),
        name: text(value, "name"),
        queue: text(value, "queue"),
        state: text(value, "state"),
        final_status: text(value, "finalStatus"),
        tags: tags
            .split(',')
            .filter(|tag| !tag.is_empty())
            .map(str::to_owned)
            .collect(),
    }
}

fn seen_file(directory: &str, value: &Value) -> SeenFile {
    let suffix = text(value, "pathSuffix");
    let path = if suffix.is_empty() {
        directory.to_owned()
    } else {
        format!("{directory}/{suffix}")
    };
    SeenFile {
        path,
        is_dir: text(value, "type") == "DIRECTORY",
        length: value.get("length").and_then(Value::as_u64).unwrap_or(0),
        owner: text(value, "owner"),
        permission: text(value, "permission"),
        modified: value.get("modificationTime").and_then(Value::as_i64).unwrap_or(0),
    }
}
