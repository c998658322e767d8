//! Who may join and leave, which terms can be played, and which meals can be logged.

use chrono::TimeDelta;
use lastbite_protocol::rest::ChallengeStatus::{self, Cancelled, Finished, Open, Running};

use super::*;
use crate::{
    nutrition::safety::Safety,
    rules::{Refusal, terms},
};

const EVE: &str = "2026-03-01 20:00";
const START: &str = "2026-03-02 00:00";
const A_MILLISECOND: TimeDelta = TimeDelta::milliseconds(1);

fn joins(entry: Entry<'_>, now: &str) -> Result<Option<Event>, Refusal> {
    decide::join(entry, MINA, "미나", seoul(now))
}

fn leaves(entry: Entry<'_>, now: &str) -> Result<Option<Event>, Refusal> {
    decide::leave(entry, MINA, "미나", seoul(now))
}

fn nobody_in(terms: &Terms) -> Entry<'_> {
    Entry { terms, status: Open, seats_taken: 0, standing: None, safety: Safety::UNSTATED }
}

fn fresh(terms: &Terms) -> Standing {
    Mina::plays(terms.clone()).standing
}

#[test]
fn joining_takes_a_seat_with_all_lives() {
    let terms = challenge().with_lives(7);
    let joined = joins(nobody_in(&terms), EVE).unwrap().unwrap();
    assert_eq!(joined, Event::Joined { player: MINA, nickname: "미나".to_owned(), lives: 7 });
    let standing = standing::apply(None, &joined).unwrap();
    assert_eq!((standing.status, standing.lives_left, standing.points), (Status::Alive, 7, 0));
}

#[test]
fn the_last_seat_can_be_taken_and_no_more() {
    let terms = challenge().with_seats(2);
    assert!(joins(Entry { seats_taken: 1, ..nobody_in(&terms) }, EVE).is_ok());
    assert_eq!(joins(Entry { seats_taken: 2, ..nobody_in(&terms) }, EVE), Err(Refusal::ChallengeFull));
}

#[test]
fn joining_ends_with_the_instant_the_first_day_begins() {
    let terms = challenge();
    assert!(joins(nobody_in(&terms), "2026-03-01 23:59:59.999").is_ok());
    assert_eq!(joins(nobody_in(&terms), START), Err(Refusal::AlreadyStarted), "though the referee is yet to open it");
    assert_eq!(joins(Entry { status: Running, ..nobody_in(&terms) }, START), Err(Refusal::AlreadyStarted));
    assert_eq!(
        joins(Entry { status: Running, ..nobody_in(&terms) }, EVE),
        Err(Refusal::AlreadyStarted),
        "a clock that steps back opens nothing again"
    );
}

#[test]
fn nobody_joins_what_is_over() {
    let terms = challenge();
    for status in [Finished, Cancelled] {
        assert_eq!(joins(Entry { status, ..nobody_in(&terms) }, EVE), Err(Refusal::ChallengeOver));
    }
}

#[test]
fn who_is_underweight_counts_no_calories() {
    let safety = Safety { is_underweight: true, ..Safety::UNSTATED };
    let generous = challenge().asking([calories(2500, 500)]);
    assert_eq!(joins(Entry { safety, ..nobody_in(&generous) }, EVE), Err(Refusal::Underweight));
    assert!(joins(Entry { safety, ..nobody_in(&challenge().asking([meals(2)])) }, EVE).is_ok());
    let pregnant = Safety { is_pregnant: true, ..Safety::UNSTATED };
    assert_eq!(joins(Entry { safety: pregnant, ..nobody_in(&generous) }, EVE), Err(Refusal::Pregnant));
    assert!(joins(Entry { safety: pregnant, ..nobody_in(&challenge().asking([meals(2)])) }, EVE).is_ok());
}

#[test]
fn a_band_that_ends_under_the_players_floor_is_not_for_that_player() {
    let low = challenge().asking([calories(1399, 100)]);
    let refusal = Refusal::BandBelowFloor { upper_kcal: 1499, floor_kcal: 1500 };
    assert_eq!(joins(nobody_in(&low), EVE), Err(refusal));
    let reaching = challenge().asking([calories(1400, 100)]);
    assert!(joins(nobody_in(&reaching), EVE).is_ok(), "the floor itself can be eaten");
    assert!(joins(nobody_in(&challenge().asking([meals(2)])), EVE).is_ok(), "no band, no floor");
    let safety = Safety { floor_kcal: 1200, ..Safety::UNSTATED };
    assert!(joins(Entry { safety, ..nobody_in(&low) }, EVE).is_ok(), "whose own floor is lower");
}

