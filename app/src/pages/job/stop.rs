//! The ways to end a run, from the gentlest to the surest.

use super::{
    Shown,
    actions::{Asked, open_run},
};
use crate::{
    api::{self, ApiError},
    bridge,
    components::{Dialog, ErrorLine, Icon, state_word},
    i18n::{T, fill},
    ui::t,
};
use domain::{
    Engine,
    run::{StopMode, StopRequest},
};
use leptos::prelude::*;

const MODES: [(StopMode, T, T); 4] = [
    (
        StopMode::Savepoint,
        T::StopWithSavepoint,
        T::StopWithSavepointHint,
    ),
    (StopMode::Drain, T::Drain, T::DrainHint),
    (StopMode::Cancel, T::Cancel, T::CancelHint),
    (StopMode::Kill, T::Kill, T::KillHint),
];

#[component]
pub fn Stop(shown: Shown, open: RwSignal<bool>) -> impl IntoView {
    let ui = shown.ui;
    let asked = Asked::new();
    let title = Signal::derive(move || {
        fill(
            ui.text(T::StopTitle),
            &[("name", &shown.job.with(|job| job.spec.name.clone()))],
        )
    });
    let state = Memo::new(move |_| open_run(shown).map(|run| run.state));
    let engine = shown.job.with_untracked(|job| job.spec.kind.engine());
    let modes = move || {
        state
            .get()
            .map(|state| state.stop_modes_of(engine))
            .unwrap_or_default()
    };
    let known = MODES
        .into_iter()
        .filter(move |(mode, ..)| StopMode::of(engine).contains(mode));
    let mode = RwSignal::new(None::<StopMode>);
    let chosen = Memo::new(move |_| {
        let wanted = mode.get().filter(|mode| modes().contains(mode));
        wanted.or_else(|| modes().first().copied())
    });
    let keeps = move || chosen.get().is_some_and(StopMode::keeps_state);
    let deadline = RwSignal::new(StopRequest::DEADLINE_S.to_string());
    Effect::new(move |_| {
        if open.get() {
            mode.set(None);
            asked.error.set(None);
        }
    });
    let stop = move |_| {
        let run = untrack(|| open_run(shown));
        let (Some(run), Some(mode)) = (run, chosen.get_untracked()) else {
            return open.set(false);
        };
        let mut request = StopRequest::new(mode);
        if mode.keeps_state() {
            // What is no number is out of range.
            request.deadline_s = Some(deadline.get_untracked().trim().parse().unwrap_or(-1));
        }
        if let Err(failure) = request.check() {
            return asked.error.set(Some(ApiError::found(failure)));
        }
        asked.ask(
            shown,
            api::runs::stop_run(run.id, request, bridge::random_key()),
            move |_| {
                open.set(false);
                shown.read();
            },
        );
    };
    let hint = move |which: StopMode, hint: T| {
        let state = state
            .get()
            .filter(|state| !state.stop_modes_of(engine).contains(&which));
        state.map_or_else(
            || ui.text(hint).to_owned(),
            |state| fill(ui.text(T::NotWhile), &[("state", ui.text(state_word(state)))]),
        )
    };
    view! {
        <Dialog open title>
            <fieldset class="choice">
                <legend class="vh">{t(T::StopHow)}</legend>
                {known.clone().map(|(which, text, about)| view! {
                    <label class:off=move || !modes().contains(&which)>
                        <input type="radio" name="mode" value=which.name() disabled=move || !modes().contains(&which)
                            prop:checked=move || chosen.get() == Some(which) on:change=move |_| mode.set(Some(which))/>
                        <span><b>{t(text)}</b><br/><span class="mut">{move || hint(which, about)}</span></span>
                    </label>
                }).collect_view()}
            </fieldset>
            {move || keeps().then(|| view! {
                <div class="fld">
                    <label for="deadline">{t(T::StopDeadline)}</label>
                    <input id="deadline" type="text" inputmode="numeric" autocomplete="off" aria-describedby="deadline-h"
                        prop:value=move || deadline.get() on:input:target=move |event| deadline.set(event.target().value())/>
                    <span class="hint" id="deadline-h">{t(T::StopDeadlineHint)}</span>
                </div>
            })}
            {(engine == Engine::Spark).then(|| view! { <p>{t(T::SparkKeepsNothing)}</p> })}
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
