//! A day, a month and a range of the diary: right, one's own, never an old one, and quick after ten years.

use lastbite_protocol::{
    Verdict,
    rest::{DiaryDay, DiaryMonth, DiaryRange, Grade, GradeCounts, MealKind, MealOutcome},
};
use reqwest::header;
use serde_json::{Value, json};

use crate::support::{Answer, Player, World, dinner, lunch, play::game, seoul, uploads::lunch_with};

const RANGE: &str = "/api/v1/diary/range?from=2026-02-01&to=2026-03-31";

impl Player {
    async fn day(&self, date: &str) -> DiaryDay {
        self.api.get(&format!("/api/v1/diary/day?date={date}")).await.ok(200)
    }

    async fn month(&self, month: &str) -> DiaryMonth {
        self.api.get(&format!("/api/v1/diary/month?month={month}")).await.ok(200)
    }

    async fn drank(&self, date: &str, water_ml: u32) -> Answer {
        self.api.put(&format!("/api/v1/diary/water/{date}"), &json!({ "water_ml": water_ml })).await
    }

    async fn weighed(&self, date: &str, weight_g: u32) {
        let consent = json!({ "version": 1, "given": true });
        self.api.put("/api/v1/accounts/me/consents/health_data", &consent).await.ok::<Value>(200);
        let path = format!("/api/v1/accounts/me/weights/{date}");
        self.api.put(&path, &json!({ "weight_g": weight_g })).await.ok::<Value>(200);
    }
}

fn of_rice(kind: &str, at: &str, grams_dg: u32) -> Value {
    let mut meal = lunch_with("kind", &json!(kind));
    meal.as_object_mut().unwrap().remove("amounts");
    meal["eaten_at"] = json!(seoul(at));
    meal["items"] = json!([{ "food": "ko:ssalbap", "grams_dg": grams_dg }]);
    meal
}

#[tokio::test]
async fn a_day_a_month_and_a_range_tell_what_was_eaten_and_judged() {
    let world = World::open().await;
    let mina = world.user("mina").await;
    let one = mina.hosts(&game(|terms| (terms.days, terms.lives) = (2, 1))).await;
    mina.joins(one).await;
    world.referee_at(seoul("2026-03-02 21:00")).await;
    for meal in [of_rice("dinner", "2026-03-02 19:00", 2_100), of_rice("lunch", "2026-03-02 12:00", 2_100)] {
        mina.api.post("/api/v1/meals", &meal).await.ok::<MealOutcome>(201);
    }
    mina.weighed("2026-03-02", 61_000).await;
    world.referee_at(seoul("2026-03-03 02:00")).await;
    world.time(seoul("2026-03-03 13:00"));
    mina.logs(&lunch("2026-03-03", 500)).await;

    let day = mina.day("2026-03-02").await;
    let kinds: Vec<_> = day.meals.iter().map(|meal| meal.kind).collect();
    assert_eq!(kinds, [MealKind::Lunch, MealKind::Dinner], "in the order they were eaten");
    let sum: u32 = day.meals.iter().map(|meal| meal.amounts.energy_kcal).sum();
    assert_eq!((day.energy_kcal, day.nutrients.energy_kcal), (sum, Some(sum)));
    assert!(day.energy_kcal_low < sum && sum < day.energy_kcal_high);
    assert_eq!((day.grade, day.weight_g), (Grade::A, Some(61_000)), "rice is rice, however much");
    assert_eq!(day.score.unwrap().of, 12);
    let verdicts: Vec<_> =
        day.verdicts.iter().map(|verdict| (verdict.challenge, verdict.day, verdict.verdict)).collect();
    assert_eq!(verdicts, [(one, 1, Verdict::Missed)]);

    let month = mina.month("2026-03").await;
    let told: Vec<_> = month.days.iter().map(|day| (day.date.to_string(), day.meals, day.grade)).collect();
    assert_eq!(told, [("2026-03-02".to_owned(), 2, Grade::A), ("2026-03-03".to_owned(), 1, Grade::Unknown)]);
    assert_eq!(month.days[0].kinds, [MealKind::Lunch, MealKind::Dinner]);
    assert_eq!((month.days[0].energy_kcal, month.days[0].verdicts.len()), (sum, 1));
    assert_eq!(mina.month("2026-02").await.days, []);

    let range: DiaryRange = mina.api.get(RANGE).await.ok(200);
    assert_eq!((range.days_logged, range.average_energy_kcal), (2, Some((sum + 500).div_ceil(2))));
    assert_eq!(range.grades, GradeCounts { a: 1, unknown: 1, ..GradeCounts::default() });
    assert_eq!((range.best, range.worst), (Some("2026-03-02".parse().unwrap()), Some("2026-03-02".parse().unwrap())));
    assert_eq!(range.weights[0].weight_g, 61_000);
    let jun = world.user("jun").await;
    assert_eq!((jun.day("2026-03-02").await.meals.len(), jun.month("2026-03").await.days.len()), (0, 0));
    world.stop().await;
}

