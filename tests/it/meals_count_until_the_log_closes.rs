//! Which meals a verdict sees: by the instant they were eaten and the instant they were logged, to the millisecond.

use chrono::TimeDelta;
use lastbite_protocol::{
    Progress, Verdict,
    rest::{Finding, Judged, Meal, MealKind, MealOutcome, NewMeal, Page},
};

use crate::support::{
    World,
    books::consistent,
    challenge, dinner, lunch, meal,
    play::{energy, game, utc},
    seoul, snack,
    viewer::Model,
};

const A_MILLISECOND: TimeDelta = TimeDelta::milliseconds(1);

/// The day a logged meal counts for in the only challenge there is.
fn day_of(outcome: &MealOutcome) -> Option<u16> {
    assert_eq!(outcome.effects.len(), 1);
    match outcome.effects[0].judged {
        Judged::ForDay { day, .. } => Some(day),
        Judged::NotJudged => None,
    }
}

fn looks(outcome: &MealOutcome) -> (Progress, u32) {
    match outcome.effects[0].judged {
        Judged::ForDay { progress, points, .. } => (progress, points),
        Judged::NotJudged => panic!("it does not count: {outcome:?}"),
    }
}

#[tokio::test]
async fn a_meal_counts_a_millisecond_before_the_close_and_neither_at_it_nor_after() {
    let world = World::open().await;
    let mina = world.user("mina").await;
    let game = mina.hosts(&challenge()).await;
    mina.joins(game).await;
    world.referee_at(seoul("2026-03-02 20:00")).await;
    mina.logs(&lunch("2026-03-02", 700)).await;
    let closes = seoul("2026-03-03 02:00");
    for (at, energy_kcal, expected) in
        [(closes - A_MILLISECOND, 800, Some(1)), (closes, 5_000, None), (closes + A_MILLISECOND, 5_000, None)]
    {
        world.time(at);
        assert_eq!(day_of(&mina.logs(&dinner("2026-03-02", energy_kcal)).await), expected, "{at}");
    }
    world.referee_at(closes + A_MILLISECOND).await;
    let verdict = &mina.verdicts(game).await[0];
    assert_eq!((verdict.verdict, verdict.points), (Verdict::Kept, 91));
    assert!(verdict.findings.contains(&Finding::Meals { held: true, valid: 2, logged: 2, at_least: 2 }));
    let diary: Page<Meal> = mina.api.get("/api/v1/meals?date=2026-03-02").await.ok(200);
    assert_eq!(diary.items.len(), 4, "what was not judged is in the diary all the same");
    consistent(&world, game).await;
    world.stop().await;
}

#[tokio::test]
async fn without_grace_a_meal_of_the_last_minute_has_to_be_logged_in_that_minute() {
    let world = World::open().await;
    let mina = world.user("mina").await;
    let game = mina.hosts(&game(|terms| terms.grace_minutes = 0)).await;
    mina.joins(game).await;
    let midnight = seoul("2026-03-03 00:00");
    world.referee_at(midnight - A_MILLISECOND).await;
    let last = NewMeal { eaten_at: midnight - A_MILLISECOND, ..dinner("2026-03-02", 100) };
    assert_eq!(day_of(&mina.logs(&last).await), Some(1));
    let ahead = NewMeal { eaten_at: midnight, ..last.clone() };
    assert_eq!(day_of(&mina.logs(&ahead).await), Some(2), "a phone may be a little ahead");
    world.time(midnight);
    assert_eq!(day_of(&mina.logs(&last).await), None);
    world.referee_at(midnight).await;
    assert!(mina.verdicts(game).await[0].findings.contains(&Finding::Meals {
        held: false,
        valid: 0,
        logged: 1,
        at_least: 2
    }));
    consistent(&world, game).await;
    world.stop().await;
}

