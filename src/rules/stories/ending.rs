//! How a day and a challenge close, who wins, and who stands where on the board.

use lastbite_protocol::{Progress, SortKey, terms::OneLeft};

use super::*;
use crate::rules::{
    day::Calendar,
    decide::Tally,
    ranking::{key, ranks},
};

fn finish_of(events: &[Event]) -> Option<(&[UserId], u32, u32)> {
    events.iter().find_map(|event| match event {
        Event::Finished { champions, champions_total, survivors } => {
            Some((champions.as_slice(), *champions_total, *survivors))
        }
        _ => None,
    })
}

#[test]
fn a_day_closes_with_its_numbers_and_play_goes_on() {
    let tally = Tally { kept: 5, missed: 3, eliminated: vec![SORA], alive: 7, leaders: vec![MINA] };
    let closed = Event::DayClosed { day: 1, kept: 5, missed: 3, eliminated: 1, alive: 7 };
    assert_eq!(decide::close(&challenge(), 1, &tally), [closed]);
}

#[test]
fn the_last_day_ends_it_and_rank_one_has_won() {
    let tally = Tally { kept: 2, missed: 1, eliminated: vec![SORA], alive: 2, leaders: vec![MINA] };
    let events = decide::close(&challenge(), 3, &tally);
    assert!(matches!(events[0], Event::DayClosed { day: 3, .. }), "the day closes first");
    assert_eq!(finish_of(&events), Some(([MINA].as_slice(), 1, 2)));
}

#[test]
fn equal_players_at_the_top_share_the_win() {
    let tally = Tally { kept: 3, missed: 0, eliminated: vec![], alive: 3, leaders: vec![MINA, JUNHO] };
    assert_eq!(finish_of(&decide::close(&challenge(), 3, &tally)), Some(([MINA, JUNHO].as_slice(), 2, 3)));
}

#[test]
fn when_all_fall_on_the_same_day_all_of_them_share_the_win() {
    let tally = Tally { kept: 0, missed: 2, eliminated: vec![MINA, JUNHO], alive: 0, leaders: vec![MINA] };
    for day in [1, 3] {
        let events = decide::close(&challenge(), day, &tally);
        assert_eq!(finish_of(&events), Some(([MINA, JUNHO].as_slice(), 2, 0)), "on day {day}");
    }
}

#[test]
fn one_left_alive_plays_on() {
    let tally = Tally { kept: 1, missed: 2, eliminated: vec![JUNHO, SORA], alive: 1, leaders: vec![MINA] };
    assert_eq!(finish_of(&decide::close(&challenge(), 1, &tally)), None);
}

#[test]
fn one_left_alive_has_won_at_once_where_the_terms_say_so() {
    let terms = Terms { one_left: OneLeft::EndNow, ..challenge() };
    let tally = Tally { kept: 1, missed: 2, eliminated: vec![JUNHO, SORA], alive: 1, leaders: vec![MINA] };
    let events = decide::close(&terms, 1, &tally);
    assert_eq!(events[1], Event::Survived { player: MINA });
    assert_eq!(finish_of(&events), Some(([MINA].as_slice(), 1, 1)));
    let survived = decide::close(&terms, 3, &tally).into_iter().filter(|it| matches!(it, Event::Survived { .. }));
    assert_eq!(survived.count(), 0, "after the last day the verdict has told it");
    let two = Tally { alive: 2, ..tally };
    assert_eq!(finish_of(&decide::close(&terms, 1, &two)), None);
}

#[test]
fn when_all_have_left_the_top_of_the_board_has_won() {
    let tally = Tally { kept: 0, missed: 0, eliminated: vec![], alive: 0, leaders: vec![JUNHO] };
    assert_eq!(finish_of(&decide::close(&challenge(), 1, &tally)), Some(([JUNHO].as_slice(), 1, 0)));
}

#[test]
fn ten_champions_are_named_and_all_are_counted() {
    let everyone: Vec<_> = (0..11).map(|n| UserId(Uuid::from_u128(n))).collect();
    let tally = Tally { kept: 11, missed: 0, eliminated: vec![], alive: 11, leaders: everyone.clone() };
    assert_eq!(finish_of(&decide::close(&challenge(), 3, &tally)), Some((&everyone[..10], 11, 11)));
}

