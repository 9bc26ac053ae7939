//! `create` of as much as a secret can hold: done in a moment, or refused in one.
//!
//! `cargo bench` has the limits for the program as it is shipped; here they leave room for a debug build, and are still far
//! below what any step of quadratic cost would take. They are of processor time, which no other work on the machine spends.

use std::ffi::OsStr;
use std::path::Path;

use support::sandbox::plugin;
use support::{Outcome, Sandbox};

const LINES: usize = 100_000;
/// Seconds on a processor. A debug build takes about a tenth of it.
const LIMIT: u32 = 20;

fn env_file(line: impl Fn(usize) -> String) -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.file("e.env", (0..LINES).map(line).collect::<String>());
    sandbox
}

fn create(sandbox: &Sandbox, flag: &str) -> Outcome {
    let limited = format!("ulimit -t {LIMIT}; exec \"$0\" \"$@\"");
    let source = format!("{flag}=e.env");
    let words = ["create", "s", &source, "--dry-run=client", "-ojson"].map(OsStr::new);
    let words = [OsStr::new("-c"), limited.as_ref(), plugin().as_os_str()].into_iter().chain(words);
    let outcome = sandbox.with_run().program(Path::new("/bin/sh"), words);
    assert_eq!(outcome.signal, None, "{flag}: more than {LIMIT} s on a processor");
    outcome
}

fn keys(outcome: Outcome) -> usize {
    outcome.success().json()["data"].as_object().unwrap().len()
}

#[test]
fn an_env_file_of_100_000_lines_is_read_in_a_moment() {
    let settings =
        env_file(|n| if n % 100 == 0 { format!("KEY_{n}=value {n}\n") } else { format!("# about {n}\n") });
    let all_keys = env_file(|n| format!("K{n}={n}\n"));
    for flag in ["--from-env-file", "--from-dotenv"] {
        assert_eq!(keys(create(&settings, flag)), LINES / 100, "{flag}");
        let created = create(&all_keys, flag);
        assert!(
            created.stderr.contains("Warning: the names and values of 100000 keys take about "),
            "{flag}"
        );
        assert_eq!(keys(created), LINES, "{flag}");
    }
}

#[test]
fn an_env_file_of_100_000_lines_that_is_too_much_is_refused_in_a_moment() {
    let too_much = env_file(|n| format!("KEY_{n}=a value of {n}\n"));
    let refused = create(&too_much, "--from-env-file").fails_with(2);
    assert!(
        refused.stderr.starts_with("error: data: Too long: must have at most 1048576 bytes"),
        "{refused}"
    );
    let twice = env_file(|n| format!("K{}=1\n", n % (LINES - 1)));
    let refused = create(&twice, "--from-env-file").fails_with(2);
    assert!(refused.stderr.starts_with("error: e.env, line 100000: cannot add this key"), "{refused}");
}
