//! The accept loop: our own, because a timer for headers, small send buffers and a drain that knows of sockets are not to
//! be had otherwise.

use std::net::SocketAddr;

use axum::extract::Request;
use hyper::body::Incoming;
use hyper_util::rt::{TokioIo, TokioTimer};
use socket2::SockRef;
use tokio::net::{TcpListener, TcpStream};
use tower::ServiceExt;

use super::router;
use crate::{App, auth::Peer, limits};

/// Accepts connections until the drain, then waits for none of them: each is a tracked task of its own.
pub async fn accept(listener: TcpListener, app: App) {
    let router = router(&app);
    loop {
        let accepted = tokio::select! {
            () = app.shutdown.drain.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => {
                app.tasks.spawn(connection(stream, Peer(peer), router.clone(), app.clone()));
            }
            Err(error) => {
                // Out of descriptors, or the client went before we came: a pause lets others close.
                tracing::warn!(%error, "a connection was not accepted");
                tokio::time::sleep(limits::IN_FLIGHT_WAIT).await;
            }
        }
    }
}

async fn connection(stream: TcpStream, peer: Peer, router: axum::Router, app: App) {
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
        .serve_connection(TokioIo::new(stream), service)
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
fn tune(stream: &TcpStream) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let socket = SockRef::from(stream);
    socket.set_send_buffer_size(limits::SOCKET_SEND_BUFFER_BYTES)?;
    #[cfg(target_os = "linux")]
    socket.set_tcp_notsent_lowat(u32::try_from(limits::SOCKET_SEND_BUFFER_BYTES).unwrap_or(u32::MAX))?;
    Ok(())
}

/// Listens with room for a storm of connects.
///
/// # Errors
/// The address is taken or not ours.
pub fn listen(address: SocketAddr) -> std::io::Result<TcpListener> {
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
