//! A proxy for `proxy-url`, `HTTPS_PROXY` and `NO_PROXY`: it connects, and counts.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{AbortHandle, JoinSet};

use crate::runtime::{runtime, wait_for};

/// A proxy on loopback. Dropped, it closes.
#[derive(Debug)]
pub struct Proxy {
    scheme: &'static str,
    address: SocketAddr,
    asked_for: Arc<Mutex<Vec<String>>>,
    accepting: AbortHandle,
}

/// The user of a SOCKS proxy, if it has one.
type Account = Option<(&'static str, &'static str)>;

impl Proxy {
    /// Starts an HTTP proxy that knows only `CONNECT`.
    #[expect(clippy::new_without_default, reason = "it opens a port, which no default should")]
    pub fn new() -> Self {
        Self::start("http", tunnel)
    }

    /// Starts an HTTP proxy that passes on every request to this server, whatever its URL says, and makes no tunnel.
    /// It notes the URLs, each with its `Proxy-Authorization`, if it has one.
    pub fn forwarding(server: SocketAddr) -> Self {
        Self::start("http", move |stream, asked_for| forward(stream, asked_for, server))
    }

    /// Starts a SOCKS5 proxy for anybody, or for this user with this password.
    pub fn socks(account: Account) -> Self {
        Self::start("socks5", move |stream, asked_for| socks(stream, asked_for, account))
    }

    fn start<F: Future<Output = io::Result<()>> + Send + 'static>(
        scheme: &'static str,
        serve: impl Fn(TcpStream, Arc<Mutex<Vec<String>>>) -> F + Send + 'static,
    ) -> Self {
        let listener = wait_for(TcpListener::bind("127.0.0.1:0")).expect("a free port on loopback");
        let address = listener.local_addr().expect("an address");
        let asked_for = Arc::new(Mutex::new(Vec::new()));
        let accepting = runtime().spawn(accept(listener, Arc::clone(&asked_for), serve)).abort_handle();
        Self { scheme, address, asked_for, accepting }
    }

    /// Returns its `host:port`.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns `http://127.0.0.1:<port>`, or `socks5://`.
    pub fn url(&self) -> String {
        format!("{}://{}", self.scheme, self.address)
    }

    /// Returns the number of connections through it.
    pub fn connections(&self) -> usize {
        self.asked_for().len()
    }

    /// Returns the `host:port` of each of them.
    pub fn asked_for(&self) -> Vec<String> {
        self.asked_for.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept<F: Future<Output = io::Result<()>> + Send + 'static>(
    listener: TcpListener,
    asked_for: Arc<Mutex<Vec<String>>>,
    serve: impl Fn(TcpStream, Arc<Mutex<Vec<String>>>) -> F,
) {
    let mut connections = JoinSet::new();
    loop {
        if let Ok((stream, _)) = listener.accept().await {
            connections.spawn(serve(stream, Arc::clone(&asked_for)));
        }
        while connections.try_join_next().is_some() {}
    }
}

async fn tunnel(stream: TcpStream, asked_for: Arc<Mutex<Vec<String>>>) -> io::Result<()> {
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

async fn forward(
    mut client: TcpStream,
    asked_for: Arc<Mutex<Vec<String>>>,
    server: SocketAddr,
) -> io::Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(client.read_u8().await?);
    }
    let text = String::from_utf8_lossy(&head).into_owned();
    if text.starts_with("CONNECT ") {
        return client.write_all(b"HTTP/1.1 405 Method Not Allowed\r\nContent-Length: 0\r\n\r\n").await;
    }
    let url = text.split(' ').nth(1).unwrap_or_default();
    let shown = text.lines().filter_map(|line| line.strip_prefix("proxy-authorization: "));
    let noted = std::iter::once(url).chain(shown).collect::<Vec<_>>().join(" ");
    asked_for.lock().unwrap_or_else(PoisonError::into_inner).push(noted);
    let mut server = TcpStream::connect(server).await?;
    server.write_all(&head).await?;
    copy_bidirectional(&mut client, &mut server).await?;
    Ok(())
}

/// Serves RFC 1928 and 1929, as far as a client for one name and port needs them. Every name resolves to this
/// machine.
async fn socks(
    mut client: TcpStream,
    asked_for: Arc<Mutex<Vec<String>>>,
    account: Account,
) -> io::Result<()> {
    client.set_nodelay(true)?;
    let [_, count] = read(&mut client).await?;
    let offered = read_some(&mut client, count).await?;
    let wanted = if account.is_some() { 2 } else { 0 };
    if !offered.contains(&wanted) {
        return client.write_all(&[5, 0xFF]).await;
    }
    client.write_all(&[5, wanted]).await?;
    if let Some((user, password)) = account {
        let [_, length] = read(&mut client).await?;
        let told_user = read_some(&mut client, length).await?;
        let [length] = read(&mut client).await?;
        let told_password = read_some(&mut client, length).await?;
        if told_user != user.as_bytes() || told_password != password.as_bytes() {
            return client.write_all(&[1, 1]).await;
        }
        client.write_all(&[1, 0]).await?;
    }
    let [_, _, _, kind] = read(&mut client).await?;
    let host = match kind {
        1 => std::net::Ipv4Addr::from(read::<4>(&mut client).await?).to_string(),
        3 => {
            let [length] = read(&mut client).await?;
            String::from_utf8_lossy(&read_some(&mut client, length).await?).into_owned()
        }
        _ => return client.write_all(&[5, 8, 0, 1, 0, 0, 0, 0, 0, 0]).await,
    };
    let port = u16::from_be_bytes(read(&mut client).await?);
    asked_for.lock().unwrap_or_else(PoisonError::into_inner).push(format!("{host}:{port}"));
    let mut server = TcpStream::connect(("127.0.0.1", port)).await?;
    server.set_nodelay(true)?;
    client.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0]).await?;
    copy_bidirectional(&mut client, &mut server).await?;
    Ok(())
}

async fn read<const N: usize>(from: &mut TcpStream) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    from.read_exact(&mut bytes).await?;
    Ok(bytes)
}

async fn read_some(from: &mut TcpStream, count: u8) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; usize::from(count)];
    from.read_exact(&mut bytes).await?;
    Ok(bytes)
}
