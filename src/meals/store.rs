//! The `meals` table, and reads of the challenges that a meal may matter to.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use lastbite_protocol::{
    ChallengeId, MealId, Standing, Terms, UserId,
    foods::Grade,
    meals::{Amounts, Contents, Meal, MealVersion, Photo},
};
use sqlx::{PgExecutor, PgPool, types::Json};
use uuid::Uuid;

use super::{contents, diary};
use crate::{
    db::{self, Tx},
    limits,
    media::StoredPhoto,
    rules::{
        decide,
        verdict::{self, Kept, LoggedMeal},
    },
};

struct MealRow {
    id: Uuid,
    kind: String,
    eaten_at: DateTime<Utc>,
    zone: String,
    local_date: NaiveDate,
    note: String,
    state: String,
    energy_kcal: i32,
    carbohydrate_mg: Option<i32>,
    protein_mg: Option<i32>,
    fat_mg: Option<i32>,
    contents: Option<Json<Contents>>,
    photo: Option<Json<StoredPhoto>>,
    logged_at: DateTime<Utc>,
    edited_at: Option<DateTime<Utc>>,
}

impl MealRow {
    fn into_meal(self) -> Result<Meal, sqlx::Error> {
        let unsigned = |amount: Option<i32>| amount.map(i32::cast_unsigned);
        let id = MealId(self.id);
        let amounts = Amounts {
            energy_kcal: self.energy_kcal.cast_unsigned(),
            carbohydrate_mg: unsigned(self.carbohydrate_mg),
            protein_mg: unsigned(self.protein_mg),
            fat_mg: unsigned(self.fat_mg),
        };
        // Meals of before there were foods have none.
        let contents = self.contents.map_or_else(|| contents::entered(&amounts), |contents| contents.0);
        Ok(Meal {
            id,
            kind: db::parsed(&self.kind)?,
            eaten_at: self.eaten_at,
            zone: self.zone.parse().map_err(|error: chrono_tz::ParseError| sqlx::Error::Decode(error.into()))?,
            local_date: self.local_date,
            note: self.note,
            state: db::parsed(&self.state)?,
            amounts,
            contents,
            photo: self.photo.map(|photo| photo_of(id, &photo)),
            logged_at: self.logged_at,
            edited_at: self.edited_at,
        })
    }
}

/// Where the owner can fetch a meal's picture.
pub(super) fn photo_of(meal: MealId, photo: &StoredPhoto) -> Photo {
    Photo {
        large: format!("/api/v1/meals/{meal}/photo/large"),
        small: format!("/api/v1/meals/{meal}/photo/small"),
        width_px: photo.width_px,
        height_px: photo.height_px,
        seen_before: photo.seen_before,
    }
}

