use crate::{
    bridge,
    components::{Banner, Icon, TitleOf, Tone},
    i18n::T,
    paths,
    shell::LangSwitch,
    ui::{t, ui},
};
use domain::{Code, Failure};
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

/// Signing in. A plain form, so that it works without scripts; the server answers with a redirect.
pub fn login() -> AnyView {
    let ui = ui();
    let query = use_query_map();
    let next = move || query.read().get("next").unwrap_or_else(|| paths::JOBS.to_owned());
    // The server sends back the code of what was refused.
    let refused = move || {
        let code = query.read().get("error")?;
        let code = Code::ALL
            .iter()
            .find(|known| known.as_str() == code)
            .copied()
            .unwrap_or(Code::BadCredentials);
        let mut failure = Failure::new(code);
        if let Some(seconds) = query.read().get("seconds") {
            failure = failure.with("seconds", seconds);
        }
        Some(failure.text(ui.lang.get()))
    };
    let busy = RwSignal::new(false);
    Effect::new(move |_| {
        let hash = window().location().hash().unwrap_or_default();
        if let Some(secret) = hash.strip_prefix("#token=") {
            busy.set(true);
            bridge::post_secret(paths::LOGIN_LINK, "secret", secret, &next());
        }
    });
    view! {
        <TitleOf text=T::SignIn/>
        <div class="card login">
            <div class="hd"><span class="brand"><Icon name="workflow"/>"Penstock"</span><span class="sp"></span><LangSwitch/></div>
            <h1>{t(T::SignIn)}</h1>
            {move || refused().map(|text| view! { <Banner tone=Tone::Error>{text}</Banner> })}
            {move || busy.get().then(|| view! { <p role="status" class="hd"><Icon name="loader"/>{t(T::SigningIn)}</p> })}
            <form method="post" action=paths::LOGIN>
                <input type="hidden" name="next" value=next/>
                <div class="fld">
                    <label for="name">{t(T::UserName)}</label>
                    <input id="name" name="name" type="text" autocomplete="username" required maxlength="120" autocapitalize="none" spellcheck="false"/>
                </div>
                <div class="fld">
                    <label for="password">{t(T::Password)}</label>
                    <input id="password" name="password" type="password" autocomplete="current-password" required maxlength="1000"/>
                </div>
                <button type="submit" class="btn pri">{t(T::SignIn)}</button>
            </form>
            <p class="mut">{t(T::LoginLinkHint)} " " <code>"penstock login-link"</code></p>
        </div>
    }
    .into_any()
}
