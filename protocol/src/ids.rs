//! Names of things: ids are UUIDs of version 7, each kind a type of its own, so that they cannot be mixed up.

use std::{fmt, str::FromStr, sync::Mutex};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::{ContextV7, Timestamp, Uuid};

/// Orders ids of the same millisecond.
static ORDER: Mutex<ContextV7> = Mutex::new(ContextV7::new());

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl $name {
            /// A new id; ids made later sort later.
            #[must_use]
            pub fn generate() -> Self {
                Self(Uuid::now_v7())
            }
        }

        impl $name {
            /// A new id of an instant, before or after that of others as it is.
            #[must_use]
            pub fn at(instant: DateTime<Utc>) -> Self {
                let seconds = u64::try_from(instant.timestamp()).unwrap_or_default();
                let time = Timestamp::from_unix(&ORDER, seconds, instant.timestamp_subsec_nanos());
                Self(Uuid::new_v7(time))
            }
        }

        impl From<Uuid> for $name {
            fn from(id: Uuid) -> Self {
                Self(id)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }
    };
}

id! {
    /// A user's account.
    UserId
}
id! {
    /// Somewhere a user is signed in.
    SessionId
}
id! {
    /// A challenge.
    ChallengeId
}
id! {
    /// A meal in a diary.
    MealId
}
id! {
    /// What was seen on a photo.
    AnalysisId
}

/// A sequence of numbered events that a socket can watch: `challenge:<uuid>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stream {
    /// The board of a challenge.
    Challenge(ChallengeId),
}

impl fmt::Display for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Challenge(id) => write!(f, "challenge:{id}"),
        }
    }
}

impl FromStr for Stream {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.strip_prefix("challenge:")
            .and_then(|id| id.parse().ok())
            .map(Self::Challenge)
            .ok_or_else(|| "a stream is named challenge:<uuid>".to_owned())
    }
}

written_as_text!(Stream, "The name of a stream.", "^challenge:[0-9a-f-]{36}$");
