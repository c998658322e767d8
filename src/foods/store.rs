//! The tables `foods` and `food_names`.

use chrono::{DateTime, Utc};
use lastbite_protocol::{
    UserId,
    foods::{Food, NewFood, Nutrients, Serving},
};
use sqlx::{PgExecutor, PgPool, types::Json};

use super::{key, rows::NameRow};
use crate::{db, limits, nutrition::nutri_score};

struct FoodRow {
    id: String,
    user_id: Option<uuid::Uuid>,
    name_ko: Option<String>,
    name_en: Option<String>,
    category: String,
    per_100g: Json<Nutrients>,
    fruit_veg_legume_permille: Option<i16>,
    has_sweetener: Option<bool>,
    servings: Json<Vec<Serving>>,
    source: String,
    licence: String,
}

impl FoodRow {
    fn into_food(self) -> Result<Food, sqlx::Error> {
        let category = db::parsed(&self.category)?;
        let share = self.fruit_veg_legume_permille.map(i16::cast_unsigned);
        let scored = nutri_score::of_food(&self.per_100g, category, share, self.has_sweetener);
        Ok(Food {
            id: self.id,
            name_ko: self.name_ko,
            name_en: self.name_en,
            category,
            per_100g: self.per_100g.0,
            fruit_veg_legume_permille: share,
            has_sweetener: self.has_sweetener,
            servings: self.servings.0,
            grade: scored.grade,
            grade_estimated: scored.estimated,
            source: self.source,
            licence: self.licence,
            own: self.user_id.is_some(),
        })
    }
}

/// Foods by a name as it was typed, the likeliest first: the name itself, then what begins so, what holds it, and what is
/// like it; the user's own before Korean ones before others; short names before long ones.
///
/// # Errors
/// Postgres is away.
pub(super) async fn search(pool: &PgPool, user: UserId, query: &str, limit: u32) -> Result<Vec<Food>, sqlx::Error> {
    let ids: Vec<_> = match key::initials_asked(query) {
        Some(initials) => {
            let ids = by_initials(pool, user, &initials, limits::FOODS_FOUND_MAX).await?;
            let mut found = load_many(pool, user, &ids).await?;
            // The index does not tell doubled consonants apart; who has typed them means them.
            let means =
                |food: &Food| food.name_ko.as_deref().is_some_and(|name| key::begins_with_initials(name, query));
            found.sort_by_key(|food| !means(food));
            found.truncate(limit as usize);
            return Ok(found);
        }
        None => by_name(pool, user, &key::key_of(query), limit, limits::FOOD_LIKENESS).await?,
    };
    load_many(pool, user, &ids).await
}

/// The food that a name means, if one of them is that or nearly that: a name that merely holds it is that of something else,
/// as a cupcake is no cup.
///
/// # Errors
/// Postgres is away.
pub(crate) async fn find_one(pool: &PgPool, user: UserId, name: &str) -> Result<Option<Food>, sqlx::Error> {
    let asked = key::key_of(name);
    if asked.is_empty() {
        return Ok(None);
    }
    let mut meant = kinds_of(pool, user, &asked, name).await?;
    if meant.is_empty() && asked.len() >= TRIGRAM {
        meant = like(pool, user, &asked, i64::from(NAMES_OF_A_FOOD), limits::FOOD_MEANT_LIKENESS).await?;
        meant.truncate(1);
    }
    Ok(load_many(pool, user, &meant).await?.into_iter().next())
}

/// The food of that name, else one that is a kind of it. What a thing is stands last in a name, or before a comma: `brown rice`,
/// `rice, brown`, but `cup rice` is no cup. In a key no space parts the words of a Korean name.
async fn kinds_of(pool: &PgPool, user: UserId, asked: &str, name: &str) -> Result<Vec<String>, sqlx::Error> {
    let is_long = asked.len() >= TRIGRAM;
    let ends = if name.is_ascii() { format!("% {asked}") } else { format!("%{asked}") };
    let begins = format!("{},", name.trim().to_lowercase());
    sqlx::query_scalar!(
        r#"with named as (
               select food_id, tier, length(key) as length, 0 as how from food_names
               where (user_id is null or user_id = $2) and key = $1
           ), kinds as (
               select food_id, tier, length(key) as length, 1 as how from food_names
               where not exists (select from named) and $3 and (user_id is null or user_id = $2)
                 and ((key >= $1 and key < $1 || '~' and starts_with(lower(name), $4)) or key like $5)
           )
           select food_id as "food_id!" from (select * from named union all select * from kinds) as found
           order by how, tier, length, food_id limit 1"#,
        asked,
        user.0,
        is_long,
        begins,
        ends
    )
    .fetch_all(pool)
    .await
}

