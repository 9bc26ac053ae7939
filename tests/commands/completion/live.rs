//! Names from the cluster: the right ones, of the right cluster and namespace.

use std::collections::BTreeSet;

use serde_json::json;
use support::{Fault, Sandbox, World, scenario};

use super::unattended::offers_in_time;
use super::{Answer, ask};
use crate::other_kinds::{create_gizmo, describe_gizmos};
use crate::plaintext::{deployment, deployments};
use crate::workloads::{create_deployment, create_job};

fn secret(world: &World, namespace: &str, name: &str, secret_type: &str, labels: &serde_json::Value) {
    let metadata = json!({"name": name, "labels": labels});
    let body =
        json!({"metadata": metadata, "type": secret_type, "stringData": {"k1": "v4lue", "k-2": "v4lue"}});
    world.create(&format!("/api/v1/namespaces/{namespace}/secrets"), &body);
}

fn opaque(world: &World, namespace: &str, name: &str) {
    secret(world, namespace, name, "Opaque", &json!({}));
}

/// Only what begins so: the real cluster has more.
fn starting<'a>(answer: &'a Answer, with: &str) -> Vec<&'a str> {
    answer.names().into_iter().filter(|name| name.starts_with(with)).collect()
}

#[scenario]
fn secrets_come_with_their_type_keys_and_age(world: &World, sandbox: &Sandbox) {
    let project = world.project("team-a").namespace;
    let runai = world.runai_namespace();
    opaque(world, &project, "own");
    for namespace in [&project, &runai] {
        secret(world, namespace, "shared", "example.com/t", &json!({"run.ai/cluster-wide": "true"}));
    }
    secret(world, &project, "sh.helm.release.v1.x.v1", "helm.sh/release.v1", &json!({}));
    world.clear_log();
    let answer = ask(sandbox, &format!("attach -n {project} "));
    assert_eq!(answer.names(), ["own", "shared"]);
    assert!(answer.about("own").starts_with("Opaque, 2 keys, "), "{:?}", answer.lines);
    assert!(
        answer.about("shared").starts_with("copy of a shared secret, example.com/t, "),
        "{:?}",
        answer.lines
    );
    assert_eq!(answer.directive, 4);
    let answer = ask(sandbox, &format!("label --runai-namespace {runai} sh"));
    assert!(answer.about("shared").starts_with("shared with every project, "), "{:?}", answer.lines);
    for request in world.requests() {
        assert!(
            request.header("accept").unwrap().contains("as=Table"),
            "values stay on the server: {}",
            request.line()
        );
        assert!(request.query.contains("limit="), "{}", request.line());
    }
    let lines: BTreeSet<String> = world.lines().into_iter().collect();
    assert_eq!(lines.len(), 2, "one request each: {lines:?}");
}

#[scenario]
fn secrets_of_more_than_a_page_are_all_there(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("many");
    for number in 0..60 {
        opaque(world, &namespace, &format!("s{number:02}"));
    }
    let answer = ask(sandbox, &format!("delete -n {namespace} s01 s"));
    assert_eq!(answer.lines.len(), 59, "all but the one that is typed: {:?}", answer.lines);
    assert!(answer.about("s59").starts_with("Opaque, 2 keys, "), "{:?}", answer.lines);
}

#[test]
fn a_list_that_expired_on_its_way_is_begun_anew_and_gives_no_name_twice() {
    let world = World::in_process();
    let sandbox = Sandbox::new().with(&world);
    let namespace = world.namespace("many");
    for number in 0..60 {
        opaque(&world, &namespace, &format!("s{number:02}"));
    }
    world.fail(Fault::on("GET", "continue=").answer(410));
    let answer = ask(&sandbox, &format!("delete -n {namespace} s"));
    assert_eq!(answer.lines.len(), 60, "{:?}", answer.lines);
    let lists = world.lines().iter().filter(|line| line.contains("/secrets?")).count();
    assert_eq!(lists, 4, "two pages, twice: {:?}", world.lines());
}

