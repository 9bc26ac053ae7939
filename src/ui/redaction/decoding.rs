//! Decodes what a text may be the encoding of. It is not known where in the text an encoding begins, so each
//! is tried at every place, on all of the text: what is not an encoding becomes noise, which resembles no
//! value.

/// The longest value in which logins are decoded, in bytes: a longer one is a file, not a login.
const LONGEST_LOGIN: usize = 16 << 10;

/// Returns letters and digits alone, in lower case: a text that was split, or written in capitals, still shares
/// these with the whole.
pub(super) fn squeezed(text: &[u8]) -> Vec<u8> {
    filtered(text, u8::is_ascii_alphanumeric).to_ascii_lowercase()
}

/// Returns what a text may stand for in base32 (RFC 4648), in small letters too.
pub(super) fn base32s(text: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    let letters = filtered(text, |byte| quintet(*byte).is_some());
    (0..8).map(move |from| of_digits(&letters, from, 5, quintet))
}

/// Returns what a text may stand for, escapes aside.
pub(super) fn decodings(text: &[u8]) -> Vec<Vec<u8>> {
    let base64 = filtered(text, |byte| sextet(*byte).is_some());
    // It may have been split by characters that base64 uses too.
    let letters = filtered(text, u8::is_ascii_alphanumeric);
    let hexadecimal = filtered(&without_marks(text), u8::is_ascii_hexdigit);
    let mut found = vec![of_numbers(text, 10), of_numbers(text, 8)];
    found.extend((0..4).flat_map(|from| [of_base64(&base64, from), of_base64(&letters, from)]));
    found.extend((0..2).map(|from| of_digits(&hexadecimal, from, 4, |digit| (digit as char).to_digit(16))));
    found.retain(|form| form.len() >= 4);
    found.sort_unstable();
    found.dedup();
    found
}

/// Returns texts that are encoded within a value: text with escapes, and logins in base64. A registry's login
/// has no other form.
pub(super) fn hidden_texts(value: &[u8]) -> Vec<Vec<u8>> {
    if value.len() > LONGEST_LOGIN {
        return Vec::new();
    }
    let words = value.split(|byte| sextet(*byte).is_none()).filter(|word| word.len() >= 8);
    let logins = words.filter_map(|word| {
        let login = of_base64(word, 0);
        let text = std::str::from_utf8(&login).ok().filter(|text| !text.contains(char::is_control))?;
        let (_, password) = text.split_once(':').filter(|_| !text.starts_with('{'))?;
        Some(password.as_bytes().to_vec())
    });
    let mut texts: Vec<Vec<u8>> = logins.collect();
    if value.contains(&b'\\') {
        texts.push(unescaped(value));
    }
    texts
}

fn filtered(text: &[u8], keep: impl Fn(&u8) -> bool) -> Vec<u8> {
    text.iter().copied().filter(keep).collect()
}

/// Without the `0x` before numbers.
fn without_marks(text: &[u8]) -> Vec<u8> {
    let is_mark = |at: usize| text.get(at) == Some(&b'0') && matches!(text.get(at + 1), Some(b'x' | b'X'));
    (0..text.len()).filter(|at| !is_mark(*at)).map(|at| text[at]).collect()
}

/// Base64 of either alphabet, from that character on.
fn of_base64(text: &[u8], from: usize) -> Vec<u8> {
    of_digits(text, from, 6, sextet)
}

fn sextet(byte: u8) -> Option<u32> {
    let place = |first: u8, offset: u32| Some(u32::from(byte - first) + offset);
    match byte {
        b'A'..=b'Z' => place(b'A', 0),
        b'a'..=b'z' => place(b'a', 26),
        b'0'..=b'9' => place(b'0', 52),
        b'+' | b'-' => Some(62),
        b'/' | b'_' => Some(63),
        _ => None,
    }
}

