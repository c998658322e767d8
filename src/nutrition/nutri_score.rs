//! Nutri-Score by the algorithm of 2023, of a food or of a meal. It is a score of 100 g of a thing: how much of it
//! somebody ate does not matter, and no day or person is judged here.
//!
//! - [`sample`]: what is in 100 g, as exact fractions
//! - [`points`]: the tables, and the points that a sample has by them
//!
//! Source: the updated algorithm for foods (2022) and drinks (2023) of the Nutri-Score's scientific committee, with the
//! rules of use that Santé publique France publishes. A gram of a drink counts as a millilitre. Drinks with more than
//! 1.2 % alcohol are outside of Nutri-Score; they are not told apart here.

use lastbite_protocol::foods::{FoodCategory, Grade, Nutrients};

use super::portion::{Plate, Portion};

pub use of_day::of_day;
pub use points::Points;
pub use sample::Sample;

mod of_day;
pub mod points;
pub mod sample;

/// A grade, and where it comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scored {
    /// [`Grade::Unknown`] when energy, sugars, saturates or protein are not known (of fats: fat in place of energy). A
    /// label has to say these, so they are not guessed.
    pub grade: Grade,
    /// Negative less positive points. Water has none, and neither has what is not known.
    pub score: Option<i32>,
    /// Whether fibre, the share of fruit, vegetables and legumes, or sodium were not known of all of it, or of a drink
    /// whether it has a sweetener. They count as nothing where they are unknown, which flatters when it is the sodium
    /// or the sweetener. Never set on what has no score.
    pub estimated: bool,
}

impl Scored {
    const UNKNOWN: Self = Self { grade: Grade::Unknown, score: None, estimated: false };
    const WATER: Self = Self { grade: Grade::A, score: None, estimated: false };
}

/// The grade of a meal: of 100 g of all its foods mixed. Drinks are left out beside solid food, and plain water is left
/// out beside other drinks, or a glass of it would make a lemonade better. What weighs nothing is not there; a meal of
/// nothing is unknown.
#[must_use]
pub fn of_meal(portions: &[Portion]) -> Scored {
    let graded = graded(portions);
    heaviest(&graded).map_or(Scored::UNKNOWN, |category| {
        let sample = Sample::of(&Plate::of(&graded), category, sweetener(&graded));
        of_sample(&sample)
    })
}

/// The grade of one food, told for 100 g; see [`Portion`] for the arguments.
#[must_use]
pub fn of_food(
    per_100g: &Nutrients,
    category: FoodCategory,
    fruit_veg_legume_permille: Option<u16>,
    has_sweetener: Option<bool>,
) -> Scored {
    let per_100g = *per_100g;
    of_meal(&[Portion { per_100g, grams_dg: 1000, category, fruit_veg_legume_permille, has_sweetener }])
}

/// The grade of a sample.
#[must_use]
pub fn of_sample(sample: &Sample) -> Scored {
    if sample.category() == FoodCategory::Water {
        return Scored::WATER;
    }
    Points::of(sample).map_or(Scored::UNKNOWN, |points| {
        let score = points.score();
        Scored { grade: grade(sample.category(), score), score: Some(score), estimated: sample.is_estimated() }
    })
}

/// The colour of a score. Of drinks only water is dark green.
const fn grade(category: FoodCategory, score: i32) -> Grade {
    match category {
        FoodCategory::Water => Grade::A,
        FoodCategory::Beverage => match score {
            ..=2 => Grade::B,
            3..=6 => Grade::C,
            7..=9 => Grade::D,
            10.. => Grade::E,
        },
        FoodCategory::Fat => match score {
            ..=-6 => Grade::A,
            -5..=2 => Grade::B,
            3..=10 => Grade::C,
            11..=18 => Grade::D,
            19.. => Grade::E,
        },
        FoodCategory::General | FoodCategory::RedMeat | FoodCategory::Cheese => match score {
            ..=0 => Grade::A,
            1..=2 => Grade::B,
            3..=10 => Grade::C,
            11..=18 => Grade::D,
            19.. => Grade::E,
        },
    }
}

/// What of a meal is graded: the solid foods, else the drinks, else the water.
fn graded(portions: &[Portion]) -> Vec<Portion> {
    let there = portions.iter().filter(|portion| portion.grams_dg > 0);
    let first = there.clone().map(|portion| turn(portion.category)).min();
    there.filter(|portion| Some(turn(portion.category)) == first).copied().collect()
}

const fn turn(category: FoodCategory) -> u8 {
    match category {
        FoodCategory::General | FoodCategory::RedMeat | FoodCategory::Cheese | FoodCategory::Fat => 0,
        FoodCategory::Beverage => 1,
        FoodCategory::Water => 2,
    }
}

/// The category that most of the weight has. Of equals the one that stands last here, so that the order of a meal's
/// foods does not decide.
fn heaviest(portions: &[Portion]) -> Option<FoodCategory> {
    let weight_dg = |category: &FoodCategory| {
        let of_it = portions.iter().filter(|portion| portion.category == *category);
        of_it.map(|portion| u64::from(portion.grams_dg)).sum::<u64>()
    };
    let categories = [
        FoodCategory::Water,
        FoodCategory::Beverage,
        FoodCategory::Fat,
        FoodCategory::Cheese,
        FoodCategory::RedMeat,
        FoodCategory::General,
    ];
    categories.into_iter().filter(|category| weight_dg(category) > 0).max_by_key(weight_dg)
}

/// Whether there is a sweetener in any of it: one that is known of is enough.
fn sweetener(portions: &[Portion]) -> Option<bool> {
    let has = |answer| portions.iter().any(|portion| portion.has_sweetener == answer);
    if has(Some(true)) {
        Some(true)
    } else if has(None) {
        None
    } else {
        Some(false)
    }
}

#[cfg(test)]
mod boundaries;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
