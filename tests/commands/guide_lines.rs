//! What was typed before the questions came: it holds for the command that they lead to.

use serde_json::{Value, json};
use support::{Sandbox, Session, World};

use crate::workloads::create_deployment;

const VALUE: &str = "t0ken-of-the-line";

/// A cluster with the secret `hf` and the deployment `web` in the project `vision`.
fn world() -> (World, Sandbox) {
    let world = World::with_plain_names();
    let project = world.project("vision");
    world.namespace("runai");
    world.create_secret(&project.namespace, "hf", &[("token", VALUE)]);
    create_deployment(&world, &project.namespace, "web");
    world.clear_log();
    let sandbox = Sandbox::new().with(&world);
    (world, sandbox)
}

/// Answers the questions one after the other.
fn answer(session: &mut Session, answers: &[(&str, &str)]) {
    for (question, keys) in answers {
        session.expect(question);
        session.send(keys);
    }
}

#[test]
fn flags_before_the_kind_of_a_new_secret_are_flags_of_that_kind() {
    let (world, sandbox) = world();
    let mut session = sandbox.in_terminal(["create", "--cluster-wide", "--label", "team=red"]);
    let questions = [
        ("What kind of secret?", "generic\r"),
        ("Name of the new secret", "shared\r"),
        ("What goes into it?", "nothing\r"),
        ("?", "y"),
    ];
    answer(&mut session, &questions);
    let (code, shown) = session.wait();
    assert_eq!(code, 0, "{shown}");
    let labels = &world.secret("runai", "shared").unwrap()["metadata"]["labels"];
    assert_eq!(labels["team"], "red", "{shown}");
    assert_eq!(labels["runai/cluster-wide"], "true", "{shown}");
}

#[test]
fn flags_before_a_kind_that_is_typed_are_not_lost() {
    let (world, sandbox) = world();
    for flag in [
        "--dry-run=client",
        "--cluster-wide",
        "--replace",
        "-oyaml",
        "--label=a=b",
        "--immutable",
        "--type=a/b",
    ] {
        let line = ["create", flag, "generic", "s", "--from-literal=k=v", "-p", "vision"];
        let refused = sandbox.run(line).fails_with(2);
        assert!(refused.stderr.contains("the type comes first, then its flags"), "{refused}");
        assert!(world.writes().is_empty(), "{flag}");
    }
    sandbox.run(["create", "-p", "vision", "-q", "generic", "s", "--from-literal=k=v"]).success();
}

#[test]
fn flags_of_one_kind_are_not_asked_about_as_if_any_kind_had_them() {
    let (_world, sandbox) = world();
    let mut session = sandbox.in_terminal(["create", "--allow-empty", "-p", "vision"]);
    answer(&mut session, &[("Name of the new secret", "empty\r"), ("Create secret/empty?", "y")]);
    let (code, shown) = session.wait();
    assert_eq!(code, 0, "{shown}");
    assert!(!shown.contains("What kind"), "{shown}");
}

#[test]
fn a_name_that_gets_a_hash_may_be_taken_without_one() {
    let (_world, sandbox) = world();
    let mut session = sandbox.in_terminal(["create", "generic", "--append-hash", "-p", "vision"]);
    answer(
        &mut session,
        &[("Name of the new secret", "hf\r"), ("What goes into it?", "nothing\r"), ("?", "y")],
    );
    let (code, shown) = session.wait();
    assert_eq!(code, 0, "{shown}");
}

#[test]
fn a_name_that_is_taken_in_one_of_several_projects_is_refused_where_it_is_typed() {
    let (world, sandbox) = world();
    let other = world.project("nlp");
    world.create_secret(&other.namespace, "wandb", &[("key", VALUE)]);
    let mut session = sandbox.in_terminal(["create", "generic", "-p", "vision", "-p", "nlp"]);
    let questions = [
        ("Name of the new secret", "hf\r"),
        ("Secret hf already exists in project vision", "another\r"),
        ("Name of the new secret", "wandb\r"),
        ("Secret wandb already exists in project nlp", "another\r"),
        ("Name of the new secret", "free\r"),
        ("What goes into it?", "nothing\r"),
        ("?", "y"),
    ];
    answer(&mut session, &questions);
    let (code, shown) = session.wait();
    assert_eq!(code, 0, "{shown}");
    assert!(world.secret("runai-vision", "free").is_some() && world.secret("runai-nlp", "free").is_some());
}