/// Shorter ones have no trigram of their own: they are looked for where words begin.
const TRIGRAM: usize = 3;
/// Few foods have more names than this which are all found at once.
const NAMES_OF_A_FOOD: u32 = 8;
/// To see how like a name is takes twenty times as long as to see that it holds what was typed. With more of them the
/// first ones in the table are looked at, which are those that came with the server.
const ALIKE_MAX: i64 = 1_000;

/// What holds a name, and only if that is too little, what is at least so like it.
async fn by_name(
    pool: &PgPool,
    user: UserId,
    asked: &str,
    limit: u32,
    likeness_min: f32,
) -> Result<Vec<String>, sqlx::Error> {
    if asked.is_empty() {
        return Ok(Vec::new());
    }
    let names = i64::from(limit.saturating_mul(NAMES_OF_A_FOOD));
    let enough = usize::try_from(limit).unwrap_or(usize::MAX);
    let mut found = Vec::new();
    add(&mut found, holding(pool, user, asked, names).await?, enough);
    if found.len() < enough && asked.len() >= TRIGRAM {
        add(&mut found, like(pool, user, asked, names, likeness_min).await?, enough);
    }
    Ok(found)
}

/// Each food once, by the best of its names.
fn add(found: &mut Vec<String>, more: Vec<String>, enough: usize) {
    for id in more {
        if found.len() < enough && !found.contains(&id) {
            found.push(id);
        }
    }
}

/// The foods of names that begin with what was typed; if those are few, also of names that hold it.
async fn holding(pool: &PgPool, user: UserId, asked: &str, names: i64) -> Result<Vec<String>, sqlx::Error> {
    let held = if asked.len() < TRIGRAM { format!("% {asked}%") } else { format!("%{asked}%") };
    sqlx::query_scalar!(
        r#"with begun as (
               select food_id, tier, length(key) as length, case when key = $1 then 0 else 1 end as how,
                      substr(key, length($1) + 1, 1) >= '0' as is_part
               from food_names
               where (user_id is null or user_id = $2) and key >= $1 and key < $1 || '~'
           ), held as (
               select food_id, tier, length(key) as length, 2 as how,
                      ' ' || key || ' ' not like '% ' || $1 || ' %' as is_part
               from food_names
               where not exists (select from begun offset $4)
                 and (user_id is null or user_id = $2) and key like $3 and not starts_with(key, $1)
           )
           select food_id as "food_id!" from (select * from begun union all select * from held) as found
           order by how, is_part, tier, length, food_id limit $4"#,
        asked,
        user.0,
        held,
        names
    )
    .fetch_all(pool)
    .await
}

/// The foods of names that are like what was typed, and do not hold it.
async fn like(
    pool: &PgPool,
    user: UserId,
    asked: &str,
    names: i64,
    likeness_min: f32,
) -> Result<Vec<String>, sqlx::Error> {
    sqlx::query_scalar!(
        r#"with alike as materialized (
               select food_id, tier, key from food_names
               where user_id is null and $1 <% key and strpos(key, $1) = 0
           ), own as (
               select n.food_id, n.tier, n.key from foods f join food_names n on n.food_id = f.id
               where f.user_id = $2 and strpos(n.key, $1) = 0
           ), found as (
               select food_id, tier, length(key) as length, word_similarity($1, key) as likeness
               from (select * from own union all (select * from alike limit $5)) as some_of_them
           )
           select food_id as "food_id!" from found where likeness >= $4
           order by likeness desc, tier, length, food_id limit $3"#,
        asked,
        user.0,
        names,
        likeness_min,
        ALIKE_MAX
    )
    .fetch_all(pool)
    .await
}

async fn by_initials(pool: &PgPool, user: UserId, initials: &str, limit: u32) -> Result<Vec<String>, sqlx::Error> {
    sqlx::query_scalar!(
        r#"with best as (
               select distinct on (food_id) food_id, initials <> $1 as is_longer, tier, length(initials) as length
               from food_names
               where (user_id is null or user_id = $2) and initials <> ''
                 and initials >= $1 and initials < $1 || '~'
               order by food_id, initials <> $1, tier, length(initials)
           )
           select food_id from best order by is_longer, tier, length, food_id limit $3"#,
        initials,
        user.0,
        i64::from(limit)
    )
    .fetch_all(pool)
    .await
}

