//! `usage`.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use support::{Fault, Sandbox, World, scenario};

use crate::definitions::{Example, GROUPS, custom_kinds, define};
use crate::workloads::{create_cronjob, create_deployment, create_job, pod_template};

/// A pod spec that uses the secret `hf` in every way that a container can.
fn spec_with_everything(restart: &str) -> Value {
    let mut template = pod_template(restart);
    let spec = &mut template["spec"];
    spec["containers"][0]["env"] = json!([{"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": "hf", "key": "HF_TOKEN", "optional": true}}}]);
    spec["containers"][0]["envFrom"] = json!([{"prefix": "HF_", "secretRef": {"name": "hf"}}]);
    spec["containers"][0]["volumeMounts"] = json!([{"name": "files", "mountPath": "/etc/hf"}]);
    spec["volumes"] = json!([{"name": "files", "secret": {"secretName": "hf", "items": [{"key": "HF_TOKEN", "path": "t"}]}}]);
    spec["imagePullSecrets"] = json!([{"name": "hf"}]);
    template
}

/// One of each of what refers to secrets, none of which runs.
pub(crate) fn create_consumers(world: &World, namespace: &str) {
    let cron = json!({"schedule": "0 2 * * *", "jobTemplate": {"spec": {"template": spec_with_everything("Never")}}});
    let path = format!("/apis/batch/v1/namespaces/{namespace}");
    world.create(&format!("{path}/cronjobs"), &json!({"metadata": {"name": "nightly"}, "spec": cron}));
    let job = json!({"suspend": true, "template": spec_with_everything("Never")});
    world.create(&format!("{path}/jobs"), &json!({"metadata": {"name": "later"}, "spec": job}));
    let selector = json!({"matchLabels": {"app": "test"}});
    let web = json!({"replicas": 0, "selector": selector, "template": spec_with_everything("Always")});
    let deployments = format!("/apis/apps/v1/namespaces/{namespace}/deployments");
    world.create(&deployments, &json!({"metadata": {"name": "web"}, "spec": web}));
    let account = json!({"metadata": {"name": "robot"}, "imagePullSecrets": [{"name": "hf"}]});
    world.create(&format!("/api/v1/namespaces/{namespace}/serviceaccounts"), &account);
    let backend = json!({"service": {"name": "web", "port": {"number": 80}}});
    let ingress = json!({"tls": [{"hosts": ["example.com"], "secretName": "hf"}], "defaultBackend": backend});
    let ingresses = format!("/apis/networking.k8s.io/v1/namespaces/{namespace}/ingresses");
    world.create(&ingresses, &json!({"metadata": {"name": "front"}, "spec": ingress}));
}

/// Creates one of the kind, with the secret `hf` in each of its parts.
fn create_example(world: &World, namespace: &str, mut example: Example) {
    for part in example.parts {
        let uses = if example.is_runai_spec() {
            json!({"environment": {"items": {"A": {"value": "SECRET:hf,HF_TOKEN"}}}})
        } else {
            json!({"imagePullSecrets": [{"name": "hf"}]})
        };
        let spec = example.content.pointer_mut(part).unwrap().as_object_mut().unwrap();
        spec.extend(uses.as_object().unwrap().clone());
    }
    example.create(world, namespace, "w");
}

fn helm_release(world: &World, namespace: &str) {
    let release = json!({"metadata": {"name": "sh.helm.release.v1.x"}, "type": "helm.sh/release.v1",
        "stringData": {"release": "big"}});
    world.create(&format!("/api/v1/namespaces/{namespace}/secrets"), &release);
}

/// Lines of a table as their cells.
fn rows(table: &str) -> Vec<Vec<String>> {
    let cells = |line: &str| {
        line.split("   ").map(str::trim).filter(|cell| !cell.is_empty()).map(str::to_owned).collect()
    };
    table.lines().map(cells).collect()
}

fn keys(object: &Value) -> Vec<&str> {
    object.as_object().unwrap().keys().map(String::as_str).collect()
}

