//! Forms that are broken, pictures that are weapons, clients that stall or hang up: each has its answer, nothing is left
//! half done, and the server goes on working.

use std::{fs, time::Duration};

use futures_util::{future::join_all, stream};
use lastbite::{body, clock::Clock};
use lastbite_protocol::rest::{MealOutcome, Page};
use serde_json::json;
use tokio::io::AsyncWriteExt;

use crate::support::{
    Answer, Player, Process, World, pictures, postgres,
    postgres::tempfile::Folder,
    until,
    uploads::{BOUNDARY, end_of_form, files_in, head, hears, lunch_today, part, sends},
};

fn multipart() -> String {
    format!("multipart/form-data; boundary={BOUNDARY}")
}

async fn posts_parts(player: &Player, parts: &[Vec<u8>]) -> Answer {
    player.posts_bytes(&multipart(), parts.concat()).await
}

/// A form in which nothing is wrong.
fn good_form() -> Vec<u8> {
    let meal = lunch_today().to_string();
    [part("meal", meal.as_bytes()), part("photo", &pictures::jpeg(80, 40)), end_of_form()].concat()
}

/// As many at once as the server has connections to its database, and then some.
async fn still_works(world: &World, player: &Player) {
    let reading = (0..30).map(|_| player.api.get("/api/v1/meals?date=2026-03-01"));
    for answer in join_all(reading).await {
        answer.ok::<Page<lastbite_protocol::rest::Meal>>(200);
    }
    player.posts_bytes(&multipart(), good_form()).await.ok::<MealOutcome>(201);
    assert_eq!(world.api().get("/health/ready").await.status, 200);
}

#[tokio::test]
async fn forms_that_are_not_as_described_are_refused() {
    let world = World::open().await;
    let mina = world.user("mina").await;
    let meal = || part("meal", lunch_today().to_string().as_bytes());
    let photo = || part("photo", &pictures::jpeg(80, 40));
    let end = end_of_form;
    let cases = [
        ("no photo", vec![meal(), end()]),
        ("no meal", vec![photo(), end()]),
        ("nothing", vec![end()]),
        ("empty", vec![]),
        ("two meals", vec![meal(), meal(), photo(), end()]),
        ("two photos", vec![meal(), photo(), photo(), end()]),
        ("another part", vec![meal(), photo(), part("owner", b"me"), end()]),
        ("a part without a name", vec![meal(), photo(), part("", b"me"), end()]),
        ("without its end", vec![meal(), photo()]),
        ("cut within the photo", vec![meal(), photo()[..200].to_vec()]),
        ("cut within a head", vec![meal(), photo()[..30].to_vec()]),
        ("no form at all", vec![b"hello".to_vec()]),
    ];
    for (name, parts) in cases {
        let problem = posts_parts(&mina, &parts).await.refused(400, "multipart_invalid");
        assert!(problem.detail.is_some(), "{name}");
    }
    for content_type in ["multipart/form-data", "multipart/form-data; boundary=", "multipart/form-data; boundary=other"]
    {
        mina.posts_bytes(content_type, good_form()).await.refused(400, "multipart_invalid");
    }
    mina.posts_bytes("multipart/mixed; boundary=x", good_form()).await.refused(415, "content_type_unsupported");
    posts_parts(&mina, &[part("meal", b"{"), photo(), end()]).await.refused(400, "json_malformed");
    posts_parts(&mina, &[part("meal", b"{}"), photo(), end()]).await.refused(422, "json_invalid");
    let long_meal = part("meal", &[b' '; 64 * 1024 + 1]);
    posts_parts(&mina, &[long_meal, photo(), end()]).await.refused(413, "body_too_large");
    assert_eq!(world.count("select count(*) from meals").await, 0);
    assert_eq!(files_in(world.media.path()), 0);
    posts_parts(&mina, &[photo(), meal(), end()]).await.ok::<MealOutcome>(201);
    world.stop().await;
}

#[tokio::test]
async fn hostile_pictures_are_refused_at_the_door() {
    let world = World::open().await;
    let mina = world.user("mina").await;
    let cases = [
        ("empty", pictures::empty(), 422, "photo_empty"),
        ("too large", pictures::too_large(), 413, "photo_too_large"),
        ("html", pictures::html(), 415, "photo_type_unknown"),
        ("gif", pictures::gif(), 415, "photo_type_unknown"),
        ("heic", pictures::heic(), 415, "photo_type_heic"),
        ("avif", pictures::avif(), 415, "photo_type_heic"),
        ("animated png", pictures::png_animated(), 422, "photo_animated"),
        ("animated webp", pictures::webp_animated(), 422, "photo_animated"),
        ("png too wide", pictures::png_too_wide(), 422, "photo_dimensions"),
        ("webp with two sizes", pictures::webp_two_sizes(), 422, "photo_dimensions"),
        ("webp of code tables", pictures::webp_of_tables(), 422, "photo_dimensions"),
        ("jpeg of coefficients", pictures::jpeg_of_coefficients(), 422, "photo_dimensions"),
        ("jpeg of scans", pictures::jpeg_of_scans(80, 40, 33), 415, "photo_type_unknown"),
        ("jpeg cut short", pictures::jpeg_cut_short(), 422, "photo_broken"),
        ("png cut short", pictures::png_cut_short(), 422, "photo_broken"),
    ];
    for (name, picture, status, code) in cases {
        let problem = mina.uploads(&lunch_today(), picture, None).await.refused(status, code);
        assert!(problem.detail.is_some(), "{name}");
    }
    assert_eq!(world.count("select count(*) from meals").await, 0);
    assert_eq!(files_in(world.media.path()), 0);
    still_works(&world, &mina).await;
    world.stop().await;
}

