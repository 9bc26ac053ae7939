//! Gates: a request is parked at a known point, so that a test can kill the plugin just there.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hyper::Request;
use hyper::body::Bytes;
use tokio::sync::watch;

use crate::faults::On;
use crate::runtime::wait_for;

/// Where a request is parked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hold {
    /// The cluster has not heard of it; it never will if the client dies meanwhile.
    BeforeForwarding,
    /// The cluster has done it; the client does not know yet.
    AfterForwarding,
}

/// A gate in the way of requests; made by [`World::hold`](crate::World::hold). Dropped, it opens.
#[derive(Debug)]
pub struct Gate {
    reached: watch::Receiver<usize>,
    open: watch::Sender<bool>,
}

impl Gate {
    /// Waits until a request stands before the gate; `false` when none came in time.
    pub fn wait_reached(&self, limit: Duration) -> bool {
        let mut reached = self.reached.clone();
        wait_for(async { tokio::time::timeout(limit, reached.wait_for(|count| *count > 0)).await })
            .is_ok_and(|it| it.is_ok())
    }

    /// Lets the request pass, and those that come later.
    pub fn release(&self) {
        self.open.send_replace(true);
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.release();
    }
}

struct Post {
    on: On,
    point: Hold,
    reached: watch::Sender<usize>,
    open: watch::Receiver<bool>,
}

/// Where a request has to stop, if anywhere.
pub(crate) struct Stop {
    pub(crate) point: Hold,
    reached: watch::Sender<usize>,
    open: watch::Receiver<bool>,
}

impl Stop {
    /// Waits before the gate.
    pub(crate) async fn pass(&mut self) {
        self.reached.send_modify(|count| *count += 1);
        // An error means that the gate is gone, and with it the obstacle.
        drop(self.open.wait_for(|open| *open).await);
    }
}

/// The gates of a world.
#[derive(Default, Clone)]
pub(crate) struct Gates(Arc<Mutex<Vec<Post>>>);

impl Gates {
    pub(crate) fn add(&self, on: On, point: Hold) -> Gate {
        let (reached, reached_receiver) = watch::channel(0);
        let (open, open_receiver) = watch::channel(false);
        let post = Post { on, point, reached, open: open_receiver };
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(post);
        Gate { reached: reached_receiver, open }
    }

    pub(crate) fn for_request(&self, request: &Request<Bytes>) -> Vec<Stop> {
        let mut posts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let in_the_way = posts.iter_mut().filter_map(|post| post.on.takes(request).then_some(&*post));
        in_the_way
            .map(|post| Stop { point: post.point, reached: post.reached.clone(), open: post.open.clone() })
            .collect()
    }
}