#[scenario]
fn every_consumer_and_every_way_is_named_with_its_state(world: &World, sandbox: &Sandbox) {
    let project = world.project("team-a");
    world.create_secret(&project.namespace, "hf", &[("HF_TOKEN", "s3cr3t-value")]);
    create_consumers(world, &project.namespace);
    world.clear_log();
    let usage = sandbox.run(["usage", "hf", "-p", &project.name]).success();
    usage.never_shows(b"s3cr3t-value");
    let expected = ["env HF_*|*", "env TOKEN|HF_TOKEN", "files in /etc/hf|HF_TOKEN"];
    let mut wanted = vec!["CONSUMER|CONTAINER|USE|KEY|STATE|VALUE".to_owned()];
    for (consumer, state) in
        [("cronjob.batch/nightly", "between runs"), ("deployment.apps/web", "scaled to 0")]
    {
        wanted.extend(expected.iter().map(|way| format!("{consumer}|main|{way}|{state}|<none>")));
        wanted.push(format!("{consumer}|<none>|image pull|<none>|{state}|<none>"));
    }
    wanted.push("ingress.networking.k8s.io/front|<none>|tls|tls.crt,tls.key|<none>|<none>".to_owned());
    wanted.extend(expected.iter().map(|way| format!("job.batch/later|main|{way}|suspended|<none>")));
    wanted.push("job.batch/later|<none>|image pull|<none>|suspended|<none>".to_owned());
    wanted.push("serviceaccount/robot|<none>|image pull|<none>|<none>|<none>".to_owned());
    let found: Vec<String> = rows(&usage.stdout).iter().map(|row| row.join("|")).collect();
    assert_eq!(found, wanted, "{usage}");
    let calls = world.calls();
    assert_eq!(calls.iter().filter(|call| *call == "GET /apis").count(), 1, "{calls:?}");
    // On the real server other tests may have defined other kinds.
    let built_in = ["GET /api/v1/", "GET /apis/apps/", "GET /apis/batch/", "GET /apis/networking.k8s.io/"];
    let is_built_in = |call: &&String| built_in.iter().any(|start| call.starts_with(start));
    let lists = calls.iter().filter(is_built_in).filter(|call| !call.contains("/secrets/")).count();
    assert_eq!(lists, 10, "the project, and one list for each kind: {calls:?}");
    let asked_for_versions =
        |call: &&String| GROUPS.iter().any(|group| call.ends_with(&format!("/apis/{group}")));
    assert_eq!(calls.iter().filter(asked_for_versions).count(), 0, "discovery says them: {calls:?}");
}

#[scenario]
fn for_a_program_everything_has_a_stable_name(world: &World, sandbox: &Sandbox) {
    let project = world.project("team-a");
    world.create_secret(&project.namespace, "hf", &[("HF_TOKEN", "v4lue")]);
    create_consumers(world, &project.namespace);
    let usage = sandbox.run(["usage", "hf", "-p", &project.name, "-o", "json"]).success().json();
    assert_eq!(keys(&usage), ["secrets", "unseen"]);
    let secret = &usage["secrets"][0];
    assert_eq!(keys(secret), ["consumers", "created", "exists", "name", "namespace"]);
    assert_eq!((&secret["exists"], &secret["name"]), (&json!(true), &json!("hf")));
    let consumer = &secret["consumers"][0];
    assert_eq!(keys(consumer), ["group", "kind", "name", "state", "uses"]);
    assert_eq!(consumer["state"], "between-runs");
    let mut uses = consumer["uses"].clone();
    for one in uses.as_array_mut().unwrap() {
        for field in ["value", "read", "changed"] {
            assert_eq!(one.as_object_mut().unwrap().remove(field), Some(Value::Null), "{consumer}");
        }
    }
    assert_eq!(
        uses,
        json!([
            {"container": "main", "how": "env-all", "keys": null, "optional": false, "missing": null, "field": null, "path": null,
             "variable": "HF_", "volume": null},
            {"container": "main", "how": "env", "keys": ["HF_TOKEN"], "optional": true, "missing": null, "field": null, "path": null,
             "variable": "TOKEN", "volume": null},
            {"container": "main", "how": "files", "keys": ["HF_TOKEN"], "optional": false, "missing": null, "field": null, "path": "/etc/hf",
             "variable": null, "volume": null},
            {"container": null, "how": "image-pull", "keys": null, "optional": true, "missing": null, "field": null, "path": null,
             "variable": null, "volume": null},
        ])
    );
    let yaml = sandbox.run(["usage", "hf", "-p", &project.name, "-o", "yaml"]).success();
    assert_eq!(serde_saphyr::from_str::<Value>(&yaml.stdout).unwrap(), usage);
    let names = sandbox.run(["usage", "hf", "-p", &project.name, "-o", "name"]).success();
    assert_eq!(
        names.stdout,
        "cronjob.batch/nightly\ndeployment.apps/web\ningress.networking.k8s.io/front\njob.batch/later\nserviceaccount/robot\n"
    );
}

