//! `delete` of what workloads use: who does is told first, and what they need stays unless `--force` says otherwise.

use serde_json::{Value, json};
use support::{Fault, Sandbox, World, scenario};

use crate::definitions::GROUPS;
use crate::set::{create_workload, with_files, with_variable};
use crate::status::{Shared, create, our_copy, runais_copy};
use crate::workloads::{BATCH, DEPLOYMENTS, create_deployment, pod_template};

const VALUE: &str = "shared-value-of-the-source";

/// A cron job with files of the secret `s`.
fn create_nightly(world: &World, namespace: &str) {
    let mut template = pod_template("Never");
    with_files("")(&mut template["spec"]);
    let spec = json!({"schedule": "0 0 1 1 *", "jobTemplate": {"spec": {"template": template}}});
    let nightly = json!({"metadata": {"name": "nightly"}, "spec": spec});
    world.create(&format!("/{BATCH}/namespaces/{namespace}/cronjobs"), &nightly);
}

/// A pod with a variable of the secret `s`, which ended.
fn create_finished_pod(world: &World, namespace: &str) {
    let mut pod = pod_template("Never");
    pod["metadata"] = json!({"name": "ended"});
    with_variable("k")(&mut pod["spec"]);
    world.create(&format!("/api/v1/namespaces/{namespace}/pods"), &pod);
    world.run_pod(namespace, "ended", "Succeeded", &json!({"terminated": {"exitCode": 0}}));
}

fn scale_to_0(world: &World, namespace: &str, name: &str) {
    let path = format!("/{DEPLOYMENTS}/namespaces/{namespace}/deployments/{name}");
    world.patch(&path, &json!({"spec": {"replicas": 0}}));
}

/// A variable of the secret that the container starts without.
fn with_optional(spec: &mut Value) {
    let source = json!({"secretKeyRef": {"name": "s", "key": "k", "optional": true}});
    spec["containers"][0]["env"] = json!([{"name": "V", "valueFrom": source}]);
}

fn is_there(world: &World, namespace: &str) -> bool {
    world.secret(namespace, "s").is_some()
}

#[scenario]
fn what_an_ingress_names_in_an_annotation_is_neither_called_unused_nor_deleted(
    world: &World,
    sandbox: &Sandbox,
) {
    let project = world.project("a");
    let namespace = &project.namespace;
    for name in ["s", "ca"] {
        world.create_secret(namespace, name, &[("auth", VALUE)]);
    }
    let annotations = json!({"nginx.ingress.kubernetes.io/auth-secret": "s",
        "nginx.ingress.kubernetes.io/auth-tls-secret": format!("{namespace}/ca")});
    let backend = json!({"service": {"name": "web", "port": {"number": 80}}});
    let ingress = json!({"metadata": {"name": "front", "annotations": annotations}, "spec": {"defaultBackend": backend}});
    world.create(&format!("/apis/networking.k8s.io/v1/namespaces/{namespace}/ingresses"), &ingress);
    let unused = sandbox.run(["usage", "--unused", "-p", &project.name, "-o", "name"]).success();
    assert_eq!(unused.stdout, "", "{unused}");
    let all = sandbox.run(["delete", "--unused", "-p", &project.name, "--yes"]).success();
    assert!(all.stderr.contains("no secret to delete that nothing uses"), "{all}");
    let one = sandbox.run(["delete", "s", "-p", &project.name, "--yes"]).fails_with(1);
    let needs = "* ingress.networking.k8s.io/front needs it: \
                 metadata.annotations[nginx.ingress.kubernetes.io/auth-secret] (probable)\n";
    assert!(one.stderr.contains(needs) && is_there(world, namespace), "{one}");
    let usage = sandbox.run(["usage", "ca", "-p", &project.name, "-o", "name"]).success();
    assert_eq!(usage.stdout, "ingress.networking.k8s.io/front\n");
}

