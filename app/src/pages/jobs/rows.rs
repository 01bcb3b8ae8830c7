//! One row, and what can be done with selected ones.

use super::table::Table;
use crate::{
    api, bridge,
    components::{Banner, Dialog, Duration, Icon, StateChip, Time, Tone, error_text},
    i18n::{T, fill},
    paths,
    ui::t,
};
use domain::{id::JobId, run::StopMode};
use leptos::prelude::*;

pub fn row(table: Table, id: JobId, mark: impl Fn(&JobId) + Copy + Send + Sync + 'static) -> AnyView {
    let ui = table.ui;
    let id = StoredValue::new(id);
    let values = Memo::new(move |_| id.with_value(|id| table.row(id)));
    // Survives the moment between the row's going and its leaving the list.
    let name = move || values.with(|row| row.as_ref().map(|row| row.name.clone()).unwrap_or_default());
    let run = Memo::new(move |_| values.with(|row| row.as_ref().and_then(|row| row.run.clone())));
    let text = move |pick: fn(&domain::job::JobRow) -> &str| values.with(|row| row.as_ref().map(|row| pick(row).to_owned()));
    let selected = move || id.with_value(|id| table.selected.with(|all| all.contains(id)));
    let current = move || id.with_value(|id| table.cursor.with(|c| c.as_ref() == Some(id)));
    let index = move || id.with_value(|id| table.shown.with(|shown| shown.iter().position(|s| s == id)));
    // One row is in the tab order: the current one, else the first.
    let tab = move || {
        let first = table.cursor.with(Option::is_none) && index() == Some(0);
        if current() || first { "0" } else { "-1" }
    };
    let key = id.with_value(JobId::to_string);
    let href = id.with_value(paths::job);
    let log = id.with_value(|id| paths::job_tab(id, "logs"));
    view! {
        <tr id=format!("row-{key}") tabindex=tab class:cur=current aria-selected=move || selected().to_string()
            aria-rowindex=move || index().map(|i| (i + 2).to_string())
            on:focus=move |_| table.cursor.set(Some(id.get_value()))>
            <td><input type="checkbox" tabindex="-1" aria-label=move || format!("{} {}", ui.text(T::Select), name())
                prop:checked=selected on:change=move |_| id.with_value(mark)/></td>
            <td class="name">
                <a href=href tabindex="-1">{name}</a> " "
                <span class="tag">{move || values.with(|row| row.as_ref().map(|row| row.kind.label()))}</span>
            </td>
            <td>{move || view! { <StateChip run=run.get()/> }}</td>
            <td class="num">{move || view! { <Duration run=run.get()/> }}</td>
            <td class="mono">{move || text(|row| &row.queue)}</td>
            <td class="mono">{move || text(|row| &row.environment_name)}</td>
            <td>{move || text(|row| &row.owner)}</td>
            <td>{move || values.with(|row| row.as_ref().map(|row| row.changed_at)).map(|at| view! { <Time at/> })}</td>
            <td><a class="btn ghost ico" tabindex="-1" href=log aria-label=move || format!("{} {}", ui.text(T::LogOf), name()) title=t(T::Logs)><Icon name="square-terminal"/></a></td>
        </tr>
    }
    .into_any()
}

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
                    let mode = if run.state.stop_modes().contains(&mode) { mode } else { StopMode::Kill };
                    api::runs::stop_run(run.id.clone(), mode, bridge::random_key()).await.map(|_| ())
                }
                (Some(_), None) => continue,
            };
            match outcome {
                Ok(()) => done += 1,
                Err(error) => refused.push(format!("{}: {}", row.name, error_text(table.ui, &error))),
            }
        }
        let text = table.ui.text(if stop.is_some() { T::StopsRequested } else { T::StartsRequested });
        refused.insert(0, fill(text, &[("n", &done.to_string())]));
        results.try_set(refused);
        table.read_some(ids);
    });
}

pub fn selection(table: Table) -> AnyView {
    let ui = table.ui;
    let count = move || table.selected.with(|all| all.len());
    let (asking, results) = (RwSignal::new(false), RwSignal::new(Vec::<String>::new()));
    let ids = move || {
        let chosen = table.selected.get_untracked();
        table.shown.with_untracked(|shown| shown.iter().filter(|id| chosen.contains(id)).cloned().collect::<Vec<_>>())
    };
    let names = move || ids().iter().filter_map(|id| table.row(id)).map(|row| row.name).collect::<Vec<_>>();
    view! {
        <div class="hd foot">
            {move || (count() > 0).then(|| view! {
                <span class="mut">{move || fill(ui.text(T::Selected), &[("n", &count().to_string())])}</span>
                <button type="button" class="btn" on:click=move |_| each(table, ids(), results, None)><Icon name="play"/>{t(T::Start)}</button>
                <button type="button" class="btn dng" on:click=move |_| asking.set(true)><Icon name="square"/>{t(T::StopDots)}</button>
                <button type="button" class="btn ghost" on:click=move |_| table.selected.update(|all| all.clear())><Icon name="x"/>{t(T::ClearSelection)}</button>
            })}
            <span class="sp"></span>
            <span class="mut hide-s"><kbd>"J"</kbd> " " <kbd>"K"</kbd> " " {t(T::KeyMove)} " · " <kbd>"X"</kbd> " " {t(T::KeySelect)} " · " <kbd>"Enter"</kbd> " " {t(T::KeyOpen)} " · " <kbd>"?"</kbd> " " {t(T::Shortcuts)}</span>
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
