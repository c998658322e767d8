//! The story that `lastbite demo` plays: a field of simulated players goes through a challenge whose days pass in
//! seconds, through the same HTTP API as everybody.
//!
//! Who eats what is decided by [`plan`], a pure function of the seed; this file only brings the plan to the server at
//! the right moment of the clock of play and tells in the log how it goes. It looks into nothing but the API's answers.
//!
//! - [`plan`]: what every player does on every day
//! - [`dishes`], [`people`], [`plates`]: what they eat, what they are called, what their photos show
//! - [`api`]: requests with retries

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use anyhow::{Context as _, bail, ensure};
use chrono::{DateTime, Datelike as _, Days, NaiveDate, TimeDelta, Utc};
use chrono_tz::Tz;
use lastbite_protocol::{
    ChallengeId, MealId, Requirement, Standing, Status, Terms, WallTime,
    rest::{
        Amounts, ChallengeStatus, EditMeal, Judged, Language, MealEffect, NewChallenge, NewMeal, Outcome, Register,
    },
    terms::defaults,
    terms::{OneLeft, Windows},
};
use tokio::{
    sync::Semaphore,
    task::JoinSet,
    time::{Instant, MissedTickBehavior, interval, sleep},
};
use tracing::{info, warn};

use crate::clock::Clock;

pub mod api;
pub mod dishes;
pub mod people;
pub mod plan;
pub mod plates;

use api::{Api, CallError, Session};
use plan::{Change, PlannedMeal};
use plates::Plates;

const ZONE: Tz = Tz::Asia__Seoul;
const GRACE_MINUTES: u16 = 120;
/// Real seconds from the release of the clock to the first day: time to open the link.
const LEAD_SECONDS: i64 = 6;
const UPLOADS_AT_ONCE: usize = 16;
/// How often a verdict that is due is asked for.
const VERDICT_POLL: Duration = Duration::from_millis(200);
/// How long it may be overdue.
const VERDICT_PATIENCE: Duration = Duration::from_secs(60);
/// How many who are out are named in the log of a day.
const NAMES_TOLD: usize = 12;
/// For all simulated players, so that a visitor of the demo can sign in as one of them.
const PASSWORD: &str = "survive-the-week";

/// A story: the same numbers give the same one.
#[derive(Clone, Debug, PartialEq, Eq, clap::Args)]
pub struct Story {
    /// How many simulated players take part
    #[arg(long, default_value_t = 40, value_parser = clap::value_parser!(u32).range(2..=500))]
    pub players: u32,
    /// How many days are played
    #[arg(long, default_value_t = 7, value_parser = clap::value_parser!(u16).range(1..=60))]
    pub days: u16,
    /// How many real seconds a day of play takes
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(5..=3600))]
    pub day_seconds: u32,
    /// Which story: the same seed has the same meals and the same verdicts
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
}

impl Story {
    /// A clock that stands a few real seconds before the first day until it is released. The first day is the first
    /// Monday after `wall_now`, so that the sixth and the seventh day, when some players meet friends, are a weekend.
    #[must_use]
    pub fn clock(&self, wall_now: DateTime<Utc>) -> Clock {
        let today = wall_now.with_timezone(&ZONE).date_naive();
        let to_monday = 7 - u64::from(today.weekday().num_days_from_monday());
        let monday = today.checked_add_days(Days::new(to_monday)).unwrap_or(today);
        let rate = 24 * 60 * 60 / self.day_seconds;
        Clock::fast(instant(monday, WallTime::hour(0)) - lead(rate), rate)
    }

    /// Plays the story on the server at `base_url`, whose time of play is `clock`, as [`Story::clock`] made it. Calls
    /// `ready` when all have joined and the board can be watched, and lets the clock run.
    ///
    /// # Errors
    /// When the stage cannot be set, or the challenge does not come to its end. A single meal that fails is a warning.
    pub async fn play(&self, base_url: &str, clock: &Clock, ready: impl FnOnce(ChallengeId)) -> anyhow::Result<()> {
        let (plates, api) = (tokio::task::spawn_blocking(Plates::draw).await??, Api::new(base_url)?);
        let first_day = (clock.now() + lead(clock.rate())).with_timezone(&ZONE).date_naive();
        let players = self.register(&api).await?;
        let challenge = self.create(&api, &players, first_day).await?;
        let leaver = plan::leaver(self.seed, self.players, self.days);
        let stage = Arc::new(Stage {
            story: self.clone(),
            api,
            clock: clock.clone(),
            plates,
            challenge,
            first_day,
            leaver,
            uploads: Semaphore::new(UPLOADS_AT_ONCE),
        });
        ready(challenge);
        clock.release();
        info!(players = self.players, days = self.days, seed = self.seed, "the story begins");

        let mut lives = JoinSet::new();
        for player in &players {
            lives.spawn(stage.clone().live(player.clone()));
        }
        stage.tell(&players).await
        // The players' tasks end with `lives`: whatever they still wanted to log is past the last day.
    }

