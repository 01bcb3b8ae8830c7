//! Check, save, start.

use super::{draft, state::Form};
use crate::{
    api::{self, ApiError},
    bridge,
    components::{Banner, ErrorLine, Icon, Tone, note_error},
    i18n::{T, fill},
    pages::job::launch_details,
    paths,
    ui::{t, ui},
};
use domain::{Code, job::Job, validate::FieldFailure};
use leptos::prelude::*;
use wasm_bindgen::JsCast;

fn show_fields(form: Form, failures: Vec<FieldFailure>) {
    form.errors.update(|errors| {
        errors.clear();
        for failure in failures {
            // The first failure of a field is the one to fix.
            errors.entry(failure.field).or_insert(failure.failure);
        }
    });
    request_animation_frame(|| {
        let first = document()
            .query_selector("form [aria-invalid=true]")
            .ok()
            .flatten();
        if let Some(first) = first.and_then(|e| e.dyn_into::<web_sys::HtmlElement>().ok()) {
            let _ = first.focus();
        }
    });
}

/// Shows what a form was refused for: at its fields, and by itself when it is about none.
fn refuse(form: Form, error: ApiError) {
    // The form may have been left while it waited.
    let Some(ui) = form.ui.try_get_value() else { return };
    note_error(ui, &error);
    if let ApiError::Failed(told) = &error {
        let mut fields = told.fields.clone();
        // A failure that names its field belongs there even when it came alone.
        if fields.is_empty()
            && let Some(field) = told.failure.args.get("field")
        {
            fields.push(FieldFailure {
                field: field.clone(),
                failure: told.failure.clone(),
            });
        }
        show_fields(form, fields);
    }
    if error.code() == Some(Code::EditConflict)
        && let Some((id, _)) = form.saved.get_untracked()
    {
        leptos::task::spawn_local(async move {
            if let Ok(theirs) = api::jobs::job(id.to_string()).await {
                form.theirs.try_set(Some(theirs));
            }
        });
    }
    form.error.set(Some(error));
}

async fn send(form: Form) -> Result<Job, ApiError> {
    match untrack(|| form.update()) {
        Some((id, update)) => api::jobs::update_job(id, update).await,
        None => api::jobs::create_job(untrack(|| form.new_job()), bridge::random_key()).await,
    }
}

/// Saves; with `start`, starts what was saved. Nothing typed is cleared before the server has it.
pub fn save(form: Form, start: bool) {
    if form.busy.get_untracked() {
        return;
    }
    form.error.set(None);
    let failures = untrack(|| form.spec()).check();
    if !failures.is_empty() {
        return show_fields(form, failures);
    }
    form.errors.update(|errors| errors.clear());
    form.busy.set(true);
    let draft = draft::key(form);
    leptos::task::spawn_local(async move {
        match send(form).await {
            Ok(job) => {
                draft::forget(&draft);
                form.saved.try_set(Some((job.id.clone(), job.version)));
                let started = if start {
                    api::runs::start_run(job.id.clone(), bridge::random_key())
                        .await
                        .map(|_| ())
                } else {
                    Ok(())
                };
                form.busy.try_set(false);
                match started {
                    Ok(()) => form.go.to(&paths::job(&job.id)),
                    // There the state can be chosen.
                    Err(error) if error.code() == Some(Code::StateExists) => {
                        form.go.to(&paths::start_job(&job.id));
                    }
                    // It is saved; only the start was refused.
                    Err(error) => refuse(form, error),
                }
            }
            Err(error) => {
                form.busy.try_set(false);
                refuse(form, error);
            }
        }
    });
}

fn check(form: Form) {
    form.error.set(None);
    let failures = untrack(|| form.spec()).check();
    if !failures.is_empty() {
        return show_fields(form, failures);
    }
    form.busy.set(true);
    let job = untrack(|| form.new_job());
    leptos::task::spawn_local(async move {
        let answer = api::jobs::check_job(job).await;
        form.busy.try_set(false);
        match answer {
            Ok(failures) => {
                form.checked.try_set(failures.is_empty());
                show_fields(form, failures);
            }
            Err(error) => refuse(form, error),
        }
    });
}

pub fn bar(form: Form) -> AnyView {
    let ui = ui();
    let count = move || form.errors.with(std::collections::BTreeMap::len);
    view! {
        <div class="full stack">
            {launch_details(T::WhatWillBeSubmitted, move || api::jobs::preview_spec(untrack(|| form.new_job())))}
            {move || (count() > 0).then(|| view! {
                <Banner tone=Tone::Error>{move || fill(ui.text(T::FieldsRefused), &[("n", &count().to_string())])}</Banner>
            })}
            {move || form.error.get().map(|error| view! { <ErrorLine error/> })}
            {move || (form.checked.get() && count() == 0).then(|| view! { <Banner tone=Tone::Plain>{t(T::CheckedFine)}</Banner> })}
            <div class="hd">
                <button type="button" class="btn pri" id="save-start" aria-disabled=move || form.busy.get().to_string() on:click=move |_| save(form, true)>
                    {move || view! { <Icon name=if form.busy.get() { "loader" } else { "play" }/> }}{t(T::SaveAndStart)}
                </button>
                <button type="submit" class="btn" id="save" aria-disabled=move || form.busy.get().to_string()>{t(T::Save)}</button>
                <button type="button" class="btn" on:click=move |_| check(form)>{t(T::Check)}</button>
                <span class="sp"></span>
                {move || {
                    let back = form.saved.get().map_or_else(|| paths::JOBS.to_owned(), |(id, _)| paths::job(&id));
                    view! { <a class="btn ghost" href=back>{t(T::Leave)}</a> }
                }}
            </div>
        </div>
    }
    .into_any()
}
