//! Which instant belongs to which day, also where the wall clock jumps.

use chrono::TimeDelta;

use super::*;
use crate::rules::{
    day::{Calendar, instant_of},
    verdict::Sheet,
};

const A_MILLISECOND: TimeDelta = TimeDelta::milliseconds(1);
const NEW_YORK: Tz = Tz::America__New_York;
const BERLIN: Tz = Tz::Europe__Berlin;
const LORD_HOWE: Tz = Tz::Australia__Lord_Howe;

/// The length of each of three days, in minutes, the middle one being `date`.
fn lengths_around(zone: Tz, date: &str, day_starts_at: &str) -> Vec<i64> {
    let before = super::date(date).pred_opt().unwrap().to_string();
    let terms = challenge().in_zone(zone, &before).starting_days_at(day_starts_at);
    assert_tiled(&terms);
    Calendar::of(&terms).clocks().map(|clock| (clock.ends_at - clock.starts_at).num_minutes()).collect()
}

/// Every instant of the challenge belongs to exactly one day, and none outside does.
fn assert_tiled(terms: &Terms) {
    let calendar = Calendar::of(terms);
    let clocks: Vec<_> = calendar.clocks().collect();
    assert_eq!(clocks.len(), usize::from(terms.days));
    assert_eq!((clocks[0].starts_at, clocks[clocks.len() - 1].ends_at), (calendar.starts_at(), calendar.ends_at()));
    assert!(clocks.windows(2).all(|pair| pair[0].ends_at == pair[1].starts_at), "no gap, no overlap");
    assert!(
        clocks.iter().all(|clock| clock.closes_at - clock.ends_at == TimeDelta::minutes(terms.grace_minutes.into()))
    );
    let mut instant = calendar.starts_at() - TimeDelta::hours(3);
    while instant < calendar.ends_at() + TimeDelta::hours(3) {
        for instant in [instant - A_MILLISECOND, instant] {
            let of: Vec<_> =
                clocks.iter().filter(|clock| clock.starts_at <= instant && instant < clock.ends_at).collect();
            assert!(of.len() <= 1, "{instant}");
            assert_eq!(calendar.day_of(instant), of.first().map(|clock| clock.day), "{instant}");
        }
        instant += TimeDelta::minutes(15);
    }
}

#[test]
fn a_day_is_24_hours_from_midnight_and_closes_after_the_grace() {
    let clock = Calendar::of(&challenge()).clock_of(2);
    assert_eq!((clock.day, clock.starts_at), (2, utc("2026-03-02 15:00")));
    assert_eq!((clock.ends_at, clock.closes_at), (utc("2026-03-03 15:00"), utc("2026-03-03 17:00")));
    assert_tiled(&challenge().lasting(14));
}

#[test]
fn the_last_millisecond_of_a_day_is_its_own() {
    let day_of = |instant| Calendar::of(&challenge()).day_of(instant);
    assert_eq!(day_of(seoul("2026-03-01 23:59:59.999")), None);
    assert_eq!(day_of(seoul("2026-03-02 00:00")), Some(1));
    assert_eq!(day_of(seoul("2026-03-02 23:59:59.999")), Some(1));
    assert_eq!(day_of(seoul("2026-03-03 00:00")), Some(2));
    assert_eq!(day_of(seoul("2026-03-04 23:59:59.999")), Some(3));
    assert_eq!(day_of(seoul("2026-03-05 00:00")), None);
}

#[test]
fn a_meal_at_half_past_midnight_in_seoul_is_of_the_new_day_though_it_is_yesterday_in_utc() {
    let eaten_at = utc("2026-03-02 15:30");
    assert_eq!(eaten_at, seoul("2026-03-03 00:30"));
    assert_eq!(Calendar::of(&challenge()).day_of(eaten_at), Some(2));
}

#[test]
fn a_traveller_eats_on_the_days_of_the_challenge() {
    let lunch_in_new_york = at(NEW_YORK, "2026-03-02 12:00");
    assert_eq!(Calendar::of(&challenge()).day_of(lunch_in_new_york), Some(2), "02:00 on the third in Seoul");
    let lunch = eaten(MealKind::Lunch, lunch_in_new_york, 700);
    assert_eq!(Sheet::of(&challenge(), &[lunch]).valid_meals, 0, "windows are on the challenge's wall clock too");
}

#[test]
fn when_days_start_at_three_a_meal_at_one_is_of_the_evening_before() {
    let terms = challenge().starting_days_at("03:00");
    let day_of = |instant| Calendar::of(&terms).day_of(instant);
    assert_eq!(day_of(seoul("2026-03-02 01:00")), None, "the challenge has not begun");
    assert_eq!(day_of(seoul("2026-03-02 03:00")), Some(1));
    assert_eq!(day_of(seoul("2026-03-03 01:00")), Some(1));
    assert_eq!(day_of(seoul("2026-03-03 02:59:59.999")), Some(1));
    assert_eq!(day_of(seoul("2026-03-03 03:00")), Some(2));
    assert_eq!(day_of(seoul("2026-03-05 02:59:59.999")), Some(3), "the last day ends in the night after it");
    assert_tiled(&terms);

    let midnight_snack = eaten(MealKind::Snack, seoul("2026-03-03 01:00"), 100);
    let sheet = Sheet::of(&terms, &[lunch(700), dinner(700), midnight_snack]);
    assert_eq!((sheet.energy_kcal, sheet.valid_meals), (1500, 2), "its energy counts, as a meal it does not");
}

