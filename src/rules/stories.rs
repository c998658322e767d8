//! The rules of play told as play: short stories, one a rule, and properties that hold for every story.
//!
//! Here are the words that the stories are written in. Nothing below asks a clock: a story says what time it is.
//!
//! - `eating`: what a day's log is worth, judged and while it is open
//! - `asking`: nutrients, grades, photos and windows that a day may ask for
//! - `resting`: days off, and days that cannot be judged
//! - `living`: lives, streaks, elimination, survival and leaving
//! - `entering`: who may join and leave, which terms can be played, which meals can be logged
//! - `ending`: how a day and a challenge close, who wins, and who stands where on the board
//! - `days`: which instant belongs to which day, also where the wall clock jumps
//! - `play`: a whole challenge with its referee in memory, for any commands in any order
//! - `properties`: what holds for any play

mod asking;
mod days;
mod eating;
mod ending;
mod entering;
mod living;
mod play;
mod properties;
mod resting;

use chrono::{DateTime, NaiveDate, NaiveDateTime, TimeZone, Utc};
use chrono_tz::Tz;
use lastbite_protocol::{
    Requirement, Standing, Status, Terms, UserId, Verdict, WallTime,
    rest::MealKind,
    terms::{OneLeft, Windows},
};
use uuid::Uuid;

use super::{
    Event,
    decide::{self, DayFacts, Entry, Ruling},
    standing,
    verdict::{Amounts, LoggedMeal},
};
use crate::nutrition::safety::Safety;

const MINA: UserId = UserId(Uuid::from_u128(1));
const JUNHO: UserId = UserId(Uuid::from_u128(2));
const SORA: UserId = UserId(Uuid::from_u128(3));

/// Three days in Seoul from Monday 2 March 2026, two meals and 1,400 to 1,600 kcal a day, two lives.
fn challenge() -> Terms {
    Terms {
        version: 1,
        zone: Tz::Asia__Seoul,
        first_day: date("2026-03-02"),
        days: 3,
        day_starts_at: WallTime::hour(0),
        lives: 2,
        cheat_days_per_week: 1,
        grace_minutes: 120,
        one_left: OneLeft::PlayOn,
        seats: 100,
        min_players: 2,
        requirements: vec![calories(1500, 100), meals(2)],
    }
}

/// What a story changes of the usual challenge.
trait Wording {
    fn asking(self, requirements: impl Into<Vec<Requirement>>) -> Self;
    fn with_lives(self, lives: u8) -> Self;
    fn lasting(self, days: u16) -> Self;
    fn in_zone(self, zone: Tz, first_day: &str) -> Self;
    fn starting_days_at(self, time: &str) -> Self;
    fn with_seats(self, seats: u32) -> Self;
}

impl Wording for Terms {
    fn asking(self, requirements: impl Into<Vec<Requirement>>) -> Self {
        Self { requirements: requirements.into(), ..self }
    }
    fn with_lives(self, lives: u8) -> Self {
        Self { lives, ..self }
    }
    fn lasting(self, days: u16) -> Self {
        Self { days, ..self }
    }
    fn in_zone(self, zone: Tz, first_day: &str) -> Self {
        Self { zone, first_day: date(first_day), ..self }
    }
    fn starting_days_at(self, time: &str) -> Self {
        Self { day_starts_at: time.parse().unwrap(), ..self }
    }
    fn with_seats(self, seats: u32) -> Self {
        Self { seats, ..self }
    }
}

fn calories(target_kcal: u32, tolerance_kcal: u32) -> Requirement {
    Requirement::Calories { target_kcal, tolerance_kcal }
}

fn meals(at_least: u8) -> Requirement {
    Requirement::Meals { at_least, cutoff: WallTime::hour(23), windows: Windows::default() }
}

fn meals_before(at_least: u8, cutoff: &str) -> Requirement {
    Requirement::Meals { at_least, cutoff: cutoff.parse().unwrap(), windows: Windows::default() }
}

