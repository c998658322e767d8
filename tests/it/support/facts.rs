//! What the database says, for holding boards and streams against it.

use std::collections::BTreeMap;

use lastbite::rules::{Event, Numbered, ranking, standing};
use lastbite_protocol::{ChallengeId, Standing, UserId, socket::NumberedEvent};
use sqlx::{PgPool, types::Json};
use uuid::Uuid;

use super::viewer::Model;

/// Everybody's rank by SQL, best first.
pub(crate) async fn ranks(db: &PgPool, challenge: ChallengeId) -> Vec<(u32, UserId)> {
    let rows: Vec<(i64, Uuid)> = sqlx::query_as(
        "select rank() over (order by sort_key), user_id from standings where challenge_id = $1
         order by sort_key, user_id",
    )
    .bind(challenge.0)
    .fetch_all(db)
    .await
    .unwrap();
    rows.into_iter().map(|(rank, user)| (u32::try_from(rank).unwrap(), UserId(user))).collect()
}

/// Everybody's standing as it is stored.
pub(crate) async fn standings(db: &PgPool, challenge: ChallengeId) -> BTreeMap<UserId, Standing> {
    let rows: Vec<(Uuid, Json<Standing>)> =
        sqlx::query_as("select user_id, standing from standings where challenge_id = $1")
            .bind(challenge.0)
            .fetch_all(db)
            .await
            .unwrap();
    rows.into_iter().map(|(user, standing)| (UserId(user), standing.0)).collect()
}

/// A stream from its beginning; fails when a number is missing.
pub(crate) async fn journal(db: &PgPool, stream: Uuid) -> Vec<Numbered> {
    let events = lastbite::journal::since(db, stream, 0, i64::MAX).await.unwrap();
    let numbers: Vec<_> = events.iter().map(|event| event.n).collect();
    assert_eq!(numbers, (1..=numbers.len() as u64).collect::<Vec<_>>(), "the numbers of a stream have no gaps");
    events
}

/// Everybody's standing as it follows from the events.
pub(crate) fn replay(events: &[Numbered]) -> BTreeMap<UserId, Standing> {
    let mut standings = BTreeMap::new();
    for event in events.iter().map(|numbered| &numbered.event) {
        let Some(player) = event.player() else { continue };
        if let Some(standing) = standing::apply(standings.remove(&player), event) {
            standings.insert(player, standing);
        }
    }
    standings
}

/// The numbers of the events that a viewer is told one by one: all but those that show only in rows.
pub(crate) fn told(events: &[Numbered], after: u64) -> Vec<u64> {
    let is_told = |event: &Event| {
        let in_rows = matches!(event, Event::Progressed { .. } | Event::Judged { .. } | Event::Survived { .. });
        !in_rows && !matches!(event, Event::Withdrawn { .. })
    };
    events.iter().filter(|event| event.n > after && is_told(&event.event)).map(|event| event.n).collect()
}

/// The numbers of the events that a viewer has heard.
pub(crate) fn heard(events: &[NumberedEvent]) -> Vec<u64> {
    events.iter().map(|event| event.n).collect()
}

/// Fails unless the viewer shows what the database holds, at its newest number: the best rows with their ranks, and
/// each row as it follows from the stored standing.
pub(crate) async fn assert_board_is_true(model: &Model, db: &PgPool, challenge: ChallengeId) {
    let (ranks, standings) = (ranks(db, challenge).await, standings(db, challenge).await);
    let last = lastbite::journal::last_numbers(db, &[challenge.0]).await.unwrap()[0].1;
    assert_eq!(model.n, Some(last), "the board has come to the last number");
    let shown: Vec<_> = model.board().into_iter().map(|(rank, row)| (rank, row.player)).collect();
    assert_eq!(shown, ranks[..ranks.len().min(lastbite::limits::WINDOW_ROWS)], "the board's order is the database's");
    for (_, row) in model.board() {
        let stored = &standings[&row.player];
        assert_eq!(*row, standing::row(row.player, &row.nickname, stored), "the row is the stored standing's");
        assert_eq!(row.key, ranking::key(stored));
    }
    assert_eq!(usize::try_from(model.counts.players).unwrap(), standings.len());
}
