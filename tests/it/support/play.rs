//! Bigger words of play: games with other terms, whole days of meals, crowds, a referee who is seen to have looked, one
//! who is held up.

use chrono::{DateTime, Utc};
use lastbite::{
    journal::{self, StreamId},
    rules::Event,
};
use lastbite_protocol::{
    ChallengeId, MealId, Terms,
    rest::{Amounts, Challenge, ChallengeStatus, DayVerdict, EditMeal, MealOutcome, NewChallenge, Outcome, Page},
};
use serde_json::json;
use sqlx::{Postgres, Transaction};

use super::{Answer, Node, Player, World, challenge, dinner, lunch, until};

/// The usual challenge with some of its terms changed.
pub(crate) fn game(change: impl FnOnce(&mut Terms)) -> NewChallenge {
    let mut wish = challenge();
    change(&mut wish.terms);
    wish
}

/// An instant as UTC has it, `2026-03-08 07:00`.
pub(crate) fn utc(text: &str) -> DateTime<Utc> {
    let format = if text.len() > 16 { "%Y-%m-%d %H:%M:%S%.f" } else { "%Y-%m-%d %H:%M" };
    chrono::NaiveDateTime::parse_from_str(text, format).unwrap().and_utc()
}

impl Player {
    /// The same user, going to another server.
    pub(crate) fn at(&self, node: &Node) -> Self {
        let (nickname, token) = (self.nickname.clone(), self.token.clone());
        Self { id: self.id, nickname, api: node.api().with_token(&token), token }
    }

    /// Logs a lunch and a dinner that keep the day with 91 points. The clock has to be past the dinner.
    pub(crate) async fn keeps(&self, date: &str) {
        self.logs(&lunch(date, 700)).await;
        self.logs(&dinner(date, 800)).await;
    }

    pub(crate) async fn tries_to_edit(&self, meal: MealId, change: &EditMeal) -> Answer {
        self.api.patch(&format!("/api/v1/meals/{meal}"), &json!(change)).await
    }

    pub(crate) async fn edits(&self, meal: MealId, change: &EditMeal) -> MealOutcome {
        self.tries_to_edit(meal, change).await.ok(200)
    }

    /// Their own verdicts, day by day.
    pub(crate) async fn verdicts(&self, challenge: ChallengeId) -> Vec<DayVerdict> {
        let path = format!("/api/v1/challenges/{challenge}/players/me/verdicts");
        self.api.get(&path).await.ok::<Page<DayVerdict>>(200).items
    }
}

/// Names for a crowd: `crowd_1` and so on.
pub(crate) fn names(count: usize) -> impl Iterator<Item = String> {
    (1..=count).map(|number| format!("crowd_{number}"))
}

/// A change of the energy alone.
pub(crate) fn energy(energy_kcal: u32) -> EditMeal {
    let amounts = Amounts { energy_kcal, carbohydrate_mg: None, protein_mg: None, fat_mg: None };
    EditMeal { amounts: Some(amounts), ..EditMeal::default() }
}

impl World {
    /// Seats a crowd at once: one transaction, an event each, as the journal has it.
    pub(crate) async fn seats(&self, players: &[Player], challenge: ChallengeId, lives: u8) {
        let tx = self.node.app.db.judge.begin().await.unwrap();
        let mut journal = journal::lock(tx, [StreamId::Challenge(challenge)]).await.unwrap();
        sqlx::query("update challenges set seats_taken = seats_taken + $2 where id = $1")
            .bind(challenge.0)
            .bind(i32::try_from(players.len()).unwrap())
            .execute(&mut *journal.tx)
            .await
            .unwrap();
        let joined = |player: &Player| Event::Joined { player: player.id, nickname: player.nickname.clone(), lives };
        let joined = players.iter().map(joined).collect();
        journal.append(StreamId::Challenge(challenge), self.clock.now(), joined).await.unwrap();
        journal.commit(&self.node.app.bus).await.unwrap();
    }

    pub(crate) async fn reads(&self, challenge: ChallengeId) -> Challenge {
        self.api().get(&format!("/api/v1/challenges/{challenge}")).await.ok(200)
    }

    pub(crate) async fn outcomes(&self, challenge: ChallengeId, query: &str) -> Page<Outcome> {
        self.api().get(&format!("/api/v1/challenges/{challenge}/outcomes?{query}")).await.ok(200)
    }

    /// Waits until the referee has looked around at this time of the clock, with whatever it finds to do or not. `host`
    /// makes challenges that are due at once and that nobody joins; when the second of them is called off, the referee
    /// has begun to look anew after it was done with the first.
    pub(crate) async fn referee_has_looked(&self, host: &Player) {
        for _ in 0..2 {
            let first_day = (self.clock.now() + chrono::TimeDelta::days(3)).date_naive();
            let bell = host.hosts(&game(|terms| (terms.first_day, terms.min_players) = (first_day, 2))).await;
            sqlx::query("update rounds set starts_at = $2 where challenge_id = $1 and day = 1")
                .bind(bell.0)
                .bind(self.clock.now())
                .execute(&self.db)
                .await
                .unwrap();
            until("the bell rings", || async {
                (self.reads(bell).await.status == ChallengeStatus::Cancelled).then_some(())
            })
            .await;
        }
    }

    /// Keeps the referee away from a challenge until the answer is dropped, as a server that is stuck would.
    pub(crate) async fn holds_up_the_referee(&self, challenge: ChallengeId) -> Transaction<'static, Postgres> {
        let mut tx = self.db.begin().await.unwrap();
        sqlx::query("select from rounds where challenge_id = $1 for update")
            .bind(challenge.0)
            .execute(&mut *tx)
            .await
            .unwrap();
        tx
    }

    /// Stops the server and leaves the world without one.
    pub(crate) async fn goes_down(&mut self) {
        self.node.stopping().await.unwrap().unwrap();
    }

    /// Starts a server again after [`World::goes_down`].
    pub(crate) async fn comes_up(&mut self) {
        self.node = self.another_node().await;
    }
}
