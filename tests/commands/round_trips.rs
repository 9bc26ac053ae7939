//! Requests that do not depend on each other leave together: to a distant server each wait is a round trip.

use std::time::Duration;

use serde_json::json;
use support::{Fault, Gate, Hold, Running, Sandbox, World, scenario};

use crate::guide::answer;
use crate::other_kinds::{create_gizmo, describe_gizmos};
use crate::workloads::{create_deployment, env_from};

/// A generous limit for a request to come.
const LIMIT: Duration = Duration::from_mins(1);

/// Requests that leave together: for each a method, and a part of its path and query.
type Round<'a> = &'a [(&'a str, &'a str)];

/// The lists of all built-in kinds that refer to secrets.
const BUILT_IN: [(&str, &str); 9] = [
    ("GET", "/pods?"),
    ("GET", "/deployments?"),
    ("GET", "/statefulsets?"),
    ("GET", "/daemonsets?"),
    ("GET", "/replicasets?"),
    ("GET", "/jobs?"),
    ("GET", "/cronjobs?"),
    ("GET", "/serviceaccounts?"),
    ("GET", "/ingresses?"),
];

/// What says which kinds a cluster adds.
const DISCOVERY: (&str, &str) = ("GET", "/apis");

/// Starts a command, and answers each round of requests only when all of it have come: none of them waits for
/// the answer of another. Where the cluster is the test's own, no other request comes.
#[track_caller]
fn takes_rounds(world: &World, start: impl FnOnce() -> Running, rounds: &[Round<'_>]) {
    world.clear_log();
    let gate = |request: &(&str, &str), time: usize| {
        let on = Fault::on(request.0, request.1);
        let on = if *request == DISCOVERY { on.whole() } else { on };
        world.hold(on.nth(time), Hold::BeforeForwarding)
    };
    let gates: Vec<Vec<Gate>> = (0..rounds.len())
        .map(|at| {
            // The same request may come again in a later round.
            let before = |request| rounds[..at].iter().filter(|round| round.contains(request)).count();
            rounds[at].iter().map(|request| gate(request, before(request) + 1)).collect()
        })
        .collect();
    let run = start();
    for (round, gates) in rounds.iter().zip(&gates) {
        for (request, gate) in round.iter().zip(gates) {
            assert!(gate.wait_reached(LIMIT), "{request:?} waits for another: {:?}", world.lines());
        }
        gates.iter().for_each(Gate::release);
    }
    run.wait().success();
    if !world.is_real() {
        let all: usize = rounds.iter().map(|round| round.len()).sum();
        assert_eq!(world.requests().len(), all, "{:?}", world.lines());
    }
}

/// A namespace with the secret `hf`, and the deployment `web`, which has a variable of it.
fn prepared(world: &World) -> String {
    let namespace = world.project("a").namespace;
    world.create_secret(&namespace, "hf", &[("token", "v4lue"), ("user", "jane")]);
    create_deployment(world, &namespace, "web");
    let path = format!("/apis/apps/v1/namespaces/{namespace}/deployments/web");
    let container = json!({"name": "main", "image": "x", "env": env_from("TOKEN", "hf", "token")});
    world.patch(&path, &json!({"spec": {"template": {"spec": {"containers": [container]}}}}));
    namespace
}

#[scenario]
fn attach_reads_at_once_and_then_writes_at_once(world: &World, sandbox: &Sandbox) {
    let namespace = prepared(world);
    let attach = || sandbox.spawn(["attach", "hf", "deploy/web", "--env", "NEW=user", "-n", &namespace]);
    let reads = [("GET", "/secrets/hf"), ("GET", "/deployments/web")];
    takes_rounds(world, attach, &[&reads, &[("PUT", "/deployments/web")]]);
}

/// An SSH key, of which its type says how it is used.
fn create_ssh_key(world: &World, namespace: &str) {
    let data = json!({"ssh-privatekey": "k3y"});
    let secret = json!({"metadata": {"name": "key"}, "type": "kubernetes.io/ssh-auth", "stringData": data});
    world.create(&format!("/api/v1/namespaces/{namespace}/secrets"), &secret);
}

#[scenario]
fn a_secret_that_says_how_it_is_used_is_read_once(world: &World, sandbox: &Sandbox) {
    let namespace = prepared(world);
    create_ssh_key(world, &namespace);
    let attach = || sandbox.spawn(["attach", "key", "deploy/web", "-n", &namespace]);
    let reads = [("GET", "/secrets/key"), ("GET", "/deployments/web")];
    takes_rounds(world, attach, &[&reads, &[("PUT", "/deployments/web")]]);
    let words = ["submit", "train", "-i", "x", "--secret", "key", "-n", &namespace, "--", "true"];
    takes_rounds(world, || sandbox.spawn(words), &[&[("GET", "/secrets/key")], &[("POST", "/jobs")]]);
}

#[scenario]
fn unset_looks_at_the_secret_then_for_all_who_use_it_and_then_writes(world: &World, sandbox: &Sandbox) {
    let namespace = prepared(world);
    let unset = || sandbox.spawn(["unset", "hf", "user", "-n", &namespace]);
    let first = [("GET", "/secrets/hf"), DISCOVERY];
    takes_rounds(world, unset, &[&first, &BUILT_IN, &[("PATCH", "/secrets/hf")]]);
}

#[scenario]
fn submit_reads_and_then_writes(world: &World, sandbox: &Sandbox) {
    let namespace = prepared(world);
    let words = ["submit", "train", "-i", "x", "-e", "A=SECRET:hf,token", "-n", &namespace, "--", "true"];
    takes_rounds(world, || sandbox.spawn(words), &[&[("GET", "/secrets/hf")], &[("POST", "/jobs")]]);
}

#[scenario]
fn set_looks_for_who_uses_the_secret_while_it_writes(world: &World, sandbox: &Sandbox) {
    let namespace = prepared(world);
    let set = || sandbox.spawn(["set", "hf", "--generate=token", "-n", &namespace]);
    let write = [&[("PATCH", "/secrets/hf")], &BUILT_IN[..]].concat();
    takes_rounds(world, set, &[&[("GET", "/secrets/hf"), DISCOVERY], &write]);
}

#[scenario]
fn set_that_says_nothing_reads_and_writes(world: &World, sandbox: &Sandbox) {
    let namespace = prepared(world);
    let set = || sandbox.spawn(["set", "hf", "--generate=token", "-q", "-n", &namespace]);
    takes_rounds(world, set, &[&[("GET", "/secrets/hf")], &[("PATCH", "/secrets/hf")]]);
}

#[scenario]
fn set_in_two_projects_finds_both_reads_both_and_then_writes_both(world: &World, sandbox: &Sandbox) {
    let (one, two) = (world.project("one"), world.project("two"));
    let secret = [&one, &two].map(|project| format!("/namespaces/{}/secrets/hf", project.namespace));
    for project in [&one, &two] {
        world.create_secret(&project.namespace, "hf", &[("token", "v4lue")]);
    }
    let words = ["set", "hf", "--generate=token", "-q", "-p", &one.name, "-p", &two.name];
    let find = [("GET", one.name.as_str()), ("GET", &two.name)];
    let read = [("GET", secret[0].as_str()), ("GET", &secret[1])];
    let write = [("PATCH", secret[0].as_str()), ("PATCH", &secret[1])];
    takes_rounds(world, || sandbox.spawn(words), &[&find, &read, &write]);
}

#[scenario]
fn usage_asks_everything_at_once(world: &World, sandbox: &Sandbox) {
    let namespace = prepared(world);
    let all = [&[("GET", "/secrets/hf"), DISCOVERY], &BUILT_IN[..]].concat();
    takes_rounds(world, || sandbox.spawn(["usage", "hf", "-n", &namespace]), &[&all]);
}

#[scenario]
fn what_describes_kinds_is_asked_together_with_their_objects(world: &World, sandbox: &Sandbox) {
    describe_gizmos(world);
    let namespace = prepared(world);
    let first = [&[("GET", "/secrets/hf"), DISCOVERY], &BUILT_IN[..]].concat();
    let rounds: [Round<'_>; 2] = [&first, &[("GET", "/kartas?"), ("GET", "/gizmos?")]];
    takes_rounds(world, || sandbox.spawn(["usage", "hf", "-n", &namespace]), &rounds);
}

/// The lists of the built-in kinds whose objects have a place for attachments, or objects of them by name.
const WORKLOADS: [&str; 7] =
    ["/pods", "/deployments", "/statefulsets", "/daemonsets", "/replicasets", "/jobs", "/cronjobs"];

/// Starts something, and lets these requests through only when all of them have come.
fn come_together<T>(world: &World, paths: impl Iterator<Item = String>, start: impl FnOnce() -> T) -> T {
    let gate = |path: String| world.hold(Fault::on("GET", &path), Hold::BeforeForwarding);
    let gates: Vec<Gate> = paths.map(gate).collect();
    let started = start();
    for gate in &gates {
        assert!(gate.wait_reached(LIMIT), "one waits for another: {:?}", world.lines());
    }
    gates.iter().for_each(Gate::release);
    started
}

#[scenario]
fn a_name_alone_is_looked_for_in_known_kinds_while_kartas_are_read(world: &World, sandbox: &Sandbox) {
    describe_gizmos(world);
    let namespace = prepared(world);
    let paths = WORKLOADS.iter().map(|kind| format!("{kind}/web")).chain(["/kartas?".to_owned()]);
    let words = ["attach", "hf", "web", "--env", "NEW=user", "-n", &namespace];
    let attached = come_together(world, paths, || sandbox.spawn(words)).wait().success();
    assert!(attached.stdout.starts_with("deployment.apps/web updated\n"), "{attached}");
}

#[scenario]
fn who_is_led_waits_for_lists_of_known_kinds_and_of_kartas_at_once(world: &World, sandbox: &Sandbox) {
    describe_gizmos(world);
    let namespace = prepared(world);
    create_gizmo(world, &namespace, "g");
    for words in [&["attach", "hf", "--env", "user"][..], &["detach", "hf"]] {
        let paths = WORKLOADS.iter().map(|kind| format!("{kind}?")).chain(["/kartas?".to_owned()]);
        let words = words.iter().copied().chain(["-n", &namespace]);
        let mut session = come_together(world, paths, || sandbox.in_terminal(words));
        answer(&mut session, "Workload", "deployment/web");
        session.expect("Change deployment.apps/web?");
        session.send("y");
        let (code, shown) = session.wait();
        assert_eq!(code, 0, "{shown}");
    }
}

#[scenario]
fn check_asks_everything_at_once(world: &World, sandbox: &Sandbox) {
    let namespace = prepared(world);
    let runai = world.runai_namespace();
    let of_runai = format!("/{runai}/secrets?");
    let own = format!("/{namespace}/secrets?");
    let rest =
        [("GET", own.as_str()), ("GET", &of_runai), ("GET", "/namespaces?"), ("GET", "/version"), DISCOVERY];
    let all = [&rest, &BUILT_IN[..]].concat();
    let check = || sandbox.spawn(["check", "-n", &namespace, "--runai-namespace", &runai]);
    takes_rounds(world, check, &[&all]);
}

#[scenario]
fn check_of_a_workload_reads_it_and_then_its_secrets(world: &World, sandbox: &Sandbox) {
    let namespace = prepared(world);
    let first = [
        ("GET", "/deployments/web"),
        ("GET", "/replicasets?"),
        ("GET", "/jobs?"),
        ("GET", "/pods?"),
        ("GET", "/version"),
    ];
    let check = || sandbox.spawn(["check", "deploy/web", "-n", &namespace]);
    takes_rounds(world, check, &[&first, &[("GET", "/secrets/hf")]]);
}

#[scenario]
fn status_asks_everything_at_once(world: &World, sandbox: &Sandbox) {
    let runai = world.runai_namespace();
    world.create_secret(&runai, "hf", &[("token", "v4lue")]);
    sandbox.run(["label", "hf", "--runai-namespace", &runai, "-y"]).success();
    let status = || sandbox.spawn(["status", "hf", "--runai-namespace", &runai]);
    let all = [("GET", "/secrets/hf"), ("GET", "/namespaces?"), ("GET", "/secrets?")];
    takes_rounds(world, status, &[&all]);
}

#[scenario]
fn label_reads_at_once_and_then_writes(world: &World, sandbox: &Sandbox) {
    let runai = world.runai_namespace();
    world.create_secret(&runai, "hf", &[("token", "v4lue")]);
    let label = || sandbox.spawn(["label", "hf", "--runai-namespace", &runai, "-y"]);
    let reads = [("GET", "/namespaces?"), ("GET", "/secrets?")];
    takes_rounds(world, label, &[&reads, &[("PATCH", "/secrets/hf")]]);
}

#[scenario]
fn delete_looks_at_the_secret_then_for_all_who_use_it_and_then_deletes(world: &World, sandbox: &Sandbox) {
    let namespace = prepared(world);
    world.create_secret(&namespace, "old", &[("token", "v4lue")]);
    let delete = || sandbox.spawn(["delete", "old", "-n", &namespace, "-y"]);
    let first = [("GET", "/secrets/old"), DISCOVERY];
    takes_rounds(world, delete, &[&first, &BUILT_IN, &[("DELETE", "/secrets/old")]]);
}

#[scenario]
fn rename_reads_at_once_and_looks_again_before_it_deletes(world: &World, sandbox: &Sandbox) {
    let namespace = world.project("a").namespace;
    world.create_secret(&namespace, "hf", &[("token", "v4lue")]);
    let account = json!({"metadata": {"name": "robot"}, "imagePullSecrets": [{"name": "hf"}]});
    world.create(&format!("/api/v1/namespaces/{namespace}/serviceaccounts"), &account);
    let rename = || sandbox.spawn(["rename", "hf", "uno", "-n", &namespace, "-y"]);
    let first = [&[("GET", "/secrets/hf"), ("GET", "/secrets/uno"), DISCOVERY], &BUILT_IN[..]].concat();
    let robot = |method: &'static str| [(method, "/serviceaccounts/robot")];
    let rounds: [Round<'_>; 6] = [
        &first,
        &robot("GET"),
        &[("POST", "/secrets")],
        &robot("PUT"),
        &BUILT_IN,
        &[("DELETE", "/secrets/hf")],
    ];
    takes_rounds(world, rename, &rounds);
}

#[scenario]
fn many_requests_are_under_way_where_they_share_a_connection_and_few_where_not(
    world: &World,
    sandbox: &Sandbox,
) {
    // Who may not list all secrets at once reads those of the projects one by one.
    let runai = world.runai_namespace();
    world.create_secret(&runai, "hf", &[("token", "v4lue")]);
    sandbox.run(["label", "hf", "--runai-namespace", &runai, "-y"]).success();
    let user = world.user("reader");
    let rules = json!([{"apiGroups": [""], "resources": ["namespaces"], "verbs": ["list"]}]);
    world.grant(&user, None, &rules);
    for number in 0..40 {
        let namespace = world.project(&format!("p{number}")).namespace;
        world.create_secret(&namespace, "hf", &[("token", "v4lue")]);
    }
    let status = ["status", "hf", "--runai-namespace", &runai, "--token", &user.token];
    let in_projects = || Fault::on("GET", "runai-p");
    for (disable_http2, most) in [("", 40), ("1", 16)] {
        world.clear_log();
        // A request that comes to both waits at the first of them.
        let last = world.hold(in_projects().nth(most), Hold::BeforeForwarding);
        let all = world.hold(in_projects().times(40), Hold::BeforeForwarding);
        let run = sandbox.env("DISABLE_HTTP2", disable_http2).spawn(status);
        assert!(last.wait_reached(LIMIT), "{most} are under way at once: {}", world.requests().len());
        drop((all, last));
        drop(run.wait());
        let seen = world.requests().iter().map(|request| request.in_flight).max().unwrap();
        assert_eq!(seen, most, "with DISABLE_HTTP2={disable_http2}");
    }
}

/// More than one answer has besides, also where other tests have their objects in the same cluster.
const LARGE: usize = 900_000;

/// A secret with a value that takes seconds over a slow link, and another that is used.
fn with_a_large_value(world: &World) -> (String, String) {
    let namespace = prepared(world);
    let runai = world.runai_namespace();
    let value = "v".repeat(LARGE);
    for at in [&namespace, &runai] {
        world.create_secret(at, "large", &[("token", &value)]);
    }
    (namespace, runai)
}

/// Runs a command that gets no answer of the size of the large value.
#[track_caller]
fn reads_little(world: &World, sandbox: &Sandbox, words: &str) {
    world.clear_log();
    sandbox.run(words.split(' ')).success();
    let requests = world.requests();
    assert!(!requests.is_empty(), "{words}");
    let largest = requests.iter().map(|request| request.answer_size).max().unwrap_or_default();
    assert!(largest < LARGE, "{words} reads {largest} bytes at once: {:?}", world.lines());
}

#[scenario]
fn who_needs_no_values_reads_none(world: &World, sandbox: &Sandbox) {
    let (namespace, runai) = with_a_large_value(world);
    for words in [
        "list -n NS",
        "list -n NS -o name",
        "list -n NS -o wide",
        "list -n NS -o json",
        "create new --from-literal=a=b -n NS",
        "usage -n NS",
        "usage --unused -n NS",
        "usage large -n NS",
        "usage deploy/web -n NS",
        "restart large --all --no-wait -y -n NS",
        "detach large deploy/web -n NS",
        "attach hf deploy/web --env NEW=user -n NS",
        "label large --runai-namespace RUNAI -y",
        "label large --remove --runai-namespace RUNAI -y --force",
        "delete large -n NS -y --force",
    ] {
        reads_little(world, sandbox, &words.replace("RUNAI", &runai).replace("NS", &namespace));
    }
}

#[scenario]
fn who_needs_one_value_reads_no_other(world: &World, sandbox: &Sandbox) {
    let (namespace, _) = with_a_large_value(world);
    for words in [
        "view hf -n NS",
        "set hf -n NS --generate=token",
        "unset hf user -n NS",
        "check deploy/web -n NS",
        "submit train -i x -e A=SECRET:hf,token -n NS -- true",
    ] {
        reads_little(world, sandbox, &words.replace("NS", &namespace));
    }
}
