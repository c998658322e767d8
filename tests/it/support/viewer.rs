//! Somebody who watches over the socket, and folds what comes into a model as a real client does. Every message is held
//! against the promises of the protocol on the way.

use std::{collections::HashMap, net::SocketAddr};

use futures_util::{SinkExt, StreamExt};
use lastbite_protocol::{
    ChallengeId, Row, SortKey, Standing, Stream, UserId,
    rest::ChallengeStatus,
    socket::{ClientMessage, Counts, Happened, NumberedEvent, RankedRow, SUBPROTOCOL, ServerMessage, Watch, Window},
};
use tokio::net::TcpStream;
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream,
    tungstenite::{Message, client::IntoClientRequest, http::HeaderValue, protocol::CloseFrame},
};

use super::PATIENCE;

/// A socket that has not said anything.
pub(crate) type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// Opens a socket, with the protocol's name.
pub(crate) async fn connect(address: SocketAddr) -> Socket {
    tries_to_connect(address).await.expect("the server lets the socket in")
}

/// The same, when it may be refused.
pub(crate) async fn tries_to_connect(address: SocketAddr) -> Option<Socket> {
    let mut request = format!("ws://{address}/ws").into_client_request().unwrap();
    request.headers_mut().insert("sec-websocket-protocol", HeaderValue::from_static(SUBPROTOCOL));
    tokio_tungstenite::connect_async(request).await.ok().map(|(socket, _)| socket)
}

/// What a client knows of the one stream it watches.
#[derive(Debug, Default)]
pub(crate) struct Model {
    pub(crate) n: Option<u64>,
    pub(crate) status: Option<ChallengeStatus>,
    rows: HashMap<UserId, Row>,
    window: usize,
    pub(crate) counts: Counts,
    /// Every event heard, in order.
    pub(crate) events: Vec<NumberedEvent>,
    pub(crate) me: Option<Me>,
    pub(crate) watching: Option<u32>,
    pub(crate) snapshots: usize,
    pub(crate) ticks: usize,
    /// How far the user's own stream has come.
    pub(crate) own: u64,
    pub(crate) oks: Vec<u32>,
    pub(crate) errors: Vec<(Option<u32>, String)>,
    pub(crate) welcome: Option<ServerMessage>,
    pub(crate) bye: Option<ServerMessage>,
    pub(crate) closed: Option<Option<CloseFrame>>,
}

#[derive(Debug)]
pub(crate) struct Me {
    pub(crate) standing: Standing,
    pub(crate) rank: u32,
    pub(crate) around: Vec<RankedRow>,
}

impl Model {
    /// The rows as a page shows them: best first, with ranks.
    pub(crate) fn board(&self) -> Vec<(u32, &Row)> {
        let mut rows: Vec<_> = self.rows.values().collect();
        rows.sort_by_key(|row| (row.key, row.player));
        let keys: Vec<SortKey> = rows.iter().map(|row| row.key).collect();
        lastbite::rules::ranking::ranks(keys).zip(rows).collect()
    }

    /// The row of a player.
    pub(crate) fn row(&self, player: UserId) -> Option<&Row> {
        self.rows.get(&player)
    }

    /// Whether something happened.
    pub(crate) fn heard(&self, what: impl Fn(&Happened) -> bool) -> bool {
        self.events.iter().any(|event| what(&event.happened))
    }

    fn take(&mut self, message: ServerMessage) {
        match message {
            ServerMessage::Welcome { .. } => self.welcome = Some(message),
            ServerMessage::Ok { id } => self.oks.push(id),
            ServerMessage::Error { id, code, .. } => self.errors.push((id, code)),
            ServerMessage::Own { n } => self.own = self.own.max(n),
            ServerMessage::Snapshot { n, board, counts, .. } => {
                assert!(self.n.is_none_or(|seen| n >= seen), "a snapshot does not go back: {n} after {:?}", self.n);
                self.snapshots += 1;
                (self.n, self.status, self.counts) = (Some(n), Some(board.status), counts);
                self.window = usize::try_from(board.window).unwrap();
                self.rows = board.rows.into_iter().map(|row| (row.player, row)).collect();
            }
            ServerMessage::Tick { from, n, rows, removed, events, counts, .. } => {
                let seen = self.n.expect("a tick comes after a number");
                assert!(from <= seen && seen <= n, "ticks leave no gap: {from} to {n} after {seen}");
                assert!(from < n || rows.is_empty(), "missed events come without rows");
                self.ticks += 1;
                let known = self.events.last().map_or(0, |last| last.n).max(seen);
                (self.n, self.counts) = (Some(n), counts);
                for event in events.into_iter().filter(|event| event.n > known) {
                    self.hear(event);
                }
                self.rows.extend(rows.into_iter().map(|row| (row.player, row)));
                self.rows.retain(|player, _| !removed.contains(player));
                self.truncate();
            }
            ServerMessage::Me { standing, rank, around, .. } => self.me = Some(Me { standing, rank, around }),
            ServerMessage::Presence { watching, .. } => self.watching = Some(watching),
            ServerMessage::Bye { .. } => self.bye = Some(message),
        }
    }

