//! Rules for kinds that make pods: Jobs above all, whose template is fixed once they exist.

use serde_json::Value;

use super::pod;
use crate::api::failure::Cause;
use crate::api::metadata::validate_labels;
use crate::api::resources::Resource;
use crate::api::store::text;

const FIXED: &str = "field is immutable";

/// Returns the faults of a workload, and of changing `old` into it.
pub(super) fn validate(resource: &Resource, old: Option<&Value>, new: &Value) -> Vec<Cause> {
    let pointer = resource.pod_spec().unwrap_or_default();
    let field = pointer.trim_start_matches('/').replace('/', ".");
    let template_field = field.trim_end_matches(".spec");
    let template = new.pointer(pointer.trim_end_matches("/spec")).unwrap_or(&Value::Null);
    let mut causes = Vec::new();
    if resource.is("Job") {
        causes.extend(job_ties(old, new));
    } else if !resource.is("CronJob") {
        causes.extend(selector(new));
    }
    causes.extend(validate_labels(&format!("{template_field}.labels"), &template["metadata"]["labels"]));
    causes.extend(pod::validate(&field, &template["spec"]));
    let restart = text(&template["spec"], "/restartPolicy");
    let is_job = matches!(resource.kind.as_str(), "Job" | "CronJob");
    if is_job && !matches!(restart, "OnFailure" | "Never") {
        causes.push(Cause::required(
            format!("{field}.restartPolicy"),
            "valid values: \"OnFailure\", \"Never\"",
        ));
    }
    if let Some(old) = old {
        causes.extend(fixed(resource, old, new));
    }
    causes
}

/// Returns the fields that may no longer change.
fn fixed(resource: &Resource, old: &Value, new: &Value) -> Vec<Cause> {
    let changed = |pointer: &str| old.pointer(pointer) != new.pointer(pointer);
    let refused = |field: &str| {
        let pointer = format!("/{}", field.replace('.', "/"));
        let value = new.pointer(&pointer).unwrap_or(&Value::Null);
        changed(&pointer).then(|| Cause::invalid_json(field, value, FIXED))
    };
    let fields: &[&str] = match resource.kind.as_str() {
        // A suspended Job that never ran may get other labels and other nodes, and nothing else.
        "Job" if old["spec"]["suspend"] == true && old["status"]["startTime"].is_null() => {
            let schedulable = [old, new].map(|job| without_scheduling(&job["spec"]["template"]["spec"]));
            let mut causes: Vec<Cause> =
                ["spec.completions", "spec.selector"].into_iter().filter_map(refused).collect();
            if schedulable[0] != schedulable[1] {
                causes.extend(refused("spec.template.spec"));
            }
            return causes;
        }
        "Job" => &["spec.completions", "spec.selector", "spec.template", "spec.completionMode"],
        "Deployment" | "DaemonSet" | "ReplicaSet" => &["spec.selector"],
        "StatefulSet" => &["spec.selector", "spec.serviceName", "spec.podManagementPolicy"],
        _ => &[],
    };
    fields.iter().copied().filter_map(refused).collect()
}

fn without_scheduling(spec: &Value) -> Value {
    let mut spec = spec.clone();
    for field in ["nodeSelector", "affinity", "tolerations", "schedulingGates"] {
        spec[field] = Value::Null;
    }
    // Since 1.35 a suspended Job's resources may change too.
    for container in spec.get_mut("containers").and_then(Value::as_array_mut).into_iter().flatten() {
        container["resources"] = Value::Null;
    }
    spec
}

/// Refuses labels that tie a Job's pods to another Job: they carry its own uid and name.
fn job_ties(old: Option<&Value>, job: &Value) -> Vec<Cause> {
    let labels = &job["spec"]["template"]["metadata"]["labels"];
    let (uid, name) = (text(job, "/metadata/uid"), text(job, "/metadata/name"));
    let mut causes = Vec::new();
    if !selector_fits(job) {
        causes.push(does_not_match(labels));
    }
    if old.is_some() || job["spec"]["manualSelector"] == true {
        return causes;
    }
    let ties = [
        ("batch.kubernetes.io/controller-uid", uid),
        ("controller-uid", uid),
        ("batch.kubernetes.io/job-name", name),
        ("job-name", name),
    ];
    for (key, must_be) in ties {
        if labels[key] != must_be {
            let field = format!("spec.template.metadata.labels[{key}]");
            causes.push(Cause::invalid_json(field, labels, &format!("must be '{must_be}'")));
        }
    }
    let selector = &job["spec"]["selector"];
    if selector["matchLabels"].as_object().is_some_and(|labels| labels.len() > 1) {
        causes.push(Cause::invalid_json("spec.selector", selector, "`selector` not auto-generated"));
    }
    causes
}

fn selector(workload: &Value) -> Vec<Cause> {
    let mut causes = Vec::new();
    if workload["spec"]["selector"].is_null() {
        causes.push(Cause::required("spec.selector", ""));
    }
    if workload["spec"]["selector"].is_null() || !selector_fits(workload) {
        causes.push(does_not_match(&workload["spec"]["template"]["metadata"]["labels"]));
    }
    causes
}

fn selector_fits(workload: &Value) -> bool {
    let labels = &workload["spec"]["template"]["metadata"]["labels"];
    let wanted = workload["spec"]["selector"]["matchLabels"].as_object();
    wanted.into_iter().flatten().all(|(key, value)| labels.get(key) == Some(value))
}

fn does_not_match(labels: &Value) -> Cause {
    Cause::invalid_json(
        "spec.template.metadata.labels",
        labels,
        "`selector` does not match template `labels`",
    )
}
