//! What else a day may ask for: nutrients, a grade, photos, and windows of one's own.

use lastbite_protocol::{
    Progress,
    foods::Grade,
    rest::Finding,
    terms::{Nutrient, Window},
};

use super::*;
use crate::rules::{
    points, terms,
    verdict::{DayLog, Sheet},
};

fn least(nutrient: Nutrient, mg: u32) -> Requirement {
    bounded(nutrient, (Some(mg), None), (None, None))
}

fn most(nutrient: Nutrient, mg: u32) -> Requirement {
    bounded(nutrient, (None, Some(mg)), (None, None))
}

fn share(nutrient: Nutrient, at_least: Option<u32>, at_most: Option<u32>) -> Requirement {
    bounded(nutrient, (None, None), (at_least, at_most))
}

fn bounded(nutrient: Nutrient, mg: (Option<u32>, Option<u32>), permille: (Option<u32>, Option<u32>)) -> Requirement {
    Requirement::Macro {
        nutrient,
        at_least_mg: mg.0,
        at_most_mg: mg.1,
        at_least_permille: permille.0,
        at_most_permille: permille.1,
    }
}

fn with_protein(protein_mg: impl Into<Option<u32>>) -> LoggedMeal {
    LoggedMeal { amounts: Amounts { protein_mg: protein_mg.into(), ..Amounts::default() }, ..lunch(500) }
}

fn with_sodium(sodium_mg: impl Into<Option<u32>>) -> LoggedMeal {
    LoggedMeal { amounts: Amounts { sodium_mg: sodium_mg.into(), ..Amounts::default() }, ..dinner(500) }
}

fn kept(asked: Requirement, log: &[LoggedMeal]) -> bool {
    Sheet::of(&challenge().asking([asked]), log).verdict == Verdict::Kept
}

fn refused(requirements: impl Into<Vec<Requirement>>) -> bool {
    terms::check(&challenge().asking(requirements), seoul("2026-03-01 12:00")).is_err()
}

#[test]
fn at_least_so_much_holds_from_there_on_whatever_else_is_unknown() {
    let floor = least(Nutrient::Protein, 60_000);
    assert!(!kept(floor, &[with_protein(59_999)]));
    assert!(kept(floor, &[with_protein(60_000)]));
    assert!(kept(floor, &[with_protein(60_000), with_protein(None)]), "what is unknown can only be more");
    assert!(!kept(floor, &[with_protein(59_999), with_protein(None)]), "but it is not counted");
}

#[test]
fn at_most_so_much_has_to_be_known_of_every_meal() {
    let ceiling = most(Nutrient::Sodium, 2_000);
    assert!(kept(ceiling, &[with_sodium(2_000)]));
    assert!(!kept(ceiling, &[with_sodium(2_001)]));
    assert!(!kept(ceiling, &[with_sodium(500), with_sodium(None)]), "an entry without sodium hides it");
    let sheet = Sheet::of(&challenge().asking([ceiling]), &[with_sodium(500), with_sodium(None)]);
    let unknown = Finding::Macro {
        held: false,
        nutrient: Nutrient::Sodium,
        amount_mg: 500,
        unknown_meals: 1,
        share_permille: None,
        at_least: None,
        at_most: Some(2_000),
    };
    assert_eq!(sheet.findings, [unknown], "and it says of how many meals it is not known");
}

#[test]
fn a_share_is_that_of_the_energy_exactly() {
    // 500 kcal, of which 31.25 g of protein are 125: a quarter.
    let quarter = share(Nutrient::Protein, Some(250), None);
    assert!(kept(quarter, &[with_protein(31_250)]));
    assert!(!kept(quarter, &[with_protein(31_249)]));
    let at_most = share(Nutrient::Protein, None, Some(250));
    assert!(kept(at_most, &[with_protein(31_250)]));
    assert!(!kept(at_most, &[with_protein(31_251)]));
    assert!(!kept(at_most, &[]), "of nothing there is no share");
}

