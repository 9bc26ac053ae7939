//! Docker's credential helpers: programs that keep logins, asked by their protocol
//! (docker/docker-credential-helpers, README: "the protocol").

use std::io::{Read, Write};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use serde::Deserialize;

use crate::command_line::quoted;
use crate::error::{Error, Result};
use crate::printable::printable;
use crate::programs;
use crate::secret::{FieldText, SecretValue};

/// The time limit for one answer: a helper may have to unlock a keyring.
const PATIENCE: Duration = Duration::from_secs(30);

/// The limit in bytes for one answer.
const LIMIT: usize = 1 << 20;

/// The limit in bytes for what a helper is asked.
const LONGEST_LINE: usize = 1024;

/// The pause between two looks whether a helper has ended.
const PAUSE: Duration = Duration::from_millis(5);

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
    let answer = serde_json::from_slice(answer.expose())
        .map_err(|_| Error::failed(format!("{} gave no login in its answer", shown(helper))))?;
    Ok(Some(answer))
}

/// Lists the registries to which a helper has logins.
///
/// # Errors
/// The helper can't be started, fails, or does not answer in time.
pub(super) fn registries(helper: &str) -> Result<Vec<String>> {
    let Some(answer) = ask(helper, "list", "")? else { return Ok(Vec::new()) };
    let users: std::collections::BTreeMap<String, serde_json::Value> =
        serde_json::from_slice(answer.expose())
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
fn ask(helper: &str, action: &str, line: &str) -> Result<Option<SecretValue>> {
    let program = program(helper)?;
    // More would fill the pipe, if the helper does not read it.
    if line.len() > LONGEST_LINE {
        return Err(Error::failed(format!("a registry's name has no more than {LONGEST_LINE} characters")));
    }
    let (status, answer) = run(Command::new(programs::to_start(&program)).arg(action), line, PATIENCE)?;
    if answer.len() > LIMIT {
        return Err(Error::failed(format!("{program} gave more than {LIMIT} bytes for an answer")));
    }
    if status.success() {
        return Ok(Some(answer));
    }
    // The sentence of the protocol; helpers print it to standard output.
    if answer.expose().starts_with(b"credentials not found") {
        return Ok(None);
    }
    Err(Error::failed(format!("{program} {action} failed"))
        .hint(format!("to see why: docker login {}", quoted(line))))
}

/// Runs a program that gets one line, and returns how it ended and what it printed.
///
/// # Errors
/// It can't be started, or goes on for longer than `patience`; then it is ended.
fn run(command: &mut Command, line: &str, patience: Duration) -> Result<(ExitStatus, SecretValue)> {
    let program = command.get_program().to_string_lossy().into_owned();
    let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command
        .spawn()
        .map_err(|error| Error::failed(format!("{program} can't be started: {}", error.kind())))?;
    let end = Instant::now() + patience;
    if let Some(mut stdin) = child.stdin.take() {
        // A helper that does not read it will not have it.
        let _ = stdin.write_all(line.as_bytes());
    }
    let answer = read(&mut child, end);
    let status = wait(&mut child, end);
    if let (Some(answer), Some(status)) = (answer, status) {
        return Ok((status, answer));
    }
    let _ = child.kill();
    let _ = child.wait();
    Err(Error::failed(format!("{program} gave no answer within {} s", patience.as_secs_f64())))
}

/// Reads what a child prints; none if that takes too long.
fn read(child: &mut Child, end: Instant) -> Option<SecretValue> {
    let stdout = child.stdout.take()?;
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || sender.send(SecretValue::read(stdout.take(LIMIT as u64 + 1), 0).ok()));
    receiver.recv_timeout(end.saturating_duration_since(Instant::now())).ok().flatten()
}

/// Waits until a child has ended; none if that takes too long.
fn wait(child: &mut Child, end: Instant) -> Option<ExitStatus> {
    loop {
        match child.try_wait() {
            Ok(None) if Instant::now() < end => std::thread::sleep(PAUSE),
            ended => return ended.ok().flatten(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn within(script: &str, patience: Duration) -> Result<(ExitStatus, SecretValue)> {
        run(Command::new("/bin/sh").args(["-c", script]), "ghcr.io", patience)
    }

    #[test]
    fn a_helper_that_does_not_end_is_ended() {
        for script in ["exec sleep 3600", "exec 1>&-; exec sleep 3600", "while :; do echo x; sleep 1; done"] {
            let started = Instant::now();
            let error = within(script, Duration::from_millis(500)).err().unwrap();
            assert_eq!(error.to_string(), "error: /bin/sh gave no answer within 0.5 s", "{script}");
            assert!(started.elapsed() < Duration::from_secs(20), "{script}");
        }
    }

    #[test]
    fn a_helper_that_ends_in_time_is_heard() {
        let (status, answer) = within("cat; exit 3", PATIENCE).ok().unwrap();
        assert_eq!((status.code(), answer.expose()), (Some(3), &b"ghcr.io"[..]));
    }
}
