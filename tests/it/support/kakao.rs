//! A provider that speaks OpenID Connect as Kakao does, with Kakao's own API beside it: a real HTTP server, which can lie.
//!
//! Each lie has an issuer of its own, so that all can be told at once and none is remembered for another.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use axum::{
    Form, Json, Router,
    body::{Body, Bytes},
    extract::{Path, Query, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
    routing::{get, post},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use lastbite::config::{
    Environment,
    providers::{self, Provider},
};
use parking_lot::Mutex;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::task::JoinHandle;
use uuid::Uuid;

use self::tokens::Key;
use super::world::PUBLIC_URL;

pub(crate) mod lies;
pub(crate) mod tokens;

pub(crate) use lies::Lie;

pub(crate) const CLIENT_ID: &str = "rest-api-key";
pub(crate) const NATIVE_KEY: &str = "native-app-key";
pub(crate) const CLIENT_SECRET: &str = "client-secret";
pub(crate) const ADMIN_KEY: &str = "admin-key";
pub(crate) const APP_ID: i64 = 4711;

/// Somebody with an account there.
#[derive(Clone, Debug)]
pub(crate) struct Person {
    pub(crate) id: i64,
    pub(crate) nickname: String,
    pub(crate) email: String,
    pub(crate) verified: bool,
    /// Whether ID tokens say so, as those of others than Kakao do.
    pub(crate) says_verified: bool,
}

/// Somebody whose e-mail is verified there.
pub(crate) fn person(id: i64, nickname: &str) -> Person {
    let email = format!("{nickname}.{id}@kakao.example");
    Person { id, nickname: nickname.to_owned(), email, verified: true, says_verified: false }
}

/// The server.
pub(crate) struct Kakao {
    shared: Arc<Shared>,
    serving: JoinHandle<()>,
}

struct Shared {
    base: String,
    /// Who sits before the browser, and who has an access token.
    sitting: Mutex<Person>,
    tokens: Mutex<HashMap<String, Person>>,
    codes: Mutex<HashMap<String, Grant>>,
    key: Mutex<Key>,
    keys_read: AtomicUsize,
}

/// What a code was given for.
struct Grant {
    person: Person,
    nonce: String,
    challenge: String,
    redirect_uri: String,
}

impl Drop for Kakao {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Kakao {
    pub(crate) async fn open() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            base: format!("http://{address}"),
            sitting: Mutex::new(person(1001, "mina")),
            tokens: Mutex::default(),
            codes: Mutex::default(),
            key: Mutex::new(Key::Ours),
            keys_read: AtomicUsize::new(0),
        });
        let routes = Router::new()
            .route("/{lie}/.well-known/openid-configuration", get(document))
            .route("/{lie}/.well-known/jwks.json", get(keys))
            .route("/{lie}/oauth/authorize", get(authorize))
            .route("/{lie}/oauth/token", post(token))
            .route("/{lie}/v1/user/access_token_info", get(info))
            .route("/{lie}/v2/user/me", get(me))
            .with_state(Arc::clone(&shared));
        #[expect(clippy::disallowed_methods, reason = "the server of a test runs beside it")]
        let serving = tokio::spawn(async move {
            let _ended = axum::serve(listener, routes).await;
        });
        Self { shared, serving }
    }

    /// A provider for each lie, each with what only Kakao has.
    pub(crate) fn of_lies(&self) -> Vec<Provider> {
        let entries: Vec<_> = Lie::ALL.iter().map(|lie| self.entry(&lie.provider(), *lie, true)).collect();
        read(&entries)
    }

    /// `kakao`, which does not lie, and `google`, which is an entry like it and has no API of its own.
    pub(crate) fn honest(&self) -> Vec<Provider> {
        read(&[self.entry("kakao", Lie::Nothing, true), self.entry("google", Lie::Nothing, false)])
    }

    fn entry(&self, name: &str, lie: Lie, is_kakao: bool) -> Value {
        let issuer = self.issuer(lie);
        let mut entry = json!({
            "name": name, "issuer": issuer, "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET,
            "scopes": ["profile_nickname", "account_email"], "audiences": [NATIVE_KEY],
        });
        if is_kakao {
            entry["kakao"] = json!({ "app_id": APP_ID, "admin_key": ADMIN_KEY, "api_base": issuer });
        }
        entry
    }

    pub(crate) fn issuer(&self, lie: Lie) -> String {
        format!("{}/{}", self.shared.base, lie.provider())
    }

    /// Somebody else sits down before the browser.
    pub(crate) fn sits(&self, person: &Person) {
        *self.shared.sitting.lock() = person.clone();
    }

    /// An access token as a mobile app gets it.
    pub(crate) fn access_token(&self, person: &Person) -> String {
        self.shared.access_token(person)
    }

    /// What an ID token for a mobile app says.
    pub(crate) fn claims(&self, lie: Lie, person: &Person, nonce: Option<&str>) -> Value {
        tokens::claims(lie, &self.issuer(lie), person, nonce, now())
    }

    /// An ID token as a mobile app gets it.
    pub(crate) fn id_token(&self, lie: Lie, person: &Person, nonce: Option<&str>) -> String {
        tokens::id_token(lie, &self.claims(lie, person, nonce))
    }

    /// From now on it signs with another key.
    pub(crate) fn rotates(&self, key: Key) {
        *self.shared.key.lock() = key;
    }

    /// How often its keys were read.
    pub(crate) fn keys_read(&self) -> usize {
        self.shared.keys_read.load(Ordering::Relaxed)
    }
}

