//! How a workload is told to replace its pods, and how far it is with that.
//!
//! `kubectl rollout restart` knows `Deployment`, `StatefulSet` and `DaemonSet`: an annotation on their pod template makes
//! it another one. Two more kinds are documented to make new pods of a changed template: a Knative `Service` makes a new
//! revision each time that its configuration is updated (<https://knative.dev/docs/serving/services/>), and a
//! `RayService` a new cluster beside the old one
//! (<https://docs.ray.io/en/latest/cluster/kubernetes/user-guides/rayservice.html>). Ray has no rolling upgrade of a
//! `RayCluster`: its pods have to be deleted, and its operator makes others.

use serde_json::{Map, Value, json};

use super::kind::Kind;
use super::tree::{list, text};
use crate::moment::Moment;

/// The annotation on a pod template that `kubectl rollout restart` sets.
const RESTARTED: &str = "kubectl.kubernetes.io/restartedAt";

/// The state of a rollout.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Rollout {
    Done,
    Underway,
    /// Why it does not go on.
    Failed(String),
}

/// Returns the template whose change makes a workload of this kind replace its pods.
fn template(kind: &Kind) -> Option<&'static str> {
    match (kind.group, kind.name) {
        ("apps", "Deployment" | "StatefulSet" | "DaemonSet") | ("serving.knative.dev", "Service") => {
            Some("/spec/template")
        }
        ("ray.io", "RayService") => Some("/spec/rayClusterConfig/headGroupSpec/template"),
        _ => None,
    }
}

/// Returns true for a kind whose workloads can be restarted.
pub(crate) fn is_restartable(kind: &Kind) -> bool {
    template(kind).is_some()
}

/// Returns when a restart was asked for, at the earliest. The server's time of the mark is that of its program's last
/// write, which may have been of something else; the mark itself says what the clock of its author said.
pub(crate) fn restarted(kind: &Kind, object: &Value) -> Option<Moment> {
    let template = template(kind)?;
    let path = template.replace('/', "/f:") + "/f:metadata/f:annotations";
    let writes = list(&object["metadata"], "managedFields").iter();
    let ours = writes.filter(|write| {
        write["fieldsV1"].pointer(&path).is_some_and(|names| names.get(format!("f:{RESTARTED}")).is_some())
    });
    let written = ours.filter_map(|write| Moment::parse(text(write, "time"))).max()?;
    Some(Moment::parse(mark(kind, object)?)?.min(written))
}

/// Returns the mark of the last restart, as it was written.
fn mark<'a>(kind: &Kind, object: &'a Value) -> Option<&'a str> {
    object.pointer(template(kind)?)?["metadata"]["annotations"][RESTARTED].as_str()
}

/// Reports whether a mark of this time would change nothing.
pub(crate) fn is_marked_at(kind: &Kind, object: &Value, at: Moment) -> bool {
    mark(kind, object).is_some_and(|mark| mark == at.to_string())
}

/// Returns why a workload with a new pod template keeps pods of the old one.
fn keeps_pods(spec: &Value) -> Option<&'static str> {
    if spec["paused"] == Value::Bool(true) {
        return Some("can't restart paused deployment (run rollout resume first)");
    }
    let strategy = &spec["updateStrategy"];
    if text(strategy, "type") == "OnDelete" {
        return Some("its update strategy is OnDelete: it replaces a pod when somebody deletes that");
    }
    let partition = strategy["rollingUpdate"]["partition"].as_i64().unwrap_or_default();
    (partition > 0).then_some(
        "its update strategy has a partition: it replaces a pod below that when somebody deletes it",
    )
}

