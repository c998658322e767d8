//! Where a user is signed in, and that ending it is felt at once: by REST, by sockets, on every node.

use std::time::Instant;

use chrono::TimeDelta;
use lastbite_protocol::{
    ChallengeId, SessionId,
    rest::{Account, Page, Session, SignedIn},
    socket::{ClientMessage, ServerMessage, close},
};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{
    Answer, Api, Node, Viewer, World, challenge,
    player::{PASSWORD, logs_in, refreshes},
    until,
};

const ME: &str = "/api/v1/accounts/me";

async fn sessions(api: &Api) -> Vec<Session> {
    api.get("/api/v1/sessions").await.ok::<Page<Session>>(200).items
}

async fn watches(node: &Node, token: &str, game: ChallengeId) -> Viewer {
    Viewer::watch(node.address, Some(token), game, None).await
}

/// Two nodes, and mina on a phone and on a laptop, each with a socket on each node.
struct House {
    world: World,
    second: Node,
    phone: SignedIn,
    laptop: SignedIn,
    of_phone: Vec<Viewer>,
    of_laptop: Vec<Viewer>,
}

impl House {
    async fn open() -> Self {
        let world = World::open().await;
        let second = world.another_node().await;
        let mina = world.user("mina").await;
        let game = mina.hosts(&challenge()).await;
        let (phone, laptop) =
            (logs_in(&world.api(), "mina", "a phone").await, logs_in(&world.api(), "mina", "a laptop").await);
        let (mut of_phone, mut of_laptop) = (Vec::new(), Vec::new());
        for node in [&world.node, &second] {
            of_phone.push(watches(node, &phone.access_token, game).await);
            of_laptop.push(watches(node, &laptop.access_token, game).await);
        }
        Self { world, second, phone, laptop, of_phone, of_laptop }
    }

    fn on_phone(&self) -> Api {
        self.world.api().with_token(&self.phone.access_token)
    }

    /// The phone is logged out on every node, by REST and by socket; the laptop is not.
    async fn phone_is_out(mut self) {
        let since = Instant::now();
        for viewer in &mut self.of_phone {
            assert_eq!(viewer.sees_the_end().await, Some(close::REVOKED));
            assert!(
                matches!(&viewer.model.bye, Some(ServerMessage::Bye { reconnect: false, reason, .. }) if reason == "session_ended")
            );
        }
        for api in [self.world.api(), self.second.api()] {
            api.with_token(&self.phone.access_token).get(ME).await.refused(401, "session_ended");
            refreshes(&api, &self.phone.refresh_token).await.refused(401, "session_ended");
        }
        assert!(since.elapsed().as_secs_f64() < 1.5, "a second, and half of one for the asking: {:?}", since.elapsed());
        let mut late = Viewer::on(crate::support::viewer::connect(self.second.address).await);
        late.hello(Some(&self.phone.access_token), Vec::new()).await;
        assert_eq!(late.sees_the_end().await, Some(close::AUTH));
        self.laptop_is_in().await;
    }

    async fn laptop_is_in(mut self) {
        self.world.api().with_token(&self.laptop.access_token).get(ME).await.ok::<Account>(200);
        for viewer in &mut self.of_laptop {
            viewer.says(&ClientMessage::Ping { id: 90 }).await;
            viewer.sees("an answer", |model| model.oks == [90]).await;
        }
        assert!(refreshes(&self.world.api(), &self.laptop.refresh_token).await.status.is_success());
        self.second.stop().await;
        self.world.stop().await;
    }
}

#[tokio::test]
async fn a_user_sees_where_they_are_signed_in() {
    let house = House::open().await;
    let listed = sessions(&house.on_phone()).await;
    let devices: Vec<_> = listed.iter().map(|session| (session.device.as_str(), session.current)).collect();
    assert_eq!(devices, [("a laptop", false), ("a phone", true), ("", false)], "the one used last first");
    assert!(listed.iter().all(|session| session.last_address.as_deref() == Some("127.0.0.1")));
    let stranger = house.world.user("jun").await;
    let path = format!("/api/v1/sessions/{}", house.phone.session);
    stranger.api.delete(&path).await.refused(404, "not_found");
    house.on_phone().delete(&format!("/api/v1/sessions/{}", SessionId::generate())).await.refused(404, "not_found");
    let named = house.world.api().request(Method::POST, "/api/v1/sessions").header("user-agent", "lastbite-ios/1.2");
    let body = json!({ "email": "mina@example.com", "password": PASSWORD });
    let by_agent: SignedIn = Answer::of(named.json(&body)).await.ok(201);
    let listed = sessions(&house.on_phone()).await;
    assert_eq!(listed[0].id, by_agent.session);
    assert_eq!(listed[0].device, "lastbite-ios/1.2");
    let long = json!({ "email": "mina@example.com", "password": PASSWORD, "device": "가".repeat(65) });
    house.world.api().post("/api/v1/sessions", &long).await.refused(422, "device_invalid");
    house.laptop_is_in().await;
}

#[tokio::test]
async fn logging_out_is_felt_everywhere() {
    let house = House::open().await;
    house.on_phone().delete("/api/v1/sessions/current").await.ok_empty(204);
    house.phone_is_out().await;
}

