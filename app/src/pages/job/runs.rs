use super::Shown;
use crate::{
    api,
    components::{Duration, Empty, StateChip, Time, failure_text, loaded, note_error},
    i18n::T,
    live,
    ui::t,
};
use domain::{event::Topic, run::Run};
use leptos::prelude::*;

pub fn runs(shown: Shown) -> AnyView {
    let id = shown.job.with_untracked(|job| job.id.clone());
    let first = Resource::new(|| (), {
        let id = id.clone();
        move |()| api::runs::runs(id.clone(), None)
    });
    live::on_batch(move |batch| {
        if batch.any(|event| event.topic == Topic::Run && event.job.as_deref() == Some(id.as_str())) {
            first.refetch();
        }
    });
    loaded(first, move |page| {
        if page.items.is_empty() {
            return view! { <div class="card"><Empty icon="play" title=T::NoRuns hint=T::NoRunsHint/></div> }
                .into_any();
        }
        let (items, next) = (RwSignal::new(page.items), RwSignal::new(page.next));
        let more = move |_| {
            let id = shown.job.with_untracked(|job| job.id.clone());
            leptos::task::spawn_local(async move {
                match api::runs::runs(id, next.get_untracked()).await {
                    Ok(page) => {
                        items.try_update(|items| items.extend(page.items));
                        next.try_set(page.next);
                    }
                    Err(error) => note_error(shown.ui, &error),
                }
            });
        };
        view! {
            <div class="grid" tabindex="0"><table>
                <thead><tr>
                    <th scope="col">{t(T::State)}</th><th scope="col">{t(T::StartedAt)}</th><th scope="col" class="num">{t(T::Duration)}</th>
                    <th scope="col">{t(T::Version)}</th><th scope="col">{t(T::StartedBy)}</th><th scope="col">{t(T::Application)}</th><th scope="col">{t(T::Cause)}</th>
                </tr></thead>
                <tbody>{move || items.get().into_iter().map(|run| line(shown, run)).collect_view()}</tbody>
            </table></div>
            {move || next.with(Option::is_some).then(|| view! { <button type="button" class="btn" on:click=more>{t(T::More)}</button> })}
        }
        .into_any()
    })
}

fn line(shown: Shown, run: Run) -> AnyView {
    let ui = shown.ui;
    let failure = run.failure.clone();
    view! {
        <tr>
            <td><StateChip run=Some(run.clone())/></td>
            <td><Time at=run.created_at/></td>
            <td class="num"><Duration run=Some(run.clone())/></td>
            <td>{format!("v{}", run.version)}</td>
            <td>{run.created_by_name}</td>
            <td class="mono">{run.external_id}</td>
            <td>{move || failure.as_ref().map(|failure| failure_text(ui, failure))}</td>
        </tr>
    }
    .into_any()
}
