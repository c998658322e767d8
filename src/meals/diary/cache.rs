//! Answers that were made, kept by whose they are and what they are made of.

use bytes::Bytes;
use moka::sync::Cache;

use super::Asked;
use crate::limits;

/// The answers of this node. Clones share them.
#[derive(Clone, Debug)]
pub struct Glances(Cache<Asked, Kept>);

#[derive(Clone, Debug)]
struct Kept {
    fingerprint: String,
    body: Bytes,
}

impl Default for Glances {
    fn default() -> Self {
        let weigh = |_: &Asked, kept: &Kept| u32::try_from(kept.body.len() + 256).unwrap_or(u32::MAX);
        Self(Cache::builder().weigher(weigh).max_capacity(limits::GLANCES_BYTES_MAX).build())
    }
}

impl Glances {
    /// The answer that was made of the same facts.
    pub(super) fn find(&self, asked: &Asked, fingerprint: &str) -> Option<Bytes> {
        self.0.get(asked).filter(|kept| kept.fingerprint == fingerprint).map(|kept| kept.body)
    }

    pub(super) fn keep(&self, asked: Asked, fingerprint: String, body: Bytes) {
        self.0.insert(asked, Kept { fingerprint, body });
    }
}
