//! Somebody who types less than a whole command is led to it: what is missing is asked for.

use serde_json::{Value, json};
use support::{Sandbox, Session, World, scenario};

use crate::workloads::{DEPLOYMENTS, create_deployment, create_job, env_of, job};

/// Waits for a question, then types an answer and Enter.
pub(crate) fn answer(session: &mut Session, question: &str, keys: &str) {
    session.expect(question);
    session.send(&format!("{keys}\r"));
}

fn deployment(world: &World, namespace: &str, name: &str) -> Value {
    world.get(&format!("/{DEPLOYMENTS}/namespaces/{namespace}/deployments/{name}")).unwrap()
}

type Questions<'a> = &'a [(&'a str, &'a str)];

const VALUE: &str = "t0ken-of-the-guide";

#[scenario]
fn who_types_nothing_is_led_to_a_new_secret(world: &World, sandbox: &Sandbox) {
    let project = world.project("vision");
    let mut session = sandbox.in_terminal(Vec::<&str>::new());
    answer(&mut session, "What do you have, or want to do?", "create");
    answer(&mut session, "Project", &project.name);
    answer(&mut session, "What kind of secret?", "generic");
    answer(&mut session, "Name of the new secret", "hf");
    answer(&mut session, "What goes into it?", "a key");
    // Who thinks of an API key's value is told, and Ctrl-U takes it back.
    answer(&mut session, "Name of the key", "hf_abcdefghijklmnopqrst");
    session.expect("this looks like a value");
    session.send("\u{15}HF_TOKEN\r");
    answer(&mut session, "Where does the value of HF_TOKEN come from?", "type");
    // At once: a paste after that choice would stand in the next question for all to see.
    answer(&mut session, "Value of HF_TOKEN", VALUE);
    answer(&mut session, "Once more", VALUE);
    answer(&mut session, "What else?", "that is all");
    session.expect("secret/hf of type Opaque");
    // Nothing is lost, so Enter says yes.
    answer(&mut session, "Create secret/hf?", "");
    session.expect("secret/hf created");
    let (code, shown) = session.wait();
    assert_eq!(code, 0, "{shown}");
    assert!(!shown.contains(VALUE), "{shown}");
    assert_eq!(world.secret_value(&project.namespace, "hf", "HF_TOKEN").unwrap(), VALUE.as_bytes());
    let next = format!("create generic hf -p {} --prompt HF_TOKEN", project.name);
    assert!(shown.contains(&format!("next time you can type: kubectl runai-secret {next}")), "{shown}");
}

#[scenario]
fn attaching_asks_in_the_order_in_which_a_person_would_say_it(world: &World, sandbox: &Sandbox) {
    let project = world.project("vision");
    world.create_secret(&project.namespace, "hf", &[("token", VALUE), ("user", "jane")]);
    create_deployment(world, &project.namespace, "web");
    create_job(world, &project.namespace, "train");
    world.clear_log();
    let mut session = sandbox.in_terminal(["attach"]);
    answer(&mut session, "Project", &project.name);
    session.expect("Secret");
    session.expect("Opaque, 2 keys");
    session.send("hf\r");
    answer(&mut session, "How should the workload get it?", "one key");
    answer(&mut session, "Key", "token");
    // What it would be called is proposed.
    answer(&mut session, "Name of the variable", "");
    answer(&mut session, "Anything else?", "files");
    answer(&mut session, "Folder in the container", "");
    answer(&mut session, "Anything else?", "");
    session.expect("Workload");
    session.expect("job/train");
    session.send("web\r");
    session.expect("Change deployment.apps/web?");
    session.send("y");
    session.expect("deployment.apps/web updated");
    let (code, shown) = session.wait();
    assert_eq!(code, 0, "{shown}");
    let secrets = format!("/namespaces/{}/secrets", project.namespace);
    let lists = world.requests().iter().filter(|request| request.path.ends_with(&secrets)).count();
    assert_eq!(lists, 1, "what was read to pick from is not read again: {:?}", world.lines());
    let named = format!("labelSelector=runai%2Fqueue%3D{}", project.name);
    let looks = world.lines().iter().filter(|line| line.contains(&named)).count();
    assert_eq!(looks, 1, "neither is the project's namespace: {:?}", world.lines());
    let spec = &deployment(world, &project.namespace, "web")["spec"];
    assert_eq!(env_of(spec)[0]["name"], "TOKEN");
    assert_eq!(spec["template"]["spec"]["containers"][0]["volumeMounts"][0]["mountPath"], "/etc/hf");
    let next = format!("attach hf deployment/web -p {} --env token --mount /etc/hf", project.name);
    assert!(shown.contains(&next), "{shown}");
}

