//! A new job as one of Run:ai's own kinds.
//!
//! A `RunaiJob` has the spec of a Job. The later workloads have fields of the form `{value: …}` and lists of
//! the form `{items: {KEY: {value: …}}}`, with the names of `kubectl explain trainingworkload.spec` in
//! Run:ai's documentation. An option without a field there is refused, never left out.

use serde_json::{Map, Value, json};

use super::super::kind::Kind;
use super::volume::{Access, Volume};
use super::{Gpu, NewJob, Preemption, Purpose, Scheduler, fields, text_map};
use crate::error::{Error, Result};

impl NewJob {
    /// Builds the manifest of a kind, in a version of its group.
    ///
    /// # Errors
    /// As for [`NewJob::manifest`]; or an option is set that the kind does not have.
    pub(crate) fn manifest_of(&self, kind: &Kind, version: &str) -> Result<Value> {
        let job = self.manifest()?;
        let api_version = format!("{}/{version}", kind.group);
        match kind.name {
            "Job" => {
                self.check_node_pools()?;
                Ok(job)
            }
            "RunaiJob" => {
                self.check_scheduler(kind)?;
                self.check_node_pools()?;
                let typed = json!({ "apiVersion": api_version, "kind": kind.name });
                Ok(with_type(job, typed))
            }
            _ => {
                self.check_scheduler(kind)?;
                self.check_fields(kind)?;
                let typed = json!({ "apiVersion": api_version, "kind": kind.name });
                let metadata = json!({ "name": self.name, "namespace": self.namespace });
                Ok(with_type(json!({ "metadata": metadata, "spec": self.runai_spec(kind) }), typed))
            }
        }
    }

    fn check_scheduler(&self, kind: &Kind) -> Result<()> {
        match self.scheduler {
            Scheduler::Runai => Ok(()),
            Scheduler::Kai { .. } => Err(Error::usage(format!(
                "--kai-queue is for clusters without Run:ai, which have no {}",
                kind.name
            ))
            .hint("leave out --kind, or --kai-queue")),
        }
    }

    /// Refuses several node pools where a label of the pods names the pool.
    fn check_node_pools(&self) -> Result<()> {
        if self.node_pools.len() < 2 || self.scheduler != Scheduler::Runai {
            return Ok(());
        }
        Err(Error::usage("--node-pools gives several, and the pods of a Job can name only one")
            .hint("keep the one that you prefer, or submit a kind of Run:ai's own: --kind trainingworkload"))
    }

    fn check_fields(&self, kind: &Kind) -> Result<()> {
        let is_interactive = kind.name == "InteractiveWorkload";
        if !is_interactive && self.purpose == Purpose::Interactive {
            return Err(Error::usage(format!("a {} is not interactive", kind.name))
                .hint("--kind interactiveworkload is the kind that is"));
        }
        let is_held = self.preemption == Some(Preemption::NonPreemptible);
        let missing = [
            ("--host-path", self.volumes.iter().any(|one| matches!(one, Volume::Folder { .. }))),
            ("--toleration", !self.tolerations.is_empty()),
            ("--restart-policy", self.restart_policy.is_some()),
            ("--gpu-portion-request of several GPUs", matches!(self.gpu, Some(Gpu::Fractions { .. }))),
            ("--preemptibility non-preemptible", is_held && !is_interactive),
            ("--service-account", self.service_account.is_some()),
            ("--ttl-after-finish", self.ttl_seconds_after_finished.is_some()),
            ("--parallelism", is_interactive && self.parallelism.is_some()),
            ("--completions", is_interactive && self.completions.is_some()),
        ];
        match missing.iter().find(|(_, is_given)| *is_given) {
            Some((flag, _)) => {
                Err(Error::usage(format!("{flag} has no documented field in a {}", kind.name))
                    .hint(format!("leave it out, or submit a Job: --kind job {flag} …")))
            }
            None => Ok(()),
        }
    }

