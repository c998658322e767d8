//! What a glance at the diary reads: the same few queries, however much there is.
//!
//! Meals lie in partitions by the id, that is by the time they were logged. That is within two days of when they were eaten,
//! so a date names the few partitions to look into.

use chrono::{DateTime, Days, NaiveDate, NaiveTime, Utc};
use lastbite_protocol::{
    Terms, UserId,
    diary::VerdictGlance,
    meals::{Amounts, Contents},
    profile::{Targets, Weight},
};
use sqlx::{PgConnection, PgExecutor, PgPool, types::Json};

use super::{Eaten, Facts};
use crate::{
    db::{self, Tx},
    meals::contents,
    rules::day::Calendar,
};

/// A text that is another one when anything that a glance of these days is made of has changed.
pub(super) async fn fingerprint(
    db: impl PgExecutor<'_>,
    user: UserId,
    from: NaiveDate,
    to: NaiveDate,
) -> Result<String, sqlx::Error> {
    let parts = sqlx::query_scalar!(
        r#"select md5(concat_ws('|',
               (select last_n from streams where id = $1),
               (select md5(string_agg(challenge_id::text || standing::text, ',' order by challenge_id)) from standings
                where user_id = $1),
               (select string_agg(date::text || ':' || weight_g, ',' order by date) from weights
                where user_id = $1 and date between $2 and $3),
               (select string_agg(date::text || '~' || water_ml, ',' order by date) from waters
                where user_id = $1 and date between $2 and $3),
               (select targets::text from bodies where user_id = $1)
           )) as "parts!""#,
        user.0,
        from,
        to
    )
    .fetch_one(db)
    .await?;
    Ok(parts)
}

/// One moment of the database, for all that a glance reads.
pub(super) async fn snapshot(pool: &PgPool) -> Result<Tx, sqlx::Error> {
    let mut tx = pool.begin().await?;
    sqlx::query!("set transaction isolation level repeatable read, read only").execute(&mut *tx).await?;
    Ok(tx)
}

