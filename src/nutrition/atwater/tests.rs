//! What the factors give, and which numbers are believed.

use proptest::prelude::*;

use super::*;

fn grams(carbohydrate: u32, protein: u32, fat: u32) -> Nutrients {
    Nutrients {
        carbohydrate_mg: Some(carbohydrate * 1000),
        protein_mg: Some(protein * 1000),
        fat_mg: Some(fat * 1000),
        ..Nutrients::default()
    }
}

fn declaring(energy_kcal: u32, food: Nutrients) -> Nutrients {
    Nutrients { energy_kcal: Some(energy_kcal), ..food }
}

#[test]
fn the_published_sum() {
    let macros = Macros {
        available_carbohydrate_mg: 60_000,
        protein_mg: 20_000,
        fat_mg: 10_000,
        fibre_mg: 8_000,
        alcohol_mg: 5_000,
        ..Macros::default()
    };
    assert_eq!(macros.energy_kcal(), 461);
    // 1020 + 340 + 370 + 64 + 145.
    assert_eq!(macros.energy_kj(), 1939);
    // The same food with a carbohydrate that counts its fibre.
    let labelled = Nutrients { fibre_mg: Some(8_000), alcohol_mg: Some(5_000), ..grams(68, 20, 10) };
    assert_eq!(Macros::of(&labelled), Some(macros));
    assert_eq!(energy_kcal(&labelled), Some(461));
}

#[test]
fn a_gram_of_each() {
    let of = |change: fn(&mut Macros)| {
        let mut macros = Macros::default();
        change(&mut macros);
        (macros.energy_dcal(), macros.energy_j())
    };
    assert_eq!(of(|food| food.available_carbohydrate_mg = 1000), (40_000, 17_000));
    assert_eq!(of(|food| food.polyols_mg = 1000), (24_000, 10_000));
    assert_eq!(of(|food| food.protein_mg = 1000), (40_000, 17_000));
    assert_eq!(of(|food| food.fat_mg = 1000), (90_000, 37_000));
    assert_eq!(of(|food| food.alcohol_mg = 1000), (70_000, 29_000));
    assert_eq!(of(|food| food.organic_acids_mg = 1000), (30_000, 13_000));
    assert_eq!(of(|food| food.fibre_mg = 1000), (20_000, 8_000));
    assert_eq!(of(|_| ()), (0, 0));
}

#[test]
fn energies_are_rounded_half_up_and_once() {
    let fat = |fat_mg| Macros { fat_mg, available_carbohydrate_mg: 1, ..Macros::default() };
    // 0.499, 0.508 and 1.498 kcal.
    assert_eq!([55, 56, 166].map(|mg| fat(mg).energy_kcal()), [0, 1, 1]);
    let half = Macros { available_carbohydrate_mg: 125, ..Macros::default() };
    assert_eq!(half.energy_kcal(), 1);
    // 0.493 and 0.51 kJ.
    assert_eq!([29, 30].map(|protein_mg| Macros { protein_mg, ..Macros::default() }.energy_kj()), [0, 1]);
}

#[test]
fn without_one_of_the_three_nothing_is_computed() {
    let whole = grams(10, 10, 10);
    assert_eq!(energy_kcal(&whole), Some(170));
    assert_eq!(energy_kcal(&Nutrients { carbohydrate_mg: None, ..whole }), None);
    assert_eq!(energy_kcal(&Nutrients { protein_mg: None, ..whole }), None);
    assert_eq!(energy_kcal(&Nutrients { fat_mg: None, ..whole }), None);
    assert_eq!(energy_kcal(&Nutrients::default()), None);
}

#[test]
fn a_declared_energy_goes_before_a_computed_one() {
    let food = grams(10, 10, 10);
    assert_eq!(best_known_dcal(&food), Some(1_700_000));
    assert_eq!(best_known_dcal(&declaring(180, food)), Some(1_800_000));
    assert_eq!(best_known_dcal(&declaring(7, Nutrients::default())), Some(70_000));
    assert_eq!(best_known_dcal(&Nutrients::default()), None);
}

