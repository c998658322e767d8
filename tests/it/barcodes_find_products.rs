//! A barcode finds a packaged food, asked of Open Food Facts once and known from then on, however it answers.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use lastbite::config::products;
use lastbite_protocol::rest::{Food, FoodCategory, Grade, MealOutcome, Page};
use serde_json::{Value, json};

use crate::support::{
    Answer, Player, World,
    catalogue::{Catalogue, Does},
    seoul,
    uploads::lunch_today,
    world::Setup,
};

const COOKIES: &str = "3017620422003";
const NOTHING: &str = "4006381333931";

impl Player {
    async fn scans(&self, barcode: &str) -> Answer {
        self.api.get(&format!("/api/v1/foods/barcodes/{barcode}")).await
    }
}

/// A shop, and a server that knows of it.
async fn world() -> (Catalogue, World, Player) {
    let catalogue = Catalogue::open().await;
    catalogue.knows(COOKIES, cookies());
    let world = World::with(Setup { catalogue: Some(catalogue.setting()), ..Setup::default() }).await;
    let mina = world.user("mina").await;
    (catalogue, world, mina)
}

fn cookies() -> Value {
    json!({
        "product_name": "Biscuits", "product_name_ko": "비스킷", "product_name_en": "Cookies",
        "categories_tags": ["en:snacks", "en:biscuits"], "pnns_groups_1": "Sugary snacks",
        "serving_quantity": "25", "serving_quantity_unit": "g",
        "nutriments": {
            "energy-kcal_100g": 480, "carbohydrates_100g": "62", "sugars_100g": 28, "fiber_100g": 3.5, "proteins_100g": 6.6,
            "fat_100g": 22, "saturated-fat_100g": 11, "salt_100g": 0.75,
        },
    })
}

