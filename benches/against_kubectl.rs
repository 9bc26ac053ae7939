//! How quick and how small: the plugin beside kubectl, as a table for the README.
//!
//!     cargo bench
//!     KUBEBUILDER_ASSETS="$(tests/control-plane/build)" cargo bench    # with the rows on a real API server
//!
//! The plugin is built as it is shipped. The two commands of a row take turns, since a machine's speed drifts, and a row shows medians with their quartiles.
//! No timing fails it; it fails only where a command that it measures does.

#[path = "against_kubectl/tab.rs"]
mod tab;

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::sync::LazyLock;
use std::time::{Duration, Instant};
use std::{env, fs};

use nix::sys::resource::{UsageWho, getrusage};
use serde_json::{Value, json};
use support::control_plane::{self, ControlPlane};
use support::sandbox::kubectl;
use support::{Recorded, Sandbox, World};

/// Timed runs of each command of a row.
const RUNS: usize = 50;
/// Timed runs of what takes kubectl a second or two.
const RUNS_OF_LARGE: usize = 10;
/// Runs before those: kubectl fills its discovery cache, the system its file cache.
const WARM_UPS: usize = 3;
/// Runs for a peak of memory, which hardly varies.
const MEMORY_RUNS: usize = 5;

const MEGABYTE: f64 = 1e6;

/// As the first argument it makes this program the helper of [`peak_memory`].
const PEAK_MEMORY: &str = "--peak-memory-of";

const NO_KUBECTL: &str = "not run: no kubectl";
const NO_API_SERVER: &str = "not run: `KUBEBUILDER_ASSETS` is not set";

fn main() -> ExitCode {
    let arguments: Vec<OsString> = env::args_os().skip(1).collect();
    if let [mode, program, arguments @ ..] = arguments.as_slice()
        && mode == PEAK_MEMORY
    {
        return print_peak_memory(program, arguments);
    }
    if cfg!(debug_assertions) {
        eprintln!("note: not run: this is a debug build, `cargo bench` makes the one that counts");
        return ExitCode::SUCCESS;
    }
    let mut rows = without_cluster();
    rows.extend(large_secrets());
    rows.extend(on_api_server());
    rows.extend(tab::rows());
    rows.extend(many_projects());
    rows.extend(over_all_projects());
    rows.extend(many_secrets());
    rows.push(size());
    rows.extend(requests());
    rows.extend(requests_of_many_projects());
    print_machine();
    println!("| what | ours | kubectl | ratio | target | met |\n|---|---|---|---|---|---|");
    rows.iter().for_each(Row::print);
    ExitCode::SUCCESS
}

fn print_machine() {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let version = kubectl().and_then(|kubectl| {
        let answer =
            Sandbox::new().with_run().program(kubectl, ["version", "--client", "-o", "json"]).success();
        answer.json()["clientVersion"]["gitVersion"].as_str().map(ToOwned::to_owned)
    });
    println!("plugin: {} (release profile)", plugin().display());
    println!("kubectl: {}", version.as_deref().unwrap_or("none"));
    println!(
        "{RUNS} runs each ({RUNS_OF_LARGE} of what is large), median (quartiles), {cores} cores, {}\n",
        env::consts::ARCH
    );
}

// The table.

struct Row {
    what: String,
    ours: String,
    kubectls: String,
    ratio: String,
    target: String,
    met: &'static str,
}

impl Row {
    fn print(&self) {
        let Self { what, ours, kubectls, ratio, target, met } = self;
        println!("| {what} | {ours} | {kubectls} | {ratio} | {target} | {met} |");
    }

    /// A row whose commands could not be run.
    fn not_run(what: &str, why: &str, target: Target) -> Self {
        Self {
            what: what.to_owned(),
            ours: why.to_owned(),
            kubectls: String::new(),
            ratio: String::new(),
            target: target.to_string(),
            met: "–",
        }
    }
}