/// Marks the pod template as `kubectl rollout restart` does.
///
/// # Errors
/// Why this workload would not replace its pods.
pub(crate) fn mark_restarted(kind: &Kind, object: &mut Value, at: Moment) -> Result<(), &'static str> {
    if let Some(why) = keeps_pods(&object["spec"]) {
        return Err(why);
    }
    let template =
        template(kind).and_then(|pointer| object.pointer_mut(pointer)).and_then(Value::as_object_mut);
    let Some(template) = template else { return Err("it has no pod template") };
    if kind.name == "Service"
        && template.get("metadata").is_some_and(|metadata| metadata.get("name").is_some())
    {
        return Err(
            "its revision has a name of its own, and a new one needs another: change spec.template.metadata.name",
        );
    }
    let marked = map_in(template, "metadata").and_then(|metadata| map_in(metadata, "annotations"));
    let Some(annotations) = marked else { return Err("the metadata of its pod template is not a map") };
    annotations.insert(RESTARTED.to_owned(), at.to_string().into());
    Ok(())
}

/// Returns the map in a field, and creates it if the field is missing.
fn map_in<'a>(fields: &'a mut Map<String, Value>, name: &str) -> Option<&'a mut Map<String, Value>> {
    let field = fields.entry(name).or_insert(Value::Null);
    if field.is_null() {
        *field = json!({});
    }
    field.as_object_mut()
}

/// Tells how far a workload is, as `kubectl rollout status` does, but never done with pods that stay as they are; a Knative Service and a `RayService` by their own
/// conditions.
pub(crate) fn rollout(kind: &Kind, object: &Value) -> Rollout {
    let status = &object["status"];
    let number = |of: &Value, field: &str| of[field].as_i64().unwrap_or_default();
    if number(status, "observedGeneration") < number(&object["metadata"], "generation") {
        return Rollout::Underway;
    }
    let wanted = object["spec"]["replicas"].as_i64().unwrap_or(1);
    let is_done = match kind.name {
        "Deployment" => {
            if let Some(why) = stuck(status) {
                return Rollout::Failed(why);
            }
            let updated = number(status, "updatedReplicas");
            updated >= wanted
                && number(status, "replicas") <= updated
                && number(status, "availableReplicas") >= updated
        }
        "StatefulSet" => {
            number(status, "updatedReplicas") >= wanted && number(status, "readyReplicas") >= wanted
        }
        "DaemonSet" => {
            let wanted = number(status, "desiredNumberScheduled");
            number(status, "updatedNumberScheduled") >= wanted && number(status, "numberAvailable") >= wanted
        }
        "Service" => has_condition(status, "Ready"),
        _ => !has_condition(status, "UpgradeInProgress"),
    };
    if is_done {
        return Rollout::Done;
    }
    keeps_pods(&object["spec"]).map_or(Rollout::Underway, |why| Rollout::Failed(why.to_owned()))
}

fn has_condition(status: &Value, kind: &str) -> bool {
    let mut conditions = list(status, "conditions").iter();
    conditions.any(|one| text(one, "type") == kind && text(one, "status") == "True")
}

