//! Logging, changing and deleting a meal: one transaction each, with all that follows from it.

use axum::http::StatusCode;
use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use lastbite_protocol::{
    AnalysisId, MealId, UserId,
    meals::{EditMeal, Meal, MealKind, MealOutcome, MealState},
};

use super::{
    analyses,
    contents::{self, Known},
    effects::Diary,
    store,
};
use crate::{
    App,
    error::{ApiError, ApiResult},
    idempotency::{Answer, Key},
    journal::{self, StreamId},
    limits,
    media::StoredPhoto,
    photos,
    rules::{Event, decide},
};

/// What became of a write.
pub(super) struct Logged {
    pub(super) answer: Answer<MealOutcome>,
    /// Whether this call wrote it, or an earlier one with the same key.
    pub(super) fresh: bool,
}

/// A meal to be logged, with what is known of it.
pub(super) struct Wish {
    pub(super) kind: MealKind,
    pub(super) eaten_at: DateTime<Utc>,
    pub(super) zone: Tz,
    pub(super) note: String,
    /// None when its photo is to tell.
    pub(super) known: Option<Known>,
    /// The analysis that it comes from, whose photo becomes the meal's.
    pub(super) analysis: Option<AnalysisId>,
}

/// Logs a meal.
pub(super) async fn log(
    app: &App,
    owner: UserId,
    wish: Wish,
    mut photo: Option<StoredPhoto>,
    key: Option<&Key>,
) -> ApiResult<Logged> {
    let mut tx = app.db.api.begin().await?;
    if let Some(key) = key
        && let Some(answer) = key.claim(&mut tx, app.clock.now()).await?
    {
        return Ok(Logged { answer, fresh: false });
    }
    let mut diary = Diary::open(app, tx, owner).await?;
    let eaten_at = as_stored(wish.eaten_at);
    decide::eaten_at(eaten_at, diary.now)?;
    // By the time of play, as `logged_at` is: the diary finds meals by it.
    let id = MealId::at(diary.now);
    if let Some(analysis) = wish.analysis {
        photo = Some(analyses::become_meal(&mut diary.journal.tx, owner, analysis, id, diary.now).await?);
    }
    if let Some(photo) = &mut photo {
        photos::show_from_now(&mut diary.journal.tx, photo, app.clock.wall()).await?;
        photo.seen_before = photos::seen_before(&mut diary.journal.tx, owner, photo).await?;
    }
    let (known, state) = match (wish.known, &photo) {
        (Some(known), _) => (known, MealState::Known),
        (None, Some(photo)) => {
            (contents::unknown(), analyses::begin(&mut diary.journal.tx, app, owner, id, photo).await?)
        }
        (None, None) => return Err(contents::needed()),
    };
    let meal = Meal {
        id,
        kind: wish.kind,
        eaten_at,
        zone: wish.zone,
        local_date: local_date(eaten_at, wish.zone),
        note: wish.note,
        state,
        amounts: known.amounts,
        contents: known.contents,
        photo: photo.as_ref().map(|photo| store::photo_of(id, photo)),
        logged_at: diary.now,
        edited_at: None,
    };
    check_room(&mut diary, eaten_at).await?;
    store::insert(&mut diary.journal.tx, owner, &meal, photo.as_ref()).await?;
    let effects = diary.tell(Event::MealLogged { meal: id }, meal.eaten_at, None).await?;
    let outcome = MealOutcome { meal, effects };
    if let Some(key) = key {
        key.keep(&mut diary.journal.tx, StatusCode::CREATED, &outcome).await?;
    }
    diary.journal.commit(&app.bus).await?;
    Ok(Logged { answer: Answer { status: StatusCode::CREATED, body: outcome }, fresh: true })
}

/// Changes a meal. A day that was judged keeps its verdict.
pub(super) async fn edit(
    app: &App,
    owner: UserId,
    id: MealId,
    change: EditMeal,
    known: Option<Known>,
) -> ApiResult<MealOutcome> {
    let tx = app.db.api.begin().await?;
    let mut diary = Diary::open(app, tx, owner).await?;
    let mut meal = store::load(&mut *diary.journal.tx, owner, id).await?.ok_or_else(|| ApiError::not_found("meal"))?;
    let (eaten_before, before) = (meal.eaten_at, meal.clone());
    // Whose verdict waits for what was on a photo may tell just that.
    let is_telling = meal.state != MealState::Known && known.is_some() && change.eaten_at.is_none();
    if !(is_telling && store::is_waited_for(&mut diary.journal.tx, id, diary.now).await?) {
        diary.check_not_being_judged(eaten_before)?;
    }
    if let Some(eaten_at) = change.eaten_at.map(as_stored) {
        decide::eaten_at(eaten_at, diary.now)?;
        decide::moved_to(eaten_at, meal.logged_at)?;
        diary.check_not_being_judged(eaten_at)?;
        check_room(&mut diary, eaten_at).await?;
        meal.eaten_at = eaten_at;
        meal.local_date = local_date(eaten_at, meal.zone);
    }
    meal.kind = change.kind.unwrap_or(meal.kind);
    meal.note = change.note.unwrap_or(meal.note);
    if let Some(known) = known {
        (meal.amounts, meal.contents, meal.state) = (known.amounts, known.contents, MealState::Known);
    }
    meal.edited_at = Some(diary.now);
    store::keep_version(&mut diary.journal.tx, &before, diary.now).await?;
    store::update(&mut diary.journal.tx, &meal).await?;
    let effects = diary.tell(Event::MealEdited { meal: id }, meal.eaten_at, Some(eaten_before)).await?;
    diary.journal.commit(&app.bus).await?;
    Ok(MealOutcome { meal, effects })
}

