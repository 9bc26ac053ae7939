//! `set` and `unset`.

use serde_json::{Value, json};
use support::{Fault, Sandbox, World, scenario};

use crate::view;
use crate::workloads::{DEPLOYMENTS, create_deployment, pod_template};

const OLD: &str = "old-v4lue-of-a-secret";
const NEW: &str = "new-v4lue-of-a-secret";

fn value(world: &World, namespace: &str, key: &str) -> Option<String> {
    world.secret_value(namespace, "s", key).map(|bytes| String::from_utf8(bytes).unwrap())
}

fn path(namespace: &str) -> String {
    format!("/api/v1/namespaces/{namespace}/secrets/s")
}

/// A workload of a kind of the group `apps` with this pod spec on top of the usual one.
pub(crate) fn create_workload(
    world: &World,
    namespace: &str,
    plural: &str,
    name: &str,
    change: impl Fn(&mut Value),
) {
    let mut template = pod_template("Always");
    change(&mut template["spec"]);
    let mut spec = json!({"selector": {"matchLabels": {"app": "test"}}, "template": template});
    if plural == "statefulsets" {
        spec["serviceName"] = "s".into();
    }
    let object = json!({"metadata": {"name": name}, "spec": spec});
    world.create(&format!("/{DEPLOYMENTS}/namespaces/{namespace}/{plural}"), &object);
}

pub(crate) fn with_variable(key: &'static str) -> impl Fn(&mut Value) {
    move |spec| {
        let source = json!({"secretKeyRef": {"name": "s", "key": key}});
        spec["containers"][0]["env"] = json!([{"name": "V", "valueFrom": source}]);
    }
}

pub(crate) fn with_files(sub_path: &'static str) -> impl Fn(&mut Value) {
    move |spec| {
        let mut mount = json!({"name": "v", "mountPath": "/etc/s"});
        if !sub_path.is_empty() {
            mount["subPath"] = sub_path.into();
        }
        spec["containers"][0]["volumeMounts"] = json!([mount]);
        spec["volumes"] = json!([{"name": "v", "secret": {"secretName": "s"}}]);
    }
}

fn restarted_at(world: &World, namespace: &str, plural: &str, name: &str) -> Option<String> {
    let object = world.get(&format!("/{DEPLOYMENTS}/namespaces/{namespace}/{plural}/{name}")).unwrap();
    let annotations = &object["spec"]["template"]["metadata"]["annotations"];
    annotations["kubectl.kubernetes.io/restartedAt"].as_str().map(str::to_owned)
}

#[scenario]
fn one_key_changes_and_all_else_stays(world: &World, sandbox: &Sandbox) {
    let project = world.project("team-a");
    let namespace = &project.namespace;
    world.create_secret(namespace, "s", &[("a", OLD), ("b", OLD)]);
    let applied = json!({"data": {"a": OLD}}).to_string();
    let annotations = json!({"note": "kept", "kubectl.kubernetes.io/last-applied-configuration": applied});
    world
        .patch(&path(namespace), &json!({"metadata": {"labels": {"team": "a"}, "annotations": annotations}}));
    world.clear_log();
    let set = sandbox.stdin(NEW).run(["set", "s", "a", "-q", "-p", &project.name]).success();
    set.never_shows(NEW.as_bytes());
    assert_eq!(world.requests().len(), 3, "the project, the secret and the patch: {:?}", world.lines());
    assert_eq!(
        (value(world, namespace, "a"), value(world, namespace, "b")),
        (Some(NEW.into()), Some(OLD.into()))
    );
    let mut metadata = world.get(&path(namespace)).unwrap()["metadata"].clone();
    let record = metadata["annotations"].as_object_mut().unwrap().remove("kubectl-runai-secret/changed");
    assert!(record.is_some_and(|record| !record.to_string().contains(NEW)), "names and times alone");
    assert_eq!(metadata["labels"], json!({"team": "a"}));
    assert_eq!(metadata["annotations"], json!({"note": "kept"}));
    let set = sandbox
        .run(["set", "s", "--from-literal=c=", "--allow-empty-values", "--generate=d=9", "-p", &project.name])
        .success();
    assert_eq!(set.stdout, "secret/s updated\n");
    assert!(set.stderr.contains("note: added c and d\n"), "{set}");
    assert_eq!(value(world, namespace, "d").unwrap().len(), 9);
}

