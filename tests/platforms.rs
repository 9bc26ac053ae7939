//! A list of command lines and questions, for a program of any platform.
//!
//! Without more they run this machine's program. `ci/platforms` sets `PROGRAM` to the file of another one, and `RUNNER` to
//! the command that starts it, such as `wine64`; the API servers stay this machine's.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use serde_json::json;
use support::sandbox::plugin;
use support::{Outcome, Project, Sandbox, Session, World, scenario};

/// The program and what starts it.
struct Platform {
    words: Vec<OsString>,
}

impl Platform {
    fn of_environment() -> Self {
        let program = std::env::var_os("PROGRAM").map_or_else(|| plugin().to_owned(), PathBuf::from);
        let runner = std::env::var("RUNNER").unwrap_or_default();
        let runner = runner.split_whitespace().map(OsString::from);
        Self { words: runner.chain([program.into_os_string()]).collect() }
    }

    fn words<'a>(&'a self, arguments: &'a [&str]) -> (&'a Path, Vec<OsString>) {
        let (first, rest) = self.words.split_first().unwrap();
        (Path::new(first), rest.iter().cloned().chain(arguments.iter().map(OsString::from)).collect())
    }

    /// Returns what makes Esc of the terminal's bytes: Wine (8) takes a single one for the start of a longer key.
    fn esc(&self) -> &'static str {
        let program = Path::new(self.words.last().unwrap());
        if program.extension().is_some_and(|end| end == "exe") { "\u{1b}\u{1b}" } else { "\u{1b}" }
    }

    fn run(&self, sandbox: &Sandbox, arguments: &[&str], input: Option<&str>) -> Outcome {
        let (program, words) = self.words(arguments);
        let run = settings().fold(sandbox.with_run(), |run, (name, value)| run.env(name, value));
        let run = input.into_iter().fold(run, support::Run::stdin);
        run.program(program, words)
    }

    fn ask(&self, sandbox: &Sandbox, arguments: &[&str]) -> Session {
        let (program, words) = self.words(arguments);
        let run = settings().fold(sandbox.with_run(), |run, (name, value)| run.env(name, value));
        run.program_in_terminal(program, words)
    }
}

/// What Wine's own variables say.
fn settings() -> impl Iterator<Item = (OsString, OsString)> {
    std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("WINE"))
}

/// A command line, its exit code, and a text of its output.
struct Step(&'static str, i32, &'static str);

/// What is typed after the program's name; `PROJECT` and `OTHER` stand for two projects.
const STEPS: [Step; 33] = [
    Step("--version", 0, "kubectl runai-secret"),
    Step("--help", 0, "create"),
    Step("options", 0, "--context"),
    Step("create hf --from-literal=token=first -p PROJECT", 0, "secret/hf created"),
    Step("create hf --from-literal=token=first -p PROJECT", 1, "already exists"),
    Step("create files --from-file=plain.txt --from-file=k=sub/other.txt -p PROJECT", 0, "created"),
    Step("create lines --from-env-file=lines.env -p PROJECT", 0, "created"),
    Step("create quotes --from-dotenv=quotes.env -p PROJECT", 0, "created"),
    Step("create none --from-file=missing.txt -p PROJECT", 1, "missing.txt"),
    Step("create dry --from-literal=a=b --dry-run=client -o yaml", 0, "kind: Secret"),
    Step("create hashed --from-literal=a=b --append-hash --dry-run=client -o name", 0, "secret/hashed-"),
    Step("list -p PROJECT", 0, "hf"),
    Step("list -A -o json", 0, "\"secrets\""),
    Step("view hf -p PROJECT", 0, "token"),
    Step("view hf token --reveal -p PROJECT", 0, "first"),
    Step("view files k --reveal -p PROJECT", 0, "other"),
    Step("set hf token --from-literal=token=second -p PROJECT", 2, "hint:"),
    Step("set hf --from-literal=token=second -p PROJECT", 0, "secret/hf"),
    Step("view hf token --reveal -p PROJECT", 0, "second"),
    Step("view hf --reveal -o dotenv -p PROJECT", 0, "token=second"),
    Step("view hf token --reveal --export-file out.txt -p PROJECT", 0, "wrote 6 bytes to out.txt"),
    Step("view hf token --reveal --export-file out.txt -p PROJECT", 1, "already exists"),
    Step("unset files k -p PROJECT --yes", 0, "secret/files"),
    Step("copy hf -p PROJECT --to-project OTHER", 0, "secret/hf"),
    Step("attach hf deployment/web --env-secret TOKEN=hf,key=token -p PROJECT", 2, "hint:"),
    Step("attach hf deployment/web --env token -p PROJECT --yes", 0, "deployment"),
    Step("usage hf -p PROJECT", 0, "web"),
    Step("check deployment/web -p PROJECT", 0, "nothing found"),
    Step("detach hf deployment/web -p PROJECT --yes", 0, "deployment"),
    Step("completion bash", 0, "kubectl-runai-secret"),
    Step("completion powershell", 0, "Register-ArgumentCompleter"),
    // Nothing refers to it any more, which of hf a pod of an earlier revision may do.
    Step("delete files -p PROJECT --yes", 0, "deleted"),
    Step("view files -p PROJECT", 1, "not found"),
];

