//! All spectators of a run: opened in bounded numbers at once, counted together, gathered at the end.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use hdrhistogram::Histogram;
use lastbite_protocol::Stream;
use serde::Serialize;
use tokio::{
    sync::{Semaphore, mpsc, watch},
    task::JoinSet,
    time::{Instant, timeout},
};

use crate::{
    arrivals::{Arrival, histogram},
    spectator::{Finish, Spectator},
    stop::Stop,
    target::Target,
};

/// How long spectators have to end once they were told to end now.
const LAST_CALL: Duration = Duration::from_secs(5);

/// What the spectators count together.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    frames: AtomicU64,
    bytes: AtomicU64,
    ticks: AtomicU64,
    snapshots: AtomicU64,
    gaps: AtomicU64,
    resumes: AtomicU64,
    resyncs: AtomicU64,
    live: AtomicU64,
    witness_ticks: AtomicU64,
    witness_rows: AtomicU64,
    /// Never held for longer than a look-up.
    errors: Mutex<BTreeMap<String, u64>>,
}

/// A reading of the tally.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(crate) struct Counts {
    /// Messages that arrived, of any kind, at any spectator.
    pub(crate) frames: u64,
    /// Their text in bytes, without the frames' heads.
    pub(crate) bytes: u64,
    pub(crate) ticks: u64,
    pub(crate) snapshots: u64,
    /// Ticks that did not build on what the spectator had.
    pub(crate) gaps: u64,
    /// Connections that were continued by number.
    pub(crate) resumes: u64,
    /// Connections that came back to a whole snapshot.
    pub(crate) resyncs: u64,
    /// Sockets open at this moment.
    pub(crate) live: u64,
    /// Ticks that the witness read, and the rows in them.
    pub(crate) witness_ticks: u64,
    pub(crate) witness_rows: u64,
}

impl Counts {
    /// What was counted after `before`.
    pub(crate) fn since(self, before: Self) -> Self {
        Self {
            frames: self.frames - before.frames,
            bytes: self.bytes - before.bytes,
            ticks: self.ticks - before.ticks,
            snapshots: self.snapshots - before.snapshots,
            gaps: self.gaps - before.gaps,
            resumes: self.resumes - before.resumes,
            resyncs: self.resyncs - before.resyncs,
            live: self.live,
            witness_ticks: self.witness_ticks - before.witness_ticks,
            witness_rows: self.witness_rows - before.witness_rows,
        }
    }
}

/// Counts a socket as live until dropped.
#[derive(Debug)]
pub(crate) struct Live(Arc<Tally>);

impl Drop for Live {
    fn drop(&mut self) {
        self.0.live.fetch_sub(1, Relaxed);
    }
}

impl Tally {
    pub(crate) fn live(self: &Arc<Self>) -> Live {
        self.live.fetch_add(1, Relaxed);
        Live(self.clone())
    }

    pub(crate) fn received(&self, bytes: usize) {
        self.frames.fetch_add(1, Relaxed);
        self.bytes.fetch_add(bytes as u64, Relaxed);
    }

    pub(crate) fn tick(&self) {
        self.ticks.fetch_add(1, Relaxed);
    }

    pub(crate) fn snapshot(&self, resuming: bool) {
        self.snapshots.fetch_add(1, Relaxed);
        self.resyncs.fetch_add(u64::from(resuming), Relaxed);
    }

    pub(crate) fn gap(&self) {
        self.gaps.fetch_add(1, Relaxed);
    }

    pub(crate) fn resumed(&self) {
        self.resumes.fetch_add(1, Relaxed);
    }

    pub(crate) fn witnessed(&self, rows: usize) {
        self.witness_ticks.fetch_add(1, Relaxed);
        self.witness_rows.fetch_add(rows as u64, Relaxed);
    }

    pub(crate) fn error(&self, code: &str) {
        let mut errors = self.errors.lock().unwrap_or_else(PoisonError::into_inner);
        *errors.entry(code.to_owned()).or_default() += 1;
    }

