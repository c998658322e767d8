//! Who may call which route, and how often: one table, walked row by row in the tests.
//!
//! A route that is not in the table is refused, so that none is forgotten. Rates are counted by each node for itself, by the
//! generic cell rate algorithm of `governor`; headers are those of the IETF's draft "RateLimit header fields for HTTP".

use std::{collections::HashMap, fmt::Write, hash::Hash, net::IpAddr, num::NonZeroU32, time::Duration};

use axum::{
    extract::{MatchedPath, Request, State},
    http::{HeaderName, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use governor::{
    Quota, RateLimiter,
    clock::{Clock as _, DefaultClock},
    middleware::StateInformationMiddleware,
    state::keyed::DashMapStateStore,
};
use lastbite_protocol::{UserId, rest::Role};

use crate::{
    App, accounts,
    auth::{Caller, Client, caller_of, network_of},
    error::{ApiError, ApiResult},
};

pub(super) const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
pub(super) const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// What a route asks of who calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs {
    /// Nothing; a token that is shown has to be good all the same.
    Nothing,
    /// A token.
    Token,
    /// A token of a user with this role, or a higher one.
    Role(Role),
}

/// How often.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    pub name: &'static str,
    /// So many at once …
    pub burst: u32,
    /// … and all of them back after this time.
    pub within: Duration,
    /// Counted for a user, where there is one, and else for an address.
    pub by_user: bool,
}

const fn policy(name: &'static str, burst: u32, within_s: u64, by_user: bool) -> Policy {
    Policy { name, burst, within: Duration::from_secs(within_s), by_user }
}

const USUAL: Policy = policy("usual", 300, 60, true);
const SIGN_UP: Policy = policy("sign_up", 10, 3600, false);
const SIGN_IN: Policy = policy("sign_in", 30, 60, false);
const REFRESH: Policy = policy("refresh", 60, 60, false);
const FORGOT: Policy = policy("forgot", 10, 3600, false);
const CODE: Policy = policy("code", 20, 600, true);
const NICKNAME: Policy = policy("nickname", 60, 60, false);
const EXPORT: Policy = policy("export", 3, 86_400, true);
/// Scanning: more of one user would leave nothing of the calls to Open Food Facts for others.
const SCAN: Policy = policy("scan", 30, 600, true);
const WRITE: Policy = policy("write", 120, 60, true);
const WEBHOOK: Policy = policy("webhook", 600, 60, false);

