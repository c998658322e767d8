//! Foods that are everybody's as Postgres takes them, with their names: many at once, and the same again does nothing.
//!
//! An id says whose a food is: `ko:` and `usda:sr-`, `usda:fndds-`, `usda:ff-` the table's that comes with the server, `off:`
//! a product's, `mfds:` and `usda:fdc-` an imported one's, `own:` a user's.

use lastbite_protocol::foods::{Nutrients, Serving};
use serde::Serialize;

use super::key;
use crate::db::Tx;

/// A food.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Row {
    pub(super) id: String,
    pub(super) name_ko: Option<String>,
    pub(super) name_en: Option<String>,
    pub(super) category: &'static str,
    pub(super) per_100g: Nutrients,
    pub(super) fruit_veg_legume_permille: Option<u16>,
    pub(super) has_sweetener: Option<bool>,
    pub(super) servings: Vec<Serving>,
    pub(super) source: String,
    pub(super) licence: String,
    /// What it is found by; without any it is found by its id alone.
    #[serde(skip)]
    pub(super) names: Vec<NameRow>,
}

/// One of its names.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct NameRow {
    pub(super) food_id: String,
    pub(super) name: String,
    pub(super) key: String,
    pub(super) initials: String,
    pub(super) tier: i16,
}

impl NameRow {
    /// None when nothing of the name can be typed.
    pub(super) fn new(food_id: &str, name: &str, tier: i16) -> Option<Self> {
        let key = key::key_of(name);
        let initials = key::initials_of(name);
        (!key.is_empty()).then(|| Self { food_id: food_id.to_owned(), name: name.to_owned(), key, initials, tier })
    }
}

/// How rows differed from what was there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Put {
    pub(super) added: u64,
    pub(super) changed: u64,
}

/// Adds rows, or brings those that are there to what they say; what was retired is back. Their names are made anew.
///
/// # Errors
/// Postgres is away; two of them have the same id.
pub(super) async fn put(tx: &mut Tx, rows: &[Row]) -> Result<Put, sqlx::Error> {
    let foods = serde_json::to_value(rows).map_err(|error| sqlx::Error::Encode(error.into()))?;
    let names: Vec<&NameRow> = rows.iter().flat_map(|row| &row.names).collect();
    let names = serde_json::to_value(names).map_err(|error| sqlx::Error::Encode(error.into()))?;
    let ids: Vec<String> = rows.iter().map(|row| row.id.clone()).collect();
    let put = sqlx::query!(
        r#"with put as (
               insert into foods (id, name_ko, name_en, category, per_100g, fruit_veg_legume_permille, has_sweetener, servings,
                                  source, licence)
               select id, name_ko, name_en, category, per_100g, fruit_veg_legume_permille, has_sweetener, servings, source,
                      licence
               from jsonb_populate_recordset(null::foods, $1)
               on conflict (id) do update
               set name_ko = excluded.name_ko, name_en = excluded.name_en, category = excluded.category,
                   per_100g = excluded.per_100g, fruit_veg_legume_permille = excluded.fruit_veg_legume_permille,
                   has_sweetener = excluded.has_sweetener, servings = excluded.servings, source = excluded.source,
                   licence = excluded.licence, retired_at = null
               where (foods.name_ko, foods.name_en, foods.category, foods.per_100g, foods.fruit_veg_legume_permille,
                      foods.has_sweetener, foods.servings, foods.source, foods.licence, foods.retired_at)
                     is distinct from
                     (excluded.name_ko, excluded.name_en, excluded.category, excluded.per_100g,
                      excluded.fruit_veg_legume_permille, excluded.has_sweetener, excluded.servings, excluded.source,
                      excluded.licence, null::timestamptz)
               returning xmax = 0 as added
           )
           select count(*) filter (where added) as "added!", count(*) filter (where not added) as "changed!" from put"#,
        foods
    )
    .fetch_one(&mut **tx)
    .await?;
    sqlx::query!("delete from food_names where food_id = any($1)", &ids).execute(&mut **tx).await?;
    sqlx::query!(
        "insert into food_names (food_id, name, key, initials, tier)
         select food_id, name, key, initials, tier from jsonb_populate_recordset(null::food_names, $1)",
        names
    )
    .execute(&mut **tx)
    .await?;
    Ok(Put { added: put.added.cast_unsigned(), changed: put.changed.cast_unsigned() })
}

/// The ids of the table that comes with the server, for Postgres.
const OF_TABLE: &str = "^(ko:|usda:(sr|fndds|ff)-)";

/// Whether a food is of the table that comes with the server.
#[cfg(test)]
pub(super) fn is_of_table(id: &str) -> bool {
    ["ko:", "usda:sr-", "usda:fndds-", "usda:ff-"].iter().any(|head| id.starts_with(head))
}

/// Retires every food of the table that comes with the server, and takes its names away. Foods from elsewhere stay.
///
/// # Errors
/// Postgres is away.
pub(super) async fn retire_table(tx: &mut Tx) -> Result<(), sqlx::Error> {
    sqlx::query!("update foods set retired_at = now() where id ~ $1 and retired_at is null", OF_TABLE)
        .execute(&mut **tx)
        .await?;
    sqlx::query!("delete from food_names where food_id ~ $1", OF_TABLE).execute(&mut **tx).await?;
    Ok(())
}
