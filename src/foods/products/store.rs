//! The table `products`, and the foods that are theirs.

use chrono::{DateTime, Utc};
use sqlx::PgPool;

use super::label::{Label, Unusable};
use crate::{
    foods::{
        barcode::Barcode,
        rows::{self, Row},
    },
    limits,
};

/// What was told of a barcode when it was last asked for.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) food_id: Option<String>,
    pub(super) refusal: Option<String>,
    fetched_at: DateTime<Utc>,
}

impl Known {
    /// Whether it need not be asked for again.
    pub(super) fn is_fresh(&self, wall: DateTime<Utc>) -> bool {
        let is_whole = self.food_id.is_some() && self.refusal.is_none();
        wall - self.fetched_at < if is_whole { limits::PRODUCT_KNOWN } else { limits::PRODUCT_MISSING }
    }
}

pub(super) async fn find(pool: &PgPool, barcode: &Barcode) -> Result<Option<Known>, sqlx::Error> {
    sqlx::query_as!(Known, "select food_id, refusal, fetched_at from products where barcode = $1", barcode.as_str())
        .fetch_optional(pool)
        .await
}

/// Keeps what was told: the food, none because there is none, or why there is none. A food from an answer before is not
/// lost to one that cannot be; when there is no such product any more, it is found no more.
pub(super) async fn keep(
    pool: &PgPool,
    barcode: &Barcode,
    told: Option<Result<Label, Unusable>>,
    answer: &str,
    wall: DateTime<Utc>,
) -> Result<(), sqlx::Error> {
    let mut tx = pool.begin().await?;
    let refusal = told.as_ref().and_then(|told| told.as_ref().err()).map(ToString::to_string);
    let is_gone = told.is_none();
    let food_id = match told {
        Some(Ok(label)) => {
            let row = row(barcode, label);
            rows::put(&mut tx, std::slice::from_ref(&row)).await?;
            Some(row.id)
        }
        _ => None,
    };
    sqlx::query!(
        "insert into products (barcode, fetched_at, food_id, refusal, answer) values ($1, $2, $3, $4, $5)
         on conflict (barcode) do update
         set fetched_at = excluded.fetched_at, refusal = excluded.refusal, answer = excluded.answer,
             food_id = case when $6 then null else coalesce(excluded.food_id, products.food_id) end",
        barcode.as_str(),
        wall,
        food_id,
        refusal,
        answer,
        is_gone
    )
    .execute(&mut *tx)
    .await?;
    tx.commit().await
}

fn row(barcode: &Barcode, label: Label) -> Row {
    Row {
        id: format!("off:{barcode}"),
        name_ko: label.name_ko,
        name_en: label.name_en,
        category: label.category.as_str(),
        per_100g: label.per_100g,
        fruit_veg_legume_permille: None,
        has_sweetener: None,
        servings: label.servings,
        source: format!("Open Food Facts {barcode}"),
        licence: "ODbL 1.0 (database), DbCL 1.0 (contents)".to_owned(),
        // None: names of an ODbL database are not mixed with those that are searched.
        names: Vec::new(),
    }
}

/// Forgets barcodes that nothing came of, so that guessed ones do not stay.
///
/// # Errors
/// Postgres is away.
pub(super) async fn forget_missing(pool: &PgPool, wall: DateTime<Utc>) -> Result<u64, sqlx::Error> {
    let before = wall - limits::PRODUCT_KNOWN;
    let gone = sqlx::query!("delete from products where food_id is null and fetched_at < $1", before);
    Ok(gone.execute(pool).await?.rows_affected())
}
