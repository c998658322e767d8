//! Bodies about signing in through others, such as Kakao.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Through whom one can sign in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SignInWay {
    /// The provider's name, such as `kakao`.
    pub name: String,
}

/// Signs in with the ticket that a browser came back with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UseTicket {
    /// From the fragment of `/signin#ticket=…`: good for 60 seconds, once, in the browser that began.
    pub ticket: String,
    /// What the user calls the device, at most 64 characters; else what its `User-Agent` says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 64, example = "Mina's laptop")]
    pub device: Option<String>,
}

/// Signs in with what a provider gave to a mobile app: one of the two tokens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SignInWith {
    /// An access token of the provider; Kakao's only, because others do not say whom theirs are for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_token: Option<String>,
    /// An ID token of the provider.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id_token: Option<String>,
    /// The nonce that the app asked for the ID token with; needed when it holds one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nonce: Option<String>,
    /// Whether the user says to be 14 or older, which is needed the first time; it is not kept.
    #[serde(default)]
    pub at_least_14: bool,
    /// What the user calls the device, at most 64 characters; else what its `User-Agent` says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 64, example = "Mina's phone")]
    pub device: Option<String>,
}

/// Adds a way to sign in, with what a provider gave to a mobile app: one of the two tokens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LinkIdentity {
    /// An access token of the provider; Kakao's only, because others do not say whom theirs are for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_token: Option<String>,
    /// An ID token of the provider.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id_token: Option<String>,
    /// The nonce that the app asked for the ID token with; needed when it holds one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nonce: Option<String>,
}

/// A provider through which one signs in, and what it last said of one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Identity {
    /// Its name, such as `kakao`.
    pub provider: String,
    /// Since when.
    pub linked_at: DateTime<Utc>,
    /// When it was last signed in with, or linked.
    pub last_used_at: DateTime<Utc>,
    /// The nickname there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nickname: Option<String>,
    /// The e-mail there, if it is verified.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Where the picture there is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub picture_url: Option<String>,
}
