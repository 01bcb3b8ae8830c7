use crate::{
    boot::{Density, Theme},
    bridge,
    components::Icon,
    i18n::T,
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
    let teams = ui.viewer.with_value(|v| {
        v.as_ref()
            .map(|v| {
                v.teams
                    .iter()
                    .map(|m| format!("{} ({})", m.team_name, m.role.name()))
                    .collect::<Vec<_>>()
            })
            .unwrap_or_default()
    });
    let admin = ui.viewer.with_value(|v| v.as_ref().is_some_and(|v| v.admin));
    view! {
        <button type="button" class="btn ghost user" popovertarget="user-menu" aria-label=move || format!("{} {name}", ui.text(T::UserMenu))>
            <Icon name="user"/><span class="hide-s">{ui.me()}</span>
        </button>
        <div id="user-menu" class="menu" popover="auto">
            <p><b>{ui.me()}</b></p>
            {admin.then(|| view! { <p class="mut">{t(T::Administrator)}</p> })}
            {teams.into_iter().map(|team| view! { <p class="mut">{team}</p> }).collect_view()}
            <label class="row">{t(T::RowHeight)}
                <select on:change:target=move |event| if let Some(density) = Density::from_name(&event.target().value()) { ui.set_density(density) }>
                    {Density::ALL.into_iter().map(|density| {
                        let text = match density {
                            Density::Normal => T::DensityNormal,
                            Density::Compact => T::DensityCompact,
                            Density::Comfortable => T::DensityComfortable,
                        };
                        view! { <option value=density.name() prop:selected=move || ui.density.get() == density>{t(text)}</option> }
                    }).collect_view()}
                </select>
            </label>
            <a class="btn" href=paths::TOKENS><Icon name="key-round"/>{t(T::Tokens)}</a>
            <button type="button" class="btn" on:click=move |_| bridge::post_form(paths::LOGOUT)><Icon name="log-out"/>{t(T::SignOut)}</button>
        </div>
    }
    .into_any()
}
