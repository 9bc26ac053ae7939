//! Runs the plugin so that it can neither see nor touch the machine it runs on.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::Write as _;
use std::iter;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

use tempfile::TempDir;

use crate::kubeconfig::Kubeconfig;
use crate::terminal::Session;
use crate::world::World;

mod outcome;
mod running;

pub use outcome::Outcome;
pub(crate) use running::line_of;
pub use running::{Running, send_signal};

/// The plugin's name as a binary of this workspace.
const PLUGIN: &str = "kubectl-runai-secret";

/// The names by which kubectl and its completion find the plugin.
const NAMES_FOR_KUBECTL: [&str; 4] =
    ["kubectl-runai_secret", PLUGIN, "kubectl_complete-runai_secret", "kubectl_complete-runai-secret"];

/// A folder with a home, a working folder and nothing of the environment. Removed when dropped.
pub struct Sandbox {
    folder: TempDir,
    environment: Vec<(OsString, OsString)>,
}

/// One run of a program in a sandbox, to be completed and started.
#[must_use]
pub struct Run<'a> {
    sandbox: &'a Sandbox,
    environment: Vec<(OsString, OsString)>,
    stdin: Option<Vec<u8>>,
    limit: Duration,
}

impl Sandbox {
    /// Makes an empty sandbox, without a cluster.
    #[expect(clippy::new_without_default, reason = "it makes folders, which no default should")]
    pub fn new() -> Self {
        let folder = tempfile::Builder::new().prefix("sandbox-").tempdir().expect("a temporary folder");
        for name in ["home", "work", "tmp", "bin"] {
            fs::create_dir(folder.path().join(name)).expect("a folder in an empty folder");
        }
        Self { folder, environment: Vec::new() }
    }

    /// Adds the administrator's kubeconfig of a world.
    #[must_use]
    pub fn with(self, world: &World) -> Self {
        self.kubeconfig(&world.kubeconfig())
    }

    /// Adds this kubeconfig, as `KUBECONFIG`.
    #[must_use]
    pub fn kubeconfig(self, kubeconfig: &Kubeconfig) -> Self {
        let path = self.folder.path().join("kubeconfig");
        fs::write(&path, kubeconfig.to_string()).expect("a file in the sandbox");
        self.with_env("KUBECONFIG", path)
    }

    /// Adds an environment variable for every run.
    #[must_use]
    pub fn with_env(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.environment.push((name.into(), value.into()));
        self
    }

    /// Returns the working folder of every run.
    pub fn path(&self) -> PathBuf {
        self.folder.path().join("work")
    }

    /// Returns the home folder of every run.
    pub fn home(&self) -> PathBuf {
        self.folder.path().join("home")
    }

    /// Returns the folder that is first on the PATH of every run.
    pub fn bin(&self) -> PathBuf {
        self.folder.path().join("bin")
    }

