//! What has to hold whenever nobody is at work, however the story went: the journal, the standings, the verdicts, the
//! days, the outcomes and the live boards of a challenge all say the same.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use lastbite::{
    journal::{self, Loaded},
    rooms::push,
    rules::{Event, Numbered, day::Calendar, ranking, standing},
};
use lastbite_protocol::{
    ChallengeId, Row, Standing, Status, Terms, UserId, Verdict, rest::ChallengeStatus, socket::Counts,
};
use sqlx::PgPool;
use uuid::Uuid;

use super::{Viewer, World, facts, viewer::Model};

/// The books of a challenge, after they were compared.
pub(crate) struct Books {
    pub(crate) events: Vec<Numbered>,
    pub(crate) standings: BTreeMap<UserId, Standing>,
    /// Every verdict, by day and player, with its points.
    pub(crate) verdicts: BTreeMap<(u16, UserId), (Verdict, u32)>,
}

/// Compares the books of a challenge with each other. Answers them.
pub(crate) async fn consistent(world: &World, challenge: ChallengeId) -> Books {
    let stored = journal::load(&world.db, challenge).await.unwrap().unwrap();
    let events = facts::journal(&world.db, challenge.0).await;
    assert_eq!(events.len() as u64, stored.n, "the numbers, which have no gap, end at the stream's last");

    let mut replay = Replay::of(&stored.terms);
    events.iter().for_each(|event| replay.take(&event.event));
    let kept: BTreeMap<_, _> = stored.players.iter().map(|(id, _, standing)| (*id, standing.clone())).collect();
    assert_eq!(kept, replay.standings, "the stored standings follow from the journal");
    assert_eq!(stored.status, replay.status, "the stored status follows from the journal");

    check_ranks(&world.db, challenge, &replay).await;
    check_verdicts(&world.db, challenge, &replay.verdicts).await;
    check_days(&world.db, challenge, &replay).await;
    check_seats(&world.db, challenge, stored.players.len()).await;
    check_outcomes(&world.db, challenge, &replay).await;
    check_boards(world, challenge, &stored, &events).await;
    Books { events, standings: replay.standings, verdicts: replay.verdicts }
}

/// The journal told again, with the promises of play held against every event.
struct Replay {
    calendar: Calendar,
    standings: BTreeMap<UserId, Standing>,
    verdicts: BTreeMap<(u16, UserId), (Verdict, u32)>,
    status: ChallengeStatus,
    opened: u16,
    closed: u16,
    champions: (Vec<UserId>, u32),
}

impl Replay {
    fn of(terms: &Terms) -> Self {
        Self {
            calendar: Calendar::of(terms),
            standings: BTreeMap::new(),
            verdicts: BTreeMap::new(),
            status: ChallengeStatus::Open,
            opened: 0,
            closed: 0,
            champions: (Vec::new(), 0),
        }
    }

    fn take(&mut self, event: &Event) {
        let is_over = matches!(self.status, ChallengeStatus::Finished | ChallengeStatus::Cancelled);
        assert!(!is_over, "nothing happens after the end: {event:?}");
        self.check_player(event);
        match event {
            Event::DayOpened { clock } => {
                assert_eq!(clock.day, self.opened + 1, "days open in order, once");
                assert_eq!(*clock, self.calendar.clock_of(clock.day));
                (self.opened, self.status) = (clock.day, ChallengeStatus::Running);
            }
            Event::DayClosed { .. } => self.check_close(event),
            Event::Finished { champions, champions_total, .. } => {
                self.status = ChallengeStatus::Finished;
                self.champions = (champions.clone(), *champions_total);
            }
            Event::Cancelled { players } => {
                assert_eq!((*players as usize, self.opened), (self.standings.len(), 0));
                self.status = ChallengeStatus::Cancelled;
            }
            _ => {}
        }
        if let Some(player) = event.player()
            && let Some(after) = standing::apply(self.standings.remove(&player), event)
        {
            self.standings.insert(player, after);
        }
    }

