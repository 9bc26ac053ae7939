//! A value goes through every command, at the highest verbosity, with every fault, and is found nowhere but in the
//! cluster.

mod stored;

use std::collections::BTreeSet;
use std::fs;
use std::io::ErrorKind;
use std::time::Duration;

use base64::display::Base64Display;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};
use support::{Fault, Hold, On, Sandbox, World, scenario};

use crate::definitions::GROUPS;
use crate::workloads::{create_cronjob, create_deployment, create_job, job_path, pod_template};

const CANARY: &str = "c4nary-in-the-coal-mine";

/// Where the commands work: a namespace, Run:ai's own, and two projects.
struct Places {
    namespace: String,
    runai: String,
    projects: [String; 2],
}

/// Every command line that reads a value or touches a secret.
fn command_lines(places: &Places) -> Vec<String> {
    [creations(places), other_commands(places), mistakes(places)].concat()
}

fn creations(Places { namespace, runai, projects: [a, b] }: &Places) -> Vec<String> {
    vec![
        format!("-vvv create from-file --from-file=k=value.txt -n {namespace}"),
        format!("-vvv create from-literal --from-literal=k={CANARY} -n {namespace}"),
        format!("-vvv create from-env-file --from-env-file=values.env -n {namespace}"),
        format!("-vvv create from-stdin --from-file=k=- -n {namespace}"),
        format!("-vvv create dry --from-file=k=value.txt --dry-run=server -n {namespace}"),
        format!("-vvv create dry --from-file=k=value.txt --dry-run=client -o name -n {namespace}"),
        format!("-vvv create from-dotenv --from-dotenv=values.dotenv -n {namespace}"),
        format!("-vvv create from-json --from-json=values.json -n {namespace}"),
        format!("-vvv create from-env --from-env=CANARY -n {namespace}"),
        format!("-vvv create twice --from-file=k=value.txt -p {a} -p {b}"),
        format!("-vvv create shared-2 --from-file=k=value.txt --cluster-wide --runai-namespace {runai}"),
        format!("-vvv create s3 --from-file=k=value.txt -n {namespace}"),
        format!("-vvv create s3 --from-file=k=value.txt --replace --immutable -n {namespace}"),
        format!("-vvv create s3 --from-file=k=value.txt --replace -n {namespace}"),
        format!("-vvv create s3 --from-file=k=value.txt --replace -y -n {namespace}"),
        format!("-vvv create docker-registry d --docker-username=u --docker-password-stdin -n {namespace}"),
        format!(
            "-vvv create docker-registry d2 --docker-username=u --docker-password={CANARY} -n {namespace}"
        ),
        format!("-vvv create password p --username=u --password-stdin --credential -n {namespace}"),
        format!("-vvv create password p2 --username=u --password-env=CANARY -n {namespace}"),
        format!("-vvv create access-key k --access-key-id=i --secret-key-file=value.txt -n {namespace}"),
    ]
}

