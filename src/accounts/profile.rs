//! What users tell of themselves: their profile, their body, what they weigh, and what follows for a day's eating.

use axum::http::StatusCode;
use chrono::{DateTime, NaiveDate, SubsecRound, Utc};
use chrono_tz::Tz;
use lastbite_protocol::{
    UserId,
    profile::{Body, EditBody, Targets, Weight},
    rest::{Consent, EditProfile, NewTargets, Profile, Purpose, SetConsent},
};
use sqlx::{PgPool, types::Json};

use super::{consents, picture, signing::parse_nickname, store};
use crate::{
    App,
    auth::Caller,
    db::{self, Tx},
    error::{ApiError, ApiResult},
    media::StoredPhoto,
    nutrition::{
        self, Person,
        safety::{self, Safety},
    },
};

impl From<safety::Refusal> for ApiError {
    fn from(refusal: safety::Refusal) -> Self {
        Self::invalid(refusal.code(), refusal.field(), refusal.to_string())
    }
}

/// A user's own profile.
pub(super) async fn load(pool: &PgPool, user: UserId) -> ApiResult<Profile> {
    let row = sqlx::query!(
        r#"select nickname, language, zone, visibility, picture as "picture: Json<StoredPhoto>" from users where id = $1"#,
        user.0
    )
    .fetch_optional(pool)
    .await?
    .ok_or_else(|| ApiError::not_found("account"))?;
    Ok(Profile {
        nickname: row.nickname,
        language: db::parsed(&row.language)?,
        zone: zone_of(&row.zone)?,
        visibility: db::parsed(&row.visibility)?,
        picture: row.picture.map(|stored| picture::paths(user, &stored)),
        body: load_body(pool, user).await?,
    })
}

fn zone_of(name: &str) -> Result<Tz, sqlx::Error> {
    name.parse().map_err(|_| sqlx::Error::Decode(format!("{name} is no zone").into()))
}

/// Changes a profile: what is absent stays.
pub(super) async fn edit(app: &App, caller: Caller, change: EditProfile) -> ApiResult<Profile> {
    let nickname = change.nickname.as_deref().map(parse_nickname).transpose()?;
    let changed = sqlx::query!(
        "update users set nickname = coalesce($2, nickname), language = coalesce($3, language),
                zone = coalesce($4, zone), visibility = coalesce($5, visibility)
         where id = $1 and deleted_at is null",
        caller.user.0,
        nickname,
        change.language.map(|language| language.as_str()),
        change.zone.map(Tz::name),
        change.visibility.map(|visibility| visibility.as_str())
    )
    .execute(&app.db.auth)
    .await;
    match changed {
        Ok(_) => load(&app.db.auth, caller.user).await,
        Err(error) if db::broken_constraint(&error) == Some("users_nickname_unique") => {
            Err(ApiError::refused(StatusCode::CONFLICT, "nickname_taken", "somebody has this nickname"))
        }
        Err(error) => Err(error.into()),
    }
}

async fn load_body(db: impl sqlx::PgExecutor<'_>, user: UserId) -> Result<Option<Body>, sqlx::Error> {
    let row = sqlx::query!(
        "select birth_year, sex, height_mm, goal_weight_g, activity, pregnant from bodies where user_id = $1",
        user.0
    )
    .fetch_optional(db)
    .await?;
    row.map(|row| {
        Ok(Body {
            birth_year: row.birth_year.cast_unsigned(),
            sex: row.sex.as_deref().map(db::parsed).transpose()?,
            height_mm: row.height_mm.map(i32::cast_unsigned),
            goal_weight_g: row.goal_weight_g.map(i32::cast_unsigned),
            activity: row.activity.as_deref().map(db::parsed).transpose()?,
            pregnant: row.pregnant,
        })
    })
    .transpose()
}

