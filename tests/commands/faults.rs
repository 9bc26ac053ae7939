//! What goes wrong between the plugin and the API server: each fault ends in time, with the right words, the right
//! exit code and a hint, and with nothing half done.

use std::time::{Duration, Instant};

use support::{Fault, On, Outcome, Sandbox, World, scenario};

use crate::workloads::create_deployment;

/// What the user reads for an answer of the server's.
const ANSWERS: [(u16, &str); 6] = [
    (403, "Error from server (Forbidden): "),
    (404, "Error from server (NotFound): "),
    (409, "Error from server (Conflict): "),
    (422, "is invalid"),
    (500, "Error from server (InternalError): "),
    (503, "Error from server (ServiceUnavailable): "),
];

/// What waits for longer waits for the end of one of the plugin's own time limits, which are 30 s for a request and for all
/// pauses between its tries. Without such a wait a command takes a moment, on a busy machine some seconds.
const IN_TIME: Duration = Duration::from_secs(20);

/// The commands that write, each with its one real write.
fn commands(namespace: &str, runai: &str) -> Vec<(Vec<String>, On)> {
    let words = |line: &str| line.split(' ').map(str::to_owned).collect::<Vec<_>>();
    vec![
        (
            words(&format!("create new --from-literal=k=c4nary-value -n {namespace}")),
            Fault::on("POST", "/secrets"),
        ),
        (words(&format!("label shared --runai-namespace {runai}")), Fault::on("PATCH", "/secrets/shared")),
        // The first PUT is a dry run, which may be repeated.
        (
            words(&format!("attach s deploy/web --env token -n {namespace}")),
            Fault::on("PUT", "/deployments/web").kept(),
        ),
        (
            words(&format!("submit train -i ubuntu -e T=SECRET:s,token -n {namespace}")),
            Fault::on("POST", "/jobs"),
        ),
    ]
}

fn prepared(world: &World) -> (String, String) {
    let (namespace, runai) = (world.namespace("a"), world.runai_namespace());
    world.create_secret(&namespace, "s", &[("token", "c4nary-value")]);
    world.create_secret(&runai, "shared", &[("k", "c4nary-value")]);
    create_deployment(world, &namespace, "web");
    (namespace, runai)
}

/// Everything a test here could have changed.
fn state(world: &World, namespace: &str, runai: &str) -> Vec<String> {
    let secrets = [namespace, runai].map(|namespace| format!("/api/v1/namespaces/{namespace}/secrets"));
    let workloads = [
        format!("/apis/batch/v1/namespaces/{namespace}/jobs"),
        format!("/apis/apps/v1/namespaces/{namespace}/deployments"),
    ];
    let objects = secrets.iter().chain(&workloads).flat_map(|path| world.list(path));
    // The deployment's controller writes its status and an annotation, whenever it gets to it.
    objects
        .map(|object| format!("{}{}{}", object["metadata"]["labels"], object["data"], object["spec"]))
        .collect()
}

/// How many requests were to change something.
fn real_writes(world: &World) -> usize {
    world.writes().iter().filter(|write| !write.is_dry_run()).count()
}

#[track_caller]
fn ends_well(outcome: &Outcome, took: Duration) {
    assert!(outcome.stderr.contains("\nhint: "), "a hint is missing: {outcome}");
    assert!(took < IN_TIME, "it took {took:?}: {outcome}");
    for technical in ["panicked", "kube::", "hyper", "Error(", "Status {", "os error"] {
        assert!(!outcome.stderr.contains(technical), "{technical:?} is no word for a user: {outcome}");
    }
    outcome.never_shows(b"c4nary-value");
}

