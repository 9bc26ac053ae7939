//! A copy under another name, beside the original, which nothing may mistake for the original.
//!
//! Services, budgets and controllers find pods by labels, and deployment tools find their objects by labels
//! and annotations. Everything left out or changed is reported.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::clean_copy::{clean_copy, retain};
use super::kind::{Kind, OnChange, Shape, Version};
use super::pod_spec::containers;
use super::tree::{is_true, list, text};
use crate::secret::check_label_value;
use crate::wording::list as in_words;

/// Keys of labels and annotations, or their domains, by which a tool marks objects that it deployed and may
/// delete.
const MARKS: [&str; 25] = [
    "addonmanager.kubernetes.io",
    "app.kubernetes.io/instance",
    "app.kubernetes.io/managed-by",
    "applyset.kubernetes.io",
    "argocd.argoproj.io",
    "config.k8s.io",
    "configmanagement.gke.io",
    "configsync.gke.io",
    "crossplane.io",
    "fluxcd.io",
    "helm.sh",
    "kapp.k14s.io",
    "meta.helm.sh",
    "objectset.rio.cattle.io",
    "fleet.cattle.io",
    "field.cattle.io",
    "olm.managed",
    "olm.operatorNamespace",
    "olm.owner",
    "olm.owner.kind",
    "olm.owner.namespace",
    "operators.coreos.com",
    "pulumi.com",
    "skaffold.dev",
    "tanka.dev",
];

/// Labels by which controllers recognize the objects that they made.
const CONTROLLERS_LABELS: [&str; 8] = [
    "apps.kubernetes.io/pod-index",
    "batch.kubernetes.io",
    "controller-revision-hash",
    "controller-uid",
    "job-name",
    "pod-template-generation",
    "pod-template-hash",
    "statefulset.kubernetes.io/pod-name",
];

/// Objects that select pods by labels and run none: a budget, and the service that sends them requests.
pub(crate) static SELECTING: [Kind; 2] = [
    Kind {
        group: "",
        version: Version::BuiltIn("v1"),
        name: "Service",
        plural: "services",
        singular: "service",
        short_names: &["svc"],
        shape: Shape::PodSpecs(&[]),
        on_change: OnChange::RollsOut,
    },
    Kind {
        group: "policy",
        version: Version::BuiltIn("v1"),
        name: "PodDisruptionBudget",
        plural: "poddisruptionbudgets",
        singular: "poddisruptionbudget",
        short_names: &["pdb"],
        shape: Shape::PodSpecs(&[]),
        on_change: OnChange::RollsOut,
    },
];

/// The labels by which an object selects pods. Empty if it selects none, or not by values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Selector(Map<String, Value>);

/// A copy, and notes for the user.
#[derive(Debug, PartialEq)]
pub(crate) struct NamedCopy {
    pub(crate) object: Value,
    pub(crate) notes: Vec<String>,
}

impl Selector {
    /// Reads the selector of a service or a budget.
    pub(crate) fn of(object: &Value) -> Self {
        let selector = &object["spec"]["selector"];
        let labels = selector.get("matchLabels").unwrap_or(selector);
        let labels = labels.as_object().cloned().unwrap_or_default();
        Self(labels.into_iter().filter(|(_, value)| value.is_string()).collect())
    }

    fn selects(&self, labels: &Map<String, Value>) -> bool {
        !self.0.is_empty() && self.0.iter().all(|(key, value)| labels.get(key) == Some(value))
    }
}

/// Copies an object under another name. No selector matches the copy's pods: neither the original's own nor
/// one of `selectors`.
pub(crate) fn named_copy(object: &Value, kind: &Kind, name: &str, selectors: &[Selector]) -> NamedCopy {
    let mut copy = clean_copy(object, kind, Some(name));
    let mut notes = Vec::new();
    let gone = take_marks(&mut copy);
    if !gone.is_empty() {
        notes.push(format!(
            "the copy does not have {}: they belong to the deployment of the original",
            in_words(gone)
        ));
    }
    let changed = tell_apart(&mut copy, kind, name, selectors);
    if !changed.is_empty() {
        notes.push(format!(
            "the copy's pods have a value of their own for {}, so that nothing takes them for those of the original",
            in_words(changed)
        ));
    }
    notes.extend(what_is_the_same(&copy, kind));
    NamedCopy { object: copy, notes }
}

