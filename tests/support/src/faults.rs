//! Faults to order.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use hyper::Request;
use hyper::body::Bytes;

/// The requests for a fault or a gate: by default the first one that fits.
#[derive(Debug, Clone)]
pub struct On {
    method: String,
    path: String,
    extent: Extent,
    first: usize,
    times: Option<usize>,
    every: usize,
    seen: usize,
    dry_runs: DryRuns,
}

/// How much of a request's path and query a text stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Extent {
    Part,
    Whole,
}

/// Tells whether dry runs count among the requests that fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum DryRuns {
    Count,
    PassBy,
}

/// A fault; made by [`Fault::on`].
#[derive(Debug, Clone)]
pub struct Fault {
    on: On,
    pub(crate) act: Act,
}

#[derive(Debug, Clone)]
pub(crate) enum Act {
    /// A `Status` of this code, perhaps with `Retry-After`.
    Answer(u16, Option<u64>),
    /// A `Status` of this code with this message.
    Say(u16, String),
    /// The page of a broken proxy.
    Html(u16),
    /// Any code, content type and body.
    Serve(u16, String, String),
    /// A success whose body has no end.
    Flood(Flood),
    DropBeforeForwarding,
    DropAfterForwarding,
    /// Ends the connection or the stream in a way of HTTP/2.
    End(End),
    CutTheAnswer,
    Hang,
    Delay(Duration),
    Warn(String),
}

/// The way in which a server of HTTP/2 ends a connection or a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// The stream alone, unread: `RST_STREAM` with `REFUSED_STREAM`. The cluster never hears of the request.
    RefusedStream,
    /// The connection, with all its streams. The cluster never hears of the request.
    Connection,
    /// The connection: `GOAWAY` names the stream before this one as the last. The cluster never hears of it.
    GoAwayBefore,
    /// The connection, once this request is answered: `GOAWAY`, as a server that shuts down has it.
    GoAwayAfter,
}

/// A body without an end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flood {
    /// Blanks, as they are.
    Plain,
    /// A third of a gigabyte, packed: a thousandth of it crosses the wire.
    Gzip,
    /// A refusal, whose body has no end.
    Refusal,
}

impl Act {
    pub(crate) fn end(&self) -> Option<End> {
        match self {
            Self::End(end) => Some(*end),
            _ => None,
        }
    }
}

impl Fault {
    /// Matches requests with this method (`"*"` for any) whose path and query contain this text.
    pub fn on(method: &str, path: &str) -> On {
        On {
            method: method.into(),
            path: path.into(),
            extent: Extent::Part,
            first: 1,
            times: Some(1),
            every: 1,
            seen: 0,
            dry_runs: DryRuns::Count,
        }
    }
}

impl On {
    /// Starts at the nth request that fits, counted from 1.
    #[must_use]
    pub fn nth(self, first: usize) -> Self {
        Self { first, ..self }
    }

    /// Matches only requests whose path and query are this text and nothing else.
    #[must_use]
    pub fn whole(self) -> Self {
        Self { extent: Extent::Whole, ..self }
    }

    /// Lets dry runs pass. Their number varies: if a controller writes in between, one is repeated.
    #[must_use]
    pub fn kept(self) -> Self {
        Self { dry_runs: DryRuns::PassBy, ..self }
    }

    /// Holds for that many requests.
    #[must_use]
    pub fn times(self, times: usize) -> Self {
        Self { times: Some(times), ..self }
    }

    /// Holds for every request from then on.
    #[must_use]
    pub fn for_ever(self) -> Self {
        Self { times: None, ..self }
    }

    /// Holds for one of this many requests, for ever: the tenth, the twentieth and so on.
    #[must_use]
    pub fn every(self, nth: usize) -> Self {
        Self { first: nth, every: nth, times: None, ..self }
    }

    /// Answers with a Kubernetes `Status` of this code instead of forwarding.
    pub fn answer(self, code: u16) -> Fault {
        self.act(Act::Answer(code, None))
    }

    /// Answers as [`On::answer`] does, with `Retry-After: <seconds>`.
    pub fn answer_after(self, code: u16, seconds: u64) -> Fault {
        self.act(Act::Answer(code, Some(seconds)))
    }

    /// Answers with a `Status` of this code and message, as an admission webhook has it.
    pub fn answer_with(self, code: u16, message: &str) -> Fault {
        self.act(Act::Say(code, message.into()))
    }

    /// Answers with a page of HTML, as a proxy in between does.
    pub fn html(self, code: u16) -> Fault {
        self.act(Act::Html(code))
    }

    /// Answers with this body, like another service at the address.
    pub fn serve(self, code: u16, content_type: &str, body: &str) -> Fault {
        self.act(Act::Serve(code, content_type.into(), body.into()))
    }

    /// Answers without an end.
    pub fn flood(self, flood: Flood) -> Fault {
        self.act(Act::Flood(flood))
    }

    /// Closes the connection; the cluster never hears of the request.
    pub fn drop_before_forwarding(self) -> Fault {
        self.act(Act::DropBeforeForwarding)
    }

    /// Lets the cluster carry it out, then closes the connection without an answer.
    pub fn drop_after_forwarding(self) -> Fault {
        self.act(Act::DropAfterForwarding)
    }

    /// Lets the cluster carry it out, and closes the connection halfway through the answer's body.
    pub fn cut_the_answer(self) -> Fault {
        self.act(Act::CutTheAnswer)
    }

    /// Ends the connection or the stream.
    pub fn end(self, end: End) -> Fault {
        self.act(Act::End(end))
    }

    /// Never answers.
    pub fn hang(self) -> Fault {
        self.act(Act::Hang)
    }

    /// Waits before it forwards.
    pub fn delay(self, by: Duration) -> Fault {
        self.act(Act::Delay(by))
    }

    /// Adds a `Warning` header to the answer, as the API server does for deprecations.
    pub fn warn(self, text: &str) -> Fault {
        self.act(Act::Warn(text.into()))
    }

    fn act(self, act: Act) -> Fault {
        Fault { on: self, act }
    }

    /// Counts a request that fits, and returns true if its turn has come.
    pub(crate) fn takes(&mut self, request: &Request<Bytes>) -> bool {
        let method = self.method == "*" || self.method == request.method().as_str();
        let path = request.uri().path_and_query().map_or("", |path| path.as_str());
        let passes = self.dry_runs == DryRuns::PassBy && path.contains("dryRun=All");
        let fits = match self.extent {
            Extent::Part => path.contains(&self.path),
            Extent::Whole => path == self.path,
        };
        if !method || !fits || passes {
            return false;
        }
        self.seen += 1;
        let Some(since) = self.seen.checked_sub(self.first) else { return false };
        since.is_multiple_of(self.every) && self.times.is_none_or(|times| since < times)
    }
}

/// The faults of a world, in the order in which they were ordered.
#[derive(Default)]
pub(crate) struct Faults(Mutex<Vec<Fault>>);

impl Faults {
    pub(crate) fn add(&self, fault: Fault) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(fault);
    }

    pub(crate) fn clear(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Returns the faults of this request.
    pub(crate) fn for_request(&self, request: &Request<Bytes>) -> Vec<Act> {
        let mut faults = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        faults.iter_mut().filter_map(|fault| fault.on.takes(request).then(|| fault.act.clone())).collect()
    }
}
