//! Who is calling: an access token becomes a [`Caller`], for HTTP and the socket alike; a connection has a [`Peer`].
//!
//! Access tokens are JWTs signed with Ed25519. The key is looked up by `kid` among our own keys only; every claim is
//! required and checked.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use axum::{
    extract::{FromRef, FromRequestParts, OptionalFromRequestParts},
    http::{HeaderMap, StatusCode, header, request::Parts},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use chrono::{DateTime, Utc};
use ed25519_dalek::{SigningKey, pkcs8::EncodePrivateKey};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, errors::ErrorKind};
use lastbite_protocol::UserId;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::{error::ApiError, limits};

const ISSUER: &str = "lastbite";
const AUDIENCE: &str = "lastbite";
const KIND: &str = "at+jwt";

/// The seed of a signing key: 32 bytes.
#[derive(Clone)]
pub struct SigningSeed([u8; 32]);

impl std::fmt::Debug for SigningSeed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

impl SigningSeed {
    /// Reads base64.
    ///
    /// # Errors
    /// It is not 32 bytes of base64, or nobody can have drawn it by chance.
    pub fn parse(base64: &str) -> Result<Self, &'static str> {
        let bytes = STANDARD.decode(base64.trim()).map_err(|_| "is not base64")?;
        let seed: [u8; 32] = bytes.try_into().map_err(|_| "is not 32 bytes")?;
        let mut distinct = seed;
        distinct.sort_unstable();
        // 32 random bytes have about 30 distinct values; fewer than 16 do not happen by chance.
        if distinct.chunk_by(|a, b| a == b).count() < 16 {
            return Err("is not random");
        }
        Ok(Self(seed))
    }

    /// A new one.
    #[must_use]
    pub fn random() -> Self {
        Self(rand::random())
    }

    /// As [`SigningSeed::parse`] reads it.
    #[must_use]
    pub fn to_base64(&self) -> String {
        STANDARD.encode(self.0)
    }
}

/// The keys that sign and check access tokens.
#[derive(Clone)]
pub struct Keys(Arc<KeyPair>);

struct KeyPair {
    kid: String,
    signing: EncodingKey,
    checking: DecodingKey,
    validation: Validation,
}

/// What a token says. `typ` stands in the header.
#[derive(Debug, Serialize, Deserialize)]
struct Claims {
    iss: String,
    aud: String,
    sub: UserId,
    sid: Uuid,
    jti: Uuid,
    iat: i64,
    nbf: i64,
    exp: i64,
}

/// Somebody who has shown a good token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caller {
    pub user: UserId,
    /// The session the token belongs to.
    pub session: Uuid,
}

impl Keys {
    /// Keys from their seed.
    ///
    /// # Errors
    /// The key cannot be encoded, which does not happen with 32 bytes.
    pub fn new(seed: &SigningSeed) -> anyhow::Result<Self> {
        let key = SigningKey::from_bytes(&seed.0);
        let public = key.verifying_key();
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.leeway = limits::ACCESS_TOKEN_LEEWAY_S;
        validation.validate_nbf = true;
        validation.set_issuer(&[ISSUER]);
        validation.set_audience(&[AUDIENCE]);
        validation.set_required_spec_claims(&["iss", "aud", "sub", "exp", "nbf"]);
        Ok(Self(Arc::new(KeyPair {
            kid: Sha256::digest(public.as_bytes())[..8].iter().map(|byte| format!("{byte:02x}")).collect(),
            signing: EncodingKey::from_ed_der(key.to_pkcs8_der()?.as_bytes()),
            checking: DecodingKey::from_ed_der(public.as_bytes()),
            validation,
        })))
    }

    /// Signs a token for a user's session, good from now on the real clock.
    ///
    /// # Errors
    /// The token cannot be encoded.
    pub fn sign(&self, user: UserId, session: Uuid, wall: DateTime<Utc>) -> anyhow::Result<String> {
        let issued_s = wall.timestamp();
        let lifetime_s = i64::try_from(limits::ACCESS_TOKEN_LIFETIME.as_secs())?;
        let claims = Claims {
            iss: ISSUER.to_owned(),
            aud: AUDIENCE.to_owned(),
            sub: user,
            sid: session,
            jti: Uuid::now_v7(),
            iat: issued_s,
            nbf: issued_s,
            exp: issued_s + lifetime_s,
        };
        let header =
            Header { kid: Some(self.0.kid.clone()), typ: Some(KIND.to_owned()), ..Header::new(Algorithm::EdDSA) };
        Ok(jsonwebtoken::encode(&header, &claims, &self.0.signing)?)
    }

