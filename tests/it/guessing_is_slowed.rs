//! Who guesses passwords has to wait, who owns the account does not, and nobody asks more often than the table says.

use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::join_all;
use lastbite_protocol::rest::SignedIn;
use reqwest::Method;
use serde_json::json;

use crate::support::{Answer, Api, Setup, World, player::PASSWORD};

const STRANGER: [u8; 4] = [127, 0, 0, 2];

async fn tries(api: &Api, email: &str, password: &str) -> Answer {
    api.post("/api/v1/sessions", &json!({ "email": email, "password": password })).await
}

impl World {
    /// Lets real time pass for all who wait.
    async fn waits(&self, minutes: i32) {
        let sql = "update guesses set since = since - make_interval(mins => $1), \
                   wait_until = wait_until - make_interval(mins => $1)";
        sqlx::query(sql).bind(minutes).execute(&self.db).await.unwrap();
    }
}

/// Minutes that an answer tells one to wait.
fn told_to_wait(answer: &Answer) -> f64 {
    answer.refused(429, "too_many_attempts");
    let seconds: f64 = answer.headers["retry-after"].to_str().unwrap().parse().unwrap();
    seconds / 60.0
}

#[tokio::test]
async fn after_ten_wrong_guesses_each_next_one_waits_longer_and_the_owner_does_not() {
    let world = World::open().await;
    world.user("mina").await;
    let (owner, stranger) = (world.api(), world.api().from(STRANGER));
    for email in ["mina@example.com", "nobody@example.com"] {
        for _ in 0..10 {
            tries(&stranger, email, "a wrong guess").await.refused(401, "credentials_wrong");
        }
        // Whether there is such an account or not.
        for minutes in [1, 2, 4, 8, 15, 15] {
            let wait = told_to_wait(&tries(&stranger, email, "a wrong guess").await);
            assert!((wait - f64::from(minutes)).abs() < 0.2, "{email}: {wait} for {minutes}");
            world.waits(minutes).await;
            tries(&stranger, email, "a wrong guess").await.refused(401, "credentials_wrong");
        }
        told_to_wait(&tries(&stranger, &email.to_uppercase(), PASSWORD).await);
    }
    tries(&owner, "mina@example.com", PASSWORD).await.ok::<SignedIn>(201);
    tries(&stranger, "mina@example.com", PASSWORD).await.ok::<SignedIn>(201);
    world.stop().await;
}

#[tokio::test]
async fn a_thousand_addresses_have_the_ten_guesses_of_an_account_together() {
    let world = World::open().await;
    world.user("mina").await;
    let from = |n: u8| world.api().from([127, 0, 1, n]);
    for n in 1..=10 {
        tries(&from(n), "mina@example.com", "a wrong guess").await.refused(401, "credentials_wrong");
    }
    // All others wait, those with the right password too, and their tries are no guesses.
    let others = futures_util::stream::iter((0..1_000_u16).map(|n| {
        let api = world.api().from([127, 0, 2 + (n >> 8) as u8, (n & 0xff) as u8]);
        async move { tries(&api, "mina@example.com", PASSWORD).await.status.as_u16() }
    }));
    let told: Vec<u16> = others.buffer_unordered(16).collect().await;
    assert!(told.iter().all(|status| *status == 429), "{told:?}");
    assert_eq!(world.count("select max(failures)::bigint from guesses").await, 10);
    tries(&world.api(), "mina@example.com", PASSWORD).await.ok::<SignedIn>(201);
    world.stop().await;
}

#[tokio::test]
async fn guesses_that_come_at_once_are_no_more_than_those_one_after_the_other() {
    let world = World::open().await;
    world.user("mina").await;
    let at_once = join_all((0..18_u8).map(|n| {
        let stranger = world.api().from([127, 0, 1, n]);
        async move { tries(&stranger, "mina@example.com", "a wrong guess").await.status.as_u16() }
    }));
    let told = at_once.await;
    let of = |status: u16| told.iter().filter(|told| **told == status).count();
    assert_eq!((of(401), of(429)), (10, 8), "{told:?}");
    world.stop().await;
}

