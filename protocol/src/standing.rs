//! Where a player stands: the whole of it for the player, and the part of it that others see as a row of the board.

use std::{fmt, str::FromStr};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::UserId;

/// Whether a player is still in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Still in.
    Alive,
    /// Missed one day too many.
    Eliminated,
    /// Left while the challenge was running.
    Left,
    /// Was still in when the challenge ended.
    Survived,
}

/// What the referee said of a player's day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// All requirements held.
    Kept,
    /// At least one did not: costs a life.
    Missed,
    /// The player had asked for a day off: survived, and the streak goes on without growing.
    Cheat,
    /// It could not be judged, which was not the player's doing: as if the day had not been.
    Void,
}

named!(Verdict { Kept = "kept", Missed = "missed", Cheat = "cheat", Void = "void" });

/// How a day that is not judged yet looks so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Progress {
    /// Something is still missing and can still come.
    OnTrack,
    /// Enough meals, but something else that is asked for is missing: energy, a nutrient, a grade, a photo.
    Short,
    /// Above the upper edge of the band.
    Over,
    /// Everything asked for holds at this moment.
    Done,
}

/// A day whose log is still open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
pub struct OpenDay {
    /// Which day of the challenge, from 1.
    pub day: u16,
    /// How it looks so far.
    pub progress: Progress,
    /// Points it shows on the live board until it is judged.
    pub points: u32,
}

/// A player's standing in a challenge. The player sees all of it; others see the [`Row`].
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
pub struct Standing {
    /// Whether the player is still in.
    pub status: Status,
    /// Missed days that can still be survived.
    pub lives_left: u8,
    /// Days judged as kept.
    pub days_kept: u16,
    /// Days judged as missed.
    pub days_missed: u16,
    /// Cheat days taken.
    #[serde(default)]
    pub days_cheat: u16,
    /// Days kept in a row, up to now.
    pub streak: u16,
    /// The longest such row.
    pub best_streak: u16,
    /// Points of judged days.
    pub points: u32,
    /// Sum over the judged days of how far their energy was from the target, in thousandths of the target.
    pub deviation_permille_sum: u32,
    /// Days whose log is open and in which something was logged, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub open_days: Vec<OpenDay>,
    /// The day of the elimination.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub eliminated_on: Option<u16>,
    /// When the player left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left_at: Option<DateTime<Utc>>,
    /// The last verdicts.
    #[serde(default)]
    pub recent: Recent,
}

/// The last seven verdicts, oldest first, one letter each: `K` kept, `M` missed, `C` cheat day, `V` void.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Recent {
    /// Four bits a verdict, the newest lowest; zero is "none".
    packed: u32,
}

impl Recent {
    /// Before the first verdict.
    pub const NONE: Self = Self { packed: 0 };

    const DAYS: usize = 7;

    /// The same with one more verdict; the oldest of more than seven is forgotten.
    #[must_use]
    pub const fn with(self, verdict: Verdict) -> Self {
        let code = match verdict {
            Verdict::Kept => 1,
            Verdict::Missed => 2,
            Verdict::Cheat => 3,
            Verdict::Void => 4,
        };
        let kept_bits = (1 << (4 * Self::DAYS)) - 1;
        Self { packed: ((self.packed << 4) | code) & kept_bits }
    }
}

impl fmt::Display for Recent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for place in (0..Self::DAYS).rev() {
            match (self.packed >> (4 * place)) & 0xF {
                1 => f.write_str("K")?,
                2 => f.write_str("M")?,
                3 => f.write_str("C")?,
                4 => f.write_str("V")?,
                _ => {}
            }
        }
        Ok(())
    }
}

impl FromStr for Recent {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.chars().try_fold(Self::default(), |recent, letter| match letter {
            'K' => Ok(recent.with(Verdict::Kept)),
            'M' => Ok(recent.with(Verdict::Missed)),
            'C' => Ok(recent.with(Verdict::Cheat)),
            'V' => Ok(recent.with(Verdict::Void)),
            other => Err(format!("no verdict is written {other:?}")),
        })
    }
}

written_as_text!(
    Recent,
    "The last seven verdicts, oldest first: `K` kept, `M` missed, `C` cheat day, `V` void.",
    "^[KMCV]{0,7}$"
);

/// What orders a board: compared number by number, the smaller first is the better. Equal keys share a rank, and the
/// next rank is skipped (1, 2, 2, 4).
///
/// The numbers are: 0 alive or survived, 1 eliminated, 2 left; minus the day of elimination; minus points; minus days
/// kept; minus streak; mean deviation from the target in permille.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(transparent)]
#[schema(min_items = 6, max_items = 6)]
pub struct SortKey(pub [i32; 6]);

/// A player as others see them: a row of the board. Never energy, weight, meals or photos.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
pub struct Row {
    /// Whose row.
    pub player: UserId,
    /// The name shown.
    pub nickname: String,
    /// Whether the player is still in.
    pub status: Status,
    /// Missed days that can still be survived.
    pub lives_left: u8,
    /// Points, those of open days included.
    pub points: u32,
    /// Days judged as kept.
    pub days_kept: u16,
    /// Days judged as missed.
    pub days_missed: u16,
    /// Days kept in a row, up to now.
    pub streak: u16,
    /// The last verdicts.
    pub recent: Recent,
    /// The day of the elimination.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub eliminated_on: Option<u16>,
    /// What orders the rows.
    pub key: SortKey,
}
