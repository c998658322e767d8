//! How nourishing a day was: NRF 9.3, the nutrient-rich foods index (Fulgoni, Keast and Drewnowski 2009), of what was
//! eaten in it. No target of a user is looked at, and nothing is said about how much energy there was.
//!
//! The score is Σ min(100·x/DV, 100) over nine nutrients to encourage − Σ 100·x/limit over three to limit. Each term is
//! an exact fraction; all are brought to one denominator, and what is told is rounded once, half up.

use lastbite_protocol::foods::Nutrients;

use super::rounding::{half_up, half_up_signed};

/// Every daily value and limit below divides it, so that all terms are whole in its parts.
const DENOMINATOR: u128 = 88_533_900_000;
/// Hundred percent, in hundredths of a percent.
const FULL_CENTI: u32 = 10_000;

/// The score of a day, in hundredths of a point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DayScore {
    /// What was encouraged less what is to be limited. Of the exact sums, and so off by one hundredth from the
    /// difference of the two rounded ones at times. May be negative.
    pub score_centi: i32,
    /// For the nutrients to encourage.
    pub positive_centi: u32,
    /// For those to limit.
    pub negative_centi: u32,
    /// What the score could be at most: 100 points for each nutrient to encourage that is known.
    pub most_centi: u32,
    /// How many nutrients are known. Others are in none of the sums; when none is, the score says nothing.
    pub known: u8,
    /// Of how many.
    pub of: u8,
}

/// The score of what was eaten in a day.
#[must_use]
pub fn day_score(day: &Nutrients) -> DayScore {
    let encouraged = encouraged(day);
    let limited = limited(day);
    let positive = total(&encouraged, u32::min);
    let negative = total(&limited, |amount, _| amount);
    let encouraged_known = count(encouraged.iter().filter(|(amount, _)| amount.is_some()));
    let limited_known = count(limited.iter().filter(|(amount, _)| amount.is_some()));
    DayScore {
        // Three amounts of 32 bits in parts of the denominator have far less than 127.
        score_centi: half_up_signed(positive.cast_signed() - negative.cast_signed(), DENOMINATOR.cast_signed()),
        positive_centi: half_up(positive, DENOMINATOR),
        negative_centi: half_up(negative, DENOMINATOR),
        most_centi: u32::from(encouraged_known) * FULL_CENTI,
        known: encouraged_known + limited_known,
        of: count(encouraged.iter().chain(&limited)),
    }
}

/// What is to be encouraged, with its daily value (of the United States, for adults): mg, and from iron on µg.
const fn encouraged(day: &Nutrients) -> [(Option<u32>, u32); 9] {
    [
        (day.protein_mg, 50_000),
        (day.fibre_mg, 28_000),
        (day.calcium_mg, 1_300),
        (day.potassium_mg, 4_700),
        (day.magnesium_mg, 420),
        (day.iron_ug, 18_000),
        (day.vitamin_a_ug, 900),
        (day.vitamin_c_ug, 90_000),
        (day.vitamin_e_ug, 15_000),
    ]
}

/// What is to be limited, with its limit, mg.
const fn limited(day: &Nutrients) -> [(Option<u32>, u32); 3] {
    [(day.saturates_mg, 20_000), (day.added_sugars_mg, 50_000), (day.sodium_mg, 2_300)]
}

/// The sum of the known amounts' shares of their values, in hundredths of a percent times [`DENOMINATOR`].
fn total(terms: &[(Option<u32>, u32)], counted: impl Fn(u32, u32) -> u32) -> u128 {
    let share = |&(amount, value): &(Option<u32>, u32)| {
        let amount = u128::from(counted(amount?, value));
        Some(amount * (DENOMINATOR / u128::from(value)) * u128::from(FULL_CENTI))
    };
    terms.iter().filter_map(share).sum()
}

