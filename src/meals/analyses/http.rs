//! `/meals/analyze`.

use std::time::Instant;

use axum::{
    extract::{Request, State},
    http::StatusCode,
};
use bytes::Bytes;
use lastbite_protocol::{
    MealId,
    rest::{Analysis, Problem},
};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{super::form, store};
use crate::{
    App,
    auth::Caller,
    body::{Json, Path},
    error::{ApiError, ApiResult},
    idempotency::{Answer, Key},
    limits, photos,
};

/// The routes of this feature.
pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(analyze)).routes(routes!(read_analysis))
}

/// The part of a multipart body.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes the form for the documents")]
struct PhotoForm {
    /// A JPEG, PNG or WebP, at most 10 MiB.
    #[schema(value_type = String, format = Binary)]
    photo: Bytes,
}

/// Has a photo looked at. The answer is a proposal; it becomes a meal when `POST /meals` names it as `analysis`, with the
/// items as the user has corrected them. Somebody outside this server is shown the photo only with the consent
/// `ai_processing`. At most 20 within 24 hours; sent again with the same `Idempotency-Key` it is the same look, with the same
/// answer.
#[utoipa::path(
    post, path = "/meals/analyze", operation_id = "analyze_photo", tag = "meals", security(("token" = [])),
    params(("Idempotency-Key" = Option<String>, Header, description = "16 to 255 characters, new for each look")),
    request_body(content = PhotoForm, content_type = "multipart/form-data"),
    responses(
        (status = 201, body = Analysis),
        (status = 400, description = "`multipart_invalid`, `idempotency_key_invalid`", body = Problem),
        (status = 401, body = Problem),
        (status = 409, description = "`idempotency_in_flight`", body = Problem),
        (status = 413, description = "`body_too_large`, `photo_too_large`", body = Problem),
        (status = 415, description = "`content_type_unsupported`, `photo_type_unknown`, `photo_type_heic`", body = Problem),
        (
            status = 422, body = Problem,
            description = "`photo_refused` when it is not fit to be looked at, or what is wrong with it: `photo_broken`, …; `idempotency_key_reused`"
        ),
        (status = 429, description = "`analysis_budget`, `photo_budget`: too many within 24 hours", body = Problem),
        (status = 503, description = "`busy`, `storage_slow`, `storage_full`, `database_away`: try again in a moment", body = Problem),
    )
)]
async fn analyze(State(app): State<App>, caller: Caller, request: Request) -> ApiResult<(StatusCode, Json<Analysis>)> {
    let until = Instant::now() + limits::LOOK_ENDS_WITHIN;
    let busy = || ApiError::unavailable("busy", "too many photos come in at this moment");
    // A place of its own, held to the end: whoever is asked what is on a photo may take long, and others log meals meanwhile.
    let _look = app.web.looks.try_acquire().map_err(|_full| busy())?;
    let place = app.web.uploads.try_acquire().map_err(|_full| busy())?;
    let headers = request.headers().clone();
    let [photo] = form::read(request, ["photo"]).await?;
    let key = Key::read(&headers, caller.user, "POST /meals/analyze", &[photo.as_ref()])?;
    if let Some(key) = &key
        && let Some(Answer { status, body }) = key.find(&app.db.api).await?
    {
        return Ok((status, Json(body)));
    }
    let taken = photos::take(&app, caller.user, photo).await?;
    drop(place);
    let Answer { status, body } = super::make(&app, caller.user, taken, until, key.as_ref()).await?;
    Ok((status, Json(body)))
}

/// What was seen on the photo of one's own meal.
#[utoipa::path(
    get, path = "/meals/{id}/analysis", operation_id = "read_meal_analysis", tag = "meals", params(("id" = MealId, Path)),
    security(("token" = [])),
    responses((status = 200, body = Analysis), (status = 401, body = Problem), (status = 404, body = Problem))
)]
async fn read_analysis(State(app): State<App>, caller: Caller, Path(id): Path<MealId>) -> ApiResult<Json<Analysis>> {
    let found = store::load_of(&app.db.api, caller.user, id).await?;
    found.map(Json).ok_or_else(|| ApiError::not_found("analysis"))
}
