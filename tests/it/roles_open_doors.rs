//! Who may do what: the table of routes, walked row by row with each kind of caller; and what moderators and admins do.

use lastbite::web::gate::{Needs, ROUTES};
use lastbite_protocol::{
    ChallengeId, UserId,
    rest::{Account, Role, SignedIn},
    socket::close,
};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{
    Answer, Api, Player, World, challenge,
    player::{PASSWORD, refreshes},
    process::{lastbite, run},
};

impl World {
    /// A user with a role.
    async fn user_as(&self, nickname: &str, role: Role) -> Player {
        let player = self.user(nickname).await;
        assert!(lastbite::accounts::grant(&self.db, &format!("{nickname}@example.com"), role).await.unwrap());
        player
    }
}

fn filled(path: &str) -> String {
    let unknown = ChallengeId::generate().to_string();
    let path = path
        .replace("{id}", &unknown)
        .replace("{size}", "large")
        .replace("{nickname}", "sora")
        .replace("{barcode}", "4006381333931")
        .replace("{date}", "2026-03-02")
        .replace("{day}", "1")
        .replace("{purpose}", "service")
        .replace("{provider}", "kakao");
    assert!(!path.contains('{'), "every piece of {path} is filled in");
    path
}

#[tokio::test]
async fn every_route_lets_in_whom_the_table_says_and_nobody_else() {
    let world = World::open().await;
    let callers = [
        (None, world.api()),
        (Some(Role::User), world.user("mina").await.api),
        (Some(Role::Moderator), world.user_as("moderator", Role::Moderator).await.api),
        (Some(Role::Admin), world.user_as("admin", Role::Admin).await.api),
    ];
    for (method, path, needs, _) in ROUTES {
        for (role, api) in &callers {
            // Not what would end the callers themselves.
            if *method == Method::DELETE && path.starts_with("/api/v1/sessions") && role.is_some() {
                continue;
            }
            let answer = Answer::of(api.request(method.clone(), &filled(path))).await;
            let code = serde_json::from_slice::<Value>(&answer.body)
                .ok()
                .and_then(|body| Some(body["code"].as_str()?.to_owned()));
            let expected = match (needs, role) {
                (Needs::Token | Needs::Role(_), None) => Some("token_missing"),
                (Needs::Role(least), Some(role)) if role < least => Some("role_missing"),
                _ => None,
            };
            match expected {
                Some(expected) => assert_eq!(code.as_deref(), Some(expected), "{method} {path} as {role:?}"),
                None => {
                    let let_in = !matches!(code.as_deref(), Some("token_missing" | "role_missing"));
                    assert!(let_in && answer.status.as_u16() < 500, "{method} {path} as {role:?}: {answer:?}");
                }
            }
            let bad = Answer::of(api.with_token("nonsense").request(method.clone(), &filled(path))).await;
            bad.refused(401, "token_invalid");
        }
    }
    world.stop().await;
}

#[tokio::test]
async fn the_table_and_the_documents_name_the_same_routes() {
    let world = World::open().await;
    let document: Value = world.api().get("/openapi.json").await.ok(200);
    let mut described = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            if path.starts_with("/api/") {
                described.push((method.to_uppercase(), path.clone(), operation["security"].clone()));
            }
        }
    }
    for (method, path, needs, _) in ROUTES {
        let at = described.iter().position(|(known, other, _)| known == method.as_str() && other == path);
        let (.., security) = described.remove(at.unwrap_or_else(|| panic!("{method} {path} is not described")));
        let asks = security.as_array().is_some_and(|ways| ways.iter().all(|way| way.get("token").is_some()));
        assert_eq!(asks, *needs != Needs::Nothing, "{method} {path}: {security}");
    }
    assert!(described.is_empty(), "not in the table: {described:?}");
    world.stop().await;
}

async fn puts_role(api: &Api, user: UserId, role: &str) -> Answer {
    api.put(&format!("/api/v1/users/{user}/role"), &json!({ "role": role })).await
}

