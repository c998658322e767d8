//! How a challenge ends: who has survived, who has won, and what stays to be seen.

use lastbite_protocol::{
    ChallengeId, Status, Verdict,
    rest::{ChallengeStatus, Outcome},
    socket::Happened,
    terms::OneLeft,
};

use crate::support::{
    Player, Viewer, World,
    books::{consistent, sees_the_truth},
    challenge, lunch,
    play::{game, names},
    seoul,
};

/// Final places as `(nickname, rank, champion, status)`, best first; equal ranks by name.
async fn places(world: &World, game: ChallengeId) -> Vec<(String, u32, bool, Status)> {
    let place = |it: Outcome| (it.row.nickname, it.rank, it.champion, it.row.status);
    let mut places: Vec<_> = world.outcomes(game, "").await.items.into_iter().map(place).collect();
    places.sort_by(|a, b| (a.1, &a.0).cmp(&(b.1, &b.0)));
    places
}

fn place(name: &str, rank: u32, champion: bool, status: Status) -> (String, u32, bool, Status) {
    (name.to_owned(), rank, champion, status)
}

/// Two players in a challenge that somebody watches, on the evening of its first day.
async fn two_play(lives: u8, days: u16) -> (World, Player, Player, ChallengeId, Viewer) {
    let world = World::open().await;
    let (mina, jun) = (world.user("mina").await, world.user("jun").await);
    let game = mina.hosts(&game(|terms| (terms.lives, terms.days) = (lives, days))).await;
    mina.joins(game).await;
    jun.joins(game).await;
    let board = world.spectator(game).await;
    world.referee_at(seoul("2026-03-02 20:00")).await;
    (world, mina, jun, game, board)
}

/// Looks at the end from every side, and comes to the last of the world.
async fn ends(world: World, game: ChallengeId, mut board: Viewer) {
    board.sees("the end", |board| board.status == Some(ChallengeStatus::Finished)).await;
    consistent(&world, game).await;
    sees_the_truth(&mut board, &world, game).await;
    let late = world.user("late").await;
    late.tries_to_join(game).await.refused(409, "challenge_over");
    let mut later = late.watches(game).await;
    sees_the_truth(&mut later, &world, game).await;
    assert_eq!(later.model.status, Some(ChallengeStatus::Finished), "the last board stays to be seen");
    world.stop().await;
}

#[tokio::test]
async fn when_nobody_fails_equals_share_the_first_rank_and_the_win() {
    let (world, mina, jun, game, board) = two_play(1, 2).await;
    let sora = world.user("sora").await;
    sora.tries_to_join(game).await.refused(409, "challenge_started");
    for date in ["2026-03-02", "2026-03-03"] {
        world.referee_at(seoul(&format!("{date} 20:00"))).await;
        mina.keeps(date).await;
        jun.keeps(date).await;
    }
    world.referee_at(seoul("2026-03-04 02:00")).await;
    let expected = [place("jun", 1, true, Status::Survived), place("mina", 1, true, Status::Survived)];
    assert_eq!(places(&world, game).await, expected);
    jun.api.delete(&format!("/api/v1/challenges/{game}/players/me")).await.refused(409, "challenge_over");
    world.time(seoul("2026-03-04 13:00"));
    assert_eq!(mina.logs(&lunch("2026-03-04", 700)).await.effects, [], "it is over");
    ends(world, game, board).await;
}

