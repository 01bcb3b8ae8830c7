//! What can be done with selected jobs; fetched with the first selection.

use super::table::Table;
use crate::{
    api, bridge,
    components::{Banner, Dialog, Icon, Tone, error_text, state_word},
    i18n::{T, fill},
    ui::t,
};
use domain::{
    id::JobId,
    job::JobRow,
    run::{Run, StopMode, StopRequest},
};
use leptos::prelude::*;

const MODES: [(StopMode, T, T); 3] = [
    (
        StopMode::Savepoint,
        T::StopWithSavepoint,
        T::StopManySavepointHint,
    ),
    (StopMode::Cancel, T::Cancel, T::StopManyCancelHint),
    (StopMode::Kill, T::Kill, T::KillHint),
];

/// The run of a job that can be stopped.
fn open(row: &JobRow) -> Option<&Run> {
    row.run.as_ref().filter(|run| !run.state.is_terminal())
}

/// How one of many is stopped. `None`: not now, because its state would be lost against what was asked for.
fn way(row: &JobRow, run: &Run, wanted: StopMode) -> Option<StopMode> {
    let engine = row.kind.engine();
    if run.state.stop_modes_of(engine).contains(&wanted) {
        return Some(wanted);
    }
    // What keeps no state, or cannot be cancelled yet, can still be killed.
    (!StopMode::of(engine).contains(&wanted) || wanted == StopMode::Cancel).then_some(StopMode::Kill)
}

/// Acts on each of some jobs and tells what was refused.
fn each(table: Table, ids: Vec<JobId>, results: RwSignal<Vec<String>>, stop: Option<StopMode>) {
    let ui = table.ui;
    leptos::task::spawn_local(async move {
        let (mut done, mut refused) = (0, Vec::new());
        for id in ids.clone() {
            let Some(row) = table.row(&id) else { continue };
            let outcome = match (stop, open(&row)) {
                (None, _) => api::runs::start_run(id, bridge::random_key()).await.map(|_| ()),
                (Some(wanted), Some(run)) => {
                    let Some(mode) = way(&row, run, wanted) else {
                        let state = ui.text(state_word(run.state));
                        refused.push(format!(
                            "{}: {}",
                            row.name,
                            fill(ui.text(T::NotWhile), &[("state", state)])
                        ));
                        continue;
                    };
                    api::runs::stop_run(run.id.clone(), StopRequest::new(mode), bridge::random_key())
                        .await
                        .map(|_| ())
                }
                (Some(_), None) => continue,
            };
            match outcome {
                Ok(()) => done += 1,
                Err(error) => refused.push(format!("{}: {}", row.name, error_text(ui, &error))),
            }
        }
        let text = ui.text(if stop.is_some() {
            T::StopsRequested
        } else {
            T::StartsRequested
        });
        refused.insert(0, fill(text, &[("n", &done.to_string())]));
        results.try_set(refused);
        table.read_some(ids);
    });
}

/// The bar of selected jobs, and what can be done with them.
#[leptos::lazy]
pub fn bulk(table: Table) -> AnyView {
    let ui = table.ui;
    let count = move || table.selected.with(|all| all.len());
    let (asking, results) = (RwSignal::new(false), RwSignal::new(Vec::<String>::new()));
    let chosen = RwSignal::new(Vec::<JobId>::new());
    let ids = move || {
        let selected = table.selected.get_untracked();
        table.shown.with_untracked(|shown| {
            shown
                .iter()
                .filter(|id| selected.contains(id))
                .cloned()
                .collect::<Vec<_>>()
        })
    };
    let ask = move |_| {
        // What is listed is what will be stopped, whatever is selected meanwhile.
        let running = ids()
            .into_iter()
            .filter(|id| table.row(id).is_some_and(|row| open(&row).is_some()));
        chosen.set(running.collect());
        asking.set(true);
    };
    view! {
        <div class="hd">
            {move || (count() > 0).then(|| view! {
                <span class="mut">{move || fill(ui.text(T::Selected), &[("n", &count().to_string())])}</span>
                <button type="button" class="btn" on:click=move |_| each(table, ids(), results, None)><Icon name="play"/>{t(T::Start)}</button>
                <button type="button" class="btn dng" on:click=ask><Icon name="square"/>{t(T::StopDots)}</button>
                <button type="button" class="btn ghost" on:click=move |_| table.selected.update(|all| all.clear())><Icon name="x"/>{t(T::ClearSelection)}</button>
            })}
        </div>
        {move || (!results.with(Vec::is_empty)).then(|| view! {
            <Banner tone=Tone::Plain>
                <ul class="plain" role="status">{results.get().into_iter().map(|line| view! { <li>{line}</li> }).collect_view()}</ul>
            </Banner>
        })}
        <Stop table asking chosen results/>
    }
    .into_any()
}

