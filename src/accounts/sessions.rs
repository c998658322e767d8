//! Sessions: where a user is signed in, and the refresh tokens that keep them going.
//!
//! Each use of a refresh token spends it and gives the next one. A spent token that is shown again means that two hold the
//! same: the session ends. Only its immediate successor, while that is the newest, may be had again for a few seconds,
//! because answers get lost. The successor follows from the token itself and a stored nonce, so that the same one can be
//! given without storing any.

use std::net::IpAddr;

use axum::http::{HeaderMap, StatusCode, header};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, TimeDelta, Utc};
use lastbite_protocol::{SessionId, UserId, rest::Session};
use sha2::{Digest, Sha256};
use sqlx::PgPool;

use crate::{
    auth::keys::hmac_sha256,
    db::Tx,
    error::{ApiError, ApiResult},
    limits,
};

/// What signs in, as its session remembers it.
#[derive(Clone, Debug)]
pub(super) struct Device {
    pub(super) name: String,
    pub(super) address: IpAddr,
}

impl Device {
    /// As the user names it, else as its `User-Agent` does.
    pub(super) fn of(named: Option<String>, headers: &HeaderMap, address: IpAddr) -> ApiResult<Self> {
        let agent = || headers.get(header::USER_AGENT).and_then(|agent| agent.to_str().ok()).unwrap_or_default();
        if named.as_ref().is_some_and(|name| name.chars().count() > limits::DEVICE_CHARS_MAX) {
            return Err(ApiError::invalid("device_invalid", "device", "a device has at most 64 characters"));
        }
        let name = named.unwrap_or_else(|| agent().to_owned());
        let name = name.chars().filter(|letter| !letter.is_control()).take(limits::DEVICE_CHARS_MAX).collect();
        Ok(Self { name, address })
    }
}

/// Why a session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Why {
    /// The user logged out of it.
    LoggedOut,
    /// The user ended it from another.
    Ended,
    /// It was the oldest of too many.
    Replaced,
    /// A spent refresh token came again.
    Reuse,
    /// The password was changed or set anew.
    Password,
    /// A moderator blocked the user.
    Blocked,
    /// The account is deleted.
    Deleted,
    /// The provider through which the user signed in said that it is over.
    Unlinked,
}

impl Why {
    const fn as_str(self) -> &'static str {
        match self {
            Self::LoggedOut => "logged_out",
            Self::Ended => "ended",
            Self::Replaced => "replaced",
            Self::Reuse => "reuse",
            Self::Password => "password",
            Self::Blocked => "blocked",
            Self::Deleted => "deleted",
            Self::Unlinked => "unlinked",
        }
    }
}

/// A refresh token: 32 bytes of chance, or what follows from one.
#[derive(Clone, Copy)]
pub(super) struct RefreshToken([u8; limits::REFRESH_TOKEN_BYTES]);

impl RefreshToken {
    fn parse(text: &str) -> Option<Self> {
        Some(Self(URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()?))
    }

    fn hash(self) -> Vec<u8> {
        Sha256::digest(self.0).to_vec()
    }

    fn successor(self, nonce: &[u8]) -> Self {
        Self(hmac_sha256(&self.0, &[b"refresh token", nonce]))
    }

    /// As the client keeps it.
    pub(super) fn to_text(self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }
}

/// Begins a session. Answers it, its first refresh token, and the sessions that had to end for it.
pub(super) async fn begin(
    tx: &mut Tx,
    user: UserId,
    device: &Device,
    wall: DateTime<Utc>,
) -> Result<(SessionId, RefreshToken, Vec<SessionId>), sqlx::Error> {
    let id = SessionId::generate();
    let replaced = sqlx::query_scalar!(
        "with ended as (
             select id from sessions where user_id = $1 and ended_at is null
             order by last_seen_at desc, id desc offset $2
         )
         update sessions set ended_at = $3, ended_why = $4 where id in (select id from ended) returning id",
        user.0,
        limits::SESSIONS_PER_USER_MAX - 1,
        wall,
        Why::Replaced.as_str()
    )
    .fetch_all(&mut **tx)
    .await?;
    sqlx::query!(
        "insert into sessions (id, user_id, device, created_at, last_seen_at, last_address, ends_at)
         values ($1, $2, $3, $4, $4, $5, $6)",
        id.0,
        user.0,
        device.name,
        wall,
        device.address.to_string(),
        wall + limits::SESSION_LIFETIME
    )
    .execute(&mut **tx)
    .await?;
    let token = RefreshToken(rand::random());
    keep(tx, id, token, wall).await?;
    Ok((id, token, replaced.into_iter().map(SessionId).collect()))
}

async fn keep(tx: &mut Tx, session: SessionId, token: RefreshToken, wall: DateTime<Utc>) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into refresh_tokens (hash, session_id, issued_at, expires_at) values ($1, $2, $3, $4)",
        token.hash(),
        session.0,
        wall,
        wall + limits::SESSION_IDLE
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// What became of a refresh token.
pub(super) enum Refreshed {
    /// Its session goes on with this one.
    Next { user: UserId, session: SessionId, token: RefreshToken },
    /// It had been spent before: its session has ended now.
    Reused { user: UserId, session: SessionId },
}

