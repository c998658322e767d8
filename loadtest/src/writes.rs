//! Meals logged one after the other by many clients at once: how many a second are kept, and how soon that is said.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use hdrhistogram::Histogram;
use lastbite_protocol::{
    meals::{Amounts, MealKind},
    rest::NewMeal,
};
use serde::Serialize;
use tokio::{task::JoinSet, time::Instant};

use crate::{
    Common,
    api::User,
    arrivals::{Quantiles, histogram},
    process,
    report::{Report, Table, Tell, per_second, say},
    stage::{self, ServerClock},
    stop::Stop,
    target::Target,
};

/// A diary holds no more within a day before and after.
const MEALS_OF_ACCOUNT_MAX: u32 = 20;

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Args {
    /// How many write at once
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=512))]
    clients: u32,
    /// How many accounts they write for, in turn; each takes 20 meals
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u32).range(1..=20_000))]
    accounts: u32,
    /// For how long at most
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=600))]
    seconds: u32,
}

#[derive(Debug, Serialize)]
struct Written {
    clients: u32,
    accounts: u32,
    seconds: f64,
    meals: u64,
    meals_per_second: f64,
    to_answer: Quantiles,
    server_cpu_seconds: Option<f64>,
}

/// What became of the meals.
struct Outcome {
    seconds: f64,
    to_answer: Histogram<u64>,
    errors: BTreeMap<String, u64>,
}

pub(crate) async fn run(common: &Common, wish: &Args, stop: Stop) -> anyhow::Result<()> {
    let target = Target::find(&common.url, common.i_own_this_server).await?;
    let clock = ServerClock::read(&target).await?;
    say(format_args!("registering {} accounts…", wish.accounts));
    let users = stage::register(&target, wish.accounts).await?;
    say(format_args!("{} clients write for at most {} s…", wish.clients, wish.seconds));
    let cpu = || common.server_pid.map(process::cpu_seconds).transpose();
    let before = cpu()?;
    let outcome = write(users, wish, &clock, &stop).await?;
    let server_cpu_seconds = cpu()?.zip(before).map(|(after, before)| after - before);
    let meals = outcome.to_answer.len();
    let report = Report {
        command: "writes",
        target: &target.url,
        finished_at: clock.now(),
        ended_early: stop.asked(),
        result: Written {
            clients: wish.clients,
            accounts: wish.accounts,
            seconds: outcome.seconds,
            meals,
            meals_per_second: per_second(meals, outcome.seconds),
            to_answer: (&outcome.to_answer).into(),
            server_cpu_seconds,
        },
        errors: outcome.errors,
    };
    report.publish(common.json.as_deref())
}

/// Each client takes the next account whenever it is answered, until all diaries are full or the time is up.
async fn write(users: Vec<User>, wish: &Args, clock: &ServerClock, stop: &Stop) -> anyhow::Result<Outcome> {
    let begun = Instant::now();
    let until = begun + Duration::from_secs(u64::from(wish.seconds));
    let most = users.len() * MEALS_OF_ACCOUNT_MAX as usize;
    let (users, next, eaten_at) = (Arc::new(users), Arc::new(AtomicUsize::new(0)), clock.now());
    let mut clients = JoinSet::new();
    for _ in 0..wish.clients {
        let (users, next, stop) = (Arc::clone(&users), Arc::clone(&next), stop.clone());
        let (mut to_answer, mut errors) = (histogram()?, BTreeMap::new());
        clients.spawn(async move {
            while Instant::now() < until && !stop.asked() {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= most {
                    break;
                }
                let sent = Instant::now();
                match users[number % users.len()].log(&meal(eaten_at)).await {
                    Ok(_) => to_answer.saturating_record(u64::try_from(sent.elapsed().as_micros()).unwrap_or(u64::MAX)),
                    Err(failure) => *errors.entry(failure.code).or_insert(0) += 1,
                }
            }
            (to_answer, errors)
        });
    }
    let (mut to_answer, mut errors) = (histogram()?, BTreeMap::new());
    while let Some(done) = clients.join_next().await {
        let (of_one, failed): (Histogram<u64>, BTreeMap<String, u64>) = done?;
        to_answer.add(of_one)?;
        for (code, count) in failed {
            *errors.entry(code).or_insert(0) += count;
        }
    }
    Ok(Outcome { seconds: begun.elapsed().as_secs_f64(), to_answer, errors })
}

/// As a phone sends one that was entered by hand.
fn meal(eaten_at: DateTime<Utc>) -> NewMeal {
    NewMeal {
        kind: MealKind::Lunch,
        eaten_at,
        zone: Tz::Asia__Seoul,
        note: "load test".to_owned(),
        items: Vec::new(),
        amounts: Some(Amounts {
            energy_kcal: 640,
            carbohydrate_mg: Some(88_000),
            protein_mg: Some(24_000),
            fat_mg: Some(21_000),
        }),
        analysis: None,
    }
}

impl Tell for Written {
    fn tell(&self, table: &mut Table) {
        table
            .line("written", format_args!("{} meals in {:.1} s by {} clients", self.meals, self.seconds, self.clients))
            .line("a second", format_args!("{:.1}", self.meals_per_second))
            .quantiles("to the answer", &self.to_answer);
        if let Some(cpu) = self.server_cpu_seconds {
            table.line("server CPU", format_args!("{cpu:.2} s"));
        }
    }
}