#[tokio::test]
async fn midnight_parts_two_days_on_the_clock_of_the_challenge() {
    let world = World::open().await;
    let mina = world.user("mina").await;
    let game = mina.hosts(&challenge()).await;
    mina.joins(game).await;
    world.referee_at(seoul("2026-03-03 01:30")).await;
    for (eaten, day) in [
        ("2026-03-01 23:59", None),
        ("2026-03-02 00:00", Some(1)),
        ("2026-03-02 23:59", Some(1)),
        ("2026-03-03 00:01", Some(2)),
    ] {
        assert_eq!(day_of(&mina.logs(&meal(MealKind::Snack, eaten, 100)).await), day, "{eaten}");
    }
    // Half past midnight in Seoul is yesterday afternoon in UTC.
    let snack = NewMeal { eaten_at: utc("2026-03-02 15:30"), ..snack("2026-03-02", 200) };
    let logged = mina.logs(&snack).await;
    assert_eq!((day_of(&logged), logged.meal.local_date.to_string().as_str()), (Some(2), "2026-03-03"));
    let standing = mina.reads(game).await.me.unwrap();
    assert_eq!(standing.open_days.iter().map(|open| open.day).collect::<Vec<_>>(), [1, 2], "both days are open");
    world.referee_at(seoul("2026-03-04 02:00")).await;
    let seen: Vec<_> = mina.verdicts(game).await.iter().map(|day| energy_of(&day.findings)).collect();
    assert_eq!(seen, [200, 300]);
    consistent(&world, game).await;
    world.stop().await;
}

#[tokio::test]
async fn energy_outside_the_windows_counts_though_the_meal_is_no_valid_one() {
    let world = World::open().await;
    let mina = world.user("mina").await;
    let game = mina.hosts(&challenge()).await;
    mina.joins(game).await;
    world.referee_at(seoul("2026-03-02 23:40")).await;
    assert_eq!(looks(&mina.logs(&meal(MealKind::Dinner, "2026-03-02 03:00", 500)).await), (Progress::OnTrack, 0));
    assert_eq!(looks(&mina.logs(&lunch("2026-03-02", 500)).await), (Progress::OnTrack, 30));
    assert_eq!(looks(&mina.logs(&meal(MealKind::Dinner, "2026-03-02 23:00", 100)).await), (Progress::OnTrack, 30));
    assert_eq!(looks(&mina.logs(&meal(MealKind::Dinner, "2026-03-02 22:59", 300)).await), (Progress::Done, 60));
    world.referee_at(seoul("2026-03-03 02:00")).await;
    let verdict = &mina.verdicts(game).await[0];
    let (energy_kcal, at_least_kcal, at_most_kcal) = (1400, 1400, 1600);
    assert_eq!(
        verdict.findings,
        [
            Finding::Calories { held: true, energy_kcal, at_least_kcal, at_most_kcal },
            Finding::Meals { held: true, valid: 2, logged: 4, at_least: 2 }
        ]
    );
    assert_eq!((verdict.verdict, verdict.points), (Verdict::Kept, 66), "at the edge of the band");
    consistent(&world, game).await;
    world.stop().await;
}

#[tokio::test]
async fn over_the_band_the_points_are_gone_and_come_back_when_a_meal_goes() {
    let world = World::open().await;
    let (mina, jun) = (world.user("mina").await, world.user("jun").await);
    let game = mina.hosts(&challenge()).await;
    mina.joins(game).await;
    jun.joins(game).await;
    world.referee_at(seoul("2026-03-02 20:00")).await;
    let mut board = world.spectator(game).await;
    let her = mina.id;
    let points = |points| move |board: &Model| board.row(her).is_some_and(|row| row.points == points);
    mina.keeps("2026-03-02").await;
    board.sees("a full day", points(60)).await;
    let cake = mina.logs(&snack("2026-03-02", 101)).await;
    assert_eq!(looks(&cake), (Progress::Over, 0));
    board.sees("too much", points(0)).await;
    assert_eq!(looks(&mina.edits(cake.meal.id, &energy(100)).await), (Progress::Done, 60));
    board.sees("the edge is allowed", points(60)).await;
    assert_eq!(looks(&mina.edits(cake.meal.id, &energy(2_000)).await), (Progress::Over, 0));
    assert_eq!(looks(&mina.deletes(cake.meal.id).await), (Progress::Done, 60));
    board.sees("as before", points(60)).await;
    world.referee_at(seoul("2026-03-03 02:00")).await;
    assert_eq!(mina.verdicts(game).await[0].points, 91);
    consistent(&world, game).await;
    world.stop().await;
}

fn energy_of(findings: &[Finding]) -> u32 {
    let energy = findings.iter().find_map(|finding| match finding {
        Finding::Calories { energy_kcal, .. } => Some(*energy_kcal),
        _ => None,
    });
    energy.unwrap()
}
