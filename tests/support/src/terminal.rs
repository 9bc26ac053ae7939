//! A terminal for the plugin, to test prompts as a person sees them.

use std::process::Command;
use std::time::{Duration, Instant};

use rexpect::process::WaitStatus;
use rexpect::session::{PtySession, spawn_command};

use crate::sandbox::line_of;

/// The time limit for a text.
const LIMIT_MS: u64 = 60_000;

/// The time for an unneeded program to end. A shell at its prompt ignores the request, and is then killed.
const ENDING_MS: u64 = 200;

/// A program that runs in a terminal of 40 lines and 120 columns; killed when dropped.
pub struct Session {
    terminal: PtySession,
    command: String,
    seen: String,
}

impl Session {
    #[track_caller]
    pub(crate) fn start(command: &Command) -> Self {
        let line = line_of(command);
        // A new terminal has no size, and rexpect turns echo off; the shell sets both right and becomes the program.
        let mut sized = Command::new("sh");
        sized
            .args(["-c", "stty rows 40 cols 120 echo; exec \"$0\" \"$@\""])
            .arg(command.get_program())
            .args(command.get_args());
        sized.env_clear().envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        if let Some(folder) = command.get_current_dir() {
            sized.current_dir(folder);
        }
        let mut terminal =
            spawn_command(sized, Some(LIMIT_MS)).unwrap_or_else(|error| panic!("$ {line}\n{error}"));
        terminal.process_mut().set_kill_timeout(Some(ENDING_MS));
        Self { terminal, command: line, seen: String::new() }
    }

    /// Waits for this text, and returns the text before it, since the last wait.
    #[track_caller]
    pub fn expect(&mut self, text: &str) -> String {
        let before = self.terminal.exp_string(text);
        let before =
            before.unwrap_or_else(|error| panic!("$ {}\nwas to show {text:?}: {error}", self.command));
        self.seen.push_str(&before);
        self.seen.push_str(text);
        before
    }

    /// Waits for a match of this regular expression, and returns it.
    #[track_caller]
    pub fn expect_match(&mut self, pattern: &str) -> String {
        let found = self.terminal.exp_regex(pattern);
        let (before, matched) =
            found.unwrap_or_else(|error| panic!("$ {}\nwas to show /{pattern}/: {error}", self.command));
        self.seen.push_str(&before);
        self.seen.push_str(&matched);
        matched
    }

    /// Waits for this text within a limit, and returns the text up to it, since the last wait; `None` if it
    /// is not shown.
    pub fn shows(&mut self, text: &str, limit: Duration) -> Option<String> {
        let end = Instant::now() + limit;
        let mut shown = String::new();
        while !shown.ends_with(text) {
            match self.terminal.try_read() {
                Some(char) => shown.push(char),
                None if Instant::now() > end => break,
                None => std::thread::sleep(Duration::from_millis(10)),
            }
        }
        self.seen.push_str(&shown);
        shown.ends_with(text).then_some(shown)
    }

    /// Types a text and Enter.
    #[track_caller]
    pub fn send_line(&mut self, text: &str) {
        self.send(&format!("{text}\r"));
    }

    /// Types a text; `"\t"` is Tab, `"\u{1b}"` Esc, `"\u{1b}[B"` the down key.
    #[track_caller]
    pub fn send(&mut self, text: &str) {
        let sent = self.terminal.send(text).and_then(|_| self.terminal.flush());
        sent.unwrap_or_else(|error| panic!("$ {}\ndoes not take input: {error}", self.command));
    }

    /// Types Ctrl-C.
    #[track_caller]
    pub fn interrupt(&mut self) {
        self.send("\u{3}");
    }

    /// Returns everything shown so far, up to the last wait.
    pub fn seen(&self) -> &str {
        &self.seen
    }

    /// Waits for the end. Returns the exit code (128 + signal if one ended it), and everything that was
    /// shown.
    #[track_caller]
    pub fn wait(mut self) -> (i32, String) {
        let rest = self.terminal.exp_eof();
        let rest = rest.unwrap_or_else(|error| panic!("$ {}\nwas to end: {error}", self.command));
        self.seen.push_str(&rest);
        let code = match self.terminal.process().wait() {
            Ok(WaitStatus::Exited(_, code)) => code,
            Ok(WaitStatus::Signaled(_, signal, _)) => 128 + signal as i32,
            other => panic!("$ {}\nended in an unknown way: {other:?}", self.command),
        };
        (code, self.seen)
    }
}
