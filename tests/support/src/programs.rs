//! Programs that live as long as this process, and the folder of their files.
//!
//! A shell supervises them and waits for the end of a pipe that this process holds: however the process ends,
//! SIGKILL included, the pipe closes, and the shell ends the programs and removes the folder.

use std::fs;
use std::io::{self, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError};

/// The working folder is the programs'. Each line on stdin is a program to start; its arguments are a file, one a line.
const SUPERVISOR: &str = r#"
while IFS= read -r program; do
    name=${program##*/}
    set --
    while IFS= read -r argument; do set -- "$@" "$argument"; done <"$name.arguments"
    "$program" "$@" </dev/null >"$name.log" 2>&1 &
    running="$running $!"
done
kill -KILL $running 2>/dev/null
wait
cd / && rm -rf "$OLDPWD"
"#;

/// How much of a program's log is shown when it fails.
const LAST_LINES: usize = 5;

/// The programs, alive until it is dropped.
pub(crate) struct Programs {
    folder: PathBuf,
    /// Its stdin is the pipe.
    supervisor: Mutex<Child>,
}

impl Programs {
    /// Takes charge of the folder, in which nothing runs yet. Programs that make temporary files make them there.
    pub(crate) fn new(folder: tempfile::TempDir) -> io::Result<Self> {
        let supervisor = Command::new("sh")
            .args(["-c", SUPERVISOR, "support-programs"])
            .current_dir(folder.path())
            .env("TMPDIR", folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // Ctrl-C in a terminal is for the tests; the programs go when the pipe closes.
            .process_group(0)
            .spawn()?;
        // From here on the supervisor removes the folder.
        Ok(Self { folder: folder.keep(), supervisor: Mutex::new(supervisor) })
    }

    /// Returns the folder of the programs' files.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Starts a program, once for each name.
    pub(crate) fn start(&self, program: &Path, arguments: &[String]) -> io::Result<()> {
        if !program.is_file() {
            return Err(io::Error::other(format!("{} is missing", program.display())));
        }
        let name = name(program);
        fs::write(self.folder.join(format!("{name}.arguments")), arguments.join("\n") + "\n")?;
        let mut supervisor = self.supervisor.lock().unwrap_or_else(PoisonError::into_inner);
        writeln!(supervisor.stdin.as_mut().expect("stdin is piped"), "{}", program.display())
    }

    /// Returns the last lines of each program's log.
    pub(crate) fn last_words(&self) -> String {
        let files = fs::read_dir(&self.folder).into_iter().flatten().flatten().map(|file| file.path());
        let mut logs: Vec<PathBuf> =
            files.filter(|path| path.extension().is_some_and(|it| it == "log")).collect();
        logs.sort();
        let tail = |log: &PathBuf| {
            let content = fs::read_to_string(log).unwrap_or_default();
            let lines: Vec<&str> = content.lines().collect();
            format!("{}:\n{}\n", name(log), lines[lines.len().saturating_sub(LAST_LINES)..].join("\n"))
        };
        logs.iter().map(tail).collect()
    }
}

fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}