    fn runai_spec(&self, kind: &Kind) -> Map<String, Value> {
        let given = |amounts: &[(String, String)], resource: &str| {
            let amount = amounts.iter().find(|(name, _)| name == resource)?;
            Some(value(&amount.1))
        };
        let (gpu, gpu_memory) = match &self.gpu {
            Some(Gpu::Whole(number)) => (Some(value(&number.to_string())), None),
            Some(Gpu::Fraction(part) | Gpu::Fractions { part, .. }) => (Some(value(part)), None),
            Some(Gpu::MemoryMib(mib)) => (None, Some(value(&format!("{mib}Mi")))),
            None => (None, None),
        };
        let joined =
            |words: &[String], between: &str| (!words.is_empty()).then(|| value(&words.join(between)));
        let number = |number: Option<u32>| number.map(|number| json!({ "value": number }));
        let groups: Vec<String> = self.user.groups.iter().map(ToString::to_string).collect();
        let has_ids = self.user.uid.or(self.user.gid).is_some();
        // A training is preemptible anyway, and has no field for it.
        let may_be_stopped =
            kind.name == "InteractiveWorkload" && self.preemption == Some(Preemption::Preemptible);
        let large_shm = self.volumes.contains(&Volume::SharedMemory).then(|| json!({ "value": true }));
        fields([
            ("name", Some(value(&self.name))),
            ("image", Some(value(&self.image))),
            ("imagePullPolicy", self.image_pull_policy.as_deref().map(value)),
            ("command", words(&self.command)),
            ("arguments", words(&self.args)),
            ("workingDir", self.working_dir.as_deref().map(value)),
            ("environment", items(&self.env)),
            ("gpu", gpu),
            ("gpuMemory", gpu_memory),
            ("cpu", given(&self.requests, "cpu")),
            ("cpuLimit", given(&self.limits, "cpu")),
            ("memory", given(&self.requests, "memory")),
            ("memoryLimit", given(&self.limits, "memory")),
            ("largeShm", large_shm),
            ("pvcs", self.claims()),
            ("nodeType", self.node_type.as_deref().map(value)),
            ("nodePools", joined(&self.node_pools, " ")),
            ("preemptible", may_be_stopped.then(|| json!({ "value": true }))),
            ("runAsUser", has_ids.then(|| json!({ "value": true }))),
            ("runAsUid", number(self.user.uid)),
            ("runAsGid", number(self.user.gid)),
            ("supplementalGroups", joined(&groups, ";")),
            ("labels", items(&self.labels)),
            ("annotations", items(&self.annotations)),
            ("parallelism", number(self.parallelism)),
            ("completions", number(self.completions)),
            ("backoffLimit", number(self.backoff_limit)),
        ])
    }

    fn claims(&self) -> Option<Value> {
        let claims = self.volumes.iter().filter_map(|volume| match volume {
            Volume::SharedMemory | Volume::Folder { .. } => None,
            Volume::Claim { name, path, access } => {
                let mut claim = json!({ "claimName": name, "existingPvc": true, "path": path });
                if *access == Access::ReadOnly {
                    claim["readOnly"] = true.into();
                }
                Some(json!({ "value": claim }))
            }
        });
        let items: Map<_, _> =
            claims.enumerate().map(|(index, claim)| (format!("pvc--{index}"), claim)).collect();
        (!items.is_empty()).then(|| json!({ "items": items }))
    }
}

fn with_type(mut object: Value, typed: Value) -> Value {
    if let (Some(object), Value::Object(typed)) = (object.as_object_mut(), typed) {
        object.extend(typed);
    }
    object
}

fn value(text: &str) -> Value {
    json!({ "value": text })
}

/// Joins the words of a command into the one text that Run:ai splits again.
fn words(words: &[String]) -> Option<Value> {
    (!words.is_empty()).then(|| value(&shell_words::join(words)))
}

