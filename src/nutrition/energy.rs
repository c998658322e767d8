//! How much energy a body needs in a day, by published equations. No target is made here that a user should reach.
//!
//! Everything is exact: an [`Energy`] counts billionths of a kcal, and in these every coefficient times every activity
//! factor is whole for whole grams, millimetres and years. Only [`Energy::kcal`] rounds.

use std::ops::{Add, RangeInclusive};

use lastbite_protocol::profile::{Activity, Equation, Sex};

use super::Person;

/// An energy a day, exact.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Energy {
    nano_kcal: i64,
}

impl Energy {
    const NANO: i64 = 1_000_000_000;

    /// In billionths of a kcal.
    #[must_use]
    pub const fn nano_kcal(self) -> i64 {
        self.nano_kcal
    }

    /// In kcal, rounded half up; 0 for a negative one.
    #[must_use]
    pub fn kcal(self) -> u32 {
        let rounded = (self.nano_kcal.max(0) + Self::NANO / 2) / Self::NANO;
        u32::try_from(rounded).unwrap_or(u32::MAX)
    }

    /// The total need of a body that has this energy at rest and moves so much.
    #[must_use]
    pub const fn with_activity(self, activity: Activity) -> Self {
        Self { nano_kcal: self.nano_kcal.saturating_mul(activity_permille(activity)) / 1000 }
    }
}

impl Add for Energy {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self { nano_kcal: self.nano_kcal + other.nano_kcal }
    }
}

/// The energy that keeps a person's weight. For `mifflin_1990` and `harris_benedict_1984` it is the exact resting energy
/// times the activity factor; `kdri_eer` gives it as a whole.
#[must_use]
pub fn need(equation: Equation, person: &Person) -> Energy {
    match equation {
        Equation::Mifflin1990 => mifflin_1990(person).with_activity(person.activity),
        Equation::HarrisBenedict1984 => harris_benedict_1984(person).with_activity(person.activity),
        Equation::KdriEer => kdri_eer(person),
    }
}

/// The energy of a person at rest. `kdri_eer` knows none: then it is that of `mifflin_1990`.
#[must_use]
pub fn resting(equation: Equation, person: &Person) -> Energy {
    match equation {
        Equation::Mifflin1990 | Equation::KdriEer => mifflin_1990(person),
        Equation::HarrisBenedict1984 => harris_benedict_1984(person),
    }
}

/// The ages an equation was made for.
#[must_use]
pub const fn ages_years(equation: Equation) -> RangeInclusive<u16> {
    match equation {
        Equation::Mifflin1990 => 19..=78,
        Equation::HarrisBenedict1984 | Equation::KdriEer => 19..=u16::MAX,
    }
}

/// What the resting energy is multiplied with, in thousandths.
#[must_use]
pub const fn activity_permille(activity: Activity) -> i64 {
    match activity {
        Activity::Sedentary => 1200,
        Activity::Light => 1375,
        Activity::Moderate => 1550,
        Activity::Heavy => 1725,
        Activity::VeryHeavy => 1900,
    }
}

/// Resting energy by Mifflin, St Jeor and others 1990: 10 W + 6.25 H − 5 A, and + 5 for men or − 161 for women (kg, cm,
/// years).
#[must_use]
pub fn mifflin_1990(person: &Person) -> Energy {
    of_sex(person, |sex| {
        let constant_mkcal = match sex {
            Sex::Male => 5_000,
            Sex::Female => -161_000,
        };
        let line = Line { constant_mkcal, mkcal_per_kg: 10_000, mkcal_per_cm: 6_250, mkcal_per_year: -5_000 };
        line.at(person)
    })
}