    /// All players with an account, one after the other: equal rows of the board are ordered by ids, and ids by time.
    async fn register(&self, api: &Api) -> anyhow::Result<Vec<Arc<Player>>> {
        let mut players = Vec::with_capacity(self.players as usize);
        for number in 0..self.players {
            let nickname = people::nickname(self.seed, number);
            let email = format!("player{}@demo.lastbite.example", number + 1);
            let (password, language) = (PASSWORD.to_owned(), Language::Ko);
            let wish =
                Register { email, password, nickname: nickname.clone(), at_least_14: true, language, device: None };
            let session = api.enter(&wish).await.context("registering the players")?;
            players.push(Arc::new(Player { number, nickname, session, out: AtomicBool::new(false) }));
        }
        Ok(players)
    }

    /// The challenge, hosted by the first player, joined by all.
    async fn create(&self, api: &Api, players: &[Arc<Player>], first_day: NaiveDate) -> anyhow::Result<ChallengeId> {
        let host = players.first().context("a story needs players")?;
        let wish = NewChallenge {
            title: format!("{}일의 생존 · {} days to survive", self.days, self.days),
            description: "모의 참가자들이 하루를 몇 초 만에 살아냅니다. Simulated players live a day in seconds."
                .to_owned(),
            terms: self.terms(first_day),
        };
        let challenge = api.create(&host.session, &wish).await.context("creating the challenge")?.id;
        for player in players {
            api.join(&player.session, challenge).await.with_context(|| format!("{} joining", player.nickname))?;
        }
        Ok(challenge)
    }

    fn terms(&self, first_day: NaiveDate) -> Terms {
        Terms {
            version: 1,
            zone: ZONE,
            first_day,
            days: self.days,
            day_starts_at: WallTime::hour(0),
            // One life a fortnight and one on top: the field thins out, and some are left.
            lives: (1 + self.days / 14) as u8,
            cheat_days_per_week: 1,
            grace_minutes: GRACE_MINUTES,
            one_left: OneLeft::PlayOn,
            seats: self.players,
            min_players: 2,
            requirements: vec![
                Requirement::Calories { target_kcal: plan::TARGET_KCAL, tolerance_kcal: plan::TOLERANCE_KCAL },
                Requirement::Meals {
                    at_least: plan::MEALS_AT_LEAST,
                    cutoff: defaults::cutoff(),
                    windows: Windows::default(),
                },
            ],
        }
    }
}

/// A simulated player.
#[derive(Debug)]
struct Player {
    number: u32,
    nickname: String,
    session: Session,
    /// Set when the server has said so; who is out puts the phone away.
    out: AtomicBool,
}

/// What all players share.
struct Stage {
    story: Story,
    api: Api,
    clock: Clock,
    plates: Plates,
    challenge: ChallengeId,
    first_day: NaiveDate,
    leaver: Option<(u32, u16, WallTime)>,
    /// How many uploads may be under way.
    uploads: Semaphore,
}

/// Something a player does, at a time of the day.
enum Act {
    /// Logs the day's meal of this place.
    Log(usize),
    /// Thinks again about it.
    Change(usize, Change),
    Leave,
}

impl Stage {
    /// All days of one player.
    async fn live(self: Arc<Self>, player: Arc<Player>) {
        for day in 1..=self.story.days {
            let meals = plan::day(self.story.seed, player.number, day);
            let mut logged: Vec<Option<MealId>> = vec![None; meals.len()];
            for (at, act) in self.acts(&player, day, &meals) {
                let at = instant(self.date(day), at);
                sleep(self.clock.until(at)).await;
                if player.out.load(Ordering::Relaxed) {
                    return;
                }
                let left = matches!(act, Act::Leave);
                if let Err(error) = self.act(&player, act, &meals, &mut logged, at).await {
                    warn!(player = player.nickname, day, %error, "this did not work");
                } else if left {
                    return;
                }
            }
        }
    }

