//! A meal that is logged by a photo alone: recorded at once, told to its owner's devices when it is known, asked when nobody can
//! tell, and never judged unknown.

use std::time::Duration;

use lastbite::config::eyes::Eye;
use lastbite_protocol::{
    ChallengeId, MealId, Verdict,
    rest::{Analysis, DiaryRange, EditMeal, Judged, Meal, MealOutcome, MealState, OwnEvent, OwnNews, Page},
};
use serde_json::{Value, json};

use crate::support::{
    Player, Viewer, World,
    books::consistent,
    eyes::{Does, Eyes, content, foods},
    play::{energy, game},
    scenes::scene,
    seoul, until,
    uploads::files_in,
    world::Setup,
};

const ESPRESSO: &[u8] = include_bytes!("../../recogniser/fixtures/espresso.jpg");

fn lunch_at(at: &str) -> Value {
    json!({ "kind": "lunch", "eaten_at": seoul(at), "zone": "Asia/Seoul" })
}

impl Player {
    async fn shows_lunch(&self, at: &str, photo: Vec<u8>) -> MealOutcome {
        self.uploads(&lunch_at(at), photo, None).await.ok(201)
    }

    async fn events(&self) -> Vec<OwnNews> {
        let page: Page<OwnEvent> = self.api.get("/api/v1/accounts/me/events?limit=100").await.ok(200);
        page.items.into_iter().map(|event| event.news).collect()
    }

    async fn meal(&self, id: MealId) -> Meal {
        self.api.get(&format!("/api/v1/meals/{id}")).await.ok(200)
    }

    async fn waits_until(&self, id: MealId, state: MealState) -> Meal {
        until("the meal is looked at", || async { Some(self.meal(id).await).filter(|meal| meal.state == state) }).await
    }
}

async fn world_with(eyes: Vec<Eye>) -> (World, Player) {
    let world = World::with(Setup { eyes, ..Setup::default() }).await;
    world.time(seoul("2026-03-02 13:00"));
    let mina = world.user("mina").await;
    let consent = json!({ "version": 1, "given": true });
    mina.api.put("/api/v1/accounts/me/consents/ai_processing", &consent).await.ok::<Value>(200);
    (world, mina)
}

fn stew() -> Value {
    foods(&[("김치찌개", 300, 500, 0.9), ("쌀밥", 200, 220, 0.8)])
}

#[tokio::test]
async fn a_photo_alone_becomes_a_meal_and_every_device_hears_of_it() {
    let model = Eyes::that([Does::Waits(Duration::from_millis(300), stew())]).await;
    let (world, mina) = world_with(vec![model.as_openai()]).await;
    let another = world.node_with(Setup { eyes: vec![model.as_openai()], ..Setup::default() }).await;
    world.time(seoul("2026-03-01 13:00"));
    let challenge = mina.hosts(&game(|_| ())).await;
    mina.joins(challenge).await;
    world.referee_at(seoul("2026-03-02 13:00")).await;
    let mut phone = mina.watches(challenge).await;
    // On another node, which hears nothing of what this one announces.
    let mut laptop = Viewer::watch(another.address, Some(&mina.token), challenge, None).await;

    let logged = mina.shows_lunch("2026-03-02 12:30", scene(1, 400, 300, 80)).await;
    assert_eq!((logged.meal.state, logged.meal.amounts.energy_kcal), (MealState::Analysing, 0));
    let Judged::ForDay { points, .. } = logged.effects[0].judged else { panic!("{logged:?}") };
    assert_eq!(points, 0, "it counts when it is known");
    for device in [&mut phone, &mut laptop] {
        device.sees("that her stream goes on", |seen| seen.own >= 2).await;
    }
    let meal = mina.waits_until(logged.meal.id, MealState::Known).await;
    let names: Vec<_> = meal.contents.items.iter().map(|item| (item.food.as_str(), item.grams_dg)).collect();
    assert_eq!(names, [("ko:kimchi-jjigae", 4_000), ("ko:ssalbap", 2_100)]);
    assert!(meal.amounts.energy_kcal > 300 && meal.edited_at.is_none(), "{meal:?}");
    assert_eq!(mina.events().await, [OwnNews::MealLogged { meal: meal.id }, OwnNews::MealEdited { meal: meal.id }]);
    let after = mina.api.get("/api/v1/accounts/me/events?after=1").await.ok::<Page<OwnEvent>>(200);
    assert_eq!((after.items.len(), after.items[0].n), (1, 2));
    phone.sees("her points", |seen| seen.row(mina.id).is_some_and(|row| row.points > 0)).await;
    let seen: Analysis = mina.api.get(&format!("/api/v1/meals/{}/analysis", meal.id)).await.ok(200);
    assert_eq!((seen.provider.as_deref(), seen.guesses.len()), (Some("openai"), 2));

    let jun = world.user("jun").await;
    jun.api.get(&format!("/api/v1/meals/{}/analysis", meal.id)).await.refused(404, "not_found");
    assert_eq!(jun.events().await, []);
    another.stop().await;
    world.stop().await;
}

