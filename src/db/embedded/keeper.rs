//! The thread that starts the server and waits for its end. It is not what stops it: see `Cluster::signal_stop`.
//!
//! The kernel takes the end of the *thread* that started a child for the end of its parent, so this thread does nothing
//! else and lives as long as the server.

use std::{
    collections::VecDeque,
    io,
    io::{BufRead, BufReader},
    process::{ChildStderr, Command},
    thread,
    time::{Duration, Instant},
};

use tokio::sync::watch;

use super::POLL_INTERVAL;

/// How much of what the server said is told when it ends too early.
const LINES_MAX: usize = 10;

#[derive(Debug)]
pub(super) struct Keeper {
    /// None once its result was taken.
    thread: Option<thread::JoinHandle<String>>,
    ended: watch::Receiver<bool>,
}

impl Keeper {
    pub(super) fn start(command: Command) -> io::Result<Self> {
        let (ending, ended) = watch::channel(false);
        let thread = thread::Builder::new().name("postgres".to_owned()).spawn(move || {
            let last_words = keep(command);
            ending.send_replace(true);
            last_words
        })?;
        Ok(Self { thread: Some(thread), ended })
    }

    /// Tells when the server has ended, asked for or not.
    pub(super) fn watch(&self) -> watch::Receiver<bool> {
        self.ended.clone()
    }

    pub(super) fn has_ended(&self) -> bool {
        self.thread.as_ref().is_none_or(thread::JoinHandle::is_finished)
    }

    /// True when the server has ended in time.
    pub(super) fn wait(&self, timeout: Duration) -> bool {
        let deadline = Instant::now() + timeout;
        while !self.has_ended() && Instant::now() < deadline {
            thread::sleep(POLL_INTERVAL);
        }
        self.has_ended()
    }

    /// The last lines of its log, once it has ended.
    pub(super) fn last_words(&mut self) -> String {
        self.thread.take().and_then(|thread| thread.join().ok()).unwrap_or_default()
    }
}

fn keep(mut command: Command) -> String {
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(error) => return format!("{}: {error}", command.get_program().display()),
    };
    // Ends when the server and all its processes have closed their end.
    let last_lines = child.stderr.take().map(forward_log).unwrap_or_default();
    match child.wait() {
        Ok(status) if status.success() => tracing::debug!("the embedded Postgres has stopped"),
        Ok(status) => tracing::error!(%status, "the embedded Postgres has ended"),
        Err(error) => tracing::error!(%error, "the embedded Postgres is lost"),
    }
    Vec::from(last_lines).join("; ")
}

/// Errors are only worth a debug line here: whoever caused one has been told.
fn forward_log(stderr: ChildStderr) -> VecDeque<String> {
    let mut last_lines = VecDeque::with_capacity(LINES_MAX);
    for line in BufReader::new(stderr).split(b'\n').map_while(Result::ok) {
        let line = String::from_utf8_lossy(&line).into_owned();
        if line.starts_with("WARNING") || line.starts_with("PANIC") {
            tracing::warn!("postgres: {line}");
        } else {
            tracing::debug!("postgres: {line}");
        }
        if last_lines.len() == LINES_MAX {
            last_lines.pop_front();
        }
        last_lines.push_back(line);
    }
    last_lines
}
