//! The memory of the server for each socket that only watches: its resident set before, at every step, and at the end.

use anyhow::Context as _;
use lastbite_protocol::ChallengeId;
use serde::Serialize;
use tokio::time::{Duration, sleep};

use crate::{
    Common,
    crowd::Crowd,
    process,
    report::{Report, Table, Tell, say},
    stage::{self, ServerClock},
    stop::Stop,
    target::Target,
};

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Args {
    /// How many sockets in the end
    #[arg(long, default_value_t = 5000, value_parser = clap::value_parser!(u32).range(1..=15_000))]
    sockets: u32,
    /// In how many steps
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=100))]
    steps: u32,
    /// How long to wait after a step before the memory is read, in seconds
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u64).range(0..=600))]
    settle: u64,
    /// How many sockets may be opening at once
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=2000))]
    at_once: u32,
    /// Watches this challenge instead of making one
    #[arg(long, value_name = "UUID")]
    challenge: Option<ChallengeId>,
}

#[derive(Debug, Serialize)]
struct Idled {
    /// Sockets that were open, and the server's resident memory then.
    steps: Vec<Step>,
    /// Of the line through all steps (least squares).
    kib_per_socket: Option<f64>,
}

#[derive(Clone, Copy, Debug, Serialize)]
struct Step {
    sockets: u64,
    resident_kib: u64,
}

pub(crate) async fn run(common: &Common, wish: &Args, mut stop: Stop) -> anyhow::Result<()> {
    let pid = common.server_pid.context("name the server's process with --server-pid")?;
    let target = Target::find(&common.url, common.i_own_this_server).await?;
    process::ensure_descriptors(wish.sockets)?;
    let clock = ServerClock::read(&target).await?;
    let stream = stage::stream_to_watch(&target, wish.challenge).await?;
    let mut crowd = Crowd::new(target.clone(), stream, 0);
    let mut steps = vec![Step { sockets: 0, resident_kib: process::resident_kib(pid)? }];
    for step in 1..=wish.steps {
        let more = wish.sockets * step / wish.steps - wish.sockets * (step - 1) / wish.steps;
        let opening = crowd.open(more, wish.at_once, &mut stop).await?;
        tokio::select! {
            () = sleep(Duration::from_secs(wish.settle)) => {}
            () = stop.wait() => {}
        }
        if stop.asked() {
            break;
        }
        let now = Step { sockets: crowd.tally.read().live, resident_kib: process::resident_kib(pid)? };
        say(format_args!("{} sockets: {} KiB, {} given up", now.sockets, now.resident_kib, opening.given_up));
        steps.push(now);
    }
    let tally = crowd.tally.clone();
    crowd.gather(0, Duration::from_secs(5)).await;
    let report = Report {
        command: "idle",
        target: &target.url,
        finished_at: clock.now(),
        ended_early: stop.asked(),
        result: Idled { kib_per_socket: slope(&steps), steps },
        errors: tally.errors(),
    };
    report.publish(common.json.as_deref())
}

/// KiB a socket, by least squares; none without two different numbers of sockets.
fn slope(steps: &[Step]) -> Option<f64> {
    let count = steps.len() as f64;
    let mean = |of: fn(&Step) -> u64| steps.iter().map(|step| of(step) as f64).sum::<f64>() / count;
    let (sockets, memory) = (mean(|step| step.sockets), mean(|step| step.resident_kib));
    let (mut across, mut along) = (0.0, 0.0);
    for step in steps {
        let x = step.sockets as f64 - sockets;
        across += x * (step.resident_kib as f64 - memory);
        along += x * x;
    }
    (along > 0.0).then(|| across / along)
}

impl Tell for Idled {
    fn tell(&self, table: &mut Table) {
        for step in &self.steps {
            table.line(format!("{} sockets", step.sockets), format_args!("{} KiB", step.resident_kib));
        }
        if let Some(kib) = self.kib_per_socket {
            table.line("KiB for a socket", format_args!("{kib:.2}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slope_is_that_of_the_line() {
        let step = |sockets, resident_kib| Step { sockets, resident_kib };
        let found = slope(&[step(0, 1000), step(100, 1600), step(200, 2200)]).expect("a line");
        assert!((found - 6.0).abs() < 1e-9);
        assert_eq!(slope(&[step(0, 1000)]), None);
    }
}
