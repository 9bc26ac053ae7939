//! Nobody types a value for a secret that can't be made: what is there is looked at first.

use serde_json::json;
use support::{Sandbox, Session, World, scenario};

use crate::guide::answer;

const VALUE: &str = "t0ken-of-taken-names";

/// Answers the question for a hidden value with a paste.
fn paste(session: &mut Session, question: &str) {
    session.expect(question);
    session.send(&format!("\u{1b}[200~{VALUE}\u{1b}[201~\r"));
}

#[scenario]
fn who_is_asked_for_a_value_is_told_first_that_the_name_is_taken_and_may_set_it(
    world: &World,
    sandbox: &Sandbox,
) {
    let namespace = world.namespace("a");
    world.create_secret(&namespace, "s", &[("OLD", "1")]);
    let create = ["create", "s", "--prompt", "K", "-n", &namespace];
    let mut session = sandbox.in_terminal(create);
    session.expect("secrets \"s\" already exists");
    answer(&mut session, "What now?", "change it instead");
    let before = session.seen().len();
    paste(&mut session, "Value of K");
    let (code, shown) = session.wait();
    assert_eq!(code, 0, "{shown}");
    assert!(!shown[..before].contains("Value of K") && shown.contains("secret/s updated"), "{shown}");
    assert_eq!(world.secret_value(&namespace, "s", "K").unwrap(), VALUE.as_bytes());
    assert_eq!(world.secret_value(&namespace, "s", "OLD").unwrap(), b"1");

    // Who is not asked for a value may go on too.
    let mut session =
        sandbox.in_terminal(["create", "s", "--from-literal=L=of-taken-names", "-n", &namespace]);
    answer(&mut session, "What now?", "");
    let (code, shown) = session.wait();
    assert_eq!(code, 0, "{shown}");
    assert_eq!(world.secret_value(&namespace, "s", "L").unwrap(), b"of-taken-names");
    assert_eq!(world.secret_value(&namespace, "s", "OLD").unwrap(), b"1");

    // Who says no, and who can't choose, gets the line.
    let mut session = sandbox.in_terminal(create);
    answer(&mut session, "What now?", "stop here");
    let stopped = session.wait();
    let refused = sandbox.in_terminal(create.iter().chain(&["-y"])).wait();
    for (code, shown) in [stopped, refused] {
        assert_eq!(code, 1, "{shown}");
        let set = format!("to add or change a key: kubectl runai-secret set s K -n {namespace}");
        assert!(shown.contains(&set) && !shown.contains("Value of K"), "{shown}");
    }
}

#[scenario]
fn every_type_that_asks_for_a_value_looks_first(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("a");
    world.create_secret(&namespace, "s", &[("OLD", "1")]);
    for words in [
        "create generic s --prompt A --prompt B",
        "create password s --username jane",
        "create access-key s --access-key-id AKIA-of-taken-names",
        "create docker-registry s --docker-username jane",
    ] {
        let line = words.split(' ').chain(["-n", &namespace]);
        let mut session = sandbox.in_terminal(line);
        session.expect("already exists");
        if words.contains("generic") {
            answer(&mut session, "What now?", "stop here");
        }
        let (code, shown) = session.wait();
        assert_eq!(code, 1, "{words}: {shown}");
        for question in ["Value of", "Password", "Secret key"] {
            assert!(!shown.contains(question), "{words}: {shown}");
        }
    }
}

#[scenario]
fn a_helper_is_not_asked_for_a_login_that_can_not_be_stored(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("a");
    world.create_secret(&namespace, "registry", &[("OLD", "1")]);
    std::fs::create_dir_all(sandbox.home().join(".docker")).unwrap();
    let config = json!({"auths": {"ghcr.io": {}}, "credsStore": "taken"}).to_string();
    std::fs::write(sandbox.home().join(".docker/config.json"), config).unwrap();
    let ran = sandbox.path().join("ran");
    sandbox.program("docker-credential-taken", &format!("#!/bin/sh\ntouch '{}'\nexit 1\n", ran.display()));
    let refused = sandbox.run(["create", "docker", "-n", &namespace]).fails_with(1);
    assert!(refused.stderr.contains("secrets \"registry\" already exists"), "{refused}");
    assert!(!ran.exists());
}

