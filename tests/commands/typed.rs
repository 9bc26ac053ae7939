//! What was typed is used, or it is refused: flags that are given twice, files of which one would be dropped, words that
//! would be passed over, values that are not there.

use std::fs;
use std::path::Path;

use serde_json::json;
use support::{Sandbox, World, scenario};

use crate::workloads::create_deployment;

const JOB: &str = "\
apiVersion: batch/v1
kind: Job
metadata: {name: train}
spec:
  template:
    spec:
      restartPolicy: Never
      containers:
      - name: main
        image: busybox
";

fn named(name: &str) -> String {
    JOB.replace("train", name)
}

/// A job that refers to a secret.
fn in_need_of(secret: &str) -> String {
    format!(
        "{}        env:\n        - name: TOKEN\n          valueFrom: {{secretKeyRef: {{name: {secret}, key: k}}}}\n",
        named(&format!("needs-{secret}"))
    )
}

fn create_secret(world: &World, namespace: &str, name: &str) {
    let object = json!({ "metadata": { "name": name }, "stringData": { "k": "v" } });
    world.create(&format!("/api/v1/namespaces/{namespace}/secrets"), &object);
}

#[test]
fn a_flag_for_one_value_is_not_given_two() {
    let sandbox = Sandbox::new();
    for line in [
        &["submit", "x", "-i", "a", "--image", "b", "-n", "n"][..],
        &["-n", "n", "submit", "x", "-ia", "-g", "1", "--gpu=2", "-i", "a"],
        &["create", "s", "--from-literal=k=v", "--type", "hunter2-a", "--type=hunter2-b"],
        &["--token=hunter2-a", "list", "--token", "hunter2-b"],
        &["list", "-o", "json", "-o", "yaml"],
        &["attach", "s", "job/x", "--env", "k", "--copy-as", "a", "--copy-as", "b"],
    ] {
        let refused = sandbox.run(line).fails_with(2);
        assert!(
            refused.stderr.contains("takes one value, and is given twice with different ones"),
            "{refused}"
        );
        refused.never_shows(b"hunter2");
    }
    sandbox.run(["create", "s", "--from-literal=k=v", "--type=a", "--type=a", "--dry-run=client"]).success();
}

#[test]
fn a_job_has_no_terminal_and_no_image_of_the_name_t() {
    for line in [
        &["submit", "zz", "-i", "img", "-it"][..],
        &["submit", "-it", "img"],
        &["submit", "zz", "-yit", "img"],
        &["submit", "zz", "-iit"],
        &["submit", "zz", "-qyitd", "img"],
        &["submit", "zz", "-i", "a", "-ti"],
    ] {
        let refused = Sandbox::new().run(line).fails_with(2);
        assert!(refused.stderr.contains("a job has no terminal"), "{refused}");
    }
}

#[test]
fn words_that_would_be_passed_over_are_refused_or_said() {
    let sandbox = Sandbox::new();
    sandbox.file("config.json", "{\"auths\":{\"r\":{\"auth\":\"dTpw\"}}}");
    for (line, words) in [
        (&["create", "s", "--generate=k", "--trim"][..], "--trim has no value to strip"),
        (
            &["create", "s", "--from-literal=k=v", "--label=a=b", "--label=a=c"],
            "--label gives two values for a",
        ),
        (
            &["create", "s", "--from-literal=k=v", "--annotation=a=b", "--annotation=a=c"],
            "--annotation gives two values for a",
        ),
        (
            &["create", "s", "--from-literal=k=v", "--label=run.ai/resource=password", "--credential"],
            "--credential gives two values for run.ai/resource",
        ),
        (
            &["create", "docker-registry", "s", "--from-file=config.json", "--docker-server=x"],
            "--docker-server and --docker-email are of a login",
        ),
        (&["list", "--keys", "-o", "name"], "-o name prints only names, but --keys asks for more"),
        (&["attach", "s", "job/x", "--env=k", "--timeout=3s"], "--recreate"),
        (&["list", "--no-color", "--color=always"], "--color"),
        (&["create", "s", "--from-literal=k=v", "--from-file="], "--from-file is empty: it names no file"),
        (
            &["create", "s", "--from-literal=k=v", "--from-dotenv", ""],
            "--from-dotenv is empty: it names no file",
        ),
        (&["check", "-f", "", "-f", "a.yaml"], "-f is empty: it names no file"),
        (&["submit", "x", "-i", ""], "-i, --image must be set"),
        (&["attach", "s", "job/x", "--env=k", "-o", "runai", "--recreate"], "-o runai only prints flags"),
        (&["submit", "x", "-i", "a", "-o", "runai", "--wait"], "-o runai only prints flags"),
    ] {
        let refused = sandbox.run(line).fails_with(2);
        assert!(refused.stderr.contains(words), "{words} is missing in {refused}");
    }
    let created =
        sandbox.run(["create", "s", "--from-literal=k=v", "--dry-run=client", "--", "more"]).success();
    assert!(created.stderr.contains("Warning: what follows -- is ignored"), "{created}");
}

