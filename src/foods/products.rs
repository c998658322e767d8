//! Products by barcode: asked of Open Food Facts once, and then known here.
//!
//! Nobody who asks is told to anybody, and who asked is not kept. What it says is input like any other: [`label`] reads it.
//!
//! - `open_food_facts`: the service; `label`: what it says of a product; `store`: what was said

use std::sync::Arc;

use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use dashmap::DashMap;
use sqlx::PgPool;
use tokio::sync::OnceCell;

use super::barcode::Barcode;
use crate::{
    config::products::Catalogue,
    error::{ApiError, ApiResult},
};

mod label;
mod open_food_facts;
mod store;

use open_food_facts::OpenFoodFacts;

/// The way to products. Clones share it.
#[derive(Clone, Debug)]
pub struct Products(Option<Arc<Asked>>);

#[derive(Debug)]
struct Asked {
    service: OpenFoodFacts,
    /// Those that are being asked for, so that many who want the same wait for one call.
    now: DashMap<Barcode, Call>,
}

/// Whether something new is known when it is over.
type Call = Arc<OnceCell<bool>>;

impl Products {
    /// Asks nobody yet; never without a catalogue.
    ///
    /// # Errors
    /// There can be no client for HTTP.
    pub fn new(catalogue: Option<Catalogue>, public_url: &str) -> anyhow::Result<Self> {
        let asked = |catalogue| {
            let service = OpenFoodFacts::new(catalogue, public_url)?;
            anyhow::Ok(Arc::new(Asked { service, now: DashMap::new() }))
        };
        Ok(Self(catalogue.map(asked).transpose()?))
    }

    /// The id of the food that a barcode stands for. What is known for long is asked for again, and is good all the same
    /// when nobody answers.
    ///
    /// # Errors
    /// 404 `products_off`, `not_found`, `product_unusable`; 503 `products_away`.
    pub(super) async fn find(&self, pool: &PgPool, barcode: &Barcode, wall: DateTime<Utc>) -> ApiResult<String> {
        let Some(asked) = &self.0 else {
            return Err(ApiError::refused(StatusCode::NOT_FOUND, "products_off", "this server knows no barcodes"));
        };
        let known = store::find(pool, barcode).await?;
        if let Some(known) = known.filter(|known| known.is_fresh(wall)) {
            return food_of(known);
        }
        asked.once(pool, barcode, wall).await;
        let away = || ApiError::unavailable("products_away", "the catalogue of products does not answer");
        store::find(pool, barcode).await?.ok_or_else(away).and_then(food_of)
    }

    /// Forgets what nothing came of.
    ///
    /// # Errors
    /// Postgres is away.
    pub async fn forget_missing(&self, pool: &PgPool, wall: DateTime<Utc>) -> Result<u64, sqlx::Error> {
        store::forget_missing(pool, wall).await
    }
}

fn food_of(known: store::Known) -> ApiResult<String> {
    match (known.food_id, known.refusal) {
        (Some(id), _) => Ok(id),
        (None, None) => Err(ApiError::not_found("product")),
        (None, Some(why)) => Err(ApiError::refused(StatusCode::NOT_FOUND, "product_unusable", why)),
    }
}

impl Asked {
    /// Asks, or waits for who is asking for the same.
    async fn once(&self, pool: &PgPool, barcode: &Barcode, wall: DateTime<Utc>) -> bool {
        let call = Arc::clone(self.now.entry(barcode.clone()).or_default().value());
        let _over = Over { now: &self.now, barcode, call: &call };
        *call.get_or_init(|| Box::pin(self.ask(pool, barcode, wall))).await
    }

    async fn ask(&self, pool: &PgPool, barcode: &Barcode, wall: DateTime<Utc>) -> bool {
        // Somebody may have asked since it was looked for.
        if store::find(pool, barcode).await.is_ok_and(|known| known.is_some_and(|known| known.is_fresh(wall))) {
            return true;
        }
        let told = match self.service.ask(barcode).await {
            Ok(told) => told,
            Err(silent) => {
                tracing::warn!("a product was not told: {silent}");
                return false;
            }
        };
        let label = told.product.map(|product| label::read(barcode, &product));
        if let Some(Err(unusable)) = &label {
            tracing::info!(%barcode, "a product cannot be a food: {unusable}");
        }
        let kept = store::keep(pool, barcode, label, &told.answer, wall).await;
        kept.inspect_err(|error| tracing::error!(%error, "a product was not kept")).is_ok()
    }
}

/// The last of those who wait takes the call away, whatever ended it.
struct Over<'a> {
    now: &'a DashMap<Barcode, Call>,
    barcode: &'a Barcode,
    call: &'a Call,
}

impl Drop for Over<'_> {
    fn drop(&mut self) {
        // One that was broken off goes on with the next who waits, if there is one beside the map and us.
        let is_over = |call: &Call| call.initialized() || Arc::strong_count(call) <= 2;
        self.now.remove_if(self.barcode, |_, call| Arc::ptr_eq(call, self.call) && is_over(call));
    }
}
