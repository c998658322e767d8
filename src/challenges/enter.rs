//! Joining and leaving.

use axum::http::StatusCode;
use lastbite_protocol::{
    ChallengeId, UserId,
    rest::{Challenge, Membership},
};

use super::store;
use crate::{
    App, accounts,
    error::{ApiError, ApiResult},
    idempotency::Answer,
    journal::{self, Journal, StreamId},
    limits,
    nutrition::safety::Safety,
    rules::{Refusal, decide},
};

/// Takes a seat for a user. Who plays already is answered as the first time, with 200.
pub(super) async fn join(app: &App, challenge: ChallengeId, player: UserId) -> ApiResult<Answer<Membership>> {
    let (mut journal, found) = begin(app, challenge, player).await?;
    let now = app.clock.now();
    let nickname =
        store::load_nickname(&mut journal.tx, player).await?.ok_or_else(|| ApiError::not_found("account"))?;
    let safety = accounts::safety_of(&mut journal.tx, player).await?;
    let joined = decide::join(entry(&found, safety), player, &nickname, now)?;
    let status = if joined.is_some() { StatusCode::CREATED } else { StatusCode::OK };
    if let Some(event) = joined {
        if store::count_played(&mut journal.tx, player).await? >= limits::CHALLENGES_AT_ONCE_MAX {
            let detail = format!("nobody plays more than {} challenges at once", limits::CHALLENGES_AT_ONCE_MAX);
            return Err(ApiError::refused(StatusCode::CONFLICT, "too_many_challenges", detail));
        }
        if !store::take_seat(&mut journal.tx, challenge).await? {
            return Err(Refusal::ChallengeFull.into());
        }
        journal.append(StreamId::Challenge(challenge), now, vec![event]).await?;
    }
    let mut body = end(app, journal, challenge, player).await?;
    body.warnings = decide::join_warnings(&found.terms, safety);
    Ok(Answer { status, body })
}

/// Gives a seat up: free again before the start, greyed on the board after it.
pub(super) async fn leave(app: &App, challenge: ChallengeId, player: UserId) -> ApiResult<Membership> {
    let (mut journal, found) = begin(app, challenge, player).await?;
    let now = app.clock.now();
    let nickname = store::load_row_nickname(&mut journal.tx, challenge, player).await?.unwrap_or_default();
    if let Some(event) = decide::leave(entry(&found, Safety::UNSTATED), player, &nickname, now)? {
        if matches!(event, crate::rules::Event::Left { day: None, .. }) {
            store::free_seat(&mut journal.tx, challenge).await?;
        }
        journal.append(StreamId::Challenge(challenge), now, vec![event]).await?;
    }
    end(app, journal, challenge, player).await
}

/// Locks the player's and the challenge's streams, then reads what both decisions look at.
pub(super) async fn begin(app: &App, challenge: ChallengeId, player: UserId) -> ApiResult<(Journal, Challenge)> {
    let tx = app.db.api.begin().await?;
    let mut journal = journal::lock(tx, [StreamId::User(player), StreamId::Challenge(challenge)]).await?;
    let mut found = store::load(&mut *journal.tx, challenge, app.clock.now())
        .await?
        .ok_or_else(|| ApiError::not_found("challenge"))?;
    found.me = store::load_standing(&mut *journal.tx, challenge, player).await?;
    Ok((journal, found))
}

pub(super) fn entry(challenge: &Challenge, safety: Safety) -> decide::Entry<'_> {
    decide::Entry {
        terms: &challenge.terms,
        status: challenge.status,
        seats_taken: challenge.seats_taken,
        standing: challenge.me.as_ref(),
        safety,
    }
}

async fn end(app: &App, mut journal: Journal, challenge: ChallengeId, player: UserId) -> ApiResult<Membership> {
    let standing = store::load_standing(&mut *journal.tx, challenge, player).await?;
    let n = journal.last(StreamId::Challenge(challenge));
    journal.commit(&app.bus).await?;
    Ok(Membership { challenge, n, standing, warnings: Vec::new() })
}
