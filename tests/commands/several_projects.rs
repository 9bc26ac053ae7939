//! `set` and `unset` in several projects: all are read and judged, and then all are written.

use std::thread::sleep;
use std::time::Duration;

use serde_json::json;
use support::{Fault, Project, Sandbox, World, scenario};

use crate::set::{create_workload, with_variable};
use crate::stale::running_pod;
use crate::workloads::DEPLOYMENTS;

const NEW: &str = "new-v4lue-of-a-secret";

fn three(world: &World) -> [Project; 3] {
    let projects = ["a", "b", "c"].map(|name| world.project(name));
    for project in &projects {
        world.create_secret(&project.namespace, "s", &[("a", "old"), ("b", "stays")]);
    }
    projects
}

fn joined(projects: &[Project]) -> String {
    projects.iter().map(|project| project.name.as_str()).collect::<Vec<_>>().join(",")
}

fn value(world: &World, project: &Project, key: &str) -> Option<String> {
    let value = world.secret_value(&project.namespace, "s", key);
    value.map(|bytes| String::from_utf8(bytes).unwrap())
}

fn path(project: &Project) -> String {
    format!("/api/v1/namespaces/{}/secrets/s", project.namespace)
}

fn lines(projects: &[&Project], verb: &str) -> String {
    let line = |project: &&Project| format!("secret/s {verb} in {}\n", project.name);
    projects.iter().map(line).collect::<Vec<_>>().concat()
}

fn restarted(world: &World, project: &Project) -> Option<String> {
    let path = format!("/{DEPLOYMENTS}/namespaces/{}/deployments/web", project.namespace);
    let annotations = &world.get(&path).unwrap()["spec"]["template"]["metadata"]["annotations"];
    annotations["kubectl.kubernetes.io/restartedAt"].as_str().map(str::to_owned)
}

#[scenario]
fn one_value_goes_to_all_projects_and_each_is_a_line(world: &World, sandbox: &Sandbox) {
    let projects = three(world);
    let [a, b, c] = &projects;
    let new = world.project("new");
    world.patch(&path(c), &json!({"stringData": {"a": NEW}}));
    let all = joined(&projects[..2]);
    let words = ["set", "s", "a", "-p", &all, "-p", &c.name, "-p", &new.name];
    for dry in ["--dry-run=client", "--dry-run=server"] {
        let tried = sandbox.stdin(NEW).run(words.iter().chain(&[dry])).success();
        assert!(tried.stdout.contains(&format!("secret/s updated in {} (", a.name)), "{tried}");
        assert!(tried.stdout.contains(&format!("secret/s unchanged in {} (", c.name)), "{tried}");
        assert!(tried.stdout.contains(&format!("secret/s created in {} (", new.name)), "{tried}");
        assert_eq!(value(world, a, "a").as_deref(), Some("old"));
        assert_eq!(value(world, &new, "a"), None);
    }
    world.clear_log();
    let set = sandbox.stdin(NEW).run(words).success();
    set.never_shows(NEW.as_bytes());
    let expected = [lines(&[a, b], "updated"), lines(&[c], "unchanged"), lines(&[&new], "created")];
    assert_eq!(set.stdout, expected.concat(), "{set}");
    for line in [
        format!("note: changed a, in {}\n", a.name),
        format!("note: same a, in {}\n", c.name),
        format!("note: there was no secret s in {}: it is new", new.namespace),
    ] {
        assert!(set.stderr.contains(&line), "{line} is missing in {set}");
    }
    for project in projects.iter().chain([&new]) {
        assert_eq!(value(world, project, "a").as_deref(), Some(NEW), "{}", project.name);
    }
    assert_eq!(value(world, b, "b").as_deref(), Some("stays"));
    let again = sandbox.stdin(NEW).run(words.iter().chain(&["-o", "json"])).success();
    let list = again.json();
    assert_eq!((&list["kind"], list["items"].as_array().map(Vec::len)), (&json!("List"), Some(4)), "{again}");
    assert_eq!(
        list["items"][1]["metadata"]["namespace"],
        b.namespace.as_str(),
        "in the order of the command"
    );
    let names = sandbox.stdin(NEW).run(words.iter().chain(&["-o", "name"])).success();
    assert_eq!(names.stdout, "secret/s\n".repeat(4));
}