fn is_one_of(marks: &[&str], key: &str) -> bool {
    let domain = key.split_once('/').map_or(key, |(domain, _)| domain);
    marks.iter().any(|mark| {
        let is_below = domain.strip_suffix(mark).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
        key == *mark || (mark.contains('.') && is_below)
    })
}

/// Removes the marks of tools from an object, and returns their keys.
pub(crate) fn take_marks(copy: &mut Value) -> BTreeSet<String> {
    let mut gone = BTreeSet::new();
    for field in ["labels", "annotations"] {
        let is_mark = |key: &str| is_one_of(&MARKS, key) || is_one_of(&CONTROLLERS_LABELS, key);
        let keys = copy["metadata"][field].as_object().into_iter().flat_map(Map::keys);
        gone.extend(keys.filter(|key| is_one_of(&MARKS, key)).cloned());
        retain(&mut copy["metadata"], field, |key| !is_mark(key));
    }
    gone
}

/// Gives the pods other labels in place of those that select them, and returns the keys of these.
fn tell_apart(copy: &mut Value, kind: &Kind, name: &str, selectors: &[Selector]) -> BTreeSet<String> {
    let mut keys = own_selector(copy);
    let pods: Vec<String> = kind.pod_specs(copy).iter().map(|spec| metadata_of(spec)).collect();
    for pointer in &pods {
        let labels = copy.pointer(pointer).and_then(|metadata| metadata["labels"].as_object());
        let selecting =
            selectors.iter().filter(|selector| labels.is_some_and(|labels| selector.selects(labels)));
        keys.extend(selecting.flat_map(|selector| selector.0.keys().cloned()));
    }
    let value = label_value(name);
    let has_selector = copy["spec"]["selector"].is_object();
    for pointer in pods.iter().map(String::as_str).chain(["/metadata"]) {
        let Some(metadata) = copy.pointer_mut(pointer) else { continue };
        retain(metadata, "labels", |key| !is_one_of(&CONTROLLERS_LABELS, key));
        let Some(labels) = metadata.get_mut("labels").and_then(Value::as_object_mut) else { continue };
        for key in &keys {
            if let Some(label) = labels.get_mut(key) {
                *label = Value::from(value.as_str());
            }
        }
    }
    if has_selector && !keys.is_empty() {
        let labels: Map<_, _> = keys.iter().map(|key| (key.clone(), Value::from(value.as_str()))).collect();
        for pointer in &pods {
            if let Some(metadata) = copy.pointer_mut(pointer)
                && metadata["labels"].is_object()
                && let Some(own) = metadata["labels"].as_object_mut()
            {
                own.extend(labels.clone());
            }
        }
        copy["spec"]["selector"] = json!({ "matchLabels": labels });
    }
    keys
}

/// Returns the keys by which the original selects its pods, but for those that a controller wrote.
fn own_selector(copy: &Value) -> BTreeSet<String> {
    let selector = &copy["spec"]["selector"];
    let named = selector["matchLabels"].as_object().into_iter().flat_map(Map::keys).cloned();
    let expressions = list(selector, "matchExpressions").iter();
    let positive = expressions.filter(|one| matches!(text(one, "operator"), "In" | "Exists"));
    let named = named.chain(positive.map(|one| text(one, "key").to_owned()));
    named.filter(|key| !is_one_of(&CONTROLLERS_LABELS, key)).collect()
}

/// Returns the pointer to the metadata beside a pod spec.
fn metadata_of(spec: &str) -> String {
    format!("{}/metadata", spec.strip_suffix("/spec").unwrap_or(spec))
}

/// Returns the name, shortened to a label's value.
fn label_value(name: &str) -> String {
    const LONGEST: usize = 63;
    let value = &name[..name.len().min(LONGEST)];
    let value = value.trim_end_matches(['-', '.', '_']);
    if check_label_value(value).is_ok() { value.to_owned() } else { "copy".to_owned() }
}

