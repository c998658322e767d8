//! Signing in with a browser: to the provider and back, then a ticket for the page, which exchanges it for a session.
//!
//! No token is ever in an address. State and ticket are good once, for a short time, and in the browser that began alone:
//! a cookie binds them to it, so that nobody is signed in to a stranger's account by a link.

use axum::{
    Router,
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use lastbite_protocol::UserId;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;

use super::{identities, provider::Flow, return_to, secret};
use crate::{
    App,
    body::{Path, Query},
    error::{ApiError, ApiResult},
    limits,
};

const NO_STORE: (header::HeaderName, HeaderValue) = (header::CACHE_CONTROL, HeaderValue::from_static("no-store"));

/// Where browsers go, apart from the API.
pub fn routes() -> Router<App> {
    Router::new().route("/oidc/{provider}/start", get(start)).route("/oidc/{provider}/callback", get(callback))
}

#[derive(Deserialize)]
struct StartQuery {
    return_to: Option<String>,
    /// Whoever goes there says to be 14 or older, should it become an account.
    #[serde(default)]
    at_least_14: bool,
}

/// To the provider; what is wrong is told on our own page.
async fn start(
    State(app): State<App>,
    Path(provider): Path<String>,
    query: ApiResult<Query<StartQuery>>,
    headers: HeaderMap,
) -> Response {
    // Kept when it is there, so that two tabs can sign in at once.
    let browser = cookie(&app, &headers).unwrap_or_else(secret::draw);
    match begin(&app, &provider, query, &browser).await {
        Ok(there) => (StatusCode::FOUND, [location(&there), set_cookie(&app, &browser), NO_STORE]).into_response(),
        Err(error) => told(&error),
    }
}

async fn begin(app: &App, provider: &str, query: ApiResult<Query<StartQuery>>, browser: &str) -> ApiResult<String> {
    let provider = app.oidc.find(provider)?;
    let StartQuery { return_to: wanted, at_least_14 } = query?.0;
    let wanted = wanted
        .as_deref()
        .map(|path| return_to::parse(path).ok_or_else(|| ApiError::invalid("return_to_invalid", "return_to", "")))
        .transpose()?;
    let flow = Flow { state: secret::draw(), nonce: secret::draw(), verifier: secret::draw() };
    // Before anything is stored: it may be away.
    let there = provider.way_there(&flow).await?;
    sqlx::query!(
        "insert into oidc_flows (state_hash, browser_hash, provider, nonce, verifier, return_to, begun_at, at_least_14)
         values ($1, $2, $3, $4, $5, $6, $7, $8)",
        secret::hash(&flow.state),
        secret::hash(browser),
        provider.settings.name,
        flow.nonce,
        flow.verifier,
        wanted,
        app.clock.wall(),
        at_least_14
    )
    .execute(&app.db.auth)
    .await?;
    Ok(there)
}

#[derive(Deserialize)]
struct CallbackQuery {
    state: Option<String>,
    code: Option<String>,
    error: Option<String>,
}

/// Back from the provider.
async fn callback(
    State(app): State<App>,
    Path(provider): Path<String>,
    query: ApiResult<Query<CallbackQuery>>,
    headers: HeaderMap,
) -> Response {
    match come_back(&app, &provider, query, &headers).await {
        Ok(page) => (StatusCode::FOUND, [location(&page), NO_STORE]).into_response(),
        Err(error) => told(&error),
    }
}

async fn come_back(
    app: &App,
    provider: &str,
    query: ApiResult<Query<CallbackQuery>>,
    headers: &HeaderMap,
) -> ApiResult<String> {
    let provider = app.oidc.find(provider)?;
    let Query(query) = query?;
    let browser = cookie(app, headers).and_then(|browser| secret::hash(&browser)).ok_or_else(state_invalid)?;
    let state = query.state.as_deref().and_then(secret::hash).ok_or_else(state_invalid)?;
    // Spent before anything is asked of the provider. In another browser it is not: a stranger cannot spend it.
    let flow = sqlx::query!(
        "delete from oidc_flows where state_hash = $1 and browser_hash = $2 and provider = $3 and begun_at > $4
         returning nonce, verifier, return_to, at_least_14",
        state,
        browser,
        provider.settings.name,
        app.clock.wall() - limits::SIGN_IN_FLOW
    )
    .fetch_optional(&app.db.auth)
    .await?
    .ok_or_else(state_invalid)?;
    match query.error.as_deref() {
        None => {}
        Some("access_denied") => return Err(refused("cancelled", "the user did not want to")),
        Some(_) => return Err(refused("provider_refused", "the provider did not accept our request")),
    }
    let code = query.code.filter(|code| (1..=limits::PROVIDER_TOKEN_BYTES_MAX).contains(&code.len()));
    let code = code.ok_or_else(|| refused("code_invalid", "there is no code"))?;
    let vouched = provider.way_back(code, &flow.nonce, flow.verifier, app.clock.wall()).await?;
    let user = identities::find_or_make(app, &provider.settings.name, &vouched, flow.at_least_14).await?;
    let ticket = secret::draw();
    sqlx::query!(
        "insert into oidc_tickets (hash, browser_hash, user_id, made_at) values ($1, $2, $3, $4)",
        secret::hash(&ticket),
        browser,
        user.0,
        app.clock.wall()
    )
    .execute(&app.db.auth)
    .await?;
    let then = flow.return_to.map(|path| format!("&return_to={}", utf8_percent_encode(&path, NON_ALPHANUMERIC)));
    // A fragment is not sent to any server, and so in no log.
    Ok(format!("/signin#ticket={ticket}{}", then.unwrap_or_default()))
}

/// Whose a ticket is. It is spent by this, in the right browser.
///
/// # Errors
/// 401 `ticket_invalid`.
pub(super) async fn spend(app: &App, ticket: &str, headers: &HeaderMap) -> ApiResult<UserId> {
    let invalid =
        || super::provider::unauthorized("ticket_invalid", "this ticket is used, too old, or none of this browser");
    let browser = cookie(app, headers).and_then(|browser| secret::hash(&browser)).ok_or_else(invalid)?;
    let user = sqlx::query_scalar!(
        "delete from oidc_tickets where hash = $1 and browser_hash = $2 and made_at > $3 returning user_id",
        secret::hash(ticket).ok_or_else(invalid)?,
        browser,
        app.clock.wall() - limits::SIGN_IN_TICKET
    )
    .fetch_optional(&app.db.auth)
    .await?;
    user.map(UserId).ok_or_else(invalid)
}

fn state_invalid() -> ApiError {
    refused("state_invalid", "this sign-in was not begun in this browser, or has run out")
}

fn refused(code: &'static str, detail: &str) -> ApiError {
    ApiError::refused(StatusCode::UNAUTHORIZED, code, detail)
}

/// The page says it in words; the code is one of ours, never a text of the provider's.
fn told(error: &ApiError) -> Response {
    error.note();
    sent_back(error.code())
}

/// To our own page, with a code of ours.
pub(crate) fn sent_back(code: &str) -> Response {
    (StatusCode::FOUND, [location(&format!("/signin#error={code}")), NO_STORE]).into_response()
}

fn location(to: &str) -> (header::HeaderName, HeaderValue) {
    // Ours and the library's addresses are ASCII.
    (header::LOCATION, HeaderValue::from_str(to).unwrap_or(HeaderValue::from_static("/signin#error=internal")))
}

/// A name that only this very host can set, where that is possible.
fn cookie_name(app: &App) -> &'static str {
    if app.public_url.starts_with("https://") { "__Host-lastbite-signin" } else { "lastbite-signin" }
}

fn cookie(app: &App, headers: &HeaderMap) -> Option<String> {
    let texts = headers.get_all(header::COOKIE).into_iter().filter_map(|value| value.to_str().ok());
    let mut pairs = texts.flat_map(|text| text.split(';')).filter_map(|pair| pair.trim().split_once('='));
    let (_, value) = pairs.find(|(name, _)| *name == cookie_name(app))?;
    secret::hash(value).map(|_| value.to_owned())
}

/// Lax, because it has to come along when the provider sends the browser back.
fn set_cookie(app: &App, browser: &str) -> (header::HeaderName, HeaderValue) {
    let name = cookie_name(app);
    let secure = if name.starts_with("__Host-") { "; Secure" } else { "" };
    let lasts_s = (limits::SIGN_IN_FLOW + limits::SIGN_IN_TICKET).as_secs();
    let text = format!("{name}={browser}; Path=/; Max-Age={lasts_s}; HttpOnly; SameSite=Lax{secure}");
    (header::SET_COOKIE, HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static("")))
}