#[scenario]
fn each_answer_to_each_write_is_said_in_kubectls_words(world: &World, sandbox: &Sandbox) {
    let (namespace, runai) = prepared(world);
    let before = state(world, &namespace, &runai);
    for (words, write) in commands(&namespace, &runai) {
        for (code, message) in ANSWERS {
            world.fail(write.clone().for_ever().answer(code));
            let start = Instant::now();
            let outcome = sandbox.run(&words).fails_with(1);
            world.clear_faults();
            // Of a creation, 409 says that the name is taken.
            let creates = ["create", "submit"].contains(&words[0].as_str());
            let message =
                if creates && code == 409 { "Error from server (AlreadyExists): " } else { message };
            assert!(outcome.stderr.contains(message), "{code}: {message:?} is missing in {outcome}");
            ends_well(&outcome, start.elapsed());
            assert_eq!(state(world, &namespace, &runai), before, "nothing is half done after {code}");
        }
    }
}

#[scenario]
fn a_read_that_fails_is_said_too(world: &World, sandbox: &Sandbox) {
    let (namespace, runai) = prepared(world);
    let before = state(world, &namespace, &runai);
    for (words, _) in commands(&namespace, &runai).into_iter().skip(1) {
        for code in [500, 503] {
            world.fail(Fault::on("GET", "/").for_ever().answer(code));
            let start = Instant::now();
            let outcome = sandbox.run(&words).fails_with(1);
            world.clear_faults();
            ends_well(&outcome, start.elapsed());
        }
    }
    assert_eq!(state(world, &namespace, &runai), before);
}

#[scenario]
fn a_busy_server_is_asked_again_when_it_says(world: &World, sandbox: &Sandbox) {
    let (namespace, runai) = prepared(world);
    for (words, write) in commands(&namespace, &runai) {
        world.fail(write.clone().answer_after(429, 1));
        let start = Instant::now();
        sandbox.run(&words).success();
        assert!(start.elapsed() >= Duration::from_secs(1), "Retry-After was not obeyed");
    }
}

#[scenario]
fn a_server_that_stays_busy_is_given_up(world: &World, sandbox: &Sandbox) {
    let (namespace, runai) = prepared(world);
    let (words, write) = commands(&namespace, &runai).remove(0);
    world.fail(write.clone().for_ever().answer_after(429, 1));
    let start = Instant::now();
    let outcome = sandbox.run(&words).fails_with(1);
    assert!(outcome.stderr.contains("Error from server (TooManyRequests): "), "{outcome}");
    ends_well(&outcome, start.elapsed());
    assert_eq!(world.writes().len(), 5, "five tries");

    world.clear_faults();
    world.fail(write.clone().for_ever().answer_after(429, 3600));
    let start = Instant::now();
    let outcome = sandbox.run(&words).fails_with(1);
    ends_well(&outcome, start.elapsed());
}

#[scenario]
fn a_write_that_may_have_happened_is_never_sent_again(world: &World, sandbox: &Sandbox) {
    let (namespace, runai) = prepared(world);
    for (words, write) in commands(&namespace, &runai) {
        for code in [500, 502, 503, 504] {
            world.clear_log();
            world.fail(write.clone().for_ever().answer(code));
            sandbox.run(&words).fails_with(1);
            world.clear_faults();
            assert_eq!(real_writes(world), 1, "{code}: {:?}", world.lines());
        }
    }
}

#[scenario]
fn a_connection_that_breaks_is_said_and_what_may_have_happened(world: &World, sandbox: &Sandbox) {
    let (namespace, runai) = prepared(world);
    for (words, write) in commands(&namespace, &runai) {
        for fault in [
            write.clone().for_ever().drop_before_forwarding(),
            write.clone().for_ever().drop_after_forwarding(),
            write.clone().for_ever().cut_the_answer(),
        ] {
            world.clear_log();
            world.fail(fault);
            let start = Instant::now();
            let outcome = sandbox.run(&words).fails_with(1);
            world.clear_faults();
            ends_well(&outcome, start.elapsed());
            assert!(outcome.stderr.contains("not known whether the server did it"), "{outcome}");
            assert_eq!(real_writes(world), 1, "{:?}", world.lines());
            undo(world, &namespace, &runai);
        }
    }
}

