//! The diary: meals are logged with and without a photo, read, listed, changed and deleted by their owner and nobody
//! else.

use lastbite_protocol::{
    MealId,
    rest::{EditMeal, Meal, MealKind, MealOutcome, Page},
};
use reqwest::Method;
use serde_json::json;

use crate::support::{
    Answer, Player, World, dinner, lunch, meal, pictures, seoul, snack,
    uploads::{files_in, lunch_today},
};

fn path_of(id: MealId) -> String {
    format!("/api/v1/meals/{id}")
}

async fn listed(player: &Player, query: &str) -> Page<Meal> {
    player.api.get(&format!("/api/v1/meals?{query}")).await.ok(200)
}

#[tokio::test]
async fn a_meal_is_logged_read_changed_and_deleted() {
    let world = World::open().await;
    world.time(seoul("2026-03-01 20:00"));
    let mina = world.user("mina").await;
    let mut wish = lunch("2026-03-01", 700);
    wish.note = "비빔밥 🥕".to_owned();
    wish.amounts.as_mut().unwrap().protein_mg = Some(31_000);
    let logged = mina.logs(&wish).await;
    assert_eq!(logged.effects, []);
    let id = logged.meal.id;
    assert_eq!(logged.meal.local_date.to_string(), "2026-03-01");
    assert_eq!((logged.meal.note.as_str(), Some(logged.meal.amounts)), (wish.note.as_str(), wish.amounts));
    assert_eq!((logged.meal.logged_at, logged.meal.edited_at), (seoul("2026-03-01 20:00"), None));
    assert_eq!(mina.api.get(&path_of(id)).await.ok::<Meal>(200), logged.meal);

    world.time(seoul("2026-03-01 21:00"));
    let change = json!({ "kind": "dinner", "eaten_at": seoul("2026-03-01 18:30"), "amounts": { "energy_kcal": 800 } });
    let changed: MealOutcome = mina.api.patch(&path_of(id), &change).await.ok(200);
    assert_eq!((changed.meal.kind, changed.meal.eaten_at), (MealKind::Dinner, seoul("2026-03-01 18:30")));
    assert_eq!(changed.meal.note, wish.note, "what is not named stays");
    assert_eq!(changed.meal.amounts.protein_mg, None, "amounts are given all anew");
    assert_eq!(changed.meal.edited_at, Some(seoul("2026-03-01 21:00")));
    assert_eq!(mina.api.get(&path_of(id)).await.ok::<Meal>(200), changed.meal);

    assert_eq!(mina.deletes(id).await.meal, changed.meal);
    for method in [Method::GET, Method::DELETE] {
        Answer::of(mina.api.request(method, &path_of(id))).await.refused(404, "not_found");
    }
    mina.api.patch(&path_of(id), &json!({ "note": "back?" })).await.refused(404, "not_found");
    assert_eq!(listed(&mina, "date=2026-03-01").await.items, []);
    assert_eq!(world.count("select count(*) from meals where deleted_at is not null").await, 1, "kept for the record");
    world.stop().await;
}

#[tokio::test]
async fn the_meals_of_a_date_are_listed_in_the_order_they_were_logged() {
    let world = World::open().await;
    world.time(seoul("2026-03-01 20:00"));
    let (mina, jun) = (world.user("mina").await, world.user("jun").await);
    let mut logged = Vec::new();
    for wish in [dinner("2026-03-01", 1), lunch("2026-03-01", 2), snack("2026-03-01", 3)] {
        logged.push(mina.logs(&wish).await.meal);
    }
    mina.logs(&dinner("2026-02-28", 4)).await;
    jun.logs(&dinner("2026-03-01", 5)).await;
    assert_eq!(listed(&mina, "date=2026-03-01").await, Page { items: logged.clone(), next: None });
    let first = listed(&mina, "date=2026-03-01&limit=2").await;
    assert_eq!(first.items, logged[..2]);
    let next = first.next.unwrap();
    assert_eq!(listed(&mina, &format!("date=2026-03-01&limit=2&after={next}")).await.items, logged[2..]);
    assert_eq!(listed(&mina, "date=2026-03-07").await.items, []);
    for query in ["", "date=", "date=today", "date=2026-02-30", "date=2026-03-01&limit=0", "date=2026-03-01&after=x"] {
        mina.api.get(&format!("/api/v1/meals?{query}")).await.refused(400, "query_invalid");
    }
    world.stop().await;
}

