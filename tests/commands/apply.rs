//! `apply`: a file says which secrets there are, and where their values come from.

use serde_json::{Value, json};
use support::{Fault, Outcome, Sandbox, World, scenario};

use crate::workloads::create_cronjob;

/// A name of a file that no other test on the same cluster has: a run lists what every file of its name has made.
fn name_of_file(world: &World) -> String {
    world.project("a").name
}

/// The secret `hf` in two projects, and `db` in one, with a value that is made up.
fn file_of(world: &World, sandbox: &Sandbox, projects: &[&str]) {
    sandbox.file("conf/token.txt", "t0ken-value");
    sandbox.file("conf/db.env", "URL=postgres\n");
    let hf = json!({"name": "hf", "projects": projects, "from": [{"file": "token.txt", "key": "HF_TOKEN"}]});
    let from = json!([{"dotenv": "db.env"}, {"generate": "PASSWORD"}]);
    let db = json!({"name": "db", "projects": [projects[0]], "from": from});
    sandbox.file("conf/secrets.yaml", json!({"name": name_of_file(world), "secrets": [hf, db]}).to_string());
}

fn apply(sandbox: &Sandbox, more: &[&str]) -> Outcome {
    sandbox.run(["apply", "-f", "conf/secrets.yaml"].iter().chain(more))
}

fn one_secret(world: &World, sandbox: &Sandbox, secret: &Value) {
    let file = json!({"name": name_of_file(world), "secrets": [secret]});
    sandbox.file("conf/secrets.yaml", file.to_string());
}