fn other_commands(Places { namespace, runai, projects: [a, b] }: &Places) -> Vec<String> {
    let attach = "-vvv attach -n";
    let sharing = [
        "label shared".to_owned(),
        "status shared -o wide".to_owned(),
        "status -o json".to_owned(),
        "sync shared".to_owned(),
        "sync shared --adopt -y -o json".to_owned(),
        "sync shared --dry-run=server".to_owned(),
        format!("label twice --from-project {a} -y --wait=1ms"),
        "label shared --remove -y".to_owned(),
        "sync shared --prune -y".to_owned(),
        "delete twice --cluster-wide -y --timeout 0".to_owned(),
        "delete shared-2 --cluster-wide -y --timeout 0".to_owned(),
    ];
    let mut lines: Vec<String> =
        sharing.into_iter().map(|line| format!("-vvv {line} --runai-namespace {runai}")).collect();
    lines.extend([
        format!("{attach} {namespace} s deploy/web --env token --env-all=P_ --mount /etc/s"),
        format!("{attach} {namespace} cronjob/nightly -e TOKEN=SECRET:s,token"),
        format!("{attach} {namespace} s job/train --env token --recreate -y"),
        format!("{attach} {namespace} s job/train --mount /etc/s --copy-as train-2"),
        format!("{attach} {namespace} s deploy/web --env tokn"),
        "-vvv attach s -f job.yaml --env token".to_owned(),
        "-vvv attach -f plain.yaml --extract PLAIN --dry-run=client -o name".to_owned(),
        format!("-vvv attach -f plain.yaml --extract PLAIN=plain-1 -n {namespace} -o name"),
        format!("-vvv attach -f plain.yaml --extract PLAIN=plain-2 -n {namespace}"),
        format!("{attach} {namespace} deploy/plain --extract PLAIN=plain-3 --dry-run=server -o yaml"),
        format!("{attach} {namespace} deploy/plain --extract PLAIN=plain-3 --copy-as plain-copy"),
        format!("{attach} {namespace} deploy/plain --extract PLAIN"),
        format!("{attach} {namespace} job/plain --extract PLAIN=plain-4 --recreate -y"),
        "-vvv detach s -f job.yaml".to_owned(),
        format!("-vvv submit -i ubuntu -e TOKEN=SECRET:s,token -n {namespace}"),
        format!("-vvv submit -i ubuntu -e TOKEN=SECRET:s,token --wait=0s -n {namespace}"),
        format!("-vvv submit -i ubuntu -e TOKEN=SECRET:s,token --env-all=s -o runai -n {namespace}"),
        format!("{attach} {namespace} s deploy/web --env-all -o runai"),
        format!("-vvv set s other --restart -n {namespace}"),
        format!("-vvv restart s --all -y --no-wait -n {namespace}"),
        format!("-vvv set s --from-file=token=value.txt -o yaml -n {namespace}"),
        format!("-vvv set s --from-env=token=CANARY --dry-run=server -n {namespace}"),
        format!("-vvv set new-by-set --from-dotenv=values.dotenv -o json -n {namespace}"),
        format!("-vvv unset s other -y -o json -n {namespace}"),
        format!("-vvv copy s -n {namespace} --to-project={a} --to-project={b}"),
        format!("-vvv copy s -n {namespace} --to-project={a} --replace -o json"),
        format!("-vvv copy s -n {namespace} --to-project={a} --replace --dry-run=server -o yaml"),
        format!("-vvv list -n {namespace} -o wide"),
        format!("-vvv list -n {namespace} --keys -o json"),
        format!("-vvv view s -n {namespace}"),
        format!("-vvv view s token -n {namespace} -o json"),
        format!("-vvv view s -n {namespace} -o dotenv"),
        format!("-vvv view s tokn --reveal -n {namespace}"),
        format!("-vvv view s -n {namespace} -o jsonpath={{.data.token}}"),
        format!("-vvv view s -n {namespace} -o jsonpath={{..*}}{{.keys[*].identity}}"),
        format!("-vvv view s -n {namespace} --reveal -o jsonpath={{.token[0]}}{{..token}}{{.nothing}}"),
        format!("-vvv view s -n {namespace} --reveal -o jsonpath={{.nothing}}"),
        format!("-vvv view s -n {namespace} --reveal -o custom-columns=A:.token[?(@.a)]"),
        "-vvv create dry --from-file=k=value.txt --dry-run=client -o jsonpath={.data.k[?(@.a)]}".to_owned(),
        format!(
            "-vvv set s --from-file=token=value.txt -o jsonpath={{.data}}{{..token}}{{@}} -n {namespace}"
        ),
        format!("-vvv usage -n {namespace} -o jsonpath={{@}}"),
        format!("-vvv view s --reveal --export-file=value.txt -n {namespace}"),
        format!("-vvv diff s -n {namespace} --from-dotenv=values.dotenv"),
        format!("-vvv diff -f secrets.yaml -n {namespace}"),
        format!("-vvv diff -f secrets.yaml -o json -n {namespace}"),
        format!("-vvv apply -f secrets.yaml -n {namespace} --adopt"),
        format!("-vvv apply -f secrets.yaml -n {namespace} -o json"),
        format!("-vvv apply -f broken.yaml -n {namespace}"),
        format!("-vvv apply -f with-a-value.yaml -n {namespace}"),
        format!("-vvv diff -n {namespace} --to-project={a} -o json"),
        format!("-vvv usage s -n {namespace} -o wide"),
        format!("-vvv usage deploy/web -n {namespace} -o wide"),
        format!("-vvv check -n {namespace} -o json --runai-namespace {runai}"),
        format!("-vvv check deploy/web -n {namespace}"),
        format!("-vvv check -f values.json -n {namespace}"),
        format!("-vvv check -f broken.json -n {namespace}"),
        format!("-vvv check -f value.txt -n {namespace}"),
        format!("-vvv edit s token -n {namespace}"),
        format!("-vvv edit s -n {namespace} --dry-run=server"),
        format!("-vvv edit s -n {namespace}"),
        format!("-vvv rename s renamed --dry-run=server -o yaml -n {namespace}"),
        format!("-vvv rename s renamed -y --no-wait --recreate -n {namespace}"),
        format!("-vvv delete s3 -y -n {namespace}"),
    ]);
    lines
}