#[tokio::test]
async fn a_glance_is_kept_until_anything_that_it_is_made_of_changes() {
    let world = World::open().await;
    let second = world.another_node().await;
    let mina = world.user("mina").await;
    world.time(seoul("2026-03-02 21:00"));
    let path = "/api/v1/diary/month?month=2026-03";
    let tag = async || {
        let answer = mina.api.get(path).await;
        answer.ok::<DiaryMonth>(200);
        assert_eq!(answer.headers["cache-control"], "private, no-cache");
        answer.headers["etag"].to_str().unwrap().to_owned()
    };
    let asks = async |known: &str| {
        let request = mina.at(&second).api.request(reqwest::Method::GET, path).header(header::IF_NONE_MATCH, known);
        Answer::of(request).await.status.as_u16()
    };
    let empty = tag().await;
    assert_eq!((tag().await, asks(&empty).await, asks("W/\"x\"").await), (empty.clone(), 304, 200));
    let meal = mina.logs(&lunch("2026-03-02", 500)).await.meal;
    let mut before = empty;
    let changed = async |before: &mut String, what: &str| {
        let now = tag().await;
        assert_ne!(now, *before, "{what}");
        assert_eq!(asks(before).await, 200, "{what}, on another node");
        assert_eq!(asks(&now).await, 304);
        *before = now;
    };
    changed(&mut before, "a meal").await;
    mina.api.patch(&format!("/api/v1/meals/{}", meal.id), &json!({ "note": "soup" })).await.ok::<MealOutcome>(200);
    changed(&mut before, "another note").await;
    mina.weighed("2026-03-02", 60_000).await;
    changed(&mut before, "a weight").await;
    mina.weighed("2026-03-02", 60_100).await;
    changed(&mut before, "another weight").await;
    mina.api.delete(&format!("/api/v1/meals/{}", meal.id)).await.ok::<MealOutcome>(200);
    changed(&mut before, "a meal less").await;
    second.stop().await;
    world.stop().await;
}

#[tokio::test]
async fn a_glance_asks_for_as_little_after_ten_years() {
    let world = World::open().await;
    let mina = world.user("mina").await;
    world.time(seoul("2026-03-02 21:00"));
    let years = "select make_meal_partitions(timestamptz '2016-01-01', 140)";
    sqlx::query(years).execute(&world.db).await.unwrap();
    mina.logs(&lunch("2026-03-02", 500)).await;
    mina.logs(&dinner("2026-03-02", 600)).await;
    let copies = "insert into meals (id, user_id, kind, eaten_at, zone, local_date, note, energy_kcal, logged_at)
                  select overlay(first_id_of(eaten)::text placing substr(md5(eaten::text), 1, 12) from 25)::uuid,
                         $1, 'lunch', eaten, 'Asia/Seoul', eaten::date, '', 500, eaten
                  from generate_series(timestamptz '2016-01-01', '2026-02-28', '8 hours') eaten";
    sqlx::query(copies).bind(mina.id.0).execute(&world.db).await.unwrap();
    sqlx::query("analyze meals").execute(&world.db).await.unwrap();
    assert_eq!(mina.month("2017-05").await.days.len(), 31);
    let whole: DiaryRange = mina.api.get("/api/v1/diary/range?from=2017-01-01&to=2017-12-31").await.ok(200);
    assert_eq!(whole.days_logged, 365);
    let plan: Vec<String> = sqlx::query_scalar(
        "explain select local_date from meals where user_id = gen_random_uuid() and local_date between '2017-05-01' and '2017-05-31'
         and deleted_at is null and id >= first_id_of('2017-04-28') and id < first_id_of('2017-06-05')",
    )
    .fetch_all(&world.db)
    .await
    .unwrap();
    let looked_into = plan.iter().filter(|line| line.contains(" on meals_")).count();
    assert!((1..=3).contains(&looked_into), "{plan:#?}");
    world.stop().await;
}

#[tokio::test]
async fn dates_that_are_none_are_refused() {
    let world = World::open().await;
    let mina = world.user("mina").await;
    for wrong in [
        "day",
        "day?date=2026-02-30",
        "day?date=x",
        "day?date=1899-12-31",
        "day?date=2201-01-01",
        "month",
        "month?month=2026-13",
        "month?month=2026-1",
        "month?month=2026-01-01",
        "month?month=999999-1",
        "month?month=%00",
        "range",
        "range?from=2026-03-02&to=2026-03-01",
        "range?from=2025-01-01&to=2026-01-02",
        "range?from=2026-01-01",
    ] {
        mina.api.get(&format!("/api/v1/diary/{wrong}")).await.refused(400, "query_invalid");
    }
    mina.api.get("/api/v1/diary/range?from=2025-01-01&to=2026-01-01").await.ok::<DiaryRange>(200);
    world.stop().await;
}

#[tokio::test]
async fn water_is_told_for_a_day_and_seen_at_once() {
    let world = World::open().await;
    let (mina, jun) = (world.user("mina").await, world.user("jun").await);
    let none = mina.day("2026-03-01").await;
    assert_eq!(none.water_ml, None);
    for water_ml in [500, 1_500] {
        mina.drank("2026-03-01", water_ml).await.ok_empty(204);
        assert_eq!(mina.day("2026-03-01").await.water_ml, Some(water_ml));
    }
    assert_eq!(mina.month("2026-03").await.days[0].water_ml, Some(1_500));
    assert_eq!((jun.day("2026-03-01").await.water_ml, mina.day("2026-03-02").await.water_ml), (None, None));
    mina.drank("2026-03-01", 0).await.ok_empty(204);
    assert_eq!(mina.day("2026-03-01").await, none);
    mina.drank("2026-03-01", 20_001).await.refused(422, "water_out_of_range");
    mina.drank("1899-01-01", 1).await.refused(400, "query_invalid");
    mina.drank("2026-02-30", 1).await.refused(404, "not_found");
    world.api().put("/api/v1/diary/water/2026-03-01", &json!({ "water_ml": 1 })).await.refused(401, "token_missing");
    world.stop().await;
}
