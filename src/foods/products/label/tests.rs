//! Products as they are told, good and bad.

use serde_json::json;

use super::*;

const FRENCH: &str = "3017620422003";
const KOREAN: &str = "8801043014830";

fn told(barcode: &str, product: &Value) -> Result<Label, Unusable> {
    read(&barcode.parse().unwrap(), product)
}

fn bar() -> Value {
    json!({
        "product_name": "Barre",
        "nutriments": {
            "energy-kcal_100g": 400, "carbohydrates_100g": 50, "sugars_100g": "30.5", "fiber_100g": 6.25, "proteins_100g": 10,
            "fat_100g": 16, "saturated-fat_100g": 4, "salt_100g": 1,
        },
    })
}

/// The bar with one of its values replaced, or taken away.
fn with(name: &str, value: Value) -> Value {
    let mut bar = bar();
    bar["nutriments"][format!("{name}_100g")] = value;
    bar
}

#[test]
fn carbohydrate_is_with_fibre_wherever_the_label_is_from() {
    let french = told(FRENCH, &bar()).unwrap().per_100g;
    assert_eq!((french.carbohydrate_mg, french.fibre_mg), (Some(56_250), Some(6_250)));
    let korean = told(KOREAN, &bar()).unwrap().per_100g;
    assert_eq!((korean.carbohydrate_mg, korean.fibre_mg), (Some(50_000), Some(6_250)));
    let total = told(FRENCH, &with("carbohydrates-total", json!(55))).unwrap().per_100g;
    assert_eq!(total.carbohydrate_mg, Some(55_000));
    let without = told(FRENCH, &with("fiber", Value::Null)).unwrap().per_100g;
    assert_eq!((without.carbohydrate_mg, without.fibre_mg), (Some(50_000), None));
}

#[test]
fn numbers_are_numbers_or_texts_of_them() {
    let read = told(FRENCH, &bar()).unwrap().per_100g;
    assert_eq!((read.energy_kcal, read.sugars_mg, read.sodium_mg), (Some(400), Some(30_500), Some(400)));
    assert_eq!((read.protein_mg, read.fat_mg, read.saturates_mg), (Some(10_000), Some(16_000), Some(4_000)));
    let sodium = told(FRENCH, &with("sodium", json!("0.5"))).unwrap().per_100g;
    assert_eq!(sodium.sodium_mg, Some(500), "it is nearer to what we keep than salt");
    let mut kj = with("energy-kcal", Value::Null);
    kj["nutriments"]["energy-kj_100g"] = json!("1674");
    assert_eq!(told(FRENCH, &kj).unwrap().per_100g.energy_kcal, Some(400));
}

#[test]
fn a_value_that_cannot_be_is_left_out() {
    let odd = [
        json!("NaN"),
        json!("inf"),
        json!(-1),
        json!("-0.1"),
        json!(100.1),
        json!(1e300),
        json!("1,5"),
        json!(""),
        json!(null),
        json!(true),
        json!([1]),
        json!({ "value": 1 }),
        json!("<b>3</b>"),
    ];
    for value in odd {
        for (name, pick) in [
            ("sugars", (|food| food.sugars_mg) as fn(Nutrients) -> Option<u32>),
            ("fiber", |food| food.fibre_mg),
            ("saturated-fat", |food| food.saturates_mg),
            ("salt", |food| food.sodium_mg),
            ("fat", |food| food.fat_mg),
        ] {
            let left = told(FRENCH, &with(name, value.clone())).unwrap().per_100g;
            assert_eq!(pick(left), None, "{name}: {value}");
        }
    }
    for energy in [json!(901), json!("NaN"), json!(-1), Value::Null] {
        let left = told(FRENCH, &with("energy-kcal", energy.clone())).unwrap().per_100g;
        assert_eq!(left.energy_kcal, None, "{energy}: its macros say enough");
    }
    let more_than_fat = told(FRENCH, &with("saturated-fat", json!(17))).unwrap().per_100g;
    assert_eq!(more_than_fat.saturates_mg, None);
    let rounded = told(FRENCH, &with("saturated-fat", json!(16.3))).unwrap().per_100g;
    assert_eq!(rounded.saturates_mg, Some(16_000));
}

#[test]
fn a_product_that_cannot_be_is_refused_with_the_reason() {
    assert_eq!(told(FRENCH, &json!({})), Err(Unusable::Nameless));
    for name in ["", "  ", "<>", "\u{202e}\u{200b}", "!?"] {
        let mut nameless = bar();
        nameless["product_name"] = json!(name);
        assert_eq!(told(FRENCH, &nameless), Err(Unusable::Nameless), "{name:?}");
    }
    assert_eq!(told(FRENCH, &json!({ "product_name": "Barre" })), Err(Unusable::Incomplete));
    let only_some = json!({ "product_name": "Barre", "nutriments": { "fat_100g": 1, "energy-kcal_100g": 5_000 } });
    assert_eq!(told(FRENCH, &only_some), Err(Unusable::Incomplete));
    let heavy = with("proteins", json!(60));
    assert_eq!(told(FRENCH, &heavy), Err(Unusable::Impossible(Contradiction::HeavierThanFood)));
    let in_kj = with("energy-kcal", json!(95));
    let Err(Unusable::Disagrees { declared_kcal: 95, computed_kcal }) = told(FRENCH, &in_kj) else { panic!("{in_kj}") };
    assert!((380..=400).contains(&computed_kcal), "{computed_kcal}");
    let mut gum = in_kj;
    gum["nutriments"]["polyols_100g"] = json!(48);
    assert!(told(FRENCH, &gum).is_ok(), "polyols explain it");
}

