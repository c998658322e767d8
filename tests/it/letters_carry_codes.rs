//! Letters with codes: for showing that mail arrives, and for who forgot the password.

use base64::{Engine, engine::general_purpose::STANDARD};
use lastbite_protocol::rest::{Account, SignedIn};
use serde_json::{Value, json};

use crate::support::{
    Answer, Api, World,
    letters::{code_in, subject_of},
    player::{PASSWORD, refreshes},
    until,
};

const NEW_PASSWORD: &str = "eight sleepless seals";

impl World {
    /// Registers somebody who reads English. Waits for the letter that this brings, and answers the tokens and the code.
    async fn newcomer(&self) -> (SignedIn, String) {
        let body = json!({
            "email": "mina@example.com", "password": PASSWORD, "nickname": "mina", "at_least_14": true, "language": "en",
        });
        let signed_in: SignedIn = self.api().post("/api/v1/accounts", &body).await.ok(201);
        (signed_in, code_in(&self.letters(1).await[0]))
    }
}

fn other_than(code: &str) -> String {
    let first = if code.starts_with('7') { '8' } else { '7' };
    format!("{first}{}", &code[1..])
}

async fn forgets(api: &Api, email: &str) {
    api.post("/api/v1/password/forgot", &json!({ "email": email })).await.ok_empty(202);
}

async fn resets(api: &Api, email: &str, code: &str) -> Answer {
    let body = json!({ "email": email, "code": code, "new_password": NEW_PASSWORD });
    api.post("/api/v1/password/reset", &body).await
}

#[tokio::test]
async fn a_newcomer_shows_that_mail_arrives() {
    let world = World::open().await;
    let (signed_in, code) = world.newcomer().await;
    assert!(!signed_in.user.email_verified);
    let api = world.api().with_token(&signed_in.access_token);
    let verify = async |code: &str| api.post("/api/v1/accounts/me/email/verify", &json!({ "code": code })).await;
    for wrong in [other_than(&code).as_str(), "", "\0", "12345678901234567890"] {
        verify(wrong).await.refused(403, "code_wrong");
    }
    assert!(verify(&code).await.ok::<Account>(200).email_verified);
    verify(&code).await.refused(403, "code_wrong");
    api.post("/api/v1/accounts/me/email/code", &json!({})).await.ok_empty(202);
    world.is_quiet().await;
    assert_eq!(world.letters(1).await.len(), 1, "who has shown it gets no more letters");
    let stored: Vec<Vec<u8>> = sqlx::query_scalar("select hash from codes").fetch_all(&world.db).await.unwrap();
    assert!(!stored.contains(&code.into_bytes()));
    world.stop().await;
}

#[tokio::test]
async fn five_tries_are_all_that_a_code_has_however_fast_they_come() {
    let world = World::open().await;
    let (signed_in, code) = world.newcomer().await;
    let api = world.api().with_token(&signed_in.access_token);
    let wrong = other_than(&code);
    let tries = (0..20).map(|_| {
        let body = json!({ "code": wrong });
        let api = api.clone();
        async move { api.post("/api/v1/accounts/me/email/verify", &body).await }
    });
    for answer in futures_util::future::join_all(tries).await {
        answer.refused(403, "code_wrong");
    }
    let right = api.post("/api/v1/accounts/me/email/verify", &json!({ "code": code })).await;
    right.refused(403, "code_wrong");
    assert_eq!(world.count("select tries_left::bigint from codes").await, 0);
    world.stop().await;
}

