//! Logs of the job's last run: which container, which file, and the file as a window of lines.

mod bar;
mod file;
mod window;

use super::Shown;
use crate::{
    api::{self, ApiError},
    components::{Banner, Empty, ErrorLine, Skeleton, Tone, error_text, note_error},
    i18n::T,
    ui::Ui,
};
use domain::{Code, id::RunId, logs::LogContainer, run::Run};
use file::LogFile;
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;
use std::time::Duration;

/// How long until the cluster is asked again for logs it still collects.
const AGAIN: Duration = Duration::from_secs(3);

fn not_yet(error: &ApiError) -> bool {
    error.code() == Some(Code::LogsNotReady)
}

/// Why there are no lines: told as a wait while the cluster collects them, as an error otherwise.
fn missing(ui: Ui, error: ApiError, retry: Callback<()>) -> AnyView {
    if not_yet(&error) {
        return view! {
            <Banner tone=Tone::Plain>{move || error_text(ui, &error)}</Banner>
            <Skeleton lines=6/>
        }
        .into_any();
    }
    view! { <ErrorLine error retry/> }.into_any()
}

type Containers = RwSignal<Option<Result<Vec<LogContainer>, ApiError>>>;

fn fetch(shown: Shown, run: RunId, containers: Containers) {
    leptos::task::spawn_local(async move {
        let answer = api::logs::log_containers(run.clone()).await;
        if let Err(error) = &answer {
            note_error(shown.ui, error);
            if not_yet(error) {
                // The view may be gone by then; its signal is then too.
                set_timeout(
                    move || {
                        if containers.try_get_untracked().is_some() {
                            fetch(shown, run, containers);
                        }
                    },
                    AGAIN,
                );
            }
        }
        containers.try_set(Some(answer));
    });
}

/// Fetched with the first look at a log; the lines come later still, so nothing is lost for readers without scripts.
#[leptos::lazy]
pub fn logs(shown: Shown) -> AnyView {
    let run = Memo::new(move |_| {
        shown
            .job
            .with(|job| job.run.clone().filter(has_logs).map(|run| run.id))
    });
    view! {
        {move || match run.get() {
            None => view! { <div class="card"><Empty icon="square-terminal" title=T::NoLogs hint=T::NoLogsHint/></div> }.into_any(),
            Some(run) => of_run(shown, run),
        }}
    }
    .into_any()
}

fn has_logs(run: &Run) -> bool {
    run.external_id.is_some()
}

fn of_run(shown: Shown, run: RunId) -> AnyView {
    let containers: Containers = RwSignal::new(None);
    // Reading them may take the cluster a while, so the page does not wait for it.
    Effect::new({
        let run = run.clone();
        move |_| fetch(shown, run.clone(), containers)
    });
    // A container that starts or ends changes what can be read.
    let state = Memo::new(move |_| {
        shown
            .job
            .with(|job| job.run.as_ref().map(|run| (run.state, run.tasks_total)))
    });
    Effect::new({
        let run = run.clone();
        move |first: Option<()>| {
            state.track();
            if first.is_some() {
                fetch(shown, run.clone(), containers);
            }
        }
    });
    let retry = {
        let run = run.clone();
        Callback::new(move |()| fetch(shown, run.clone(), containers))
    };
    let known =
        Memo::new(move |_| containers.with(|answer| matches!(answer, Some(Ok(list)) if !list.is_empty())));
    view! {
        {move || {
            let run = run.clone();
            if known.get() {
                return picked(shown, run, containers);
            }
            match containers.get() {
                None => view! { <Skeleton lines=6/> }.into_any(),
                Some(Ok(_)) => view! { <div class="card"><Empty icon="square-terminal" title=T::NoLogs hint=T::NoLogsHint/></div> }.into_any(),
                Some(Err(error)) => missing(shown.ui, error, retry),
            }
        }}
    }
    .into_any()
}

/// The main log first: other files hold what went wrong before it was opened.
fn main_file(container: &LogContainer) -> Option<String> {
    let log = container
        .files
        .iter()
        .find(|file| file.name.ends_with(".log") && file.bytes > 0);
    log.or_else(|| container.files.iter().max_by_key(|file| file.bytes))
        .map(|file| file.name.clone())
}

fn picked(shown: Shown, run: RunId, containers: Containers) -> AnyView {
    let query = use_query_map();
    let list = Memo::new(move |_| {
        containers.with(|answer| answer.as_ref().and_then(|a| a.clone().ok()).unwrap_or_default())
    });
    let choice = Memo::new(move |_| {
        let query = query.read();
        let (c, f) = (query.get("c"), query.get("f"));
        list.with(|list| {
            let container = c
                .and_then(|id| list.iter().find(|container| container.id == id))
                .or_else(|| list.iter().find(|container| container.role == "jobmanager"))
                .or_else(|| list.first())?;
            let file = f
                .filter(|f| container.files.iter().any(|file| file.name == *f))
                .or_else(|| main_file(container))?;
            Some((container.id.clone(), file))
        })
    });
    let picker = bar::picker(shown, list, choice);
    view! {
        <section class="card stack">
            {picker}
            {move || match choice.get() {
                Some((container, file)) => {
                    let log = LogFile::open(shown.ui, run.clone(), container, file);
                    view! { {bar::bar(log)} {window::window(log)} }.into_any()
                }
                None => view! { <Empty icon="square-terminal" title=T::NoLogs hint=T::NoLogsHint/> }.into_any(),
            }}
        </section>
    }
    .into_any()
}
