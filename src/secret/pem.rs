//! PEM blocks, found as Go's `encoding/pem` finds them, so that everything kubectl accepts is accepted here.
//!
//! A block begins at the start of a line; text around it and damaged blocks are skipped. Contents of keys are
//! wiped when dropped, which no PEM crate does.

use zeroize::Zeroizing;

use super::go_base64::decoded;

/// One block: the content between `-----BEGIN <label>-----` and its end.
pub(crate) struct Block<'a> {
    pub(crate) label: &'a str,
    /// It has the headers by which old OpenSSL marks an encrypted key.
    pub(crate) encrypted: bool,
    /// It has headers of any kind.
    headed: bool,
    pub(crate) content: Zeroizing<Vec<u8>>,
}

impl Block<'_> {
    /// Applies Go's rule: `PRIVATE KEY` with or without a word before it.
    pub(crate) fn is_private_key(&self) -> bool {
        self.label == "PRIVATE KEY" || self.label.ends_with(" PRIVATE KEY")
    }

    /// Returns true for a block with headers; Go refuses an authority's certificate that has them.
    pub(crate) fn has_headers(&self) -> bool {
        self.headed
    }

    pub(crate) fn is_certificate(&self) -> bool {
        self.label == "CERTIFICATE"
    }

    /// Returns true for a key that needs its passphrase.
    pub(crate) fn is_encrypted(&self) -> bool {
        self.encrypted || self.label == "ENCRYPTED PRIVATE KEY"
    }
}

/// Reports whether a value may hold blocks, without a look at each line of a mebibyte.
pub(super) fn is_pem(bytes: &[u8]) -> bool {
    bytes.starts_with(b"-----BEGIN ") || bytes.windows(12).any(|at| at == b"\n-----BEGIN ")
}

/// Returns all blocks of a file. Text around them need not be UTF-8.
pub(crate) fn blocks(file: &[u8]) -> Vec<Block<'_>> {
    let mut lines = file.split_inclusive(|byte| *byte == b'\n');
    let mut found = Vec::new();
    while let Some(line) = lines.next() {
        let Some(label) = delimiter(line, "-----BEGIN ") else { continue };
        let mut ahead = lines.clone();
        let mut body: Vec<&[u8]> = Vec::new();
        let ended = loop {
            let Some(line) = ahead.next() else { break false };
            match delimiter(line, "-----END ") {
                Some(end) => break end == label,
                None if delimiter(line, "-----BEGIN ").is_some() => break false,
                None => body.push(line),
            }
        };
        if let Some(block) = ended.then(|| block(label, &body)).flatten() {
            found.push(block);
            lines = ahead;
        }
    }
    found
}

/// Returns the label of a line of the form `<start><label>-----`.
fn delimiter<'a>(line: &'a [u8], start: &str) -> Option<&'a str> {
    std::str::from_utf8(line.trim_ascii_end()).ok()?.strip_prefix(start)?.strip_suffix("-----")
}

fn block<'a>(label: &'a str, body: &[&[u8]]) -> Option<Block<'a>> {
    let is_header = |line: &&&[u8]| line.contains(&b':');
    let headers = body.iter().take_while(is_header).count();
    let encrypted = body[..headers]
        .iter()
        .any(|line| line.starts_with(b"Proc-Type:") && line.windows(9).any(|window| window == b"ENCRYPTED"));
    let mut text = Zeroizing::new(Vec::with_capacity(body.iter().map(|line| line.len()).sum()));
    for line in &body[headers..] {
        text.extend(line.iter().filter(|byte| !byte.is_ascii_whitespace()));
    }
    let content = decoded(std::str::from_utf8(&text).ok()?)?;
    Some(Block { label, encrypted, headed: headers > 0, content })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn labels(file: &str) -> Vec<&str> {
        blocks(file.as_bytes()).into_iter().map(|block| block.label).collect()
    }

    #[test]
    fn text_around_blocks_and_carriage_returns_do_no_harm() {
        let file = "subject=x\r\n-----BEGIN A-----\r\nAA==\r\n-----END A-----\r\nmore\n-----BEGIN B C-----\nAQ==\n-----END B C-----";
        assert_eq!(labels(file), ["A", "B C"]);
        assert_eq!(*blocks(file.as_bytes())[1].content, [1]);
    }

    #[test]
    fn a_block_starts_a_line() {
        assert_eq!(labels("\u{feff}-----BEGIN A-----\nAA==\n-----END A-----\n"), [""; 0]);
        assert_eq!(labels(" -----BEGIN A-----\nAA==\n-----END A-----\n"), [""; 0]);
    }

    #[test]
    fn a_damaged_block_is_passed_over() {
        for damaged in [
            "-----BEGIN A-----\nAA",
            "-----BEGIN A-----\n!\n-----END A-----\n",
            "-----BEGIN A-----\n-----END C-----\n",
        ] {
            assert_eq!(
                labels(&format!("{damaged}\n-----BEGIN B-----\nAA==\n-----END B-----\n")),
                ["B"],
                "{damaged}"
            );
        }
    }

    #[test]
    fn a_key_encrypted_in_either_way_is_known_as_such() {
        let old = "-----BEGIN EC PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\nAA==\n-----END EC PRIVATE KEY-----\n";
        let new = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAA==\n-----END ENCRYPTED PRIVATE KEY-----\n";
        for file in [old, new] {
            let blocks = blocks(file.as_bytes());
            assert!(blocks[0].is_encrypted() && blocks[0].is_private_key());
        }
    }

    proptest! {
        #[test]
        fn any_file_is_read_without_a_panic(bytes in any::<Vec<u8>>(), text in "(-----(BEGIN|END) [AB]-----\n|[a-z=:]{0,5}\n){0,9}") {
            let _ = blocks(&bytes);
            let _ = blocks(text.as_bytes());
        }
    }
}
