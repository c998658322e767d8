//! What Open Food Facts says of a product, read as the input of strangers that it is: a value that cannot be is left out, and
//! a product that cannot be is refused with the reason.
//!
//! Per 100 ml counts as per 100 g. Carbohydrate of most labels there is without fibre, ours is with it.

use lastbite_protocol::foods::{FoodCategory, Nutrients, Serving};
use serde_json::Value;

use crate::{
    foods::{
        amounts::{part_of, whole},
        barcode::Barcode,
    },
    limits,
    nutrition::{
        atwater::{self, Contradiction, Plausibility},
        portion::PORTION_DG_MOST,
    },
};

/// The most energy that is believed of 100 g: pure fat has 900 kcal.
const ENERGY_KCAL_MOST: f64 = 900.0;
const KJ_PER_KCAL: f64 = 4.184;
/// Salt is 39.3 % sodium.
const SODIUM_G_MOST: f64 = 40.0;
/// A millilitre of alcohol.
const ALCOHOL_MG_PER_ML: f64 = 789.0;
/// The weight that the parts of 100 g may have after rounding, dg.
const ROUNDED_WEIGHT_DG: u32 = 1_050;

/// A product as a food.
#[derive(Debug, PartialEq)]
pub(super) struct Label {
    pub(super) name_ko: Option<String>,
    pub(super) name_en: Option<String>,
    pub(super) category: FoodCategory,
    pub(super) per_100g: Nutrients,
    pub(super) servings: Vec<Serving>,
}

/// Why a product is no food.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unusable {
    #[error("nobody has said what it is called")]
    Nameless,
    #[error("nobody has said its energy, nor its carbohydrate, protein and fat")]
    Incomplete,
    #[error("what is said of it cannot be: {0}")]
    Impossible(Contradiction),
    #[error("it is said to have {declared_kcal} kcal, and what is in it makes {computed_kcal} kcal")]
    Disagrees { declared_kcal: u32, computed_kcal: u32 },
}

/// Reads a product.
pub(super) fn read(barcode: &Barcode, product: &Value) -> Result<Label, Unusable> {
    let (name_ko, name_en) = names(product).ok_or(Unusable::Nameless)?;
    let told = Told(&product["nutriments"]);
    let mut per_100g = told.nutrients(barcode);
    let category = category(product, &per_100g);
    if category == FoodCategory::Water {
        // Plain water has none, whether or not somebody took the trouble to say so.
        per_100g.energy_kcal = Some(0);
    }
    if atwater::best_known_dcal(&per_100g).is_none() {
        return Err(Unusable::Incomplete);
    }
    match atwater::plausibility(&per_100g, Some(ROUNDED_WEIGHT_DG)) {
        Plausibility::Impossible(why) => return Err(Unusable::Impossible(why)),
        // Polyols give less than other carbohydrate, and are not counted apart from it here.
        Plausibility::Implausible { declared_kcal, computed_kcal } if told.grams("polyols").unwrap_or(0) == 0 => {
            return Err(Unusable::Disagrees { declared_kcal, computed_kcal });
        }
        Plausibility::Fine | Plausibility::Implausible { .. } => {}
    }
    Ok(Label { name_ko, name_en, category, per_100g, servings: serving(product).into_iter().collect() })
}

/// Its Korean name and one in another language, of which there is one at least.
fn names(product: &Value) -> Option<(Option<String>, Option<String>)> {
    let name = |field: &str| product[field].as_str().and_then(clean);
    let (korean, english, any) = (name("product_name_ko"), name("product_name_en"), name("product_name"));
    let is_korean = |name: &String| name.chars().any(|letter| matches!(letter, '가'..='힣'));
    match (korean, english, any) {
        (None, english, Some(any)) if is_korean(&any) => Some((Some(any), english)),
        (None, None, any) => any.map(|any| (None, Some(any))),
        (korean, english, _) => Some((korean, english)),
    }
}

/// Without signs that show nothing or something else, and short enough.
fn clean(name: &str) -> Option<String> {
    let shows = |letter: char| match letter {
        '<' | '>' => ' ',
        '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' => ' ',
        letter if letter.is_control() => ' ',
        letter => letter,
    };
    let shown: String = name.chars().map(shows).collect();
    let words: Vec<_> = shown.split_whitespace().collect();
    let short: String = words.join(" ").chars().take(limits::FOOD_NAME_CHARS_MAX).collect();
    short.chars().any(char::is_alphanumeric).then(|| short.trim_end().to_owned())
}

/// `nutriments`, each per 100 g or 100 ml, in grams.
struct Told<'a>(&'a Value);

