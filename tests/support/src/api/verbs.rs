//! The verbs: get, list, create, update, patch, delete.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::call::Call;
use super::failure::{Cause, Failure, details};
use super::fields::{self, Force};
use super::resources::Resource;
use super::store::{Key, State, now, random, random_uid, text};
use super::write::{Tracking, decode, prepare};
use super::{Answer, patch, selectors, strategic, table};

fn key_of(resource: &Resource, namespace: &str, name: &str) -> Key {
    (resource.qualified_plural(), namespace.to_owned(), name.to_owned())
}

impl State {
    fn find(&self, resource: &Resource, call: &Call) -> Result<(Key, Value), Failure> {
        let key = key_of(resource, &call.target.in_namespace, &call.target.name);
        let object = self.objects.get(&key).cloned();
        object.map(|object| (key, object)).ok_or_else(|| Failure::not_found(resource, &call.target.name))
    }

    pub(crate) fn get(&self, resource: &Resource, call: &Call) -> Result<Answer, Failure> {
        let (_, object) = self.find(resource, call)?;
        Ok(Answer::ok(table::one(resource, call, object)))
    }

    pub(crate) fn list(&self, resource: &Resource, call: &Call) -> Result<Answer, Failure> {
        let start = match call.option("continue") {
            "" => None,
            token => Some(read_token(token)?),
        };
        let mut items = self.selected(resource, call)?;
        if let Some((namespace, name)) = &start {
            items.retain(|(key, _)| (&key.1, &key.2) > (namespace, name));
        }
        let mut metadata = json!({"resourceVersion": self.revision.to_string()});
        let limit = call.option("limit").parse().unwrap_or(0);
        if limit > 0 && items.len() > limit {
            let (_, namespace, name) = items[limit - 1].0;
            metadata["continue"] = BASE64_URL_SAFE_NO_PAD.encode(json!([namespace, name]).to_string()).into();
            if call.option("labelSelector").is_empty() && call.option("fieldSelector").is_empty() {
                metadata["remainingItemCount"] = (items.len() - limit).into();
            }
            items.truncate(limit);
        }
        let objects = items.into_iter().map(|(_, object)| object.clone()).collect();
        Ok(Answer::ok(table::many(resource, call, objects, &metadata)))
    }

    /// Returns the objects of a list, or of a deletion of many.
    fn selected(&self, resource: &Resource, call: &Call) -> Result<Vec<(&Key, &Value)>, Failure> {
        let labels = selectors::parse_labels(call.option("labelSelector"))?;
        let fields = selectors::parse_fields(call.option("fieldSelector"), resource)?;
        let namespace = &call.target.in_namespace;
        let plural = resource.qualified_plural();
        let of_type = self.objects.range((plural.clone(), String::new(), String::new())..);
        Ok(of_type
            .take_while(|(key, _)| key.0 == plural)
            .filter(|(key, _)| namespace.is_empty() || key.1 == *namespace)
            .filter(|(_, object)| {
                selectors::labels_match(&labels, object) && selectors::fields_match(&fields, object)
            })
            .collect())
    }

    pub(crate) fn create(&mut self, resource: &Resource, call: &Call) -> Result<Answer, Failure> {
        if call.target.subresource == "binding" {
            return self.bind(resource, call);
        }
        let object = decode(resource, call.json(&resource.kind)?)?;
        self.create_object(resource, call, object, Tracking::Update)
    }

    fn create_object(
        &mut self,
        resource: &Resource,
        call: &Call,
        mut object: Value,
        tracking: Tracking,
    ) -> Result<Answer, Failure> {
        let dry_run = call.dry_run()?;
        let namespace = call.target.in_namespace.clone();
        self.place(resource, &mut object, &namespace)?;
        let metadata = &mut object["metadata"];
        let prefix = text(metadata, "/generateName").to_owned();
        if text(metadata, "/name").is_empty() && !prefix.is_empty() {
            metadata["name"] = format!("{prefix}{}", five_letters()).into();
        }
        metadata["uid"] = random_uid().into();
        metadata["creationTimestamp"] = now().into();
        let object = prepare(resource, call, None, object, tracking)?;
        let name = text(&object, "/metadata/name").to_owned();
        let key = key_of(resource, &namespace, &name);
        match self.objects.get(&key) {
            Some(old) if old.pointer("/metadata/deletionTimestamp").is_some() => {
                return Err(Failure::being_deleted(resource, &name));
            }
            Some(_) => return Err(Failure::already_exists(resource, &name)),
            None => {}
        }
        let object = if dry_run { object } else { self.put(key, object) };
        self.serve_definition(resource, &object);
        Ok(Answer::created(table::one(resource, call, object)))
    }

