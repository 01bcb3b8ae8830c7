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
    use std::cell::RefCell;

    type Hook = Box<dyn Fn(&str) -> bool>;

    thread_local! {
        // Of the thread, not of the process: a test runs each console on a thread of its own, so that
        // one can die while others live.
        static HOOK: RefCell<Option<Hook>> = const { RefCell::new(None) };
    }

    /// Has `hook` asked at every point this thread reaches; where it answers `true`, the task ends
    /// there as if the process had died. `None` takes it away.
    pub fn set_hook(hook: Option<Hook>) {
        HOOK.with_borrow_mut(|kept| *kept = hook);
    }

    #[expect(clippy::panic, reason = "ends the task at once, which is the purpose")]
    pub(crate) fn reached(name: &str) {
        // For tests with a process of their own.
        if std::env::var("PENSTOCK_CRASH_AT").is_ok_and(|at| at == name) {
            std::process::abort();
        }
        if HOOK.with_borrow(|hook| hook.as_ref().is_some_and(|hook| hook(name))) {
            panic!("crash point {name}");
        }
    }
}

#[cfg(feature = "chaos")]
pub(crate) use armed::reached;
#[cfg(feature = "chaos")]
pub use armed::set_hook;
