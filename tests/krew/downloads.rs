//! An HTTP server on loopback with the files of releases, as Krew downloads them.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// It answers until the test's process ends.
pub(crate) struct Downloads {
    address: SocketAddr,
    files: Arc<Mutex<BTreeMap<String, Vec<u8>>>>,
    asked_for: Arc<Mutex<Vec<String>>>,
}

impl Downloads {
    pub(crate) fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let downloads = Self {
            address: listener.local_addr().unwrap(),
            files: Arc::default(),
            asked_for: Arc::default(),
        };
        let (files, asked_for) = (Arc::clone(&downloads.files), Arc::clone(&downloads.asked_for));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                // Krew may hang up; the test sees what it says.
                drop(answer(stream, &files, &asked_for));
            }
        });
        downloads
    }

    /// What a repository's address is in a manifest.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// A file, whatever the folder it is asked for in.
    pub(crate) fn put(&self, name: &str, bytes: Vec<u8>) {
        self.files.lock().unwrap().insert(name.to_owned(), bytes);
    }

    pub(crate) fn get(&self, name: &str) -> Option<Vec<u8>> {
        self.files.lock().unwrap().get(name).cloned()
    }

    pub(crate) fn asked_for(&self, name: &str) -> bool {
        self.asked_for.lock().unwrap().iter().any(|asked| asked == name)
    }
}

fn answer(
    stream: TcpStream,
    files: &Mutex<BTreeMap<String, Vec<u8>>>,
    asked_for: &Mutex<Vec<String>>,
) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    let request = lines.next().transpose()?.unwrap_or_default();
    while lines.next().transpose()?.is_some_and(|line| !line.is_empty()) {}
    let path = request.split(' ').nth(1).unwrap_or_default();
    let name = path.rsplit('/').next().unwrap_or_default();
    asked_for.lock().unwrap().push(name.to_owned());
    let file = files.lock().unwrap().get(name).cloned();
    let (status, body) = file.map_or(("404 Not Found", Vec::new()), |bytes| ("200 OK", bytes));
    let mut stream = stream;
    write!(stream, "HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len())?;
    stream.write_all(&body)
}
