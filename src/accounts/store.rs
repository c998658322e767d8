//! The `users` table.

use chrono::{DateTime, Utc};
use lastbite_protocol::{
    UserId,
    rest::{Account, Language, Role},
};
use sqlx::{PgExecutor, PgPool};

use crate::db::{self, Tx};

/// Why a user cannot be added.
pub(super) enum Taken {
    Email,
    Nickname,
}

/// A user to be added.
pub(super) struct NewUser {
    pub(super) id: UserId,
    pub(super) email: Option<String>,
    pub(super) nickname: String,
    pub(super) password_hash: Option<String>,
    pub(super) language: Language,
    pub(super) created_at: DateTime<Utc>,
}

/// Adds a user; the answer in the `Ok` says when a unique name is taken.
pub(super) async fn insert(tx: &mut Tx, user: &NewUser) -> Result<Result<(), Taken>, sqlx::Error> {
    let inserted = sqlx::query!(
        "insert into users (id, email, nickname, password_hash, language, created_at)
         values ($1, $2, $3, $4, $5, $6)",
        user.id.0,
        user.email,
        user.nickname,
        user.password_hash,
        user.language.as_str(),
        user.created_at
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
    email: Option<String>,
    email_verified_at: Option<DateTime<Utc>>,
    nickname: String,
    role: String,
    language: String,
    created_at: DateTime<Utc>,
    password_hash: Option<String>,
    blocked_at: Option<DateTime<Utc>>,
}

/// A user as signing in looks at them.
pub(super) struct User {
    pub(super) account: Account,
    pub(super) password_hash: Option<String>,
    pub(super) is_blocked: bool,
}

impl UserRow {
    fn into_user(self) -> Result<User, sqlx::Error> {
        let account = Account {
            id: self.id.into(),
            email_verified: self.email_verified_at.is_some(),
            email: self.email,
            nickname: self.nickname,
            role: db::parsed(&self.role)?,
            language: db::parsed(&self.language)?,
            has_password: self.password_hash.is_some(),
            created_at: self.created_at,
        };
        Ok(User { account, password_hash: self.password_hash, is_blocked: self.blocked_at.is_some() })
    }
}

/// The user with this e-mail.
pub(super) async fn load_by_email(pool: &PgPool, email: &str) -> Result<Option<User>, sqlx::Error> {
    let row = sqlx::query_as!(
        UserRow,
        "select id, email, email_verified_at, nickname, role, language, created_at, password_hash, blocked_at
         from users where lower(email) = lower($1)",
        email
    )
    .fetch_optional(pool)
    .await?;
    row.map(UserRow::into_user).transpose()
}

/// A user.
pub(super) async fn load(db: impl PgExecutor<'_>, user: UserId) -> Result<Option<User>, sqlx::Error> {
    let row = sqlx::query_as!(
        UserRow,
        "select id, email, email_verified_at, nickname, role, language, created_at, password_hash, blocked_at
         from users where id = $1",
        user.0
    )
    .fetch_optional(db)
    .await?;
    row.map(UserRow::into_user).transpose()
}

/// Takes the user's row for this transaction, so that what decides about it does so one after the other. Answers whether
/// there is such an account (still).
pub(super) async fn lock(tx: &mut Tx, user: UserId) -> Result<bool, sqlx::Error> {
    let found = sqlx::query!("select id from users where id = $1 and deleted_at is null for update", user.0)
        .fetch_optional(&mut **tx)
        .await?;
    Ok(found.is_some())
}

/// Stores another password, or the same one hashed anew.
pub(super) async fn set_password(
    db: impl PgExecutor<'_>,
    user: UserId,
    password_hash: &str,
) -> Result<(), sqlx::Error> {
    sqlx::query!("update users set password_hash = $2 where id = $1", user.0, password_hash).execute(db).await?;
    Ok(())
}

/// Gives a user a role.
pub(super) async fn set_role(db: impl PgExecutor<'_>, user: UserId, role: Role) -> Result<(), sqlx::Error> {
    sqlx::query!("update users set role = $2 where id = $1", user.0, role.as_str()).execute(db).await?;
    Ok(())
}

/// Blocks a user, or lets them in again.
pub(super) async fn set_blocked(tx: &mut Tx, user: UserId, at: Option<DateTime<Utc>>) -> Result<(), sqlx::Error> {
    sqlx::query!("update users set blocked_at = $2 where id = $1", user.0, at).execute(&mut **tx).await?;
    Ok(())
}

/// Mail has arrived at this address, if it still is the user's.
pub(super) async fn set_email_verified(
    db: impl PgExecutor<'_>,
    user: UserId,
    email: &str,
    wall: DateTime<Utc>,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update users set email_verified_at = coalesce(email_verified_at, $3) where id = $1 and email = $2",
        user.0,
        email,
        wall
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Whether nobody has this nickname, whatever its case.
pub(super) async fn nickname_is_free(pool: &PgPool, nickname: &str) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar!(
        r#"select not exists (select from users where lower(nickname) = lower($1)) as "free!""#,
        nickname
    )
    .fetch_one(pool)
    .await
}

/// Takes everything personal out of the row of an account that is deleted. The row stays: what was played refers to it.
pub(super) async fn empty(tx: &mut Tx, user: UserId, wall: DateTime<Utc>) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update users set email = null, email_verified_at = null, password_hash = null, role = 'user', zone = 'UTC',
                visibility = 'nobody', nickname = 'withdrawn_' || replace(id::text, '-', ''), deleted_at = $2
         where id = $1",
        user.0,
        wall
    )
    .execute(&mut **tx)
    .await?;
    sqlx::query!("delete from bodies where user_id = $1", user.0).execute(&mut **tx).await?;
    sqlx::query!("delete from weights where user_id = $1", user.0).execute(&mut **tx).await?;
    sqlx::query!("delete from codes where user_id = $1", user.0).execute(&mut **tx).await?;
    sqlx::query!("delete from identities where user_id = $1", user.0).execute(&mut **tx).await?;
    sqlx::query!("delete from oidc_tickets where user_id = $1", user.0).execute(&mut **tx).await?;
    Ok(())
}

/// Drops what is left of such an account besides its row: sessions, once their tokens have ended, are dropped as others are.
pub(super) async fn erase(tx: &mut Tx, user: UserId, wall: DateTime<Utc>) -> Result<(), sqlx::Error> {
    sqlx::query!("update users set erased_at = $2, picture = null where id = $1", user.0, wall)
        .execute(&mut **tx)
        .await?;
    sqlx::query!("delete from consents where user_id = $1", user.0).execute(&mut **tx).await?;
    sqlx::query!("update sessions set device = '', last_address = null where user_id = $1", user.0)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Accounts that were deleted before `then` and are not erased yet.
pub(super) async fn list_unerased(pool: &PgPool, then: DateTime<Utc>) -> Result<Vec<UserId>, sqlx::Error> {
    let found = sqlx::query_scalar!("select id from users where deleted_at < $1 and erased_at is null limit 100", then)
        .fetch_all(pool)
        .await?;
    Ok(found.into_iter().map(UserId).collect())
}

/// Unlinks everything from an account whose e-mail was never shown to be its user's.
pub(super) async fn forget_identities_of_unverified(tx: &mut Tx, user: UserId) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "delete from identities where user_id = $1
         and exists (select from users where id = $1 and email_verified_at is null)",
        user.0
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}
