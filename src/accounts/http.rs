//! `/accounts`, `/sessions`, and the public keys.

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
};
use lastbite_protocol::{
    SessionId, UserId,
    rest::{
        Account, Availability, ChangePassword, DeleteAccount, ForgotPassword, LogIn, Page, Problem, Refresh, Register,
        ResetPassword, Session, SetRole, SignedIn, VerifyEmail,
    },
};
use serde::Serialize;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    erase, moderation,
    sessions::{self, Device, Why},
    signing, store,
};
use crate::{
    App,
    auth::{Caller, Client, keys::PublicKey},
    body::{Json, Path},
    error::{ApiError, ApiResult},
};

mod data;
mod profile;

pub(crate) use data::fetch_export;

/// The routes of this feature.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .merge(profile::routes())
        .merge(data::routes())
        .routes(routes!(register))
        .routes(routes!(me, delete))
        .routes(routes!(change_password))
        .routes(routes!(send_email_code))
        .routes(routes!(verify_email))
        .routes(routes!(forgot_password))
        .routes(routes!(reset_password))
        .routes(routes!(nickname))
        .routes(routes!(block, unblock))
        .routes(routes!(set_role))
        .routes(routes!(log_in, list_sessions, log_out_everywhere))
        .routes(routes!(refresh))
        .routes(routes!(log_out))
        .routes(routes!(end_session))
}

/// Makes an account and signs in.
#[utoipa::path(
    post, path = "/accounts", operation_id = "register", tag = "accounts", request_body = Register,
    responses(
        (status = 201, body = SignedIn),
        (status = 400, description = "`json_malformed`", body = Problem),
        (status = 403, description = "`too_young`", body = Problem),
        (status = 409, description = "`email_taken`, `nickname_taken`", body = Problem),
        (
            status = 422, body = Problem,
            description = "`json_invalid`, `email_invalid`, `nickname_invalid`, `password_weak`, `device_invalid`"
        ),
    )
)]
async fn register(
    State(app): State<App>,
    Client(address): Client,
    headers: HeaderMap,
    Json(mut wish): Json<Register>,
) -> ApiResult<(StatusCode, Json<SignedIn>)> {
    let device = Device::of(wish.device.take(), &headers, address)?;
    Ok((StatusCode::CREATED, Json(signing::register(&app, wish, &device).await?)))
}

/// Signs in. A wrong e-mail and a wrong password are answered alike.
#[utoipa::path(
    post, path = "/sessions", operation_id = "log_in", tag = "accounts", request_body = LogIn,
    responses(
        (status = 201, body = SignedIn),
        (status = 400, description = "`json_malformed`", body = Problem),
        (status = 401, description = "`credentials_wrong`", body = Problem),
        (status = 403, description = "`account_blocked`", body = Problem),
        (status = 422, description = "`json_invalid`, `device_invalid`", body = Problem),
        (status = 429, description = "`too_many_attempts`: wait as long as `Retry-After` says", body = Problem),
    )
)]
async fn log_in(
    State(app): State<App>,
    Client(address): Client,
    headers: HeaderMap,
    Json(mut wish): Json<LogIn>,
) -> ApiResult<(StatusCode, Json<SignedIn>)> {
    let device = Device::of(wish.device.take(), &headers, address)?;
    Ok((StatusCode::CREATED, Json(signing::log_in(&app, wish, &device).await?)))
}

/// The next tokens of a session, for its refresh token, which is spent by it. A spent one that comes again ends the session;
/// within 10 seconds it gets the same answer, for who lost it.
#[utoipa::path(
    post, path = "/sessions/refresh", operation_id = "refresh_session", tag = "accounts", request_body = Refresh,
    responses(
        (status = 200, body = SignedIn),
        (status = 400, description = "`json_malformed`", body = Problem),
        (status = 401, description = "`refresh_invalid`, `refresh_reused`, `session_ended`", body = Problem),
        (status = 422, description = "`json_invalid`", body = Problem),
    )
)]
async fn refresh(
    State(app): State<App>,
    Client(address): Client,
    headers: HeaderMap,
    Json(wish): Json<Refresh>,
) -> ApiResult<Json<SignedIn>> {
    let device = Device::of(None, &headers, address)?;
    signing::refresh(&app, &wish.refresh_token, &device).await.map(Json)
}

/// Where one is signed in, the session used last first.
#[utoipa::path(
    get, path = "/sessions", operation_id = "list_own_sessions", tag = "accounts", security(("token" = [])),
    responses((status = 200, body = Page<Session>), (status = 401, body = Problem))
)]
async fn list_sessions(State(app): State<App>, caller: Caller) -> ApiResult<Json<Page<Session>>> {
    let items = sessions::list(&app.db.auth, caller.user, caller.session, app.clock.wall()).await?;
    Ok(Json(Page { items, next: None }))
}

