//! What `attach` looks at before it writes, and what it says about it.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use support::{Fault, Sandbox, World, scenario};

use crate::definitions::{custom_kinds, define};
use crate::workloads::{DEPLOYMENTS, create_deployment, create_job, pod_template};

const LEGACY_LABEL: &str = "runai/cluster-wide";

fn pod_of(world: &World, namespace: &str) -> Value {
    let path = format!("/{DEPLOYMENTS}/namespaces/{namespace}/deployments/web");
    world.get(&path).unwrap()["spec"]["template"]["spec"].clone()
}

/// A project with the deployment `web` and the secret `s`, whose keys are `token` and `user`.
fn prepared(world: &World) -> String {
    let namespace = world.project("a").namespace;
    create_deployment(world, &namespace, "web");
    world.create_secret(&namespace, "s", &[("token", "t0ken-value"), ("user", "jane")]);
    namespace
}

/// A reference to a controller.
fn controller(api_version: &str, object: &Value) -> Value {
    let (kind, metadata) = (&object["kind"], &object["metadata"]);
    json!([{
        "apiVersion": api_version, "kind": kind, "name": metadata["name"], "uid": metadata["uid"], "controller": true,
    }])
}

/// The replica set of the deployment `web`, and its pod. In the in-process server nobody makes them, and on the real one
/// nobody else may: its controllers would take them for strangers.
fn made_by_the_deployment(world: &World, namespace: &str) -> [String; 2] {
    let (sets, pods) = (
        format!("/{DEPLOYMENTS}/namespaces/{namespace}/replicasets"),
        format!("/api/v1/namespaces/{namespace}/pods"),
    );
    if !world.is_real() && world.list(&sets).is_empty() {
        let deployment =
            world.get(&format!("/{DEPLOYMENTS}/namespaces/{namespace}/deployments/web")).unwrap();
        let template = pod_template("Always");
        let spec = json!({"selector": {"matchLabels": {"app": "test"}}, "template": template});
        let metadata = json!({"name": "web-1", "ownerReferences": controller("apps/v1", &deployment)});
        let set = world.create(&sets, &json!({"metadata": metadata, "spec": spec}));
        let metadata = json!({"name": "web-1-x", "ownerReferences": controller("apps/v1", &set)});
        world.create(&pods, &json!({"metadata": metadata, "spec": template["spec"]}));
    }
    let start = Instant::now();
    while world.list(&pods).is_empty() {
        assert!(start.elapsed() < Duration::from_mins(1), "the deployment gets no pod");
        std::thread::sleep(Duration::from_millis(50));
    }
    [("rs", sets), ("po", pods)]
        .map(|(word, path)| format!("{word}/{}", world.list(&path)[0]["metadata"]["name"].as_str().unwrap()))
}

#[scenario]
fn a_secret_of_another_project_is_said_to_be_there(world: &World, sandbox: &Sandbox) {
    // The search goes through the whole cluster, in which other scenarios have a secret hf.
    const NAME: &str = "hf-of-team-b";
    let namespace = prepared(world);
    let other = world.project("b");
    world.create_secret(&other.namespace, NAME, &[("token", "t0ken-value")]);
    let words = ["attach", NAME, "deploy/web", "--env", "token", "-n", &namespace];
    let refused = sandbox.run(words).fails_with(1);
    let hint = format!(
        "hint: project {} has a secret {NAME}, but a workload can only use secrets of its own namespace",
        other.name
    );
    assert!(refused.stderr.contains(&hint), "{refused}");
    assert!(world.writes().is_empty());
    refused.never_shows(b"t0ken-value");
}

#[scenario]
fn a_shared_secret_whose_copy_is_not_here_yet_is_said_to_be_on_its_way(world: &World, sandbox: &Sandbox) {
    let namespace = prepared(world);
    let runai = world.runai_namespace();
    world.create_secret(&runai, "hf", &[("token", "t0ken-value")]);
    let attach = |namespace: &str| {
        let words =
            ["attach", "hf", "deploy/web", "--env", "token", "-n", namespace, "--runai-namespace", &runai];
        sandbox.run(words).fails_with(1).stderr
    };
    let unshared = attach(&namespace);
    assert!(
        unshared.contains("not shared with the projects; to share it: kubectl runai-secret label hf"),
        "{unshared}"
    );
    let labels = json!({"metadata": {"labels": {LEGACY_LABEL: "true"}}});
    world.patch(&format!("/api/v1/namespaces/{runai}/secrets/hf"), &labels);
    let pending = attach(&namespace);
    assert!(pending.contains("its copy has not arrived here yet: try again in a minute"), "{pending}");
    let outside = world.namespace("outside");
    create_deployment(world, &outside, "web");
    let never = attach(&outside);
    assert!(never.contains(&format!("namespace {outside} belongs to none")), "{never}");
}

