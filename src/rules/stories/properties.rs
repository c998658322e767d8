//! What holds for any play: small cases, many of them.

use std::{cmp::Ordering, collections::BTreeMap};

use chrono::{Days, TimeDelta};
use lastbite_protocol::{MealId, OpenDay, Progress, Recent, socket::DayClock, terms::Windows};
use proptest::prelude::*;

use super::{
    play::{Play, commands, kind, take},
    *,
};
use crate::rules::{
    day::Calendar,
    points,
    ranking::{key, ranks},
    verdict::Sheet,
};

/// Failures are shrunk and printed, and become stories; no file of seeds is kept.
fn config() -> ProptestConfig {
    ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() }
}

fn any_meal() -> impl Strategy<Value = LoggedMeal> {
    (kind(), 0_i64..24 * 60, 0_u32..900).prop_map(|(kind, minutes, energy_kcal)| {
        let eaten_at = seoul("2026-03-02 00:00") + TimeDelta::minutes(minutes);
        eaten(kind, eaten_at, energy_kcal)
    })
}

fn any_log() -> impl Strategy<Value = Vec<LoggedMeal>> {
    prop::collection::vec(any_meal(), 0..6)
}

fn any_terms() -> impl Strategy<Value = Terms> {
    let band = (1700_u32..2500, 0_u32..500).prop_map(|(target, tolerance)| calories(target, tolerance));
    let asked = (1_u8..=5, 7_u16..24).prop_map(|(at_least, hour)| Requirement::Meals {
        at_least,
        cutoff: WallTime::hour(hour),
        windows: Windows::default(),
    });
    prop_oneof![
        (band.clone(), asked.clone()).prop_map(|(band, asked)| vec![band, asked]),
        band.prop_map(|band| vec![band]),
        asked.prop_map(|asked| vec![asked]),
    ]
    .prop_map(|requirements| challenge().asking(requirements))
}

/// Any zone of the world, from the year 2024 on.
fn any_calendar() -> impl Strategy<Value = Terms> {
    (prop::sample::select(chrono_tz::TZ_VARIANTS.to_vec()), 0_u64..4000, 0_u16..=360, 1_u16..=40).prop_map(
        |(zone, days_on, minutes, days)| Terms {
            zone,
            first_day: date("2024-01-01") + Days::new(days_on),
            day_starts_at: WallTime::from_minutes(minutes).unwrap(),
            days,
            ..challenge()
        },
    )
}

fn any_verdict() -> impl Strategy<Value = Verdict> {
    prop::sample::select(vec![Verdict::Kept, Verdict::Missed])
}

fn any_progress() -> impl Strategy<Value = Progress> {
    prop::sample::select(vec![Progress::OnTrack, Progress::Short, Progress::Over, Progress::Done])
}

fn any_instant() -> impl Strategy<Value = DateTime<Utc>> {
    (0_i64..1_000_000_000_000).prop_map(|ms| utc("2024-01-01 00:00") + TimeDelta::milliseconds(ms))
}

/// Numbers are small, so that players are often equal in some of them.
fn any_standing() -> impl Strategy<Value = Standing> {
    let open = prop::collection::btree_map(1_u16..9, (any_progress(), 0_u32..3), 0..3);
    let numbers = (0_u8..3, 0_u16..3, 0_u16..3, 0_u16..3, 0_u32..4, 0_u32..6);
    let fate = prop_oneof![
        Just((Status::Alive, None, None)),
        Just((Status::Survived, None, None)),
        (1_u16..4).prop_map(|day| (Status::Eliminated, Some(day), None)),
        any_instant().prop_map(|left_at| (Status::Left, None, Some(left_at))),
    ];
    (fate, numbers, open, prop::collection::vec(any_verdict(), 0..9)).prop_map(|(fate, numbers, open, verdicts)| {
        let (status, eliminated_on, left_at) = fate;
        let (lives_left, days_kept, days_missed, streak, points, deviation_permille_sum) = numbers;
        let open_days = open.into_iter().map(|(day, (progress, points))| OpenDay { day, progress, points }).collect();
        let recent = verdicts.into_iter().fold(Recent::NONE, Recent::with);
        let best_streak = streak.max(2);
        Standing {
            status,
            lives_left,
            days_kept,
            days_missed,
            days_cheat: 0,
            streak,
            best_streak,
            points,
            deviation_permille_sum,
            open_days,
            eliminated_on,
            left_at,
            recent,
        }
    })
}

