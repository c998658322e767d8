//! What a challenge keeps of a player whose account is gone: where they stood, and nothing of what they ate or were called.

use lastbite_protocol::{ChallengeId, UserId};
use sqlx::PgPool;

use crate::{db::Tx, rules::Event};

/// The challenges that a user plays in or has played in.
///
/// # Errors
/// Postgres is away.
pub async fn played_by(pool: &PgPool, user: UserId) -> Result<Vec<ChallengeId>, sqlx::Error> {
    let ids =
        sqlx::query_scalar!("select challenge_id from standings where user_id = $1", user.0).fetch_all(pool).await?;
    Ok(ids.into_iter().map(ChallengeId).collect())
}

/// Takes out of verdicts what they saw, and out of the final places the name.
///
/// # Errors
/// Postgres is away.
pub async fn erase(tx: &mut Tx, challenge: ChallengeId, player: UserId) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update verdicts set log = '{}', findings = '[]' where challenge_id = $1 and user_id = $2",
        challenge.0,
        player.0
    )
    .execute(&mut **tx)
    .await?;
    sqlx::query!(
        "update outcomes set nickname = $3 where challenge_id = $1 and user_id = $2",
        challenge.0,
        player.0,
        Event::NAME_OF_WITHDRAWN
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}
