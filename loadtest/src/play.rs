//! Meals from players, and how long each takes to every spectator's screen.
//!
//! Each player in turn logs a feast, which is more than a day may have, and takes it back the next time: every write moves
//! a row of the board. The time of a write runs from the beginning of its request to the arrival, at each spectator, of the first message
//! that brings the stream to the number in the meal's answer, or beyond. So it holds the write, the commit, the wait for
//! the room's next tick, the fan-out and the reading; and of this program's own work what falls between.

use std::{sync::Arc, time::Duration};

use chrono::TimeDelta;
use lastbite_protocol::{
    ChallengeId, MealId, Stream,
    rest::{Amounts, MealKind, NewMeal},
};
use serde::Serialize;
use tokio::{
    sync::{Mutex, OwnedMutexGuard, Semaphore},
    task::JoinSet,
    time::{Instant, MissedTickBehavior, interval},
};

use crate::{
    Common,
    api::{Failure, User},
    arrivals::{self, Posted, Quantiles, histogram},
    crowd::{Counts, Crowd, Opening},
    process,
    report::{Report, Table, Tell, per_second, say},
    stage::{self, ServerClock},
    start::{self, Start},
    stop::Stop,
    target::Target,
};

/// How many requests may be under way; beyond that a meal is held back, and counted as such.
const IN_FLIGHT_MAX: usize = 512;
/// A server sends at most ten ticks a second; the rest is for snapshots.
const ARRIVALS_PER_SECOND: usize = 12;
/// A little under what a server takes of one player in a day, deleted ones included.
const FEASTS_EACH_MAX: u64 = 280;
/// How long the last meal may take to the screens.
const SETTLE: Duration = Duration::from_secs(10);
const DAY_OPENS_LATE: Duration = Duration::from_secs(30);

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Args {
    /// How many players log meals
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=5000))]
    pub(crate) players: u32,
    /// How many sockets watch
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..=15_000))]
    pub(crate) spectators: u32,
    /// Meals a second, over all players
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=2000))]
    pub(crate) rate: u32,
    /// For how long
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=600))]
    pub(crate) seconds: u32,
    /// How many sockets may be opening at once
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=2000))]
    pub(crate) at_once: u32,
}

impl Default for Args {
    fn default() -> Self {
        Self { players: 50, spectators: 1000, rate: 50, seconds: 30, at_once: 100 }
    }
}

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct DeliveriesArgs {
    /// How many sockets watch
    #[arg(long, default_value_t = 5000, value_parser = clap::value_parser!(u32).range(1..=15_000))]
    spectators: u32,
    /// How many players log meals
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=5000))]
    players: u32,
    /// Meals a second; a room ticks at most ten times a second
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=2000))]
    rate: u32,
    /// For how long
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=600))]
    seconds: u32,
    /// How many sockets may be opening at once
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=2000))]
    at_once: u32,
}

impl From<DeliveriesArgs> for Args {
    fn from(wish: DeliveriesArgs) -> Self {
        let DeliveriesArgs { spectators, players, rate, seconds, at_once } = wish;
        Self { players, spectators, rate, seconds, at_once }
    }
}

/// What a run came to.
#[derive(Debug, Serialize)]
struct Played {
    players: u32,
    spectators: u32,
    rate_wished: u32,
    /// For how long meals were logged and taken back, to the last answer.
    seconds: f64,
    meals: u64,
    /// Those that changed how a player's day looks: all, or the run is not worth its figures.
    meals_that_moved: u64,
    /// Meals that were due while too many requests were under way, or the player's last one was, and so were not sent.
    held_back: u64,
    rest: Quantiles,
    upload_to_screen: Quantiles,
    /// Pairs of meal and screen of which nothing was seen.
    screens_missed: u64,
    /// One in so many meals was looked at for `upload_to_screen`.
    sampled_one_in: u64,
    ticks_per_second: f64,
    bytes_per_second: f64,
    /// Rows in a tick on average, as the first spectator saw them.
    rows_per_tick: f64,
    /// Messages while meals were logged.
    during: Counts,
    server_cpu_seconds: Option<f64>,
    server_cpu_seconds_per_million_ticks: Option<f64>,
}

/// What the players did.
struct Written {
    posted: Vec<Posted>,
    failures: Vec<Failure>,
    held_back: u64,
    seconds: f64,
}

