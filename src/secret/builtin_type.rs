//! The built-in types of secret, and the keys that the API server requires of each.

use std::fmt::Display;

use super::contents::Contents;
use super::docker_config::Form;
use super::value::SecretValue;
use super::{docker_config, ssh, tls};
use crate::command_line::CommandLine;
use crate::error::{Error, Result};

pub(crate) const TLS: &str = "kubernetes.io/tls";
pub(crate) const DOCKER_CONFIG: &str = "kubernetes.io/dockerconfigjson";
pub(crate) const OLD_DOCKER_CONFIG: &str = "kubernetes.io/dockercfg";
pub(crate) const SSH: &str = "kubernetes.io/ssh-auth";
const BASIC_AUTH: &str = "kubernetes.io/basic-auth";
/// The type of a service account's token, of no use under another name or in another namespace.
pub(crate) const SERVICE_ACCOUNT_TOKEN: &str = "kubernetes.io/service-account-token";
const ACCOUNT: &str = "kubernetes.io/service-account.name";

/// All built-in types, for completion.
pub(crate) const TYPES: [&str; 7] =
    ["Opaque", BASIC_AUTH, OLD_DOCKER_CONFIG, DOCKER_CONFIG, SERVICE_ACCOUNT_TOKEN, SSH, TLS];

/// Refuses what the API server would refuse in a secret of this type. `annotations` are the keys of its
/// annotations that have a value.
pub(crate) fn check_keys(secret_type: &str, contents: &Contents, annotations: &[&str]) -> Result<()> {
    let has = |key: &str| contents.data.contains_key(key);
    let is_empty = |key: &str| contents.data.get(key).is_none_or(|value| value.len() == 0);
    let plugin = CommandLine::plugin;
    let lacks = |what: &str, instead: &dyn Display| {
        Err(Error::usage(format!("a secret of type {secret_type} must have {what}")).hint(instead))
    };
    match secret_type {
        TLS if !has(tls::CERTIFICATE) || !has(tls::KEY) => lacks(
            "the keys tls.crt and tls.key",
            &format!(
                "{} also checks that they belong together",
                plugin("create tls NAME --cert=PATH --key=PATH")
            ),
        ),
        DOCKER_CONFIG if !is_object(contents, docker_config::KEY) => lacks(
            "the key .dockerconfigjson, a JSON object",
            &format!(
                "{} makes it from a login or from Docker's config.json",
                plugin("create docker-registry NAME")
            ),
        ),
        OLD_DOCKER_CONFIG if !is_object(contents, docker_config::OLD_KEY) => {
            lacks("the key .dockercfg, a JSON object", &"--from-file .dockercfg=PATH")
        }
        BASIC_AUTH if !has("username") && !has("password") => {
            lacks("the keys username and password", &"--from-literal username=USER --prompt password")
        }
        SSH if is_empty(ssh::PRIVATE_KEY) => {
            lacks("the key ssh-privatekey", &plugin("create ssh NAME --private-key=PATH"))
        }
        SERVICE_ACCOUNT_TOKEN if !annotations.contains(&ACCOUNT) => lacks(
            "an annotation that names the service account",
            &"--annotation kubernetes.io/service-account.name=NAME",
        ),
        _ => Ok(()),
    }
}

/// Returns what the API server wants a secret of this type to keep, if it lacks that; `has` tells its keys.
pub(crate) fn missing_keys(secret_type: &str, has: impl Fn(&str) -> bool) -> Option<&'static str> {
    let (lacks, what) = match secret_type {
        TLS => (!has(tls::CERTIFICATE) || !has(tls::KEY), "the keys tls.crt and tls.key"),
        DOCKER_CONFIG => (!has(docker_config::KEY), "the key .dockerconfigjson"),
        OLD_DOCKER_CONFIG => (!has(docker_config::OLD_KEY), "the key .dockercfg"),
        SSH => (!has(ssh::PRIVATE_KEY), "the key ssh-privatekey"),
        BASIC_AUTH => (!has("username") && !has("password"), "one of the keys username and password"),
        _ => return None,
    };
    lacks.then_some(what)
}

