//! The hand on the cluster: what a test does to it and asks of it, past every fault.

use crate::{
    Chaos, Deed, Fault, Request, Service,
    cluster::{Cluster, locked},
    flink,
    hdfs::tree::Kind,
    rm::{AppId, life},
    script::{FinalStatus, Move, Savepoints, Script},
};
use bytes::Bytes;
use domain::Millis;
use std::{io, sync::Arc, time::Duration};

pub use crate::rm::views::AppView;

/// A file or directory as the tree has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileView {
    pub path: String,
    pub is_dir: bool,
    pub length: u64,
    /// Hex; of a file.
    pub sha256: String,
    pub owner: String,
    pub permission: u16,
    pub modified: Millis,
}

/// Handle of a running fake cluster; clones are the same handle.
#[derive(Clone)]
pub struct Control {
    pub(crate) cluster: Arc<Cluster>,
}

impl Control {
    /// The cluster's time, epoch milliseconds.
    pub fn now(&self) -> Millis {
        self.cluster.clock.now()
    }

    /// Moves the cluster's time on and does what is due by then.
    pub fn advance(&self, ms: i64) {
        self.cluster.clock.advance(ms);
        drop(self.cluster.world());
    }

    // Faults and outages.

    pub fn fault(&self, fault: Fault) {
        locked(&self.cluster.faults).add(fault);
    }

    pub fn chaos(&self, chaos: Chaos) {
        locked(&self.cluster.faults).set_chaos(Some(chaos));
    }

    /// Ends all faults, scripted and random; outages stay.
    pub fn calm(&self) {
        locked(&self.cluster.faults).clear();
    }

    /// The daemon stops listening and its connections break.
    pub async fn down(&self, service: Service) {
        self.cluster.down(service).await;
    }

    /// The daemon listens again on its old port.
    pub async fn up(&self, service: Service) -> io::Result<()> {
        self.cluster.up(service).await
    }

    /// Makes a ResourceManager or NameNode a stand-by; with `ha` its partner stays as it is, so
    /// that nobody is active until [`Control::activate`].
    pub fn standby(&self, service: Service) {
        let mut world = self.cluster.world();
        if world.rm.active == Some(service) {
            world.rm.active = None;
        }
        if world.active_nn == Some(service) {
            world.active_nn = None;
        }
    }

    /// Makes it the active one. A ResourceManager recovers the applications from the store.
    pub fn activate(&self, service: Service) {
        let now = self.now();
        let resync = self.cluster.options.resync_ms;
        let mut world = self.cluster.world();
        match service {
            Service::Rm | Service::Rm2 if world.rm.active != Some(service) => {
                world.rm.active = Some(service);
                world.rm.restarted(now, true, resync);
            }
            Service::Nn | Service::Nn2 => world.active_nn = Some(service),
            _ => {}
        }
    }

    /// Stops the active ResourceManager and starts it again: new `startedOn`; without `recover` it
    /// has forgotten every application, and they are dead.
    pub async fn restart_rm(&self, recover: bool) -> io::Result<()> {
        let service = self.cluster.world().rm.active.unwrap_or(Service::Rm);
        self.down(service).await;
        let (now, resync) = (self.now(), self.cluster.options.resync_ms);
        self.cluster.world().rm.restarted(now, recover, resync);
        self.up(service).await
    }

    pub fn safe_mode(&self, on: bool) {
        self.cluster.world().safe_mode = on;
    }

    /// No DataNode has room.
    pub fn no_space(&self, full: bool) {
        self.cluster.world().no_space = full;
    }

    /// Most bytes below a directory; `None` lifts the limit.
    pub fn quota(&self, directory: &str, bytes: Option<u64>) {
        let mut world = self.cluster.world();
        world.quotas.retain(|(path, _)| path != directory);
        world
            .quotas
            .extend(bytes.map(|bytes| (directory.to_owned(), bytes)));
    }

    // Applications.

    /// What applications do from now on for which no script of their name exists.
    pub fn script(&self, script: Script) {
        self.cluster.world().rm.default_script = Some(script);
    }

    /// What applications of this name do from now on.
    pub fn script_for(&self, name: &str, script: Script) {
        self.cluster.world().rm.scripts.insert(name.to_owned(), script);
    }

