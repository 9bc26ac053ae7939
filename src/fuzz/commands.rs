//! Fuzz target: every command, on a server of which one answer is wrong.

use std::ffi::OsString;
use std::process::Command as Process;
use std::{env, fs};

use clap::CommandFactory as _;
use serde_json::{Value, json};

use crate::cli::{Cli, parsing};
use crate::commands;
use crate::error::Result;
use crate::fuzz::{Bend, Random, Run, Server, pod_spec, world};
use crate::session::Connected;
use crate::ui::{Heard, Ui};

/// Set in the process that runs the target, with an editor and writable folders.
const ALONE: &str = "FUZZ_ALONE";

/// The verb whose lines are tried; all without it. With many changes of each answer all take hours, and the
/// verbs one by one can be spread over processes: a line's inputs are the same.
const VERB: &str = "FUZZ_VERB";

/// Every command, once for each different request to the server.
const LINES: [&str; 85] = [
    "options",
    "create new --from-literal=A=one -p team-a",
    "create new --from-literal=A=one -n runai-team-a -o json",
    "create new --from-literal=A=one -p team-a -p team-b",
    "create new --from-literal=A=one -p team-a --dry-run=server",
    "create db --from-literal=A=two -p team-a --replace",
    "create fixed --from-literal=A=two -p team-a --replace",
    "create db --from-literal=A=two --type=example.test/x -p team-a --replace",
    "create new --from-literal=A=one --cluster-wide",
    "create hf --from-literal=HF_TOKEN=two --cluster-wide --replace",
    "create password new --username=u --password-env=PATH --credential -p team-a",
    "set db --from-literal=B=two -p team-a",
    "set db --from-literal=A=two --restart -p team-a",
    "set db --from-literal=A=two -p team-a --dry-run=server -o yaml",
    "set hf --from-literal=HF_TOKEN=two -n runai",
    "restart db --all --no-wait -p team-a",
    "unset db A -p team-a",
    "edit db -p team-a",
    "edit db A -p team-a",
    "copy db -p team-a --to-project team-b",
    "copy db -p team-a --to-project team-b --replace -o json",
    "copy db -p team-a --to-project team-b --dry-run=server",
    "rename db db-2 --no-wait -p team-a",
    "rename other db-2 --no-wait --force -p team-a -o json",
    "rename db db-2 -p team-a --dry-run=server",
    "apply -f DECLARED -p team-a --adopt --prune",
    "delete db -p team-a --force",
    "delete other db -p team-a",
    "delete db -p team-a --dry-run=server --force",
    "delete hf --cluster-wide --timeout 0",
    "delete hf --cluster-wide --force --timeout 1ms",
    "list -p team-a",
    "list -A --all",
    "list -A --keys",
    "list -p team-a --consumers -o wide",
    "list -p team-a -o json",
    "list -p team-a -l team=ml -o name",
    "view db -p team-a",
    "view db -p team-a -o json",
    "view db A --reveal -p team-a -o dotenv",
    "label plain",
    "label plain --wait=1ms",
    "label hf --remove",
    "label db --from-project team-a",
    "label plain --department=1",
    "label hf --dry-run=server",
    "status",
    "status hf",
    "status hf -o wide",
    "status -o json",
    "sync hf",
    "sync hf --prune --adopt",
    "sync hf -p team-b -o json",
    "sync hf --dry-run=server",
    "attach db deploy/web --env A -p team-a",
    "attach db deploy/web --env-all --mount /etc/db --optional -p team-a -o json",
    "attach db cronjob/nightly --image-pull -p team-a",
    "attach db sts/base --mount /etc/db --mode 0400 -p team-a --dry-run=server",
    "attach db job/train --env A --recreate --timeout 1ms -p team-a",
    "attach db job/train --env A --copy-as train-2 -p team-a",
    "attach db pod/lone --env A --recreate --timeout 1ms -p team-a",
    "attach db deploy/web --env-all -p team-a -o runai",
    "attach db pytorchjob/torch --env A -p team-a",
    "detach other deploy/web -p team-a",
    "detach other job/train -p team-a --recreate --timeout 1ms",
    "submit new -i python -e A=SECRET:db,A -p team-a",
    "submit new -i python --secret db --secret other -e A=1 -p team-a --mode 0400",
    "submit -i python --env-all db --image-pull-secret other -g 0.5 -p team-a -- python x.py",
    "submit new -i python -e A=SECRET:db,A -p team-a --wait=1ms",
    "submit new --kind trainingworkload -i python -e A=SECRET:db,A -p team-a",
    "submit new -i python -e A=SECRET:db,A -p team-a --dry-run=server -o yaml",
    "check -p team-a",
    "check -A",
    "check deploy/web -p team-a",
    "check job/train -p team-a -o json",
    "check -p team-a -o wide",
    "check -f MANIFEST -p team-a",
    "diff -p team-a --to-project team-b -o json",
    "diff db --from-literal=k=v -p team-a",
    "usage -p team-a",
    "usage db -p team-a -o wide",
    "usage deploy/web -p team-a",
    "usage -A --unused",
    "usage -p team-a -o json",
    "completion bash",
];

