//! Above the list: filter, views, and what is going on.

use super::table::Table;
use crate::{
    components::{Banner, CopyButton, ErrorLine, Icon, Tone, view_word},
    i18n::{T, fill},
    keys, paths, time,
    ui::t,
    views::{maybe, txt},
};
use domain::{
    filter::{Filter, View},
    job::JobKind,
};
use leptos::{html, prelude::*};
use std::time::Duration;
use wasm_bindgen::JsCast;

/// Typing filters at once and becomes part of the address after a pause, so that Back steps over words, not letters.
const PAUSE: Duration = Duration::from_millis(120);

/// How a filter names the kind of jobs.
const KIND: &str = "kind:";

fn kind_in(q: &str) -> &str {
    q.split_whitespace()
        .filter_map(|word| word.strip_prefix(KIND))
        .next_back()
        .unwrap_or_default()
}

pub fn bar(table: Table) -> AnyView {
    let ui = table.ui;
    let input = NodeRef::<html::Input>::new();
    let timer = StoredValue::new(None::<TimeoutHandle>);
    let typed = move |text: String| {
        timer.update_value(|timer| {
            if let Some(timer) = timer.take() {
                timer.clear();
            }
        });
        table.q.set(text);
        timer.set_value(set_timeout_with_handle(move || table.write(), PAUSE).ok());
    };
    keys::on_key(move |event| {
        if !keys::free(event) {
            return;
        }
        match event.key().as_str() {
            "/" => {
                event.prevent_default();
                if let Some(input) = input.get_untracked() {
                    // Fails only for elements that are gone.
                    let _ = input.focus();
                }
            }
            "n" => table.open(paths::NEW_JOB),
            _ => {}
        }
    });
    let unknown = Memo::new(move |_| table.q.with(|q| Filter::parse(q).unknown.join(" ")));
    let pick = move |kind: &str| {
        let q = table.q.with_untracked(|q| {
            let kind = format!("{KIND}{kind}");
            let rest = q.split_whitespace().filter(|word| !word.starts_with(KIND));
            let words = rest.chain((kind != KIND).then_some(kind.as_str()));
            words.collect::<Vec<_>>().join(" ")
        });
        table.go(&table.address(Some(&q), None, None), false);
    };
    // By the element itself: a property for each option would be 1 KB of the first load.
    Effect::new(move |_| {
        let kind = table.q.with(|q| kind_in(q).to_owned());
        let select = document().get_element_by_id("kind");
        if let Some(select) = select.and_then(|e| e.dyn_into::<web_sys::HtmlSelectElement>().ok()) {
            select.set_value(&kind);
        }
    });
    let here = Signal::derive(move || {
        let _ = (table.q.get(), table.view.get(), table.sort.get());
        let origin = if ui.awake.get() {
            window().location().origin().unwrap_or_default()
        } else {
            String::new()
        };
        format!("{origin}{}", table.address(None, None, None))
    });
    view! {
        <div class="hd tools">
            <input class="filter" type="search" node_ref=input aria-label=t(T::FilterLabel) placeholder="state:failed owner:me queue:root.*"
                autocomplete="off" spellcheck="false"
                prop:value=move || table.q.get() value=table.q.get_untracked()
                on:input:target=move |event| typed(event.target().value())/>
            <select id="kind" aria-label=t(T::Kind) on:change=move |event| pick(&event_target_value(&event))>
                <option value="">{t(T::AllKinds)}</option>
                {JobKind::ALL.into_iter().map(|kind| view! { <option value=kind.name()>{kind.label()}</option> }.into_any()).collect_view()}
            </select>
            <div class="seg" role="group" aria-label=t(T::Views)>
                {View::ALL.into_iter().enumerate().map(|(i, view)| view! {
                    <button type="button" aria-pressed=move || (table.view.get() == view).to_string()
                        on:click=move |_| table.go(&table.address(None, Some(view), None), false)>
                        {t(view_word(view))} " "
                        <span class="fnt">{txt(move || table.counts.with(|c| c.get(i).map(|n| time::count((*n).into())).unwrap_or_default()))}</span>
                    </button>
                }).collect_view()}
            </div>
            <CopyButton text=here label=T::CopyLink/>
        </div>
        {maybe(move || {
            let unknown = unknown.get();
            (!unknown.is_empty()).then(|| view! {
                <Banner tone=Tone::Warn>{txt(move || fill(ui.text(T::UnknownFilter), &[("what", &unknown)]))}</Banner>
            }.into_any())
        })}
        {maybe(move || table.trouble.get().map(|error| view! {
            <ErrorLine error retry=Callback::new(move |()| table.read_all())/>
        }.into_any()))}
        // Kept in the page, so that it takes no room away from under the pointer when it appears.
        <div class="pending" aria-live="polite">
            {maybe(move || (table.waiting.get() > 0).then(|| view! {
                <button type="button" class="btn" on:click=move |_| table.apply()>
                    <Icon name="refresh-cw"/>
                    {txt(move || fill(ui.text(T::RowsWaiting), &[("n", &table.waiting.get().to_string())]))}
                </button>
            }.into_any()))}
        </div>
    }
    .into_any()
}
