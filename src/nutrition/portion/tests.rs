//! What is on a plate, and which plates are refused.

use proptest::{collection::vec, prelude::*};

use super::{samples::any_portion, *};

fn portion(grams_dg: u32, per_100g: Nutrients) -> Portion {
    let category = FoodCategory::General;
    Portion { per_100g, grams_dg, category, fruit_veg_legume_permille: None, has_sweetener: None }
}

fn sugars(sugars_mg: u32) -> Nutrients {
    Nutrients { sugars_mg: Some(sugars_mg), ..Nutrients::default() }
}

#[test]
fn a_plate_is_the_sum_of_its_portions() {
    let rice = Nutrients {
        energy_kcal: Some(146),
        carbohydrate_mg: Some(33_200),
        protein_mg: Some(2_700),
        iron_ug: Some(250),
        ..Nutrients::default()
    };
    let egg = Nutrients {
        energy_kcal: Some(145),
        carbohydrate_mg: Some(2_600),
        protein_mg: Some(12_400),
        vitamin_a_ug: Some(136),
        ..Nutrients::default()
    };
    let plate = Plate::of(&[portion(2_100, rice), portion(555, egg)]);
    let expected = Nutrients {
        // 306.6 + 80.475 kcal; 69,720 + 1,443 mg; 5,670 + 6,882 mg.
        energy_kcal: Some(387),
        carbohydrate_mg: Some(71_163),
        protein_mg: Some(12_552),
        ..Nutrients::default()
    };
    assert_eq!(plate.nutrients(), expected);
    assert_eq!(plate.grams_dg(), 2_655);
}

#[test]
fn a_sum_is_rounded_once_at_its_end() {
    // Three times 0.4 mg is 1.2 mg, and five times 0.1 mg is the half that goes up.
    assert_eq!(Plate::of(&[portion(400, sugars(1)); 3]).nutrients().sugars_mg, Some(1));
    assert_eq!(Plate::of(&[portion(100, sugars(1)); 4]).nutrients().sugars_mg, Some(0));
    assert_eq!(Plate::of(&[portion(100, sugars(1)); 5]).nutrients().sugars_mg, Some(1));
}

#[test]
fn the_energy_of_macros_joins_the_sum_unrounded() {
    let computed =
        Nutrients { carbohydrate_mg: Some(60), protein_mg: Some(0), fat_mg: Some(0), ..Nutrients::default() };
    let declared = Nutrients { energy_kcal: Some(100), ..Nutrients::default() };
    // 0.24 kcal twice is nearly a half, and with the 0.1 of the declared one more than that.
    assert_eq!(Plate::of(&[portion(1000, computed); 2]).nutrients().energy_kcal, Some(0));
    let three = [portion(1000, computed), portion(1, declared), portion(1000, computed)];
    assert_eq!(Plate::of(&three).nutrients().energy_kcal, Some(1));
    // Neither declared nor to be computed.
    let unknown = [portion(1000, computed), portion(1, sugars(1))];
    assert_eq!(Plate::of(&unknown).nutrients().energy_kcal, None);
}

#[test]
fn what_one_portion_does_not_know_the_plate_does_not_know() {
    let plate = Plate::of(&[portion(900, sugars(10_000)), portion(100, Nutrients::default())]);
    assert_eq!(plate.nutrients(), Nutrients::default());
    assert_eq!((plate.sugars_mg().known(), plate.sugars_mg().at_least()), (None, 9_000_000));
    assert_eq!(plate.sugars_mg().coverage_permille(), 900);
    // One that weighs nothing need not know anything.
    let plate = Plate::of(&[portion(900, sugars(10_000)), portion(0, Nutrients::default())]);
    assert_eq!(plate.nutrients(), sugars(9_000));
    assert_eq!(plate.sugars_mg().coverage_permille(), 1000);
}

#[test]
fn nothing_is_known_of_an_empty_plate() {
    for plate in [Plate::of(&[]), Plate::of(&[portion(0, sugars(1))])] {
        assert_eq!((plate.nutrients(), plate.grams_dg()), (Nutrients::default(), 0));
        assert_eq!((plate.sugars_mg().known(), plate.sugars_mg().coverage_permille()), (None, 0));
    }
}

#[test]
fn a_share_is_at_most_the_whole() {
    let all = Portion { fruit_veg_legume_permille: Some(u16::MAX), ..portion(10, sugars(0)) };
    assert_eq!(Plate::of(&[all]).fruit_veg_legume_permille().known(), Some(10 * 1000));
}

#[test]
fn amounts_that_nobody_eats_are_refused() {
    let of = |grams_dg| portion(grams_dg, sugars(1));
    assert_eq!(check(&[]), Ok(()));
    assert_eq!(check(&[of(1), of(50_000)]), Ok(()));
    assert_eq!(check(&[of(1), of(0)]), Err(Impossible::Weightless { index: 1 }));
    assert_eq!(check(&[of(50_001), of(0)]), Err(Impossible::TooHeavy { index: 0 }));
    assert_eq!(check(&[of(1); 50]), Ok(()));
    assert_eq!(check(&[of(1); 51]), Err(Impossible::TooMany));
    assert_eq!(Impossible::TooMany.code(), "too_many_foods");
    assert_eq!(Impossible::TooMany.to_string(), "a meal has at most 50 foods");
    assert_eq!(Impossible::Weightless { index: 0 }.to_string(), "food 1 of the meal weighs nothing");
}

