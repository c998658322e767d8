//! The commands of the `lastbite` program.

use std::{io::Write, path::PathBuf, process::ExitCode, time::Duration};

use anyhow::Context;
use clap::{Parser, Subcommand, ValueEnum};
use lastbite::{
    App, Parts, accounts,
    auth::{self, SigningSeed},
    clock::Clock,
    config::{Config, Environment, Surroundings},
    db::{
        self, Pools,
        embedded::{self, Embedded},
    },
    demo::Story,
    foods::import::Import,
    limits,
    mail::Mail,
    media::Media,
    telemetry, web,
};
use lastbite_protocol::rest::Role;
use secrecy::ExposeSecret;
use tokio::{
    net::TcpListener,
    signal::unix::{Signal, SignalKind, signal},
};

/// The real-time server of a diet survival game.
#[derive(Debug, Parser)]
#[command(version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    config: Config,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Runs the server.
    Serve,
    /// Runs a server with a challenge that plays itself, days passing in seconds, and prints the link to its board.
    Demo {
        #[command(flatten)]
        story: Story,
        /// Stops when the story has ended, instead of keeping the board up.
        #[arg(long)]
        once: bool,
    },
    /// Brings the database to this version's shape, and stops.
    Migrate,
    /// Prints the configuration and what keeps it from production.
    CheckConfig,
    /// Looks after the keys of access tokens.
    Keys {
        #[command(subcommand)]
        what: KeysCommand,
    },
    /// Looks after accounts.
    Admin {
        #[command(subcommand)]
        what: AdminCommand,
    },
    /// Looks after the foods that everybody finds.
    Foods {
        #[command(subcommand)]
        what: FoodsCommand,
    },
    /// Asks the server on this machine whether it is ready; for container health checks.
    Health,
    /// Prints a document of the API, as it is committed under `protocol/`.
    Describe { document: Document },
}

#[derive(Debug, Subcommand)]
enum KeysCommand {
    /// Makes a new signing key. Running servers take it up by themselves; tokens of the one before stay good to their end.
    Rotate,
}

#[derive(Debug, Subcommand)]
enum AdminCommand {
    /// Gives the account with this e-mail a role: user, moderator or admin.
    Grant { email: String, role: Role },
}

