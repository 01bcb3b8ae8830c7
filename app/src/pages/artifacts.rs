//! Uploaded files: jars and Python, once stored, many times used.

use crate::{
    api::{self, ApiError},
    components::{CopyButton, Empty, FieldErrors, Icon, SelectField, Time, TitleOf, Upload, loaded},
    go::Go,
    i18n::{T, fill},
    paths, time,
    ui::{t, ui},
};
use domain::{
    Action,
    artifact::{Artifact, ArtifactKind},
    identity::Team,
    job::JobKind,
};
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;
use std::collections::BTreeMap;

type Content = (Vec<Artifact>, Vec<Team>);

async fn content() -> Result<Content, ApiError> {
    Ok((api::artifacts::artifacts().await?, api::clusters::teams().await?))
}

pub fn artifacts() -> AnyView {
    let resource = Resource::new_blocking(|| (), |()| content());
    view! {
        <TitleOf text=T::Artifacts/>
        {loaded(resource, move |(list, teams)| body(RwSignal::new(list), teams))}
    }
    .into_any()
}

fn body(list: RwSignal<Vec<Artifact>>, teams: Vec<Team>) -> AnyView {
    let ui = ui();
    let may_write = ui.may(Action::JobWrite);
    let go = Go::new();
    let q = RwSignal::new(use_query_map().with_untracked(|query| query.get("q").unwrap_or_default()));
    let typed = move |text: String| {
        go.stay(
            &format!("{}{}", paths::ARTIFACTS, paths::query(&[("q", &text)])),
            true,
        );
        q.set(text);
    };
    let fits = move |artifact: &Artifact| {
        q.with(|q| {
            let name = artifact.name.to_lowercase();
            q.to_lowercase()
                .split_whitespace()
                .all(|word| name.contains(word))
        })
    };
    let shown =
        Memo::new(move |_| list.with(|all| all.iter().filter(|a| fits(a)).cloned().collect::<Vec<_>>()));
    let summary = move || {
        let (all, some) = (list.with(Vec::len), shown.with(Vec::len));
        if all == some {
            all.to_string()
        } else {
            format!("{some} {} {all}", ui.text(T::Of))
        }
    };
    let names = StoredValue::new(
        teams
            .iter()
            .map(|team| (team.id.clone(), team.name.clone()))
            .collect::<BTreeMap<_, _>>(),
    );
    let several = teams.len() > 1;
    view! {
        <div class="hd"><h1>{t(T::Artifacts)}</h1><span class="mut">{summary}</span></div>
        <p class="mut">{t(T::ArtifactsHint)}</p>
        {may_write.then(|| upload(list, teams))}
        {move || (!list.with(Vec::is_empty)).then(|| view! {
            <div class="hd tools"><input class="filter" type="search" aria-label=t(T::FilterArtifacts) placeholder=t(T::FilterArtifacts)
                autocomplete="off" spellcheck="false" value=q.get_untracked() prop:value=move || q.get()
                on:input:target=move |event| typed(event.target().value())/></div>
        })}
        {move || {
            let rows = shown.get();
            if rows.is_empty() {
                let (title, hint) = if list.with(Vec::is_empty) { (T::NoArtifacts, T::NoArtifactsHint) } else { (T::NothingMatches, T::NoArtifactMatches) };
                return view! { <div class="card"><Empty icon="package" title hint/></div> }.into_any();
            }
            view! {
                <div class="grid" tabindex="0"><table id="artifacts">
                    <thead><tr>
                        <th scope="col">{t(T::Name)}</th><th scope="col">{t(T::Version)}</th><th scope="col" class="num">{t(T::Size)}</th>
                        {several.then(|| view! { <th scope="col">{t(T::Team)}</th> })}
                        <th scope="col">{t(T::UploadedBy)}</th><th scope="col">{t(T::Created)}</th><th scope="col">{t(T::MainClass)}</th>
                        <th scope="col">"SHA-256"</th><th scope="col" class="act"><span class="vh">{t(T::Actions)}</span></th>
                    </tr></thead>
                    <tbody>{rows.into_iter().map(|artifact| {
                        let team = several.then(|| names.with_value(|names| names.get(&artifact.team).cloned().unwrap_or_default()));
                        line(artifact, team, may_write)
                    }).collect_view()}</tbody>
                </table></div>
            }.into_any()
        }}
    }
    .into_any()
}

/// Where a new file comes in; to which team, when there is a choice.
fn upload(list: RwSignal<Vec<Artifact>>, teams: Vec<Team>) -> AnyView {
    let errors: FieldErrors = RwSignal::new(BTreeMap::new());
    let team = RwSignal::new(teams.first().map(|team| team.id.to_string()).unwrap_or_default());
    let options: Vec<_> = teams
        .into_iter()
        .map(|team| (team.id.to_string(), team.name))
        .collect();
    let several = options.len() > 1;
    let stored = Callback::new(move |artifact: Artifact| {
        list.try_update(|all| {
            all.retain(|known| known.id != artifact.id);
            all.insert(0, artifact);
        });
    });
    let whose = Signal::derive(move || Some(team.get()).filter(|team| !team.is_empty()));
    view! {
        <section class="card stack">
            {several.then(|| view! { <SelectField id="a-team" label=T::Team name="team" value=team options errors/> })}
            <Upload id="a-upload" label=T::UploadFile hint=T::UploadFileHint accept=".jar,.py,.zip,.egg,.whl" team=whose errors stored/>
        </section>
    }
    .into_any()
}

fn line(artifact: Artifact, team: Option<String>, may_write: bool) -> AnyView {
    let ui = ui();
    let class = artifact
        .manifest_class
        .clone()
        .or_else(|| artifact.main_classes.first().cloned());
    let more = artifact.main_classes.len().saturating_sub(1);
    let all = artifact.main_classes.join("\n");
    let kinds: &[JobKind] = match artifact.kind() {
        Some(ArtifactKind::Jar) => &[JobKind::FlinkJar, JobKind::SparkJar],
        Some(ArtifactKind::Python) => &[JobKind::PySpark],
        _ => &[],
    };
    let links = may_write.then(|| {
        let links = kinds.iter().map(|kind| {
            let (href, label) = (paths::new_job_of(*kind, &artifact.id), kind.label());
            let name = artifact.name.clone();
            let said = move || format!("{} · {name}", fill(ui.text(T::NewJobOf), &[("kind", label)]));
            view! { <a class="btn" href=href aria-label=said><Icon name="plus"/>{label}</a> " " }
        });
        links.collect_view()
    });
    view! {
        <tr>
            <td title=artifact.name.clone()>{artifact.name.clone()}</td>
            <td>{format!("v{}", artifact.version)}</td>
            <td class="num">{time::bytes(artifact.size)}</td>
            {team.map(|team| view! { <td>{team}</td> })}
            <td>{artifact.created_by_name}</td>
            <td><Time at=artifact.created_at/></td>
            <td class="mono" title=all>{class.unwrap_or_else(|| "–".to_owned())} {(more > 0).then(|| format!(" +{more}"))}</td>
            <td class="mono"><CopyButton text=artifact.sha256.clone()/> {artifact.sha256.chars().take(12).collect::<String>()}"…"</td>
            <td class="act">{links}</td>
        </tr>
    }
    .into_any()
}
