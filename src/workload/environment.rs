//! Run:ai's own workloads, which have no pod template and take secrets only as env variables.
//!
//! A variable is `environment.items.VAR.value`, and the value `SECRET:name,key` is a reference. These
//! workloads have no form for all keys at once, files, image pulls and optional references, so all keys
//! become single variables, and the others are refused with an alternative.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::attachment::{Attachment, Effect, Existing};
use super::containers::ContainerChoice;
use super::kind::{Kind, Shape};
use super::tree::{remove_if_empty, text};
use crate::command_line::CommandLine;
use crate::error::{Error, Result};
use crate::secret::is_env_name;
use crate::wording::list;

/// Attachments in forms that the kind has, and warnings about left-out keys.
pub(crate) struct Expanded {
    pub(crate) attachments: Vec<Attachment>,
    pub(crate) warnings: Vec<String>,
}

/// Refuses attachments that a kind has no form for. Needs no cluster.
///
/// # Errors
/// Files, an image pull, an optional reference, or a container, for one of Run:ai's own workloads; anything but
/// an image pull for a service account.
pub(crate) fn check_expressible(
    kind: &Kind,
    attachments: &[Attachment],
    containers: &ContainerChoice,
) -> Result<()> {
    match kind.shape {
        Shape::PodSpecs(_) => return Ok(()),
        Shape::Accounts(_) => return check_are_logins(kind, attachments, containers),
        Shape::Environments(_) => {}
    }
    let name = kind.name;
    let refused = |what: &str| Error::usage(format!("a {name} can't have a secret {what}"));
    for attachment in attachments {
        match attachment {
            Attachment::Files { .. } | Attachment::PathOf { .. } => {
                return Err(refused("as files: it takes secrets only as env variables")
                    .hint("use --env KEY or --env-all")
                    .hint("mount files when you submit it: runai … submit --secret-volume"));
            }
            Attachment::ImagePull { secret } => {
                return Err(refused("for pulling images: it has no place for a registry login").hint(
                    format!(
                        "Run:ai pulls with the project's registry credentials: {}",
                        CommandLine::kubectl("label secret")
                            .arg(secret)
                            .then("run.ai/resource=docker-registry")
                    ),
                ));
            }
            Attachment::Env { .. } | Attachment::EnvAll { .. } if attachment.is_optional() => {
                return Err(refused("as optional: its reference is SECRET:name,key and nothing more")
                    .hint("leave out --optional, and create the secret first"));
            }
            Attachment::Env { .. } | Attachment::EnvAll { .. } => {}
        }
    }
    if *containers == ContainerChoice::Only { Ok(()) } else { Err(no_container(kind)) }
}

/// Refuses whatever is no registry login: a service account has no container.
fn check_are_logins(kind: &Kind, attachments: &[Attachment], containers: &ContainerChoice) -> Result<()> {
    if let Some(other) = attachments.iter().find(|one| !matches!(one, Attachment::ImagePull { .. })) {
        let attach = CommandLine::plugin("attach").arg(other.secret()).then("KIND/NAME …");
        return Err(Error::usage(format!(
            "a {} can have a secret only for pulling images: it runs no containers",
            kind.name
        ))
        .hint("--image-pull adds a registry login")
        .hint(format!("to give it to the workload that runs under the account: {attach}")));
    }
    if *containers == ContainerChoice::Only { Ok(()) } else { Err(no_container(kind)) }
}

/// Refuses a choice of containers in what has none: Run:ai's own workloads, and service accounts.
///
/// # Errors
/// A container is chosen.
pub(super) fn check_no_container(kind: &Kind, containers: &ContainerChoice) -> Result<()> {
    match (&kind.shape, containers) {
        (Shape::Environments(_) | Shape::Accounts(_), ContainerChoice::Named(_)) => Err(no_container(kind)),
        _ => Ok(()),
    }
}

fn no_container(kind: &Kind) -> Error {
    let goes_to = match kind.shape {
        Shape::Accounts(_) => "its logins are for every pod under it",
        Shape::PodSpecs(_) | Shape::Environments(_) => "its variables go to everything it runs",
    };
    Error::usage(format!("a {} has no containers to choose from", kind.name))
        .hint(format!("leave out -c: {goes_to}"))
}