/// Mistakes, in which a value stands where something else should.
fn mistakes(Places { namespace, .. }: &Places) -> Vec<String> {
    vec![
        format!("-vvv create s2 --from-literal={CANARY} -n {namespace}"),
        format!("-vvv create s2 --from-literal k= {CANARY} -n {namespace}"),
        format!("-vvv create s2 --from-literal={CANARY}!=x -n {namespace}"),
        format!("-vvv create s2 --from-env-file=broken.env -n {namespace}"),
        format!("-vvv create s2 --from-dotenv=broken.env -n {namespace}"),
        format!("-vvv create s2 --from-dotenv=value.txt -n {namespace}"),
        format!("-vvv create s2 --from-json=broken.json -n {namespace}"),
        format!("-vvv create s2 --from-json=value.txt -n {namespace}"),
        format!("-vvv create s2 --from-env={CANARY} -n {namespace}"),
        format!("-vvv create s2 --from-env=k={CANARY} -n {namespace}"),
        format!("-vvv create s2 --generate=k={CANARY} -n {namespace}"),
        format!("-vvv create s2 --prompt=k!{CANARY} -n {namespace}"),
        format!("-vvv create s2 --from-literal=k=v --annotation={CANARY} -n {namespace}"),
        format!("-vvv create tls s2 --cert=value.txt --key=value.txt -n {namespace}"),
        format!("-vvv create ssh s2 --private-key=value.txt -n {namespace}"),
        format!("-vvv create docker-registry s2 --from-file=value.txt -n {namespace}"),
        format!("-vvv create docker-registry s2 --from-file=broken.json -n {namespace}"),
        format!("-vvv create password s2 --username=u --password-env={CANARY} -n {namespace}"),
        format!(
            "-vvv create s2 --type=kubernetes.io/dockerconfigjson --from-file=.dockerconfigjson=value.txt -n {namespace}"
        ),
        format!("-vvv set s KEY={CANARY} -n {namespace}"),
        format!("-vvv set s --from-literal={CANARY} -n {namespace}"),
        format!("-vvv set s --from-dotenv=broken.env -n {namespace}"),
        "-vvv attach s -f broken.yaml --env token".to_owned(),
        "-vvv attach s -f value.txt --env token".to_owned(),
        "-vvv detach s -f broken.json".to_owned(),
        format!("-vvv attach -n {namespace} deploy/plain --extract PLAIN={CANARY}"),
        format!("-vvv attach -n {namespace} cronjob/plain --extract PLAIN={CANARY}"),
        format!("-vvv attach -n {namespace} cronjob/plain --extract PLAIN=s,{CANARY}"),
        format!("-vvv attach -n {namespace} deploy/web -e TOKEN={CANARY}"),
        format!("-vvv submit -i ubuntu -e TOKEN=SECRET:{CANARY} -n {namespace}"),
        format!("-vvv attach -n {namespace} s deploy/web --env TOKEN={CANARY}"),
        format!("-vvv attach -n {namespace} missing deploy/web --env TOKEN={CANARY}"),
        format!("-vvv submit -i ubuntu -e TOKEN=SECRET:s,{CANARY} -n {namespace}"),
    ]
}

