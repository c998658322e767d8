//! How much of what a day should have, by the Korean dietary reference intakes of 2020 or 2025.
//!
//! Shares of energy become milligrams with 4 kcal a gram of carbohydrate and protein and 9 a gram of fat. Each edge is
//! rounded on its own to a milligram, half up.

use std::ops::RangeInclusive;

use lastbite_protocol::profile::{Bounds, IntakeTable, Sex};

const CARBOHYDRATE_KCAL_PER_G: u64 = 4;
const PROTEIN_KCAL_PER_G: u64 = 4;
const FAT_KCAL_PER_G: u64 = 9;

const ADDED_SUGARS_PERCENT_MOST: u64 = 10;
/// The limit for the reduction of risk in the table of 2020. That of 2025 was not read again for it.
const SODIUM_MG_MOST: u32 = 2_300;

/// What a day should have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Intakes {
    pub carbohydrate_mg: Bounds,
    pub protein_mg: Bounds,
    pub fat_mg: Bounds,
    /// All together.
    pub sugars_mg: Bounds,
    /// Those that were added, part of the above.
    pub added_sugars_mg: Bounds,
    pub sodium_mg: Bounds,
    pub fibre_mg: Bounds,
}

/// What a day of this energy should have, by a table.
#[must_use]
pub fn intakes(table: IntakeTable, energy_kcal: u32, sex: Option<Sex>) -> Intakes {
    let shares = Shares::of(table);
    let energy_kcal = u64::from(energy_kcal);
    let sugar_mg = |percent| mg_of(energy_kcal, percent, CARBOHYDRATE_KCAL_PER_G);
    Intakes {
        carbohydrate_mg: between(energy_kcal, &shares.carbohydrate_percent, CARBOHYDRATE_KCAL_PER_G),
        protein_mg: between(energy_kcal, &shares.protein_percent, PROTEIN_KCAL_PER_G),
        fat_mg: between(energy_kcal, &shares.fat_percent, FAT_KCAL_PER_G),
        sugars_mg: Bounds {
            least: shares.sugars_percent_least.map(sugar_mg),
            most: Some(sugar_mg(shares.sugars_percent_most)),
        },
        added_sugars_mg: Bounds { least: None, most: Some(sugar_mg(ADDED_SUGARS_PERCENT_MOST)) },
        sodium_mg: Bounds { least: None, most: Some(SODIUM_MG_MOST) },
        fibre_mg: Bounds { least: Some(fibre_mg(table, energy_kcal, sex)), most: None },
    }
}

/// Shares of a day's energy.
struct Shares {
    carbohydrate_percent: RangeInclusive<u64>,
    protein_percent: RangeInclusive<u64>,
    fat_percent: RangeInclusive<u64>,
    sugars_percent_least: Option<u64>,
    sugars_percent_most: u64,
}

impl Shares {
    const fn of(table: IntakeTable) -> Self {
        match table {
            IntakeTable::Kdri2020 => Self {
                carbohydrate_percent: 55..=65,
                protein_percent: 7..=20,
                fat_percent: 15..=30,
                sugars_percent_least: Some(10),
                sugars_percent_most: 20,
            },
            IntakeTable::Kdri2025 => Self {
                carbohydrate_percent: 50..=65,
                protein_percent: 10..=20,
                fat_percent: 15..=30,
                sugars_percent_least: None,
                sugars_percent_most: 20,
            },
        }
    }
}

/// The least fibre: by sex in 2020, where an unstated one counts as the higher; 12.5 g per 1,000 kcal in 2025.
fn fibre_mg(table: IntakeTable, energy_kcal: u64, sex: Option<Sex>) -> u32 {
    match (table, sex) {
        (IntakeTable::Kdri2020, Some(Sex::Female)) => 20_000,
        (IntakeTable::Kdri2020, Some(Sex::Male) | None) => 30_000,
        (IntakeTable::Kdri2025, _) => half_up(energy_kcal * 12_500, 1_000),
    }
}

