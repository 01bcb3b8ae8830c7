//! Points at which a test ends the process. Without the feature `chaos` they are nothing at all.

/// Marks a point between two effects. The name is unique; tests read the list from the source.
macro_rules! crash_point {
    ($name:literal) => {
        #[cfg(feature = "chaos")]
        $crate::chaos::reached($name);
    };
}
pub(crate) use crash_point;

#[cfg(feature = "chaos")]
mod armed {
    use std::sync::{Mutex, PoisonError};

    type Hook = Box<dyn Fn(&str) -> bool + Send>;
    static HOOK: Mutex<Option<Hook>> = Mutex::new(None);

    /// Has `hook` asked at every point; where it answers `true`, the task that reached the point ends
    /// there as if the process had died. `None` takes it away.
    pub fn set_hook(hook: Option<Hook>) {
        *HOOK.lock().unwrap_or_else(PoisonError::into_inner) = hook;
    }

    #[expect(clippy::panic, reason = "ends the task at once, which is the purpose")]
    pub(crate) fn reached(name: &str) {
        // For tests with a process of their own.
        if std::env::var("PENSTOCK_CRASH_AT").is_ok_and(|at| at == name) {
            std::process::abort();
        }
        let dies = HOOK
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .as_ref()
            .is_some_and(|hook| hook(name));
        if dies {
            panic!("crash point {name}");
        }
    }
}

#[cfg(feature = "chaos")]
pub(crate) use armed::reached;
#[cfg(feature = "chaos")]
pub use armed::set_hook;
