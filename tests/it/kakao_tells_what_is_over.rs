//! Kakao's webhooks: what is over there is over here within a second, and nobody else can say so.

use lastbite_protocol::rest::{Account, Identity, Page, SignedIn};
use reqwest::{Method, header};
use serde_json::{Value, json};

use crate::support::{
    Answer, Api, Setup, World,
    kakao::{ADMIN_KEY, APP_ID, Kakao, Lie, Person, person, tokens::Key},
};

const ME: &str = "/api/v1/accounts/me";
const UNLINK: &str = "/webhooks/kakao/unlink";
const STATUS: &str = "/webhooks/kakao/status";

async fn world() -> (Kakao, World) {
    let kakao = Kakao::open().await;
    let world = World::with(Setup { providers: kakao.honest(), ..Setup::default() }).await;
    (kakao, world)
}

async fn signs_in(kakao: &Kakao, world: &World, who: &Person) -> Api {
    let body = json!({ "access_token": kakao.access_token(who), "at_least_14": true });
    let signed_in: SignedIn = world.api().post("/api/v1/sessions/oidc/kakao", &body).await.ok(201);
    world.api().with_token(&signed_in.access_token)
}

async fn unlinks(world: &World, key: Option<&str>, fields: &[(&str, String)]) -> Answer {
    let request = world.api().request(Method::POST, UNLINK).form(fields);
    Answer::of(match key {
        Some(key) => request.header(header::AUTHORIZATION, key),
        None => request,
    })
    .await
}

fn about(user: i64) -> Vec<(&'static str, String)> {
    vec![
        ("app_id", APP_ID.to_string()),
        ("user_id", user.to_string()),
        ("referrer_type", "UNLINK_FROM_APPS".to_owned()),
    ]
}

#[tokio::test]
async fn kakao_says_that_a_user_has_unlinked_us() {
    let (kakao, world) = world().await;
    let key = format!("KakaoAK {ADMIN_KEY}");
    let (mina, jun) = (person(1001, "mina"), person(1002, "jun"));
    let (minas, juns) = (signs_in(&kakao, &world, &mina).await, signs_in(&kakao, &world, &jun).await);
    let lower = format!("kakaoak {ADMIN_KEY}");
    for forged in [None, Some(""), Some("KakaoAK"), Some("KakaoAK x"), Some("Bearer admin-key"), Some(&*lower)] {
        unlinks(&world, forged, &about(1001)).await.refused(401, "webhook_unauthorized");
    }
    for (field, value) in
        [(0, "1"), (0, ""), (1, ""), (1, "-1"), (1, "0"), (1, "mina"), (1, "1e9"), (0, "99999999999999999999")]
    {
        let mut fields = about(1001);
        value.clone_into(&mut fields[field].1);
        unlinks(&world, Some(&key), &fields).await.refused(400, "webhook_invalid");
    }
    unlinks(&world, Some(&key), &about(1001)[..1]).await.refused(400, "webhook_invalid");
    minas.get(ME).await.ok::<Account>(200);
    unlinks(&world, Some(&key), &about(4242)).await.ok_empty(200);
    unlinks(&world, Some(&key), &about(1001)).await.ok_empty(200);
    minas.get(ME).await.refused(401, "session_ended");
    unlinks(&world, Some(&key), &about(1001)).await.ok_empty(200);
    assert_eq!(world.count("select count(*) from identities").await, 1);
    juns.get(ME).await.ok::<Account>(200);
    // By GET as well; a user with a password keeps that, and the sessions.
    let set = juns.request(Method::PUT, "/api/v1/accounts/me/password").json(&json!({ "new_password": "seven seals" }));
    Answer::of(set).await.ok_empty(204);
    let query = world.api().request(Method::GET, UNLINK).query(&about(1002));
    Answer::of(query.header(header::AUTHORIZATION, &key)).await.ok_empty(200);
    juns.get(ME).await.ok::<Account>(200);
    assert!(juns.get("/api/v1/accounts/me/identities").await.ok::<Page<Identity>>(200).items.is_empty());
    // Who has no API of its own has no webhook.
    let google = world.api().request(Method::POST, "/webhooks/google/unlink").form(&about(1001));
    Answer::of(google.header(header::AUTHORIZATION, &key)).await.refused(404, "not_found");
    world.stop().await;
}

