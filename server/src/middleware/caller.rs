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
use domain::{Code, Kind, Millis, Viewer, id::UserId};
use http::{HeaderMap, Method, header};
use identity::{SessionStamp, Verdict};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use tower_sessions::{Expiry, Session, session};

/// The one entry of a session.
const KEY: &str = "signed_in";

/// All a session holds; rights are looked up anew for each request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignIn {
    pub user: UserId,
    /// The user's epoch at the sign-in; when the user's grows, the session is over.
    pub epoch: i64,
    pub at: Millis,
    pub last_seen: Millis,
}

impl SignIn {
    /// What a stored session holds; `None` when nobody is signed in with it.
    pub fn of_record(record: &session::Record) -> Option<Self> {
        serde_json::from_value(record.data.get(KEY)?.clone()).ok()
    }

    fn stamp(&self) -> SessionStamp {
        SessionStamp {
            signed_in_at: self.at,
            last_seen: self.last_seen,
        }
    }

    /// Whether the session is over by now, and whether its use is to be noted.
    pub fn judge(&self, state: &AppState) -> Verdict {
        let limits = state.config.session.limits();
        limits.judge(self.stamp(), state.service.now())
    }

    /// Writes the session with its expiry.
    async fn write(&self, state: &AppState, session: &Session) -> Result<(), Refusal> {
        let ends_at = state.config.session.limits().ends_at(self.stamp());
        let ends_at = OffsetDateTime::from_unix_timestamp(ends_at / 1000).map_err(Refusal::internal)?;
        session.insert(KEY, self).await.map_err(Refusal::internal)?;
        session.set_expiry(Some(Expiry::AtDateTime(ends_at)));
        Ok(())
    }
}

/// Begins a session under a new id, so that an id known before the sign-in is worth nothing.
pub async fn begin(state: &AppState, session: &Session, user: UserId, epoch: i64) -> Result<(), Refusal> {
    session.clear().await;
    session.cycle_id().await.map_err(Refusal::internal)?;
    let now = state.service.now();
    let begun = SignIn {
        user,
        epoch,
        at: now,
        last_seen: now,
    };
    begun.write(state, session).await
}

/// Looks up the caller and applies the route's policy.
pub async fn authenticate(State(state): State<AppState>, mut request: Request, next: Next) -> Response {
    let rule = request
        .extensions()
        .get::<MatchedPath>()
        .and_then(|path| state.table.rule(request.method(), path.as_str()));
    let session = request.extensions().get::<Session>().cloned();
    match viewer(&state, request.headers(), session, rule).await {
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

async fn viewer(
    state: &AppState,
    headers: &HeaderMap,
    session: Option<Session>,
    rule: Option<Rule>,
) -> Result<Option<Viewer>, Refusal> {
    if headers.contains_key(header::AUTHORIZATION) {
        // Tokens are for the API; elsewhere they are nobody.
        return match rule {
            Some(Rule {
                policy: Policy::Api, ..
            }) => {
                let bearer = bearer(headers).ok_or(Code::TokenInvalid)?;
                Ok(Some(state.service.viewer_of_token(bearer).await?))
            }
            _ => Ok(None),
        };
    }
    match session {
        Some(session) => viewer_of_session(state, &session).await,
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
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

async fn viewer_of_session(state: &AppState, session: &Session) -> Result<Option<Viewer>, Refusal> {
    let signed_in: SignIn = match session.get(KEY).await {
        Ok(Some(signed_in)) => signed_in,
        Ok(None) => return Ok(None),
        Err(session::Error::SerdeJson(_)) => return over(session).await,
        Err(error) => {
            return Err(Refusal {
                cause: Some(error.to_string()),
                ..Code::DatabaseBusy.into()
            });
        }
    };
    let Verdict::Alive { touch } = signed_in.judge(state) else {
        return over(session).await;
    };
    let viewer = match state
        .service
        .viewer_of_session(&signed_in.user, signed_in.epoch)
        .await
    {
        Ok(viewer) => viewer,
        // Disabled, or the password or rights changed since: the session is dead for good.
        Err(error) if error.failure.kind() == Kind::Unauthenticated => return over(session).await,
        Err(error) => return Err(error.into()),
    };
    if touch {
        let last_seen = state.service.now();
        let seen = SignIn {
            last_seen,
            ..signed_in
        };
        seen.write(state, session).await?;
    }
    Ok(Some(viewer))
}

async fn over(session: &Session) -> Result<Option<Viewer>, Refusal> {
    session.flush().await.map_err(Refusal::internal)?;
    Ok(None)
}
