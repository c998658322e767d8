//! The way in over HTTP: the router with its layers, the accept loop, the pages, and the documents of the API.
//!
//! What an endpoint does stands in its feature's `http.rs`; here is what all of them share.

use std::sync::Arc;

use axum::{Router, http::HeaderValue};
use tokio::sync::Semaphore;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;

use crate::{App, accounts, challenges, foods, limits, meals, rooms};

mod accept;
mod documents;
pub mod gate;
mod health;
mod layers;
mod pages;

pub use accept::{accept, listen};
pub use documents::{asyncapi, openapi};

/// What the layers need to know.
#[derive(Debug)]
pub struct Settings {
    allowed_origins: Vec<HeaderValue>,
    /// Places for requests that are being done.
    pub requests: Arc<Semaphore>,
    /// Places for photos that come in.
    pub uploads: Semaphore,
    /// Places for requests that wait for what is seen on a photo.
    pub looks: Semaphore,
    pub rates: gate::Rates,
}

impl Settings {
    #[must_use]
    pub fn new(allowed_origins: Vec<HeaderValue>, rates_factor: u32) -> Self {
        Self {
            allowed_origins,
            requests: Arc::new(Semaphore::new(limits::REQUESTS_IN_FLIGHT_MAX)),
            uploads: Semaphore::new(limits::UPLOADS_IN_FLIGHT_MAX),
            looks: Semaphore::new(limits::LOOKS_IN_FLIGHT_MAX),
            rates: gate::Rates::new(rates_factor),
        }
    }
}

/// The routes of `/api/v1`, with their description.
fn api() -> OpenApiRouter<App> {
    let features = OpenApiRouter::new()
        .merge(accounts::http::routes())
        .merge(accounts::oidc::http::routes())
        .merge(challenges::http::routes())
        .merge(foods::routes())
        .merge(meals::http::routes());
    OpenApiRouter::with_openapi(documents::Description::openapi()).nest("/api/v1", features).merge(health::routes())
}

/// Everything the server answers.
pub fn router(app: &App) -> Router {
    let (api, description) = api().split_for_parts();
    let requests = api
        .merge(documents::routes(&description))
        .merge(pages::routes())
        .merge(accounts::oidc::browser::routes())
        .merge(accounts::oidc::webhooks::routes())
        .route("/exports/{token}", axum::routing::get(accounts::http::fetch_export))
        .route("/photos/{token}", axum::routing::get(meals::http::fetch_photo))
        .route("/.well-known/jwks.json", axum::routing::get(accounts::http::public_keys))
        .fallback(layers::unknown_route)
        .method_not_allowed_fallback(layers::wrong_method);
    layers::around(requests, app).merge(layers::around_upgrades(rooms::socket::routes())).with_state(app.clone())
}