#[scenario]
fn custom_kinds_are_looked_at_where_they_are_served(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("ns");
    world.create_secret(&namespace, "hf", &[("HF_TOKEN", "v4lue")]);
    define(world, &GROUPS);
    let count = custom_kinds().len();
    for kind in custom_kinds() {
        create_example(world, &namespace, kind);
    }
    let names = sandbox.run(["usage", "hf", "-n", &namespace, "-o", "name"]).success();
    assert_eq!(names.stdout.lines().count(), count, "{names}");
    let json = sandbox.run(["usage", "hf", "-n", &namespace, "-o", "json"]).success().json();
    let consumers = json["secrets"][0]["consumers"].as_array().unwrap().clone();
    let training = consumers.iter().find(|one| one["kind"] == "TrainingWorkload").unwrap();
    assert_eq!(training["uses"][0]["how"], "env");
    assert_eq!(training["uses"][0]["keys"], json!(["HF_TOKEN"]));
}

#[scenario]
fn a_deployment_stands_for_its_pods(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("ns");
    world.create_secret(&namespace, "hf", &[("HF_TOKEN", "v4lue")]);
    let selector = json!({"matchLabels": {"app": "test"}});
    let spec = json!({"selector": selector, "template": spec_with_everything("Always")});
    let deployments = format!("/apis/apps/v1/namespaces/{namespace}/deployments");
    let web = world.create(&deployments, &json!({"metadata": {"name": "web"}, "spec": spec}));
    let pods = format!("/api/v1/namespaces/{namespace}/pods");
    if !world.is_real() {
        let owner = |kind: &str, name: &str, of: &Value| json!([{"apiVersion": "apps/v1", "kind": kind, "name": name, "uid": of["metadata"]["uid"], "controller": true}]);
        let metadata = json!({"name": "web-1", "ownerReferences": owner("Deployment", "web", &web)});
        let sets = format!("/apis/apps/v1/namespaces/{namespace}/replicasets");
        let set = world.create(&sets, &json!({"metadata": metadata, "spec": spec}));
        let mut pod = spec_with_everything("Always");
        pod["metadata"] = json!({"name": "web-1-a", "ownerReferences": owner("ReplicaSet", "web-1", &set)});
        world.create(&pods, &pod);
    }
    let start = Instant::now();
    while world.list(&pods).is_empty() {
        assert!(start.elapsed() < Duration::from_mins(1), "the controller makes a pod");
        std::thread::sleep(Duration::from_millis(50));
    }
    let names = sandbox.run(["usage", "hf", "-n", &namespace, "-o", "name"]).success();
    assert_eq!(names.stdout, "deployment.apps/web\n");
}

#[scenario]
fn secrets_are_listed_without_values_and_without_helms(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("ns");
    for name in ["hf", "spare"] {
        world.create_secret(&namespace, name, &[("HF_TOKEN", "v4lue")]);
    }
    helm_release(world, &namespace);
    create_consumers(world, &namespace);
    world.clear_log();
    let all = sandbox.run(["usage", "-n", &namespace]).success();
    let found = rows(&all.stdout);
    assert_eq!(found[0], ["NAME", "CONSUMERS", "OLD VALUE", "AGE"]);
    assert_eq!(
        (&found[1][..2], &found[2][..2]),
        (&["hf", "5"].map(str::to_owned)[..], &["spare", "0"].map(str::to_owned)[..])
    );
    assert_eq!(found.len(), 3, "{all}");
    let list = world.requests().into_iter().find(|request| request.path.ends_with("/secrets")).unwrap();
    assert!(list.header("accept").is_some_and(|accept| accept.contains("PartialObjectMetadataList")));
    let unused = sandbox.run(["usage", "--unused", "-n", &namespace, "-o", "name"]).success();
    assert_eq!(unused.stdout, "secret/spare\n");
    let wide = sandbox.run(["usage", "-n", &namespace, "-o", "wide"]).success();
    assert!(wide.stdout.contains("USED BY") && wide.stdout.contains(",deployment.apps/web,"), "{wide}");
}

