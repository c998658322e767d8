//! Bodies of the REST API under `/api/v1`, and the problem document that every failure answers with. Those about accounts
//! are in [`crate::accounts`] and [`crate::identities`].

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{ChallengeId, MealId, Progress, Standing, Terms, UserId, socket::DayClock};

pub use crate::{accounts::*, foods::*, identities::*, profile::*};

/// Why a request was not done, as RFC 9457 has it (`application/problem+json`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Problem {
    /// Always `about:blank`: the `code` says which problem it is.
    #[serde(rename = "type")]
    pub kind: String,
    /// The words of the HTTP status.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// Stable name of the problem, for programs.
    pub code: String,
    /// The problem in a sentence, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// The field of the request that is at fault.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// Names the request in the server's log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
}

/// A page of a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Page<T> {
    /// The items, in the order the list is documented with.
    pub items: Vec<T>,
    /// Pass as `after` for the next page; absent on the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// Where a challenge is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ChallengeStatus {
    /// Joinable.
    Open,
    /// Being played.
    Running,
    /// Over; the final board stays.
    Finished,
    /// Never began.
    Cancelled,
}

named!(ChallengeStatus { Open = "open", Running = "running", Finished = "finished", Cancelled = "cancelled" });

/// A wish for a challenge. Whoever makes it hosts it, and plays only after joining.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewChallenge {
    /// 1 to 80 characters.
    #[schema(min_length = 1, max_length = 80)]
    pub title: String,
    /// At most 2,000 characters.
    #[serde(default)]
    #[schema(max_length = 2000)]
    pub description: String,
    /// What is played.
    pub terms: Terms,
}

/// A challenge.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Challenge {
    /// Its id.
    pub id: ChallengeId,
    /// Its title.
    pub title: String,
    /// What its host says of it.
    pub description: String,
    /// Who made it.
    pub host: UserId,
    /// Where it is in its life.
    pub status: ChallengeStatus,
    /// What is played.
    pub terms: Terms,
    /// Seats taken; a player who leaves during play keeps theirs.
    pub seats_taken: u32,
    /// The first instant of the first day.
    pub starts_at: DateTime<Utc>,
    /// The first instant after the last day.
    pub ends_at: DateTime<Utc>,
    /// The day whose clock runs now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub today: Option<DayClock>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// The caller's standing, when the caller plays in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub me: Option<Standing>,
}

/// A player's place in a challenge after joining or leaving.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Membership {
    /// The challenge.
    pub challenge: ChallengeId,
    /// The number of the last event this caused in the challenge's stream.
    pub n: u64,
    /// The player's standing; absent after leaving before the start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub standing: Option<Standing>,
    /// What the player should know before the first day.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<JoinWarning>,
}

/// Nothing that is refused, and yet to be told to whoever joins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum JoinWarning {
    /// The challenge asks for less energy than the player's body needs at rest, as their targets have it.
    UnderRestingNeed {
        /// The middle of the band, kcal a day.
        target_kcal: u32,
        /// The player's need at rest, kcal a day.
        resting_kcal: u32,
    },
}

/// What the referee said of one day of one player, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DayVerdict {
    /// Which day of the challenge.
    pub day: u16,
    /// Kept or missed.
    pub verdict: crate::Verdict,
    /// Points of the day.
    pub points: u32,
    /// When it was judged.
    pub judged_at: DateTime<Utc>,
    /// Requirement by requirement, what was seen and what was allowed.
    pub findings: Vec<Finding>,
}

/// One requirement of a day against what was logged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Finding {
    /// Energy against the band.
    Calories {
        /// Whether it holds.
        held: bool,
        /// Energy logged for the day.
        energy_kcal: u32,
        /// Lower edge, allowed.
        at_least_kcal: u32,
        /// Upper edge, allowed.
        at_most_kcal: u32,
    },
    /// Valid meals against the number asked for.
    Meals {
        /// Whether it holds.
        held: bool,
        /// Valid meals.
        valid: u32,
        /// Meals logged for the day, valid or not.
        logged: u32,
        /// Asked for.
        at_least: u32,
    },
}

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
    /// What was in it.
    pub amounts: Amounts,
}

/// Amounts of a meal, entered by hand.
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
    /// All amounts anew.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amounts: Option<Amounts>,
}

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
    /// What was in it.
    pub amounts: Amounts,
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

/// What the server is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Health {
    /// Always `ok`: what is not is told as a problem.
    pub status: String,
    /// The version that runs.
    pub version: String,
}

/// Final places of a finished challenge.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Outcome {
    /// Shared by equal players; the next is skipped.
    pub rank: u32,
    /// Whether the player won, alone or with others.
    pub champion: bool,
    /// The player's last row.
    #[serde(flatten)]
    pub row: crate::Row,
}
