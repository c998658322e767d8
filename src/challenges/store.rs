//! The tables `challenges` and `rounds`, and reads of what belongs to them.

use chrono::{DateTime, Utc};
use lastbite_protocol::{
    ChallengeId, Standing, Terms, UserId,
    rest::{Challenge, ChallengeStatus, DayVerdict, Finding, Outcome},
    socket::DayClock,
};
use sqlx::{PgExecutor, PgPool, types::Json};
use uuid::Uuid;

use crate::{
    db::{self, Tx},
    rules::{self, day::Calendar},
};

/// Adds a challenge and all its days.
pub(super) async fn insert(tx: &mut Tx, challenge: &Challenge) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into challenges (id, host_id, title, description, terms, status, seats, starts_at, ends_at, created_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        challenge.id.0,
        challenge.host.0,
        challenge.title,
        challenge.description,
        Json(&challenge.terms) as _,
        challenge.status.as_str(),
        challenge.terms.seats.cast_signed(),
        challenge.starts_at,
        challenge.ends_at,
        challenge.created_at
    )
    .execute(&mut **tx)
    .await?;
    let clocks: Vec<_> = Calendar::of(&challenge.terms).clocks().collect();
    let days: Vec<_> = clocks.iter().map(|clock| clock.day.cast_signed()).collect();
    let starts: Vec<_> = clocks.iter().map(|clock| clock.starts_at).collect();
    let ends: Vec<_> = clocks.iter().map(|clock| clock.ends_at).collect();
    let closes: Vec<_> = clocks.iter().map(|clock| clock.closes_at).collect();
    sqlx::query!(
        "insert into rounds (challenge_id, day, starts_at, ends_at, closes_at)
         select $1, * from unnest($2::smallint[], $3::timestamptz[], $4::timestamptz[], $5::timestamptz[])",
        challenge.id.0,
        &days,
        &starts,
        &ends,
        &closes
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// How many challenges a user hosts that are not over.
pub(super) async fn count_hosted(tx: &mut Tx, host: UserId) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar!(
        r#"select count(*) as "count!" from challenges where host_id = $1 and status in ('open', 'running')"#,
        host.0
    )
    .fetch_one(&mut **tx)
    .await
}

struct ChallengeRow {
    id: Uuid,
    host_id: Uuid,
    title: String,
    description: String,
    terms: Json<Terms>,
    status: String,
    seats_taken: i32,
    starts_at: DateTime<Utc>,
    ends_at: DateTime<Utc>,
    created_at: DateTime<Utc>,
}

impl ChallengeRow {
    fn into_challenge(self, now: DateTime<Utc>) -> Result<Challenge, sqlx::Error> {
        let status = db::parsed(&self.status)?;
        let calendar = Calendar::of(&self.terms);
        let today = calendar.day_of(now).filter(|_| status == ChallengeStatus::Running);
        Ok(Challenge {
            id: self.id.into(),
            title: self.title,
            description: self.description,
            host: self.host_id.into(),
            status,
            seats_taken: self.seats_taken.cast_unsigned(),
            starts_at: self.starts_at,
            ends_at: self.ends_at,
            today: today.map(|day| calendar.clock_of(day)),
            created_at: self.created_at,
            me: None,
            terms: self.terms.0,
        })
    }
}

/// A challenge, as everybody may see it.
pub(super) async fn load(
    db: impl PgExecutor<'_>,
    challenge: ChallengeId,
    now: DateTime<Utc>,
) -> Result<Option<Challenge>, sqlx::Error> {
    let row = sqlx::query_as!(
        ChallengeRow,
        r#"select id, host_id, title, description, terms as "terms: Json<Terms>", status, seats_taken, starts_at,
                  ends_at, created_at
           from challenges where id = $1"#,
        challenge.0
    )
    .fetch_optional(db)
    .await?;
    row.map(|row| row.into_challenge(now)).transpose()
}

/// Challenges of a status, or of all, the newest first.
pub(super) async fn list(
    pool: &PgPool,
    status: Option<ChallengeStatus>,
    after: Option<ChallengeId>,
    limit: u32,
    now: DateTime<Utc>,
) -> Result<Vec<Challenge>, sqlx::Error> {
    let rows = sqlx::query_as!(
        ChallengeRow,
        r#"select id, host_id, title, description, terms as "terms: Json<Terms>", status, seats_taken, starts_at,
                  ends_at, created_at
           from challenges
           where ($1::text is null or status = $1) and ($2::uuid is null or id < $2)
           order by id desc limit $3"#,
        status.map(ChallengeStatus::as_str),
        after.map(|id| id.0),
        i64::from(limit)
    )
    .fetch_all(pool)
    .await?;
    rows.into_iter().map(|row| row.into_challenge(now)).collect()
}

