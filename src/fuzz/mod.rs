//! The engine of the fuzz targets, which stand beside the code that they try: `secret/fuzz.rs`,
//! `manifest/fuzz.rs` and so on.
//!
//! A target has seeds, which are good inputs, and returns the outcome of an input. The engine changes seeds
//! and feeds them: a panic, more than five seconds of processor time or a peak of 300 MB more fails the test,
//! and prints the input. An input with a new outcome joins the seeds. The same number of cases and the same
//! seed of randomness give the same inputs.
//!
//! `cargo test` feeds some hundreds to each target. To try more, or the same input again:
//!
//! ```text
//! FUZZ_CASES=200000 FUZZ_SEED=7 cargo test --profile fuzz --bin kubectl-runai-secret fuzz -- --nocapture
//! FUZZ_CASES=60000 FUZZ_VERB=sync cargo test --profile fuzz --bin kubectl-runai-secret fuzz::commands -- --nocapture
//! FUZZ_INPUT='YTogMQ==' cargo test --bin kubectl-runai-secret fuzz::dotenv_files
//! ```
//!
//! A finding becomes a test beside the code, with the input in it.

mod commands;
mod growth;
mod mutation;
mod server;
mod tree;
mod watch;
mod world;

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

pub(crate) use self::growth::assert_linear;
use self::growth::bombs;
pub(crate) use self::mutation::{Random, mutated};
pub(crate) use self::server::{Bend, Server};
pub(crate) use self::tree::mutated_tree;
use self::watch::{Measure, Watched};
pub(crate) use self::world::{pod_spec, world};

/// The default number of inputs for a target: a fraction of a second in all.
const CASES: u64 = 300;
const SEED: u64 = 1;

/// The processor time that one input may take.
const LONGEST: Duration = Duration::from_secs(5);

/// The limit in bytes by which one input may raise the peak of the memory.
const LARGEST: u64 = 300 << 20;

/// The stack of a program's first thread on Linux, in bytes; a test's is smaller.
const STACK: usize = 8 << 20;

/// The most seeds, with those that were found.
const POOL: usize = 2000;

/// The placeholder for a value of a secret in seeds: no message may hold it. Its characters occur in no name.
pub(crate) const CANARY: &str = "CA+NARY/";

/// Feeds changed seeds to a target, which returns the outcome of each in words.
///
/// `words` are pieces that mean something to the target.
#[track_caller]
pub(crate) fn feed<S: AsRef<[u8]>>(
    target: &str,
    seeds: &[S],
    words: &[&str],
    outcome: impl Fn(&[u8]) -> String,
) {
    let mut run = Run::new(target);
    if let Some(input) = input_by_hand() {
        run.case(&input, &outcome);
        return;
    }
    let mut pool: Vec<Vec<u8>> = seeds.iter().map(|seed| seed.as_ref().to_vec()).collect();
    let mut seen = HashSet::new();
    for seed in pool.clone() {
        seen.insert(novelty(&run.case(&seed, &outcome)));
    }
    let mut random = Random::new(run.seed, target);
    for _ in 0..run.cases {
        let input = mutated(&pool, words, &mut random);
        let is_new = seen.insert(novelty(&run.case(&input, &outcome)));
        if is_new && pool.len() < POOL && input.len() < 16 << 10 {
            pool.push(input);
        }
    }
    run.report();
}

/// Feeds a target that makes its inputs itself; `outcome` gets the randomness of one case. A target whose
/// cases are `cost` times as slow gets fewer of them.
#[track_caller]
pub(crate) fn feed_random(target: &str, cost: u64, outcome: impl Fn(&mut Random) -> String) {
    let mut run = Run::new(target);
    let cases = run.cases / cost;
    let by_hand = input_by_hand().map(|input| String::from_utf8_lossy(&input).parse().unwrap_or(0));
    let cases = by_hand.map_or(0..cases, |index: u64| index..index + 1);
    for index in cases {
        let seed = run.seed;
        run.case(index.to_string().as_bytes(), &|_: &[u8]| {
            outcome(&mut Random::new(seed.wrapping_add(index), target))
        });
    }
    run.report();
}