#[test]
fn every_file_that_is_named_is_changed() {
    let sandbox = Sandbox::new();
    for (path, name) in
        [("a.yaml", "a"), ("jobs/b.yml", "b"), ("jobs/c.yaml", "c"), ("jobs/deep/d.yaml", "d")]
    {
        sandbox.file(path, named(name));
    }
    sandbox.file("jobs/readme.txt", "no manifest: [");
    sandbox.file(
        "e.json",
        json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "e"},
        "spec": {"template": {"spec": {"containers": [{"name": "main", "image": "x"}]}}}})
        .to_string(),
    );
    let names = |more: &[&str]| {
        let words = ["attach", "s", "--env", "TOKEN=k", "-o", "name"];
        sandbox.run(words.iter().chain(more)).success().stdout.replace("job.batch/", "").replace('\n', " ")
    };
    assert_eq!(names(&["-f", "a.yaml", "-f", "jobs/b.yml"]), "a b ");
    assert_eq!(names(&["-f", "jobs/c.yaml,a.yaml"]), "c a ");
    assert_eq!(names(&["-f", "jobs"]), "b c ");
    assert_eq!(names(&["-f", "jobs", "-R", "--filename=e.json"]), "b c d e ");
    let whole = sandbox.run(["attach", "s", "-f", "a.yaml", "-f", "e.json", "--env", "TOKEN=k"]).success();
    assert_eq!(whole.stdout.matches("secretKeyRef").count(), 2, "{whole}");
    assert_eq!(whole.stdout.matches("\n---\n").count(), 1, "{whole}");
    assert!(whole.stdout.starts_with(JOB.replace("train", "a").trim_end()), "{whole}");
    let detached = sandbox.stdin(whole.stdout).run(["detach", "s", "-f", "-"]).success();
    assert!(!detached.stdout.contains("secretKeyRef"), "{detached}");
    let one = sandbox.run(["attach", "s", "job/c", "-f", "jobs", "--env", "TOKEN=k"]).success();
    assert_eq!(
        (one.stdout.matches("secretKeyRef").count(), one.stdout.matches("kind: Job").count()),
        (1, 2),
        "{one}"
    );
}

#[test]
fn what_is_no_file_of_manifests_is_named() {
    let sandbox = Sandbox::new();
    sandbox.file("empty.yaml", "");
    sandbox.file("a.yaml", named("a"));
    fs::create_dir(sandbox.path().join("folder")).unwrap();
    sandbox.file("utf16.yaml", JOB.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>());
    for (files, code, words) in [
        (&["empty.yaml"][..], 2, "empty.yaml is empty; was it also the output?"),
        (&["-"], 2, "standard input is empty"),
        (&["-", "-"], 2, "standard input can be read only once"),
        (&["folder"], 1, "folder has no file that ends in .yaml, .yml or .json"),
        (&["https://x.example/a.yaml"], 2, "-f takes files, not addresses"),
        (&["utf16.yaml"], 2, "utf16.yaml is UTF-16"),
        (&["a.yaml", "none.yaml"], 1, "error reading none.yaml: no such file or directory"),
        (&["a.yaml", "empty.yaml"], 2, "empty.yaml is empty"),
    ] {
        let flags: Vec<&str> = files.iter().flat_map(|file| ["-f", file]).collect();
        let attach = ["attach", "s", "--env", "TOKEN=k"];
        for line in [&attach[..], &["detach", "s"], &["check", "-n", "n"]] {
            let refused = sandbox.run(line.iter().chain(&flags)).fails_with(code);
            assert!(refused.stderr.contains(words), "{words} is missing in {refused}");
            assert_eq!(refused.stdout, "", "{refused}");
        }
    }
}

