//! A day's log against what the day asks for, requirement by requirement.

use chrono::{DateTime, Timelike, Utc};
use lastbite_protocol::{
    Requirement, Terms, Verdict, WallTime,
    rest::{Finding, MealKind},
};
use serde::{Deserialize, Serialize};

/// What the rules need to know of a meal. It belongs to the day that is judged; see [`super::day`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoggedMeal {
    pub kind: MealKind,
    pub eaten_at: DateTime<Utc>,
    pub energy_kcal: u32,
}

/// What a day's log comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sheet {
    pub verdict: Verdict,
    pub findings: Vec<Finding>,
    /// Energy of all meals of the day, those outside their windows included.
    pub energy_kcal: u64,
    pub valid_meals: u32,
}

impl Sheet {
    /// Judges a log. The order of the meals does not matter.
    #[must_use]
    pub fn of(terms: &Terms, log: &[LoggedMeal]) -> Self {
        let energy_kcal = log.iter().map(|meal| u64::from(meal.energy_kcal)).sum();
        let findings: Vec<_> =
            terms.requirements.iter().map(|requirement| find(requirement, terms, log, energy_kcal)).collect();
        let kept = findings.iter().all(held);
        let cutoff = super::terms::cutoff(terms);
        Self {
            verdict: if kept { Verdict::Kept } else { Verdict::Missed },
            findings,
            energy_kcal,
            valid_meals: valid_meals(terms, log, cutoff),
        }
    }
}

const fn held(finding: &Finding) -> bool {
    match finding {
        Finding::Calories { held, .. } | Finding::Meals { held, .. } => *held,
    }
}

fn find(requirement: &Requirement, terms: &Terms, log: &[LoggedMeal], energy_kcal: u64) -> Finding {
    match *requirement {
        Requirement::Calories { target_kcal, tolerance_kcal } => {
            let (at_least_kcal, at_most_kcal) = (target_kcal - tolerance_kcal, target_kcal + tolerance_kcal);
            Finding::Calories {
                held: (u64::from(at_least_kcal)..=u64::from(at_most_kcal)).contains(&energy_kcal),
                energy_kcal: u32::try_from(energy_kcal).unwrap_or(u32::MAX),
                at_least_kcal,
                at_most_kcal,
            }
        }
        Requirement::Meals { at_least, cutoff } => {
            let valid = valid_meals(terms, log, cutoff);
            let logged = u32::try_from(log.len()).unwrap_or(u32::MAX);
            Finding::Meals { held: valid >= u32::from(at_least), valid, logged, at_least: u32::from(at_least) }
        }
    }
}

/// Meals eaten within the window of their kind and before the cutoff, on the wall clock of the challenge.
fn valid_meals(terms: &Terms, log: &[LoggedMeal], cutoff: WallTime) -> u32 {
    let valid = |meal: &&LoggedMeal| {
        let local = meal.eaten_at.with_timezone(&terms.zone);
        let minutes = local.hour() * 60 + local.minute();
        let (from, until) = window(meal.kind);
        minutes >= u32::from(from.minutes())
            && minutes < u32::from(until.minutes())
            && minutes < u32::from(cutoff.minutes())
    };
    u32::try_from(log.iter().filter(valid).count()).unwrap_or(u32::MAX)
}

/// When a meal of a kind is a valid one; the end is excluded.
const fn window(kind: MealKind) -> (WallTime, WallTime) {
    match kind {
        MealKind::Breakfast => (WallTime::hour(6), WallTime::hour(11)),
        MealKind::Lunch => (WallTime::hour(11), WallTime::hour(15)),
        MealKind::Snack => (WallTime::hour(15), WallTime::hour(18)),
        MealKind::Dinner => (WallTime::hour(18), WallTime::hour(23)),
    }
}
