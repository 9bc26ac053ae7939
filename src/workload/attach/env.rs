//! Secrets in `env`, `envFrom` and `imagePullSecrets`.

use serde_json::{Value, json};

use super::{Effect, Place, Pod};
use crate::error::Result;
use crate::workload::attachment::Need;
use crate::workload::expansion::refers_to;
use crate::workload::tree::{is_true, list, list_mut, put, text};

/// Builds the `env` entry for one key. `optional: false` is the default and is not written.
pub(super) fn variable(variable: &str, secret: &str, key: &str, need: Need) -> Value {
    let mut selector = json!({ "name": secret, "key": key });
    if need == Need::Optional {
        selector["optional"] = Value::Bool(true);
    }
    json!({ "name": variable, "valueFrom": { "secretKeyRef": selector } })
}

/// Builds the `envFrom` entry for all keys.
pub(super) fn all_keys(secret: &str, prefix: &str, need: Need) -> Value {
    let mut entry = json!({ "secretRef": { "name": secret } });
    if need == Need::Optional {
        entry["secretRef"]["optional"] = Value::Bool(true);
    }
    if !prefix.is_empty() {
        entry["prefix"] = Value::from(prefix);
    }
    entry
}

/// Adds the secret to the logins for pulling images. The list is a set, so nothing can conflict.
pub(super) fn pull_images(pod_spec: &mut Value, secret: &str) -> Result<Option<Effect>> {
    if list(pod_spec, "imagePullSecrets").iter().any(|entry| text(entry, "name") == secret) {
        return Ok(None);
    }
    put(pod_spec, "imagePullSecrets", None, json!({ "name": secret }))?;
    Ok(Some(Effect::Added))
}

impl Pod<'_> {
    pub(super) fn set_variable(
        &mut self,
        place: &Place,
        variable: &str,
        wanted: Value,
    ) -> Result<Option<Effect>> {
        let env = list(self.container(place)?, "env");
        // The API accepts a name twice, and the last one counts.
        let at = env.iter().rposition(|entry| text(entry, "name") == variable);
        if at.is_some_and(|at| without_defaults(&env[at]) == wanted) {
            return Ok(None);
        }
        // A value sees only the variables before it.
        let first_user = env.iter().position(|entry| refers_to(entry, variable));
        let effect = match at {
            Some(_) => self.replace(place, &format!("an env {variable} with another value or source"))?,
            None => Effect::Added,
        };
        match (at, first_user) {
            (None, Some(user)) => list_mut(self.container(place)?, "env")?.insert(user, wanted),
            (at, _) => put(self.container(place)?, "env", at, wanted)?,
        }
        Ok(Some(effect))
    }

    pub(super) fn set_source(
        &mut self,
        place: &Place,
        secret: &str,
        prefix: &str,
        wanted: Value,
    ) -> Result<Option<Effect>> {
        let sources = list(self.container(place)?, "envFrom");
        let is_same =
            |entry: &Value| text(&entry["secretRef"], "name") == secret && text(entry, "prefix") == prefix;
        let at = sources.iter().position(is_same);
        let optional = |entry: &Value| is_true(&entry["secretRef"], "optional");
        if at.is_some_and(|at| optional(&sources[at]) == optional(&wanted)) {
            return Ok(None);
        }
        let effect = match at {
            Some(_) if optional(&wanted) => {
                self.replace(place, &format!("all keys of secret {secret:?} as env, and not as optional"))?
            }
            Some(_) => {
                self.replace(place, &format!("all keys of secret {secret:?} as env, but as optional"))?
            }
            None => Effect::Added,
        };
        put(self.container(place)?, "envFrom", at, wanted)?;
        Ok(Some(effect))
    }
}

/// Returns the entry without fields that have their default.
fn without_defaults(entry: &Value) -> Value {
    let mut entry = entry.clone();
    if entry["value"] == ""
        && let Some(entry) = entry.as_object_mut()
    {
        entry.remove("value");
    }
    let selector = entry.pointer_mut("/valueFrom/secretKeyRef").and_then(Value::as_object_mut);
    if let Some(selector) = selector
        && matches!(selector.get("optional"), Some(Value::Bool(false) | Value::Null))
    {
        selector.remove("optional");
    }
    entry
}
