//! What Kakao tells us by itself: that a user has unlinked us, and what became of an account there.
//!
//! The first shows the admin key, the second is signed (a security event token, RFC 8417). Both are answered alike whether
//! we know the user or not.

use std::collections::HashMap;

use axum::{
    Router,
    extract::{Form, Request, State, rejection::FormRejection},
    http::{HeaderMap, StatusCode, header},
    routing::{get, post},
};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, jwk::JwkSet};
use lastbite_protocol::UserId;
use openidconnect::core::CoreJsonWebKeySet;
use secrecy::ExposeSecret;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::{
    identities,
    provider::{Provider, unavailable},
};
use crate::{
    App,
    body::{self, Path},
    config::providers::Kakao,
    error::{ApiError, ApiResult},
    limits,
};

/// Where Kakao calls, apart from the API.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/webhooks/{provider}/unlink", get(unlinked).post(unlinked))
        .route("/webhooks/{provider}/status", post(status))
}

#[derive(Deserialize)]
struct Unlinked {
    app_id: i64,
    user_id: i64,
    /// Who did it there: the user, or an administrator.
    referrer_type: Option<String>,
}

async fn unlinked(
    State(app): State<App>,
    Path(provider): Path<String>,
    headers: HeaderMap,
    form: Result<Form<Unlinked>, FormRejection>,
) -> ApiResult<StatusCode> {
    let (provider, kakao) = of_kakao(&app, &provider)?;
    if !shows_key(&headers, kakao) {
        return Err(super::provider::unauthorized("webhook_unauthorized", "this is not from Kakao"));
    }
    let malformed = |detail: &str| ApiError::refused(StatusCode::BAD_REQUEST, "webhook_invalid", detail);
    let Form(told) = form.map_err(|rejection| malformed(&rejection.body_text()))?;
    if told.app_id != kakao.app_id || told.user_id <= 0 {
        return Err(malformed("another application, or no user"));
    }
    let by: String = told.referrer_type.unwrap_or_default().chars().filter(char::is_ascii_graphic).take(64).collect();
    let subject = told.user_id.to_string();
    let severing = sever(&app, provider, &subject);
    let user = tokio::time::timeout(limits::WEBHOOK_TIMEOUT, severing).await.map_err(|_| unavailable())??;
    tracing::info!(?user, by, "Kakao says that a user has unlinked us");
    Ok(StatusCode::OK)
}

async fn sever(app: &App, provider: &Provider, subject: &str) -> ApiResult<Option<UserId>> {
    let name = &provider.settings.name;
    let mut tx = app.db.auth.begin().await?;
    let Some(user) = identities::lock(&mut tx, name, subject).await? else { return Ok(None) };
    let ended = identities::sever(&mut tx, name, subject, user, app.clock.wall()).await?;
    tx.commit().await?;
    app.auth.live.end(ended);
    Ok(Some(user))
}

fn of_kakao<'a>(app: &'a App, provider: &str) -> ApiResult<(&'a Provider, &'a Kakao)> {
    let provider = app.oidc.find(provider)?;
    let kakao = provider.settings.kakao.as_ref().ok_or_else(|| ApiError::not_found("webhook"))?;
    Ok((provider, kakao))
}

/// Compared by hashes, so that neither length nor beginning of the key shows in the time it takes.
fn shows_key(headers: &HeaderMap, kakao: &Kakao) -> bool {
    let shown = headers.get(header::AUTHORIZATION).map(|value| value.as_bytes()).unwrap_or_default();
    let wanted = format!("KakaoAK {}", kakao.admin_key.expose_secret());
    Sha256::digest(shown).ct_eq(&Sha256::digest(wanted)).into()
}

async fn status(State(app): State<App>, Path(provider): Path<String>, request: Request) -> ApiResult<StatusCode> {
    let (provider, _) = of_kakao(&app, &provider)?;
    if !body::is(&request, "application/secevent+jwt") {
        return Err(body::wrong_content_type("application/secevent+jwt"));
    }
    let bytes = body::read(request.into_body(), limits::PROVIDER_TOKEN_BYTES_MAX, limits::WEBHOOK_TIMEOUT).await?;
    let text = std::str::from_utf8(&bytes).map_err(|_| set_invalid())?.trim();
    let taking = async {
        let set = checked(&app, provider, text).await?;
        take(&app, provider, &set).await
    };
    tokio::time::timeout(limits::WEBHOOK_TIMEOUT, taking).await.map_err(|_| unavailable())??;
    Ok(StatusCode::ACCEPTED)
}

