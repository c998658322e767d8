//! The last ticks of a room, as they went out. PURE.
//!
//! Live delivery, resuming after a reconnect and catching up are one question: what came after `n`?

use std::collections::VecDeque;

use lastbite_protocol::socket::NumberedEvent;

/// A tick that went out: it builds on `from` and leads to `n`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame<T> {
    pub from: u64,
    pub n: u64,
    pub bytes: usize,
    pub payload: T,
}

/// What came after a number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum After<T> {
    /// Nothing yet.
    UpToDate,
    /// These, in order; the first begins at the number asked for.
    Frames(Vec<Frame<T>>),
    /// More than is remembered, or a number at which no tick begins.
    Lost,
}

/// Ticks in order, without gaps, bounded by their number and size.
#[derive(Debug)]
pub struct History<T> {
    frames: VecDeque<Frame<T>>,
    /// The number of the last tick.
    n: u64,
    bytes: usize,
    frames_max: usize,
    bytes_max: usize,
}

impl<T: Clone> History<T> {
    /// An empty history that begins at `n`.
    #[must_use]
    pub const fn new(n: u64, frames_max: usize, bytes_max: usize) -> Self {
        Self { frames: VecDeque::new(), n, bytes: 0, frames_max, bytes_max }
    }

    /// The number it has come to.
    #[must_use]
    pub const fn n(&self) -> u64 {
        self.n
    }

    /// Adds the next tick; the oldest are forgotten when it grows too large.
    pub fn push(&mut self, frame: Frame<T>) {
        debug_assert_eq!(frame.from, self.n, "ticks follow each other");
        self.n = frame.n;
        self.bytes += frame.bytes;
        self.frames.push_back(frame);
        while self.frames.len() > self.frames_max || self.bytes > self.bytes_max {
            let Some(forgotten) = self.frames.pop_front() else { break };
            self.bytes -= forgotten.bytes;
        }
    }

    /// How many ticks came after `n`; `None` when no tick begins or ends there, as far as is remembered.
    #[must_use]
    pub fn ticks_after(&self, n: u64) -> Option<usize> {
        if n == self.n {
            return Some(0);
        }
        let first = self.frames.partition_point(|frame| frame.from < n);
        self.frames.get(first).is_some_and(|frame| frame.from == n).then(|| self.frames.len() - first)
    }

    /// What came after `n`, at most `most` ticks of it.
    #[must_use]
    pub fn after(&self, n: u64, most: usize) -> After<T> {
        if n == self.n {
            return After::UpToDate;
        }
        // Only a number at which one of our ticks begins: a tick tells what moved since the window of its own beginning,
        // and a reader that comes from another node in the middle of it had another window.
        let first = self.frames.partition_point(|frame| frame.from < n);
        if self.frames.get(first).is_none_or(|frame| frame.from != n) {
            return After::Lost;
        }
        After::Frames(self.frames.iter().skip(first).take(most).cloned().collect())
    }
}

/// The events told lately, for readers whose number no tick builds on. They need a board, and what happened meanwhile.
#[derive(Debug)]
pub struct Lately {
    events: VecDeque<NumberedEvent>,
    /// Every event after this number is here.
    from: u64,
    most: usize,
}

impl Lately {
    /// Remembers what comes after `n`, at most `most` events.
    #[must_use]
    pub const fn new(n: u64, most: usize) -> Self {
        Self { events: VecDeque::new(), from: n, most }
    }

    /// Adds the next events; the oldest are forgotten.
    pub fn extend(&mut self, events: &[NumberedEvent]) {
        self.events.extend(events.iter().cloned());
        while self.events.len() > self.most {
            self.from = self.events.pop_front().map_or(self.from, |event| event.n);
        }
    }

