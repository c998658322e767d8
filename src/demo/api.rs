//! The demo's side of the REST API: requests that are sent again, with the same idempotency key, until the server has
//! answered them or said a plain no.

use std::time::Duration;

use anyhow::Context as _;
use bytes::Bytes;
use lastbite_protocol::{
    ChallengeId, MealId,
    rest::{
        Challenge, EditMeal, LogIn, MealOutcome, Membership, NewChallenge, NewMeal, Outcome, Page, Problem, Register,
        SignedIn,
    },
};
use parking_lot::Mutex;
use reqwest::{
    Client, Method, RequestBuilder, Response, StatusCode,
    header::RETRY_AFTER,
    multipart::{Form, Part},
};
use serde::{Serialize, de::DeserializeOwned};
use uuid::Uuid;

const TRIES: u32 = 12;
const REQUEST_TIMEOUT: Duration = Duration::from_secs(15);
const RETRY_DELAY_FIRST: Duration = Duration::from_millis(50);
const RETRY_DELAY_MAX: Duration = Duration::from_secs(2);

/// Why a request came to nothing.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// The server said no, and will again.
    #[error("{method} {path}: {status} {code}{}", .detail.as_ref().map(|detail| format!(": {detail}")).unwrap_or_default())]
    Refused { method: Method, path: String, status: StatusCode, code: String, detail: Option<String> },
    /// No answer, or none that can be read.
    #[error("{method} {path}: no usable answer after {TRIES} tries: {last}")]
    Unanswered { method: Method, path: String, last: String },
}

/// A player who is signed in.
#[derive(Debug)]
pub struct Session {
    log_in: LogIn,
    access_token: Mutex<String>,
}

/// The API of one server.
#[derive(Clone, Debug)]
pub struct Api {
    http: Client,
    base: String,
}

impl Api {
    /// Speaks to `base_url`, such as `http://127.0.0.1:8080`; sends nothing yet.
    ///
    /// # Errors
    /// When no HTTP client can be made.
    pub fn new(base_url: &str) -> anyhow::Result<Self> {
        let http = Client::builder()
            .no_proxy()
            .tls_certs_only([])
            .timeout(REQUEST_TIMEOUT)
            .build()
            .context("making an HTTP client")?;
        Ok(Self { http, base: format!("{}/api/v1", base_url.trim_end_matches('/')) })
    }

    /// Registers, or signs in when an earlier demo on the same database has registered already.
    pub async fn enter(&self, wish: &Register) -> Result<Session, CallError> {
        let log_in = LogIn { email: wish.email.clone(), password: wish.password.clone(), device: None };
        let signed_in: SignedIn = match self.send(None, Method::POST, "/accounts", |request| request.json(wish)).await {
            Err(CallError::Refused { status: StatusCode::CONFLICT, .. }) => self.log_in(&log_in).await?,
            answer => answer?,
        };
        Ok(Session { log_in, access_token: Mutex::new(signed_in.access_token) })
    }

    pub async fn create(&self, host: &Session, wish: &NewChallenge) -> Result<Challenge, CallError> {
        self.post(host, "/challenges", wish).await
    }

    pub async fn join(&self, player: &Session, challenge: ChallengeId) -> Result<Membership, CallError> {
        self.send(Some(player), Method::POST, &format!("/challenges/{challenge}/players"), |request| request).await
    }

    pub async fn leave(&self, player: &Session, challenge: ChallengeId) -> Result<Membership, CallError> {
        self.send(Some(player), Method::DELETE, &format!("/challenges/{challenge}/players/me"), |request| request).await
    }

    /// The challenge as the player sees it, with their own standing.
    pub async fn challenge(&self, player: &Session, challenge: ChallengeId) -> Result<Challenge, CallError> {
        self.send(Some(player), Method::GET, &format!("/challenges/{challenge}"), |request| request).await
    }

    /// The best places of a finished challenge.
    pub async fn best(&self, player: &Session, challenge: ChallengeId) -> Result<Page<Outcome>, CallError> {
        self.send(Some(player), Method::GET, &format!("/challenges/{challenge}/outcomes?limit=100"), |it| it).await
    }

