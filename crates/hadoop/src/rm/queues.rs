use crate::types::Resource;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The scheduler and its queues.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Scheduler {
    /// `capacityScheduler`, `fairScheduler`, `fifoScheduler`.
    pub kind: String,
    pub root: Queue,
}

/// A queue. Capacities are per cent of the whole cluster; where the scheduler has no such thing
/// they are absent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Queue {
    /// Last name.
    pub name: String,
    /// Full path such as `root.team.batch`.
    pub path: String,
    /// Applications run in leaves only.
    pub leaf: bool,
    /// `RUNNING`, `STOPPED`, `DRAINING`; absent where the scheduler has no such thing.
    pub state: Option<String>,
    pub capacity: Option<f64>,
    pub max_capacity: Option<f64>,
    pub used_capacity: Option<f64>,
    pub used: Resource,
    /// What it may grow to.
    pub limit: Option<Resource>,
    /// Largest single container.
    pub max_allocation: Option<Resource>,
    pub active_apps: i64,
    pub pending_apps: i64,
    pub children: Vec<Queue>,
}

impl Queue {
    /// It and everything below, parents first.
    pub fn walk(&self) -> Vec<&Queue> {
        let mut all = vec![self];
        let mut next = 0;
        while let Some(queue) = all.get(next).copied() {
            all.extend(&queue.children);
            next += 1;
        }
        all
    }

    /// The queue a submission to `name` would go to: a full path, or a leaf's last name.
    pub fn find(&self, name: &str) -> Option<&Queue> {
        let all = self.walk();
        all.iter()
            .find(|queue| queue.path == name)
            .or_else(|| all.iter().find(|q| q.leaf && q.name == name))
            .copied()
    }
}

pub(super) fn read(value: &Value) -> Option<Scheduler> {
    let info = value.pointer("/scheduler/schedulerInfo")?;
    let kind = string(info, "type").unwrap_or_default();
    let root = match info.get("rootQueue") {
        Some(root) => fair(root)?,
        None => capacity(info, None),
    };
    Some(Scheduler { kind, root })
}

fn capacity(value: &Value, parent: Option<&str>) -> Queue {
    let name = string(value, "queueName").unwrap_or_else(|| match parent {
        Some(_) => String::new(),
        // The FIFO scheduler has one queue and does not name it.
        None => "default".to_owned(),
    });
    let path = string(value, "queuePath").unwrap_or_else(|| match parent {
        Some(parent) => format!("{parent}.{name}"),
        None => name.clone(),
    });
    let children: Vec<Queue> = below(value, "queues")
        .map(|queue| capacity(queue, Some(&path)))
        .collect();
    let total = |name: &str, of: fn(&Queue) -> i64| {
        integer(value, name).unwrap_or_else(|| children.iter().map(of).sum())
    };
    Queue {
        // A parent whose children are created on demand has none to show.
        leaf: children.is_empty() && string(value, "queueType").as_deref() != Some("parent"),
        state: string(value, "state").or_else(|| string(value, "qstate")),
        capacity: number(value, "absoluteCapacity").or_else(|| number(value, "capacity")),
        max_capacity: number(value, "absoluteMaxCapacity").or_else(|| number(value, "maxCapacity")),
        used_capacity: number(value, "absoluteUsedCapacity").or_else(|| number(value, "usedCapacity")),
        used: resource(value, "resourcesUsed").unwrap_or_else(|| sum(&children)),
        limit: resource(value, "maxEffectiveCapacity"),
        max_allocation: resource(value, "maximumAllocation"),
        active_apps: total("numActiveApplications", |queue| queue.active_apps),
        pending_apps: total("numPendingApplications", |queue| queue.pending_apps),
        name,
        path,
        children,
    }
}

fn fair(value: &Value) -> Option<Queue> {
    let path = string(value, "queueName")?;
    let children: Vec<Queue> = below(value, "childQueues").filter_map(fair).collect();
    let total = |name: &str, of: fn(&Queue) -> i64| {
        integer(value, name).unwrap_or_else(|| children.iter().map(of).sum())
    };
    Some(Queue {
        name: path.rsplit('.').next().unwrap_or_default().to_owned(),
        leaf: children.is_empty(),
        state: None,
        capacity: None,
        max_capacity: None,
        used_capacity: None,
        used: resource(value, "usedResources").unwrap_or_default(),
        limit: resource(value, "maxResources"),
        max_allocation: resource(value, "maxContainerAllocation"),
        active_apps: total("numActiveApps", |queue| queue.active_apps),
        pending_apps: total("numPendingApps", |queue| queue.pending_apps),
        path,
        children,
    })
}

/// The entries of `{name: {queue: …}}` or `{name: …}`, each as array or single object.
fn below<'a>(value: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> {
    let inner = value.get(name).map(|inner| inner.get("queue").unwrap_or(inner));
    let list: &[Value] = match inner {
        Some(Value::Array(list)) => list,
        Some(one @ Value::Object(members)) if !members.is_empty() => std::slice::from_ref(one),
        _ => &[],
    };
    list.iter().filter(|entry| entry.is_object())
}

fn sum(queues: &[Queue]) -> Resource {
    queues.iter().fold(Resource::default(), |all, queue| Resource {
        memory: all.memory + queue.used.memory,
        vcores: all.vcores + queue.used.vcores,
    })
}

fn string(value: &Value, name: &str) -> Option<String> {
    value
        .get(name)
        .and_then(Value::as_str)
        .filter(|text| !text.is_empty())
        .map(str::to_owned)
}

fn number(value: &Value, name: &str) -> Option<f64> {
    match value.get(name)? {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok().filter(|f: &f64| f.is_finite()),
        _ => None,
    }
}

fn integer(value: &Value, name: &str) -> Option<i64> {
    number(value, name).map(|number| number as i64)
}

fn resource(value: &Value, name: &str) -> Option<Resource> {
    Resource::deserialize(value.get(name).filter(|inner| inner.is_object())?).ok()
}