/// What a number should reach.
#[derive(Clone, Copy)]
enum Target {
    /// It is only shown.
    None,
    /// At most kubectl's divided by this.
    Fraction(f64),
    /// The first fraction, and by all means the second.
    Fractions(f64, f64),
    Megabytes(f64),
    Milliseconds(f64),
    Requests(usize),
}

impl Target {
    fn met_by(self, ours: f64, kubectls: Option<f64>) -> &'static str {
        let in_words = |met| if met { "yes" } else { "**no**" };
        let ratio = kubectls.map(|kubectls| kubectls / ours);
        match (self, ratio) {
            (Self::None, _) | (Self::Fraction(_) | Self::Fractions(..), None) => "–",
            (Self::Fractions(wanted, least), Some(ratio)) if ratio < wanted && ratio >= least => "the second",
            (Self::Fraction(wanted) | Self::Fractions(wanted, _), Some(ratio)) => in_words(ratio >= wanted),
            (Self::Megabytes(most), _) => in_words(ours <= most * MEGABYTE),
            (Self::Milliseconds(most), _) => in_words(ours <= most),
            #[expect(clippy::cast_precision_loss, reason = "a handful of requests")]
            (Self::Requests(most), _) => in_words(ours <= most as f64),
        }
    }
}

impl std::fmt::Display for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::None => f.write_str("–"),
            Self::Fraction(wanted) => write!(f, "1/{wanted}"),
            Self::Fractions(wanted, least) => write!(f, "1/{wanted}, at least 1/{least}"),
            Self::Megabytes(most) => write!(f, "{most} MB"),
            Self::Milliseconds(most) => write!(f, "{most} ms"),
            Self::Requests(most) => write!(f, "{most}"),
        }
    }
}

fn ratio(ours: f64, kubectls: f64) -> String {
    let ratio = kubectls / ours;
    if ratio < 10.0 { format!("1/{ratio:.1}") } else { format!("1/{ratio:.0}") }
}

/// The first quartile, the median and the third quartile.
fn quartiles(mut samples: Vec<f64>) -> [f64; 3] {
    samples.sort_by(f64::total_cmp);
    [1, 2, 3].map(|quarter| samples[(samples.len() - 1) * quarter / 4])
}

// Commands.

/// The plugin as it is shipped, built at the first call.
///
/// The one that cargo builds along with a benchmark is another: to its dependencies are added the features that the
/// benchmark's have, such as tokio's threads, and with them 50 KB and a library to load at every start.
fn plugin() -> &'static Path {
    static BINARY: LazyLock<PathBuf> = LazyLock::new(|| {
        let mut build = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        // They are about this program, and ring is built anew wherever they change.
        for (name, _) in env::vars_os() {
            if ["CARGO_PKG_", "CARGO_MANIFEST_"].iter().any(|start| name.to_string_lossy().starts_with(start))
            {
                build.env_remove(name);
            }
        }
        let output = build
            .args([
                "build",
                "--release",
                "--bin",
                env!("CARGO_PKG_NAME"),
                "--message-format=json-render-diagnostics",
            ])
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .stderr(Stdio::inherit())
            .output()
            .expect("cargo runs");
        assert!(output.status.success(), "the plugin does not build");
        String::from_utf8_lossy(&output.stdout)
            .lines()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok())
            .find_map(|message| message["executable"].as_str().map(PathBuf::from))
            .expect("cargo names the binary it built")
    });
    &BINARY
}

/// Two commands to compare, as words with blanks between them; `{run}` is the number of the run.
struct Pair<'a> {
    what: &'a str,
    ours: &'a str,
    kubectls: &'a str,
    target: Target,
}

/// What a pair is run with.
struct Arena {
    sandbox: Sandbox,
    /// Timed runs of each command.
    runs: usize,
}

impl Arena {
    fn time(&self, pair: &Pair<'_>) -> Row {
        self.time_of(plugin(), pair)
    }

