//! Inputs that are small to send and large to read.

use std::time::Duration;

use super::watch::processor_time;

/// How many times as long the longer input is, and how many times as long it may take. Reading each part once
/// for each other part would take 256 times as long.
const LENGTH: usize = 16;
const TIME: u32 = 26;

/// Checks that the time of reading grows with the length and not with its square.
#[track_caller]
pub(crate) fn assert_linear(what: &str, text: impl Fn(usize) -> String, read: impl Fn(&str)) {
    const SHORT: usize = 400;
    let time = |length: usize| {
        let text = text(length);
        let took = || {
            let start = processor_time();
            read(&text);
            processor_time().saturating_sub(start)
        };
        took().min(took())
    };
    let (short, long) = (time(SHORT), time(SHORT * LENGTH));
    // A very short time can't be measured.
    let allowed = (short * TIME).max(Duration::from_millis(200));
    assert!(long < allowed, "{what}: {LENGTH} times as long took {long:?}, after {short:?}");
}

/// Returns YAML that refers to itself, is deep, or expands to far more than its size.
pub(crate) fn bombs() -> Vec<String> {
    let levels = |open: &str, item: fn(usize) -> String, close: &str| {
        let first = format!("a0: &a0 {open}x: y{close}\n");
        (1..12).fold(first, |text, level| {
            text + &format!("a{level}: &a{level} {open}{}{close}\n", item(level - 1))
        })
    };
    let list = |level: usize| vec![format!("*a{level}"); 10].join(", ");
    let map = |level: usize| (0..10).map(|key| format!("k{key}: *a{level}")).collect::<Vec<_>>().join(", ");
    let merge = |level: usize| format!("<<: [*a{level}, *a{level}, *a{level}], k{level}: *a{level}");
    vec![
        levels("[", list, "]"),
        levels("{", map, "}"),
        levels("{", merge, "}"),
        format!("a: &a {}\nb: [{}]\n", "x".repeat(200_000), "*a, ".repeat(50_000)),
        format!("a: &a {{{}}}\nb: [{}]\n", "k: &b [*a], ".repeat(3), "*a, ".repeat(100)),
        "a: &a [*a]\n".to_owned(),
        (1..20_000).fold("a0: &a0 x\n".to_owned(), |text, level| {
            text + &format!("a{level}: &a{level} [*a{}]\n", level - 1)
        }),
        "a: &a\n  <<: *a\n".to_owned(),
        format!("a: {}{}\n", "[".repeat(100_000), "]".repeat(100_000)),
        format!("a: {}\n", "{a: ".repeat(100_000)),
        (0..2_000).fold(String::new(), |text, depth| text + &" ".repeat(depth) + "a:\n"),
        format!("a:\n{}x\n", "- ".repeat(100_000)),
        format!("? {}x\n", "? ".repeat(100_000)),
        format!("a: {}1\n", "!!int ".repeat(50_000)),
        format!("a: \"{}\"\n", "\\n".repeat(200_000)),
        format!("%TAG ! {}\n---\na: !x y\n", "x".repeat(100_000)),
        format!("{}: x\n", "a".repeat(300_000)),
        format!("a: |{}\n  x\n", "\n".repeat(100_000)),
        "---\n".repeat(20_000),
        "- ".repeat(200) + "a: b\n",
        "\u{feff}".repeat(50_000),
    ]
}
