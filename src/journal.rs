//! The waist: numbered events of streams, and the standings that follow from them.
//!
//! A feature takes its streams' locks with [`lock`], appends what the rules decided, and commits with
//! [`Journal::commit`], which announces only what is committed. Rooms read with [`load`], [`since`] and
//! [`last_numbers`]. Nothing else appends, announces or writes a standing.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use lastbite_protocol::{ChallengeId, SortKey, Standing, UserId};
use sqlx::types::Json;
use uuid::Uuid;

use crate::{
    bus::{Batch, Bus},
    db::Tx,
    rules::{self, Event, Numbered},
};

mod load;

pub use load::{Loaded, last_numbers, load, since};

/// A transaction that holds the locks of its streams.
///
/// Dropping it rolls back, and nothing is announced.
#[derive(Debug)]
pub struct Journal {
    pub tx: Tx,
    /// The last number of every locked stream.
    last: BTreeMap<Uuid, u64>,
    batches: Vec<Batch>,
}

/// Which stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum StreamId {
    Challenge(ChallengeId),
    User(UserId),
}

impl StreamId {
    const fn uuid(self) -> Uuid {
        match self {
            Self::Challenge(id) => id.0,
            Self::User(id) => id.0,
        }
    }

    const fn kind(self) -> &'static str {
        match self {
            Self::Challenge(_) => "challenge",
            Self::User(_) => "user",
        }
    }
}

