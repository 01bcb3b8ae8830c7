//! Environments: what jobs run on, and on which clusters it lies.

use crate::{
    api::{self, ApiError},
    bridge,
    components::{
        Empty, ErrorLine, FieldErrors, Icon, Meter, SelectField, StepList, TextField, TitleOf, failure_text,
        loaded, note_error,
    },
    i18n::{T, fill},
    live, time,
    ui::{t, ui},
};
use domain::{
    Action,
    cluster::Cluster,
    environment::{ClusterPlacement, Environment, EnvironmentInput},
    event::Topic,
    id::{EnvironmentId, OperationId},
    identity::Team,
    operation::Operation,
};
use leptos::prelude::*;
use std::collections::BTreeMap;

type Content = (Vec<Environment>, Vec<Cluster>, Vec<Team>);
type Shown = Resource<Result<Content, ApiError>>;

async fn content() -> Result<Content, ApiError> {
    Ok((
        api::environments::environments().await?,
        api::clusters::clusters().await?,
        api::clusters::teams().await?,
    ))
}

pub fn environments() -> AnyView {
    let ui = ui();
    let resource = Resource::new_blocking(|| (), |()| content());
    live::on_batch(move |batch| {
        if batch.any(|event| matches!(event.topic, Topic::Environment | Topic::Operation)) {
            resource.refetch();
        }
    });
    let may_write = ui.may(Action::EnvironmentWrite);
    let adding = RwSignal::new(false);
    view! {
        <TitleOf text=T::Environments/>
        <div class="hd"><h1>{t(T::Environments)}</h1><span class="sp"></span>
            {may_write.then(|| view! {
                <button type="button" class="btn pri" aria-expanded=move || adding.get().to_string() on:click=move |_| adding.update(|on| *on = !*on)><Icon name="plus"/>{t(T::RegisterEnvironment)}</button>
            })}
        </div>
        <p class="mut">{t(T::EnvironmentsHint)}</p>
        {loaded(resource, move |(list, clusters, teams)| view! {
            {move || adding.get().then(|| register(resource, adding, teams.clone()))}
            {if list.is_empty() {
                view! { <div class="card"><Empty icon="folder-sync" title=T::NoEnvironments hint=if may_write { T::NoEnvironmentsHint } else { T::AskAdministrator }/></div> }.into_any()
            } else {
                list.into_iter().map(|environment| card(resource, environment, &clusters)).collect_view().into_any()
            }}
        }.into_any())}
    }
    .into_any()
}

fn register(resource: Shown, adding: RwSignal<bool>, teams: Vec<Team>) -> AnyView {
    let ui = ui();
    let (name, directory, team) = (
        RwSignal::new(String::new()),
        RwSignal::new(String::new()),
        RwSignal::new(String::new()),
    );
    let errors: FieldErrors = RwSignal::new(BTreeMap::new());
    let (error, busy) = (RwSignal::new(None::<ApiError>), RwSignal::new(false));
    let options = Signal::derive(move || {
        let mut options = vec![(String::new(), ui.text(T::SharedByAll).to_owned())];
        options.extend(teams.iter().map(|team| (team.id.to_string(), team.name.clone())));
        options
    });
    let submit = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        if busy.get_untracked() {
            return;
        }
        busy.set(true);
        error.set(None);
        let input = EnvironmentInput {
            name: name.get_untracked().trim().to_owned(),
            team: team.get_untracked().parse().ok(),
            directory: directory.get_untracked().trim().to_owned(),
        };
        leptos::task::spawn_local(async move {
            let answer = api::environments::create_environment(input).await;
            busy.try_set(false);
            match answer {
                Ok(_) => {
                    adding.try_set(false);
                    resource.refetch();
                }
                Err(failed) => {
                    note_error(ui, &failed);
                    if let ApiError::Failed(told) = &failed {
                        errors.try_set(
                            told.fields
                                .iter()
                                .map(|f| (f.field.clone(), f.failure.clone()))
                                .collect(),
                        );
                    }
                    error.try_set(Some(failed));
                }
            }
        });
    };
    view! {
        <form class="card stack narrow" autocomplete="off" on:submit=submit>
            <h2>{t(T::RegisterEnvironment)}</h2>
            <TextField id="e-name" label=T::Name name="name" value=name errors placeholder="flink-2.3.0"/>
            <TextField id="e-directory" label=T::Directory name="directory" value=directory errors hint=T::EnvironmentDirectoryHint mono=true placeholder="/opt/flink-2.3.0"/>
            <SelectField id="e-team" label=T::Team name="team" value=team options errors/>
            {move || error.get().map(|error| view! { <ErrorLine error/> })}
            <div class="hd"><button type="submit" class="btn pri" aria-disabled=move || busy.get().to_string()>{move || busy.get().then(|| view! { <Icon name="loader"/> })}{t(T::Register)}</button></div>
        </form>
    }
    .into_any()
}

