//! The accept loop: our own, because timers for headers and for answers that nobody reads, small send buffers and a drain
//! that knows of sockets are not to be had otherwise.

use std::{
    io,
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use axum::extract::Request;
use hyper::body::Incoming;
use hyper_util::rt::{TokioIo, TokioTimer};
use socket2::SockRef;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    time::Sleep,
};
use tower::ServiceExt;

use super::router;
use crate::{App, auth::Peer, limits};

/// Accepts connections until the drain, then waits for none of them: each is a tracked task of its own.
pub async fn accept(listener: TcpListener, app: App) {
    let router = router(&app);
    let places = Arc::new(Semaphore::new(limits::CONNECTIONS_MAX));
    loop {
        // Without a place the next one waits in the kernel's queue.
        let accepted = async {
            let place = Arc::clone(&places).acquire_owned().await.map_err(io::Error::other)?;
            Ok::<_, io::Error>((place, listener.accept().await?))
        };
        let accepted = tokio::select! {
            () = app.shutdown.drain.cancelled() => return,
            accepted = accepted => accepted,
        };
        match accepted {
            Ok((place, (stream, peer))) => {
                app.tasks.spawn(connection(stream, Peer(peer), router.clone(), app.clone(), place));
            }
            Err(error) => {
                // Out of descriptors, or the client went before we came: a pause lets others close.
                tracing::warn!(%error, "a connection was not accepted");
                tokio::time::sleep(limits::IN_FLIGHT_WAIT).await;
            }
        }
    }
}

async fn connection(stream: TcpStream, peer: Peer, router: axum::Router, app: App, _place: OwnedSemaphorePermit) {
    if let Err(error) = tune(&stream) {
        tracing::debug!(%error, "socket options were not set");
    }
    let service = hyper::service::service_fn(move |request: hyper::Request<Incoming>| {
        let mut request: Request = request.map(axum::body::Body::new);
        request.extensions_mut().insert(peer);
        router.clone().oneshot(request)
    });
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits::HEADER_TIMEOUT)
        .max_buf_size(limits::HEADER_BYTES_MAX)
        .serve_connection(TokioIo::new(Impatient { stream, stalled: None }), service)
        .with_upgrades();
    let mut connection = std::pin::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = app.shutdown.drain.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended badly");
    }
}

/// A stalled reader is to be noticed before the kernel hides megabytes of what it does not read.
fn tune(stream: &TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let socket = SockRef::from(stream);
    socket.set_send_buffer_size(limits::SOCKET_SEND_BUFFER_BYTES)?;
    #[cfg(target_os = "linux")]
    socket.set_tcp_notsent_lowat(u32::try_from(limits::SOCKET_SEND_BUFFER_BYTES).unwrap_or(u32::MAX))?;
    Ok(())
}

/// A connection that ends when what is written to it is not taken for too long.
struct Impatient {
    stream: TcpStream,
    /// Runs while a write waits; seldom, so it takes no room in the others.
    stalled: Option<Pin<Box<Sleep>>>,
}

impl Impatient {
    fn judge<T>(&mut self, cx: &mut Context<'_>, written: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.stalled = None;
            return written;
        }
        let stalled = self.stalled.get_or_insert_with(|| Box::pin(tokio::time::sleep(limits::ANSWER_STALL_TIMEOUT)));
        ready!(stalled.as_mut().poll(cx));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncRead for Impatient {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, into)
    }
}

impl AsyncWrite for Impatient {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.judge(cx, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, parts);
        self.judge(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// Listens with room for a storm of connects.
///
/// # Errors
/// The address is taken or not ours.
pub fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = socket2::Socket::new(
        socket2::Domain::for_address(address),
        socket2::Type::STREAM,
        Some(socket2::Protocol::TCP),
    )?;
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(limits::LISTEN_BACKLOG)?;
    TcpListener::from_std(socket.into())
}
