//! A challenge played at random, by the rules, and its journal.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use lastbite_protocol::{
    ChallengeId, Progress, Standing, Status, Stream, UserId, Verdict,
    rest::ChallengeStatus,
    socket::{DayClock, NumberedEvent},
};
use uuid::Uuid;

use super::super::board::{Applied, Board, Heading};
use crate::{
    journal::Loaded,
    rules::{Event, Numbered, ranking, standing},
};

const DAYS: u16 = 3;
const LIVES: u8 = 1;
/// Small, so that whoever asks has to ask again.
const EVENTS_AT_ONCE: usize = 4;

/// What players and the referee do.
#[derive(Clone, Copy, Debug)]
pub(super) enum Move {
    Join(u8),
    Leave(u8),
    Eat(u8, u32),
    /// The referee begins the first day, or judges some players of the day: one bit each says who kept it.
    Judge {
        players: usize,
        kept: u16,
    },
}

#[derive(Debug)]
pub(super) struct Story {
    pub(super) journal: Vec<Numbered>,
    pub(super) standings: BTreeMap<UserId, (String, Standing)>,
    status: ChallengeStatus,
    day: Option<DayClock>,
    judged: Vec<UserId>,
    joined: u32,
}

impl Story {
    pub(super) fn new() -> Self {
        Self {
            journal: Vec::new(),
            standings: BTreeMap::new(),
            status: ChallengeStatus::Open,
            day: None,
            judged: Vec::new(),
            joined: 0,
        }
    }

    fn heading(&self) -> Heading {
        let title = "세 번의 하루".to_owned();
        Heading { title, days: DAYS, lives: LIVES, starts_at: second(0), status: self.status, day: self.day }
    }

    pub(super) fn stream(&self) -> Stream {
        Stream::Challenge(ChallengeId(Uuid::from_u128(7)))
    }

    /// As it is read from the journal at this moment, with the last few events.
    pub(super) fn loaded(&self, recent: usize) -> Loaded {
        let terms = serde_json::from_value(serde_json::json!({
            "first_day": "2026-01-01", "days": DAYS, "lives": LIVES, "requirements": [{ "kind": "meals" }],
        }));
        let Heading { title, starts_at, status, day, .. } = self.heading();
        Loaded {
            n: self.journal.len() as u64,
            title,
            terms: terms.unwrap(),
            status,
            starts_at,
            day,
            players: self.players(),
            recent: self.journal[self.journal.len().saturating_sub(recent)..].to_vec(),
        }
    }

    fn players(&self) -> Vec<(UserId, String, Standing)> {
        self.standings.iter().map(|(id, (name, standing))| (*id, name.clone(), standing.clone())).collect()
    }

    fn is(&self, player: UserId, status: Status) -> bool {
        self.standings.get(&player).is_some_and(|(_, standing)| standing.status == status)
    }

    /// Commits what a move means, if anything, and answers the batch.
    pub(super) fn commits(&mut self, what: Move) -> Vec<Numbered> {
        let before = self.journal.len();
        match (self.status, what) {
            (ChallengeStatus::Open, Move::Join(player)) if !self.standings.contains_key(&id(player)) => {
                // Who comes back may have another name.
                self.joined += 1;
                let nickname = format!("player{player}_{}", self.joined);
                self.append(Event::Joined { player: id(player), nickname, lives: LIVES });
            }
            (ChallengeStatus::Open, Move::Leave(player)) if self.standings.contains_key(&id(player)) => {
                let nickname = self.name_of(player);
                self.append(Event::Left { player: id(player), nickname, left_at: second(before), day: None });
            }
            (ChallengeStatus::Open, Move::Judge { .. }) => self.opens(1),
            (ChallengeStatus::Running, Move::Leave(player)) if self.is(id(player), Status::Alive) => {
                let day = self.day.map(|clock| clock.day);
                let nickname = self.name_of(player);
                self.append(Event::Left { player: id(player), nickname, left_at: second(before), day });
            }
            (ChallengeStatus::Running, Move::Eat(player, points)) if self.may_eat(id(player)) => {
                let day = self.day.map_or(1, |clock| clock.day);
                self.append(Event::Progressed { player: id(player), day, progress: Progress::OnTrack, points });
            }
            (ChallengeStatus::Running, Move::Judge { players, kept }) => self.judges(players, kept),
            _ => {}
        }
        self.journal[before..].to_vec()
    }

