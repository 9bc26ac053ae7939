//! Changes of a seed, as bytes and as text: lines, words, quotes.

use std::ops::Range;

/// The largest input, in bytes.
const LARGEST: usize = 256 << 10;

/// Pieces that mean something to some reader: marks of YAML, JSON, CSV, shells, PEM; invisible characters and
/// those that control a terminal; invalid UTF-8; numbers at the ends of their ranges.
const PIECES: &[&[u8]] = &[
    b"",
    b"\0",
    b"\t",
    b"\n",
    b"\r",
    b"\r\n",
    b"\n\n",
    b" ",
    b"  ",
    b"\x1b[31m",
    b"\x1b]52;c;eA==\x07",
    b"\x7f",
    b"\x08",
    "\u{85}".as_bytes(),
    "\u{9b}".as_bytes(),
    "\u{a0}".as_bytes(),
    "\u{202e}".as_bytes(),
    "\u{200b}".as_bytes(),
    "\u{2028}".as_bytes(),
    "\u{feff}".as_bytes(),
    "\u{fffe}".as_bytes(),
    "\u{ffff}".as_bytes(),
    "\u{10ffff}".as_bytes(),
    "\u{1f600}".as_bytes(),
    "é".as_bytes(),
    b"\xff",
    b"\xc0\x80",
    b"\xed\xa0\x80",
    b"\xff\xfe",
    b"\xfe\xff",
    b"\xe2\x80",
    b"0",
    b"-1",
    b"1",
    b"01",
    b"255",
    b"256",
    b"65535",
    b"65536",
    b"2147483648",
    b"4294967296",
    b"9223372036854775807",
    b"9223372036854775808",
    b"18446744073709551615",
    b"18446744073709551616",
    b"1e999",
    b"-0",
    b"0.1",
    b".5",
    b"1_000",
    b"0x1f",
    b"0o17",
    b".inf",
    b".nan",
    b"null",
    b"~",
    b"true",
    b"false",
    b"yes",
    b"{}",
    b"[]",
    b"\"\"",
    b"''",
    b"''''",
    b"{",
    b"}",
    b"[",
    b"]",
    b"(",
    b")",
    b"\"",
    b"'",
    b"`",
    b"\\",
    b"\\n",
    b"\\u0000",
    b"\\ud800",
    b"\\x",
    b"\\U00110000",
    b":",
    b": ",
    b"- ",
    b"-",
    b"? ",
    b"--- ",
    b"---\n",
    b"...\n",
    b"#",
    b" # ",
    b"&a ",
    b"*a",
    b"<<: *a\n",
    b"!!int ",
    b"!!binary ",
    b"! ",
    b"!x ",
    b"|",
    b"|2-\n",
    b">-\n",
    b"%YAML 1.1\n",
    b"%TAG ! x\n",
    b"@",
    b",",
    b",,",
    b"=",
    b"==",
    b"$",
    b"${A}",
    b"${A:-b}",
    b"$(A)",
    b"$A",
    b"%",
    b"%41",
    b"/",
    b"//",
    b"/../",
    b".",
    b"..",
    b"?",
    b"&",
    b";",
    b"<",
    b">",
    b"*",
    b"=\"",
    b"export ",
    b"-----BEGIN ",
    b"-----END ",
    b"-----\n",
    b"CERTIFICATE",
    b"PRIVATE KEY",
    b"AAAA",
    b"=\n",
    b"CA+NARY/",
];

/// Reproducible pseudo-random numbers (Steele and others, "Fast splittable pseudorandom number generators").
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64, target: &str) -> Self {
        let mixed = target.bytes().fold(seed, |mixed, byte| {
            (mixed ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3).rotate_left(23)
        });
        Self(mixed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Returns a number below `end`, which may be 0.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        let end = u64::try_from(end.max(1)).unwrap_or(u64::MAX);
        usize::try_from(self.next() % end).unwrap_or(0)
    }

    pub(crate) fn one_in(&mut self, number: usize) -> bool {
        self.below(number) == 0
    }

    pub(crate) fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }

    /// Returns a range within `length`, mostly a short one.
    fn range(&mut self, length: usize) -> Range<usize> {
        let start = self.below(length + 1);
        let rest = length - start;
        let most = if self.one_in(4) { rest } else { rest.min(16) };
        start..start + self.below(most + 1)
    }
}

