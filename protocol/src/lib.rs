//! What a Lastbite server and its clients say to each other: the types of the REST bodies and of the socket's messages.
//!
//! Server, load test, demo and other clients share this crate, so a message has one definition. It holds shapes and
//! nothing that decides: the rules of play live in the server. JSON is snake_case; times are RFC 3339 in UTC; dates are
//! `YYYY-MM-DD` in the zone the field names; an amount carries its unit in its name.
//!
//! - [`ids`]: the newtypes of users, challenges and meals, and the name of a stream
//! - [`terms`]: what a challenge asks for, frozen when its first day begins
//! - [`standing`]: where a player stands, and the row of a board that others see
//! - [`rest`]: bodies of requests and answers, and the problem document of a failure
//! - [`accounts`]: those of them that are about accounts; [`profile`]: about what users tell of themselves;
//!   [`identities`]: about signing in through others
//! - [`diary`]: days, months and more of them at a glance
//! - [`foods`]: foods, and what is in them
//! - [`meals`]: what is logged, and what it means; [`analyses`]: what was seen on a photo
//! - [`socket`]: the messages of `lastbite.v1`, both ways, and the close codes

/// Gives an enum of plain variants its wire names as `as_str` and `FromStr`, for places that store or query them.
macro_rules! named {
    ($type:ident { $($variant:ident = $name:literal),+ $(,)? }) => {
        impl $type {
            /// The name on the wire.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $name),+
                }
            }
        }

        impl std::str::FromStr for $type {
            type Err = String;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                match text {
                    $($name => Ok(Self::$variant),)+
                    other => Err(format!("{other:?} is no {}", stringify!($type))),
                }
            }
        }
    };
}

/// Puts a type on the wire as the text that it is displayed as and parsed from.
macro_rules! written_as_text {
    ($type:ident, $description:literal, $pattern:literal) => {
        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <String as serde::Deserialize>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }

        impl utoipa::PartialSchema for $type {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
                utoipa::openapi::ObjectBuilder::new()
                    .schema_type(utoipa::openapi::schema::Type::String)
                    .description(Some($description))
                    .pattern(Some($pattern))
                    .into()
            }
        }

        impl utoipa::ToSchema for $type {}
    };
}

pub mod accounts;
pub mod analyses;
pub mod diary;
pub mod foods;
pub mod identities;
pub mod ids;
pub mod meals;
pub mod profile;
pub mod rest;
pub mod socket;
pub mod standing;
pub mod terms;

pub use ids::{AnalysisId, ChallengeId, MealId, SessionId, Stream, UserId};
pub use standing::{OpenDay, Progress, Recent, Row, SortKey, Standing, Status, Verdict};
pub use terms::{Requirement, Terms, WallTime};