/// Adds a meal.
pub(super) async fn insert(
    tx: &mut Tx,
    owner: UserId,
    meal: &Meal,
    photo: Option<&StoredPhoto>,
) -> Result<(), sqlx::Error> {
    let signed = |amount: Option<u32>| amount.map(u32::cast_signed);
    sqlx::query!(
        "insert into meals (id, user_id, kind, eaten_at, zone, local_date, note, energy_kcal, carbohydrate_mg,
                            protein_mg, fat_mg, photo, logged_at, contents, grade, state)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)",
        meal.id.0,
        owner.0,
        meal.kind.as_str(),
        meal.eaten_at,
        meal.zone.name(),
        meal.local_date,
        meal.note,
        meal.amounts.energy_kcal.cast_signed(),
        signed(meal.amounts.carbohydrate_mg),
        signed(meal.amounts.protein_mg),
        signed(meal.amounts.fat_mg),
        photo.map(Json) as _,
        meal.logged_at,
        Json(&meal.contents) as _,
        meal.contents.grade.as_str(),
        meal.state.as_str()
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Changes a meal.
pub(super) async fn update(tx: &mut Tx, meal: &Meal) -> Result<(), sqlx::Error> {
    let signed = |amount: Option<u32>| amount.map(u32::cast_signed);
    sqlx::query!(
        "update meals set kind = $2, eaten_at = $3, local_date = $4, note = $5, energy_kcal = $6, carbohydrate_mg = $7,
                          protein_mg = $8, fat_mg = $9, edited_at = $10, contents = $11, grade = $12,
                          state = $13
         where id = $1",
        meal.id.0,
        meal.kind.as_str(),
        meal.eaten_at,
        meal.local_date,
        meal.note,
        meal.amounts.energy_kcal.cast_signed(),
        signed(meal.amounts.carbohydrate_mg),
        signed(meal.amounts.protein_mg),
        signed(meal.amounts.fat_mg),
        meal.edited_at,
        Json(&meal.contents) as _,
        meal.contents.grade.as_str(),
        meal.state.as_str()
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// A meal's owner is asked what was on its photo.
pub(super) async fn set_asked(tx: &mut Tx, meal: MealId, now: DateTime<Utc>) -> Result<(), sqlx::Error> {
    sqlx::query!("update meals set asked_at = $2 where id = $1", meal.0, now).execute(&mut **tx).await?;
    Ok(())
}

/// Whether a verdict waits for what was on the photo of this meal.
pub(super) async fn is_waited_for(tx: &mut Tx, meal: MealId, now: DateTime<Utc>) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar!(
        r#"select exists (select from waits_for_photos($2) where meal_id = $1) as "waits!""#,
        meal.0,
        now
    )
    .fetch_one(&mut **tx)
    .await
}

/// Keeps how a meal is before it is changed.
pub(super) async fn keep_version(tx: &mut Tx, before: &Meal, until: DateTime<Utc>) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into meal_versions (meal_id, version, until, meal)
         select $1, coalesce(max(version), 0) + 1, $2, $3 from meal_versions where meal_id = $1",
        before.id.0,
        until,
        Json(before) as _
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// How a user's own meal was before, the oldest first.
pub(super) async fn list_versions(
    pool: &PgPool,
    owner: UserId,
    meal: MealId,
    after: Option<i32>,
    limit: u32,
) -> Result<Vec<MealVersion>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"select v.version, v.until, v.meal as "meal: Json<Meal>"
           from meal_versions v join meals m on m.id = v.meal_id
           where v.meal_id = $1 and m.user_id = $2 and m.deleted_at is null and ($3::integer is null or v.version > $3)
           order by v.version limit $4"#,
        meal.0,
        owner.0,
        after,
        i64::from(limit)
    )
    .fetch_all(pool)
    .await?;
    let version =
        |version: i32, until, meal: Json<Meal>| MealVersion { version: version.cast_unsigned(), until, meal: meal.0 };
    Ok(rows.into_iter().map(|row| version(row.version, row.until, row.meal)).collect())
}

/// Marks a meal as deleted; a verdict's record can still show it. Answers its photo, which goes.
pub(super) async fn delete(tx: &mut Tx, meal: MealId, now: DateTime<Utc>) -> Result<Option<StoredPhoto>, sqlx::Error> {
    let photo = sqlx::query_scalar!(
        r#"update meals set deleted_at = $2 where id = $1 returning photo as "photo: Json<StoredPhoto>""#,
        meal.0,
        now
    )
    .fetch_one(&mut **tx)
    .await?;
    Ok(photo.map(|photo| photo.0))
}

/// Takes its photo from a meal. Answers which it was.
pub(super) async fn drop_photo(tx: &mut Tx, meal: MealId) -> Result<Option<StoredPhoto>, sqlx::Error> {
    let photo = sqlx::query_scalar!(
        r#"update meals set photo = null from meals before where meals.id = $1 and before.id = $1
           returning before.photo as "photo: Json<StoredPhoto>""#,
        meal.0
    )
    .fetch_one(&mut **tx)
    .await?;
    Ok(photo.map(|photo| photo.0))
}

/// A user's own meal.
pub(super) async fn load(db: impl PgExecutor<'_>, owner: UserId, meal: MealId) -> Result<Option<Meal>, sqlx::Error> {
    let row = sqlx::query_as!(
        MealRow,
        r#"select id, kind, eaten_at, zone, local_date, note, state, energy_kcal, carbohydrate_mg, protein_mg, fat_mg,
                  contents as "contents: Json<Contents>", photo as "photo: Json<StoredPhoto>", logged_at, edited_at
           from meals where id = $1 and user_id = $2 and deleted_at is null"#,
        meal.0,
        owner.0
    )
    .fetch_optional(db)
    .await?;
    row.map(MealRow::into_meal).transpose()
}

