//! Somebody else saved meanwhile: both are shown, and nothing is lost either way.

use super::state::Form;
use crate::{
    components::{Banner, CopyButton, Tone},
    i18n::{T, fill},
    ui::{t, ui},
};
use domain::job::JobSpec;
use leptos::prelude::*;

/// The parts in which two definitions differ: label, theirs, mine.
fn differences(theirs: &JobSpec, mine: &JobSpec) -> Vec<(T, String, String)> {
    let conf = |spec: &JobSpec| {
        spec.conf
            .iter()
            .map(|(key, value)| format!("{key}: {value}"))
            .collect::<Vec<_>>()
            .join("\n")
    };
    let resources = |spec: &JobSpec| {
        if let Some(spark) = &spec.spark {
            // The names are those of the REST body.
            return serde_json::to_string_pretty(spark).unwrap_or_default();
        }
        let r = &spec.resources;
        format!(
            "{} MiB, {} MiB, {} × {}",
            r.job_manager_mb, r.task_manager_mb, r.slots, r.parallelism
        )
    };
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let id = |id: Option<&domain::id::ArtifactId>| id.map(ToString::to_string).unwrap_or_default();
    let ids = |spec: &JobSpec| {
        let ids: Vec<_> = spec.dependencies.iter().map(ToString::to_string).collect();
        ids.join("\n")
    };
    let number = |n: Option<i32>| n.map(|n| n.to_string()).unwrap_or_default();
    [
        (T::Name, theirs.name.clone(), mine.name.clone()),
        (T::Cluster, theirs.cluster.clone(), mine.cluster.clone()),
        (
            T::Environment,
            theirs.environment.to_string(),
            mine.environment.to_string(),
        ),
        (T::Queue, theirs.queue.clone(), mine.queue.clone()),
        (T::Script, text(&theirs.sql), text(&mine.sql)),
        (
            T::Program,
            id(theirs.artifact.as_ref()),
            id(mine.artifact.as_ref()),
        ),
        (T::MainClass, text(&theirs.main_class), text(&mine.main_class)),
        (T::Arguments, theirs.args.join("\n"), mine.args.join("\n")),
        (T::Configuration, conf(theirs), conf(mine)),
        (T::ResourcesTitle, resources(theirs), resources(mine)),
        (T::Dependencies, ids(theirs), ids(mine)),
        (T::Files, theirs.files.join("\n"), mine.files.join("\n")),
        (T::Archives, theirs.archives.join("\n"), mine.archives.join("\n")),
        (T::Priority, number(theirs.priority), number(mine.priority)),
        (T::NodeLabel, text(&theirs.node_label), text(&mine.node_label)),
        (T::Tags, theirs.tags.join(" "), mine.tags.join(" ")),
        (T::TimeZone, text(&theirs.time_zone), text(&mine.time_zone)),
    ]
    .into_iter()
    .filter(|(_, theirs, mine)| theirs != mine)
    .collect()
}

#[leptos::lazy]
pub fn conflict(form: Form) -> AnyView {
    let ui = ui();
    view! {
        {move || form.theirs.get().map(|theirs| {
            let mine = untrack(|| form.spec());
            let rows = differences(&theirs.spec, &mine);
            let (version, team) = (theirs.version, theirs.team.to_string());
            let keep = {
                let id = theirs.id.clone();
                move |_| {
                    form.saved.set(Some((id.clone(), version)));
                    form.theirs.set(None);
                    super::save::save(form, false);
                }
            };
            let spec = theirs.spec.clone();
            let take = {
                let id = theirs.id.clone();
                move |_| {
                    form.saved.set(Some((id.clone(), version)));
                    form.first.set_value((team.clone(), spec.clone()));
                    form.fill(&team, &spec);
                    form.theirs.set(None);
                    form.error.set(None);
                }
            };
            view! {
                <section class="card stack">
                    <Banner tone=Tone::Warn>{move || fill(ui.text(T::ConflictTitle), &[("version", &version.to_string())])}</Banner>
                    {rows.into_iter().map(|(label, theirs, mine)| view! {
                        <h3>{t(label)}</h3>
                        <div class="both">
                            <div><span class="mut">{t(T::Theirs)}</span><pre class="log plain" tabindex="0">{theirs}</pre></div>
                            <div><span class="mut">{t(T::Mine)} " " <CopyButton text=mine.clone()/></span><pre class="log plain" tabindex="0">{mine}</pre></div>
                        </div>
                    }).collect_view()}
                    <div class="hd">
                        <button type="button" class="btn pri" on:click=keep>{t(T::SaveMine)}</button>
                        <button type="button" class="btn" on:click=take>{t(T::TakeTheirs)}</button>
                    </div>
                </section>
            }
        })}
    }
    .into_any()
}
