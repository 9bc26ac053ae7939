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
