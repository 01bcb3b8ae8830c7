//! Wakes the page: clock, live stream, the age of the last answer.

use crate::{
    api, bridge,
    ui::{Batch, Link, Ui},
};
use domain::{
    Millis,
    event::{Event, Topic},
};
use leptos::{prelude::*, reactive::computed::ScopedFuture};
use std::{sync::Arc, time::Duration};
use wasm_bindgen::prelude::*;

/// The page's idea of the server's clock differs from the browser's by more than a page load takes.
const SKEW_MS: Millis = 3000;
/// How often the age of the last answer is asked for while nothing happens.
const PULSE: Duration = Duration::from_secs(30);

fn browser_now() -> Millis {
    js_sys::Date::now() as Millis
}

/// Runs in the browser only. A part of the page that is taken over later believes that the server has
/// written what it would write now: nothing may move before all of it has been taken over.
pub fn wake(ui: Ui) {
    let shared = Owner::current_shared_context();
    leptos::task::spawn_local(ScopedFuture::new(async move {
        while shared.as_ref().is_some_and(|shared| shared.during_hydration()) {
            bridge::pause().await;
        }
        bridge::pause().await;
        begin(ui);
    }));
}

fn begin(ui: Ui) {
    let behind = ui.now.get_untracked() - browser_now();
    let skew = if behind.abs() > SKEW_MS { behind } else { 0 };
    let now = move || browser_now() + skew;
    ui.now.set(now());
    ui.awake.set(true);
    bridge::set_cookie("tz", &bridge::zone_offset(js_sys::Date::now()).to_string());
    // The page is never left by this view, so neither is ever cleared.
    let _ = set_interval_with_handle(move || ui.now.set(now()), Duration::from_secs(1));
    if ui.viewer.with_value(Option::is_none) {
        return;
    }
    stream(ui, now);
    pulse(ui);
    let _ = set_interval_with_handle(move || pulse(ui), PULSE);
    Effect::new(move |_| {
        let woken = ui.batch.get();
        if woken.is_some_and(|batch| batch.any(|event| event.topic == Topic::Cluster)) {
            pulse(ui);
        }
    });
}

fn stream(ui: Ui, now: impl Fn() -> Millis + 'static) {
    let on_batch = Closure::<dyn Fn(String)>::new(move |json: String| {
        let batch = serde_json::from_str::<Vec<Event>>(&json).map_or(Batch::Resync, Batch::Events);
        ui.batch.set(Some(Arc::new(batch)));
    });
    let on_state = Closure::<dyn Fn(String)>::new(move |state: String| {
        if state == "ended" {
            return ui.signed_out.set(true);
        }
        let link = ui.link.get_untracked();
        ui.link.set(match (state.as_str(), link) {
            ("on", _) => Link::On,
            (_, Link::Paused(since)) => Link::Paused(since),
            _ => Link::Paused(now()),
        });
    });
    bridge::live(&on_batch, &on_state);
    on_batch.forget();
    on_state.forget();
}

fn pulse(ui: Ui) {
    leptos::task::spawn_local(async move {
        if let Ok(seen) = api::clusters::pulse().await {
            ui.saw(seen);
        }
    });
}

/// Runs `act` for each batch of the live stream.
pub fn on_batch(act: impl Fn(Arc<Batch>) + 'static) {
    let ui = crate::ui::ui();
    Effect::new(move |first: Option<()>| {
        let batch = ui.batch.get();
        // A batch from before this view was made is in what it has read.
        if let (Some(batch), Some(())) = (batch, first) {
            untrack(|| act(batch));
        }
    });
}
