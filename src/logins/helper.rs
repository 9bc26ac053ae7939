//! Docker's credential helpers: programs that keep logins, asked by their protocol
//! (docker/docker-credential-helpers, README: "the protocol").

use std::io::{Read, Write};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use serde::Deserialize;
use zeroize::Zeroizing;

use crate::error::{Error, Result};
use crate::printable::printable;
use crate::secret::FieldText;

/// The time limit for one answer: a helper may have to unlock a keyring.
const PATIENCE: Duration = Duration::from_secs(30);

/// The limit in bytes for one answer.
const LIMIT: u64 = 1 << 20;

/// A login as a helper tells it.
#[derive(Deserialize)]
pub(super) struct Answer {
    #[serde(rename = "Username")]
    pub(super) username: FieldText,
    #[serde(rename = "Secret")]
    pub(super) secret: FieldText,
}

/// Asks a helper for the login to a registry; none if it has none.
///
/// # Errors
/// The helper can't be started, fails, or does not answer in time. Nothing of its answer is shown.
pub(super) fn login(helper: &str, registry: &str) -> Result<Option<Answer>> {
    let Some(answer) = ask(helper, "get", registry)? else { return Ok(None) };
    let answer = serde_json::from_slice(&answer)
        .map_err(|_| Error::failed(format!("{} gave no login in its answer", shown(helper))))?;
    Ok(Some(answer))
}

/// Lists the registries to which a helper has logins.
///
/// # Errors
/// The helper can't be started, fails, or does not answer in time.
pub(super) fn registries(helper: &str) -> Result<Vec<String>> {
    let Some(answer) = ask(helper, "list", "")? else { return Ok(Vec::new()) };
    let users: std::collections::BTreeMap<String, serde_json::Value> = serde_json::from_slice(&answer)
        .map_err(|_| Error::failed(format!("{} gave no list in its answer", shown(helper))))?;
    Ok(users.into_keys().collect())
}

/// Returns the name of a helper's program.
///
/// # Errors
/// It is no name of a program: it comes from a file, and must not start something elsewhere.
fn program(helper: &str) -> Result<String> {
    let is_name = !helper.is_empty()
        && helper.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'));
    if is_name {
        Ok(shown(helper))
    } else {
        Err(Error::failed(format!("{} is not the name of a credential helper", printable(helper))))
    }
}

fn shown(helper: &str) -> String {
    format!("docker-credential-{helper}")
}

/// Gives a helper one line, and returns what it prints; none if it says that it has no such login.
fn ask(helper: &str, action: &str, line: &str) -> Result<Option<Zeroizing<Vec<u8>>>> {
    let program = program(helper)?;
    let mut child = Command::new(&program)
        .arg(action)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| Error::failed(format!("{program} can't be started: {}", error.kind())))?;
    let mut stdin = child.stdin.take().expect("piped above");
    // A helper that does not read it will not have it.
    let _ = stdin.write_all(line.as_bytes());
    drop(stdin);
    let answer = read(&mut child);
    if answer.is_none() {
        let _ = child.kill();
    }
    let status = child.wait().map_err(|error| Error::failed(format!("{program}: {}", error.kind())))?;
    let Some(answer) = answer else {
        return Err(Error::failed(format!("{program} gave no answer within {} s", PATIENCE.as_secs())));
    };
    match status.success() {
        true => Ok(Some(answer)),
        // The sentence of the protocol; helpers print it to standard output.
        false if answer.starts_with(b"credentials not found") => Ok(None),
        false => Err(Error::failed(format!("{program} {action} failed"))
            .hint(format!("to see why: docker login {}", crate::command_line::quoted(line)))),
    }
}

/// Reads what a child prints; none if that takes too long.
fn read(child: &mut Child) -> Option<Zeroizing<Vec<u8>>> {
    let stdout = child.stdout.take()?;
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let mut answer = Zeroizing::new(Vec::new());
        let read = stdout.take(LIMIT).read_to_end(&mut answer);
        sender.send(read.is_ok().then_some(answer))
    });
    receiver.recv_timeout(PATIENCE).ok().flatten()
}