#[tokio::test]
async fn ending_another_session_is_felt_everywhere() {
    let house = House::open().await;
    let laptop = house.second.api().with_token(&house.laptop.access_token);
    let path = format!("/api/v1/sessions/{}", house.phone.session);
    laptop.delete(&path).await.ok_empty(204);
    laptop.delete(&path).await.refused(404, "not_found");
    house.phone_is_out().await;
}

#[tokio::test]
async fn a_block_and_a_deletion_are_felt_on_every_node() {
    let mut house = House::open().await;
    let moderator = house.world.user("moderator").await;
    sqlx::query("update users set role = 'moderator' where nickname = 'moderator'")
        .execute(&house.world.db)
        .await
        .unwrap();
    moderator.api.post(&format!("/api/v1/users/{}/block", house.phone.user.id), &json!({})).await.ok_empty(204);
    for viewer in house.of_phone.iter_mut().chain(&mut house.of_laptop) {
        assert_eq!(viewer.sees_the_end().await, Some(close::REVOKED));
    }
    house.second.api().with_token(&house.phone.access_token).get(ME).await.refused(401, "session_ended");
    let jun = house.world.user("jun").await;
    let game = jun.hosts(&challenge()).await;
    let mut there = watches(&house.second, &jun.token, game).await;
    let delete = jun.api.request(Method::DELETE, ME).json(&json!({ "password": PASSWORD }));
    Answer::of(delete).await.ok_empty(202);
    assert_eq!(there.sees_the_end().await, Some(close::REVOKED));
    house.second.api().with_token(&jun.token).get(ME).await.refused(401, "session_ended");
    house.second.stop().await;
    house.world.stop().await;
}

#[tokio::test]
async fn a_node_that_has_just_come_up_knows_who_is_out() {
    let world = World::open().await;
    let mina = world.user("mina").await;
    mina.api.delete("/api/v1/sessions").await.ok_empty(204);
    let newcomer = world.another_node().await;
    newcomer.api().with_token(&mina.token).get(ME).await.refused(401, "session_ended");
    newcomer.stop().await;
    world.stop().await;
}

#[tokio::test]
async fn logging_out_everywhere_leaves_nobody_in() {
    let mut house = House::open().await;
    house.on_phone().delete("/api/v1/sessions").await.ok_empty(204);
    for viewer in house.of_phone.iter_mut().chain(&mut house.of_laptop) {
        assert_eq!(viewer.sees_the_end().await, Some(close::REVOKED));
    }
    for signed_in in [&house.phone, &house.laptop] {
        house.second.api().with_token(&signed_in.access_token).get(ME).await.refused(401, "session_ended");
    }
    logs_in(&house.world.api(), "mina", "a phone").await;
    house.second.stop().await;
    house.world.stop().await;
}

#[tokio::test]
async fn a_new_password_ends_all_other_sessions() {
    let house = House::open().await;
    let laptop = house.world.api().with_token(&house.laptop.access_token);
    let put = async |old: Option<&str>, new: &str| {
        let body = json!({ "old_password": old, "new_password": new });
        Answer::of(laptop.request(Method::PUT, "/api/v1/accounts/me/password").json(&body)).await
    };
    put(Some("not that one"), "eight sleepless seals").await.refused(403, "password_wrong");
    put(None, "eight sleepless seals").await.refused(403, "password_wrong");
    put(Some(PASSWORD), "12345678").await.refused(422, "password_weak");
    put(Some(PASSWORD), "eight sleepless seals").await.ok_empty(204);
    let body = |password: &str| json!({ "email": "mina@example.com", "password": password });
    house.world.api().post("/api/v1/sessions", &body(PASSWORD)).await.refused(401, "credentials_wrong");
    house.world.api().post("/api/v1/sessions", &body("eight sleepless seals")).await.ok::<SignedIn>(201);
    house.phone_is_out().await;
}

#[tokio::test]
async fn the_eleventh_session_ends_the_one_unused_for_longest() {
    let world = World::open().await;
    world.user("mina").await;
    let api = world.api();
    let mut all = Vec::new();
    for number in 2..=10 {
        all.push(logs_in(&api, "mina", &format!("device {number}")).await);
    }
    // The first of them is used again, so the second is the oldest but for registering's own.
    refreshes(&api, &all[0].refresh_token).await.ok::<SignedIn>(200);
    logs_in(&api, "mina", "device 11").await;
    logs_in(&api, "mina", "device 12").await;
    let listed = sessions(&api.with_token(&all[8].access_token)).await;
    assert_eq!(listed.len(), 10);
    assert!(listed.iter().any(|session| session.device == "device 2"));
    assert!(!listed.iter().any(|session| session.device == "device 3"));
    api.with_token(&all[1].access_token).get(ME).await.refused(401, "session_ended");
    world.stop().await;
}

