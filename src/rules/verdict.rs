//! A day's log against what the day asks for, requirement by requirement.

use chrono::{DateTime, Timelike, Utc};
use lastbite_protocol::{
    Requirement, Terms, Verdict,
    foods::Grade,
    meals::Contents,
    rest::{Finding, MealKind},
    terms::{Nutrient, Window, Windows},
};
use serde::{Deserialize, Serialize};

use crate::nutrition::nutri_score;

/// What the rules need to know of a meal. It belongs to the day that is judged; see [`super::day`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoggedMeal {
    pub kind: MealKind,
    pub eaten_at: DateTime<Utc>,
    pub energy_kcal: u32,
    #[serde(default, skip_serializing_if = "Amounts::is_empty")]
    pub amounts: Amounts,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub has_photo: bool,
}

/// A meal as the diary keeps it.
#[derive(Clone, Debug)]
pub struct Kept {
    pub kind: MealKind,
    pub eaten_at: DateTime<Utc>,
    pub energy_kcal: u32,
    /// None of meals from before there were foods: nothing is known of them but their energy.
    pub contents: Option<Contents>,
    pub has_photo: bool,
}

impl From<&Kept> for LoggedMeal {
    fn from(kept: &Kept) -> Self {
        let nutrients = kept.contents.as_ref().map(|contents| contents.nutrients).unwrap_or_default();
        Self {
            kind: kept.kind,
            eaten_at: kept.eaten_at,
            energy_kcal: kept.energy_kcal,
            amounts: Amounts {
                carbohydrate_mg: nutrients.carbohydrate_mg,
                protein_mg: nutrients.protein_mg,
                fat_mg: nutrients.fat_mg,
                fibre_mg: nutrients.fibre_mg,
                sugars_mg: nutrients.sugars_mg,
                sodium_mg: nutrients.sodium_mg,
            },
            has_photo: kept.has_photo,
        }
    }
}

/// The grade of all foods of meals; unknown when it is not known of one what it is made of.
#[must_use]
pub fn grade_of(meals: &[Kept]) -> Grade {
    let contents: Option<Vec<_>> = meals.iter().map(|meal| meal.contents.as_ref()).collect();
    contents.map_or(Grade::Unknown, |all| nutri_score::of_day(all.into_iter()).grade)
}

/// What is known of a meal's nutrients, mg.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Amounts {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub carbohydrate_mg: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub protein_mg: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fat_mg: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fibre_mg: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sugars_mg: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sodium_mg: Option<u32>,
}

impl Amounts {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    const fn of(&self, nutrient: Nutrient) -> Option<u32> {
        match nutrient {
            Nutrient::Carbohydrate => self.carbohydrate_mg,
            Nutrient::Protein => self.protein_mg,
            Nutrient::Fat => self.fat_mg,
            Nutrient::Fibre => self.fibre_mg,
            Nutrient::Sugars => self.sugars_mg,
            Nutrient::Sodium => self.sodium_mg,
        }
    }
}

/// Energy of a gram by the general Atwater factors; fibre as in EU 1169/2011.
const fn kcal_per_g(nutrient: Nutrient) -> u64 {
    match nutrient {
        Nutrient::Carbohydrate | Nutrient::Protein | Nutrient::Sugars => 4,
        Nutrient::Fat => 9,
        Nutrient::Fibre => 2,
        Nutrient::Sodium => 0,
    }
}

/// All that was logged for a day.
#[derive(Clone, Copy, Debug)]
pub struct DayLog<'a> {
    pub meals: &'a [LoggedMeal],
    /// The Nutri-Score of all foods of the day together; see [`crate::nutrition::nutri_score::of_day`].
    pub grade: Grade,
}

impl<'a, M: AsRef<[LoggedMeal]> + ?Sized> From<&'a M> for DayLog<'a> {
    /// Of meals that nobody knows a grade of.
    fn from(meals: &'a M) -> Self {
        Self { meals: meals.as_ref(), grade: Grade::Unknown }
    }
}

/// What a day's log comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sheet {
    pub verdict: Verdict,
    pub findings: Vec<Finding>,
    /// Energy of all meals of the day, those outside their windows included.
    pub energy_kcal: u64,
    pub valid_meals: u32,
    pub grade: Grade,
}

impl Sheet {
    /// Judges a log. The order of the meals does not matter.
    #[must_use]
    pub fn of<'a>(terms: &Terms, log: impl Into<DayLog<'a>>) -> Self {
        let log = log.into();
        let day = Day::of(terms, log);
        let findings: Vec<_> = terms.requirements.iter().map(|requirement| day.find(requirement)).collect();
        let kept = findings.iter().all(held);
        Self {
            verdict: if kept { Verdict::Kept } else { Verdict::Missed },
            findings,
            energy_kcal: day.energy_kcal,
            valid_meals: day.valid,
            grade: log.grade,
        }
    }

    /// Whether more was eaten than may be: nothing that is eaten later mends that.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.findings.iter().any(|finding| match *finding {
            Finding::Calories { energy_kcal, at_most_kcal, .. } => energy_kcal > at_most_kcal,
            Finding::Macro { amount_mg, share_permille: None, at_most: Some(at_most), .. } => {
                amount_mg > u64::from(at_most)
            }
            Finding::Macro { .. } | Finding::Meals { .. } | Finding::Grade { .. } | Finding::Photos { .. } => false,
        })
    }
}

