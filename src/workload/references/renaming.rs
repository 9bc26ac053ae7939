//! Names another secret in the references of an object: in exactly the places where [`reading`](super::reading)
//! finds them, and in no other.

use serde_json::Value;

use super::Reference;
use super::reading::DRIVERS;
use crate::workload::kind::{Kind, Shape};
use crate::workload::pod_spec::Role;
use crate::workload::tree::text;

/// A changed copy of an object, and the references that it had to the old name.
#[derive(Debug, PartialEq)]
pub(crate) struct Renamed {
    pub(crate) object: Value,
    pub(crate) references: Vec<Reference>,
}

/// Names the new secret wherever an object refers to the old one for certain. What has only the form of a
/// reference stays.
pub(crate) fn renamed(object: &Value, kind: &Kind, old: &str, new: &str) -> Renamed {
    let mut references = kind.references(object);
    references.retain(|reference| reference.secret == old);
    let (mut copy, names) = (object.clone(), Names { old, new });
    if references.is_empty() {
        return Renamed { object: copy, references };
    }
    if kind.name == "Ingress" {
        copy.get_mut("spec").into_iter().flat_map(|spec| items(spec, "tls")).for_each(|entry| {
            names.put(entry, "secretName");
        });
    }
    for part in kind.parts(object) {
        let Some(part) = copy.pointer_mut(&part.pointer) else { continue };
        match kind.shape {
            Shape::PodSpecs(_) => names.in_pod_spec(part),
            Shape::Environments(_) => names.in_environment(part),
            Shape::Accounts(_) => {
                items(part, "secrets").for_each(|entry| names.put(entry, "name"));
                names.in_logins(part);
            }
        }
    }
    Renamed { object: copy, references }
}

/// Returns the items of a list; none if it is missing or not a list.
fn items<'a>(parent: &'a mut Value, field: &str) -> impl Iterator<Item = &'a mut Value> {
    parent.get_mut(field).and_then(Value::as_array_mut).into_iter().flatten()
}

/// The two names of a secret.
#[derive(Clone, Copy)]
struct Names<'a> {
    old: &'a str,
    new: &'a str,
}

