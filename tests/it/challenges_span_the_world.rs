//! Days follow the wall clock of a challenge's zone, also on the days on which that clock jumps, and wherever its players
//! are.

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::{America::New_York, Asia::Seoul, Australia::Lord_Howe, Europe::Berlin, Pacific, Tz};
use lastbite_protocol::{
    ChallengeId, Progress, Requirement, Verdict, WallTime,
    rest::{Finding, Judged, Meal, MealKind, MealOutcome, NewMeal, Page},
    terms::Windows,
};

use crate::support::{
    World,
    books::consistent,
    dinner,
    play::{game, utc},
    snack,
};

const A_MILLISECOND: TimeDelta = TimeDelta::milliseconds(1);

/// A challenge whose second day is one on which the clock jumps, at a time that does not exist or exists twice.
struct Jump {
    zone: Tz,
    first_day: &'static str,
    day_starts_at: &'static str,
    /// When the three days start and the last one ends.
    starts: [&'static str; 4],
}

/// In the order of time.
const JUMPS: [Jump; 6] = [
    Jump {
        zone: New_York,
        first_day: "2026-03-07",
        day_starts_at: "02:30",
        starts: ["2026-03-07 07:30", "2026-03-08 07:00", "2026-03-09 06:30", "2026-03-10 06:30"],
    },
    Jump {
        zone: Berlin,
        first_day: "2026-03-28",
        day_starts_at: "02:30",
        starts: ["2026-03-28 01:30", "2026-03-29 01:00", "2026-03-30 00:30", "2026-03-31 00:30"],
    },
    Jump {
        zone: Lord_Howe,
        first_day: "2026-04-04",
        day_starts_at: "01:45",
        starts: ["2026-04-03 14:45", "2026-04-04 15:15", "2026-04-05 15:15", "2026-04-06 15:15"],
    },
    Jump {
        zone: Lord_Howe,
        first_day: "2026-10-03",
        day_starts_at: "02:15",
        starts: ["2026-10-02 15:45", "2026-10-03 15:30", "2026-10-04 15:15", "2026-10-05 15:15"],
    },
    Jump {
        zone: Berlin,
        first_day: "2026-10-24",
        day_starts_at: "02:30",
        starts: ["2026-10-24 00:30", "2026-10-25 01:30", "2026-10-26 01:30", "2026-10-27 01:30"],
    },
    Jump {
        zone: New_York,
        first_day: "2026-10-31",
        day_starts_at: "01:30",
        starts: ["2026-10-31 05:30", "2026-11-01 06:30", "2026-11-02 06:30", "2026-11-03 06:30"],
    },
];

#[tokio::test]
async fn a_day_that_starts_in_a_gap_or_an_overlap_of_the_clock_starts_at_one_instant_for_everybody() {
    let world = World::open().await;
    let mina = world.user("mina").await;
    let mut games = Vec::new();
    for jump in &JUMPS {
        let game = mina
            .hosts(&game(|terms| {
                (terms.zone, terms.lives) = (jump.zone, 3);
                (terms.first_day, terms.day_starts_at) =
                    (jump.first_day.parse().unwrap(), jump.day_starts_at.parse().unwrap());
            }))
            .await;
        mina.joins(game).await;
        games.push(game);
    }
    for (jump, game) in JUMPS.iter().zip(&games) {
        assert_eq!(deadlines(&world, *game).await, promised(jump), "{} from {}", jump.zone, jump.first_day);
        let second_day = utc(jump.starts[1]);
        world.referee_at(second_day - A_MILLISECOND).await;
        assert_eq!(mina.reads(*game).await.today.map(|day| day.day), Some(1), "{}", jump.zone);
        let snack = NewMeal { zone: jump.zone, eaten_at: second_day - A_MILLISECOND, ..snack("2026-03-02", 100) };
        assert_eq!(day_in(*game, &mina.logs(&snack).await), Some(1), "{}: the last millisecond", jump.zone);
        world.referee_at(second_day).await;
        assert_eq!(mina.reads(*game).await.today.map(|day| day.day), Some(2), "{}", jump.zone);
        let first = NewMeal { eaten_at: second_day, ..snack.clone() };
        assert_eq!(day_in(*game, &mina.logs(&first).await), Some(2), "{}: the first instant", jump.zone);
        // The wall clock has shown the time at which days start already, or shows it again: still the first day.
        for minutes in [25, 40] {
            let odd = NewMeal { eaten_at: second_day - TimeDelta::minutes(minutes), ..snack.clone() };
            assert_eq!(day_in(*game, &mina.logs(&odd).await), Some(1), "{}: the odd hour", jump.zone);
        }
    }
    world.referee_at(utc("2026-11-03 12:00")).await;
    for game in games {
        let seen: Vec<_> = mina.verdicts(game).await.iter().map(|day| day.findings.clone()).collect();
        let energies: Vec<_> = seen.iter().map(|findings| energy_of(findings)).collect();
        assert_eq!(energies, [300, 100, 0], "the verdicts see the meals on the days they were told");
        consistent(&world, game).await;
    }
    world.stop().await;
}

#[tokio::test]
async fn days_from_midnight_have_23_or_25_hours_when_the_clock_jumps_and_on_lord_howe_half_an_hour_less_or_more() {
    let world = World::open().await;
    let host = world.user("host").await;
    for (zone, first_day, minutes) in [
        (New_York, "2026-03-07", 23 * 60),
        (New_York, "2026-10-31", 25 * 60),
        (Berlin, "2026-03-28", 23 * 60),
        (Berlin, "2026-10-24", 25 * 60),
        (Lord_Howe, "2026-10-03", 23 * 60 + 30),
        (Lord_Howe, "2026-04-04", 24 * 60 + 30),
    ] {
        let wish = game(|terms| (terms.zone, terms.first_day) = (zone, first_day.parse().unwrap()));
        let lengths: Vec<_> = deadlines(&world, host.hosts(&wish).await)
            .await
            .into_iter()
            .map(|[starts, ends, closes]| ((ends - starts).num_minutes(), (closes - ends).num_minutes()))
            .collect();
        assert_eq!(lengths, [(24 * 60, 120), (minutes, 120), (24 * 60, 120)], "{zone} from {first_day}");
    }
    world.stop().await;
}

/// Start, end and close of every day, as the database has them.
async fn deadlines(world: &World, game: ChallengeId) -> Vec<[DateTime<Utc>; 3]> {
    let sql = "select starts_at, ends_at, closes_at from rounds where challenge_id = $1 order by day";
    let rows: Vec<(DateTime<Utc>, DateTime<Utc>, DateTime<Utc>)> =
        sqlx::query_as(sql).bind(game.0).fetch_all(&world.db).await.unwrap();
    rows.into_iter().map(|(starts, ends, closes)| [starts, ends, closes]).collect()
}

fn promised(jump: &Jump) -> Vec<[DateTime<Utc>; 3]> {
    let starts = jump.starts.map(utc);
    starts.windows(2).map(|pair| [pair[0], pair[1], pair[1] + TimeDelta::minutes(120)]).collect()
}

fn day_in(game: ChallengeId, outcome: &MealOutcome) -> Option<u16> {
    let effect = outcome.effects.iter().find(|effect| effect.challenge == game);
    match effect.expect("the challenge runs").judged {
        Judged::ForDay { day, .. } => Some(day),
        Judged::NotJudged => None,
    }
}

fn energy_of(findings: &[Finding]) -> u32 {
    let energy = findings.iter().find_map(|finding| match finding {
        Finding::Calories { energy_kcal, .. } => Some(*energy_kcal),
        _ => None,
    });
    energy.unwrap()
}

#[tokio::test]
async fn a_traveller_keeps_a_diary_where_they_are_and_plays_by_the_clock_of_the_challenge() {
    let world = World::open().await;
    let mina = world.user("mina").await;
    let game = mina.hosts(&game(|_| ())).await;
    mina.joins(game).await;
    // Noon of the second in New York is two in the morning of the third in Seoul.
    world.referee_at(utc("2026-03-02 17:00")).await;
    let noon = NewMeal {
        kind: MealKind::Lunch,
        eaten_at: utc("2026-03-02 17:00"),
        zone: New_York,
        ..dinner("2026-03-02", 700)
    };
    let logged = mina.logs(&noon).await;
    assert_eq!(day_in(game, &logged), Some(2));
    assert_eq!(logged.meal.local_date.to_string(), "2026-03-02");
    // Half past ten in the evening there is lunch time in Seoul.
    world.time(utc("2026-03-03 03:30"));
    let late = NewMeal { eaten_at: utc("2026-03-03 03:30"), ..noon.clone() };
    let logged = mina.logs(&late).await;
    assert_eq!(logged.meal.local_date.to_string(), "2026-03-02");
    let diary: Page<Meal> = mina.api.get("/api/v1/meals?date=2026-03-02").await.ok(200);
    assert_eq!(diary.items.len(), 2, "one evening in New York");
    assert_eq!(
        logged.effects[0].judged,
        Judged::ForDay { day: 2, progress: Progress::OnTrack, points: 30 },
        "one of the two is a lunch by the clock of the challenge"
    );
    world.referee_at(utc("2026-03-03 17:00")).await;
    let verdicts = mina.verdicts(game).await;
    assert_eq!(verdicts.iter().map(|day| energy_of(&day.findings)).collect::<Vec<_>>(), [0, 1400]);
    consistent(&world, game).await;
    world.stop().await;
}

#[tokio::test]
async fn one_meal_moves_five_challenges_each_on_its_own_day_by_its_own_terms() {
    let world = World::open().await;
    let mina = world.user("mina").await;
    // Dinner at half past seven in Seoul, everywhere at once.
    let eaten_at = utc("2026-03-04 10:30");
    let calories = |target_kcal| Requirement::Calories { target_kcal, tolerance_kcal: 100 };
    let meals =
        |at_least, cutoff| Requirement::Meals { at_least, cutoff: WallTime::hour(cutoff), windows: Windows::default() };
    let wishes = [
        (Seoul, 0, vec![calories(1600), meals(2, 23)], (2, Progress::OnTrack, 30)),
        (Tz::Asia__Tokyo, 0, vec![calories(1600), meals(1, 19)], (2, Progress::OnTrack, 0)),
        (New_York, 6, vec![calories(1400), meals(1, 23)], (1, Progress::Over, 0)),
        (Pacific::Kiritimati, 0, vec![meals(3, 23)], (3, Progress::OnTrack, 0)),
        (Tz::Australia__Brisbane, 3, vec![calories(1550)], (2, Progress::Done, 30)),
    ];
    let mut games: Vec<(ChallengeId, (u16, Progress, u32))> = Vec::new();
    for (at, (zone, hour, requirements, expected)) in wishes.into_iter().enumerate() {
        let wish = game(|terms| {
            (terms.zone, terms.day_starts_at) = (zone, WallTime::hour(hour));
            terms.first_day = "2026-03-03".parse().unwrap();
            (terms.requirements, terms.lives) = (requirements, u8::try_from(at + 1).unwrap());
        });
        let game = mina.hosts(&wish).await;
        mina.joins(game).await;
        games.push((game, expected));
    }
    let mut boards = Vec::new();
    world.referee_at(eaten_at).await;
    for (game, _) in &games {
        boards.push(world.spectator(*game).await);
    }
    let dinner = NewMeal { eaten_at, ..dinner("2026-03-04", 1550) };
    let outcome = mina.logs(&dinner).await;
    assert_eq!(outcome.effects.len(), 5);
    for ((game, (day, progress, points)), board) in games.iter().zip(&mut boards) {
        let effect = outcome.effects.iter().find(|effect| effect.challenge == *game).unwrap();
        assert_eq!(effect.judged, Judged::ForDay { day: *day, progress: *progress, points: *points });
        board.sees("the meal", |board| board.n >= Some(effect.n)).await;
        assert_eq!(board.model.row(mina.id).unwrap().points, *points);
        consistent(&world, *game).await;
    }
    world.referee_at(utc("2026-03-07 12:00")).await;
    for (game, (day, ..)) in &games {
        consistent(&world, *game).await;
        let verdicts = mina.verdicts(*game).await;
        let ate = verdicts.iter().filter(|judged| judged.day == *day);
        let ate: Vec<_> = ate.map(|judged| judged.verdict).collect();
        let kept = *game == games[4].0;
        assert_eq!(ate, [if kept { Verdict::Kept } else { Verdict::Missed }]);
    }
    world.stop().await;
}