#[scenario]
fn a_namespace_or_project_that_is_typed_is_where_it_looks(world: &World, sandbox: &Sandbox) {
    let (a, b) = (world.project("team-a"), world.project("team-b"));
    opaque(world, &a.namespace, "of-a");
    opaque(world, &b.namespace, "of-b");
    for (line, expected) in [
        (format!("-p {} attach ", a.name), "of-a"),
        (format!("attach -p {} ", a.name), "of-a"),
        (format!("attach --project={} ", b.name), "of-b"),
        (format!("delete -n {} -p {} ", b.namespace, a.name), "of-b"),
        (format!("-n{} detach ", b.namespace), "of-b"),
        (format!("submit -n {} --env-all ", b.namespace), "of-b"),
        (format!("view -n {} ", b.namespace), "of-b"),
        (format!("set -n {} ", b.namespace), "of-b"),
        (format!("unset -n {} ", b.namespace), "of-b"),
        (format!("edit -n {} ", b.namespace), "of-b"),
        (format!("rename -p {} ", a.name), "of-a"),
        (format!("copy -p {} ", a.name), "of-a"),
        (format!("copy --from-project {} ", b.name), "of-b"),
        (format!("submit -n {} --image-pull-secret of", b.namespace), "of-b"),
    ] {
        let answer = ask(sandbox, &line);
        assert_eq!(
            answer.names().first().copied().unwrap_or_default(),
            expected,
            "{line}: {:?}",
            answer.lines
        );
    }
    assert_eq!(ask(sandbox, "delete -p nobodys ").names(), Vec::<&str>::new());
    assert_eq!(ask(sandbox, "delete -p ../x ").names(), Vec::<&str>::new());
    assert_eq!(ask(sandbox, "delete -n a/secrets/b ").names(), Vec::<&str>::new());
}

#[scenario]
fn what_is_shared_is_looked_for_in_run_ais_namespace(world: &World, sandbox: &Sandbox) {
    let (runai, a) = (world.runai_namespace(), world.project("team-a"));
    opaque(world, &runai, "source");
    opaque(world, &a.namespace, "of-a");
    for command in ["label ", "status ", "sync ", "delete --cluster-wide ", "label other "] {
        let answer = ask(sandbox, &format!("--runai-namespace={runai} {command}"));
        assert_eq!(starting(&answer, "source"), ["source"], "{command}: {:?}", answer.lines);
    }
    let answer = ask(sandbox, &format!("label --from-project {} ", a.name));
    assert_eq!(starting(&answer, "of"), ["of-a"]);
}

#[scenario]
fn projects_and_namespaces_say_what_belongs_together(world: &World, sandbox: &Sandbox) {
    let a = world.project("team-a");
    for line in [
        "-p ",
        "create s -p ",
        "label s --from-project ",
        "sync s --to-project ",
        "sync s --exclude-project ",
        "copy s --to-project ",
    ] {
        let answer = ask(sandbox, &format!("{line}{}", a.name));
        assert_eq!(answer.about(&a.name), format!("namespace {}", a.namespace), "{line}");
    }
    let answer = ask(sandbox, "--namespace=");
    assert_eq!(answer.about(&a.namespace), format!("project {}", a.name));
    assert_eq!(ask(sandbox, &format!("--runai-namespace {}", a.namespace)).names(), [&a.namespace]);
}

#[scenario]
fn keys_are_those_of_the_secret_that_is_typed(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("a");
    opaque(world, &namespace, "s");
    for (words, expected) in [
        ("attach s deploy/web --env ", &["k-2", "k1"][..]),
        ("attach s deploy/web --env=k", &["k-2", "k1"]),
        ("attach s --env VAR=k", &["VAR=k-2", "VAR=k1"]),
        ("attach s deploy/web --env=VAR=k1", &["VAR=k1", "k1"]),
        ("attach s deploy/web --mount /etc/x:", &["/etc/x:k-2", "/etc/x:k1"]),
        ("attach s deploy/web --mount /etc/x:k1,", &["/etc/x:k1,k-2"]),
        ("attach s deploy/web --mount /etc/x:k1=file,", &["/etc/x:k1=file,k-2"]),
        ("attach deploy/web -e A=SECRET:s,", &["A=SECRET:s,k-2", "A=SECRET:s,k1"]),
        ("attach deploy/web --environment=A=SECRET:s,k1", &["A=SECRET:s,k1", "SECRET:s,k1"]),
        ("submit --env-secret A=s,key=", &["A=s,key=k-2", "A=s,key=k1"]),
        ("view s ", &["k-2", "k1"]),
        ("view s k1 ", &["k-2"]),
        ("set s k", &["k-2", "k1"]),
        ("unset s k-2 ", &["k1"]),
        ("edit s ", &["k-2", "k1"]),
        ("attach none deploy/web --env ", &[]),
        ("attach ../../x deploy/web --env ", &[]),
        ("attach deploy/web --env ", &[]),
    ] {
        assert_eq!(ask(sandbox, &format!("-n {namespace} {words}")).names(), expected, "{words}");
    }
}

