use crate::{
    components::{Banner, Icon, Tone},
    i18n::T,
    paths,
    ui::{t, ui},
};
use leptos::prelude::*;
use leptos_router::hooks::use_location;

/// Over the page, which keeps what was typed; signing in happens in another tab.
#[leptos::lazy]
pub fn ended() -> AnyView {
    let ui = ui();
    let location = use_location();
    view! {
        {move || ui.signed_out.get().then(|| {
            let next = format!("{}{}", location.pathname.get(), location.search.get());
            view! {
                <Banner tone=Tone::Error>
                    {t(T::SessionEnded)} " "
                    <a rel="external" target="_blank" href=format!("{}{}", paths::LOGIN, paths::query(&[("next", &next)]))>{t(T::SignIn)}</a>
                    " "
                    <button type="button" class="btn ghost" on:click=move |_| ui.signed_out.set(false)><Icon name="x"/>{t(T::Close)}</button>
                </Banner>
            }
        })}
    }
    .into_any()
}
