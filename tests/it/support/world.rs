//! A world: a database, a clock that the test moves, and one or more servers.

use std::{net::SocketAddr, time::Duration};

use chrono::{DateTime, Utc};
use lastbite::{
    App, Parts,
    auth::SigningSeed,
    clock::Clock,
    config::{bucket::Bucket, eyes::Eye, products::Catalogue, providers::Provider},
    db::Pools,
    mail::Mail,
    media::Media,
};
use lastbite_protocol::ChallengeId;
use sqlx::PgPool;
use tokio::{sync::oneshot, task::JoinHandle};

use super::{Api, PATIENCE, Player, Viewer, postgres, postgres::tempfile::Folder, seoul, until};

/// How the outside reaches the servers, as far as they know.
pub(crate) const PUBLIC_NAME: &str = "lastbite.test";
pub(crate) const PUBLIC_URL: &str = "http://lastbite.test";

/// A database, a clock and a server.
pub(crate) struct World {
    pub(crate) node: Node,
    pub(crate) clock: Clock,
    /// For looking at what is stored.
    pub(crate) db: PgPool,
    pub(crate) database_url: String,
    pub(crate) seed: SigningSeed,
    pub(crate) media: Folder,
    pub(crate) letters: Folder,
}

/// A server of the world.
pub(crate) struct Node {
    pub(crate) app: App,
    pub(crate) address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    serving: Option<JoinHandle<anyhow::Result<()>>>,
}

/// How a server is set up, where tests differ.
pub(crate) struct Setup {
    pub(crate) sockets_per_address: usize,
    pub(crate) drain_wait: Duration,
    pub(crate) rates_factor: u32,
    /// Who else vouches for users.
    pub(crate) providers: Vec<Provider>,
    /// Who names the foods on photos.
    pub(crate) eyes: Vec<Eye>,
    /// Who is asked for the product of a barcode.
    pub(crate) catalogue: Option<Catalogue>,
    /// Where photos are, when not in the folder.
    pub(crate) bucket: Option<Bucket>,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            sockets_per_address: 1000,
            drain_wait: Duration::ZERO,
            rates_factor: 1000,
            providers: Vec::new(),
            eyes: Vec::new(),
            catalogue: None,
            bucket: None,
        }
    }
}

impl World {
    /// A world on Sunday, 1 March 2026, noon in Seoul.
    pub(crate) async fn open() -> Self {
        Self::with_database(postgres::database().await).await
    }

    /// The same with a server that is set up differently.
    pub(crate) async fn with(setup: Setup) -> Self {
        Self::of(postgres::database().await, setup).await
    }

    /// The same on a given database, which has to be migrated.
    pub(crate) async fn with_database(database_url: String) -> Self {
        Self::of(database_url, Setup::default()).await
    }

    async fn of(database_url: String, setup: Setup) -> Self {
        let clock = Clock::fixed(seoul("2026-03-01 12:00"));
        let db = sqlx::postgres::PgPoolOptions::new().max_connections(2).connect_lazy(&database_url).unwrap();
        let (seed, media) = (SigningSeed::random(), Folder::new("lastbite-media"));
        let letters = Folder::new("lastbite-letters");
        let folders = [media.path(), letters.path()];
        let node = Node::start(any_port(), &database_url, clock.clone(), &seed, folders, setup).await;
        Self { node, clock, db, database_url, seed, media, letters }
    }

    /// One more server on the same database, which hears nothing of what this one announces.
    pub(crate) async fn another_node(&self) -> Node {
        self.node_with(Setup::default()).await
    }

    /// The same, set up differently.
    pub(crate) async fn node_with(&self, setup: Setup) -> Node {
        self.node_at(any_port(), setup).await
    }

    async fn node_at(&self, address: SocketAddr, setup: Setup) -> Node {
        let folders = [self.media.path(), self.letters.path()];
        Node::start(address, &self.database_url, self.clock.clone(), &self.seed, folders, setup).await
    }

    /// Stops the server and starts it again at the same address.
    pub(crate) async fn restart(&mut self) {
        let address = self.node.address;
        tokio::time::timeout(PATIENCE, self.node.stopping()).await.expect("it stops in time").unwrap().unwrap();
        self.node = self.node_at(address, Setup::default()).await;
    }

