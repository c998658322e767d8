//! Meals that cannot be: eaten too long ago or not yet, of absurd amounts, or written in a way that is not the API's.

use chrono::TimeDelta;
use lastbite_protocol::{
    MealId,
    rest::{MealOutcome, Problem},
};
use serde_json::{Value, json};

use crate::support::{
    Player, World, lunch, seoul,
    uploads::{lunch_today, lunch_with},
};

async fn logs(player: &Player, meal: &Value) -> crate::support::Answer {
    player.api.post("/api/v1/meals", meal).await
}

/// A body of JSON, as it is.
async fn refuses_text(player: &Player, text: String, status: u16, code: &str) -> Problem {
    player.posts_bytes("application/json", text).await.refused(status, code)
}

#[tokio::test]
async fn a_meal_is_logged_from_two_days_after_it_to_two_minutes_before() {
    let world = World::open().await;
    let mina = world.user("mina").await;
    let now = world.clock.now();
    let (earliest, latest) = (now - TimeDelta::hours(48), now + TimeDelta::minutes(2));
    for eaten_at in [earliest, latest] {
        logs(&mina, &lunch_with("eaten_at", &json!(eaten_at))).await.ok::<MealOutcome>(201);
    }
    let millisecond = TimeDelta::milliseconds(1);
    for eaten_at in [json!(earliest - millisecond), json!(latest + millisecond), json!("+262142-12-31T23:59:59Z")] {
        let answer = logs(&mina, &lunch_with("eaten_at", &eaten_at)).await;
        let problem = answer.refused(422, "eaten_at_out_of_range");
        assert_eq!(problem.field.as_deref(), Some("eaten_at"));
    }
    assert_eq!(world.count("select count(*) from meals").await, 2);
    world.stop().await;
}

#[tokio::test]
async fn a_meal_is_not_moved_to_where_it_could_not_be_logged() {
    let world = World::open().await;
    world.time(seoul("2026-03-01 20:00"));
    let mina = world.user("mina").await;
    let logged = mina.logs(&lunch("2026-03-01", 700)).await.meal;
    let path = format!("/api/v1/meals/{}", logged.id);
    for (change, code) in [
        (json!({ "eaten_at": seoul("2026-03-01 20:03") }), "eaten_at_out_of_range"),
        (json!({ "eaten_at": seoul("2026-02-27 19:59") }), "eaten_at_out_of_range"),
        (json!({ "amounts": { "energy_kcal": 10_001 } }), "amounts_out_of_range"),
        (json!({ "note": "a\u{0}b" }), "note_invalid"),
        (json!({ "note": "가".repeat(501) }), "note_invalid"),
        (json!({ "zone": "Asia/Seoul" }), "json_invalid"),
        (json!({ "id": MealId::generate() }), "json_invalid"),
        (json!({ "kind": "brunch" }), "json_invalid"),
    ] {
        mina.api.patch(&path, &change).await.refused(422, code);
    }
    let unchanged: lastbite_protocol::rest::Meal = mina.api.get(&path).await.ok(200);
    assert_eq!(unchanged, logged);
    // An old meal may still be put right, so long as it is not moved.
    world.time(seoul("2026-03-09 12:00"));
    mina.api.patch(&path, &json!({ "note": "it was noodles" })).await.ok::<MealOutcome>(200);
    mina.api.patch(&path, &json!({ "eaten_at": logged.eaten_at })).await.refused(422, "eaten_at_out_of_range");
    world.stop().await;
}

#[tokio::test]
async fn amounts_have_bounds() {
    let world = World::open().await;
    let mina = world.user("mina").await;
    let most = json!({
        "energy_kcal": 10_000, "carbohydrate_mg": 2_000_000, "protein_mg": 2_000_000, "fat_mg": 2_000_000,
    });
    logs(&mina, &lunch_with("amounts", &most)).await.ok::<MealOutcome>(201);
    for field in ["energy_kcal", "carbohydrate_mg", "protein_mg", "fat_mg"] {
        let mut amounts = most.clone();
        amounts[field] = json!(amounts[field].as_u64().unwrap() + 1);
        let problem = logs(&mina, &lunch_with("amounts", &amounts)).await.refused(422, "amounts_out_of_range");
        assert_eq!(problem.field.as_deref(), Some("amounts"), "{field}");
        amounts[field] = json!(u32::MAX);
        logs(&mina, &lunch_with("amounts", &amounts)).await.refused(422, "amounts_out_of_range");
    }
    world.stop().await;
}

#[tokio::test]
async fn numbers_that_are_none_are_refused() {
    let world = World::open().await;
    let mina = world.user("mina").await;
    for number in
        ["-1", "-0.0", "700.5", "7e2", "4294967296", "1e300", "1e999", "\"700\"", "\"NaN\"", "null", "true", "[700]"]
    {
        let text = lunch_today().to_string().replace(":700", &format!(":{number}"));
        refuses_text(&mina, text, 422, "json_invalid").await;
    }
    for number in ["NaN", "Infinity", "-Infinity", "0x2BC", "007", "+7", "7_00", "--1"] {
        let text = lunch_today().to_string().replace(":700", &format!(":{number}"));
        refuses_text(&mina, text, 400, "json_malformed").await;
    }
    assert_eq!(world.count("select count(*) from meals").await, 0);
    world.stop().await;
}

