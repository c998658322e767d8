//! One provider: its discovery document and keys, the way there and back, and what its ID tokens say.
//!
//! What the standard says is left to `openidconnect`; here is when its document is read, and what a failure means to us.

use std::{str::FromStr, sync::Arc, time::Instant};

use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use openidconnect::{
    AuthType, AuthorizationCode, ClaimsVerificationError, ClientId, ClientSecret, CsrfToken, EndpointMaybeSet,
    EndpointNotSet, EndpointSet, IssuerUrl, Nonce, OAuth2TokenResponse, PkceCodeChallenge, PkceCodeVerifier,
    RedirectUrl, RequestTokenError, Scope, SignatureVerificationError, TokenResponse,
    core::{
        CoreAuthenticationFlow, CoreClient, CoreClientAuthMethod, CoreErrorResponseType, CoreIdToken,
        CoreIdTokenClaims, CoreIdTokenVerifier, CoreJsonWebKeySet, CoreProviderMetadata,
    },
};
use parking_lot::RwLock;
use secrecy::ExposeSecret;
use tokio::sync::Semaphore;

use super::{kakao, profile::Vouched};
use crate::{
    config::providers as settings,
    error::{ApiError, ApiResult},
    limits,
    outside::Outside,
};

/// The library calls a token of the future expired, too.
const NOT_YET: &str = "not issued yet";

type Client =
    CoreClient<EndpointSet, EndpointNotSet, EndpointNotSet, EndpointNotSet, EndpointMaybeSet, EndpointMaybeSet>;

/// A provider, and what is known of it.
pub(super) struct Provider {
    pub(super) settings: settings::Provider,
    pub(super) outside: Outside,
    issuer: IssuerUrl,
    redirect: RedirectUrl,
    known: RwLock<Known>,
    /// Its document is read by one at a time.
    reading: Semaphore,
}

#[derive(Default)]
struct Known {
    document: Option<(Arc<CoreProviderMetadata>, Instant)>,
    failed: Option<Instant>,
    /// When it was last read because of a key that was not in it.
    renewed: Option<Instant>,
}

/// What begins a sign-in in the browser.
pub(super) struct Flow {
    pub(super) state: String,
    pub(super) nonce: String,
    pub(super) verifier: String,
}

/// What an ID token has to be bound to.
#[derive(Clone, Copy, Debug)]
pub(super) enum Bound<'a> {
    /// It holds this nonce.
    To(&'a str),
    /// It holds none: one that was asked for with a nonce is not for who does not know it.
    Nothing,
}

impl Provider {
    pub(super) fn new(settings: settings::Provider, outside: Outside, public_url: &str) -> anyhow::Result<Self> {
        let issuer = IssuerUrl::new(settings.issuer.clone())?;
        let redirect = RedirectUrl::new(format!("{public_url}/oidc/{}/callback", settings.name))?;
        Ok(Self { settings, outside, issuer, redirect, known: RwLock::default(), reading: Semaphore::new(1) })
    }

