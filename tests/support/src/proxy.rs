//! A proxy for `proxy-url`, `HTTPS_PROXY` and `NO_PROXY`: it connects, and counts.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{AbortHandle, JoinSet};

use crate::runtime::{runtime, wait_for};

/// An HTTP proxy on loopback that knows `CONNECT` only; dropped, it closes.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    asked_for: Arc<Mutex<Vec<String>>>,
    accepting: AbortHandle,
}

impl Proxy {
    /// Starts one.
    #[expect(clippy::new_without_default, reason = "it opens a port, which no default should")]
    pub fn new() -> Self {
        let listener = wait_for(TcpListener::bind("127.0.0.1:0")).expect("a free port on loopback");
        let address = listener.local_addr().expect("an address");
        let asked_for = Arc::new(Mutex::new(Vec::new()));
        let accepting = runtime().spawn(accept(listener, Arc::clone(&asked_for))).abort_handle();
        Self { address, asked_for, accepting }
    }

    /// `http://127.0.0.1:<port>`
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// How many connections went through it.
    pub fn connections(&self) -> usize {
        self.asked_for().len()
    }

    /// The `host:port` of each of them.
    pub fn asked_for(&self) -> Vec<String> {
        self.asked_for.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(listener: TcpListener, asked_for: Arc<Mutex<Vec<String>>>) {
    let mut connections = JoinSet::new();
    loop {
        if let Ok((stream, _)) = listener.accept().await {
            connections.spawn(tunnel(stream, Arc::clone(&asked_for)));
        }
        while connections.try_join_next().is_some() {}
    }
}

async fn tunnel(stream: TcpStream, asked_for: Arc<Mutex<Vec<String>>>) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut client = BufReader::new(stream);
    let mut line = String::new();
    client.read_line(&mut line).await?;
    let target = match line.split_whitespace().collect::<Vec<_>>().as_slice() {
        ["CONNECT", target, _] => (*target).to_owned(),
        _ => return client.write_all(b"HTTP/1.1 405 Method Not Allowed\r\nContent-Length: 0\r\n\r\n").await,
    };
    while line.trim_end() != "" {
        line.clear();
        client.read_line(&mut line).await?;
    }
    asked_for.lock().unwrap_or_else(PoisonError::into_inner).push(target.clone());
    let Ok(mut server) = TcpStream::connect(&target).await else {
        return client.write_all(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n").await;
    };
    server.set_nodelay(true)?;
    client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await?;
    copy_bidirectional(&mut client, &mut server).await?;
    Ok(())
}
