//! Checks before anything is written, once the key names of the secrets are known.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::attachment::Attachment;
use super::containers::ContainerChoice;
use super::kind::Kind;
use super::pod_spec::{self, Role};
use super::tree::{list, text};
use crate::command_line::CommandLine;
use crate::error::{Error, Result};
use crate::secret::{DOCKER_CONFIG, OLD_DOCKER_CONFIG, is_env_name};
use crate::wording::nearest;

/// Refuses a key that its secret does not have.
///
/// `keys` holds the key names by secret. Secrets that are not in it are not checked, nor are optional
/// attachments: the pod starts without them.
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

/// Warns of env names that not every server accepts. A server before Kubernetes 1.32 refuses such a variable,
/// and leaves out a key that would become one.
pub(crate) fn doubtful_env_names(
    attachments: &[Attachment],
    keys: &BTreeMap<String, Vec<String>>,
) -> Vec<String> {
    let warning = |attachment: &Attachment| match attachment {
        Attachment::Env { variable, .. } if !is_env_name(variable) => Some(format!(
            "env name {variable:?} is legal from Kubernetes 1.32 on; an older server refuses it"
        )),
        Attachment::EnvAll { secret, prefix, .. } => {
            let is_doubtful = |key: &&String| !is_env_name(&format!("{prefix}{key}"));
            let doubtful: Vec<_> = keys.get(secret)?.iter().filter(is_doubtful).map(String::as_str).collect();
            let keys = doubtful.join(", ");
            (!doubtful.is_empty()).then(|| {
                format!(
                    "these keys of secret {secret:?} are not legal env names before Kubernetes 1.32, which leaves \
                     them out: {keys}"
                )
            })
        }
        Attachment::Env { .. }
        | Attachment::Files { .. }
        | Attachment::PathOf { .. }
        | Attachment::ImagePull { .. } => None,
    };
    attachments.iter().filter_map(warning).collect()
}

/// The folders of an image or of a container that programs can't do without.
const OF_THE_SYSTEM: [&str; 17] = [
    "/bin",
    "/boot",
    "/dev",
    "/etc",
    "/lib",
    "/lib64",
    "/proc",
    "/run",
    "/sbin",
    "/sys",
    "/tmp",
    "/usr",
    "/usr/bin",
    "/usr/lib",
    "/usr/local",
    "/usr/local/bin",
    "/var",
];

/// The place of the token with which a pod asks the API server.
const OF_THE_ACCOUNT: &str = "/var/run/secrets/kubernetes.io/serviceaccount";

/// Warns of variables that no program looks for.
fn unread_variables(one: &Attachment, keys: &BTreeMap<String, Vec<String>>) -> Option<String> {
    let Attachment::EnvAll { secret, prefix, .. } = one else { return None };
    let has = |wanted: &str| keys.get(secret).is_some_and(|keys| keys.iter().any(|key| key == wanted));
    (prefix.is_empty() && has("AccessKeyId") && has("SecretKey")).then(|| {
        "no program looks for the variables AccessKeyId and SecretKey: --env AWS_ACCESS_KEY_ID=AccessKeyId \
         --env AWS_SECRET_ACCESS_KEY=SecretKey"
            .to_owned()
    })
}

/// Warns of files below the user's own home folder, which a shell writes for `~`: a container seldom has it.
pub(crate) fn below_own_home(attachments: &[Attachment], home: &str) -> Vec<String> {
    let is_below =
        |path: &str| path.strip_prefix(home).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    // What root has here it has in most containers.
    if !home.starts_with('/') || matches!(home, "/" | "/root") {
        return Vec::new();
    }
    let warning = |one: &Attachment| match one {
        Attachment::Files { path, .. } if is_below(path) => Some(format!(
            "{path} is below your home folder on this machine, for which a shell writes it where ~ is typed; that of \
             the container is another, often /root"
        )),
        _ => None,
    };
    attachments.iter().filter_map(warning).collect()
}

/// Warns of variables and files whose name, place or mode is probably not the one that was meant. `keys` are those of the secrets that
/// are known.
pub(crate) fn doubtful_uses(attachments: &[Attachment], keys: &BTreeMap<String, Vec<String>>) -> Vec<String> {
    let mut warnings = Vec::new();
    for one in attachments {
        let Attachment::Files { secret, path, items, mode, .. } = one else {
            warnings.extend(unread_variables(one, keys));
            continue;
        };
        let account = OF_THE_ACCOUNT.strip_prefix(path.as_str());
        if OF_THE_SYSTEM.contains(&path.as_str()) {
            warnings.push(format!(
                "files in {path} hide all that the image has there, which its programs may need; mount them below it, \
                 such as in {path}/{secret}"
            ));
        } else if account.is_some_and(|rest| rest.is_empty() || rest.starts_with('/')) {
            warnings.push(format!(
                "files in {path} hide the token of the pod's service account, which is in {OF_THE_ACCOUNT}"
            ));
        }
        if let Some(mode) = mode.filter(|mode| mode.bits() & 0o400 == 0) {
            warnings.push(format!(
                "with mode {mode} not even the owner can read the files in {path}: --mode is octal, and a manifest's 256 \
                 is 0400"
            ));
        }
        let step = path.rsplit('/').next().unwrap_or_default();
        let above = path.strip_suffix(step).unwrap_or_default().trim_end_matches('/');
        if items.is_empty()
            && !above.is_empty()
            && keys.get(secret).is_some_and(|keys| keys.iter().any(|key| key == step))
        {
            warnings.push(format!(
                "{path} becomes a folder, and the value of {step} is in {path}/{step}; for a file {path}: {above}:{step}"
            ));
        }
    }
    warnings
}

