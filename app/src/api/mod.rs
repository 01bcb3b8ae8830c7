//! Server functions: one line each over [`service`]. Their addresses are for these pages alone.

pub mod artifacts;
pub mod clusters;
mod codec;
pub mod environments;
pub mod error;
pub mod jobs;
pub mod logs;
pub mod restore;
pub mod runs;
pub mod tokens;

pub use error::ApiError;

/// The service and the signed-in caller of this request.
#[cfg(feature = "ssr")]
fn caller() -> Result<(service::Service, domain::Viewer), ApiError> {
    use leptos::prelude::use_context;
    let service = use_context::<service::Service>().ok_or_else(|| ApiError::from(domain::Code::Internal))?;
    let viewer = use_context::<Option<domain::Viewer>>()
        .flatten()
        .ok_or_else(|| ApiError::from(domain::Code::Unauthenticated))?;
    Ok((service, viewer))
}

/// Reads an id out of an address; what is none names nothing there is.
#[cfg(feature = "ssr")]
fn id<T: std::str::FromStr>(text: &str, what: &str) -> Result<T, ApiError> {
    text.parse().map_err(|_| {
        domain::Failure::new(domain::Code::NotFound)
            .with("what", what)
            .into()
    })
}