#[tokio::test]
async fn what_nobody_can_tell_is_asked_and_counts_when_it_was_said() {
    let unsure = foods(&[("김치찌개", 300, 500, 0.9), ("쌀밥", 200, 220, 0.3)]);
    // The table has no such dish, and the rest of the plate is not the meal.
    let half = foods(&[("김치찌개", 300, 500, 0.9), ("쀍쀍쀍", 200, 220, 0.9)]);
    let nothing = Does::Says(content("{\"foods\":[]}"));
    let model = Eyes::that([nothing, Does::Says(unsure), Does::Says(half), Does::Never, Does::Never]).await;
    let (world, mina) = world_with(vec![model.as_openai()]).await;
    for photo in 1..=4 {
        let logged = mina.shows_lunch("2026-03-02 12:30", scene(photo, 400, 300, 80)).await;
        let asked = mina.waits_until(logged.meal.id, MealState::Asked).await;
        assert_eq!((asked.amounts.energy_kcal, asked.contents.items.len()), (0, 0), "nothing is made up");
        assert_eq!(mina.events().await.last(), Some(&OwnNews::MealAsked { meal: asked.id }));
        let range = "/api/v1/diary/range?from=2026-03-02&to=2026-03-02";
        let range: DiaryRange = mina.api.get(range).await.ok(200);
        assert_eq!((range.days_logged, range.days[0].unknown_meals, range.average_energy_kcal), (1, 1, None));
        let copy = json!({ "eaten_at": seoul("2026-03-02 12:31") });
        mina.api.post(&format!("/api/v1/meals/{}/copies", asked.id), &copy).await.refused(409, "meal_unknown");
        let told = json!({ "items": [{ "food": "ko:bibimbap", "grams_dg": 4_500 }] });
        let known: MealOutcome = mina.api.patch(&format!("/api/v1/meals/{}", asked.id), &told).await.ok(200);
        assert_eq!(known.meal.state, MealState::Known);
        assert!(known.meal.amounts.energy_kcal > 0);
    }
    mina.api.post("/api/v1/meals", &lunch_at("2026-03-02 12:30")).await.refused(422, "contents_needed");
    world.stop().await;
}

#[tokio::test]
async fn a_look_that_takes_long_is_told_and_what_its_owner_says_meanwhile_stays() {
    let slow = || Does::Waits(Duration::from_secs(6), stew());
    let model = Eyes::that([slow(), slow(), slow()]).await;
    let (world, mina) = world_with(vec![model.as_patient_openai()]).await;
    let told = mina.shows_lunch("2026-03-02 12:30", scene(1, 400, 300, 80)).await.meal.id;
    let gone = mina.shows_lunch("2026-03-02 12:31", scene(2, 400, 300, 80)).await.meal.id;
    let waiting = mina.shows_lunch("2026-03-02 12:32", scene(3, 400, 300, 80)).await.meal.id;
    let said = json!({ "amounts": { "energy_kcal": 555 } });
    mina.api.patch(&format!("/api/v1/meals/{told}"), &said).await.ok::<Value>(200);
    mina.deletes(gone).await;
    mina.waits_until(waiting, MealState::Known).await;
    world.is_quiet().await;
    let events = mina.events().await;
    let slow: Vec<_> = events.iter().filter(|news| matches!(news, OwnNews::MealAnalysing { .. })).collect();
    assert_eq!(slow, [&OwnNews::MealAnalysing { meal: waiting }], "only of the one that is still waited for");
    assert_eq!(mina.meal(told).await.amounts.energy_kcal, 555);
    assert_eq!(files_in(world.media.path()), 4);
    world.stop().await;
}

