//! What Nutri-Score looks at, in 100 g of something, as fractions that are never divided: all numerators are for the
//! same weight, and a threshold is multiplied with that weight instead. What the fractions are worth in points is
//! [`super::points`]'s.

use lastbite_protocol::foods::FoodCategory;

use crate::nutrition::portion::{Plate, Sum};

/// A tenth of a calorie in microjoules, as 1 kcal is 4.184 kJ.
const UJ_PER_DCAL: u128 = 418_400;
const UJ_PER_KJ: u128 = 1_000_000_000;

/// Something of a category, and what is in 100 g of it (of drinks, in 100 ml).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample {
    pub(super) category: FoodCategory,
    /// `None` where nobody knows.
    pub(super) has_sweetener: Option<bool>,
    /// The denominator of all amounts below: an amount over it is the amount in 100 g. Not 0 when any is known.
    pub(super) weight_dg: u128,
    pub(super) energy_uj: Option<u128>,
    pub(super) sugars_mg: Option<u128>,
    pub(super) fat_mg: Option<u128>,
    pub(super) saturates_mg: Option<u128>,
    pub(super) protein_mg: Option<u128>,
    /// These three are what is known of them.
    pub(super) sodium_mg: u128,
    pub(super) fibre_mg: u128,
    pub(super) fruit_veg_legume_permille: u128,
    /// Whether the three are known of all of it.
    pub(super) is_complete: bool,
}

impl Sample {
    /// Of a mixed plate. Its energy is told in kcal and becomes kJ with exactly 4.184.
    #[must_use]
    pub fn of(plate: &Plate, category: FoodCategory, has_sweetener: Option<bool>) -> Self {
        let optional = [plate.sodium_mg(), plate.fibre_mg(), plate.fruit_veg_legume_permille()];
        let [sodium_mg, fibre_mg, fruit_veg_legume_permille] = optional.map(Sum::at_least);
        Self {
            category,
            has_sweetener,
            weight_dg: plate.grams_dg().into(),
            energy_uj: plate.energy_dcal().known().map(|dcal| dcal * UJ_PER_DCAL),
            sugars_mg: plate.sugars_mg().known(),
            fat_mg: plate.fat_mg().known(),
            saturates_mg: plate.saturates_mg().known(),
            protein_mg: plate.protein_mg().known(),
            sodium_mg,
            fibre_mg,
            fruit_veg_legume_permille,
            is_complete: optional.into_iter().all(Sum::is_complete),
        }
    }

    /// The same with this energy in 100 g, kJ, as a label says it that has it in both units.
    #[must_use]
    pub fn with_energy_kj(self, energy_kj: u32) -> Self {
        Self { energy_uj: Some(u128::from(energy_kj) * UJ_PER_KJ * self.weight_dg), ..self }
    }

    /// What it is looked up as.
    #[must_use]
    pub const fn category(&self) -> FoodCategory {
        self.category
    }

    /// Whether it is known to have a sweetener without energy.
    #[must_use]
    pub const fn has_sweetener(&self) -> bool {
        matches!(self.has_sweetener, Some(true))
    }

    /// Whether something counts as nothing only because it is not known; see [`super::Scored::estimated`].
    #[must_use]
    pub const fn is_estimated(&self) -> bool {
        let lacks_sweetener = matches!(self.category, FoodCategory::Beverage) && self.has_sweetener.is_none();
        !self.is_complete || lacks_sweetener
    }
}