#[scenario]
fn a_secret_that_is_not_there_is_created_and_that_is_said(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("ns");
    let line = ["set", "s", "a", "-n", &namespace];
    let dry = sandbox.stdin(NEW).run(line.iter().chain(&["--dry-run=client"])).success();
    assert_eq!((dry.stdout.as_str(), value(world, &namespace, "a")), ("secret/s created (dry run)\n", None));
    sandbox.stdin(NEW).run(line.iter().chain(&["--dry-run=server"])).success();
    assert_eq!(value(world, &namespace, "a"), None);
    let set = sandbox.stdin(NEW).run(line).success();
    assert_eq!(set.stdout, "secret/s created\n");
    assert!(set.stderr.contains(&format!("note: there was no secret s in {namespace}")), "{set}");
    assert_eq!(value(world, &namespace, "a").as_deref(), Some(NEW));
    let json = sandbox.stdin(OLD).run(["set", "s", "a", "-o", "json", "-n", &namespace]).success();
    json.never_shows(OLD.as_bytes());
    assert_eq!(json.json()["metadata"]["name"], "s");
}

#[scenario]
fn any_bytes_survive_set_and_view(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("ns");
    let bytes: Vec<u8> = (0..=255).chain([b'\n']).collect();
    sandbox.stdin(bytes.clone()).run(["set", "s", "a", "-q", "-n", &namespace]).success();
    assert_eq!(world.secret_value(&namespace, "s", "a").as_deref(), Some(bytes.as_slice()));
    sandbox.run(["view", "s", "a", "--reveal", "--export-file=out", "-n", &namespace]).success();
    assert_eq!(std::fs::read(sandbox.path().join("out")).unwrap(), bytes);
}

#[scenario]
fn a_value_is_asked_for_on_a_terminal(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("ns");
    world.create_secret(&namespace, "s", &[("a", OLD)]);
    let mut session = sandbox.in_terminal(["set", "s", "a", "b", "-n", &namespace]);
    for key in ["a", "b"] {
        session.expect(&format!("Value of {key}"));
        session.send_line(NEW);
        session.expect("Once more");
        session.send_line(NEW);
    }
    let (code, shown) = session.wait();
    assert!(code == 0 && !shown.contains(NEW), "{shown}");
    assert_eq!(
        (value(world, &namespace, "a"), value(world, &namespace, "b")),
        (Some(NEW.into()), Some(NEW.into()))
    );
    let mut session = sandbox.in_terminal(["set", "s", "a", "-n", &namespace]);
    session.expect("Value of a");
    session.interrupt();
    assert_eq!(session.wait().0, 130);
}

#[scenario]
fn nothing_to_set_is_a_mistake(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("ns");
    for words in
        [&["set", "s"][..], &["set", "s", "a"], &["set", "s", "a", "b"], &["set", "s", "a=v"], &["set"]]
    {
        sandbox.run(words.iter().chain(&["-n", &namespace])).fails_with(2);
    }
    assert_eq!(value(world, &namespace, "a"), None);
}

#[scenario]
fn what_nobody_can_change_and_what_would_be_undone_is_refused(world: &World, sandbox: &Sandbox) {
    let (namespace, runai) = (world.namespace("ns"), world.runai_namespace());
    let line = ["--runai-namespace", &runai, "-n", &namespace];
    world.create_secret(&namespace, "s", &[("a", OLD)]);
    world.create_secret(&runai, "s", &[("a", OLD)]);
    let marks = json!({"labels": {"kubectl-runai-secret/copy": "true"}, "annotations": {"kubectl-runai-secret/copy-of": format!("{runai}/s")}});
    world.patch(&path(&namespace), &json!({"metadata": marks}));
    for words in [&["set", "s", "--from-literal=a=x"][..], &["unset", "s", "a", "-y"]] {
        let refused = sandbox.run(words.iter().chain(&line)).fails_with(1);
        assert!(refused.stderr.contains(&format!("is a copy of {runai}/s")), "{refused}");
        assert!(
            refused.stderr.contains(&format!("kubectl runai-secret {} s … -n {runai}", words[0])),
            "{refused}"
        );
    }
    world.patch(&path(&namespace), &json!({"immutable": true, "metadata": {"labels": null}}));
    for words in [&["set", "s", "--from-literal=a=x"][..], &["unset", "s", "a", "-y"]] {
        let refused = sandbox.run(words.iter().chain(&line)).fails_with(1);
        assert!(refused.stderr.contains("is immutable: nobody can change it"), "{refused}");
    }
    assert_eq!(value(world, &namespace, "a").as_deref(), Some(OLD));
}

