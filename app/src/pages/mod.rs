//! One module per area; a page owns its resources, actions and layout.

mod clusters;
mod environments;
mod form;
mod job;
mod jobs;
mod login;
mod tokens;

pub use clusters::{Cluster, Clusters, NewCluster};
pub use environments::Environments;
pub use form::{EditJob, NewJob};
pub use job::Job;
pub use jobs::Jobs;
pub use login::Login;
pub use tokens::Tokens;

use crate::{
    components::{Empty, TitleOf},
    i18n::T,
    paths,
    ui::t,
};
use leptos::prelude::*;

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
