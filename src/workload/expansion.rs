//! `$(NAME)` in env values, commands and arguments, as the kubelet reads it
//! (k8s.io/kubernetes, `third_party/forked/golang/expansion`).

use std::sync::Arc;

use serde_json::Value;

use super::tree::{list, text};

/// Returns the names that a text refers to. `$$` stands for a dollar sign, so that `$$(NAME)` is plain text.
pub(super) fn referred(text: &str) -> Vec<&str> {
    let mut names = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        rest = &rest[at + 1..];
        let Some(next) = rest.chars().next() else { break };
        rest = &rest[next.len_utf8()..];
        if next == '(' {
            // Without an end this is plain text, and so is all that follows.
            let Some((name, after)) = rest.split_once(')') else { break };
            names.push(name);
            rest = after;
        }
    }
    names
}

/// Returns what a container sees of a text that refers to no variable: `$$` stands for a dollar sign.
pub(super) fn unescaped(text: &str) -> Vec<u8> {
    // Large enough, so that no copy is left in freed memory.
    let mut seen = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        seen.push(byte);
        if byte == b'$' {
            seen.extend(bytes.next().filter(|next| *next != b'$'));
        }
    }
    seen
}

/// Returns true if the value of an entry of `env` refers to a variable.
pub(super) fn refers_to(entry: &Value, variable: &str) -> bool {
    referred(text(entry, "value")).contains(&variable)
}

/// Returns true if `envFrom` may give a container this variable: those come before all of `env`.
pub(super) fn may_come_of_a_source(container: &Value, variable: &str) -> bool {
    list(container, "envFrom").iter().any(|source| variable.starts_with(text(source, "prefix")))
}

/// How many entries of `envFrom` are asked for a variable. What more than these give is not known.
const MOST_SOURCES: usize = 100;

/// What `envFrom` gives a container, before all of `env`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Sources {
    /// The prefix of each, and its secret; none for a config map.
    all: Arc<[(String, Option<String>)]>,
    are_too_many: bool,
}

/// Tells whether a container gets a variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Given {
    No,
    Perhaps,
    Yes,
}

impl Sources {
    pub(super) fn of(container: &Value) -> Self {
        let all = list(container, "envFrom");
        let source = |source: &Value| {
            let secret =
                source["secretRef"].is_object().then(|| text(&source["secretRef"], "name").to_owned());
            (text(source, "prefix").to_owned(), secret)
        };
        Self {
            all: all.iter().take(MOST_SOURCES).map(source).collect(),
            are_too_many: all.len() > MOST_SOURCES,
        }
    }

    /// Tells whether one of them gives a variable. `has_key` knows whether a secret has a key, or does not.
    pub(super) fn give(&self, variable: &str, has_key: impl Fn(&str, &str) -> Option<bool>) -> Given {
        let of_source = |(prefix, secret): &(String, Option<String>)| {
            let Some(key) = variable.strip_prefix(prefix.as_str()) else { return Given::No };
            match secret.as_ref().and_then(|secret| has_key(secret, key)) {
                Some(true) => Given::Yes,
                Some(false) => Given::No,
                None => Given::Perhaps,
            }
        };
        let more = if self.are_too_many { Given::Perhaps } else { Given::No };
        self.all.iter().map(of_source).max().unwrap_or(Given::No).max(more)
    }
}

/// Lists the parts of a container that refer to a variable: `env URL`, `the command`, `the args`.
pub(super) fn users_of(container: &Value, variable: &str) -> Vec<String> {
    let env = list(container, "env").iter().filter(|entry| refers_to(entry, variable));
    let env = env.map(|entry| format!("env {}", text(entry, "name")));
    let words = [("command", "the command"), ("args", "the args")].into_iter().filter_map(|(field, what)| {
        let mut words = list(container, field).iter().filter_map(Value::as_str);
        words.any(|word| referred(word).contains(&variable)).then(|| what.to_owned())
    });
    env.chain(words).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn names_are_read_as_the_kubelet_reads_them() {
        for (text, names) in [
            ("", &[][..]),
            ("$(A)", &["A"]),
            ("x$(A)$(B)y", &["A", "B"]),
            ("$$(A)", &[]),
            ("$$$(A)", &["A"]),
            ("$$$$(A)", &[]),
            ("$(A", &[]),
            ("$(A$(B)", &["A$(B"]),
            ("$(A)$(B", &["A"]),
            ("$$(A)$é$(B)", &["B"]),
            ("$A $é(B) ${C} $", &[]),
            ("$()", &[""]),
            ("$x$(A)", &["A"]),
        ] {
            assert_eq!(referred(text), names, "{text}");
        }
    }

    #[test]
    fn a_source_gives_the_keys_of_its_secret_and_a_config_map_perhaps_anything() {
        let has_key = |secret: &str, key: &str| (secret == "known").then_some(key == "PW");
        let given = |sources: Value, variable: &str| {
            Sources::of(&json!({"envFrom": sources})).give(variable, has_key)
        };
        let known = json!({"secretRef": {"name": "known"}});
        assert_eq!(given(json!([]), "PW"), Given::No);
        assert_eq!(given(json!([known]), "PW"), Given::Yes);
        assert_eq!(given(json!([known]), "HOST"), Given::No);
        assert_eq!(given(json!([{"prefix": "P_", "secretRef": {"name": "known"}}]), "P_PW"), Given::Yes);
        assert_eq!(given(json!([{"prefix": "P_", "configMapRef": {"name": "c"}}]), "PW"), Given::No);
        assert_eq!(given(json!([known, {"configMapRef": {"name": "c"}}]), "HOST"), Given::Perhaps);
        assert_eq!(given(json!([known, {"secretRef": {"name": "other"}}]), "HOST"), Given::Perhaps);
        assert_eq!(given(json!(vec![known.clone(); MOST_SOURCES + 1]), "HOST"), Given::Perhaps);
    }

    #[test]
    fn users_of_a_variable_are_named_wherever_they_stand() {
        let container = json!({"env": [{"name": "URL", "value": "u:$(PW)@h"}, {"name": "X", "value": "$$(PW)"}],
            "command": ["sh", "-c", "echo $(PW)"], "args": [1, "$PW"], "envFrom": [{"prefix": "P"}]});
        assert_eq!(users_of(&container, "PW"), ["env URL", "the command"]);
        assert!(may_come_of_a_source(&container, "PW") && !may_come_of_a_source(&container, "XPW"));
    }
}
