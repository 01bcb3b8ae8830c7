use super::{Icon, Meter, operation_word};
use crate::{
    i18n::T,
    time,
    ui::{t, ui},
};
use domain::operation::{Operation, OperationState, Step};
use leptos::prelude::*;

fn step_word(name: &str) -> Option<T> {
    Some(match name {
        "plan" => T::StepPlan,
        "ensure_files" => T::StepEnsureFiles,
        "allocate" => T::StepAllocate,
        "post" => T::StepPost,
        "confirm" => T::StepConfirm,
        "scan" => T::StepScan,
        "upload" => T::StepUpload,
        "verify" => T::StepVerify,
        "publish" => T::StepPublish,
        "ask" => T::StepAsk,
        "savepoint" => T::StepSavepoint,
        "record" => T::StepRecord,
        "await" => T::StepAwait,
        _ => return None,
    })
}

fn step_icon(state: OperationState) -> &'static str {
    match state {
        OperationState::Pending => "hourglass",
        OperationState::Running => "loader",
        OperationState::InDoubt => "circle-question-mark",
        OperationState::Done => "check",
        OperationState::Failed => "x",
    }
}

fn step_row(step: Step) -> AnyView {
    let ui = ui();
    let name = step.name.clone();
    let word = move || step_word(&name).map_or_else(|| name.clone(), |text| ui.text(text).to_owned());
    let took = move || {
        let (from, to) = (step.started_at?, step.ended_at);
        let to = to.unwrap_or_else(|| ui.now.get());
        let ms = (to - from).max(0);
        Some(if ms < 1000 {
            format!("{ms} ms")
        } else {
            time::duration(ui.lang.get(), ms)
        })
    };
    view! {
        <li data-s=step.state.name()>
            <Icon name=step_icon(step.state)/>
            <span>{word}<span class="vh">" "{t(operation_word(step.state))}</span></span>
            <span class="num fnt">{took}</span>
            {step.progress.map(|p| {
                let percent = p.bytes_done as f64 * 100.0 / (p.bytes_total.max(1) as f64);
                view! {
                    <div class="wide"><Meter percent=percent label=Signal::derive(move || ui.text(T::Progress).to_owned())/>
                    <span class="fnt">{format!("{}/{} · {} / {}", p.files_done, p.files_total, time::bytes(p.bytes_done), time::bytes(p.bytes_total))}</span></div>
                }
            })}
        </li>
    }
    .into_any()
}

/// The steps of an operation with their times, its log, and why it failed.
#[component]
pub fn StepList(operation: Operation) -> impl IntoView {
    let ui = ui();
    view! {
        <ol class="steps">{operation.steps.into_iter().map(step_row).collect_view()}</ol>
        {operation.failure.map(|failure| view! { <p class="bad pre">{move || super::failure_text(ui, &failure)}</p> })}
        {(!operation.log.is_empty()).then(|| view! {
            <details>
                <summary>{t(T::OperationLog)}</summary>
                <pre class="log plain" tabindex="0">{operation.log.iter().map(|line| format!("{}  {}\n", time::absolute(line.at, 0), line.text)).collect::<String>()}</pre>
            </details>
        })}
    }
    .into_any()
}