/// A security event token: what happened to whom.
#[derive(Deserialize)]
struct Set {
    jti: String,
    iat: i64,
    sub: Option<String>,
    /// By the address of their kind.
    events: HashMap<String, Event>,
}

#[derive(Default, Deserialize)]
struct Event {
    subject: Option<Subject>,
}

/// Some senders name the user in the event instead.
#[derive(Default, Deserialize)]
struct Subject {
    sub: Option<String>,
}

/// The token, if the provider has signed it for us, lately.
async fn checked(app: &App, provider: &Provider, text: &str) -> ApiResult<Set> {
    let header = jsonwebtoken::decode_header(text).map_err(|_| set_invalid())?;
    // Else an ID token could stand for one.
    if !header.typ.as_deref().is_some_and(|typ| typ.eq_ignore_ascii_case("secevent+jwt")) {
        return Err(set_invalid());
    }
    let document = provider.document().await?;
    let mut key = key(document.jwks(), header.kid.as_deref());
    if key.is_none() {
        key = self::key(provider.newer_document(&document).await?.jwks(), header.kid.as_deref());
    }
    let mut validation = Validation::new(Algorithm::RS256);
    validation.set_issuer(&[&provider.settings.issuer]);
    validation.set_audience(&provider.audiences().collect::<Vec<_>>());
    validation.set_required_spec_claims(&["iss", "aud"]);
    // An event does not expire; how old it may be is looked at below.
    validation.validate_exp = false;
    let set = jsonwebtoken::decode::<Set>(text, &key.ok_or_else(set_invalid)?, &validation);
    let set = set.map_err(|error| {
        tracing::info!(%error, "a security event token was refused");
        set_invalid()
    })?;
    let set = set.claims;
    let now = app.clock.wall();
    let (oldest, latest) = (now - limits::EVENT_AGE_MAX, now + limits::PROVIDER_CLOCK_AHEAD);
    let in_time = (oldest.timestamp()..=latest.timestamp()).contains(&set.iat);
    let named = (1..=255).contains(&set.jti.len()) && set.jti.chars().all(|letter| letter.is_ascii_graphic());
    if in_time && named { Ok(set) } else { Err(set_invalid()) }
}

fn key(keys: &CoreJsonWebKeySet, kid: Option<&str>) -> Option<DecodingKey> {
    let keys: JwkSet = serde_json::from_value(serde_json::to_value(keys).ok()?).ok()?;
    DecodingKey::from_jwk(keys.find(kid?)?).ok()
}

/// Does what follows from it, once.
async fn take(app: &App, provider: &Provider, set: &Set) -> ApiResult<()> {
    let (name, wall) = (&provider.settings.name, app.clock.wall());
    let mut tx = app.db.auth.begin().await?;
    let first = sqlx::query!(
        "insert into oidc_events (provider, jti, taken_at) values ($1, $2, $3) on conflict do nothing",
        name,
        set.jti,
        wall
    )
    .execute(&mut *tx)
    .await?;
    if first.rows_affected() == 0 {
        return Ok(());
    }
    let mut ended = Vec::new();
    for (kind, event) in &set.events {
        let subject = event.subject.as_ref().and_then(|subject| subject.sub.as_ref()).or(set.sub.as_ref());
        let subject = subject.filter(|subject| subject.chars().all(|letter| letter.is_ascii_graphic()));
        let Some(subject) = subject else { continue };
        let Some(user) = identities::lock(&mut tx, name, subject).await? else { continue };
        // The addresses differ between senders, the last piece does not.
        let kind = kind.rsplit('/').next().unwrap_or_default();
        match kind {
            "tokens-revoked" | "account-disabled" | "sessions-revoked" => {}
            "user-unlinked" => ended.extend(identities::sever(&mut tx, name, subject, user, wall).await?),
            _ => continue,
        }
        ended.extend(identities::end_sessions(&mut tx, user, wall).await?);
        tracing::info!(kind, %user, "the provider told what became of an account");
    }
    tx.commit().await?;
    app.auth.live.end(ended);
    Ok(())
}

fn set_invalid() -> ApiError {
    ApiError::refused(StatusCode::BAD_REQUEST, "event_invalid", "this security event token is none for us")
}
