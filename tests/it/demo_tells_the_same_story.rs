//! The demo is a story: the same numbers give the same verdicts.

use std::time::Duration;

use lastbite::{App, Parts, auth::SigningSeed, clock::Clock, db::Pools, demo::Story, mail::Mail, media::Media};
use tokio::sync::oneshot;

use crate::support::{api::install_tls, postgres, postgres::tempfile::Folder};

/// A verdict: who, which day, kept or missed, points.
type Told = (String, i16, String, i32);

#[tokio::test]
async fn heavy_the_same_seed_tells_the_same_story_and_another_seed_another() {
    let (first, again, other) = tokio::join!(story(5), story(5), story(6));
    assert!(first.len() >= 20, "two days of twelve players: {first:?}");
    assert!(first.iter().any(|it| it.2 == "kept") && first.iter().any(|it| it.2 == "missed"), "{first:?}");
    assert_eq!(again, first);
    assert_ne!(other, first);
}

/// Plays a story in a world of its own, to its end. Answers its verdicts, in order.
async fn story(seed: u64) -> Vec<Told> {
    // Slow enough for a busy machine: a meal that reaches the server after its day has closed is another story.
    install_tls();
    let story = Story { players: 12, days: 2, day_seconds: 9, seed };
    let clock = story.clock(Clock::system().wall());
    let database_url = postgres::database().await;
    let media = Folder::new("lastbite-demo");
    let app = App::open(Parts {
        clock: clock.clone(),
        db: Pools::new(&database_url).unwrap(),
        seed: SigningSeed::random(),
        media: Media::folder(media.path()).unwrap(),
        mail: Mail::folder(media.path().join("letters"), "no-reply@lastbite.test").unwrap(),
        providers: Vec::new(),
        eyes: Vec::new(),
        catalogue: None,
        public_url: "http://lastbite.test".to_owned(),
        allowed_origins: Vec::new(),
        trusted_proxies: Vec::new(),
        sockets_per_address: 10,
        rates_factor: 1000,
    })
    .await
    .unwrap();
    let listener = lastbite::web::listen("127.0.0.1:0".parse().unwrap()).unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let (stop, stopped) = oneshot::channel::<()>();
    let pool = app.db.api.clone();
    let told = async {
        story.play(&base, &clock, |_| ()).await.unwrap();
        let sql = "select s.nickname, v.day, v.verdict, v.points from verdicts v
                   join standings s using (challenge_id, user_id) order by v.day, s.nickname";
        let told: Vec<Told> = sqlx::query_as(sql).fetch_all(&pool).await.unwrap();
        stop.send(()).unwrap();
        told
    };
    let stopped = async {
        let _stop_or_gone = stopped.await;
    };
    let (served, told) = tokio::join!(lastbite::serve(listener, app, Duration::ZERO, stopped), told);
    served.unwrap();
    told
}
