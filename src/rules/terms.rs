//! Whether a challenge can be played, and safely, by its terms.

use chrono::{DateTime, TimeDelta, Utc};
use lastbite_protocol::{
    Requirement, Terms, WallTime,
    foods::Grade,
    terms::{Nutrient, Windows, defaults},
};

use super::{Refusal, day::Calendar};
use crate::nutrition::SAFE_FLOOR_KCAL_LEAST;

const DAYS: std::ops::RangeInclusive<u16> = 1..=365;
const SEATS: std::ops::RangeInclusive<u32> = 2..=1_000_000;
const LIVES_MOST: u8 = 10;
const CHEAT_DAYS_MOST: u8 = 3;
const GRACE_MINUTES_MOST: u16 = 24 * 60;
const DAY_STARTS_AT_LATEST: WallTime = WallTime::hour(6);
const TARGET_KCAL: std::ops::RangeInclusive<u32> = 1000..=5000;
const TOLERANCE_KCAL_MOST: u32 = 500;
const MEALS: std::ops::RangeInclusive<u8> = 1..=5;
/// A kilogram.
const MACRO_MG_MOST: u32 = 1_000_000;
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
        _ => None,
    })
}

/// How many valid meals the terms ask for.
#[must_use]
pub fn meals_asked(terms: &Terms) -> Option<u32> {
    terms.requirements.iter().find_map(|requirement| match *requirement {
        Requirement::Meals { at_least, .. } => Some(u32::from(at_least)),
        _ => None,
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
            _ => None,
        })
        .unwrap_or(defaults::cutoff())
}

/// When a meal of each kind is a valid one.
#[must_use]
pub fn windows(terms: &Terms) -> Windows {
    let asked = terms.requirements.iter().find_map(|requirement| match *requirement {
        Requirement::Meals { windows, .. } => Some(windows),
        _ => None,
    });
    asked.unwrap_or_default()
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
        (
            terms.cheat_days_per_week <= CHEAT_DAYS_MOST,
            "cheat_days_per_week",
            "at most 3 days a week can be taken off".to_owned(),
        ),
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
    let kinds = |requirement: &Requirement| {
        let nutrient = if let Requirement::Macro { nutrient, .. } = requirement { Some(*nutrient) } else { None };
        (std::mem::discriminant(requirement), nutrient)
    };
    if requirements.iter().enumerate().any(|(i, one)| requirements[..i].iter().any(|other| kinds(other) == kinds(one)))
    {
        return refuse("each kind of requirement, and each nutrient, is named once at most");
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
            Requirement::Meals { at_least, cutoff, windows } => {
                if !MEALS.contains(&at_least) {
                    return refuse("a day asks for 1 to 5 meals");
                }
                let windows = [windows.breakfast, windows.lunch, windows.snack, windows.dinner];
                if windows.iter().any(|window| window.from >= window.until) {
                    return refuse("a window of a meal ends after it begins");
                }
                if windows.iter().all(|window| cutoff <= window.from) {
                    return refuse("with a cutoff before all windows no meal could be valid");
                }
            }
            Requirement::Macro { nutrient, at_least_mg, at_most_mg, at_least_permille, at_most_permille } => {
                let (amount, share) = ((at_least_mg, at_most_mg), (at_least_permille, at_most_permille));
                check_macro(nutrient, amount, share)?;
            }
            Requirement::Grade { at_worst } => {
                if matches!(at_worst, Grade::E | Grade::Unknown) {
                    return refuse("the worst grade that can be asked for is A to D");
                }
            }
            Requirement::Photo {} => {}
        }
    }
    check_together(requirements)
}

type Bounds = (Option<u32>, Option<u32>);

fn check_macro(nutrient: Nutrient, amount: Bounds, share: Bounds) -> Result<(), Refusal> {
    let refuse = |why: &str| Err(Refusal::Terms { field: "requirements", why: why.to_owned() });
    let is_asked = |bounds: Bounds| bounds.0.is_some() || bounds.1.is_some();
    let (at_least, at_most) = match (is_asked(amount), is_asked(share)) {
        (true, false) => amount,
        (false, true) => share,
        (true, true) => return refuse("a nutrient is asked for as an amount or as a share, not as both"),
        (false, false) => return refuse("a nutrient needs a bound"),
    };
    if is_asked(share) && nutrient == Nutrient::Sodium {
        return refuse("sodium has no energy: ask for an amount");
    }
    if at_least.zip(at_most).is_some_and(|(least, most)| least > most) {
        return refuse("at least more than at most cannot be eaten");
    }
    let most = if is_asked(share) { 1000 } else { MACRO_MG_MOST };
    if at_least.max(at_most) > Some(most) {
        return refuse("a nutrient is bounded by at most 1,000 g, or 1,000 thousandths of the energy");
    }
    if at_most == Some(0) || (nutrient == Nutrient::Protein && at_most.is_some()) {
        return refuse("to eat no more than nothing, or not to eat too much protein, is no game that is safe");
    }
    Ok(())
}

/// Refuses what nobody could keep: more energy in what a day has at least than the day may have.
fn check_together(requirements: &[Requirement]) -> Result<(), Refusal> {
    let band = requirements.iter().find_map(|requirement| match *requirement {
        Requirement::Calories { target_kcal, tolerance_kcal } => Some(u64::from(target_kcal + tolerance_kcal)),
        _ => None,
    });
    let least = |asked: &Requirement| match *asked {
        Requirement::Macro { nutrient, at_least_mg: Some(least), .. } => match nutrient {
            Nutrient::Carbohydrate | Nutrient::Protein => u64::from(least) * 4,
            Nutrient::Fat => u64::from(least) * 9,
            Nutrient::Fibre | Nutrient::Sugars | Nutrient::Sodium => 0,
        },
        _ => 0,
    };
    let thousandths: u64 = requirements.iter().map(least).sum();
    if band.is_some_and(|kcal| thousandths > kcal * 1000) {
        let why = "what is asked of nutrients has more energy than the band allows";
        return Err(Refusal::Terms { field: "requirements", why: why.to_owned() });
    }
    let shares = requirements.iter().map(|asked| match *asked {
        Requirement::Macro {
            nutrient: Nutrient::Carbohydrate | Nutrient::Protein | Nutrient::Fat,
            at_least_permille: Some(least),
            ..
        } => least,
        _ => 0,
    });
    if shares.sum::<u32>() > 1000 {
        let why = "the least shares of the energy come to more than the whole";
        return Err(Refusal::Terms { field: "requirements", why: why.to_owned() });
    }
    Ok(())
}
