//! All that is one's own, to take away: whole, for its owner, with a link that ends.

use std::io::{Cursor, Read};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use bytes::Bytes;
use lastbite_protocol::{
    profile::{Body, Weight},
    rest::{Consent, Export, ExportState, Meal, MealOutcome},
};
use reqwest::{
    Method,
    multipart::{Form, Part},
};
use serde_json::{Value, json};
use zip::ZipArchive;

use crate::support::{
    Answer, Player, Setup, World, challenge, dinner, lunch, pictures, seoul, tells, until,
    uploads::{files_in, lunch_today},
};

const PATH: &str = "/api/v1/accounts/me/export";

impl Player {
    async fn asks_for_all(&self) {
        self.api.post(PATH, &json!({})).await.ok_empty(202);
    }

    /// Asks for an export and waits until it is written.
    pub(crate) async fn takes_all(&self) -> Export {
        self.asks_for_all().await;
        until("the export is written", || async {
            let export: Export = self.api.get(PATH).await.ok(200);
            (export.state == ExportState::Ready).then_some(export)
        })
        .await
    }

    async fn weighs_in(&self, weight_g: u32) {
        let consent = json!({ "version": 1, "given": true });
        self.api.put("/api/v1/accounts/me/consents/health_data", &consent).await.ok::<Consent>(200);
        self.api.patch("/api/v1/accounts/me/body", &json!({ "birth_year": 1990 })).await.ok::<Body>(200);
        let weight = json!({ "weight_g": weight_g });
        self.api.put("/api/v1/accounts/me/weights/2026-03-01", &weight).await.ok::<Weight>(200);
    }
}

/// The files of a ZIP with their names.
fn unzipped(zip: &Bytes) -> Vec<(String, Vec<u8>)> {
    let mut archive = ZipArchive::new(Cursor::new(zip)).unwrap();
    (0..archive.len())
        .map(|at| {
            let mut file = archive.by_index(at).unwrap();
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes).unwrap();
            (file.name().unwrap().into_owned(), bytes)
        })
        .collect()
}

fn text(files: &[(String, Vec<u8>)], name: &str) -> String {
    let (_, bytes) = files.iter().find(|(known, _)| known == name).unwrap_or_else(|| panic!("{name} is missing"));
    String::from_utf8(bytes.clone()).unwrap().trim_start_matches('\u{feff}').to_owned()
}

