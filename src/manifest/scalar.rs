//! The value of a scalar for kubectl: YAML 1.1 as in the Go library behind `sigs.k8s.io/yaml`.
//!
//! `yes` and `on` are booleans, `0777` is 511 and `1_000` is 1000, but `2001-01-01` and `1:30` are texts.
//! kubectl was asked: `tests/conformance/yaml.json` has the cases.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Number, Value};

use super::node::Scalar;

/// Returns the value of a scalar.
///
/// # Errors
/// Its tag does not fit, or it is a number that JSON does not have. Says why.
pub(super) fn value(scalar: &Scalar<'_>) -> Result<Value, &'static str> {
    const MISFIT: &str = "a value does not fit its tag";
    let text = scalar.text.as_ref();
    match (scalar.tag.as_deref(), scalar.plain) {
        (None, true) => plain(text),
        (Some("binary"), _) => {
            let packed: String = text.split_whitespace().collect();
            let bytes = BASE64_STANDARD.decode(packed).map_err(|_| MISFIT)?;
            String::from_utf8(bytes).map(Value::from).map_err(|_| MISFIT)
        }
        (Some(tag @ ("null" | "bool" | "int" | "float")), _) => {
            let value = plain(text)?;
            let fits = match tag {
                "null" => value.is_null(),
                "bool" => value.is_boolean(),
                "int" => value.is_i64() || value.is_u64(),
                _ => value.is_number(),
            };
            fits.then_some(value).ok_or(MISFIT)
        }
        // In quotes, a text by its tag, or of a type that only its author knows.
        _ => Ok(Value::from(text)),
    }
}

fn plain(text: &str) -> Result<Value, &'static str> {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Ok(Value::Null),
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
            return Ok(Value::Bool(true));
        }
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            return Ok(Value::Bool(false));
        }
        ".nan" | ".NaN" | ".NAN" => return Err("a number that JSON does not have"),
        _ => {}
    }
    if matches!(text.trim_start_matches(['+', '-']), ".inf" | ".Inf" | ".INF") {
        return Err("a number that JSON does not have");
    }
    if !text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | '.')) {
        return Ok(Value::from(text));
    }
    let digits = text.replace('_', "");
    Ok(integer(&digits).or_else(|| float(&digits)).map_or_else(|| Value::from(text), Value::Number))
}

/// Parses Go's integers: a sign, a base, and digits; 64 bits.
fn integer(text: &str) -> Option<Number> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let lower = digits.to_ascii_lowercase();
    let (base, digits) = if let Some(rest) = lower.strip_prefix("0x") {
        (16, rest)
    } else if let Some(rest) = lower.strip_prefix("0b") {
        (2, rest)
    } else if let Some(rest) = lower.strip_prefix("0o") {
        (8, rest)
    } else if lower.len() > 1 && lower.starts_with('0') {
        (8, &lower[1..])
    } else {
        (10, lower.as_str())
    };
    if !digits.starts_with(|c: char| c.is_digit(base)) {
        return None;
    }
    let size = u64::from_str_radix(digits, base).ok()?;
    if negative { 0i64.checked_sub_unsigned(size).map(Number::from) } else { Some(Number::from(size)) }
}

/// Parses decimals, with or without an exponent. A whole one is an integer in JSON, as Go writes it.
fn float(text: &str) -> Option<Number> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned, None),
    };
    let (whole, decimals) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let all_digits = |part: &str| part.chars().all(|c| c.is_ascii_digit());
    let exponent = exponent.map(|exponent| exponent.strip_prefix(['+', '-']).unwrap_or(exponent));
    let is_float = !(whole.is_empty() && decimals.is_empty())
        && all_digits(whole)
        && all_digits(decimals)
        && exponent.is_none_or(|exponent| !exponent.is_empty() && all_digits(exponent));
    let number: f64 = if is_float { text.parse().ok()? } else { return None };
    whole_number(number).or_else(|| Number::from_f64(number))
}

fn whole_number(number: f64) -> Option<Number> {
    /// Above it some whole numbers are not floats, and their notation does not matter.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if number.fract() != 0.0 || number.abs() > EXACT {
        return None;
    }
    format!("{number:.0}").parse::<i64>().ok().map(Number::from)
}
