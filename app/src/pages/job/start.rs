//! What a start begins from, when there is state that must not be lost by a click.

use super::{Shown, actions::Asked, points::kind_word};
use crate::{
    api::{self, ApiError},
    bridge,
    components::{CopyButton, Dialog, ErrorLine, Icon, Skeleton, note_error},
    i18n::{T, fill},
    time,
    ui::{Ui, t},
};
use domain::{
    restore::{ClaimMode, RestorePoint, RestoreState},
    run::StartRequest,
};
use leptos::prelude::*;

#[derive(Clone, Copy, PartialEq, Eq)]
enum From {
    Point,
    Path,
    Nothing,
}

const WAYS: [(From, &str, T, T); 3] = [
    (From::Point, "point", T::FromPoint, T::FromPointHint),
    (From::Path, "path", T::FromPath, T::FromPathHint),
    (From::Nothing, "nothing", T::FromNothing, T::FromNothingHint),
];

const CLAIMS: [(ClaimMode, T); 3] = [
    (ClaimMode::NoClaim, T::ClaimNo),
    (ClaimMode::Claim, T::ClaimYes),
    (ClaimMode::Legacy, T::ClaimLegacy),
];

/// `2 min ago · Savepoint · 12.0 KiB · v3`
fn told(ui: Ui, point: &RestorePoint) -> String {
    let mut text = format!(
        "{} · {}",
        ui.when(point.completed_at),
        ui.text(kind_word(point.kind))
    );
    if let Some(size) = point.size {
        text.push_str(&format!(" · {}", time::bytes(size)));
    }
    format!("{text} · v{}", point.version)
}

/// What is typed outlives a refusal: it is made new only when the dialog is opened again.
#[derive(Clone, Copy)]
struct Draft {
    points: RwSignal<Option<Result<Vec<RestorePoint>, ApiError>>>,
    from: RwSignal<From>,
    point: RwSignal<String>,
    path: RwSignal<String>,
    typed: RwSignal<String>,
    claim: RwSignal<ClaimMode>,
    lenient: RwSignal<bool>,
}

impl Draft {
    fn request(self) -> StartRequest {
        let from = self.from.get_untracked();
        if from == From::Nothing {
            return StartRequest {
                without_state: true,
                confirm: Some(self.typed.get_untracked()),
                ..StartRequest::default()
            };
        }
        let target = if from == From::Point {
            self.point
        } else {
            self.path
        };
        StartRequest {
            restore_from: Some(target.get_untracked()),
            claim_mode: Some(self.claim.get_untracked()),
            allow_non_restored_state: self.lenient.get_untracked(),
            ..StartRequest::default()
        }
    }

    /// The points that can be used, the proposed one or the newest chosen.
    fn read(self, shown: Shown) {
        let id = shown.job.with_untracked(|job| job.id.clone());
        self.points.set(None);
        leptos::task::spawn_local(async move {
            let answer = api::restore::restore_points(id, None).await.map(|page| {
                let valid = page.items.into_iter();
                valid
                    .filter(|point| point.state == RestoreState::Valid)
                    .collect::<Vec<_>>()
            });
            match &answer {
                Ok(points) => {
                    let wanted = shown.proposed.try_get_untracked().flatten();
                    let first = points
                        .iter()
                        .find(|point| Some(&point.id) == wanted.as_ref())
                        .or_else(|| points.iter().find(|point| point.preselected))
                        .or(points.first());
                    match first {
                        Some(first) => drop(self.point.try_set(first.id.to_string())),
                        None => drop(self.from.try_set(From::Path)),
                    }
                }
                Err(error) => note_error(shown.ui, error),
            }
            self.points.try_set(Some(answer));
        });
    }
}

