//! One socket that watches one stream, and comes back by number when it is cut.
//!
//! It reads of a message only what a cursor needs, so that ten thousand of them fit beside the server they measure;
//! the first spectator of a crowd, the witness, reads every message whole.

use std::{borrow::Cow, net::IpAddr, sync::Arc, time::Duration};

use anyhow::{Context as _, bail};
use chrono::{DateTime, Utc};
use futures_util::{SinkExt as _, StreamExt as _};
use lastbite_protocol::{
    Stream,
    rest::ChallengeStatus,
    socket::{ClientMessage, Happened, SUBPROTOCOL, ServerMessage, Watch, Window},
};
use serde::Deserialize;
use tokio::{
    net::{TcpSocket, TcpStream},
    sync::{mpsc, watch},
    time::{Instant, sleep, timeout},
};
use tokio_tungstenite::{
    WebSocketStream, client_async_with_config,
    tungstenite::{
        Error as WsError, Message, client::IntoClientRequest as _, http::HeaderValue, protocol::WebSocketConfig,
    },
};

use crate::{arrivals::Arrival, crowd::Tally, target::Target};

type Socket = WebSocketStream<TcpStream>;

const OPEN_TIMEOUT: Duration = Duration::from_secs(20);
const OPEN_TRIES: u32 = 6;
const RETRY_DELAY_FIRST: Duration = Duration::from_millis(250);
const RETRY_DELAY_MAX: Duration = Duration::from_secs(4);
/// Small, so that many sockets fit; a greater message makes the buffer grow.
const READ_BUFFER_BYTES: usize = 4096;
/// A server sends no frame above 64 KiB; a snapshot may be larger than a frame.
const MESSAGE_BYTES_MAX: usize = 1 << 20;

/// When a spectator is to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Finish {
    /// Not yet.
    Open,
    /// When it has seen this number.
    At(u64),
    /// Now.
    Now,
}

/// How long the first opening took, from its beginning.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Opened {
    pub(crate) welcome: Duration,
    pub(crate) snapshot: Duration,
}

/// What a spectator is made of.
#[derive(Debug)]
pub(crate) struct Spectator {
    pub(crate) target: Target,
    pub(crate) stream: Stream,
    pub(crate) source: Option<IpAddr>,
    /// Where the crowd counts.
    pub(crate) tally: Arc<Tally>,
    /// Told once: opened, or given up with this code.
    pub(crate) opened: mpsc::Sender<Result<Opened, String>>,
    pub(crate) finish: watch::Receiver<Finish>,
    /// Reads every message whole and tells when a day is open.
    pub(crate) witness: Option<watch::Sender<bool>>,
    /// The beginning of the run's time.
    pub(crate) epoch: Instant,
    /// How many arrivals are kept at most.
    pub(crate) arrivals_max: usize,
}

/// Where a spectator is in the stream.
#[derive(Debug, Default)]
struct Cursor {
    n: Option<u64>,
    arrivals: Vec<Arrival>,
}

/// Why a session ended.
enum End {
    /// Because the run did.
    Finished,
    /// The connection was lost or the server closed it; to be opened again after this pause, or never.
    Cut { code: String, reconnect_after: Option<Duration> },
}

/// As much of a message as a cursor needs.
#[derive(Deserialize)]
struct Glance<'a> {
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
    from: Option<u64>,
    n: Option<u64>,
}

impl Spectator {
    /// Watches until the run ends, or until the server cannot be reached any more. Gives back what was seen when.
    pub(crate) async fn watch(mut self) -> Vec<Arrival> {
        let mut cursor = Cursor::default();
        let begun = Instant::now();
        let mut first = Some(begun);
        let (mut tries, mut delay) = (0, RETRY_DELAY_FIRST);
        let mut finish = self.finish.clone();
        while tries < OPEN_TRIES {
            tries += 1;
            let opening = tokio::select! {
                opening = self.open(cursor.n) => opening,
                _ = finish.wait_for(|finish| *finish == Finish::Now) => return cursor.arrivals,
            };
            let pause = match opening {
                Ok(socket) => match self.session(socket, &mut cursor, &mut first, begun.elapsed()).await {
                    End::Finished => return cursor.arrivals,
                    End::Cut { code, reconnect_after } => {
                        self.tally.error(&code);
                        // Whoever got as far as the stream has every try again.
                        if cursor.n.is_some() {
                            (tries, delay) = (0, RETRY_DELAY_FIRST);
                        }
                        reconnect_after
                    }
                },
                Err(code) => {
                    self.tally.error(&code);
                    delay = (delay * 2).min(RETRY_DELAY_MAX);
                    Some(delay)
                }
            };
            let Some(pause) = pause else { break };
            tokio::select! {
                () = sleep(pause) => {}
                _ = finish.wait_for(|finish| *finish == Finish::Now) => return cursor.arrivals,
            }
        }
        if first.is_some() {
            self.tell_opened(Err("given up".to_owned())).await;
        }
        cursor.arrivals
    }

