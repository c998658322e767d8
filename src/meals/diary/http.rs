//! `/diary`.

use axum::{
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use chrono::{Datelike, Days, Months, NaiveDate};
use lastbite_protocol::rest::{DiaryDay, DiaryMonth, DiaryRange, Problem, SetWater};
use serde::{Deserialize, Serialize};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{Asked, Form, store};
use crate::{
    App,
    auth::Caller,
    body::{Json, Path, Query},
    error::{ApiError, ApiResult},
    limits,
};

/// The routes of this part.
pub(in crate::meals) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(day)).routes(routes!(month)).routes(routes!(range)).routes(routes!(set_water))
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct DayQuery {
    /// A date of the diary, in the zone each meal was logged in.
    date: NaiveDate,
}

/// A day of one's own diary.
#[utoipa::path(
    get, path = "/diary/day", operation_id = "read_diary_day", tag = "meals", params(DayQuery), security(("token" = [])),
    responses(
        (status = 200, body = DiaryDay, headers(("ETag" = String))),
        (status = 304, description = "It is as it was: `If-None-Match` named it."),
        (status = 400, body = Problem), (status = 401, body = Problem),
    )
)]
async fn day(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
    Query(query): Query<DayQuery>,
) -> ApiResult<Response> {
    let date = check(query.date)?;
    let asked = Asked { user: caller.user, form: Form::Day, from: date, to: date };
    glance(&app, asked, &headers, async |db| {
        let meals = super::super::store::list_eaten(db, caller.user, date).await?;
        let facts = store::load_beside(db, caller.user, date, date).await?;
        Ok(super::day(date, meals, facts))
    })
    .await
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct MonthQuery {
    /// A month, as `2026-03`.
    #[param(pattern = "^[0-9]{4}-[0-9]{2}$")]
    month: String,
}

/// A month of one's own diary, as a calendar shows it.
#[utoipa::path(
    get, path = "/diary/month", operation_id = "read_diary_month", tag = "meals", params(MonthQuery),
    security(("token" = [])),
    responses(
        (status = 200, body = DiaryMonth, headers(("ETag" = String))),
        (status = 304, description = "It is as it was: `If-None-Match` named it."),
        (status = 400, body = Problem), (status = 401, body = Problem),
    )
)]
async fn month(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
    Query(query): Query<MonthQuery>,
) -> ApiResult<Response> {
    let first: Option<NaiveDate> =
        (query.month.len() == 7).then(|| format!("{}-01", query.month).parse().ok()).flatten();
    let from = check(first.ok_or_else(|| invalid("a month is written as 2026-03"))?)?;
    let to = from.checked_add_months(Months::new(1)).and_then(|next| next.pred_opt()).unwrap_or(from);
    let asked = Asked { user: caller.user, form: Form::Month, from, to };
    glance(&app, asked, &headers, async |db| {
        let facts = store::load(db, caller.user, from, to).await?;
        Ok(DiaryMonth { month: query.month.clone(), days: super::days(&facts) })
    })
    .await
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct RangeQuery {
    /// The first day.
    from: NaiveDate,
    /// The last day, at most 366 days in all.
    to: NaiveDate,
}

/// Some time of one's own diary, with averages and trends.
#[utoipa::path(
    get, path = "/diary/range", operation_id = "read_diary_range", tag = "meals", params(RangeQuery),
    security(("token" = [])),
    responses(
        (status = 200, body = DiaryRange, headers(("ETag" = String))),
        (status = 304, description = "It is as it was: `If-None-Match` named it."),
        (status = 400, body = Problem), (status = 401, body = Problem),
    )
)]
async fn range(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
    Query(query): Query<RangeQuery>,
) -> ApiResult<Response> {
    let (from, to) = (check(query.from)?, check(query.to)?);
    let last = from.checked_add_days(Days::new(limits::DIARY_RANGE_DAYS_MAX - 1));
    if to < from || last.is_none_or(|last| to > last) {
        return Err(invalid("a range has 1 to 366 days, the first one in front"));
    }
    let asked = Asked { user: caller.user, form: Form::Range, from, to };
    glance(&app, asked, &headers, async |db| {
        let facts = store::load(db, caller.user, from, to).await?;
        Ok(super::range(from, to, facts))
    })
    .await
}

/// Sets what the caller drank of water on a date of the diary: the sum of the day.
#[utoipa::path(
    put, path = "/diary/water/{date}", operation_id = "set_water", tag = "meals", params(("date" = NaiveDate, Path)),
    security(("token" = [])), request_body = SetWater,
    responses(
        (status = 204, description = "It is set."),
        (status = 400, description = "`query_invalid`, `json_malformed`", body = Problem), (status = 401, body = Problem),
        (status = 422, description = "`json_invalid`, `water_out_of_range`", body = Problem),
    )
)]
async fn set_water(
    State(app): State<App>,
    caller: Caller,
    Path(date): Path<NaiveDate>,
    Json(wish): Json<SetWater>,
) -> ApiResult<StatusCode> {
    let date = check(date)?;
    if wish.water_ml > limits::WATER_ML_MAX {
        return Err(ApiError::invalid("water_out_of_range", "water_ml", "at most 20,000 ml a day"));
    }
    store::set_water(&app.db.api, caller.user, date, wish.water_ml).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn check(date: NaiveDate) -> ApiResult<NaiveDate> {
    if (1900..=2200).contains(&date.year()) {
        Ok(date)
    } else {
        Err(invalid("a date of the diary lies between 1900 and 2200"))
    }
}

fn invalid(detail: &str) -> ApiError {
    ApiError::refused(StatusCode::BAD_REQUEST, "query_invalid", detail)
}

/// Answers with what was made of the same facts before, or makes it: fingerprint and facts are of one moment.
async fn glance<T: Serialize>(
    app: &App,
    asked: Asked,
    headers: &HeaderMap,
    make: impl AsyncFnOnce(&mut sqlx::PgConnection) -> Result<T, sqlx::Error>,
) -> ApiResult<Response> {
    let fingerprint = store::fingerprint(&app.db.api, asked.user, asked.from, asked.to).await?;
    if is_known(headers, &fingerprint) {
        return Ok((StatusCode::NOT_MODIFIED, head(&fingerprint)).into_response());
    }
    if let Some(body) = app.glances.find(&asked, &fingerprint) {
        return Ok((head(&fingerprint), body).into_response());
    }
    let mut tx = store::snapshot(&app.db.api).await?;
    let fingerprint = store::fingerprint(&mut *tx, asked.user, asked.from, asked.to).await?;
    let made = make(&mut tx).await?;
    tx.commit().await?;
    let body = Bytes::from(serde_json::to_vec(&made).map_err(anyhow::Error::from)?);
    app.glances.keep(asked, fingerprint.clone(), body.clone());
    Ok((head(&fingerprint), body).into_response())
}

fn tag(fingerprint: &str) -> String {
    format!("\"{fingerprint}\"")
}

fn is_known(headers: &HeaderMap, fingerprint: &str) -> bool {
    let named = headers.get(header::IF_NONE_MATCH).and_then(|named| named.to_str().ok()).unwrap_or_default();
    named.split(',').any(|one| one.trim().trim_start_matches("W/") == tag(fingerprint))
}

fn head(fingerprint: &str) -> [(header::HeaderName, HeaderValue); 3] {
    let tag = HeaderValue::from_str(&tag(fingerprint)).unwrap_or(HeaderValue::from_static("\"\""));
    // The owner's browser may keep it, and asks each time whether it is still so.
    [
        (header::ETAG, tag),
        (header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache")),
        (header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
    ]
}