#[test]
fn joining_twice_takes_one_seat() {
    let terms = challenge().with_seats(2);
    let standing = fresh(&terms);
    let again = Entry { seats_taken: 2, standing: Some(&standing), ..nobody_in(&terms) };
    assert_eq!(joins(again, EVE), Ok(None), "also when the retry finds all seats taken");
    assert_eq!(joins(Entry { status: Running, ..again }, "2026-03-03 12:00"), Ok(None));
    assert_eq!(joins(Entry { status: Finished, ..again }, "2026-03-09 12:00"), Ok(None));
}

#[test]
fn leaving_before_the_start_frees_the_seat_and_the_way_back() {
    let terms = challenge();
    let standing = fresh(&terms);
    let left = leaves(Entry { standing: Some(&standing), ..nobody_in(&terms) }, EVE).unwrap().unwrap();
    assert_eq!(left, Event::Left { player: MINA, nickname: "미나".to_owned(), left_at: seoul(EVE), day: None });
    assert_eq!(standing::apply(Some(standing), &left), None, "the row is gone");
    assert_eq!(leaves(nobody_in(&terms), EVE), Err(Refusal::NotAPlayer));
    assert!(matches!(joins(nobody_in(&terms), EVE), Ok(Some(Event::Joined { .. }))));
}

