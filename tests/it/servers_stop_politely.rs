//! Stopping: first no longer ready, then goodbye to the sockets, what was begun is finished, and it ends.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use futures_util::future::join_all;
use lastbite_protocol::{
    rest::MealOutcome,
    socket::{ServerMessage, close},
};
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection};

use crate::support::{PATIENCE, Setup, Viewer, World, challenge, lunch, seoul, until, viewer};

#[tokio::test]
async fn every_socket_is_told_when_to_come_back() {
    let mut world = World::open().await;
    let mina = world.user("mina").await;
    let game = mina.hosts(&challenge()).await;
    let mut viewers = join_all((0..12).map(|_| world.spectator(game))).await;
    viewers.push(mina.watches(game).await);
    // One is in the middle of its greeting.
    viewers.push(Viewer::on(viewer::connect(world.node.address).await));
    let begun = Instant::now();
    let stopping = world.node.stopping();
    let mut moments = BTreeSet::new();
    for viewer in &mut viewers {
        assert_eq!(viewer.sees_the_end().await, Some(close::DRAINING));
        let Some(ServerMessage::Bye { code, reason, reconnect, after_ms }) = &viewer.model.bye else {
            panic!("no bye: {:?}", viewer.texts)
        };
        assert_eq!((*code, reason.as_str(), *reconnect), (close::DRAINING, "draining", true));
        assert!(*after_ms < 15_000, "{after_ms}");
        moments.insert(*after_ms);
    }
    assert!(moments.len() > 10 && moments.last().unwrap() - moments.first().unwrap() > 3_000, "spread: {moments:?}");
    tokio::time::timeout(PATIENCE, stopping).await.unwrap().unwrap().unwrap();
    assert!(begun.elapsed() < Duration::from_secs(10), "nothing held it up: {:?}", begun.elapsed());
    assert!(tokio::net::TcpStream::connect(world.node.address).await.is_err(), "nobody listens any more");
    world.db.close().await;
}

#[tokio::test]
async fn a_request_that_has_begun_is_finished_and_acknowledged() {
    let mut world = World::open().await;
    let mina = world.user("mina").await;
    let game = mina.hosts(&challenge()).await;
    mina.joins(game).await;
    world.referee_at(seoul("2026-03-02 13:00")).await;
    let mut viewer = world.spectator(game).await;

    // Somebody else holds the stream, so that the meal has to wait in the middle of its transaction.
    let mut other = PgConnection::connect(&world.database_url).await.unwrap();
    let mut held = other.begin().await.unwrap();
    sqlx::query("select 1 from streams where id = $1 for update").bind(game.0).execute(&mut *held).await.unwrap();
    let meal = lunch("2026-03-02", 700);
    let mut stopped = None;
    let stop_and_let_go = async {
        until("the meal waits for the stream", || async {
            let waiting = "select count(*) from pg_stat_activity
                           where datname = current_database() and wait_event_type = 'Lock'";
            (world.count(waiting).await > 0).then_some(())
        })
        .await;
        let stopping = stopped.insert(world.node.stopping());
        assert_eq!(viewer.sees_the_end().await, Some(close::DRAINING));
        assert!(!stopping.is_finished(), "it waits for the meal");
        held.rollback().await.unwrap();
    };
    let (answer, ()) = tokio::join!(mina.tries_to_log(&meal), stop_and_let_go);
    let logged: MealOutcome = answer.ok(201);
    tokio::time::timeout(PATIENCE, stopped.unwrap()).await.unwrap().unwrap().unwrap();
    let stored: uuid::Uuid = sqlx::query_scalar("select id from meals").fetch_one(&world.db).await.unwrap();
    assert_eq!(stored, logged.meal.id.0);
    other.close().await.unwrap();
    world.db.close().await;
}

#[tokio::test]
async fn load_balancers_hear_of_it_while_everything_still_works() {
    let world = World::open().await;
    let mina = world.user("mina").await;
    let game = mina.hosts(&challenge()).await;
    let mut node = world.node_with(Setup { drain_wait: Duration::from_secs(2), ..Setup::default() }).await;
    let mut viewer = node.spectator(game).await;
    node.api().get("/health/ready").await.ok::<Value>(200);
    let (begun, stopping) = (Instant::now(), node.stopping());
    let refused = until("it is no longer ready", || async {
        let ready = node.api().get("/health/ready").await;
        (ready.status.as_u16() != 200).then_some(ready)
    })
    .await;
    refused.refused(503, "draining");
    assert!(refused.headers.contains_key("retry-after"));
    node.api().get("/health/live").await.ok::<Value>(200);
    // Requests and sockets that are here are served on.
    let path = format!("/api/v1/challenges/{game}/players");
    node.api().with_token(&mina.token).post(&path, &json!({})).await.ok::<Value>(201);
    assert!(viewer::tries_to_connect(node.address).await.is_none(), "a new socket is not let in");
    viewer.sees("mina", |board| board.counts.players == 1).await;
    assert!(viewer.model.bye.is_none());
    assert_eq!(viewer.sees_the_end().await, Some(close::DRAINING));
    assert!(begun.elapsed() >= Duration::from_secs(2), "only after the wait");
    tokio::time::timeout(PATIENCE, stopping).await.unwrap().unwrap().unwrap();
    world.stop().await;
}