#[scenario]
fn what_one_project_refuses_is_known_before_any_is_written(world: &World, sandbox: &Sandbox) {
    let projects = three(world);
    let [a, b, c] = &projects;
    world.patch(&path(b), &json!({"immutable": true}));
    world.patch(&path(c), &json!({"data": {"b": null}}));
    let all = joined(&projects);
    let refused = sandbox.stdin(NEW).run(["set", "s", "a", "-p", &all]).fails_with(1);
    for line in [
        format!("error: project {}: secret s in {} is immutable: nobody can change it", b.name, b.namespace),
        "error: nothing was changed: refused in 1 of 3 projects".to_owned(),
        format!("hint: to leave out the rest: kubectl runai-secret set s a -p {} -p {}", a.name, c.name),
    ] {
        assert!(refused.stderr.contains(&line), "{line} is missing in {refused}");
    }
    let refused = sandbox.run(["unset", "s", "b", "-p", &all]).fails_with(1);
    for line in [
        format!("error: project {}: secret s in {} is immutable", b.name, b.namespace),
        format!("error: project {}: secret s has no key b", c.name),
        "error: nothing was changed: refused in 2 of 3 projects".to_owned(),
        format!("hint: to leave out the rest: kubectl runai-secret unset s b -p {}\n", a.name),
    ] {
        assert!(refused.stderr.contains(&line), "{line} is missing in {refused}");
    }
    let kept = sandbox.stdin(NEW).run(["set", "s", "--from-file=a=-", "-p", &all]).fails_with(1);
    assert!(kept.stderr.contains(&format!("set s … -p {} -p {}", a.name, c.name)), "{kept}");
    let unread = Fault::on("GET", &path(a)).answer(403);
    world.fail(unread);
    let forbidden = sandbox.stdin(NEW).run(["set", "s", "a", "-p", &joined(&projects[..1]), "-p", &c.name]);
    assert!(forbidden.fails_with(1).stderr.contains("nothing was changed: refused in 1 of 2 projects"));
    assert!(world.writes().is_empty(), "{:?}", world.lines());
}

#[scenario]
fn where_a_write_fails_the_rest_is_done_and_the_command_for_it_is_said(world: &World, sandbox: &Sandbox) {
    let projects = three(world);
    let [a, b, c] = &projects;
    let all = joined(&projects);
    world.fail(Fault::on("PATCH", &path(b)).answer(403));
    let partly = sandbox.stdin(NEW).run(["set", "s", "a", "-p", &all]).fails_with(3);
    assert_eq!(partly.stdout, lines(&[a, c], "updated"), "{partly}");
    for line in [
        "error: failed in 1 of 3 projects".to_owned(),
        format!("hint: done in {} and {}", a.name, c.name),
        format!("hint: for the rest: kubectl runai-secret set s a -p {}\n", b.name),
    ] {
        assert!(partly.stderr.contains(&line), "{line} is missing in {partly}");
    }
    assert_eq!(value(world, b, "a").as_deref(), Some("old"));
    world.fail(Fault::on("PATCH", &path(b)).answer(403));
    let random = sandbox.run(["set", "s", "--generate=a", "-p", &all]).fails_with(3);
    assert!(random.stderr.contains("another run makes other random values"), "{random}");
    assert_eq!(value(world, a, "a"), value(world, c, "a"), "one value for all");
    world.fail(Fault::on("PATCH", &path(c)).answer(403));
    let partly = sandbox.run(["unset", "s", "a", "-p", &all]).fails_with(3);
    assert_eq!(partly.stdout, lines(&[a, b], "updated"), "{partly}");
    let rest = format!("for the rest: kubectl runai-secret unset s a -p {}\n", c.name);
    assert!(partly.stderr.contains(&rest), "{partly}");
    world.fail(Fault::on("PATCH", "/secrets/s").for_ever().answer(403));
    sandbox.stdin(NEW).run(["set", "s", "a", "-p", &all]).fails_with(1);
}

