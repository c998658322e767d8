//! Which user a provider means, and which providers a user has.
//!
//! Found by provider and subject only. Two accounts with one e-mail are two accounts: who has an unverified address here,
//! or a provider that says any address there, would else walk into somebody's account.

use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use lastbite_protocol::{
    SessionId, UserId,
    rest::{Identity, Language, Purpose},
};
use sqlx::{PgPool, types::Json};

use super::{
    super::{
        consents,
        sessions::{self, Why},
        signing,
        store::{self, NewUser},
    },
    profile::{self, Profile, Vouched},
};
use crate::{
    App,
    auth::Caller,
    db::{self, Tx},
    error::{ApiError, ApiResult},
    journal::{self, StreamId},
};

/// As often names can be taken between looking and inserting, before somebody is told to come back.
const TRIES: usize = 5;

/// The user whom a provider vouches for; made when there is none.
///
/// # Errors
/// 403 `account_blocked`, or `age_unconfirmed` when it would be a new account and nobody said to be 14 or older; 503 `busy`.
pub(super) async fn find_or_make(app: &App, provider: &str, vouched: &Vouched, at_least_14: bool) -> ApiResult<UserId> {
    for _ in 0..TRIES {
        let mut tx = app.db.auth.begin().await?;
        if let Some(user) = used(&mut tx, provider, vouched, app.clock.wall()).await? {
            let found = store::load(&mut *tx, user).await?.ok_or_else(|| ApiError::not_found("account"))?;
            signing::check_not_blocked(&found)?;
            tx.commit().await?;
            return Ok(user);
        }
        if !at_least_14 {
            let detail = "a new account is for who says to be 14 or older";
            return Err(ApiError::refused(StatusCode::FORBIDDEN, "age_unconfirmed", detail));
        }
        if let Some(user) = make(app, &mut tx, provider, vouched).await? {
            tx.commit().await?;
            tracing::info!(provider, %user, "a new user came through a provider");
            return Ok(user);
        }
        tx.rollback().await?;
    }
    Err(ApiError::unavailable("busy", "too many want the same at once"))
}

/// The user of an identity, with what the provider says of them now.
async fn used(
    tx: &mut Tx,
    provider: &str,
    vouched: &Vouched,
    wall: DateTime<Utc>,
) -> Result<Option<UserId>, sqlx::Error> {
    // What this token does not tell, an ID token of Kakao's no e-mail, stays as another one told it.
    let used = sqlx::query!(
        r#"update identities set last_used_at = $3, profile = profile || jsonb_strip_nulls($4)
           where provider = $1 and subject = $2 returning user_id, profile as "profile: Json<Profile>""#,
        provider,
        vouched.subject,
        wall,
        Json(&vouched.profile) as _
    )
    .fetch_optional(&mut **tx)
    .await?;
    let Some(used) = used else { return Ok(None) };
    let user = UserId(used.user_id);
    take_email(tx, user, &used.profile, wall).await?;
    Ok(Some(user))
}

