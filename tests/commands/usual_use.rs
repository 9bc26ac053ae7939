//! `attach` without more words, of secrets that say what they hold.

use serde_json::{Value, json};
use support::{Sandbox, World, scenario};

use crate::guide::answer;
use crate::set::create_workload;
use crate::workloads::{BATCH, DEPLOYMENTS, pod_template};

const CANARY: &str = "Zq7cAnArY0123456789abcdefghijklmnopqrstuvwxyz";

fn create(world: &World, namespace: &str, name: &str, secret_type: &str, labels: &Value, keys: &[&str]) {
    let data: serde_json::Map<String, Value> =
        keys.iter().map(|key| ((*key).to_owned(), CANARY.into())).collect();
    let metadata = json!({"name": name, "labels": labels});
    let secret = json!({"metadata": metadata, "type": secret_type, "stringData": data});
    world.create(&format!("/api/v1/namespaces/{namespace}/secrets"), &secret);
}

/// The pod spec of the deployment `web`.
fn spec(world: &World, namespace: &str) -> Value {
    let path = format!("/{DEPLOYMENTS}/namespaces/{namespace}/deployments/web");
    world.get(&path).unwrap()["spec"]["template"]["spec"].clone()
}

fn login(service: &str) -> Value {
    json!({"kubectl-runai-secret/login": service})
}

#[scenario]
fn each_key_of_a_login_becomes_the_variable_that_libraries_read(world: &World, sandbox: &Sandbox) {
    let project = world.project("a");
    let namespace = &project.namespace;
    create_workload(world, namespace, "deployments", "web", |_| {});
    create(world, namespace, "aws", "Opaque", &login("aws"), &["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"]);
    let attached = sandbox
        .with_run()
        .run_as_users_do(["attach", "aws", "deployment/web", "-p", &project.name])
        .success();
    attached.never_shows(CANARY.as_bytes());
    for name in ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"] {
        let line = format!("note: env {name} ← SECRET:aws,{name} in container main\n");
        assert!(attached.stderr.contains(&line), "{attached}");
    }
    let env = &spec(world, namespace)["containers"][0]["env"];
    let names: Vec<&str> =
        env.as_array().unwrap().iter().map(|entry| entry["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"]);
    let again = sandbox.run(["attach", "aws", "deployment/web", "-p", &project.name]).success();
    assert!(again.stderr.contains("has all of this already"), "{again}");
    // Run:ai's names of the same.
    create(
        world,
        namespace,
        "s3",
        "Opaque",
        &json!({"run.ai/resource": "access-key"}),
        &["AccessKeyId", "SecretKey"],
    );
    let replaced =
        sandbox.run(["attach", "s3", "deployment/web", "--overwrite", "-p", &project.name]).success();
    assert!(replaced.stderr.contains("env AWS_ACCESS_KEY_ID ← SECRET:s3,AccessKeyId"), "{replaced}");
}

#[scenario]
fn a_file_comes_with_the_variable_that_holds_its_path(world: &World, sandbox: &Sandbox) {
    let project = world.project("a");
    let namespace = &project.namespace;
    create_workload(world, namespace, "deployments", "web", |_| {});
    create(world, namespace, "gcloud", "Opaque", &login("gcloud"), &["application_default_credentials.json"]);
    let attached = sandbox.run(["attach", "gcloud", "deployment/web", "-p", &project.name]).success();
    let path = "/etc/gcloud/application_default_credentials.json";
    assert!(
        attached.stderr.contains(&format!("env GOOGLE_APPLICATION_CREDENTIALS = {path} in container main\n")),
        "{attached}"
    );
    let container = &spec(world, namespace)["containers"][0];
    assert_eq!(container["env"], json!([{"name": "GOOGLE_APPLICATION_CREDENTIALS", "value": path}]));
    assert_eq!(container["volumeMounts"][0]["mountPath"], "/etc/gcloud");
    let again = sandbox.run(["attach", "gcloud", "deployment/web", "-p", &project.name]).success();
    assert!(again.stderr.contains("has all of this already"), "{again}");
    let detached = sandbox.run(["detach", "gcloud", "deployment/web", "-p", &project.name]).success();
    let warning = format!(
        "Warning: env GOOGLE_APPLICATION_CREDENTIALS in container main still names {path}, which is gone"
    );
    assert!(detached.stderr.contains(&warning), "{detached}");
}

