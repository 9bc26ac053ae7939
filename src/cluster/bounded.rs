//! Reads small files whole, with limits of size and time: kubeconfigs, tokens, certificates and keys.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::Duration;

use zeroize::Zeroizing;

/// The limit in bytes. None of these files is larger; `/dev/zero` is.
const LIMIT: u64 = 8 << 20;

/// The time limit for a pipe, such as that of `<(command)`.
const PATIENCE: Duration = Duration::from_secs(30);

/// Reads a file to its end.
///
/// # Errors
/// The file can't be read, is larger than 8 MiB, or is a pipe that gets no data within 30 s.
pub(super) fn read(path: &Path) -> io::Result<Zeroizing<Vec<u8>>> {
    if std::fs::metadata(path)?.is_file() {
        return read_whole(path);
    }
    // A pipe may never end, and even opening it waits, so a thread reads it. The thread ends with the
    // program.
    let (sender, receiver) = mpsc::channel();
    let name: PathBuf = path.to_owned();
    std::thread::spawn(move || sender.send(read_whole(&name)));
    receiver.recv_timeout(PATIENCE).unwrap_or_else(|_| {
        let why = format!("it is not a regular file, and gave nothing within {} s", PATIENCE.as_secs());
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

/// Returns the system's reason in words, without the number that Rust adds.
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
