//! How much a client may say: a bucket of commands that refills with time. PURE.

use std::time::Duration;

/// A client's credits. Time is told from outside, as what has passed since the socket opened.
#[derive(Clone, Copy, Debug)]
pub struct Credits {
    /// The time at which the bucket would be full.
    full_at: Duration,
    refill: Duration,
    burst: u32,
}

impl Credits {
    /// A full bucket of `burst` commands that gets one back every `refill`.
    #[must_use]
    pub const fn new(burst: u32, refill: Duration) -> Self {
        Self { full_at: Duration::ZERO, refill, burst }
    }

    /// Whether nothing is spent that has not come back.
    #[must_use]
    pub fn is_full(&self, now: Duration) -> bool {
        self.full_at <= now
    }

    /// Takes one credit, if there is one.
    pub fn spend(&mut self, now: Duration) -> bool {
        let full_at = self.full_at.max(now) + self.refill;
        let allowed = full_at <= now + self.refill * self.burst;
        if allowed {
            self.full_at = full_at;
        }
        allowed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_is_allowed_and_then_one_at_a_time() {
        let at = Duration::from_millis;
        let mut credits = Credits::new(3, at(500));
        assert!((0..3).all(|_| credits.spend(at(0))));
        assert!(!credits.spend(at(0)));
        assert!(!credits.spend(at(499)));
        assert!(credits.spend(at(500)));
        assert!(!credits.spend(at(500)));
        assert!((0..3).all(|_| credits.spend(at(60_000))));
        assert!(!credits.spend(at(60_000)));
        assert_eq!([61_499, 61_500].map(|ms| credits.is_full(at(ms))), [false, true]);
    }
}
