use crate::{
    api::{self, ApiError},
    bridge,
    components::{
        ErrorLine, Field, FieldError, FieldErrors, FileDrop, Icon, SelectField, TextField, TitleOf,
        forbidden, loaded, note_error,
    },
    go::Go,
    i18n::{T, fill},
    paths,
    ui::{t, ui},
};
use domain::{
    Action,
    cluster::{ClusterInput, Grant, IdentityMode, XmlFile},
    identity::Team,
};
use leptos::prelude::*;
use std::collections::BTreeMap;

/// What a team may use there; an empty user leaves the team out.
#[derive(Clone)]
struct GrantRow {
    team: Team,
    user: RwSignal<String>,
    queues: RwSignal<String>,
}

pub fn new_cluster() -> AnyView {
    if !ui().may(Action::ClusterWrite) {
        return forbidden(Action::ClusterWrite);
    }
    let teams = Resource::new_blocking(|| (), |()| api::clusters::teams());
    view! {
        <TitleOf text=T::RegisterCluster/>
        <p class="crumb"><a href=paths::CLUSTERS>{t(T::Clusters)}</a> " / " {t(T::RegisterCluster)}</p>
        <h1>{t(T::RegisterCluster)}</h1>
        {loaded(teams, form)}
    }
    .into_any()
}

fn form(teams: Vec<Team>) -> AnyView {
    let ui = ui();
    let text = |text: &str| RwSignal::new(text.to_owned());
    let (code, name, directory) = (text(""), text(""), text(""));
    let (root, user, identity) = (text("/penstock"), text("penstock"), text("simple"));
    let files = RwSignal::new(Vec::<XmlFile>::new());
    let errors: FieldErrors = RwSignal::new(BTreeMap::new());
    let (error, busy) = (RwSignal::new(None::<ApiError>), RwSignal::new(false));
    let go = Go::new();
    let grants: Vec<GrantRow> = teams
        .into_iter()
        .map(|team| GrantRow {
            team,
            user: text(""),
            queues: text("root.default"),
        })
        .collect();
    let rows = StoredValue::new(grants.clone());
    let picked = Callback::new(move |list: Vec<web_sys::File>| {
        leptos::task::spawn_local(async move {
            let mut read = Vec::new();
            for file in list {
                if let Some(content) = bridge::file_text(&file)
                    .await
                    .ok()
                    .and_then(|text| text.as_string())
                {
                    read.push(XmlFile {
                        name: file.name(),
                        content,
                    });
                }
            }
            files.try_set(read);
        });
    });
    let submit = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        if busy.get_untracked() {
            return;
        }
        let get = |signal: RwSignal<String>| signal.get_untracked().trim().to_owned();
        let input = ClusterInput {
            code: get(code),
            name: get(name),
            files: files.get_untracked(),
            directory: Some(get(directory)).filter(|directory| !directory.is_empty()),
            hdfs_root: get(root),
            identity: IdentityMode::from_name(&get(identity)).unwrap_or(IdentityMode::Simple),
            service_user: get(user),
            grants: rows.with_value(|rows| {
                rows.iter()
                    .filter(|row| !get(row.user).is_empty())
                    .map(|row| Grant {
                        team: row.team.id.clone(),
                        hadoop_user: get(row.user),
                        queues: get(row.queues)
                            .split([',', ' '])
                            .filter(|q| !q.is_empty())
                            .map(str::to_owned)
                            .collect(),
                    })
                    .collect()
            }),
        };
        let failures = input.check();
        errors.set(failures.into_iter().rev().map(|f| (f.field, f.failure)).collect());
        error.set(None);
        if errors.with_untracked(|errors| !errors.is_empty()) {
            return;
        }
        busy.set(true);
        leptos::task::spawn_local(async move {
            let answer = api::clusters::create_cluster(input).await;
            busy.try_set(false);
            match answer {
                Ok(cluster) => go.to(&paths::cluster(&cluster.code)),
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
    let identities = vec![
        ("simple".to_owned(), "simple".to_owned()),
        ("simple-doas".to_owned(), "simple-doas".to_owned()),
    ];
    view! {
        <form class="stack narrow" autocomplete="off" on:submit=submit>
            <section class="card stack">
                <div class="two">
                    <TextField id="c-code" label=T::Code name="code" value=code errors hint=T::CodeHint mono=true/>
                    <TextField id="c-name" label=T::Name name="name" value=name errors/>
                </div>
            </section>
            <section class="card stack">
                <Field id="c-files" label=T::ClientFiles name="files" errors hint=T::ClientFilesHint>
                    <FileDrop id="c-files" accept=".xml,text/xml,application/xml" multiple=true picked/>
                </Field>
                {move || files.with(|files| (!files.is_empty()).then(|| view! { <p class="mono">{files.iter().map(|f| f.name.clone()).collect::<Vec<_>>().join(", ")}</p> }))}
                <TextField id="c-directory" label=T::OrDirectory name="directory" value=directory errors hint=T::ClientDirectoryHint mono=true placeholder="/etc/hadoop/conf"/>
            </section>
            <section class="card stack">
                <div class="two">
                    <TextField id="c-root" label=T::HdfsRoot name="hdfs_root" value=root errors hint=T::HdfsRootHint mono=true/>
                    <TextField id="c-user" label=T::ServiceUser name="service_user" value=user errors hint=T::ServiceUserHint mono=true/>
                </div>
                <SelectField id="c-identity" label=T::Identity name="identity" value=identity options=identities errors hint=T::IdentityHint/>
            </section>
            <fieldset class="card stack">
                <legend><h2>{t(T::Grants)}</h2></legend>
                <p class="hint mut">{t(T::GrantsHint)}</p>
                {grants.into_iter().map(|row| {
                    let (team, team2) = (row.team.name.clone(), row.team.name.clone());
                    view! {
                        <div class="rowed grant">
                            <span>{row.team.name.clone()}</span>
                            <input type="text" class="mono" spellcheck="false" aria-label=move || fill(ui.text(T::HadoopUserOf), &[("team", &team)]) placeholder="analytics"
                                prop:value=move || row.user.get() on:input:target=move |event| row.user.set(event.target().value())/>
                            <input type="text" class="mono" spellcheck="false" aria-label=move || fill(ui.text(T::QueuesOf), &[("team", &team2)])
                                prop:value=move || row.queues.get() on:input:target=move |event| row.queues.set(event.target().value())/>
                        </div>
                    }
                }).collect_view()}
                <FieldError id="c-grants" name="grants" errors/>
            </fieldset>
            {move || error.get().map(|error| view! { <ErrorLine error/> })}
            <div class="hd">
                <button type="submit" class="btn pri" aria-disabled=move || busy.get().to_string()>{move || busy.get().then(|| view! { <Icon name="loader"/> })}{t(T::Register)}</button>
                <a class="btn ghost" href=paths::CLUSTERS>{t(T::Leave)}</a>
            </div>
        </form>
    }
    .into_any()
}
