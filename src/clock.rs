//! The only caller of the system's clock.
//!
//! There are two times. [`Clock::now`] is the time of play, by which meals are eaten, days end and verdicts fall; the
//! demo lets it run fast and tests move it by hand. [`Clock::wall`] is the real time, by which tokens end.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use parking_lot::Mutex;

/// The time of play and the real time. Clones share one clock.
#[derive(Clone, Debug)]
pub struct Clock(Arc<Kind>);

#[derive(Debug)]
enum Kind {
    System,
    Fast(Mutex<Fast>),
    Fixed(Mutex<DateTime<Utc>>),
}

#[derive(Debug)]
struct Fast {
    origin: DateTime<Utc>,
    /// When the time of play began to run; until then it stands at `origin`.
    released: Option<Instant>,
    rate: u32,
}

impl Clock {
    /// The time of play is the real time.
    #[must_use]
    pub fn system() -> Self {
        Self(Arc::new(Kind::System))
    }

    /// The time of play stands at `origin` until [`Clock::release`], then passes `rate` times as fast as the real one.
    #[must_use]
    pub fn fast(origin: DateTime<Utc>, rate: u32) -> Self {
        Self(Arc::new(Kind::Fast(Mutex::new(Fast { origin, released: None, rate }))))
    }

    /// The time of play stands still and is moved by [`Clock::set`].
    #[must_use]
    pub fn fixed(at: DateTime<Utc>) -> Self {
        Self(Arc::new(Kind::Fixed(Mutex::new(at))))
    }

    /// The time of play, to the microsecond, as Postgres keeps it.
    #[must_use]
    pub fn now(&self) -> DateTime<Utc> {
        let now = match &*self.0 {
            Kind::System => self.wall(),
            Kind::Fast(fast) => fast.lock().now(),
            Kind::Fixed(at) => *at.lock(),
        };
        now.trunc_subsecs(6)
    }

    /// The real time.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "this is the one place")]
    pub fn wall(&self) -> DateTime<Utc> {
        Utc::now()
    }

    /// How many seconds of play pass in a second.
    #[must_use]
    pub fn rate(&self) -> u32 {
        match &*self.0 {
            Kind::Fast(fast) => fast.lock().rate,
            Kind::System | Kind::Fixed(_) => 1,
        }
    }

    /// Lets a fast clock run; on any other it does nothing.
    pub fn release(&self) {
        if let Kind::Fast(fast) = &*self.0 {
            fast.lock().released.get_or_insert_with(Instant::now);
        }
    }

    /// Moves a fixed clock, back too; on any other it does nothing.
    pub fn set(&self, now: DateTime<Utc>) {
        if let Kind::Fixed(at) = &*self.0 {
            *at.lock() = now;
        }
    }

    /// How long to wait for the time of play to reach `then`; zero when it has.
    #[must_use]
    pub fn until(&self, then: DateTime<Utc>) -> Duration {
        (then - self.now()).to_std().unwrap_or_default() / self.rate()
    }
}

impl Fast {
    fn now(&self) -> DateTime<Utc> {
        let passed = self.released.map_or(Duration::ZERO, |released| released.elapsed());
        self.origin + TimeDelta::from_std(passed * self.rate).unwrap_or(TimeDelta::MAX)
    }
}