/// Returns why a deployment's controller has given up for now.
fn stuck(status: &Value) -> Option<String> {
    let mut conditions = list(status, "conditions").iter();
    let progress = conditions.find(|one| text(one, "type") == "Progressing")?;
    (text(progress, "reason") == "ProgressDeadlineExceeded")
        .then(|| "it exceeded its progress deadline: its new pods do not get ready".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(kind: &str, spec: &Value, status: &Value) -> Rollout {
        let object = json!({"metadata": {"generation": 2}, "spec": spec, "status": status});
        rollout(Kind::named(kind).unwrap(), &object)
    }

    #[test]
    fn a_rollout_is_done_when_all_pods_are_new_and_ready_and_no_old_one_is_left() {
        let seen = |status: Value| {
            let mut status = status;
            status["observedGeneration"] = 2.into();
            status
        };
        let two = json!({"replicas": 2});
        let new = json!({"replicas": 2, "updatedReplicas": 2, "availableReplicas": 2});
        assert_eq!(state("deploy", &two, &new), Rollout::Underway, "the controller has not seen it");
        assert_eq!(state("deploy", &two, &seen(new)), Rollout::Done);
        let with_old = json!({"replicas": 3, "updatedReplicas": 2, "availableReplicas": 2});
        assert_eq!(state("deploy", &two, &seen(with_old)), Rollout::Underway);
        let waiting = json!({"replicas": 2, "updatedReplicas": 2, "availableReplicas": 1});
        assert_eq!(state("deploy", &two, &seen(waiting)), Rollout::Underway);
        let late = json!({"conditions": [{"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"}]});
        assert!(matches!(state("deploy", &two, &seen(late)), Rollout::Failed(_)));
        let set = json!({"updatedReplicas": 2, "readyReplicas": 2});
        assert_eq!(state("sts", &two, &seen(set)), Rollout::Done);
        assert_eq!(
            state("sts", &two, &seen(json!({"updatedReplicas": 1, "readyReplicas": 2}))),
            Rollout::Underway
        );
        let kept = |strategy: Value| {
            let status = seen(json!({"updatedReplicas": 0, "readyReplicas": 2}));
            state("sts", &json!({"replicas": 2, "updateStrategy": strategy}), &status)
        };
        for strategy in [json!({"type": "OnDelete"}), json!({"rollingUpdate": {"partition": 2}})] {
            assert!(matches!(kept(strategy), Rollout::Failed(_)), "its pods stay as they are");
        }
        let of_nodes =
            json!({"desiredNumberScheduled": 2, "updatedNumberScheduled": 2, "numberAvailable": 2});
        assert_eq!(state("ds", &json!({}), &seen(of_nodes)), Rollout::Done);
        let ready = json!({"conditions": [{"type": "Ready", "status": "True"}]});
        assert_eq!(state("ksvc", &json!({}), &seen(ready)), Rollout::Done);
    }

    #[test]
    fn what_would_not_replace_its_pods_is_not_marked() {
        let at = Moment::parse("2026-01-01T00:00:00Z").unwrap();
        let mark = |kind: &str, spec: Value| {
            let mut object = json!({"spec": spec});
            mark_restarted(Kind::named(kind).unwrap(), &mut object, at).map(|()| object)
        };
        let marked = mark("deploy", json!({"template": {"metadata": null}})).unwrap();
        assert_eq!(
            marked.pointer("/spec/template/metadata/annotations").unwrap(),
            &json!({RESTARTED: "2026-01-01T00:00:00Z"})
        );
        assert!(mark("deploy", json!({"paused": true, "template": {}})).is_err());
        assert!(mark("sts", json!({"updateStrategy": {"type": "OnDelete"}, "template": {}})).is_err());
        let partition = json!({"type": "RollingUpdate", "rollingUpdate": {"partition": 1}});
        assert!(mark("sts", json!({"updateStrategy": partition, "template": {}})).is_err());
        assert!(mark("ksvc", json!({"template": {"metadata": {"name": "x-1"}}})).is_err());
        assert!(mark("job", json!({"template": {}})).is_err());
    }

    #[test]
    fn a_restart_was_asked_for_at_the_earlier_of_the_marks_own_time_and_that_of_the_server() {
        let fields = json!({"f:spec": {"f:template": {"f:metadata": {"f:annotations": {format!("f:{RESTARTED}"): {}}}}}});
        let at = |kind: &str, mark: &str| {
            let template = json!({"metadata": {"annotations": {RESTARTED: mark}}});
            let object = json!({"spec": {"template": template}, "metadata": {"managedFields": [
                {"manager": "kubectl-rollout", "time": "2026-01-02T00:00:00Z", "fieldsV1": fields},
                {"manager": "other", "time": "2026-01-05T00:00:00Z", "fieldsV1": {"f:spec": {"f:replicas": {}}}},
            ]}});
            restarted(Kind::named(kind).unwrap(), &object).map(|at| at.to_string())
        };
        // kubectl writes its own time, with its offset.
        assert_eq!(at("deploy", "2026-01-04T00:00:00+01:00").as_deref(), Some("2026-01-02T00:00:00Z"));
        assert_eq!(at("deploy", "2026-01-01T01:00:00+01:00").as_deref(), Some("2026-01-01T00:00:00Z"));
        assert_eq!(at("deploy", "yesterday"), None);
        assert_eq!(at("job", "2026-01-01T00:00:00Z"), None);
    }
}
