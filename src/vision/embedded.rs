//! The recogniser that is always there: no key, no network, 30 milliseconds. It knows some forty foods by sight, and of
//! everything else it says nothing.

use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use futures_util::future::BoxFuture;
use lastbite_recogniser::Recogniser;
use serde_json::json;
use tokio::sync::Semaphore;

use super::{Blind, Recognise, Seen, SeenFood};
use crate::limits;

/// Loads its weights when it is first asked: who has another never pays for them.
#[derive(Clone)]
pub(super) struct Embedded {
    network: Arc<OnceLock<Recogniser>>,
    /// A picture takes one processor.
    places: Arc<Semaphore>,
}

impl Default for Embedded {
    fn default() -> Self {
        Self { network: Arc::default(), places: Arc::new(Semaphore::new(limits::EMBEDDED_LOOKS_AT_ONCE_MAX)) }
    }
}

impl std::fmt::Debug for Embedded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Embedded")
    }
}

impl Recognise for Embedded {
    fn name(&self) -> &'static str {
        "embedded"
    }

    fn is_outside(&self) -> bool {
        false
    }

    fn look<'a>(&'a self, jpeg: &'a Bytes) -> BoxFuture<'a, Result<Seen, Blind>> {
        Box::pin(async move {
            let away = |error: anyhow::Error| Blind::Away(error);
            let place = Arc::clone(&self.places).acquire_owned().await.map_err(|error| away(error.into()))?;
            let (network, jpeg) = (Arc::clone(&self.network), jpeg.clone());
            let looked = tokio::task::spawn_blocking(move || {
                let _place = place;
                classify(&network, &jpeg)
            });
            looked.await.map_err(|error| away(error.into()))?
        })
    }
}

fn classify(network: &OnceLock<Recogniser>, jpeg: &[u8]) -> Result<Seen, Blind> {
    let network = match network.get() {
        Some(network) => network,
        None => {
            let loaded = Recogniser::load().map_err(|error| Blind::Nonsense(error.to_string()))?;
            network.get_or_init(|| loaded)
        }
    };
    let guesses = network.classify_jpeg(jpeg).map_err(|error| Blind::Nonsense(error.to_string()))?;
    let raw = guesses.iter().map(|guess| json!([guess.class, guess.label, guess.permille])).collect();
    // The network spreads its certainty over what it knows, and cannot say that it knows nothing.
    let sure = guesses.into_iter().filter(|guess| guess.permille >= limits::EMBEDDED_SURE_PERMILLE);
    let foods = sure.map(|guess| SeenFood {
        name: guess.label.to_owned(),
        class: Some(guess.class),
        confidence_permille: guess.permille,
        grams_dg: None,
    });
    Ok(Seen {
        provider: "embedded",
        model: "efficientnet-lite0".to_owned(),
        version: "1",
        raw: serde_json::Value::Array(raw),
        foods: foods.collect(),
    })
}
