//! Energy from what a food is made of, by the general factors after Atwater, and whether a declared energy agrees with
//! them. How much energy a body needs is [`super::energy`]'s, how wrong a guess may be [`super::interval`]'s.
//!
//! The factors are those of Regulation (EU) 1169/2011, Annex XIV, which Korean labels share but for the fibre. Energies
//! are counted in tenths of a calorie (dcal, 10,000 to the kcal) and in joules: in these every factor is whole for
//! whole milligrams. Only what ends in `_kcal` or `_kj` is rounded, half up.

use lastbite_protocol::foods::Nutrients;

use super::rounding::half_up;

/// Tenths of a calorie in a kcal.
pub const DCAL_PER_KCAL: u64 = 10_000;

/// A declared energy may differ from the computed one by this share of itself and [`TOLERANCE_KCAL`] more.
const TOLERANCE_PERCENT: u64 = 30;
const TOLERANCE_KCAL: u64 = 5;
/// If neither energy is above this, they are not compared: there rounding and organic acids outweigh all else.
const UNCHECKED_KCAL_MOST: u64 = 13;

/// The most energy that a gram can hold is 9.5 kcal, or 19/20 of a kcal a decigram: pure fat has 9.
const DENSEST_KCAL: u64 = 19;
const DENSEST_DG: u64 = 20;

/// What gives energy, each part apart from the others, mg. `Default` is nothing of anything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Macros {
    /// Carbohydrate without fibre and polyols: 4 kcal or 17 kJ a gram.
    pub available_carbohydrate_mg: u32,
    /// 2.4 kcal or 10 kJ a gram.
    pub polyols_mg: u32,
    /// 4 kcal or 17 kJ a gram.
    pub protein_mg: u32,
    /// 9 kcal or 37 kJ a gram.
    pub fat_mg: u32,
    /// 7 kcal or 29 kJ a gram.
    pub alcohol_mg: u32,
    /// 3 kcal or 13 kJ a gram.
    pub organic_acids_mg: u32,
    /// 2 kcal or 8 kJ a gram.
    pub fibre_mg: u32,
}

impl Macros {
    /// Of a food whose carbohydrate counts the fibre, as [`Nutrients`] does: known fibre is taken out of it, unknown
    /// fibre stays in it. Unknown alcohol is none. `None` unless carbohydrate, protein and fat are known.
    #[must_use]
    pub fn of(nutrients: &Nutrients) -> Option<Self> {
        let fibre_mg = nutrients.fibre_mg.unwrap_or(0);
        Some(Self {
            available_carbohydrate_mg: nutrients.carbohydrate_mg?.saturating_sub(fibre_mg),
            protein_mg: nutrients.protein_mg?,
            fat_mg: nutrients.fat_mg?,
            alcohol_mg: nutrients.alcohol_mg.unwrap_or(0),
            fibre_mg,
            ..Self::default()
        })
    }

    /// In tenths of a calorie, exact.
    #[must_use]
    pub fn energy_dcal(&self) -> u64 {
        self.weighted([40, 24, 40, 90, 70, 30, 20])
    }

    /// In kcal, rounded half up.
    #[must_use]
    pub fn energy_kcal(&self) -> u32 {
        kcal(self.energy_dcal())
    }

    /// In joules, exact. By factors of its own: not quite 4.184 times the kcal.
    #[must_use]
    pub fn energy_j(&self) -> u64 {
        self.weighted([17, 10, 17, 37, 29, 13, 8])
    }

    /// In kJ, rounded half up.
    #[must_use]
    pub fn energy_kj(&self) -> u32 {
        half_up(self.energy_j().into(), 1000)
    }

    /// The parts in the order of the fields, each times its factor. Seven products of 32 and 7 bits do not fill 64.
    fn weighted(&self, factors: [u64; 7]) -> u64 {
        let parts = [
            self.available_carbohydrate_mg,
            self.polyols_mg,
            self.protein_mg,
            self.fat_mg,
            self.alcohol_mg,
            self.organic_acids_mg,
            self.fibre_mg,
        ];
        parts.into_iter().zip(factors).map(|(mg, factor)| u64::from(mg) * factor).sum()
    }
}

/// The energy that a food's macros make, kcal, rounded half up; see [`Macros::of`]. What the food declares is not
/// looked at.
#[must_use]
pub fn energy_kcal(nutrients: &Nutrients) -> Option<u32> {
    Macros::of(nutrients).map(|macros| macros.energy_kcal())
}

/// The declared energy, or without one that of the macros, in tenths of a calorie, exact.
#[must_use]
pub fn best_known_dcal(nutrients: &Nutrients) -> Option<u64> {
    match nutrients.energy_kcal {
        Some(declared_kcal) => Some(u64::from(declared_kcal) * DCAL_PER_KCAL),
        None => Macros::of(nutrients).map(|macros| macros.energy_dcal()),
    }
}