#[scenario]
fn every_file_that_is_named_is_checked(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("ns");
    create_secret(world, &namespace, "there");
    sandbox.file("bad.yaml", in_need_of("missing"));
    sandbox.file("good.yaml", in_need_of("there"));
    sandbox.file("folder/bad.yml", in_need_of("missing"));
    sandbox.file("service.yaml", "apiVersion: v1\nkind: Service\nmetadata: {name: x}\n");
    for files in [
        &["bad.yaml", "good.yaml"][..],
        &["good.yaml", "bad.yaml"],
        &["good.yaml,bad.yaml"],
        &["good.yaml", "folder"],
    ] {
        let flags = files.iter().flat_map(|file| ["-f", file]);
        let found = sandbox.run(["check", "-n", &namespace].into_iter().chain(flags)).fails_with(3);
        assert!(found.stdout.contains("missing-secret") && found.stdout.contains("needs-missing"), "{found}");
    }
    let all_well =
        sandbox.run(["check", "-n", &namespace, "-f", "good.yaml", "-f", "service.yaml"]).success();
    assert!(
        all_well.stderr.contains("note: service.yaml has no Secret and no workload of a known kind"),
        "{all_well}"
    );
}

#[scenario]
fn base64_is_read_as_the_server_reads_it(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("ns");
    sandbox.file(
        "s.yaml",
        "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\ndata:\n  k: |\n    aGVs\n    bG8=\n",
    );
    sandbox.run(["check", "-f", "s.yaml", "-n", &namespace]).success();
    sandbox.file("s.yaml", "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\ndata: {k: 'aGV sbG8='}\n");
    let refused = sandbox.run(["check", "-f", "s.yaml", "-n", &namespace]).fails_with(2);
    assert!(refused.stderr.contains("the value of k in data is not base64"), "{refused}");
}

#[scenario]
fn of_two_places_the_last_counts_and_is_said(world: &World, sandbox: &Sandbox) {
    let (first, last) = (world.namespace("first"), world.namespace("last"));
    let line = ["-n", &first, "create", "s", "--from-literal=k=v", "-n", &last];
    let created = sandbox.run(line).success();
    assert!(
        created.stderr.contains(&format!("note: --namespace is given twice; the last one counts: {last}")),
        "{created}"
    );
    assert!(world.secret(&last, "s").is_some() && world.secret(&first, "s").is_none());
    let project = world.project("team-a");
    let created =
        sandbox.run(["create", "t", "--from-literal=k=v", "-n", &last, "-p", &project.name]).success();
    assert!(created.stderr.contains("Warning: --namespace overrides --project"), "{created}");
}