/// Every route of the API.
pub const ROUTES: &[(Method, &str, Needs, Policy)] = &[
    (Method::POST, "/api/v1/accounts", Needs::Nothing, SIGN_UP),
    (Method::GET, "/api/v1/accounts/me", Needs::Token, USUAL),
    (Method::DELETE, "/api/v1/accounts/me", Needs::Token, CODE),
    (Method::PUT, "/api/v1/accounts/me/password", Needs::Token, CODE),
    (Method::POST, "/api/v1/accounts/me/email/code", Needs::Token, CODE),
    (Method::POST, "/api/v1/accounts/me/email/verify", Needs::Token, CODE),
    (Method::GET, "/api/v1/accounts/me/profile", Needs::Token, USUAL),
    (Method::PATCH, "/api/v1/accounts/me/profile", Needs::Token, WRITE),
    (Method::PUT, "/api/v1/accounts/me/picture", Needs::Token, WRITE),
    (Method::DELETE, "/api/v1/accounts/me/picture", Needs::Token, WRITE),
    (Method::POST, "/api/v1/accounts/me/export", Needs::Token, EXPORT),
    (Method::GET, "/api/v1/accounts/me/export", Needs::Token, USUAL),
    (Method::GET, "/api/v1/accounts/me/events", Needs::Token, USUAL),
    (Method::PATCH, "/api/v1/accounts/me/body", Needs::Token, WRITE),
    (Method::DELETE, "/api/v1/accounts/me/body", Needs::Token, WRITE),
    (Method::GET, "/api/v1/accounts/me/weights", Needs::Token, USUAL),
    (Method::PUT, "/api/v1/accounts/me/weights/{date}", Needs::Token, WRITE),
    (Method::DELETE, "/api/v1/accounts/me/weights/{date}", Needs::Token, WRITE),
    (Method::GET, "/api/v1/accounts/me/targets", Needs::Token, USUAL),
    (Method::POST, "/api/v1/accounts/me/targets", Needs::Token, WRITE),
    (Method::GET, "/api/v1/accounts/me/consents", Needs::Token, USUAL),
    (Method::PUT, "/api/v1/accounts/me/consents/{purpose}", Needs::Token, WRITE),
    (Method::POST, "/api/v1/password/forgot", Needs::Nothing, FORGOT),
    (Method::POST, "/api/v1/password/reset", Needs::Nothing, CODE),
    (Method::GET, "/api/v1/nicknames/{nickname}", Needs::Nothing, NICKNAME),
    (Method::POST, "/api/v1/sessions", Needs::Nothing, SIGN_IN),
    (Method::GET, "/api/v1/sessions", Needs::Token, USUAL),
    (Method::DELETE, "/api/v1/sessions", Needs::Token, USUAL),
    (Method::POST, "/api/v1/sessions/refresh", Needs::Nothing, REFRESH),
    (Method::DELETE, "/api/v1/sessions/current", Needs::Token, USUAL),
    (Method::DELETE, "/api/v1/sessions/{id}", Needs::Token, USUAL),
    (Method::GET, "/api/v1/sign-ins", Needs::Nothing, USUAL),
    (Method::POST, "/api/v1/sessions/ticket", Needs::Nothing, SIGN_IN),
    (Method::POST, "/api/v1/sessions/oidc/{provider}", Needs::Nothing, SIGN_IN),
    (Method::GET, "/api/v1/accounts/me/identities", Needs::Token, USUAL),
    (Method::POST, "/api/v1/accounts/me/identities/{provider}", Needs::Token, CODE),
    (Method::DELETE, "/api/v1/accounts/me/identities/{provider}", Needs::Token, WRITE),
    (Method::GET, "/api/v1/users/{id}/picture/{size}", Needs::Token, USUAL),
    (Method::POST, "/api/v1/users/{id}/block", Needs::Role(Role::Moderator), WRITE),
    (Method::DELETE, "/api/v1/users/{id}/block", Needs::Role(Role::Moderator), WRITE),
    (Method::PUT, "/api/v1/users/{id}/role", Needs::Role(Role::Admin), WRITE),
    (Method::GET, "/api/v1/challenges", Needs::Nothing, USUAL),
    (Method::POST, "/api/v1/challenges", Needs::Token, WRITE),
    (Method::GET, "/api/v1/challenges/{id}", Needs::Nothing, USUAL),
    (Method::GET, "/api/v1/challenges/{id}/outcomes", Needs::Nothing, USUAL),
    (Method::POST, "/api/v1/challenges/{id}/players", Needs::Token, WRITE),
    (Method::DELETE, "/api/v1/challenges/{id}/players/me", Needs::Token, WRITE),
    (Method::GET, "/api/v1/challenges/{id}/players/me/verdicts", Needs::Token, USUAL),
    (Method::GET, "/api/v1/challenges/{id}/players/me/cheat-days", Needs::Token, USUAL),
    (Method::PUT, "/api/v1/challenges/{id}/players/me/cheat-days/{day}", Needs::Token, WRITE),
    (Method::DELETE, "/api/v1/challenges/{id}/players/me/cheat-days/{day}", Needs::Token, WRITE),
    (Method::GET, "/api/v1/diary/day", Needs::Token, USUAL),
    (Method::GET, "/api/v1/diary/month", Needs::Token, USUAL),
    (Method::GET, "/api/v1/diary/range", Needs::Token, USUAL),
    (Method::PUT, "/api/v1/diary/water/{date}", Needs::Token, WRITE),
    (Method::GET, "/api/v1/foods", Needs::Token, USUAL),
    (Method::GET, "/api/v1/foods/barcodes/{barcode}", Needs::Token, SCAN),
    (Method::GET, "/api/v1/foods/{id}", Needs::Token, USUAL),
    (Method::DELETE, "/api/v1/foods/{id}", Needs::Token, WRITE),
    (Method::GET, "/api/v1/accounts/me/foods", Needs::Token, USUAL),
    (Method::POST, "/api/v1/accounts/me/foods", Needs::Token, WRITE),
    (Method::GET, "/api/v1/meals", Needs::Token, USUAL),
    (Method::POST, "/api/v1/meals", Needs::Token, WRITE),
    (Method::POST, "/api/v1/meals/analyze", Needs::Token, WRITE),
    (Method::GET, "/api/v1/meals/{id}", Needs::Token, USUAL),
    (Method::PATCH, "/api/v1/meals/{id}", Needs::Token, WRITE),
    (Method::DELETE, "/api/v1/meals/{id}", Needs::Token, WRITE),
    (Method::POST, "/api/v1/meals/{id}/copies", Needs::Token, WRITE),
    (Method::GET, "/api/v1/meals/{id}/versions", Needs::Token, USUAL),
    (Method::GET, "/api/v1/meals/{id}/analysis", Needs::Token, USUAL),
    (Method::GET, "/api/v1/meals/{id}/photo/{size}", Needs::Token, USUAL),
    (Method::GET, "/api/v1/meals/{id}/photo/{size}/link", Needs::Token, USUAL),
];

