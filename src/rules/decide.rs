//! A command against the facts: events, or a refusal. Time is an argument; nothing is written here.

use chrono::{DateTime, Datelike, TimeDelta, Utc};
use lastbite_protocol::{
    OpenDay, Standing, Status, Terms, UserId, Verdict,
    rest::{ChallengeStatus, Finding, JoinWarning},
    socket::DayClock,
    terms::OneLeft,
};

use super::{
    Event, Refusal,
    day::Calendar,
    points,
    verdict::{DayLog, Sheet},
};
use crate::nutrition::safety::Safety;

/// How long ago a meal may have been eaten when it is logged.
const EATEN_AGO_HOURS_MOST: i64 = 48;
/// How far a phone's clock may be ahead of ours.
const EATEN_AHEAD_MINUTES_MOST: i64 = 2;

/// What joining and leaving look at.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'a> {
    pub terms: &'a Terms,
    pub status: ChallengeStatus,
    pub seats_taken: u32,
    /// The player's standing, when there is one.
    pub standing: Option<&'a Standing>,
    /// What the player's body allows.
    pub safety: Safety,
}

/// A user wants to play. Nothing happens when the user plays already.
///
/// # Errors
/// The challenge has begun, is over or full, or is not safe for this player.
pub fn join(entry: Entry<'_>, player: UserId, nickname: &str, now: DateTime<Utc>) -> Result<Option<Event>, Refusal> {
    match entry.standing.map(|standing| standing.status) {
        Some(Status::Left) => return Err(Refusal::NoReturn),
        Some(_) => return Ok(None),
        None => {}
    }
    match entry.status {
        ChallengeStatus::Open if now < Calendar::of(entry.terms).starts_at() => {}
        ChallengeStatus::Open | ChallengeStatus::Running => return Err(Refusal::AlreadyStarted),
        ChallengeStatus::Finished | ChallengeStatus::Cancelled => return Err(Refusal::ChallengeOver),
    }
    if let Some(band) = super::terms::band(entry.terms) {
        let (upper_kcal, floor_kcal) = (band.upper_kcal(), entry.safety.floor_kcal);
        if upper_kcal < floor_kcal {
            return Err(Refusal::BandBelowFloor { upper_kcal, floor_kcal });
        }
        if entry.safety.is_underweight {
            return Err(Refusal::Underweight);
        }
        if entry.safety.is_pregnant {
            return Err(Refusal::Pregnant);
        }
    }
    if entry.seats_taken >= entry.terms.seats {
        return Err(Refusal::ChallengeFull);
    }
    Ok(Some(Event::Joined { player, nickname: nickname.to_owned(), lives: entry.terms.lives }))
}

/// What whoever joins should know.
#[must_use]
pub fn join_warnings(terms: &Terms, safety: Safety) -> Vec<JoinWarning> {
    let band = super::terms::band(terms).zip(safety.resting_kcal);
    let under = band.filter(|(band, resting_kcal)| band.target_kcal < *resting_kcal);
    under
        .map(|(band, resting_kcal)| JoinWarning::UnderRestingNeed { target_kcal: band.target_kcal, resting_kcal })
        .into_iter()
        .collect()
}

/// A player wants to go. Nothing happens when the player has left already.
///
/// # Errors
/// The user does not play, or the challenge is over.
pub fn leave(entry: Entry<'_>, player: UserId, nickname: &str, now: DateTime<Utc>) -> Result<Option<Event>, Refusal> {
    let Some(standing) = entry.standing else { return Err(Refusal::NotAPlayer) };
    if standing.status == Status::Left {
        return Ok(None);
    }
    if matches!(entry.status, ChallengeStatus::Finished | ChallengeStatus::Cancelled) {
        return Err(Refusal::ChallengeOver);
    }
    if standing.status != Status::Alive {
        return Ok(None);
    }
    let calendar = Calendar::of(entry.terms);
    let begun = entry.status == ChallengeStatus::Running || now >= calendar.starts_at();
    let outside = if now < calendar.starts_at() { 1 } else { entry.terms.days };
    let day = begun.then(|| calendar.day_of(now).unwrap_or(outside));
    Ok(Some(Event::Left { player, nickname: nickname.to_owned(), left_at: now, day }))
}

