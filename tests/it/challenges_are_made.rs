//! Making challenges, and reading them: what a host gets without asking, which terms are refused, how lists are paged.

use lastbite_protocol::{
    ChallengeId, Requirement, WallTime,
    rest::{Challenge, ChallengeStatus, Page},
    terms::Windows,
};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Answer, Player, World, challenge, seoul};

const CHALLENGES: &str = "/api/v1/challenges";

/// A challenge with one field of its terms replaced.
fn with_term(field: &str, value: Value) -> Value {
    let mut wish = json!(challenge());
    wish["terms"][field] = value;
    wish
}

#[tokio::test]
async fn what_a_host_does_not_say_is_filled_in() {
    let world = World::open().await;
    let mina = world.user("mina").await;
    let wish = json!({
        "title": "  봄  ",
        "terms": {
            "first_day": "2026-03-02",
            "days": 7,
            "requirements": [{ "kind": "calories", "target_kcal": 2000 }, { "kind": "meals" }],
        },
    });
    let made: Challenge = mina.api.post(CHALLENGES, &wish).await.ok(201);
    assert_eq!((made.title.as_str(), made.description.as_str(), made.host), ("봄", "", mina.id));
    assert_eq!((made.status, made.seats_taken, made.me), (ChallengeStatus::Open, 0, None));
    assert_eq!((made.starts_at, made.ends_at), (seoul("2026-03-02 00:00"), seoul("2026-03-09 00:00")));
    let terms = &made.terms;
    assert_eq!((terms.version, terms.zone), (1, chrono_tz::Asia::Seoul));
    assert_eq!((terms.lives, terms.grace_minutes, terms.seats, terms.min_players), (2, 120, 100, 2));
    assert_eq!(terms.day_starts_at, WallTime::hour(0));
    let requirements = [
        Requirement::Calories { target_kcal: 2000, tolerance_kcal: 100 },
        Requirement::Meals { at_least: 2, cutoff: WallTime::hour(23), windows: Windows::default() },
    ];
    assert_eq!(terms.requirements, requirements);
    let read: Challenge = world.api().get(&format!("{CHALLENGES}/{}", made.id)).await.ok(200);
    assert_eq!(read.terms, made.terms);
    world.stop().await;
}

#[tokio::test]
async fn terms_that_cannot_be_played_or_are_not_safe_are_refused_by_field() {
    let world = World::open().await;
    let mina = world.user("mina").await;
    let calories = |target: u32, tolerance: u32| json!([{ "kind": "calories", "target_kcal": target, "tolerance_kcal": tolerance }]);
    let meals = |at_least: u8, cutoff: &str| json!([{ "kind": "meals", "at_least": at_least, "cutoff": cutoff }]);
    let refused = [
        ("version", json!(2)),
        ("version", json!(0)),
        ("days", json!(0)),
        ("days", json!(366)),
        ("seats", json!(1)),
        ("seats", json!(1_000_001)),
        ("lives", json!(11)),
        ("grace_minutes", json!(1441)),
        ("day_starts_at", json!("06:01")),
        ("min_players", json!(0)),
        ("min_players", json!(101)),
        ("first_day", json!("2026-03-01")),
        ("first_day", json!("2020-02-29")),
        ("first_day", json!("2027-03-04")),
        ("first_day", json!("-262143-01-01")),
        ("first_day", json!("+262142-12-31")),
        ("requirements", json!([])),
        ("requirements", json!([{ "kind": "meals" }, { "kind": "meals", "at_least": 3 }])),
        ("requirements", calories(999, 0)),
        ("requirements", calories(5001, 0)),
        ("requirements", calories(2000, 501)),
        ("requirements", calories(1299, 100)),
        ("requirements", calories(1000, 0)),
        ("requirements", meals(0, "23:00")),
        ("requirements", meals(6, "23:00")),
        ("requirements", meals(2, "06:00")),
    ];
    for (field, value) in refused {
        let problem = mina.api.post(CHALLENGES, &with_term(field, value.clone())).await.refused(422, "terms_invalid");
        assert_eq!(problem.field.as_deref(), Some(field), "{value}");
    }
    assert_eq!(world.count("select count(*) from challenges").await, 0);
    // The last ones that are still good.
    let good = [
        ("days", json!(365)),
        ("seats", json!(1_000_000)),
        ("lives", json!(10)),
        ("grace_minutes", json!(1440)),
        ("day_starts_at", json!("06:00")),
        ("min_players", json!(100)),
        ("first_day", json!("2027-03-02")),
        ("requirements", calories(1300, 100)),
        ("requirements", calories(5000, 500)),
        ("requirements", meals(5, "06:01")),
    ];
    for (field, value) in good {
        mina.api.post(CHALLENGES, &with_term(field, value)).await.ok::<Challenge>(201);
    }
    world.stop().await;
}