    /// What a player does on a day, in the order of the clock.
    fn acts(&self, player: &Player, day: u16, meals: &[PlannedMeal]) -> Vec<(WallTime, Act)> {
        let mut acts = Vec::with_capacity(meals.len() + 2);
        for (place, meal) in meals.iter().enumerate() {
            acts.push((meal.eaten_at, Act::Log(place)));
            if let Some(thought) = meal.afterthought {
                acts.push((thought.at, Act::Change(place, thought.change)));
            }
        }
        if let Some((leaver, on, at)) = self.leaver
            && (leaver, on) == (player.number, day)
        {
            acts.push((at, Act::Leave));
        }
        acts.sort_by_key(|(at, _)| *at);
        acts
    }

    async fn act(
        &self,
        player: &Player,
        act: Act,
        meals: &[PlannedMeal],
        logged: &mut [Option<MealId>],
        at: DateTime<Utc>,
    ) -> anyhow::Result<()> {
        let _permit = self.uploads.acquire().await?;
        match act {
            Act::Log(place) => {
                let planned = &meals[place];
                let photo = planned.photo.map(|plate| self.plates.get(plate));
                let outcome = self.api.log(&player.session, &new_meal(planned, at), photo).await?;
                let in_time = |effect: &MealEffect| matches!(effect.judged, Judged::ForDay { .. });
                ensure!(
                    outcome.effects.iter().all(in_time),
                    "a meal came too late to be judged: this machine is too slow"
                );
                logged[place] = Some(outcome.meal.id);
            }
            Act::Change(place, change) => {
                // Without an id the meal itself could not be logged, and the log has said so.
                let Some(meal) = logged[place] else { return Ok(()) };
                match change {
                    Change::Correct { energy_kcal } => {
                        let change = EditMeal { amounts: Some(amounts(energy_kcal)), ..EditMeal::default() };
                        self.api.edit(&player.session, meal, &change).await?;
                    }
                    Change::Delete => {
                        self.api.delete(&player.session, meal).await?;
                    }
                }
            }
            Act::Leave => {
                self.api.leave(&player.session, self.challenge).await?;
                info!("{} leaves the game", player.nickname);
            }
        }
        Ok(())
    }

    /// Waits for every verdict and tells it, to the end.
    async fn tell(&self, players: &[Arc<Player>]) -> anyhow::Result<()> {
        let mut field: Vec<Seen> = players.iter().map(|player| Seen { player: player.clone(), days_kept: 0 }).collect();
        for day in 1..=self.story.days {
            let closes = instant(self.date(day + 1), WallTime::hour(0)) + TimeDelta::minutes(i64::from(GRACE_MINUTES));
            sleep(self.clock.until(closes)).await;
            let (mut kept, mut missed, mut out) = (0, 0, Vec::new());
            let mut still_in = Vec::with_capacity(field.len());
            for mut seen in field {
                let standing = self.judged(&seen.player, day).await?;
                if standing.status == Status::Left {
                    continue;
                }
                if standing.days_kept > seen.days_kept {
                    kept += 1;
                } else {
                    missed += 1;
                }
                seen.days_kept = standing.days_kept;
                if standing.status == Status::Eliminated {
                    seen.player.out.store(true, Ordering::Relaxed);
                    out.push(seen.player.nickname.clone());
                } else {
                    still_in.push(seen);
                }
            }
            field = still_in;
            let names = some_of(&out);
            info!("day {day} is over: {kept} kept it, {missed} missed it, out: {names}; {} still in", field.len());
            if field.is_empty() {
                break;
            }
        }
        self.tell_the_end(players).await
    }

    /// The player's standing when the day is judged.
    async fn judged(&self, player: &Player, day: u16) -> anyhow::Result<Standing> {
        let judged = |standing: &Standing| {
            standing.days_kept + standing.days_missed >= day
                || matches!(standing.status, Status::Eliminated | Status::Left)
        };
        let what = format!("the verdict of day {day} on {}", player.nickname);
        self.asked_until(&what, || async {
            let challenge = self.api.challenge(&player.session, self.challenge).await?;
            Ok(challenge.me.filter(judged))
        })
        .await
    }

