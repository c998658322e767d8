//! A write that a client sends twice is done once: the `Idempotency-Key` header.
//!
//! The row is written in the transaction of the write, so the answer is kept exactly when the write is. A second request
//! with the same key waits for the first and gets its answer.

use axum::http::{HeaderMap, StatusCode};
use chrono::{DateTime, Utc};
use lastbite_protocol::UserId;
use serde::{Serialize, de::DeserializeOwned};
use sha2::{Digest, Sha256};
use sqlx::PgPool;

use crate::{
    db::{self, Tx},
    error::{ApiError, ApiResult},
    limits,
};

/// The key of one write, with what was asked.
#[derive(Clone, Debug)]
pub struct Key {
    user: UserId,
    route: &'static str,
    key: String,
    request_hash: Vec<u8>,
}

/// An answer, fresh or repeated.
#[derive(Debug)]
pub struct Answer<T> {
    pub status: StatusCode,
    pub body: T,
}

impl Key {
    /// Reads the header; `None` without it. `parts` are the request's body, in pieces.
    ///
    /// # Errors
    /// 400 `idempotency_key_invalid` when it is too short, too long or not plain ASCII.
    pub fn read(headers: &HeaderMap, user: UserId, route: &'static str, parts: &[&[u8]]) -> ApiResult<Option<Self>> {
        let Some(value) = headers.get("idempotency-key") else { return Ok(None) };
        let key = value.to_str().ok().filter(|key| limits::IDEMPOTENCY_KEY_CHARS.contains(&key.len()));
        let Some(key) = key else {
            let detail = "an Idempotency-Key has 16 to 255 ASCII characters";
            return Err(ApiError::refused(StatusCode::BAD_REQUEST, "idempotency_key_invalid", detail));
        };
        let mut hash = Sha256::new();
        for part in parts {
            hash.update(part.len().to_be_bytes());
            hash.update(part);
        }
        Ok(Some(Self { user, route, key: key.to_owned(), request_hash: hash.finalize().to_vec() }))
    }

    /// The answer given before, looked up without a lock: spares the work of a repeated upload.
    ///
    /// # Errors
    /// 422 `idempotency_key_reused` when it was used for another request.
    pub async fn find<T: DeserializeOwned>(&self, pool: &PgPool) -> ApiResult<Option<Answer<T>>> {
        let found = sqlx::query!(
            "select request_hash, status, answer from idempotency_keys where user_id = $1 and route = $2 and key = $3",
            self.user.0,
            self.route,
            self.key
        )
        .fetch_optional(pool)
        .await?;
        found.map(|row| self.repeat(&row.request_hash, row.status, row.answer)).transpose()
    }

    /// Takes the key for this transaction, or gives the answer of the one that had it.
    ///
    /// # Errors
    /// 409 `idempotency_in_flight` when the other one takes too long, 422 `idempotency_key_reused`.
    pub async fn claim<T: DeserializeOwned>(&self, tx: &mut Tx, now: DateTime<Utc>) -> ApiResult<Option<Answer<T>>> {
        let claimed = sqlx::query!(
            "insert into idempotency_keys (user_id, route, key, request_hash, status, answer, created_at)
             values ($1, $2, $3, $4, 0, 'null', $5) on conflict do nothing",
            self.user.0,
            self.route,
            self.key,
            self.request_hash,
            now
        )
        .execute(&mut **tx)
        .await
        .map_err(|error| if db::is_busy(&error) { in_flight() } else { error.into() })?;
        if claimed.rows_affected() == 1 {
            return Ok(None);
        }
        let row = sqlx::query!(
            "select request_hash, status, answer from idempotency_keys where user_id = $1 and route = $2 and key = $3",
            self.user.0,
            self.route,
            self.key
        )
        .fetch_one(&mut **tx)
        .await?;
        self.repeat(&row.request_hash, row.status, row.answer).map(Some)
    }

    /// Keeps the answer, in the transaction of the write.
    ///
    /// # Errors
    /// Postgres is away.
    pub async fn keep<T: Serialize>(&self, tx: &mut Tx, status: StatusCode, answer: &T) -> ApiResult<()> {
        let answer = serde_json::to_value(answer).map_err(anyhow::Error::from)?;
        sqlx::query!(
            "update idempotency_keys set status = $4, answer = $5 where user_id = $1 and route = $2 and key = $3",
            self.user.0,
            self.route,
            self.key,
            status.as_u16().cast_signed(),
            answer
        )
        .execute(&mut **tx)
        .await?;
        Ok(())
    }

    fn repeat<T: DeserializeOwned>(&self, hash: &[u8], status: i16, answer: serde_json::Value) -> ApiResult<Answer<T>> {
        if hash != self.request_hash {
            let detail = "this Idempotency-Key was used for another request";
            return Err(ApiError::refused(StatusCode::UNPROCESSABLE_ENTITY, "idempotency_key_reused", detail));
        }
        let status = StatusCode::from_u16(status.cast_unsigned()).map_err(anyhow::Error::from)?;
        Ok(Answer { status, body: serde_json::from_value(answer).map_err(anyhow::Error::from)? })
    }
}

fn in_flight() -> ApiError {
    ApiError::refused(StatusCode::CONFLICT, "idempotency_in_flight", "the first request with this key is being done")
}

/// Forgets keys that nobody will send again.
///
/// # Errors
/// Postgres is away.
pub async fn forget_old(pool: &PgPool, now: DateTime<Utc>) -> Result<u64, sqlx::Error> {
    let kept_since = now - limits::IDEMPOTENCY_KEY_KEPT;
    let mut forgotten = 0;
    loop {
        let some = sqlx::query!(
            "delete from idempotency_keys where ctid = any(array(
                 select ctid from idempotency_keys where created_at < $1 limit $2
             ))",
            kept_since,
            limits::IDEMPOTENCY_KEYS_FORGOTTEN_AT_ONCE
        );
        let some = some.execute(pool).await?.rows_affected();
        forgotten += some;
        if some.cast_signed() < limits::IDEMPOTENCY_KEYS_FORGOTTEN_AT_ONCE {
            return Ok(forgotten);
        }
    }
}

/// Forgets the keys of an account that is gone, with the answers they hold.
///
/// # Errors
/// Postgres is away.
pub async fn forget_user(tx: &mut Tx, user: UserId) -> Result<(), sqlx::Error> {
    sqlx::query!("delete from idempotency_keys where user_id = $1", user.0).execute(&mut **tx).await?;
    Ok(())
}
