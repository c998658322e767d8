//! Signing up and in, by e-mail and password, and changing the password.

use std::net::IpAddr;

use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use lastbite_protocol::{
    SessionId, UserId,
    rest::{self, Account, ChangePassword, LogIn, Register, ResetPassword, SignedIn},
};

use super::{
    consents,
    guesses::{self, Attempt},
    letters::{self, Purpose, SendCode},
    password::{self, Fit},
    sessions::{self, Device, RefreshToken, Refreshed, Why},
    store::{self, NewUser, User},
};
use crate::{
    App,
    auth::Caller,
    db::Tx,
    error::{ApiError, ApiResult},
    jobs,
    journal::{self, StreamId},
    limits,
    rules::Event,
};

/// Makes an account and signs in.
pub(super) async fn register(app: &App, wish: Register, device: &Device) -> ApiResult<SignedIn> {
    let email = parse_email(&wish.email)?;
    let nickname = parse_nickname(&wish.nickname)?;
    password::check("password", &wish.password)?;
    if !wish.at_least_14 {
        return Err(too_young());
    }
    let hash = app.hasher.hash(wish.password, false).await?;
    let user = NewUser {
        id: UserId::generate(),
        email: Some(email),
        nickname,
        password_hash: Some(hash),
        language: wish.language,
        created_at: app.clock.wall(),
    };
    let mut tx: Tx = app.db.auth.begin().await?;
    journal::create(&mut tx, StreamId::User(user.id)).await?;
    match store::insert(&mut tx, &user).await? {
        Ok(()) => {
            // Signing up is agreeing to the terms in force.
            consents::write(&mut tx, user.id, rest::Purpose::Service, true, app.clock.wall()).await?;
            jobs::enqueue(&mut tx, &SendCode { user: user.id, purpose: Purpose::VerifyEmail, is_known: true }, None)
                .await?;
            enter(app, tx, user.id, device).await
        }
        Err(store::Taken::Email) => Err(conflict("email_taken", "this e-mail has an account already")),
        Err(store::Taken::Nickname) => Err(conflict("nickname_taken", "somebody has this nickname")),
    }
}

/// Signs in. A wrong e-mail and a wrong password are answered alike, and take as long.
pub(super) async fn log_in(app: &App, log_in: LogIn, device: &Device) -> ApiResult<SignedIn> {
    loop {
        if let Some(signed_in) = try_log_in(app, &log_in, device).await? {
            return Ok(signed_in);
        }
    }
}

/// Answers none when the password was changed while this one was hashed: then it has to fit the new one.
async fn try_log_in(app: &App, log_in: &LogIn, device: &Device) -> ApiResult<Option<SignedIn>> {
    // What cannot be an address is nobody's, and is not for Postgres to see: it knows no NUL.
    let user = match parse_email(&log_in.email) {
        Ok(email) => store::load_by_email(&app.db.auth, &email).await?,
        Err(_) => None,
    };
    if log_in.password.len() > limits::PASSWORD_BYTES_MAX {
        return Err(credentials_wrong());
    }
    let pool = &app.db.auth;
    let id = user.as_ref().map(|user| user.account.id);
    let email = log_in.email.trim();
    let attempt = Attempt::to_sign_in(pool, email, id, device.address).await?;
    let stored = user.as_ref().and_then(|user| user.password_hash.clone());
    let fit = guess(app, &attempt, log_in.password.clone(), stored.clone()).await?;
    let Some(user) = user.filter(|_| fit != Fit::No) else { return Err(credentials_wrong()) };
    let user = user.account.id;
    let stronger = match fit {
        Fit::YesWeakly => Some(app.hasher.hash(log_in.password.clone(), true).await?),
        Fit::Yes | Fit::No => None,
    };
    let mut tx = app.db.auth.begin().await?;
    if !store::lock(&mut tx, user).await? {
        return Err(credentials_wrong());
    }
    if store::load(&mut *tx, user).await?.and_then(|user| user.password_hash) != stored {
        return Ok(None);
    }
    if let Some(hash) = stronger {
        store::set_password(&mut *tx, user, &hash).await?;
    }
    guesses::forget(&mut *tx, email).await?;
    enter(app, tx, user, device).await.map(Some)
}

