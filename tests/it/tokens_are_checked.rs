//! Access tokens that are not what they say: forged, bent, outlived, or of another kind.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use chrono::TimeDelta;
use ed25519_dalek::{Signer, SigningKey};
use lastbite::auth::SigningSeed;
use lastbite_protocol::{
    SessionId,
    rest::{Account, Challenge},
};
use reqwest::{Method, header::AUTHORIZATION};
use serde_json::{Value, json};

use crate::support::{Answer, Api, Player, World, challenge, lunch, seoul};

const ME: &str = "/api/v1/accounts/me";

/// The two readable parts of a token: header and claims.
fn opened(token: &str) -> (Value, Value) {
    let mut parts = token.split('.').map(|part| BASE64.decode(part).unwrap());
    let mut next = || serde_json::from_slice(&parts.next().unwrap()).unwrap();
    (next(), next())
}

/// What is signed of a token.
fn unsigned(header: &Value, claims: &Value) -> String {
    format!("{}.{}", BASE64.encode(header.to_string()), BASE64.encode(claims.to_string()))
}

fn signed(header: &Value, claims: &Value, key: &SigningKey) -> String {
    let text = unsigned(header, claims);
    let signature = key.sign(text.as_bytes());
    format!("{text}.{}", BASE64.encode(signature.to_bytes()))
}

async fn shows(api: &Api, token: &str) -> Answer {
    api.with_token(token).get(ME).await
}

/// Tokens that the world's own key has signed, each bent in one place.
struct Bench {
    world: World,
    mina: Player,
    key: SigningKey,
    header: Value,
    claims: Value,
}

impl Bench {
    async fn new() -> Self {
        let world = World::open().await;
        let mina = world.user("mina").await;
        let (header, claims) = opened(&mina.token);
        let id = sqlx::query_scalar("select id from signing_keys").fetch_one(&world.db).await.unwrap();
        let key = world.seed.signing_key(id);
        Self { world, mina, key, header, claims }
    }

    async fn with_header(&self, name: &str, value: Option<Value>) -> Answer {
        let header = bent(&self.header, name, value);
        shows(&self.world.api(), &signed(&header, &self.claims, &self.key)).await
    }

    async fn with_claim(&self, name: &str, value: Option<Value>) -> Answer {
        let claims = bent(&self.claims, name, value);
        shows(&self.world.api(), &signed(&self.header, &claims, &self.key)).await
    }

    fn seconds_from_now(&self, seconds: i64) -> Value {
        json!((self.world.clock.wall() + TimeDelta::seconds(seconds)).timestamp())
    }
}

/// With a field replaced, or without it.
fn bent(object: &Value, name: &str, value: Option<Value>) -> Value {
    let mut object = object.clone();
    let fields = object.as_object_mut().unwrap();
    match value {
        Some(value) => fields.insert(name.to_owned(), value),
        None => fields.remove(name),
    };
    object
}

#[tokio::test]
async fn a_token_that_is_signed_by_hand_as_the_server_does_is_good() {
    let bench = Bench::new().await;
    bench.with_claim("extra", Some(json!("a claim nobody knows"))).await.ok::<Account>(200);
    bench.with_claim("exp", Some(bench.seconds_from_now(60))).await.ok::<Account>(200);
    bench.world.stop().await;
}

#[tokio::test]
async fn without_a_token_or_with_a_bent_header_nobody_is_let_in() {
    let bench = Bench::new().await;
    let missing = bench.world.api().get(ME).await;
    missing.refused(401, "token_missing");
    assert_eq!(missing.headers["www-authenticate"], "Bearer");
    let token = &bench.mina.token;
    let headers = [
        String::new(),
        "Bearer".to_owned(),
        "Bearer ".to_owned(),
        token.clone(),
        format!("Basic {token}"),
        format!("Bearer {token} {token}"),
        format!("Bearer {}", token.rsplit_once('.').unwrap().0),
        format!("Bearer {token}.{token}"),
        "Bearer a.b.c".to_owned(),
        "Bearer ..".to_owned(),
    ];
    for header in headers {
        let request = bench.world.api().request(Method::GET, ME).header(AUTHORIZATION, &header);
        let answer = Answer::of(request).await;
        answer.refused(401, "token_invalid");
        assert_eq!(answer.headers["www-authenticate"], "Bearer", "{header}");
    }
    let lower_case = bench.world.api().request(Method::GET, ME).header(AUTHORIZATION, format!("bearer {token}"));
    Answer::of(lower_case).await.ok::<Account>(200);
    bench.world.stop().await;
}

#[tokio::test]
async fn a_forged_token_is_refused() {
    let bench = Bench::new().await;
    let (api, stranger) = (bench.world.api(), SigningSeed::random().signing_key(uuid::Uuid::now_v7()));
    shows(&api, &signed(&bench.header, &bench.claims, &stranger)).await.refused(401, "token_invalid");

    let jun = bench.world.user("jun").await;
    let (_, claims_of_jun) = opened(&jun.token);
    let signature = bench.mina.token.rsplit_once('.').unwrap().1;
    let exchanged = format!("{}.{signature}", unsigned(&bench.header, &claims_of_jun));
    shows(&api, &exchanged).await.refused(401, "token_invalid");

    let outlived = bent(&bench.claims, "exp", Some(bench.seconds_from_now(-3600)));
    let forged_and_outlived = signed(&bench.header, &outlived, &stranger);
    shows(&api, &forged_and_outlived).await.refused(401, "token_invalid");
    bench.world.stop().await;
}

