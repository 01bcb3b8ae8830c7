//! One module per area; a page owns its resources, actions and layout.

mod artifacts;
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
use leptos_router::LazyRoute;

/// Pages beside the list are modules of their own, fetched when they are gone to. Pages of one group
/// share a module: each more of them would cut the code they have in common into smaller files.
/// The third name is what `lazy` calls the fetching of a module. What a page reads begins within it, so that the first load carries none of it.
/// What follows `and` fetches the modules of parts of the page.
macro_rules! lazy_pages {
    ($($group:ident { $($route:ident, $view:ident, $fetch:ident $(and $parts:path)? = $page:path;)* })*) => {$($(
        pub struct $route;

        #[leptos::lazy($group)]
        fn $view() -> AnyView {
            crate::components::know_fields();
            $page()
        }

        impl LazyRoute for $route {
            fn data() -> Self {
                Self
            }

            async fn view(_page: Self) -> AnyView {
                $view().await
            }

            // Taking over a drawn page needs the module at hand: its view must not be waited for.
            async fn preload() {
                #[cfg(target_arch = "wasm32")]
                {
                    $fetch().await;
                    $($parts().await;)?
                }
            }
        }
    )*)*};
}

lazy_pages! {
    enter {
        LoginPage, login_view, __preload_login_view = login::login;
    }
    form {
        NewJobPage, new_job_view, __preload_new_job_view and form::fetch_parts = form::new_job;
        EditJobPage, edit_job_view, __preload_edit_job_view and form::fetch_parts = form::edit_job;
    }
    job {
        JobPage, job_view, __preload_job_view = job::job;
    }
    artifacts {
        ArtifactsPage, artifacts_view, __preload_artifacts_view = artifacts::artifacts;
    }
    operate {
        ClustersPage, clusters_view, __preload_clusters_view = clusters::clusters;
        NewClusterPage, new_cluster_view, __preload_new_cluster_view = clusters::new_cluster;
        ClusterPage, cluster_view, __preload_cluster_view = clusters::cluster;
        EnvironmentsPage, environments_view, __preload_environments_view = environments::environments;
        TokensPage, tokens_view, __preload_tokens_view = tokens::tokens;
    }
}

/// The list of jobs, which is part of the first load.
pub struct JobsPage;

impl LazyRoute for JobsPage {
    fn data() -> Self {
        Self
    }

    async fn view(_page: Self) -> AnyView {
        jobs::jobs()
    }

    // The frame is taken over in one task and the list in another, so that neither holds the browser for long.
    async fn preload() {
        #[cfg(target_arch = "wasm32")]
        crate::bridge::pause().await;
    }
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
