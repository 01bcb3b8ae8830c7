use crate::{
    components::Dialog,
    i18n::T,
    ui::{t, ui},
};
use leptos::prelude::*;

const GROUPS: &[(T, &[(&str, T)])] = &[
    (
        T::Everywhere,
        &[
            ("Ctrl K", T::KeyPalette),
            ("?", T::KeyHelp),
            ("g j", T::Jobs),
            ("g n", T::NewJob),
            ("g a", T::Artifacts),
            ("g c", T::Clusters),
            ("g e", T::Environments),
            ("g t", T::Tokens),
        ],
    ),
    (
        T::Jobs,
        &[
            ("/", T::KeyFilter),
            ("j k ↑ ↓", T::KeyMove),
            ("Home End PgUp PgDn", T::KeyFar),
            ("x", T::KeySelect),
            ("Enter", T::KeyOpen),
            ("n", T::NewJob),
        ],
    ),
    (
        T::Logs,
        &[
            ("/", T::KeyLogSearch),
            ("f", T::Follow),
            ("w", T::Wrap),
            ("e", T::NextError),
            ("b", T::KeyEnd),
        ],
    ),
    (
        T::Script,
        &[
            ("Tab", T::KeyIndent),
            ("Esc Tab", T::KeyLeaveEditor),
            ("Ctrl F", T::KeyFind),
        ],
    ),
];

#[component]
pub fn Help() -> impl IntoView {
    let ui = ui();
    view! {
        <Dialog open=ui.help wide=true title=Signal::derive(move || ui.text(T::Shortcuts).to_owned())>
            <div class="keys">
                {GROUPS.iter().map(|(title, keys)| view! {
                    <section>
                        <h3>{t(*title)}</h3>
                        <dl class="kv">
                            {keys.iter().map(|(key, text)| view! {
                                <dt>{key.split(' ').map(|key| view! { <kbd>{key}</kbd> " " }).collect_view()}</dt>
                                <dd>{t(*text)}</dd>
                            }).collect_view()}
                        </dl>
                    </section>
                }).collect_view()}
            </div>
        </Dialog>
    }
    .into_any()
}