/// Whether a meal may be logged as eaten then.
///
/// # Errors
/// It was eaten more than 48 hours ago, or more than 2 minutes ahead of our clock.
pub fn eaten_at(eaten_at: DateTime<Utc>, now: DateTime<Utc>) -> Result<(), Refusal> {
    if eaten_at < now - TimeDelta::hours(EATEN_AGO_HOURS_MOST) {
        return Err(Refusal::EatenAt { why: "a meal can be logged up to 48 hours after it was eaten".to_owned() });
    }
    if eaten_at > latest_eaten_at(now) {
        return Err(Refusal::EatenAt { why: "a meal cannot be eaten in the future".to_owned() });
    }
    Ok(())
}

/// A meal is logged, and may be moved, within this of when it was eaten.
pub const LOGGED_WITHIN: TimeDelta = TimeDelta::hours(EATEN_AGO_HOURS_MOST + 1);

/// Whether a meal that was logged then may be said to have been eaten at another time: it stays near.
///
/// # Errors
/// It would be more than 48 hours after it was logged.
pub fn moved_to(eaten_at: DateTime<Utc>, logged_at: DateTime<Utc>) -> Result<(), Refusal> {
    if eaten_at > logged_at + TimeDelta::hours(EATEN_AGO_HOURS_MOST) {
        let why = "a meal cannot be moved to more than 48 hours after it was logged; log another one";
        return Err(Refusal::EatenAt { why: why.to_owned() });
    }
    Ok(())
}

/// The latest instant at which a meal logged now can have been eaten.
#[must_use]
pub fn latest_eaten_at(now: DateTime<Utc>) -> DateTime<Utc> {
    now + TimeDelta::minutes(EATEN_AHEAD_MINUTES_MOST)
}

/// The day of a running challenge for which a meal eaten then counts, if its log is still open.
#[must_use]
pub fn open_day_of(terms: &Terms, eaten_at: DateTime<Utc>, now: DateTime<Utc>) -> Option<DayClock> {
    let calendar = Calendar::of(terms);
    let clock = calendar.clock_of(calendar.day_of(eaten_at)?);
    (now < clock.closes_at).then_some(clock)
}

/// The log of an open day changed: how it looks now, if that is news.
#[must_use]
pub fn progress<'a>(
    terms: &Terms,
    player: UserId,
    standing: &Standing,
    day: u16,
    log: impl Into<DayLog<'a>>,
) -> Option<Event> {
    let log = log.into();
    if standing.status != Status::Alive {
        return None;
    }
    let (progress, points) = points::of_open(terms, log);
    let now = OpenDay { day, progress, points };
    let before = standing.open_days.iter().find(|open| open.day == day);
    let untouched = before.is_none() && log.meals.is_empty();
    (!untouched && before != Some(&now)).then_some(Event::Progressed { player, day, progress, points })
}

/// A day judged for one player.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ruling {
    pub verdict: Verdict,
    pub points: u32,
    pub findings: Vec<Finding>,
    pub events: Vec<Event>,
}

/// A player asks for a day off. `taken` are the days that were asked for before.
///
/// # Errors
/// The user is not in any more, there is no such day, its log has closed, or the week's allowance is used up.
pub fn cheat(entry: Entry<'_>, day: u16, taken: &[u16], now: DateTime<Utc>) -> Result<(), Refusal> {
    match entry.standing.map(|standing| standing.status) {
        None => return Err(Refusal::NotAPlayer),
        Some(Status::Alive) => {}
        Some(_) => return Err(Refusal::NotIn),
    }
    if matches!(entry.status, ChallengeStatus::Finished | ChallengeStatus::Cancelled) {
        return Err(Refusal::ChallengeOver);
    }
    let calendar = Calendar::of(entry.terms);
    if day == 0 || day > entry.terms.days {
        return Err(Refusal::NoSuchDay);
    }
    if now >= calendar.clock_of(day).closes_at {
        return Err(Refusal::DayClosed);
    }
    if taken.contains(&day) {
        return Ok(());
    }
    let week = |day| calendar.date_of(day).iso_week();
    let in_week = taken.iter().filter(|other| week(**other) == week(day)).count();
    if in_week >= usize::from(entry.terms.cheat_days_per_week) {
        return Err(Refusal::NoCheatDayLeft { per_week: entry.terms.cheat_days_per_week });
    }
    Ok(())
}

/// A player takes back that a day is off.
///
/// # Errors
/// The user does not play, there is no such day, or its log has closed.
pub fn no_cheat(entry: Entry<'_>, day: u16, now: DateTime<Utc>) -> Result<(), Refusal> {
    if entry.standing.is_none() {
        return Err(Refusal::NotAPlayer);
    }
    if day == 0 || day > entry.terms.days {
        return Err(Refusal::NoSuchDay);
    }
    if now >= Calendar::of(entry.terms).clock_of(day).closes_at {
        return Err(Refusal::DayClosed);
    }
    Ok(())
}

