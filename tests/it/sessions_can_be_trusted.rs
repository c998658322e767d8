//! Refresh tokens: each is good once, a lost answer logs nobody out, and a stolen one ends the session.

use std::collections::HashSet;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::TimeDelta;
use futures_util::future::join_all;
use lastbite::demo::plan::Dice;
use lastbite_protocol::{
    SessionId,
    rest::{Account, SignedIn},
};
use serde_json::json;

use crate::support::{
    Answer, Api, World,
    player::{logs_in, refreshes},
};

const ME: &str = "/api/v1/accounts/me";

impl World {
    /// Lets so much real time pass for all sessions: what was, was so much earlier.
    async fn later(&self, by: TimeDelta) {
        let seconds = by.as_seconds_f64();
        for sql in [
            "update refresh_tokens set issued_at = issued_at - make_interval(secs => $1),
                    expires_at = expires_at - make_interval(secs => $1), spent_at = spent_at - make_interval(secs => $1)",
            "update sessions set created_at = created_at - make_interval(secs => $1),
                    last_seen_at = last_seen_at - make_interval(secs => $1),
                    ends_at = ends_at - make_interval(secs => $1), ended_at = ended_at - make_interval(secs => $1)",
        ] {
            sqlx::query(sql).bind(seconds).execute(&self.db).await.unwrap();
        }
    }

    async fn why_ended(&self, session: SessionId) -> Option<String> {
        sqlx::query_scalar("select ended_why from sessions where id = $1")
            .bind(session.0)
            .fetch_one(&self.db)
            .await
            .unwrap()
    }
}

async fn goes_on(api: &Api, token: &str) -> SignedIn {
    refreshes(api, token).await.ok(200)
}

#[tokio::test]
async fn a_session_goes_on_from_token_to_token() {
    let world = World::open().await;
    world.user("mina").await;
    let api = world.api();
    let first = logs_in(&api, "mina", "a phone").await;
    let second = goes_on(&api, &first.refresh_token).await;
    let third = goes_on(&api, &second.refresh_token).await;
    assert_eq!([second.session, third.session], [first.session; 2]);
    let tokens: HashSet<_> = [&first, &second, &third].map(|at| &at.refresh_token).into_iter().collect();
    assert_eq!(tokens.len(), 3);
    for token in [&first, &second, &third] {
        api.with_token(&token.access_token).get(ME).await.ok::<Account>(200);
    }
    let kept: Vec<Vec<u8>> = sqlx::query_scalar("select hash from refresh_tokens").fetch_all(&world.db).await.unwrap();
    for token in tokens {
        let bytes = URL_SAFE_NO_PAD.decode(token).unwrap();
        assert!(bytes.len() == 32 && !kept.contains(&bytes), "what is stored is no token");
    }
    world.stop().await;
}

#[tokio::test]
async fn who_lost_the_answer_gets_the_same_one_again_for_ten_seconds() {
    let world = World::open().await;
    world.user("mina").await;
    let api = world.api();
    let first = logs_in(&api, "mina", "a phone").await;
    let second = goes_on(&api, &first.refresh_token).await;
    world.later(TimeDelta::seconds(8)).await;
    assert_eq!(goes_on(&api, &first.refresh_token).await.refresh_token, second.refresh_token);
    world.later(TimeDelta::seconds(3)).await;
    refreshes(&api, &first.refresh_token).await.refused(401, "refresh_reused");
    refreshes(&api, &second.refresh_token).await.refused(401, "session_ended");
    api.with_token(&second.access_token).get(ME).await.refused(401, "session_ended");
    assert_eq!(world.why_ended(first.session).await.as_deref(), Some("reuse"));
    world.stop().await;
}

#[tokio::test]
async fn a_grandparent_ends_the_session_at_once() {
    let world = World::open().await;
    world.user("mina").await;
    let (api, other) = (world.api(), logs_in(&world.api(), "mina", "a laptop").await);
    let first = logs_in(&api, "mina", "a phone").await;
    let second = goes_on(&api, &first.refresh_token).await;
    let third = goes_on(&api, &second.refresh_token).await;
    refreshes(&api, &first.refresh_token).await.refused(401, "refresh_reused");
    for token in [&first, &second, &third] {
        refreshes(&api, &token.refresh_token).await.refused(401, "session_ended");
        api.with_token(&token.access_token).get(ME).await.refused(401, "session_ended");
    }
    goes_on(&api, &other.refresh_token).await;
    world.stop().await;
}

#[tokio::test]
async fn heavy_the_same_token_a_thousand_times_at_once_has_one_successor() {
    let world = World::open().await;
    world.user("mina").await;
    let api = world.api();
    let first = logs_in(&api, "mina", "a phone").await;
    let answers = join_all((0..1_000).map(|_| refreshes(&api, &first.refresh_token))).await;
    let mut successors = HashSet::new();
    for answer in &answers {
        // Whoever finds no room is told to come back, and is not logged out for it.
        match answer.status.as_u16() {
            200 => drop(successors.insert(answer.ok::<SignedIn>(200).refresh_token)),
            503 => {}
            other => panic!("{other}: {answer:?}"),
        }
    }
    assert_eq!(successors.len(), 1);
    assert_eq!(
        world.count("select count(*) from refresh_tokens").await,
        3,
        "registering, logging in, and the one after"
    );
    goes_on(&api, successors.iter().next().unwrap()).await;
    world.stop().await;
}