const fn held(finding: &Finding) -> bool {
    match finding {
        Finding::Calories { held, .. }
        | Finding::Meals { held, .. }
        | Finding::Macro { held, .. }
        | Finding::Grade { held, .. }
        | Finding::Photos { held, .. } => *held,
    }
}

/// A log with the sums that several requirements look at.
struct Day<'a> {
    log: DayLog<'a>,
    energy_kcal: u64,
    valid: u32,
    valid_with_photo: u32,
}

impl<'a> Day<'a> {
    fn of(terms: &Terms, log: DayLog<'a>) -> Self {
        let valid = || log.meals.iter().filter(|meal| is_valid(terms, meal));
        Self {
            log,
            energy_kcal: log.meals.iter().map(|meal| u64::from(meal.energy_kcal)).sum(),
            valid: count(valid()),
            valid_with_photo: count(valid().filter(|meal| meal.has_photo)),
        }
    }

    fn find(&self, requirement: &Requirement) -> Finding {
        match *requirement {
            Requirement::Calories { target_kcal, tolerance_kcal } => {
                let (at_least_kcal, at_most_kcal) = (target_kcal - tolerance_kcal, target_kcal + tolerance_kcal);
                Finding::Calories {
                    held: (u64::from(at_least_kcal)..=u64::from(at_most_kcal)).contains(&self.energy_kcal),
                    energy_kcal: u32::try_from(self.energy_kcal).unwrap_or(u32::MAX),
                    at_least_kcal,
                    at_most_kcal,
                }
            }
            Requirement::Meals { at_least, .. } => {
                let (valid, at_least) = (self.valid, u32::from(at_least));
                Finding::Meals { held: valid >= at_least, valid, logged: count(self.log.meals.iter()), at_least }
            }
            Requirement::Macro { nutrient, at_least_mg, at_most_mg, at_least_permille, at_most_permille } => {
                if at_least_mg.is_some() || at_most_mg.is_some() {
                    self.find_amount(nutrient, at_least_mg, at_most_mg)
                } else {
                    self.find_share(nutrient, at_least_permille, at_most_permille)
                }
            }
            Requirement::Grade { at_worst } => {
                let grade = self.log.grade;
                Finding::Grade { held: grade <= at_worst && grade != Grade::Unknown, grade, at_worst }
            }
            Requirement::Photo {} => {
                let (valid, with_photo) = (self.valid, self.valid_with_photo);
                Finding::Photos { held: valid > 0 && with_photo == valid, with_photo, valid }
            }
        }
    }

    fn find_amount(&self, nutrient: Nutrient, at_least: Option<u32>, at_most: Option<u32>) -> Finding {
        let (amount_mg, unknown_meals) = self.amount(nutrient);
        // What is not known can only be more.
        let enough = at_least.is_none_or(|least| amount_mg >= u64::from(least));
        let not_more = at_most.is_none_or(|most| amount_mg <= u64::from(most) && unknown_meals == 0);
        Finding::Macro {
            held: enough && not_more,
            nutrient,
            amount_mg,
            unknown_meals,
            share_permille: None,
            at_least,
            at_most,
        }
    }

    /// The share counts as it is, and is told rounded down. Of a day without energy there is none.
    fn find_share(&self, nutrient: Nutrient, at_least: Option<u32>, at_most: Option<u32>) -> Finding {
        let (amount_mg, unknown_meals) = self.amount(nutrient);
        // mg × kcal/g are thousandths of a kcal, as energy × permille are.
        let part = amount_mg.saturating_mul(kcal_per_g(nutrient));
        let bound = |permille: u32| self.energy_kcal.saturating_mul(u64::from(permille));
        let enough = at_least.is_none_or(|least| part >= bound(least));
        let not_more = at_most.is_none_or(|most| part <= bound(most) && unknown_meals == 0);
        let share = part.checked_div(self.energy_kcal).unwrap_or(0);
        Finding::Macro {
            held: self.energy_kcal > 0 && enough && not_more,
            nutrient,
            amount_mg,
            unknown_meals,
            share_permille: Some(u32::try_from(share).unwrap_or(u32::MAX)),
            at_least,
            at_most,
        }
    }

    /// What is known to have been eaten of it, and of how many meals it is not known.
    fn amount(&self, nutrient: Nutrient) -> (u64, u32) {
        let known = || self.log.meals.iter().filter_map(|meal| meal.amounts.of(nutrient));
        let sum = known().map(u64::from).sum();
        (sum, count(self.log.meals.iter()) - count(known()))
    }
}

/// Whether a meal was eaten within the window of its kind and before the cutoff, on the wall clock of the challenge.
fn is_valid(terms: &Terms, meal: &LoggedMeal) -> bool {
    let local = meal.eaten_at.with_timezone(&terms.zone);
    let minutes = local.hour() * 60 + local.minute();
    let Window { from, until } = window(&super::terms::windows(terms), meal.kind);
    minutes >= u32::from(from.minutes())
        && minutes < u32::from(until.minutes())
        && minutes < u32::from(super::terms::cutoff(terms).minutes())
}

const fn window(windows: &Windows, kind: MealKind) -> Window {
    match kind {
        MealKind::Breakfast => windows.breakfast,
        MealKind::Lunch => windows.lunch,
        MealKind::Snack => windows.snack,
        MealKind::Dinner => windows.dinner,
    }
}

fn count<T>(of: impl Iterator<Item = T>) -> u32 {
    u32::try_from(of.count()).unwrap_or(u32::MAX)
}
