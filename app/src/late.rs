//! Parts of a page that most visits never open: fetched when they are wanted.

use leptos::prelude::*;

/// Draws what `load` brings once `wanted` has said yes, and keeps it from then on. Never drawn by
/// the server, so that both sides begin alike.
pub fn late<A, F>(wanted: impl Fn() -> bool + Send + Sync + 'static, load: impl Fn() -> F + 'static, argument: A) -> AnyView
where
    A: Copy + Send + Sync + 'static,
    F: Future<Output = fn(A) -> AnyView> + 'static,
{
    let make = RwSignal::new(None::<fn(A) -> AnyView>);
    Effect::new(move |asked: Option<bool>| {
        let asked = asked.unwrap_or(false);
        if asked || !wanted() {
            return asked;
        }
        let load = load();
        leptos::task::spawn_local(async move {
            make.try_set(Some(load.await));
        });
        true
    });
    view! { {move || make.get().map(|make| make(argument))} }.into_any()
}