#[tokio::test]
async fn terms_that_are_not_even_of_the_right_shape_are_refused() {
    let world = World::open().await;
    let mina = world.user("mina").await;
    for (field, value) in [
        ("days", json!(-1)),
        ("days", json!(3.5)),
        ("days", json!("3")),
        ("days", json!(null)),
        ("zone", json!("Asia/Pyongchang")),
        ("zone", json!("+09:00")),
        ("day_starts_at", json!("24:00")),
        ("day_starts_at", json!("6:00")),
        ("first_day", json!("2026-02-29")),
        ("first_day", json!("tomorrow")),
        ("lives", json!(256)),
        ("prize", json!("a cake")),
        ("requirements", json!([{ "kind": "steps", "at_least": 10_000 }])),
        ("requirements", json!([{ "kind": "meals", "target_kcal": 1500 }])),
    ] {
        mina.api.post(CHALLENGES, &with_term(field, value)).await.refused(422, "json_invalid");
    }
    let mut wish = json!(challenge());
    wish["status"] = json!("running");
    mina.api.post(CHALLENGES, &wish).await.refused(422, "json_invalid");
    world.stop().await;
}

#[tokio::test]
async fn titles_and_descriptions_have_bounds() {
    let world = World::open().await;
    let mina = world.user("mina").await;
    let of = |title: &str, description: &str| {
        let mut wish = challenge();
        (wish.title, wish.description) = (title.to_owned(), description.to_owned());
        json!(wish)
    };
    let (longest, too_long) = ("가".repeat(80), "가".repeat(81));
    for title in ["", "   ", &too_long, "a\u{0}b"] {
        let problem = mina.api.post(CHALLENGES, &of(title, "")).await.refused(422, "title_invalid");
        assert_eq!(problem.field.as_deref(), Some("title"), "{title:?}");
    }
    for description in ["가".repeat(2001).as_str(), "a\u{0}b"] {
        let problem = mina.api.post(CHALLENGES, &of("title", description)).await.refused(422, "description_invalid");
        assert_eq!(problem.field.as_deref(), Some("description"));
    }
    let made: Challenge = mina.api.post(CHALLENGES, &of(&longest, &"가".repeat(2000))).await.ok(201);
    assert_eq!(made.title, longest);
    world.stop().await;
}

#[tokio::test]
async fn a_challenge_sent_twice_with_one_key_is_made_once() {
    let world = World::open().await;
    let (mina, jun) = (world.user("mina").await, world.user("jun").await);
    let key = "a key for a challenge";
    let first = mina.posts_once(CHALLENGES, &json!(challenge()), key).await;
    let made: Challenge = first.ok(201);
    // The clock has moved on: as a new wish it would be refused, as a repeated one it has its answer.
    world.time(seoul("2026-03-05 12:00"));
    let again = mina.posts_once(CHALLENGES, &json!(challenge()), key).await;
    assert_eq!(again.ok::<Challenge>(201), made);
    world.time(seoul("2026-03-01 12:00"));
    mina.posts_once(CHALLENGES, &with_term("days", json!(4)), key).await.refused(422, "idempotency_key_reused");
    let other: Challenge = jun.posts_once(CHALLENGES, &json!(challenge()), key).await.ok(201);
    assert_ne!(other.id, made.id, "a key is its user's own");
    assert_eq!(world.count("select count(*) from challenges").await, 2);
    world.stop().await;
}

#[tokio::test]
async fn a_refused_challenge_does_not_use_its_key_up() {
    let world = World::open().await;
    let mina = world.user("mina").await;
    let key = "a key for a challenge";
    mina.posts_once(CHALLENGES, &with_term("days", json!(0)), key).await.refused(422, "terms_invalid");
    mina.posts_once(CHALLENGES, &json!(challenge()), key).await.ok::<Challenge>(201);
    world.stop().await;
}

#[tokio::test]
async fn nobody_hosts_too_many_challenges_at_once() {
    let world = World::open().await;
    let (mina, jun) = (world.user("mina").await, world.user("jun").await);
    for _ in 0..20 {
        mina.hosts(&challenge()).await;
    }
    mina.api.post(CHALLENGES, &json!(challenge())).await.refused(409, "too_many_challenges");
    jun.hosts(&challenge()).await;
    // With nobody in them all twenty end at their start.
    world.referee_at(seoul("2026-03-02 00:00")).await;
    let mut next = challenge();
    next.terms.first_day = "2026-03-03".parse().unwrap();
    mina.hosts(&next).await;
    world.stop().await;
}

