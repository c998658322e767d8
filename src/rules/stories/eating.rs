//! What a day's log comes to: the verdict, its findings, its points, and how it looks while it is open.

use lastbite_protocol::{Progress, rest::Finding};

use super::*;
use crate::rules::{points, verdict::Sheet};

fn verdict(log: &[LoggedMeal]) -> Verdict {
    Sheet::of(&challenge(), log).verdict
}

fn points_of(terms: &Terms, log: &[LoggedMeal]) -> u32 {
    points::of_judged(terms, &Sheet::of(terms, log))
}

fn valid_meals(terms: &Terms, log: &[LoggedMeal]) -> u32 {
    Sheet::of(terms, log).valid_meals
}

#[test]
fn both_edges_of_the_band_are_allowed_and_both_sides_outside_fail() {
    assert_eq!(verdict(&two_meals(1399)), Verdict::Missed, "eating too little is no way to win");
    assert_eq!(verdict(&two_meals(1400)), Verdict::Kept);
    assert_eq!(verdict(&two_meals(1600)), Verdict::Kept);
    assert_eq!(verdict(&two_meals(1601)), Verdict::Missed);
}

#[test]
fn a_band_without_tolerance_allows_its_target_only() {
    let exact = challenge().asking([calories(1500, 0)]);
    let verdict = |kcal| Sheet::of(&exact, &two_meals(kcal)).verdict;
    assert_eq!([1499, 1500, 1501].map(verdict), [Verdict::Missed, Verdict::Kept, Verdict::Missed]);
}

#[test]
fn all_requirements_must_hold() {
    assert_eq!(verdict(&[lunch(1500)]), Verdict::Missed, "the energy is right, a meal is missing");
    assert_eq!(verdict(&[lunch(500), dinner(500)]), Verdict::Missed, "two meals, too little energy");
    assert_eq!(verdict(&[lunch(750), dinner(750)]), Verdict::Kept);
    assert_eq!(verdict(&[]), Verdict::Missed, "nothing logged");
}

#[test]
fn the_findings_say_what_was_seen_and_what_was_allowed() {
    let sheet = Sheet::of(&challenge(), &[lunch(1000), meal(MealKind::Dinner, "23:30", 620)]);
    let calories = Finding::Calories { held: false, energy_kcal: 1620, at_least_kcal: 1400, at_most_kcal: 1600 };
    let meals = Finding::Meals { held: false, valid: 1, logged: 2, at_least: 2 };
    assert_eq!(sheet.findings, [calories, meals], "in the order of the terms");
}

#[test]
fn a_meal_is_valid_from_the_start_of_its_window_to_just_before_its_end() {
    use MealKind::{Breakfast, Dinner, Lunch, Snack};
    for (kind, from, last, until) in [
        (Breakfast, "06:00", "10:59:59.999", "11:00"),
        (Lunch, "11:00", "14:59:59.999", "15:00"),
        (Snack, "15:00", "17:59:59.999", "18:00"),
        (Dinner, "18:00", "22:59:59.999", "23:00"),
    ] {
        let valid = |time| valid_meals(&challenge(), &[meal(kind, time, 500)]) == 1;
        assert!(valid(from), "{kind:?} at {from}");
        assert!(valid(last), "{kind:?} at {last}");
        assert!(!valid(until), "{kind:?} at {until}");
    }
    let early = [
        meal(Breakfast, "05:59:59.999", 500),
        meal(Lunch, "10:59:59.999", 500),
        meal(Snack, "14:59:59.999", 500),
        meal(Dinner, "17:59:59.999", 500),
    ];
    assert_eq!(valid_meals(&challenge(), &early), 0, "each a millisecond too early");
}

#[test]
fn the_cutoff_ends_a_window_early_and_never_makes_it_longer() {
    let valid = |cutoff, time| {
        let terms = challenge().asking([meals_before(1, cutoff)]);
        valid_meals(&terms, &[meal(MealKind::Dinner, time, 500)]) == 1
    };
    assert!(valid("20:30", "20:29:59.999"));
    assert!(!valid("20:30", "20:30"));
    assert!(!valid("23:59", "23:00"), "the window of a dinner ends at 23:00 all the same");
}

