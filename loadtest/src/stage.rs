//! What a measurement needs before it begins: accounts, and a challenge to watch that begins soon or tomorrow.

use anyhow::{Context as _, ensure};
use chrono::{DateTime, Days, TimeDelta, Utc};
use chrono_tz::Tz;
use lastbite_protocol::{ChallengeId, Requirement, Stream, Terms, WallTime, rest::NewChallenge, terms::OneLeft};
use tokio::{
    task::JoinSet,
    time::{Duration, Instant},
};
use uuid::Uuid;

use crate::{api::User, spectator, start::Start, target::Target};

/// The server hashes two passwords at once.
const SIGN_UPS_AT_ONCE: usize = 4;
/// As many as everybody sees of a board.
const PLAYERS_ON_BOARD: u32 = 50;
/// What a day may have at most; a feast is above it.
const TARGET_KCAL: u32 = 4000;
const TOLERANCE_KCAL: u32 = 500;
pub(crate) const FEAST_KCAL: u32 = 6000;

/// The server's clock, read once and carried on by ours.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ServerClock {
    at: DateTime<Utc>,
    read: Instant,
}

impl ServerClock {
    /// Asks a server that plays in real time.
    pub(crate) async fn read(target: &Target) -> anyhow::Result<Self> {
        let (at, rate) = spectator::server_time(target).await.context("greeting the server's socket")?;
        ensure!(rate == 1, "this server's clock runs {rate} times too fast: it plays a demo");
        Ok(Self { at, read: Instant::now() })
    }

    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.at + TimeDelta::from_std(self.read.elapsed()).unwrap_or_default()
    }

    /// How long until then; zero when it has passed.
    pub(crate) fn until(&self, then: DateTime<Utc>) -> Duration {
        (then - self.now()).to_std().unwrap_or_default()
    }
}

/// Registers so many users, named for this run.
pub(crate) async fn register(target: &Target, count: u32) -> anyhow::Result<Vec<User>> {
    let run = Uuid::new_v4().simple().to_string();
    let mut entering: JoinSet<anyhow::Result<User>> = JoinSet::new();
    let mut users = Vec::with_capacity(count as usize);
    for number in 0..count {
        if entering.len() >= SIGN_UPS_AT_ONCE
            && let Some(user) = entering.join_next().await
        {
            users.push(user?.context("registering players")?);
        }
        let (target, nickname) = (target.clone(), format!("load_{}_{number}", &run[..8]));
        let source = target.source_of_player(number);
        entering.spawn(async move { User::register(&target, source, nickname).await });
    }
    while let Some(user) = entering.join_next().await {
        users.push(user?.context("registering players")?);
    }
    Ok(users)
}

/// An address of mail as long and alike, of which no account is known.
pub(crate) fn email_of_nobody(email: &str) -> String {
    let run = Uuid::new_v4().simple().to_string();
    let rest = email.get("load_00000000".len()..).unwrap_or_default();
    format!("load_{}{rest}", &run[..8])
}

/// A challenge that begins at `start`, which all `players` have joined.
pub(crate) async fn challenge(players: &[User], start: &Start) -> anyhow::Result<ChallengeId> {
    let seats = u32::try_from(players.len())?;
    let challenge = create(players, terms(start.zone, start.first_day, start.day_starts_at, seats)).await?;
    for player in players {
        player.join(challenge).await.context("joining the challenge")?;
    }
    Ok(challenge)
}

/// The stream to watch: of the challenge that is named, else of a new one that begins after tomorrow, with a full board.
pub(crate) async fn stream_to_watch(target: &Target, named: Option<ChallengeId>) -> anyhow::Result<Stream> {
    if let Some(challenge) = named {
        return Ok(Stream::Challenge(challenge));
    }
    let clock = ServerClock::read(target).await?;
    let players = register(target, PLAYERS_ON_BOARD).await?;
    let first_day = clock.now().date_naive().checked_add_days(Days::new(2)).context("the end of all days")?;
    let challenge = create(&players, terms(Tz::UTC, first_day, WallTime::hour(0), PLAYERS_ON_BOARD)).await?;
    for player in &players {
        player.join(challenge).await.context("joining the challenge")?;
    }
    Ok(Stream::Challenge(challenge))
}

async fn create(hosts: &[User], terms: Terms) -> anyhow::Result<ChallengeId> {
    let wish = NewChallenge {
        title: "Load test".to_owned(),
        description: "Made by lastbite-loadtest; ends by itself after a day.".to_owned(),
        terms,
    };
    let host = hosts.first().context("a challenge needs a host")?;
    Ok(host.create(&wish).await.context("creating the challenge")?.id)
}

fn terms(zone: Tz, first_day: chrono::NaiveDate, day_starts_at: WallTime, seats: u32) -> Terms {
    Terms {
        version: 1,
        zone,
        first_day,
        days: 1,
        day_starts_at,
        lives: 2,
        cheat_days_per_week: 1,
        grace_minutes: 0,
        one_left: OneLeft::PlayOn,
        seats: seats.max(2),
        min_players: 1,
        requirements: vec![Requirement::Calories { target_kcal: TARGET_KCAL, tolerance_kcal: TOLERANCE_KCAL }],
    }
}
