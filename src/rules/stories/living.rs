//! Lives, streaks, elimination, survival, and what leaving does to a standing.

use super::*;
use crate::rules::day::Calendar;

#[test]
fn two_lives_survive_two_missed_days_and_fall_on_the_third() {
    let mut mina = Mina::plays(challenge().lasting(5));
    mina.misses_a_day();
    assert_eq!((mina.standing.status, mina.standing.lives_left), (Status::Alive, 1));
    mina.misses_a_day();
    assert_eq!((mina.standing.status, mina.standing.lives_left), (Status::Alive, 0));
    let ruling = mina.ends_day_with(&[]);
    assert_eq!(ruling.events.last(), Some(&Event::Eliminated { player: MINA, day: 3 }));
    assert_eq!((mina.standing.status, mina.standing.eliminated_on), (Status::Eliminated, Some(3)));
    assert_eq!((mina.standing.lives_left, mina.standing.days_missed), (0, 3));
}

#[test]
fn without_lives_the_first_missed_day_is_the_last() {
    let mina = Mina::plays(challenge().with_lives(0)).through("M");
    assert_eq!((mina.standing.status, mina.standing.eliminated_on), (Status::Eliminated, Some(1)));
}

#[test]
fn missed_days_need_not_be_in_a_row() {
    let mina = Mina::plays(challenge().lasting(9)).through("MKKMKKM");
    assert_eq!((mina.standing.status, mina.standing.eliminated_on), (Status::Eliminated, Some(7)));
}

#[test]
fn whoever_is_in_after_the_last_day_has_survived() {
    let kept = Mina::plays(challenge()).through("KKK");
    assert_eq!(kept.standing.status, Status::Survived);
    let barely = Mina::plays(challenge()).through("MKM");
    assert_eq!((barely.standing.status, barely.standing.lives_left), (Status::Survived, 0));
    let not_yet = Mina::plays(challenge()).through("KK");
    assert_eq!(not_yet.standing.status, Status::Alive);
}

#[test]
fn falling_on_the_last_day_is_not_surviving() {
    let mut mina = Mina::plays(challenge()).through("MM");
    let ruling = mina.ends_day_with(&[]);
    assert!(!ruling.events.contains(&Event::Survived { player: MINA }));
    assert_eq!(mina.standing.status, Status::Eliminated);
}

#[test]
fn a_verdict_comes_before_what_it_leads_to() {
    let mut mina = Mina::plays(challenge().with_lives(0));
    let events = mina.ends_day_with(&[]).events;
    assert!(matches!(
        events[..],
        [Event::Judged { day: 1, verdict: Verdict::Missed, points: 0, .. }, Event::Eliminated { .. }]
    ));
}

#[test]
fn a_streak_grows_with_kept_days_and_breaks_with_a_missed_one() {
    let mina = Mina::plays(challenge().lasting(9)).through("KKKMK");
    assert_eq!((mina.standing.streak, mina.standing.best_streak), (1, 3));
    assert_eq!((mina.standing.days_kept, mina.standing.days_missed), (4, 1));
    let better = mina.through("KKK");
    assert_eq!((better.standing.streak, better.standing.best_streak), (4, 4));
}

#[test]
fn the_row_shows_the_last_seven_verdicts_oldest_first() {
    let recent = |days: &str| Mina::plays(challenge().lasting(30)).through(days).standing.recent.to_string();
    assert_eq!(recent(""), "");
    assert_eq!(recent("KM"), "KM");
    assert_eq!(recent("MKKKKKK"), "MKKKKKK");
    assert_eq!(recent("MKKKKKKM"), "KKKKKKM", "the eighth pushes the first out");
}

#[test]
fn points_add_up_and_the_deviation_is_a_mean() {
    let mut mina = Mina::plays(challenge().lasting(9));
    assert_eq!(standing::mean_deviation_permille(&mina.standing), 0, "nothing judged yet");
    mina.ends_day_with(&two_meals(1500));
    mina.ends_day_with(&two_meals(1400));
    assert_eq!(mina.standing.points, 91 + 66);
    assert_eq!(mina.standing.deviation_permille_sum, 66);
    assert_eq!(standing::mean_deviation_permille(&mina.standing), 33);
    mina.misses_a_day();
    assert_eq!(mina.standing.points, 91 + 66, "a missed day gives nothing and takes nothing");
    assert_eq!(standing::mean_deviation_permille(&mina.standing), 1066 / 3, "a missed day is off its target too");
}