    pub(crate) fn api(&self) -> Api {
        self.node.api()
    }

    /// What a browser's address begins with.
    pub(crate) fn origin(&self) -> String {
        format!("http://{}", self.node.address)
    }

    /// Registers a user with this nickname.
    pub(crate) async fn user(&self, nickname: &str) -> Player {
        Player::register(self.api(), nickname).await
    }

    /// Watches a challenge without signing in.
    pub(crate) async fn spectator(&self, challenge: ChallengeId) -> Viewer {
        self.node.spectator(challenge).await
    }

    /// Moves the clock of play.
    pub(crate) fn time(&self, at: DateTime<Utc>) {
        self.clock.set(at);
    }

    /// Moves the clock to an instant and waits until the referee has done all that was due.
    pub(crate) async fn referee_at(&self, at: DateTime<Utc>) {
        self.clock.set(at);
        until("the referee has nothing left to do", || async {
            let due: i64 = sqlx::query_scalar(
                "select count(*) from rounds r join challenges c on c.id = r.challenge_id
                 where c.status in ('open', 'running')
                   and ((r.opened_at is null and r.starts_at <= $1) or (r.judged_at is null and r.closes_at <= $1))",
            )
            .bind(at)
            .fetch_one(&self.db)
            .await
            .unwrap();
            (due == 0).then_some(())
        })
        .await;
    }

    /// A number from the database.
    pub(crate) async fn count(&self, query: &'static str) -> i64 {
        sqlx::query_scalar(query).fetch_one(&self.db).await.unwrap()
    }

    /// Waits until no job is left.
    pub(crate) async fn is_quiet(&self) {
        until("the jobs are done", || async {
            (self.count("select count(*) from graphile_worker._private_jobs").await == 0).then_some(())
        })
        .await;
    }

    /// Stops the server as an operator would.
    pub(crate) async fn stop(self) {
        self.node.stop().await;
        self.db.close().await;
    }
}

impl Node {
    async fn start(
        address: SocketAddr,
        database_url: &str,
        clock: Clock,
        seed: &SigningSeed,
        [media, letters]: [&std::path::Path; 2],
        setup: Setup,
    ) -> Self {
        let app = App::open(Parts {
            clock,
            db: Pools::new(database_url).unwrap(),
            seed: seed.clone(),
            media: match &setup.bucket {
                Some(bucket) => Media::bucket(bucket).await.unwrap(),
                None => Media::folder(media).unwrap(),
            },
            mail: Mail::folder(letters.to_owned(), "Lastbite <no-reply@lastbite.test>").unwrap(),
            public_url: PUBLIC_URL.to_owned(),
            providers: setup.providers,
            eyes: setup.eyes,
            catalogue: setup.catalogue,
            allowed_origins: vec!["https://app.example.com".to_owned()],
            trusted_proxies: Vec::new(),
            sockets_per_address: setup.sockets_per_address,
            rates_factor: setup.rates_factor,
        })
        .await
        .unwrap();
        let listener = lastbite::web::listen(address).unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let stopped = async move {
            let _stop_or_gone = stopped.await;
        };
        #[expect(clippy::disallowed_methods, reason = "the server of a test runs beside it")]
        let serving = tokio::spawn(lastbite::serve(listener, app.clone(), setup.drain_wait, stopped));
        Self { app, address, stop: Some(stop), serving: Some(serving) }
    }

    pub(crate) fn api(&self) -> Api {
        Api::new(self.address)
    }

    pub(crate) async fn spectator(&self, challenge: ChallengeId) -> Viewer {
        Viewer::watch(self.address, None, challenge, None).await
    }

    /// Tells it to stop; the answer comes when it has.
    pub(crate) fn stopping(&mut self) -> JoinHandle<anyhow::Result<()>> {
        let _gone = self.stop.take().unwrap().send(());
        self.serving.take().unwrap()
    }

    pub(crate) async fn stop(mut self) {
        tokio::time::timeout(PATIENCE, self.stopping()).await.expect("it stops in time").unwrap().unwrap();
    }
}

fn any_port() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 0))
}
