//! Rules for names, variables, files and secrets in a pod's spec.

use serde_json::Value;

use super::{duplicates, each, not_a_key};
use crate::api::failure::Cause;
use crate::api::metadata::{not_a_label, not_a_subdomain};
use crate::api::store::text;

/// Returns the faults of a pod's spec at `field`.
pub(super) fn validate(field: &str, spec: &Value) -> Vec<Cause> {
    let mut causes = volumes(field, &spec["volumes"]);
    let volumes: Vec<&str> =
        spec["volumes"].as_array().into_iter().flatten().map(|volume| text(volume, "/name")).collect();
    for list in ["containers", "initContainers"] {
        let at = format!("{field}.{list}");
        if list == "containers" && spec[list].as_array().is_none_or(Vec::is_empty) {
            causes.push(Cause::required(at.clone(), ""));
        }
        for (path, container) in each(&at, &spec[list]) {
            causes.extend(validate_container(&path, container, &volumes));
        }
        duplicates(&at, &spec[list], "name", &mut causes);
    }
    causes
}

/// Refuses changes of an existing pod other than images and a few more fields.
pub(super) fn validate_update(old: &Value, new: &Value) -> Option<Cause> {
    const WHY: &str = "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)";
    (frozen(old) != frozen(new)).then(|| Cause::forbidden("spec", WHY))
}

fn frozen(spec: &Value) -> Value {
    let mut spec = spec.clone();
    for list in ["containers", "initContainers"] {
        for container in spec.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten() {
            container["image"] = Value::Null;
        }
    }
    for field in ["activeDeadlineSeconds", "tolerations", "terminationGracePeriodSeconds"] {
        spec[field] = Value::Null;
    }
    spec
}

fn volumes(field: &str, list: &Value) -> Vec<Cause> {
    let mut causes = Vec::new();
    let mut seen = Vec::new();
    for (path, volume) in each(&format!("{field}.volumes"), list) {
        let name = text(volume, "/name");
        if volume["secret"].is_object() {
            causes.extend(secret_volume(&format!("{path}.secret"), &volume["secret"]));
        }
        let at = format!("{path}.name");
        if name.is_empty() {
            causes.push(Cause::required(at, ""));
        } else if let Some(why) = not_a_label(name) {
            causes.push(Cause::invalid(at, name, &why));
        } else if seen.contains(&name) {
            causes.push(Cause::duplicate(at, name));
        }
        seen.push(name);
    }
    causes
}

fn secret_volume(field: &str, source: &Value) -> Vec<Cause> {
    let mut causes = Vec::new();
    if text(source, "/secretName").is_empty() {
        causes.push(Cause::required(format!("{field}.secretName"), ""));
    }
    let octal = "must be a number between 0 and 0777 (octal), both inclusive";
    let mode = |value: &Value| value.as_i64().is_some_and(|mode| !(0..=0o777).contains(&mode));
    if mode(&source["defaultMode"]) {
        causes.push(Cause::invalid_json(format!("{field}.defaultMode"), &source["defaultMode"], octal));
    }
    for (path, item) in each(&format!("{field}.items"), &source["items"]) {
        if text(item, "/key").is_empty() {
            causes.push(Cause::required(format!("{path}.key"), ""));
        }
        let (at, file) = (format!("{path}.path"), text(item, "/path"));
        if file.is_empty() {
            causes.push(Cause::required(at, ""));
        } else if file.starts_with('/') {
            causes.push(Cause::invalid(at, file, "must be a relative path"));
        } else if file.split('/').any(|part| part == "..") {
            causes.push(Cause::invalid(at, file, "must not contain '..'"));
        } else if file.starts_with("..") {
            causes.push(Cause::invalid(at, file, "must not start with '..'"));
        }
        if mode(&item["mode"]) {
            causes.push(Cause::invalid_json(format!("{path}.mode"), &item["mode"], octal));
        }
    }
    causes
}

