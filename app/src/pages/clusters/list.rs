use crate::{
    api,
    components::{Empty, Icon, Time, TitleOf, failure_text, loaded},
    i18n::T,
    live, paths,
    ui::{t, ui},
};
use domain::{Action, cluster::Cluster, event::Topic};
use leptos::prelude::*;

pub fn clusters() -> AnyView {
    let ui = ui();
    let clusters = Resource::new_blocking(|| (), |()| api::clusters::clusters());
    live::on_batch(move |batch| {
        if batch.any(|event| event.topic == Topic::Cluster) {
            clusters.refetch();
        }
    });
    let may = ui.may(Action::ClusterWrite);
    view! {
        <TitleOf text=T::Clusters/>
        <div class="hd"><h1>{t(T::Clusters)}</h1><span class="sp"></span>
            {may.then(|| view! { <a class="btn pri" href=paths::NEW_CLUSTER><Icon name="plus"/>{t(T::RegisterCluster)}</a> })}
        </div>
        {loaded(clusters, move |list| {
            if list.is_empty() {
                let (title, hint) = if may { (T::NoClusters, T::NoClustersHint) } else { (T::NoClusterForYou, T::AskAdministrator) };
                return view! { <div class="card"><Empty icon="cpu" title hint>
                    {may.then(|| view! { <a class="btn pri" href=paths::NEW_CLUSTER><Icon name="plus"/>{t(T::RegisterCluster)}</a> })}
                </Empty></div> }.into_any();
            }
            view! {
                <div class="grid" tabindex="0"><table>
                    <thead><tr>
                        <th scope="col">{t(T::Name)}</th><th scope="col">{t(T::State)}</th><th scope="col">{t(T::ResourceManagers)}</th>
                        <th scope="col">{t(T::HdfsRoot)}</th><th scope="col" class="num">{t(T::OpenRuns)}</th><th scope="col">{t(T::Seen)}</th>
                    </tr></thead>
                    <tbody>{list.into_iter().map(line).collect_view()}</tbody>
                </table></div>
            }.into_any()
        })}
    }
    .into_any()
}

/// Whether the cluster answers, in chip form.
pub fn health(cluster: &Cluster) -> AnyView {
    let ui = ui();
    match (&cluster.trouble, cluster.seen_at) {
        (Some(failure), _) => {
            let failure = failure.clone();
            view! { <span class="st" data-f="fail" title=move || failure_text(ui, &failure)><Icon name="octagon-x"/>{t(T::NotAnswering)}</span> }.into_any()
        }
        (None, Some(_)) => view! { <span class="st" data-f="run"><Icon name="circle-check"/>{t(T::Answering)}</span> }.into_any(),
        (None, None) => view! { <span class="st" data-f="stop"><Icon name="circle-question-mark"/>{t(T::NotSeenYet)}</span> }.into_any(),
    }
}

fn line(cluster: Cluster) -> AnyView {
    view! {
        <tr>
            <td><a href=paths::cluster(&cluster.code)>{cluster.name.clone()}</a> " " <span class="tag">{cluster.code.clone()}</span></td>
            <td>{health(&cluster)}</td>
            <td class="mono">{cluster.resource_managers.join(", ")}</td>
            <td class="mono">{cluster.hdfs_root.clone()}</td>
            <td class="num">{cluster.open_runs}</td>
            <td>{cluster.seen_at.map(|at| view! { <Time at/> })}</td>
        </tr>
    }
    .into_any()
}