/// Resting energy by Harris and Benedict as Roza and Shizgal revised it in 1984. Men: 88.362 + 13.397 W + 4.799 H −
/// 5.677 A; women: 447.593 + 9.247 W + 3.098 H − 4.330 A (kg, cm, years).
#[must_use]
pub fn harris_benedict_1984(person: &Person) -> Energy {
    const MALE: Line =
        Line { constant_mkcal: 88_362, mkcal_per_kg: 13_397, mkcal_per_cm: 4_799, mkcal_per_year: -5_677 };
    const FEMALE: Line =
        Line { constant_mkcal: 447_593, mkcal_per_kg: 9_247, mkcal_per_cm: 3_098, mkcal_per_year: -4_330 };
    of_sex(person, |sex| match sex {
        Sex::Male => MALE.at(person),
        Sex::Female => FEMALE.at(person),
    })
}

/// Total need, the estimated energy requirement of the Korean reference intakes (2020 and 2025). Men: 662 − 9.53 A +
/// PA (15.91 W + 539.6 h); women: 354 − 6.91 A + PA (9.36 W + 726 h) (kg, m, years). PA is 1.0, 1.11, 1.25 or 1.48 for
/// men, 1.0, 1.12, 1.27 or 1.45 for women: it has four steps, so heavy and very heavy activity share the last.
#[must_use]
pub fn kdri_eer(person: &Person) -> Energy {
    of_sex(person, |sex| {
        let (still, moved) = match sex {
            Sex::Male => (
                Line { constant_mkcal: 662_000, mkcal_per_year: -9_530, ..Line::NONE },
                Line { mkcal_per_kg: 15_910, mkcal_per_cm: 5_396, ..Line::NONE },
            ),
            Sex::Female => (
                Line { constant_mkcal: 354_000, mkcal_per_year: -6_910, ..Line::NONE },
                Line { mkcal_per_kg: 9_360, mkcal_per_cm: 7_260, ..Line::NONE },
            ),
        };
        let moved = Energy { nano_kcal: moved.at(person).nano_kcal * pa_percent(sex, person.activity) / 100 };
        still.at(person) + moved
    })
}

/// Resting energy of a body of which the share of fat is known, by Katch and McArdle: 370 + 21.6 LBM, with LBM the lean
/// mass in kg. A share over 1,000 permille counts as 1,000.
#[must_use]
pub fn katch_mcardle(weight_g: u32, body_fat_permille: u16) -> Energy {
    of_lean_mass(370, 21_600, weight_g, body_fat_permille)
}

/// The same by Cunningham 1980: 500 + 22 LBM.
#[must_use]
pub fn cunningham(weight_g: u32, body_fat_permille: u16) -> Energy {
    of_lean_mass(500, 22_000, weight_g, body_fat_permille)
}

/// What an equation gives for the person's sex; without one, the higher of the two: it errs towards eating.
fn of_sex(person: &Person, energy: impl Fn(Sex) -> Energy) -> Energy {
    match person.sex {
        Some(sex) => energy(sex),
        None => energy(Sex::Male).max(energy(Sex::Female)),
    }
}

/// A linear equation. Thousandths of a kcal, so that its numbers look as they do in the papers.
struct Line {
    constant_mkcal: i64,
    mkcal_per_kg: i64,
    mkcal_per_cm: i64,
    mkcal_per_year: i64,
}

impl Line {
    const NONE: Self = Self { constant_mkcal: 0, mkcal_per_kg: 0, mkcal_per_cm: 0, mkcal_per_year: 0 };

    fn at(&self, person: &Person) -> Energy {
        // One mkcal is a million nano-kcal; a gram is a thousandth of a kg, a millimetre a tenth of a cm.
        let nano_kcal = self.constant_mkcal * 1_000_000
            + self.mkcal_per_kg * i64::from(person.weight_g) * 1_000
            + self.mkcal_per_cm * i64::from(person.height_mm) * 100_000
            + self.mkcal_per_year * i64::from(person.age_years) * 1_000_000;
        Energy { nano_kcal }
    }
}

