//! A food of a file, on its way into the table: what is told of it, and whether that can be.

use lastbite_protocol::foods::{FoodCategory, Nutrients, Serving};

use crate::{
    foods::{
        amounts::{part_of, whole},
        rows::{NameRow, Row},
    },
    limits,
    nutrition::{
        atwater::{self, Plausibility},
        portion::PORTION_DG_MOST,
    },
};

/// Found after the foods of the table that comes with the server.
const TIER: i16 = 4;
/// Pure fat has 902 kcal by the factors that tables use.
const ENERGY_KCAL_MOST: f64 = 902.0;
/// The weight that the parts of 100 g may have after rounding, dg.
const ROUNDED_WEIGHT_DG: u32 = 1_050;
/// A declared energy is warned of when it is off what is in the food by this share of itself and so many kcal more.
const OFF_PERCENT: u64 = 30;
const OFF_KCAL: u64 = 8;

/// What files tell of, each in the unit in which all of them do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Told {
    EnergyKcal,
    CarbohydrateG,
    SugarsG,
    AddedSugarsG,
    FibreG,
    ProteinG,
    FatG,
    SaturatesG,
    AlcoholG,
    SodiumMg,
    PotassiumMg,
    CalciumMg,
    MagnesiumMg,
    IronMg,
    VitaminAUg,
    VitaminCMg,
    VitaminEMg,
}

/// Why a food is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub(super) enum Skip {
    #[error("no code that an id can be made of")]
    Code,
    #[error("no name")]
    Name,
    #[error("the amount that its numbers are for is not told in g or ml")]
    Basis,
    #[error("an amount is no number")]
    NoNumber,
    #[error("an amount is negative")]
    Negative,
    #[error("more than 100 g of something in 100 g")]
    TooMuch,
    #[error("more than 902 kcal")]
    TooDense,
    #[error("carbohydrate, protein, fat and alcohol are heavier than 105 g")]
    TooHeavy,
    #[error("neither energy nor carbohydrate, protein and fat")]
    Incomplete,
    #[error("its code stands further above")]
    Twice,
}

/// A food that can be.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) row: Row,
    /// Its energy is far from what is in it: declared, computed, kcal.
    pub(super) off: Option<(u32, u32)>,
}

/// What is told of a food besides its amounts.
pub(super) struct About {
    pub(super) id: String,
    pub(super) name_ko: Option<String>,
    pub(super) name_en: Option<String>,
    /// What it is searched by.
    pub(super) names: Vec<String>,
    pub(super) category: FoodCategory,
    pub(super) servings: Vec<Serving>,
    pub(super) source: String,
    pub(super) licence: &'static str,
}

impl Entry {
    /// Puts a food together, if it can be.
    pub(super) fn of(about: About, per_100g: Nutrients) -> Result<Self, Skip> {
        if atwater::best_known_dcal(&per_100g).is_none() {
            return Err(Skip::Incomplete);
        }
        if let Plausibility::Impossible(_) = atwater::plausibility(&per_100g, Some(ROUNDED_WEIGHT_DG)) {
            return Err(Skip::TooHeavy);
        }
        let mut names: Vec<_> = about.names.iter().filter_map(|name| NameRow::new(&about.id, name, TIER)).collect();
        names.sort_by(|a, b| a.key.cmp(&b.key));
        names.dedup_by(|a, b| a.key == b.key);
        let row = Row {
            id: about.id,
            name_ko: about.name_ko,
            name_en: about.name_en,
            category: about.category.as_str(),
            per_100g,
            fruit_veg_legume_permille: None,
            has_sweetener: None,
            servings: about.servings,
            source: about.source,
            licence: about.licence.to_owned(),
            names,
        };
        Ok(Self { row, off: off(&per_100g) })
    }
}

fn off(per_100g: &Nutrients) -> Option<(u32, u32)> {
    let (declared, computed) = (per_100g.energy_kcal?, atwater::energy_kcal(per_100g)?);
    let tolerated = u64::from(declared) * OFF_PERCENT / 100 + OFF_KCAL;
    (u64::from(declared.abs_diff(computed)) > tolerated).then_some((declared, computed))
}