/// A player's standing.
pub(super) async fn load_standing(
    db: impl PgExecutor<'_>,
    challenge: ChallengeId,
    player: UserId,
) -> Result<Option<Standing>, sqlx::Error> {
    let standing = sqlx::query_scalar!(
        r#"select standing as "standing: Json<Standing>" from standings where challenge_id = $1 and user_id = $2"#,
        challenge.0,
        player.0
    )
    .fetch_optional(db)
    .await?;
    Ok(standing.map(|standing| standing.0))
}

/// Takes a seat, if one is free.
pub(super) async fn take_seat(tx: &mut Tx, challenge: ChallengeId) -> Result<bool, sqlx::Error> {
    let taken = sqlx::query!(
        "update challenges set seats_taken = seats_taken + 1 where id = $1 and seats_taken < seats",
        challenge.0
    )
    .execute(&mut **tx)
    .await?;
    Ok(taken.rows_affected() == 1)
}

/// Frees a seat.
pub(super) async fn free_seat(tx: &mut Tx, challenge: ChallengeId) -> Result<(), sqlx::Error> {
    sqlx::query!("update challenges set seats_taken = seats_taken - 1 where id = $1", challenge.0)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// How many challenges a user plays in that are not over.
pub(super) async fn count_played(tx: &mut Tx, player: UserId) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar!(
        r#"select count(*) as "count!" from standings s join challenges c on c.id = s.challenge_id
           where s.user_id = $1 and s.status = 'alive' and c.status in ('open', 'running')"#,
        player.0
    )
    .fetch_one(&mut **tx)
    .await
}

/// A user's nickname.
pub(super) async fn load_nickname(tx: &mut Tx, user: UserId) -> Result<Option<String>, sqlx::Error> {
    sqlx::query_scalar!("select nickname from users where id = $1", user.0).fetch_optional(&mut **tx).await
}

/// The name that a player's row shows.
pub(super) async fn load_row_nickname(
    tx: &mut Tx,
    challenge: ChallengeId,
    player: UserId,
) -> Result<Option<String>, sqlx::Error> {
    sqlx::query_scalar!(
        "select nickname from standings where challenge_id = $1 and user_id = $2",
        challenge.0,
        player.0
    )
    .fetch_optional(&mut **tx)
    .await
}

/// Moves a challenge on in its life.
pub(super) async fn set_status(
    tx: &mut Tx,
    challenge: ChallengeId,
    status: ChallengeStatus,
) -> Result<(), sqlx::Error> {
    sqlx::query!("update challenges set status = $2 where id = $1", challenge.0, status.as_str())
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// The players of a due day who are waited for, because it is not known yet what was on a photo of theirs.
pub(super) async fn list_waited_for(tx: &mut Tx, due: &Due, now: DateTime<Utc>) -> Result<Vec<Uuid>, sqlx::Error> {
    sqlx::query_scalar!(
        r#"select distinct user_id as "user_id!" from waits_for_photos($3) where challenge_id = $1 and day = $2"#,
        due.challenge.0,
        due.clock.day.cast_signed(),
        now
    )
    .fetch_all(&mut **tx)
    .await
}

/// All but so many players of a day are judged; it is looked at again when fewer are waited for.
pub(super) async fn set_waiting(tx: &mut Tx, due: &Due, waited_for: usize) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update rounds set waited_for = $3 where challenge_id = $1 and day = $2",
        due.challenge.0,
        due.clock.day.cast_signed(),
        i32::try_from(waited_for).unwrap_or(i32::MAX)
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// A day has begun.
pub(super) async fn set_opened(tx: &mut Tx, due: &Due, now: DateTime<Utc>) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update rounds set opened_at = $3 where challenge_id = $1 and day = $2",
        due.challenge.0,
        due.clock.day.cast_signed(),
        now
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// A day has been judged.
pub(super) async fn set_judged(tx: &mut Tx, due: &Due, now: DateTime<Utc>) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update rounds set judged_at = $3 where challenge_id = $1 and day = $2",
        due.challenge.0,
        due.clock.day.cast_signed(),
        now
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Drops the days that will not be judged any more: those to come, and the one that had begun while the last was judged.
pub(super) async fn drop_unjudged(tx: &mut Tx, challenge: ChallengeId) -> Result<(), sqlx::Error> {
    sqlx::query!("delete from rounds where challenge_id = $1 and judged_at is null", challenge.0)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// A player's verdicts, day by day.
pub(super) async fn list_verdicts(
    pool: &PgPool,
    challenge: ChallengeId,
    player: UserId,
    after_day: Option<u16>,
    limit: u32,
) -> Result<Vec<DayVerdict>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"select day, verdict, points, judged_at, findings as "findings: Json<Vec<Finding>>" from verdicts
           where challenge_id = $1 and user_id = $2 and day > $3 order by day limit $4"#,
        challenge.0,
        player.0,
        i16::try_from(after_day.unwrap_or(0)).unwrap_or(i16::MAX),
        i64::from(limit)
    )
    .fetch_all(pool)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(DayVerdict {
                day: row.day.cast_unsigned(),
                verdict: db::parsed(&row.verdict)?,
                points: row.points.cast_unsigned(),
                judged_at: row.judged_at,
                findings: row.findings.0,
            })
        })
        .collect()
}

