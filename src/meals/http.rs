//! `/meals`.

use axum::{
    extract::{Request, State},
    http::{HeaderMap, StatusCode},
    response::Response,
};
use bytes::Bytes;
use chrono::{Datelike, NaiveDate};
use lastbite_protocol::{
    MealId, UserId,
    rest::{CopyMeal, EditMeal, Meal, MealOutcome, MealState, MealVersion, NewMeal, Page, PhotoLink, Problem},
};
use serde::Deserialize;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{analyses, contents, diary, form, store, upload};
use crate::{
    App,
    auth::Caller,
    body::{self, IdempotencyHeader, Json, PageQuery, Path, Query, page, parse_json},
    error::{ApiError, ApiResult},
    idempotency::{Answer, Key},
    limits,
    nutrition::interval::EnergySource,
    photos::{self, Jpeg, SizeName},
};

/// The routes of this feature.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .merge(diary::http::routes())
        .merge(analyses::http::routes())
        .routes(routes!(log, list))
        .routes(routes!(read, edit, delete))
        .routes(routes!(copy))
        .routes(routes!(versions))
        .routes(routes!(show_photo))
        .routes(routes!(link_photo))
}

/// The parts of a multipart body.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes the form for the documents")]
struct MealForm {
    /// The meal as JSON.
    meal: NewMeal,
    /// A JPEG, PNG or WebP, at most 10 MiB.
    #[schema(value_type = String, format = Binary)]
    photo: String,
}

/// Logs a meal, with or without a photo. With a photo and neither `items` nor `amounts` the photo is looked at after the
/// answer: the meal is `analysing` until then, and the socket's `own` tells when it is known. An `Idempotency-Key` makes retries safe: the answer is the first one's.
#[utoipa::path(
    post, path = "/meals", operation_id = "log_meal", tag = "meals", security(("token" = [])),
    params(IdempotencyHeader),
    request_body(content((NewMeal = "application/json"), (MealForm = "multipart/form-data"))),
    responses(
        (status = 201, body = MealOutcome),
        (status = 400, description = "`json_malformed`, `multipart_invalid`, `idempotency_key_invalid`", body = Problem),
        (status = 401, body = Problem),
        (status = 409, description = "`idempotency_in_flight`, `too_many_meals`", body = Problem),
        (status = 413, description = "`body_too_large`, `photo_too_large`", body = Problem),
        (status = 415, description = "`content_type_unsupported`, `photo_type_unknown`, `photo_type_heic`", body = Problem),
        (
            status = 422, body = Problem,
            description = "`json_invalid`, `eaten_at_out_of_range`, `contents_needed`, `food_unknown`, `items_impossible`, \
                           `amounts_out_of_range`, `note_invalid`, `analysis_unknown`, `photo_twice`, \
                           `idempotency_key_reused`, or what is wrong with the photo: `photo_broken`, …"
        ),
        (status = 429, description = "`photo_budget`: too many photos within 24 hours", body = Problem),
        (
            status = 503, body = Problem,
            description = "`busy`, `storage_slow`, `storage_full`, `photo_gone`, `database_away`: try again with the same key"
        ),
    )
)]
async fn log(State(app): State<App>, caller: Caller, request: Request) -> ApiResult<(StatusCode, Json<MealOutcome>)> {
    let headers = request.headers().clone();
    let (meal, photo) = if body::is(&request, "multipart/form-data") {
        let Ok(_place) = app.web.uploads.try_acquire() else {
            return Err(ApiError::unavailable("busy", "too many photos come in at this moment"));
        };
        let [meal, photo] = form::read(request, ["meal", "photo"]).await?;
        if meal.len() > limits::JSON_BYTES_MAX {
            return Err(body::too_large(limits::JSON_BYTES_MAX));
        }
        (meal, Some(photo))
    } else {
        (body::read_json_bytes(request).await?, None)
    };
    log_parts(&app, caller.user, &headers, &meal, photo).await
}

