//! More than a thousand forged tokens, each shown at every entrance: as a header, in a socket's `hello`, and in its
//! `refresh`. None opens anything, and none is told more than that it is not one of ours.

use std::collections::BTreeSet;

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE, URL_SAFE_NO_PAD as BASE64},
};
use ed25519_dalek::{Signer, SigningKey};
use futures_util::StreamExt;
use lastbite::auth::SigningSeed;
use lastbite_protocol::{
    UserId,
    rest::{Account, SignedIn},
    socket::{ClientMessage, ServerMessage, close},
};
use reqwest::{
    Method,
    header::{AUTHORIZATION, HeaderValue},
};
use serde_json::{Value, json};

use crate::support::{Answer, Setup, Viewer, World, player::logs_in, viewer::connect};

const ME: &str = "/api/v1/accounts/me";
/// So many different ones at least.
const CORPUS_MIN: usize = 1000;

/// A forger with a good token, the public keys, and a key pair of their own.
struct Forger {
    good: String,
    header: Value,
    claims: Value,
    /// The server's own key, for what only its holder could sign and must be refused all the same.
    ours: SigningKey,
    own: SigningKey,
    corpus: BTreeSet<String>,
}

fn decoded(part: &str) -> Value {
    serde_json::from_slice(&BASE64.decode(part).unwrap()).unwrap()
}

fn with(object: &Value, name: &str, value: Value) -> Value {
    let mut object = object.clone();
    object.as_object_mut().unwrap().insert(name.to_owned(), value);
    object
}

fn unsigned(header: &str, claims: &str) -> String {
    format!("{}.{}", BASE64.encode(header), BASE64.encode(claims))
}

fn signed(header: &str, claims: &str, key: &SigningKey) -> String {
    let text = unsigned(header, claims);
    format!("{text}.{}", BASE64.encode(key.sign(text.as_bytes()).to_bytes()))
}

impl Forger {
    fn new(good: &str, ours: SigningKey) -> Self {
        let mut parts = good.split('.');
        let (header, claims) = (decoded(parts.next().unwrap()), decoded(parts.next().unwrap()));
        let own = SigningSeed::random().signing_key(uuid::Uuid::now_v7());
        Self { good: good.to_owned(), header, claims, ours, own, corpus: BTreeSet::new() }
    }

    fn add(&mut self, token: impl Into<String>) {
        self.corpus.insert(token.into());
    }

    /// A header that is wrong whoever signs.
    fn with_header(&mut self, name: &str, value: Value) {
        let header = with(&self.header, name, value).to_string();
        let claims = self.claims.to_string();
        self.add(signed(&header, &claims, &self.ours));
        self.add(signed(&header, &claims, &self.own));
        self.add(format!("{}.", unsigned(&header, &claims)));
    }