#[test]
fn thirty_percent_of_the_declared_and_five_kcal_are_allowed() {
    let judged = |declared_kcal, food| plausibility(&declaring(declared_kcal, food), None);
    let implausible = |declared_kcal, computed_kcal| Plausibility::Implausible { declared_kcal, computed_kcal };
    // Computed 400: below, 400 - d <= 0.3 d + 5 from 303.8 on; above, d - 400 <= 0.3 d + 5 up to 578.57.
    let food = grams(100, 0, 0);
    assert_eq!(judged(303, food), implausible(303, 400));
    assert_eq!(judged(304, food), Plausibility::Fine);
    assert_eq!(judged(400, food), Plausibility::Fine);
    assert_eq!(judged(578, food), Plausibility::Fine);
    assert_eq!(judged(579, food), implausible(579, 400));
    // Computed 135: with 100 declared it is exactly 35 off.
    let food = grams(0, 0, 15);
    assert_eq!(judged(100, food), Plausibility::Fine);
    let a_milligram_more = Nutrients { fat_mg: Some(15_001), ..food };
    assert_eq!(judged(100, a_milligram_more), implausible(100, 135));
}

#[test]
fn tiny_energies_are_not_compared_but_a_tiny_lie_is() {
    // 13 and 12 kcal off, which is more than the tolerance.
    assert_eq!(plausibility(&declaring(13, grams(0, 0, 0)), None), Plausibility::Fine);
    let fourteen = Plausibility::Implausible { declared_kcal: 14, computed_kcal: 0 };
    assert_eq!(plausibility(&declaring(14, grams(0, 0, 0)), None), fourteen);
    assert_eq!(plausibility(&declaring(0, grams(3, 0, 0)), None), Plausibility::Fine);
    let lie = Plausibility::Implausible { declared_kcal: 13, computed_kcal: 400 };
    assert_eq!(plausibility(&declaring(13, grams(100, 0, 0)), None), lie);
}

#[test]
fn too_little_known_is_fine() {
    assert_eq!(plausibility(&Nutrients::default(), Some(1000)), Plausibility::Fine);
    assert_eq!(plausibility(&grams(60, 10, 10), Some(1000)), Plausibility::Fine);
    let without_fat = Nutrients { fat_mg: None, ..declaring(900, grams(1, 1, 0)) };
    assert_eq!(plausibility(&without_fat, Some(1000)), Plausibility::Fine);
}

#[test]
fn a_part_is_not_more_than_its_whole() {
    let whole = grams(10, 10, 10);
    let judged = |food: Nutrients| plausibility(&food, None);
    let more = Some(10_001);
    let equal = Some(10_000);
    let refused = Plausibility::Impossible;
    assert_eq!(judged(Nutrients { sugars_mg: more, ..whole }), refused(Contradiction::SugarsOverCarbohydrate));
    assert_eq!(judged(Nutrients { fibre_mg: more, ..whole }), refused(Contradiction::FibreOverCarbohydrate));
    assert_eq!(judged(Nutrients { saturates_mg: more, ..whole }), refused(Contradiction::SaturatesOverFat));
    let added = Nutrients { sugars_mg: equal, added_sugars_mg: more, ..whole };
    assert_eq!(judged(added), refused(Contradiction::AddedSugarsOverSugars));
    for food in [
        Nutrients { sugars_mg: equal, added_sugars_mg: equal, ..whole },
        Nutrients { fibre_mg: equal, ..whole },
        Nutrients { saturates_mg: equal, ..whole },
        Nutrients { saturates_mg: more, fat_mg: None, ..whole },
    ] {
        assert_eq!(judged(food), Plausibility::Fine);
    }
}

