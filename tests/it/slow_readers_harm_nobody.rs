//! A viewer that stops reading: the others notice nothing, and the server lets it go.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use lastbite_protocol::{
    Stream,
    socket::{SUBPROTOCOL, Watch, Window},
};
use tokio::net::TcpSocket;
use tokio_tungstenite::{MaybeTlsStream, tungstenite::client::IntoClientRequest};

use crate::support::{Viewer, World, challenge, facts};

const PLAYERS: usize = 250;

/// A socket whose kernel takes next to nothing that is not read.
async fn narrow(address: std::net::SocketAddr) -> Viewer {
    let tcp = TcpSocket::new_v4().unwrap();
    tcp.set_recv_buffer_size(4096).unwrap();
    let stream = MaybeTlsStream::Plain(tcp.connect(address).await.unwrap());
    let mut request = format!("ws://{address}/ws").into_client_request().unwrap();
    request.headers_mut().insert("sec-websocket-protocol", SUBPROTOCOL.parse().unwrap());
    Viewer::on(tokio_tungstenite::client_async(request, stream).await.unwrap().0)
}

#[tokio::test]
async fn heavy_a_viewer_that_reads_nothing_delays_nobody_and_is_let_go() {
    let world = World::open().await;
    // Names as long as may be, and everybody stands above who came before: each tick is as large as can be.
    let mut crowd = world.crowd((0..PLAYERS).map(|n| format!("{n:03}{}", "먹".repeat(47)))).await;
    crowd.reverse();
    let mut wish = challenge();
    wish.terms.seats = 1_000;
    let game = crowd[0].hosts(&wish).await;
    let mut stalled = narrow(world.node.address).await;
    let watch = Watch { stream: Stream::Challenge(game), n: None, window: Window::Top };
    stalled.hello(None, vec![watch]).await;
    stalled.sees("a snapshot", |board| board.snapshots == 1).await;
    let mut healthy = join_all((0..4).map(|_| world.spectator(game))).await;
    healthy[0].sees("five watch", |board| board.watching == Some(5)).await;

    // From here on the stalled one reads nothing. A healthy one is served all the while.
    let mut n = 0;
    for players in crowd.chunks(5) {
        join_all(players.iter().map(|player| player.joins(game))).await;
        n += players.len() as u64;
        all_see(&mut healthy, n).await;
    }
    for players in crowd.rchunks(5) {
        join_all(players.iter().map(|player| player.leaves(game))).await;
        n += players.len() as u64;
        all_see(&mut healthy, n).await;
    }
    let (end, done) = (n + 1, Instant::now());
    crowd[0].joins(game).await;
    all_see(&mut healthy, end).await;
    assert!(done.elapsed() < Duration::from_secs(4), "nobody waited for the stalled one: {:?}", done.elapsed());
    healthy[0].sees("that the stalled one is gone", |board| board.watching == Some(4)).await;
    for viewer in &healthy {
        assert_eq!(viewer.model.snapshots, 1, "nobody was lost");
        assert_eq!(facts::heard(&viewer.model.events), (1..=end).collect::<Vec<_>>());
        assert!(viewer.model.bye.is_none());
    }

    // What it reads now ends in the middle. It comes back by number, and has missed nothing.
    stalled.sees_the_end().await;
    let seen = stalled.model.n.unwrap();
    assert!(seen < end, "the server did not wait until everything was read: {seen}");
    stalled.comes_back_to(world.node.address, game).await;
    stalled.sees("everything", |board| board.n == Some(end)).await;
    assert_eq!(facts::heard(&stalled.model.events), (1..=end).collect::<Vec<_>>());
    facts::assert_board_is_true(&stalled.model, &world.db, game).await;
    world.stop().await;
}

async fn all_see(viewers: &mut [Viewer], n: u64) {
    for viewer in viewers {
        viewer.sees("the newest", |board| board.n == Some(n)).await;
    }
}
