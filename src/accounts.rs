//! Accounts: who plays, and where they are signed in.
//!
//! - [`http`]: the endpoints
//! - `signing`: signing up and in, going on, and ending it
//! - `sessions`: sessions and their refresh tokens
//! - `password`: hashing, few at once

pub mod http;
mod password;
mod sessions;
mod signing;
mod store;

pub use password::Hasher;
pub use sessions::forget_old;
