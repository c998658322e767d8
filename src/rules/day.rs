//! Which instants belong to which day of a challenge.
//!
//! A day begins at `day_starts_at` on the wall clock of the challenge's zone. Where that wall time does not exist, the
//! day begins at the next instant that does; where it exists twice, at the later one. So a day may have 23 or 25 hours.

use chrono::{DateTime, Days, LocalResult, NaiveDate, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;
use lastbite_protocol::{Terms, WallTime, socket::DayClock};

/// The days of a challenge.
#[derive(Clone, Copy, Debug)]
pub struct Calendar {
    zone: Tz,
    first_day: NaiveDate,
    day_starts_at: WallTime,
    days: u16,
    grace: TimeDelta,
}

impl Calendar {
    #[must_use]
    pub fn of(terms: &Terms) -> Self {
        Self {
            zone: terms.zone,
            first_day: terms.first_day,
            day_starts_at: terms.day_starts_at,
            days: terms.days,
            grace: TimeDelta::minutes(i64::from(terms.grace_minutes)),
        }
    }

    /// The first instant of the first day.
    #[must_use]
    pub fn starts_at(&self) -> DateTime<Utc> {
        self.start_of(1)
    }

    /// The first instant after the last day.
    #[must_use]
    pub fn ends_at(&self) -> DateTime<Utc> {
        self.start_of(self.days + 1)
    }

    /// When `day` (from 1) begins, ends and closes.
    #[must_use]
    pub fn clock_of(&self, day: u16) -> DayClock {
        let ends_at = self.start_of(day + 1);
        DayClock { day, starts_at: self.start_of(day), ends_at, closes_at: ends_at + self.grace }
    }

    /// The date on which `day` (from 1) begins.
    #[must_use]
    pub fn date_of(&self, day: u16) -> NaiveDate {
        self.first_day.checked_add_days(Days::new(u64::from(day) - 1)).unwrap_or(NaiveDate::MAX)
    }

    /// Every day on the clock, in order.
    pub fn clocks(self) -> impl Iterator<Item = DayClock> {
        (1..=self.days).map(move |day| self.clock_of(day))
    }

    /// The day `instant` belongs to; `None` outside the challenge.
    #[must_use]
    pub fn day_of(&self, instant: DateTime<Utc>) -> Option<u16> {
        if instant < self.starts_at() || instant >= self.ends_at() {
            return None;
        }
        let local_date = instant.with_timezone(&self.zone).date_naive();
        let days_since = (local_date - self.first_day).num_days();
        // The wall clock is at most a day off the truth near a day's start, so the truth is one step away.
        let guess = u16::try_from(days_since + 1).unwrap_or(1).clamp(1, self.days);
        (guess.saturating_sub(1).max(1)..=guess.saturating_add(1).min(self.days))
            .find(|day| (self.start_of(*day)..self.start_of(*day + 1)).contains(&instant))
    }

    fn start_of(&self, day: u16) -> DateTime<Utc> {
        instant_of(self.zone, self.date_of(day), self.day_starts_at)
    }
}

/// The instant of a wall time: in a gap the next one that exists, in an overlap the later one.
#[must_use]
pub fn instant_of(zone: Tz, date: NaiveDate, time: WallTime) -> DateTime<Utc> {
    let midnight = date.and_time(chrono::NaiveTime::MIN);
    // No zone ever skipped more than a day.
    (0..=48 * 60)
        .map(|later| midnight + TimeDelta::minutes(i64::from(time.minutes()) + later))
        .find_map(|local| match zone.from_local_datetime(&local) {
            LocalResult::Single(instant) => Some(instant),
            LocalResult::Ambiguous(_, later) => Some(later),
            LocalResult::None => None,
        })
        .map_or(DateTime::<Utc>::MAX_UTC, |instant| instant.with_timezone(&Utc))
}