/// Returns a seed with one to six changes.
pub(crate) fn mutated(seeds: &[Vec<u8>], words: &[&str], random: &mut Random) -> Vec<u8> {
    let mut input = random.pick(seeds).clone();
    for _ in 0..=random.below(6) {
        change(&mut input, seeds, words, random);
        input.truncate(LARGEST);
    }
    input
}

fn change(input: &mut Vec<u8>, seeds: &[Vec<u8>], words: &[&str], random: &mut Random) {
    match random.below(14) {
        0 => {
            let at = random.range(input.len());
            input.drain(at);
        }
        1 => {
            let at = random.range(input.len());
            let byte = u8::try_from(random.below(256)).unwrap_or(0);
            input[at.start..at.end.min(at.start + 1)].fill(byte);
        }
        2 | 3 => {
            let at = random.range(input.len()).start;
            put(input, at..at, &piece(words, random));
        }
        4 => {
            let at = random.range(input.len());
            put(input, at, &piece(words, random));
        }
        5 => {
            let (from, at) = (random.range(input.len()), random.range(input.len()).start);
            let copy = input[from].to_vec();
            put(input, at..at, &copy);
        }
        6 => input.truncate(random.below(input.len() + 1)),
        7 => {
            let other = random.pick(seeds).clone();
            let (at, from) = (random.range(input.len()), random.range(other.len()));
            put(input, at, &other[from]);
        }
        8 | 9 => {
            let word = token(input, random);
            put(input, word, &piece(words, random));
        }
        10 => {
            let other = random.pick(seeds).clone();
            let (word, from) = (token(input, random), token(&other, random));
            put(input, word, &other[from]);
        }
        11 | 12 => change_lines(input, random),
        _ => repeat(input, words, random),
    }
}

fn put(input: &mut Vec<u8>, at: Range<usize>, new: &[u8]) {
    input.splice(at, new.iter().copied());
}

fn piece(words: &[&str], random: &mut Random) -> Vec<u8> {
    if !words.is_empty() && random.one_in(2) {
        random.pick(words).as_bytes().to_vec()
    } else if random.one_in(60) {
        b"a".repeat(70_000)
    } else {
        random.pick(PIECES).to_vec()
    }
}

/// Finds a word, number or name.
fn token(input: &[u8], random: &mut Random) -> Range<usize> {
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'+' | b'/');
    let from = random.below(input.len() + 1);
    let start = input[from..].iter().position(is_part).map_or(input.len(), |skipped| from + skipped);
    let start = input[..start].iter().rposition(|byte| !is_part(byte)).map_or(0, |before| before + 1);
    let length = input[start..].iter().take_while(|byte| is_part(byte)).count();
    start..start + length
}

fn change_lines(input: &mut Vec<u8>, random: &mut Random) {
    let mut lines: Vec<Vec<u8>> = input.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
    if lines.is_empty() {
        return;
    }
    let (one, other) = (random.below(lines.len()), random.below(lines.len()));
    match random.below(6) {
        0 => lines.swap(one, other),
        1 => {
            lines.remove(one);
        }
        2 => lines.insert(other, lines[one].clone()),
        3 => lines[one].splice(..0, b"  ".iter().copied()).for_each(drop),
        4 => lines[one] = lines[one].strip_prefix(b"  ").unwrap_or(&lines[one]).to_vec(),
        _ => {
            let ends = if random.one_in(2) { &b"\r\n"[..] } else { b"\r" };
            let content = |line: &[u8]| line.strip_suffix(b"\n").unwrap_or(line).to_vec();
            lines = lines.iter().map(|line| [&content(line)[..], ends].concat()).collect();
        }
    }
    *input = lines.concat();
}

/// Repeats a part many times, so that it is deep, long or wide.
fn repeat(input: &mut Vec<u8>, words: &[&str], random: &mut Random) {
    let part =
        if random.one_in(2) { piece(words, random) } else { input[random.range(input.len())].to_vec() };
    let most = if random.one_in(20) { 40_000 } else { 300 };
    let times = random.below(most).min(LARGEST / part.len().max(1));
    let at = random.range(input.len()).start;
    put(input, at..at, &part.repeat(times));
}
