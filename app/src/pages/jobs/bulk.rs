//! What can be done with selected jobs; fetched with the first selection.

use super::table::Table;
use crate::{
    api, bridge,
    components::{Banner, Dialog, Icon, Tone, error_text},
    i18n::{T, fill},
    ui::t,
};
use domain::{
    id::JobId,
    run::{StopMode, StopRequest},
};
use leptos::prelude::*;

/// Acts on each of some jobs and tells what was refused.
fn each(table: Table, ids: Vec<JobId>, results: RwSignal<Vec<String>>, stop: Option<StopMode>) {
    leptos::task::spawn_local(async move {
        let (mut done, mut refused) = (0, Vec::new());
        for id in ids.clone() {
            let Some(row) = table.row(&id) else { continue };
            let outcome = match (stop, row.run.as_ref().filter(|run| !run.state.is_terminal())) {
                (None, _) => api::runs::start_run(id, bridge::random_key()).await.map(|_| ()),
                (Some(mode), Some(run)) => {
                    // What cannot be cancelled yet can still be killed.
                    let mode = if run.state.stop_modes().contains(&mode) {
                        mode
                    } else {
                        StopMode::Kill
                    };
                    api::runs::stop_run(run.id.clone(), StopRequest::new(mode), bridge::random_key())
                        .await
                        .map(|_| ())
                }
                (Some(_), None) => continue,
            };
            match outcome {
                Ok(()) => done += 1,
                Err(error) => refused.push(format!("{}: {}", row.name, error_text(table.ui, &error))),
            }
        }
        let text = table.ui.text(if stop.is_some() {
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
    let ids = move || {
        let chosen = table.selected.get_untracked();
        table.shown.with_untracked(|shown| {
            shown
                .iter()
                .filter(|id| chosen.contains(id))
                .cloned()
                .collect::<Vec<_>>()
        })
    };
    let names = move || {
        ids()
            .iter()
            .filter_map(|id| table.row(id))
            .map(|row| row.name)
            .collect::<Vec<_>>()
    };
    view! {
        <div class="hd">
            {move || (count() > 0).then(|| view! {
                <span class="mut">{move || fill(ui.text(T::Selected), &[("n", &count().to_string())])}</span>
                <button type="button" class="btn" on:click=move |_| each(table, ids(), results, None)><Icon name="play"/>{t(T::Start)}</button>
                <button type="button" class="btn dng" on:click=move |_| asking.set(true)><Icon name="square"/>{t(T::StopDots)}</button>
                <button type="button" class="btn ghost" on:click=move |_| table.selected.update(|all| all.clear())><Icon name="x"/>{t(T::ClearSelection)}</button>
            })}
        </div>
        {move || (!results.with(Vec::is_empty)).then(|| view! {
            <Banner tone=Tone::Plain>
                <ul class="plain">{results.get().into_iter().map(|line| view! { <li>{line}</li> }).collect_view()}</ul>
            </Banner>
        })}
        <Dialog open=asking title=Signal::derive(move || fill(ui.text(T::StopMany), &[("n", &count().to_string())]))>
            <p>{t(T::StopManyHint)}</p>
            <ul class="names">{untrack(names).into_iter().map(|name| view! { <li class="mono">{name}</li> }).collect_view()}</ul>
            <div class="hd end">
                <button type="button" class="btn" autofocus on:click=move |_| asking.set(false)>{t(T::KeepRunning)}</button>
                <button type="button" class="btn dng" on:click=move |_| { asking.set(false); each(table, ids(), results, Some(StopMode::Cancel)); }>{t(T::Stop)}</button>
            </div>
        </Dialog>
    }
    .into_any()
}
