//! Names what is on a photo: EfficientNet-Lite0 with ImageNet's 1,000 classes, embedded and run by the processor alone.
//!
//! - `picture`: a JPEG or pixels, and the square of numbers the network sees.
//! - `weights`: the embedded file of halves, cut into layers.
//! - `layers`, `network`: what a layer does, and the way through all of them.
//!
//! Some 60 of the classes are things one eats or drinks. Rice, noodle soup, salad and kimchi are not among them, and the
//! network cannot say so: it spreads its certainty over what it knows. So callers need a threshold, and a player who may
//! correct the name. This is not: portions, nutrition, or a choice of which classes are food.
//!
//! Nothing here waits or starts threads; a call takes tens of milliseconds of one processor.

use network::Network;
use picture::to_input;
pub use picture::{NotAPicture, PICTURE_SIDE_PX_MAX, Rgb8Picture};
use weights::Weights;

mod layers;
mod network;
mod picture;
mod weights;

/// How many guesses a picture gets.
pub const GUESSES: usize = 5;

const CLASSES: usize = 1_000;
const MODEL: &[u8] = include_bytes!("../model/efficientnet-lite0.f16");
const LABELS: &str = include_str!("../model/labels.txt");

/// One thing the picture may show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Guess {
    /// ImageNet's number, 0 to 999. Two pairs of classes share a label, so this is the name to remember.
    pub class: u16,
    /// In English.
    pub label: &'static str,
    /// How certain the network is, rounded down; all classes together have at most 1,000.
    pub permille: u16,
}

/// The embedded files do not fit this code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WrongModel {
    #[error("the weights have {found} bytes and not {expected}")]
    Weights { found: usize, expected: usize },
    #[error("there are {found} labels and not {CLASSES}")]
    Labels { found: usize },
}

/// The network, ready for pictures; 19 MB of memory. Calls do not change it, so threads may share one.
pub struct Recogniser {
    network: Network,
    labels: Vec<&'static str>,
}

impl Recogniser {
    /// Reads the embedded files.
    pub fn load() -> Result<Self, WrongModel> {
        Self::from_model(MODEL, LABELS)
    }

    fn from_model(model: &[u8], labels: &'static str) -> Result<Self, WrongModel> {
        let labels: Vec<_> = labels.lines().collect();
        if labels.len() != CLASSES {
            return Err(WrongModel::Labels { found: labels.len() });
        }
        let expected = Network::count_weights() * size_of::<u16>();
        if model.len() != expected {
            return Err(WrongModel::Weights { found: model.len(), expected });
        }
        Ok(Self { network: Network::new(&mut Weights::new(model)), labels })
    }

    /// The [`GUESSES`] most likely classes, the best first.
    #[must_use]
    pub fn classify(&self, picture: &Rgb8Picture) -> Vec<Guess> {
        self.best(&self.network.logits(&to_input(picture)))
    }

    /// As [`Self::classify`], for a JPEG that is upright; its metadata is not read.
    pub fn classify_jpeg(&self, jpeg: &[u8]) -> Result<Vec<Guess>, NotAPicture> {
        Ok(self.classify(&Rgb8Picture::from_jpeg(jpeg)?))
    }

    fn best(&self, logits: &[f32]) -> Vec<Guess> {
        // Less the largest, so that no power overflows.
        let largest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let powers: Vec<f64> = logits.iter().map(|logit| f64::from(logit - largest).exp()).collect();
        let sum: f64 = powers.iter().sum();
        let classes = (0..).zip(&self.labels).zip(&powers);
        let mut guesses: Vec<_> = classes
            .map(|((class, &label), power)| Guess { class, label, permille: (power / sum * 1_000.0) as u16 })
            .collect();
        // By the powers: far behind the first, many classes have the same permille.
        guesses.sort_by(|a, b| powers[usize::from(b.class)].total_cmp(&powers[usize::from(a.class)]));
        guesses.truncate(GUESSES);
        guesses
    }
}

#[cfg(test)]
mod tests;
