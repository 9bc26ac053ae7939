//! Kubernetes' rules for names, keys and labels, in the API server's own words.
//!
//! They are checked before anything is sent, since the server would report some of them late or not at all: a
//! wrong namespace as "not found", a wrong key only after every file was read. Where a text might be a value
//! in the wrong place, callers use the reasons alone (`key_faults`, `env_name_faults`) and do not echo it.

use std::borrow::Cow;

use super::looks_like_a_token;
use super::unseen::has_unseen;
use crate::command_line::CommandLine;
use crate::error::{Error, Result};

const SUBDOMAIN: &str = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or \
    '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is \
    '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const LABEL: &str = "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must \
    start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is \
    '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
const KEY: &str = "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or \
    'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')";
const ENV_NAME: &str = "a valid environment variable name must consist of alphabetic characters, digits, '_', '-', or \
    '.', and must not start with a digit (e.g. 'my.env-name',  or 'MY_ENV.NAME',  or 'MyEnvName1', regex used for \
    validation is '[-._a-zA-Z][-._a-zA-Z0-9]*')";
const QUALIFIED_NAME: &str = "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an \
    alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is \
    '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
const LABEL_VALUE: &str = "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or \
    '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for \
    validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";

const NOT_SHOWN: &str = "(not shown: it may be a secret value)";

const SUBDOMAIN_LENGTH: usize = 253;
const LABEL_LENGTH: usize = 63;

/// Returns the name with a suffix after a dash, shortened if it would be too long for a Secret.
pub(crate) fn with_suffix(name: &str, suffix: &str) -> String {
    let room = SUBDOMAIN_LENGTH.saturating_sub(suffix.len() + 1);
    let start: String = name.chars().take(room).collect();
    format!("{}-{suffix}", start.trim_end_matches(['-', '.']))
}

/// Checks the name of a Secret: an RFC 1123 subdomain of at most 253 characters.
///
/// # Errors
/// The name is empty or illegal. The hint is a legal name near it.
pub(crate) fn check_secret_name(name: &str) -> Result<()> {
    if name.is_empty() {
        return Err(
            Error::usage("name must be specified").hint("give the new secret a name, such as my-secret")
        );
    }
    let faults = subdomain_faults(name);
    if faults.is_empty() {
        return Ok(());
    }
    if may_be_a_value(name) {
        let key = key_of_pair(name).filter(|key| !looks_like_a_token(key)).unwrap_or("KEY");
        let what = format!(
            "a value stands where a secret's name is expected {NOT_SHOWN}; a secret can't have such a name: {}",
            faults.join("; ")
        );
        return Err(Error::usage(what).hint(format!(
            "a value does not go on the command line, where others can see it; to be asked for it: {}",
            CommandLine::plugin("set").then("NAME").arg(key)
        )));
    }
    let causes: Vec<_> =
        faults.iter().map(|fault| format!("metadata.name: Invalid value: {name:?}: {fault}")).collect();
    let causes = if causes.len() == 1 { causes.concat() } else { format!("[{}]", causes.join(", ")) };
    let error = Error::in_kubectls_words(format!("The Secret {name:?} is invalid: {causes}"));
    let pair = name.split_once('/').filter(|(secret, key)| is_subdomain(secret) && is_key(key));
    Err(match lower_case_name(name) {
        _ if let Some((secret, key)) = pair => {
            error.hint(format!("a key is a word of its own: {secret} {key}"))
        }
        Some(legal) => error.hint(format!("a legal name near it: {legal}")),
        None => error,
    })
}

/// Returns a name as an error quotes it, or says that it is not shown: a value may stand in its place.
pub(crate) fn quoted(name: &str) -> Cow<'_, str> {
    if may_be_a_value(name) { NOT_SHOWN.into() } else { format!("{name:?}").into() }
}

/// Recognizes `KEY=VALUE` and tokens where a name is expected.
pub(crate) fn may_be_a_value(name: &str) -> bool {
    name.contains('=') || looks_like_a_token(name)
}

/// Checks the name of a namespace: an RFC 1123 label of at most 63 characters.
pub(crate) fn check_namespace(namespace: &str) -> Result<()> {
    refuse(&label_faults(namespace), || format!("metadata.namespace: Invalid value: {}: ", quoted(namespace)))
}

/// Checks a key of a secret. The error echoes it, so use it only for keys that are surely not a value, such
/// as those made of file names.
pub(crate) fn check_key(key: &str) -> Result<()> {
    refuse(&key_faults(key), || format!("{key:?} is not valid key name for a Secret "))
}

