//! Threads that hash and do nothing else, with the lowest priority there is: a flood of log-ins gets what the game leaves.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        mpsc::{Receiver, SyncSender, TrySendError, sync_channel},
    },
};

use anyhow::Context;
use parking_lot::Mutex;
use tokio::sync::oneshot;

use crate::limits;

/// What `nice` calls the last.
#[cfg(target_os = "linux")]
const LAST: i32 = 19;

type Work = Box<dyn FnOnce() + Send>;

/// The threads, and the places of those who wait for one. They end with the last clone.
#[derive(Clone, Debug)]
pub(super) struct Workers(SyncSender<Work>);

/// All wait already.
#[derive(Debug)]
pub(super) struct Full;

impl Workers {
    /// Starts them.
    pub(super) fn start() -> anyhow::Result<Self> {
        let (places, waiting) = sync_channel(limits::HASHINGS_WAITING_MAX);
        let waiting = Arc::new(Mutex::new(waiting));
        for _ in 0..limits::HASHINGS_AT_ONCE_MAX {
            let waiting = Arc::clone(&waiting);
            let thread = std::thread::Builder::new().name("hashing".to_owned());
            thread.spawn(move || work(&waiting)).context("starting a thread that hashes")?;
        }
        Ok(Self(places))
    }

    /// Does something in one of the threads, when its turn comes; not at all when nobody waits for it any more.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<anyhow::Result<T>, Full> {
        let (done, answer) = oneshot::channel();
        let work = Box::new(move || {
            if !done.is_closed() {
                let _gone = done.send(work());
            }
        });
        match self.0.try_send(work) {
            Ok(()) => Ok(answer.await.context("a thread that hashes broke off")),
            Err(TrySendError::Full(_)) => Err(Full),
            Err(TrySendError::Disconnected(_)) => Ok(Err(anyhow::anyhow!("no thread hashes any more"))),
        }
    }
}

fn work(waiting: &Mutex<Receiver<Work>>) {
    // Of this thread alone: Linux keeps it for each. Elsewhere they hash like everybody.
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::setpriority_process(None, LAST) {
        tracing::warn!(%error, "hashing has the priority of the game");
    }
    loop {
        // One waits with the lock, the others wait for it.
        let next = waiting.lock().recv();
        let Ok(work) = next else { return };
        // Whoever waits for it sees that it broke off.
        let _panicked = catch_unwind(AssertUnwindSafe(work));
    }
}
