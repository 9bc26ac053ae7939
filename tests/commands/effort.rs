//! What ten journeys take in prompts and keys, as docs/comparison.md says it.

use std::path::Path;

use support::{Sandbox, World};

use crate::journeys::log_in;
use crate::workloads::{create_deployment, create_job};

/// Stands for a paste, which counts as one key.
const PASTE: &str = "\u{1}";
/// A paste, and Enter.
const PASTE_ENTER: &str = "\u{1}\r";

const VALUE: &str = "hf_Zq7cAnArY0123456789abcdefghijklmnopqrstuvwxyz";
const DOWN: &str = "\u{1b}[B";

type Steps<'a> = &'a [(&'a str, &'a str)];

/// A cluster with the projects team-a and team-b, a job and a deployment.
fn prepared() -> (World, Sandbox) {
    let world = World::with_plain_names();
    let [a, _b] = ["team-a", "team-b"].map(|name| world.project(name));
    create_job(&world, &a.namespace, "train");
    create_deployment(&world, &a.namespace, "web");
    world.create_secret(&a.namespace, "mine", &[("TOKEN", "x")]);
    let sandbox = Sandbox::new().with(&world);
    log_in(&sandbox);
    sandbox.file(".env", "A=1\nB=2\n");
    (world, sandbox)
}

/// The keys of a text: an arrow and a paste are one each.
fn keys(text: &str) -> usize {
    text.replace(DOWN, "v").chars().count()
}

/// Answers the questions of a command to its end, and counts prompts and keys.
fn walk(sandbox: &Sandbox, words: &str, steps: Steps<'_>) -> (usize, usize) {
    let mut session = sandbox.in_terminal(words.split_whitespace());
    for (question, answer) in steps {
        session.expect(question);
        session.send(&answer.replace(PASTE, &format!("\u{1b}[200~{VALUE}\u{1b}[201~")));
    }
    let (code, shown) = session.wait();
    assert_eq!(code, 0, "{words}: {shown}");
    let command = format!("kubectl runai-secret {words}");
    (steps.len(), keys(command.trim_end()) + 1 + steps.iter().map(|(_, answer)| keys(answer)).sum::<usize>())
}

const TO_PROJECT: (&str, &str) = ("Project", "team-a\r");
const HAVE: &str = "What do you have, or want to do?";
const CHANGE: (&str, &str) = ("Change deployment.apps/web?", "\r");
const RECREATE: (&str, &str) = ("What now?", "\u{1b}[B\r");

/// A journey: its row on the page, the words and answers of somebody who is led, and the line that does the same.
struct Journey<'a> {
    title: &'a str,
    words: &'a str,
    steps: Vec<(&'a str, &'a str)>,
    line: &'a str,
}

/// Journeys from a login on this machine.
fn of_logins() -> Vec<Journey<'static>> {
    let login = |title, service, job, line| {
        let steps = vec![(HAVE, service), TO_PROJECT, ("Create secret/", "\r"), (job, "train\r"), RECREATE];
        Journey { title, words: "", steps, line }
    };
    vec![
        login(
            "a Hugging Face token on the disk, to a Job",
            "huggingface\r",
            "Give hf to a job?",
            "create huggingface -p team-a --attach job/train --recreate -y",
        ),
        login(
            "a registry's login with a helper, to a Job",
            "docker\r",
            "Give registry to a job?",
            "create docker -p team-a --attach job/train --recreate -y",
        ),
        login(
            "Google's credentials, to a Job",
            "gcloud\r",
            "Give gcloud to a job?",
            "create gcloud -p team-a --attach job/train --recreate -y",
        ),
        login(
            "an SSH key, to a Job",
            "ssh\r",
            "Give ssh to a job?",
            "create generic ssh --from-login ssh -p team-a --attach job/train --recreate -y",
        ),
        Journey {
            title: "AWS keys, to a Deployment",
            words: "",
            steps: vec![
                (HAVE, "aws\r"),
                TO_PROJECT,
                ("Create secret/", "\r"),
                ("Give aws to a job?", "web\r"),
                CHANGE,
            ],
            line: "create aws -p team-a --attach deploy/web",
        },
        Journey {
            title: "the .env file of this folder, to a secret",
            words: "",
            steps: vec![
                (HAVE, "dotenv\r"),
                TO_PROJECT,
                ("Create secret/", "\r"),
                ("Give settings to a job?", "\r"),
            ],
            line: "create dotenv -p team-a",
        },
    ]
}

/// Journeys from a value that is pasted, and from a secret that is there.
fn others() -> Vec<Journey<'static>> {
    let pasted = |more: Steps<'static>| {
        let value = [
            (HAVE, "a value\r"),
            ("Name of the key", "HF_TOKEN\r"),
            ("Value of HF_TOKEN", PASTE_ENTER),
            TO_PROJECT,
            ("Create secret/", "\r"),
        ];
        [&value, more].concat()
    };
    vec![
        Journey {
            title: "a token that is pasted, to a secret",
            words: "",
            steps: pasted(&[("Give hf-token to a job?", "\r")]),
            line: "create hf-token --prompt HF_TOKEN -p team-a",
        },
        Journey {
            title: "a token that is pasted, to a Deployment",
            words: "",
            steps: pasted(&[("Give hf-token to a job?", "web\r"), CHANGE]),
            line: "create hf-token --prompt HF_TOKEN -p team-a --attach deploy/web",
        },
        Journey {
            title: "a key of a secret that is there, to a Deployment",
            words: "attach",
            steps: vec![
                TO_PROJECT,
                ("Secret", "mine\r"),
                ("How should the workload get it?", "\r"),
                ("Key", "\r"),
                ("Name of the variable", "\r"),
                ("Anything else?", "\r"),
                ("Workload", "web\r"),
                CHANGE,
            ],
            line: "attach mine deploy/web --env TOKEN -p team-a",
        },
        Journey {
            title: "a secret that is there, to another project",
            words: "copy",
            steps: vec![
                TO_PROJECT,
                ("Secret", "mine\r"),
                ("To which projects?", "team-b\r"),
                ("Copy mine of", "\r"),
            ],
            line: "copy mine -p team-a --to-project team-b",
        },
    ]
}

fn page() -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/comparison.md")).unwrap()
}

#[test]
fn the_page_on_other_programs_says_what_ten_journeys_take() {
    let page = page();
    for Journey { title, words, steps, line } in of_logins().into_iter().chain(others()) {
        let (_world, sandbox) = prepared();
        let led = walk(&sandbox, words, &steps);
        let (_world, sandbox) = prepared();
        let asked: Steps<'_> =
            if line.contains("--prompt") { &[("Value of HF_TOKEN", PASTE_ENTER)] } else { &[] };
        let typed = walk(&sandbox, line, asked);
        let row = page.lines().find(|row| row.starts_with(&format!("| {title} |")));
        let cells: Vec<&str> = row.unwrap_or_else(|| panic!("{title}")).split(" | ").collect();
        let told = |(prompts, keys): (usize, usize)| format!("{prompts} / {keys}");
        assert_eq!((cells[1], cells[3]), (told(led).as_str(), told(typed).as_str()), "{title}");
        assert!(page.contains(&format!("\nkubectl runai-secret {line}\n")), "{line}");
    }
}
