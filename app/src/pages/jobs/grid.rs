//! The list itself: a grid with one row in the tab order, of which a window is drawn.

use super::{bulk::bulk, rows, table::Table};
use crate::{
    components::{Empty, Icon},
    i18n::T,
    late::late,
    paths,
    ui::t,
    views::maybe,
};
use domain::{
    Action,
    filter::{Sort, SortKey, View},
    id::JobId,
};
use leptos::{html, prelude::*};
use wasm_bindgen::JsCast;

/// More rows than this are drawn as a window; the server draws no more than that.
const WINDOWED: usize = 60;
/// Rows drawn above the visible ones and below them; the window moves in steps of half of it.
const MARGIN: usize = 12;
/// Visible rows until the height is known.
const SCREEN: usize = 24;
const COLUMNS: [(Option<SortKey>, T, bool); 9] = [
    (None, T::Select, false),
    (Some(SortKey::Name), T::Name, false),
    (Some(SortKey::State), T::State, false),
    (None, T::Duration, true),
    (Some(SortKey::Queue), T::Queue, false),
    (Some(SortKey::Environment), T::Environment, false),
    (Some(SortKey::Owner), T::Owner, false),
    (Some(SortKey::Changed), T::Changed, false),
    (None, T::Actions, false),
];

fn heading(table: Table, key: Option<SortKey>, text: T, number: bool) -> AnyView {
    let Some(key) = key else {
        let hidden = matches!(text, T::Select | T::Actions);
        return view! { <th scope="col" class:num=number><span class:vh=hidden>{t(text)}</span></th> }
            .into_any();
    };
    let now = move || table.sort.with(|s| Sort::parse(s)).unwrap_or_default();
    let order = move || {
        (now().key == key).then(|| {
            if now().descending {
                "descending"
            } else {
                "ascending"
            }
        })
    };
    let turn = move |_| {
        let now = untrack(now);
        let next = Sort {
            key,
            descending: if now.key == key {
                !now.descending
            } else {
                key == SortKey::Changed
            },
        };
        table.go(&table.address(None, None, Some(&next.text())), false);
    };
    view! {
        <th scope="col" aria-sort=order>
            <button type="button" on:click=turn>
                {t(text)}
                {maybe(move || order().map(|order| view! { <Icon name=if order == "descending" { "arrow-down" } else { "arrow-up" }/> }.into_any()))}
            </button>
        </th>
    }
    .into_any()
}

fn focus_row(id: &JobId) {
    if let Some(row) = document()
        .get_element_by_id(&format!("row-{id}"))
        .and_then(|e| e.dyn_into::<web_sys::HtmlElement>().ok())
    {
        // Fails only for elements that are gone.
        let _ = row.focus();
    }
}