#[scenario]
fn a_registry_login_pulls_images_and_an_ssh_key_is_where_openssh_looks(world: &World, sandbox: &Sandbox) {
    let project = world.project("a");
    let namespace = &project.namespace;
    create_workload(world, namespace, "deployments", "web", |_| {});
    let config = json!({"metadata": {"name": "ghcr"}, "type": "kubernetes.io/dockerconfigjson",
                        "stringData": {".dockerconfigjson": "{\"auths\":{}}"}});
    world.create(&format!("/api/v1/namespaces/{namespace}/secrets"), &config);
    create(world, namespace, "git", "kubernetes.io/ssh-auth", &json!({}), &["ssh-privatekey", "known_hosts"]);
    sandbox.run(["attach", "ghcr", "deployment/web", "-p", &project.name]).success();
    let words = ["attach", "git", "deployment/web", "-p", &project.name];
    let other = sandbox.run(words.iter().chain(&["--mode=0440", "--dry-run=client", "-oyaml"])).success();
    assert!(other.stdout.contains("defaultMode: 288"), "{other}");
    sandbox.run(words).success();
    let spec = spec(world, namespace);
    assert_eq!(spec["imagePullSecrets"], json!([{"name": "ghcr"}]));
    assert_eq!(spec["containers"][0]["volumeMounts"][0]["mountPath"], "/root/.ssh");
    let volume = &spec["volumes"][0]["secret"];
    assert_eq!(volume["defaultMode"], 0o400);
    assert_eq!(
        volume["items"],
        json!([{"key": "ssh-privatekey", "path": "id_ed25519"}, {"key": "known_hosts", "path": "known_hosts"}])
    );
}

#[scenario]
fn a_secret_that_does_not_say_what_it_holds_needs_words(world: &World, sandbox: &Sandbox) {
    let project = world.project("a");
    let namespace = &project.namespace;
    create_workload(world, namespace, "deployments", "web", |_| {});
    create(world, namespace, "plain", "Opaque", &json!({}), &["k"]);
    create(world, namespace, "empty", "Opaque", &login("gcloud"), &["other"]);
    world.clear_log();
    let words = |secret: &str| ["attach", secret, "deployment/web", "-p", &project.name].map(str::to_owned);
    let refused = sandbox.run(words("plain")).fails_with(2);
    assert!(
        refused.stderr.contains("error: say how the workload uses the secret\nhint: add --env KEY"),
        "{refused}"
    );
    let refused = sandbox.run(words("empty")).fails_with(1);
    assert!(
        refused.stderr.contains("secret empty has none of the keys that its usual use needs"),
        "{refused}"
    );
    let missing = sandbox.run(words("nothing")).fails_with(1);
    assert!(
        missing.stderr.contains("Error from server (NotFound): secrets \"nothing\" not found"),
        "{missing}"
    );
    assert!(world.writes().is_empty());
}

#[scenario]
fn a_variable_holds_the_path_of_the_file_or_of_the_folder(world: &World, sandbox: &Sandbox) {
    let project = world.project("a");
    let namespace = &project.namespace;
    create_workload(world, namespace, "deployments", "web", |_| {});
    create(world, namespace, "s", "Opaque", &json!({}), &["ca.crt", "k"]);
    let words = |mount: &str, variable: &str| {
        ["attach", "s", "deployment/web", "--mount", mount, "--path-env", variable, "-p", &project.name]
            .map(str::to_owned)
    };
    sandbox.run(words("/etc/ca:ca.crt", "SSL_CERT_FILE")).success();
    sandbox.run(words("/etc/all", "CONFIG_DIR")).success();
    let env = &spec(world, namespace)["containers"][0]["env"];
    let expected = json!([
        {"name": "SSL_CERT_FILE", "value": "/etc/ca/ca.crt"},
        {"name": "CONFIG_DIR", "value": "/etc/all"},
    ]);
    assert_eq!(*env, expected);
    let taken = sandbox.run(words("/etc/other", "CONFIG_DIR")).fails_with(1);
    assert!(taken.stderr.contains("already has an env CONFIG_DIR with another value or source"), "{taken}");
    let alone = sandbox
        .run(["attach", "s", "deployment/web", "--env=k", "--path-env=P", "-p", &project.name])
        .fails_with(2);
    assert!(alone.stderr.contains("--mount"), "{alone}");
}