fn validate_container(field: &str, container: &Value, volumes: &[&str]) -> Vec<Cause> {
    let mut causes = Vec::new();
    let name = text(container, "/name");
    if name.is_empty() {
        causes.push(Cause::required(format!("{field}.name"), ""));
    } else if let Some(why) = not_a_label(name) {
        causes.push(Cause::invalid(format!("{field}.name"), name, &why));
    }
    if text(container, "/image").is_empty() {
        causes.push(Cause::required(format!("{field}.image"), ""));
    }
    for (path, variable) in each(&format!("{field}.env"), &container["env"]) {
        causes.extend(validate_variable(&path, variable));
    }
    let all = format!("{field}.envFrom");
    for (path, source) in each(&all, &container["envFrom"]) {
        causes.extend(validate_env_from(&all, &path, source));
    }
    let mut paths = Vec::new();
    for (path, mount) in each(&format!("{field}.volumeMounts"), &container["volumeMounts"]) {
        let (volume, mounted_at) = (text(mount, "/name"), text(mount, "/mountPath"));
        if volume.is_empty() {
            causes.push(Cause::required(format!("{path}.name"), ""));
        } else if !volumes.contains(&volume) {
            causes.push(Cause::not_found(format!("{path}.name"), volume));
        }
        if mounted_at.is_empty() {
            causes.push(Cause::required(format!("{path}.mountPath"), ""));
        } else if paths.contains(&mounted_at) {
            causes.push(Cause::invalid(format!("{path}.mountPath"), mounted_at, "must be unique"));
        }
        paths.push(mounted_at);
    }
    causes
}

fn validate_variable(field: &str, variable: &Value) -> Vec<Cause> {
    let mut causes = Vec::new();
    let name = text(variable, "/name");
    if name.is_empty() {
        causes.push(Cause::required(format!("{field}.name"), ""));
    } else {
        causes.extend(not_a_variable(name).map(|why| Cause::invalid(format!("{field}.name"), name, why)));
    }
    let Some(source) = variable.get("valueFrom").filter(|source| !source.is_null()) else { return causes };
    let at = format!("{field}.valueFrom");
    let none = source.as_object().is_none_or(|source| source.values().all(Value::is_null));
    if none {
        let why = "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`";
        causes.push(Cause::invalid(at, "", why));
        return causes;
    }
    if !text(variable, "/value").is_empty() {
        causes.push(Cause::invalid(at.clone(), "", "may not be specified when `value` is not empty"));
        return causes;
    }
    for kind in ["secretKeyRef", "configMapKeyRef"] {
        if source[kind].is_object() {
            causes.extend(validate_key_reference(&format!("{at}.{kind}"), &source[kind]));
        }
    }
    causes
}

fn validate_key_reference(field: &str, reference: &Value) -> Vec<Cause> {
    let (name, key) = (text(reference, "/name"), text(reference, "/key"));
    let mut causes = Vec::new();
    causes.extend(not_a_subdomain(name).map(|why| Cause::invalid(format!("{field}.name"), name, &why)));
    if key.is_empty() {
        causes.push(Cause::required(format!("{field}.key"), ""));
    } else {
        causes.extend(not_a_key(key).map(|why| Cause::invalid(format!("{field}.key"), key, why)));
    }
    causes
}

fn validate_env_from(all: &str, field: &str, source: &Value) -> Vec<Cause> {
    let mut causes = Vec::new();
    let prefix = text(source, "/prefix");
    if !prefix.is_empty() {
        causes
            .extend(not_a_variable(prefix).map(|why| Cause::invalid(format!("{field}.prefix"), prefix, why)));
    }
    let kinds: Vec<&str> =
        ["configMapRef", "secretRef"].into_iter().filter(|kind| source[*kind].is_object()).collect();
    if kinds.is_empty() {
        causes.push(Cause::invalid(all, "", "must specify one of: `configMapRef` or `secretRef`"));
    }
    for kind in kinds {
        let (at, name) = (format!("{field}.{kind}.name"), text(&source[kind], "/name"));
        if name.is_empty() {
            causes.push(Cause::required(at, ""));
        } else {
            causes.extend(not_a_subdomain(name).map(|why| Cause::invalid(at, name, &why)));
        }
    }
    causes
}

/// Accepts printable ASCII without `=`, as since Kubernetes 1.34.
fn not_a_variable(name: &str) -> Option<&'static str> {
    const WHY: &str =
        "a valid environment variable name must consist only of printable ASCII characters other than '='";
    let fits = name.bytes().all(|byte| (b' '..=b'~').contains(&byte) && byte != b'=');
    (!fits).then_some(WHY)
}
