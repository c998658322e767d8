//! One challenge's room: its board, the ticks it told, who watches, and the task that moves it.

use std::sync::Arc;

use axum::extract::ws::Utf8Bytes;
use lastbite_protocol::{
    ChallengeId, Row, Stream, UserId,
    socket::{Counts, NumberedEvent, ServerMessage, Window},
};
use parking_lot::Mutex;
use slab::Slab;
use tokio::{sync::Notify, time::Instant};

use super::{
    Rooms,
    board::{Applied, Board, Heading, Place},
    history::{After, Frame, History, Lately},
    presence::Presence,
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
    board: Board,
    history: History<Texts>,
    lately: Lately,
    /// The board as text, while it has not moved.
    snapshots: [Option<(u64, Utf8Bytes)>; 2],
    presence: Presence,
    presence_told: (u64, Utf8Bytes),
    watchers: Slab<Arc<Notify>>,
    /// Nobody may enter any more; the registry has forgotten the room.
    closed: bool,
}

/// A tick as it goes out, encoded once for every reader of a window.
#[derive(Clone, Debug)]
struct Texts {
    top: Utf8Bytes,
    around: Utf8Bytes,
}

/// What a reader gets next.
#[derive(Debug)]
pub enum Delivery {
    UpToDate,
    /// Ticks up to `n`.
    Ticks {
        texts: Vec<Utf8Bytes>,
        n: u64,
    },
    /// A board at `n`: for a reader without a number, or one whose number is not remembered.
    Snapshot {
        text: Utf8Bytes,
        n: u64,
        missed: Missed,
    },
}

/// The events between a reader's number and the board that it gets. Rows are state, and a board replaces them; events
/// must arrive.
#[derive(Debug)]
pub enum Missed {
    /// To be told before the board; none for a reader without a number.
    Told(Vec<Utf8Bytes>),
    /// Older than the room remembers: ask the journal.
    InJournal,
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
        let heading = Heading {
            title: loaded.title,
            days: loaded.terms.days,
            lives: loaded.terms.lives,
            starts_at: loaded.starts_at,
            status: loaded.status,
            day: loaded.day,
        };
        let inner = Inner {
            board: Board::open(loaded.n, heading, loaded.players, limits::WINDOW_ROWS),
            history: History::new(loaded.n, limits::HISTORY_FRAMES_MAX, limits::HISTORY_BYTES_MAX),
            lately: Lately::new(loaded.n, limits::EVENTS_REMEMBERED_MAX),
            snapshots: [None, None],
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
        let mut inner = self.inner.lock();
        match cursor.map_or(After::Lost, |n| inner.history.after(n, most)) {
            After::UpToDate => Delivery::UpToDate,
            After::Frames(frames) => {
                let n = frames.last().map_or(0, |frame| frame.n);
                let text = |frame: Frame<Texts>| match window {
                    Window::Top => frame.payload.top,
                    Window::Around => frame.payload.around,
                };
                Delivery::Ticks { texts: frames.into_iter().map(text).collect(), n }
            }
            // A board between two ticks has a number that no tick builds on: wait for the tick that is due.
            After::Lost if inner.board.has_changes() => Delivery::UpToDate,
            After::Lost => {
                let (n, text) = inner.snapshot(self.stream(), window);
                let missed = match cursor.filter(|seen| *seen < n).map(|seen| (seen, inner.lately.after(seen))) {
                    Some((seen, Some(events))) => Missed::Told(inner.tell_missed(self.stream(), seen, &events)),
                    Some((_, None)) => Missed::InJournal,
                    None => Missed::Told(Vec::new()),
                };
                Delivery::Snapshot { text, n, missed }
            }
        }
    }

    /// A player's own place.
    #[must_use]
    pub fn place(&self, player: UserId) -> Option<Place> {
        self.inner.lock().board.place(player, limits::AROUND_ROWS)
    }

    /// How many watch, as told last; with the number of the telling.
    #[must_use]
    pub fn presence(&self) -> (u64, Utf8Bytes) {
        self.inner.lock().presence_told.clone()
    }

    /// Events from the journal as a viewer may see them, for a reader that has seen up to `seen`.
    #[must_use]
    pub fn tell_missed(&self, seen: u64, events: &[Numbered]) -> Vec<Utf8Bytes> {
        let inner = self.inner.lock();
        let shown: Vec<_> = events.iter().filter_map(|event| inner.board.show(event)).collect();
        inner.tell_missed(self.stream(), seen, &shown)
    }

