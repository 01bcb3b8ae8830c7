//! Who is calling, and whether the route takes them. Rights on objects are asked in `service`.

use crate::{
    problem::{Reader, Refusal},
    routes::{Policy, Rule},
    state::AppState,
};
use axum::{
    extract::{MatchedPath, Request, State},
    middleware::Next,
    response::{IntoResponse, Redirect, Response},
};
use domain::{Code, Kind, Viewer, id::UserId};
use http::{HeaderMap, Method, header};
use store::sessions::USER_KEY;
use time::OffsetDateTime;
use tower_sessions::{Expiry, Session, session};

/// Key of the user's epoch at the sign-in, beside [`USER_KEY`]. All else is looked up anew for each request.
const EPOCH_KEY: &str = "epoch";

/// Begins a session under a new id, so that an id known before the sign-in is worth nothing. How
/// long it lives without use is the store's to say.
pub async fn begin(state: &AppState, session: &Session, user: &UserId, epoch: i64) -> Result<(), Refusal> {
    session.flush().await.map_err(Refusal::internal)?;
    session
        .insert(USER_KEY, user)
        .await
        .map_err(Refusal::internal)?;
    session
        .insert(EPOCH_KEY, epoch)
        .await
        .map_err(Refusal::internal)?;
    let ends_at = state.service.now() + state.config.session.limits().absolute_ms;
    let ends_at = OffsetDateTime::from_unix_timestamp(ends_at / 1000).map_err(Refusal::internal)?;
    session.set_expiry(Some(Expiry::AtDateTime(ends_at)));
    Ok(())
}

/// User and epoch of a session; `None` when nobody is signed in with it.
pub async fn holder(session: &Session) -> Result<Option<(UserId, i64)>, session::Error> {
    match (session.get(USER_KEY).await?, session.get(EPOCH_KEY).await?) {
        (Some(user), Some(epoch)) => Ok(Some((user, epoch))),
        _ => Ok(None),
    }
}

/// Looks up the caller and applies the route's policy.
pub async fn authenticate(State(state): State<AppState>, mut request: Request, next: Next) -> Response {
    let rule = request
        .extensions()
        .get::<MatchedPath>()
        .and_then(|path| state.table.rule(request.method(), path.as_str()));
    match viewer(&state, &request, rule).await {
        Ok(Some(viewer)) => {
            request.extensions_mut().insert(viewer);
        }
        Ok(None) if needs_caller(rule) => return turned_away(&request),
        Ok(None) => {}
        Err(refusal) if is_public(rule) && refusal.failure.kind() == Kind::Unauthenticated => {}
        Err(refusal) => return refusal.into_response(),
    }
    next.run(request).await
}

fn needs_caller(rule: Option<Rule>) -> bool {
    matches!(
        rule,
        Some(Rule {
            policy: Policy::Session | Policy::Api,
            ..
        })
    )
}

fn is_public(rule: Option<Rule>) -> bool {
    matches!(
        rule,
        Some(Rule {
            policy: Policy::Public,
            ..
        })
    )
}

/// The answer to somebody who is not signed in: pages lead to the sign-in, all else says 401.
fn turned_away(request: &Request) -> Response {
    let person = Reader::of(request.uri().path()) == Reader::Person && request.method() == Method::GET;
    if !person {
        return Refusal::from(Code::Unauthenticated).into_response();
    }
    let target = request.uri().path_and_query().map_or("/", |p| p.as_str());
    Redirect::to(&login_address(target)).into_response()
}

/// The sign-in page that leads to `next` afterwards.
pub fn login_address(next: &str) -> String {
    let next = crate::next::safe(next);
    if next == "/" {
        return "/login".to_owned();
    }
    let query = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("next", &next)
        .finish();
    format!("/login?{query}")
}

async fn viewer(state: &AppState, request: &Request, rule: Option<Rule>) -> Result<Option<Viewer>, Refusal> {
    if request.headers().contains_key(header::AUTHORIZATION) {
        // Tokens are for the API; elsewhere they are nobody.
        return match rule {
            Some(Rule {
                policy: Policy::Api, ..
            }) => {
                let bearer = bearer(request.headers()).ok_or(Code::TokenInvalid)?;
                Ok(Some(state.service.viewer_of_token(bearer).await?))
            }
            _ => Ok(None),
        };
    }
    match request.extensions().get::<Session>() {
        Some(session) => viewer_of_session(state, session).await,
        None => Ok(None),
    }
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let value = values.next()?.to_str().ok()?;
    // Two different credentials in one request are a mistake or an attack.
    if values.next().is_some() {
        return None;
    }
    let (scheme, token) = value.split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then(|| token.trim())
}

async fn viewer_of_session(state: &AppState, session: &Session) -> Result<Option<Viewer>, Refusal> {
    let (user, epoch) = match holder(session).await {
        Ok(Some(holder)) => holder,
        Ok(None) => return Ok(None),
        Err(session::Error::SerdeJson(_)) => {
            session.flush().await.map_err(Refusal::internal)?;
            return Ok(None);
        }
        Err(error) => {
            return Err(Refusal {
                cause: Some(error.to_string()),
                ..Code::DatabaseBusy.into()
            });
        }
    };
    match state.service.viewer_of_session(&user, epoch).await {
        Ok(viewer) => Ok(Some(viewer)),
        // Disabled, or the password or rights changed since: the session is dead for good.
        Err(error) if error.failure.kind() == Kind::Unauthenticated => {
            session.flush().await.map_err(Refusal::internal)?;
            Ok(None)
        }
        Err(error) => Err(error.into()),
    }
}
