//! `list`.

use serde_json::{Value, json};
use support::{Outcome, Sandbox, World, scenario};

use crate::definitions::GROUPS;
use crate::set::{create_workload, with_variable};
use crate::status::Shared;

const VALUE: &str = "v4lue-of-a-secret";

/// A secret of a type with some keys and labels.
fn create(world: &World, namespace: &str, name: &str, secret_type: &str, keys: usize, labels: &Value) {
    let data: Value = (0..keys).map(|key| (format!("KEY_{key}"), json!(VALUE))).collect();
    let secret =
        json!({"metadata": {"name": name, "labels": labels}, "type": secret_type, "stringData": data});
    world.create(&format!("/api/v1/namespaces/{namespace}/secrets"), &secret);
}

/// The cells of a table, without the age, which moves.
fn rows(outcome: &Outcome) -> Vec<String> {
    let is_age = |cell: &str| cell.ends_with('s') && cell[..cell.len() - 1].parse::<u32>().is_ok();
    let cells = |line: &str| {
        let cells: Vec<&str> = line.split("   ").map(str::trim).filter(|cell| !cell.is_empty()).collect();
        cells.into_iter().map(|cell| if is_age(cell) { "age" } else { cell }).collect::<Vec<_>>().join("|")
    };
    outcome.stdout.lines().map(cells).collect()
}

fn accept(world: &World) -> String {
    let list = world.requests().into_iter().rfind(|request| request.path.ends_with("/secrets")).unwrap();
    list.header("accept").unwrap().to_owned()
}

#[scenario]
fn a_list_that_may_not_be_had_is_no_empty_list(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("a");
    world.create_secret(&namespace, "s", &[("k", "v")]);
    let nobody = world.user("nobody");
    for words in [vec!["list"], vec!["list", "-o", "json"]] {
        let refused =
            sandbox.run(words.into_iter().chain(["-n", &namespace, "--token", &nobody.token])).fails_with(1);
        assert!(
            refused.stderr.contains("you have no right to list secrets here") && refused.stdout.is_empty(),
            "{refused}"
        );
    }
}

#[scenario]
fn secrets_of_a_project_are_listed_without_a_value(world: &World, sandbox: &Sandbox) {
    let project = world.project("team-a");
    create(world, &project.namespace, "wandb", "Opaque", 1, &json!({}));
    create(world, &project.namespace, "hf", "example.com/t", 3, &json!({}));
    create(world, &project.namespace, "empty", "Opaque", 0, &json!({}));
    create(world, &project.namespace, "sh.helm.release.v1.x", "helm.sh/release.v1", 1, &json!({}));
    world.clear_log();
    let list = sandbox.run(["list", "-p", &project.name]).success();
    assert_eq!(
        rows(&list),
        [
            "NAME|TYPE|KEYS|SHARED|AGE",
            "empty|Opaque|0|<none>|age",
            "hf|example.com/t|3|<none>|age",
            "wandb|Opaque|1|<none>|age"
        ]
    );
    assert_eq!(world.requests().len(), 2, "the project, and one list: {:?}", world.lines());
    assert!(accept(world).contains("as=Table"));
    let all = sandbox.run(["list", "-p", &project.name, "--all", "-o", "name"]).success();
    assert_eq!(all.stdout, "secret/empty\nsecret/hf\nsecret/sh.helm.release.v1.x\nsecret/wandb\n");
    let by_type = sandbox.run(["list", "-p", &project.name, "--sort-by=type", "-o", "name"]).success();
    assert_eq!(by_type.stdout, "secret/empty\nsecret/wandb\nsecret/hf\n");
}

#[scenario]
fn keys_are_named_where_they_are_asked_for(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("ns");
    create(world, &namespace, "hf", "Opaque", 2, &json!({}));
    create(world, &namespace, "empty", "Opaque", 0, &json!({}));
    let list = sandbox.run(["list", "-n", &namespace, "--keys"]).success();
    list.never_shows(VALUE.as_bytes());
    assert_eq!(rows(&list)[1..], ["empty|Opaque|<none>|<none>|age", "hf|Opaque|KEY_0,KEY_1|<none>|age"]);
    let json = sandbox.run(["list", "-n", &namespace, "--keys", "-o", "json"]).success().json();
    assert_eq!(
        (&json["secrets"][1]["keys"], &json["secrets"][1]["keyNames"]),
        (&json!(2), &json!(["KEY_0", "KEY_1"]))
    );
}