async fn log_parts(
    app: &App,
    owner: UserId,
    headers: &HeaderMap,
    meal: &Bytes,
    photo: Option<Bytes>,
) -> ApiResult<(StatusCode, Json<MealOutcome>)> {
    let key = Key::read(headers, owner, "POST /meals", &[meal, photo.as_deref().unwrap_or_default()])?;
    if let Some(key) = &key
        && let Some(Answer { status, body }) = key.find(&app.db.api).await?
    {
        return Ok((status, Json(body)));
    }
    let wish: NewMeal = parse_json(meal)?;
    upload::check_note(&wish.note)?;
    if wish.analysis.is_some() && photo.is_some() {
        let detail = "an analysis has its photo already";
        return Err(ApiError::invalid("photo_twice", "analysis", detail));
    }
    let guessed = if wish.analysis.is_some() { EnergySource::Photo } else { EnergySource::Table };
    let photo_tells = photo.is_some() && wish.items.is_empty() && wish.amounts.is_none();
    let known = if photo_tells {
        None
    } else {
        Some(contents::of(&app.db.api, owner, &wish.items, wish.amounts, guessed).await?)
    };
    let NewMeal { kind, eaten_at, zone, note, analysis, .. } = wish;
    let wish = upload::Wish { kind, eaten_at, zone, note, known, analysis };
    let stored = match photo {
        Some(original) => Some(photos::take(app, owner, original).await?.stored),
        None => None,
    };
    let logged = upload::log(app, owner, wish, stored.clone(), key.as_ref()).await;
    let kept = logged.as_ref().is_ok_and(|logged| logged.fresh);
    if let Some(stored) = stored.filter(|_| !kept && !logged.as_ref().is_err_and(photos::may_be_committed)) {
        photos::forget(app, &stored).await;
    }
    let Answer { status, body } = logged?.answer;
    Ok((status, Json(body)))
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// A date of the diary, in the zone each meal was logged in.
    date: NaiveDate,
}

/// One's own meals of a date, in the order they were logged.
#[utoipa::path(
    get, path = "/meals", operation_id = "list_own_meals", tag = "meals", params(ListQuery, PageQuery), security(("token" = [])),
    responses((status = 200, body = Page<Meal>), (status = 400, body = Problem), (status = 401, body = Problem))
)]
async fn list(
    State(app): State<App>,
    caller: Caller,
    Query(query): Query<ListQuery>,
    Query(paging): Query<PageQuery>,
) -> ApiResult<Json<Page<Meal>>> {
    let limit = paging.limit()?;
    if !(1900..=2200).contains(&query.date.year()) {
        let detail = "a date of the diary lies between 1900 and 2200";
        return Err(ApiError::refused(StatusCode::BAD_REQUEST, "query_invalid", detail));
    }
    let found = store::list(&app.db.api, caller.user, query.date, paging.after()?, limit + 1).await?;
    Ok(Json(page(found, limit, |last| last.id.to_string())))
}

/// One's own meal.
#[utoipa::path(
    get, path = "/meals/{id}", operation_id = "read_meal", tag = "meals", params(("id" = MealId, Path)),
    security(("token" = [])),
    responses((status = 200, body = Meal), (status = 401, body = Problem), (status = 404, body = Problem))
)]
async fn read(State(app): State<App>, caller: Caller, Path(id): Path<MealId>) -> ApiResult<Json<Meal>> {
    let meal = store::load(&app.db.api, caller.user, id).await?;
    meal.map(Json).ok_or_else(|| ApiError::not_found("meal"))
}

/// Changes one's own meal. Days that were judged keep their verdict.
#[utoipa::path(
    patch, path = "/meals/{id}", operation_id = "edit_meal", tag = "meals", params(("id" = MealId, Path)),
    security(("token" = [])), request_body = EditMeal,
    responses(
        (status = 200, body = MealOutcome), (status = 401, body = Problem), (status = 404, body = Problem),
        (status = 400, description = "`json_malformed`", body = Problem),
        (status = 409, description = "`too_many_meals`", body = Problem),
        (
            status = 422, body = Problem,
            description = "`json_invalid`, `eaten_at_out_of_range`, `contents_needed`, `food_unknown`, `items_impossible`, \
                           `amounts_out_of_range`, `note_invalid`"
        ),
        (status = 503, description = "`day_being_judged`: try again in a moment", body = Problem),
    )
)]
async fn edit(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<MealId>,
    Json(change): Json<EditMeal>,
) -> ApiResult<Json<MealOutcome>> {
    if let Some(note) = &change.note {
        upload::check_note(note)?;
    }
    let known = match (&change.items, change.amounts) {
        (None, None) => None,
        (items, amounts) => {
            let items = items.as_deref().unwrap_or_default();
            Some(contents::of(&app.db.api, caller.user, items, amounts, EnergySource::Table).await?)
        }
    };
    upload::edit(&app, caller.user, id, change, known).await.map(Json)
}

