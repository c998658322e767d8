//! What moderators and admins do to accounts.

use axum::http::StatusCode;
use lastbite_protocol::{UserId, rest::Role};
use sqlx::PgPool;

use super::{
    sessions::{self, Why},
    store,
};
use crate::{
    App,
    auth::Caller,
    error::{ApiError, ApiResult},
};

/// The role of a user; who is gone has none but the least.
///
/// # Errors
/// Postgres is away.
pub async fn role(pool: &PgPool, user: UserId) -> ApiResult<Role> {
    let found = store::load(pool, user).await?;
    Ok(found.filter(|user| !user.is_blocked).map_or(Role::User, |user| user.account.role))
}

/// Gives the account with this e-mail a role. Answers whether there is one.
///
/// # Errors
/// Postgres is away.
pub async fn grant(pool: &PgPool, email: &str, role: Role) -> Result<bool, sqlx::Error> {
    let Some(user) = store::load_by_email(pool, email).await? else { return Ok(false) };
    store::set_role(pool, user.account.id, role).await?;
    Ok(true)
}

/// Blocks a user: nobody signs in as them, and within a second nothing of theirs goes on.
pub(super) async fn block(app: &App, caller: Caller, user: UserId) -> ApiResult<()> {
    check_below(app, caller, user).await?;
    let wall = app.clock.wall();
    let mut tx = app.db.auth.begin().await?;
    store::lock(&mut tx, user).await?;
    store::set_blocked(&mut tx, user, Some(wall)).await?;
    let ended = sessions::end_all(&mut tx, user, None, Why::Blocked, wall).await?;
    tx.commit().await?;
    tracing::info!(by = %caller.user, %user, "a user was blocked");
    app.auth.live.end(ended.into_iter().map(|session| (user, session)));
    Ok(())
}

/// Lets a user in again.
pub(super) async fn unblock(app: &App, caller: Caller, user: UserId) -> ApiResult<()> {
    check_below(app, caller, user).await?;
    let mut tx = app.db.auth.begin().await?;
    store::set_blocked(&mut tx, user, None).await?;
    tx.commit().await?;
    tracing::info!(by = %caller.user, %user, "a user was let in again");
    Ok(())
}

/// Gives a user a role.
pub(super) async fn set_role(app: &App, caller: Caller, user: UserId, role: Role) -> ApiResult<()> {
    if user == caller.user {
        return Err(not_allowed("nobody changes their own role"));
    }
    if store::load(&app.db.auth, user).await?.is_none() {
        return Err(ApiError::not_found("user"));
    }
    store::set_role(&app.db.auth, user, role).await?;
    tracing::info!(by = %caller.user, %user, role = role.as_str(), "a user has another role");
    Ok(())
}

/// Only who is below one's own role can be blocked.
async fn check_below(app: &App, caller: Caller, user: UserId) -> ApiResult<()> {
    let found = store::load(&app.db.auth, user).await?.ok_or_else(|| ApiError::not_found("user"))?;
    if found.account.role >= role(&app.db.auth, caller.user).await? {
        return Err(not_allowed("only who has a lesser role than oneself"));
    }
    Ok(())
}

fn not_allowed(detail: &str) -> ApiError {
    ApiError::refused(StatusCode::FORBIDDEN, "role_too_high", detail)
}