impl Shared {
    fn access_token(&self, person: &Person) -> String {
        let token = Uuid::new_v4().to_string();
        self.tokens.lock().insert(token.clone(), person.clone());
        token
    }
}

/// As the configuration does.
fn read(entries: &[Value]) -> Vec<Provider> {
    providers::parse(&json!(entries).to_string(), Environment::Development).unwrap()
}

pub(crate) fn now() -> i64 {
    lastbite::clock::Clock::system().wall().timestamp()
}

/// Answers as some lies do, whatever was asked; `which` are those that do it.
async fn spoilt(lie: Lie, which: [Option<Lie>; 8]) -> Option<Response> {
    let place = which.iter().position(|one| *one == Some(lie))?;
    Some(match place {
        0 => Redirect::to("http://127.0.0.1:1/").into_response(),
        1 => (StatusCode::OK, [(header::CONTENT_TYPE, "text/html")], "<html>Wartung</html>").into_response(),
        2 => (StatusCode::INTERNAL_SERVER_ERROR, "{}").into_response(),
        3 => (StatusCode::TOO_MANY_REQUESTS, Json(json!({ "msg": "slow down", "code": -10 }))).into_response(),
        4 => Json(()).into_response().map(|_| Body::empty()),
        5 => ([(header::CONTENT_TYPE, "application/json")], "{\"access_token\":\"a").into_response(),
        6 => {
            let piece = || Ok::<_, std::convert::Infallible>(Bytes::from_static(&[b' '; 4096]));
            let endless = futures_util::stream::repeat_with(piece);
            ([(header::CONTENT_TYPE, "application/json")], Body::from_stream(endless)).into_response()
        }
        _ => {
            tokio::time::sleep(std::time::Duration::from_secs(10)).await;
            StatusCode::OK.into_response()
        }
    })
}

async fn document(State(shared): State<Arc<Shared>>, Path(lie): Path<String>) -> Response {
    let base = format!("{}/{lie}", shared.base);
    let lie = Lie::of(&lie);
    let ways = [None, None, Some(Lie::DocumentDown), None, None, Some(Lie::DocumentGarbage), None];
    let [moved, html, fails, many, empty, cut, endless] = ways;
    if let Some(spoilt) = spoilt(lie, [moved, html, fails, many, empty, cut, endless, Some(Lie::DocumentSlow)]).await {
        return spoilt;
    }
    let issuer = if lie == Lie::DocumentOfAnother { "https://evil.example" } else { &base };
    Json(json!({
        "issuer": issuer, "authorization_endpoint": format!("{base}/oauth/authorize"),
        "token_endpoint": format!("{base}/oauth/token"), "jwks_uri": format!("{base}/.well-known/jwks.json"),
        "token_endpoint_auth_methods_supported": ["client_secret_post"], "response_types_supported": ["code"],
        "subject_types_supported": ["public"], "id_token_signing_alg_values_supported": ["RS256"],
        "code_challenge_methods_supported": ["S256"],
    }))
    .into_response()
}

async fn keys(State(shared): State<Arc<Shared>>, Path(lie): Path<String>) -> Response {
    shared.keys_read.fetch_add(1, Ordering::Relaxed);
    match Lie::of(&lie) {
        Lie::KeysDown => StatusCode::BAD_GATEWAY.into_response(),
        Lie::KeysGarbage => Json(json!({ "keys": "none" })).into_response(),
        Lie::KeysNone => Json(json!({ "keys": [] })).into_response(),
        _ => Json(json!({ "keys": [shared.key.lock().public()] })).into_response(),
    }
}

