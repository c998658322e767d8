//! The diary at a glance: days, months and ranges, made of what was eaten, what challenges said, and what the user weighed.
//!
//! However much was logged, a glance takes the same few queries. An answer is kept by a fingerprint of all that it is made
//! of, so it is never an old one.

use std::{cmp::Reverse, collections::BTreeMap};

use chrono::NaiveDate;
use lastbite_protocol::{
    UserId,
    diary::{DayGlance, DayScore, DiaryDay, DiaryRange, GradeCounts, VerdictGlance},
    foods::{Grade, Nutrients},
    meals::{Contents, Meal, MealKind},
    profile::Weight,
};

use crate::nutrition::{
    day_score::day_score,
    nutri_score,
    portion::{Plate, Portion},
};

pub(super) mod cache;
pub(super) mod http;
mod store;

pub use cache::Glances;
pub(crate) use store::list_waters;
pub(super) use store::{erase, logged_before, logged_from};

/// What a glance is made of.
struct Facts {
    meals: Vec<Eaten>,
    verdicts: Vec<(NaiveDate, VerdictGlance)>,
    weights: Vec<Weight>,
    /// Dates and ml.
    waters: Vec<(NaiveDate, u32)>,
    target_kcal: Option<u32>,
}

/// A meal as a glance sees it.
struct Eaten {
    date: NaiveDate,
    kind: MealKind,
    energy_kcal: u32,
    contents: Contents,
    /// Nobody has told yet what it was.
    is_unknown: bool,
}

/// The sum of what was in meals; what is unknown of one is unknown of all.
fn sum<'c>(contents: impl Iterator<Item = &'c Contents>) -> Nutrients {
    // A hundred grams of each meal as a food whose every hundred grams hold what the meal did: the sum is exact.
    let whole = |contents: &Contents| Portion {
        per_100g: contents.nutrients,
        grams_dg: 1_000,
        category: lastbite_protocol::foods::FoodCategory::General,
        fruit_veg_legume_permille: None,
        has_sweetener: None,
    };
    let portions: Vec<_> = contents.map(whole).collect();
    if portions.is_empty() { Nutrients::default() } else { Plate::of(&portions).nutrients() }
}

fn day(date: NaiveDate, meals: Vec<Meal>, facts: Facts) -> DiaryDay {
    let contents = || meals.iter().map(|meal| &meal.contents);
    let total = |amount: fn(&Meal) -> u32| meals.iter().map(amount).fold(0_u32, u32::saturating_add);
    let (nutrients, scored) = (sum(contents()), nutri_score::of_day(contents()));
    let score = day_score(&nutrients);
    DiaryDay {
        date,
        energy_kcal: total(|meal| meal.amounts.energy_kcal),
        energy_kcal_low: total(|meal| meal.contents.energy_kcal_low),
        energy_kcal_high: total(|meal| meal.contents.energy_kcal_high),
        nutrients,
        grade: scored.grade,
        grade_estimated: scored.estimated,
        score: (score.known > 0).then_some(DayScore {
            score_centi: score.score_centi,
            most_centi: score.most_centi,
            known: score.known,
            of: score.of,
        }),
        target_kcal: facts.target_kcal,
        verdicts: facts.verdicts.into_iter().map(|(_, verdict)| verdict).collect(),
        weight_g: facts.weights.first().map(|weight| weight.weight_g),
        water_ml: facts.waters.first().map(|(_, water_ml)| *water_ml),
        meals,
    }
}

/// The days with something to tell, in order.
fn days(facts: &Facts) -> Vec<DayGlance> {
    let blank = |date| DayGlance {
        date,
        kinds: Vec::new(),
        meals: 0,
        unknown_meals: 0,
        energy_kcal: 0,
        grade: Grade::Unknown,
        verdicts: Vec::new(),
        weight_g: None,
        water_ml: None,
    };
    let mut eaten: BTreeMap<NaiveDate, Vec<&Eaten>> = BTreeMap::new();
    for meal in &facts.meals {
        eaten.entry(meal.date).or_default().push(meal);
    }
    let mut days: BTreeMap<NaiveDate, DayGlance> = BTreeMap::new();
    for (date, meals) in eaten {
        let glance = days.entry(date).or_insert_with(|| blank(date));
        for kind in [MealKind::Breakfast, MealKind::Lunch, MealKind::Snack, MealKind::Dinner] {
            if meals.iter().any(|meal| meal.kind == kind) {
                glance.kinds.push(kind);
            }
        }
        glance.meals = u32::try_from(meals.len()).unwrap_or(u32::MAX);
        let unknown = meals.iter().filter(|meal| meal.is_unknown).count();
        glance.unknown_meals = u32::try_from(unknown).unwrap_or(u32::MAX);
        glance.energy_kcal = meals.iter().fold(0, |sum, meal| sum.saturating_add(meal.energy_kcal));
        glance.grade = nutri_score::of_day(meals.iter().map(|meal| &meal.contents)).grade;
    }
    for (date, verdict) in &facts.verdicts {
        days.entry(*date).or_insert_with(|| blank(*date)).verdicts.push(verdict.clone());
    }
    for weight in &facts.weights {
        days.entry(weight.date).or_insert_with(|| blank(weight.date)).weight_g = Some(weight.weight_g);
    }
    for (date, water_ml) in &facts.waters {
        days.entry(*date).or_insert_with(|| blank(*date)).water_ml = Some(*water_ml);
    }
    days.into_values().collect()
}

