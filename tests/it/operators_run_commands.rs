//! The program as an operator meets it: its commands, what they print, and how they end.

use lastbite::auth::SigningSeed;
use reqwest::Method;
use serde_json::Value;
use sqlx::{Executor, PgPool};

use crate::support::{
    Process, World, postgres,
    postgres::tempfile::Folder,
    process::{lastbite, run, said},
    until,
};

const PASSWORD: &str = "a-long-word-nobody-guesses";
const DATABASE: &str = "postgres://lastbite:a-long-word-nobody-guesses@db.example/lastbite";

/// An environment, and the reasons that it is refused for.
type Case<'a> = (&'a [(&'a str, &'a str)], &'a [&'a str]);

/// 32 bytes that nobody has drawn by chance.
const WEAK_KEY: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";

#[tokio::test]
async fn process_the_configuration_is_shown_without_its_secrets() {
    let key = SigningSeed::random().to_base64();
    for environment in ["development", "production"] {
        let mut command = lastbite();
        command.arg("check-config").args(["--environment", environment, "--data-dir", "/var/lib/somewhere"]);
        command.env("LASTBITE_DATABASE_URL", DATABASE).env("LASTBITE_TOKEN_KEY", &key);
        command.env("LASTBITE_PUBLIC_URL", "https://lastbite.example");
        command.env("LASTBITE_SMTP_URL", "smtps://lastbite:another-secret@mail.example");
        command.env("LASTBITE_MAIL_FROM", "no-reply@mail.example");
        let shown = run(command).await;
        let text = said(&shown);
        assert!(shown.status.success(), "{text}");
        let value = |name: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(name));
            line.unwrap_or_else(|| panic!("no {name} in {text}")).trim()
        };
        assert_eq!((value("database_url"), value("token_key"), value("smtp_url")), ("***", "***", "***"));
        assert_eq!((value("environment"), value("data_dir")), (environment, "/var/lib/somewhere"));
        assert!(!text.contains(PASSWORD) && !text.contains(&key) && !text.contains("another-secret"), "{text}");
    }
    let mut help = lastbite();
    help.args(["serve", "--help"]).env("LASTBITE_DATABASE_URL", DATABASE).env("LASTBITE_TOKEN_KEY", &key);
    let text = said(&run(help).await);
    assert!(text.contains("LASTBITE_TOKEN_KEY") && !text.contains(PASSWORD) && !text.contains(&key), "{text}");
}

#[tokio::test]
async fn process_production_refuses_what_is_only_good_for_trying_out() {
    let no_key = "LASTBITE_TOKEN_KEY is not set";
    let weak_key = "LASTBITE_TOKEN_KEY: is not random";
    let weak_password = "LASTBITE_DATABASE_URL: the password is missing or one that everybody tries first";
    let cases: [Case<'_>; 12] = [
        (&[], &[no_key, "LASTBITE_DATABASE_URL is not set", "LASTBITE_DATA_DIR is not set"]),
        (
            &[("LASTBITE_TOKEN_KEY", WEAK_KEY), ("LASTBITE_DATABASE_URL", "postgres://lastbite:Postgres@db/lastbite")],
            &[weak_key, weak_password],
        ),
        (&[("LASTBITE_DATABASE_URL", "postgres://lastbite@db.example/lastbite")], &[no_key, weak_password]),
        (&[("LASTBITE_TOKEN_KEY", "my secret password"), ("LASTBITE_DATABASE_URL", DATABASE)], &["is not base64"]),
        (
            &[("LASTBITE_DATABASE_URL", "postgres://u:a-good-one@db/x?password=postgres")],
            &["the password is missing or"],
        ),
        (&[("LASTBITE_DATABASE_URL", "postgres://u:pass%77ord@db/x")], &["the password is missing or"]),
        (&[("LASTBITE_DATABASE_URL", "postgres://u@db/x?application_name=host=/run")], &["the password is missing or"]),
        (&[], &["LASTBITE_PUBLIC_URL is not https"]),
        (&[("LASTBITE_PUBLIC_URL", "https://lastbite.example/path")], &["LASTBITE_PUBLIC_URL is no origin"]),
        (&[], &["LASTBITE_SMTP_URL is not set", "LASTBITE_MAIL_FROM is not set"]),
        (&[("LASTBITE_SMTP_URL", "smtp://u:p@mail.example")], &["LASTBITE_SMTP_URL has no tls=required"]),
        (
            &[("LASTBITE_SMTP_URL", "mail.example"), ("LASTBITE_MAIL_FROM", "lastbite")],
            &["LASTBITE_SMTP_URL is no URL", "LASTBITE_MAIL_FROM is no address"],
        ),
    ];
    for (environment, reasons) in cases {
        for name in ["check-config", "serve"] {
            let mut command = lastbite();
            command.args([name, "--environment", "production", "--listen", "127.0.0.1:0"]);
            command.envs(environment.iter().copied());
            let refused = run(command).await;
            let text = said(&refused);
            assert_eq!(refused.status.code(), Some(1), "{text}");
            for reason in reasons {
                assert!(text.contains(reason), "{name} says {reason}: {text}");
            }
            for (_, secret) in environment.iter().filter(|(name, _)| name.ends_with("KEY")) {
                assert!(!text.contains(secret), "{text}");
            }
        }
    }
}

