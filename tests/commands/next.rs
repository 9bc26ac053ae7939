//! What usually comes next, a line after each success on a terminal.

use support::{Sandbox, World, scenario};

use crate::workloads::{create_deployment, create_job};

/// Runs a command on a terminal and returns the command that it proposes.
#[track_caller]
fn next_of(sandbox: &Sandbox, words: &str) -> String {
    let (code, shown) = sandbox.in_terminal(words.split(' ')).wait();
    assert_eq!(code, 0, "{words}: {shown}");
    let lines: Vec<&str> = shown.lines().filter(|line| line.contains("next:")).collect();
    let [line] = lines.as_slice() else { panic!("{words}: {shown}") };
    let (_, next) = line.split_once("next:").unwrap();
    next.trim_start_matches("\u{1b}[0m").trim().to_owned()
}

#[scenario]
fn each_success_on_a_terminal_ends_with_the_command_that_usually_follows(world: &World, sandbox: &Sandbox) {
    let [a, b] = ["a", "b"].map(|name| world.project(name));
    create_deployment(world, &a.namespace, "web");
    create_job(world, &a.namespace, "train");
    let (p, q) = (&a.name, &b.name);
    let runai = world.runai_namespace();
    world.create_secret(&runai, "shared", &[("K", "v")]);
    let plugin = |words: String| format!("kubectl runai-secret {words}");
    for (words, next) in [
        (format!("create one --from-literal=K=v -p {p}"), format!("attach one KIND/NAME --env K -p {p}")),
        (
            format!("create two --generate=A --generate=B -p {p}"),
            format!("attach two KIND/NAME --env-all -p {p}"),
        ),
        (
            format!("create pem --generate=a.pem -p {p}"),
            format!("attach pem KIND/NAME --mount /etc/pem -p {p}"),
        ),
        (format!("set one --generate=L --generate=M -p {p}"), format!("usage one -p {p}")),
        (format!("attach one deployment/web --env K -p {p}"), format!("check deployment.apps/web -p {p}")),
        (format!("copy one -p {p} --to-project {q}"), format!("attach one KIND/NAME --env-all -p {q}")),
        (format!("detach one deployment/web -p {p}"), format!("check deployment.apps/web -p {p}")),
        (format!("unset one L -p {p}"), format!("usage one -p {p}")),
        (format!("rename two zwo -y -p {p}"), format!("usage zwo -p {p}")),
        (format!("list -p {p}"), format!("view one -n {}", a.namespace)),
        (format!("view pem -p {p}"), format!("view pem a.pem --reveal -p {p}")),
        (format!("usage -p {p}"), format!("check -p {p}")),
        (format!("delete pem -y -p {p}"), format!("check -p {p}")),
        (
            format!("label shared -y --runai-namespace {runai}"),
            format!("status shared --runai-namespace={runai}"),
        ),
    ] {
        assert_eq!(next_of(sandbox, &words), plugin(next), "{words}");
    }
    let submitted = next_of(sandbox, &format!("submit go -i python -e T=SECRET:zwo,A -p {p}"));
    assert_eq!(submitted, format!("kubectl logs --follow job/go -n {}", a.namespace));
    // What it says can be typed.
    sandbox.run(["check", "deployment.apps/web", "-p", p]).success();

    for quiet in [format!("list -q -p {p}"), format!("create three --generate=A -p {p} --dry-run")] {
        let (code, shown) = sandbox.in_terminal(quiet.split(' ')).wait();
        assert!(code == 0 && !shown.contains("next:"), "{shown}");
    }
    let piped = sandbox.run(["list", "-p", p]).success();
    assert!(!piped.stderr.contains("next:") && !piped.stdout.contains("next:"), "{piped}");
}
