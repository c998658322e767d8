//! The `users` table.

use chrono::{DateTime, Utc};
use lastbite_protocol::{UserId, rest::Account};
use sqlx::PgPool;

use crate::db::{self, Tx};

/// Why a user cannot be added.
pub(super) enum Taken {
    Email,
    Nickname,
}

/// Adds a user; the answer in the `Ok` says when a unique name is taken.
pub(super) async fn insert(
    tx: &mut Tx,
    account: &Account,
    password_hash: &str,
) -> Result<Result<(), Taken>, sqlx::Error> {
    let inserted = sqlx::query!(
        "insert into users (id, email, nickname, password_hash, created_at) values ($1, $2, $3, $4, $5)",
        account.id.0,
        account.email,
        account.nickname,
        password_hash,
        account.created_at
    )
    .execute(&mut **tx)
    .await;
    match inserted {
        Ok(_) => Ok(Ok(())),
        Err(error) => match db::broken_constraint(&error) {
            Some("users_email_unique") => Ok(Err(Taken::Email)),
            Some("users_nickname_unique") => Ok(Err(Taken::Nickname)),
            _ => Err(error),
        },
    }
}

struct UserRow {
    id: uuid::Uuid,
    email: String,
    nickname: String,
    created_at: DateTime<Utc>,
    password_hash: String,
}

impl UserRow {
    fn into_account(self) -> (Account, String) {
        let Self { id, email, nickname, created_at, password_hash } = self;
        (Account { id: id.into(), email, nickname, created_at }, password_hash)
    }
}

/// The account with this e-mail, and its password's hash.
pub(super) async fn load_by_email(pool: &PgPool, email: &str) -> Result<Option<(Account, String)>, sqlx::Error> {
    let row = sqlx::query_as!(
        UserRow,
        "select id, email, nickname, created_at, password_hash from users where lower(email) = lower($1)",
        email
    )
    .fetch_optional(pool)
    .await?;
    Ok(row.map(UserRow::into_account))
}

/// The account of a user.
pub(super) async fn load(pool: &PgPool, user: UserId) -> Result<Option<Account>, sqlx::Error> {
    let row = sqlx::query_as!(
        UserRow,
        "select id, email, nickname, created_at, password_hash from users where id = $1",
        user.0
    )
    .fetch_optional(pool)
    .await?;
    Ok(row.map(|row| row.into_account().0))
}