#[tokio::test]
async fn after_equals_the_next_rank_is_left_out() {
    let world = World::open().await;
    let host = world.user("host").await;
    let crowd = world.crowd(names(5)).await;
    let game = host.hosts(&game(|terms| (terms.lives, terms.days) = (1, 1))).await;
    for player in &crowd {
        player.joins(game).await;
    }
    let board = world.spectator(game).await;
    world.referee_at(seoul("2026-03-02 20:00")).await;
    // The first is at the target, two are equal behind, one has missed, and one has left.
    crowd[0].keeps("2026-03-02").await;
    for player in &crowd[1..3] {
        player.logs(&lunch("2026-03-02", 700)).await;
        player.logs(&crate::support::dinner("2026-03-02", 850)).await;
    }
    crowd[4].leaves(game).await;
    world.referee_at(seoul("2026-03-03 02:00")).await;
    let expected = [
        place("crowd_1", 1, true, Status::Survived),
        place("crowd_2", 2, false, Status::Survived),
        place("crowd_3", 2, false, Status::Survived),
        place("crowd_4", 4, false, Status::Survived),
        place("crowd_5", 5, false, Status::Left),
    ];
    assert_eq!(places(&world, game).await, expected);

    let mut paged: Vec<Outcome> = Vec::new();
    let mut query = "limit=2".to_owned();
    loop {
        let page = world.outcomes(game, &query).await;
        assert!(page.items.len() <= 2);
        paged.extend(page.items);
        let Some(next) = page.next else { break };
        query = format!("limit=2&after={next}");
    }
    assert_eq!(paged, world.outcomes(game, "").await.items, "pages, also cut between equals, are the whole");
    ends(world, game, board).await;
}

#[tokio::test]
async fn who_fails_is_out_and_the_other_one_plays_on_alone_to_the_end() {
    let (world, mina, jun, game, board) = two_play(0, 3).await;
    mina.keeps("2026-03-02").await;
    world.referee_at(seoul("2026-03-03 20:00")).await;
    assert_eq!(mina.reads(game).await.status, ChallengeStatus::Running, "one is left, and plays on");
    mina.keeps("2026-03-03").await;
    world.referee_at(seoul("2026-03-04 20:00")).await;
    mina.keeps("2026-03-04").await;
    // Who is out still keeps a diary; the challenge hears nothing of it.
    assert_eq!(jun.logs(&lunch("2026-03-04", 700)).await.effects, []);
    world.referee_at(seoul("2026-03-05 02:00")).await;
    let expected = [place("mina", 1, true, Status::Survived), place("jun", 2, false, Status::Eliminated)];
    assert_eq!(places(&world, game).await, expected);
    assert_eq!((mina.verdicts(game).await.len(), jun.verdicts(game).await.len()), (3, 1));
    ends(world, game, board).await;
}

#[tokio::test]
async fn who_is_left_alone_has_won_at_once_where_the_terms_say_so() {
    let world = World::open().await;
    let (mina, jun) = (world.user("mina").await, world.user("jun").await);
    let game = mina.hosts(&game(|terms| (terms.lives, terms.one_left) = (0, OneLeft::EndNow))).await;
    for player in [&mina, &jun] {
        player.joins(game).await;
    }
    let board = world.spectator(game).await;
    world.referee_at(seoul("2026-03-02 20:00")).await;
    mina.keeps("2026-03-02").await;
    world.referee_at(seoul("2026-03-03 02:00")).await;
    let expected = [place("mina", 1, true, Status::Survived), place("jun", 2, false, Status::Eliminated)];
    assert_eq!(places(&world, game).await, expected);
    ends(world, game, board).await;
}

#[tokio::test]
async fn when_all_fall_on_the_same_day_they_share_the_win_and_the_days_left_are_not_played() {
    let (world, mina, jun, game, mut board) = two_play(0, 7).await;
    mina.keeps("2026-03-02").await;
    jun.keeps("2026-03-02").await;
    world.referee_at(seoul("2026-03-03 20:00")).await;
    mina.logs(&lunch("2026-03-03", 1_500)).await;
    world.referee_at(seoul("2026-03-04 02:00")).await;
    // Her energy was on target and a meal was missing: what was eaten on a missed day says nothing.
    let expected = [place("jun", 1, true, Status::Eliminated), place("mina", 1, true, Status::Eliminated)];
    assert_eq!(places(&world, game).await, expected);
    board
        .sees("a shared win", |board| {
            board.heard(|what| matches!(what, Happened::Finished { champions_total: 2, survivors: 0, .. }))
        })
        .await;
    // The third day had begun; its deadline comes and goes.
    world.referee_at(seoul("2026-03-09 02:00")).await;
    world.referee_has_looked(&mina).await;
    assert_eq!(
        world
            .count("select count(*) from rounds r join challenges c on c.id = r.challenge_id and c.status = 'finished'")
            .await,
        2,
        "the day that had begun is not judged any more"
    );
    ends(world, game, board).await;
}

