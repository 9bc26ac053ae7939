//! What one can do at a question: go back, mark several, complete, paste.

use serde_json::Value;
use support::{Sandbox, World, scenario};

use crate::guide::answer;
use crate::workloads::{DEPLOYMENTS, create_deployment, create_job, env_of};

const ESC: &str = "\u{1b}";
const VALUE: &str = "t0ken-of-the-questions";

fn deployment(world: &World, namespace: &str) -> Value {
    world.get(&format!("/{DEPLOYMENTS}/namespaces/{namespace}/deployments/web")).unwrap()
}

#[scenario]
fn esc_takes_one_answer_back_after_another_and_leaves_at_the_first(world: &World, sandbox: &Sandbox) {
    let project = world.project("vision");
    world.create_secret(&project.namespace, "hf", &[("token", VALUE), ("user", "jane")]);
    create_deployment(world, &project.namespace, "web");
    let mut session = sandbox.in_terminal(["attach"]);
    answer(&mut session, "Project", &project.name);
    session.expect("Opaque, 2 keys");
    session.send(ESC);
    answer(&mut session, "Project", &project.name);
    session.expect("Opaque, 2 keys");
    session.send("hf\r");
    answer(&mut session, "How should the workload get it?", "one key");
    answer(&mut session, "Key", "user");
    session.expect("Name of the variable");
    session.send(ESC);
    answer(&mut session, "Key", "token");
    answer(&mut session, "Name of the variable", "");
    answer(&mut session, "Anything else?", "");
    answer(&mut session, "Workload", "web");
    // Nothing is written yet, so this is a step like the others.
    session.expect("Change deployment.apps/web?");
    session.send(ESC);
    answer(&mut session, "Workload", "web");
    answer(&mut session, "Change deployment.apps/web?", "");
    session.expect("deployment.apps/web updated");
    let (code, shown) = session.wait();
    assert_eq!(code, 0, "{shown}");
    let next = format!("attach hf deployment/web -p {} --env token\r\n", project.name);
    assert!(shown.contains(&next), "{shown}");
    assert_eq!(env_of(&deployment(world, &project.namespace)["spec"])[0]["name"], "TOKEN");

    let mut session = sandbox.in_terminal(["attach", "-p", &project.name]);
    answer(&mut session, "Secret", "hf");
    session.expect("How should the workload get it?");
    session.send("\u{3}");
    assert_eq!(session.wait().0, 130, "Ctrl-C leaves from anywhere");
    let mut session = sandbox.in_terminal(["attach", "-p", &project.name]);
    answer(&mut session, "Secret", "hf");
    session.expect("How should the workload get it?");
    session.send(ESC);
    session.expect("Opaque, 2 keys");
    session.send(ESC);
    assert_eq!(session.wait().0, 130);
}

#[scenario]
fn space_marks_several_keys_projects_and_secrets(world: &World, sandbox: &Sandbox) {
    let [from, b, c] = ["a", "b", "c"].map(|name| world.project(name));
    world.create_secret(&from.namespace, "hf", &[("token", VALUE), ("unused", "x"), ("user", "jane")]);
    world.create_secret(&from.namespace, "other", &[("k", VALUE)]);
    create_deployment(world, &from.namespace, "web");
    let mut session = sandbox.in_terminal(["attach", "hf", "deploy/web", "-p", &from.name]);
    answer(&mut session, "How should the workload get it?", "one key");
    session.expect("Space marks several");
    // The search is over with a mark: the next one begins.
    session.send("token user ");
    session.send("\r");
    answer(&mut session, "Anything else?", "");
    answer(&mut session, "Change deployment.apps/web?", "");
    let (code, shown) = session.wait();
    assert_eq!(code, 0, "{shown}");
    let env = env_of(&deployment(world, &from.namespace)["spec"]).clone();
    let names: Vec<&str> = env.as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["TOKEN", "USER"], "several are named by default");

    let mut session = sandbox.in_terminal(["copy", "hf", "-p", &from.name]);
    session.expect("To which projects?");
    session.send(&format!("{} {} \r", b.name, c.name));
    answer(&mut session, "Copy hf of", "");
    let (code, shown) = session.wait();
    assert_eq!(code, 0, "{shown}");
    assert!(world.secret(&b.namespace, "hf").is_some() && world.secret(&c.namespace, "hf").is_some());

    let mut session = sandbox.in_terminal(["unset", "hf", "-p", &from.name]);
    answer(&mut session, "Key", "unused");
    // A value is lost, so Enter says no.
    answer(&mut session, "Take unused out of hf?", "");
    let (code, shown) = session.wait();
    assert_eq!(code, 1, "{shown}");

    let mut session = sandbox.in_terminal(["submit", "train", "-p", &from.name]);
    answer(&mut session, "Image of the container", "python");
    session.expect("Which secrets does it need?");
    session.send("hf other \r");
    answer(&mut session, "How should the job get hf?", "every key");
    answer(&mut session, "How should the job get other?", "files");
    answer(&mut session, "Folder in the container", "");
    answer(&mut session, "GPUs", "");
    answer(&mut session, "Command line", "");
    answer(&mut session, "Submit job.batch/train?", "");
    let (code, shown) = session.wait();
    assert_eq!(code, 0, "{shown}");
    let more = "--env-all hf --secret-volume path=/etc/other,name=other";
    assert!(shown.contains(more), "{shown}");
}

