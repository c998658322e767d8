//! A whole challenge in memory, moved by any commands in any order, and what must hold after each of them.
//!
//! It is the server without its database: facts, a journal, and a referee who may come late.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use lastbite_protocol::{
    SortKey, Standing, Status, Terms, UserId, Verdict,
    rest::{ChallengeStatus, MealKind},
    socket::DayClock,
};
use proptest::prelude::*;

use super::{JUNHO, MINA, SORA, Wording, challenge, eaten};
use crate::{
    nutrition::safety::Safety,
    rules::{
        Event,
        day::Calendar,
        decide::{self, Entry, Tally},
        ranking, standing,
        verdict::LoggedMeal,
    },
};

#[derive(Clone, Copy, Debug)]
pub(super) enum Command {
    Join(UserId),
    Leave(UserId),
    Eat(UserId, MealKind, u32),
    /// The clock goes on by this many minutes.
    Wait(i64),
    /// The referee does all that is due.
    Referee,
}

pub(super) fn commands() -> impl Strategy<Value = Vec<Command>> {
    let player = || prop::sample::select(vec![MINA, JUNHO, SORA]);
    let command = prop_oneof![
        2 => player().prop_map(Command::Join),
        1 => player().prop_map(Command::Leave),
        8 => (player(), kind(), 0_u32..1700).prop_map(|(player, kind, kcal)| Command::Eat(player, kind, kcal)),
        6 => (1_i64..900).prop_map(Command::Wait),
        3 => Just(Command::Referee),
    ];
    prop::collection::vec(command, 0..60)
}

pub(super) fn kind() -> impl Strategy<Value = MealKind> {
    prop::sample::select(vec![MealKind::Breakfast, MealKind::Lunch, MealKind::Snack, MealKind::Dinner])
}

pub(super) struct Play {
    terms: Terms,
    now: DateTime<Utc>,
    status: ChallengeStatus,
    pub(super) standings: BTreeMap<UserId, Standing>,
    pub(super) journal: Vec<Event>,
    logs: BTreeMap<(UserId, u16), Vec<LoggedMeal>>,
    opened: u16,
    closed: u16,
}

impl Play {
    /// Two seats for three users, one meal a day, and the clock a few hours before the start.
    pub(super) fn with_lives(lives: u8) -> Self {
        let terms = challenge().with_seats(2).with_lives(lives).asking([super::calories(1400, 400), super::meals(1)]);
        Self {
            now: Calendar::of(&terms).starts_at() - TimeDelta::hours(4),
            terms,
            status: ChallengeStatus::Open,
            standings: BTreeMap::new(),
            journal: Vec::new(),
            logs: BTreeMap::new(),
            opened: 0,
            closed: 0,
        }
    }

    /// Does a command, and the same once more: the second time nothing may come of it.
    pub(super) fn does(&mut self, command: Command) {
        match command {
            Command::Join(player) => {
                let joined = self.join(player);
                self.commits(joined);
                assert_eq!(self.join(player), None, "joining again");
            }
            Command::Leave(player) => {
                let left = self.leave(player);
                self.commits(left);
                assert_eq!(self.leave(player), None, "leaving again");
            }
            Command::Eat(player, kind, energy_kcal) => {
                self.eats(player, eaten(kind, self.now, energy_kcal));
            }
            Command::Wait(minutes) => self.now += TimeDelta::minutes(minutes),
            Command::Referee => {
                self.referees();
                let told = self.journal.len();
                self.referees();
                assert_eq!(self.journal.len(), told, "the referee has nothing left to do");
            }
        }
        self.holds_together();
    }

    /// Time runs out, and the referee catches up over all deadlines at once.
    pub(super) fn ends(&mut self) {
        self.now = Calendar::of(&self.terms).ends_at() + TimeDelta::days(2);
        self.does(Command::Referee);
        assert!(matches!(self.status, ChallengeStatus::Finished | ChallengeStatus::Cancelled));
        assert!(self.status == ChallengeStatus::Cancelled || self.alive().is_empty(), "everyone's story has an end");
        assert!(self.standings.values().all(|standing| standing.open_days.is_empty()) || self.was_cancelled());
    }

    fn was_cancelled(&self) -> bool {
        self.status == ChallengeStatus::Cancelled
    }

