//! Open Food Facts, asked politely: it hears who asks, within a rate of ours, twice at most, and is left alone for a while
//! when it fails again and again or says that it has too much to do.

use std::{
    num::NonZeroU32,
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, Instant},
};

use axum::http::{HeaderValue, Request, StatusCode, header};
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use parking_lot::Mutex;
use serde_json::Value;

use crate::{
    config::products::Catalogue,
    foods::barcode::Barcode,
    limits,
    outside::{NoAnswer, Outside},
};

/// All that is read of a product; nothing of who wrote it.
const FIELDS: &str = "code,product_name,product_name_ko,product_name_en,nutriments,categories_tags,pnns_groups_1,pnns_groups_2,\
                      serving_quantity,serving_quantity_unit";

/// The service, and how it went with it.
#[derive(Debug)]
pub(super) struct OpenFoodFacts {
    catalogue: Catalogue,
    user_agent: HeaderValue,
    outside: Outside,
    calls: DefaultDirectRateLimiter,
    failures: AtomicU32,
    rests_until: Mutex<Option<Instant>>,
}

/// What it says of a barcode.
#[derive(Debug)]
pub(super) struct Told {
    /// As it came.
    pub(super) answer: String,
    /// None when it knows of no such product.
    pub(super) product: Option<Value>,
}

/// Why it says nothing.
#[derive(Debug, thiserror::Error)]
pub(super) enum Silent {
    /// Worth another try.
    #[error("it does not answer: {0:#}")]
    Away(anyhow::Error),
    #[error("it says that it is asked too often")]
    Throttled,
    /// Not what it should be, whatever the product.
    #[error("no answer of Open Food Facts: {0}")]
    Nonsense(String),
    /// The same, and it may be about this product alone.
    #[error("an answer that cannot be used: {0}")]
    Odd(&'static str),
    #[error("it failed too often a moment ago")]
    Resting,
    #[error("it was asked as often as we ask")]
    Spent,
}

impl OpenFoodFacts {
    pub(super) fn new(catalogue: Catalogue, public_url: &str) -> anyhow::Result<Self> {
        let outside = Outside::new(catalogue.timeout, limits::PRODUCTS_ANSWER_BYTES_MAX)?;
        let user_agent = format!("Lastbite/{} (+{public_url})", env!("CARGO_PKG_VERSION"));
        let some = |calls| NonZeroU32::new(calls).unwrap_or(NonZeroU32::MIN);
        let quota = Quota::per_minute(some(catalogue.calls_per_minute)).allow_burst(some(catalogue.calls_burst));
        Ok(Self {
            catalogue,
            user_agent: HeaderValue::try_from(user_agent)?,
            outside,
            calls: RateLimiter::direct(quota),
            failures: AtomicU32::new(0),
            rests_until: Mutex::new(None),
        })
    }

    pub(super) async fn ask(&self, barcode: &Barcode) -> Result<Told, Silent> {
        if self.rests_until.lock().is_some_and(|until| Instant::now() < until) {
            return Err(Silent::Resting);
        }
        let told = match self.once(barcode).await {
            Err(Silent::Away(_)) => {
                let jitter = rand::random_range(0..limits::PRODUCTS_RETRY_JITTER_MS_MAX);
                tokio::time::sleep(Duration::from_millis(jitter)).await;
                self.once(barcode).await
            }
            told => told,
        };
        self.count(&told);
        told
    }

    async fn once(&self, barcode: &Barcode) -> Result<Told, Silent> {
        self.calls.check().map_err(|_| Silent::Spent)?;
        let answer = self.outside.ask(self.question(barcode)?).await.map_err(|error| match error {
            NoAnswer::Failing(StatusCode::TOO_MANY_REQUESTS) => Silent::Throttled,
            NoAnswer::TooLarge => Silent::Odd("it is too large"),
            other => Silent::Away(other.into()),
        })?;
        // Of what it does not know it says 404, and says so in its own words too: a page that says 404 is another's.
        if !matches!(answer.status(), StatusCode::OK | StatusCode::NOT_FOUND) {
            return Err(Silent::Nonsense(format!("it said {}", answer.status())));
        }
        read(barcode, answer.into_body())
    }

    fn question(&self, barcode: &Barcode) -> Result<Request<Vec<u8>>, Silent> {
        let address = format!("{}/api/v2/product/{barcode}?fields={FIELDS}", self.catalogue.base);
        let request = Request::get(address)
            .header(header::USER_AGENT, &self.user_agent)
            .header(header::ACCEPT, "application/json")
            .body(Vec::new());
        request.map_err(|error| Silent::Away(error.into()))
    }

    fn count(&self, told: &Result<Told, Silent>) {
        let result = match told {
            Ok(Told { product: Some(_), .. }) => "found",
            Ok(Told { product: None, .. }) => "missing",
            Err(Silent::Away(_)) => "away",
            Err(Silent::Throttled) => "throttled",
            Err(Silent::Nonsense(_) | Silent::Odd(_)) => "nonsense",
            Err(Silent::Resting) => "resting",
            Err(Silent::Spent) => "spent",
        };
        metrics::counter!("lastbite_products_total", "result" => result).increment(1);
        match told {
            Ok(_) => self.failures.store(0, Ordering::Relaxed),
            Err(Silent::Throttled) => self.rest(),
            Err(Silent::Away(_) | Silent::Nonsense(_)) => {
                if self.failures.fetch_add(1, Ordering::Relaxed) + 1 >= limits::PRODUCTS_FAILURES_MAX {
                    // The next one after the rest is a try: failing, it rests again at once.
                    self.failures.store(limits::PRODUCTS_FAILURES_MAX - 1, Ordering::Relaxed);
                    self.rest();
                }
            }
            Err(Silent::Odd(_) | Silent::Resting | Silent::Spent) => {}
        }
    }

    fn rest(&self) {
        *self.rests_until.lock() = Some(Instant::now() + limits::PRODUCTS_REST);
    }
}

fn read(barcode: &Barcode, body: Vec<u8>) -> Result<Told, Silent> {
    let answer = String::from_utf8(body).map_err(|_| Silent::Nonsense("no text".to_owned()))?;
    let mut said: Value = serde_json::from_str(&answer).map_err(|_| Silent::Nonsense("no JSON".to_owned()))?;
    let status = match &said["status"] {
        Value::Number(number) => number.as_i64(),
        Value::String(text) => text.parse().ok(),
        _ => None,
    };
    match status {
        Some(0) => Ok(Told { answer, product: None }),
        Some(1) if said["product"].is_object() => {
            let code = said["code"].as_str().or(said["product"]["code"].as_str());
            if code.is_some_and(|code| code.parse::<Barcode>().as_ref() != Ok(barcode)) {
                return Err(Silent::Odd("it is about another product"));
            }
            Ok(Told { answer, product: Some(said["product"].take()) })
        }
        _ => Err(Silent::Nonsense("it says neither that there is one nor that there is none".to_owned())),
    }
}