#[scenario]
fn the_name_that_is_typed_is_the_one_that_enter_takes_and_tab_completes_it(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("a");
    world.create_secret(&namespace, "hf", &[("token", VALUE)]);
    for name in ["my-train", "train", "train-2"] {
        create_job(world, &namespace, name);
    }
    for (keys, found) in [("train", "job/train"), ("my\t", "job/my-train"), ("2 train", "job/train-2")] {
        let mut session = sandbox.in_terminal(["attach", "hf", "--env", "token", "-n", &namespace]);
        answer(&mut session, "Workload", keys);
        session.expect(&format!("job.batch/{} can't be changed", found.trim_start_matches("job/")));
        session.send("\u{3}");
        assert_eq!(session.wait().0, 130);
    }
}

/// A screen's text without colours.
fn plain(screen: &str) -> String {
    let mut text = String::new();
    let mut rest = screen;
    while let Some(at) = rest.find("\u{1b}[") {
        text.push_str(&rest[..at]);
        rest = rest[at + 2..].trim_start_matches(|char: char| !char.is_ascii_alphabetic());
        rest = rest.get(1..).unwrap_or_default();
    }
    text + rest
}

/// The first words of the rows that a search leaves in the list.
fn found_by(sandbox: &Sandbox, search: &str) -> Vec<String> {
    let mut session = sandbox.in_terminal(Vec::<&str>::new());
    session.expect("What do you have, or want to do?");
    session.send(search);
    session.expect(&format!("{search}\r\n"));
    let before = session.seen().len();
    session.send(ESC);
    let (_, shown) = session.wait();
    let is_name = |word: &&str| !word.is_empty() && word.chars().all(|char| char.is_ascii_lowercase());
    let rows = plain(&shown[before..]);
    rows.lines().filter_map(|row| row.split(' ').find(is_name).map(ToOwned::to_owned)).collect()
}

#[test]
fn what_people_call_a_command_finds_it_in_the_list() {
    let sandbox = Sandbox::new();
    for (search, expected) in [
        ("token", &["create", "set"][..]),
        ("rotate", &["set", "restart"]),
        ("rename", &["rename"]),
        ("new secret", &["create"]),
        ("import", &["create"]),
        ("who", &["usage"]),
        ("prove", &["check", "status"]),
        ("upload", &["create"]),
        ("hugg", &["create"]),
        ("login", &["create"]),
        ("password", &["create"]),
        ("remove", &["delete", "detach", "unset"]),
        ("share", &["label"]),
        ("job", &["attach", "submit"]),
        ("run", &["submit"]),
    ] {
        let rows = found_by(&sandbox, search);
        assert!(
            rows.starts_with(&expected.iter().map(ToString::to_string).collect::<Vec<_>>()),
            "{search}: {rows:?}"
        );
    }
    // The same words are answered where one is typed as a command.
    for (word, line) in [
        ("token", "create NAME"),
        ("rotate", "restart NAME"),
        ("prove", "status NAME"),
        ("job", "attach NAME job/JOB"),
        ("huggingface", "create huggingface"),
    ] {
        let refused = sandbox.run([word]).fails_with(2);
        assert!(refused.stderr.contains(&format!(": kubectl runai-secret {line}\n")), "{word}: {refused}");
    }
}

