//! One connection: `hello`, what it watches, and a cursor for each.
//!
//! Nothing is queued for a socket. When a room rings, the socket takes what came after its cursor and writes it; while a
//! write waits, the room goes on, and a reader that falls out of the room's memory gets the events it missed from the
//! journal and then a fresh board.

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    extract::{
        State,
        ws::{CloseFrame, Message, Utf8Bytes, WebSocket, WebSocketUpgrade, rejection::WebSocketUpgradeRejection},
    },
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
    routing::any,
};
use lastbite_protocol::{
    Stream,
    socket::{ClientMessage, SUBPROTOCOL, ServerMessage, Watch, Window, close},
};
use tokio::{
    sync::Notify,
    time::{Instant, timeout},
};

use super::{OpenError, board::Place, credits::Credits, projection::text_of, room::Seat};
use crate::{App, auth::Client, error::ApiError, limits};

mod delivery;
mod door;
mod identity;

pub use door::{Door, Pass};
use identity::Identity;

/// The route of the socket.
pub fn routes() -> Router<App> {
    Router::new().route("/ws", any(upgrade))
}

async fn upgrade(
    State(app): State<App>,
    Client(address): Client,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Response {
    let upgrade = match upgrade {
        Ok(upgrade) => upgrade,
        Err(rejection) => {
            let status = StatusCode::UPGRADE_REQUIRED;
            return ApiError::refused(status, "upgrade_required", rejection.body_text()).into_response();
        }
    };
    if app.shutdown.unready.is_cancelled() {
        return ApiError::unavailable("draining", "the server is about to stop").into_response();
    }
    let pass = match app.door.enter(address, &headers) {
        Ok(pass) => pass,
        Err(refused) => return refused.into_response(),
    };
    let tasks = app.tasks.clone();
    upgrade
        .protocols([SUBPROTOCOL])
        .read_buffer_size(limits::SOCKET_READ_BUFFER_BYTES)
        .write_buffer_size(0)
        .max_write_buffer_size(limits::SOCKET_WRITE_BUFFER_BYTES_MAX)
        .max_message_size(limits::MESSAGE_BYTES_MAX)
        .max_frame_size(limits::MESSAGE_BYTES_MAX)
        .on_upgrade(move |socket| tasks.track_future(Session::new(app, socket, pass).run()))
}

/// A stream that is watched.
struct Watching {
    seat: Seat,
    /// The number the client has seen; none before its first snapshot.
    cursor: Option<u64>,
    window: Window,
    /// The rows that the client has are of another window: it needs a whole board, whatever its number.
    window_changed: bool,
    /// The telling of presence that the client has heard.
    presence: u64,
    /// The player's own place as told last. Only for players.
    me: Option<Box<Place>>,
    /// When the place may be told again.
    me_due: Instant,
    /// Whether the board has moved since.
    me_stale: bool,
}

/// An open connection.
struct Session {
    app: App,
    socket: WebSocket,
    pass: Pass,
    /// Who it is; nobody for a spectator.
    identity: Option<Identity>,
    wake: Arc<Notify>,
    watching: Vec<Watching>,
    credits: Credits,
    opened: Instant,
    ends: Instant,
    ping_at: Instant,
    /// While a ping is not answered.
    pong_due: Option<Instant>,
    /// While a reader waits for events that the journal did not give.
    ask_again: Option<Instant>,
}

/// Why a connection ends.
enum End {
    /// The client went, or cannot be reached.
    Gone,
    /// We send it away.
    Bye { code: u16, reason: &'static str, after_ms: u64 },
}

impl End {
    /// Too large, not UTF-8, not a WebSocket; or the line broke, and then nobody hears the goodbye.
    const UNREADABLE: Self = Self::bye(close::VERSION, "frame_invalid");

    const fn bye(code: u16, reason: &'static str) -> Self {
        Self::Bye { code, reason, after_ms: 0 }
    }
}

impl Session {
    fn new(app: App, socket: WebSocket, pass: Pass) -> Self {
        let opened = Instant::now();
        let tenth = limits::SOCKET_AGE_MAX / 10;
        let first_ping = limits::PING_INTERVAL.mul_f64(rand::random_range(0.5..=1.0));
        Self {
            app,
            socket,
            pass,
            identity: None,
            wake: Arc::new(Notify::new()),
            watching: Vec::new(),
            credits: Credits::new(limits::COMMANDS_BURST, limits::COMMAND_REFILL),
            opened,
            ends: opened + limits::SOCKET_AGE_MAX - tenth + tenth.mul_f64(rand::random_range(0.0..=2.0)),
            ping_at: opened + first_ping,
            pong_due: None,
            ask_again: None,
        }
    }

    async fn run(mut self) {
        metrics::gauge!("lastbite_sockets").increment(1);
        let end = match self.greet().await {
            Ok(()) => self.live().await,
            Err(end) => end,
        };
        // Seats are given up before the goodbye, so that nobody counts who is leaving.
        self.watching.clear();
        if let End::Bye { code, reason, after_ms } = end {
            let reconnect = (1000..4500).contains(&code);
            let bye = ServerMessage::Bye { code, reason: reason.to_owned(), reconnect, after_ms };
            let frame = CloseFrame { code, reason: reason.into() };
            let goodbye = async {
                self.socket.send(Message::Text(text_of(&bye))).await?;
                metrics::counter!("lastbite_socket_byes_total", "reason" => reason).increment(1);
                self.socket.send(Message::Close(Some(frame))).await?;
                // The client's own close, so that what we wrote is not cut off by a reset.
                while let Some(Ok(_)) = self.socket.recv().await {}
                Ok::<_, axum::Error>(())
            };
            // Whoever does not read the goodbye does not get to hold the connection.
            let _unread = timeout(Duration::from_secs(1), goodbye).await;
        }
        metrics::gauge!("lastbite_sockets").decrement(1);
    }

    /// Waits for `hello` and answers it.
    async fn greet(&mut self) -> Result<(), End> {
        if self.socket.protocol().is_none_or(|protocol| protocol != SUBPROTOCOL) {
            return Err(End::bye(close::VERSION, "subprotocol_unsupported"));
        }
        let drain = self.app.shutdown.drain.clone();
        let first = tokio::select! {
            () = drain.cancelled() => return Err(Self::draining()),
            first = timeout(limits::HELLO_TIMEOUT, first_text(&mut self.socket)) => first,
        };
        let Ok(first) = first else { return Err(End::bye(close::VERSION, "hello_missing")) };
        let (id, token, streams) = match serde_json::from_str(first?.as_str()) {
            Ok(ClientMessage::Hello { id, client, token, streams })
                if client.chars().count() <= limits::CLIENT_NAME_CHARS_MAX
                    && streams.len() <= limits::STREAMS_PER_SOCKET_MAX =>
            {
                (id, token, streams)
            }
            _ => return Err(End::bye(close::VERSION, "hello_invalid")),
        };
        if let Some(token) = token {
            match self.app.auth.check(&token) {
                Ok(caller) => self.identify(caller),
                Err(error) => return Err(End::bye(close::AUTH, error.code())),
            }
        } else if !self.pass.seat_spectator() {
            return Err(End::Bye { code: close::OVERLOADED, reason: "too_many_spectators", after_ms: 10_000 });
        }
        self.send(&ServerMessage::Welcome {
            session: self.pass.session().to_string(),
            heartbeat_ms: u64::try_from(limits::PING_INTERVAL.as_millis()).unwrap_or(u64::MAX),
            server_time: self.app.clock.now(),
            clock_rate: self.app.clock.rate(),
        })
        .await?;
        for watch in streams {
            if let Err(refused) = self.watch(watch).await {
                self.refuse(Some(id), refused).await?;
            }
        }
        self.deliver().await
    }

    /// Reads and writes until one of the reasons to end.
    async fn live(&mut self) -> End {
        let drain = self.app.shutdown.drain.clone();
        let wake = Arc::clone(&self.wake);
        loop {
            let deadline = self.next_deadline();
            // In this order: what the client has said comes before what its silence means, and news come last, for in a
            // busy room there always are some.
            let done = tokio::select! {
                biased;
                () = drain.cancelled() => Err(Self::draining()),
                () = std::future::ready(()), if self.is_over() => Err(self.farewell()),
                message = self.socket.recv() => match message {
                    Some(Ok(message)) => self.hear(message).await,
                    Some(Err(_)) => Err(End::UNREADABLE),
                    None => Err(End::Gone),
                },
                () = tokio::time::sleep_until(deadline) => self.on_time().await,
                () = wake.notified() => self.deliver().await,
            };
            if let Err(end) = done {
                return end;
            }
        }
    }

    fn draining() -> End {
        let spread_ms = u64::try_from(limits::DRAIN_SPREAD.as_millis()).unwrap_or(u64::MAX);
        End::Bye { code: close::DRAINING, reason: "draining", after_ms: rand::random_range(0..spread_ms) }
    }

    fn next_deadline(&self) -> Instant {
        let me = self.watching.iter().filter(|watching| watching.me_stale).map(|watching| watching.me_due);
        let identity = self.identity.as_ref().map(|identity| identity.ends);
        me.chain(self.pong_due).chain(self.ask_again).chain(identity).fold(self.ends.min(self.ping_at), Instant::min)
    }

    async fn on_time(&mut self) -> Result<(), End> {
        let now = Instant::now();
        if now >= self.ends {
            return Err(End::bye(close::AGE, "age"));
        }
        if self.pong_due.is_some_and(|due| now >= due) {
            return Err(End::bye(close::SLOW, "no_pong"));
        }
        if now >= self.ping_at {
            self.ping_at = now + limits::PING_INTERVAL;
            self.pong_due.get_or_insert(now + limits::PONG_TIMEOUT);
            self.write(Message::Ping(bytes::Bytes::new())).await?;
        }
        if self.identity.as_ref().is_some_and(|identity| now >= identity.ends) {
            self.forget_identity().await?;
        }
        if self.ask_again.is_some_and(|due| now >= due) {
            self.ask_again = None;
            return self.deliver().await;
        }
        self.tell_places().await
    }

    async fn hear(&mut self, message: Message) -> Result<(), End> {
        self.pong_due = None;
        let text = match message {
            Message::Text(text) => text,
            Message::Binary(_) => return Err(End::bye(close::VERSION, "binary_frame")),
            Message::Close(_) => return Err(End::Gone),
            // The library answers pings; a flood of them costs credits like any other.
            Message::Ping(_) | Message::Pong(_) => return self.spend(),
        };
        self.spend()?;
        let (id, done) = match serde_json::from_str::<ClientMessage>(text.as_str()) {
            Err(_) => return self.refuse(readable_id(text.as_str()), Refused::UNREADABLE).await,
            Ok(ClientMessage::Hello { id, .. }) => (id, Err(Refused::HELLO_TWICE)),
            Ok(ClientMessage::Refresh { id, token }) => (id, self.refresh(&token)),
            Ok(ClientMessage::Ping { id }) => (id, Ok(())),
            Ok(ClientMessage::Watch { id, stream, n, window }) => (id, self.watch(Watch { stream, n, window }).await),
            Ok(ClientMessage::Unwatch { id, stream }) => (id, self.unwatch(stream)),
        };
        match done {
            Ok(()) => self.send(&ServerMessage::Ok { id }).await?,
            Err(refused) => self.refuse(Some(id), refused).await?,
        }
        self.deliver().await
    }

    fn spend(&mut self) -> Result<(), End> {
        if self.credits.spend(self.opened.elapsed()) {
            Ok(())
        } else {
            Err(End::Bye { code: close::TOO_FAST, reason: "too_fast", after_ms: 5_000 })
        }
    }

    /// Takes a seat in a room, or changes the window of the one it has.
    async fn watch(&mut self, watch: Watch) -> Result<(), Refused> {
        let Watch { stream, n, window } = watch;
        let Stream::Challenge(challenge) = stream;
        if let Some(watching) = self.watching.iter_mut().find(|watching| watching.seat.room().stream() == stream) {
            watching.window_changed |= watching.window != window;
            (watching.window, watching.cursor) = (window, n);
            Box::pin(self.app.rooms.come_to(watching.seat.room(), n.unwrap_or(0))).await;
            return Ok(());
        }
        if self.watching.len() >= limits::STREAMS_PER_SOCKET_MAX {
            return Err(Refused::TOO_MANY_STREAMS);
        }
        let seat = loop {
            // Opening is seldom: its state must not make every socket larger.
            let opening = Box::pin(timeout(limits::ROOM_OPEN_TIMEOUT, self.app.rooms.open(challenge)));
            let room = match opening.await {
                Ok(Ok(room)) => room,
                Ok(Err(OpenError::NotFound)) => return Err(Refused::NOT_FOUND),
                Ok(Err(OpenError::Away(_))) | Err(_) => return Err(Refused::AWAY),
            };
            // A room that closed between the two is opened anew.
            if let Some(seat) = room.enter(Arc::clone(&self.wake)) {
                break seat;
            }
        };
        Box::pin(self.app.rooms.come_to(seat.room(), n.unwrap_or(0))).await;
        let now = Instant::now();
        self.watching.push(Watching {
            seat,
            cursor: n,
            window,
            window_changed: false,
            presence: 0,
            me: None,
            me_due: now,
            me_stale: self.identity.is_some(),
        });
        Ok(())
    }

    fn unwatch(&mut self, stream: Stream) -> Result<(), Refused> {
        let before = self.watching.len();
        self.watching.retain(|watching| watching.seat.room().stream() != stream);
        if self.watching.len() < before { Ok(()) } else { Err(Refused::NOT_WATCHED) }
    }

    async fn refuse(&mut self, id: Option<u32>, refused: Refused) -> Result<(), End> {
        let Refused { code, retry } = refused;
        self.send(&ServerMessage::Error { id, code: code.to_owned(), retry }).await
    }

    async fn send(&mut self, message: &ServerMessage) -> Result<(), End> {
        self.write(Message::Text(text_of(message))).await
    }

    /// Writes one frame. A reader that does not take it in time is sent away, to come back and resume by number; so is
    /// one that still has much to read when the server drains.
    async fn write(&mut self, message: Message) -> Result<(), End> {
        let sent = tokio::select! {
            biased;
            sent = timeout(limits::WRITE_TIMEOUT, self.socket.send(message)) => sent,
            () = self.app.shutdown.drain.cancelled() => return Err(Self::draining()),
        };
        match sent {
            Ok(Ok(())) => {
                metrics::counter!("lastbite_deliveries_total").increment(1);
                Ok(())
            }
            Ok(Err(_)) => Err(End::Gone),
            Err(_) => Err(End::bye(close::SLOW, "slow")),
        }
    }
}

/// Why a command was not done.
#[derive(Clone, Copy)]
struct Refused {
    code: &'static str,
    retry: bool,
}

impl Refused {
    const UNREADABLE: Self = Self { code: "message_invalid", retry: false };
    const HELLO_TWICE: Self = Self { code: "hello_twice", retry: false };
    const TOO_MANY_STREAMS: Self = Self { code: "too_many_streams", retry: false };
    const OTHER_USER: Self = Self { code: "other_user", retry: false };
    const TOKEN_EXPIRED: Self = Self { code: "token_expired", retry: false };
    const NOT_FOUND: Self = Self { code: "not_found", retry: false };
    const NOT_WATCHED: Self = Self { code: "not_watched", retry: false };
    const AWAY: Self = Self { code: "database_away", retry: true };
}

/// The first text of a connection; pings before it are answered by the library.
async fn first_text(socket: &mut WebSocket) -> Result<Utf8Bytes, End> {
    loop {
        match socket.recv().await {
            Some(Ok(Message::Text(text))) => return Ok(text),
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
            Some(Ok(Message::Binary(_))) => return Err(End::bye(close::VERSION, "binary_frame")),
            Some(Err(_)) => return Err(End::UNREADABLE),
            Some(Ok(Message::Close(_))) | None => return Err(End::Gone),
        }
    }
}

/// The `id` of a message that is wrong otherwise.
fn readable_id(text: &str) -> Option<u32> {
    #[derive(serde::Deserialize)]
    struct Id {
        id: u32,
    }
    serde_json::from_str::<Id>(text).ok().map(|message| message.id)
}