    fn hear(&mut self, event: NumberedEvent) {
        assert!(self.events.last().is_none_or(|last| last.n < event.n), "events come in order: {event:?}");
        match &event.happened {
            Happened::DayOpened { .. } => self.status = Some(ChallengeStatus::Running),
            Happened::Finished { .. } => self.status = Some(ChallengeStatus::Finished),
            Happened::Cancelled { .. } => self.status = Some(ChallengeStatus::Cancelled),
            _ => {}
        }
        self.events.push(event);
    }

    fn truncate(&mut self) {
        if self.window > 0 && self.rows.len() > self.window {
            let kept: Vec<_> = self.board().into_iter().take(self.window).map(|(_, row)| row.player).collect();
            self.rows.retain(|player, _| kept.contains(player));
        }
    }
}

/// An open socket and what it has shown.
pub(crate) struct Viewer {
    pub(crate) model: Model,
    /// Every text that came, as it came.
    pub(crate) texts: Vec<String>,
    socket: Socket,
    next_id: u32,
}

impl Viewer {
    /// A viewer on a socket that is open already and has said nothing.
    pub(crate) fn on(socket: Socket) -> Self {
        Self { model: Model::default(), texts: Vec::new(), socket, next_id: 1 }
    }

    /// Says hello and watches a challenge; with the number seen already, if there is one.
    pub(crate) async fn watch(
        address: SocketAddr,
        token: Option<&str>,
        challenge: ChallengeId,
        seen: Option<u64>,
    ) -> Self {
        let mut viewer = Self::on(connect(address).await);
        viewer.model.n = seen;
        let watch = Watch { stream: Stream::Challenge(challenge), n: seen, window: Window::Top };
        viewer.hello(token, vec![watch]).await;
        viewer.sees("the welcome", |model| model.welcome.is_some()).await;
        if seen.is_none() {
            viewer.sees("a snapshot", |model| model.snapshots > 0).await;
        }
        viewer
    }

    /// Hangs up without a word and comes back to `address`, naming the number it has seen. The model goes on.
    pub(crate) async fn comes_back_to(&mut self, address: SocketAddr, challenge: ChallengeId) {
        self.socket = connect(address).await;
        (self.model.welcome, self.model.bye, self.model.closed) = (None, None, None);
        let watch = Watch { stream: Stream::Challenge(challenge), n: self.model.n, window: Window::Top };
        self.hello(None, vec![watch]).await;
        self.sees("the welcome", |model| model.welcome.is_some()).await;
    }

    pub(crate) async fn hello(&mut self, token: Option<&str>, streams: Vec<Watch>) -> u32 {
        let id = self.id();
        self.says(&ClientMessage::Hello { id, client: "test/1".to_owned(), token: token.map(str::to_owned), streams })
            .await;
        id
    }

    pub(crate) fn id(&mut self) -> u32 {
        self.next_id += 1;
        self.next_id
    }

    pub(crate) async fn says(&mut self, message: &ClientMessage) {
        self.sends(Message::text(serde_json::to_string(message).unwrap())).await;
    }

    /// Sends any frame. A server that has hung up already shows in what is read next.
    pub(crate) async fn sends(&mut self, message: Message) {
        let _hung_up = self.socket.send(message).await;
    }

    /// Reads until it is so. Fails with what the client knows when it never is.
    pub(crate) async fn sees(&mut self, what: &str, is_so: impl Fn(&Model) -> bool) {
        let reading = async {
            while !is_so(&self.model) {
                assert!(self.model.closed.is_none(), "the socket closed before: {what}\n{:#?}", self.model);
                self.read().await;
            }
        };
        if tokio::time::timeout(PATIENCE, reading).await.is_err() {
            panic!("never seen: {what}\n{:#?}", self.model);
        }
    }

    /// Reads on while something goes on that may take long: a client that does not read does not answer pings either, and
    /// is sent away.
    pub(crate) async fn reads_during<T>(&mut self, work: impl Future<Output = T>) -> T {
        let mut work = std::pin::pin!(work);
        loop {
            tokio::select! {
                done = &mut work => return done,
                () = self.read(), if self.model.closed.is_none() => {}
            }
        }
    }

    /// Reads until the server has closed. Answers the code.
    pub(crate) async fn sees_the_end(&mut self) -> Option<u16> {
        let reading = async {
            while self.model.closed.is_none() {
                self.read().await;
            }
        };
        tokio::time::timeout(PATIENCE, reading).await.expect("the socket is closed");
        self.model.closed.as_ref()?.as_ref().map(|frame| frame.code.into())
    }

    async fn read(&mut self) {
        match self.socket.next().await {
            Some(Ok(Message::Text(text))) => {
                let message = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
                self.texts.push(text.to_string());
                self.model.take(message);
            }
            Some(Ok(Message::Close(frame))) => self.model.closed = Some(frame),
            Some(Ok(_)) => {}
            Some(Err(_)) | None => self.model.closed = self.model.closed.take().or(Some(None)),
        }
    }
}