/// Whether a password is the one that was stored, as often as somebody may guess.
async fn guess(app: &App, attempt: &Attempt, password: String, stored: Option<String>) -> ApiResult<Fit> {
    attempt.admit(&app.db.auth, app.clock.wall()).await?;
    let fit = app.hasher.fits(password, stored, attempt.is_known()).await;
    // What was right, or was not looked at because too many wait, was no guess.
    if !matches!(fit, Ok(Fit::No)) {
        attempt.take_back(&app.db.auth).await?;
    }
    fit
}

/// Refuses, unless whoever is signed in shows once more that the account is theirs: by its password, or, where there is none, by
/// having signed in a moment ago.
///
/// # Errors
/// 403 `password_wrong` or `sign_in_again`, 429 `too_many_attempts`.
pub(super) async fn check_again(
    app: &App,
    caller: Caller,
    address: IpAddr,
    found: &User,
    password: Option<String>,
) -> ApiResult<()> {
    if found.password_hash.is_some() {
        let password = password.filter(|password| password.len() <= limits::PASSWORD_BYTES_MAX).unwrap_or_default();
        let attempt = Attempt::again(caller.user, address);
        return match guess(app, &attempt, password, found.password_hash.clone()).await? {
            Fit::No => Err(ApiError::refused(StatusCode::FORBIDDEN, "password_wrong", "the password is another one")),
            Fit::Yes | Fit::YesWeakly => Ok(()),
        };
    }
    let since = app.clock.wall() - limits::SIGNED_IN_A_MOMENT_AGO;
    if sessions::has_begun_since(&app.db.auth, caller.session, since).await? {
        return Ok(());
    }
    let detail = "there is no password to show: sign in once more, and do it within ten minutes";
    Err(ApiError::refused(StatusCode::FORBIDDEN, "sign_in_again", detail))
}

/// Begins a session in a transaction that has found out who it is, commits, and answers its tokens.
pub(super) async fn enter(app: &App, mut tx: Tx, user: UserId, device: &Device) -> ApiResult<SignedIn> {
    let wall = app.clock.wall();
    // The lock makes sessions of one user come one after the other, so that they can be counted.
    if !store::lock(&mut tx, user).await? {
        return Err(credentials_wrong());
    }
    let Some(found) = store::load(&mut *tx, user).await? else { return Err(credentials_wrong()) };
    // Who was blocked while the password was hashed has no session.
    check_not_blocked(&found)?;
    let (session, token, replaced) = sessions::begin(&mut tx, user, device, wall).await?;
    tx.commit().await?;
    app.auth.live.end(replaced.into_iter().map(|session| (user, session)));
    signed_in(app, found.account, session, token, wall)
}

fn signed_in(
    app: &App,
    user: Account,
    session: SessionId,
    refresh_token: RefreshToken,
    wall: DateTime<Utc>,
) -> ApiResult<SignedIn> {
    Ok(SignedIn {
        access_token: app.auth.keys.sign(user.id, session, wall)?,
        token_type: "Bearer".to_owned(),
        expires_in_s: limits::ACCESS_TOKEN_LIFETIME.as_secs(),
        refresh_token: refresh_token.to_text(),
        session,
        user,
    })
}

/// The next tokens of a session.
pub(super) async fn refresh(app: &App, token: &str, device: &Device) -> ApiResult<SignedIn> {
    let arrived = app.clock.wall();
    let mut tx = app.db.auth.begin().await?;
    let refreshed = sessions::refresh(&mut tx, token, device.address, arrived).await?;
    match refreshed {
        Refreshed::Next { user, session, token } => {
            let found = store::load(&mut *tx, user).await?.ok_or_else(credentials_wrong)?;
            tx.commit().await?;
            signed_in(app, found.account, session, token, app.clock.wall())
        }
        Refreshed::Reused { user, session } => {
            tx.commit().await?;
            app.auth.live.end([(user, session)]);
            tracing::warn!(%user, %session, "a spent refresh token was shown again: the session has ended");
            metrics::counter!("lastbite_auth_failures_total", "code" => "refresh_reused").increment(1);
            let detail = "this refresh token was used before: whoever has a copy of it is locked out, sign in again";
            Err(ApiError::refused(StatusCode::UNAUTHORIZED, "refresh_reused", detail))
        }
    }
}

