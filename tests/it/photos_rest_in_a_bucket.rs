//! Photos and exports in a bucket of a store that speaks S3: kept, shown and gone as in a folder, and what is said when the
//! store is slow, ill, or refuses.

use std::{io::Cursor, time::Instant};

use image::RgbImage;
use lastbite::config::bucket::Bucket;
use lastbite_protocol::rest::{Export, MealOutcome, Photo, PhotoLink};
use reqwest::Method;
use serde_json::json;
use zip::ZipArchive;

use crate::support::{
    Answer, Player, Setup, World,
    bucket::{Does, SECRET, Store},
    pictures,
    player::PASSWORD,
    postgres,
    postgres::tempfile::Folder,
    process::{lastbite, run, said},
    until,
    uploads::{files_in, lunch_today},
};

/// As long as a server waits for the store, and what a busy machine adds.
const SLOW_S_MAX: u64 = 15;

fn setup(bucket: Bucket) -> Setup {
    Setup { bucket: Some(bucket), ..Setup::default() }
}

/// A world whose media is the bucket of a store.
async fn world() -> (World, Store) {
    let store = Store::open().await;
    let world = World::with(setup(store.bucket())).await;
    (world, store)
}

async fn eats(player: &Player, photo: Vec<u8>) -> MealOutcome {
    player.uploads(&lunch_today(), photo, None).await.ok(201)
}

/// A picture that no JPEG makes small.
fn noise(seed: u32) -> Vec<u8> {
    let mut state = seed;
    let mut part = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24).to_le_bytes()[0]
    };
    let picture = RgbImage::from_fn(1_600, 1_600, |_, _| image::Rgb([part(), part(), part()]));
    let mut jpeg = Cursor::new(Vec::new());
    image::codecs::jpeg::JpegEncoder::new_with_quality(&mut jpeg, 90).encode_image(&picture).unwrap();
    jpeg.into_inner()
}

#[tokio::test]
async fn a_photo_is_kept_shown_linked_and_gone_with_its_meal() {
    let (world, store) = world().await;
    let mina = world.user("mina").await;
    assert!(store.objects().await.is_empty(), "the probe of the start has gone");
    let outcome = eats(&mina, pictures::jpeg(800, 600)).await;
    let objects = store.objects().await;
    assert_eq!(objects.len(), 2, "{objects:?}");
    assert!(objects.iter().all(|name| name.starts_with("of/lastbite/") && name.ends_with(".jpg")), "{objects:?}");
    assert_eq!(files_in(world.media.path()), 0);

    let Photo { large, small, width_px, height_px, .. } = outcome.meal.photo.unwrap();
    for (url, size) in [(&large, (width_px, height_px)), (&small, (320, 240))] {
        let shown = mina.api.get(url).await;
        assert_eq!((shown.status.as_u16(), &shown.headers["content-type"]), (200, &"image/jpeg".parse().unwrap()));
        let picture = image::load_from_memory(&shown.body).unwrap();
        assert_eq!((picture.width(), picture.height()), size);
        let link: PhotoLink = mina.api.get(&format!("{url}/link")).await.ok(200);
        assert_eq!(world.api().get(&link.url).await.body, shown.body);
    }
    mina.deletes(outcome.meal.id).await;
    assert!(store.objects().await.is_empty());
    assert_eq!(world.count("select count(*) from photos").await, 0);
    mina.api.get(&large).await.refused(404, "not_found");
    world.stop().await;
}

