//! Start, savepoint, stop, edit, clone, delete.

use super::{
    POINTS, Shown,
    dialogs::{Which, dialog},
    keeps_state,
};
use crate::{
    api, bridge,
    components::{ErrorLine, Icon, note_error},
    go::Go,
    i18n::T,
    late::late,
    paths,
    ui::t,
};
use domain::{
    Action, Code,
    run::{Requested, Run, RunState},
};
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

/// The job's run that has not ended.
pub fn open_run(shown: Shown) -> Option<Run> {
    shown
        .job
        .with(|job| job.run.clone())
        .filter(|run| !run.state.is_terminal())
}

/// What a button has asked for and not been answered: it keeps its label and turns.
#[derive(Clone, Copy)]
pub struct Asked {
    pub busy: RwSignal<bool>,
    pub error: RwSignal<Option<api::ApiError>>,
}

impl Asked {
    pub fn new() -> Self {
        Self {
            busy: RwSignal::new(false),
            error: RwSignal::new(None),
        }
    }

    /// Runs one request at a time; `done` sees only success.
    pub fn ask<T: 'static>(
        self,
        shown: Shown,
        request: impl Future<Output = Result<T, api::ApiError>> + 'static,
        done: impl FnOnce(T) + 'static,
    ) {
        if self.busy.get_untracked() {
            return;
        }
        self.busy.set(true);
        self.error.set(None);
        leptos::task::spawn_local(async move {
            let answer = request.await;
            self.busy.try_set(false);
            match answer {
                Ok(value) => done(value),
                Err(error) => {
                    note_error(shown.ui, &error);
                    self.error.try_set(Some(error));
                }
            }
        });
    }
}

pub fn buttons(shown: Shown) -> AnyView {
    let ui = shown.ui;
    let (team, owner) = shown.job.with_untracked(|job| {
        (
            job.team.clone(),
            job.run.as_ref().map(|run| run.created_by.clone()),
        )
    });
    let (may_start, may_write, may_delete) = (
        ui.may_in(Action::RunStart, &team),
        ui.may_in(Action::JobWrite, &team),
        ui.may_in(Action::JobDelete, &team),
    );
    let may_stop = ui.viewer.with_value(|v| {
        v.as_ref().is_some_and(|v| {
            v.may_own(
                Action::RunStopOwn,
                Action::RunStopAny,
                &team,
                owner.as_ref().unwrap_or(&v.user),
            )
        })
    });
    let (stopping, deleting, more) = (RwSignal::new(false), RwSignal::new(false), Asked::new());
    let open = Memo::new(move |_| open_run(shown).is_some());
    // Not while a stop is under way: it takes its own, or wants none.
    let running = Memo::new(move |_| {
        open_run(shown).is_some_and(|run| {
            run.state == RunState::Running && matches!(run.requested, None | Some(Requested::Start))
        })
    });
    let may_save =
        ui.may_in(Action::SavepointTake, &team) && shown.job.with_untracked(|job| keeps_state(job.spec.kind));
    let go = Go::new();
    if may_start
        && !open.get_untracked()
        && use_query_map().with_untracked(|query| query.get("start").is_some())
    {
        shown.starting.set(true);
    }
    // The server alone knows whether there is state that must not be lost: asked plainly, it refuses then.
    let start = move |_| {
        let id = shown.job.with_untracked(|job| job.id.clone());
        shown.proposed.set(None);
        more.ask(shown, api::runs::start_run(id, bridge::random_key()), move |_| {
            shown.read()
        });
    };
    Effect::new(move |_| {
        let refused = more
            .error
            .with(|error| error.as_ref().and_then(api::ApiError::code));
        if refused == Some(Code::StateExists) {
            more.error.set(None);
            shown.starting.set(true);
        }
    });
    let save = move |_| {
        let Some(run) = untrack(|| open_run(shown)) else {
            return;
        };
        more.ask(
            shown,
            api::restore::take_savepoint(run.id, bridge::random_key()),
            move |_| {
                go.to(&shown.job.with_untracked(|job| paths::job_tab(&job.id, POINTS)));
                shown.read();
            },
        );
    };
    let id = shown.job.with_untracked(|job| job.id.clone());
    let clone = shown
        .job
        .with_untracked(|job| paths::clone_job(&job.id, job.spec.kind));
    view! {
        {may_write.then(|| view! {
            <a class="btn" href=paths::edit_job(&id)><Icon name="pencil"/>{t(T::Edit)}</a>
            <a class="btn" href=clone><Icon name="copy"/>{t(T::Clone)}</a>
        })}
        {may_delete.then(|| view! {
            <button type="button" class="btn ico" id="delete" aria-label=t(T::DeleteDots) title=t(T::DeleteDots) on:click=move |_| deleting.set(true)><Icon name="trash-2"/></button>
        })}
        {move || (may_save && running.get()).then(|| view! {
            <button type="button" class="btn" id="save-state" aria-disabled=move || more.busy.get().to_string() on:click=save>
                {move || view! { <Icon name=if more.busy.get() { "loader" } else { "download" }/> }}{t(T::TakeSavepoint)}
            </button>
        })}
        {move || if open.get() {
            may_stop.then(|| view! {
                <button type="button" class="btn dng" on:click=move |_| stopping.set(true)><Icon name="square"/>{t(T::StopDots)}</button>
            }.into_any())
        } else {
            may_start.then(|| view! {
                <button type="button" class="btn pri" id="start" aria-disabled=move || more.busy.get().to_string() on:click=start>
                    {move || view! { <Icon name=if more.busy.get() { "loader" } else { "play" }/> }}{t(T::Start)}
                </button>
            }.into_any())
        }}
        {move || more.error.get().map(|error| view! { <div class="full"><ErrorLine error/></div> })}
        {late(move || stopping.get(), move || dialog(shown, Which::Stop(stopping)), || None)}
        {late(move || shown.starting.get(), move || dialog(shown, Which::Start), || None)}
        {late(move || deleting.get(), move || dialog(shown, Which::Delete(deleting)), || None)}
    }
    .into_any()
}