#[tokio::test]
async fn process_production_refuses_a_postgres_that_could_forget() {
    let (folder, url) = (Folder::new("lastbite-production"), postgres::database().await);
    let db = PgPool::connect(&url).await.unwrap();
    let forget =
        "do $$ begin execute format('alter database %I set synchronous_commit = off', current_database()); end $$";
    db.execute(forget).await.unwrap();
    db.close().await;
    let mut command = lastbite();
    command.args(["serve", "--environment", "production", "--listen", "127.0.0.1:0", "--data-dir"]).arg(folder.path());
    command.env("LASTBITE_DATABASE_URL", url);
    command.env("LASTBITE_TOKEN_KEY", SigningSeed::random().to_base64());
    command.env("LASTBITE_PUBLIC_URL", "https://lastbite.example");
    command.env("LASTBITE_SMTP_URL", "smtps://mail.example");
    command.env("LASTBITE_MAIL_FROM", "no-reply@mail.example");
    let refused = run(command).await;
    let text = said(&refused);
    assert_eq!(refused.status.code(), Some(1), "{text}");
    for reason in ["not started", "fsync = off", "full_page_writes = off", "synchronous_commit = off"] {
        assert!(text.contains(reason), "{reason}: {text}");
    }
    assert!(!text.contains("serving on"), "{text}");
}

#[tokio::test]
async fn process_an_empty_database_is_migrated_once_and_again_without_harm() {
    let url = postgres::database().await;
    let db = PgPool::connect(&url).await.unwrap();
    db.execute("drop schema public cascade; create schema public").await.unwrap();
    let folder = Folder::new("lastbite-migrate");
    let mut migrated = Vec::new();
    for _ in 0..2 {
        let mut command = lastbite();
        command.env("LASTBITE_DATABASE_URL", &url).arg("migrate").arg("--data-dir").arg(folder.path());
        let done = run(command).await;
        assert!(done.status.success(), "{}", said(&done));
        let steps: i64 =
            sqlx::query_scalar("select count(*) from _sqlx_migrations where success").fetch_one(&db).await.unwrap();
        migrated.push(steps);
    }
    assert!(migrated[0] > 0 && migrated[0] == migrated[1], "{migrated:?}");
    db.execute("select * from challenges, standings, journal, meals").await.unwrap();
    db.close().await;

    let mut nowhere = lastbite();
    nowhere.env("LASTBITE_DATABASE_URL", "postgres://lastbite@127.0.0.1:1/lastbite").arg("migrate");
    let failed = run(nowhere).await;
    assert_eq!(failed.status.code(), Some(1), "{}", said(&failed));
}