#[scenario]
fn what_a_workload_needs_is_not_deleted_unless_it_is_forced(world: &World, sandbox: &Sandbox) {
    let project = world.project("a");
    let namespace = &project.namespace;
    world.create_secret(namespace, "s", &[("k", VALUE)]);
    create_workload(world, namespace, "deployments", "web", with_variable("k"));
    create_nightly(world, namespace);
    world.clear_log();
    for more in [&["--yes"][..], &[], &["--dry-run=server"], &["--dry-run=client", "--yes"]] {
        let refused = sandbox.run(["delete", "s", "-p", &project.name].iter().chain(more)).fails_with(1);
        for line in [
            "* deployment.apps/web (starting) needs it: env V\n",
            "* cronjob.batch/nightly (between runs) needs it: files in /etc/s\n",
            "error: secret \"s\" is needed by cronjob.batch/nightly and deployment.apps/web; it was not deleted\n",
            &format!(
                "hint: to take it off: kubectl runai-secret detach s cronjob.batch/nightly -n {namespace}\n"
            ),
            "hint: --force deletes it anyway",
        ] {
            assert!(refused.stderr.contains(line), "{line}: {refused}");
        }
        assert!(!refused.stderr.contains("is deleted;"), "what is refused has no effect: {refused}");
        assert_eq!(refused.stdout, "");
    }
    assert!(world.writes().is_empty());
    let unanswered = sandbox.run(["delete", "s", "-p", &project.name, "--force"]).fails_with(2);
    assert!(
        unanswered.stderr.contains("is not a terminal: Delete s?") && is_there(world, namespace),
        "{unanswered}"
    );
    let dry = sandbox.run(["delete", "s", "-p", &project.name, "--force", "--dry-run=server"]).success();
    assert_eq!(
        (dry.stdout.as_str(), is_there(world, namespace)),
        ("secret/s deleted (server dry run)\n", true)
    );
    let forced = sandbox.run(["delete", "s", "-p", &project.name, "--force", "--yes"]).success();
    let note = "note: --force: secret s is deleted although it is needed by cronjob.batch/nightly and deployment.apps/web\n";
    assert!(
        forced.stderr.contains("deployment.apps/web (starting) needs it") && forced.stderr.contains(note),
        "{forced}"
    );
    assert!(
        forced.stderr.starts_with(&format!("  * secret s in namespace {namespace} is deleted;")),
        "{forced}"
    );
    assert_eq!((forced.stdout.as_str(), is_there(world, namespace)), ("secret/s deleted\n", false));
}

#[scenario]
fn what_only_pods_of_an_earlier_revision_have_is_not_to_be_detached(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("ns");
    world.create_secret(&namespace, "s", &[("k", VALUE)]);
    let web = create_deployment(world, &namespace, "web");
    let mut pod = pod_template("Always");
    let owner = json!({"apiVersion": "apps/v1", "kind": "Deployment", "name": "web", "uid": web["metadata"]["uid"], "controller": true});
    pod["metadata"] = json!({"name": "web-before", "ownerReferences": [owner]});
    with_variable("k")(&mut pod["spec"]);
    world.create(&format!("/api/v1/namespaces/{namespace}/pods"), &pod);
    world.run_pod(&namespace, "web-before", "Running", &json!({"running": {}}));
    let refused = sandbox.run(["delete", "s", "-n", &namespace, "--yes"]).fails_with(1);
    assert!(refused.stderr.contains("* deployment.apps/web (running) needs it: env V\n"), "{refused}");
    assert!(
        refused.stderr.contains("hint: deployment.apps/web itself does not use it, but what it made does"),
        "{refused}"
    );
    assert!(!refused.stderr.contains("detach"), "{refused}");
}

#[scenario]
fn what_ended_is_scaled_to_0_or_does_without_is_only_mentioned(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("ns");
    world.create_secret(&namespace, "s", &[("k", VALUE)]);
    create_workload(world, &namespace, "deployments", "idle", with_variable("k"));
    scale_to_0(world, &namespace, "idle");
    create_workload(world, &namespace, "deployments", "web", with_optional);
    create_finished_pod(world, &namespace);
    let deleted = sandbox.run(["delete", "s", "-n", &namespace, "--yes"]).success();
    for line in [
        "* deployment.apps/idle (scaled to 0) refers to it: env V\n",
        "* deployment.apps/web (starting) refers to it: env V\n",
        "* pod/ended (finished) refers to it: env V\n",
    ] {
        assert!(deleted.stderr.contains(line), "{line}: {deleted}");
    }
    assert!(!deleted.stderr.contains("needs it") && !is_there(world, &namespace), "{deleted}");
}

