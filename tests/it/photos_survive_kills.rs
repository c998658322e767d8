//! `kill -9` between a photo and its meal: every meal has its photo, and what no meal has is swept.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use futures_util::future::join_all;
use lastbite::clock::Clock;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::sync::watch;
use uuid::Uuid;

use crate::support::{Api, Player, Process, World, scenes::scene, until, uploads::form};

const PLAYERS: usize = 4;
const MEALS_EACH: usize = 12;
const KILLS: usize = 6;

fn files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let paths = entries.map(|entry| entry.unwrap().path());
    paths.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

/// The keys of all photos in a folder, of which both sizes are there or perhaps one; and how many files there are.
fn keys_in(folder: &Path) -> (BTreeSet<String>, usize) {
    let found = files(folder);
    // The library writes beside the final file, under its name with a number behind.
    let key = |path: &PathBuf| path.file_name().unwrap().to_str().unwrap()[..48].to_owned();
    (found.iter().map(key).collect(), found.len())
}

/// Uploads meals with photos, each until somebody has said yes.
async fn eats(player: &Player, number: usize, mut address: watch::Receiver<std::net::SocketAddr>, done: &AtomicUsize) {
    for n in 0..MEALS_EACH {
        let meal = json!({ "kind": "lunch", "eaten_at": Clock::system().now(), "zone": "Asia/Seoul",
                           "amounts": { "energy_kcal": 500 } });
        let photo = scene(u32::try_from(number * 100 + n).unwrap(), 900, 700, 85);
        let key = Uuid::new_v4().to_string();
        loop {
            let at = *address.borrow_and_update();
            let api = Api::new(at).with_token(&player.token);
            let request = api.request(Method::POST, "/api/v1/meals").header("idempotency-key", &key);
            match request.multipart(form(&meal, photo.clone())).send().await {
                Ok(answer) if answer.status() == StatusCode::CREATED => break,
                Ok(answer) => assert!(
                    matches!(answer.status(), StatusCode::SERVICE_UNAVAILABLE | StatusCode::CONFLICT),
                    "{}",
                    answer.status()
                ),
                Err(_) => address.changed().await.unwrap(),
            }
        }
        done.fetch_add(1, Ordering::Relaxed);
    }
}

#[tokio::test]
async fn heavy_whatever_is_killed_every_meal_has_its_photo_and_no_photo_is_left_over() {
    let world = World::open().await;
    let names: Vec<_> = (0..PLAYERS).map(|n| format!("eater {n:02}")).collect();
    let players = world.crowd(names.into_iter()).await;
    let World { node, db, database_url, seed, media, .. } = world;
    node.stop().await;
    let photos = media.path().join("photos");
    let serve = || {
        Process::serve(|command| {
            command.env("LASTBITE_DATABASE_URL", &database_url).env("LASTBITE_TOKEN_KEY", seed.to_base64());
            command.arg("--data-dir").arg(media.path());
        })
    };
    let mut server = serve().await;
    let (moved, address) = watch::channel(server.address);
    let done = AtomicUsize::new(0);
    let all = PLAYERS * MEALS_EACH;
    let eating =
        join_all(players.iter().enumerate().map(|(number, player)| eats(player, number, address.clone(), &done)));
    let killing = async {
        for kill in 0..KILLS {
            let moment = all * kill / KILLS + 1;
            until("the moment", || async { (done.load(Ordering::Relaxed) >= moment).then_some(()) }).await;
            // Somewhere between the photo and the row.
            tokio::time::sleep(Duration::from_millis(rand::random_range(0..120))).await;
            server.kill();
            server = serve().await;
            moved.send(server.address).unwrap();
        }
    };
    tokio::time::timeout(Duration::from_secs(150), async { tokio::join!(eating, killing) }).await.unwrap();

    let shown: Vec<Value> = sqlx::query_scalar("select photo from meals").fetch_all(&db).await.unwrap();
    assert_eq!(shown.len(), all, "each meal once");
    let shown: BTreeSet<_> = shown.iter().map(|photo| photo["key"].as_str().unwrap().to_owned()).collect();
    assert_eq!(shown.len(), all, "each with a photo of its own");
    let known: Vec<String> = sqlx::query_scalar("select key from photos").fetch_all(&db).await.unwrap();
    let known: BTreeSet<_> = known.into_iter().collect();
    let (stored, _) = keys_in(&photos);
    assert!(shown.is_subset(&stored), "no meal is without its photo");
    assert!(stored.is_subset(&known), "no file is without its row");

    // An hour later.
    sqlx::query("update photos set goes_at = now() - interval '2 minutes' where goes_at is not null")
        .execute(&db)
        .await
        .unwrap();
    server.kill();
    server = serve().await;
    let count = "select count(*) from photos";
    until("what was left over is swept", || async {
        let rows: i64 = sqlx::query_scalar(count).fetch_one(&db).await.unwrap();
        (rows == i64::try_from(all).unwrap()).then_some(())
    })
    .await;
    assert_eq!(keys_in(&photos), (shown, 2 * all));
    server.terminate();
    assert!(server.ended().await.success());
    db.close().await;
}
