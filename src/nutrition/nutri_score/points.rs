//! The tables of Nutri-Score 2023, and the points that a sample has by them. A component's points are how many of its
//! thresholds the amount in 100 g *exceeds*; only the share of saturates in fat need but reach them. Nothing is rounded
//! first. Which grade a score is, is not known here.

use lastbite_protocol::foods::FoodCategory;

use super::Sample;

/// kJ, in 100 g.
const ENERGY_KJ: [u32; 10] = [335, 670, 1005, 1340, 1675, 2010, 2345, 2680, 3015, 3350];
const ENERGY_OF_DRINKS_KJ: [u32; 10] = [30, 90, 150, 210, 240, 270, 300, 330, 360, 390];
const ENERGY_OF_SATURATES_KJ: [u32; 10] = [120, 240, 360, 480, 600, 720, 840, 960, 1080, 1200];

/// mg, in 100 g.
const SUGARS_MG: [u32; 15] = [
    3_400, 6_800, 10_000, 14_000, 17_000, 20_000, 24_000, 27_000, 31_000, 34_000, 37_000, 41_000, 44_000, 48_000,
    51_000,
];
const SUGARS_OF_DRINKS_MG: [u32; 10] = [500, 2_000, 3_500, 5_000, 6_000, 7_000, 8_000, 9_000, 10_000, 11_000];
const SATURATES_MG: [u32; 10] = [1_000, 2_000, 3_000, 4_000, 5_000, 6_000, 7_000, 8_000, 9_000, 10_000];
const SALT_MG: [u32; 20] = [
    200, 400, 600, 800, 1_000, 1_200, 1_400, 1_600, 1_800, 2_000, 2_200, 2_400, 2_600, 2_800, 3_000, 3_200, 3_400,
    3_600, 3_800, 4_000,
];
const FIBRE_MG: [u32; 5] = [3_000, 4_100, 5_200, 6_300, 7_400];
const PROTEIN_MG: [u32; 7] = [2_400, 4_800, 7_200, 9_600, 12_000, 14_000, 17_000];
const PROTEIN_OF_DRINKS_MG: [u32; 7] = [1_200, 1_500, 1_800, 2_100, 2_400, 2_700, 3_000];

/// Saturates in all fat, percent: the only thresholds that need but be reached.
const SATURATES_OF_FAT_PERCENT: [u32; 10] = [10, 16, 22, 28, 34, 40, 46, 52, 58, 64];

/// Fruit, vegetables and legumes, permille, and the points for having exceeded so many of the thresholds.
const FRUIT_PERMILLE: [u32; 3] = [400, 600, 800];
const FRUIT_POINTS: [u8; 4] = [0, 1, 2, 5];
const FRUIT_OF_DRINKS_POINTS: [u8; 4] = [0, 2, 4, 6];

const SWEETENER_POINTS: u8 = 4;
const PROTEIN_OF_RED_MEAT_POINTS_MOST: u8 = 2;

const UJ_PER_KJ: u128 = 1_000_000_000;
/// Saturates have 37 kJ a gram, and so as many microjoules a milligram.
const UJ_PER_MG_OF_SATURATES: u128 = 37_000_000;

/// The points of a sample, component by component.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Points {
    /// 0–10. Of fats: for the energy of their saturates.
    pub energy: u8,
    /// 0–15, of drinks 0–10.
    pub sugars: u8,
    /// 0–10. Of fats: for the share of saturates in all fat.
    pub saturates: u8,
    /// 0–20.
    pub salt: u8,
    /// 0 or 4, of drinks only.
    pub sweetener: u8,
    /// 0–5.
    pub fibre: u8,
    /// 0–5, of drinks 0–6.
    pub fruit_veg_legume: u8,
    /// 0–7, of red meat 0–2. 0 as well where the negative points are so many that protein does not count.
    pub protein: u8,
}

