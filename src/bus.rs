//! The bus carries news: "this happened in that stream". It may lose some, and two transactions of one stream may be told in
//! another order than they were committed in.
//!
//! One process has an in-memory bus. A room that misses a number asks the journal, so either costs time and nothing
//! else. Only `journal` publishes.

use std::sync::Arc;

use dashmap::DashMap;
use tokio::sync::broadcast;
use uuid::Uuid;

use crate::{limits, rules::Numbered};

/// Events of one stream, in order, as one transaction committed them.
#[derive(Clone, Debug)]
pub struct Batch {
    pub stream: Uuid,
    /// Of a user's own stream, rather than a challenge's.
    pub is_own: bool,
    pub events: Arc<[Numbered]>,
}

/// How news travel.
#[derive(Clone, Debug)]
pub enum Bus {
    /// Within this process.
    Memory(Arc<Streams>),
}

/// Those who listen within this process.
#[derive(Debug)]
pub struct Streams {
    by_id: DashMap<Uuid, broadcast::Sender<Batch>>,
    /// The own streams of all users: one channel, for there are many and little happens in each.
    own: broadcast::Sender<Batch>,
}

impl Bus {
    /// A bus for one process.
    #[must_use]
    pub fn memory() -> Self {
        let own = broadcast::channel(limits::BUS_BATCHES_MAX).0;
        Self::Memory(Arc::new(Streams { by_id: DashMap::new(), own }))
    }

    /// Tells everybody who listens on the stream.
    pub fn publish(&self, batch: Batch) {
        let Self::Memory(streams) = self;
        // Nobody listening any more is as good as nobody listening: the journal has it.
        if batch.is_own {
            let _nobody = streams.own.send(batch);
        } else if let Some(sender) = streams.by_id.get(&batch.stream) {
            let _nobody = sender.send(batch);
        }
    }

    /// Listens on the own streams of all users from now on.
    #[must_use]
    pub fn subscribe_own(&self) -> broadcast::Receiver<Batch> {
        let Self::Memory(streams) = self;
        streams.own.subscribe()
    }

    /// Listens on the stream of a challenge from now on.
    #[must_use]
    pub fn subscribe(&self, stream: Uuid) -> Subscription {
        let Self::Memory(streams) = self;
        let receiver =
            streams.by_id.entry(stream).or_insert_with(|| broadcast::channel(limits::BUS_BATCHES_MAX).0).subscribe();
        Subscription { stream, receiver, bus: self.clone() }
    }
}

/// A listener on one stream; dropping it stops listening.
#[derive(Debug)]
pub struct Subscription {
    stream: Uuid,
    receiver: broadcast::Receiver<Batch>,
    bus: Bus,
}

/// What a listener hears.
#[derive(Debug)]
pub enum News {
    Batch(Batch),
    /// Some were lost: ask the journal.
    Lost,
}

impl Subscription {
    /// Waits for the next news.
    pub async fn next(&mut self) -> News {
        match self.receiver.recv().await {
            Ok(batch) => News::Batch(batch),
            Err(broadcast::error::RecvError::Lagged(_)) => News::Lost,
            // The sender lives as long as this subscription.
            Err(broadcast::error::RecvError::Closed) => std::future::pending().await,
        }
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        let Bus::Memory(streams) = &self.bus;
        streams.by_id.remove_if(&self.stream, |_, sender| sender.receiver_count() <= 1);
    }
}