/// Checks the type of a secret for pulling images.
///
/// # Errors
/// The type is not that of a registry login: the kubelet would ignore the secret.
pub(crate) fn check_image_pull(attachments: &[Attachment], secret: &str, secret_type: &str) -> Result<()> {
    let is_to_pull =
        |one: &Attachment| matches!(one, Attachment::ImagePull { secret: name } if name == secret);
    if matches!(secret_type, DOCKER_CONFIG | OLD_DOCKER_CONFIG) || !attachments.iter().any(is_to_pull) {
        return Ok(());
    }
    Err(Error::failed(format!(
        "secret {secret:?} can't be used for pulling images: its type is {secret_type}, not {DOCKER_CONFIG}"
    ))
    .hint(format!(
        "make a registry login: {}",
        CommandLine::plugin("create docker-registry NAME --docker-server=SERVER …")
    )))
}

/// Refuses all keys of two secrets in the same place.
///
/// # Errors
/// A key of one secret would hide a key of the other: as an env variable, or as a file in the same path.
/// Secrets that are not in `keys` are not checked.
pub(crate) fn clashes(attachments: &[Attachment], keys: &BTreeMap<String, Vec<String>>) -> Result<()> {
    for (at, one) in attachments.iter().enumerate() {
        for other in &attachments[..at] {
            let (Some((place, names)), Some((same_place, others))) = (names(one, keys), names(other, keys))
            else {
                continue;
            };
            let twice = others.iter().find(|name| names.contains(name));
            let (Some(name), true) = (twice, place == same_place && one != other) else { continue };
            let (first, last) = (other.secret(), one.secret());
            return Err(match place {
                None => {
                    Error::failed(format!("env {name} would come from secret {first:?} and from {last:?}"))
                        .hint("the last one would win; name the keys you want, each with --env or -e")
                }
                Some(path) => Error::failed(format!(
                    "file {name} in {path} would come from secret {first:?} and from {last:?}"
                ))
                .hint("mount them in different folders"),
            });
        }
    }
    Ok(())
}

/// Returns the names that the keys become: variables (no path), or files in a path. None if unknown, or if
/// another check covers them.
fn names<'a>(
    attachment: &'a Attachment,
    keys: &BTreeMap<String, Vec<String>>,
) -> Option<(Option<&'a str>, Vec<String>)> {
    match attachment {
        Attachment::EnvAll { secret, prefix, .. } => {
            Some((None, keys.get(secret)?.iter().map(|key| format!("{prefix}{key}")).collect()))
        }
        Attachment::Files { secret, path, items, .. } if items.is_empty() => {
            Some((Some(path), keys.get(secret)?.clone()))
        }
        Attachment::Files { path, items, .. } => {
            Some((Some(path), items.iter().map(|item| item.file.clone()).collect()))
        }
        Attachment::Env { .. } | Attachment::PathOf { .. } | Attachment::ImagePull { .. } => None,
    }
}

/// Warns of keys that would become a variable which a container sets itself: the container's own takes
/// precedence.
pub(crate) fn hidden_variables(
    object: &Value,
    kind: &Kind,
    attachments: &[Attachment],
    choice: &ContainerChoice,
    keys: &BTreeMap<String, Vec<String>>,
) -> Vec<String> {
    let mut warnings = Vec::new();
    for pointer in kind.pod_specs(object) {
        let containers = object.pointer(&pointer).into_iter().flat_map(pod_spec::containers);
        for (role, _, container) in containers {
            let name = text(container, "name");
            let is_meant = match choice {
                ContainerChoice::Only => role == Role::Regular,
                ContainerChoice::All => role != Role::Ephemeral,
                ContainerChoice::Named(names) => names.iter().any(|one| one == name),
            };
            for one in attachments.iter().filter(|one| is_meant && matches!(one, Attachment::EnvAll { .. })) {
                let others = list(container, "env").iter();
                let others =
                    others.filter(|entry| text(&entry["valueFrom"]["secretKeyRef"], "name") != one.secret());
                let set: Vec<_> = others.map(|entry| text(entry, "name")).collect();
                let variables = names(one, keys).map(|(_, names)| names).unwrap_or_default();
                warnings.extend(variables.iter().filter(|variable| set.contains(&variable.as_str())).map(|variable| {
                    let secret = one.secret();
                    format!("container {name} has an env {variable} of its own, which overrides the one of secret {secret}")
                }));
            }
        }
    }
    warnings
}

