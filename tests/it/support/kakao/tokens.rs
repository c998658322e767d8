//! ID tokens and security event tokens as the provider of the tests signs them, with keys that are for tests only.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};

use super::{CLIENT_ID, Person, lies::Lie};

const OURS: &str = include_str!("ours.pem");
const OTHER: &str = include_str!("other.pem");
const OUR_MODULUS: &str = include_str!("ours.modulus");
const OTHER_MODULUS: &str = include_str!("other.modulus");

/// The key that signs, by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Key {
    Ours,
    Other,
}

impl Key {
    const fn kid(self) -> &'static str {
        match self {
            Self::Ours => "ours",
            Self::Other => "other",
        }
    }

    pub(super) fn public(self) -> Value {
        let modulus = if self == Self::Ours { OUR_MODULUS } else { OTHER_MODULUS };
        json!({ "kty": "RSA", "alg": "RS256", "use": "sig", "kid": self.kid(), "n": modulus.trim(), "e": "AQAB" })
    }

    pub(crate) fn sign(self, typ: &str, claims: &Value) -> String {
        self.sign_as(self.kid(), typ, claims)
    }

    fn sign_as(self, kid: &str, typ: &str, claims: &Value) -> String {
        let pem = if self == Self::Ours { OURS } else { OTHER };
        let key = EncodingKey::from_rsa_pem(pem.as_bytes()).unwrap();
        let header = Header { kid: Some(kid.to_owned()), typ: Some(typ.to_owned()), ..Header::new(Algorithm::RS256) };
        jsonwebtoken::encode(&header, claims, &key).unwrap()
    }
}

/// What an ID token says, but for the lie.
pub(super) fn claims(lie: Lie, issuer: &str, person: &Person, nonce: Option<&str>, now: i64) -> Value {
    let mut claims = json!({
        "iss": issuer, "aud": CLIENT_ID, "sub": person.id.to_string(), "iat": now, "auth_time": now, "exp": now + 21_599,
        "nickname": person.nickname, "picture": "https://pictures.example/mina.jpg", "email": person.email,
    });
    if let Some(nonce) = nonce {
        claims["nonce"] = json!(nonce);
    }
    if person.says_verified {
        claims["email_verified"] = json!(person.verified);
    }
    let (name, value) = match lie {
        Lie::WrongIssuer => ("iss", json!("https://evil.example")),
        Lie::IssuerMissing => ("iss", Value::Null),
        Lie::WrongAudience => ("aud", json!("another-app")),
        Lie::AudienceMissing => ("aud", Value::Null),
        Lie::AudienceEmpty => ("aud", json!([])),
        Lie::AudienceWithStranger => ("aud", json!([CLIENT_ID, "another-app"])),
        Lie::WrongNonce => ("nonce", json!("another nonce")),
        Lie::NonceMissing => ("nonce", Value::Null),
        Lie::Expired => ("exp", json!(now - 1)),
        Lie::ExpiryMissing => ("exp", Value::Null),
        Lie::ExpiryAsText => ("exp", json!((now + 21_599).to_string())),
        Lie::ExpiryNegative => ("exp", json!(-1)),
        Lie::ExpiryHuge => ("exp", json!(1e308)),
        Lie::IssuedLater => ("iat", json!(now + 3600)),
        Lie::SubjectMissing => ("sub", Value::Null),
        Lie::SubjectEmpty => ("sub", json!("")),
        Lie::SubjectTooLong => ("sub", json!("1".repeat(256))),
        Lie::SubjectWithNul => ("sub", json!("10\u{0}01")),
        _ => return claims,
    };
    if value.is_null() {
        claims.as_object_mut().unwrap().remove(name);
    } else {
        claims[name] = value;
    }
    claims
}

/// An ID token, signed but for the lie.
pub(super) fn id_token(lie: Lie, claims: &Value) -> String {
    match lie {
        Lie::AlgorithmNone => {
            let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
            format!("{}.{}.", part(&json!({ "alg": "none", "typ": "JWT" })), part(claims))
        }
        Lie::SignedWithThePublicKey => {
            let header = Header { kid: Some("ours".to_owned()), ..Header::new(Algorithm::HS256) };
            let public = EncodingKey::from_secret(OUR_MODULUS.trim().as_bytes());
            jsonwebtoken::encode(&header, claims, &public).unwrap()
        }
        Lie::UnknownKey => Key::Other.sign("JWT", claims),
        Lie::OtherKey => Key::Other.sign_as("ours", "JWT", claims),
        Lie::SignatureCut => {
            let whole = Key::Ours.sign("JWT", claims);
            whole[..whole.len() - 8].to_owned()
        }
        Lie::EventAsIdToken => Key::Ours.sign("secevent+jwt", claims),
        _ => Key::Ours.sign("JWT", claims),
    }
}
