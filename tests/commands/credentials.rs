//! Credentials: how they are read, what becomes of a command that lasts longer than they do, and what is said of those
//! that are of no use.

mod forms;
mod plugins;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::json;
use support::{Fault, Hold, Outcome, Run, Sandbox, World, scenario};

use crate::status::{Shared, runais_copy};
use crate::workloads::{create_job, job_path};

/// So long lives what the plugin gives out here.
const LIFE: Duration = Duration::from_secs(3);

/// A command that needs a cluster and changes nothing.
pub(crate) const LOOK: [&str; 5] = ["create", "s", "--from-literal=k=v", "--dry-run=server", "-nd"];

pub(crate) fn world_with_namespace() -> World {
    let world = World::in_process();
    world.create("/api/v1/namespaces", &json!({ "metadata": { "name": "d" } }));
    world
}

/// Who says that a credential has ended.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Says {
    /// The plugin does, beforehand.
    Plugin,
    /// The server does, with a 401.
    Server,
}

/// A credential plugin that gives out another token each time, which lives for `LIFE`, and the kubeconfig with it.
fn short_lived(world: &World, sandbox: &Sandbox, says: Says) -> PathBuf {
    world.short_lived_tokens(LIFE);
    let end = match says {
        Says::Plugin => ", \"expirationTimestamp\": \"'$end'\"",
        Says::Server => "",
    };
    let script = format!(
        "#!/bin/sh\necho run >> '{0}'\nnumber=$(wc -l < '{0}' | tr -d ' ')\n\
         end=$(date -u -d '+3 seconds' +%Y-%m-%dT%H:%M:%SZ 2>/dev/null || date -u -v+3S +%Y-%m-%dT%H:%M:%SZ)\n\
         echo '{{\"kind\": \"ExecCredential\", \"apiVersion\": \"client.authentication.k8s.io/v1\", \"status\": \
         {{\"token\": \"short-lived-'$number'\"{end}}}}}'\n",
        runs_file(sandbox).display()
    );
    let plugin = sandbox.program("short-lived-login", &script);
    sandbox.file("short-lived-kubeconfig", world.kubeconfig().exec(&plugin, &[]).to_string())
}

fn runs_file(sandbox: &Sandbox) -> PathBuf {
    sandbox.path().join("runs")
}

/// How often a plugin that writes down its runs was run.
pub(crate) fn runs(sandbox: &Sandbox) -> usize {
    fs::read_to_string(runs_file(sandbox)).unwrap_or_default().lines().count()
}

fn with<'a>(sandbox: &'a Sandbox, kubeconfig: &Path) -> Run<'a> {
    sandbox.env("KUBECONFIG", kubeconfig)
}

#[track_caller]
fn until(what: &str, holds: impl Fn() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < Duration::from_mins(1), "{what}: not after a minute");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// It did not notice, and the plugin was run again.
#[track_caller]
fn outlived(outcome: Outcome, sandbox: &Sandbox) -> Outcome {
    assert!(runs(sandbox) > 1, "{outcome}");
    assert!(!outcome.stderr.contains("Unauthorized"), "{outcome}");
    outcome
}

#[scenario]
fn waiting_for_copies_outlives_a_credential(world: &World, sandbox: &Sandbox) {
    let (runai, project) = (world.runai_namespace(), world.project("a"));
    world.create_secret(&runai, "hf", &[("token", "shared-value-of-the-source")]);
    let kubeconfig = short_lived(world, sandbox, Says::Server);
    let waiting = with(sandbox, &kubeconfig).spawn(["label", "hf", "--wait=2m", "--runai-namespace", &runai]);
    until("the plugin is run again", || runs(sandbox) > 1);
    runais_copy(world, &project, "shared-value-of-the-source");
    outlived(waiting.wait().success(), sandbox);
}

#[scenario]
fn watching_the_state_outlives_a_credential(world: &World, sandbox: &Sandbox) {
    let (shared, project) = (Shared::new(world), world.project("a"));
    let kubeconfig = short_lived(world, sandbox, Says::Server);
    let watching = with(sandbox, &kubeconfig).spawn(shared.run(&["status", "hf", "--watch"]));
    until("the plugin is run again", || runs(sandbox) > 1);
    runais_copy(world, &project, "shared-value-of-the-source");
    let looks = || world.calls().iter().filter(|call| call.contains("/secrets")).count();
    let so_far = looks();
    // The look that is under way, a whole one, and the beginning of a third: what the second saw is printed by then. A
    // request may be sent twice, since the credential ends again and again.
    let requests_of_a_look = 2 * 3;
    until("it looks again, and again", || looks() > so_far + 2 * requests_of_a_look);
    watching.interrupt();
    let outcome = outlived(watching.wait().fails_with(130), sandbox);
    assert!(outcome.stdout.trim_end().ends_with("copied"), "{outcome}");
}

#[scenario]
fn waiting_for_a_pod_outlives_a_credential(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("a");
    let kubeconfig = short_lived(world, sandbox, Says::Plugin);
    let words = ["submit", "train", "-i", "ubuntu", "--backoff-limit=0", "--wait=2m", "-n", &namespace];
    let waiting = with(sandbox, &kubeconfig).spawn(words);
    let pod = crate::submit_wait::pod(world, &namespace);
    until("the plugin is run again", || runs(sandbox) > 1);
    world.run_pod(&namespace, &pod, "Running", &json!({"running": {}}));
    outlived(waiting.wait().success(), sandbox);
}

