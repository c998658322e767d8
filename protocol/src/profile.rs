//! Bodies about what a user tells of themselves, weighs, and should eat. Only their owner ever sees them. The equations and
//! the bounds that decide are in the server's `nutrition`.

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{accounts::Language, rest::Photo};

/// The sex that the equations and the intake tables tell apart. Whoever does not state one counts as whichever of the two
/// gives the higher figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Sex {
    /// As the equations for men have it.
    Male,
    /// As the equations for women have it.
    Female,
}

named!(Sex { Male = "male", Female = "female" });

/// How much a user moves on a usual day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Activity {
    /// Sits nearly all day.
    Sedentary,
    /// Sport or long walks on one to three days a week.
    Light,
    /// On three to five.
    Moderate,
    /// On six or seven.
    Heavy,
    /// Hard bodily work, or training twice a day.
    VeryHeavy,
}

named!(Activity {
    Sedentary = "sedentary",
    Light = "light",
    Moderate = "moderate",
    Heavy = "heavy",
    VeryHeavy = "very_heavy",
});

/// Who may see something of a user's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Visibility {
    /// Everyone.
    Everyone,
    /// Nobody but the user.
    Nobody,
}

named!(Visibility { Everyone = "everyone", Nobody = "nobody" });

/// Where an energy need comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
pub enum Equation {
    /// Mifflin, St Jeor and others 1990; for ages 19 to 78.
    #[default]
    #[serde(rename = "mifflin_1990")]
    Mifflin1990,
    /// Harris and Benedict, as revised by Roza and Shizgal 1984; from 19 years on.
    #[serde(rename = "harris_benedict_1984")]
    HarrisBenedict1984,
    /// The estimated energy requirement of the Korean reference intakes; from 19 years on.
    #[serde(rename = "kdri_eer")]
    KdriEer,
}

named!(Equation {
    Mifflin1990 = "mifflin_1990",
    HarrisBenedict1984 = "harris_benedict_1984",
    KdriEer = "kdri_eer",
});

/// Which edition of the Korean dietary reference intakes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
pub enum IntakeTable {
    /// Of 2020.
    #[serde(rename = "kdri_2020")]
    Kdri2020,
    /// Of 2025.
    #[default]
    #[serde(rename = "kdri_2025")]
    Kdri2025,
}

named!(IntakeTable { Kdri2020 = "kdri_2020", Kdri2025 = "kdri_2025" });

/// What a user tells of their body.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Body {
    /// The year of birth, 1900 or later and at least 14 years ago.
    #[schema(minimum = 1900)]
    pub birth_year: u16,
    /// Absent when not stated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sex: Option<Sex>,
    /// Height in millimetres, 1,000 to 2,500.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1_000, maximum = 2_500)]
    pub height_mm: Option<u32>,
    /// The weight the user would like to have, in grams, 20,000 to 400,000; never one with a BMI under 18.5.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 20_000, maximum = 400_000)]
    pub goal_weight_g: Option<u32>,
    /// How much the user moves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub activity: Option<Activity>,
    /// Bars challenges about calories.
    #[serde(default)]
    pub pregnant: bool,
}

/// A change to what a user tells of their body: what is absent stays.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EditBody {
    /// The year of birth, 1900 or later and at least 14 years ago.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1900)]
    pub birth_year: Option<u16>,
    /// The sex that the equations take.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sex: Option<Sex>,
    /// Height in millimetres, 1,000 to 2,500.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1_000, maximum = 2_500)]
    pub height_mm: Option<u32>,
    /// The weight the user would like to have, in grams, 20,000 to 400,000. Needs a height, and at that height a BMI of
    /// 18.5 or more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 20_000, maximum = 400_000)]
    pub goal_weight_g: Option<u32>,
    /// How much the user moves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub activity: Option<Activity>,
    /// Bars challenges about calories.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pregnant: Option<bool>,
}

/// What a user weighed on a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Weight {
    /// The day, in the user's zone.
    pub date: NaiveDate,
    /// Weight in grams.
    pub weight_g: u32,
}

/// A weight to be kept for a day; replaces the one before of that day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewWeight {
    /// Weight in grams, 20,000 to 400,000.
    #[schema(minimum = 20_000, maximum = 400_000)]
    pub weight_g: u32,
}

/// How much of something a day should have, in milligrams, both edges allowed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Bounds {
    /// At least; absent when the table names no lower edge.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub least: Option<u32>,
    /// At most; absent when the table names no upper edge.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub most: Option<u32>,
}

/// What a user should eat in a day, and where the numbers come from. A reference for healthy adults, no medical advice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Targets {
    /// Where the energy comes from.
    pub equation: Equation,
    /// Where the ranges come from.
    pub intake_table: IntakeTable,
    /// Energy at rest, kcal a day. `kdri_eer` has none: then it is that of `mifflin_1990`.
    pub resting_kcal: u32,
    /// Energy that keeps the weight, kcal a day. The ranges are shares of it.
    pub need_kcal: u32,
    /// The least that any challenge may ask of the user, kcal a day. It can be above the need of a small person.
    pub floor_kcal: u32,
    /// Carbohydrate, fibre and sugars included.
    pub carbohydrate_mg: Bounds,
    /// Protein.
    pub protein_mg: Bounds,
    /// Fat.
    pub fat_mg: Bounds,
    /// Sugars, all together.
    pub sugars_mg: Bounds,
    /// Sodium.
    pub sodium_mg: Bounds,
    /// Fibre.
    pub fibre_mg: Bounds,
    /// The weight they were made for, in grams.
    pub weight_g: u32,
    /// When they were made.
    pub made_at: DateTime<Utc>,
}

