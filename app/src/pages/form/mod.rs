//! New and edited jobs.

mod conflict;
mod draft;
mod jar;
mod rows;
mod save;
mod state;
mod where_it_runs;

use crate::{
    api,
    components::{
        Banner, CodeEditor, Field, Icon, PageTitle, TextField, Tone, failure_text, forbidden, loaded,
    },
    i18n::T,
    paths,
    ui::{t, ui},
};
use domain::{
    Action,
    artifact::Artifact,
    cluster::Cluster,
    environment::Environment,
    identity::Team,
    job::{Job, JobKind},
    sql::Script,
};
use leptos::prelude::*;
use leptos_router::hooks::{use_params_map, use_query_map};
use serde::{Deserialize, Serialize};
use state::Form;

/// What the form offers to choose from, and what it begins with.
#[derive(Clone, Serialize, Deserialize)]
pub struct Offer {
    pub clusters: Vec<Cluster>,
    pub environments: Vec<Environment>,
    pub artifacts: Vec<Artifact>,
    pub teams: Vec<Team>,
    /// The job that is edited or copied.
    pub job: Option<Job>,
}

async fn offer(job: Option<String>) -> Result<Offer, api::ApiError> {
    let job = match job {
        Some(id) => Some(api::jobs::job(id).await?),
        None => None,
    };
    Ok(Offer {
        clusters: api::clusters::clusters().await?,
        environments: api::environments::environments().await?,
        artifacts: api::artifacts::artifacts().await?,
        teams: api::clusters::teams().await?,
        job,
    })
}

pub fn new_job() -> AnyView {
    if !ui().may(Action::JobWrite) {
        return forbidden(Action::JobWrite);
    }
    let query = use_query_map();
    let kind = Memo::new(move |_| {
        query
            .read()
            .get("kind")
            .and_then(|kind| JobKind::from_name(&kind))
            .unwrap_or(JobKind::FlinkSql)
    });
    let from = Memo::new(move |_| query.read().get("from"));
    let resource = Resource::new_blocking(move || (kind.get(), from.get()), |(_, from)| offer(from));
    loaded(resource, move |mut offer| {
        let base = offer.job.take();
        form(Form::new(offer, kind.get_untracked(), base, None))
    })
}

pub fn edit_job() -> AnyView {
    if !ui().may(Action::JobWrite) {
        return forbidden(Action::JobWrite);
    }
    let params = use_params_map();
    let id = Memo::new(move |_| params.read().get("id").unwrap_or_default());
    let resource = Resource::new_blocking(move || id.get(), |id| offer(Some(id)));
    loaded(resource, move |mut offer| {
        let job = offer.job.take();
        let kind = job.as_ref().map_or(JobKind::FlinkSql, |job| job.spec.kind);
        form(Form::new(offer, kind, job.clone(), job))
    })
}

fn form(form: Form) -> AnyView {
    let ui = ui();
    let kind = form.kind;
    draft::keep(form);
    let title = Signal::derive(move || {
        ui.text(match (form.editing(), kind) {
            (true, _) => T::EditJob,
            (false, kind) if kind.program().is_none() => T::NewSqlJob,
            (false, _) => T::NewJarJob,
        })
        .to_owned()
    });
    view! {
        <PageTitle text=title/>
        <p class="crumb"><a href=paths::JOBS>{t(T::Jobs)}</a> " / "
            {form.saved.get_untracked().map(|(id, _)| view! { <a href=paths::job(&id)>{form.first_name()}</a> " / " })}
            {move || title.get()}</p>
        <div class="hd">
            <h1>{move || title.get()}</h1>
            <span class="tag">{kind.label()}</span>
            <span class="mut" role="status">{move || draft::status(form)}</span>
        </div>
        {draft::restored(form)}
        {conflict::conflict(form)}
        <form class="cols" autocomplete="off" on:submit=move |event| { event.prevent_default(); save::save(form, false); }>
            <div class="stack">
                <section class="card stack">
                    <TextField id="f-name" label=T::Name name="name" value=form.name errors=form.errors/>
                </section>
                {if kind.program().is_none() { sql(form) } else { jar::jar(form) }}
                {rows::args(form)}
                {rows::conf(form)}
            </div>
            <div class="stack">
                {where_it_runs::target(form)}
                {where_it_runs::resources(form)}
            </div>
            {save::bar(form)}
        </form>
    }
    .into_any()
}

/// What is wrong with a script as far as the console can tell, with its line.
fn script_problem(ui: crate::ui::Ui, text: &str) -> Option<(u32, String)> {
    let failure = Script::parse(text).err()?;
    let line = failure
        .args
        .get("line")
        .and_then(|line| line.parse().ok())
        .unwrap_or(1);
    Some((line, failure_text(ui, &failure)))
}

fn sql(form: Form) -> AnyView {
    let ui = ui();
    let problem = Memo::new(move |_| form.sql.with(|text| script_problem(ui, text)));
    let mode = move || {
        form.sql.with(|text| {
            Script::parse(text)
                .ok()
                .filter(|script| !script.statements.is_empty())
                .map(|script| {
                    let n = script.job_statements().to_string();
                    crate::i18n::fill(
                        ui.text(if script.is_batch() {
                            T::BatchScript
                        } else {
                            T::StreamScript
                        }),
                        &[("n", &n)],
                    )
                })
        })
    };
    view! {
        <section class="card stack">
            <Field id="f-sql" label=T::Script name="sql" errors=form.errors hint=T::ScriptHint>
                <CodeEditor id="f-sql" value=form.sql label=T::EditorLabel problem/>
            </Field>
            <p class="mut">{move || problem.get().map_or_else(|| mode().unwrap_or_default(), |(_, text)| text)}</p>
        </section>
        {move || form.sql.with(String::is_empty).then(|| view! {
            <Banner tone=Tone::Plain>
                {t(T::ExampleHint)} " "
                <button type="button" class="btn" on:click=move |_| form.sql.set(EXAMPLE.to_owned())><Icon name="file-code"/>{t(T::InsertExample)}</button>
            </Banner>
        })}
    }
    .into_any()
}

/// A first script that needs nothing outside.
const EXAMPLE: &str = "SET 'execution.runtime-mode' = 'streaming';

CREATE TEMPORARY TABLE numbers (
  id BIGINT,
  amount INT
) WITH (
  'connector' = 'datagen',
  'rows-per-second' = '5'
);

CREATE TEMPORARY TABLE printed (
  id BIGINT,
  amount INT
) WITH (
  'connector' = 'print'
);

INSERT INTO printed
SELECT id, amount FROM numbers;
";
