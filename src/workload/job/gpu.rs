//! The GPUs of a new job, or the part of one.

use std::fmt;

use crate::error::{Error, Result};

/// The bytes that a unit of memory stands for.
const UNITS: [(&str, u128); 7] = [
    ("M", 1_000_000),
    ("G", 1_000_000_000),
    ("T", 1_000_000_000_000),
    ("Ki", 1 << 10),
    ("Mi", MIB),
    ("Gi", 1 << 30),
    ("Ti", 1 << 40),
];

const MIB: u128 = 1 << 20;

/// The GPUs that a pod gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Gpu {
    /// This number of whole GPUs.
    Whole(u32),
    /// A part of one, between 0 and 1, in decimals without trailing zeros: `0.5`.
    Fraction(String),
    /// The same part of each of several.
    Fractions { part: String, gpus: u32 },
    /// This many MiB of the memory of one.
    MemoryMib(u32),
}

impl fmt::Display for Gpu {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole(count) => write!(f, "{count}"),
            Self::Fraction(part) => write!(f, "{part}"),
            Self::Fractions { part, gpus } => write!(f, "{part} of each of {gpus}"),
            Self::MemoryMib(memory) => write!(f, "{memory} MiB of one"),
        }
    }
}

impl Gpu {
    /// Parses `--gpu`: a whole number, or a fraction between 0 and 1.
    ///
    /// # Errors
    /// It is neither.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        Self::number("--gpu", text)
    }

    fn number(flag: &str, text: &str) -> Result<Self> {
        let refuse = |why: &str| {
            Err(Error::usage(format!("{flag} {text:?} {why}")).hint("for example: --gpu 1, or --gpu 0.5"))
        };
        let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
        let digits = |part: &str| part.chars().all(|c| c.is_ascii_digit());
        if whole.is_empty() && decimals.is_empty() || !digits(whole) || !digits(decimals) {
            return refuse("is not a number of GPUs");
        }
        let decimals = decimals.trim_end_matches('0');
        match (whole.trim_start_matches('0'), decimals) {
            ("", "") => Ok(Self::Whole(0)),
            ("", decimals) => Ok(Self::Fraction(format!("0.{decimals}"))),
            (whole, "") => whole.parse().map(Self::Whole).or_else(|_| refuse("is too many GPUs")),
            _ => refuse("is neither a whole number of GPUs nor a part of one GPU"),
        }
    }

    /// Parses `--gpu-portion-request`: the part that the job gets of each of its GPUs.
    ///
    /// # Errors
    /// It is not a part, or the GPUs are not whole ones.
    pub(crate) fn parse_portion(text: &str, gpus: Option<&Self>) -> Result<Self> {
        const FLAG: &str = "--gpu-portion-request";
        let gpus = match gpus {
            None => 1,
            Some(Self::Whole(gpus)) if *gpus > 0 => *gpus,
            Some(_) => {
                return Err(Error::usage(format!("{FLAG} takes a part of whole GPUs: --gpu 1 or more")));
            }
        };
        match Self::number(FLAG, text)? {
            Self::Fraction(part) if gpus == 1 => Ok(Self::Fraction(part)),
            Self::Fraction(part) => Ok(Self::Fractions { part, gpus }),
            Self::Whole(1) => Ok(Self::Whole(gpus)),
            _ => Err(Error::usage(format!("{FLAG} {text:?} is not a part of a GPU"))
                .hint(format!("for example: {FLAG} 0.5"))),
        }
    }

    /// Parses the value of `flag`: a number of MiB, or an amount with a unit, rounded up to MiB.
    ///
    /// # Errors
    /// It is neither.
    pub(crate) fn parse_memory(flag: &str, text: &str) -> Result<Self> {
        mib(text).map(Self::MemoryMib).ok_or_else(|| {
            Error::usage(format!("{flag} {text:?} is not an amount of memory: MiB, or with a unit"))
                .hint(format!("for example: {flag} 2000, or {flag} 2G"))
        })
    }

    /// Returns the scheduler's annotations for a part of a GPU.
    pub(super) fn annotations(&self) -> Vec<(String, String)> {
        let entry = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        match self {
            Self::Whole(_) => Vec::new(),
            Self::Fraction(part) => vec![entry("gpu-fraction", part)],
            Self::Fractions { part, gpus } => {
                vec![entry("gpu-fraction", part), entry("gpu-fraction-num-devices", &gpus.to_string())]
            }
            Self::MemoryMib(mib) => vec![entry("gpu-memory", &mib.to_string())],
        }
    }
}

