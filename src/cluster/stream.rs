//! The bytes of a connection, as the HTTP client reads and writes them.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use hyper::rt::{Read, ReadBuf, ReadBufCursor, Write};
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
    /// Why the connection can't be written any more, while the rest of it is read.
    failed_write: Option<io::Error>,
}

impl<T> Stream<T> {
    pub(super) fn new(inner: T, form: Form, watch: Watch) -> Self {
        watch.0.connections.fetch_add(1, Ordering::Relaxed);
        Self { inner, form, reads: 0, watch, failed_write: None }
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

impl<T: Read + Unpin> Stream<T> {
    /// Puts off the failure of a write until all is read that the server sent before it closed. Who refuses a
    /// client's certificate says so and closes at once: the next write may fail before that word is read, and
    /// nobody reads a connection that can't be written.
    fn after_last_words<V>(
        &mut self,
        context: &mut Context<'_>,
        write: impl FnOnce(Pin<&mut T>, &mut Context<'_>) -> Poll<io::Result<V>>,
    ) -> Poll<io::Result<V>> {
        let failure = match self.failed_write.take() {
            Some(failure) => failure,
            None => match write(Pin::new(&mut self.inner), context) {
                Poll::Ready(Err(failure)) if is_closed(&failure) => failure,
                outcome => return self.watch.keep(outcome),
            },
        };
        for _ in 0..READS_AT_ONCE {
            let mut room = [0; 1 << 10];
            let mut buffer = ReadBuf::new(&mut room);
            let read = Pin::new(&mut self.inner).poll_read(context, buffer.unfilled());
            match self.watch.keep(read) {
                Poll::Pending => {
                    self.failed_write = Some(failure);
                    return Poll::Pending;
                }
                Poll::Ready(Ok(())) if !buffer.filled().is_empty() => {}
                Poll::Ready(_) => break,
            }
        }
        Poll::Ready(Err(failure))
    }
}

/// Recognizes a connection that the other end closed. What is still to be read of it ends soon.
fn is_closed(failure: &io::Error) -> bool {
    matches!(failure.kind(), io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset)
}

impl<T: Read + Write + Unpin> Write for Stream<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.after_last_words(context, |inner, context| inner.poll_write(context, bytes))
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.after_last_words(context, T::poll_flush)
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
        self.after_last_words(context, |inner, context| inner.poll_write_vectored(context, slices))
    }
}

impl<T: Connection> Connection for Stream<T> {
    fn connected(&self) -> Connected {
        self.inner.connected().proxy(self.form == Form::Url)
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use rustls::AlertDescription as Alert;

    use super::*;

    /// A server that refused the client's certificate and closed. Its word can be read at the second try.
    struct Closed {
        unread: Vec<Poll<io::Result<&'static [u8]>>>,
    }

    impl Read for Closed {
        fn poll_read(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
            mut buffer: ReadBufCursor<'_>,
        ) -> Poll<io::Result<()>> {
            self.unread.remove(0).map_ok(|bytes| buffer.put_slice(bytes))
        }
    }

    impl Write for Closed {
        fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, _: &[u8]) -> Poll<io::Result<usize>> {
            Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()))
        }

        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()))
        }

        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    type Try = fn(Pin<&mut Stream<Closed>>, &mut Context<'_>) -> Poll<io::Result<()>>;

    const WRITES: [Try; 3] = [
        |stream, context| stream.poll_write(context, b"x").map_ok(drop),
        |stream, context| stream.poll_write_vectored(context, &[IoSlice::new(b"x")]).map_ok(drop),
        |stream, context| stream.poll_flush(context),
    ];

    #[test]
    fn what_the_server_said_before_it_closed_is_read_though_the_write_failed() {
        let alert =
            || Poll::Ready(Err(io::Error::other(rustls::Error::AlertReceived(Alert::CertificateExpired))));
        for write in WRITES {
            for (last, is_told) in [
                (vec![alert()], true),
                (vec![Poll::Ready(Ok(&b"an answer"[..])), alert()], true),
                (vec![Poll::Ready(Ok(&b""[..]))], false),
                (vec![Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()))], false),
            ] {
                let watch = Watch::default();
                let unread = std::iter::once(Poll::Pending).chain(last).collect();
                let mut stream = Stream::new(Closed { unread }, Form::Path, watch.clone());
                let context = &mut Context::from_waker(Waker::noop());
                assert!(write(Pin::new(&mut stream), context).is_pending(), "its word is still to come");
                let Poll::Ready(Err(failure)) = write(Pin::new(&mut stream), context) else {
                    panic!("the write did not fail");
                };
                let shown = watch.instead_of(failure.into());
                assert_eq!(chain(&*shown).any(|error| tls_error(error).is_some()), is_told);
            }
        }
    }
}
