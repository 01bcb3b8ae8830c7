//! Extractors that refuse in the words of the product.

use crate::{middleware::guard::too_large, problem::Refusal, routes::NORMAL_BODY};
use axum::{
    body::Bytes,
    extract::{FromRequest, FromRequestParts, OptionalFromRequestParts, Request},
    response::{IntoResponse, Response},
};
use domain::{Code, Failure, Lang, Viewer, page};
use http::{HeaderMap, header, request::Parts};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// The caller. Present on every route that needs one.
pub struct Caller(pub Viewer);

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        let viewer = parts.extensions.get::<Viewer>().cloned();
        viewer.map(Caller).ok_or_else(|| Code::Unauthenticated.into())
    }
}

impl<S: Send + Sync> OptionalFromRequestParts<S> for Caller {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, Refusal> {
        Ok(parts.extensions.get::<Viewer>().cloned().map(Caller))
    }
}

/// The language of the answer.
pub struct Language(pub Lang);

impl<S: Send + Sync> FromRequestParts<S> for Language {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(Self(parts.extensions.get::<Lang>().copied().unwrap_or_default()))
    }
}

/// A JSON body, of a request or an answer. Unknown fields, wrong types and broken text are told with their place.
pub struct Json<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refusal> {
        if !is_json(request.headers()) {
            return Err(Failure::new(Code::UnsupportedMediaType)
                .with("expected", "application/json")
                .into());
        }
        let bytes = Bytes::from_request(request, state).await.map_err(|rejection| {
            use axum::extract::rejection::{BytesRejection, FailedToBufferBody};
            match rejection {
                BytesRejection::FailedToBufferBody(FailedToBufferBody::LengthLimitError(_)) => {
                    too_large(NORMAL_BODY)
                }
                _ => Failure::new(Code::BadJson)
                    .with("reason", "the body did not arrive whole")
                    .into(),
            }
        })?;
        parse(&bytes).map(Self)
    }
}

/// Parses JSON of a body.
///
/// # Errors
/// With the path and the line of what does not fit.
pub fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Refusal> {
    serde_json::from_slice(bytes).map_err(|error| Failure::new(Code::BadJson).with("reason", error).into())
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        axum::Json(self.0).into_response()
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let value = headers
        .get(header::CONTENT_TYPE)
        .and_then(|v| v.to_str().ok())
        .unwrap_or("");
    let essence = value.split(';').next().unwrap_or("").trim().to_ascii_lowercase();
    essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json"))
}

/// A JSON body that may be left out; then it is the default.
pub struct OptionalJson<T>(pub T);

impl<T: DeserializeOwned + Default, S: Send + Sync> FromRequest<S> for OptionalJson<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refusal> {
        if axum::body::HttpBody::is_end_stream(request.body()) {
            return Ok(Self(T::default()));
        }
        let Json(value) = Json::from_request(request, state).await?;
        Ok(Self(value))
    }
}

/// Parts of the path. What cannot be an id names nothing that exists.
pub struct Path<T>(pub T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        match <axum::extract::Path<T> as FromRequestParts<S>>::from_request_parts(parts, state).await {
            Ok(axum::extract::Path(value)) => Ok(Self(value)),
            Err(_) => Err(Code::NoRoute.into()),
        }
    }
}

/// The query string.
pub struct Query<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        match axum::extract::Query::from_request_parts(parts, state).await {
            Ok(axum::extract::Query(value)) => Ok(Self(value)),
            Err(rejection) => Err(Failure::new(Code::FieldInvalid)
                .with("field", "query")
                .with("reason", rejection.body_text())
                .into()),
        }
    }
}

/// The header `Idempotency-Key`: the same key and request start the same work once.
pub struct IdempotencyKey(pub Option<String>);

impl<S: Send + Sync> FromRequestParts<S> for IdempotencyKey {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        let Some(value) = parts.headers.get("idempotency-key") else {
            return Ok(Self(None));
        };
        match value.to_str() {
            Ok(key) if (1..=200).contains(&key.len()) && key.bytes().all(|b| b.is_ascii_graphic()) => {
                Ok(Self(Some(key.to_owned())))
            }
            _ => Err(Failure::new(Code::FieldInvalid)
                .with("field", "Idempotency-Key")
                .with("reason", "1..200 visible ASCII characters")
                .into()),
        }
    }
}

/// `?limit=&after=` of a list.
#[derive(Debug, Clone, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    /// Rows per page, 1 to 500; 50 when absent.
    pub limit: Option<u32>,
    /// `next` of the page before.
    pub after: Option<String>,
}

impl PageQuery {
    /// # Errors
    /// When the number is out of range.
    pub fn limit(&self) -> Result<u32, Refusal> {
        let limit = self.limit.unwrap_or(page::DEFAULT_LIMIT);
        domain::validate::range("limit", limit.into(), 1, page::MAX_LIMIT.into())?;
        Ok(limit)
    }

    /// Cuts a page out of a whole list whose rows have a key that stays.
    ///
    /// # Errors
    /// When the number is out of range.
    pub fn cut<T>(&self, rows: Vec<T>, key: impl Fn(&T) -> String) -> Result<page::Page<T>, Refusal> {
        let limit = usize::try_from(self.limit()?).unwrap_or(usize::MAX);
        let start = match &self.after {
            None => 0,
            Some(after) => rows
                .iter()
                .position(|row| key(row) == *after)
                .map_or(rows.len(), |at| at + 1),
        };
        let more = rows.len() > start.saturating_add(limit);
        let items: Vec<T> = rows.into_iter().skip(start).take(limit).collect();
        let next = if more { items.last().map(key) } else { None };
        Ok(page::Page { items, next })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_follow_each_other_without_gap() {
        let rows: Vec<String> = (0..7).map(|n| n.to_string()).collect();
        let mut seen = Vec::new();
        let mut query = PageQuery {
            limit: Some(3),
            after: None,
        };
        loop {
            let page = query.cut(rows.clone(), String::clone).unwrap();
            seen.extend(page.items);
            query.after = page.next;
            if query.after.is_none() {
                break;
            }
        }
        assert_eq!(seen, rows);
        query.limit = Some(0);
        assert!(query.limit().is_err());
        query.limit = Some(501);
        assert!(query.limit().is_err());
    }

    #[test]
    fn broken_json_is_told_with_its_place() {
        let told = |text: &str| {
            parse::<domain::identity::NewToken>(text.as_bytes())
                .unwrap_err()
                .failure
                .args
                .remove("reason")
                .unwrap()
        };
        assert!(told("{").contains("line 1 column 1"));
        assert!(told(r#"{"name":"a","days":"x"}"#).contains("invalid type"));
        assert!(told(r#"{"name":"a","days":1,"admin":true}"#).contains("unknown field `admin`"));
        assert!(told(r#"{"name":"a","name":"b","days":1}"#).contains("duplicate field"));
        assert!(
            told(&"[".repeat(100_000)).contains("recursion")
                || told(&"[".repeat(100_000)).contains("invalid type")
        );
    }
}