#[tokio::test]
async fn who_forgot_the_password_sets_another_and_is_logged_out_everywhere() {
    let world = World::open().await;
    let (signed_in, _) = world.newcomer().await;
    let api = world.api();
    forgets(&api, "MINA@example.com").await;
    let letters = world.letters(2).await;
    let code = code_in(&letters[1]);
    assert!(letters[1].contains("To: mina@example.com"), "{}", letters[1]);
    resets(&api, "mina@example.com", &other_than(&code)).await.refused(403, "code_wrong");
    let weak = json!({ "email": "mina@example.com", "code": code, "new_password": "12345678" });
    api.post("/api/v1/password/reset", &weak).await.refused(422, "password_weak");
    resets(&api, "mina@example.com", &code).await.ok_empty(204);
    resets(&api, "mina@example.com", &code).await.refused(403, "code_wrong");
    api.with_token(&signed_in.access_token).get("/api/v1/accounts/me").await.refused(401, "session_ended");
    refreshes(&api, &signed_in.refresh_token).await.refused(401, "session_ended");
    let log_in = |password: &str| json!({ "email": "mina@example.com", "password": password });
    api.post("/api/v1/sessions", &log_in(PASSWORD)).await.refused(401, "credentials_wrong");
    let again: SignedIn = api.post("/api/v1/sessions", &log_in(NEW_PASSWORD)).await.ok(201);
    assert!(again.user.email_verified, "whoever has the code has the mail");
    world.stop().await;
}

#[tokio::test]
async fn a_code_ends_after_ten_minutes_and_is_good_for_one_thing_of_one_user() {
    let world = World::open().await;
    let (signed_in, for_mail) = world.newcomer().await;
    let api = world.api();
    resets(&api, "mina@example.com", &for_mail).await.refused(403, "code_wrong");
    forgets(&api, "mina@example.com").await;
    let code = code_in(&world.letters(2).await[1]);
    let jun = world.user("jun").await;
    resets(&api, "jun@example.com", &code).await.refused(403, "code_wrong");
    jun.api.post("/api/v1/accounts/me/email/verify", &json!({ "code": for_mail })).await.refused(403, "code_wrong");
    sqlx::query("update codes set expires_at = expires_at - interval '10 minutes'").execute(&world.db).await.unwrap();
    resets(&api, "mina@example.com", &code).await.refused(403, "code_wrong");
    let mina = api.with_token(&signed_in.access_token);
    mina.post("/api/v1/accounts/me/email/verify", &json!({ "code": for_mail })).await.refused(403, "code_wrong");
    world.stop().await;
}

#[tokio::test]
async fn asking_tells_nobody_who_has_an_account_and_fills_no_mailbox() {
    let world = World::open().await;
    world.newcomer().await;
    let api = world.api();
    for email in ["nobody@example.com", "no address", "", "mina@example.com\r\nBcc: jun@example.com"] {
        forgets(&api, email).await;
    }
    for _ in 0..6 {
        forgets(&api, "mina@example.com").await;
        world.is_quiet().await;
    }
    assert_eq!(world.letters(4).await.len(), 4, "one for the newcomer, three for the forgetful");
    resets(&api, "nobody@example.com", "23456789").await.refused(403, "code_wrong");
    world.stop().await;
}

#[tokio::test]
async fn nothing_of_a_letter_comes_from_whoever_asked_for_it() {
    let world = World::open().await;
    world.newcomer().await;
    let poisoned = world.api().request(reqwest::Method::POST, "/api/v1/password/forgot");
    let poisoned = poisoned.header("host", "evil.example").header("x-forwarded-host", "evil.example");
    Answer::of(poisoned.json(&json!({ "email": "mina@example.com" }))).await.ok_empty(202);
    let letters = world.letters(2).await;
    assert!(letters.iter().all(|letter| !letter.contains("evil")), "{letters:?}");
    world.stop().await;
}

#[tokio::test]
async fn strangers_use_up_neither_the_owners_letters_nor_her_tries() {
    let world = World::open().await;
    world.newcomer().await;
    let (owner, stranger) = (world.api(), world.api().from([127, 0, 0, 2]));
    for _ in 0..5 {
        forgets(&stranger, "mina@example.com").await;
        world.is_quiet().await;
    }
    assert_eq!(world.letters(4).await.len(), 4, "three an hour for strangers");
    forgets(&owner, "mina@example.com").await;
    let code = code_in(&world.letters(5).await[4]);
    assert_eq!(code.len(), 8, "not to be guessed by however many");
    for email in ["mina@example.com", "nobody@example.com"] {
        for _ in 0..5 {
            resets(&stranger, email, &other_than(&code)).await.refused(403, "code_wrong");
        }
        resets(&stranger, email, &code).await.refused(429, "too_many_attempts");
    }
    resets(&owner, "mina@example.com", &code.to_ascii_lowercase()).await.ok_empty(204);
    world.stop().await;
}

