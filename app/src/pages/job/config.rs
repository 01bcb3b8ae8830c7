//! The definition of the job, and what is sent to the cluster for it.

use super::{Shown, actions::Asked, changes};
use crate::{
    api,
    components::{CopyButton, ErrorLine, Icon, Skeleton, Time, loaded},
    i18n::T,
    time,
    ui::{t, ui},
};
use domain::{
    Action,
    changes::of_specs,
    job::{JobSpec, JobUpdate, JobVersion, LaunchPreview},
};
use leptos::prelude::*;

fn pairs(rows: Vec<(String, String)>) -> AnyView {
    view! {
        <dl class="kv mono">{rows.into_iter().map(|(key, value)| view! { <dt>{key}</dt><dd class="pre">{value}</dd> }).collect_view()}</dl>
    }
    .into_any()
}

fn block(title: T, empty: bool, content: AnyView) -> Option<AnyView> {
    (!empty).then(|| view! { <h3>{t(title)}</h3>{content} }.into_any())
}

/// A launch, redacted by the server.
pub fn launch(launch: LaunchPreview) -> AnyView {
    let files = launch.files;
    view! {
        <dl class="kv">
            <dt>{t(T::Application)}</dt><dd class="mono">{launch.application_name} " (" {launch.application_type} ")"</dd>
            <dt>{t(T::HadoopUser)}</dt><dd class="mono">{launch.hadoop_user}</dd>
            <dt>{t(T::Queue)}</dt><dd class="mono">{launch.queue}</dd>
            <dt>{t(T::MasterContainer)}</dt><dd>{format!("{} MiB, {} vcores", launch.memory_mb, launch.vcores)}</dd>
            <dt>{t(T::Attempts)}</dt><dd>{launch.max_attempts}</dd>
            <dt>{t(T::Tags)}</dt><dd class="mono">{launch.tags.join(", ")}</dd>
        </dl>
        <h3>{t(T::Command)} " " <CopyButton text=launch.command.clone()/></h3>
        <pre class="log plain wrap" tabindex="0">{launch.command}</pre>
        {block(T::EngineConf, launch.conf.is_empty(), pairs(launch.conf))}
        {block(T::EnvVariables, launch.environment.is_empty(), pairs(launch.environment))}
        {block(T::Acls, launch.acls.is_empty(), pairs(launch.acls))}
        {block(T::Files, files.is_empty(), view! {
            <ul class="plain mono">{files.into_iter().map(|file| view! { <li>{file.name} " · " {time::bytes(file.bytes)} " · " <span class="fnt">{file.uri}</span></li> }).collect_view()}</ul>
        }.into_any())}
    }
    .into_any()
}

