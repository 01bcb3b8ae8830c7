use super::list::health;
use crate::{
    api::{self, ApiError},
    components::{
        Banner, ErrorLine, Icon, Meter, PageTitle, Skeleton, Time, Tone, failure_text, loaded, note_error,
    },
    i18n::T,
    live, paths, time,
    ui::{Ui, t, ui},
};
use domain::{
    Action,
    cluster::{self, IdentityMode, Node, Probe, ProbeName, Queue},
    event::Topic,
};
use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

fn probe_word(probe: ProbeName) -> T {
    match probe {
        ProbeName::ResourceManager => T::ProbeResourceManager,
        ProbeName::Submission => T::ProbeSubmission,
        ProbeName::Version => T::ProbeVersion,
        ProbeName::Clock => T::ProbeClock,
        ProbeName::NameNode => T::ProbeNameNode,
        ProbeName::DataNode => T::ProbeDataNode,
        ProbeName::Root => T::ProbeRoot,
        ProbeName::Queues => T::ProbeQueues,
        ProbeName::Workers => T::ProbeWorkers,
        ProbeName::Logs => T::ProbeLogs,
    }
}

/// What is asked of the cluster itself when somebody looks, never while the page is drawn: it may
/// take long, and must not hold the page up.
type Asked<T> = RwSignal<Option<Result<T, ApiError>>>;

fn ask<T: Send + Sync + 'static>(
    ui: Ui,
    into: Asked<T>,
    request: impl Future<Output = Result<T, ApiError>> + 'static,
) {
    leptos::task::spawn_local(async move {
        let answer = request.await;
        if let Err(error) = &answer {
            note_error(ui, error);
        }
        into.try_set(Some(answer));
    });
}

fn shown<T: Clone + Send + Sync + 'static>(asked: Asked<T>, view: fn(T) -> AnyView) -> AnyView {
    view! {
        {move || match asked.get() {
            None => view! { <Skeleton/> }.into_any(),
            Some(Ok(value)) => view(value),
            Some(Err(error)) => view! { <ErrorLine error/> }.into_any(),
        }}
    }
    .into_any()
}

pub fn cluster() -> AnyView {
    let ui = ui();
    let params = use_params_map();
    let code = Memo::new(move |_| params.read().get("code").unwrap_or_default());
    let cluster = Resource::new_blocking(move || code.get(), api::clusters::cluster);
    live::on_batch(move |batch| {
        if batch.any(|event| event.topic == Topic::Cluster) {
            cluster.refetch();
        }
    });
    let (queues, nodes): (Asked<Vec<Queue>>, Asked<Vec<Node>>) = (RwSignal::new(None), RwSignal::new(None));
    let probes: Asked<Vec<Probe>> = RwSignal::new(None);
    let checking = RwSignal::new(false);
    Effect::new(move |_| {
        let code = code.get();
        ask(ui, queues, api::clusters::queues(code.clone()));
        ask(ui, nodes, api::clusters::nodes(code));
    });
    let check = move |_| {
        if checking.get_untracked() {
            return;
        }
        checking.set(true);
        let code = code.get_untracked();
        leptos::task::spawn_local(async move {
            let answer = api::clusters::check_cluster(code).await;
            checking.try_set(false);
            if let Err(error) = &answer {
                note_error(ui, error);
            }
            probes.try_set(Some(answer));
            cluster.refetch();
        });
    };
    let may_check = ui.may(Action::ClusterCheck);
    loaded(cluster, move |cluster| {
        view! {
            <PageTitle text=cluster.name.clone()/>
            <p class="crumb"><a href=paths::CLUSTERS>{t(T::Clusters)}</a> " / " {cluster.name.clone()}</p>
            <div class="hd">
                <h1>{cluster.name.clone()}</h1><span class="tag">{cluster.code.clone()}</span>{health(&cluster)}
                <span class="sp"></span>
                {may_check.then(|| view! {
                    <button type="button" class="btn pri" id="check" aria-disabled=move || checking.get().to_string() on:click=check>
                        {move || view! { <Icon name=if checking.get() { "loader" } else { "activity" }/> }}{t(T::Check)}
                    </button>
                })}
            </div>
            {trouble(&cluster)}
            {move || probes.get().map(|answer| match answer {
                Ok(lines) => probe_list(lines),
                Err(error) => view! { <ErrorLine error/> }.into_any(),
            })}
            {facts(cluster)}
            <h2>{t(T::Queues)}</h2>
            {shown(queues, queue_table)}
            <h2>{t(T::Nodes)}</h2>
            {shown(nodes, node_table)}
        }
        .into_any()
    })
}

fn trouble(cluster: &cluster::Cluster) -> Option<AnyView> {
    let ui = ui();
    let failure = cluster.trouble.clone()?;
    let since = cluster.trouble_since;
    Some(
        view! {
            <Banner tone=Tone::Error>
                <span class="pre">{move || failure_text(ui, &failure)}</span>
                {since.map(|at| view! { " " {t(T::Since)} " " <Time at/> })}
            </Banner>
        }
        .into_any(),
    )
}