/// Ends some of the caller's sessions. Answers whether there were any.
pub(super) async fn end(app: &App, caller: Caller, sessions: &[SessionId], why: Why) -> ApiResult<bool> {
    let mut tx = app.db.auth.begin().await?;
    let ended = sessions::end(&mut tx, caller.user, sessions, why, app.clock.wall()).await?;
    tx.commit().await?;
    let any = !ended.is_empty();
    app.auth.live.end(ended.into_iter().map(|session| (caller.user, session)));
    Ok(any)
}

/// Ends all of the caller's sessions.
pub(super) async fn end_all(app: &App, caller: Caller) -> ApiResult<()> {
    let mut tx = app.db.auth.begin().await?;
    let ended = sessions::end_all(&mut tx, caller.user, None, Why::LoggedOut, app.clock.wall()).await?;
    tx.commit().await?;
    app.auth.live.end(ended.into_iter().map(|session| (caller.user, session)));
    Ok(())
}

/// Sets another password, for who knows the one before; all other sessions end.
pub(super) async fn change_password(app: &App, caller: Caller, address: IpAddr, wish: ChangePassword) -> ApiResult<()> {
    password::check("new_password", &wish.new_password)?;
    let found = store::load(&app.db.auth, caller.user).await?.ok_or_else(|| ApiError::not_found("account"))?;
    check_again(app, caller, address, &found, wish.old_password).await?;
    let hash = app.hasher.hash(wish.new_password, true).await?;
    let mut tx = app.db.auth.begin().await?;
    if !store::lock(&mut tx, caller.user).await? {
        return Err(ApiError::not_found("account"));
    }
    // Who changed it meanwhile knew the old one as well; the later one is told.
    let now = store::load(&mut *tx, caller.user).await?.and_then(|user| user.password_hash);
    if now != found.password_hash {
        return Err(conflict("password_changed", "the password was changed at the same moment"));
    }
    store::set_password(&mut *tx, caller.user, &hash).await?;
    let ended = sessions::end_all(&mut tx, caller.user, Some(caller.session), Why::Password, app.clock.wall()).await?;
    tx.commit().await?;
    app.auth.live.end(ended.into_iter().map(|session| (caller.user, session)));
    Ok(())
}

/// Asks for a letter with a code to one's own address.
pub(super) async fn send_email_code(app: &App, caller: Caller) -> ApiResult<()> {
    let user = store::load(&app.db.auth, caller.user).await?.ok_or_else(|| ApiError::not_found("account"))?;
    if user.account.email.is_none() {
        return Err(ApiError::not_found("address"));
    }
    let mut tx = app.db.auth.begin().await?;
    jobs::enqueue(&mut tx, &SendCode { user: caller.user, purpose: Purpose::VerifyEmail, is_known: true }, None)
        .await?;
    tx.commit().await?;
    Ok(())
}

/// Takes the code of such a letter.
pub(super) async fn verify_email(app: &App, caller: Caller, code: &str) -> ApiResult<Account> {
    let (pool, wall) = (&app.db.auth, app.clock.wall());
    let right = letters::try_code(pool, &app.auth.keys, caller.user, Purpose::VerifyEmail, code, wall).await?;
    let right = right.ok_or_else(code_wrong)?;
    if !right.spend(pool, wall).await? {
        return Err(code_wrong());
    }
    store::set_email_verified(pool, caller.user, &right.sent_to, wall).await?;
    let user = store::load(pool, caller.user).await?.ok_or_else(|| ApiError::not_found("account"))?;
    Ok(user.account)
}

/// Asks for a letter with a code for a new password. Without such an account there is a job all the same, which finds
/// nobody: it takes as long.
pub(super) async fn forgot_password(app: &App, email: &str, address: IpAddr) -> ApiResult<()> {
    let Ok(email) = parse_email(email) else { return Ok(()) };
    let user = store::load_by_email(&app.db.auth, &email).await?.map_or_else(UserId::generate, |user| user.account.id);
    let is_known = guesses::is_known(&app.db.auth, Some(user), address).await?;
    let mut tx = app.db.auth.begin().await?;
    let key = format!("reset_password:{user}:{is_known}");
    jobs::enqueue(&mut tx, &SendCode { user, purpose: Purpose::ResetPassword, is_known }, Some(&key)).await?;
    tx.commit().await?;
    Ok(())
}