pub(crate) async fn run(command: &str, common: &Common, wish: &Args, mut stop: Stop) -> anyhow::Result<()> {
    let target = Target::find(&common.url, common.i_own_this_server).await?;
    process::ensure_descriptors(wish.spectators + wish.players)?;
    let feasts_each = u64::from(wish.rate) * u64::from(wish.seconds) / u64::from(wish.players) / 2;
    anyhow::ensure!(
        feasts_each < FEASTS_EACH_MAX,
        "a diary takes {FEASTS_EACH_MAX} meals a day and this would be {feasts_each} for each player: take more players"
    );
    let clock = ServerClock::read(&target).await?;
    say(format_args!("registering {} players…", wish.players));
    let players = stage::register(&target, wish.players).await?;
    let start = soon(&clock, wish)?;
    let challenge = stage::challenge(&players, &start).await?;
    say(format_args!("the challenge begins at {} in {}", start.at, start.zone));

    let arrivals_max = wish.seconds as usize * ARRIVALS_PER_SECOND + 1000;
    let mut crowd = Crowd::new(target.clone(), Stream::Challenge(challenge), arrivals_max);
    let opening = crowd.open(wish.spectators, wish.at_once, &mut stop).await?;
    told(&opening);
    let patience = clock.until(start.at) + DAY_OPENS_LATE;
    say(format_args!("waiting up to {} s for the day to open…", patience.as_secs()));
    if !crowd.day_opens(patience, &mut stop).await {
        anyhow::ensure!(stop.asked(), "the day did not open in time; does the server's referee run?");
    }

    say(format_args!("{} meals a second for {} s…", wish.rate, wish.seconds));
    let cpu = || common.server_pid.map(process::cpu_seconds).transpose();
    let (cpu_before, before) = (cpu()?, crowd.tally.read());
    let writing = Writing { challenge, start, clock, epoch: crowd.epoch };
    let written = writing.write(&players, wish, &mut stop).await?;
    let (cpu_after, during) = (cpu()?, crowd.tally.read().since(before));

    let tally = crowd.tally.clone();
    let last = written.posted.iter().map(|posted| posted.n).max().unwrap_or(0);
    let screens = crowd.gather(last, SETTLE).await;
    for failure in &written.failures {
        tally.error(&failure.code);
    }
    let cpu_used = cpu_after.zip(cpu_before).map(|(after, before)| after - before);
    let report = Report {
        command,
        target: &target.url,
        finished_at: clock.now(),
        ended_early: stop.asked(),
        result: played(wish, opening.opened, written, &screens, during, cpu_used)?,
        errors: tally.errors(),
    };
    report.publish(common.json.as_deref())
}

/// A beginning that leaves time for joining and for the sockets.
fn soon(clock: &ServerClock, wish: &Args) -> anyhow::Result<Start> {
    let joining = TimeDelta::milliseconds(i64::from(wish.players) * 50 + i64::from(wish.spectators) * 3);
    let earliest = clock.now() + TimeDelta::seconds(10) + joining;
    start::choose(earliest).ok_or_else(|| anyhow::anyhow!("no zone has a morning now"))
}

fn told(opening: &Opening) {
    say(format_args!(
        "{} sockets open in {:.1} s, {} given up",
        opening.opened,
        opening.took.as_secs_f64(),
        opening.given_up
    ));
}

/// What a meal needs to know.
#[derive(Clone)]
struct Writing {
    challenge: ChallengeId,
    start: Start,
    clock: ServerClock,
    epoch: Instant,
}

impl Writing {
    /// Logs meals at the wished rate, each player in turn. A slow answer never slows the rate.
    async fn write(&self, players: &[User], wish: &Args, stop: &mut Stop) -> anyhow::Result<Written> {
        let begun = Instant::now();
        let in_flight = Arc::new(Semaphore::new(IN_FLIGHT_MAX));
        let mut pace = interval(Duration::from_secs(1) / wish.rate);
        pace.set_missed_tick_behavior(MissedTickBehavior::Burst);
        let mut under_way = JoinSet::new();
        let (mut posted, mut failures, mut held_back) = (Vec::new(), Vec::new(), 0);
        let mut take = |answer: Result<Posted, Failure>| match answer {
            Ok(meal) => posted.push(meal),
            Err(failure) => failures.push(failure),
        };
        let eaters: Vec<_> = players.iter().map(|player| (player, Arc::<Mutex<Option<MealId>>>::default())).collect();
        for (player, feast) in eaters.iter().cycle().take((wish.rate * wish.seconds) as usize) {
            tokio::select! {
                _ = pace.tick() => {}
                () = stop.wait() => break,
            }
            while let Some(answer) = under_way.try_join_next() {
                take(answer?);
            }
            let (Ok(permit), Ok(feast)) = (in_flight.clone().try_acquire_owned(), feast.clone().try_lock_owned())
            else {
                held_back += 1;
                continue;
            };
            let (writing, player) = (self.clone(), (*player).clone());
            under_way.spawn(async move {
                let answer = writing.turn(&player, feast).await;
                drop(permit);
                answer
            });
        }
        while let Some(answer) = under_way.join_next().await {
            take(answer?);
        }
        let seconds = begun.elapsed().as_secs_f64();
        Ok(Written { posted, failures, held_back, seconds })
    }