/// Which targets to work out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewTargets {
    /// Where the energy is to come from.
    #[serde(default)]
    pub equation: Equation,
    /// Where the ranges are to come from.
    #[serde(default)]
    pub intake_table: IntakeTable,
}

/// One's own profile.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Profile {
    /// The name others see.
    pub nickname: String,
    /// The language of mail and messages.
    pub language: Language,
    /// IANA name of the zone that one's own dates are in.
    #[schema(value_type = String, example = "Asia/Seoul")]
    pub zone: Tz,
    /// Who may look the profile up.
    pub visibility: Visibility,
    /// The picture that one shows; absent without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub picture: Option<Photo>,
    /// What was told of the body; absent when nothing was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<Body>,
}

/// A change to one's profile: what is absent stays.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EditProfile {
    /// The name others see: 2 to 50 Hangul, Latin letters, digits and `_`; unique regardless of case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 2, max_length = 50)]
    pub nickname: Option<String>,
    /// The language of mail and messages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<Language>,
    /// IANA name of a zone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "Asia/Seoul")]
    pub zone: Option<Tz>,
    /// Who may look the profile up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub visibility: Option<Visibility>,
}

/// What may be done with a user's data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// What the service itself needs; given by signing up.
    Service,
    /// To keep body, weights and what follows from them.
    HealthData,
    /// To show what one eats to the players of a challenge.
    PublicDisplay,
    /// To let a model look at one's photos.
    AiProcessing,
}

named!(Purpose {
    Service = "service",
    HealthData = "health_data",
    PublicDisplay = "public_display",
    AiProcessing = "ai_processing",
});

/// What was agreed to, or taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Consent {
    /// To what.
    pub purpose: Purpose,
    /// In which version of its text.
    pub version: u16,
    /// Whether it holds.
    pub given: bool,
    /// Since when.
    pub at: DateTime<Utc>,
}

/// Gives a consent, or takes it back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetConsent {
    /// The version of the text that was shown: the one in force, 1 so far.
    pub version: u16,
    /// Whether it is given.
    pub given: bool,
}

#[cfg(test)]
mod tests {
    use std::{fmt::Debug, str::FromStr};

    use serde::de::DeserializeOwned;

    use super::*;

    /// The name in JSON is the one that is stored, both ways.
    fn is_named<T>(value: T, name: &str)
    where
        T: Copy + Debug + PartialEq + Serialize + DeserializeOwned + FromStr<Err = String>,
    {
        let json = format!("\"{name}\"");
        assert_eq!(serde_json::to_string(&value).unwrap(), json);
        assert_eq!(serde_json::from_str::<T>(&json).unwrap(), value);
        assert_eq!(name.parse::<T>(), Ok(value));
    }

    #[test]
    fn what_is_stored_has_the_name_of_the_wire() {
        for (value, name) in [(Sex::Male, "male"), (Sex::Female, "female")] {
            assert_eq!(value.as_str(), name);
            is_named(value, name);
        }
        let activities =
            [Activity::Sedentary, Activity::Light, Activity::Moderate, Activity::Heavy, Activity::VeryHeavy];
        for (value, name) in activities.into_iter().zip(["sedentary", "light", "moderate", "heavy", "very_heavy"]) {
            assert_eq!(value.as_str(), name);
            is_named(value, name);
        }
        for (value, name) in [(Visibility::Everyone, "everyone"), (Visibility::Nobody, "nobody")] {
            assert_eq!(value.as_str(), name);
            is_named(value, name);
        }
        let equations = [Equation::Mifflin1990, Equation::HarrisBenedict1984, Equation::KdriEer];
        for (value, name) in equations.into_iter().zip(["mifflin_1990", "harris_benedict_1984", "kdri_eer"]) {
            assert_eq!(value.as_str(), name);
            is_named(value, name);
        }
        for (value, name) in [(IntakeTable::Kdri2020, "kdri_2020"), (IntakeTable::Kdri2025, "kdri_2025")] {
            assert_eq!(value.as_str(), name);
            is_named(value, name);
        }
        assert!("kdri2025".parse::<IntakeTable>().is_err());
    }

    #[test]
    fn the_newest_sources_are_the_usual_ones() {
        assert_eq!(Equation::default(), Equation::Mifflin1990);
        assert_eq!(IntakeTable::default(), IntakeTable::Kdri2025);
    }

    #[test]
    fn a_change_may_leave_everything_out_but_invents_nothing() {
        assert_eq!(serde_json::from_str::<EditBody>("{}").unwrap(), EditBody::default());
        assert_eq!(serde_json::to_string(&EditBody::default()).unwrap(), "{}");
        assert!(serde_json::from_str::<EditBody>(r#"{"heigth_mm":1750}"#).is_err());
        assert!(serde_json::from_str::<NewWeight>(r#"{"weight_g":70000,"unit":"kg"}"#).is_err());
        assert!(serde_json::from_str::<NewWeight>(r#"{"weight_g":-1}"#).is_err());
    }

    #[test]
    fn an_edge_that_is_not_there_is_not_told() {
        let most = Bounds { least: None, most: Some(2_300) };
        assert_eq!(serde_json::to_string(&most).unwrap(), r#"{"most":2300}"#);
        assert_eq!(serde_json::from_str::<Bounds>(r#"{"most":2300}"#).unwrap(), most);
    }
}
