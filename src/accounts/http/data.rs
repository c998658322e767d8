//! `/accounts/me/export`, `/accounts/me/picture` and `/users/{id}/picture`: what a user takes away, and shows of themselves.

use axum::{
    extract::{Request, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use lastbite_protocol::{
    UserId,
    rest::{Export, OwnEvent, Page, Photo, Problem},
};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::super::{events, export, picture};
use crate::{
    App,
    auth::Caller,
    body::{self, Json, PageQuery, Path, Query, page},
    error::{ApiError, ApiResult},
    limits,
    meals::photo::PHOTO_BYTES_MAX,
    photos::{Jpeg, SizeName, show},
};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(ask_export, read_export))
        .routes(routes!(set_picture, remove_picture))
        .routes(routes!(show_picture))
        .routes(routes!(list_events))
}

/// Asks for an archive of all that is one's own. It is written in a while, one at a time, and at most three a day.
#[utoipa::path(
    post, path = "/accounts/me/export", operation_id = "ask_for_export", tag = "profile", security(("token" = [])),
    responses(
        (status = 202, description = "It is being written."), (status = 401, body = Problem), (status = 404, body = Problem)
    )
)]
async fn ask_export(State(app): State<App>, caller: Caller) -> ApiResult<StatusCode> {
    export::ask(&app, caller).await?;
    Ok(StatusCode::ACCEPTED)
}

/// The archive that was asked for last. Its `url` is good for a day; soon after, the archive is gone.
#[utoipa::path(
    get, path = "/accounts/me/export", operation_id = "read_own_export", tag = "profile", security(("token" = [])),
    responses((status = 200, body = Export), (status = 401, body = Problem), (status = 404, body = Problem))
)]
async fn read_export(State(app): State<App>, caller: Caller) -> ApiResult<Json<Export>> {
    export::newest(&app, caller).await.map(Json)
}

/// Served at `/exports/{token}`: the link says for whom, so that a browser can fetch it.
pub(crate) async fn fetch_export(State(app): State<App>, Path(token): Path<String>) -> ApiResult<Response> {
    let (bytes, zip) = export::open(&app, &token).await?;
    let headers = [
        (header::CONTENT_TYPE, "application/zip"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"lastbite-export.zip\""),
        (header::CACHE_CONTROL, "no-store"),
        (header::CONTENT_LENGTH, &bytes.to_string()),
    ];
    Ok((headers, axum::body::Body::from_stream(zip)).into_response())
}

/// What has happened in the caller's own stream, in order; the socket's `own` says how far it has come.
#[utoipa::path(
    get, path = "/accounts/me/events", operation_id = "list_own_events", tag = "profile", params(PageQuery),
    security(("token" = [])),
    responses((status = 200, body = Page<OwnEvent>), (status = 400, body = Problem), (status = 401, body = Problem))
)]
async fn list_events(
    State(app): State<App>,
    caller: Caller,
    Query(paging): Query<PageQuery>,
) -> ApiResult<Json<Page<OwnEvent>>> {
    let limit = paging.limit()?;
    let after = paging.after::<u64>()?.unwrap_or_default().min(i64::MAX.cast_unsigned());
    let found = events::list(&app.db.api, caller.user, after, limit + 1).await?;
    Ok(Json(page(found, limit, |last| last.n.to_string())))
}

/// A picture as it comes.
#[derive(utoipa::ToSchema)]
#[schema(value_type = String, format = Binary)]
#[expect(dead_code, reason = "describes the body for the documents")]
struct Image(Bytes);

/// Shows a picture of oneself, instead of the one before: a JPEG, PNG or WebP, at most 10 MiB. What is kept of it is upright
/// and without metadata.
#[utoipa::path(
    put, path = "/accounts/me/picture", operation_id = "set_own_picture", tag = "profile", security(("token" = [])),
    request_body(content = inline(Image), content_type = "image/*"),
    responses(
        (status = 200, body = Photo), (status = 401, body = Problem), (status = 404, body = Problem),
        (status = 413, description = "`body_too_large`, `photo_too_large`", body = Problem),
        (status = 415, description = "`content_type_unsupported`, `photo_type_unknown`, `photo_type_heic`", body = Problem),
        (status = 422, description = "What is wrong with the picture: `photo_broken`, …", body = Problem),
        (status = 503, description = "`busy`, `storage_slow`, `storage_full`, `database_away`: try again", body = Problem),
    )
)]
async fn set_picture(State(app): State<App>, caller: Caller, request: Request) -> ApiResult<Json<Photo>> {
    let kind = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    if !kind.is_some_and(|kind| kind.starts_with("image/")) {
        return Err(body::wrong_content_type("image/*"));
    }
    let Ok(_place) = app.web.uploads.try_acquire() else {
        return Err(ApiError::unavailable("busy", "too many photos come in at this moment"));
    };
    let original = body::read(request.into_body(), PHOTO_BYTES_MAX, limits::BODY_TIMEOUT).await?;
    picture::set(&app, caller, original).await.map(Json)
}

/// Shows no picture of oneself any more.
#[utoipa::path(
    delete, path = "/accounts/me/picture", operation_id = "remove_own_picture", tag = "profile",
    security(("token" = [])),
    responses((status = 204), (status = 401, body = Problem), (status = 404, body = Problem))
)]
async fn remove_picture(State(app): State<App>, caller: Caller) -> ApiResult<StatusCode> {
    if picture::remove(&app, caller).await? { Ok(StatusCode::NO_CONTENT) } else { Err(ApiError::not_found("photo")) }
}

/// The picture that a user shows: one's own, and that of anybody whose profile is for everyone.
#[utoipa::path(
    get, path = "/users/{id}/picture/{size}", operation_id = "read_user_picture", tag = "profile",
    security(("token" = [])), params(("id" = UserId, Path), ("size" = inline(SizeName), Path)),
    responses(
        (status = 200, description = "The picture.", content_type = "image/jpeg", body = inline(Jpeg)),
        (status = 401, body = Problem), (status = 404, body = Problem),
    )
)]
async fn show_picture(
    State(app): State<App>,
    caller: Caller,
    Path((user, size)): Path<(UserId, SizeName)>,
) -> ApiResult<Response> {
    let found = picture::load(&app.db.auth, caller.user, user).await?;
    show(&app, found.as_ref(), size).await
}
