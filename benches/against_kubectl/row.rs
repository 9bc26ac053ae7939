//! A row of the table: the measurement, beside its target.

use crate::arena::Pair;
use crate::{MEGABYTE, NO_KUBECTL};

pub(crate) struct Row {
    what: String,
    ours: String,
    pub(crate) kubectls: String,
    ratio: String,
    target: String,
    met: &'static str,
}

impl Row {
    pub(crate) fn print(&self) {
        let Self { what, ours, kubectls, ratio, target, met } = self;
        println!("| {what} | {ours} | {kubectls} | {ratio} | {target} | {met} |");
    }

    /// Builds a row whose commands could not be run.
    pub(crate) fn not_run(what: &str, why: &str, target: Target) -> Self {
        Self {
            what: what.to_owned(),
            ours: why.to_owned(),
            kubectls: String::new(),
            ratio: String::new(),
            target: target.to_string(),
            met: "–",
        }
    }
}

/// The target of a number.
#[derive(Clone, Copy)]
pub(crate) enum Target {
    /// It is only shown.
    None,
    /// At most kubectl's divided by this.
    Fraction(f64),
    /// The first fraction as the goal, and the second as the limit.
    Fractions(f64, f64),
    Megabytes(f64),
    Milliseconds(f64),
    Requests(usize),
}

impl Target {
    fn met_by(self, ours: f64, kubectls: Option<f64>) -> &'static str {
        let in_words = |met| if met { "yes" } else { "**no**" };
        let ratio = kubectls.map(|kubectls| kubectls / ours);
        match (self, ratio) {
            (Self::None, _) | (Self::Fraction(_) | Self::Fractions(..), None) => "–",
            (Self::Fractions(wanted, least), Some(ratio)) if ratio < wanted && ratio >= least => "the second",
            (Self::Fraction(wanted) | Self::Fractions(wanted, _), Some(ratio)) => in_words(ratio >= wanted),
            (Self::Megabytes(most), _) => in_words(ours <= most * MEGABYTE),
            (Self::Milliseconds(most), _) => in_words(ours <= most),
            #[expect(clippy::cast_precision_loss, reason = "a handful of requests")]
            (Self::Requests(most), _) => in_words(ours <= most as f64),
        }
    }
}

impl std::fmt::Display for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::None => f.write_str("–"),
            Self::Fraction(wanted) => write!(f, "1/{wanted}"),
            Self::Fractions(wanted, least) => write!(f, "1/{wanted}, at least 1/{least}"),
            Self::Megabytes(most) => write!(f, "{most} MB"),
            Self::Milliseconds(most) => write!(f, "{most} ms"),
            Self::Requests(most) => write!(f, "{most}"),
        }
    }
}

fn ratio(ours: f64, kubectls: f64) -> String {
    let ratio = kubectls / ours;
    if ratio < 10.0 { format!("1/{ratio:.1}") } else { format!("1/{ratio:.0}") }
}

/// Returns the first quartile, the median and the third quartile.
pub(crate) fn quartiles(mut samples: Vec<f64>) -> [f64; 3] {
    samples.sort_by(f64::total_cmp);
    [1, 2, 3].map(|quarter| samples[(samples.len() - 1) * quarter / 4])
}

/// Builds the row of a pair, from its samples.
pub(crate) fn compared(
    pair: &Pair<'_>,
    ours: Vec<f64>,
    kubectls: Vec<f64>,
    in_words: fn([f64; 3]) -> String,
) -> Row {
    let ours = quartiles(ours);
    let kubectls = (!kubectls.is_empty()).then(|| quartiles(kubectls));
    Row {
        what: pair.what.to_owned(),
        ours: in_words(ours),
        kubectls: kubectls.map_or_else(|| NO_KUBECTL.to_owned(), in_words),
        ratio: kubectls.map_or_else(String::new, |kubectls| ratio(ours[1], kubectls[1])),
        target: pair.target.to_string(),
        met: pair.target.met_by(ours[1], kubectls.map(|kubectls| kubectls[1])),
    }
}

pub(crate) fn megabytes(bytes: f64) -> String {
    format!("{:.1} MB", bytes / MEGABYTE)
}

pub(crate) fn counted(what: &str, count: usize, most: usize) -> Row {
    let target = Target::Requests(most);
    #[expect(clippy::cast_precision_loss, reason = "a handful of requests")]
    let met = target.met_by(count as f64, None);
    let ours = count.to_string();
    Row { ours, met, ..Row::not_run(what, "", target) }
}
