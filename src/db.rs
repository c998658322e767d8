//! The way to Postgres: pools, migrations, transactions, and what an error of it means.
//!
//! Durable facts live there and nowhere else. Nothing here knows a table, but for the partitions of the diary.

pub mod embedded;

use chrono::{DateTime, Utc};
use sqlx::{
    Connection, PgConnection, PgPool, Postgres, Transaction,
    postgres::{PgConnectOptions, PgPoolOptions},
};

use crate::limits;

/// A transaction of its own connection.
pub type Tx = Transaction<'static, Postgres>;

/// The pools, so that none of their users can starve another.
#[derive(Clone, Debug)]
pub struct Pools {
    /// Requests.
    pub api: PgPool,
    /// Accounts and sessions.
    pub auth: PgPool,
    /// The referee, and the probe of readiness.
    pub judge: PgPool,
    /// What outlives a request.
    pub jobs: PgPool,
    /// Looks at which sessions have ended: one connection, which no flood of requests takes.
    pub watch: PgPool,
}

impl Pools {
    /// Pools that connect when they are first asked.
    ///
    /// # Errors
    /// The URL cannot be read.
    pub fn new(url: &str) -> Result<Self, sqlx::Error> {
        let options = connect_options(url)?;
        let pool = |connections| {
            PgPoolOptions::new()
                .max_connections(connections)
                .acquire_timeout(limits::ACQUIRE_TIMEOUT)
                .max_lifetime(limits::CONNECTION_LIFETIME)
                .connect_lazy_with(options.clone())
        };
        Ok(Self {
            api: pool(limits::API_CONNECTIONS_MAX),
            auth: pool(limits::AUTH_CONNECTIONS_MAX),
            judge: pool(limits::JUDGE_CONNECTIONS_MAX),
            jobs: pool(limits::JOB_CONNECTIONS_MAX),
            watch: pool(1),
        })
    }

    /// Closes every connection.
    pub async fn close(&self) {
        tokio::join!(self.api.close(), self.auth.close(), self.judge.close(), self.jobs.close(), self.watch.close());
    }
}

fn connect_options(url: &str) -> Result<PgConnectOptions, sqlx::Error> {
    Ok(url.parse::<PgConnectOptions>()?.application_name("lastbite").options([
        ("pg_trgm.word_similarity_threshold", limits::FOOD_LIKENESS.to_string()),
        ("statement_timeout", limits::STATEMENT_TIMEOUT_MS.to_string()),
        ("lock_timeout", limits::LOCK_TIMEOUT_MS.to_string()),
        ("idle_in_transaction_session_timeout", limits::IDLE_IN_TRANSACTION_TIMEOUT_MS.to_string()),
    ]))
}

/// Brings the database to this version's shape, on a connection without our time-outs. Forward only; safe to run from
/// several nodes at once.
///
/// # Errors
/// Postgres is away, or the database was migrated by a newer version.
pub async fn migrate(url: &str) -> anyhow::Result<()> {
    let mut connection = PgConnection::connect(url).await?;
    sqlx::migrate!().run(&mut connection).await?;
    connection.close().await?;
    crate::jobs::migrate(url).await
}

/// Makes the coming months' partitions of the diary.
///
/// # Errors
/// Postgres is away.
pub async fn make_partitions(pool: &PgPool, now: DateTime<Utc>) -> Result<(), sqlx::Error> {
    let ahead = limits::MEAL_PARTITIONS_AHEAD_MONTHS;
    sqlx::query!("select make_meal_partitions($1, $2)", now, ahead).execute(pool).await?;
    Ok(())
}

/// Settings with which an acknowledged write could be lost; each with its value.
///
/// # Errors
/// Postgres is away.
pub async fn unsafe_settings(pool: &PgPool) -> Result<Vec<String>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"select name as "name!", setting as "setting!" from pg_settings
           where name in ('fsync', 'synchronous_commit', 'full_page_writes') and setting = 'off'"#
    )
    .fetch_all(pool)
    .await?;
    Ok(rows.into_iter().map(|row| format!("Postgres runs with {} = {}", row.name, row.setting)).collect())
}

/// Postgres does not answer: worth trying again soon.
#[must_use]
pub fn is_away(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed | sqlx::Error::Io(_) | sqlx::Error::WorkerCrashed => true,
        // 08: connection; 57P: shutting down, crashed, cannot connect now; 53300: too many connections; 25P03: it hung up on
        // a transaction of ours that did nothing for too long.
        sqlx::Error::Database(error) => error.code().is_some_and(|code| {
            code.starts_with("08") || code.starts_with("57P") || matches!(&*code, "53300" | "25P03")
        }),
        sqlx::Error::Protocol(_) => true,
        _ => false,
    }
}

/// Postgres gave up waiting for a lock, a statement or a tie: worth trying again.
#[must_use]
pub fn is_busy(error: &sqlx::Error) -> bool {
    matches!(error, sqlx::Error::Database(error)
        if error.code().is_some_and(|code| matches!(&*code, "55P03" | "57014" | "40P01" | "40001")))
}

/// The name of the constraint that a write would have broken.
#[must_use]
pub fn broken_constraint(error: &sqlx::Error) -> Option<&str> {
    match error {
        sqlx::Error::Database(error) => error.constraint(),
        _ => None,
    }
}

/// Reads a name that a check constraint guards.
///
/// # Errors
/// A newer version stored a name that this one does not know.
pub fn parsed<T: std::str::FromStr<Err = String>>(name: &str) -> Result<T, sqlx::Error> {
    name.parse().map_err(|error: String| sqlx::Error::Decode(error.into()))
}