#[scenario]
fn what_is_shared_with_every_project_does_not_seem_unused(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("ns");
    world.create_secret(&namespace, "copy", &[("k", "v4lue")]);
    let labels = json!({"metadata": {"labels": {"run.ai/cluster-wide": "true"}}});
    world.patch(&format!("/api/v1/namespaces/{namespace}/secrets/copy"), &labels);
    let unused = sandbox.run(["usage", "--unused", "-n", &namespace]).success();
    assert_eq!(unused.stdout, "");
    assert!(unused.stderr.contains(&format!("note: no unused secrets in namespace {namespace}")), "{unused}");
}

#[scenario]
fn a_secret_that_is_nowhere_is_not_found_and_one_that_is_missed_is_said(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("ns");
    let nowhere = sandbox.run(["usage", "hf", "-n", &namespace]).fails_with(1);
    assert!(nowhere.stderr.contains("Error from server (NotFound): secrets \"hf\" not found"), "{nowhere}");
    create_consumers(world, &namespace);
    let missed = sandbox.run(["usage", "hf", "-n", &namespace]).success();
    assert!(
        missed.stderr.contains(&format!("secret hf does not exist in namespace {namespace}")),
        "{missed}"
    );
    assert!(missed.stdout.contains("deployment.apps/web"), "{missed}");
    world.create_secret(&namespace, "spare", &[("k", "v4lue")]);
    let unused = sandbox.run(["usage", "spare", "-n", &namespace]).success();
    assert_eq!(
        (unused.stdout.as_str(), unused.stderr.contains("nothing uses secret spare")),
        ("", true),
        "{unused}"
    );
}

#[scenario]
fn a_kind_that_may_not_be_listed_is_said_and_the_rest_is_shown(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("ns");
    world.create_secret(&namespace, "hf", &[("HF_TOKEN", "v4lue")]);
    create_consumers(world, &namespace);
    let user = world.user("reader");
    let rules = json!([
        {"apiGroups": ["batch"], "resources": ["jobs", "cronjobs"], "verbs": ["list"]},
        {"apiGroups": GROUPS, "resources": ["*"], "verbs": ["list"]},
        {"apiGroups": [""], "resources": ["secrets"], "verbs": ["get", "list"]},
    ]);
    world.grant(&user, Some(&namespace), &rules);
    let line = ["usage", "hf", "-n", &namespace, "--token", &user.token];
    let usage = sandbox.run(line).success();
    assert!(
        usage.stdout.contains("cronjob.batch/nightly") && !usage.stdout.contains("deployment"),
        "{usage}"
    );
    let warning = format!(
        "Warning: you may not list daemonsets, deployments, ingresses, pods, replicasets, serviceaccounts and \
         statefulsets in {namespace}: uses there are not shown"
    );
    assert!(usage.stderr.contains(&warning), "{usage}");
    let json = sandbox.run(line.into_iter().chain(["-o", "json"])).success().json();
    assert_eq!(json["unseen"][0], json!({"namespace": namespace, "resource": "daemonsets"}));
}

