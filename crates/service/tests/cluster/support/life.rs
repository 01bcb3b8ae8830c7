//! One life of the console: a thread with a runtime of its own, so that its end is as sudden as that
//! of a process. Nothing it had begun goes on, its connections break, its transactions are undone.

use service::{Clock, Config, Service};
use std::{
    collections::BTreeSet,
    future::Future,
    path::PathBuf,
    sync::{
        Arc, Mutex, Once,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::{
    runtime::{Builder, Handle},
    sync::{Notify, oneshot},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// What a life needs to begin.
#[derive(Clone)]
pub(crate) struct Plan {
    pub(crate) url: String,
    pub(crate) data_dir: PathBuf,
    pub(crate) allowed: PathBuf,
    pub(crate) clock: Arc<dyn Clock>,
    /// Whether the reconcilers run.
    pub(crate) works: bool,
    pub(crate) tick: Duration,
}

/// Which crash points a life has passed, and at which it ends.
#[derive(Default)]
struct Fate {
    reached: Mutex<BTreeSet<String>>,
    dies_at: Mutex<Option<String>>,
    dead: AtomicBool,
    died: Notify,
}

/// The console died before it answered.
#[derive(Debug)]
pub(crate) struct Died;

pub(crate) struct Life {
    service: Service,
    runtime: Handle,
    fate: Arc<Fate>,
    end: Option<oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Life {
    pub(crate) async fn begin(plan: &Plan) -> Self {
        quiet_deaths();
        let plan = plan.clone();
        let fate = Arc::new(Fate::default());
        let (end, ended) = oneshot::channel();
        let (told, born) = oneshot::channel();
        let mine = fate.clone();
        let thread = std::thread::spawn(move || live(plan, &mine, told, ended));
        let (service, runtime) = born.await.expect("the console starts");
        Self {
            service,
            runtime,
            fate,
            end: Some(end),
            thread: Some(thread),
        }
    }

    /// Ends the life at the next crash point of this name.
    pub(crate) fn dies_at(&self, point: &str) {
        *self.fate.dies_at.lock().unwrap() = Some(point.to_owned());
    }

    pub(crate) fn is_dead(&self) -> bool {
        self.fate.dead.load(Ordering::SeqCst)
    }

    /// Crash points passed so far.
    pub(crate) fn reached(&self) -> BTreeSet<String> {
        self.fate.reached.lock().unwrap().clone()
    }

    /// Calls the console on its own thread.
    pub(crate) async fn call<T, F>(&self, call: impl FnOnce(Service) -> F) -> Result<T, Died>
    where
        T: Send + 'static,
        F: Future<Output = T> + Send + 'static,
    {
        let answer = self.runtime.spawn(call(self.service.clone()));
        match answer.await {
            Ok(answer) => Ok(answer),
            Err(error) if error.is_panic() && !self.is_dead() => {
                std::panic::resume_unwind(error.into_panic())
            }
            Err(_) => Err(Died),
        }
    }

    /// As [`Life::call`], of a console that is not to die.
    pub(crate) async fn ask<T, F>(&self, call: impl FnOnce(Service) -> F) -> T
    where
        T: Send + 'static,
        F: Future<Output = T> + Send + 'static,
    {
        self.call(call).await.expect("the console lives")
    }

    /// Ends it, if it has not died yet; returns when nothing of it is left.
    pub(crate) async fn kill(mut self) {
        drop(self.end.take());
        let thread = self.thread.take().expect("a life ends once");
        tokio::task::spawn_blocking(|| thread.join())
            .await
            .unwrap()
            .unwrap();
    }
}

fn live(
    plan: Plan,
    fate: &Arc<Fate>,
    told: oneshot::Sender<(Service, Handle)>,
    ended: oneshot::Receiver<()>,
) {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let watch = fate.clone();
    service::chaos::set_hook(Some(Box::new(move |point| {
        // The dead do nothing more.
        if watch.dead.load(Ordering::SeqCst) {
            return true;
        }
        watch.reached.lock().unwrap().insert(point.to_owned());
        let dies = watch.dies_at.lock().unwrap().as_deref() == Some(point);
        if dies {
            watch.dead.store(true, Ordering::SeqCst);
            watch.died.notify_one();
        }
        dies
    })));
    runtime.block_on(async {
        let options = store::db::Options {
            max_connections: 6,
            ..store::db::Options::default()
        };
        let db = store::Db::connect(&plan.url, &options).await.unwrap();
        db.migrate().await.unwrap();
        let config = Config {
            data_dir: plan.data_dir,
            runner_jar: bytes::Bytes::from_static(b"the runner"),
            spark_runner_jar: bytes::Bytes::from_static(b"the runner for Spark"),
            allowed_directories: vec![plan.allowed],
            tick: plan.tick,
            // Between what a fake that is busy needs and what a test can wait for.
            request_timeout: Duration::from_secs(2),
        };
        let service = Service::new(db, plan.clock, config).await.unwrap();
        if plan.works {
            service.start(&TaskTracker::new(), &CancellationToken::new());
        }
        let _ = told.send((service, Handle::current()));
        tokio::select! {
            _ = ended => {}
            () = fate.died.notified() => {}
        }
    });
    runtime.shutdown_background();
}

/// A death is wanted here; its message would hide those that are not.
fn quiet_deaths() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let told = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            let text = info.payload().downcast_ref::<String>();
            if !text.is_some_and(|text| text.starts_with("crash point")) {
                told(info);
            }
        }));
    });
}
