//! The savepoints and kept checkpoints of a job.

use super::{
    Shown,
    actions::{Asked, open_run},
    overview,
};
use crate::{
    api,
    components::{Chip, CopyButton, Dialog, Empty, ErrorLine, Icon, Time, loaded, note_error},
    i18n::T,
    live, time,
    ui::t,
};
use domain::{
    Action,
    event::Topic,
    restore::{RestoreKind, RestorePoint, RestoreState},
    run::Family,
};
use leptos::prelude::*;

pub fn kind_word(kind: RestoreKind) -> T {
    match kind {
        RestoreKind::Savepoint => T::Savepoint,
        RestoreKind::Checkpoint => T::Checkpoint,
    }
}

/// What the rows share.
#[derive(Clone, Copy)]
struct Panel {
    shown: Shown,
    may_start: bool,
    may_dispose: bool,
    idle: Memo<bool>,
    asking: RwSignal<bool>,
    disposing: RwSignal<Option<RestorePoint>>,
}

#[leptos::lazy]
pub fn points(shown: Shown) -> AnyView {
    let (id, team) = shown.job.with_untracked(|job| (job.id.clone(), job.team.clone()));
    let first = Resource::new(|| (), {
        let id = id.clone();
        move |()| api::restore::restore_points(id.clone(), None)
    });
    live::on_batch(move |batch| {
        if batch.any(|event| {
            matches!(event.topic, Topic::Run | Topic::Operation) && event.job.as_deref() == Some(id.as_str())
        }) {
            first.refetch();
        }
    });
    let panel = Panel {
        shown,
        may_start: shown.ui.may_in(Action::RunStart, &team),
        may_dispose: shown.ui.may_in(Action::SavepointDispose, &team),
        idle: Memo::new(move |_| open_run(shown).is_none()),
        asking: RwSignal::new(false),
        disposing: RwSignal::new(None),
    };
    view! {
        {overview::steps(shown)}
        {loaded(first, move |page| list(panel, page.items, page.next))}
        <Dispose panel done=Callback::new(move |()| first.refetch())/>
    }
    .into_any()
}

fn list(panel: Panel, items: Vec<RestorePoint>, next: Option<String>) -> AnyView {
    let from = move || {
        (panel.may_start && panel.idle.get()).then(|| view! {
            <button type="button" class="btn" on:click=move |_| propose(panel.shown, None)><Icon name="play"/>{t(T::StartDots)}</button>
        })
    };
    if items.is_empty() {
        return view! {
            <div class="card"><Empty icon="layers" title=T::NoRestorePoints hint=T::NoRestorePointsHint>{from}</Empty></div>
        }
        .into_any();
    }
    let (items, next) = (RwSignal::new(items), RwSignal::new(next));
    let more = move |_| {
        let id = panel.shown.job.with_untracked(|job| job.id.clone());
        leptos::task::spawn_local(async move {
            match api::restore::restore_points(id, next.get_untracked()).await {
                Ok(page) => {
                    items.try_update(|items| items.extend(page.items));
                    next.try_set(page.next);
                }
                Err(error) => note_error(panel.shown.ui, &error),
            }
        });
    };
    view! {
        <div class="grid" tabindex="0"><table id="points">
            <thead><tr>
                <th scope="col">{t(T::State)}</th><th scope="col">{t(T::Kind)}</th><th scope="col">{t(T::Completed)}</th>
                <th scope="col" class="num">{t(T::Size)}</th><th scope="col">{t(T::Version)}</th><th scope="col">{t(T::Snapshot)}</th>
                <th scope="col">{t(T::Path)}</th><th scope="col"><span class="vh">{t(T::Actions)}</span></th>
            </tr></thead>
            <tbody>{move || items.get().into_iter().map(|point| line(panel, point)).collect_view()}</tbody>
        </table></div>
        {move || next.with(Option::is_some).then(|| view! { <button type="button" class="btn" on:click=more>{t(T::More)}</button> })}
    }
    .into_any()
}

fn propose(shown: Shown, point: Option<&RestorePoint>) {
    shown.proposed.set(point.map(|point| point.id.clone()));
    shown.starting.set(true);
}

fn line(panel: Panel, point: RestorePoint) -> AnyView {
    let (family, icon, word) = match point.state {
        RestoreState::Valid => (Family::Ok, "circle-check", T::PointValid),
        RestoreState::Gone => (Family::Unk, "circle-question-mark", T::PointGone),
        RestoreState::Disposed => (Family::Stop, "trash-2", T::PointDisposed),
    };
    let valid = point.state == RestoreState::Valid;
    let disposable = panel.may_dispose
        && point.kind == RestoreKind::Savepoint
        && point.state != RestoreState::Disposed
        && point.used_by.is_none();
    let (used, newest) = (point.used_by.is_some(), point.preselected);
    let point = StoredValue::new(point);
    let path = point.with_value(|point| point.path.clone());
    let last = path.rsplit('/').next().unwrap_or_default().to_owned();
    let seen = point.with_value(|point| {
        view! {
            <td>{t(kind_word(point.kind))} {newest.then(|| view! { " " <span class="tag">{t(T::PointNewest)}</span> })}</td>
            <td><Time at=point.completed_at/></td>
            <td class="num">{point.size.map_or_else(|| "–".to_owned(), time::bytes)}</td>
            <td>{format!("v{}", point.version)}</td>
            <td>{point.snapshot}</td>
        }
    });
    let dispose = move |_| {
        panel.disposing.set(Some(point.get_value()));
        panel.asking.set(true);
    };
    view! {
        <tr>
            <td><Chip family icon word/> {used.then(|| view! { " " <span class="tag">{t(T::PointUsed)}</span> })}</td>
            {seen}
            <td class="mono" title=path.clone()><CopyButton text=path.clone()/> {last}</td>
            <td>
                {move || (valid && panel.may_start && panel.idle.get()).then(|| view! {
                    <button type="button" class="btn" on:click=move |_| point.with_value(|point| propose(panel.shown, Some(point)))>{t(T::StartDots)}</button> " "
                })}
                {disposable.then(|| view! { <button type="button" class="btn" on:click=dispose>{t(T::DisposeDots)}</button> })}
            </td>
        </tr>
    }
    .into_any()
}

#[component]
fn Dispose(panel: Panel, done: Callback<()>) -> impl IntoView {
    let (ui, open, asked) = (panel.shown.ui, panel.asking, Asked::new());
    Effect::new(move |_| {
        if open.get() {
            asked.error.set(None);
        }
    });
    let dispose = move |_| {
        let Some(point) = panel.disposing.get_untracked() else {
            return;
        };
        asked.ask(
            panel.shown,
            api::restore::dispose_restore_point(point.id),
            move |()| {
                open.set(false);
                done.run(());
            },
        );
    };
    view! {
        <Dialog open title=Signal::derive(move || ui.text(T::DisposeTitle).to_owned())>
            <p>{t(T::DisposeEffect)}</p>
            <p class="mono mono-break">{move || panel.disposing.get().map(|point| point.path)}</p>
            {move || asked.error.get().map(|error| view! { <ErrorLine error/> })}
            <div class="hd end">
                <button type="button" class="btn" autofocus on:click=move |_| open.set(false)>{t(T::Keep)}</button>
                <button type="button" class="btn dng" id="dispose-now" aria-disabled=move || asked.busy.get().to_string() on:click=dispose>
                    {move || asked.busy.get().then(|| view! { <Icon name="loader"/> })}{t(T::Dispose)}
                </button>
            </div>
        </Dialog>
    }
    .into_any()
}
