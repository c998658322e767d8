//! `/accounts/me/…`: the profile, the body, weights, targets and consents.

use axum::{extract::State, http::StatusCode};
use chrono::NaiveDate;
use lastbite_protocol::{
    profile::{Body, EditBody, NewWeight, Targets, Weight},
    rest::{Consent, EditProfile, NewTargets, Page, Problem, Profile, Purpose, SetConsent},
};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::super::{consents, profile};
use crate::{
    App,
    auth::Caller,
    body::{Json, PageQuery, Path, Query, page},
    error::{ApiError, ApiResult},
};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(read, edit))
        .routes(routes!(edit_body, forget_body))
        .routes(routes!(list_weights))
        .routes(routes!(weigh, forget_weight))
        .routes(routes!(read_targets, make_targets))
        .routes(routes!(list_consents))
        .routes(routes!(set_consent))
}

/// One's own profile.
#[utoipa::path(
    get, path = "/accounts/me/profile", operation_id = "read_own_profile", tag = "profile", security(("token" = [])),
    responses((status = 200, body = Profile), (status = 401, body = Problem), (status = 404, body = Problem))
)]
async fn read(State(app): State<App>, caller: Caller) -> ApiResult<Json<Profile>> {
    profile::load(&app.db.auth, caller.user).await.map(Json)
}

/// Changes one's own profile. Boards show the nickname that one joined with.
#[utoipa::path(
    patch, path = "/accounts/me/profile", operation_id = "edit_own_profile", tag = "profile", security(("token" = [])),
    request_body = EditProfile,
    responses(
        (status = 200, body = Profile), (status = 401, body = Problem), (status = 404, body = Problem),
        (status = 400, description = "`json_malformed`", body = Problem),
        (status = 409, description = "`nickname_taken`", body = Problem),
        (status = 422, description = "`json_invalid`, `nickname_invalid`", body = Problem),
    )
)]
async fn edit(State(app): State<App>, caller: Caller, Json(change): Json<EditProfile>) -> ApiResult<Json<Profile>> {
    profile::edit(&app, caller, change).await.map(Json)
}

/// Changes what one tells of one's body. Needs the consent `health_data`.
#[utoipa::path(
    patch, path = "/accounts/me/body", operation_id = "edit_own_body", tag = "profile", security(("token" = [])),
    request_body = EditBody,
    responses(
        (status = 200, body = Body), (status = 401, body = Problem), (status = 404, body = Problem),
        (status = 400, description = "`json_malformed`", body = Problem),
        (status = 403, description = "`consent_required`", body = Problem),
        (status = 422, description = "`json_invalid`, or what cannot be or is not safe, with its `field`", body = Problem),
    )
)]
async fn edit_body(State(app): State<App>, caller: Caller, Json(change): Json<EditBody>) -> ApiResult<Json<Body>> {
    profile::edit_body(&app, caller, change).await.map(Json)
}

/// Forgets what one has told of one's body, and the targets made from it.
#[utoipa::path(
    delete, path = "/accounts/me/body", operation_id = "forget_own_body", tag = "profile", security(("token" = [])),
    responses((status = 204), (status = 401, body = Problem))
)]
async fn forget_body(State(app): State<App>, caller: Caller) -> ApiResult<StatusCode> {
    profile::forget_body(&app, caller).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// One's own weights, the newest first.
#[utoipa::path(
    get, path = "/accounts/me/weights", operation_id = "list_own_weights", tag = "profile", security(("token" = [])),
    params(PageQuery),
    responses((status = 200, body = Page<Weight>), (status = 400, body = Problem), (status = 401, body = Problem))
)]
async fn list_weights(
    State(app): State<App>,
    caller: Caller,
    Query(paging): Query<PageQuery>,
) -> ApiResult<Json<Page<Weight>>> {
    let limit = paging.limit()?;
    let found = profile::list_weights(&app.db.auth, caller.user, paging.after()?, limit + 1).await?;
    Ok(Json(page(found, limit, |last| last.date.to_string())))
}