    fn check_player(&mut self, event: &Event) {
        let before = event.player().and_then(|player| self.standings.get(&player));
        match event {
            Event::Joined { .. } => assert!(before.is_none() && self.opened == 0, "joined too late: {event:?}"),
            Event::Progressed { day, .. } => {
                let before = before.expect("who moves on plays");
                assert_eq!(before.status, Status::Alive, "{event:?}");
                assert!(*day > before.days_kept + before.days_missed, "a judged day does not move: {event:?}");
            }
            Event::Judged { player, day, verdict, points, .. } => {
                assert_eq!(*day, self.closed + 1, "days are judged in order: {event:?}");
                let told_before = self.verdicts.insert((*day, *player), (*verdict, *points));
                assert_eq!(told_before, None, "judged twice: {event:?}");
                assert!(matches!(before.unwrap().status, Status::Alive | Status::Left), "{event:?}");
            }
            _ => {}
        }
    }

    /// Nobody is missed: everybody who is in has as many verdicts as days have closed, and so has who left later.
    fn check_close(&mut self, event: &Event) {
        let Event::DayClosed { day, kept, missed, eliminated, alive } = *event else { return };
        assert_eq!(day, self.closed + 1, "days close in order, once");
        self.closed = day;
        let count = |wanted| self.verdicts.iter().filter(|((on, _), (what, _))| (*on, *what) == (day, wanted)).count();
        assert_eq!((kept as usize, missed as usize), (count(Verdict::Kept), count(Verdict::Missed)), "{event:?}");
        let with = |is: &dyn Fn(&Standing) -> bool| self.standings.values().filter(|one| is(one)).count();
        let is_in = |one: &Standing| matches!(one.status, Status::Alive | Status::Survived);
        assert_eq!(alive as usize, with(&is_in), "{event:?}");
        assert_eq!(eliminated as usize, with(&|one| one.eliminated_on == Some(day)), "{event:?}");
        let closed_at = self.calendar.clock_of(day).closes_at;
        for (player, one) in &self.standings {
            let judged = self.verdicts.keys().filter(|(_, whose)| whose == player).count();
            let judged = u16::try_from(judged).unwrap();
            match one.status {
                Status::Alive | Status::Survived => assert_eq!(judged, day, "{player} has a verdict for every day"),
                Status::Eliminated => assert_eq!(Some(judged), one.eliminated_on, "{player}"),
                Status::Left if one.left_at >= Some(closed_at) => assert_eq!(judged, day, "{player} left later"),
                Status::Left => assert!(judged < day, "{player} had left"),
            }
        }
    }

    /// Everybody's rank, the best first.
    fn ranks(&self) -> Vec<(UserId, i64)> {
        let mut order: Vec<_> = self.standings.iter().map(|(id, standing)| (ranking::key(standing), *id)).collect();
        order.sort_unstable();
        let ranks = ranking::ranks(order.iter().map(|(key, _)| *key)).map(i64::from);
        order.iter().map(|(_, id)| *id).zip(ranks).collect()
    }
}

async fn check_ranks(db: &PgPool, challenge: ChallengeId, replay: &Replay) {
    let sql = "select user_id, rank() over (order by sort_key) from standings where challenge_id = $1
               order by sort_key, user_id";
    let stored: Vec<(Uuid, i64)> = sqlx::query_as(sql).bind(challenge.0).fetch_all(db).await.unwrap();
    let stored: Vec<_> = stored.into_iter().map(|(player, rank)| (UserId(player), rank)).collect();
    assert_eq!(stored, replay.ranks(), "the stored keys order as the comparator does");
}

async fn check_verdicts(db: &PgPool, challenge: ChallengeId, told: &BTreeMap<(u16, UserId), (Verdict, u32)>) {
    let sql = "select day, user_id, verdict, points from verdicts where challenge_id = $1";
    let rows: Vec<(i16, Uuid, String, i32)> = sqlx::query_as(sql).bind(challenge.0).fetch_all(db).await.unwrap();
    let stored: BTreeMap<_, _> = rows
        .into_iter()
        .map(|(day, player, verdict, points)| {
            ((day.cast_unsigned(), UserId(player)), (verdict.parse().unwrap(), points.cast_unsigned()))
        })
        .collect();
    assert_eq!(&stored, told, "the verdicts stored are the verdicts told");
}