#[tokio::test]
async fn a_socket_shows_the_next_token_without_coming_back() {
    let world = World::open().await;
    let (mina, jun) = (world.user("mina").await, world.user("jun").await);
    let game = mina.hosts(&challenge()).await;
    mina.joins(game).await;
    // A token with a second to live, the leeway included.
    let soon = world.clock.wall() - TimeDelta::seconds(600 + 30 - 2);
    let old = world.node.token(mina.id, soon);
    let mut viewer = watches(&world.node, &old, game).await;
    viewer.sees("her own place", |model| model.me.is_some()).await;
    for (id, token, code) in [(90, &*jun.token, "other_user"), (91, "nonsense", "token_invalid")] {
        viewer.says(&ClientMessage::Refresh { id, token: token.to_owned() }).await;
        viewer.sees("a refusal", |model| model.errors.contains(&(Some(id), code.to_owned()))).await;
    }
    viewer.says(&ClientMessage::Refresh { id: 92, token: mina.token.clone() }).await;
    viewer.sees("an answer", |model| model.oks == [92]).await;
    let mut without = watches(&world.node, &old, game).await;
    without.sees("that its token has ended", |model| model.errors.contains(&(None, "token_expired".to_owned()))).await;
    without.model.me = None;
    jun.joins(game).await;
    viewer
        .sees("jun, and her own place beside him", |model| model.me.as_ref().is_some_and(|me| me.around.len() == 2))
        .await;
    without.sees("jun", |board| board.row(jun.id).is_some()).await;
    assert!(without.model.me.is_none(), "from then on it is anybody's socket");
    assert_eq!(viewer.model.errors.len(), 2, "and the other one is still hers");
    world.stop().await;
}

#[tokio::test]
async fn a_users_sixth_socket_replaces_the_first() {
    let world = World::open().await;
    let mina = world.user("mina").await;
    let game = mina.hosts(&challenge()).await;
    let mut sockets = Vec::new();
    for _ in 0..6 {
        sockets.push(mina.watches(game).await);
    }
    assert_eq!(sockets[0].sees_the_end().await, Some(close::REPLACED));
    for viewer in &mut sockets[1..] {
        viewer.says(&ClientMessage::Ping { id: 90 }).await;
        viewer.sees("an answer", |model| model.oks == [90]).await;
    }
    world.stop().await;
}

#[tokio::test]
async fn keys_rotate_under_load_and_every_token_stays_good_to_its_end() {
    let world = World::open().await;
    let second = world.another_node().await;
    let mina = world.user("mina").await;
    let keys = async |api: Api| -> Vec<Value> {
        let set: Value = api.get("/.well-known/jwks.json").await.ok(200);
        set["keys"].as_array().unwrap().clone()
    };
    let before = keys(world.api()).await;
    assert_eq!(before.len(), 1);
    assert!(before[0]["d"].is_null(), "no key is given away: {before:?}");
    // Both nodes are asked all the while, with the first token, and none of it is refused.
    #[expect(clippy::disallowed_methods, reason = "the test awaits it")]
    let asking = tokio::spawn({
        let apis = [world.api(), second.api()].map(|api| api.with_token(&mina.token));
        async move {
            for asked in 0.. {
                for api in &apis {
                    let status = api.get(ME).await.status.as_u16();
                    if status != 200 {
                        return (asked, status);
                    }
                }
            }
            (0, 0)
        }
    });
    lastbite::auth::keys::rotate(&world.db, world.clock.wall()).await.unwrap();
    for api in [world.api(), second.api()] {
        until("both keys are known", || async { (keys(api.clone()).await.len() == 2).then_some(()) }).await;
    }
    let kid = |token: &str| {
        use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
        let header = URL_SAFE_NO_PAD.decode(token.split('.').next().unwrap()).unwrap();
        serde_json::from_slice::<Value>(&header).unwrap()["kid"].clone()
    };
    let fresh = logs_in(&world.api(), "mina", "a phone").await.access_token;
    assert_eq!(kid(&fresh), before[0]["kid"], "until all have heard of the new one, the old one signs");
    // A minute later the new one does, and what the old one has signed is good all the same.
    sqlx::query("update signing_keys set made_at = made_at - interval '1 minute'").execute(&world.db).await.unwrap();
    let phone = logs_in(&world.api(), "mina", "a phone").await;
    let fresh = until("the new key signs", || async {
        let token = refreshes(&world.api(), &phone.refresh_token).await.ok::<SignedIn>(200).access_token;
        (kid(&token) != before[0]["kid"]).then_some(token)
    })
    .await;
    for token in [&mina.token, &fresh] {
        second.api().with_token(token).get(ME).await.ok::<Account>(200);
    }
    assert!(!asking.is_finished(), "refused in between");
    // Rotated again when its last token has ended, the first key is forgotten.
    sqlx::query("update signing_keys set made_at = made_at - interval '20 minutes'").execute(&world.db).await.unwrap();
    lastbite::auth::keys::rotate(&world.db, world.clock.wall()).await.unwrap();
    until("the first key is forgotten", || async { (!keys(second.api()).await.contains(&before[0])).then_some(()) })
        .await;
    second.api().with_token(&mina.token).get(ME).await.refused(401, "token_invalid");
    let (asked, status) = asking.await.unwrap();
    assert!(asked > 10 && status == 401, "asked {asked} times, then {status}");
    second.stop().await;
    world.stop().await;
}
