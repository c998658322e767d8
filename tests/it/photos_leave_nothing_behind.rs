//! What is stored of a photo: known again, shown by a link, gone with what showed it, and never more than a day's worth.

use lastbite_protocol::rest::{MealOutcome, Photo, PhotoLink, PhotoSeen};

use crate::support::{
    Player, World, challenge, pictures,
    scenes::{plain, scene},
    until,
    uploads::{files_in, lunch_today},
};

async fn eats(player: &Player, photo: Vec<u8>) -> MealOutcome {
    player.uploads(&lunch_today(), photo, None).await.ok(201)
}

async fn shows(player: &Player, photo: Vec<u8>) -> Option<PhotoSeen> {
    eats(player, photo).await.meal.photo.unwrap().seen_before
}

#[tokio::test]
async fn a_picture_that_was_shown_before_is_known_again_whatever_its_size_and_quality() {
    let world = World::open().await;
    let (mina, jun, stranger) = (world.user("mina").await, world.user("jun").await, world.user("stranger").await);
    let challenge = mina.hosts(&challenge()).await;
    mina.joins(challenge).await;
    jun.joins(challenge).await;

    assert_eq!(shows(&mina, scene(1, 1200, 900, 90)).await, None);
    assert_eq!(shows(&mina, scene(1, 1200, 900, 90)).await, Some(PhotoSeen::ByYou), "the same bytes");
    assert_eq!(shows(&mina, scene(1, 640, 480, 60)).await, Some(PhotoSeen::ByYou), "the same picture, made smaller");
    for seed in 2..12 {
        assert_eq!(shows(&mina, scene(seed, 400, 300, 80)).await, None, "another picture: {seed}");
    }
    assert_eq!(shows(&jun, scene(1, 800, 600, 75)).await, Some(PhotoSeen::ByAnother));
    assert_eq!(shows(&stranger, scene(1, 800, 600, 75)).await, None, "who plays in no challenge with them");
    // Flat pictures look like each other: only the very same file is the same.
    assert_eq!(shows(&stranger, plain([200, 10, 10])).await, None);
    assert_eq!(shows(&stranger, plain([10, 10, 200])).await, None);
    assert_eq!(shows(&stranger, plain([200, 10, 10])).await, Some(PhotoSeen::ByYou));
    world.stop().await;
}

#[tokio::test]
async fn a_deleted_meal_takes_every_size_of_its_photo_with_it() {
    let world = World::open().await;
    let mina = world.user("mina").await;
    let kept = eats(&mina, scene(1, 400, 300, 80)).await;
    let gone = eats(&mina, scene(2, 400, 300, 80)).await;
    assert_eq!(files_in(world.media.path()), 4);
    mina.deletes(gone.meal.id).await;
    assert_eq!(files_in(world.media.path()), 2);
    assert_eq!(world.count("select count(*) from photos").await, 1);
    // Nothing is known of it any more, either.
    assert_eq!(shows(&mina, scene(2, 400, 300, 80)).await, None);
    assert_eq!(mina.api.get(&kept.meal.photo.unwrap().small).await.status, 200);
    world.stop().await;
}

#[tokio::test]
async fn a_photo_whose_meal_was_never_written_is_swept_with_its_files() {
    let world = World::open().await;
    let mina = world.user("mina").await;
    eats(&mina, scene(1, 400, 300, 80)).await;
    eats(&mina, scene(2, 400, 300, 80)).await;
    // As a kill between the files and the row leaves it, an hour later.
    let orphan =
        "with orphan as (update meals set photo = null where id = (select min(id::text)::uuid from meals) returning 1)
                  update photos set goes_at = now() - interval '2 minutes' where at = (select min(at) from photos)
                  and key = (select min(key) from photos)";
    sqlx::query(orphan).execute(&world.db).await.unwrap();
    let node = world.another_node().await;
    until("the orphan is swept", || async { (world.count("select count(*) from photos").await == 1).then_some(()) })
        .await;
    assert_eq!(files_in(world.media.path()), 2);
    node.stop().await;
    world.stop().await;
}

#[tokio::test]
async fn so_many_photos_a_day_and_no_more() {
    let world = World::open().await;
    let (mina, jun) = (world.user("mina").await, world.user("jun").await);
    let small = pictures::jpeg(32, 32);
    for _ in 0..3 {
        eats(&mina, small.clone()).await;
    }
    sqlx::query(
        "insert into photos (key, user_id, at)
         select lpad(n::text, 48, '0'), $1, '2026-03-01T01:00:00Z' from generate_series(1, 37) n",
    )
    .bind(mina.id.0)
    .execute(&world.db)
    .await
    .unwrap();
    mina.uploads(&lunch_today(), small.clone(), None).await.refused(429, "photo_budget");
    assert_eq!(files_in(world.media.path()), 6, "nothing is left of the one that was refused");
    eats(&jun, small.clone()).await;
    world.time(crate::support::seoul("2026-03-02 12:01"));
    let tomorrow = serde_json::json!({ "kind": "lunch", "eaten_at": "2026-03-02T02:30:00Z", "zone": "Asia/Seoul",
                                       "amounts": { "energy_kcal": 1 } });
    mina.uploads(&tomorrow, small, None).await.ok::<MealOutcome>(201);
    world.stop().await;
}

async fn link(player: &Player, photo: &str) -> PhotoLink {
    player.api.get(&format!("{photo}/link")).await.ok(200)
}

#[tokio::test]
async fn a_link_shows_a_photo_without_a_token_until_it_is_over_or_the_photo_gone() {
    let world = World::open().await;
    let (mina, jun) = (world.user("mina").await, world.user("jun").await);
    let outcome = eats(&mina, scene(1, 400, 300, 80)).await;
    let Photo { large, small, .. } = outcome.meal.photo.unwrap();
    jun.api.get(&format!("{small}/link")).await.refused(404, "not_found");
    world.api().get(&format!("{small}/link")).await.refused(401, "token_missing");

    let anybody = world.api();
    let (to_large, to_small) = (link(&mina, &large).await, link(&mina, &small).await);
    let shown = anybody.get(&to_small.url).await;
    assert_eq!((shown.status.as_u16(), &shown.headers["content-type"]), (200, &"image/jpeg".parse().unwrap()));
    assert_eq!(shown.body, mina.api.get(&small).await.body);
    assert_eq!(anybody.get(&to_large.url).await.body, mina.api.get(&large).await.body);
    let caching = shown.headers["cache-control"].to_str().unwrap().to_owned();
    assert!(caching.starts_with("private, max-age="), "{caching}");

    let token = to_small.url.strip_prefix("/photos/").unwrap();
    for at in [0, 10, token.len() / 2, token.len() - 2] {
        let mut forged = token.to_owned().into_bytes();
        forged[at] = if forged[at] == b'A' { b'B' } else { b'A' };
        let forged = String::from_utf8(forged).unwrap();
        anybody.get(&format!("/photos/{forged}")).await.refused(404, "not_found");
    }
    for nonsense in ["x", "AAAA", "%00", "..%2F..%2Fetc"] {
        anybody.get(&format!("/photos/{nonsense}")).await.refused(404, "not_found");
    }
    mina.deletes(outcome.meal.id).await;
    anybody.get(&to_small.url).await.refused(404, "not_found");
    world.stop().await;
}