async fn check_days(db: &PgPool, challenge: ChallengeId, replay: &Replay) {
    type Instant = Option<DateTime<Utc>>;
    let sql = "select day, opened_at, judged_at from rounds where challenge_id = $1 order by day";
    let rows: Vec<(i16, Instant, Instant)> = sqlx::query_as(sql).bind(challenge.0).fetch_all(db).await.unwrap();
    for (day, opened_at, judged_at) in &rows {
        let day = day.cast_unsigned();
        assert_eq!(opened_at.is_some(), day <= replay.opened, "day {day} is open when that was told");
        assert_eq!(judged_at.is_some(), day <= replay.closed, "day {day} is closed when that was told");
    }
    if matches!(replay.status, ChallengeStatus::Finished | ChallengeStatus::Cancelled) {
        assert_eq!(rows.len(), usize::from(replay.closed), "no day is left that is not judged");
    }
}

async fn check_seats(db: &PgPool, challenge: ChallengeId, players: usize) {
    let sql = "select seats_taken from challenges where id = $1";
    let taken: i32 = sqlx::query_scalar(sql).bind(challenge.0).fetch_one(db).await.unwrap();
    assert_eq!(usize::try_from(taken).unwrap(), players, "a seat is taken by every player and by nobody else");
}

async fn check_outcomes(db: &PgPool, challenge: ChallengeId, replay: &Replay) {
    let sql = "select user_id, rank::bigint, champion from outcomes where challenge_id = $1 order by rank, user_id";
    let stored: Vec<(Uuid, i64, bool)> = sqlx::query_as(sql).bind(challenge.0).fetch_all(db).await.unwrap();
    if replay.status != ChallengeStatus::Finished {
        assert_eq!(stored, [], "no outcome before the end");
        return;
    }
    let places: Vec<_> = stored.iter().map(|(player, rank, _)| (UserId(*player), *rank)).collect();
    assert_eq!(places, replay.ranks(), "everybody has a final place, once");
    let champions: BTreeSet<_> = stored.iter().filter(|(.., won)| *won).map(|(player, ..)| UserId(*player)).collect();
    let (named, total) = &replay.champions;
    assert_eq!(champions.len(), *total as usize);
    assert!(!champions.is_empty() && named.iter().all(|player| champions.contains(player)), "{named:?}");
    assert_eq!(named.len(), champions.len().min(Event::CHAMPIONS_NAMED));
}

/// Somebody who comes now and somebody who was there from the first number on see the same, and it is so.
async fn check_boards(world: &World, challenge: ChallengeId, stored: &Loaded, events: &[Numbered]) {
    let mut fresh = world.spectator(challenge).await;
    shows_the_truth(&mut fresh, stored).await;
    if stored.n == 0 {
        return;
    }
    let mut resumed = Viewer::watch(world.node.address, None, challenge, Some(0)).await;
    shows_the_truth(&mut resumed, stored).await;
    let heard: Vec<_> = resumed.model.events.iter().map(|event| event.n).collect();
    let told: Vec<_> =
        events.iter().filter_map(|event| push::visible(event, |_| String::new())).map(|event| event.n).collect();
    assert_eq!(heard, told, "whoever comes back hears everything that happened, once");
}

/// Compares what somebody sees with what is stored.
pub(crate) async fn sees_the_truth(viewer: &mut Viewer, world: &World, challenge: ChallengeId) {
    shows_the_truth(viewer, &journal::load(&world.db, challenge).await.unwrap().unwrap()).await;
}

async fn shows_the_truth(viewer: &mut Viewer, stored: &Loaded) {
    let row = |(id, nickname, standing): &(UserId, String, Standing)| standing::row(*id, nickname, standing);
    let mut rows: Vec<Row> = stored.players.iter().map(row).collect();
    rows.sort_by_key(|row| (row.key, row.player));
    let with = |is: &[Status]| u32::try_from(rows.iter().filter(|row| is.contains(&row.status)).count()).unwrap();
    let counts = Counts {
        players: u32::try_from(rows.len()).unwrap(),
        alive: with(&[Status::Alive, Status::Survived]),
        out: with(&[Status::Eliminated]),
        left: with(&[Status::Left]),
    };
    let ranks: Vec<_> = ranking::ranks(rows.iter().map(|row| row.key)).collect();
    let expected: Vec<_> = ranks.into_iter().zip(&rows).take(lastbite::limits::WINDOW_ROWS).collect();
    let what = format!("the stored board at {} with {counts:?}: {expected:#?}", stored.n);
    // Who was away for long hears what was missed first, and gets the board that belongs to it then.
    let is_shown = |board: &Model| board.n == Some(stored.n) && board.counts == counts && board.board() == expected;
    viewer.sees(&what, is_shown).await;
}