#[tokio::test]
async fn an_export_in_parts_is_fetched_whole_and_nothing_outlives_the_account() {
    let (world, store) = world().await;
    let mina = world.user("mina").await;
    let mut photos = Vec::new();
    for seed in 1..=6 {
        let meal = eats(&mina, noise(seed)).await.meal;
        let jpeg = mina.api.get(&meal.photo.unwrap().large).await.body;
        photos.push((format!("photos/{}.jpg", meal.id), jpeg));
    }
    let sum: usize = photos.iter().map(|(_, jpeg)| jpeg.len()).sum();
    assert!(sum > 6 * 1024 * 1024, "{sum} bytes are more than one part");

    let export = mina.takes_all().await;
    assert!(store.asked().iter().any(|line| line.starts_with("PUT ") && line.contains("partNumber=2")));
    let answer = world.api().get(export.url.as_deref().unwrap()).await;
    assert_eq!(answer.headers["content-length"], answer.body.len().to_string());
    let mut archive = ZipArchive::new(Cursor::new(&answer.body)).unwrap();
    for (name, jpeg) in &photos {
        let mut bytes = Vec::new();
        std::io::copy(&mut archive.by_name(name).unwrap(), &mut bytes).unwrap();
        assert!(bytes == *jpeg, "{name}");
    }
    Answer::of(
        mina.api
            .request(Method::PUT, "/api/v1/accounts/me/picture")
            .header("content-type", "image/jpeg")
            .body(pictures::jpeg(80, 40)),
    )
    .await
    .ok::<Photo>(200);
    assert_eq!(store.objects().await.len(), 15, "six photos and a picture in two sizes, and the export");

    let deleting = mina.api.request(Method::DELETE, "/api/v1/accounts/me").json(&json!({ "password": PASSWORD }));
    Answer::of(deleting).await.ok_empty(202);
    world.is_quiet().await;
    assert!(store.objects().await.is_empty());
    assert_eq!(store.parts(), 0);
    world.stop().await;
}

#[tokio::test]
async fn an_export_that_breaks_off_leaves_no_parts_and_is_written_the_next_time() {
    let (world, store) = world().await;
    let mina = world.user("mina").await;
    // The try and its repetitions.
    store.does(Does::Fail("partNumber=1", 4));
    mina.api.post("/api/v1/accounts/me/export", &json!({})).await.ok_empty(202);
    let aborted = |line: &String| line.starts_with("DELETE ") && line.contains("uploadId=");
    until("the upload is given up", || async { store.asked().iter().any(aborted).then_some(()) }).await;
    let tries = store.asked().iter().filter(|line| line.contains("partNumber=1")).count();
    assert_eq!(tries, 4);
    assert_eq!((store.parts(), store.objects().await.len()), (0, 0));
    let export = mina.takes_all_that_was_asked_for().await;
    assert_eq!(world.api().get(export.url.as_deref().unwrap()).await.status.as_u16(), 200);
    world.stop().await;
}

impl Player {
    async fn takes_all_that_was_asked_for(&self) -> Export {
        until("the export is written", || async {
            let export: Export = self.api.get("/api/v1/accounts/me/export").await.ok(200);
            export.url.is_some().then_some(export)
        })
        .await
    }
}

#[tokio::test]
async fn a_store_that_says_nothing_is_told_in_time_and_what_it_may_have_kept_is_swept() {
    let (world, store) = world().await;
    let mina = world.user("mina").await;
    let before = eats(&mina, pictures::jpeg(80, 40)).await.meal.photo.unwrap();
    store.does(Does::Nothing);
    let (asked, lunch) = (Instant::now(), lunch_today());
    let (uploaded, read) =
        tokio::join!(mina.uploads(&lunch, pictures::jpeg(90, 40), None), mina.api.get(&before.large));
    uploaded.refused(503, "storage_slow");
    assert!(uploaded.headers.contains_key("retry-after"));
    read.refused(503, "storage_slow");
    assert!(asked.elapsed().as_secs() < SLOW_S_MAX, "{:?}", asked.elapsed());
    assert_eq!(world.count("select count(*) from meals").await, 1);
    assert_eq!(world.count("select count(*) from photos where goes_at is not null").await, 1, "it is not forgotten");

    store.does(Does::Serve);
    eats(&mina, pictures::jpeg(90, 40)).await;
    // As if an hour had passed.
    sqlx::query("update photos set goes_at = now() - interval '2 minutes' where goes_at is not null")
        .execute(&world.db)
        .await
        .unwrap();
    let node = world.node_with(setup(store.bucket())).await;
    until("it is swept", || async { (world.count("select count(*) from photos").await == 2).then_some(()) }).await;
    assert_eq!(store.objects().await.len(), 4);
    node.stop().await;
    world.stop().await;
}

