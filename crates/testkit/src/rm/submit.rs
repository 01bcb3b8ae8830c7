//! POST of a submission: what is refused at once, and what only fails later.

use super::{
    app::{App, AppId, Resource, State, Submission},
    bad_request,
};
use crate::{
    answer::{self, Answer},
    cluster::{Cluster, World},
    history::Deed,
    script::{FinalStatus, Move, Script},
    serve::Call,
    xml::{self, Element},
};
use std::{collections::BTreeMap, sync::Arc};

const ROOT: &str = "application-submission-context";

pub(crate) fn submit(cluster: &Arc<Cluster>, world: &mut World, call: &Call, user: &str) -> Answer {
    if !call.content_type.starts_with("application/xml") {
        return answer::remote_exception(503, "javax.ws.rs.WebApplicationException", "");
    }
    let body = call.body_text();
    let (id, submission) = match read(&body) {
        Ok(read) => read,
        Err(answer) => return *answer,
    };
    let known = world.rm.apps.contains_key(&id);
    if !known && let Err(reason) = acceptable(cluster, &submission, id, user) {
        cluster.did(Deed::Refused {
            app: id.to_string(),
            reason: reason.clone(),
        });
        return bad_request(format_args!("Exception: {reason}"));
    }
    cluster.did(Deed::Submitted {
        app: id.to_string(),
        user: user.to_owned(),
        tags: submission.tags.clone(),
        first: !known,
    });
    if !known {
        admit(cluster, world, id, submission, user);
    }
    Answer {
        content_type: answer::JSON,
        ..Answer::empty(202)
    }
    .at(format!("http://{}{}/{id}", call.host, call.raw_path))
}

fn read(body: &str) -> Result<(AppId, Submission), Box<Answer>> {
    let unreadable = |message: String| {
        Box::new(answer::remote_exception(
            400,
            "javax.ws.rs.WebApplicationException",
            &format!(
                "javax.xml.bind.UnmarshalException\n - with linked exception:\n[org.xml.sax.SAXParseException; {message}]"
            ),
        ))
    };
    let root = xml::parse(body).map_err(unreadable)?;
    if root.name != ROOT {
        return Err(unreadable(format!(
            "unexpected element (uri:\"\", local:\"{}\")",
            root.name
        )));
    }
    let wrong = |message: String| Box::new(bad_request(message));
    let id = root.text_of("application-id").unwrap_or_default();
    if id.is_empty() {
        return Err(wrong(
            "IllegalArgumentException: Parse error; application-id is missing".into(),
        ));
    }
    let id = AppId::parse(id).map_err(wrong)?;
    Ok((id, submission(&root, body)))
}

fn submission(root: &Element, body: &str) -> Submission {
    let empty = Element::default();
    let spec = root.child("am-container-spec").unwrap_or(&empty);
    let resource = root.child("resource").unwrap_or(&empty);
    let number = |text: Option<&str>, default| text.and_then(|text| text.parse().ok()).unwrap_or(default);
    let text = |name: &str| root.text_of(name).unwrap_or_default().to_owned();
    Submission {
        name: text("application-name"),
        queue: text("queue"),
        app_type: Some(text("application-type"))
            .filter(|text| !text.is_empty())
            .unwrap_or_else(|| "YARN".into()),
        tags: root
            .items("application-tags", "tag")
            .map(|tag| tag.text.to_lowercase())
            .collect(),
        priority: number(root.text_of("priority"), -1),
        memory_mb: number(resource.text_of("memory"), 1024),
        vcores: number(resource.text_of("vCores"), 1),
        max_attempts: u32::try_from(number(root.text_of("max-app-attempts"), 2))
            .unwrap_or(2)
            .clamp(1, 2),
        command: spec
            .child("commands")
            .and_then(|all| all.text_of("command"))
            .unwrap_or_default()
            .to_owned(),
        environment: entries(spec, "environment"),
        resources: spec.items("local-resources", "entry").filter_map(file).collect(),
        acls: entries(spec, "application-acls"),
        xml: body.to_owned(),
    }
}

