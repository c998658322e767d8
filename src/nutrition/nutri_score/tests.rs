//! Published cases, foods as people eat them, and meals of several.

use FoodCategory::{Beverage, Cheese, Fat, General, RedMeat, Water};

use super::*;

/// What a label says of 100 g, mg but for the energy. All is known; what is not told is 0.
#[derive(Clone, Copy, Default)]
struct Label {
    energy_kj: u32,
    sugars: u32,
    fat: u32,
    saturates: u32,
    salt: u32,
    protein: u32,
    fibre: u32,
    fruit_permille: u16,
    sweetened: bool,
}

impl Label {
    fn nutrients(&self) -> Nutrients {
        Nutrients {
            // Not used where the energy is told in kJ.
            energy_kcal: Some(0),
            sugars_mg: Some(self.sugars),
            fat_mg: Some(self.fat),
            saturates_mg: Some(self.saturates),
            sodium_mg: Some(self.salt * 2 / 5),
            protein_mg: Some(self.protein),
            fibre_mg: Some(self.fibre),
            ..Nutrients::default()
        }
    }

    fn portion(&self, category: FoodCategory) -> Portion {
        Portion {
            per_100g: self.nutrients(),
            grams_dg: 1000,
            category,
            fruit_veg_legume_permille: Some(self.fruit_permille),
            has_sweetener: Some(self.sweetened),
        }
    }

    fn scored(&self, category: FoodCategory) -> (i32, Grade) {
        let sample = Sample::of(&Plate::of(&[self.portion(category)]), category, Some(self.sweetened));
        let scored = of_sample(&sample.with_energy_kj(self.energy_kj));
        assert!(!scored.estimated);
        (scored.score.unwrap(), scored.grade)
    }
}

#[test]
fn published_cases() {
    let cookies = Label { energy_kj: 3460, saturates: 15_000, ..Label::default() };
    assert_eq!(cookies.scored(General), (20, Grade::E));
    let milk_drink =
        Label { energy_kj: 3378, sugars: 10_000, saturates: 5_000, fibre: 2_000, protein: 5_000, ..Label::default() };
    assert_eq!(milk_drink.scored(Beverage), (15, Grade::E));
    let olive_oil = Label { fat: 91_000, saturates: 17_000, fruit_permille: 1000, ..Label::default() };
    assert_eq!(olive_oil.scored(Fat), (2, Grade::B));
}

#[test]
fn typical_foods() {
    let rice = Label { energy_kj: 610, protein: 2_700, fibre: 400, ..Label::default() };
    assert_eq!(rice.scored(General), (0, Grade::A));
    let ramyeon =
        Label { energy_kj: 1860, sugars: 4_000, saturates: 8_000, salt: 4_300, protein: 8_500, ..Label::default() };
    assert_eq!(ramyeon.scored(General), (33, Grade::E));
    let kimchi = Label { energy_kj: 75, salt: 1_500, fruit_permille: 900, ..Label::default() };
    assert_eq!(kimchi.scored(General), (2, Grade::B));
    let cheddar = Label { energy_kj: 1700, saturates: 21_000, salt: 1_800, protein: 25_000, ..Label::default() };
    assert_eq!(cheddar.scored(Cheese), (16, Grade::D));
    assert_eq!(cheddar.scored(General), (23, Grade::E));
    let cola = Label { energy_kj: 180, sugars: 10_600, ..Label::default() };
    assert_eq!(cola.scored(Beverage), (12, Grade::E));
    let diet_cola = Label { sweetened: true, ..Label::default() };
    assert_eq!(diet_cola.scored(Beverage), (4, Grade::C));
}

