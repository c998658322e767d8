//! Postgres goes away under a running server and comes back: nobody waits, boards stay, nothing acknowledged is lost.

use std::time::{Duration, Instant};

use lastbite::db;
use lastbite_protocol::{
    ChallengeId, Stream,
    rest::MealOutcome,
    socket::{ClientMessage, Window},
};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{
    Answer, Player, World, challenge, facts, lunch, postgres, postgres::tempfile::Folder, seoul, until,
};

async fn logs_with_key(player: &Player, key: &str) -> Answer {
    let request = player.api.request(Method::POST, "/api/v1/meals").header("idempotency-key", key);
    Answer::of(request.json(&json!(lunch("2026-03-02", 700)))).await
}

#[track_caller]
fn is_away(answer: &Answer, asked: Instant) {
    answer.refused(503, "database_away");
    assert!(answer.headers.contains_key("retry-after"));
    assert!(asked.elapsed() < Duration::from_secs(3), "said soon: {:?}", asked.elapsed());
}

#[tokio::test]
async fn heavy_postgres_goes_and_comes_back_under_a_running_server() {
    let folder = Folder::new("lastbite-away");
    let postgres = postgres::embedded(folder.path()).await;
    let url = postgres.url().to_owned();
    db::migrate(&url).await.unwrap();
    let world = World::with_database(url).await;
    let (mina, jun) = (world.user("mina").await, world.user("jun").await);
    let (game, unseen) = (mina.hosts(&challenge()).await, mina.hosts(&challenge()).await);
    mina.joins(game).await;
    jun.joins(game).await;
    world.referee_at(seoul("2026-03-02 13:00")).await;
    let mut viewer = jun.watches(game).await;
    let acknowledged = mina.logs(&lunch("2026-03-02", 600)).await;
    viewer.sees("mina's meal", |board| board.n == Some(4)).await;

    postgres.stop().await;
    let asked = Instant::now();
    is_away(&logs_with_key(&jun, "the key of jun's lunch").await, asked);
    let asked = Instant::now();
    is_away(&jun.api.get(&format!("/api/v1/challenges/{game}")).await, asked);
    world.api().get("/health/ready").await.refused(503, "database_away");
    world.api().get("/health/live").await.ok::<Value>(200);
    // The socket is open, and who comes anew sees the board.
    viewer.says(&ClientMessage::Ping { id: 90 }).await;
    viewer.sees("an answer", |model| model.oks == [90]).await;
    let mut guest = world.spectator(game).await;
    assert_eq!((guest.model.n, guest.model.board()), (Some(4), viewer.model.board()));
    for (id, game) in [(91, unseen), (92, ChallengeId::generate())] {
        guest.says(&ClientMessage::Watch { id, stream: Stream::Challenge(game), n: None, window: Window::Top }).await;
    }
    guest.sees("that other boards cannot be had now", |model| model.errors.len() == 2).await;
    let away = |id| (Some(id), "database_away".to_owned());
    assert_eq!(guest.model.errors, [away(91), away(92)]);

    let postgres = postgres::embedded(folder.path()).await;
    let back = Instant::now();
    until("it is ready again", || async {
        (world.api().get("/health/ready").await.status.as_u16() == 200).then_some(())
    })
    .await;
    assert!(back.elapsed() < Duration::from_secs(5), "healed by itself: {:?}", back.elapsed());
    let again: MealOutcome = logs_with_key(&jun, "the key of jun's lunch").await.ok(201);
    viewer.sees("jun's meal", |board| board.row(jun.id).is_some_and(|row| row.points == 30)).await;
    guest.sees("jun's meal", |board| board.row(jun.id).is_some_and(|row| row.points == 30)).await;
    // The referee and the board that could not be had have healed too.
    world.referee_at(seoul("2026-03-03 00:00")).await;
    guest.sees("the next day", |board| board.n == Some(6)).await;
    guest
        .says(&ClientMessage::Watch { id: 93, stream: Stream::Challenge(unseen), n: Some(1), window: Window::Top })
        .await;
    guest.sees("the other board", |model| model.oks == [93]).await;
    let kept: Vec<uuid::Uuid> =
        sqlx::query_scalar("select id from meals order by id").fetch_all(&world.db).await.unwrap();
    assert_eq!(kept, [acknowledged.meal.id.0, again.meal.id.0], "each acknowledged meal is there once");
    viewer.sees("the next day", |board| board.n == Some(6)).await;
    assert_eq!((viewer.model.snapshots, viewer.model.bye.is_none()), (1, true), "its socket never closed");
    facts::assert_board_is_true(&viewer.model, &world.db, game).await;
    world.stop().await;
    postgres.stop().await;
}

/// How often this world's database was asked which sessions have ended, and which jobs there are, so far.
async fn looks(world: &World) -> (i64, i64) {
    let of = async |table: &'static str| {
        let counted = "select (coalesce(seq_scan, 0) + coalesce(idx_scan, 0))::bigint from pg_stat_user_tables
                       where relname = $1";
        sqlx::query_scalar::<_, i64>(counted).bind(table).fetch_one(&world.db).await.unwrap()
    };
    (of("sessions").await, of("_private_jobs").await)
}

#[tokio::test]
async fn a_server_with_nothing_to_do_leaves_postgres_in_peace() {
    let world = World::open().await;
    world.user("mina").await;
    world.is_quiet().await;
    let (sessions, jobs) = looks(&world).await;
    // It looks for ended sessions a few times a second, whatever else it does.
    let (sessions, jobs) = until("it has looked for sessions ten times", || async {
        let now = looks(&world).await;
        (now.0 - sessions >= 10).then_some((now.0 - sessions, now.1 - jobs))
    })
    .await;
    assert!(jobs <= 10 * sessions, "{jobs} looks for jobs beside {sessions} for sessions");
    world.stop().await;
}