/// Deletes a meal from the diary, and its photo for good. What a verdict saw of it stays in the verdict's record.
pub(super) async fn delete(app: &App, owner: UserId, id: MealId) -> ApiResult<MealOutcome> {
    let tx = app.db.api.begin().await?;
    let mut diary = Diary::open(app, tx, owner).await?;
    let meal = store::load(&mut *diary.journal.tx, owner, id).await?.ok_or_else(|| ApiError::not_found("meal"))?;
    diary.check_not_being_judged(meal.eaten_at)?;
    let photo = store::delete(&mut diary.journal.tx, id, diary.now).await?;
    if let Some(photo) = &photo {
        photos::let_go(&mut *diary.journal.tx, photo, app.clock.wall()).await?;
        analyses::forget_of(&mut diary.journal.tx, id).await?;
    }
    let effects = diary.tell(Event::MealDeleted { meal: id }, meal.eaten_at, None).await?;
    diary.journal.commit(&app.bus).await?;
    if let Some(photo) = &photo {
        photos::forget(app, photo).await;
    }
    Ok(MealOutcome { meal, effects })
}

/// What was seen on the photo of a meal that waits for it; with nothing, its owner is asked. Of a meal that was told meanwhile
/// nothing is changed.
pub(super) async fn learn(app: &App, owner: UserId, id: MealId, known: Option<Known>, is_unfit: bool) -> ApiResult<()> {
    let tx = app.db.jobs.begin().await?;
    let mut diary = Diary::open(app, tx, owner).await?;
    let mut meal = store::load(&mut *diary.journal.tx, owner, id).await?.ok_or_else(|| ApiError::not_found("meal"))?;
    if meal.state != MealState::Analysing {
        return Ok(());
    }
    let event = if let Some(known) = known {
        (meal.amounts, meal.contents, meal.state) = (known.amounts, known.contents, MealState::Known);
        Event::MealEdited { meal: id }
    } else {
        meal.state = MealState::Asked;
        Event::MealAsked { meal: id }
    };
    store::update(&mut diary.journal.tx, &meal).await?;
    if meal.state == MealState::Asked {
        store::set_asked(&mut diary.journal.tx, id, diary.now).await?;
    }
    let unfit = if is_unfit { store::drop_photo(&mut diary.journal.tx, id).await? } else { None };
    if let Some(photo) = &unfit {
        photos::let_go(&mut *diary.journal.tx, photo, app.clock.wall()).await?;
    }
    diary.tell(event, meal.eaten_at, None).await?;
    diary.journal.commit(&app.bus).await?;
    if let Some(photo) = &unfit {
        photos::forget(app, photo).await;
    }
    Ok(())
}

/// Tells a meal's owner that it takes a while to see what is on its photo.
pub(super) async fn tell_slow(app: &App, owner: UserId, id: MealId) -> ApiResult<()> {
    let stream = StreamId::User(owner);
    let mut journal = journal::lock(app.db.jobs.begin().await?, [stream]).await?;
    if store::load(&mut *journal.tx, owner, id).await?.is_some_and(|meal| meal.state == MealState::Analysing) {
        journal.append(stream, app.clock.now(), vec![Event::MealAnalysing { meal: id }]).await?;
        journal.commit(&app.bus).await?;
    }
    Ok(())
}

/// The instant as Postgres will give it back, so that what is decided now is what is judged later: to the microsecond, and
/// a leap second as the one after it.
fn as_stored(instant: DateTime<Utc>) -> DateTime<Utc> {
    DateTime::from_timestamp_micros(instant.timestamp_micros()).unwrap_or(instant)
}

/// Refuses one meal more where there are many: a verdict reads them all.
async fn check_room(diary: &mut Diary, eaten_at: DateTime<Utc>) -> ApiResult<()> {
    let (here, logged) = store::count_near(&mut diary.journal.tx, diary.owner, eaten_at).await?;
    if here >= limits::MEALS_NEAR_MAX || logged >= limits::MEALS_NEAR_WITH_DELETED_MAX {
        let detail = format!(
            "within a day before and after, a diary holds at most {} meals, deleted ones included {}",
            limits::MEALS_NEAR_MAX,
            limits::MEALS_NEAR_WITH_DELETED_MAX
        );
        return Err(ApiError::refused(StatusCode::CONFLICT, "too_many_meals", detail));
    }
    Ok(())
}

fn local_date(eaten_at: DateTime<Utc>, zone: Tz) -> NaiveDate {
    eaten_at.with_timezone(&zone).date_naive()
}

/// Refuses a note that is out of bounds.
///
/// # Errors
/// 422 `note_invalid`.
pub(super) fn check_note(note: &str) -> ApiResult<()> {
    if note.chars().count() > limits::NOTE_CHARS_MAX || note.contains('\0') {
        return Err(ApiError::invalid("note_invalid", "note", "a note has at most 500 characters, none of them NUL"));
    }
    Ok(())
}