impl Told<'_> {
    fn nutrients(&self, barcode: &Barcode) -> Nutrients {
        let fibre_mg = self.grams("fiber");
        let carbohydrate_mg = self.grams("carbohydrates-total").or_else(|| {
            let of_label = self.grams("carbohydrates")?;
            Some(if barcode.counts_fibre() { of_label } else { of_label + fibre_mg.unwrap_or(0) })
        });
        let sugars_mg = part_of(self.grams("sugars"), carbohydrate_mg);
        let fat_mg = self.grams("fat");
        Nutrients {
            energy_kcal: self.energy_kcal(),
            carbohydrate_mg,
            sugars_mg,
            added_sugars_mg: part_of(self.grams("added-sugars"), sugars_mg),
            fibre_mg: part_of(fibre_mg, carbohydrate_mg),
            protein_mg: self.grams("proteins"),
            fat_mg,
            saturates_mg: part_of(self.grams("saturated-fat"), fat_mg),
            // Of a drink by volume, in percent.
            alcohol_mg: self.number("alcohol", 100.0).map(|percent| whole(percent * ALCOHOL_MG_PER_ML)),
            sodium_mg: self.sodium_mg(),
            ..Nutrients::default()
        }
    }

    fn energy_kcal(&self) -> Option<u32> {
        let kj = |name| self.number(name, ENERGY_KCAL_MOST * KJ_PER_KCAL).map(|kj| kj / KJ_PER_KCAL);
        let kcal = self.number("energy-kcal", ENERGY_KCAL_MOST);
        kcal.or_else(|| kj("energy-kj")).or_else(|| kj("energy")).map(whole)
    }

    fn sodium_mg(&self) -> Option<u32> {
        let sodium = self.number("sodium", SODIUM_G_MOST);
        let of_salt = || self.number("salt", 100.0).map(|salt| salt / 2.5);
        sodium.or_else(of_salt).map(|grams| whole(grams * 1_000.0))
    }

    /// In milligrams, of what is told in grams.
    fn grams(&self, name: &str) -> Option<u32> {
        self.number(name, 100.0).map(|grams| whole(grams * 1_000.0))
    }

    /// A number from zero to `most`, written as one or as a text.
    fn number(&self, name: &str, most: f64) -> Option<f64> {
        number(&self.0[format!("{name}_100g")]).filter(|number| (0.0..=most).contains(number))
    }
}

fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

/// Nutri-Score's table, where what people said of the product is clear.
fn category(product: &Value, per_100g: &Nutrients) -> FoodCategory {
    // Powders and syrups are told as they are sold.
    const NO_DRINKS: [&str; 10] = [
        "beverage-preparations",
        "cocoa-and-chocolate-powders",
        "coffee-beans",
        "condensed-milks",
        "dehydrated-beverages",
        "ground-coffees",
        "instant-beverages",
        "milk-powders",
        "syrups",
        "tea-bags",
    ];
    const DRINKS: [&str; 5] =
        ["beverages", "dairy-drinks", "milks", "milk-substitutes", "plant-based-milk-alternatives"];
    const WATERS: [&str; 4] = ["waters", "spring-waters", "mineral-waters", "natural-mineral-waters"];
    const FATS: [&str; 7] = ["butters", "fats", "margarines", "nuts", "seeds", "vegetable-fats", "vegetable-oils"];
    let tags: Vec<&str> =
        product["categories_tags"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let has = |names: &[&str]| tags.iter().any(|tag| tag.strip_prefix("en:").is_some_and(|tag| names.contains(&tag)));
    let group = |field: &str, names: &[&str]| {
        product[field].as_str().is_some_and(|group| names.iter().any(|name| group.eq_ignore_ascii_case(name)))
    };
    let is_drink = (has(&DRINKS) || group("pnns_groups_1", &["beverages", "alcoholic beverages"])) && !has(&NO_DRINKS);
    let is_empty = [per_100g.energy_kcal, per_100g.sugars_mg, per_100g.carbohydrate_mg]
        .iter()
        .all(|amount| amount.unwrap_or(0) == 0);
    if has(&WATERS) && !has(&["flavored-waters", "flavoured-waters", "sweetened-beverages"]) && is_empty {
        FoodCategory::Water
    } else if is_drink || has(&WATERS) {
        FoodCategory::Beverage
    } else if has(&["cheeses"]) || group("pnns_groups_2", &["cheese"]) {
        FoodCategory::Cheese
    } else if has(&FATS) || group("pnns_groups_2", &["fats", "nuts"]) {
        FoodCategory::Fat
    } else {
        FoodCategory::General
    }
}

/// What the label calls a serving, in grams or millilitres.
fn serving(product: &Value) -> Option<Serving> {
    let unit = &product["serving_quantity_unit"];
    let is_weight = unit.as_str().is_none_or(|unit| unit.is_empty() || matches!(unit, "g" | "ml"));
    let grams = number(&product["serving_quantity"]).filter(|grams| is_weight && grams.is_finite())?;
    let grams_dg = whole(grams * 10.0);
    let name = |name: &str| name.to_owned();
    (1..=PORTION_DG_MOST).contains(&grams_dg).then(|| Serving {
        name_ko: name("1회 제공량"),
        name_en: name("a serving"),
        grams_dg,
    })
}

#[cfg(test)]
mod tests;