#[scenario]
fn where_all_namespaces_may_not_be_listed_those_of_the_projects_are(world: &World, sandbox: &Sandbox) {
    let (seen, hidden) = (world.project("seen"), world.project("hidden"));
    for project in [&seen, &hidden] {
        world.create_secret(&project.namespace, "hf", &[("HF_TOKEN", "v4lue")]);
        create_consumers(world, &project.namespace);
    }
    let user = world.user("reader");
    world.grant(&user, None, &json!([{"apiGroups": [""], "resources": ["namespaces"], "verbs": ["list"]}]));
    let groups = [&["", "apps", "batch", "networking.k8s.io"][..], &GROUPS].concat();
    let rules = json!([{"apiGroups": groups, "resources": ["*"], "verbs": ["list", "get"]}]);
    world.grant(&user, Some(&seen.namespace), &rules);
    let usage = sandbox.run(["usage", "hf", "-A", "--token", &user.token]).success();
    let lines = usage.stdout.lines().filter(|line| line.starts_with(&seen.namespace)).count();
    assert_eq!(lines, 14, "{usage}");
    assert!(!usage.stdout.contains(&hidden.namespace), "{usage}");
    assert!(usage.stderr.contains("you may not list") && usage.stderr.contains(&hidden.namespace), "{usage}");
}

#[scenario]
fn where_only_projects_may_be_looked_into_that_is_said(world: &World, sandbox: &Sandbox) {
    let (project, outside) = (world.project("a"), world.namespace("outside"));
    world.create_secret(&outside, "hf", &[("HF_TOKEN", "v4lue")]);
    create_consumers(world, &outside);
    let user = world.user("reader");
    world.grant(
        &user,
        None,
        &json!([{"apiGroups": [""], "resources": ["namespaces", "secrets"], "verbs": ["list"]}]),
    );
    let groups = [&["", "apps", "batch", "networking.k8s.io"][..], &GROUPS].concat();
    let rules = json!([{"apiGroups": groups, "resources": ["*"], "verbs": ["list"]}]);
    world.grant(&user, Some(&project.namespace), &rules);
    let unused = sandbox.run(["usage", "--unused", "-A", "--token", &user.token]).success();
    assert!(unused.stdout.contains(&outside), "{unused}");
    let warning = "outside of projects what seems unused may be used there\n";
    assert!(unused.stderr.contains(warning), "{unused}");
}

#[scenario]
fn every_namespace_at_once_and_one_of_them_exclude_each_other(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("ns");
    let refused = sandbox.run(["usage", "-A", "-n", &namespace]).fails_with(2);
    assert!(refused.stderr.contains("hint: leave out --all-namespaces"), "{refused}");
}

#[test]
fn a_list_that_expired_on_its_way_is_begun_anew_once() {
    let world = World::in_process();
    let sandbox = Sandbox::new().with(&world);
    let namespace = world.namespace("ns");
    for index in 0..501 {
        world.create_secret(&namespace, &format!("s{index:03}"), &[]);
    }
    create_deployment(&world, &namespace, "web");
    create_cronjob(&world, &namespace, "nightly");
    create_job(&world, &namespace, "train");
    world.fail(Fault::on("GET", "continue=").answer(410));
    let names = sandbox.run(["usage", "-n", &namespace, "-o", "name"]).success();
    assert_eq!(names.stdout.lines().count(), 501);
    let lists = world.lines().iter().filter(|line| line.contains("/secrets?")).count();
    assert_eq!(lists, 4, "two pages, twice: {:?}", world.lines());
    world.fail(Fault::on("GET", "continue=").for_ever().answer(410));
    let expired = sandbox.run(["usage", "-n", &namespace]).fails_with(1);
    assert!(expired.stderr.contains("Expired"), "{expired}");
}

/// The cells of a table's first line and of its lines, sorted.
fn table_of(outcome: &support::Outcome) -> (Vec<String>, Vec<Vec<String>>) {
    let mut found = rows(&outcome.stdout);
    let headers = found.remove(0);
    found.sort();
    (headers, found)
}

