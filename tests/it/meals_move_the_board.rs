//! The path of a meal: logged over REST, seen on every screen.

use lastbite_protocol::{
    Progress, Status,
    rest::{ChallengeStatus, Judged},
    socket::Happened,
};

use crate::support::{World, challenge, dinner, lunch, seoul};

#[tokio::test]
async fn a_meal_moves_the_board_of_everybody_who_watches() {
    let world = World::open().await;
    let (mina, jun) = (world.user("mina").await, world.user("jun").await);
    let game = mina.hosts(&challenge()).await;
    let mut board = world.spectator(game).await;
    mina.joins(game).await;
    jun.joins(game).await;
    board.sees("both joined", |board| board.counts.players == 2).await;

    world.referee_at(seoul("2026-03-02 00:00")).await;
    board.sees("the first day begins", |board| board.status == Some(ChallengeStatus::Running)).await;

    world.time(seoul("2026-03-02 13:00"));
    let logged = jun.logs(&lunch("2026-03-02", 700)).await;
    let effect = &logged.effects[0];
    assert_eq!(effect.challenge, game);
    assert_eq!(effect.judged, Judged::ForDay { day: 1, progress: Progress::OnTrack, points: 30 });
    board.sees("jun leads with 30 points", |board| board.row(jun.id).is_some_and(|row| row.points == 30)).await;
    assert_eq!(board.model.board()[0].1.player, jun.id);
    assert!(board.model.n >= Some(effect.n));

    let mut own = mina.watches(game).await;
    own.sees("her own place", |own| own.me.as_ref().is_some_and(|me| me.rank == 2)).await;
    world.time(seoul("2026-03-02 20:00"));
    mina.logs(&lunch("2026-03-02", 700)).await;
    mina.logs(&dinner("2026-03-02", 800)).await;
    own.sees("her rise", |own| own.me.as_ref().is_some_and(|me| me.rank == 1)).await;
    assert_eq!(own.model.me.as_ref().unwrap().standing.open_days[0].progress, Progress::Done);
    world.stop().await;
}

#[tokio::test]
async fn who_misses_too_often_is_out_and_the_last_one_wins() {
    let world = World::open().await;
    let (mina, jun) = (world.user("mina").await, world.user("jun").await);
    let game = mina.hosts(&challenge()).await;
    mina.joins(game).await;
    jun.joins(game).await;
    let mut board = world.spectator(game).await;
    for date in ["2026-03-02", "2026-03-03", "2026-03-04"] {
        world.referee_at(seoul(&format!("{date} 21:00"))).await;
        mina.logs(&lunch(date, 700)).await;
        mina.logs(&dinner(date, 800)).await;
    }
    world.referee_at(seoul("2026-03-05 02:00")).await;
    board.sees("the end", |board| board.status == Some(ChallengeStatus::Finished)).await;
    assert!(board.model.heard(|what| matches!(what, Happened::Eliminated { player, day: 2, .. } if *player == jun.id)));
    assert!(board.model.heard(|what| {
        matches!(what, Happened::Finished { champions, survivors: 1, .. } if champions[0].player == mina.id)
    }));
    let row = board.model.row(mina.id).unwrap();
    assert_eq!((row.status, row.points, row.recent.to_string().as_str()), (Status::Survived, 3 * 91, "KKK"));
    assert_eq!(board.model.row(jun.id).unwrap().status, Status::Eliminated);
    world.stop().await;
}