#[test]
fn energy_outside_the_window_or_after_the_cutoff_still_counts() {
    let late_noodles = meal(MealKind::Dinner, "23:30", 101);
    assert_eq!(verdict(&[lunch(750), dinner(750)]), Verdict::Kept);
    assert_eq!(verdict(&[lunch(750), dinner(750), late_noodles]), Verdict::Missed, "1,601 kcal");
    assert_eq!(verdict(&[lunch(700), dinner(650), late_noodles]), Verdict::Kept, "it brings the day into the band");

    let terms = challenge().asking([calories(1500, 100), meals_before(2, "18:30")]);
    let sheet = Sheet::of(&terms, &[breakfast(500), lunch(500), dinner(500)]);
    assert_eq!((sheet.valid_meals, sheet.energy_kcal), (2, 1500), "dinner came after the cutoff");
}

#[test]
fn any_number_of_snacks_counts() {
    assert_eq!(verdict(&[snack(500), snack(500), snack(500)]), Verdict::Kept);
}

#[test]
fn a_kept_day_is_worth_60_and_6_and_up_to_25_for_accuracy() {
    let points = |kcal| points_of(&challenge(), &two_meals(kcal));
    assert_eq!(points(1500), 60 + 25 + 6, "at the target");
    assert_eq!((points(1499), points(1501)), (60 + 24 + 6, 60 + 24 + 6), "rounded down");
    assert_eq!((points(1450), points(1550)), (60 + 12 + 6, 60 + 12 + 6), "halfway");
    assert_eq!((points(1400), points(1600)), (60 + 6, 60 + 6), "at the edges");
}

#[test]
fn a_missed_day_is_worth_nothing() {
    assert_eq!(points_of(&challenge(), &two_meals(1399)), 0);
    assert_eq!(points_of(&challenge(), &two_meals(1601)), 0);
    assert_eq!(points_of(&challenge(), &[lunch(1500)]), 0, "accurate, and a meal short");
}

#[test]
fn accuracy_needs_a_band() {
    assert_eq!(points_of(&challenge().asking([meals(2)]), &two_meals(1500)), 60 + 6);
    assert_eq!(points_of(&challenge().asking([calories(1500, 0)]), &two_meals(1500)), 60 + 25 + 6);
}

#[test]
fn deviation_of_a_kept_day_is_counted_in_thousandths_of_the_target_and_a_missed_one_tells_nothing() {
    let deviation = |terms: &Terms, kcal| points::deviation_permille(terms, &Sheet::of(terms, &two_meals(kcal)));
    let terms = challenge();
    assert_eq!(deviation(&terms, 1500), 0);
    assert_eq!((deviation(&terms, 1425), deviation(&terms, 1575)), (50, 50), "either side");
    assert_eq!(deviation(&terms, 1501), 0, "rounded down");
    for kcal in [0, 1399, 1601, 1_000_000] {
        assert_eq!(deviation(&terms, kcal), 1000, "whatever was eaten: {kcal}");
    }
    assert_eq!(points::deviation_permille(&terms, &Sheet::of(&terms, &[lunch(1500)])), 1000, "and however near it was");
    assert_eq!(deviation(&challenge().asking([meals(2)]), 1_000_000), 0, "no band, no target");
}

#[test]
fn an_open_day_shows_its_60_points_meal_by_meal() {
    let three = challenge().asking([calories(1500, 100), meals(3)]);
    let day = [breakfast(300), lunch(500), snack(100), dinner(500)];
    let shown = |meals: usize| points::of_open(&three, &day[..meals]).1;
    assert_eq!([0, 1, 2, 3, 4].map(shown), [0, 20, 40, 60, 60], "the fourth was not asked for");

    let five = challenge().asking([meals(5)]);
    assert_eq!(points::of_open(&five, &day).1, 48);
}

#[test]
fn a_meal_outside_its_window_shows_no_points() {
    assert_eq!(points::of_open(&challenge(), &[meal(MealKind::Lunch, "15:00", 700)]), (Progress::OnTrack, 0));
}

