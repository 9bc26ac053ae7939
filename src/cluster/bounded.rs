//! Files that are read whole, though nobody knows what they are: a kubeconfig, a token, a certificate, a key.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::Duration;

use zeroize::Zeroizing;

/// More than any of them has; `/dev/zero` has more.
const LIMIT: u64 = 8 << 20;

/// How long a pipe may take, such as the one of `<(command)`.
const PATIENCE: Duration = Duration::from_secs(30);

/// Reads a file to its end.
///
/// # Errors
/// It can't be read, is larger than 8 MiB, or is a pipe into which nobody writes.
pub(super) fn read(path: &Path) -> io::Result<Zeroizing<Vec<u8>>> {
    if std::fs::metadata(path)?.is_file() {
        return read_whole(path);
    }
    // A pipe may never have an end, and even opening it waits: in a thread, which goes with the program.
    let (sender, receiver) = mpsc::channel();
    let name: PathBuf = path.to_owned();
    std::thread::spawn(move || sender.send(read_whole(&name)));
    receiver.recv_timeout(PATIENCE).unwrap_or_else(|_| {
        let why = format!("it is no file, and gave nothing within {} s", PATIENCE.as_secs());
        Err(io::Error::new(io::ErrorKind::TimedOut, why))
    })
}

fn read_whole(path: &Path) -> io::Result<Zeroizing<Vec<u8>>> {
    let mut content = Zeroizing::new(Vec::new());
    File::open(path)?.take(LIMIT + 1).read_to_end(&mut content)?;
    if content.len() as u64 > LIMIT {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, "it is larger than 8 MiB"));
    }
    Ok(content)
}

/// The system's reason in words, without the number that Rust adds.
pub(super) fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "no such file or directory".to_owned(),
        io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        io::ErrorKind::IsADirectory => "is a directory".to_owned(),
        _ => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_end_and_what_is_no_file_is_refused() {
        assert_eq!(read(Path::new("/dev/zero")).unwrap_err().kind(), io::ErrorKind::FileTooLarge);
        assert_eq!(read(Path::new("/")).unwrap_err().kind(), io::ErrorKind::IsADirectory);
        assert_eq!(read(Path::new("/nowhere")).unwrap_err().kind(), io::ErrorKind::NotFound);
        assert_eq!(*read(Path::new("/dev/null")).unwrap(), b"");
    }
}