/// Returns the attachments in forms that the kind has. All keys at once become single variables if there is
/// no other way.
///
/// `keys` holds the key names by secret. A single variable takes precedence over one of all keys, as in
/// Kubernetes.
///
/// # Errors
/// An attachment has no form; or the keys of a secret are needed and not in `keys`.
pub(crate) fn expanded(
    kind: &Kind,
    attachments: Vec<Attachment>,
    keys: &BTreeMap<String, Vec<String>>,
) -> Result<Expanded> {
    if !matches!(kind.shape, Shape::Environments(_)) {
        return Ok(Expanded { attachments, warnings: Vec::new() });
    }
    let mut expanded = Expanded { attachments: Vec::new(), warnings: Vec::new() };
    let (all, single): (Vec<_>, Vec<_>) =
        attachments.into_iter().partition(|one| matches!(one, Attachment::EnvAll { .. }));
    let named: Vec<String> = single.iter().filter_map(Attachment::variable).map(str::to_owned).collect();
    expanded.attachments = single;
    for one in &all {
        let Attachment::EnvAll { secret, prefix, .. } = one else { continue };
        let keys = keys.get(secret).ok_or_else(|| unknown_keys(kind, secret))?;
        let (legal, illegal): (Vec<_>, Vec<_>) =
            keys.iter().partition(|key| is_env_name(&format!("{prefix}{key}")));
        if !illegal.is_empty() {
            let (count, illegal) = (illegal.len(), list(illegal));
            let what = if count == 1 { "this key" } else { "these keys" };
            expanded.warnings.push(format!(
                "{what} of secret {secret:?} can't be an env name, and is left out: {illegal}"
            ));
        }
        for key in legal {
            let variable = format!("{prefix}{key}");
            if !named.contains(&variable) {
                expanded.attachments.push(Attachment::env_from_key(&variable, secret, key)?);
            }
        }
    }
    Ok(expanded)
}

/// Builds the error for keys that are needed and unknown.
pub(super) fn unknown_keys(kind: &Kind, secret: &str) -> Error {
    Error::failed(format!(
        "a {} names each key, and the keys of secret {secret:?} are not known here",
        kind.name
    ))
    .hint("name them: --env KEY, once for each")
}

/// Returns the value by which Run:ai's own workloads refer to a key of a secret.
pub(super) fn reference(secret: &str, key: &str) -> String {
    format!("SECRET:{secret},{key}")
}

/// Adds a reference to one of Run:ai's specs. A conflicting value is never shown: it may be a password.
pub(super) fn put(
    spec: &mut Value,
    workload: &str,
    (variable, secret, key): (&str, &str, &str),
    existing: Existing,
) -> Result<Option<Effect>> {
    let wanted = reference(secret, key);
    let items = below(below(spec, "environment")?, "items")?;
    let items = items.as_object_mut().expect("below has seen that it is a map");
    let effect = match items.get(variable) {
        Some(item) if text(item, "value") == wanted => return Ok(None),
        Some(_) => existing.replace(|| {
            Error::failed(format!("{workload} already has an env {variable} with another value or source"))
        })?,
        None => Effect::Added,
    };
    items.insert(variable.to_owned(), json!({ "value": wanted }));
    Ok(Some(effect))
}

/// Removes the references to a secret from one of Run:ai's specs; `is_meant` chooses the variables.
pub(super) fn take(spec: &mut Value, secret: &str, is_meant: impl Fn(&str) -> bool) -> Vec<String> {
    let start = format!("SECRET:{secret},");
    let mut taken = Vec::new();
    if let Some(items) = spec.pointer_mut("/environment/items").and_then(Value::as_object_mut) {
        items.retain(|variable, item| {
            let stays = !text(item, "value").starts_with(&start) || !is_meant(variable);
            if !stays {
                taken.push(variable.clone());
            }
            stays
        });
    }
    if !taken.is_empty() {
        remove_if_empty(&mut spec["environment"], "items");
        remove_if_empty(spec, "environment");
    }
    taken
}