#[scenario]
fn two_who_set_at_once_lose_nothing(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("ns");
    world.create_secret(&namespace, "s", &[]);
    for round in 0..100 {
        let text = format!("value-{round}");
        let running = ["a", "b"]
            .map(|key| sandbox.stdin(text.as_str()).spawn(["set", "s", key, "-q", "-n", &namespace]));
        for one in running {
            one.wait().success();
        }
        for key in ["a", "b"] {
            assert_eq!(value(world, &namespace, key).as_ref(), Some(&text), "{key}");
        }
    }
}

#[scenario]
fn a_change_in_between_is_seen_and_nothing_of_it_is_lost(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("ns");
    world.create_secret(&namespace, "s", &[("a", OLD)]);
    let gate = world.hold(Fault::on("PATCH", "/secrets/s"), support::Hold::BeforeForwarding);
    let running = sandbox.stdin(NEW).spawn(["set", "s", "a", "-q", "-n", &namespace]);
    assert!(gate.wait_reached(std::time::Duration::from_mins(1)));
    world.patch(&path(&namespace), &json!({"stringData": {"b": OLD}}));
    gate.release();
    running.wait().success();
    assert_eq!(
        (value(world, &namespace, "a"), value(world, &namespace, "b")),
        (Some(NEW.into()), Some(OLD.into()))
    );
    assert_eq!(world.writes().len(), 2, "the first was refused: {:?}", world.lines());
}

#[scenario]
fn who_sees_it_and_who_has_to_restart_is_told(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("ns");
    world.create_secret(&namespace, "s", &[("a", OLD), ("b", OLD)]);
    create_workload(world, &namespace, "deployments", "env", with_variable("a"));
    create_workload(world, &namespace, "deployments", "other-key", with_variable("b"));
    create_workload(world, &namespace, "deployments", "files", with_files(""));
    create_workload(world, &namespace, "statefulsets", "one-file", with_files("a"));
    create_deployment(world, &namespace, "stranger");
    let set = sandbox.stdin(NEW).run(["set", "s", "a", "-n", &namespace]).success();
    assert!(
        set.stderr
            .contains("gets the new value by itself, files within about a minute: deployment.apps/files\n"),
        "{set}"
    );
    let restart = "until it is restarted (--restart does it with the change, restart NAME after it): deployment.apps/env and statefulset.apps/one-file\n";
    assert!(set.stderr.contains(restart), "{set}");
    assert!(!set.stderr.contains("other-key") && !set.stderr.contains("stranger"), "{set}");
    assert_eq!(restarted_at(world, &namespace, "deployments", "env"), None);
    let restarted = sandbox.stdin(OLD).run(["set", "s", "a", "--restart", "-n", &namespace]).success();
    assert_eq!(
        restarted.stdout,
        "secret/s updated\ndeployment.apps/env restarted\nstatefulset.apps/one-file restarted\n"
    );
    assert!(restarted_at(world, &namespace, "deployments", "env").unwrap().ends_with('Z'));
    assert!(restarted_at(world, &namespace, "statefulsets", "one-file").is_some());
    for name in ["files", "other-key", "stranger"] {
        assert_eq!(restarted_at(world, &namespace, "deployments", name), None, "{name}");
    }
}

#[scenario]
fn a_value_that_is_there_already_is_not_written_and_restarts_nothing(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("ns");
    world.create_secret(&namespace, "s", &[("a", OLD), ("b", OLD)]);
    create_workload(world, &namespace, "deployments", "env", with_variable("a"));
    create_workload(world, &namespace, "deployments", "other", with_variable("b"));
    let version = || world.get(&path(&namespace)).unwrap()["metadata"]["resourceVersion"].clone();
    let before = version();
    for (more, suffix) in [
        (&["--restart"][..], ""),
        (&["--dry-run=client"], " (dry run)"),
        (&["--dry-run=server"], " (server dry run)"),
        (&[], ""),
    ] {
        let line = ["set", "s", "a", "-n", &namespace];
        let same = sandbox.stdin(OLD).run(line.iter().chain(more)).success();
        same.never_shows(OLD.as_bytes());
        assert_eq!(same.stdout, format!("secret/s unchanged{suffix}\n"));
        assert!(same.stderr.contains("note: same a\n") && !same.stderr.contains("deployment"), "{same}");
    }
    assert!(world.writes().is_empty() && version() == before, "{:?}", world.lines());
    let [a, b, c] =
        [("a", OLD), ("b", NEW), ("c", NEW)].map(|(key, value)| format!("--from-literal={key}={value}"));
    let line = ["set", "s", &a, &b, &c, "--restart", "-n", &namespace];
    let dry = sandbox.run(line.iter().chain(&["--dry-run=client"])).success();
    let set = sandbox.run(line).success();
    for told in [&dry, &set] {
        assert!(told.stderr.contains("note: added c; changed b; same a\n"), "{told}");
    }
    assert_eq!(set.stdout, "secret/s updated\ndeployment.apps/other restarted\n", "env reads a alone");
}

