//! What is not there, or misspelt, or in the wrong place is answered with what may have been meant.

use serde_json::json;
use support::{Fault, Outcome, Sandbox, World, scenario};

use crate::workloads::{create_deployment, create_job};

/// A namespace with the secrets `hugging-face` and `wandb`.
fn with_secrets(world: &World) -> String {
    let namespace = world.namespace("a");
    world.create_secret(&namespace, "hugging-face", &[("token", "t0ken-value")]);
    world.create_secret(&namespace, "wandb", &[("key", "k3y-value")]);
    world.clear_log();
    namespace
}

#[track_caller]
fn hints(outcome: &Outcome, hint: &str) {
    assert!(outcome.stderr.contains(&format!("\nhint: {hint}\n")), "{hint:?} is missing in {outcome}");
}

#[scenario]
fn a_mistyped_secret_is_answered_with_the_nearest_whatever_the_command(world: &World, sandbox: &Sandbox) {
    let namespace = with_secrets(world);
    let project = world.project("b");
    create_deployment(world, &namespace, "web");
    let commands: [&[&str]; 9] = [
        &["delete", "huging-face", "--yes"],
        &["view", "huging-face"],
        &["unset", "huging-face", "token"],
        &["copy", "huging-face", "--to-project", &project.name],
        &["usage", "huging-face"],
        &["rename", "huging-face", "hf"],
        &["edit", "huging-face", "token"],
        &["attach", "huging-face", "deploy/web", "--env", "token"],
        &["submit", "x", "-i", "python", "-e", "A=SECRET:huging-face,token"],
    ];
    for command in commands {
        let refused =
            sandbox.env("EDITOR", "true").run(command.iter().chain(&["-n", &namespace])).fails_with(1);
        hints(&refused, "did you mean \"hugging-face\"?");
        refused.never_shows(b"t0ken-value");
    }
    let asked = world.requests();
    assert!(asked.iter().all(|request| !request.is_write()), "{:?}", world.lines());
    let unlike = sandbox.run(["view", "zzz", "-n", &namespace]).fails_with(1);
    assert!(!unlike.stderr.contains("did you mean"), "{unlike}");
}

#[scenario]
fn a_secret_that_set_makes_is_told_beside_the_one_that_may_have_been_meant(world: &World, sandbox: &Sandbox) {
    let namespace = with_secrets(world);
    let set = |more: &[&str]| {
        sandbox.stdin("v").run(["set", "huging-face", "token", "-n", &namespace].iter().chain(more))
    };
    let made = set(&[]).success();
    let note = format!(
        "note: there was no secret huging-face in {namespace}: it is new; there is also hugging-face\n"
    );
    assert_eq!(made.stderr, note);
    world.delete(&format!("/api/v1/namespaces/{namespace}/secrets/huging-face"));
    world.clear_log();
    assert_eq!(set(&["-q"]).success().stderr, "");
    assert_eq!(world.calls().len(), 2, "{:?}", world.lines());
}

#[scenario]
fn a_mistyped_shared_secret_is_answered_with_the_nearest(world: &World, sandbox: &Sandbox) {
    let runai = world.runai_namespace();
    world.create_secret(&runai, "hugging-face", &[("token", "t0ken-value")]);
    for command in
        [&["label"][..], &["status"], &["sync"], &["sync", "--prune"], &["delete", "--cluster-wide", "--yes"]]
    {
        let refused =
            sandbox.run(command.iter().chain(&["huging-face", "--runai-namespace", &runai])).fails_with(1);
        hints(&refused, "did you mean \"hugging-face\"?");
    }
    assert!(world.writes().is_empty(), "{:?}", world.lines());
}

#[scenario]
fn names_are_listed_without_values_and_only_after_the_failure(world: &World, sandbox: &Sandbox) {
    let namespace = with_secrets(world);
    sandbox.run(["view", "wandb", "-n", &namespace]).success();
    assert_eq!(world.calls().len(), 1, "{:?}", world.lines());
    world.clear_log();
    sandbox.run(["view", "wanbd", "-n", &namespace]).fails_with(1);
    let lists: Vec<_> =
        world.requests().into_iter().filter(|request| request.line().contains("/secrets?")).collect();
    assert!(lists.iter().any(|list| list.line().contains("includeObject=None")), "{:?}", world.lines());
    for list in lists {
        let is_metadata = list.header("accept").unwrap().contains("as=PartialObjectMetadataList");
        assert!(is_metadata || list.line().contains("includeObject=None"), "{}", list.line());
    }
}