/// The user agrees at once. What is wrong with the question is a fault of the server under test.
async fn authorize(
    State(shared): State<Arc<Shared>>,
    Path(lie): Path<String>,
    Query(asked): Query<HashMap<String, String>>,
) -> Redirect {
    let provider = asked["redirect_uri"].rsplit('/').nth(1).unwrap().to_owned();
    assert_eq!(asked["redirect_uri"], format!("{PUBLIC_URL}/oidc/{provider}/callback"));
    assert_eq!((asked["client_id"].as_str(), asked["response_type"].as_str()), (CLIENT_ID, "code"));
    assert_eq!(asked["scope"], "openid profile_nickname account_email");
    assert_eq!(asked["code_challenge_method"], "S256");
    assert!(asked["state"].len() >= 43 && asked["nonce"].len() >= 43, "256 bits: {asked:?}");
    let back = |more: &[(&str, &str)]| {
        let mut url = reqwest::Url::parse(&asked["redirect_uri"]).unwrap();
        url.query_pairs_mut().extend_pairs(more).append_pair("state", &asked["state"]);
        Redirect::to(url.as_str())
    };
    match Lie::of(&lie) {
        Lie::UserCancels => back(&[("error", "access_denied"), ("error_description", "User denied access")]),
        Lie::ServerError => back(&[("error", "server_error")]),
        Lie::ErrorWithScript => back(&[("error", "<script>alert(1)</script>"), ("error_description", "\r\nx: y")]),
        Lie::CodeMissing => back(&[]),
        _ => {
            let code = Uuid::new_v4().to_string();
            let grant = Grant {
                person: shared.sitting.lock().clone(),
                nonce: asked["nonce"].clone(),
                challenge: asked["code_challenge"].clone(),
                redirect_uri: asked["redirect_uri"].clone(),
            };
            shared.codes.lock().insert(code.clone(), grant);
            back(&[("code", &code)])
        }
    }
}

async fn token(
    State(shared): State<Arc<Shared>>,
    Path(lie): Path<String>,
    Form(form): Form<HashMap<String, String>>,
) -> Response {
    let (issuer, lie) = (format!("{}/{lie}", shared.base), Lie::of(&lie));
    let broken = [Lie::TokenMoved, Lie::TokenHtml, Lie::TokenFails, Lie::TokenTooMany, Lie::TokenEmpty];
    let [moved, html, fails, many, empty] = broken.map(Some);
    let [cut, endless, slow] = [Lie::TokenCutOff, Lie::TokenEndless, Lie::TokenSlow].map(Some);
    if let Some(spoilt) = spoilt(lie, [moved, html, fails, many, empty, cut, endless, slow]).await {
        return spoilt;
    }
    let refused = |error: &str, code: &str| {
        let body = json!({ "error": error, "error_description": "no", "error_code": code });
        (StatusCode::BAD_REQUEST, Json(body)).into_response()
    };
    let secret = (form["client_id"].as_str(), form["client_secret"].as_str());
    if secret != (CLIENT_ID, CLIENT_SECRET) || lie == Lie::ClientRefused {
        return refused("invalid_client", "KOE101");
    }
    let grant = shared.codes.lock().remove(&form["code"]);
    let proved = URL_SAFE_NO_PAD.encode(Sha256::digest(&form["code_verifier"]));
    let fits = |grant: &Grant| grant.challenge == proved && grant.redirect_uri == form["redirect_uri"];
    let Some(grant) = grant.filter(fits).filter(|_| lie != Lie::CodeUsed) else {
        return refused("invalid_grant", "KOE320");
    };
    let claims = tokens::claims(lie, &issuer, &grant.person, Some(&grant.nonce), now());
    let mut answer = json!({
        "token_type": "bearer", "access_token": shared.access_token(&grant.person), "expires_in": 21_599,
        "refresh_token": "r", "refresh_token_expires_in": 5_183_999, "scope": "openid account_email",
    });
    match lie {
        Lie::NoIdToken => {}
        Lie::IdTokenGarbage => answer["id_token"] = json!("a.b.c"),
        _ => answer["id_token"] = json!(tokens::id_token(lie, &claims)),
    }
    if lie == Lie::TokenWrongType {
        return ([(header::CONTENT_TYPE, "text/plain")], answer.to_string()).into_response();
    }
    Json(answer).into_response()
}

