//! The data folder, the user who owns it, and the commands that work on it. It knows no connection and no waiting.

use std::{
    ffi::OsStr,
    fs, io,
    os::unix::{
        fs::{DirBuilderExt, MetadataExt, PermissionsExt, chown},
        process::CommandExt,
    },
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use super::{EmbeddedError, Options, PORT, Result, SUPERUSER, at, programs};

/// A socket's path holds 107 bytes on Linux, 103 elsewhere.
const SOCKET_PATH_BYTES_MAX: usize = 103;
/// How long the server of a process that crashed may take to stop.
const ORPHAN_STOP_TIMEOUT_S: &str = "30";

/// Errors are logged without the statement and the values, which are the players' own.
const SETTINGS: [&str; 9] = [
    "listen_addresses=",
    "unix_socket_permissions=0700",
    "shared_buffers=128MB",
    "jit=off",
    "timezone=UTC",
    "log_timezone=UTC",
    "log_line_prefix=",
    "log_error_verbosity=terse",
    "log_min_error_statement=panic",
];
const SETTINGS_DURABLE: [&str; 1] = ["max_connections=100"];
const SETTINGS_OF_TESTS: [&str; 3] = ["max_connections=300", "fsync=off", "full_page_writes=off"];

/// A data folder, and the programs and the user that fit it.
#[derive(Debug)]
pub(super) struct Cluster {
    pub(super) dir: PathBuf,
    pub(super) bin: PathBuf,
    /// None: ourselves.
    user: Option<User>,
    durable: bool,
    setpriv: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug)]
struct User {
    uid: u32,
    gid: u32,
}

/// Makes the folder if there is none, and gives its real path.
pub(super) fn make_data_dir(dir: &Path) -> Result<PathBuf> {
    if !dir.exists() {
        fs::create_dir_all(dir).map_err(at(dir))?;
        // Whatever the umask: the user that the server runs as must get through.
        let mode = if is_root() { 0o755 } else { 0o700 };
        fs::set_permissions(dir, fs::Permissions::from_mode(mode)).map_err(at(dir))?;
    }
    dir.canonicalize().map_err(at(dir))
}

pub(super) fn run_dir(dir: &Path) -> PathBuf {
    dir.join("run")
}

fn data_dir(dir: &Path) -> PathBuf {
    dir.join("postgres")
}

/// Whether the server takes connections, or was killed when it did.
pub(super) fn is_ready(dir: &Path) -> bool {
    line_of_pid_file(dir, 8).is_some_and(|state| state == "ready")
}

/// Line `number`, from 1, of the file in which a server describes itself. One that is killed leaves it behind.
fn line_of_pid_file(dir: &Path, number: usize) -> Option<String> {
    let text = fs::read_to_string(data_dir(dir).join("postmaster.pid")).ok()?;
    text.lines().nth(number - 1).map(|line| line.trim().to_owned())
}

/// Of the process as it acts. Elsewhere than on Linux root is not noticed, and `initdb` says that it refuses.
pub(super) fn is_root() -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ids = status.lines().find_map(|line| line.strip_prefix("Uid:"));
    ids.and_then(|ids| ids.split_whitespace().nth(1)).is_some_and(|effective| effective == "0")
}

impl Cluster {
    pub(super) fn find(options: &Options, dir: PathBuf) -> Result<Self> {
        let bin = programs::find(options, &data_dir(&dir))?;
        let user = is_root().then(|| User::of(&data_dir(&dir)));
        let setpriv = programs::find_setpriv(options.path.as_deref());
        let cluster = Self { dir, bin, user, durable: options.durable, setpriv };
        cluster.check_paths()?;
        Ok(cluster)
    }

    /// Makes the folder fit to start a server in. Only for who holds the lock.
    pub(super) fn prepare(&self) -> Result<()> {
        self.stop_orphan()?;
        self.forget_reused_pid()?;
        if !self.data().exists() {
            self.init()?;
        }
        self.make_private(&run_dir(&self.dir))
    }

    /// The command that becomes the server.
    pub(super) fn server(&self) -> Command {
        let mut command = self.tied_command("postgres");
        // Ctrl-C in a terminal is for us: the server stops last.
        command.process_group(0).stderr(Stdio::piped());
        command.arg("-D").arg(self.data()).arg("-k").arg(run_dir(&self.dir)).args(["-p", &PORT.to_string()]);
        let more: &[&str] = if self.durable { &SETTINGS_DURABLE } else { &SETTINGS_OF_TESTS };
        for setting in SETTINGS.iter().chain(more) {
            command.args(["-c", setting]);
        }
        command
    }

    /// Asks the server to stop, without waiting: `fast` ends the connections and writes everything out, `immediate`
    /// leaves that to the next start.
    pub(super) fn signal_stop(&self, mode: &str) -> Result<()> {
        self.pg_ctl(&["stop", "-m", mode, "-W"])
    }

    fn data(&self) -> PathBuf {
        data_dir(&self.dir)
    }

    fn check_paths(&self) -> Result<()> {
        let socket = run_dir(&self.dir).join(format!(".s.PGSQL.{PORT}"));
        if socket.as_os_str().len() > SOCKET_PATH_BYTES_MAX {
            return Err(EmbeddedError::PathTooLong(socket));
        }
        let Some(user) = self.user else { return Ok(()) };
        let mut folders = self.dir.ancestors().chain(self.bin.ancestors());
        match folders.find(|folder| !user.may_enter(folder)) {
            Some(folder) => Err(EmbeddedError::Unreachable { folder: folder.to_owned(), uid: user.uid }),
            None => Ok(()),
        }
    }

