//! Meals of foods and grams: their sums, grade and how sure they are; what they were before; and eating the same again.

use lastbite_protocol::rest::{Food, Grade, Meal, MealOutcome, MealVersion, MealWarning, Page};
use serde_json::{Value, json};

use crate::support::{Answer, Player, World, seoul, uploads::lunch_today};

const MEALS: &str = "/api/v1/meals";

fn made_of(items: Value) -> Value {
    let mut meal = lunch_today();
    meal.as_object_mut().unwrap().remove("amounts");
    meal["items"] = items;
    meal
}

impl Player {
    async fn eats_items(&self, items: Value) -> Answer {
        self.api.post(MEALS, &made_of(items)).await
    }
}

#[tokio::test]
async fn a_meal_is_the_sum_of_its_foods() {
    let world = World::open().await;
    world.time(seoul("2026-03-01 12:00"));
    let mina = world.user("mina").await;
    let food = async |id: &str| mina.api.get(&format!("/api/v1/foods/{id}")).await.ok::<Food>(200);
    let (rice, stew) = (food("ko:ssalbap").await, food("ko:kimchi-jjigae").await);
    let items =
        json!([{ "food": rice.id, "grams_dg": 2_100 }, { "food": stew.id, "grams_dg": 4_000, "weighed": true }]);
    let logged = mina.eats_items(items).await.ok::<MealOutcome>(201).meal;
    // Exactly, and rounded once: the sum of grams times what is in 100 g.
    let exact = 2_100 * rice.per_100g.energy_kcal.unwrap() + 4_000 * stew.per_100g.energy_kcal.unwrap();
    assert_eq!(logged.amounts.energy_kcal, (exact + 500) / 1_000);
    let protein =
        2_100 * u64::from(rice.per_100g.protein_mg.unwrap()) + 4_000 * u64::from(stew.per_100g.protein_mg.unwrap());
    assert_eq!(u64::from(logged.amounts.protein_mg.unwrap()), (protein + 500) / 1_000);
    let contents = &logged.contents;
    assert_eq!(contents.nutrients.energy_kcal, Some(logged.amounts.energy_kcal));
    assert!(
        contents.energy_kcal_low < logged.amounts.energy_kcal && logged.amounts.energy_kcal < contents.energy_kcal_high
    );
    assert_eq!(contents.items[0].name_ko.as_deref(), Some("쌀밥"));
    assert_eq!((contents.items[0].weighed, contents.items[1].weighed), (false, true));
    assert_ne!(contents.grade, Grade::Unknown, "{contents:?}");
    assert_eq!(mina.api.get(&format!("{MEALS}/{}", logged.id)).await.ok::<Meal>(200), logged);
    // Whoever weighs all knows it better.
    let weighed = json!([{ "food": rice.id, "grams_dg": 2_100, "weighed": true }]);
    let surely = mina.eats_items(weighed).await.ok::<MealOutcome>(201).meal;
    let width = surely.contents.energy_kcal_high - surely.contents.energy_kcal_low;
    assert!(width <= surely.amounts.energy_kcal / 5 + 2, "a tenth either way: {width}");
    world.stop().await;
}

#[tokio::test]
async fn a_meal_of_what_is_not_there_or_cannot_be_is_refused() {
    let world = World::open().await;
    world.time(seoul("2026-03-01 12:00"));
    let (mina, jun) = (world.user("mina").await, world.user("jun").await);
    let bar = json!({ "name": "jun's bar", "category": "general", "per_100g": { "energy_kcal": 400 } });
    let of_jun: Food = jun.api.post("/api/v1/accounts/me/foods", &bar).await.ok(201);
    let rice = |grams_dg: i64| json!({ "food": "ko:ssalbap", "grams_dg": grams_dg });
    for (items, code) in [
        (json!([{ "food": "ko:nothing", "grams_dg": 100 }]), "food_unknown"),
        (json!([{ "food": "\0", "grams_dg": 100 }]), "food_unknown"),
        (json!([{ "food": of_jun.id, "grams_dg": 100 }]), "food_unknown"),
        (json!([rice(0)]), "items_impossible"),
        (json!([rice(50_001)]), "items_impossible"),
        (json!([rice(-1)]), "json_invalid"),
        (json!([{ "food": "ko:ssalbap", "grams_dg": 1.5 }]), "json_invalid"),
        (json!([{ "food": "ko:ssalbap", "grams_dg": 100, "energy_kcal": 1 }]), "json_invalid"),
        (json!(vec![rice(100); 51]), "items_impossible"),
        (json!(vec![rice(50_000); 3]), "amounts_out_of_range"),
        (json!([]), "contents_needed"),
    ] {
        mina.eats_items(items.clone()).await.refused(422, code);
    }
    let mut both = made_of(json!([rice(2_100)]));
    both["amounts"] = json!({ "energy_kcal": 1 });
    mina.api.post(MEALS, &both).await.refused(422, "contents_needed");
    assert_eq!(world.count("select count(*) from meals").await, 0);
    jun.eats_items(json!([{ "food": of_jun.id, "grams_dg": 500 }])).await.ok::<MealOutcome>(201);
    world.stop().await;
}