    /// Reads a token.
    ///
    /// # Errors
    /// 401 `token_expired` when it was good once, `token_invalid` otherwise.
    pub fn check(&self, token: &str) -> Result<Caller, ApiError> {
        let invalid = || unauthorized("token_invalid", "the access token is not one of ours");
        if token.len() > limits::ACCESS_TOKEN_BYTES_MAX {
            return Err(invalid());
        }
        let header = jsonwebtoken::decode_header(token).map_err(|_| invalid())?;
        if header.kid.as_deref() != Some(&self.0.kid) || header.typ.as_deref() != Some(KIND) {
            return Err(invalid());
        }
        match jsonwebtoken::decode::<Claims>(token, &self.0.checking, &self.0.validation) {
            Ok(token) => Ok(Caller { user: token.claims.sub, session: token.claims.sid }),
            Err(error) if matches!(error.kind(), ErrorKind::ExpiredSignature) => {
                Err(unauthorized("token_expired", "the access token has expired; sign in again"))
            }
            Err(_) => Err(invalid()),
        }
    }
}

fn unauthorized(code: &'static str, detail: &str) -> ApiError {
    metrics::counter!("lastbite_auth_failures_total", "code" => code).increment(1);
    ApiError::refused(StatusCode::UNAUTHORIZED, code, detail)
}

/// The token of an `Authorization: Bearer` header; `None` without the header.
fn bearer(parts: &Parts) -> Result<Option<&str>, ApiError> {
    let Some(value) = parts.headers.get(header::AUTHORIZATION) else { return Ok(None) };
    let token = value.to_str().ok().and_then(|value| {
        let (scheme, token) = value.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
    });
    token.map(Some).ok_or_else(|| unauthorized("token_invalid", "the Authorization header is not `Bearer <token>`"))
}

impl<S: Send + Sync> FromRequestParts<S> for Caller
where
    Keys: FromRef<S>,
{
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        <Self as OptionalFromRequestParts<S>>::from_request_parts(parts, state)
            .await?
            .ok_or_else(|| unauthorized("token_missing", "this needs an access token: sign in first"))
    }
}

/// For what everybody may ask for, and the caller gets more of. A bad token is refused all the same.
impl<S: Send + Sync> OptionalFromRequestParts<S> for Caller
where
    Keys: FromRef<S>,
{
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Option<Self>, ApiError> {
        bearer(parts)?.map(|token| Keys::from_ref(state).check(token)).transpose()
    }
}

/// Who is at the other end of the connection.
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub SocketAddr);

impl Peer {
    /// The client's address: the peer's own, or what a trusted proxy says of it.
    #[must_use]
    pub fn client(self, headers: &HeaderMap, trusted_proxies: &[IpAddr]) -> IpAddr {
        let peer = self.0.ip().to_canonical();
        let said = || headers.get("x-real-ip")?.to_str().ok()?.trim().parse().ok();
        if trusted_proxies.contains(&peer) { said().unwrap_or(peer) } else { peer }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_trusted_proxy_is_believed_about_the_client() {
        let proxy: IpAddr = "10.0.0.1".parse().unwrap();
        let mut headers = HeaderMap::new();
        headers.insert("x-real-ip", "192.0.2.1".parse().unwrap());
        let client =
            |peer: &str, headers: &HeaderMap| Peer(peer.parse().unwrap()).client(headers, &[proxy]).to_string();
        assert_eq!(client("10.0.0.1:80", &headers), "192.0.2.1");
        assert_eq!(
            client("[::ffff:10.0.0.1]:80", &headers),
            "192.0.2.1",
            "the same proxy, as a socket of IPv6 sees it"
        );
        assert_eq!(client("10.0.0.2:80", &headers), "10.0.0.2", "anybody can write a header");
        headers.insert("x-real-ip", "nonsense".parse().unwrap());
        assert_eq!(client("10.0.0.1:80", &headers), "10.0.0.1");
    }
}
