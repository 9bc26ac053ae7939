//! When values end: as they say themselves, and as `--expires` notes it.

use std::time::{Duration, SystemTime};

use serde_json::{Value, json};
use support::{Chain, Sandbox, World, scenario};

use crate::status::{Shared, our_copy};
use crate::view::create;
use crate::view_identity::signed;

const DAY: Duration = Duration::from_hours(24);
const EXPIRES: &str = "kubectl-runai-secret/expires";

/// A day that no test sees the end of.
fn far() -> SystemTime {
    SystemTime::UNIX_EPOCH + 60_000 * DAY
}

/// Half an hour before a number of days from now on.
fn in_days(days: u32) -> SystemTime {
    SystemTime::now() + days * DAY - Duration::from_mins(30)
}

fn seconds(time: SystemTime) -> u64 {
    time.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs()
}

/// `warning expires-soon secret/web the certificate in tls.crt expires`: what is said before a date.
fn found(report: &Value) -> Vec<String> {
    let text = |one: &Value, field: &str| one[field].as_str().unwrap().to_owned();
    let line = |one: &Value| {
        let message = text(one, "message");
        let message = message.split(" on ").next().unwrap_or_default();
        [&text(one, "severity"), &text(one, "code"), &text(one, "object"), message].join(" ")
    };
    let mut lines: Vec<String> = report["findings"].as_array().unwrap().iter().map(line).collect();
    lines.retain(|line| line.contains("expire"));
    lines
}

#[scenario]
fn what_has_ended_and_what_ends_soon_is_found(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("ns");
    let past = SystemTime::UNIX_EPOCH + 18_000 * DAY;
    let put =
        |name: &str, key: &str, value: &str| create(world, &namespace, name, &[(key, value.as_bytes())]);
    let chain = Chain::ending(far(), far() + DAY);
    put("good", "tls.crt", &format!("{}{}", chain.certificate, chain.authority));
    let chain = Chain::ending(far(), past);
    put("broken", "tls.crt", &format!("{}{}", chain.certificate, chain.authority));
    // Authorities that do not depend on each other: one has always ended.
    put(
        "bundle",
        "ca.crt",
        &format!("{}{}", Chain::ending(far(), past).authority, Chain::ending(past, far()).authority),
    );
    put("near", "client.pem", &Chain::ending(in_days(7), far()).certificate);
    put("old", "token", &signed(&json!({"exp": 1_600_000_000})));
    put("soon", "token", &signed(&json!({"exp": seconds(in_days(7))})));
    // Renewed every week by a program, and four days are left.
    put(
        "weekly",
        "token",
        &signed(&json!({"iat": seconds(in_days(4)) - 7 * 86_400, "exp": seconds(in_days(4))})),
    );
    let check = |more: &[&str]| {
        let line = ["check", "-n", &namespace, "--ignore=unused-secret", "-o", "json"];
        sandbox.run(line.iter().chain(more)).success().json()
    };
    let ended = [
        "warning expired-certificate secret/broken a certificate of the chain in tls.crt expired",
        "warning expired secret/old the token in token expired",
    ];
    let near = [
        "warning expires-soon secret/near the certificate in client.pem expires",
        "warning expires-soon secret/soon the token in token expires",
    ];
    assert_eq!(found(&check(&[])), [ended, near].concat());
    assert_eq!(found(&check(&["--within=1d"])), ended);
    let all = found(&check(&["--within", "9000w"]));
    for name in ["good", "bundle", "weekly", "near", "soon"] {
        assert!(all.iter().any(|line| line.contains(&format!("expires-soon secret/{name} "))), "{all:?}");
    }
    let days = sandbox.run(["check", "-n", &namespace, "--within=30"]).fails_with(2);
    assert!(days.stderr.contains("\"30\" is not a time span such as 30d, 2w or 12h"), "{days}");
}

#[scenario]
fn what_is_used_and_has_ended_is_an_error(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("ns");
    create(world, &namespace, "old", &[("token", signed(&json!({"exp": 1_600_000_000})).as_bytes())]);
    let mut template = crate::workloads::pod_template("Never");
    template["spec"]["containers"][0]["envFrom"] = json!([{"secretRef": {"name": "old"}}]);
    let job = json!({"metadata": {"name": "train"}, "spec": {"suspend": true, "template": template}});
    world.create(&format!("/apis/batch/v1/namespaces/{namespace}/jobs"), &job);
    let report = sandbox.run(["check", "-n", &namespace, "-o", "json"]).fails_with(3);
    assert_eq!(found(&report.json()), ["error expired secret/old the token in token expired"]);
}

