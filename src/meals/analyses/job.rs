//! Meals that were logged by a photo alone: recorded at once, finished by a job. What cannot be told is asked, never made up.

use graphile_worker::{IntoTaskHandlerResult, TaskHandler, WorkerContext};
use lastbite_protocol::{
    AnalysisId, MealId, UserId,
    analyses::Guess,
    meals::{MealState, NewItem},
};
use serde::{Deserialize, Serialize};

use super::{guesses_of, store};
use crate::{
    App,
    db::Tx,
    error::{ApiError, ApiResult},
    jobs, limits,
    meals::{contents, store as meals, upload},
    media::{Size, StoredPhoto},
    nutrition::interval::EnergySource,
    vision::Blind,
};

/// Puts down that a meal's photo is to be looked at, in the transaction that writes the meal. Answers what is known of the meal
/// until then: whose budget is spent is asked at once.
pub(in crate::meals) async fn begin(
    tx: &mut Tx,
    app: &App,
    user: UserId,
    meal: MealId,
    photo: &StoredPhoto,
) -> ApiResult<MealState> {
    let analysis = AnalysisId::generate();
    match store::claim_in(tx, app, user, analysis, photo, app.clock.now()).await {
        Ok(_may_leave) => {
            store::belongs_to(tx, analysis, meal).await?;
            jobs::enqueue(tx, &AnalyseMeal { user, meal, analysis }, None).await?;
            Ok(MealState::Analysing)
        }
        Err(error) if error.code() == "analysis_budget" => Ok(MealState::Asked),
        Err(error) => Err(error),
    }
}

/// Looks at the photo of a meal. Done twice, it finds the meal known the second time.
#[derive(Debug, Serialize, Deserialize)]
pub(in crate::meals) struct AnalyseMeal {
    user: UserId,
    meal: MealId,
    analysis: AnalysisId,
}

impl TaskHandler for AnalyseMeal {
    const IDENTIFIER: &'static str = "analyse_meal";

    async fn run(self, context: WorkerContext) -> impl IntoTaskHandlerResult {
        let app = context.get_ext::<App>().ok_or_else(|| "the worker has no app".to_owned())?;
        Box::pin(self.analyse(app)).await.map_err(|error| format!("{error:#}"))
    }
}

impl AnalyseMeal {
    async fn analyse(self, app: &App) -> anyhow::Result<()> {
        let pool = &app.db.jobs;
        let found = meals::load(pool, self.user, self.meal).await?;
        if found.is_none_or(|meal| meal.state != MealState::Analysing) {
            return Ok(());
        }
        let (known, is_unfit) = self.see(app).await?;
        match upload::learn(app, self.user, self.meal, known, is_unfit).await {
            Ok(()) => Ok(()),
            // Gone meanwhile: nobody is left to be told.
            Err(error) if matches!(error.code(), "not_found" | "account_gone") => Ok(()),
            Err(error) => Err(told(&error)),
        }
    }

    /// What is on the photo, if that can be told, and whether it is not fit to be looked at.
    async fn see(&self, app: &App) -> anyhow::Result<(Option<contents::Known>, bool)> {
        let pool = &app.db.jobs;
        // A try before this one may have ended between the look and the meal.
        if let Some(guesses) = store::load_guesses(pool, self.analysis).await? {
            return Ok((self.take(app, &guesses).await, false));
        }
        let Some(photo) = meals::load_photo(pool, self.user, self.meal).await? else { return Ok((None, false)) };
        let Some(jpeg) = app.media.get(&photo.key()?, Size::Large).await? else { return Ok((None, false)) };
        let may_leave = store::may_leave(pool, self.analysis).await?;
        let mut looking = std::pin::pin!(app.vision.look(&jpeg, may_leave, limits::VISION_OUTSIDE_TIMEOUT));
        let looked = tokio::select! {
            looked = &mut looking => looked,
            () = tokio::time::sleep(limits::ANALYSIS_SLOW) => {
                if let Err(error) = upload::tell_slow(app, self.user, self.meal).await {
                    tracing::debug!(meal = %self.meal, code = error.code(), "it was not told that a look takes long");
                }
                looking.await
            }
        };
        let seen = match looked {
            Ok(Some(seen)) => seen,
            Ok(None) | Err(Blind::Away(_) | Blind::Nonsense(_) | Blind::Resting) => return Ok((None, false)),
            Err(Blind::Unfit) => return Ok((None, true)),
        };
        let guesses = guesses_of(app, self.user, &seen).await.map_err(|error| told(&error))?;
        store::finish(app, self.analysis, &seen, &guesses).await?;
        Ok((self.take(app, &guesses).await, false))
    }

    /// The meal that was seen, if it is sure enough. What was seen and cannot be a meal is no answer.
    async fn take(&self, app: &App, guesses: &[Guess]) -> Option<contents::Known> {
        let items = items_of(guesses);
        if items.is_empty() {
            return None;
        }
        contents::of(&app.db.jobs, self.user, &items, None, EnergySource::Photo).await.ok()
    }
}

/// The proposed meal, if all of it is sure enough to be taken without asking.
fn items_of(guesses: &[Guess]) -> Vec<NewItem> {
    let proposed = || guesses.iter().filter(|guess| guess.proposed);
    // Who tells a weight has looked at a plate; a mere name has to be a sure one.
    let least = |guess: &Guess| {
        if guess.grams_low_dg.is_some() { limits::ANALYSIS_SURE_PERMILLE } else { limits::NAME_SURE_PERMILLE }
    };
    // Something lies on the plate that the table does not have: the rest of it is not the meal.
    let is_left_out = |guess: &Guess| guess.grams_low_dg.is_some() && !guess.proposed;
    if guesses.iter().any(is_left_out) || proposed().any(|guess| guess.confidence_permille < least(guess)) {
        return Vec::new();
    }
    let item = |guess: &Guess| {
        Some(NewItem { food: guess.food.as_ref()?.id.clone(), grams_dg: guess.grams_dg?, weighed: false })
    };
    proposed().filter_map(item).collect()
}

fn told(error: &ApiError) -> anyhow::Error {
    anyhow::anyhow!("the meal cannot be finished: {}", error.code())
}
