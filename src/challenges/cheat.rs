//! Days off: asked for before a day's log closes, so many a week. The rows are what is counted, and what the referee reads.

use lastbite_protocol::{ChallengeId, UserId, rest::CheatDays};
use sqlx::PgExecutor;
use uuid::Uuid;

use super::{
    enter::{begin, entry},
    store::Due,
};
use crate::{
    App,
    db::Tx,
    error::{ApiError, ApiResult},
    nutrition::safety::Safety,
    rules::{Refusal, decide},
};

/// The days that a player has off, in order.
pub(super) async fn list(app: &App, challenge: ChallengeId, player: UserId) -> ApiResult<CheatDays> {
    let found = super::store::load(&app.db.api, challenge, app.clock.now()).await?;
    let found = found.ok_or_else(|| ApiError::not_found("challenge"))?;
    if super::store::load_standing(&app.db.api, challenge, player).await?.is_none() {
        return Err(Refusal::NotAPlayer.into());
    }
    let days = load(&app.db.api, challenge, player).await?;
    Ok(CheatDays { days, per_week: found.terms.cheat_days_per_week })
}

/// Takes a day off, or takes that back. What is so already stays so.
pub(super) async fn set(
    app: &App,
    challenge: ChallengeId,
    player: UserId,
    day: u16,
    is_off: bool,
) -> ApiResult<CheatDays> {
    // The challenge's lock is the referee's, too: whoever asks at the last moment is seen, or told that it is over.
    let (mut journal, found) = begin(app, challenge, player).await?;
    let now = app.clock.now();
    let taken = load(&mut *journal.tx, challenge, player).await?;
    if is_off {
        decide::cheat(entry(&found, Safety::UNSTATED), day, &taken, now)?;
        sqlx::query!(
            "insert into cheat_days (challenge_id, user_id, day, asked_at) values ($1, $2, $3, $4) on conflict do nothing",
            challenge.0,
            player.0,
            day.cast_signed(),
            now
        )
        .execute(&mut *journal.tx)
        .await?;
    } else {
        decide::no_cheat(entry(&found, Safety::UNSTATED), day, now)?;
        sqlx::query!(
            "delete from cheat_days where challenge_id = $1 and user_id = $2 and day = $3",
            challenge.0,
            player.0,
            day.cast_signed()
        )
        .execute(&mut *journal.tx)
        .await?;
    }
    let days = load(&mut *journal.tx, challenge, player).await?;
    journal.commit(&app.bus).await?;
    Ok(CheatDays { days, per_week: found.terms.cheat_days_per_week })
}

async fn load(db: impl PgExecutor<'_>, challenge: ChallengeId, player: UserId) -> Result<Vec<u16>, sqlx::Error> {
    let days = sqlx::query_scalar!(
        "select day from cheat_days where challenge_id = $1 and user_id = $2 order by day",
        challenge.0,
        player.0
    )
    .fetch_all(db)
    .await?;
    Ok(days.into_iter().map(i16::cast_unsigned).collect())
}

/// Which of these players have the day off.
pub(super) async fn off_on(tx: &mut Tx, due: &Due, players: &[Uuid]) -> Result<Vec<Uuid>, sqlx::Error> {
    sqlx::query_scalar!(
        "select user_id from cheat_days where challenge_id = $1 and day = $2 and user_id = any($3)",
        due.challenge.0,
        due.clock.day.cast_signed(),
        players
    )
    .fetch_all(&mut **tx)
    .await
}
