//! Signing in and out. Plain forms, so that both work before any script has loaded.

use crate::{
    extract::Caller,
    middleware::caller::begin,
    next,
    problem::Refusal,
    routes::{Policy, Routes, Weight},
    state::AppState,
};
use axum::{
    Extension,
    extract::{ConnectInfo, Form, State, rejection::FormRejection},
    response::{IntoResponse, Redirect, Response},
};
use domain::{Code, Kind};
use http::{HeaderMap, HeaderValue, Method, header};
use serde::Deserialize;
use service::SignedIn;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use tower_sessions::Session;

#[derive(Deserialize)]
struct PasswordForm {
    name: String,
    password: String,
    #[serde(default)]
    next: String,
}

#[derive(Deserialize)]
struct LinkForm {
    secret: String,
    #[serde(default)]
    next: String,
}

pub(crate) fn routes(routes: Routes) -> Routes {
    routes
        .add(
            &Method::POST,
            "/login",
            Policy::Public,
            Weight::Normal,
            by_password,
        )
        .add(
            &Method::POST,
            "/login/link",
            Policy::Public,
            Weight::Normal,
            by_link,
        )
        .add(&Method::POST, "/logout", Policy::Public, Weight::Normal, sign_out)
}

async fn by_password(
    State(state): State<AppState>,
    Extension(session): Extension<Session>,
    peer: Option<Extension<ConnectInfo<SocketAddr>>>,
    headers: HeaderMap,
    form: Result<Form<PasswordForm>, FormRejection>,
) -> Response {
    let Ok(Form(form)) = form else {
        return refused(Code::BadCredentials.into(), "/");
    };
    let peer = peer.map(|Extension(ConnectInfo(peer))| peer.ip());
    let from = address(&state.config.server.trusted_proxies, peer, &headers);
    let result = state.service.login(&form.name, &form.password, from).await;
    let result = result.map_err(|error| match error.failure.kind() {
        // What cannot be a name is nobody's.
        Kind::Invalid => Code::BadCredentials.into(),
        _ => error,
    });
    finish(&state, &session, result, &form.next).await
}

async fn by_link(
    State(state): State<AppState>,
    Extension(session): Extension<Session>,
    form: Result<Form<LinkForm>, FormRejection>,
) -> Response {
    let Ok(Form(form)) = form else {
        return refused(Code::LoginLinkInvalid.into(), "/");
    };
    let result = state.service.login_with_link(form.secret.trim()).await;
    finish(&state, &session, result, &form.next).await
}

async fn finish(
    state: &AppState,
    session: &Session,
    result: service::Result<SignedIn>,
    next: &str,
) -> Response {
    let begun = match result {
        Ok(SignedIn { viewer, epoch }) => begin(state, session, viewer.user, epoch).await,
        Err(error) => Err(error.into()),
    };
    match begun {
        Ok(()) => Redirect::to(&next::safe(next)).into_response(),
        Err(refusal) => refused(refusal, next),
    }
}

/// Back to the form, which tells the reason in the reader's language.
fn refused(refusal: Refusal, next: &str) -> Response {
    if let Some(cause) = &refusal.cause {
        tracing::error!(
            code = refusal.failure.code.as_str(),
            cause,
            "sign-in failed inside"
        );
    }
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.append_pair("error", refusal.failure.code.as_str());
    if let Some(seconds) = refusal.failure.args.get("seconds") {
        query.append_pair("seconds", seconds);
    }
    let next = next::safe(next);
    if next != "/" {
        query.append_pair("next", &next);
    }
    let mut response = Redirect::to(&format!("/login?{}", query.finish())).into_response();
    if let Some(seconds) = refusal.failure.args.get("seconds")
        && let Ok(value) = HeaderValue::from_str(seconds)
    {
        response.headers_mut().insert(header::RETRY_AFTER, value);
    }
    response
}

/// Ends the session. Public, because an ended session may want to sign out as well.
async fn sign_out(
    State(state): State<AppState>,
    caller: Option<Caller>,
    Extension(session): Extension<Session>,
) -> Result<Response, Refusal> {
    session.flush().await.map_err(Refusal::internal)?;
    if let Some(Caller(viewer)) = caller {
        state.service.logged_out(&viewer).await?;
    }
    let mut response = Redirect::to("/login").into_response();
    // The removal that the session layer writes lacks `Secure`, which browsers demand of `__Host-` names.
    let (name, secure) = cookie_name(&state);
    let value = format!(
        "{name}=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax{}",
        if secure { "; Secure" } else { "" }
    );
    if let Ok(value) = HeaderValue::from_str(&value) {
        response.headers_mut().append(header::SET_COOKIE, value);
    }
    Ok(response)
}

/// Name of the session cookie and whether it is for https alone. The prefix binds it to this host
/// and needs https, which plain loopback has not.
pub(crate) fn cookie_name(state: &AppState) -> (&'static str, bool) {
    if state.config.server.public_url.is_https() {
        ("__Host-penstock", true)
    } else {
        ("penstock", false)
    }
}

/// The address attempts are counted for: the peer's, or what a trusted proxy says.
fn address(trusted: &[IpAddr], peer: Option<IpAddr>, headers: &HeaderMap) -> IpAddr {
    let peer = peer.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
    if !trusted.contains(&peer.to_canonical()) {
        return peer;
    }
    // The last entry is the one the proxy itself wrote; those before it anybody can write.
    headers
        .get_all("x-forwarded-for")
        .iter()
        .next_back()
        .and_then(|value| value.to_str().ok()?.rsplit(',').next()?.trim().parse().ok())
        .unwrap_or(peer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_trusted_proxy_names_the_address() {
        let mut headers = HeaderMap::new();
        headers.insert("x-forwarded-for", HeaderValue::from_static("6.6.6.6, 10.0.0.9"));
        let ip = |text: &str| text.parse::<IpAddr>().unwrap();
        let proxy = [ip("127.0.0.1")];
        let from = |peer: &str, headers: &HeaderMap| address(&proxy, Some(ip(peer)), headers);
        assert_eq!(from("10.0.0.1", &headers), ip("10.0.0.1"));
        assert_eq!(from("127.0.0.1", &headers), ip("10.0.0.9"));
        assert_eq!(from("::ffff:127.0.0.1", &headers), ip("10.0.0.9"));
        headers.insert("x-forwarded-for", HeaderValue::from_static("nonsense"));
        assert_eq!(from("127.0.0.1", &headers), ip("127.0.0.1"));
    }
}