/// Logs one's own meal once more, without its photo. An `Idempotency-Key` makes retries safe.
#[utoipa::path(
    post, path = "/meals/{id}/copies", operation_id = "copy_meal", tag = "meals",
    params(("id" = MealId, Path), IdempotencyHeader), security(("token" = [])), request_body = CopyMeal,
    responses(
        (status = 201, body = MealOutcome), (status = 401, body = Problem), (status = 404, body = Problem),
        (status = 400, description = "`json_malformed`, `idempotency_key_invalid`", body = Problem),
        (status = 409, description = "`idempotency_in_flight`, `too_many_meals`, `meal_unknown`", body = Problem),
        (
            status = 422, body = Problem,
            description = "`json_invalid`, `eaten_at_out_of_range`, `idempotency_key_reused`"
        ),
        (status = 503, description = "`busy`, `database_away`: try again with the same key", body = Problem),
    )
)]
async fn copy(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<MealId>,
    request: Request,
) -> ApiResult<(StatusCode, Json<MealOutcome>)> {
    let headers = request.headers().clone();
    let body = body::read_json_bytes(request).await?;
    let of = id.to_string();
    let key = Key::read(&headers, caller.user, "POST /meals/{id}/copies", &[of.as_bytes(), &body])?;
    if let Some(key) = &key
        && let Some(Answer { status, body }) = key.find(&app.db.api).await?
    {
        return Ok((status, Json(body)));
    }
    let wish: CopyMeal = parse_json(&body)?;
    let meal = store::load(&app.db.api, caller.user, id).await?.ok_or_else(|| ApiError::not_found("meal"))?;
    if meal.state != MealState::Known {
        return Err(ApiError::refused(StatusCode::CONFLICT, "meal_unknown", "what was in that meal is not known yet"));
    }
    let wish = upload::Wish {
        kind: wish.kind.unwrap_or(meal.kind),
        eaten_at: wish.eaten_at,
        zone: wish.zone.unwrap_or(meal.zone),
        note: meal.note,
        known: Some(contents::Known { amounts: meal.amounts, contents: meal.contents }),
        analysis: None,
    };
    let Answer { status, body } = upload::log(&app, caller.user, wish, None, key.as_ref()).await?.answer;
    Ok((status, Json(body)))
}

/// How one's own meal was before it was changed, the oldest first.
#[utoipa::path(
    get, path = "/meals/{id}/versions", operation_id = "list_meal_versions", tag = "meals",
    params(("id" = MealId, Path), PageQuery), security(("token" = [])),
    responses(
        (status = 200, body = Page<MealVersion>), (status = 400, body = Problem), (status = 401, body = Problem),
        (status = 404, body = Problem),
    )
)]
async fn versions(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<MealId>,
    Query(paging): Query<PageQuery>,
) -> ApiResult<Json<Page<MealVersion>>> {
    let limit = paging.limit()?;
    if store::load(&app.db.api, caller.user, id).await?.is_none() {
        return Err(ApiError::not_found("meal"));
    }
    let found = store::list_versions(&app.db.api, caller.user, id, paging.after()?, limit + 1).await?;
    Ok(Json(page(found, limit, |last| last.version.to_string())))
}

/// Deletes one's own meal.
#[utoipa::path(
    delete, path = "/meals/{id}", operation_id = "delete_meal", tag = "meals", params(("id" = MealId, Path)),
    security(("token" = [])),
    responses(
        (status = 200, body = MealOutcome), (status = 401, body = Problem), (status = 404, body = Problem),
        (status = 503, description = "`day_being_judged`: try again in a moment", body = Problem),
    )
)]
async fn delete(State(app): State<App>, caller: Caller, Path(id): Path<MealId>) -> ApiResult<Json<MealOutcome>> {
    upload::delete(&app, caller.user, id).await.map(Json)
}

/// The picture of one's own meal.
#[utoipa::path(
    get, path = "/meals/{id}/photo/{size}", operation_id = "read_meal_photo", tag = "meals", security(("token" = [])),
    params(("id" = MealId, Path), ("size" = inline(SizeName), Path)),
    responses(
        (status = 200, description = "The picture.", content_type = "image/jpeg", body = inline(Jpeg)),
        (status = 401, body = Problem), (status = 404, body = Problem),
    )
)]
async fn show_photo(
    State(app): State<App>,
    caller: Caller,
    Path((id, size)): Path<(MealId, SizeName)>,
) -> ApiResult<Response> {
    let photo = store::load_photo(&app.db.api, caller.user, id).await?;
    photos::show(&app, photo.as_ref(), size).await
}

/// A link to the picture of one's own meal, good for ten minutes without a token, as an `<img>` needs it.
#[utoipa::path(
    get, path = "/meals/{id}/photo/{size}/link", operation_id = "link_meal_photo", tag = "meals", security(("token" = [])),
    params(("id" = MealId, Path), ("size" = inline(SizeName), Path)),
    responses((status = 200, body = PhotoLink), (status = 401, body = Problem), (status = 404, body = Problem))
)]
async fn link_photo(
    State(app): State<App>,
    caller: Caller,
    Path((id, size)): Path<(MealId, SizeName)>,
) -> ApiResult<Json<PhotoLink>> {
    let photo = store::load_photo(&app.db.api, caller.user, id).await?.ok_or_else(|| ApiError::not_found("photo"))?;
    Ok(Json(photos::link(&app, &photo, size)))
}

/// Served at `/photos/{token}`: the link says which, so that an `<img>` can show it.
pub(crate) async fn fetch_photo(State(app): State<App>, Path(token): Path<String>) -> ApiResult<Response> {
    photos::follow_link(&app, &token).await
}
