//! Texts of 256 bits of chance: state, ticket, what binds a browser. Only their hashes are stored.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};

/// A new one: 43 characters of base64url.
pub(super) fn draw() -> String {
    URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>())
}

/// What is stored of one; `None` of what we cannot have drawn.
pub(super) fn hash(text: &str) -> Option<Vec<u8>> {
    let bytes: [u8; 32] = URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()?;
    Some(Sha256::digest(bytes).to_vec())
}
