//! Which sessions have ended while their access tokens could still be shown, and which sockets belong to whom.
//!
//! A session that ends is written in Postgres; the node that does it hears of it at once, the others look every half
//! second. So a token is refused, and a socket closed, within a second everywhere.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicU8, AtomicU64, Ordering},
    },
    time::Instant,
};

use chrono::{DateTime, Utc};
use dashmap::DashMap;
use lastbite_protocol::{SessionId, UserId};
use parking_lot::RwLock;
use sqlx::PgPool;
use tokio::sync::Notify;

use crate::limits;

/// Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Live(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    /// Sessions that have ended, since when this node knows.
    ended: RwLock<HashMap<SessionId, Instant>>,
    sockets: DashMap<UserId, Vec<Socket>>,
    opened: AtomicU64,
}

#[derive(Debug)]
struct Socket {
    number: u64,
    session: SessionId,
    notice: Arc<Notice>,
}

/// What a socket has to hear of, and how it is woken.
#[derive(Debug)]
struct Notice {
    fate: AtomicU8,
    /// The last number of the user's own stream.
    own: AtomicU64,
    wake: Arc<Notify>,
}

/// What became of the right to a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Nothing: it goes on.
    Open,
    /// Its session has ended.
    Revoked,
    /// The same user has opened too many others since.
    Replaced,
}

impl Live {
    /// Whether a session has ended.
    #[must_use]
    pub fn has_ended(&self, session: SessionId) -> bool {
        self.0.ended.read().contains_key(&session)
    }

    /// Sessions have ended; said after the commit.
    pub fn end(&self, sessions: impl IntoIterator<Item = (UserId, SessionId)>) {
        for (user, session) in sessions {
            if self.0.ended.write().insert(session, Instant::now()).is_some() {
                continue;
            }
            let Some(sockets) = self.0.sockets.get(&user) else { continue };
            for socket in sockets.iter().filter(|socket| socket.session == session) {
                socket.notice.say(Fate::Revoked);
            }
        }
    }

    /// A socket says whose it is. With more than a user may have, the oldest is told to go.
    #[must_use]
    pub fn connect(&self, user: UserId, session: SessionId, wake: Arc<Notify>) -> Connected {
        let number = self.0.opened.fetch_add(1, Ordering::Relaxed);
        let notice = Arc::new(Notice { fate: AtomicU8::new(0), own: AtomicU64::new(0), wake });
        let mut sockets = self.0.sockets.entry(user).or_default();
        sockets.push(Socket { number, session, notice: Arc::clone(&notice) });
        let staying = |socket: &&Socket| socket.notice.fate() == Fate::Open;
        if sockets.iter().filter(staying).count() > limits::SOCKETS_PER_USER_MAX
            && let Some(oldest) = sockets.iter().find(staying)
        {
            oldest.notice.say(Fate::Replaced);
        }
        drop(sockets);
        // It may have ended between the check of its token and this.
        if self.has_ended(session) {
            notice.say(Fate::Revoked);
        }
        Connected { live: self.clone(), user, session, number, notice, told: 0 }
    }

    /// A user's own stream has come to this number: their sockets are to tell it.
    pub fn tell(&self, user: UserId, n: u64) {
        let Some(sockets) = self.0.sockets.get(&user) else { return };
        for socket in sockets.iter() {
            if socket.notice.own.fetch_max(n, Ordering::AcqRel) < n {
                socket.notice.wake.notify_one();
            }
        }
    }

    /// Everybody who has a socket here.
    #[must_use]
    pub fn connected(&self) -> Vec<UserId> {
        self.0.sockets.iter().map(|entry| *entry.key()).collect()
    }