#[scenario]
fn an_immutable_secret_that_is_as_it_should_be_is_no_failure(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("ns");
    world.create_secret(&namespace, "s", &[("a", OLD)]);
    world.patch(&path(&namespace), &json!({"immutable": true}));
    let same = sandbox.stdin(OLD).run(["set", "s", "a", "-n", &namespace]).success();
    assert_eq!(same.stdout, "secret/s unchanged\n");
    sandbox.stdin(NEW).run(["set", "s", "a", "-n", &namespace]).fails_with(1);
}

#[scenario]
fn one_that_cannot_be_restarted_does_not_stop_the_others(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("ns");
    world.create_secret(&namespace, "s", &[("a", OLD)]);
    for name in ["held", "free"] {
        create_workload(world, &namespace, "deployments", name, with_variable("a"));
    }
    world.patch(
        &format!("/{DEPLOYMENTS}/namespaces/{namespace}/deployments/held"),
        &json!({"spec": {"paused": true}}),
    );
    let partly = sandbox.stdin(NEW).run(["set", "s", "a", "--restart", "-n", &namespace]).fails_with(3);
    assert!(partly.stderr.contains("deployment.apps/held: can't restart paused deployment"), "{partly}");
    assert!(partly.stdout.contains("deployment.apps/free restarted"), "{partly}");
    assert_eq!(value(world, &namespace, "a").as_deref(), Some(NEW));
}

#[scenario]
fn a_shared_secret_is_set_at_its_source(world: &World, sandbox: &Sandbox) {
    let shared = crate::status::Shared::new(world);
    let line = shared.run(&["set", "hf", "token", "-n", &shared.runai]);
    let set = sandbox.stdin(NEW).run(&line).success();
    let follow = "note: hf is shared with every project, and its copies follow: Run:ai copies it within about a minute; \
                  on a cluster without its controller: kubectl runai-secret sync hf --runai-namespace";
    assert!(set.stderr.contains(follow) && set.stderr.contains("kubectl runai-secret usage hf -A"), "{set}");
    let dry = sandbox.stdin(NEW).run(line.iter().chain(&["--dry-run=server"])).success();
    assert!(!dry.stderr.contains("follow"), "{dry}");
    assert_eq!(world.secret_value(&shared.runai, "hf", "token").as_deref(), Some(NEW.as_bytes()));
}

#[scenario]
fn a_key_that_workloads_of_the_projects_need_is_not_taken_out_of_a_shared_secret_unasked(
    world: &World,
    sandbox: &Sandbox,
) {
    let shared = crate::status::Shared::new(world);
    let (copied, conflict) = (world.project("copied"), world.project("conflict"));
    crate::status::runais_copy(world, &copied, OLD);
    crate::status::create(world, &conflict.namespace, &json!({}), &json!({}), OLD);
    for project in [&copied, &conflict] {
        create_workload(world, &project.namespace, "deployments", "env", |spec| {
            let source = json!({"secretKeyRef": {"name": "hf", "key": "token"}});
            spec["containers"][0]["env"] = json!([{"name": "V", "valueFrom": source}]);
        });
    }
    let line = shared.run(&["unset", "hf", "token", "-n", &shared.runai]);
    let refused = sandbox.run(&line).fails_with(2);
    let effect = format!("* deployment.apps/env in {} would not start any more: env V", copied.namespace);
    assert!(refused.stderr.contains(&effect), "{refused}");
    assert!(!refused.stderr.contains(&conflict.namespace), "its own secret stays: {refused}");
    let unset = sandbox.run(line.iter().chain(&["-y"])).success();
    assert!(unset.stderr.contains("and its copies follow"), "{unset}");
}

#[scenario]
fn a_slip_of_the_fingers_is_warned_of(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("ns");
    view::create(world, &namespace, "s", &[("HF_TOKEN", OLD.as_bytes())]);
    let set = sandbox.stdin(NEW).run(["set", "s", "HF_TOKN", "-n", &namespace]).success();
    assert!(set.stderr.contains("Warning: HF_TOKN is a new key; the secret also has HF_TOKEN"), "{set}");
}

