//! Rules for a Secret.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::Value;

use super::not_a_key;
use crate::api::failure::Cause;
use crate::api::store::text;

/// The limit in bytes for all values together.
const MOST_BYTES: usize = 1024 * 1024;

/// Returns the faults of a Secret, and of changing `old` into it.
pub(super) fn validate(old: Option<&Value>, new: &Value) -> Vec<Cause> {
    let mut causes = old.map_or_else(Vec::new, |old| immutable(old, new));
    let mut bytes = 0;
    for (key, value) in new["data"].as_object().into_iter().flatten() {
        bytes += decoded(value).len();
        causes.extend(not_a_key(key).map(|why| Cause::invalid(format!("data[{key}]"), key, why)));
    }
    if bytes > MOST_BYTES {
        let message = format!("Too long: may not be more than {MOST_BYTES} bytes");
        causes.push(Cause::new("FieldValueTooLong", "data", message));
    }
    causes.extend(missing_for_type(new));
    causes
}

fn immutable(old: &Value, new: &Value) -> Vec<Cause> {
    let mut causes = Vec::new();
    if old["type"] != new["type"] {
        causes.push(Cause::invalid("type", text(new, "/type"), "field is immutable"));
    }
    if old["immutable"] == true {
        let why = "field is immutable when `immutable` is set";
        if new["immutable"] != true {
            causes.push(Cause::forbidden("immutable", why));
        }
        if old["data"] != new["data"] {
            causes.push(Cause::forbidden("data", why));
        }
    }
    causes
}

fn missing_for_type(secret: &Value) -> Vec<Cause> {
    let has = |key: &str| secret["data"].get(key).is_some();
    let missing = |key: &str| (!has(key)).then(|| Cause::required(format!("data[{key}]"), ""));
    match text(secret, "/type") {
        "kubernetes.io/tls" => ["tls.crt", "tls.key"].into_iter().filter_map(missing).collect(),
        "kubernetes.io/ssh-auth" if decoded(&secret["data"]["ssh-privatekey"]).is_empty() => {
            vec![Cause::required("data[ssh-privatekey]".to_owned(), "")]
        }
        "kubernetes.io/basic-auth" if !has("username") && !has("password") => {
            ["username", "password"].into_iter().filter_map(missing).collect()
        }
        "kubernetes.io/dockerconfigjson" => docker_config(secret, ".dockerconfigjson").into_iter().collect(),
        "kubernetes.io/dockercfg" => docker_config(secret, ".dockercfg").into_iter().collect(),
        "kubernetes.io/service-account-token" => {
            let field = "metadata.annotations[kubernetes.io/service-account.name]";
            let account = &secret["metadata"]["annotations"]["kubernetes.io/service-account.name"];
            if account.as_str().is_some_and(|name| !name.is_empty()) {
                Vec::new()
            } else {
                vec![Cause::required(field, "")]
            }
        }
        _ => Vec::new(),
    }
}

fn docker_config(secret: &Value, key: &str) -> Option<Cause> {
    let field = format!("data[{key}]");
    let Some(value) = secret["data"].get(key) else { return Some(Cause::required(field, "")) };
    let value = decoded(value);
    let why = match (serde_json::from_slice::<Value>(&value), value.first()) {
        (Ok(Value::Object(_) | Value::Null), _) => return None,
        (Ok(_), _) => "json: cannot unmarshal into Go value of type map[string]interface {}".to_owned(),
        (Err(_), None) => "unexpected end of JSON input".to_owned(),
        (Err(_), Some(first)) => {
            format!("invalid character '{}' looking for beginning of value", char::from(*first))
        }
    };
    Some(Cause::invalid(field, "<secret contents redacted>", &why))
}

fn decoded(value: &Value) -> Vec<u8> {
    BASE64_STANDARD.decode(value.as_str().unwrap_or_default()).unwrap_or_default()
}