/// What a challenge about calories has to know of a user's body: by the newest weight.
///
/// # Errors
/// Postgres is away.
pub(crate) async fn safety_of(tx: &mut Tx, user: UserId) -> Result<Safety, sqlx::Error> {
    let told = sqlx::query!(
        r#"select sex, height_mm, pregnant, targets as "targets: Json<Targets>", (select weight_g from weights where user_id = $1 order by date desc limit 1)
         from bodies where user_id = $1"#,
        user.0
    )
    .fetch_optional(&mut **tx)
    .await?;
    let Some(told) = told else { return Ok(Safety::UNSTATED) };
    let sex = told.sex.as_deref().map(db::parsed).transpose()?;
    let of_body = Safety::of(sex, told.height_mm.map(i32::cast_unsigned), told.weight_g.map(i32::cast_unsigned));
    Ok(Safety { is_pregnant: told.pregnant, resting_kcal: told.targets.map(|targets| targets.resting_kcal), ..of_body })
}

/// Begins what stores health data: one user's changes come one after the other, and only with a consent.
async fn begin(app: &App, caller: Caller) -> ApiResult<Tx> {
    let mut tx = app.db.auth.begin().await?;
    if !store::lock(&mut tx, caller.user).await? {
        return Err(ApiError::not_found("account"));
    }
    consents::check(&mut tx, caller.user, Purpose::HealthData).await?;
    Ok(tx)
}

/// Today, where the user is.
async fn today(tx: &mut Tx, user: UserId, wall: DateTime<Utc>) -> Result<NaiveDate, sqlx::Error> {
    let zone = sqlx::query_scalar!("select zone from users where id = $1", user.0).fetch_one(&mut **tx).await?;
    Ok(wall.with_timezone(&zone_of(&zone)?).date_naive())
}

/// Changes what a user tells of their body. Targets made before are gone: they were of another body.
pub(super) async fn edit_body(app: &App, caller: Caller, change: EditBody) -> ApiResult<Body> {
    let mut tx = begin(app, caller).await?;
    let today = today(&mut tx, caller.user, app.clock.wall()).await?;
    let before = load_body(&mut *tx, caller.user).await?;
    let birth_year = change.birth_year.or_else(|| before.as_ref().map(|body| body.birth_year));
    let Some(birth_year) = birth_year else {
        return Err(safety::Refusal::Missing { field: "birth_year" }.into());
    };
    let before = before.unwrap_or(Body {
        birth_year,
        sex: None,
        height_mm: None,
        goal_weight_g: None,
        activity: None,
        pregnant: false,
    });
    let body = Body {
        birth_year,
        sex: change.sex.or(before.sex),
        height_mm: change.height_mm.or(before.height_mm),
        goal_weight_g: change.goal_weight_g.or(before.goal_weight_g),
        activity: change.activity.or(before.activity),
        pregnant: change.pregnant.unwrap_or(before.pregnant),
    };
    safety::check_body(&body, today)?;
    sqlx::query!(
        "insert into bodies (user_id, birth_year, sex, height_mm, goal_weight_g, activity, pregnant)
         values ($1, $2, $3, $4, $5, $6, $7)
         on conflict (user_id) do update
         set birth_year = $2, sex = $3, height_mm = $4, goal_weight_g = $5, activity = $6, pregnant = $7, targets = null",
        caller.user.0,
        body.birth_year.cast_signed(),
        body.sex.map(|sex| sex.as_str()),
        body.height_mm.map(u32::cast_signed),
        body.goal_weight_g.map(u32::cast_signed),
        body.activity.map(|activity| activity.as_str()),
        body.pregnant
    )
    .execute(&mut *tx)
    .await?;
    tx.commit().await?;
    Ok(body)
}

/// Forgets what a user has told of their body.
pub(super) async fn forget_body(app: &App, caller: Caller) -> ApiResult<()> {
    sqlx::query!("delete from bodies where user_id = $1", caller.user.0).execute(&app.db.auth).await?;
    Ok(())
}

/// Keeps what a user weighed on a day; one a day, the newest.
pub(super) async fn weigh(app: &App, caller: Caller, weight: Weight) -> ApiResult<Weight> {
    safety::check_weight("weight_g", weight.weight_g)?;
    let mut tx = begin(app, caller).await?;
    let today = today(&mut tx, caller.user, app.clock.wall()).await?;
    // A day ahead for who is just travelling.
    if weight.date > today + chrono::Days::new(1) || weight.date < today - chrono::Days::new(10 * 366) {
        return Err(ApiError::invalid("date_out_of_range", "date", "a day from ten years ago until today"));
    }
    if let Some(height_mm) = load_body(&mut *tx, caller.user).await?.and_then(|body| body.height_mm) {
        safety::check_bmi("weight_g", weight.weight_g, height_mm)?;
    }
    sqlx::query!(
        "insert into weights (user_id, date, weight_g) values ($1, $2, $3)
         on conflict (user_id, date) do update set weight_g = $3",
        caller.user.0,
        weight.date,
        weight.weight_g.cast_signed()
    )
    .execute(&mut *tx)
    .await?;
    tx.commit().await?;
    Ok(weight)
}