/// Names what is stopped, and asks for its name to be typed; of several, for their number.
#[component]
fn Stop(
    table: Table,
    asking: RwSignal<bool>,
    chosen: RwSignal<Vec<JobId>>,
    results: RwSignal<Vec<String>>,
) -> impl IntoView {
    let ui = table.ui;
    let (mode, typed) = (RwSignal::new(StopMode::Savepoint), RwSignal::new(String::new()));
    Effect::new(move |_| {
        if asking.get() {
            mode.set(StopMode::Savepoint);
            typed.set(String::new());
        }
    });
    let names = move || {
        let rows = chosen.with(|ids| ids.iter().filter_map(|id| table.row(id)).collect::<Vec<_>>());
        rows.into_iter().map(|row| row.name).collect::<Vec<_>>()
    };
    let confirmation = move || match names().as_slice() {
        [one] => one.clone(),
        several => several.len().to_string(),
    };
    let none = move || chosen.with(Vec::is_empty);
    let ready = move || !none() && typed.with(|typed| typed.trim() == confirmation());
    let stop = move |_| {
        if untrack(ready) {
            asking.set(false);
            each(table, chosen.get_untracked(), results, Some(mode.get_untracked()));
        }
    };
    let title = Signal::derive(move || match names().as_slice() {
        [one] => fill(ui.text(T::StopTitle), &[("name", one)]),
        several => fill(ui.text(T::StopMany), &[("n", &several.len().to_string())]),
    });
    view! {
        <Dialog open=asking title>
            {move || if none() {
                view! { <p>{t(T::NothingToStop)}</p> }.into_any()
            } else {
                view! {
                    <ul class="names">{untrack(names).into_iter().map(|name| view! { <li class="mono mono-break">{name}</li> }).collect_view()}</ul>
                    <fieldset class="choice">
                        <legend class="vh">{t(T::StopHow)}</legend>
                        {MODES.into_iter().map(|(which, text, about)| view! {
                            <label>
                                <input type="radio" name="many" value=which.name() prop:checked=move || mode.get() == which on:change=move |_| mode.set(which)/>
                                <span><b>{t(text)}</b><br/><span class="mut">{t(about)}</span></span>
                            </label>
                        }).collect_view()}
                    </fieldset>
                    <div class="fld">
                        <label for="many-confirm">{t(T::TypeName)} " " <code class="mono-break">{confirmation}</code></label>
                        <input id="many-confirm" type="text" autocomplete="off" spellcheck="false"
                            prop:value=move || typed.get() on:input:target=move |event| typed.set(event.target().value())/>
                    </div>
                }.into_any()
            }}
            <div class="hd end">
                <button type="button" class="btn" autofocus on:click=move |_| asking.set(false)>{t(T::KeepRunning)}</button>
                <button type="button" class="btn dng" id="stop-many" disabled=move || !ready() on:click=stop>{t(T::Stop)}</button>
            </div>
        </Dialog>
    }
    .into_any()
}
