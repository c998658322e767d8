//! Photo → foods: whoever is configured is asked in that order, within bounds, until one answers.
//!
//! What comes back is a guess and input like any other: names and ranges, never nutrients, which the food table has. Text
//! within a photo is part of the picture and no word of ours.
//!
//! - [`Recognise`]: what each of them can do; `openai`, `google` and `embedded` do
//! - `guard`: two tries, and a rest for who fails again and again

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use futures_util::future::BoxFuture;

use crate::{config::eyes::Eye, limits, outside::Outside};

mod embedded;
mod google;
mod guard;
mod openai;

use guard::Guard;

/// One who names the foods on a photo.
pub trait Recognise: Send + Sync + std::fmt::Debug {
    /// As answers and metrics call it.
    fn name(&self) -> &'static str;

    /// Whether the photo leaves this machine, which needs its owner's consent.
    fn is_outside(&self) -> bool;

    /// What is on an upright JPEG without metadata.
    fn look<'a>(&'a self, jpeg: &'a Bytes) -> BoxFuture<'a, Result<Seen, Blind>>;
}

/// What somebody saw.
#[derive(Clone, Debug, PartialEq)]
pub struct Seen {
    pub provider: &'static str,
    /// The model, as the provider names it.
    pub model: String,
    /// Of the question: another question is another version.
    pub version: &'static str,
    /// The answer as it came, for who has to explain it later.
    pub raw: serde_json::Value,
    /// The likeliest first; empty when nothing was recognised.
    pub foods: Vec<SeenFood>,
}

/// A food that may be on a photo.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenFood {
    pub name: String,
    /// ImageNet's class, where the name is one of its.
    pub class: Option<u16>,
    pub confidence_permille: u16,
    /// From, to, in decigrams.
    pub grams_dg: Option<(u32, u32)>,
}

/// Why somebody saw nothing.
#[derive(Debug, thiserror::Error)]
pub enum Blind {
    /// It is no picture for us, whoever else looks at it.
    #[error("the picture is not fit to be looked at")]
    Unfit,
    /// Worth another try.
    #[error("no answer: {0:#}")]
    Away(anyhow::Error),
    /// Another try would bring the same.
    #[error("no answer that can be used: {0}")]
    Nonsense(String),
    /// Left alone for a while.
    #[error("it failed too often a moment ago")]
    Resting,
}

/// Everybody who is asked, in order. Clones share them.
#[derive(Clone, Debug)]
pub struct Vision(Arc<[Guard]>);

impl Vision {
    /// Asks nobody yet.
    ///
    /// # Errors
    /// There can be no client for HTTP, or the embedded model does not fit.
    pub fn new(eyes: &[Eye]) -> anyhow::Result<Self> {
        let outside = Outside::new(limits::VISION_TIMEOUT, limits::VISION_ANSWER_BYTES_MAX)?;
        let one = |eye: &Eye| -> anyhow::Result<Guard> {
            let (who, timeout): (Box<dyn Recognise>, _) = match eye {
                Eye::Embedded => (Box::new(embedded::Embedded::default()), limits::VISION_TIMEOUT),
                Eye::Google(settings) => {
                    let timeout = Duration::from_secs(settings.timeout_s);
                    (Box::new(google::Google::new(settings.clone(), outside.clone())), timeout)
                }
                Eye::OpenAi(settings) => {
                    let timeout = Duration::from_secs(settings.timeout_s);
                    (Box::new(openai::OpenAi::new(settings.clone(), outside.clone())), timeout)
                }
            };
            Ok(Guard::of(who, timeout))
        };
        Ok(Self(eyes.iter().map(one).collect::<anyhow::Result<_>>()?))
    }

    /// Whether somebody would be asked who is outside.
    #[must_use]
    pub fn has_outside(&self) -> bool {
        self.0.iter().any(Guard::is_outside)
    }

    /// What the first sees who answers; who is outside is asked only with `may_leave`, and all of them together have the time
    /// `outside`. None when nobody answers.
    ///
    /// # Errors
    /// [`Blind::Unfit`]: nobody else is asked then.
    pub async fn look(&self, jpeg: &Bytes, may_leave: bool, outside: Duration) -> Result<Option<Seen>, Blind> {
        let began = Instant::now();
        for guard in self.0.iter().filter(|guard| may_leave || !guard.is_outside()) {
            let left = outside.min(limits::VISION_OUTSIDE_TIMEOUT).saturating_sub(began.elapsed());
            let left = if guard.is_outside() { left } else { limits::VISION_TIMEOUT };
            match guard.look(jpeg, left).await {
                Ok(seen) => return Ok(Some(seen)),
                Err(Blind::Unfit) => return Err(Blind::Unfit),
                Err(error) => tracing::warn!(provider = guard.name(), "a photo was not looked at: {error}"),
            }
        }
        Ok(None)
    }
}
