use crate::{
    i18n::T,
    ui::{t, ui},
};
use domain::Failure;
use leptos::prelude::*;
use std::collections::BTreeMap;

/// Failures of a form by the name of their field.
pub type FieldErrors = RwSignal<BTreeMap<String, Failure>>;

/// Lets failures be told by the names that forms give their fields. Each page that has a form says so: the
/// list of jobs has none, and the names are no part of the first load.
pub fn know_fields() {
    ui().fields.set_value(field_label);
}

/// The label a form gives a field of the JSON body.
fn field_label(name: &str) -> Option<T> {
    Some(match name {
        "name" => T::Name,
        "team" => T::Team,
        "cluster" => T::Cluster,
        "environment" => T::Environment,
        "queue" => T::Queue,
        "sql" => T::Script,
        "artifact" => T::Program,
        "main_class" => T::MainClass,
        "args" => T::Arguments,
        "conf" => T::Configuration,
        "job_manager_mb" => T::JobManagerMemory,
        "task_manager_mb" => T::TaskManagerMemory,
        "slots" => T::Slots,
        "task_manager_vcores" => T::Vcores,
        "parallelism" => T::Parallelism,
        "tags" => T::Tags,
        "time_zone" => T::TimeZone,
        "am_attempts" => T::Attempts,
        "code" => T::Code,
        "hdfs_root" => T::HdfsRoot,
        "service_user" => T::ServiceUser,
        "files" => T::ClientFiles,
        "directory" => T::Directory,
        "grants" => T::Grants,
        "hadoop_user" => T::HadoopUser,
        "days" => T::ValidDays,
        "restore_from" => T::StartFrom,
        "claim_mode" => T::ClaimMode,
        "deadline_s" => T::StopDeadline,
        "driver_mb" => T::DriverMemory,
        "driver_cores" => T::DriverCores,
        "driver_overhead_mb" => T::DriverOverhead,
        "executor_mb" => T::ExecutorMemory,
        "executor_cores" => T::ExecutorCores,
        "executor_overhead_mb" => T::ExecutorOverhead,
        "executors" => T::Executors,
        "min" => T::FewestExecutors,
        "max" => T::MostExecutors,
        "initial" => T::FirstExecutors,
        "idle_seconds" => T::IdleSeconds,
        "cached_idle_seconds" => T::CachedIdleSeconds,
        "shuffle_seconds" => T::ShuffleSeconds,
        "dependencies" => T::Dependencies,
        "archives" => T::Archives,
        "priority" => T::Priority,
        "node_label" => T::NodeLabel,
        _ => return None,
    })
}

/// Label above, hint and error under; `id` is the control's, and `id` + `-e` the error's.
#[component]
pub fn Field(
    id: &'static str,
    label: T,
    /// The field's name in the JSON body, to find its failure.
    name: &'static str,
    errors: FieldErrors,
    #[prop(optional)] hint: Option<T>,
    children: Children,
) -> impl IntoView {
    view! {
        <div class="fld">
            <label for=id>{t(label)}</label>
            {children()}
            {hint.map(|hint| view! { <span class="hint" id=format!("{id}-h")>{t(hint)}</span> })}
            <FieldError id name errors/>
        </div>
    }
    .into_any()
}

/// The error under a field; a screen reader is told with the control.
#[component]
pub fn FieldError(id: &'static str, name: &'static str, errors: FieldErrors) -> impl IntoView {
    let ui = ui();
    view! {
        <span class="err" id=format!("{id}-e")>
            {move || errors.with(|all| all.get(name).map(|failure| super::failure_text(ui, failure)))}
        </span>
    }
    .into_any()
}

/// A line of text bound to a signal.
#[component]
pub fn TextField(
    id: &'static str,
    label: T,
    name: &'static str,
    value: RwSignal<String>,
    errors: FieldErrors,
    #[prop(optional)] hint: Option<T>,
    #[prop(optional)] mono: bool,
    #[prop(optional)] number: bool,
    #[prop(optional)] placeholder: &'static str,
) -> impl IntoView {
    let bad = move || errors.with(|all| all.contains_key(name));
    let body = view! {
        <input id=id class:mono=mono type="text" inputmode=number.then_some("numeric") autocomplete="off" spellcheck="false"
            placeholder=placeholder
            aria-invalid=move || bad().to_string()
            aria-describedby=format!("{id}-h {id}-e")
            prop:value=move || value.get()
            value=value.get_untracked()
            on:input:target=move |event| value.set(event.target().value())/>
    };
    match hint {
        Some(hint) => view! { <Field id label name errors hint>{body}</Field> }.into_any(),
        None => view! { <Field id label name errors>{body}</Field> }.into_any(),
    }
}

/// A choice of `(value, text)` bound to a signal.
#[component]
pub fn SelectField(
    id: &'static str,
    label: T,
    name: &'static str,
    value: RwSignal<String>,
    #[prop(into)] options: Signal<Vec<(String, String)>>,
    errors: FieldErrors,
    #[prop(optional)] hint: Option<T>,
) -> impl IntoView {
    let bad = move || errors.with(|all| all.contains_key(name));
    let body = view! {
        <select id=id aria-invalid=move || bad().to_string() aria-describedby=format!("{id}-h {id}-e")
            on:change:target=move |event| value.set(event.target().value())>
            {move || options.get().into_iter().map(|(key, text)| {
                let chosen = key.clone();
                view! { <option value=key.clone() prop:selected=move || value.get() == chosen>{text}</option> }
            }).collect_view()}
        </select>
    };
    match hint {
        Some(hint) => view! { <Field id label name errors hint>{body}</Field> }.into_any(),
        None => view! { <Field id label name errors>{body}</Field> }.into_any(),
    }
}