    pub(crate) fn errors(&self) -> BTreeMap<String, u64> {
        self.errors.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn read(&self) -> Counts {
        let read = |counter: &AtomicU64| counter.load(Relaxed);
        Counts {
            frames: read(&self.frames),
            bytes: read(&self.bytes),
            ticks: read(&self.ticks),
            snapshots: read(&self.snapshots),
            gaps: read(&self.gaps),
            resumes: read(&self.resumes),
            resyncs: read(&self.resyncs),
            live: read(&self.live),
            witness_ticks: read(&self.witness_ticks),
            witness_rows: read(&self.witness_rows),
        }
    }
}

/// How an opening of many went.
#[derive(Debug)]
pub(crate) struct Opening {
    pub(crate) opened: u32,
    pub(crate) given_up: u32,
    pub(crate) took: Duration,
    /// From a socket's beginning to its `welcome`, and to its first snapshot, in microseconds.
    pub(crate) welcome: Histogram<u64>,
    pub(crate) snapshot: Histogram<u64>,
}

/// The spectators.
pub(crate) struct Crowd {
    target: Target,
    stream: Stream,
    pub(crate) tally: Arc<Tally>,
    pub(crate) epoch: Instant,
    spectators: JoinSet<Vec<Arrival>>,
    count: u32,
    finish: watch::Sender<Finish>,
    day_open: watch::Sender<bool>,
    arrivals_max: usize,
}

impl Crowd {
    /// Nobody yet. Each spectator will keep at most `arrivals_max` arrivals.
    pub(crate) fn new(target: Target, stream: Stream, arrivals_max: usize) -> Self {
        Self {
            target,
            stream,
            tally: Arc::default(),
            epoch: Instant::now(),
            spectators: JoinSet::new(),
            count: 0,
            finish: watch::Sender::new(Finish::Open),
            day_open: watch::Sender::new(false),
            arrivals_max,
        }
    }

    /// Opens so many more, at most `at_once` of them on their way; returns when each is watching or has given up, or
    /// when the run is stopped.
    pub(crate) async fn open(&mut self, more: u32, at_once: u32, stop: &mut Stop) -> anyhow::Result<Opening> {
        let begun = Instant::now();
        let doors = Arc::new(Semaphore::new(at_once.max(1) as usize));
        let (told, mut opened) = mpsc::channel(at_once.max(1) as usize);
        for number in self.count..self.count + more {
            let spectator = Spectator {
                target: self.target.clone(),
                stream: self.stream,
                source: self.target.source_of_spectator(number),
                tally: self.tally.clone(),
                opened: told.clone(),
                finish: self.finish.subscribe(),
                witness: (number == 0).then(|| self.day_open.clone()),
                epoch: self.epoch,
                arrivals_max: self.arrivals_max,
            };
            let doors = doors.clone();
            self.spectators.spawn(async move {
                // The door stays taken until this one has been told of; `open` hands it back.
                let Ok(door) = doors.acquire_owned().await else { return Vec::new() };
                door.forget();
                spectator.watch().await
            });
        }
        self.count += more;
        let (mut welcome, mut snapshot) = (histogram()?, histogram()?);
        let (mut watching, mut given_up) = (0, 0);
        while watching + given_up < more {
            let outcome = tokio::select! {
                outcome = opened.recv() => outcome,
                () = stop.wait() => None,
            };
            match outcome {
                Some(Ok(times)) => {
                    watching += 1;
                    welcome.saturating_record(micros(times.welcome));
                    snapshot.saturating_record(micros(times.snapshot));
                }
                Some(Err(_)) => given_up += 1,
                None => break,
            }
            doors.add_permits(1);
        }
        // After a stop: nobody more goes in.
        doors.close();
        Ok(Opening { opened: watching, given_up, took: begun.elapsed(), welcome, snapshot })
    }

    /// Waits for the witness to see a day open; false when it does not in time or the run is stopped.
    pub(crate) async fn day_opens(&self, patience: Duration, stop: &mut Stop) -> bool {
        let mut day_open = self.day_open.subscribe();
        tokio::select! {
            open = timeout(patience, day_open.wait_for(|open| *open)) => matches!(open, Ok(Ok(_))),
            () = stop.wait() => false,
        }
    }

    /// Lets every spectator see the number `last`, for at most `patience`, then ends them and gathers what they saw.
    pub(crate) async fn gather(mut self, last: u64, patience: Duration) -> Vec<Vec<Arrival>> {
        let mut seen = Vec::with_capacity(self.count as usize);
        for (finish, patience) in [(Finish::At(last), patience), (Finish::Now, LAST_CALL)] {
            self.finish.send_replace(finish);
            let collect = async {
                while let Some(arrivals) = self.spectators.join_next().await {
                    seen.extend(arrivals);
                }
            };
            if timeout(patience, collect).await.is_ok() {
                break;
            }
        }
        seen
    }
}

fn micros(of: Duration) -> u64 {
    u64::try_from(of.as_micros()).unwrap_or(u64::MAX).max(1)
}
