//! The socket: `GET /ws`, subprotocol [`SUBPROTOCOL`], JSON text frames, one object a frame, tagged by `type`.
//!
//! The first message is `hello`, within five seconds. Every stream has numbers without gaps; a client keeps the number
//! `n` it has seen of each and names it when it comes back. A `tick` is to be taken when its `from` is at most the
//! client's `n`: its rows replace those with the same player, and of its events those are new whose number is above the
//! last one the client knows of, by an event or by a snapshot. A tick whose `from` is greater shows a gap, which a
//! `snapshot` will close. A tick that stays at its `from` tells events that were missed; the rows follow in a `snapshot`.
//! Unknown types and fields are to be passed over.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{Row, Standing, Stream, UserId, rest::ChallengeStatus};

/// The name of this protocol in the handshake.
pub const SUBPROTOCOL: &str = "lastbite.v1";

/// What a client says. Each message has an `id` of its own, which its `ok` or `error` repeats.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum ClientMessage {
    /// Opens the session and resumes every stream at once. Without a token the client is a spectator.
    Hello {
        /// The message's own number.
        id: u32,
        /// Name and version of the client, at most 64 characters.
        client: String,
        /// An access token.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        token: Option<String>,
        /// What to watch from the start, at most 32 streams.
        #[serde(default)]
        streams: Vec<Watch>,
    },
    /// Watches one more stream, or the same with another window.
    Watch {
        /// The message's own number.
        id: u32,
        /// Which stream.
        stream: Stream,
        /// The number the client has seen already; none asks for a snapshot.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        n: Option<u64>,
        /// Which rows.
        #[serde(default)]
        window: Window,
    },
    /// Stops watching.
    Unwatch {
        /// The message's own number.
        id: u32,
        /// Which stream.
        stream: Stream,
    },
    /// Shows the next access token of the same user, so that the session goes on without reconnecting.
    Refresh {
        /// The message's own number.
        id: u32,
        /// An access token.
        token: String,
    },
    /// Asks for an `ok`.
    Ping {
        /// The message's own number.
        id: u32,
    },
}

/// A wish to watch a stream. A number belongs to the rows it was seen with: who comes back with another window leaves it
/// out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Watch {
    /// Which stream.
    pub stream: Stream,
    /// The number the client has seen already; none asks for a snapshot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub n: Option<u64>,
    /// Which rows.
    #[serde(default)]
    pub window: Window,
}

/// Which rows of a board are wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Window {
    /// The best rows, and for a player `me` too.
    #[default]
    Top,
    /// Only the player's own neighbourhood by `me`; ticks carry events and counts, and no rows.
    Around,
}

/// What the server says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ServerMessage {
    /// The session is open.
    Welcome {
        /// Names the session in a report of trouble.
        session: String,
        /// The server pings at about this interval.
        heartbeat_ms: u64,
        /// The server's clock of play.
        server_time: DateTime<Utc>,
        /// How many seconds of play pass in one second: 1, unless the server plays a demo.
        clock_rate: u32,
    },
    /// The message with this `id` was done.
    Ok {
        /// The client's number.
        id: u32,
    },
    /// A message was not done. The session goes on.
    Error {
        /// The client's number, when it could be read.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        id: Option<u32>,
        /// A stable code.
        code: String,
        /// Whether the same message may work later.
        retry: bool,
    },
    /// The caller's own stream has come to number `n`; what happened is read at `GET /accounts/me/events`. Told soon
    /// after `hello` when anything has, and whenever it goes on.
    Own {
        /// The number of its last event.
        n: u64,
    },
    /// A whole board at number `n`; replaces what the client had of the stream.
    Snapshot {
        /// Of which stream.
        stream: Stream,
        /// The number of the last event in it.
        n: u64,
        /// The board.
        board: Board,
        /// How many play.
        counts: Counts,
    },
    /// What changed after `from`, up to `n`.
    Tick {
        /// Of which stream.
        stream: Stream,
        /// The number this builds on.
        from: u64,
        /// The number it leads to.
        n: u64,
        /// Rows that changed or came into the window, in their newest state.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        rows: Vec<Row>,
        /// Players whose rows are gone.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        removed: Vec<UserId>,
        /// What happened, in order.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        events: Vec<NumberedEvent>,
        /// How many play.
        counts: Counts,
    },
    /// The player's own place, newest state only.
    Me {
        /// Of which stream.
        stream: Stream,
        /// The number it was read at.
        n: u64,
        /// The player's standing.
        standing: Standing,
        /// The player's rank.
        rank: u32,
        /// The rows next to the player's, their own among them, best first.
        around: Vec<RankedRow>,
    },
    /// How many watch; may be lost, at most one a second.
    Presence {
        /// Of which stream.
        stream: Stream,
        /// Sockets that watch it.
        watching: u32,
    },
    /// The server is about to close the connection.
    Bye {
        /// The close code that will follow; see [`close`].
        code: u16,
        /// The reason as a stable word.
        reason: String,
        /// Whether to come back.
        reconnect: bool,
        /// How long to wait before.
        after_ms: u64,
    },
}