    /// Puts a new object into the namespace of the request, which must exist.
    fn place(&self, resource: &Resource, object: &mut Value, namespace: &str) -> Result<(), Failure> {
        let Some(metadata) = object["metadata"].as_object_mut() else { return Ok(()) };
        for field in
            ["resourceVersion", "generation", "deletionTimestamp", "deletionGracePeriodSeconds", "selfLink"]
        {
            metadata.remove(field);
        }
        if !resource.namespaced {
            metadata.remove("namespace");
            return Ok(());
        }
        let said = metadata.get("namespace").and_then(Value::as_str).unwrap_or_default();
        if !said.is_empty() && said != namespace {
            return Err(Failure::bad_request(
                "the namespace of the provided object does not match the namespace sent on the request",
            ));
        }
        metadata.insert("namespace".into(), namespace.into());
        let namespaces =
            self.resources.iter().find(|resource| resource.is("Namespace")).expect("a built-in type");
        match self.objects.get(&key_of(namespaces, "", namespace)) {
            None => Err(Failure::not_found(namespaces, namespace)),
            Some(there) if there.pointer("/metadata/deletionTimestamp").is_some() => {
                Err(Failure::terminating(resource, text(object, "/metadata/name"), namespace))
            }
            Some(_) => Ok(()),
        }
    }

    /// Serves a `CustomResourceDefinition` from its creation on.
    fn serve_definition(&mut self, resource: &Resource, object: &Value) {
        if resource.is("CustomResourceDefinition") {
            self.define(object);
        }
    }

    /// Carries out `pods/binding`, a scheduler's decision.
    fn bind(&mut self, resource: &Resource, call: &Call) -> Result<Answer, Failure> {
        let binding = call.json("Binding")?;
        let (key, mut pod) = self.find(resource, call)?;
        pod["spec"]["nodeName"] = binding["target"]["name"].clone();
        self.put(key, pod);
        Ok(Answer::created(
            json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}),
        ))
    }

    pub(crate) fn update(&mut self, resource: &Resource, call: &Call) -> Result<Answer, Failure> {
        let object = decode(resource, call.json(&resource.kind)?)?;
        let (key, old) = self.find(resource, call)?;
        self.replace(resource, call, key, &old, object, Tracking::Update)
    }

    fn replace(
        &mut self,
        resource: &Resource,
        call: &Call,
        key: Key,
        old: &Value,
        mut new: Value,
        tracking: Tracking,
    ) -> Result<Answer, Failure> {
        let (name, said) = (call.target.name.as_str(), text(&new, "/metadata/name"));
        if said != name {
            return Err(Failure::bad_request(format!(
                "the name of the object ({said}) does not match the name on the URL ({name})"
            )));
        }
        let (uid, asked) = (text(old, "/metadata/uid"), text(&new, "/metadata/uid"));
        if !asked.is_empty() && asked != uid {
            return Err(Failure::other_uid(resource, &key.1, name, asked, uid));
        }
        let revision = text(&new, "/metadata/resourceVersion");
        if !revision.is_empty() && revision != text(old, "/metadata/resourceVersion") {
            return Err(Failure::modified(resource, name));
        }
        if resource.namespaced {
            new["metadata"]["namespace"] = key.1.clone().into();
        }
        let new = prepare(resource, call, Some(old), new, tracking)?;
        let new = self.store(key, call, Some(old), new)?;
        Ok(Answer::ok(table::one(resource, call, new)))
    }

    pub(crate) fn patch(&mut self, resource: &Resource, call: &Call) -> Result<Answer, Failure> {
        let kind = call.content_type.split(';').next().unwrap_or_default().trim();
        if kind.starts_with("application/apply-patch") {
            return self.apply(resource, call);
        }
        let (key, old) = self.find(resource, call)?;
        let changes = call.json(&resource.kind)?;
        let mut new = old.clone();
        match kind {
            "application/merge-patch+json" => patch::merge(&mut new, &changes),
            "application/strategic-merge-patch+json" if !resource.custom => {
                strategic::merge(&mut new, &changes);
            }
            "application/json-patch+json" => {
                new = patch::json_patch(new, &changes).ok_or_else(Failure::patch_does_not_fit)?;
            }
            _ => return Err(Failure::unsupported_media_type("415: Unsupported Media Type")),
        }
        // A field that became null is removed.
        let new = decode(resource, new)?;
        self.replace(resource, call, key, &old, new, Tracking::Update)
    }

    fn apply(&mut self, resource: &Resource, call: &Call) -> Result<Answer, Failure> {
        if call.option("fieldManager").is_empty() {
            let cause = Cause::required("fieldManager", "is required for apply patch");
            return Err(Failure::invalid("PatchOptions.meta.k8s.io", "", &[cause]));
        }
        let config = call.json(&resource.kind)?;
        if text(&config, "/kind").is_empty() {
            return Err(Failure::bad_request("invalid object type: /, Kind="));
        }
        let config = decode(resource, config)?;
        let force = if call.option("force") == "true" { Force::Yes } else { Force::No };
        let found = self.find(resource, call).ok();
        let live = found.as_ref().map(|(_, object)| object);
        let merged = fields::apply(live, &config, &call.manager, force)
            .map_err(|conflicts| Failure::apply_conflict(&conflicts))?;
        match found {
            Some((key, old)) => self.replace(resource, call, key, &old, merged, Tracking::Applied),
            None if config["metadata"]["uid"].is_string() => {
                Err(Failure::not_found(resource, &call.target.name))
            }
            None => self.create_object(resource, call, merged, Tracking::Applied),
        }
    }

    pub(crate) fn delete(&mut self, resource: &Resource, call: &Call) -> Result<Answer, Failure> {
        let options = if call.body.is_empty() { json!({}) } else { call.json("DeleteOptions")? };
        let (key, mut object) = self.find(resource, call)?;
        let name = call.target.name.as_str();
        check_preconditions(resource, name, &object, &options["preconditions"])?;
        let dry_run = call.dry_run()? || options["dryRun"].as_array().is_some_and(|list| !list.is_empty());
        let finalizer = finalizer(resource, call, &options);
        let grace =
            options["gracePeriodSeconds"].as_u64().or_else(|| call.option("gracePeriodSeconds").parse().ok());
        let on_a_node = resource.is("Pod") && !text(&object, "/spec/nodeName").is_empty() && grace != Some(0);
        let held = object.pointer("/metadata/finalizers").is_some();
        let stays = held || finalizer.is_some() || on_a_node || resource.is("Namespace");
        if !stays && !resource.is("Pod") {
            if !dry_run {
                self.remove(&key);
            }
            let mut details = details(name, &resource.group, &resource.plural);
            details["uid"] = object["metadata"]["uid"].clone();
            return Ok(Answer::ok(json!({
                "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details,
            })));
        }
        mark_deleted(&mut object, finalizer, if on_a_node { grace.unwrap_or(30) } else { 0 });
        if resource.is("Namespace") {
            object["status"]["phase"] = "Terminating".into();
        }
        if !dry_run {
            object = self.put(key.clone(), object);
            if !stays {
                self.remove(&key);
            } else if finalizer.is_some() || resource.is("Namespace") {
                self.remove_soon(key);
            }
        }
        Ok(Answer::ok(table::one(resource, call, object)))
    }

    pub(crate) fn delete_collection(&mut self, resource: &Resource, call: &Call) -> Result<Answer, Failure> {
        let list = self.list(resource, call)?;
        let keys: Vec<Key> = self.selected(resource, call)?.into_iter().map(|(key, _)| key.clone()).collect();
        if !call.dry_run()? {
            for key in &keys {
                self.remove(key);
            }
        }
        Ok(list)
    }
}

