//! `apply --prune`: what the file no longer names goes, and nothing else does.

use serde_json::{Value, json};
use support::{Outcome, Sandbox, World, scenario};

/// A file of these secrets, of a name that no other test has.
fn file_of(world: &World, sandbox: &Sandbox, secrets: &[Value]) {
    let name = world.project("file").name;
    sandbox.file("secrets.yaml", json!({"name": name, "secrets": secrets}).to_string());
}

fn apply(sandbox: &Sandbox, more: &[&str]) -> Outcome {
    sandbox.run(["apply", "-f", "secrets.yaml"].iter().chain(more))
}

fn made_up(name: &str) -> Value {
    json!({"name": name, "from": [{"generate": "PASSWORD"}]})
}

#[scenario]
fn a_shared_secret_stays_with_its_copies_wherever_run_ai_is_said_to_be(world: &World, sandbox: &Sandbox) {
    let runai = world.runai_namespace();
    file_of(world, sandbox, &[json!({"name": "s", "everyProject": true, "from": [{"generate": "K"}]})]);
    let place = ["--runai-namespace", &runai];
    apply(sandbox, &place).success();
    file_of(world, sandbox, &[]);
    for more in
        [&["--prune", "--yes"][..], &["--prune", "--dry-run"], &["--prune", "--yes", place[0], place[1]]]
    {
        let refused = apply(sandbox, more).fails_with(1);
        assert!(
            refused.stderr.contains("secret \"s\" in namespace") && refused.stderr.contains("is shared with"),
            "{refused}"
        );
        assert!(refused.stderr.contains("kubectl runai-secret delete s --cluster-wide "), "{refused}");
        assert!(refused.stderr.contains(&format!(" --runai-namespace={runai}\n")), "{refused}");
        assert!(world.secret(&runai, "s").is_some(), "{refused}");
    }
}

#[scenario]
fn a_secret_whose_place_the_command_line_says_is_left_over_nowhere(world: &World, sandbox: &Sandbox) {
    let (a, b) = (world.project("a"), world.project("b"));
    file_of(world, sandbox, &[made_up("s"), made_up("t")]);
    for project in [&a, &b] {
        apply(sandbox, &["-p", &project.name]).success();
    }
    file_of(world, sandbox, &[made_up("s")]);
    let told = apply(sandbox, &["-p", &b.name]).success();
    assert!(!told.stderr.contains("no longer names secret s"), "{told}");
    assert_eq!(told.stderr.matches("no longer names secret t").count(), 2, "{told}");
    apply(sandbox, &["-p", &b.name, "--prune", "--yes"]).success();
    for project in [&a, &b] {
        assert!(world.secret(&project.namespace, "s").is_some(), "{}", project.name);
        assert!(world.secret(&project.namespace, "t").is_none(), "{}", project.name);
    }
}

#[scenario]
fn nothing_goes_as_long_as_not_all_is_as_the_file_says(world: &World, sandbox: &Sandbox) {
    let a = world.project("a");
    let in_a = |name: &str| json!({"name": name, "projects": [a.name], "from": [{"generate": "PASSWORD"}]});
    file_of(world, sandbox, &[in_a("old"), in_a("other")]);
    apply(sandbox, &[]).success();
    world.create_secret(&a.namespace, "taken", &[("PASSWORD", "x")]);
    for (secrets, code) in [(vec![in_a("taken")], 1), (vec![in_a("taken"), in_a("other")], 3)] {
        file_of(world, sandbox, &secrets);
        let refused = apply(sandbox, &["--prune", "--yes"]).fails_with(code);
        assert!(
            refused.stderr.contains("is there already") && refused.stderr.contains("--prune deletes nothing"),
            "{refused}"
        );
        assert!(world.secret(&a.namespace, "old").is_some(), "{refused}");
        let told = apply(sandbox, &[]).fails_with(code);
        assert!(told.stderr.contains("no longer names secret old"), "{told}");
    }
    file_of(world, sandbox, &[in_a("new")]);
    apply(sandbox, &["--prune", "--yes"]).success();
    assert!(world.secret(&a.namespace, "new").is_some() && world.secret(&a.namespace, "old").is_none());
}

#[scenario]
fn what_was_there_before_the_file_stays_and_loses_only_the_mark(world: &World, sandbox: &Sandbox) {
    let a = world.project("a");
    world.create_secret(&a.namespace, "s", &[("theirs", "kept")]);
    file_of(world, sandbox, &[made_up("s")]);
    apply(sandbox, &["--adopt", "-p", &a.name]).success();
    file_of(world, sandbox, &[]);
    let told = apply(sandbox, &[]).success();
    assert!(told.stderr.contains("--prune only takes the file's mark off"), "{told}");
    world.clear_log();
    apply(sandbox, &["--prune", "--dry-run"]).success();
    assert!(world.writes().is_empty(), "{:?}", world.lines());
    let released = apply(sandbox, &["--prune", "--yes"]).success();
    assert_eq!(released.stdout, format!("secret/s released in {}\n", a.namespace));
    let secret = world.secret(&a.namespace, "s").unwrap();
    assert!(secret["data"]["theirs"].is_string() && secret["data"]["PASSWORD"].is_string());
    assert_eq!(secret["metadata"]["labels"]["kubectl-runai-secret/file"], Value::Null);
    assert_eq!(apply(sandbox, &["--prune", "--yes"]).success().stdout, "");
}

#[scenario]
fn a_program_gets_one_document_with_what_went_as_well(world: &World, sandbox: &Sandbox) {
    let a = world.project("a");
    let place = ["-p", a.name.as_str()];
    file_of(world, sandbox, &[made_up("old")]);
    apply(sandbox, &place).success();
    file_of(world, sandbox, &[made_up("new")]);
    for last in ["--dry-run", "--yes"] {
        let line = [place[0], place[1], "--prune", last, "-o", "yaml"];
        if last == "--dry-run" {
            let yaml = apply(sandbox, &line).success();
            assert!(!yaml.stdout.contains("{}") && yaml.stdout.matches("name: ").count() == 2, "{yaml}");
        }
        let line = [place[0], place[1], "--prune", last, "-o", "json"];
        let report = apply(sandbox, &line).success().json();
        let names: Vec<&Value> =
            report["items"].as_array().unwrap().iter().map(|item| &item["metadata"]["name"]).collect();
        assert_eq!(names, [&json!("new"), &json!("old")]);
    }
}
