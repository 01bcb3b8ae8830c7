//! What happens to every request, from the outside in: [`observe`] (id, log, metrics, the text of
//! refusals), [`headers`], [`guard`] (slots, time-outs, cross-site posts, body size), the session,
//! [`caller`] (who is calling, and whether the route takes them).

pub mod caller;
pub mod guard;
pub mod headers;
pub mod observe;
