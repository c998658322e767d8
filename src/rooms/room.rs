//! One challenge's room: what it holds, who watches, and the task that moves it.

use std::sync::Arc;

use axum::extract::ws::Utf8Bytes;
use lastbite_protocol::{
    ChallengeId, Stream, UserId,
    socket::{ServerMessage, Window},
};
use parking_lot::Mutex;
use slab::Slab;
use tokio::{sync::Notify, time::Instant};

use super::{
    Rooms,
    board::{Applied, Place},
    presence::Presence,
    projection::{Bounds, Delivery, Projection, text_of},
};
use crate::{
    bus::{Batch, News, Subscription},
    journal::Loaded,
    limits,
    rules::Numbered,
};

/// A room. The lock is held for the time of a few map look-ups, never across a wait.
#[derive(Debug)]
pub struct Room {
    challenge: ChallengeId,
    inner: Mutex<Inner>,
    /// Rings when the journal has gone further than the board.
    behind: Notify,
}

#[derive(Debug)]
struct Inner {
    projection: Projection,
    presence: Presence,
    presence_told: (u64, Utf8Bytes),
    watchers: Slab<Arc<Notify>>,
    /// Nobody may enter any more; the registry has forgotten the room.
    closed: bool,
}

/// A watcher's seat; dropping it leaves the room.
#[derive(Debug)]
pub struct Seat {
    room: Arc<Room>,
    key: usize,
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut inner = self.room.inner.lock();
        inner.watchers.remove(self.key);
        inner.presence.leave();
    }
}

impl Seat {
    /// The room it is in.
    #[must_use]
    pub fn room(&self) -> &Room {
        &self.room
    }
}

impl Room {
    pub(super) fn new(challenge: ChallengeId, loaded: Loaded) -> Self {
        let inner = Inner {
            projection: Projection::open(Stream::Challenge(challenge), loaded, Bounds::SERVER),
            presence: Presence::default(),
            presence_told: (0, Utf8Bytes::default()),
            watchers: Slab::new(),
            closed: false,
        };
        Self { challenge, inner: Mutex::new(inner), behind: Notify::new() }
    }

    /// Whose room it is.
    #[must_use]
    pub const fn challenge(&self) -> ChallengeId {
        self.challenge
    }

    /// The name of its stream.
    #[must_use]
    pub const fn stream(&self) -> Stream {
        Stream::Challenge(self.challenge)
    }

    /// Takes a seat; `wake` rings whenever there is something to read. `None` when the room is closing: open it anew.
    #[must_use]
    pub fn enter(self: &Arc<Self>, wake: Arc<Notify>) -> Option<Seat> {
        let mut inner = self.inner.lock();
        if inner.closed {
            return None;
        }
        inner.presence.enter();
        Some(Seat { room: Arc::clone(self), key: inner.watchers.insert(wake) })
    }

    /// What a reader that has seen `cursor` gets next. At most `most` ticks, so that one reader cannot hold the room.
    #[must_use]
    pub fn read(&self, cursor: Option<u64>, window: Window, most: usize) -> Delivery {
        self.inner.lock().projection.read(cursor, window, most)
    }

    /// A whole board, with the events missed: for a reader whose rows were of another window.
    #[must_use]
    pub fn read_board(&self, cursor: Option<u64>, window: Window) -> Delivery {
        self.inner.lock().projection.read_board(cursor, window)
    }

    /// A player's own place.
    #[must_use]
    pub fn place(&self, player: UserId) -> Option<Place> {
        self.inner.lock().projection.place(player)
    }

    /// How many watch, as told last; with the number of the telling.
    #[must_use]
    pub fn presence(&self) -> (u64, Utf8Bytes) {
        self.inner.lock().presence_told.clone()
    }

    /// Events from the journal as a viewer may see them, for a reader that has seen up to `seen`.
    #[must_use]
    pub fn tell(&self, seen: u64, events: &[Numbered]) -> Vec<Utf8Bytes> {
        self.inner.lock().projection.tell(seen, events)
    }

