//! Meals: what is logged, what is known of it, and what it means in play.

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    AnalysisId, ChallengeId, MealId, Progress,
    foods::{FoodCategory, Grade, Nutrients},
};

/// Which meal of the day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum MealKind {
    /// Valid when eaten 06:00 to 11:00 (end excluded).
    Breakfast,
    /// 11:00 to 15:00.
    Lunch,
    /// 15:00 to 18:00.
    Snack,
    /// 18:00 to 23:00.
    Dinner,
}

named!(MealKind { Breakfast = "breakfast", Lunch = "lunch", Snack = "snack", Dinner = "dinner" });

/// A meal to be logged: the JSON body, or the part named `meal` of a multipart body whose part `photo` is the picture.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewMeal {
    /// Which meal of the day.
    pub kind: MealKind,
    /// When it was eaten: from 48 hours ago to 2 minutes ahead of the server's clock.
    pub eaten_at: DateTime<Utc>,
    /// IANA name of the zone the user is in; gives the meal its date in the diary.
    #[schema(value_type = String, example = "Asia/Seoul")]
    pub zone: Tz,
    /// What it was, at most 500 characters.
    #[serde(default)]
    #[schema(max_length = 500)]
    pub note: String,
    /// What it was made of, at most 50. Then there are no `amounts`: they follow from it. With a photo there may be neither: then
    /// the photo is looked at after the answer, and the meal counts when that is done.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 50)]
    pub items: Vec<NewItem>,
    /// What was in it, as the user knows it, where it is not told by `items`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amounts: Option<Amounts>,
    /// The analysis that it comes from, once; its photo becomes the meal's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub analysis: Option<AnalysisId>,
}

/// So much of a food.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewItem {
    /// The food's id.
    #[schema(example = "ko:ssalbap")]
    pub food: String,
    /// Weight in decigrams: 2,100 are 210 g. At most 5 kg.
    #[schema(minimum = 1, maximum = 50_000)]
    pub grams_dg: u32,
    /// Whether it was weighed, rather than guessed or a usual serving.
    #[serde(default)]
    pub weighed: bool,
}

/// So much of a food, as it was when the meal was logged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MealItem {
    /// The food's id.
    pub food: String,
    /// Its Korean name, if it had one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name_ko: Option<String>,
    /// Its English name, if it had one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name_en: Option<String>,
    /// Weight in decigrams.
    pub grams_dg: u32,
    /// Whether it was weighed.
    pub weighed: bool,
    /// Which of Nutri-Score's tables it is looked up in.
    pub category: FoodCategory,
    /// Share of fruit, vegetables and legumes, in permille of its weight.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fruit_veg_legume_permille: Option<u16>,
    /// Whether a drink holds sweeteners without energy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub has_sweetener: Option<bool>,
    /// What is in so much of it.
    pub nutrients: Nutrients,
}

/// What was in a meal, as far as it is known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Contents {
    /// What it was made of; empty when amounts were entered by hand.
    pub items: Vec<MealItem>,
    /// The sum; what is unknown of one item is unknown of the whole.
    pub nutrients: Nutrients,
    /// The energy is not likely under this, kcal.
    pub energy_kcal_low: u32,
    /// Nor over this, kcal.
    pub energy_kcal_high: u32,
    /// Nutri-Score of the meal, by its solid food, or of its drinks when there is nothing else.
    pub grade: Grade,
    /// Points of the score, where there is a grade but that of water.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grade_score: Option<i32>,
    /// Whether something that the grade needs is unknown and was taken as none.
    pub grade_estimated: bool,
    /// What does not look right, and was taken all the same.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<MealWarning>,
}

/// What does not look right in a meal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum MealWarning {
    /// The energy and the macros that were entered do not go together.
    Implausible {
        /// As entered, kcal.
        declared_kcal: u32,
        /// As the macros have it, kcal.
        computed_kcal: u32,
    },
}

/// Amounts of a meal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Amounts {
    /// Energy in kcal, 0 to 10,000.
    #[schema(maximum = 10_000)]
    pub energy_kcal: u32,
    /// Carbohydrate in milligrams, at most 2,000,000.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(maximum = 2_000_000)]
    pub carbohydrate_mg: Option<u32>,
    /// Protein in milligrams, at most 2,000,000.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(maximum = 2_000_000)]
    pub protein_mg: Option<u32>,
    /// Fat in milligrams, at most 2,000,000.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(maximum = 2_000_000)]
    pub fat_mg: Option<u32>,
}

