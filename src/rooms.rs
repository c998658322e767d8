//! Live boards, and the sockets that watch them.
//!
//! A room is a projection: it is opened from the journal at a number and follows the stream. What a viewer has seen is a
//! number too, so going live, coming back and catching up are one thing. Rooms read and never write; no feature knows
//! them.
//!
//! - [`board`], [`ladder`], [`history`], [`presence`], [`push`], [`credits`]: PURE parts
//! - [`projection`]: what a room holds, and what a reader gets of it next
//! - [`room`]: one challenge's room and its task
//! - [`own`]: how far users' own streams have come
//! - [`socket`]: one connection

use std::sync::Arc;

use dashmap::DashMap;
use lastbite_protocol::ChallengeId;
use sqlx::PgPool;
use tokio::sync::{OnceCell, Semaphore};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{bus::Bus, journal, limits, rules::Numbered};

pub mod board;
pub mod credits;
pub mod history;
pub mod ladder;
pub mod own;
pub mod presence;
pub mod projection;
pub mod push;
pub mod room;
pub mod socket;

#[cfg(test)]
mod convergence;

use room::Room;

/// All rooms of this node. Clones share them.
#[derive(Clone, Debug)]
pub struct Rooms(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    pool: PgPool,
    bus: Bus,
    tasks: TaskTracker,
    drain: CancellationToken,
    /// A room is loaded once, however many ask for it at the same time.
    open: DashMap<ChallengeId, Arc<OnceCell<Arc<Room>>>>,
    catch_ups: Semaphore,
}

/// Why a room cannot be watched.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("there is no such challenge")]
    NotFound,
    #[error("the journal cannot be read")]
    Away(#[from] sqlx::Error),
}

impl Rooms {
    /// No rooms yet.
    #[must_use]
    pub fn new(pool: PgPool, bus: Bus, tasks: TaskTracker, drain: CancellationToken) -> Self {
        let catch_ups = Semaphore::new(limits::CATCH_UPS_AT_ONCE_MAX);
        Self(Arc::new(Shared { pool, bus, tasks, drain, open: DashMap::new(), catch_ups }))
    }

    /// The room of a challenge, opened if need be.
    ///
    /// # Errors
    /// There is no such challenge, or the journal cannot be read.
    pub async fn open(&self, challenge: ChallengeId) -> Result<Arc<Room>, OpenError> {
        let cell = Arc::clone(&self.0.open.entry(challenge).or_default());
        match cell.get_or_try_init(|| self.load(challenge)).await {
            Ok(room) => Ok(Arc::clone(room)),
            Err(error) => {
                drop(cell);
                // Only while nobody else waits for it: they hold the cell.
                self.0.open.remove_if(&challenge, |_, cell| !cell.initialized() && Arc::strong_count(cell) == 1);
                Err(error)
            }
        }
    }

    async fn load(&self, challenge: ChallengeId) -> Result<Arc<Room>, OpenError> {
        // Listening first: what is committed while the board is read arrives as news it knows already.
        let subscription = self.0.bus.subscribe(challenge.0);
        let loaded = journal::load(&self.0.pool, challenge).await?.ok_or(OpenError::NotFound)?;
        let room = Arc::new(Room::new(challenge, loaded));
        self.0.tasks.spawn(Arc::clone(&room).run(self.clone(), subscription));
        metrics::counter!("lastbite_rooms_opened_total").increment(1);
        metrics::gauge!("lastbite_rooms").increment(1);
        Ok(room)
    }

    /// Forgets a room that nobody watches any more. Answers whether it is gone.
    fn close_if_idle(&self, room: &Room) -> bool {
        let closed = self.0.open.remove_if(&room.challenge(), |_, _| room.close_if_empty()).is_some();
        if closed {
            metrics::gauge!("lastbite_rooms").decrement(1);
        }
        closed
    }

    /// Brings a room to a number that a viewer has seen already.
    async fn come_to(&self, room: &Room, n: u64) {
        if room.is_behind(n)
            && let Ok(_turn) = self.0.catch_ups.acquire().await
        {
            room.come_to(n, self).await;
        }
    }

    /// The events after `n`, for a room or a reader that missed some.
    async fn since(&self, challenge: ChallengeId, n: u64) -> Result<Vec<Numbered>, sqlx::Error> {
        journal::since(&self.0.pool, challenge.0, n, limits::CATCH_UP_EVENTS).await
    }

    /// Compares the numbers of open rooms with the journal's once in a while, until the drain. What the bus lost costs
    /// this much time and nothing else.
    pub async fn slow_tick(self) {
        let mut interval = tokio::time::interval(limits::SLOW_TICK_INTERVAL);
        interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = self.0.drain.cancelled() => return,
                _ = interval.tick() => {}
            }
            let open: Vec<_> = self.0.open.iter().filter_map(|cell| cell.value().get().cloned()).collect();
            if open.is_empty() {
                continue;
            }
            let ids: Vec<_> = open.iter().map(|room| room.challenge().0).collect();
            match journal::last_numbers(&self.0.pool, &ids).await {
                Ok(numbers) => {
                    for (id, n) in numbers {
                        if let Some(room) = open.iter().find(|room| room.challenge().0 == id) {
                            room.hear_of(n);
                        }
                    }
                }
                Err(error) => tracing::debug!(%error, "rooms could not be compared with the journal"),
            }
        }
    }
}