fn prepared(world: &World, sandbox: &Sandbox) -> Places {
    let (namespace, runai) = (world.namespace("a"), world.runai_namespace());
    // In a folder of their own, which is not searched: the user's own files hold the value, of course.
    sandbox.file("value.txt", CANARY);
    sandbox.file("values.env", format!("A={CANARY}\nB=\"{CANARY}\"\n"));
    sandbox.file("broken.env", format!("A=1\n{CANARY} {CANARY}\n"));
    sandbox.file("values.dotenv", format!("export A='{CANARY}' # {CANARY}\nB=\"\n{CANARY}\n\"\n"));
    sandbox.file("values.json", format!("{{\"a\": \"{CANARY}\"}}"));
    sandbox.file("broken.json", format!("{{\"a\": [\"{CANARY}\"], {CANARY}"));
    sandbox.file(
        "job.yaml",
        "kind: Job\napiVersion: batch/v1\nspec: {template: {spec: {containers: [{name: a}]}}}\n",
    );
    let from = "[{dotenv: values.dotenv}, {file: value.txt}, {json: values.json}, {generate: made}]";
    sandbox.file(
        "secrets.yaml",
        format!("{{name: f, secrets: [{{name: applied, from: {from}}}, {{name: s, from: [{{file: value.txt, key: token}}]}}]}}"),
    );
    sandbox.file(
        "with-a-value.yaml",
        format!("{{name: f, secrets: [{{name: v, data: {{a: {CANARY}}}, from: [{{file: value.txt, {CANARY}: {CANARY}}}]}}]}}"),
    );
    sandbox.file("broken.yaml", format!("a: {CANARY}\n{CANARY}: {CANARY}: {CANARY}\n"));
    world.create_secret(&namespace, "s", &[("token", CANARY)]);
    world.create_secret(&runai, "shared", &[("k", CANARY)]);
    create_deployment(world, &namespace, "web");
    create_cronjob(world, &namespace, "nightly");
    create_job(world, &namespace, "train");
    create_plain(world, &namespace);
    let pod = format!("{{containers: [{{name: a, env: [{{name: PLAIN, value: {CANARY}}}]}}]}}");
    sandbox.file(
        "plain.yaml",
        format!(
            "kind: Job\napiVersion: batch/v1\nmetadata: {{name: p}}\nspec: {{template: {{spec: {pod}}}}}\n"
        ),
    );
    Places { namespace, runai, projects: ["a", "b"].map(|name| world.project(name).name) }
}

/// Workloads that hold the value themselves, in plain text.
fn create_plain(world: &World, namespace: &str) {
    let template = |restart: &str| {
        let mut template = pod_template(restart);
        template["spec"]["containers"][0]["env"] = json!([{"name": "PLAIN", "value": CANARY}]);
        template
    };
    let selector = json!({"matchLabels": {"app": "test"}});
    let spec = json!({"replicas": 0, "selector": selector, "template": template("Always")});
    let create = |path: String, spec: Value| {
        world.create(&path, &json!({"metadata": {"name": "plain"}, "spec": spec}));
    };
    create(format!("/apis/apps/v1/namespaces/{namespace}/deployments"), spec);
    create(job_path(namespace, ""), json!({"template": template("Never")}));
    let spec = json!({"schedule": "0 0 1 1 *", "jobTemplate": {"spec": {"template": template("Never")}}});
    create(format!("/apis/batch/v1/namespaces/{namespace}/cronjobs"), spec);
}

