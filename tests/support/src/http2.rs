//! Connections of HTTP/2, and the ways in which a server ends them.

use std::io;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio_rustls::server::TlsStream;

use crate::front_door::Door;

/// What becomes of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    Close,
    /// It closes, and says that it did nothing of the request's stream and of later ones.
    GoAwayBefore,
    /// It takes no new request, and closes once those under way are answered.
    GoAwayAfter,
}

/// Serves a connection on which `most_streams` requests may be under way at once.
pub(crate) async fn serve(
    door: &Arc<Door>,
    stream: TlsStream<TcpStream>,
    user: Option<String>,
    most_streams: u32,
) {
    let stream = Shared(Arc::new(Mutex::new(stream)));
    let (sender, mut orders) = mpsc::unbounded_channel();
    let came = AtomicU32::new(0);
    let service = service_fn(|request| {
        let (door, user, sender) = (Arc::clone(door), user.clone(), sender.clone());
        let before = came.fetch_add(1, Ordering::Relaxed);
        // Nobody receives it where the connection has ended already.
        let order = move |order| sender.send((order, before)).unwrap_or_default();
        async move { door.receive(request, user, order).await }
    });
    let mut connection = pin!(
        http2::Builder::new(TokioExecutor::new())
            .max_concurrent_streams(most_streams)
            .serve_connection(TokioIo::new(stream.clone()), service)
    );
    loop {
        tokio::select! {
            // It ends with an error where the client went away.
            _ = connection.as_mut() => return,
            Some((order, before)) = orders.recv() => match order {
                Order::GoAwayAfter => connection.as_mut().graceful_shutdown(),
                Order::Close => return,
                Order::GoAwayBefore => return go_away(stream, before).await,
            },
        }
    }
}

/// Says that of this many requests, and of no later one, something may have been done; and closes. hyper has
/// no way to say it.
async fn go_away(mut stream: Shared, requests: u32) {
    const GOAWAY: u8 = 7;
    const NO_ERROR: [u8; 4] = [0; 4];
    // A client's streams have odd numbers.
    let last = if requests == 0 { 0 } else { 2 * requests - 1 };
    let mut frame = vec![0, 0, 8, GOAWAY, 0, 0, 0, 0, 0];
    frame.extend(last.to_be_bytes());
    frame.extend(NO_ERROR);
    if stream.write_all(&frame).await.is_ok() {
        drop(stream.shutdown().await);
    }
}

/// A stream that can be written to once its connection is no longer served.
#[derive(Clone)]
struct Shared(Arc<Mutex<TlsStream<TcpStream>>>);

impl Shared {
    fn stream(&self) -> MutexGuard<'_, TlsStream<TcpStream>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl AsyncRead for Shared {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.stream()).poll_read(context, buffer)
    }
}

impl AsyncWrite for Shared {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut *self.stream()).poll_write(context, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.stream()).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.stream()).poll_shutdown(context)
    }
}