#[test]
fn alcohol_is_told_by_volume_and_explains_the_energy() {
    let beer = json!({
        "product_name_en": "Beer", "categories_tags": ["en:beverages", "en:beers"],
        "nutriments": { "energy-kcal_100g": 43, "carbohydrates_100g": 3.5, "proteins_100g": 0.5, "fat_100g": 0, "alcohol_100g": 5 },
    });
    let read = told(FRENCH, &beer).unwrap();
    assert_eq!((read.per_100g.alcohol_mg, read.category), (Some(3_945), FoodCategory::Beverage));
}

#[test]
fn the_category_is_the_clear_one_or_general() {
    let of = |fields: Value, energy_kcal: u32| {
        let mut product = fields;
        product["product_name"] = json!("x");
        product["nutriments"] = json!({ "energy-kcal_100g": energy_kcal });
        told(FRENCH, &product).unwrap().category
    };
    let tags = |tags: &[&str]| json!({ "categories_tags": tags });
    for (fields, energy_kcal, wanted) in [
        (json!({}), 42, FoodCategory::General),
        (tags(&["en:beverages", "en:sodas"]), 42, FoodCategory::Beverage),
        (tags(&["en:dairies", "en:milks"]), 46, FoodCategory::Beverage),
        (tags(&["en:beverages", "en:dehydrated-beverages"]), 380, FoodCategory::General),
        (tags(&["en:beverages", "en:waters", "en:spring-waters"]), 0, FoodCategory::Water),
        (tags(&["en:beverages", "en:waters", "en:flavored-waters"]), 0, FoodCategory::Beverage),
        (tags(&["en:waters"]), 20, FoodCategory::Beverage),
        (tags(&["en:dairies", "en:cheeses"]), 400, FoodCategory::Cheese),
        (tags(&["en:fats", "en:vegetable-fats", "en:olive-oils"]), 899, FoodCategory::Fat),
        (tags(&["en:almonds", "en:nuts"]), 600, FoodCategory::Fat),
        (tags(&["fr:fats"]), 600, FoodCategory::General),
        (json!({ "pnns_groups_1": "Beverages", "pnns_groups_2": "Sweetened beverages" }), 42, FoodCategory::Beverage),
        (json!({ "pnns_groups_2": "Cheese" }), 300, FoodCategory::Cheese),
        (json!({ "categories_tags": "en:cheeses", "pnns_groups_1": 7 }), 300, FoodCategory::General),
    ] {
        assert_eq!(of(fields.clone(), energy_kcal), wanted, "{fields}");
    }
    let water = json!({ "product_name": "물", "categories_tags": ["en:waters"] });
    let water = told(KOREAN, &water).unwrap();
    assert_eq!((water.category, water.per_100g.energy_kcal), (FoodCategory::Water, Some(0)));
}

#[test]
fn names_go_to_their_language_and_are_clean() {
    let of = |fields: Value| {
        let mut product = bar();
        product.as_object_mut().unwrap().remove("product_name");
        product.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        told(FRENCH, &product).map(|label| (label.name_ko, label.name_en)).unwrap()
    };
    let text = |text: &str| Some(text.to_owned());
    assert_eq!(of(json!({ "product_name": "초코 바" })), (text("초코 바"), None));
    assert_eq!(of(json!({ "product_name": "Barre", "product_name_ko": "바" })), (text("바"), None));
    assert_eq!(of(json!({ "product_name": "바", "product_name_en": "Bar" })), (text("바"), text("Bar")));
    assert_eq!(of(json!({ "product_name": " A\u{202e}b\u{0}\n<script>c " })), (None, text("A b script c")));
    let long = of(json!({ "product_name": "é".repeat(300) })).1.unwrap();
    assert_eq!(long.chars().count(), limits::FOOD_NAME_CHARS_MAX);
}

#[test]
fn a_serving_is_taken_when_it_can_be_one() {
    let of = |quantity: Value, unit: Value| {
        let mut product = bar();
        (product["serving_quantity"], product["serving_quantity_unit"]) = (quantity, unit);
        told(FRENCH, &product).unwrap().servings.first().map(|serving| serving.grams_dg)
    };
    assert_eq!(of(json!("42.5"), json!("g")), Some(425));
    assert_eq!(of(json!(330), json!("ml")), Some(3_300));
    assert_eq!(of(json!(30), Value::Null), Some(300));
    for odd in [json!(0), json!(-5), json!("NaN"), json!("inf"), json!(5_001), json!("a bar"), Value::Null] {
        assert_eq!(of(odd.clone(), Value::Null), None, "{odd}");
    }
    assert_eq!(of(json!(8), json!("oz")), None);
}
