//! The pages of the console: rendered on the server, taken over by WASM in the browser.

// Most items are shared between modules only; `pub` is what the component macro expects of its props.
#![recursion_limit = "512"]
#![allow(unreachable_pub)]

mod api;
mod boot;
mod bridge;
mod components;
mod go;
mod head;
mod i18n;
mod keys;
mod late;
mod live;
mod pages;
pub mod paths;
mod shell;
mod time;
mod ui;
mod views;

#[cfg(feature = "ssr")]
pub use shell::document;

use boot::Boot;
use leptos::prelude::*;
use leptos_meta::provide_meta_context;
use leptos_router::{
    Lazy, SsrMode,
    components::{Redirect, Route, Router, Routes},
    path,
};
use shell::Frame;
use ui::Ui;

/// The route table. Pages answer whole (`SsrMode::Async`): the status is right, and they can be
/// read without scripts.
#[component]
pub fn App() -> impl IntoView {
    provide_meta_context();
    let boot = SharedValue::new(Boot::of_request).into_inner();
    let ui = Ui::new(&boot);
    provide_context(ui);
    Effect::new(move |_| live::wake(ui));
    view! {
        <Router>
            <Frame>
                <Routes fallback=pages::not_found>
                    <Route path=path!("/") view=|| view! { <Redirect path=paths::JOBS/> }/>
                    <Route path=path!("/login") view={Lazy::<pages::LoginPage>::new()} ssr=SsrMode::Async/>
                    <Route path=path!("/jobs") view={Lazy::<pages::JobsPage>::new()} ssr=SsrMode::Async/>
                    <Route path=path!("/jobs/new") view={Lazy::<pages::NewJobPage>::new()} ssr=SsrMode::Async/>
                    <Route path=path!("/jobs/:id/edit") view={Lazy::<pages::EditJobPage>::new()} ssr=SsrMode::Async/>
                    <Route path=path!("/jobs/:id/:tab?") view={Lazy::<pages::JobPage>::new()} ssr=SsrMode::Async/>
                    <Route path=path!("/artifacts") view={Lazy::<pages::ArtifactsPage>::new()} ssr=SsrMode::Async/>
                    <Route path=path!("/clusters") view={Lazy::<pages::ClustersPage>::new()} ssr=SsrMode::Async/>
                    <Route path=path!("/clusters/new") view={Lazy::<pages::NewClusterPage>::new()} ssr=SsrMode::Async/>
                    <Route path=path!("/clusters/:code") view={Lazy::<pages::ClusterPage>::new()} ssr=SsrMode::Async/>
                    <Route path=path!("/environments") view={Lazy::<pages::EnvironmentsPage>::new()} ssr=SsrMode::Async/>
                    <Route path=path!("/tokens") view={Lazy::<pages::TokensPage>::new()} ssr=SsrMode::Async/>
                </Routes>
            </Frame>
        </Router>
    }
    .into_any()
}

/// Takes over the page the server has drawn.
#[cfg(feature = "hydrate")]
pub fn hydrate() {
    leptos::mount::hydrate_lazy(App);
}