/// Sets a new password with the code of such a letter. All sessions end.
pub(super) async fn reset_password(app: &App, wish: ResetPassword, address: IpAddr) -> ApiResult<()> {
    password::check("new_password", &wish.new_password)?;
    let email = parse_email(&wish.email).map_err(|_| code_wrong())?;
    let (pool, wall) = (&app.db.auth, app.clock.wall());
    let attempt = Attempt::with_code(&email, address);
    attempt.admit(pool, wall).await?;
    // The same work whether there is such an account or not.
    let user = store::load_by_email(pool, &email).await?.map_or_else(UserId::generate, |user| user.account.id);
    let code = wish.code.trim().to_ascii_uppercase();
    let right = letters::try_code(pool, &app.auth.keys, user, Purpose::ResetPassword, &code, wall).await?;
    let right = right.ok_or_else(code_wrong)?;
    attempt.take_back(pool).await?;
    // Only for who has the letter, and the code stays good when there is no place.
    let hash = app.hasher.hash(wish.new_password, true).await?;
    let mut tx = app.db.auth.begin().await?;
    if !store::lock(&mut tx, user).await? || !right.spend(&mut *tx, wall).await? {
        return Err(code_wrong());
    }
    store::set_password(&mut *tx, user, &hash).await?;
    // What strangers guessed was the password before.
    guesses::forget(&mut *tx, &email).await?;
    // Until now anybody could have made this account for that address: what a stranger linked to it goes.
    store::forget_identities_of_unverified(&mut tx, user).await?;
    // Whoever has the code has the mail.
    store::set_email_verified(&mut *tx, user, &right.sent_to, wall).await?;
    let ended = sessions::end_all(&mut tx, user, None, Why::Password, wall).await?;
    tx.commit().await?;
    app.auth.live.end(ended.into_iter().map(|session| (user, session)));
    Ok(())
}

/// Whether nobody has a nickname.
pub(super) async fn nickname_is_free(app: &App, nickname: &str) -> ApiResult<bool> {
    Ok(store::nickname_is_free(&app.db.auth, &parse_nickname(nickname)?).await?)
}

pub(super) fn too_young() -> ApiError {
    let detail = "an account is for who is 14 or older; under 14, somebody who is older has to agree";
    ApiError::refused(StatusCode::FORBIDDEN, "too_young", detail)
}

fn code_wrong() -> ApiError {
    ApiError::refused(StatusCode::FORBIDDEN, "code_wrong", "the code is another one, spent, or too old")
}

pub(super) fn check_not_blocked(user: &User) -> ApiResult<()> {
    if user.is_blocked {
        return Err(ApiError::refused(StatusCode::FORBIDDEN, "account_blocked", "this account is blocked"));
    }
    Ok(())
}

fn credentials_wrong() -> ApiError {
    metrics::counter!("lastbite_auth_failures_total", "code" => "credentials_wrong").increment(1);
    ApiError::refused(StatusCode::UNAUTHORIZED, "credentials_wrong", "e-mail or password is wrong")
}

pub(super) fn conflict(code: &'static str, detail: &str) -> ApiError {
    ApiError::refused(StatusCode::CONFLICT, code, detail)
}

/// Whether mail really arrives only a letter can tell; this refuses what cannot be an address.
pub(super) fn parse_email(text: &str) -> ApiResult<String> {
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

pub(super) fn parse_nickname(text: &str) -> ApiResult<String> {
    let nickname = text.trim();
    let allowed = |letter: char| letter.is_ascii_alphanumeric() || letter == '_' || matches!(letter, '가'..='힣');
    // Boards call players so whose account is gone.
    let is_reserved = nickname.to_ascii_lowercase().starts_with(Event::NAME_OF_WITHDRAWN);
    if limits::NICKNAME_CHARS.contains(&nickname.chars().count()) && nickname.chars().all(allowed) && !is_reserved {
        Ok(nickname.to_owned())
    } else {
        let detail =
            "a nickname has 2 to 50 Hangul syllables, Latin letters, digits and _, and is not that of the withdrawn";
        Err(ApiError::invalid("nickname_invalid", "nickname", detail))
    }
}