    /// Where the browser is sent.
    ///
    /// # Errors
    /// 503 `provider_unavailable`.
    pub(super) async fn way_there(&self, flow: &Flow) -> ApiResult<String> {
        let client = self.client(&*self.document().await?);
        let scopes = self.settings.scopes.iter().filter(|scope| *scope != "openid").cloned().map(Scope::new);
        let (state, nonce) = (flow.state.clone(), flow.nonce.clone());
        let code = CoreAuthenticationFlow::AuthorizationCode;
        let (url, ..) = client
            .authorize_url(code, || CsrfToken::new(state), || Nonce::new(nonce))
            .add_scopes(scopes)
            .set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&PkceCodeVerifier::new(
                flow.verifier.clone(),
            )))
            .url();
        Ok(url.into())
    }

    /// Exchanges the code that a browser came back with.
    ///
    /// # Errors
    /// 401 `code_invalid`, `id_token_invalid`, `provider_refused`; 503 `provider_unavailable`; those of Kakao's API.
    pub(super) async fn way_back(
        &self,
        code: String,
        nonce: &str,
        verifier: String,
        wall: DateTime<Utc>,
    ) -> ApiResult<Vouched> {
        let client = self.client(&*self.document().await?);
        let exchange = client
            .exchange_code(AuthorizationCode::new(code))
            .map_err(|error| self.unavailable(&error))?
            .set_pkce_verifier(PkceCodeVerifier::new(verifier));
        let tokens = match exchange.request_async(&self.outside).await {
            Ok(tokens) => tokens,
            Err(RequestTokenError::ServerResponse(told)) => {
                tracing::warn!(provider = self.settings.name, error = %told.error(), "a code was refused");
                return Err(match told.error() {
                    CoreErrorResponseType::InvalidGrant => unauthorized("code_invalid", "this sign-in has run out"),
                    _ => unauthorized("provider_refused", "the provider did not accept our request"),
                });
            }
            Err(error) => return Err(self.unavailable(&chain(&error))),
        };
        let token = tokens.id_token().ok_or_else(invalid)?;
        let claims = self.checked(token, Bound::To(nonce), wall).await?;
        let of_token = from_claims(&claims)?;
        match &self.settings.kakao {
            None => Ok(of_token),
            // Only its API says whether the e-mail is the user's.
            Some(kakao) => {
                let vouched = kakao::who(&self.outside, kakao, tokens.access_token().secret()).await?;
                if vouched.subject != of_token.subject {
                    return Err(self.unavailable(&"its two tokens are of two users"));
                }
                Ok(vouched)
            }
        }
    }

    /// Reads an ID token that somebody shows.
    ///
    /// # Errors
    /// 401 `id_token_invalid`, `id_token_expired`; 503 `provider_unavailable`.
    pub(super) async fn read(&self, text: &str, bound: Bound<'_>, wall: DateTime<Utc>) -> ApiResult<Vouched> {
        if text.len() > limits::PROVIDER_TOKEN_BYTES_MAX {
            return Err(invalid());
        }
        let token = CoreIdToken::from_str(text).map_err(|_| invalid())?;
        let claims = self.checked(&token, bound, wall).await?;
        from_claims(&claims)
    }

    async fn checked(
        &self,
        token: &CoreIdToken,
        bound: Bound<'_>,
        wall: DateTime<Utc>,
    ) -> ApiResult<CoreIdTokenClaims> {
        let document = self.document().await?;
        let mut checked = self.claims(token, document.jwks(), bound, wall);
        if matches!(
            checked,
            Err(ClaimsVerificationError::SignatureVerification(SignatureVerificationError::NoMatchingKey))
        ) {
            let newer = self.newer_document(&document).await?;
            checked = self.claims(token, newer.jwks(), bound, wall);
        }
        checked.map_err(|error| {
            tracing::info!(provider = self.settings.name, %error, "an ID token was refused");
            match error {
                ClaimsVerificationError::Expired(why) if why != NOT_YET => {
                    unauthorized("id_token_expired", "the ID token has expired")
                }
                _ => invalid(),
            }
        })
    }

    /// Checks a token against each of whom it may be meant for.
    fn claims(
        &self,
        token: &CoreIdToken,
        keys: &CoreJsonWebKeySet,
        bound: Bound<'_>,
        wall: DateTime<Utc>,
    ) -> Result<CoreIdTokenClaims, ClaimsVerificationError> {
        let mut refused = ClaimsVerificationError::InvalidAudience(String::new());
        for audience in self.audiences() {
            let latest = wall + limits::PROVIDER_CLOCK_AHEAD;
            let verifier = CoreIdTokenVerifier::new_public_client(
                ClientId::new(audience.clone()),
                self.issuer.clone(),
                keys.clone(),
            )
            .set_other_audience_verifier_fn(|other| self.audiences().any(|ours| **ours == **other))
            .set_issue_time_verifier_fn(move |at| (at <= latest).then_some(()).ok_or(NOT_YET.to_owned()))
            .set_time_fn(move || wall);
            let nonce = |held: Option<&Nonce>| match (bound, held) {
                (Bound::To(nonce), Some(held)) if held.secret() == nonce => Ok(()),
                (Bound::Nothing, None) => Ok(()),
                _ => Err("another nonce".to_owned()),
            };
            match token.claims(&verifier, nonce) {
                Ok(claims) => return Ok(claims.clone()),
                Err(ClaimsVerificationError::InvalidAudience(_)) => {}
                Err(error) => refused = error,
            }
        }
        Err(refused)
    }

    /// Whom its tokens may be meant for.
    pub(super) fn audiences(&self) -> impl Iterator<Item = &String> {
        std::iter::once(&self.settings.client_id).chain(&self.settings.audiences)
    }

    fn client(&self, document: &CoreProviderMetadata) -> Client {
        let (id, secret) = (&self.settings.client_id, self.settings.client_secret.expose_secret());
        let methods = document.token_endpoint_auth_methods_supported();
        // The standard's own default is the header; most take both, and Kakao the body alone.
        let only_header = methods.is_some_and(|methods| !methods.contains(&CoreClientAuthMethod::ClientSecretPost));
        let kind = if only_header { AuthType::BasicAuth } else { AuthType::RequestBody };
        CoreClient::from_provider_metadata(
            document.clone(),
            ClientId::new(id.clone()),
            Some(ClientSecret::new(secret.to_owned())),
        )
        .set_redirect_uri(self.redirect.clone())
        .set_auth_type(kind)
    }

    /// The document with its keys, a day old at most.
    pub(super) async fn document(&self) -> ApiResult<Arc<CoreProviderMetadata>> {
        match self.fresh() {
            Some(document) => Ok(document),
            None => self.read_document(None).await,
        }
    }

    /// The document read anew, for a key that is not in this one. Once a minute at most; between, the one there is.
    pub(super) async fn newer_document(
        &self,
        seen: &Arc<CoreProviderMetadata>,
    ) -> ApiResult<Arc<CoreProviderMetadata>> {
        self.read_document(Some(seen)).await
    }

    fn fresh(&self) -> Option<Arc<CoreProviderMetadata>> {
        let known = self.known.read();
        let (document, since) = known.document.as_ref()?;
        (since.elapsed() < limits::PROVIDER_KNOWN).then(|| Arc::clone(document))
    }

    async fn read_document(&self, seen: Option<&Arc<CoreProviderMetadata>>) -> ApiResult<Arc<CoreProviderMetadata>> {
        // Of the one before, the document and the keys.
        let turn = tokio::time::timeout(limits::PROVIDER_TIMEOUT * 2, self.reading.acquire()).await;
        let _turn = turn.map_err(|_| self.unavailable(&"others wait for it too long"))?;
        // Somebody may have read it while this one waited.
        let fresh = self.fresh();
        if let Some(now) = &fresh
            && (self.may_not_renew(seen) || seen.is_some_and(|seen| !Arc::ptr_eq(seen, now)) || seen.is_none())
        {
            return Ok(Arc::clone(now));
        }
        if self.known.read().failed.is_some_and(|failed| failed.elapsed() < limits::PROVIDER_PUT_OFF) {
            return Err(self.unavailable(&"it did not answer a moment ago"));
        }
        if seen.is_some() {
            self.known.write().renewed = Some(Instant::now());
        }
        match CoreProviderMetadata::discover_async(self.issuer.clone(), &self.outside).await {
            Ok(read) => {
                self.check_schemes(&read)?;
                let document = Arc::new(read);
                self.known.write().document = Some((Arc::clone(&document), Instant::now()));
                Ok(document)
            }
            Err(error) => {
                self.known.write().failed = Some(Instant::now());
                Err(self.unavailable(&chain(&error)))
            }
        }
    }

    fn may_not_renew(&self, seen: Option<&Arc<CoreProviderMetadata>>) -> bool {
        let renewed = self.known.read().renewed;
        seen.is_some() && renewed.is_some_and(|renewed| renewed.elapsed() < limits::PROVIDER_KEYS_INTERVAL)
    }

    /// What is asked over TLS does not lead to what is not.
    fn check_schemes(&self, document: &CoreProviderMetadata) -> ApiResult<()> {
        let addresses = [
            Some(document.authorization_endpoint().url()),
            Some(document.jwks_uri().url()),
            document.token_endpoint().map(|endpoint| endpoint.url()),
        ];
        let wanted = self.issuer.url().scheme();
        if addresses.iter().flatten().any(|address| address.scheme() != wanted) {
            return Err(self.unavailable(&"its document leads away from https"));
        }
        Ok(())
    }

    fn unavailable(&self, error: &dyn std::fmt::Display) -> ApiError {
        tracing::warn!(provider = self.settings.name, "not to be used now: {error}");
        unavailable()
    }
}