#[tokio::test]
async fn what_is_no_refresh_token_is_refused() {
    let world = World::open().await;
    let mina = world.user("mina").await;
    let api = world.api();
    let signed_in = logs_in(&api, "mina", "a phone").await;
    let mut other = signed_in.refresh_token.clone();
    other.replace_range(0..1, if other.starts_with('A') { "B" } else { "A" });
    for token in [
        "",
        "x",
        "\0",
        &mina.token,
        &other,
        &"A".repeat(10_000),
        &signed_in.refresh_token[1..],
        &format!("{} ", signed_in.refresh_token),
    ] {
        refreshes(&api, token).await.refused(401, "refresh_invalid");
    }
    for body in [json!({}), json!({ "refresh_token": 7 }), json!({ "refresh_token": "x", "role": "admin" })] {
        api.post("/api/v1/sessions/refresh", &body).await.refused(422, "json_invalid");
    }
    api.with_token(&signed_in.refresh_token).get(ME).await.refused(401, "token_invalid");
    goes_on(&api, &signed_in.refresh_token).await;
    world.stop().await;
}

#[tokio::test]
async fn a_session_ends_unused_for_thirty_days_and_after_ninety_in_any_case() {
    let world = World::open().await;
    world.user("mina").await;
    let api = world.api();
    let mut busy = logs_in(&api, "mina", "a phone").await;
    let idle = logs_in(&api, "mina", "a laptop").await;
    for day in (0..90).step_by(10) {
        busy = goes_on(&api, &busy.refresh_token).await;
        world.later(TimeDelta::days(10)).await;
        if day == 30 {
            refreshes(&api, &idle.refresh_token).await.refused(401, "session_ended");
        }
    }
    refreshes(&api, &busy.refresh_token).await.refused(401, "session_ended");
    assert_eq!(lastbite::accounts::forget_old(&world.db, world.clock.wall() + TimeDelta::days(1)).await.unwrap(), 3);
    assert_eq!(world.count("select count(*) from refresh_tokens").await, 0);
    world.stop().await;
}

/// A session as whoever has all its tokens may expect it to go on.
#[derive(Default)]
struct Family {
    tokens: Vec<String>,
    /// The place of the newest.
    newest: usize,
    /// How long ago the one before it was spent.
    since_spent: TimeDelta,
    over: bool,
}

impl Family {
    /// What showing the token at `place` has to come to, by the book.
    fn expects(&self, place: usize) -> (u16, &'static str) {
        match () {
            () if self.over => (401, "session_ended"),
            () if place == self.newest => (200, ""),
            () if place + 1 == self.newest && self.since_spent <= TimeDelta::seconds(10) => (200, ""),
            () => (401, "refresh_reused"),
        }
    }

    fn takes(&mut self, place: usize, answer: &Answer) {
        let (status, code) = self.expects(place);
        if status != 200 {
            answer.refused(status, code);
            self.over = true;
            return;
        }
        let token = answer.ok::<SignedIn>(200).refresh_token;
        if place == self.newest {
            assert!(!self.tokens.contains(&token), "no token comes twice");
            self.tokens.push(token);
            self.newest += 1;
            self.since_spent = TimeDelta::zero();
        } else {
            assert_eq!(token, self.tokens[self.newest], "the same successor");
        }
    }
}

/// Any token at any time, from any node: each answer is the one that the book says.
#[tokio::test]
async fn whatever_tokens_are_shown_in_whatever_order_the_family_stays_true() {
    let world = World::open().await;
    let second = world.another_node().await;
    world.user("mina").await;
    let nodes = [world.api(), second.api()];
    let (mut reused, mut repeated) = (0, 0);
    for seed in 0..24 {
        let mut dice = Dice::thrown_for(seed, 0, 0);
        let mut family =
            Family { tokens: vec![logs_in(&nodes[0], "mina", "a phone").await.refresh_token], ..Family::default() };
        for _ in 0..14 {
            if dice.chance(25) {
                let seconds = i64::from(dice.between(3, 9));
                world.later(TimeDelta::seconds(seconds)).await;
                family.since_spent += TimeDelta::seconds(seconds);
            }
            // Near the edge real time decides, and this is no test of that.
            if (TimeDelta::seconds(9)..TimeDelta::seconds(11)).contains(&family.since_spent) {
                continue;
            }
            // Mostly one of the newest.
            let far = if dice.chance(90) { 2 } else { 4 };
            let back = dice.below(far) as usize;
            let place = family.newest.saturating_sub(back);
            let was_over = family.over;
            let answer = refreshes(&nodes[dice.below(2) as usize], &family.tokens[place]).await;
            repeated += usize::from(!was_over && place < family.newest && answer.status == 200);
            family.takes(place, &answer);
            reused += usize::from(!was_over && family.over);
        }
    }
    assert!(reused > 2 && repeated > 10, "{reused} reuses, {repeated} answers repeated");
    second.stop().await;
    world.stop().await;
}