#[tokio::test]
async fn process_pictures_that_inflate_do_not_inflate_the_server() {
    let (folder, url) = (Folder::new("lastbite-bombs"), postgres::database().await);
    let server = Process::serve(|command| {
        command.env("LASTBITE_DATABASE_URL", &url).arg("--data-dir").arg(folder.path());
    })
    .await;
    let mina = Player::register(server.api(), "mina").await;
    for picture in [pictures::png_bomb(), pictures::png_without_end(), pictures::png_profile_bomb()] {
        let mut meal = lunch_today();
        meal["eaten_at"] = json!(Clock::system().wall());
        let answer = mina.uploads(&meal, picture, None).await;
        assert!(matches!(answer.status.as_u16(), 201 | 422), "{answer:?}");
    }
    let status = fs::read_to_string(format!("/proc/{}/status", server.pid())).unwrap();
    let most = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    let most_kib: u64 = most.trim().trim_end_matches(" kB").parse().unwrap();
    assert!(most_kib < 512 * 1024, "{most_kib} KiB at most, whatever a picture promises");
}

/// Legal in size, so they are opened: what comes of it depends on how fast the machine is, but it comes.
#[tokio::test]
async fn pictures_that_inflate_leave_the_server_standing() {
    let world = World::open().await;
    let mina = world.user("mina").await;
    for picture in [pictures::png_bomb(), pictures::png_without_end(), pictures::png_profile_bomb()] {
        let answer = mina.uploads(&lunch_today(), picture, None).await;
        assert!(matches!(answer.status.as_u16(), 201 | 422), "{answer:?}");
    }
    // A decoder cannot be stopped from outside; a new photo waits for it.
    until("a decoder is free again", || async { (world.node.app.photos.decoding() == 0).then_some(()) }).await;
    still_works(&world, &mina).await;
    world.stop().await;
}

#[tokio::test]
async fn a_body_that_stops_coming_is_not_waited_for() {
    let stalled = axum::body::Body::from_stream(stream::pending::<Result<bytes::Bytes, std::io::Error>>());
    let given_up = body::read(stalled, 100, Duration::from_millis(1)).await.unwrap_err();
    assert_eq!(given_up.code(), "body_too_slow");
}

#[tokio::test]
async fn a_body_that_breaks_off_is_nothing() {
    let world = World::open().await;
    let mina = world.user("mina").await;
    for (content_type, whole) in
        [("application/json".to_owned(), lunch_today().to_string().into_bytes()), (multipart(), good_form())]
    {
        // More is promised than comes; then the sending side is closed.
        let begun = [head(&mina, &content_type, whole.len() + 1).as_bytes(), &whole].concat();
        let mut stream = sends(world.node.address, &begun).await;
        stream.shutdown().await.unwrap();
        let said = hears(stream).await;
        assert!(said.is_empty() || said.contains("\"body_broken\""), "{said}");
    }
    assert_eq!(world.count("select count(*) from meals").await, 0);
    assert_eq!(files_in(world.media.path()), 0);
    world.stop().await;
}

#[tokio::test]
async fn clients_that_hang_up_in_the_middle_leave_nothing_behind() {
    let world = World::open().await;
    let mina = world.user("mina").await;
    let whole = good_form();
    for share in 0..30 {
        let cut = whole.len() * share / 30;
        let begun = [head(&mina, &multipart(), whole.len()).as_bytes(), &whole[..cut]].concat();
        drop(sends(world.node.address, &begun).await);
    }
    still_works(&world, &mina).await;
    assert_eq!(world.count("select count(*) from meals").await, 1, "only the one that came whole");
    assert_eq!(files_in(world.media.path()), 2);
    world.stop().await;
}

#[tokio::test]
async fn clients_that_hang_up_before_the_answer_have_logged_a_whole_meal_or_none() {
    let world = World::open().await;
    let mina = world.user("mina").await;
    let whole = good_form();
    let request = [head(&mina, &multipart(), whole.len()).as_bytes(), &whole].concat();
    for _ in 0..10 {
        drop(sends(world.node.address, &request).await);
    }
    still_works(&world, &mina).await;
    // What was begun is finished behind the clients' backs, so the numbers are compared when nothing moves any more.
    let World { node, db, media, .. } = world;
    node.stop().await;
    let count = async |query: &'static str| sqlx::query_scalar::<_, i64>(query).fetch_one(&db).await.unwrap();
    let meals = count("select count(*) from meals").await;
    assert!((1..=11).contains(&meals));
    assert_eq!(count("select count(*) from journal").await, meals, "each is told once");
    assert_eq!(files_in(media.path()), 2 * usize::try_from(meals).unwrap(), "each has its photo");
    // Of this world: others play in databases beside it.
    let left_open = "select count(*) from pg_stat_activity
                     where datname = current_database() and state like 'idle in transaction%'";
    assert_eq!(count(left_open).await, 0);
}