/// The factor PA of the Korean requirement, in hundredths.
const fn pa_percent(sex: Sex, activity: Activity) -> i64 {
    match (sex, activity) {
        (_, Activity::Sedentary) => 100,
        (Sex::Male, Activity::Light) => 111,
        (Sex::Male, Activity::Moderate) => 125,
        (Sex::Male, Activity::Heavy | Activity::VeryHeavy) => 148,
        (Sex::Female, Activity::Light) => 112,
        (Sex::Female, Activity::Moderate) => 127,
        (Sex::Female, Activity::Heavy | Activity::VeryHeavy) => 145,
    }
}

fn of_lean_mass(constant_kcal: i64, mkcal_per_kg: i64, weight_g: u32, body_fat_permille: u16) -> Energy {
    let lean_permille = 1000 - i64::from(body_fat_permille.min(1000));
    // Grams times thousandths are milligrams, and a mkcal a kg is a nano-kcal a milligram.
    let lean_mg = i64::from(weight_g) * lean_permille;
    Energy { nano_kcal: constant_kcal * Energy::NANO + mkcal_per_kg * lean_mg }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EQUATIONS: [Equation; 3] = [Equation::Mifflin1990, Equation::HarrisBenedict1984, Equation::KdriEer];
    const ACTIVITIES: [Activity; 5] =
        [Activity::Sedentary, Activity::Light, Activity::Moderate, Activity::Heavy, Activity::VeryHeavy];

    const MAN: Person = Person {
        sex: Some(Sex::Male),
        age_years: 30,
        height_mm: 1_750,
        weight_g: 70_000,
        activity: Activity::Sedentary,
    };
    const WOMAN: Person = Person {
        sex: Some(Sex::Female),
        age_years: 30,
        height_mm: 1_620,
        weight_g: 55_000,
        activity: Activity::Sedentary,
    };

    /// Of millionths of a kcal: as fine as these bodies need.
    const fn exact(micro_kcal: i64) -> Energy {
        Energy { nano_kcal: micro_kcal * 1_000 }
    }

    fn needs(equation: Equation, person: Person) -> [Energy; 5] {
        ACTIVITIES.map(|activity| need(equation, &Person { activity, ..person }))
    }

    /// Rounds to the last decimal place of a published number.
    fn rounded(energy: Energy, place_nano_kcal: i64) -> i64 {
        (energy.nano_kcal + place_nano_kcal / 2) / place_nano_kcal
    }

    fn tenths(energies: [Energy; 5]) -> [i64; 5] {
        energies.map(|energy| rounded(energy, Energy::NANO / 10))
    }

    #[test]
    fn mifflin() {
        assert_eq!(mifflin_1990(&MAN), exact(1_648_750_000));
        assert_eq!(mifflin_1990(&WOMAN), exact(1_251_500_000));
        let man = [1_978_500_000, 2_267_031_250, 2_555_562_500, 2_844_093_750, 3_132_625_000].map(exact);
        assert_eq!(needs(Equation::Mifflin1990, MAN), man);
        assert_eq!(tenths(needs(Equation::Mifflin1990, MAN)), [19_785, 22_670, 25_556, 28_441, 31_326]);
        let woman = [1_501_800_000, 1_720_812_500, 1_939_825_000, 2_158_837_500, 2_377_850_000].map(exact);
        assert_eq!(needs(Equation::Mifflin1990, WOMAN), woman);
        // The last is 2377.85 kcal, published as 2377.8 by rounding half to even; half up makes it 2377.9.
        assert_eq!(tenths(needs(Equation::Mifflin1990, WOMAN)), [15_018, 17_208, 19_398, 21_588, 23_779]);
    }

    #[test]
    fn harris_and_benedict_as_revised() {
        assert_eq!(harris_benedict_1984(&MAN), exact(1_695_667_000));
        assert_eq!(harris_benedict_1984(&WOMAN), exact(1_328_154_000));
        assert_eq!(rounded(harris_benedict_1984(&MAN), Energy::NANO / 100), 169_567);
        assert_eq!(rounded(harris_benedict_1984(&WOMAN), Energy::NANO / 100), 132_815);
        assert_eq!(need(Equation::HarrisBenedict1984, &MAN), exact(2_034_800_400));
    }

    #[test]
    fn korean_requirement() {
        let man = [2_434_100_000, 2_660_480_000, 2_948_600_000, 3_421_940_000, 3_421_940_000].map(exact);
        assert_eq!(needs(Equation::KdriEer, MAN), man);
        assert_eq!(tenths(man), [24_341, 26_605, 29_486, 34_219, 34_219]);
        let woman = [1_837_620_000, 2_040_530_400, 2_294_168_400, 2_598_534_000, 2_598_534_000].map(exact);
        assert_eq!(needs(Equation::KdriEer, WOMAN), woman);
        assert_eq!(tenths(woman), [18_376, 20_405, 22_942, 25_985, 25_985]);
    }

    #[test]
    fn lean_mass() {
        assert_eq!(katch_mcardle(70_000, 150), exact(1_655_200_000));
        assert_eq!(cunningham(70_000, 150), exact(1_809_000_000));
        assert_eq!(katch_mcardle(70_000, 150).with_activity(Activity::Light), exact(2_275_900_000));
        assert_eq!(katch_mcardle(70_000, 1000).kcal(), 370);
        assert_eq!(cunningham(70_000, u16::MAX).kcal(), 500);
        assert!(cunningham(u32::MAX, 0).with_activity(Activity::VeryHeavy) > cunningham(400_000, 0));
    }

    #[test]
    fn a_half_is_rounded_up_once_at_the_end() {
        assert_eq!(Energy { nano_kcal: 1_251_499_999_999 }.kcal(), 1251);
        assert_eq!(Energy { nano_kcal: 1_251_500_000_000 }.kcal(), 1252);
        assert_eq!(Energy { nano_kcal: -700_000_000 }.kcal(), 0);
        // 1251.5 kcal at rest: rounded first, the need would be 1721.5 kcal and more.
        assert_eq!(need(Equation::Mifflin1990, &Person { activity: Activity::Light, ..WOMAN }).kcal(), 1721);
    }

    #[test]
    fn without_a_sex_the_higher_of_the_two_counts() {
        for equation in EQUATIONS {
            for person in [MAN, WOMAN, Person { height_mm: 1_000, weight_g: 20_000, age_years: 90, ..WOMAN }] {
                let of = |sex| need(equation, &Person { sex, ..person });
                assert_eq!(of(None), of(Some(Sex::Male)).max(of(Some(Sex::Female))));
            }
        }
    }

    /// All equations, sexes and activities at some ages and heights.
    fn for_many(mut check: impl FnMut(Equation, Person)) {
        for equation in EQUATIONS {
            for sex in [None, Some(Sex::Male), Some(Sex::Female)] {
                for activity in ACTIVITIES {
                    for age_years in [14, 19, 30, 78, 126] {
                        for height_mm in [1_000, 1_337, 1_620, 2_500] {
                            check(equation, Person { sex, age_years, height_mm, weight_g: 20_000, activity });
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn more_weight_never_lowers_the_need() {
        for_many(|equation, person| {
            let mut before = Energy { nano_kcal: 0 };
            for weight_g in (20_000..=400_000).step_by(997) {
                let need = need(equation, &Person { weight_g, ..person });
                assert!(need > before, "{equation:?} {person:?} at {weight_g} g");
                assert!(need.kcal() >= before.kcal());
                before = need;
            }
        });
    }

    #[test]
    fn more_activity_never_lowers_the_need_and_no_need_is_under_rest() {
        for_many(|equation, person| {
            let needs = needs(equation, person);
            assert!(needs.is_sorted(), "{equation:?} {person:?}: {needs:?}");
            if equation != Equation::KdriEer {
                assert!(needs[0] > resting(equation, &person));
            }
        });
    }
}
