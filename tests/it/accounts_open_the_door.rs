//! Registering and signing in: what is let in, what is refused, and that a refusal does not tell who has an account.

use lastbite_protocol::rest::{Account, SignedIn};
use serde_json::{Value, json};

use crate::support::{Answer, World, player::PASSWORD};

fn registration(email: &str, nickname: &str, password: &str) -> Value {
    json!({ "email": email, "password": password, "nickname": nickname, "at_least_14": true })
}

async fn logs_in(world: &World, email: &str, password: &str) -> Answer {
    world.api().post("/api/v1/sessions", &json!({ "email": email, "password": password })).await
}

#[tokio::test]
async fn an_account_is_for_who_says_to_be_fourteen() {
    let world = World::open().await;
    let mut wish = registration("mina@example.com", "mina", PASSWORD);
    wish["at_least_14"] = json!(false);
    world.api().post("/api/v1/accounts", &wish).await.refused(403, "too_young");
    wish.as_object_mut().unwrap().remove("at_least_14");
    world.api().post("/api/v1/accounts", &wish).await.refused(422, "json_invalid");
    assert_eq!(world.count("select count(*) from users").await, 0);
    world.stop().await;
}

#[tokio::test]
async fn a_user_registers_signs_in_and_reads_their_account() {
    let world = World::open().await;
    let mina = world.user("미나").await;
    let again: SignedIn = logs_in(&world, " 미나@EXAMPLE.com ", PASSWORD).await.ok(201);
    assert_eq!(again.user.id, mina.id);
    assert_eq!((again.token_type.as_str(), again.expires_in_s), ("Bearer", 600));
    let account: Account = world.api().with_token(&again.access_token).get("/api/v1/accounts/me").await.ok(200);
    assert_eq!((account.nickname.as_str(), account.email.as_deref()), ("미나", Some("미나@example.com")));
    world.stop().await;
}

#[tokio::test]
async fn an_email_and_a_nickname_are_taken_once_whatever_their_case() {
    let world = World::open().await;
    world.user("Mina").await;
    for (email, nickname, code) in [
        ("MINA@Example.COM", "other", "email_taken"),
        (" mina@example.com", "other", "email_taken"),
        ("other@example.com", "mINA", "nickname_taken"),
    ] {
        let answer = world.api().post("/api/v1/accounts", &registration(email, nickname, PASSWORD)).await;
        answer.refused(409, code);
    }
    assert_eq!(world.count("select count(*) from users").await, 1);
    assert_eq!(world.count("select count(*) from streams").await, 1, "a refused user leaves no stream");
    world.stop().await;
}

#[tokio::test]
async fn two_who_want_one_nickname_at_once_do_not_both_get_it() {
    let world = World::open().await;
    let wish = |email| registration(email, "mina", PASSWORD);
    let (api, first, second) = (world.api(), wish("a@example.com"), wish("b@example.com"));
    let (a, b) = tokio::join!(api.post("/api/v1/accounts", &first), api.post("/api/v1/accounts", &second));
    let (winner, loser) = if a.status == 201 { (a, b) } else { (b, a) };
    winner.ok::<SignedIn>(201);
    loser.refused(409, "nickname_taken");
    world.stop().await;
}

#[tokio::test]
async fn weak_passwords_are_refused_and_long_ones_are_not() {
    let world = World::open().await;
    let (longest, too_long) = ("가".repeat(128), "a".repeat(129));
    let too_many_bytes = "🥕".repeat(129);
    for password in ["", "1234567", "일곱글자뿐이", "password", "PassWord123", "qwer1234", &too_long, &too_many_bytes]
    {
        let answer = world.api().post("/api/v1/accounts", &registration("a@example.com", "mina", password)).await;
        assert_eq!(answer.refused(422, "password_weak").field.as_deref(), Some("password"), "{password}");
    }
    let answer = world.api().post("/api/v1/accounts", &registration("a@example.com", "mina", &longest)).await;
    answer.ok::<SignedIn>(201);
    logs_in(&world, "a@example.com", &longest).await.ok::<SignedIn>(201);
    logs_in(&world, "a@example.com", &longest[..longest.len() - 3]).await.refused(401, "credentials_wrong");
    world.stop().await;
}

#[tokio::test]
async fn what_is_no_email_or_no_nickname_is_refused() {
    let world = World::open().await;
    let too_long = format!("{}@example.com", "a".repeat(243));
    let bad_emails = [
        "",
        "@",
        "mina",
        "mina@",
        "@example.com",
        "mina@localhost",
        "mina@example.",
        "mina@.com",
        "mi na@example.com",
        "mi@na@example.com",
        "mi\u{0}na@example.com",
        "mina@example.com\nbcc: all",
        &too_long,
    ];
    for email in bad_emails {
        let answer = world.api().post("/api/v1/accounts", &registration(email, "mina", PASSWORD)).await;
        assert_eq!(answer.refused(422, "email_invalid").field.as_deref(), Some("email"), "{email:?}");
    }
    let too_long = "가".repeat(51);
    for nickname in ["", "m", "  m  ", "mi na", "mina!", "ㅋㅋ", "<b>mina</b>", "mi\u{202e}na", "mi\u{0}na", &too_long]
    {
        let answer = world.api().post("/api/v1/accounts", &registration("a@example.com", nickname, PASSWORD)).await;
        assert_eq!(answer.refused(422, "nickname_invalid").field.as_deref(), Some("nickname"), "{nickname:?}");
    }
    assert_eq!(world.count("select count(*) from users").await, 0);
    world.stop().await;
}

#[tokio::test]
async fn a_body_that_is_not_as_described_is_refused() {
    let world = World::open().await;
    let mut chosen_id = registration("a@example.com", "mina", PASSWORD);
    chosen_id["id"] = json!("00000000-0000-0000-0000-000000000000");
    for body in [chosen_id, json!({ "email": "a@example.com", "password": PASSWORD }), json!("mina"), json!(null)] {
        world.api().post("/api/v1/accounts", &body).await.refused(422, "json_invalid");
    }
    world.stop().await;
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_account_are_answered_alike() {
    let world = World::open().await;
    world.user("mina").await;
    let long = "p".repeat(100_000 / 2);
    let mut answers = Vec::new();
    for (email, password) in [
        ("mina@example.com", "incorrect horse battery"),
        ("mina@example.com", ""),
        ("mina@example.com", long.as_str()),
        ("nobody@example.com", PASSWORD),
        ("no e-mail at all", PASSWORD),
        ("mi\u{0}na@example.com", PASSWORD),
        ("", ""),
    ] {
        let answer = logs_in(&world, email, password).await;
        let mut problem = answer.refused(401, "credentials_wrong");
        problem.request_id = None;
        assert_eq!(answer.headers["www-authenticate"], "Bearer");
        answers.push(problem);
    }
    assert!(answers.windows(2).all(|pair| pair[0] == pair[1]), "{answers:#?}");
    world.stop().await;
}
