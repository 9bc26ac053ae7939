//! Reads all references in an object. Malformed fields refer to nothing, and a reference that lacks the name
//! of its secret has an empty one: no server accepts it.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use serde_json::Value;

use super::{Named, Place, Reference, Renewal, Way, forms};
use crate::secret::{is_key, is_subdomain};
use crate::workload::attachment::{Item, Need};
use crate::workload::distinct::distinct;
use crate::workload::kind::{KINDS, Kind, Shape, Version, WITHOUT_PODS};
use crate::workload::pod_spec::{Role, containers};
use crate::workload::tree::{is_true, list, text};

/// The fields of a volume that hold a storage driver's login (Kubernetes API, `Volume`).
pub(super) const DRIVERS: [(&str, &str); 9] = [
    ("azureFile", "/secretName"),
    ("cephfs", "/secretRef/name"),
    ("cinder", "/secretRef/name"),
    ("csi", "/nodePublishSecretRef/name"),
    ("flexVolume", "/secretRef/name"),
    ("iscsi", "/secretRef/name"),
    ("rbd", "/secretRef/name"),
    ("scaleIO", "/secretRef/name"),
    ("storageos", "/secretRef/name"),
];

impl Kind {
    /// Returns every kind whose objects refer to secrets: workloads, service accounts and ingresses.
    pub(crate) fn referring() -> impl Iterator<Item = &'static Self> {
        KINDS.iter().chain(&WITHOUT_PODS)
    }

    /// Finds one of these kinds by the words of a manifest, in any version.
    pub(crate) fn referring_in_manifest(api_version: &str, kind: &str) -> Option<&'static Self> {
        let group = api_version.split_once('/').map_or("", |(group, _)| group);
        Self::referring().find(|row| row.group == group && row.name == kind)
    }

    /// Returns every reference to a secret in an object of this kind, in their order.
    pub(crate) fn references(&self, object: &Value) -> Vec<Reference> {
        let mut found = if self.name == "Ingress" { of_ingress(object) } else { Vec::new() };
        for (template, part) in self.parts(object).iter().enumerate() {
            match (object.pointer(&part.pointer), &self.shape) {
                (Some(spec), Shape::PodSpecs(_)) => found.extend(of_pod_spec(spec, template)),
                (Some(spec), Shape::Environments(_)) => found.extend(of_environment(spec)),
                (Some(account), Shape::Accounts(_)) => found.extend(of_service_account(account)),
                (None, _) => {}
            }
        }
        found.retain(|reference| !reference.secret.is_empty() || reference.way.needs_a_name());
        distinct(found)
    }

    /// Returns what else of an object has the form of a reference. Of built-in kinds all is known but the annotations
    /// of an ingress.
    pub(crate) fn probable_references(&self, object: &Value) -> Vec<Reference> {
        if let Version::BuiltIn(_) = self.version {
            return if self.name == "Ingress" { forms::in_annotations(object) } else { Vec::new() };
        }
        let parts = self.parts(object);
        let parts = parts.iter().filter_map(|part| object.pointer(&part.pointer));
        let read: Vec<&Value> = match self.shape {
            Shape::PodSpecs(_) => parts.flat_map(lists_with_references).collect(),
            Shape::Environments(_) => parts.filter_map(items_of_environment).collect(),
            Shape::Accounts(_) => parts.collect(),
        };
        forms::references(object, &read)
    }
}

/// Returns the parts of a pod spec that refer to secrets. Beside them an operator may have fields of its own, such
/// as the `model` of a predictor.
fn lists_with_references(pod_spec: &Value) -> impl Iterator<Item = &Value> {
    let fields = Role::ALL.map(Role::field).into_iter().chain(["volumes", "imagePullSecrets"]);
    fields.map(|field| &pod_spec[field]).filter(|list| list.is_array())
}

fn items_of_environment(spec: &Value) -> Option<&Value> {
    spec.pointer("/environment/items").filter(|items| items.is_object())
}

fn whole(secret: &str, way: Way, need: Need) -> Reference {
    Reference { secret: secret.to_owned(), place: Place::Whole, way, need }
}

/// Reads the API's `optional`.
fn need(source: &Value) -> Need {
    if is_true(source, "optional") { Need::Optional } else { Need::Required }
}

fn of_service_account(account: &Value) -> Vec<Reference> {
    let listed = list(account, "secrets").iter().map(|entry| (entry, Way::Listed));
    let pulls = list(account, "imagePullSecrets").iter().map(|entry| (entry, Way::ImagePull));
    listed.chain(pulls).map(|(entry, way)| whole(text(entry, "name"), way, Need::Optional)).collect()
}

fn of_ingress(ingress: &Value) -> Vec<Reference> {
    let entries = list(&ingress["spec"], "tls").iter();
    entries.map(|entry| whole(text(entry, "secretName"), Way::Certificate, Need::Required)).collect()
}