#[scenario]
fn what_is_shared_and_what_is_a_copy_is_said(world: &World, sandbox: &Sandbox) {
    let (shared, project) = (Shared::new(world), world.project("team-a"));
    create(
        world,
        &project.namespace,
        "hf",
        "Opaque",
        1,
        &json!({"run.ai/cluster-wide": "true", "run.ai/resource": "password"}),
    );
    create(world, &shared.runai, "plain", "Opaque", 1, &json!({}));
    create(world, &shared.runai, "some", "Opaque", 1, &json!({"run.ai/department": "7"}));
    let of_runai = sandbox.run(shared.run(&["list", "-n", &shared.runai])).success();
    assert_eq!(
        rows(&of_runai)[1..],
        ["hf|Opaque|1|cluster-wide|age", "plain|Opaque|1|<none>|age", "some|Opaque|1|department|age"]
    );
    let wide = sandbox.run(shared.run(&["list", "-p", &project.name, "-o", "wide"])).success();
    assert_eq!(rows(&wide)[0], "NAME|TYPE|KEYS|SHARED|AGE|CHANGED|BY|EXPIRES|PROJECT|CREDENTIAL|EVIDENCE");
    assert_eq!(
        rows(&wide)[1],
        format!(
            "hf|Opaque|1|copy|age|age|support|<none>|{}|password|label run.ai/cluster-wide",
            project.name
        )
    );
}

#[scenario]
fn several_projects_are_listed_together_and_all_namespaces_by_their_labels(world: &World, sandbox: &Sandbox) {
    let (a, b, other) = (world.project("a"), world.project("b"), world.namespace("other"));
    let own = json!({"world": other});
    for (namespace, name) in [(&b.namespace, "one"), (&a.namespace, "two"), (&other, "three")] {
        create(world, namespace, name, "Opaque", 1, &own);
    }
    let several = sandbox.run(["list", "-p", &b.name, "-p", &a.name]).success();
    assert_eq!(
        rows(&several),
        [
            "NAMESPACE|NAME|TYPE|KEYS|SHARED|AGE".to_owned(),
            format!("{}|two|Opaque|1|<none>|age", a.namespace),
            format!("{}|one|Opaque|1|<none>|age", b.namespace)
        ]
    );
    let selector = format!("world={other}");
    let all = sandbox.run(["list", "-A", "-l", &selector, "-o", "json"]).success().json();
    let found: Vec<_> =
        all["secrets"].as_array().unwrap().iter().map(|row| (&row["name"], &row["project"])).collect();
    let (two, one, three) =
        ((&json!("two"), &json!(a.name)), (&json!("one"), &json!(b.name)), (&json!("three"), &Value::Null));
    assert_eq!(found.len(), 3);
    assert!([two, one, three].iter().all(|row| found.contains(row)), "{found:?}");
    let keys: Vec<&String> = all["secrets"][0].as_object().unwrap().keys().collect();
    assert_eq!(
        keys,
        [
            "changed",
            "changedBy",
            "consumers",
            "created",
            "credential",
            "expires",
            "keyNames",
            "keys",
            "name",
            "namespace",
            "project",
            "shared",
            "type"
        ]
    );
    let yaml = sandbox.run(["list", "-A", "-l", &selector, "-o", "yaml"]).success();
    assert_eq!(serde_saphyr::from_str::<Value>(&yaml.stdout).unwrap(), all);
    sandbox.run(["list", "-A", "-n", &other]).fails_with(2);
}