/// Runs a command line on a server.
fn run(line: &str, server: &Server) -> (Result<()>, Heard) {
    let manifest = env::temp_dir().join("manifest.yaml").display().to_string();
    let declared = env::temp_dir().join("secrets.yaml").display().to_string();
    let line = line.replace("MANIFEST", &manifest).replace("DECLARED", &declared);
    let line = format!("kubectl-runai-secret -s {} --kubeconfig /dev/null {line}", server.address());
    let words: Vec<OsString> = line.split(' ').map(Into::into).collect();
    let cli = parsing::parse(&words)
        .map_err(parsing::NoCommand::refusal)
        .unwrap_or_else(|error| panic!("{line}: {error}"));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let ui = Ui::heard_by_a_test();
        let outcome = Box::pin(commands::run(&cli.command, &cli.globals, &Connected::default(), &ui)).await;
        if let Err(error) = &outcome {
            ui.error(error);
        }
        (outcome, ui.heard())
    })
}

fn is_for_a_person(line: &str) -> bool {
    !["-o json", "-o yaml", "-o dotenv", "-o runai", "--reveal"].iter().any(|flag| line.contains(flag))
}

/// Returns true for characters that control a terminal, or reorder or hide text.
fn disturbs(c: char) -> bool {
    c.is_control() && c != '\n' || matches!(c, '\u{200b}' | '\u{202e}' | '\u{feff}')
}

fn check(line: &str, server: &Server, right: &[(String, Value)]) -> String {
    let (outcome, Heard { data, talk }) = run(line, server);
    let shown = String::from_utf8_lossy(&data);
    assert!(!server.is_endless(), "it goes on asking: {talk}");
    assert!(!talk.contains(disturbs), "raw characters in {talk:?}");
    assert!(!talk.lines().any(|line| line == "hint: b"), "a text of the server's begins a line: {talk}");
    assert!(!is_for_a_person(line) || !shown.contains(disturbs), "raw characters in {shown:?}");
    let is_claimed = outcome.is_ok() && server.is_unproven() && server.content() != right;
    assert!(!is_claimed, "it says that it is done, without proof: {shown}{talk}answer: {}", server.bent());
    format!("{:?} {talk}", outcome.map_err(|error| error.kind()))
}

/// Runs this test again in a process of its own, and returns true in that process.
fn is_alone(test: &str) -> bool {
    if env::var_os(ALONE).is_some() {
        return true;
    }
    let folder = tempfile::tempdir().unwrap();
    let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": pod_spec()});
    fs::write(folder.path().join("manifest.yaml"), pod.to_string()).unwrap();
    let secret = |name: &str| json!({"name": name, "from": [{"file": "manifest.yaml", "key": "A"}]});
    let declared = json!({"name": "f", "secrets": [secret("db"), secret("new")]});
    fs::write(folder.path().join("secrets.yaml"), declared.to_string()).unwrap();
    let status = Process::new(env::current_exe().unwrap())
        .args([test, "--exact", "--nocapture"])
        .env(ALONE, "1")
        .envs(["XDG_STATE_HOME", "XDG_RUNTIME_DIR", "HOME", "TMPDIR"].map(|name| (name, folder.path())))
        .env("KUBECONFIG", folder.path().join("none"))
        .env("KUBE_EDITOR", "sed -i s/one/two/")
        .status()
        .unwrap();
    assert!(status.success(), "{status}");
    false
}

#[test]
fn no_command_is_left_out() {
    for command in Cli::command().get_subcommands() {
        let name = command.get_name();
        assert!(LINES.iter().any(|line| line.split(' ').next() == Some(name)), "{name}");
    }
}

#[test]
fn answers_that_are_not_as_they_should_be() {
    if !is_alone("fuzz::commands::answers_that_are_not_as_they_should_be") {
        return;
    }
    let world = world();
    let mut campaign = Run::new("answers");
    // For each answer.
    let changes = (campaign.cases() / 300).max(1);
    // There are two thousand.
    let step = if campaign.cases() < 1000 { 64 } else { 1 };
    let verb = env::var(VERB).ok();
    let is_wanted = |line: &&str| verb.is_none() || line.split(' ').next() == verb.as_deref();
    for line in LINES.into_iter().filter(is_wanted) {
        let right = Server::new(world.fork(), None);
        let (outcome, heard) = run(line, &right);
        if env::var_os("FUZZ_SHOW").is_some() {
            let exit = outcome.map_err(|error| error.kind());
            println!(
                "{line}: {exit:?}, {} requests\n{}{}",
                right.requests().len(),
                String::from_utf8_lossy(&heard.data),
                heard.talk
            );
        }
        let content = right.content();
        for request in right.requests().into_iter().step_by(step) {
            for change in 0..changes {
                let name = format!("{line} #{} {} {change}", request.line, request.before);
                campaign.case_of_name(&name, |random: Random| {
                    let withheld = change % 2 == 1;
                    let bend = Bend { request: request.clone(), lasting: change % 5 == 4, withheld, random };
                    check(line, &Server::new(world.fork(), Some(bend)), &content)
                });
            }
        }
    }
    campaign.report();
}