    fn entry(&self, player: UserId) -> Entry<'_> {
        Entry {
            terms: &self.terms,
            status: self.status,
            seats_taken: u32::try_from(self.standings.len()).unwrap(),
            standing: self.standings.get(&player),
            safety: Safety::UNSTATED,
        }
    }

    fn join(&self, player: UserId) -> Option<Event> {
        decide::join(self.entry(player), player, "somebody", self.now).ok().flatten()
    }

    fn leave(&self, player: UserId) -> Option<Event> {
        decide::leave(self.entry(player), player, "player", self.now).ok().flatten()
    }

    fn eats(&mut self, player: UserId, meal: LoggedMeal) {
        let Some(standing) = self.standings.get(&player) else { return };
        if self.status != ChallengeStatus::Running {
            return;
        }
        let Some(DayClock { day, .. }) = decide::open_day_of(&self.terms, meal.eaten_at, self.now) else { return };
        let log = self.logs.entry((player, day)).or_default();
        log.push(meal);
        let told = decide::progress(&self.terms, player, standing, day, &*log);
        self.commits(told);
        let again = decide::progress(&self.terms, player, &self.standings[&player], day, &self.logs[&(player, day)]);
        assert_eq!(again, None, "the same log again");
    }

    fn referees(&mut self) {
        let clocks: Vec<_> = Calendar::of(&self.terms).clocks().collect();
        for clock in clocks {
            let playable = matches!(self.status, ChallengeStatus::Open | ChallengeStatus::Running);
            if playable && self.opened < clock.day && self.now >= clock.starts_at {
                self.opened = clock.day;
                let players = u32::try_from(self.standings.len()).unwrap();
                self.commits([decide::open(&self.terms, clock, players)]);
            }
            if self.status == ChallengeStatus::Running && self.closed < clock.day && self.now >= clock.closes_at {
                self.closed = clock.day;
                self.judges(clock);
            }
        }
    }

    fn judges(&mut self, clock: DayClock) {
        let mut tally = Tally::default();
        let judged: Vec<_> =
            self.standings.iter().filter(|(_, standing)| decide::is_judged(standing, clock)).map(|(p, _)| *p).collect();
        for player in judged {
            let log = self.logs.get(&(player, clock.day)).map_or(&[][..], Vec::as_slice);
            let ruling = decide::judge(&self.terms, player, &self.standings[&player], clock.day, log);
            match ruling.verdict {
                Verdict::Kept => tally.kept += 1,
                Verdict::Missed => tally.missed += 1,
                Verdict::Cheat | Verdict::Void => {}
            }
            let fell = Event::Eliminated { player, day: clock.day };
            tally.eliminated.extend(ruling.events.contains(&fell).then_some(player));
            self.commits(ruling.events);
        }
        tally.alive = self.standings.values().filter(|standing| is_in(standing)).count().try_into().unwrap();
        tally.leaders = self.leaders();
        self.commits(decide::close(&self.terms, clock.day, &tally));
    }

    /// All on rank 1.
    fn leaders(&self) -> Vec<UserId> {
        let mut board: Vec<(SortKey, UserId)> =
            self.standings.iter().map(|(player, standing)| (ranking::key(standing), *player)).collect();
        board.sort_unstable();
        let ranks = ranking::ranks(board.iter().map(|(key, _)| *key));
        ranks.zip(&board).filter(|(rank, _)| *rank == 1).map(|(_, (_, player))| *player).collect()
    }

    fn alive(&self) -> Vec<UserId> {
        let alive = |standing: &Standing| standing.status == Status::Alive;
        self.standings.iter().filter(|(_, standing)| alive(standing)).map(|(player, _)| *player).collect()
    }

    fn commits(&mut self, events: impl IntoIterator<Item = Event>) {
        for event in events {
            match &event {
                Event::DayOpened { .. } => self.status = ChallengeStatus::Running,
                Event::Cancelled { .. } => self.status = ChallengeStatus::Cancelled,
                Event::Finished { champions, champions_total, .. } => {
                    self.status = ChallengeStatus::Finished;
                    assert!(!champions.is_empty(), "a podium is never empty");
                    assert_eq!(usize::try_from(*champions_total).unwrap(), champions.len());
                }
                _ => {}
            }
            take(&mut self.standings, &event);
            self.journal.push(event);
        }
    }

    fn holds_together(&self) {
        assert!(self.standings.len() <= usize::try_from(self.terms.seats).unwrap(), "a seat for each");
        for standing in self.standings.values() {
            let Standing { status, lives_left, days_kept, days_missed, .. } = *standing;
            assert_eq!(u16::from(lives_left), u16::from(self.terms.lives).saturating_sub(days_missed));
            assert_eq!(status == Status::Eliminated, days_missed > u16::from(self.terms.lives), "{standing:?}");
            assert!(days_kept + days_missed <= self.closed, "judged when closed, and once");
            assert_eq!(status == Status::Eliminated, standing.eliminated_on.is_some());
            assert_eq!(status == Status::Left, standing.left_at.is_some());
            assert!(status == Status::Alive || standing.open_days.is_empty(), "who is out has nothing open");
            assert!(standing.open_days.iter().all(|open| open.day > self.closed), "what is judged is not open");
            assert!(standing.open_days.is_sorted_by(|one, next| one.day < next.day));
            assert!(status != Status::Alive || days_kept + days_missed == self.closed, "who is in is judged each day");
        }
    }
}

fn is_in(standing: &Standing) -> bool {
    matches!(standing.status, Status::Alive | Status::Survived)
}

/// What a holder of standings does with an event.
pub(super) fn take(standings: &mut BTreeMap<UserId, Standing>, event: &Event) {
    let Some(player) = event.player() else { return };
    if let Some(standing) = standing::apply(standings.remove(&player), event) {
        standings.insert(player, standing);
    }
}