#[scenario]
fn questions_and_the_command_they_lead_to_are_one_run_of_a_credential_plugin(
    world: &World,
    sandbox: &Sandbox,
) {
    let project = world.project("vision");
    world.create_secret(&project.namespace, "hf", &[("token", VALUE)]);
    create_deployment(world, &project.namespace, "web");
    let runs = sandbox.path().join("runs");
    let credential = json!({
        "kind": "ExecCredential", "apiVersion": "client.authentication.k8s.io/v1", "status": {"token": world.admin_token()},
    });
    let script = format!("#!/bin/sh\necho run >> '{}'\ncat <<'END'\n{credential}\nEND\n", runs.display());
    let plugin = sandbox.program("credentials", &script);
    let kubeconfig = sandbox.file("kubeconfig", world.kubeconfig().exec(&plugin, &[]).to_string());
    let mut session = sandbox.env("KUBECONFIG", kubeconfig).in_terminal(["attach", "hf", "--env", "token"]);
    answer(&mut session, "Project", &project.name);
    answer(&mut session, "Workload", "web");
    session.expect("Change deployment.apps/web?");
    session.send("y");
    let (code, shown) = session.wait();
    assert_eq!(code, 0, "{shown}");
    assert_eq!(std::fs::read_to_string(runs).unwrap(), "run\n");
}

#[scenario]
fn detaching_offers_what_uses_a_secret_and_says_how(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("a");
    for name in ["used", "other", "unused"] {
        world.create_secret(&namespace, name, &[("token", VALUE)]);
    }
    for name in ["web", "api", "idle"] {
        create_deployment(world, &namespace, name);
    }
    let attach = |secret, target| {
        sandbox.run(["attach", secret, target, "--env", "token", "-n", &namespace]).success()
    };
    attach("used", "deploy/web");
    attach("other", "deploy/api");
    let mut session = sandbox.in_terminal(["detach", "-n", &namespace]);
    session.expect("other: env TOKEN in container main");
    session.expect("used: env TOKEN in container main");
    session.send("web\r");
    answer(&mut session, "Secret", "used");
    session.expect("Change deployment.apps/web?");
    session.send("y");
    let (code, shown) = session.wait();
    assert_eq!(code, 0, "{shown}");
    assert!(!shown.contains("unused") && !shown.contains("idle"), "{shown}");
    assert!(env_of(&deployment(world, &namespace, "web")["spec"]).is_null());

    let mut session = sandbox.in_terminal(["detach", "other", "-n", &namespace]);
    answer(&mut session, "Workload", "");
    session.expect("Change deployment.apps/api?");
    session.send("n");
    let (code, shown) = session.wait();
    assert_eq!(code, 1, "{shown}");
    assert!(!shown.contains("deployment/web") && !shown.contains("idle"), "{shown}");

    let (code, shown) = sandbox.in_terminal(["detach", "unused", "-n", &namespace]).wait();
    assert_eq!(code, 1, "{shown}");
    assert!(shown.contains("no workload uses secret unused"), "{shown}");
}