/// Checks the key of a label, with or without a domain before it.
pub(crate) fn check_label_key(key: &str) -> Result<()> {
    refuse(&qualified_name_faults(key), || format!("metadata.labels: Invalid value: {key:?}: "))
}

/// Checks the key of an annotation: by the rule for labels, in any case of letters.
pub(crate) fn check_annotation_key(key: &str) -> Result<()> {
    refuse(&qualified_name_faults(&key.to_lowercase()), || {
        format!("metadata.annotations: Invalid value: {key:?}: ")
    })
}

/// Checks the value of a label. Labels are public, so the error echoes it.
pub(crate) fn check_label_value(value: &str) -> Result<()> {
    refuse(&label_value_faults(value), || format!("metadata.labels: Invalid value: {value:?}: "))
}

/// Returns the faults of a key of a secret, without the key itself; none if it is legal.
pub(super) fn key_faults(key: &str) -> Vec<Cow<'static, str>> {
    let mut faults = unseen_fault(key);
    if key.len() > SUBDOMAIN_LENGTH {
        faults.push(too_long(SUBDOMAIN_LENGTH));
    }
    if key.is_empty() || !key.bytes().all(is_key_byte) {
        faults.push(KEY.into());
    }
    faults.extend(dot_fault(key));
    faults
}

/// Returns the faults of a variable's name, without the name itself; none if it is legal.
pub(super) fn env_name_faults(name: &str) -> Vec<Cow<'static, str>> {
    let mut faults = unseen_fault(name);
    let digit_first = name.starts_with(|first: char| first.is_ascii_digit());
    if name.is_empty() || digit_first || !name.bytes().all(is_key_byte) {
        faults.push(ENV_NAME.into());
    }
    faults.extend(dot_fault(name));
    faults
}

/// Says what nobody sees, since the rule of names does not.
fn unseen_fault(name: &str) -> Vec<Cow<'static, str>> {
    let fault = has_unseen(name).then_some("it has invisible characters in it or at its ends");
    fault.into_iter().map(Cow::from).collect()
}

/// Returns the key of `KEY=VALUE`. A text that only ends in `=` may be a value in base64, and has none.
pub(crate) fn key_of_pair(text: &str) -> Option<&str> {
    let (key, value) = text.split_once('=')?;
    (is_key(key) && !value.is_empty() && !value.starts_with('=')).then_some(key)
}

/// Returns true for a legal key of a secret.
pub(crate) fn is_key(text: &str) -> bool {
    key_faults(text).is_empty()
}

/// Returns true for a legal name of a variable by the rule that every server accepts.
pub(crate) fn is_env_name(text: &str) -> bool {
    env_name_faults(text).is_empty()
}

/// Returns true for a legal name of a variable by the rule of newer servers: printable ASCII without `=`
/// (KEP-4369: with a feature gate from Kubernetes 1.30, by default from 1.32, always from 1.34).
pub(crate) fn is_newer_env_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| matches!(byte, b' '..=b'~') && byte != b'=')
}

/// Returns true if a secret can have this name.
pub(crate) fn is_secret_name(text: &str) -> bool {
    is_subdomain(text)
}

/// Returns true for an RFC 1123 subdomain of at most 253 characters, the rule for names of most objects.
pub(crate) fn is_subdomain(text: &str) -> bool {
    subdomain_faults(text).is_empty()
}

/// Returns true for an RFC 1123 label of at most 63 characters.
pub(crate) fn is_label(text: &str) -> bool {
    label_faults(text).is_empty()
}

fn refuse(faults: &[Cow<'static, str>], opening: impl Fn() -> String) -> Result<()> {
    if faults.is_empty() { Ok(()) } else { Err(Error::usage(opening() + &faults.join(";"))) }
}

fn too_long(length: usize) -> Cow<'static, str> {
    format!("must be no more than {length} characters").into()
}

fn is_key_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._".contains(&byte)
}

/// Refuses names with a meaning to the file system, since keys become file names.
fn dot_fault(name: &str) -> Option<Cow<'static, str>> {
    match name {
        "." => Some("must not be '.'".into()),
        ".." => Some("must not be '..'".into()),
        _ if name.starts_with("..") => Some("must not start with '..'".into()),
        _ => None,
    }
}

