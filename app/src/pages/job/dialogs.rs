//! The dialogs of a job, fetched when the first of them is opened.

use super::{Shown, delete::Delete, start::Start, stop::Stop};
use leptos::prelude::*;

/// Which one, with what opens it.
pub enum Which {
    Stop(RwSignal<bool>),
    Start,
    Delete(RwSignal<bool>),
}

/// One function for all, so that they are one module.
#[leptos::lazy]
pub fn dialog(shown: Shown, which: Which) -> AnyView {
    match which {
        Which::Stop(open) => view! { <Stop shown open/> }.into_any(),
        Which::Start => view! { <Start shown/> }.into_any(),
        Which::Delete(open) => view! { <Delete shown open/> }.into_any(),
    }
}