#[test]
fn over_the_upper_edge_an_open_day_shows_nothing() {
    assert_eq!(points::of_open(&challenge(), &two_meals(1600)), (Progress::Done, 60));
    assert_eq!(points::of_open(&challenge(), &two_meals(1601)), (Progress::Over, 0));
    assert_eq!(points::of_open(&challenge(), &[lunch(1601)]), (Progress::Over, 0), "over beats a missing meal");
}

#[test]
fn eating_less_never_gains_a_point() {
    let shown = |kcal| points::of_open(&challenge(), &two_meals(kcal)).1;
    assert_eq!([0, 2, 1000, 1400, 1600].map(shown), [60; 5], "while the day is open only the meals count");
    assert_eq!([0, 2, 1000, 1399].map(|kcal| points_of(&challenge(), &two_meals(kcal))), [0; 4], "then it fails");
}

#[test]
fn an_open_day_is_on_track_then_short_or_done_or_over() {
    let looks = |log: &[LoggedMeal]| points::of_open(&challenge(), log).0;
    assert_eq!(looks(&[]), Progress::OnTrack);
    assert_eq!(looks(&[lunch(700)]), Progress::OnTrack);
    assert_eq!(looks(&[lunch(1500)]), Progress::OnTrack, "the energy is there, a meal is missing");
    assert_eq!(looks(&[lunch(700), dinner(699)]), Progress::Short, "enough meals, 1,399 kcal");
    assert_eq!(looks(&[lunch(700), dinner(700)]), Progress::Done);
    assert_eq!(looks(&[lunch(700), dinner(700), snack(201)]), Progress::Over);
}

#[test]
fn without_a_band_a_day_is_done_with_its_meals_and_never_over() {
    let terms = challenge().asking([meals(2)]);
    assert_eq!(points::of_open(&terms, &[lunch(9000)]), (Progress::OnTrack, 30));
    assert_eq!(points::of_open(&terms, &two_meals(20_000)), (Progress::Done, 60));
}

#[test]
fn without_a_number_of_meals_the_points_are_spread_over_two() {
    let terms = challenge().asking([calories(1500, 100)]);
    assert_eq!(points::of_open(&terms, &[lunch(700)]), (Progress::OnTrack, 30));
    assert_eq!(points::of_open(&terms, &[lunch(1500)]), (Progress::Done, 30), "the band is all that was asked for");
    assert_eq!(points::of_open(&terms, &two_meals(1500)), (Progress::Done, 60));
}

#[test]
fn the_board_hears_of_an_open_day_only_when_it_looks_new() {
    let mut mina = Mina::plays(challenge());
    assert_eq!(mina.logs(1, &[]), None, "nothing was logged yet");
    let told = mina.logs(1, &[lunch(700)]);
    assert_eq!(told, Some(Event::Progressed { player: MINA, day: 1, progress: Progress::OnTrack, points: 30 }));
    assert_eq!(mina.logs(1, &[lunch(701)]), None, "another number of kcal looks the same");
    assert!(mina.logs(1, &[lunch(701), dinner(800)]).is_some());
    assert_eq!(standing::points_shown(&mina.standing), 60);
    assert!(mina.logs(1, &[]).is_some(), "all of it deleted again");
    assert_eq!(standing::points_shown(&mina.standing), 0);
}

#[test]
fn two_days_can_be_open_at_once_and_are_judged_one_by_one() {
    let mut mina = Mina::plays(challenge());
    mina.logs(2, &[lunch(700)]);
    mina.logs(1, &two_meals(1500));
    let open: Vec<_> = mina.standing.open_days.iter().map(|open| (open.day, open.points)).collect();
    assert_eq!(open, [(1, 60), (2, 30)], "oldest first");
    assert_eq!(standing::points_shown(&mina.standing), 90);
    mina.ends_day_with(&two_meals(1500));
    assert_eq!(mina.standing.open_days.len(), 1, "the first day is judged");
    assert_eq!(standing::points_shown(&mina.standing), 91 + 30);
}