    /// The same, with the plugin under a name of its own.
    fn time_of(&self, plugin: &Path, pair: &Pair<'_>) -> Row {
        let (mut ours, mut kubectls) = (Vec::new(), Vec::new());
        eprintln!("measuring {}", pair.what);
        for run in 0..WARM_UPS + self.runs {
            for (program, words, samples) in
                [(Some(plugin), pair.ours, &mut ours), (kubectl(), pair.kubectls, &mut kubectls)]
            {
                let Some(program) = program.filter(|_| !words.is_empty()) else { continue };
                let arguments = arguments(words, run);
                if run < WARM_UPS {
                    // With its output caught, to be shown where it fails.
                    let _ = self.sandbox.with_run().program(program, arguments).success();
                } else {
                    // The other program has just been running: without a start of its own before it, a short run would
                    // be timed filling the processor's caches again. A series of runs, as hyperfine's, does the same.
                    self.took(program, &idle(program));
                    samples.push(self.took(program, &arguments).as_secs_f64() * 1e3);
                }
            }
        }
        let in_words = |[first, median, third]: [f64; 3]| format!("{median:.1} ms ({first:.1}–{third:.1})");
        compared(pair, ours, kubectls, in_words)
    }

    fn memory(&self, pair: &Pair<'_>) -> Row {
        let peaks = |program, words| {
            (0..MEMORY_RUNS).map(|run| self.peak_memory(program, &arguments(words, run))).collect()
        };
        let kubectls = kubectl().map(|kubectl| peaks(kubectl, pair.kubectls)).unwrap_or_default();
        let in_words = |[_, median, _]: [f64; 3]| megabytes(median);
        compared(pair, peaks(plugin(), pair.ours), kubectls, in_words)
    }

    /// One run of each, for what can't be repeated.
    fn once(&self, pair: &Pair<'_>) -> Row {
        eprintln!("measuring {}", pair.what);
        let took = |program: &Path, words| self.took(program, &arguments(words, 0)).as_secs_f64();
        let kubectls = kubectl().map(|kubectl| vec![took(kubectl, pair.kubectls)]).unwrap_or_default();
        compared(pair, vec![took(plugin(), pair.ours)], kubectls, |[_, median, _]| format!("{median:.1} s"))
    }

    fn memory_once(&self, pair: &Pair<'_>) -> Row {
        let peak = |program: &Path, words| vec![self.peak_memory(program, &arguments(words, 0))];
        let kubectls = kubectl().map(|kubectl| peak(kubectl, pair.kubectls)).unwrap_or_default();
        compared(pair, peak(plugin(), pair.ours), kubectls, |[_, median, _]| megabytes(median))
    }

    /// One run, from its start to its end.
    fn took(&self, program: &Path, arguments: &[String]) -> Duration {
        let mut command = self.command(program);
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let start = Instant::now();
        let status = command.status().unwrap_or_else(|error| panic!("{}: {error}", program.display()));
        let took = start.elapsed();
        assert!(status.success(), "{} {}: {status}", program.display(), arguments.join(" "));
        took
    }

    /// The most memory that one run has resident, in bytes.
    ///
    /// The system counts into a child's peak what its parent has resident when it starts it, and this process holds
    /// a whole API server: so a fresh start of this program, of some 3 MB, is the parent.
    fn peak_memory(&self, program: &Path, arguments: &[String]) -> f64 {
        let this = env::current_exe().expect("a program that runs");
        let answer = self.command(&this).arg(PEAK_MEMORY).arg(program).args(arguments).output();
        let answer = answer.expect("this program starts once more");
        let printed = String::from_utf8_lossy(&answer.stdout).trim().parse();
        printed.unwrap_or_else(|_| panic!("{} {}: failed", program.display(), arguments.join(" ")))
    }

    fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command
            .current_dir(self.sandbox.path())
            .env_clear()
            .env("PATH", env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.sandbox.home())
            .env("KUBECONFIG", self.sandbox.path().join("kubeconfig"));
        command
    }
}

/// Words with which a program starts and does nothing.
fn idle(program: &Path) -> Vec<String> {
    arguments(if Some(program) == kubectl() { "version --client" } else { "--version" }, 0)
}

