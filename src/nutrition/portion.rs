//! So much of a food, and what several of them hold together. Where foods come from, and what their numbers are worth,
//! is not known here; how good a plate is says [`super::nutri_score`].
//!
//! Sums are exact: an amount in 100 g times a weight in decigrams, which is a thousandth of the amount in the portion.
//! It is divided by 1,000 once, at the end. They are held in 128 bits, so that even portions that [`check`] would
//! refuse do not overflow.

use lastbite_protocol::foods::{FoodCategory, Nutrients};

use super::{
    atwater::{self, DCAL_PER_KCAL},
    rounding::half_up,
};

/// A meal has no more foods.
pub const PORTIONS_MOST: usize = 50;
/// A meal has no more of one food: 5 kg, in decigrams.
pub const PORTION_DG_MOST: u32 = 50_000;

/// The decigrams in the 100 g for which a food's nutrients are told.
const DG_PER_100G: u128 = 1000;

/// So much of a food.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Portion {
    /// What is in 100 g of the food.
    pub per_100g: Nutrients,
    /// How much there is of it, in decigrams.
    pub grams_dg: u32,
    /// How Nutri-Score looks at the food.
    pub category: FoodCategory,
    /// The share of fruit, vegetables and legumes in the food's weight, permille; more than 1,000 counts as 1,000.
    pub fruit_veg_legume_permille: Option<u16>,
    /// Whether a sweetener without energy is in it.
    pub has_sweetener: Option<bool>,
}

/// Portions that nobody eats: the user's doing, never a failure of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Impossible {
    /// More than [`PORTIONS_MOST`].
    #[error("a meal has at most {PORTIONS_MOST} foods")]
    TooMany,
    /// One that weighs nothing.
    #[error("food {} of the meal weighs nothing", index + 1)]
    Weightless { index: usize },
    /// One of more than [`PORTION_DG_MOST`].
    #[error("food {} of the meal weighs more than 5 kg", index + 1)]
    TooHeavy { index: usize },
}

impl Impossible {
    /// The stable name of the refusal.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::TooMany => "too_many_foods",
            Self::Weightless { .. } => "portion_weightless",
            Self::TooHeavy { .. } => "portion_too_heavy",
        }
    }
}

/// Refuses portions that nobody eats. None at all is no fault.
///
/// # Errors
/// The first [`Impossible`]; its index counts from 0, its words from 1.
pub fn check(portions: &[Portion]) -> Result<(), Impossible> {
    if portions.len() > PORTIONS_MOST {
        return Err(Impossible::TooMany);
    }
    for (index, portion) in portions.iter().enumerate() {
        match portion.grams_dg {
            0 => return Err(Impossible::Weightless { index }),
            1..=PORTION_DG_MOST => {}
            _ => return Err(Impossible::TooHeavy { index }),
        }
    }
    Ok(())
}

/// The sum of one amount over portions, exact, and over how much of them it is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sum {
    scaled: u128,
    known_dg: u64,
    unknown_dg: u64,
}

impl Sum {
    fn of(portions: &[Portion], amount: impl Fn(&Portion) -> Option<u64>) -> Self {
        let mut sum = Self::default();
        for portion in portions {
            let grams_dg = u64::from(portion.grams_dg);
            match amount(portion) {
                Some(amount) => {
                    sum.scaled += u128::from(amount) * u128::from(grams_dg);
                    sum.known_dg += grams_dg;
                }
                None => sum.unknown_dg += grams_dg,
            }
        }
        sum
    }

    /// The sum of the amounts in 100 g times the decigrams, if there is something and all of it is known.
    #[must_use]
    pub const fn known(self) -> Option<u128> {
        if self.is_complete() { Some(self.scaled) } else { None }
    }

    /// The same where what is not known counts as nothing.
    #[must_use]
    pub const fn at_least(self) -> u128 {
        self.scaled
    }

    /// Whether there is something, and the amount is known of all of it.
    #[must_use]
    pub const fn is_complete(self) -> bool {
        self.unknown_dg == 0 && self.known_dg > 0
    }

    /// Of how much of the weight the amount is known, permille, rounded half up; 0 of nothing.
    #[must_use]
    pub fn coverage_permille(self) -> u32 {
        let all_dg = u128::from(self.known_dg) + u128::from(self.unknown_dg);
        half_up(u128::from(self.known_dg) * 1000, all_dg.max(1))
    }
}

/// What portions hold together. In which order they were told does not matter, nor whether one was told as two.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Plate {
    grams_dg: u64,
    energy_dcal: Sum,
    carbohydrate_mg: Sum,
    sugars_mg: Sum,
    added_sugars_mg: Sum,
    fibre_mg: Sum,
    protein_mg: Sum,
    fat_mg: Sum,
    saturates_mg: Sum,
    alcohol_mg: Sum,
    sodium_mg: Sum,
    potassium_mg: Sum,
    calcium_mg: Sum,
    magnesium_mg: Sum,
    iron_ug: Sum,
    vitamin_a_ug: Sum,
    vitamin_c_ug: Sum,
    vitamin_e_ug: Sum,
    fruit_veg_legume_permille: Sum,
}

