//! What is on a photo: a proposal that its user may change, and that becomes a meal when they say so. Never a meal by itself.
//!
//! - `http`: `/meals/analyze`
//! - `job`: meals that were logged by a photo alone
//! - `store`: the table `analyses`, and what a user usually eats

use std::time::Instant;

use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use lastbite_protocol::{
    AnalysisId, MealId, UserId,
    analyses::{Analysis, Guess},
    foods::Food,
};

use super::upload;
use crate::{
    App,
    db::Tx,
    error::{ApiError, ApiResult},
    foods,
    idempotency::{Answer, Key},
    limits,
    media::StoredPhoto,
    nutrition::portion::PORTION_DG_MOST,
    photos,
    vision::{Blind, Seen, SeenFood},
};

pub(super) mod http;
mod job;
mod store;

pub(super) use job::{AnalyseMeal, begin};
pub(crate) use store::list_all;
pub(super) use store::{erase, forget_of};

/// Forgets analyses that became no meal in time, and asks the owners of meals that nobody has looked at.
///
/// # Errors
/// Postgres is away.
pub(crate) async fn tidy_up(app: &App) -> anyhow::Result<()> {
    let (pool, now) = (&app.db.jobs, app.clock.now());
    store::forget_old(pool, now).await?;
    for (user, meal) in store::list_given_up(pool, now).await? {
        tracing::warn!(%meal, "nobody has looked at the photo of a meal in a day; its owner is asked");
        // One that cannot be asked now must not keep the others waiting.
        if let Err(error) = upload::learn(app, user, meal, None, false).await {
            tracing::warn!(%meal, code = error.code(), "its owner was not asked; trying again later");
        }
    }
    Ok(())
}

/// Has a photo looked at. Every look counts, whatever it brings.
async fn make(
    app: &App,
    owner: UserId,
    photo: photos::Taken,
    until: Instant,
    key: Option<&Key>,
) -> ApiResult<Answer<Analysis>> {
    let analysed = look(app, owner, &photo, until).await;
    if analysed.is_err() {
        photos::forget(app, &photo.stored).await;
    }
    let body = analysed?;
    if let Some(key) = key {
        let mut tx = app.db.api.begin().await?;
        if let Some(first) = key.claim(&mut tx, app.clock.now()).await? {
            // The same request was answered meanwhile; this look becomes no meal, and goes.
            return Ok(first);
        }
        key.keep(&mut tx, StatusCode::CREATED, &body).await?;
        tx.commit().await?;
    }
    Ok(Answer { status: StatusCode::CREATED, body })
}

async fn look(app: &App, owner: UserId, photo: &photos::Taken, until: Instant) -> ApiResult<Analysis> {
    let photos::Taken { stored, jpeg } = photo;
    let (id, made_at) = (AnalysisId::generate(), app.clock.now());
    let outside = store::claim(app, owner, id, stored, made_at).await?;
    let seen = match app.vision.look(jpeg, outside, until.saturating_duration_since(Instant::now())).await {
        Ok(seen) => seen,
        Err(Blind::Unfit) => {
            return Err(ApiError::invalid("photo_refused", "photo", "this picture is not one that is looked at here"));
        }
        Err(error) => return Err(ApiError::failure(error.into())),
    };
    let guesses = match &seen {
        Some(seen) => guesses_of(app, owner, seen).await?,
        None => Vec::new(),
    };
    if let Some(seen) = &seen {
        store::finish(app, id, seen, &guesses).await?;
    }
    Ok(Analysis {
        id,
        made_at,
        expires_at: made_at + limits::ANALYSIS_KEPT,
        known: guesses.iter().any(|guess| guess.food.is_some()),
        provider: seen.as_ref().map(|seen| seen.provider.to_owned()),
        model: seen.map(|seen| seen.model),
        guesses,
        usual: store::usual(&app.db.api, owner, made_at).await?,
    })
}

async fn guesses_of(app: &App, owner: UserId, seen: &Seen) -> ApiResult<Vec<Guess>> {
    let mut guesses: Vec<Guess> = Vec::with_capacity(seen.foods.len());
    for found in &seen.foods {
        let food = food_of(app, owner, found).await?;
        // What the network in the binary knows and is no food of ours is no food.
        if food.is_none() && found.class.is_some() {
            continue;
        }
        let same = |guess: &&mut Guess| food.is_some() && guess.food == food;
        if let Some(known) = guesses.iter_mut().find(same) {
            // Two names of one food are one guess, two portions of it are more of it.
            if let Some((low, high)) = found.grams_dg {
                let more = |amount: &mut Option<u32>, by: u32| {
                    *amount = amount.map(|amount| amount.saturating_add(by).min(PORTION_DG_MOST));
                };
                more(&mut known.grams_dg, low.midpoint(high));
                more(&mut known.grams_low_dg, low);
                more(&mut known.grams_high_dg, high);
            }
            continue;
        }
        let grams_dg = food.as_ref().and_then(|food| grams_of(found, food));
        // Who tells weights tells what lies on the plate; who does not tells names for one and the same thing.
        let is_other_name = found.grams_dg.is_none() && guesses.iter().any(|guess| guess.proposed);
        guesses.push(Guess {
            name: found.name.clone(),
            confidence_permille: found.confidence_permille,
            proposed: food.is_some() && grams_dg.is_some() && !is_other_name && is_sure(found),
            food,
            grams_dg,
            grams_low_dg: found.grams_dg.map(|(low, _)| low),
            grams_high_dg: found.grams_dg.map(|(_, high)| high),
        });
    }
    Ok(guesses)
}

/// The network in the binary takes what it does not know for what looks like it.
fn is_sure(found: &SeenFood) -> bool {
    found.class.is_none() || found.confidence_permille >= limits::EMBEDDED_PROPOSED_PERMILLE
}

async fn food_of(app: &App, owner: UserId, found: &SeenFood) -> ApiResult<Option<Food>> {
    let pool = &app.db.api;
    match found.class.and_then(foods::of_class) {
        Some(id) => Ok(foods::load_many(pool, owner, &[id.to_owned()]).await?.into_iter().next()),
        None if found.class.is_some() => Ok(None),
        None => Ok(foods::find_one(pool, owner, &found.name).await?),
    }
}

/// The middle of the range that was told, or a usual serving.
fn grams_of(found: &SeenFood, food: &Food) -> Option<u32> {
    let middle = found.grams_dg.map(|(low, high)| low.midpoint(high));
    let serving = || food.servings.first().map(|serving| serving.grams_dg);
    middle.or_else(serving).map(|grams_dg| grams_dg.clamp(1, PORTION_DG_MOST))
}

/// Makes an analysis that of a meal, in the transaction that writes the meal. Answers its photo.
///
/// # Errors
/// 422 `analysis_unknown`: there is none, or it is another's, too old, or that of a meal already.
pub(super) async fn become_meal(
    tx: &mut Tx,
    owner: UserId,
    analysis: AnalysisId,
    meal: MealId,
    now: DateTime<Utc>,
) -> ApiResult<StoredPhoto> {
    let photo = store::use_up(tx, owner, analysis, meal, now).await?;
    photo.ok_or_else(|| {
        let detail = "there is no such analysis, or it is a meal already; have the photo looked at once more";
        ApiError::invalid("analysis_unknown", "analysis", detail)
    })
}
