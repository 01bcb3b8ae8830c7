//! The live stream over HTTP: server-sent events that say what changed. It ends with the caller's
//! session or token, with a change of rights, and with the console.

use crate::{extract::Caller, middleware::caller::SignIn, problem::Refusal, state::AppState};
use axum::{
    Extension,
    extract::State,
    response::sse::{Event, KeepAlive, Sse},
};
use domain::{Code, Failure, Kind, Viewer, id::UserId};
use futures::{Stream, stream};
use http::{HeaderMap, header};
use identity::Verdict;
use service::events::{Message, Subscription};
use std::{
    collections::HashMap,
    convert::Infallible,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tower_sessions::{Session, SessionStore, session};

/// Between two comments that keep proxies from closing the stream, and between two looks at
/// whether the caller may still read it.
pub(crate) const HEARTBEAT: Duration = Duration::from_secs(15);

/// Counts open streams.
#[derive(Debug)]
pub(crate) struct Streams {
    most: usize,
    most_per_user: usize,
    open: Mutex<HashMap<UserId, usize>>,
}

impl Streams {
    pub(crate) fn new(most: usize, most_per_user: usize) -> Self {
        Self {
            most,
            most_per_user,
            open: Mutex::default(),
        }
    }

    /// How many are open.
    pub(crate) fn open(&self) -> usize {
        let open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.values().sum()
    }

    fn enter(self: &Arc<Self>, user: &UserId) -> Option<Seat> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let mine = open.get(user).copied().unwrap_or(0);
        if mine >= self.most_per_user || open.values().sum::<usize>() >= self.most {
            return None;
        }
        open.insert(user.clone(), mine + 1);
        Some(Seat {
            streams: self.clone(),
            user: user.clone(),
        })
    }
}

/// One open stream.
struct Seat {
    streams: Arc<Streams>,
    user: UserId,
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut open = self.streams.open.lock().unwrap_or_else(PoisonError::into_inner);
        match open.get_mut(&self.user) {
            Some(count) if *count > 1 => *count -= 1,
            _ => {
                open.remove(&self.user);
            }
        }
    }
}

/// What keeps a stream open.
enum Proof {
    Session(session::Id),
    Token(String),
}

impl Proof {
    /// Whether the caller is still who it was, with the same rights. An open stream is no use of
    /// the session: else a forgotten window would keep it alive.
    async fn holds(&self, state: &AppState, viewer: &Viewer) -> bool {
        let now = match self {
            Proof::Token(token) => state.service.viewer_of_token(token).await,
            Proof::Session(id) => {
                let record = match state.sessions.load(id).await {
                    Ok(Some(record)) => record,
                    Ok(None) => return false,
                    // A database that does not answer ends no stream.
                    Err(_) => return true,
                };
                let Some(signed_in) = SignIn::of_record(&record) else {
                    return false;
                };
                if signed_in.judge(state) == Verdict::Over {
                    return false;
                }
                let SignIn { user, epoch, .. } = signed_in;
                state.service.viewer_of_session(&user, epoch).await
            }
        };
        match now {
            Ok(now) => &now == viewer,
            Err(error) => error.failure.kind() != Kind::Unauthenticated,
        }
    }
}

struct Reader {
    state: AppState,
    subscription: Subscription,
    viewer: Viewer,
    proof: Proof,
    beat: tokio::time::Interval,
    first: bool,
    over: bool,
    _seat: Seat,
}

/// `GET /events` and `GET /api/v1/events`.
pub(crate) async fn events(
    State(state): State<AppState>,
    Caller(viewer): Caller,
    session: Option<Extension<Session>>,
    headers: HeaderMap,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Refusal> {
    let token = headers
        .get(header::AUTHORIZATION)
        .and_then(|v| v.to_str().ok()?.split_once(' '))
        .map(|(_, token)| token.trim().to_owned());
    let proof = match (token, session.and_then(|Extension(session)| session.id())) {
        (Some(token), _) => Proof::Token(token),
        (None, Some(id)) => Proof::Session(id),
        (None, None) => return Err(Code::Unauthenticated.into()),
    };
    let seat = state
        .streams
        .enter(&viewer.user)
        .ok_or_else(|| Failure::new(Code::TooMany).with("seconds", 30))?;
    let mut beat = tokio::time::interval(state.heartbeat);
    beat.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    beat.reset();
    let heartbeat = state.heartbeat;
    let reader = Reader {
        subscription: state.service.subscribe(&viewer)?,
        state,
        viewer,
        proof,
        beat,
        first: true,
        over: false,
        _seat: seat,
    };
    let events = stream::unfold(reader, |mut reader| async move {
        let event = reader.next().await?;
        Some((Ok(event), reader))
    });
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(heartbeat)))
}

impl Reader {
    async fn next(&mut self) -> Option<Event> {
        if self.over {
            return None;
        }
        if self.first {
            self.first = false;
            // Whoever connects, or connects again, may have missed something.
            return Some(named("resync", "{}").retry(Duration::from_secs(2)));
        }
        loop {
            tokio::select! {
                () = self.state.stop.cancelled() => return None,
                message = self.subscription.next() => return Some(match message? {
                    Message::Resync => named("resync", "{}"),
                    Message::Changed(event) => {
                        let data = serde_json::to_string(&event).unwrap_or_else(|_| "{}".to_owned());
                        named("change", &data)
                    }
                }),
                _ = self.beat.tick() => {
                    if !self.proof.holds(&self.state, &self.viewer).await {
                        self.over = true;
                        return Some(named("end", "{}"));
                    }
                }
            }
        }
    }
}

fn named(name: &str, data: &str) -> Event {
    Event::default().event(name).data(data)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seats_are_limited_and_given_back() {
        let user = |n: char| UserId::from_ulid(&format!("0000000000000000000000000{n}")).unwrap();
        let streams = Arc::new(Streams::new(3, 2));
        let first = streams.enter(&user('1')).unwrap();
        let second = streams.enter(&user('1')).unwrap();
        assert!(streams.enter(&user('1')).is_none(), "of one user");
        let third = streams.enter(&user('2')).unwrap();
        assert!(streams.enter(&user('3')).is_none(), "of all");
        drop((first, second));
        assert!(streams.enter(&user('1')).is_some());
        drop(third);
        assert!(streams.open.lock().unwrap().is_empty());
    }
}
