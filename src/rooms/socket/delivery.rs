//! What a socket is given: everything after its cursors, the events it missed, and a player's own place.

use std::time::Duration;

use axum::extract::ws::Message;
use lastbite_protocol::socket::ServerMessage;
use tokio::time::Instant;

use super::{End, Session};
use crate::{
    limits,
    rooms::{
        board::Place,
        projection::{Delivery, Missed},
    },
};

/// Ticks taken from a room at a time.
const TICKS_AT_ONCE: usize = 32;
/// Times that a room is asked in a row.
const ROUNDS_AT_ONCE: usize = 8;
/// When the journal did not answer, it is asked again.
const ASK_AGAIN: Duration = Duration::from_secs(1);

impl Session {
    /// Writes everything that came after the cursors.
    pub(super) async fn deliver(&mut self) -> Result<(), End> {
        for at in 0..self.watching.len() {
            self.deliver_one(at).await?;
        }
        if let Some(n) = self.identity.as_mut().and_then(|identity| identity.connected.untold()) {
            self.send(&ServerMessage::Own { n }).await?;
        }
        self.tell_places().await
    }

    async fn deliver_one(&mut self, at: usize) -> Result<(), End> {
        for round in 0.. {
            if round == ROUNDS_AT_ONCE {
                // Slower than the room: its commands and its other streams have their turn first.
                self.wake.notify_one();
                break;
            }
            let watching = &mut self.watching[at];
            let room = watching.seat.room();
            let delivery = if watching.window_changed {
                room.read_board(watching.cursor, watching.window)
            } else {
                room.read(watching.cursor, watching.window, TICKS_AT_ONCE)
            };
            let (texts, n) = match delivery {
                Delivery::UpToDate => break,
                Delivery::Ticks { texts, n } => (texts, n),
                Delivery::Snapshot { text, n, missed } => {
                    if !self.tell_missed(at, missed, n).await? {
                        break;
                    }
                    self.watching[at].window_changed = false;
                    (vec![text], n)
                }
            };
            let watching = &mut self.watching[at];
            watching.cursor = Some(n);
            watching.me_stale = self.identity.is_some();
            for text in texts {
                self.write(Message::Text(text)).await?;
            }
        }
        let watching = &mut self.watching[at];
        let (told, text) = watching.seat.room().presence();
        if told > watching.presence {
            watching.presence = told;
            self.write(Message::Text(text)).await?;
        }
        Ok(())
    }

    /// Tells the events that a reader missed, in order, before the board that replaces its rows. Answers whether the board
    /// may follow now; if the journal does not answer, it is asked again soon.
    async fn tell_missed(&mut self, at: usize, missed: Missed, until: u64) -> Result<bool, End> {
        let own = self.watching[at].cursor.unwrap_or(until);
        let told = match missed {
            Missed::InJournal if until - own <= limits::MISSED_EVENTS_MAX => {
                // Seldom: its state must not make every socket larger.
                return Box::pin(self.tell_from_journal(at, own, until)).await;
            }
            Missed::InJournal => Vec::new(),
            Missed::Told(told) => told,
        };
        for text in told {
            self.write(Message::Text(text)).await?;
        }
        Ok(true)
    }

    async fn tell_from_journal(&mut self, at: usize, own: u64, until: u64) -> Result<bool, End> {
        metrics::counter!("lastbite_readers_lost_total").increment(1);
        let rooms = self.app.rooms.clone();
        let challenge = self.watching[at].seat.room().challenge();
        let mut seen = own;
        while seen < until {
            let asked = async {
                let _turn = rooms.0.catch_ups.acquire().await.ok()?;
                rooms.since(challenge, seen).await.ok()
            };
            // Bounded, because meanwhile this socket hears nothing; whoever has no turn yet comes again.
            let Ok(Some(mut events)) = tokio::time::timeout(limits::ROOM_OPEN_TIMEOUT, asked).await else {
                self.ask_again = Some(Instant::now() + ASK_AGAIN);
                return Ok(false);
            };
            events.retain(|event| event.n <= until);
            seen = events.last().map_or(until, |last| last.n);
            for text in self.watching[at].seat.room().tell(own, &events) {
                self.write(Message::Text(text)).await?;
            }
        }
        Ok(true)
    }

    /// Tells a player their own place, when it changed, at most twice a second.
    pub(super) async fn tell_places(&mut self) -> Result<(), End> {
        let Some(user) = self.user() else { return Ok(()) };
        let now = Instant::now();
        for at in 0..self.watching.len() {
            let watching = &mut self.watching[at];
            if !watching.me_stale || watching.me_due > now {
                continue;
            }
            watching.me_stale = false;
            watching.me_due = now + limits::ME_INTERVAL;
            let room = watching.seat.room();
            let Some(place) = room.place(user) else { continue };
            let same = |told: &Place| {
                (&told.standing, told.rank, &told.around) == (&place.standing, place.rank, &place.around)
            };
            if watching.me.as_deref().is_some_and(same) {
                continue;
            }
            let message = ServerMessage::Me {
                stream: room.stream(),
                n: place.n,
                standing: place.standing.clone(),
                rank: place.rank,
                around: place.around.clone(),
            };
            watching.me = Some(Box::new(place));
            self.send(&message).await?;
        }
        Ok(())
    }
}
