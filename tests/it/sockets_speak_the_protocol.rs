//! The conversation on the socket: greeting, commands and their answers, and what ends it.

use std::time::{Duration, Instant};

use chrono::TimeDelta;
use lastbite::auth::{Keys, SigningSeed, keys::KeyRow};
use lastbite_protocol::{
    ChallengeId, SessionId, Stream,
    socket::{ClientMessage, ServerMessage, Watch, Window, close},
};
use serde_json::json;
use tokio_tungstenite::tungstenite::{Message, client::IntoClientRequest};

use crate::support::{Node, Viewer, World, challenge, viewer};

fn watch(challenge: ChallengeId) -> Watch {
    Watch { stream: Stream::Challenge(challenge), n: None, window: Window::Top }
}

async fn silent(node: &Node) -> Viewer {
    Viewer::on(viewer::connect(node.address).await)
}

/// A socket that has been welcomed and watches nothing.
async fn welcomed(node: &Node) -> Viewer {
    let mut viewer = silent(node).await;
    viewer.hello(None, Vec::new()).await;
    viewer.sees("the welcome", |model| model.welcome.is_some()).await;
    viewer
}

/// Reads to the end, which has to be this code with this reason, said before by a `bye`.
async fn is_sent_away(mut viewer: Viewer, code: u16, reason: &str) {
    assert_eq!(viewer.sees_the_end().await, Some(code), "{:?}", viewer.model);
    let Some(ServerMessage::Bye { code: told, reason: why, reconnect, .. }) = viewer.model.bye else {
        panic!("no bye before the end: {:?}", viewer.texts)
    };
    assert_eq!((told, why.as_str()), (code, reason));
    assert_eq!(reconnect, code < 4500, "from 4500 a client stays away");
}