#[scenario]
fn where_nothing_uses_it_that_is_said_and_each_kind_is_listed_once(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("ns");
    for name in ["s", "t"] {
        world.create_secret(&namespace, name, &[("k", VALUE)]);
    }
    create_workload(world, &namespace, "deployments", "web", with_variable("k"));
    world.clear_log();
    let partly = sandbox.run(["delete", "s", "t", "nothing", "-n", &namespace, "--yes"]).fails_with(3);
    assert_eq!(partly.stdout, "secret/t deleted\n");
    assert!(
        partly.stderr.contains("error: secret s: secret \"s\" is needed by deployment.apps/web"),
        "{partly}"
    );
    assert!(partly.stderr.contains("* no use of it was found\n"), "{partly}");
    let calls = world.calls();
    for kind in ["/deployments", "/pods", "/cronjobs", "/serviceaccounts"] {
        assert_eq!(calls.iter().filter(|call| call.ends_with(kind)).count(), 1, "{kind}: {calls:?}");
    }
    let is_discovery = |call: &&String| call.ends_with("/apis") || call.ends_with("/api");
    assert_eq!(calls.iter().filter(is_discovery).count(), 1, "one discovery for all: {calls:?}");
    world.clear_log();
    sandbox.run(["delete", "nothing", "-n", &namespace, "--yes"]).fails_with(1);
    let kinds = ["deployments", "pods", "cronjobs", "serviceaccounts"];
    let looks = world.calls().iter().filter(|call| kinds.iter().any(|kind| call.ends_with(kind))).count();
    assert_eq!(looks, 0, "who uses what is not there is not looked for: {:?}", world.lines());
}

#[scenario]
fn what_can_not_be_looked_at_is_named_and_does_not_stop_it(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("ns");
    world.create_secret(&namespace, "s", &[("k", VALUE)]);
    create_workload(world, &namespace, "deployments", "web", with_variable("k"));
    create_workload(world, &namespace, "statefulsets", "db", with_optional);
    let user = world.user("limited");
    let rules = json!([
        {"apiGroups": [""], "resources": ["secrets"], "verbs": ["get", "delete"]},
        {"apiGroups": ["batch"], "resources": ["jobs", "cronjobs"], "verbs": ["list"]},
        {"apiGroups": ["apps"], "resources": ["statefulsets", "daemonsets"], "verbs": ["list"]},
        {"apiGroups": GROUPS, "resources": ["*"], "verbs": ["list"]},
    ]);
    world.grant(&user, Some(&namespace), &rules);
    let deleted = sandbox.run(["delete", "s", "-n", &namespace, "--yes", "--token", &user.token]).success();
    let warning = format!(
        "Warning: you may not list deployments, ingresses, pods, replicasets and serviceaccounts in {namespace}: \
         some of them may need the secret\n"
    );
    assert!(deleted.stderr.contains(&warning), "{deleted}");
    assert!(deleted.stderr.contains("* statefulset.apps/db (starting) refers to it: env V\n"), "{deleted}");
    assert!(!is_there(world, &namespace));
}

#[scenario]
fn where_a_list_fails_nothing_is_deleted_unless_it_is_forced(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("ns");
    world.create_secret(&namespace, "s", &[("k", VALUE)]);
    world.fail(Fault::on("GET", "/daemonsets").for_ever().answer(500));
    let refused = sandbox.run(["delete", "s", "-n", &namespace, "--yes"]).fails_with(1);
    assert!(refused.stderr.contains("error: the workloads that use it could not be listed: "), "{refused}");
    assert!(
        refused.stderr.contains("hint: nothing was deleted; --force goes on") && is_there(world, &namespace),
        "{refused}"
    );
    let forced = sandbox.run(["delete", "s", "-n", &namespace, "--yes", "--force"]).success();
    assert!(
        forced
            .stderr
            .contains("Warning: the workloads that use it could not be listed, and --force goes on: "),
        "{forced}"
    );
    assert!(!is_there(world, &namespace));
}

#[scenario]
fn on_a_terminal_the_refusal_is_the_same_and_force_still_asks(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("ns");
    world.create_secret(&namespace, "s", &[("k", VALUE)]);
    create_workload(world, &namespace, "deployments", "web", with_variable("k"));
    let mut session = sandbox.in_terminal(["delete", "s", "-n", &namespace]);
    session.expect("deployment.apps/web (starting) needs it");
    session.expect("--force deletes it anyway");
    assert_eq!(session.wait().0, 1);
    for (answer, code) in [("n", 1), ("y", 0)] {
        let mut session = sandbox.in_terminal(["delete", "s", "-n", &namespace, "--force"]);
        session.expect("needs it");
        session.expect("Delete s?");
        session.send(answer);
        assert_eq!(session.wait().0, code);
        assert_eq!(is_there(world, &namespace), code == 1);
    }
}

