//! Sockets a second, each with its upgrade, hello, welcome and first snapshot.

use lastbite_protocol::ChallengeId;
use serde::Serialize;
use tokio::time::Duration;

use crate::{
    Common,
    arrivals::Quantiles,
    crowd::Crowd,
    process,
    report::{Report, Table, Tell, per_second},
    stage::{self, ServerClock},
    stop::Stop,
    target::Target,
};

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Args {
    /// How many sockets
    #[arg(long, default_value_t = 5000, value_parser = clap::value_parser!(u32).range(1..=15_000))]
    sockets: u32,
    /// How many may be opening at once
    #[arg(long, default_value_t = 256, value_parser = clap::value_parser!(u32).range(1..=2000))]
    at_once: u32,
    /// Watches this challenge instead of making one
    #[arg(long, value_name = "UUID")]
    challenge: Option<ChallengeId>,
}

#[derive(Debug, Serialize)]
struct Connected {
    sockets: u32,
    given_up: u32,
    seconds: f64,
    sockets_per_second: f64,
    /// From a socket's first step to its `welcome`, tries again and pauses between them included.
    to_welcome: Quantiles,
    to_snapshot: Quantiles,
    server_cpu_seconds: Option<f64>,
}

pub(crate) async fn run(common: &Common, wish: &Args, mut stop: Stop) -> anyhow::Result<()> {
    let target = Target::find(&common.url, common.i_own_this_server).await?;
    process::ensure_descriptors(wish.sockets)?;
    let clock = ServerClock::read(&target).await?;
    let stream = stage::stream_to_watch(&target, wish.challenge).await?;
    let mut crowd = Crowd::new(target.clone(), stream, 0);
    let cpu = || common.server_pid.map(process::cpu_seconds).transpose();
    let before = cpu()?;
    let opening = crowd.open(wish.sockets, wish.at_once, &mut stop).await?;
    let server_cpu_seconds = cpu()?.zip(before).map(|(after, before)| after - before);
    let tally = crowd.tally.clone();
    crowd.gather(0, Duration::from_secs(5)).await;
    let seconds = opening.took.as_secs_f64();
    let report = Report {
        command: "connect",
        target: &target.url,
        finished_at: clock.now(),
        ended_early: stop.asked(),
        result: Connected {
            sockets: opening.opened,
            given_up: opening.given_up,
            seconds,
            sockets_per_second: per_second(opening.opened.into(), seconds),
            to_welcome: (&opening.welcome).into(),
            to_snapshot: (&opening.snapshot).into(),
            server_cpu_seconds,
        },
        errors: tally.errors(),
    };
    report.publish(common.json.as_deref())
}

impl Tell for Connected {
    fn tell(&self, table: &mut Table) {
        table
            .line("sockets", format_args!("{} in {:.2} s, {} given up", self.sockets, self.seconds, self.given_up))
            .line("sockets a second", format_args!("{:.0}", self.sockets_per_second))
            .quantiles("to welcome", &self.to_welcome)
            .quantiles("to the first snapshot", &self.to_snapshot);
        if let Some(seconds) = self.server_cpu_seconds {
            table.line("server CPU", format_args!("{seconds:.2} s"));
        }
    }
}