/// Keeps what one weighs on a day, in the profile's zone; one a day. Needs the consent `health_data`.
#[utoipa::path(
    put, path = "/accounts/me/weights/{date}", operation_id = "set_own_weight", tag = "profile", security(("token" = [])),
    params(("date" = NaiveDate, Path)), request_body = NewWeight,
    responses(
        (status = 200, body = Weight), (status = 401, body = Problem), (status = 404, body = Problem),
        (status = 400, description = "`json_malformed`", body = Problem),
        (status = 403, description = "`consent_required`", body = Problem),
        (status = 422, description = "`json_invalid`, `date_out_of_range`, or what cannot be or is not safe", body = Problem),
    )
)]
async fn weigh(
    State(app): State<App>,
    caller: Caller,
    Path(date): Path<NaiveDate>,
    Json(NewWeight { weight_g }): Json<NewWeight>,
) -> ApiResult<Json<Weight>> {
    profile::weigh(&app, caller, Weight { date, weight_g }).await.map(Json)
}

/// Forgets a weight.
#[utoipa::path(
    delete, path = "/accounts/me/weights/{date}", operation_id = "forget_own_weight", tag = "profile",
    security(("token" = [])), params(("date" = NaiveDate, Path)),
    responses((status = 204), (status = 401, body = Problem), (status = 404, body = Problem))
)]
async fn forget_weight(State(app): State<App>, caller: Caller, Path(date): Path<NaiveDate>) -> ApiResult<StatusCode> {
    if profile::forget_weight(&app.db.auth, caller.user, date).await? {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(ApiError::not_found("weight"))
    }
}

/// What one should eat in a day, as worked out last; gone when the body changes.
#[utoipa::path(
    get, path = "/accounts/me/targets", operation_id = "read_own_targets", tag = "profile", security(("token" = [])),
    responses((status = 200, body = Targets), (status = 401, body = Problem), (status = 404, body = Problem))
)]
async fn read_targets(State(app): State<App>, caller: Caller) -> ApiResult<Json<Targets>> {
    profile::load_targets(&app.db.auth, caller.user).await.map(Json)
}

/// Works out what one should eat in a day, from the body and the newest weight. Needs the consent `health_data`.
#[utoipa::path(
    post, path = "/accounts/me/targets", operation_id = "make_own_targets", tag = "profile", security(("token" = [])),
    request_body = NewTargets,
    responses(
        (status = 200, body = Targets), (status = 401, body = Problem), (status = 404, body = Problem),
        (status = 400, description = "`json_malformed`", body = Problem),
        (status = 403, description = "`consent_required`", body = Problem),
        (status = 422, description = "`json_invalid`, or what is missing, with its `field`", body = Problem),
    )
)]
async fn make_targets(
    State(app): State<App>,
    caller: Caller,
    Json(wish): Json<NewTargets>,
) -> ApiResult<Json<Targets>> {
    profile::make_targets(&app, caller, wish).await.map(Json)
}

/// What one has agreed to, or taken back.
#[utoipa::path(
    get, path = "/accounts/me/consents", operation_id = "list_own_consents", tag = "profile", security(("token" = [])),
    responses((status = 200, body = Page<Consent>), (status = 401, body = Problem))
)]
async fn list_consents(State(app): State<App>, caller: Caller) -> ApiResult<Json<Page<Consent>>> {
    let items = consents::list(&app.db.auth, caller.user).await?;
    Ok(Json(Page { items, next: None }))
}

/// Gives a consent, or takes it back. With `health_data` taken back, body, weights and targets are deleted at once.
#[utoipa::path(
    put, path = "/accounts/me/consents/{purpose}", operation_id = "set_own_consent", tag = "profile",
    security(("token" = [])), params(("purpose" = Purpose, Path)), request_body = SetConsent,
    responses(
        (status = 200, body = Consent), (status = 401, body = Problem), (status = 404, body = Problem),
        (status = 400, description = "`json_malformed`", body = Problem),
        (status = 409, description = "`consent_needed`", body = Problem),
        (status = 422, description = "`json_invalid`, `consent_version_old`", body = Problem),
    )
)]
async fn set_consent(
    State(app): State<App>,
    caller: Caller,
    Path(purpose): Path<Purpose>,
    Json(wish): Json<SetConsent>,
) -> ApiResult<Json<Consent>> {
    profile::set_consent(&app, caller, purpose, wish).await.map(Json)
}