#[scenario]
fn who_may_not_list_all_workloads_is_told_and_detaches_from_what_is_seen(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("a");
    world.create_secret(&namespace, "hf", &[("token", VALUE)]);
    create_deployment(world, &namespace, "web");
    let user = world.user("limited");
    let rules = json!([{ "apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["list", "get"] }]);
    world.grant(&user, Some(&namespace), &rules);
    let words = ["detach", "hf", "--token", &user.token, "-n", &namespace];
    let mut session = sandbox.in_terminal(words);
    session.expect("you may not list cronjobs,");
    session.expect("some of them may use secret hf");
    session.expect("Workload, such as deployment/web");
    session.send("\u{1b}");
    assert_eq!(session.wait().0, 130);
    sandbox.run(["attach", "hf", "deploy/web", "--env", "token", "-n", &namespace]).success();
    let mut session = sandbox.in_terminal(words);
    session.expect("you may not list cronjobs,");
    session.expect("hf: env TOKEN in container main");
    session.send("\u{1b}");
    assert_eq!(session.wait().0, 130);
}

#[scenario]
fn submitting_asks_for_image_secrets_and_command(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("a");
    world.create_secret(&namespace, "hf", &[("token", VALUE)]);
    let mut session = sandbox.in_terminal(["submit", "-n", &namespace]);
    answer(&mut session, "Image of the container", "python");
    answer(&mut session, "Name of the job", "train");
    // This is the tool for secrets: Enter takes the first, as a variable.
    answer(&mut session, "Which secrets does it need?", "");
    answer(&mut session, "How should the job get hf?", "");
    answer(&mut session, "Key", "token");
    answer(&mut session, "Name of the variable", "");
    answer(&mut session, "GPUs", "1");
    answer(&mut session, "Command line", "python -c 'print(1)'");
    session.expect("of image python; GPU: 1");
    session.expect("runs: python -c print(1)");
    session.expect("env TOKEN");
    session.expect("Submit job.batch/train?");
    session.send("y");
    session.expect("job.batch/train created");
    let (code, shown) = session.wait();
    assert_eq!(code, 0, "{shown}");
    let container = &job(world, &namespace, "train").unwrap()["spec"]["template"]["spec"]["containers"][0];
    assert_eq!(container["command"], json!(["python", "-c", "print(1)"]));
    assert_eq!(container["env"][0]["valueFrom"]["secretKeyRef"]["name"], "hf");
}

#[scenario]
fn a_token_in_a_command_that_is_typed_is_warned_of_and_not_shown_again(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("a");
    let mut session = sandbox.in_terminal(["submit", "train", "-g", "1", "-n", &namespace]);
    answer(&mut session, "Image of the container", "python");
    answer(&mut session, "Which secrets does it need?", "no secret");
    answer(&mut session, "Command line", "run --token hf_abcdefghijklmnopqrst");
    session.expect("seems to hold a secret");
    session.expect("runs: run --token ");
    session.expect("Submit job.batch/train?");
    session.send("y");
    session.expect("next time you can type: kubectl runai-secret submit train -g 1");
    let before = session.seen().len();
    let (code, shown) = session.wait();
    assert_eq!(code, 0, "{shown}");
    assert!(shown[before..].contains("-- run --token ") && !shown[before..].contains("hf_"), "{shown}");
    let container = &job(world, &namespace, "train").unwrap()["spec"]["template"]["spec"]["containers"][0];
    assert_eq!(container["command"][2], "hf_abcdefghijklmnopqrst");
}

#[scenario]
fn changing_a_secret_offers_its_keys(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("a");
    world.create_secret(&namespace, "hf", &[("old", "1"), ("token", "2")]);
    let mut session = sandbox.in_terminal(["set", "-n", &namespace]);
    answer(&mut session, "Secret", "hf");
    answer(&mut session, "Key", "token");
    answer(&mut session, "Where does the value of token come from?", "type");
    answer(&mut session, "Value of token", VALUE);
    answer(&mut session, "Once more", VALUE);
    session.expect("Set token?");
    session.send("y");
    let (code, shown) = session.wait();
    assert_eq!(code, 0, "{shown}");
    let mut session = sandbox.in_terminal(["unset", "hf", "-n", &namespace]);
    answer(&mut session, "Key", "old");
    session.expect("Take old out of hf?");
    session.send("y");
    let (code, shown) = session.wait();
    assert_eq!(code, 0, "{shown}");
    assert_eq!(world.secret(&namespace, "hf").unwrap()["data"].as_object().unwrap().len(), 1);
    assert_eq!(world.secret_value(&namespace, "hf", "token").unwrap(), VALUE.as_bytes());
}

#[scenario]
fn looking_copying_and_deleting_ask_for_the_secret(world: &World, sandbox: &Sandbox) {
    let (from, to) = (world.project("a"), world.project("b"));
    world.create_secret(&from.namespace, "hf", &[("token", VALUE)]);
    let mut session = sandbox.in_terminal(["view", "-p", &from.name]);
    answer(&mut session, "Secret", "hf");
    let (code, shown) = session.wait();
    assert_eq!(code, 0, "{shown}");

    let mut session = sandbox.in_terminal(["copy", "-p", &from.name]);
    answer(&mut session, "Secret", "hf");
    answer(&mut session, "To which projects?", &to.name);
    session.expect("Copy hf of");
    session.send("y");
    let (code, shown) = session.wait();
    assert_eq!(code, 0, "{shown}");
    assert!(world.secret(&to.namespace, "hf").is_some());

    let mut session = sandbox.in_terminal(["delete", "-p", &from.name]);
    answer(&mut session, "Secret", "hf");
    session.expect("Delete hf?");
    session.send("y");
    let (code, shown) = session.wait();
    assert_eq!(code, 0, "{shown}");
    assert!(world.secret(&from.namespace, "hf").is_none());
}

#[scenario]
fn sharing_asks_where_the_secret_is(world: &World, sandbox: &Sandbox) {
    let (runai, project) = (world.runai_namespace(), world.project("a"));
    world.create_secret(&project.namespace, "hf", &[("token", VALUE)]);
    let mut session = sandbox.in_terminal(["label", "--runai-namespace", &runai]);
    answer(&mut session, "Which secret do you want to share?", "in a project");
    answer(&mut session, "From which project?", &project.name);
    answer(&mut session, "Secret", "hf");
    session.expect("Share hf although the name is taken in 1 project?");
    session.send("y");
    let (code, shown) = session.wait();
    assert_eq!(code, 0, "{shown}");
    let other = world.project("b");
    let words = ["sync", "--runai-namespace", &runai, "--to-project", &other.name];
    let mut session = sandbox.in_terminal(words);
    session.expect("Secret");
    session.expect("shared with every project");
    session.send("hf\r");
    session.expect("secret hf is created in");
    session.expect("Make these copies?");
    session.send("y");
    let (code, shown) = session.wait();
    assert_eq!(code, 0, "{shown}");
    assert!(world.secret(&other.namespace, "hf").is_some());
}

#[scenario]
fn a_registry_login_is_offered_for_pulling_images_first(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("a");
    let login = [
        "create",
        "docker-registry",
        "hub",
        "--docker-username=u",
        "--docker-password-stdin",
        "-n",
        &namespace,
    ];
    sandbox.stdin("pw-of-the-login").run(login).success();
    create_deployment(world, &namespace, "web");
    let mut session = sandbox.in_terminal(["attach", "-n", &namespace]);
    answer(&mut session, "Secret", "hub");
    answer(&mut session, "How should the workload get it?", "");
    answer(&mut session, "Anything else?", "");
    answer(&mut session, "Workload", "web");
    session.expect("Change deployment.apps/web?");
    session.send("y");
    let (code, shown) = session.wait();
    assert_eq!(code, 0, "{shown}");
    let spec = &deployment(world, &namespace, "web")["spec"]["template"]["spec"];
    assert_eq!(spec["imagePullSecrets"][0]["name"], "hub");
}

#[scenario]
fn who_types_a_value_is_told_before_that_it_cannot_be_set(world: &World, sandbox: &Sandbox) {
    let (runai, project) = (world.runai_namespace(), world.project("a"));
    world.create_secret(&runai, "hf", &[("token", VALUE)]);
    sandbox.run(["label", "hf", "--runai-namespace", &runai]).success();
    sandbox.run(["sync", "hf", "--runai-namespace", &runai]).success();
    let words = ["set", "hf", "token", "-p", &project.name, "--runai-namespace", &runai];
    let (code, shown) = sandbox.in_terminal(words).wait();
    assert_eq!(code, 1, "{shown}");
    assert!(shown.contains("is a copy of") && !shown.contains("Value of token"), "{shown}");
}

#[scenario]
fn every_type_of_secret_has_questions_of_its_own(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("a");
    let types: [(&str, Questions<'_>, &str); 3] = [
        (
            "docker-registry",
            &[
                ("Registry (Enter for", ""),
                ("Name of the user", "jane"),
                ("Password", VALUE),
                ("Once more", VALUE),
            ],
            ".dockerconfigjson",
        ),
        (
            "access-key",
            &[("Access key ID", "AKIA-of-the-test"), ("Secret key", VALUE), ("Once more", VALUE)],
            "SecretKey",
        ),
        ("password", &[("Name of the user", "jane"), ("Password", VALUE), ("Once more", VALUE)], "Password"),
    ];
    for (kind, questions, key) in types {
        let mut session = sandbox.in_terminal(["create", "-n", &namespace]);
        answer(&mut session, "What kind of secret?", kind);
        answer(&mut session, "Name of the new secret", kind);
        for (question, reply) in questions {
            answer(&mut session, question, reply);
        }
        session.expect(&format!("Create secret/{kind}?"));
        session.send("y");
        let (code, shown) = session.wait();
        assert_eq!(code, 0, "{shown}");
        assert!(!shown.contains(VALUE), "{shown}");
        let value = world.secret_value(&namespace, kind, key).unwrap();
        assert!(value.windows(VALUE.len()).any(|part| part == VALUE.as_bytes()), "{kind}");
    }
}

#[scenario]
fn files_of_typed_secrets_are_asked_for_one_by_one(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("a");
    let mut session = sandbox.in_terminal(["create", "tls", "web", "-n", &namespace]);
    answer(&mut session, "Certificate, a PEM file", "none.pem");
    session.expect("there is no such file");
    session.send("\u{1b}");
    assert_eq!(session.wait().0, 130);
    let key = sandbox.file("key", "no key at all\n");
    let mut session = sandbox.in_terminal(["create", "ssh", "git", "-n", &namespace]);
    answer(&mut session, "Private key, a file", key.to_str().unwrap());
    let (code, shown) = session.wait();
    assert_eq!(code, 2, "{shown}");
    assert!(
        shown.contains("the command was: kubectl runai-secret create ssh git")
            && !shown.contains("no key at all"),
        "{shown}"
    );
}

#[scenario]
fn editing_asks_for_the_secret_and_opens_the_editor(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("a");
    world.create_secret(&namespace, "settings", &[("mode", "slow")]);
    let editor = sandbox.env("EDITOR", "sed -i s/slow/fast/");
    let mut session = editor.in_terminal(["edit", "-n", &namespace]);
    answer(&mut session, "Secret", "settings");
    let (code, shown) = session.wait();
    assert_eq!(code, 0, "{shown}");
    assert_eq!(world.secret_value(&namespace, "settings", "mode").unwrap(), b"fast");
}

#[scenario]
fn reports_that_are_picked_ask_for_the_project(world: &World, sandbox: &Sandbox) {
    let project = world.project("vision");
    world.create_secret(&project.namespace, "hf", &[("token", VALUE)]);
    for (command, shows) in [("list", "Opaque"), ("usage", "next time you can type"), ("check", "secret/hf")]
    {
        let mut session = sandbox.in_terminal(Vec::<&str>::new());
        answer(&mut session, "What do you have, or want to do?", command);
        answer(&mut session, "Project", &project.name);
        let (code, shown) = session.wait();
        assert_eq!(code, 0, "{shown}");
        assert!(shown.contains(shows), "{command}: {shown}");
    }
}

#[test]
fn completion_asks_what_to_set_up() {
    let sandbox = Sandbox::new();
    let mut session = sandbox.in_terminal(["completion"]);
    answer(&mut session, "What do you want to set up?", "bash");
    let (code, shown) = session.wait();
    assert_eq!(code, 0, "{shown}");
    assert!(shown.contains("COMPLETE"), "{shown}");
}