fn arguments(words: &str, run: usize) -> Vec<String> {
    words.replace("{run}", &run.to_string()).split_whitespace().map(ToOwned::to_owned).collect()
}

/// The row of a pair, from its samples.
fn compared(pair: &Pair<'_>, ours: Vec<f64>, kubectls: Vec<f64>, in_words: fn([f64; 3]) -> String) -> Row {
    let ours = quartiles(ours);
    let kubectls = (!kubectls.is_empty()).then(|| quartiles(kubectls));
    Row {
        what: pair.what.to_owned(),
        ours: in_words(ours),
        kubectls: kubectls.map_or_else(|| NO_KUBECTL.to_owned(), in_words),
        ratio: kubectls.map_or_else(String::new, |kubectls| ratio(ours[1], kubectls[1])),
        target: pair.target.to_string(),
        met: pair.target.met_by(ours[1], kubectls.map(|kubectls| kubectls[1])),
    }
}

fn megabytes(bytes: f64) -> String {
    format!("{:.1} MB", bytes / MEGABYTE)
}

/// The helper of [`Arena::peak_memory`]: runs a command and prints its peak in bytes, or nothing where it fails.
fn print_peak_memory(program: &OsStr, arguments: &[OsString]) -> ExitCode {
    let status = Command::new(program).args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).status();
    if !status.is_ok_and(|status| status.success()) {
        return ExitCode::FAILURE;
    }
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).expect("the usage of a child that was waited for");
    // Kilobytes but on macOS.
    let unit = if cfg!(target_os = "macos") { 1 } else { 1024 };
    println!("{}", usage.max_rss() * unit);
    ExitCode::SUCCESS
}

// The rows.

fn without_cluster() -> Vec<Row> {
    let arena = Arena { sandbox: Sandbox::new(), runs: RUNS };
    let pairs = [
        Pair {
            what: "`--help`, beside `kubectl version --client`",
            ours: "--help",
            kubectls: "version --client",
            target: Target::Fraction(25.0),
        },
        Pair {
            what: "`create --dry-run=client -o yaml`",
            ours: "create hf --from-literal=TOKEN=s3cret --dry-run=client -o yaml",
            kubectls: "create secret generic hf --from-literal=TOKEN=s3cret --dry-run=client -o yaml",
            target: Target::Fraction(25.0),
        },
    ];
    pairs.iter().map(|pair| arena.time(pair)).collect()
}

/// As much as a secret can hold, and long files: made without a server, so that the plugin's own share is seen.
fn large_secrets() -> Vec<Row> {
    let arena = Arena { sandbox: Sandbox::new(), runs: RUNS_OF_LARGE };
    let write = |name: &str, lines: usize, line: &dyn Fn(usize) -> String| {
        let lines: Vec<_> = (0..lines).map(line).collect();
        arena.sandbox.file(name, lines.join("\n"));
    };
    arena.sandbox.file("mebibyte", vec![b'x'; 1 << 20]);
    write("keys.env", 1000, &|n| format!("KEY_{n}=a value of some length, {n}"));
    write("long.env", 100_000, &|n| {
        if n % 100 == 0 {
            format!("KEY_{n}=a value of some length, {n}")
        } else {
            format!("# what is said about {n}")
        }
    });
    // 1,000,000 bytes of values, of the 1,048,576 that a secret may have.
    write("all-keys.env", 100_000, &|n| format!("KEY{n:05}=v{n:09}"));
    let mut rows = Vec::new();
    for (what, from) in [
        ("1 MiB in one value", "--from-file=mebibyte"),
        ("an env file of 1,000 keys", "--from-env-file=keys.env"),
        ("an env file of 100,000 lines with 1,000 keys", "--from-env-file=long.env"),
        ("an env file of 100,000 keys", "--from-env-file=all-keys.env"),
    ] {
        let ours = format!("create s {from} --dry-run=client -o yaml");
        let kubectls = format!("create secret generic s {from} --dry-run=client -o yaml");
        let pair = Pair { what, ours: &ours, kubectls: &kubectls, target: Target::Milliseconds(1000.0) };
        rows.push(arena.time(&Pair { what: &format!("{what}, `--dry-run=client -o yaml`"), ..pair }));
        rows.push(arena.memory(&Pair {
            what: "its memory, resident at its peak",
            target: Target::Megabytes(40.0),
            ..pair
        }));
    }
    rows
}

