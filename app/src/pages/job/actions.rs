//! Start, stop, edit, clone, delete.

use super::Shown;
use crate::{
    api, bridge,
    components::{Dialog, ErrorLine, Icon, note_error},
    go::Go,
    i18n::{T, fill},
    paths,
    ui::t,
};
use domain::{
    Action,
    run::{Run, StopMode},
};
use leptos::prelude::*;

fn open_run(shown: Shown) -> Option<Run> {
    shown
        .job
        .with(|job| job.run.clone())
        .filter(|run| !run.state.is_terminal())
}

/// What a button has asked for and not been answered: it keeps its label and turns.
#[derive(Clone, Copy)]
struct Asked {
    busy: RwSignal<bool>,
    error: RwSignal<Option<api::ApiError>>,
}

impl Asked {
    fn new() -> Self {
        Self {
            busy: RwSignal::new(false),
            error: RwSignal::new(None),
        }
    }

    /// Runs one request at a time; `done` sees only success.
    fn ask<T: 'static>(
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
    let start = move |_| {
        let id = shown.job.with_untracked(|job| job.id.clone());
        more.ask(shown, api::runs::start_run(id, bridge::random_key()), move |_| {
            shown.read()
        });
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
        <Stop shown open=stopping/>
        <Delete shown open=deleting/>
    }
    .into_any()
}

#[component]
fn Stop(shown: Shown, open: RwSignal<bool>) -> impl IntoView {
    let ui = shown.ui;
    let asked = Asked::new();
    let title = Signal::derive(move || {
        fill(
            ui.text(T::StopTitle),
            &[("name", &shown.job.with(|job| job.spec.name.clone()))],
        )
    });
    let modes = move || {
        open_run(shown)
            .map(|run| run.state.stop_modes())
            .unwrap_or_default()
    };
    let mode = RwSignal::new(StopMode::Cancel);
    let chosen = move || {
        let modes = modes();
        if modes.contains(&mode.get()) {
            Some(mode.get())
        } else {
            modes.first().copied()
        }
    };
    let stop = move |_| {
        let run = untrack(|| open_run(shown));
        let (Some(run), Some(mode)) = (run, untrack(chosen)) else {
            return open.set(false);
        };
        asked.ask(
            shown,
            api::runs::stop_run(run.id, mode, bridge::random_key()),
            move |_| {
                open.set(false);
                shown.read();
            },
        );
    };
    view! {
        <Dialog open title>
            <fieldset class="choice">
                <legend class="vh">{t(T::StopHow)}</legend>
                {[
                    (StopMode::Savepoint, T::StopWithSavepoint, T::StopWithSavepointHint),
                    (StopMode::Drain, T::Drain, T::DrainHint),
                    (StopMode::Cancel, T::Cancel, T::CancelHint),
                    (StopMode::Kill, T::Kill, T::KillHint),
                ].into_iter().map(|(which, text, hint)| view! {
                    <label class:off=move || !modes().contains(&which)>
                        <input type="radio" name="mode" value=which.name() disabled=move || !modes().contains(&which)
                            prop:checked=move || chosen() == Some(which) on:change=move |_| mode.set(which)/>
                        <span><b>{t(text)}</b><br/><span class="mut">{t(hint)}</span></span>
                    </label>
                }).collect_view()}
            </fieldset>
            <p class="mut">{t(T::StopEffect)}</p>
            {move || asked.error.get().map(|error| view! { <ErrorLine error/> })}
            <div class="hd end">
                <button type="button" class="btn" autofocus on:click=move |_| open.set(false)>{t(T::KeepRunning)}</button>
                <button type="button" class="btn dng" id="stop-now" aria-disabled=move || asked.busy.get().to_string() on:click=stop>
                    {move || asked.busy.get().then(|| view! { <Icon name="loader"/> })}{t(T::Stop)}
                </button>
            </div>
        </Dialog>
    }
    .into_any()
}

#[component]
fn Delete(shown: Shown, open: RwSignal<bool>) -> impl IntoView {
    let ui = shown.ui;
    let asked = Asked::new();
    let typed = RwSignal::new(String::new());
    let name = move || shown.job.with(|job| job.spec.name.clone());
    let title = Signal::derive(move || fill(ui.text(T::DeleteTitle), &[("name", &name())]));
    let go = Go::new();
    let ready = move || typed.get() == name() && !asked.busy.get();
    let delete = move |_| {
        if !untrack(ready) {
            return;
        }
        let id = shown.job.with_untracked(|job| job.id.clone());
        asked.ask(shown, api::jobs::delete_job(id), move |()| {
            go.to(paths::JOBS);
        });
    };
    view! {
        <Dialog open title>
            <p>{t(T::DeleteEffect)}</p>
            <div class="fld">
                <label for="confirm">{t(T::TypeName)} " " <code>{name}</code></label>
                <input id="confirm" type="text" autocomplete="off" spellcheck="false" prop:value=move || typed.get()
                    on:input:target=move |event| typed.set(event.target().value())/>
            </div>
            {move || asked.error.get().map(|error| view! { <ErrorLine error/> })}
            <div class="hd end">
                <button type="button" class="btn" autofocus on:click=move |_| open.set(false)>{t(T::Keep)}</button>
                <button type="button" class="btn dng" disabled=move || !ready() on:click=delete>{t(T::Delete)}</button>
            </div>
        </Dialog>
    }
    .into_any()
}