fn count<T>(of: impl Iterator<Item = T>) -> u8 {
    u8::try_from(of.count()).unwrap_or(u8::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::nutrition::portion::samples::any_nutrients;

    fn published() -> Nutrients {
        Nutrients {
            protein_mg: Some(75_000),
            fibre_mg: Some(20_000),
            vitamin_a_ug: Some(600),
            vitamin_c_ug: Some(80_000),
            vitamin_e_ug: Some(10_000),
            calcium_mg: Some(700),
            iron_ug: Some(12_000),
            potassium_mg: Some(2_800),
            magnesium_mg: Some(300),
            saturates_mg: Some(18_000),
            added_sugars_mg: Some(30_000),
            sodium_mg: Some(3_200),
            ..Nutrients::default()
        }
    }

    #[test]
    fn the_published_day() {
        let expected = DayScore {
            score_centi: 35_604,
            positive_centi: 64_517,
            negative_centi: 28_913,
            most_centi: 90_000,
            known: 12,
            of: 12,
        };
        assert_eq!(day_score(&published()), expected);
    }

    #[test]
    fn every_value_divides_the_denominator() {
        let day = published();
        for (_, value) in encouraged(&day).into_iter().chain(limited(&day)) {
            assert_eq!(DENOMINATOR % u128::from(value), 0, "{value}");
        }
    }

    #[test]
    fn the_best_day_has_nine_hundred_points() {
        let best = Nutrients {
            protein_mg: Some(50_000),
            fibre_mg: Some(28_000),
            vitamin_a_ug: Some(900),
            vitamin_c_ug: Some(90_000),
            vitamin_e_ug: Some(15_000),
            calcium_mg: Some(1_300),
            iron_ug: Some(18_000),
            potassium_mg: Some(4_700),
            magnesium_mg: Some(420),
            saturates_mg: Some(0),
            added_sugars_mg: Some(0),
            sodium_mg: Some(0),
            ..Nutrients::default()
        };
        assert_eq!(day_score(&best).score_centi, 90_000);
        // At the limits, a hundred less for each.
        let limits =
            Nutrients { saturates_mg: Some(20_000), added_sugars_mg: Some(50_000), sodium_mg: Some(2_300), ..best };
        assert_eq!(day_score(&limits).score_centi, 60_000);
        // What is encouraged is capped, what is limited is not.
        let too_much = Nutrients { protein_mg: Some(500_000), sodium_mg: Some(23_000), ..best };
        assert_eq!(day_score(&too_much).score_centi, 90_000 - 100_000);
    }

    #[test]
    fn what_is_missing_is_in_neither_sum() {
        let day = Nutrients {
            vitamin_a_ug: None,
            vitamin_c_ug: None,
            vitamin_e_ug: None,
            magnesium_mg: None,
            added_sugars_mg: None,
            ..published()
        };
        let score = day_score(&day);
        assert_eq!((score.known, score.of, score.most_centi), (7, 12, 50_000));
        // 100 + 71.428 + 53.846 + 66.667 + 59.574 less 90 + 139.130.
        assert_eq!((score.positive_centi, score.negative_centi, score.score_centi), (35_152, 22_913, 12_239));
        let nothing =
            DayScore { score_centi: 0, positive_centi: 0, negative_centi: 0, most_centi: 0, known: 0, of: 12 };
        assert_eq!(day_score(&Nutrients::default()), nothing);
        // Energy is none of the twelve.
        assert_eq!(day_score(&Nutrients { energy_kcal: Some(2_000), ..Nutrients::default() }), nothing);
    }

    #[test]
    fn no_amount_overflows() {
        let most = Some(u32::MAX);
        let day = Nutrients { saturates_mg: most, added_sugars_mg: most, sodium_mg: most, ..published() };
        let score = day_score(&day);
        assert_eq!((score.score_centi, score.negative_centi), (i32::MIN, u32::MAX));
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn the_parts_agree_with_the_whole(day in any_nutrients()) {
            let score = day_score(&day);
            let difference = i64::from(score.positive_centi) - i64::from(score.negative_centi);
            prop_assert!((i64::from(score.score_centi) - difference).abs() <= 1);
            prop_assert!(score.positive_centi <= score.most_centi && score.known <= score.of);
        }

        #[test]
        fn more_of_the_good_never_harms_and_more_of_the_bad_never_helps(day in any_nutrients(), more in 0_u32..50_000) {
            let score = day_score(&day).score_centi;
            let good = Nutrients { iron_ug: day.iron_ug.map(|iron_ug| iron_ug + more), ..day };
            prop_assert!(day_score(&good).score_centi >= score);
            let bad = Nutrients { sodium_mg: day.sodium_mg.map(|sodium_mg| sodium_mg + more), ..day };
            prop_assert!(day_score(&bad).score_centi <= score);
        }
    }
}
