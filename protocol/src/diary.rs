//! The diary: a day, a month and a range of one's own meals at a glance.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    ChallengeId, Verdict,
    foods::{Grade, Nutrients},
    meals::{Meal, MealKind},
    profile::Weight,
};

/// What a challenge said of a day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct VerdictGlance {
    /// The challenge.
    pub challenge: ChallengeId,
    /// Its title.
    pub title: String,
    /// Which day of the challenge.
    pub day: u16,
    /// Kept or missed.
    pub verdict: Verdict,
}

/// NRF 9.3 of a day: how nourishing it was, not how much it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DayScore {
    /// Nutrients to encourage less those to limit, in hundredths of a point; may be negative.
    pub score_centi: i32,
    /// What it could be at most with the nutrients that are known, in hundredths.
    pub most_centi: u32,
    /// How many nutrients are known of all that was eaten.
    pub known: u8,
    /// Of how many.
    pub of: u8,
}

/// A day of the diary.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DiaryDay {
    /// The date, in the zone each meal was logged in.
    pub date: NaiveDate,
    /// Its meals, in the order they were eaten; the first 200.
    pub meals: Vec<Meal>,
    /// Energy of all of them, kcal.
    pub energy_kcal: u32,
    /// Not likely under this, kcal.
    pub energy_kcal_low: u32,
    /// Nor over this, kcal.
    pub energy_kcal_high: u32,
    /// The sum; what is unknown of one meal is unknown of the day.
    pub nutrients: Nutrients,
    /// Nutri-Score of all foods of the day together; unknown with a meal that was entered by hand.
    pub grade: Grade,
    /// Whether something that the grade needs is unknown and was taken as none.
    pub grade_estimated: bool,
    /// How nourishing it was; absent when no nutrient is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub score: Option<DayScore>,
    /// What the user should eat in a day by their targets, kcal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_kcal: Option<u32>,
    /// What challenges said of it.
    pub verdicts: Vec<VerdictGlance>,
    /// What the user weighed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weight_g: Option<u32>,
    /// Water that the user drank, as they told, ml.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub water_ml: Option<u32>,
}

/// Water of a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetWater {
    /// All that was drunk on that day, in ml; 0 forgets it.
    #[schema(maximum = 20_000)]
    pub water_ml: u32,
}

/// A day in a calendar.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DayGlance {
    /// The date, in the zone each meal was logged in.
    pub date: NaiveDate,
    /// Which meals there were, each once.
    pub kinds: Vec<MealKind>,
    /// How many.
    pub meals: u32,
    /// Of them those of which nobody has told yet what they were: their energy counts as none.
    #[serde(default)]
    pub unknown_meals: u32,
    /// Energy of all of them, kcal.
    pub energy_kcal: u32,
    /// Nutri-Score of all foods of the day together.
    pub grade: Grade,
    /// What challenges said of it.
    pub verdicts: Vec<VerdictGlance>,
    /// What the user weighed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weight_g: Option<u32>,
    /// Water that the user drank, as they told, ml.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub water_ml: Option<u32>,
}

/// A month of the diary.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DiaryMonth {
    /// The month, as `2026-03`.
    pub month: String,
    /// Its days with something to tell, in order.
    pub days: Vec<DayGlance>,
}

/// How many of each grade.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "UPPERCASE")]
pub struct GradeCounts {
    /// The best.
    pub a: u32,
    /// Good.
    pub b: u32,
    /// In between.
    pub c: u32,
    /// Poor.
    pub d: u32,
    /// The worst.
    pub e: u32,
    /// Too little is known.
    pub unknown: u32,
}

impl GradeCounts {
    /// One more of this grade.
    pub const fn add(&mut self, grade: Grade) {
        let count = match grade {
            Grade::A => &mut self.a,
            Grade::B => &mut self.b,
            Grade::C => &mut self.c,
            Grade::D => &mut self.d,
            Grade::E => &mut self.e,
            Grade::Unknown => &mut self.unknown,
        };
        *count += 1;
    }
}

/// Some time of the diary.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DiaryRange {
    /// The first day.
    pub from: NaiveDate,
    /// The last day.
    pub to: NaiveDate,
    /// Days with a meal.
    pub days_logged: u32,
    /// Mean energy of the days with a meal, kcal, half up. As the figures below it leaves out days of which a meal is unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub average_energy_kcal: Option<u32>,
    /// Days with a meal whose energy is within a tenth of the target; absent without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub days_on_target: Option<u32>,
    /// By how much the energy of a day changes in a week, by least squares over the days with a meal; absent with less than
    /// three.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trend_kcal_per_week: Option<i32>,
    /// Days with a meal by their grade.
    pub grades: GradeCounts,
    /// The day with the best grade; of equal ones that nearest to the target, then the earliest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub best: Option<NaiveDate>,
    /// The day with the worst grade; of equal ones that farthest from the target, then the earliest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub worst: Option<NaiveDate>,
    /// Its days with something to tell, in order.
    pub days: Vec<DayGlance>,
    /// What the user weighed, in order.
    pub weights: Vec<Weight>,
}
