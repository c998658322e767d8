//! Bodies, paths and queries of requests: within their bounds, and refused with a problem document.

use std::time::Duration;

use axum::{
    body::Body,
    extract::{FromRequest, FromRequestParts, Request},
    http::{StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::{Serialize, de::DeserializeOwned};

use crate::{
    error::{ApiError, ApiResult},
    limits,
};

/// A JSON body, in or out.
#[derive(Clone, Copy, Debug)]
pub struct Json<T>(pub T);

impl<T: DeserializeOwned, S: Sync> FromRequest<S> for Json<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, _state: &S) -> ApiResult<Self> {
        parse_json(&read_json_bytes(request).await?).map(Json)
    }
}

/// The bytes of a JSON body, for what is hashed before it is read.
///
/// # Errors
/// 415 when it is not said to be JSON, and those of [`read`].
pub async fn read_json_bytes(request: Request) -> ApiResult<Bytes> {
    if !is(&request, "application/json") {
        return Err(wrong_content_type("application/json"));
    }
    read(request.into_body(), limits::JSON_BYTES_MAX, limits::BODY_TIMEOUT).await
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        ([(header::CACHE_CONTROL, "no-store")], axum::Json(self.0)).into_response()
    }
}

/// Whether the request says that its body is of this type.
pub fn is(request: &Request, content_type: &str) -> bool {
    let value = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    value.is_some_and(|value| {
        let essence = value.split(';').next().unwrap_or_default().trim();
        essence.eq_ignore_ascii_case(content_type)
    })
}

/// 415.
#[must_use]
pub fn wrong_content_type(wanted: &str) -> ApiError {
    let detail = format!("the body has to be {wanted}");
    ApiError::refused(StatusCode::UNSUPPORTED_MEDIA_TYPE, "content_type_unsupported", detail)
}

/// Reads a whole body.
///
/// # Errors
/// 413 `body_too_large`, 408 `body_too_slow`, 400 `body_broken`.
pub async fn read(body: Body, bytes_max: usize, within: Duration) -> ApiResult<Bytes> {
    match tokio::time::timeout(within, Limited::new(body, bytes_max).collect()).await {
        Err(_) => Err(ApiError::refused(StatusCode::REQUEST_TIMEOUT, "body_too_slow", "the body did not come in time")),
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(too_large(bytes_max)),
        Ok(Err(_)) => Err(ApiError::refused(StatusCode::BAD_REQUEST, "body_broken", "the body broke off")),
    }
}

/// 413.
#[must_use]
pub fn too_large(bytes_max: usize) -> ApiError {
    let detail = format!("the body may have at most {bytes_max} bytes");
    ApiError::refused(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", detail)
}

/// Reads JSON within the bounds of its depth.
///
/// # Errors
/// 400 `json_malformed` when it is no JSON, 422 `json_invalid` when it is not what was asked for.
pub fn parse_json<T: DeserializeOwned>(bytes: &[u8]) -> ApiResult<T> {
    let malformed = |detail: String| ApiError::refused(StatusCode::BAD_REQUEST, "json_malformed", detail);
    if depth(bytes) > limits::JSON_DEPTH_MAX {
        return Err(malformed(format!("nested deeper than {} levels", limits::JSON_DEPTH_MAX)));
    }
    serde_json::from_slice(bytes).map_err(|error| {
        // A number where a name is wanted is told as a fault of syntax, so the syntax is looked at on its own.
        if error.is_data() || is_json(bytes) {
            ApiError::refused(StatusCode::UNPROCESSABLE_ENTITY, "json_invalid", error.to_string())
        } else {
            malformed(error.to_string())
        }
    })
}

fn is_json(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).is_ok_and(|text| serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok())
}

/// How deep arrays and objects are nested; brackets within strings do not count.
fn depth(json: &[u8]) -> usize {
    let (mut depth, mut deepest, mut in_string, mut escaped) = (0_usize, 0, false, false);
    for byte in json {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'[' | b'{' if !in_string => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b']' | b'}' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

/// A piece of the path. What cannot be read names nothing: 404.
#[derive(Clone, Copy, Debug)]
pub struct Path<T>(pub T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> ApiResult<Self> {
        let path = axum::extract::Path::from_request_parts(parts, state).await;
        path.map(|axum::extract::Path(piece)| Self(piece)).map_err(|_| ApiError::not_found("thing"))
    }
}

/// The query of a URL.
#[derive(Clone, Copy, Debug)]
pub struct Query<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> ApiResult<Self> {
        let query = axum::extract::Query::from_request_parts(parts, state).await;
        query
            .map(|axum::extract::Query(query)| Self(query))
            .map_err(|rejection| ApiError::refused(StatusCode::BAD_REQUEST, "query_invalid", rejection.body_text()))
    }
}

/// The header that makes a write safe to send again. It is read by `idempotency`; this describes it for the documents.
#[derive(Debug, utoipa::IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "describes the header for the documents")]
pub struct IdempotencyHeader {
    /// Made by the client, 16 to 255 ASCII characters: the same request with the same key is done once, and gets the
    /// first answer again.
    #[param(rename = "Idempotency-Key", min_length = 16, max_length = 255)]
    key: Option<String>,
}

/// Which page of a list is wanted.
#[derive(Clone, Debug, Default, serde::Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    /// The `next` of the page before.
    pub after: Option<String>,
    /// How many items, 1 to 100; 50 when absent.
    #[param(minimum = 1, maximum = 100)]
    pub limit: Option<u32>,
}

impl PageQuery {
    /// How many items to read.
    ///
    /// # Errors
    /// 400 `query_invalid` out of 1 to 100.
    pub fn limit(&self) -> ApiResult<u32> {
        let limit = self.limit.unwrap_or(limits::PAGE_ITEMS_DEFAULT);
        if (1..=limits::PAGE_ITEMS_MAX).contains(&limit) {
            Ok(limit)
        } else {
            Err(ApiError::refused(StatusCode::BAD_REQUEST, "query_invalid", "a page has 1 to 100 items"))
        }
    }

    /// Where to go on.
    ///
    /// # Errors
    /// 400 `query_invalid` when no page ever named it.
    pub fn after<T: std::str::FromStr>(&self) -> ApiResult<Option<T>> {
        let parse = |text: &str| {
            text.parse().map_err(|_| {
                ApiError::refused(StatusCode::BAD_REQUEST, "query_invalid", "`after` is the `next` of the page before")
            })
        };
        self.after.as_deref().map(parse).transpose()
    }
}

/// Makes a page of items that were read with one more than `limit`.
#[must_use]
pub fn page<T>(mut items: Vec<T>, limit: u32, name: impl FnOnce(&T) -> String) -> lastbite_protocol::rest::Page<T> {
    let limit = limit as usize;
    let more = items.len() > limit;
    items.truncate(limit);
    let next = items.last().filter(|_| more).map(name);
    lastbite_protocol::rest::Page { items, next }
}
