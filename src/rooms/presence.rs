//! How many watch a room. PURE. A signal: only the newest counts, and it may be lost.

/// Counts watchers, and says when there is news worth a frame.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Presence {
    watching: u32,
    told: u32,
}

impl Presence {
    /// Somebody came.
    pub const fn enter(&mut self) {
        self.watching += 1;
    }

    /// Somebody went.
    pub const fn leave(&mut self) {
        self.watching = self.watching.saturating_sub(1);
    }

    /// How many there are.
    #[must_use]
    pub const fn watching(self) -> u32 {
        self.watching
    }

    /// The number, when it is another than was told last.
    pub fn news(&mut self) -> Option<u32> {
        let news = (self.watching != self.told).then_some(self.watching);
        self.told = self.watching;
        news
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_change_is_news_and_only_once() {
        let mut presence = Presence::default();
        assert_eq!(presence.news(), None);
        presence.enter();
        presence.enter();
        assert_eq!(presence.news(), Some(2));
        assert_eq!(presence.news(), None);
        presence.leave();
        presence.enter();
        assert_eq!(presence.news(), None);
        presence.leave();
        assert_eq!(presence.news(), Some(1));
    }
}