impl World {
    /// As if nobody had asked for so many days.
    async fn products_age(&self, days: i32) {
        sqlx::query("update products set fetched_at = fetched_at - make_interval(days => $1)")
            .bind(days)
            .execute(&self.db)
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn a_barcode_finds_a_food_that_is_asked_for_once() {
    let (catalogue, world, mina) = world().await;
    let found: Food = mina.scans(COOKIES).await.ok(200);
    assert_eq!((found.id.as_str(), found.own), ("off:3017620422003", false));
    assert_eq!((found.name_ko.as_deref(), found.name_en.as_deref()), (Some("비스킷"), Some("Cookies")));
    assert_eq!((found.source.as_str(), found.category), ("Open Food Facts 3017620422003", FoodCategory::General));
    assert!(found.licence.contains("ODbL 1.0") && found.licence.contains("DbCL 1.0"), "{}", found.licence);
    // The label's 62 g, and the fibre that it counts apart.
    assert_eq!((found.per_100g.carbohydrate_mg, found.per_100g.fibre_mg), (Some(65_500), Some(3_500)));
    assert_eq!((found.per_100g.sodium_mg, found.servings[0].grams_dg, found.grade), (Some(300), 250, Grade::E));
    let jun = world.user("jun").await;
    for player in [&mina, &jun] {
        assert_eq!(player.scans(COOKIES).await.ok::<Food>(200), found);
    }
    // As a whole box of one, it is the same product.
    assert_eq!(mina.scans("03017620422003").await.ok::<Food>(200), found);
    assert_eq!(mina.api.get("/api/v1/foods/off:3017620422003").await.ok::<Food>(200), found);
    assert_eq!(catalogue.calls(), 1);
    let (uri, headers) = catalogue.asked().remove(0);
    assert_eq!(uri.path(), "/api/v2/product/3017620422003");
    let agent = headers["user-agent"].to_str().unwrap();
    assert_eq!(agent, concat!("Lastbite/", env!("CARGO_PKG_VERSION"), " (+http://lastbite.test)"));
    assert!(!headers.contains_key("authorization") && !headers.contains_key("cookie"), "nobody is named there");
    world.api().get("/api/v1/foods/barcodes/3017620422003").await.refused(401, "token_missing");
    world.stop().await;
}

#[tokio::test]
async fn what_is_no_barcode_is_asked_of_nobody() {
    let (catalogue, world, mina) = world().await;
    for wrong in
        ["1", "3017620422004", "30176204220031", "abcdefgh", "00000000", "3017620422003%00", "%EF%BC%93017620422003"]
    {
        let problem = mina.scans(wrong).await.refused(422, "barcode_invalid");
        assert_eq!(problem.field.as_deref(), Some("barcode"));
    }
    assert_eq!(catalogue.calls(), 0);
    world.stop().await;
}

#[tokio::test]
async fn an_american_barcode_is_asked_for_with_the_zero_that_it_lacks() {
    let (catalogue, world, mina) = world().await;
    catalogue.knows("0036000291452", cookies());
    let found: Food = mina.scans("036000291452").await.ok(200);
    assert_eq!((found.id.as_str(), found.per_100g.carbohydrate_mg), ("off:0036000291452", Some(62_000)));
    mina.scans("0036000291452").await.ok::<Food>(200);
    assert_eq!(catalogue.calls(), 1);
    world.stop().await;
}

#[tokio::test]
async fn a_meal_is_made_of_products_and_has_a_grade() {
    let (_catalogue, world, mina) = world().await;
    world.time(seoul("2026-03-01 12:00"));
    let mut meal = lunch_today();
    meal.as_object_mut().unwrap().remove("amounts");
    meal["items"] = json!([{ "food": "off:3017620422003", "grams_dg": 500 }]);
    mina.api.post("/api/v1/meals", &meal).await.refused(422, "food_unknown");
    mina.scans(COOKIES).await.ok::<Food>(200);
    let logged = mina.api.post("/api/v1/meals", &meal).await.ok::<MealOutcome>(201).meal;
    assert_eq!((logged.amounts.energy_kcal, logged.contents.grade), (240, Grade::E));
    assert_eq!(logged.contents.items[0].name_ko.as_deref(), Some("비스킷"));
    world.stop().await;
}

#[tokio::test]
async fn products_are_kept_apart_from_what_is_searched() {
    let (_catalogue, world, mina) = world().await;
    mina.scans(COOKIES).await.ok::<Food>(200);
    for name in ["비스킷", "Cookies", "Biscuits"] {
        let path = format!("/api/v1/foods?limit=50&q={name}");
        let found = mina.api.get(&path).await.ok::<Page<Food>>(200).items;
        assert!(found.iter().all(|food| !food.id.starts_with("off:")), "{name}: {found:?}");
    }
    assert_eq!(world.count("select count(*) from food_names where food_id like 'off:%'").await, 0);
    // And a new edition of the table leaves them alone.
    sqlx::query("update food_tables set edition = 'another'").execute(&world.db).await.unwrap();
    lastbite::foods::load(&world.db).await.unwrap();
    assert_eq!(world.count("select count(*) from foods where id like 'off:%' and retired_at is null").await, 1);
    // Nothing says who asked.
    let columns =
        "select count(*) from information_schema.columns where table_name = 'products' and column_name like '%user%'";
    assert_eq!(world.count(columns).await, 0);
    world.stop().await;
}

#[tokio::test]
async fn ten_at_once_wait_for_one_call() {
    let (catalogue, world, mina) = world().await;
    catalogue.then(Does::Waits(Duration::from_millis(300)));
    let all = join_all((0..10).map(|_| mina.scans(COOKIES))).await;
    assert!(all.iter().all(|answer| answer.ok::<Food>(200).id == "off:3017620422003"));
    assert_eq!(catalogue.calls(), 1);
    // Nor does one that fails become ten: a call and its one repetition.
    catalogue.then(Does::Never);
    catalogue.then(Does::Never);
    for answer in join_all((0..10).map(|_| mina.scans(NOTHING))).await {
        answer.refused(503, "products_away");
    }
    assert_eq!(catalogue.calls(), 3);
    world.stop().await;
}

#[tokio::test]
async fn what_is_not_there_is_remembered_for_a_day() {
    let (catalogue, world, mina) = world().await;
    for _ in 0..3 {
        mina.scans(NOTHING).await.refused(404, "not_found");
    }
    assert_eq!(catalogue.calls(), 1);
    catalogue.knows(NOTHING, cookies());
    mina.scans(NOTHING).await.refused(404, "not_found");
    world.products_age(1).await;
    mina.scans(NOTHING).await.ok::<Food>(200);
    assert_eq!(catalogue.calls(), 2);
    // Older servers of its kind say so with 200.
    catalogue.then(Does::Sends(
        200,
        "application/json",
        r#"{"status":"0","status_verbose":"product not found"}"#.into(),
    ));
    mina.scans("96385074").await.refused(404, "not_found");
    world.products_age(31).await;
    lastbite::App::clone(&world.node.app).products.forget_missing(&world.db, world.clock.wall()).await.unwrap();
    assert_eq!(world.count("select count(*) from products").await, 1, "what is a food stays");
    world.stop().await;
}

#[tokio::test]
async fn a_product_is_asked_for_anew_after_thirty_days_and_good_until_somebody_answers() {
    let (catalogue, world, mina) = world().await;
    let old: Food = mina.scans(COOKIES).await.ok(200);
    let mut better = cookies();
    better["nutriments"]["sugars_100g"] = json!(2);
    catalogue.knows(COOKIES, better);
    world.products_age(29).await;
    assert_eq!(mina.scans(COOKIES).await.ok::<Food>(200), old);
    assert_eq!(catalogue.calls(), 1);
    world.products_age(2).await;
    for failing in [Does::Sends(500, "text/html", "<h1>no</h1>".into()), Does::Sends(503, "text/plain", String::new())]
    {
        catalogue.then(failing);
    }
    assert_eq!(mina.scans(COOKIES).await.ok::<Food>(200), old, "old is better than nothing");
    assert_eq!(catalogue.calls(), 3);
    let new: Food = mina.scans(COOKIES).await.ok(200);
    assert_eq!((new.id.as_str(), new.per_100g.sugars_mg), ("off:3017620422003", Some(2_000)));
    assert_eq!(catalogue.calls(), 4);
    // What somebody has spoilt meanwhile does not replace what was good.
    catalogue.knows(COOKIES, json!({ "product_name": "haha", "nutriments": {} }));
    world.products_age(31).await;
    assert_eq!(mina.scans(COOKIES).await.ok::<Food>(200), new);
    assert_eq!(mina.scans(COOKIES).await.ok::<Food>(200), new);
    assert_eq!(catalogue.calls(), 5);
    // What is there no more is found no more; meals of it stay.
    catalogue.forgets(COOKIES);
    world.products_age(31).await;
    mina.scans(COOKIES).await.refused(404, "not_found");
    assert_eq!(mina.api.get("/api/v1/foods/off:3017620422003").await.ok::<Food>(200), new);
    world.stop().await;
}

#[tokio::test]
async fn a_product_that_cannot_be_is_refused_with_the_reason_and_stores_no_food() {
    let (catalogue, world, mina) = world().await;
    let with = |name: &str, value: Value| {
        let mut product = cookies();
        product["nutriments"][name] = value;
        product
    };
    for (barcode, product, reason) in [
        ("96385074", json!({ "product_name": "x" }), "energy"),
        ("73513537", json!({ "product_name": "", "nutriments": { "energy-kcal_100g": 1 } }), "called"),
        ("8801043014830", with("proteins_100g", json!(60)), "heavier"),
        ("8801062637003", with("energy-kcal_100g", json!("48")), "48 kcal"),
        (
            "8801019606700",
            json!({ "product_name": "x", "nutriments": { "energy-kcal_100g": "NaN", "fat_100g": -1 } }),
            "energy",
        ),
        ("10614141000415", json!({ "product_name": ["x"], "nutriments": "<html>" }), "called"),
    ] {
        catalogue.knows(barcode, product);
        for _ in 0..2 {
            let problem = mina.scans(barcode).await.refused(404, "product_unusable");
            assert!(problem.detail.as_deref().is_some_and(|detail| detail.contains(reason)), "{barcode}: {problem:?}");
        }
    }
    assert_eq!(catalogue.calls(), 6);
    assert_eq!(world.count("select count(*) from foods where id like 'off:%'").await, 0);
    // What cannot be of one that can is left out.
    catalogue.knows(COOKIES, with("sugars_100g", json!("-3")));
    let found: Food = mina.scans(COOKIES).await.ok(200);
    assert_eq!((found.per_100g.sugars_mg, found.grade), (None, Grade::Unknown));
    world.stop().await;
}

#[tokio::test]
async fn whatever_it_answers_nobody_waits_long_and_nothing_is_made_up() {
    let (catalogue, world, mina) = world().await;
    let html = "<html><body>Just a moment…</body></html>";
    let whole = json!({ "code": NOTHING, "status": 1, "product": cookies() }).to_string();
    let endless = format!(r#"{{"status":1,"product":{{"product_name":"{}"}}}}"#, "x".repeat(10 * 1024 * 1024));
    let elsewhere = Catalogue::open().await;
    elsewhere.knows(NOTHING, cookies());
    let away = format!("{}/api/v2/product/{NOTHING}", elsewhere.base);
    let sends = |status, body: &str| Does::Sends(status, "application/json", body.to_owned());
    let ways: Vec<(&str, Vec<Does>)> = vec![
        ("html", vec![Does::Sends(200, "text/html", html.to_owned())]),
        ("a page that says 404", vec![Does::Sends(404, "text/html", html.to_owned())]),
        ("10 MB", vec![sends(200, &endless)]),
        ("a redirect", vec![Does::Redirects(away)]),
        ("403", vec![sends(403, &whole)]),
        ("another product", vec![sends(200, &whole.replace(NOTHING, "96385074"))]),
        ("half of it", vec![sends(200, &whole[..whole.len() / 2])]),
        ("a bare NaN", vec![sends(200, &whole.replace("480", "NaN"))]),
        ("nothing", vec![sends(200, "")]),
        ("a list", vec![sends(200, "[]")]),
        ("no product", vec![sends(200, r#"{"status":1}"#)]),
        ("twice an error", vec![sends(500, &whole), sends(502, &whole)]),
        ("slow, then an error", vec![Does::Waits(Duration::from_secs(5)), sends(500, "")]),
        ("never", vec![Does::Never, Does::Never]),
    ];
    for (way, script) in ways {
        // A node of its own, that no failure before has put off.
        let node = world.node_with(Setup { catalogue: Some(catalogue.setting()), ..Setup::default() }).await;
        let api = node.api().with_token(&mina.token);
        let (before, tries, began) = (catalogue.calls(), script.len(), Instant::now());
        script.into_iter().for_each(|does| catalogue.then(does));
        let answer = api.get(&format!("/api/v1/foods/barcodes/{NOTHING}")).await;
        answer.refused(503, "products_away");
        assert!(answer.headers.contains_key("retry-after"), "{way}");
        assert_eq!(catalogue.calls() - before, tries, "{way}");
        assert!(began.elapsed() < Duration::from_secs(4), "{way}: {:?}", began.elapsed());
        node.stop().await;
    }
    assert_eq!(elsewhere.calls(), 0, "no redirect is followed");
    assert_eq!(world.count("select count(*) from products").await, 0);
    // One failure and it is there after all.
    catalogue.knows(NOTHING, cookies());
    catalogue.then(Does::Sends(502, "text/plain", String::new()));
    mina.scans(NOTHING).await.ok::<Food>(200);
    world.stop().await;
}

#[tokio::test]
async fn who_fails_again_and_again_or_says_so_is_left_alone() {
    let (catalogue, world, mina) = world().await;
    mina.scans(COOKIES).await.ok::<Food>(200);
    for _ in 0..5 {
        catalogue.then(Does::Sends(200, "text/html", "<html>".to_owned()));
        mina.scans(NOTHING).await.refused(503, "products_away");
    }
    assert_eq!(catalogue.calls(), 6);
    mina.scans(NOTHING).await.refused(503, "products_away");
    world.products_age(31).await;
    mina.scans(COOKIES).await.ok::<Food>(200);
    assert_eq!(catalogue.calls(), 6);
    let other = world.node_with(Setup { catalogue: Some(catalogue.setting()), ..Setup::default() }).await;
    let api = other.api().with_token(&mina.token);
    let path = format!("/api/v1/foods/barcodes/{NOTHING}");
    catalogue.then(Does::Sends(429, "text/plain", "slow down".to_owned()));
    for _ in 0..2 {
        api.get(&path).await.refused(503, "products_away");
    }
    assert_eq!(catalogue.calls(), 7, "it is not asked again at once, nor by the next");
    other.stop().await;
    world.stop().await;
}

#[tokio::test]
async fn it_is_asked_no_oftener_than_is_polite_whoever_wants_to_know() {
    let catalogue = Catalogue::open().await;
    let polite = products::Catalogue { calls_burst: 2, calls_per_minute: 1, ..catalogue.setting() };
    let world = World::with(Setup { catalogue: Some(polite), ..Setup::default() }).await;
    let mina = world.user("mina").await;
    mina.scans("96385074").await.refused(404, "not_found");
    mina.scans("73513537").await.refused(404, "not_found");
    mina.scans(NOTHING).await.refused(503, "products_away");
    mina.scans("96385074").await.refused(404, "not_found");
    assert_eq!(catalogue.calls(), 2);
    let setting = products::Catalogue::at(products::BASE);
    assert!(setting.calls_burst + setting.calls_per_minute < 15, "what Open Food Facts asks for, in any minute");
    world.stop().await;
}

#[tokio::test]
async fn a_server_without_it_says_so() {
    let world = World::open().await;
    let mina = world.user("mina").await;
    mina.scans(COOKIES).await.refused(404, "products_off");
    mina.scans("1").await.refused(422, "barcode_invalid");
    world.stop().await;
}
