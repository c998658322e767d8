//! The table `analyses`, and reads of what else a look at a photo needs.

use axum::http::StatusCode;
use chrono::{DateTime, TimeDelta, Utc};
use lastbite_protocol::{
    AnalysisId, MealId, UserId,
    analyses::{Analysis, Guess},
    foods::Food,
};
use serde::Serialize;
use serde_json::Value;
use sqlx::{PgPool, types::Json};

use crate::{
    App,
    db::Tx,
    error::{ApiError, ApiResult},
    foods, limits,
    media::StoredPhoto,
    photos,
    vision::Seen,
};

/// Takes a look off the budget before it is done. Answers whether the photo may be shown to somebody outside.
pub(super) async fn claim(
    app: &App,
    owner: UserId,
    id: AnalysisId,
    photo: &StoredPhoto,
    now: DateTime<Utc>,
) -> ApiResult<bool> {
    let mut tx = app.db.api.begin().await?;
    let outside = claim_in(&mut tx, app, owner, id, photo, now).await?;
    photos::let_go(&mut *tx, photo, app.clock.wall() + limits::ANALYSIS_KEPT).await?;
    tx.commit().await?;
    Ok(outside)
}

/// The same within a transaction.
pub(super) async fn claim_in(
    tx: &mut Tx,
    app: &App,
    owner: UserId,
    id: AnalysisId,
    photo: &StoredPhoto,
    now: DateTime<Utc>,
) -> ApiResult<bool> {
    let since = now - limits::ANALYSES_WITHIN;
    // One at a time, or many at once would all be the last.
    let there = sqlx::query!("select from users where id = $1 and deleted_at is null for no key update", owner.0)
        .fetch_optional(&mut **tx)
        .await?;
    if there.is_none() {
        return Err(ApiError::account_gone());
    }
    let looks = sqlx::query!(
        r#"select (select count(*) from analyses where user_id = $1 and made_at > $2) as "own!",
                  (select count(*) from analyses where outside and made_at > $2) as "outside!",
                  coalesce((select given from consents where user_id = $1 and purpose = 'ai_processing'
                            order by at desc limit 1), false) as "agreed!""#,
        owner.0,
        since
    )
    .fetch_one(&mut **tx)
    .await?;
    if looks.own >= limits::ANALYSES_PER_USER_MAX {
        let detail = format!("at most {} photos within 24 hours are looked at", limits::ANALYSES_PER_USER_MAX);
        return Err(ApiError::refused(StatusCode::TOO_MANY_REQUESTS, "analysis_budget", detail));
    }
    let outside = looks.agreed && looks.outside < limits::ANALYSES_MAX && app.vision.has_outside();
    sqlx::query!(
        "insert into analyses (id, user_id, photo, key, made_at, outside) values ($1, $2, $3, $4, $5, $6)",
        id.0,
        owner.0,
        Json(photo) as _,
        photo.key,
        now,
        outside
    )
    .execute(&mut **tx)
    .await?;
    Ok(outside)
}

/// Whether the photo of an analysis may still be shown to somebody outside.
pub(super) async fn may_leave(pool: &PgPool, id: AnalysisId) -> Result<bool, sqlx::Error> {
    let found = sqlx::query_scalar!(
        r#"select (a.outside and u.deleted_at is null
                   and coalesce((select given from consents where user_id = u.id and purpose = 'ai_processing'
                                 order by at desc limit 1), false)) as "may!"
           from analyses a join users u on u.id = a.user_id where a.id = $1"#,
        id.0
    )
    .fetch_optional(pool)
    .await?;
    Ok(found.unwrap_or_default())
}

/// What was made of a look, when it has ended.
pub(super) async fn load_guesses(pool: &PgPool, id: AnalysisId) -> Result<Option<Vec<Guess>>, sqlx::Error> {
    let found =
        sqlx::query_scalar!(r#"select guesses as "guesses: Json<Vec<Guess>>" from analyses where id = $1"#, id.0)
            .fetch_optional(pool)
            .await?;
    Ok(found.flatten().map(|guesses| guesses.0))
}

/// What was seen on the photo of a user's own meal.
pub(super) async fn load_of(pool: &PgPool, owner: UserId, meal: MealId) -> Result<Option<Analysis>, sqlx::Error> {
    let row = sqlx::query!(
        r#"select id, made_at, provider, model, guesses as "guesses: Json<Vec<Guess>>" from analyses
           where meal_id = $1 and user_id = $2 and key is not null"#,
        meal.0,
        owner.0
    )
    .fetch_optional(pool)
    .await?;
    Ok(row.map(|row| {
        let guesses = row.guesses.map(|guesses| guesses.0).unwrap_or_default();
        Analysis {
            id: row.id.into(),
            made_at: row.made_at,
            expires_at: row.made_at + limits::ANALYSIS_KEPT,
            known: guesses.iter().any(|guess| guess.food.is_some()),
            provider: row.provider,
            model: row.model,
            guesses,
            usual: Vec::new(),
        }
    }))
}

/// An analysis is that of a meal which is being written.
pub(super) async fn belongs_to(tx: &mut Tx, id: AnalysisId, meal: MealId) -> Result<(), sqlx::Error> {
    sqlx::query!("update analyses set meal_id = $2 where id = $1", id.0, meal.0).execute(&mut **tx).await?;
    Ok(())
}

/// Meals whose photo nobody has looked at for longer than any day waits for it.
pub(super) async fn list_given_up(pool: &PgPool, now: DateTime<Utc>) -> Result<Vec<(UserId, MealId)>, sqlx::Error> {
    let rows = sqlx::query!(
        "select user_id, id from meals where state = 'analysing' and deleted_at is null and logged_at < $1 limit 100",
        now - limits::ANALYSIS_GIVEN_UP
    )
    .fetch_all(pool)
    .await?;
    Ok(rows.into_iter().map(|row| (row.user_id.into(), row.id.into())).collect())
}

/// Keeps what was seen, word for word, and what was made of it.
pub(super) async fn finish(app: &App, id: AnalysisId, seen: &Seen, guesses: &[Guess]) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update analyses set provider = $2, model = $3, version = $4, raw = $5, guesses = $6 where id = $1",
        id.0,
        seen.provider,
        seen.model,
        seen.version,
        without_nul(seen.raw.clone()),
        Json(guesses) as _
    )
    .execute(&app.db.api)
    .await?;
    Ok(())
}

