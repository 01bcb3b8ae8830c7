//! One row of the list.

use super::table::Table;
use crate::{
    components::{Duration, Icon, StateChip, Time},
    i18n::T,
    paths,
    ui::t,
    views::{maybe, part, txt},
};
use domain::id::JobId;
use leptos::prelude::*;

pub fn row(table: Table, id: JobId, mark: impl Fn(&JobId) + Copy + Send + Sync + 'static) -> AnyView {
    let ui = table.ui;
    let id = StoredValue::new(id);
    let values = Memo::new(move |_| id.with_value(|id| table.row(id)));
    // Survives the moment between the row's going and its leaving the list.
    let name = move || values.with(|row| row.as_ref().map(|row| row.name.clone()).unwrap_or_default());
    let run = Memo::new(move |_| values.with(|row| row.as_ref().and_then(|row| row.run.clone())));
    let text = move |pick: fn(&domain::job::JobRow) -> &str| {
        values.with(|row| row.as_ref().map(|row| pick(row).to_owned()).unwrap_or_default())
    };
    let selected = move || id.with_value(|id| table.selected.with(|all| all.contains(id)));
    let current = move || id.with_value(|id| table.cursor.with(|c| c.as_ref() == Some(id)));
    let index = move || id.with_value(|id| table.shown.with(|shown| shown.iter().position(|s| s == id)));
    // One row is in the tab order: the current one, else the first.
    let tab = move || {
        let first = table.cursor.with(Option::is_none) && index() == Some(0);
        if current() || first { "0" } else { "-1" }
    };
    let key = id.with_value(JobId::to_string);
    let href = id.with_value(paths::job);
    let log = id.with_value(|id| paths::job_tab(id, "logs"));
    view! {
        <tr id=format!("row-{key}") tabindex=tab class:cur=current aria-selected=move || selected().to_string()
            aria-rowindex=move || index().map(|i| (i + 2).to_string())
            on:focus=move |_| table.cursor.set(Some(id.get_value()))>
            <td><input type="checkbox" tabindex="-1" aria-label=move || format!("{} {}", ui.text(T::Select), name())
                prop:checked=selected on:change=move |_| id.with_value(mark)/></td>
            <td class="name">
                <a href=href tabindex="-1">{txt(name)}</a> " "
                <span class="tag">{txt(move || values.with(|row| row.as_ref().map(|row| row.kind.label().to_owned()).unwrap_or_default()))}</span>
            </td>
            <td>{part(move || view! { <StateChip run=run.get()/> }.into_any())}</td>
            <td class="num">{part(move || view! { <Duration run=run.get()/> }.into_any())}</td>
            <td>{txt(move || text(|row| &row.queue))}</td>
            <td>{txt(move || text(|row| &row.environment_name))}</td>
            <td>{txt(move || text(|row| &row.owner))}</td>
            <td>{maybe(move || values.with(|row| row.as_ref().map(|row| row.changed_at)).map(|at| view! { <Time at/> }.into_any()))}</td>
            <td><a class="btn ghost ico" tabindex="-1" href=log aria-label=move || format!("{} {}", ui.text(T::LogOf), name()) title=t(T::Logs)><Icon name="square-terminal"/></a></td>
        </tr>
    }
    .into_any()
}
