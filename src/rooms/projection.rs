//! What a room holds of its challenge, and what a reader gets of it next: the board, the ticks it told, the events told
//! lately. No task, no lock, no waiting; the messages are encoded here, once for all readers of a window.

use std::collections::HashMap;

use axum::extract::ws::Utf8Bytes;
use lastbite_protocol::{
    Row, Stream, UserId,
    socket::{Counts, NumberedEvent, ServerMessage, Window},
};

use super::{
    board::{Applied, Board, Heading, Place},
    history::{After, Frame, History, Lately},
};
use crate::{
    journal::Loaded,
    limits,
    rules::{Event, Numbered},
};

/// How much is remembered and shown; [`limits`] has the server's own, tests use less.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    pub window_rows: usize,
    pub frames: usize,
    pub bytes: usize,
    pub events: usize,
}

impl Bounds {
    /// The server's.
    pub const SERVER: Self = Self {
        window_rows: limits::WINDOW_ROWS,
        frames: limits::HISTORY_FRAMES_MAX,
        bytes: limits::HISTORY_BYTES_MAX,
        events: limits::EVENTS_REMEMBERED_MAX,
    };
}

/// A challenge in memory.
#[derive(Debug)]
pub struct Projection {
    stream: Stream,
    board: Board,
    history: History<Texts>,
    lately: Lately,
    /// The board as text, at the number of some tick.
    snapshots: [Option<(u64, Utf8Bytes)>; 2],
    /// Somebody waits for a board of this window: the next tick makes one.
    wanted: [bool; 2],
    missed: MissedTexts,
    bounds: Bounds,
    /// Somebody's name is to be told no more.
    has_to_forget: bool,
}

/// A tick as it goes out, encoded once for every reader of a window.
#[derive(Clone, Debug)]
struct Texts {
    top: Utf8Bytes,
    around: Utf8Bytes,
}

/// Missed events as text, for the many who were cut off at the same moment: by the number they had seen, at one board.
#[derive(Debug, Default)]
struct MissedTexts {
    n: u64,
    texts: HashMap<u64, Vec<Utf8Bytes>>,
}

/// What a reader gets next.
#[derive(Debug)]
pub enum Delivery {
    UpToDate,
    /// Ticks up to `n`.
    Ticks {
        texts: Vec<Utf8Bytes>,
        n: u64,
    },
    /// A board at `n`: for a reader without a number, or one whose number is not remembered.
    Snapshot {
        text: Utf8Bytes,
        n: u64,
        missed: Missed,
    },
}

/// The events between a reader's number and the board that it gets. Rows are state, and a board replaces them; events
/// must arrive.
#[derive(Debug)]
pub enum Missed {
    /// To be told before the board; none for a reader without a number.
    Told(Vec<Utf8Bytes>),
    /// Older than the room remembers: ask the journal.
    InJournal,
}

impl Projection {
    /// As it was loaded, in one snapshot of the database.
    #[must_use]
    pub fn open(stream: Stream, loaded: Loaded, bounds: Bounds) -> Self {
        let heading = Heading {
            title: loaded.title,
            days: loaded.terms.days,
            lives: loaded.terms.lives,
            starts_at: loaded.starts_at,
            status: loaded.status,
            day: loaded.day,
        };
        let board = Board::open(loaded.n, heading, loaded.players, bounds.window_rows);
        // What happened before the room was opened, so that those who come back to a fresh room need no query each.
        let mut lately = Lately::new(loaded.n - loaded.recent.len() as u64, bounds.events);
        lately.extend(&loaded.recent.iter().filter_map(|event| board.show(event)).collect::<Vec<_>>());
        Self {
            stream,
            board,
            history: History::new(loaded.n, bounds.frames, bounds.bytes),
            lately,
            snapshots: [None, None],
            wanted: [false; 2],
            missed: MissedTexts::default(),
            bounds,
            has_to_forget: false,
        }
    }

    /// The number of the last event in it.
    #[must_use]
    pub const fn n(&self) -> u64 {
        self.board.n()
    }

    /// Whether a tick is due.
    #[must_use]
    pub const fn has_changes(&self) -> bool {
        self.board.has_changes()
    }

    /// A player's own place.
    #[must_use]
    pub fn place(&self, player: UserId) -> Option<Place> {
        self.board.place(player, limits::AROUND_ROWS)
    }

    /// Takes the next event of the stream. Answers what it was, and whether a tick that had grown as large as it may be
    /// went out before its time.
    pub fn apply(&mut self, event: &Numbered) -> (Applied, bool) {
        let applied = self.board.apply(event);
        self.has_to_forget |= applied == Applied::Applied && matches!(event.event, Event::Withdrawn { .. });
        let full = self.board.events_to_tell() >= limits::EVENTS_PER_TICK_MAX;
        if full {
            self.tick();
        }
        (applied, full)
    }