/// Logs out everywhere. Within a second no token of these sessions is good any more, and their sockets are closed.
#[utoipa::path(
    delete, path = "/sessions", operation_id = "log_out_everywhere", tag = "accounts", security(("token" = [])),
    responses((status = 204), (status = 401, body = Problem))
)]
async fn log_out_everywhere(State(app): State<App>, caller: Caller) -> ApiResult<StatusCode> {
    signing::end_all(&app, caller).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Logs out.
#[utoipa::path(
    delete, path = "/sessions/current", operation_id = "log_out", tag = "accounts", security(("token" = [])),
    responses((status = 204), (status = 401, body = Problem))
)]
async fn log_out(State(app): State<App>, caller: Caller) -> ApiResult<StatusCode> {
    signing::end(&app, caller, &[caller.session], Why::LoggedOut).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Ends one of one's own sessions.
#[utoipa::path(
    delete, path = "/sessions/{id}", operation_id = "end_session", tag = "accounts", security(("token" = [])),
    params(("id" = SessionId, Path)),
    responses((status = 204), (status = 401, body = Problem), (status = 404, body = Problem))
)]
async fn end_session(State(app): State<App>, caller: Caller, Path(id): Path<SessionId>) -> ApiResult<StatusCode> {
    if signing::end(&app, caller, &[id], Why::Ended).await? {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(ApiError::not_found("session"))
    }
}

/// One's own account.
#[utoipa::path(
    get, path = "/accounts/me", operation_id = "read_own_account", tag = "accounts", security(("token" = [])),
    responses((status = 200, body = Account), (status = 401, body = Problem), (status = 404, body = Problem))
)]
async fn me(State(app): State<App>, caller: Caller) -> ApiResult<Json<Account>> {
    let user = store::load(&app.db.auth, caller.user).await?;
    user.map(|user| Json(user.account)).ok_or_else(|| ApiError::not_found("account"))
}

/// Deletes one's account. Within a second nothing signs in with it any more; photos, meals and whatever else is personal are
/// erased soon after. Boards keep the player, as `withdrawn`.
#[utoipa::path(
    delete, path = "/accounts/me", operation_id = "delete_own_account", tag = "accounts", security(("token" = [])),
    request_body = DeleteAccount,
    responses(
        (status = 202, description = "Deleted; what is left is being erased."),
        (status = 400, description = "`json_malformed`", body = Problem),
        (status = 401, body = Problem), (status = 404, body = Problem),
        (status = 403, description = "`password_wrong`; `sign_in_again` without a password", body = Problem),
        (status = 422, description = "`json_invalid`", body = Problem),
        (status = 429, description = "`too_many_attempts`: wait as long as `Retry-After` says", body = Problem),
    )
)]
async fn delete(
    State(app): State<App>,
    caller: Caller,
    Client(address): Client,
    Json(wish): Json<DeleteAccount>,
) -> ApiResult<StatusCode> {
    erase::delete(&app, caller, address, wish).await?;
    Ok(StatusCode::ACCEPTED)
}

/// Changes one's password. All other sessions end.
#[utoipa::path(
    put, path = "/accounts/me/password", operation_id = "change_password", tag = "accounts", security(("token" = [])),
    request_body = ChangePassword,
    responses(
        (status = 204), (status = 401, body = Problem), (status = 404, body = Problem),
        (status = 400, description = "`json_malformed`", body = Problem),
        (status = 403, description = "`password_wrong`; `sign_in_again` without a password", body = Problem),
        (status = 409, description = "`password_changed`", body = Problem),
        (status = 422, description = "`json_invalid`, `password_weak`", body = Problem),
        (status = 429, description = "`too_many_attempts`: wait as long as `Retry-After` says", body = Problem),
    )
)]
async fn change_password(
    State(app): State<App>,
    caller: Caller,
    Client(address): Client,
    Json(wish): Json<ChangePassword>,
) -> ApiResult<StatusCode> {
    signing::change_password(&app, caller, address, wish).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Sends a letter with a code to one's own address. At most three an hour.
#[utoipa::path(
    post, path = "/accounts/me/email/code", operation_id = "send_email_code", tag = "accounts", security(("token" = [])),
    responses(
        (status = 202, description = "The letter is on its way, unless there were too many."),
        (status = 401, body = Problem),
        (status = 404, description = "`not_found`: the account has no address", body = Problem),
    )
)]
async fn send_email_code(State(app): State<App>, caller: Caller) -> ApiResult<StatusCode> {
    signing::send_email_code(&app, caller).await?;
    Ok(StatusCode::ACCEPTED)
}