#[test]
fn the_first_list_begins_with_what_is_wanted_most() {
    let sandbox = Sandbox::new();
    let mut session = sandbox.in_terminal(Vec::<&str>::new());
    session.expect("What do you have, or want to do?");
    session.send(ESC);
    let shown = plain(&session.wait().1);
    let at = |command: &str| {
        shown.find(&format!("\n  {command} ")).unwrap_or_else(|| panic!("{command}: {shown}"))
    };
    assert!(["create", "attach", "submit", "list", "view"].map(at).is_sorted(), "{shown}");
}

#[scenario]
fn a_list_shows_more_about_what_is_marked(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("a");
    world.create_secret(&namespace, "alpha", &[("FIRST_KEY", VALUE), ("SECOND_KEY", VALUE)]);
    world.create_secret(&namespace, "beta", &[("THIRD_KEY", VALUE)]);
    create_deployment(world, &namespace, "web");
    world.clear_log();
    let mut session = sandbox.in_terminal(["attach", "-n", &namespace]);
    session.expect("Secret");
    session.expect("keys FIRST_KEY and SECOND_KEY");
    let lists = world.requests().iter().filter(|request| request.path.ends_with("/secrets")).count();
    assert_eq!((lists, world.requests().len()), (1, 1), "nothing more is asked: {:?}", world.lines());
    session.send("beta");
    session.expect("key THIRD_KEY");
    session.send("\r");
    answer(&mut session, "How should the workload get it?", "every key");
    answer(&mut session, "Anything else?", "");
    session.expect("Workload");
    session.expect("container main of image");
    session.send(ESC);
    session.expect("Anything else?");
    session.send("\u{3}");
    let (_, shown) = session.wait();
    assert!(!shown.contains(VALUE), "{shown}");

    // One line after the other, for a screen reader, has no more than that.
    let mut session = sandbox.env("TERM", "dumb").in_terminal(["attach", "-n", &namespace]);
    session.expect("Secret (number or name)");
    session.send("\u{3}");
    let (_, shown) = session.wait();
    assert!(!shown.contains("FIRST_KEY"), "{shown}");
}

#[scenario]
fn a_paste_is_asked_for_once_and_its_length_is_said(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("a");
    let mut session = sandbox.in_terminal(["create", "s", "--prompt", "K", "-n", &namespace]);
    session.expect("Value of K");
    // As a terminal marks a paste that ends in a newline.
    session.send(&format!("\u{1b}[200~{VALUE}\n\u{1b}[201~\r"));
    session.expect("22 characters");
    session.expect("secret/s created");
    let (code, shown) = session.wait();
    assert_eq!(code, 0, "{shown}");
    assert!(!shown.contains("Once more") && !shown.contains(VALUE), "{shown}");
    assert!(shown.rfind("\u{1b}[?2004l") > shown.rfind("\u{1b}[?2004h"), "marks are switched off again");
    assert_eq!(world.secret_value(&namespace, "s", "K").unwrap(), VALUE.as_bytes());

    let mut session = sandbox.in_terminal(["create", "t", "--prompt", "K", "-n", &namespace]);
    session.expect("Value of K");
    session.send("\u{1b}[200~two\nlines\u{1b}[201~\r");
    session.expect("this value has several lines");
    assert_eq!(session.wait().0, 1);

    let mut session = sandbox.in_terminal(["create", "t", "--prompt", "K", "-n", &namespace]);
    answer(&mut session, "Value of K", "typed");
    session.expect("5 characters");
    answer(&mut session, "Once more", "typed");
    assert_eq!(session.wait().0, 0);
}

