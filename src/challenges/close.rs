//! Judging and closing a day: in chunks of players, each a transaction that keeps the verdicts with all they saw.
//!
//! A chunk that is cut off leaves nothing behind; one that was committed is not done again, for a verdict is unique.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use lastbite_protocol::{ChallengeId, Standing, Terms, UserId, foods::Grade, meals::Contents, rest::ChallengeStatus};
use serde::Serialize;
use sqlx::types::Json;
use uuid::Uuid;

use super::{
    cheat,
    store::{self, Due},
};
use crate::{
    db::{self, Tx},
    journal::{Journal, StreamId},
    limits,
    rules::{
        Event,
        decide::{self, DayFacts, Ruling, Tally},
        verdict::{self, DayLog, Kept, LoggedMeal},
    },
};

/// Judges the next players of a day; when none is left, closes it.
pub(super) async fn judge(journal: &mut Journal, due: &Due, now: DateTime<Utc>) -> anyhow::Result<()> {
    let Some(challenge) = store::load(&mut *journal.tx, due.challenge, now).await? else {
        anyhow::bail!("round of a challenge that is not there")
    };
    // Seen now that the lock is had: photos that came in the last moment, and that are being looked at.
    let waited_for = store::list_waited_for(&mut journal.tx, due, now).await?;
    let players = unjudged(&mut journal.tx, due, &waited_for).await?;
    let judged_all = (players.len() as i64) < limits::JUDGED_AT_ONCE_MAX;
    let events = judge_players(&mut journal.tx, due, &challenge.terms, &players, now).await?;
    journal.append(StreamId::Challenge(due.challenge), now, events).await?;
    metrics::counter!("lastbite_verdicts_total").increment(players.len() as u64);
    if judged_all && !waited_for.is_empty() {
        return store::set_waiting(&mut journal.tx, due, waited_for.len()).await.map_err(Into::into);
    }
    if judged_all {
        close(journal, due, &challenge.terms, now).await?;
    }
    Ok(())
}

/// A player to judge.
struct Unjudged {
    player: UserId,
    standing: Standing,
    /// A meal of the day is still being looked at.
    is_unknown: bool,
}

/// Players whose day has no verdict yet, and who are not waited for: those still in, and those who left after the log had closed.
async fn unjudged(tx: &mut Tx, due: &Due, waited_for: &[Uuid]) -> Result<Vec<Unjudged>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"select s.user_id, s.standing as "standing: Json<Standing>",
                  exists (
                      select from meals m
                      where m.user_id = s.user_id and m.state = 'analysing' and m.deleted_at is null
                        and m.eaten_at >= $6 and m.eaten_at < $7 and m.logged_at < $3
                        and m.id >= first_id_of($8) and m.id < first_id_of($9)
                  ) as "is_unknown!"
           from standings s
           where s.challenge_id = $1 and s.user_id <> all($5)
             and (s.status = 'alive' or (s.status = 'left' and (s.standing ->> 'left_at')::timestamptz >= $3))
             and not exists (
                 select from verdicts v where v.challenge_id = $1 and v.day = $2 and v.user_id = s.user_id
             )
           order by s.user_id limit $4"#,
        due.challenge.0,
        due.clock.day.cast_signed(),
        due.clock.closes_at,
        limits::JUDGED_AT_ONCE_MAX,
        waited_for,
        due.clock.starts_at,
        due.clock.ends_at,
        due.clock.starts_at - decide::LOGGED_WITHIN,
        due.clock.ends_at + decide::LOGGED_WITHIN
    )
    .fetch_all(&mut **tx)
    .await?;
    let unjudged = rows.into_iter().map(|row| Unjudged {
        player: row.user_id.into(),
        standing: row.standing.0,
        is_unknown: row.is_unknown,
    });
    Ok(unjudged.collect())
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
    players: &[Unjudged],
    now: DateTime<Utc>,
) -> anyhow::Result<Vec<Event>> {
    let ids: Vec<_> = players.iter().map(|one| one.player.0).collect();
    let mut logs = read_logs(tx, due, &ids).await?;
    let off: HashSet<_> = cheat::off_on(tx, due, &ids).await?.into_iter().collect();
    let mut events = Vec::with_capacity(players.len());
    let mut rulings = Vec::with_capacity(players.len());
    for Unjudged { player, standing, is_unknown } in players {
        let seen = Seen::from(logs.remove(&player.0).unwrap_or_default());
        let facts = DayFacts {
            log: DayLog { meals: &seen.meals, grade: seen.grade },
            is_cheat: off.contains(&player.0),
            is_unknown: *is_unknown,
        };
        let mut ruling = decide::judge(terms, *player, standing, due.clock.day, facts);
        events.append(&mut ruling.events);
        rulings.push((*player, ruling, seen));
    }
    keep_verdicts(tx, due, &rulings, now).await?;
    Ok(events)
}

/// The day's meals of these players, as they were logged before the log closed.
async fn read_logs(tx: &mut Tx, due: &Due, players: &[Uuid]) -> Result<HashMap<Uuid, Log>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"select user_id, kind, eaten_at, energy_kcal, contents as "contents: Json<Contents>",
                  photo is not null as "has_photo!", deleted_at is not null as "deleted!"
           from meals
           where user_id = any($1) and eaten_at >= $2 and eaten_at < $3 and logged_at < $4 and state = 'known'
             and id >= first_id_of($5) and id < first_id_of($6)
           order by user_id, eaten_at, id"#,
        players,
        due.clock.starts_at,
        due.clock.ends_at,
        due.clock.closes_at,
        due.clock.starts_at - decide::LOGGED_WITHIN,
        due.clock.ends_at + decide::LOGGED_WITHIN
    )
    .fetch_all(&mut **tx)
    .await?;
    let mut logs: HashMap<Uuid, Log> = HashMap::new();
    for row in rows {
        let log = logs.entry(row.user_id).or_default();
        let meal = Kept {
            kind: db::parsed(&row.kind)?,
            eaten_at: row.eaten_at,
            energy_kcal: row.energy_kcal.cast_unsigned(),
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