fn between(energy_kcal: u64, percent: &RangeInclusive<u64>, kcal_per_g: u64) -> Bounds {
    let mg = |percent: &u64| mg_of(energy_kcal, *percent, kcal_per_g);
    Bounds { least: Some(mg(percent.start())), most: Some(mg(percent.end())) }
}

/// How many milligrams of a nutrient have this share of the energy.
fn mg_of(energy_kcal: u64, percent: u64, kcal_per_g: u64) -> u32 {
    // A thousand milligrams a gram, over a hundred percent.
    half_up(energy_kcal * percent * 10, kcal_per_g)
}

fn half_up(numerator: u64, denominator: u64) -> u32 {
    u32::try_from((2 * numerator + denominator) / (2 * denominator)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLES: [IntakeTable; 2] = [IntakeTable::Kdri2020, IntakeTable::Kdri2025];

    fn range(least: u32, most: u32) -> Bounds {
        Bounds { least: Some(least), most: Some(most) }
    }

    fn at_most(most: u32) -> Bounds {
        Bounds { least: None, most: Some(most) }
    }

    fn at_least(least: u32) -> Bounds {
        Bounds { least: Some(least), most: None }
    }

    #[test]
    fn a_day_of_1800_kcal_in_2020() {
        let expected = Intakes {
            carbohydrate_mg: range(247_500, 292_500),
            protein_mg: range(31_500, 90_000),
            fat_mg: range(30_000, 60_000),
            sugars_mg: range(45_000, 90_000),
            added_sugars_mg: at_most(45_000),
            sodium_mg: at_most(2_300),
            fibre_mg: at_least(30_000),
        };
        assert_eq!(intakes(IntakeTable::Kdri2020, 1800, Some(Sex::Male)), expected);
        let of_a_woman = Intakes { fibre_mg: at_least(20_000), ..expected };
        assert_eq!(intakes(IntakeTable::Kdri2020, 1800, Some(Sex::Female)), of_a_woman);
        assert_eq!(intakes(IntakeTable::Kdri2020, 1800, None), expected);
    }

    #[test]
    fn a_day_of_1800_kcal_in_2025() {
        let expected = Intakes {
            carbohydrate_mg: range(225_000, 292_500),
            protein_mg: range(45_000, 90_000),
            fat_mg: range(30_000, 60_000),
            sugars_mg: at_most(90_000),
            added_sugars_mg: at_most(45_000),
            sodium_mg: at_most(2_300),
            fibre_mg: at_least(22_500),
        };
        for sex in [None, Some(Sex::Male), Some(Sex::Female)] {
            assert_eq!(intakes(IntakeTable::Kdri2025, 1800, sex), expected);
        }
    }

    #[test]
    fn an_edge_is_rounded_half_up() {
        let day = intakes(IntakeTable::Kdri2020, 1801, None);
        // 247,637.5 and 292,662.5; 30,016.67 and 60,033.33; 31,517.5 and 90,050.
        assert_eq!(day.carbohydrate_mg, range(247_638, 292_663));
        assert_eq!(day.fat_mg, range(30_017, 60_033));
        assert_eq!(day.protein_mg, range(31_518, 90_050));
        // 22,512.5.
        assert_eq!(intakes(IntakeTable::Kdri2025, 1801, None).fibre_mg, at_least(22_513));
    }

    #[test]
    fn a_day_can_be_within_all_ranges_at_once() {
        for table in TABLES {
            let shares = Shares::of(table);
            let ranges = [&shares.carbohydrate_percent, &shares.protein_percent, &shares.fat_percent];
            let least: u64 = ranges.iter().map(|range| range.start()).sum();
            let most: u64 = ranges.iter().map(|range| range.end()).sum();
            assert!((least..=most).contains(&100), "{table:?}");
        }
    }

    #[test]
    fn edges_are_in_order_and_nothing_overflows() {
        for table in TABLES {
            for energy_kcal in (0..=10_000).chain([u32::MAX]) {
                let day = intakes(table, energy_kcal, None);
                for bounds in [day.carbohydrate_mg, day.protein_mg, day.fat_mg] {
                    assert!(bounds.least <= bounds.most, "{table:?} {energy_kcal}: {bounds:?}");
                }
            }
        }
    }
}
