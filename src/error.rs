//! How a request fails: the only answer for failures, as RFC 9457 has it.
//!
//! A refusal is the caller's doing and says what to change. A failure is ours: it is logged once, here, and its cause is
//! never sent.

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use lastbite_protocol::rest::Problem;

use crate::{limits, media::MediaError, rules::Refusal};

tokio::task_local! {
    /// The id of the request that the task answers, for logs and problem documents.
    pub static REQUEST_ID: String;
}

/// Why a request is not answered with what it asked for.
#[derive(Debug)]
pub struct ApiError {
    status: StatusCode,
    code: &'static str,
    detail: Option<String>,
    field: Option<&'static str>,
    retry_after_s: Option<u64>,
    /// Ours to know.
    cause: Option<anyhow::Error>,
}

/// What a handler answers.
pub type ApiResult<T> = Result<T, ApiError>;

impl ApiError {
    /// The caller's doing.
    #[must_use]
    pub fn refused(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Self { status, code, detail: Some(detail.into()), field: None, retry_after_s: None, cause: None }
    }

    /// A field of the request does not hold what it should.
    #[must_use]
    pub fn invalid(code: &'static str, field: &'static str, detail: impl Into<String>) -> Self {
        Self { field: Some(field), ..Self::refused(StatusCode::UNPROCESSABLE_ENTITY, code, detail) }
    }

    /// There is no such thing, or it is not the caller's to see.
    #[must_use]
    pub fn not_found(what: &'static str) -> Self {
        Self::refused(StatusCode::NOT_FOUND, "not_found", format!("there is no such {what}"))
    }

    /// Try again later.
    #[must_use]
    pub fn unavailable(code: &'static str, detail: impl Into<String>) -> Self {
        Self {
            retry_after_s: Some(limits::RETRY_AFTER_S),
            ..Self::refused(StatusCode::SERVICE_UNAVAILABLE, code, detail)
        }
    }

    /// More than one may ask for; try again in a moment.
    #[must_use]
    pub fn too_many(code: &'static str, detail: impl Into<String>) -> Self {
        Self::too_many_for(code, detail, limits::RETRY_AFTER_S)
    }

    /// The same; try again after so many seconds.
    #[must_use]
    pub fn too_many_for(code: &'static str, detail: impl Into<String>, seconds: u64) -> Self {
        Self { retry_after_s: Some(seconds), ..Self::refused(StatusCode::TOO_MANY_REQUESTS, code, detail) }
    }

    /// Nobody has said who calls.
    #[must_use]
    pub fn token_missing() -> Self {
        Self::refused(StatusCode::UNAUTHORIZED, "token_missing", "this needs an access token: sign in first")
    }

    /// Our failure.
    #[must_use]
    pub fn failure(cause: anyhow::Error) -> Self {
        Self {
            status: StatusCode::INTERNAL_SERVER_ERROR,
            code: "internal",
            detail: Some("something went wrong on our side; it has been noted".to_owned()),
            field: None,
            retry_after_s: None,
            cause: Some(cause),
        }
    }

    /// The stable name of the problem.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        self.code
    }

    /// Logs and counts it. An answer does so by itself; this is for who is told in another way, such as by a redirect.
    pub fn note(&self) {
        if let Some(cause) = &self.cause {
            let request_id = REQUEST_ID.try_with(Clone::clone).ok();
            tracing::error!(request_id, code = self.code, "request failed: {cause:#}");
        }
        metrics::counter!("lastbite_problems_total", "code" => self.code).increment(1);
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        self.note();
        let request_id = REQUEST_ID.try_with(Clone::clone).ok();
        let problem = Problem {
            kind: "about:blank".to_owned(),
            title: self.status.canonical_reason().unwrap_or("Error").to_owned(),
            status: self.status.as_u16(),
            code: self.code.to_owned(),
            detail: self.detail,
            field: self.field.map(str::to_owned),
            request_id,
        };
        let mut response = (self.status, Json(problem)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(seconds) = self.retry_after_s {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

impl From<Refusal> for ApiError {
    fn from(refusal: Refusal) -> Self {
        let status = match &refusal {
            Refusal::Terms { .. } | Refusal::EatenAt { .. } => StatusCode::UNPROCESSABLE_ENTITY,
            Refusal::NotAPlayer | Refusal::NoSuchDay => StatusCode::NOT_FOUND,
            Refusal::BandBelowFloor { .. } | Refusal::Underweight | Refusal::Pregnant => StatusCode::FORBIDDEN,
            Refusal::NotIn
            | Refusal::DayClosed
            | Refusal::NoCheatDayLeft { .. }
            | Refusal::ChallengeFull
            | Refusal::AlreadyStarted
            | Refusal::ChallengeOver
            | Refusal::NoReturn => StatusCode::CONFLICT,
        };
        let field = match &refusal {
            Refusal::Terms { field, .. } => Some(*field),
            Refusal::EatenAt { .. } => Some("eaten_at"),
            _ => None,
        };
        Self { field, ..Self::refused(status, refusal.code(), refusal.to_string()) }
    }
}

/// The constraints that a caller breaks whose account is gone while the token is still good.
const OF_THE_CALLER: [&str; 6] = [
    "meals_user_fk",
    "challenges_host_fk",
    "standings_user_fk",
    "idempotency_keys_user_fk",
    "identities_user_fk",
    "sessions_user_fk",
];

impl ApiError {
    /// 401 `account_gone`: a token that is still good, of an account that is not.
    #[must_use]
    pub fn account_gone() -> Self {
        Self::refused(StatusCode::UNAUTHORIZED, "account_gone", "the account of this token is not here any more")
    }
}

impl From<sqlx::Error> for ApiError {
    fn from(error: sqlx::Error) -> Self {
        if crate::db::is_away(&error) {
            Self {
                cause: Some(error.into()),
                ..Self::unavailable(
                    "database_away",
                    "the database does not answer; try again, a write with its Idempotency-Key",
                )
            }
        } else if crate::db::is_busy(&error) {
            Self::unavailable("busy", "too many want the same at once")
        } else if crate::db::broken_constraint(&error).is_some_and(|name| OF_THE_CALLER.contains(&name)) {
            Self::account_gone()
        } else {
            Self::failure(error.into())
        }
    }
}

impl From<MediaError> for ApiError {
    fn from(error: MediaError) -> Self {
        let (code, detail) = match error {
            _ if error.may_end_well() => ("storage_slow", "the store of the photos does not answer in time"),
            MediaError::Full(_) => ("storage_full", "the store of the photos is full; its operator has to make room"),
            _ => return Self::failure(error.into()),
        };
        Self { cause: Some(error.into()), ..Self::unavailable(code, detail) }
    }
}

impl From<anyhow::Error> for ApiError {
    fn from(error: anyhow::Error) -> Self {
        // What Postgres said says more than that something failed, however deep it was.
        match error.downcast::<sqlx::Error>() {
            Ok(error) => error.into(),
            Err(error) => Self::failure(error),
        }
    }
}