#[scenario]
fn where_names_may_not_be_listed_the_answer_is_the_error_alone(world: &World, sandbox: &Sandbox) {
    let namespace = with_secrets(world);
    let user = world.user("scientist");
    let rules = json!([{ "apiGroups": [""], "resources": ["secrets"], "verbs": ["get"] }]);
    world.grant(&user, Some(&namespace), &rules);
    let refused = sandbox.run(["view", "wanbd", "-n", &namespace, "--token", &user.token]).fails_with(1);
    assert!(
        refused.stderr.starts_with("Error from server (NotFound): secrets \"wanbd\" not found"),
        "{refused}"
    );
    assert!(!refused.stderr.contains("did you mean") && !refused.stderr.contains("Forbidden"), "{refused}");
    world.fail(Fault::on("GET", "/secrets?").for_ever().answer(500));
    sandbox.run(["view", "wanbd", "-n", &namespace]).fails_with(1);
}

#[scenario]
fn a_mistyped_workload_is_answered_with_the_nearest_of_its_kind(world: &World, sandbox: &Sandbox) {
    let namespace = with_secrets(world);
    create_deployment(world, &namespace, "web");
    create_job(world, &namespace, "wbe");
    for command in [
        &["attach", "wandb", "deploy/wbe", "--env", "key"][..],
        &["detach", "wandb", "deploy/wbe"],
        &["check", "deploy/wbe"],
    ] {
        let refused = sandbox.run(command.iter().chain(&["-n", &namespace])).fails_with(1);
        hints(&refused, "did you mean \"deployment/web\"?");
    }
    let kind =
        sandbox.run(["attach", "wandb", "deplyoment/web", "--env", "key", "-n", &namespace]).fails_with(2);
    hints(&kind, "did you mean \"deployment\"?");
    let container = ["attach", "wandb", "deploy/web", "--env", "key", "-c", "mian", "-n", &namespace];
    hints(&sandbox.run(container).fails_with(1), "did you mean \"main\"?");
}

#[scenario]
fn a_secret_that_is_not_used_is_answered_with_the_one_that_is(world: &World, sandbox: &Sandbox) {
    let namespace = with_secrets(world);
    create_deployment(world, &namespace, "web");
    sandbox.run(["attach", "wandb", "deploy/web", "--env", "key", "-n", &namespace]).success();
    let detached = sandbox.run(["detach", "wanbd", "deploy/web", "-n", &namespace]).success();
    assert!(
        detached.stderr.contains("does not use secret wanbd, but wandb: nothing was written"),
        "{detached}"
    );
}

#[scenario]
fn a_namespace_in_the_place_of_a_project_is_answered_with_the_project(world: &World, sandbox: &Sandbox) {
    let project = world.project("team-a");
    let refused = sandbox.run(["list", "-p", &project.namespace]).fails_with(1);
    let (name, namespace) = (&project.name, &project.namespace);
    hints(&refused, &format!("that is the namespace of project {name:?}: -p {name}, or -n {namespace}"));
}

#[scenario]
fn a_namespace_that_is_not_there_is_answered_with_the_nearest(world: &World, sandbox: &Sandbox) {
    let project = world.project("vision");
    let typo = project.namespace.replace("vision", "vison");
    let near = format!("there is no namespace {typo:?}; did you mean {:?}?", project.namespace);
    let commands: [&[&str]; 3] =
        [&["create", "s", "--from-literal=k=v"], &["view", "s"], &["submit", "x", "-i", "python"]];
    for command in commands {
        hints(&sandbox.run(command.iter().chain(&["-n", &typo])).fails_with(1), &near);
    }
    for command in ["usage", "check", "list"] {
        let empty = sandbox.run([command, "-n", &typo]).fails_with(1);
        assert_eq!(empty.stderr, format!("error: {near}\n"));
    }
    let refused = sandbox.run(["create", "s", "--from-literal=k=v", "-n", &project.name]).fails_with(1);
    let there = format!("there is no namespace {0:?}, but a project of that name: -p {0}", project.name);
    hints(&refused, &there);
}

