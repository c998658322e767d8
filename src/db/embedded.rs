//! A private Postgres for a machine that has none running: a real server, started as a child process.
//!
//! It listens on a unix socket in a folder only its own user may enter, and on no port, so it can meet neither another
//! Postgres nor another user of the machine. It ends with the process that started it, whichever way that ends; what
//! was committed is there at the next start. It serves one machine only, and it fetches nothing: the programs of
//! Postgres must be there already.
//!
//! The folder, [`Options::data_dir`], holds
//!
//! - `postgres/`, the cluster; it appears under this name only once it is complete,
//! - `run/`, the socket,
//! - `postgres.lock`, locked by the process whose child the server is. A second process joins that server instead of
//!   starting one, and loses it when the first one ends.

mod cluster;
mod keeper;
mod programs;

use std::{
    ffi::{OsStr, OsString},
    fs, io,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use sqlx::{Connection, PgConnection};

use self::{cluster::Cluster, keeper::Keeper};

/// The name of the database and of the role that owns it.
const NAME: &str = "lastbite";
/// The role that made the cluster; only this module uses it.
const SUPERUSER: &str = "postgres";
/// Only part of the socket's file name, since nothing listens on it.
const PORT: u16 = 5432;
const LOCK: &str = "postgres.lock";
/// Long, because after a crash the server replays its log first.
const START_TIMEOUT: Duration = Duration::from_secs(60);
/// One attempt among those.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a stopping server may take to write everything out; then it stops at once and replays its log next time.
const STOP_TIMEOUT: Duration = Duration::from_secs(8);
const POLL_INTERVAL: Duration = Duration::from_millis(20);

/// Where the database lies and where Postgres may be found.
#[derive(Clone, Debug, Default)]
pub struct Options {
    pub data_dir: PathBuf,
    /// What was committed survives a crash of the machine. Only tests do without.
    pub durable: bool,
    /// The folder of the Postgres programs, when the operator names one; then no other is looked at.
    pub bin_dir: Option<PathBuf>,
    /// The value of `PATH`.
    pub path: Option<OsString>,
    /// Where a downloaded Postgres may be unpacked, as `postgres-<version>`: see [`default_cache_dir`].
    pub cache_dir: Option<PathBuf>,
}

/// A running private Postgres. Dropping it stops the server and waits some seconds for that, unless the server is
/// another process's.
#[derive(Debug)]
pub struct Embedded {
    url: String,
    /// None when another process started it.
    server: Option<Server>,
}

/// Why there is no embedded Postgres. The texts are for the operator and say what to do.
#[derive(Debug, thiserror::Error)]
pub enum EmbeddedError {
    #[error(
        "no PostgreSQL {} or newer on this machine. Install it (Debian, Ubuntu: apt-get install postgresql; \
         Fedora: dnf install postgresql-server; Alpine: apk add postgresql; macOS: brew install postgresql), or name \
         the folder of its programs in LASTBITE_PG_BIN_DIR, or a running one in LASTBITE_DATABASE_URL",
        programs::MAJOR_MIN
    )]
    NotFound,
    #[error(
        "{} (LASTBITE_PG_BIN_DIR) does not hold initdb, postgres and pg_ctl of PostgreSQL {} or newer",
        .0.display(),
        programs::MAJOR_MIN
    )]
    NotPrograms(PathBuf),
    #[error(
        "{} was made by PostgreSQL {made_by}, which was not found. Install that version, or name the folder of its \
         programs in LASTBITE_PG_BIN_DIR; to change over, take a pg_dump with it and restore that into a new folder",
        data.display()
    )]
    OtherVersion { data: PathBuf, made_by: u32 },
    #[error(
        "Postgres refuses to run as root, and the user with id {uid}, as whom it would run, cannot enter {}: choose \
         another folder, or let it in with chmod o+x", folder.display()
    )]
    Unreachable { folder: PathBuf, uid: u32 },
    #[error("the path {} is too long for a socket: choose a folder with a shorter name", .0.display())]
    PathTooLong(PathBuf),
    #[error("{program} failed: {output}")]
    Failed { program: &'static str, output: String },
    #[error("Postgres ended while it was starting: {log}")]
    Ended { log: String },
    #[error("Postgres in {} was not ready after {} s", .0.display(), START_TIMEOUT.as_secs())]
    TimedOut(PathBuf),
    #[error("cannot use {}", path.display())]
    Io { path: PathBuf, source: io::Error },
    #[error("the embedded Postgres could not be set up")]
    Sql(#[from] sqlx::Error),
}

type Result<T, E = EmbeddedError> = std::result::Result<T, E>;

/// `/var/lib/lastbite` for root, else `lastbite` in the user's own folder for data, else in the current folder.
#[must_use]
pub fn default_data_dir(home: Option<&Path>, xdg_data_home: Option<&Path>) -> PathBuf {
    own_dir("/var/lib", xdg_data_home, home.map(|home| home.join(".local/share")))
}

/// `/var/cache/lastbite` for root, else `lastbite` in the user's own folder for caches. The script `x` unpacks there.
#[must_use]
pub fn default_cache_dir(home: Option<&Path>, xdg_cache_home: Option<&Path>) -> PathBuf {
    own_dir("/var/cache", xdg_cache_home, home.map(|home| home.join(".cache")))
}

fn own_dir(of_root: &str, xdg: Option<&Path>, of_user: Option<PathBuf>) -> PathBuf {
    if cluster::is_root() {
        // Not under the home of root, which the user that the server runs as may not enter.
        return Path::new(of_root).join(NAME);
    }
    let parent = xdg.filter(|xdg| xdg.is_absolute()).map(Path::to_owned).or(of_user);
    parent.map_or_else(|| PathBuf::from(".lastbite"), |parent| parent.join(NAME))
}

/// Makes the folder for the data if there is none, whatever the umask: the user that the server runs as has to get
/// through, and nobody else has to. Answers its real path.
///
/// # Errors
/// It cannot be made.
pub fn make_data_dir(dir: &Path) -> Result<PathBuf> {
    cluster::make_data_dir(dir)
}

/// Whether a process has a server in this folder, or is about to.
#[must_use]
pub fn is_in_use(dir: &Path) -> bool {
    let lock = fs::File::options().write(true).open(dir.join(LOCK));
    lock.is_ok_and(|lock| matches!(lock.try_lock(), Err(fs::TryLockError::WouldBlock)))
}

impl Embedded {
    /// Starts the server, or joins the one that another process has started in the same folder.
    pub async fn start(options: &Options) -> Result<Self> {
        let dir = cluster::make_data_dir(&options.data_dir)?;
        let url = url(NAME, &dir);
        let Some(lock) = lock_or_join(&dir, &url).await? else { return Ok(Self { url, server: None }) };
        let options = options.clone();
        let mut server = blocking(move || Server::start(&options, dir, lock)).await?;
        server.wait_until_ready().await?;
        create_database(&server.cluster.dir).await?;
        Ok(Self { url, server: Some(server) })
    }

    /// The address of the database `lastbite`, for its owner.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Waits until the server has ended though nobody asked it to: killed, or out of disk or memory. Of another process's
    /// server nothing is known.
    pub fn lost(&self) -> impl Future<Output = ()> + use<> {
        let ended = self.server.as_ref().map(|server| server.keeper.watch());
        async move {
            match ended {
                Some(mut ended) => {
                    let _ended = ended.wait_for(|ended| *ended).await;
                }
                None => std::future::pending().await,
            }
        }
    }

    /// As dropping it, but without holding up the runtime.
    pub async fn stop(self) {
        if let Err(error) = tokio::task::spawn_blocking(move || drop(self)).await {
            tracing::warn!(%error, "stopping the embedded Postgres went wrong");
        }
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    let panicked = |died: tokio::task::JoinError| EmbeddedError::Ended { log: died.to_string() };
    tokio::task::spawn_blocking(work).await.map_err(panicked)?
}

/// None once another process holds the lock and its database answers. Asked again and again, because that process may
/// be starting or ending just now.
async fn lock_or_join(dir: &Path, url: &str) -> Result<Option<fs::File>> {
    let path = dir.join(LOCK);
    let lock = fs::File::options().create(true).write(true).truncate(false).open(&path).map_err(at(&path))?;
    let attempts = async {
        loop {
            match lock.try_lock() {
                Ok(()) => return Ok(true),
                Err(fs::TryLockError::WouldBlock) if cluster::is_ready(dir) && answers(url).await => return Ok(false),
                Err(fs::TryLockError::WouldBlock) => tokio::time::sleep(POLL_INTERVAL).await,
                Err(fs::TryLockError::Error(source)) => return Err(source),
            }
        }
    };
    let attempted = tokio::time::timeout(START_TIMEOUT, attempts).await;
    let locked = attempted.map_err(|_| EmbeddedError::TimedOut(dir.to_owned()))?.map_err(at(&path))?;
    Ok(locked.then_some(lock))
}

async fn answers(url: &str) -> bool {
    let connected = tokio::time::timeout(ANSWER_TIMEOUT, PgConnection::connect(url)).await;
    matches!(connected, Ok(Ok(_)))
}

/// The owner is no superuser, so that not even an injected statement could leave the database.
async fn create_database(dir: &Path) -> Result<()> {
    let mut db = PgConnection::connect(&url(SUPERUSER, dir)).await?;
    let role = sqlx::query("SELECT 1 FROM pg_roles WHERE rolname = $1").bind(NAME).fetch_optional(&mut db).await?;
    if role.is_none() {
        sqlx::query("CREATE ROLE lastbite LOGIN").execute(&mut db).await?;
    }
    let database = sqlx::query("SELECT 1 FROM pg_database WHERE datname = $1").bind(NAME);
    if database.fetch_optional(&mut db).await?.is_none() {
        sqlx::query("CREATE DATABASE lastbite OWNER lastbite").execute(&mut db).await?;
    }
    Ok(db.close().await?)
}

/// Of the role's own database. It names all that `PGPORT` and its like would decide otherwise.
fn url(role: &str, dir: &Path) -> String {
    let host = percent_encode(cluster::run_dir(dir).as_os_str());
    format!("postgres://{role}@localhost:{PORT}/{role}?host={host}&sslmode=disable")
}

fn percent_encode(text: &OsStr) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-._~".contains(&byte);
    let encode = |&byte: &u8| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    text.as_encoded_bytes().iter().map(encode).collect()
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> EmbeddedError {
    let path = path.to_owned();
    move |source| EmbeddedError::Io { path, source }
}

/// The server as our child.
#[derive(Debug)]
struct Server {
    cluster: Cluster,
    keeper: Keeper,
    /// Let go only after the server has stopped.
    _lock: fs::File,
}

impl Server {
    fn start(options: &Options, dir: PathBuf, lock: fs::File) -> Result<Self> {
        let cluster = Cluster::find(options, dir)?;
        cluster.prepare()?;
        let keeper = Keeper::start(cluster.server()).map_err(at(&cluster.bin))?;
        Ok(Self { cluster, keeper, _lock: lock })
    }

    async fn wait_until_ready(&mut self) -> Result<()> {
        let dir = self.cluster.dir.clone();
        let deadline = Instant::now() + START_TIMEOUT;
        // What stands in the file may be of an earlier server; answering is the proof.
        while !(cluster::is_ready(&dir) && answers(&url(SUPERUSER, &dir)).await) {
            if self.keeper.has_ended() {
                return Err(EmbeddedError::Ended { log: self.keeper.last_words() });
            }
            if Instant::now() > deadline {
                return Err(EmbeddedError::TimedOut(dir));
            }
            tokio::time::sleep(POLL_INTERVAL).await;
        }
        Ok(())
    }

    fn stop(&self, mode: &str) -> bool {
        if let Err(error) = self.cluster.signal_stop(mode) {
            tracing::warn!(%error, "the embedded Postgres did not take the request to stop");
        }
        self.keeper.wait(STOP_TIMEOUT)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if !self.keeper.has_ended() && !self.stop("fast") && !self.stop("immediate") {
            tracing::warn!(data_dir = %self.cluster.dir.display(), "the embedded Postgres did not stop");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt;

    use super::*;

    /// Short, because the path of a socket is.
    fn options(test: &str) -> Options {
        #[expect(clippy::disallowed_methods, reason = "a test has no configuration")]
        let path = std::env::var_os("PATH");
        let data_dir = std::env::temp_dir().join(format!("lastbite-{test}-{}", std::process::id()));
        Options { data_dir, path, ..Options::default() }
    }

    #[tokio::test]
    async fn keeps_what_was_committed_and_is_shared_by_the_processes_of_one_folder() {
        let options = options("kept");
        let first = Embedded::start(&options).await.unwrap();
        let mut db = PgConnection::connect(first.url()).await.unwrap();
        sqlx::query("CREATE TABLE kept AS SELECT 7 AS n").execute(&mut db).await.unwrap();

        let second = Embedded::start(&options).await.unwrap();
        assert_eq!(second.url(), first.url());
        second.stop().await;
        assert!(answers(first.url()).await, "who only joined does not stop the server");

        first.stop().await;
        let again = Embedded::start(&options).await.unwrap();
        let mut db = PgConnection::connect(again.url()).await.unwrap();
        let kept: i32 = sqlx::query_scalar("SELECT n FROM kept").fetch_one(&mut db).await.unwrap();
        assert_eq!(kept, 7);
        again.stop().await;
        fs::remove_dir_all(&options.data_dir).unwrap();
    }

    #[tokio::test]
    async fn lets_nobody_else_in_and_does_not_own_the_server() {
        let options = options("alone");
        let embedded = Embedded::start(&options).await.unwrap();
        assert_eq!(fs::metadata(cluster::run_dir(&options.data_dir)).unwrap().mode() & 0o077, 0);
        let mut db = PgConnection::connect(embedded.url()).await.unwrap();
        let settings: (bool, String) =
            sqlx::query_as("SELECT usesuper, current_setting('listen_addresses') FROM pg_user WHERE usename = user")
                .fetch_one(&mut db)
                .await
                .unwrap();
        assert_eq!(settings, (false, String::new()));
        embedded.stop().await;
        fs::remove_dir_all(&options.data_dir).unwrap();
    }

    #[test]
    fn a_path_in_an_address_is_escaped() {
        assert_eq!(percent_encode(OsStr::new("/tmp/a b?é")), "/tmp/a%20b%3F%C3%A9");
    }
}
