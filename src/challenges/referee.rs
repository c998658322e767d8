//! The referee: opens and judges days at their deadlines. Any node may; each deadline is claimed row by row, so there is
//! no leader, and nothing is done twice.

use std::{collections::HashMap, panic::AssertUnwindSafe};

use futures_util::FutureExt;
use lastbite_protocol::rest::ChallengeStatus;
use tokio::time::Instant;
use uuid::Uuid;

use super::{
    close,
    store::{self, Due, Step},
};
use crate::{
    App,
    journal::{self, StreamId},
    limits,
    rules::{Event, decide},
};

/// Works until the drain.
pub async fn referee(app: App) {
    let mut interval = tokio::time::interval(limits::REFEREE_INTERVAL);
    interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    // Challenges whose step failed, until when they are put off: one that cannot be judged must not hold up the others.
    let mut put_off: HashMap<Uuid, Instant> = HashMap::new();
    loop {
        tokio::select! {
            () = app.shutdown.drain.cancelled() => return,
            _ = interval.tick() => {}
        }
        put_off.retain(|_, until| *until > Instant::now());
        // Whatever is due is done at once; a drain waits for the step that runs, no longer.
        while !app.shutdown.drain.is_cancelled() {
            let mut claimed = None;
            let put_off_now: Vec<_> = put_off.keys().copied().collect();
            // A panic fails this step and no other: its transaction is rolled back, and judging goes on.
            let step = AssertUnwindSafe(step(&app, &put_off_now, &mut claimed)).catch_unwind();
            match step.await.unwrap_or_else(|_| Err(anyhow::anyhow!("a step panicked"))) {
                Ok(true) => {}
                Ok(false) => break,
                Err(error) => {
                    metrics::counter!("lastbite_referee_failures_total").increment(1);
                    tracing::warn!(challenge = ?claimed, "the referee could not take a step, and will again: {error:#}");
                    let Some(challenge) = claimed else { break };
                    put_off.insert(challenge, Instant::now() + limits::REFEREE_PUT_OFF);
                }
            }
        }
    }
}

/// Does the next thing that is due, in one transaction. Answers whether there was any; `claimed` says of which challenge.
async fn step(app: &App, put_off: &[Uuid], claimed: &mut Option<Uuid>) -> anyhow::Result<bool> {
    let mut tx = app.db.judge.begin().await?;
    let Some(due) = store::claim_due(&mut tx, app.clock.now(), put_off).await? else { return Ok(false) };
    *claimed = Some(due.challenge.0);
    let mut journal = journal::lock(tx, [StreamId::Challenge(due.challenge)]).await?;
    // After the lock was had, so that times follow each other as the numbers do; and never before the deadline, should
    // the clock have been set back.
    let now = app.clock.now().max(due.since);
    match due.step {
        Step::Open => open(&mut journal, &due, now).await?,
        Step::Judge => close::judge(&mut journal, &due, now).await?,
    }
    journal.commit(&app.bus).await?;
    let late_s = (now - due.since).as_seconds_f64() / f64::from(app.clock.rate());
    metrics::histogram!("lastbite_referee_late_seconds").record(late_s);
    Ok(true)
}

/// Begins a day. With too few players the first one cancels the challenge.
async fn open(journal: &mut journal::Journal, due: &Due, now: chrono::DateTime<chrono::Utc>) -> anyhow::Result<()> {
    let Some(challenge) = store::load(&mut *journal.tx, due.challenge, now).await? else {
        anyhow::bail!("round of a challenge that is not there")
    };
    let event = decide::open(&challenge.terms, due.clock, challenge.seats_taken);
    let status = if let Event::Cancelled { .. } = event {
        store::drop_unjudged(&mut journal.tx, due.challenge).await?;
        ChallengeStatus::Cancelled
    } else {
        store::set_opened(&mut journal.tx, due, now).await?;
        ChallengeStatus::Running
    };
    if status != challenge.status {
        store::set_status(&mut journal.tx, due.challenge, status).await?;
    }
    tracing::info!(challenge = %due.challenge, day = due.clock.day, %now, status = status.as_str(), "day opened");
    journal.append(StreamId::Challenge(due.challenge), now, vec![event]).await?;
    Ok(())
}