/// Returns the map in a field, and makes it if it is missing.
fn below<'a>(parent: &'a mut Value, field: &str) -> Result<&'a mut Value> {
    let malformed = || Error::failed(format!("the manifest is malformed: {field} is not a map"));
    let map = parent.as_object_mut().ok_or_else(malformed)?.entry(field).or_insert(Value::Null);
    if map.is_null() {
        *map = json!({});
    }
    if map.is_object() { Ok(map) } else { Err(malformed()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workload::attachment::Mode;
    use crate::workload::{Outcome, Selection, attach, detach};

    fn kind() -> &'static Kind {
        Kind::named("trainingworkload").unwrap()
    }

    fn workload() -> Value {
        json!({
            "kind": "TrainingWorkload", "metadata": {"name": "train"},
            "spec": {"image": {"value": "ubuntu"}, "environment": {"items": {"MODE": {"value": "hunter2"}}}},
        })
    }

    fn attached(object: &Value, kind: &Kind, flag: &str, existing: Existing) -> Result<Value> {
        let asked = [Attachment::env("s", flag).unwrap()];
        match attach(object, kind, &asked, &ContainerChoice::Only, existing)? {
            Outcome::AsAsked => Ok(object.clone()),
            Outcome::Changed { object, .. } => Ok(object),
        }
    }

    fn all_of(secret: &str) -> Selection {
        Selection::every_use(secret)
    }

    #[test]
    fn a_reference_is_a_value_among_the_items() {
        let object = attached(&workload(), kind(), "TOKEN=key", Existing::Keep).unwrap();
        let items = json!({"MODE": {"value": "hunter2"}, "TOKEN": {"value": "SECRET:s,key"}});
        assert_eq!(object["spec"]["environment"]["items"], items);
        assert_eq!(attached(&object, kind(), "TOKEN=key", Existing::Keep).unwrap(), object);
        assert_eq!(detach(&object, kind(), &all_of("s")).unwrap().object, workload());
        assert_eq!(detach(&object, kind(), &all_of("S")).unwrap().removed, []);
    }

    #[test]
    fn a_workload_without_an_environment_gets_one_and_loses_it_again() {
        let bare = json!({"metadata": {"name": "train"}, "spec": {}});
        let object = attached(&bare, kind(), "TOKEN=key", Existing::Keep).unwrap();
        assert_eq!(object["spec"], json!({"environment": {"items": {"TOKEN": {"value": "SECRET:s,key"}}}}));
        assert_eq!(detach(&object, kind(), &all_of("s")).unwrap().object, bare);
    }

    #[test]
    fn a_value_in_the_way_is_never_shown() {
        let error = attached(&workload(), kind(), "MODE=key", Existing::Keep).unwrap_err().to_string();
        assert!(error.contains("already has an env MODE") && error.contains("--overwrite"), "{error}");
        assert!(!error.contains("hunter2"), "{error}");
        let object = attached(&workload(), kind(), "MODE=key", Existing::Overwrite).unwrap();
        assert_eq!(object["spec"]["environment"]["items"]["MODE"], json!({"value": "SECRET:s,key"}));
    }

    #[test]
    fn master_and_workers_both_get_it() {
        let kind = Kind::named("distributedworkload").unwrap();
        let bare = json!({"metadata": {"name": "d"}, "spec": {}, "masterSpec": {"image": {"value": "x"}}});
        let object = attached(&bare, kind, "TOKEN=key", Existing::Keep).unwrap();
        for part in ["spec", "masterSpec"] {
            assert_eq!(object[part]["environment"]["items"]["TOKEN"]["value"], "SECRET:s,key");
        }
        let detached = detach(&object, kind, &all_of("s")).unwrap();
        assert_eq!(detached.object, bare);
        let shown: Vec<_> = detached.removed.iter().map(ToString::to_string).collect();
        assert_eq!(shown, ["env TOKEN in spec", "env TOKEN in masterSpec"]);
    }

    #[test]
    fn all_keys_become_a_variable_each() {
        let keys = BTreeMap::from([("s".to_owned(), vec!["1st".to_owned(), "a".to_owned(), "b".to_owned()])]);
        let asked = vec![Attachment::env_all("s", "").unwrap(), Attachment::env("s", "a=b").unwrap()];
        let all = expanded(kind(), asked.clone(), &keys).unwrap();
        let shown: Vec<_> = all.attachments.iter().map(ToString::to_string).collect();
        assert_eq!(shown, ["env a ← SECRET:s,b", "env b ← SECRET:s,b"]);
        assert!(all.warnings[0].ends_with("left out: 1st"), "{}", all.warnings[0]);
        let error = expanded(kind(), asked.clone(), &BTreeMap::new()).err().unwrap().to_string();
        assert!(error.contains("--env KEY"), "{error}");
        let pods = expanded(Kind::named("job").unwrap(), asked.clone(), &BTreeMap::new()).unwrap();
        assert_eq!(pods.attachments, asked);
    }

    #[test]
    fn what_has_no_form_is_refused_with_another_way() {
        let mode = Mode::parse("0400").ok();
        let cases = [
            (Attachment::files("s", "/x", mode).unwrap(), "--secret-volume"),
            (Attachment::image_pull("s").unwrap(), "run.ai/resource=docker-registry"),
            (Attachment::env("s", "k").unwrap().optional(), "leave out --optional"),
        ];
        for (attachment, way) in cases {
            let error = check_expressible(kind(), std::slice::from_ref(&attachment), &ContainerChoice::Only)
                .unwrap_err();
            assert!(error.to_string().contains(way), "{error}");
            let any = check_expressible(Kind::named("job").unwrap(), &[attachment], &ContainerChoice::Only);
            assert!(any.is_ok());
        }
        let main = ContainerChoice::Named(vec!["main".to_owned()]);
        let error = check_expressible(kind(), &[Attachment::env("s", "k").unwrap()], &main).unwrap_err();
        assert!(error.to_string().contains("has no containers"), "{error}");
    }

    #[test]
    fn a_malformed_environment_is_an_error_and_never_a_panic() {
        for environment in [json!("text"), json!({"items": []}), json!([])] {
            let object = json!({"metadata": {"name": "x"}, "spec": {"environment": environment}});
            assert!(attached(&object, kind(), "A=k", Existing::Overwrite).is_err());
            assert!(detach(&object, kind(), &all_of("s")).unwrap().removed.is_empty());
        }
    }
}