    fn algorithms(&mut self) {
        let mut names = vec!["", "null", "EDDSA", "eddsa", "EdDSA ", " EdDSA", "EdDSA\u{0}", "Ed25519", "Ed448", "dir"];
        names.extend(["HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "ES256", "ES384", "ES512", "ES256K"]);
        names.extend(["PS256", "PS384", "PS512", "hs256", "A128KW", "RSA-OAEP"]);
        // Every way to write none.
        let none: Vec<String> = (0..16_u8)
            .map(|bits| {
                let case = |(at, letter): (usize, char)| {
                    if bits >> at & 1 == 1 { letter.to_ascii_uppercase() } else { letter }
                };
                "none".chars().enumerate().map(case).collect()
            })
            .collect();
        for name in names.into_iter().chain(none.iter().map(String::as_str)) {
            self.with_header("alg", json!(name));
        }
        for value in [json!(null), json!(0), json!(["EdDSA"]), json!({ "EdDSA": true }), json!(true)] {
            self.with_header("alg", value);
        }
        self.confuse_algorithms();
    }

    /// The public key, which everybody may know, as the secret of an HMAC.
    fn confuse_algorithms(&mut self) {
        let public = self.ours.verifying_key().to_bytes();
        let der = [&b"\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00"[..], &public].concat();
        let pem = format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", STANDARD.encode(&der));
        let secrets: [&[u8]; 6] =
            [&public, &der, pem.as_bytes(), &pem.as_bytes()[..pem.len() - 1], &BASE64.encode(public).into_bytes(), b""];
        for algorithm in
            [jsonwebtoken::Algorithm::HS256, jsonwebtoken::Algorithm::HS384, jsonwebtoken::Algorithm::HS512]
        {
            let kid = self.header["kid"].as_str().map(str::to_owned);
            let header =
                jsonwebtoken::Header { kid, typ: Some("at+jwt".to_owned()), ..jsonwebtoken::Header::new(algorithm) };
            for secret in secrets {
                let key = jsonwebtoken::EncodingKey::from_secret(secret);
                self.add(jsonwebtoken::encode(&header, &self.claims, &key).unwrap());
            }
        }
    }

    fn key_names(&mut self) {
        let kid = self.header["kid"].as_str().unwrap().to_owned();
        let (longer, shorter) = (format!("{kid}0"), kid[1..].to_owned());
        let mut names: Vec<String> = [
            "",
            "0",
            "0000000000000000",
            "' or '1'='1",
            "'; drop table signing_keys; --",
            "x' union select '0' --",
            "../../../../dev/null",
            "/dev/null",
            "..\\..\\key",
            "file:///etc/passwd",
            "http://localhost/key",
            "https://keys.example/jwks.json",
            "${jndi:ldap://localhost/a}",
            "$(id)",
            "`id`",
            "|id",
            "%00",
            "*",
            "%2e%2e%2f",
        ]
        .map(str::to_owned)
        .to_vec();
        names.extend([
            format!("{kid}\u{0}"),
            format!(" {kid}"),
            format!("{kid} "),
            kid.to_uppercase() + "x",
            longer,
            shorter,
        ]);
        names.extend([
            kid.repeat(2),
            "a".repeat(1500),
            format!("{kid},{kid}"),
            format!("../{kid}"),
            "가나다".to_owned(),
        ]);
        for name in names {
            self.with_header("kid", json!(name));
        }
        for value in [json!(null), json!(0), json!([kid]), json!({ "kid": kid }), json!(true)] {
            self.with_header("kid", value);
        }
    }

    /// A key of the forger's, which the token brings along.
    fn keys_of_ones_own(&mut self) {
        let public = self.own.verifying_key().to_bytes();
        let own_kid = lastbite::auth::keys::kid_of(&public);
        let jwk = json!({ "kty": "OKP", "crv": "Ed25519", "x": BASE64.encode(public), "alg": "EdDSA", "kid": own_kid });
        let offers = [
            ("jwk", jwk.clone()),
            ("jku", json!("http://localhost:1/jwks.json")),
            ("jku", json!("data:application/json,{}")),
            ("x5u", json!("http://localhost:1/cert.pem")),
            ("x5c", json!([STANDARD.encode(public)])),
            ("x5t", json!(BASE64.encode(&public[..20]))),
            ("x5t#S256", json!(BASE64.encode(public))),
            ("crit", json!(["exp"])),
            ("b64", json!(false)),
            ("zip", json!("DEF")),
            ("cty", json!("JWT")),
            ("epk", jwk),
        ];
        let ours = self.header["kid"].clone();
        for kid in [ours, json!(own_kid)] {
            let base = with(&self.header, "kid", kid);
            for (name, value) in &offers {
                let header = with(&base, name, value.clone()).to_string();
                self.add(signed(&header, &self.claims.to_string(), &self.own));
            }
            self.add(signed(&base.to_string(), &self.claims.to_string(), &self.own));
        }
        for _ in 0..40 {
            let stranger = SigningSeed::random().signing_key(uuid::Uuid::now_v7());
            self.add(signed(&self.header.to_string(), &self.claims.to_string(), &stranger));
        }
    }

    /// Signed by our own key, as another service of the house might: still no access token.
    fn kinds(&mut self) {
        for kind in
            ["", "JWT", "jwt", "AT+JWT ", "at+jwt ", "rt+jwt", "id+jwt", "dpop+jwt", "logout+jwt", "at", "jwt+at"]
        {
            self.with_header("typ", json!(kind));
        }
        for value in [json!(null), json!(0), json!(["at+jwt"]), json!(true)] {
            self.with_header("typ", value);
        }
        for name in ["typ", "alg", "kid"] {
            let mut header = self.header.clone();
            header.as_object_mut().unwrap().remove(name);
            self.add(signed(&header.to_string(), &self.claims.to_string(), &self.ours));
        }
        for header in ["", "{}", "[]", "null", "1", "\"EdDSA\"", "{\"alg\":", "\u{feff}{}"] {
            self.add(signed(header, &self.claims.to_string(), &self.ours));
        }
    }

    fn claims(&mut self) {
        let header = self.header.to_string();
        let huge: Value = serde_json::from_str("1e308").unwrap();
        let now = self.claims["iat"].as_i64().unwrap();
        let odd = [
            json!(null),
            json!(true),
            json!(false),
            json!([]),
            json!({}),
            json!(""),
            json!("soon"),
            json!("\u{0}"),
            json!(now.to_string()),
            json!([now]),
            json!(0.5),
            json!(-1.5),
            json!(-1e300),
            huge,
            json!("1e308"),
            json!("NaN"),
        ];
        for name in ["iss", "aud", "sub", "sid", "jti", "iat", "nbf", "exp"] {
            let mut without = self.claims.clone();
            without.as_object_mut().unwrap().remove(name);
            self.add(signed(&header, &without.to_string(), &self.ours));
            for value in &odd {
                self.add(signed(&header, &with(&self.claims, name, value.clone()).to_string(), &self.ours));
            }
        }
        for (name, others) in [
            ("iss", ["lastbyte", "Lastbite", "lastbite ", "//lastbite", "lastbite\u{0}"]),
            ("aud", ["another", "LASTBITE", "lastbite/", "*", "lastbite,another"]),
            ("sub", ["mina", "0", "' or 1=1", "me", "00000000-0000-0000-0000-00000000000g"]),
            ("sid", ["mina", "0", "' or 1=1", "current", "00000000-0000-0000-0000-00000000000g"]),
        ] {
            for other in others {
                self.add(signed(&header, &with(&self.claims, name, json!(other)).to_string(), &self.ours));
            }
        }
        // Good in ten years only, or at the end of all numbers.
        for then in [now + 315_360_000, i64::MAX] {
            self.add(signed(&header, &with(&self.claims, "nbf", json!(then)).to_string(), &self.ours));
            self.add(signed(&header, &with(&self.claims, "exp", json!(then)).to_string(), &self.ours));
            self.add(signed(&header, &with(&self.claims, "iat", json!(then)).to_string(), &self.ours));
        }
        for never in [-1, i64::MIN] {
            self.add(signed(&header, &with(&self.claims, "iat", json!(never)).to_string(), &self.ours));
        }
        // What somebody else may do, with the signature of what one may do oneself.
        let signature = self.good.rsplit_once('.').unwrap().1.to_owned();
        for _ in 0..40 {
            let claims = with(&self.claims, "sub", json!(UserId::generate()));
            self.add(format!("{}.{signature}", unsigned(&header, &claims.to_string())));
        }
        let role = with(&self.claims, "role", json!("admin"));
        self.add(format!("{}.{signature}", unsigned(&header, &role.to_string())));
    }

    /// The good token, bent in one place.
    fn bends(&mut self) {
        let good = self.good.clone();
        for at in 0..good.len() {
            let mut bent = good.clone().into_bytes();
            bent[at] = if bent[at] == b'A' { b'B' } else { b'A' };
            self.add(String::from_utf8(bent).unwrap());
        }
        for length in (0..good.len()).step_by(7) {
            self.add(&good[..length]);
        }
        let parts: Vec<_> = good.split('.').collect();
        let (header, claims, signature) = (parts[0], parts[1], parts[2]);
        let standard = STANDARD.encode(BASE64.decode(signature).unwrap());
        for token in [
            format!("{good}."),
            format!(".{good}"),
            format!("{good}.{signature}"),
            format!("{header}.{claims}"),
            format!("{header}..{signature}"),
            format!("..{signature}"),
            format!("{claims}.{header}.{signature}"),
            format!("{header}.{claims}.{signature}="),
            format!("{header}=.{claims}.{signature}"),
            format!("{good}\u{e9}"),
            format!("{header}.{claims}.{standard}"),
            format!("{header}.{claims}.{}", "A".repeat(86)),
            format!("{header}.{claims}.{}", URL_SAFE.encode([0_u8; 64])),
            "..".to_owned(),
            ".".to_owned(),
            "null".to_owned(),
            format!("{header} .{claims}.{signature}"),
            format!("{header}.{claims}.{signature}{signature}"),
            "undefined".to_owned(),
            "[object Object]".to_owned(),
            "e30.e30.e30".to_owned(),
            format!("{good}{good}"),
            "A".repeat(2048),
            "A".repeat(4000),
            format!("{header}.{}.{signature}", "A".repeat(4000)),
        ] {
            self.add(token);
        }
        // S + L fits the same equation; who takes it has two tokens for one.
        let mut raw = BASE64.decode(signature).unwrap();
        let order: [u8; 32] = [
            0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0, 0, 0,
            0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
        ];
        let mut carry = 0_u16;
        for (byte, added) in raw[32..].iter_mut().zip(order) {
            carry += u16::from(*byte) + u16::from(added);
            *byte = (carry & 0xff) as u8;
            carry >>= 8;
        }
        self.add(format!("{header}.{claims}.{}", BASE64.encode(&raw)));
        for at in 0..64 {
            let mut raw = BASE64.decode(signature).unwrap();
            raw[at] ^= 0x80;
            self.add(format!("{header}.{claims}.{}", BASE64.encode(&raw)));
        }
    }
}

/// Everything a forger could think of, and the tokens of other kinds that the server itself gives.
async fn corpus(world: &World, good: &SignedIn, other: &SignedIn) -> BTreeSet<String> {
    let id = sqlx::query_scalar("select id from signing_keys").fetch_one(&world.db).await.unwrap();
    let mut forger = Forger::new(&good.access_token, world.seed.signing_key(id));
    forger.algorithms();
    forger.key_names();
    forger.keys_of_ones_own();
    forger.kinds();
    forger.claims();
    forger.bends();
    for kind in [&good.refresh_token, &other.refresh_token, &good.session.to_string(), &good.user.id.to_string()] {
        forger.add(kind);
    }
    // Halves of two good tokens.
    let (mine, theirs) = (good.access_token.rsplit_once('.').unwrap(), other.access_token.rsplit_once('.').unwrap());
    forger.add(format!("{}.{}", mine.0, theirs.1));
    forger.add(format!("{}.{}", theirs.0, mine.1));
    forger.corpus.remove(&good.access_token);
    assert!(forger.corpus.len() >= CORPUS_MIN, "{} tokens", forger.corpus.len());
    forger.corpus
}

/// A world in which one address may open as many sockets as the corpus has tokens, and its corpus.
async fn forgery() -> (World, SignedIn, BTreeSet<String>) {
    let world = World::with(Setup { sockets_per_address: 20_000, ..Setup::default() }).await;
    world.user("mina").await;
    world.user("jun").await;
    let phone = logs_in(&world.api(), "mina", "a phone").await;
    let other = logs_in(&world.api(), "jun", "a phone").await;
    let corpus = corpus(&world, &phone, &other).await;
    (world, phone, corpus)
}

#[tokio::test]
async fn a_thousand_forged_tokens_open_nothing_in_a_header() {
    let (world, phone, corpus) = forgery().await;
    let (api, mut shown) = (world.api(), 0);
    for token in &corpus {
        // What cannot stand in a header is no entrance here.
        let Ok(value) = HeaderValue::from_str(&format!("Bearer {token}")) else { continue };
        let request = api.request(Method::GET, ME).header(AUTHORIZATION, value);
        let answer = Answer::of(request).await;
        assert!(!answer.status.is_success(), "{token}");
        answer.refused(401, "token_invalid");
        shown += 1;
    }
    assert!(shown >= CORPUS_MIN, "{shown}");
    api.with_token(&phone.access_token).get(ME).await.ok::<Account>(200);
    world.stop().await;
}

#[tokio::test]
async fn a_thousand_forged_tokens_open_no_socket() {
    let (world, phone, corpus) = forgery().await;
    let showing = futures_util::stream::iter(&corpus).for_each_concurrent(16, async |token| {
        let mut viewer = Viewer::on(connect(world.node.address).await);
        viewer.hello(Some(token), Vec::new()).await;
        assert_eq!(viewer.sees_the_end().await, Some(close::AUTH), "{token}");
        let bye = viewer.model.bye.take();
        assert!(
            matches!(&bye, Some(ServerMessage::Bye { reason, .. }) if reason == "token_invalid"),
            "{token}: {bye:?}"
        );
        assert!(viewer.model.welcome.is_none(), "{token}");
    });
    showing.await;
    let mut viewer = Viewer::on(connect(world.node.address).await);
    viewer.hello(Some(&phone.access_token), Vec::new()).await;
    viewer.sees("the welcome", |model| model.welcome.is_some()).await;
    world.stop().await;
}

#[tokio::test]
async fn a_thousand_forged_tokens_prolong_no_socket() {
    let (world, phone, corpus) = forgery().await;
    let corpus: Vec<_> = corpus.into_iter().collect();
    // A socket may say only so much at once.
    for tokens in corpus.chunks(20) {
        let mut viewer = Viewer::on(connect(world.node.address).await);
        viewer.hello(Some(&phone.access_token), Vec::new()).await;
        for token in tokens {
            let id = viewer.id();
            viewer.says(&ClientMessage::Refresh { id, token: token.clone() }).await;
            let refused = (Some(id), "token_invalid".to_owned());
            viewer.sees("an answer", |model| model.oks.contains(&id) || model.errors.contains(&refused)).await;
            assert!(viewer.model.oks.is_empty(), "{token}");
        }
    }
    world.stop().await;
}