impl Names<'_> {
    fn put(self, holder: &mut Value, field: &str) {
        if text(holder, field) == self.old {
            holder[field] = Value::from(self.new);
        }
    }

    fn put_at(self, parent: &mut Value, pointer: &str, field: &str) {
        parent.pointer_mut(pointer).into_iter().for_each(|holder| self.put(holder, field));
    }

    fn in_pod_spec(self, spec: &mut Value) {
        for role in Role::ALL {
            for container in items(spec, role.field()) {
                items(container, "env")
                    .for_each(|entry| self.put_at(entry, "/valueFrom/secretKeyRef", "name"));
                items(container, "envFrom").for_each(|entry| self.put_at(entry, "/secretRef", "name"));
            }
        }
        for volume in items(spec, "volumes") {
            self.put_at(volume, "/secret", "secretName");
            if let Some(projected) = volume.get_mut("projected") {
                items(projected, "sources").for_each(|source| self.put_at(source, "/secret", "name"));
            }
            for (driver, field) in DRIVERS {
                let (holder, last) = field.rsplit_once('/').unwrap_or(("", field));
                self.put_at(volume, &format!("/{driver}{holder}"), last);
            }
        }
        self.in_logins(spec);
    }

    /// The list is a set: of two entries of one name the server keeps one.
    fn in_logins(self, holder: &mut Value) {
        let Some(logins) = holder.get_mut("imagePullSecrets").and_then(Value::as_array_mut) else { return };
        let has_new = logins.iter().any(|entry| text(entry, "name") == self.new);
        if has_new {
            logins.retain(|entry| text(entry, "name") != self.old);
        } else {
            for entry in logins {
                self.put(entry, "name");
            }
        }
    }

    fn in_environment(self, spec: &mut Value) {
        let start = format!("SECRET:{},", self.old);
        let variables = spec.pointer_mut("/environment/items").and_then(Value::as_object_mut);
        for item in variables.into_iter().flat_map(serde_json::Map::values_mut) {
            let key = text(item, "value").strip_prefix(&start).map(str::to_owned);
            if let Some(key) = key {
                item["value"] = Value::from(format!("SECRET:{},{key}", self.new));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn kind(name: &str) -> &'static Kind {
        Kind::referring().find(|one| one.name == name).unwrap()
    }

    /// A pod spec that refers to `s` in every way, and to `t` beside it.
    fn pod_spec() -> Value {
        let key = |name: &str| json!({"secretKeyRef": {"name": name, "key": "s"}});
        let env = json!([{"name": "A", "valueFrom": key("s")}, {"name": "s", "value": "s"}, {"name": "B", "valueFrom": key("t")}]);
        let from = json!([{"secretRef": {"name": "s", "optional": true}}, {"configMapRef": {"name": "s"}}]);
        let container = |name: &str| json!({"name": name, "env": env, "envFrom": from, "volumeMounts": [{"name": "v", "mountPath": "/s"}]});
        let sources =
            json!([{"secret": {"name": "s"}}, {"secret": {"name": "t"}}, {"configMap": {"name": "s"}}]);
        let mut volumes = vec![
            json!({"name": "v", "secret": {"secretName": "s", "items": [{"key": "s", "path": "s"}]}}),
            json!({"name": "w", "projected": {"sources": sources}}),
            json!({"name": "s", "configMap": {"name": "s"}}),
        ];
        for (driver, field) in DRIVERS {
            let leaf = field.split('/').skip(1).collect::<Vec<_>>();
            let login =
                leaf.iter().rev().fold(json!("s"), |inner, step| json!({ (*step).to_owned(): inner }));
            volumes.push(json!({"name": driver, driver: login}));
        }
        json!({"initContainers": [container("s")], "containers": [container("main")], "ephemeralContainers": [container("d")],
            "volumes": volumes, "imagePullSecrets": [{"name": "t"}, {"name": "s"}], "serviceAccountName": "s"})
    }

    #[track_caller]
    fn goes_over_and_back(kind: &Kind, object: &Value) {
        let over = renamed(object, kind, "s", "new");
        assert!(!over.references.is_empty(), "{object}");
        let expected: Vec<Reference> = kind
            .references(object)
            .into_iter()
            .map(|one| if one.secret == "s" { Reference { secret: "new".to_owned(), ..one } } else { one })
            .collect();
        assert_eq!(kind.references(&over.object), expected);
        assert_eq!(renamed(&over.object, kind, "new", "s").object, *object, "nothing else was touched");
        assert_eq!(
            renamed(&over.object, kind, "s", "new"),
            Renamed { object: over.object, references: Vec::new() }
        );
    }

    #[test]
    fn every_reference_of_every_kind_names_the_new_secret_and_nothing_else_changes() {
        let labels = json!({"name": "s", "labels": {"s": "s"}});
        for name in ["Pod", "Job", "CronJob", "Deployment"] {
            let spec = match name {
                "Pod" => pod_spec(),
                "CronJob" => json!({"jobTemplate": {"spec": {"template": {"spec": pod_spec()}}}}),
                _ => json!({"template": {"metadata": labels, "spec": pod_spec()}}),
            };
            goes_over_and_back(kind(name), &json!({"metadata": labels, "spec": spec}));
        }
        let items = json!({"A": {"value": "SECRET:s,k"}, "B": {"value": "SECRET:t,k"}, "s": {"value": "s"}});
        let environment = json!({"spec": {"environment": {"items": items}, "name": {"value": "s"}}});
        goes_over_and_back(kind("TrainingWorkload"), &environment);
        let account = json!({"metadata": labels, "secrets": [{"name": "s"}], "imagePullSecrets": [{"name": "t"}, {"name": "s"}]});
        goes_over_and_back(kind("ServiceAccount"), &account);
        let tls = json!([{"hosts": ["s"], "secretName": "s"}, {"hosts": ["s"], "secretName": "t"}]);
        goes_over_and_back(kind("Ingress"), &json!({"spec": {"tls": tls, "ingressClassName": "s"}}));
    }

    #[test]
    fn a_login_that_is_in_the_list_already_is_not_there_twice() {
        let account = json!({"imagePullSecrets": [{"name": "s"}, {"name": "new"}]});
        let over = renamed(&account, kind("ServiceAccount"), "s", "new").object;
        assert_eq!(over, json!({"imagePullSecrets": [{"name": "new"}]}));
    }

    #[test]
    fn what_has_only_the_form_of_a_reference_stays() {
        let cluster = json!({"spec": {"headGroupSpec": {"template": {"spec": pod_spec()}},
            "gcsFaultToleranceOptions": {"redisPassword": {"valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}}}});
        let kind = kind("RayCluster");
        let over = renamed(&cluster, kind, "s", "new").object;
        assert_eq!(over["spec"]["gcsFaultToleranceOptions"], cluster["spec"]["gcsFaultToleranceOptions"]);
        assert_eq!(kind.probable_references(&over).len(), 1);
    }
}
