//! The workload a command is about, as a person types it: `kind/name` or `KIND NAME`.

use std::fmt;

use super::kind::Kind;
use super::name::check_object_name;
use crate::error::{Error, Result};

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) kind: &'static Kind,
    pub(crate) name: String,
}

impl Target {
    /// A target from one word, `kind/name`, or two, `KIND NAME`. A usage error that says what is missing
    /// otherwise.
    pub(crate) fn from_words<S: AsRef<str>>(words: &[S]) -> Result<Self> {
        match words {
            [word] => Self::parse(word.as_ref()),
            [kind, name] if !name.as_ref().contains('/') && !kind.as_ref().contains('/') => {
                Self::new(kind.as_ref(), name.as_ref())
            }
            _ => Err(Error::usage("a target is one workload, KIND/NAME")
                .hint("for example: deployment/web, or: deployment web")),
        }
    }

    /// A target from `kind/name`.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        if let Some((kind, name)) = text.split_once('/') {
            return Self::new(kind, name);
        }
        if let Ok(kind) = Kind::named(text) {
            return Err(Error::usage(format!("{text:?} is a kind without a name"))
                .hint(format!("name the workload: {}/NAME", kind.singular)));
        }
        Err(Error::usage(format!("{text:?} does not say which kind of workload it is"))
            .hint(format!("put the kind in front: KIND/{text}, for example job/{text}")))
    }

    fn new(kind: &str, name: &str) -> Result<Self> {
        let kind = Kind::named(kind)?;
        check_object_name(kind.singular, name)?;
        Ok(Self { kind, name: name.to_owned() })
    }
}

/// `deployment.apps/web`, as kubectl prints it.
impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.kind.display_name(&self.name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_one_word_with_a_slash_or_two_without() {
        assert_eq!(Target::parse("deploy/web").unwrap().to_string(), "deployment.apps/web");
        assert_eq!(Target::from_words(&["Job", "train"]).unwrap().to_string(), "job.batch/train");
        assert_eq!(Target::from_words(&["job.batch/train"]).unwrap().to_string(), "job.batch/train");
    }

    #[test]
    fn an_incomplete_target_is_answered_with_what_is_missing() {
        let cases = [
            (vec!["web"], "KIND/web"),
            (vec!["deployment"], "deployment/NAME"),
            (vec!["deployment/"], "is not a legal name"),
            (vec!["/web"], "is not a kind"),
            (vec!["job/Train"], "is not a legal name"),
            (vec!["job/a/b"], "is not a legal name"),
            (vec!["job/a", "job/b"], "one workload"),
            (vec![], "one workload"),
        ];
        for (words, part) in cases {
            let error = Target::from_words(&words).unwrap_err().to_string();
            assert!(error.contains(part), "{words:?}: {error}");
        }
    }
}
