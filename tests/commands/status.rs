//! `status`: each state is told, and nothing of a value.

use serde_json::{Value, json};
use support::{Project, Sandbox, World, scenario};

/// A shared secret, and a project in each state that a test can bring about.
pub(crate) struct Shared {
    pub(crate) runai: String,
}

const VALUE: &str = "shared-value-of-the-source";

impl Shared {
    /// A secret `hf` in Run:ai's namespace, shared with every project.
    pub(crate) fn new(world: &World) -> Self {
        Self::named(world, "hf")
    }

    /// A secret of another name. Run:ai's copies do not say of which source they are: a command that changes whatever
    /// uses them needs a name that no other test on the same cluster has.
    pub(crate) fn named(world: &World, name: &str) -> Self {
        let runai = world.runai_namespace();
        let labels = json!({"runai/cluster-wide": "true", "run.ai/cluster-wide": "true"});
        create_named(world, &runai, name, &labels, &json!({}), VALUE);
        Self { runai }
    }

    pub(crate) fn run<'a>(&'a self, words: &[&'a str]) -> Vec<&'a str> {
        [words, &["--runai-namespace", &self.runai]].concat()
    }

    /// Takes the labels off, as somebody would with kubectl.
    pub(crate) fn unshare(&self, world: &World) {
        let labels = json!({"runai/cluster-wide": null, "run.ai/cluster-wide": null});
        world.patch(
            &format!("/api/v1/namespaces/{}/secrets/hf", self.runai),
            &json!({"metadata": {"labels": labels}}),
        );
    }
}

/// A secret `hf` with these labels and annotations.
pub(crate) fn create(world: &World, namespace: &str, labels: &Value, annotations: &Value, value: &str) {
    create_named(world, namespace, "hf", labels, annotations, value);
}

/// A secret with these labels and annotations.
pub(crate) fn create_named(
    world: &World,
    namespace: &str,
    name: &str,
    labels: &Value,
    annotations: &Value,
    value: &str,
) {
    let metadata = json!({"name": name, "labels": labels, "annotations": annotations});
    let secret = json!({"metadata": metadata, "type": "Opaque", "stringData": {"token": value}});
    world.create(&format!("/api/v1/namespaces/{namespace}/secrets"), &secret);
}

/// A copy as Run:ai's controller makes it.
pub(crate) fn runais_copy(world: &World, project: &Project, value: &str) {
    runais_copy_named(world, project, "hf", value);
}

/// The same of another name.
pub(crate) fn runais_copy_named(world: &World, project: &Project, name: &str, value: &str) {
    let labels = json!({"run.ai/cluster-wide": "true"});
    create_named(world, &project.namespace, name, &labels, &json!({}), value);
}

/// A copy as `sync` makes it.
pub(crate) fn our_copy(world: &World, shared: &Shared, namespace: &str, value: &str) {
    let labels = json!({"kubectl-runai-secret/copy": "true"});
    let annotations = json!({"kubectl-runai-secret/copy-of": format!("{}/hf", shared.runai)});
    create(world, namespace, &labels, &annotations, value);
}

/// What a project has under the name.
pub(crate) fn value(world: &World, project: &Project) -> Option<String> {
    let bytes = world.secret_value(&project.namespace, "hf", "token")?;
    Some(String::from_utf8(bytes).unwrap())
}

/// The state of a project in `status -o json`.
pub(crate) fn state(report: &Value, project: &Project) -> String {
    let rows = report["projects"].as_array().unwrap();
    let row = rows.iter().find(|row| row["project"] == project.name.as_str());
    row.unwrap_or_else(|| panic!("no {}: {report}", project.name))["state"].as_str().unwrap().to_owned()
}

#[scenario]
fn each_state_of_a_project_is_told(world: &World, sandbox: &Sandbox) {
    let shared = Shared::new(world);
    let projects = ["copied", "pending", "stale", "conflict", "same", "ours"].map(|name| world.project(name));
    let [copied, _, stale, conflict, same, ours] = &projects;
    runais_copy(world, copied, VALUE);
    runais_copy(world, stale, "edited-by-hand");
    create(world, &conflict.namespace, &json!({}), &json!({}), "of the project itself");
    create(world, &same.namespace, &json!({}), &json!({}), VALUE);
    our_copy(world, &shared, &ours.namespace, VALUE);

    let outcome = sandbox.run(shared.run(&["status", "hf", "-o", "json"])).fails_with(3);
    for value in [VALUE, "edited-by-hand", "of the project itself"] {
        outcome.never_shows(value.as_bytes());
    }
    let report = outcome.json();
    let states: Vec<String> = projects.iter().map(|project| state(&report, project)).collect();
    assert_eq!(states, ["copied", "pending", "stale", "conflict", "same", "copied"]);
    assert_eq!(report["counts"], json!({"copied": 2, "pending": 1, "stale": 1, "conflict": 1, "same": 1}));
    assert_eq!(report["sharedWith"], "everyProject");
}

#[scenario]
fn what_is_left_of_a_secret_that_is_not_shared_any_more_is_an_orphan(world: &World, sandbox: &Sandbox) {
    let shared = Shared::new(world);
    let projects = ["a", "b", "c"].map(|name| world.project(name));
    runais_copy(world, &projects[0], VALUE);
    our_copy(world, &shared, &projects[1].namespace, VALUE);
    shared.unshare(world);
    let report = sandbox.run(shared.run(&["status", "hf", "-o", "json"])).fails_with(3).json();
    let states: Vec<String> = projects.iter().map(|project| state(&report, project)).collect();
    assert_eq!(states, ["orphan", "orphan", "absent"]);
}

#[scenario]
fn a_copy_in_a_namespace_that_is_no_project_any_more_is_an_orphan(world: &World, sandbox: &Sandbox) {
    let shared = Shared::new(world);
    let former = world.namespace("former");
    our_copy(world, &shared, &former, VALUE);
    let report = sandbox.run(shared.run(&["status", "hf", "-o", "json"])).fails_with(3).json();
    let row = &report["projects"][0];
    assert_eq!(
        (&row["project"], &row["namespace"], &row["state"]),
        (&Value::Null, &json!(former), &json!("orphan"))
    );
}

#[scenario]
fn a_project_that_is_being_deleted_needs_no_copy(world: &World, sandbox: &Sandbox) {
    let shared = Shared::new(world);
    let project = world.project("going");
    hold_back_deletion(world, &project.namespace);
    world.delete(&format!("/api/v1/namespaces/{}", project.namespace));
    let report = sandbox.run(shared.run(&["status", "hf", "-o", "json"])).success().json();
    assert_eq!(state(&report, &project), "terminating");
    let_go(world, &project.namespace);
}

#[scenario]
fn the_table_says_what_to_type_and_the_code_says_that_something_is_wrong(world: &World, sandbox: &Sandbox) {
    let shared = Shared::new(world);
    let (a, b) = (world.project("a"), world.project("b"));
    runais_copy(world, &a, VALUE);
    let outcome = sandbox.run(shared.run(&["status", "hf"])).fails_with(3);
    let lines: Vec<Vec<&str>> =
        outcome.stdout.lines().map(|line| line.split_whitespace().collect()).collect();
    let expected = [
        vec!["PROJECT", "NAMESPACE", "STATE"],
        vec![&a.name, &a.namespace, "copied"],
        vec![&b.name, &b.namespace, "pending"],
    ];
    assert_eq!(lines, expected);
    assert!(outcome.stderr.contains("kubectl runai-secret sync hf"), "{outcome}");
    assert!(outcome.stderr.contains("error: secret hf: 1 pending, of 2 projects"), "{outcome}");
    let wide = sandbox.run(shared.run(&["status", "hf", "-o", "wide"])).fails_with(3);
    assert!(wide.stdout.contains("label run.ai/cluster-wide"), "{wide}");
    runais_copy(world, &b, VALUE);
    sandbox.run(shared.run(&["status", "hf"])).success();
}

#[scenario]
fn without_a_name_every_shared_secret_is_counted(world: &World, sandbox: &Sandbox) {
    let shared = Shared::new(world);
    world.create_secret(&shared.runai, "not-shared", &[("k", "v")]);
    let (a, _) = (world.project("a"), world.project("b"));
    runais_copy(world, &a, VALUE);
    let report = sandbox.run(shared.run(&["status", "-o", "json"])).fails_with(3).json();
    let secrets = report["secrets"].as_array().unwrap();
    assert_eq!(secrets.len(), 1, "{report}");
    assert_eq!(
        (&secrets[0]["secret"], &secrets[0]["counts"]),
        (&json!("hf"), &json!({"copied": 1, "pending": 1}))
    );
    let table = sandbox.run(shared.run(&["status"])).fails_with(3);
    let row: Vec<&str> = table.stdout.lines().nth(1).unwrap().split_whitespace().collect();
    assert_eq!(row, ["hf", "every", "project", "1", "1", "0", "0", "0", "0"]);
}

#[scenario]
fn one_state_is_shown_alone_and_the_code_is_that_of_all(world: &World, sandbox: &Sandbox) {
    let shared = Shared::new(world);
    let (copied, stale, missing) =
        (world.project("copied"), world.project("stale"), world.project("missing"));
    our_copy(world, &shared, &copied.namespace, VALUE);
    our_copy(world, &shared, &stale.namespace, "old");
    let places = [&copied, &stale, &missing].map(|project| project.name.as_str());
    let run = |words: &[&str]| {
        let named = ["-p", places[0], "-p", places[1], "-p", places[2]];
        sandbox.run(shared.run(&["status"]).iter().copied().chain(words.iter().copied()).chain(named))
    };
    let names = |report: &Value| {
        let projects = report["projects"].as_array().unwrap();
        projects.iter().map(|row| row["project"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let wrong = "error: secret hf: 1 pending and 1 stale, of 3 projects\n";
    let one = run(&["hf", "--state=stale"]).fails_with(3);
    assert!(one.stdout.contains(&stale.name) && !one.stdout.contains(&copied.name), "{one}");
    assert!(one.stderr.contains(wrong) && !one.stderr.contains("pending in"), "{one}");
    let good = run(&["hf", "--state", "copied", "-o", "json"]).fails_with(3);
    assert_eq!(names(&good.json()), [copied.name.as_str()], "{good}");
    assert_eq!(good.json()["counts"], json!({"copied": 1, "pending": 1, "stale": 1}), "all are counted");
    let two = run(&["hf", "--state=copied,pending", "--state", "absent", "-o", "json"]).fails_with(3);
    let mut expected = [copied.name.clone(), missing.name.clone()];
    expected.sort();
    assert_eq!(names(&two.json()), expected);
    let none = run(&["hf", "--state=orphan"]).fails_with(3);
    assert!(none.stderr.contains("note: no project is orphan\n") && none.stderr.contains(wrong), "{none}");
    assert_eq!(none.stdout, "", "no header without a row");
    assert_eq!(run(&["hf", "--state=orphan", "-o", "name"]).fails_with(3).stdout, "");
    let overview = run(&["--state=stale", "-o", "json"]).fails_with(3).json();
    let secrets = overview["secrets"].as_array().unwrap();
    assert_eq!((secrets.len(), names(&secrets[0])), (1, vec![stale.name.clone()]));
    let none = run(&["--state=orphan"]).fails_with(3);
    assert!(none.stdout.is_empty() && none.stderr.contains("is orphan in any project"), "{none}");
    let table = run(&["--state=stale"]).fails_with(3).stdout;
    assert!(table.contains("hf") && table.contains('1'), "{table}");
    for words in [&["hf", "--state=gone"][..], &["hf", "--state="], &["hf", "--state=stale", "--watch"]] {
        run(words).fails_with(2);
    }
}

#[scenario]
fn status_takes_three_requests_and_writes_nothing(world: &World, sandbox: &Sandbox) {
    let shared = Shared::new(world);
    let projects = (0..6).map(|number| world.project(&format!("p{number}")).namespace);
    // A name of its own: worlds on the real control plane are in one list of all secrets.
    for namespace in projects.chain([shared.runai.clone()]) {
        let metadata = json!({"name": "of-six", "labels": {"run.ai/cluster-wide": "true"}});
        let secret = json!({"metadata": metadata, "stringData": {"token": VALUE}});
        world.create(&format!("/api/v1/namespaces/{namespace}/secrets"), &secret);
    }
    sandbox.run(shared.run(&["status", "of-six"])).success();
    assert_eq!(world.requests().len(), 3, "{:?}", world.lines());
    assert!(world.writes().is_empty());
}

#[scenario]
fn a_secret_that_is_nowhere_is_not_found(world: &World, sandbox: &Sandbox) {
    let shared = Shared::new(world);
    let refused = sandbox.run(shared.run(&["status", "hff"])).fails_with(1);
    assert!(
        refused.stderr.starts_with("Error from server (NotFound): secrets \"hff\" not found"),
        "{refused}"
    );
    assert!(refused.stderr.contains("did you mean \"hf\"?"), "{refused}");
}

#[scenario]
fn only_the_projects_that_are_named_are_looked_at(world: &World, sandbox: &Sandbox) {
    let shared = Shared::new(world);
    let (a, b) = (world.project("a"), world.project("b"));
    runais_copy(world, &a, VALUE);
    let report = sandbox.run(shared.run(&["status", "hf", "-p", &a.name, "-o", "json"])).success().json();
    assert_eq!(report["projects"].as_array().unwrap().len(), 1);
    sandbox.run(shared.run(&["status", "hf", "-p", &a.name, "-p", &b.name])).fails_with(3);
    let unknown = sandbox.run(shared.run(&["status", "hf", "-p", "nobody"])).fails_with(1);
    assert!(unknown.stderr.contains("project \"nobody\" was not found"), "{unknown}");
}

#[scenario]
fn who_may_read_one_secret_in_some_projects_is_told_what_could_not_be_seen(world: &World, sandbox: &Sandbox) {
    let shared = Shared::new(world);
    let (a, b) = (world.project("a"), world.project("b"));
    runais_copy(world, &a, VALUE);
    runais_copy(world, &b, VALUE);
    let user = world.user("limited");
    let rules =
        json!([{"apiGroups": [""], "resources": ["secrets"], "resourceNames": ["hf"], "verbs": ["get"]}]);
    world.grant(&user, Some(&shared.runai), &rules);
    world.grant(&user, Some(&a.namespace), &rules);
    let without = sandbox.run(shared.run(&["status", "hf", "--token", &user.token])).fails_with(1);
    assert!(without.stderr.contains("name them with --project"), "{without}");
    let namespaces = json!([{"apiGroups": [""], "resources": ["namespaces"], "verbs": ["list"]}]);
    world.grant(&user, None, &namespaces);
    let outcome = sandbox.run(shared.run(&["status", "hf", "--token", &user.token, "-o", "json"])).success();
    let report = outcome.json();
    assert_eq!((state(&report, &a), state(&report, &b)), ("copied".to_owned(), "forbidden".to_owned()));
}

#[scenario]
fn who_may_not_read_the_source_still_sees_where_copies_are(world: &World, sandbox: &Sandbox) {
    let shared = Shared::new(world);
    let (a, b) = (world.project("a"), world.project("b"));
    runais_copy(world, &a, VALUE);
    let user = world.user("limited");
    let rules = json!([{"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"]}]);
    world.grant(&user, Some(&a.namespace), &rules);
    world.grant(&user, Some(&b.namespace), &rules);
    world.grant(&user, None, &json!([{"apiGroups": [""], "resources": ["namespaces"], "verbs": ["list"]}]));
    let report =
        sandbox.run(shared.run(&["status", "hf", "--token", &user.token, "-o", "json"])).success().json();
    assert_eq!((state(&report, &a), state(&report, &b)), ("unverified".to_owned(), "absent".to_owned()));
    assert_eq!(report["sharedWith"], "unseen");
}

#[scenario]
fn a_department_is_told_and_nothing_is_called_missing_in_its_projects(world: &World, sandbox: &Sandbox) {
    let runai = world.runai_namespace();
    create(world, &runai, &json!({"run.ai/department": "7"}), &json!({}), VALUE);
    let (a, _) = (world.project("a"), world.project("b"));
    create(world, &a.namespace, &json!({"run.ai/department": "7"}), &json!({}), VALUE);
    let words = ["status", "hf", "-o", "json", "--runai-namespace", &runai];
    let report = sandbox.run(words).success().json();
    assert_eq!((&report["sharedWith"], &report["department"]), (&json!("department"), &json!("7")));
    assert_eq!(report["counts"], json!({"copied": 1, "absent": 1}));
}

#[scenario]
fn watching_prints_what_changes_until_it_is_interrupted(world: &World, sandbox: &Sandbox) {
    let shared = Shared::new(world);
    let a = world.project("a");
    let watching = sandbox.spawn(shared.run(&["status", "hf", "--watch"]));
    eventually("it looks for the first time", || {
        world.requests().iter().any(|one| one.path.ends_with("/secrets") && one.status.is_some())
    });
    runais_copy(world, &a, VALUE);
    let looks = || world.calls().iter().filter(|call| call.contains("/secrets")).count();
    let so_far = looks();
    // The look that is under way, a whole one, and the beginning of a third: what the second saw is printed by then.
    let requests_of_a_look = 3;
    eventually("it looks again, and again", || looks() > so_far + 2 * requests_of_a_look);
    watching.interrupt();
    let outcome = watching.wait();
    assert_eq!(outcome.code, Some(130), "{outcome}");
    assert!(!outcome.stderr.contains("interrupted"), "{outcome}");
    let states: Vec<&str> =
        outcome.stdout.lines().skip(1).filter_map(|line| line.split_whitespace().last()).collect();
    assert_eq!(states, ["pending", "copied"], "{outcome}");
}

/// Something in the namespace that does not go by itself: the namespace stays while it is being deleted.
pub(crate) fn hold_back_deletion(world: &World, namespace: &str) {
    let metadata = json!({"name": "held", "finalizers": ["example.com/held"]});
    world.create(&format!("/api/v1/namespaces/{namespace}/configmaps"), &json!({"metadata": metadata}));
}

pub(crate) fn let_go(world: &World, namespace: &str) {
    let path = format!("/api/v1/namespaces/{namespace}/configmaps/held");
    world.patch(&path, &json!({"metadata": {"finalizers": null}}));
}

#[track_caller]
pub(crate) fn eventually(what: &str, holds: impl Fn() -> bool) {
    let start = std::time::Instant::now();
    while !holds() {
        assert!(start.elapsed().as_secs() < 60, "{what}: not after a minute");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
}