/// What to think of the numbers of a food.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plausibility {
    /// Nothing speaks against them, or too little is known.
    Fine,
    /// The energy does not agree with the macros: to be accepted with a warning. A food may hold what we do not ask
    /// for.
    Implausible {
        /// As told.
        declared_kcal: u32,
        /// From the macros, rounded half up.
        computed_kcal: u32,
    },
    /// No food is so: to be refused.
    Impossible(Contradiction),
}

/// Why no food is so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Contradiction {
    /// Of a part and its whole, the part is more.
    #[error("a food has no more sugars than carbohydrate")]
    SugarsOverCarbohydrate,
    #[error("a food has no more added sugars than sugars")]
    AddedSugarsOverSugars,
    #[error("a food has no more fibre than carbohydrate, which counts the fibre")]
    FibreOverCarbohydrate,
    #[error("a food has no more saturates than fat")]
    SaturatesOverFat,
    #[error("carbohydrate, protein, fat and alcohol are together heavier than the food")]
    HeavierThanFood,
    #[error("no food has more than 9.5 kcal a gram")]
    TooDense,
}

impl Contradiction {
    /// The stable name of the refusal.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::SugarsOverCarbohydrate => "sugars_over_carbohydrate",
            Self::AddedSugarsOverSugars => "added_sugars_over_sugars",
            Self::FibreOverCarbohydrate => "fibre_over_carbohydrate",
            Self::SaturatesOverFat => "saturates_over_fat",
            Self::HeavierThanFood => "heavier_than_food",
            Self::TooDense => "too_dense",
        }
    }
}

/// Whether such a food can be. `weight_dg` is the weight in which the nutrients are, 1,000 decigrams where they are
/// told for 100 g; what needs a weight is not looked at without one.
///
/// The declared energy is plausible when it is within 30 % of itself and 5 kcal of the exact energy of the macros. It
/// is of the *declared* one, as in the like rule of Open Food Facts: so a meal that is declared too low is
/// caught earlier than one that is too high. Not compared when neither is above 13 kcal; that the declared one alone is
/// low is no excuse, or every meal could be told with 13 kcal.
#[must_use]
pub fn plausibility(nutrients: &Nutrients, weight_dg: Option<u32>) -> Plausibility {
    if let Some(contradiction) = contradiction(nutrients, weight_dg) {
        return Plausibility::Impossible(contradiction);
    }
    let (Some(declared_kcal), Some(macros)) = (nutrients.energy_kcal, Macros::of(nutrients)) else {
        return Plausibility::Fine;
    };
    let declared_dcal = u64::from(declared_kcal) * DCAL_PER_KCAL;
    let computed_dcal = macros.energy_dcal();
    let tolerance_dcal = declared_dcal * TOLERANCE_PERCENT / 100 + TOLERANCE_KCAL * DCAL_PER_KCAL;
    let is_checked = declared_dcal.max(computed_dcal) > UNCHECKED_KCAL_MOST * DCAL_PER_KCAL;
    if is_checked && declared_dcal.abs_diff(computed_dcal) > tolerance_dcal {
        return Plausibility::Implausible { declared_kcal, computed_kcal: kcal(computed_dcal) };
    }
    Plausibility::Fine
}

/// The first contradiction, parts and wholes before weights.
fn contradiction(food: &Nutrients, weight_dg: Option<u32>) -> Option<Contradiction> {
    let parts = [
        (food.sugars_mg, food.carbohydrate_mg, Contradiction::SugarsOverCarbohydrate),
        (food.added_sugars_mg, food.sugars_mg, Contradiction::AddedSugarsOverSugars),
        (food.fibre_mg, food.carbohydrate_mg, Contradiction::FibreOverCarbohydrate),
        (food.saturates_mg, food.fat_mg, Contradiction::SaturatesOverFat),
    ];
    for (part, whole, contradiction) in parts {
        if part.zip(whole).is_some_and(|(part, whole)| part > whole) {
            return Some(contradiction);
        }
    }
    let weight_dg = u64::from(weight_dg?);
    if least_macros_mg(food) > weight_dg * 100 {
        return Some(Contradiction::HeavierThanFood);
    }
    let is_too_dense = |kcal| u64::from(kcal) * DENSEST_DG > weight_dg * DENSEST_KCAL;
    food.energy_kcal.is_some_and(is_too_dense).then_some(Contradiction::TooDense)
}

/// What the macros weigh at least, mg: an unknown whole is as much as its known parts, an unknown part nothing.
fn least_macros_mg(food: &Nutrients) -> u64 {
    let mg = |amount: Option<u32>| u64::from(amount.unwrap_or(0));
    let carbohydrate_mg = food.carbohydrate_mg.map_or(mg(food.sugars_mg) + mg(food.fibre_mg), u64::from);
    let fat_mg = mg(food.fat_mg.or(food.saturates_mg));
    carbohydrate_mg + mg(food.protein_mg) + fat_mg + mg(food.alcohol_mg)
}

fn kcal(dcal: u64) -> u32 {
    half_up(dcal.into(), DCAL_PER_KCAL.into())
}

#[cfg(test)]
mod tests;
