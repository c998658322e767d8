//! Accounts: who plays, and where they are signed in.
//!
//! - [`http`]: the endpoints
//! - `signing`: signing up and in, going on, and ending it
//! - `sessions`: sessions and their refresh tokens
//! - `letters`: codes by mail
//! - `password`: hashing, few at once

pub mod http;
mod letters;
mod password;
mod sessions;
mod signing;
mod store;

pub use password::Hasher;
pub use sessions::forget_old;

/// Adds what this feature does after its requests.
#[must_use]
pub(crate) fn jobs(worker: graphile_worker::WorkerOptions) -> graphile_worker::WorkerOptions {
    worker.define_job::<letters::SendCode>()
}