    /// Looks which sessions others have ended, and forgets those whose last token is no good any more.
    ///
    /// # Errors
    /// Postgres is away.
    pub async fn look(&self, pool: &PgPool, wall: DateTime<Utc>) -> Result<(), sqlx::Error> {
        let ended =
            sqlx::query!("select id, user_id from sessions where ended_at > $1", wall - limits::ENDED_SESSION_KEPT)
                .fetch_all(pool)
                .await?;
        self.end(ended.into_iter().map(|row| (row.user_id.into(), row.id.into())));
        self.0.ended.write().retain(|_, since| since.elapsed() < limits::ENDED_SESSION_KEPT);
        Ok(())
    }
}

impl Notice {
    fn fate(&self) -> Fate {
        match self.fate.load(Ordering::Acquire) {
            0 => Fate::Open,
            1 => Fate::Revoked,
            _ => Fate::Replaced,
        }
    }

    fn say(&self, fate: Fate) {
        self.fate.store(fate as u8, Ordering::Release);
        self.wake.notify_one();
    }
}

/// A socket that belongs to a user; dropping it forgets it.
#[derive(Debug)]
pub struct Connected {
    live: Live,
    user: UserId,
    session: SessionId,
    number: u64,
    notice: Arc<Notice>,
    /// The number of the user's own stream that the socket has told.
    told: u64,
}

impl Connected {
    /// Whose it is.
    #[must_use]
    pub const fn user(&self) -> UserId {
        self.user
    }

    /// By which session.
    #[must_use]
    pub const fn session(&self) -> SessionId {
        self.session
    }

    /// Whether it may go on.
    #[must_use]
    pub fn fate(&self) -> Fate {
        self.notice.fate()
    }

    /// The number of the user's own stream, if it has not been told yet; now it has.
    pub fn untold(&mut self) -> Option<u64> {
        let own = self.notice.own.load(Ordering::Acquire);
        (own > self.told).then(|| {
            self.told = own;
            own
        })
    }
}

impl Drop for Connected {
    fn drop(&mut self) {
        if let Some(mut sockets) = self.live.0.sockets.get_mut(&self.user) {
            sockets.retain(|socket| socket.number != self.number);
        }
        self.live.0.sockets.remove_if(&self.user, |_, sockets| sockets.is_empty());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_socket_tells_each_number_of_its_users_stream_once_and_never_an_older_one() {
        let (live, mina, jun) = (Live::default(), UserId::generate(), UserId::generate());
        let open = |user| live.connect(user, SessionId::generate(), Arc::default());
        let (mut phone, mut laptop, mut other) = (open(mina), open(mina), open(jun));
        assert_eq!(phone.untold(), None);
        live.tell(mina, 7);
        live.tell(mina, 5);
        assert_eq!((phone.untold(), phone.untold()), (Some(7), None));
        live.tell(mina, 8);
        assert_eq!((phone.untold(), laptop.untold(), other.untold()), (Some(8), Some(8), None));
    }

    #[test]
    fn a_user_keeps_the_newest_sockets_and_each_of_an_ended_session_is_told() {
        let (live, user) = (Live::default(), UserId::generate());
        let (phone, laptop) = (SessionId::generate(), SessionId::generate());
        let open = |session| live.connect(user, session, Arc::default());
        let mut sockets: Vec<_> = [phone; 3].into_iter().chain([laptop; 3]).map(open).collect();
        let fates = |sockets: &[Connected]| sockets.iter().map(Connected::fate).collect::<Vec<_>>();
        let open_five = [Fate::Open; 5];
        assert_eq!(fates(&sockets[..1]), [Fate::Replaced], "the sixth replaces the first");
        assert_eq!(fates(&sockets[1..]), open_five);
        drop(sockets.remove(0));
        live.end([(user, laptop)]);
        assert_eq!(fates(&sockets), [Fate::Open, Fate::Open, Fate::Revoked, Fate::Revoked, Fate::Revoked]);
        assert!(live.has_ended(laptop) && !live.has_ended(phone));
        assert_eq!(open(laptop).fate(), Fate::Revoked, "who comes with an ended session is told at once");
        drop(sockets);
        assert!(live.0.sockets.is_empty(), "nothing is left of who has gone");
    }
}
