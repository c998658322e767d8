//! What was seen on a photo: a proposal that becomes a meal when its user says so; and what happens in a user's own stream.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{AnalysisId, MealId, foods::Food};

/// What was seen on a photo. Nothing of it is in the diary until a meal names it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Analysis {
    /// Its id, for the meal that it becomes.
    pub id: AnalysisId,
    /// When it was made.
    pub made_at: DateTime<Utc>,
    /// Until when a meal can name it; then it is gone with its photo.
    pub expires_at: DateTime<Utc>,
    /// Whether anything was recognised. If not, there are `usual` and the search.
    pub known: bool,
    /// Who looked: `embedded`, `google` or `openai`; absent when nobody answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// With which model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// What it may be, the likeliest first.
    pub guesses: Vec<Guess>,
    /// What the caller usually eats at this hour, the most usual first.
    pub usual: Vec<Food>,
}

/// A food that may be on a photo.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Guess {
    /// As whoever looked named it.
    pub name: String,
    /// How sure they were, in permille, by their own measure.
    #[schema(maximum = 1000)]
    pub confidence_permille: u16,
    /// The food of that name, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub food: Option<Food>,
    /// How much of it to begin with, in decigrams: the middle of what it may be, or a usual serving.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grams_dg: Option<u32>,
    /// It may be as little as this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grams_low_dg: Option<u32>,
    /// Or as much as this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grams_high_dg: Option<u32>,
    /// Whether it is part of the proposed meal, rather than another name for what is there already.
    pub proposed: bool,
}

/// What happened in the caller's own stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OwnEvent {
    /// From 1, without gaps, in order.
    pub n: u64,
    /// When, on the server's clock of play.
    pub at: DateTime<Utc>,
    /// What.
    #[serde(flatten)]
    pub news: OwnNews,
}

/// What can happen there. Unknown types are to be passed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum OwnNews {
    /// A meal was logged.
    MealLogged {
        /// Which.
        meal: MealId,
    },
    /// A meal was changed, by its owner or by what was seen on its photo.
    MealEdited {
        /// Which.
        meal: MealId,
    },
    /// A meal was deleted.
    MealDeleted {
        /// Which.
        meal: MealId,
    },
    /// It takes a while to see what is on a meal's photo.
    MealAnalysing {
        /// Which.
        meal: MealId,
    },
    /// Nobody could tell what is on a meal's photo: say what it was.
    MealAsked {
        /// Which.
        meal: MealId,
    },
}
