//! When a challenge can begin soon. It begins with a day of its zone, at 00:00 to 06:00 on that zone's wall clock: at
//! any minute there is a zone somewhere in which such a time is near.

use chrono::{DateTime, DurationRound as _, NaiveDate, NaiveTime, TimeDelta, TimeZone as _, Timelike as _, Utc};
use chrono_tz::{TZ_VARIANTS, Tz};
use lastbite_protocol::WallTime;

/// A day may begin until here.
const LATEST_MINUTE: u32 = 6 * 60;
/// Meals may be logged two minutes ahead, so a start from here on has breakfast (06:00) within reach at once.
const BREAKFAST_NEAR_MINUTE: u32 = LATEST_MINUTE - 1;

/// The beginning of a challenge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Start {
    /// The first instant of the first day.
    pub(crate) at: DateTime<Utc>,
    /// Its zone.
    pub(crate) zone: Tz,
    /// The first day in that zone.
    pub(crate) first_day: NaiveDate,
    /// When days begin there.
    pub(crate) day_starts_at: WallTime,
}

impl Start {
    /// Whether a breakfast logged right after the start is eaten in its window, and so changes the board's rows.
    pub(crate) fn breakfast_is_near(&self) -> bool {
        u32::from(self.day_starts_at.minutes()) >= BREAKFAST_NEAR_MINUTE
    }

    /// The instant of 06:00 on the first day.
    pub(crate) fn breakfast(&self) -> DateTime<Utc> {
        self.at + TimeDelta::minutes(i64::from(LATEST_MINUTE) - i64::from(self.day_starts_at.minutes()))
    }
}

/// The first full minute from `earliest` on, or one at most `patience_minutes` later when breakfast is near then.
pub(crate) fn choose(earliest: DateTime<Utc>, patience_minutes: u16) -> Option<Start> {
    let minute = TimeDelta::minutes(1);
    let first = earliest.duration_trunc(minute).ok()? + minute;
    let starts = || (0..=patience_minutes).filter_map(|later| beginning_at(first + minute * i32::from(later)));
    starts().find(Start::breakfast_is_near).or_else(|| starts().next())
}

/// The zone in which a day can begin at this instant, as near to 06:00 as there is.
fn beginning_at(at: DateTime<Utc>) -> Option<Start> {
    TZ_VARIANTS.iter().filter_map(|zone| in_zone(at, *zone)).max_by_key(|start| start.day_starts_at)
}

fn in_zone(at: DateTime<Utc>, zone: Tz) -> Option<Start> {
    let local = at.with_timezone(&zone).naive_local();
    let minute = local.hour() * 60 + local.minute();
    // Only where the wall time is this one instant: no offset with seconds, no hour that comes twice.
    let back =
        zone.from_local_datetime(&local.date().and_time(NaiveTime::from_hms_opt(local.hour(), local.minute(), 0)?));
    if minute > LATEST_MINUTE || back.single()? != at {
        return None;
    }
    let day_starts_at = WallTime::from_minutes(u16::try_from(minute).ok()?)?;
    Some(Start { at, zone, first_day: local.date(), day_starts_at })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn instant(text: &str) -> DateTime<Utc> {
        text.parse().expect("a time")
    }

    #[test]
    fn at_every_minute_of_a_year_some_zone_can_begin() {
        let first = instant("2026-01-01T00:00:00Z");
        for step in 0..500 {
            let earliest = first + TimeDelta::minutes(step * 1051);
            let start = choose(earliest, 0).expect("a zone");
            assert!(start.at > earliest && start.at - earliest <= TimeDelta::minutes(1));
            let wall =
                start.first_day.and_time(NaiveTime::MIN) + TimeDelta::minutes(i64::from(start.day_starts_at.minutes()));
            assert_eq!(start.zone.from_local_datetime(&wall).single().map(|at| at.to_utc()), Some(start.at));
        }
    }

    #[test]
    fn patience_finds_breakfast() {
        let start = choose(instant("2026-11-23T01:10:30Z"), 62).expect("a zone");
        assert!(start.breakfast_is_near());
        assert!(start.breakfast() - start.at <= TimeDelta::minutes(1));
    }
}
