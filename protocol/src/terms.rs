//! What a challenge asks of its players. Terms are stored with the challenge, carry a version, and are frozen when the
//! first day begins.

use std::{fmt, str::FromStr};

use chrono::NaiveDate;
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::foods::Grade;

/// The terms of a challenge.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Terms {
    /// Version of this shape.
    #[serde(default = "defaults::version")]
    #[schema(default = 1)]
    pub version: u16,
    /// IANA name of the zone whose wall clock decides which day a meal belongs to.
    #[serde(default = "defaults::zone")]
    #[schema(default = "Asia/Seoul", value_type = String, example = "Asia/Seoul")]
    pub zone: Tz,
    /// The first day, as a date in `zone`.
    pub first_day: NaiveDate,
    /// How many days are played, 1 to 365.
    #[schema(minimum = 1, maximum = 365)]
    pub days: u16,
    /// When a day begins on the wall clock of `zone`, `00:00` to `06:00`.
    #[serde(default = "defaults::day_starts_at")]
    #[schema(default = "00:00")]
    pub day_starts_at: WallTime,
    /// How many missed days a player survives, 0 to 10.
    #[serde(default = "defaults::lives")]
    #[schema(default = 2, maximum = 10)]
    pub lives: u8,
    /// How many days off a player may ask for in a week from Monday to Sunday of `zone`, 0 to 3.
    #[serde(default = "defaults::cheat_days_per_week")]
    #[schema(default = 1, maximum = 3)]
    pub cheat_days_per_week: u8,
    /// How long after its end a day's log stays open, in minutes, 0 to 1440.
    #[serde(default = "defaults::grace_minutes")]
    #[schema(default = 120, maximum = 1440)]
    pub grace_minutes: u16,
    /// What happens when one player alone is still in.
    #[serde(default)]
    pub one_left: OneLeft,
    /// How many may join, 2 to 1,000,000.
    #[serde(default = "defaults::seats")]
    #[schema(default = 100, minimum = 2, maximum = 1_000_000)]
    pub seats: u32,
    /// With fewer players than this at the start the challenge is cancelled; at least 1 and at most `seats`.
    #[serde(default = "defaults::min_players")]
    #[schema(default = 2, minimum = 1)]
    pub min_players: u32,
    /// What a day asks for, at most one of each kind, and of each nutrient; all must hold.
    #[schema(min_items = 1)]
    pub requirements: Vec<Requirement>,
}

/// What happens when one player alone is still in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OneLeft {
    /// The game goes on to its last day.
    #[default]
    PlayOn,
    /// It ends with the day on which the others went, and whoever is left has won.
    EndNow,
}

/// One thing that a day asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Requirement {
    /// The day's energy lies within a band, bounds included; eating less than the lower edge misses the day as eating
    /// more than the upper one does.
    Calories {
        /// Middle of the band, 1000 to 5000 kcal.
        #[schema(minimum = 1000, maximum = 5000)]
        target_kcal: u32,
        /// Half its width, 0 to 500 kcal.
        #[serde(default = "defaults::tolerance_kcal")]
        #[schema(default = 100, maximum = 500)]
        tolerance_kcal: u32,
    },
    /// At least so many valid meals: eaten within the window of their kind and before the cutoff.
    Meals {
        /// 1 to 5.
        #[serde(default = "defaults::at_least")]
        #[schema(default = 2, minimum = 1, maximum = 5)]
        at_least: u8,
        /// From this time of day on a meal no longer counts as a valid one.
        #[serde(default = "defaults::cutoff")]
        #[schema(default = "23:00")]
        cutoff: WallTime,
        /// When a meal of each kind is a valid one.
        #[serde(default)]
        windows: Windows,
    },
    /// So much of a nutrient over the day: as an amount, or as a share of the day's energy. What is at most so much has to be
    /// known of every meal.
    Macro {
        /// Of what; each is asked for once at most.
        nutrient: Nutrient,
        /// At least so much, mg.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        at_least_mg: Option<u32>,
        /// At most so much, mg.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        at_most_mg: Option<u32>,
        /// At least so much of the day's energy, in thousandths; not of sodium, and not beside an amount.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schema(maximum = 1000)]
        at_least_permille: Option<u32>,
        /// At most so much of the day's energy, in thousandths.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schema(maximum = 1000)]
        at_most_permille: Option<u32>,
    },
    /// The Nutri-Score of all foods of the day together is this or better; it has to be known.
    Grade {
        /// The worst that is allowed, `A` to `D`.
        at_worst: Grade,
    },
    /// There is a valid meal, and each has a photo of its own.
    Photo {},
}

