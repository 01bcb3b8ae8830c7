use super::{Shown, about, changes, history, timeline};
use crate::{
    components::{Empty, StepList},
    i18n::T,
    paths,
    ui::t,
};
use domain::operation::{OperationKind, OperationState};
use leptos::prelude::*;

pub fn overview(shown: Shown) -> AnyView {
    let has_run = Memo::new(move |_| shown.job.with(|job| job.run.is_some()));
    view! {
        <div class="cols">
            <div class="stack">
                {move || if has_run.get() {
                    view! {
                        {steps(shown)}
                        {changes::since_it_worked(shown)}
                        {timeline::timeline(shown)}
                        {history::history(shown)}
                    }.into_any()
                } else {
                    let edit = shown.job.with_untracked(|job| paths::edit_job(&job.id));
                    view! {
                        <div class="card"><Empty icon="play" title=T::NoRuns hint=T::NoRunsHint>
                            <a class="btn" href=edit>{t(T::Edit)}</a>
                        </Empty></div>
                    }.into_any()
                }}
            </div>
            <div class="stack">{about::about(shown)}</div>
        </div>
    }
    .into_any()
}

/// What the console does for the run now, or why it could not. A savepoint is told until something
/// else is done: it changes nothing that could be seen otherwise.
pub fn steps(shown: Shown) -> AnyView {
    let worth = move || {
        shown.operation.get().filter(|operation| {
            operation.state.is_open()
                || operation.state == OperationState::Failed
                || operation.kind == OperationKind::Savepoint
        })
    };
    view! {
        {move || worth().map(|operation| {
            let title = match operation.kind {
                OperationKind::Submit => T::Submitting,
                OperationKind::Stop => T::Stopping,
                OperationKind::Savepoint if operation.state == OperationState::Done => T::Savepoint,
                OperationKind::Savepoint => T::TakingSavepoint,
                OperationKind::Place => T::Placing,
            };
            let state = operation.state.name();
            view! { <section class="card" data-operation=state><h2>{t(title)}</h2><StepList operation/></section> }
        })}
    }
    .into_any()
}