#[tokio::test]
async fn when_all_leave_it_ends_with_the_day_and_the_best_of_them_has_won() {
    let (world, mina, jun, game, board) = two_play(1, 7).await;
    mina.keeps("2026-03-02").await;
    world.referee_at(seoul("2026-03-03 12:00")).await;
    mina.leaves(game).await;
    jun.leaves(game).await;
    jun.tries_to_join(game).await.refused(409, "no_return");
    world.referee_at(seoul("2026-03-04 02:00")).await;
    let expected = [place("mina", 1, true, Status::Left), place("jun", 2, false, Status::Left)];
    assert_eq!(places(&world, game).await, expected);
    ends(world, game, board).await;
}

#[tokio::test]
async fn when_all_leave_on_the_first_day_there_is_a_podium_all_the_same() {
    let (world, mina, jun, game, board) = two_play(1, 7).await;
    mina.leaves(game).await;
    jun.leaves(game).await;
    world.referee_at(seoul("2026-03-03 02:00")).await;
    let expected = [place("jun", 1, true, Status::Left), place("mina", 1, true, Status::Left)];
    assert_eq!(places(&world, game).await, expected);
    ends(world, game, board).await;
}

#[tokio::test]
async fn who_leaves_after_the_log_has_closed_still_gets_the_verdict_of_that_day_and_of_no_other() {
    let (world, mina, jun, game, board) = two_play(0, 2).await;
    mina.keeps("2026-03-02").await;
    world.referee_at(seoul("2026-03-03 01:59")).await;
    let held_up = world.holds_up_the_referee(game).await;
    world.time(seoul("2026-03-03 02:00"));
    mina.leaves(game).await;
    jun.leaves(game).await;
    drop(held_up);
    world.referee_at(seoul("2026-03-03 02:00")).await;
    let mine = mina.verdicts(game).await;
    assert_eq!((mine.len(), mine[0].verdict, mine[0].points), (1, Verdict::Kept, 91));
    assert_eq!(jun.verdicts(game).await[0].verdict, Verdict::Missed);
    let expected = [place("jun", 1, true, Status::Eliminated), place("mina", 2, false, Status::Left)];
    assert_eq!(places(&world, game).await, expected, "leaving does not save from the verdict that was due");
    ends(world, game, board).await;
}

#[tokio::test]
async fn who_leaves_before_the_log_has_closed_gets_no_verdict() {
    let (world, mina, jun, game, board) = two_play(1, 1).await;
    mina.keeps("2026-03-02").await;
    world.time(seoul("2026-03-03 02:00") - chrono::TimeDelta::milliseconds(1));
    mina.leaves(game).await;
    world.referee_at(seoul("2026-03-03 02:00")).await;
    assert_eq!((mina.verdicts(game).await.len(), jun.verdicts(game).await.len()), (0, 1));
    let expected = [place("jun", 1, true, Status::Survived), place("mina", 2, false, Status::Left)];
    assert_eq!(places(&world, game).await, expected);
    ends(world, game, board).await;
}

#[tokio::test]
async fn a_player_who_leaves_before_the_start_gives_the_seat_back_and_may_come_again() {
    let world = World::open().await;
    let (mina, jun, sora) = (world.user("mina").await, world.user("jun").await, world.user("sora").await);
    let mut wish = challenge();
    wish.terms.seats = 2;
    let game = mina.hosts(&wish).await;
    mina.joins(game).await;
    jun.joins(game).await;
    sora.tries_to_join(game).await.refused(409, "challenge_full");
    assert_eq!(jun.leaves(game).await.standing, None);
    sora.joins(game).await;
    jun.tries_to_join(game).await.refused(409, "challenge_full");
    sora.leaves(game).await;
    jun.joins(game).await;
    let books = consistent(&world, game).await;
    assert_eq!(books.standings.keys().copied().collect::<Vec<_>>(), [mina.id, jun.id]);
    world.stop().await;
}
