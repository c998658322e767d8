//! What a change of the diary means in the challenges its owner plays in.

use chrono::{DateTime, Utc};
use lastbite_protocol::{
    Status, UserId,
    rest::{Judged, MealEffect},
};

use super::store::{self, Played};
use crate::{
    App,
    error::{ApiError, ApiResult},
    journal::{self, Journal, StreamId},
    rules::{Event, day::Calendar, decide, points, verdict::DayLog},
};

/// A transaction that holds the streams of a user and of everything the user plays in.
pub(super) struct Diary {
    pub(super) journal: Journal,
    pub(super) owner: UserId,
    /// Read after the locks were had, so a verdict that fell meanwhile is seen.
    pub(super) now: DateTime<Utc>,
    played: Vec<Played>,
}

impl Diary {
    /// Takes the locks and reads what the decisions look at.
    pub(super) async fn open(app: &App, mut tx: crate::db::Tx, owner: UserId) -> ApiResult<Self> {
        let played = store::load_played(&mut *tx, owner, decide::latest_eaten_at(app.clock.now())).await?;
        let challenges = played.iter().map(|played| StreamId::Challenge(played.challenge));
        let mut journal = journal::lock(tx, challenges.chain([StreamId::User(owner)])).await?;
        // Whoever deleted the account has waited for the lock, or is seen here.
        if !store::is_there(&mut journal.tx, owner).await? {
            return Err(ApiError::account_gone());
        }
        let now = app.clock.now();
        // Between the two reads a day may have been judged; a challenge that began meanwhile had no lock, and waits.
        let locked: Vec<_> = played.iter().map(|played| played.challenge).collect();
        let mut played = store::load_played(&mut *journal.tx, owner, decide::latest_eaten_at(now)).await?;
        played.retain(|played| locked.contains(&played.challenge));
        Ok(Self { journal, owner, now, played })
    }

    /// Refuses to change what was eaten on a day whose log has closed and whose verdict is about to fall.
    pub(super) fn check_not_being_judged(&self, eaten_at: DateTime<Utc>) -> ApiResult<()> {
        let being_judged = self.played.iter().any(|played| {
            let calendar = Calendar::of(&played.terms);
            calendar.day_of(eaten_at).map(|day| calendar.clock_of(day)).is_some_and(|clock| {
                clock.day > played.judged_to
                    && clock.closes_at <= self.now
                    && decide::is_judged(&played.standing, clock)
            })
        });
        if being_judged {
            let detail = "the day of this meal is being judged at this moment; try again in a moment";
            return Err(ApiError::unavailable("day_being_judged", detail));
        }
        Ok(())
    }

    /// Appends what the change means: to the user's stream as it is, to each challenge what became of the days touched.
    /// Answers the effects for the meal as it is eaten now.
    pub(super) async fn tell(
        &mut self,
        event: Event,
        eaten_at: DateTime<Utc>,
        eaten_before: Option<DateTime<Utc>>,
    ) -> ApiResult<Vec<MealEffect>> {
        self.journal.append(StreamId::User(self.owner), self.now, vec![event]).await?;
        let mut effects = Vec::with_capacity(self.played.len());
        for played in self.played.iter().filter(|played| played.standing.status == Status::Alive) {
            let calendar = Calendar::of(&played.terms);
            let same_day = |before| calendar.day_of(before) == calendar.day_of(eaten_at);
            // A day that the meal stays in is looked at once, or its news would be told twice.
            if let Some(before) = eaten_before.filter(|before| !same_day(*before)) {
                progress(&mut self.journal, self.owner, played, before, self.now).await?;
            }
            let judged = progress(&mut self.journal, self.owner, played, eaten_at, self.now).await?;
            let n = self.journal.last(StreamId::Challenge(played.challenge));
            effects.push(MealEffect { challenge: played.challenge, n, judged });
        }
        Ok(effects)
    }
}

/// Looks at the day that an instant belongs to and tells the challenge how it looks now.
async fn progress(
    journal: &mut Journal,
    player: UserId,
    played: &Played,
    instant: DateTime<Utc>,
    now: DateTime<Utc>,
) -> ApiResult<Judged> {
    let open = decide::open_day_of(&played.terms, instant, now).filter(|clock| clock.day > played.judged_to);
    let Some(clock) = open else { return Ok(Judged::NotJudged) };
    let (meals, grade) = store::load_log(&mut journal.tx, player, clock.starts_at, clock.ends_at).await?;
    let log = DayLog { meals: &meals, grade };
    if let Some(event) = decide::progress(&played.terms, player, &played.standing, clock.day, log) {
        journal.append(StreamId::Challenge(played.challenge), now, vec![event]).await?;
    }
    let (progress, points) = points::of_open(&played.terms, log);
    Ok(Judged::ForDay { day: clock.day, progress, points })
}
