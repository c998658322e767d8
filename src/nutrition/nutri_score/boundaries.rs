//! Every threshold of every table: just under it, on it, just over it. The thresholds are written down here once more,
//! as the regulation has them, so that a slip in the tables is seen. What points add up to is told in `tests`.

use FoodCategory::{Beverage, Cheese, Fat, General, RedMeat};

use super::*;

/// So heavy that one more of the smallest unit is next to nothing in 100 g: a weight of 100,000,000 dg makes it 10 pg.
const WEIGHT_DG: u128 = 100_000_000;

/// Nothing of anything, all of it known.
fn nothing(category: FoodCategory) -> Sample {
    let known = Some(0);
    let per_100g = Nutrients {
        energy_kcal: known,
        sugars_mg: known,
        fat_mg: known,
        saturates_mg: known,
        protein_mg: known,
        sodium_mg: known,
        fibre_mg: known,
        ..Nutrients::default()
    };
    let portion =
        Portion { per_100g, grams_dg: 1000, category, fruit_veg_legume_permille: Some(0), has_sweetener: Some(false) };
    let sample = Sample::of(&Plate::of(&[portion]), category, Some(false));
    Sample { weight_dg: WEIGHT_DG, ..sample }
}

/// Moves an amount through the thresholds, told in thousandths, and expects the points of each step. `unit` is how much
/// of the amount's numerator is a thousandth in 100 g.
#[track_caller]
fn through(
    category: FoodCategory,
    thresholds: &[u128],
    steps: &[u8],
    unit: u128,
    with: impl Fn(Sample, u128) -> Sample,
    points: impl Fn(Points) -> u8,
) {
    assert_eq!(thresholds.len() + 1, steps.len());
    let at = |numerator| points(Points::of(&with(nothing(category), numerator)).unwrap());
    assert_eq!(at(0), steps[0], "{category:?} at nothing");
    for (threshold, step) in thresholds.iter().zip(steps.windows(2)) {
        let on = threshold * unit;
        let found = [on - 1, on, on + 1].map(at);
        assert_eq!(found, [step[0], step[0], step[1]], "{category:?} around {threshold} thousandths");
    }
    let far_over = 1000 * thresholds.last().unwrap() * unit;
    assert_eq!(Some(&at(far_over)), steps.last(), "{category:?} far over");
}

/// One point for each threshold.
fn one_each<const N: usize>() -> [u8; N] {
    std::array::from_fn(|points| u8::try_from(points).unwrap())
}

const SOLID: [FoodCategory; 4] = [General, RedMeat, Cheese, Fat];
const ALL: [FoodCategory; 5] = [General, RedMeat, Cheese, Fat, Beverage];

#[test]
fn energy() {
    // A thousandth of a kJ is a million microjoules.
    let unit = WEIGHT_DG * 1_000_000;
    let with = |sample, energy_uj| Sample { energy_uj: Some(energy_uj), ..sample };
    let thresholds = [335, 670, 1005, 1340, 1675, 2010, 2345, 2680, 3015, 3350].map(|kj| kj * 1000);
    for category in [General, RedMeat, Cheese] {
        through(category, &thresholds, &one_each::<11>(), unit, with, |points| points.energy);
    }
    let thresholds = [30, 90, 150, 210, 240, 270, 300, 330, 360, 390].map(|kj| kj * 1000);
    through(Beverage, &thresholds, &one_each::<11>(), unit, with, |points| points.energy);
}

#[test]
fn energy_of_the_saturates_of_fats() {
    // 37 kJ a gram: 120 kJ are 3 and 9/37 g, which is in no decimal fraction. Times 37 the weights are whole.
    let with = |sample, saturates_mg| Sample {
        weight_dg: 37 * WEIGHT_DG,
        saturates_mg: Some(saturates_mg),
        fat_mg: Some(saturates_mg),
        ..sample
    };
    let thresholds = [120, 240, 360, 480, 600, 720, 840, 960, 1080, 1200].map(|kj| kj * 1000);
    through(Fat, &thresholds, &one_each::<11>(), WEIGHT_DG, with, |points| points.energy);
}

#[test]
fn sugars() {
    let with = |sample, sugars_mg| Sample { sugars_mg: Some(sugars_mg), ..sample };
    let thresholds = [
        3_400, 6_800, 10_000, 14_000, 17_000, 20_000, 24_000, 27_000, 31_000, 34_000, 37_000, 41_000, 44_000, 48_000,
        51_000,
    ];
    for category in SOLID {
        through(category, &thresholds, &one_each::<16>(), WEIGHT_DG, with, |points| points.sugars);
    }
    let thresholds = [500, 2_000, 3_500, 5_000, 6_000, 7_000, 8_000, 9_000, 10_000, 11_000];
    through(Beverage, &thresholds, &one_each::<11>(), WEIGHT_DG, with, |points| points.sugars);
}