/// Reads one of Run:ai's own specs. A value that is not a reference may be a password, and goes no further.
fn of_environment(spec: &Value) -> Vec<Reference> {
    let items = spec.pointer("/environment/items").and_then(Value::as_object).into_iter().flatten();
    let reference = |(variable, item): (&String, &Value)| {
        let (secret, key) = text(item, "value").strip_prefix("SECRET:")?.split_once(',')?;
        let way = Way::Variable { name: variable.clone(), key: key.to_owned() };
        let is_reference = (secret.is_empty() || is_subdomain(secret)) && (key.is_empty() || is_key(key));
        is_reference.then(|| whole(secret, way, Need::Required))
    };
    items.filter_map(reference).collect()
}

/// The volumes of a pod spec. A mount shows the first of two volumes of one name, which no server accepts.
struct Volumes<'a> {
    all: &'a [Value],
    by_name: HashMap<&'a str, &'a Value>,
    mounted: HashSet<&'a str>,
}

impl<'a> Volumes<'a> {
    fn of(spec: &'a Value) -> Self {
        let all = list(spec, "volumes");
        let mut by_name = HashMap::with_capacity(all.len());
        for volume in all {
            by_name.entry(text(volume, "name")).or_insert(volume);
        }
        let mounts = containers(spec).flat_map(|(_, _, container)| list(container, "volumeMounts"));
        Self { all, by_name, mounted: mounts.map(|mount| text(mount, "name")).collect() }
    }

    fn is_mounted(&self, volume: &Value) -> bool {
        let name = text(volume, "name");
        self.mounted.contains(name)
            && self.by_name.get(name).is_some_and(|first| std::ptr::eq(*first, volume))
    }
}

fn of_pod_spec(spec: &Value, template: usize) -> Vec<Reference> {
    let mut found = Vec::new();
    let volumes = Volumes::of(spec);
    for (_, _, container) in containers(spec) {
        let place = Place::Container { template, name: text(container, "name").to_owned() };
        let uses = of_env(container).into_iter().chain(of_mounts(container, &volumes));
        found.extend(uses.map(|(secret, way, need)| Reference {
            secret: secret.to_owned(),
            place: place.clone(),
            way,
            need,
        }));
    }
    for volume in volumes.all {
        found.extend(of_volume(volume, &volumes));
    }
    // A pod starts without: its images may be public.
    let pulls = list(spec, "imagePullSecrets").iter();
    found.extend(pulls.map(|entry| whole(text(entry, "name"), Way::ImagePull, Need::Optional)));
    found
}

type Use<'a> = (&'a str, Way, Need);

fn of_env(container: &Value) -> Vec<Use<'_>> {
    let env = list(container, "env");
    let named = Named(Arc::new(env.iter().map(|entry| text(entry, "name").to_owned()).collect()));
    let all = list(container, "envFrom").iter().filter_map(|entry| {
        let source = Some(&entry["secretRef"]).filter(|source| !source.is_null())?;
        let way = Way::Variables { prefix: text(entry, "prefix").to_owned(), named: named.clone() };
        Some((text(source, "name"), way, need(source)))
    });
    let single = env.iter().filter_map(|entry| {
        let source = Some(&entry["valueFrom"]["secretKeyRef"]).filter(|source| !source.is_null())?;
        let way = Way::Variable { name: text(entry, "name").to_owned(), key: text(source, "key").to_owned() };
        Some((text(source, "name"), way, need(source)))
    });
    all.chain(single).collect()
}

fn of_mounts<'a>(container: &'a Value, volumes: &Volumes<'a>) -> Vec<Use<'a>> {
    let mut found = Vec::new();
    for mount in list(container, "volumeMounts") {
        let Some(volume) = volumes.by_name.get(text(mount, "name")) else { continue };
        let is_of_one_file = !text(mount, "subPath").is_empty() || !text(mount, "subPathExpr").is_empty();
        let renewal = if is_of_one_file { Renewal::Never } else { Renewal::Live };
        found.extend(sources(volume).into_iter().map(|(secret, items, need)| {
            (secret, Way::Files { path: text(mount, "mountPath").to_owned(), items, renewal }, need)
        }));
    }
    found
}

/// Reads the references of a volume itself, mounted or not.
fn of_volume(volume: &Value, volumes: &Volumes<'_>) -> Vec<Reference> {
    let name = || text(volume, "name").to_owned();
    let logins = DRIVERS.iter().filter_map(|(driver, field)| {
        let (holder, last) = field.rsplit_once('/')?;
        let holder = volume[driver].pointer(holder).filter(|holder| !holder.is_null())?;
        Some(whole(text(holder, last), Way::Login { volume: name(), driver }, Need::Required))
    });
    let idle = if volumes.is_mounted(volume) { Vec::new() } else { sources(volume) };
    let idle = idle
        .into_iter()
        .map(|(secret, ..)| whole(secret, Way::IdleVolume { volume: name() }, Need::Optional));
    logins.chain(idle).collect()
}

