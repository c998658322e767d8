//! Coming back: a viewer names the number it has seen, and gets what it missed and nothing twice.

use lastbite::{
    journal::{self, StreamId},
    rules::Event,
};
use lastbite_protocol::{
    ChallengeId, Stream,
    socket::{Watch, Window},
};

use crate::support::{Player, Viewer, World, challenge, facts, lunch, seoul, viewer};

/// Comes and goes, so that the stream of an open challenge grows by two.
async fn comes_and_goes(player: &Player, game: ChallengeId) {
    player.joins(game).await;
    player.leaves(game).await;
}

async fn last_n(world: &World, game: ChallengeId) -> u64 {
    journal::last_numbers(&world.db, &[game.0]).await.unwrap()[0].1
}

#[tokio::test]
async fn after_a_cut_exactly_the_missing_ticks_come() {
    let world = World::open().await;
    let crowd = world.crowd(["mina", "jun", "sora"].map(str::to_owned)).await;
    let game = crowd[0].hosts(&challenge()).await;
    let mut steady = world.spectator(game).await;
    let mut viewer = world.spectator(game).await;
    crowd[0].joins(game).await;
    viewer.sees("mina", |board| board.n == Some(1)).await;
    for (player, n) in [(&crowd[1], 2), (&crowd[2], 3)] {
        player.joins(game).await;
        steady.sees("the next", |board| board.n == Some(n)).await;
    }
    let texts = viewer.texts.len();
    viewer.comes_back_to(world.node.address, game).await;
    viewer.sees("all three", |board| board.n == Some(3)).await;
    assert_eq!((viewer.model.snapshots, viewer.model.ticks), (1, 3), "{:?}", &viewer.texts[texts..]);
    assert_eq!(facts::heard(&viewer.model.events), [1, 2, 3]);
    facts::assert_board_is_true(&viewer.model, &world.db, game).await;

    // Who has missed nothing gets nothing, until something happens.
    viewer.comes_back_to(world.node.address, game).await;
    crowd[2].leaves(game).await;
    viewer.sees("sora leaves", |board| board.n == Some(4)).await;
    assert_eq!((viewer.model.snapshots, viewer.model.ticks), (1, 4));
    facts::assert_board_is_true(&viewer.model, &world.db, game).await;
    world.stop().await;
}

#[tokio::test]
async fn when_the_ticks_are_forgotten_the_events_come_from_the_journal_and_then_a_board() {
    let world = World::open().await;
    let crowd = world.crowd(["mina", "jun"].map(str::to_owned)).await;
    let game = crowd[0].hosts(&challenge()).await;
    let mut viewer = world.spectator(game).await;
    crowd[0].joins(game).await;
    viewer.sees("mina", |board| board.n == Some(1)).await;
    for _ in 0..10 {
        comes_and_goes(&crowd[1], game).await;
    }
    crowd[1].joins(game).await;
    // A server whose room opens only now remembers no tick.
    let other = world.another_node().await;
    viewer.comes_back_to(other.address, game).await;
    viewer.sees("a new board", |board| board.snapshots == 2).await;
    assert_eq!(facts::heard(&viewer.model.events), (1..=22).collect::<Vec<_>>(), "every event once, in order");
    let kinds: Vec<_> = viewer.texts.iter().filter_map(|text| text.split('"').nth(3)).collect();
    let [.., tick, snapshot] = kinds[..kinds.iter().rposition(|kind| *kind == "snapshot").unwrap() + 1] else {
        panic!("{kinds:?}")
    };
    assert_eq!((tick, snapshot), ("tick", "snapshot"), "the events are told before the board replaces the rows");
    facts::assert_board_is_true(&viewer.model, &world.db, game).await;
    other.stop().await;
    world.stop().await;
}

/// A thousand and more joins at once, written by the journal itself.
async fn a_crowd_joins(world: &World, game: ChallengeId, crowd: &[Player]) {
    let app = &world.node.app;
    let (tx, stream) = (app.db.api.begin().await.unwrap(), StreamId::Challenge(game));
    let mut journal = journal::lock(tx, [stream]).await.unwrap();
    let joined = |player: &Player| Event::Joined { player: player.id, nickname: player.nickname.clone(), lives: 1 };
    journal.append(stream, app.clock.now(), crowd.iter().map(joined).collect()).await.unwrap();
    journal.commit(&app.bus).await.unwrap();
}

