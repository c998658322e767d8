//! Whatever is cut off in the middle of judging is judged again from the start, and what was committed is not: nobody is
//! judged twice, nobody is missed.

use lastbite::demo::plan::Dice;
use lastbite_protocol::{Status, Verdict};
use sqlx::Executor;

use crate::support::{
    Player, World,
    books::consistent,
    challenge,
    play::{game, names},
    seoul, until,
};

/// Cuts the connection of whoever writes, after one more write each time: the first try of a step dies after its first
/// write, the next one after its second, until a try comes through, the commit included. Sequences do not roll back, so
/// the count outlives the crashes.
const CRASH_AFTER_EVERY_WRITE: &str = "
    create sequence crashes minvalue 0 start 0;
    create sequence writes minvalue 0 start 0;
    create sequence survived minvalue 0 start 0;
    select setval('crashes', 0), setval('writes', 0), setval('survived', 0);
    create function crash() returns trigger language plpgsql as $$
    begin
        if nextval('writes') > (select last_value from survived) then
            perform setval('writes', 0), nextval('survived'), nextval('crashes');
            perform pg_terminate_backend(pg_backend_pid());
            perform pg_sleep(10);
        end if;
        return null;
    end $$;
    create trigger crash after insert or update or delete on rounds for each statement execute function crash();
    create trigger crash after insert or update on challenges for each statement execute function crash();
    create trigger crash after insert or update on journal for each statement execute function crash();
    create trigger crash after insert or update on standings for each statement execute function crash();
    create trigger crash after insert or update on verdicts for each statement execute function crash();
    create trigger crash after insert or update on outcomes for each statement execute function crash();
    create constraint trigger crash_in_commit after update on rounds initially deferred
        for each row execute function crash();";

#[tokio::test]
async fn a_crash_after_any_write_of_the_referee_leaves_nothing_behind() {
    let world = World::open().await;
    let (mina, jun, sora) = (world.user("mina").await, world.user("jun").await, world.user("sora").await);
    let game = mina.hosts(&game(|terms| (terms.days, terms.lives) = (2, 0))).await;
    for player in [&mina, &jun, &sora] {
        player.joins(game).await;
    }
    let mut board = world.spectator(game).await;
    // The referee's steps are: open, open, judge (jun falls), judge and end.
    let mut crashes = Vec::new();
    let deadlines = ["2026-03-02 00:00", "2026-03-03 00:00", "2026-03-03 02:00", "2026-03-04 02:00"];
    for (step, deadline) in deadlines.into_iter().enumerate() {
        if step == 1 {
            world.time(seoul("2026-03-02 20:00"));
            mina.keeps("2026-03-02").await;
            sora.keeps("2026-03-02").await;
        }
        world.db.execute(CRASH_AFTER_EVERY_WRITE).await.unwrap();
        board.reads_during(world.referee_at(seoul(deadline))).await;
        crashes.push(world.count("select last_value from crashes").await);
        world.db.execute("drop function crash cascade; drop sequence crashes, writes, survived").await.unwrap();
    }
    assert!(crashes.iter().zip([3, 3, 5, 8]).all(|(were, least)| *were >= least), "{crashes:?}");
    let books = consistent(&world, game).await;
    let status = |player: &Player| books.standings[&player.id].status;
    assert_eq!([&mina, &jun, &sora].map(status), [Status::Eliminated; 3], "nobody ate on the second day");
    board.sees("the end", |board| board.n == books.events.last().map(|event| event.n)).await;
    world.stop().await;
}

#[tokio::test]
async fn heavy_eleven_hundred_players_are_judged_once_each_however_often_the_database_hangs_up() {
    const PLAYERS: usize = 1_100;
    let world = World::open().await;
    let second = world.another_node().await;
    let host = world.user("host").await;
    let game = host.hosts(&game(|terms| (terms.seats, terms.days, terms.lives) = (2_000, 2, 0))).await;
    let crowd = world.crowd(names(PLAYERS)).await;
    world.seats(&crowd, game, 0).await;
    world.referee_at(seoul("2026-03-02 20:00")).await;
    let keepers: Vec<_> = crowd.iter().step_by(50).collect();
    for player in &keepers {
        player.keeps("2026-03-02").await;
    }
    let mut dice = Dice::thrown_for(7, 0, 0);
    world.time(seoul("2026-03-03 02:00"));
    let mut cut_off = Vec::new();
    for kill in 0..12 {
        // Later kills wait longer, so that they hit later parts of the work.
        let patience = dice.below(2 + 8 * kill);
        let Some(query) = cut_the_judge_off(&world, patience).await else { break };
        cut_off.push(query);
    }
    assert!(cut_off.len() > 3, "the judge was cut off again and again: {cut_off:?}");
    world.referee_at(seoul("2026-03-03 02:00")).await;
    let books = consistent(&world, game).await;
    assert_eq!(books.verdicts.len(), PLAYERS, "everybody has one verdict");
    let kept = books.verdicts.values().filter(|(verdict, _)| *verdict == Verdict::Kept).count();
    assert_eq!(kept, keepers.len());
    world.referee_at(seoul("2026-03-04 02:00")).await;
    let books = consistent(&world, game).await;
    assert_eq!(books.verdicts.len(), PLAYERS + keepers.len(), "who is out is not judged any more");
    second.stop().await;
    world.stop().await;
}

/// Looks until a server has been seen at work in a transaction more than `patience` times, and cuts it off then. Answers
/// what it was doing; nothing when the work was done before.
async fn cut_the_judge_off(world: &World, patience: u32) -> Option<String> {
    let sql = "select pid, query from pg_stat_activity
               where datname = current_database() and application_name = 'lastbite' and xact_start is not null
                 and state in ('active', 'idle in transaction')";
    let mut seen = 0;
    loop {
        let at_work: Vec<(i32, String)> = sqlx::query_as(sql).fetch_all(&world.db).await.unwrap();
        for (pid, query) in at_work {
            seen += 1;
            if seen > patience {
                sqlx::query("select pg_terminate_backend($1)").bind(pid).execute(&world.db).await.unwrap();
                return Some(query);
            }
        }
        if world.count("select count(*) from rounds where day = 1 and judged_at is null").await == 0 {
            return None;
        }
    }
}

#[tokio::test]
async fn a_server_that_stops_in_the_middle_of_its_work_is_replaced_by_another() {
    let mut world = World::open().await;
    let host = world.user("host").await;
    let crowd = world.crowd(names(60)).await;
    let mut games = Vec::new();
    for _ in 0..8 {
        let game = host.hosts(&challenge()).await;
        world.seats(&crowd, game, 1).await;
        games.push(game);
    }
    let mut dice = Dice::thrown_for(11, 0, 0);
    for deadline in ["2026-03-02 00:00", "2026-03-03 00:00", "2026-03-03 02:00", "2026-03-04 02:00"] {
        world.time(seoul(deadline));
        // It is told to stop when so many of the challenges have moved.
        let enough = i64::from(dice.below(8));
        until("some of the work is done", || async {
            let sql = "select count(*) from rounds where judged_at = $1 or opened_at = $1";
            let done: i64 = sqlx::query_scalar(sql).bind(seoul(deadline)).fetch_one(&world.db).await.unwrap();
            (done >= enough).then_some(())
        })
        .await;
        world.goes_down().await;
        world.comes_up().await;
        world.referee_at(seoul(deadline)).await;
    }
    for game in games {
        let books = consistent(&world, game).await;
        assert_eq!(books.verdicts.len(), 2 * 60, "two days, and all are out");
    }
    world.stop().await;
}