/// Describes the missing key. A long word unlike any of the keys may be a token pasted in the key's place, so
/// it is not repeated.
fn what_is_missing(secret: &str, key: &str, keys: &[String]) -> String {
    const LONGEST_UNLIKE: usize = 16;
    if key.len() <= LONGEST_UNLIKE || nearest(key, keys.iter().map(String::as_str)).is_some() {
        format!("secret {secret:?} has no key {key:?}")
    } else {
        format!("secret {secret:?} has no key of the given name, which is not shown")
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
            |prefix: &str| doubtful_env_names(&[Attachment::env_all("x", prefix).unwrap()], &keys());
        assert_eq!(warnings("").len(), 1);
        assert!(warnings("")[0].ends_with("leaves them out: 1st"));
        assert!(warnings("P_").is_empty());
    }

    #[test]
    fn a_name_that_newer_servers_alone_take_is_warned_of() {
        let warnings = doubtful_env_names(&[env("x", "1A=username"), env("x", "A=username")], &keys());
        assert_eq!(
            warnings,
            ["env name \"1A\" is legal from Kubernetes 1.32 on; an older server refuses it"]
        );
    }

    #[test]
    fn files_over_what_a_container_needs_and_unreadable_ones_are_warned_of() {
        let keys = BTreeMap::from([("hf".to_owned(), vec!["HF_TOKEN".to_owned()])]);
        let warnings = |flag: &str, mode: Option<&str>| {
            let mode = mode.map(|mode| crate::workload::Mode::parse(mode).unwrap());
            doubtful_uses(&[Attachment::files("hf", flag, mode).unwrap()], &keys)
        };
        for (path, part) in [
            ("/etc", "hide all that the image has there"),
            ("/usr/", "hide all that the image has there"),
            ("/var/run/secrets", "hide the token"),
            ("/var/run/secrets/kubernetes.io/serviceaccount", "hide the token"),
            ("/etc/hf/HF_TOKEN", "for a file /etc/hf/HF_TOKEN: /etc/hf:HF_TOKEN"),
        ] {
            let warnings = warnings(path, None);
            assert!(warnings.len() == 1 && warnings[0].contains(part), "{path}: {warnings:?}");
        }
        assert!(warnings("/etc/hf", Some("256"))[0].starts_with("with mode 0256 not even the owner"));
        for path in ["/etc/hf", "/var/run/secrets/hf", "/etc/hf:HF_TOKEN", "/HF_TOKEN"] {
            assert!(warnings(path, Some("0400")).is_empty(), "{path}");
        }
    }

    #[test]
    fn only_a_registry_login_pulls_images() {
        let pull = [Attachment::image_pull("r").unwrap(), env("s", "k")];
        assert!(check_image_pull(&pull, "r", "kubernetes.io/dockerconfigjson").is_ok());
        assert!(check_image_pull(&pull, "s", "Opaque").is_ok());
        let error = check_image_pull(&pull, "r", "Opaque").unwrap_err().to_string();
        assert!(error.contains("its type is Opaque"), "{error}");
    }

    #[test]
    fn keys_that_would_hide_each_other_are_refused() {
        let keys = BTreeMap::from([
            ("a".to_owned(), vec!["one".to_owned(), "same".to_owned()]),
            ("b".to_owned(), vec!["same".to_owned()]),
        ]);
        let all = |secret: &str, prefix: &str| Attachment::env_all(secret, prefix).unwrap();
        let files = |secret: &str, flag: &str| Attachment::files(secret, flag, None).unwrap();
        let clash = |one: &Attachment, other: &Attachment| {
            clashes(&[one.clone(), other.clone()], &keys)
                .err()
                .map(|error| error.to_string())
                .unwrap_or_default()
        };
        assert!(
            clash(&all("a", ""), &all("b", ""))
                .contains("env same would come from secret \"a\" and from \"b\"")
        );
        assert!(clash(&files("a", "/x"), &files("b", "/x:same")).contains("file same in /x"));
        for (one, other) in [
            (all("a", ""), all("b", "B_")),
            (all("a", ""), all("a", "")),
            (files("a", "/x"), files("b", "/y")),
            (files("a", "/x"), files("b", "/x:same=other")),
            (all("a", ""), files("b", "/x")),
            (all("a", ""), all("unknown", "")),
        ] {
            assert_eq!(clash(&one, &other), "", "{one}; {other}");
        }
    }

    #[test]
    fn a_variable_that_the_container_sets_is_said_to_hide_the_key() {
        let containers = serde_json::json!([
            {"name": "main", "env": [{"name": "username", "value": "hunter2"}]}, {"name": "side"}]);
        let object = serde_json::json!({"spec": {"containers": containers}});
        let hidden = |choice: &ContainerChoice| {
            let all = [Attachment::env_all("x", "").unwrap()];
            hidden_variables(&object, Kind::named("pod").unwrap(), &all, choice, &keys())
        };
        let warning = "container main has an env username of its own, which overrides the one of secret x";
        assert_eq!(hidden(&ContainerChoice::All), [warning]);
        assert!(hidden(&ContainerChoice::Named(vec!["side".to_owned()])).is_empty());
    }
}
