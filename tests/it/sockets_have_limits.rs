//! What one client or one address may take of the server, and from which pages.

use std::net::SocketAddr;

use lastbite_protocol::{
    ChallengeId, Stream,
    socket::{ClientMessage, SUBPROTOCOL, ServerMessage, Watch, Window, close},
};
use reqwest::Method;
use tokio_tungstenite::tungstenite::Message;

use crate::support::{Answer, Api, Setup, Viewer, World, challenge, until, viewer};

async fn welcomed(address: SocketAddr, token: Option<&str>) -> Viewer {
    let mut viewer = Viewer::on(viewer::connect(address).await);
    viewer.hello(token, Vec::new()).await;
    viewer.sees("the welcome", |model| model.welcome.is_some()).await;
    viewer
}

/// What a handshake is answered with, as a browser's page or a program asks for it.
async fn handshake(api: &Api, origin: Option<&str>) -> Answer {
    let mut request = api
        .request(Method::GET, "/ws")
        .header("connection", "upgrade")
        .header("upgrade", "websocket")
        .header("sec-websocket-version", "13")
        .header("sec-websocket-key", "AAAAAAAAAAAAAAAAAAAAAA==")
        .header("sec-websocket-protocol", SUBPROTOCOL);
    if let Some(origin) = origin {
        request = request.header("origin", origin);
    }
    let response = request.send().await.unwrap();
    // The body of a socket that was opened does not end.
    let (status, headers) = (response.status(), response.headers().clone());
    let body = if status.as_u16() == 101 { bytes::Bytes::new() } else { response.bytes().await.unwrap() };
    Answer { status, headers, body }
}

fn farewell(viewer: &Viewer) -> (u16, &str, bool, u64) {
    match &viewer.model.bye {
        Some(ServerMessage::Bye { code, reason, reconnect, after_ms }) => (*code, reason, *reconnect, *after_ms),
        other => panic!("no bye: {other:?}"),
    }
}

#[tokio::test]
async fn an_address_opens_only_so_many_sockets_at_once() {
    let world = World::open().await;
    // A tenth of the usual number of sockets, and so a tenth of thirty upgrades.
    let node = world.node_with(Setup { sockets_per_address: 10, ..Setup::default() }).await;
    let mut slowed = None;
    for _ in 0..5 {
        let answer = handshake(&node.api(), None).await;
        if answer.status.as_u16() != 101 {
            slowed.get_or_insert(answer);
        }
    }
    let slowed = slowed.expect("the fourth or the fifth comes too soon");
    slowed.refused(429, "too_many_upgrades");
    assert!(slowed.headers.contains_key("retry-after"));
    until("a moment later it may again", || async {
        (handshake(&node.api(), None).await.status.as_u16() == 101).then_some(())
    })
    .await;
    node.stop().await;
    world.stop().await;
}

#[tokio::test]
async fn thirty_commands_at_once_are_done_and_the_next_ends_it() {
    let world = World::open().await;
    let mut viewer = welcomed(world.node.address, None).await;
    for id in 100..140 {
        viewer.says(&ClientMessage::Ping { id }).await;
    }
    assert_eq!(viewer.sees_the_end().await, Some(close::TOO_FAST));
    assert_eq!(farewell(&viewer), (close::TOO_FAST, "too_fast", true, 5_000));
    let oks = viewer.model.oks;
    assert!((30..40).contains(&oks.len()), "a burst of thirty, and what came back meanwhile: {oks:?}");
    world.stop().await;
}

#[tokio::test]
async fn who_floods_with_pings_of_the_wire_is_sent_away_too() {
    let world = World::open().await;
    let mut viewer = welcomed(world.node.address, None).await;
    for _ in 0..40 {
        viewer.sends(Message::Ping(bytes::Bytes::new())).await;
    }
    assert_eq!(viewer.sees_the_end().await, Some(close::TOO_FAST));
    world.stop().await;
}