/// Final places, best first; equal ranks in the order of ids.
pub(super) async fn list_outcomes(
    pool: &PgPool,
    challenge: ChallengeId,
    after: Option<(u32, UserId)>,
    limit: u32,
) -> Result<Vec<Outcome>, sqlx::Error> {
    let (after_rank, after_user) =
        after.map_or((0, Uuid::nil()), |(rank, user)| (i32::try_from(rank).unwrap_or(i32::MAX), user.0));
    let rows = sqlx::query!(
        r#"select user_id, rank, champion, nickname, standing as "standing: Json<Standing>" from outcomes
           where challenge_id = $1 and (rank, user_id) > ($2, $3) order by rank, user_id limit $4"#,
        challenge.0,
        after_rank,
        after_user,
        i64::from(limit)
    )
    .fetch_all(pool)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| Outcome {
            rank: row.rank.cast_unsigned(),
            champion: row.champion,
            row: rules::standing::row(row.user_id.into(), &row.nickname, &row.standing),
        })
        .collect())
}

/// What the referee has to do next, and has locked.
#[derive(Clone, Copy, Debug)]
pub(super) struct Due {
    pub(super) challenge: ChallengeId,
    pub(super) clock: DayClock,
    pub(super) step: Step,
    /// The deadline that has passed.
    pub(super) since: DateTime<Utc>,
}

/// A day is first opened, then judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Open,
    Judge,
}

/// Claims the day whose deadline passed first and that no other node is busy with. Of one challenge only the next
/// deadline in order can be claimed, so that a server which was down catches up day by day.
/// `put_off` are challenges that are left alone for now.
pub(super) async fn claim_due(tx: &mut Tx, now: DateTime<Utc>, put_off: &[Uuid]) -> Result<Option<Due>, sqlx::Error> {
    let row = sqlx::query!(
        r#"with waiting as materialized (
               select challenge_id, day, count(distinct user_id) as players from waits_for_photos($1) group by challenge_id, day
           ), due as (
               select r.challenge_id, r.day, r.starts_at as due_at, true as opens
               from rounds r join challenges c on c.id = r.challenge_id
               where r.opened_at is null and r.starts_at <= $1 and c.status in ('open', 'running')
               union all
               select r.challenge_id, r.day, r.closes_at, false
               from rounds r join challenges c on c.id = r.challenge_id
               where r.judged_at is null and r.closes_at <= $1 and c.status in ('open', 'running')
           ), next as (
               select distinct on (challenge_id) challenge_id, day, due_at, opens
               from due order by challenge_id, due_at, day, opens desc
           )
           select r.challenge_id, r.day, r.starts_at, r.ends_at, r.closes_at, next.opens as "opens!",
                  next.due_at as "due_at!"
           from rounds r join next on next.challenge_id = r.challenge_id and next.day = r.day
           where r.judged_at is null and (r.opened_at is null) = next.opens and r.challenge_id <> all($2)
             and (next.opens or r.waited_for is null or r.waited_for > coalesce(
                 (select players from waiting w where w.challenge_id = r.challenge_id and w.day = r.day), 0
             ))
           order by next.due_at, r.challenge_id
           limit 1
           for update of r skip locked"#,
        now,
        put_off
    )
    .fetch_optional(&mut **tx)
    .await?;
    Ok(row.map(|row| Due {
        challenge: row.challenge_id.into(),
        clock: DayClock {
            day: row.day.cast_unsigned(),
            starts_at: row.starts_at,
            ends_at: row.ends_at,
            closes_at: row.closes_at,
        },
        step: if row.opens { Step::Open } else { Step::Judge },
        since: row.due_at,
    }))
}
