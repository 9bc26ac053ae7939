//! What can be known before anything is written, once the key names of the secrets are known.

use std::collections::{BTreeMap, BTreeSet};

use super::attachment::Attachment;
use crate::error::{Error, Result};
use crate::secret::is_env_name;
use crate::wording::nearest;

/// An error if an attachment names a key that its secret does not have.
///
/// `keys` holds the key names by secret. A secret that is not in it is not checked here, nor is what is
/// optional: the pod starts without it.
pub(crate) fn missing_keys(attachments: &[Attachment], keys: &BTreeMap<String, Vec<String>>) -> Result<()> {
    let required = attachments.iter().filter(|attachment| !attachment.is_optional());
    let missing: BTreeSet<_> = required
        .flat_map(|attachment| attachment.keys().into_iter().map(|key| (attachment.secret(), key)))
        .filter(|(secret, key)| keys.get(*secret).is_some_and(|all| !all.iter().any(|one| one == key)))
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    let lines: Vec<_> =
        missing.iter().map(|(secret, key)| what_is_missing(secret, key, &keys[*secret])).collect();
    let error = Error::failed(lines.join("; "));
    Err(missing
        .iter()
        .fold(error, |error, (secret, key)| error.hint(what_it_has(secret, key, &keys[*secret]))))
}

/// A warning for each attachment of all keys of which some do not become env variables: the kubelet leaves a
/// key out, with an event on the pod, if its name is no legal env name.
pub(crate) fn illegal_env_names(
    attachments: &[Attachment],
    keys: &BTreeMap<String, Vec<String>>,
) -> Vec<String> {
    let warning = |attachment: &Attachment| {
        let Attachment::EnvAll { secret, prefix, .. } = attachment else { return None };
        let is_illegal = |key: &&String| !is_env_name(&format!("{prefix}{key}"));
        let left_out: Vec<_> = keys.get(secret)?.iter().filter(is_illegal).map(String::as_str).collect();
        let keys = left_out.join(", ");
        (!left_out.is_empty()).then(|| {
            format!("these keys of secret {secret:?} are no legal env names and will be left out: {keys}")
        })
    };
    attachments.iter().filter_map(warning).collect()
}

/// A long word that is like none of the keys may be a token that was pasted in the key's place: it is not repeated.
fn what_is_missing(secret: &str, key: &str, keys: &[String]) -> String {
    const LONGEST_UNLIKE: usize = 16;
    if key.len() <= LONGEST_UNLIKE || nearest(key, keys.iter().map(String::as_str)).is_some() {
        format!("secret {secret:?} has no key {key:?}")
    } else {
        format!("secret {secret:?} has no key by the name that was given, which is not shown")
    }
}

fn what_it_has(secret: &str, key: &str, keys: &[String]) -> String {
    if keys.is_empty() {
        return format!("secret {secret:?} has no keys at all");
    }
    let all = keys.join(", ");
    match nearest(key, keys.iter().map(String::as_str)) {
        Some(near) => format!("did you mean {near:?}? The keys of {secret:?} are: {all}"),
        None => format!("the keys of {secret:?} are: {all}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys() -> BTreeMap<String, Vec<String>> {
        BTreeMap::from([
            ("x".to_owned(), vec!["password".to_owned(), "username".to_owned(), "1st".to_owned()]),
            ("none".to_owned(), vec![]),
        ])
    }

    fn env(secret: &str, key: &str) -> Attachment {
        Attachment::env(secret, key).unwrap()
    }

    #[test]
    fn a_token_in_the_place_of_a_key_is_not_repeated() {
        let token = "hf_abcdefghijklmnopqrst";
        let refusal = missing_keys(&[env("x", token)], &keys()).unwrap_err().to_string();
        assert!(!refusal.contains(token), "{refusal}");
        assert!(refusal.contains("the keys of \"x\" are: "), "{refusal}");
    }

    #[test]
    fn a_missing_key_is_answered_with_the_nearest_and_with_all() {
        let error = missing_keys(&[env("x", "usrname")], &keys()).unwrap_err().to_string();
        assert_eq!(
            error,
            "error: secret \"x\" has no key \"usrname\"\n\
             hint: did you mean \"username\"? The keys of \"x\" are: password, username, 1st"
        );
    }

    #[test]
    fn every_missing_key_is_named_once() {
        let files = Attachment::files("x", "/p:a,username,b", None).unwrap();
        let error = missing_keys(&[env("x", "a"), files, env("none", "k")], &keys()).unwrap_err().to_string();
        let line = error.lines().next().unwrap();
        assert_eq!(
            line,
            "error: secret \"none\" has no key \"k\"; secret \"x\" has no key \"a\"; secret \"x\" has no key \"b\""
        );
    }

    #[test]
    fn what_is_there_optional_or_unknown_is_no_error() {
        let all = Attachment::env_all("x", "").unwrap();
        let fine = [env("x", "username"), env("x", "gone").optional(), env("elsewhere", "k"), all];
        assert!(missing_keys(&fine, &keys()).is_ok());
    }

    #[test]
    fn a_key_that_is_no_env_name_is_warned_of_unless_the_prefix_helps() {
        let warnings =
            |prefix: &str| illegal_env_names(&[Attachment::env_all("x", prefix).unwrap()], &keys());
        assert_eq!(warnings("").len(), 1);
        assert!(warnings("")[0].ends_with("left out: 1st"));
        assert!(warnings("P_").is_empty());
    }
}
