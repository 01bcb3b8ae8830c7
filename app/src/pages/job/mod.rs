//! One job: what it does now, why, and what it did before.

mod about;
mod actions;
mod changes;
mod config;
mod delete;
mod dialogs;
mod history;
mod logs;
mod overview;
mod points;
mod runs;
mod start;
mod stop;
mod timeline;

pub use config::launch_details;

use crate::{
    api,
    components::{
        Banner, CopyButton, PageTitle, Skeleton, StateChip, Tone, error_page, failure_text, loaded,
        note_error,
    },
    i18n::T,
    late::late,
    live, paths,
    ui::{Batch, Ui, t, ui},
};
use domain::{
    Code, Failure,
    event::Topic,
    id::RestorePointId,
    job::{Job, JobKind},
    operation::Operation,
    run::{RunEvent, RunState, StopMode},
};
use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

/// What a start begins from, and the tab where it is kept.
const POINTS: &str = "restore-points";

const TABS: [(&str, T); 5] = [
    ("overview", T::Overview),
    ("logs", T::Logs),
    ("config", T::Configuration),
    ("runs", T::Runs),
    (POINTS, T::RestorePoints),
];

/// The job as shown, kept fresh by the live stream.
#[derive(Clone, Copy)]
pub struct Shown {
    pub ui: Ui,
    pub job: RwSignal<Job>,
    pub events: RwSignal<Vec<RunEvent>>,
    pub operation: RwSignal<Option<Operation>>,
    pub gone: RwSignal<Option<api::ApiError>>,
    /// The dialog that asks what a start begins from.
    pub starting: RwSignal<bool>,
    /// The restore point it proposes; the newest valid one when nobody chose.
    pub proposed: RwSignal<Option<RestorePointId>>,
}

impl Shown {
    fn new(job: Job, events: Vec<RunEvent>, operation: Option<Operation>) -> Self {
        let shown = Self {
            ui: ui(),
            job: RwSignal::new(job),
            events: RwSignal::new(events),
            operation: RwSignal::new(operation),
            gone: RwSignal::new(None),
            starting: RwSignal::new(false),
            proposed: RwSignal::new(None),
        };
        live::on_batch(move |batch| {
            if shown.concerns(&batch) {
                shown.read();
            }
        });
        shown
    }

    fn concerns(self, batch: &Batch) -> bool {
        self.job.with_untracked(|job| {
            let run = job.run.as_ref();
            batch.any(|event| match event.topic {
                Topic::Job => event.id == job.id.as_str(),
                Topic::Run => {
                    event.job.as_deref() == Some(job.id.as_str())
                        || run.is_some_and(|run| event.id == run.id.as_str())
                }
                Topic::Operation => {
                    let operation = run.and_then(|run| run.operation.as_ref());
                    operation.is_some_and(|operation| event.id == operation.as_str())
                }
                Topic::Environment | Topic::Cluster => false,
            })
        })
    }

    /// Reads the job, its run's history and its operation anew; what cannot be read stays as it was.
    pub fn read(self) {
        let Some(id) = self.job.try_with_untracked(|job| job.id.to_string()) else {
            return;
        };
        leptos::task::spawn_local(async move {
            match api::jobs::job(id).await {
                Ok(job) => {
                    let (events, operation) = beside(&job).await;
                    self.ui.saw(job.run.as_ref().and_then(|run| run.observed_at));
                    self.events.try_set(events);
                    self.operation.try_set(operation);
                    self.job.try_set(job);
                    self.gone.try_set(None);
                }
                Err(error) => {
                    note_error(self.ui, &error);
                    self.gone.try_set(Some(error));
                }
            }
        });
    }
}

/// History and operation of the job's run. Either may be unreadable without hiding the job.
async fn beside(job: &Job) -> (Vec<RunEvent>, Option<Operation>) {
    let Some(run) = &job.run else {
        return (Vec::new(), None);
    };
    let events = api::runs::run_events(run.id.clone()).await.unwrap_or_default();
    let operation = match &run.operation {
        Some(id) => api::runs::operation(id.clone()).await.ok(),
        None => None,
    };
    (events, operation)
}

type Page = (Job, Vec<RunEvent>, Option<Operation>);

async fn page(id: String) -> Result<Page, api::ApiError> {
    let job = api::jobs::job(id).await?;
    let (events, operation) = beside(&job).await;
    Ok((job, events, operation))
}

