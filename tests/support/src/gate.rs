//! Gates: they stop a request at a known point, so that a test can kill the plugin just there.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hyper::Request;
use hyper::body::Bytes;
use tokio::sync::watch;

use crate::faults::On;
use crate::runtime::wait_for;

/// The point at which a request stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hold {
    /// The cluster has not got it, and never will if the client dies meanwhile.
    BeforeForwarding,
    /// The cluster has carried it out; the client does not know yet.
    AfterForwarding,
}

/// A gate for requests; made by [`World::hold`](crate::World::hold). Dropped, it opens.
#[derive(Debug)]
pub struct Gate {
    crowd: watch::Receiver<Crowd>,
    open: watch::Sender<bool>,
}

/// The number of requests that came to a gate, and of those that wait there.
#[derive(Debug, Default)]
struct Crowd {
    came: usize,
    standing: usize,
}

impl Gate {
    /// Waits until a request is at the gate; `false` if none came in time.
    pub fn wait_reached(&self, limit: Duration) -> bool {
        self.wait_until(limit, |crowd| crowd.came > 0)
    }

    /// Waits until no request is at the gate: its client was killed, and the server has noticed. A gate
    /// released before that may let the request pass. `false` if it took too long.
    pub fn wait_left(&self, limit: Duration) -> bool {
        self.wait_until(limit, |crowd| crowd.standing == 0)
    }

    fn wait_until(&self, limit: Duration, holds: impl Fn(&Crowd) -> bool) -> bool {
        let mut crowd = self.crowd.clone();
        wait_for(async {
            tokio::time::timeout(limit, crowd.wait_for(holds)).await.is_ok_and(|it| it.is_ok())
        })
    }

    /// Lets the request pass, and later ones.
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
    crowd: watch::Sender<Crowd>,
    open: watch::Receiver<bool>,
}

/// The gate that stops a request, if any.
pub(crate) struct Stop {
    pub(crate) point: Hold,
    crowd: watch::Sender<Crowd>,
    open: watch::Receiver<bool>,
}

impl Stop {
    /// Waits at the gate.
    pub(crate) async fn pass(&mut self) {
        self.crowd.send_modify(|crowd| {
            crowd.came += 1;
            crowd.standing += 1;
        });
        let _standing = Standing(&self.crowd);
        // An error means that the gate is gone, and the request is free.
        drop(self.open.wait_for(|open| *open).await);
    }
}

/// A request at a gate. It leaves when it passes, and when its client is gone.
struct Standing<'a>(&'a watch::Sender<Crowd>);

impl Drop for Standing<'_> {
    fn drop(&mut self) {
        self.0.send_modify(|crowd| crowd.standing -= 1);
    }
}

/// The gates of a world.
#[derive(Default, Clone)]
pub(crate) struct Gates(Arc<Mutex<Vec<Post>>>);

impl Gates {
    pub(crate) fn add(&self, on: On, point: Hold) -> Gate {
        let (crowd, crowd_receiver) = watch::channel(Crowd::default());
        let (open, open_receiver) = watch::channel(false);
        let post = Post { on, point, crowd, open: open_receiver };
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(post);
        Gate { crowd: crowd_receiver, open }
    }

    pub(crate) fn for_request(&self, request: &Request<Bytes>) -> Vec<Stop> {
        let mut posts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let in_the_way = posts.iter_mut().filter_map(|post| post.on.takes(request).then_some(&*post));
        in_the_way
            .map(|post| Stop { point: post.point, crowd: post.crowd.clone(), open: post.open.clone() })
            .collect()
    }
}
