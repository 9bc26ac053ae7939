//! The cost of a Tab where most secrets are Helm's, beside kubectl, which reads all of them whole.

use std::net::TcpListener;
use std::os::unix::fs::symlink;
use std::path::PathBuf;

use serde_json::json;
use support::control_plane::{self, ControlPlane};
use support::sandbox::kubectl;
use support::{Kubeconfig, Sandbox, World};

use crate::arena::{Arena, Pair, RUNS_OF_LARGE, arguments};
use crate::plugin::plugin;
use crate::row::{Row, Samples, Target, compared};
use crate::{MEGABYTE, NO_API_SERVER};

const SECRETS: usize = 2000;
const RELEASES: usize = 1500;
const BYTES_OF_RELEASE: usize = 40 << 10;

const TIME: Pair<'_> = Pair {
    what: "Tab on a secret's name, of 2,000 of which 1,500 are Helm releases of 40 KB, beside `kubectl get secret`",
    ours: "delete s",
    kubectls: "__complete get secret s",
    target: Target::Fraction(100.0),
};

pub(crate) fn rows() -> Vec<Row> {
    let mut rows = vec![on_api_server()];
    rows.push(bytes());
    rows.push(without_an_answer());
    rows
}

fn on_api_server() -> Row {
    if !control_plane::available() {
        return Row::not_run(TIME.what, NO_API_SERVER, TIME.target);
    }
    let world = World::real();
    let namespace = with_secrets(&world);
    let (arena, completer) = arena(&ControlPlane::shared().kubeconfig().namespace(&namespace));
    let row = arena.time_of(&completer, &TIME);
    world.delete(&format!("/api/v1/namespaces/{namespace}"));
    row
}

/// Counts the bytes of the in-process API server's answers, from its log.
fn bytes() -> Row {
    let world = World::in_process();
    let namespace = with_secrets(&world);
    let (arena, completer) = arena(&world.kubeconfig().namespace(&namespace));
    let answers = |program, words| -> f64 {
        world.clear_log();
        let _ = arena.sandbox.with_run().program(program, arguments(words, 0)).success();
        #[expect(clippy::cast_precision_loss, reason = "shown with three digits")]
        world.requests().iter().map(|request| request.answer_size as f64).sum()
    };
    let pair = Pair { what: "its bytes on the wire", target: Target::Megabytes(0.1), ..TIME };
    let kubectls = kubectl().map(|kubectl| vec![answers(kubectl, TIME.kubectls)]).unwrap_or_default();
    let ours = vec![answers(&completer, TIME.ours)];
    compared(&pair, Samples { ours, kubectls, ..Samples::default() }, |[_, median, _]| {
        format!("{:.3} MB", median / MEGABYTE)
    })
}

/// Measures with a server that accepts the connection and never answers. kubectl would wait for ever.
fn without_an_answer() -> Row {
    let deaf = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = deaf.local_addr().expect("a port of ours");
    let kubeconfig = World::in_process().kubeconfig().server(&format!("https://{address}"));
    let (arena, completer) = arena(&kubeconfig);
    let target = Target::Milliseconds(1500.0);
    let what = "Tab with a server that does not answer";
    let mut row = arena.time_of(&completer, &Pair { what, target, kubectls: "", ..TIME });
    row.kubectls.clear();
    row
}

/// Fills a namespace with secrets.
fn with_secrets(world: &World) -> String {
    eprintln!("making {SECRETS} secrets");
    let namespace = world.namespace("helm");
    let path = format!("/api/v1/namespaces/{namespace}/secrets");
    let release = "x".repeat(BYTES_OF_RELEASE);
    for number in 0..SECRETS {
        let (name, secret_type, value) = if number < RELEASES {
            (format!("sh.helm.release.v1.app-{number}.v1"), "helm.sh/release.v1", release.as_str())
        } else {
            (format!("secret-of-somebody-{number}"), "Opaque", "s3cret")
        };
        let secret =
            json!({"metadata": {"name": name}, "type": secret_type, "stringData": {"release": value}});
        world.create(&path, &secret);
    }
    namespace
}

/// Prepares the plugin under the name by which kubectl asks it for completion.
fn arena(kubeconfig: &Kubeconfig) -> (Arena, PathBuf) {
    let sandbox = Sandbox::new();
    let file = sandbox.file("kubeconfig", kubeconfig.to_string());
    let completer = sandbox.bin().join("kubectl_complete-runai_secret");
    symlink(plugin(), &completer).expect("a link in the sandbox");
    (Arena { sandbox: sandbox.with_env("KUBECONFIG", file), runs: RUNS_OF_LARGE }, completer)
}
