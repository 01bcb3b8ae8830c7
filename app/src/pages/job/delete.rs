//! The end of a job.

use super::{Shown, actions::Asked};
use crate::{
    api,
    components::{Dialog, ErrorLine},
    go::Go,
    i18n::{T, fill},
    paths,
    ui::t,
};
use leptos::prelude::*;

#[component]
pub fn Delete(shown: Shown, open: RwSignal<bool>) -> impl IntoView {
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