fn probe_list(probes: Vec<Probe>) -> AnyView {
    let ui = ui();
    view! {
        <section class="card" aria-live="polite">
            <h2>{t(T::CheckResult)}</h2>
            <ul class="probes">{probes.into_iter().map(|probe| view! {
                <li data-ok=probe.ok.to_string()>
                    <Icon name=if probe.ok { "circle-check" } else { "octagon-x" }/>
                    <span><b>{t(probe_word(probe.probe))}</b> <span class="vh">{t(if probe.ok { T::Fine } else { T::StateFailed })}</span>
                        {probe.seen.map(|seen| view! { " " <span class="mut mono">{seen}</span> })}
                        {probe.failure.map(|failure| view! { <br/><span class="bad pre">{move || failure_text(ui, &failure)}</span> })}</span>
                    <span class="fnt num">{format!("{} ms", probe.took_ms)}</span>
                </li>
            }).collect_view()}</ul>
        </section>
    }
    .into_any()
}

fn facts(cluster: cluster::Cluster) -> AnyView {
    let advisory = cluster.identity == IdentityMode::Simple;
    view! {
        <section class="card">
            <h2>{t(T::About)}</h2>
            <dl class="kv">
                <dt>{t(T::ResourceManagers)}</dt><dd class="mono">{cluster.resource_managers.join(", ")}</dd>
                <dt>{t(T::NameNodes)}</dt><dd class="mono">{cluster.name_nodes.join(", ")}</dd>
                <dt>{t(T::FileSystem)}</dt><dd class="mono">{cluster.fs_default}</dd>
                <dt>{t(T::HdfsRoot)}</dt><dd class="mono">{cluster.hdfs_root}</dd>
                <dt>{t(T::Identity)}</dt><dd><span class="mono">{cluster.identity.name()}</span>
                    {advisory.then(|| view! { " · " <span class="mut">{t(T::AdvisoryPermissions)}</span> })}</dd>
                <dt>{t(T::ServiceUser)}</dt><dd class="mono">{cluster.service_user}</dd>
                <dt>{t(T::OpenRuns)}</dt><dd>{cluster.open_runs}</dd>
                {cluster.seen_at.map(|at| view! { <dt>{t(T::Seen)}</dt><dd><Time at/></dd> })}
                <dt>{t(T::Grants)}</dt>
                <dd>{cluster.grants.into_iter().map(|grant| view! {
                    <div><span class="mono">{grant.hadoop_user}</span> ": " <span class="mono">{grant.queues.join(", ")}</span></div>
                }).collect_view()}</dd>
            </dl>
        </section>
    }
    .into_any()
}

fn percent(value: Option<f64>) -> String {
    value.map_or_else(|| "–".to_owned(), |value| format!("{} %", value.round() as i64))
}

fn queue_table(queues: Vec<Queue>) -> AnyView {
    view! {
        <div class="grid" tabindex="0"><table>
            <thead><tr>
                <th scope="col">{t(T::Queue)}</th><th scope="col">{t(T::State)}</th><th scope="col" class="num">{t(T::Capacity)}</th>
                <th scope="col">{t(T::Used)}</th><th scope="col" class="num">{t(T::MaxCapacity)}</th>
                <th scope="col" class="num">{t(T::Applications)}</th><th scope="col">{t(T::YouMay)}</th>
            </tr></thead>
            <tbody>{queues.into_iter().map(|queue| {
                let path = queue.path.clone();
                let depth = path.matches('.').count().min(5).to_string();
                view! {
                    <tr>
                        <td class="mono" data-depth=depth>{queue.path}</td>
                        <td>{queue.state}</td>
                        <td class="num">{percent(queue.capacity)}</td>
                        <td>{queue.used.map(|used| view! { <Meter percent=used label=path/> })}</td>
                        <td class="num">{percent(queue.max_capacity)}</td>
                        <td class="num">{queue.applications.map(time::count)}</td>
                        <td>{queue.allowed.then(|| view! { <Icon name="check"/><span class="vh">{t(T::Yes)}</span> })}</td>
                    </tr>
                }
            }).collect_view()}</tbody>
        </table></div>
    }
    .into_any()
}

fn node_table(nodes: Vec<Node>) -> AnyView {
    view! {
        <div class="grid" tabindex="0"><table>
            <thead><tr>
                <th scope="col">{t(T::Node)}</th><th scope="col">{t(T::State)}</th><th scope="col">{t(T::Memory)}</th>
                <th scope="col">{t(T::VcoresUsed)}</th><th scope="col" class="num">{t(T::Containers)}</th><th scope="col">{t(T::Version)}</th>
            </tr></thead>
            <tbody>{nodes.into_iter().map(|node| {
                let total = node.used_mb + node.available_mb;
                let used = node.used_mb as f64 * 100.0 / total.max(1) as f64;
                view! {
                    <tr>
                        <td class="mono">{node.id.clone()}</td>
                        <td title=node.health>{node.state}</td>
                        <td><Meter percent=used label=node.id/><span class="fnt">{format!(" {} / {}", time::bytes(node.used_mb << 20), time::bytes(total << 20))}</span></td>
                        <td>{format!("{} / {}", node.used_vcores, node.used_vcores + node.available_vcores)}</td>
                        <td class="num">{node.containers}</td>
                        <td class="mono">{node.version}</td>
                    </tr>
                }
            }).collect_view()}</tbody>
        </table></div>
    }
    .into_any()
}