#[scenario]
fn on_a_terminal_the_usual_use_is_the_first_choice_and_not_asked_for_where_both_are_named(
    world: &World,
    sandbox: &Sandbox,
) {
    let project = world.project("a");
    let namespace = &project.namespace;
    create_workload(world, namespace, "deployments", "web", |_| {});
    create(world, namespace, "hf", "Opaque", &login("huggingface"), &["HF_TOKEN"]);
    let mut session = sandbox.in_terminal(["attach", "-n", namespace]);
    answer(&mut session, "Secret", "hf");
    answer(&mut session, "How should the workload get it?", "");
    answer(&mut session, "Workload", "web");
    session.expect("Change deployment.apps/web?");
    session.send("y");
    let (code, shown) = session.wait();
    assert_eq!(code, 0, "{shown}");
    assert!(shown.contains("as usual"), "{shown}");
    assert_eq!(spec(world, namespace)["containers"][0]["env"][0]["name"], "HF_TOKEN");
    let (code, shown) = sandbox.in_terminal(["attach", "hf", "deploy/web", "-n", namespace]).wait();
    assert!(code == 0 && shown.contains("has all of this already"), "{shown}");
}

#[scenario]
fn a_new_secret_is_attached_in_the_same_line(world: &World, sandbox: &Sandbox) {
    let project = world.project("a");
    let namespace = &project.namespace;
    create_workload(world, namespace, "deployments", "web", |_| {});
    let token = sandbox.home().join(".cache/huggingface/token");
    std::fs::create_dir_all(token.parent().unwrap()).unwrap();
    std::fs::write(&token, format!("hf_{CANARY}")).unwrap();
    let words =
        |target: &str| ["create", "huggingface", "-p", &project.name, "--attach", target].map(str::to_owned);
    let missing = sandbox.with_run().run_as_users_do(words("deployment/wbe")).fails_with(1);
    assert!(missing.stderr.contains("deployments.apps \"wbe\" not found"), "{missing}");
    assert!(world.secret(namespace, "hf").is_none(), "the workload is looked at first");
    let dry = sandbox
        .with_run()
        .run_as_users_do(words("deployment/web").into_iter().chain(["--dry-run=client".to_owned()]))
        .success();
    let note = "note: it would then be attached to deployment/web: env HF_TOKEN ← SECRET:hf,HF_TOKEN\n";
    assert!(dry.stderr.contains(note), "{dry}");
    let created = sandbox.with_run().run_as_users_do(words("deployment/web")).success();
    created.never_shows(CANARY.as_bytes());
    assert_eq!(created.stdout, "secret/hf created\ndeployment.apps/web updated\n");
    assert_eq!(spec(world, namespace)["containers"][0]["env"][0]["valueFrom"]["secretKeyRef"]["name"], "hf");
}

