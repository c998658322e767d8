//! Kakao's own API: whom an access token belongs to, and whether it was given to our application.

use axum::http::{HeaderValue, Request, StatusCode, header};
use serde::{Deserialize, de::DeserializeOwned};

use super::{
    profile::Vouched,
    provider::{unauthorized, unavailable},
};
use crate::{
    config::providers::Kakao,
    error::{ApiError, ApiResult},
    limits,
    outside::Outside,
};

/// Whose an access token is. It has to be one of our application: any other could have been taken from a user of theirs.
///
/// # Errors
/// 401 `provider_token_invalid`; 403 `too_young`, `scope_missing`; 503 `provider_unavailable`.
pub(super) async fn who(outside: &Outside, kakao: &Kakao, access_token: &str) -> ApiResult<Vouched> {
    let about: About = ask(outside, kakao, "/v1/user/access_token_info", access_token).await?;
    if about.app_id != kakao.app_id {
        tracing::warn!(app_id = about.app_id, "an access token of another application was shown");
        return Err(token_invalid());
    }
    let user: User = ask(outside, kakao, "/v2/user/me", access_token).await?;
    if about.expires_in <= 0 {
        return Err(token_invalid());
    }
    if about.id <= 0 || user.id != about.id {
        tracing::warn!("the two answers about an access token name two users, or none");
        return Err(unavailable());
    }
    let account = user.kakao_account.unwrap_or_default();
    let profile = account.profile.unwrap_or_default();
    let email =
        account.email.filter(|_| account.is_email_valid == Some(true) && account.is_email_verified == Some(true));
    let (nickname, picture) = (profile.nickname, profile.profile_image_url);
    Vouched::new(&user.id.to_string(), nickname.as_deref(), email.as_deref(), picture.as_deref())
        .ok_or_else(unavailable)
}

#[derive(Deserialize)]
struct About {
    id: i64,
    app_id: i64,
    expires_in: i64,
}

#[derive(Deserialize)]
struct User {
    id: i64,
    kakao_account: Option<Account>,
}

#[derive(Default, Deserialize)]
struct Account {
    profile: Option<KakaoProfile>,
    email: Option<String>,
    is_email_valid: Option<bool>,
    is_email_verified: Option<bool>,
}

#[derive(Default, Deserialize)]
struct KakaoProfile {
    nickname: Option<String>,
    profile_image_url: Option<String>,
}

#[derive(Deserialize)]
struct Refusal {
    code: i64,
}

async fn ask<T: DeserializeOwned>(outside: &Outside, kakao: &Kakao, path: &str, access_token: &str) -> ApiResult<T> {
    let bearer = format!("Bearer {access_token}");
    if bearer.len() > limits::PROVIDER_TOKEN_BYTES_MAX {
        return Err(token_invalid());
    }
    let mut bearer = HeaderValue::try_from(bearer).map_err(|_| token_invalid())?;
    bearer.set_sensitive(true);
    let request =
        Request::get(format!("{}{path}", kakao.api_base)).header(header::AUTHORIZATION, bearer).body(Vec::new());
    let answer = match request {
        Ok(request) => outside.ask(request).await,
        Err(error) => Err(error.into()),
    };
    let answer = answer.map_err(|error| {
        tracing::warn!(path, "Kakao is not to be used now: {error}");
        unavailable()
    })?;
    if answer.status() != StatusCode::OK {
        return Err(refused(path, answer.status(), answer.body()));
    }
    serde_json::from_slice(answer.body()).map_err(|error| {
        // Where, and not what: it is somebody's profile.
        tracing::warn!(path, line = error.line(), column = error.column(), "Kakao's answer cannot be read");
        unavailable()
    })
}

fn refused(path: &str, status: StatusCode, body: &[u8]) -> ApiError {
    let code = serde_json::from_slice(body).map(|Refusal { code }| code).ok();
    tracing::info!(path, %status, code, "Kakao refused an access token");
    match code {
        // There is no such token, or its user has unlinked us.
        Some(-401 | -101) => token_invalid(),
        Some(-402) => {
            ApiError::refused(StatusCode::FORBIDDEN, "scope_missing", "Kakao was not allowed to tell who it is")
        }
        Some(-406) => ApiError::refused(StatusCode::FORBIDDEN, "too_young", "one has to be 14 years old"),
        _ if status == StatusCode::UNAUTHORIZED => token_invalid(),
        _ => unavailable(),
    }
}

fn token_invalid() -> ApiError {
    unauthorized("provider_token_invalid", "this access token is none for us")
}
