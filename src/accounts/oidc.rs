//! Signing in through others: providers that speak OpenID Connect, and what Kakao has beside it.
//!
//! - [`http`]: what an app asks: signing in with a provider's token or a ticket, linking and unlinking
//! - [`browser`]: there and back: start, callback, and the ticket that is exchanged for a session
//! - [`webhooks`]: what Kakao tells us by itself
//! - `provider`: discovery, keys, codes, ID tokens; `kakao`: access tokens
//! - `identities`: which user is meant, never by e-mail
//! - `profile`, `return_to`, `secret`: what is taken from a provider, from a link, and drawn

pub mod browser;
pub mod http;
mod identities;
mod kakao;
mod profile;
mod provider;
mod return_to;
mod secret;
pub mod webhooks;

use std::{collections::HashMap, sync::Arc};

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::PgPool;

use self::provider::Provider;
use crate::{
    config::providers as settings,
    error::{ApiError, ApiResult},
    limits,
    outside::Outside,
};

pub(super) use identities::list as list_identities;

/// The providers by name. Clones share them.
#[derive(Clone)]
pub struct Oidc(Arc<HashMap<String, Provider>>);

impl std::fmt::Debug for Oidc {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.0.keys()).finish()
    }
}

impl Oidc {
    /// Nothing is asked of them yet.
    ///
    /// # Errors
    /// An address is none, or there can be no client for HTTP.
    pub fn new(providers: Vec<settings::Provider>, public_url: &str) -> anyhow::Result<Self> {
        let outside = Outside::new(limits::PROVIDER_TIMEOUT, limits::PROVIDER_ANSWER_BYTES_MAX)?;
        let known = providers.into_iter().map(|settings| {
            let name = settings.name.clone();
            Provider::new(settings, outside.clone(), public_url).map(|provider| (name, provider))
        });
        Ok(Self(Arc::new(known.collect::<anyhow::Result<_>>()?)))
    }

    /// Their names, in order.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        let mut names: Vec<_> = self.0.keys().map(String::as_str).collect();
        names.sort_unstable();
        names.into_iter()
    }

    fn find(&self, name: &str) -> ApiResult<&Provider> {
        self.0.get(name).ok_or_else(|| ApiError::not_found("provider"))
    }
}

/// Drops sign-ins that nobody came back to, and events of which no copy would be taken.
///
/// # Errors
/// Postgres is away.
pub async fn forget_old(pool: &PgPool, wall: DateTime<Utc>) -> Result<(), sqlx::Error> {
    sqlx::query!("delete from oidc_flows where begun_at < $1", wall - limits::SIGN_IN_FLOW).execute(pool).await?;
    sqlx::query!("delete from oidc_tickets where made_at < $1", wall - limits::SIGN_IN_TICKET).execute(pool).await?;
    let remembered = limits::EVENT_AGE_MAX + limits::PROVIDER_CLOCK_AHEAD;
    sqlx::query!("delete from oidc_events where taken_at < $1", wall - remembered - TimeDelta::days(1))
        .execute(pool)
        .await?;
    Ok(())
}