#[test]
fn a_flag_with_an_empty_value_takes_no_word_of_the_line() {
    let (world, sandbox) = world();
    let sandbox = sandbox.kubeconfig(&world.kubeconfig().namespace("runai-vision"));
    let mut session = sandbox.in_terminal(["view", "--context", "test", "-n", ""]);
    answer(&mut session, &[("Secret", ""), ("Opaque, 1 key", "hf\r")]);
    let (code, shown) = session.wait();
    assert_eq!(code, 0, "{shown}");
    assert!(
        shown.contains("next time you can type: kubectl runai-secret view hf -n '' --context=test"),
        "{shown}"
    );
}

#[test]
fn words_after_double_dashes_are_not_asked_for_again() {
    let (_world, sandbox) = world();
    for line in [["view", "-p", "vision", "--", "hf"], ["view", "--", "hf", "-p", "vision"]] {
        let (code, shown) = sandbox.in_terminal(line).wait();
        assert_eq!(code == 0, line[3] == "--", "{shown}");
        assert!(!shown.contains("Project") && !shown.contains("next time"), "{line:?}: {shown}");
    }
}

#[test]
fn where_words_are_wrong_nothing_is_asked_before_that_is_said() {
    let (world, sandbox) = world();
    for (line, said) in [
        ("attach hf wep --env token -p vision", "name its kind: KIND/wep"),
        ("attach hf web -p vision", "say how the workload uses the secret"),
        ("attach deploy/web hf -p vision", "the secret comes first"),
        ("attach hf deploy/web more -p vision", "name its kind: KIND/more"),
        ("attach hf -e A=SECRET:hf,token -p vision", "name its kind: KIND/hf"),
        ("detach hf wep -p vision", "name its kind: KIND/wep"),
        ("create a b -p vision", "exactly one NAME is required"),
    ] {
        let (code, shown) = sandbox.in_terminal(line.split(' ')).wait();
        assert!(code == 1 || code == 2, "{line}: {code} {shown}");
        assert!(shown.contains(said) && !shown.contains("next time"), "{line}: {shown}");
        assert!(world.writes().is_empty(), "{line}");
    }
}

#[test]
fn a_secret_that_one_flag_lacks_is_asked_for_although_another_names_its_own() {
    let (_world, sandbox) = world();
    let line = ["attach", "deploy/web", "--env", "token", "-e", "B=SECRET:hf,token", "-p", "vision"];
    let mut session = sandbox.in_terminal(line);
    answer(&mut session, &[("Secret", "hf\r"), ("Change deployment.apps/web?", "y")]);
    let (code, shown) = session.wait();
    assert_eq!(code, 0, "{shown}");
    assert!(shown.contains("attach hf deploy/web --env token -e B=SECRET:hf,token -p vision"), "{shown}");
}

#[test]
fn a_key_that_is_given_already_is_refused_where_it_is_typed() {
    let (_world, sandbox) = world();
    let mut session = sandbox.in_terminal(["create", "generic", "s", "-p", "vision"]);
    let questions = [
        ("What goes into it?", "a key\r"),
        ("Name of the key", "A\r"),
        ("Where does the value of A come from?", "random\r"),
        ("What else?", "a key\r"),
        ("Name of the key", "A\r"),
        ("A is already given", "\u{15}B\r"),
        ("Where does the value of B come from?", "random\r"),
        ("What else?", "that is all\r"),
        ("Create secret/s?", "y"),
    ];
    answer(&mut session, &questions);
    let (code, shown) = session.wait();
    assert_eq!(code, 0, "{shown}");
}

