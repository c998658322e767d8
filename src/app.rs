//! The server put together: its parts, its background work, and how it ends.

use std::{net::IpAddr, sync::Arc, time::Duration};

use axum::{extract::FromRef, http::HeaderValue};
use tokio::net::TcpListener;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    accounts::{self, Hasher, oidc::Oidc},
    auth::{self, Auth, Keys, Live, Proxies},
    bus::Bus,
    challenges,
    clock::Clock,
    config::{eyes::Eye, products::Catalogue, providers::Provider},
    db::{self, Pools},
    foods::{self, Products},
    idempotency, jobs, limits,
    mail::Mail,
    meals::{self, diary::Glances, photo::PhotoLab},
    media::Media,
    photos,
    rooms::{self, Rooms, socket::Door},
    vision::Vision,
    web,
};

/// The parts that handlers use. Clones share them.
#[derive(Clone)]
pub struct App {
    pub clock: Clock,
    pub db: Pools,
    pub auth: Auth,
    pub proxies: Proxies,
    pub hasher: Hasher,
    pub oidc: Oidc,
    pub bus: Bus,
    pub rooms: Rooms,
    pub media: Media,
    pub mail: Mail,
    pub photos: PhotoLab,
    pub vision: Vision,
    pub products: Products,
    pub glances: Glances,
    pub door: Door,
    pub web: Arc<web::Settings>,
    /// How the outside reaches this server, without a slash at the end.
    pub public_url: Arc<str>,
    /// Every task that must be finished before the process ends.
    pub tasks: TaskTracker,
    pub shutdown: Shutdown,
}

/// For the worker of the jobs, which asks for it.
impl std::fmt::Debug for App {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("App").finish_non_exhaustive()
    }
}

/// The two steps of an end.
#[derive(Clone, Debug, Default)]
pub struct Shutdown {
    /// No longer ready: load balancers look elsewhere.
    pub unready: CancellationToken,
    /// Draining: sockets are told goodbye, no new request is taken.
    pub drain: CancellationToken,
}

impl FromRef<App> for Proxies {
    fn from_ref(app: &App) -> Self {
        app.proxies.clone()
    }
}

/// What an [`App`] is made from.
#[derive(Debug)]
pub struct Parts {
    pub clock: Clock,
    pub db: Pools,
    pub seed: auth::SigningSeed,
    pub media: Media,
    pub mail: Mail,
    pub public_url: String,
    /// Who else vouches for users.
    pub providers: Vec<Provider>,
    /// Who names the foods on photos.
    pub eyes: Vec<Eye>,
    /// Who is asked for the product of a barcode.
    pub catalogue: Option<Catalogue>,
    pub allowed_origins: Vec<String>,
    pub trusted_proxies: Vec<IpAddr>,
    pub sockets_per_address: usize,
    /// Makes all rates so many times as large.
    pub rates_factor: u32,
}

impl App {
    /// Puts the parts together. Nothing runs yet.
    ///
    /// # Errors
    /// Postgres is away, or an origin cannot be read.
    pub async fn open(parts: Parts) -> anyhow::Result<Self> {
        let keys = Keys::load(parts.seed, &parts.db.auth, parts.clock.wall()).await?;
        foods::load(&parts.db.judge).await?;
        // Before the first request: a session that has ended while this node was down is none here, either.
        let live = Live::default();
        live.look(&parts.db.watch, parts.clock.wall()).await?;
        let bus = Bus::memory();
        let tasks = TaskTracker::new();
        let shutdown = Shutdown::default();
        let rooms = Rooms::new(parts.db.api.clone(), bus.clone(), tasks.clone(), shutdown.drain.clone());
        let origins: Vec<_> =
            parts.allowed_origins.iter().map(|origin| HeaderValue::from_str(origin)).collect::<Result<_, _>>()?;
        Ok(Self {
            clock: parts.clock,
            db: parts.db,
            auth: Auth { keys, live },
            proxies: Proxies(parts.trusted_proxies.into()),
            hasher: Hasher::new()?,
            oidc: Oidc::new(parts.providers, &parts.public_url)?,
            bus,
            rooms,
            media: parts.media,
            mail: parts.mail,
            photos: PhotoLab::default(),
            vision: Vision::new(&parts.eyes)?,
            products: Products::new(parts.catalogue, &parts.public_url)?,
            glances: Glances::default(),
            door: Door::new(origins.clone(), parts.sockets_per_address),
            web: Arc::new(web::Settings::new(origins, parts.rates_factor)),
            public_url: parts.public_url.into(),
            tasks,
            shutdown,
        })
    }
}

