//! What is typed survives a reload, a crash and the end of a session: it is kept in this browser
//! until it is saved or thrown away.

use super::state::Form;
use crate::{
    bridge,
    components::{Banner, Icon, Tone},
    i18n::{T, fill},
    ui::{t, ui},
};
use domain::{Millis, job::JobSpec};
use leptos::prelude::*;
use serde::{Deserialize, Serialize};
use std::time::Duration;

const PAUSE: Duration = Duration::from_millis(500);
/// Larger drafts stay in the page alone; browsers hold about 5 MB.
const MOST: usize = 3 * 1024 * 1024;

#[derive(Serialize, Deserialize)]
struct Draft {
    at: Millis,
    team: String,
    /// Version the edit began from.
    base: Option<i64>,
    spec: JobSpec,
}

pub fn key(form: Form) -> String {
    let me = form.ui.get_value().me();
    match form.saved.get_untracked() {
        Some((id, _)) => format!("penstock.draft:{me}:{id}"),
        None => format!("penstock.draft:{me}:{}", form.kind.name()),
    }
}

/// Takes up a draft and keeps one from now on.
pub fn keep(form: Form) {
    let ui = ui();
    let key = StoredValue::new(key(form));
    let timer = StoredValue::new(None::<TimeoutHandle>);
    // Not during hydration: the server knows no draft, and both sides must draw the same first.
    Effect::new(move |_| {
        let draft =
            bridge::stored(&key.get_value()).and_then(|json| serde_json::from_str::<Draft>(&json).ok());
        let Some(draft) = draft.filter(|draft| draft.spec.kind == form.kind) else {
            return;
        };
        if untrack(|| {
            form.first
                .with_value(|(team, spec)| *team != draft.team || *spec != draft.spec)
        }) {
            form.fill(&draft.team, &draft.spec);
            if let (Some(base), Some((id, _))) = (draft.base, form.saved.get_untracked()) {
                form.saved.set(Some((id, base)));
            }
            form.kept.set(Some(draft.at));
            form.restored.set(true);
        }
    });
    Effect::new(move |first: Option<()>| {
        let (changed, team, spec) = (form.changed(), form.team.get(), form.spec());
        if first.is_none() {
            return;
        }
        timer.update_value(|timer| {
            if let Some(timer) = timer.take() {
                timer.clear();
            }
        });
        let write = move || {
            // Left or saved meanwhile.
            let Some(key) = key.try_get_value() else { return };
            if !changed {
                bridge::store(&key, None);
                form.kept.try_set(None);
                return;
            }
            let at = ui.now.get_untracked();
            let base = form
                .saved
                .try_get_untracked()
                .flatten()
                .map(|(_, version)| version);
            let draft = Draft {
                at,
                team: team.clone(),
                base,
                spec: spec.clone(),
            };
            if let Ok(json) = serde_json::to_string(&draft)
                && json.len() < MOST
            {
                bridge::store(&key, Some(&json));
                form.kept.try_set(Some(at));
            }
        };
        timer.set_value(set_timeout_with_handle(write, PAUSE).ok());
    });
}

/// Forgets a draft: what it held is saved.
pub fn forget(key: &str) {
    bridge::store(key, None);
}

pub fn status(form: Form) -> Option<String> {
    let ui = ui();
    let at = form.kept.get()?;
    Some(fill(ui.text(T::DraftKept), &[("ago", &ui.when(at))]))
}

pub fn restored(form: Form) -> AnyView {
    let discard = move |_| {
        let (team, spec) = form.first.get_value();
        form.fill(&team, &spec);
        form.restored.set(false);
        form.kept.set(None);
    };
    view! {
        {move || form.restored.get().then(|| view! {
            <Banner tone=Tone::Warn>
                {t(T::DraftRestored)} " "
                <button type="button" class="btn" on:click=discard><Icon name="trash-2"/>{t(T::DiscardDraft)}</button>
                " "
                <button type="button" class="btn ghost" on:click=move |_| form.restored.set(false)>{t(T::KeepDraft)}</button>
            </Banner>
        })}
    }
    .into_any()
}