    /// Writes a file into the working folder, and makes the folders above it.
    pub fn file(&self, name: impl AsRef<Path>, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().expect("a file is in a folder")).expect("a folder in the sandbox");
        fs::write(&path, content).expect("a file in the sandbox");
        path
    }

    /// Writes an executable script into the sandbox's bin folder, which is first on PATH.
    pub fn program(&self, name: &str, script: &str) -> PathBuf {
        let path = self.bin().join(name);
        // Not by this process: a child that another test starts at this moment would have the file open for
        // writing too, and running the script would fail with "text file busy".
        let mut writer = Command::new("sh")
            .args(["-c", "cat >\"$0\" && chmod 755 \"$0\""])
            .arg(&path)
            .stdin(Stdio::piped())
            .spawn()
            .expect("a shell");
        let mut pipe = writer.stdin.take().expect("a pipe");
        pipe.write_all(script.as_bytes()).expect("a shell that reads");
        drop(pipe);
        assert!(writer.wait().is_ok_and(|status| status.success()), "{} is not written", path.display());
        path
    }

    /// Puts the plugin, under each of its names, and kubectl on the PATH of every run. Runs of kubectl and
    /// runs in a terminal do so themselves; a shell may need it.
    pub fn link_plugin(&self) {
        let bin = self.bin();
        for name in NAMES_FOR_KUBECTL {
            // It may exist from an earlier run.
            drop(std::os::unix::fs::symlink(plugin(), bin.join(name)));
        }
        if let Some(kubectl) = kubectl() {
            drop(std::os::unix::fs::symlink(kubectl, bin.join("kubectl")));
        }
    }

    /// Begins a run that needs more than arguments.
    pub fn with_run(&self) -> Run<'_> {
        Run { sandbox: self, environment: Vec::new(), stdin: None, limit: Duration::from_mins(3) }
    }

    /// Begins a run with an environment variable.
    pub fn env(&self, name: impl Into<OsString>, value: impl Into<OsString>) -> Run<'_> {
        self.with_run().env(name, value)
    }

    /// Begins a run with stdin.
    pub fn stdin(&self, bytes: impl Into<Vec<u8>>) -> Run<'_> {
        self.with_run().stdin(bytes)
    }

    /// Runs the plugin.
    #[track_caller]
    pub fn run<A: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = A>) -> Outcome {
        self.with_run().run(arguments)
    }

    /// Starts the plugin.
    #[track_caller]
    pub fn spawn<A: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = A>) -> Running {
        self.with_run().spawn(arguments)
    }

    /// Runs kubectl, which finds the plugin.
    #[track_caller]
    pub fn kubectl<A: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = A>) -> Outcome {
        self.with_run().kubectl(arguments)
    }

    /// Starts the plugin in a terminal of its own.
    #[track_caller]
    pub fn in_terminal<A: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = A>) -> Session {
        self.with_run().in_terminal(arguments)
    }

    /// Returns the files below home, working folder and TMPDIR that hold these bytes, plainly or in base64.
    pub fn files_containing(&self, canary: &[u8]) -> Vec<PathBuf> {
        let mut found = Vec::new();
        for name in ["home", "work", "tmp"] {
            search(&self.folder.path().join(name), canary, &mut found);
        }
        found
    }
}

fn search(folder: &Path, canary: &[u8], found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() && !path.is_symlink() {
            search(&path, canary, found);
        } else if fs::read(&path).is_ok_and(|content| outcome::holds(&content, canary)) {
            found.push(path);
        }
    }
}

impl Run<'_> {
    /// Adds an environment variable.
    pub fn env(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.environment.push((name.into(), value.into()));
        self
    }

    /// Sets stdin; without it stdin is `/dev/null`.
    pub fn stdin(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.stdin = Some(bytes.into());
        self
    }

    /// Sets another time limit than three minutes.
    pub fn limit(self, limit: Duration) -> Self {
        Self { limit, ..self }
    }

    /// Runs the plugin.
    #[track_caller]
    pub fn run<A: AsRef<OsStr>>(self, arguments: impl IntoIterator<Item = A>) -> Outcome {
        self.spawn(arguments).wait()
    }

    /// Starts the plugin.
    #[track_caller]
    pub fn spawn<A: AsRef<OsStr>>(self, arguments: impl IntoIterator<Item = A>) -> Running {
        self.start(plugin(), arguments)
    }

    /// Runs kubectl, which finds the plugin.
    #[track_caller]
    pub fn kubectl<A: AsRef<OsStr>>(self, arguments: impl IntoIterator<Item = A>) -> Outcome {
        let kubectl = kubectl().expect("kubectl, of KUBEBUILDER_ASSETS, of KUBECTL or on PATH");
        self.sandbox.link_plugin();
        self.start(kubectl, arguments).wait()
    }

    /// Runs the plugin as its users do, through kubectl, where there is one.
    #[track_caller]
    pub fn run_as_users_do<A: AsRef<OsStr>>(self, arguments: impl IntoIterator<Item = A>) -> Outcome {
        if kubectl().is_none() {
            return self.run(arguments);
        }
        let words = arguments.into_iter().map(|word| word.as_ref().to_owned());
        self.kubectl(iter::once(OsString::from("runai-secret")).chain(words))
    }

    /// Runs any program. Its PATH has the machine's programs, and those of [`Sandbox::link_plugin`].
    #[track_caller]
    pub fn program<A: AsRef<OsStr>>(self, program: &Path, arguments: impl IntoIterator<Item = A>) -> Outcome {
        self.start(program, arguments).wait()
    }

    /// Starts any program.
    #[track_caller]
    pub fn spawn_program<A: AsRef<OsStr>>(
        self,
        program: &Path,
        arguments: impl IntoIterator<Item = A>,
    ) -> Running {
        self.start(program, arguments)
    }

    /// Starts the plugin in a terminal of its own.
    #[track_caller]
    pub fn in_terminal<A: AsRef<OsStr>>(self, arguments: impl IntoIterator<Item = A>) -> Session {
        self.sandbox.link_plugin();
        self.program_in_terminal(plugin(), arguments)
    }

    /// Starts any program, such as a shell, in a terminal of its own.
    #[track_caller]
    pub fn program_in_terminal<A: AsRef<OsStr>>(
        self,
        program: &Path,
        arguments: impl IntoIterator<Item = A>,
    ) -> Session {
        let mut command = self.command(program, "xterm-256color");
        command.args(arguments);
        Session::start(&command)
    }

    #[track_caller]
    fn start<A: AsRef<OsStr>>(self, program: &Path, arguments: impl IntoIterator<Item = A>) -> Running {
        let mut command = self.command(program, "dumb");
        command.args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.stdin(if self.stdin.is_some() { Stdio::piped() } else { Stdio::null() });
        Running::start(command, self.stdin, self.limit)
    }

    fn command(&self, program: &Path, terminal: &str) -> Command {
        let folder = self.sandbox.folder.path();
        let path = std::env::var_os("PATH").unwrap_or_default();
        let path = [folder.join("bin")].into_iter().chain(std::env::split_paths(&path));
        let home = folder.join("home");
        let mut command = Command::new(program);
        command
            .current_dir(folder.join("work"))
            .env_clear()
            .env("PATH", std::env::join_paths(path).expect("a PATH that was one before"))
            .env("HOME", &home)
            .env("TMPDIR", folder.join("tmp"))
            .env("LANG", "C.UTF-8")
            .env("TERM", terminal);
        for (name, below) in [
            ("XDG_CONFIG_HOME", ".config"),
            ("XDG_CACHE_HOME", ".cache"),
            ("XDG_DATA_HOME", ".local/share"),
            ("XDG_STATE_HOME", ".local/state"),
        ] {
            command.env(name, home.join(below));
        }
        let variables = self.sandbox.environment.iter().chain(&self.environment);
        command.envs(variables.map(|(name, value)| (name, value)));
        command
    }
}

