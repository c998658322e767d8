//! `kill -9` at any moment: what was acknowledged is there exactly once, and every board comes back to the truth.

use std::{
    collections::BTreeSet,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use chrono::{Days, TimeDelta, Timelike};
use futures_util::future::join_all;
use lastbite::{auth::SigningSeed, clock::Clock, db::embedded::Embedded};
use lastbite_protocol::{
    ChallengeId, MealId, Requirement, WallTime,
    rest::{MealKind, MealOutcome, NewChallenge, NewMeal, SignedIn},
    terms::Windows,
};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use sqlx::PgPool;
use tokio::sync::watch;
use uuid::Uuid;

use crate::support::{
    Api, Player, Process, Viewer, World, challenge, facts, lunch,
    player::{logs_in, refreshes},
    postgres,
    postgres::tempfile::Folder,
    process, until,
};

const PLAYERS: usize = 16;
const MEALS_EACH: usize = 14;
const GUESTS: usize = 4;
const VISITS_EACH: usize = 25;
const KILLS: usize = 5;

/// Where the server is now; another one after each kill.
type Address = watch::Receiver<std::net::SocketAddr>;

/// Says it again, with the same words, until somebody has answered for good. Answers the status and the body.
async fn insists(
    player: &Player,
    mut address: Address,
    method: Method,
    path: &str,
    body: &Value,
) -> (StatusCode, bytes::Bytes) {
    let key = Uuid::new_v4().to_string();
    loop {
        let at = *address.borrow_and_update();
        let api = Api::new(at).with_token(&player.token);
        let said = api.request(method.clone(), path).header("idempotency-key", &key).json(body).send();
        let answer = async {
            let answer = said.await?;
            Ok::<_, reqwest::Error>((answer.status(), answer.bytes().await?))
        };
        match answer.await {
            // Too much at once, or whoever was killed still holds the key.
            Ok((StatusCode::SERVICE_UNAVAILABLE | StatusCode::CONFLICT, _)) => {}
            Ok(answer) => return answer,
            // Killed before, during or after the work: nobody knows. The next server will.
            Err(_) => address.changed().await.unwrap(),
        }
    }
}

/// Eats, and takes every second meal back. Answers the meals that were acknowledged.
async fn eats(player: &Player, address: &Address, wish: &NewChallenge, done: &AtomicUsize) -> Vec<MealId> {
    let mut acknowledged = Vec::new();
    for n in 0..MEALS_EACH {
        let meal = NewMeal {
            kind: MealKind::Lunch,
            eaten_at: Clock::system().now(),
            zone: wish.terms.zone,
            note: n.to_string(),
            items: Vec::new(),
            amounts: lunch("2026-03-02", 10).amounts,
            analysis: None,
        };
        let (status, body) = insists(player, address.clone(), Method::POST, "/api/v1/meals", &json!(meal)).await;
        assert_eq!(status, StatusCode::CREATED, "{body:?}");
        let logged: MealOutcome = serde_json::from_slice(&body).unwrap();
        acknowledged.push(logged.meal.id);
        if n % 2 == 1 {
            let path = format!("/api/v1/meals/{}", logged.meal.id);
            let (status, _) = insists(player, address.clone(), Method::DELETE, &path, &json!({})).await;
            // 404 when the one that was killed had done it.
            assert!(status == StatusCode::OK || status == StatusCode::NOT_FOUND, "{status}");
        }
        done.fetch_add(1, Ordering::Relaxed);
    }
    acknowledged
}

/// Comes into a challenge that has not begun, and goes again.
async fn visits(guest: &Player, address: &Address, game: ChallengeId, done: &AtomicUsize) {
    let path = format!("/api/v1/challenges/{game}/players");
    for _ in 0..VISITS_EACH {
        // 200 and 404 when the one that was killed had done it.
        let (came, _) = insists(guest, address.clone(), Method::POST, &path, &json!({})).await;
        assert!(came.is_success(), "{came}");
        let (left, _) = insists(guest, address.clone(), Method::DELETE, &format!("{path}/me"), &json!({})).await;
        assert!(left.is_success() || left == StatusCode::NOT_FOUND, "{left}");
        done.fetch_add(2, Ordering::Relaxed);
    }
}

/// A challenge whose first day is now, wherever it is noon; made while that day was still to come.
fn wish() -> NewChallenge {
    let now = Clock::system().wall();
    let hours_ahead = 12 - i32::try_from(now.hour()).unwrap();
    let mut wish = challenge();
    wish.terms.zone = format!("Etc/GMT{:+}", -hours_ahead).parse().unwrap();
    wish.terms.first_day = now.with_timezone(&wish.terms.zone).date_naive();
    wish.terms.requirements =
        vec![Requirement::Meals { at_least: 5, cutoff: WallTime::hour(23), windows: Windows::default() }];
    wish
}

#[tokio::test]
async fn heavy_whatever_is_killed_acknowledged_meals_are_there_exactly_once() {
    let world = World::open().await;
    let real_now = Clock::system().wall();
    world.time(real_now - TimeDelta::days(1));
    let players = world.crowd((0..PLAYERS).map(|n| format!("eater {n:02}"))).await;
    let guests = world.crowd((0..GUESTS).map(|n| format!("guest {n:02}"))).await;
    let (wish, mut later) = (wish(), wish());
    later.terms.first_day = later.terms.first_day + Days::new(7);
    let (game, lobby) = (players[0].hosts(&wish).await, players[0].hosts(&later).await);
    for player in &players {
        player.joins(game).await;
    }
    let World { node, db, database_url, seed, media, .. } = world;
    node.stop().await;

    let serve = || {
        Process::serve(|command| {
            command.env("LASTBITE_DATABASE_URL", &database_url).env("LASTBITE_TOKEN_KEY", seed.to_base64());
            command.arg("--data-dir").arg(media.path());
        })
    };
    let mut server = serve().await;
    let (moved, address) = watch::channel(server.address);
    let mut boards =
        [Viewer::watch(server.address, None, game, None).await, Viewer::watch(server.address, None, lobby, None).await];
    let begun: Vec<_> = boards.iter().map(|board| board.model.n.unwrap()).collect();
    let done = AtomicUsize::new(0);
    let all = PLAYERS * MEALS_EACH + GUESTS * VISITS_EACH * 2;
    let eating = join_all(players.iter().map(|player| eats(player, &address, &wish, &done)));
    let visiting = join_all(guests.iter().map(|guest| visits(guest, &address, lobby, &done)));
    let killing = async {
        for kill in 0..KILLS {
            // At no special moment: twenty requests are always somewhere between their first byte and their last.
            let moment = all * kill / KILLS + rand::random_range(1..all / KILLS / 2);
            until("the moment", || async { (done.load(Ordering::Relaxed) >= moment).then_some(()) }).await;
            server.kill();
            for board in &mut boards {
                assert_eq!(board.sees_the_end().await, None, "there was no time for a goodbye");
            }
            server = serve().await;
            for (board, game) in boards.iter_mut().zip([game, lobby]) {
                board.comes_back_to(server.address, game).await;
            }
            moved.send(server.address).unwrap();
        }
    };
    let all_done = async { tokio::join!(eating, visiting, killing) };
    let (acknowledged, _, ()) = tokio::time::timeout(Duration::from_secs(120), all_done).await.unwrap();

    let acknowledged: BTreeSet<_> = acknowledged.into_iter().flatten().map(|meal| meal.0).collect();
    let stored: Vec<Uuid> = sqlx::query_scalar("select id from meals order by id").fetch_all(&db).await.unwrap();
    assert_eq!(stored, acknowledged.into_iter().collect::<Vec<_>>(), "each acknowledged meal once, and no other");
    assert_eq!(stored.len(), PLAYERS * MEALS_EACH);
    for player in &players {
        let done = facts::journal(&db, player.id.0).await;
        assert_eq!(done.len(), MEALS_EACH + MEALS_EACH / 2, "each meal was logged once, and taken back once");
    }
    for ((board, game), begun) in boards.iter_mut().zip([game, lobby]).zip(begun) {
        let journal = facts::journal(&db, game.0).await;
        assert_eq!(facts::replay(&journal), facts::standings(&db, game).await, "standings follow from the journal");
        let last = journal.last().unwrap().n;
        board.sees("the last number", |board| board.n == Some(last)).await;
        assert_eq!(facts::heard(&board.model.events), facts::told(&journal, begun), "every event once, in order");
        facts::assert_board_is_true(&board.model, &db, game).await;
    }
    assert!(!boards[1].model.events.is_empty() && boards[0].model.ticks > KILLS);
    server.terminate();
    assert!(server.ended().await.success());
    db.close().await;
}

/// Servers on a Postgres whose commits can be made to wait.
///
/// A standby that never answers lets a commit be durable and not yet confirmed, for as long as the test wants: whoever is
/// killed then dies between the commit and all that follows it.
struct Unconfirmed {
    postgres: Embedded,
    url: String,
    admin: PgPool,
    key: String,
    media: Folder,
    _folder: Folder,
}

impl Unconfirmed {
    async fn open() -> Self {
        let folder = Folder::new("lastbite-commit");
        let postgres = postgres::embedded(folder.path()).await;
        let url = postgres.url().to_owned();
        let admin = PgPool::connect(&url.replace("lastbite@localhost", "postgres@localhost")).await.unwrap();
        let (key, media) = (SigningSeed::random().to_base64(), Folder::new("lastbite-media"));
        Self { postgres, url, admin, key, media, _folder: folder }
    }

    async fn serve(&self) -> Process {
        Process::serve(|command| {
            command.env("LASTBITE_DATABASE_URL", &self.url).env("LASTBITE_TOKEN_KEY", &self.key);
            command.arg("--data-dir").arg(self.media.path());
        })
        .await
    }

    /// Asks for something, and kills the server when it has committed and not answered.
    async fn asks_in_vain(&self, server: &mut Process, request: reqwest::RequestBuilder) {
        stand_by(&self.admin, "nobody").await;
        let killing = async {
            let waits = "select count(*) from pg_stat_activity where wait_event = 'SyncRep'";
            until("the commit waits", || async {
                (sqlx::query_scalar::<_, i64>(waits).fetch_one(&self.admin).await.unwrap() > 0).then_some(())
            })
            .await;
            server.kill();
        };
        let (answer, ()) = tokio::join!(request.send(), killing);
        assert!(answer.is_err(), "nobody was told yes");
        stand_by(&self.admin, "").await;
    }

    async fn close(self) {
        self.admin.close().await;
        self.postgres.stop().await;
    }
}

#[tokio::test]
async fn heavy_a_server_killed_between_commit_and_announcement_has_lost_nothing() {
    let world = Unconfirmed::open().await;
    let (mut first, second) = (world.serve().await, world.serve().await);
    let (mina, jun) = (Player::register(first.api(), "mina").await, Player::register(first.api(), "jun").await);
    let mut wish = wish();
    wish.terms.first_day = wish.terms.first_day + Days::new(7);
    let game = mina.hosts(&wish).await;
    let mut boards =
        [Viewer::watch(first.address, None, game, None).await, Viewer::watch(second.address, None, game, None).await];

    let path = format!("/api/v1/challenges/{game}/players");
    world.asks_in_vain(&mut first, jun.api.request(Method::POST, &path).json(&json!({}))).await;
    assert_eq!(boards[0].sees_the_end().await, None);

    // The other server has not been told either, and finds out.
    boards[1].sees("jun", |board| board.row(jun.id).is_some()).await;
    first = world.serve().await;
    boards[0].comes_back_to(first.address, game).await;
    boards[0].sees("jun", |board| board.row(jun.id).is_some()).await;
    let again = Player { api: first.api().with_token(&jun.token), ..jun }.tries_to_join(game).await;
    assert_eq!(again.ok::<lastbite_protocol::rest::Membership>(200).n, 1, "done once, by who was killed");
    for board in &mut boards {
        assert_eq!(facts::heard(&board.model.events), [1]);
    }
    drop((first, second));
    world.close().await;
}

#[tokio::test]
async fn heavy_a_server_killed_between_commit_and_answer_signs_nobody_out() {
    let world = Unconfirmed::open().await;
    let mut server = world.serve().await;
    Player::register(server.api(), "mina").await;
    let phone = logs_in(&server.api(), "mina", "a phone").await;
    let spent = json!({ "refresh_token": phone.refresh_token });
    let request = server.api().request(Method::POST, "/api/v1/sessions/refresh").json(&spent);
    world.asks_in_vain(&mut server, request).await;
    // The token is spent and its successor was never told: it is told now, the same to whoever asks again.
    server = world.serve().await;
    let api = server.api();
    let next: SignedIn = refreshes(&api, &phone.refresh_token).await.ok(200);
    assert_ne!(next.refresh_token, phone.refresh_token);
    let again: SignedIn = refreshes(&api, &phone.refresh_token).await.ok(200);
    assert_eq!((again.refresh_token, again.session), (next.refresh_token.clone(), phone.session));
    refreshes(&api, &next.refresh_token).await.ok::<SignedIn>(200);
    let one_newest = "select count(*) from refresh_tokens where spent_at is null and session_id = $1";
    let newest: i64 = sqlx::query_scalar(one_newest).bind(phone.session.0).fetch_one(&world.admin).await.unwrap();
    assert_eq!(newest, 1);
    drop(server);
    world.close().await;
}

/// Lets commits wait for a standby of that name, or for none.
async fn stand_by(admin: &PgPool, name: &str) {
    let setting = format!("alter system set synchronous_standby_names = '{name}'");
    sqlx::query(sqlx::AssertSqlSafe(setting)).execute(admin).await.unwrap();
    sqlx::query("select pg_reload_conf()").execute(admin).await.unwrap();
    until("the setting holds", || async {
        let set: String = sqlx::query_scalar("show synchronous_standby_names").fetch_one(admin).await.unwrap();
        (set == name).then_some(())
    })
    .await;
}

#[tokio::test]
async fn heavy_a_server_on_its_own_postgres_recovers_from_a_kill() {
    let folder = Folder::new("lastbite-own");
    let serve = || {
        Process::serve(|command| {
            command.arg("--data-dir").arg(folder.path());
        })
    };
    let mut first = serve().await;
    let mina = Player::register(first.api(), "mina").await;
    let mut wish = wish();
    wish.terms.first_day = wish.terms.first_day + Days::new(7);
    let game = mina.hosts(&wish).await;
    let postgres = postgres_of(folder.path());
    first.kill();
    until("its Postgres ends too", || async { (!is_alive(postgres)).then_some(()) }).await;

    let mut second = serve().await;
    assert_ne!(postgres_of(folder.path()), postgres);
    let mina = Player { api: second.api().with_token(&mina.token), ..mina };
    assert_eq!(mina.reads(game).await.id, game, "what was committed is there, and the token is still good");
    second.terminate();
    assert!(second.ended().await.success());
    assert!(!folder.path().join("postgres/postmaster.pid").exists(), "this time it was stopped in order");

    let third = serve().await;
    let mina = Player { api: third.api().with_token(&mina.token), ..mina };
    mina.joins(game).await;
    let mut ask = process::lastbite();
    ask.args(["health", "--listen", &third.address.to_string()]);
    assert!(process::run(ask).await.status.success());
}

/// The process of the Postgres that runs in a data folder.
fn postgres_of(folder: &std::path::Path) -> u32 {
    let text = std::fs::read_to_string(folder.join("postgres/postmaster.pid")).unwrap();
    text.lines().next().unwrap().trim().parse().unwrap()
}

/// Whether a process is there; one that only waits to be noticed by its parent is not.
fn is_alive(pid: u32) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    status.lines().any(|line| line.starts_with("State:") && !line.contains('Z'))
}
