//! Bodies of the REST API under `/api/v1`, and the problem document that every failure answers with. Those about accounts
//! are in [`crate::accounts`] and [`crate::identities`], those about eating in [`crate::meals`] and [`crate::foods`].

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{ChallengeId, Standing, Terms, UserId, socket::DayClock, terms::Nutrient};

pub use crate::{accounts::*, analyses::*, diary::*, foods::*, identities::*, meals::*, profile::*};

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
    /// A nutrient against its bounds.
    Macro {
        /// Whether it holds.
        held: bool,
        /// Which.
        nutrient: Nutrient,
        /// What is known to have been eaten of it, mg.
        amount_mg: u64,
        /// Meals of which nobody knows how much of it they had.
        unknown_meals: u32,
        /// Its share of the day's energy, in thousandths, when that is asked for.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        share_permille: Option<u32>,
        /// The least that is allowed, in mg or, with `share_permille`, in thousandths.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        at_least: Option<u32>,
        /// The most that is allowed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        at_most: Option<u32>,
    },
    /// The grade of the day's foods.
    Grade {
        /// Whether it holds.
        held: bool,
        /// The grade; `UNKNOWN` never holds.
        grade: Grade,
        /// The worst that is allowed.
        at_worst: Grade,
    },
    /// Valid meals with a photo against all valid meals.
    Photos {
        /// Whether it holds.
        held: bool,
        /// Valid meals with a photo.
        with_photo: u32,
        /// Valid meals.
        valid: u32,
    },
}

/// The days that a player has taken off in a challenge.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CheatDays {
    /// Days of the challenge, from 1, in order.
    pub days: Vec<u16>,
    /// How many may be taken in a week from Monday to Sunday.
    pub per_week: u8,
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
