//! What every request passes on its way in and out: an id, a log line, a place, a time, and headers.

use std::{sync::Arc, time::Instant};

use axum::{
    Router,
    extract::{MatchedPath, Request, State},
    http::{HeaderName, HeaderValue, Method, StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
};
use tokio::sync::OwnedSemaphorePermit;
use tower_http::{
    compression::{
        CompressionLayer,
        predicate::{Predicate, SizeAbove},
    },
    cors::CorsLayer,
};
use tracing::Instrument;
use uuid::Uuid;

use super::gate;
use crate::{
    App,
    body::{is, read},
    error::{ApiError, REQUEST_ID},
    limits,
};

const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Puts the layers around the routes; the outermost is named last.
pub(super) fn around(routes: Router<App>, app: &App) -> Router<App> {
    let cors = CorsLayer::new()
        .allow_origin(app.web.allowed_origins.clone())
        .allow_methods([Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE])
        .allow_headers([header::AUTHORIZATION, header::CONTENT_TYPE, HeaderName::from_static("idempotency-key")])
        .expose_headers([X_REQUEST_ID, header::RETRY_AFTER, gate::RATE_LIMIT, gate::RATE_LIMIT_POLICY]);
    routes
        .layer(middleware::from_fn_with_state(app.clone(), gate::gate))
        .layer(CompressionLayer::new().compress_when(SizeAbove::new(1024).and(NotPacked)))
        .layer(cors)
        .layer(middleware::from_fn_with_state(app.clone(), to_the_end))
        .layer(middleware::from_fn(named))
        .layer(middleware::map_response(with_headers))
}

/// What an upgrade passes: as a request it has a name and headers like any other. As a socket it has bounds of its own.
pub(super) fn around_upgrades(routes: Router<App>) -> Router<App> {
    routes.layer(middleware::from_fn(named)).layer(middleware::map_response(with_headers))
}

#[derive(Clone, Copy)]
struct NotPacked;

impl Predicate for NotPacked {
    fn should_compress<B>(&self, response: &axum::http::Response<B>) -> bool {
        let kind = response.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        !kind.is_some_and(|kind| {
            kind == "application/zip" || (kind.starts_with("image/") && !kind.starts_with("image/svg"))
        })
    }
}

/// Gives the request an id, which the answer, the log and problem documents carry.
async fn named(request: Request, next: Next) -> Response {
    let id = Uuid::now_v7().to_string();
    let method = request.method().clone();
    let route =
        request.extensions().get::<MatchedPath>().map_or_else(|| "-".to_owned(), |path| path.as_str().to_owned());
    let span = tracing::info_span!("request", %id, %method, route);
    let begun = Instant::now();
    let mut response = REQUEST_ID.scope(id.clone(), next.run(request).instrument(span.clone())).await;
    let status = response.status().as_u16();
    let took = begun.elapsed();
    let took_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    span.in_scope(|| {
        tracing::debug!(status, took_ms, "answered");
    });
    let labels = [("method", known(&method).to_owned()), ("route", route), ("status", status.to_string())];
    metrics::counter!("lastbite_http_requests_total", &labels).increment(1);
    metrics::histogram!("lastbite_http_request_seconds", &labels[..2]).record(took.as_secs_f64());
    if let Ok(id) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(X_REQUEST_ID, id);
    }
    response
}

/// Runs the handler in a tracked task of its own, so that a client that goes away does not cut its transaction in two,
/// and a draining server finishes it. Only so many run at once; the others wait a little, then are told to come back.
async fn to_the_end(State(app): State<App>, request: Request, next: Next) -> Response {
    if is_always_answered(request.uri().path()) {
        return next.run(request).await;
    }
    let (request, place) = match admit(&app, request).await {
        Ok(admitted) => admitted,
        Err(refused) => return refused.into_response(),
    };
    let id = REQUEST_ID.try_with(Clone::clone).unwrap_or_default();
    let work = async move {
        let response = next.run(request).await;
        // Given back when the work is done, which may be after the client has gone.
        drop(place);
        response
    };
    let work = REQUEST_ID.scope(id, work).instrument(tracing::Span::current());
    match tokio::time::timeout(limits::HANDLER_TIMEOUT, app.tasks.spawn(work)).await {
        Ok(Ok(response)) => response,
        Ok(Err(panic)) => ApiError::failure(anyhow::anyhow!("the handler panicked: {panic}")).into_response(),
        Err(_) => ApiError::unavailable("too_slow", "the answer took too long").into_response(),
    }
}

/// Reads the body, then gives the request a place: clients who send slowly do not hold up the others. Photos are read by
/// their handler, which has places of its own for them.
async fn admit(app: &App, request: Request) -> Result<(Request, Option<OwnedSemaphorePermit>), ApiError> {
    if request.uri().to_string().len() > limits::URL_BYTES_MAX {
        let detail = format!("a URL has at most {} bytes", limits::URL_BYTES_MAX);
        return Err(ApiError::refused(StatusCode::URI_TOO_LONG, "url_too_long", detail));
    }
    if takes_photos(&request) {
        return Ok((request, None));
    }
    let (head, body) = request.into_parts();
    let body = read(body, limits::JSON_BYTES_MAX, limits::BODY_TIMEOUT).await?;
    let free = Arc::clone(&app.web.requests).acquire_owned();
    match tokio::time::timeout(limits::IN_FLIGHT_WAIT, free).await {
        Ok(Ok(place)) => Ok((Request::from_parts(head, body.into()), Some(place))),
        _ => Err(ApiError::unavailable("overloaded", "the server has more to do than it can")),
    }
}

/// The routes with places of their own.
fn takes_photos(request: &Request) -> bool {
    let route = request.extensions().get::<MatchedPath>().map(MatchedPath::as_str);
    match (request.method(), route) {
        (&Method::POST, Some("/api/v1/meals" | "/api/v1/meals/analyze")) => is(request, "multipart/form-data"),
        (&Method::PUT, Some("/api/v1/accounts/me/picture")) => true,
        _ => false,
    }
}

/// The method as a label. Anybody can invent methods, and each label is kept for ever.
fn known(method: &Method) -> &'static str {
    const KNOWN: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
    KNOWN.into_iter().find(|known| *known == method.as_str()).unwrap_or("other")
}

/// A probe must not wait behind a flood.
fn is_always_answered(path: &str) -> bool {
    path.starts_with("/health/")
}

async fn with_headers(mut response: Response) -> Response {
    const PAGE_POLICY: &str = "default-src 'self'; img-src 'self' data:; connect-src 'self' ws: wss:; \
                               frame-ancestors 'none'; base-uri 'none'; form-action 'self'";
    let headers = response.headers_mut();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(HeaderValue::from_static(PAGE_POLICY));
    response
}

pub(super) async fn unknown_route() -> ApiError {
    ApiError::not_found("route")
}

pub(super) async fn wrong_method() -> ApiError {
    ApiError::refused(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", "this route does not take that method")
}