/// A board: the state of a challenge and the rows of a window.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Board {
    /// The challenge's title.
    pub title: String,
    /// Whether it runs.
    pub status: ChallengeStatus,
    /// How many days are played.
    pub days: u16,
    /// Lives at the start.
    pub lives: u8,
    /// The day that is being played.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub day: Option<DayClock>,
    /// When the first day begins.
    pub starts_at: DateTime<Utc>,
    /// How many of the best rows a tick keeps up to date.
    pub window: u32,
    /// The rows, best first.
    pub rows: Vec<Row>,
}

/// A day of a challenge on the clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DayClock {
    /// Which day, from 1.
    pub day: u16,
    /// Its first instant.
    pub starts_at: DateTime<Utc>,
    /// The first instant after it.
    pub ends_at: DateTime<Utc>,
    /// When its log closes and it is judged.
    pub closes_at: DateTime<Utc>,
}

/// How many play.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Counts {
    /// All who joined and did not leave before the start.
    pub players: u32,
    /// Still in, or survived.
    pub alive: u32,
    /// Eliminated.
    pub out: u32,
    /// Left while it was running.
    pub left: u32,
}

/// A row with its rank.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RankedRow {
    /// Shared by equal rows; the next is skipped.
    pub rank: u32,
    /// The row.
    #[serde(flatten)]
    pub row: Row,
}

/// An event with its number in the stream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NumberedEvent {
    /// Its number.
    pub n: u64,
    /// When it was committed, on the clock of play.
    pub at: DateTime<Utc>,
    /// What happened.
    #[serde(flatten)]
    pub happened: Happened,
}

/// What happened in a challenge, as everyone who watches may know it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Happened {
    /// Somebody came.
    Joined {
        /// Who.
        player: UserId,
        /// Their name.
        nickname: String,
    },
    /// Somebody went; without a day it was before the start.
    Left {
        /// Who.
        player: UserId,
        /// Their name.
        nickname: String,
        /// On which day.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        day: Option<u16>,
    },
    /// A day began.
    DayOpened {
        /// Its clock.
        #[serde(flatten)]
        clock: DayClock,
    },
    /// A player is out.
    Eliminated {
        /// Who.
        player: UserId,
        /// Their name.
        nickname: String,
        /// On which day.
        day: u16,
    },
    /// A day was judged.
    DayClosed {
        /// Which.
        day: u16,
        /// Players who kept it.
        kept: u32,
        /// Players who missed it, the eliminated ones included.
        missed: u32,
        /// Players eliminated on it.
        eliminated: u32,
        /// Players still in.
        alive: u32,
    },
    /// The challenge ended.
    Finished {
        /// Who won, alone or together: rank 1, or those who fell together on the day that left nobody in. At most 10 are
        /// named.
        champions: Vec<Champion>,
        /// How many share it.
        champions_total: u32,
        /// How many survived.
        survivors: u32,
    },
    /// The challenge did not begin: too few had joined.
    Cancelled {
        /// How many had.
        players: u32,
    },
}

/// A winner.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Champion {
    /// Who.
    pub player: UserId,
    /// Their name.
    pub nickname: String,
}

/// Close codes of the server, beside those of RFC 6455. From 4000 come back, from 4500 stay away.
pub mod close {
    /// The server is being restarted: come back after the time `bye` names.
    pub const DRAINING: u16 = 1012;
    /// The server has no room: come back later.
    pub const OVERLOADED: u16 = 1013;
    /// The connection is old enough: come back at once.
    pub const AGE: u16 = 4001;
    /// The client reads too slowly: come back and resume by number.
    pub const SLOW: u16 = 4008;
    /// The client sends too much: come back after a pause.
    pub const TOO_FAST: u16 = 4029;
    /// The token does not name anybody: sign in first.
    pub const AUTH: u16 = 4501;
    /// The session has ended, by the user or by who looks after the place: sign in again.
    pub const REVOKED: u16 = 4502;
    /// The user has opened more sockets than one may have, and this is the oldest.
    pub const REPLACED: u16 = 4504;
    /// The client does not speak this protocol.
    pub const VERSION: u16 = 4505;
}
