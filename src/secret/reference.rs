//! Run:ai's references to a key of a secret in an environment variable: `VAR=SECRET:<secret>,<key>`.
//!
//! Version 1 of the `runai` CLI checks nothing: `SECRET:s` gives an empty key, `SECRET:s,k,x` drops the `x`,
//! and `secret:s,k` becomes the literal value. Each of these leaves a pod that cannot start, so each is an
//! error here, with the right form. The text after the `=` may be a password, so only the variable's name is
//! ever echoed.

use super::looks_like_a_token;
use super::name::{check_key, check_secret_name, env_name_faults, is_newer_env_name};
use crate::command_line::CommandLine;
use crate::error::{Error, Result};

const PREFIX: &str = "SECRET:";

/// A key of a secret in the workload's own namespace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SecretReference {
    pub(crate) secret: String,
    pub(crate) key: String,
}

/// One argument of `-e`. Without `Debug`, since a literal may be a password.
pub(crate) enum EnvEntry {
    /// `VAR=SECRET:<secret>,<key>`
    Reference { variable: String, reference: SecretReference },
    /// `VAR=value`, which may be empty and may contain `=`.
    Literal { variable: String, value: String },
}

impl SecretReference {
    fn parts(text: &str) -> Result<Self, &'static str> {
        let rest = text.strip_prefix(PREFIX).ok_or("it does not begin with SECRET:")?;
        let mut parts = rest.split(',');
        let (secret, key) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        match () {
            () if secret.is_empty() => Err("the secret's name is missing"),
            () if key.is_empty() && secret.contains([':', '/']) => {
                Err("a comma stands between the secret's name and the key, not ':' or '/'")
            }
            () if key.is_empty() => Err("the key is missing"),
            () if parts.next().is_some() => Err("there is more than one comma"),
            () if rest.contains(':') => Err("there is a second colon"),
            () if check_secret_name(secret).is_err() => {
                Err("the text before the comma is not the name of a secret")
            }
            () if check_key(key).is_err() => Err("the text after the comma is not a key of a secret"),
            () => Ok(Self { secret: secret.to_owned(), key: key.to_owned() }),
        }
    }
}

impl EnvEntry {
    /// Parses one argument of `-e`.
    ///
    /// # Errors
    /// It has no `=`, an illegal name, or is almost a reference. Never repeats the text after the `=`.
    pub(crate) fn parse(argument: &str) -> Result<Self> {
        let Some((variable, value)) = argument.split_once('=') else {
            return Err(Error::usage("-e, --environment takes VAR=value or VAR=SECRET:<secret>,<key>")
                .hint("the argument has no '='; it is not shown, since it may be a value")
                .hint(format!(
                    "a variable of your shell is not passed on; to make a secret of it: {}",
                    CommandLine::plugin("create").then("NAME --from-env VARIABLE")
                )));
        };
        // A literal may be part of a value that was split, so its name must be legal everywhere. A reference
        // may have a name that only newer servers accept.
        let is_newer = value.starts_with(PREFIX) && is_newer_env_name(variable);
        let faults = if is_newer { Vec::new() } else { env_name_faults(variable) };
        if !faults.is_empty() {
            return Err(Error::usage(format!(
                "the text before the first '=' is not a valid name: {}",
                faults.join(";")
            ))
            .hint("it is not shown, since it may be a value; write VAR=value or VAR=SECRET:<secret>,<key>"));
        }
        let variable = variable.to_owned();
        if value.starts_with(PREFIX) {
            let reference = SecretReference::parts(value).map_err(|fault| {
                let line = format!("{variable}: not a reference to a key of a secret: {fault}");
                Error::usage(line).hint(corrected(&variable, value).unwrap_or_else(|| right_form(&variable)))
            })?;
            return Ok(Self::Reference { variable, reference });
        }
        if looks_like_a_reference(value) {
            let line =
                format!("{variable}: this looks like a reference, and would be taken as a literal value");
            return Err(Error::usage(line).hint(right_form(&variable)));
        }
        Ok(Self::Literal { variable, value: value.to_owned() })
    }
}

/// The words with which people begin a reference, besides the right one.
const WORDS: [&str; 3] = ["secretkeyref", "secretref", "secret"];

/// Recognizes what may be meant as a reference: `<secret>,<key>`, with `/` or `:` for the comma, perhaps after
/// `SECRET=`. It may as well be a list of two, or an address: only the secret and its keys can tell.
pub(crate) fn meant_reference(value: &str) -> Option<SecretReference> {
    let text = value.trim();
    let of = |text: &str| {
        let (secret, key) = text.split_once([',', '/', ':'])?;
        SecretReference::parts(&format!("{PREFIX}{secret},{key}")).ok()
    };
    after_word(text, &['=', '/']).and_then(of).or_else(|| of(text))
}

/// Returns what follows one of those words and a mark.
fn after_word<'t>(text: &'t str, marks: &[char]) -> Option<&'t str> {
    WORDS.into_iter().find_map(|word| {
        let (start, rest) = text.split_at_checked(word.len())?;
        rest.strip_prefix(marks).filter(|_| start.eq_ignore_ascii_case(word))
    })
}

/// Recognizes `secret:s,k` and `secretKeyRef:s,k`, and the right word after a blank, a quotation mark or `$`.
fn looks_like_a_reference(value: &str) -> bool {
    let start = value.trim_start_matches(|c: char| c.is_whitespace() || ['"', '\'', '$'].contains(&c));
    after_word(start, &[':']).is_some()
}

