//! FoodData Central's JSON, food by food: it is larger than one wants in memory.

use std::{fmt, io::Read};

use lastbite_protocol::foods::{FoodCategory, Serving};
use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use super::{
    Each,
    entry::{self, About, Entry, Skip, Told},
};
use crate::limits;

const LICENCE: &str = "public domain (CC0 1.0), U.S. Department of Agriculture, FoodData Central";
const ARRAYS: [&str; 3] = ["FoundationFoods", "SRLegacyFoods", "SurveyFoods"];
const NO_ARRAY: &str = "no array called FoundationFoods, SRLegacyFoods or SurveyFoods";
/// Carbohydrate is what is left of 100 g, so errors of the rest can make it a little less than nothing.
const BY_DIFFERENCE_G_LEAST: f64 = -1.0;
/// A drink that has more is a powder or a syrup.
const DRINK_KCAL_MOST: u32 = 120;

/// Reads a file.
///
/// # Errors
/// Where and why it is no such file.
pub(super) fn read(file: impl Read, each: Each<'_>) -> Result<(), String> {
    let mut at = 0;
    let mut json = serde_json::Deserializer::from_reader(file);
    let mut one = |food: Value| {
        at += 1;
        each(at, food_of(&food))
    };
    let read = json.deserialize_map(Whole { one: &mut one });
    match read.and_then(|found| json.end().map(|()| found)) {
        Ok(true) => Ok(()),
        Ok(false) => Err(NO_ARRAY.to_owned()),
        Err(error) => Err(format!("food {}: {error}", at + 1)),
    }
}

/// The object around the foods. Answers whether there were any.
struct Whole<'a> {
    one: &'a mut dyn FnMut(Value) -> bool,
}

impl<'de> Visitor<'de> for Whole<'_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with foods")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<bool, A::Error> {
        let mut found = false;
        while let Some(name) = map.next_key::<String>()? {
            if ARRAYS.contains(&name.as_str()) {
                found = true;
                map.next_value_seed(Foods { one: &mut *self.one })?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(found)
    }
}

struct Foods<'a> {
    one: &'a mut dyn FnMut(Value) -> bool,
}

impl<'de> DeserializeSeed<'de> for Foods<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Foods<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of foods")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut foods: A) -> Result<(), A::Error> {
        while let Some(food) = foods.next_element()? {
            if !(self.one)(food) {
                return Err(A::Error::custom("nobody wants more"));
            }
        }
        Ok(())
    }
}

fn food_of(food: &Value) -> Result<Entry, Skip> {
    let fdc_id = food["fdcId"].as_u64().ok_or(Skip::Code)?;
    let described = food["description"].as_str().and_then(entry::name).ok_or(Skip::Name)?;
    let per_100g = entry::per_100g(|what| amount(food, what))?;
    let about = About {
        id: format!("usda:fdc-{fdc_id}"),
        name_ko: None,
        name_en: Some(described.clone()),
        category: category(food, &described, per_100g.energy_kcal),
        servings: servings(food),
        source: match food["dataType"].as_str().and_then(entry::name) {
            Some(kind) => format!("USDA FoodData Central, {kind}: {described} (FDC {fdc_id})"),
            None => format!("USDA FoodData Central: {described} (FDC {fdc_id})"),
        },
        names: vec![described],
        licence: LICENCE,
    };
    Entry::of(about, per_100g)
}

/// The ids of a nutrient, the best first.
const fn ids(what: Told) -> &'static [u64] {
    match what {
        // The last two are worked out by Atwater's factors, where none was measured.
        Told::EnergyKcal => &[1008, 2048, 2047],
        Told::CarbohydrateG => &[1005, 1050],
        Told::SugarsG => &[2000, 1063],
        Told::AddedSugarsG => &[1235],
        Told::FibreG => &[1079],
        Told::ProteinG => &[1003],
        Told::FatG => &[1004, 1085],
        Told::SaturatesG => &[1258],
        Told::AlcoholG => &[1018],
        Told::SodiumMg => &[1093],
        Told::PotassiumMg => &[1092],
        Told::CalciumMg => &[1087],
        Told::MagnesiumMg => &[1090],
        Told::IronMg => &[1089],
        Told::VitaminAUg => &[1106],
        Told::VitaminCMg => &[1162],
        Told::VitaminEMg => &[1109],
    }
}

fn amount(food: &Value, what: Told) -> Result<Option<f64>, Skip> {
    let told = food["foodNutrients"].as_array().into_iter().flatten();
    let id_of = |told: &Value| told["nutrient"]["id"].as_u64().or(told["nutrientId"].as_u64());
    for id in ids(what) {
        let Some(nutrient) = told.clone().find(|told| id_of(told) == Some(*id)) else { continue };
        let value =
            ["amount", "median", "value"].into_iter().map(|name| &nutrient[name]).find(|value| !value.is_null());
        let Some(value) = value else { continue };
        let amount = value.as_f64().ok_or(Skip::NoNumber)?;
        let is_nearly_none = what == Told::CarbohydrateG && (BY_DIFFERENCE_G_LEAST..0.0).contains(&amount);
        return Ok(Some(if is_nearly_none { 0.0 } else { amount }));
    }
    Ok(None)
}

fn category(food: &Value, described: &str, energy_kcal: Option<u32>) -> FoodCategory {
    let group = food["foodCategory"]["description"]
        .as_str()
        .or(food["foodCategory"].as_str())
        .or(food["wweiaFoodCategory"]["wweiaFoodCategoryDescription"].as_str())
        .unwrap_or_default()
        .to_lowercase();
    let described = described.to_lowercase();
    let in_group = |names: &[&str]| names.iter().any(|name| group.contains(name));
    let begins = |names: &[&str]| names.iter().any(|name| described.starts_with(name));
    let is_thin = energy_kcal.is_some_and(|kcal| kcal <= DRINK_KCAL_MOST);
    if begins(&["water,", "beverages, water,"]) && energy_kcal == Some(0) {
        FoodCategory::Water
    } else if is_thin
        && (in_group(&["beverages", "coffee", "tea", "soft drinks", "fruit drinks"]) || begins(&["milk,"]))
    {
        FoodCategory::Beverage
    } else if group == "cheese" || (in_group(&["dairy"]) && begins(&["cheese,"])) {
        FoodCategory::Cheese
    } else if in_group(&["fats and oils", "nut and seed", "nuts and seeds"]) {
        FoodCategory::Fat
    } else if in_group(&["beef products", "pork products", "lamb, veal"]) {
        FoodCategory::RedMeat
    } else {
        FoodCategory::General
    }
}

fn servings(food: &Value) -> Vec<Serving> {
    let of = |portion: &Value| {
        let text = |value: &Value| value.as_str().map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned);
        let unit = text(&portion["measureUnit"]["name"]).filter(|unit| unit != "undetermined");
        let words = [unit, text(&portion["modifier"]).filter(|word| word.parse::<u64>().is_err())];
        let words: Vec<_> = words.into_iter().flatten().collect();
        let counted = (!words.is_empty()).then(|| {
            let count = portion["amount"].as_f64().unwrap_or(1.0);
            format!("{count} {}", words.join(", "))
        });
        let name = text(&portion["portionDescription"]).or(counted).unwrap_or_else(|| "a portion".to_owned());
        let is_told = !name.starts_with("Quantity not specified");
        is_told.then(|| entry::serving("1회분", &name, portion["gramWeight"].as_f64()?)).flatten()
    };
    food["foodPortions"].as_array().into_iter().flatten().filter_map(of).take(limits::SERVINGS_MAX).collect()
}