    /// Puts what changed into one frame, encoded once, and into history.
    pub fn tick(&mut self) {
        if !self.board.has_changes() {
            return;
        }
        let changes = self.board.take_changes();
        if std::mem::take(&mut self.has_to_forget) {
            return self.forget(changes.n);
        }
        self.lately.extend(&changes.events);
        let numbers = (changes.from, changes.n);
        let around = self.tick_text(numbers, (Vec::new(), Vec::new()), changes.events.clone(), changes.counts);
        let top = self.tick_text(numbers, (changes.rows, changes.removed), changes.events, changes.counts);
        let bytes = top.len() + around.len();
        metrics::counter!("lastbite_ticks_total").increment(1);
        self.history.push(Frame { from: changes.from, n: changes.n, bytes, payload: Texts { top, around } });
        for window in [Window::Top, Window::Around] {
            if std::mem::take(&mut self.wanted[slot(window)]) {
                self.encode_snapshot(window);
            }
        }
    }

    /// Forgets what was told, up to the board's number. Readers get a board, and what they missed from the journal, where
    /// the name is gone.
    fn forget(&mut self, n: u64) {
        self.lately = Lately::new(n, self.bounds.events);
        self.history = History::new(n, self.bounds.frames, self.bounds.bytes);
        self.missed = MissedTexts::default();
        self.snapshots = [None, None];
        self.encode_snapshot(Window::Top);
        self.encode_snapshot(Window::Around);
        self.wanted = [false; 2];
    }

    /// What a reader that has seen `cursor` gets next. At most `most` ticks, so that one reader cannot hold the room.
    #[must_use]
    pub fn read(&mut self, cursor: Option<u64>, window: Window, most: usize) -> Delivery {
        match cursor.map_or(After::Lost, |n| self.history.after(n, most)) {
            After::UpToDate => Delivery::UpToDate,
            After::Frames(frames) => {
                let n = frames.last().map_or(0, |frame| frame.n);
                let text = |frame: Frame<Texts>| match window {
                    Window::Top => frame.payload.top,
                    Window::Around => frame.payload.around,
                };
                Delivery::Ticks { texts: frames.into_iter().map(text).collect(), n }
            }
            After::Lost => self.read_board(cursor, window),
        }
    }

    /// A whole board, for a reader whose rows are of no use, with the events that it missed.
    #[must_use]
    pub fn read_board(&mut self, cursor: Option<u64>, window: Window) -> Delivery {
        let Some((n, text)) = self.snapshot(window, cursor.unwrap_or(0)) else { return Delivery::UpToDate };
        let missed = match cursor.filter(|seen| *seen < n) {
            None => Missed::Told(Vec::new()),
            Some(seen) => match self.lately.between(seen, n) {
                Some(events) => Missed::Told(self.missed_texts(seen, n, &events)),
                None => Missed::InJournal,
            },
        };
        Delivery::Snapshot { text, n, missed }
    }

    /// Events from the journal as a viewer may see them, for a reader that has seen up to `seen`.
    #[must_use]
    pub fn tell(&self, seen: u64, events: &[Numbered]) -> Vec<Utf8Bytes> {
        let shown: Vec<_> = events.iter().filter_map(|event| self.board.show(event)).collect();
        self.tell_shown(seen, &shown)
    }

    /// A board at a number that ticks build on, not older than what the reader has `seen`. While the board has moved on
    /// since the last tick there may be none, and the next tick makes one: in a busy challenge a reader that waited for a
    /// still moment would wait for ever.
    fn snapshot(&mut self, window: Window, seen: u64) -> Option<(u64, Utf8Bytes)> {
        let kept = self.snapshots[slot(window)].as_ref();
        if self.board.has_changes() {
            self.wanted[slot(window)] = true;
            let is_near = |n| self.history.ticks_after(n).is_some_and(|ticks| ticks <= limits::SNAPSHOT_TICKS_OLD_MAX);
            return kept.filter(|(n, _)| *n >= seen && is_near(*n)).cloned();
        }
        match kept {
            Some((n, text)) if *n == self.board.n() => Some((*n, text.clone())),
            _ => Some(self.encode_snapshot(window)),
        }
    }

    fn encode_snapshot(&mut self, window: Window) -> (u64, Utf8Bytes) {
        let n = self.board.n();
        let (board, counts) = self.board.picture(window == Window::Top);
        let text = text_of(&ServerMessage::Snapshot { stream: self.stream, n, board, counts });
        metrics::counter!("lastbite_snapshots_encoded_total").increment(1);
        self.snapshots[slot(window)] = Some((n, text.clone()));
        (n, text)
    }

    fn missed_texts(&mut self, seen: u64, n: u64, events: &[NumberedEvent]) -> Vec<Utf8Bytes> {
        if self.missed.n != n {
            self.missed = MissedTexts { n, texts: HashMap::new() };
        }
        if let Some(texts) = self.missed.texts.get(&seen) {
            return texts.clone();
        }
        let texts = self.tell_shown(seen, events);
        if self.missed.texts.len() < limits::MISSED_TEXTS_MAX {
            self.missed.texts.insert(seen, texts.clone());
        }
        texts
    }