#[tokio::test]
async fn hello_opens_the_session_and_its_streams_at_once() {
    let world = World::open().await;
    let mina = world.user("mina").await;
    let game = mina.hosts(&challenge()).await;
    let mut viewer = silent(&world.node).await;
    viewer.hello(None, vec![watch(game)]).await;
    viewer.sees("a snapshot", |model| model.snapshots == 1).await;
    let Some(ServerMessage::Welcome { heartbeat_ms, server_time, clock_rate, .. }) = viewer.model.welcome else {
        panic!("the welcome comes first: {:?}", viewer.texts)
    };
    assert_eq!((heartbeat_ms, server_time, clock_rate), (25_000, world.clock.now(), 1));
    assert!(viewer.texts[0].contains(r#""type":"welcome""#) && viewer.texts[1].contains(r#""type":"snapshot""#));
    assert!(viewer.model.oks.is_empty(), "hello is answered by the welcome alone");
    world.stop().await;
}

#[tokio::test]
async fn a_socket_that_says_nothing_is_sent_away_after_five_seconds() {
    let world = World::open().await;
    let (viewer, begun) = (silent(&world.node).await, Instant::now());
    is_sent_away(viewer, close::VERSION, "hello_missing").await;
    assert!((Duration::from_millis(4_900)..Duration::from_secs(8)).contains(&begun.elapsed()), "{begun:?}");
    world.stop().await;
}

#[tokio::test]
async fn who_does_not_speak_the_protocol_is_told_to_stay_away() {
    let world = World::open().await;
    let address = world.node.address;
    // Without the name, a library that offers none is let in so that it can be told why.
    let bare = format!("ws://{address}/ws").into_client_request().unwrap();
    let mut other = bare.clone();
    other.headers_mut().insert("sec-websocket-protocol", "lastbite.v0".parse().unwrap());
    for request in [bare, other] {
        match tokio_tungstenite::connect_async(request).await {
            Ok((socket, _)) => is_sent_away(Viewer::on(socket), close::VERSION, "subprotocol_unsupported").await,
            // A client that offered a name and was given none has to hang up by itself.
            Err(error) => assert!(error.to_string().contains("SubProtocol"), "{error}"),
        }
    }
    let hello = |more: serde_json::Value| {
        let mut hello = json!({ "type": "hello", "id": 1, "client": "test/1" });
        hello.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        hello.to_string()
    };
    let streams: Vec<_> = (0..33).map(|_| json!(watch(ChallengeId::generate()))).collect();
    for unreadable in [
        "hello".to_owned(),
        "{}".to_owned(),
        json!({ "type": "ping", "id": 1 }).to_string(),
        hello(json!({ "id": -1 })),
        hello(json!({ "color": "red" })),
        hello(json!({ "client": "x".repeat(65) })),
        hello(json!({ "streams": [{ "stream": "challenge:1" }] })),
        hello(json!({ "streams": streams })),
    ] {
        let mut viewer = silent(&world.node).await;
        viewer.sends(Message::text(unreadable)).await;
        is_sent_away(viewer, close::VERSION, "hello_invalid").await;
    }
    let mut viewer = silent(&world.node).await;
    viewer.sends(Message::binary(hello(json!({})))).await;
    is_sent_away(viewer, close::VERSION, "binary_frame").await;
    world.stop().await;
}

#[tokio::test]
async fn a_token_that_is_not_good_ends_the_session_before_it_begins() {
    let world = World::open().await;
    let mina = world.user("mina").await;
    let now = world.clock.wall();
    let expired = world.node.token(mina.id, now - TimeDelta::minutes(11));
    let row = KeyRow { id: uuid::Uuid::now_v7(), made_at: now };
    let forged = Keys::new(SigningSeed::random(), &[row]).unwrap();
    let forged = forged.sign(mina.id, SessionId::generate(), now).unwrap();
    let cut = &mina.token[..mina.token.len() - 4];
    let cases = [
        (expired.as_str(), "token_expired"),
        (&forged, "token_invalid"),
        (cut, "token_invalid"),
        ("", "token_invalid"),
    ];
    for (token, reason) in cases {
        let mut viewer = silent(&world.node).await;
        viewer.hello(Some(token), Vec::new()).await;
        is_sent_away(viewer, close::AUTH, reason).await;
    }
    world.stop().await;
}

#[tokio::test]
async fn every_command_is_answered_by_its_number() {
    let world = World::open().await;
    let mina = world.user("mina").await;
    let game = mina.hosts(&challenge()).await;
    let stream = Stream::Challenge(game);
    let mut viewer = welcomed(&world.node).await;
    viewer.says(&ClientMessage::Ping { id: 70 }).await;
    viewer.sees("the answer to ping", |model| model.oks == [70]).await;
    viewer.says(&ClientMessage::Watch { id: 71, stream, n: None, window: Window::Top }).await;
    viewer.sees("the board", |model| model.oks == [70, 71] && model.snapshots == 1).await;
    viewer.says(&ClientMessage::Unwatch { id: 72, stream }).await;
    viewer.sees("the answer to unwatch", |model| model.oks == [70, 71, 72]).await;
    mina.joins(game).await;
    let seen = viewer.model.n;
    viewer.says(&ClientMessage::Unwatch { id: 73, stream }).await;
    viewer.sees("that it is not watched", |model| model.errors == [(Some(73), "not_watched".to_owned())]).await;
    viewer.says(&ClientMessage::Watch { id: 74, stream, n: seen, window: Window::Top }).await;
    viewer.sees("what came meanwhile", |model| model.counts.players == 1).await;
    assert_eq!(viewer.model.ticks, 1, "nothing came while it did not watch: {:?}", viewer.texts);
    world.stop().await;
}

#[tokio::test]
async fn a_command_that_cannot_be_done_leaves_the_session_open() {
    let world = World::open().await;
    let game = world.user("mina").await.hosts(&challenge()).await;
    let mut viewer = silent(&world.node).await;
    let hello = viewer.hello(None, vec![watch(ChallengeId::generate()), watch(game)]).await;
    viewer.sees("the board that there is", |model| model.snapshots == 1).await;
    assert_eq!(viewer.model.errors, [(Some(hello), "not_found".to_owned())]);
    let unknown = Stream::Challenge(ChallengeId::generate());
    viewer.says(&ClientMessage::Watch { id: 80, stream: unknown, n: None, window: Window::Top }).await;
    viewer.says(&ClientMessage::Hello { id: 81, client: "test/1".to_owned(), token: None, streams: Vec::new() }).await;
    for unreadable in [
        json!({ "type": "shout", "id": 82 }),
        json!({ "type": "ping", "id": 83, "color": "red" }),
        json!({ "type": "watch", "id": 84, "stream": "meal:1" }),
        json!({ "type": "ping", "id": "85" }),
    ] {
        viewer.sends(Message::text(unreadable.to_string())).await;
    }
    viewer.sends(Message::text("{")).await;
    viewer.says(&ClientMessage::Ping { id: 86 }).await;
    viewer.sees("the last answer", |model| model.oks == [86]).await;
    let errors: Vec<_> = viewer.model.errors[1..].iter().map(|(id, code)| (*id, code.as_str())).collect();
    let expected = [
        (Some(80), "not_found"),
        (Some(81), "hello_twice"),
        (Some(82), "message_invalid"),
        (Some(83), "message_invalid"),
        (Some(84), "message_invalid"),
        (None, "message_invalid"),
        (None, "message_invalid"),
    ];
    assert_eq!(errors, expected);
    world.stop().await;
}

#[tokio::test]
async fn a_player_may_look_at_their_own_neighbourhood_only() {
    let world = World::open().await;
    let crowd = world.crowd((0..12).map(|n| format!("eater {n:02}"))).await;
    let game = crowd[0].hosts(&challenge()).await;
    for player in &crowd {
        player.joins(game).await;
    }
    let mut viewer = silent(&world.node).await;
    let around = Watch { window: Window::Around, ..watch(game) };
    viewer.hello(Some(&crowd[5].token), vec![around]).await;
    viewer.sees("the own place", |model| model.me.is_some()).await;
    assert!(viewer.model.board().is_empty(), "no rows of the board");
    let me = viewer.model.me.as_ref().unwrap();
    let shown: Vec<_> = me.around.iter().map(|row| (row.rank, row.row.player)).collect();
    let expected: Vec<_> = crowd[2..=8].iter().map(|player| (1, player.id)).collect();
    assert_eq!((me.rank, shown), (1, expected), "three above, three below, all of them equal");
    crowd[11].leaves(game).await;
    viewer.sees("the count", |model| model.counts.players == 11).await;
    assert!(viewer.model.board().is_empty() && viewer.model.ticks == 1);
    world.stop().await;
}