#[scenario]
fn who_would_not_start_without_a_key_is_asked_about_once_for_all(world: &World, sandbox: &Sandbox) {
    let projects = three(world);
    let [a, b, c] = &projects;
    for project in [a, b] {
        create_workload(world, &project.namespace, "deployments", "web", with_variable("a"));
    }
    let all = joined(&projects);
    let asked = sandbox.run(["unset", "s", "a", "-p", &all]).fails_with(2);
    for project in [a, b] {
        let line = format!("deployment.apps/web in {} would not start any more", project.namespace);
        assert!(asked.stderr.contains(&line), "{asked}");
    }
    assert_eq!(asked.stderr.matches("Take a out of s although 2 workloads need it?").count(), 1, "{asked}");
    assert!(world.writes().is_empty());
    let unset = sandbox.run(["unset", "s", "a", "-p", &all, "--yes"]).success();
    assert_eq!(unset.stdout, lines(&[a, b, c], "updated"));
    assert_eq!((value(world, c, "a"), value(world, c, "b").as_deref()), (None, Some("stays")));
}

#[scenario]
fn those_that_read_the_value_are_named_or_restarted_in_each_project(world: &World, sandbox: &Sandbox) {
    let projects = three(world);
    let [a, b, c] = &projects;
    for project in &projects {
        create_workload(world, &project.namespace, "deployments", "web", with_variable("a"));
        running_pod(world, &project.namespace, "web", "Deployment");
    }
    world.patch(&path(c), &json!({"stringData": {"a": NEW}}));
    let all = joined(&projects);
    // The server's times have whole seconds.
    sleep(Duration::from_millis(1_100));
    let told = sandbox.stdin("another").run(["set", "s", "a", "-p", &joined(&projects[..2])]).success();
    for project in [a, b] {
        let name = format!("deployment.apps/web in {}", project.namespace);
        assert!(told.stderr.contains(&name), "{told}");
    }
    let dry = sandbox.stdin(NEW).run(["set", "s", "a", "--restart", "--dry-run", "-p", &all]).success();
    assert!(
        dry.stdout.contains(&format!("deployment.apps/web in {} restarted (dry run)", a.namespace)),
        "{dry}"
    );
    assert_eq!(restarted(world, a), None);
    let set = sandbox.stdin(NEW).run(["set", "s", "a", "--restart", "-p", &all]).success();
    for project in [a, b] {
        let line = format!("deployment.apps/web in {} restarted\n", project.namespace);
        assert!(set.stdout.contains(&line), "{set}");
        assert!(restarted(world, project).is_some());
    }
    assert_eq!(restarted(world, c), None, "nothing changed there");
    let again = sandbox.stdin(NEW).run(["set", "s", "a", "--restart", "-p", &all]).success();
    assert!(again.stderr.contains("note: no value changed: nothing is restarted"), "{again}");
}

#[scenario]
fn a_value_for_several_projects_is_typed_once(world: &World, sandbox: &Sandbox) {
    let projects = three(world);
    let mut session = sandbox.in_terminal(["set", "s", "a", "-p", &joined(&projects)]);
    for text in ["Value of a", "Once more"] {
        session.expect(text);
        session.send_line(NEW);
    }
    let (code, shown) = session.wait();
    assert_eq!(code, 0, "{shown}");
    for project in &projects {
        assert_eq!(value(world, project, "a").as_deref(), Some(NEW), "{shown}");
    }
}

#[scenario]
fn an_editor_opens_one_secret(world: &World, sandbox: &Sandbox) {
    let projects = three(world);
    world.clear_log();
    let all = joined(&projects[..2]);
    let refused = sandbox.env("EDITOR", "true").run(["edit", "s", "a", "-p", &all]).fails_with(2);
    assert!(
        refused.stderr.contains("edit opens the secret of one project, but --project names 2"),
        "{refused}"
    );
    let set = format!("kubectl runai-secret set s a -p {} -p {}", projects[0].name, projects[1].name);
    assert!(refused.stderr.contains(&set), "{refused}");
    assert!(world.requests().is_empty(), "{:?}", world.lines());
    let both =
        sandbox.stdin(NEW).run(["set", "s", "a", "-p", &all, "-n", &projects[2].namespace]).fails_with(2);
    assert!(both.stderr.contains("--project names several"), "{both}");
}
