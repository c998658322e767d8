//! What is refused whatever a user wishes: implausible numbers, a weight that makes ill, an age too young. And the floor
//! under which no challenge may push a user. Nothing here is a diagnosis.

use std::ops::RangeInclusive;

use chrono::{Datelike, NaiveDate};
use lastbite_protocol::profile::{Body, Equation, Sex};

use super::{SAFE_FLOOR_KCAL_LEAST, SAFE_FLOOR_KCAL_UNSTATED};

/// Heights that are no slip of the pen, in millimetres.
pub const HEIGHT_MM: RangeInclusive<u32> = 1_000..=2_500;
/// Weights that are none, in grams.
pub const WEIGHT_G: RangeInclusive<u32> = 20_000..=400_000;
/// The earliest year of birth.
pub const BIRTH_YEAR_LEAST: u16 = 1900;
/// Who is younger has no account without a guardian.
pub const AGE_YEARS_LEAST: u16 = 14;

/// The least BMI is 18.5 kg/m², or 37/2000 of a gram per square millimetre.
const BMI_LEAST_G: u64 = 37;
const BMI_LEAST_PER_MM2: u64 = 2_000;

/// What a user told cannot be, or is not safe: the user's doing, never a failure of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("this needs `{field}`, which you did not tell yet")]
    Missing { field: &'static str },
    #[error("a height is 1,000 to 2,500 mm")]
    Height,
    #[error("a weight is 20,000 to 400,000 g")]
    Weight { field: &'static str },
    #[error("a year of birth is from 1900 to this year")]
    BirthYear,
    #[error("Lastbite is for people from 14 years on")]
    TooYoung,
    #[error("that is a BMI under 18.5, which is not safe; at your height the least is {least_g} g")]
    Underweight { field: &'static str, least_g: u32 },
    #[error("`{}` was not made for people of your age", equation.as_str())]
    Age { equation: Equation },
}

impl Refusal {
    /// The stable name of the refusal.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Missing { .. } => "body_incomplete",
            Self::Height => "height_out_of_range",
            Self::Weight { .. } => "weight_out_of_range",
            Self::BirthYear => "birth_year_out_of_range",
            Self::TooYoung => "too_young",
            Self::Underweight { .. } => "underweight",
            Self::Age { .. } => "age_out_of_range",
        }
    }

    /// The field at fault.
    #[must_use]
    pub const fn field(&self) -> &'static str {
        match self {
            Self::Missing { field } | Self::Weight { field } | Self::Underweight { field, .. } => field,
            Self::Height => "height_mm",
            Self::BirthYear | Self::TooYoung => "birth_year",
            Self::Age { .. } => "equation",
        }
    }
}

/// What a challenge that asks for a band of energy has to know of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Safety {
    /// See [`floor_kcal`].
    pub floor_kcal: u32,
    /// Told both a height and a weight, with a BMI under 18.5.
    pub is_underweight: bool,
    pub is_pregnant: bool,
    /// The need at rest, where targets were worked out.
    pub resting_kcal: Option<u32>,
}

impl Safety {
    /// Of somebody who told nothing.
    pub const UNSTATED: Self =
        Self { floor_kcal: SAFE_FLOOR_KCAL_UNSTATED, is_underweight: false, is_pregnant: false, resting_kcal: None };

    /// Of what was told.
    #[must_use]
    pub fn of(sex: Option<Sex>, height_mm: Option<u32>, weight_g: Option<u32>) -> Self {
        let told = height_mm.zip(weight_g);
        let is_underweight = told.is_some_and(|(height_mm, weight_g)| is_underweight(weight_g, height_mm));
        Self { floor_kcal: floor_kcal(sex), is_underweight, ..Self::UNSTATED }
    }
}

/// The least energy that a challenge may ask of a user, kcal a day: 1200 for women, 1500 for men and when not stated.
#[must_use]
pub const fn floor_kcal(sex: Option<Sex>) -> u32 {
    match sex {
        Some(Sex::Female) => SAFE_FLOOR_KCAL_LEAST,
        Some(Sex::Male) | None => SAFE_FLOOR_KCAL_UNSTATED,
    }
}

