use super::Icon;
use crate::{
    i18n::T,
    time,
    ui::ui,
    views::{maybe, part, txt},
};
use domain::{
    filter::View,
    operation::OperationState,
    run::{Family, Requested, Run, RunState, Trust},
};
use leptos::prelude::*;

pub fn state_word(state: RunState) -> T {
    match state {
        RunState::Preparing => T::StatePreparing,
        RunState::Submitting => T::StateSubmitting,
        RunState::Queued => T::StateQueued,
        RunState::Starting => T::StateStarting,
        RunState::Running => T::StateRunning,
        RunState::Restarting => T::StateRestarting,
        RunState::Stopping => T::StateStopping,
        RunState::Finished => T::StateFinished,
        RunState::Cancelled => T::StateCancelled,
        RunState::Killed => T::StateKilled,
        RunState::Failed => T::StateFailed,
        RunState::LostTrack => T::StateLostTrack,
    }
}

fn state_icon(state: RunState) -> &'static str {
    match state {
        RunState::Preparing | RunState::Submitting | RunState::Starting => "loader",
        RunState::Queued => "hourglass",
        RunState::Running => "play",
        RunState::Restarting => "rotate-cw",
        RunState::Stopping => "square",
        RunState::Finished => "circle-check",
        RunState::Cancelled => "ban",
        RunState::Killed | RunState::Failed => "octagon-x",
        RunState::LostTrack => "circle-question-mark",
    }
}

pub fn view_word(view: View) -> T {
    match view {
        View::All => T::ViewAll,
        View::Attention => T::ViewAttention,
        View::Running => T::ViewRunning,
        View::Queued => T::ViewQueued,
        View::Mine => T::ViewMine,
    }
}

pub fn operation_word(state: OperationState) -> T {
    match state {
        OperationState::Pending => T::StepPending,
        OperationState::Running => T::StepRunning,
        OperationState::InDoubt => T::StepInDoubt,
        OperationState::Done => T::StepDone,
        OperationState::Failed => T::StepFailed,
    }
}

/// Icon, form and word of a family; colour is the fourth channel.
#[component]
pub fn Chip(family: Family, icon: &'static str, word: T) -> impl IntoView {
    view! { <span class="st" data-f=family.name()><Icon name=icon/>{crate::ui::t(word)}</span> }
}

/// A state by itself, without age or request.
#[component]
pub fn StateOnly(state: RunState) -> impl IntoView {
    view! { <Chip family=state.family() icon=state_icon(state) word=state_word(state)/> }
}

/// The state of a job's last run: what was observed, how old that is, and below it what was asked for.
#[component]
pub fn StateChip(run: Option<Run>) -> impl IntoView {
    let Some(run) = run else {
        return view! { <Chip family=Family::Stop icon="file-code" word=T::NeverRun/> }.into_any();
    };
    let ui = ui();
    let state = run.state;
    // What was asked of a run that has ended is history.
    let requested = run
        .requested
        .zip(run.requested_at)
        .filter(|_| !state.is_terminal());
    let doubt = run.in_doubt_since.filter(|_| !state.is_terminal());
    let tasks = run.tasks_running.zip(run.tasks_total).filter(|_| {
        matches!(
            state,
            RunState::Starting | RunState::Running | RunState::Restarting
        )
    });
    let seen = run.observed_at;
    let trust = Memo::new(move |_| run.trust(ui.now.get()));
    let unknown = move || matches!(trust.get(), Trust::UnknownSince(_));
    let word = move || match trust.get() {
        Trust::Fresh => ui.text(state_word(state)).to_owned(),
        Trust::Stale => {
            let age = time::duration(ui.lang.get(), ui.now.get() - seen.unwrap_or_default());
            format!("{} · {} {age}", ui.text(state_word(state)), ui.text(T::StaleFor))
        }
        Trust::UnknownSince(since) => format!("{} {}", ui.text(T::UnknownSince), ui.clock(since)),
    };
    let below = move || {
        if let Some(since) = doubt {
            return Some(format!("{} {}", ui.text(T::InDoubtSince), ui.clock(since)));
        }
        if unknown() {
            return Some(format!(
                "{} {}",
                ui.text(T::LastKnown),
                ui.text(state_word(state))
            ));
        }
        let (requested, at) = requested?;
        let word = match requested {
            Requested::Start => T::StartRequested,
            Requested::Savepoint => T::SavepointStopRequested,
            Requested::Drain => T::DrainRequested,
            Requested::Cancel => T::CancelRequested,
            Requested::Kill => T::KillRequested,
        };
        Some(format!("{} {}", ui.text(word), ui.when(at)))
    };
    view! {
        <span class="stw">
            <span class="st" data-f=move || if unknown() { Family::Unk.name() } else { state.family().name() }
                data-stale=move || (trust.get() == Trust::Stale).to_string()>
                {part(move || view! { <Icon name=if unknown() { "circle-question-mark" } else { state_icon(state) }/> }.into_any())}
                {txt(word)}
            </span>
            // Of a run nobody hears of they are no news, and a row has room for two lines.
            {maybe(move || tasks.filter(|_| !unknown()).map(|(running, total)| {
                view! { <span class="fnt tasks" title=crate::ui::t(T::TasksRunning)>{format!("{running}/{total}")}</span> }.into_any()
            }))}
            {maybe(move || below().map(|text| view! { <span class="req">{text}</span> }.into_any()))}
        </span>
    }
    .into_any()
}

/// How long a run took or has been going.
#[component]
pub fn Duration(run: Option<Run>) -> impl IntoView {
    let ui = ui();
    txt(move || {
        run.as_ref().map_or_else(
            || "–".to_owned(),
            |run| {
                let from = run.started_at.unwrap_or(run.created_at);
                match run.ended_at {
                    Some(end) => time::duration(ui.lang.get(), end - from),
                    None if ui.awake.get() => time::duration(ui.lang.get(), ui.now.get() - from),
                    None => time::duration(ui.lang.get(), ui.now.get_untracked() - from),
                }
            },
        )
    })
    .into_any()
}