#[tokio::test]
async fn what_was_right_or_not_looked_at_is_no_guess() {
    let world = World::open().await;
    world.user("mina").await;
    let stranger = world.api().from(STRANGER);
    for _ in 0..12 {
        tries(&stranger, "mina@example.com", PASSWORD).await.ok::<SignedIn>(201);
    }
    assert_eq!(world.count("select coalesce(sum(failures), 0)::bigint from guesses").await, 0);
    world.stop().await;
}

#[tokio::test]
async fn whoever_is_signed_in_guesses_the_password_as_little() {
    let world = World::open().await;
    let mina = world.user("mina").await;
    let put = async |old: &str| {
        let body = json!({ "old_password": old, "new_password": "eight sleepless seals" });
        Answer::of(mina.api.request(Method::PUT, "/api/v1/accounts/me/password").json(&body)).await
    };
    for _ in 0..9 {
        put("a wrong guess").await.refused(403, "password_wrong");
    }
    let delete = mina.api.request(Method::DELETE, "/api/v1/accounts/me").json(&json!({ "password": "a wrong guess" }));
    Answer::of(delete).await.refused(403, "password_wrong");
    told_to_wait(&put(PASSWORD).await);
    // The owner of a stolen token still signs in, and ends that session.
    tries(&world.api(), "mina@example.com", PASSWORD).await.ok::<SignedIn>(201);
    world.waits(15).await;
    put(PASSWORD).await.ok_empty(204);
    world.stop().await;
}

#[tokio::test]
async fn an_owner_who_mistypes_at_home_is_not_slowed_before_a_hundred() {
    let world = World::open().await;
    world.user("mina").await;
    for _ in 0..12 {
        tries(&world.api(), "mina@example.com", "mistyped").await.refused(401, "credentials_wrong");
    }
    tries(&world.api(), "mina@example.com", PASSWORD).await.ok::<SignedIn>(201);
    world.stop().await;
}

#[tokio::test]
async fn an_address_that_tries_a_hundred_accounts_has_to_stop() {
    let world = World::open().await;
    world.user("mina").await;
    let stranger = world.api().from(STRANGER);
    // As ninety-nine wrong ones from there have left it.
    tries(&stranger, "nobody@example.com", "a wrong guess").await.refused(401, "credentials_wrong");
    sqlx::query("update guesses set failures = 99").execute(&world.db).await.unwrap();
    tries(&stranger, "somebody@example.com", "a wrong guess").await.refused(401, "credentials_wrong");
    assert!(told_to_wait(&tries(&stranger, "mina@example.com", PASSWORD).await) > 9.0);
    tries(&world.api().from([127, 0, 0, 3]), "mina@example.com", PASSWORD).await.ok::<SignedIn>(201);
    world.waits(11).await;
    tries(&stranger, "mina@example.com", PASSWORD).await.ok::<SignedIn>(201);
    world.stop().await;
}

#[tokio::test]
async fn a_flood_of_strangers_leaves_room_for_who_is_known_and_for_the_game() {
    let world = World::open().await;
    let mina = world.user("mina").await;
    let api = world.api();
    let flood = join_all((0..60).map(|n| {
        let stranger = api.from([127, 0, 1, n]);
        async move { tries(&stranger, &format!("victim{n}@example.com"), "stuffed").await.status.as_u16() }
    }));
    let known = async {
        tokio::time::sleep(Duration::from_millis(20)).await;
        tries(&api, "mina@example.com", PASSWORD).await.ok::<SignedIn>(201);
        mina.api.get("/api/v1/accounts/me").await.ok::<serde_json::Value>(200);
    };
    let (statuses, ()) = tokio::join!(flood, known);
    assert!(statuses.iter().all(|status| matches!(status, 401 | 503)), "{statuses:?}");
    world.stop().await;
}

