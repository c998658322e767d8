//! `/accounts` and `/sessions`.

use axum::{extract::State, http::StatusCode};
use lastbite_protocol::{
    UserId,
    rest::{Account, LogIn, Problem, Register, SignedIn},
};
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use super::{password, store};
use crate::{
    App,
    auth::Caller,
    body::Json,
    db::Tx,
    error::{ApiError, ApiResult},
    journal::{self, StreamId},
    limits,
};

/// The routes of this feature.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(register)).routes(routes!(log_in)).routes(routes!(me))
}

/// Makes an account and signs in.
#[utoipa::path(
    post, path = "/accounts", operation_id = "register", tag = "accounts", request_body = Register,
    responses(
        (status = 201, body = SignedIn),
        (status = 400, description = "`json_malformed`", body = Problem),
        (status = 409, description = "`email_taken`, `nickname_taken`", body = Problem),
        (status = 422, description = "`json_invalid`, `email_invalid`, `nickname_invalid`, `password_weak`", body = Problem),
    )
)]
async fn register(State(app): State<App>, Json(wish): Json<Register>) -> ApiResult<(StatusCode, Json<SignedIn>)> {
    let email = parse_email(&wish.email)?;
    let nickname = parse_nickname(&wish.nickname)?;
    password::check(&wish.password)?;
    let hash = app.hasher.hash(wish.password).await?;
    let account = Account { id: UserId::generate(), email, nickname, created_at: app.clock.now() };
    let mut tx: Tx = app.db.auth.begin().await?;
    journal::create(&mut tx, StreamId::User(account.id)).await?;
    match store::insert(&mut tx, &account, &hash).await? {
        Ok(()) => tx.commit().await?,
        Err(store::Taken::Email) => return Err(conflict("email_taken", "this e-mail has an account already")),
        Err(store::Taken::Nickname) => return Err(conflict("nickname_taken", "somebody has this nickname")),
    }
    Ok((StatusCode::CREATED, Json(signed_in(&app, account)?)))
}

/// Signs in. A wrong e-mail and a wrong password are answered alike.
#[utoipa::path(
    post, path = "/sessions", operation_id = "log_in", tag = "accounts", request_body = LogIn,
    responses(
        (status = 201, body = SignedIn),
        (status = 400, description = "`json_malformed`", body = Problem),
        (status = 401, description = "`credentials_wrong`", body = Problem),
        (status = 422, description = "`json_invalid`", body = Problem),
    )
)]
async fn log_in(State(app): State<App>, Json(log_in): Json<LogIn>) -> ApiResult<(StatusCode, Json<SignedIn>)> {
    // What cannot be an address is nobody's, and is not for Postgres to see: it knows no NUL.
    let found = match parse_email(&log_in.email) {
        Ok(email) => store::load_by_email(&app.db.auth, &email).await?,
        Err(_) => None,
    };
    let (account, hash) = found.unzip();
    let fits = log_in.password.len() <= limits::PASSWORD_BYTES_MAX
        && app.hasher.fits(log_in.password, hash).await? != password::Fit::No;
    match account {
        Some(account) if fits => Ok((StatusCode::CREATED, Json(signed_in(&app, account)?))),
        _ => {
            metrics::counter!("lastbite_auth_failures_total", "code" => "credentials_wrong").increment(1);
            Err(ApiError::refused(StatusCode::UNAUTHORIZED, "credentials_wrong", "e-mail or password is wrong"))
        }
    }
}

/// One's own account.
#[utoipa::path(
    get, path = "/accounts/me", operation_id = "read_own_account", tag = "accounts", security(("token" = [])),
    responses((status = 200, body = Account), (status = 401, body = Problem), (status = 404, body = Problem))
)]
async fn me(State(app): State<App>, caller: Caller) -> ApiResult<Json<Account>> {
    let account = store::load(&app.db.auth, caller.user).await?;
    account.map(Json).ok_or_else(|| ApiError::not_found("account"))
}

fn signed_in(app: &App, user: Account) -> anyhow::Result<SignedIn> {
    let access_token = app.keys.sign(user.id, Uuid::now_v7(), app.clock.wall())?;
    let expires_in_s = limits::ACCESS_TOKEN_LIFETIME.as_secs();
    Ok(SignedIn { access_token, token_type: "Bearer".to_owned(), expires_in_s, user })
}

fn conflict(code: &'static str, detail: &str) -> ApiError {
    ApiError::refused(StatusCode::CONFLICT, code, detail)
}

/// Whether mail really arrives only a letter can tell; this refuses what cannot be an address.
fn parse_email(text: &str) -> ApiResult<String> {
    let email = text.trim();
    let fits = email.chars().count() <= limits::EMAIL_CHARS_MAX
        && !email.chars().any(|letter| letter.is_whitespace() || letter.is_control())
        && email.rsplit_once('@').is_some_and(|(local, domain)| {
            !local.is_empty()
                && !local.contains('@')
                && domain.split('.').count() > 1
                && domain.split('.').all(|label| !label.is_empty())
        });
    if fits {
        Ok(email.to_owned())
    } else {
        Err(ApiError::invalid("email_invalid", "email", "this is no e-mail address"))
    }
}

fn parse_nickname(text: &str) -> ApiResult<String> {
    let nickname = text.trim();
    let allowed = |letter: char| letter.is_ascii_alphanumeric() || letter == '_' || matches!(letter, '가'..='힣');
    if limits::NICKNAME_CHARS.contains(&nickname.chars().count()) && nickname.chars().all(allowed) {
        Ok(nickname.to_owned())
    } else {
        let detail = "a nickname has 2 to 50 Hangul syllables, Latin letters, digits and _";
        Err(ApiError::invalid("nickname_invalid", "nickname", detail))
    }
}