fn card(resource: Shown, environment: Environment, clusters: &[Cluster]) -> AnyView {
    let ui = ui();
    let may_sync = match &environment.team {
        Some(team) => ui.may_in(Action::EnvironmentSync, team),
        None => ui.may(Action::EnvironmentSync),
    };
    let rows = clusters.iter().map(|cluster| {
        let placement = environment
            .placements
            .iter()
            .find(|p| p.cluster_code == cluster.code)
            .cloned();
        placed(
            resource,
            environment.id.clone(),
            environment.snapshot,
            cluster.code.clone(),
            placement,
            may_sync,
        )
    });
    let rows = rows.collect_view();
    view! {
        <section class="card stack">
            <div class="hd">
                <h2>{environment.name}</h2><span class="tag">{format!("{} {}", environment.engine.label(), environment.version)}</span>
                <span class="mut">{t(T::Snapshot)} {format!(" {} · ", environment.snapshot)}
                    {move || fill(ui.text(T::FileCount), &[("n", &time::count(environment.files))])} {format!(" · {}", time::bytes(environment.bytes))}</span>
            </div>
            <p class="mono fnt">{environment.directory}</p>
            <div class="grid" tabindex="0"><table>
                <thead><tr><th scope="col">{t(T::Cluster)}</th><th scope="col">{t(T::State)}</th><th scope="col">{t(T::Progress)}</th><th scope="col" class="act"><span class="vh">{t(T::Actions)}</span></th></tr></thead>
                <tbody>{rows}</tbody>
            </table></div>
        </section>
    }
    .into_any()
}

fn placed(
    resource: Shown,
    id: EnvironmentId,
    newest: i64,
    cluster: String,
    placement: Option<ClusterPlacement>,
    may_sync: bool,
) -> AnyView {
    let ui = ui();
    let (busy, error) = (RwSignal::new(false), RwSignal::new(None::<ApiError>));
    let current = placement.as_ref().and_then(|p| p.snapshot) == Some(newest);
    let going = placement
        .as_ref()
        .is_some_and(|p| p.operation.is_some() && p.failure.is_none() && p.files_done < p.files_total);
    let percent = placement
        .as_ref()
        .map(|p| p.bytes_done as f64 * 100.0 / p.bytes_total.max(1) as f64);
    let counts = placement.as_ref().map(|p| {
        format!(
            "{}/{} · {} / {}",
            p.files_done,
            p.files_total,
            time::bytes(p.bytes_done),
            time::bytes(p.bytes_total)
        )
    });
    let failure = placement.as_ref().and_then(|p| p.failure.clone());
    let operation = placement.and_then(|p| p.operation);
    let code = StoredValue::new((id, cluster.clone()));
    let place = move |_| {
        if busy.get_untracked() {
            return;
        }
        busy.set(true);
        error.set(None);
        let (id, cluster) = code.get_value();
        leptos::task::spawn_local(async move {
            let answer = api::environments::place_environment(id, cluster, bridge::random_key()).await;
            busy.try_set(false);
            match answer {
                Ok(_) => resource.refetch(),
                Err(failed) => {
                    note_error(ui, &failed);
                    error.try_set(Some(failed));
                }
            }
        });
    };
    let label = cluster.clone();
    view! {
        <tr>
            <td class="mono">{cluster}</td>
            <td>{match (current, going, failure.is_some()) {
                (_, true, _) => view! { <span class="st" data-f="prog"><Icon name="loader"/>{t(T::Placing)}</span> }.into_any(),
                (_, _, true) => view! { <span class="st" data-f="fail"><Icon name="octagon-x"/>{t(T::StateFailed)}</span> }.into_any(),
                (true, _, _) => view! { <span class="st" data-f="ok"><Icon name="circle-check"/>{t(T::Placed)}</span> }.into_any(),
                _ => view! { <span class="st" data-f="stop"><Icon name="file-code"/>{t(T::NotPlaced)}</span> }.into_any(),
            }}</td>
            <td class="wrap">
                {percent.filter(|_| going || !current).map(|percent| view! { <Meter percent label=label.clone()/> " " })}
                <span class="fnt">{counts}</span>
                {failure.map(|failure| view! { <p class="bad pre">{move || failure_text(ui, &failure)}</p> })}
                {move || error.get().map(|error| view! { <ErrorLine error/> })}
                {operation.map(steps)}
            </td>
            <td class="act">{(may_sync && !going).then(|| view! {
                <button type="button" class="btn" aria-disabled=move || busy.get().to_string() on:click=place>
                    {move || view! { <Icon name=if busy.get() { "loader" } else { "upload" }/> }}{t(if current { T::PlaceAgain } else { T::PlaceOnCluster })}
                </button>
            })}</td>
        </tr>
    }
    .into_any()
}

/// The steps of a placement, read when somebody opens them.
fn steps(id: OperationId) -> AnyView {
    let answer = RwSignal::new(None::<Result<Operation, ApiError>>);
    let fetch = {
        let id = id.clone();
        move || {
            let id = id.clone();
            leptos::task::spawn_local(async move {
                answer.try_set(Some(api::runs::operation(id).await));
            });
        }
    };
    let again = fetch.clone();
    live::on_batch(move |batch| {
        if answer.with_untracked(Option::is_some)
            && batch.any(|event| event.topic == Topic::Operation && event.id == id.as_str())
        {
            again();
        }
    });
    let toggled = move |event: leptos::ev::Event| {
        if event_target::<web_sys::Element>(&event).has_attribute("open") {
            fetch();
        }
    };
    view! {
        <details on:toggle=toggled>
            <summary>{t(T::Steps)}</summary>
            {move || answer.get().map(|answer| match answer {
                Ok(operation) => view! { <StepList operation/> }.into_any(),
                Err(error) => view! { <ErrorLine error/> }.into_any(),
            })}
        </details>
    }
    .into_any()
}
