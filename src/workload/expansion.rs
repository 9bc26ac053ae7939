//! `$(NAME)` in env values, commands and arguments, as the kubelet reads it
//! (k8s.io/kubernetes, `third_party/forked/golang/expansion`).

use serde_json::Value;

use super::tree::{list, text};

/// Returns the names that a text refers to. `$$` stands for a dollar sign, so that `$$(NAME)` is plain text.
pub(super) fn referred(text: &str) -> Vec<&str> {
    let mut names = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        rest = &rest[at + 1..];
        let Some(next) = rest.chars().next() else { break };
        rest = match (next, rest.find(')')) {
            ('(', Some(end)) => {
                names.push(&rest[1..end]);
                &rest[end + 1..]
            }
            _ => &rest[next.len_utf8()..],
        };
    }
    names
}

/// Returns true if the value of an entry of `env` refers to a variable.
pub(super) fn refers_to(entry: &Value, variable: &str) -> bool {
    referred(text(entry, "value")).contains(&variable)
}

/// Returns true if `envFrom` may give a container this variable: those come before all of `env`.
pub(super) fn may_come_of_a_source(container: &Value, variable: &str) -> bool {
    list(container, "envFrom").iter().any(|source| variable.starts_with(text(source, "prefix")))
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
            ("$A $é(B) ${C} $", &[]),
            ("$()", &[""]),
            ("$x$(A)", &["A"]),
        ] {
            assert_eq!(referred(text), names, "{text}");
        }
    }

    #[test]
    fn users_of_a_variable_are_named_wherever_they_stand() {
        let container = json!({"env": [{"name": "URL", "value": "u:$(PW)@h"}, {"name": "X", "value": "$$(PW)"}],
            "command": ["sh", "-c", "echo $(PW)"], "args": [1, "$PW"], "envFrom": [{"prefix": "P"}]});
        assert_eq!(users_of(&container, "PW"), ["env URL", "the command"]);
        assert!(may_come_of_a_source(&container, "PW") && !may_come_of_a_source(&container, "XPW"));
    }
}