    async fn tell_the_end(&self, players: &[Arc<Player>]) -> anyhow::Result<()> {
        let host = players.first().context("a story needs players")?;
        let status = self
            .asked_until("the end of the challenge", || async {
                let status = self.api.challenge(&host.session, self.challenge).await?.status;
                Ok(matches!(status, ChallengeStatus::Finished | ChallengeStatus::Cancelled).then_some(status))
            })
            .await?;
        ensure!(status == ChallengeStatus::Finished, "the challenge was cancelled");
        let best = self.api.best(&host.session, self.challenge).await?.items;
        let champions: Vec<&Outcome> = best.iter().filter(|outcome| outcome.champion).collect();
        let names = champions.iter().map(|it| it.row.nickname.as_str()).collect::<Vec<_>>().join(", ");
        match champions.as_slice() {
            [] => bail!("a finished challenge has champions"),
            [one] => info!("{names} has won with {} points and {} days kept", one.row.points, one.row.days_kept),
            [first, ..] => info!("{names} share the win with {} points each", first.row.points),
        }
        Ok(())
    }

    /// Asks at an interval until there is something, within the patience of the story.
    async fn asked_until<T, F>(&self, what: &str, mut ask: impl FnMut() -> F) -> anyhow::Result<T>
    where
        F: Future<Output = Result<Option<T>, CallError>>,
    {
        let patience_ends = Instant::now() + VERDICT_PATIENCE;
        let mut polls = interval(VERDICT_POLL);
        polls.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while Instant::now() < patience_ends {
            polls.tick().await;
            if let Some(found) = ask().await? {
                return Ok(found);
            }
        }
        bail!("waited {} s in vain for {what}", VERDICT_PATIENCE.as_secs())
    }

    /// The date of a day of the challenge.
    fn date(&self, day: u16) -> NaiveDate {
        self.first_day.checked_add_days(Days::new(u64::from(day) - 1)).unwrap_or(self.first_day)
    }
}

/// A player who is still in, and what the last verdicts came to.
struct Seen {
    player: Arc<Player>,
    days_kept: u16,
}

/// The names, as many as fit a line.
fn some_of(names: &[String]) -> String {
    match names {
        [] => "nobody".to_owned(),
        all if all.len() <= NAMES_TOLD => all.join(", "),
        many => format!("{} and {} more", many[..NAMES_TOLD].join(", "), many.len() - NAMES_TOLD),
    }
}

fn new_meal(planned: &PlannedMeal, eaten_at: DateTime<Utc>) -> NewMeal {
    let (kind, note) = (planned.kind, planned.note.clone());
    NewMeal {
        kind,
        eaten_at,
        zone: ZONE,
        note,
        items: Vec::new(),
        amounts: Some(amounts(planned.energy_kcal)),
        analysis: None,
    }
}

const fn amounts(energy_kcal: u32) -> Amounts {
    Amounts { energy_kcal, carbohydrate_mg: None, protein_mg: None, fat_mg: None }
}

/// A wall time of the story's zone. Seoul keeps one offset all year, so every wall time is one instant; read as UTC it
/// would still be one, which spares the story an error that cannot happen.
fn instant(date: NaiveDate, at: WallTime) -> DateTime<Utc> {
    let wall = date.and_time(chrono::NaiveTime::MIN) + TimeDelta::minutes(i64::from(at.minutes()));
    wall.and_local_timezone(ZONE).earliest().map_or_else(|| wall.and_utc(), |instant| instant.to_utc())
}

/// The time of play between the release of the clock and the first day.
fn lead(rate: u32) -> TimeDelta {
    TimeDelta::seconds(LEAD_SECONDS * i64::from(rate))
}

#[cfg(test)]
mod tests {
    use chrono::{Timelike as _, Weekday};

    use super::*;

    #[test]
    fn the_clock_stands_six_seconds_before_a_monday_in_seoul() {
        for day_seconds in [5, 20, 3600] {
            let story = Story { players: 40, days: 7, day_seconds, seed: 1 };
            let wall: DateTime<Utc> = "2026-11-23T01:30:00Z".parse().expect("a time");
            let clock = story.clock(wall);
            let first = (clock.now() + lead(clock.rate())).with_timezone(&ZONE);
            assert_eq!((first.weekday(), first.num_seconds_from_midnight()), (Weekday::Mon, 0));
            assert_eq!(clock.until(first.to_utc()), Duration::from_secs(6));
        }
    }
}
