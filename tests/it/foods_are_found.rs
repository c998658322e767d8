//! Foods are found as people type them, say what is in them, and are seen by whom they are for.

use lastbite_protocol::rest::{Food, FoodCategory, Grade, Page};
use serde_json::{Value, json};

use crate::support::{Answer, Player, World};

impl Player {
    async fn looks_for(&self, typed: &str) -> Vec<Food> {
        self.api.get(&format!("/api/v1/foods?q={}", escaped(typed))).await.ok::<Page<Food>>(200).items
    }

    async fn makes_food(&self, food: &Value) -> Answer {
        self.api.post("/api/v1/accounts/me/foods", food).await
    }
}

/// Every byte as a URL may hold it.
fn escaped(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

fn bar() -> Value {
    json!({
        "name": "할머니 강정", "category": "general",
        "per_100g": { "energy_kcal": 430, "carbohydrate_mg": 70_000, "sugars_mg": 30_000, "protein_mg": 8_000, "fat_mg": 13_000 },
        "servings": [{ "name_ko": "한 개", "name_en": "one", "grams_dg": 250 }],
    })
}

#[tokio::test]
async fn foods_are_found_in_korean_and_english_slips_and_all() {
    let world = World::open().await;
    let mina = world.user("mina").await;
    for (typed, wanted) in [
        ("김치찌개", "김치찌개"),
        ("김치 찌개", "김치찌개"),
        ("김치찌게", "김치찌개"),
        ("김찌찌개", "김치찌개"),
        ("된쟝찌개", "된장찌개"),
        ("떡뽁이", "떡볶이"),
        ("ㄱㅊㅉㄱ", "김치찌개"),
        ("비빔", "비빔밥"),
        ("rlaclWlro", "김치찌개"),
        ("bibimbap", "비빔밥"),
        ("밥", "쌀밥"),
        ("삼겹", "삼겹살"),
    ] {
        let found = mina.looks_for(typed).await;
        let names: Vec<_> = found.iter().take(5).filter_map(|food| food.name_ko.as_deref()).collect();
        assert!(names.iter().any(|name| name.contains(wanted)), "{typed}: {names:?}");
    }
    assert_eq!(mina.looks_for("쌀밥").await[0].name_ko.as_deref(), Some("쌀밥"), "the name itself comes first");
    assert_eq!(
        mina.looks_for("ㄱㅊㅉㄱ").await[0].name_ko.as_deref(),
        Some("김치찌개"),
        "a doubled consonant is meant"
    );
    let zucchini = mina.looks_for("zuchini").await;
    let of_usda = |food: &Food| food.name_en.as_deref().is_some_and(|name| name.to_lowercase().contains("zucchini"));
    assert!(zucchini.iter().any(of_usda), "{zucchini:?}");
    for nothing in ["ㅋㅋㅋㅋ", "!!!", "%", "_", "\0", "'; drop table foods; --", "\u{202e}", "qqqqqqqqqqqq"] {
        assert_eq!(mina.looks_for(nothing).await, [], "{nothing:?}");
    }
    world.stop().await;
}

#[tokio::test]
async fn a_food_says_what_is_in_it_and_where_that_is_from() {
    let world = World::open().await;
    let mina = world.user("mina").await;
    let rice: Food = mina.api.get("/api/v1/foods/ko:ssalbap").await.ok(200);
    assert_eq!((rice.category, rice.grade, rice.own), (FoodCategory::General, Grade::A, false));
    assert!(rice.source.starts_with("recipe") && rice.licence.contains("CC0"), "{rice:?}");
    assert_eq!(rice.servings[0].grams_dg, 2_100);
    for unknown in ["ko:nothing", "usda:0", "%00", "..%2F..%2Fetc%2Fpasswd"] {
        mina.api.get(&format!("/api/v1/foods/{unknown}")).await.refused(404, "not_found");
    }
    for wrong in ["", "?q=", "?q=a&limit=0", "?q=a&limit=51", "?q=a&limit=x"] {
        mina.api.get(&format!("/api/v1/foods{wrong}")).await.refused(400, "query_invalid");
    }
    mina.api.get(&format!("/api/v1/foods?q={}", "a".repeat(101))).await.refused(400, "query_invalid");
    world.stop().await;
}

#[tokio::test]
async fn a_food_of_ones_own_is_found_by_nobody_else() {
    let world = World::open().await;
    let (mina, jun) = (world.user("mina").await, world.user("jun").await);
    let made: Food = mina.makes_food(&bar()).await.ok(201);
    assert!(made.own && made.id.starts_with("own:"));
    assert_eq!(mina.looks_for("할머니강정").await[0].id, made.id);
    assert!(jun.looks_for("할머니강정").await.iter().all(|food| food.id != made.id));
    let path = format!("/api/v1/foods/{}", made.id);
    assert_eq!(mina.api.get(&path).await.ok::<Food>(200), made);
    jun.api.get(&path).await.refused(404, "not_found");
    jun.api.delete(&path).await.refused(404, "not_found");
    let own: Page<Food> = mina.api.get("/api/v1/accounts/me/foods").await.ok(200);
    assert_eq!(own.items, std::slice::from_ref(&made));
    mina.api.delete("/api/v1/foods/ko:ssalbap").await.refused(404, "not_found");
    mina.api.delete(&path).await.ok_empty(204);
    mina.api.delete(&path).await.refused(404, "not_found");
    assert!(mina.looks_for("할머니강정").await.iter().all(|food| food.id != made.id));
    assert_eq!(mina.api.get(&path).await.ok::<Food>(200), made, "meals were made of it");
    world.stop().await;
}

#[tokio::test]
async fn a_food_that_cannot_be_is_refused() {
    let world = World::open().await;
    let mina = world.user("mina").await;
    let with = |pointer: &str, value: Value| {
        let mut food = bar();
        *food.pointer_mut(pointer).unwrap() = value;
        food
    };
    for (food, code) in [
        (with("/name", json!("")), "food_name_invalid"),
        (with("/name", json!("!?")), "food_name_invalid"),
        (with("/name", json!("a\0b")), "food_name_invalid"),
        (with("/name", json!("가".repeat(101))), "food_name_invalid"),
        (with("/per_100g", json!({ "protein_mg": 1 })), "food_incomplete"),
        (with("/per_100g/energy_kcal", json!(951)), "food_impossible"),
        (with("/per_100g/fat_mg", json!(30_000)), "food_impossible"),
        (with("/per_100g/sugars_mg", json!(70_001)), "food_impossible"),
        (with("/per_100g/energy_kcal", json!(-1)), "json_invalid"),
        (with("/per_100g/energy_kcal", json!("NaN")), "json_invalid"),
        (with("/category", json!("candy")), "json_invalid"),
        (with("/servings/0/grams_dg", json!(0)), "servings_invalid"),
        (with("/servings/0/grams_dg", json!(50_001)), "servings_invalid"),
        (with("/servings/0/name_ko", json!("가".repeat(51))), "servings_invalid"),
    ] {
        mina.makes_food(&food).await.refused(422, code);
    }
    assert_eq!(world.count("select count(*) from foods where user_id is not null").await, 0);
    world.stop().await;
}

#[tokio::test]
async fn the_table_is_loaded_once_and_what_it_has_no_more_is_retired() {
    let world = World::open().await;
    let mina = world.user("mina").await;
    assert!(world.count("select count(*) from foods where id like 'ko:%'").await >= 300);
    let all = world.count("select count(*) from foods").await;
    sqlx::query("update food_tables set edition = 'another'").execute(&world.db).await.unwrap();
    sqlx::query("insert into foods select 'ko:gone', user_id, '없어진 음식', name_en, category, per_100g, fruit_veg_legume_permille,
                 has_sweetener, servings, source, licence from foods where id = 'ko:ssalbap'")
        .execute(&world.db)
        .await
        .unwrap();
    sqlx::query("update foods set per_100g = '{\"energy_kcal\": 1}' where id = 'ko:ssalbap'")
        .execute(&world.db)
        .await
        .unwrap();
    for _ in 0..2 {
        lastbite::foods::load(&world.db).await.unwrap();
    }
    assert_eq!(world.count("select count(*) from foods where retired_at is null").await, all);
    let rice: Food = mina.api.get("/api/v1/foods/ko:ssalbap").await.ok(200);
    assert!(rice.per_100g.energy_kcal.unwrap() > 100);
    mina.api.get("/api/v1/foods/ko:gone").await.ok::<Food>(200);
    world.stop().await;
}