    /// Whether the board has not come to `n` yet.
    pub(super) fn is_behind(&self, n: u64) -> bool {
        n > self.inner.lock().projection.n()
    }

    /// The journal has come to `n`, as somebody found out.
    pub(super) fn hear_of(&self, n: u64) {
        if self.is_behind(n) {
            metrics::counter!("lastbite_rooms_behind_total").increment(1);
            self.behind.notify_one();
        }
    }

    /// Goes to the journal at once when another node has shown a viewer more than this one knows, so that who moves
    /// between nodes is not taken back in time. Without an answer, or when the number is made up, the board stays.
    pub(super) async fn come_to(&self, n: u64, rooms: &Rooms) {
        if self.is_behind(n) {
            self.catch_up(rooms).await;
            // The task has not seen the board move: it has a tick to tell.
            self.behind.notify_one();
        }
    }

    /// Closes the door when nobody is in. Called under the registry's lock.
    pub(super) fn close_if_empty(&self) -> bool {
        let mut inner = self.inner.lock();
        inner.closed = inner.watchers.is_empty();
        inner.closed
    }

    /// Follows the stream until the drain, or until nobody has watched for a while.
    pub(super) async fn run(self: Arc<Self>, rooms: Rooms, mut subscription: Subscription) {
        let mut presence = tokio::time::interval(limits::PRESENCE_INTERVAL);
        presence.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut last_tick = Instant::now();
        let mut watched = Instant::now();
        loop {
            let due = self.inner.lock().projection.has_changes().then_some(last_tick + limits::TICK_INTERVAL);
            tokio::select! {
                () = rooms.0.drain.cancelled() => return,
                news = subscription.next() => {
                    if self.take(&news) == Taken::Gap {
                        self.catch_up(&rooms).await;
                    }
                }
                () = self.behind.notified() => self.catch_up(&rooms).await,
                () = tokio::time::sleep_until(due.unwrap_or(last_tick)), if due.is_some() => {
                    self.tick();
                    last_tick = Instant::now();
                }
                _ = presence.tick() => {
                    if self.tell_presence() > 0 {
                        watched = Instant::now();
                    } else if watched.elapsed() > limits::ROOM_IDLE && rooms.close_if_idle(&self) {
                        return;
                    }
                }
            }
        }
    }

    fn take(&self, news: &News) -> Taken {
        let News::Batch(Batch { events, .. }) = news else { return Taken::Gap };
        let mut inner = self.inner.lock();
        let gap = events.iter().any(|event| inner.apply(event) == Applied::Gap);
        if gap { Taken::Gap } else { Taken::All }
    }

    /// Asks the journal for what is missing. When it does not answer, the slow tick asks again.
    async fn catch_up(&self, rooms: &Rooms) {
        loop {
            let n = self.inner.lock().projection.n();
            let events = match rooms.since(self.challenge, n).await {
                Ok(events) => events,
                Err(error) => {
                    tracing::warn!(challenge = %self.challenge, n, %error, "a room could not catch up yet");
                    return;
                }
            };
            let mut inner = self.inner.lock();
            for event in &events {
                inner.apply(event);
            }
            if (events.len() as i64) < limits::CATCH_UP_EVENTS {
                return;
            }
        }
    }

    fn tick(&self) {
        let mut inner = self.inner.lock();
        inner.projection.tick();
        inner.wake_all();
    }

    /// Tells how many watch, when it changed. Answers the number.
    fn tell_presence(&self) -> u32 {
        let mut inner = self.inner.lock();
        if let Some(watching) = inner.presence.news() {
            let message = ServerMessage::Presence { stream: self.stream(), watching };
            inner.presence_told = (inner.presence_told.0 + 1, text_of(&message));
            inner.wake_all();
        }
        inner.presence.watching()
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Taken {
    All,
    Gap,
}

impl Inner {
    fn apply(&mut self, event: &Numbered) -> Applied {
        let (applied, told) = self.projection.apply(event);
        if told {
            self.wake_all();
        }
        applied
    }

    fn wake_all(&self) {
        for (_, watcher) in &self.watchers {
            watcher.notify_one();
        }
    }
}