#[scenario]
fn a_cron_job_is_told_by_the_exit_code(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("ns");
    create(world, &namespace, "soon", &[("token", signed(&json!({"exp": seconds(in_days(7))})).as_bytes())]);
    let codes = "--only=expired,expired-certificate,expires-soon";
    let check = |more: &[&str]| sandbox.run(["check", "-n", &namespace, codes].iter().chain(more));
    check(&[]).success();
    let told = check(&["--fail-on=warning"]).fails_with(3);
    assert!(told.stderr.contains("error: 1 finding\n") && told.stdout.contains("secret/soon"), "{told}");
    check(&["--fail-on=warning", "--within=1d"]).success();
    let (code, shown) = sandbox.in_terminal(["check", "-n", &namespace, codes, "--fail-on=warning"]).wait();
    assert!(code == 3 && shown.contains("expires-soon"), "{shown}");
}

/// The annotation of a secret; none if there is none.
fn noted(world: &World, namespace: &str, name: &str) -> Option<Value> {
    let secret = world.get(&format!("/api/v1/namespaces/{namespace}/secrets/{name}")).unwrap();
    let annotation = secret["metadata"]["annotations"][EXPIRES].as_str()?;
    Some(serde_json::from_str(annotation).unwrap())
}

#[scenario]
fn a_noted_end_holds_for_the_value_it_was_noted_for(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("ns");
    let run = |line: &str, input: &str| {
        sandbox.stdin(input).run(line.split(' ').chain(["-n", &namespace])).success()
    };
    let (a, b) = ("2199-01-31T00:00:00Z", "2199-06-30T10:00:00Z");
    run("create hf --from-literal=A=1 --from-literal=B=1 --expires=2199-01-31", "");
    assert_eq!(noted(world, &namespace, "hf"), Some(json!({"A": a, "B": a})));
    // A key with a date of its own; the other keeps its own.
    run("set hf B --expires=2199-06-30T12:00:00+02:00", "2");
    assert_eq!(noted(world, &namespace, "hf"), Some(json!({"A": a, "B": b})));
    // The same value has the same end, and nothing is written.
    world.clear_log();
    let same = run("set hf B", "2");
    assert!(same.stdout.contains("unchanged") && world.writes().is_empty(), "{same}");
    // A new value has none.
    let new = run("set hf B", "3");
    assert!(new.stderr.contains("the noted end of B went with the old value; set --expires notes"), "{new}");
    assert_eq!(noted(world, &namespace, "hf"), Some(json!({"A": a})));
    // A date alone is written too, and is no change of the value.
    run("set hf B --expires=2199-06-30T10:00:00Z", "3");
    assert_eq!(noted(world, &namespace, "hf"), Some(json!({"A": a, "B": b})));
    // Whoever writes the whole secret keeps the ends of the values that stay.
    let dropped = "note: the noted end of B went with the old value; --expires notes that of the new one\n";
    for more in [" --dry-run", " --yes"] {
        let line = format!("create hf --replace --from-literal=A=1 --from-literal=B=4{more}");
        assert!(run(&line, "").stderr.contains(dropped), "{more}");
    }
    assert_eq!(noted(world, &namespace, "hf"), Some(json!({"A": a})));
    let gone = run("unset hf A --yes", "");
    assert!(!gone.stderr.contains("noted end"), "{gone}");
    assert_eq!(noted(world, &namespace, "hf"), None);
}

#[scenario]
fn an_editor_leaves_the_ends_of_what_it_does_not_change(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("ns");
    let line = [
        "create",
        "hf",
        "--from-literal=A=1",
        "--from-literal=B=1",
        "--expires=2199-01-31",
        "-n",
        &namespace,
    ];
    sandbox.run(line).success();
    let editor = "sed -i 's/^B: .*/B: other/'";
    let sandbox = Sandbox::new().with(world).with_env("EDITOR", editor);
    let (code, shown) = sandbox.in_terminal(["edit", "hf", "-n", &namespace]).wait();
    assert!(code == 0 && shown.contains("the noted end of B went with the old value"), "{shown}");
    assert_eq!(noted(world, &namespace, "hf"), Some(json!({"A": "2199-01-31T00:00:00Z"})));
}

