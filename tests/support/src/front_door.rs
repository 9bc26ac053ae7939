//! The HTTPS front door of a world: logs every request, carries out faults and gates, and asks the backend.

use std::collections::HashMap;
use std::convert::Infallible;
use std::fmt;
use std::io::{self, Read as _};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use flate2::Compression;
use flate2::write::GzEncoder;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Frame, Incoming, SizeHint};
use hyper::header::AUTHORIZATION;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::json;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{AbortHandle, JoinSet};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;

use crate::api::{Failure, Target, respond};
use crate::backend::{Backend, Payload};
use crate::certificates::{Authority, Pair, Validity};
use crate::faults::{Act, End, Faults, Flood};
use crate::gate::{Gates, Hold, Stop};
use crate::http2::{self, Order};
use crate::log::Log;
use crate::runtime::{runtime, wait_for};

pub(crate) type Body = BoxBody<Bytes, io::Error>;

/// The reason why a request gets no answer.
#[derive(Debug)]
pub(crate) enum NoAnswer {
    Broken(io::Error),
    /// What the stream's end says to the client.
    Stream(h2::Error),
}

impl From<io::Error> for NoAnswer {
    fn from(error: io::Error) -> Self {
        Self::Broken(error)
    }
}

impl fmt::Display for NoAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a fault that a test ordered")
    }
}

impl std::error::Error for NoAnswer {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Broken(error) => Some(error),
            Self::Stream(error) => Some(error),
        }
    }
}

/// The protocols that a front door speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Protocols {
    /// HTTP/2 and HTTP/1.1, as an API server.
    #[default]
    Both,
    /// HTTP/1.1 alone, as many proxies.
    Http1,
    /// HTTP/2 with one stream at a time, and HTTP/1.1.
    OneStream,
}

/// The state that all connections of a world share.
pub(crate) struct Door {
    pub(crate) log: Log,
    pub(crate) faults: Faults,
    pub(crate) gates: Gates,
    backend: Backend,
    /// Users by the certificate that was made for them.
    users: Mutex<HashMap<Vec<u8>, String>>,
    short_lived: Mutex<ShortLived>,
    protocols: Mutex<Protocols>,
    connections: AtomicUsize,
}

/// Tokens that begin with [`SHORT_LIVED`]: each stands for another one, for a limited time from its first
/// request on.
#[derive(Default)]
struct ShortLived {
    terms: Option<(String, Duration)>,
    seen: HashMap<String, Instant>,
}

const SHORT_LIVED: &str = "short-lived-";

/// A listening front door. Dropped, it closes with all its connections.
pub(crate) struct FrontDoor {
    pub(crate) door: Arc<Door>,
    pub(crate) address: SocketAddr,
    pub(crate) authority: Authority,
    accepting: AbortHandle,
}

impl FrontDoor {
    pub(crate) fn open(backend: Backend) -> Self {
        let authority = Authority::new("support-cluster-ca");
        let tls = authority.server_config(&authority.server());
        let listener = wait_for(TcpListener::bind("127.0.0.1:0")).expect("a free port on loopback");
        let address = listener.local_addr().expect("an address");
        let door = Arc::new(Door {
            log: Log::default(),
            faults: Faults::default(),
            gates: Gates::default(),
            backend,
            users: Mutex::default(),
            short_lived: Mutex::default(),
            protocols: Mutex::default(),
            connections: AtomicUsize::new(0),
        });
        let accepting = runtime().spawn(accept(Arc::clone(&door), listener, tls)).abort_handle();
        Self { door, address, authority, accepting }
    }

    /// Opens another door to the same cluster, with a certificate of its own. It stays open.
    pub(crate) fn second(&self, pair: &Pair) -> SocketAddr {
        let tls = self.authority.server_config(pair);
        let listener = wait_for(TcpListener::bind("127.0.0.1:0")).expect("a free port on loopback");
        let address = listener.local_addr().expect("an address");
        drop(runtime().spawn(accept(Arc::clone(&self.door), listener, tls)));
        address
    }

    /// Registers the user of this certificate (DER).
    pub(crate) fn knows(&self, user: &str, certificate: &[u8]) {
        let mut users = self.door.users.lock().unwrap_or_else(PoisonError::into_inner);
        users.insert(certificate.to_vec(), user.to_owned());
    }

    /// Returns a certificate and its key as PEM, for a user of this name.
    pub(crate) fn client_certificate(&self, user: &str, validity: Validity) -> (String, String) {
        let pair = self.authority.client(user, validity);
        self.knows(user, &pair.certificate);
        (pair.certificate_pem, pair.key_pem)
    }
}