#[tokio::test]
async fn letters_speak_the_users_language() {
    let world = World::open().await;
    world.user("미나").await;
    let letters = world.letters(1).await;
    let encoded = subject_of(&letters[0]);
    let words: String = encoded
        .split(' ')
        .map(|word| match word.strip_prefix("=?utf-8?b?").and_then(|word| word.strip_suffix("?=")) {
            Some(word) => String::from_utf8(STANDARD.decode(word).unwrap()).unwrap(),
            None => word.to_owned(),
        })
        .collect();
    assert!(words.contains("이메일 확인 코드"), "{encoded}: {words}");
    world.stop().await;
}

#[tokio::test]
async fn a_job_outlives_the_server_that_took_it() {
    let mut world = World::open().await;
    let (signed_in, _) = world.newcomer().await;
    // Put down while nobody works; whoever comes up next does it.
    world.goes_down().await;
    let mut db = world.db.acquire().await.unwrap();
    let job = json!({ "user": signed_in.user.id, "purpose": "reset_password" });
    sqlx::query("select from graphile_worker.add_job('send_code', payload => $1::json)")
        .bind(job)
        .execute(&mut *db)
        .await
        .unwrap();
    drop(db);
    world.comes_up().await;
    assert!(subject_of(&world.letters(2).await[1]).contains("new password"));
    world.stop().await;
}

#[tokio::test]
async fn a_nickname_is_looked_up_before_it_is_wished_for() {
    let world = World::open().await;
    world.user("Mina").await;
    let free = async |nickname: &str| world.api().get(&format!("/api/v1/nicknames/{nickname}")).await;
    for (nickname, available) in [("mINA", false), ("mina2", true), ("%EB%AF%B8%EB%82%98", true)] {
        assert_eq!(free(nickname).await.ok::<Value>(200)["available"], available, "{nickname}");
    }
    free("a").await.refused(422, "nickname_invalid");
    free("%00%00").await.refused(422, "nickname_invalid");
    world.stop().await;
}

#[tokio::test]
async fn letters_that_could_not_be_sent_are_not_counted() {
    let world = World::open().await;
    let (_, folder) = (world.newcomer().await, world.letters.path());
    world.is_quiet().await;
    std::fs::rename(folder, folder.with_extension("away")).unwrap();
    forgets(&world.api(), "mina@example.com").await;
    // More tries than an hour has letters.
    for tries in 1..=5_i16 {
        until("the letter cannot be sent", || async {
            let failed = sqlx::query_scalar(
                "select attempts from graphile_worker._private_jobs where last_error is not null and locked_at is null",
            );
            (failed.fetch_optional(&world.db).await.unwrap() == Some(tries)).then_some(())
        })
        .await;
        if tries == 5 {
            std::fs::rename(folder.with_extension("away"), folder).unwrap();
        }
        sqlx::query("update graphile_worker._private_jobs set run_at = now()").execute(&world.db).await.unwrap();
    }
    let code = code_in(&world.letters(2).await[1]);
    resets(&world.api(), "mina@example.com", &code).await.ok_empty(204);
    world.stop().await;
}

#[tokio::test]
async fn a_job_that_a_killed_server_had_in_hand_is_done_by_another() {
    let world = World::open().await;
    world.newcomer().await;
    world.is_quiet().await;
    // As a worker leaves it that was killed with it an hour ago.
    let in_hand = "create function take() returns trigger language plpgsql as $$ begin
                       new.locked_by = 'killed'; new.locked_at = now() - interval '1 hour'; new.attempts = 1; return new;
                   end $$;
                   create trigger take before insert on graphile_worker._private_jobs for each row execute function take()";
    sqlx::raw_sql(in_hand).execute(&world.db).await.unwrap();
    forgets(&world.api(), "mina@example.com").await;
    assert_eq!(world.count("select count(*) from graphile_worker._private_jobs where locked_by = 'killed'").await, 1);
    assert!(subject_of(&world.letters(2).await[1]).contains("new password"));
    world.stop().await;
}
