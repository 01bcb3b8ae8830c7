//! What differs: a run from the last that worked, a version from the one before.

use super::{Shown, config::on_demand};
use crate::{api, components::Time, i18n::T, paths, ui::t};
use domain::changes::{Change, RunChanges};
use leptos::prelude::*;

/// The list, each with both sides. Where a text of several lines differs is told by its line.
pub fn table(changes: Vec<Change>) -> AnyView {
    let side = |text: Option<String>| match text {
        Some(text) => view! { <td class="pre mono">{text}</td> }.into_any(),
        None => view! { <td class="fnt">"–"</td> }.into_any(),
    };
    let rows = changes.into_iter().map(|change| {
        let place = match change.line {
            Some(line) => format!("{}:{line}", change.path),
            None => change.path,
        };
        view! { <tr><th scope="row" class="mono">{place}</th>{side(change.before)}{side(change.after)}</tr> }
    });
    view! {
        <div class="grid" tabindex="0"><table class="changes">
            <thead><tr><th scope="col">{t(T::Setting)}</th><th scope="col">{t(T::Before)}</th><th scope="col">{t(T::After)}</th></tr></thead>
            <tbody>{rows.collect_view()}</tbody>
        </table></div>
    }
    .into_any()
}

fn told(shown: Shown, found: RunChanges) -> AnyView {
    let Some(since) = found.since else {
        return view! { <p class="mut">{t(T::NeverWorked)}</p> }.into_any();
    };
    let runs = shown.job.with_untracked(|job| paths::job_tab(&job.id, "runs"));
    let nothing = found.definition.is_empty() && found.launch.is_empty();
    view! {
        <p class="mut">{t(T::ComparedWith)} " " <a href=runs>{format!("v{}", since.version)} ", " <Time at=since.created_at/></a></p>
        {nothing.then(|| view! { <p>{t(T::NothingChanged)}</p> })}
        {(!found.definition.is_empty()).then(|| table(found.definition))}
        {(!found.launch.is_empty()).then(|| view! { <h3>{t(T::AsSent)}</h3>{table(found.launch)} })}
    }
    .into_any()
}

/// Shown under a run that did not work; compared only when somebody asks.
pub fn since_it_worked(shown: Shown) -> AnyView {
    let failed = Memo::new(move |_| {
        shown.job.with(|job| {
            job.run
                .as_ref()
                .filter(|run| run.failure.is_some())
                .map(|run| run.id.clone())
        })
    });
    view! {
        {move || failed.get().map(|run| {
            let run = StoredValue::new(run);
            let read = move || api::runs::run_changes(run.get_value());
            view! { <div id="changes">{on_demand(T::WhatChanged, read, move |found| told(shown, found))}</div> }
        })}
    }
    .into_any()
}