#[scenario]
fn a_service_account_that_pulls_images_with_it_needs_it(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("ns");
    world.create_secret(&namespace, "s", &[("k", VALUE)]);
    let account = json!({"metadata": {"name": "robot"}, "imagePullSecrets": [{"name": "s"}]});
    world.create(&format!("/api/v1/namespaces/{namespace}/serviceaccounts"), &account);
    let refused = sandbox.run(["delete", "s", "-n", &namespace, "--yes"]).fails_with(1);
    assert!(refused.stderr.contains("* serviceaccount/robot needs it: image pull\n"), "{refused}");
    let way = format!("to take it off: kubectl runai-secret detach s serviceaccount/robot -n {namespace}\n");
    assert!(refused.stderr.contains(&way), "{refused}");
    sandbox.run(["detach", "s", "serviceaccount/robot", "-n", &namespace]).success();
    sandbox.run(["delete", "s", "-n", &namespace, "--yes"]).success();
}

#[scenario]
fn who_needs_a_copy_keeps_a_shared_secret_from_being_deleted(world: &World, sandbox: &Sandbox) {
    let shared = Shared::new(world);
    let (a, b, theirs) = (world.project("a"), world.project("b"), world.project("theirs"));
    runais_copy(world, &a, VALUE);
    our_copy(world, &shared, &b.namespace, VALUE);
    create(world, &theirs.namespace, &json!({}), &json!({}), VALUE);
    let with_hf = |spec: &mut Value| spec["imagePullSecrets"] = json!([{"name": "hf"}]);
    for project in [&a, &b, &theirs] {
        create_workload(world, &project.namespace, "deployments", "web", with_hf);
    }
    scale_to_0(world, &b.namespace, "web");
    world.clear_log();
    let words = shared.run(&["delete", "hf", "--cluster-wide", "--yes", "--timeout", "0"]);
    let refused = sandbox.run(&words).fails_with(1);
    let needed = format!("deployment.apps/web in {}", a.namespace);
    assert!(refused.stderr.contains(&format!("* {needed} (starting) needs it: image pull\n")), "{refused}");
    let mentioned =
        format!("* deployment.apps/web in {} (scaled to 0) refers to it: image pull\n", b.namespace);
    assert!(refused.stderr.contains(&mentioned), "{refused}");
    for silence in ["is deleted", "is not shared any more", theirs.namespace.as_str()] {
        assert!(!refused.stderr.contains(silence), "{silence}: {refused}");
    }
    assert!(refused.stderr.contains(&format!("error: secret \"hf\" is needed by {needed};")), "{refused}");
    assert!(world.writes().is_empty());
    let lists = world.calls().into_iter().filter(|call| call.ends_with("/deployments")).collect::<Vec<_>>();
    assert_eq!(lists, ["GET /apis/apps/v1/deployments"], "one list of all namespaces");
    sandbox.run(words.iter().chain(&["--force"])).success();
    assert!(world.secret(&shared.runai, "hf").is_none() && world.secret(&a.namespace, "hf").is_none());
    assert!(world.secret(&theirs.namespace, "hf").is_some());
}

#[scenario]
fn who_may_not_list_all_workloads_is_told_where_nobody_looked(world: &World, sandbox: &Sandbox) {
    let shared = Shared::new(world);
    let a = world.project("a");
    runais_copy(world, &a, VALUE);
    let user = world.user("limited");
    world.grant(
        &user,
        None,
        &json!([
            {"apiGroups": [""], "resources": ["secrets"], "verbs": ["*"]},
            {"apiGroups": [""], "resources": ["namespaces"], "verbs": ["list"]},
            {"apiGroups": ["apps"], "resources": ["*"], "verbs": ["list"]},
            {"apiGroups": GROUPS, "resources": ["*"], "verbs": ["list"]},
        ]),
    );
    world.clear_log();
    let words =
        shared.run(&["delete", "hf", "--cluster-wide", "--yes", "--timeout", "0", "--token", &user.token]);
    let deleted = sandbox.run(&words).success();
    let usage = format!("kubectl runai-secret usage hf -A --runai-namespace={}", shared.runai);
    let warning = format!(
        "Warning: you may not list cronjobs, ingresses, jobs, pods and serviceaccounts in all namespaces: \
         some of them may need a copy ({usage} looks into each project)\n"
    );
    assert!(deleted.stderr.contains(&warning), "{deleted}");
    assert!(!world.calls().iter().any(|call| call.contains(&format!("{}/pods", a.namespace))));
}