async fn listed(player: &Player, query: &str) -> Page<Challenge> {
    player.api.get(&format!("{CHALLENGES}?{query}")).await.ok(200)
}

#[tokio::test]
async fn challenges_are_listed_newest_first_page_by_page() {
    let world = World::open().await;
    let mina = world.user("mina").await;
    let mut made = Vec::new();
    for _ in 0..5 {
        made.push(mina.hosts(&challenge()).await);
    }
    made.reverse();
    let ids = |page: &Page<Challenge>| page.items.iter().map(|challenge| challenge.id).collect::<Vec<ChallengeId>>();
    let (mut seen, mut query) = (Vec::new(), "limit=2".to_owned());
    let mut pages = 0;
    loop {
        let page = listed(&mina, &query).await;
        pages += 1;
        seen.extend(ids(&page));
        let Some(next) = page.next else { break };
        query = format!("limit=2&after={next}");
    }
    assert_eq!((seen, pages), (made.clone(), 3));
    let exact = listed(&mina, "limit=5").await;
    assert_eq!((ids(&exact), exact.next), (made, None), "a page that holds the rest names no other");
    for query in
        ["limit=0", "limit=101", "limit=-1", "limit=ten", "limit=1e3", "after=me", "after=", "status=over", "status="]
    {
        world.api().get(&format!("{CHALLENGES}?{query}")).await.refused(400, "query_invalid");
    }
    world.stop().await;
}

#[tokio::test]
async fn challenges_are_listed_by_where_they_are_in_their_life() {
    let world = World::open().await;
    let mina = world.user("mina").await;
    let (mut one_day, mut later) = (challenge(), challenge());
    one_day.terms.days = 1;
    later.terms.first_day = "2026-04-01".parse().unwrap();
    let (finished, running) = (mina.hosts(&one_day).await, mina.hosts(&challenge()).await);
    let (cancelled, open) = (mina.hosts(&challenge()).await, mina.hosts(&later).await);
    mina.joins(finished).await;
    mina.joins(running).await;
    world.referee_at(seoul("2026-03-03 02:00")).await;
    for (status, id) in [("open", open), ("running", running), ("finished", finished), ("cancelled", cancelled)] {
        let page = listed(&mina, &format!("status={status}")).await;
        assert_eq!(page.items.iter().map(|challenge| challenge.id).collect::<Vec<_>>(), [id], "{status}");
    }
    assert_eq!(listed(&mina, "").await.items.len(), 4);
    let today = mina.reads(running).await.today.unwrap();
    assert_eq!((today.day, today.starts_at), (2, seoul("2026-03-03 00:00")));
    world.stop().await;
}

#[tokio::test]
async fn a_challenge_shows_its_reader_their_own_standing_only() {
    let world = World::open().await;
    let (mina, jun) = (world.user("mina").await, world.user("jun").await);
    let game = mina.hosts(&challenge()).await;
    mina.joins(game).await;
    assert_eq!(mina.reads(game).await.me.unwrap().lives_left, 1);
    assert_eq!(jun.reads(game).await.me, None);
    let public: Challenge = world.api().get(&format!("{CHALLENGES}/{game}")).await.ok(200);
    assert_eq!((public.me, public.seats_taken), (None, 1));
    world.stop().await;
}

#[tokio::test]
async fn what_names_no_challenge_is_not_found() {
    let world = World::open().await;
    let mina = world.user("mina").await;
    for id in
        [&ChallengeId::generate().to_string(), "1", "me", "%00", "..%2f..", "00000000-0000-0000-0000-00000000000g"]
    {
        for (method, path) in [
            (Method::GET, format!("{CHALLENGES}/{id}")),
            (Method::POST, format!("{CHALLENGES}/{id}/players")),
            (Method::DELETE, format!("{CHALLENGES}/{id}/players/me")),
            (Method::GET, format!("{CHALLENGES}/{id}/outcomes")),
        ] {
            Answer::of(mina.api.request(method, &path)).await.refused(404, "not_found");
        }
    }
    let verdicts = format!("{CHALLENGES}/{}/players/me/verdicts", ChallengeId::generate());
    mina.api.get(&verdicts).await.refused(404, "not_a_player");
    world.stop().await;
}
