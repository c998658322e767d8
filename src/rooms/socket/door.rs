//! Who may open a socket: not more than the node holds, nor more or faster than one address may, and browsers only from
//! pages we know.

use std::{
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use dashmap::DashMap;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use uuid::Uuid;

use super::Credits;
use crate::{auth::network_of, error::ApiError, limits};

/// Addresses that hold nothing and have all their upgrades back are forgotten once in so many entries.
const FORGET_EVERY: usize = 1024;

/// The way in for sockets. Clones share it.
#[derive(Clone, Debug)]
pub struct Door(Arc<Frame>);

#[derive(Debug)]
struct Frame {
    allowed_origins: Vec<HeaderValue>,
    per_address: usize,
    held: DashMap<IpAddr, Held>,
    opened: Instant,
    entered: AtomicUsize,
    /// Places for the sockets of this node.
    places: Arc<Semaphore>,
}

/// Sockets that one address holds open, and how many more it may open now.
#[derive(Clone, Copy, Debug)]
struct Held {
    all: usize,
    spectators: usize,
    upgrades: Credits,
}

/// A place for one socket; dropping it frees the place.
#[derive(Debug)]
pub struct Pass {
    door: Door,
    address: IpAddr,
    is_spectator: bool,
    session: Uuid,
    _place: OwnedSemaphorePermit,
}

impl Door {
    /// A door with nobody in. `per_address` is the number of sockets that one address may hold open.
    #[must_use]
    pub fn new(allowed_origins: Vec<HeaderValue>, per_address: usize) -> Self {
        let places = Arc::new(Semaphore::new(limits::SOCKETS_MAX));
        Self(Arc::new(Frame {
            allowed_origins,
            per_address,
            held: DashMap::new(),
            opened: Instant::now(),
            entered: AtomicUsize::new(0),
            places,
        }))
    }

    /// Lets a socket in.
    pub(super) fn enter(&self, address: IpAddr, headers: &HeaderMap) -> Result<Pass, ApiError> {
        if !self.0.knows_origin(headers) {
            let detail = "pages of this origin may not open a socket here";
            return Err(ApiError::refused(StatusCode::FORBIDDEN, "origin_unknown", detail));
        }
        let Ok(place) = Arc::clone(&self.0.places).try_acquire_owned() else {
            return Err(ApiError::unavailable("overloaded", "this server holds as many sockets as it can"));
        };
        let address = network_of(address);
        let now = self.0.opened.elapsed();
        if self.0.entered.fetch_add(1, Ordering::Relaxed).is_multiple_of(FORGET_EVERY) {
            self.0.held.retain(|_, held| held.all > 0 || !held.upgrades.is_full(now));
        }
        let mut held = self.0.held.entry(address).or_insert_with(|| self.0.nothing_held());
        if held.all >= self.0.per_address {
            return Err(ApiError::unavailable("too_many_sockets", "your address holds as many sockets as it may"));
        }
        if !held.upgrades.spend(now) {
            return Err(ApiError::too_many("too_many_upgrades", "your address opens sockets too fast"));
        }
        held.all += 1;
        drop(held);
        Ok(Pass { door: self.clone(), address, is_spectator: false, session: Uuid::now_v7(), _place: place })
    }
}

impl Frame {
    /// Both bounds grow with the number of sockets that an address may hold.
    fn nothing_held(&self) -> Held {
        let share = |of_default: usize| {
            u32::try_from(self.per_address * of_default / limits::SOCKETS_PER_ADDRESS_MAX).unwrap_or(u32::MAX).max(1)
        };
        let refill = Duration::from_secs(1) / share(limits::UPGRADES_PER_SECOND);
        Held { all: 0, spectators: 0, upgrades: Credits::new(share(limits::UPGRADES_BURST), refill) }
    }

    /// A browser says whose page opens the socket. Programs say nothing.
    fn knows_origin(&self, headers: &HeaderMap) -> bool {
        let Some(origin) = headers.get(header::ORIGIN) else { return true };
        if self.allowed_origins.contains(origin) {
            return true;
        }
        let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
        let of_origin = origin.to_str().ok().and_then(|origin| origin.split_once("://")).map(|(_, host)| host);
        host.is_some() && host == of_origin
    }
}

impl Pass {
    /// Names the session in a report of trouble.
    pub(super) const fn session(&self) -> Uuid {
        self.session
    }

    /// Takes one of the fewer places for those who do not say who they are.
    pub(super) fn seat_spectator(&mut self) -> bool {
        let door = &self.door.0;
        let most = door.per_address * limits::SPECTATORS_PER_ADDRESS_MAX / limits::SOCKETS_PER_ADDRESS_MAX;
        let Some(mut held) = door.held.get_mut(&self.address) else { return false };
        let fits = held.spectators < most.max(1);
        if fits {
            held.spectators += 1;
            self.is_spectator = true;
        }
        fits
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        if let Some(mut held) = self.door.0.held.get_mut(&self.address) {
            held.all -= 1;
            held.spectators -= usize::from(self.is_spectator);
        }
    }
}