/// Spends a refresh token. `arrived` is when the request did: waiting for another one is not its fault.
///
/// # Errors
/// 401 `refresh_invalid` or `session_ended`.
pub(super) async fn refresh(tx: &mut Tx, text: &str, address: IpAddr, arrived: DateTime<Utc>) -> ApiResult<Refreshed> {
    let invalid =
        || ApiError::refused(StatusCode::UNAUTHORIZED, "refresh_invalid", "this refresh token is not one of ours");
    let token = RefreshToken::parse(text).ok_or_else(invalid)?;
    // The lock on the session puts all uses of its tokens in a row.
    let found = sqlx::query!(
        r#"select s.id, s.user_id, s.ended_at, s.ends_at, t.expires_at, t.spent_at, t.nonce
           from refresh_tokens t join sessions s on s.id = t.session_id where t.hash = $1 for update of s"#,
        token.hash()
    )
    .fetch_optional(&mut **tx)
    .await?
    .ok_or_else(invalid)?;
    let (user, session) = (UserId(found.user_id), SessionId(found.id));
    if found.ended_at.is_some() || found.ends_at <= arrived || found.expires_at <= arrived {
        return Err(ApiError::refused(
            StatusCode::UNAUTHORIZED,
            "session_ended",
            "this session has ended; sign in again",
        ));
    }
    // The row was read before the lock was had; what another has spent meanwhile is read again.
    let now = sqlx::query!("select spent_at, nonce from refresh_tokens where hash = $1", token.hash())
        .fetch_one(&mut **tx)
        .await?;
    let next = match now.spent_at.zip(now.nonce) {
        None => {
            let nonce: [u8; 32] = rand::random();
            let next = token.successor(&nonce);
            sqlx::query!(
                "update refresh_tokens set spent_at = $2, nonce = $3 where hash = $1",
                token.hash(),
                arrived,
                &nonce
            )
            .execute(&mut **tx)
            .await?;
            keep(tx, session, next, arrived).await?;
            next
        }
        Some((spent_at, nonce)) => {
            let next = token.successor(&nonce);
            let in_time = arrived - spent_at <= TimeDelta::from_std(limits::REFRESH_GRACE).unwrap_or_default();
            if !in_time || !is_newest(tx, next).await? {
                end(tx, user, &[session], Why::Reuse, arrived).await?;
                return Ok(Refreshed::Reused { user, session });
            }
            next
        }
    };
    sqlx::query!(
        "update sessions set last_seen_at = greatest(last_seen_at, $2), last_address = $3 where id = $1",
        session.0,
        arrived,
        address.to_string()
    )
    .execute(&mut **tx)
    .await?;
    Ok(Refreshed::Next { user, session, token: next })
}

async fn is_newest(tx: &mut Tx, token: RefreshToken) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar!(
        r#"select exists (select from refresh_tokens where hash = $1 and spent_at is null) as "newest!""#,
        token.hash()
    )
    .fetch_one(&mut **tx)
    .await
}

/// Ends sessions of a user. Answers those that had not ended before; `auth::Live` is to hear of them after the commit.
pub(super) async fn end(
    tx: &mut Tx,
    user: UserId,
    sessions: &[SessionId],
    why: Why,
    wall: DateTime<Utc>,
) -> Result<Vec<SessionId>, sqlx::Error> {
    let ids: Vec<_> = sessions.iter().map(|session| session.0).collect();
    let ended = sqlx::query_scalar!(
        "update sessions set ended_at = $4, ended_why = $3
         where user_id = $1 and id = any($2) and ended_at is null returning id",
        user.0,
        &ids,
        why.as_str(),
        wall
    )
    .fetch_all(&mut **tx)
    .await?;
    Ok(ended.into_iter().map(SessionId).collect())
}

/// Ends all sessions of a user but one.
pub(super) async fn end_all(
    tx: &mut Tx,
    user: UserId,
    but: Option<SessionId>,
    why: Why,
    wall: DateTime<Utc>,
) -> Result<Vec<SessionId>, sqlx::Error> {
    let ended = sqlx::query_scalar!(
        "update sessions set ended_at = $4, ended_why = $3
         where user_id = $1 and id is distinct from $2 and ended_at is null returning id",
        user.0,
        but.map(|session| session.0),
        why.as_str(),
        wall
    )
    .fetch_all(&mut **tx)
    .await?;
    // A ticket under way would begin another.
    sqlx::query!("delete from oidc_tickets where user_id = $1", user.0).execute(&mut **tx).await?;
    Ok(ended.into_iter().map(SessionId).collect())
}

/// Whether a session began with signing in since then, and goes on.
pub(super) async fn has_begun_since(
    pool: &PgPool,
    session: SessionId,
    since: DateTime<Utc>,
) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar!(
        r#"select exists (select from sessions where id = $1 and created_at > $2 and ended_at is null) as "begun!""#,
        session.0,
        since
    )
    .fetch_one(pool)
    .await
}

/// A user's sessions, the one used last first. They are ten at most.
pub(super) async fn list(
    pool: &PgPool,
    user: UserId,
    current: SessionId,
    wall: DateTime<Utc>,
) -> Result<Vec<Session>, sqlx::Error> {
    let rows = sqlx::query!(
        "select id, device, created_at, last_seen_at, last_address, ends_at from sessions
         where user_id = $1 and ended_at is null and ends_at > $2 and last_seen_at > $3
         order by last_seen_at desc, id desc",
        user.0,
        wall,
        wall - limits::SESSION_IDLE
    )
    .fetch_all(pool)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| Session {
            current: row.id == current.0,
            id: row.id.into(),
            device: row.device,
            created_at: row.created_at,
            last_seen_at: row.last_seen_at,
            last_address: row.last_address,
            ends_at: row.ends_at,
        })
        .collect())
}

/// Drops sessions that ended a day ago or more, with all their refresh tokens.
pub(super) async fn forget_old(pool: &PgPool, wall: DateTime<Utc>) -> Result<u64, sqlx::Error> {
    let forgotten = sqlx::query!("delete from sessions where ended_at < $1 or ends_at < $1", wall - TimeDelta::days(1))
        .execute(pool)
        .await?;
    Ok(forgotten.rows_affected())
}
