//! A distant API server: users' API servers are not on the same machine.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

/// The delay in each direction: a round trip of 5 ms, as within a region.
const ONE_WAY: Duration = Duration::from_micros(2500);

/// Bytes under way, with the time of their arrival.
type Travelling = (Instant, Vec<u8>);

/// Returns an address from which the server is that far away. It lasts until the process ends.
pub(crate) fn at_a_distance(server: SocketAddr) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port on loopback");
    let address = listener.local_addr().expect("an address");
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            // A failed connection is closed, which the client sees.
            let _ = connect(client, server);
        }
    });
    address
}

fn connect(client: TcpStream, server: SocketAddr) -> io::Result<()> {
    let server = TcpStream::connect(server)?;
    for (from, to) in [(client.try_clone()?, server.try_clone()?), (server, client)] {
        // Small packets are not held back to travel with more.
        to.set_nodelay(true)?;
        let (sender, receiver) = channel();
        thread::spawn(move || send_off(from, &sender));
        thread::spawn(move || deliver(&receiver, to));
    }
    Ok(())
}

fn send_off(mut from: TcpStream, road: &Sender<Travelling>) {
    let mut buffer = vec![0; 1 << 16];
    while let Ok(length @ 1..) = from.read(&mut buffer) {
        if road.send((Instant::now() + ONE_WAY, buffer[..length].to_vec())).is_err() {
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