impl Plate {
    /// The sum of portions. The energy of one that declares none is that of its macros, see
    /// [`atwater::best_known_dcal`].
    #[must_use]
    pub fn of(portions: &[Portion]) -> Self {
        let sum = |amount: fn(&Nutrients) -> Option<u32>| {
            Sum::of(portions, |portion| amount(&portion.per_100g).map(u64::from))
        };
        Self {
            grams_dg: portions.iter().map(|portion| u64::from(portion.grams_dg)).sum(),
            energy_dcal: Sum::of(portions, |portion| atwater::best_known_dcal(&portion.per_100g)),
            carbohydrate_mg: sum(|food| food.carbohydrate_mg),
            sugars_mg: sum(|food| food.sugars_mg),
            added_sugars_mg: sum(|food| food.added_sugars_mg),
            fibre_mg: sum(|food| food.fibre_mg),
            protein_mg: sum(|food| food.protein_mg),
            fat_mg: sum(|food| food.fat_mg),
            saturates_mg: sum(|food| food.saturates_mg),
            alcohol_mg: sum(|food| food.alcohol_mg),
            sodium_mg: sum(|food| food.sodium_mg),
            potassium_mg: sum(|food| food.potassium_mg),
            calcium_mg: sum(|food| food.calcium_mg),
            magnesium_mg: sum(|food| food.magnesium_mg),
            iron_ug: sum(|food| food.iron_ug),
            vitamin_a_ug: sum(|food| food.vitamin_a_ug),
            vitamin_c_ug: sum(|food| food.vitamin_c_ug),
            vitamin_e_ug: sum(|food| food.vitamin_e_ug),
            fruit_veg_legume_permille: Sum::of(portions, |portion| {
                portion.fruit_veg_legume_permille.map(|permille| u64::from(permille.min(1000)))
            }),
        }
    }

    /// What is on the whole plate, each amount rounded once, half up. An amount is known only if every portion that
    /// weighs something knows it; on an empty plate nothing is known.
    #[must_use]
    pub fn nutrients(&self) -> Nutrients {
        let whole = |sum: Sum| Some(half_up(sum.known()?, DG_PER_100G));
        let energy_kcal = |scaled| half_up(scaled, DG_PER_100G * u128::from(DCAL_PER_KCAL));
        Nutrients {
            energy_kcal: self.energy_dcal.known().map(energy_kcal),
            carbohydrate_mg: whole(self.carbohydrate_mg),
            sugars_mg: whole(self.sugars_mg),
            added_sugars_mg: whole(self.added_sugars_mg),
            fibre_mg: whole(self.fibre_mg),
            protein_mg: whole(self.protein_mg),
            fat_mg: whole(self.fat_mg),
            saturates_mg: whole(self.saturates_mg),
            alcohol_mg: whole(self.alcohol_mg),
            sodium_mg: whole(self.sodium_mg),
            potassium_mg: whole(self.potassium_mg),
            calcium_mg: whole(self.calcium_mg),
            magnesium_mg: whole(self.magnesium_mg),
            iron_ug: whole(self.iron_ug),
            vitamin_a_ug: whole(self.vitamin_a_ug),
            vitamin_c_ug: whole(self.vitamin_c_ug),
            vitamin_e_ug: whole(self.vitamin_e_ug),
        }
    }

    /// The weight of all portions, in decigrams.
    #[must_use]
    pub const fn grams_dg(&self) -> u64 {
        self.grams_dg
    }

    /// Energy, in tenths of a calorie.
    #[must_use]
    pub const fn energy_dcal(&self) -> Sum {
        self.energy_dcal
    }

    /// All sugars, mg.
    #[must_use]
    pub const fn sugars_mg(&self) -> Sum {
        self.sugars_mg
    }

    /// Fibre, mg.
    #[must_use]
    pub const fn fibre_mg(&self) -> Sum {
        self.fibre_mg
    }

    /// Protein, mg.
    #[must_use]
    pub const fn protein_mg(&self) -> Sum {
        self.protein_mg
    }

    /// Fat, mg.
    #[must_use]
    pub const fn fat_mg(&self) -> Sum {
        self.fat_mg
    }

    /// Saturated fatty acids, mg.
    #[must_use]
    pub const fn saturates_mg(&self) -> Sum {
        self.saturates_mg
    }

    /// Sodium, mg.
    #[must_use]
    pub const fn sodium_mg(&self) -> Sum {
        self.sodium_mg
    }

    /// The share of fruit, vegetables and legumes, permille of each portion's weight.
    #[must_use]
    pub const fn fruit_veg_legume_permille(&self) -> Sum {
        self.fruit_veg_legume_permille
    }
}

#[cfg(test)]
pub(in crate::nutrition) mod samples;
#[cfg(test)]
mod tests;