    /// Opens a connection up to and with `welcome`.
    async fn open(&self, n: Option<u64>) -> Result<Socket, String> {
        let hello = Watch { stream: self.stream, n, window: Window::Top };
        match timeout(OPEN_TIMEOUT, greet(&self.target, self.source, vec![hello])).await {
            Ok(Ok((socket, _))) => Ok(socket),
            Ok(Err(error)) => Err(code_of(&error)),
            Err(_) => Err("open timeout".to_owned()),
        }
    }

    /// Reads until the end of the connection or of the run.
    async fn session(
        &mut self,
        mut socket: Socket,
        cursor: &mut Cursor,
        first: &mut Option<Instant>,
        welcome: Duration,
    ) -> End {
        let _live = self.tally.live();
        let mut resuming = cursor.n.is_some();
        loop {
            if self.done(cursor.n) {
                // The server hears of it; nobody waits for its answer.
                drop(timeout(Duration::from_secs(1), socket.close(None)).await);
                return End::Finished;
            }
            let message = tokio::select! {
                message = socket.next() => message,
                changed = self.finish.changed() => match changed {
                    Ok(()) => continue,
                    Err(_) => return End::Finished,
                },
            };
            let text = match message {
                Some(Ok(Message::Text(text))) => text,
                Some(Ok(Message::Close(frame))) => {
                    let code = frame.map_or_else(|| "close".to_owned(), |it| format!("close {}", u16::from(it.code)));
                    return End::Cut { code, reconnect_after: Some(RETRY_DELAY_FIRST) };
                }
                Some(Ok(_)) => continue,
                Some(Err(error)) => return cut(&code_of(&error.into())),
                None => return cut("lost"),
            };
            self.tally.received(text.len());
            let Ok(glance) = serde_json::from_str::<Glance<'_>>(&text) else {
                self.tally.error("unreadable message");
                continue;
            };
            match (&*glance.kind, glance.from, glance.n) {
                ("tick", Some(from), Some(n)) => {
                    self.tally.tick();
                    // Missed events that come before a board stay at their number: that is no resume yet.
                    if resuming && from < n {
                        resuming = false;
                        self.tally.resumed();
                    }
                    self.take_tick(cursor, from, n);
                }
                ("snapshot", _, Some(n)) => {
                    self.tally.snapshot(resuming);
                    resuming = false;
                    self.arrived(cursor, n);
                    if let Some(begun) = first.take() {
                        self.tell_opened(Ok(Opened { welcome, snapshot: begun.elapsed() })).await;
                    }
                }
                ("bye" | "error", ..) => {
                    if let Some(end) = self.read_farewell(&text) {
                        return end;
                    }
                }
                _ => {}
            }
            if self.witness.is_some() {
                self.read_whole(&text);
            }
        }
    }

    fn done(&self, n: Option<u64>) -> bool {
        match *self.finish.borrow() {
            Finish::Open => false,
            Finish::At(last) => n.is_some_and(|n| n >= last),
            Finish::Now => true,
        }
    }

    /// A tick is taken when it builds on what is known; otherwise there is a gap, which a snapshot will close.
    fn take_tick(&self, cursor: &mut Cursor, from: u64, n: u64) {
        match cursor.n {
            Some(seen) if from <= seen => {
                if n > seen {
                    self.arrived(cursor, n);
                }
            }
            _ => self.tally.gap(),
        }
    }

    fn arrived(&self, cursor: &mut Cursor, n: u64) {
        cursor.n = Some(n);
        if cursor.arrivals.len() < self.arrivals_max {
            let at_us = u32::try_from(self.epoch.elapsed().as_micros()).unwrap_or(u32::MAX);
            // A snapshot may be older than what was seen; the numbers of the arrivals ascend.
            if cursor.arrivals.last().is_none_or(|last| last.n < n) {
                cursor.arrivals.push(Arrival { n, at_us });
            }
        }
    }

    /// `bye` ends the session in the way it says; an `error` is counted.
    fn read_farewell(&self, text: &str) -> Option<End> {
        match serde_json::from_str(text) {
            Ok(ServerMessage::Bye { code, reason, reconnect, after_ms }) => Some(End::Cut {
                code: format!("bye {code} {reason}"),
                reconnect_after: reconnect.then_some(Duration::from_millis(after_ms)),
            }),
            Ok(ServerMessage::Error { code, .. }) => {
                self.tally.error(&format!("error {code}"));
                None
            }
            _ => None,
        }
    }

    /// The witness: is every message what the protocol says, how many rows travel, is a day open?
    fn read_whole(&self, text: &str) {
        let day_is_open = match serde_json::from_str(text) {
            Ok(ServerMessage::Snapshot { board, .. }) => board.status == ChallengeStatus::Running,
            Ok(ServerMessage::Tick { rows, events, .. }) => {
                self.tally.witnessed(rows.len());
                events.iter().any(|event| matches!(event.happened, Happened::DayOpened { .. }))
            }
            Ok(_) => false,
            Err(_) => {
                self.tally.error("message against the protocol");
                false
            }
        };
        if let Some(witness) = self.witness.as_ref().filter(|_| day_is_open) {
            witness.send_replace(true);
        }
    }

    async fn tell_opened(&self, outcome: Result<Opened, String>) {
        // When nobody listens any more, the run has ended.
        drop(self.opened.send(outcome).await);
    }
}

