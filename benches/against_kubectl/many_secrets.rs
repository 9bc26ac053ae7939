//! The list of all secrets of a large cluster.

use support::sandbox::kubectl;
use support::{Recorded, Sandbox, World};

use crate::MEGABYTE;
use crate::arena::{Arena, Pair, arguments};
use crate::plugin::plugin;
use crate::row::{Row, Samples, Target, compared, counted};

const SECRETS: usize = 20_000;
const NAMESPACES: usize = 100;
const BYTES_OF_VALUE: usize = 1000;

const LIST: Pair<'_> = Pair {
    what: "`list -A` of 20,000 secrets, beside `kubectl get secrets -A`",
    ours: "list -A",
    kubectls: "get secrets -A",
    target: Target::None,
};

/// Measures on the in-process API server, whose share is the same for both. The rows are so large that one
/// run is enough.
pub(crate) fn rows() -> Vec<Row> {
    let world = World::in_process();
    fill(&world);
    let sandbox = Sandbox::new();
    let file = sandbox.file("kubeconfig", world.kubeconfig().to_string());
    let arena = Arena { sandbox: sandbox.with_env("KUBECONFIG", file), runs: 1 };
    let memory =
        Pair { what: "memory of that, resident at its peak", target: Target::Megabytes(40.0), ..LIST };
    let mut rows = vec![arena.once(&LIST), arena.memory_once(&memory)];
    let answers = |program, words| {
        world.clear_log();
        let _ = arena.sandbox.with_run().program(program, arguments(words, 0)).success();
        world.requests()
    };
    let ours = answers(plugin(), LIST.ours);
    let kubectls = kubectl().map(|kubectl| vec![size(&answers(kubectl, LIST.kubectls))]).unwrap_or_default();
    let bytes = Pair { what: "bytes on the wire for that", ..LIST };
    let in_words = |[_, median, _]: [f64; 3]| format!("{:.3} MB", median / MEGABYTE);
    let samples = Samples { ours: vec![size(&ours)], kubectls, ..Samples::default() };
    rows.push(compared(&bytes, samples, in_words));
    // The projects, and pages of 500.
    rows.push(counted("requests of that", ours.len(), 1 + SECRETS / 500));
    let whole = ours.iter().filter(|request| has_values(request)).count();
    rows.push(counted("requests of that whose answers have values", whole, 0));
    rows
}

fn fill(world: &World) {
    eprintln!("making {SECRETS} secrets");
    let namespaces: Vec<_> =
        (0..NAMESPACES).map(|number| world.project(&format!("p{number}")).namespace).collect();
    let value = "x".repeat(BYTES_OF_VALUE);
    for (index, namespace) in (0..SECRETS).zip(namespaces.iter().cycle()) {
        world.create_secret(namespace, &format!("secret-{index}"), &[("TOKEN", &value)]);
    }
}

#[expect(clippy::cast_precision_loss, reason = "shown with three digits")]
fn size(requests: &[Recorded]) -> f64 {
    requests.iter().map(|request| request.answer_size as f64).sum()
}

/// Returns true if it asks for whole secrets, rather than for a table or for metadata.
fn has_values(request: &Recorded) -> bool {
    let whole = !request.header("accept").is_some_and(|accept| accept.contains(";as="));
    whole && request.path.contains("/secrets")
}