fn number(variable: &str) -> Option<u64> {
    let number = std::env::var(variable).ok()?;
    Some(number.parse().unwrap_or_else(|_| panic!("{variable} is a number")))
}

fn input_by_hand() -> Option<Vec<u8>> {
    let input = std::env::var("FUZZ_INPUT").ok()?;
    Some(BASE64_STANDARD.decode(input).expect("FUZZ_INPUT is base64"))
}

/// Feeds a target the bombs, on a stack as large as the program's. They need memory up to the limit, so they
/// are fed in a process of their own: what other tests take beside them would count too.
pub(crate) fn feed_bombs(target: &str, outcome: impl Fn(&[u8]) -> String + Send) {
    const ALONE: &str = "FUZZ_BOMBS_ALONE";
    // The harness calls a test's thread after it; without threads, no test runs beside this one.
    let test = std::thread::current().name().unwrap_or("main").to_owned();
    if test != "main" && std::env::var_os(ALONE).is_none() {
        let this = std::env::current_exe().expect("this program has a path");
        let words = [test.as_str(), "--exact", "--nocapture", "--test-threads=1"];
        let status = std::process::Command::new(this).args(words).env(ALONE, "1").status();
        return assert!(status.expect("it starts").success(), "{target}");
    }
    let all = move || {
        let mut run = Run::new(target);
        for bomb in bombs() {
            run.case(bomb.as_bytes(), &outcome);
        }
        run.report();
    };
    std::thread::scope(|scope| {
        std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, all).expect("a thread");
    });
}

/// One target's run.
pub(crate) struct Run<'a> {
    target: &'a str,
    cases: u64,
    seed: u64,
    done: u64,
    longest: Duration,
}

impl<'a> Run<'a> {
    pub(crate) fn new(target: &'a str) -> Self {
        Self {
            target,
            cases: number("FUZZ_CASES").unwrap_or(CASES),
            seed: number("FUZZ_SEED").unwrap_or(SEED),
            done: 0,
            longest: Duration::ZERO,
        }
    }

    pub(crate) fn cases(&self) -> u64 {
        self.cases
    }

    /// Tries a named case, with the randomness of that name.
    #[track_caller]
    pub(crate) fn case_of_name(&mut self, name: &str, outcome: impl Fn(Random) -> String) {
        if input_by_hand().is_none_or(|input| input == name.as_bytes()) {
            let seed = self.seed;
            self.case(name.as_bytes(), &|_: &[u8]| outcome(Random::new(seed, name)));
        }
    }

    /// Tries one input within its limits.
    #[track_caller]
    pub(crate) fn case(&mut self, input: &[u8], outcome: &impl Fn(&[u8]) -> String) -> String {
        let _watched = Watched::begin(self.target, input);
        let measure = Measure::begin();
        let result = catch_unwind(AssertUnwindSafe(|| outcome(input)));
        let (took, grew) = measure.end();
        self.done += 1;
        self.longest = self.longest.max(took);
        let wrong = match &result {
            Err(_) => Some("it panicked".to_owned()),
            Ok(_) if took > LONGEST => Some(format!("it took {took:?}")),
            Ok(_) if grew > LARGEST => Some(format!("it took {} MiB", grew >> 20)),
            Ok(_) => None,
        };
        if let Some(wrong) = wrong {
            let (target, case, seed) = (self.target, self.done, self.seed);
            let input = BASE64_STANDARD.encode(input);
            panic!("{target}, case {case}, seed {seed}: {wrong}; FUZZ_INPUT='{input}'");
        }
        result.unwrap_or_default()
    }

    /// Prints what was done, for a run by hand.
    pub(crate) fn report(&self) {
        let Self { target, done, seed, longest, .. } = self;
        println!(
            "fuzz {target}: {done} cases, seed {seed}, longest {longest:?}, peak {} MiB",
            watch::peak() >> 20
        );
    }
}

/// Returns the outcome without its numbers and quoted parts, which come from the input.
fn novelty(outcome: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    let mut quoted = false;
    for c in outcome.chars() {
        quoted ^= c == '"';
        if !quoted && !c.is_ascii_digit() {
            c.hash(&mut hasher);
        }
    }
    hasher.finish()
}