#[scenario]
fn a_plain_value_that_names_a_key_of_a_secret_is_refused_unless_it_is_said_to_be_meant(
    world: &World,
    sandbox: &Sandbox,
) {
    let namespace = with_secrets(world);
    let submit = |name: &str, words: &[&str]| {
        sandbox.run([&["submit", name, "-i", "python", "-n", &namespace], words].concat())
    };
    for value in ["wandb,key", "wandb/key", "wandb:key", "SECRET=wandb,key"] {
        let refused = submit("x", &["-e", &format!("A={value}")]).fails_with(2);
        let line = "error: A would get plain text that names key key of secret wandb\n";
        assert!(refused.stderr.starts_with(line), "{value}: {refused}");
        hints(&refused, "for the key of the secret: -e A=SECRET:wandb,key");
        hints(&refused, "if the text itself is meant: --literal A");
    }
    assert!(world.writes().is_empty(), "{:?}", world.lines());
    let plain = ["-e", "B=0,1", "-e", "C=wandb,no", "-e", "D=a/b", "-e", "E=host:80"];
    assert_eq!(submit("plain", &plain).success().stderr, "");
    assert_eq!(submit("meant", &["-e", "A=wandb,key", "--literal", "A"]).success().stderr, "");
    let idle = submit("idle", &["-e", "A=x", "--literal", "B"]).fails_with(2);
    assert!(idle.stderr.contains("--literal B has no effect: no -e gives B a plain value"), "{idle}");
    let empty = submit("empty", &["-e", "A="]).success();
    assert_eq!(empty.stderr, "note: env without a value: A; --literal A says that this is meant\n");
    assert_eq!(submit("emptied", &["-e", "A=", "--literal=A"]).success().stderr, "");
}

#[scenario]
fn where_run_ai_is_not_installed_is_answered_before_anything_is_said_of_copies(
    world: &World,
    sandbox: &Sandbox,
) {
    let project = world.project("a");
    let runai = world.runai_namespace();
    let marks = json!({"metadata": {"name": "hf", "labels": {"kubectl-runai-secret/copy": "true"}}});
    world.create(&format!("/api/v1/namespaces/{}/secrets", project.namespace), &marks);
    world.clear_log();
    let typo = format!("{runai}x");
    for command in [
        &["status", "hf"][..],
        &["status"],
        &["label", "hf"],
        &["sync", "hf", "--prune", "-y"],
        &["delete", "hf", "--cluster-wide", "-y"],
    ] {
        let refused = sandbox.run(command.iter().chain(&["--runai-namespace", &typo])).fails_with(1);
        assert!(
            refused.stderr.contains(&format!("there is no namespace {typo:?}")),
            "{command:?}: {refused}"
        );
        hints(&refused, "--runai-namespace says where Run:ai is installed");
        assert!(!refused.stderr.contains("orphan") && refused.stdout.is_empty(), "{refused}");
    }
    assert!(world.writes().is_empty(), "{:?}", world.lines());
}

#[scenario]
fn a_manifest_checked_for_a_project_by_the_name_of_a_namespace_is_answered_with_the_project(
    world: &World,
    sandbox: &Sandbox,
) {
    let project = world.project("a");
    let pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {containers: [{name: m, envFrom: [{secretRef: \
               {name: hf}}]}]}\n";
    let checked = sandbox.stdin(pod).run(["check", "-f", "-", "-n", &project.name]).fails_with(3);
    let there =
        format!("Warning: there is no namespace {0:?}, but a project of that name: -p {0}", project.name);
    assert!(checked.stderr.contains(&there), "{checked}");
}

#[scenario]
fn a_plain_value_that_looks_like_a_reference_and_is_none_is_not_asked_for(world: &World, sandbox: &Sandbox) {
    let namespace = with_secrets(world);
    let submit =
        ["submit", "x", "-i", "python", "-e", "PASSWORD=hunter2-hunter2,hunter", "-vvv", "-n", &namespace];
    sandbox.run(submit).success().never_shows(b"hunter2-hunter2");
    assert!(world.lines().iter().all(|line| !line.contains("hunter2-hunter2")), "{:?}", world.lines());
}

