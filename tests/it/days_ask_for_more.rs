//! Days that ask for nutrients, a grade or photos: what the referee finds in meals as they were really logged.

use lastbite_protocol::{
    Requirement, Verdict,
    foods::Grade,
    rest::{Challenge, Finding, MealOutcome},
    terms::Nutrient,
};
use serde_json::{Value, json};

use crate::support::{Player, World, pictures, play::game, seoul};

const PROTEIN: Requirement = Requirement::Macro {
    nutrient: Nutrient::Protein,
    at_least_mg: Some(20_000),
    at_most_mg: None,
    at_least_permille: None,
    at_most_permille: None,
};

fn rice_at(kind: &str, at: &str) -> Value {
    json!({
        "kind": kind, "eaten_at": seoul(at), "zone": "Asia/Seoul",
        "items": [{ "food": "ko:ssalbap", "grams_dg": 4_200 }, { "food": "ko:kimchi-jjigae", "grams_dg": 3_000 }],
    })
}

impl Player {
    async fn eats(&self, meal: &Value) -> MealOutcome {
        self.api.post("/api/v1/meals", meal).await.ok(201)
    }
}

#[tokio::test]
async fn nutrients_grade_and_photos_are_judged_as_they_were_logged() {
    let world = World::open().await;
    let (mina, jun) = (world.user("mina").await, world.user("jun").await);
    let asked = vec![PROTEIN, Requirement::Grade { at_worst: Grade::B }, Requirement::Photo {}];
    let challenge = mina.hosts(&game(|terms| terms.requirements = asked)).await;
    for player in [&mina, &jun] {
        player.joins(challenge).await;
    }
    world.referee_at(seoul("2026-03-02 20:00")).await;
    let lunch = rice_at("lunch", "2026-03-02 12:00");
    let shown: MealOutcome = mina.uploads(&lunch, pictures::jpeg(400, 300), None).await.ok(201);
    assert!(shown.meal.photo.is_some());
    jun.eats(&lunch).await;
    // What was entered by hand has no grade, and so the day has none.
    let by_hand = json!({
        "kind": "dinner", "eaten_at": seoul("2026-03-02 19:00"), "zone": "Asia/Seoul",
        "amounts": { "energy_kcal": 700 },
    });
    jun.eats(&by_hand).await;
    world.referee_at(seoul("2026-03-03 02:00")).await;

    let of_mina = &mina.verdicts(challenge).await[0];
    assert_eq!(of_mina.verdict, Verdict::Kept, "{of_mina:?}");
    let [Finding::Macro { amount_mg, unknown_meals: 0, .. }, Finding::Grade { grade, .. }, photos] =
        &of_mina.findings[..]
    else {
        panic!("{of_mina:?}")
    };
    assert_eq!(*amount_mg, u64::from(shown.meal.amounts.protein_mg.unwrap()));
    assert_eq!(*grade, shown.meal.contents.grade);
    assert_eq!(*photos, Finding::Photos { held: true, with_photo: 1, valid: 1 });
    let quality = if *grade == Grade::A { 15 } else { 12 };
    assert_eq!(of_mina.points, 60 + quality, "without a band nothing can be near its target");

    let of_jun = &jun.verdicts(challenge).await[0];
    assert_eq!(of_jun.verdict, Verdict::Missed);
    let [Finding::Macro { held: true, unknown_meals: 1, .. }, graded, photos] = &of_jun.findings[..] else {
        panic!("{of_jun:?}")
    };
    assert_eq!(*graded, Finding::Grade { held: false, grade: Grade::Unknown, at_worst: Grade::B });
    assert_eq!(*photos, Finding::Photos { held: false, with_photo: 0, valid: 2 });
    world.stop().await;
}

#[tokio::test]
async fn terms_that_ask_for_what_cannot_be_are_refused_and_windows_may_be_left_out() {
    let world = World::open().await;
    let mina = world.user("mina").await;
    let wish = |requirements: Value| {
        let terms = json!({ "first_day": "2026-03-02", "days": 3, "requirements": requirements });
        json!({ "title": "셋", "description": "", "terms": terms })
    };
    for wrong in [
        json!([{ "kind": "macro", "nutrient": "protein" }]),
        json!([{ "kind": "macro", "nutrient": "protein", "at_least_mg": 1, "at_least_permille": 1 }]),
        json!([{ "kind": "grade", "at_worst": "UNKNOWN" }]),
        json!([{ "kind": "meals", "windows": { "lunch": { "from": "14:00", "until": "13:00" } } }]),
    ] {
        let problem = mina.api.post("/api/v1/challenges", &wish(wrong.clone())).await.refused(422, "terms_invalid");
        assert!(problem.detail.is_some(), "{wrong}");
    }
    let own = json!([{ "kind": "meals", "windows": { "lunch": { "from": "12:00", "until": "13:00" } } }, { "kind": "photo" }]);
    let made: Challenge = mina.api.post("/api/v1/challenges", &wish(own)).await.ok(201);
    let Requirement::Meals { windows, .. } = made.terms.requirements[0] else { panic!("{made:?}") };
    assert_eq!(
        (windows.lunch.from.to_string(), windows.dinner.from.to_string()),
        ("12:00".to_owned(), "18:00".to_owned())
    );
    world.stop().await;
}
