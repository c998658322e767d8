//! A node: a room's projection that follows the story, and what its sockets do, without waiting.

use lastbite_protocol::socket::{ServerMessage, Window};

use super::{
    super::{
        board::{Applied, Board},
        projection::{Bounds, Delivery, Missed, Projection},
    },
    story::Story,
};
use crate::rules::Numbered;

/// Small, so that a reader is served in several turns.
const TICKS_AT_ONCE: usize = 2;

#[derive(Debug)]
pub(super) struct Node {
    projection: Projection,
    /// Batches on their way to this node.
    pub(super) flying: Vec<Vec<Numbered>>,
}

impl Node {
    pub(super) fn open(story: &Story, bounds: Bounds) -> Self {
        let projection = Projection::open(story.stream(), story.loaded(bounds.events), bounds);
        Self { projection, flying: Vec::new() }
    }

    pub(super) const fn board(&self) -> &Board {
        self.projection.board()
    }

    pub(super) fn hears(&mut self, batch: &[Numbered], story: &Story) {
        if batch.iter().any(|event| self.projection.apply(event).0 == Applied::Gap) {
            self.catches_up(story);
        }
    }

    pub(super) fn catches_up(&mut self, story: &Story) {
        while self.projection.n() < story.journal.len() as u64 {
            for event in story.since(self.projection.n()) {
                assert_eq!(self.projection.apply(event).0, Applied::Applied);
            }
        }
    }

    pub(super) fn ticks(&mut self) {
        self.projection.tick();
    }

    /// As a socket is served: everything after its cursor. The journal answers only so many times.
    pub(super) fn deliver(
        &mut self,
        cursor: &mut Option<u64>,
        story: &Story,
        mut journal_answers: usize,
    ) -> Vec<ServerMessage> {
        let mut sent = Vec::new();
        loop {
            match self.projection.read(*cursor, Window::Top, TICKS_AT_ONCE) {
                Delivery::UpToDate => break,
                Delivery::Ticks { texts, n } => {
                    sent.extend(texts);
                    *cursor = Some(n);
                }
                Delivery::Snapshot { text, n, missed } => {
                    match missed {
                        Missed::Told(told) => sent.extend(told),
                        Missed::InJournal => {
                            let own = cursor.unwrap_or(n);
                            let mut seen = own;
                            while seen < n {
                                if journal_answers == 0 {
                                    return read(&sent);
                                }
                                journal_answers -= 1;
                                let mut missed = story.since(seen).to_vec();
                                missed.retain(|event| event.n <= n);
                                seen = missed.last().map_or(n, |event| event.n);
                                sent.extend(self.projection.tell(own, &missed));
                            }
                        }
                    }
                    sent.push(text);
                    *cursor = Some(n);
                }
            }
        }
        read(&sent)
    }
}

fn read(texts: &[axum::extract::ws::Utf8Bytes]) -> Vec<ServerMessage> {
    texts.iter().map(|text| serde_json::from_str(text.as_str()).unwrap()).collect()
}