    /// Under another name until it is complete, so that one cut short is never taken for a cluster.
    fn init(&self) -> Result<()> {
        let new = self.dir.join("postgres.new");
        self.make_private(&new)?;
        let mut initdb = self.tied_command("initdb");
        // Trust, because who can reach the socket is the owner of the data.
        initdb.arg("-D").arg(&new).args(["-U", SUPERUSER, "-A", "trust", "-E", "UTF8", "--locale=C"]);
        if !self.durable {
            initdb.arg("--no-sync");
        }
        run("initdb", initdb)?;
        fs::rename(&new, self.data()).map_err(at(&new))
    }

    /// The server of a process that was killed is stopping on its own, unless nothing tied it to that process.
    fn stop_orphan(&self) -> Result<()> {
        if !self.has_live_server() {
            return Ok(());
        }
        tracing::info!("stopping the Postgres that an earlier process left behind");
        let stopped = self.pg_ctl(&["stop", "-m", "fast", "-w", "-t", ORPHAN_STOP_TIMEOUT_S]);
        // It may have ended on its own just before it was asked to.
        if self.has_live_server() { stopped } else { Ok(()) }
    }

    /// After a restart of the machine or the container, the number of the old server may be another process's, which
    /// Postgres would take for a live server. It judges the other cases better than we could.
    fn forget_reused_pid(&self) -> Result<()> {
        let reused = line_of_pid_file(&self.dir, 1).is_some_and(|pid| Path::new("/proc").join(pid).exists());
        if !reused || self.has_live_server() {
            return Ok(());
        }
        let pid_file = self.data().join("postmaster.pid");
        fs::remove_file(&pid_file).map_err(at(&pid_file))
    }

    /// Known by its command line, which every user may read; where there is no `/proc`, by what `pg_ctl` finds.
    fn has_live_server(&self) -> bool {
        let Some(pid) = line_of_pid_file(&self.dir, 1) else { return false };
        if !Path::new("/proc/self").exists() {
            return self.pg_ctl(&["status"]).is_ok();
        }
        let command_line = fs::read(Path::new("/proc").join(pid).join("cmdline")).unwrap_or_default();
        let data = self.data();
        command_line.split(|&byte| byte == 0).any(|argument| argument == data.as_os_str().as_encoded_bytes())
    }

    fn pg_ctl(&self, arguments: &[&str]) -> Result<()> {
        let mut pg_ctl = self.command("pg_ctl");
        pg_ctl.args(arguments).arg("-s").arg("-D").arg(self.data());
        run("pg_ctl", pg_ctl)
    }

    /// An empty folder that only the server's user may enter.
    fn make_private(&self, folder: &Path) -> Result<()> {
        let make = || {
            match fs::remove_dir_all(folder) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => fs::DirBuilder::new().mode(0o700).create(folder)?,
            }
            self.user.map_or(Ok(()), |user| chown(folder, Some(user.uid), Some(user.gid)))
        };
        make().map_err(at(folder))
    }

    fn command(&self, program: &str) -> Command {
        let mut command = self.bare_command(self.bin.join(program));
        if let Some(user) = self.user {
            // Root's other groups are given up with it.
            command.uid(user.uid).gid(user.gid);
        }
        command
    }

    /// It is told to stop when the thread that spawns it ends, if `setpriv` is there; if not, the next start does that:
    /// see [`Cluster::stop_orphan`].
    fn tied_command(&self, program: &str) -> Command {
        let Some(setpriv) = &self.setpriv else { return self.command(program) };
        let mut command = self.bare_command(setpriv);
        command.args(["--pdeathsig", "INT"]);
        if let Some(User { uid, gid }) = self.user {
            command.args([format!("--reuid={uid}"), format!("--regid={gid}"), "--clear-groups".to_owned()]);
        }
        command.arg("--").arg(self.bin.join(program));
        command
    }

    /// With nothing of our environment: what is for us, as secrets are, is not for it.
    fn bare_command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command.env_clear().env("LC_ALL", "C").current_dir(&self.dir).stdin(Stdio::null()).stdout(Stdio::null());
        command
    }
}

impl User {
    /// The owner of the data; for data yet to be made `postgres`, or `nobody` where there is no such user.
    fn of(data: &Path) -> Self {
        let owner = fs::metadata(data).ok().map(|data| Self { uid: data.uid(), gid: data.gid() });
        let known = || Self::named("postgres").or_else(|| Self::named("nobody"));
        owner.filter(|owner| owner.uid != 0).or_else(known).unwrap_or(Self { uid: 65534, gid: 65534 })
    }

    fn named(name: &str) -> Option<Self> {
        let users = fs::read_to_string("/etc/passwd").ok()?;
        let mut fields = users.lines().map(|line| line.split(':')).find(|line| line.clone().next() == Some(name))?;
        let uid = fields.nth(2)?.parse().ok()?;
        Some(Self { uid, gid: fields.next()?.parse().ok()? })
    }

    fn may_enter(self, folder: &Path) -> bool {
        let Ok(folder) = fs::metadata(folder) else { return true };
        let bit = if folder.uid() == self.uid {
            0o100
        } else if folder.gid() == self.gid {
            0o010
        } else {
            0o001
        };
        folder.mode() & bit != 0
    }
}

fn run(program: &'static str, mut command: Command) -> Result<()> {
    let output = command.stderr(Stdio::piped()).output().map_err(at(Path::new(command.get_program())))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr).trim().replace('\n', "; ");
    Err(EmbeddedError::Failed { program, output: format!("{said} ({})", output.status) })
}
