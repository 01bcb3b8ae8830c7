use crate::{
    bridge,
    i18n::T,
    paths,
    ui::{t, ui},
    views::{part, txt},
};
use domain::Millis;
use leptos::prelude::*;
use std::time::Duration;

/// An icon by its lucide name, as listed in `app/js/icons.txt`.
#[component]
pub fn Icon(name: &'static str) -> impl IntoView {
    view! {
        <svg class="i" class:spin=name == "loader" aria-hidden="true">
            <use href=format!("#i-{name}")></use>
        </svg>
    }
    .into_any()
}

/// A moment: absolute until scripts run, then relative with the absolute one at hand.
#[component]
pub fn Time(at: Millis) -> impl IntoView {
    let ui = ui();
    view! {
        <time datetime=crate::time::iso(at) title=move || ui.absolute(at)>
            {txt(move || ui.when(at))}
        </time>
    }
    .into_any()
}

/// Copies a text and confirms in place.
#[component]
pub fn CopyButton(#[prop(into)] text: Signal<String>, #[prop(optional)] label: Option<T>) -> impl IntoView {
    let ui = ui();
    let copied = RwSignal::new(false);
    let copy = move |_| {
        leptos::task::spawn_local(async move {
            if bridge::copy_text(&text.get_untracked()).await.is_truthy() {
                copied.set(true);
                ui.said.set(ui.text(T::Copied).to_owned());
                set_timeout(move || copied.set(false), Duration::from_millis(1500));
            }
        });
    };
    let name = move || ui.text(if copied.get() { T::Copied } else { T::Copy });
    view! {
        <button type="button" class="btn ghost" class:ico=label.is_none() on:click=copy aria-label=move || label.is_none().then(name) title=name>
            {part(move || view! { <Icon name=if copied.get() { "check" } else { "copy" }/> }.into_any())}
            {label.map(t)}
        </button>
    }
    .into_any()
}

/// How urgent a banner is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    Plain,
    Warn,
    Error,
}

#[component]
pub fn Banner(tone: Tone, children: Children) -> impl IntoView {
    let (class, icon) = match tone {
        Tone::Plain => ("ban", "info"),
        Tone::Warn => ("ban w", "triangle-alert"),
        Tone::Error => ("ban e", "circle-x"),
    };
    view! {
        <div class=class role=(tone == Tone::Error).then_some("alert")>
            <Icon name=icon/>
            <div class="grow">{children()}</div>
        </div>
    }
    .into_any()
}

/// Nothing to show, and what to do about it.
#[component]
pub fn Empty(
    icon: &'static str,
    title: T,
    hint: T,
    #[prop(optional)] children: Option<Children>,
) -> impl IntoView {
    view! {
        <div class="empty">
            <span class="big"><Icon name=icon/></span>
            <h2>{t(title)}</h2>
            <p>{t(hint)}</p>
            {children.map(|children| children())}
        </div>
    }
    .into_any()
}

/// Bars of about the height of what is loading; shown late, so that quick answers do not flash.
#[component]
pub fn Skeleton(#[prop(default = 3)] lines: usize) -> impl IntoView {
    view! {
        <div class="card late" aria-busy="true">
            <span class="vh">{t(T::Loading)}</span>
            {(0..lines).map(|i| view! { <span class="sk" data-w=(i % 3).to_string()></span> }).collect_view()}
        </div>
    }
    .into_any()
}

/// A page's title; also the tab's.
#[component]
pub fn PageTitle(#[prop(into)] text: Signal<String>) -> impl IntoView {
    // The server writes the head last, when the part of the page that named it can be gone.
    let first = text.get_untracked();
    let text = move || text.try_get().unwrap_or_else(|| first.clone());
    view! { <leptos_meta::Title text=move || format!("{} · Penstock", text())/> }
}

#[component]
pub fn TitleOf(text: T) -> impl IntoView {
    let ui = ui();
    view! { <PageTitle text=Signal::derive(move || ui.text(text).to_owned())/> }
}

/// A link out of the console, refused unless it leads to http or https.
#[component]
pub fn Outside(url: String, children: Children) -> impl IntoView {
    match paths::safe_url(&url) {
        Some(href) => {
            view! { <a href=href target="_blank" rel="noopener noreferrer external">{children()}</a> }
                .into_any()
        }
        None => view! { <span>{children()}</span> }.into_any(),
    }
}

/// A share from 0 to 100, drawn and written.
#[component]
pub fn Meter(#[prop(into)] percent: Signal<f64>, #[prop(into)] label: Signal<String>) -> impl IntoView {
    let whole = move || percent.get().clamp(0.0, 100.0).round() as u8;
    view! {
        <span class="meter">
            <progress max="100" value=move || whole().to_string() aria-label=move || label.get()></progress>
            <span>{txt(move || format!("{} %", whole()))}</span>
        </span>
    }
    .into_any()
}
