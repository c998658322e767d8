//! What happens in a stream, as the journal keeps it. Each event touches at most one player's standing.
//!
//! Not every event is for every eye: what a viewer may see of it is decided in `rooms::push`. To add an event, add it
//! here; the compiler then names the other places.

use chrono::{DateTime, Utc};
use lastbite_protocol::{MealId, Progress, UserId, Verdict, socket::DayClock};
use serde::{Deserialize, Serialize};

/// An event, not numbered yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event {
    /// In a challenge: a player took a seat.
    Joined {
        player: UserId,
        nickname: String,
        lives: u8,
    },
    /// A player went. Without a day it was before the start: the seat is free again and the row is gone.
    Left {
        player: UserId,
        nickname: String,
        left_at: DateTime<Utc>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        day: Option<u16>,
    },
    /// A day began; the first one starts the challenge.
    DayOpened {
        clock: DayClock,
    },
    /// A meal changed how a day that is not judged yet looks for a player.
    Progressed {
        player: UserId,
        day: u16,
        progress: Progress,
        points: u32,
    },
    /// The referee judged a player's day.
    Judged {
        player: UserId,
        day: u16,
        verdict: Verdict,
        points: u32,
        deviation_permille: u32,
    },
    /// The day just judged took the player's last life.
    Eliminated {
        player: UserId,
        day: u16,
    },
    /// The player was still in after the last day.
    Survived {
        player: UserId,
    },
    /// The player's account is gone: from here on the row has no name of theirs.
    Withdrawn {
        player: UserId,
    },
    /// All players of a day are judged.
    DayClosed {
        day: u16,
        kept: u32,
        missed: u32,
        eliminated: u32,
        alive: u32,
    },
    /// The challenge is over. At most [`Event::CHAMPIONS_NAMED`] champions are named.
    Finished {
        champions: Vec<UserId>,
        champions_total: u32,
        survivors: u32,
    },
    /// Too few had joined when the first day began.
    Cancelled {
        players: u32,
    },
    /// In a user's stream: the diary changed.
    MealLogged {
        meal: MealId,
    },
    MealEdited {
        meal: MealId,
    },
    MealDeleted {
        meal: MealId,
    },
    /// It takes a while to see what is on its photo.
    MealAnalysing {
        meal: MealId,
    },
    /// Nobody could tell what is on its photo: its owner is asked.
    MealAsked {
        meal: MealId,
    },
}

/// An event with its place in its stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Numbered {
    /// From 1, without gaps, in the order of commit.
    pub n: u64,
    /// The time of play at which it was decided.
    pub at: DateTime<Utc>,
    pub event: Event,
}

impl Event {
    /// A shared win can have thousands of winners; the stored outcomes name them all.
    pub const CHAMPIONS_NAMED: usize = 10;

    /// What the row of a player says whose account is gone. Nobody else can be called so.
    pub const NAME_OF_WITHDRAWN: &'static str = "withdrawn";

    /// The player whose standing it touches.
    #[must_use]
    pub const fn player(&self) -> Option<UserId> {
        match self {
            Self::Joined { player, .. }
            | Self::Left { player, .. }
            | Self::Progressed { player, .. }
            | Self::Judged { player, .. }
            | Self::Eliminated { player, .. }
            | Self::Survived { player }
            | Self::Withdrawn { player } => Some(*player),
            Self::DayOpened { .. }
            | Self::DayClosed { .. }
            | Self::Finished { .. }
            | Self::Cancelled { .. }
            | Self::MealLogged { .. }
            | Self::MealEdited { .. }
            | Self::MealDeleted { .. }
            | Self::MealAnalysing { .. }
            | Self::MealAsked { .. } => None,
        }
    }
}
