//! What eating means for health, as pure integers: needs, reference intakes, and the floors under which no challenge may
//! push anybody.
//!
//! No clock, database, chance or float: dates and times are arguments, and sums are exact until a documented rounding at
//! their end. Whoever states no sex gets the higher figure of the two everywhere.
//!
//! - [`energy`]: how much energy a body needs, by which equation
//! - [`intake`]: how much of what a day should have, by which table
//! - [`safety`]: what is refused, whatever a user wishes
//! - [`portion`]: the exact sum of what is on a plate; [`atwater`]: energy from macros, and whether an entry can be
//! - [`nutri_score`]: the grade of a food or a meal; [`day_score`]: that of a day; [`interval`]: how sure an energy is

use chrono::{DateTime, NaiveDate, Utc};
use lastbite_protocol::profile::{Activity, Body, Equation, IntakeTable, Sex, Targets};

use safety::Refusal;

pub mod atwater;
pub mod day_score;
pub mod energy;
pub mod intake;
pub mod interval;
pub mod nutri_score;
pub mod portion;
mod rounding;
pub mod safety;

/// The least energy a day that any challenge may ask for: the floor for women, kcal.
pub const SAFE_FLOOR_KCAL_LEAST: u32 = 1200;

/// The floor of a user who did not state a sex, kcal a day: the higher one, that for men.
pub const SAFE_FLOOR_KCAL_UNSTATED: u32 = 1500;

/// What the equations need to know of a person. Its numbers are plausible ones: they have gone through [`safety`], and so
/// no sum over them overflows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Person {
    sex: Option<Sex>,
    age_years: u16,
    height_mm: u32,
    weight_g: u32,
    activity: Activity,
}

impl Person {
    /// The person with this body and weight, on a day of the user's zone.
    ///
    /// # Errors
    /// [`Refusal`] when height or activity are not told, when something told is out of range, or under 14 years. The BMI
    /// is not looked at: a thin person has a need, too.
    pub fn of(body: &Body, weight_g: u32, today: NaiveDate) -> Result<Self, Refusal> {
        let age_years = safety::age_years(body.birth_year, today)?;
        let height_mm = body.height_mm.ok_or(Refusal::Missing { field: "height_mm" })?;
        let activity = body.activity.ok_or(Refusal::Missing { field: "activity" })?;
        safety::check_height(height_mm)?;
        safety::check_weight("weight_g", weight_g)?;
        Ok(Self { sex: body.sex, age_years, height_mm, weight_g, activity })
    }
}

/// What a person should eat in a day. Energies are rounded to kcal, half up, and the ranges are shares of the rounded need.
///
/// # Errors
/// [`Refusal::Age`] when the equation was not made for the person's age.
pub fn targets(
    person: &Person,
    equation: Equation,
    intake_table: IntakeTable,
    made_at: DateTime<Utc>,
) -> Result<Targets, Refusal> {
    if !energy::ages_years(equation).contains(&person.age_years) {
        return Err(Refusal::Age { equation });
    }
    let need_kcal = energy::need(equation, person).kcal();
    let intakes = intake::intakes(intake_table, need_kcal, person.sex);
    Ok(Targets {
        equation,
        intake_table,
        resting_kcal: energy::resting(equation, person).kcal(),
        need_kcal,
        floor_kcal: safety::floor_kcal(person.sex),
        carbohydrate_mg: intakes.carbohydrate_mg,
        protein_mg: intakes.protein_mg,
        fat_mg: intakes.fat_mg,
        sugars_mg: intakes.sugars_mg,
        sodium_mg: intakes.sodium_mg,
        fibre_mg: intakes.fibre_mg,
        weight_g: person.weight_g,
        made_at,
    })
}

#[cfg(test)]
mod tests {
    use lastbite_protocol::profile::Bounds;

    use super::*;

    fn today() -> NaiveDate {
        NaiveDate::from_ymd_opt(2026, 7, 1).unwrap()
    }

