//! What a meal is made of: from foods and grams, or from amounts that were entered by hand, to nutrients, a grade and how
//! sure the energy is. All of it before any transaction.

use lastbite_protocol::{
    UserId,
    foods::{Food, Grade, Nutrients},
    meals::{Amounts, Contents, MealItem, MealWarning, NewItem},
};
use sqlx::PgPool;

use crate::{
    error::{ApiError, ApiResult},
    foods, limits,
    nutrition::{
        atwater::{self, Plausibility},
        interval::{self, EnergySource},
        nutri_score,
        portion::{self, Plate, Portion},
    },
};

/// What counts in play, and what is known besides.
pub(super) struct Known {
    pub(super) amounts: Amounts,
    pub(super) contents: Contents,
}

/// What a user tells of a meal: one of the two. `guessed` is where the weights come from that were not weighed.
///
/// # Errors
/// 422 `contents_needed` without either or with both, `food_unknown`, `items_impossible`, `amounts_out_of_range`.
pub(super) async fn of(
    pool: &PgPool,
    owner: UserId,
    items: &[NewItem],
    amounts: Option<Amounts>,
    guessed: EnergySource,
) -> ApiResult<Known> {
    match (amounts, items) {
        (Some(amounts), []) => of_amounts(amounts),
        (None, [_, ..]) => of_items(items, &load(pool, owner, items).await?, guessed),
        _ => Err(needed()),
    }
}

/// Refuses a meal of which too little or too much is told.
pub(super) fn needed() -> ApiError {
    let detail = "a meal has either `items` or `amounts`, or a photo that tells";
    ApiError::invalid("contents_needed", "items", detail)
}

/// Of a meal of which nothing is known yet.
pub(super) fn unknown() -> Known {
    let amounts = Amounts { energy_kcal: 0, carbohydrate_mg: None, protein_mg: None, fat_mg: None };
    let contents =
        Contents { nutrients: Nutrients::default(), energy_kcal_high: 0, energy_kcal_low: 0, ..entered(&amounts) };
    Known { amounts, contents }
}

/// The foods of items, in their order.
async fn load(pool: &PgPool, owner: UserId, items: &[NewItem]) -> ApiResult<Vec<Food>> {
    if items.len() > portion::PORTIONS_MOST {
        return Err(impossible(portion::Impossible::TooMany));
    }
    let mut ids: Vec<_> = items.iter().map(|item| item.food.clone()).filter(|id| !id.contains('\0')).collect();
    ids.sort_unstable();
    ids.dedup();
    let found = foods::load_many(pool, owner, &ids).await?;
    let food = |item: &NewItem| {
        let food = found.iter().find(|food| food.id == item.food);
        food.cloned().ok_or_else(|| ApiError::invalid("food_unknown", "items", format!("no food is {:?}", item.food)))
    };
    items.iter().map(food).collect()
}

fn impossible(why: portion::Impossible) -> ApiError {
    ApiError::invalid("items_impossible", "items", why.to_string())
}

fn of_items(items: &[NewItem], foods: &[Food], guessed: EnergySource) -> ApiResult<Known> {
    let portions: Vec<_> = foods.iter().zip(items).map(|(food, item)| portion_of(food, item.grams_dg)).collect();
    portion::check(&portions).map_err(impossible)?;
    let nutrients = Plate::of(&portions).nutrients();
    let energy_kcal = nutrients.energy_kcal.unwrap_or_default();
    let amounts = Amounts {
        energy_kcal,
        carbohydrate_mg: nutrients.carbohydrate_mg,
        protein_mg: nutrients.protein_mg,
        fat_mg: nutrients.fat_mg,
    };
    check(&amounts)?;
    let source = if items.iter().all(|item| item.weighed) { EnergySource::Weighed } else { guessed };
    let interval = interval::around(energy_kcal, source);
    let scored = nutri_score::of_meal(&portions);
    let items = foods.iter().zip(items).zip(&portions).map(|((food, item), portion)| MealItem {
        food: food.id.clone(),
        name_ko: food.name_ko.clone(),
        name_en: food.name_en.clone(),
        grams_dg: item.grams_dg,
        weighed: item.weighed,
        category: food.category,
        fruit_veg_legume_permille: food.fruit_veg_legume_permille,
        has_sweetener: food.has_sweetener,
        nutrients: Plate::of(std::slice::from_ref(portion)).nutrients(),
    });
    Ok(Known {
        amounts,
        contents: Contents {
            items: items.collect(),
            nutrients,
            energy_kcal_low: interval.energy_kcal_low,
            energy_kcal_high: interval.energy_kcal_high,
            grade: scored.grade,
            grade_score: scored.score,
            grade_estimated: scored.estimated,
            warnings: Vec::new(),
        },
    })
}

fn portion_of(food: &Food, grams_dg: u32) -> Portion {
    Portion {
        per_100g: food.per_100g,
        grams_dg,
        category: food.category,
        fruit_veg_legume_permille: food.fruit_veg_legume_permille,
        has_sweetener: food.has_sweetener,
    }
}

fn of_amounts(amounts: Amounts) -> ApiResult<Known> {
    check(&amounts)?;
    Ok(Known { amounts, contents: entered(&amounts) })
}

/// What is known of amounts that were entered by hand: no grade, because nobody told sugars and salt.
pub(super) fn entered(amounts: &Amounts) -> Contents {
    let nutrients = Nutrients {
        energy_kcal: Some(amounts.energy_kcal),
        carbohydrate_mg: amounts.carbohydrate_mg,
        protein_mg: amounts.protein_mg,
        fat_mg: amounts.fat_mg,
        ..Nutrients::default()
    };
    let interval = interval::around(amounts.energy_kcal, EnergySource::Estimate);
    let warnings = match atwater::plausibility(&nutrients, None) {
        Plausibility::Implausible { declared_kcal, computed_kcal } => {
            vec![MealWarning::Implausible { declared_kcal, computed_kcal }]
        }
        Plausibility::Fine | Plausibility::Impossible(_) => Vec::new(),
    };
    Contents {
        items: Vec::new(),
        nutrients,
        energy_kcal_low: interval.energy_kcal_low,
        energy_kcal_high: interval.energy_kcal_high,
        grade: Grade::Unknown,
        grade_score: None,
        grade_estimated: false,
        warnings,
    }
}

fn check(amounts: &Amounts) -> ApiResult<()> {
    let nutrients = [amounts.carbohydrate_mg, amounts.protein_mg, amounts.fat_mg];
    if amounts.energy_kcal > limits::MEAL_ENERGY_KCAL_MAX
        || nutrients.into_iter().flatten().any(|mg| mg > limits::MEAL_NUTRIENT_MG_MAX)
    {
        let detail = "a meal has at most 10,000 kcal, and of each nutrient at most 2,000,000 mg";
        return Err(ApiError::invalid("amounts_out_of_range", "amounts", detail));
    }
    Ok(())
}
