//! Joining and leaving: who gets a seat, until when, and what happens when many want the last ones at once.

use chrono::TimeDelta;
use futures_util::future::join_all;
use lastbite_protocol::{
    ChallengeId, Status,
    profile::{Body, Weight},
    rest::{ChallengeStatus, Consent, Membership, NewChallenge},
};
use serde_json::{Value, json};

use crate::support::{Answer, Player, World, challenge, lunch, seoul};

fn with_seats(seats: u32) -> NewChallenge {
    let mut wish = challenge();
    wish.terms.seats = seats;
    wish
}

#[tokio::test]
async fn who_joins_twice_has_one_seat_and_the_same_answer() {
    let world = World::open().await;
    let mina = world.user("mina").await;
    let game = mina.hosts(&challenge()).await;
    let first = mina.joins(game).await;
    let again: Membership = mina.tries_to_join(game).await.ok(200);
    assert_eq!(again, first);
    assert_eq!(mina.reads(game).await.seats_taken, 1);
    world.stop().await;
}

#[tokio::test]
async fn a_full_challenge_takes_nobody_until_a_seat_is_freed() {
    let world = World::open().await;
    let (mina, jun, sora) = (world.user("mina").await, world.user("jun").await, world.user("sora").await);
    let game = mina.hosts(&with_seats(2)).await;
    mina.joins(game).await;
    jun.joins(game).await;
    sora.tries_to_join(game).await.refused(409, "challenge_full");
    mina.tries_to_join(game).await.ok::<Membership>(200);
    let mut board = world.spectator(game).await;
    assert_eq!(board.model.board().len(), 2);
    let gone = jun.leaves(game).await;
    assert_eq!(gone.standing, None);
    board.sees("jun's row is gone", |board| board.row(jun.id).is_none() && board.n == Some(gone.n)).await;
    assert_eq!(mina.reads(game).await.seats_taken, 1);
    sora.joins(game).await;
    jun.tries_to_join(game).await.refused(409, "challenge_full");
    world.stop().await;
}

#[tokio::test]
async fn who_left_before_the_start_may_come_back() {
    let world = World::open().await;
    let mina = world.user("mina").await;
    let game = mina.hosts(&challenge()).await;
    mina.joins(game).await;
    mina.leaves(game).await;
    mina.api.delete(&format!("/api/v1/challenges/{game}/players/me")).await.refused(404, "not_a_player");
    mina.joins(game).await;
    assert_eq!(mina.reads(game).await.me.unwrap().status, Status::Alive);
    world.stop().await;
}

#[tokio::test]
async fn one_joins_until_the_very_start() {
    let world = World::open().await;
    let (mina, jun) = (world.user("mina").await, world.user("jun").await);
    let game = mina.hosts(&challenge()).await;
    let start = seoul("2026-03-02 00:00");
    world.time(start - TimeDelta::milliseconds(1));
    mina.joins(game).await;
    // Whether or not the referee has come by yet.
    world.time(start);
    jun.tries_to_join(game).await.refused(409, "challenge_started");
    world.referee_at(start).await;
    jun.tries_to_join(game).await.refused(409, "challenge_started");
    mina.tries_to_join(game).await.ok::<Membership>(200);
    world.stop().await;
}

#[tokio::test]
async fn who_leaves_during_play_is_greyed_and_does_not_return() {
    let world = World::open().await;
    let (mina, jun) = (world.user("mina").await, world.user("jun").await);
    let game = mina.hosts(&challenge()).await;
    mina.joins(game).await;
    jun.joins(game).await;
    let mut board = world.spectator(game).await;
    world.referee_at(seoul("2026-03-02 13:00")).await;
    jun.logs(&lunch("2026-03-02", 700)).await;
    let left = jun.leaves(game).await;
    assert_eq!(left.standing.as_ref().unwrap().status, Status::Left);
    board.sees("jun is greyed", |board| board.row(jun.id).is_some_and(|row| row.status == Status::Left)).await;
    assert_eq!(board.model.counts.players, 2, "the row stays");
    assert_eq!(jun.leaves(game).await, left, "to leave twice is to leave once");
    jun.tries_to_join(game).await.refused(409, "no_return");
    assert_eq!(mina.reads(game).await.seats_taken, 2, "the seat is not free again");
    world.stop().await;
}

