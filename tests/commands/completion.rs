//! Completion: what is offered, through kubectl's protocol and in real shells.

mod install;
mod live;
mod scripts;
mod shells;
mod unattended;

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::time::{Duration, Instant};

use support::sandbox::kubectl;
use support::{Run, Sandbox};

/// What is offered for the last word of a line.
pub(crate) struct Answer {
    /// A candidate and what is said about it.
    lines: Vec<(String, String)>,
    directive: u8,
}

impl Answer {
    pub(crate) fn names(&self) -> Vec<&str> {
        self.lines.iter().map(|(name, _)| name.as_str()).collect()
    }

    #[track_caller]
    fn about(&self, name: &str) -> &str {
        let found = self.lines.iter().find(|(candidate, _)| candidate == name);
        &found.unwrap_or_else(|| panic!("no {name} in {:?}", self.lines)).1
    }
}

/// An answer that takes as long as this may lack what the cluster had no time to say.
const CUT_SHORT: Duration = Duration::from_millis(1200);

/// How long a machine at other work is given.
const PATIENCE: Duration = Duration::from_mins(1);

/// Asks as kubectl does. A blank separates words; one at the end begins a new word. Where the machine is at other work, and
/// the time was over before the cluster had answered, asks again.
#[track_caller]
pub(crate) fn ask(sandbox: &Sandbox, line: &str) -> Answer {
    let end = Instant::now() + PATIENCE;
    loop {
        let started = Instant::now();
        let answer = ask_once(sandbox, line);
        if started.elapsed() < CUT_SHORT || Instant::now() > end {
            return answer;
        }
    }
}

#[track_caller]
fn ask_once(sandbox: &Sandbox, line: &str) -> Answer {
    ask_with(sandbox, sandbox.env("SHELL", "/bin/bash"), line)
}

#[track_caller]
fn ask_with(sandbox: &Sandbox, run: Run<'_>, line: &str) -> Answer {
    sandbox.link_plugin();
    let completer = sandbox.bin().join("kubectl_complete-runai_secret");
    let outcome = run.program(&completer, line.split(' ').map(OsString::from)).success();
    assert_eq!(outcome.stderr, "", "it says nothing: {outcome}");
    let (lines, directive) = outcome.stdout.trim_end().rsplit_once(':').unwrap();
    // The only one may be there twice, for bash.
    let mut seen = BTreeSet::new();
    let lines = lines.lines().filter(|line| seen.insert(*line)).map(|line| {
        let (name, about) = line.split_once('\t').unwrap_or((line, ""));
        (name.to_owned(), about.to_owned())
    });
    Answer { lines: lines.collect(), directive: directive.parse().unwrap() }
}

#[test]
fn commands_flags_and_fixed_values_need_no_cluster() {
    let sandbox = Sandbox::new();
    let commands = ask(&sandbox, "");
    assert_eq!(commands.directive, 4);
    assert!(commands.about("create").starts_with("Create a secret"));
    assert!(commands.names().iter().all(|name| !name.starts_with('-')), "flags only when asked for");
    assert!(ask(&sandbox, "create s --from-").names().contains(&"--from-literal"));
    for (line, values) in [
        ("create d", &["docker-registry"][..]),
        ("create s --dry-run=", &["none", "client", "server"]),
        ("create s --dry-run=s", &["server"]),
        ("status -o ", &["json", "yaml", "name", "wide", "jsonpath=", "custom-columns="]),
        ("view s -o c", &["custom-columns="]),
        ("attach s job/j -o ru", &["runai"]),
        ("create s -oy", &["-oyaml"]),
        ("status --state co", &["copied", "conflict"]),
        ("status --state copied,co", &["copied,conflict"]),
        ("label s --key ", &["legacy", "current", "both"]),
        ("--color a", &["auto", "always"]),
        ("label s --credential g", &["generic"]),
        ("create s --credential=pass", &["password"]),
        ("create s --type kubernetes.io/b", &["kubernetes.io/basic-auth"]),
        ("create s --validate=", &["strict", "warn", "ignore"]),
        ("submit --image-pull-policy N", &["Never"]),
        ("completion i", &["install"]),
        ("attach x dep", &["deployment/"]),
        ("attach x st", &["statefulset/"]),
        ("attach x sts", &["sts/"]),
        ("attach x deploy", &["deployment/"]),
        ("attach -e A=SECRET:s,k cron", &["cronjob/"]),
        ("attach job/j -e A=", &["A=SECRET:"]),
        ("attach job/j -e A=SEC", &["A=SECRET:"]),
        ("attach job/j -e A=x", &[]),
        ("attach job/j --env-secret A=s,", &["A=s,key="]),
        ("attach job/j --secret-volume ", &["path=", "name="]),
        ("attach job/j --secret-volume path=/x,", &["path=/x,name="]),
        ("submit new", &[]),
        ("create ne", &["generic"][..0]),
        ("submit -i python -- --v", &[]),
    ] {
        assert_eq!(ask(&sandbox, line).names(), values, "{line}");
    }
}