#[test]
fn even_what_is_refused_does_not_overflow() {
    let most = Some(u32::MAX);
    let food = Nutrients { energy_kcal: most, sugars_mg: most, ..Nutrients::default() };
    let nutrients = Plate::of(&[portion(u32::MAX, food); 1000]).nutrients();
    assert_eq!((nutrients.energy_kcal, nutrients.sugars_mg), (most, most));
}

/// Each amount of nutrients, so that they can be compared one by one.
fn amounts(nutrients: &Nutrients) -> [Option<u32>; 17] {
    [
        nutrients.energy_kcal,
        nutrients.carbohydrate_mg,
        nutrients.sugars_mg,
        nutrients.added_sugars_mg,
        nutrients.fibre_mg,
        nutrients.protein_mg,
        nutrients.fat_mg,
        nutrients.saturates_mg,
        nutrients.alcohol_mg,
        nutrients.sodium_mg,
        nutrients.potassium_mg,
        nutrients.calcium_mg,
        nutrients.magnesium_mg,
        nutrients.iron_ug,
        nutrients.vitamin_a_ug,
        nutrients.vitamin_c_ug,
        nutrients.vitamin_e_ug,
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_hundred_grams_hold_what_is_told_for_them(portion in any_portion()) {
        let hundred_grams = Portion { grams_dg: 1000, ..portion };
        let held = Plate::of(&[hundred_grams]).nutrients();
        let energy_kcal = portion.per_100g.energy_kcal.or_else(|| atwater::energy_kcal(&portion.per_100g));
        prop_assert_eq!(held, Nutrients { energy_kcal, ..portion.per_100g });
    }

    #[test]
    fn the_order_does_not_matter(
        (portions, shuffled) in vec(any_portion(), 0..8).prop_flat_map(|portions| {
            (Just(portions.clone()), Just(portions).prop_shuffle())
        }),
    ) {
        prop_assert_eq!(Plate::of(&portions), Plate::of(&shuffled));
    }

    #[test]
    fn a_portion_may_be_told_as_two(portions in vec(any_portion(), 1..8), part_permille in 0_u32..=1000) {
        let mut told_as_two = portions.clone();
        let part_dg = portions[0].grams_dg * part_permille / 1000;
        told_as_two[0].grams_dg -= part_dg;
        told_as_two.push(Portion { grams_dg: part_dg, ..portions[0] });
        prop_assert_eq!(Plate::of(&portions), Plate::of(&told_as_two));
    }

    #[test]
    fn doubling_all_weights_doubles_the_exact_sums(portions in vec(any_portion(), 0..8)) {
        let twice: Vec<_> = portions.iter().map(|&one| Portion { grams_dg: 2 * one.grams_dg, ..one }).collect();
        let (once, twice) = (Plate::of(&portions), Plate::of(&twice));
        prop_assert_eq!(twice.grams_dg(), 2 * once.grams_dg());
        let sums = |plate: &Plate| [plate.energy_dcal(), plate.sugars_mg(), plate.fruit_veg_legume_permille()];
        for (once, twice) in sums(&once).into_iter().zip(sums(&twice)) {
            prop_assert_eq!(twice.at_least(), 2 * once.at_least());
            prop_assert_eq!(twice.is_complete(), once.is_complete());
            prop_assert_eq!(twice.coverage_permille(), once.coverage_permille());
        }
        // What is rounded is off by half a unit at most, and so twice that by one.
        for (once, twice) in amounts(&once.nutrients()).into_iter().zip(amounts(&twice.nutrients())) {
            prop_assert_eq!(once.is_some(), twice.is_some());
            prop_assert!((2 * once.unwrap_or(0)).abs_diff(twice.unwrap_or(0)) <= 1);
        }
    }

    #[test]
    fn more_on_the_plate_is_never_less(portions in vec(any_portion(), 0..8), more in any_portion()) {
        let mut with_more = portions.clone();
        with_more.push(more);
        let (before, after) = (Plate::of(&portions), Plate::of(&with_more));
        prop_assert!(after.grams_dg() > before.grams_dg());
        for (before, after) in amounts(&before.nutrients()).into_iter().zip(amounts(&after.nutrients())) {
            prop_assert!(after.is_none() || after >= before, "{after:?} after {before:?}");
        }
    }

    #[test]
    fn what_passes_the_check_fits(portions in vec(any_portion(), 0..=50)) {
        prop_assert_eq!(check(&portions), Ok(()));
        for amount in amounts(&Plate::of(&portions).nutrients()) {
            prop_assert!(amount != Some(u32::MAX));
        }
    }
}
