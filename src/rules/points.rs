//! What a day is worth.

use lastbite_protocol::{Progress, Terms, Verdict, foods::Grade, terms::defaults};

use super::verdict::{DayLog, Sheet};

/// What every kept day gives.
const KEPT: u32 = 60;
/// What a cheat day gives.
const CHEAT: u32 = 30;
/// The most that nearness to the target adds.
const ACCURACY_MOST: u32 = 25;
const DEVIATION_PERMILLE_OF_MISSED: u32 = 1000;

/// The points of a judged day: kept = 60 + accuracy 0 to 25 + quality; cheat = 30; missed and void = 0.
#[must_use]
pub fn of_judged(terms: &Terms, sheet: &Sheet) -> u32 {
    match sheet.verdict {
        Verdict::Kept => KEPT + accuracy(terms, sheet) + quality(sheet.grade),
        Verdict::Missed | Verdict::Void => 0,
        Verdict::Cheat => CHEAT,
    }
}

/// What the grade of a kept day adds.
const fn quality(grade: Grade) -> u32 {
    match grade {
        Grade::A => 15,
        Grade::B => 12,
        Grade::C => 8,
        Grade::D => 4,
        Grade::E => 0,
        Grade::Unknown => 6,
    }
}

/// 25 at the target, 0 at the edge of the band, linear, rounded down; 0 without a band.
fn accuracy(terms: &Terms, sheet: &Sheet) -> u32 {
    let Some(band) = super::terms::band(terms) else { return 0 };
    let off = sheet.energy_kcal.abs_diff(u64::from(band.target_kcal));
    let tolerance = u64::from(band.tolerance_kcal);
    let Some(left) = tolerance.checked_sub(off) else { return 0 };
    // Without any tolerance, being inside means being at the target.
    let accuracy = (u64::from(ACCURACY_MOST) * left).checked_div(tolerance);
    accuracy.and_then(|points| u32::try_from(points).ok()).unwrap_or(ACCURACY_MOST)
}

/// How far a kept day's energy was from the target, in thousandths of the target; 0 without a band. A missed day counts
/// as far as can be, whatever was eaten: the number is part of the sort key that everybody sees, and for a missed day it
/// would tell the energy.
#[must_use]
pub fn deviation_permille(terms: &Terms, sheet: &Sheet) -> u32 {
    let Some(band) = super::terms::band(terms) else { return 0 };
    match sheet.verdict {
        Verdict::Kept => {}
        Verdict::Missed => return DEVIATION_PERMILLE_OF_MISSED,
        // They are not among the days that the mean is of.
        Verdict::Cheat | Verdict::Void => return 0,
    }
    let target = u64::from(band.target_kcal).max(1);
    let permille = sheet.energy_kcal.abs_diff(target).saturating_mul(1000) / target;
    u32::try_from(permille).unwrap_or(u32::MAX)
}

/// How an open day looks, and the points it shows on the live board: 60 spread over the valid meals asked for, 0 while
/// the day is over its upper edge. Eating less never gains a point.
#[must_use]
pub fn of_open<'a>(terms: &Terms, log: impl Into<DayLog<'a>>) -> (Progress, u32) {
    let sheet = Sheet::of(terms, log);
    let over = sheet.is_over();
    let asked = super::terms::meals_asked(terms).unwrap_or(u32::from(defaults::at_least()));
    let valid = sheet.valid_meals.min(asked);
    let progress = match sheet.verdict {
        _ if over => Progress::Over,
        Verdict::Kept => Progress::Done,
        Verdict::Missed if sheet.valid_meals >= asked => Progress::Short,
        _ => Progress::OnTrack,
    };
    (progress, if over { 0 } else { KEPT * valid / asked })
}
