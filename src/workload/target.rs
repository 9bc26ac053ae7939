//! The workload of a command, as typed: `kind/name`.

use std::fmt;

use super::kind::Kind;
use super::name::check_object_name;
use crate::command_line::CommandLine;
use crate::error::{Error, Result};

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) kind: &'static Kind,
    pub(crate) name: String,
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
        Err(Error::usage(format!("{text:?} does not say which kind of workload it is"))
            .hint(format!("put the kind in front: KIND/{text}, for example job/{text}")))
    }

    /// Returns true if the words for a secret and a target are swapped.
    pub(crate) fn are_swapped(secret: &str, target: &str) -> bool {
        check_object_name("secret", target).is_ok() && Self::parse(secret).is_ok()
    }

    /// Builds the error for swapped words. It repeats nothing else of the line, which may hold a value.
    pub(crate) fn swapped(command: &'static str, secret: &str, target: &str) -> Error {
        Error::usage("the secret comes first, then the workload")
            .hint(CommandLine::plugin(command).arg(secret).arg(target).then("…"))
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