#[tokio::test]
async fn a_meal_belongs_to_the_date_where_it_was_eaten() {
    let world = World::open().await;
    let mina = world.user("mina").await;
    let mut wish = meal(MealKind::Breakfast, "2026-03-01 07:00", 400);
    wish.zone = chrono_tz::America::New_York;
    let logged = mina.logs(&wish).await.meal;
    assert_eq!(logged.local_date.to_string(), "2026-02-28");
    assert_eq!(listed(&mina, "date=2026-02-28").await.items, [logged]);
    assert_eq!(listed(&mina, "date=2026-03-01").await.items, []);
    world.stop().await;
}

#[tokio::test]
async fn a_diary_holds_a_hundred_meals_within_a_day_whatever_their_zone() {
    let world = World::open().await;
    world.time(seoul("2026-03-01 20:00"));
    let mina = world.user("mina").await;
    let mut last = None;
    let mut wish = lunch("2026-03-01", 10);
    for zone in [chrono_tz::Asia::Seoul, chrono_tz::Pacific::Honolulu].repeat(50) {
        wish.zone = zone;
        last = Some(mina.logs(&wish).await.meal.id);
    }
    mina.tries_to_log(&wish).await.refused(409, "too_many_meals");
    let elsewhere = mina.logs(&lunch("2026-02-28", 10)).await.meal;
    let moved = EditMeal { eaten_at: Some(wish.eaten_at), ..EditMeal::default() };
    mina.tries_to_edit(elsewhere.id, &moved).await.refused(409, "too_many_meals");
    mina.deletes(last.unwrap()).await;
    mina.logs(&wish).await;
    world.stop().await;
}

#[tokio::test]
async fn a_diary_of_meals_logged_and_taken_back_has_an_end_too() {
    let world = World::open().await;
    world.time(seoul("2026-03-01 20:00"));
    let mina = world.user("mina").await;
    let wish = lunch("2026-03-01", 10);
    let logged = mina.logs(&wish).await.meal;
    mina.deletes(logged.id).await;
    // A verdict keeps a record of deleted meals: the rest of them as if logged and deleted one by one.
    sqlx::query(
        "insert into meals (id, user_id, kind, eaten_at, zone, local_date, note, energy_kcal, logged_at, deleted_at)
         select (left(id::text, 24) || lpad(n::text, 12, '0'))::uuid, user_id, kind, eaten_at, zone, local_date, note,
                energy_kcal, logged_at, logged_at
         from meals, generate_series(2, 300) n where user_id = $1",
    )
    .bind(mina.id.0)
    .execute(&world.db)
    .await
    .unwrap();
    mina.tries_to_log(&wish).await.refused(409, "too_many_meals");
    world.stop().await;
}

#[tokio::test]
async fn an_instant_is_kept_as_it_is_told() {
    let world = World::open().await;
    let mina = world.user("mina").await;
    // A leap second, and more digits than Postgres has.
    for (told, kept) in [
        ("2026-03-01T02:59:60.5Z", "2026-03-01T03:00:00.500Z"),
        ("2026-03-01T02:00:00.123456789Z", "2026-03-01T02:00:00.123456Z"),
    ] {
        let mut wish = json!(lunch("2026-03-01", 10));
        wish["eaten_at"] = json!(told);
        let logged: MealOutcome = mina.api.post("/api/v1/meals", &wish).await.ok(201);
        assert_eq!(json!(logged.meal.eaten_at), json!(kept));
        assert_eq!(mina.api.get(&path_of(logged.meal.id)).await.ok::<Meal>(200), logged.meal);
    }
    world.stop().await;
}

