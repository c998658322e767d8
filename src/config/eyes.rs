//! `LASTBITE_VISION`: who looks at photos, in the order in which they are asked, as JSON.

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use super::{Environment, providers::is_base};
use crate::limits;

/// One who looks at photos.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Eye {
    /// The one in the binary: no key, no network.
    Embedded,
    /// Google Cloud Vision.
    Google(Google),
    /// A server that speaks OpenAI's chat completions.
    #[serde(rename = "openai")]
    OpenAi(OpenAi),
}

/// Google Cloud Vision.
#[derive(Clone, Debug, Deserialize)]
pub struct Google {
    /// Where it is.
    #[serde(default = "google_base")]
    pub base: String,
    /// An API key of a project with the service enabled.
    pub key: SecretString,
    /// For how long it is waited, 1 to 15 s; then once more.
    #[serde(default = "timeout_s")]
    pub timeout_s: u64,
}

fn timeout_s() -> u64 {
    limits::VISION_TIMEOUT.as_secs()
}

fn google_base() -> String {
    "https://vision.googleapis.com".to_owned()
}

/// A server that speaks OpenAI's chat completions.
#[derive(Clone, Debug, Deserialize)]
pub struct OpenAi {
    /// Where it is; `/v1/chat/completions` follows.
    pub base: String,
    /// A model that sees.
    pub model: String,
    /// Left out for a server of one's own that wants none.
    #[serde(default)]
    pub key: Option<SecretString>,
    /// For how long it is waited, 1 to 15 s; then once more.
    #[serde(default = "timeout_s")]
    pub timeout_s: u64,
}

/// Reads the setting.
///
/// # Errors
/// Everything that keeps it from being used. No fault repeats a value: it could be the secret.
pub fn parse(json: &str, environment: Environment) -> Result<Vec<Eye>, Vec<String>> {
    let eyes: Vec<Eye> = serde_json::from_str(json).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        vec![format!("LASTBITE_VISION: no JSON array of those who look, at line {line} column {column}")]
    })?;
    let mut faults = Vec::new();
    for (number, eye) in (1..).zip(&eyes) {
        let mut fault = |what: &str| faults.push(format!("LASTBITE_VISION: entry {number}: {what}"));
        let (base, key, timeout_s) = match eye {
            Eye::Embedded => continue,
            Eye::Google(google) => (&google.base, Some(&google.key), google.timeout_s),
            Eye::OpenAi(openai) => (&openai.base, openai.key.as_ref(), openai.timeout_s),
        };
        if !(1..=limits::VISION_TIMEOUT.as_secs()).contains(&timeout_s) {
            fault("`timeout_s` is not 1 to 15");
        }
        if !is_base(base, environment) || base.ends_with('/') {
            fault("`base` is no https URL without a slash at its end (http is for trying out)");
        }
        if key.is_some_and(|key| {
            let key = key.expose_secret();
            key.is_empty() || !key.chars().all(|letter| letter.is_ascii_graphic())
        }) {
            fault("`key` is empty or has spaces");
        }
        if matches!(eye, Eye::OpenAi(openai) if openai.model.is_empty()) {
            fault("`model` is empty");
        }
    }
    if faults.is_empty() { Ok(eyes) } else { Err(faults) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_read_in_their_order_and_bad_ones_refused_without_the_secret() {
        let good = r#"[{"kind":"openai","base":"https://models.example.com","model":"m","key":"hush-hush"},
                       {"kind":"google","key":"hush-hush"},{"kind":"embedded"}]"#;
        let read = parse(good, Environment::Production).unwrap();
        assert!(matches!(&read[..], [Eye::OpenAi(_), Eye::Google(_), Eye::Embedded]));
        assert!(!format!("{read:?}").contains("hush"));
        for (bad, reason) in [
            ("{}", "no JSON array"),
            (r#"[{"kind":"hush-hush"}]"#, "at line 1"),
            (r#"[{"kind":"google"}]"#, "at line 1"),
            (r#"[{"kind":"google","key":""}]"#, "`key`"),
            (r#"[{"kind":"google","key":"hush","timeout_s":16}]"#, "`timeout_s`"),
            (r#"[{"kind":"google","key":"hush","timeout_s":0}]"#, "`timeout_s`"),
            (r#"[{"kind":"openai","base":"http://models.example.com","model":"m"}]"#, "`base`"),
            (r#"[{"kind":"openai","base":"https://models.example.com/","model":"m"}]"#, "`base`"),
            (r#"[{"kind":"openai","base":"https://models.example.com","model":""}]"#, "`model`"),
        ] {
            let faults = parse(bad, Environment::Production).unwrap_err().join("\n");
            assert!(faults.contains(reason) && !faults.contains("hush"), "{bad}: {faults}");
        }
        assert!(
            parse(r#"[{"kind":"openai","base":"http://127.0.0.1:1234","model":"m"}]"#, Environment::Development)
                .is_ok()
        );
    }
}