/// Routes apart from the API that do work for anybody: how often, by address.
const OUTSIDE: &[(&str, Policy)] = &[
    ("/oidc/{provider}/start", SIGN_IN),
    ("/oidc/{provider}/callback", SIGN_IN),
    ("/webhooks/{provider}/unlink", WEBHOOK),
    ("/webhooks/{provider}/status", WEBHOOK),
    ("/exports/{token}", USUAL),
    ("/photos/{token}", USUAL),
];

/// For whom a rate is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Key {
    User(UserId),
    Address(IpAddr),
}

type Counter = RateLimiter<Key, DashMapStateStore<Key>, DefaultClock, StateInformationMiddleware>;

/// The counters of all policies.
#[derive(Debug)]
pub struct Rates {
    counters: HashMap<&'static str, Counter>,
}

impl Rates {
    /// `factor` makes all rates as many times as large: for a demo or a test, whose users all come from one address.
    #[must_use]
    pub fn new(factor: u32) -> Self {
        let counter = |policy: &Policy| {
            let burst = NonZeroU32::new(policy.burst.saturating_mul(factor.max(1))).unwrap_or(NonZeroU32::MIN);
            let each = (policy.within / burst.get()).max(Duration::from_nanos(1));
            let quota = Quota::with_period(each).unwrap_or_else(|| Quota::per_second(burst)).allow_burst(burst);
            RateLimiter::dashmap(quota).with_middleware()
        };
        let policies = ROUTES.iter().map(|(.., policy)| policy).chain(OUTSIDE.iter().map(|(_, policy)| policy));
        Self { counters: policies.map(|policy| (policy.name, counter(policy))).collect() }
    }

    /// Forgets who has all of a rate back.
    pub fn forget(&self) {
        for counter in self.counters.values() {
            counter.retain_recent();
        }
    }

    /// Takes one; answers what is left of how many.
    fn take(&self, policy: &Policy, key: Key) -> Result<(u32, u32), (u32, Duration)> {
        // Every policy has a counter: both come from the table.
        let Some(counter) = self.counters.get(policy.name) else { return Ok((0, 0)) };
        match counter.check_key(&key) {
            Ok(state) => Ok((state.remaining_burst_capacity(), state.quota().burst_size().get())),
            Err(until) => Err((until.quota().burst_size().get(), until.wait_time_from(DefaultClock::default().now()))),
        }
    }
}

