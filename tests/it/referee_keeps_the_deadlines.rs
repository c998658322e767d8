//! The referee opens and judges days at their deadlines: not a millisecond before, once however many servers there are,
//! in order after the server was down, and never again when the clock steps back.

use std::sync::atomic::{AtomicUsize, Ordering};

use chrono::TimeDelta;
use futures_util::{StreamExt, stream};
use lastbite::rules::Event;
use lastbite_protocol::{
    Status, Verdict,
    rest::{ChallengeStatus, Finding, Judged},
    socket::Happened,
};

use crate::support::{
    World,
    books::{consistent, sees_the_truth},
    challenge, dinner, lunch,
    play::{energy, game, names},
    seoul, until,
};

const A_MILLISECOND: TimeDelta = TimeDelta::milliseconds(1);

#[tokio::test]
async fn a_day_opens_and_is_judged_at_its_deadline_and_not_a_millisecond_before() {
    let world = World::open().await;
    let mina = world.user("mina").await;
    let game = mina.hosts(&challenge()).await;
    mina.joins(game).await;
    let (opens, closes) = (seoul("2026-03-02 00:00"), seoul("2026-03-03 02:00"));

    world.time(opens - A_MILLISECOND);
    world.referee_has_looked(&mina).await;
    assert_eq!(mina.reads(game).await.status, ChallengeStatus::Open);
    world.referee_at(opens).await;
    let running = mina.reads(game).await;
    assert_eq!((running.status, running.today.map(|day| day.day)), (ChallengeStatus::Running, Some(1)));

    world.referee_at(closes - A_MILLISECOND).await;
    world.referee_has_looked(&mina).await;
    assert_eq!(mina.verdicts(game).await, []);
    world.referee_at(closes).await;
    let verdicts = mina.verdicts(game).await;
    assert_eq!((verdicts.len(), verdicts[0].verdict, verdicts[0].judged_at), (1, Verdict::Missed, closes));
    consistent(&world, game).await;
    world.stop().await;
}

#[tokio::test]
async fn three_servers_judge_every_day_of_every_challenge_once() {
    let world = World::open().await;
    let (second, third) = (world.another_node().await, world.another_node().await);
    let host = world.user("host").await;
    let crowd = world.crowd(names(24)).await;
    let mut games = Vec::new();
    for lives in 0..6 {
        let game = host.hosts(&game(|terms| terms.lives = lives)).await;
        world.seats(&crowd, game, lives).await;
        games.push(game);
    }
    let mut board = second.spectator(games[1]).await;
    for date in ["2026-03-02", "2026-03-03", "2026-03-04"] {
        world.referee_at(seoul(&format!("{date} 20:00"))).await;
        for (at, player) in crowd.iter().enumerate().take(12) {
            player.at(if at % 2 == 0 { &second } else { &third }).keeps(date).await;
        }
    }
    world.referee_at(seoul("2026-03-05 02:00")).await;
    board
        .sees("the end, on a server that may not have judged it", |board| {
            board.status == Some(ChallengeStatus::Finished)
        })
        .await;
    for (game, lives) in games.iter().zip(0_u8..) {
        let books = consistent(&world, *game).await;
        let alive = |status| books.standings.values().filter(|standing| standing.status == status).count();
        let out = if lives < 3 { 12 } else { 0 };
        assert_eq!((alive(Status::Survived), alive(Status::Eliminated)), (24 - out, out), "{lives} lives");
    }
    sees_the_truth(&mut board, &world, games[1]).await;
    second.stop().await;
    third.stop().await;
    world.stop().await;
}

#[tokio::test]
async fn a_server_that_was_down_over_three_deadlines_catches_up_day_by_day() {
    let mut world = World::open().await;
    let mina = world.user("mina").await;
    let game = mina.hosts(&game(|terms| (terms.days, terms.lives) = (5, 5))).await;
    mina.joins(game).await;
    let mut board = world.spectator(game).await;
    world.referee_at(seoul("2026-03-02 20:00")).await;
    mina.logs(&lunch("2026-03-02", 700)).await;
    world.goes_down().await;
    board.sees_the_end().await;

    world.time(seoul("2026-03-05 12:40"));
    world.comes_up().await;
    let mina = mina.at(&world.node);
    // Whether the referee has caught up yet or not: what is logged now is too late for the days that closed meanwhile.
    let late = mina.logs(&dinner("2026-03-04", 1500)).await;
    assert_eq!(late.effects[0].judged, Judged::NotJudged);
    let in_time = mina.logs(&lunch("2026-03-05", 700)).await;
    assert!(matches!(in_time.effects[0].judged, Judged::ForDay { day: 4, points: 30, .. }), "{in_time:?}");

    world.referee_at(seoul("2026-03-05 12:40")).await;
    board.comes_back_to(world.node.address, game).await;
    board.sees("the third day is closed", |board| board.heard(|what| closed(what) == Some(3))).await;
    let days: Vec<_> = board.model.events.iter().filter_map(|event| opened_or_closed(&event.happened)).collect();
    assert_eq!(days, ["opened 1", "opened 2", "closed 1", "opened 3", "closed 2", "opened 4", "closed 3"]);
    let seen: Vec<_> = mina.verdicts(game).await.iter().map(|day| logged_of(&day.findings)).collect();
    assert_eq!(seen, [1, 0, 0], "each day has its own cut-off");
    consistent(&world, game).await;
    world.stop().await;
}