/// The picture of a user's own meal.
pub(super) async fn load_photo(pool: &PgPool, owner: UserId, meal: MealId) -> Result<Option<StoredPhoto>, sqlx::Error> {
    let photo = sqlx::query_scalar!(
        r#"select photo as "photo: Json<StoredPhoto>" from meals
           where id = $1 and user_id = $2 and deleted_at is null"#,
        meal.0,
        owner.0
    )
    .fetch_optional(pool)
    .await?;
    Ok(photo.flatten().map(|photo| photo.0))
}

/// A user's meals of a date, in the order they were logged.
pub(super) async fn list(
    pool: &PgPool,
    owner: UserId,
    date: NaiveDate,
    after: Option<MealId>,
    limit: u32,
) -> Result<Vec<Meal>, sqlx::Error> {
    let rows = sqlx::query_as!(
        MealRow,
        r#"select id, kind, eaten_at, zone, local_date, note, state, energy_kcal, carbohydrate_mg, protein_mg, fat_mg,
                  contents as "contents: Json<Contents>", photo as "photo: Json<StoredPhoto>", logged_at, edited_at
           from meals
           where user_id = $1 and local_date = $2 and ($3::uuid is null or id > $3) and deleted_at is null
             and id >= first_id_of($5) and id < first_id_of($6)
           order by id limit $4"#,
        owner.0,
        date,
        after.map(|id| id.0),
        i64::from(limit),
        diary::logged_from(date),
        diary::logged_before(date)
    )
    .fetch_all(pool)
    .await?;
    rows.into_iter().map(MealRow::into_meal).collect()
}

/// A user's meals of a date, in the order they were eaten; the first of them, should they be very many.
pub(super) async fn list_eaten(
    db: &mut sqlx::PgConnection,
    owner: UserId,
    date: NaiveDate,
) -> Result<Vec<Meal>, sqlx::Error> {
    let rows = sqlx::query_as!(
        MealRow,
        r#"select id, kind, eaten_at, zone, local_date, note, state, energy_kcal, carbohydrate_mg, protein_mg, fat_mg,
                  contents as "contents: Json<Contents>", photo as "photo: Json<StoredPhoto>", logged_at, edited_at
           from meals
           where user_id = $1 and local_date = $2 and deleted_at is null
             and id >= first_id_of($3) and id < first_id_of($4)
           order by eaten_at, id limit $5"#,
        owner.0,
        date,
        diary::logged_from(date),
        diary::logged_before(date),
        limits::DIARY_DAY_MEALS_MAX
    )
    .fetch_all(db)
    .await?;
    rows.into_iter().map(MealRow::into_meal).collect()
}

/// All of a user's meals with their pictures, in the order they were logged.
pub(crate) async fn list_all(
    pool: &PgPool,
    owner: UserId,
    after: Option<MealId>,
    limit: u32,
) -> Result<Vec<(Meal, Option<StoredPhoto>)>, sqlx::Error> {
    let rows = sqlx::query_as!(
        MealRow,
        r#"select id, kind, eaten_at, zone, local_date, note, state, energy_kcal, carbohydrate_mg, protein_mg, fat_mg,
                  contents as "contents: Json<Contents>", photo as "photo: Json<StoredPhoto>", logged_at, edited_at
           from meals where user_id = $1 and ($2::uuid is null or id > $2) and deleted_at is null order by id limit $3"#,
        owner.0,
        after.map(|id| id.0),
        i64::from(limit)
    )
    .fetch_all(pool)
    .await?;
    let with_photo = |row: MealRow| {
        let photo = row.photo.as_ref().map(|photo| photo.0.clone());
        Ok((row.into_meal()?, photo))
    };
    rows.into_iter().map(with_photo).collect()
}

