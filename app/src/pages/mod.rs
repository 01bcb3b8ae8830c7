//! One module per area; a page owns its resources, actions and layout.

mod clusters;
mod environments;
mod form;
mod job;
mod jobs;
mod login;
mod tokens;

use crate::{
    components::{Empty, TitleOf},
    i18n::T,
    paths,
    ui::t,
};
use leptos::prelude::*;
use leptos_router::{LazyRoute, lazy_route};

/// Every page is a module of its own, fetched when it is gone to. What it reads begins within it,
/// so that the first load carries none of it.
macro_rules! lazy_pages {
    ($($route:ident = $page:path;)*) => {$(
        pub struct $route;

        #[lazy_route]
        impl LazyRoute for $route {
            fn data() -> Self {
                Self
            }

            fn view(_page: Self) -> AnyView {
                $page().into_any()
            }
        }
    )*};
}

lazy_pages! {
    LoginPage = login::login;
    JobsPage = jobs::jobs;
    NewJobPage = form::new_job;
    EditJobPage = form::edit_job;
    JobPage = job::job;
    ClustersPage = clusters::clusters;
    NewClusterPage = clusters::new_cluster;
    ClusterPage = clusters::cluster;
    EnvironmentsPage = environments::environments;
    TokensPage = tokens::tokens;
}

/// Nothing at this address.
pub fn not_found() -> AnyView {
    #[cfg(feature = "ssr")]
    if let Some(response) = use_context::<leptos_axum::ResponseOptions>() {
        response.set_status(http::StatusCode::NOT_FOUND);
    }
    view! {
        <TitleOf text=T::NotFoundTitle/>
        <h1>{t(T::NotFoundTitle)}</h1>
        <div class="card"><Empty icon="circle-question-mark" title=T::NoSuchPage hint=T::NoSuchPageHint>
            <a class="btn" href=paths::JOBS>{t(T::BackToJobs)}</a>
        </Empty></div>
    }
    .into_any()
}