#[tokio::test]
async fn frames_that_are_too_large_or_binary_end_the_session() {
    let world = World::open().await;
    let mut viewer = welcomed(world.node.address, None).await;
    let id = |id: u32, bytes: usize| {
        let bare = format!(r#"{{"type":"ping","id":{id}}}"#);
        format!("{bare}{}", " ".repeat(bytes - bare.len()))
    };
    viewer.sends(Message::text(id(1, 8 * 1024))).await;
    viewer.sees("8 KiB are read", |model| model.oks == [1]).await;
    viewer.sends(Message::text(id(2, 8 * 1024 + 1))).await;
    assert_eq!(viewer.sees_the_end().await, Some(close::VERSION));
    assert_eq!(farewell(&viewer), (close::VERSION, "frame_invalid", false, 0));
    assert_eq!(viewer.model.oks, [1]);

    let mut viewer = welcomed(world.node.address, None).await;
    viewer.sends(Message::binary(id(1, 30))).await;
    assert_eq!(viewer.sees_the_end().await, Some(close::VERSION));
    assert_eq!(farewell(&viewer), (close::VERSION, "binary_frame", false, 0));
    world.stop().await;
}

#[tokio::test]
async fn a_socket_watches_thirty_two_challenges_and_no_more() {
    let world = World::open().await;
    let hosts = world.crowd(["mina".to_owned(), "jun".to_owned()]).await;
    let mut games = Vec::new();
    for n in 0..33 {
        games.push(hosts[n / 17].hosts(&challenge()).await);
    }
    let watch = |game: &ChallengeId| Watch { stream: Stream::Challenge(*game), n: Some(0), window: Window::Top };
    let mut viewer = Viewer::on(viewer::connect(world.node.address).await);
    viewer.hello(None, games[..32].iter().map(watch).collect()).await;
    viewer.sees("the welcome", |model| model.welcome.is_some()).await;
    let stream = Stream::Challenge(games[32]);
    viewer.says(&ClientMessage::Watch { id: 90, stream, n: Some(0), window: Window::Top }).await;
    viewer.sees("that it is one too many", |model| !model.errors.is_empty()).await;
    assert_eq!(viewer.model.errors, [(Some(90), "too_many_streams".to_owned())]);
    let stream = Stream::Challenge(games[0]);
    viewer.says(&ClientMessage::Watch { id: 91, stream, n: Some(0), window: Window::Top }).await;
    viewer.says(&ClientMessage::Unwatch { id: 92, stream }).await;
    let stream = Stream::Challenge(games[32]);
    viewer.says(&ClientMessage::Watch { id: 93, stream, n: Some(0), window: Window::Top }).await;
    viewer.sees("one may be exchanged for another", |model| model.oks == [91, 92, 93]).await;
    world.stop().await;
}

#[tokio::test]
async fn an_address_opens_only_so_many_sockets_and_fewer_without_a_name() {
    let world = World::open().await;
    // One user alone may not have seven.
    let (mina, jun) = (world.user("mina").await, world.user("jun").await);
    let node = world.node_with(Setup { sockets_per_address: 10, ..Setup::default() }).await;
    let mut spectators = Vec::new();
    for _ in 0..3 {
        spectators.push(welcomed(node.address, None).await);
    }
    let fourth = greeted_when_there_is_a_place(node.address, None).await;
    assert_eq!(farewell(&fourth), (close::OVERLOADED, "too_many_spectators", true, 10_000));
    drop(fourth);

    let mut players = Vec::new();
    for player in [&mina, &mina, &mina, &mina, &jun, &jun, &jun] {
        players.push(greeted_when_there_is_a_place(node.address, Some(&player.token)).await);
    }
    assert!(players.iter().all(|player| player.model.welcome.is_some()));
    // Asked too soon, it would be told to open them more slowly.
    let refused = until("an answer about the place", || async {
        let answer = handshake(&node.api(), None).await;
        (answer.status.as_u16() != 429).then_some(answer)
    })
    .await;
    refused.refused(503, "too_many_sockets");
    assert!(refused.headers.contains_key("retry-after"));

    // A player who goes makes no room for a spectator, only for a player.
    drop(players.pop());
    let fourth = greeted_when_there_is_a_place(node.address, None).await;
    assert_eq!(farewell(&fourth).1, "too_many_spectators");
    drop(fourth);
    players.push(greeted_when_there_is_a_place(node.address, Some(&jun.token)).await);
    drop(spectators.pop());
    let instead = greeted_when_there_is_a_place(node.address, None).await;
    assert!(instead.model.welcome.is_some());
    node.stop().await;
    world.stop().await;
}

/// Knocks until the door opens, because who has just gone may still be counted; then says hello.
async fn greeted_when_there_is_a_place(address: SocketAddr, token: Option<&str>) -> Viewer {
    let mut viewer = Viewer::on(until("the door opens", || viewer::tries_to_connect(address)).await);
    viewer.hello(token, Vec::new()).await;
    viewer.sees("an answer", |model| model.welcome.is_some() || model.bye.is_some()).await;
    viewer
}

#[tokio::test]
async fn pages_of_strangers_cannot_open_a_socket() {
    let world = World::open().await;
    let api = world.api();
    let own = format!("http://{}", api.address);
    for origin in [None, Some(own.as_str()), Some("https://app.example.com")] {
        assert_eq!(handshake(&api, origin).await.status.as_u16(), 101, "{origin:?}");
    }
    let look_alikes = [
        "https://evil.example.com".to_owned(),
        "https://app.example.com.evil.example".to_owned(),
        "http://app.example.com".to_owned(),
        format!("{own}.evil.example"),
        "null".to_owned(),
        String::new(),
    ];
    for origin in &look_alikes {
        handshake(&api, Some(origin)).await.refused(403, "origin_unknown");
    }
    api.get("/ws").await.refused(426, "upgrade_required");
    world.stop().await;
}