/// The server's clock of play, and how fast it runs.
pub(crate) async fn server_time(target: &Target) -> anyhow::Result<(DateTime<Utc>, u32)> {
    let (mut socket, welcome) = timeout(OPEN_TIMEOUT, greet(target, None, Vec::new())).await??;
    drop(timeout(Duration::from_secs(1), socket.close(None)).await);
    Ok(welcome)
}

/// Connects, says hello, and waits for `welcome`.
async fn greet(
    target: &Target,
    source: Option<IpAddr>,
    streams: Vec<Watch>,
) -> anyhow::Result<(Socket, (DateTime<Utc>, u32))> {
    let tcp = if target.address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    if let Some(source) = source {
        tcp.bind((source, 0).into())?;
    }
    let tcp = tcp.connect(target.address).await?;
    tcp.set_nodelay(true)?;
    let mut request = format!("ws{}/ws", target.url.trim_start_matches("http")).into_client_request()?;
    request.headers_mut().insert("Sec-WebSocket-Protocol", HeaderValue::from_static(SUBPROTOCOL));
    let config = WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER_BYTES)
        .write_buffer_size(0)
        .max_write_buffer_size(16 * 1024)
        .max_message_size(Some(MESSAGE_BYTES_MAX))
        .max_frame_size(Some(MESSAGE_BYTES_MAX));
    let (mut socket, _) = client_async_with_config(request, tcp, Some(config)).await?;
    let client = concat!("loadtest/", env!("CARGO_PKG_VERSION")).to_owned();
    let hello = ClientMessage::Hello { id: 1, client, token: None, streams };
    socket.send(Message::text(serde_json::to_string(&hello)?)).await?;
    while let Some(message) = socket.next().await {
        let Message::Text(text) = message? else { continue };
        match serde_json::from_str(&text).context("unreadable message")? {
            ServerMessage::Welcome { server_time, clock_rate, .. } => return Ok((socket, (server_time, clock_rate))),
            ServerMessage::Bye { code, reason, .. } => bail!("bye {code} {reason}"),
            ServerMessage::Error { code, .. } => bail!("error {code}"),
            _ => {}
        }
    }
    bail!("lost")
}

fn cut(code: &str) -> End {
    End::Cut { code: code.to_owned(), reconnect_after: Some(RETRY_DELAY_FIRST) }
}

/// A short name under which alike errors are counted together.
fn code_of(error: &anyhow::Error) -> String {
    if let Some(WsError::Http(answer)) = error.downcast_ref() {
        return format!("upgrade http {}", answer.status().as_u16());
    }
    let io = match error.downcast_ref() {
        Some(WsError::Io(io)) => Some(io),
        _ => error.downcast_ref::<std::io::Error>(),
    };
    io.map_or_else(|| error.to_string(), |io| format!("io {}", io.kind()))
}
