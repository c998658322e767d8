//! The rules of play: what may be done, what then happens, and what it does to a standing.
//!
//! Everything here is pure: no clock, database, socket, chance or float. Time is an argument. The referee, the uploads,
//! the live board and the property tests all use the same [`standing::apply`].
//!
//! - [`terms`]: whether a challenge can be played, and safely
//! - [`day`]: which instants belong to which day, by the challenge's zone
//! - [`event`]: what happens in a stream
//! - [`standing`]: an event applied to a player's standing
//! - [`verdict`]: a day's log against its requirements
//! - [`points`]: what a day is worth, judged or still open
//! - [`ranking`]: the one comparator, and ranks from it
//! - [`decide`]: a command against the facts gives events or a [`Refusal`]

pub mod day;
pub mod decide;
pub mod event;
pub mod points;
pub mod ranking;
pub mod standing;
pub mod terms;
pub mod verdict;

#[cfg(test)]
mod stories;

pub use event::{Event, Numbered};

/// A command that the rules do not allow: the player's doing, never a failure of ours.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("{why}")]
    Terms { field: &'static str, why: String },
    #[error("all seats are taken")]
    ChallengeFull,
    #[error("the challenge has begun; joining was possible until its first day")]
    AlreadyStarted,
    #[error("the challenge is over")]
    ChallengeOver,
    #[error("you left this challenge; there is no return")]
    NoReturn,
    #[error("you do not play in this challenge")]
    NotAPlayer,
    #[error("you are not in this challenge any more")]
    NotIn,
    #[error("the challenge has no such day")]
    NoSuchDay,
    #[error("the log of that day has closed")]
    DayClosed,
    #[error("no day off is left in that week: from Monday to Sunday there are at most {per_week}")]
    NoCheatDayLeft { per_week: u8 },
    #[error("the band ends at {upper_kcal} kcal, under the least that is safe for you, {floor_kcal} kcal a day")]
    BandBelowFloor { upper_kcal: u32, floor_kcal: u32 },
    #[error("with a BMI under 18.5 a challenge about calories is not safe")]
    Underweight,
    #[error("in a pregnancy a challenge about calories is not safe")]
    Pregnant,
    #[error("{why}")]
    EatenAt { why: String },
}

impl Refusal {
    /// The stable name of the refusal.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Terms { .. } => "terms_invalid",
            Self::ChallengeFull => "challenge_full",
            Self::AlreadyStarted => "challenge_started",
            Self::ChallengeOver => "challenge_over",
            Self::NoReturn => "no_return",
            Self::NotAPlayer => "not_a_player",
            Self::NotIn => "not_in",
            Self::NoSuchDay => "no_such_day",
            Self::DayClosed => "day_closed",
            Self::NoCheatDayLeft { .. } => "no_cheat_day_left",
            Self::BandBelowFloor { .. } => "band_below_floor",
            Self::Underweight => "underweight",
            Self::Pregnant => "pregnant",
            Self::EatenAt { .. } => "eaten_at_out_of_range",
        }
    }
}
