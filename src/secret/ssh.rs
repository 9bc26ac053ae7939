//! SSH keys for Git: the file must be a private key that OpenSSH reads without a passphrase.

use super::contents::{Contents, SIZE_LIMIT};
use super::input::Input;
use super::origin::{Origin, Shown};
use super::pem::{Block, blocks};
use super::reading::check_standard_input;
use super::unseen;
use super::value::SecretValue;
use crate::error::{Error, Result};

/// The key that Kubernetes requires of an `ssh-auth` secret.
pub(super) const PRIVATE_KEY: &str = "ssh-privatekey";
const PUBLIC_KEY: &str = "ssh-publickey";
const KNOWN_HOSTS: &str = "known_hosts";
/// The key that Run:ai reads of a Git credential.
const RUNAI_KEY: &str = "ssh";

/// The start of OpenSSH's own format, up to the word for "no passphrase" (OpenSSH's PROTOCOL.key).
const OPENSSH_START: &[u8] = b"openssh-key-v1\0";
const NO_CIPHER: &[u8] = b"\0\0\0\x04none";

const OPENSSH_LABEL: &str = "OPENSSH PRIVATE KEY";
const OPENSSH_BEGIN: &[u8] = b"-----BEGIN OPENSSH PRIVATE KEY-----\n";
const OPENSSH_END: &[u8] = b"\n-----END OPENSSH PRIVATE KEY-----\n";

/// Ed25519's object identifier, in DER.
const ED25519: &[u8] = &[0x06, 0x03, 0x2b, 0x65, 0x70];

/// The starts of lines that hold a public key.
const PUBLIC_STARTS: [&str; 5] =
    ["ssh-", "ecdsa-sha2-", "sk-", "-----BEGIN PUBLIC KEY-----", "---- BEGIN SSH2 PUBLIC KEY"];

/// The files of an SSH secret.
pub(crate) struct SshFiles {
    pub(crate) private_key: Origin,
    pub(crate) public_key: Option<Origin>,
    pub(crate) known_hosts: Option<Origin>,
    pub(crate) audience: Audience,
}

/// The users of the key.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Audience {
    Kubernetes,
    /// Run:ai too, which reads credentials under a key name of its own.
    RunAi,
}

/// Returns the contents of a `kubernetes.io/ssh-auth` secret.
///
/// # Errors
/// A file can't be read, the key is not a private one without a passphrase, or the known hosts are malformed.
pub(crate) fn ssh_contents(files: &SshFiles, input: &mut dyn Input) -> Result<Contents> {
    let origins = [Some(&files.private_key), files.public_key.as_ref(), files.known_hosts.as_ref()];
    check_standard_input(origins.into_iter().flatten())?;
    let mut contents = Contents::default();
    let shown = files.private_key.shown();
    let private_key = files.private_key.read_text(SIZE_LIMIT, input)?;
    let key = check_private_key(&shown, private_key.expose())?;
    contents.warnings.extend(layout_warning(&shown, private_key.expose(), &key));
    drop(key);
    if files.audience == Audience::RunAi {
        contents.add(RUNAI_KEY.to_owned(), SecretValue::from_bytes(private_key.expose().to_vec()))?;
    }
    contents.add(PRIVATE_KEY.to_owned(), private_key)?;
    if let Some(origin) = &files.public_key {
        let public_key = origin.read_text(SIZE_LIMIT, input)?;
        check_public_key(&origin.shown(), public_key.expose())?;
        contents.add(PUBLIC_KEY.to_owned(), public_key)?;
    }
    if let Some(origin) = &files.known_hosts {
        let known_hosts = origin.read_text(SIZE_LIMIT, input)?;
        check_known_hosts(&origin.shown(), known_hosts.expose())?;
        contents.add(KNOWN_HOSTS.to_owned(), known_hosts)?;
    }
    contents.check_size()?;
    Ok(contents)
}

