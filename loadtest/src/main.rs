//! Players and spectators against a running Lastbite server: how long a meal takes to every screen, what a socket
//! costs, how fast they connect, how much is delivered.
//!
//! It knows the server by `lastbite-protocol` alone. It measures what a client sees, and reads `/proc` for what the
//! server used when it is told the server's process id.
//!
//! - [`target`]: which server, and from which addresses
//! - [`start`]: when and in which zone a challenge can begin soon
//! - [`api`]: the REST calls; [`stage`]: accounts and a challenge to measure with
//! - [`spectator`]: one socket; [`crowd`]: all of them; [`arrivals`]: from what they saw to latencies
//! - [`play`], [`idle`], [`connect`], [`logins`], [`timing`], [`writes`]: the commands
//! - [`process`]: what `/proc` says; [`report`]: the table and the JSON file

mod api;
mod arrivals;
mod connect;
mod crowd;
mod idle;
mod logins;
mod play;
mod process;
mod report;
mod spectator;
mod stage;
mod start;
mod stop;
mod target;
mod timing;
mod writes;

use std::{io::Write as _, path::PathBuf, process::ExitCode};

use clap::{Parser, Subcommand};

/// Load against a Lastbite server of your own.
#[derive(Debug, Parser)]
#[command(version)]
struct Args {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    common: Common,
}

/// What every command takes.
#[derive(Clone, Debug, clap::Args)]
struct Common {
    /// Where the server listens; plain HTTP only
    #[arg(long, global = true, default_value = "http://127.0.0.1:8080")]
    url: String,
    /// Needed for a target that is not this machine: load against a stranger's server is an attack
    #[arg(long, global = true)]
    i_own_this_server: bool,
    /// The server's process id on this machine, for its memory and CPU time
    #[arg(long, global = true)]
    server_pid: Option<u32>,
    /// Writes the result here as JSON, too
    #[arg(long, global = true, value_name = "FILE")]
    json: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Meals from players, and how long each takes to every spectator's screen (the default)
    Play(play::Args),
    /// Fan-out: few meals, many screens; deliveries a second, and their cost in CPU time
    Deliveries(play::DeliveriesArgs),
    /// The memory of the server for each socket that only watches; needs --server-pid
    Idle(idle::Args),
    /// Sockets a second, with hello and first snapshot
    Connect(connect::Args),
    /// Log-ins, more than can be hashed; how many get in, and how soon the others know
    Logins(logins::Args),
    /// Whether the time of an answer tells that an account exists
    Timing(timing::Args),
    /// Meals a second that many clients can have kept
    Writes(writes::Args),
}

#[tokio::main]
async fn main() -> ExitCode {
    // The client of HTTP asks for it, though here it speaks in plain text.
    let _already = rustls::crypto::ring::default_provider().install_default();
    match run(Args::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // A terminal that is gone cannot be told.
            drop(writeln!(std::io::stderr(), "error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

async fn run(args: Args) -> anyhow::Result<()> {
    let stop = stop::on_ctrl_c();
    let command = args.command.unwrap_or_else(|| Command::Play(play::Args::default()));
    match command {
        Command::Play(play) => Box::pin(play::run("play", &args.common, &play, stop)).await,
        Command::Deliveries(wish) => Box::pin(play::run("deliveries", &args.common, &wish.into(), stop)).await,
        Command::Idle(idle) => Box::pin(idle::run(&args.common, &idle, stop)).await,
        Command::Connect(connect) => Box::pin(connect::run(&args.common, &connect, stop)).await,
        Command::Logins(logins) => Box::pin(logins::run(&args.common, &logins, stop)).await,
        Command::Timing(timing) => Box::pin(timing::run(&args.common, &timing, stop)).await,
        Command::Writes(writes) => Box::pin(writes::run(&args.common, &writes, stop)).await,
    }
}
