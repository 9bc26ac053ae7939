//! Limits for the size of answers: in bytes, and in the parts of a tree of JSON.

use http::Method;

use super::call::Call;
use super::place::Subject;

/// The most maps and lists in a tree. A map with one entry takes seven bytes of text and over six hundred of memory.
const PARTS: usize = 200_000;

/// A limit of what is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Limit {
    /// Etcd stores no object over 1.5 MiB; as JSON it may be longer.
    Object,
    /// A page has at most 500 objects, and a hundred secrets with their values.
    Page,
    /// What the server says of itself, such as the schemas of a group.
    Server,
    Refusal,
    /// All answers under way together.
    Together,
    /// The maps and lists of one object.
    Parts,
}

impl Limit {
    /// Returns the limit for the answer to a request.
    pub(super) fn of(call: &Call) -> Self {
        match &call.place.subject {
            Subject::Objects(objects) if call.method == Method::GET && objects.name.is_none() => Self::Page,
            Subject::Objects(_) => Self::Object,
            Subject::Version
            | Subject::Groups
            | Subject::Schemas
            | Subject::Group(_)
            | Subject::Resources { .. } => Self::Server,
        }
    }

    /// Returns the most bytes, unpacked, or the most parts.
    pub(super) const fn most(self) -> usize {
        match self {
            Self::Object => 3 << 20,
            Self::Page => 128 << 20,
            Self::Server => 16 << 20,
            Self::Refusal => 8 << 20,
            Self::Together => 512 << 20,
            Self::Parts => PARTS,
        }
    }

    pub(super) fn in_words(self) -> String {
        let what = match self {
            Self::Object => "one object",
            Self::Page => "one page of a list",
            Self::Server => "what a server says of itself",
            Self::Refusal => "a refusal",
            Self::Together => "all answers at once",
            Self::Parts => {
                return format!("over {PARTS} maps and lists, the most that is read of one object");
            }
        };
        format!("over {} MiB, the most that is read of {what}", self.most() >> 20)
    }
}

/// Checks that a text does not become a tree that takes hundreds of megabytes.
///
/// # Errors
/// It is too long, or has too many parts.
pub(super) fn check_tree(text: &[u8], limit: Limit) -> Result<(), Limit> {
    if text.len() > limit.most() {
        return Err(limit);
    }
    let parts = text.iter().filter(|byte| matches!(byte, b'{' | b'[')).count();
    if parts > PARTS { Err(Limit::Parts) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_tree_is_made_of_what_is_larger_than_any_object() {
        let list = |item: &str, times: usize| format!("[{}0]", item.repeat(times)).into_bytes();
        assert_eq!(check_tree(&list("0,", 1 << 20), Limit::Object), Ok(()));
        assert_eq!(check_tree(&list("0,", 2 << 20), Limit::Object), Err(Limit::Object));
        assert_eq!(check_tree(&list("[],", PARTS - 1), Limit::Object), Ok(()));
        assert_eq!(check_tree(&list("{},", PARTS), Limit::Object), Err(Limit::Parts));
    }
}