/// Makes a new stream, empty.
///
/// # Errors
/// Postgres is away.
pub async fn create(tx: &mut Tx, stream: StreamId) -> Result<(), sqlx::Error> {
    sqlx::query!("insert into streams (id, kind) values ($1, $2)", stream.uuid(), stream.kind())
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Locks the streams until the end of the transaction, in the one order that cannot deadlock.
///
/// # Errors
/// Postgres is away, or another holds a lock for too long.
pub async fn lock(mut tx: Tx, streams: impl IntoIterator<Item = StreamId>) -> Result<Journal, sqlx::Error> {
    let ids: Vec<_> = streams.into_iter().map(StreamId::uuid).collect();
    let rows = sqlx::query!("select id, last_n from streams where id = any($1) order by id for update", &ids)
        .fetch_all(&mut *tx)
        .await?;
    let last = rows.into_iter().map(|row| (row.id, number(row.last_n))).collect();
    Ok(Journal { tx, last, batches: Vec::new() })
}

impl Journal {
    /// Numbers and stores events, and applies them to the standings they touch. Answers the stream's last number.
    ///
    /// # Errors
    /// Postgres is away, or the stream is not locked.
    pub async fn append(&mut self, stream: StreamId, at: DateTime<Utc>, events: Vec<Event>) -> anyhow::Result<u64> {
        let id = stream.uuid();
        let Some(last) = self.last.get_mut(&id) else { anyhow::bail!("stream {id} is not locked") };
        if events.is_empty() {
            return Ok(*last);
        }
        let numbered: Vec<_> =
            events.into_iter().zip(*last + 1..).map(|(event, n)| Numbered { n, at, event }).collect();
        *last += numbered.len() as u64;
        let last = *last;
        store(&mut self.tx, id, at, &numbered).await?;
        if let StreamId::Challenge(challenge) = stream {
            update_standings(&mut self.tx, challenge, &numbered).await?;
        }
        let is_own = matches!(stream, StreamId::User(_));
        self.batches.push(Batch { stream: id, is_own, events: numbered.into() });
        Ok(last)
    }

    /// A player's account is gone: tells it, and takes the name out of the row and of what was told before.
    ///
    /// # Errors
    /// Postgres is away, or the stream is not locked.
    pub async fn withdraw(&mut self, challenge: ChallengeId, player: UserId, at: DateTime<Utc>) -> anyhow::Result<()> {
        let renamed = sqlx::query!(
            "update standings set nickname = $3 where challenge_id = $1 and user_id = $2 and nickname <> $3",
            challenge.0,
            player.0,
            Event::NAME_OF_WITHDRAWN
        )
        .execute(&mut *self.tx)
        .await?;
        if renamed.rows_affected() == 0 {
            return Ok(());
        }
        sqlx::query!(
            "update journal set event = jsonb_set(event, '{nickname}', to_jsonb($3::text))
             where stream_id = $1 and event ->> 'player' = $2::text and event ? 'nickname'",
            challenge.0,
            player.0.to_string(),
            Event::NAME_OF_WITHDRAWN
        )
        .execute(&mut *self.tx)
        .await?;
        self.append(StreamId::Challenge(challenge), at, vec![Event::Withdrawn { player }]).await?;
        Ok(())
    }

    /// The last number of a locked stream, what was appended included.
    #[must_use]
    pub fn last(&self, stream: StreamId) -> u64 {
        self.last.get(&stream.uuid()).copied().unwrap_or(0)
    }

    /// Commits, then announces.
    ///
    /// # Errors
    /// Postgres is away. The transaction may still have been committed; whoever retries finds out by its key.
    pub async fn commit(self, bus: &Bus) -> Result<(), sqlx::Error> {
        self.tx.commit().await?;
        for batch in self.batches {
            metrics::counter!("lastbite_journal_events_total").increment(batch.events.len() as u64);
            bus.publish(batch);
        }
        Ok(())
    }
}

/// Drops a user's own stream, for an account that is gone.
///
/// # Errors
/// Postgres is away.
pub async fn forget_user(tx: &mut Tx, user: UserId) -> Result<(), sqlx::Error> {
    sqlx::query!("delete from journal where stream_id = $1", user.0).execute(&mut **tx).await?;
    sqlx::query!("delete from streams where id = $1 and kind = 'user'", user.0).execute(&mut **tx).await?;
    Ok(())
}

async fn store(tx: &mut Tx, stream: Uuid, at: DateTime<Utc>, events: &[Numbered]) -> anyhow::Result<()> {
    let numbers: Vec<_> = events.iter().map(|event| stored(event.n)).collect();
    let bodies = events.iter().map(|event| serde_json::to_value(&event.event)).collect::<Result<Vec<_>, _>>()?;
    sqlx::query!(
        "with appended as (
             insert into journal (stream_id, n, at, event)
             select $1, fresh.n, $2, fresh.event from unnest($3::bigint[], $4::jsonb[]) as fresh (n, event)
             returning n
         )
         update streams set last_n = (select max(n) from appended) where id = $1",
        stream,
        at,
        &numbers,
        &bodies
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Applies the events to the stored standings, by the same function that rooms use.
async fn update_standings(tx: &mut Tx, challenge: ChallengeId, events: &[Numbered]) -> anyhow::Result<()> {
    let mut touched: Vec<_> = events.iter().filter_map(|event| event.event.player()).map(|player| player.0).collect();
    touched.sort_unstable();
    touched.dedup();
    if touched.is_empty() {
        return Ok(());
    }
    let rows = sqlx::query!(
        r#"select user_id, standing as "standing: Json<Standing>" from standings
           where challenge_id = $1 and user_id = any($2)"#,
        challenge.0,
        &touched
    )
    .fetch_all(&mut **tx)
    .await?;
    let mut standings: BTreeMap<_, _> = rows.into_iter().map(|row| (row.user_id, row.standing.0)).collect();
    for event in events.iter().map(|event| &event.event) {
        let Some(player) = event.player() else { continue };
        if let Event::Joined { nickname, .. } = event {
            insert_player(tx, challenge, player, nickname).await?;
        }
        match rules::standing::apply(standings.remove(&player.0), event) {
            Some(standing) => {
                standings.insert(player.0, standing);
            }
            None => remove_player(tx, challenge, player).await?,
        }
    }
    write_standings(tx, challenge, &standings).await
}

/// A row without a standing yet; [`write_standings`] gives it one in the same transaction.
async fn insert_player(tx: &mut Tx, challenge: ChallengeId, player: UserId, nickname: &str) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into standings (challenge_id, user_id, nickname, standing, sort_key)
         values ($1, $2, $3, '{\"status\": \"alive\"}', decode(repeat('00', 24), 'hex'))",
        challenge.0,
        player.0,
        nickname
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

async fn remove_player(tx: &mut Tx, challenge: ChallengeId, player: UserId) -> Result<(), sqlx::Error> {
    sqlx::query!("delete from standings where challenge_id = $1 and user_id = $2", challenge.0, player.0)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

async fn write_standings(
    tx: &mut Tx,
    challenge: ChallengeId,
    standings: &BTreeMap<Uuid, Standing>,
) -> anyhow::Result<()> {
    let players: Vec<_> = standings.keys().copied().collect();
    let bodies = standings.values().map(serde_json::to_value).collect::<Result<Vec<_>, _>>()?;
    let keys: Vec<_> = standings.values().map(|standing| key_bytes(rules::ranking::key(standing))).collect();
    sqlx::query!(
        "update standings set standing = fresh.standing, sort_key = fresh.sort_key
         from unnest($2::uuid[], $3::jsonb[], $4::bytea[]) as fresh (user_id, standing, sort_key)
         where standings.challenge_id = $1 and standings.user_id = fresh.user_id",
        challenge.0,
        &players,
        &bodies,
        &keys
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// The comparator's key as bytes that order as its numbers do: big-endian, sign bits flipped.
fn key_bytes(key: SortKey) -> Vec<u8> {
    key.0.iter().flat_map(|number| (number.cast_unsigned() ^ (1 << 31)).to_be_bytes()).collect()
}

fn number(stored: i64) -> u64 {
    u64::try_from(stored).unwrap_or(0)
}

fn stored(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