#[tokio::test]
async fn a_referee_who_was_held_up_judges_each_day_by_what_was_logged_before_its_own_close() {
    let world = World::open().await;
    let mina = world.user("mina").await;
    let game = mina.hosts(&challenge()).await;
    mina.joins(game).await;
    world.referee_at(seoul("2026-03-02 20:00")).await;
    let held_up = world.holds_up_the_referee(game).await;
    mina.keeps("2026-03-02").await;
    world.time(seoul("2026-03-03 03:00"));
    let late = mina.logs(&dinner("2026-03-02", 900)).await;
    assert_eq!(late.effects[0].judged, Judged::NotJudged, "the first day is closed, though not judged");
    world.time(seoul("2026-03-03 20:00"));
    let in_time = mina.logs(&lunch("2026-03-03", 1500)).await;
    assert!(matches!(in_time.effects[0].judged, Judged::ForDay { day: 2, .. }), "the second day is open");
    world.time(seoul("2026-03-04 02:00"));
    assert_eq!(mina.logs(&dinner("2026-03-03", 1)).await.effects[0].judged, Judged::NotJudged);
    assert_eq!(mina.verdicts(game).await, []);
    drop(held_up);
    world.referee_at(seoul("2026-03-04 02:00")).await;
    let verdicts = mina.verdicts(game).await;
    let told: Vec<_> = verdicts.iter().map(|day| (day.verdict, logged_of(&day.findings))).collect();
    assert_eq!(told, [(Verdict::Kept, 2), (Verdict::Missed, 1)]);
    consistent(&world, game).await;
    world.stop().await;
}

#[tokio::test]
async fn a_clock_that_steps_back_opens_nothing_again_and_judges_nothing_twice() {
    let world = World::open().await;
    let mina = world.user("mina").await;
    let game = mina.hosts(&challenge()).await;
    mina.joins(game).await;
    world.referee_at(seoul("2026-03-02 20:00")).await;
    let lunch_of_day_one = mina.logs(&lunch("2026-03-02", 700)).await.meal.id;
    world.referee_at(seoul("2026-03-03 02:00")).await;
    let (verdicts, before) = (mina.verdicts(game).await, consistent(&world, game).await);

    world.time(seoul("2026-03-02 20:00"));
    world.referee_has_looked(&mina).await;
    let again = mina.logs(&dinner("2026-03-02", 800)).await;
    assert_eq!(again.effects[0].judged, Judged::NotJudged, "the verdict has fallen");
    assert_eq!(mina.edits(lunch_of_day_one, &energy(600)).await.effects[0].judged, Judged::NotJudged);
    mina.deletes(lunch_of_day_one).await;
    world.user("late").await.tries_to_join(game).await.refused(409, "challenge_started");

    world.time(seoul("2026-03-03 02:00"));
    world.referee_has_looked(&mina).await;
    let after = consistent(&world, game).await;
    assert_eq!(after.events, before.events, "nothing was told to the challenge");
    assert_eq!(mina.verdicts(game).await, verdicts);
    world.referee_at(seoul("2026-03-05 02:00")).await;
    consistent(&world, game).await;
    world.stop().await;
}