#[tokio::test]
async fn passwords_of_all_kinds_are_taken_byte_for_byte() {
    let world = World::open().await;
    let api = world.api();
    let long = |end: &str| format!("{}{end}", "a".repeat(80));
    for (number, password) in
        ["비밀번호 여덟 자 넘게", "with\0nul inside it", "e\u{301} is not é here", &long("x"), "🔑🔑🔑🔑🔑🔑🔑🔑"]
            .into_iter()
            .enumerate()
    {
        let email = format!("user{number}@example.com");
        let body =
            json!({ "email": email, "password": password, "nickname": format!("user_{number}"), "at_least_14": true });
        api.post("/api/v1/accounts", &body).await.ok::<SignedIn>(201);
        tries(&api, &email, password).await.ok::<SignedIn>(201);
    }
    tries(&api, "user2@example.com", "é is not e\u{301} here").await.refused(401, "credentials_wrong");
    tries(&api, "user3@example.com", &long("y")).await.refused(401, "credentials_wrong");
    tries(&api, "user3@example.com", &"a".repeat(72)).await.refused(401, "credentials_wrong");
    let huge = json!({ "email": "user0@example.com", "password": "a".repeat(1 << 20) });
    api.post("/api/v1/sessions", &huge).await.refused(413, "body_too_large");
    world.stop().await;
}

#[tokio::test]
async fn rates_are_those_of_the_table_and_say_when_it_goes_on() {
    let world = World::open().await;
    let node = world.node_with(Setup { rates_factor: 1, ..Setup::default() }).await;
    let api = node.api();
    let sign_up = async |api: &Api, n: usize| {
        let body = json!({ "email": format!("user{n}@example.com"), "password": PASSWORD, "nickname": format!("user_{n}"), "at_least_14": true });
        api.post("/api/v1/accounts", &body).await
    };
    for n in 0..10 {
        let answer = sign_up(&api, n).await;
        answer.ok::<SignedIn>(201);
        assert_eq!(answer.headers["ratelimit-policy"], "\"sign_up\";q=10;w=3600");
        assert!(answer.headers["ratelimit"].to_str().unwrap().starts_with(&format!("\"sign_up\";r={}", 9 - n)));
    }
    let late = sign_up(&api, 10).await;
    late.refused(429, "too_many_requests");
    let wait: u64 = late.headers["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((300..=361).contains(&wait), "a tenth of an hour: {wait}");
    let from_elsewhere: SignedIn = sign_up(&api.from(STRANGER), 10).await.ok(201);
    // What is counted by user is not counted by address.
    let (mina, jun) = (api.with_token(&from_elsewhere.access_token), world.user("jun").await);
    let me = async |api: &Api| api.get("/api/v1/accounts/me").await.status.as_u16();
    let mut asked = 0;
    while me(&mina).await == 200 {
        asked += 1;
        assert!(asked < 1_000, "three hundred at once, and five more a second");
    }
    assert!(asked >= 300, "{asked}");
    assert_eq!(me(&api.with_token(&jun.token)).await, 200);
    let head = Answer::of(mina.request(Method::HEAD, "/api/v1/accounts/me")).await;
    assert!(matches!(head.status.as_u16(), 200 | 429), "counted as GET is");
    // A browser is sent to the page that says it.
    let starts = async || {
        let answer = api.get("/oidc/kakao/start").await;
        assert_eq!(answer.status.as_u16(), 302);
        answer.headers["location"].to_str().unwrap().to_owned()
    };
    let mut sent_to = starts().await;
    while sent_to == "/signin#error=not_found" {
        sent_to = starts().await;
    }
    assert_eq!(sent_to, "/signin#error=too_many_requests");
    node.stop().await;
    world.stop().await;
}
