//! What is played and eaten in the tests.

use chrono::{DateTime, NaiveDateTime, Utc};
use chrono_tz::Asia::Seoul;
use lastbite_protocol::{
    Requirement, Terms, WallTime,
    rest::{Amounts, MealKind, NewChallenge, NewMeal},
    terms::{OneLeft, Windows},
};

/// An instant by the wall clock of Seoul, `2026-03-02 12:30`.
pub(crate) fn seoul(text: &str) -> DateTime<Utc> {
    let format = if text.len() > 16 { "%Y-%m-%d %H:%M:%S%.f" } else { "%Y-%m-%d %H:%M" };
    let local = NaiveDateTime::parse_from_str(text, format).unwrap();
    local.and_local_timezone(Seoul).unwrap().with_timezone(&Utc)
}

/// Three days from Monday, 2 March 2026, in Seoul: 1500 ± 100 kcal in two meals a day, one miss survived.
pub(crate) fn challenge() -> NewChallenge {
    NewChallenge {
        title: "봄 챌린지".to_owned(),
        description: String::new(),
        terms: Terms {
            version: 1,
            zone: Seoul,
            first_day: "2026-03-02".parse().unwrap(),
            days: 3,
            day_starts_at: WallTime::hour(0),
            lives: 1,
            cheat_days_per_week: 1,
            grace_minutes: 120,
            one_left: OneLeft::PlayOn,
            seats: 100,
            min_players: 1,
            requirements: vec![
                Requirement::Calories { target_kcal: 1500, tolerance_kcal: 100 },
                Requirement::Meals { at_least: 2, cutoff: WallTime::hour(23), windows: Windows::default() },
            ],
        },
    }
}

/// A meal eaten at a wall time of Seoul.
pub(crate) fn meal(kind: MealKind, at: &str, energy_kcal: u32) -> NewMeal {
    NewMeal {
        kind,
        eaten_at: seoul(at),
        zone: Seoul,
        note: String::new(),
        items: Vec::new(),
        amounts: Some(Amounts { energy_kcal, carbohydrate_mg: None, protein_mg: None, fat_mg: None }),
        analysis: None,
    }
}

/// Lunch at 12:30 on a date.
pub(crate) fn lunch(date: &str, energy_kcal: u32) -> NewMeal {
    meal(MealKind::Lunch, &format!("{date} 12:30"), energy_kcal)
}

/// A snack at 16:00 on a date.
pub(crate) fn snack(date: &str, energy_kcal: u32) -> NewMeal {
    meal(MealKind::Snack, &format!("{date} 16:00"), energy_kcal)
}

/// Dinner at 19:00 on a date.
pub(crate) fn dinner(date: &str, energy_kcal: u32) -> NewMeal {
    meal(MealKind::Dinner, &format!("{date} 19:00"), energy_kcal)
}
