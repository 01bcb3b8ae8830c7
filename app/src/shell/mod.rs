//! The frame around every page.

#[cfg(feature = "ssr")]
mod document;
mod ended;
mod help;
mod menu;
mod nav;
mod palette;
mod top;

#[cfg(feature = "ssr")]
pub use document::document;
pub use nav::places;
pub use top::LangSwitch;

use crate::{
    components::{Banner, Tone},
    i18n::T,
    keys,
    late::late,
    ui::{Link, t, ui},
    views::{maybe, txt},
};
use leptos::prelude::*;

/// Navigation and top bar when somebody is signed in; the page alone otherwise.
#[component]
pub fn Frame(children: Children) -> impl IntoView {
    let ui = ui();
    let signed_in = ui.viewer.with_value(Option::is_some);
    if !signed_in {
        return view! { <main id="main" class="alone" tabindex="-1">{children()}</main> }.into_any();
    }
    keys::listen();
    view! {
        <a class="skip" href="#main">{t(T::SkipToContent)}</a>
        <div class="app">
            <top::Top/>
            <nav::Nav/>
            <main id="main" tabindex="-1">
                <Stream/>
                {late(move || ui.signed_out.get(), ended::ended, || None)}
                {children()}
            </main>
        </div>
        {late(move || ui.palette.get() || ui.help.get(), overlays, || None)}
        <div class="vh" role="status" aria-live="polite">{txt(move || ui.said.get())}</div>
    }
    .into_any()
}

#[leptos::lazy]
fn overlays() -> AnyView {
    view! { <palette::Palette/> <help::Help/> }.into_any()
}

/// Says that changes do not arrive.
#[component]
fn Stream() -> impl IntoView {
    let ui = ui();
    maybe(move || match ui.link.get() {
        Link::Paused(since) => Some(
            view! {
                <Banner tone=Tone::Warn>
                    {t(T::LivePaused)} " " {txt(move || ui.clock(since))}
                </Banner>
            }
            .into_any(),
        ),
        Link::Connecting | Link::On => None,
    })
    .into_any()
}