/// Returns the secrets in a volume, alone or projected beside others.
fn sources(volume: &Value) -> Vec<(&str, Vec<Item>, Need)> {
    let own = source(&volume["secret"], "secretName");
    let projected = list(&volume["projected"], "sources").iter();
    own.into_iter().chain(projected.filter_map(|one| source(&one["secret"], "name"))).collect()
}

fn source<'a>(source: &'a Value, name: &str) -> Option<(&'a str, Vec<Item>, Need)> {
    (!source.is_null()).then(|| (text(source, name), items(source), need(source)))
}

fn items(source: &Value) -> Vec<Item> {
    let item = |item: &Value| Item { key: text(item, "key").to_owned(), file: text(item, "path").to_owned() };
    list(source, "items").iter().map(item).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::workload::karta::Karta;
    use crate::workload::kind::ServedKind;

    fn of(kind: &str, object: &Value) -> Vec<String> {
        let kind = Kind::referring().find(|one| one.name == kind).unwrap();
        let shown = |reference: &Reference| {
            let container = reference.place.container().unwrap_or("-");
            let optional = if reference.need == Need::Optional { " optional" } else { "" };
            let (secret, way, keys) = (&reference.secret, &reference.way, reference.way.keys().join("+"));
            format!("{container}: {way} of {secret} [{keys}]{optional}")
        };
        kind.references(object).iter().map(shown).collect()
    }

    fn pod(spec: &Value) -> Value {
        json!({ "spec": spec })
    }

    #[test]
    fn variables_of_all_containers_are_found_with_key_prefix_and_need() {
        let env = json!([{"name": "A", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k", "optional": true}}},
            {"name": "PLAIN", "value": "v"}, {"name": "C", "valueFrom": {"configMapKeyRef": {"name": "s", "key": "k"}}}]);
        let all = json!([{"prefix": "P_", "secretRef": {"name": "t"}}, {"configMapRef": {"name": "t"}}]);
        let object = pod(&json!({
            "containers": [{"name": "main", "env": env, "envFrom": all}],
            "initContainers": [{"name": "init", "envFrom": [{"secretRef": {"name": "u", "optional": true}}]}],
            "ephemeralContainers": [{"name": "debug", "env": env}],
        }));
        assert_eq!(
            of("Pod", &object),
            [
                "init: env * of u [] optional",
                "main: env P_* of t []",
                "main: env A of s [k] optional",
                "debug: env A of s [k] optional",
            ]
        );
    }

    #[test]
    fn files_are_found_where_they_are_mounted() {
        let items = json!([{"key": "a", "path": "a.txt"}, {"key": "b", "path": "b"}]);
        let sources = json!([{"configMap": {"name": "x"}}, {"secret": {"name": "p", "items": items, "optional": true}},
            {"secret": {"name": "q"}}]);
        let object = pod(&json!({
            "containers": [
                {"name": "main", "volumeMounts": [{"name": "v", "mountPath": "/v"}, {"name": "w", "mountPath": "/w"}]},
                {"name": "side", "volumeMounts": [{"name": "v", "mountPath": "/etc/v", "subPath": "a"}]},
            ],
            "volumes": [{"name": "v", "secret": {"secretName": "s"}}, {"name": "w", "projected": {"sources": sources}},
                {"name": "idle", "secret": {"secretName": "i"}}],
        }));
        assert_eq!(
            of("Pod", &object),
            [
                "main: files in /v of s []",
                "main: files in /w of p [a+b] optional",
                "main: files in /w of q []",
                "side: files in /etc/v of s []",
                "-: volume idle, not mounted of i [] optional",
            ]
        );
    }

    #[test]
    fn logins_of_every_storage_driver_and_of_registries_count() {
        let reference = json!({"secretRef": {"name": "s"}});
        let volumes = json!([
            {"name": "v", "azureFile": {"secretName": "s", "shareName": "x"}}, {"name": "v", "cephfs": reference},
            {"name": "v", "cinder": reference}, {"name": "v", "csi": {"nodePublishSecretRef": {"name": "s"}}},
            {"name": "v", "flexVolume": reference}, {"name": "v", "iscsi": reference}, {"name": "v", "rbd": reference},
            {"name": "v", "scaleIO": reference}, {"name": "v", "storageos": reference}, {"name": "v", "csi": {}},
        ]);
        let object =
            pod(&json!({"volumes": volumes, "imagePullSecrets": [{"name": "reg"}, {"name": "reg"}, {}]}));
        let found = of("Pod", &object);
        assert_eq!(found.len(), DRIVERS.len() + 1, "{found:?}");
        for (driver, _) in DRIVERS {
            assert!(found.contains(&format!("-: {driver} login of volume v of s []")), "{found:?}");
        }
        assert_eq!(found.last().unwrap(), "-: image pull of reg [] optional");
    }

    #[test]
    fn templates_of_every_kind_are_looked_at() {
        let spec = json!({"imagePullSecrets": [{"name": "reg"}]});
        let template = json!({"template": {"spec": spec}});
        for kind in ["Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job"] {
            assert_eq!(of(kind, &json!({"spec": template})).len(), 1, "{kind}");
        }
        assert_eq!(of("CronJob", &json!({"spec": {"jobTemplate": {"spec": template}}})).len(), 1);
    }

    #[test]
    fn run_ais_own_workloads_refer_by_the_value_of_a_variable() {
        let items = json!({"A": {"value": "SECRET:s,k"}, "B": {"value": "hunter2"}, "C": {"value": "SECRET:s"},
            "D": {"value": "SECRET:Hunter 2,k"}, "E": {"value": 1}});
        let object = json!({"spec": {"environment": {"items": items}}});
        assert_eq!(of("TrainingWorkload", &object), ["-: env A of s [k]"]);
    }

    #[test]
    fn service_accounts_and_ingresses_refer_to_secrets_too() {
        let account = json!({"secrets": [{"name": "token"}], "imagePullSecrets": [{"name": "reg"}]});
        assert_eq!(
            of("ServiceAccount", &account),
            ["-: listed of token [] optional", "-: image pull of reg [] optional"]
        );
        let ingress = json!({"spec": {"tls": [{"hosts": ["x"], "secretName": "cert"}, {"hosts": ["y"]}]}});
        assert_eq!(of("Ingress", &ingress), ["-: tls of cert [tls.crt+tls.key]"]);
    }

    #[test]
    fn beside_its_pod_templates_a_known_kind_may_refer_to_secrets_in_fields_of_its_own() {
        let template = json!({"template": {"spec": {"imagePullSecrets": [{"name": "reg"}]}}});
        let redis = json!({"redisPassword": {"valueFrom": {"secretKeyRef": {"name": "redis", "key": "k"}}}});
        let object = json!({"spec": {"headGroupSpec": template, "gcsFaultToleranceOptions": redis}});
        let kind = Kind::named("raycluster").unwrap();
        let shown: Vec<String> = kind
            .probable_references(&object)
            .iter()
            .map(|one| format!("{} {}", one.secret, one.way))
            .collect();
        assert_eq!(
            shown,
            ["redis spec.gcsFaultToleranceOptions.redisPassword.valueFrom.secretKeyRef (probable)"]
        );
        let items = json!({"environment": {"items": {"A": {"value": "SECRET:s,k"}}}, "pullSecret": "reg"});
        let workload = Kind::named("trainingworkload").unwrap();
        assert_eq!(workload.probable_references(&json!({ "spec": items })).len(), 1);
        assert!(
            Kind::named("pod").unwrap().probable_references(&json!({"spec": {"secret": "s"}})).is_empty()
        );
    }

    #[test]
    fn what_stands_beside_the_lists_of_a_pod_spec_is_searched_too() {
        let env = json!([{"name": "A", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}]);
        let spec =
            json!({"containers": [{"name": "main", "env": env}], "volumes": {}, "model": {"env": env}});
        let karta = json!({"group": "example.com", "version": "v1", "kind": "Frob"});
        let karta = json!({"kind": karta, "specDefinition": {"podSpecPath": ".spec.predictor"}});
        let karta = Karta::of(&json!({"spec": {"structureDefinition": {"rootComponent": karta}}})).unwrap();
        let [group, version, name] = ["example.com", "v1", "Frob"].map(str::to_owned);
        let frob = ServedKind { group, versions: vec![version], name, ..ServedKind::default() };
        let kind = Kind::served(&frob, &[karta]);
        let object = json!({"spec": {"predictor": spec}});
        assert_eq!(kind.references(&object).len(), 1);
        let probable = kind.probable_references(&object);
        let probable: Vec<String> = probable.iter().map(|one| one.way.to_string()).collect();
        assert_eq!(probable, ["spec.predictor.model.env[0].valueFrom.secretKeyRef (probable)"]);
    }

    #[test]
    fn what_is_malformed_refers_to_nothing() {
        for object in
            [json!(null), json!({"spec": []}), json!({"spec": {"containers": [1], "volumes": {"a": 1}}})]
        {
            assert!(Kind::referring().all(|kind| kind.references(&object).is_empty()), "{object}");
        }
    }
}