/// Notes what the copy shares with the original, or takes from the cluster a second time.
fn what_is_the_same(copy: &Value, kind: &Kind) -> Vec<String> {
    let spec = &copy["spec"];
    let mut notes = Vec::new();
    match (kind.name, spec["replicas"].as_u64()) {
        ("Deployment" | "StatefulSet" | "ReplicaSet", replicas) => {
            let pods = replicas.unwrap_or(1);
            notes.push(format!("the copy has as many replicas as the original: {pods}"));
        }
        ("CronJob", _) if !is_true(spec, "suspend") => {
            notes.push("the copy runs at the same times as the original".to_owned());
        }
        ("DaemonSet", _) => notes.push("the copy runs on the same nodes as the original".to_owned()),
        _ => {}
    }
    let claims: Vec<&str> =
        list(spec, "volumeClaimTemplates").iter().map(|claim| text(&claim["metadata"], "name")).collect();
    if !claims.is_empty() {
        notes.push(format!("the copy gets volumes of its own, which are empty: {}", in_words(claims)));
    }
    let service = text(spec, "serviceName");
    if kind.name == "StatefulSet" && !service.is_empty() {
        notes.push(format!(
            "service {service}, which gives the original's pods their names, does not know the copy's"
        ));
    }
    let specs: Vec<&Value> =
        kind.pod_specs(copy).iter().filter_map(|pointer| copy.pointer(pointer)).collect();
    let ports =
        specs.iter().flat_map(|spec| containers(spec)).flat_map(|(.., container)| list(container, "ports"));
    let ports: BTreeSet<u64> = ports.filter_map(|port| port["hostPort"].as_u64()).collect();
    if !ports.is_empty() {
        notes.push(format!(
            "the copy can't run on the original's node: both use the node's port {}",
            in_words(ports.iter().map(u64::to_string))
        ));
    }
    let volumes = specs.iter().flat_map(|spec| list(spec, "volumes"));
    let shared: BTreeSet<&str> = volumes
        .map(|volume| text(&volume["persistentVolumeClaim"], "claimName"))
        .filter(|claim| !claim.is_empty())
        .collect();
    if !shared.is_empty() {
        notes.push(format!("the copy uses the same volumes as the original: {}", in_words(shared)));
    }
    notes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(name: &str) -> &'static Kind {
        Kind::named(name).unwrap()
    }

    fn deployment(selector: &Value, labels: &Value) -> Value {
        json!({
            "apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {"name": "web", "labels": {"app": "web", "team": "a"}},
            "spec": {"replicas": 3, "selector": selector,
                "template": {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "main"}]}}},
        })
    }

    fn service(labels: &Value) -> Selector {
        Selector::of(&json!({ "spec": { "selector": labels } }))
    }

    #[test]
    fn the_original_selects_no_pod_of_the_copy() {
        let labels = json!({"app": "web", "tier": "front", "inject": "true"});
        for selector in [
            json!({"matchLabels": {"app": "web"}}),
            json!({"matchLabels": {"app": "web", "tier": "front"}}),
            json!({"matchExpressions": [{"key": "app", "operator": "In", "values": ["web"]}]}),
        ] {
            let copy = named_copy(&deployment(&selector, &labels), kind("deploy"), "web-test", &[]).object;
            let own = &copy["spec"]["selector"]["matchLabels"];
            let pods = &copy["spec"]["template"]["metadata"]["labels"];
            assert_eq!(own["app"], "web-test");
            assert!(own.as_object().unwrap().iter().all(|(key, value)| pods[key] == *value), "{copy}");
            assert_eq!(
                (&pods["inject"], &copy["metadata"]["labels"]["app"]),
                (&json!("true"), &json!("web-test"))
            );
            assert_eq!(copy["metadata"]["labels"]["team"], "a");
        }
    }

    #[test]
    fn no_service_and_no_budget_takes_the_copy_for_the_original() {
        let object =
            deployment(&json!({"matchLabels": {"app": "web"}}), &json!({"app": "web", "svc": "x", "a": "b"}));
        let selectors = [
            service(&json!({"svc": "x"})),
            service(&json!({"a": "other"})),
            service(&json!({})),
            Selector::of(&json!({"spec": {"selector": {"matchLabels": {"svc": "x"}}}})),
        ];
        let copied = named_copy(&object, kind("deploy"), "web-2", &selectors);
        let pods = &copied.object["spec"]["template"]["metadata"]["labels"];
        assert_eq!(*pods, json!({"app": "web-2", "svc": "web-2", "a": "b"}));
        assert!(copied.notes.iter().any(|note| note.contains("for app and svc")), "{:?}", copied.notes);
        let pod =
            json!({"kind": "Pod", "metadata": {"name": "p", "labels": {"svc": "x", "a": "b"}}, "spec": {}});
        let copied = named_copy(&pod, kind("pod"), "p-2", &selectors).object;
        assert_eq!(copied["metadata"]["labels"], json!({"svc": "p-2", "a": "b"}));
    }

    #[test]
    fn marks_of_who_deployed_the_original_go_and_are_said() {
        let job = json!({"kind": "Job", "metadata": {"name": "j",
            "labels": {"app.kubernetes.io/instance": "x", "app.kubernetes.io/name": "j", "helm.sh/chart": "c",
                "kustomize.toolkit.fluxcd.io/name": "k", "olm.owner": "o", "kueue.x-k8s.io/queue-name": "q",
                "controller-revision-hash": "1"},
            "annotations": {"argocd.argoproj.io/tracking-id": "t", "meta.helm.sh/release-name": "r", "note": "mine",
                "helm.sh/hook": "pre-install", "kapp.k14s.io/identity": "i"}}, "spec": {"template": {"spec": {}}}});
        let copied = named_copy(&job, kind("job"), "j-2", &[]);
        let metadata = &copied.object["metadata"];
        assert_eq!(
            metadata["labels"],
            json!({"app.kubernetes.io/name": "j", "kueue.x-k8s.io/queue-name": "q"})
        );
        assert_eq!(metadata["annotations"], json!({"note": "mine"}));
        assert!(copied.notes[0].contains("argocd.argoproj.io/tracking-id"), "{:?}", copied.notes);
        assert_eq!(clean_copy(&job, kind("job"), None)["metadata"]["labels"]["helm.sh/chart"], "c");
    }

    #[test]
    fn a_manual_selector_of_a_job_is_the_copys_own() {
        let job = json!({"kind": "Job", "metadata": {"name": "j"}, "spec": {"manualSelector": true,
            "selector": {"matchLabels": {"set": "1"}},
            "template": {"metadata": {"labels": {"set": "1"}}, "spec": {}}}});
        let copy = named_copy(&job, kind("job"), "j-2", &[]).object;
        assert_eq!(copy["spec"]["selector"], json!({"matchLabels": {"set": "j-2"}}));
        assert_eq!(copy["spec"]["template"]["metadata"]["labels"], json!({"set": "j-2"}));
    }

    #[test]
    fn what_a_copy_has_twice_or_shares_is_said() {
        let mut set = deployment(&json!({"matchLabels": {"app": "web"}}), &json!({"app": "web"}));
        set["spec"]["serviceName"] = json!("web");
        set["spec"]["volumeClaimTemplates"] = json!([{"metadata": {"name": "data"}}]);
        let pod = &mut set["spec"]["template"]["spec"];
        pod["containers"][0]["ports"] = json!([{"hostPort": 8080}]);
        pod["volumes"] = json!([{"name": "v", "persistentVolumeClaim": {"claimName": "models"}}]);
        let notes = named_copy(&set, kind("sts"), "web-2", &[]).notes.join("\n");
        for part in ["replicas as the original: 3", "empty: data", "service web", "port 8080", "models"] {
            assert!(notes.contains(part), "{part}: {notes}");
        }
    }

    #[test]
    fn what_is_malformed_is_copied_as_it_is() {
        for object in [
            json!({"metadata": [], "spec": 1}),
            json!({"metadata": {"name": "x", "labels": 1}, "spec": {"selector": [], "template": {"metadata": 1, "spec": {"containers": 1, "volumes": {}}}}}),
        ] {
            for kind in &super::super::kind::KINDS {
                named_copy(&object, kind, "y", &[service(&json!({"a": "b"}))]);
            }
        }
    }

    #[test]
    fn a_long_name_becomes_a_shorter_value() {
        assert_eq!(label_value(&"a.".repeat(60)).len(), 63);
        assert!(check_label_value(&label_value(&"a-".repeat(100))).is_ok());
    }
}