impl Points {
    /// The points of a sample of any category but water, which has none. `None` when an amount that is needed is not
    /// known: energy (of fats: fat), sugars, saturates and protein.
    #[must_use]
    pub fn of(sample: &Sample) -> Option<Self> {
        let weight = sample.weight_dg;
        let saturates_mg = sample.saturates_mg?;
        let is_drink = sample.category() == FoodCategory::Beverage;
        let (energy, saturates) = match sample.category() {
            FoodCategory::Water => return None,
            FoodCategory::Fat => (
                exceeded(saturates_mg * UJ_PER_MG_OF_SATURATES, weight * UJ_PER_KJ, &ENERGY_OF_SATURATES_KJ),
                share_reached(saturates_mg, sample.fat_mg?),
            ),
            FoodCategory::General | FoodCategory::RedMeat | FoodCategory::Cheese | FoodCategory::Beverage => {
                let energy_kj = if is_drink { &ENERGY_OF_DRINKS_KJ } else { &ENERGY_KJ };
                (
                    exceeded(sample.energy_uj?, weight * UJ_PER_KJ, energy_kj),
                    exceeded(saturates_mg, weight, &SATURATES_MG),
                )
            }
        };
        let sugars_mg: &[u32] = if is_drink { &SUGARS_OF_DRINKS_MG } else { &SUGARS_MG };
        let fruit_points = if is_drink { FRUIT_OF_DRINKS_POINTS } else { FRUIT_POINTS };
        let fruits = exceeded(sample.fruit_veg_legume_permille, weight, &FRUIT_PERMILLE);
        let without_protein = Self {
            energy,
            sugars: exceeded(sample.sugars_mg?, weight, sugars_mg),
            saturates,
            // Salt is 2.5 times the sodium.
            salt: exceeded(sample.sodium_mg * 5, weight * 2, &SALT_MG),
            sweetener: if is_drink && sample.has_sweetener() { SWEETENER_POINTS } else { 0 },
            fibre: exceeded(sample.fibre_mg, weight, &FIBRE_MG),
            fruit_veg_legume: fruit_points[usize::from(fruits)],
            protein: 0,
        };
        let protein = protein(sample.category(), sample.protein_mg?, weight, without_protein.negative());
        Some(Self { protein, ..without_protein })
    }

    /// What speaks against it: 0–55, of drinks 0–54.
    #[must_use]
    pub const fn negative(&self) -> u8 {
        self.energy + self.sugars + self.saturates + self.salt + self.sweetener
    }

    /// What speaks for it: 0–17, of drinks 0–18.
    #[must_use]
    pub const fn positive(&self) -> u8 {
        self.fibre + self.fruit_veg_legume + self.protein
    }

    /// Negative less positive points: the less, the better.
    #[must_use]
    pub fn score(&self) -> i32 {
        i32::from(self.negative()) - i32::from(self.positive())
    }
}

/// The points for protein, where it counts: always in cheese and drinks, in other foods only while the negative points
/// are few, as there it often comes with what they stand for.
fn protein(category: FoodCategory, protein_mg: u128, weight: u128, negative: u8) -> u8 {
    let (counts, thresholds_mg) = match category {
        FoodCategory::General | FoodCategory::RedMeat => (negative < 11, &PROTEIN_MG),
        FoodCategory::Fat => (negative < 7, &PROTEIN_MG),
        FoodCategory::Cheese => (true, &PROTEIN_MG),
        FoodCategory::Beverage => (true, &PROTEIN_OF_DRINKS_MG),
        FoodCategory::Water => return 0,
    };
    let points = exceeded(protein_mg, weight, thresholds_mg);
    match (counts, category) {
        (false, _) => 0,
        (true, FoodCategory::RedMeat) => points.min(PROTEIN_OF_RED_MEAT_POINTS_MOST),
        (true, _) => points,
    }
}

/// How many of the thresholds the fraction is above. Multiplied out, so that nothing is divided: 3.4 g are not above
/// 3.4.
fn exceeded(numerator: u128, denominator: u128, thresholds: &[u32]) -> u8 {
    count(thresholds, |threshold| numerator > threshold * denominator)
}

/// How many of its thresholds the share of saturates in fat is at or above. No saturates are no share of anything.
fn share_reached(saturates_mg: u128, fat_mg: u128) -> u8 {
    count(&SATURATES_OF_FAT_PERCENT, |percent| saturates_mg > 0 && saturates_mg * 100 >= percent * fat_mg)
}

fn count(thresholds: &[u32], is_passed: impl Fn(u128) -> bool) -> u8 {
    let passed = thresholds.iter().filter(|threshold| is_passed(u128::from(**threshold))).count();
    u8::try_from(passed).unwrap_or(u8::MAX)
}