/// A user's weights, the newest first.
pub(super) async fn list_weights(
    pool: &PgPool,
    user: UserId,
    before: Option<NaiveDate>,
    limit: u32,
) -> Result<Vec<Weight>, sqlx::Error> {
    let rows = sqlx::query!(
        "select date, weight_g from weights where user_id = $1 and ($2::date is null or date < $2)
         order by date desc limit $3",
        user.0,
        before,
        i64::from(limit)
    )
    .fetch_all(pool)
    .await?;
    Ok(rows.into_iter().map(|row| Weight { date: row.date, weight_g: row.weight_g.cast_unsigned() }).collect())
}

/// Forgets one weight. Answers whether there was one.
pub(super) async fn forget_weight(pool: &PgPool, user: UserId, date: NaiveDate) -> Result<bool, sqlx::Error> {
    let gone = sqlx::query!("delete from weights where user_id = $1 and date = $2", user.0, date).execute(pool).await?;
    Ok(gone.rows_affected() == 1)
}

/// Works out what a user should eat in a day, from their body and newest weight, and keeps it.
pub(super) async fn make_targets(app: &App, caller: Caller, wish: NewTargets) -> ApiResult<Targets> {
    let mut tx = begin(app, caller).await?;
    let wall = app.clock.wall();
    let today = today(&mut tx, caller.user, wall).await?;
    let missing = |field| ApiError::from(safety::Refusal::Missing { field });
    let body = load_body(&mut *tx, caller.user).await?.ok_or_else(|| missing("birth_year"))?;
    let weight_g = sqlx::query_scalar!(
        "select weight_g from weights where user_id = $1 order by date desc limit 1",
        caller.user.0
    )
    .fetch_optional(&mut *tx)
    .await?
    .ok_or_else(|| missing("weight_g"))?;
    let person = Person::of(&body, weight_g.cast_unsigned(), today)?;
    let targets = nutrition::targets(&person, wish.equation, wish.intake_table, wall)?;
    sqlx::query!("update bodies set targets = $2 where user_id = $1", caller.user.0, Json(&targets) as _)
        .execute(&mut *tx)
        .await?;
    tx.commit().await?;
    Ok(targets)
}

/// What was worked out last.
pub(super) async fn load_targets(pool: &PgPool, user: UserId) -> ApiResult<Targets> {
    let found = sqlx::query_scalar!(
        r#"select targets as "targets!: Json<Targets>" from bodies where user_id = $1 and targets is not null"#,
        user.0
    )
    .fetch_optional(pool)
    .await?;
    found.map(|targets| targets.0).ok_or_else(|| ApiError::not_found("target"))
}

/// Gives a consent, or takes it back.
pub(super) async fn set_consent(app: &App, caller: Caller, purpose: Purpose, wish: SetConsent) -> ApiResult<Consent> {
    let version = consents::version(purpose);
    if wish.version != version {
        let detail = format!("version {version} is in force");
        return Err(ApiError::invalid("consent_version_old", "version", detail));
    }
    if purpose == Purpose::Service && !wish.given {
        let detail = "there is no service without it: delete the account instead";
        return Err(ApiError::refused(StatusCode::CONFLICT, "consent_needed", detail));
    }
    // As Postgres keeps it.
    let wall = app.clock.wall().trunc_subsecs(6);
    let mut tx = app.db.auth.begin().await?;
    if !store::lock(&mut tx, caller.user).await? {
        return Err(ApiError::not_found("account"));
    }
    consents::write(&mut tx, caller.user, purpose, wish.given, wall).await?;
    tx.commit().await?;
    Ok(Consent { purpose, version, given: wish.given, at: wall })
}