#[test]
fn days_have_23_or_25_hours_where_the_clock_moves_by_one() {
    assert_eq!(lengths_around(NEW_YORK, "2026-03-08", "00:00"), [1440, 1380, 1440]);
    assert_eq!(lengths_around(NEW_YORK, "2026-11-01", "00:00"), [1440, 1500, 1440]);
    assert_eq!(lengths_around(BERLIN, "2026-03-29", "00:00"), [1440, 1380, 1440]);
    assert_eq!(lengths_around(BERLIN, "2026-10-25", "00:00"), [1440, 1500, 1440]);
}

#[test]
fn on_lord_howe_the_clock_moves_by_half_an_hour() {
    assert_eq!(lengths_around(LORD_HOWE, "2026-10-04", "00:00"), [1440, 1410, 1440]);
    assert_eq!(lengths_around(LORD_HOWE, "2026-04-05", "00:00"), [1440, 1470, 1440]);
}

#[test]
fn a_day_that_would_start_in_a_gap_starts_when_the_gap_ends() {
    let starts = |zone, date: &str, time: &str| instant_of(zone, super::date(date), time.parse().unwrap());
    assert_eq!(starts(NEW_YORK, "2026-03-08", "02:30"), at(NEW_YORK, "2026-03-08 03:00"));
    assert_eq!(starts(NEW_YORK, "2026-03-08", "02:00"), at(NEW_YORK, "2026-03-08 03:00"));
    assert_eq!(starts(BERLIN, "2026-03-29", "02:30"), utc("2026-03-29 01:00"));
    assert_eq!(starts(LORD_HOWE, "2026-10-04", "02:15"), utc("2026-10-03 15:30"));
    assert_eq!(lengths_around(NEW_YORK, "2026-03-08", "02:30"), [1410, 1410, 1440]);
    assert_eq!(lengths_around(BERLIN, "2026-03-29", "02:30"), [1410, 1410, 1440]);
    assert_eq!(lengths_around(LORD_HOWE, "2026-10-04", "02:15"), [1425, 1425, 1440]);
}

#[test]
fn a_day_that_would_start_twice_starts_the_second_time() {
    let starts = |zone, date: &str, time: &str| instant_of(zone, super::date(date), time.parse().unwrap());
    assert_eq!(starts(NEW_YORK, "2026-11-01", "01:30"), utc("2026-11-01 06:30"));
    assert_eq!(starts(BERLIN, "2026-10-25", "02:30"), utc("2026-10-25 01:30"));
    assert_eq!(starts(LORD_HOWE, "2026-04-05", "01:45"), utc("2026-04-04 15:15"));
    assert_eq!(lengths_around(NEW_YORK, "2026-11-01", "01:30"), [1500, 1440, 1440]);
    assert_eq!(lengths_around(BERLIN, "2026-10-25", "02:30"), [1500, 1440, 1440]);
    assert_eq!(lengths_around(LORD_HOWE, "2026-04-05", "01:45"), [1470, 1440, 1440]);
}

#[test]
fn a_meal_in_the_hour_that_comes_twice_belongs_to_the_day_that_has_it() {
    let terms = challenge().in_zone(NEW_YORK, "2026-10-31").starting_days_at("01:30");
    let day_of = |instant: &str| Calendar::of(&terms).day_of(utc(instant));
    assert_eq!(day_of("2026-11-01 05:45"), Some(1), "01:45 for the first time");
    assert_eq!(day_of("2026-11-01 06:15"), Some(1), "01:15 for the second time");
    assert_eq!(day_of("2026-11-01 06:45"), Some(2), "01:45 for the second time");
}

#[test]
fn midnight_itself_can_be_missing_or_come_twice() {
    let (havana, cairo) = (Tz::America__Havana, Tz::Africa__Cairo);
    assert_eq!(lengths_around(havana, "2026-03-08", "00:00"), [1440, 1380, 1440]);
    assert_eq!(instant_of(havana, date("2026-03-08"), WallTime::hour(0)), at(havana, "2026-03-08 01:00"));
    assert_eq!(lengths_around(havana, "2026-11-01", "00:00"), [1500, 1440, 1440], "the first midnight is yesterday's");
    assert_eq!(lengths_around(cairo, "2026-04-24", "00:00"), [1440, 1380, 1440]);
}

#[test]
fn breakfast_is_at_six_on_the_wall_clock_whatever_the_clock_did_in_the_night() {
    let breakfast = |zone, date: &str, time: &str| {
        let terms = challenge().in_zone(zone, date);
        let eaten_at = at(zone, &format!("{date} {time}"));
        Sheet::of(&terms, &[eaten(MealKind::Breakfast, eaten_at, 500)]).valid_meals == 1
    };
    for (zone, date) in [(NEW_YORK, "2026-03-08"), (NEW_YORK, "2026-11-01"), (LORD_HOWE, "2026-10-04")] {
        assert!(!breakfast(zone, date, "05:59:59.999"));
        assert!(breakfast(zone, date, "06:00"));
        assert!(breakfast(zone, date, "10:59:59.999"));
        assert!(!breakfast(zone, date, "11:00"));
    }
}
