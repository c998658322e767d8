//! When a challenge can begin soon. It begins with a day of its zone, at 00:00 to 06:00 on that zone's wall clock: at
//! any minute there is a zone somewhere in which such a time is near.

use chrono::{DateTime, DurationRound as _, NaiveDate, NaiveTime, TimeDelta, TimeZone as _, Timelike as _, Utc};
use chrono_tz::{TZ_VARIANTS, Tz};
use lastbite_protocol::WallTime;

/// A day may begin until here.
const LATEST_MINUTE: u32 = 6 * 60;

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

/// The first full minute after `earliest`.
pub(crate) fn choose(earliest: DateTime<Utc>) -> Option<Start> {
    let minute = TimeDelta::minutes(1);
    beginning_at(earliest.duration_trunc(minute).ok()? + minute)
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
            let start = choose(earliest).expect("a zone");
            assert!(start.at > earliest && start.at - earliest <= TimeDelta::minutes(1));
            let wall =
                start.first_day.and_time(NaiveTime::MIN) + TimeDelta::minutes(i64::from(start.day_starts_at.minutes()));
            assert_eq!(start.zone.from_local_datetime(&wall).single().map(|at| at.to_utc()), Some(start.at));
        }
    }
}
