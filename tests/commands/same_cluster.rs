//! A command that is shown to be typed next reaches the cluster that the user's own command reached.

use std::path::Path;

use support::sandbox::kubectl;
use support::{Fault, Outcome, Sandbox, World, scenario};

use crate::copy::two_contexts;
use crate::edit::runtime;
use crate::workloads::create_deployment;

/// The kubeconfig's name wants quotes.
const KUBECONFIG: &str = "my config";

const TYPED: [&str; 4] = ["--kubeconfig", KUBECONFIG, "--context=it's prod", "--cluster=test"];
const CARRIED: &str = r"'--kubeconfig=my config' '--context=it'\''s prod' --cluster=test";

/// A sandbox whose own kubeconfig leads elsewhere.
fn sandbox_of(world: &World) -> Sandbox {
    let nowhere = world.kubeconfig().server("https://127.0.0.1:1");
    let sandbox = Sandbox::new().kubeconfig(&nowhere);
    sandbox.file(KUBECONFIG, world.kubeconfig().context("it's prod", "default").to_string());
    sandbox
}

/// Returns each command for a cluster in the output, from `kubectl` to the end of its line.
fn commands(outcome: &Outcome) -> Vec<String> {
    let printed = format!("{}\n{}", outcome.stdout, outcome.stderr);
    let lines = printed.lines().filter(|line| !line.contains("usage:") && !line.contains("--help"));
    lines
        .flat_map(|line| line.match_indices("kubectl ").map(|(at, _)| line[at..].to_owned()))
        .filter(|command| !command.starts_with("kubectl apply left"))
        .collect()
}

#[track_caller]
fn all_carry(outcome: &Outcome, own: &str) -> Vec<String> {
    let commands = commands(outcome);
    assert!(!commands.is_empty(), "no command is shown: {outcome}");
    for command in &commands {
        assert!(command.contains(CARRIED), "{command}\nof {outcome}");
        let is_plugins = command.starts_with("kubectl runai-secret");
        assert!(!is_plugins || command.contains(own), "{command}\nof {outcome}");
        assert!(!command.contains("s3cret-t0ken"), "{command}");
    }
    commands
}

#[scenario]
fn a_shown_command_reaches_the_cluster_that_was_meant(world: &World, _sandbox: &Sandbox) {
    let (sandbox, runai) = (sandbox_of(world), world.runai_namespace());
    let project = world.project("a");
    let namespace = project.namespace.as_str();
    world.create_secret(namespace, "hf", &[("token", "v"), ("other", "w")]);
    world.create_secret(&runai, "shared", &[("token", "v")]);
    create_deployment(world, namespace, "web");
    let run = |line: &str| {
        let words = line.split(' ').chain(TYPED).chain(["--runai-namespace", &runai]);
        sandbox.stdin("a value").run(words)
    };
    let own = format!("--runai-namespace={runai}");
    let lines = [
        format!("view hff -n {namespace}"),
        format!("create hf --from-literal=a=b -n {namespace}"),
        format!("attach nothing deploy/web --env token -n {namespace}"),
        format!("attach hf deploy/webb --env token -n {namespace}"),
        "list -n quite-another".to_owned(),
        format!("unset nothing KEY -n {namespace}"),
        "label hf".to_owned(),
        "sync shared".to_owned(),
        "label shared --wait=1s".to_owned(),
        format!("copy hf --to-project {} -n {runai}", project.name),
        format!("submit t -i x --env-all nothing -n {namespace}"),
        "ls".to_owned(),
        "mv".to_owned(),
        format!("view hf -o jsonpath={{.data.token}} -n {namespace}"),
        "submit t -i x --priority high".to_owned(),
    ];
    let shown: Vec<String> = lines.iter().flat_map(|line| all_carry(&run(line), &own)).collect();
    // Those that are whole are typed as they stand.
    let is_whole = |command: &&String| {
        let (program, rest) = command.split_once(CARRIED).unwrap();
        !program.contains(['…', '|', ';'])
            && !rest.contains([',', ';'])
            && program.chars().filter(|c| c.is_uppercase()).count() == 0
    };
    let mut whole: Vec<&String> = shown.iter().filter(is_whole).collect();
    whole.sort();
    whole.dedup();
    let whole = whole
        .into_iter()
        .filter(|command| ["view ", "list ", "status ", "get "].iter().any(|verb| command.contains(verb)));
    sandbox.link_plugin();
    let mut typed = 0;
    for command in whole {
        let line = command.replacen("kubectl runai-secret", "kubectl-runai-secret", 1);
        if line.starts_with("kubectl ") && (kubectl().is_none() || !world.is_real()) {
            continue;
        }
        let outcome = sandbox.with_run().program(Path::new("/bin/sh"), ["-c", &line]);
        assert!(!outcome.stderr.contains("127.0.0.1:1"), "{command}\n{outcome}");
        typed += 1;
    }
    assert!(typed > 2, "{shown:#?}");
}

