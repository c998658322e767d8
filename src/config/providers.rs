//! `LASTBITE_OIDC`: who else vouches for users, as JSON. Whoever speaks OpenID Connect is an entry here and no code.
//!
//! Endpoints are not configured: the issuer's discovery document names them.

use std::collections::HashSet;

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use super::Environment;

/// A provider of sign-in.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Provider {
    /// What our paths and tables call it, such as `kakao`.
    pub name: String,
    /// As the `iss` of its tokens has it; `/.well-known/openid-configuration` below it is read.
    pub issuer: String,
    /// Of our registration, for the browser.
    pub client_id: String,
    /// Belongs to `client_id`.
    pub client_secret: SecretString,
    /// Asked for beside `openid`.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// Whom ID tokens may be meant for beside `client_id`: our mobile apps.
    #[serde(default)]
    pub audiences: Vec<String>,
    /// What only Kakao has.
    #[serde(default)]
    pub kakao: Option<Kakao>,
}

/// Kakao tells whether an e-mail is verified in its own API alone, and speaks to us by webhooks.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kakao {
    /// Of our application; access tokens of others are refused.
    pub app_id: i64,
    /// With it Kakao shows that a webhook comes from there.
    pub admin_key: SecretString,
    /// Where its API is.
    #[serde(default = "api_base")]
    pub api_base: String,
}

fn api_base() -> String {
    "https://kapi.kakao.com".to_owned()
}

/// Reads the setting.
///
/// # Errors
/// Everything that keeps it from being used. No fault repeats a value: it could be the secret.
pub fn parse(json: &str, environment: Environment) -> Result<Vec<Provider>, Vec<String>> {
    let providers: Vec<Provider> = serde_json::from_str(json).map_err(|error| vec![place(&error)])?;
    let mut faults = Vec::new();
    let mut names = HashSet::new();
    for (number, provider) in (1..).zip(&providers) {
        let mut fault = |what: &str| faults.push(format!("LASTBITE_OIDC: entry {number}: {what}"));
        if !is_name(&provider.name) {
            fault("`name` is not 1 to 32 small letters, digits, `-` and `_`, beginning with a letter");
        } else if !names.insert(&provider.name) {
            fault("`name` stands there twice");
        }
        if !is_base(&provider.issuer, environment) {
            fault("`issuer` is no https URL without user, query and fragment (http is for trying out)");
        }
        if !is_key(&provider.client_id) {
            fault("`client_id` is empty or has spaces");
        }
        if !is_key(provider.client_secret.expose_secret()) {
            fault("`client_secret` is empty or has spaces");
        }
        if !provider.scopes.iter().all(|scope| is_key(scope)) {
            fault("`scopes` has one that is empty or has spaces");
        }
        if !provider.audiences.iter().all(|audience| is_key(audience)) {
            fault("`audiences` has one that is empty or has spaces");
        }
        let Some(kakao) = &provider.kakao else { continue };
        if kakao.app_id <= 0 {
            fault("`kakao.app_id` is no number of an application");
        }
        if !is_key(kakao.admin_key.expose_secret()) {
            fault("`kakao.admin_key` is empty or has spaces");
        }
        if !is_base(&kakao.api_base, environment) || kakao.api_base.ends_with('/') {
            fault("`kakao.api_base` is no https URL without a slash at its end (http is for trying out)");
        }
    }
    if faults.is_empty() { Ok(providers) } else { Err(faults) }
}

/// What is wrong with the JSON. The words of the parser are told only where they name fields: elsewhere they quote values.
fn place(error: &serde_json::Error) -> String {
    let words = error.to_string();
    let names_fields =
        ["unknown field", "missing field", "duplicate field"].iter().any(|begin| words.starts_with(begin));
    if names_fields {
        format!("LASTBITE_OIDC: {words}")
    } else {
        format!("LASTBITE_OIDC: no JSON array of providers, at line {} column {}", error.line(), error.column())
    }
}

fn is_name(name: &str) -> bool {
    let letters = |letter: u8| letter.is_ascii_lowercase() || letter.is_ascii_digit() || b"-_".contains(&letter);
    (1..=32).contains(&name.len()) && name.as_bytes()[0].is_ascii_lowercase() && name.bytes().all(letters)
}

