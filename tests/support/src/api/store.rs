//! The content of the cluster: objects, a revision, users; and the events a moment after a deletion.

use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::call::User;
use super::resources::{self, Resource};

/// The duration of garbage collection and of the end of a namespace; the real ones take about as long.
const A_MOMENT: Duration = Duration::from_millis(100);

/// Plural with group, namespace, name: the order of a list.
pub(crate) type Key = (String, String, String);

#[derive(Clone)]
pub(crate) struct State {
    pub(crate) objects: BTreeMap<Key, Value>,
    pub(crate) revision: u64,
    pub(crate) resources: Vec<Resource>,
    pub(crate) users: HashMap<String, User>,
    /// Objects that a controller is about to let go.
    leaving: Vec<(Instant, Key)>,
}

/// Tells whether a namespace that is being deleted is empty.
#[derive(PartialEq, Eq)]
enum Content {
    Gone,
    Left,
}

impl State {
    pub(crate) fn new(admin_token: &str) -> Self {
        let mut state = Self {
            objects: BTreeMap::new(),
            revision: 100,
            resources: resources::built_in(),
            users: HashMap::new(),
            leaving: Vec::new(),
        };
        state.add_user(admin_token, "admin", &["system:masters"]);
        for name in ["default", "kube-system"] {
            let namespace = json!({
                "kind": "Namespace", "apiVersion": "v1", "status": {"phase": "Active"},
                "metadata": {
                    "name": name, "uid": random_uid(), "creationTimestamp": now(),
                    "labels": {"kubernetes.io/metadata.name": name},
                },
            });
            state.put(("namespaces".into(), String::new(), name.into()), namespace);
        }
        state
    }

    pub(crate) fn add_user(&mut self, token: &str, name: &str, groups: &[&str]) {
        let groups = groups.iter().copied().chain(["system:authenticated"]).map(str::to_owned).collect();
        self.users.insert(token.to_owned(), User { name: name.to_owned(), groups });
    }

    /// Stores an object under the next revision, and returns it as stored.
    pub(crate) fn put(&mut self, key: Key, mut object: Value) -> Value {
        self.revision += 1;
        object["metadata"]["resourceVersion"] = self.revision.to_string().into();
        self.objects.insert(key, object.clone());
        object
    }

    /// Removes an object and its dependents.
    pub(crate) fn remove(&mut self, key: &Key) {
        let Some(object) = self.objects.remove(key) else { return };
        self.revision += 1;
        self.collect_dependents(text(&object, "/metadata/uid"), &key.1);
    }

    /// Lets an object that is marked as deleted leave in a moment.
    pub(crate) fn remove_soon(&mut self, key: Key) {
        self.leaving.push((Instant::now() + A_MOMENT, key));
    }

    /// Makes delayed events due.
    pub(crate) fn hurry(&mut self) {
        let now = Instant::now();
        self.leaving.iter_mut().for_each(|(at, _)| *at = now);
    }

    /// Carries out the events that controllers would have caused by now.
    pub(crate) fn sweep(&mut self) {
        let now = Instant::now();
        let (due, later) = self.leaving.drain(..).partition(|(at, _)| *at <= now);
        self.leaving = later;
        for (_, key) in due {
            self.let_go(&key);
        }
    }

    /// Removes the garbage collector's finalizer; the object goes if it was the last one.
    fn let_go(&mut self, key: &Key) {
        let Some(object) = self.objects.get_mut(key) else { return };
        if object.pointer("/metadata/deletionTimestamp").is_none() {
            return;
        }
        if key.0 == "namespaces" && self.empty_namespace(&key.2) == Content::Left {
            return self.remove_soon(key.clone());
        }
        let Some(object) = self.objects.get_mut(key) else { return };
        let (uid, mut orphans, mut others) = (text(object, "/metadata/uid").to_owned(), false, false);
        if let Some(finalizers) = object["metadata"]["finalizers"].as_array_mut() {
            orphans = finalizers.iter().any(|name| name == "orphan");
            finalizers.retain(|name| name != "foregroundDeletion" && name != "orphan");
            others = !finalizers.is_empty();
        }
        if orphans {
            self.orphan_dependents(&uid);
        }
        if others {
            self.collect_dependents(&uid, &key.1);
        } else {
            self.remove(key);
        }
    }

    /// Deletes the content of a namespace. Objects with finalizers stay until somebody removes them.
    fn empty_namespace(&mut self, name: &str) -> Content {
        let inside: Vec<Key> = self.objects.keys().filter(|key| key.1 == name).cloned().collect();
        let mut content = Content::Gone;
        for key in inside {
            let object = self.objects.get_mut(&key).expect("a key that was just listed");
            if object["metadata"]["finalizers"].as_array().is_none_or(Vec::is_empty) {
                self.remove(&key);
            } else {
                content = Content::Left;
                if object["metadata"]["deletionTimestamp"].is_null() {
                    object["metadata"]["deletionTimestamp"] = now().into();
                }
            }
        }
        content
    }

    fn collect_dependents(&mut self, uid: &str, namespace: &str) {
        let owned: Vec<Key> = self
            .objects
            .iter()
            .filter(|((_, inside, _), object)| inside == namespace && is_owned_by(object, uid))
            .map(|(key, _)| key.clone())
            .collect();
        for key in owned {
            self.remove(&key);
        }
    }

    fn orphan_dependents(&mut self, uid: &str) {
        for object in self.objects.values_mut().filter(|object| is_owned_by(object, uid)) {
            if let Some(owners) = object["metadata"]["ownerReferences"].as_array_mut() {
                owners.retain(|owner| owner["uid"] != uid);
            }
        }
    }
}

fn is_owned_by(object: &Value, uid: &str) -> bool {
    !uid.is_empty()
        && object["metadata"]["ownerReferences"]
            .as_array()
            .is_some_and(|owners| owners.iter().any(|owner| owner["uid"] == uid))
}

/// Returns the text at a JSON pointer; empty if there is none.
pub(crate) fn text<'a>(object: &'a Value, pointer: &str) -> &'a str {
    object.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

/// Returns the time as Kubernetes writes it, in whole seconds.
pub(crate) fn now() -> String {
    jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// Returns 64 random bits: the standard library seeds each `RandomState` anew.
pub(crate) fn random() -> u64 {
    RandomState::new().build_hasher().finish()
}

pub(crate) fn random_uid() -> String {
    let (high, low) = (random(), random());
    format!(
        "{:08x}-{:04x}-4{:03x}-a{:03x}-{:012x}",
        high >> 32,
        (high >> 16) & 0xffff,
        high & 0xfff,
        low >> 52,
        low & 0xffff_ffff_ffff
    )
}