/// The files below the sandbox that hold the value, but for those that the test wrote itself.
#[track_caller]
fn no_file_holds_it(sandbox: &Sandbox, line: &str) {
    let own = [
        "value.txt",
        "values.env",
        "broken.env",
        "broken.yaml",
        "with-a-value.yaml",
        "plain.yaml",
        "values.dotenv",
        "values.json",
        "broken.json",
    ];
    let own = own.map(|name| sandbox.path().join(name));
    let found: Vec<_> =
        sandbox.files_containing(CANARY.as_bytes()).into_iter().filter(|file| !own.contains(file)).collect();
    assert!(found.is_empty(), "{found:?} hold the value after {line}");
}

#[scenario]
fn no_command_shows_or_keeps_it(world: &World, sandbox: &Sandbox) {
    let places = prepared(world, sandbox);
    for line in command_lines(&places) {
        // An editor that shows what it is given.
        let run = sandbox.stdin(CANARY).env("CANARY", CANARY).env("EDITOR", "cat");
        let run = run.env("XDG_RUNTIME_DIR", sandbox.home());
        run.run(line.split(' ')).never_shows(CANARY.as_bytes());
        no_file_holds_it(sandbox, &line);
    }
    for request in world.requests() {
        assert!(!request.line().contains(CANARY), "in an address: {}", request.line());
        let path = request.path.trim_end_matches('/');
        // The version of the server says which names of variables are legal, that of a group is for kinds that are
        // not built in, and the list of all groups for whoever looks for everything that refers to a secret.
        let is_needed = matches!(path, "/version" | "/apis")
            || GROUPS.iter().any(|group| path.starts_with(&format!("/apis/{group}")));
        let asks_for_kinds =
            path.starts_with("/openapi") || path.split('/').count() <= 4 && !path.contains("/v1/");
        // A kind that somebody added: its schema says whether it can refer to a secret.
        let group = path.strip_prefix("/openapi/v3/apis/").and_then(|rest| rest.split('/').next());
        let is_of_another = group.is_some_and(|group| group.contains('.') && !group.ends_with(".k8s.io"));
        let asks_for_kinds = asks_for_kinds && !is_needed && !is_of_another;
        assert!(!asks_for_kinds, "no kind needs to be discovered: {}", request.line());
    }
    for secret in world.list(&format!("/api/v1/namespaces/{}/secrets", places.namespace)) {
        let metadata = secret["metadata"].to_string();
        assert!(!metadata.contains(CANARY) && !metadata.contains("last-applied"), "{metadata}");
    }
}

#[scenario]
fn no_refusal_brings_it_to_light(world: &World, sandbox: &Sandbox) {
    brings_nothing_to_light(world, sandbox, |on| on.answer(403));
}

#[scenario]
fn no_failure_brings_it_to_light(world: &World, sandbox: &Sandbox) {
    brings_nothing_to_light(world, sandbox, |on| on.answer(500));
}

#[scenario]
fn no_page_brings_it_to_light(world: &World, sandbox: &Sandbox) {
    brings_nothing_to_light(world, sandbox, |on| on.html(502));
}

#[scenario]
fn no_half_answer_brings_it_to_light(world: &World, sandbox: &Sandbox) {
    brings_nothing_to_light(world, sandbox, On::cut_the_answer);
}

#[scenario]
fn no_lost_answer_brings_it_to_light(world: &World, sandbox: &Sandbox) {
    brings_nothing_to_light(world, sandbox, On::drop_after_forwarding);
}

/// So many commands run at once: where everything fails they mostly wait before another try.
const AT_ONCE: usize = 8;

