//! The pages, from the binary itself: no build step, and nothing from another host.

use std::borrow::Cow;

use axum::{
    Router,
    extract::Path,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use bytes::Bytes;
use rust_embed::{EmbeddedFile, RustEmbed};

use crate::{App, error::ApiError};

/// The files of `web/`. A debug build reads them from the folder, so that a change shows on reload.
#[derive(RustEmbed)]
#[folder = "web/"]
#[exclude = "test/*"]
#[exclude = "package.json"]
struct Files;

/// What the docs page needs beyond the policy of all pages: its library writes styles, and searches in a worker.
const DOCS_POLICY: &str = "default-src 'none'; img-src 'self' data:; connect-src 'self'; \
    style-src 'self' 'unsafe-inline'; script-src 'self'; worker-src blob:; object-src 'none'; base-uri 'none'; \
    frame-ancestors 'none'; form-action 'none'";

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/", get(async |headers: HeaderMap| file("index.html", &headers)))
        .route("/watch/{challenge}", get(async |headers: HeaderMap| file("watch.html", &headers)))
        .route("/signin", get(async |headers: HeaderMap| file("signin.html", &headers)))
        .route("/play", get(async |headers: HeaderMap| file("play.html", &headers)))
        .route("/docs", get(docs))
        .route("/assets/{*path}", get(async |Path(path): Path<String>, headers: HeaderMap| file(&path, &headers)))
}

async fn docs(headers: HeaderMap) -> Response {
    let mut response = file("docs.html", &headers);
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(DOCS_POLICY));
    response
}

/// A file, or 304 when the browser has it.
fn file(path: &str, asked: &HeaderMap) -> Response {
    let Some(EmbeddedFile { data, metadata }) = Files::get(path) else {
        return ApiError::not_found("page").into_response();
    };
    let hash: String = metadata.sha256_hash()[..16].iter().map(|byte| format!("{byte:02x}")).collect();
    let tag = format!("\"{hash}\"");
    let known = asked.get(header::IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == tag.as_bytes());
    let headers =
        [(header::CONTENT_TYPE, content_type(path)), (header::CACHE_CONTROL, "no-cache"), (header::ETAG, tag.as_str())];
    if known {
        (StatusCode::NOT_MODIFIED, headers).into_response()
    } else {
        let bytes = match data {
            Cow::Borrowed(bytes) => Bytes::from_static(bytes),
            Cow::Owned(bytes) => bytes.into(),
        };
        (headers, bytes).into_response()
    }
}

fn content_type(path: &str) -> &'static str {
    match path.rsplit_once('.').map_or("", |(_, extension)| extension) {
        "html" => "text/html; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "svg" => "image/svg+xml",
        "json" => "application/json",
        _ => "text/plain; charset=utf-8",
    }
}
