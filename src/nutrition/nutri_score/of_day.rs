//! The grade of all that was eaten on a day.

use lastbite_protocol::{
    foods::Nutrients,
    meals::{Contents, MealItem},
};

use super::{Portion, Scored, of_meal};

/// The grade of all foods of a day together; unknown when some of it was entered by hand.
pub fn of_day<'c>(contents: impl Iterator<Item = &'c Contents>) -> Scored {
    portions(contents).map_or(Scored::UNKNOWN, |portions| of_meal(&portions))
}

/// The foods of a day, as the grade looks at them. None when some of it was entered by hand.
fn portions<'c>(contents: impl Iterator<Item = &'c Contents>) -> Option<Vec<Portion>> {
    let mut portions = Vec::new();
    for contents in contents {
        if contents.items.is_empty() {
            return None;
        }
        portions.extend(contents.items.iter().map(portion_of));
    }
    Some(portions)
}

/// What is in 100 g of an item again: off by half a thousandth of a gram at most.
fn portion_of(item: &MealItem) -> Portion {
    let grams_dg = u64::from(item.grams_dg.max(1));
    let per_100g = |amount: Option<u32>| {
        amount.map(|amount| u32::try_from((u64::from(amount) * 1_000 + grams_dg / 2) / grams_dg).unwrap_or(u32::MAX))
    };
    let nutrients = &item.nutrients;
    Portion {
        per_100g: Nutrients {
            energy_kcal: per_100g(nutrients.energy_kcal),
            carbohydrate_mg: per_100g(nutrients.carbohydrate_mg),
            sugars_mg: per_100g(nutrients.sugars_mg),
            fibre_mg: per_100g(nutrients.fibre_mg),
            protein_mg: per_100g(nutrients.protein_mg),
            fat_mg: per_100g(nutrients.fat_mg),
            saturates_mg: per_100g(nutrients.saturates_mg),
            sodium_mg: per_100g(nutrients.sodium_mg),
            ..Nutrients::default()
        },
        grams_dg: item.grams_dg,
        category: item.category,
        fruit_veg_legume_permille: item.fruit_veg_legume_permille,
        has_sweetener: item.has_sweetener,
    }
}