#[scenario]
fn a_reference_grows_part_by_part(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("a");
    opaque(world, &namespace, "hf");
    opaque(world, &namespace, "s3");
    for (words, expected, directive) in [
        ("submit -e A=SECRET:", &["A=SECRET:hf,", "A=SECRET:s3,"][..], 6),
        ("submit -eA=SECRET:h", &["SECRET:hf,"], 6),
        ("submit --env-secret A=", &["A=hf,key=", "A=s3,key="], 6),
        ("submit --secret-volume path=/x,name=", &["path=/x,name=hf", "path=/x,name=s3"], 4),
        ("submit --secret-volume name=h", &["name=hf"], 4),
    ] {
        let answer = ask(sandbox, &format!("-n {namespace} {words}"));
        assert_eq!((answer.names(), answer.directive), (expected.to_vec(), directive), "{words}");
    }
}

#[scenario]
fn workloads_and_their_containers(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("a");
    create_deployment(world, &namespace, "web");
    create_job(world, &namespace, "train");
    let ask = |words: &str| ask(sandbox, &format!("-n {namespace} {words}"));
    assert_eq!(ask("attach hf deploy/").names(), ["deploy/web"]);
    assert_eq!(ask("detach hf deployments.apps/w").names(), ["deployments.apps/web"]);
    let jobs = ask("attach -e A=SECRET:s,k job/");
    assert_eq!((jobs.names(), jobs.directive), (vec!["job/train"], 4));
    assert!(jobs.about("job/train").ends_with('s'), "its age: {:?}", jobs.lines);
    assert_eq!(ask("attach hf deploy/web -c ").names(), ["main"]);
    assert_eq!(ask("detach hf job/train --container=m").names(), ["main"]);
    assert_eq!(ask("attach hf deploy/web -c main -c ").names(), Vec::<&str>::new());
    assert_eq!(ask("attach hf nokind/").names(), Vec::<&str>::new());
}

#[scenario]
fn kinds_that_kartas_describe_are_offered_and_so_is_all_that_is_of_them(world: &World, sandbox: &Sandbox) {
    describe_gizmos(world);
    world.custom_resource("widgets.example.com", "v1", "widgets", "Widget");
    let namespace = world.namespace("a");
    opaque(world, &namespace, "s");
    create_gizmo(world, &namespace, "g");
    sandbox.run(["attach", "s", "gizmo/g", "--env", "V=k1", "-n", &namespace]).success();
    for words in ["attach s ", "detach s ", "check ", "create x --attach "] {
        offers_in_time(sandbox, &format!("-n {namespace} {words}"), |names| {
            names.contains(&"gizmo/") && names.contains(&"deployment/") && !names.contains(&"widget/")
        });
    }
    let ask = |words: &str| ask(sandbox, &format!("-n {namespace} {words}"));
    let kinds = ask("attach s giz");
    assert_eq!((kinds.names(), kinds.about("gizmo/"), kinds.directive), (vec!["gizmo/"], "Gizmo", 6));
    assert_eq!(ask("attach s gizmos").names(), ["gizmos/"]);
    for line in
        ["attach s gizmo/", "detach s gizmo/g", "usage gizmo/", "check gizmo/", "create x --attach gizmo/"]
    {
        assert_eq!(ask(line).names(), ["gizmo/g"], "{line}");
    }
    assert_eq!(ask("attach s gizmos.gizmos.example.com/").names(), ["gizmos.gizmos.example.com/g"]);
    assert_eq!(ask("attach s gizmo/g -c ").names(), ["main"]);
    assert_eq!(ask("detach s gizmo/g --env ").names(), ["V"]);
    for line in ["attach s widg", "attach s widget/", "attach s -c "] {
        assert_eq!(ask(line).names(), Vec::<&str>::new(), "{line}");
    }
}