#[tokio::test]
async fn an_export_holds_all_of_ones_own_and_nothing_of_others() {
    let world = World::open().await;
    let (mina, jun) = (world.user("mina").await, world.user("jun").await);
    mina.api.get(PATH).await.refused(404, "not_found");
    let game = mina.hosts(&challenge()).await;
    for player in [&mina, &jun] {
        player.joins(game).await;
    }
    let mut wish = challenge();
    wish.title = "=1+1".to_owned();
    mina.joins(jun.hosts(&wish).await).await;
    mina.weighs_in(55_300).await;
    jun.weighs_in(81_900).await;
    mina.api.put("/api/v1/diary/water/2026-03-01", &json!({ "water_ml": 1_500 })).await.ok_empty(204);
    let soup = json!({ "name": "grandma's soup", "category": "general", "per_100g": { "energy_kcal": 40 } });
    mina.api.post("/api/v1/accounts/me/foods", &soup).await.ok::<Value>(201);
    let form = Form::new().part("photo", Part::bytes(pictures::jpeg(80, 40)));
    Answer::of(mina.api.request(Method::POST, "/api/v1/meals/analyze").multipart(form)).await.ok::<Value>(201);
    let logged: MealOutcome = mina.uploads(&lunch_today(), pictures::jpeg(80, 40), None).await.ok(201);
    let with_picture = logged.meal;
    let mut quoted = json!(dinner("2026-03-01", 500));
    quoted["note"] = json!("rice, \"kimchi\"\nand soup");
    world.time(seoul("2026-03-01 20:00"));
    mina.api.post("/api/v1/meals", &quoted).await.ok::<MealOutcome>(201);
    let gone = mina.logs(&lunch("2026-03-01", 777)).await.meal;
    mina.deletes(gone.id).await;
    jun.logs(&lunch("2026-03-01", 654)).await;
    world.referee_at(seoul("2026-03-03 12:00")).await;

    let export = mina.takes_all().await;
    let answer = world.api().get(export.url.as_deref().unwrap()).await;
    assert_eq!(answer.status.as_u16(), 200);
    for (header, value) in [
        ("content-type", "application/zip"),
        ("content-disposition", "attachment; filename=\"lastbite-export.zip\""),
        ("cache-control", "no-store"),
    ] {
        assert_eq!(answer.headers[header], value);
    }
    let files = unzipped(&answer.body);
    let names: Vec<_> = files.iter().map(|(name, _)| name.as_str()).collect();
    let photo = format!("photos/{}.jpg", with_picture.id);
    let expected = [
        "account.json",
        "body.json",
        "weights.csv",
        "water.csv",
        "challenges.csv",
        "meals.csv",
        "meals.json",
        "foods.json",
        "analyses.json",
        photo.as_str(),
    ];
    assert_eq!(names, expected);
    assert_eq!(text(&files, "water.csv"), "date,water_ml\r\n2026-03-01,1500\r\n");
    let foods: Value = serde_json::from_str(&text(&files, "foods.json")).unwrap();
    assert_eq!((foods.as_array().unwrap().len(), &foods[0]["name_en"]), (1, &json!("grandma's soup")));
    let analyses: Value = serde_json::from_str(&text(&files, "analyses.json")).unwrap();
    assert_eq!((analyses.as_array().unwrap().len(), &analyses[0]["provider"]), (1, &Value::Null));

    let account: Value = serde_json::from_str(&text(&files, "account.json")).unwrap();
    assert_eq!(account["account"]["email"], "mina@example.com");
    assert_eq!(account["profile"]["nickname"], "mina");
    let consents: Vec<_> = account["consents"].as_array().unwrap().iter().map(|it| it["purpose"].clone()).collect();
    assert_eq!(consents, ["service", "health_data"]);
    assert_eq!(account["sessions"].as_array().unwrap().len(), 1);
    assert!(text(&files, "body.json").contains("1990"));
    assert_eq!(text(&files, "weights.csv"), "date,weight_g\r\n2026-03-01,55300\r\n");
    let meals: Vec<Meal> = serde_json::from_str(&text(&files, "meals.json")).unwrap();
    let eaten: Vec<_> = meals.iter().map(|meal| meal.amounts.energy_kcal).collect();
    assert_eq!(eaten, [700, 500], "a deleted one is not there");
    assert_eq!(meals[0], with_picture);
    let table = text(&files, "meals.csv");
    assert!(table.contains("비빔밥,700,") && table.contains("\"rice, \"\"kimchi\"\"\nand soup\",500,"), "{table}");
    let played = text(&files, "challenges.csv");
    assert!(played.contains("봄 챌린지") && played.contains(",1,missed,0,"), "{played}");
    assert!(played.contains(",'=1+1,"), "others' words are no formula: {played}");
    assert_eq!(played.lines().count(), 3, "{played}");
    let jpeg = &files.iter().find(|(name, _)| *name == photo).unwrap().1;
    assert_eq!(*jpeg, mina.api.get(&with_picture.photo.unwrap().large).await.body);
    for (name, bytes) in &files {
        let text = String::from_utf8_lossy(bytes);
        for foreign in ["jun", &jun.id.to_string(), "81900", "654"] {
            assert!(name.starts_with("photos/") || !tells(&text, foreign), "{name} tells {foreign}: {text}");
        }
    }
    world.stop().await;
}

