//! The REST calls. A failure is told by its code, the way the run counts it.

use std::{
    fmt,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use anyhow::{Context as _, ensure};
use lastbite_protocol::{
    ChallengeId, MealId,
    rest::{
        Challenge, ForgotPassword, Language, LogIn, MealOutcome, Membership, NewChallenge, NewMeal, Problem, Register,
        SignedIn,
    },
};
use reqwest::{Client, RequestBuilder, StatusCode, header::RETRY_AFTER};
use serde::de::DeserializeOwned;
use uuid::Uuid;

use crate::target::Target;

const REQUEST_TIMEOUT: Duration = Duration::from_secs(15);
const SETUP_TRIES: u32 = 40;
const SETUP_PAUSE: Duration = Duration::from_millis(250);
const SETUP_PAUSE_MAX: Duration = Duration::from_secs(5);

/// Why a request was not done.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    /// `http 503 overloaded`, `timeout`, `io`…
    pub(crate) code: String,
    /// For people.
    detail: String,
    /// How long to wait before the same may work.
    retry_after: Option<Duration>,
}

impl Failure {
    /// A failure that this program sees, not the server.
    pub(crate) fn named(code: &str) -> Self {
        Self { code: code.to_owned(), detail: String::new(), retry_after: None }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.detail)
    }
}

impl std::error::Error for Failure {}

/// A user who is signed in, from an address of their own.
#[derive(Clone, Debug)]
pub(crate) struct User {
    http: Client,
    base: String,
    /// For signing in again: a run may be longer than a token is good for.
    log_in: LogIn,
    access_token: Arc<Mutex<String>>,
}

impl User {
    /// Registers. Waits while the server has too many passwords to hash.
    pub(crate) async fn register(target: &Target, source: Option<IpAddr>, nickname: String) -> anyhow::Result<Self> {
        let http = client(source)?;
        let base = format!("{}/api/v1", target.url);
        let wish = Register {
            email: format!("{nickname}@loadtest.lastbite.example"),
            // Nobody is to sign in as a leftover of a load test.
            password: Uuid::new_v4().to_string(),
            nickname,
            at_least_14: true,
            language: Language::En,
            device: None,
        };
        let signed_in: SignedIn = patiently(|| http.post(format!("{base}/accounts")).json(&wish)).await?;
        let log_in = LogIn { email: wish.email, password: wish.password, device: None };
        Ok(Self { http, base, log_in, access_token: Arc::new(Mutex::new(signed_in.access_token)) })
    }

    pub(crate) async fn create(&self, wish: &NewChallenge) -> Result<Challenge, Failure> {
        patiently(|| self.with_token(self.http.post(self.url("/challenges"))).json(wish)).await
    }

    pub(crate) async fn join(&self, challenge: ChallengeId) -> Result<Membership, Failure> {
        patiently(|| self.with_token(self.http.post(self.url(&format!("/challenges/{challenge}/players"))))).await
    }

    /// One try: what fails is counted, not repeated.
    pub(crate) async fn log(&self, meal: &NewMeal) -> Result<MealOutcome, Failure> {
        let key = Uuid::now_v7().to_string();
        self.signed_in(|| self.http.post(self.url("/meals")).header("Idempotency-Key", &key).json(meal)).await
    }

    /// The same.
    pub(crate) async fn delete(&self, meal: MealId) -> Result<MealOutcome, Failure> {
        self.signed_in(|| self.http.delete(self.url(&format!("/meals/{meal}")))).await
    }

    /// One try to sign in once more.
    pub(crate) async fn log_in(&self) -> Result<(), Failure> {
        once::<SignedIn>(self.http.post(self.url("/sessions")).json(&self.log_in)).await.map(drop)
    }

    pub(crate) fn email(&self) -> &str {
        &self.log_in.email
    }