#[tokio::test]
async fn whoever_joins_at_the_instant_of_the_start_is_in_from_the_first_day_or_refused() {
    let world = World::open().await;
    let host = world.user("host").await;
    let game = host.hosts(&challenge()).await;
    let crowd = world.crowd(names(40)).await;
    world.time(seoul("2026-03-02 00:00") - A_MILLISECOND);
    let joined = AtomicUsize::new(0);
    stream::iter(&crowd)
        .for_each_concurrent(4, async |player| {
            let answer = player.tries_to_join(game).await;
            if answer.status.as_u16() == 201 {
                // The clock strikes while others are at the door.
                if joined.fetch_add(1, Ordering::Relaxed) == 9 {
                    world.time(seoul("2026-03-02 00:00"));
                }
            } else {
                answer.refused(409, "challenge_started");
            }
        })
        .await;
    let joined = joined.into_inner();
    assert!((10..=13).contains(&joined), "{joined} joined");
    world.referee_at(seoul("2026-03-03 02:00")).await;
    let books = consistent(&world, game).await;
    assert_eq!((books.standings.len(), books.verdicts.len()), (joined, joined));
    world.stop().await;
}

#[tokio::test]
async fn with_too_few_players_it_is_called_off_at_its_first_instant_and_everybody_is_told() {
    let world = World::open().await;
    let (mina, jun) = (world.user("mina").await, world.user("jun").await);
    let game = mina.hosts(&game(|terms| terms.min_players = 2)).await;
    mina.joins(game).await;
    jun.joins(game).await;
    jun.leaves(game).await;
    let mut own = mina.watches(game).await;
    world.referee_at(seoul("2026-03-02 00:00")).await;
    own.sees("it is called off", |own| own.status == Some(ChallengeStatus::Cancelled)).await;
    assert!(own.model.heard(|what| matches!(what, Happened::Cancelled { players: 1 })));
    jun.tries_to_join(game).await.refused(409, "challenge_over");
    world.time(seoul("2026-03-02 13:00"));
    assert_eq!(mina.logs(&lunch("2026-03-02", 700)).await.effects, []);
    world.referee_at(seoul("2026-03-05 02:00")).await;
    world.referee_has_looked(&mina).await;
    let books = consistent(&world, game).await;
    assert!(matches!(books.events.last().unwrap().event, Event::Cancelled { players: 1 }));
    world.stop().await;
}

#[tokio::test]
async fn a_challenge_starts_with_just_as_many_players_as_it_needs() {
    let world = World::open().await;
    let (mina, jun) = (world.user("mina").await, world.user("jun").await);
    let game = mina.hosts(&game(|terms| terms.min_players = 2)).await;
    mina.joins(game).await;
    jun.joins(game).await;
    // Who leaves between the start and the referee's look has played: the seat stays taken.
    let held_up = world.holds_up_the_referee(game).await;
    world.time(seoul("2026-03-02 00:00"));
    assert_eq!(jun.leaves(game).await.standing.unwrap().status, Status::Left);
    drop(held_up);
    world.referee_at(seoul("2026-03-02 00:00")).await;
    until("it runs", || async { (mina.reads(game).await.status == ChallengeStatus::Running).then_some(()) }).await;
    consistent(&world, game).await;
    world.stop().await;
}

fn closed(what: &Happened) -> Option<u16> {
    match what {
        Happened::DayClosed { day, .. } => Some(*day),
        _ => None,
    }
}

fn opened_or_closed(what: &Happened) -> Option<String> {
    match what {
        Happened::DayOpened { clock } => Some(format!("opened {}", clock.day)),
        Happened::DayClosed { day, .. } => Some(format!("closed {day}")),
        _ => None,
    }
}

/// How many meals a verdict saw.
fn logged_of(findings: &[Finding]) -> u32 {
    let logged = findings.iter().find_map(|finding| match finding {
        Finding::Meals { logged, .. } => Some(*logged),
        _ => None,
    });
    logged.unwrap()
}

#[tokio::test]
async fn a_challenge_that_cannot_be_judged_holds_up_no_other() {
    let world = World::open().await;
    let mina = world.user("mina").await;
    let (broken, sound) = (mina.hosts(&challenge()).await, mina.hosts(&challenge()).await);
    mina.joins(broken).await;
    mina.joins(sound).await;
    let mut board = world.spectator(sound).await;
    // Terms that this version cannot read. Its id is the smaller one, so its deadlines come first.
    sqlx::query("update challenges set terms = '{}' where id = $1").bind(broken.0).execute(&world.db).await.unwrap();
    world.time(seoul("2026-03-03 02:00"));
    let closed = |what: &Happened| matches!(what, Happened::DayClosed { day: 1, .. });
    board.sees("the sound one is judged", |board| board.heard(closed)).await;
    let rounds = "select count(*) from rounds where opened_at is not null and judged_at is null";
    assert_eq!(world.count(rounds).await, 1, "the second day of the sound one; nothing of the broken one");
    world.stop().await;
}