fn entries(spec: &Element, list: &str) -> BTreeMap<String, String> {
    spec.items(list, "entry")
        .filter_map(|entry| {
            Some((
                entry.text_of("key")?.to_owned(),
                entry.text_of("value")?.to_owned(),
            ))
        })
        .collect()
}

fn file(entry: &Element) -> Option<Resource> {
    let value = entry.child("value")?;
    Some(Resource {
        key: entry.text_of("key")?.to_owned(),
        uri: value.text_of("resource")?.to_owned(),
        public: value.text_of("visibility") == Some("PUBLIC"),
        timestamp: value.text_of("timestamp")?.parse().unwrap_or(0),
    })
}

/// What the ResourceManager refuses synchronously.
fn acceptable(cluster: &Cluster, submission: &Submission, id: AppId, user: &str) -> Result<(), String> {
    let options = &cluster.options;
    if submission.tags.len() > 10 {
        return Err(
            "java.lang.IllegalArgumentException: Too many applicationTags, a maximum of only 10 are allowed!"
                .into(),
        );
    }
    if let Some(tag) = submission
        .tags
        .iter()
        .find(|tag| tag.len() > 100 || !tag.is_ascii())
    {
        return Err(format!(
            "java.lang.IllegalArgumentException: Tag {tag} is too long or contains non-ASCII characters."
        ));
    }
    if submission.memory_mb > options.max_memory_mb {
        return Err("Requested more memory than configured max".into());
    }
    if submission.vcores > options.max_vcores {
        return Err("Requested more cores than configured max".into());
    }
    let queue = queue_path(&submission.queue);
    let known = options.queues.iter().find(|known| known.path == queue);
    let open = match known {
        Some(known) => known.submit.iter().any(|who| who == "*" || who == user),
        None => options.open_root,
    };
    let superuser = known.is_some() && user == options.superuser;
    if options.acls && !open && !superuser {
        return Err(format!(
            "org.apache.hadoop.security.AccessControlException: User {user} does not have permission to submit {id} to queue {}",
            submission.queue
        ));
    }
    Ok(())
}

/// The full path of a queue that may be named by its last part alone.
pub(crate) fn queue_path(name: &str) -> String {
    match name {
        "" => "root.default".to_owned(),
        "root" => "root".to_owned(),
        name if name.starts_with("root.") => name.to_owned(),
        name => format!("root.{name}"),
    }
}

fn admit(cluster: &Arc<Cluster>, world: &mut World, id: AppId, mut submission: Submission, user: &str) {
    let now = cluster.clock.now();
    let queue = queue_path(&submission.queue);
    let options = &cluster.options;
    let leaf = options.queues.iter().any(|known| known.path == queue);
    let parent = queue == "root"
        || options
            .queues
            .iter()
            .any(|known| known.path.starts_with(&format!("{queue}.")));
    let refused = (!leaf).then(|| {
        let what = if parent { "non-leaf" } else { "unknown" };
        format!(
            "Application {id} submitted by user {user} to {what} queue: {}",
            submission.queue
        )
    });
    if leaf {
        submission.queue = queue;
    }
    let rm = &mut world.rm;
    let script = rm.scripts.get(&submission.name).or(rm.default_script.as_ref());
    let script = match refused {
        Some(text) => Script::default().then(20, Move::Crash(text)),
        None => script.unwrap_or(&options.script).clone(),
    };
    let mut due = now;
    let plan = script.0.into_iter().map(|step| {
        due += step.after_ms;
        (due, step.then)
    });
    let app = App {
        id,
        user: user.to_owned(),
        state: State::NewSaving,
        final_status: FinalStatus::Undefined,
        diagnostics: String::new(),
        started: now,
        launched: 0,
        ended: 0,
        plan: plan.collect(),
        killed: None,
        resync_at: None,
        attempts: Vec::new(),
        containers: Vec::new(),
        job: None,
        main_failed: Vec::new(),
        server: None,
        submission,
    };
    rm.submitted += 1;
    rm.apps.insert(id, app);
}