/// Serves until `stop` resolves, then drains: says that it is not ready, waits `drain_wait`, says goodbye to the sockets,
/// finishes what was begun, and ends within [`limits::DRAIN_HARD_END`] after that.
///
/// # Errors
/// None so far: what fails while serving is logged and tried again.
pub async fn serve(
    listener: TcpListener,
    app: App,
    drain_wait: Duration,
    stop: impl Future<Output = ()>,
) -> anyhow::Result<()> {
    app.tasks.spawn(challenges::referee(app.clone()));
    app.tasks.spawn(housekeeping(app.clone()));
    let drain = app.shutdown.drain.clone();
    app.tasks.spawn(auth::follow(app.auth.clone(), app.db.watch.clone(), app.clock.clone(), drain));
    app.tasks.spawn(app.rooms.clone().slow_tick());
    let (live, drain) = (app.auth.live.clone(), app.shutdown.drain.clone());
    app.tasks.spawn(rooms::own::follow(live, app.bus.clone(), app.db.api.clone(), drain));
    let (worker, drain) = (app.clone(), app.shutdown.drain.clone());
    let worker = move || {
        let options = jobs::options(&worker.db.jobs, &worker.shutdown.drain);
        meals::jobs(accounts::jobs(options)).add_extension(worker.clone())
    };
    app.tasks.spawn(jobs::work(worker, drain.clone()));
    app.tasks.spawn(jobs::measure(app.db.jobs.clone(), drain));
    app.tasks.spawn(web::accept(listener, app.clone()));
    stop.await;
    tracing::info!("stopping: no longer ready");
    app.shutdown.unready.cancel();
    tokio::time::sleep(drain_wait).await;
    app.shutdown.drain.cancel();
    app.tasks.close();
    if tokio::time::timeout(limits::DRAIN_HARD_END, app.tasks.wait()).await.is_err() {
        tracing::warn!(tasks = app.tasks.len(), "some tasks did not end in time and are cut");
    }
    if tokio::time::timeout(limits::DATABASE_CLOSE_TIMEOUT, app.db.close()).await.is_err() {
        tracing::warn!("some connections to the database did not close in time");
    }
    tracing::info!("stopped");
    Ok(())
}

/// What is done once in a while, on every node; doing it twice does no harm.
async fn housekeeping(app: App) {
    let mut interval = tokio::time::interval(limits::HOUSEKEEPING_INTERVAL);
    loop {
        tokio::select! {
            () = app.shutdown.drain.cancelled() => return,
            _ = interval.tick() => {}
        }
        if let Err(error) = db::make_partitions(&app.db.api, app.clock.wall()).await {
            tracing::warn!(%error, "partitions were not made; trying again later");
        }
        app.web.rates.forget();
        match idempotency::forget_old(&app.db.api, app.clock.now()).await {
            Ok(keys) if keys > 0 => tracing::debug!(keys, "old idempotency keys forgotten"),
            Ok(_) => {}
            Err(error) => tracing::warn!(%error, "old idempotency keys were not forgotten; trying again later"),
        }
        if let Err(error) = accounts::forget_old(&app.db.auth, app.clock.wall()).await {
            tracing::warn!(%error, "old sessions were not forgotten; trying again later");
        }
        if let Err(error) = accounts::oidc::forget_old(&app.db.auth, app.clock.wall()).await {
            tracing::warn!(%error, "sign-ins that were broken off were not forgotten; trying again later");
        }
        if let Err(error) = photos::sweep(&app).await {
            tracing::warn!("photos that nothing shows were not removed; trying again later: {error:#}");
        }
        if let Err(error) = meals::tidy_up(&app).await {
            tracing::warn!("analyses that came to nothing were not seen to; trying again later: {error:#}");
        }
        if let Err(error) = app.products.forget_missing(&app.db.jobs, app.clock.wall()).await {
            tracing::warn!(%error, "barcodes of no product were not forgotten; trying again later");
        }
        if let Err(error) = accounts::tidy_up(&app).await {
            tracing::warn!("old exports or deleted accounts were not seen to; trying again later: {error:#}");
        }
    }
}
