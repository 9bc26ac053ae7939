//! The bytes of a connection, as the HTTP client reads and writes them.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::client::legacy::connect::{Connected, Connection};
use tower::BoxError;

use super::transport_error::{chain, tls_error};

/// The number of reads after which everything else has its turn.
const READS_AT_ONCE: u8 = 8;

/// The form in which requests name their target.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// The server is at the other end.
    Path,
    /// A proxy is, which passes requests on one by one.
    Url,
}

/// What is known of all connections of a client.
#[derive(Clone, Default)]
pub(super) struct Watch(Arc<Seen>);

#[derive(Default)]
struct Seen {
    /// The reason why TLS ended the connection that ended last. With HTTP/1.1 it is among the causes of an error;
    /// h2 0.4 keeps the text of it, or nothing.
    why: Mutex<Option<rustls::Error>>,
    connections: AtomicUsize,
}

impl Watch {
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

/// A connection that is watched, and lets others have their turn. A server that sends without a pause keeps the program's only
/// thread busy, and with it the clock: hyper 1.12 reads on as long as interim answers come.
pub(super) struct Stream<T> {
    inner: T,
    form: Form,
    reads: u8,
    watch: Watch,
}

impl<T> Stream<T> {
    pub(super) fn new(inner: T, form: Form, watch: Watch) -> Self {
        watch.0.connections.fetch_add(1, Ordering::Relaxed);
        Self { inner, form, reads: 0, watch }
    }
}

impl<T> Drop for Stream<T> {
    fn drop(&mut self) {
        self.watch.0.connections.fetch_sub(1, Ordering::Relaxed);
    }
}

impl<T: Read + Unpin> Read for Stream<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        if self.reads == READS_AT_ONCE {
            self.reads = 0;
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        let read = Pin::new(&mut self.inner).poll_read(context, buffer);
        self.reads = if read.is_ready() { self.reads + 1 } else { 0 };
        self.watch.keep(read)
    }
}

impl<T: Write + Unpin> Write for Stream<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.inner).poll_write(context, bytes);
        self.watch.keep(outcome)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let outcome = Pin::new(&mut self.inner).poll_flush(context);
        self.watch.keep(outcome)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(context)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.inner).poll_write_vectored(context, slices);
        self.watch.keep(outcome)
    }
}

impl<T: Connection> Connection for Stream<T> {
    fn connected(&self) -> Connected {
        self.inner.connected().proxy(self.form == Form::Url)
    }
}