#[tokio::test]
async fn a_store_that_fails_is_asked_again_a_few_times_and_no_more() {
    let (world, store) = world().await;
    let mina = world.user("mina").await;
    let puts = || store.asked().iter().filter(|line| line.starts_with("PUT ") && line.contains(".jpg")).count();
    store.does(Does::Fail("PUT ", 2));
    eats(&mina, pictures::jpeg(80, 40)).await;
    assert_eq!(puts(), 4, "two that failed, and two sizes");

    store.does(Does::Fail("", usize::MAX));
    let asked = Instant::now();
    mina.uploads(&lunch_today(), pictures::jpeg(90, 40), None).await.refused(503, "storage_slow");
    assert!(asked.elapsed().as_secs() < SLOW_S_MAX, "{:?}", asked.elapsed());
    assert_eq!(puts(), 8, "the first size, four times");
    assert_eq!(world.count("select count(*) from meals").await, 1);
    assert_eq!(world.count("select count(*) from photos where goes_at is not null").await, 1);
    store.does(Does::Serve);
    assert_eq!(store.objects().await.len(), 2);
    world.stop().await;
}

#[tokio::test]
async fn process_a_server_in_production_needs_no_folder_for_photos_in_a_bucket() {
    let store = Store::open().await;
    let mut command = lastbite();
    command.args(["check-config", "--environment", "production"]).envs(store.settings());
    command.env("LASTBITE_S3_ENDPOINT", "https://store.example.com");
    let text = said(&run(command).await);
    assert!(!text.contains("LASTBITE_DATA_DIR") && !text.contains("LASTBITE_MEDIA"), "{text}");
    let shown = ["s3://lastbite-media/of/lastbite", "https://store.example.com", "ap-northeast-2"];
    assert!(shown.iter().all(|value| text.contains(value)) && !text.contains(SECRET), "{text}");

    let mut command = lastbite();
    command.args(["check-config", "--environment", "production"]).envs(store.settings());
    command.env_remove("LASTBITE_S3_ACCESS_KEY_ID").env("LASTBITE_MEDIA", format!("s3://{SECRET}@bucket"));
    let text = said(&run(command).await);
    for fault in ["LASTBITE_MEDIA is no", "LASTBITE_S3_ENDPOINT is no https", "LASTBITE_S3_ACCESS_KEY_ID is not set"] {
        assert!(text.contains(&format!("fault: {fault}")), "{fault}: {text}");
    }
    assert!(!text.contains(SECRET), "{text}");
}

#[tokio::test]
async fn process_a_bucket_that_cannot_be_used_stops_the_start_with_one_line_and_no_secret() {
    let (store, elsewhere, url) = (Store::open().await, Store::open().await, postgres::database().await);
    let folder = Folder::new("lastbite-start");
    let refused = async |change: (&str, &str), does: Does, reason: &str| {
        store.does(does);
        let mut command = lastbite();
        command.args(["serve", "--listen", "127.0.0.1:0", "--data-dir"]).arg(folder.path());
        command.env("LASTBITE_DATABASE_URL", &url).env("LASTBITE_LOG", "warn");
        command.envs(store.settings()).env(change.0, change.1);
        let ended = run(command).await;
        let text = said(&ended);
        assert_eq!(ended.status.code(), Some(1), "{text}");
        assert_eq!(text.lines().count(), 1, "{text}");
        assert!(text.contains("the bucket of LASTBITE_MEDIA cannot be used: ") && text.contains(reason), "{text}");
        assert!(!text.contains(SECRET) && !text.contains("another-secret"), "{text}");
    };
    let as_it_is = ("LASTBITE_LOG_FORMAT", "pretty");
    let wrong = ("LASTBITE_S3_SECRET_ACCESS_KEY", "another-secret");
    refused(wrong, Does::Serve, "it refuses the key (SignatureDoesNotMatch)").await;
    refused(("LASTBITE_S3_ACCESS_KEY_ID", "nobody"), Does::Serve, "it refuses the key (").await;
    refused(("LASTBITE_MEDIA", "s3://no-such-bucket"), Does::Serve, "there is no such bucket").await;
    refused(("LASTBITE_S3_ENDPOINT", "http://127.0.0.1:1"), Does::Serve, "it cannot be reached: Connection refused")
        .await;
    refused(as_it_is, Does::Nothing, "did not answer within 5000 ms").await;
    refused(as_it_is, Does::Fail("", usize::MAX), "it answers InternalError").await;
    refused(as_it_is, Does::SendElsewhere(elsewhere.address), "307").await;
    assert!(elsewhere.asked().is_empty(), "nobody is sent elsewhere");
}
