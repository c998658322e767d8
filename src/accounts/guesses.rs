//! Guessing is slowed, by account and by address, and nobody locks an owner out: the waits of an account are not for
//! addresses from which its owner is signed in.

use std::{net::IpAddr, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use lastbite_protocol::UserId;
use sha2::{Digest, Sha256};
use sqlx::{PgExecutor, PgPool};

use crate::{
    auth::network_of,
    db::Tx,
    error::{ApiError, ApiResult},
    limits,
};

/// Who tries something that could be guessed, and from where.
#[derive(Debug)]
pub(super) struct Attempt {
    /// What is guessed at, as a key.
    secret: Vec<u8>,
    address: IpAddr,
    /// Whoever else waits, the owner does not.
    is_known: bool,
    bound: Bound,
}

impl Attempt {
    /// Signing in to the account of an address of mail, whether there is one or not.
    pub(super) async fn to_sign_in(
        pool: &PgPool,
        email: &str,
        user: Option<UserId>,
        address: IpAddr,
    ) -> Result<Self, sqlx::Error> {
        let is_known = is_known(pool, user, address).await?;
        Ok(Self { secret: account_key(email), address, is_known, bound: OF_ACCOUNT })
    }

    /// Showing a code that was sent to an address of mail. Each network has tries of its own, so that nobody spends the
    /// owner's.
    pub(super) fn with_code(email: &str, address: IpAddr) -> Self {
        let of = format!("code\0{}\0{}", email.to_lowercase(), network_of(address));
        Self { secret: Sha256::digest(of).to_vec(), address, is_known: false, bound: OF_CODE }
    }

    /// Showing once more, as who is signed in, that one knows the password.
    pub(super) fn again(user: UserId, address: IpAddr) -> Self {
        let secret = Sha256::digest(format!("again\0{user}")).to_vec();
        Self { secret, address, is_known: false, bound: OF_ACCOUNT }
    }

    /// Whether it comes from where the owner is signed in.
    pub(super) const fn is_known(&self) -> bool {
        self.is_known
    }

    fn address_key(&self) -> Vec<u8> {
        Sha256::digest(format!("address\0{}", network_of(self.address))).to_vec()
    }

    /// Counts it as a wrong one before anything is compared, so that many at once have no more tries than one after the other.
    /// What turns out not to be wrong is [taken back](Self::take_back).
    ///
    /// # Errors
    /// 429 `too_many_attempts`, with the time to wait; then it is not counted.
    pub(super) async fn admit(&self, pool: &PgPool, wall: DateTime<Utc>) -> ApiResult<()> {
        let mut tx = pool.begin().await?;
        // The account before the address, always: no two wait for each other.
        count(&mut tx, &self.secret, &self.bound, self.is_known, wall).await?;
        count(&mut tx, &self.address_key(), &OF_ADDRESS, false, wall).await?;
        tx.commit().await?;
        Ok(())
    }

    /// It was no guess: right, or not even looked at.
    pub(super) async fn take_back(&self, pool: &PgPool) -> Result<(), sqlx::Error> {
        for (key, bound) in [(&self.secret, &self.bound), (&self.address_key(), &OF_ADDRESS)] {
            sqlx::query!(
                "update guesses
                 set failures = failures - 1, wait_until = case when failures > $2 then wait_until end
                 where key = $1 and failures > 0",
                key,
                bound.failures_max
            )
            .execute(pool)
            .await?;
        }
        Ok(())
    }
}

/// Whether an address is one from which a user is signed in, or was until logging out.
pub(super) async fn is_known(pool: &PgPool, user: Option<UserId>, address: IpAddr) -> Result<bool, sqlx::Error> {
    // Nobody's sessions are looked for as well: it takes as long.
    let user = user.unwrap_or_else(UserId::generate);
    sqlx::query_scalar!(
        r#"select exists (
               select from sessions
               where user_id = $1 and last_address = $2 and (ended_why is null or ended_why = 'logged_out')
           ) as "known!""#,
        user.0,
        address.to_string()
    )
    .fetch_one(pool)
    .await
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

/// How many wrong ones there may be, within which time, and who comes after has to wait how long: each time twice as long.
#[derive(Clone, Copy, Debug)]
struct Bound {
    failures_max: i32,
    within: Duration,
    wait_minutes_first: i64,
    wait_minutes_max: i64,
}

/// 1, 2, 4 … 15 minutes.
const OF_ACCOUNT: Bound = Bound {
    failures_max: limits::GUESSES_OF_ACCOUNT_MAX,
    within: limits::GUESSES_OF_ACCOUNT_WITHIN,
    wait_minutes_first: 1,
    wait_minutes_max: limits::GUESS_WAIT_MINUTES_MAX,
};
const OF_ADDRESS: Bound = Bound {
    failures_max: limits::GUESSES_OF_ADDRESS_MAX,
    within: limits::GUESSES_OF_ADDRESS_WITHIN,
    wait_minutes_first: 10,
    wait_minutes_max: 10,
};
/// As long as a code is good.
const OF_CODE: Bound = Bound {
    failures_max: limits::CODE_TRIES_MAX as i32,
    within: limits::CODE_LIFETIME,
    wait_minutes_first: 10,
    wait_minutes_max: 10,
};

/// Counts one more, unless it has to wait.
async fn count(tx: &mut Tx, key: &[u8], bound: &Bound, never_waits: bool, wall: DateTime<Utc>) -> ApiResult<()> {
    let counted = sqlx::query!(
        "insert into guesses as g (key, failures, since) values ($1, 1, $2)
         on conflict (key) do update
         set failures = case when g.since > $3 or g.wait_until > $3 then g.failures + 1 else 1 end,
             since = case when g.since > $3 or g.wait_until > $3 then g.since else $2 end
         where g.wait_until is null or g.wait_until <= $2 or $4
         returning failures",
        key,
        wall,
        wall - TimeDelta::seconds(bound.within.as_secs().cast_signed()),
        never_waits
    )
    .fetch_optional(&mut **tx)
    .await?;
    let Some(counted) = counted else { return Err(has_to_wait(tx, key, wall).await?) };
    if counted.failures >= bound.failures_max {
        let doublings = (counted.failures - bound.failures_max).clamp(0, 4);
        let minutes = (bound.wait_minutes_first << doublings).min(bound.wait_minutes_max);
        let until = wall + TimeDelta::minutes(minutes);
        sqlx::query!("update guesses set wait_until = $2 where key = $1", key, until).execute(&mut **tx).await?;
    }
    Ok(())
}

async fn has_to_wait(tx: &mut Tx, key: &[u8], wall: DateTime<Utc>) -> Result<ApiError, sqlx::Error> {
    let until =
        sqlx::query_scalar!("select wait_until from guesses where key = $1", key).fetch_optional(&mut **tx).await?;
    metrics::counter!("lastbite_auth_failures_total", "code" => "too_many_attempts").increment(1);
    let seconds = until.flatten().map_or(0, |until| u64::try_from((until - wall).num_seconds()).unwrap_or(0)) + 1;
    Ok(ApiError::too_many_for("too_many_attempts", "too many attempts failed; wait before the next", seconds))
}

/// Forgets guesses of long ago.
pub(super) async fn forget_old(pool: &PgPool, wall: DateTime<Utc>) -> Result<(), sqlx::Error> {
    let long_ago = wall - TimeDelta::hours(1);
    sqlx::query!("delete from guesses where since < $1 and coalesce(wait_until, since) < $1", long_ago)
        .execute(pool)
        .await?;
    Ok(())
}
