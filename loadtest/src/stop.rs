//! Ctrl-C: the first ends the run early and still prints, the second ends the process.

use tokio::{sync::watch, task::JoinSet};

/// Tells whether the run is to end early. Clones tell the same.
#[derive(Clone, Debug)]
pub(crate) struct Stop(watch::Receiver<bool>);

impl Stop {
    /// Whether it has been asked for.
    pub(crate) fn asked(&self) -> bool {
        *self.0.borrow()
    }

    /// Waits for it; for ever when nobody can ask any more.
    pub(crate) async fn wait(&mut self) {
        if self.0.wait_for(|asked| *asked).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

/// Listens for Ctrl-C until the process ends.
pub(crate) fn on_ctrl_c() -> Stop {
    let (asked, stop) = watch::channel(false);
    let mut tasks = JoinSet::new();
    tasks.spawn(async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            asked.send_replace(true);
        }
        if tokio::signal::ctrl_c().await.is_ok() {
            std::process::exit(130);
        }
    });
    tasks.detach_all();
    Stop(stop)
}