fn mib(text: &str) -> Option<u32> {
    let unit = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(unit);
    let mib = if unit.is_empty() {
        number.parse().ok()?
    } else {
        let (_, bytes) = UNITS.iter().find(|(name, _)| *name == unit)?;
        let (whole, decimals) = number.split_once('.').unwrap_or((number, ""));
        let scale = 10_u128.checked_pow(u32::try_from(decimals.len()).ok()?)?;
        let bytes = format!("{whole}{decimals}").parse::<u128>().ok()?.checked_mul(*bytes)?.div_ceil(scale);
        u32::try_from(bytes.div_ceil(MIB)).ok()?
    };
    Some(mib).filter(|mib| *mib > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(text: &str) -> Gpu {
        Gpu::Fraction(text.to_owned())
    }

    #[test]
    fn gpus_are_whole_or_a_part_of_one() {
        let whole = |number| Gpu::Whole(number);
        let cases = [
            ("0", whole(0)),
            ("1", whole(1)),
            ("08", whole(8)),
            ("2.0", whole(2)),
            ("0.5", part("0.5")),
            (".25", part("0.25")),
            ("0.50", part("0.5")),
            ("1.", whole(1)),
        ];
        for (text, gpu) in cases {
            assert_eq!(Gpu::parse(text).unwrap(), gpu, "{text}");
        }
        for text in ["", ".", "1.5", "-1", "+1", "a", "0,5", "1e3", "99999999999", "0.5.5", "NaN"] {
            assert!(Gpu::parse(text).is_err(), "{text}");
        }
        assert!(Gpu::parse("1.5").unwrap_err().to_string().contains("neither a whole number"));
    }

    #[test]
    fn a_portion_is_of_each_gpu() {
        let portion = |text: &str, gpus: Option<Gpu>| Gpu::parse_portion(text, gpus.as_ref());
        assert_eq!(portion("0.5", None).unwrap(), part("0.5"));
        assert_eq!(portion("0.5", Some(Gpu::Whole(1))).unwrap(), part("0.5"));
        let of_two = Gpu::Fractions { part: "0.5".to_owned(), gpus: 2 };
        assert_eq!(portion("0.5", Some(Gpu::Whole(2))).unwrap(), of_two);
        assert_eq!(portion("1", Some(Gpu::Whole(2))).unwrap(), Gpu::Whole(2));
        for (text, gpus) in
            [("2", None), ("0", None), ("x", None), ("0.5", Some(Gpu::Whole(0))), ("0.5", Some(part("0.5")))]
        {
            let refusal = portion(text, gpus).unwrap_err().to_string();
            assert!(refusal.starts_with("error: --gpu-portion-request "), "{refusal}");
        }
    }

    #[test]
    fn gpu_memory_is_a_number_of_mib_or_has_a_unit_and_is_rounded_up() {
        for (text, mib) in [
            ("2000", 2000),
            ("2G", 1908),
            ("500M", 477),
            ("1.5Gi", 1536),
            ("24Gi", 24576),
            ("512Mi", 512),
            ("1Ki", 1),
        ] {
            assert_eq!(Gpu::parse_memory("--gpu-memory", text).unwrap(), Gpu::MemoryMib(mib), "{text}");
        }
        for text in
            ["", "0", "0G", "+5", "1.5", "2g", "2GB", "G", "1.2.3G", "-1G", "99999999T", &"9".repeat(60)]
        {
            assert!(Gpu::parse_memory("--gpu-memory", text).is_err(), "{text}");
        }
    }
}
