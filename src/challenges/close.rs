//! Judging and closing a day: in chunks of players, each a transaction that keeps the verdicts with all they saw.
//!
//! A chunk that is cut off leaves nothing behind; one that was committed is not done again, for a verdict is unique.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use lastbite_protocol::{ChallengeId, Standing, Terms, UserId, foods::Grade, meals::Contents, rest::ChallengeStatus};
use serde::Serialize;
use sqlx::types::Json;
use uuid::Uuid;

use super::store::{self, Due};
use crate::{
    db::{self, Tx},
    journal::{Journal, StreamId},
    limits,
    rules::{
        Event,
        decide::{self, Ruling, Tally},
        verdict::{self, DayLog, Kept, LoggedMeal},
    },
};

/// Judges the next players of a day; when none is left, closes it.
pub(super) async fn judge(journal: &mut Journal, due: &Due, now: DateTime<Utc>) -> anyhow::Result<()> {
    let Some(challenge) = store::load(&mut *journal.tx, due.challenge, now).await? else {
        anyhow::bail!("round of a challenge that is not there")
    };
    // Seen now that the lock is had: a photo that came in the last moment, and that is being looked at.
    if store::waits_for_photos(&mut journal.tx, due, now).await? {
        return Ok(());
    }
    let players = unjudged(&mut journal.tx, due).await?;
    let judged_all = (players.len() as i64) < limits::JUDGED_AT_ONCE_MAX;
    let events = judge_players(&mut journal.tx, due, &challenge.terms, &players, now).await?;
    journal.append(StreamId::Challenge(due.challenge), now, events).await?;
    metrics::counter!("lastbite_verdicts_total").increment(players.len() as u64);
    if judged_all {
        close(journal, due, &challenge.terms, now).await?;
    }
    Ok(())
}

/// Players whose day has no verdict yet: those still in, and those who left after the log had closed.
async fn unjudged(tx: &mut Tx, due: &Due) -> Result<Vec<(UserId, Standing)>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"select s.user_id, s.standing as "standing: Json<Standing>" from standings s
           where s.challenge_id = $1
             and (s.status = 'alive' or (s.status = 'left' and (s.standing ->> 'left_at')::timestamptz >= $3))
             and not exists (
                 select from verdicts v where v.challenge_id = $1 and v.day = $2 and v.user_id = s.user_id
             )
           order by s.user_id limit $4"#,
        due.challenge.0,
        due.clock.day.cast_signed(),
        due.clock.closes_at,
        limits::JUDGED_AT_ONCE_MAX
    )
    .fetch_all(&mut **tx)
    .await?;
    Ok(rows.into_iter().map(|row| (row.user_id.into(), row.standing.0)).collect())
}

/// What a verdict saw, kept with it: later changes to the diary do not touch it.
#[derive(Serialize)]
struct Seen {
    meals: Vec<LoggedMeal>,
    /// Deleted before the log closed; they did not count.
    deleted: Vec<LoggedMeal>,
    grade: Grade,
}

/// A day's meals of a player.
#[derive(Default)]
struct Log {
    meals: Vec<Kept>,
    deleted: Vec<Kept>,
}

impl From<Log> for Seen {
    fn from(log: Log) -> Self {
        let seen = |meals: &[Kept]| meals.iter().map(LoggedMeal::from).collect();
        Self { meals: seen(&log.meals), deleted: seen(&log.deleted), grade: verdict::grade_of(&log.meals) }
    }
}

async fn judge_players(
    tx: &mut Tx,
    due: &Due,
    terms: &Terms,
    players: &[(UserId, Standing)],
    now: DateTime<Utc>,
) -> anyhow::Result<Vec<Event>> {
    let mut logs = read_logs(tx, due, players).await?;
    let mut events = Vec::with_capacity(players.len());
    let mut rulings = Vec::with_capacity(players.len());
    for (player, standing) in players {
        let seen = Seen::from(logs.remove(&player.0).unwrap_or_default());
        let log = DayLog { meals: &seen.meals, grade: seen.grade };
        let mut ruling = decide::judge(terms, *player, standing, due.clock.day, log);
        events.append(&mut ruling.events);
        rulings.push((*player, ruling, seen));
    }
    keep_verdicts(tx, due, &rulings, now).await?;
    Ok(events)
}

/// The day's meals of these players, as they were logged before the log closed.
async fn read_logs(tx: &mut Tx, due: &Due, players: &[(UserId, Standing)]) -> Result<HashMap<Uuid, Log>, sqlx::Error> {
    let ids: Vec<_> = players.iter().map(|(player, _)| player.0).collect();
    let rows = sqlx::query!(
        r#"select user_id, kind, eaten_at, energy_kcal, carbohydrate_mg, protein_mg, fat_mg,
                  contents as "contents: Json<Contents>", photo is not null as "has_photo!",
                  deleted_at is not null as "deleted!"
           from meals
           where user_id = any($1) and eaten_at >= $2 and eaten_at < $3 and logged_at < $4 and state = 'known'
             and id >= first_id_of($5) and id < first_id_of($6)
           order by user_id, eaten_at, id"#,
        &ids,
        due.clock.starts_at,
        due.clock.ends_at,
        due.clock.closes_at,
        due.clock.starts_at - decide::LOGGED_WITHIN,
        due.clock.ends_at + decide::LOGGED_WITHIN
    )
    .fetch_all(&mut **tx)
    .await?;
    let unsigned = |amount: Option<i32>| amount.map(i32::cast_unsigned);
    let mut logs: HashMap<Uuid, Log> = HashMap::new();
    for row in rows {
        let log = logs.entry(row.user_id).or_default();
        let meal = Kept {
            kind: db::parsed(&row.kind)?,
            eaten_at: row.eaten_at,
            energy_kcal: row.energy_kcal.cast_unsigned(),
            macros: verdict::Amounts {
                carbohydrate_mg: unsigned(row.carbohydrate_mg),
                protein_mg: unsigned(row.protein_mg),
                fat_mg: unsigned(row.fat_mg),
                ..verdict::Amounts::default()
            },
            contents: row.contents.map(|contents| contents.0),
            has_photo: row.has_photo,
        };
        if row.deleted { log.deleted.push(meal) } else { log.meals.push(meal) }
    }
    Ok(logs)
}