#[test]
fn protein_counts_while_the_negative_points_are_few() {
    let of = |energy_kj, salt| Label { energy_kj, salt, protein: 20_000, ..Label::default() };
    // 10 negative points, and 11.
    assert_eq!(of(3351, 0).scored(General), (3, Grade::C));
    assert_eq!(of(3351, 201 + 4).scored(General), (11, Grade::D));
    assert_eq!(of(3351, 205).scored(Cheese), (4, Grade::C));
    assert_eq!(of(3351, 0).scored(RedMeat), (8, Grade::C));
    assert_eq!(of(3351, 205).scored(RedMeat), (11, Grade::D));
    assert_eq!(of(391, 4_005).scored(Beverage), (23, Grade::E));
    // In fats 6 and 7; their energy is not looked at.
    assert_eq!(of(3351, 1_205).scored(Fat), (-1, Grade::B));
    assert_eq!(of(3351, 1_405).scored(Fat), (7, Grade::C));
}

#[test]
fn water_is_the_only_drink_with_an_a() {
    let expected = Scored { grade: Grade::A, score: None, estimated: false };
    assert_eq!(of_food(&Nutrients::default(), Water, None, None), expected);
    let juice = Label { protein: 4_000, fibre: 8_000, fruit_permille: 1000, ..Label::default() };
    assert_eq!(juice.scored(Beverage), (-18, Grade::B));
}

#[test]
fn exactly_on_a_threshold_is_not_over_it() {
    let sugars = |sugars| of_meal(&[Label { sugars, ..Label::default() }.portion(General)]).score;
    assert_eq!([3_400, 3_401].map(sugars), [Some(0), Some(1)]);
    // A third of 10.2 g beside two thirds of nothing is 3.4 g, though a third is no decimal fraction.
    let mixed = |sugars| {
        let sweet = Portion { grams_dg: 777, ..Label { sugars, ..Label::default() }.portion(General) };
        let plain = Portion { grams_dg: 2 * 777, ..Label::default().portion(General) };
        of_meal(&[sweet, plain]).score
    };
    assert_eq!([10_200, 10_201].map(mixed), [Some(0), Some(1)]);
}

#[test]
fn kcal_become_kj_exactly() {
    let score = |kcal| {
        let portion = Label::default().portion(General);
        of_meal(&[Portion { per_100g: Nutrients { energy_kcal: Some(kcal), ..portion.per_100g }, ..portion }]).score
    };
    // 334.72 and 338.904 kJ; 669.44 and 673.624.
    assert_eq!([80, 81, 160, 161].map(score), [Some(0), Some(1), Some(1), Some(2)]);
    let thousand_kcal = Nutrients { energy_kcal: Some(1000), ..Nutrients::default() };
    let portion = Portion { per_100g: thousand_kcal, grams_dg: 777, ..Label::default().portion(General) };
    let sample = Sample::of(&Plate::of(&[portion]), General, None);
    assert_eq!(sample, sample.with_energy_kj(4184));
    // By its macros: 10 g of each are 170 kcal, 711.28 kJ.
    let macros = Nutrients {
        energy_kcal: None,
        carbohydrate_mg: Some(10_000),
        fat_mg: Some(10_000),
        protein_mg: Some(10_000),
        ..Label::default().nutrients()
    };
    assert_eq!(of_food(&macros, General, Some(0), None).score, Some(2 - 4));
}

#[test]
fn what_a_label_must_say_is_not_guessed() {
    let whole = Label { fat: 10_000, ..Label::default() }.nutrients();
    let grade = |category, food: Nutrients| of_food(&food, category, Some(0), Some(false));
    for category in [General, RedMeat, Cheese, Beverage, Fat] {
        assert_ne!(grade(category, whole).grade, Grade::Unknown);
        for food in [
            Nutrients { sugars_mg: None, ..whole },
            Nutrients { saturates_mg: None, ..whole },
            Nutrients { protein_mg: None, ..whole },
        ] {
            assert_eq!(grade(category, food), Scored::UNKNOWN);
        }
        let is_fat = category == Fat;
        let without_energy = grade(category, Nutrients { energy_kcal: None, ..whole });
        assert_eq!(without_energy == Scored::UNKNOWN, !is_fat, "{category:?}");
        let without_fat = grade(category, Nutrients { fat_mg: None, ..whole });
        assert_eq!(without_fat == Scored::UNKNOWN, is_fat, "{category:?}");
    }
}