    /// Whether the board has not come to `n` yet.
    pub(super) fn is_behind(&self, n: u64) -> bool {
        n > self.inner.lock().board.n()
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
            let due = self.inner.lock().board.has_changes().then_some(last_tick + limits::TICK_INTERVAL);
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
        let gap = events.iter().any(|event| inner.apply(self.stream(), event) == Applied::Gap);
        if gap { Taken::Gap } else { Taken::All }
    }

    /// Asks the journal for what is missing. When it does not answer, the slow tick asks again.
    async fn catch_up(&self, rooms: &Rooms) {
        loop {
            let n = self.inner.lock().board.n();
            let events = match rooms.since(self.challenge, n).await {
                Ok(events) => events,
                Err(error) => {
                    tracing::warn!(challenge = %self.challenge, n, %error, "a room could not catch up yet");
                    return;
                }
            };
            let mut inner = self.inner.lock();
            for event in &events {
                inner.apply(self.stream(), event);
            }
            if (events.len() as i64) < limits::CATCH_UP_EVENTS {
                return;
            }
        }
    }

    fn tick(&self) {
        let mut inner = self.inner.lock();
        inner.tick(self.stream());
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
    /// Missed events as ticks that stay at the reader's number: only the board that follows has the rows, so only it may
    /// move the number. A reader whose line breaks between the two is told again, and knows the events by theirs.
    fn tell_missed(&self, stream: Stream, seen: u64, events: &[NumberedEvent]) -> Vec<Utf8Bytes> {
        let (_, counts) = self.board.picture(false);
        let tell = |part: &[NumberedEvent]| {
            text_of(&tick_message(stream, (seen, seen), (Vec::new(), Vec::new()), part.to_vec(), counts))
        };
        events.chunks(limits::EVENTS_PER_TICK_MAX).map(tell).collect()
    }

    /// Moves the board. A tick that has grown as large as it may be goes out before its time.
    fn apply(&mut self, stream: Stream, event: &Numbered) -> Applied {
        let applied = self.board.apply(event);
        if self.board.events_to_tell() >= limits::EVENTS_PER_TICK_MAX {
            self.tick(stream);
            self.wake_all();
        }
        applied
    }

    /// Puts what changed into one frame, encoded once, and into history.
    fn tick(&mut self, stream: Stream) {
        if !self.board.has_changes() {
            return;
        }
        let changes = self.board.take_changes();
        self.lately.extend(&changes.events);
        let numbers = (changes.from, changes.n);
        let around = tick_message(stream, numbers, (Vec::new(), Vec::new()), changes.events.clone(), changes.counts);
        let top = tick_message(stream, numbers, (changes.rows, changes.removed), changes.events, changes.counts);
        let texts = Texts { top: text_of(&top), around: text_of(&around) };
        let bytes = texts.top.len() + texts.around.len();
        metrics::counter!("lastbite_ticks_total").increment(1);
        self.history.push(Frame { from: changes.from, n: changes.n, bytes, payload: texts });
    }

    fn snapshot(&mut self, stream: Stream, window: Window) -> (u64, Utf8Bytes) {
        let n = self.board.n();
        let slot = match window {
            Window::Top => 0,
            Window::Around => 1,
        };
        if let Some((at, text)) = &self.snapshots[slot]
            && *at == n
        {
            return (n, text.clone());
        }
        let (board, counts) = self.board.picture(window == Window::Top);
        let text = text_of(&ServerMessage::Snapshot { stream, n, board, counts });
        metrics::counter!("lastbite_snapshots_encoded_total").increment(1);
        self.snapshots[slot] = Some((n, text.clone()));
        (n, text)
    }

    fn wake_all(&self) {
        for (_, watcher) in &self.watchers {
            watcher.notify_one();
        }
    }
}

fn tick_message(
    stream: Stream,
    (from, n): (u64, u64),
    (rows, removed): (Vec<Row>, Vec<UserId>),
    events: Vec<NumberedEvent>,
    counts: Counts,
) -> ServerMessage {
    ServerMessage::Tick { stream, from, n, rows, removed, events, counts }
}

/// A message as text. Our own types always can be written; an empty object would be passed over by every client.
pub(super) fn text_of(message: &ServerMessage) -> Utf8Bytes {
    match serde_json::to_string(message) {
        Ok(text) => text.into(),
        Err(error) => {
            tracing::error!(%error, "a message could not be written");
            Utf8Bytes::from_static("{}")
        }
    }
}