/// How many meals a user ate within a day before and after an instant: those that are there, and all that were logged.
pub(super) async fn count_near(tx: &mut Tx, owner: UserId, eaten_at: DateTime<Utc>) -> Result<(i64, i64), sqlx::Error> {
    let row = sqlx::query!(
        r#"select count(*) filter (where deleted_at is null) as "here!", count(*) as "logged!" from meals
           where user_id = $1 and eaten_at > $2 and eaten_at < $3 and id >= first_id_of($4) and id < first_id_of($5)"#,
        owner.0,
        eaten_at - TimeDelta::days(1),
        eaten_at + TimeDelta::days(1),
        eaten_at - TimeDelta::days(1) - decide::LOGGED_WITHIN,
        eaten_at + TimeDelta::days(1) + decide::LOGGED_WITHIN
    )
    .fetch_one(&mut **tx)
    .await?;
    Ok((row.here, row.logged))
}

/// What a user ate within a time, as the rules see it.
pub(super) async fn load_log(
    tx: &mut Tx,
    owner: UserId,
    from: DateTime<Utc>,
    until: DateTime<Utc>,
) -> Result<(Vec<LoggedMeal>, Grade), sqlx::Error> {
    let rows = sqlx::query!(
        r#"select kind, eaten_at, energy_kcal, contents as "contents: Json<Contents>",
                  photo is not null as "has_photo!"
           from meals
           where user_id = $1 and eaten_at >= $2 and eaten_at < $3 and deleted_at is null and state = 'known'
           and id >= first_id_of($4) and id < first_id_of($5)"#,
        owner.0,
        from,
        until,
        from - decide::LOGGED_WITHIN,
        until + decide::LOGGED_WITHIN
    )
    .fetch_all(&mut **tx)
    .await?;
    let kept = rows.into_iter().map(|row| {
        Ok(Kept {
            kind: db::parsed(&row.kind)?,
            eaten_at: row.eaten_at,
            energy_kcal: row.energy_kcal.cast_unsigned(),
            contents: row.contents.map(|contents| contents.0),
            has_photo: row.has_photo,
        })
    });
    let kept = kept.collect::<Result<Vec<_>, sqlx::Error>>()?;
    Ok((kept.iter().map(LoggedMeal::from).collect(), verdict::grade_of(&kept)))
}

/// Whether a user has not been deleted.
pub(super) async fn is_there(tx: &mut Tx, user: UserId) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar!(r#"select exists (select from users where id = $1 and deleted_at is null) as "there!""#, user.0)
        .fetch_one(&mut **tx)
        .await
}

/// A challenge that has begun and that a user is still in, or has left with a verdict still to come.
pub(super) struct Played {
    pub(super) challenge: ChallengeId,
    pub(super) terms: Terms,
    pub(super) standing: Standing,
    /// The last day with a verdict for this user.
    pub(super) judged_to: u16,
}

/// The challenges that have begun by then and that a user is still in. After them those that the user left when the log of a day
/// had closed which is not judged yet: that day is judged all the same.
pub(super) async fn load_played(
    db: impl PgExecutor<'_>,
    player: UserId,
    begun_by: DateTime<Utc>,
) -> Result<Vec<Played>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"select c.id, c.terms as "terms: Json<Terms>", s.standing as "standing: Json<Standing>",
                  coalesce(
                      (select max(v.day) from verdicts v where v.challenge_id = c.id and v.user_id = $1), 0
                  )::smallint as "judged_to!"
           from standings s join challenges c on c.id = s.challenge_id
           where s.user_id = $1
             and (
                 (s.status = 'alive' and (c.status = 'running' or (c.status = 'open' and c.starts_at <= $2)))
                 or (s.status = 'left' and c.status in ('open', 'running') and exists (
                     select from rounds r
                     where r.challenge_id = c.id and r.judged_at is null
                       and r.closes_at <= (s.standing ->> 'left_at')::timestamptz
                 ))
             )
           order by s.status, c.id limit $3"#,
        player.0,
        begun_by,
        limits::CHALLENGES_AT_ONCE_MAX
    )
    .fetch_all(db)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| Played {
            challenge: row.id.into(),
            terms: row.terms.0,
            standing: row.standing.0,
            judged_to: row.judged_to.cast_unsigned(),
        })
        .collect())
}