fn quintet(byte: u8) -> Option<u32> {
    match byte.to_ascii_uppercase() {
        letter @ b'A'..=b'Z' => Some(u32::from(letter - b'A')),
        digit @ b'2'..=b'7' => Some(u32::from(digit - b'2') + 26),
        _ => None,
    }
}

/// The bytes of digits that have so many bits each.
fn of_digits(digits: &[u8], from: usize, bits: u32, value: impl Fn(u8) -> Option<u32>) -> Vec<u8> {
    let (mut bytes, mut waiting, mut held) = (Vec::with_capacity(digits.len()), 0, 0);
    for digit in digits.iter().skip(from).filter_map(|digit| value(*digit)) {
        (waiting, held) = (waiting << bits | digit, held + bits);
        if held >= 8 {
            held -= 8;
            bytes.push((waiting >> held & 0xff) as u8);
            waiting &= (1 << held) - 1;
        }
    }
    bytes
}

/// A list of numbers, as Go prints bytes: `[104 117 110]`.
fn of_numbers(text: &[u8], radix: u32) -> Vec<u8> {
    let numbers =
        text.split(|byte| !byte.is_ascii_digit()).filter_map(|digits| std::str::from_utf8(digits).ok());
    numbers.filter_map(|digits| u8::from_str_radix(digits, radix).ok()).collect()
}

/// Without the escapes of JSON, Go, shells, URLs, mail and HTML.
pub(super) fn unescaped(mut text: &[u8]) -> Vec<u8> {
    let mut found = Vec::with_capacity(text.len());
    while let [first, rest @ ..] = text {
        text = escape(text, &mut found).unwrap_or_else(|| {
            found.push(*first);
            rest
        });
    }
    found
}

/// Reads an escape, and returns what follows it.
fn escape<'a>(text: &'a [u8], found: &mut Vec<u8>) -> Option<&'a [u8]> {
    match text {
        [b'%' | b'=', rest @ ..] | [b'\\', b'x' | b'X', rest @ ..] => {
            let (byte, rest) = number(rest, 2, 16)?;
            found.push(u8::try_from(byte).ok()?);
            Some(rest)
        }
        [b'\\', b'u', rest @ ..] => character(number(rest, 4, 16)?, found),
        [b'\\', b'U', rest @ ..] => character(number(rest, 8, 16)?, found),
        [b'\\', b'0'..=b'3', ..] => {
            let (byte, rest) = number(&text[1..], 3, 8)?;
            found.push(u8::try_from(byte).ok()?);
            Some(rest)
        }
        [b'\\', letter, rest @ ..] => {
            found.push(match letter {
                b'n' => b'\n',
                b't' => b'\t',
                b'r' => b'\r',
                other => *other,
            });
            Some(rest)
        }
        [b'&', rest @ ..] => {
            let (name, rest) = rest.split_at(rest.iter().take(10).position(|byte| *byte == b';')?);
            let char = match name {
                b"amp" => '&',
                b"lt" => '<',
                b"gt" => '>',
                b"quot" => '"',
                b"apos" => '\'',
                [b'#', b'x' | b'X', digits @ ..] => char::from_u32(number(digits, digits.len(), 16)?.0)?,
                [b'#', digits @ ..] => char::from_u32(number(digits, digits.len(), 10)?.0)?,
                _ => return None,
            };
            character((u32::from(char), &rest[1..]), found)
        }
        _ => None,
    }
}

fn character<'a>((code, rest): (u32, &'a [u8]), found: &mut Vec<u8>) -> Option<&'a [u8]> {
    found.extend(char::from_u32(code)?.encode_utf8(&mut [0; 4]).bytes());
    Some(rest)
}

/// A number of so many digits, and what follows it.
fn number(text: &[u8], digits: usize, radix: u32) -> Option<(u32, &[u8])> {
    let (number, rest) = text.split_at_checked(digits)?;
    Some((u32::from_str_radix(std::str::from_utf8(number).ok()?, radix).ok()?, rest))
}
