//! The tour: one list of commands, which the playground runs, and which the tutorial and a picture show.
//!
//! A test runs it too and compares, so neither can differ from the program.

use std::path::Path;

use serde_json::{Value, json};
use support::{Propagation, Sandbox, World};

use super::picture;

enum Step {
    /// A remark for the reader.
    Say(&'static str),
    /// A command line for a shell, and the exit code with which it must end.
    Run(&'static str, i32),
}

use Step::{Run, Say};

const TOUR: &[Step] = &[
    Say("A key from a file, and several from standard input, become secrets of project team-a."),
    Run("kubectl runai-secret create wandb --from-file=WANDB_API_KEY=wandb.txt -p team-a", 0),
    Run("cat s3.env | kubectl runai-secret create s3 --from-env-file=- -p team-a", 0),
    Say("A secret for everybody is made in Run:ai's own namespace and shared with every project."),
    Run("kubectl runai-secret create hf --from-file=HF_TOKEN=hf-token.txt -n runai", 0),
    Run("kubectl runai-secret label hf --credential generic --wait", 0),
    Say("Workloads that exist get a reference to the secret, never its value."),
    Run("kubectl runai-secret attach hf deployment/web --env HF_TOKEN -p team-a", 0),
    Run("kubectl runai-secret attach s3 cronjob/nightly --env-all --mount /etc/s3 --mode 0400 -p team-a", 0),
    Say("A misspelt key is found now, and not when the pod fails to start."),
    Run("kubectl runai-secret attach hf deployment/web --env HF_TOKNE -p team-a", 1),
    Say("The template of a Job can't be changed, so there are two ways, and you choose."),
    Run("kubectl runai-secret attach wandb job/train --env WANDB_API_KEY -p team-a", 2),
    Run("kubectl runai-secret attach wandb job/train --env WANDB_API_KEY -p team-a --recreate --yes", 0),
    Say("A new job with the shared secret, in another project, in the words of runai submit."),
    Run(
        "kubectl runai-secret submit eval -i python:3.13 -g 1 -e HF_TOKEN=SECRET:hf,HF_TOKEN -p vision -- python eval.py",
        0,
    ),
    Say("Who uses a secret, and what is wrong before a pod waits for its GPU?"),
    Run("kubectl runai-secret usage hf -p team-a", 0),
    Run("kubectl runai-secret check -p team-a", 0),
    Say("What attach did, detach undoes."),
    Run("kubectl runai-secret detach hf deployment/web -p team-a", 0),
    Say("Every write can be looked at first."),
    Run(
        "kubectl runai-secret submit ask -i python:3.13 -e KEY=SECRET:hf,HF_TOKEN -p nlp --dry-run=client -o yaml",
        0,
    ),
];

const START: &str = "<!-- tour: cargo run --example playground -- --update-docs -->\n```console\n";
const END: &str = "```\n<!-- /tour -->";

/// Builds the new content of a file from the old one and the tour; none if it has no place for the tour.
pub(crate) type Make = fn(&str, &str) -> Option<String>;

/// The files that show the tour, and the function that makes each.
pub(crate) const SHOWN_IN: [(&str, Make); 2] =
    [("docs/tutorial.md", put_into), ("docs/tour.svg", |_, tour| Some(picture::of(tour)))];

/// A cluster in this process, in everyday use, and a sandbox to type in.
pub(crate) struct Playground {
    pub(crate) world: World,
    pub(crate) sandbox: Sandbox,
    _propagation: Propagation,
}

impl Playground {
    pub(crate) fn start() -> Self {
        let world = World::with_plain_names();
        for name in ["nlp", "team-a", "vision"] {
            world.project(name);
        }
        let labels = json!({"app": "web"});
        let pod = |restart: &str| {
            let container = json!({"name": "main", "image": "python:3.13"});
            json!({"metadata": {"labels": labels}, "spec": {"restartPolicy": restart, "containers": [container]}})
        };
        let create = |group: &str, plural: &str, name: &str, spec: Value| {
            let path = format!("/apis/{group}/v1/namespaces/runai-team-a/{plural}");
            world.create(&path, &json!({"metadata": {"name": name}, "spec": spec}))
        };
        let selector = json!({"matchLabels": labels});
        create("apps", "deployments", "web", json!({"selector": selector, "template": pod("Always")}));
        let nightly = json!({"schedule": "0 2 * * *", "jobTemplate": {"spec": {"template": pod("Never")}}});
        create("batch", "cronjobs", "nightly", nightly);
        create("batch", "jobs", "train", json!({"template": pod("Never")}));

        let sandbox = Sandbox::new().with(&world);
        sandbox.link_plugin();
        sandbox.file("wandb.txt", "not-a-real-key");
        sandbox.file("s3.env", "AWS_ACCESS_KEY_ID=not-a-real-id\nAWS_SECRET_ACCESS_KEY=not-a-real-key\n");
        sandbox.file("hf-token.txt", "not-a-real-token");
        Self { _propagation: world.start_propagation(), world, sandbox }
    }

    /// Runs the tour, and passes on each piece of output as a terminal shows it.
    ///
    /// # Errors
    /// A step ended otherwise than it should have. The error names it.
    pub(crate) fn tour(&self, mut show: impl FnMut(&str)) -> Result<(), String> {
        for (index, step) in TOUR.iter().enumerate() {
            match step {
                Say(remark) => show(&format!("{}# {remark}\n", if index == 0 { "" } else { "\n" })),
                Run(command, code) => {
                    show(&format!("$ {command}\n"));
                    show(&self.run(command, *code)?);
                }
            }
        }
        Ok(())
    }

    /// Returns both streams of a command as they mix on a terminal, without parts that differ between
    /// machines.
    fn run(&self, command: &str, code: i32) -> Result<String, String> {
        // Runs the plugin as kubectl does, without kubectl. Both streams in one pipe keep their order.
        let shell = format!("exec 2>&1; kubectl() {{ shift; kubectl-runai-secret \"$@\"; }}; {command}");
        let outcome = self.sandbox.with_run().program(Path::new("sh"), ["-c", &shell]);
        let home = self.sandbox.home().display().to_string();
        let shown = without_suffix(&outcome.stdout.replace(&home, "~"));
        if outcome.code == Some(code) {
            Ok(shown)
        } else {
            Err(format!("$ {command}\n{shown}ended with {:?} instead of {code}", outcome.code))
        }
    }
}

/// Removes the five random characters from the name of the manifest that `--recreate` saves.
fn without_suffix(shown: &str) -> String {
    const NAME: &str = "/job-runai-team-a-train-";
    match shown.split_once(NAME) {
        Some((before, after)) => format!("{before}{NAME}…{}", after.get(5..).unwrap_or_default()),
        None => shown.to_owned(),
    }
}

/// Returns the page with this tour.
fn put_into(page: &str, tour: &str) -> Option<String> {
    let (before, rest) = page.split_once(START)?;
    let (_, after) = rest.split_once(END)?;
    Some(format!("{before}{START}{tour}{END}{after}"))
}