#[test]
fn a_target_before_the_secret_is_answered_with_the_right_order() {
    let sandbox = Sandbox::new();
    for command in ["attach", "detach"] {
        let refused = sandbox.run([command, "deploy/web", "hf", "--env", "K=hunter2-hunter2"]).fails_with(2);
        hints(&refused, &format!("kubectl runai-secret {command} hf deploy/web …"));
        refused.never_shows(b"hunter2-hunter2");
    }
}

#[test]
fn a_reference_without_its_prefix_is_answered_with_the_right_form() {
    let refused = Sandbox::new().run(["attach", "deploy/web", "-e", "A=hf,token"]).fails_with(2);
    hints(&refused, "put SECRET: before it: -e A=SECRET:NAME,KEY");
    assert!(!refused.stderr.contains("hf,token"), "{refused}");
}

#[test]
fn an_env_file_for_a_shell_is_answered_with_the_flag_for_those() {
    let sandbox = Sandbox::new();
    sandbox.file("e.env", "A=1\n  export TOKEN=hunter2-hunter2\n");
    let create = |flag: &str| sandbox.run(["create", "s", flag, "--dry-run=client", "-o", "yaml"]);
    let refused = create("--from-env-file=e.env").fails_with(2);
    assert!(refused.stderr.contains("e.env, line 2: no valid key name before the '='"), "{refused}");
    hints(&refused, "--from-dotenv reads files with export and quotes");
    refused.never_shows(b"hunter2-hunter2");
    create("--from-dotenv=e.env").success();
}

#[test]
fn env_all_says_what_its_value_is() {
    let sandbox = Sandbox::new();
    let name = sandbox.run(["attach", "hf", "deploy/web", "--env-all=hf"]).fails_with(2);
    assert!(name.stderr.contains("would put \"hf\" before the name of each key"), "{name}");
    let blank = sandbox.run(["attach", "hf", "deploy/web", "--env-all", "HF_"]).fails_with(2);
    hints(&blank, "a prefix follows --env-all after '=': --env-all=PREFIX");
    let prefix = sandbox.run(["submit", "x", "-i", "python", "--env-all=HF_"]).fails_with(2);
    hints(&prefix, "here --env-all names the secret: --env-all NAME, or --env-all NAME=PREFIX");
}

#[scenario]
fn two_flags_of_one_command_for_one_place_are_answered_with_what_can_be_done(
    world: &World,
    sandbox: &Sandbox,
) {
    let namespace = with_secrets(world);
    for flags in [
        ["-e", "A=1", "-e", "A=SECRET:wandb,key"],
        ["--pvc", "a:/x", "--secret-volume", "path=/x,name=wandb"],
    ] {
        let words = [&["submit", "j", "-i", "x", "-n", &namespace][..], &flags].concat();
        let refused = sandbox.run(words).fails_with(1);
        hints(&refused, "two flags of this command ask for it: leave out one of them");
        assert!(!refused.stderr.contains("--overwrite"), "{refused}");
    }
}

#[scenario]
fn files_over_what_a_container_needs_are_warned_of_wherever_they_are_asked_for(
    world: &World,
    sandbox: &Sandbox,
) {
    let namespace = with_secrets(world);
    create_deployment(world, &namespace, "web");
    let submit = ["submit", "j", "-i", "x", "--secret-volume", "path=/etc,name=wandb", "-n", &namespace];
    let attach = ["attach", "wandb", "deploy/web", "--mount", "/etc", "-n", &namespace];
    for words in [&submit[..], &attach] {
        let done = sandbox.run(words).success();
        let warning = "Warning: files in /etc hide all that the image has there";
        assert!(done.stderr.contains(warning), "{done}");
    }
    let file = ["attach", "wandb", "deploy/web", "--mount", "/wandb/key", "--mode=256", "-n", &namespace];
    let attached = sandbox.run(file).success();
    assert!(attached.stderr.contains("with mode 0256 not even the owner"), "{attached}");
    assert!(attached.stderr.contains("for a file /wandb/key: /wandb:key"), "{attached}");
}

#[scenario]
fn a_secret_named_twice_is_labelled_once(world: &World, sandbox: &Sandbox) {
    let runai = world.runai_namespace();
    world.create_secret(&runai, "hf", &[("token", "t0ken-value")]);
    let labelled = sandbox.run(["label", "hf", "hf", "--runai-namespace", &runai]).success();
    assert_eq!(labelled.stdout.lines().count(), 1, "{labelled}");
}