#[scenario]
fn nobody_types_a_value_for_a_namespace_or_a_workload_that_is_not_there(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("a");
    for (line, wrong) in [
        ("create s --prompt K -n no-such-namespace", "there is no namespace \"no-such-namespace\""),
        ("set s K -n no-such-namespace", "there is no namespace \"no-such-namespace\""),
        (
            &format!("create s --prompt K --attach job/no-such-job -n {namespace}"),
            "jobs.batch \"no-such-job\" not found",
        ),
    ] {
        let (code, shown) = sandbox.in_terminal(line.split(' ')).wait();
        assert_eq!(code, 1, "{shown}");
        assert!(shown.contains(wrong) && !shown.contains("Value of K"), "{line}: {shown}");
    }
}

#[scenario]
fn of_several_projects_those_that_have_the_name_are_named_before_anything_is_typed(
    world: &World,
    sandbox: &Sandbox,
) {
    let [a, b] = ["a", "b"].map(|name| world.project(name));
    world.create_secret(&a.namespace, "s", &[("OLD", "1")]);
    let line = ["create", "s", "--prompt", "K", "-p", &a.name, "-p", &b.name];
    let mut session = sandbox.in_terminal(line);
    session.expect(&format!("secret s already exists in {}: it stays as it is there", a.name));
    paste(&mut session, "Value of K");
    assert_eq!(session.wait().0, 3);
    let (code, shown) = sandbox.in_terminal(line.iter().chain(&["-y"])).wait();
    assert_eq!(code, 1, "{shown}");
    assert!(shown.contains("already exists in") && !shown.contains("Value of K"), "{shown}");
    let set = format!("kubectl runai-secret set s K -p {} -p {}", a.name, b.name);
    assert!(shown.contains(&set), "{shown}");
}

#[scenario]
fn questions_about_a_new_secret_go_on_with_one_that_is_there(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("a");
    world.create_secret(&namespace, "s", &[("OLD", "1")]);
    for words in [vec!["create"], vec!["create", "generic"], vec!["create", "s"]] {
        let mut session = sandbox.in_terminal(words.iter().copied().chain(["-n", &namespace]));
        if words.len() == 1 {
            answer(&mut session, "What kind of secret?", "generic");
        }
        if words.last() != Some(&"s") {
            answer(&mut session, "Name of the new secret", "s");
        }
        answer(&mut session, "Secret s already exists. What now?", "set its keys");
        answer(&mut session, "Key", "OLD");
        answer(&mut session, "Where does the value of OLD come from?", "type");
        paste(&mut session, "Value of OLD");
        answer(&mut session, "Set OLD?", "y");
        let (code, shown) = session.wait();
        assert_eq!(code, 0, "{shown}");
        let next = format!("kubectl runai-secret set s -n {namespace} --prompt OLD");
        assert!(shown.contains(&next), "{words:?}: {shown}");
        assert_eq!(world.secret_value(&namespace, "s", "OLD").unwrap(), VALUE.as_bytes());
        world.delete(&format!("/api/v1/namespaces/{namespace}/secrets/s"));
        world.create_secret(&namespace, "s", &[("OLD", "1")]);
    }
    let mut session = sandbox.in_terminal(["create", "s", "-n", &namespace]);
    answer(&mut session, "Secret s already exists. What now?", "another name");
    answer(&mut session, "Name of the new secret", "t");
    answer(&mut session, "What goes into it?", "nothing");
    answer(&mut session, "Create secret/t?", "");
    assert_eq!(session.wait().0, 0);
}

#[scenario]
fn who_may_not_look_is_asked_all_the_same(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("a");
    let user = world.user("creator");
    let rules = json!([{"apiGroups": [""], "resources": ["secrets"], "verbs": ["create"]}]);
    world.grant(&user, Some(&namespace), &rules);
    let line = ["create", "s", "--prompt", "K", "-n", &namespace, "--token", &user.token];
    let mut session = sandbox.in_terminal(line);
    paste(&mut session, "Value of K");
    let (code, shown) = session.wait();
    assert_eq!(code, 0, "{shown}");
    assert!(!shown.contains("Forbidden") && shown.contains("secret/s created"), "{shown}");
    assert_eq!(world.secret_value(&namespace, "s", "K").unwrap(), VALUE.as_bytes());
}