/// Judges the private key of a secret, from wherever it comes. Returns warnings, a line each.
///
/// # Errors
/// No job could use it.
pub(super) fn check_value(key: &SecretValue) -> Result<Vec<String>> {
    let shown = Shown::key(PRIVATE_KEY);
    let block = check_private_key(&shown, key.expose())?;
    Ok(layout_warning(&shown, key.expose(), &block).into_iter().collect())
}

/// Returns the block that holds the key.
fn check_private_key<'a>(shown: &Shown, file: &'a [u8]) -> Result<Block<'a>> {
    unseen::refuse_mark(shown, file, "OpenSSH")?;
    if is_public(file) {
        return Err(Error::usage(format!("{shown} is a public key"))
            .hint("the private key is in the file of the same name without .pub"));
    }
    if file.starts_with(b"PuTTY-User-Key-File") {
        return Err(Error::usage(format!("{shown} is a key in PuTTY's format")).hint(format!(
            "OpenSSH can't read it; convert it: puttygen {} -O private-openssh -o id_key",
            shown.quoted()
        )));
    }
    let whole =
        "give the key's whole file, from the BEGIN line to the END line; ssh-keygen -t ed25519 makes one";
    let Some(key) = blocks(file).into_iter().find(Block::is_private_key) else {
        let is = if file.trim_ascii().is_empty() { "is empty" } else { "is not a private SSH key" };
        return Err(Error::usage(format!("{shown} {is}")).hint(whole));
    };
    if has_passphrase(&key) {
        return Err(Error::usage(format!("the key in {shown} has a passphrase, which a job can't ask for"))
            .hint("make a key for this purpose alone: ssh-keygen -t ed25519 -N '' -f job_key")
            .hint(format!(
                "or remove the passphrase from a copy: cp {0} job_key && ssh-keygen -p -N '' -f job_key",
                shown.quoted()
            )));
    }
    let is_openssh = key.label == OPENSSH_LABEL;
    if is_openssh != key.content.starts_with(OPENSSH_START) {
        return Err(Error::usage(format!("{shown} has another format than its BEGIN line says"))
            .hint("OpenSSH goes by the words after BEGIN: use the file as ssh-keygen wrote it"));
    }
    let is_whole = if is_openssh { is_whole_openssh(&key.content) } else { is_whole_der(&key.content) };
    if !is_whole {
        return Err(Error::usage(format!("{shown} is damaged: a part of the key is missing")).hint(whole));
    }
    Ok(key)
}

/// Warns of a layout that OpenSSH refuses (seen with 9.2). A file in its own format must hold nothing else,
/// to the byte; with other formats it is more tolerant.
fn layout_warning(shown: &Shown, file: &[u8], key: &Block<'_>) -> Option<String> {
    let what = if key.label != OPENSSH_LABEL {
        let old = key.label == "DSA PRIVATE KEY";
        let young =
            key.label == "PRIVATE KEY" && key.content.windows(ED25519.len()).any(|part| part == ED25519);
        let advice = "ssh-keygen -t ed25519 makes one that every version reads";
        return match (old, young) {
            (true, _) => Some(format!("{shown} is a DSA key, which OpenSSH 10 no longer supports: {advice}")),
            (_, true) => {
                Some(format!("OpenSSH before 9.6 can't read {shown}, an Ed25519 key in PKCS #8: {advice}"))
            }
            _ => None,
        };
    } else if file.contains(&b'\r') {
        "has Windows line ends (tr -d '\\r' < FILE > NEW removes them)"
    } else if !file.ends_with(b"\n") && file.trim_ascii_end().ends_with(OPENSSH_END.trim_ascii()) {
        "does not end in a newline (echo >> FILE adds it)"
    } else if !file.starts_with(OPENSSH_BEGIN) {
        "has text before the key's first line or after its last"
    } else if !file.windows(OPENSSH_END.len()).any(|line| line == OPENSSH_END) {
        "has whitespace around the key's last line"
    } else {
        return None;
    };
    Some(format!("{shown} {what}: OpenSSH will not read the key"))
}

/// Checks that the lengths in OpenSSH's own format add up.
fn is_whole_openssh(content: &[u8]) -> bool {
    public_half(content).is_some()
}