/// Refuses a body that cannot be, or whose goal would make ill. A goal needs a height: without one its BMI is not known.
/// To be asked of the whole body after every change, because a new height judges an old goal.
///
/// # Errors
/// The first [`Refusal`] in the order birth year, height, goal.
pub fn check_body(body: &Body, today: NaiveDate) -> Result<(), Refusal> {
    age_years(body.birth_year, today)?;
    if let Some(height_mm) = body.height_mm {
        check_height(height_mm)?;
    }
    if let Some(goal_g) = body.goal_weight_g {
        check_weight("goal_weight_g", goal_g)?;
        let height_mm = body.height_mm.ok_or(Refusal::Missing { field: "height_mm" })?;
        check_bmi("goal_weight_g", goal_g, height_mm)?;
    }
    Ok(())
}

/// The age in years by the calendar: the year of `today` less the year of birth. The year alone decides, as no birthday is
/// asked for: it makes a user older by less than a year, so whoever will be 14 within this year is let in.
///
/// # Errors
/// [`Refusal::BirthYear`] before 1900 or after this year; [`Refusal::TooYoung`] under 14.
pub fn age_years(birth_year: u16, today: NaiveDate) -> Result<u16, Refusal> {
    let this_year = u16::try_from(today.year()).map_err(|_| Refusal::BirthYear)?;
    if birth_year < BIRTH_YEAR_LEAST {
        return Err(Refusal::BirthYear);
    }
    let age_years = this_year.checked_sub(birth_year).ok_or(Refusal::BirthYear)?;
    if age_years < AGE_YEARS_LEAST { Err(Refusal::TooYoung) } else { Ok(age_years) }
}

/// Refuses a height that cannot be.
///
/// # Errors
/// [`Refusal::Height`] outside of [`HEIGHT_MM`].
pub fn check_height(height_mm: u32) -> Result<(), Refusal> {
    if HEIGHT_MM.contains(&height_mm) { Ok(()) } else { Err(Refusal::Height) }
}

/// Refuses a weight that cannot be; `field` is where it was told.
///
/// # Errors
/// [`Refusal::Weight`] outside of [`WEIGHT_G`].
pub fn check_weight(field: &'static str, weight_g: u32) -> Result<(), Refusal> {
    if WEIGHT_G.contains(&weight_g) { Ok(()) } else { Err(Refusal::Weight { field }) }
}

/// Refuses a weight with a BMI under 18.5, be it a goal or that of somebody who enters a challenge; `field` is where it
/// was told.
///
/// # Errors
/// [`Refusal::Underweight`] says the least weight for the height.
pub fn check_bmi(field: &'static str, weight_g: u32, height_mm: u32) -> Result<(), Refusal> {
    if is_underweight(weight_g, height_mm) {
        return Err(Refusal::Underweight { field, least_g: least_weight_g(height_mm) });
    }
    Ok(())
}

/// Whether the BMI is under 18.5 kg/m². Multiplied out, so that nothing is divided or rounded; exactly 18.5 is not under.
#[must_use]
pub fn is_underweight(weight_g: u32, height_mm: u32) -> bool {
    u128::from(weight_g) * u128::from(BMI_LEAST_PER_MM2) < least_weight_scaled(height_mm)
}

/// The least whole number of grams at which a person of this height is not underweight.
#[must_use]
pub fn least_weight_g(height_mm: u32) -> u32 {
    let grams = least_weight_scaled(height_mm).div_ceil(u128::from(BMI_LEAST_PER_MM2));
    u32::try_from(grams).unwrap_or(u32::MAX)
}