/// Whether a player's day is to be judged: players still in, and those who left after its log had closed.
#[must_use]
pub fn is_judged(standing: &Standing, clock: DayClock) -> bool {
    match standing.status {
        Status::Alive => true,
        Status::Left => standing.left_at.is_some_and(|left_at| left_at >= clock.closes_at),
        Status::Eliminated | Status::Survived => false,
    }
}

/// What a day is judged by.
#[derive(Clone, Copy, Debug)]
pub struct DayFacts<'a> {
    pub log: DayLog<'a>,
    /// The player has asked for the day off in time.
    pub is_cheat: bool,
    /// Something that was logged is still not known, and nobody will wait for it any longer.
    pub is_unknown: bool,
}

impl<'a, L: Into<DayLog<'a>>> From<L> for DayFacts<'a> {
    fn from(log: L) -> Self {
        Self { log: log.into(), is_cheat: false, is_unknown: false }
    }
}

/// Judges one player's day.
#[must_use]
pub fn judge<'a>(
    terms: &Terms,
    player: UserId,
    standing: &Standing,
    day: u16,
    facts: impl Into<DayFacts<'a>>,
) -> Ruling {
    let facts = facts.into();
    let mut sheet = Sheet::of(terms, facts.log);
    sheet.verdict = match sheet.verdict {
        _ if facts.is_cheat => Verdict::Cheat,
        // What is not known might have spoilt a day that looks kept, or mended one that does not.
        _ if facts.is_unknown => Verdict::Void,
        verdict => verdict,
    };
    let points = points::of_judged(terms, &sheet);
    let deviation_permille = points::deviation_permille(terms, &sheet);
    let mut events = vec![Event::Judged { player, day, verdict: sheet.verdict, points, deviation_permille }];
    if sheet.verdict == Verdict::Missed && standing.lives_left == 0 {
        events.push(Event::Eliminated { player, day });
    } else if day == terms.days && standing.status == Status::Alive {
        events.push(Event::Survived { player });
    }
    Ruling { verdict: sheet.verdict, points, findings: sheet.findings, events }
}

/// What the verdicts of a whole day come to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    pub kept: u32,
    pub missed: u32,
    /// Who fell on this day, in the order of the board.
    pub eliminated: Vec<UserId>,
    /// Still in after it.
    pub alive: u32,
    /// All who share rank 1 of the board after it, in the order of the board; asked for only when [`is_last`].
    pub leaders: Vec<UserId>,
}

/// All players of a day are judged: closes it, and ends the challenge after the last day, when everybody is out, or when one is
/// left and the terms say so.
/// When everybody is out, those who fell on this day share the win; when nobody fell because all had left, the top of the
/// board has won, so that a podium is never empty.
#[must_use]
pub fn close(terms: &Terms, day: u16, tally: &Tally) -> Vec<Event> {
    let eliminated = count(&tally.eliminated);
    let mut events =
        vec![Event::DayClosed { day, kept: tally.kept, missed: tally.missed, eliminated, alive: tally.alive }];
    if is_last(terms, day, tally.alive) {
        let winners = champions(tally);
        // After the last day whoever was still in has been told with the verdict.
        if day < terms.days && tally.alive == 1 {
            events.extend(tally.leaders.first().map(|player| Event::Survived { player: *player }));
        }
        events.push(Event::Finished {
            champions: winners.iter().copied().take(Event::CHAMPIONS_NAMED).collect(),
            champions_total: count(winners),
            survivors: tally.alive,
        });
    }
    events
}

/// Whether the challenge ends with this day, when so many are still in after it.
#[must_use]
pub const fn is_last(terms: &Terms, day: u16, alive: u32) -> bool {
    day == terms.days || alive == 0 || (alive == 1 && matches!(terms.one_left, OneLeft::EndNow))
}

/// Who has won when this was the last day: those who fell together when nobody is left, else the top of the board.
#[must_use]
pub fn champions(tally: &Tally) -> &[UserId] {
    if tally.alive == 0 && !tally.eliminated.is_empty() { &tally.eliminated } else { &tally.leaders }
}

/// A day begins. With too few players the first one cancels the challenge instead.
#[must_use]
pub fn open(terms: &Terms, clock: DayClock, players: u32) -> Event {
    if clock.day == 1 && players < terms.min_players {
        Event::Cancelled { players }
    } else {
        Event::DayOpened { clock }
    }
}

fn count(players: &[UserId]) -> u32 {
    u32::try_from(players.len()).unwrap_or(u32::MAX)
}