#[test]
fn macros_are_not_heavier_than_the_food() {
    let heavier = Plausibility::Impossible(Contradiction::HeavierThanFood);
    assert_eq!(plausibility(&grams(60, 20, 20), Some(1000)), Plausibility::Fine);
    assert_eq!(plausibility(&grams(60, 20, 20), Some(999)), heavier);
    assert_eq!(plausibility(&grams(60, 20, 20), None), Plausibility::Fine);
    let with_alcohol = Nutrients { alcohol_mg: Some(1), ..grams(60, 20, 20) };
    assert_eq!(plausibility(&with_alcohol, Some(1000)), heavier);
    // Sugars and fibre without a carbohydrate are at least themselves; within one they are not counted twice.
    let parts = Nutrients { sugars_mg: Some(60_000), fibre_mg: Some(40_001), ..Nutrients::default() };
    assert_eq!(plausibility(&parts, Some(1000)), heavier);
    let within = Nutrients { sugars_mg: Some(60_000), ..grams(60, 20, 20) };
    assert_eq!(plausibility(&within, Some(1000)), Plausibility::Fine);
    let saturates = Nutrients { saturates_mg: Some(100_001), ..Nutrients::default() };
    assert_eq!(plausibility(&saturates, Some(1000)), heavier);
}

#[test]
fn no_food_is_denser_than_nine_and_a_half() {
    let judged = |kcal, weight_dg| plausibility(&declaring(kcal, Nutrients::default()), weight_dg);
    let dense = Plausibility::Impossible(Contradiction::TooDense);
    assert_eq!(judged(950, Some(1000)), Plausibility::Fine);
    assert_eq!(judged(951, Some(1000)), dense);
    assert_eq!(judged(10, Some(11)), Plausibility::Fine);
    assert_eq!(judged(10, Some(10)), dense);
    assert_eq!(judged(1, Some(0)), dense);
    assert_eq!(judged(0, Some(0)), Plausibility::Fine);
    assert_eq!(judged(951, None), Plausibility::Fine);
}

#[test]
fn a_contradiction_has_a_name() {
    assert_eq!(Contradiction::TooDense.code(), "too_dense");
    assert_eq!(Contradiction::TooDense.to_string(), "no food has more than 9.5 kcal a gram");
}

fn any_macros() -> impl Strategy<Value = Macros> {
    any::<[u32; 7]>().prop_map(|[carbohydrate, polyols, protein, fat, alcohol, acids, fibre]| Macros {
        available_carbohydrate_mg: carbohydrate,
        polyols_mg: polyols,
        protein_mg: protein,
        fat_mg: fat,
        alcohol_mg: alcohol,
        organic_acids_mg: acids,
        fibre_mg: fibre,
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_macros_overflow_or_have_more_than_nine_kcal_a_gram(macros in any_macros()) {
        let mg = u64::from(macros.available_carbohydrate_mg) + u64::from(macros.polyols_mg)
            + u64::from(macros.protein_mg) + u64::from(macros.fat_mg) + u64::from(macros.alcohol_mg)
            + u64::from(macros.organic_acids_mg) + u64::from(macros.fibre_mg);
        prop_assert!((20 * mg..=90 * mg).contains(&macros.energy_dcal()));
        // A kJ is between 3.9 and 4.4 to the kcal, for each factor and so for all sums.
        let (dcal, j) = (u128::from(macros.energy_dcal()), u128::from(macros.energy_j()));
        prop_assert!(j * 10_000 >= dcal * 3_900 && j * 10_000 <= dcal * 4_400);
    }

    #[test]
    fn fibre_only_lowers_the_energy(carbohydrate in 0_u32..200_000, fibre in 0_u32..200_000, rest in 0_u32..100) {
        let food = Nutrients { carbohydrate_mg: Some(carbohydrate.max(fibre)), ..grams(0, rest, rest) };
        let with_fibre = Nutrients { fibre_mg: Some(fibre), ..food };
        prop_assert!(energy_kcal(&with_fibre) <= energy_kcal(&food));
    }

    #[test]
    fn what_was_computed_is_plausible(carbohydrate in 0_u32..40, protein in 0_u32..30, fat in 0_u32..30) {
        let food = grams(carbohydrate, protein, fat);
        let declared = Nutrients { energy_kcal: energy_kcal(&food), ..food };
        prop_assert_eq!(plausibility(&declared, Some(1000)), Plausibility::Fine);
    }
}
