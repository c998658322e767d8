//! A node: a room that follows the story, and what its sockets do, without waiting.

use lastbite_protocol::{Row, socket::Counts};

use super::{
    super::{
        board::{Applied, Board, Changes},
        history::{After, Frame, History},
    },
    story::Story,
};
use crate::rules::Numbered;

/// Small, so that a reader is served in several turns.
const TICKS_AT_ONCE: usize = 2;

/// What a client is sent.
#[derive(Clone, Debug)]
pub(super) enum Message {
    Snapshot { n: u64, rows: Vec<Row>, counts: Counts },
    Tick(Changes),
}

#[derive(Debug)]
pub(super) struct Node {
    pub(super) board: Board,
    history: History<Changes>,
    /// Batches on their way to this node.
    pub(super) flying: Vec<Vec<Numbered>>,
}

/// How little a room remembers.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    pub(super) window: usize,
    pub(super) frames: usize,
    pub(super) size: usize,
}

impl Node {
    pub(super) fn open(story: &Story, bounds: Bounds) -> Self {
        let n = story.journal.len() as u64;
        Self {
            board: Board::open(n, story.heading(), story.players(), bounds.window),
            history: History::new(n, bounds.frames, bounds.size),
            flying: Vec::new(),
        }
    }

    pub(super) fn hears(&mut self, batch: &[Numbered], story: &Story) {
        if batch.iter().any(|event| self.board.apply(event) == Applied::Gap) {
            self.catches_up(story);
        }
    }

    pub(super) fn catches_up(&mut self, story: &Story) {
        while self.board.n() < story.journal.len() as u64 {
            for event in story.since(self.board.n()) {
                assert_eq!(self.board.apply(event), Applied::Applied);
            }
        }
    }

    pub(super) fn ticks(&mut self) {
        if self.board.has_changes() {
            let changes = self.board.take_changes();
            let bytes = 1 + changes.rows.len() + changes.events.len();
            self.history.push(Frame { from: changes.from, n: changes.n, bytes, payload: changes });
        }
    }

    /// As a room is read: ticks that build on the number, or else a board once there is one that ticks can build on.
    fn read(&self, cursor: Option<u64>) -> Vec<Message> {
        match cursor.map_or(After::Lost, |n| self.history.after(n, TICKS_AT_ONCE)) {
            After::UpToDate => Vec::new(),
            After::Frames(frames) => frames.into_iter().map(|frame| Message::Tick(frame.payload)).collect(),
            After::Lost if self.board.has_changes() => Vec::new(),
            After::Lost => {
                let (picture, counts) = self.board.picture(true);
                vec![Message::Snapshot { n: self.board.n(), rows: picture.rows, counts }]
            }
        }
    }

    /// As a socket is served: everything after its cursor. The journal answers only so many times.
    pub(super) fn deliver(&self, cursor: &mut Option<u64>, story: &Story, mut journal_answers: usize) -> Vec<Message> {
        let mut sent = Vec::new();
        loop {
            let messages = self.read(*cursor);
            match messages.last() {
                None => return sent,
                Some(Message::Tick(tick)) => *cursor = Some(tick.n),
                Some(Message::Snapshot { n, .. }) => {
                    if let Some(own) = cursor.filter(|own| own < n)
                        && !self.tells_missed(own, *n, story, &mut journal_answers, &mut sent)
                    {
                        return sent;
                    }
                    *cursor = Some(*n);
                }
            }
            sent.extend(messages);
        }
    }

    /// Missed events from the journal, some at a time. The number stays, for the rows do: only the board moves it.
    fn tells_missed(&self, own: u64, until: u64, story: &Story, answers: &mut usize, sent: &mut Vec<Message>) -> bool {
        let mut seen = own;
        while seen < until {
            if *answers == 0 {
                return false;
            }
            *answers -= 1;
            let missed: Vec<_> = story.since(seen).iter().filter(|event| event.n <= until).collect();
            seen = missed.last().map_or(until, |event| event.n);
            let events = missed.into_iter().filter_map(|event| self.board.show(event)).collect();
            let (_, counts) = self.board.picture(false);
            let nothing = Changes { from: own, n: own, rows: Vec::new(), removed: Vec::new(), events, counts };
            sent.push(Message::Tick(nothing));
        }
        true
    }
}
