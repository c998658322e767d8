//! A challenge's board in memory: standings in order, and what changed since the last tick. PURE.
//!
//! It is opened from stored standings at a number and follows the stream event by event. Two boards at the same number
//! are the same.

use std::collections::{BTreeSet, HashMap, HashSet};

use chrono::{DateTime, Utc};
use lastbite_protocol::{
    Row, Standing, Status, UserId,
    rest::ChallengeStatus,
    socket::{Board as Picture, Counts, DayClock, NumberedEvent, RankedRow},
};

use super::{ladder::Ladder, push};
use crate::rules::{Event, Numbered, ranking, standing};

/// What a board shows beside its rows.
#[derive(Clone, Debug)]
pub struct Heading {
    pub title: String,
    pub days: u16,
    pub lives: u8,
    pub starts_at: DateTime<Utc>,
    pub status: ChallengeStatus,
    pub day: Option<DayClock>,
}

#[derive(Debug)]
struct Player {
    nickname: Box<str>,
    standing: Standing,
}

/// The live board of a challenge.
#[derive(Debug)]
pub struct Board {
    n: u64,
    heading: Heading,
    players: HashMap<UserId, Player>,
    ladder: Ladder,
    counts: Counts,
    /// How many rows viewers see.
    window: usize,
    /// The window as the last tick left it.
    shown: Vec<UserId>,
    pending: Pending,
}

/// What happened since the last tick.
#[derive(Debug, Default)]
struct Pending {
    from: u64,
    touched: HashSet<UserId>,
    removed: BTreeSet<UserId>,
    events: Vec<NumberedEvent>,
}

/// What an event was to the board.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Applied {
    /// The next one: the board has moved.
    Applied,
    /// Known already.
    Duplicate,
    /// Some before it are missing: ask the journal.
    Gap,
}

/// What a tick carries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changes {
    pub from: u64,
    pub n: u64,
    /// Rows of the window that changed or came into it, and those that changed and went out of it.
    pub rows: Vec<Row>,
    pub removed: Vec<UserId>,
    pub events: Vec<NumberedEvent>,
    pub counts: Counts,
}

/// A player's own place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    pub n: u64,
    pub standing: Standing,
    pub rank: u32,
    pub around: Vec<RankedRow>,
}

impl Board {
    /// A board at number `n`.
    #[must_use]
    pub fn open(n: u64, heading: Heading, players: Vec<(UserId, String, Standing)>, window: usize) -> Self {
        let ladder = Ladder::of(players.iter().map(|(id, _, standing)| (ranking::key(standing), *id)).collect());
        let mut counts = Counts::default();
        for (.., standing) in &players {
            count(&mut counts, standing.status, 1);
        }
        let players = players
            .into_iter()
            .map(|(id, nickname, standing)| (id, Player { nickname: nickname.into(), standing }))
            .collect();
        let pending = Pending { from: n, ..Pending::default() };
        let mut board = Self { n, heading, players, ladder, counts, window, shown: Vec::new(), pending };
        board.shown = board.top();
        board
    }

    /// The number of the last event in it.
    #[must_use]
    pub const fn n(&self) -> u64 {
        self.n
    }

    /// Whether anything happened since the last tick.
    #[must_use]
    pub const fn has_changes(&self) -> bool {
        self.n > self.pending.from
    }

    /// How many events the next tick will tell.
    #[must_use]
    pub const fn events_to_tell(&self) -> usize {
        self.pending.events.len()
    }

    /// Takes the next event of the stream.
    pub fn apply(&mut self, numbered: &Numbered) -> Applied {
        if numbered.n <= self.n {
            return Applied::Duplicate;
        }
        if numbered.n != self.n + 1 {
            return Applied::Gap;
        }
        self.n = numbered.n;
        let event = self.show(numbered);
        self.pending.events.extend(event);
        self.move_heading(&numbered.event);
        if let Some(player) = numbered.event.player() {
            self.move_player(player, &numbered.event);
        }
        Applied::Applied
    }

    /// An event of this stream as a viewer may see it.
    #[must_use]
    pub fn show(&self, numbered: &Numbered) -> Option<NumberedEvent> {
        push::visible(numbered, |player| {
            self.players.get(&player).map(|player| player.nickname.to_string()).unwrap_or_default()
        })
    }