/// What a day can ask for so much of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Nutrient {
    /// With fibre and sugars, 4 kcal a gram.
    Carbohydrate,
    /// 4 kcal a gram.
    Protein,
    /// 9 kcal a gram.
    Fat,
    /// 2 kcal a gram.
    Fibre,
    /// 4 kcal a gram.
    Sugars,
    /// Has no energy.
    Sodium,
}

/// When a meal of each kind is a valid one, on the wall clock of the challenge's zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Windows {
    /// 06:00 to 11:00 unless told otherwise.
    pub breakfast: Window,
    /// 11:00 to 15:00.
    pub lunch: Window,
    /// 15:00 to 18:00.
    pub snack: Window,
    /// 18:00 to 23:00.
    pub dinner: Window,
}

/// A part of a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Window {
    /// The first minute.
    pub from: WallTime,
    /// The first minute after it.
    pub until: WallTime,
}

impl Window {
    const fn hours(from: u16, until: u16) -> Self {
        Self { from: WallTime::hour(from), until: WallTime::hour(until) }
    }
}

impl Default for Windows {
    fn default() -> Self {
        Self {
            breakfast: Window::hours(6, 11),
            lunch: Window::hours(11, 15),
            snack: Window::hours(15, 18),
            dinner: Window::hours(18, 23),
        }
    }
}

/// A time of day on a wall clock, to the minute: `HH:MM`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WallTime {
    minutes: u16,
}

impl WallTime {
    /// The time `minutes` after midnight; `None` from 24:00 on.
    #[must_use]
    pub const fn from_minutes(minutes: u16) -> Option<Self> {
        if minutes < 24 * 60 { Some(Self { minutes }) } else { None }
    }

    /// The full hour `hour`, which must be under 24.
    #[must_use]
    pub const fn hour(hour: u16) -> Self {
        match Self::from_minutes(hour * 60) {
            Some(time) => time,
            None => panic!("an hour is under 24"),
        }
    }

    /// Minutes since midnight.
    #[must_use]
    pub const fn minutes(self) -> u16 {
        self.minutes
    }
}

impl fmt::Display for WallTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.minutes / 60, self.minutes % 60)
    }
}

impl FromStr for WallTime {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let two_digits = |part: &str| {
            let digits = part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
            digits.then(|| part.parse::<u16>().ok()).flatten()
        };
        text.split_once(':')
            .and_then(|(hour, minute)| Some((two_digits(hour)?, two_digits(minute)?)))
            .filter(|(_, minute)| *minute < 60)
            .and_then(|(hour, minute)| Self::from_minutes(hour * 60 + minute))
            .ok_or_else(|| "a time of day reads HH:MM, 00:00 to 23:59".to_owned())
    }
}

written_as_text!(WallTime, "A time of day on a wall clock, `HH:MM`.", "^([01][0-9]|2[0-3]):[0-5][0-9]$");

/// What a creator of a challenge gets without asking.
pub mod defaults {
    use chrono_tz::Tz;

    use super::WallTime;

    pub(super) const fn version() -> u16 {
        1
    }
    pub(super) const fn zone() -> Tz {
        Tz::Asia__Seoul
    }
    pub(super) const fn day_starts_at() -> WallTime {
        WallTime::hour(0)
    }
    pub(super) const fn lives() -> u8 {
        2
    }
    pub(super) const fn cheat_days_per_week() -> u8 {
        1
    }
    pub(super) const fn grace_minutes() -> u16 {
        120
    }
    pub(super) const fn seats() -> u32 {
        100
    }
    pub(super) const fn min_players() -> u32 {
        2
    }
    pub(super) const fn tolerance_kcal() -> u32 {
        100
    }
    /// How many valid meals a day asks for.
    #[must_use]
    pub const fn at_least() -> u8 {
        2
    }
    /// From when on a meal is no longer a valid one.
    #[must_use]
    pub const fn cutoff() -> WallTime {
        WallTime::hour(23)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wall_time_is_two_digits_twice() {
        for minutes in [0, 59, 60, 23 * 60 + 59] {
            let time = WallTime::from_minutes(minutes);
            assert_eq!(time.map(|time| time.to_string().parse()), time.map(Ok));
        }
        for text in ["24:00", "12:60", "1:30", "+1:30", "01:+3", "0130", "01:30:00", "", "ab:cd"] {
            assert!(text.parse::<WallTime>().is_err(), "{text:?}");
        }
    }
}