#[tokio::test]
async fn a_token_with_another_algorithm_is_refused() {
    let bench = Bench::new().await;
    for algorithm in ["none", "None", "HS256", "RS256", "ES256"] {
        bench.with_header("alg", Some(json!(algorithm))).await.refused(401, "token_invalid");
        let header = bent(&bench.header, "alg", Some(json!(algorithm)));
        let bare = format!("{}.", unsigned(&header, &bench.claims));
        shows(&bench.world.api(), &bare).await.refused(401, "token_invalid");
    }
    // The old trick: the public key, which everybody may know, as the secret of an HMAC.
    let header = jsonwebtoken::Header { kid: bench.header["kid"].as_str().map(str::to_owned), ..Default::default() };
    let header = jsonwebtoken::Header { typ: Some("at+jwt".to_owned()), ..header };
    let seed = base64::engine::general_purpose::STANDARD.decode(bench.world.seed.to_base64()).unwrap();
    let public = SigningKey::from_bytes(&seed.try_into().unwrap()).verifying_key();
    let key = jsonwebtoken::EncodingKey::from_secret(public.as_bytes());
    let confused = jsonwebtoken::encode(&header, &bench.claims, &key).unwrap();
    shows(&bench.world.api(), &confused).await.refused(401, "token_invalid");
    bench.world.stop().await;
}

#[tokio::test]
async fn a_token_of_another_kind_or_house_is_refused() {
    let bench = Bench::new().await;
    for (name, value) in [("typ", "JWT"), ("typ", "rt+jwt"), ("kid", "0000000000000000"), ("kid", "../../etc/passwd")] {
        bench.with_header(name, Some(json!(value))).await.refused(401, "token_invalid");
    }
    for name in ["typ", "kid", "alg"] {
        bench.with_header(name, None).await.refused(401, "token_invalid");
    }
    for (name, value) in [("iss", "lastbyte"), ("aud", "another"), ("iss", ""), ("sub", "mina"), ("sid", "1")] {
        bench.with_claim(name, Some(json!(value))).await.refused(401, "token_invalid");
    }
    bench.world.stop().await;
}

#[tokio::test]
async fn every_claim_is_needed_and_of_its_type() {
    let bench = Bench::new().await;
    for name in ["iss", "aud", "sub", "sid", "jti", "iat", "nbf", "exp"] {
        let answer = bench.with_claim(name, None).await;
        assert_eq!(answer.refused(401, "token_invalid").code, "token_invalid", "{name}");
    }
    let later = bench.seconds_from_now(60);
    let wrong = [json!("soon"), json!(later.to_string()), json!(null), json!(true), json!([later]), json!(-1e300)];
    for name in ["exp", "nbf", "iat"] {
        for value in &wrong {
            bench.with_claim(name, Some(value.clone())).await.refused(401, "token_invalid");
        }
    }
    bench.world.stop().await;
}

#[tokio::test]
async fn a_token_is_good_from_its_beginning_to_its_end() {
    let bench = Bench::new().await;
    let outlived = bench.with_claim("exp", Some(bench.seconds_from_now(-60))).await;
    outlived.refused(401, "token_expired");
    assert_eq!(outlived.headers["www-authenticate"], "Bearer");
    bench.with_claim("nbf", Some(bench.seconds_from_now(3600))).await.refused(401, "token_invalid");
    // The time of play does not matter: a demo that runs fast signs nobody out.
    bench.world.time(bench.world.clock.now() + TimeDelta::days(30));
    shows(&bench.world.api(), &bench.mina.token).await.ok::<Account>(200);
    bench.world.stop().await;
}

#[tokio::test]
async fn a_token_that_is_too_long_is_refused_unread() {
    let bench = Bench::new().await;
    let padded = |letters: usize| bent(&bench.claims, "padding", Some(json!("x".repeat(letters))));
    let fits = signed(&bench.header, &padded(1000), &bench.key);
    assert!(fits.len() <= 2048);
    shows(&bench.world.api(), &fits).await.ok::<Account>(200);
    let too_long = signed(&bench.header, &padded(1500), &bench.key);
    assert!(too_long.len() > 2048);
    shows(&bench.world.api(), &too_long).await.refused(401, "token_invalid");
    bench.world.stop().await;
}

#[tokio::test]
async fn a_bad_token_is_refused_even_where_none_is_needed() {
    let bench = Bench::new().await;
    let game = bench.mina.hosts(&challenge()).await;
    let path = format!("/api/v1/challenges/{game}");
    bench.world.api().get(&path).await.ok::<Challenge>(200);
    bench.world.api().with_token("a.b.c").get(&path).await.refused(401, "token_invalid");
    bench.world.stop().await;
}

#[tokio::test]
async fn a_token_of_one_server_is_good_on_another_of_the_same_key() {
    let bench = Bench::new().await;
    let other = bench.world.another_node().await;
    let account: Account = shows(&other.api(), &bench.mina.token).await.ok(200);
    assert_eq!(account.id, bench.mina.id);
    other.stop().await;

    let another_house = World::open().await;
    shows(&another_house.api(), &bench.mina.token).await.refused(401, "token_invalid");
    another_house.stop().await;
    bench.world.stop().await;
}

#[tokio::test]
async fn a_good_token_of_an_account_that_is_gone_is_answered_plainly() {
    let world = World::open().await;
    let nobody = lastbite_protocol::UserId::generate();
    let token = world.node.app.auth.keys.sign(nobody, SessionId::generate(), world.clock.wall()).unwrap();
    let api = world.api().with_token(&token);
    api.get("/api/v1/accounts/me").await.refused(404, "not_found");
    let meal = json!(lunch("2026-03-01", 500));
    world.time(seoul("2026-03-01 13:00"));
    api.post("/api/v1/meals", &meal).await.refused(401, "account_gone");
    let challenge = json!(challenge());
    api.post("/api/v1/challenges", &challenge).await.refused(401, "account_gone");
    world.stop().await;
}