#[test]
fn leaving_after_the_start_names_the_day() {
    let terms = challenge();
    let standing = fresh(&terms);
    let leaves_on = |status: ChallengeStatus, now| {
        let entry = Entry { status, standing: Some(&standing), ..nobody_in(&terms) };
        match leaves(entry, now).unwrap().unwrap() {
            Event::Left { day, .. } => day,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(leaves_on(Open, "2026-03-01 23:59:59.999"), None);
    assert_eq!(leaves_on(Open, START), Some(1), "though the referee is yet to open it");
    assert_eq!(leaves_on(Running, "2026-03-03 12:00"), Some(2));
    assert_eq!(leaves_on(Running, "2026-03-05 01:00"), Some(3), "in the grace after the last day");
}

#[test]
fn leaving_twice_is_leaving_once_and_there_is_no_return() {
    let mut mina = Mina::plays(challenge());
    mina.leaves_at(seoul("2026-03-03 12:00"));
    let gone = running(&mina.terms, Some(&mina.standing));
    assert_eq!(leaves(gone, "2026-03-03 12:00"), Ok(None));
    assert_eq!(leaves(Entry { status: Finished, ..gone }, "2026-03-09 12:00"), Ok(None));
    assert_eq!(joins(gone, "2026-03-03 12:01"), Err(Refusal::NoReturn));
}

#[test]
fn leaving_asks_for_a_player_in_a_challenge_that_is_not_over() {
    let terms = challenge();
    let standing = fresh(&terms);
    assert_eq!(leaves(running(&terms, None), "2026-03-03 12:00"), Err(Refusal::NotAPlayer));
    for status in [Finished, Cancelled] {
        let over = Entry { status, standing: Some(&standing), ..nobody_in(&terms) };
        assert_eq!(leaves(over, "2026-03-09 12:00"), Err(Refusal::ChallengeOver));
    }
}

#[test]
fn whoever_fell_has_nothing_to_leave() {
    let mina = Mina::plays(challenge().with_lives(0)).through("M");
    assert_eq!(leaves(running(&mina.terms, Some(&mina.standing)), "2026-03-03 12:00"), Ok(None));
}

#[test]
fn terms_at_their_bounds_can_be_played() {
    for terms in [
        challenge(),
        challenge().lasting(1),
        challenge().lasting(365),
        challenge().with_lives(0),
        challenge().with_lives(10),
        challenge().with_seats(2),
        challenge().with_seats(1_000_000),
        challenge().starting_days_at("06:00"),
        Terms { grace_minutes: 0, ..challenge() },
        Terms { grace_minutes: 1440, ..challenge() },
        Terms { min_players: 1, ..challenge() },
        Terms { min_players: 100, ..challenge() },
        challenge().asking([calories(1200, 0)]),
        challenge().asking([calories(1700, 500)]),
        challenge().asking([calories(5000, 500)]),
        challenge().asking([meals(1)]),
        challenge().asking([meals(5)]),
        challenge().asking([meals_before(1, "06:01")]),
    ] {
        assert_eq!(terms::check(&terms, seoul(EVE)), Ok(()), "{terms:?}");
    }
}

#[test]
fn terms_beyond_their_bounds_are_refused_by_field() {
    for (terms, at_fault) in [
        (Terms { version: 2, ..challenge() }, "version"),
        (challenge().lasting(0), "days"),
        (challenge().lasting(366), "days"),
        (challenge().with_lives(11), "lives"),
        (challenge().with_seats(1), "seats"),
        (challenge().with_seats(1_000_001), "seats"),
        (challenge().starting_days_at("06:01"), "day_starts_at"),
        (Terms { grace_minutes: 1441, ..challenge() }, "grace_minutes"),
        (Terms { min_players: 0, ..challenge() }, "min_players"),
        (Terms { min_players: 101, ..challenge() }, "min_players"),
        (challenge().asking([]), "requirements"),
        (challenge().asking([meals(2), meals(3)]), "requirements"),
        (challenge().asking([calories(1500, 100), meals(2), calories(1600, 100)]), "requirements"),
        (challenge().asking([calories(999, 0)]), "requirements"),
        (challenge().asking([calories(5001, 100)]), "requirements"),
        (challenge().asking([calories(2000, 501)]), "requirements"),
        (challenge().asking([calories(1199, 0)]), "requirements"),
        (challenge().asking([calories(1699, 500)]), "requirements"),
        (challenge().asking([meals(0)]), "requirements"),
        (challenge().asking([meals(6)]), "requirements"),
        (challenge().asking([meals_before(1, "06:00")]), "requirements"),
    ] {
        let refused = terms::check(&terms, seoul(EVE));
        assert!(matches!(refused, Err(Refusal::Terms { field, .. }) if field == at_fault), "{at_fault}: {refused:?}");
    }
}

#[test]
fn the_first_day_begins_in_the_future_and_within_a_year_and_a_day() {
    let starts_at = seoul(START);
    let check = |now| terms::check(&challenge(), now).map_err(|refusal| refusal.code());
    assert_eq!(check(starts_at - A_MILLISECOND), Ok(()));
    assert_eq!(check(starts_at), Err("terms_invalid"));
    assert_eq!(check(starts_at + A_MILLISECOND), Err("terms_invalid"));
    assert_eq!(check(starts_at - TimeDelta::days(366)), Ok(()));
    assert_eq!(check(starts_at - TimeDelta::days(366) - A_MILLISECOND), Err("terms_invalid"));
}

#[test]
fn a_first_day_at_either_end_of_time_is_refused_in_every_zone() {
    for zone in [Tz::America__New_York, Tz::Asia__Seoul, Tz::UTC] {
        for first_day in [NaiveDate::MIN, NaiveDate::MAX] {
            let terms = Terms { zone, first_day, ..challenge() };
            let refused = terms::check(&terms, seoul(EVE));
            assert!(matches!(refused, Err(Refusal::Terms { field: "first_day", .. })), "{zone} {first_day}");
        }
    }
}

#[test]
fn a_meal_can_be_logged_from_48_hours_after_it_was_eaten_to_2_minutes_before() {
    let now = seoul("2026-03-03 12:00");
    let (oldest, newest) = (now - TimeDelta::hours(48), now + TimeDelta::minutes(2));
    let logs = |eaten_at| decide::eaten_at(eaten_at, now).map_err(|refusal| refusal.code());
    assert_eq!(logs(oldest - A_MILLISECOND), Err("eaten_at_out_of_range"));
    assert_eq!(logs(oldest), Ok(()));
    assert_eq!(logs(oldest + A_MILLISECOND), Ok(()));
    assert_eq!(logs(now), Ok(()));
    assert_eq!(logs(newest - A_MILLISECOND), Ok(()));
    assert_eq!(logs(newest), Ok(()));
    assert_eq!(logs(newest + A_MILLISECOND), Err("eaten_at_out_of_range"));
}

#[test]
fn a_days_log_is_open_until_just_before_its_close() {
    let dinner = dinner(700).eaten_at;
    let closes_at = seoul("2026-03-03 02:00");
    let day = |now| decide::open_day_of(&challenge(), dinner, now).map(|clock| clock.day);
    assert_eq!(day(dinner), Some(1));
    assert_eq!(day(closes_at - A_MILLISECOND), Some(1));
    assert_eq!(day(closes_at), None);
    assert_eq!(day(closes_at + A_MILLISECOND), None);
}

#[test]
fn without_grace_a_log_closes_with_its_day() {
    let terms = Terms { grace_minutes: 0, ..challenge() };
    let midnight = seoul("2026-03-03 00:00");
    let day = |eaten_at, now| decide::open_day_of(&terms, eaten_at, now).map(|clock| clock.day);
    assert_eq!(day(midnight - A_MILLISECOND, midnight - A_MILLISECOND), Some(1));
    assert_eq!(day(midnight - A_MILLISECOND, midnight), None);
    assert_eq!(day(midnight, midnight), Some(2));
}

#[test]
fn a_meal_outside_the_challenge_has_no_day() {
    let day = |eaten_at: &str| decide::open_day_of(&challenge(), seoul(eaten_at), seoul(eaten_at));
    assert_eq!(day("2026-03-01 23:59:59.999"), None, "before the first day");
    assert!(day(START).is_some());
    assert!(day("2026-03-04 23:59:59.999").is_some());
    assert_eq!(day("2026-03-05 00:00"), None, "after the last");
}