#[tokio::test]
async fn a_verdict_waits_while_a_photo_of_the_day_is_being_looked_at_and_nobody_else_does() {
    let model = Eyes::that([Does::Waits(Duration::from_secs(3), foods(&[("쌀밥", 900, 900, 0.9)]))]).await;
    let (world, mina) = world_with(vec![model.as_patient_openai()]).await;
    world.time(seoul("2026-03-01 13:00"));
    let jun = world.user("jun").await;
    let challenge = mina.hosts(&game(|terms| terms.lives = 1)).await;
    for player in [&mina, &jun] {
        player.joins(challenge).await;
    }
    world.referee_at(seoul("2026-03-02 20:00")).await;
    // Hers comes to the band with what is on the photo, and only with it.
    let dinner = json!({ "kind": "dinner", "eaten_at": seoul("2026-03-02 19:00"), "zone": "Asia/Seoul",
                         "amounts": { "energy_kcal": 100 } });
    mina.api.post("/api/v1/meals", &dinner).await.ok::<Value>(201);
    let rice = mina.shows_lunch("2026-03-02 12:30", scene(1, 400, 300, 80)).await.meal.id;
    world.time(seoul("2026-03-03 02:30"));
    until("his verdict", || async { (jun.verdicts(challenge).await.len() == 1).then_some(()) }).await;
    assert_eq!(mina.verdicts(challenge).await, [], "hers waits");
    assert_eq!(
        world.count("select count(*) from rounds where judged_at is not null").await,
        0,
        "and so the day is open"
    );
    let rice = mina.waits_until(rice, MealState::Known).await;
    assert!((1_300..1_500).contains(&rice.amounts.energy_kcal), "{}", rice.amounts.energy_kcal);
    world.referee_at(seoul("2026-03-03 02:30")).await;
    assert_eq!(mina.verdicts(challenge).await[0].verdict, Verdict::Kept);
    assert_eq!(jun.verdicts(challenge).await[0].verdict, Verdict::Missed);
    consistent(&world, challenge).await;
    world.stop().await;
}

/// A day of Mina's that is half kept; she was asked about one photo in time, and another one is being looked at when the log
/// closes.
struct Night {
    model: Eyes,
    world: World,
    mina: Player,
    challenge: ChallengeId,
    asked: MealId,
    lunch: MealId,
}

async fn waits_at_night(look: Duration) -> Night {
    let model = Eyes::that([Does::Says(foods(&[])), Does::Waits(look, foods(&[]))]).await;
    let (world, mina) = world_with(vec![model.as_patient_openai()]).await;
    world.time(seoul("2026-03-01 13:00"));
    let challenge = mina.hosts(&game(|terms| (terms.lives, terms.min_players) = (0, 1))).await;
    mina.joins(challenge).await;
    world.referee_at(seoul("2026-03-02 20:00")).await;
    let dinner = json!({ "kind": "dinner", "eaten_at": seoul("2026-03-02 19:00"), "zone": "Asia/Seoul",
                         "amounts": { "energy_kcal": 800 } });
    mina.api.post("/api/v1/meals", &dinner).await.ok::<Value>(201);
    let asked = mina.shows_lunch("2026-03-02 12:20", scene(2, 400, 300, 80)).await.meal.id;
    mina.waits_until(asked, MealState::Asked).await;
    let lunch = mina.shows_lunch("2026-03-02 12:30", scene(1, 400, 300, 80)).await.meal.id;
    until("it is looked at", || async { (model.asked().len() == 2).then_some(()) }).await;
    world.time(seoul("2026-03-03 02:30"));
    Night { model, world, mina, challenge, asked, lunch }
}