/// The nutrients of 100 g, of amounts in the units of [`Told`]. Carbohydrate is told with fibre.
pub(super) fn per_100g(told: impl Fn(Told) -> Result<Option<f64>, Skip>) -> Result<Nutrients, Skip> {
    let amount = |what: Told, factor: f64| -> Result<Option<u32>, Skip> {
        let Some(amount) = told(what)? else { return Ok(None) };
        match amount {
            amount if !amount.is_finite() => Err(Skip::NoNumber),
            amount if amount < 0.0 => Err(Skip::Negative),
            // A gram has a thousand milligrams, and of these as many micrograms.
            amount if amount * factor > most(what) => {
                Err(if what == Told::EnergyKcal { Skip::TooDense } else { Skip::TooMuch })
            }
            amount => Ok(Some(whole(amount * factor))),
        }
    };
    let carbohydrate_mg = amount(Told::CarbohydrateG, 1e3)?;
    let sugars_mg = part_of(amount(Told::SugarsG, 1e3)?, carbohydrate_mg);
    let fat_mg = amount(Told::FatG, 1e3)?;
    Ok(Nutrients {
        energy_kcal: amount(Told::EnergyKcal, 1.0)?,
        carbohydrate_mg,
        sugars_mg,
        added_sugars_mg: part_of(amount(Told::AddedSugarsG, 1e3)?, sugars_mg),
        fibre_mg: part_of(amount(Told::FibreG, 1e3)?, carbohydrate_mg),
        protein_mg: amount(Told::ProteinG, 1e3)?,
        fat_mg,
        saturates_mg: part_of(amount(Told::SaturatesG, 1e3)?, fat_mg),
        alcohol_mg: amount(Told::AlcoholG, 1e3)?,
        sodium_mg: amount(Told::SodiumMg, 1.0)?,
        potassium_mg: amount(Told::PotassiumMg, 1.0)?,
        calcium_mg: amount(Told::CalciumMg, 1.0)?,
        magnesium_mg: amount(Told::MagnesiumMg, 1.0)?,
        iron_ug: amount(Told::IronMg, 1e3)?,
        vitamin_a_ug: amount(Told::VitaminAUg, 1.0)?,
        vitamin_c_ug: amount(Told::VitaminCMg, 1e3)?,
        vitamin_e_ug: amount(Told::VitaminEMg, 1e3)?,
    })
}

/// The most of it in 100 g, in the unit in which it is kept.
fn most(what: Told) -> f64 {
    match what {
        Told::EnergyKcal => ENERGY_KCAL_MOST,
        Told::IronMg | Told::VitaminAUg | Told::VitaminCMg | Told::VitaminEMg => 1e8,
        _ => 1e5,
    }
}

/// A name without signs that show nothing, short enough for one.
pub(super) fn name(text: &str) -> Option<String> {
    let plain = plain(text, limits::FOOD_NAME_CHARS_MAX);
    plain.chars().any(char::is_alphanumeric).then_some(plain)
}

/// A usual amount, if it can be one.
pub(super) fn serving(name_ko: &str, name_en: &str, grams: f64) -> Option<Serving> {
    let grams_dg = whole(grams * 10.0);
    let short = |name| plain(name, limits::SERVING_NAME_CHARS_MAX);
    let can_be = grams.is_finite() && (1..=PORTION_DG_MOST).contains(&grams_dg);
    can_be.then(|| Serving { name_ko: short(name_ko), name_en: short(name_en), grams_dg })
}

fn plain(text: &str, chars: usize) -> String {
    let words: Vec<_> = text
        .split(|letter: char| letter.is_whitespace() || letter.is_control())
        .filter(|word| !word.is_empty())
        .collect();
    words.join(" ").chars().take(chars).collect::<String>().trim_end().to_owned()
}
