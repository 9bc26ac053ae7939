//! `--project`: from the name of a project to its namespace.

use serde_json::json;
use support::{Sandbox, World, scenario};

#[scenario]
fn a_project_is_found_by_its_label_whatever_its_namespace_is_called(world: &World, sandbox: &Sandbox) {
    let project = world.project("team-a");
    assert_ne!(project.namespace, format!("runai-{}", project.name));
    sandbox.run(["create", "s", "--from-literal=k=v", "-p", &project.name]).success();
    assert!(world.secret(&project.namespace, "s").is_some());
    assert_eq!(world.calls().len(), 2, "one look, one write");
}

#[scenario]
fn flags_work_before_the_command_too(world: &World, sandbox: &Sandbox) {
    let project = world.project("team-a");
    sandbox.run(["-p", &project.name, "create", "s", "--from-literal=k=v"]).success();
    sandbox
        .run(["--namespace", &project.namespace, "create", "-q", "generic", "t", "--from-literal=k=v"])
        .success();
    assert!(world.secret(&project.namespace, "t").is_some());
}

#[scenario]
fn a_namespace_goes_before_a_project(world: &World, sandbox: &Sandbox) {
    let (project, other) = (world.project("team-a"), world.namespace("other"));
    sandbox.run(["create", "s", "--from-literal=k=v", "-p", &project.name, "-n", &other]).success();
    assert!(world.secret(&other, "s").is_some());
    assert!(world.secret(&project.namespace, "s").is_none());
}

#[scenario]
fn a_mistyped_project_names_the_nearest(world: &World, sandbox: &Sandbox) {
    let project = world.project("vision");
    let typo = project.name.replace("vision", "vison");
    let refused = sandbox.run(["create", "s", "--from-literal=k=v", "-p", &typo]).fails_with(1);
    assert!(refused.stderr.contains(&format!("project \"{typo}\" was not found")), "{refused}");
    assert!(refused.stderr.contains(&format!("did you mean \"{}\"?", project.name)), "{refused}");
}

#[scenario]
fn two_namespaces_for_one_project_are_an_error_that_lists_them(world: &World, sandbox: &Sandbox) {
    let (project, second) = (world.project("team-a"), world.namespace("second"));
    let label = json!({ "metadata": { "labels": { "runai/queue": project.name } } });
    world.patch(&format!("/api/v1/namespaces/{second}"), &label);
    let refused = sandbox.run(["create", "s", "--from-literal=k=v", "-p", &project.name]).fails_with(1);
    assert!(refused.stderr.contains("has 2 namespaces"), "{refused}");
    assert!(refused.stderr.contains(&second) && refused.stderr.contains(&project.namespace), "{refused}");
    assert!(world.writes().is_empty());
}

#[scenario]
fn without_the_right_to_list_namespaces_the_usual_name_is_taken(world: &World, sandbox: &Sandbox) {
    let project = world.project("team-a").name;
    let namespace = format!("runai-{project}");
    world.create("/api/v1/namespaces", &json!({ "metadata": { "name": namespace } }));
    let user = world.user("scientist");
    let rules = json!([{ "apiGroups": [""], "resources": ["secrets"], "verbs": ["create"] }]);
    world.grant(&user, Some(&namespace), &rules);
    let created =
        sandbox.run(["create", "s", "--from-literal=k=v", "-p", &project, "-v", "--token", &user.token]);
    let created = created.success();
    assert!(created.stderr.contains(&format!("using {namespace}")), "{created}");
    assert!(world.secret(&namespace, "s").is_some());
}

#[test]
fn what_can_not_be_a_project_is_refused_before_anything_is_sent() {
    for name in ["Team", "a b", "a,", "a,../x", "../x", ""] {
        let sandbox = Sandbox::new().with(&World::in_process());
        sandbox.run(["create", "s", "--from-literal=k=v", "-p", name]).fails_with(2);
    }
}

#[test]
fn a_namespace_that_is_guessed_is_told_where_it_is_refused() {
    let world = World::with_plain_names();
    let project = world.project("vision");
    world.create_secret(&project.namespace, "hf", &[("k", "v")]);
    let user = world.user("limited");
    let rules = json!([{"apiGroups": [""], "resources": ["secrets"], "verbs": ["get", "list"]}]);
    world.grant(&user, Some(&project.namespace), &rules);
    let sandbox = Sandbox::new().with(&world);
    let view = |project: &'static str| ["view", "hf", "-p", project, "--token", &user.token];
    let seen = sandbox.run(view("vision")).success();
    assert!(!seen.stderr.contains("namespaces"), "{seen}");
    let in_detail = sandbox.run(view("vision").iter().chain(&["-v"])).success();
    let note = "note: you may not list namespaces: using runai-vision, the usual one of project vision";
    assert!(in_detail.stderr.contains(note), "{in_detail}");
    let refused = sandbox.run(view("vison")).fails_with(1);
    assert!(
        refused.stderr.contains("the usual one of project vison was taken: is that its name?"),
        "{refused}"
    );
}
