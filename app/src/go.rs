//! Going to another page from an event handler.

use leptos::prelude::*;
use leptos_router::{NavigateOptions, hooks::use_navigate};
use std::sync::Arc;

type Navigate = dyn Fn(&str, NavigateOptions) + Send + Sync;

/// The router's navigation, copied into handlers.
#[derive(Clone, Copy)]
pub struct Go(StoredValue<Arc<Navigate>>);

impl Go {
    pub fn new() -> Self {
        Self(StoredValue::new(Arc::new(use_navigate())))
    }

    /// Opens a page.
    pub fn to(self, address: &str) {
        self.go(address, NavigateOptions::default());
    }

    /// Changes the address of the page one is on; `replace` makes no entry in the history.
    pub fn stay(self, address: &str, replace: bool) {
        self.go(
            address,
            NavigateOptions {
                replace,
                scroll: false,
                ..Default::default()
            },
        );
    }

    fn go(self, address: &str, options: NavigateOptions) {
        // A view that has been left goes nowhere.
        if let Some(navigate) = self.0.try_get_value() {
            navigate(address, options);
        }
    }
}