/// A change to a meal: what is absent stays.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EditMeal {
    /// Which meal of the day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<MealKind>,
    /// When it was eaten; bounds as for a new meal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub eaten_at: Option<DateTime<Utc>>,
    /// What it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 500)]
    pub note: Option<String>,
    /// What it was made of, all anew; instead of `amounts`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_items = 50)]
    pub items: Option<Vec<NewItem>>,
    /// All amounts anew, entered by hand; what it was made of is forgotten.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amounts: Option<Amounts>,
}

/// Logs a meal once more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CopyMeal {
    /// Which meal of the day; as before when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<MealKind>,
    /// When it was eaten; bounds as for a new meal.
    pub eaten_at: DateTime<Utc>,
    /// IANA name of the zone the user is in; as before when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "Asia/Seoul")]
    pub zone: Option<Tz>,
}

/// How a meal was before it was changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MealVersion {
    /// 1 is how it was logged.
    pub version: u32,
    /// Until when it was so.
    pub until: DateTime<Utc>,
    /// How it was.
    pub meal: Meal,
}

/// How much is known of a meal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum MealState {
    /// What was in it, and it counts.
    #[default]
    Known,
    /// Its photo is being looked at. It counts when that is done, and no day with it is judged before.
    Analysing,
    /// Nobody could tell what is on its photo. It counts when its owner has said what it was.
    Asked,
}

named!(MealState { Known = "known", Analysing = "analysing", Asked = "asked" });

/// A meal of the caller's own diary.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Meal {
    /// Its id.
    pub id: MealId,
    /// Which meal of the day.
    pub kind: MealKind,
    /// When it was eaten.
    pub eaten_at: DateTime<Utc>,
    /// Where it was logged.
    #[schema(value_type = String, example = "Asia/Seoul")]
    pub zone: Tz,
    /// Its date in the diary, in `zone`.
    pub local_date: NaiveDate,
    /// What it was.
    pub note: String,
    /// How much is known of it; while it is not `known`, the amounts are 0 and count for nothing.
    #[serde(default)]
    pub state: MealState,
    /// The amounts that count in play.
    pub amounts: Amounts,
    /// What is known of what was in it.
    pub contents: Contents,
    /// Where its picture can be had, for its owner only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub photo: Option<Photo>,
    /// When it was logged, on the server's clock.
    pub logged_at: DateTime<Utc>,
    /// When it was last changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub edited_at: Option<DateTime<Utc>>,
}

/// A stored picture: upright, re-encoded as JPEG, without any metadata.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Photo {
    /// Path of the large size, at most 1,600 pixels a side.
    pub large: String,
    /// Path of the small size, at most 320 pixels a side.
    pub small: String,
    /// Width of the large size in pixels.
    pub width_px: u32,
    /// Its height.
    pub height_px: u32,
    /// Whether it looked like one that was shown already.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen_before: Option<PhotoSeen>,
}

/// Whose picture a new one looks like. It is taken all the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PhotoSeen {
    /// One of the caller's own.
    ByYou,
    /// One of somebody who plays in a challenge with the caller.
    ByAnother,
}

/// A link to a picture, good without a token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PhotoLink {
    /// Its path.
    pub url: String,
    /// Until when it is good.
    pub expires_at: DateTime<Utc>,
}

/// A logged, changed or deleted meal, and what came of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MealOutcome {
    /// The meal as it is now.
    pub meal: Meal,
    /// Every running challenge of the caller's, and what the meal means there.
    pub effects: Vec<MealEffect>,
}

/// What a meal means in one challenge.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MealEffect {
    /// The challenge.
    pub challenge: ChallengeId,
    /// The number of the challenge's last event, this change included.
    pub n: u64,
    /// Whether it counts.
    #[serde(flatten)]
    pub judged: Judged,
}

/// Whether a meal counts for a day of a challenge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "counts", rename_all = "snake_case")]
pub enum Judged {
    /// It counts for this day, which now looks so.
    ForDay {
        /// Which day of the challenge.
        day: u16,
        /// How it looks.
        progress: Progress,
        /// The points it shows on the board until it is judged.
        points: u32,
    },
    /// It stays in the diary, and no verdict sees it: outside every day, or the day's log is closed.
    NotJudged,
}
