//! A template as it was read.

/// A part of a template.
#[derive(PartialEq)]
pub(crate) enum Item {
    Text(String),
    Path(Vec<Step>),
    /// `{range PATH}…{end}`: once for each that the path finds.
    Range(Vec<Step>, Vec<Item>),
}

/// A step of a path: from what was found so far to what it leads to.
#[derive(PartialEq)]
pub(crate) enum Step {
    Literal(Literal),
    /// `.name`
    Field(String),
    /// `['a.b']`: the field of that name, or else the way that kubectl takes it for.
    Quoted {
        whole: String,
        parts: Vec<String>,
    },
    /// `.*` and `[*]`
    Every,
    /// `..`
    Descend,
    /// `[2]`, from the end if it is negative.
    Index(i64),
    /// `[start:end:step]`
    Slice {
        start: Option<i64>,
        end: Option<i64>,
        step: usize,
    },
    /// `[0,2]`, `['a','b']`
    Union(Vec<Step>),
    /// `[?(…)]`
    Filter {
        left: Vec<Step>,
        /// The operator and the other side; none if it is enough that something is there.
        comparison: Option<(Operator, Vec<Step>)>,
    },
}

#[derive(PartialEq)]
pub(crate) enum Literal {
    Null,
    Bool(bool),
    /// As it was written, and its size.
    Number(String, f64),
    Text(String),
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Operator {
    /// The operators, the longer of two with the same start first.
    pub(super) const ALL: [(&'static str, Self); 6] = [
        ("==", Self::Equal),
        ("!=", Self::NotEqual),
        ("<=", Self::LessOrEqual),
        (">=", Self::GreaterOrEqual),
        ("<", Self::Less),
        (">", Self::Greater),
    ];
}

/// Returns how much there is to do in a template for one object.
pub(super) fn size(items: &[Item]) -> usize {
    let of = |item: &Item| match item {
        Item::Text(_) => 1,
        Item::Path(steps) => 1 + of_steps(steps),
        Item::Range(steps, body) => 1 + of_steps(steps) + size(body),
    };
    items.iter().map(of).sum()
}

pub(super) fn of_steps(steps: &[Step]) -> usize {
    let of = |step: &Step| match step {
        Step::Union(steps) => 1 + of_steps(steps),
        Step::Filter { left, comparison } => {
            1 + of_steps(left) + comparison.as_ref().map_or(0, |(_, right)| of_steps(right))
        }
        _ => 1,
    };
    steps.iter().map(of).sum()
}
