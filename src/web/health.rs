//! `/health/live` and `/health/ready`: for load balancers and orchestrators.

use std::time::Duration;

use axum::extract::State;
use lastbite_protocol::rest::{Health, Problem};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    App,
    body::Json,
    error::{ApiError, ApiResult},
};

/// Postgres has so long to answer.
const PROBE_TIMEOUT: Duration = Duration::from_secs(1);

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(live)).routes(routes!(ready))
}

/// The process runs. Restart it when this does not answer.
#[utoipa::path(get, path = "/health/live", operation_id = "health_live", tag = "health", responses((status = 200, body = Health)))]
async fn live() -> Json<Health> {
    Json(ok())
}

/// The server can do its work. Send it nothing when this is not 200.
#[utoipa::path(
    get, path = "/health/ready", operation_id = "health_ready", tag = "health",
    responses((status = 200, body = Health), (status = 503, description = "`draining`, `database_away`", body = Problem))
)]
async fn ready(State(app): State<App>) -> ApiResult<Json<Health>> {
    if app.shutdown.unready.is_cancelled() {
        return Err(ApiError::unavailable("draining", "the server is about to stop"));
    }
    let probe = sqlx::query("select 1").execute(&app.db.judge);
    match tokio::time::timeout(PROBE_TIMEOUT, probe).await {
        Ok(Ok(_)) => Ok(Json(ok())),
        _ => Err(ApiError::unavailable("database_away", "the database does not answer")),
    }
}

fn ok() -> Health {
    Health { status: "ok".to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() }
}