fn has_form_of_label(text: &str) -> bool {
    let lower = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let inner = |byte: u8| lower(byte) || byte == b'-';
    let bytes = text.as_bytes();
    bytes.first().copied().is_some_and(lower)
        && bytes.last().copied().is_some_and(lower)
        && bytes.iter().copied().all(inner)
}

fn subdomain_faults(name: &str) -> Vec<Cow<'static, str>> {
    let mut faults = Vec::new();
    if name.len() > SUBDOMAIN_LENGTH {
        faults.push(too_long(SUBDOMAIN_LENGTH));
    }
    if !name.split('.').all(has_form_of_label) {
        faults.push(SUBDOMAIN.into());
    }
    faults
}

fn label_faults(name: &str) -> Vec<Cow<'static, str>> {
    let mut faults = Vec::new();
    if name.len() > LABEL_LENGTH {
        faults.push(too_long(LABEL_LENGTH));
    }
    if !has_form_of_label(name) {
        faults.push(LABEL.into());
    }
    faults
}

fn is_qualified(name: &str) -> bool {
    let ends_well = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    let bytes = name.as_bytes();
    ends_well(bytes.first()) && ends_well(bytes.last()) && name.bytes().all(is_key_byte)
}

fn qualified_name_faults(key: &str) -> Vec<Cow<'static, str>> {
    let mut faults = Vec::new();
    let name = match key.split_once('/') {
        None => key,
        Some((_, name)) if name.contains('/') => {
            let example = "with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')";
            return vec![format!("a qualified name {QUALIFIED_NAME} {example}").into()];
        }
        Some(("", name)) => {
            faults.push("prefix part must be non-empty".into());
            name
        }
        Some((prefix, name)) => {
            faults.extend(subdomain_faults(prefix).iter().map(|fault| format!("prefix part {fault}").into()));
            name
        }
    };
    if name.is_empty() {
        faults.push("name part must be non-empty".into());
    } else if name.len() > LABEL_LENGTH {
        faults.push(format!("name part {}", too_long(LABEL_LENGTH)).into());
    }
    if !is_qualified(name) {
        faults.push(format!("name part {QUALIFIED_NAME}").into());
    }
    faults
}

fn label_value_faults(value: &str) -> Vec<Cow<'static, str>> {
    let mut faults = Vec::new();
    if value.len() > LABEL_LENGTH {
        faults.push(too_long(LABEL_LENGTH));
    }
    if !value.is_empty() && !is_qualified(value) {
        faults.push(LABEL_VALUE.into());
    }
    faults
}

/// Returns a legal name for a secret near a text; none if there is none, or the text may be a value.
pub(crate) fn legal_name_near(text: &str) -> Option<String> {
    lower_case_name(text.trim()).filter(|_| !may_be_a_value(text))
}

/// Returns a legal key near a text; none if there is none, or the text may be a value.
pub(crate) fn legal_key_near(text: &str) -> Option<String> {
    let legal = |char: char| if char.is_ascii() && is_key_byte(char as u8) { char } else { '_' };
    let key: String = text.trim().chars().map(legal).collect();
    Some(key).filter(|key| is_key(key) && !may_be_a_value(text))
}

/// Returns a legal variable's name near a text; none if there is none, or the text may be a value.
pub(crate) fn legal_variable_near(text: &str) -> Option<String> {
    let legal = |char: char| if char.is_ascii_alphanumeric() { char } else { '_' };
    let name: String = text.trim().chars().map(legal).collect();
    Some(name).filter(|name| is_env_name(name) && !may_be_a_value(text))
}