/// Returns the hint with the reference that was meant; none if that can't be told.
fn corrected(variable: &str, value: &str) -> Option<String> {
    let (secret, key) = value.strip_prefix(PREFIX)?.split_once([':', '/'])?;
    let SecretReference { secret, key } = SecretReference::parts(&format!("{PREFIX}{secret},{key}")).ok()?;
    let may_be_shown = ![&secret, &key].into_iter().any(|word| looks_like_a_token(word));
    may_be_shown.then(|| format!("write {variable}={PREFIX}{secret},{key}"))
}

fn right_form(variable: &str) -> String {
    format!("write {variable}=SECRET:<secret>,<key>, in capitals, with one comma and no spaces")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn refusal(argument: &str) -> String {
        EnvEntry::parse(argument).err().unwrap_or_else(|| panic!("{argument} is accepted")).to_string()
    }

    #[test]
    fn a_reference_names_a_secret_and_a_key() {
        let EnvEntry::Reference { variable, reference } =
            EnvEntry::parse("HF_TOKEN=SECRET:hf,token").ok().unwrap()
        else {
            panic!("is a reference");
        };
        assert_eq!(
            (variable.as_str(), reference.secret.as_str(), reference.key.as_str()),
            ("HF_TOKEN", "hf", "token")
        );
        assert_eq!((reference.secret.as_str(), reference.key.as_str()), ("hf", "token"));
    }

    #[test]
    fn a_literal_keeps_all_that_follows_the_first_equals_sign() {
        for (argument, expected) in
            [("A=B=C", "B=C"), ("A=", ""), ("A=http://h:80", "http://h:80"), ("A=SECRET", "SECRET")]
        {
            match EnvEntry::parse(argument).ok().unwrap() {
                EnvEntry::Literal { variable, value } => {
                    assert_eq!((variable.as_str(), value.as_str()), ("A", expected));
                }
                EnvEntry::Reference { .. } => panic!("{argument} is a literal"),
            }
        }
    }

    #[test]
    fn what_the_runai_cli_takes_wrongly_in_silence_is_an_error_with_the_right_form() {
        for (argument, fault) in [
            ("A=SECRET:s", "the key is missing"),
            ("A=SECRET:s,", "the key is missing"),
            ("A=SECRET:,k", "the secret's name is missing"),
            ("A=SECRET:", "the secret's name is missing"),
            ("A=SECRET:s,k,x", "more than one comma"),
            ("A=SECRET:s,k,", "more than one comma"),
            ("A=SECRET:s:t,k", "a second colon"),
            ("A=SECRET:My_S,k", "not the name of a secret"),
            ("A=SECRET: s,k", "not the name of a secret"),
            ("A=SECRET:s, k", "not a key of a secret"),
            ("A=secret:s,k", "looks like a reference"),
            ("A=Secret:s,k", "looks like a reference"),
            ("A=$SECRET:s,k", "looks like a reference"),
            ("A=secretKeyRef:s,k", "looks like a reference"),
            ("A= SECRET:s,k", "looks like a reference"),
            ("A=\"SECRET:s,k\"", "looks like a reference"),
        ] {
            let text = refusal(argument);
            assert!(text.starts_with("error: A: ") && text.contains(fault), "{argument}: {text}");
            assert!(text.contains("hint: write A=SECRET:<secret>,<key>"), "{argument}: {text}");
        }
        assert!(refusal("A").contains("VAR=value or VAR=SECRET:<secret>,<key>"));
    }

    #[test]
    fn what_may_be_meant_as_a_reference_is_read_whatever_stands_between_and_before() {
        for value in ["hf,K", "hf/K", "hf:K", " hf,K", "SECRET=hf,K", "secretKeyRef=hf,K", "secret/hf/K"] {
            let meant = meant_reference(value).map(|one| (one.secret, one.key));
            assert_eq!(meant, Some(("hf".to_owned(), "K".to_owned())), "{value}");
        }
        for value in ["", "hf", "a,b,c", "https://x/y", "Hunter 2,k", "s/", ",k", "/data/x"] {
            assert!(meant_reference(value).is_none(), "{value}");
        }
        assert!(refusal("A=SECRET:hf:K").contains("a comma stands between the secret's name and the key"));
        assert!(refusal("A=SECRET:hf/K").contains("a comma stands between the secret's name and the key"));
    }

    #[test]
    fn an_error_shows_no_more_than_a_legal_variable() {
        for argument in [
            "CANARY",
            "1CANARY=x",
            "CANARY CANARY=x",
            "=CANARY",
            "A=SECRET:CANARY",
            "A=secret:CANARY",
            "A=SECRET:CANARY,x,y",
            "A=SECRET:s,CANARY!",
        ] {
            let text = refusal(argument);
            assert!(!text.contains("CANARY"), "{argument}: {text}");
        }
    }

    proptest! {
        #[test]
        fn any_argument_is_parsed_without_a_panic(argument in any::<String>()) {
            if let Ok(EnvEntry::Reference { variable, .. } | EnvEntry::Literal { variable, .. }) =
                EnvEntry::parse(&argument)
            {
                prop_assert!(argument.starts_with(&variable));
            }
        }

        #[test]
        fn a_reference_is_read_as_it_is_written(secret in "[a-z0-9]{1,20}", key in "[-_a-zA-Z0-9]{1,20}") {
            match EnvEntry::parse(&format!("A=SECRET:{secret},{key}")).ok() {
                Some(EnvEntry::Reference { reference, .. }) => {
                    prop_assert_eq!(reference, SecretReference { secret, key });
                }
                _ => prop_assert!(false, "not read as a reference"),
            }
        }
    }
}
