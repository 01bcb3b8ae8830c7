//! Queues, nodes and counts.

use super::{app::State, views::resource};
use crate::{
    Service,
    answer::Answer,
    cluster::{Cluster, World},
};
use serde_json::{Value, json};

struct Use {
    memory: i64,
    containers: i64,
    active: i64,
    pending: i64,
}

fn used(world: &World, queue: &str) -> Use {
    let inside = format!("{queue}.");
    let apps = world.rm.apps.values().filter(|app| {
        !app.state.is_final() && (app.submission.queue == queue || app.submission.queue.starts_with(&inside))
    });
    let mut sum = Use {
        memory: 0,
        containers: 0,
        active: 0,
        pending: 0,
    };
    for app in apps {
        for container in app
            .containers
            .iter()
            .filter(|container| container.ended.is_none())
        {
            sum.memory += container.memory_mb;
            sum.containers += 1;
        }
        match app.state {
            State::Running => sum.active += 1,
            _ => sum.pending += 1,
        }
    }
    sum
}

pub(crate) fn queues(cluster: &Cluster, world: &World) -> Answer {
    let all = used(world, "root");
    #[expect(clippy::cast_precision_loss, reason = "a percentage for people")]
    let total = cluster.options.node_memory_mb as f64;
    #[expect(clippy::cast_precision_loss, reason = "a percentage for people")]
    let percent = |memory: i64| memory as f64 * 100.0 / total;
    let largest = resource(cluster.options.max_memory_mb, cluster.options.max_vcores);
    let leaves: Vec<Value> = cluster
        .options
        .queues
        .iter()
        .map(|queue| {
            let now = used(world, &queue.path);
            let name = queue.path.rsplit('.').next().unwrap_or_default();
            let submit = queue.submit.join(",");
            json!({
                "type": "capacitySchedulerLeafQueueInfo", "queuePath": queue.path, "queueName": name,
                "capacity": queue.capacity, "usedCapacity": percent(now.memory) * 100.0 / queue.capacity.max(1.0),
                "maxCapacity": 100.0, "absoluteCapacity": queue.capacity, "absoluteMaxCapacity": 100.0,
                "absoluteUsedCapacity": percent(now.memory), "weight": -1.0, "normalizedWeight": 0.0,
                "numApplications": now.active + now.pending, "maxParallelApps": i32::MAX,
                "isAbsoluteResource": false, "state": "RUNNING",
                "resourcesUsed": resource(now.memory, now.containers), "hideReservationQueues": false,
                "nodeLabels": ["*"], "allocatedContainers": now.containers, "reservedContainers": 0,
                "pendingContainers": 0, "maximumAllocation": largest.clone(),
                "queueAcls": {"queueAcl": [
                    {"accessType": "ADMINISTER_QUEUE", "accessControlList": " "},
                    {"accessType": "SUBMIT_APP", "accessControlList": format!("{submit} ")},
                ]},
                "queuePriority": 0, "orderingPolicyInfo": "fifo", "mode": "percentage", "queueType": "leaf",
                "numActiveApplications": now.active, "numPendingApplications": now.pending,
                "numContainers": now.containers, "maxApplications": 5000, "maxApplicationsPerUser": 5000,
                "userLimit": 100.0, "users": {}, "userLimitFactor": 1.0, "preemptionDisabled": true,
                "defaultPriority": 0, "isAutoCreatedLeafQueue": false, "maxApplicationLifetime": -1,
            })
        })
        .collect();
    Answer::json(&json!({"scheduler": {"schedulerInfo": {
        "type": "capacityScheduler", "capacity": 100.0, "usedCapacity": percent(all.memory), "maxCapacity": 100.0,
        "weight": -1.0, "normalizedWeight": 0.0, "queueName": "root", "queuePath": "root",
        "maxParallelApps": i32::MAX, "isAbsoluteResource": false, "queues": {"queue": leaves},
        "maximumAllocation": largest, "queuePriority": 0, "orderingPolicyInfo": "utilization",
        "mode": "percentage", "queueType": "parent",
    }}}))
}

pub(crate) fn nodes(cluster: &Cluster, world: &World) -> Answer {
    let now = used(world, "root");
    let options = &cluster.options;
    let address = cluster.address(Service::Nm);
    let id = format!("127.0.0.1:{}", address.port().wrapping_sub(1));
    Answer::json(&json!({"nodes": {"node": [{
        "rack": "/default-rack", "state": "RUNNING", "id": id, "nodeHostName": "127.0.0.1",
        "nodeHTTPAddress": address.to_string(), "lastHealthUpdate": cluster.clock.now(),
        "version": options.version, "healthReport": "", "numContainers": now.containers,
        "usedMemoryMB": now.memory, "availMemoryMB": options.node_memory_mb - now.memory,
        "usedVirtualCores": now.containers, "availableVirtualCores": options.node_vcores - now.containers,
        "memUtilization": 10.5, "cpuUtilization": 4.5, "allocationTags": {},
        "usedResource": resource(now.memory, now.containers), "nodeAttributesInfo": {},
        "totalResource": resource(options.node_memory_mb, options.node_vcores),
    }]}}))
}

pub(crate) fn metrics(cluster: &Cluster, world: &World) -> Answer {
    let now = used(world, "root");
    let (rm, options) = (&world.rm, &cluster.options);
    Answer::json(&json!({"clusterMetrics": {
        "appsSubmitted": rm.submitted, "appsCompleted": rm.finished, "appsPending": now.pending,
        "appsRunning": now.active, "appsFailed": rm.failed, "appsKilled": rm.killed,
        "reservedMB": 0, "availableMB": options.node_memory_mb - now.memory, "allocatedMB": now.memory,
        "pendingMB": 0, "reservedVirtualCores": 0,
        "availableVirtualCores": options.node_vcores - now.containers,
        "allocatedVirtualCores": now.containers, "pendingVirtualCores": 0,
        "containersAllocated": now.containers, "containersReserved": 0, "containersPending": 0,
        "totalMB": options.node_memory_mb, "totalVirtualCores": options.node_vcores,
        "totalNodes": 1, "lostNodes": 0, "unhealthyNodes": 0, "decommissioningNodes": 0,
        "decommissionedNodes": 0, "rebootedNodes": 0, "activeNodes": 1, "shutdownNodes": 0,
        "totalClusterResourcesAcrossPartition": resource(options.node_memory_mb, options.node_vcores),
        "crossPartitionMetricsAvailable": true, "rmEventQueueSize": 0, "schedulerEventQueueSize": 0,
    }}))
}
