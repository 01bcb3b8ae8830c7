use super::{Shown, history::said_by};
use crate::{
    components::{CopyButton, Outside, Time},
    i18n::{T, fill},
    time,
    ui::t,
};
use domain::run::Run;
use leptos::prelude::*;

fn fact(name: T, value: AnyView) -> AnyView {
    view! { <dt>{t(name)}</dt><dd>{value}</dd> }.into_any()
}

pub fn about(shown: Shown) -> AnyView {
    let ui = shown.ui;
    // Drawn anew only when something of it changed.
    let job = Memo::new(move |_| shown.job.get());
    view! {
        <section class="card">
            <h2>{t(T::About)}</h2>
            <dl class="kv">
                {move || {
                    let job = job.get();
                    view! {
                        {fact(T::Owner, view! { {job.created_by_name} }.into_any())}
                        {fact(T::Team, view! { {job.team_name} }.into_any())}
                        {fact(T::Cluster, view! { <a href=crate::paths::cluster(&job.spec.cluster)>{job.spec.cluster.clone()}</a> }.into_any())}
                        {fact(T::Queue, view! { <span class="mono">{job.spec.queue}</span> }.into_any())}
                        {fact(T::Environment, view! { {job.environment_name} }.into_any())}
                        {fact(T::Version, view! { {format!("v{}", job.version)} }.into_any())}
                        {job.artifact_name.map(|name| fact(T::Program, view! { <span class="mono">{name}</span> }.into_any()))}
                        {fact(T::Changed, view! { <Time at=job.updated_at/> }.into_any())}
                    }
                }}
            </dl>
        </section>
        {move || job.with(|job| job.run.clone()).map(|run| run_facts(ui, run))}
    }
    .into_any()
}

fn run_facts(ui: crate::ui::Ui, run: Run) -> AnyView {
    let usage = run.usage;
    view! {
        <section class="card">
            <h2>{t(T::Run)}</h2>
            <dl class="kv">
                {run.external_id.map(|id| fact(T::Application, view! {
                    <span class="mono">{id.clone()}</span><CopyButton text=id/>
                }.into_any()))}
                {run.engine_job_id.map(|id| fact(T::EngineJob, view! { <span class="mono">{id}</span> }.into_any()))}
                {run.final_status.map(|status| fact(T::FinalStatus, view! { <span class="mono">{status}</span> }.into_any()))}
                {fact(T::Version, view! { {format!("v{}", run.version)} }.into_any())}
                {fact(T::Snapshot, view! { {format!("{} · {}", run.environment_name, run.snapshot)} }.into_any())}
                {fact(T::StartedBy, view! { {run.created_by_name} " · " <Time at=run.created_at/> }.into_any())}
                {run.restored_from.map(|from| fact(T::RestoredFrom, view! {
                    <span class="mono">{from.path.clone()}</span><CopyButton text=from.path/>
                }.into_any()))}
                {run.tasks_total.filter(|total| *total > 0).map(|total| fact(T::TasksRunning, view! { {format!("{} / {total}", run.tasks_running.unwrap_or(0))} }.into_any()))}
                {fact(T::AttemptsSeen, view! { {run.attempts} }.into_any())}
                {run.observed_at.map(|at| {
                    let by = run.observed_by.unwrap_or_default();
                    fact(T::Observed, view! {
                        <Time at/> " "
                        {move || fill(ui.text(T::By), &[("who", said_by(&by).map_or(by.as_str(), |text| ui.text(text)))])}
                    }.into_any())
                })}
                {fact(T::Used, view! { {move || format!(
                    "{} · {}",
                    fill(ui.text(T::CoreSeconds), &[("n", &time::count(usage.vcore_seconds))]),
                    fill(ui.text(T::MemorySeconds), &[("n", &time::count(usage.memory_mb_seconds / 1024))]),
                )} }.into_any())}
                {run.tracking_url.map(|url| fact(T::EngineUi, view! { <Outside url>{t(T::OpenEngineUi)}</Outside> }.into_any()))}
            </dl>
        </section>
    }
    .into_any()
}