#[test]
fn with_too_few_at_the_start_it_is_cancelled() {
    let first = Calendar::of(&challenge()).clock_of(1);
    assert_eq!(decide::open(&challenge(), first, 1), Event::Cancelled { players: 1 });
    assert_eq!(decide::open(&challenge(), first, 2), Event::DayOpened { clock: first });
    let second = Calendar::of(&challenge()).clock_of(2);
    assert_eq!(decide::open(&challenge(), second, 1), Event::DayOpened { clock: second }, "only at the start");
    let alone = Terms { min_players: 1, ..challenge() };
    assert_eq!(decide::open(&alone, first, 1), Event::DayOpened { clock: first });
    assert_eq!(decide::open(&alone, first, 0), Event::Cancelled { players: 0 });
}

fn player(status: Status, points: u32) -> Standing {
    Standing { status, points, ..Mina::plays(challenge()).standing }
}

fn fallen_on(day: u16, points: u32) -> Standing {
    Standing { eliminated_on: Some(day), ..player(Status::Eliminated, points) }
}

/// Each stands above the next.
fn assert_ordered(standings: &[Standing]) {
    for pair in standings.windows(2) {
        assert!(key(&pair[0]) < key(&pair[1]), "{:?}\nshould stand above\n{:?}", pair[0], pair[1]);
    }
}

#[test]
fn whoever_is_in_stands_above_whoever_fell_above_whoever_left() {
    assert_ordered(&[
        player(Status::Alive, 0),
        fallen_on(3, 500),
        fallen_on(2, 900),
        fallen_on(1, 901),
        player(Status::Left, 999),
    ]);
    assert_eq!(key(&player(Status::Alive, 7)), key(&player(Status::Survived, 7)));
}

#[test]
fn then_points_days_kept_streak_and_the_smaller_deviation_decide() {
    let base = Standing { days_kept: 3, streak: 2, ..player(Status::Alive, 100) };
    assert_ordered(&[
        Standing { points: 101, days_kept: 0, streak: 0, deviation_permille_sum: 900, ..base.clone() },
        Standing { days_kept: 4, streak: 0, deviation_permille_sum: 900, ..base.clone() },
        Standing { streak: 3, deviation_permille_sum: 900, ..base.clone() },
        base.clone(),
        Standing { deviation_permille_sum: 3, ..base.clone() },
    ]);
    let almost = Standing { deviation_permille_sum: 2, ..base.clone() };
    assert_eq!(key(&almost), key(&base), "the mean is in whole thousandths");
}

#[test]
fn those_who_fell_on_one_day_and_those_who_left_are_ordered_by_points_too() {
    assert_ordered(&[fallen_on(2, 50), fallen_on(2, 49), player(Status::Left, 2), player(Status::Left, 1)]);
}

#[test]
fn lives_and_the_best_streak_decide_nothing() {
    let base = player(Status::Alive, 100);
    assert_eq!(key(&Standing { lives_left: 0, ..base.clone() }), key(&base));
    assert_eq!(key(&Standing { best_streak: 9, ..base.clone() }), key(&base));
}

#[test]
fn todays_meals_move_the_board() {
    let mut mina = Mina::plays(challenge());
    let before = key(&mina.standing);
    mina.logs(1, &[lunch(700)]);
    assert!(key(&mina.standing) < before);
    mina.takes(&Event::Progressed { player: MINA, day: 1, progress: Progress::Over, points: 0 });
    assert_eq!(key(&mina.standing), before);
}

#[test]
fn equal_players_share_a_rank_and_the_next_is_skipped() {
    let board = |points: &[u32]| {
        let keys: Vec<SortKey> = points.iter().map(|points| key(&player(Status::Alive, *points))).collect();
        ranks(keys).collect::<Vec<_>>()
    };
    assert!(board(&[]).is_empty());
    assert_eq!(board(&[9]), [1]);
    assert_eq!(board(&[9, 8, 8, 7]), [1, 2, 2, 4]);
    assert_eq!(board(&[9, 9, 9, 7, 7, 1]), [1, 1, 1, 4, 4, 6]);
}