/// Shows that mail arrives at one's address.
#[utoipa::path(
    post, path = "/accounts/me/email/verify", operation_id = "verify_email", tag = "accounts", security(("token" = [])),
    request_body = VerifyEmail,
    responses(
        (status = 200, body = Account), (status = 401, body = Problem),
        (status = 400, description = "`json_malformed`", body = Problem),
        (status = 403, description = "`code_wrong`: another one, spent, or too old", body = Problem),
        (status = 422, description = "`json_invalid`", body = Problem),
    )
)]
async fn verify_email(
    State(app): State<App>,
    caller: Caller,
    Json(wish): Json<VerifyEmail>,
) -> ApiResult<Json<Account>> {
    signing::verify_email(&app, caller, &wish.code).await.map(Json)
}

/// Sends a letter with a code for a new password, if the address has an account. The answer is the same if it has none.
#[utoipa::path(
    post, path = "/password/forgot", operation_id = "forgot_password", tag = "accounts", request_body = ForgotPassword,
    responses(
        (status = 202, description = "The letter is on its way, if there is somebody to send it to."),
        (status = 400, description = "`json_malformed`", body = Problem),
        (status = 422, description = "`json_invalid`", body = Problem),
    )
)]
async fn forgot_password(
    State(app): State<App>,
    Client(address): Client,
    Json(wish): Json<ForgotPassword>,
) -> ApiResult<StatusCode> {
    signing::forgot_password(&app, &wish.email, address).await?;
    Ok(StatusCode::ACCEPTED)
}

/// Sets a new password with the code from the letter. All sessions end.
#[utoipa::path(
    post, path = "/password/reset", operation_id = "reset_password", tag = "accounts", request_body = ResetPassword,
    responses(
        (status = 204),
        (status = 400, description = "`json_malformed`", body = Problem),
        (status = 403, description = "`code_wrong`: another one, spent, too old, or nobody's", body = Problem),
        (status = 422, description = "`json_invalid`, `password_weak`", body = Problem),
        (status = 429, description = "`too_many_attempts`: wait as long as `Retry-After` says", body = Problem),
    )
)]
async fn reset_password(
    State(app): State<App>,
    Client(address): Client,
    Json(wish): Json<ResetPassword>,
) -> ApiResult<StatusCode> {
    signing::reset_password(&app, wish, address).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Whether a nickname can still be had.
#[utoipa::path(
    get, path = "/nicknames/{nickname}", operation_id = "check_nickname", tag = "accounts",
    params(("nickname" = String, Path)),
    responses(
        (status = 200, body = Availability),
        (status = 422, description = "`nickname_invalid`", body = Problem),
    )
)]
async fn nickname(State(app): State<App>, Path(nickname): Path<String>) -> ApiResult<Json<Availability>> {
    signing::nickname_is_free(&app, &nickname).await.map(|available| Json(Availability { available }))
}

/// Blocks a user. Within a second no token of theirs is good any more, and their sockets are closed.
#[utoipa::path(
    post, path = "/users/{id}/block", operation_id = "block_user", tag = "moderation", security(("token" = [])),
    params(("id" = UserId, Path)),
    responses(
        (status = 204), (status = 401, body = Problem), (status = 404, body = Problem),
        (status = 403, description = "`role_missing`, `role_too_high`", body = Problem),
    )
)]
async fn block(State(app): State<App>, caller: Caller, Path(user): Path<UserId>) -> ApiResult<StatusCode> {
    moderation::block(&app, caller, user).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Lets a blocked user in again.
#[utoipa::path(
    delete, path = "/users/{id}/block", operation_id = "unblock_user", tag = "moderation", security(("token" = [])),
    params(("id" = UserId, Path)),
    responses(
        (status = 204), (status = 401, body = Problem), (status = 404, body = Problem),
        (status = 403, description = "`role_missing`, `role_too_high`", body = Problem),
    )
)]
async fn unblock(State(app): State<App>, caller: Caller, Path(user): Path<UserId>) -> ApiResult<StatusCode> {
    moderation::unblock(&app, caller, user).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Gives a user a role.
#[utoipa::path(
    put, path = "/users/{id}/role", operation_id = "set_user_role", tag = "moderation", security(("token" = [])),
    params(("id" = UserId, Path)), request_body = SetRole,
    responses(
        (status = 204), (status = 401, body = Problem), (status = 404, body = Problem),
        (status = 400, description = "`json_malformed`", body = Problem),
        (status = 403, description = "`role_missing`, `role_too_high`", body = Problem),
        (status = 422, description = "`json_invalid`", body = Problem),
    )
)]
async fn set_role(
    State(app): State<App>,
    caller: Caller,
    Path(user): Path<UserId>,
    Json(wish): Json<SetRole>,
) -> ApiResult<StatusCode> {
    moderation::set_role(&app, caller, user, wish.role).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The public keys of access tokens, as RFC 7517 has it.
#[derive(Debug, Serialize)]
pub(crate) struct KeySet {
    keys: Vec<PublicKey>,
}

/// Served at `/.well-known/jwks.json`.
pub(crate) async fn public_keys(State(app): State<App>) -> axum::Json<KeySet> {
    axum::Json(KeySet { keys: app.auth.keys.public() })
}