/// What became of whom, as Kakao signs it.
fn event(kakao: &Kakao, jti: &str, kind: &str, user: i64) -> Value {
    json!({
        "iss": kakao.issuer(Lie::Nothing), "aud": "rest-api-key", "iat": crate::support::kakao::now(), "jti": jti,
        "sub": user.to_string(), "events": { format!("https://schemas.example/event-type/{kind}"): {} },
    })
}

async fn tells(world: &World, token: String) -> Answer {
    let request = world.api().request(Method::POST, STATUS).body(token);
    Answer::of(request.header(header::CONTENT_TYPE, "application/secevent+jwt")).await
}

async fn says(world: &World, event: &Value) -> Answer {
    tells(world, Key::Ours.sign("secevent+jwt", event)).await
}

#[tokio::test]
async fn kakao_says_what_became_of_an_account() {
    let (kakao, world) = world().await;
    let mina = person(1001, "mina");
    for (number, kind) in ["tokens-revoked", "account-disabled", "sessions-revoked", "user-unlinked"].iter().enumerate()
    {
        let api = signs_in(&kakao, &world, &mina).await;
        let event = event(&kakao, &format!("jti-{number}"), kind, 1001);
        says(&world, &event).await.ok_empty(202);
        api.get(ME).await.refused(401, "session_ended");
        if *kind == "user-unlinked" {
            assert_eq!(world.count("select count(*) from identities").await, 0);
        }
        // Sent again, it does nothing.
        let again = signs_in(&kakao, &world, &mina).await;
        says(&world, &event).await.ok_empty(202);
        again.get(ME).await.ok::<Account>(200);
    }
    let api = signs_in(&kakao, &world, &mina).await;
    says(&world, &event(&kakao, "other", "user-linked", 1001)).await.ok_empty(202);
    says(&world, &event(&kakao, "unknown", "tokens-revoked", 4242)).await.ok_empty(202);
    api.get(ME).await.ok::<Account>(200);
    let mut named_inside = event(&kakao, "inside", "tokens-revoked", 1001);
    named_inside.as_object_mut().unwrap().remove("sub");
    named_inside["events"] = json!({ "https://schemas.example/tokens-revoked": { "subject": { "sub": "1001" } } });
    says(&world, &named_inside).await.ok_empty(202);
    api.get(ME).await.refused(401, "session_ended");
    world.stop().await;
}

#[tokio::test]
async fn kakao_events_of_strangers_are_refused() {
    let (kakao, world) = world().await;
    let mina = person(1001, "mina");
    let api = signs_in(&kakao, &world, &mina).await;
    let with = |name: &str, value: Value| {
        let mut event = event(&kakao, "forged", "tokens-revoked", 1001);
        event[name] = value;
        if event[name].is_null() {
            event.as_object_mut().unwrap().remove(name);
        }
        event
    };
    let now = crate::support::kakao::now();
    let bad = [
        ("iss", json!("https://evil.example")),
        ("iss", Value::Null),
        ("aud", json!("another-app")),
        ("aud", Value::Null),
        ("iat", json!(now - 8 * 86_400)),
        ("iat", json!(now + 3600)),
        ("iat", json!(now.to_string())),
        ("iat", Value::Null),
        ("jti", Value::Null),
        ("jti", json!("")),
        ("jti", json!("a\u{0}b")),
        ("jti", json!("a".repeat(256))),
        ("events", Value::Null),
        ("events", json!("tokens-revoked")),
    ];
    for (name, value) in bad {
        let forged = with(name, value);
        says(&world, &forged).await.refused(400, "event_invalid");
    }
    let good = event(&kakao, "forged", "tokens-revoked", 1001);
    tells(&world, Key::Other.sign("secevent+jwt", &good)).await.refused(400, "event_invalid");
    tells(&world, Key::Ours.sign("JWT", &good)).await.refused(400, "event_invalid");
    tells(&world, kakao.id_token(Lie::Nothing, &mina, None)).await.refused(400, "event_invalid");
    for nothing in ["", "a", "a.b.c", "{}"] {
        tells(&world, nothing.to_owned()).await.refused(400, "event_invalid");
    }
    tells(&world, "a".repeat(9000)).await.refused(413, "body_too_large");
    let as_json = world.api().request(Method::POST, STATUS).json(&good);
    Answer::of(as_json).await.refused(415, "content_type_unsupported");
    api.get(ME).await.ok::<Account>(200);
    assert_eq!(world.count("select count(*) from oidc_events").await, 0);
    world.stop().await;
}
