//! Two tries for each photo, and a rest for who fails again and again: photos do not wait for who is down.

use std::{
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, Instant},
};

use bytes::Bytes;
use parking_lot::Mutex;

use super::{Blind, Recognise, Seen};
use crate::limits;

/// Somebody who is asked, and how it went.
#[derive(Debug)]
pub(super) struct Guard {
    who: Box<dyn Recognise>,
    /// Of one try.
    timeout: Duration,
    failures: AtomicU32,
    rests_until: Mutex<Option<Instant>>,
}

impl Guard {
    pub(super) fn of(who: Box<dyn Recognise>, timeout: Duration) -> Self {
        Self { who, timeout, failures: AtomicU32::new(0), rests_until: Mutex::new(None) }
    }

    pub(super) fn name(&self) -> &'static str {
        self.who.name()
    }

    pub(super) fn is_outside(&self) -> bool {
        self.who.is_outside()
    }

    /// Two tries, both within what is left; each counts, also one that is cut off.
    pub(super) async fn look(&self, jpeg: &Bytes, left: Duration) -> Result<Seen, Blind> {
        let began = Instant::now();
        if left.is_zero() || self.rests_until.lock().is_some_and(|until| Instant::now() < until) {
            return Err(Blind::Resting);
        }
        let looked = match self.once(jpeg, left).await {
            Err(Blind::Away(_)) if began.elapsed() < left => {
                let jitter = rand::random_range(0..limits::VISION_RETRY_JITTER_MS_MAX);
                tokio::time::sleep(Duration::from_millis(jitter)).await;
                self.once(jpeg, left.saturating_sub(began.elapsed())).await
            }
            looked => looked,
        };
        self.count(&looked);
        looked
    }

    /// Within its time, whatever it does with it.
    async fn once(&self, jpeg: &Bytes, left: Duration) -> Result<Seen, Blind> {
        let began = Instant::now();
        let looked = tokio::time::timeout(self.timeout.min(left), self.who.look(jpeg)).await;
        metrics::histogram!("lastbite_vision_seconds", "provider" => self.name()).record(began.elapsed().as_secs_f64());
        looked.unwrap_or_else(|_| Err(Blind::Away(anyhow::anyhow!("it took too long"))))
    }

    fn count(&self, looked: &Result<Seen, Blind>) {
        let result = match looked {
            Ok(_) => "seen",
            Err(Blind::Unfit) => "unfit",
            Err(Blind::Away(_)) => "away",
            Err(Blind::Nonsense(_)) => "nonsense",
            Err(Blind::Resting) => "resting",
        };
        metrics::counter!("lastbite_vision_total", "provider" => self.name(), "result" => result).increment(1);
        if matches!(looked, Ok(_) | Err(Blind::Unfit)) {
            self.failures.store(0, Ordering::Relaxed);
        } else if self.failures.fetch_add(1, Ordering::Relaxed) + 1 >= limits::VISION_FAILURES_MAX {
            // The next one after the rest is a try: failing, it rests again at once.
            self.failures.store(limits::VISION_FAILURES_MAX - 1, Ordering::Relaxed);
            *self.rests_until.lock() = Some(Instant::now() + limits::VISION_REST);
        }
    }
}