fn date(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

/// An instant by the wall clock of a zone, where that clock is in no doubt: `2026-03-02 12:30`, or with seconds.
fn at(zone: Tz, text: &str) -> DateTime<Utc> {
    let local = NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M")
        .or_else(|_| NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.f"))
        .unwrap();
    zone.from_local_datetime(&local).single().unwrap().to_utc()
}

fn utc(text: &str) -> DateTime<Utc> {
    at(Tz::UTC, text)
}

fn seoul(text: &str) -> DateTime<Utc> {
    at(Tz::Asia__Seoul, text)
}

/// A meal of which nothing is known but its energy.
fn eaten(kind: MealKind, eaten_at: DateTime<Utc>, energy_kcal: u32) -> LoggedMeal {
    LoggedMeal { kind, eaten_at, energy_kcal, amounts: Amounts::default(), has_photo: false }
}

/// A meal on the first day in Seoul, at this time of day.
fn meal(kind: MealKind, time: &str, energy_kcal: u32) -> LoggedMeal {
    eaten(kind, seoul(&format!("2026-03-02 {time}")), energy_kcal)
}

fn breakfast(energy_kcal: u32) -> LoggedMeal {
    meal(MealKind::Breakfast, "08:00", energy_kcal)
}

fn lunch(energy_kcal: u32) -> LoggedMeal {
    meal(MealKind::Lunch, "12:30", energy_kcal)
}

fn snack(energy_kcal: u32) -> LoggedMeal {
    meal(MealKind::Snack, "16:00", energy_kcal)
}

fn dinner(energy_kcal: u32) -> LoggedMeal {
    meal(MealKind::Dinner, "19:00", energy_kcal)
}

/// Two valid meals with this much energy together.
fn two_meals(energy_kcal: u32) -> Vec<LoggedMeal> {
    vec![lunch(energy_kcal / 2), dinner(energy_kcal - energy_kcal / 2)]
}

/// Mina's way through a challenge: each verdict and each event goes into her standing.
struct Mina {
    terms: Terms,
    standing: Standing,
    /// How many days were judged.
    judged: u16,
}

impl Mina {
    fn plays(terms: Terms) -> Self {
        let joined = Event::Joined { player: MINA, nickname: "미나".to_owned(), lives: terms.lives };
        Self { standing: standing::apply(None, &joined).unwrap(), terms, judged: 0 }
    }

    /// The next day that is to be judged.
    fn day(&self) -> u16 {
        self.judged + 1
    }

    fn takes(&mut self, event: &Event) {
        self.standing = standing::apply(Some(self.standing.clone()), event).unwrap();
    }

    /// A day ends with this log, and the referee judges it.
    fn ends_day_with<'a>(&mut self, facts: impl Into<DayFacts<'a>>) -> Ruling {
        let ruling = decide::judge(&self.terms, MINA, &self.standing, self.day(), facts);
        for event in &ruling.events {
            self.takes(event);
        }
        self.judged += 1;
        ruling
    }

    fn keeps_a_day(&mut self) -> &mut Self {
        assert_eq!(self.ends_day_with(&two_meals(1500)).verdict, Verdict::Kept);
        self
    }

    fn misses_a_day(&mut self) -> &mut Self {
        assert_eq!(self.ends_day_with(&[]).verdict, Verdict::Missed);
        self
    }

    /// One letter a day: `K` keeps it, `M` misses it.
    fn through(mut self, days: &str) -> Self {
        for day in days.chars() {
            match day {
                'K' => self.keeps_a_day(),
                _ => self.misses_a_day(),
            };
        }
        self
    }

    /// The log of a day is changed to this; what the board is told of it.
    fn logs(&mut self, day: u16, log: &[LoggedMeal]) -> Option<Event> {
        let event = decide::progress(&self.terms, MINA, &self.standing, day, log)?;
        self.takes(&event);
        Some(event)
    }

    fn leaves_at(&mut self, now: DateTime<Utc>) {
        let event = decide::leave(running(&self.terms, Some(&self.standing)), MINA, "미나", now).unwrap().unwrap();
        self.takes(&event);
    }
}

fn running<'a>(terms: &'a Terms, standing: Option<&'a Standing>) -> Entry<'a> {
    Entry {
        terms,
        status: lastbite_protocol::rest::ChallengeStatus::Running,
        seats_taken: 2,
        standing,
        safety: Safety::UNSTATED,
    }
}
