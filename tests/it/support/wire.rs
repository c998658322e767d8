//! A wire between a client and a server, to be cut.

use std::net::SocketAddr;

use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinHandle,
};

/// Carries bytes between whoever connects to `address` and a server.
pub(crate) struct Wire {
    pub(crate) address: SocketAddr,
    whole: watch::Sender<bool>,
    carrying: JoinHandle<()>,
}

impl Wire {
    #[expect(clippy::disallowed_methods, reason = "the wire of a test lies beside it")]
    pub(crate) async fn to(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (whole, is_whole) = watch::channel(true);
        Self { address, whole, carrying: tokio::spawn(carry(listener, server, is_whole)) }
    }

    /// Drops all connections, and every new one.
    pub(crate) fn cut(&self) {
        self.whole.send_replace(false);
    }

    pub(crate) fn mend(&self) {
        self.whole.send_replace(true);
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.carrying.abort();
    }
}

async fn carry(listener: TcpListener, server: SocketAddr, is_whole: watch::Receiver<bool>) {
    let mut connections = tokio::task::JoinSet::new();
    loop {
        let (mut near, _) = listener.accept().await.unwrap();
        let mut is_whole = is_whole.clone();
        connections.spawn(async move {
            if !*is_whole.borrow_and_update() {
                return;
            }
            let Ok(mut far) = TcpStream::connect(server).await else { return };
            tokio::select! {
                _ends = copy_bidirectional(&mut near, &mut far) => {}
                _cut = is_whole.changed() => {}
            }
        });
    }
}
