//! Links that are good by themselves for a while: what they name, until when, and a MAC of both.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};

use super::Keys;

const UNTIL_BYTES: usize = 8;
const MAC_BYTES: usize = 32;

/// A token that names something for a purpose, until then.
pub(crate) fn sign(keys: &Keys, purpose: &str, named: &[u8], until: DateTime<Utc>) -> String {
    let signed = [named, &until.timestamp().to_be_bytes()].concat();
    let mac = keys.secret(purpose, &signed);
    URL_SAFE_NO_PAD.encode([signed.as_slice(), &mac].concat())
}

/// What a token of ours names and until when it is good, while it is.
pub(crate) fn check(keys: &Keys, purpose: &str, token: &str, wall: DateTime<Utc>) -> Option<(Vec<u8>, DateTime<Utc>)> {
    let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
    let (signed, mac) = bytes.split_at_checked(bytes.len().checked_sub(MAC_BYTES)?)?;
    // Hashed on both sides: how long the comparison takes tells nothing of the MAC.
    let is_ours = Sha256::digest(keys.secret(purpose, signed)) == Sha256::digest(mac);
    let (named, until) = signed.split_at_checked(signed.len().checked_sub(UNTIL_BYTES)?)?;
    let until = DateTime::from_timestamp(i64::from_be_bytes(until.try_into().ok()?), 0)?;
    (is_ours && until > wall).then(|| (named.to_vec(), until))
}
