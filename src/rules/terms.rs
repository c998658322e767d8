//! Whether a challenge can be played, and safely, by its terms.

use chrono::{DateTime, TimeDelta, Utc};
use lastbite_protocol::{Requirement, Terms, WallTime, terms::defaults};

use super::{Refusal, day::Calendar};
use crate::nutrition::SAFE_FLOOR_KCAL_LEAST;

const DAYS: std::ops::RangeInclusive<u16> = 1..=365;
const SEATS: std::ops::RangeInclusive<u32> = 2..=1_000_000;
const LIVES_MOST: u8 = 10;
const GRACE_MINUTES_MOST: u16 = 24 * 60;
const DAY_STARTS_AT_LATEST: WallTime = WallTime::hour(6);
const TARGET_KCAL: std::ops::RangeInclusive<u32> = 1000..=5000;
const TOLERANCE_KCAL_MOST: u32 = 500;
const MEALS: std::ops::RangeInclusive<u8> = 1..=5;
/// Breakfast's window opens then; with an earlier cutoff no meal could ever be valid.
const CUTOFF_AFTER: WallTime = WallTime::hour(6);
/// A start further ahead is a slip of the pen.
const START_AHEAD_DAYS_MOST: i64 = 366;

/// The energy band of a day, both edges allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Band {
    pub target_kcal: u32,
    pub tolerance_kcal: u32,
}

impl Band {
    #[must_use]
    pub const fn upper_kcal(self) -> u32 {
        self.target_kcal + self.tolerance_kcal
    }
}

/// The band the terms ask for.
#[must_use]
pub fn band(terms: &Terms) -> Option<Band> {
    terms.requirements.iter().find_map(|requirement| match *requirement {
        Requirement::Calories { target_kcal, tolerance_kcal } => Some(Band { target_kcal, tolerance_kcal }),
        Requirement::Meals { .. } => None,
    })
}

/// How many valid meals the terms ask for.
#[must_use]
pub fn meals_asked(terms: &Terms) -> Option<u32> {
    terms.requirements.iter().find_map(|requirement| match *requirement {
        Requirement::Meals { at_least, .. } => Some(u32::from(at_least)),
        Requirement::Calories { .. } => None,
    })
}

/// From when on a meal is not a valid one any more.
#[must_use]
pub fn cutoff(terms: &Terms) -> WallTime {
    terms
        .requirements
        .iter()
        .find_map(|requirement| match *requirement {
            Requirement::Meals { cutoff, .. } => Some(cutoff),
            Requirement::Calories { .. } => None,
        })
        .unwrap_or(defaults::cutoff())
}

/// Refuses terms that are out of bounds, cannot be met, or are not safe.
///
/// # Errors
/// [`Refusal::Terms`] names the first field at fault and why.
pub fn check(terms: &Terms, now: DateTime<Utc>) -> Result<(), Refusal> {
    let bounds = [
        (terms.version == 1, "version", "only version 1 of the terms is known".to_owned()),
        (DAYS.contains(&terms.days), "days", "a challenge has 1 to 365 days".to_owned()),
        (SEATS.contains(&terms.seats), "seats", "a challenge has 2 to 1,000,000 seats".to_owned()),
        (terms.lives <= LIVES_MOST, "lives", "at most 10 missed days can be survived".to_owned()),
        (terms.grace_minutes <= GRACE_MINUTES_MOST, "grace_minutes", "the grace is at most 1,440 minutes".to_owned()),
        (
            terms.day_starts_at <= DAY_STARTS_AT_LATEST,
            "day_starts_at",
            "a day begins between 00:00 and 06:00".to_owned(),
        ),
        (
            (1..=terms.seats).contains(&terms.min_players),
            "min_players",
            "the fewest players are at least 1 and at most the seats".to_owned(),
        ),
    ];
    for (fits, field, why) in bounds {
        if !fits {
            return Err(Refusal::Terms { field, why });
        }
    }
    check_requirements(&terms.requirements)?;
    check_start(terms, now)
}

fn check_start(terms: &Terms, now: DateTime<Utc>) -> Result<(), Refusal> {
    let starts_at = Calendar::of(terms).starts_at();
    if starts_at <= now {
        return Err(Refusal::Terms { field: "first_day", why: "the first day must begin in the future".to_owned() });
    }
    if starts_at > now + TimeDelta::days(START_AHEAD_DAYS_MOST) {
        return Err(Refusal::Terms { field: "first_day", why: "the first day is more than a year away".to_owned() });
    }
    Ok(())
}

fn check_requirements(requirements: &[Requirement]) -> Result<(), Refusal> {
    let refuse = |why: &str| Err(Refusal::Terms { field: "requirements", why: why.to_owned() });
    if requirements.is_empty() {
        return refuse("a day must ask for something");
    }
    let kinds = |requirement: &Requirement| std::mem::discriminant(requirement);
    if requirements.iter().enumerate().any(|(i, one)| requirements[..i].iter().any(|other| kinds(other) == kinds(one)))
    {
        return refuse("each kind of requirement is named once at most");
    }
    for requirement in requirements {
        match *requirement {
            Requirement::Calories { target_kcal, tolerance_kcal } => {
                if !TARGET_KCAL.contains(&target_kcal) {
                    return refuse("the target is 1,000 to 5,000 kcal");
                }
                if tolerance_kcal > TOLERANCE_KCAL_MOST {
                    return refuse("the tolerance is at most 500 kcal");
                }
                if target_kcal - tolerance_kcal < SAFE_FLOOR_KCAL_LEAST {
                    return refuse("the band reaches under 1,200 kcal a day, which is not safe for anybody");
                }
            }
            Requirement::Meals { at_least, cutoff } => {
                if !MEALS.contains(&at_least) {
                    return refuse("a day asks for 1 to 5 meals");
                }
                if cutoff <= CUTOFF_AFTER {
                    return refuse("with a cutoff at or before 06:00 no meal could be valid");
                }
            }
        }
    }
    Ok(())
}
