//! However many watch, from whenever on: all of them show the same board, which is the database's.

use futures_util::{StreamExt, future::join_all, stream};
use lastbite::{
    bus::News,
    journal::{self, StreamId},
    rules::Event,
};
use lastbite_protocol::{
    ChallengeId, Stream,
    socket::{ClientMessage, Window},
};

use crate::support::{Player, Viewer, World, challenge, facts, lunch, meal, seoul};

const DATE: &str = "2026-03-02";

/// Players in the middle of a day in which every meal counts.
async fn at_noon(world: &World, players: usize) -> (Vec<Player>, ChallengeId) {
    let crowd = world.crowd((0..players).map(|n| format!("eater {n:03}"))).await;
    let game = crowd[0].hosts(&challenge()).await;
    at_once(crowd.iter().map(|player| player.joins(game))).await;
    world.referee_at(seoul("2026-03-02 14:00")).await;
    (crowd, game)
}

/// A few at a time, as many as a small server does without letting anybody wait.
async fn at_once<F: Future>(actions: impl IntoIterator<Item = F>) {
    stream::iter(actions).buffer_unordered(6).for_each(|_| async {}).await;
}

/// Eats, thinks better of it, eats again and again: the board moves with each step.
async fn eats(player: &Player, rounds: u32) {
    for round in 0..rounds {
        let first = player.logs(&lunch(DATE, 600 + round)).await;
        player.logs(&meal(lastbite_protocol::rest::MealKind::Breakfast, "2026-03-02 08:00", 300)).await;
        if round + 1 < rounds {
            player.deletes(first.meal.id).await;
        }
    }
}

async fn joins_at_some_moment(world: &World, game: ChallengeId, late: usize) -> Viewer {
    let mut steady = world.spectator(game).await;
    let begun = steady.model.n;
    steady.sees("some of it", |board| board.n >= begun.map(|n| n + late as u64)).await;
    // Its own first moment is wherever the stream is now.
    world.spectator(game).await
}

#[tokio::test]
async fn twenty_who_come_while_meals_fly_in_end_with_the_same_board() {
    let world = World::open().await;
    let (crowd, game) = at_noon(&world, 70).await;
    let eating = at_once(crowd.iter().enumerate().map(|(n, player)| eats(player, 1 + u32::from(n % 3 == 0) * 2)));
    let watching = join_all((0..20).map(|n| joins_at_some_moment(&world, game, 1 + n * 4)));
    let (_, mut viewers) = tokio::join!(eating, watching);
    let n = facts::journal(&world.db, game.0).await.len() as u64;
    for viewer in &mut viewers {
        viewer.sees("the last number", |board| board.n == Some(n)).await;
        assert_eq!(viewer.model.snapshots, 1);
        facts::assert_board_is_true(&viewer.model, &world.db, game).await;
    }
    let joined: std::collections::BTreeSet<_> = viewers.iter().map(|viewer| viewer.model.ticks).collect();
    assert!(joined.len() > 1, "they came at different moments: {joined:?}");
    world.stop().await;
}

#[tokio::test]
async fn however_fast_it_moves_a_board_ticks_ten_times_a_second_at_most() {
    let world = World::open().await;
    let (crowd, game) = at_noon(&world, 30).await;
    let mut viewer = world.spectator(game).await;
    let (begun, before) = (std::time::Instant::now(), viewer.model.ticks);
    viewer.reads_during(at_once(crowd.iter().map(|player| eats(player, 4)))).await;
    let n = facts::journal(&world.db, game.0).await.len() as u64;
    viewer.sees("the last number", |board| board.n == Some(n)).await;
    let (ticks, most) = (viewer.model.ticks - before, begun.elapsed().as_millis() / 100 + 2);
    assert!(ticks > 1 && ticks as u128 <= most, "{ticks} ticks, {most} allowed");
    world.stop().await;
}

#[tokio::test]
async fn what_is_rolled_back_is_told_to_nobody() {
    let world = World::open().await;
    let mina = world.user("mina").await;
    let game = mina.hosts(&challenge()).await;
    let mut news = world.node.app.bus.subscribe(game.0);
    let joined = |nickname: &str| Event::Joined { player: mina.id, nickname: nickname.to_owned(), lives: 2 };
    for (nickname, is_kept) in [("nobody", false), ("mina", true)] {
        let tx = world.node.app.db.judge.begin().await.unwrap();
        let mut journal = journal::lock(tx, [StreamId::Challenge(game)]).await.unwrap();
        let at = world.clock.now();
        assert_eq!(journal.append(StreamId::Challenge(game), at, vec![joined(nickname)]).await.unwrap(), 1);
        if is_kept {
            journal.commit(&world.node.app.bus).await.unwrap();
        }
    }
    let News::Batch(first) = news.next().await else { panic!("nothing was lost") };
    assert_eq!(first.events[0].event, joined("mina"));
    assert_eq!(facts::journal(&world.db, game.0).await.len(), 1);
    world.stop().await;
}

#[tokio::test]
async fn another_window_gets_a_whole_board_of_its_own() {
    let world = World::open().await;
    let (crowd, game) = at_noon(&world, 3).await;
    let mut viewer = world.spectator(game).await;
    let stream = Stream::Challenge(game);
    for (id, window, rows) in [(90, Window::Around, 0), (91, Window::Top, 3)] {
        let (n, snapshots) = (viewer.model.n, viewer.model.snapshots);
        viewer.says(&ClientMessage::Watch { id, stream, n, window }).await;
        viewer.sees("a board of that window", |model| model.snapshots > snapshots).await;
        assert_eq!(viewer.model.board().len(), rows);
    }
    crowd[0].logs(&lunch(DATE, 600)).await;
    viewer.sees("the row", |board| board.row(crowd[0].id).is_some_and(|row| row.points == 30)).await;
    world.stop().await;
}

#[tokio::test]
async fn the_stored_standings_are_what_the_journal_says() {
    let world = World::open().await;
    let (crowd, game) = at_noon(&world, 12).await;
    at_once(crowd.iter().map(|player| eats(player, 2))).await;
    crowd[3].leaves(game).await;
    world.referee_at(seoul("2026-03-05 02:00")).await;
    let events = facts::journal(&world.db, game.0).await;
    assert_eq!(facts::replay(&events), facts::standings(&world.db, game).await);
    let late = world.spectator(game).await;
    facts::assert_board_is_true(&late.model, &world.db, game).await;
    world.stop().await;
}
