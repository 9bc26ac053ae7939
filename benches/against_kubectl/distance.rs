//! A distant API server, or one behind a slow link: users' API servers are not on the same machine.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

/// Bytes under way, with the time of their arrival.
type Travelling = (Instant, Vec<u8>);

/// A road to a server. It lasts until the process ends.
pub(crate) struct Road {
    /// The near end.
    pub(crate) address: SocketAddr,
    traffic: Arc<Traffic>,
}

/// How far a server is.
#[derive(Clone, Copy)]
pub(crate) struct Distance {
    /// There and back.
    pub(crate) round_trip: Duration,
    /// The time that one byte keeps the road busy, in each direction.
    pub(crate) byte: Duration,
}

impl Distance {
    /// A road that takes as many bytes at once as there are.
    pub(crate) const fn of(round_trip: Duration) -> Self {
        Self { round_trip, byte: Duration::ZERO }
    }
}

/// What went over a road.
#[derive(Default)]
struct Traffic {
    connections: AtomicUsize,
    bytes: AtomicUsize,
}

impl Road {
    /// Returns the numbers of connections and bytes since the last call.
    pub(crate) fn traffic(&self) -> (usize, usize) {
        let Traffic { connections, bytes } = &*self.traffic;
        (connections.swap(0, Ordering::Relaxed), bytes.swap(0, Ordering::Relaxed))
    }
}

/// Builds a road to a server.
pub(crate) fn road(server: SocketAddr, distance: Distance) -> Road {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port on loopback");
    let address = listener.local_addr().expect("an address");
    let traffic = Arc::new(Traffic::default());
    let seen = Arc::clone(&traffic);
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            seen.connections.fetch_add(1, Ordering::Relaxed);
            // A failed connection is closed, which the client sees.
            let _ = connect(client, server, distance, &seen);
        }
    });
    Road { address, traffic }
}

fn connect(
    client: TcpStream,
    server: SocketAddr,
    distance: Distance,
    traffic: &Arc<Traffic>,
) -> io::Result<()> {
    let server = TcpStream::connect(server)?;
    // The client is connected at once; over a real distance it would not be before this.
    let connected = Instant::now() + distance.round_trip;
    for (from, to) in [(client.try_clone()?, server.try_clone()?), (server, client)] {
        // Small packets are not held back to travel with more.
        to.set_nodelay(true)?;
        let (sender, receiver) = channel();
        let traffic = Arc::clone(traffic);
        thread::spawn(move || send_off(from, connected, distance, &traffic, &sender));
        thread::spawn(move || deliver(&receiver, to));
    }
    Ok(())
}

fn send_off(
    mut from: TcpStream,
    connected: Instant,
    distance: Distance,
    traffic: &Traffic,
    road: &Sender<Travelling>,
) {
    let mut buffer = vec![0; 1 << 16];
    let mut free = connected;
    while let Ok(length @ 1..) = from.read(&mut buffer) {
        traffic.bytes.fetch_add(length, Ordering::Relaxed);
        free = Instant::now().max(free) + distance.byte * u32::try_from(length).unwrap_or(u32::MAX);
        let arrival = free + distance.round_trip / 2;
        if road.send((arrival, buffer[..length].to_vec())).is_err() {
            return;
        }
    }
}

fn deliver(road: &Receiver<Travelling>, mut to: TcpStream) {
    for (arrival, bytes) in road {
        thread::sleep(arrival.saturating_duration_since(Instant::now()));
        if to.write_all(&bytes).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Write);
}