    fn move_heading(&mut self, event: &Event) {
        match event {
            Event::DayOpened { clock } => {
                self.heading.status = ChallengeStatus::Running;
                self.heading.day = Some(*clock);
            }
            Event::Finished { .. } => (self.heading.status, self.heading.day) = (ChallengeStatus::Finished, None),
            Event::Cancelled { .. } => (self.heading.status, self.heading.day) = (ChallengeStatus::Cancelled, None),
            _ => {}
        }
    }

    fn move_player(&mut self, id: UserId, event: &Event) {
        let before = self.players.remove(&id);
        if let Some(player) = &before {
            self.ladder.remove(&(ranking::key(&player.standing), id));
            count(&mut self.counts, player.standing.status, -1);
        }
        let (nickname, old) = match (before, event) {
            (_, Event::Joined { nickname, .. }) => (nickname.as_str().into(), None),
            (Some(player), Event::Withdrawn { .. }) => (Event::NAME_OF_WITHDRAWN.into(), Some(player.standing)),
            (Some(player), _) => (player.nickname, Some(player.standing)),
            (None, _) => (Box::default(), None),
        };
        if let Some(standing) = standing::apply(old, event) {
            self.ladder.insert((ranking::key(&standing), id));
            count(&mut self.counts, standing.status, 1);
            self.players.insert(id, Player { nickname, standing });
            self.pending.touched.insert(id);
            self.pending.removed.remove(&id);
        } else {
            self.pending.touched.remove(&id);
            self.pending.removed.insert(id);
        }
    }

    /// What changed since the last call, for a tick.
    pub fn take_changes(&mut self) -> Changes {
        let pending = std::mem::take(&mut self.pending);
        self.pending.from = self.n;
        let top = self.top();
        let before = std::mem::replace(&mut self.shown, top);
        let shown_before: HashSet<_> = before.iter().collect();
        let shown_now: HashSet<_> = self.shown.iter().collect();
        let came = self.shown.iter().filter(|id| pending.touched.contains(id) || !shown_before.contains(id));
        let went = before.iter().filter(|id| pending.touched.contains(id) && !shown_now.contains(id));
        let rows = came.chain(went).filter_map(|id| self.row(*id)).collect();
        Changes {
            from: pending.from,
            n: self.n,
            rows,
            removed: pending.removed.into_iter().collect(),
            events: pending.events,
            counts: self.counts,
        }
    }

    /// The board as it is, with the rows of the window or with none.
    #[must_use]
    pub fn picture(&self, with_rows: bool) -> (Picture, Counts) {
        let rows = if with_rows { self.top().into_iter().filter_map(|id| self.row(id)).collect() } else { Vec::new() };
        let Heading { title, days, lives, starts_at, status, day } = self.heading.clone();
        let window = u32::try_from(self.window).unwrap_or(u32::MAX);
        (Picture { title, status, days, lives, day, starts_at, window, rows }, self.counts)
    }

    /// A player's own place, with the rows next to theirs.
    #[must_use]
    pub fn place(&self, id: UserId, rows_each_side: usize) -> Option<Place> {
        let standing = &self.players.get(&id)?.standing;
        let key = ranking::key(standing);
        let position = self.ladder.position_of(&(key, id));
        let from = position.saturating_sub(rows_each_side);
        let rank = |key| u32::try_from(self.ladder.rank_of(key)).unwrap_or(u32::MAX);
        let around = self.ladder.from(from).take(position - from + rows_each_side + 1);
        let around = around.filter_map(|(key, id)| Some(RankedRow { rank: rank(*key), row: self.row(*id)? })).collect();
        Some(Place { n: self.n, standing: standing.clone(), rank: rank(key), around })
    }

    /// Every player's standing, in the order of the board.
    pub fn standings(&self) -> impl Iterator<Item = (UserId, &Standing)> {
        self.ladder.from(0).filter_map(|(_, id)| Some((*id, &self.players.get(id)?.standing)))
    }

    fn top(&self) -> Vec<UserId> {
        self.ladder.from(0).take(self.window).map(|(_, id)| *id).collect()
    }

    fn row(&self, id: UserId) -> Option<Row> {
        let player = self.players.get(&id)?;
        Some(standing::row(id, &player.nickname, &player.standing))
    }
}

fn count(counts: &mut Counts, status: Status, by: i32) {
    let of_status = match status {
        Status::Alive | Status::Survived => &mut counts.alive,
        Status::Eliminated => &mut counts.out,
        Status::Left => &mut counts.left,
    };
    *of_status = of_status.saturating_add_signed(by);
    counts.players = counts.players.saturating_add_signed(by);
}
