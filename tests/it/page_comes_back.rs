//! The spectator page loses its server: it says so, comes back by itself, goes on at the number it has seen, and misses
//! nothing.

use serde_json::Value;

use crate::support::{Page, Wire, World, challenge, dinner, lunch, seoul};

#[tokio::test]
async fn page_resumes_by_number_after_a_cut() {
    let world = World::open().await;
    let (mina, jun) = (world.user("mina").await, world.user("jun").await);
    let game = mina.hosts(&challenge()).await;
    mina.joins(game).await;
    jun.joins(game).await;
    world.referee_at(seoul("2026-03-02 20:00")).await;
    let wire = Wire::to(world.node.address).await;
    let mut page = Page::watches(&format!("http://{}", wire.address), game).await;
    // The browser says so too, of the socket and of a picture that may be under way.
    page.forgives("WebSocket connection");
    page.forgives("Failed to load resource: net::");
    let seen = page.board().await.n;

    wire.cut();
    page.wait_for("it says so", "document.querySelector('#connection').dataset.state === 'connecting'").await;
    assert_eq!(page.text("#connection").await, "다시 연결하는 중");
    jun.leaves(game).await;
    mina.logs(&lunch("2026-03-02", 700)).await;
    mina.logs(&dinner("2026-03-02", 800)).await;
    wire.mend();

    page.row_is(mina.id, "[data-rank='1'][data-points='60']").await;
    page.wait_for("what happened meanwhile", "document.querySelector('#feed [data-event=left] bdi')").await;
    page.ends_equal_to(&mut world.spectator(game).await).await;
    let hello = page.frames.iter().rev().find(|frame| frame.sent && frame.message["type"] == "hello").unwrap();
    assert_eq!(hello.message["streams"][0]["n"], seen, "it names the number it has seen");
    let snapshots = page.frames.iter().filter(|frame| !frame.sent && frame.message["type"] == "snapshot").count();
    assert_eq!(snapshots, 1, "what it had was enough to go on");
    page.close().await;
    world.stop().await;
}

#[tokio::test]
async fn page_survives_a_restart_of_the_server() {
    let mut world = World::open().await;
    let (mina, jun) = (world.user("mina").await, world.user("jun").await);
    let game = mina.hosts(&challenge()).await;
    mina.joins(game).await;
    jun.joins(game).await;
    world.referee_at(seoul("2026-03-02 20:00")).await;
    let mut page = Page::watches(&world.origin(), game).await;
    // The browser says so too, of the socket and of a picture that may be under way.
    page.forgives("WebSocket connection");
    page.forgives("Failed to load resource: net::");
    page.evaluate::<u8>("window.sameVisit = 1").await;

    world.restart().await;
    mina.logs(&lunch("2026-03-02", 700)).await;
    page.wait_for("it was told", "document.querySelector('#connection').dataset.state !== 'live'").await;
    assert!(page.frames.iter().any(|frame| frame.message["type"] == "bye" && frame.message["reconnect"] == true));
    // Otherwise it comes back after the time that the server gave it, which is spread over its viewers.
    page.evaluate::<bool>("dispatchEvent(new Event('online'))").await;
    page.is_live().await;
    page.row_is(mina.id, "[data-rank='1'][data-points='30']").await;
    mina.logs(&dinner("2026-03-02", 800)).await;
    page.row_is(mina.id, "[data-points='60']").await;
    page.ends_equal_to(&mut world.spectator(game).await).await;
    assert_eq!(page.evaluate::<u8>("window.sameVisit").await, 1, "it never had to reload");
    let hellos: Vec<&Value> = page.frames.iter().filter(|it| it.sent).map(|it| &it.message).collect();
    assert!(hellos.iter().all(|hello| hello["type"] == "hello"), "nothing had to be asked for again: {hellos:?}");
    page.close().await;
    world.stop().await;
}
