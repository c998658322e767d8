//! What happens in a user's own stream, for its owner.

use lastbite_protocol::{
    UserId,
    analyses::{OwnEvent, OwnNews},
};
use sqlx::PgPool;

use crate::{
    journal,
    rules::{Event, Numbered},
};

/// The events after `n`.
pub(super) async fn list(pool: &PgPool, user: UserId, n: u64, limit: u32) -> Result<Vec<OwnEvent>, sqlx::Error> {
    let found = journal::since(pool, user.0, n, i64::from(limit)).await?;
    Ok(found.into_iter().filter_map(told).collect())
}

fn told(Numbered { n, at, event }: Numbered) -> Option<OwnEvent> {
    let news = match event {
        Event::MealLogged { meal } => OwnNews::MealLogged { meal },
        Event::MealEdited { meal } => OwnNews::MealEdited { meal },
        Event::MealDeleted { meal } => OwnNews::MealDeleted { meal },
        Event::MealAnalysing { meal } => OwnNews::MealAnalysing { meal },
        Event::MealAsked { meal } => OwnNews::MealAsked { meal },
        // Of challenges, in whose streams they are.
        Event::Joined { .. }
        | Event::Left { .. }
        | Event::DayOpened { .. }
        | Event::Progressed { .. }
        | Event::Judged { .. }
        | Event::Eliminated { .. }
        | Event::Survived { .. }
        | Event::Withdrawn { .. }
        | Event::DayClosed { .. }
        | Event::Finished { .. }
        | Event::Cancelled { .. } => return None,
    };
    Some(OwnEvent { n, at, news })
}
