use super::nav::places;
use crate::{
    api,
    components::{Icon, StateOnly},
    go::Go,
    i18n::T,
    paths,
    ui::{t, ui},
};
use domain::job::JobRow;
use leptos::{html, prelude::*};

/// Most jobs listed at once.
const MOST: usize = 12;

#[derive(Clone, PartialEq)]
struct Entry {
    href: String,
    icon: &'static str,
    text: String,
    row: Option<JobRow>,
}

/// Ctrl-K: pages by name, jobs by name.
#[component]
pub fn Palette() -> impl IntoView {
    let ui = ui();
    let node = NodeRef::<html::Dialog>::new();
    let (text, at) = (RwSignal::new(String::new()), RwSignal::new(0_usize));
    let rows = RwSignal::new(Vec::<JobRow>::new());
    let places: Vec<_> = places().into_iter().flat_map(|(_, places)| places).collect();
    let navigate = Go::new();

    Effect::new(move |_| {
        let Some(dialog) = node.get() else { return };
        match (ui.palette.get(), dialog.open()) {
            (true, false) => {
                text.set(String::new());
                at.set(0);
                drop(dialog.show_modal());
                leptos::task::spawn_local(async move {
                    if let Ok(all) = api::jobs::jobs().await {
                        rows.set(all);
                    }
                });
            }
            (false, true) => dialog.close(),
            _ => {}
        }
    });
    let entries = Memo::new(move |_| {
        let wanted = text.with(|text| text.trim().to_lowercase());
        let mut entries: Vec<Entry> = places
            .iter()
            .map(|place| Entry {
                href: place.href.clone(),
                icon: place.icon,
                text: ui.text(place.text).to_owned(),
                row: None,
            })
            .filter(|entry| entry.text.to_lowercase().contains(&wanted))
            .collect();
        rows.with(|rows| {
            entries.extend(
                rows.iter()
                    .filter(|row| row.name.to_lowercase().contains(&wanted))
                    .take(MOST)
                    .map(|row| Entry {
                        href: paths::job(&row.id),
                        icon: "chevron-right",
                        text: row.name.clone(),
                        row: Some(row.clone()),
                    }),
            );
        });
        entries
    });
    let go = move |index: usize| {
        if let Some(entry) = entries.with_untracked(|all| all.get(index).cloned()) {
            ui.palette.set(false);
            navigate.to(&entry.href);
        }
    };
    let keydown = move |event: leptos::ev::KeyboardEvent| {
        let last = entries.with_untracked(Vec::len).saturating_sub(1);
        match event.key().as_str() {
            "ArrowDown" => at.update(|at| *at = if *at >= last { 0 } else { *at + 1 }),
            "ArrowUp" => at.update(|at| *at = if *at == 0 { last } else { *at - 1 }),
            "Enter" => go(at.get_untracked()),
            _ => return,
        }
        event.prevent_default();
    };
    view! {
        <dialog class="palette" node_ref=node aria-label=t(T::SearchOrGo) on:close=move |_| ui.palette.set(false)>
            <input type="text" role="combobox" autofocus aria-label=t(T::SearchOrGo) placeholder=t(T::SearchOrGo)
                aria-expanded="true" aria-controls="palette-list" aria-autocomplete="list" autocomplete="off" spellcheck="false"
                aria-activedescendant=move || entries.with(|all| (at.get() < all.len()).then(|| format!("pal-{}", at.get())))
                prop:value=move || text.get()
                on:input:target=move |event| { text.set(event.target().value()); at.set(0); }
                on:keydown=keydown/>
            <ul id="palette-list" role="listbox" aria-label=t(T::Results)>
                {move || entries.get().into_iter().enumerate().map(|(index, entry)| view! {
                    <li id=format!("pal-{index}") role="option" aria-selected=move || (at.get() == index).to_string()
                        on:mousemove=move |_| if at.get_untracked() != index { at.set(index) }
                        on:click=move |_| go(index)>
                        <Icon name=entry.icon/><span class="grow">{entry.text}</span>
                        {entry.row.map(|row| view! {
                            <span class="tag">{row.kind.label()}</span>
                            {row.run.map(|run| view! { <StateOnly state=run.state/> })}
                        })}
                    </li>
                }).collect_view()}
            </ul>
            {move || entries.with(Vec::is_empty).then(|| view! { <p class="mut pad">{t(T::NothingMatches)}</p> })}
        </dialog>
    }
    .into_any()
}