#[tokio::test]
async fn a_challenge_that_is_over_is_neither_joined_nor_left() {
    let world = World::open().await;
    let (mina, jun) = (world.user("mina").await, world.user("jun").await);
    let (mut short, mut lonely) = (challenge(), challenge());
    short.terms.days = 1;
    lonely.terms.min_players = 2;
    let games = [mina.hosts(&short).await, mina.hosts(&lonely).await];
    for game in games {
        mina.joins(game).await;
    }
    world.referee_at(seoul("2026-03-03 02:00")).await;
    for (game, status) in games.into_iter().zip([ChallengeStatus::Finished, ChallengeStatus::Cancelled]) {
        assert_eq!(mina.reads(game).await.status, status);
        jun.tries_to_join(game).await.refused(409, "challenge_over");
        mina.api.delete(&format!("/api/v1/challenges/{game}/players/me")).await.refused(409, "challenge_over");
    }
    world.stop().await;
}

#[tokio::test]
async fn a_band_that_is_too_low_for_somebody_unknown_is_hosted_but_not_joined() {
    let world = World::open().await;
    let mina = world.user("mina").await;
    let mut wish = challenge();
    wish.terms.requirements = vec![lastbite_protocol::Requirement::Calories { target_kcal: 1300, tolerance_kcal: 100 }];
    let game = mina.hosts(&wish).await;
    mina.tries_to_join(game).await.refused(403, "band_below_floor");
    assert_eq!(mina.reads(game).await.seats_taken, 0);
    // Her own floor is lower, unless she weighs too little for any such challenge.
    let consent = json!({ "version": 1, "given": true });
    mina.api.put("/api/v1/accounts/me/consents/health_data", &consent).await.ok::<Consent>(200);
    let tells = async |what: Value| mina.api.patch("/api/v1/accounts/me/body", &what).await.ok::<Body>(200);
    let weighs = async |day: &str, weight_g: u32| {
        let path = format!("/api/v1/accounts/me/weights/2026-02-{day}");
        mina.api.put(&path, &json!({ "weight_g": weight_g })).await.ok::<Weight>(200);
    };
    tells(json!({ "birth_year": 1990, "sex": "female" })).await;
    weighs("01", 55_000).await;
    weighs("02", 48_000).await;
    tells(json!({ "height_mm": 1_620 })).await;
    mina.tries_to_join(game).await.refused(403, "underweight");
    weighs("03", 49_000).await;
    mina.joins(game).await;
    world.stop().await;
}

#[tokio::test]
async fn nobody_plays_too_many_challenges_at_once() {
    let world = World::open().await;
    let (mina, jun) = (world.user("mina").await, world.user("jun").await);
    let mut games = Vec::new();
    for host in [&mina, &jun] {
        for _ in 0..11 {
            games.push(host.hosts(&challenge()).await);
        }
    }
    for game in &games[..20] {
        mina.joins(*game).await;
    }
    mina.tries_to_join(games[20]).await.refused(409, "too_many_challenges");
    mina.leaves(games[0]).await;
    mina.joins(games[20]).await;
    mina.tries_to_join(games[21]).await.refused(409, "too_many_challenges");
    world.stop().await;
}

/// Tries again as long as the server asks for it.
async fn joins_with_patience(player: &Player, game: ChallengeId) -> Answer {
    loop {
        let answer = player.tries_to_join(game).await;
        if answer.status != 503 {
            return answer;
        }
        assert!(answer.headers.contains_key("retry-after"));
    }
}

#[tokio::test]
async fn of_sixty_who_want_the_last_five_seats_at_once_exactly_five_get_one() {
    let world = World::open().await;
    let host = world.user("host").await;
    let game = host.hosts(&with_seats(5)).await;
    let mut crowd = Vec::new();
    for dozen in 0..5 {
        // No more at once than wait for a hashing.
        let names: Vec<_> = (0..12).map(|n| format!("user_{dozen}_{n}")).collect();
        crowd.extend(join_all(names.iter().map(|name| world.user(name))).await);
    }
    let mut board = world.spectator(game).await;
    let answers = join_all(crowd.iter().map(|player| joins_with_patience(player, game))).await;
    let (seated, sent_away): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == 201);
    assert_eq!((seated.len(), sent_away.len()), (5, 55));
    for answer in sent_away {
        answer.refused(409, "challenge_full");
    }
    assert_eq!(host.reads(game).await.seats_taken, 5);
    assert_eq!(world.count("select count(*) from standings").await, 5);
    board.sees("five on the board", |board| board.n == Some(5)).await;
    assert_eq!(board.model.board().len(), 5);
    world.stop().await;
}