#[scenario]
fn consumers_are_counted_where_that_is_asked_for(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("ns");
    create(world, &namespace, "s", "Opaque", 1, &json!({}));
    create(world, &namespace, "unused", "Opaque", 1, &json!({}));
    create_workload(world, &namespace, "deployments", "web", with_variable("k"));
    create_workload(world, &namespace, "statefulsets", "db", with_variable("k"));
    let list = sandbox.run(["list", "-n", &namespace, "--consumers"]).success();
    assert_eq!(
        rows(&list),
        ["NAME|TYPE|KEYS|SHARED|CONSUMERS|AGE", "s|Opaque|1|<none>|2|age", "unused|Opaque|1|<none>|0|age"]
    );
    assert_eq!(list.stderr, "");
    let json = sandbox.run(["list", "-n", &namespace, "--consumers", "-o", "json"]).success().json();
    assert_eq!((&json["secrets"][0]["consumers"], &json["secrets"][1]["consumers"]), (&json!(2), &json!(0)));
    let yaml = sandbox.run(["list", "-n", &namespace, "--consumers", "-o", "yaml"]).success();
    assert_eq!(serde_saphyr::from_str::<Value>(&yaml.stdout).unwrap(), json);
    let not_asked = sandbox.run(["list", "-n", &namespace, "-o", "json"]).success().json();
    assert_eq!(not_asked["secrets"][0]["consumers"], Value::Null);
    world.clear_log();
    sandbox.run(["list", "-n", &namespace, "--consumers", "-o", "name"]).fails_with(2);
    assert!(world.requests().is_empty(), "names have no room for a number: {:?}", world.lines());
}

#[scenario]
fn where_workloads_may_not_be_listed_no_secret_seems_unused(world: &World, sandbox: &Sandbox) {
    let (project, other) = (world.project("a"), world.namespace("other"));
    let labels = json!({"world": other});
    for namespace in [&project.namespace, &other] {
        create(world, namespace, "s", "Opaque", 1, &labels);
        create(world, namespace, "t", "Opaque", 1, &labels);
        create_workload(world, namespace, "statefulsets", "db", with_variable("k"));
    }
    let user = world.user("reader");
    let rule = |groups: &[&str]| json!({"apiGroups": groups, "resources": ["*"], "verbs": ["list"]});
    let line = |place: &[&str]| {
        let selector = format!("world={other}");
        let words = ["list", "--consumers", "-l", &selector, "--token", &user.token];
        sandbox.run(words.iter().chain(place)).success()
    };
    // All but those of the groups apps and batch, and pods, which a controller makes.
    let core = json!({"apiGroups": [""], "resources": ["secrets", "serviceaccounts"], "verbs": ["list"]});
    world.grant(
        &user,
        Some(&project.namespace),
        &json!([core, rule(&[&["networking.k8s.io"][..], &GROUPS].concat())]),
    );
    world.grant(&user, Some(&other), &json!([core]));
    let one = line(&["-n", &project.namespace]);
    assert_eq!(rows(&one)[1..], ["s|Opaque|1|<none>|?|age", "t|Opaque|1|<none>|?|age"]);
    let warning = format!("in {}: uses there are not counted\n", project.namespace);
    assert!(
        one.stderr.contains("Warning: you may not list cronjobs, daemonsets,")
            && one.stderr.contains(&warning),
        "{one}"
    );
    world.grant(
        &user,
        Some(&project.namespace),
        &json!([
        {"apiGroups": ["apps"], "resources": ["statefulsets"], "verbs": ["list"]}]),
    );
    let some = line(&["-n", &project.namespace]);
    assert_eq!(rows(&some)[1..], ["s|Opaque|1|<none>|1+|age", "t|Opaque|1|<none>|?|age"]);
    let json = line(&["-n", &project.namespace, "-o", "json"]).json();
    assert_eq!(
        (&json["secrets"][0]["consumers"], &json["secrets"][1]["consumers"]),
        (&json!(1), &Value::Null)
    );
    assert!(
        json["unseen"]
            .as_array()
            .unwrap()
            .contains(&json!({"namespace": project.namespace, "resource": "jobs"}))
    );
    // All of the project, and of the whole cluster secrets alone.
    world.grant(&user, Some(&project.namespace), &json!([rule(&["*"])]));
    world.grant(
        &user,
        None,
        &json!([{"apiGroups": [""], "resources": ["namespaces", "secrets"], "verbs": ["list"]}]),
    );
    let all = line(&["-A"]);
    let counted: Vec<Vec<String>> =
        rows(&all).iter().map(|row| row.split('|').map(str::to_owned).collect()).collect();
    let number = |namespace: &str, name: &str| {
        counted.iter().find(|row| row[0] == namespace && row[1] == name).map(|row| row[5].clone()).unwrap()
    };
    assert_eq!([number(&project.namespace, "s"), number(&project.namespace, "t")], ["1", "0"], "{all}");
    assert_eq!([number(&other, "s"), number(&other, "t")], ["?", "?"], "{all}");
    assert!(all.stderr.contains("outside of projects not all uses are counted"), "{all}");
}

