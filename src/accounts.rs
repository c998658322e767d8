//! Accounts: who plays, and where they are signed in.
//!
//! - [`http`]: the endpoints
//! - `signing`: signing up and in, going on, and ending it
//! - `sessions`: sessions and their refresh tokens
//! - `guesses`: guessing passwords is slowed
//! - `letters`: codes by mail
//! - `moderation`: roles and blocks
//! - `erase`: deleting an account
//! - `events`: what happens in a user's own stream
//! - `profile`, `consents`: what users tell of themselves, and what they have agreed to
//! - `export`, `belongings`, `archive`: all that is one's own, to take away
//! - `picture`: what they show of themselves
//! - `password`: hashing, few at once
//! - [`oidc`]: signing in through others, such as Kakao

mod archive;
mod belongings;
mod consents;
mod erase;
mod events;
mod export;
mod guesses;
pub mod http;
mod letters;
mod moderation;
pub mod oidc;
mod password;
mod picture;
mod profile;
mod sessions;
mod signing;
mod store;

pub use moderation::{grant, role};
pub use password::Hasher;
pub(crate) use profile::safety_of;

/// Drops what nobody asks for any more: sessions that have ended with their tokens, and guesses of long ago. Answers how many
/// sessions there were.
///
/// # Errors
/// Postgres is away.
pub async fn forget_old(pool: &sqlx::PgPool, wall: chrono::DateTime<chrono::Utc>) -> Result<u64, sqlx::Error> {
    guesses::forget_old(pool, wall).await?;
    sessions::forget_old(pool, wall).await
}

/// Removes exports that nobody can fetch any more, and sees to deleted accounts that were not erased.
///
/// # Errors
/// Postgres is away, or the store of the exports is.
pub(crate) async fn tidy_up(app: &crate::App) -> anyhow::Result<()> {
    export::forget_old(app).await?;
    erase::remind(app).await
}

/// Adds what this feature does after its requests.
#[must_use]
pub(crate) fn jobs(worker: graphile_worker::WorkerOptions) -> graphile_worker::WorkerOptions {
    worker.define_job::<letters::SendCode>().define_job::<erase::EraseAccount>().define_job::<export::WriteExport>()
}
