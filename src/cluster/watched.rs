//! Watches connections: whether there is one, and why TLS ended it. With HTTP/1.1 the reason is among the causes
//! of an error; h2 0.4 keeps the text of it, or nothing.

use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::client::legacy::connect::{Connected, Connection};
use tower::BoxError;

use super::transport_error::{chain, tls_error};

/// What is known of all connections of a client.
#[derive(Clone, Default)]
pub(super) struct Watch(Arc<Seen>);

#[derive(Default)]
struct Seen {
    /// The reason why TLS ended the connection that ended last.
    why: Mutex<Option<rustls::Error>>,
    connections: AtomicUsize,
}

impl Watch {
    /// Watches a new connection, until it is dropped.
    pub(super) fn over<S>(&self, stream: S) -> Watched<S> {
        self.0.connections.fetch_add(1, Ordering::Relaxed);
        Watched { stream, watch: self.clone() }
    }

    /// Returns the number of connections that have not ended.
    pub(super) fn connections(&self) -> usize {
        self.0.connections.load(Ordering::Relaxed)
    }

    /// Returns the reason why TLS ended a connection, if the error does not have it.
    pub(super) fn instead_of(&self, error: BoxError) -> BoxError {
        let why = self.0.why.lock().unwrap_or_else(PoisonError::into_inner).take();
        match why {
            Some(why) if chain(&*error).find_map(tls_error).is_none() => why.into(),
            _ => error,
        }
    }

    fn keep<T>(&self, outcome: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if let Poll::Ready(Err(error)) = &outcome
            && let Some(why) = tls_error(error)
        {
            *self.0.why.lock().unwrap_or_else(PoisonError::into_inner) = Some(why.clone());
        }
        outcome
    }
}

/// A connection that is watched.
pub(super) struct Watched<S> {
    stream: S,
    watch: Watch,
}

impl<S> Drop for Watched<S> {
    fn drop(&mut self) {
        self.watch.0.connections.fetch_sub(1, Ordering::Relaxed);
    }
}

impl<S: Read + Unpin> Read for Watched<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        let outcome = Pin::new(&mut self.stream).poll_read(context, buffer);
        self.watch.keep(outcome)
    }
}

impl<S: Write + Unpin> Write for Watched<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.watch.keep(outcome)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let outcome = Pin::new(&mut self.stream).poll_flush(context);
        self.watch.keep(outcome)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.stream).poll_write_vectored(context, pieces);
        self.watch.keep(outcome)
    }
}

impl<S: Connection> Connection for Watched<S> {
    fn connected(&self) -> Connected {
        self.stream.connected()
    }
}