#[test]
fn what_a_label_may_leave_out_makes_an_estimate() {
    let whole = Label { salt: 2_000, fibre: 8_000, ..Label::default() }.nutrients();
    let expected = |score, grade| Scored { grade, score: Some(score), estimated: true };
    let known = Scored { grade: Grade::C, score: Some(4), estimated: false };
    assert_eq!(of_food(&whole, General, Some(0), None), known);
    assert_eq!(of_food(&whole, General, None, None), expected(4, Grade::C));
    let without_fibre = Nutrients { fibre_mg: None, ..whole };
    assert_eq!(of_food(&without_fibre, General, Some(0), None), expected(9, Grade::C));
    let without_sodium = Nutrients { sodium_mg: None, ..whole };
    assert_eq!(of_food(&without_sodium, General, Some(0), None), expected(-5, Grade::A));
    // Whether there is a sweetener matters in drinks only.
    assert_eq!(of_food(&whole, Beverage, Some(0), Some(false)).score, Some(4));
    assert!(!of_food(&whole, Beverage, Some(0), Some(false)).estimated);
    assert!(of_food(&whole, Beverage, Some(0), None).estimated);
}

#[test]
fn an_estimate_counts_what_is_known() {
    // 8 g of fibre in half of it, unknown in the other: 4 g in all.
    let whole = Label { fibre: 8_000, ..Label::default() }.portion(General);
    let without = Portion { per_100g: Nutrients { fibre_mg: None, ..whole.per_100g }, ..whole };
    let expected = Scored { grade: Grade::A, score: Some(-1), estimated: true };
    assert_eq!(of_meal(&[whole, without]), expected);
}

#[test]
fn a_meal_is_graded_as_its_heaviest_part() {
    let fatty = Label { protein: 20_000, ..Label::default() };
    let part = |category, grams_dg| Portion { grams_dg, ..fatty.portion(category) };
    let score = |portions: &[Portion]| of_meal(portions).score;
    // Protein is worth 7 points in food, and 2 in red meat.
    assert_eq!(score(&[part(General, 501), part(RedMeat, 500)]), Some(-7));
    assert_eq!(score(&[part(General, 500), part(RedMeat, 501)]), Some(-2));
    assert_eq!(score(&[part(RedMeat, 500), part(General, 500)]), Some(-7));
    // Parts of one category count together.
    assert_eq!(score(&[part(RedMeat, 300), part(General, 500), part(RedMeat, 300)]), Some(-2));
}

#[test]
fn drinks_are_apart_from_food_and_water_from_drinks() {
    let rice = Label { protein: 2_700, ..Label::default() }.portion(General);
    let cola = Portion { grams_dg: 50_000, ..Label { sugars: 10_600, ..Label::default() }.portion(Beverage) };
    let water = Portion { per_100g: Nutrients::default(), ..cola };
    let water = Portion { category: Water, has_sweetener: None, ..water };
    let alone = of_meal(&[rice]);
    assert_eq!(of_meal(&[cola, rice, water]), alone);
    assert_eq!(of_meal(&[cola, water]), of_meal(&[cola]));
    assert_eq!(of_meal(&[cola]).score, Some(9));
    assert_eq!(of_meal(&[water, water]), Scored::WATER);
    let juice = Label { fruit_permille: 1000, ..Label::default() }.portion(Beverage);
    assert_eq!(of_meal(&[juice, Portion { has_sweetener: Some(true), grams_dg: 10, ..juice }]).score, Some(-2));
    // What weighs nothing is not there.
    assert_eq!(of_meal(&[cola, Portion { grams_dg: 0, ..rice }]), of_meal(&[cola]));
    assert_eq!(of_meal(&[Portion { grams_dg: 0, ..rice }]), Scored::UNKNOWN);
    assert_eq!(of_meal(&[]), Scored::UNKNOWN);
}
