//! Whose socket it is: from a token, as long as that is good and its session goes on.

use std::sync::Arc;

use chrono::TimeDelta;
use lastbite_protocol::{UserId, socket::close};
use tokio::time::Instant;

use super::{End, Refused, Session};
use crate::{
    auth::{
        Caller,
        live::{Connected, Fate},
    },
    limits,
};

/// Somebody who has shown a token, as long as it is good.
pub(super) struct Identity {
    /// Boxed, as are the other parts that few sockets have: each of ten thousand pays for it.
    pub(super) connected: Box<Connected>,
    pub(super) ends: Instant,
}

impl Session {
    /// Takes an identity for as long as the token is good, with the leeway that it has elsewhere.
    pub(super) fn identify(&mut self, caller: Caller) {
        let leeway = TimeDelta::seconds(limits::ACCESS_TOKEN_LEEWAY_S.cast_signed());
        let good_for = (caller.expires_at + leeway - self.app.clock.wall()).to_std().unwrap_or_default();
        let ends = Instant::now() + good_for;
        match &mut self.identity {
            Some(identity) if identity.connected.session() == caller.session => identity.ends = ends,
            identity => {
                let connected = self.app.auth.live.connect(caller.user, caller.session, Arc::clone(&self.wake));
                *identity = Some(Identity { connected: Box::new(connected), ends });
            }
        }
    }

    pub(super) fn user(&self) -> Option<UserId> {
        self.identity.as_ref().map(|identity| identity.connected.user())
    }

    /// Whether who it is may not be here any more.
    pub(super) fn is_over(&self) -> bool {
        self.identity.as_ref().is_some_and(|identity| identity.connected.fate() != Fate::Open)
    }

    pub(super) fn farewell(&self) -> End {
        match self.identity.as_ref().map(|identity| identity.connected.fate()) {
            Some(Fate::Replaced) => End::bye(close::REPLACED, "replaced"),
            _ => End::bye(close::REVOKED, "session_ended"),
        }
    }

    /// The token has ended and no other one was shown: from here on it is anybody's socket.
    pub(super) async fn forget_identity(&mut self) -> Result<(), End> {
        self.identity = None;
        for watching in &mut self.watching {
            (watching.me, watching.me_stale) = (None, false);
        }
        self.refuse(None, Refused::TOKEN_EXPIRED).await
    }

    /// The next token of the same user.
    pub(super) fn refresh(&mut self, token: &str) -> Result<(), Refused> {
        let caller = self.app.auth.check(token).map_err(|error| Refused { code: error.code(), retry: false })?;
        if self.user().is_some_and(|user| user != caller.user) {
            return Err(Refused::OTHER_USER);
        }
        self.identify(caller);
        for watching in &mut self.watching {
            watching.me_stale = true;
        }
        Ok(())
    }
}