/// Turns `My_Secret` into `my-secret`; returns none if that is not a legal name either.
fn lower_case_name(name: &str) -> Option<String> {
    let replaced = name.to_lowercase().replace(['_', ' ', '/', ':'], "-");
    let legal = replaced.trim_matches(['-', '.']);
    subdomain_faults(legal).is_empty().then(|| legal.to_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text(result: Result<()>) -> String {
        result.unwrap_err().to_string()
    }

    #[test]
    fn a_secret_is_named_by_an_rfc_1123_subdomain() {
        for name in [
            &with_suffix("s", "x"),
            &with_suffix(&"a.".repeat(126), "x"),
            "s",
            "a-b",
            "1",
            "a.b-c.d",
            &"a".repeat(253),
        ] {
            check_secret_name(name).unwrap();
        }
        for name in ["", "A", "a_b", "-a", "a-", ".a", "a.", "a..b", "a.-b", "a b", "é", &"a".repeat(254)] {
            assert!(check_secret_name(name).is_err(), "{name:?}");
        }
    }

    #[test]
    fn an_illegal_secret_name_is_refused_in_the_api_servers_words() {
        let refusal = text(check_secret_name("My_Secret"));
        assert_eq!(
            refusal,
            "The Secret \"My_Secret\" is invalid: metadata.name: Invalid value: \"My_Secret\": a lowercase RFC 1123 \
             subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an \
             alphanumeric character (e.g. 'example.com', regex used for validation is \
             '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')\nhint: a legal name near it: my-secret"
        );
        let refusal = text(check_secret_name(&"A".repeat(254)));
        assert!(
            refusal.contains("is invalid: [metadata.name: ")
                && refusal.contains("no more than 253 characters,")
        );
    }

    #[test]
    fn a_namespace_is_an_rfc_1123_label_without_dots() {
        check_namespace(&"a".repeat(63)).unwrap();
        for namespace in ["", "Bad_NS", "a.b", "-a", &"a".repeat(64)] {
            assert!(check_namespace(namespace).is_err(), "{namespace:?}");
        }
        assert!(text(check_namespace("Bad_NS")).contains("a lowercase RFC 1123 label must consist of"));
    }

    #[test]
    fn a_key_may_start_with_a_digit_a_dash_or_one_dot() {
        for key in [
            "k",
            "1",
            "-k",
            ".dockerconfigjson",
            "a.b-c_D9",
            "...x".trim_start_matches(".."),
            &"k".repeat(253),
        ] {
            check_key(key).unwrap();
        }
    }

    #[test]
    fn a_key_may_not_start_with_two_dots() {
        assert!(text(check_key(".")).ends_with("must not be '.'"));
        assert!(text(check_key("..")).ends_with("must not be '..'"));
        assert!(text(check_key("..data")).ends_with("must not start with '..'"));
    }

    #[test]
    fn all_reasons_against_a_key_are_named_at_once() {
        let key = format!("..{}!", "k".repeat(300));
        let faults = key_faults(&key);
        assert_eq!(faults.len(), 3);
        assert!(text(check_key(&key)).ends_with(&format!("{};{KEY};must not start with '..'", faults[0])));
    }

    #[test]
    fn a_variable_may_not_start_with_a_digit() {
        for name in ["A", "_a", "-a", ".a", "my.env-name"] {
            assert!(is_env_name(name), "{name:?}");
        }
        for name in ["", "1A", "A ", "export A", "a:b", "A=B", ".", "..", "..a"] {
            assert!(!is_env_name(name), "{name:?}");
        }
    }

    #[test]
    fn a_label_key_may_have_one_domain_before_it() {
        for key in
            ["run.ai/cluster-wide", "a", "A_b.c", "runai/cluster-wide", &format!("a.b/{}", "x".repeat(63))]
        {
            check_label_key(key).unwrap();
        }
        for key in ["", "/", "a/", "/a", "a/b/c", "A_/b", "-a", &"x".repeat(64)] {
            assert!(check_label_key(key).is_err(), "{key:?}");
        }
    }

    #[test]
    fn a_label_value_may_be_empty() {
        for value in ["", "true", "a_b.C", &"x".repeat(63)] {
            check_label_value(value).unwrap();
        }
        for value in ["a b", "-a", "a-", "a/b", &"x".repeat(64)] {
            assert!(check_label_value(value).is_err(), "{value:?}");
        }
    }

    #[test]
    fn a_refusal_never_carries_a_control_character() {
        for bad in ["a\x1b[2Jb", "a\nb", "a\u{202e}b", "a\u{9b}b"] {
            for refusal in
                [check_secret_name(bad), check_namespace(bad), check_key(bad), check_label_key(bad)]
            {
                let line = text(refusal);
                assert!(
                    !line.contains(bad) && !line.chars().any(|c| c.is_control() && c != '\n'),
                    "{line:?}"
                );
            }
        }
    }

    proptest! {
        #[test]
        fn any_text_is_judged_without_a_panic(text in any::<String>()) {
            let _ = (check_secret_name(&text), check_namespace(&text), check_key(&text), is_env_name(&text));
            let _ = (check_label_key(&text), check_label_value(&text));
        }

        #[test]
        fn what_the_key_rule_accepts_is_what_its_regular_expression_accepts(key in "[-._a-zA-Z0-9]{1,253}") {
            prop_assert_eq!(check_key(&key).is_ok(), key != "." && !key.starts_with(".."));
        }
    }
}