    /// The events after `n`, up to and with `until`; `None` when some are forgotten.
    #[must_use]
    pub fn between(&self, n: u64, until: u64) -> Option<Vec<NumberedEvent>> {
        let first = self.events.partition_point(|event| event.n <= n);
        let end = self.events.partition_point(|event| event.n <= until).max(first);
        (n >= self.from).then(|| self.events.range(first..end).cloned().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn history(numbers: &[u64]) -> History<&'static str> {
        let mut history = History::new(numbers[0], 3, 100);
        for pair in numbers.windows(2) {
            history.push(Frame { from: pair[0], n: pair[1], bytes: 10, payload: "tick" });
        }
        history
    }

    fn numbers(after: After<&'static str>) -> Option<Vec<(u64, u64)>> {
        match after {
            After::UpToDate => Some(Vec::new()),
            After::Frames(frames) => Some(frames.iter().map(|frame| (frame.from, frame.n)).collect()),
            After::Lost => None,
        }
    }

    #[test]
    fn a_reader_gets_what_came_after_its_number() {
        let history = history(&[5, 6, 9, 12]);
        assert_eq!(numbers(history.after(12, 9)), Some(vec![]));
        assert_eq!(numbers(history.after(9, 9)), Some(vec![(9, 12)]));
        assert_eq!(numbers(history.after(5, 9)), Some(vec![(5, 6), (6, 9), (9, 12)]));
        assert_eq!(numbers(history.after(5, 2)), Some(vec![(5, 6), (6, 9)]));
        assert_eq!([5, 6, 9, 12].map(|n| history.ticks_after(n)), [Some(3), Some(2), Some(1), Some(0)]);
        assert_eq!([4, 8, 13].map(|n| history.ticks_after(n)), [None; 3]);
    }

    #[test]
    fn a_number_within_a_tick_is_lost() {
        assert_eq!(numbers(history(&[5, 6, 9, 12]).after(8, 9)), None);
    }

    #[test]
    fn events_told_lately_are_remembered_up_to_a_bound() {
        let event = |n| NumberedEvent {
            n,
            at: chrono::DateTime::UNIX_EPOCH,
            happened: lastbite_protocol::socket::Happened::Cancelled { players: 0 },
        };
        let mut lately = Lately::new(10, 3);
        lately.extend(&[event(12), event(15)]);
        let between = |lately: &Lately, n, until| {
            lately.between(n, until).map(|events| events.iter().map(|event| event.n).collect::<Vec<_>>())
        };
        let after = |lately: &Lately, n| between(lately, n, u64::MAX);
        assert_eq!(after(&lately, 10), Some(vec![12, 15]));
        assert_eq!(after(&lately, 13), Some(vec![15]));
        assert_eq!(after(&lately, 20), Some(vec![]));
        assert_eq!(after(&lately, 9), None);
        assert_eq!(between(&lately, 10, 14), Some(vec![12]));
        assert_eq!(between(&lately, 20, 14), Some(vec![]));
        lately.extend(&[event(16), event(17)]);
        assert_eq!(after(&lately, 11), None);
        assert_eq!(after(&lately, 12), Some(vec![15, 16, 17]));
    }

    #[test]
    fn a_reader_that_was_away_too_long_is_lost() {
        let history = history(&[1, 2, 3, 4, 5]);
        assert_eq!(numbers(history.after(1, 9)), None);
        assert_eq!(numbers(history.after(2, 9)), Some(vec![(2, 3), (3, 4), (4, 5)]));
    }

    #[test]
    fn a_number_from_the_future_is_lost() {
        assert_eq!(numbers(history(&[5, 6]).after(7, 9)), None);
    }

    #[test]
    fn an_empty_history_knows_only_its_own_number() {
        let history = history(&[5]);
        assert_eq!(numbers(history.after(5, 9)), Some(vec![]));
        assert_eq!(numbers(history.after(4, 9)), None);
    }

    #[test]
    fn large_ticks_push_out_old_ones() {
        let mut history = History::new(0, 100, 25);
        for n in 0..4 {
            history.push(Frame { from: n, n: n + 1, bytes: 10, payload: "tick" });
        }
        assert_eq!(numbers(history.after(2, 9)), Some(vec![(2, 3), (3, 4)]));
        assert_eq!(numbers(history.after(1, 9)), None);
    }
}