fn in_words(line: &str, projects: [&Project; 2]) -> Vec<String> {
    let word = |word: &str| match word {
        "PROJECT" => projects[0].name.clone(),
        "OTHER" => projects[1].name.clone(),
        word => word.to_owned(),
    };
    line.split(' ').map(word).collect()
}

fn create_deployment(world: &World, namespace: &str) {
    let container = json!({ "name": "main", "image": "busybox" });
    let template =
        json!({ "metadata": { "labels": { "app": "web" } }, "spec": { "containers": [container] } });
    let deployment = json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": { "name": "web" },
        "spec": { "selector": { "matchLabels": { "app": "web" } }, "template": template },
    });
    world.create(&format!("/apis/apps/v1/namespaces/{namespace}/deployments"), &deployment);
}

#[scenario]
fn every_command_does_what_it_says(world: &World, sandbox: &Sandbox) {
    let (platform, project, other) =
        (Platform::of_environment(), world.project("vision"), world.project("speech"));
    create_deployment(world, &project.namespace);
    sandbox.file("plain.txt", "plain");
    sandbox.file("sub/other.txt", "other");
    sandbox.file("lines.env", "\u{feff}A=1\r\nB=two words\r\n");
    sandbox.file("quotes.env", "export A='a b'\nB=\"c\"\n");
    let mut wrong = Vec::new();
    for Step(line, code, text) in STEPS {
        let words = in_words(line, [&project, &other]);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let outcome = platform.run(sandbox, &words, None);
        let shown = format!("{}{}", outcome.stdout, outcome.stderr);
        if outcome.code != Some(code) || !shown.contains(text) {
            wrong.push(format!(
                "$ {line}\nwas to end with {code} and say {text:?}:\n{:?} {shown}",
                outcome.code
            ));
        }
    }
    println!("platforms: {} of {} command lines are right", STEPS.len() - wrong.len(), STEPS.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    assert_eq!(world.secret_value(&project.namespace, "lines", "B").unwrap(), b"two words");
}

#[scenario]
fn a_value_on_standard_input_arrives_byte_for_byte(world: &World, sandbox: &Sandbox) {
    let (platform, project) = (Platform::of_environment(), world.project("vision"));
    let words = ["create", "s", "--from-file=k=-", "-p", &project.name];
    platform.run(sandbox, &words, Some("a\r\nb\u{1a}ä\n")).success();
    let value = world.secret_value(&project.namespace, "s", "k").unwrap();
    assert_eq!(value, "a\r\nb\u{1a}ä\n".as_bytes());
}

#[scenario]
fn keys_edit_a_hidden_value_and_are_no_part_of_it(world: &World, sandbox: &Sandbox) {
    let (platform, project) = (Platform::of_environment(), world.project("vision"));
    for (name, typed, value) in [
        ("wiped", "hunterx\u{7f}2", "hunter2"),
        ("all-wiped", "wrong\u{15}hunter2", "hunter2"),
        ("tab", "a\tb", "a\tb"),
    ] {
        let mut session = platform.ask(sandbox, &["create", name, "--prompt", "token", "-p", &project.name]);
        session.expect("Value of token");
        session.send(&format!("{typed}\r"));
        session.expect("Once more");
        session.send(&format!("{typed}\r"));
        session.expect(&format!("secret/{name} created"));
        let seen = session.seen().to_owned();
        assert_eq!(session.wait().0, 0);
        assert!(!seen.contains("hunter"), "{seen}");
        assert_eq!(
            world.secret_value(&project.namespace, name, "token").unwrap(),
            value.as_bytes(),
            "{name}"
        );
    }
}

#[scenario]
fn a_hidden_value_is_left_by_esc_and_refuses_several_lines(world: &World, sandbox: &Sandbox) {
    let (platform, project) = (Platform::of_environment(), world.project("vision"));
    let esc = format!("hunter2{}", platform.esc());
    for (typed, said, code) in
        [(esc.as_str(), "", 130), ("\u{3}", "", 130), ("hunter1\rhunter2\r", "several lines", 1)]
    {
        let mut session = platform.ask(sandbox, &["create", "s", "--prompt", "token", "-p", &project.name]);
        session.expect("Value of token");
        session.send(typed);
        let (ended, shown) = session.wait();
        assert_eq!(ended, code, "{typed:?}: {shown}");
        assert!(shown.contains(said) && !shown.contains("hunter"), "{typed:?}: {shown}");
        assert!(world.secret(&project.namespace, "s").is_none());
    }
}

#[scenario]
fn a_list_is_drawn_and_a_confirmation_is_one_key(world: &World, sandbox: &Sandbox) {
    let (platform, project) = (Platform::of_environment(), world.project("vision"));
    world.create_secret(&project.namespace, "hf", &[("token", "hunter2")]);
    let mut session = platform.ask(sandbox, &["delete", "hf", "-p", &project.name]);
    session.expect("Delete hf?");
    session.send("y");
    session.expect("deleted");
    assert_eq!(session.wait().0, 0);
    assert!(world.secret(&project.namespace, "hf").is_none());
}