#[tokio::test]
async fn process_health_tells_by_its_exit_code() {
    let world = World::open().await;
    let health = async |address: String| {
        let mut command = lastbite();
        command.args(["health", "--listen", &address]);
        run(command).await.status.code()
    };
    let address = world.node.address.to_string();
    assert_eq!(health(address.clone()).await, Some(0));
    world.node.app.shutdown.unready.cancel();
    assert_eq!(health(address.clone()).await, Some(1), "it answers, and is not ready");
    world.stop().await;
    assert_eq!(health(address).await, Some(1), "nobody answers");
}

#[tokio::test]
async fn process_a_server_logs_json_and_shows_its_metrics_apart_from_the_public() {
    let (folder, url) = (Folder::new("lastbite-logs"), postgres::database().await);
    let mut server = Process::serve(|command| {
        command.env("LASTBITE_DATABASE_URL", &url).env("LASTBITE_METRICS_LISTEN", "127.0.0.1:0");
        command.env("LASTBITE_LOG", "info,lastbite=debug").arg("--data-dir").arg(folder.path());
    })
    .await;
    let mina = crate::support::Player::register(server.api(), "mina").await;
    let _viewer = crate::support::viewer::connect(server.address).await;
    let metrics = crate::support::Api::new(server.logged("metrics on http://").await.parse().unwrap());
    let text = until("the metrics of a socket", || async {
        let shown = metrics.get("/metrics").await;
        let text = String::from_utf8(shown.body.to_vec()).unwrap();
        (shown.status.as_u16() == 200 && text.contains("lastbite_sockets 1")).then_some(text)
    })
    .await;
    let names: Vec<_> = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty()).collect();
    assert!(names.iter().all(|line| line.starts_with("lastbite_")), "{names:#?}");
    for name in ["lastbite_http_requests_total{", "lastbite_http_request_seconds_bucket{"] {
        assert!(names.iter().any(|line| line.starts_with(name)), "{name} in {names:#?}");
    }
    server.api().get("/metrics").await.refused(404, "not_found");
    // Nothing personal in either.
    server.api().request(Method::GET, "/api/v1/accounts/me").bearer_auth(&mina.token).send().await.unwrap();
    server.terminate();
    assert!(server.ended().await.success());
    let log = server.log();
    assert!(log.len() > 3);
    for line in &log {
        let entry: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        assert!(entry["timestamp"].is_string() && entry["level"].is_string() && entry["message"].is_string(), "{line}");
    }
    for secret in ["mina@example.com", crate::support::player::PASSWORD, &mina.token] {
        assert!(!text.contains(secret) && !log.iter().any(|line| line.contains(secret)), "{secret} is in the log");
    }
}

#[tokio::test]
async fn process_the_demo_prints_a_link_plays_to_its_end_and_leaves_nothing() {
    let folder = Folder::new("lastbite-tmp");
    let mut command = lastbite();
    command.args("demo --players 3 --days 1 --day-seconds 5 --once --listen 127.0.0.1:0".split(' '));
    command.env("TMPDIR", folder.path());
    // As a demo that was killed leaves it.
    std::fs::create_dir_all(folder.path().join("lastbite-demo-old/postgres")).unwrap();
    let played = run(command).await;
    let text = said(&played);
    assert!(played.status.success(), "{text}");
    assert!(String::from_utf8_lossy(&played.stdout).contains("Watch the board live:  http://127.0.0.1:"), "{text}");
    assert!(text.contains("day 1 is over"), "{text}");
    let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, [""; 0], "{text}");
}

#[tokio::test]
async fn process_the_demo_does_not_touch_a_database_that_somebody_named() {
    let mut command = lastbite();
    command.args(["demo", "--listen", "127.0.0.1:0"]).env("LASTBITE_DATABASE_URL", postgres::database().await);
    let refused = run(command).await;
    assert!(!refused.status.success(), "its fast clock would judge real challenges");
    assert!(said(&refused).contains("Unset LASTBITE_DATABASE_URL"), "{}", said(&refused));
}
