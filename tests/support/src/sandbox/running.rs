//! A program under way, to be waited for or killed.

use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, Stdio};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::Child;
use tokio::sync::watch;

use super::Outcome;
use crate::runtime::{runtime, wait_for};

/// Sends the signal of this name to a process: by a shell, since not every machine has the program `kill`.
#[track_caller]
pub fn send_signal(signal: &str, process: u32) {
    let line = format!("kill -s {signal} {process}");
    let sent = Command::new("bash").args(["-c", &line]).stderr(Stdio::null()).status();
    assert!(sent.is_ok_and(|status| status.success()), "{signal} was not sent to {process}");
}

/// A started program; killed when dropped.
#[must_use = "it is killed when it is dropped"]
pub struct Running {
    child: Child,
    stdout: Pipe,
    stderr: Pipe,
    command: String,
    limit: Duration,
}

impl Running {
    #[track_caller]
    pub(super) fn start(command: Command, stdin: Option<Vec<u8>>, limit: Duration) -> Self {
        let line = line_of(&command);
        let _within = runtime().enter();
        let spawned = tokio::process::Command::from(command).kill_on_drop(true).spawn();
        let mut child = spawned.unwrap_or_else(|error| panic!("$ {line}\ndoes not start: {error}"));
        if let (Some(mut pipe), Some(bytes)) = (child.stdin.take(), stdin) {
            // It may end without having read all of it.
            runtime().spawn(async move { drop(pipe.write_all(&bytes).await) });
        }
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        Self { stdout: Pipe::read(stdout), stderr: Pipe::read(stderr), child, command: line, limit }
    }

    /// Returns the process's number; `None` once it was waited for.
    pub fn id(&self) -> Option<u32> {
        self.child.id()
    }

    /// Sends SIGKILL, and returns the outcome.
    #[must_use = "whether it succeeded should be looked at"]
    pub fn kill(mut self) -> Outcome {
        self.child.start_kill().expect("a child of ours");
        self.wait()
    }

    /// Sends SIGINT, as Ctrl-C does.
    pub fn interrupt(&self) {
        self.signal("INT");
    }

    /// Sends the signal of this name, such as `HUP`.
    pub fn signal(&self, signal: &str) {
        send_signal(signal, self.id().expect("a child that was not waited for"));
    }

    /// Waits for this text on stderr. Panics with the command line if the program ends before, or takes too
    /// long.
    #[track_caller]
    pub fn wait_for_stderr(&self, text: &str) {
        let mut stderr = self.stderr.0.clone();
        let holds = |said: &Vec<u8>| String::from_utf8_lossy(said).contains(text);
        let said = wait_for(async {
            tokio::time::timeout(self.limit, stderr.wait_for(holds)).await.is_ok_and(|it| it.is_ok())
        });
        assert!(said, "$ {}\nhas not said {text:?}", self.command);
    }

    /// Returns true before its end.
    pub fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Waits for its end. Panics with its command line after the time limit.
    #[track_caller]
    #[must_use = "whether it succeeded should be looked at"]
    pub fn wait(mut self) -> Outcome {
        let Ok(status) = wait_for(async { tokio::time::timeout(self.limit, self.child.wait()).await }) else {
            drop(self.child.start_kill());
            let stderr = wait_for(self.stderr.whole());
            panic!("$ {}\nhas not ended after {:?}; its stderr:\n{stderr}", self.command, self.limit);
        };
        let status = status.expect("a child of ours");
        let (stdout, stderr) = (wait_for(self.stdout.whole()), wait_for(self.stderr.whole()));
        Outcome { stdout, stderr, code: status.code(), signal: status.signal(), command: self.command }
    }
}

/// The output of a pipe so far.
struct Pipe(watch::Receiver<Vec<u8>>);

impl Pipe {
    fn read(pipe: Option<impl AsyncRead + Unpin + Send + 'static>) -> Self {
        let (sender, receiver) = watch::channel(Vec::new());
        runtime().spawn(async move {
            let Some(mut pipe) = pipe else { return };
            let mut piece = vec![0; 64 * 1024];
            while let Ok(length @ 1..) = pipe.read(&mut piece).await {
                sender.send_modify(|so_far| so_far.extend_from_slice(&piece[..length]));
            }
        });
        Self(receiver)
    }

    /// Returns all of it, once its other end is closed.
    async fn whole(mut self) -> String {
        // An error means that the sender is gone, so there will be no more.
        while self.0.changed().await.is_ok() {}
        String::from_utf8_lossy(&self.0.borrow()).into_owned()
    }
}

pub(crate) fn line_of(command: &Command) -> String {
    let words = [command.get_program()].into_iter().chain(command.get_args());
    words.map(|word| word.to_string_lossy().into_owned()).collect::<Vec<_>>().join(" ")
}