#[tokio::test]
async fn a_photo_comes_back_in_two_sizes_and_without_its_past() {
    let world = World::open().await;
    let mina = world.user("mina").await;
    let original = pictures::jpeg_full_of_secrets();
    let logged: MealOutcome = mina.uploads(&lunch_today(), original, None).await.ok(201);
    let photo = logged.meal.photo.clone().unwrap();
    assert_eq!((photo.width_px, photo.height_px), (40, 80), "turned upright");
    for path in [&photo.large, &photo.small] {
        let answer = mina.api.get(path).await;
        assert_eq!((answer.status.as_u16(), &answer.headers["content-type"]), (200, &"image/jpeg".parse().unwrap()));
        assert_eq!(answer.headers["cache-control"], "no-store", "a deleted meal's photo stays nowhere");
        assert!(image::load_from_memory(&answer.body).is_ok());
        for secret in pictures::SECRETS {
            let found = answer.body.windows(secret.len()).any(|window| window == secret);
            assert!(!found, "{path} holds {}", secret.escape_ascii());
        }
    }
    assert_eq!(mina.api.get(&path_of(logged.meal.id)).await.ok::<Meal>(200), logged.meal);
    assert_eq!(files_in(world.media.path()), 2);
    world.stop().await;
}

#[tokio::test]
async fn a_photo_as_large_as_phones_take_them_is_taken() {
    let world = World::open().await;
    let mina = world.user("mina").await;
    // Bytes after the end are dropped: a large file that costs no time to decode.
    let mut photo = pictures::jpeg(800, 600);
    photo.resize(10 * 1024 * 1024, 0);
    let logged: MealOutcome = mina.uploads(&lunch_today(), photo, None).await.ok(201);
    assert_eq!(logged.meal.photo.map(|photo| (photo.width_px, photo.height_px)), Some((800, 600)));
    world.stop().await;
}

#[tokio::test]
async fn another_users_meal_does_not_exist() {
    let world = World::open().await;
    let (mina, jun) = (world.user("mina").await, world.user("jun").await);
    let outcome: MealOutcome = mina.uploads(&lunch_today(), pictures::jpeg(80, 40), None).await.ok(201);
    let path = path_of(outcome.meal.id);
    let photo = outcome.meal.photo.clone().unwrap();
    for method in [Method::GET, Method::DELETE] {
        Answer::of(jun.api.request(method, &path)).await.refused(404, "not_found");
    }
    jun.api.patch(&path, &json!({ "note": "mine" })).await.refused(404, "not_found");
    for path in [&photo.large, &photo.small] {
        jun.api.get(path).await.refused(404, "not_found");
        world.api().get(path).await.refused(401, "token_missing");
    }
    assert_eq!(mina.api.get(&path).await.ok::<Meal>(200), outcome.meal, "and is as it was");
    world.stop().await;
}

#[tokio::test]
async fn a_photo_that_is_not_there_is_not_found() {
    let world = World::open().await;
    let mina = world.user("mina").await;
    let bare: MealOutcome = mina.api.post("/api/v1/meals", &lunch_today()).await.ok(201);
    let shown: MealOutcome = mina.uploads(&lunch_today(), pictures::jpeg(80, 40), None).await.ok(201);
    let (bare, shown) = (path_of(bare.meal.id), path_of(shown.meal.id));
    for path in [
        format!("{bare}/photo/large"),
        format!("{bare}/photo/small"),
        format!("{shown}/photo/huge"),
        format!("{shown}/photo/large.jpg"),
        format!("{}/photo/large", path_of(MealId::generate())),
        "/api/v1/meals/1/photo/large".to_owned(),
    ] {
        mina.api.get(&path).await.refused(404, "not_found");
    }
    mina.deletes(shown.rsplit('/').next().unwrap().parse().unwrap()).await;
    mina.api.get(&format!("{shown}/photo/large")).await.refused(404, "not_found");
    world.stop().await;
}

#[tokio::test]
async fn a_date_that_no_diary_has_is_refused() {
    let world = World::open().await;
    let mina = world.user("mina").await;
    for date in ["-5000-01-01", "1899-12-31", "2201-01-01", "2026-02-30", "today", ""] {
        mina.api.get(&format!("/api/v1/meals?date={date}")).await.refused(400, "query_invalid");
    }
    world.stop().await;
}