#[scenario]
fn what_a_workload_uses_is_offered_for_taking_it_off(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("a");
    opaque(world, &namespace, "s");
    create_deployment(world, &namespace, "web");
    let words = ["attach", "s", "deploy/web", "--env", "V=k1", "--mount", "/etc/x", "-n", &namespace];
    sandbox.run(words).success();
    let ask = |words: &str| ask(sandbox, &format!("-n {namespace} {words}"));
    let variables = ask("detach s deploy/web --env ");
    assert_eq!((variables.names(), variables.about("V")), (vec!["V"], "container main"));
    assert_eq!(ask("detach s deploy/web --mount=/").names(), ["/etc/x"]);
    assert_eq!(ask("detach other deploy/web --env ").names(), Vec::<&str>::new());
}

#[scenario]
fn variables_that_a_workload_sets_itself_are_offered_for_moving_them(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("a");
    opaque(world, &namespace, "s");
    let env = json!([{"name": "HF_TOKEN", "value": "v4lue"}, {"name": "R", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k1"}}}]);
    world.create(&deployments(&namespace), &deployment("web", &env));
    let ask = |words: &str| ask(sandbox, &format!("-n {namespace} {words}"));
    let answer = ask("attach deploy/web --extract ");
    assert_eq!(answer.names(), ["HF_TOKEN"]);
    assert!(!format!("{:?}", answer.lines).contains("v4lue"), "{:?}", answer.lines);
    assert_eq!(ask("attach deploy/web --extract HF_TOKEN=").names(), ["HF_TOKEN=s"]);
    assert_eq!(ask("attach deploy/web --extract HF_TOKEN=s,k1").names(), ["HF_TOKEN=s,k1"]);
}

#[scenario]
fn nothing_is_written_and_no_value_is_shown(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("a");
    opaque(world, &namespace, "s");
    sandbox.link_plugin();
    let completer = sandbox.bin().join("kubectl_complete-runai_secret");
    for words in [
        &["attach", ""][..],
        &["attach", "s", "--env", ""],
        &["create", "x", "--from-literal=k=v4lue", "--"],
        &["attach", "s", "deploy/", "-vvv", ""],
    ] {
        let words = ["-n", &namespace].into_iter().chain(words.iter().copied());
        sandbox.with_run().program(&completer, words).success().never_shows(b"v4lue");
    }
    assert!(world.writes().is_empty(), "{:?}", world.lines());
}

/// Two clusters, of which the kubeconfig names the one and the flags the other.
#[test]
fn the_cluster_that_is_typed_is_asked() {
    let (one, other) = (World::with_plain_names(), World::with_plain_names());
    opaque(&one, &one.namespace("ns"), "of-one");
    opaque(&other, &other.namespace("ns"), "of-other");
    let sandbox = Sandbox::new().kubeconfig(&one.kubeconfig().namespace("ns"));
    assert_eq!(ask(&sandbox, "attach ").names(), ["of-one"]);

    sandbox.file("other", other.kubeconfig().namespace("ns").to_string());
    assert_eq!(ask(&sandbox, "--kubeconfig=other attach ").names(), ["of-other"]);
    assert_eq!(ask(&sandbox, "attach --kubeconfig other of").names(), ["of-other"]);

    let mut both: serde_json::Value = serde_json::from_str(&one.kubeconfig().to_string()).unwrap();
    let its: serde_json::Value = serde_json::from_str(&other.kubeconfig().to_string()).unwrap();
    for (list, entry) in [("clusters", "cluster"), ("users", "user")] {
        let named = json!({"name": "the:other", entry: its[list][0][entry]});
        both[list].as_array_mut().unwrap().push(named);
    }
    let context = json!({"cluster": "the:other", "user": "the:other", "namespace": "ns"});
    both["contexts"].as_array_mut().unwrap().push(json!({"name": "arn:x/other", "context": context}));
    sandbox.file("both", both.to_string());
    let ask = |words: &str| {
        let answer = super::ask_with(&sandbox, sandbox.env("KUBECONFIG", "both"), words);
        answer.names().into_iter().map(ToOwned::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(ask("attach --context=arn:x/other "), ["of-other"]);
    assert_eq!(ask("--context arn:x/other attach "), ["of-other"]);
    assert_eq!(ask("attach -n ns --cluster=the:other --user the:other "), ["of-other"]);
    let flags = format!("--server={} --token={}", other.server(), other.admin_token());
    assert_eq!(ask(&format!("attach -n ns {flags} --insecure-skip-tls-verify ")), ["of-other"]);
    assert_eq!(ask("--context arn"), ["arn:x/other"]);
    assert_eq!(ask("copy s --to-context arn"), ["arn:x/other"]);
    one.project("here");
    other.project("there");
    assert_eq!(ask("copy s --to-project "), ["here"]);
    assert_eq!(ask("copy s --to-context arn:x/other --to-project "), ["there"]);
    assert_eq!(ask("copy s --to-context arn:x/other --to-project=there -p "), ["here"]);
    assert_eq!(ask("--cluster="), ["test", "the:other"]);
    assert_eq!(ask("--user the"), ["the:other"]);
}

/// As many as in the benchmark, which also takes the time.
#[test]
fn a_tab_among_releases_of_helm_moves_less_than_100_kilobytes() {
    let world = World::in_process();
    let namespace = world.namespace("helm");
    let path = format!("/api/v1/namespaces/{namespace}/secrets");
    for number in 0..600 {
        let (name, secret_type, size) = match number {
            0..100 => (format!("sh.helm.release.v1.app-{number}.v1"), "helm.sh/release.v1", 40 << 10),
            _ => (format!("secret-of-somebody-{number}"), "Opaque", 10),
        };
        let value = "x".repeat(size);
        world.create(
            &path,
            &json!({"metadata": {"name": name}, "type": secret_type, "stringData": {"k": value}}),
        );
    }
    let sandbox = Sandbox::new().with(&world);
    assert_eq!(ask(&sandbox, &format!("delete -n {namespace} s")).lines.len(), 500);
    let bytes: usize = world.requests().iter().map(|request| request.answer_size).sum();
    assert!(bytes <= 100_000, "{bytes}");
}

/// kubectl's script for fish evaluates the line: a name that was completed is run by the next Tab.
#[test]
fn names_that_a_shell_would_take_for_more_are_not_offered() {
    let world = World::in_process();
    let sandbox = Sandbox::new();
    let context = json!({"cluster": "test", "user": "test"});
    let mut config: serde_json::Value = serde_json::from_str(&world.kubeconfig().to_string()).unwrap();
    for name in [
        "a;touch x;",
        "a$(touch x)",
        "a`x`",
        "a|x",
        "a>x",
        "a\"x",
        "a'x",
        "a&x",
        "a\\x",
        "a*",
        "a-name",
        "a@b:c/d",
    ] {
        config["contexts"].as_array_mut().unwrap().push(json!({"name": name, "context": context}));
    }
    sandbox.file("hostile", config.to_string());
    let answer = ask(&sandbox, "--kubeconfig=hostile --context a");

    assert_eq!(answer.names(), ["a-name", "a@b:c/d"]);
}

#[scenario]
fn of_several_projects_the_last_is_looked_at_and_none_is_offered_twice(world: &World, sandbox: &Sandbox) {
    let (a, b) = (world.project("a"), world.project("b"));
    opaque(world, &a.namespace, "in-a");
    opaque(world, &b.namespace, "in-b");
    for places in [format!("-p {},{}", a.name, b.name), format!("-p {} -p {}", a.name, b.name)] {
        assert_eq!(ask(sandbox, &format!("set {places} ")).names(), ["in-b"], "{places}");
        assert_eq!(ask(sandbox, &format!("unset {places} in-b ")).names(), ["k-2", "k1"], "{places}");
    }
    let second = ask(sandbox, &format!("set s -p {},", a.name));
    let begun = format!("{},", a.name);
    let offered = starting(&second, &begun);
    assert!(offered.contains(&format!("{begun}{}", b.name).as_str()), "{:?}", second.lines);
    assert!(!offered.contains(&format!("{begun}{}", a.name).as_str()), "{:?}", second.lines);
}

#[scenario]
fn what_is_copied_to_be_shared_is_where_it_is_now(world: &World, sandbox: &Sandbox) {
    let project = world.project("a");
    opaque(world, &project.namespace, "own");
    let line = format!("copy -p {} --cluster-wide ", project.name);
    assert_eq!(ask(sandbox, &line).names(), ["own"]);
}