/// Returns kubectl: of `KUBEBUILDER_ASSETS`, of `KUBECTL`, or on PATH.
pub fn kubectl() -> Option<&'static Path> {
    static KUBECTL: OnceLock<Option<PathBuf>> = OnceLock::new();
    let found = KUBECTL.get_or_init(|| {
        let of_assets = std::env::var_os(crate::control_plane::ASSETS)
            .map(|folder| PathBuf::from(folder).join("kubectl"));
        let path = std::env::var_os("PATH").unwrap_or_default();
        let on_path: Vec<PathBuf> =
            std::env::split_paths(&path).map(|folder| folder.join("kubectl")).collect();
        let named = std::env::var_os("KUBECTL").map(PathBuf::from);
        of_assets.into_iter().chain(named).chain(on_path).find(|path| path.is_file())
    });
    found.as_deref()
}

/// Returns the plugin's binary: the one cargo built for this test, or else one built now.
pub fn plugin() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| match std::env::var_os(format!("CARGO_BIN_EXE_{PLUGIN}")) {
        Some(path) => PathBuf::from(path),
        None => build(&["--bin", PLUGIN]),
    })
}

/// Builds a target beside the plugin's package, so that all dependencies have the features that the tests
/// were built with, and none of them is rebuilt.
pub(crate) fn build(target: &[&str]) -> PathBuf {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    // The variable of this run: the one of the build may name another checkout, whose build products were
    // copied.
    let folder = std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    let mut command = Command::new(cargo);
    // Cargo's variables for the running program. Build scripts read these, and would rebuild everything.
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy();
        if ["CARGO_PKG_", "CARGO_MANIFEST_"].iter().any(|start| name.starts_with(start)) {
            command.env_remove(&*name);
        }
    }
    let output = command
        .args(["build", "--message-format=json-render-diagnostics", "--package", PLUGIN])
        .args(target)
        .current_dir(folder)
        .stderr(Stdio::inherit())
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{target:?} does not build");
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .find_map(|message| message["executable"].as_str().map(PathBuf::from))
        .expect("cargo names the binary it built")
}