/// Returns the public half of a key in OpenSSH's own format, which no passphrase hides (PROTOCOL.key): after three
/// strings and the number of keys come the public ones, then the private ones.
pub(super) fn public_half(content: &[u8]) -> Option<&[u8]> {
    let mut rest = content.strip_prefix(OPENSSH_START)?;
    for _ in 0..3 {
        (_, rest) = first_string(rest)?;
    }
    let (keys, after) = rest.split_first_chunk::<4>()?;
    // More than one is not defined.
    (u32::from_be_bytes(*keys) == 1).then_some(())?;
    let (public, after) = first_string(after)?;
    let (_private, rest) = first_string(after)?;
    rest.is_empty().then_some(public)
}

/// Splits off the first of several strings, each of which has its length before it (RFC 4251, section 5).
pub(super) fn first_string(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    rest.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?)
}

/// Checks a DER sequence against the length that it states.
fn is_whole_der(content: &[u8]) -> bool {
    let length = |content: &[u8]| {
        let [0x30, first, rest @ ..] = content else { return None };
        if *first < 0x80 {
            return Some((usize::from(*first), rest.len()));
        }
        let count = usize::from(first - 0x80);
        let bytes = rest.get(..count).filter(|bytes| bytes.len() <= 4)?;
        let length = bytes.iter().fold(0_usize, |length, byte| (length << 8) | usize::from(*byte));
        Some((length, rest.len() - count))
    };
    length(content).is_some_and(|(said, is)| said == is)
}

fn has_passphrase(key: &Block<'_>) -> bool {
    key.is_encrypted()
        || key.content.strip_prefix(OPENSSH_START).is_some_and(|rest| !rest.starts_with(NO_CIPHER))
}

fn is_public(file: &[u8]) -> bool {
    let file = file.trim_ascii_start();
    PUBLIC_STARTS.iter().any(|start| file.starts_with(start.as_bytes()))
}

fn check_public_key(shown: &Shown, file: &[u8]) -> Result<()> {
    if is_public(file) && !blocks(file).iter().any(Block::is_private_key) {
        return Ok(());
    }
    Err(Error::usage(format!("{shown} is not a public SSH key"))
        .hint("it is the file whose name ends in .pub, with one line such as ssh-ed25519 …"))
}

