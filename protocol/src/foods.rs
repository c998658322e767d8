//! Foods and what is in them.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What is in 100 g of a food, or in a whole meal. Absent is unknown, never zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Nutrients {
    /// Energy, kcal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub energy_kcal: Option<u32>,
    /// Carbohydrate with fibre and sugars, as Korean and US labels count it, mg.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub carbohydrate_mg: Option<u32>,
    /// All sugars, mg.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sugars_mg: Option<u32>,
    /// Sugars that were added, mg.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub added_sugars_mg: Option<u32>,
    /// Fibre, mg.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fibre_mg: Option<u32>,
    /// Protein, mg.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protein_mg: Option<u32>,
    /// Fat, mg.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fat_mg: Option<u32>,
    /// Saturated fatty acids, mg.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub saturates_mg: Option<u32>,
    /// Alcohol, mg.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alcohol_mg: Option<u32>,
    /// Sodium, mg. Salt is 2.5 times as much.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sodium_mg: Option<u32>,
    /// Potassium, mg.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub potassium_mg: Option<u32>,
    /// Calcium, mg.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calcium_mg: Option<u32>,
    /// Magnesium, mg.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub magnesium_mg: Option<u32>,
    /// Iron, µg.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub iron_ug: Option<u32>,
    /// Vitamin A as retinol activity equivalents, µg.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vitamin_a_ug: Option<u32>,
    /// Vitamin C, µg.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vitamin_c_ug: Option<u32>,
    /// Vitamin E as alpha-tocopherol, µg.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vitamin_e_ug: Option<u32>,
}

/// Which of Nutri-Score's tables a food is looked up in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FoodCategory {
    /// Most foods, soups and stews included.
    General,
    /// A general food whose protein points are at most 2.
    RedMeat,
    /// A general food whose protein always counts.
    Cheese,
    /// Fats, oils, nuts and seeds.
    Fat,
    /// Drinks, milk and plant drinks included.
    Beverage,
    /// Plain water.
    Water,
}

named!(FoodCategory {
    General = "general",
    RedMeat = "red_meat",
    Cheese = "cheese",
    Fat = "fat",
    Beverage = "beverage",
    Water = "water",
});

/// A Nutri-Score.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
pub enum Grade {
    /// The best.
    A,
    /// Good.
    B,
    /// In between.
    C,
    /// Poor.
    D,
    /// The worst.
    E,
    /// Too little is known.
    #[serde(rename = "UNKNOWN")]
    Unknown,
}

named!(Grade { A = "A", B = "B", C = "C", D = "D", E = "E", Unknown = "UNKNOWN" });

/// A usual amount of a food.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Serving {
    /// In Korean, such as `한 공기`.
    #[schema(max_length = 50)]
    pub name_ko: String,
    /// In English, such as `a bowl`.
    #[schema(max_length = 50)]
    pub name_en: String,
    /// Weight in decigrams: 2,100 are 210 g. At most 5 kg.
    #[schema(minimum = 1, maximum = 50_000)]
    pub grams_dg: u32,
}

/// A food of the table, or one that a user has made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Food {
    /// Its id, such as `ko:ssalbap`.
    pub id: String,
    /// Its Korean name, if it has one. It has a name in one of the languages at least.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name_ko: Option<String>,
    /// Its English name, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name_en: Option<String>,
    /// Which of Nutri-Score's tables it is looked up in.
    pub category: FoodCategory,
    /// What is in 100 g of it.
    pub per_100g: Nutrients,
    /// Share of fruit, vegetables and legumes, in permille of its weight.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fruit_veg_legume_permille: Option<u16>,
    /// Whether a drink holds sweeteners without energy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub has_sweetener: Option<bool>,
    /// Usual amounts, the most usual first.
    pub servings: Vec<Serving>,
    /// Its Nutri-Score, by 100 g.
    pub grade: Grade,
    /// Whether something that the grade needs is unknown and was taken as none.
    pub grade_estimated: bool,
    /// Where its numbers are from.
    pub source: String,
    /// Under which licence they are.
    pub licence: String,
    /// Whether the caller has made it; nobody else sees it.
    pub own: bool,
}

/// A food that a user makes for themselves: from a label, or from what they know of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewFood {
    /// Its name in either language, 1 to 100 characters.
    #[schema(min_length = 1, max_length = 100)]
    pub name: String,
    /// Which of Nutri-Score's tables it is looked up in.
    pub category: FoodCategory,
    /// What is in 100 g of it. Energy may be left out where carbohydrate, protein and fat are told.
    pub per_100g: Nutrients,
    /// Share of fruit, vegetables and legumes, in permille of its weight.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(maximum = 1_000)]
    pub fruit_veg_legume_permille: Option<u16>,
    /// Usual amounts, at most 10.
    #[serde(default)]
    #[schema(max_items = 10)]
    pub servings: Vec<Serving>,
}