fn is_key(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|letter| letter.is_ascii_graphic())
}

pub(super) fn is_base(text: &str, environment: Environment) -> bool {
    reqwest::Url::parse(text).is_ok_and(|url| {
        let scheme_fits = match url.scheme() {
            "https" => true,
            "http" => environment == Environment::Development,
            _ => false,
        };
        let bare = url.username().is_empty() && url.password().is_none();
        scheme_fits && bare && url.has_host() && url.query().is_none() && url.fragment().is_none()
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn google() -> Value {
        json!({
            "name": "google", "issuer": "https://accounts.example.com", "client_id": "id", "client_secret": "hush-hush",
            "scopes": ["email"], "audiences": ["app"],
        })
    }

    fn kakao() -> Value {
        let mut kakao = google();
        kakao["name"] = json!("kakao");
        kakao["kakao"] = json!({ "app_id": 7, "admin_key": "hush-hush", "api_base": "https://api.example.com" });
        kakao
    }

    #[test]
    fn good_entries_are_read() {
        let read = parse(&json!([google(), kakao()]).to_string(), Environment::Production).unwrap();
        assert_eq!(read.iter().map(|one| one.name.as_str()).collect::<Vec<_>>(), ["google", "kakao"]);
        assert!(!format!("{read:?}").contains("hush"), "secrets are not printed");
        assert!(parse("[]", Environment::Production).unwrap().is_empty());
    }

    #[test]
    fn bad_entries_are_refused_with_the_reason_and_without_the_secret() {
        let cases: [(&str, Value, &str); 22] = [
            ("/name", json!("Google"), "`name`"),
            ("/name", json!(""), "`name`"),
            ("/name", json!("1st"), "`name`"),
            ("/name", json!("kakao/.."), "`name`"),
            ("/name", json!("k".repeat(33)), "`name`"),
            ("/issuer", json!("http://accounts.example.com"), "`issuer`"),
            ("/issuer", json!("ftp://accounts.example.com"), "`issuer`"),
            ("/issuer", json!(["https://", "user@accounts.example.com"].concat()), "`issuer`"),
            ("/issuer", json!("https://accounts.example.com/?a=b"), "`issuer`"),
            ("/issuer", json!("https://accounts.example.com/#a"), "`issuer`"),
            ("/issuer", json!("accounts"), "`issuer`"),
            ("/client_id", json!(""), "`client_id`"),
            ("/client_id", json!("a b"), "`client_id`"),
            ("/client_secret", json!(""), "`client_secret`"),
            ("/client_secret", json!(["hush-hush"]), "at line 1"),
            ("/scopes", json!(["a b"]), "`scopes`"),
            ("/scopes", json!("hush-hush"), "at line 1"),
            ("/audiences", json!([""]), "`audiences`"),
            ("/kakao/app_id", json!(0), "`kakao.app_id`"),
            ("/kakao/app_id", json!("hush-hush"), "at line 1"),
            ("/kakao/admin_key", json!(" "), "`kakao.admin_key`"),
            ("/kakao/api_base", json!("https://api.example.com/"), "`kakao.api_base`"),
        ];
        for (place, value, reason) in cases {
            let mut entry = kakao();
            *entry.pointer_mut(place).unwrap() = value.clone();
            let faults = parse(&json!([google(), entry]).to_string(), Environment::Production).unwrap_err().join("\n");
            assert!(faults.contains(reason) && !faults.contains("hush"), "{place} {value}: {faults}");
        }
        for (text, reason) in [
            ("{}", "no JSON array"),
            ("hush-hush", "no JSON array"),
            (&*json!([google(), google()]).to_string(), "stands there twice"),
            (r#"[{"name":"a"}]"#, "missing field `issuer`"),
            (r#"[{"name":"a","secret":"hush-hush"}]"#, "unknown field `secret`"),
        ] {
            let faults = parse(text, Environment::Development).unwrap_err().join("\n");
            assert!(faults.contains(reason) && !faults.contains("hush"), "{text}: {faults}");
        }
        let mut local = google();
        local["issuer"] = json!("http://127.0.0.1:1234/kakao");
        assert!(parse(&json!([local]).to_string(), Environment::Development).is_ok());
    }
}