/// Whose token it is.
fn bearer(shared: &Shared, headers: &HeaderMap) -> Option<Person> {
    let token = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
    token.and_then(|token| shared.tokens.lock().get(token).cloned())
}

fn refusal(status: StatusCode, code: i64) -> Response {
    (status, Json(json!({ "msg": "no", "code": code }))).into_response()
}

async fn info(State(shared): State<Arc<Shared>>, Path(lie): Path<String>, headers: HeaderMap) -> Response {
    let lie = Lie::of(&lie);
    let broken = [Lie::InfoMoved, Lie::InfoHtml, Lie::InfoFails, Lie::InfoTooMany, Lie::InfoEmpty];
    let [moved, html, fails, many, empty] = broken.map(Some);
    let [cut, endless, slow] = [Lie::InfoCutOff, Lie::InfoEndless, Lie::InfoSlow].map(Some);
    if let Some(spoilt) = spoilt(lie, [moved, html, fails, many, empty, cut, endless, slow]).await {
        return spoilt;
    }
    let Some(person) = bearer(&shared, &headers) else { return refusal(StatusCode::UNAUTHORIZED, -401) };
    let mut answer = json!({ "id": person.id, "expires_in": 21_000, "app_id": APP_ID });
    match lie {
        Lie::OtherApp => answer["app_id"] = json!(APP_ID + 1),
        Lie::AppMissing => drop(answer.as_object_mut().unwrap().remove("app_id")),
        Lie::IdAsText => answer["id"] = json!(person.id.to_string()),
        Lie::IdNegative => answer["id"] = json!(-person.id),
        Lie::IdZero => answer["id"] = json!(0),
        Lie::IdHuge => answer["id"] = json!(1e30),
        Lie::InfoRunOut => answer["expires_in"] = json!(0),
        _ => {}
    }
    Json(answer).into_response()
}

async fn me(State(shared): State<Arc<Shared>>, Path(lie): Path<String>, headers: HeaderMap) -> Response {
    let lie = Lie::of(&lie);
    let ways = [None, Some(Lie::UserHtml), Some(Lie::UserFails), None, None, None, None, None];
    if let Some(spoilt) = spoilt(lie, ways).await {
        return spoilt;
    }
    let Some(person) = bearer(&shared, &headers) else { return refusal(StatusCode::UNAUTHORIZED, -401) };
    let mut answer = json!({
        "id": person.id, "connected_at": "2026-01-01T00:00:00Z",
        "kakao_account": {
            "profile": { "nickname": person.nickname, "profile_image_url": "https://pictures.example/mina.jpg" },
            "email": person.email, "is_email_valid": true, "is_email_verified": person.verified,
            "profile_nickname_needs_agreement": false, "email_needs_agreement": false,
        },
    });
    let account = &mut answer["kakao_account"];
    match lie {
        Lie::UserTokenInvalid => return refusal(StatusCode::UNAUTHORIZED, -401),
        Lie::UserNotLinked => return refusal(StatusCode::BAD_REQUEST, -101),
        Lie::UserScopeMissing => return refusal(StatusCode::FORBIDDEN, -402),
        Lie::UserTooYoung => return refusal(StatusCode::BAD_REQUEST, -406),
        Lie::IdNegative => answer["id"] = json!(-person.id),
        Lie::IdZero => answer["id"] = json!(0),
        Lie::UserOfAnother => answer["id"] = json!(person.id + 1),
        Lie::UserIdAsText => answer["id"] = json!(person.id.to_string()),
        Lie::EmailUnverified => account["is_email_verified"] = json!(false),
        Lie::EmailInvalid => account["is_email_valid"] = json!(false),
        Lie::EmailNoAddress => account["email"] = json!("mina\u{0}@kakao.example"),
        Lie::NicknameHuge => account["profile"]["nickname"] = json!("가".repeat(10_000)),
        Lie::NicknameWithNul => account["profile"]["nickname"] = json!("mi\u{0}na\u{202e}\n"),
        Lie::NoProfile => drop(answer.as_object_mut().unwrap().remove("kakao_account")),
        Lie::PictureScript => account["profile"]["profile_image_url"] = json!("javascript:alert(1)"),
        _ => {}
    }
    Json(answer).into_response()
}