    /// What becomes of savepoints that are ordered from now on.
    pub fn savepoints(&self, behaviour: Savepoints) {
        self.cluster.world().savepoints = behaviour;
    }

    /// Triggers of the savepoints the application has begun, each once.
    pub fn savepoints_of(&self, id: &str) -> Vec<String> {
        let deeds = self.deeds();
        let begun = deeds.into_iter().filter_map(|(_, deed)| match deed {
            Deed::SavepointStarted { app, trigger, .. } if app == id => Some(trigger),
            _ => None,
        });
        begun.collect()
    }

    /// Makes a step at once; the steps that were to come stay. False for an unknown application
    /// and one that has ended.
    pub fn step(&self, app: &str, step: Move) -> bool {
        let now = self.now();
        let mut world = self.cluster.world();
        let id = AppId::parse(app).ok().filter(|id| {
            let app = world.rm.apps.get(id);
            app.is_some_and(|app| !app.state.is_final())
        });
        let Some(id) = id else { return false };
        life::apply(&self.cluster, &mut world, id, now, step);
        true
    }

    /// The master ends by itself.
    pub fn finish(&self, app: &str, status: FinalStatus, diagnostics: &str) -> bool {
        self.step(app, Move::Finish(status, diagnostics.to_owned()))
    }

    /// The master dies.
    pub fn crash(&self, app: &str, diagnostics: &str) -> bool {
        self.step(app, Move::Crash(diagnostics.to_owned()))
    }

    /// The application does this from now on, instead of what is left of its own steps.
    pub fn replace_script(&self, app: &str, script: Script) -> bool {
        let now = self.now();
        let mut world = self.cluster.world();
        let app = AppId::parse(app).ok().and_then(|id| world.rm.apps.get_mut(&id));
        let Some(app) = app else { return false };
        let mut due = now;
        let steps = script.0.into_iter().map(|step| {
            due += step.after_ms;
            (due, step.then)
        });
        app.plan = steps.collect();
        true
    }

    /// An exception as Flink's history and archive show it: of the job, or of the program when it
    /// has no job yet.
    pub fn exception(&self, app: &str, stack: &str) -> bool {
        let now = self.now();
        let mut world = self.cluster.world();
        let app = AppId::parse(app).ok().and_then(|id| world.rm.apps.get_mut(&id));
        let Some(app) = app else { return false };
        let list = match &mut app.job {
            Some(job) => &mut job.exceptions,
            None => &mut app.main_failed,
        };
        list.insert(0, (now, stack.to_owned()));
        true
    }

    /// Adds to a log file of the n-th container (0 is the master's), creating it if need be.
    pub fn append_log(&self, app: &str, container: usize, file: &str, text: impl AsRef<[u8]>) -> bool {
        let mut world = self.cluster.world();
        let app = AppId::parse(app).ok().and_then(|id| world.rm.apps.get_mut(&id));
        let Some(container) = app.and_then(|app| app.containers.get_mut(container)) else {
            return false;
        };
        container
            .logs
            .entry(file.to_owned())
            .or_default()
            .extend_from_slice(text.as_ref());
        true
    }

    pub fn app(&self, app: &str) -> Option<AppView> {
        let world = self.cluster.world();
        AppId::parse(app)
            .ok()
            .and_then(|id| world.rm.apps.get(&id))
            .map(AppView::of)
    }

    /// Every application the ResourceManager remembers, the oldest first.
    pub fn apps(&self) -> Vec<AppView> {
        self.cluster.world().rm.apps.values().map(AppView::of).collect()
    }