#[tokio::test]
async fn a_thousand_events_at_once_come_whole_to_who_is_there_and_to_who_was_away() {
    let world = World::open().await;
    // Names as long as may be, so that the frames are as large as can be.
    let crowd = world.crowd((0..1_200).map(|n| format!("{n:04}{}", "먹".repeat(46)))).await;
    let game = crowd[0].hosts(&challenge()).await;
    let mut steady = world.spectator(game).await;
    a_crowd_joins(&world, game, &crowd).await;
    let other = world.another_node().await;
    // It has seen the board when it was empty, and nothing since.
    let mut back = Viewer::watch(other.address, None, game, Some(0)).await;
    back.sees("a board", |board| board.snapshots == 1).await;
    steady.sees("the same", |board| board.n == Some(1_200)).await;
    for viewer in [&back, &steady] {
        assert_eq!(facts::heard(&viewer.model.events), (1..=1_200).collect::<Vec<_>>());
        facts::assert_board_is_true(&viewer.model, &world.db, game).await;
        let largest = viewer.texts.iter().map(String::len).max().unwrap();
        assert!(largest <= 64 * 1024, "no frame is larger than 64 KiB: {largest}");
    }
    other.stop().await;
    world.stop().await;
}

#[tokio::test]
async fn a_number_from_the_future_gets_a_board() {
    let world = World::open().await;
    let mina = world.user("mina").await;
    let game = mina.hosts(&challenge()).await;
    mina.joins(game).await;
    for n in [2, 1_000_000, u64::MAX] {
        let mut viewer = Viewer::on(viewer::connect(world.node.address).await);
        viewer.hello(None, vec![Watch { stream: Stream::Challenge(game), n: Some(n), window: Window::Top }]).await;
        viewer.sees("a board", |board| board.snapshots == 1).await;
        assert_eq!(viewer.model.n, Some(1));
        facts::assert_board_is_true(&viewer.model, &world.db, game).await;
    }
    world.stop().await;
}

#[tokio::test]
async fn who_moves_to_a_server_that_is_behind_does_not_go_back_in_time() {
    let world = World::open().await;
    let crowd = world.crowd(["mina", "jun"].map(str::to_owned)).await;
    let game = crowd[0].hosts(&challenge()).await;
    let other = world.another_node().await;
    // The other server has its room open and hears no news: it is behind until it looks for itself.
    let _keeps_it_open = other.spectator(game).await;
    let mut viewer = world.spectator(game).await;
    for _ in 0..5 {
        comes_and_goes(&crowd[1], game).await;
        let n = last_n(&world, game).await;
        viewer.sees("the newest", |board| board.n == Some(n)).await;
        // The model of a viewer fails when a board goes back, or an event comes twice.
        viewer.comes_back_to(other.address, game).await;
        crowd[0].joins(game).await;
        let n = last_n(&world, game).await;
        viewer.sees("the next, over there", |board| board.n == Some(n)).await;
        crowd[0].leaves(game).await;
        viewer.comes_back_to(world.node.address, game).await;
        let n = last_n(&world, game).await;
        viewer.sees("the last, back here", |board| board.n == Some(n)).await;
    }
    assert_eq!(facts::heard(&viewer.model.events), (1..=20).collect::<Vec<_>>());
    facts::assert_board_is_true(&viewer.model, &world.db, game).await;
    other.stop().await;
    world.stop().await;
}

#[tokio::test]
async fn a_server_that_hears_no_news_finds_them_by_itself() {
    let world = World::open().await;
    let crowd = world.crowd((0..60).map(|n| format!("eater {n:02}"))).await;
    let game = crowd[0].hosts(&challenge()).await;
    let other = world.another_node().await;
    let mut deaf = other.spectator(game).await;
    let mut near = world.spectator(game).await;
    for player in &crowd {
        player.joins(game).await;
    }
    world.referee_at(seoul("2026-03-02 13:00")).await;
    for player in crowd.iter().step_by(3) {
        player.logs(&lunch("2026-03-02", 700)).await;
    }
    let n = last_n(&world, game).await;
    for viewer in [&mut deaf, &mut near] {
        viewer.sees("the newest", |board| board.n == Some(n)).await;
        assert_eq!(viewer.model.snapshots, 1, "nobody needed a second board");
        let told = facts::told(&facts::journal(&world.db, game.0).await, 0);
        assert_eq!(facts::heard(&viewer.model.events), told);
        facts::assert_board_is_true(&viewer.model, &world.db, game).await;
    }
    other.stop().await;
    world.stop().await;
}