    fn noon() -> DateTime<Utc> {
        today().and_hms_opt(12, 0, 0).unwrap().and_utc()
    }

    fn woman() -> Body {
        Body {
            birth_year: 1996,
            sex: Some(Sex::Female),
            height_mm: Some(1_620),
            goal_weight_g: None,
            activity: Some(Activity::Light),
            pregnant: false,
        }
    }

    fn between(least: u32, most: u32) -> Bounds {
        Bounds { least: Some(least), most: Some(most) }
    }

    #[test]
    fn targets_say_where_they_come_from_and_agree_with_their_need() {
        let person = Person::of(&woman(), 55_000, today()).unwrap();
        let targets = targets(&person, Equation::Mifflin1990, IntakeTable::Kdri2025, noon()).unwrap();
        let expected = Targets {
            equation: Equation::Mifflin1990,
            intake_table: IntakeTable::Kdri2025,
            // 1251.5 and 1720.8125 kcal.
            resting_kcal: 1252,
            need_kcal: 1721,
            floor_kcal: 1200,
            carbohydrate_mg: between(215_125, 279_663),
            protein_mg: between(43_025, 86_050),
            fat_mg: between(28_683, 57_367),
            sugars_mg: Bounds { least: None, most: Some(86_050) },
            sodium_mg: Bounds { least: None, most: Some(2_300) },
            fibre_mg: Bounds { least: Some(21_513), most: None },
            weight_g: 55_000,
            made_at: noon(),
        };
        assert_eq!(targets, expected);
    }

    #[test]
    fn without_a_resting_energy_of_its_own_the_korean_need_has_that_of_mifflin() {
        let person = Person::of(&woman(), 55_000, today()).unwrap();
        let targets = targets(&person, Equation::KdriEer, IntakeTable::Kdri2020, noon()).unwrap();
        assert_eq!((targets.resting_kcal, targets.need_kcal), (1252, 2041));
    }

    #[test]
    fn a_person_is_not_guessed() {
        let without_height = Body { height_mm: None, ..woman() };
        assert_eq!(Person::of(&without_height, 55_000, today()), Err(Refusal::Missing { field: "height_mm" }));
        let without_activity = Body { activity: None, ..woman() };
        assert_eq!(Person::of(&without_activity, 55_000, today()), Err(Refusal::Missing { field: "activity" }));
        assert_eq!(Person::of(&woman(), 19_999, today()), Err(Refusal::Weight { field: "weight_g" }));
        let tiny = Body { height_mm: Some(999), ..woman() };
        assert_eq!(Person::of(&tiny, 55_000, today()), Err(Refusal::Height));
        let child = Body { birth_year: 2013, ..woman() };
        assert_eq!(Person::of(&child, 55_000, today()), Err(Refusal::TooYoung));
    }

    #[test]
    fn an_equation_is_used_for_the_ages_it_was_made_for() {
        let made = |birth_year, equation| {
            let person = Person::of(&Body { birth_year, ..woman() }, 55_000, today()).unwrap();
            targets(&person, equation, IntakeTable::Kdri2025, noon()).map(|targets| targets.equation)
        };
        let refused = |equation| Err(Refusal::Age { equation });
        let (mifflin, harris) = (Equation::Mifflin1990, Equation::HarrisBenedict1984);
        assert_eq!(made(2026 - 18, mifflin), refused(mifflin));
        assert_eq!(made(2026 - 19, mifflin), Ok(mifflin));
        assert_eq!(made(2026 - 78, mifflin), Ok(mifflin));
        assert_eq!(made(2026 - 79, mifflin), refused(mifflin));
        assert_eq!(made(2026 - 18, harris), refused(harris));
        assert_eq!(made(2026 - 79, harris), Ok(harris));
        assert_eq!(made(1900, Equation::KdriEer), Ok(Equation::KdriEer));
    }
}