#[scenario]
fn the_secrets_of_a_file_are_made_and_a_second_run_writes_nothing(world: &World, sandbox: &Sandbox) {
    let (a, b) = (world.project("a"), world.project("b"));
    file_of(world, sandbox, &[&a.name, &b.name]);
    let trial = apply(sandbox, &["--dry-run"]).success();
    assert!(trial.stdout.contains(&format!("secret/hf created in {} (dry run)\n", a.name)), "{trial}");
    let shown = sandbox.run(["diff", "-f", "conf/secrets.yaml"]).fails_with(1);
    assert_eq!(shown.stdout.matches(" added").count(), 4, "{shown}");
    let diff = |form: &str| sandbox.run(["diff", "-f", "conf/secrets.yaml", "-o", form]);
    let states = |report: &Value| {
        let secrets = report["secrets"].as_array().unwrap();
        secrets.iter().map(|one| one["state"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(states(&diff("json").fails_with(1).json()), ["missing", "missing", "missing"]);
    assert_eq!(diff("name").fails_with(1).stdout, "secret/db\nsecret/hf\n");
    assert!(world.writes().is_empty(), "{:?}", world.lines());
    let made = apply(sandbox, &[]).success();
    for line in [
        format!("secret/hf created in {}\n", a.name),
        format!("secret/hf created in {}\n", b.name),
        format!("secret/db created in {}\n", a.name),
    ] {
        assert!(made.stdout.contains(&line), "{made}");
    }
    made.never_shows(b"t0ken-value");
    for project in [&a, &b] {
        assert_eq!(world.secret_value(&project.namespace, "hf", "HF_TOKEN").unwrap(), b"t0ken-value");
    }
    let password = world.secret_value(&a.namespace, "db", "PASSWORD").unwrap();
    assert_eq!(password.len(), 32);
    world.clear_log();
    let again = apply(sandbox, &[]).success();
    assert_eq!(again.stdout.matches(" unchanged in ").count(), 3, "{again}");
    sandbox.run(["diff", "-f", "conf/secrets.yaml"]).success();
    assert_eq!(states(&diff("json").success().json()), ["same", "same", "same"]);
    assert!(world.writes().is_empty(), "{:?}", world.lines());
    sandbox.file("conf/token.txt", "t0ken-2");
    let other = diff("json").fails_with(1);
    other.never_shows(b"t0ken");
    assert_eq!(states(&other.json()), ["differs", "differs", "same"]);
    let first = &other.json()["secrets"][0];
    assert_eq!((&first["place"], &first["namespace"]), (&json!(a.name), &json!(a.namespace)));
    assert_eq!(first["keys"], json!([{"key": "HF_TOKEN", "state": "changed"}]));
    let path = format!("/api/v1/namespaces/{}/secrets/db", a.namespace);
    world.patch(&path, &json!({"metadata": {"labels": {"kubectl-runai-secret/file": null}}}));
    assert_eq!(states(&diff("json").fails_with(1).json())[2], "unmarked");
    world.patch(&path, &json!({"metadata": {"labels": {"kubectl-runai-secret/file": name_of_file(world)}}}));
    let changed = apply(sandbox, &[]).success();
    assert_eq!(changed.stdout.matches("secret/hf updated in ").count(), 2, "{changed}");
    assert!(changed.stdout.contains(&format!("secret/db unchanged in {}\n", a.name)), "{changed}");
    assert!(changed.stderr.contains("note: changed HF_TOKEN, in "), "{changed}");
    assert_eq!(world.secret_value(&a.namespace, "db", "PASSWORD").unwrap(), password);
}

#[scenario]
fn what_somebody_else_made_is_not_taken_over_unless_that_is_said(world: &World, sandbox: &Sandbox) {
    let a = world.project("a");
    world.create_secret(&a.namespace, "hf", &[("HF_TOKEN", "old"), ("OTHER", "0ther-value")]);
    one_secret(
        world,
        sandbox,
        &json!({"name": "hf", "projects": [a.name], "from": [{"variable": "HF_TOKEN"}]}),
    );
    let run = |more: &[&str]| {
        let words = ["apply", "-f", "conf/secrets.yaml"];
        sandbox.env("HF_TOKEN", "n3w-value").run(words.iter().chain(more))
    };
    let refused = run(&[]).fails_with(1);
    assert!(
        refused.stderr.contains("is there already in") && refused.stderr.contains("--adopt"),
        "{refused}"
    );
    assert!(world.writes().is_empty(), "{:?}", world.lines());
    let taken = run(&["--adopt"]).success();
    assert!(taken.stderr.contains("also has OTHER, which the file does not name"), "{taken}");
    assert_eq!(world.secret_value(&a.namespace, "hf", "HF_TOKEN").unwrap(), b"n3w-value");
    assert_eq!(world.secret_value(&a.namespace, "hf", "OTHER").unwrap(), b"0ther-value");
    run(&[]).success();
    let of_another = json!({"name": world.project("b").name, "secrets": [{"name": "hf", "projects": [a.name], "from": [{"generate": "X"}]}]});
    sandbox.file("other.yaml", of_another.to_string());
    let refused = sandbox.run(["apply", "-f", "other.yaml"]).fails_with(1);
    assert!(refused.stderr.contains(&format!("is of the file {:?}", a.name)), "{refused}");
}

#[scenario]
fn what_the_file_no_longer_names_is_reported_and_goes_only_with_prune(world: &World, sandbox: &Sandbox) {
    let (a, b) = (world.project("a"), world.project("b"));
    file_of(world, sandbox, &[&a.name, &b.name]);
    apply(sandbox, &[]).success();
    // Alike: the label, and what it says of another secret, as on a copy of Run:ai's.
    let alike = json!({
        "metadata": {"name": "copied", "labels": {"kubectl-runai-secret/file": a.name},
            "annotations": {"kubectl-runai-secret/file-of": format!("{}/copied", a.namespace)}},
    });
    world.create(&format!("/api/v1/namespaces/{}/secrets", b.namespace), &alike);
    create_cronjob(world, &b.namespace, "nightly");
    one_secret(
        world,
        sandbox,
        &json!({"name": "hf", "projects": [a.name], "from": [{"file": "token.txt", "key": "HF_TOKEN"}]}),
    );
    let told = apply(sandbox, &[]).success();
    assert!(told.stderr.contains(&format!("no longer names secret db in {}", a.namespace)), "{told}");
    assert!(told.stderr.contains(&format!("no longer names secret hf in {}", b.namespace)), "{told}");
    sandbox.run(["attach", "hf", "cronjob/nightly", "--env", "HF_TOKEN", "-n", &b.namespace]).success();
    apply(sandbox, &["--prune", "--dry-run"]).fails_with(3);
    let partly = apply(sandbox, &["--prune", "--yes"]).fails_with(3);
    assert!(partly.stdout.contains(&format!("secret/db deleted in {}\n", a.namespace)), "{partly}");
    assert!(partly.stderr.contains("is needed by cronjob.batch/nightly"), "{partly}");
    assert!(partly.stderr.contains("kubectl runai-secret delete hf --force -n "), "{partly}");
    assert!(world.secret(&a.namespace, "db").is_none() && world.secret(&a.namespace, "hf").is_some());
    assert!(world.secret(&b.namespace, "hf").is_some() && world.secret(&b.namespace, "copied").is_some());
    sandbox.run(["detach", "hf", "cronjob/nightly", "-n", &b.namespace]).success();
    apply(sandbox, &["--prune", "--yes"]).success();
    assert!(world.secret(&b.namespace, "hf").is_none() && world.secret(&b.namespace, "copied").is_some());
}

#[scenario]
fn a_secret_for_every_project_is_shared_from_run_ais_namespace(world: &World, sandbox: &Sandbox) {
    let runai = world.runai_namespace();
    one_secret(world, sandbox, &json!({"name": "hf", "everyProject": true, "from": [{"generate": "K"}]}));
    let (place, b) = (["--runai-namespace", &runai], world.project("b"));
    world.create_secret(&b.namespace, "hf", &[("K", "v")]);
    let taken = format!("project {} has a secret hf of its own", b.name);
    let trial = apply(sandbox, &[place[0], place[1], "--dry-run"]).success();
    assert!(trial.stderr.contains(&taken), "{trial}");
    assert!(apply(sandbox, &place).fails_with(2).stderr.contains(&taken), "asked");
    apply(sandbox, &[place[0], place[1], "--yes"]).success();
    let labels = world.secret(&runai, "hf").unwrap()["metadata"]["labels"].clone();
    assert_eq!(
        (&labels["run.ai/cluster-wide"], &labels["runai/cluster-wide"]),
        (&json!("true"), &json!("true"))
    );
    assert!(apply(sandbox, &place).success().stdout.contains("secret/hf unchanged in "));
}

#[test]
fn a_value_that_is_typed_is_asked_for_once() {
    let world = World::in_process();
    let sandbox = Sandbox::new().with(&world);
    let a = world.project("a");
    one_secret(&world, &sandbox, &json!({"name": "s", "projects": [a.name], "from": [{"prompt": "PIN"}]}));
    let refused = apply(&sandbox, &[]).fails_with(2);
    assert!(refused.stderr.contains("the value of PIN needs somebody to ask"), "{refused}");
    let mut session = sandbox.in_terminal(["apply", "-f", "conf/secrets.yaml"]);
    session.expect("Value of PIN for secret s");
    session.send("1234\r");
    session.expect("Once more");
    session.send("1234\r");
    let (code, shown) = session.wait();
    assert_eq!(code, 0, "{shown}");
    assert_eq!(world.secret_value(&a.namespace, "s", "PIN").unwrap(), b"1234");
    assert!(apply(&sandbox, &[]).success().stdout.contains("secret/s unchanged in "));
}

#[test]
fn cut_short_after_any_request_the_next_run_does_the_rest() {
    for after in 1..9 {
        for lost_answer in [false, true] {
            let world = World::in_process();
            let sandbox = Sandbox::new().with(&world);
            let (a, b) = (world.project("a"), world.project("b"));
            file_of(&world, &sandbox, &[&a.name, &b.name]);
            let fault = Fault::on("*", "/api").nth(after).for_ever();
            world.fail(if lost_answer {
                fault.drop_after_forwarding()
            } else {
                fault.drop_before_forwarding()
            });
            apply(&sandbox, &["--request-timeout", "2s"]);
            world.clear_faults();
            let password = world.secret_value(&a.namespace, "db", "PASSWORD");
            apply(&sandbox, &[]).success();
            for project in [&a, &b] {
                assert_eq!(world.secret_value(&project.namespace, "hf", "HF_TOKEN").unwrap(), b"t0ken-value");
            }
            let now = world.secret_value(&a.namespace, "db", "PASSWORD");
            assert!(now.is_some() && (password.is_none() || password == now), "a value that was there stays");
            world.clear_log();
            apply(&sandbox, &[]).success();
            assert!(world.writes().is_empty(), "{after}: {:?}", world.lines());
        }
    }
}

#[test]
fn what_is_no_such_file_is_answered_without_a_value() {
    let sandbox = Sandbox::new().with_env("KUBECONFIG", "none");
    let token = "hf_aB3dE5fG7hJ9kL1mN3pQ5rS7tU9vW1xY3z";
    let secret = format!("kind: Secret\napiVersion: v1\nmetadata: {{name: s}}\nstringData: {{a: {token}}}\n");
    for (text, said) in [
        (secret.as_str(), "to apply the manifest: kubectl apply -f file.yaml"),
        (
            &format!("name: f\nsecrets: [{{name: s, data: {{a: {token}}}, from: [{{generate: k}}]}}]\n"),
            "holds no values",
        ),
        (&format!("name: f\nsecrets: [{{name: s, from: [{{file: {token}}}]}}]\n"), "looks like a value"),
        ("name: f\nsecrets: [{name: s, form: [{generate: k}]}]\n", "did you mean \"from\"?"),
        ("name: f\n---\nname: g\n", "one document is needed, and there are 2"),
        (
            "name: f\nsecrets: [{name: s, projects: [a], from: [{generate: k}, {prompt: k}]}]\n",
            "key k has two sources",
        ),
        ("name: f\nsecrets: [{name: s, from: [{file: none.txt}]}]\n", "none.txt"),
        ("name: f\nsecrets: [{name: s, from: [{variable: A=HOME}]}]\n", "a variable's name has no '='"),
    ] {
        sandbox.file("file.yaml", text);
        for command in ["apply", "diff"] {
            let refused = sandbox.run([command, "-f", "file.yaml"]);
            assert!(
                matches!(refused.code, Some(1 | 2)) && refused.stderr.contains(said),
                "{said}: {refused}"
            );
            refused.never_shows(token.as_bytes());
        }
    }
}

#[scenario]
fn a_file_that_names_no_secrets_says_so(world: &World, sandbox: &Sandbox) {
    let file = json!({"name": name_of_file(world), "secrets": []});
    sandbox.file("conf/secrets.yaml", file.to_string());
    let applied = apply(sandbox, &[]).success();
    assert!(applied.stderr.contains("note: conf/secrets.yaml names no secrets\n"), "{applied}");
    assert!(world.writes().is_empty());
}

#[scenario]
fn a_secret_that_is_there_twice_in_one_place_is_refused(world: &World, sandbox: &Sandbox) {
    let a = world.project("a");
    let from = json!([{"generate": "K"}]);
    let secrets = json!([{"name": "s", "projects": [a.name], "from": from}, {"name": "s", "from": from}]);
    sandbox.file("conf/secrets.yaml", json!({"name": a.name, "secrets": secrets}).to_string());
    for place in [["-p", a.name.as_str()], ["-n", a.namespace.as_str()]] {
        let refused = apply(sandbox, &place).fails_with(2);
        let said = format!("secret s is there twice for namespace {}", a.namespace);
        assert!(refused.stderr.contains(&said), "{refused}");
    }
    assert!(world.writes().is_empty(), "{:?}", world.lines());
    apply(sandbox, &["-p", &world.project("b").name]).success();
}

#[test]
fn a_typed_value_is_trimmed_as_one_from_a_file_is() {
    let world = World::in_process();
    let sandbox = Sandbox::new().with(&world);
    let a = world.project("a");
    let secret = json!({"name": "s", "projects": [a.name], "trim": true, "from": [{"prompt": "PIN"}]});
    one_secret(&world, &sandbox, &secret);
    let mut session = sandbox.in_terminal(["apply", "-f", "conf/secrets.yaml"]);
    for question in ["Value of PIN for secret s", "Once more"] {
        session.expect(question);
        session.send("  1234  \r");
    }
    let (code, shown) = session.wait();
    assert_eq!(code, 0, "{shown}");
    assert_eq!(world.secret_value(&a.namespace, "s", "PIN").unwrap(), b"1234");
}

#[scenario]
fn nobody_is_asked_for_a_value_of_a_secret_that_is_refused(world: &World, sandbox: &Sandbox) {
    let a = world.project("a");
    world.create_secret(&a.namespace, "s", &[("k", "v")]);
    one_secret(world, sandbox, &json!({"name": "s", "projects": [a.name], "from": [{"prompt": "PIN"}]}));
    let refused = apply(sandbox, &[]).fails_with(1);
    assert!(refused.stderr.contains("is there already in"), "{refused}");
}

#[scenario]
fn a_source_without_keys_is_refused_and_no_empty_secret_is_made(world: &World, sandbox: &Sandbox) {
    let a = world.project("a");
    std::fs::create_dir_all(sandbox.path().join("conf/empty")).unwrap();
    for (source, path, text) in [
        ("dotenv", "empty.env", ""),
        ("dotenv", "empty.env", "# nothing\n"),
        ("json", "empty.json", "{}"),
        ("file", "empty", ""),
    ] {
        if source != "file" {
            sandbox.file(format!("conf/{path}"), text);
        }
        one_secret(world, sandbox, &json!({"name": "s", "projects": [a.name], "from": [{(source): path}]}));
        let refused = apply(sandbox, &[]).fails_with(2);
        assert!(refused.stderr.contains("no key") && !refused.stderr.contains("--allow"), "{refused}");
    }
    assert!(world.writes().is_empty(), "{:?}", world.lines());
}

#[scenario]
fn what_was_noted_of_an_old_value_goes_with_it_and_that_is_said(world: &World, sandbox: &Sandbox) {
    let a = world.project("a");
    sandbox.file("conf/token.txt", "t0ken-value");
    let from = json!([{"file": "token.txt", "key": "HF_TOKEN"}]);
    one_secret(world, sandbox, &json!({"name": "hf", "projects": [a.name], "from": from}));
    apply(sandbox, &[]).success();
    sandbox
        .run(["set", "hf", "--from-literal=HF_TOKEN=t0ken-2", "--expires=2099-01-01", "-n", &a.namespace])
        .success();
    let path = format!("/api/v1/namespaces/{}/secrets/hf", a.namespace);
    world.patch(&path, &json!({"metadata": {"labels": {"kubectl-runai-secret/login": "huggingface"}}}));
    let changed = apply(sandbox, &[]).success();
    let said = format!("the noted end of HF_TOKEN went with the old value in {}", a.name);
    assert!(changed.stderr.contains(&said), "{changed}");
    let labels = world.secret(&a.namespace, "hf").unwrap()["metadata"]["labels"].clone();
    assert_eq!(labels["kubectl-runai-secret/login"], Value::Null);
    assert!(apply(sandbox, &[]).success().stdout.contains("secret/hf unchanged in "));
}

#[scenario]
fn a_secret_that_is_still_shared_though_the_file_does_not_say_so_is_warned_of(
    world: &World,
    sandbox: &Sandbox,
) {
    let runai = world.runai_namespace();
    let from = json!([{"generate": "K"}]);
    one_secret(world, sandbox, &json!({"name": "hf", "everyProject": true, "from": from}));
    apply(sandbox, &["--runai-namespace", &runai]).success();
    one_secret(world, sandbox, &json!({"name": "hf", "from": from}));
    let line = ["-n", runai.as_str(), "--runai-namespace", &runai];
    let told = apply(sandbox, &line).success();
    assert!(told.stderr.contains("kubectl runai-secret label hf --remove "), "{told}");
}

#[scenario]
fn nothing_in_a_source_empties_no_value_that_is_there(world: &World, sandbox: &Sandbox) {
    let project = world.project("a");
    for (field, file, full, empty) in [
        ("dotenv", "kept.env", "TOKEN=g00d-value\n", "TOKEN=\n"),
        ("json", "kept.json", r#"{"TOKEN": "g00d-value"}"#, r#"{"TOKEN": ""}"#),
        ("dotenv", "kept.env", "TOKEN=g00d-value\n", "TOKEN=' '\n"),
    ] {
        let secret = json!({"name": "kept", "projects": [project.name], "from": [{ (field): file }]});
        one_secret(world, sandbox, &secret);
        sandbox.file(format!("conf/{file}"), full);
        apply(sandbox, &[]).success();
        sandbox.file(format!("conf/{file}"), empty);
        world.clear_log();
        for more in [&[][..], &["--dry-run"], &["--dry-run=server"]] {
            let refused = apply(sandbox, more).fails_with(1);
            let said =
                format!("key TOKEN of secret kept in {} has a value, and its source in ", project.name);
            assert!(refused.stderr.contains(&said), "{refused}");
        }
        sandbox.run(["diff", "-f", "conf/secrets.yaml"]).fails_with(2);
        assert!(world.writes().is_empty(), "{:?}", world.lines());
        let set = format!("set kept --from-literal=TOKEN= --allow-empty-values -n {}", project.namespace);
        sandbox.run(set.split(' ')).success();
        let empty = apply(sandbox, &[]).success();
        assert!(empty.stdout.contains("secret/kept u"), "as the hint says: {empty}");
    }
}
