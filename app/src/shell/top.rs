use super::menu::menu;
use crate::{
    boot::Theme,
    components::Icon,
    i18n::T,
    late::late,
    paths,
    ui::{Link, t, ui},
    views::{part, txt},
};
use domain::Lang;
use leptos::prelude::*;

#[component]
pub fn Top() -> impl IntoView {
    let ui = ui();
    view! {
        <header class="top">
            <a class="brand" href=paths::JOBS><Icon name="workflow"/><span>"Penstock"</span></a>
            <button type="button" class="kbtn" on:click=move |_| ui.palette.set(true) aria-haspopup="dialog">
                <Icon name="search"/><span class="lbl">{t(T::SearchOrGo)}</span><span class="sp"></span><kbd>"Ctrl K"</kbd>
            </button>
            <span class="sp"></span>
            <Live/>
            <ThemeSwitch/>
            <LangSwitch/>
            <UserMenu/>
        </header>
    }
    .into_any()
}

#[component]
fn Live() -> impl IntoView {
    let ui = ui();
    let text = move || {
        let link = ui.text(match ui.link.get() {
            Link::Connecting => T::Connecting,
            Link::On => T::Live,
            Link::Paused(_) => T::Paused,
        });
        match ui.seen.get() {
            Some(at) => format!("{link} · {} {}", ui.text(T::EngineSeen), ui.when(at)),
            None => link.to_owned(),
        }
    };
    view! {
        <span class="live hide-s" data-link=move || match ui.link.get() { Link::On => "on", Link::Connecting => "wait", Link::Paused(_) => "off" }>
            <Icon name="activity"/>{txt(text)}
        </span>
    }
    .into_any()
}

#[component]
fn ThemeSwitch() -> impl IntoView {
    let ui = ui();
    let dark = move || match ui.theme.get() {
        Theme::Dark => true,
        Theme::Light => false,
        // Asked only once scripts run; the server cannot know.
        Theme::Auto => {
            ui.awake.get()
                && window()
                    .match_media("(prefers-color-scheme: dark)")
                    .ok()
                    .flatten()
                    .is_some_and(|m| m.matches())
        }
    };
    view! {
        <button type="button" class="btn ghost ico" aria-label=move || ui.text(if dark() { T::UseLight } else { T::UseDark })
            on:click=move |_| ui.set_theme(if untrack(dark) { Theme::Light } else { Theme::Dark })>
            {part(move || view! { <Icon name=if dark() { "sun" } else { "moon" }/> }.into_any())}
        </button>
    }
    .into_any()
}

#[component]
pub fn LangSwitch() -> impl IntoView {
    let ui = ui();
    let other = move || match ui.lang.get() {
        Lang::En => (Lang::ZhCn, "中文"),
        Lang::ZhCn => (Lang::En, "English"),
    };
    view! {
        <button type="button" class="btn ghost" lang=move || other().0.tag() on:click=move |_| ui.set_lang(untrack(other).0)>
            <Icon name="languages"/><span class="hide-s">{txt(move || other().1.to_owned())}</span>
            <span class="vh only-s">{txt(move || other().1.to_owned())}</span>
        </button>
    }
    .into_any()
}

#[component]
fn UserMenu() -> impl IntoView {
    let ui = ui();
    let name = ui.me();
    // The browser opens it; what stands in it is fetched the first time.
    let opened = RwSignal::new(false);
    view! {
        <button type="button" class="btn ghost user" popovertarget="user-menu" aria-label=move || format!("{} {name}", ui.text(T::UserMenu)) on:click=move |_| opened.set(true)>
            <Icon name="user"/><span class="hide-s">{ui.me()}</span>
        </button>
        <div id="user-menu" class="menu" popover="auto">{late(move || opened.get(), menu, || None)}</div>
    }
    .into_any()
}