pub fn job() -> AnyView {
    let params = use_params_map();
    let id = Memo::new(move |_| params.read().get("id").unwrap_or_default());
    let tab = Memo::new(move |_| params.read().get("tab").unwrap_or_else(|| TABS[0].0.to_owned()));
    let resource = Resource::new_blocking(move || id.get(), page);
    loaded(resource, move |(job, events, operation)| {
        body(Shown::new(job, events, operation), tab)
    })
}

fn body(shown: Shown, tab: Memo<String>) -> AnyView {
    let Shown { ui, job, .. } = shown;
    let run = Memo::new(move |_| job.with(|job| job.run.clone()));
    let id = job.with_untracked(|job| job.id.clone());
    let name = Signal::derive(move || job.with(|job| job.spec.name.clone()));
    // The tab of the browser tells the state too.
    let title = Signal::derive(move || {
        let state = run.with(|run| run.as_ref().map(|run| run.state));
        match state {
            Some(state) => format!(
                "{} · {}",
                name.get(),
                ui.text(crate::components::state_word(state))
            ),
            None => name.get(),
        }
    });
    let here = id.clone();
    let keeps_state = job.with_untracked(|job| keeps_state(job.spec.kind));
    view! {
        <PageTitle text=title/>
        <p class="crumb"><a href=paths::JOBS>{t(T::Jobs)}</a> " / " {move || name.get()}</p>
        <div class="hd">
            <h1 class="mono-break">{move || name.get()}</h1>
            {move || view! { <StateChip run=run.get()/> }}
            <span class="tag">{move || job.with(|job| job.spec.kind.label())}</span>
            <span class="mono fnt hide-s">{id.to_string()}</span><CopyButton text=id.to_string()/>
            <span class="sp"></span>
            {actions::buttons(shown)}
        </div>
        {move || shown.gone.get().map(|error| view! { <crate::components::ErrorLine error retry=Callback::new(move |()| shown.read())/> })}
        {move || trouble(shown)}
        <div class="tabs" role="tablist" aria-label=t(T::Sections)>
            {TABS.into_iter().filter(|(key, _)| *key != POINTS || keeps_state).map(|(key, text)| {
                let href = if key == TABS[0].0 { paths::job(&here) } else { paths::job_tab(&here, key) };
                view! {
                    <a role="tab" href=href id=format!("tab-{key}") aria-controls="panel" aria-selected=move || (tab.get() == key).to_string()>{t(text)}</a>
                }
            }).collect_view()}
        </div>
        <div id="panel" role="tabpanel" class="stack" aria-labelledby=move || format!("tab-{}", tab.get())>
            {move || match tab.get().as_str() {
                "overview" => overview::overview(shown),
                "logs" => late(|| true, move || logs::logs(shown), || Some(view! { <Skeleton lines=6/> }.into_any())),
                "config" => config::config(shown),
                "runs" => runs::runs(shown),
                POINTS if keeps_state => late(|| true, move || points::points(shown), || Some(view! { <Skeleton/> }.into_any())),
                _ => error_page(api::ApiError::found(Failure::new(Code::NoRoute)), Callback::new(|()| ())),
            }}
        </div>
    }
    .into_any()
}

/// Whether runs of the kind leave something that another can start from.
pub fn keeps_state(kind: JobKind) -> bool {
    StopMode::of(kind.engine()).iter().any(|mode| mode.keeps_state())
}

/// The cause in one sentence, with the way to the log.
fn trouble(shown: Shown) -> Option<AnyView> {
    let ui = shown.ui;
    let run = shown.job.with(|job| job.run.clone())?;
    let failure = run.failure?;
    let log = shown.job.with_untracked(|job| paths::job_tab(&job.id, "logs"));
    let ended = matches!(
        run.state,
        RunState::Failed | RunState::Killed | RunState::LostTrack
    );
    let at = run.ended_at.unwrap_or(run.state_since);
    let has_log = run.external_id.is_some();
    Some(
        view! {
            <Banner tone=if ended { Tone::Error } else { Tone::Warn }>
                <b>{t(crate::components::state_word(run.state))} " · " {move || ui.when(at)}</b> " – "
                <span class="pre">{move || failure_text(ui, &failure)}</span>
                {has_log.then(|| view! { " " <a href=format!("{log}?at=error")>{t(T::ShowFirstError)}</a> })}
            </Banner>
        }
        .into_any(),
    )
}