#[test]
fn a_flag_is_not_offered_twice_unless_it_may_be_repeated() {
    let sandbox = Sandbox::new();
    let flags = ask(&sandbox, "create s --yes --from-literal=a=b --");
    assert!(!flags.names().contains(&"--yes"), "{:?}", flags.lines);
    assert!(flags.names().contains(&"--from-literal"), "{:?}", flags.lines);
    assert!(!flags.names().contains(&"--save-config"), "hidden in the help, hidden here");
}

#[test]
fn what_goes_on_gets_no_space() {
    let sandbox = Sandbox::new();
    for (line, directive) in [("attach x dep", 6), ("attach job/j -e A=", 6), ("create s --dry-run=s", 4)] {
        assert_eq!(ask(&sandbox, line).directive, directive, "{line}");
    }
}

#[test]
fn where_a_file_is_meant_the_shell_offers_files() {
    let sandbox = Sandbox::new();
    sandbox.file("keys/id.pem", "");
    for line in [
        "create s --from-file ",
        "create s --from-file=ke",
        "create s --from-file=K=ke",
        "create s --from-env-file ",
        "create s --from-dotenv=",
        "create s --from-json ",
        "create tls s --cert ",
        "create tls s --key=",
        "create ssh s --private-key ",
        "create docker-registry s --from-file ",
        "--kubeconfig ",
        "--certificate-authority=",
    ] {
        let answer = ask(&sandbox, line);
        assert_eq!((answer.names(), answer.directive), (vec![], 0), "{line}");
    }
    // Not every shell looks behind the `=` of a word without a dash.
    let answer = ask(&sandbox, "create s --from-file K=ke");
    assert_eq!((answer.names(), answer.directive), (vec!["K=keys/"], 2));
    assert_eq!(ask(&sandbox, "create s --from-file K=keys/").names(), ["K=keys/id.pem"]);
    for line in ["submit --working-dir ", "detach s job/j --mount ", "attach s job/j --mount "] {
        assert_eq!(ask(&sandbox, line).directive, 4, "a path in a container: {line}");
    }
}

#[test]
fn variables_are_offered_by_name_and_never_by_what_they_hold() {
    let sandbox = Sandbox::new();
    let ask = |line: &str| {
        let run = sandbox.env("MY_TOKEN", "hunter2-hunter2");
        ask_with(&sandbox, run, line).names().into_iter().map(ToOwned::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(ask("create s --from-env MY_"), ["MY_TOKEN"]);
    assert_eq!(ask("create s --from-env K=MY_"), ["K=MY_TOKEN"]);
    assert_eq!(ask("create password s --password-env MY_T"), ["MY_TOKEN"]);
}

#[test]
fn kubectl_itself_finds_the_candidates() {
    if kubectl().is_none() {
        return;
    }
    for spelling in [&["runai-secret"][..], &["runai", "secret"]] {
        let words = ["__complete"].iter().chain(spelling).chain(&["la"]);
        let answer = Sandbox::new().kubectl(words).success();
        assert!(answer.stdout.contains("label\t"), "{answer}");
    }
}
