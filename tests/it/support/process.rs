//! The real program as an operator runs it: a process of its own, with its environment, its logs and its signals.

use std::{
    io::{BufRead, BufReader},
    net::SocketAddr,
    process::{Child, Command, ExitStatus, Output, Stdio},
    sync::Arc,
    thread,
};

use parking_lot::Mutex;

use super::{Api, until};

/// A running server, killed when it is dropped.
pub(crate) struct Process {
    pub(crate) address: SocketAddr,
    child: Child,
    log: Arc<Mutex<Vec<String>>>,
}

/// The program with nothing configured but what is told here.
#[expect(clippy::disallowed_methods, reason = "PATH says where the programs of Postgres are")]
pub(crate) fn lastbite() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lastbite"));
    command.env_clear().stdin(Stdio::null());
    for name in ["PATH", "HOME"] {
        if let Some(value) = std::env::var_os(name) {
            command.env(name, value);
        }
    }
    command
}

/// Runs a command that ends by itself, without holding up the test's own servers.
pub(crate) async fn run(mut command: Command) -> Output {
    tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
}

/// What a command printed, both ways.
pub(crate) fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

impl Process {
    /// Starts `lastbite serve` on a free port, and waits until it takes requests.
    pub(crate) async fn serve(configure: impl FnOnce(&mut Command)) -> Self {
        let mut command = lastbite();
        command.args(["serve", "--listen", "127.0.0.1:0"]);
        configure(&mut command);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let log = Arc::new(Mutex::new(Vec::new()));
        let (lines, kept) = (BufReader::new(child.stderr.take().unwrap()).lines(), Arc::clone(&log));
        // Reads until the process ends, so that it never waits for a reader.
        thread::spawn(move || lines.map_while(Result::ok).for_each(|line| kept.lock().push(line)));
        let mut process = Self { address: ([127, 0, 0, 1], 0).into(), child, log };
        process.address = process.logged("serving on http://").await.parse().unwrap();
        process
    }

    /// Waits for a log line with `words` and answers what stands behind them, up to the end of the message.
    pub(crate) async fn logged(&self, words: &str) -> String {
        until(words, || async {
            let log = self.log.lock();
            let line = log.iter().find_map(|line| line.split_once(words))?;
            Some(line.1.split(['"', '/']).next().unwrap_or_default().to_owned())
        })
        .await
    }

    /// Everything logged so far.
    pub(crate) fn log(&self) -> Vec<String> {
        self.log.lock().clone()
    }

    pub(crate) fn api(&self) -> Api {
        Api::new(self.address)
    }

    /// The process's number.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Ends it at once, wherever it is, and waits until it is gone.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Asks it to stop, as an orchestrator does.
    pub(crate) fn terminate(&self) {
        let asked = Command::new("kill").args(["-TERM", &self.pid().to_string()]).status().unwrap();
        assert!(asked.success());
    }

    /// Waits for its end.
    pub(crate) async fn ended(&mut self) -> ExitStatus {
        let child = Mutex::new(&mut self.child);
        until("the process ends", || async { child.lock().try_wait().unwrap() }).await
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ended = self.child.kill();
        let _gone = self.child.wait();
    }
}