/// For the real API server; `{namespace}` is the one it is about.
const ON_API_SERVER: [Pair<'_>; 4] = [
    Pair {
        what: "`create`",
        ours: "create ours-{run} --from-literal=TOKEN=s3cret",
        kubectls: "create secret generic kubectls-{run} --from-literal=TOKEN=s3cret",
        target: Target::Fractions(4.0, 3.0),
    },
    Pair {
        what: "`label`, beside `kubectl label secret`",
        ours: "label ours-{run} --runai-namespace {namespace} --yes",
        kubectls: "label secret kubectls-{run} runai/cluster-wide=true run.ai/cluster-wide=true",
        target: Target::None,
    },
    Pair {
        what: "`attach` two keys to a Deployment, beside `kubectl set env --from`",
        ours: "attach pair deployment/ours-{run} --env TOKEN --env USER",
        kubectls: "set env deployment/kubectls-{run} --from=secret/pair",
        target: Target::None,
    },
    Pair {
        what: "`submit` with a secret, beside `kubectl create job`",
        ours: "submit ours-{run} --image busybox -e TOKEN=SECRET:pair,TOKEN -- true",
        kubectls: "create job kubectls-{run} --image=busybox -- true",
        target: Target::None,
    },
];

const MEMORY: Pair<'_> = Pair {
    what: "memory of `create`, resident at its peak",
    ours: "create memory-of-ours-{run} --from-literal=TOKEN=s3cret",
    kubectls: "create secret generic memory-of-kubectls-{run} --from-literal=TOKEN=s3cret",
    target: Target::Megabytes(15.0),
};

/// On the real API server, without anything in between.
fn on_api_server() -> Vec<Row> {
    if !control_plane::available() {
        let pairs = ON_API_SERVER.iter().chain([&MEMORY]);
        return pairs.map(|pair| Row::not_run(pair.what, NO_API_SERVER, pair.target)).collect();
    }
    let world = World::real();
    let (arena, namespace) = prepared(&world);
    let time =
        |pair: &Pair<'_>| arena.time(&Pair { ours: &pair.ours.replace("{namespace}", &namespace), ..*pair });
    let mut rows: Vec<Row> = ON_API_SERVER.iter().map(time).collect();
    rows.push(arena.memory(&MEMORY));
    world.delete(&format!("/api/v1/namespaces/{namespace}"));
    rows
}

/// A namespace with what `label`, `attach` and `submit` need; `label` finds the secrets that `create` made.
fn prepared(world: &World) -> (Arena, String) {
    let namespace = world.namespace("bench");
    for project in ["team-a", "team-b", "team-c"] {
        world.project(project);
    }
    world.create_secret(&namespace, "pair", &[("TOKEN", "s3cret"), ("USER", "ada")]);
    for run in 0..WARM_UPS + RUNS {
        for name in ["ours", "kubectls"] {
            create_deployment(world, &namespace, &format!("{name}-{run}"));
        }
    }
    let sandbox = Sandbox::new();
    let kubeconfig = ControlPlane::shared().kubeconfig().namespace(&namespace);
    let file = sandbox.file("kubeconfig", kubeconfig.to_string());
    (Arena { sandbox: sandbox.with_env("KUBECONFIG", file), runs: RUNS }, namespace)
}

/// How many projects a large cluster has.
const PROJECTS: usize = 1000;

const SYNC: Pair<'_> = Pair {
    what: "`sync` to 1,000 projects, beside `kubectl apply` of the same secrets",
    ours: "sync timed --runai-namespace {namespace}",
    kubectls: "apply -f timed.json",
    target: Target::Fraction(10.0),
};

