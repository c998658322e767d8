//! What a provider says of a user: cut to what we keep, whatever it was.

use lastbite_protocol::rest::Identity;
use serde::{Deserialize, Serialize};

use super::super::signing;
use crate::{limits, rules::Event};

const TEXT_CHARS_MAX: usize = 255;
const URL_BYTES_MAX: usize = 2048;
/// Room for digits behind a nickname that somebody has.
const BASE_CHARS_MAX: usize = 40;

/// Who it is there, and how they call themselves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Vouched {
    pub(super) subject: String,
    pub(super) profile: Profile,
}

/// What is kept of a user's profile there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Profile {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) nickname: Option<String>,
    /// Only one of which the provider knows that it is the user's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) email: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) picture_url: Option<String>,
}

impl Vouched {
    /// `None` when the subject cannot be one: OpenID Connect allows 255 ASCII characters.
    pub(super) fn new(
        subject: &str,
        nickname: Option<&str>,
        email: Option<&str>,
        picture: Option<&str>,
    ) -> Option<Self> {
        if !(1..=TEXT_CHARS_MAX).contains(&subject.len()) || !subject.chars().all(|letter| letter.is_ascii_graphic()) {
            return None;
        }
        let profile = Profile {
            nickname: nickname.map(text).filter(|nickname| !nickname.is_empty()),
            email: email.and_then(|email| signing::parse_email(email).ok()),
            picture_url: picture.and_then(address),
        };
        Some(Self { subject: subject.to_owned(), profile })
    }
}

/// Without what cannot be stored or shown.
fn text(text: &str) -> String {
    text.chars().filter(|letter| !letter.is_control()).take(TEXT_CHARS_MAX).collect::<String>().trim().to_owned()
}

fn address(url: &str) -> Option<String> {
    let parsed = reqwest::Url::parse(url).ok()?;
    let is_web = matches!(parsed.scheme(), "http" | "https") && parsed.has_host();
    (is_web && parsed.as_str().len() <= URL_BYTES_MAX).then(|| parsed.to_string())
}

impl Profile {
    /// Nicknames for a new user, the best first: as it is there, as far as our rule allows, then with digits.
    pub(super) fn nicknames(&self) -> Vec<String> {
        let allowed = |letter: &char| letter.is_ascii_alphanumeric() || *letter == '_' || matches!(letter, '가'..='힣');
        let joined = self.nickname.as_deref().unwrap_or_default().trim().replace(char::is_whitespace, "_");
        let mut base: String = joined.chars().filter(allowed).take(BASE_CHARS_MAX).collect();
        let is_reserved = base.to_ascii_lowercase().starts_with(Event::NAME_OF_WITHDRAWN);
        let is_short = base.chars().count() < *limits::NICKNAME_CHARS.start();
        if is_reserved || is_short || base.chars().all(|letter| letter == '_') {
            "player".clone_into(&mut base);
        }
        let short = (0..6).map(|_| format!("{base}_{:04}", rand::random_range(0..10_000)));
        let long = (0..2).map(|_| format!("{base}_{:09}", rand::random_range(0..1_000_000_000)));
        std::iter::once(base.clone()).chain(short).chain(long).collect()
    }
}

/// As its owner sees it.
pub(super) fn shown(
    provider: String,
    linked_at: chrono::DateTime<chrono::Utc>,
    last_used_at: chrono::DateTime<chrono::Utc>,
    profile: Profile,
) -> Identity {
    let Profile { nickname, email, picture_url } = profile;
    Identity { provider, linked_at, last_used_at, nickname, email, picture_url }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nickname(there: &str) -> String {
        let vouched = Vouched::new("1", Some(there), None, None).unwrap();
        vouched.profile.nicknames().swap_remove(0)
    }

    #[test]
    fn a_nickname_from_there_fits_our_rule() {
        let cases = [
            ("미나", "미나"),
            ("Kim Mina", "Kim_Mina"),
            ("\0미\0나\u{202e}", "미나"),
            ("🍔🍔", "player"),
            ("", "player"),
            ("a", "player"),
            ("___", "player"),
            ("  mina!! ", "mina"),
            ("<b>mina</b>", "bminab"),
        ];
        for (there, here) in cases {
            assert_eq!(nickname(there), here);
        }
        for there in ["가".repeat(100_000), "a b".repeat(90), "\u{10ffff}".repeat(9)] {
            let vouched = Vouched::new("1", Some(&there), None, None).unwrap();
            let all = vouched.profile.nicknames();
            assert!(all.iter().all(|name| signing::parse_nickname(name).is_ok()), "{all:?}");
        }
    }

    #[test]
    fn what_is_no_subject_or_address_is_not_kept() {
        let long = "1".repeat(256);
        for subject in ["", "a b", "a\0", "é", &long] {
            assert_eq!(Vouched::new(subject, None, None, None), None);
        }
        let picture = |url: &str| Vouched::new("1", None, None, Some(url)).unwrap().profile.picture_url;
        for bad in ["javascript:alert(1)", "data:,x", "//x", "x", &format!("https://e.example/{}", "a".repeat(3000))] {
            assert_eq!(picture(bad), None, "{bad}");
        }
        assert!(picture("https://pictures.example/mina.jpg").is_some());
        let email = |text: &str| Vouched::new("1", None, Some(text), None).unwrap().profile.email;
        assert_eq!(email("mina\0@example.com"), None);
        assert_eq!(email("mina@example.com").as_deref(), Some("mina@example.com"));
    }
}
