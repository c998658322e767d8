//! Guessing is slowed, by account and by address, and nobody locks an owner out: the waits of an account are not for
//! addresses from which its owner is signed in.

use std::net::IpAddr;

use chrono::{DateTime, TimeDelta, Utc};
use lastbite_protocol::UserId;
use sha2::{Digest, Sha256};
use sqlx::{PgExecutor, PgPool};

use crate::{
    auth::network_of,
    error::{ApiError, ApiResult},
    limits,
};

/// Who tries to sign in, and from where.
pub(super) struct Attempt<'a> {
    pub(super) email: &'a str,
    pub(super) address: IpAddr,
    pub(super) user: Option<UserId>,
}

impl Attempt<'_> {
    fn account_key(&self) -> Vec<u8> {
        account_key(self.email)
    }

    fn address_key(&self) -> Vec<u8> {
        Sha256::digest(format!("address\0{}", network_of(self.address))).to_vec()
    }

    /// Refuses who has to wait. Answers whether it comes from where the owner is signed in.
    ///
    /// # Errors
    /// 429 `too_many_attempts`, with the time to wait.
    pub(super) async fn admit(&self, pool: &PgPool, wall: DateTime<Utc>) -> ApiResult<bool> {
        let is_known = self.is_known(pool).await?;
        let waits = sqlx::query!(
            r#"select key, wait_until as "wait_until!" from guesses where key = any($1) and wait_until > $2"#,
            &[self.account_key(), self.address_key()],
            wall
        )
        .fetch_all(pool)
        .await?;
        let of_account = self.account_key();
        let wait =
            waits.into_iter().filter(|wait| !(is_known && wait.key == of_account)).map(|wait| wait.wait_until).max();
        match wait {
            None => Ok(is_known),
            Some(until) => {
                metrics::counter!("lastbite_auth_failures_total", "code" => "too_many_attempts").increment(1);
                let seconds = u64::try_from((until - wall).num_seconds()).unwrap_or(0) + 1;
                Err(ApiError::too_many_for(
                    "too_many_attempts",
                    "too many attempts failed; wait before the next",
                    seconds,
                ))
            }
        }
    }

    async fn is_known(&self, pool: &PgPool) -> Result<bool, sqlx::Error> {
        // Nobody's sessions are looked for as well: it takes as long.
        let user = self.user.unwrap_or_else(UserId::generate);
        sqlx::query_scalar!(
            r#"select exists (
                   select from sessions
                   where user_id = $1 and last_address = $2 and (ended_why is null or ended_why = 'logged_out')
               ) as "known!""#,
            user.0,
            self.address.to_string()
        )
        .fetch_one(pool)
        .await
    }

    /// It was a wrong guess.
    pub(super) async fn failed(&self, pool: &PgPool, wall: DateTime<Utc>) -> Result<(), sqlx::Error> {
        let by_account = count(pool, self.account_key(), limits::GUESSES_OF_ACCOUNT_WITHIN.as_secs(), wall).await?;
        if by_account >= limits::GUESSES_OF_ACCOUNT_MAX {
            // 1, 2, 4 … 15 minutes.
            let doublings = (by_account - limits::GUESSES_OF_ACCOUNT_MAX).clamp(0, 4);
            let minutes = (1_i64 << doublings).min(limits::GUESS_WAIT_MINUTES_MAX);
            wait(pool, self.account_key(), wall + TimeDelta::minutes(minutes)).await?;
        }
        let by_address = count(pool, self.address_key(), limits::GUESSES_OF_ADDRESS_WITHIN.as_secs(), wall).await?;
        if by_address >= limits::GUESSES_OF_ADDRESS_MAX {
            wait(pool, self.address_key(), wall + limits::GUESSES_OF_ADDRESS_WITHIN).await?;
        }
        Ok(())
    }
}

/// The same for an address of mail whether it has an account or not.
fn account_key(email: &str) -> Vec<u8> {
    Sha256::digest(format!("account\0{}", email.to_lowercase())).to_vec()
}

/// The owner is there: what others have guessed before is forgotten.
pub(super) async fn forget(db: impl PgExecutor<'_>, email: &str) -> Result<(), sqlx::Error> {
    sqlx::query!("delete from guesses where key = $1", account_key(email)).execute(db).await?;
    Ok(())
}

/// Counts one more within the time. Answers how many there are.
async fn count(pool: &PgPool, key: Vec<u8>, within_s: u64, wall: DateTime<Utc>) -> Result<i32, sqlx::Error> {
    let since = wall - TimeDelta::seconds(within_s.cast_signed());
    sqlx::query_scalar!(
        "insert into guesses as g (key, failures, since) values ($1, 1, $2)
         on conflict (key) do update
         set failures = case when g.since > $3 or g.wait_until > $3 then g.failures + 1 else 1 end,
             since = case when g.since > $3 or g.wait_until > $3 then g.since else $2 end
         returning failures",
        key,
        wall,
        since
    )
    .fetch_one(pool)
    .await
}

async fn wait(pool: &PgPool, key: Vec<u8>, until: DateTime<Utc>) -> Result<(), sqlx::Error> {
    sqlx::query!("update guesses set wait_until = $2 where key = $1", key, until).execute(pool).await?;
    Ok(())
}

/// Forgets guesses of long ago.
pub(super) async fn forget_old(pool: &PgPool, wall: DateTime<Utc>) -> Result<(), sqlx::Error> {
    let long_ago = wall - TimeDelta::hours(1);
    sqlx::query!("delete from guesses where since < $1 and coalesce(wait_until, since) < $1", long_ago)
        .execute(pool)
        .await?;
    Ok(())
}