#[test]
fn what_is_typed_for_next_time_has_no_part_of_a_value() {
    let (_world, sandbox) = world();
    let words = ["create", "password", "--username", "jane-the=first", "-p", "vision"];
    let mut session = sandbox
        .with_run()
        .env("PASSWORD_OF_TEST", VALUE)
        .in_terminal(words.into_iter().chain(["--password-env", "PASSWORD_OF_TEST"]));
    answer(&mut session, &[("Name of the new secret", "login\r"), ("Create secret/login?", "y")]);
    let (code, shown) = session.wait();
    assert_eq!(code, 0, "{shown}");
    assert!(!shown.contains("jane-the"), "{shown}");
    assert!(shown.contains("next time") && shown.contains("--password-env PASSWORD_OF_TEST"), "{shown}");
}

#[test]
fn the_projects_of_another_context_are_those_of_its_cluster() {
    let (here, sandbox) = world();
    let there = World::with_plain_names();
    there.project("elsewhere");
    let mut second: Value = serde_saphyr::from_str(&there.kubeconfig().to_string()).unwrap();
    for (list, part) in [("clusters", "cluster"), ("users", "user"), ("contexts", "context")] {
        second[list][0]["name"] = "there".into();
        assert!(second[list][0][part].is_object());
    }
    second["contexts"][0]["context"] = json!({ "cluster": "there", "user": "there" });
    let second = sandbox.file("second", second.to_string());
    let first = sandbox.file("first", here.kubeconfig().to_string());
    let both = std::env::join_paths([first, second]).unwrap();
    let line = ["copy", "hf", "-p", "vision", "--to-context", "there"];
    let mut session = sandbox.env("KUBECONFIG", both).in_terminal(line);
    answer(&mut session, &[("To which projects?", "else\t\r"), ("Copy hf of", "y")]);
    let (code, shown) = session.wait();
    assert_eq!(code, 0, "{shown}");
    assert!(there.secret("runai-elsewhere", "hf").is_some());
}

#[test]
fn sharing_from_a_project_is_asked_about_also_where_the_others_can_not_be_seen() {
    let (world, sandbox) = world();
    let jane = world.user("jane");
    let rules = json!([{ "apiGroups": [""], "resources": ["secrets"], "verbs": ["get", "list", "create"] }]);
    for namespace in ["runai-vision", "runai"] {
        world.grant(&jane, Some(namespace), &rules);
    }
    let sandbox = sandbox.kubeconfig(&world.kubeconfig().token(&jane.token));
    let mut session = sandbox.in_terminal(["label", "--from-project", "vision"]);
    answer(&mut session, &[("Secret", "hf\r"), ("Copy hf of project vision to runai, and share it?", "n")]);
    let (code, shown) = session.wait();
    assert_eq!(code, 1, "{shown}");
    assert!(world.secret("runai", "hf").is_none());
}

#[test]
fn the_home_folder_may_be_a_tilde() {
    let (world, sandbox) = world();
    std::fs::write(sandbox.home().join("token-of-home.txt"), VALUE).unwrap();
    std::fs::create_dir(sandbox.home().join("tokens")).unwrap();
    let mut session = sandbox.in_terminal(["set", "hf", "-p", "vision"]);
    let questions = [
        ("Key", "token\r"),
        ("Where does the value of token come from?", "from a file\r"),
        ("File", "~/tokens\r"),
        ("that is a folder", "\u{15}~/token-\t\r"),
        ("Set token?", "y"),
    ];
    answer(&mut session, &questions);
    let (code, shown) = session.wait();
    assert_eq!(code, 0, "{shown}");
    assert_eq!(world.secret_value("runai-vision", "hf", "token").unwrap(), VALUE.as_bytes());
}

#[test]
fn a_key_that_quits_other_programs_is_no_part_of_a_hidden_value_and_ends_nothing() {
    let (world, sandbox) = world();
    let mut session = sandbox.in_terminal(["create", "s", "--prompt", "K", "-p", "vision"]);
    for question in ["Value of K", "Once more"] {
        session.expect(question);
        session.send(&format!("\u{1c}{VALUE}\r"));
    }
    let (code, shown) = session.wait();
    assert_eq!(code, 0, "{shown}");
    assert_eq!(world.secret_value("runai-vision", "s", "K").unwrap(), VALUE.as_bytes());
}
