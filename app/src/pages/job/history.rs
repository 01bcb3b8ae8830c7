//! Every change of the run, who said so, and the answer that proved it.

use super::Shown;
use crate::{
    components::{StateOnly, Time},
    i18n::T,
    ui::t,
};
use domain::run::RunEvent;
use leptos::prelude::*;

fn source_word(source: &str) -> Option<T> {
    Some(match source {
        "rm" => T::SourceRm,
        "flink" => T::SourceFlink,
        "spark" => T::SourceSpark,
        "archive" => T::SourceArchive,
        "console" => T::SourceConsole,
        _ => return None,
    })
}

fn kind_word(kind: &str) -> Option<T> {
    Some(match kind {
        "state" => T::EventState,
        "requested" => T::EventRequested,
        "submit" => T::EventSubmit,
        "in_doubt" => T::EventInDoubt,
        "stop" => T::EventStop,
        "savepoint" => T::EventSavepoint,
        "note" => T::EventNote,
        "progress" => T::Progress,
        _ => return None,
    })
}

/// What an entry adds; a key without a text is shown as it is.
fn note_word(note: &str) -> Option<T> {
    Some(match note {
        "start.requested" => T::NoteStartRequested,
        "stop.requested" => T::NoteStopRequested,
        "stop.savepoint_requested" => T::SavepointStopRequested,
        "stop.drain_requested" => T::DrainRequested,
        "stop.savepoint_accepted" => T::NoteSavepointAccepted,
        "stop.savepoint_taken" | "savepoint.taken" => T::NoteSavepointTaken,
        "stop.deadline" => T::NoteStopDeadline,
        "savepoint.requested" => T::NoteSavepointRequested,
        "savepoint.failed" => T::NoteSavepointFailed,
        "stop.cancel_requested" => T::CancelRequested,
        "stop.kill_requested" => T::KillRequested,
        "stop.failed" => T::NoteStopFailed,
        "submit.posting" => T::NotePosting,
        "submit.accepted" => T::NoteAccepted,
        "submit.in_doubt" => T::NoteInDoubt,
        "submit.never_arrived" => T::NoteNeverArrived,
        "submit.failed" => T::NoteSubmitFailed,
        "track.explained" => T::NoteExplained,
        "track.forgotten" => T::NoteForgotten,
        _ => return None,
    })
}

fn entry(shown: Shown, event: RunEvent) -> AnyView {
    let ui = shown.ui;
    let (kind, source) = (event.kind.clone(), event.source.clone());
    let by = move || source_word(&source).map_or_else(|| source.clone(), |text| ui.text(text).to_owned());
    let what = move || kind_word(&kind).map_or_else(|| kind.clone(), |text| ui.text(text).to_owned());
    let evidence = event
        .evidence
        .as_ref()
        .and_then(|value| serde_json::to_string_pretty(value).ok());
    view! {
        <li>
            <Time at=event.at/>
            {match event.to {
                Some(state) => view! { <StateOnly state/> }.into_any(),
                None => view! { <span>{what}</span> }.into_any(),
            }}
            <span class="mut">{by}{event.note.map(|note| move || {
                let word = note_word(&note).map_or(note.as_str(), |text| ui.text(text));
                format!(" · {word}")
            })}</span>
            {evidence.map(|evidence| view! {
                <details><summary>{t(T::Evidence)}</summary><pre class="log plain" tabindex="0">{evidence}</pre></details>
            })}
        </li>
    }
    .into_any()
}

pub fn history(shown: Shown) -> AnyView {
    view! {
        <section class="card">
            <h2>{t(T::History)}</h2>
            <ol class="hist">
                <For each=move || { let mut events = shown.events.get(); events.reverse(); events } key=|event| event.seq
                    children=move |event| entry(shown, event)/>
            </ol>
        </section>
    }
    .into_any()
}

pub fn said_by(source: &str) -> Option<T> {
    source_word(source)
}