impl Drop for FrontDoor {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(door: Arc<Door>, listener: TcpListener, mut tls: ServerConfig) {
    let http1 = TlsAcceptor::from(Arc::new(tls.clone()));
    tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let both = TlsAcceptor::from(Arc::new(tls));
    let mut connections = JoinSet::new();
    loop {
        if let Ok((stream, _)) = listener.accept().await {
            let acceptor = if door.protocols() == Protocols::Http1 { &http1 } else { &both };
            connections.spawn(serve(Arc::clone(&door), stream, acceptor.clone()));
        }
        while connections.try_join_next().is_some() {}
    }
}

async fn serve(door: Arc<Door>, stream: TcpStream, acceptor: TlsAcceptor) {
    // Delayed acknowledgements would add 40 ms to every request.
    drop(stream.set_nodelay(true));
    let Ok(stream) = acceptor.accept(stream).await else { return };
    door.connections.fetch_add(1, Ordering::Relaxed);
    let certificate = stream.get_ref().1.peer_certificates().and_then(<[_]>::first);
    let user = certificate.and_then(|certificate| {
        door.users.lock().unwrap_or_else(PoisonError::into_inner).get(certificate.as_ref()).cloned()
    });
    if stream.get_ref().1.alpn_protocol() == Some(b"h2") {
        let streams = if door.protocols() == Protocols::OneStream { 1 } else { 200 };
        http2::serve(&door, stream, user, streams).await;
        return;
    }
    let service = service_fn(|request| {
        let (door, user) = (Arc::clone(&door), user.clone());
        async move { door.receive(request, user, |_| {}).await }
    });
    // The connection ends with an error where a fault dropped it.
    drop(http1::Builder::new().serve_connection(TokioIo::new(stream), service).await);
}

impl Door {
    fn protocols(&self) -> Protocols {
        *self.protocols.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn speak(&self, protocols: Protocols) {
        *self.protocols.lock().unwrap_or_else(PoisonError::into_inner) = protocols;
    }

    /// Returns the number of connections so far.
    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }

    pub(crate) fn short_lived_tokens(&self, stand_for: &str, life: Duration) {
        let mut short_lived = self.short_lived.lock().unwrap_or_else(PoisonError::into_inner);
        short_lived.terms = Some((stand_for.to_owned(), life));
    }

    /// Replaces a short-lived token by the token that it stands for, while it lives.
    fn exchange_token(&self, request: &mut Request<Bytes>) {
        let header = request.headers().get(AUTHORIZATION).and_then(|header| header.to_str().ok());
        let Some(token) = header.and_then(|header| header.strip_prefix("Bearer ")) else { return };
        if !token.starts_with(SHORT_LIVED) {
            return;
        }
        let mut short_lived = self.short_lived.lock().unwrap_or_else(PoisonError::into_inner);
        let Some((stand_for, life)) = short_lived.terms.clone() else { return };
        let first = *short_lived.seen.entry(token.to_owned()).or_insert_with(Instant::now);
        if first.elapsed() < life {
            let header = format!("Bearer {stand_for}").parse().expect("a token is a header's value");
            request.headers_mut().insert(AUTHORIZATION, header);
        }
    }

    /// Answers a request. An error ends the connection, or the stream; what becomes of the connection
    /// besides is told to `order`.
    pub(crate) async fn receive(
        self: Arc<Self>,
        request: Request<Incoming>,
        user: Option<String>,
        order: impl Fn(Order),
    ) -> Result<Response<Body>, NoAnswer> {
        let (head, body) = request.into_parts();
        let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
        let mut request = Request::from_parts(head, body);
        let ticket = self.log.begin(&request);
        self.exchange_token(&mut request);
        let acts = self.faults.for_request(&request);
        let mut stops = self.gates.for_request(&request);

        pass(&mut stops, Hold::BeforeForwarding).await;
        let cut = acts.iter().any(|act| matches!(act, Act::CutTheAnswer));
        for end in acts.iter().filter_map(Act::end) {
            match end {
                End::RefusedStream => return Err(NoAnswer::Stream(h2::Reason::REFUSED_STREAM.into())),
                End::Connection => order(Order::Close),
                End::GoAwayBefore => order(Order::GoAwayBefore),
                End::GoAwayAfter => continue,
            }
            std::future::pending::<()>().await;
        }
        let mut response = match refusal(&request, &acts).await? {
            Some(response) => response,
            None => self.forward(request, user).await?,
        };
        pass(&mut stops, Hold::AfterForwarding).await;
        if acts.iter().any(|act| matches!(act, Act::DropAfterForwarding)) {
            return Err(io::Error::from(io::ErrorKind::ConnectionAborted).into());
        }
        for act in &acts {
            if act.end() == Some(End::GoAwayAfter) {
                order(Order::GoAwayAfter);
            }
            if let Act::Warn(text) = act {
                let value =
                    format!("299 - \"{}\"", text.replace('"', "\\\"")).parse().expect("a header's value");
                response.headers_mut().append("warning", value);
            }
        }
        ticket.answered(response.status().as_u16(), response.body().len());
        Ok(response.map(|payload| body_of(payload, cut)))
    }