const SYNC_MEMORY: Pair<'_> = Pair {
    what: "its memory, resident at its peak",
    ours: "sync weighed --runai-namespace {namespace}",
    kubectls: "apply -f weighed.json",
    target: Target::Megabytes(40.0),
};

const STATUS: Pair<'_> = Pair {
    what: "`status` over 1,000 projects, beside `kubectl get secrets -A` of that name",
    ours: "status timed --runai-namespace {namespace}",
    kubectls: "get secrets -A --field-selector=metadata.name=timed",
    target: Target::None,
};

/// Sharing in a large cluster. What changes it is run once: 1,000 writes are a sample of their own.
fn many_projects() -> Vec<Row> {
    if !control_plane::available() {
        return [SYNC, SYNC_MEMORY, STATUS]
            .iter()
            .map(|pair| Row::not_run(pair.what, NO_API_SERVER, pair.target))
            .collect();
    }
    let world = World::real();
    let (namespace, namespaces) = with_projects(&world);
    // The controller manager gives each new namespace a service account, which takes it a while.
    let accounts = || world.list("/api/v1/serviceaccounts?fieldSelector=metadata.name%3Ddefault").len();
    let started = Instant::now();
    while accounts() < namespaces.len() && started.elapsed() < Duration::from_mins(5) {
        std::thread::sleep(Duration::from_secs(1));
    }
    let sandbox = Sandbox::new();
    let file =
        sandbox.file("kubeconfig", ControlPlane::shared().kubeconfig().namespace(&namespace).to_string());
    for name in ["timed", "weighed"] {
        let secret = |namespace: &String| {
            json!({
                "apiVersion": "v1", "kind": "Secret", "metadata": {"name": format!("kubectls-{name}"), "namespace": namespace},
                "data": {"TOKEN": "czNjcmV0"},
            })
        };
        let items: Vec<Value> = namespaces.iter().map(secret).collect();
        let list = json!({"apiVersion": "v1", "kind": "List", "items": items});
        sandbox.file(format!("{name}.json"), list.to_string());
    }
    let arena = Arena { sandbox: sandbox.with_env("KUBECONFIG", file), runs: RUNS_OF_LARGE };
    let ours = |pair: &Pair<'_>| pair.ours.replace("{namespace}", &namespace);
    let rows = vec![
        arena.once(&Pair { ours: &ours(&SYNC), ..SYNC }),
        arena.memory_once(&Pair { ours: &ours(&SYNC_MEMORY), ..SYNC_MEMORY }),
        arena.time(&Pair { ours: &ours(&STATUS), ..STATUS }),
    ];
    for namespace in namespaces.iter().chain([&namespace]) {
        world.delete(&format!("/api/v1/namespaces/{namespace}"));
    }
    rows
}

/// Two shared secrets, and the namespaces of the projects.
fn with_projects(world: &World) -> (String, Vec<String>) {
    eprintln!("making {PROJECTS} projects");
    let runai = world.runai_namespace();
    let namespaces = (0..PROJECTS).map(|number| world.project(&format!("p{number}")).namespace).collect();
    for name in ["timed", "weighed"] {
        let labels = json!({"runai/cluster-wide": "true", "run.ai/cluster-wide": "true"});
        let secret = json!({"metadata": {"name": name, "labels": labels}, "data": {"TOKEN": "czNjcmV0"}});
        world.create(&format!("/api/v1/namespaces/{runai}/secrets"), &secret);
    }
    (runai, namespaces)
}

/// What `status` and `sync` send, from the log of the in-process API server.
fn requests_of_many_projects() -> Vec<Row> {
    let world = World::in_process();
    let (namespace, _) = with_projects(&world);
    let sandbox = Sandbox::new().kubeconfig(&world.kubeconfig());
    let run = |words: &str| {
        world.clear_log();
        let words = format!("{words} --runai-namespace {namespace}");
        let _ = sandbox.with_run().program(plugin(), arguments(&words, 0)).success();
        world.requests()
    };
    let sync = run("sync timed");
    let most = sync.iter().map(|request| request.in_flight).max().unwrap_or_default();
    let again = run("sync timed");
    let status = run("status timed");
    vec![
        counted("requests of `sync` that are under way at once", most, 16),
        counted("writes of a second `sync`", again.iter().filter(|request| request.is_write()).count(), 0),
        counted("requests of `status` over 1,000 projects, 3 of them for further pages", status.len(), 6),
    ]
}

