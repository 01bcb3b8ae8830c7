use crate::{
    boot::Density,
    bridge,
    components::Icon,
    i18n::T,
    paths,
    ui::{t, ui},
};
use leptos::prelude::*;

/// What the menu of the account holds.
#[leptos::lazy]
pub fn menu() -> AnyView {
    let ui = ui();
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
    }
    .into_any()
}
