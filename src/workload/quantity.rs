//! Amounts of CPU and memory, in the API's grammar.

use crate::error::{Error, Result};

/// The units that may follow the number, besides an exponent such as `e3`.
const UNITS: [&str; 16] =
    ["", "n", "u", "m", "k", "M", "G", "T", "P", "E", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];

/// Checks the value of a flag: a number that is not negative, with or without a unit, such as `500m`, `0.5` or `2Gi`.
pub(crate) fn check_quantity(flag: &str, text: &str) -> Result<()> {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let is_number = number.contains(|c: char| c.is_ascii_digit()) && number.matches('.').count() <= 1;
    let exponent = unit.strip_prefix(['e', 'E']).and_then(|exponent| exponent.parse::<i32>().ok());
    if is_number && (UNITS.contains(&unit) || exponent.is_some()) {
        return Ok(());
    }
    Err(Error::usage(format!("{flag} {text:?} is not an amount"))
        .hint("for example: 500m, 2, 0.5, 512Mi, 16Gi"))
}

#[cfg(test)]
mod tests {
    use super::check_quantity;

    #[test]
    fn an_amount_is_a_number_and_a_unit_of_the_api() {
        for text in ["0", "1", "0.5", ".5", "1.", "500m", "16Gi", "1G", "1e3", "1E3", "1E", "2e-3"] {
            assert!(check_quantity("--cpu", text).is_ok(), "{text}");
        }
        for text in ["", ".", "Gi", "-1", "+1", "1.2.3", "1GB", "1gi", "1 Gi", "1e", "1ee3", "two"] {
            assert!(check_quantity("--cpu", text).is_err(), "{text}");
        }
    }
}