    /// Forwards a request. Once it has reached the cluster it is carried out, even if the client goes away.
    async fn forward(
        self: &Arc<Self>,
        request: Request<Bytes>,
        user: Option<String>,
    ) -> io::Result<Response<Payload>> {
        let backend = self.backend.clone();
        tokio::spawn(async move { backend.answer(request, user.as_deref()).await })
            .await
            .map_err(io::Error::other)
    }
}

async fn pass(stops: &mut [Stop], point: Hold) {
    for stop in stops.iter_mut().filter(|stop| stop.point == point) {
        stop.pass().await;
    }
}

/// Returns the answer of a fault in the cluster's place.
async fn refusal(request: &Request<Bytes>, acts: &[Act]) -> io::Result<Option<Response<Payload>>> {
    for act in acts {
        match act {
            Act::Delay(by) => tokio::time::sleep(*by).await,
            Act::Hang => std::future::pending().await,
            Act::DropBeforeForwarding => return Err(io::ErrorKind::ConnectionAborted.into()),
            Act::Html(code) => {
                let page =
                    "<html><head><title>Bad gateway</title></head><body><h1>Bad gateway</h1></body></html>\n";
                return Ok(Some(respond(*code, "text/html", page.into())));
            }
            Act::Serve(code, content_type, body) => {
                return Ok(Some(respond(*code, content_type, body.clone())));
            }
            Act::Flood(flood) => return Ok(Some(endless(*flood))),
            Act::Answer(code, seconds) => {
                let target = Target::parse(request.uri().path());
                let failure = Failure::ordered(*code, request.method().as_str(), target.as_ref(), *seconds);
                let mut response = respond(*code, "application/json", failure.status().to_string());
                if let Some(seconds) = seconds {
                    response.headers_mut().insert("retry-after", (*seconds).into());
                }
                return Ok(Some(response));
            }
            Act::Say(code, message) => {
                let status = json!({
                    "kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code,
                    "reason": "BadRequest", "message": message,
                });
                return Ok(Some(respond(*code, "application/json", status.to_string())));
            }
            Act::DropAfterForwarding | Act::CutTheAnswer | Act::Warn(_) | Act::End(_) => {}
        }
    }
    Ok(None)
}

/// Returns an answer that begins and does not end.
fn endless(flood: Flood) -> Response<Payload> {
    let (code, body) = match flood {
        Flood::Plain => (200, Payload::Stream(BoxBody::new(Endless(vec![b' '; 1 << 20].into())))),
        Flood::Refusal => (403, Payload::Stream(BoxBody::new(Endless(vec![b' '; 1 << 20].into())))),
        Flood::Gzip => (200, Payload::Whole(packed_blanks().into())),
    };
    let answer = Response::builder().status(code).header("content-type", "application/json");
    let answer = if flood == Flood::Gzip { answer.header("content-encoding", "gzip") } else { answer };
    answer.body(body).expect("a status and headers make an answer")
}

/// Returns 320 MiB in 320 KiB.
fn packed_blanks() -> Vec<u8> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    io::copy(&mut io::repeat(b' ').take(320 << 20), &mut packed).expect("memory takes all");
    packed.finish().expect("memory takes all")
}

/// A frame that is repeated for ever.
struct Endless(Bytes);

impl hyper::body::Body for Endless {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        Poll::Ready(Some(Ok(Frame::data(self.0.clone()))))
    }
}

fn body_of(payload: Payload, cut: bool) -> Body {
    match payload {
        Payload::Stream(body) => body,
        Payload::Whole(bytes) if cut => {
            let half = bytes.slice(..bytes.len() / 2);
            let (sender, receiver) = tokio::sync::mpsc::channel(2);
            drop(sender.try_send(Ok(Frame::data(half))));
            drop(sender.try_send(Err(io::ErrorKind::ConnectionAborted.into())));
            BoxBody::new(CutBody { frames: receiver, announced: bytes.len() as u64 })
        }
        Payload::Whole(bytes) => Full::new(bytes).map_err(|never: Infallible| match never {}).boxed(),
    }
}

/// A body that announces its whole length and breaks off in the middle.
struct CutBody {
    frames: tokio::sync::mpsc::Receiver<io::Result<Frame<Bytes>>>,
    announced: u64,
}

impl hyper::body::Body for CutBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        self.frames.poll_recv(context)
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.announced)
    }
}