fn check_preconditions(
    resource: &Resource,
    name: &str,
    object: &Value,
    wanted: &Value,
) -> Result<(), Failure> {
    let (uid, revision) = (text(object, "/metadata/uid"), text(object, "/metadata/resourceVersion"));
    match (wanted["uid"].as_str(), wanted["resourceVersion"].as_str()) {
        (Some(asked), _) if asked != uid => {
            let why = format!(
                "the UID in the precondition ({asked}) does not match the UID in record ({uid}). \
                 The object might have been deleted and then recreated"
            );
            Err(Failure::precondition(resource, name, &why))
        }
        (_, Some(asked)) if asked != revision => {
            let why = format!(
                "the ResourceVersion in the precondition ({asked}) does not match the ResourceVersion in record \
                 ({revision}). The object might have been modified"
            );
            Err(Failure::precondition(resource, name, &why))
        }
        _ => Ok(()),
    }
}

/// Returns the finalizer that a deletion's propagation policy adds. A Job's default is to leave its pods
/// alone.
fn finalizer(resource: &Resource, call: &Call, options: &Value) -> Option<&'static str> {
    let policy = options["propagationPolicy"].as_str().unwrap_or_else(|| call.option("propagationPolicy"));
    match policy {
        "Foreground" => Some("foregroundDeletion"),
        "Orphan" => Some("orphan"),
        "" if resource.is("Job") => Some("orphan"),
        _ => None,
    }
}

fn mark_deleted(object: &mut Value, finalizer: Option<&str>, grace: u64) {
    let metadata = &mut object["metadata"];
    if metadata["deletionTimestamp"].is_null() {
        metadata["deletionTimestamp"] = now().into();
        metadata["deletionGracePeriodSeconds"] = grace.into();
        if let Some(generation) = metadata["generation"].as_u64() {
            metadata["generation"] = (generation + 1).into();
        }
    }
    if let Some(finalizer) = finalizer {
        let mut finalizers = metadata["finalizers"].as_array().cloned().unwrap_or_default();
        if !finalizers.iter().any(|there| there == finalizer) {
            finalizers.push(finalizer.into());
        }
        metadata["finalizers"] = finalizers.into();
    }
    if let Some(metadata) = object["metadata"].as_object_mut() {
        metadata.retain(|_, value| !value.is_null());
    }
}

fn read_token(token: &str) -> Result<(String, String), Failure> {
    BASE64_URL_SAFE_NO_PAD
        .decode(token)
        .ok()
        .and_then(|bytes| serde_json::from_slice(&bytes).ok())
        .ok_or_else(|| Failure::bad_request("invalid continue token: continue key is not valid"))
}

fn five_letters() -> String {
    const LETTERS: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";
    let bits = random().to_le_bytes();
    bits.iter().take(5).map(|byte| char::from(LETTERS[usize::from(*byte) % LETTERS.len()])).collect()
}
