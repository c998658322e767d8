//! An event applied to a player's standing, and the row that others see of it.

use lastbite_protocol::{OpenDay, Recent, Row, Standing, Status, UserId, Verdict};

use super::{Event, ranking};

/// The standing after `event`, which names this player. `None` is a player without a seat.
///
/// The stored standing, the live board and the tests all come from here, so two holders of the same events hold the
/// same standing.
#[must_use]
pub fn apply(before: Option<Standing>, event: &Event) -> Option<Standing> {
    if let Event::Joined { lives, .. } = event {
        return Some(fresh(*lives));
    }
    let mut standing = before?;
    match event {
        Event::Left { day: None, .. } => return None,
        Event::Left { day: Some(_), left_at, .. } => {
            standing.status = Status::Left;
            standing.left_at = Some(*left_at);
            standing.open_days.clear();
        }
        Event::Progressed { day, progress, points, .. } => {
            let open = OpenDay { day: *day, progress: *progress, points: *points };
            match standing.open_days.binary_search_by_key(day, |open| open.day) {
                Ok(place) => standing.open_days[place] = open,
                Err(place) => standing.open_days.insert(place, open),
            }
        }
        Event::Judged { day, verdict, points, deviation_permille, .. } => {
            standing.open_days.retain(|open| open.day != *day);
            standing.points += points;
            standing.deviation_permille_sum += deviation_permille;
            standing.recent = standing.recent.with(*verdict);
            judge(&mut standing, *verdict);
        }
        Event::Eliminated { day, .. } => {
            standing.status = Status::Eliminated;
            standing.eliminated_on = Some(*day);
            standing.left_at = None;
            standing.open_days.clear();
        }
        Event::Survived { .. } => standing.status = Status::Survived,
        Event::Joined { .. }
        | Event::Withdrawn { .. }
        | Event::DayOpened { .. }
        | Event::DayClosed { .. }
        | Event::Finished { .. }
        | Event::Cancelled { .. }
        | Event::MealLogged { .. }
        | Event::MealEdited { .. }
        | Event::MealDeleted { .. }
        | Event::MealAnalysing { .. }
        | Event::MealAsked { .. } => {}
    }
    Some(standing)
}

fn judge(standing: &mut Standing, verdict: Verdict) {
    match verdict {
        Verdict::Kept => {
            standing.days_kept += 1;
            standing.streak += 1;
            standing.best_streak = standing.best_streak.max(standing.streak);
        }
        Verdict::Missed => {
            standing.days_missed += 1;
            standing.streak = 0;
            standing.lives_left = standing.lives_left.saturating_sub(1);
        }
        Verdict::Cheat => standing.days_cheat += 1,
        Verdict::Void => {}
    }
}

const fn fresh(lives: u8) -> Standing {
    Standing {
        status: Status::Alive,
        lives_left: lives,
        days_kept: 0,
        days_missed: 0,
        days_cheat: 0,
        streak: 0,
        best_streak: 0,
        points: 0,
        deviation_permille_sum: 0,
        open_days: Vec::new(),
        eliminated_on: None,
        left_at: None,
        recent: Recent::NONE,
    }
}

/// Points as the board shows them: judged days and open ones.
#[must_use]
pub fn points_shown(standing: &Standing) -> u32 {
    standing.points + standing.open_days.iter().map(|open| open.points).sum::<u32>()
}

/// Mean deviation of the judged days from the target, in permille, rounded down; 0 before the first verdict.
#[must_use]
pub fn mean_deviation_permille(standing: &Standing) -> u32 {
    standing.deviation_permille_sum / u32::from(standing.days_kept + standing.days_missed).max(1)
}

/// What others see of a standing.
#[must_use]
pub fn row(player: UserId, nickname: &str, standing: &Standing) -> Row {
    Row {
        player,
        nickname: nickname.to_owned(),
        status: standing.status,
        lives_left: standing.lives_left,
        points: points_shown(standing),
        days_kept: standing.days_kept,
        days_missed: standing.days_missed,
        streak: standing.streak,
        recent: standing.recent,
        eliminated_on: standing.eliminated_on,
        key: ranking::key(standing),
    }
}