#[scenario]
fn an_editor_notes_the_end_of_what_it_changes(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("ns");
    let create = ["create", "hf", "--from-literal=A=1", "--from-literal=B=1", "--expires=2199-01-31"];
    sandbox.run(create.iter().chain(&["-n", namespace.as_str()])).success();
    let edit = |editor: &str, more: &[&str]| {
        let line = ["edit", "hf", "--expires=2199-06-30", "-n", &namespace];
        sandbox.env("EDITOR", editor).env("XDG_RUNTIME_DIR", sandbox.home()).run(line.iter().chain(more))
    };
    let other = "sed -i 's/^B: .*/B: other/'";
    edit(other, &["--dry-run=server"]).success();
    let ends = |b: &str| Some(json!({"A": "2199-01-31T00:00:00Z", "B": b}));
    assert_eq!(noted(world, &namespace, "hf"), ends("2199-01-31T00:00:00Z"));
    let edited = edit(other, &[]).success();
    assert!(!edited.stderr.contains("noted end"), "{edited}");
    assert_eq!(noted(world, &namespace, "hf"), ends("2199-06-30T00:00:00Z"));
    edit("sed -i '/^B:/d'", &["--yes"]).success();
    assert_eq!(
        noted(world, &namespace, "hf"),
        Some(json!({"A": "2199-01-31T00:00:00Z"})),
        "what is gone has none"
    );
}

#[scenario]
fn copies_of_a_shared_secret_have_its_noted_ends(world: &World, sandbox: &Sandbox) {
    let shared = Shared::new(world);
    let [made, mended] = ["made", "mended"].map(|name| world.project(name));
    our_copy(world, &shared, &mended.namespace, "old");
    let note = |ends: Value| {
        let path = format!("/api/v1/namespaces/{}/secrets/hf", shared.runai);
        world.patch(&path, &json!({"metadata": {"annotations": {EXPIRES: ends}}}));
    };
    let sync = || {
        world.clear_log();
        sandbox.run(shared.run(&["sync", "hf"])).success()
    };
    let ends = || [&made, &mended].map(|project| noted(world, &project.namespace, "hf"));
    let (first, second) = ("2199-01-31T00:00:00Z", "2199-06-30T00:00:00Z");
    note(json!(json!({"token": first}).to_string()));
    sync();
    assert_eq!(ends(), [Some(json!({"token": first})), Some(json!({"token": first}))]);
    // The values are the same, and only their end is another.
    note(json!(json!({"token": second}).to_string()));
    sandbox.run(shared.run(&["status", "hf"])).success();
    let trial = sandbox.run(shared.run(&["sync", "hf", "--dry-run=server"])).success();
    assert_eq!(trial.stdout.matches(" updated in ").count(), 2, "{trial}");
    let synced = sync();
    assert_eq!(synced.stdout.matches(" updated in ").count(), 2, "{synced}");
    assert_eq!(ends(), [Some(json!({"token": second})), Some(json!({"token": second}))]);
    sync();
    assert!(world.writes().is_empty(), "{:?}", world.lines());
    note(Value::Null);
    sync();
    assert_eq!(ends(), [None, None]);
}

#[scenario]
fn a_secret_that_is_shared_from_a_project_keeps_its_noted_ends(world: &World, sandbox: &Sandbox) {
    let (project, runai) = (world.project("a"), world.runai_namespace());
    let create = ["create", "hf", "--from-literal=A=1", "--expires=2199-01-31", "-p", &project.name];
    sandbox.run(create).success();
    let label = ["label", "hf", "--from-project", &project.name, "--yes", "--runai-namespace", &runai];
    sandbox.run(label).success();
    assert_eq!(noted(world, &runai, "hf"), Some(json!({"A": "2199-01-31T00:00:00Z"})));
}