#[scenario]
fn nothing_on_a_pipe_changes_no_value(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("ns");
    create_secret(world, &namespace, "s");
    sandbox.file("empty", "");
    sandbox.file("newline", "\r\n");
    for source in [
        "--from-file=k=-",
        "--from-file=k=empty",
        "--from-file=k=newline",
        "--from-literal=k=",
        "--from-env=k=EMPTY",
        "--from-env-file=-",
        "--from-dotenv=-",
        "--from-json=-",
        "--from-env-file=empty",
    ] {
        let place = ["-n", namespace.as_str()];
        for words in
            [&["set", "s", source][..], &["create", "s", "--replace", source], &["create", "new", source]]
        {
            let refused = sandbox.env("EMPTY", "").run(words.iter().chain(&place)).fails_with(2);
            assert!(
                refused.stderr.contains("is empty") || refused.stderr.contains("only invisible characters"),
                "{refused}"
            );
        }
    }
    let refused = sandbox.run(["set", "s", "k", "-n", &namespace]).fails_with(2);
    assert!(
        refused.stderr.starts_with("error: standard input is empty: no value for k\nhint: "),
        "{refused}"
    );
    sandbox.file("e.env", "k=\n");
    for words in [&["set", "s"][..], &["create", "s", "--replace"]] {
        let refused =
            sandbox.run(words.iter().chain(&["--from-env-file=e.env", "-n", &namespace])).fails_with(2);
        assert!(refused.stderr.contains("e.env, line 1: no value for its key"), "{refused}");
    }
    assert_eq!(world.secret_value(&namespace, "s", "k").unwrap(), b"v");
    assert!(world.secret(&namespace, "new").is_none());
    let created = sandbox.run(["create", "lines", "--from-env-file=e.env", "-n", &namespace]).success();
    assert!(created.stderr.contains("note: e.env, line 1: the value is empty"), "{created}");
    sandbox.run(["set", "s", "--from-file=k=-", "--allow-empty-values", "-n", &namespace]).success();
    assert_eq!(world.secret_value(&namespace, "s", "k").unwrap(), b"");
}

#[scenario]
fn what_is_done_is_said_where_it_can_not_be_printed(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("ns");
    sandbox.link_plugin();
    let full = |line: &str| {
        let line = format!("kubectl-runai-secret {line} >/dev/full");
        sandbox.with_run().program(Path::new("/bin/sh"), ["-c", &line]).fails_with(1).stderr
    };
    let created = full(&format!("create s --from-literal=k=v -n {namespace}"));
    assert!(
        created.contains("error: can't write to standard output")
            && created.contains("; secret/s is created"),
        "{created}"
    );
    assert!(world.secret(&namespace, "s").is_some());
    assert!(
        full(&format!("set s --from-literal=k=w -n {namespace} -o json")).contains("; secret/s is updated")
    );
    assert!(full(&format!("delete s -y -n {namespace}")).contains("; secret/s is deleted"));
    assert!(
        full(&format!("create s --from-literal=k=v -n {namespace} --dry-run=server"))
            .ends_with("(os error 28)\n")
    );
    assert!(full("--help").contains("error: can't write to standard output"));
    assert!(full("completion bash").contains("error: can't write to standard output"));
}

#[scenario]
fn a_place_that_is_not_there_is_no_empty_place(world: &World, sandbox: &Sandbox) {
    let project = world.project("team-a");
    for command in ["list", "usage", "check"] {
        let refused = sandbox.run([command, "-n", &project.name]).fails_with(1);
        let there =
            format!("error: there is no namespace {0:?}, but a project of that name: -p {0}\n", project.name);
        assert_eq!(refused.stderr, there, "{command}");
        assert_eq!(refused.stdout, "");
        let unchosen = sandbox.run([command]).success();
        assert!(
            unchosen
                .stderr
                .contains("note: namespace default belongs to no project: name one with -p PROJECT"),
            "{unchosen}"
        );
        sandbox.run([command, "-n", &project.namespace]).success();
    }
    let nowhere = format!("{}-x", project.name);
    let refused = sandbox.run(["status", "--runai-namespace", &nowhere]).fails_with(1);
    assert!(refused.stderr.contains("hint: --runai-namespace says where Run:ai is installed"), "{refused}");
}

#[scenario]
fn where_namespaces_can_not_be_seen_that_is_said(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("ns");
    let user = world.user("reader");
    world.grant(
        &user,
        Some(&namespace),
        &json!([{"apiGroups": [""], "resources": ["secrets"], "verbs": ["list"]}]),
    );
    let empty = sandbox.run(["list", "-n", &namespace, "--token", &user.token]).success();
    assert!(
        empty.stderr.contains(&format!("you may not look up namespace {namespace}: it may not exist")),
        "{empty}"
    );
}