#[tokio::test]
async fn fields_that_are_unknown_missing_or_wrong_are_refused() {
    let world = World::open().await;
    let mina = world.user("mina").await;
    for (field, value) in [
        ("zone", json!("Mars/Olympus_Mons")),
        ("zone", json!("../../etc/localtime")),
        ("zone", json!("")),
        ("zone", json!("UTC+9")),
        ("kind", json!("brunch")),
        ("kind", json!(0)),
        ("eaten_at", json!("2026-03-01 12:30")),
        ("eaten_at", json!("2026-02-30T12:30:00Z")),
        ("eaten_at", json!(1_772_335_800)),
        ("note", json!(null)),
        ("note", json!(["a", "b"])),
        ("amounts", json!({})),
        ("amounts", json!({ "energy_kcal": 700, "sugar_mg": 1 })),
        ("id", json!(MealId::generate())),
        ("owner", json!(mina.id)),
        ("photo", json!({ "key": "0".repeat(48), "width_px": 1, "height_px": 1 })),
    ] {
        let problem = logs(&mina, &lunch_with(field, &value)).await.refused(422, "json_invalid");
        assert!(problem.detail.is_some(), "{field}: {value}");
    }
    for field in ["kind", "eaten_at", "zone"] {
        let mut meal = lunch_today();
        meal.as_object_mut().unwrap().remove(field);
        logs(&mina, &meal).await.refused(422, "json_invalid");
    }
    let twice = lunch_today().to_string().replacen('{', "{\"kind\":\"dinner\",", 1);
    refuses_text(&mina, twice, 422, "json_invalid").await;
    world.stop().await;
}

#[tokio::test]
async fn notes_have_bounds() {
    let world = World::open().await;
    let mina = world.user("mina").await;
    logs(&mina, &lunch_with("note", &json!("가".repeat(500)))).await.ok::<MealOutcome>(201);
    for note in ["가".repeat(501), "a\u{0}b".to_owned(), "\u{0}".to_owned()] {
        let problem = logs(&mina, &lunch_with("note", &json!(note))).await.refused(422, "note_invalid");
        assert_eq!(problem.field.as_deref(), Some("note"));
    }
    world.stop().await;
}

#[tokio::test]
async fn what_is_no_json_is_refused() {
    let world = World::open().await;
    let mina = world.user("mina").await;
    let meal = lunch_today().to_string();
    for text in [
        String::new(),
        "{".to_owned(),
        meal[..meal.len() - 1].to_owned(),
        format!("{meal}{meal}"),
        format!("{meal},"),
        format!("\u{feff}{meal}"),
        meal.replace('"', "'"),
        meal.replace("비빔밥", "\n"),
    ] {
        refuses_text(&mina, text, 400, "json_malformed").await;
    }
    let not_utf8 = meal.replace("비빔밥", "????").into_bytes();
    let not_utf8: Vec<u8> = not_utf8.into_iter().map(|byte| if byte == b'?' { 0xFF } else { byte }).collect();
    mina.posts_bytes("application/json", not_utf8).await.refused(400, "json_malformed");
    world.stop().await;
}

#[tokio::test]
async fn json_is_nested_only_so_deep() {
    let world = World::open().await;
    let mina = world.user("mina").await;
    let nested = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
    let problem = refuses_text(&mina, nested(33), 400, "json_malformed").await;
    assert!(problem.detail.unwrap().contains("deeper"));
    refuses_text(&mina, nested(32), 422, "json_invalid").await;
    refuses_text(&mina, "[".repeat(60_000), 400, "json_malformed").await;
    // Brackets in a text are no levels.
    logs(&mina, &lunch_with("note", &json!("[\"{".repeat(100)))).await.ok::<MealOutcome>(201);
    world.stop().await;
}

#[tokio::test]
async fn a_body_has_its_bounds_and_its_type() {
    let world = World::open().await;
    let mina = world.user("mina").await;
    let padded = |bytes: usize| {
        let meal = lunch_today().to_string();
        meal.clone() + &" ".repeat(bytes - meal.len())
    };
    let fits = mina.posts_bytes("application/json", padded(64 * 1024)).await;
    fits.ok::<MealOutcome>(201);
    refuses_text(&mina, padded(64 * 1024 + 1), 413, "body_too_large").await;
    for content_type in ["text/plain", "application/jsonp", "application/x-www-form-urlencoded", "json", ""] {
        let answer = mina.posts_bytes(content_type, lunch_today().to_string()).await;
        answer.refused(415, "content_type_unsupported");
    }
    let answer = mina.posts_bytes("Application/JSON; charset=utf-8", lunch_today().to_string()).await;
    answer.ok::<MealOutcome>(201);
    world.stop().await;
}