fn create_deployment(world: &World, namespace: &str, name: &str) {
    let labels = json!({"app": name});
    let container = json!({"name": "web", "image": "busybox"});
    let deployment = json!({
        "metadata": {"name": name},
        "spec": {
            // No pods: nothing else should be at work while it is measured.
            "replicas": 0,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
        },
    });
    world.create(&format!("/apis/apps/v1/namespaces/{namespace}/deployments"), &deployment);
}

/// Projects with workloads in them.
const BUSY_PROJECTS: usize = 500;
const WORKLOADS_OF_A_PROJECT: usize = 10;

const OVER_ALL_PROJECTS: Pair<'_> = Pair {
    what: "`usage hf -A` over 500 projects with 5,000 workloads, beside `kubectl get` of them as JSON",
    ours: "usage hf -A -o json",
    kubectls: "get deployments,jobs,cronjobs,secrets -A -o json",
    target: Target::None,
};

/// On the in-process API server, which takes most of the time: its share is the same for both.
fn over_all_projects() -> Vec<Row> {
    let world = World::in_process();
    for project in 0..BUSY_PROJECTS {
        let namespace = world.project(&format!("p{project}")).namespace;
        world.create_secret(&namespace, "hf", &[("TOKEN", "s3cret")]);
        for index in 0..WORKLOADS_OF_A_PROJECT {
            create_consumer(&world, &namespace, index);
        }
    }
    let sandbox = Sandbox::new();
    let file = sandbox.file("kubeconfig", world.kubeconfig().to_string());
    let arena = Arena { sandbox: sandbox.with_env("KUBECONFIG", file), runs: RUNS_OF_LARGE };
    let memory = Pair {
        what: "memory of that, resident at its peak",
        target: Target::Megabytes(60.0),
        ..OVER_ALL_PROJECTS
    };
    let mut rows = vec![arena.time(&OVER_ALL_PROJECTS), arena.memory(&memory)];
    world.clear_log();
    let _ = arena.sandbox.with_run().program(plugin(), arguments(OVER_ALL_PROJECTS.ours, 0)).success();
    let pages = BUSY_PROJECTS * WORKLOADS_OF_A_PROJECT / 500;
    // The secret, nine kinds that are built in, and five groups that might have more.
    rows.push(counted("requests of that", world.requests().len(), 15 + pages));
    rows
}

/// Secrets of a large cluster.
const SECRETS: usize = 20_000;

/// On the in-process API server, whose share is the same for both.
fn many_secrets() -> Vec<Row> {
    let world = World::in_process();
    let namespaces: Vec<_> = (0..100).map(|n| world.project(&format!("p{n}")).namespace).collect();
    let value = "x".repeat(1000);
    for index in 0..SECRETS {
        let namespace = &namespaces[index % namespaces.len()];
        world.create_secret(namespace, &format!("secret-{index}"), &[("TOKEN", &value)]);
    }
    let sandbox = Sandbox::new();
    let file = sandbox.file("kubeconfig", world.kubeconfig().to_string());
    let arena = Arena { sandbox: sandbox.with_env("KUBECONFIG", file), runs: RUNS_OF_LARGE };
    let pair = |what, target| Pair { what, ours: "list -A", kubectls: "get secrets -A", target };
    let time =
        arena.time(&pair("`list -A` of 20,000 secrets, beside `kubectl get secrets -A`", Target::None));
    let memory = arena.memory(&pair("memory of that, resident at its peak", Target::Megabytes(40.0)));
    world.clear_log();
    let _ = arena.sandbox.with_run().program(plugin(), ["list", "-A"]).success();
    // The projects, and pages of 500.
    vec![time, memory, counted("requests of that", world.requests().len(), 1 + SECRETS / 500)]
}

