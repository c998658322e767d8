//! Days off: asked for until the log closes, so many a week, seen by the referee, and nobody else's to ask for.

use lastbite_protocol::{ChallengeId, Verdict, rest::CheatDays};
use serde_json::json;

use crate::support::{Answer, Player, World, books::consistent, play::game, seoul};

impl Player {
    async fn takes_off(&self, challenge: ChallengeId, day: u16) -> Answer {
        let path = format!("/api/v1/challenges/{challenge}/players/me/cheat-days/{day}");
        self.api.put(&path, &json!(null)).await
    }

    async fn takes_back(&self, challenge: ChallengeId, day: u16) -> Answer {
        self.api.delete(&format!("/api/v1/challenges/{challenge}/players/me/cheat-days/{day}")).await
    }
}

#[tokio::test]
async fn a_day_off_is_survived_and_the_last_moment_is_in_time() {
    let world = World::open().await;
    let (mina, jun) = (world.user("mina").await, world.user("jun").await);
    let challenge = mina.hosts(&game(|terms| terms.lives = 0)).await;
    for player in [&mina, &jun] {
        player.joins(challenge).await;
    }
    world.referee_at(seoul("2026-03-02 20:00")).await;
    world.time(seoul("2026-03-03 01:59:59.999"));
    let days: CheatDays = mina.takes_off(challenge, 1).await.ok(200);
    assert_eq!(days, CheatDays { days: vec![1], per_week: 1 });
    mina.takes_off(challenge, 1).await.ok::<CheatDays>(200);
    mina.takes_off(challenge, 2).await.refused(409, "no_cheat_day_left");
    world.time(seoul("2026-03-03 02:00"));
    jun.takes_off(challenge, 1).await.refused(409, "day_closed");
    mina.takes_back(challenge, 1).await.refused(409, "day_closed");
    world.referee_at(seoul("2026-03-03 02:00")).await;
    let verdict = &mina.verdicts(challenge).await[0];
    assert_eq!((verdict.verdict, verdict.points), (Verdict::Cheat, 30));
    assert_eq!(jun.verdicts(challenge).await[0].verdict, Verdict::Missed);
    jun.takes_off(challenge, 2).await.refused(409, "not_in");
    mina.takes_off(challenge, 2).await.refused(409, "no_cheat_day_left");
    consistent(&world, challenge).await;
    world.stop().await;
}

#[tokio::test]
async fn a_day_off_is_taken_back_and_nobody_elses() {
    let world = World::open().await;
    let (mina, jun) = (world.user("mina").await, world.user("jun").await);
    let challenge = mina.hosts(&game(|_| ())).await;
    mina.joins(challenge).await;
    mina.takes_off(challenge, 2).await.ok::<CheatDays>(200);
    let days: CheatDays = mina.takes_back(challenge, 2).await.ok(200);
    assert!(days.days.is_empty(), "and so another one is free");
    mina.takes_off(challenge, 3).await.ok::<CheatDays>(200);
    let path = format!("/api/v1/challenges/{challenge}/players/me/cheat-days");
    assert_eq!(mina.api.get(&path).await.ok::<CheatDays>(200).days, [3]);
    for answer in [jun.api.get(&path).await, jun.takes_off(challenge, 2).await, jun.takes_back(challenge, 3).await] {
        answer.refused(404, "not_a_player");
    }
    mina.takes_off(challenge, 0).await.refused(404, "no_such_day");
    mina.takes_off(challenge, 4).await.refused(404, "no_such_day");
    // Ten at once for two days of one week: one of them gets it.
    let ten = (0..10_u16).map(|number| mina.takes_off(challenge, 1 + number % 2));
    let statuses: Vec<_> =
        futures_util::future::join_all(ten).await.iter().map(|answer| answer.status.as_u16()).collect();
    assert_eq!(statuses, [409; 10], "the third day has it");
    mina.takes_back(challenge, 3).await.ok::<CheatDays>(200);
    let ten = (0..10_u16).map(|number| mina.takes_off(challenge, 1 + number % 2));
    futures_util::future::join_all(ten).await;
    assert_eq!(mina.api.get(&path).await.ok::<CheatDays>(200).days.len(), 1);
    // Who leaves before the start leaves nothing behind.
    mina.leaves(challenge).await;
    assert_eq!(world.count("select count(*) from cheat_days").await, 0);
    world.stop().await;
}
