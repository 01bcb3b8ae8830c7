//! The list of jobs.

mod bar;
mod bulk;
mod grid;
mod rows;
mod table;

use crate::{
    api,
    components::{Icon, TitleOf, loaded},
    i18n::T,
    paths,
    ui::{t, ui},
    views::txt,
};
use domain::Action;
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;
use table::Table;

pub fn jobs() -> AnyView {
    let ui = ui();
    let query = use_query_map();
    let asked = untrack(|| {
        let query = query.read();
        let get = |key: &str| query.get(key).unwrap_or_default();
        (get("q"), get("view"), get("sort"))
    });
    // Read once; afterwards the browser has the rows and follows the address by itself.
    let head = Resource::new_blocking(
        || (),
        move |()| {
            let (q, view, sort) = asked.clone();
            api::jobs::jobs_head(q, view, sort)
        },
    );
    let may_write = ui.may(Action::JobWrite);
    view! {
        <TitleOf text=T::Jobs/>
        {loaded(head, move |head| {
            let table = Table::new(head);
            view! {
                <div class="hd">
                    <h1>{t(T::Jobs)}</h1>
                    <span class="mut">{txt(move || table.summary())}</span>
                    <span class="sp"></span>
                    {may_write.then(|| view! {
                        <a class="btn pri" href=paths::NEW_JOB><Icon name="plus"/>{t(T::NewJob)}</a>
                    })}
                </div>
                {bar::bar(table)}
                {grid::grid(table)}
            }.into_any()
        })}
    }
    .into_any()
}