#[test]
fn a_command_to_copy_names_the_place_that_was_typed() {
    for (line, hint) in [
        ("set hf HF_TOKEN=v4lue -p team-a", "kubectl runai-secret set hf HF_TOKEN -p team-a"),
        ("set hf HF_TOKEN=v4lue -n ns -p team-a", "kubectl runai-secret set hf HF_TOKEN -n ns"),
        ("create hf .env -p team-a", "kubectl runai-secret create hf --from-dotenv=.env -p team-a"),
        ("create hf k=v4lue -n ns", "kubectl runai-secret create hf --prompt=k -n ns"),
        ("create secret generic hf -p a -p b", "kubectl runai-secret create generic hf -p a -p b"),
        ("create -p team-a", "kubectl runai-secret create NAME --from-file=KEY=PATH -p team-a"),
        ("attach hf -p team-a", "kubectl runai-secret attach hf KIND/NAME --env KEY -p team-a"),
        ("attach job/train hf -p team-a", "kubectl runai-secret attach hf job/train … -p team-a"),
        ("detach job/train hf -p team-a", "kubectl runai-secret detach hf job/train … -p team-a"),
    ] {
        let refused = Sandbox::new().run(line.split(' '));
        assert_ne!(refused.code, Some(0), "{line}");
        assert!(refused.stderr.contains(hint), "{line}: {refused}");
    }
}

#[test]
fn a_value_in_the_place_of_a_name_is_the_first_thing_that_is_said_and_is_not_shown() {
    const TOKEN: &str = "hf_AbCdEfGhIjKlMnOpQrStUvWx12";
    let world = World::with_plain_names();
    world.project("a");
    let sandbox = Sandbox::new().with(&world);
    let create = sandbox.run(["create", TOKEN, "-p", "a"]).fails_with(2);
    let first =
        "error: a value stands where a secret's name is expected (not shown: it may be a secret value); ";
    assert!(create.stderr.starts_with(first), "{create}");
    create.never_shows(TOKEN.as_bytes());
    for token in [TOKEN, "sk-abcdefghijklmnopqrstuvwxyz12", "K=hunter2-hunter2"] {
        for words in [
            ["list", "-p", token].as_slice(),
            &["status", "--project", token],
            &["copy", "hf", "-p", "a", "--to-project", token],
            &["copy", "hf", "--from-project", token, "--to-project", "a"],
            &["label", "hf", "--from-project", token],
            &["sync", "hf", "--to-project", token],
            &["diff", "hf", "-p", "a", "--to-project", token],
            &["create", "s", "--from-literal=a=b", "-p", token],
            &["list", "-n", token],
        ] {
            let refused = sandbox.run(words);
            assert_ne!(refused.code, Some(0), "{refused}");
            let shown = refused.stderr.replace("kubectl runai-secret", "");
            assert!(!shown.contains(token), "{refused}");
        }
    }
}

#[test]
fn a_reference_names_its_secret_in_a_manifest_too() {
    let sandbox = Sandbox::new();
    sandbox.file("job.yaml", JOB);
    let words = ["attach", "hf", "-f", "job.yaml", "-e", "X=SECRET:hf,token"];
    let refused = sandbox.run(words).fails_with(2);
    let said = "error: -e already names the secret: leave out the first argument\n\
        hint: kubectl runai-secret attach -f FILE -e VAR=SECRET:NAME,KEY\n";
    assert!(refused.stderr.starts_with(said), "{refused}");
}