/// "What will be submitted" or what was; read only when somebody opens it.
pub fn launch_details<F>(title: T, read: impl Fn() -> F + Copy + Send + Sync + 'static) -> AnyView
where
    F: Future<Output = Result<LaunchPreview, api::ApiError>> + 'static,
{
    on_demand(title, read, launch)
}

/// A card that asks for its content when it is opened.
pub fn on_demand<A, F>(
    title: T,
    read: impl Fn() -> F + Copy + Send + Sync + 'static,
    draw: impl Fn(A) -> AnyView + Copy + Send + Sync + 'static,
) -> AnyView
where
    A: Clone + Send + Sync + 'static,
    F: Future<Output = Result<A, api::ApiError>> + 'static,
{
    let answer = RwSignal::new(None::<Result<A, api::ApiError>>);
    let fetch = move || {
        answer.set(None);
        let request = read();
        leptos::task::spawn_local(async move {
            answer.try_set(Some(request.await));
        });
    };
    let toggled = move |event: leptos::ev::Event| {
        let open = event_target::<web_sys::Element>(&event).has_attribute("open");
        // Each time anew: what is asked about may have changed since.
        if open {
            fetch();
        }
    };
    view! {
        <details class="card" on:toggle=toggled>
            <summary><h2>{t(title)}</h2></summary>
            {move || match answer.get() {
                None => view! { <Skeleton/> }.into_any(),
                Some(Ok(found)) => draw(found),
                Some(Err(error)) => view! { <ErrorLine error retry=Callback::new(move |()| fetch())/> }.into_any(),
            }}
        </details>
    }
    .into_any()
}

fn sizes(spec: &JobSpec) -> AnyView {
    let Some(spark) = &spec.spark else {
        let r = spec.resources.clone();
        return view! {
            <dt>{t(T::Parallelism)}</dt><dd>{r.parallelism}</dd>
            <dt>{t(T::Slots)}</dt><dd>{r.slots}</dd>
            <dt>{t(T::JobManagerMemory)}</dt><dd>{format!("{} MiB", r.job_manager_mb)}</dd>
            <dt>{t(T::TaskManagerMemory)}</dt><dd>{format!("{} MiB", r.task_manager_mb)}</dd>
        }
        .into_any();
    };
    let ui = ui();
    let memory = |mb: i64, overhead: Option<i64>, cores: i64| match overhead {
        Some(overhead) => format!("{mb} MiB + {overhead} MiB · {cores} vcores"),
        None => format!("{mb} MiB · {cores} vcores"),
    };
    let dynamic = spark.dynamic.clone();
    let fixed = spark.executors;
    let executors = move || match &dynamic {
        None => fixed.to_string(),
        Some(d) => format!("{}–{} · {}", d.min, d.max, ui.text(T::DynamicExecutors)),
    };
    view! {
        <dt>{t(T::Driver)}</dt><dd>{memory(spark.driver_mb, spark.driver_overhead_mb, spark.driver_cores)}</dd>
        <dt>{t(T::Executor)}</dt><dd>{memory(spark.executor_mb, spark.executor_overhead_mb, spark.executor_cores)}</dd>
        <dt>{t(T::Executors)}</dt><dd>{executors}</dd>
        {spec.priority.map(|priority| view! { <dt>{t(T::Priority)}</dt><dd>{priority}</dd> })}
        {spec.node_label.clone().map(|label| view! { <dt>{t(T::NodeLabel)}</dt><dd class="mono">{label}</dd> })}
    }
    .into_any()
}

fn lines(texts: Vec<String>) -> AnyView {
    view! { <ul class="plain mono">{texts.into_iter().map(|text| view! { <li class="mono-break">{text}</li> }).collect_view()}</ul> }.into_any()
}

fn spec(spec: JobSpec) -> AnyView {
    let sizes = sizes(&spec);
    let dependencies: Vec<_> = spec.dependencies.iter().map(ToString::to_string).collect();
    let conf: Vec<_> = spec.conf.into_iter().collect();
    view! {
        <dl class="kv">
            {sizes}
            <dt>{t(T::Attempts)}</dt><dd>{spec.am_attempts}</dd>
            {spec.time_zone.map(|zone| view! { <dt>{t(T::TimeZone)}</dt><dd>{zone}</dd> })}
            {spec.main_class.map(|class| view! { <dt>{t(T::MainClass)}</dt><dd class="mono">{class}</dd> })}
            {(!spec.tags.is_empty()).then(|| view! { <dt>{t(T::Tags)}</dt><dd class="mono">{spec.tags.join(", ")}</dd> })}
        </dl>
        {block(T::Arguments, spec.args.is_empty(), view! {
            <ol class="args">{spec.args.into_iter().map(|arg| view! { <li><pre>{arg}</pre></li> }).collect_view()}</ol>
        }.into_any())}
        {block(T::Configuration, conf.is_empty(), pairs(conf))}
        {block(T::Dependencies, dependencies.is_empty(), lines(dependencies))}
        {block(T::Files, spec.files.is_empty(), lines(spec.files))}
        {block(T::Archives, spec.archives.is_empty(), lines(spec.archives))}
        {spec.kind.program().is_none().then(|| {
            let sql = spec.sql.unwrap_or_default();
            view! {
                <h3>{t(T::Script)} " " <CopyButton text=sql.clone()/></h3>
                <pre class="log plain" tabindex="0">{sql}</pre>
            }
        })}
    }
    .into_any()
}

/// What a version has that the one before has not, or the other way round.
fn changed(before: &JobVersion, after: &JobVersion) -> AnyView {
    let (ui, number) = (crate::ui::ui(), before.number.to_string());
    let title = move || ui.text(T::ChangedFrom).replace("{number}", &number);
    view! { <h3>{title}</h3>{changes::table(of_specs(&before.spec, &after.spec))} }.into_any()
}

/// Saves an older definition on top of the newest; nothing is lost by it.
fn restore(shown: Shown, asked: Asked, newest: i64, spec: JobSpec) -> AnyView {
    let spec = StoredValue::new(spec);
    let save = move |_| {
        let id = shown.job.with_untracked(|job| job.id.clone());
        let update = JobUpdate {
            base_version: newest,
            spec: spec.get_value(),
        };
        asked.ask(shown, api::jobs::update_job(id, update), move |_| shown.read());
    };
    view! {
        <p><button type="button" class="btn" aria-disabled=move || asked.busy.get().to_string() on:click=save><Icon name="rotate-cw"/>{t(T::RestoreVersion)}</button></p>
    }
    .into_any()
}

pub fn config(shown: Shown) -> AnyView {
    let (restoring, ui) = (Asked::new(), shown.ui);
    let may_write = shown
        .job
        .with_untracked(|job| ui.may_in(Action::JobWrite, &job.team));
    let id = StoredValue::new(shown.job.with_untracked(|job| job.id.clone()));
    let versions = Resource::new(
        move || shown.job.with(|job| job.version),
        move |_| api::jobs::job_versions(id.get_value()),
    );
    let run = Memo::new(move |_| shown.job.with(|job| job.run.as_ref().map(|run| run.id.clone())));
    view! {
        {move || restoring.error.get().map(|error| view! { <ErrorLine error/> })}
        {loaded(versions, move |mut versions| {
            versions.sort_by_key(|version| std::cmp::Reverse(version.number));
            let newest = versions.first().map_or(0, |version| version.number);
            let older = versions.iter().skip(1).cloned().map(Some).chain([None]).collect::<Vec<_>>();
            versions.into_iter().zip(older).map(|(version, older)| {
                let icon = if version.number == newest { "check" } else { "file-code" };
                let changed = older.map(|older| changed(&older, &version));
                let restore = (may_write && version.number != newest)
                    .then(|| restore(shown, restoring, newest, version.spec.clone()));
                view! {
                    <details class="card" open=version.number == newest>
                        <summary><h2><Icon name=icon/> {t(T::Version)} {format!(" v{}", version.number)}</h2>
                            <span class="mut">{version.created_by_name} " · " <Time at=version.created_at/></span></summary>
                        {restore}
                        {changed}
                        {spec(version.spec)}
                    </details>
                }
            }).collect_view().into_any()
        })}
        {launch_details(T::WhatWillBeSubmitted, move || api::jobs::preview_job(id.get_value()))}
        {move || run.get().map(|run| {
            let run = StoredValue::new(run);
            launch_details(T::WhatWasSubmitted, move || api::runs::run_launch(run.get_value()))
        })}
    }
    .into_any()
}