/// An account without an e-mail takes over the one that a provider has seen to be theirs, if nobody has it.
async fn take_email(tx: &mut Tx, user: UserId, profile: &Profile, wall: DateTime<Utc>) -> Result<(), sqlx::Error> {
    let Some(email) = free_email(tx, profile).await? else { return Ok(()) };
    sqlx::query!(
        "update users set email = $2, email_verified_at = $3
         where id = $1 and email is null and deleted_at is null",
        user.0,
        email,
        wall
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// A new user; `None` when a name was taken at the same moment, and the transaction is broken.
async fn make(app: &App, tx: &mut Tx, provider: &str, vouched: &Vouched) -> ApiResult<Option<UserId>> {
    let id = UserId::generate();
    let email = free_email(tx, &vouched.profile).await?;
    let has_email = email.is_some();
    let user = NewUser {
        id,
        email,
        nickname: free_nickname(tx, vouched.profile.nicknames()).await?,
        password_hash: None,
        language: Language::default(),
        created_at: app.clock.wall(),
    };
    journal::create(tx, StreamId::User(id)).await?;
    if store::insert(tx, &user).await?.is_err() {
        return Ok(None);
    }
    // Signing up is agreeing to the terms in force.
    consents::write(tx, id, Purpose::Service, true, app.clock.wall()).await?;
    if has_email {
        // The provider has seen that it is theirs.
        sqlx::query!("update users set email_verified_at = $2 where id = $1", id.0, app.clock.wall())
            .execute(&mut **tx)
            .await?;
    }
    match insert(tx, provider, vouched, id, app.clock.wall()).await {
        Ok(()) => Ok(Some(id)),
        Err(error) if db::broken_constraint(&error) == Some("identities_pk") => Ok(None),
        Err(error) => Err(error.into()),
    }
}

async fn free_email(tx: &mut Tx, profile: &Profile) -> Result<Option<String>, sqlx::Error> {
    let Some(email) = &profile.email else { return Ok(None) };
    let taken =
        sqlx::query_scalar!(r#"select exists (select from users where lower(email) = lower($1)) as "taken!""#, email)
            .fetch_one(&mut **tx)
            .await?;
    Ok(Some(email.clone()).filter(|_| !taken))
}

async fn free_nickname(tx: &mut Tx, mut wanted: Vec<String>) -> Result<String, sqlx::Error> {
    let lower: Vec<_> = wanted.iter().map(|name| name.to_lowercase()).collect();
    let taken: Vec<String> = sqlx::query_scalar!(
        r#"select lower(nickname) as "nickname!" from users where lower(nickname) = any($1)"#,
        &lower
    )
    .fetch_all(&mut **tx)
    .await?;
    // Were they all taken, inserting the last one says so.
    let free = lower.iter().position(|name| !taken.contains(name)).unwrap_or(wanted.len() - 1);
    Ok(wanted.swap_remove(free))
}

async fn insert(
    tx: &mut Tx,
    provider: &str,
    vouched: &Vouched,
    user: UserId,
    wall: DateTime<Utc>,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into identities (provider, subject, user_id, linked_at, last_used_at, profile)
         values ($1, $2, $3, $4, $4, $5)",
        provider,
        vouched.subject,
        user.0,
        wall,
        Json(&vouched.profile) as _
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Adds a way to sign in. Answers whether it is new.
///
/// # Errors
/// 409 `identity_taken` when it is another user's, `identity_exists` when this one has another of that provider.
pub(super) async fn link(app: &App, caller: Caller, provider: &str, vouched: &Vouched) -> ApiResult<bool> {
    let mut tx = app.db.auth.begin().await?;
    if !store::lock(&mut tx, caller.user).await? {
        return Err(ApiError::not_found("account"));
    }
    let taken = || signing::conflict("identity_taken", "this identity is another user's");
    match used(&mut tx, provider, vouched, app.clock.wall()).await? {
        // Not committed: what the other one's provider says now is not ours to store.
        Some(user) if user != caller.user => return Err(taken()),
        Some(_) => {
            tx.commit().await?;
            return Ok(false);
        }
        None => {}
    }
    match insert(&mut tx, provider, vouched, caller.user, app.clock.wall()).await {
        Ok(()) => {
            take_email(&mut tx, caller.user, &vouched.profile, app.clock.wall()).await?;
            tx.commit().await?;
        }
        Err(error) => {
            return Err(match db::broken_constraint(&error) {
                Some("identities_pk") => taken(),
                Some("identities_one_a_provider") => {
                    signing::conflict("identity_exists", "another identity of this provider is linked already")
                }
                _ => error.into(),
            });
        }
    }
    Ok(true)
}

/// Takes a way to sign in away.
///
/// # Errors
/// 404 when there is none of that provider, 409 `last_sign_in` when there is no other way in.
pub(super) async fn unlink(app: &App, caller: Caller, provider: &str) -> ApiResult<()> {
    let mut tx = app.db.auth.begin().await?;
    store::lock(&mut tx, caller.user).await?;
    let removed = sqlx::query!("delete from identities where user_id = $1 and provider = $2", caller.user.0, provider)
        .execute(&mut *tx)
        .await?;
    if removed.rows_affected() == 0 {
        return Err(ApiError::not_found("identity"));
    }
    if !has_way_in(&mut tx, caller.user).await? {
        return Err(signing::conflict(
            "last_sign_in",
            "there is no other way to sign in; an e-mail with a password is one",
        ));
    }
    tx.commit().await?;
    Ok(())
}

/// The providers of a user, the one linked first in front.
pub(in crate::accounts) async fn list(pool: &PgPool, user: UserId) -> Result<Vec<Identity>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"select provider, linked_at, last_used_at, profile as "profile: Json<Profile>" from identities
           where user_id = $1 order by linked_at, provider"#,
        user.0
    )
    .fetch_all(pool)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| profile::shown(row.provider, row.linked_at, row.last_used_at, row.profile.0))
        .collect())
}

/// The sessions that a provider has ended, to be told when it is committed.
pub(super) type Ended = Vec<(UserId, SessionId)>;

/// The user of a subject, locked; `None` when nobody here is meant.
pub(super) async fn lock(tx: &mut Tx, provider: &str, subject: &str) -> Result<Option<UserId>, sqlx::Error> {
    let user =
        sqlx::query_scalar!("select user_id from identities where provider = $1 and subject = $2", provider, subject)
            .fetch_optional(&mut **tx)
            .await?;
    let Some(user) = user.map(UserId) else { return Ok(None) };
    Ok(store::lock(tx, user).await?.then_some(user))
}

/// The provider says that it is over: the identity goes, and with the last way in the sessions.
pub(super) async fn sever(
    tx: &mut Tx,
    provider: &str,
    subject: &str,
    user: UserId,
    wall: DateTime<Utc>,
) -> Result<Ended, sqlx::Error> {
    sqlx::query!(
        "delete from identities where provider = $1 and subject = $2 and user_id = $3",
        provider,
        subject,
        user.0
    )
    .execute(&mut **tx)
    .await?;
    if has_way_in(tx, user).await? { Ok(Vec::new()) } else { end_sessions(tx, user, wall).await }
}

/// The provider does not vouch for who is signed in any more.
pub(super) async fn end_sessions(tx: &mut Tx, user: UserId, wall: DateTime<Utc>) -> Result<Ended, sqlx::Error> {
    let ended = sessions::end_all(tx, user, None, Why::Unlinked, wall).await?;
    Ok(ended.into_iter().map(|session| (user, session)).collect())
}

async fn has_way_in(tx: &mut Tx, user: UserId) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar!(
        r#"select (password_hash is not null and email is not null)
                  or exists (select from identities where user_id = $1) as "has!"
           from users where id = $1"#,
        user.0
    )
    .fetch_one(&mut **tx)
    .await
}