/// Everything but the meals of a day, which are read whole.
pub(super) async fn load_beside(
    db: &mut PgConnection,
    user: UserId,
    from: NaiveDate,
    to: NaiveDate,
) -> Result<Facts, sqlx::Error> {
    let verdicts = load_verdicts(db, user, from, to).await?;
    let weights = sqlx::query!(
        "select date, weight_g from weights where user_id = $1 and date between $2 and $3 order by date",
        user.0,
        from,
        to
    )
    .fetch_all(&mut *db)
    .await?;
    let waters = sqlx::query!(
        "select date, water_ml from waters where user_id = $1 and date between $2 and $3 order by date",
        user.0,
        from,
        to
    )
    .fetch_all(&mut *db)
    .await?;
    let targets =
        sqlx::query_scalar!(r#"select targets as "targets: Json<Targets>" from bodies where user_id = $1"#, user.0)
            .fetch_optional(&mut *db)
            .await?;
    Ok(Facts {
        meals: Vec::new(),
        verdicts,
        weights: weights
            .into_iter()
            .map(|row| Weight { date: row.date, weight_g: row.weight_g.cast_unsigned() })
            .collect(),
        waters: waters.into_iter().map(|row| (row.date, row.water_ml.cast_unsigned())).collect(),
        target_kcal: targets.flatten().map(|targets| targets.need_kcal),
    })
}

pub(super) async fn load(
    db: &mut PgConnection,
    user: UserId,
    from: NaiveDate,
    to: NaiveDate,
) -> Result<Facts, sqlx::Error> {
    let rows = sqlx::query!(
        r#"select local_date, kind, state <> 'known' as "is_unknown!", energy_kcal, carbohydrate_mg, protein_mg, fat_mg,
                  contents as "contents: Json<Contents>"
           from meals
           where user_id = $1 and local_date between $2 and $3 and deleted_at is null
             and id >= first_id_of($4) and id < first_id_of($5)
           order by eaten_at, id"#,
        user.0,
        from,
        to,
        logged_from(from),
        logged_before(to)
    )
    .fetch_all(&mut *db)
    .await?;
    let meals = rows.into_iter().map(|row| {
        let unsigned = |amount: Option<i32>| amount.map(i32::cast_unsigned);
        let energy_kcal = row.energy_kcal.cast_unsigned();
        let entered = || {
            contents::entered(&Amounts {
                energy_kcal,
                carbohydrate_mg: unsigned(row.carbohydrate_mg),
                protein_mg: unsigned(row.protein_mg),
                fat_mg: unsigned(row.fat_mg),
            })
        };
        let contents = row.contents.map_or_else(entered, |contents| contents.0);
        let (date, kind) = (row.local_date, db::parsed(&row.kind)?);
        Ok(Eaten { date, kind, energy_kcal, contents, is_unknown: row.is_unknown })
    });
    let meals = meals.collect::<Result<_, sqlx::Error>>()?;
    Ok(Facts { meals, ..load_beside(db, user, from, to).await? })
}

/// Before this no meal of the date was logged: zones are up to 14 hours ahead, and 48 hours may lie between.
///
/// An instant, not a date: what a date begins with depends on the session's zone, so Postgres would plan for the partitions
/// of all months and leave them out only later. With ten years of them that takes it a hundred times as long as the query.
pub(in crate::meals) fn logged_from(date: NaiveDate) -> DateTime<Utc> {
    date.checked_sub_days(Days::new(3)).unwrap_or(date).and_time(NaiveTime::MIN).and_utc()
}

/// Nor then or after.
pub(in crate::meals) fn logged_before(date: NaiveDate) -> DateTime<Utc> {
    date.checked_add_days(Days::new(5)).unwrap_or(date).and_time(NaiveTime::MIN).and_utc()
}

async fn load_verdicts(
    db: &mut PgConnection,
    user: UserId,
    from: NaiveDate,
    to: NaiveDate,
) -> Result<Vec<(NaiveDate, VerdictGlance)>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"select c.id, c.title, c.terms as "terms: Json<Terms>", v.day, v.verdict
           from standings s join challenges c on c.id = s.challenge_id
           join verdicts v on v.challenge_id = c.id and v.user_id = s.user_id
           where s.user_id = $1 and c.starts_at < ($3::date + 3)::timestamptz and c.ends_at > ($2::date - 3)::timestamptz
             and (c.terms ->> 'first_day')::date + v.day - 1 between $2 and $3
           order by v.day, c.id"#,
        user.0,
        from,
        to
    )
    .fetch_all(&mut *db)
    .await?;
    rows.into_iter()
        .map(|row| {
            let day = row.day.cast_unsigned();
            let date = Calendar::of(&row.terms).date_of(day);
            let glance =
                VerdictGlance { challenge: row.id.into(), title: row.title, day, verdict: db::parsed(&row.verdict)? };
            Ok((date, glance))
        })
        .collect()
}

/// Sets what a user drank on a date; nothing forgets it.
pub(super) async fn set_water(pool: &PgPool, user: UserId, date: NaiveDate, water_ml: u32) -> Result<(), sqlx::Error> {
    if water_ml == 0 {
        sqlx::query!("delete from waters where user_id = $1 and date = $2", user.0, date).execute(pool).await?;
    } else {
        sqlx::query!(
            "insert into waters (user_id, date, water_ml) select id, $2, $3 from users where id = $1 and deleted_at is null
             on conflict (user_id, date) do update set water_ml = excluded.water_ml",
            user.0,
            date,
            water_ml.cast_signed()
        )
        .execute(pool)
        .await?;
    }
    Ok(())
}

/// What a user drank, the newest first.
pub(crate) async fn list_waters(
    pool: &PgPool,
    user: UserId,
    before: Option<NaiveDate>,
    limit: u32,
) -> Result<Vec<(NaiveDate, u32)>, sqlx::Error> {
    let rows = sqlx::query!(
        "select date, water_ml from waters where user_id = $1 and ($2::date is null or date < $2)
         order by date desc limit $3",
        user.0,
        before,
        i64::from(limit)
    )
    .fetch_all(pool)
    .await?;
    Ok(rows.into_iter().map(|row| (row.date, row.water_ml.cast_unsigned())).collect())
}

/// Forgets all that a user drank.
pub(in crate::meals) async fn erase(pool: &PgPool, user: UserId) -> Result<(), sqlx::Error> {
    sqlx::query!("delete from waters where user_id = $1", user.0).execute(pool).await?;
    Ok(())
}
