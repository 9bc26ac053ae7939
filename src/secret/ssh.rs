//! An SSH key for Git: that the file is the private one, and that no passphrase stands between it and the job.

use super::contents::{Contents, SIZE_LIMIT};
use super::input::Input;
use super::origin::{Origin, Shown};
use super::pem::{Block, blocks};
use super::reading::check_standard_input;
use super::value::SecretValue;
use crate::error::{Error, Result};

/// The key that Kubernetes asks of an `ssh-auth` secret.
pub(super) const PRIVATE_KEY: &str = "ssh-privatekey";
const PUBLIC_KEY: &str = "ssh-publickey";
const KNOWN_HOSTS: &str = "known_hosts";
/// The key that Run:ai reads of a credential for Git.
const RUNAI_KEY: &str = "ssh";

/// How OpenSSH's own format starts, and what it says where there is no passphrase (OpenSSH's PROTOCOL.key).
const OPENSSH_START: &[u8] = b"openssh-key-v1\0";
const NO_CIPHER: &[u8] = b"\0\0\0\x04none";

/// Starts of lines that hold a public key.
const PUBLIC_STARTS: [&str; 5] =
    ["ssh-", "ecdsa-sha2-", "sk-", "-----BEGIN PUBLIC KEY-----", "---- BEGIN SSH2 PUBLIC KEY"];

/// The files that an SSH secret is made of.
pub(crate) struct SshFiles {
    pub(crate) private_key: Origin,
    pub(crate) public_key: Option<Origin>,
    pub(crate) known_hosts: Option<Origin>,
    pub(crate) audience: Audience,
}

/// Who is to use the key.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Audience {
    Kubernetes,
    /// Run:ai too, as a credential: it looks for the key under a name of its own.
    RunAi,
}

/// The contents of a `kubernetes.io/ssh-auth` secret.
pub(crate) fn ssh_contents(files: &SshFiles, input: &mut dyn Input) -> Result<Contents> {
    let origins = [Some(&files.private_key), files.public_key.as_ref(), files.known_hosts.as_ref()];
    check_standard_input(origins.into_iter().flatten())?;
    let mut contents = Contents::default();
    let shown = files.private_key.shown();
    let private_key = files.private_key.read(SIZE_LIMIT, input)?;
    check_private_key(&shown, private_key.expose())?;
    if !private_key.expose().ends_with(b"\n") {
        contents.warnings.push(format!("{shown} does not end in a newline: OpenSSH will not read the key"));
    }
    if private_key.expose().contains(&b'\r') {
        contents.warnings.push(format!("{shown} has Windows line ends: OpenSSH may not read the key"));
    }
    if files.audience == Audience::RunAi {
        contents.add(RUNAI_KEY.to_owned(), SecretValue::from_bytes(private_key.expose().to_vec()))?;
    }
    contents.add(PRIVATE_KEY.to_owned(), private_key)?;
    if let Some(origin) = &files.public_key {
        let public_key = origin.read(SIZE_LIMIT, input)?;
        check_public_key(&origin.shown(), public_key.expose())?;
        contents.add(PUBLIC_KEY.to_owned(), public_key)?;
    }
    if let Some(origin) = &files.known_hosts {
        let known_hosts = origin.read(SIZE_LIMIT, input)?;
        check_known_hosts(&origin.shown(), known_hosts.expose())?;
        contents.add(KNOWN_HOSTS.to_owned(), known_hosts)?;
    }
    contents.check_size()?;
    Ok(contents)
}

fn check_private_key(shown: &Shown, file: &[u8]) -> Result<()> {
    if is_public(file) {
        return Err(Error::usage(format!("{shown} is a public key"))
            .hint("the private one is the file of the same name without .pub"));
    }
    if file.starts_with(b"PuTTY-User-Key-File") {
        return Err(Error::usage(format!("{shown} is a key in PuTTY's format")).hint(format!(
            "OpenSSH can't read it; convert it: puttygen {} -O private-openssh -o id_key",
            shown.quoted()
        )));
    }
    let blocks = blocks(file);
    let Some(key) = blocks.iter().find(|block| block.is_private_key()) else {
        return Err(Error::usage(format!("{shown} is no private SSH key")).hint(
            "it must be the key's whole file, from its BEGIN to its END; ssh-keygen -t ed25519 makes one",
        ));
    };
    if has_passphrase(key) {
        return Err(Error::usage(format!(
            "the key in {shown} has a passphrase, and a job can't be asked for it"
        ))
        .hint("make a key for this purpose alone: ssh-keygen -t ed25519 -N '' -f job_key")
        .hint(format!(
            "or take the passphrase off a copy: cp {0} job_key && ssh-keygen -p -N '' -f job_key",
            shown.quoted()
        )));
    }
    Ok(())
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
    Err(Error::usage(format!("{shown} is no public SSH key"))
        .hint("it is the file whose name ends in .pub, with one line such as ssh-ed25519 …"))
}

/// Each line is `hosts type key`, perhaps with a marker before it; blank lines and comments are passed over.
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
                .hint("each is: hosts, type of key, key; ssh-keyscan github.com > known_hosts makes them"));
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
        let length = u32::try_from(cipher.len()).unwrap().to_be_bytes();
        let content = [OPENSSH_START, &length, cipher, b"the rest of it"].concat();
        let text = STANDARD.encode(content);
        format!("-----BEGIN OPENSSH PRIVATE KEY-----\n{text}\n-----END OPENSSH PRIVATE KEY-----\n")
    }

    #[test]
    fn a_private_key_without_a_passphrase_is_taken() {
        check_private_key(&shown(), openssh(b"none").as_bytes()).unwrap();
        let pkcs8 = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
        check_private_key(&shown(), pkcs8.as_bytes()).unwrap();
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
            ("hello".to_owned(), "no private SSH key"),
        ] {
            let refusal = check_private_key(&shown(), file.as_bytes()).unwrap_err().to_string();
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
            let _ = (check_private_key(&shown(), &file), check_public_key(&shown(), &file), check_known_hosts(&shown(), &file));
        }
    }
}