#[scenario]
fn keys_are_taken_out_and_the_others_stay(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("ns");
    world.create_secret(&namespace, "s", &[("a", OLD), ("b", OLD), ("c", OLD)]);
    let missing = sandbox.run(["unset", "s", "a", "bb", "-n", &namespace]).fails_with(1);
    assert!(missing.stderr.contains("secret s has no key bb; nothing was changed"), "{missing}");
    let dry = sandbox.run(["unset", "s", "a", "--dry-run=server", "-n", &namespace]).success();
    assert_eq!(
        (dry.stdout.as_str(), value(world, &namespace, "a").as_deref()),
        ("secret/s updated (server dry run)\n", Some(OLD))
    );
    let unset = sandbox.run(["unset", "s", "a", "b", "-n", &namespace]).success();
    assert_eq!(unset.stdout, "secret/s updated\n");
    for told in [&dry, &unset] {
        assert!(told.stderr.contains("note: gone a"), "{told}");
    }
    assert_eq!(world.get(&path(&namespace)).unwrap()["data"].as_object().unwrap().len(), 1);
    let nothing = sandbox.run(["unset", "nothing", "a", "-n", &namespace]).fails_with(1);
    assert!(nothing.stderr.contains("secrets \"nothing\" not found"), "{nothing}");
}

#[scenario]
fn what_a_workload_needs_is_taken_out_only_when_that_is_agreed_to(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("ns");
    world.create_secret(&namespace, "s", &[("a", OLD), ("b", OLD)]);
    create_workload(world, &namespace, "deployments", "env", with_variable("a"));
    let refused = sandbox.run(["unset", "s", "a", "-n", &namespace]).fails_with(2);
    let dry = sandbox.run(["unset", "s", "a", "--dry-run=client", "-n", &namespace]).success();
    for told in [&dry, &refused] {
        assert!(told.stderr.contains(" would not start any more: "), "{told}");
    }
    assert!(refused.stderr.contains("* deployment.apps/env would not start any more: env V"), "{refused}");
    sandbox.run(["unset", "s", "b", "-n", &namespace]).success();
    let mut session = sandbox.in_terminal(["unset", "s", "a", "-n", &namespace]);
    session.expect("Take a out of s although 1 workload needs it?");
    session.send("n");
    assert_eq!(session.wait().0, 1);
    assert_eq!(value(world, &namespace, "a").as_deref(), Some(OLD));
    sandbox.run(["unset", "s", "a", "-y", "-n", &namespace]).success();
    assert_eq!(value(world, &namespace, "a"), None);
}

#[scenario]
fn a_file_of_one_line_that_is_piped_in_loses_its_line_end(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("ns");
    for (piped, stored) in [
        ("t0ken\n", "t0ken"),
        ("t0ken\r\n", "t0ken"),
        ("t0ken", "t0ken"),
        ("a\nb\n", "a\nb\n"),
        (" x\n", " x"),
    ] {
        let set = sandbox.stdin(piped).run(["set", "s", "a", "-n", &namespace]).success();
        assert_eq!(value(world, &namespace, "a").as_deref(), Some(stored), "{piped:?}");
        let note = "note: the newline at the end of standard input is not part of the value of a (--from-file=a=- keeps it)\n";
        assert_eq!(set.stderr.contains(note), piped.len() != stored.len(), "{set}");
    }
    sandbox.stdin("t0ken\n").run(["set", "s", "--from-file=a=-", "-n", &namespace]).success();
    assert_eq!(value(world, &namespace, "a").as_deref(), Some("t0ken\n"));
}

#[scenario]
fn a_value_on_the_command_line_does_not_become_a_key(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("ns");
    world.create_secret(&namespace, "s", &[("A", OLD)]);
    let token = "hf_aB3dE5fG7hJ9kL1mN3pQ5rS7tU9vW1xY3z";
    world.clear_log();
    let padded = "aHVudGVyMmh1bnRlcjI=";
    let refused = sandbox.stdin(NEW).run(["set", "s", "A", padded, "-n", &namespace]).fails_with(2);
    refused.never_shows(padded.trim_end_matches('=').as_bytes());
    for words in [vec!["A".to_owned(), token.to_owned()], vec![format!("A={token}")], vec![token.to_owned()]]
    {
        let line = ["set".to_owned(), "s".to_owned()]
            .into_iter()
            .chain(words)
            .chain(["-n".to_owned(), namespace.clone()]);
        let refused = sandbox.stdin(NEW).run(line).fails_with(2);
        refused.never_shows(token.as_bytes());
        assert!(refused.stderr.contains("a value does not go on the command line"), "{refused}");
        assert!(
            refused.stderr.contains("hint: to be asked for it: kubectl runai-secret set s "),
            "{refused}"
        );
    }
    assert!(world.requests().is_empty(), "{:?}", world.lines());
}