#[test]
fn a_day_graded_as_asked_or_better_holds_and_an_unknown_one_does_not() {
    let terms = challenge().asking([Requirement::Grade { at_worst: Grade::B }]);
    let meals = [lunch(500)];
    let verdict = |grade| Sheet::of(&terms, DayLog { meals: &meals, grade }).verdict;
    assert_eq!([Grade::A, Grade::B].map(verdict), [Verdict::Kept; 2]);
    assert_eq!([Grade::C, Grade::E, Grade::Unknown].map(verdict), [Verdict::Missed; 3]);
}

#[test]
fn the_grade_of_a_kept_day_is_worth_points() {
    let meals = two_meals(1500);
    let points = |grade| points::of_judged(&challenge(), &Sheet::of(&challenge(), DayLog { meals: &meals, grade }));
    let grades = [Grade::A, Grade::B, Grade::C, Grade::D, Grade::E, Grade::Unknown];
    assert_eq!(grades.map(points), [100, 97, 93, 89, 85, 91]);
}

#[test]
fn each_valid_meal_shows_a_photo() {
    let photo = |meal: LoggedMeal| LoggedMeal { has_photo: true, ..meal };
    let asked = Requirement::Photo {};
    assert!(!kept(asked, &[]), "nothing is no diary of photos");
    assert!(kept(asked, &[photo(lunch(500)), photo(dinner(500))]));
    assert!(!kept(asked, &[photo(lunch(500)), dinner(500)]));
    let at_night = meal(MealKind::Dinner, "23:30", 500);
    assert!(kept(asked, &[photo(lunch(500)), at_night]), "a meal that is not a valid one needs none");
}

#[test]
fn a_challenge_may_have_windows_of_its_own() {
    let windows =
        Windows { dinner: Window { from: WallTime::hour(16), until: WallTime::hour(19) }, ..Windows::default() };
    let terms = challenge().asking([Requirement::Meals { at_least: 1, cutoff: WallTime::hour(23), windows }]);
    let valid = |time| Sheet::of(&terms, &[meal(MealKind::Dinner, time, 500)]).valid_meals;
    assert_eq!(["15:59:59.999", "16:00", "18:59:59.999", "19:00"].map(valid), [0, 1, 1, 0]);
    let nothing = Windows { lunch: Window { from: WallTime::hour(12), until: WallTime::hour(12) }, ..windows };
    assert!(refused([Requirement::Meals { at_least: 1, cutoff: WallTime::hour(23), windows: nothing }]));
}

#[test]
fn too_much_sodium_is_over_as_too_much_energy_is() {
    let terms = challenge().asking([most(Nutrient::Sodium, 2_000), meals(2)]);
    assert_eq!(points::of_open(&terms, &[with_sodium(2_001)]), (Progress::Over, 0));
    assert_eq!(points::of_open(&terms, &[with_sodium(2_000)]), (Progress::OnTrack, 30));
}

#[test]
fn what_cannot_be_kept_or_is_no_bound_is_refused() {
    use Nutrient::{Carbohydrate, Fat, Protein, Sodium};
    assert!(!refused([least(Protein, 60_000), most(Sodium, 2_000), calories(1500, 100)]));
    assert!(refused([least(Protein, 60_000), least(Protein, 70_000)]), "each nutrient once");
    assert!(refused([bounded(Protein, (None, None), (None, None))]), "no bound");
    assert!(refused([bounded(Fat, (Some(10), None), (Some(100), None))]), "two measures");
    assert!(refused([bounded(Fat, (Some(11), Some(10)), (None, None))]), "more than the most");
    assert!(refused([share(Sodium, None, Some(100))]), "salt has no energy");
    assert!(refused([share(Fat, None, Some(1_001))]), "more than all");
    assert!(refused([least(Protein, 1_000_001)]), "more than a kilogram");
    assert!(refused([most(Protein, 50_000)]), "no game is to keep anybody from protein");
    assert!(refused([most(Fat, 0)]), "nor from all fat");
    assert!(!refused([calories(1500, 100), least(Protein, 400_000)]), "400 g are the 1,600 kcal that may be eaten");
    assert!(refused([calories(1500, 100), least(Protein, 400_001)]));
    assert!(refused([share(Protein, Some(500), None), share(Carbohydrate, Some(501), None)]), "more than the whole");
    assert!(refused([Requirement::Grade { at_worst: Grade::E }]), "which every day is");
}
