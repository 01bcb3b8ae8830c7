//! Parts of a page that most visits never open: fetched when they are wanted.

use crate::views::maybe;
use leptos::{prelude::*, reactive::computed::ScopedFuture};
use std::sync::{Arc, Mutex, PoisonError};

/// Draws what `load` brings once `wanted` has said yes, and keeps it from then on. Never drawn by
/// the server, so that both sides begin alike. `meanwhile` stands there before.
pub fn late<F>(
    wanted: impl Fn() -> bool + Send + Sync + 'static,
    load: impl Fn() -> F + 'static,
    meanwhile: fn() -> Option<AnyView>,
) -> AnyView
where
    F: Future<Output = AnyView> + 'static,
{
    let (part, here) = (Arc::new(Mutex::new(None::<AnyView>)), RwSignal::new(false));
    let drawn = part.clone();
    // What it makes belongs to this view, not to the effect, which runs again.
    let owner = Owner::current();
    Effect::new(move |asked: Option<bool>| {
        let (Some(owner), false) = (&owner, asked.unwrap_or(false)) else {
            return true;
        };
        if !wanted() {
            return false;
        }
        let part = part.clone();
        let load = owner.with(|| ScopedFuture::new_untracked(load()));
        leptos::task::spawn_local(async move {
            let view = load.await;
            *part.lock().unwrap_or_else(PoisonError::into_inner) = Some(view);
            here.try_set(true);
        });
        true
    });
    maybe(move || {
        if here.get() {
            drawn.lock().unwrap_or_else(PoisonError::into_inner).take()
        } else {
            meanwhile()
        }
    })
    .into_any()
}
