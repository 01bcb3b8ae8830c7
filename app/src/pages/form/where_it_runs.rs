//! Where the job runs and with what.

use super::state::Form;
use crate::{
    components::{Banner, SelectField, TextField, Tone},
    i18n::{T, fill},
    paths,
    ui::{t, ui},
};
use domain::Engine;
use leptos::prelude::*;

fn queues(form: Form) -> Vec<String> {
    let (team, cluster) = (form.team.get(), form.cluster.get());
    form.offer.with_value(|offer| {
        let grants = offer
            .clusters
            .iter()
            .find(|c| c.code == cluster)
            .map(|c| c.grants.as_slice())
            .unwrap_or_default();
        grants
            .iter()
            .filter(|grant| grant.team.as_str() == team)
            .flat_map(|grant| grant.queues.clone())
            .collect()
    })
}

pub fn target(form: Form) -> AnyView {
    let ui = ui();
    let teams: Vec<_> = form.offer.with_value(|offer| {
        let own: Vec<_> = ui.viewer.with_value(|v| {
            v.as_ref()
                .map(|v| {
                    v.teams
                        .iter()
                        .map(|m| (m.team.to_string(), m.team_name.clone()))
                        .collect()
                })
                .unwrap_or_default()
        });
        let all = offer
            .teams
            .iter()
            .map(|team| (team.id.to_string(), team.name.clone()));
        if ui.viewer.with_value(|v| v.as_ref().is_some_and(|v| v.admin)) {
            all.collect()
        } else {
            own
        }
    });
    let clusters: Vec<_> = form.offer.with_value(|offer| {
        offer
            .clusters
            .iter()
            .map(|c| (c.code.clone(), format!("{} ({})", c.name, c.code)))
            .collect()
    });
    let environments = Signal::derive(move || {
        let cluster = form.cluster.get();
        form.offer.with_value(|offer| {
            offer
                .environments
                .iter()
                .filter(|e| e.engine == form.kind.engine())
                .map(|e| {
                    let placed = e
                        .placements
                        .iter()
                        .any(|p| p.cluster_code == cluster && p.snapshot.is_some());
                    let note = if placed {
                        String::new()
                    } else {
                        format!(" · {}", ui.text(T::NotPlaced))
                    };
                    (e.id.to_string(), format!("{}{note}", e.name))
                })
                .collect::<Vec<_>>()
        })
    });
    let queue_options = Signal::derive(move || {
        queues(form)
            .into_iter()
            .map(|queue| (queue.clone(), queue))
            .collect::<Vec<_>>()
    });
    // A queue that the chosen team may not use there gives way to one that it may.
    Effect::new(move |_| {
        let allowed = queues(form);
        let now = form.queue.get_untracked();
        if let Some(first) = allowed.first().filter(|_| !allowed.contains(&now)) {
            // The form's own choice is no change by the reader.
            form.first.update_value(|(_, spec)| {
                if spec.queue.is_empty() {
                    spec.queue.clone_from(first);
                }
            });
            form.queue.set(first.clone());
        }
    });
    let nowhere = clusters.is_empty();
    let no_environment = form
        .offer
        .with_value(|offer| !offer.environments.iter().any(|e| e.engine == form.kind.engine()));
    let editing = form.saved.with_untracked(Option::is_some);
    view! {
        <section class="card stack">
            <h2>{t(T::WhereItRuns)}</h2>
            {nowhere.then(|| view! { <Banner tone=Tone::Warn>{t(T::NoClusterYet)} " " <a href=paths::CLUSTERS>{t(T::Clusters)}</a></Banner> })}
            {no_environment.then(|| view! { <Banner tone=Tone::Warn>{move || fill(ui.text(T::NoEnvironmentYet), &[("engine", form.kind.engine().label())])} " " <a href=paths::ENVIRONMENTS>{t(T::Environments)}</a></Banner> })}
            {(!editing && teams.len() > 1).then(|| view! { <SelectField id="f-team" label=T::Team name="team" value=form.team options=teams errors=form.errors/> })}
            <SelectField id="f-cluster" label=T::Cluster name="cluster" value=form.cluster options=clusters errors=form.errors/>
            <SelectField id="f-environment" label=T::Environment name="environment" value=form.environment options=environments errors=form.errors/>
            {move || if queue_options.with(Vec::is_empty) {
                view! { <TextField id="f-queue" label=T::Queue name="queue" value=form.queue errors=form.errors hint=T::QueueFreeHint mono=true/> }.into_any()
            } else {
                view! { <SelectField id="f-queue" label=T::Queue name="queue" value=form.queue options=queue_options errors=form.errors/> }.into_any()
            }}
        </section>
    }
    .into_any()
}

/// Sizes of a Flink job.
pub fn resources(form: Form) -> AnyView {
    view! {
        <section class="card stack">
            <h2>{t(T::ResourcesTitle)}</h2>
            <div class="two">
                <TextField id="f-parallelism" label=T::Parallelism name="parallelism" value=form.parallelism errors=form.errors number=true/>
                <TextField id="f-slots" label=T::Slots name="slots" value=form.slots errors=form.errors number=true/>
                <TextField id="f-jm" label=T::JobManagerMemory name="job_manager_mb" value=form.job_manager_mb errors=form.errors number=true hint=T::Mebibytes/>
                <TextField id="f-tm" label=T::TaskManagerMemory name="task_manager_mb" value=form.task_manager_mb errors=form.errors number=true hint=T::Mebibytes/>
                <TextField id="f-vcores" label=T::Vcores name="task_manager_vcores" value=form.vcores errors=form.errors number=true hint=T::VcoresHint/>
            </div>
        </section>
    }
    .into_any()
}

/// What every job may be asked for.
pub fn options(form: Form) -> AnyView {
    let attempts = match form.kind.engine() {
        Engine::Flink => T::AttemptsHint,
        Engine::Spark => T::SparkAttemptsHint,
    };
    view! {
        <section class="card stack">
            <h2>{t(T::OtherOptions)}</h2>
            <TextField id="f-attempts" label=T::Attempts name="am_attempts" value=form.attempts errors=form.errors number=true hint=attempts/>
            <TextField id="f-zone" label=T::TimeZone name="time_zone" value=form.time_zone errors=form.errors hint=T::TimeZoneHint placeholder="Europe/Berlin"/>
            <TextField id="f-tags" label=T::Tags name="tags" value=form.tags errors=form.errors hint=T::TagsHint mono=true/>
        </section>
    }
    .into_any()
}
