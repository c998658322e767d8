//! What users tell of themselves: with their consent, within what is safe, for nobody else.

use lastbite_protocol::{
    Requirement, UserId,
    profile::{Body, Targets, Weight},
    rest::{Consent, Page, Profile},
};
use serde_json::{Value, json};

use crate::support::{Answer, Player, World, play::game};

impl Player {
    async fn consents(&self, purpose: &str, given: bool) -> Answer {
        let path = format!("/api/v1/accounts/me/consents/{purpose}");
        self.api.put(&path, &json!({ "version": 1, "given": given })).await
    }

    async fn tells(&self, body: &Value) -> Answer {
        self.api.patch("/api/v1/accounts/me/body", body).await
    }

    async fn weighs(&self, date: &str, weight_g: u32) -> Answer {
        self.api.put(&format!("/api/v1/accounts/me/weights/{date}"), &json!({ "weight_g": weight_g })).await
    }

    async fn works_out(&self, wish: &Value) -> Answer {
        self.api.post("/api/v1/accounts/me/targets", wish).await
    }

    async fn weights(&self) -> Vec<Weight> {
        self.api.get("/api/v1/accounts/me/weights").await.ok::<Page<Weight>>(200).items
    }
}

/// The woman of the published vectors, if she were born thirty years ago.
fn woman(world: &World) -> Value {
    let year = chrono::Datelike::year(&world.clock.wall()) - 30;
    json!({ "birth_year": year, "sex": "female", "height_mm": 1_620, "activity": "light" })
}

fn today(world: &World) -> String {
    world.clock.wall().with_timezone(&chrono_tz::Asia::Seoul).date_naive().to_string()
}

#[tokio::test]
async fn a_profile_is_read_and_changed_and_its_name_is_unique() {
    let world = World::open().await;
    let (mina, _jun) = (world.user("mina").await, world.user("jun").await);
    let path = "/api/v1/accounts/me/profile";
    let profile: Profile = mina.api.get(path).await.ok(200);
    assert_eq!((profile.nickname.as_str(), profile.zone, profile.body), ("mina", chrono_tz::Asia::Seoul, None));
    let change = json!({ "nickname": "미나", "zone": "America/New_York", "language": "en", "visibility": "nobody" });
    mina.api.patch(path, &change).await.ok::<Profile>(200);
    let read: Value = mina.api.get(path).await.ok(200);
    for (field, value) in change.as_object().unwrap() {
        assert_eq!(read[field], *value);
    }
    mina.api.patch(path, &json!({ "nickname": "JUN" })).await.refused(409, "nickname_taken");
    mina.api.patch(path, &json!({ "nickname": "no spaces" })).await.refused(422, "nickname_invalid");
    for wrong in [json!({ "zone": "Mars/Olympus" }), json!({ "role": "admin" }), json!({ "email": "x@example.com" })] {
        mina.api.patch(path, &wrong).await.refused(422, "json_invalid");
    }
    world.stop().await;
}

#[tokio::test]
async fn without_consent_nothing_of_health_is_stored_and_with_it_taken_back_all_is_gone() {
    let world = World::open().await;
    let mina = world.user("mina").await;
    let today = today(&world);
    let nothing_works = async || {
        mina.tells(&woman(&world)).await.refused(403, "consent_required");
        mina.weighs(&today, 55_000).await.refused(403, "consent_required");
        mina.works_out(&json!({})).await.refused(403, "consent_required");
        for table in ["select count(*) from bodies", "select count(*) from weights"] {
            assert_eq!(world.count(table).await, 0);
        }
    };
    nothing_works().await;
    mina.consents("health_data", true).await.ok::<Consent>(200);
    mina.tells(&woman(&world)).await.ok::<Body>(200);
    mina.weighs(&today, 55_000).await.ok::<Weight>(200);
    mina.consents("health_data", false).await.ok::<Consent>(200);
    nothing_works().await;
    assert_eq!(mina.weights().await, []);
    let listed: Page<Consent> = mina.api.get("/api/v1/accounts/me/consents").await.ok(200);
    let told: Vec<_> = listed.items.iter().map(|it| (it.purpose.as_str(), it.given)).collect();
    assert_eq!(told, [("health_data", false), ("service", true)]);
    assert_eq!(world.count("select count(*) from consents").await, 3, "when it was given is not forgotten");
    mina.consents("service", false).await.refused(409, "consent_needed");
    mina.consents("world_domination", true).await.refused(404, "not_found");
    let old = json!({ "version": 0, "given": true });
    mina.api.put("/api/v1/accounts/me/consents/health_data", &old).await.refused(422, "consent_version_old");
    world.stop().await;
}

#[tokio::test]
async fn a_consent_taken_back_while_weights_fly_in_leaves_none() {
    let world = World::open().await;
    let mina = world.user("mina").await;
    mina.consents("health_data", true).await.ok::<Consent>(200);
    let weighing = futures_util::future::join_all((1..=20).map(|day| {
        let (mina, date) = (&mina, format!("2026-01-{day:02}"));
        async move { mina.weighs(&date, 55_000).await.status.as_u16() }
    }));
    let (statuses, _) = tokio::join!(weighing, mina.consents("health_data", false));
    assert!(statuses.iter().all(|status| matches!(status, 200 | 403 | 503)), "{statuses:?}");
    assert_eq!(world.count("select count(*) from weights").await, 0);
    world.stop().await;
}

