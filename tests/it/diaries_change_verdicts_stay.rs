//! What a change of the diary means: before the verdict it moves the board, after it the diary alone. A verdict keeps what
//! it saw.

use lastbite::rules::Event;
use lastbite_protocol::{
    ChallengeId, Progress, Verdict,
    rest::{EditMeal, Finding, Judged, Meal, MealEffect, Page},
};
use serde_json::{Value, json};

use crate::support::{
    Player, World,
    books::consistent,
    challenge, dinner, lunch,
    play::{energy, game},
    seoul, snack,
};

/// What the verdict of the first day keeps of what it saw.
async fn record(world: &World, game: ChallengeId, player: &Player) -> Value {
    let sql = "select log from verdicts where challenge_id = $1 and user_id = $2 and day = 1";
    sqlx::query_scalar(sql).bind(game.0).bind(player.id.0).fetch_one(&world.db).await.unwrap()
}

fn energies(log: &Value) -> Vec<u64> {
    log.as_array().unwrap().iter().map(|meal| meal["energy_kcal"].as_u64().unwrap()).collect()
}

#[tokio::test]
async fn before_the_verdict_every_change_moves_the_board_by_one_number_at_most() {
    let world = World::open().await;
    let mina = world.user("mina").await;
    let game = mina.hosts(&challenge()).await;
    mina.joins(game).await;
    world.referee_at(seoul("2026-03-02 20:00")).await;
    let effect =
        |n, progress, points| MealEffect { challenge: game, n, judged: Judged::ForDay { day: 1, progress, points } };
    let first = mina.logs(&lunch("2026-03-02", 700)).await;
    assert_eq!(first.effects, [effect(3, Progress::OnTrack, 30)]);
    let dinner = mina.logs(&dinner("2026-03-02", 800)).await;
    assert_eq!(dinner.effects, [effect(4, Progress::Done, 60)]);
    let more = mina.edits(dinner.meal.id, &energy(1_000)).await;
    assert_eq!(more.effects, [effect(5, Progress::Over, 0)]);
    let note = EditMeal { note: Some("잡채".to_owned()), ..EditMeal::default() };
    assert_eq!(mina.edits(dinner.meal.id, &note).await.effects, [effect(5, Progress::Over, 0)], "no news, no number");
    assert_eq!(mina.deletes(first.meal.id).await.effects, [effect(6, Progress::OnTrack, 30)]);
    assert_eq!(mina.deletes(dinner.meal.id).await.effects, [effect(7, Progress::OnTrack, 0)]);
    consistent(&world, game).await;
    world.stop().await;
}

#[tokio::test]
async fn after_the_verdict_the_diary_changes_and_the_verdict_stays_with_all_it_saw() {
    let world = World::open().await;
    let mina = world.user("mina").await;
    let game = mina.hosts(&challenge()).await;
    mina.joins(game).await;
    world.referee_at(seoul("2026-03-02 20:00")).await;
    let eaten = mina.logs(&lunch("2026-03-02", 700)).await.meal;
    let dinner = mina.logs(&dinner("2026-03-02", 800)).await.meal;
    let taken_back = mina.logs(&snack("2026-03-02", 2_000)).await.meal;
    mina.deletes(taken_back.id).await;
    world.referee_at(seoul("2026-03-03 02:00")).await;
    let (verdicts, books) = (mina.verdicts(game).await, consistent(&world, game).await);
    assert_eq!((verdicts[0].verdict, verdicts[0].points), (Verdict::Kept, 91));

    let edited = mina.edits(eaten.id, &energy(5_000)).await;
    assert_eq!((edited.meal.amounts.energy_kcal, edited.effects[0].judged), (5_000, Judged::NotJudged));
    assert_eq!(mina.deletes(dinner.id).await.effects[0].judged, Judged::NotJudged);
    let diary: Page<Meal> = mina.api.get("/api/v1/meals?date=2026-03-02").await.ok(200);
    assert_eq!(diary.items.iter().map(|meal| meal.amounts.energy_kcal).collect::<Vec<_>>(), [5_000]);

    assert_eq!(mina.verdicts(game).await, verdicts, "the verdict stays");
    assert_eq!(consistent(&world, game).await.events, books.events, "and nothing is told");
    let record = record(&world, game, &mina).await;
    assert_eq!(energies(&record["meals"]), [700, 800]);
    assert_eq!(energies(&record["deleted"]), [2_000], "what was deleted before the close is on the record");
    world.stop().await;
}