    fn may_eat(&self, player: UserId) -> bool {
        self.is(player, Status::Alive) && !self.judged.contains(&player)
    }

    fn opens(&mut self, day: u16) {
        if self.standings.len() < 2 {
            self.status = ChallengeStatus::Cancelled;
            return self.append(Event::Cancelled { players: u32::try_from(self.standings.len()).unwrap() });
        }
        let at = self.journal.len();
        let clock = DayClock { day, starts_at: second(at), ends_at: second(at + 1), closes_at: second(at + 2) };
        self.status = ChallengeStatus::Running;
        self.day = Some(clock);
        self.judged.clear();
        self.append(Event::DayOpened { clock });
    }

    /// Judges the next players of the day; after the last of them closes it and opens the next.
    fn judges(&mut self, players: usize, kept: u16) {
        let day = self.day.map_or(1, |clock| clock.day);
        let mut due: Vec<_> = self.standings.keys().copied().filter(|player| self.may_eat(*player)).collect();
        let rest = due.split_off(players.min(due.len()));
        for (place, player) in due.into_iter().enumerate() {
            let lives_left = self.standings[&player].1.lives_left;
            let kept = kept >> place & 1 == 1;
            let (verdict, points) = if kept { (Verdict::Kept, 66) } else { (Verdict::Missed, 0) };
            self.append(Event::Judged { player, day, verdict, points, deviation_permille: 5 });
            if !kept && lives_left == 0 {
                self.append(Event::Eliminated { player, day });
            } else if day == DAYS {
                self.append(Event::Survived { player });
            }
            self.judged.push(player);
        }
        if rest.is_empty() {
            self.closes(day);
        }
    }

    fn closes(&mut self, day: u16) {
        let of = |status| self.standings.values().filter(|(_, standing)| standing.status == status).count();
        let (alive, out) = (of(Status::Alive) + of(Status::Survived), of(Status::Eliminated));
        let [alive, out] = [alive, out].map(|count| u32::try_from(count).unwrap());
        self.append(Event::DayClosed { day, kept: alive, missed: out, eliminated: out, alive });
        if day == DAYS || alive == 0 {
            self.status = ChallengeStatus::Finished;
            let best = self.standings.iter().min_by_key(|(id, (_, standing))| (ranking::key(standing), **id));
            let champions: Vec<_> = best.map(|(id, _)| *id).into_iter().collect();
            self.append(Event::Finished { champions, champions_total: 1, survivors: alive });
            self.day = None;
        } else {
            self.opens(day + 1);
        }
    }

    fn name_of(&self, player: u8) -> String {
        self.standings[&id(player)].0.clone()
    }

    fn append(&mut self, event: Event) {
        if let Some(player) = event.player() {
            let (name, before) = self.standings.remove(&player).unzip();
            let name = match &event {
                Event::Joined { nickname, .. } => Some(nickname.clone()),
                _ => name,
            };
            if let (Some(name), Some(standing)) = (name, standing::apply(before, &event)) {
                self.standings.insert(player, (name, standing));
            }
        }
        let n = self.journal.len() as u64 + 1;
        self.journal.push(Numbered { n, at: second(self.journal.len()), event });
    }

    /// What the journal answers: the events after `n`, a few at a time.
    pub(super) fn since(&self, n: u64) -> &[Numbered] {
        let after = &self.journal[usize::try_from(n).unwrap()..];
        &after[..after.len().min(EVENTS_AT_ONCE)]
    }

    /// The board that a replay from the first event gives, and all that everybody may see on the way.
    pub(super) fn replayed(&self, window: usize) -> (Board, Vec<NumberedEvent>) {
        let heading = Heading { status: ChallengeStatus::Open, day: None, ..self.heading() };
        let mut board = Board::open(0, heading, Vec::new(), window);
        for event in &self.journal {
            assert_eq!(board.apply(event), Applied::Applied);
        }
        let events = board.take_changes().events;
        (board, events)
    }
}

pub(super) fn id(player: u8) -> UserId {
    UserId(Uuid::from_u128(u128::from(player) + 1))
}

fn second(at: usize) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::seconds(i64::try_from(at).unwrap())
}