#[scenario]
fn a_read_whose_connection_breaks_is_repeated(world: &World, sandbox: &Sandbox) {
    let (namespace, runai) = prepared(world);
    for (words, _) in commands(&namespace, &runai).into_iter().skip(1) {
        world.fail(Fault::on("GET", "/").drop_before_forwarding());
        sandbox.run(&words).success();
    }
}

#[scenario]
fn a_server_that_never_answers_is_given_up_in_time(world: &World, sandbox: &Sandbox) {
    let (namespace, runai) = prepared(world);
    for (words, write) in commands(&namespace, &runai) {
        world.fail(write.clone().for_ever().hang());
        let start = Instant::now();
        let limit = ["--request-timeout=1s".to_owned()];
        let outcome = sandbox.run(words.iter().chain(&limit)).fails_with(1);
        world.clear_faults();
        assert!(outcome.stderr.contains("did not answer within 1 s"), "{outcome}");
        ends_well(&outcome, start.elapsed());
    }
}

#[scenario]
fn a_page_of_html_is_not_repeated(world: &World, sandbox: &Sandbox) {
    let (namespace, runai) = prepared(world);
    let (words, write) = commands(&namespace, &runai).remove(0);
    world.fail(write.clone().html(502));
    let outcome = sandbox.run(&words).fails_with(1);
    assert!(!outcome.stderr.contains('<'), "{outcome}");
    assert!(outcome.stderr.contains("502"), "{outcome}");
}

/// Takes back what a write did whose answer was lost.
fn undo(world: &World, namespace: &str, runai: &str) {
    let paths = [
        format!("/api/v1/namespaces/{namespace}/secrets/new"),
        format!("/apis/batch/v1/namespaces/{namespace}/jobs/train"),
    ];
    for path in paths {
        if world.get(&path).is_some() {
            world.delete(&path);
        }
        let start = Instant::now();
        while world.get(&path).is_some() {
            assert!(start.elapsed() < Duration::from_mins(1), "{path} does not go");
            std::thread::sleep(Duration::from_millis(10));
        }
    }
    let labels = serde_json::json!({ "metadata": { "labels": null } });
    world.patch(&format!("/api/v1/namespaces/{runai}/secrets/shared"), &labels);
    let path = format!("/apis/apps/v1/namespaces/{namespace}/deployments/web");
    if world.get(&path).is_some() {
        world.delete(&path);
    }
    create_deployment(world, namespace, "web");
}

#[test]
fn a_refused_connection_is_said_in_kubectls_words() {
    let world = World::in_process();
    // A port that nobody listens on, and that the system gives to none of the other tests.
    let kubeconfig = world.kubeconfig().server("https://127.0.0.1:1");
    let sandbox = Sandbox::new().kubeconfig(&kubeconfig);
    let start = Instant::now();
    let refused = sandbox.run(["create", "s", "--from-literal=k=c4nary-value"]).fails_with(1);
    let words =
        "The connection to the server 127.0.0.1:1 was refused - did you specify the right host or port?\n";
    assert!(refused.stderr.starts_with(words), "{refused}");
    ends_well(&refused, start.elapsed());
    assert!(
        start.elapsed() < Duration::from_secs(10),
        "it did not wait for as long as a connection may take"
    );
}

#[test]
fn an_unknown_host_is_said_in_kubectls_words() {
    let world = World::in_process();
    let sandbox = Sandbox::new().kubeconfig(&world.kubeconfig().server("https://no-such-host.invalid:6443"));
    // Where the machine has no name server that answers, glibc tries for longer than a connection may take.
    let sandbox = sandbox.with_env("RES_OPTIONS", "timeout:1 attempts:1");
    let refused = sandbox.run(["create", "s", "--from-literal=k=c4nary-value"]).fails_with(1);
    assert!(
        refused.stderr.starts_with("Unable to connect to the server: dial tcp: lookup no-such-host.invalid"),
        "{refused}"
    );
}