    pub async fn log(&self, player: &Session, meal: &NewMeal, photo: Option<Bytes>) -> Result<MealOutcome, CallError> {
        let Some(photo) = photo else { return self.post(player, "/meals", meal).await };
        let key = Uuid::now_v7().to_string();
        let json = serde_json::to_string(meal).unwrap_or_default();
        let form = || {
            let length = photo.len() as u64;
            let picture = Part::stream_with_length(photo.clone(), length).file_name("plate.jpg");
            // Both types are well formed, and a part without one would still be read.
            let picture = picture.mime_str("image/jpeg").unwrap_or_else(|_| Part::stream(photo.clone()));
            let words = Part::text(json.clone());
            let words = words.mime_str("application/json").unwrap_or_else(|_| Part::text(json.clone()));
            Form::new().part("meal", words).part("photo", picture)
        };
        let request = |request: RequestBuilder| request.header("Idempotency-Key", &key).multipart(form());
        self.send(Some(player), Method::POST, "/meals", request).await
    }

    pub async fn edit(&self, player: &Session, meal: MealId, change: &EditMeal) -> Result<MealOutcome, CallError> {
        self.send(Some(player), Method::PATCH, &format!("/meals/{meal}"), |request| request.json(change)).await
    }

    pub async fn delete(&self, player: &Session, meal: MealId) -> Result<MealOutcome, CallError> {
        self.send(Some(player), Method::DELETE, &format!("/meals/{meal}"), |request| request).await
    }

    async fn log_in(&self, log_in: &LogIn) -> Result<SignedIn, CallError> {
        self.send(None, Method::POST, "/sessions", |request| request.json(log_in)).await
    }

    async fn post<T: DeserializeOwned>(
        &self,
        player: &Session,
        path: &str,
        body: &(impl Serialize + Sync),
    ) -> Result<T, CallError> {
        let key = Uuid::now_v7().to_string();
        let fill = |request: RequestBuilder| request.header("Idempotency-Key", &key).json(body);
        self.send(Some(player), Method::POST, path, fill).await
    }

    /// Sends until there is an answer: again after an I/O error, a 429 and a 5xx, and once more with a fresh token
    /// when the token has ended.
    async fn send<T: DeserializeOwned>(
        &self,
        player: Option<&Session>,
        method: Method,
        path: &str,
        fill: impl Fn(RequestBuilder) -> RequestBuilder,
    ) -> Result<T, CallError> {
        let url = format!("{}{path}", self.base);
        let mut delay = RETRY_DELAY_FIRST;
        let mut last = String::new();
        let mut renewed = false;
        for _ in 0..TRIES {
            let mut request = fill(self.http.request(method.clone(), &url));
            if let Some(player) = player {
                request = request.bearer_auth(&*player.access_token.lock());
            }
            let answer = match request.send().await {
                Ok(answer) if answer.status().is_success() => match answer.json().await {
                    Ok(body) => return Ok(body),
                    Err(error) => Err(error),
                },
                answer => answer,
            };
            let mut wait = delay;
            match answer {
                Ok(answer) if answer.status() == StatusCode::UNAUTHORIZED && !renewed && player.is_some() => {
                    renewed = true;
                    // Boxed, because renewing is a request too.
                    Box::pin(self.renew(player)).await?;
                    continue;
                }
                Ok(answer) if may_pass(answer.status()) => {
                    wait = retry_after(&answer).unwrap_or(delay);
                    last = answer.status().to_string();
                }
                Ok(answer) => return Err(refused(method, path, answer).await),
                Err(error) => last = error.to_string(),
            }
            tokio::time::sleep(wait).await;
            delay = (delay * 2).min(RETRY_DELAY_MAX);
        }
        Err(CallError::Unanswered { method, path: path.to_owned(), last })
    }

    async fn renew(&self, player: Option<&Session>) -> Result<(), CallError> {
        if let Some(player) = player {
            let signed_in = self.log_in(&player.log_in).await?;
            *player.access_token.lock() = signed_in.access_token;
        }
        Ok(())
    }
}

fn may_pass(status: StatusCode) -> bool {
    status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS || status == StatusCode::REQUEST_TIMEOUT
}

/// What the server asks for, but no more than the longest pause of our own: the days go by.
fn retry_after(answer: &Response) -> Option<Duration> {
    let seconds = answer.headers().get(RETRY_AFTER)?.to_str().ok()?.parse().ok()?;
    Some(Duration::from_secs(seconds).clamp(RETRY_DELAY_FIRST, RETRY_DELAY_MAX))
}

async fn refused(method: Method, path: &str, answer: Response) -> CallError {
    let status = answer.status();
    let problem = answer.json::<Problem>().await.ok();
    let (code, detail) = problem.map_or_else(|| ("no problem document".to_owned(), None), |it| (it.code, it.detail));
    CallError::Refused { method, path: path.to_owned(), status, code, detail }
}
