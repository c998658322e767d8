//! What a viewer may see of an event. PURE, and the one place where an event becomes public.

use lastbite_protocol::{
    UserId,
    socket::{Champion, Happened, NumberedEvent},
};

use crate::rules::{Event, Numbered};

/// An event as everyone who watches may know it; `None` for one that shows only in rows.
///
/// How a day goes, verdicts and meals are told as rows, which carry no energy and no reasons.
pub fn visible(numbered: &Numbered, nickname_of: impl Fn(UserId) -> String) -> Option<NumberedEvent> {
    let happened = match &numbered.event {
        Event::Joined { player, nickname, .. } => Happened::Joined { player: *player, nickname: nickname.clone() },
        Event::Left { player, nickname, day, .. } => {
            Happened::Left { player: *player, nickname: nickname.clone(), day: *day }
        }
        Event::DayOpened { clock } => Happened::DayOpened { clock: *clock },
        Event::Eliminated { player, day } => {
            Happened::Eliminated { player: *player, nickname: nickname_of(*player), day: *day }
        }
        Event::DayClosed { day, kept, missed, eliminated, alive } => {
            Happened::DayClosed { day: *day, kept: *kept, missed: *missed, eliminated: *eliminated, alive: *alive }
        }
        Event::Finished { champions, champions_total, survivors } => Happened::Finished {
            champions: champions
                .iter()
                .map(|player| Champion { player: *player, nickname: nickname_of(*player) })
                .collect(),
            champions_total: *champions_total,
            survivors: *survivors,
        },
        Event::Cancelled { players } => Happened::Cancelled { players: *players },
        Event::Progressed { .. }
        | Event::Judged { .. }
        | Event::Survived { .. }
        | Event::Withdrawn { .. }
        | Event::MealLogged { .. }
        | Event::MealEdited { .. }
        | Event::MealDeleted { .. }
        | Event::MealAnalysing { .. }
        | Event::MealAsked { .. } => return None,
    };
    Some(NumberedEvent { n: numbered.n, at: numbered.at, happened })
}