#[scenario]
fn a_noted_end_is_listed_viewed_copied_and_checked(world: &World, sandbox: &Sandbox) {
    let [team_a, team_b] = ["team-a", "team-b"].map(|name| world.project(name));
    let namespace = &team_a.namespace;
    let line = ["create", "hf", "--from-literal=HF_TOKEN=x", "--expires=2199-01-31", "-n", namespace];
    sandbox.run(line).success();
    let wide = sandbox.run(["list", "-n", namespace, "-o", "wide"]).success();
    assert!(wide.stdout.contains("EXPIRES") && wide.stdout.contains("2199-01-31"), "{wide}");
    let plain = sandbox.run(["list", "-n", namespace]).success();
    assert!(!plain.stdout.contains("EXPIRES"), "{plain}");
    let list = sandbox.run(["list", "-n", namespace, "-o", "json"]).success().json();
    assert_eq!(list["secrets"][0]["expires"], "2199-01-31T00:00:00Z");
    let view = sandbox.run(["view", "hf", "-n", namespace]).success();
    assert!(view.stdout.contains("2199-01-31T00:00:00Z, as noted"), "{view}");
    let view = sandbox.run(["view", "hf", "-n", namespace, "-o", "json"]).success().json();
    assert_eq!(view["keys"][0]["expiresAsNoted"], "2199-01-31T00:00:00Z");
    sandbox.run(["copy", "hf", "-p", &team_a.name, "--to-project", &team_b.name]).success();
    assert_eq!(noted(world, &team_b.namespace, "hf"), Some(json!({"HF_TOKEN": "2199-01-31T00:00:00Z"})));
    let check = |within: &str| sandbox.run(["check", "-n", namespace, "-o", "json", within]).success().json();
    assert_eq!(found(&check("--within=14d")), [""; 0]);
    let far = check("--within=9999w");
    assert_eq!(found(&far), ["warning expires-soon secret/hf the value of HF_TOKEN expires"]);
    let remedy =
        far["findings"].as_array().unwrap().iter().find(|one| one["code"] == "expires-soon").unwrap();
    assert!(remedy["remedy"].as_str().unwrap().contains("set hf HF_TOKEN --expires=DATE"), "{far}");
    // As others may have written it, in the past.
    let annotations = json!({EXPIRES: r#"{"A":"2001-01-31","B":"nonsense","gone":"2001-01-31"}"#});
    world.create(
        &format!("/api/v1/namespaces/{namespace}/secrets"),
        &json!({"metadata": {"name": "by-hand", "annotations": annotations}, "stringData": {"A": "x", "B": "x"}}),
    );
    assert_eq!(found(&check("--within=14d")), ["warning expired secret/by-hand the value of A expired"]);
}

#[scenario]
fn a_copy_says_which_noted_ends_go_with_the_values_that_it_replaces(world: &World, sandbox: &Sandbox) {
    let [from, to] = ["from", "to"].map(|name| world.project(name));
    sandbox.run(["create", "s", "--from-literal=A=new", "--from-literal=B=same", "-p", &from.name]).success();
    let ends = ["create", "s", "--from-literal=A=old", "--from-literal=B=same", "--expires=2199-01-31"];
    sandbox.run(ends.iter().chain(&["-p", to.name.as_str()])).success();
    let line = ["copy", "s", "-p", &from.name, "--to-project", &to.name, "--replace", "-y"];
    let told = format!("the noted end of A went with the old value in {}; set --expires notes that", to.name);
    for dry in [Some("--dry-run"), None] {
        let copied = sandbox.run(line.iter().copied().chain(dry)).success();
        assert!(copied.stderr.contains(&told), "{copied}");
    }
    assert_eq!(noted(world, &to.namespace, "s"), Some(json!({"B": "2199-01-31T00:00:00Z"})));
    let again = sandbox.run(line).success();
    assert!(!again.stderr.contains("noted end"), "{again}");
}

#[scenario]
fn an_end_in_the_past_or_in_other_words_is_refused(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("ns");
    for (end, words) in [
        ("2001-01-31", "2001-01-31 is over"),
        (
            "tomorrow",
            "\"tomorrow\" is not a day such as 2027-01-31, a time as in RFC 3339, or a time span such as 90d",
        ),
    ] {
        let line = ["create", "hf", "--from-literal=A=v4lue", "--expires", end, "-n", &namespace];
        let refused = sandbox.run(line).fails_with(2);
        refused.never_shows(b"v4lue");
        assert!(refused.stderr.contains(words), "{refused}");
    }
    assert!(world.writes().is_empty());
}
