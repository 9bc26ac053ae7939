//! Commands that need no cluster: the start of the program, and its own share in making a secret.

use support::Sandbox;

use crate::arena::{Arena, Pair, RUNS, RUNS_OF_LARGE};
use crate::row::{Row, Target};

pub(crate) fn starts() -> Vec<Row> {
    let arena = Arena { sandbox: Sandbox::new(), runs: RUNS };
    let start = Pair {
        what: "the start alone (`--version`), above `/bin/true`",
        ours: "--version",
        kubectls: "version --client",
        target: Target::Floor(2.0),
    };
    let make = Pair {
        what: "`create --dry-run=client -o yaml`",
        ours: "create hf --from-literal=TOKEN=s3cret --dry-run=client -o yaml",
        kubectls: "create secret generic hf --from-literal=TOKEN=s3cret --dry-run=client -o yaml",
        target: Target::None,
    };
    vec![arena.time_above(&start, &|_| arena.start()), arena.time(&make)]
}

/// Measures secrets of the largest size, and long files, without a server, so that the plugin's own share is
/// seen.
pub(crate) fn large_secrets() -> Vec<Row> {
    let arena = Arena { sandbox: Sandbox::new(), runs: RUNS_OF_LARGE };
    let write = |name: &str, lines: usize, line: &dyn Fn(usize) -> String| {
        let lines: Vec<_> = (0..lines).map(line).collect();
        arena.sandbox.file(name, lines.join("\n"));
    };
    arena.sandbox.file("mebibyte", vec![b'x'; 1 << 20]);
    write("keys.env", 1000, &|n| format!("KEY_{n}=a value of some length, {n}"));
    write("long.env", 100_000, &|n| {
        if n % 100 == 0 {
            format!("KEY_{n}=a value of some length, {n}")
        } else {
            format!("# what is said about {n}")
        }
    });
    // 1,000,000 bytes of values, of the 1,048,576 that a secret may have.
    write("all-keys.env", 100_000, &|n| format!("KEY{n:05}=v{n:09}"));
    let mut rows = Vec::new();
    for (what, from) in [
        ("1 MiB in one value", "--from-file=mebibyte"),
        ("an env file of 1,000 keys", "--from-env-file=keys.env"),
        ("an env file of 100,000 lines with 1,000 keys", "--from-env-file=long.env"),
        ("an env file of 100,000 keys", "--from-env-file=all-keys.env"),
    ] {
        let ours = format!("create s {from} --dry-run=client -o yaml");
        let kubectls = format!("create secret generic s {from} --dry-run=client -o yaml");
        let pair = Pair { what, ours: &ours, kubectls: &kubectls, target: Target::Milliseconds(1000.0) };
        rows.push(arena.time(&Pair { what: &format!("{what}, `--dry-run=client -o yaml`"), ..pair }));
        rows.push(arena.memory(&Pair {
            what: "its memory, resident at its peak",
            target: Target::Megabytes(40.0),
            ..pair
        }));
    }
    rows
}