#[tokio::test]
async fn a_meal_that_is_moved_to_another_day_moves_both_days() {
    let world = World::open().await;
    let mina = world.user("mina").await;
    let game = mina.hosts(&challenge()).await;
    mina.joins(game).await;
    world.referee_at(seoul("2026-03-03 01:00")).await;
    let first = mina.logs(&lunch("2026-03-02", 700)).await.meal;
    let dinner = mina.logs(&dinner("2026-03-02", 800)).await.meal;
    let to = |at| EditMeal { eaten_at: Some(seoul(at)), ..EditMeal::default() };
    let moved = mina.edits(first.id, &to("2026-03-03 00:30")).await;
    assert_eq!(moved.effects[0].judged, Judged::ForDay { day: 2, progress: Progress::OnTrack, points: 0 });
    assert_eq!(moved.meal.local_date.to_string(), "2026-03-03");
    let open = mina.reads(game).await.me.unwrap().open_days;
    let open: Vec<_> = open.iter().map(|open| (open.day, open.progress, open.points)).collect();
    assert_eq!(open, [(1, Progress::OnTrack, 30), (2, Progress::OnTrack, 0)]);
    let books = consistent(&world, game).await;
    let told = books.events.iter().rev().take_while(|event| event.n > moved.effects[0].n - 2);
    assert_eq!(told.filter(|event| matches!(event.event, Event::Progressed { .. })).count(), 2);

    // Out of the challenge, and back from the day before it.
    let out = mina.edits(dinner.id, &to("2026-03-01 23:00")).await;
    assert_eq!(out.effects[0].judged, Judged::NotJudged);
    let back = mina.edits(dinner.id, &to("2026-03-02 19:00")).await;
    assert_eq!(back.effects[0].judged, Judged::ForDay { day: 1, progress: Progress::OnTrack, points: 30 });
    world.referee_at(seoul("2026-03-03 02:00")).await;

    // From an open day to one that is judged: the open day moves, the judged one does not.
    world.time(seoul("2026-03-03 12:00"));
    let past = mina.edits(first.id, &to("2026-03-02 12:30")).await;
    assert_eq!(past.effects[0].judged, Judged::NotJudged);
    let open = mina.reads(game).await.me.unwrap().open_days;
    assert_eq!(open.iter().map(|open| (open.day, open.points)).collect::<Vec<_>>(), [(2, 0)]);
    assert_eq!(mina.verdicts(game).await[0].verdict, Verdict::Missed);
    consistent(&world, game).await;
    world.stop().await;
}

#[tokio::test]
async fn while_a_closed_day_waits_for_its_verdict_its_meals_cannot_be_changed() {
    let world = World::open().await;
    let mina = world.user("mina").await;
    let game = mina.hosts(&challenge()).await;
    mina.joins(game).await;
    world.referee_at(seoul("2026-03-02 20:00")).await;
    let first = mina.logs(&lunch("2026-03-02", 700)).await.meal;
    mina.logs(&dinner("2026-03-02", 800)).await;
    let held_up = world.holds_up_the_referee(game).await;
    world.time(seoul("2026-03-03 12:40"));
    let today = mina.logs(&lunch("2026-03-03", 100)).await;
    assert!(matches!(today.effects[0].judged, Judged::ForDay { day: 2, .. }), "today goes on: {today:?}");
    let path = format!("/api/v1/meals/{}", first.id);
    for answer in [
        mina.api.delete(&path).await,
        mina.tries_to_edit(first.id, &energy(10)).await,
        mina.tries_to_edit(first.id, &EditMeal { eaten_at: Some(seoul("2026-03-03 12:30")), ..EditMeal::default() })
            .await,
    ] {
        answer.refused(503, "day_being_judged");
        assert!(answer.headers.contains_key("retry-after"));
    }
    drop(held_up);
    world.referee_at(seoul("2026-03-03 12:40")).await;
    assert_eq!(mina.verdicts(game).await[0].points, 91);
    assert_eq!(mina.deletes(first.id).await.effects[0].judged, Judged::NotJudged);
    consistent(&world, game).await;
    world.stop().await;
}

#[tokio::test]
async fn who_leaves_after_the_log_has_closed_cannot_mend_it_before_the_verdict() {
    let world = World::open().await;
    let (mina, jun) = (world.user("mina").await, world.user("jun").await);
    let game = mina.hosts(&game(|terms| terms.lives = 2)).await;
    mina.joins(game).await;
    jun.joins(game).await;
    world.referee_at(seoul("2026-03-02 20:00")).await;
    mina.keeps("2026-03-02").await;
    let cake = mina.logs(&snack("2026-03-02", 2_000)).await.meal;
    let held_up = world.holds_up_the_referee(game).await;
    world.time(seoul("2026-03-03 02:00"));
    mina.leaves(game).await;
    let path = format!("/api/v1/meals/{}", cake.id);
    mina.api.delete(&path).await.refused(503, "day_being_judged");
    mina.tries_to_edit(cake.id, &energy(1)).await.refused(503, "day_being_judged");
    drop(held_up);
    world.referee_at(seoul("2026-03-03 02:00")).await;
    let verdict = &mina.verdicts(game).await[0];
    assert_eq!(verdict.verdict, Verdict::Missed, "who left after the close is judged by what was there at the close");
    assert!(verdict.findings.iter().any(|one| matches!(one, Finding::Calories { energy_kcal: 3_500, .. })));
    assert_eq!(mina.deletes(cake.id).await.effects, [], "afterwards the diary is free");
    consistent(&world, game).await;
    world.stop().await;
}

#[tokio::test]
async fn a_verdict_names_every_meal_it_saw_though_the_board_shows_none() {
    let world = World::open().await;
    let mina = world.user("mina").await;
    let game = mina.hosts(&challenge()).await;
    mina.joins(game).await;
    world.referee_at(seoul("2026-03-02 20:00")).await;
    mina.keeps("2026-03-02").await;
    world.referee_at(seoul("2026-03-03 02:00")).await;
    let record = record(&world, game, &mina).await;
    let kinds: Vec<_> = record["meals"].as_array().unwrap().iter().map(|meal| meal["kind"].clone()).collect();
    assert_eq!(kinds, [json!("lunch"), json!("dinner")]);
    let mut board = world.spectator(game).await;
    board.sees("her row", |board| board.row(mina.id).is_some()).await;
    let row = serde_json::to_string(board.model.row(mina.id).unwrap()).unwrap();
    assert!(!row.contains("kcal") && !row.contains("1500"), "{row}");
    world.stop().await;
}