/// Postgres keeps no NUL in a text.
fn without_nul(value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(text.replace('\0', "")),
        Value::Array(items) => items.into_iter().map(without_nul).collect(),
        Value::Object(fields) => {
            fields.into_iter().map(|(name, field)| (name.replace('\0', ""), without_nul(field))).collect()
        }
        other => other,
    }
}

/// Makes an analysis that of a meal, if it is this user's and good for one. Answers its photo.
pub(super) async fn use_up(
    tx: &mut Tx,
    owner: UserId,
    id: AnalysisId,
    meal: MealId,
    now: DateTime<Utc>,
) -> Result<Option<StoredPhoto>, sqlx::Error> {
    let photo = sqlx::query_scalar!(
        r#"update analyses set meal_id = $3
           where id = $1 and user_id = $2 and meal_id is null and key is not null and made_at > $4
           returning photo as "photo: Json<StoredPhoto>""#,
        id.0,
        owner.0,
        meal.0,
        now - limits::ANALYSIS_KEPT
    )
    .fetch_optional(&mut **tx)
    .await?;
    Ok(photo.map(|photo| photo.0))
}

/// The foods that a user has eaten at this hour before, the most usual first.
pub(super) async fn usual(pool: &PgPool, owner: UserId, now: DateTime<Utc>) -> Result<Vec<Food>, sqlx::Error> {
    let ids = sqlx::query_scalar!(
        r#"with here as (select extract(epoch from ($2::timestamptz at time zone zone)::time) as second from users where id = $1),
           eaten as (
               select contents, extract(epoch from (eaten_at at time zone zone)::time) as second from meals
               where user_id = $1 and deleted_at is null and contents is not null and id >= first_id_of($3)
           )
           select item ->> 'food' as "food!"
           from eaten, here, jsonb_array_elements(eaten.contents -> 'items') item
           where least(abs(eaten.second - here.second), 86400 - abs(eaten.second - here.second)) <= $4::float8
           group by 1 order by count(*) desc, 1 limit $5"#,
        owner.0,
        now,
        now - TimeDelta::from_std(limits::USUAL_FOODS_WITHIN).unwrap_or_default(),
        limits::USUAL_FOODS_NEAR_S,
        limits::USUAL_FOODS_MAX
    )
    .fetch_all(pool)
    .await?;
    foods::load_many(pool, owner, &ids).await
}

/// Forgets what was seen on the photo of a meal that is deleted; that it was looked at counts as before.
pub(in crate::meals) async fn forget_of(tx: &mut Tx, meal: MealId) -> Result<(), sqlx::Error> {
    sqlx::query!("update analyses set photo = '{}', key = null, raw = null, guesses = null where meal_id = $1", meal.0)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Forgets analyses that became no meal in time; their photos go by themselves.
pub(super) async fn forget_old(pool: &PgPool, now: DateTime<Utc>) -> Result<(), sqlx::Error> {
    let long_ago = now - limits::ANALYSIS_KEPT;
    sqlx::query!("delete from analyses where (meal_id is null or key is null) and made_at <= $1", long_ago)
        .execute(pool)
        .await?;
    Ok(())
}

/// Forgets all that was seen on a user's photos.
pub(in crate::meals) async fn erase(pool: &PgPool, user: UserId) -> Result<(), sqlx::Error> {
    sqlx::query!("delete from analyses where user_id = $1", user.0).execute(pool).await?;
    Ok(())
}

/// An analysis as its owner takes it away: with the answer, word for word.
#[derive(Debug, Serialize)]
pub(crate) struct Told {
    pub(crate) id: AnalysisId,
    made_at: DateTime<Utc>,
    meal: Option<MealId>,
    provider: Option<String>,
    model: Option<String>,
    version: Option<String>,
    raw: Option<Value>,
    guesses: Option<Value>,
}

/// All that was seen on a user's photos, in the order in which they were looked at.
pub(crate) async fn list_all(
    pool: &PgPool,
    user: UserId,
    after: Option<AnalysisId>,
    limit: u32,
) -> Result<Vec<Told>, sqlx::Error> {
    let rows = sqlx::query!(
        "select id, made_at, meal_id, provider, model, version, raw, guesses from analyses
         where user_id = $1 and ($2::uuid is null or id > $2) order by id limit $3",
        user.0,
        after.map(|id| id.0),
        i64::from(limit)
    )
    .fetch_all(pool)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| Told {
            id: row.id.into(),
            made_at: row.made_at,
            meal: row.meal_id.map(MealId),
            provider: row.provider,
            model: row.model,
            version: row.version,
            raw: row.raw,
            guesses: row.guesses,
        })
        .collect())
}