#[tokio::test]
async fn targets_are_those_of_the_equations_and_keep_their_names() {
    let world = World::open().await;
    let mina = world.user("mina").await;
    mina.consents("health_data", true).await.ok::<Consent>(200);
    let get = async || mina.api.get("/api/v1/accounts/me/targets").await;
    assert_eq!(mina.works_out(&json!({})).await.refused(422, "body_incomplete").field.as_deref(), Some("birth_year"));
    mina.tells(&woman(&world)).await.ok::<Body>(200);
    assert_eq!(mina.works_out(&json!({})).await.refused(422, "body_incomplete").field.as_deref(), Some("weight_g"));
    mina.weighs(&today(&world), 55_000).await.ok::<Weight>(200);
    get().await.refused(404, "not_found");
    let targets: Targets = mina.works_out(&json!({})).await.ok(200);
    // Mifflin of a woman of 55 kg, 162 cm and 30 years: 1251.5 at rest, 1720.8 when moving a little.
    assert_eq!((targets.resting_kcal, targets.need_kcal, targets.floor_kcal), (1_252, 1_721, 1_200));
    assert_eq!(json!(targets)["equation"], "mifflin_1990");
    assert_eq!(json!(targets)["intake_table"], "kdri_2025");
    assert_eq!(get().await.ok::<Targets>(200), targets);
    // A challenge that asks for less than she needs at rest is hers to join, and she is told; with child it is not.
    let low = mina
        .hosts(&game(|terms| {
            terms.requirements = vec![Requirement::Calories { target_kcal: 1_250, tolerance_kcal: 40 }];
        }))
        .await;
    let joined: Value = mina.api.post(&format!("/api/v1/challenges/{low}/players"), &json!({})).await.ok(201);
    assert_eq!(
        joined["warnings"],
        json!([{ "code": "under_resting_need", "target_kcal": 1_250, "resting_kcal": 1_252 }])
    );
    mina.tells(&json!({ "pregnant": true })).await.ok::<Body>(200);
    let another = mina
        .hosts(&game(|terms| {
            terms.requirements = vec![Requirement::Calories { target_kcal: 1_600, tolerance_kcal: 100 }];
        }))
        .await;
    mina.api.post(&format!("/api/v1/challenges/{another}/players"), &json!({})).await.refused(403, "pregnant");
    mina.tells(&json!({ "pregnant": false })).await.ok::<Body>(200);
    let eer: Targets = mina.works_out(&json!({ "equation": "kdri_eer", "intake_table": "kdri_2020" })).await.ok(200);
    assert_eq!(eer.need_kcal, 2_041);
    mina.tells(&json!({ "activity": "heavy" })).await.ok::<Body>(200);
    get().await.refused(404, "not_found");
    world.stop().await;
}

#[tokio::test]
async fn what_cannot_be_and_what_is_not_safe_is_refused() {
    let world = World::open().await;
    let mina = world.user("mina").await;
    mina.consents("health_data", true).await.ok::<Consent>(200);
    let year = chrono::Datelike::year(&world.clock.wall());
    mina.tells(&woman(&world)).await.ok::<Body>(200);
    for (change, field) in [
        (json!({ "birth_year": year - 13 }), "birth_year"),
        (json!({ "birth_year": 1_899 }), "birth_year"),
        (json!({ "birth_year": year + 1 }), "birth_year"),
        (json!({ "height_mm": 999 }), "height_mm"),
        (json!({ "height_mm": 2_501 }), "height_mm"),
        // A BMI of 18.5 at 162 cm is 48.55 kg.
        (json!({ "goal_weight_g": 48_551 }), "goal_weight_g"),
        (json!({ "goal_weight_g": 400_001 }), "goal_weight_g"),
    ] {
        let answer = mina.tells(&change).await;
        let problem: lastbite_protocol::rest::Problem = serde_json::from_slice(&answer.body).unwrap();
        assert_eq!((problem.status, problem.field.as_deref()), (422, Some(field)), "{change}: {problem:?}");
    }
    mina.tells(&json!({ "goal_weight_g": 48_552 })).await.ok::<Body>(200);
    for weight_g in [19_999, 400_001, 48_551] {
        assert_eq!(mina.weighs(&today(&world), weight_g).await.status.as_u16(), 422, "{weight_g}");
    }
    mina.weighs("2999-01-01", 55_000).await.refused(422, "date_out_of_range");
    mina.weighs("1999-01-01", 55_000).await.refused(422, "date_out_of_range");
    mina.weighs("no-date", 55_000).await.refused(404, "not_found");
    world.stop().await;
}

#[tokio::test]
async fn a_day_has_one_weight_and_nobody_else_sees_any() {
    let world = World::open().await;
    let (mina, jun) = (world.user("mina").await, world.user("jun").await);
    for player in [&mina, &jun] {
        player.consents("health_data", true).await.ok::<Consent>(200);
    }
    for (date, weight_g) in [("2026-01-01", 56_000), ("2026-01-02", 55_900), ("2026-01-01", 55_800)] {
        mina.weighs(date, weight_g).await.ok::<Weight>(200);
    }
    let page = async |query: &str| -> Page<Weight> {
        mina.api.get(&format!("/api/v1/accounts/me/weights{query}")).await.ok(200)
    };
    let first = page("?limit=1").await;
    assert_eq!((first.items[0].weight_g, first.next.as_deref()), (55_900, Some("2026-01-02")));
    assert_eq!(page("?limit=1&after=2026-01-02").await.items[0].weight_g, 55_800);
    assert_eq!(jun.weights().await, []);
    jun.api.delete("/api/v1/accounts/me/weights/2026-01-01").await.refused(404, "not_found");
    mina.api.delete("/api/v1/accounts/me/weights/2026-01-01").await.ok_empty(204);
    assert_eq!(mina.weights().await.len(), 1);
    let nobody = world.node.token(UserId::generate(), world.clock.wall());
    world.api().with_token(&nobody).get("/api/v1/accounts/me/profile").await.refused(404, "not_found");
    world.stop().await;
}