    /// A feast, or the end of the one before.
    async fn turn(&self, player: &User, mut feast: OwnedMutexGuard<Option<MealId>>) -> Result<Posted, Failure> {
        let amounts = Amounts { energy_kcal: stage::FEAST_KCAL, carbohydrate_mg: None, protein_mg: None, fat_mg: None };
        let (eaten_at, note) = (self.clock.now(), "load test".to_owned());
        let meal = NewMeal {
            kind: MealKind::Snack,
            eaten_at,
            zone: self.start.zone,
            note,
            items: Vec::new(),
            amounts: Some(amounts),
            analysis: None,
        };
        let sent = Instant::now();
        let outcome = match feast.take() {
            Some(eaten) => player.delete(eaten).await?,
            None => {
                let outcome = player.log(&meal).await?;
                *feast = Some(outcome.meal.id);
                outcome
            }
        };
        let answer_us = micros(sent.elapsed());
        let effect = outcome.effects.iter().find(|effect| effect.challenge == self.challenge);
        let n = effect.ok_or_else(|| Failure::named("meal without effect on the challenge"))?.n;
        Ok(Posted { n, sent_us: micros(sent - self.epoch), answer_us })
    }
}

fn played(
    wish: &Args,
    spectators: u32,
    written: Written,
    screens: &[Vec<arrivals::Arrival>],
    during: Counts,
    server_cpu_seconds: Option<f64>,
) -> anyhow::Result<Played> {
    let mut rest = histogram()?;
    for posted in &written.posted {
        rest.saturating_record(u64::from(posted.answer_us).max(1));
    }
    let meals = written.posted.len() as u64;
    // Whoever never saw a board was given up at the opening and is told as such, not as missed meals.
    let screens: Vec<Vec<arrivals::Arrival>> = screens.iter().filter(|seen| !seen.is_empty()).cloned().collect();
    // A meal that moved nothing answers with a number that was there before: every screen has it, and nothing is measured.
    let mut moved = written.posted;
    moved.sort_by_key(|posted| (posted.n, posted.sent_us));
    moved.dedup_by_key(|posted| posted.n);
    let meals_that_moved = moved.len() as u64;
    let joined = arrivals::join(moved, &screens)?;
    let million_ticks = during.ticks as f64 / 1e6;
    Ok(Played {
        players: wish.players,
        spectators,
        rate_wished: wish.rate,
        seconds: written.seconds,
        meals,
        meals_that_moved,
        held_back: written.held_back,
        rest: (&rest).into(),
        upload_to_screen: (&joined.latency).into(),
        screens_missed: joined.missing,
        sampled_one_in: joined.sampled_one_in,
        ticks_per_second: per_second(during.ticks, written.seconds),
        bytes_per_second: per_second(during.bytes, written.seconds),
        rows_per_tick: per_second(during.witness_rows, during.witness_ticks as f64),
        server_cpu_seconds,
        server_cpu_seconds_per_million_ticks: server_cpu_seconds
            .filter(|_| million_ticks > 0.0)
            .map(|seconds| seconds / million_ticks),
        during,
    })
}

impl Tell for Played {
    fn tell(&self, table: &mut Table) {
        let Self { during, .. } = self;
        table
            .line("spectators", self.spectators)
            .line("meals", format_args!("{} in {:.1} s, {} held back", self.meals, self.seconds, self.held_back))
            .line("of them moved the board", self.meals_that_moved)
            .quantiles("meal answered", &self.rest)
            .quantiles("upload → every screen", &self.upload_to_screen)
            .line("meals × screens unseen", self.screens_missed)
            .line("ticks delivered", format_args!("{} = {:.0} a second", during.ticks, self.ticks_per_second))
            .line("bytes delivered", format_args!("{:.2} MB a second", self.bytes_per_second / 1e6))
            .line("rows in a tick", format_args!("{:.1} on average", self.rows_per_tick))
            .line("gaps, resumes, resyncs", format_args!("{}, {}, {}", during.gaps, during.resumes, during.resyncs));
        if self.sampled_one_in > 1 {
            table.line("sampled", format_args!("one meal in {} for upload → screen", self.sampled_one_in));
        }
        if let Some(seconds) = self.server_cpu_seconds {
            table.line("server CPU", format_args!("{seconds:.2} s"));
        }
        if let Some(seconds) = self.server_cpu_seconds_per_million_ticks {
            table.line("CPU per million ticks", format_args!("{seconds:.2} s, the writing of meals included"));
        }
    }
}

fn micros(of: Duration) -> u32 {
    u32::try_from(of.as_micros()).unwrap_or(u32::MAX)
}