#[tokio::test]
async fn amounts_by_hand_have_no_grade_and_odd_ones_a_warning() {
    let world = World::open().await;
    world.time(seoul("2026-03-01 12:00"));
    let mina = world.user("mina").await;
    let mut meal = lunch_today();
    meal["amounts"] = json!({ "energy_kcal": 200, "carbohydrate_mg": 90_000, "protein_mg": 20_000, "fat_mg": 10_000 });
    let odd = mina.api.post(MEALS, &meal).await.ok::<MealOutcome>(201).meal.contents;
    assert_eq!((odd.grade, odd.grade_score), (Grade::Unknown, None));
    assert_eq!(odd.warnings, [MealWarning::Implausible { declared_kcal: 200, computed_kcal: 530 }]);
    assert_eq!((odd.energy_kcal_low, odd.energy_kcal_high), (160, 240));
    world.stop().await;
}

#[tokio::test]
async fn a_changed_meal_tells_how_it_was() {
    let world = World::open().await;
    world.time(seoul("2026-03-01 12:00"));
    let (mina, jun) = (world.user("mina").await, world.user("jun").await);
    let first = mina.eats_items(json!([{ "food": "ko:ssalbap", "grams_dg": 2_100 }])).await.ok::<MealOutcome>(201).meal;
    let path = format!("{MEALS}/{}", first.id);
    let half = json!({ "items": [{ "food": "ko:ssalbap", "grams_dg": 1_050 }] });
    let second = mina.api.patch(&path, &half).await.ok::<MealOutcome>(200).meal;
    assert_eq!(second.amounts.energy_kcal, first.amounts.energy_kcal.div_ceil(2));
    let third = mina.api.patch(&path, &json!({ "amounts": { "energy_kcal": 500 } })).await.ok::<MealOutcome>(200).meal;
    assert!(third.contents.items.is_empty());
    mina.api.patch(&path, &json!({ "items": [], "amounts": null })).await.refused(422, "contents_needed");
    let versions = format!("{path}/versions");
    let listed = mina.api.get(&versions).await.ok::<Page<MealVersion>>(200).items;
    assert_eq!(listed.iter().map(|version| version.version).collect::<Vec<_>>(), [1, 2]);
    assert_eq!((&listed[0].meal, &listed[1].meal), (&first, &second));
    let page = mina.api.get(&format!("{versions}?limit=1")).await.ok::<Page<MealVersion>>(200);
    assert_eq!((page.items.len(), page.next.as_deref()), (1, Some("1")));
    jun.api.get(&versions).await.refused(404, "not_found");
    mina.api.delete(&path).await.ok::<MealOutcome>(200);
    mina.api.get(&versions).await.refused(404, "not_found");
    world.stop().await;
}

#[tokio::test]
async fn the_same_is_eaten_again_once_however_often_it_is_asked_for() {
    let world = World::open().await;
    world.time(seoul("2026-03-01 12:00"));
    let (mina, jun) = (world.user("mina").await, world.user("jun").await);
    let first = mina.eats_items(json!([{ "food": "ko:ssalbap", "grams_dg": 2_100 }])).await.ok::<MealOutcome>(201).meal;
    let path = format!("{MEALS}/{}/copies", first.id);
    let again = json!({ "kind": "dinner", "eaten_at": seoul("2026-03-01 11:59") });
    let copied = mina.posts_once(&path, &again, "a-key-for-the-copy").await.ok::<MealOutcome>(201).meal;
    assert_eq!((copied.contents, copied.amounts), (first.contents, first.amounts));
    assert_ne!(copied.id, first.id);
    assert_eq!(mina.posts_once(&path, &again, "a-key-for-the-copy").await.ok::<MealOutcome>(201).meal.id, copied.id);
    let other = json!({ "kind": "snack", "eaten_at": seoul("2026-03-01 11:59") });
    mina.posts_once(&path, &other, "a-key-for-the-copy").await.refused(422, "idempotency_key_reused");
    jun.api.post(&path, &again).await.refused(404, "not_found");
    mina.api.post(&path, &json!({ "eaten_at": seoul("2026-03-02 12:00") })).await.refused(422, "eaten_at_out_of_range");
    mina.api.post(&path, &json!({})).await.refused(422, "json_invalid");
    assert_eq!(world.count("select count(*) from meals").await, 2);
    world.stop().await;
}