#[tokio::test]
async fn a_day_whose_photo_nobody_has_looked_at_for_a_day_is_void() {
    let Night { world, mina, challenge, model: _model, .. } = waits_at_night(Duration::from_secs(12)).await;
    world.time(seoul("2026-03-04 01:59"));
    world.referee_has_looked(&mina).await;
    assert_eq!(mina.verdicts(challenge).await, [], "for 24 hours it waits");
    world.time(seoul("2026-03-04 02:00"));
    let verdict = until("a verdict", || async { mina.verdicts(challenge).await.into_iter().next() }).await;
    assert_eq!((verdict.verdict, verdict.points), (Verdict::Void, 0), "she had no life to lose, and was in");
    world.referee_at(seoul("2026-03-04 02:00")).await;
    consistent(&world, challenge).await;
    world.stop().await;
}

#[tokio::test]
async fn who_is_asked_after_the_close_has_a_day_to_tell_and_nothing_else() {
    let Night { world, mina, challenge, asked, lunch, model: _model } = waits_at_night(Duration::from_secs(2)).await;
    mina.waits_until(lunch, MealState::Asked).await;
    world.referee_has_looked(&mina).await;
    assert_eq!(mina.verdicts(challenge).await, [], "she was asked too late to answer in time");
    let moved = EditMeal { eaten_at: Some(seoul("2026-03-02 12:40")), ..energy(700) };
    mina.tries_to_edit(lunch, &moved).await.refused(503, "day_being_judged");
    mina.tries_to_edit(asked, &energy(700)).await.refused(503, "day_being_judged");
    mina.edits(lunch, &energy(700)).await;
    mina.tries_to_edit(lunch, &energy(1)).await.refused(503, "day_being_judged");
    let verdict = until("a verdict", || async { mina.verdicts(challenge).await.into_iter().next() }).await;
    assert_eq!(verdict.verdict, Verdict::Kept);
    world.referee_at(seoul("2026-03-03 02:30")).await;
    consistent(&world, challenge).await;
    world.stop().await;
}

#[tokio::test]
async fn who_was_asked_and_has_not_told_is_judged_by_what_is_known() {
    let Night { world, mina, challenge, lunch, model: _model, .. } = waits_at_night(Duration::from_secs(2)).await;
    mina.waits_until(lunch, MealState::Asked).await;
    world.time(seoul("2026-03-04 02:00"));
    let verdict = until("a verdict", || async { mina.verdicts(challenge).await.into_iter().next() }).await;
    assert_eq!(verdict.verdict, Verdict::Missed, "a photo of nothing is no free day");
    world.stop().await;
}

#[tokio::test]
async fn a_picture_that_is_not_fit_goes_and_a_spent_budget_asks_at_once() {
    let unfit = json!({ "responses": [{ "safeSearchAnnotation": { "violence": "VERY_LIKELY" } }] });
    let google = Eyes::that([Does::Says(unfit)]).await;
    let (world, mina) = world_with(vec![google.as_google(), Eye::Embedded]).await;
    let shown = mina.shows_lunch("2026-03-02 12:30", scene(1, 400, 300, 80)).await.meal;
    let asked = mina.waits_until(shown.id, MealState::Asked).await;
    assert_eq!(asked.photo, None);
    until("its files are gone", || async { (files_in(world.media.path()) == 0).then_some(()) }).await;
    mina.api.get(&shown.photo.unwrap().large).await.refused(404, "not_found");

    let fill = "insert into analyses (id, user_id, photo, made_at)
                select gen_random_uuid(), $1, '{}', '2026-03-02T03:00:00Z' from generate_series(1, 19)";
    sqlx::query(fill).bind(mina.id.0).execute(&world.db).await.unwrap();
    let logged = mina.shows_lunch("2026-03-02 12:30", ESPRESSO.to_vec()).await;
    assert_eq!(logged.meal.state, MealState::Asked);
    world.stop().await;
}