fn items(entries: &[(String, String)]) -> Option<Value> {
    let Some(Value::Object(map)) = text_map(entries) else { return None };
    let items: Map<_, _> = map.into_iter().map(|(key, text)| (key, json!({ "value": text }))).collect();
    Some(json!({ "items": items }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workload::job::{Toleration, User};

    fn job() -> NewJob {
        NewJob { name: "train".into(), namespace: "a".into(), image: "ubuntu".into(), ..NewJob::default() }
    }

    fn kind(word: &str) -> &'static Kind {
        Kind::named(word).unwrap()
    }

    #[test]
    fn a_workload_of_run_ai_has_values_where_a_pod_has_fields() {
        let claim = Volume::parse_claim("data:/data:ro").unwrap();
        let manifest = NewJob {
            args: vec!["train.py".into(), "a b".into()],
            env: vec![("EPOCHS".into(), "10".into())],
            gpu: Some(Gpu::Fraction("0.5".into())),
            requests: vec![("cpu".into(), "2".into())],
            limits: vec![("memory".into(), "4Gi".into())],
            volumes: vec![Volume::SharedMemory, claim],
            labels: vec![("team".into(), "x".into())],
            completions: Some(3),
            node_pools: vec!["a".into(), "b".into()],
            user: User { uid: Some(1000), gid: None, groups: vec![1, 2] },
            preemption: Some(Preemption::Preemptible),
            ..job()
        }
        .manifest_of(kind("trainingworkload"), "v2alpha1")
        .unwrap();
        let claim = json!({"claimName": "data", "existingPvc": true, "path": "/data", "readOnly": true});
        let expected = json!({
            "apiVersion": "run.ai/v2alpha1", "kind": "TrainingWorkload",
            "metadata": {"name": "train", "namespace": "a"},
            "spec": {
                "name": {"value": "train"}, "image": {"value": "ubuntu"}, "arguments": {"value": "train.py 'a b'"},
                "environment": {"items": {"EPOCHS": {"value": "10"}}}, "gpu": {"value": "0.5"}, "cpu": {"value": "2"},
                "memoryLimit": {"value": "4Gi"}, "largeShm": {"value": true},
                "pvcs": {"items": {"pvc--0": {"value": claim}}}, "labels": {"items": {"team": {"value": "x"}}},
                "completions": {"value": 3}, "nodePools": {"value": "a b"}, "runAsUser": {"value": true},
                "runAsUid": {"value": 1000}, "supplementalGroups": {"value": "1;2"},
            },
        });
        assert_eq!(manifest, expected);
    }

    #[test]
    fn a_runai_job_has_the_spec_of_a_job() {
        let mut runai = job().manifest_of(kind("runaijob"), "v1").unwrap();
        assert_eq!((&runai["apiVersion"], &runai["kind"]), (&json!("run.ai/v1"), &json!("RunaiJob")));
        runai["apiVersion"] = "batch/v1".into();
        runai["kind"] = "Job".into();
        assert_eq!(runai, job().manifest().unwrap());
    }

    #[test]
    fn an_interactive_workload_says_that_it_may_be_stopped() {
        let manifest = |preemption| {
            let job = NewJob { preemption, ..job() };
            job.manifest_of(kind("interactiveworkload"), "v2alpha1").unwrap()["spec"]["preemptible"].clone()
        };
        assert_eq!(manifest(Some(Preemption::Preemptible)), json!({"value": true}));
        assert_eq!(manifest(Some(Preemption::NonPreemptible)), Value::Null);
        assert_eq!(manifest(None), Value::Null);
    }

    #[test]
    fn what_has_no_field_is_refused() {
        let interactive = || NewJob { purpose: Purpose::Interactive, ..job() };
        let cases = [
            ("trainingworkload", interactive(), "--kind interactiveworkload"),
            ("trainingworkload", NewJob { service_account: Some("sa".into()), ..job() }, "--service-account"),
            (
                "trainingworkload",
                NewJob { ttl_seconds_after_finished: Some(1), ..job() },
                "--ttl-after-finish",
            ),
            (
                "trainingworkload",
                NewJob { restart_policy: Some("Never".into()), ..job() },
                "--restart-policy",
            ),
            (
                "trainingworkload",
                NewJob { volumes: vec![Volume::parse_volume("/a:/b").unwrap()], ..job() },
                "--host-path",
            ),
            (
                "trainingworkload",
                NewJob { tolerations: vec![Toleration::parse("operator=Exists").unwrap()], ..job() },
                "--toleration",
            ),
            (
                "trainingworkload",
                NewJob { preemption: Some(Preemption::NonPreemptible), ..job() },
                "--preemptibility non-preemptible",
            ),
            (
                "trainingworkload",
                NewJob { gpu: Some(Gpu::Fractions { part: "0.5".into(), gpus: 2 }), ..job() },
                "--gpu-portion-request",
            ),
            ("job", NewJob { node_pools: vec!["a".into(), "b".into()], ..job() }, "--node-pools"),
            ("runaijob", NewJob { node_pools: vec!["a".into(), "b".into()], ..job() }, "--node-pools"),
            ("interactiveworkload", NewJob { completions: Some(1), ..job() }, "--completions"),
            ("runaijob", NewJob { scheduler: Scheduler::Kai { queue: "q".into() }, ..job() }, "--kai-queue"),
        ];
        for (word, job, part) in cases {
            let refusal = job.manifest_of(kind(word), "v1").unwrap_err().to_string();
            assert!(refusal.contains(part), "{refusal}");
        }
        assert!(interactive().manifest_of(kind("interactiveworkload"), "v1").is_ok());
    }
}
