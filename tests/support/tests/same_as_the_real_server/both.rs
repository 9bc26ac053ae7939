//! Asks both servers the same, and compares.

use serde_json::{Map, Value, json};
use support::World;

pub(crate) const MERGE: &str = "application/merge-patch+json";
pub(crate) const STRATEGIC: &str = "application/strategic-merge-patch+json";
pub(crate) const APPLY: &str = "application/apply-patch+yaml";
pub(crate) const JSON_PATCH: &str = "application/json-patch+json";
pub(crate) const JSON: &str = "application/json";

/// Sends requests to both servers, and collects where the answers differ.
pub(crate) struct Both {
    pub(crate) worlds: [World; 2],
    pub(crate) tokens: [String; 2],
    /// What is replaced in the answers before they are compared: names that differ by design.
    names: [Vec<(String, &'static str)>; 2],
    pub(crate) accept: &'static str,
    differences: Vec<String>,
}

impl Both {
    pub(crate) fn new() -> Self {
        let worlds = [World::in_process(), World::real()];
        let tokens = [0, 1].map(|at: usize| worlds[at].admin_token().to_owned());
        let names = [0, 1].map(|at: usize| vec![(worlds[at].namespace("a"), "NAMESPACE")]);
        Self { worlds, tokens, names, accept: JSON, differences: Vec::new() }
    }

    /// Goes on as a user with these rules.
    pub(crate) fn as_user(&mut self, rules: &Value) {
        for at in [0, 1] {
            let user = self.worlds[at].user("u");
            self.worlds[at].grant(&user, Some(&self.worlds[at].namespace("a")), rules);
            self.tokens[at] = user.token;
            self.names[at].push((user.name, "USER"));
        }
    }

    /// One request to both; `@` in the path and the body stands for the namespace. The answers, normalised.
    pub(crate) fn ask(&mut self, kind: &str, line: &str, body: &str) -> Value {
        let (method, path) = line.split_once(' ').expect("a method and a path");
        let headers = [("content-type", kind), ("accept", self.accept)];
        let answers = [0, 1].map(|at: usize| {
            let namespace = self.names[at][0].0.as_str();
            let (path, body) = (path.replace('@', namespace), body.replace('@', namespace));
            let (status, answer) = self.worlds[at].ask(&self.tokens[at], method, &path, &headers, &body);
            let mut text = json!({"status code": status, "body": answer}).to_string();
            for (name, stands_for) in &self.names[at] {
                text = text.replace(name.as_str(), stands_for);
            }
            let mut answer: Value = serde_json::from_str(&text).expect("JSON stays JSON");
            normalise(&mut answer);
            answer
        });
        if answers[0] != answers[1] {
            let [fake, real] = &answers;
            self.differences.push(format!("{line} {body}\n  in process: {fake}\n  real:       {real}\n"));
        }
        let [_, real] = answers;
        real
    }

    pub(crate) fn post(&mut self, path: &str, body: &Value) -> Value {
        self.ask(JSON, &format!("POST {path}"), &body.to_string())
    }

    pub(crate) fn get(&mut self, path: &str) -> Value {
        self.ask(JSON, &format!("GET {path}"), "")
    }

    pub(crate) fn patch(&mut self, kind: &str, path: &str, body: &Value) -> Value {
        self.ask(kind, &format!("PATCH {path}"), &body.to_string())
    }

    #[track_caller]
    pub(crate) fn agree(self) {
        assert!(self.differences.is_empty(), "\n{}", self.differences.join("\n"));
    }
}

/// Takes out what no two servers share: times, identities, revisions, and Go's way of printing structures.
pub(crate) fn normalise(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            let fields_of_a_review = fields.get("kind").is_some_and(|kind| kind == "SelfSubjectAccessReview");
            let job = fields.get("kind").is_some_and(|kind| kind == "Job");
            let secret = fields.get("kind").is_none_or(|kind| kind == "Secret");
            hide_ages(fields);
            for (key, field) in fields.iter_mut() {
                match key.as_str() {
                    "uid" | "resourceVersion" | "time" | "creationTimestamp" | "deletionTimestamp"
                    | "continue" => {
                        *field = "…".into();
                    }
                    // The in-process server sees fewer fields in a list.
                    "metadata" if !secret => without(field, "managedFields"),
                    // They stand in the order of their times, which are in seconds.
                    "managedFields" => field.as_array_mut().into_iter().for_each(|entries| {
                        entries.sort_by_key(|entry| format!("{} {}", entry["manager"], entry["operation"]));
                    }),
                    // Long texts of the documentation, and the columns of `-o wide`.
                    "columnDefinitions" => field.as_array_mut().into_iter().flatten().for_each(|column| {
                        without(column, "description");
                    }),
                    // The real one's controller may have looked at it already.
                    "status" if job => *field = "…".into(),
                    // Which binding allows it.
                    "status" if fields_of_a_review => without(field, "reason"),
                    "message" => *field = shortened(field.as_str().unwrap_or_default()).into(),
                    _ => {}
                }
                normalise(field);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(normalise),
        Value::String(text) => *text = without_uids(text),
        _ => {}
    }
}

/// A Table's ages: two servers that are asked one after the other may answer in different seconds.
fn hide_ages(table: &mut Map<String, Value>) {
    let columns = table.get("columnDefinitions").and_then(Value::as_array);
    let age = columns.and_then(|columns| columns.iter().position(|column| column["name"] == "Age"));
    let Some(age) = age else { return };
    for row in table.get_mut("rows").and_then(Value::as_array_mut).into_iter().flatten() {
        row["cells"][age] = "…".into();
    }
}

pub(crate) fn without(value: &mut Value, key: &str) {
    if let Some(fields) = value.as_object_mut() {
        fields.remove(key);
    }
}

/// `Invalid value: {…}: field is immutable`
pub(crate) fn shortened(message: &str) -> String {
    let mut short = String::new();
    let mut rest = message;
    while let Some(at) = rest.find("Invalid value: {") {
        short.push_str(&rest[..at]);
        short.push_str("Invalid value: {…}");
        let tail = &rest[at..];
        // Structures end in the last `}: ` before the next finding.
        let next = tail[1..].find("Invalid value: ").map_or(tail.len(), |next| next + 1);
        let end = tail[..next].rfind("}: ").map_or(next, |end| end + 1);
        rest = &tail[end..];
    }
    short + rest
}

pub(crate) fn without_uids(text: &str) -> String {
    let is_uid = |word: &str| word.len() == 36 && word.bytes().filter(|byte| *byte == b'-').count() == 4;
    let is_revision = |word: &str| word.len() > 2 && word.bytes().all(|byte| byte.is_ascii_digit());
    let words: Vec<&str> = text.split_inclusive(['"', '\'', ' ', '(', ')', '=']).collect();
    words
        .into_iter()
        .map(|word| {
            let bare = word.trim_end_matches(['"', '\'', ' ', '(', ')', '=']);
            if is_uid(bare) || (text.contains("in record (") && is_revision(bare)) {
                word.replace(bare, "UID")
            } else {
                word.to_owned()
            }
        })
        .collect()
}

pub(crate) fn on_both(requests: impl FnOnce(&mut Both)) {
    let mut both = Both::new();
    requests(&mut both);
    both.agree();
}

pub(crate) const SECRETS: &str = "/api/v1/namespaces/@/secrets";
pub(crate) const JOBS: &str = "/apis/batch/v1/namespaces/@/jobs";
pub(crate) const DEPLOYMENTS: &str = "/apis/apps/v1/namespaces/@/deployments";

pub(crate) fn named(name: &str, more: &Value) -> Value {
    let mut object = json!({"metadata": {"name": name}});
    for (key, value) in more.as_object().into_iter().flatten() {
        object[key] = value.clone();
    }
    object
}

pub(crate) fn job(name: &str, spec: &Value) -> Value {
    let pod = json!({"restartPolicy": "Never", "containers": [{
        "name": "m", "image": "i:1", "env": [{"name": "A", "value": "1"}],
    }]});
    let mut job = json!({"metadata": {"name": name}, "spec": {"template": {"spec": pod}}});
    for (key, value) in spec.as_object().into_iter().flatten() {
        job["spec"][key] = value.clone();
    }
    job
}