#[track_caller]
fn brings_nothing_to_light(world: &World, sandbox: &Sandbox, fault: fn(On) -> Fault) {
    let places = prepared(world, sandbox);
    // A mistake ends before there is a connection.
    let lines = [creations(&places), other_commands(&places)].concat();
    // Where reading fails nothing is written, so what befalls a write needs a turn of its own.
    for methods in [&["*"][..], &["POST", "PATCH", "PUT"]] {
        for method in methods {
            world.fail(fault(Fault::on(method, "/").for_ever()));
        }
        for lines in lines.chunks(AT_ONCE) {
            std::thread::scope(|scope| {
                for line in lines {
                    scope.spawn(|| shows_nothing(sandbox, line));
                }
            });
            no_file_holds_it(sandbox, &lines.join("\n"));
        }
        world.clear_faults();
    }
    let written: BTreeSet<String> = world.writes().into_iter().map(|write| write.method).collect();
    assert!(["POST", "PATCH", "PUT"].iter().all(|method| written.contains(*method)), "{written:?}");
}

fn shows_nothing(sandbox: &Sandbox, line: &str) {
    // What an editor made is kept where it can't be written: here it has nothing of the value any more.
    let editor = format!("sed -i s/{CANARY}/changed/");
    let run = sandbox.stdin(CANARY).env("CANARY", CANARY).env("EDITOR", editor);
    run.env("XDG_RUNTIME_DIR", sandbox.home()).run(line.split(' ')).never_shows(CANARY.as_bytes());
}

/// A server that quotes what it was sent, as an admission webhook may: its words are not ours to trust.
#[test]
fn a_server_that_quotes_the_request_is_not_quoted() {
    let world = World::in_process();
    let namespace = world.namespace("a");
    let sandbox = Sandbox::new().with(&world);
    sandbox.file("value.txt", CANARY);
    world.fail(Fault::on("POST", "/secrets").answer_with(400, &format!("webhook denied: k={CANARY}")));
    let refused = sandbox.run(["create", "x", "--from-file=k=value.txt", "-n", &namespace]).fails_with(1);
    refused.never_shows(CANARY.as_bytes());

    let with_line_end = format!("{CANARY}\n");
    let long = format!("{CANARY}-{}", "0123456789-".repeat(60));
    let lines = format!("-----BEGIN KEY-----\n{CANARY}\n{CANARY}\n-----END KEY-----\n");
    let special = format!("a\"\\<&>\n{CANARY}\t\u{1}");
    let in_json = serde_json::Value::from(special.as_str()).to_string();
    let across_the_cut = format!("{}{CANARY}", "x".repeat(390));
    let base64 = Base64Display::new(lines.as_bytes(), &BASE64_STANDARD).to_string();
    for (value, quote) in [
        (&with_line_end, CANARY),
        (&long, &long),
        (&lines, &lines),
        (&lines, &lines[5..40]),
        (&lines, &base64[6..]),
        (&special, &in_json),
        (&with_line_end, &across_the_cut),
        (&with_line_end, &CANARY[3..14]),
    ] {
        sandbox.file("value.txt", value);
        let create = ["-vvv", "create", "x", "--from-file=k=value.txt", "--dry-run=server", "-n", &namespace];
        for code in [403, 409, 422, 500] {
            world.fail(Fault::on("POST", "/secrets").answer_with(code, &format!("webhook denied: {quote}")));
            let refused = sandbox.run(create).fails_with(1);
            assert!(refused.stderr.contains("[not shown: it repeats a value]"), "{refused}");
            for piece in [CANARY, &CANARY[..8], &CANARY[3..11], "BEGIN KEY", "0123456789", &base64[6..20]] {
                refused.never_shows(piece.as_bytes());
            }
        }
        let in_a_header = quote.replace(|c: char| c.is_control(), " ");
        world.fail(Fault::on("POST", "/secrets").warn(&in_a_header));
        let warned = sandbox.run(create).success();
        assert!(warned.stderr.contains("Warning: [not shown: it repeats a value]"), "{warned}");
    }
}

