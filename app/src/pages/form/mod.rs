//! New and edited jobs.

mod conflict;
mod draft;
mod kinds;
mod parts;
mod program;
mod rows;
mod save;
mod sizes;
mod spark;
mod sql;
mod state;
mod where_it_runs;

use crate::{
    api,
    components::{PageTitle, Skeleton, TextField, forbidden, loaded},
    i18n::{T, fill},
    late::late,
    paths,
    ui::{t, ui},
};
use domain::{
    Action, Engine,
    artifact::Artifact,
    cluster::Cluster,
    environment::Environment,
    identity::Team,
    job::{Job, JobKind},
};
use leptos::prelude::*;
use leptos_router::hooks::{use_params_map, use_query_map};
use parts::Part;
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
    });
    let from = Memo::new(move |_| query.read().get("from"));
    let artifact = query.with_untracked(|query| query.get("artifact"));
    let resource = Resource::new_blocking(
        move || (kind.get(), from.get()),
        |(kind, from)| async move {
            match kind {
                Some(kind) => offer(from).await.map(|offer| Some((kind, offer))),
                None => Ok(None),
            }
        },
    );
    loaded(resource, move |chosen| {
        let Some((kind, mut offer)) = chosen else {
            return kinds::kinds();
        };
        let base = offer.job.take();
        let new = Form::new(offer, kind, base, None);
        if let Some(artifact) = &artifact {
            new.begin_with(artifact);
        }
        form(new)
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
    let (kind, engine) = (form.kind, form.kind.engine());
    draft::keep(form);
    let title = Signal::derive(move || {
        if form.editing() {
            ui.text(T::EditJob).to_owned()
        } else {
            fill(ui.text(T::NewJobOf), &[("kind", kind.label())])
        }
    });
    view! {
        <PageTitle text=title/>
        <p class="crumb"><a href=paths::JOBS>{t(T::Jobs)}</a> " / "
            {form.saved.get_untracked().map(|(id, _)| view! { <a href=paths::job(&id)>{form.first_name()}</a> " / " })}
            {move || title.get()}</p>
        <div class="hd">
            <h1>{move || title.get()}</h1>
            {move || form.editing().then(|| view! { <span class="tag">{kind.label()}</span> })}
            <span class="mut" role="status">{move || draft::status(form)}</span>
        </div>
        {draft::restored(form)}
        {late(move || form.theirs.with(Option::is_some), move || conflict::conflict(form), || None)}
        <form class="cols" autocomplete="off" on:submit=move |event| { event.prevent_default(); save::save(form, false); }>
            <div class="stack">
                <section class="card stack">
                    <TextField id="f-name" label=T::Name name="name" value=form.name errors=form.errors/>
                </section>
                {match kind.program() {
                    None => sql::sql(form),
                    Some(program) => part(form, Part::Program(program)),
                }}
                {rows::args(form)}
                {rows::conf(form)}
                {(engine == Engine::Spark).then(|| part(form, Part::SparkFiles))}
            </div>
            <div class="stack">
                {where_it_runs::target(form)}
                {match engine {
                    Engine::Flink => where_it_runs::resources(form),
                    Engine::Spark => part(form, Part::SparkSizes),
                }}
                {where_it_runs::options(form)}
            </div>
            {save::bar(form)}
        </form>
    }
    .into_any()
}

/// A part that is a module of its own. It is at hand when a drawn page is taken over; see [`fetch_parts`].
fn part(form: Form, part: Part) -> AnyView {
    view! {
        <Transition fallback=|| view! { <Skeleton/> }.into_any()>
            {move || Suspend::new(parts::draw(form, part))}
        </Transition>
    }
    .into_any()
}

/// Fetches the modules of the parts that the page at this address may have been drawn with.
#[cfg(target_arch = "wasm32")]
pub async fn fetch_parts() {
    let here = window().location();
    let (path, query) = (
        here.pathname().unwrap_or_default(),
        here.search().unwrap_or_default(),
    );
    // What is edited is not known from its address.
    if path != paths::NEW_JOB || query.contains("jar") || query.contains("spark") {
        parts::__preload_draw().await;
    }
}