fn range(from: NaiveDate, to: NaiveDate, facts: Facts) -> DiaryRange {
    let days = days(&facts);
    let days_logged = u32::try_from(days.iter().filter(|day| day.meals > 0).count()).unwrap_or(u32::MAX);
    // A day of which a part is unknown says nothing of how much was eaten.
    let logged: Vec<&DayGlance> = days.iter().filter(|day| day.meals > 0 && day.unknown_meals == 0).collect();
    let count = u64::try_from(logged.len()).unwrap_or(u64::MAX);
    let total: u64 = logged.iter().map(|day| u64::from(day.energy_kcal)).sum();
    let average = (count > 0).then(|| u32::try_from((total + count / 2) / count).unwrap_or(u32::MAX));
    let off = |day: &DayGlance| facts.target_kcal.map_or(0, |target| day.energy_kcal.abs_diff(target));
    let on_target = |target: u32| logged.iter().filter(|day| u64::from(off(day)) * 10 <= u64::from(target)).count();
    let mut grades = GradeCounts::default();
    for day in &logged {
        grades.add(day.grade);
    }
    let graded = || logged.iter().filter(|day| day.grade != Grade::Unknown);
    DiaryRange {
        from,
        to,
        days_logged,
        average_energy_kcal: average,
        days_on_target: facts.target_kcal.map(|target| u32::try_from(on_target(target)).unwrap_or(u32::MAX)),
        trend_kcal_per_week: trend(from, &logged),
        grades,
        best: graded().min_by_key(|day| (day.grade, off(day), day.date)).map(|day| day.date),
        worst: graded().min_by_key(|day| (Reverse(day.grade), Reverse(off(day)), day.date)).map(|day| day.date),
        weights: facts.weights,
        days,
    }
}

/// The slope of the line of least squares, kcal a week, half away from zero.
fn trend(from: NaiveDate, logged: &[&DayGlance]) -> Option<i32> {
    if logged.len() < 3 {
        return None;
    }
    let points = || logged.iter().map(|day| ((day.date - from).num_days(), i64::from(day.energy_kcal)));
    let n = i64::try_from(logged.len()).ok()?;
    let (x, y) = points().fold((0_i64, 0_i64), |(x, y), point| (x + point.0, y + point.1));
    let (xy, xx) = points().fold((0_i64, 0_i64), |(xy, xx), (x, y)| (xy + x * y, xx + x * x));
    let (over, under) = ((n * xy - x * y) * 7, n * xx - x * x);
    let half = if over < 0 { -under / 2 } else { under / 2 };
    i32::try_from((over + half).checked_div(under)?).ok()
}

/// Whose glance it is, and of what.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Asked {
    user: UserId,
    form: Form,
    from: NaiveDate,
    to: NaiveDate,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Form {
    Day,
    Month,
    Range,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn glance(date: &str, energy_kcal: u32, grade: Grade) -> Eaten {
        let mut contents = super::super::contents::entered(&lastbite_protocol::meals::Amounts {
            energy_kcal,
            carbohydrate_mg: None,
            protein_mg: None,
            fat_mg: None,
        });
        contents.grade = grade;
        Eaten { date: date.parse().unwrap(), kind: MealKind::Lunch, energy_kcal, contents, is_unknown: false }
    }

    fn facts(energies: &[(&str, u32)]) -> Facts {
        Facts {
            meals: energies.iter().map(|(date, energy)| glance(date, *energy, Grade::Unknown)).collect(),
            verdicts: Vec::new(),
            weights: Vec::new(),
            waters: Vec::new(),
            target_kcal: Some(1_000),
        }
    }

    #[test]
    fn a_range_counts_only_days_with_a_meal() {
        let (from, to) = ("2026-03-01".parse().unwrap(), "2026-03-10".parse().unwrap());
        let seen = range(
            from,
            to,
            facts(&[("2026-03-01", 900), ("2026-03-02", 500), ("2026-03-02", 600), ("2026-03-08", 899)]),
        );
        assert_eq!((seen.days_logged, seen.average_energy_kcal, seen.days_on_target), (3, Some(966), Some(2)));
        assert_eq!(seen.grades, GradeCounts { unknown: 3, ..GradeCounts::default() });
        assert_eq!((seen.best, seen.worst), (None, None));
        let nothing = range(from, to, facts(&[]));
        assert_eq!((nothing.days_logged, nothing.average_energy_kcal, nothing.trend_kcal_per_week), (0, None, None));
    }

    #[test]
    fn a_trend_is_the_slope_of_the_days_that_there_are() {
        let from: NaiveDate = "2026-03-01".parse().unwrap();
        let trend_of = |energies: &[(&str, u32)]| {
            let days = days(&facts(energies));
            trend(from, &days.iter().collect::<Vec<_>>())
        };
        assert_eq!(trend_of(&[("2026-03-01", 1_000), ("2026-03-03", 1_020), ("2026-03-06", 1_050)]), Some(70));
        assert_eq!(trend_of(&[("2026-03-01", 1_050), ("2026-03-04", 1_020), ("2026-03-06", 1_000)]), Some(-70));
        assert_eq!(trend_of(&[("2026-03-01", 1_000), ("2026-03-02", 1_000), ("2026-03-03", 1_000)]), Some(0));
        assert_eq!(trend_of(&[("2026-03-01", 1_000), ("2026-03-02", 2_000)]), None);
    }
}
