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
    crowd: watch::Receiver<Crowd>,
    open: watch::Sender<bool>,
}

/// How many requests came to a gate, and how many stand there.
#[derive(Debug, Default)]
struct Crowd {
    came: usize,
    standing: usize,
}

impl Gate {
    /// Waits until a request stands before the gate; `false` when none came in time.
    pub fn wait_reached(&self, limit: Duration) -> bool {
        self.wait_until(limit, |crowd| crowd.came > 0)
    }

    /// Waits until no request stands before the gate any more, as its client was killed and the server has noticed: released
    /// before that, a gate may let it pass. `false` when it took too long.
    pub fn wait_left(&self, limit: Duration) -> bool {
        self.wait_until(limit, |crowd| crowd.standing == 0)
    }

    fn wait_until(&self, limit: Duration, holds: impl Fn(&Crowd) -> bool) -> bool {
        let mut crowd = self.crowd.clone();
        wait_for(async {
            tokio::time::timeout(limit, crowd.wait_for(holds)).await.is_ok_and(|it| it.is_ok())
        })
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
    crowd: watch::Sender<Crowd>,
    open: watch::Receiver<bool>,
}

/// Where a request has to stop, if anywhere.
pub(crate) struct Stop {
    pub(crate) point: Hold,
    crowd: watch::Sender<Crowd>,
    open: watch::Receiver<bool>,
}

impl Stop {
    /// Waits before the gate.
    pub(crate) async fn pass(&mut self) {
        self.crowd.send_modify(|crowd| {
            crowd.came += 1;
            crowd.standing += 1;
        });
        let _standing = Standing(&self.crowd);
        // An error means that the gate is gone, and with it the obstacle.
        drop(self.open.wait_for(|open| *open).await);
    }
}

/// A request before a gate; it leaves when it passes, and when its client is gone.
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