#[tokio::test]
async fn who_has_nothing_yet_gets_an_export_all_the_same() {
    let world = World::open().await;
    let mina = world.user("mina").await;
    let export = mina.takes_all().await;
    let files = unzipped(&world.api().get(export.url.as_deref().unwrap()).await.body);
    assert_eq!(text(&files, "meals.json"), "[]\n");
    assert_eq!(text(&files, "weights.csv"), "date,weight_g\r\n");
    world.stop().await;
}

#[tokio::test]
async fn a_link_that_was_made_up_bent_or_is_old_opens_nothing() {
    let world = World::open().await;
    let (mina, jun) = (world.user("mina").await, world.user("jun").await);
    let url = mina.takes_all().await.url.unwrap();
    let others = jun.takes_all().await.url.unwrap();
    let parts = |url: &str| URL_SAFE_NO_PAD.decode(url.strip_prefix("/exports/").unwrap()).unwrap();
    let (whole, foreign) = (parts(&url), parts(&others));
    for at in 0..whole.len() {
        let mut bent = whole.clone();
        bent[at] ^= 1;
        let bent = URL_SAFE_NO_PAD.encode(bent);
        world.api().get(&format!("/exports/{bent}")).await.refused(404, "not_found");
    }
    let mixed = URL_SAFE_NO_PAD.encode([&whole[..24], &foreign[24..]].concat());
    for token in [mixed.as_str(), "x", "%00", &"A".repeat(75), &"A".repeat(2_000)] {
        world.api().get(&format!("/exports/{token}")).await.refused(404, "not_found");
    }
    assert_eq!(world.api().get(&url).await.status.as_u16(), 200);
    // A day later, as the row tells it.
    sqlx::query("update exports set expires_at = expires_at - interval '1 day'").execute(&world.db).await.unwrap();
    world.api().get(&url).await.refused(404, "not_found");
    let old: Export = mina.api.get(PATH).await.ok(200);
    assert_eq!((old.state, old.url), (ExportState::Expired, None));
    world.stop().await;
}

#[tokio::test]
async fn an_old_export_is_removed_with_its_file() {
    let mut world = World::open().await;
    let mina = world.user("mina").await;
    mina.takes_all().await;
    assert_eq!(files_in(world.media.path()), 1);
    sqlx::query("update exports set expires_at = expires_at - interval '1 day'").execute(&world.db).await.unwrap();
    // It looks when it starts, and then once an hour.
    world.restart().await;
    until("it is gone", || async { (world.count("select count(*) from exports").await == 0).then_some(()) }).await;
    assert_eq!(files_in(world.media.path()), 0);
    mina.api.get(PATH).await.refused(404, "not_found");
    world.stop().await;
}

#[tokio::test]
async fn one_is_written_at_a_time_and_three_a_day() {
    let world = World::open().await;
    let strict = world.node_with(Setup { rates_factor: 1, ..Setup::default() }).await;
    let mina = Player::register(strict.api(), "mina").await;
    let asking = (0..3).map(|_| mina.asks_for_all());
    futures_util::future::join_all(asking).await;
    mina.api.post(PATH, &json!({})).await.refused(429, "too_many_requests");
    // A row that is never written, as if its job had failed for good.
    let jun = world.user("jun").await;
    sqlx::query("insert into exports (id, user_id, key, asked_at) values ($1, $2, repeat('a', 48), now())")
        .bind(uuid::Uuid::now_v7())
        .bind(jun.id.0)
        .execute(&world.db)
        .await
        .unwrap();
    jun.asks_for_all().await;
    let export: Export = jun.api.get(PATH).await.ok(200);
    assert_eq!((export.state, export.url), (ExportState::Waiting, None));
    let of_jun = "select count(*) from exports e join users u on u.id = e.user_id where u.nickname = 'jun'";
    assert_eq!(world.count(of_jun).await, 1);
    strict.stop().await;
    world.stop().await;
}