#[scenario]
fn who_may_not_look_around_is_still_told_that_the_secret_is_missing(world: &World, sandbox: &Sandbox) {
    let namespace = prepared(world);
    let user = world.user("attacher");
    let rules = json!([
        { "apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["get", "update"] },
        { "apiGroups": [""], "resources": ["secrets"], "verbs": ["get"] },
    ]);
    world.grant(&user, Some(&namespace), &rules);
    let words = ["attach", "hf", "deploy/web", "--env", "k", "-n", &namespace, "--token", &user.token];
    let refused = sandbox.run(words).fails_with(1);
    assert!(
        refused.stderr.starts_with("Error from server (NotFound): secrets \"hf\" not found"),
        "{refused}"
    );
}

#[scenario]
fn secrets_that_may_not_be_read_are_one_warning(world: &World, sandbox: &Sandbox) {
    let namespace = prepared(world);
    let user = world.user("attacher");
    let rules = json!([{ "apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["get", "update"] }]);
    world.grant(&user, Some(&namespace), &rules);
    let words = ["attach", "deploy/web", "-e", "A=SECRET:s,k", "-e", "B=SECRET:t,k", "-n", &namespace];
    let attached = sandbox.run(words.iter().copied().chain(["--token", &user.token])).success();
    assert_eq!(attached.stderr.matches("Warning:").count(), 1, "{attached}");
    assert!(attached.stderr.contains("s and t and the keys were not checked"), "{attached}");
}

#[scenario]
fn a_secret_without_a_login_is_not_used_for_pulling_images(world: &World, sandbox: &Sandbox) {
    let namespace = prepared(world);
    let refused = sandbox.run(["attach", "s", "deploy/web", "--image-pull", "-n", &namespace]).fails_with(1);
    assert!(refused.stderr.contains("its type is Opaque, not kubernetes.io/dockerconfigjson"), "{refused}");
    assert!(refused.stderr.contains("hint: make a registry login"), "{refused}");
    assert!(world.writes().is_empty());
}

#[scenario]
fn a_missing_secret_for_pulling_images_is_made_as_a_registry_login(world: &World, sandbox: &Sandbox) {
    let namespace = prepared(world);
    let words = ["attach", "nothing", "deploy/web", "--image-pull", "-n", &namespace];
    let refused = sandbox.run(words).fails_with(1);
    let create = format!(
        "hint: or create it: kubectl runai-secret create docker-registry nothing -n {namespace} --docker-server=HOST \
         --docker-username=USER"
    );
    assert!(refused.stderr.contains(&create), "{refused}");
}

#[scenario]
fn a_name_that_newer_servers_take_is_warned_of_and_sent(world: &World, sandbox: &Sandbox) {
    let namespace = prepared(world);
    let words = ["attach", "s", "deploy/web", "--env", "1A=token", "-n", &namespace];
    let attached = sandbox.run(words).success();
    assert!(attached.stderr.contains("env name \"1A\" is legal from Kubernetes 1.32 on"), "{attached}");
    assert_eq!(pod_of(world, &namespace)["containers"][0]["env"][0]["name"], "1A");
}

#[scenario]
fn the_files_of_two_secrets_can_be_in_one_path(world: &World, sandbox: &Sandbox) {
    let namespace = prepared(world);
    world.create_secret(&namespace, "t", &[("cert", "c3rt-value")]);
    let before = pod_of(world, &namespace);
    let both = [
        "attach",
        "deploy/web",
        "--secret-volume",
        "path=/etc/x,name=s",
        "--secret-volume",
        "path=/etc/x,name=t",
    ];
    let both: Vec<&str> = both.into_iter().chain(["--mode", "0400", "-n", &namespace]).collect();
    sandbox.run(&both).success();
    let sources = json!([{"secret": {"name": "s"}}, {"secret": {"name": "t"}}]);
    let pod = pod_of(world, &namespace);
    assert_eq!(
        pod["volumes"],
        json!([{"name": "secret-s-t", "projected": {"sources": sources, "defaultMode": 256}}])
    );
    assert_eq!(pod["containers"][0]["volumeMounts"].as_array().unwrap().len(), 1);
    world.clear_log();
    assert_eq!(sandbox.run(&both).success().stdout, "deployment.apps/web unchanged\n");
    assert!(world.writes().is_empty());
    let detach = |secret: &str| sandbox.run(["detach", secret, "deploy/web", "-n", &namespace]).success();
    detach("s");
    let left = pod_of(world, &namespace)["volumes"][0]["projected"]["sources"].clone();
    assert_eq!(left, json!([{"secret": {"name": "t"}}]));
    detach("t");
    assert_eq!(pod_of(world, &namespace), before);
}

#[scenario]
fn the_same_file_of_two_secrets_is_refused(world: &World, sandbox: &Sandbox) {
    let namespace = prepared(world);
    world.create_secret(&namespace, "t", &[("token", "other")]);
    let words =
        ["attach", "deploy/web", "--secret-volume", "path=/x,name=s", "--secret-volume", "path=/x,name=t"];
    let refused = sandbox.run(words.into_iter().chain(["-n", &namespace])).fails_with(1);
    assert!(
        refused.stderr.contains("file token in /x would come from secret \"s\" and from \"t\""),
        "{refused}"
    );
    assert!(world.writes().is_empty());
}

#[scenario]
fn a_variable_that_hides_a_key_is_warned_of(world: &World, sandbox: &Sandbox) {
    let namespace = prepared(world);
    let env = json!([{"name": "token", "value": "hunter2-value"}]);
    let container = json!({"name": "main", "image": "busybox", "env": env});
    let path = format!("/{DEPLOYMENTS}/namespaces/{namespace}/deployments/web");
    world.patch(&path, &json!({"spec": {"template": {"spec": {"containers": [container]}}}}));
    let attached = sandbox.run(["attach", "s", "deploy/web", "--env-all", "-n", &namespace]).success();
    assert!(attached.stderr.contains("container main has an env token of its own"), "{attached}");
    attached.never_shows(b"hunter2-value");
}

#[scenario]
fn what_a_controller_makes_is_answered_with_what_a_person_made(world: &World, sandbox: &Sandbox) {
    let namespace = prepared(world);
    for target in made_by_the_deployment(world, &namespace) {
        let target = target.as_str();
        let refused = sandbox.run(["attach", "s", target, "--env", "token", "-n", &namespace]).fails_with(1);
        assert!(
            refused.stderr.contains("is made by deployment.apps/web, which would undo the change"),
            "{refused}"
        );
        assert!(refused.stderr.contains("hint: attach to deployment.apps/web instead"), "{refused}");
    }
    let [set, _] = made_by_the_deployment(world, &namespace);
    let refused = sandbox.run(["detach", "s", &set, "-n", &namespace]).fails_with(1);
    assert!(refused.stderr.contains("hint: detach from deployment.apps/web instead"), "{refused}");
    assert!(world.writes().is_empty());
}

#[scenario]
fn a_job_of_a_run_ai_workload_is_answered_with_it(world: &World, sandbox: &Sandbox) {
    define(world, &["run.ai"]);
    let namespace = prepared(world);
    let runaijob = custom_kinds().into_iter().find(|example| example.kind == "RunaiJob").unwrap();
    let owner = runaijob.create(world, &namespace, "train");
    create_job(world, &namespace, "train-0");
    let path = format!("/apis/batch/v1/namespaces/{namespace}/jobs/train-0");
    world.patch(&path, &json!({"metadata": {"ownerReferences": controller("run.ai/v1", &owner)}}));
    let attach =
        || sandbox.run(["attach", "s", "job/train-0", "--env", "token", "-n", &namespace]).fails_with(1);
    let refused = attach();
    assert!(refused.stderr.contains("hint: attach to runaijob.run.ai/train instead"), "{refused}");
    let unknown = json!({"kind": "Notebook", "metadata": {"name": "nb", "uid": owner["metadata"]["uid"]}});
    world.patch(&path, &json!({"metadata": {"ownerReferences": controller("example.com/v1", &unknown)}}));
    let refused = attach();
    assert!(refused.stderr.contains("hint: change notebook/nb itself"), "{refused}");
}

#[scenario]
fn an_owner_that_is_gone_is_not_offered(world: &World, sandbox: &Sandbox) {
    let namespace = prepared(world);
    create_job(world, &namespace, "train");
    // Where an owner is gone the garbage collector is quick, so the answer about it is made up.
    let deployment = world.get(&format!("/{DEPLOYMENTS}/namespaces/{namespace}/deployments/web")).unwrap();
    let owner = controller("apps/v1", &deployment);
    let path = format!("/apis/batch/v1/namespaces/{namespace}/jobs/train");
    world.patch(&path, &json!({"metadata": {"ownerReferences": owner}}));
    world.fail(Fault::on("GET", "/deployments/web").answer(404));
    let refused = sandbox.run(["attach", "s", "job/train", "--env", "token", "-n", &namespace]).fails_with(1);
    assert!(refused.stderr.contains("was made by deployment.apps/web, which is gone"), "{refused}");
}

#[scenario]
fn a_literal_value_of_a_run_ai_workload_is_never_shown(world: &World, sandbox: &Sandbox) {
    define(world, &["run.ai"]);
    let namespace = prepared(world);
    let training = custom_kinds().into_iter().find(|example| example.kind == "TrainingWorkload").unwrap();
    training.create(world, &namespace, "train");
    let path = format!("{}/train", training.collection(&namespace));
    let literal = json!({"spec": {"environment": {"items": {"TOKEN": {"value": "hunter2-value"}}}}});
    world.patch(&path, &literal);
    let words = ["attach", "s", "trainingworkload/train", "--env", "token", "-n", &namespace];
    let refused = sandbox.run(words).fails_with(1);
    assert!(refused.stderr.contains("already has an env TOKEN with another value or source"), "{refused}");
    refused.never_shows(b"hunter2-value");
    sandbox.run(words.iter().chain(&["--overwrite"])).success().never_shows(b"hunter2-value");
    let items = training.get(world, &namespace, "train")["spec"]["environment"]["items"].clone();
    assert_eq!(items, json!({"TOKEN": {"value": "SECRET:s,token"}}));
    let user = world.user("attacher");
    let rules =
        json!([{ "apiGroups": ["run.ai"], "resources": ["trainingworkloads"], "verbs": ["get", "update"] }]);
    world.grant(&user, Some(&namespace), &rules);
    let words =
        ["attach", "s", "trainingworkload/train", "--env-all", "-n", &namespace, "--token", &user.token];
    let refused = sandbox.run(words).fails_with(1);
    assert!(refused.stderr.contains("names each key"), "{refused}");
    assert!(refused.stderr.contains("hint: name them: --env KEY"), "{refused}");
}

#[scenario]
fn what_a_rule_of_its_definition_makes_immutable_is_created_anew_or_copied(world: &World, sandbox: &Sandbox) {
    define(world, &["jobset.x-k8s.io"]);
    let namespace = prepared(world);
    let jobset = custom_kinds().into_iter().find(|example| example.kind == "JobSet").unwrap();
    jobset.create(world, &namespace, "train");
    let words = ["attach", "s", "jobset/train", "--env", "token", "-n", &namespace];
    let refused = sandbox.run(words).fails_with(2);
    let why = "error: jobset.jobset.x-k8s.io/train can't be changed: its pod template is immutable";
    assert!(refused.stderr.contains(why), "{refused}");
    assert!(refused.stderr.contains("--recreate") && refused.stderr.contains("--copy-as NAME"), "{refused}");
    let copied = sandbox.run(words.iter().chain(&["--copy-as", "other"])).success();
    assert_eq!(copied.stdout, "jobset.jobset.x-k8s.io/other created\n");
    let copy = jobset.get(world, &namespace, "other");
    for part in jobset.parts {
        assert_eq!(copy.pointer(part).unwrap()["containers"][0]["env"][0]["name"], "TOKEN");
    }
}

#[scenario]
fn what_a_webhook_calls_immutable_is_too(world: &World, sandbox: &Sandbox) {
    define(world, &["run.ai"]);
    let namespace = prepared(world);
    let runaijob = custom_kinds().into_iter().find(|example| example.kind == "RunaiJob").unwrap();
    let before = runaijob.create(world, &namespace, "train");
    let words = "admission webhook \"v.run.ai\" denied the request: spec.template: Invalid value: …: field is immutable";
    world.fail(Fault::on("PUT", "/runaijobs/train").answer_with(403, words));
    let words = ["attach", "s", "rj/train", "--env", "token", "--recreate", "--yes", "-n", &namespace];
    let recreated = sandbox.run(words).success();
    assert_eq!(recreated.stdout, "runaijob.run.ai/train recreated\n");
    let after = runaijob.get(world, &namespace, "train");
    assert_ne!(after["metadata"]["uid"], before["metadata"]["uid"]);
    assert_eq!(after["spec"]["backoffLimit"], before["spec"]["backoffLimit"]);
    assert_eq!(after["metadata"]["labels"], before["metadata"]["labels"]);
    assert_eq!(after["spec"]["template"]["spec"]["containers"][0]["env"][0]["name"], "TOKEN");
}

#[scenario(real)]
fn a_container_that_was_added_to_a_running_pod_is_told_apart(world: &World, sandbox: &Sandbox) {
    let namespace = prepared(world);
    let mut pod = pod_template("Never");
    pod["metadata"] = json!({"name": "p"});
    world.create(&format!("/api/v1/namespaces/{namespace}/pods"), &pod);
    let debug = json!([{"name": "debug", "image": "busybox"}]);
    let path = format!("/api/v1/namespaces/{namespace}/pods/p");
    world.patch(&format!("{path}/ephemeralcontainers"), &json!({"spec": {"ephemeralContainers": debug}}));
    let words = ["attach", "s", "po/p", "--env", "token", "-c", "debug", "-n", &namespace];
    let refused = sandbox.run(words).fails_with(1);
    assert!(refused.stderr.contains("container \"debug\" of pod/p is ephemeral"), "{refused}");
}

#[scenario]
fn the_variables_that_all_keys_become_are_named(world: &World, sandbox: &Sandbox) {
    let namespace = prepared(world);
    let attach = ["attach", "s", "deploy/web", "--env-all", "-n", &namespace, "--dry-run=server"];
    let attached = sandbox.run(attach).success();
    let named = "note: all keys of secret s as variables: token and user\n";
    assert!(attached.stderr.contains(named), "{attached}");
    let submit = ["submit", "j", "-i", "img", "--env-all", "s", "-n", &namespace, "--dry-run=server"];
    let submitted = sandbox.run(submit).success();
    assert!(submitted.stderr.contains(named), "{submitted}");
}

#[scenario]
fn files_below_the_users_own_home_folder_are_warned_of(world: &World, sandbox: &Sandbox) {
    let namespace = prepared(world);
    let own = format!("{}/hf", sandbox.home().display());
    for (path, is_warned) in [(own.as_str(), true), ("/home/other/hf", false), ("/root/hf", false)] {
        let attach = ["attach", "s", "deploy/web", "--mount", path, "-n", &namespace, "--dry-run=server"];
        let attached = sandbox.run(attach).success();
        let warning = format!("Warning: {path} is below your home folder on this machine");
        assert_eq!(attached.stderr.contains(&warning), is_warned, "{attached}");
    }
    let manifest = json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "j"},
        "spec": {"template": pod_template("Never")}});
    sandbox.file("job.json", manifest.to_string());
    let in_file = sandbox.run(["attach", "s", "-f", "job.json", "--mount", &own]).success();
    assert!(in_file.stderr.contains("is below your home folder on this machine"), "{in_file}");
    let volume = format!("path={own},name=s");
    let submit =
        ["submit", "j", "-i", "img", "--secret-volume", &volume, "-n", &namespace, "--dry-run=server"];
    let submitted = sandbox.run(submit).success();
    assert!(submitted.stderr.contains("is below your home folder on this machine"), "{submitted}");
}
