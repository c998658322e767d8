//! An upload that is sent again, because the answer was lost on the way, is one meal with one photo and one answer.

use futures_util::future::join_all;
use lastbite_protocol::rest::MealOutcome;
use reqwest::{Method, header::HeaderValue};
use serde_json::json;

use crate::support::{
    Answer, World, challenge, lunch, pictures, seoul,
    uploads::{files_in, lunch_today, lunch_with},
};

const KEY: &str = "a key of enough characters";
const MEALS: &str = "/api/v1/meals";

/// The two sizes of a photo are two files.
const FILES_OF_A_PHOTO: usize = 2;

#[tokio::test]
async fn an_upload_sent_ten_times_at_once_is_one_meal() {
    let world = World::open().await;
    let mina = world.user("mina").await;
    let meal = lunch_today();
    let sending = (0..10).map(|_| mina.uploads(&meal, pictures::jpeg(80, 40), Some(KEY)));
    let answers: Vec<MealOutcome> = join_all(sending).await.iter().map(|answer| answer.ok(201)).collect();
    assert!(answers.windows(2).all(|pair| pair[0] == pair[1]), "{answers:#?}");
    assert_eq!(world.count("select count(*) from meals").await, 1);
    assert_eq!(world.count("select count(*) from journal").await, 1, "told once");
    assert_eq!(files_in(world.media.path()), FILES_OF_A_PHOTO, "no photo is left that belongs to no meal");
    let photo = mina.api.get(&answers[0].meal.photo.as_ref().unwrap().large).await;
    assert!(photo.status == 200 && photo.body.starts_with(&[0xFF, 0xD8]));
    world.stop().await;
}

#[tokio::test]
async fn a_meal_sent_again_moves_the_board_once() {
    let world = World::open().await;
    let mina = world.user("mina").await;
    let game = mina.hosts(&challenge()).await;
    mina.joins(game).await;
    world.referee_at(seoul("2026-03-02 13:00")).await;
    let meal = json!(lunch("2026-03-02", 700));
    let first: MealOutcome = mina.posts_once(MEALS, &meal, KEY).await.ok(201);
    assert_eq!(first.effects.len(), 1);
    let progressed = "select count(*) from journal where event::text like '%progressed%'";
    assert_eq!(world.count(progressed).await, 1);
    let again: MealOutcome = mina.posts_once(MEALS, &meal, KEY).await.ok(201);
    assert_eq!(again, first);
    assert_eq!(world.count(progressed).await, 1);
    world.stop().await;
}

#[tokio::test]
async fn the_first_answer_is_given_even_when_the_meal_has_changed_since() {
    let world = World::open().await;
    let mina = world.user("mina").await;
    let first: MealOutcome = mina.posts_once(MEALS, &lunch_today(), KEY).await.ok(201);
    let path = format!("{MEALS}/{}", first.meal.id);
    mina.api.patch(&path, &json!({ "note": "noodles" })).await.ok::<MealOutcome>(200);
    mina.deletes(first.meal.id).await;
    // Two days later, too, when as a new meal it would be refused.
    world.time(seoul("2026-03-03 11:59"));
    assert_eq!(mina.posts_once(MEALS, &lunch_today(), KEY).await.ok::<MealOutcome>(201), first);
    world.stop().await;
}

#[tokio::test]
async fn a_key_used_for_another_body_is_refused() {
    let world = World::open().await;
    let mina = world.user("mina").await;
    let photo = || pictures::jpeg(80, 40);
    mina.uploads(&lunch_today(), photo(), Some(KEY)).await.ok::<MealOutcome>(201);
    let other_meal = lunch_with("note", &json!("noodles"));
    mina.uploads(&other_meal, photo(), Some(KEY)).await.refused(422, "idempotency_key_reused");
    mina.uploads(&lunch_today(), pictures::jpeg(40, 80), Some(KEY)).await.refused(422, "idempotency_key_reused");
    mina.posts_once(MEALS, &lunch_today(), KEY).await.refused(422, "idempotency_key_reused");
    assert_eq!(world.count("select count(*) from meals").await, 1);
    assert_eq!(files_in(world.media.path()), FILES_OF_A_PHOTO);
    world.stop().await;
}

#[tokio::test]
async fn a_key_is_its_users_and_its_routes_own() {
    let world = World::open().await;
    let (mina, jun) = (world.user("mina").await, world.user("jun").await);
    let of_mina: MealOutcome = mina.posts_once(MEALS, &lunch_today(), KEY).await.ok(201);
    let of_jun: MealOutcome = jun.posts_once(MEALS, &lunch_today(), KEY).await.ok(201);
    assert_ne!(of_mina.meal.id, of_jun.meal.id);
    let made = mina.posts_once("/api/v1/challenges", &json!(challenge()), KEY).await;
    assert_eq!(made.status, 201);
    let without_key: MealOutcome = mina.api.post(MEALS, &lunch_today()).await.ok(201);
    assert_ne!(without_key.meal.id, of_mina.meal.id, "without a key nothing is known of the first");
    world.stop().await;
}

#[tokio::test]
async fn a_refused_meal_does_not_use_its_key_up() {
    let world = World::open().await;
    let mina = world.user("mina").await;
    let too_late = lunch_with("eaten_at", &json!("2026-02-01T02:30:00Z"));
    mina.uploads(&too_late, pictures::jpeg(80, 40), Some(KEY)).await.refused(422, "eaten_at_out_of_range");
    assert_eq!(files_in(world.media.path()), 0, "the photo of a refused meal is not kept");
    mina.uploads(&lunch_today(), pictures::html(), Some(KEY)).await.refused(415, "photo_type_unknown");
    mina.uploads(&lunch_today(), pictures::jpeg(80, 40), Some(KEY)).await.ok::<MealOutcome>(201);
    world.stop().await;
}

#[tokio::test]
async fn keys_have_bounds() {
    let world = World::open().await;
    let mina = world.user("mina").await;
    let with_key = async |key: &[u8]| {
        let key = HeaderValue::from_bytes(key).unwrap();
        let request = mina.api.request(Method::POST, MEALS).header("idempotency-key", key).json(&lunch_today());
        Answer::of(request).await
    };
    let hangul = "열여섯글자가넘는열쇠입니다그렇지요".as_bytes();
    for key in [&b""[..], &[b'k'; 15], &[b'k'; 256], &[b' '; 16], hangul, &[0xFF; 16]] {
        with_key(key).await.refused(400, "idempotency_key_invalid");
    }
    assert_eq!(world.count("select count(*) from meals").await, 0);
    for key in [&[b'k'; 16][..], &[b'k'; 255]] {
        with_key(key).await.ok::<MealOutcome>(201);
    }
    world.stop().await;
}