#[scenario]
fn the_project_that_was_picked_last_comes_first(world: &World, sandbox: &Sandbox) {
    let [_, b, _] = ["a", "b", "c"].map(|name| world.project(name));
    world.create_secret(&b.namespace, "hf", &[("token", VALUE)]);
    let look = |keys: &str| {
        let mut session = sandbox.in_terminal(["view"]);
        answer(&mut session, "Project", keys);
        session.expect("Secret");
        session.expect("Opaque, 1 key");
        session.send("hf\r");
        let (code, shown) = session.wait();
        assert_eq!(code, 0, "{shown}");
        shown
    };
    let first = look(&b.name);
    assert!(!first.contains("picked last"), "{first}");
    let second = look("");
    assert!(second.contains(&format!("namespace {}, picked last", b.namespace)), "{second}");
    // In a file for the user alone, which only helps.
    let state = sandbox.home().join(".local/state/kubectl-runai-secret");
    let file = state.join("last-projects.json");
    let mode = std::os::unix::fs::MetadataExt::mode(&std::fs::metadata(&file).unwrap());
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(std::fs::read_dir(&state).unwrap().count(), 1, "nothing unfinished is left");
    std::fs::write(&file, "no JSON").unwrap();
    let third = look(&b.name);
    assert!(!third.contains("picked last"), "{third}");
}

#[scenario]
fn the_env_file_of_this_folder_is_proposed_and_tab_shows_files_that_begin_with_a_dot(
    world: &World,
    sandbox: &Sandbox,
) {
    let namespace = world.namespace("a");
    sandbox.file(".env", "A=1\n");
    sandbox.file("other.txt", "x");
    let mut session = sandbox.in_terminal(["create", "generic", "settings", "-n", &namespace]);
    answer(&mut session, "What goes into it?", "keys of a .env");
    session.expect("File (Enter for .env)");
    session.send("\t");
    session.expect(".env  other.txt");
    session.send("\r");
    answer(&mut session, "What else?", "");
    answer(&mut session, "Create secret/settings?", "");
    let (code, shown) = session.wait();
    assert_eq!(code, 0, "{shown}");
    assert_eq!(world.secret_value(&namespace, "settings", "A").unwrap(), b"1");
}

#[scenario]
fn a_name_that_is_not_legal_is_answered_with_one_that_is(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("a");
    let mut session = sandbox.in_terminal(["create", "generic", "-n", &namespace]);
    answer(&mut session, "Name of the new secret", "HF Token");
    session.expect("a name has lower-case letters, digits, - and .; Enter takes hf-token");
    session.send("\r");
    answer(&mut session, "What goes into it?", "a key");
    // The last word is taken back, and an end of input is none while there is a text.
    answer(&mut session, "Name of the key", "HF TOKENS\u{17}\u{4}TOKEN");
    session.expect("the name of a key has letters, digits, -, _ and .; Enter takes HF_TOKEN");
    session.send("\r");
    answer(&mut session, "Where does the value of HF_TOKEN come from?", "random");
    answer(&mut session, "What else?", "");
    answer(&mut session, "Create secret/hf-token?", "");
    let (code, shown) = session.wait();
    assert_eq!(code, 0, "{shown}");
    assert!(!shown.contains("RFC 1123"), "{shown}");
    assert!(world.secret_value(&namespace, "hf-token", "HF_TOKEN").is_some());

    let mut session = sandbox.env("TERM", "dumb").in_terminal(["create", "generic", "-n", &namespace]);
    session.expect("Name of the new secret");
    session.send("My Name\r");
    session.expect("(Enter for my-name)");
    session.send("\r");
    session.expect("What goes into it? (number or name)");
    session.send("nonsense\r");
    session.expect("No choice has that name or number; ? lists them.");
    session.send("?\r");
    session.expect("1. a key and its value");
    session.send("nothing\r");
    session.expect("Create secret/my-name?");
    session.send("yes\r");
    assert_eq!(session.wait().0, 0);
}

#[scenario]
fn a_terminal_is_asked_which_of_several_values_it_shows(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("a");
    world.create_secret(&namespace, "hf", &[("FIRST", "one-of-the-two"), ("SECOND", "two-of-the-two")]);
    let line = ["view", "hf", "--reveal", "-n", &namespace];
    let mut session = sandbox.in_terminal(line);
    answer(&mut session, "Which value do you want to see?", "sec");
    let (code, shown) = session.wait();
    assert_eq!(code, 0, "{shown}");
    assert!(shown.contains("two-of-the-two\r\n") && !shown.contains("one-of-the-two"), "{shown}");
    assert!(shown.contains("next time add SECOND"), "{shown}");
    // Nobody is asked where nobody sees it.
    let refused = sandbox.run(line).fails_with(2);
    assert!(refused.stderr.contains("secret hf has 2 keys"), "{refused}");
}
