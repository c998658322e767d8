//! However many watch, from whenever on: all of them show the same board, which is the database's.

use futures_util::{StreamExt, future::join_all, stream};
use lastbite_protocol::ChallengeId;

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
async fn the_stored_standings_are_what_the_journal_says() {
    let world = World::open().await;
    let (crowd, game) = at_noon(&world, 12).await;
    at_once(crowd.iter().map(|player| eats(player, 2))).await;
    crowd[3].leaves(game).await;
    world.referee_at(seoul("2026-03-05 02:00")).await;
    let journal = facts::journal(&world.db, game.0).await;
    assert_eq!(facts::replay(&journal), facts::standings(&world.db, game).await);
    let late = world.spectator(game).await;
    facts::assert_board_is_true(&late.model, &world.db, game).await;
    world.stop().await;
}