/// An error with what is behind it; the library's own words name the kind alone.
fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |error| error.source());
    causes.fold(error.to_string(), |words, cause| format!("{words}: {cause}"))
}

fn from_claims(claims: &CoreIdTokenClaims) -> ApiResult<Vouched> {
    let nickname = claims.nickname().and_then(|nickname| nickname.get(None)).map(|nickname| nickname.as_str());
    let name = claims.name().and_then(|name| name.get(None)).map(|name| name.as_str());
    let email = claims.email().filter(|_| claims.email_verified() == Some(true)).map(|email| email.as_str());
    let picture = claims.picture().and_then(|picture| picture.get(None)).map(|picture| picture.as_str());
    Vouched::new(claims.subject().as_str(), nickname.or(name), email, picture).ok_or_else(invalid)
}

/// 503; why, the log says.
pub(super) fn unavailable() -> ApiError {
    ApiError::unavailable("provider_unavailable", "the provider does not answer as it should; try again later")
}

pub(super) fn unauthorized(code: &'static str, detail: &str) -> ApiError {
    metrics::counter!("lastbite_auth_failures_total", "code" => code).increment(1);
    ApiError::refused(StatusCode::UNAUTHORIZED, code, detail)
}

fn invalid() -> ApiError {
    unauthorized("id_token_invalid", "this ID token is none for us")
}
