//! What carries neither our mark nor a label of Run:ai is somebody else's: whatever is shared, copied, pruned or deleted
//! under the same name, no command writes it.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use support::{Sandbox, World, scenario};

use crate::status::create;
use crate::workloads::create_deployment;

const VALUE: &str = "shared-value-of-the-source";

#[derive(Clone, Copy, PartialEq, Eq)]
enum Does {
    Write,
    Read,
}
use Does::{Read, Write};

/// Every command, most of them about a secret `hf`, in an order in which each finds something to do. The namespaces in
/// braces are Run:ai's, and of two projects: one with a copy, and one with a secret `hf` of its own.
const LINES: [(&str, Does); 39] = [
    ("list -n {runai}", Read),
    ("view hf -n {runai}", Read),
    ("usage hf -n {theirs}", Read),
    ("usage deployment/web -n {theirs}", Read),
    ("diff hf bystander -n {theirs}", Read),
    ("check -n {theirs}", Read),
    ("apply -f secrets.yaml -n {theirs}", Read),
    ("completion bash", Read),
    ("options", Read),
    ("label hf --yes", Write),
    ("status", Read),
    ("status hf", Read),
    ("sync hf --yes", Write),
    ("sync hf --yes", Read),
    ("create hf -n {theirs} --from-literal=a=b", Write),
    ("copy hf -n {runai} --to-project {project} --yes", Write),
    ("set hf --from-literal=a=b -n {runai}", Write),
    ("set hf --from-literal=a=c -n {runai} --restart --timeout 0 --yes", Write),
    ("unset hf a -n {runai}", Write),
    ("edit hf token -n {runai}", Write),
    ("attach hf deployment/web --env token -n {theirs}", Write),
    ("restart hf -n {theirs} --all --no-wait --yes", Write),
    ("detach hf deployment/web -n {theirs}", Write),
    ("submit train -i python -e T=SECRET:hf,token -n {theirs}", Write),
    ("create mine -n {theirs} --from-literal=a=b", Write),
    ("rename mine yours -n {theirs} --yes", Write),
    ("sync hf --prune --yes", Write),
    ("delete hf -n {other} --yes", Read),
    ("label hf --remove --yes", Write),
    ("sync hf --prune --yes", Write),
    ("label hf --yes --wait=1ms", Write),
    ("sync hf --yes", Write),
    ("delete hf --cluster-wide --yes --timeout 0", Write),
    ("sync hf --prune --yes", Read),
    ("label hf --yes --from-project {project}", Write),
    ("delete hf --cluster-wide --yes --timeout 0", Write),
    ("create hf --cluster-wide --yes --from-literal=a=b", Write),
    ("create hf --cluster-wide --replace --yes --from-literal=a=c", Write),
    ("delete hf --cluster-wide --yes --timeout 0", Write),
];

/// The commands that `--help` lists.
fn commands(sandbox: &Sandbox) -> BTreeSet<String> {
    let help = sandbox.run(["--help"]).success().stdout;
    let before_flags = help.split("\nOptions:").next().unwrap();
    let entries = before_flags.lines().filter_map(|line| line.strip_prefix("  "));
    entries.map(|entry| entry.split(' ').next().unwrap().to_owned()).collect()
}

#[scenario]
fn no_command_writes_or_deletes_what_carries_neither_our_mark_nor_run_ais_label(
    world: &World,
    sandbox: &Sandbox,
) {
    let (runai, theirs, other) = (world.runai_namespace(), world.project("theirs"), world.project("other"));
    let elsewhere = world.namespace("elsewhere");
    create(world, &runai, &json!({}), &json!({}), VALUE);
    create_deployment(world, &theirs.namespace, "web");
    // Alike: the mark without the source, another source's mark, a label that is not on.
    let alike = json!({"kubectl-runai-secret/copy": "true", "runai/cluster-wide": "false"});
    let annotations = json!({"kubectl-runai-secret/copy-of": format!("{runai}/other")});
    create(world, &theirs.namespace, &alike, &annotations, "of the project itself");
    create(world, &elsewhere, &json!({"run.ai/cluster-wide": "false"}), &json!({}), VALUE);
    for namespace in [&runai, &theirs.namespace, &other.namespace] {
        world.create_secret(namespace, "bystander", &[("token", "of somebody else")]);
    }
    sandbox.file("secrets.yaml", "{name: f, secrets: [{name: hf, from: [{generate: token}]}]}");
    let bystanders = [
        (&theirs.namespace, "hf"),
        (&elsewhere, "hf"),
        (&runai, "bystander"),
        (&theirs.namespace, "bystander"),
        (&other.namespace, "bystander"),
    ];
    let now = || bystanders.map(|(namespace, name)| world.secret(namespace, name).unwrap_or(Value::Null));
    let before = now();
    let mut tried = BTreeSet::new();
    for (line, does) in LINES {
        tried.insert(line.split(' ').next().unwrap().to_owned());
        let words = [
            ("{runai}", &runai),
            ("{theirs}", &theirs.namespace),
            ("{other}", &other.namespace),
            ("{project}", &theirs.name),
        ];
        let words = words.iter().fold(line.to_owned(), |line, (name, word)| line.replace(name, word));
        world.clear_log();
        let run = sandbox.env("EDITOR", "sed -i s/shared/edited/");
        let outcome = run.run(words.split(' ').chain(["--runai-namespace", &runai]));
        let writes: Vec<_> = world.writes().into_iter().filter(|write| !write.is_dry_run()).collect();
        assert_eq!(!writes.is_empty(), does == Write, "{:?} of {outcome}", world.lines());
        for (namespace, name) in bystanders {
            let path = format!("/api/v1/namespaces/{namespace}/secrets/{name}");
            assert!(writes.iter().all(|write| write.path != path), "{:?} of {outcome}", world.lines());
        }
        let many = |write: &support::Recorded| write.method == "DELETE" && write.path.ends_with("/secrets");
        assert!(!writes.iter().any(many), "{:?} of {outcome}", world.lines());
        assert!(now() == before, "{outcome}");
    }
    assert!(
        world.secret(&runai, "hf").is_none() && world.secret(&other.namespace, "hf").is_none(),
        "they did their work"
    );
    assert_eq!(tried, commands(sandbox));
}