#[test]
fn a_server_that_quotes_a_password_in_a_registry_login_is_not_quoted() {
    let world = World::in_process();
    let namespace = world.namespace("a");
    world.fail(Fault::on("POST", "/secrets").answer_with(400, &format!("webhook denied: password={CANARY}")));
    let login = [
        "create",
        "docker-registry",
        "x",
        "--docker-username=u",
        "--docker-password-stdin",
        "-n",
        &namespace,
    ];
    Sandbox::new().with(&world).stdin(CANARY).run(login).fails_with(1).never_shows(CANARY.as_bytes());
}

/// A warning is as long as its server likes; a line is not.
#[test]
fn a_long_warning_is_cut() {
    let world = World::in_process();
    let namespace = world.namespace("a");
    world.fail(Fault::on("POST", "/secrets").warn(&"deprecated ".repeat(100)));
    let warned =
        Sandbox::new().with(&world).run(["create", "x", "--from-literal=k=v", "-n", &namespace]).success();
    let line = warned.stderr.lines().find(|line| line.starts_with("Warning: deprecated")).unwrap();
    assert!(line.ends_with('…') && line.chars().count() < 420, "{warned}");
}

/// The plugin's children are credential plugins alone: what they are started with is looked at while they run.
#[test]
fn no_child_process_gets_it() {
    let world = World::in_process();
    let namespace = world.namespace("a");
    let sandbox = Sandbox::new();
    let (seen, token) = (sandbox.path().join("seen"), world.admin_token().to_owned());
    let credential = serde_json::json!({
        "kind": "ExecCredential", "apiVersion": "client.authentication.k8s.io/v1", "status": { "token": token },
    });
    let script = format!(
        "#!/bin/sh\ntr '\\0' '\\n' < /proc/$$/cmdline > '{0}'\ntr '\\0' '\\n' < /proc/$$/environ >> '{0}'\necho '{credential}'\n",
        seen.display()
    );
    let plugin = sandbox.program("login", &script);
    let sandbox = sandbox.kubeconfig(&world.kubeconfig().exec(&plugin, &[]));
    sandbox.stdin(CANARY).run(["create", "s", "--from-file=k=-", "-n", &namespace]).success();
    let seen = fs::read_to_string(seen).unwrap();
    assert!(seen.contains("KUBERNETES_EXEC_INFO"), "the test sees the environment");
    assert!(!seen.contains(CANARY));
}

/// While it runs, every program of the same user can read what the plugin was started with.
#[test]
fn the_plugins_own_arguments_and_environment_do_not_hold_it() {
    let world = World::in_process();
    let namespace = world.namespace("a");
    let sandbox = Sandbox::new().with(&world);
    let gate = world.hold(Fault::on("POST", "/secrets"), Hold::BeforeForwarding);
    let running = sandbox.stdin(CANARY).spawn(["create", "s", "--from-file=k=-", "-n", &namespace]);
    assert!(gate.wait_reached(Duration::from_mins(1)));
    for (file, known) in [("cmdline", "--from-file=k=-"), ("environ", "KUBECONFIG=")] {
        let seen = match fs::read(format!("/proc/{}/{file}", running.id().unwrap())) {
            // Only root may look into a process that can't be dumped.
            Err(error) if error.kind() == ErrorKind::PermissionDenied && file == "environ" => continue,
            seen => seen.unwrap(),
        };
        let seen = String::from_utf8_lossy(&seen);
        assert!(seen.contains(known), "the test sees {file}: {seen}");
        assert!(!seen.contains(CANARY), "{file}");
    }
    gate.release();
    running.wait().success();
    assert_eq!(world.secret_value(&namespace, "s", "k").as_deref(), Some(CANARY.as_bytes()));
}