#[scenario]
fn without_a_secret_there_are_no_flags_to_print(world: &World, sandbox: &Sandbox) {
    let namespace = with_secrets(world);
    let printed = sandbox.run(["submit", "j", "-i", "x", "-o", "runai", "-n", &namespace]).success();
    assert_eq!(printed.stdout, "");
    assert_eq!(printed.stderr, "note: no secret is used: there is no flag to print\n");
}

#[scenario]
fn a_workload_of_another_kind_or_project_is_named(world: &World, sandbox: &Sandbox) {
    let namespace = with_secrets(world);
    let other = world.project("other");
    create_job(world, &namespace, "train");
    create_deployment(world, &other.namespace, "only-there");
    let attach =
        |word: &str| sandbox.run(["attach", "wandb", word, "--env", "key", "-n", &namespace]).fails_with(1);
    hints(&attach("deployment/train"), "did you mean \"job/train\"?");
    let there = format!("project {} has a deployment.apps/only-there: -p {0}", other.name);
    hints(&attach("deployment/only-there"), &there);
    hints(&attach("trian"), "did you mean \"job/train\"?");
    let secret = sandbox.run(["check", "wandb", "-n", &namespace]).fails_with(1);
    let view =
        format!("it is the name of a secret; to see it: kubectl runai-secret view wandb -n {namespace}");
    hints(&secret, &view);
}

#[scenario]
fn a_secret_of_another_project_is_named_whatever_the_command(world: &World, sandbox: &Sandbox) {
    let [here, there] = ["here", "there"].map(|name| world.project(name));
    let name = format!("only-in-{}", there.name);
    world.create_secret(&there.namespace, &name, &[("key", "v4lue")]);
    let hint = format!("project {} has a secret {name}: -p {0}", there.name);
    for command in [
        &["view", &name][..],
        &["usage", &name],
        &["delete", &name, "-y"],
        &["unset", &name, "key", "-y"],
        &["edit", &name],
    ] {
        let refused = sandbox.run(command.iter().chain(&["-n", here.namespace.as_str()]));
        hints(&refused, &hint);
    }
}

#[test]
fn where_nobody_said_which_project_that_is_the_hint() {
    let world = World::with_plain_names();
    let sandbox = Sandbox::new().with(&world);
    for command in
        [&["view", "hf"][..], &["attach", "hf", "deploy/web", "--env", "k"], &["check", "deploy/web"]]
    {
        let refused = sandbox.run(command).fails_with(1);
        let hint = "namespace default belongs to no project: name one with -p PROJECT, or a namespace with -n; to keep \
                    one for all commands: kubectl config set-context --current --namespace=NAMESPACE";
        hints(&refused, hint);
        assert_eq!(refused.stderr.matches("hint:").count(), 1, "{refused}");
    }
}

#[scenario]
fn a_namespace_that_is_not_there_is_told_to_somebody_who_is_led(world: &World, sandbox: &Sandbox) {
    let project = world.project("a");
    for command in ["attach", "view", "delete"] {
        let session = sandbox.in_terminal([command, "-n", &project.name]);
        let (code, shown) = session.wait();
        assert!(
            code == 1 && shown.contains(&format!("a project of that name: -p {}", project.name)),
            "{shown}"
        );
    }
}

#[scenario]
fn variables_of_an_access_key_that_nothing_reads_are_answered_with_the_usual_ones(
    world: &World,
    sandbox: &Sandbox,
) {
    let namespace = world.namespace("a");
    world.create_secret(&namespace, "s3", &[("AccessKeyId", "AKIA"), ("SecretKey", "v4lue")]);
    create_deployment(world, &namespace, "web");
    let attached = sandbox.run(["attach", "s3", "deploy/web", "--env-all", "-n", &namespace]).success();
    let way = "--env AWS_ACCESS_KEY_ID=AccessKeyId --env AWS_SECRET_ACCESS_KEY=SecretKey";
    assert!(attached.stderr.contains(way), "{attached}");
    let prefixed = ["attach", "s3", "deploy/web", "--env-all=A_", "-n", &namespace];
    assert!(!sandbox.run(prefixed).success().stderr.contains(way));
}