/// Lets a request in, or says why not.
pub(super) async fn gate(
    State(app): State<App>,
    Client(address): Client,
    mut request: Request,
    next: Next,
) -> Response {
    let address = network_of(address);
    let route = request.extensions().get::<MatchedPath>().map_or("", MatchedPath::as_str);
    if !route.starts_with("/api/") {
        let Some((_, policy)) = OUTSIDE.iter().find(|(path, _)| *path == route) else { return next.run(request).await };
        let is_for_browsers = route.starts_with("/oidc/");
        let response = counted(&app, policy, Key::Address(address), request, next).await;
        return if is_for_browsers && response.status() == StatusCode::TOO_MANY_REQUESTS {
            accounts::oidc::browser::sent_back("too_many_requests")
        } else {
            response
        };
    }
    // HEAD is answered as GET is.
    let method = if request.method() == Method::HEAD { &Method::GET } else { request.method() };
    let Some((.., needs, policy)) = ROUTES.iter().find(|(known, path, ..)| known == method && *path == route) else {
        // An unknown method, which the router answers; a route that the table forgot is none.
        return if ROUTES.iter().any(|(_, path, ..)| *path == route) {
            next.run(request).await
        } else {
            ApiError::not_found("route").into_response()
        };
    };
    // Read before the wait: a body cannot be shared across one.
    let caller = caller_of(request.headers(), &app.auth);
    let caller = match identify(&app, caller, *needs).await {
        Ok(caller) => caller,
        Err(refused) => return refused.into_response(),
    };
    let key = caller.filter(|_| policy.by_user).map_or(Key::Address(address), |caller| Key::User(caller.user));
    if let Some(caller) = caller {
        request.extensions_mut().insert(caller);
    }
    counted(&app, policy, key, request, next).await
}

/// Takes one of a rate and lets the request on, or says when to come again.
async fn counted(app: &App, policy: &Policy, key: Key, request: Request, next: Next) -> Response {
    let (left, burst, wait) = match app.web.rates.take(policy, key) {
        Ok((left, burst)) => (left, burst, Duration::ZERO),
        Err((burst, wait)) => (0, burst, wait),
    };
    let mut response = if wait.is_zero() {
        next.run(request).await
    } else {
        metrics::counter!("lastbite_rate_limited_total", "policy" => policy.name).increment(1);
        too_many(wait).into_response()
    };
    tell(&mut response, policy, (left, burst), wait);
    response
}

async fn identify(app: &App, caller: ApiResult<Option<Caller>>, needs: Needs) -> ApiResult<Option<Caller>> {
    let caller = caller?;
    match needs {
        Needs::Nothing => Ok(caller),
        Needs::Token => caller.map(Some).ok_or_else(ApiError::token_missing),
        Needs::Role(role) => {
            let caller = caller.ok_or_else(ApiError::token_missing)?;
            // Read anew each time, so that a role that was taken away is gone at once.
            if accounts::role(&app.db.auth, caller.user).await? < role {
                let detail = format!("this is for who is {} or more", role.as_str());
                return Err(ApiError::refused(StatusCode::FORBIDDEN, "role_missing", detail));
            }
            Ok(Some(caller))
        }
    }
}

fn too_many(wait: Duration) -> ApiError {
    let detail = "more often than one may; the headers say when it goes on";
    ApiError::too_many_for("too_many_requests", detail, wait.as_secs() + 1)
}

fn tell(response: &mut Response, policy: &Policy, (left, burst): (u32, u32), wait: Duration) {
    let mut policy_text = format!("\"{}\"", policy.name);
    // Writing to a text does not fail.
    let _written = write!(policy_text, ";q={burst};w={}", policy.within.as_secs());
    let reset_s = if wait.is_zero() { policy.within.as_secs() } else { wait.as_secs() + 1 };
    let limit = format!("\"{}\";r={left};t={reset_s}", policy.name);
    let headers = response.headers_mut();
    for (name, text) in [(RATE_LIMIT_POLICY, policy_text), (RATE_LIMIT, limit)] {
        if let Ok(value) = HeaderValue::from_str(&text) {
            headers.insert(name, value);
        }
    }
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
}