#[test]
fn falling_takes_the_open_days_off_the_board() {
    let mut mina = Mina::plays(challenge().with_lives(0));
    mina.logs(2, &two_meals(1500));
    mina.misses_a_day();
    assert!(mina.standing.open_days.is_empty());
    assert_eq!(standing::points_shown(&mina.standing), 0);
    assert_eq!(mina.logs(2, &[lunch(300)]), None, "and the board hears no more of her meals");
}

#[test]
fn leaving_during_play_keeps_what_was_judged_and_drops_what_was_open() {
    let mut mina = Mina::plays(challenge()).through("K");
    mina.logs(2, &[lunch(700)]);
    let now = seoul("2026-03-03 13:00");
    mina.leaves_at(now);
    assert_eq!((mina.standing.status, mina.standing.left_at), (Status::Left, Some(now)));
    assert_eq!(standing::points_shown(&mina.standing), 91);
    assert_eq!(mina.logs(2, &two_meals(1500)), None, "and the board hears no more of her meals");
}

#[test]
fn leaving_before_a_days_log_closed_escapes_its_verdict_and_leaving_after_does_not() {
    let first_day = Calendar::of(&challenge()).clock_of(1);
    let closes_at = seoul("2026-03-03 02:00");
    assert_eq!(first_day.closes_at, closes_at);
    let is_judged = |left_at| {
        let mut mina = Mina::plays(challenge());
        mina.leaves_at(left_at);
        decide::is_judged(&mina.standing, first_day)
    };
    assert!(!is_judged(seoul("2026-03-02 20:00")));
    assert!(!is_judged(seoul("2026-03-03 01:59:59.999")), "the log was still open");
    assert!(is_judged(closes_at));
    assert!(is_judged(seoul("2026-03-04 12:00")), "the referee was late");
}

#[test]
fn a_leavers_last_verdict_counts_and_the_leaver_stays_gone() {
    let mut mina = Mina::plays(challenge());
    mina.leaves_at(seoul("2026-03-03 02:00"));
    mina.keeps_a_day();
    assert_eq!((mina.standing.status, mina.standing.days_kept, mina.standing.points), (Status::Left, 1, 91));
}

#[test]
fn a_leaver_whose_log_had_closed_can_still_fall_on_that_day() {
    let mut mina = Mina::plays(challenge().with_lives(0));
    mina.leaves_at(seoul("2026-03-03 02:00"));
    mina.misses_a_day();
    assert_eq!((mina.standing.status, mina.standing.eliminated_on), (Status::Eliminated, Some(1)));
    assert_eq!(mina.standing.left_at, None);
}

#[test]
fn a_leaver_does_not_survive() {
    let mut mina = Mina::plays(challenge()).through("KK");
    mina.leaves_at(seoul("2026-03-05 02:00"));
    assert!(decide::is_judged(&mina.standing, Calendar::of(&challenge()).clock_of(3)));
    mina.keeps_a_day();
    assert_eq!((mina.standing.status, mina.standing.days_kept), (Status::Left, 3));
}

#[test]
fn whoever_is_out_is_judged_no_more() {
    let mina = Mina::plays(challenge().with_lives(0)).through("M");
    assert!(!decide::is_judged(&mina.standing, Calendar::of(&challenge()).clock_of(2)));
    let survivor = Mina::plays(challenge()).through("KKK");
    assert!(!decide::is_judged(&survivor.standing, Calendar::of(&challenge()).clock_of(3)));
}

#[test]
fn an_event_of_the_challenge_touches_no_standing() {
    let mina = Mina::plays(challenge()).through("KM");
    for event in [
        Event::DayOpened { clock: Calendar::of(&challenge()).clock_of(3) },
        Event::DayClosed { day: 2, kept: 0, missed: 1, eliminated: 0, alive: 1 },
        Event::Finished { champions: vec![MINA], champions_total: 1, survivors: 1 },
        Event::Cancelled { players: 1 },
    ] {
        assert_eq!(event.player(), None);
        assert_eq!(standing::apply(Some(mina.standing.clone()), &event).as_ref(), Some(&mina.standing));
        assert_eq!(standing::apply(None, &event), None);
    }
}

#[test]
fn others_see_the_row_and_never_what_was_eaten() {
    let mut mina = Mina::plays(challenge()).through("KM");
    mina.logs(3, &[lunch(700)]);
    let row = standing::row(MINA, "미나", &mina.standing);
    assert_eq!((row.points, row.lives_left, row.days_kept, row.days_missed, row.streak), (91 + 30, 1, 1, 1, 0));
    assert_eq!(row.recent.to_string(), "KM");
    let shown = serde_json::to_string(&row).unwrap();
    assert!(!shown.contains("kcal") && !shown.contains("meal"), "{shown}");
}