#[tokio::test]
async fn who_is_blocked_is_out_at_once_and_let_in_again() {
    let world = World::open().await;
    let moderator = world.user_as("moderator", Role::Moderator).await;
    let mina = world.user("mina").await;
    let game = mina.hosts(&challenge()).await;
    let mut viewer = mina.watches(game).await;
    let log_in = json!({ "email": "mina@example.com", "password": PASSWORD });
    let phone: SignedIn = world.api().post("/api/v1/sessions", &log_in).await.ok(201);
    let path = format!("/api/v1/users/{}/block", mina.id);
    moderator.api.post(&path, &json!({})).await.ok_empty(204);
    assert_eq!(viewer.sees_the_end().await, Some(close::REVOKED));
    mina.api.get("/api/v1/accounts/me").await.refused(401, "session_ended");
    refreshes(&world.api(), &phone.refresh_token).await.refused(401, "session_ended");
    world.api().post("/api/v1/sessions", &log_in).await.refused(403, "account_blocked");
    let wrong = json!({ "email": "mina@example.com", "password": "another one" });
    world.api().post("/api/v1/sessions", &wrong).await.refused(401, "credentials_wrong");
    moderator.api.delete(&path).await.ok_empty(204);
    world.api().post("/api/v1/sessions", &log_in).await.ok::<SignedIn>(201);
    let unknown = format!("/api/v1/users/{}/block", UserId::generate());
    moderator.api.post(&unknown, &json!({})).await.refused(404, "not_found");
    world.stop().await;
}

#[tokio::test]
async fn nobody_reaches_above_themselves() {
    let world = World::open().await;
    let (admin, moderator) =
        (world.user_as("admin", Role::Admin).await, world.user_as("moderator", Role::Moderator).await);
    let mina = world.user("mina").await;
    let block = |player: &Player| format!("/api/v1/users/{}/block", player.id);
    for above in [&admin, &moderator] {
        moderator.api.post(&block(above), &json!({})).await.refused(403, "role_too_high");
    }
    puts_role(&admin.api, admin.id, "user").await.refused(403, "role_too_high");
    puts_role(&admin.api, mina.id, "emperor").await.refused(422, "json_invalid");
    let with_more = json!({ "role": "user", "user": admin.id });
    admin.api.put(&format!("/api/v1/users/{}/role", mina.id), &with_more).await.refused(422, "json_invalid");
    puts_role(&admin.api, mina.id, "moderator").await.ok_empty(204);
    assert_eq!(mina.api.get("/api/v1/accounts/me").await.ok::<Account>(200).role, Role::Moderator);
    // What was given can be taken away, and is gone with the next request.
    let (jun, sora) = (world.user("jun").await, world.user("sora").await);
    mina.api.post(&block(&jun), &json!({})).await.ok_empty(204);
    puts_role(&admin.api, mina.id, "user").await.ok_empty(204);
    mina.api.post(&block(&sora), &json!({})).await.refused(403, "role_missing");
    // Nobody registers as more than a user.
    let wish = json!({ "email": "a@example.com", "password": PASSWORD, "nickname": "sneaky", "at_least_14": true, "role": "admin" });
    world.api().post("/api/v1/accounts", &wish).await.refused(422, "json_invalid");
    world.stop().await;
}

#[tokio::test]
async fn process_an_operator_makes_the_first_admin() {
    let world = World::open().await;
    let mina = world.user("mina").await;
    let grant = async |email: &str, role: &str| {
        let mut command = lastbite();
        command.args(["admin", "grant", email, role, "--data-dir"]).arg(world.media.path());
        command.env("LASTBITE_DATABASE_URL", &world.database_url);
        run(command).await.status.success()
    };
    assert!(!grant("nobody@example.com", "admin").await);
    assert!(!grant("mina@example.com", "emperor").await);
    assert!(grant("MINA@example.com", "admin").await);
    assert_eq!(mina.api.get("/api/v1/accounts/me").await.ok::<Account>(200).role, Role::Admin);
    let mut rotate = lastbite();
    rotate.args(["keys", "rotate", "--data-dir"]).arg(world.media.path());
    rotate.env("LASTBITE_DATABASE_URL", &world.database_url);
    assert!(run(rotate).await.status.success());
    assert_eq!(world.count("select count(*) from signing_keys").await, 2);
    world.stop().await;
}