fn any_event() -> impl Strategy<Value = Event> {
    let player = || any::<u128>().prop_map(|id| UserId(Uuid::from_u128(id)));
    let meal = || any::<u128>().prop_map(|id| MealId(Uuid::from_u128(id)));
    prop_oneof![
        (player(), ".{0,20}", any::<u8>()).prop_map(|(player, nickname, lives)| Event::Joined {
            player,
            nickname,
            lives
        }),
        (player(), ".{0,20}", any_instant(), any::<Option<u16>>())
            .prop_map(|(player, nickname, left_at, day)| Event::Left { player, nickname, left_at, day }),
        (any::<u16>(), any_instant(), any_instant(), any_instant()).prop_map(|(day, starts_at, ends_at, closes_at)| {
            Event::DayOpened { clock: DayClock { day, starts_at, ends_at, closes_at } }
        }),
        (player(), any::<u16>(), any_progress(), any::<u32>())
            .prop_map(|(player, day, progress, points)| { Event::Progressed { player, day, progress, points } }),
        (player(), any::<u16>(), any_verdict(), any::<u32>(), any::<u32>()).prop_map(
            |(player, day, verdict, points, deviation_permille)| {
                Event::Judged { player, day, verdict, points, deviation_permille }
            }
        ),
        (player(), any::<u16>()).prop_map(|(player, day)| Event::Eliminated { player, day }),
        player().prop_map(|player| Event::Survived { player }),
        player().prop_map(|player| Event::Withdrawn { player }),
        any::<(u16, u32, u32, u32, u32)>().prop_map(|(day, kept, missed, eliminated, alive)| {
            Event::DayClosed { day, kept, missed, eliminated, alive }
        }),
        (prop::collection::vec(player(), 0..4), any::<u32>(), any::<u32>()).prop_map(
            |(champions, champions_total, survivors)| Event::Finished { champions, champions_total, survivors }
        ),
        any::<u32>().prop_map(|players| Event::Cancelled { players }),
        meal().prop_map(|meal| Event::MealLogged { meal }),
        meal().prop_map(|meal| Event::MealEdited { meal }),
        meal().prop_map(|meal| Event::MealDeleted { meal }),
        meal().prop_map(|meal| Event::MealAnalysing { meal }),
        meal().prop_map(|meal| Event::MealAsked { meal }),
    ]
}

fn through_json<T: serde::Serialize + serde::de::DeserializeOwned>(whole: &T) -> T {
    serde_json::from_str(&serde_json::to_string(whole).unwrap()).unwrap()
}

/// The order of a board in the words of the rules, written a second time: `Less` stands higher.
fn by_the_book(one: &Standing, other: &Standing) -> Ordering {
    let class = |standing: &Standing| match standing.status {
        Status::Alive | Status::Survived => 0,
        Status::Eliminated => 1,
        Status::Left => 2,
    };
    let mean = |standing: &Standing| match standing.days_kept + standing.days_missed {
        0 => standing.deviation_permille_sum,
        days => standing.deviation_permille_sum / u32::from(days),
    };
    class(one)
        .cmp(&class(other))
        .then(other.eliminated_on.cmp(&one.eliminated_on))
        .then(standing::points_shown(other).cmp(&standing::points_shown(one)))
        .then(other.days_kept.cmp(&one.days_kept))
        .then(other.streak.cmp(&one.streak))
        .then(mean(one).cmp(&mean(other)))
}

