//! What is so for any meal.

use proptest::{collection::vec, prelude::*};

use super::*;
use crate::nutrition::portion::samples::{CATEGORIES, any_portion, well_known_portion};

fn meal() -> impl Strategy<Value = Vec<Portion>> {
    vec(prop_oneof![well_known_portion(), any_portion()], 0..6)
}

/// The score of one food; the worst where there is none, as of water.
fn score(portion: &Portion) -> i32 {
    of_meal(&[*portion]).score.unwrap_or(i32::MAX)
}

fn with(portion: &Portion, per_100g: Nutrients) -> Portion {
    Portion { per_100g, ..*portion }
}

fn more(amount: Option<u32>, by: u32) -> Option<u32> {
    amount.map(|amount| amount + by)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_order_does_not_matter(
        (meal, shuffled) in meal().prop_flat_map(|meal| (Just(meal.clone()), Just(meal).prop_shuffle())),
    ) {
        prop_assert_eq!(of_meal(&meal), of_meal(&shuffled));
    }

    #[test]
    fn how_much_there_is_does_not_matter(meal in meal(), times in 2_u32..50) {
        let larger: Vec<_> = meal.iter().map(|&one| Portion { grams_dg: times * one.grams_dg, ..one }).collect();
        prop_assert_eq!(of_meal(&meal), of_meal(&larger));
        let twice = [meal.clone(), meal.clone()].concat();
        prop_assert_eq!(of_meal(&meal), of_meal(&twice));
    }

    #[test]
    fn a_food_is_graded_as_any_weight_of_it(portion in well_known_portion()) {
        let Portion { per_100g, category, fruit_veg_legume_permille, has_sweetener, .. } = portion;
        let food = of_food(&per_100g, category, fruit_veg_legume_permille, has_sweetener);
        prop_assert_eq!(of_meal(&[portion]), food);
        prop_assert!(food.grade != Grade::Unknown && !food.estimated);
    }

    #[test]
    fn drinks_do_not_change_the_grade_of_food(meal in meal(), drink in any_portion(), water in any_portion()) {
        let drink = Portion { category: FoodCategory::Beverage, ..drink };
        let water = Portion { category: FoodCategory::Water, ..water };
        let with_water = [meal.clone(), vec![water]].concat();
        if meal.iter().any(|portion| portion.category != FoodCategory::Water) {
            prop_assert_eq!(of_meal(&meal), of_meal(&with_water));
        }
        if meal.iter().any(|portion| turn(portion.category) == 0) {
            prop_assert_eq!(of_meal(&meal), of_meal(&[meal, vec![drink]].concat()));
        }
    }

    #[test]
    fn more_of_what_is_good_never_makes_it_worse(portion in well_known_portion(), by in 0_u32..20_000) {
        let food = portion.per_100g;
        let before = score(&portion);
        let fibre = with(&portion, Nutrients { fibre_mg: more(food.fibre_mg, by), ..food });
        prop_assert!(score(&fibre) <= before);
        let protein = with(&portion, Nutrients { protein_mg: more(food.protein_mg, by), ..food });
        prop_assert!(score(&protein) <= before);
        let permille = portion.fruit_veg_legume_permille.map(|permille| permille.saturating_add(500));
        let fruit = Portion { fruit_veg_legume_permille: permille, ..portion };
        prop_assert!(score(&fruit) <= before);
    }

    #[test]
    fn more_of_what_is_bad_never_makes_it_better(portion in well_known_portion(), by in 0_u32..20_000) {
        let food = portion.per_100g;
        let before = score(&portion);
        for worse in [
            Nutrients { energy_kcal: more(food.energy_kcal, by / 20), ..food },
            Nutrients { sugars_mg: more(food.sugars_mg, by), ..food },
            Nutrients { saturates_mg: more(food.saturates_mg, by), ..food },
            Nutrients { sodium_mg: more(food.sodium_mg, by / 20), ..food },
        ] {
            prop_assert!(score(&with(&portion, worse)) >= before);
        }
        let sweetened = Portion { has_sweetener: Some(true), ..portion };
        prop_assert!(score(&sweetened) >= before);
    }

    #[test]
    fn scores_are_within_their_bounds(portion in any_portion()) {
        for category in CATEGORIES {
            let scored = of_meal(&[Portion { category, ..portion }]);
            let is_water = category == FoodCategory::Water;
            prop_assert!(scored.score.is_none_or(|score| (-18..=55).contains(&score)));
            prop_assert_eq!(scored.score.is_some(), !is_water && scored.grade != Grade::Unknown);
            prop_assert!(scored.score.is_some() || !scored.estimated);
            prop_assert!(category != FoodCategory::Beverage || scored.grade != Grade::A);
        }
    }
}