#[derive(Debug, Subcommand)]
enum FoodsCommand {
    /// Adds the foods of a file, and brings those that are there to what it says. The same file again changes nothing.
    Import(Import),
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Document {
    Openapi,
    Asyncapi,
}

fn main() -> ExitCode {
    // Every client of HTTP asks for it, also those that speak in plain text.
    let _already = rustls::crypto::ring::default_provider().install_default();
    let Cli { command, config } = Cli::parse();
    match run(command, &config) {
        Ok(code) => code,
        Err(error) => {
            let _closed = writeln!(std::io::stderr(), "lastbite: {error:#}");
            ExitCode::FAILURE
        }
    }
}

#[tokio::main]
async fn run(command: Command, config: &Config) -> anyhow::Result<ExitCode> {
    match command {
        Command::CheckConfig => return check_config(config),
        Command::Health => return health(config).await,
        Command::Describe { document } => return describe(document),
        Command::Serve => {
            telemetry::start_logs(config)?;
            refuse_faults(config)?;
            serve(config).await?;
        }
        Command::Demo { story, once } => {
            telemetry::start_logs(config)?;
            demo(config, &story, once).await?;
        }
        Command::Keys { what: KeysCommand::Rotate } => {
            telemetry::start_logs(config)?;
            let rotate =
                async |url: String| Ok(auth::keys::rotate(&Pools::new(&url)?.auth, Clock::system().wall()).await?);
            let id = with_postgres(config, rotate).await?;
            tracing::info!(%id, "there is a new signing key; it signs in {:?}", limits::SIGNING_KEY_SPREAD);
        }
        Command::Admin { what: AdminCommand::Grant { email, role } } => {
            telemetry::start_logs(config)?;
            let grant = async |url: String| Ok(accounts::grant(&Pools::new(&url)?.auth, &email, role).await?);
            anyhow::ensure!(with_postgres(config, grant).await?, "no account has this e-mail");
            tracing::info!(role = role.as_str(), "granted");
        }
        Command::Foods { what: FoodsCommand::Import(import) } => {
            telemetry::start_logs(config)?;
            let report = with_postgres(config, async |url: String| import.run(&Pools::new(&url)?.jobs).await).await?;
            write!(std::io::stdout(), "{report}")?;
            anyhow::ensure!(report.fault.is_none(), report.fault.unwrap_or_default());
        }
        Command::Migrate => {
            telemetry::start_logs(config)?;
            with_postgres(config, async |url: String| db::migrate(&url).await).await?;
            tracing::info!("the database has this version's shape");
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn refuse_faults(config: &Config) -> anyhow::Result<()> {
    let faults = config.check();
    anyhow::ensure!(faults.is_empty(), "not started:\n  {}", faults.join("\n  "));
    Ok(())
}

fn check_config(config: &Config) -> anyhow::Result<ExitCode> {
    let mut out = std::io::stdout().lock();
    write!(out, "{}", config.describe())?;
    let faults = config.check();
    for fault in &faults {
        writeln!(out, "fault: {fault}")?;
    }
    Ok(if faults.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn health(config: &Config) -> anyhow::Result<ExitCode> {
    let mut address = config.listen;
    if address.ip().is_unspecified() {
        address.set_ip(std::net::Ipv4Addr::LOCALHOST.into());
    }
    let url = format!("http://{address}/health/ready");
    let client = reqwest::Client::builder().tls_certs_only([]).timeout(Duration::from_secs(3)).build()?;
    let ready = client.get(url).send().await.is_ok_and(|answer| answer.status().is_success());
    Ok(if ready { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn describe(document: Document) -> anyhow::Result<ExitCode> {
    let text = match document {
        Document::Openapi => web::openapi()?,
        Document::Asyncapi => web::asyncapi()?,
    };
    std::io::stdout().write_all(text.as_bytes())?;
    Ok(ExitCode::SUCCESS)
}

/// The Postgres in use: the one named, or our own.
struct Postgres {
    url: String,
    own: Option<Embedded>,
}

impl Postgres {
    async fn find(config: &Config, data_dir: &std::path::Path) -> anyhow::Result<Self> {
        if let Some(url) = &config.database_url {
            return Ok(Self { url: url.expose_secret().to_owned(), own: None });
        }
        let surroundings = Surroundings::read();
        let options = embedded::Options {
            data_dir: data_dir.to_owned(),
            durable: true,
            bin_dir: config.pg_bin_dir.clone(),
            cache_dir: Some(embedded::default_cache_dir(
                surroundings.home.as_deref(),
                surroundings.cache_home.as_deref(),
            )),
            path: surroundings.path,
        };
        let own = Embedded::start(&options).await?;
        tracing::info!(data_dir = %data_dir.display(), "the own Postgres runs");
        Ok(Self { url: own.url().to_owned(), own: Some(own) })
    }

    /// Waits until our own server has ended unasked.
    async fn lost(&self) {
        match &self.own {
            Some(own) => own.lost().await,
            None => std::future::pending().await,
        }
    }

    async fn stop(self) {
        if let Some(own) = self.own {
            own.stop().await;
        }
    }
}

/// Does something with the database's URL, then stops our own server whatever came of it.
async fn with_postgres<T>(config: &Config, work: impl AsyncFnOnce(String) -> anyhow::Result<T>) -> anyhow::Result<T> {
    let postgres = Postgres::find(config, &embedded::make_data_dir(&data_dir(config))?).await?;
    let done = work(postgres.url.clone()).await;
    postgres.stop().await;
    done
}

fn data_dir(config: &Config) -> PathBuf {
    config.data_dir.clone().unwrap_or_else(|| {
        let surroundings = Surroundings::read();
        embedded::default_data_dir(surroundings.home.as_deref(), surroundings.data_home.as_deref())
    })
}

async fn serve(config: &Config) -> anyhow::Result<()> {
    let mut stop = Stop::listen()?;
    let data_dir = embedded::make_data_dir(&data_dir(config))?;
    let preparing = async {
        let postgres = Postgres::find(config, &data_dir).await?;
        let media = open_media(config, &data_dir).await?;
        let app = prepare(config, &postgres, &data_dir, media, Clock::system(), config.rates_factor).await?;
        if config.environment == Environment::Production {
            let faults = db::unsafe_settings(&app.db.judge).await?;
            anyhow::ensure!(faults.is_empty(), "not started, acknowledged writes could be lost: {}", faults.join(", "));
        }
        let listener = web::listen(config.listen).with_context(|| format!("listening on {}", config.listen))?;
        start_metrics(config, &app).await?;
        Ok((postgres, app, listener))
    };
    let Some((postgres, app, listener)) = stop.unless_asked(preparing).await? else { return Ok(()) };
    tracing::info!("serving on http://{}", listener.local_addr()?);
    let mut lost = false;
    let end = async {
        tokio::select! {
            () = stop.asked() => {}
            () = postgres.lost() => lost = true,
        }
    };
    lastbite::serve(listener, app, Duration::from_secs(config.drain_wait_s), end).await?;
    postgres.stop().await;
    anyhow::ensure!(!lost, "the own Postgres has ended");
    Ok(())
}

async fn demo(config: &Config, story: &Story, once: bool) -> anyhow::Result<()> {
    anyhow::ensure!(
        config.database_url.is_none(),
        "the demo plays in a database of its own: in yours its fast clock would judge real challenges. \
         Unset LASTBITE_DATABASE_URL"
    );
    let mut stop = Stop::listen()?;
    // A story begins in an empty world, and leaves nothing behind.
    forget_broken_off_demos();
    let name = format!("{DEMO_FOLDER}{:08x}", rand::random::<u32>());
    let world = embedded::make_data_dir(&std::env::temp_dir().join(name))?;
    let _removed = RemoveOnDrop(world.clone());
    let clock = story.clock(Clock::system().wall());
    let preparing = async {
        let postgres = Postgres::find(config, &world).await?;
        // Never in the bucket that is configured: it would stay there.
        let media = media_folder(&world)?;
        let app = prepare(config, &postgres, &world, media, clock.clone(), RATES_FACTOR_OF_DEMO).await?;
        let listener = web::listen(config.listen).with_context(|| format!("listening on {}", config.listen))?;
        start_metrics(config, &app).await?;
        Ok((postgres, app, listener))
    };
    let Some((postgres, app, listener)) = stop.unless_asked(preparing).await? else { return Ok(()) };
    let base = format!("http://{}", listener.local_addr()?);
    let playing = async {
        let link = |challenge| {
            let _closed = writeln!(std::io::stdout(), "\n  Watch the board live:  {base}/watch/{challenge}\n");
        };
        let played = story.play(&base, &clock, link).await.context("the story broke off");
        if once {
            return played;
        }
        match played {
            Ok(()) => tracing::info!("the story has ended; the board stays up until Ctrl-C"),
            Err(error) => tracing::error!("{error:#}"),
        }
        std::future::pending().await
    };
    let mut ending = Ok(());
    let end = async {
        tokio::select! {
            () = stop.asked() => {}
            () = postgres.lost() => ending = Err(anyhow::anyhow!("the own Postgres has ended")),
            played = playing => ending = played,
        }
    };
    lastbite::serve(listener, app, Duration::ZERO, end).await?;
    postgres.stop().await;
    ending
}

const DEMO_FOLDER: &str = "lastbite-demo-";
/// Its players all come from this machine.
const RATES_FACTOR_OF_DEMO: u32 = 1000;

/// Removes what demos that were killed have left behind.
fn forget_broken_off_demos() {
    let entries = std::fs::read_dir(std::env::temp_dir()).into_iter().flatten().filter_map(Result::ok);
    let folders = entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(DEMO_FOLDER));
    // One that is just being made has no lock yet.
    for folder in folders.map(|entry| entry.path()).filter(|folder| folder.join("postgres").exists()) {
        if !embedded::is_in_use(&folder) {
            drop(RemoveOnDrop(folder));
        }
    }
}

struct RemoveOnDrop(PathBuf);

impl Drop for RemoveOnDrop {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.0) {
            tracing::warn!(%error, folder = %self.0.display(), "a folder stays behind");
        }
    }
}

/// Migrates and puts the server together.
async fn prepare(
    config: &Config,
    postgres: &Postgres,
    data_dir: &std::path::Path,
    media: Media,
    clock: Clock,
    rates_factor: u32,
) -> anyhow::Result<App> {
    let pools = Pools::new(&postgres.url)?;
    db::migrate(&postgres.url).await.context("migrating the database")?;
    db::make_partitions(&pools.judge, clock.wall()).await?;
    App::open(Parts {
        clock,
        db: pools,
        seed: signing_seed(config, data_dir)?,
        media,
        mail: match &config.smtp_url {
            Some(url) => Mail::smtp(url.expose_secret(), &config.mail_from).context("LASTBITE_SMTP_URL")?,
            None => Mail::folder(data_dir.join("mail"), &config.mail_from)?,
        },
        public_url: config.public_url.clone(),
        providers: config.providers().map_err(|faults| anyhow::anyhow!(faults.join("; ")))?,
        eyes: config.eyes().map_err(|faults| anyhow::anyhow!(faults.join("; ")))?,
        catalogue: config.catalogue().map_err(anyhow::Error::msg)?,
        allowed_origins: config.allowed_origins.clone(),
        trusted_proxies: config.trusted_proxies.clone(),
        sockets_per_address: config.sockets_per_address,
        rates_factor,
    })
    .await
}

async fn open_media(config: &Config, data_dir: &std::path::Path) -> anyhow::Result<Media> {
    match config.bucket().map_err(|faults| anyhow::anyhow!(faults.join("; ")))? {
        Some(bucket) => Ok(Media::bucket(&bucket).await?),
        None => media_folder(data_dir),
    }
}

fn media_folder(data_dir: &std::path::Path) -> anyhow::Result<Media> {
    Ok(Media::folder(&data_dir.join("photos"))?)
}

/// The configured secret, or in development one that is made once and kept in the data folder.
fn signing_seed(config: &Config, data_dir: &std::path::Path) -> anyhow::Result<SigningSeed> {
    if let Some(key) = &config.token_key {
        return SigningSeed::parse(key.expose_secret()).map_err(|fault| anyhow::anyhow!("LASTBITE_TOKEN_KEY {fault}"));
    }
    SigningSeed::kept_in(&data_dir.join("token-key"))
}

async fn start_metrics(config: &Config, app: &App) -> anyhow::Result<()> {
    let Some(address) = config.metrics_listen else { return Ok(()) };
    let metrics = telemetry::start_metrics()?;
    let listener = TcpListener::bind(address).await.with_context(|| format!("metrics on {address}"))?;
    tracing::info!("metrics on http://{}/metrics", listener.local_addr()?);
    app.tasks.spawn(telemetry::serve_metrics(listener, metrics, app.shutdown.drain.clone()));
    Ok(())
}

/// The wishes of the outside that this process end: SIGTERM, Ctrl-C, a terminal that is closed.
struct Stop([Signal; 3]);

impl Stop {
    /// From here on they are heard, and do not end the process by themselves.
    fn listen() -> anyhow::Result<Self> {
        let kinds = [SignalKind::terminate(), SignalKind::interrupt(), SignalKind::hangup()];
        let [terminate, interrupt, hangup] = kinds.map(signal);
        Ok(Self([terminate?, interrupt?, hangup?]))
    }

    async fn asked(&mut self) {
        let [terminate, interrupt, hangup] = &mut self.0;
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
            _ = hangup.recv() => {}
        }
    }

    /// Does the work, unless the end is asked for meanwhile.
    async fn unless_asked<T>(&mut self, work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<Option<T>> {
        tokio::select! {
            done = work => done.map(Some),
            () = self.asked() => Ok(None),
        }
    }
}
