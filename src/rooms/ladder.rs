//! Keys in order, with ranks. PURE.
//!
//! A sorted list cut into chunks: an entry is found by two binary searches and moved within one chunk, and a rank is the
//! sum of the chunks before. At a million entries both stay in the microseconds.

use lastbite_protocol::{SortKey, UserId};

/// Entries a chunk holds before it is cut in two.
const CHUNK_MAX: usize = 512;

/// A player's place: the key decides, the id only makes the order stable.
pub type Entry = (SortKey, UserId);

/// An ordered list of players.
#[derive(Debug, Default)]
pub struct Ladder {
    /// No chunk is empty; every entry of a chunk is less than all of the next.
    chunks: Vec<Vec<Entry>>,
}

impl Ladder {
    /// All entries at once.
    #[must_use]
    pub fn of(mut entries: Vec<Entry>) -> Self {
        entries.sort_unstable();
        entries.dedup();
        Self { chunks: entries.chunks(CHUNK_MAX / 2).map(<[Entry]>::to_vec).collect() }
    }

    /// Adds an entry; one that is there already stays as it is.
    pub fn insert(&mut self, entry: Entry) {
        if self.chunks.is_empty() {
            self.chunks.push(vec![entry]);
            return;
        }
        let at = self.chunk_of(&entry).min(self.chunks.len() - 1);
        let chunk = &mut self.chunks[at];
        let Err(place) = chunk.binary_search(&entry) else { return };
        chunk.insert(place, entry);
        if chunk.len() > CHUNK_MAX {
            let upper = chunk.split_off(CHUNK_MAX / 2);
            self.chunks.insert(at + 1, upper);
        }
    }

    /// Takes an entry out.
    pub fn remove(&mut self, entry: &Entry) {
        let at = self.chunk_of(entry);
        let Some(chunk) = self.chunks.get_mut(at) else { return };
        let Ok(place) = chunk.binary_search(entry) else { return };
        chunk.remove(place);
        if chunk.is_empty() {
            self.chunks.remove(at);
        }
    }

    /// The rank of a key: one more than the entries with a better one.
    #[must_use]
    pub fn rank_of(&self, key: SortKey) -> usize {
        let at = self.chunks.partition_point(|chunk| chunk.last().is_some_and(|last| last.0 < key));
        let before: usize = self.chunks[..at].iter().map(Vec::len).sum();
        let within = self.chunks.get(at).map_or(0, |chunk| chunk.partition_point(|entry| entry.0 < key));
        before + within + 1
    }

    /// How many entries come before this one.
    #[must_use]
    pub fn position_of(&self, entry: &Entry) -> usize {
        let at = self.chunk_of(entry);
        let before: usize = self.chunks[..at].iter().map(Vec::len).sum();
        before + self.chunks.get(at).map_or(0, |chunk| chunk.partition_point(|other| other < entry))
    }

    /// The entries from a position on, in order.
    pub fn from(&self, position: usize) -> impl Iterator<Item = &Entry> {
        let mut skip = position;
        let at = self.chunks.iter().position(|chunk| {
            let here = skip < chunk.len();
            if !here {
                skip -= chunk.len();
            }
            here
        });
        let at = at.unwrap_or(self.chunks.len());
        self.chunks[at..].iter().flatten().skip(if at < self.chunks.len() { skip } else { 0 })
    }

    /// The chunk in which an entry is or would be.
    fn chunk_of(&self, entry: &Entry) -> usize {
        self.chunks.partition_point(|chunk| chunk.last().is_some_and(|last| last < entry))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    fn entry(points: i32, player: u128) -> Entry {
        (SortKey([0, 0, -points, 0, 0, 0]), UserId(Uuid::from_u128(player)))
    }

    proptest! {
        #[test]
        fn a_ladder_is_a_sorted_list(steps in prop::collection::vec((any::<bool>(), 0..40_i32, 0..60_u128), 0..1500)) {
            let mut ladder = Ladder::default();
            let mut list: Vec<Entry> = Vec::new();
            for (insert, points, player) in steps {
                let entry = entry(points, player);
                let place = list.binary_search(&entry);
                if insert {
                    ladder.insert(entry);
                    if let Err(place) = place {
                        list.insert(place, entry);
                    }
                } else {
                    ladder.remove(&entry);
                    if let Ok(place) = place {
                        list.remove(place);
                    }
                }
                let better = list.iter().filter(|other| other.0 < entry.0).count();
                prop_assert_eq!(ladder.rank_of(entry.0), better + 1);
                prop_assert_eq!(ladder.position_of(&entry), list.partition_point(|other| *other < entry));
            }
            for position in [0, 1, list.len() / 2, list.len(), list.len() + 3] {
                let rest: Vec<_> = ladder.from(position).copied().collect();
                prop_assert_eq!(rest, list.get(position..).unwrap_or_default());
            }
        }
    }

    #[test]
    fn a_ladder_of_many_is_cut_and_keeps_its_order() {
        let mut ladder = Ladder::default();
        for player in 0..5_000_u128 {
            ladder.insert(entry(i32::try_from(player * 7919 % 5_000).unwrap(), player));
        }
        assert!(ladder.chunks.len() > 8);
        assert!(ladder.from(0).is_sorted());
        assert_eq!(ladder.from(0).count(), 5_000);
        assert_eq!(ladder.rank_of(SortKey([0, 0, -4_990, 0, 0, 0])), 10);
    }
}