async fn keep_verdicts(
    tx: &mut Tx,
    due: &Due,
    rulings: &[(UserId, Ruling, Seen)],
    now: DateTime<Utc>,
) -> anyhow::Result<()> {
    let players: Vec<_> = rulings.iter().map(|(player, ..)| player.0).collect();
    let verdicts: Vec<_> = rulings.iter().map(|(_, ruling, _)| ruling.verdict.as_str().to_owned()).collect();
    let points: Vec<_> = rulings.iter().map(|(_, ruling, _)| ruling.points.cast_signed()).collect();
    let findings =
        rulings.iter().map(|(_, ruling, _)| serde_json::to_value(&ruling.findings)).collect::<Result<Vec<_>, _>>()?;
    let logs = rulings.iter().map(|(.., seen)| serde_json::to_value(seen)).collect::<Result<Vec<_>, _>>()?;
    sqlx::query!(
        "insert into verdicts (challenge_id, day, judged_at, user_id, verdict, points, findings, log)
         select $1, $2, $3, * from unnest($4::uuid[], $5::text[], $6::integer[], $7::jsonb[], $8::jsonb[])",
        due.challenge.0,
        due.clock.day.cast_signed(),
        now,
        &players,
        &verdicts,
        &points,
        &findings,
        &logs
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// All are judged: closes the day, and ends the challenge when it was the last one or nobody is left.
async fn close(journal: &mut Journal, due: &Due, terms: &Terms, now: DateTime<Utc>) -> anyhow::Result<()> {
    let tally = tally(&mut journal.tx, due, terms).await?;
    let events = decide::close(terms, due.clock.day, &tally);
    let finished = events.iter().any(|event| matches!(event, Event::Finished { .. }));
    store::set_judged(&mut journal.tx, due, now).await?;
    journal.append(StreamId::Challenge(due.challenge), now, events).await?;
    if finished {
        finish(&mut journal.tx, due.challenge, &tally).await?;
    }
    tracing::info!(
        challenge = %due.challenge, day = due.clock.day, %now,
        kept = tally.kept, missed = tally.missed, eliminated = tally.eliminated.len(), alive = tally.alive, finished,
        "day closed"
    );
    Ok(())
}

async fn tally(tx: &mut Tx, due: &Due, terms: &Terms) -> Result<Tally, sqlx::Error> {
    let (challenge, day) = (due.challenge.0, due.clock.day);
    let verdicts = sqlx::query!(
        r#"select count(*) filter (where verdict = 'kept') as "kept!",
                  count(*) filter (where verdict = 'missed') as "missed!"
           from verdicts where challenge_id = $1 and day = $2"#,
        challenge,
        day.cast_signed()
    )
    .fetch_one(&mut **tx)
    .await?;
    let alive = sqlx::query_scalar!(
        r#"select count(*) as "alive!" from standings where challenge_id = $1 and status in ('alive', 'survived')"#,
        challenge
    )
    .fetch_one(&mut **tx)
    .await?;
    let eliminated = sqlx::query_scalar!(
        "select user_id from standings
         where challenge_id = $1 and status = 'eliminated' and (standing ->> 'eliminated_on')::integer = $2
         order by sort_key, user_id",
        challenge,
        i32::from(day)
    )
    .fetch_all(&mut **tx)
    .await?;
    let leaders = if decide::is_last(terms, day, count(alive)) { leaders(tx, challenge).await? } else { Vec::new() };
    Ok(Tally {
        kept: count(verdicts.kept),
        missed: count(verdicts.missed),
        alive: count(alive),
        eliminated: eliminated.into_iter().map(UserId).collect(),
        leaders,
    })
}

/// All who share rank 1, in the order of ids.
async fn leaders(tx: &mut Tx, challenge: Uuid) -> Result<Vec<UserId>, sqlx::Error> {
    let leaders = sqlx::query_scalar!(
        "select user_id from standings
         where challenge_id = $1
           and sort_key = (select sort_key from standings where challenge_id = $1 order by sort_key limit 1)
         order by user_id",
        challenge
    )
    .fetch_all(&mut **tx)
    .await?;
    Ok(leaders.into_iter().map(UserId).collect())
}

fn count(counted: i64) -> u32 {
    u32::try_from(counted).unwrap_or(u32::MAX)
}

/// Stores how it ended. Days that will not be judged are dropped.
async fn finish(tx: &mut Tx, challenge: ChallengeId, tally: &Tally) -> Result<(), sqlx::Error> {
    let champions: Vec<_> = decide::champions(tally).iter().map(|player| player.0).collect();
    store::set_status(tx, challenge, ChallengeStatus::Finished).await?;
    sqlx::query!(
        "insert into outcomes (challenge_id, user_id, rank, champion, nickname, standing)
         select challenge_id, user_id, rank() over (order by sort_key), user_id = any($2), nickname, standing
         from standings where challenge_id = $1",
        challenge.0,
        &champions
    )
    .execute(&mut **tx)
    .await?;
    store::drop_unjudged(tx, challenge).await
}