#[scenario]
fn a_workload_is_asked_what_it_uses_and_whether_it_is_there(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("ns");
    world.create_secret(&namespace, "hf", &[("HF_TOKEN", "s3cr3t-value")]);
    let mut template = pod_template("Never");
    let variable = |name: &str, secret: &str, key: &str, optional: bool| {
        let reference = json!({"name": secret, "key": key, "optional": optional});
        json!({"name": name, "valueFrom": {"secretKeyRef": reference}})
    };
    template["spec"]["containers"][0]["env"] = json!([
        variable("TOKEN", "hf", "HF_TOKEN", false),
        variable("OTHER", "hf", "NOT_THERE", false),
        variable("LATER", "gone", "k", true),
    ]);
    let job = json!({"metadata": {"name": "train"}, "spec": {"suspend": true, "template": template}});
    world.create(&format!("/apis/batch/v1/namespaces/{namespace}/jobs"), &job);
    world.clear_log();
    let shown = sandbox.run(["usage", "job/train", "-n", &namespace]).success();
    let (headers, found) = table_of(&shown);
    assert_eq!(headers, ["SECRET", "KEY", "CONTAINER", "USE", "THERE"]);
    assert_eq!(
        found,
        [
            ["gone", "k", "main", "env LATER", "no such secret, optional"],
            ["hf", "HF_TOKEN", "main", "env TOKEN", "yes"],
            ["hf", "NOT_THERE", "main", "env OTHER", "no such key"],
        ]
    );
    assert!(shown.stderr.contains("kubectl runai-secret check job.batch/train"), "{shown}");
    shown.never_shows(b"s3cr3t-value");
    let reads = ["/jobs/train", "/secrets/gone", "/secrets/hf"];
    assert_eq!(
        world.lines().len(),
        reads.len(),
        "one read of the job and of each secret: {:?}",
        world.lines()
    );
    let json = sandbox.run(["usage", "job/train", "-n", &namespace, "-o", "json"]).success().json();
    let exists = |at: usize| (json["secrets"][at]["name"].clone(), json["secrets"][at]["exists"].clone());
    assert_eq!((exists(0), exists(1)), ((json!("gone"), json!(false)), (json!("hf"), json!(true))));
    let uses = &json["secrets"][1]["consumers"][0]["uses"];
    assert_eq!((&uses[0]["missing"], &uses[1]["missing"]), (&json!([]), &json!(["NOT_THERE"])));
    let names = sandbox.run(["usage", "job/train", "-n", &namespace, "-o", "name"]).success();
    assert_eq!(names.stdout, "secret/gone\nsecret/hf\n");
    let none = sandbox.run(["usage", "job/trian", "-n", &namespace]).fails_with(1);
    assert!(none.stderr.contains("did you mean \"job/train\"?"), "{none}");
    sandbox.run(["usage", "job/train", "-A"]).fails_with(2);
    sandbox.run(["usage", "job/train", "--unused", "-n", &namespace]).fails_with(2);
}

#[scenario]
fn who_may_read_no_secret_still_learns_what_a_workload_uses(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("ns");
    world.create_secret(&namespace, "hf", &[("HF_TOKEN", "s3cr3t-value")]);
    create_consumers(world, &namespace);
    let user = world.user(&format!("reader-of-{namespace}"));
    let rules = json!([{"apiGroups": ["batch"], "resources": ["jobs"], "verbs": ["get"]}]);
    world.grant(&user, Some(&namespace), &rules);
    let token = format!("--token={}", user.token);
    let shown = sandbox.run(["usage", "job/later", "-n", &namespace, &token]).success();
    let (_, found) = table_of(&shown);
    assert!(found.len() == 4 && found.iter().all(|row| row.last().unwrap() == "unknown"), "{shown}");
    assert!(shown.stderr.contains("you may not list secrets in"), "{shown}");
}

#[scenario]
fn names_of_all_namespaces_say_in_which_they_are(world: &World, sandbox: &Sandbox) {
    let (a, b) = (world.namespace("a"), world.namespace("b"));
    for namespace in [&a, &b] {
        world.create_secret(namespace, "hf", &[("HF_TOKEN", "v4lue")]);
        create_cronjob(world, namespace, "nightly");
        sandbox.run(["attach", "hf", "cronjob/nightly", "--env", "HF_TOKEN", "-n", namespace]).success();
    }
    let names = sandbox.run(["usage", "hf", "-A", "-o", "name"]).success();
    for namespace in [&a, &b] {
        assert!(names.stdout.contains(&format!("{namespace}/cronjob.batch/nightly\n")), "{names}");
    }
    let secrets = sandbox.run(["usage", "-A", "-o", "name"]).success();
    assert!(secrets.stdout.contains(&format!("{a}/secret/hf\n")), "{secrets}");
}