/// Checks known hosts: each line is `hosts type key`, perhaps after a marker; blank lines and comments are
/// skipped.
fn check_known_hosts(shown: &Shown, file: &[u8]) -> Result<()> {
    let mut hosts = 0;
    for (index, line) in file.split(|byte| *byte == b'\n').enumerate() {
        let line = line.trim_ascii();
        if line.is_empty() || line.starts_with(b"#") {
            continue;
        }
        let fields = line.split(u8::is_ascii_whitespace).filter(|field| !field.is_empty()).count();
        let fields = if line.starts_with(b"@") { fields.saturating_sub(1) } else { fields };
        if fields < 3 {
            return Err(Error::usage(format!("{shown}, line {}: not a line of known hosts", index + 1))
                .hint(
                    "each line is: hosts, key type, key; ssh-keyscan github.com > known_hosts makes them",
                ));
        }
        hosts += 1;
    }
    if hosts == 0 {
        return Err(Error::usage(format!("{shown} names no host")).hint(
            "ssh-keyscan github.com > known_hosts makes such a file; compare it with what the host publishes",
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    use proptest::prelude::*;

    use super::*;

    fn shown() -> Shown {
        Origin::of("id_key".as_ref()).shown()
    }

    fn openssh(cipher: &[u8]) -> String {
        let string = |text: &[u8]| [&u32::try_from(text.len()).unwrap().to_be_bytes(), text].concat();
        let keys = [string(b"public"), string(b"private")].concat();
        let content =
            [OPENSSH_START, &string(cipher), &string(b"none"), &string(b""), &[0, 0, 0, 1], &keys].concat();
        armoured("OPENSSH PRIVATE KEY", &content)
    }

    fn armoured(label: &str, content: &[u8]) -> String {
        let text = STANDARD.encode(content);
        format!("-----BEGIN {label}-----\n{text}\n-----END {label}-----\n")
    }

    #[test]
    fn a_private_key_without_a_passphrase_is_taken() {
        for key in [
            openssh(b"none"),
            armoured("PRIVATE KEY", &[0x30, 0]),
            armoured("RSA PRIVATE KEY", &[0x30, 0x81, 1, 0]),
        ] {
            let block = check_private_key(&shown(), key.as_bytes()).unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(layout_warning(&shown(), key.as_bytes(), &block), None);
        }
    }

    #[test]
    fn what_openssh_will_not_read_is_said() {
        let key = openssh(b"none");
        for (file, words) in [
            (key.replace('\n', "\r\n"), "Windows line ends"),
            (key.trim_end().to_owned(), "does not end in a newline"),
            (format!("# mine\n{key}"), "text before the key's first line"),
            (key.replace("BEGIN OPENSSH PRIVATE KEY-----", "BEGIN OPENSSH PRIVATE KEY----- "), "first line"),
            (key.replace("END OPENSSH PRIVATE KEY-----", "END OPENSSH PRIVATE KEY----- "), "last line"),
            (armoured("PRIVATE KEY", &[&[0x30, 5], ED25519].concat()), "before 9.6"),
            (armoured("DSA PRIVATE KEY", &[0x30, 0]), "DSA"),
        ] {
            let block =
                check_private_key(&shown(), file.as_bytes()).unwrap_or_else(|error| panic!("{error}"));
            let warning = layout_warning(&shown(), file.as_bytes(), &block).unwrap();
            assert!(warning.contains(words), "{words}: {warning}");
        }
        for file in [format!("{key}\n\n"), format!("{key}text behind it\n")] {
            let block = check_private_key(&shown(), file.as_bytes()).ok().unwrap();
            assert_eq!(layout_warning(&shown(), file.as_bytes(), &block), None, "{file}");
        }
    }

    #[test]
    fn what_a_job_could_not_use_is_refused_with_the_way_out() {
        for (file, word) in [
            (openssh(b"aes256-ctr"), "ssh-keygen -p"),
            (
                "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n"
                    .to_owned(),
                "passphrase",
            ),
            ("ssh-ed25519 AAAA jane@x".to_owned(), "without .pub"),
            ("PuTTY-User-Key-File-3: x".to_owned(), "puttygen"),
            ("hello".to_owned(), "not a private SSH key"),
            (" \n".to_owned(), "is empty"),
            (openssh(b"none").replace('\n', ""), "not a private SSH key"),
            (format!("\u{feff}{}", openssh(b"none")), "begins with a byte order mark"),
            (openssh(b"none").replace("OPENSSH", "RSA"), "another format"),
            (armoured("RSA PRIVATE KEY", &[0x30, 9, 1]), "is damaged"),
            (
                armoured("OPENSSH PRIVATE KEY", &[OPENSSH_START, NO_CIPHER, b"and so on"].concat()),
                "is damaged",
            ),
        ] {
            let refusal = check_private_key(&shown(), file.as_bytes()).err().unwrap().to_string();
            assert!(refusal.contains(word), "{refusal}");
        }
    }

    #[test]
    fn known_hosts_are_lines_of_three_words() {
        let check = |file: &str| check_known_hosts(&shown(), file.as_bytes());
        check("# c\n\ngithub.com ssh-ed25519 AAAA\r\n@cert-authority *.x ssh-rsa AAAA\n|1|x= ssh-rsa AAAA")
            .unwrap();
        for bad in ["", "# c\n", "github.com ssh-ed25519", "@revoked x ssh-rsa"] {
            assert!(check(bad).is_err(), "{bad:?}");
        }
        let refusal = check("a b c\nCANARY\n").unwrap_err().to_string();
        assert!(refusal.contains("line 2") && !refusal.contains("CANARY"), "{refusal}");
    }

    proptest! {
        #[test]
        fn any_file_is_judged_without_a_panic(file in any::<Vec<u8>>()) {
            let _ = (check_private_key(&shown(), &file).is_ok(), check_public_key(&shown(), &file), check_known_hosts(&shown(), &file));
        }
    }
}