#[scenario]
fn a_job_is_created_again_with_its_new_secret_or_the_command_for_it_is_said(
    world: &World,
    sandbox: &Sandbox,
) {
    let project = world.project("a");
    let namespace = &project.namespace;
    let job =
        json!({"metadata": {"name": "train"}, "spec": {"suspend": true, "template": pod_template("Never")}});
    world.create(&format!("/{BATCH}/namespaces/{namespace}/jobs"), &job);
    let words = [
        "create",
        "s",
        "--from-literal=MY_KEY=v",
        "--from-literal=other-key=w",
        "--attach=job/train",
        "-p",
        &project.name,
    ];
    let refused = sandbox.run(words).fails_with(3);
    assert_eq!(refused.stdout, "secret/s created\n");
    assert!(refused.stderr.contains("secret/s is created"), "{refused}");
    assert!(
        refused.stderr.contains(&format!(
            "hint: to attach it: kubectl runai-secret attach s job.batch/train --env=MY_KEY=MY_KEY --env=OTHER_KEY=other-key -n {namespace}\n"
        )),
        "{refused}"
    );
    world.clear_log();
    let unanswered = sandbox.run(words.iter().chain(&["--replace", "--recreate"])).fails_with(2);
    assert!(unanswered.stderr.contains("hint: add --yes to confirm; nothing was changed"), "{unanswered}");
    assert!(world.writes().is_empty(), "which is true");
    let again = sandbox.run(words.iter().chain(&["--replace", "--recreate", "--yes"])).success();
    assert!(again.stdout.contains("secret/s unchanged\n"), "{again}");
    let path = format!("/{BATCH}/namespaces/{namespace}/jobs/train");
    let env = world.get(&path).unwrap()["spec"]["template"]["spec"]["containers"][0]["env"].clone();
    let names: Vec<&str> =
        env.as_array().unwrap().iter().map(|entry| entry["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["MY_KEY", "OTHER_KEY"]);
}

#[scenario]
fn what_one_line_can_not_do_is_refused_before_anything_is_created(world: &World, sandbox: &Sandbox) {
    let [a, b] = ["a", "b"].map(|name| world.project(name));
    world.clear_log();
    let words = ["create", "s", "--from-literal=k=v", "--attach", "deploy/web", "-p", &a.name];
    let refused = sandbox.run(words.iter().chain(&["-p", &b.name])).fails_with(2);
    assert!(refused.stderr.contains("--attach is about one project, and several are named"), "{refused}");
    let refused = sandbox.run(words.iter().chain(&["-o", "json"])).fails_with(2);
    assert!(refused.stderr.contains("-o prints one object, and --attach changes others"), "{refused}");
    let words = ["create", "s", "--from-literal=k=v", "--attach=nosuchkind/web", "-p", &a.name];
    let refused = sandbox.run(words).fails_with(2);
    assert!(refused.stderr.contains("nosuchkind"), "{refused}");
    assert!(world.writes().is_empty());
}

#[scenario]
fn a_new_job_uses_secrets_as_they_say_it_themselves(world: &World, sandbox: &Sandbox) {
    let project = world.project("a");
    let namespace = &project.namespace;
    create(world, namespace, "hf", "Opaque", &login("huggingface"), &["HF_TOKEN"]);
    create(world, namespace, "git", "kubernetes.io/ssh-auth", &json!({}), &["ssh-privatekey"]);
    create(world, namespace, "plain", "Opaque", &json!({}), &["k"]);
    world.clear_log();
    let words = ["submit", "train", "-i", "python", "-p", &project.name, "--secret"];
    let plain = sandbox.run(words.iter().chain(&["plain"])).fails_with(2);
    assert!(plain.stderr.contains("error: secret plain does not say what it holds"), "{plain}");
    assert!(plain.stderr.contains("hint: instead of --secret plain: --env-all plain, "), "{plain}");
    let none = sandbox.run(words.iter().chain(&["nothing"])).fails_with(1);
    assert!(none.stderr.contains("secrets \"nothing\" not found"), "{none}");
    let idle = sandbox.run(words.iter().chain(&["hf", "--mode=0400"])).fails_with(2);
    assert!(
        idle.stderr.contains("--mode sets the permissions of files, but no files are asked for"),
        "{idle}"
    );
    assert!(world.writes().is_empty());
    let more = ["hf", "--secret", "git", "-e", "URL=https://me:$(HF_TOKEN)@host"];
    let submitted = sandbox.with_run().run_as_users_do(words.iter().chain(&more)).success();
    submitted.never_shows(CANARY.as_bytes());
    assert_eq!(submitted.stdout, "job.batch/train created\n");
    for line in ["env HF_TOKEN ← SECRET:hf,HF_TOKEN", "files id_ed25519 in /root/.ssh ← secret git"] {
        assert!(submitted.stderr.contains(&format!("note: {line}")), "{submitted}");
    }
    let path = format!("/{BATCH}/namespaces/{namespace}/jobs/train");
    let spec = &world.get(&path).unwrap()["spec"]["template"]["spec"];
    let env = spec["containers"][0]["env"].as_array().unwrap();
    let names: Vec<&str> = env.iter().map(|entry| entry["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["HF_TOKEN", "URL"], "a variable sees only those before it");
    assert_eq!(env[0]["valueFrom"]["secretKeyRef"]["name"], "hf");
    assert_eq!(spec["volumes"][0]["secret"]["defaultMode"], 0o400);
}
