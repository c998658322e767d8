//! Reading the journal: a room's beginning, what came after a number, and the last numbers.

use chrono::{DateTime, Utc};
use lastbite_protocol::{ChallengeId, Standing, Terms, UserId, rest::ChallengeStatus, socket::DayClock};
use sqlx::{PgPool, types::Json};
use uuid::Uuid;

use super::{Event, Numbered, number, stored};
use crate::{db, limits};

/// A challenge as it was at number `n`, all from one snapshot of the database.
#[derive(Clone, Debug)]
pub struct Loaded {
    pub n: u64,
    pub title: String,
    pub terms: Terms,
    pub status: ChallengeStatus,
    pub starts_at: DateTime<Utc>,
    /// The day opened last, while the challenge runs.
    pub day: Option<DayClock>,
    pub players: Vec<(UserId, String, Standing)>,
    /// The last events, at most [`limits::EVENTS_REMEMBERED_MAX`], up to and with `n`.
    pub recent: Vec<Numbered>,
}

/// Loads a challenge for a room; `None` when there is no such challenge.
///
/// # Errors
/// Postgres is away.
pub async fn load(pool: &PgPool, challenge: ChallengeId) -> Result<Option<Loaded>, sqlx::Error> {
    let mut tx = pool.begin().await?;
    sqlx::query!("set transaction isolation level repeatable read, read only").execute(&mut *tx).await?;
    let Some(row) = sqlx::query!(
        r#"select s.last_n, c.title, c.terms as "terms: Json<Terms>", c.status, c.starts_at
           from challenges c join streams s on s.id = c.id where c.id = $1"#,
        challenge.0
    )
    .fetch_optional(&mut *tx)
    .await?
    else {
        return Ok(None);
    };
    let day = sqlx::query!(
        "select day, starts_at, ends_at, closes_at from rounds
         where challenge_id = $1 and opened_at is not null order by day desc limit 1",
        challenge.0
    )
    .fetch_optional(&mut *tx)
    .await?;
    let most = limits::EVENTS_REMEMBERED_MAX as u64;
    let recent = read(&mut *tx, challenge.0, number(row.last_n).saturating_sub(most), most.cast_signed()).await?;
    let players = sqlx::query!(
        r#"select user_id, nickname, standing as "standing: Json<Standing>" from standings where challenge_id = $1"#,
        challenge.0
    )
    .fetch_all(&mut *tx)
    .await?;
    tx.commit().await?;
    let status = db::parsed(&row.status)?;
    Ok(Some(Loaded {
        n: number(row.last_n),
        title: row.title,
        terms: row.terms.0,
        status,
        starts_at: row.starts_at,
        day: day.filter(|_| status == ChallengeStatus::Running).map(|row| DayClock {
            day: row.day.cast_unsigned(),
            starts_at: row.starts_at,
            ends_at: row.ends_at,
            closes_at: row.closes_at,
        }),
        players: players.into_iter().map(|row| (row.user_id.into(), row.nickname, row.standing.0)).collect(),
        recent,
    }))
}

/// The events after `n`, in order, at most `limit`.
///
/// # Errors
/// Postgres is away, or an event cannot be read.
pub async fn since(pool: &PgPool, stream: Uuid, n: u64, limit: i64) -> Result<Vec<Numbered>, sqlx::Error> {
    read(pool, stream, n, limit).await
}

async fn read(db: impl sqlx::PgExecutor<'_>, stream: Uuid, n: u64, limit: i64) -> Result<Vec<Numbered>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"select n, at, event as "event: Json<Event>" from journal
           where stream_id = $1 and n > $2 order by n limit $3"#,
        stream,
        stored(n),
        limit
    )
    .fetch_all(db)
    .await?;
    Ok(rows.into_iter().map(|row| Numbered { n: number(row.n), at: row.at, event: row.event.0 }).collect())
}

/// The last numbers of streams.
///
/// # Errors
/// Postgres is away.
pub async fn last_numbers(pool: &PgPool, streams: &[Uuid]) -> Result<Vec<(Uuid, u64)>, sqlx::Error> {
    let rows = sqlx::query!("select id, last_n from streams where id = any($1)", streams).fetch_all(pool).await?;
    Ok(rows.into_iter().map(|row| (row.id, number(row.last_n))).collect())
}
