//! Log-ins at a steady rate, more than a server can hash: how many get in, how soon the others are told to come back.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use hdrhistogram::Histogram;
use serde::Serialize;
use tokio::{
    sync::Semaphore,
    task::JoinSet,
    time::{Instant, MissedTickBehavior, interval},
};

use crate::{
    Common,
    api::{Failure, User},
    arrivals::{Quantiles, histogram},
    process,
    report::{Report, Table, Tell, per_second, say},
    stage::{self, ServerClock},
    stop::Stop,
    target::Target,
};

/// How many log-ins may be under way; beyond that one is held back, and counted as such.
const IN_FLIGHT_MAX: usize = 2048;

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Args {
    /// Log-ins a second that are offered
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u32).range(1..=5000))]
    rate: u32,
    /// For how long
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=600))]
    seconds: u32,
    /// How many accounts log in, each from an address of its own
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=5000))]
    accounts: u32,
}

#[derive(Debug, Serialize)]
struct LoggedIn {
    accounts: u32,
    rate_wished: u32,
    seconds: f64,
    offered: u64,
    held_back: u64,
    logged_in: u64,
    logins_per_second: f64,
    /// Of those who got in.
    to_tokens: Quantiles,
    /// Of those who were told to come back.
    to_refusal: Quantiles,
    server_cpu_seconds: Option<f64>,
}

/// What became of the log-ins.
struct Offered {
    count: u64,
    held_back: u64,
    seconds: f64,
    to_tokens: Histogram<u64>,
    to_refusal: Histogram<u64>,
    errors: BTreeMap<String, u64>,
}

pub(crate) async fn run(common: &Common, wish: &Args, mut stop: Stop) -> anyhow::Result<()> {
    let target = Target::find(&common.url, common.i_own_this_server).await?;
    let clock = ServerClock::read(&target).await?;
    say(format_args!("registering {} accounts…", wish.accounts));
    let users = stage::register(&target, wish.accounts).await?;
    say(format_args!("{} log-ins a second for {} s…", wish.rate, wish.seconds));
    let cpu = || common.server_pid.map(process::cpu_seconds).transpose();
    let before = cpu()?;
    let offered = offer(&users, wish, &mut stop).await?;
    let server_cpu_seconds = cpu()?.zip(before).map(|(after, before)| after - before);
    let logged_in = offered.to_tokens.len();
    let report = Report {
        command: "logins",
        target: &target.url,
        finished_at: clock.now(),
        ended_early: stop.asked(),
        result: LoggedIn {
            accounts: wish.accounts,
            rate_wished: wish.rate,
            seconds: offered.seconds,
            offered: offered.count,
            held_back: offered.held_back,
            logged_in,
            logins_per_second: per_second(logged_in, offered.seconds),
            to_tokens: (&offered.to_tokens).into(),
            to_refusal: (&offered.to_refusal).into(),
            server_cpu_seconds,
        },
        errors: offered.errors,
    };
    report.publish(common.json.as_deref())
}

/// Each account in turn, at the wished rate. A slow answer never slows the rate.
async fn offer(users: &[User], wish: &Args, stop: &mut Stop) -> anyhow::Result<Offered> {
    let begun = Instant::now();
    let places = Arc::new(Semaphore::new(IN_FLIGHT_MAX));
    let mut under_way = JoinSet::new();
    let (mut count, mut held_back) = (0, 0);
    let mut pace = interval(Duration::from_secs(1) / wish.rate);
    pace.set_missed_tick_behavior(MissedTickBehavior::Burst);
    for user in users.iter().cycle().take((wish.rate * wish.seconds) as usize) {
        tokio::select! {
            _ = pace.tick() => {}
            () = stop.wait() => break,
        }
        count += 1;
        let Ok(place) = Arc::clone(&places).try_acquire_owned() else {
            held_back += 1;
            continue;
        };
        let user = user.clone();
        under_way.spawn(async move {
            let sent = Instant::now();
            let answer = user.log_in().await;
            drop(place);
            (sent.elapsed(), answer)
        });
    }
    let (mut to_tokens, mut to_refusal, mut errors) = (histogram()?, histogram()?, BTreeMap::new());
    while let Some(done) = under_way.join_next().await {
        let (took, answer): (Duration, Result<(), Failure>) = done?;
        let took_us = u64::try_from(took.as_micros())?.max(1);
        match answer {
            Ok(()) => to_tokens.saturating_record(took_us),
            Err(failure) => {
                to_refusal.saturating_record(took_us);
                *errors.entry(failure.code).or_insert(0) += 1;
            }
        }
    }
    Ok(Offered { count, held_back, seconds: begun.elapsed().as_secs_f64(), to_tokens, to_refusal, errors })
}

impl Tell for LoggedIn {
    fn tell(&self, table: &mut Table) {
        let Self { offered, seconds, held_back, logged_in, .. } = self;
        table
            .line("offered", format_args!("{offered} in {seconds:.1} s, {held_back} held back"))
            .line("logged in", format_args!("{logged_in}, {:.1} a second", self.logins_per_second))
            .quantiles("to tokens", &self.to_tokens)
            .quantiles("to a refusal", &self.to_refusal);
        if let Some(cpu) = self.server_cpu_seconds {
            table.line("server CPU", format_args!("{cpu:.2} s"));
        }
    }
}