pub fn grid(table: Table) -> AnyView {
    let node = NodeRef::<html::Div>::new();
    let top = RwSignal::new(0_usize);
    let screen = RwSignal::new(SCREEN);
    let windowed = Memo::new(move |_| table.shown.with(Vec::len) > WINDOWED);
    // Whole steps, so that scrolling redraws seldom.
    let from = Memo::new(move |_| {
        if !windowed.get() {
            return 0;
        }
        let last = table.shown.with(Vec::len).saturating_sub(screen.get() + MARGIN);
        let step = MARGIN / 2;
        (top.get().saturating_sub(MARGIN - step) / step * step).min(last)
    });
    let visible = Memo::new(move |_| {
        let size = if windowed.get() {
            screen.get() + 2 * MARGIN
        } else {
            WINDOWED
        };
        table.shown.with(|shown| {
            shown
                .iter()
                .enumerate()
                .skip(from.get())
                .take(size)
                .map(|(i, id)| (i, id.clone()))
                .collect::<Vec<_>>()
        })
    });
    let row_height = move || match table.ui.density.get() {
        crate::boot::Density::Normal => 36,
        crate::boot::Density::Compact => 28,
        crate::boot::Density::Comfortable => 44,
    };
    let gap_above = move || (from.get() > 0).then(|| (from.get() * row_height()).to_string());
    let gap_below = move || {
        let rest = table
            .shown
            .with(Vec::len)
            .saturating_sub(from.get() + visible.with(Vec::len));
        (rest > 0).then(|| (rest * row_height()).to_string())
    };
    let scrolled = move |()| {
        if let Some(div) = node.get_untracked() {
            let height = row_height_untracked(row_height);
            top.set(usize::try_from(div.scroll_top()).unwrap_or(0) / height);
            let rows = usize::try_from(div.client_height()).unwrap_or(0) / height + 1;
            if screen.get_untracked() != rows {
                screen.set(rows);
            }
        }
    };
    Effect::new(move |_| {
        if windowed.get() {
            // Laid out with the new height by then.
            request_animation_frame(move || scrolled(()));
        }
    });

    let step = move |to: &dyn Fn(usize, usize) -> usize| {
        let (next, index) = table.shown.with_untracked(|shown| {
            let last = shown.len().checked_sub(1)?;
            let at = table
                .cursor
                .with_untracked(|c| c.as_ref().and_then(|id| shown.iter().position(|s| s == id)));
            let index = at.map_or(0, |at| to(at, last).min(last));
            Some((shown[index].clone(), index))
        })?;
        table.cursor.set(Some(next.clone()));
        if let Some(div) = node.get_untracked().filter(|_| windowed.get_untracked()) {
            let (row, first) = (
                row_height_untracked(row_height),
                usize::try_from(div.scroll_top()).unwrap_or(0),
            );
            let height = usize::try_from(div.client_height()).unwrap_or(0);
            if index * row < first || (index + 2) * row > first + height {
                div.set_scroll_top(i32::try_from((index * row).saturating_sub(height / 2)).unwrap_or(0));
                top.set(index);
            }
        }
        // The row may be drawn only after this change.
        request_animation_frame(move || focus_row(&next));
        Some(())
    };
    let mark = move |id: &JobId| {
        table.selected.update(|all| {
            if !all.remove(id) {
                all.insert(id.clone());
            }
        });
    };
    crate::keys::on_key(move |event| {
        if !crate::keys::free(event) {
            return;
        }
        let moved = match event.key().as_str() {
            "j" | "ArrowDown" => step(&|at, _| at + 1),
            "k" | "ArrowUp" => step(&|at, _| at.saturating_sub(1)),
            "Home" => step(&|_, _| 0),
            "End" => step(&|_, last| last),
            "PageDown" => step(&|at, _| at + 15),
            "PageUp" => step(&|at, _| at.saturating_sub(15)),
            "x" => table.cursor.get_untracked().map(|id| mark(&id)),
            "Enter" | "o" => {
                let on_row = event
                    .target()
                    .and_then(|t| t.dyn_into::<web_sys::Element>().ok())
                    .is_some_and(|e| e.tag_name() == "TR");
                let cursor = table
                    .cursor
                    .get_untracked()
                    .filter(|_| on_row || event.key() == "o");
                cursor.map(|id| table.open(&paths::job(&id)))
            }
            _ => None,
        };
        if moved.is_some() {
            event.prevent_default();
        }
    });
    let left = move |event: leptos::ev::FocusEvent| {
        let inside = event
            .related_target()
            .and_then(|t| t.dyn_into::<web_sys::Node>().ok())
            .is_some_and(|to| node.get_untracked().is_some_and(|div| div.contains(Some(&to))));
        if !inside {
            table.busy.set(false);
        }
    };

    // Known from the first byte, so that nothing moves when the other rows come.
    let tall = move || usize::try_from(table.total.get()).unwrap_or(usize::MAX) > WINDOWED;
    let body = view! {
        <div class="grid" class:tall=tall node_ref=node on:scroll=move |_| scrolled(())
            on:mouseenter=move |_| table.busy.set(true) on:mouseleave=move |_| table.busy.set(false)
            on:focusin=move |_| table.busy.set(true) on:focusout=left>
            <table role="grid" aria-label=t(T::Jobs) aria-multiselectable="true"
                aria-rowcount=move || (table.shown.with(Vec::len) + 1).to_string()>
                <thead><tr aria-rowindex="1">
                    {COLUMNS.into_iter().map(|(key, text, number)| heading(table, key, text, number)).collect_view()}
                </tr></thead>
                <tbody>
                    {maybe(move || gap_above().map(gap))}
                    <For each=move || visible.get() key=|(_, id)| id.clone() children=move |(_, id)| rows::row(table, id, mark)/>
                    {maybe(move || gap_below().map(gap))}
                </tbody>
            </table>
        </div>
    };
    view! {
        {maybe(move || {
            if table.shown.with(|shown| !shown.is_empty()) {
                return None;
            }
            Some(nothing(table))
        })}
        <div class:gone=move || table.shown.with(Vec::is_empty)>{body}</div>
        <div class="foot">
            {late(move || table.selected.with(|all| !all.is_empty()), move || bulk(table), || None)}
            <p class="mut hide-s"><kbd>"J"</kbd> " " <kbd>"K"</kbd> " " {t(T::KeyMove)} " · " <kbd>"X"</kbd> " " {t(T::KeySelect)} " · " <kbd>"Enter"</kbd> " " {t(T::KeyOpen)} " · " <kbd>"?"</kbd> " " {t(T::Shortcuts)}</p>
        </div>
    }
    .into_any()
}

fn row_height_untracked(height: impl Fn() -> usize) -> usize {
    untrack(height)
}

/// Stands for rows that are not drawn.
fn gap(height: String) -> AnyView {
    view! { <tr aria-hidden="true" class="gap"><td colspan="9"><svg class="gap" width="1" height=height aria-hidden="true"></svg></td></tr> }.into_any()
}

fn nothing(table: Table) -> AnyView {
    let may_write = table.ui.may(Action::JobWrite);
    if table.total.get_untracked() == 0 {
        return view! {
            <div class="card"><Empty icon="list" title=T::NoJobs hint=T::NoJobsHint>
                {may_write.then(|| view! { <a class="btn pri" href=paths::NEW_JOB><Icon name="plus"/>{t(T::NewJob)}</a> })}
            </Empty></div>
        }
        .into_any();
    }
    view! {
        <div class="card"><Empty icon="search" title=T::NothingMatches hint=T::NothingMatchesHint>
            <button type="button" class="btn" on:click=move |_| table.go(&table.address(Some(""), Some(View::All), None), false)><Icon name="x"/>{t(T::ClearFilter)}</button>
        </Empty></div>
    }
    .into_any()
}
