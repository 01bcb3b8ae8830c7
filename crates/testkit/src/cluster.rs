//! The cluster as a whole: its state, its daemons and their ports.

use crate::{
    clock::ClusterClock,
    fault::Faults,
    hdfs::tree::Tree,
    history::{Deed, History},
    listener::CutListener,
    options::Options,
    rm::{AppId, Rm},
    script::Savepoints,
    serve,
};
use domain::Millis;
use std::{
    collections::BTreeMap,
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{net::TcpListener, runtime::Handle, task::JoinHandle};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// A daemon of the cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Service {
    Rm,
    /// The second ResourceManager; only with `Options::ha`.
    Rm2,
    Nn,
    /// The second NameNode; only with `Options::ha`.
    Nn2,
    Dn,
    Nm,
    /// The REST server of any application's Flink JobManager.
    Flink,
}

/// Everything that is changed under one lock.
pub(crate) struct World {
    pub(crate) rm: Rm,
    pub(crate) tree: Tree,
    pub(crate) safe_mode: bool,
    pub(crate) no_space: bool,
    /// Directory and the bytes that fit below it.
    pub(crate) quotas: Vec<(String, u64)>,
    pub(crate) active_nn: Option<Service>,
    pub(crate) savepoints: Savepoints,
}

struct Daemon {
    port: u16,
    running: Option<(CancellationToken, JoinHandle<()>)>,
}

pub(crate) struct Cluster {
    pub(crate) options: Options,
    pub(crate) clock: ClusterClock,
    pub(crate) faults: Mutex<Faults>,
    pub(crate) history: Mutex<History>,
    pub(crate) tasks: TaskTracker,
    world: Mutex<World>,
    daemons: Mutex<BTreeMap<Service, Daemon>>,
    stop: CancellationToken,
    runtime: Handle,
}