#[component]
pub fn Start(shown: Shown) -> impl IntoView {
    let ui = shown.ui;
    let (open, asked) = (shown.starting, Asked::new());
    let name = Signal::derive(move || shown.job.with(|job| job.spec.name.clone()));
    let title = Signal::derive(move || fill(ui.text(T::StartTitle), &[("name", &name.get())]));
    let draft = Draft {
        points: RwSignal::new(None),
        from: RwSignal::new(From::Point),
        point: RwSignal::new(String::new()),
        path: RwSignal::new(String::new()),
        typed: RwSignal::new(String::new()),
        claim: RwSignal::new(ClaimMode::NoClaim),
        lenient: RwSignal::new(false),
    };
    Effect::new(move |_| {
        if open.get() {
            draft.from.set(From::Point);
            draft.typed.set(String::new());
            asked.error.set(None);
            draft.read(shown);
        }
    });
    let ready = move || {
        !asked.busy.get()
            && match draft.from.get() {
                From::Point => draft
                    .points
                    .with(|points| matches!(points, Some(Ok(points)) if !points.is_empty())),
                From::Path => !draft.path.with(|path| path.trim().is_empty()),
                From::Nothing => draft.typed.get() == name.get(),
            }
    };
    let start = move |_| {
        if !untrack(ready) {
            return;
        }
        let id = shown.job.with_untracked(|job| job.id.clone());
        let request = draft.request();
        asked.ask(
            shown,
            api::runs::start_run_from(id, request, bridge::random_key()),
            move |_| {
                open.set(false);
                shown.read();
            },
        );
    };
    view! {
        <Dialog open title wide=true>
            <fieldset class="choice">
                <legend class="vh">{t(T::StartFrom)}</legend>
                {WAYS.into_iter().map(|(from, key, text, hint)| view! {
                    <label>
                        <input type="radio" name="from" value=key prop:checked=move || draft.from.get() == from on:change=move |_| { draft.from.set(from); asked.error.set(None); }/>
                        <span><b>{t(text)}</b><br/><span class="mut">{t(hint)}</span></span>
                    </label>
                }).collect_view()}
            </fieldset>
            {move || match draft.from.get() {
                From::Point => point_field(ui, draft),
                From::Path => view! {
                    <div class="fld">
                        <label for="from-path">{t(T::Path)}</label>
                        <input id="from-path" class="mono" type="text" autocomplete="off" spellcheck="false" maxlength="1000"
                            prop:value=move || draft.path.get() on:input:target=move |event| draft.path.set(event.target().value())/>
                    </div>
                }.into_any(),
                From::Nothing => view! {
                    <div class="fld">
                        <label for="from-confirm">{t(T::TypeName)} " " <code>{move || name.get()}</code></label>
                        <input id="from-confirm" type="text" autocomplete="off" spellcheck="false"
                            prop:value=move || draft.typed.get() on:input:target=move |event| draft.typed.set(event.target().value())/>
                    </div>
                }.into_any(),
            }}
            {move || (draft.from.get() != From::Nothing).then(|| how(draft))}
            {move || asked.error.get().map(|error| view! { <ErrorLine error/> })}
            <div class="hd end">
                <button type="button" class="btn" autofocus on:click=move |_| open.set(false)>{t(T::Close)}</button>
                <button type="button" class="btn pri" id="start-now" disabled=move || !ready() on:click=start>
                    {move || view! { <Icon name=if asked.busy.get() { "loader" } else { "play" }/> }}{t(T::Start)}
                </button>
            </div>
        </Dialog>
    }
    .into_any()
}

/// The points to choose from, and where the chosen one lies.
fn point_field(ui: Ui, draft: Draft) -> AnyView {
    let choice = move |points: Vec<RestorePoint>| {
        let known = StoredValue::new(points.clone());
        let path = Signal::derive(move || {
            let id = draft.point.get();
            known.with_value(|points| {
                let chosen = points.iter().find(|point| point.id.as_str() == id);
                chosen.map(|point| point.path.clone()).unwrap_or_default()
            })
        });
        view! {
            <div class="fld">
                <label for="from-point">{t(T::FromPoint)}</label>
                <select id="from-point" on:change:target=move |event| draft.point.set(event.target().value())>
                    {points.into_iter().map(|point| {
                        let (id, key) = (point.id.to_string(), point.id.to_string());
                        view! { <option value=id prop:selected=move || draft.point.get() == key>{move || told(ui, &point)}</option> }
                    }).collect_view()}
                </select>
                <span class="hint mono mono-break">{move || path.get()} <CopyButton text=path/></span>
            </div>
        }
        .into_any()
    };
    view! {
        {move || match draft.points.get() {
            None => view! { <Skeleton lines=2/> }.into_any(),
            Some(Err(error)) => view! { <ErrorLine error/> }.into_any(),
            Some(Ok(points)) if points.is_empty() => view! { <p class="mut">{t(T::NoRestorePoints)}</p> }.into_any(),
            Some(Ok(points)) => choice(points),
        }}
    }
    .into_any()
}

/// Whose the files are afterwards, and what becomes of state without an operator.
fn how(draft: Draft) -> AnyView {
    view! {
        <div class="fld">
            <label for="claim">{t(T::ClaimMode)}</label>
            <select id="claim" on:change:target=move |event| {
                draft.claim.set(ClaimMode::from_name(&event.target().value()).unwrap_or(ClaimMode::NoClaim));
            }>
                {CLAIMS.into_iter().map(|(mode, text)| view! {
                    <option value=mode.name() prop:selected=move || draft.claim.get() == mode>{t(text)}</option>
                }).collect_view()}
            </select>
        </div>
        <div class="choice"><label>
            <input type="checkbox" id="lenient" prop:checked=move || draft.lenient.get() on:change:target=move |event| draft.lenient.set(event.target().checked())/>
            <span><b>{t(T::AllowNonRestored)}</b><br/><span class="mut">{t(T::AllowNonRestoredHint)}</span></span>
        </label></div>
    }
    .into_any()
}