/// The foods with these ids that a user may see, in this order. Those that are retired are there, too.
///
/// # Errors
/// Postgres is away.
pub(crate) async fn load_many(db: impl PgExecutor<'_>, user: UserId, ids: &[String]) -> Result<Vec<Food>, sqlx::Error> {
    let rows = sqlx::query_as!(
        FoodRow,
        r#"select id, user_id, name_ko, name_en, category, per_100g as "per_100g: Json<Nutrients>",
                  fruit_veg_legume_permille, has_sweetener, servings as "servings: Json<Vec<Serving>>", source, licence
           from foods where id = any($1) and (user_id is null or user_id = $2)
           order by array_position($1, id)"#,
        ids,
        user.0
    )
    .fetch_all(db)
    .await?;
    rows.into_iter().map(FoodRow::into_food).collect()
}

/// A user's own foods, the newest first.
///
/// # Errors
/// Postgres is away.
pub(crate) async fn list_own(
    pool: &PgPool,
    user: UserId,
    before: Option<String>,
    limit: u32,
) -> Result<Vec<Food>, sqlx::Error> {
    let rows = sqlx::query_as!(
        FoodRow,
        r#"select id, user_id, name_ko, name_en, category, per_100g as "per_100g: Json<Nutrients>",
                  fruit_veg_legume_permille, has_sweetener, servings as "servings: Json<Vec<Serving>>", source, licence
           from foods where user_id = $1 and retired_at is null and ($2::text is null or id < $2)
           order by id desc limit $3"#,
        user.0,
        before,
        i64::from(limit)
    )
    .fetch_all(pool)
    .await?;
    rows.into_iter().map(FoodRow::into_food).collect()
}

/// Adds a user's own food, unless there are too many. Answers its id.
///
/// # Errors
/// Postgres is away.
pub(super) async fn insert(
    pool: &PgPool,
    user: UserId,
    food: &NewFood,
    wall: DateTime<Utc>,
) -> Result<Option<String>, sqlx::Error> {
    let id = format!("own:{}", uuid::Uuid::now_v7());
    let is_korean = food.name.chars().any(|letter| matches!(letter, '가'..='힣'));
    let mut tx = pool.begin().await?;
    sqlx::query!("select from users where id = $1 for update", user.0).fetch_optional(&mut *tx).await?;
    let count = sqlx::query_scalar!(
        r#"select count(*) as "count!" from foods where user_id = $1 and retired_at is null"#,
        user.0
    )
    .fetch_one(&mut *tx)
    .await?;
    if count >= limits::OWN_FOODS_MAX {
        return Ok(None);
    }
    sqlx::query!(
        "insert into foods (id, user_id, name_ko, name_en, category, per_100g, fruit_veg_legume_permille, servings, source,
                            licence, made_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, 'the user', 'the user''s own', $9)",
        id,
        user.0,
        is_korean.then_some(&food.name),
        (!is_korean).then_some(&food.name),
        food.category.as_str(),
        Json(&food.per_100g) as _,
        food.fruit_veg_legume_permille.map(u16::cast_signed),
        Json(&food.servings) as _,
        wall
    )
    .execute(&mut *tx)
    .await?;
    if let Some(name) = NameRow::new(&id, &food.name, 0) {
        sqlx::query!(
            "insert into food_names (food_id, user_id, name, key, initials, tier) values ($1, $2, $3, $4, $5, $6)",
            name.food_id,
            user.0,
            name.name,
            name.key,
            name.initials,
            name.tier
        )
        .execute(&mut *tx)
        .await?;
    }
    tx.commit().await?;
    Ok(Some(id))
}

/// A user's own food is found no more; meals of it stay. Answers whether there was one.
///
/// # Errors
/// Postgres is away.
pub(super) async fn retire(pool: &PgPool, user: UserId, id: &str, wall: DateTime<Utc>) -> Result<bool, sqlx::Error> {
    let mut tx = pool.begin().await?;
    let retired = sqlx::query!(
        "update foods set retired_at = $3 where id = $1 and user_id = $2 and retired_at is null",
        id,
        user.0,
        wall
    )
    .execute(&mut *tx)
    .await?;
    sqlx::query!("delete from food_names where food_id = $1 and user_id = $2", id, user.0).execute(&mut *tx).await?;
    tx.commit().await?;
    Ok(retired.rows_affected() == 1)
}

/// Forgets all foods that a user has made.
///
/// # Errors
/// Postgres is away.
pub(crate) async fn erase(tx: &mut db::Tx, user: UserId) -> Result<(), sqlx::Error> {
    sqlx::query!("delete from foods where user_id = $1", user.0).execute(&mut **tx).await?;
    Ok(())
}
