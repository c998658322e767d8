//! Portions for tests: any that [`super::check`] lets pass, with numbers as foods have them and anything unknown.

use proptest::{option, prelude::*, sample::select};

use super::*;

pub(in crate::nutrition) const CATEGORIES: [FoodCategory; 6] = [
    FoodCategory::General,
    FoodCategory::RedMeat,
    FoodCategory::Cheese,
    FoodCategory::Fat,
    FoodCategory::Beverage,
    FoodCategory::Water,
];

/// Known three times in four.
fn known(most: u32) -> impl Strategy<Value = Option<u32>> {
    (0..4_u8, 0..=most).prop_map(|(dice, amount)| (dice > 0).then_some(amount))
}

pub(in crate::nutrition) fn any_nutrients() -> impl Strategy<Value = Nutrients> {
    let energetic = (known(900), known(100_000), known(100_000), known(30_000), known(40_000));
    let others = (known(100_000), known(60_000), known(50_000), known(40_000), known(5_000));
    let minerals = (known(5_000), known(2_000), known(800), known(30_000));
    let vitamins = (known(3_000), known(200_000), known(60_000));
    (energetic, others, minerals, vitamins).prop_map(|(energetic, others, minerals, vitamins)| Nutrients {
        energy_kcal: energetic.0,
        carbohydrate_mg: energetic.1,
        sugars_mg: energetic.2,
        added_sugars_mg: energetic.3,
        fibre_mg: energetic.4,
        fat_mg: others.0,
        saturates_mg: others.1,
        protein_mg: others.2,
        alcohol_mg: others.3,
        sodium_mg: others.4,
        potassium_mg: minerals.0,
        calcium_mg: minerals.1,
        magnesium_mg: minerals.2,
        iron_ug: minerals.3,
        vitamin_a_ug: vitamins.0,
        vitamin_c_ug: vitamins.1,
        vitamin_e_ug: vitamins.2,
    })
}

pub(in crate::nutrition) fn any_portion() -> impl Strategy<Value = Portion> {
    let rest = (1..=PORTION_DG_MOST, select(&CATEGORIES[..]), option::of(0..=1000_u16), option::of(any::<bool>()));
    (any_nutrients(), rest).prop_map(|(per_100g, (grams_dg, category, fruit_veg_legume_permille, has_sweetener))| {
        Portion { per_100g, grams_dg, category, fruit_veg_legume_permille, has_sweetener }
    })
}

/// As [`any_portion`], with all known that a grade needs.
pub(in crate::nutrition) fn well_known_portion() -> impl Strategy<Value = Portion> {
    let amounts = (0..=900_u32, 0..=60_000_u32, 0..=30_000_u32, 0..=100_000_u32, 0..=30_000_u32);
    (any_portion(), amounts, 0..=10_000_u32, 0..=2_500_u32).prop_map(|(portion, amounts, fibre_mg, sodium_mg)| {
        let per_100g = Nutrients {
            energy_kcal: Some(amounts.0),
            sugars_mg: Some(amounts.1),
            saturates_mg: Some(amounts.2),
            fat_mg: Some(amounts.3.max(amounts.2)),
            protein_mg: Some(amounts.4),
            fibre_mg: Some(fibre_mg),
            sodium_mg: Some(sodium_mg),
            ..portion.per_100g
        };
        let fruit_veg_legume_permille = portion.fruit_veg_legume_permille.or(Some(0));
        let has_sweetener = portion.has_sweetener.or(Some(false));
        Portion { per_100g, fruit_veg_legume_permille, has_sweetener, ..portion }
    })
}
