//! A client: what the protocol asks of it, and nothing more.

use lastbite_protocol::{
    Row,
    socket::{Counts, NumberedEvent, ServerMessage},
};

use crate::rules::ranking;

#[derive(Debug, Default)]
pub(super) struct Client {
    /// The number it has and comes back with; none before its first board.
    pub(super) n: Option<u64>,
    pub(super) rows: Vec<Row>,
    pub(super) counts: Counts,
    /// The number of the first board.
    pub(super) since: u64,
    /// The greatest number of an event it knows of.
    told: u64,
    pub(super) events: Vec<NumberedEvent>,
    pub(super) connection: Option<Connection>,
}

/// The server's side of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Connection {
    pub(super) node: usize,
    pub(super) cursor: Option<u64>,
}

impl Client {
    pub(super) fn takes(&mut self, message: ServerMessage, window: usize) {
        match message {
            ServerMessage::Snapshot { n, board, counts, .. } => {
                if self.n.is_none() {
                    (self.since, self.told) = (n, n);
                }
                (self.rows, self.counts, self.n) = (board.rows, counts, Some(n));
            }
            ServerMessage::Tick { from, n, rows, removed, events, counts, .. } => {
                let own = self.n.unwrap();
                assert!(from <= own, "a gap: {from} after {own}");
                let fresh = events.into_iter().filter(|event| event.n > self.told);
                self.events.extend(fresh);
                self.rows.retain(|row| !removed.contains(&row.player));
                self.rows.retain(|old| rows.iter().all(|row| row.player != old.player));
                self.rows.extend(rows);
                self.rows.sort_by_key(|row| (row.key, row.player));
                self.rows.truncate(window);
                (self.counts, self.n) = (counts, Some(n.max(own)));
            }
            other => panic!("a room tells boards and ticks: {other:?}"),
        }
        let last = self.events.last().map_or(0, |event| event.n);
        self.told = self.told.max(last).max(self.n.unwrap_or(0));
    }

    pub(super) fn ranks(&self) -> Vec<u32> {
        ranking::ranks(self.rows.iter().map(|row| row.key)).collect()
    }
}