#[scenario]
fn the_keys_that_a_type_requires_are_not_taken_out_in_a_trial_either(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("d");
    let make = |name: &str, secret_type: &str, data: &[(&str, &str)]| {
        let data: serde_json::Map<_, _> =
            data.iter().map(|(key, value)| ((*key).to_owned(), json!(value))).collect();
        let secret = json!({"metadata": {"name": name}, "type": secret_type, "stringData": data});
        world.create(&format!("/api/v1/namespaces/{namespace}/secrets"), &secret);
    };
    make("tls", "kubernetes.io/tls", &[("tls.crt", "a"), ("tls.key", "b"), ("ca.crt", "c")]);
    make("ssh", "kubernetes.io/ssh-auth", &[("ssh-privatekey", "a"), ("known_hosts", "b")]);
    make("login", "kubernetes.io/basic-auth", &[("username", "a"), ("password", "b")]);
    make(
        "docker",
        "kubernetes.io/dockerconfigjson",
        &[(".dockerconfigjson", "{\"auths\": {}}"), ("more", "x")],
    );
    for (words, missing) in [
        (["tls", "tls.crt"].as_slice(), "must have the keys tls.crt and tls.key; nothing was changed\n"),
        (&["ssh", "ssh-privatekey"], "must have the key ssh-privatekey; nothing was changed\n"),
        (&["login", "username", "password"], "must have one of the keys username and password; "),
        (&["docker", ".dockerconfigjson"], "must have the key .dockerconfigjson; "),
    ] {
        for dry in [&["--dry-run=client"][..], &["--dry-run=server"], &["--yes"]] {
            let refused = sandbox.run([&["unset"], words, dry, &["-n", &namespace]].concat()).fails_with(1);
            assert!(refused.stderr.contains(missing), "{refused}");
        }
    }
    let rest = sandbox.run(["unset", "tls", "ca.crt", "-n", &namespace]).success();
    assert!(rest.stderr.contains("Warning: "), "what stays is no pair: {rest}");
    let rest = sandbox.run(["unset", "docker", "more", "-n", &namespace]).success();
    assert!(rest.stderr.contains("Warning: .dockerconfigjson names no registry"), "{rest}");
    sandbox.run(["unset", "login", "password", "-n", &namespace]).success();
}

#[scenario]
fn a_secret_that_is_named_twice_is_deleted_and_copied_once(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("d");
    create_secret(world, &namespace, "s");
    let deleted = sandbox.run(["delete", "s", "s", "--yes", "-n", &namespace]).success();
    assert_eq!(deleted.stdout, "secret/s deleted\n");
    let (runai, project) = (world.runai_namespace(), world.project("a"));
    create_secret(world, &runai, "t");
    let there = ["--runai-namespace", &runai, "--yes"];
    sandbox.run(["label", "t"].iter().chain(&there)).success();
    let synced = sandbox.run(["sync", "t", "t"].iter().chain(&there)).success();
    assert_eq!(synced.stdout, format!("secret/t created in {}\n", project.name));
}

#[scenario]
fn a_flag_of_another_command_is_named_and_what_may_be_a_value_is_not(_: &World, sandbox: &Sandbox) {
    let refused = sandbox.run(["unset", "hf", "--force", "K"]).fails_with(2);
    assert!(
        refused.stderr.starts_with("error: unknown flag --force\nhint: it is a flag of "),
        "{}",
        refused.stderr
    );
    let hidden = sandbox.run(["unset", "hf", "--hf_abc", "K"]).fails_with(2);
    assert!(hidden.stderr.starts_with("error: unknown flag (not shown"), "{}", hidden.stderr);
}

#[scenario]
fn the_name_of_a_secret_may_be_as_reports_print_it(world: &World, sandbox: &Sandbox) {
    let project = world.project("a");
    let namespace = &project.namespace;
    create_deployment(world, namespace, "web");
    let run = |line: &str| sandbox.run(line.split(' ').chain(["-n", namespace])).success();
    run("create secret/reported --from-literal=K=v4lue-of-it");
    run("create generic secrets/other --from-literal=K=v4lue-of-it");
    for line in [
        "view secret/reported",
        "usage secret/reported",
        "set secret/reported --from-literal=L=another-value",
        "unset secret/reported L",
        "copy secret/reported secret/again",
        "copy secret/reported --to-name=secret/again --replace",
        "attach secret/reported deploy/web --env K",
        "detach secret/reported deploy/web",
        "diff secret/reported secret/again",
        "rename secret/again secret/last --yes",
        "delete secret/last secret/other --yes",
    ] {
        let done = run(line);
        assert!(!done.stdout.contains("secret/secret"), "{done}");
    }
    let submit = sandbox.run(["submit", "train", "-i", "x", "--secret", "secret/reported", "-n", namespace]);
    assert!(submit.fails_with(2).stderr.contains("secret reported does not say what it holds"));
    let swapped = sandbox.run(["attach", "deploy/web", "secret/reported", "--env", "K", "-n", namespace]);
    assert!(swapped.fails_with(2).stderr.contains("attach reported deploy/web"), "the order is told");
}
