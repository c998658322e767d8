//! Games in which players, referee and clock do whatever the dice say, on two servers at once. Whatever they do, the books
//! agree in the end, and so does everybody who watched.

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::{StreamExt, stream};
use lastbite::demo::plan::Dice;
use lastbite_protocol::{
    ChallengeId, MealId, WallTime,
    rest::{ChallengeStatus, EditMeal, MealKind, MealOutcome, NewMeal},
};

use crate::support::{
    Node, Player, Viewer, World,
    books::{consistent, sees_the_truth},
    lunch,
    play::{energy, game, names},
    seoul, until,
};

const PLAYERS: usize = 24;
/// A day of play and a bit in steps of about five hours.
const STEPS: usize = 26;
const AT_ONCE: usize = 4;

#[tokio::test]
async fn a_random_game_1() {
    play(1).await;
}

#[tokio::test]
async fn a_random_game_2() {
    play(2).await;
}

#[tokio::test]
async fn a_random_game_3() {
    play(3).await;
}

/// A player with dice and the meals they remember.
struct Gambler {
    player: Player,
    dice: Dice,
    meals: Vec<MealId>,
}

async fn play(seed: u64) {
    let mut world = World::open().await;
    let host = world.user("host").await;
    let mut dice = Dice::thrown_for(seed, 0, 0);
    let games = open_games(&host, &mut dice).await;
    let crowd = world.crowd(names(PLAYERS)).await;
    let mut gamblers: Vec<_> = crowd
        .into_iter()
        .zip(1..)
        .map(|(player, number)| Gambler { player, dice: Dice::thrown_for(seed, number, 1), meals: Vec::new() })
        .collect();
    let mut second = world.another_node().await;
    let mut boards = Vec::new();
    for game in &games {
        boards.push(world.spectator(*game).await);
    }

    let mut now = seoul("2026-03-01 20:00");
    for step in 0..STEPS {
        now += TimeDelta::minutes(i64::from(dice.between(200, 400)));
        // Now and then the clock is set back a little before it goes on.
        let back = if dice.chance(15) { dice.between(1, 180) } else { 0 };
        world.time(now - TimeDelta::minutes(i64::from(back)));
        let nodes = [&world.node, &second];
        stream::iter(&mut gamblers)
            .for_each_concurrent(AT_ONCE, async |gambler| gambler.acts(&nodes, &games, world.clock.now()).await)
            .await;
        if step % 5 == 4 {
            for (board, game) in boards.iter_mut().zip(&games) {
                keeps_up(board, &world, *game).await;
            }
        }
        if step == STEPS / 2 {
            second.stop().await;
            second = world.another_node().await;
        } else if step == STEPS * 2 / 3 {
            world.goes_down().await;
            world.comes_up().await;
            for (board, game) in boards.iter_mut().zip(&games) {
                board.sees_the_end().await;
                board.comes_back_to(world.node.address, *game).await;
            }
        }
    }
    world.referee_at(seoul("2026-03-10 00:00")).await;
    let mut verdicts = 0;
    for (game, board) in games.iter().zip(&mut boards) {
        until("the end", || async {
            let status = world.reads(*game).await.status;
            matches!(status, ChallengeStatus::Finished | ChallengeStatus::Cancelled).then_some(())
        })
        .await;
        verdicts += consistent(&world, *game).await.verdicts.len();
        sees_the_truth(board, &world, *game).await;
    }
    assert!(verdicts > PLAYERS, "it was played in earnest: {verdicts} verdicts");
    second.stop().await;
    world.stop().await;
}

/// Whoever watches comes to what is in the journal now, whichever server has put it there.
async fn keeps_up(board: &mut Viewer, world: &World, game: ChallengeId) {
    let sql = "select last_n from streams where id = $1";
    let last: i64 = sqlx::query_scalar(sql).bind(game.0).fetch_one(&world.db).await.unwrap();
    board.sees("what has happened", |board| board.n >= u64::try_from(last).ok()).await;
}

/// Three games with different terms, all from the second of March.
async fn open_games(host: &Player, dice: &mut Dice) -> Vec<ChallengeId> {
    let zones = [chrono_tz::Asia::Seoul, chrono_tz::UTC, chrono_tz::Pacific::Kiritimati];
    let mut games = Vec::new();
    for zone in zones {
        let wish = game(|terms| {
            terms.zone = zone;
            terms.first_day = "2026-03-03".parse().unwrap();
            terms.days = 3;
            terms.lives = u8::try_from(dice.below(3)).unwrap();
            terms.grace_minutes = u16::try_from(dice.below(4) * 300).unwrap();
            terms.day_starts_at = WallTime::hour(u16::try_from(dice.below(4) * 2).unwrap());
            terms.seats = 16;
        });
        games.push(host.hosts(&wish).await);
    }
    games
}

impl Gambler {
    /// A few things by the dice. A refusal is fine; anything that is neither done nor refused is not.
    async fn acts(&mut self, nodes: &[&Node], games: &[ChallengeId], now: DateTime<Utc>) {
        for _ in 0..self.dice.between(1, 3) {
            let node = nodes[self.dice.below(2) as usize];
            let me = self.player.at(node);
            let answer = match self.dice.below(100) {
                0..15 => me.tries_to_join(self.one_of(games)).await,
                15..18 => {
                    let game = self.one_of(games);
                    me.api.delete(&format!("/api/v1/challenges/{game}/players/me")).await
                }
                18..70 => {
                    let answer = me.tries_to_log(&self.meal(now)).await;
                    if answer.status.is_success() {
                        self.meals.push(answer.ok::<MealOutcome>(201).meal.id);
                    }
                    answer
                }
                kind => {
                    let Some(meal) = self.remembered() else { continue };
                    match kind {
                        70..85 => me.tries_to_edit(meal, &energy(self.dice.below(1_200))).await,
                        85..92 => {
                            let eaten_at = now - TimeDelta::minutes(i64::from(self.dice.below(2_800)));
                            let moved = EditMeal { eaten_at: Some(eaten_at), ..EditMeal::default() };
                            me.tries_to_edit(meal, &moved).await
                        }
                        _ => me.api.delete(&format!("/api/v1/meals/{meal}")).await,
                    }
                }
            };
            let code = answer.status.as_u16();
            assert!(matches!(code, 200 | 201 | 404 | 409 | 422 | 503), "{answer:?}");
        }
    }

    fn one_of(&mut self, games: &[ChallengeId]) -> ChallengeId {
        games[self.dice.below(u32::try_from(games.len()).unwrap()) as usize]
    }

    fn remembered(&mut self) -> Option<MealId> {
        let count = u32::try_from(self.meals.len()).unwrap();
        (count > 0).then(|| self.meals[self.dice.below(count) as usize])
    }

    /// A meal of the last hours, mostly of a size that keeps days.
    fn meal(&mut self, now: DateTime<Utc>) -> NewMeal {
        let kinds = [MealKind::Breakfast, MealKind::Lunch, MealKind::Snack, MealKind::Dinner];
        let ago = if self.dice.chance(80) { 400 } else { 3_000 };
        let mut meal = lunch("2026-03-02", self.dice.between(6, 9) * 100);
        meal.kind = kinds[self.dice.below(4) as usize];
        meal.eaten_at = now + TimeDelta::minutes(1) - TimeDelta::minutes(i64::from(self.dice.below(ago)));
        meal
    }
}