    async fn signed_in<T: DeserializeOwned>(&self, request: impl Fn() -> RequestBuilder) -> Result<T, Failure> {
        match once(self.with_token(request())).await {
            Err(failure) if failure.code == "http 401 token_expired" => {
                let login = patiently(|| self.http.post(self.url("/sessions")).json(&self.log_in));
                let signed_in: SignedIn = login.await?;
                *self.access_token.lock().unwrap_or_else(PoisonError::into_inner) = signed_in.access_token;
                once(self.with_token(request())).await
            }
            answer => answer,
        }
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    fn with_token(&self, request: RequestBuilder) -> RequestBuilder {
        request.bearer_auth(&*self.access_token.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Somebody who is not signed in, from an address of their own.
#[derive(Clone, Debug)]
pub(crate) struct Guest {
    http: Client,
    url: String,
}

impl Guest {
    pub(crate) fn new(target: &Target, source: Option<IpAddr>) -> anyhow::Result<Self> {
        Ok(Self { http: client(source)?, url: target.url.clone() })
    }

    /// Opens the connection.
    pub(crate) async fn warm_up(&self) -> anyhow::Result<()> {
        self.http.get(format!("{}/health/live", self.url)).send().await?.error_for_status()?;
        Ok(())
    }

    /// Tries a password that is wrong.
    pub(crate) async fn guesses(&self, email: &str) -> anyhow::Result<()> {
        let wish = LogIn { email: email.to_owned(), password: "not that one".to_owned(), device: None };
        let answer = self.http.post(format!("{}/api/v1/sessions", self.url)).json(&wish).send().await?;
        ensure!(answer.status() == StatusCode::UNAUTHORIZED, "a wrong password is answered {}", answer.status());
        answer.bytes().await?;
        Ok(())
    }

    /// Asks for a letter with a code for a new password.
    pub(crate) async fn forgets(&self, email: &str) -> anyhow::Result<()> {
        let wish = ForgotPassword { email: email.to_owned() };
        let answer = self.http.post(format!("{}/api/v1/password/forgot", self.url)).json(&wish).send().await?;
        ensure!(answer.status() == StatusCode::ACCEPTED, "a forgotten password is answered {}", answer.status());
        answer.bytes().await?;
        Ok(())
    }
}

fn client(source: Option<IpAddr>) -> anyhow::Result<Client> {
    let client = Client::builder()
        .no_proxy()
        .tls_certs_only([])
        .timeout(REQUEST_TIMEOUT)
        .tcp_nodelay(true)
        .local_address(source);
    client.build().context("making an HTTP client")
}

/// For setting the stage: again, while the server asks for patience.
async fn patiently<T: DeserializeOwned>(request: impl Fn() -> RequestBuilder) -> Result<T, Failure> {
    let mut tries = 1;
    loop {
        match once(request()).await {
            Err(Failure { retry_after: Some(pause), .. }) if tries < SETUP_TRIES => tokio::time::sleep(pause).await,
            answer => return answer,
        }
        tries += 1;
    }
}

async fn once<T: DeserializeOwned>(request: RequestBuilder) -> Result<T, Failure> {
    let answer = request.send().await.map_err(|error| unanswered(&error))?;
    let status = answer.status();
    if status.is_success() {
        return answer.json().await.map_err(|error| unanswered(&error));
    }
    let passes = matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE);
    let asked = answer.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
    let pause = asked.map_or(SETUP_PAUSE, Duration::from_secs).clamp(SETUP_PAUSE, SETUP_PAUSE_MAX);
    let problem: Option<Problem> = answer.json().await.ok();
    let (code, detail) = problem.map_or_else(Default::default, |it| (it.code, it.detail.unwrap_or(it.title)));
    let code = format!("http {} {code}", status.as_u16());
    Err(Failure { code: code.trim_end().to_owned(), detail, retry_after: passes.then_some(pause) })
}

fn unanswered(error: &reqwest::Error) -> Failure {
    let code = match error {
        error if error.is_timeout() => "timeout",
        error if error.is_connect() => "connect",
        error if error.is_decode() => "unreadable answer",
        _ => "io",
    };
    let cause = std::error::Error::source(error).map(|cause| format!(" ({cause})")).unwrap_or_default();
    Failure { code: code.to_owned(), detail: format!("{error}{cause}"), retry_after: None }
}