/// In units of a gram over [`BMI_LEAST_PER_MM2`].
fn least_weight_scaled(height_mm: u32) -> u128 {
    u128::from(BMI_LEAST_G) * u128::from(height_mm).pow(2)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(year: i32, month: u32, day: u32) -> NaiveDate {
        NaiveDate::from_ymd_opt(year, month, day).unwrap()
    }

    fn body() -> Body {
        Body { birth_year: 1996, sex: None, height_mm: None, goal_weight_g: None, activity: None, pregnant: false }
    }

    fn checked(body: &Body) -> Result<(), Refusal> {
        check_body(body, day(2026, 7, 1))
    }

    #[test]
    fn floors() {
        assert_eq!(floor_kcal(Some(Sex::Female)), 1200);
        assert_eq!(floor_kcal(Some(Sex::Male)), 1500);
        assert_eq!(floor_kcal(None), 1500);
    }

    #[test]
    fn a_bmi_of_exactly_18_5_is_allowed_and_a_gram_less_is_not() {
        // 2 m: 74 kg. 1.6 m: 47.36 kg. Both are whole grams.
        for (height_mm, least_g) in [(2_000, 74_000), (1_600, 47_360)] {
            assert_eq!(least_weight_g(height_mm), least_g);
            assert_eq!(check_bmi("weight_g", least_g, height_mm), Ok(()));
            let refused = Refusal::Underweight { field: "weight_g", least_g };
            assert_eq!(check_bmi("weight_g", least_g - 1, height_mm), Err(refused));
        }
    }

    #[test]
    fn a_bmi_that_would_round_to_18_5_is_under_it() {
        // At 1.751 m the least is 56,721.0185 g: with 56,721 g the BMI is 18.49999.
        assert!(is_underweight(56_721, 1_751));
        assert!(!is_underweight(56_722, 1_751));
        assert_eq!(least_weight_g(1_751), 56_722);
    }

    #[test]
    fn the_least_weight_is_the_first_that_is_not_under() {
        for height_mm in HEIGHT_MM {
            let least_g = least_weight_g(height_mm);
            assert!(!is_underweight(least_g, height_mm), "{height_mm}");
            assert!(is_underweight(least_g - 1, height_mm), "{height_mm}");
        }
        assert!(is_underweight(u32::MAX, u32::MAX));
        assert!(!is_underweight(0, 0));
    }

    #[test]
    fn who_will_be_14_this_year_counts_as_14_from_new_years_day() {
        assert_eq!(age_years(2012, day(2025, 12, 31)), Err(Refusal::TooYoung));
        assert_eq!(age_years(2012, day(2026, 1, 1)), Ok(14));
        assert_eq!(age_years(2013, day(2026, 12, 31)), Err(Refusal::TooYoung));
        assert_eq!(age_years(1996, day(2026, 7, 1)), Ok(30));
    }

    #[test]
    fn years_of_birth_that_cannot_be() {
        assert_eq!(age_years(1899, day(2026, 7, 1)), Err(Refusal::BirthYear));
        assert_eq!(age_years(1900, day(2026, 7, 1)), Ok(126));
        assert_eq!(age_years(2026, day(2026, 7, 1)), Err(Refusal::TooYoung));
        assert_eq!(age_years(2027, day(2026, 7, 1)), Err(Refusal::BirthYear));
        assert_eq!(age_years(u16::MAX, day(2026, 7, 1)), Err(Refusal::BirthYear));
        assert_eq!(age_years(1996, day(-1, 7, 1)), Err(Refusal::BirthYear));
    }

    #[test]
    fn heights_and_weights_that_cannot_be() {
        assert_eq!([999, 1_000, 2_500, 2_501].map(|mm| check_height(mm).is_ok()), [false, true, true, false]);
        let weights = [19_999, 20_000, 400_000, 400_001];
        assert_eq!(weights.map(|g| check_weight("weight_g", g).is_ok()), [false, true, true, false]);
    }

    #[test]
    fn a_goal_is_judged_by_the_height() {
        assert_eq!(checked(&body()), Ok(()));
        let goal = |goal_g, height_mm| checked(&Body { goal_weight_g: Some(goal_g), height_mm, ..body() });
        assert_eq!(goal(50_000, Some(1_600)), Ok(()));
        assert_eq!(goal(50_000, None), Err(Refusal::Missing { field: "height_mm" }));
        let refused = Refusal::Underweight { field: "goal_weight_g", least_g: 47_360 };
        assert_eq!(goal(47_359, Some(1_600)), Err(refused));
        assert_eq!(goal(19_999, Some(1_600)), Err(Refusal::Weight { field: "goal_weight_g" }));
        assert_eq!(goal(50_000, Some(999)), Err(Refusal::Height));
        assert_eq!(checked(&Body { birth_year: 2013, ..body() }), Err(Refusal::TooYoung));
    }

    #[test]
    fn a_refusal_says_which_field_and_why() {
        let goal = Refusal::Underweight { field: "goal_weight_g", least_g: 47_360 };
        assert_eq!((goal.code(), goal.field()), ("underweight", "goal_weight_g"));
        assert!(goal.to_string().ends_with("at your height the least is 47360 g"));
        let age = Refusal::Age { equation: Equation::Mifflin1990 };
        assert_eq!((age.code(), age.field()), ("age_out_of_range", "equation"));
        assert_eq!(age.to_string(), "`mifflin_1990` was not made for people of your age");
    }
}
