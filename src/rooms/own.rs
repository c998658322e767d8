//! Users' own streams: each socket of a user is told how far it has come, and its client reads what happened over REST. A
//! number that is lost is told by the next one, or by the slow tick.

use lastbite_protocol::UserId;
use sqlx::PgPool;
use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;

use crate::{auth::Live, bus::Bus, journal, limits};

/// Tells sockets of their users' own streams, until the drain.
pub async fn follow(live: Live, bus: Bus, pool: PgPool, drain: CancellationToken) {
    let mut news = bus.subscribe_own();
    let mut interval = tokio::time::interval(limits::SLOW_TICK_INTERVAL);
    interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = drain.cancelled() => return,
            heard = news.recv() => match heard {
                Ok(batch) => {
                    let n = batch.events.last().map_or(0, |event| event.n);
                    live.tell(UserId(batch.stream), n);
                }
                // The tick finds what was lost.
                Err(RecvError::Lagged(_)) => {}
                // The sender lives as long as the bus, which is here.
                Err(RecvError::Closed) => return,
            },
            _ = interval.tick() => compare(&live, &pool).await,
        }
    }
}

/// Compares what sockets were told with the journal.
async fn compare(live: &Live, pool: &PgPool) {
    let connected: Vec<_> = live.connected().into_iter().map(|user| user.0).collect();
    if connected.is_empty() {
        return;
    }
    match journal::last_numbers(pool, &connected).await {
        Ok(numbers) => numbers.into_iter().for_each(|(user, n)| live.tell(UserId(user), n)),
        Err(error) => tracing::debug!(%error, "sockets could not be compared with their users' streams"),
    }
}
