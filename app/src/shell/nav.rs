use crate::{
    components::Icon,
    i18n::T,
    paths,
    ui::{t, ui},
};
use domain::Action;
use leptos::prelude::*;
use leptos_router::hooks::use_location;

/// A page of the navigation; also what the palette lists.
#[derive(Clone, PartialEq)]
pub struct Place {
    pub href: String,
    pub icon: &'static str,
    pub text: T,
    /// The letter behind `g` that goes there.
    pub key: Option<char>,
}

fn place(href: impl Into<String>, icon: &'static str, text: T, key: Option<char>) -> Place {
    Place {
        href: href.into(),
        icon,
        text,
        key,
    }
}

/// Groups of pages the viewer may use; what may not be used is absent.
pub fn places() -> Vec<(T, Vec<Place>)> {
    let ui = ui();
    let mut groups = Vec::new();
    if ui.may(Action::JobWrite) {
        groups.push((
            T::Develop,
            vec![
                place(paths::NEW_JOB, "plus", T::NewJob, Some('n')),
                place(paths::ARTIFACTS, "package", T::Artifacts, Some('a')),
            ],
        ));
    }
    groups.push((
        T::Operate,
        vec![
            place(paths::JOBS, "list", T::Jobs, Some('j')),
            place(paths::CLUSTERS, "cpu", T::Clusters, Some('c')),
            place(paths::ENVIRONMENTS, "folder-sync", T::Environments, Some('e')),
        ],
    ));
    groups.push((
        T::Account,
        vec![place(paths::TOKENS, "key-round", T::Tokens, Some('t'))],
    ));
    groups
}

#[component]
pub fn Nav() -> impl IntoView {
    let location = use_location();
    // A page below a place belongs to it, unless it has a place of its own.
    let here = Memo::new(move |_| location.pathname.get());
    let current = move |href: &str| {
        here.with(|here| {
            here == href
                || (here != paths::NEW_JOB && here.starts_with(href) && here[href.len()..].starts_with('/'))
        })
    };
    view! {
        <nav class="nav" aria-label=t(T::Navigation)>
            {places().into_iter().map(|(title, places)| view! {
                <h2>{t(title)}</h2>
                {places.into_iter().map(|place| {
                    let href = place.href.clone();
                    view! {
                        <a href=place.href aria-current=move || current(&href).then_some("page")>
                            <Icon name=place.icon/><span>{t(place.text)}</span>
                        </a>
                    }
                }).collect_view()}
            }).collect_view()}
        </nav>
    }
    .into_any()
}