#[scenario]
fn more_than_a_page_is_listed_whole(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("ns");
    for index in 0..510 {
        create(world, &namespace, &format!("s{index:03}"), "Opaque", 1, &json!({}));
    }
    world.clear_log();
    let names = sandbox.run(["list", "-n", &namespace, "-o", "name"]).success();
    assert_eq!(names.stdout.lines().count(), 510);
    assert_eq!(world.requests().len(), 2, "{:?}", world.lines());
}

#[scenario]
fn nothing_is_said_to_be_there_and_a_wrong_selector_is_refused(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("ns");
    let nothing = sandbox.run(["list", "-n", &namespace]).success();
    assert_eq!(nothing.stdout, "");
    assert!(
        nothing.stderr.contains(&format!("note: no secrets in namespace {namespace}; --all also lists")),
        "{nothing}"
    );
    let refused = sandbox.run(["list", "-n", &namespace, "-l", "a b"]).fails_with(1);
    assert!(refused.stderr.contains("Error from server (BadRequest)"), "{refused}");
}

#[scenario]
fn where_one_may_not_look_is_said_and_the_rest_is_listed(world: &World, sandbox: &Sandbox) {
    let (a, b) = (world.project("a"), world.project("b"));
    create(world, &a.namespace, "hf", "Opaque", 1, &json!({}));
    let user = world.user("reader");
    world.grant(&user, None, &json!([{"apiGroups": [""], "resources": ["namespaces"], "verbs": ["list"]}]));
    world.grant(
        &user,
        Some(&a.namespace),
        &json!([{"apiGroups": [""], "resources": ["secrets"], "verbs": ["list"]}]),
    );
    let partly = sandbox.run(["list", "-A", "-o", "name", "--token", &user.token]).success();
    assert_eq!(partly.stdout, "secret/hf\n");
    assert!(partly.stderr.contains(&format!("you may not list secrets in {}", b.namespace)), "{partly}");
}

#[scenario]
fn without_headers_a_table_has_its_rows_alone(world: &World, sandbox: &Sandbox) {
    let [a, b] = ["a", "b"].map(|name| world.project(name));
    let runai = world.runai_namespace();
    world.create_secret(&a.namespace, "one", &[("KEY", VALUE)]);
    world.create_secret(&b.namespace, "one", &[("KEY", "other")]);
    create(world, &runai, "shared", "Opaque", 1, &json!({"run.ai/cluster-wide": "true"}));
    create_workload(world, &a.namespace, "deployments", "web", with_variable("KEY"));
    for line in [
        format!("list -p {}", a.name),
        format!("list -p {} -o wide", a.name),
        format!("usage -p {}", a.name),
        format!("usage s -p {}", a.name),
        format!("view one -p {}", a.name),
        format!("check -p {}", a.name),
        format!("status --runai-namespace {runai}"),
        format!("status shared --runai-namespace {runai}"),
        format!("diff one -p {} --to-project {}", a.name, b.name),
    ] {
        let rows = |line: &str| {
            let printed = sandbox.run(line.split(' ')).stdout;
            let cells = |row: &str| row.split_whitespace().take(2).collect::<Vec<_>>().join(" ");
            printed.lines().map(cells).collect::<Vec<_>>()
        };
        let (whole, bare) = (rows(&line), rows(&format!("{line} --no-headers")));
        assert!(whole.len() > 1, "{line}: {whole:?}");
        assert_eq!(bare, whole[1..], "{line}");
    }
}
