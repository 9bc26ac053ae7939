//! The workload of a command, as typed: `kind/name`.

use std::fmt;

use super::kind::Kind;
use super::name::check_object_name;
use crate::command_line::CommandLine;
use crate::error::{Error, Result};
use crate::secret::{is_subdomain, may_be_a_value, quoted};

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) kind: &'static Kind,
    pub(crate) name: String,
}

/// A workload as typed, with what a cluster must say of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum TypedTarget {
    Known(Target),
    /// The kind is not in the table; the cluster may have it.
    OfOtherKind {
        kind: String,
        name: String,
    },
    /// The kind was left out.
    OfAnyKind {
        name: String,
    },
}

impl TypedTarget {
    /// Parses `kind/name`, or a name alone.
    ///
    /// # Errors
    /// The name is illegal, no kind can have such a name, or the only word is that of a kind.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        match text.split_once('/') {
            Some((kind, name)) if Kind::named(kind).is_err() && is_subdomain(&kind.to_lowercase()) => {
                check_object_name("workload", name)?;
                Ok(Self::OfOtherKind { kind: kind.to_owned(), name: name.to_owned() })
            }
            None if Kind::named(text).is_err() && is_subdomain(text) => {
                Ok(Self::OfAnyKind { name: text.to_owned() })
            }
            _ => Target::parse(text).map(Self::Known),
        }
    }

    /// Returns the target, if no cluster must be asked for it.
    pub(crate) fn as_known(&self) -> Option<&Target> {
        match self {
            Self::Known(target) => Some(target),
            Self::OfOtherKind { .. } | Self::OfAnyKind { .. } => None,
        }
    }

    /// Returns the target where no cluster is asked.
    ///
    /// # Errors
    /// The kind is not in the table, or was left out.
    pub(crate) fn known(self) -> Result<Target> {
        match self {
            Self::Known(target) => Ok(target),
            Self::OfOtherKind { kind, name } => Target::parse(&format!("{kind}/{name}")),
            Self::OfAnyKind { name } => Target::parse(&name),
        }
    }
}

impl Target {
    /// Parses `kind/name`.
    ///
    /// # Errors
    /// The kind is unknown, or the kind or the name is missing.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        if let Some((kind, name)) = text.split_once('/') {
            return Self::new(kind, name);
        }
        if let Ok(kind) = Kind::named(text) {
            return Err(Error::usage(format!("{text:?} is a kind without a name"))
                .hint(format!("name the workload: {}/NAME", kind.word())));
        }
        let unclear = Error::usage(format!("which kind of workload is {}?", quoted(text)));
        let name = if may_be_a_value(text) { "NAME" } else { text };
        Err(unclear.hint(format!("put the kind in front: KIND/{name}, for example job/{name}")))
    }

    /// Returns true if the words for a secret and a target are swapped.
    pub(crate) fn are_swapped(secret: &str, target: &str) -> bool {
        check_object_name("secret", target).is_ok() && Self::parse(secret).is_ok()
    }

    /// Builds the error for swapped words. It repeats nothing else of the line, which may hold a value.
    pub(crate) fn swapped(right: &CommandLine) -> Error {
        Error::usage("the secret comes first, then the workload").hint(right)
    }

    fn new(kind: &str, name: &str) -> Result<Self> {
        let kind = Kind::named(kind)?;
        check_object_name(kind.singular, name)?;
        Ok(Self { kind, name: name.to_owned() })
    }
}

/// Prints `deployment.apps/web`, as kubectl does.
impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.kind.display_name(&self.name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_a_kind_and_a_name() {
        assert_eq!(Target::parse("deploy/web").unwrap().to_string(), "deployment.apps/web");
        assert_eq!(Target::parse("job.batch/train").unwrap().to_string(), "job.batch/train");
    }

    #[test]
    fn a_kind_that_is_not_known_and_a_name_alone_are_left_for_the_cluster() {
        let other = TypedTarget::OfOtherKind { kind: "Frobs.example.com".to_owned(), name: "f".to_owned() };
        assert_eq!(TypedTarget::parse("Frobs.example.com/f").unwrap(), other);
        assert_eq!(TypedTarget::parse("train").unwrap(), TypedTarget::OfAnyKind { name: "train".to_owned() });
        assert_eq!(TypedTarget::parse("job/x").unwrap(), TypedTarget::Known(Target::parse("job/x").unwrap()));
        for word in ["job", "/x", "frob/", "frob/a/b", "fr_ob/x", "Train", "job/Train", ""] {
            assert!(TypedTarget::parse(word).is_err(), "{word}");
        }
        for word in ["frob/x", "train"] {
            let known = TypedTarget::parse(word).and_then(TypedTarget::known);
            assert_eq!(known.unwrap_err().to_string(), Target::parse(word).unwrap_err().to_string());
        }
    }

    #[test]
    fn a_target_before_a_secret_is_seen_to_be_in_its_place() {
        assert!(Target::are_swapped("deploy/web", "hf"));
        for (secret, target) in
            [("hf", "deploy/web"), ("deploy/web", "job/x"), ("hf", "web"), ("no/web", "hf")]
        {
            assert!(!Target::are_swapped(secret, target), "{secret} {target}");
        }
    }

    #[test]
    fn an_incomplete_target_is_answered_with_what_is_missing() {
        let cases = [
            ("web", "KIND/web"),
            ("deployment", "deployment/NAME"),
            ("deployment/", "is not a legal name"),
            ("/web", "is not a kind"),
            ("job/Train", "is not a legal name"),
            ("job/a/b", "is not a legal name"),
        ];
        for (word, part) in cases {
            let error = Target::parse(word).unwrap_err().to_string();
            assert!(error.contains(part), "{word}: {error}");
        }
    }
}
