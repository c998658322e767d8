//! Bodies about accounts: signing up and in, sessions, passwords, and who one is.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{SessionId, UserId};

/// A wish for an account. Whoever makes it agrees to the terms of service in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Register {
    /// Where mail reaches the user; signs in with it. At most 254 characters.
    #[schema(format = "email", max_length = 254, example = "mina@example.com")]
    pub email: String,
    /// 8 to 128 characters, at most 512 bytes, taken byte for byte.
    #[schema(min_length = 8, max_length = 128, format = Password)]
    pub password: String,
    /// The name others see: 2 to 50 Hangul, Latin letters, digits and `_`; unique regardless of case.
    #[schema(min_length = 2, max_length = 50, example = "미나")]
    pub nickname: String,
    /// Whether the user says to be 14 or older; it is not kept. Without it there is no account.
    pub at_least_14: bool,
    /// The language of mail and messages.
    #[serde(default)]
    pub language: Language,
    /// What the user calls the device, at most 64 characters; else what its `User-Agent` says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 64, example = "Mina's phone")]
    pub device: Option<String>,
}

/// Signing in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LogIn {
    /// As registered, regardless of case.
    #[schema(format = "email")]
    pub email: String,
    /// As registered.
    #[schema(format = Password)]
    pub password: String,
    /// What the user calls the device, at most 64 characters; else what its `User-Agent` says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 64, example = "Mina's phone")]
    pub device: Option<String>,
}

/// Signed in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SignedIn {
    /// A JWT, for `Authorization: Bearer` and the socket's `hello`.
    pub access_token: String,
    /// Always `Bearer`.
    pub token_type: String,
    /// How long the access token is good for, in seconds.
    pub expires_in_s: u64,
    /// For the next access token: good once, for 30 days. Keep it where no page can read it.
    pub refresh_token: String,
    /// The session that both belong to.
    pub session: SessionId,
    /// Whose it is.
    pub user: Account,
}

/// Asks for the next tokens of a session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Refresh {
    /// The session's newest refresh token. Once it is spent, another use ends the session; only within 10 seconds the same
    /// answer comes again, for who lost it.
    pub refresh_token: String,
}

/// Somewhere a user is signed in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Session {
    /// Its id.
    pub id: SessionId,
    /// What signed in, as it was named.
    pub device: String,
    /// When it began.
    pub created_at: DateTime<Utc>,
    /// When it last got a token.
    pub last_seen_at: DateTime<Utc>,
    /// From which address that was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_address: Option<String>,
    /// When it ends, however much it is used.
    pub ends_at: DateTime<Utc>,
    /// Whether it is the one that asks.
    pub current: bool,
}

/// How far an export is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ExportState {
    /// Being written, or waiting for it.
    Waiting,
    /// To be fetched.
    Ready,
    /// No longer to be fetched; ask for another.
    Expired,
}

/// An archive of all that is one's own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Export {
    /// How far it is.
    pub state: ExportState,
    /// When it was asked for.
    pub asked_at: DateTime<Utc>,
    /// When it was written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ready_at: Option<DateTime<Utc>>,
    /// Until when it can be fetched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<DateTime<Utc>>,
    /// Path of the ZIP, while it is ready. Whoever has it needs no token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

/// Changes one's password. All other sessions end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangePassword {
    /// The one that is good now; left out by who has none yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(format = Password)]
    pub old_password: Option<String>,
    /// The new one; bounds as for registering.
    #[schema(min_length = 8, max_length = 128, format = Password)]
    pub new_password: String,
}

/// Deletes one's account.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DeleteAccount {
    /// The one that is good now; left out by who has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(format = Password)]
    pub password: Option<String>,
}

/// Asks for a letter with a code, for who forgot the password.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ForgotPassword {
    /// Of the account.
    #[schema(format = "email")]
    pub email: String,
}

/// Sets a new password with the code from the letter. All sessions end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ResetPassword {
    /// Of the account.
    #[schema(format = "email")]
    pub email: String,
    /// The 6 digits of the letter: good for 10 minutes, once, and 5 tries.
    #[schema(example = "302518")]
    pub code: String,
    /// The new one; bounds as for registering.
    #[schema(min_length = 8, max_length = 128, format = Password)]
    pub new_password: String,
}

/// Shows that mail arrives, with the code from the letter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct VerifyEmail {
    /// The 6 digits of the letter: good for 10 minutes, once, and 5 tries.
    #[schema(example = "302518")]
    pub code: String,
}

/// Whether a name can be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Availability {
    /// Nobody has it, at this moment.
    pub available: bool,
}

/// One's own account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Account {
    /// The user's id.
    pub id: UserId,
    /// Where mail reaches the user; absent when no one told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Whether the user has shown that it does.
    pub email_verified: bool,
    /// The name others see.
    pub nickname: String,
    /// What the user may do beside playing.
    pub role: Role,
    /// The language of mail and messages.
    pub language: Language,
    /// Whether there is a password to sign in with.
    pub has_password: bool,
    /// When the account was made.
    pub created_at: DateTime<Utc>,
}

/// What a user may do. Each may do what the ones before may.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Play.
    #[default]
    User,
    /// Block users.
    Moderator,
    /// Everything.
    Admin,
}

named!(Role { User = "user", Moderator = "moderator", Admin = "admin" });

/// Gives a user a role.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetRole {
    /// Which.
    pub role: Role,
}

/// A language that Lastbite speaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Language {
    /// Korean.
    #[default]
    Ko,
    /// English.
    En,
}

named!(Language { Ko = "ko", En = "en" });