#[scenario]
fn a_job_is_made_anew_although_the_credential_ends_between_its_two_halves(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("a");
    world.create_secret(&namespace, "s", &[("token", "t0ken-value")]);
    let job = create_job(world, &namespace, "train");
    let kubeconfig = short_lived(world, sandbox, Says::Server);
    let gate = world.hold(Fault::on("DELETE", "/jobs/").kept(), Hold::AfterForwarding);
    let words = ["attach", "s", "job/train", "--env", "TOKEN=token", "--recreate", "--yes", "-n", &namespace];
    let attaching = with(sandbox, &kubeconfig).spawn(words);
    assert!(gate.wait_reached(Duration::from_mins(1)));
    std::thread::sleep(LIFE);
    gate.release();
    outlived(attaching.wait().success(), sandbox);
    let now = world.get(&job_path(&namespace, "train")).unwrap();
    assert_ne!(now["metadata"]["uid"], job["metadata"]["uid"]);
}

#[scenario]
fn an_edit_outlives_a_credential(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("a");
    world.create_secret(&namespace, "s", &[("k", "old-value")]);
    let kubeconfig = short_lived(world, sandbox, Says::Plugin);
    let script = "#!/bin/sh\nsleep 4\nprintf new-value > \"$1\"\n";
    let editor = sandbox.program("slow-editor", script).display().to_string();
    let editing = with(sandbox, &kubeconfig).env("KUBE_EDITOR", editor);
    outlived(editing.run(["edit", "s", "k", "-n", &namespace]).success(), sandbox);
    assert_eq!(world.secret_value(&namespace, "s", "k").unwrap(), b"new-value");
}

#[scenario]
fn copies_for_two_hundred_projects_outlive_a_credential(world: &World, sandbox: &Sandbox) {
    let shared = Shared::new(world);
    for number in 0..200 {
        world.project(&format!("p{number}"));
    }
    let kubeconfig = short_lived(world, sandbox, Says::Server);
    world.fail(Fault::on("POST", "/secrets").for_ever().delay(Duration::from_millis(400)));
    let outcome = outlived(with(sandbox, &kubeconfig).run(shared.run(&["sync", "hf"])).success(), sandbox);
    assert_eq!(outcome.stdout.lines().count(), 200, "{outcome}");
    assert!(runs(sandbox) < 20, "requests at the same time share one run: {}", runs(sandbox));
}

#[test]
fn a_token_file_is_read_again_where_its_token_is_refused() {
    let world = world_with_namespace();
    world.short_lived_tokens(LIFE);
    world.create_secret("d", "s", &[("k", "old-value")]);
    let sandbox = Sandbox::new();
    let file = sandbox.file("token", "short-lived-1\n");
    let sandbox = sandbox.kubeconfig(&world.kubeconfig().user(json!({ "tokenFile": file })));
    let script =
        format!("#!/bin/sh\nsleep 4\necho short-lived-2 > '{}'\nprintf new > \"$1\"\n", file.display());
    let editor = sandbox.program("slow-editor", &script).display().to_string();
    sandbox.env("KUBE_EDITOR", &editor).run(["edit", "s", "k", "-nd"]).success();
    assert_eq!(world.secret_value("d", "s", "k").unwrap(), b"new");
    // Where it is the same as before, the request is not repeated.
    sandbox.file("token", "wrong");
    world.clear_log();
    let refused = sandbox.run(LOOK).fails_with(1);
    let message = "error: You must be logged in to the server (Unauthorized)\nhint: the token in ";
    assert!(refused.stderr.starts_with(message), "{refused}");
    assert!(refused.stderr.contains("/token is refused\n"), "{refused}");
    assert_eq!(world.requests().len(), 1);
}

#[test]
fn what_is_known_of_a_refused_credential_is_said() {
    let world = world_with_namespace();
    let refused = Sandbox::new().kubeconfig(&world.kubeconfig().token("wrong")).run(LOOK).fails_with(1);
    let message = "error: You must be logged in to the server (Unauthorized)\nhint: the token of the user \"test\" in the kubeconfig is refused";
    assert!(refused.stderr.starts_with(message), "{refused}");
    let refused = Sandbox::new().with(&world).run(LOOK.iter().chain(&["--token=wrong"])).fails_with(1);
    assert!(refused.stderr.contains("hint: the token of --token is refused"), "{refused}");
    // {"exp": 1000000000}
    let ended = "eyJhbGciOiJub25lIn0.eyJleHAiOjEwMDAwMDAwMDB9.c2ln";
    let refused = Sandbox::new().kubeconfig(&world.kubeconfig().token(ended)).run(LOOK).fails_with(1);
    assert!(refused.stderr.contains("in the kubeconfig expired at 2001-09-09T01:46:40Z\n"), "{refused}");
    refused.never_shows(ended.as_bytes());
    let nobody = world.kubeconfig().user(json!({}));
    let refused = Sandbox::new().kubeconfig(&nobody).run(LOOK).fails_with(1);
    assert!(refused.stderr.contains("the kubeconfig has none for the user \"test\""), "{refused}");
}