pub(crate) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Cluster {
    pub(crate) async fn start(options: Options) -> io::Result<Arc<Self>> {
        let clock = ClusterClock::new(options.time.clone());
        let now = clock.now();
        let mut tree = Tree::new(&options.superuser, now);
        lay_out(&mut tree, &options, now);
        let world = World {
            rm: Rm::new(now),
            tree,
            safe_mode: false,
            no_space: false,
            quotas: Vec::new(),
            active_nn: Some(Service::Nn),
            savepoints: Savepoints::default(),
        };
        let cluster = Arc::new(Self {
            clock,
            faults: Mutex::default(),
            history: Mutex::default(),
            tasks: TaskTracker::new(),
            world: Mutex::new(world),
            daemons: Mutex::default(),
            stop: CancellationToken::new(),
            runtime: Handle::current(),
            options,
        });
        let mut services = vec![Service::Rm, Service::Nn, Service::Dn, Service::Nm];
        if cluster.options.ha {
            services.extend([Service::Rm2, Service::Nn2]);
        }
        for (at, service) in services.into_iter().enumerate() {
            let wanted = match cluster.options.ports {
                Some(first) => first + u16::try_from(at).unwrap_or(0),
                None => 0,
            };
            cluster.listen(service, wanted).await?;
        }
        Ok(cluster)
    }

    async fn listen(self: &Arc<Self>, service: Service, port: u16) -> io::Result<()> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
        let port = listener.local_addr()?.port();
        let token = self.stop.child_token();
        let task = self.serve(service, None, listener, token.clone());
        let daemon = Daemon {
            port,
            running: Some((token, task)),
        };
        locked(&self.daemons).insert(service, daemon);
        Ok(())
    }

    fn serve(
        self: &Arc<Self>,
        service: Service,
        app: Option<AppId>,
        listener: TcpListener,
        token: CancellationToken,
    ) -> JoinHandle<()> {
        let make = serve::router(self.clone(), service, app);
        let listener = CutListener::new(listener, token.clone());
        self.tasks.spawn_on(
            async move {
                tokio::select! {
                    _ = axum::serve(listener, make).into_future() => {}
                    () = token.cancelled() => {}
                }
            },
            &self.runtime,
        )
    }

    /// Starts the REST server of an application's JobManager on a free port.
    pub(crate) fn serve_job_manager(self: &Arc<Self>, app: AppId) -> io::Result<(u16, CancellationToken)> {
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let port = listener.local_addr()?.port();
        let listener = {
            let _inside = self.runtime.enter();
            TcpListener::from_std(listener)?
        };
        let token = self.stop.child_token();
        drop(self.serve(Service::Flink, Some(app), listener, token.clone()));
        Ok((port, token))
    }

    /// Stops listening and breaks all connections; returns when the port is closed.
    pub(crate) async fn down(&self, service: Service) {
        let running = locked(&self.daemons)
            .get_mut(&service)
            .and_then(|daemon| daemon.running.take());
        if let Some((token, task)) = running {
            token.cancel();
            let _ = task.await;
        }
    }

    /// Listens again on the port it had.
    pub(crate) async fn up(self: &Arc<Self>, service: Service) -> io::Result<()> {
        let port = match locked(&self.daemons).get(&service) {
            Some(daemon) if daemon.running.is_some() => return Ok(()),
            Some(daemon) => daemon.port,
            None => return Ok(()),
        };
        let mut tries = 0;
        loop {
            match self.listen(service, port).await {
                // The kernel may need a moment to let go of the port.
                Err(error) if error.kind() == io::ErrorKind::AddrInUse && tries < 100 => {
                    tries += 1;
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
                other => return other,
            }
        }
    }

    pub(crate) fn address(&self, service: Service) -> SocketAddr {
        let port = locked(&self.daemons)
            .get(&service)
            .map_or(0, |daemon| daemon.port);
        SocketAddr::from((Ipv4Addr::LOCALHOST, port))
    }

    /// The state, with everything done that is due by now.
    pub(crate) fn world(self: &Arc<Self>) -> MutexGuard<'_, World> {
        let mut world = locked(&self.world);
        crate::rm::life::catch_up(self, &mut world);
        world
    }

    pub(crate) fn did(&self, deed: Deed) {
        let now = self.clock.now();
        locked(&self.history).did(now, deed);
    }

    /// Ends every daemon.
    pub(crate) fn shut_down(&self) {
        self.stop.cancel();
        self.tasks.close();
    }

    /// The user a call is made for: `user.name`, or whom it may act for.
    pub(crate) fn caller(&self, user: Option<&str>, do_as: Option<&str>) -> Result<String, String> {
        // What Hadoop takes a caller without a name for.
        let user = user.filter(|user| !user.is_empty()).unwrap_or("dr.who");
        let Some(target) = do_as.filter(|target| !target.is_empty()) else {
            return Ok(user.to_owned());
        };
        let allowed = self
            .options
            .proxies
            .iter()
            .any(|(proxy, targets)| proxy == user && targets.iter().any(|t| t == target || t == "*"));
        if allowed {
            Ok(target.to_owned())
        } else {
            Err(format!("User: {user} is not allowed to impersonate {target}"))
        }
    }
}

fn lay_out(tree: &mut Tree, options: &Options, now: Millis) {
    let root = options.superuser.clone();
    let _ = tree.mkdirs(&root, "/tmp", 0o1777, now);
    let _ = tree.mkdirs(&root, "/tmp/logs", 0o1777, now);
    let _ = tree.mkdirs(&root, "/user", 0o755, now);
    let homes = options
        .users
        .iter()
        .map(|user| (format!("/user/{user}"), user, 0o700));
    let own = options
        .users
        .first()
        .map(|user| ("/penstock".to_owned(), user, 0o755));
    for (path, user, mode) in homes.chain(own) {
        let _ = tree.mkdirs(&root, &path, mode, now);
        if let Some(inode) = tree.get_mut(&path) {
            inode.owner.clone_from(user);
            inode.group.clone_from(user);
        }
    }
}
