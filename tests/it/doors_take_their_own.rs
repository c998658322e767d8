//! Each entrance takes what is made for it and nothing else: no token of another kind, no field that it does not know.

use lastbite_protocol::rest::SignedIn;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{
    Answer, Setup, Viewer, World,
    kakao::{Kakao, Lie, person},
    player::{PASSWORD, logs_in},
    viewer::connect,
    visitor::Visitor,
};

#[tokio::test]
async fn a_token_of_one_kind_opens_nothing_else() {
    let kakao = Kakao::open().await;
    let world = World::with(Setup { providers: kakao.honest(), ..Setup::default() }).await;
    let mina = world.user("mina").await;
    let signed_in = logs_in(&world.api(), "mina", "a phone").await;
    let there = person(1001, "mina");
    kakao.sits(&there);
    let mut browser = Visitor::new(world.api());
    let fragment = browser.goes_round("kakao").await;
    let ticket = fragment.strip_prefix("ticket=").unwrap().to_owned();
    let id_token = kakao.id_token(Lie::Nothing, &there, None);
    let of_kakao = kakao.access_token(&there);
    let foreign = [ticket.as_str(), &id_token, &of_kakao];
    for token in foreign.into_iter().chain([signed_in.refresh_token.as_str()]) {
        world.api().with_token(token).get("/api/v1/accounts/me").await.refused(401, "token_invalid");
        let mut socket = Viewer::on(connect(world.node.address).await);
        socket.hello(Some(token), Vec::new()).await;
        assert_eq!(socket.sees_the_end().await, Some(lastbite_protocol::socket::close::AUTH), "{token}");
    }
    for token in foreign.into_iter().chain([signed_in.access_token.as_str()]) {
        let answer = world.api().post("/api/v1/sessions/refresh", &json!({ "refresh_token": token })).await;
        answer.refused(401, "refresh_invalid");
    }
    let ours = [signed_in.access_token.as_str(), &signed_in.refresh_token, &mina.token];
    for token in ours {
        browser.uses(token).await.refused(401, "ticket_invalid");
        for (field, code) in [("access_token", "provider_token_invalid"), ("id_token", "id_token_invalid")] {
            let body = json!({ field: token, "at_least_14": true });
            world.api().post("/api/v1/sessions/oidc/kakao", &body).await.refused(401, code);
        }
    }
    for token in foreign.into_iter().chain(ours) {
        let body = json!({ "email": "mina@example.com", "code": token, "new_password": "eight sleepless seals" });
        let answer = world.api().from([127, 0, 0, 9]).post("/api/v1/password/reset", &body).await;
        assert!(matches!(answer.status.as_u16(), 403 | 429), "{answer:?}");
    }
    browser.uses(&ticket).await.ok::<SignedIn>(201);
    world.stop().await;
}

/// What is asked of each entrance, made right; a field more, and it is refused.
#[tokio::test]
async fn a_field_that_nobody_knows_is_refused_everywhere() {
    let world = World::open().await;
    let mina = world.user("mina").await;
    let me = |rest: &str| format!("/api/v1/accounts/me{rest}");
    let right: [(Method, String, Value); 17] = [
        (
            Method::POST,
            "/api/v1/accounts".into(),
            json!({
                "email": "jun@example.com", "password": PASSWORD, "nickname": "jun", "at_least_14": true,
            }),
        ),
        (Method::POST, "/api/v1/sessions".into(), json!({ "email": "mina@example.com", "password": PASSWORD })),
        (Method::POST, "/api/v1/sessions/refresh".into(), json!({ "refresh_token": "none" })),
        (Method::POST, "/api/v1/sessions/ticket".into(), json!({ "ticket": "none" })),
        (Method::POST, "/api/v1/sessions/oidc/kakao".into(), json!({ "id_token": "none" })),
        (Method::POST, me("/identities/kakao"), json!({ "id_token": "none" })),
        (Method::POST, "/api/v1/password/forgot".into(), json!({ "email": "mina@example.com" })),
        (
            Method::POST,
            "/api/v1/password/reset".into(),
            json!({
                "email": "mina@example.com", "code": "23456789", "new_password": PASSWORD,
            }),
        ),
        (Method::PUT, me("/password"), json!({ "old_password": PASSWORD, "new_password": PASSWORD })),
        (Method::POST, me("/email/verify"), json!({ "code": "123456" })),
        (Method::DELETE, me(""), json!({ "password": PASSWORD })),
        (Method::PATCH, me("/profile"), json!({ "language": "en" })),
        (Method::PATCH, me("/body"), json!({ "birth_year": 1990 })),
        (Method::PUT, me("/weights/2026-01-01"), json!({ "weight_g": 60_000 })),
        (Method::POST, me("/targets"), json!({})),
        (Method::PUT, me("/consents/health_data"), json!({ "version": 1, "given": true })),
        (Method::PUT, format!("/api/v1/users/{}/role", mina.id), json!({ "role": "user" })),
    ];
    sqlx::query("update users set role = 'admin'").execute(&world.db).await.unwrap();
    for (method, path, body) in right {
        for field in ["role", "user_id", "is_admin"].into_iter().filter(|field| body.get(*field).is_none()) {
            let mut more = body.clone();
            more[field] = json!("admin");
            let answer = Answer::of(mina.api.request(method.clone(), &path).json(&more)).await;
            assert_eq!(answer.status.as_u16(), 422, "{method} {path} takes {field}: {answer:?}");
            answer.refused(422, "json_invalid");
        }
    }
    assert_eq!(world.count("select count(*) from users").await, 1);
    world.stop().await;
}