#[scenario]
fn what_brings_a_job_back_and_what_goes_on_with_an_edit_name_the_cluster(world: &World, _sandbox: &Sandbox) {
    let sandbox = sandbox_of(world);
    let namespace = world.namespace("d");
    world.create_secret(&namespace, "hf", &[("token", "v")]);
    world.fail(Fault::on("PATCH", "/secrets/hf").for_ever().answer(403));
    let edit = ["edit", "hf", "token", "-n", &namespace];
    let run = sandbox.env("EDITOR", "sed -i s/v/w/").env("XDG_RUNTIME_DIR", runtime(&sandbox));
    let refused = run.run(edit.iter().chain(&TYPED)).fails_with(1);
    all_carry(&refused, "");
    let not_sure = ["create", "new", "--from-literal=k=v", "-n", &namespace];
    world.fail(Fault::on("POST", "/secrets").for_ever().drop_after_forwarding());
    all_carry(&sandbox.run(not_sure.iter().chain(&TYPED)).fails_with(1), "");
}

#[scenario]
fn what_is_found_by_check_is_mended_in_the_same_cluster(world: &World, _sandbox: &Sandbox) {
    let sandbox = sandbox_of(world);
    let namespace = world.namespace("d");
    create_deployment(world, &namespace, "web");
    world.create_secret(&namespace, "nowhere-else", &[("token", "v\n")]);
    let attach = ["attach", "nowhere-else", "deploy/web", "--env", "token", "-n", &namespace];
    sandbox.run(attach.iter().chain(&TYPED)).success();
    world.delete(&format!("/api/v1/namespaces/{namespace}/secrets/nowhere-else"));
    for form in ["", "-ojson", "-owide"] {
        let words = ["check", "-n", &namespace]
            .into_iter()
            .chain(TYPED)
            .chain([form].into_iter().filter(|form| !form.is_empty()));
        let found = sandbox.run(words);
        let commands = commands(&found);
        assert!(!commands.is_empty(), "{found}");
        let carried = if form == "-ojson" { CARRIED.replace('\\', "\\\\") } else { CARRIED.to_owned() };
        assert!(commands.iter().all(|command| command.contains(&carried)), "{found}");
    }
}

#[test]
fn what_is_shown_of_another_contexts_cluster_names_that_context() {
    let (here, there) = (World::with_plain_names(), World::with_plain_names());
    let (project, _) = (here.project("a"), there.project("a"));
    here.create_secret(&project.namespace, "hf", &[("token", "v")]);
    there.create_secret(&project.namespace, "hf", &[("token", "other")]);
    let sandbox = Sandbox::new();
    let both = two_contexts(&sandbox, &here, &there);
    let copy =
        ["copy", "hf", "-p", "a", "--to-project", "a", "--to-context=there", "--context=test", "--user=test"];
    let refused = sandbox.env("KUBECONFIG", both).run(copy).fails_with(1);
    let shown = commands(&refused);
    assert!(shown.len() > 1, "{refused}");
    for command in shown {
        assert!(command.contains("--context=there"), "{command}");
        assert!(!command.contains("test"), "{command}");
    }
}

#[test]
fn the_token_of_the_command_line_is_not_in_what_is_typed_next_and_the_server_is_without_its_password() {
    let world = World::with_plain_names();
    let namespace = world.namespace("d");
    world.create_secret(&namespace, "hf", &[("token", "v")]);
    let sandbox = Sandbox::new();
    let server = world.server().replace("https://", "https://u:s3cret-t0ken@");
    let ca = sandbox.file("ca.pem", world.ca_pem());
    let words = ["view", "hff", "-n", &namespace, "-s", &server, "--token", world.admin_token()];
    let words = words.into_iter().chain(["--certificate-authority", ca.to_str().unwrap()]);
    let refused = sandbox.run(words);
    let shown = commands(&refused);
    assert!(!shown.is_empty(), "{refused}");
    for command in shown {
        assert!(command.contains(&format!("--server={} ", world.server())), "{command}");
        assert!(command.contains("--certificate-authority=/"), "{command}");
    }
    refused.never_shows(b"s3cret-t0ken");
    refused.never_shows(world.admin_token().as_bytes());
}

#[test]
fn the_command_for_next_time_names_the_cluster() {
    let world = World::with_plain_names();
    let namespace = world.namespace("d");
    world.create_secret(&namespace, "hf", &[("token", "v")]);
    let sandbox = sandbox_of(&world);
    let words = ["view", "-n", &namespace, "--runai-namespace=ops"].into_iter().chain(TYPED);
    let mut session = sandbox.in_terminal(words);
    session.expect("Secret");
    session.send("hf\r");
    session.expect(&format!("next time you can type: kubectl runai-secret view hf -n {namespace}"));
    session.expect("--runai-namespace=ops");
    let screen = session.seen().to_owned();
    assert!(screen.replace(['\r', '\n'], "").contains("--context=it'"), "{screen}");
}

#[test]
fn a_command_of_another_program_is_answered_with_the_one_for_the_same_project() {
    let refused = Sandbox::new().run(["ls", "-p", "team-a", "--context=prod"]).fails_with(2);
    assert!(refused.stderr.contains("kubectl runai-secret list -p team-a --context=prod\n"), "{refused}");
    let refused = Sandbox::new().run(["mv", "-p", "hf_AbCdEfGhIjKlMnOpQrStUvWx1"]).fails_with(2);
    refused.never_shows(b"hf_AbCdEfGhIjKlMnOpQrStUvWx1");
}