/// Judges a whole secret by its type, whichever command makes it: a certificate and its key, an SSH key, the logins
/// of registries. `value` gives a key's value as it will be. Returns warnings, a line each.
///
/// # Errors
/// Nothing could use it.
pub(crate) fn check_values<'v>(
    secret_type: &str,
    value: impl Fn(&str) -> Option<&'v SecretValue>,
) -> Result<Vec<String>> {
    let logins = |form, key| value(key).map_or(Ok(Vec::new()), |file| docker_config::check_value(form, file));
    let (judged, hint) = match secret_type {
        TLS => match (value(tls::CERTIFICATE), value(tls::KEY)) {
            (Some(certificate), Some(key)) => (
                tls::check_values(certificate, key),
                "give a certificate and its own key at once: --from-file=tls.crt=PATH --from-file=tls.key=PATH",
            ),
            _ => return Ok(Vec::new()),
        },
        SSH => (
            value(ssh::PRIVATE_KEY).map_or(Ok(Vec::new()), ssh::check_value),
            "a job needs the whole private key, without a passphrase: ssh-keygen -t ed25519 -N '' -f job_key makes one",
        ),
        DOCKER_CONFIG => (logins(Form::Config, docker_config::KEY), OF_LOGINS),
        OLD_DOCKER_CONFIG => (logins(Form::Old, docker_config::OLD_KEY), OF_LOGINS),
        _ => return Ok(Vec::new()),
    };
    judged.map_err(|error| Error::usage(error.for_a_note()).hint(hint))
}

/// Judges as [`check_values`] does where a secret is written in any case: what nothing could use is a warning too.
pub(crate) fn doubts<'v>(secret_type: &str, value: impl Fn(&str) -> Option<&'v SecretValue>) -> Vec<String> {
    check_values(secret_type, value)
        .unwrap_or_else(|error| vec![[&[error.for_a_note().to_owned()], error.hints()].concat().join("; ")])
}

/// Returns the keys by whose values a secret of this type is judged.
pub(crate) fn judged_keys(secret_type: &str) -> &'static [&'static str] {
    match secret_type {
        TLS => &[tls::CERTIFICATE, tls::KEY],
        SSH => &[ssh::PRIVATE_KEY],
        DOCKER_CONFIG => &[docker_config::KEY],
        OLD_DOCKER_CONFIG => &[docker_config::OLD_KEY],
        _ => &[],
    }
}

const OF_LOGINS: &str =
    "auth is base64 of USER:PASSWORD; create docker-registry makes such a file from a login";

fn is_object(contents: &Contents, key: &str) -> bool {
    use serde::de::IgnoredAny;
    let value = contents.data.get(key).map(SecretValue::expose);
    value.is_some_and(|value| {
        value.trim_ascii_start().starts_with(b"{") && serde_json::from_slice::<IgnoredAny>(value).is_ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(secret_type: &str, data: &[(&str, &str)], annotations: &[&str]) -> Result<()> {
        let mut contents = Contents::default();
        for (key, value) in data {
            contents.data.insert((*key).to_owned(), SecretValue::from_bytes(value.as_bytes().to_vec()));
        }
        check_keys(secret_type, &contents, annotations)
    }

    #[test]
    fn what_the_server_would_refuse_is_refused_with_the_keys_that_are_missing() {
        for (secret_type, data, annotations, word) in [
            (TLS, &[("tls.crt", "x")][..], &[][..], "tls.key"),
            (DOCKER_CONFIG, &[("config.json", "{}")], &[], ".dockerconfigjson"),
            (DOCKER_CONFIG, &[(".dockerconfigjson", "[]")], &[], "a JSON object"),
            (DOCKER_CONFIG, &[(".dockerconfigjson", "{}\u{c}")], &[], "a JSON object"),
            (OLD_DOCKER_CONFIG, &[(".dockercfg", "{")], &[], "a JSON object"),
            (BASIC_AUTH, &[("user", "u")], &[], "username"),
            (SSH, &[("ssh-privatekey", "")], &[], "ssh-privatekey"),
            (SERVICE_ACCOUNT_TOKEN, &[("token", "t")], &["a"], "annotation"),
        ] {
            let refusal = check(secret_type, data, annotations).unwrap_err().to_string();
            assert!(refusal.contains(word), "{refusal}");
        }
    }

    #[test]
    fn what_the_server_takes_is_taken() {
        check(TLS, &[("tls.crt", ""), ("tls.key", "")], &[]).unwrap();
        check(DOCKER_CONFIG, &[(".dockerconfigjson", " {\"auths\":{}}\n")], &[]).unwrap();
        check(BASIC_AUTH, &[("password", "")], &[]).unwrap();
        check(SSH, &[("ssh-privatekey", "x")], &[]).unwrap();
        check(SERVICE_ACCOUNT_TOKEN, &[], &[ACCOUNT]).unwrap();
        check("run.ai/anything", &[], &[]).unwrap();
        check("", &[], &[]).unwrap();
    }
}
