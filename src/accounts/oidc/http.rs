//! `/sessions/ticket`, `/sessions/oidc/{provider}`, `/accounts/me/identities`.

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
};
use lastbite_protocol::rest::{Identity, LinkIdentity, Page, Problem, SignInWay, SignInWith, SignedIn, UseTicket};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    super::{sessions::Device, signing},
    browser, identities, kakao,
    profile::Vouched,
    provider::Bound,
};
use crate::{
    App,
    auth::{Caller, Client},
    body::{Json, Path},
    error::{ApiError, ApiResult},
    limits,
};

/// The routes of this part.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_sign_ins))
        .routes(routes!(use_ticket))
        .routes(routes!(sign_in_with))
        .routes(routes!(list_identities))
        .routes(routes!(link_identity, unlink_identity))
}

/// Through whom one can sign in besides e-mail and password: for each of them there is `GET /oidc/{name}/start`.
#[utoipa::path(
    get, path = "/sign-ins", operation_id = "list_sign_ins", tag = "accounts",
    responses((status = 200, body = Page<SignInWay>), (status = 429, body = Problem))
)]
async fn list_sign_ins(State(app): State<App>) -> Json<Page<SignInWay>> {
    let items = app.oidc.names().map(|name| SignInWay { name: name.to_owned() }).collect();
    Json(Page { items, next: None })
}

/// Signs in with the ticket from `/signin#ticket=…`, where a browser is sent after `GET /oidc/{provider}/start`.
#[utoipa::path(
    post, path = "/sessions/ticket", operation_id = "use_ticket", tag = "accounts", request_body = UseTicket,
    responses(
        (status = 201, body = SignedIn),
        (status = 400, description = "`json_malformed`", body = Problem),
        (status = 401, description = "`ticket_invalid`", body = Problem),
        (status = 403, description = "`account_blocked`", body = Problem),
        (status = 422, description = "`json_invalid`, `device_invalid`", body = Problem),
    )
)]
async fn use_ticket(
    State(app): State<App>,
    Client(address): Client,
    headers: HeaderMap,
    Json(wish): Json<UseTicket>,
) -> ApiResult<(StatusCode, Json<SignedIn>)> {
    let device = Device::of(wish.device, &headers, address)?;
    let user = browser::spend(&app, &wish.ticket, &headers).await?;
    let tx = app.db.auth.begin().await?;
    Ok((StatusCode::CREATED, Json(signing::enter(&app, tx, user, &device).await?)))
}

/// Signs in with a provider's token. The first time it makes an account, with a nickname like the one there; the e-mail is
/// taken over only when it is verified there and nobody has it here.
#[utoipa::path(
    post, path = "/sessions/oidc/{provider}", operation_id = "sign_in_with", tag = "accounts",
    request_body = SignInWith, params(("provider" = String, Path, description = "Such as `kakao`.")),
    responses(
        (status = 201, body = SignedIn),
        (status = 400, description = "`json_malformed`", body = Problem),
        (
            status = 401, body = Problem,
            description = "`provider_token_invalid`, `id_token_invalid`, `id_token_expired`"
        ),
        (status = 403, description = "`account_blocked`, `age_unconfirmed`, `too_young`, `scope_missing`", body = Problem),
        (status = 404, body = Problem),
        (
            status = 422, body = Problem,
            description = "`json_invalid`, `device_invalid`, `one_token_needed`, `access_token_unsupported`"
        ),
        (status = 503, description = "`provider_unavailable`", body = Problem),
    )
)]
async fn sign_in_with(
    State(app): State<App>,
    Client(address): Client,
    Path(provider): Path<String>,
    headers: HeaderMap,
    Json(wish): Json<SignInWith>,
) -> ApiResult<(StatusCode, Json<SignedIn>)> {
    let device = Device::of(wish.device, &headers, address)?;
    let shown = Shown { access_token: wish.access_token, id_token: wish.id_token, nonce: wish.nonce };
    let vouched = vouched(&app, &provider, shown).await?;
    let user = identities::find_or_make(&app, &provider, &vouched, wish.at_least_14).await?;
    let tx = app.db.auth.begin().await?;
    Ok((StatusCode::CREATED, Json(signing::enter(&app, tx, user, &device).await?)))
}

