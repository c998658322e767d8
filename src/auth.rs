//! Who is calling: an access token becomes a [`Caller`], for HTTP and the socket alike; a connection has a [`Peer`].
//!
//! Access tokens are JWTs signed with Ed25519. The key is looked up by `kid` among our own keys only; every claim is
//! required and checked, and so is whether the session goes on.
//!
//! - [`keys`]: the keys, and what they sign; `links`: links that are good by themselves
//! - [`live`]: sessions that have ended, and the sockets of users

use std::{
    net::{IpAddr, Ipv6Addr, SocketAddr},
    sync::Arc,
};

use axum::{
    extract::{FromRef, FromRequestParts, OptionalFromRequestParts},
    http::{HeaderMap, StatusCode, header, request::Parts},
};
use chrono::{DateTime, Utc};
use lastbite_protocol::{SessionId, UserId};
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;

use crate::{clock::Clock, error::ApiError, limits};

pub mod keys;
pub(crate) mod links;
pub mod live;

pub use keys::{Keys, SigningSeed};
pub use live::Live;

/// Somebody who has shown a good token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caller {
    pub user: UserId,
    /// The session the token belongs to.
    pub session: SessionId,
    /// When the token ends.
    pub expires_at: DateTime<Utc>,
}

/// Checks who calls. Clones share it.
#[derive(Clone, Debug)]
pub struct Auth {
    pub keys: Keys,
    pub live: Live,
}

impl Auth {
    /// Reads a token.
    ///
    /// # Errors
    /// 401: those of [`Keys::check`], and `session_ended`.
    pub fn check(&self, token: &str) -> Result<Caller, ApiError> {
        let caller = self.keys.check(token)?;
        if self.live.has_ended(caller.session) {
            return Err(unauthorized("session_ended", "this session has ended; sign in again"));
        }
        Ok(caller)
    }
}

/// Keeps up with the other nodes, until the drain: which sessions have ended, which keys there are.
pub async fn follow(auth: Auth, pool: PgPool, clock: Clock, drain: CancellationToken) {
    let mut looks = tokio::time::interval(limits::SESSIONS_LOOK_INTERVAL);
    looks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut keys_read = std::time::Instant::now();
    loop {
        tokio::select! {
            () = drain.cancelled() => return,
            _ = looks.tick() => {}
        }
        if let Err(error) = auth.live.look(&pool, clock.wall()).await {
            tracing::debug!(%error, "which sessions have ended cannot be read now");
        }
        if keys_read.elapsed() >= limits::SIGNING_KEYS_READ_INTERVAL {
            keys_read = std::time::Instant::now();
            if let Err(error) = auth.keys.reload(&pool).await {
                tracing::debug!(%error, "the signing keys cannot be read now");
            }
        }
    }
}

fn unauthorized(code: &'static str, detail: &str) -> ApiError {
    metrics::counter!("lastbite_auth_failures_total", "code" => code).increment(1);
    ApiError::refused(StatusCode::UNAUTHORIZED, code, detail)
}

/// Who calls, by the `Authorization: Bearer` header; `None` without the header.
///
/// # Errors
/// 401 when it is there and not good.
pub fn caller_of(headers: &HeaderMap, auth: &Auth) -> Result<Option<Caller>, ApiError> {
    let Some(value) = headers.get(header::AUTHORIZATION) else { return Ok(None) };
    let token = value.to_str().ok().and_then(|value| {
        let (scheme, token) = value.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
    });
    let token =
        token.ok_or_else(|| unauthorized("token_invalid", "the Authorization header is not `Bearer <token>`"))?;
    auth.check(token).map(Some)
}

/// The gate has checked the token and put down whose it is.
impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, ApiError> {
        parts.extensions.get().copied().ok_or_else(ApiError::token_missing)
    }
}

/// For what everybody may ask for, and the caller gets more of.
impl<S: Send + Sync> OptionalFromRequestParts<S> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Option<Self>, ApiError> {
        Ok(parts.extensions.get().copied())
    }
}

/// As what an address is counted: of IPv6 its network, because whoever has one address there has 2^64.
#[must_use]
pub fn network_of(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)).into(),
        address @ IpAddr::V4(_) => address,
    }
}

/// Proxies that are believed about their clients. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct Proxies(pub Arc<[IpAddr]>);

/// The address that a request comes from.
#[derive(Clone, Copy, Debug)]
pub struct Client(pub IpAddr);

impl<S: Send + Sync> FromRequestParts<S> for Client
where
    Proxies: FromRef<S>,
{
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        // The accept loop says it of every request.
        let peer = parts.extensions.get::<Peer>().copied().unwrap_or(Peer(SocketAddr::from(([0, 0, 0, 0], 0))));
        Ok(Self(peer.client(&parts.headers, &Proxies::from_ref(state))))
    }
}

/// Who is at the other end of the connection.
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub SocketAddr);

impl Peer {
    /// The client's address: the peer's own, or what a trusted proxy says of it.
    #[must_use]
    pub fn client(self, headers: &HeaderMap, trusted: &Proxies) -> IpAddr {
        let peer = self.0.ip().to_canonical();
        let said = || headers.get("x-real-ip")?.to_str().ok()?.trim().parse().ok();
        if trusted.0.contains(&peer) { said().unwrap_or(peer) } else { peer }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_of_ipv6_is_counted_as_one() {
        let counted = |address: &str| network_of(address.parse().unwrap()).to_string();
        assert_eq!(counted("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::");
        assert_eq!(counted("2001:db8:1:2:ffff::1"), "2001:db8:1:2::");
        assert_ne!(counted("2001:db8:1:3::1"), "2001:db8:1:2::");
        assert_eq!(
            (counted("192.0.2.1"), counted("::ffff:192.0.2.1")),
            ("192.0.2.1".to_owned(), "192.0.2.1".to_owned())
        );
    }

    #[test]
    fn only_a_trusted_proxy_is_believed_about_the_client() {
        let proxy: IpAddr = "10.0.0.1".parse().unwrap();
        let mut headers = HeaderMap::new();
        headers.insert("x-real-ip", "192.0.2.1".parse().unwrap());
        let client = |peer: &str, headers: &HeaderMap| {
            Peer(peer.parse().unwrap()).client(headers, &Proxies([proxy].into())).to_string()
        };
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
