//! A row of the table: the measurement, beside its target.

use support::sandbox::kubectl;

use crate::arena::Pair;
use crate::{MEGABYTE, NO_KUBECTL};

pub(crate) struct Row {
    what: String,
    ours: String,
    pub(crate) kubectls: String,
    ratio: String,
    floor: String,
    target: String,
    met: &'static str,
}

impl Row {
    pub(crate) fn print(&self) {
        let Self { what, ours, kubectls, ratio, floor, target, met } = self;
        println!("| {what} | {ours} | {kubectls} | {ratio} | {floor} | {target} | {met} |");
    }

    /// Builds a row whose commands could not be run.
    pub(crate) fn not_run(what: &str, why: &str, target: Target) -> Self {
        Self {
            what: what.to_owned(),
            ours: why.to_owned(),
            kubectls: String::new(),
            ratio: String::new(),
            floor: String::new(),
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
    /// At most so many times the floor.
    Floor(f64),
    Megabytes(f64),
    Milliseconds(f64),
    Requests(usize),
}

impl Target {
    fn met_by(self, ours: f64, kubectls: Option<f64>, floor: Option<f64>) -> &'static str {
        let met = match self {
            Self::None => None,
            Self::Fraction(wanted) => kubectls.map(|kubectls| kubectls / ours >= wanted),
            Self::Floor(times) => floor.map(|floor| ours <= times * floor),
            Self::Megabytes(most) => Some(ours <= most * MEGABYTE),
            Self::Milliseconds(most) => Some(ours <= most),
            #[expect(clippy::cast_precision_loss, reason = "a handful of requests")]
            Self::Requests(most) => Some(ours <= most as f64),
        };
        met.map_or("–", |met| if met { "yes" } else { "**no**" })
    }
}

impl std::fmt::Display for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::None => f.write_str("–"),
            Self::Fraction(wanted) => write!(f, "1/{wanted}"),
            Self::Floor(times) => write!(f, "{times} × the floor"),
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

/// What was measured of a pair.
#[derive(Default)]
pub(crate) struct Samples {
    pub(crate) ours: Vec<f64>,
    pub(crate) kubectls: Vec<f64>,
    /// The time that the machine and the API server take for the same without any program, if that was measured.
    pub(crate) floor: Vec<f64>,
}

/// Builds the row of a pair, from its samples.
pub(crate) fn compared(pair: &Pair<'_>, samples: Samples, in_words: fn([f64; 3]) -> String) -> Row {
    let Samples { ours, kubectls, floor } = samples;
    let ours = quartiles(ours);
    let [kubectls, floor] =
        [kubectls, floor].map(|samples| (!samples.is_empty()).then(|| quartiles(samples)));
    let [median_of_kubectl, median_of_floor] =
        [kubectls, floor].map(|three| three.map(|[_, median, _]| median));
    Row {
        what: pair.what.to_owned(),
        ours: in_words(ours),
        kubectls: kubectls.map_or_else(|| without_kubectl().to_owned(), in_words),
        ratio: median_of_kubectl.map_or_else(String::new, |kubectls| ratio(ours[1], kubectls)),
        floor: floor.map_or_else(String::new, in_words),
        target: pair.target.to_string(),
        met: pair.target.met_by(ours[1], median_of_kubectl, median_of_floor),
    }
}

/// Says why there is no measurement of kubectl; nothing where it has no command like ours.
fn without_kubectl() -> &'static str {
    if kubectl().is_none() { NO_KUBECTL } else { "" }
}

pub(crate) fn megabytes(bytes: f64) -> String {
    format!("{:.1} MB", bytes / MEGABYTE)
}

pub(crate) fn counted(what: &str, count: usize, most: usize) -> Row {
    let target = Target::Requests(most);
    #[expect(clippy::cast_precision_loss, reason = "a handful of requests")]
    let met = target.met_by(count as f64, None, None);
    let ours = count.to_string();
    Row { ours, met, ..Row::not_run(what, "", target) }
}