/// The providers through which one signs in, the one linked first in front.
#[utoipa::path(
    get, path = "/accounts/me/identities", operation_id = "list_identities", tag = "accounts",
    security(("token" = [])),
    responses((status = 200, body = Page<Identity>), (status = 401, body = Problem))
)]
async fn list_identities(State(app): State<App>, caller: Caller) -> ApiResult<Json<Page<Identity>>> {
    let items = identities::list(&app.db.auth, caller.user).await?;
    Ok(Json(Page { items, next: None }))
}

/// Adds a provider to sign in through, for its token. 200 when it was linked already.
#[utoipa::path(
    post, path = "/accounts/me/identities/{provider}", operation_id = "link_identity", tag = "accounts",
    security(("token" = [])), request_body = LinkIdentity,
    params(("provider" = String, Path, description = "Such as `kakao`.")),
    responses(
        (status = 201, body = Identity),
        (status = 200, description = "It was linked already.", body = Identity),
        (status = 400, description = "`json_malformed`", body = Problem),
        (
            status = 401, body = Problem,
            description = "As for any token of ours; `provider_token_invalid`, `id_token_invalid`, `id_token_expired`"
        ),
        (status = 403, description = "`too_young`, `scope_missing`", body = Problem),
        (status = 404, body = Problem),
        (
            status = 409, body = Problem,
            description = "`identity_taken`: it is another user's; `identity_exists`: another one of the provider is linked"
        ),
        (
            status = 422, body = Problem,
            description = "`json_invalid`, `one_token_needed`, `access_token_unsupported`"
        ),
        (status = 503, description = "`provider_unavailable`", body = Problem),
    )
)]
async fn link_identity(
    State(app): State<App>,
    caller: Caller,
    Path(provider): Path<String>,
    Json(wish): Json<LinkIdentity>,
) -> ApiResult<(StatusCode, Json<Identity>)> {
    let shown = Shown { access_token: wish.access_token, id_token: wish.id_token, nonce: wish.nonce };
    let vouched = vouched(&app, &provider, shown).await?;
    let is_new = identities::link(&app, caller, &provider, &vouched).await?;
    let linked = identities::list(&app.db.auth, caller.user).await?;
    let linked = linked.into_iter().find(|identity| identity.provider == provider);
    let status = if is_new { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, Json(linked.ok_or_else(|| ApiError::not_found("identity"))?)))
}

/// Takes a provider away. The last way to sign in stays.
#[utoipa::path(
    delete, path = "/accounts/me/identities/{provider}", operation_id = "unlink_identity", tag = "accounts",
    security(("token" = [])), params(("provider" = String, Path, description = "Such as `kakao`.")),
    responses(
        (status = 204), (status = 401, body = Problem), (status = 404, body = Problem),
        (status = 409, description = "`last_sign_in`", body = Problem),
    )
)]
async fn unlink_identity(
    State(app): State<App>,
    caller: Caller,
    Path(provider): Path<String>,
) -> ApiResult<StatusCode> {
    identities::unlink(&app, caller, &provider).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What an app shows of a provider's.
struct Shown {
    access_token: Option<String>,
    id_token: Option<String>,
    nonce: Option<String>,
}

/// Whom a provider means by a token.
async fn vouched(app: &App, provider: &str, shown: Shown) -> ApiResult<Vouched> {
    let provider = app.oidc.find(provider)?;
    match (shown.access_token, shown.id_token) {
        (Some(access_token), None) => {
            let kakao = provider.settings.kakao.as_ref().ok_or_else(|| {
                let detail = "this provider does not say whom its access tokens are for; an ID token is needed";
                ApiError::invalid("access_token_unsupported", "access_token", detail)
            })?;
            kakao::who(&provider.outside, kakao, &access_token).await
        }
        (None, Some(id_token)) => {
            let nonce = shown.nonce.as_deref().filter(|nonce| nonce.len() <= limits::PROVIDER_NONCE_BYTES_MAX);
            provider.read(&id_token, nonce.map_or(Bound::Nothing, Bound::To), app.clock.wall()).await
        }
        _ => {
            let detail = "either an access token or an ID token is needed";
            Err(ApiError::invalid("one_token_needed", "id_token", detail))
        }
    }
}