/// What a player's verdicts come to, told from the journal alone: kept, missed, points, streak and best streak.
fn account_of(player: UserId, journal: &[Event]) -> (u16, u16, u32, u16, u16) {
    let verdicts: Vec<_> = journal
        .iter()
        .filter_map(|event| match event {
            Event::Judged { player: judged, verdict, points, .. } if *judged == player => Some((*verdict, *points)),
            _ => None,
        })
        .collect();
    let count = |wanted| verdicts.iter().filter(|(verdict, _)| *verdict == wanted).count().try_into().unwrap();
    let runs = verdicts.split(|(verdict, _)| *verdict == Verdict::Missed).map(<[_]>::len);
    let streak = runs.clone().next_back().unwrap_or(0).try_into().unwrap();
    let best_streak = runs.max().unwrap_or(0).try_into().unwrap();
    let points = verdicts.iter().map(|(_, points)| points).sum();
    (count(Verdict::Kept), count(Verdict::Missed), points, streak, best_streak)
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn replaying_the_journal_gives_the_standings_that_were_held(commands in commands(), lives in 0_u8..3) {
        let mut play = Play::with_lives(lives);
        for command in commands {
            play.does(command);
        }
        play.ends();
        let mut replayed = BTreeMap::new();
        for event in &play.journal {
            take(&mut replayed, &through_json(event));
        }
        prop_assert_eq!(&replayed, &play.standings);
        for (player, standing) in &play.standings {
            let Standing { days_kept, days_missed, points, streak, best_streak, .. } = *standing;
            prop_assert_eq!((days_kept, days_missed, points, streak, best_streak), account_of(*player, &play.journal));
        }
    }

    #[test]
    fn the_order_of_a_days_meals_does_not_matter(
        terms in any_terms(),
        (log, shuffled) in any_log().prop_flat_map(|log| (Just(log.clone()), Just(log).prop_shuffle())),
    ) {
        let fresh = Mina::plays(terms.clone()).standing;
        prop_assert_eq!(Sheet::of(&terms, &log), Sheet::of(&terms, &shuffled));
        prop_assert_eq!(points::of_open(&terms, &log), points::of_open(&terms, &shuffled));
        prop_assert_eq!(
            decide::progress(&terms, MINA, &fresh, 1, &log),
            decide::progress(&terms, MINA, &fresh, 1, &shuffled)
        );
        prop_assert_eq!(
            decide::judge(&terms, MINA, &fresh, 1, &log),
            decide::judge(&terms, MINA, &fresh, 1, &shuffled)
        );
    }

    #[test]
    fn the_same_log_twice_is_news_once(terms in any_terms(), log in any_log()) {
        let mut mina = Mina::plays(terms);
        mina.logs(1, &log);
        prop_assert_eq!(mina.logs(1, &log), None);
    }

    #[test]
    fn the_days_points_never_go_down_by_a_meal_that_keeps_it_under_the_upper_edge(
        terms in any_terms(),
        log in any_log(),
        another in any_meal(),
    ) {
        let more: Vec<_> = log.iter().copied().chain([another]).collect();
        let (progress, after) = points::of_open(&terms, &more);
        prop_assume!(progress != Progress::Over);
        prop_assert!(after >= points::of_open(&terms, &log).1);
        prop_assert!(after <= 60);
    }

    #[test]
    fn eating_less_of_a_day_that_is_not_over_never_gains_a_point(
        terms in any_terms(),
        log in any_log(),
        part in 0_u32..=100,
    ) {
        let (progress, points) = points::of_open(&terms, &log);
        prop_assume!(progress != Progress::Over);
        let less: Vec<_> =
            log.iter().map(|meal| LoggedMeal { energy_kcal: meal.energy_kcal * part / 100, ..*meal }).collect();
        prop_assert!(points::of_open(&terms, &less).1 <= points);
    }

    #[test]
    fn a_judged_day_is_worth_nothing_or_66_to_91_and_was_done_or_not_as_it_showed(terms in any_terms(), log in any_log()) {
        let sheet = Sheet::of(&terms, &log);
        let points = points::of_judged(&terms, &sheet);
        match sheet.verdict {
            Verdict::Kept => {
                prop_assert!((66..=91).contains(&points));
                prop_assert_eq!(points::of_open(&terms, &log).0, Progress::Done);
            }
            Verdict::Missed => {
                prop_assert_eq!(points, 0);
                prop_assert_ne!(points::of_open(&terms, &log).0, Progress::Done);
            }
            Verdict::Cheat | Verdict::Void => prop_assert!(false, "a log alone says neither"),
        }
    }

    #[test]
    fn day_of_undoes_clock_of(terms in any_calendar(), part in 0_i32..1000) {
        let calendar = Calendar::of(&terms);
        let a_millisecond = TimeDelta::milliseconds(1);
        prop_assert_eq!(calendar.day_of(calendar.starts_at() - a_millisecond), None);
        prop_assert_eq!(calendar.day_of(calendar.ends_at()), None);
        let mut before = calendar.starts_at();
        for clock in calendar.clocks() {
            prop_assert_eq!(clock.starts_at, before, "each day begins where the last one ended");
            prop_assert!(clock.starts_at < clock.ends_at && clock.ends_at <= clock.closes_at);
            before = clock.ends_at;
            let within = clock.starts_at + (clock.ends_at - clock.starts_at) / 1000 * part;
            for instant in [clock.starts_at, within, clock.ends_at - a_millisecond] {
                prop_assert_eq!(calendar.day_of(instant), Some(clock.day), "{}", instant);
            }
        }
        prop_assert_eq!(before, calendar.ends_at());
    }

    #[test]
    fn keys_order_as_the_rules_say(one in any_standing(), other in any_standing()) {
        prop_assert_eq!(key(&one).cmp(&key(&other)), by_the_book(&one, &other));
        prop_assert_eq!(key(&one).cmp(&key(&other)), key(&other).cmp(&key(&one)).reverse());
        prop_assert_eq!(standing::row(MINA, "미나", &one).key, key(&one));
    }

    #[test]
    fn a_rank_is_one_more_than_the_number_of_players_above(standings in prop::collection::vec(any_standing(), 0..12)) {
        let mut keys: Vec<_> = standings.iter().map(key).collect();
        keys.sort_unstable();
        let ranks: Vec<_> = ranks(keys.iter().copied()).collect();
        let above: Vec<_> = keys.iter().map(|own| keys.iter().filter(|key| *key < own).count()).collect();
        prop_assert!(ranks.is_sorted());
        prop_assert_eq!(ranks, above.iter().map(|above| u32::try_from(above + 1).unwrap()).collect::<Vec<_>>());
    }

    #[test]
    fn events_come_back_from_json_as_they_went(event in any_event()) {
        prop_assert_eq!(through_json(&event), event);
    }

    #[test]
    fn standings_come_back_from_json_as_they_went(standing in any_standing()) {
        prop_assert_eq!(through_json(&standing), standing);
    }
}