#[test]
fn saturates() {
    let with = |sample, saturates_mg| Sample { saturates_mg: Some(saturates_mg), ..sample };
    let thresholds = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10].map(|grams| grams * 1000);
    for category in [General, RedMeat, Cheese, Beverage] {
        through(category, &thresholds, &one_each::<11>(), WEIGHT_DG, with, |points| points.saturates);
    }
}

#[test]
fn the_share_of_saturates_in_fat_need_but_be_reached() {
    let fat_mg = 100_000_000;
    let at = |saturates_mg, fat_mg| {
        let sample = Sample { saturates_mg: Some(saturates_mg), fat_mg: Some(fat_mg), ..nothing(Fat) };
        Points::of(&sample).unwrap().saturates
    };
    for (points, percent) in (0..).zip([10, 16, 22, 28, 34, 40, 46, 52, 58, 64]) {
        let on = percent * fat_mg / 100;
        let found = [on - 1, on, on + 1].map(|saturates_mg| at(saturates_mg, fat_mg));
        assert_eq!(found, [points, points + 1, points + 1], "{percent} %");
    }
    assert_eq!(at(fat_mg, fat_mg), 10);
    assert_eq!([at(0, fat_mg), at(0, 0)], [0, 0]);
}

#[test]
fn salt() {
    // A milligram of salt is two fifths of one of sodium.
    let unit = WEIGHT_DG / 5 * 2;
    let with = |sample, sodium_mg| Sample { sodium_mg, ..sample };
    let thresholds: [u128; 20] = std::array::from_fn(|step| 200 * (u128::try_from(step).unwrap() + 1));
    assert_eq!((thresholds[0], thresholds[19]), (200, 4_000));
    for category in ALL {
        through(category, &thresholds, &one_each::<21>(), unit, with, |points| points.salt);
    }
}

#[test]
fn fibre() {
    let with = |sample, fibre_mg| Sample { fibre_mg, ..sample };
    for category in ALL {
        let thresholds = [3_000, 4_100, 5_200, 6_300, 7_400];
        through(category, &thresholds, &one_each::<6>(), WEIGHT_DG, with, |points| points.fibre);
    }
}

#[test]
fn protein() {
    let with = |sample, protein_mg| Sample { protein_mg: Some(protein_mg), ..sample };
    let thresholds = [2_400, 4_800, 7_200, 9_600, 12_000, 14_000, 17_000];
    for category in [General, Cheese, Fat] {
        through(category, &thresholds, &one_each::<8>(), WEIGHT_DG, with, |points| points.protein);
    }
    through(RedMeat, &thresholds, &[0, 1, 2, 2, 2, 2, 2, 2], WEIGHT_DG, with, |points| points.protein);
    let thresholds = [1_200, 1_500, 1_800, 2_100, 2_400, 2_700, 3_000];
    through(Beverage, &thresholds, &one_each::<8>(), WEIGHT_DG, with, |points| points.protein);
}

#[test]
fn fruit_vegetables_and_legumes() {
    let with = |sample, fruit_veg_legume_permille| Sample { fruit_veg_legume_permille, ..sample };
    let thresholds = [400, 600, 800];
    for category in SOLID {
        through(category, &thresholds, &[0, 1, 2, 5], WEIGHT_DG, with, |points| points.fruit_veg_legume);
    }
    through(Beverage, &thresholds, &[0, 2, 4, 6], WEIGHT_DG, with, |points| points.fruit_veg_legume);
}

#[test]
fn a_sweetener_has_points_in_drinks_only() {
    for category in ALL {
        let with = Sample { has_sweetener: Some(true), ..nothing(category) };
        let expected = if category == Beverage { 4 } else { 0 };
        assert_eq!(Points::of(&with).unwrap().sweetener, expected, "{category:?}");
        let unknown = Sample { has_sweetener: None, ..nothing(category) };
        assert_eq!(Points::of(&unknown).unwrap().sweetener, 0, "{category:?}");
    }
}

#[test]
fn grades() {
    let edges = |category| {
        let mut edges = Vec::new();
        for score in -20..=60 {
            let grade = grade(category, score);
            if edges.last().is_none_or(|&(_, last)| last != grade) {
                edges.push((score, grade));
            }
        }
        edges
    };
    for category in [General, RedMeat, Cheese] {
        let expected = [(-20, Grade::A), (1, Grade::B), (3, Grade::C), (11, Grade::D), (19, Grade::E)];
        assert_eq!(edges(category), expected);
    }
    let expected = [(-20, Grade::A), (-5, Grade::B), (3, Grade::C), (11, Grade::D), (19, Grade::E)];
    assert_eq!(edges(Fat), expected);
    assert_eq!(edges(Beverage), [(-20, Grade::B), (3, Grade::C), (7, Grade::D), (10, Grade::E)]);
    assert_eq!(edges(FoodCategory::Water), [(-20, Grade::A)]);
}