    /// Missed events as ticks that stay at the reader's number: only the board that follows has the rows, so only it may
    /// move the number. A reader whose line breaks between the two is told again, and knows the events by theirs.
    fn tell_shown(&self, seen: u64, events: &[NumberedEvent]) -> Vec<Utf8Bytes> {
        let (_, counts) = self.board.picture(false);
        let tell =
            |part: &[NumberedEvent]| self.tick_text((seen, seen), (Vec::new(), Vec::new()), part.to_vec(), counts);
        events.chunks(limits::EVENTS_PER_TICK_MAX).map(tell).collect()
    }

    fn tick_text(
        &self,
        (from, n): (u64, u64),
        (rows, removed): (Vec<Row>, Vec<UserId>),
        events: Vec<NumberedEvent>,
        counts: Counts,
    ) -> Utf8Bytes {
        text_of(&ServerMessage::Tick { stream: self.stream, from, n, rows, removed, events, counts })
    }

    #[cfg(test)]
    pub(super) const fn board(&self) -> &Board {
        &self.board
    }
}

const fn slot(window: Window) -> usize {
    match window {
        Window::Top => 0,
        Window::Around => 1,
    }
}

/// A message as text. Our own types always can be written; an empty object would be passed over by every client.
pub(super) fn text_of(message: &ServerMessage) -> Utf8Bytes {
    match serde_json::to_string(message) {
        Ok(text) => text.into(),
        Err(error) => {
            tracing::error!(%error, "a message could not be written");
            Utf8Bytes::from_static("{}")
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use lastbite_protocol::{ChallengeId, rest::ChallengeStatus};
    use uuid::Uuid;

    use super::*;
    use crate::rules::Event;

    fn open() -> Projection {
        let terms = serde_json::json!({ "first_day": "2026-01-01", "days": 3, "requirements": [{ "kind": "meals" }] });
        let loaded = Loaded {
            n: 0,
            title: "일주일".to_owned(),
            terms: serde_json::from_value(terms).unwrap(),
            status: ChallengeStatus::Open,
            starts_at: DateTime::UNIX_EPOCH,
            day: None,
            players: Vec::new(),
            recent: Vec::new(),
        };
        Projection::open(Stream::Challenge(ChallengeId(Uuid::nil())), loaded, Bounds::SERVER)
    }

    fn join(projection: &mut Projection) {
        let (n, player) = (projection.n() + 1, UserId::generate());
        let event = Event::Joined { player, nickname: "mina".to_owned(), lives: 2 };
        assert_eq!(projection.apply(&Numbered { n, at: DateTime::UNIX_EPOCH, event }).0, Applied::Applied);
    }

    #[test]
    fn in_a_challenge_that_never_rests_a_newcomer_gets_a_board_with_the_next_tick() {
        let mut projection = open();
        join(&mut projection);
        let waits = projection.read(None, Window::Top, 32);
        assert!(matches!(waits, Delivery::UpToDate), "between two ticks there is none: {waits:?}");
        projection.tick();
        // The board has moved on before the newcomer has its turn.
        join(&mut projection);
        let Delivery::Snapshot { n: 1, .. } = projection.read(None, Window::Top, 32) else { panic!("a board") };
        projection.tick();
        let Delivery::Ticks { n: 2, .. } = projection.read(Some(1), Window::Top, 32) else { panic!("it goes on") };
        // A board that is older than what a reader has seen is not for that reader.
        join(&mut projection);
        assert!(matches!(projection.read_board(Some(3), Window::Top), Delivery::UpToDate));
    }

    #[test]
    fn all_readers_of_a_window_share_one_text() {
        let mut projection = open();
        join(&mut projection);
        projection.tick();
        let at = |delivery: Delivery| match delivery {
            Delivery::Ticks { texts, .. } => texts[0].as_str().as_ptr(),
            Delivery::Snapshot { text, .. } => text.as_str().as_ptr(),
            Delivery::UpToDate => panic!("there is something to read"),
        };
        for cursor in [Some(0), None] {
            for window in [Window::Top, Window::Around] {
                let (one, other) = (projection.read(cursor, window, 32), projection.read(cursor, window, 32));
                assert_eq!(at(one), at(other));
            }
        }
    }

    #[test]
    fn who_comes_back_to_a_fresh_room_is_told_what_it_remembers() {
        let mut before = open();
        let players: Vec<_> = (0..3).map(|_| UserId::generate()).collect();
        let joined = |(n, player): (u64, &UserId)| Numbered {
            n,
            at: DateTime::UNIX_EPOCH,
            event: Event::Joined { player: *player, nickname: "mina".to_owned(), lives: 2 },
        };
        let recent: Vec<_> = (1..).zip(&players).map(joined).collect();
        before.lately = Lately::new(0, 10);
        before.lately.extend(&recent.iter().filter_map(|event| before.board.show(event)).collect::<Vec<_>>());
        for event in &recent {
            before.board.apply(event);
        }
        before.board.take_changes();
        before.history = History::new(3, 10, 1000);
        let Delivery::Snapshot { n: 3, missed: Missed::Told(told), .. } = before.read(Some(1), Window::Top, 32) else {
            panic!("a board, and what was missed")
        };
        assert_eq!(told.len(), 1);
        assert_eq!(told[0].as_str().matches("joined").count(), 2, "{}", told[0].as_str());
    }
}
