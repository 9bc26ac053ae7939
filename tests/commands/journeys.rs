//! From a login on the disk to the job that uses it: how many answers it takes.

use std::fs;

use serde_json::{Value, json};
use support::{Sandbox, Session, World, scenario};

use crate::create_types::openssh_key;
use crate::guide::answer;
use crate::workloads::{DEPLOYMENTS, create_deployment, create_job, env_of, job};

const CANARY: &str = "Zq7cAnArY0123456789abcdefghijklmnopqrstuvwxyz";

/// The longest way that counts as one breath.
const MOST_ANSWERS: usize = 5;

const DOWN: &str = "\u{1b}[B";

/// A terminal whose answers are counted.
struct Journey {
    session: Session,
    answers: usize,
}

impl Journey {
    fn answer(&mut self, question: &str, keys: &str) {
        answer(&mut self.session, question, keys);
        self.answers += 1;
    }
}

fn put(sandbox: &Sandbox, path: &str, content: &str) {
    let path = sandbox.home().join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
}

/// Logins of five services, as their programs leave them.
pub(crate) fn log_in(sandbox: &Sandbox) {
    put(sandbox, ".cache/huggingface/token", &format!("hf_{CANARY}"));
    put(
        sandbox,
        ".aws/credentials",
        &format!("[default]\naws_access_key_id = AKIAABCDEFGHIJKLMNOP\naws_secret_access_key = {CANARY}\n"),
    );
    put(sandbox, ".docker/config.json", r#"{"auths": {"ghcr.io": {}}, "credsStore": "vault"}"#);
    sandbox.program(
        "docker-credential-vault",
        &format!(
            "#!/bin/sh\necho '{{\"ServerURL\":\"ghcr.io\",\"Username\":\"robot\",\"Secret\":\"{CANARY}\"}}'\n"
        ),
    );
    put(
        sandbox,
        ".config/gcloud/application_default_credentials.json",
        &json!({"type": "authorized_user", "refresh_token": CANARY}).to_string(),
    );
    put(sandbox, ".ssh/id_ed25519", &openssh_key("none"));
}

/// What a job has of the login of a service.
fn has_login(service: &str, job: &Value) -> bool {
    let pod = &job["spec"]["template"]["spec"];
    let variable = |name: &str| {
        let env = env_of(&job["spec"]).as_array().cloned().unwrap_or_default();
        env.iter().any(|one| one["name"] == name)
    };
    let mount = &pod["containers"][0]["volumeMounts"];
    let mounts = |path: &str| mount.as_array().into_iter().flatten().any(|one| one["mountPath"] == path);
    match service {
        "huggingface" => variable("HF_TOKEN"),
        "aws" => variable("AWS_ACCESS_KEY_ID") && variable("AWS_SECRET_ACCESS_KEY"),
        "docker" => pod["imagePullSecrets"][0]["name"] == "registry",
        "gcloud" => variable("GOOGLE_APPLICATION_CREDENTIALS") && mounts("/etc/gcloud"),
        "ssh" => mounts("/root/.ssh") && pod["volumes"][0]["secret"]["defaultMode"] == 0o400,
        other => panic!("{other}"),
    }
}

/// A service, the usual name of its secret, and the words after `create`: ssh is a type of secret too.
const SERVICES: [(&str, &str, &str); 5] = [
    ("huggingface", "hf", "huggingface"),
    ("aws", "aws", "aws"),
    ("docker", "registry", "docker"),
    ("gcloud", "gcloud", "gcloud"),
    ("ssh", "ssh", "generic ssh --from-login ssh"),
];

#[scenario]
fn from_the_bare_command_a_login_is_in_a_running_job_with_five_answers(world: &World, sandbox: &Sandbox) {
    let [project, _other] = ["a", "b"].map(|name| world.project(name));
    log_in(sandbox);
    for (service, secret, line) in SERVICES {
        let name = format!("train-{service}");
        create_job(world, &project.namespace, &name);
        let session = sandbox.in_terminal(Vec::<&str>::new());
        let mut journey = Journey { session, answers: 0 };
        journey.answer("What do you have, or want to do?", service);
        journey.answer("Project", &project.name);
        // Everything that was guessed, and no value.
        journey.answer(&format!("Create secret/{secret}?"), "");
        journey.session.expect(&format!("secret/{secret} created"));
        journey.answer(&format!("Give {secret} to a job?"), &name);
        journey.session.expect("if it is deleted and created again: ");
        journey.answer("What now?", DOWN);
        journey.session.expect(&format!("job.batch/{name} recreated"));
        let Journey { session, answers } = journey;
        let (code, shown) = session.wait();
        assert_eq!(code, 0, "{shown}");
        assert!(answers <= MOST_ANSWERS, "{service}: {answers}");
        assert!(has_login(service, &job(world, &project.namespace, &name).unwrap()), "{shown}");
        let (words, flags) = line
            .split_once(" --")
            .map_or((line, String::new()), |(words, flags)| (words, format!(" --{flags}")));
        let next = format!("create {words} -p {}{flags} --attach job/{name} --recreate", project.name);
        assert!(shown.contains(&format!("next time you can type: kubectl runai-secret {next}")), "{shown}");
        assert!(!shown.contains(CANARY), "{shown}");
    }
}

#[scenario]
fn in_one_line_a_login_is_in_a_running_job(world: &World, sandbox: &Sandbox) {
    let project = world.project("a");
    log_in(sandbox);
    for (service, secret, line) in SERVICES {
        let name = format!("train-{service}");
        create_job(world, &project.namespace, &name);
        let target = format!("job/{name}");
        let words =
            ["create"].into_iter().chain(line.split(' ')).chain(["-p", &project.name, "--attach", &target]);
        let mut session = sandbox.in_terminal(words);
        session.expect(&format!("secret/{secret} created"));
        answer(&mut session, "What now?", DOWN);
        let (code, shown) = session.wait();
        assert_eq!(code, 0, "{shown}");
        assert!(has_login(service, &job(world, &project.namespace, &name).unwrap()), "{shown}");
        assert!(!shown.contains(CANARY), "{shown}");
    }
}

#[scenario]
fn what_is_guessed_is_shown_once_and_each_line_of_it_can_be_changed(world: &World, sandbox: &Sandbox) {
    let [a, b] = ["a", "b"].map(|name| world.project(name));
    log_in(sandbox);
    world.create_secret(&b.namespace, "mine", &[("OTHER", "x")]);
    let mut session = sandbox.in_terminal(Vec::<&str>::new());
    answer(&mut session, "What do you have, or want to do?", "a value");
    answer(&mut session, "Name of the key", "HF_TOKEN");
    session.expect("Value of HF_TOKEN");
    session.send(&format!("\u{1b}[200~{CANARY}\u{1b}[201~\r"));
    session.expect("45 characters");
    answer(&mut session, "Project", &a.name);
    session.expect("Create secret/hf-token?");
    session.expect("45 characters");
    session.send("name\r");
    answer(&mut session, "Name of the secret (Enter for hf-token)", "mine");
    session.expect("Create secret/mine?");
    session.send("project\r");
    answer(&mut session, "Project", &b.name);
    // Where the name is taken, the keys may go into the secret that is there.
    answer(&mut session, "Secret mine already exists in project", "set its keys");
    session.expect("Set these keys of secret/mine? The others stay");
    session.send("key\r");
    answer(&mut session, "Name of the key", "WANDB_API_KEY");
    session.expect("Value of WANDB_API_KEY");
    session.send(&format!("\u{1b}[200~{CANARY}-2\u{1b}[201~\r"));
    answer(&mut session, "Set these keys of secret/mine?", "");
    session.expect("secret/mine updated");
    answer(&mut session, "Give mine to a job?", "");
    let (code, shown) = session.wait();
    assert_eq!(code, 0, "{shown}");
    assert!(!shown.contains(CANARY), "{shown}");
    let next = format!("set mine -p {} --prompt WANDB_API_KEY", b.name);
    assert!(shown.contains(&format!("next time you can type: kubectl runai-secret {next}")), "{shown}");
    let stored = |key| world.secret_value(&b.namespace, "mine", key);
    assert_eq!(stored("WANDB_API_KEY").unwrap(), format!("{CANARY}-2").as_bytes());
    assert!(stored("HF_TOKEN").is_none() && stored("OTHER").is_some());
}

#[scenario]
fn a_screen_reader_gets_the_same_steps_and_a_new_job_the_secret(world: &World, sandbox: &Sandbox) {
    let project = world.project("a");
    log_in(sandbox);
    let mut session = sandbox.env("TERM", "dumb").in_terminal(["-p", &project.name]);
    for (question, reply) in [
        ("What do you have, or want to do? (number or name): ", "huggingface"),
        ("Create secret/hf? (number or name): ", "1"),
        ("Give hf to a job? (number or name): ", "a new job"),
        ("Image of the container: ", "python"),
        ("Name of the job (empty: generated): ", "train"),
        ("GPUs (empty: none): ", ""),
        ("Command line (empty: the image's own): ", ""),
        ("Submit job.batch/train? (yes or no, Enter for yes): ", ""),
    ] {
        session.expect(question);
        session.send_line(reply);
    }
    let (code, shown) = session.wait();
    assert_eq!(code, 0, "{shown}");
    assert!(!shown.contains('\u{1b}') && !shown.contains(CANARY), "{shown:?}");
    assert!(has_login("huggingface", &job(world, &project.namespace, "train").unwrap()), "{shown}");
}

#[scenario]
fn a_secret_that_is_not_there_is_made_or_copied_and_the_command_goes_on(world: &World, sandbox: &Sandbox) {
    let [a, b] = ["a", "b"].map(|name| world.project(name));
    log_in(sandbox);
    create_deployment(world, &a.namespace, "web");
    let words = ["attach", "hf", "deployment/web", "-p", &a.name];
    let refused = sandbox.run(words).fails_with(1);
    let made = format!(
        "create it of a Hugging Face token on this machine: kubectl runai-secret create huggingface -n {}",
        a.namespace
    );
    assert!(refused.stderr.contains(&made), "{refused}");
    assert!(!refused.stderr.contains(CANARY), "{refused}");
    world.create_secret(&b.namespace, "hf", &[("HF_TOKEN", CANARY)]);
    let refused =
        sandbox.run(["submit", "train", "-i", "python", "--secret", "hf", "-p", &a.name]).fails_with(1);
    let copied = format!(
        "hint: to copy it: kubectl runai-secret copy hf --from-project {} --to-project {}\n",
        b.name, a.name
    );
    assert!(refused.stderr.contains(&copied), "{refused}");

    let mut session =
        sandbox.in_terminal(["submit", "train", "-i", "python", "--secret", "hf", "-p", &a.name]);
    session.expect("secrets \"hf\" not found");
    answer(&mut session, "What now?", "Hugging Face");
    session.expect("secret/hf created");
    session.expect("job.batch/train created");
    let (code, shown) = session.wait();
    assert_eq!(code, 0, "{shown}");
    assert!(has_login("huggingface", &job(world, &a.namespace, "train").unwrap()), "{shown}");

    // Gone again, and taken from the other project this time.
    sandbox.run(["delete", "hf", "-p", &a.name, "--yes", "--force"]).success();
    let mut session = sandbox.in_terminal(words.iter().chain(&["--env", "HF_TOKEN"]));
    answer(&mut session, "What now?", "copy");
    session.expect("secret/hf");
    session.expect("deployment.apps/web updated");
    let (code, shown) = session.wait();
    assert_eq!(code, 0, "{shown}");
    let web = world.get(&format!("/{DEPLOYMENTS}/namespaces/{}/deployments/web", a.namespace)).unwrap();
    assert_eq!(env_of(&web["spec"])[0]["name"], "HF_TOKEN");

    let mut session = sandbox.in_terminal(["attach", "none", "deployment/web", "--env", "K", "-p", &a.name]);
    answer(&mut session, "What now?", "stop");
    let (code, shown) = session.wait();
    assert!(code == 1 && shown.contains(" or create it: kubectl runai-secret create none -n"), "{shown}");
    let dry = ["attach", "none", "deployment/web", "--env", "K", "--dry-run", "-p", &a.name];
    let (code, shown) = sandbox.in_terminal(dry).wait();
    assert!(code == 1 && !shown.contains("What now?"), "{shown}");
}

#[scenario]
fn where_a_secret_is_picked_a_new_one_can_be_made(world: &World, sandbox: &Sandbox) {
    let project = world.project("a");
    create_deployment(world, &project.namespace, "web");
    let mut session = sandbox.in_terminal(["attach", "-p", &project.name]);
    session.expect("Secret");
    session.send("a new one\r");
    answer(&mut session, "What kind of secret?", "generic");
    answer(&mut session, "Name of the new secret", "mine");
    answer(&mut session, "What goes into it?", "a key");
    answer(&mut session, "Name of the key", "TOKEN");
    answer(&mut session, "Where does the value of TOKEN come from?", "random");
    answer(&mut session, "What else?", "that is all");
    answer(&mut session, "Create secret/mine?", "");
    answer(&mut session, "How should the workload get it?", "every key");
    session.expect("Anything else?");
    // A step back does not make it again.
    session.send("\u{1b}");
    answer(&mut session, "How should the workload get it?", "every key");
    answer(&mut session, "Anything else?", "");
    answer(&mut session, "Workload", "web");
    answer(&mut session, "Change deployment.apps/web?", "");
    let (code, shown) = session.wait();
    assert_eq!(code, 0, "{shown}");
    assert_eq!(shown.matches("secret/mine created").count(), 1, "{shown}");
    let next = format!("attach mine deployment/web -p {} --env-all", project.name);
    assert!(shown.contains(&next), "{shown}");
}