/// A Deployment, a Job that is suspended, or a `CronJob`, with the record of fields that real ones have.
fn create_consumer(world: &World, namespace: &str, index: usize) {
    let env = json!([{"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": "hf", "key": "TOKEN"}}}]);
    let container =
        json!({"name": "main", "image": "busybox", "env": env, "envFrom": [{"secretRef": {"name": "hf"}}]});
    let labels = json!({"app": format!("w{index}")});
    let spec = json!({"restartPolicy": "Never", "containers": [container]});
    let template = json!({"metadata": {"labels": labels}, "spec": spec});
    let (group, plural, spec) = match index % 3 {
        0 => {
            let mut template = template;
            template["spec"]["restartPolicy"] = "Always".into();
            ("apps", "deployments", json!({"selector": {"matchLabels": labels}, "template": template}))
        }
        1 => ("batch", "jobs", json!({"suspend": true, "template": template})),
        _ => (
            "batch",
            "cronjobs",
            json!({"schedule": "0 2 * * *", "jobTemplate": {"spec": {"template": template}}}),
        ),
    };
    // What a server keeps beside the object itself: the record of who wrote which field, and what apply left.
    let annotations = json!({"kubectl.kubernetes.io/last-applied-configuration": "x".repeat(2000)});
    let metadata = json!({"name": format!("w{index}"), "annotations": annotations});
    let path = format!("/apis/{group}/v1/namespaces/{namespace}/{plural}");
    world.create(&path, &json!({"metadata": metadata, "spec": spec}));
}

fn size() -> Row {
    let size = |program: &Path| {
        #[expect(clippy::cast_precision_loss, reason = "shown with one decimal")]
        fs::metadata(program).map(|file| vec![file.len() as f64]).expect("a program that was run")
    };
    let pair = Pair { what: "size of the program", ours: "", kubectls: "", target: Target::Megabytes(8.0) };
    let kubectls = kubectl().map(size).unwrap_or_default();
    compared(&pair, size(plugin()), kubectls, |[_, median, _]| megabytes(median))
}

/// What each command sends, from the log of the in-process API server.
fn requests() -> Vec<Row> {
    let world = World::in_process();
    let namespace = world.namespace("bench");
    world.project("team-a");
    create_deployment(&world, &namespace, "web");
    let sandbox = Sandbox::new().kubeconfig(&world.kubeconfig().namespace(&namespace));
    let label = format!("label hf --runai-namespace {namespace} --yes");
    let mut discovery = 0;
    let mut rows = Vec::new();
    for (what, words, most) in [
        ("requests of `create`", "create hf --from-literal=TOKEN=s3cret", 1),
        ("requests of `label`", label.as_str(), 3),
        ("requests of `attach`", "attach hf deployment/web --env TOKEN", 4),
        ("requests of `submit` with a secret", "submit train -i busybox -e TOKEN=SECRET:hf,TOKEN", 2),
    ] {
        world.clear_log();
        let _ = sandbox.with_run().program(plugin(), arguments(words, 0)).success();
        let requests = world.requests();
        discovery += requests.iter().filter(|request| is_discovery(request)).count();
        rows.push(counted(what, requests.len(), most));
    }
    rows.push(counted("requests of these for discovery", discovery, 0));
    rows
}

fn counted(what: &str, count: usize, most: usize) -> Row {
    let target = Target::Requests(most);
    #[expect(clippy::cast_precision_loss, reason = "a handful of requests")]
    let met = target.met_by(count as f64, None);
    let ours = count.to_string();
    Row { ours, met, ..Row::not_run(what, "", target) }
}

/// Does it ask what the server knows, rather than for an object? `/api/v1`, `/apis/apps/v1`, `/openapi/v3`.
fn is_discovery(request: &Recorded) -> bool {
    let segments: Vec<&str> = request.path.split('/').skip(1).collect();
    matches!(segments.as_slice(), ["api" | "apis"] | ["api" | "apis", _] | ["apis", _, _] | ["openapi", ..])
}