    /// Waits, in real time, until the application is as wanted; `None` when `patience` is over.
    pub async fn wait_app(
        &self,
        app: &str,
        patience: Duration,
        wanted: impl Fn(&AppView) -> bool,
    ) -> Option<AppView> {
        let deadline = tokio::time::Instant::now() + patience;
        loop {
            if let Some(view) = self.app(app).filter(|view| wanted(view)) {
                return Some(view);
            }
            if tokio::time::Instant::now() >= deadline {
                return None;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    // Files.

    /// Puts a file there as `owner`, with the directories it lacks (0755, of the same owner).
    pub fn put_file(&self, path: &str, content: impl Into<Bytes>, owner: &str, permission: u16) {
        let now = self.now();
        let mut world = self.cluster.world();
        let superuser = world.tree.superuser.clone();
        flink::write(&mut world.tree, &superuser, path, content.into().to_vec(), now);
        if let Some(inode) = world.tree.get_mut(path) {
            owner.clone_into(&mut inode.owner);
            inode.mode = permission;
        }
    }

    /// Gives a file or directory a time of change, as a clock that ran differently would have.
    pub fn set_modified(&self, path: &str, at: Millis) {
        if let Some(inode) = self.cluster.world().tree.get_mut(path) {
            inode.modified = at;
        }
    }

    pub fn put_dir(&self, path: &str, owner: &str, permission: u16) {
        let now = self.now();
        let mut world = self.cluster.world();
        let superuser = world.tree.superuser.clone();
        let _ = world.tree.mkdirs(&superuser, path, 0o755, now);
        if let Some(inode) = world.tree.get_mut(path) {
            owner.clone_into(&mut inode.owner);
            owner.clone_into(&mut inode.group);
            inode.mode = permission;
        }
    }

    /// Deletes with everything below; false when nothing was there.
    pub fn remove_file(&self, path: &str) -> bool {
        let now = self.now();
        self.cluster.world().tree.remove(path, now).is_some()
    }

    /// Content of a file that was short enough to be kept.
    pub fn read_file(&self, path: &str) -> Option<Bytes> {
        match &self.cluster.world().tree.get(path)?.kind {
            Kind::File(content) => content.bytes.clone(),
            Kind::Dir(_) => None,
        }
    }

    pub fn file(&self, path: &str) -> Option<FileView> {
        let world = self.cluster.world();
        world
            .tree
            .get(path)
            .map(|inode| file_view(path.to_owned(), inode))
    }

    /// Files and directories below `path`, in the order of their paths.
    pub fn files_below(&self, path: &str) -> Vec<FileView> {
        let world = self.cluster.world();
        world
            .tree
            .below(path)
            .into_iter()
            .map(|(path, inode)| file_view(path, inode))
            .collect()
    }

    /// Where the node puts the collected logs of an application of `user`.
    pub fn aggregated_log_path(&self, app: &str, user: &str) -> String {
        let tail = app.get(app.len().saturating_sub(4)..).unwrap_or_default();
        format!("/tmp/logs/{user}/bucket-logs-tfile/{tail}/{app}/127.0.0.1_1")
    }

    // What happened.

    /// Requests as they came, the oldest first.
    pub fn history(&self) -> Vec<Request> {
        locked(&self.cluster.history).requests()
    }

    /// Changes that were really made, the oldest first.
    pub fn deeds(&self) -> Vec<(Millis, Deed)> {
        drop(self.cluster.world());
        locked(&self.cluster.history).deeds()
    }

    /// How many accepted submissions carried `tag`; one that repeats a known id does not count.
    pub fn started_with_tag(&self, tag: &str) -> usize {
        let tag = tag.to_lowercase();
        let deeds = self.deeds();
        let first = deeds.iter().filter(
            |(_, deed)| matches!(deed, Deed::Submitted { tags, first: true, .. } if tags.contains(&tag)),
        );
        first.count()
    }

    /// How many POSTs named this application id, repeated ones included.
    pub fn posts(&self, id: &str) -> usize {
        let deeds = self.deeds();
        deeds
            .iter()
            .filter(|(_, deed)| matches!(deed, Deed::Submitted { app, .. } if app == id))
            .count()
    }

    /// How many kills of this application were allowed.
    pub fn kills(&self, id: &str) -> usize {
        let deeds = self.deeds();
        deeds
            .iter()
            .filter(|(_, deed)| matches!(deed, Deed::KillRequested { app, .. } if app == id))
            .count()
    }
}

fn file_view(path: String, inode: &crate::hdfs::tree::Inode) -> FileView {
    let sha256 = match &inode.kind {
        Kind::File(content) => content.sha256.clone(),
        Kind::Dir(_) => String::new(),
    };
    FileView {
        path,
        is_dir: inode.is_dir(),
        length: inode.length(),
        sha256,
        owner: inode.owner.clone(),
        permission: inode.mode,
        modified: inode.modified,
    }
}
