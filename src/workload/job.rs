//! A new Job for Run:ai's scheduler, as `runai submit` would make it. Attachments are added to it afterwards.

mod entries;
mod gpu;
mod runai;
mod toleration;
mod volume;

use serde_json::{Map, Value, json};

pub(crate) use self::gpu::Gpu;
pub(crate) use self::toleration::Toleration;
pub(crate) use self::volume::Volume;
use super::attachment::check_env_name;
use super::name::check_job_name;
use crate::error::{Error, Result};

/// The retries that `runai submit` gives a training.
const BACKOFF_LIMIT: u32 = 6;

/// The settings of a new Job. Empty ones and None leave the field out.
#[derive(Debug, Clone, Default)]
pub(crate) struct NewJob {
    pub(crate) name: String,
    pub(crate) namespace: String,
    pub(crate) image: String,
    pub(crate) command: Vec<String>,
    pub(crate) args: Vec<String>,
    /// Variables and their literal values.
    pub(crate) env: Vec<(String, String)>,
    /// The names of all variables, also those from secrets, in the given order.
    pub(crate) order: Vec<String>,
    pub(crate) gpu: Option<Gpu>,
    pub(crate) purpose: Purpose,
    /// None leaves it to the scheduler, which lets trainings be preempted and interactive jobs not.
    pub(crate) preemption: Option<Preemption>,
    /// For the Job and its pods.
    pub(crate) labels: Vec<(String, String)>,
    /// For the Job and its pods.
    pub(crate) annotations: Vec<(String, String)>,
    /// `cpu`, `memory` or an extended resource, and a quantity.
    pub(crate) requests: Vec<(String, String)>,
    pub(crate) limits: Vec<(String, String)>,
    pub(crate) parallelism: Option<u32>,
    pub(crate) completions: Option<u32>,
    pub(crate) backoff_limit: Option<u32>,
    pub(crate) ttl_seconds_after_finished: Option<u32>,
    pub(crate) working_dir: Option<String>,
    /// Run:ai's `--node-type`: nodes labelled `run.ai/type`.
    pub(crate) node_type: Option<String>,
    /// The first that has room is taken.
    pub(crate) node_pools: Vec<String>,
    pub(crate) tolerations: Vec<Toleration>,
    pub(crate) user: User,
    pub(crate) restart_policy: Option<String>,
    pub(crate) service_account: Option<String>,
    pub(crate) image_pull_policy: Option<String>,
    pub(crate) volumes: Vec<Volume>,
    pub(crate) scheduler: Scheduler,
}

/// The Job's purpose, which decides its priority and its retries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Purpose {
    #[default]
    Training,
    /// Run:ai's `--interactive`: the priority class `build`, and no retries.
    Interactive,
}

/// Tells whether the scheduler may stop a job for another one. Only a job that it may stop gets more than the
/// project's quota.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Preemption {
    Preemptible,
    NonPreemptible,
}

/// The ids that the containers run with; the image's own where there are none.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct User {
    pub(crate) uid: Option<u32>,
    pub(crate) gid: Option<u32>,
    pub(crate) groups: Vec<u32>,
}

/// The scheduler of the pods.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) enum Scheduler {
    #[default]
    Runai,
    /// KAI without Run:ai, in this queue.
    Kai { queue: String },
}

/// Returns `job-x7k2p`, from a prefix such as `job` and five random bytes.
pub(crate) fn generated_name(prefix: &str, random: [u8; 5]) -> String {
    format!("{prefix}-{}", generated_suffix(random))
}

/// Returns `x7k2p`, from five random bytes: letters and digits that are easy to tell apart and make no words.
pub(crate) fn generated_suffix(random: [u8; 5]) -> String {
    // The alphabet of Kubernetes' own generated names. It has 27 characters, so the bias of the remainder is
    // small.
    const ALPHABET: &[u8; 27] = b"bcdfghjklmnpqrstvwxz2456789";
    random.iter().map(|byte| char::from(ALPHABET[usize::from(*byte) % ALPHABET.len()])).collect()
}

impl NewJob {
    /// Builds the manifest.
    ///
    /// # Errors
    /// A name is illegal, the image is missing, or a variable is illegal or given twice.
    pub(crate) fn manifest(&self) -> Result<Value> {
        self.check()?;
        let mut metadata = self.metadata();
        metadata.insert("name".to_owned(), json!(self.name));
        if !self.namespace.is_empty() {
            metadata.insert("namespace".to_owned(), json!(self.namespace));
        }
        let spec = fields([
            ("backoffLimit", Some(json!(self.retries()))),
            ("parallelism", self.parallelism.map(Value::from)),
            ("completions", self.completions.map(Value::from)),
            ("ttlSecondsAfterFinished", self.ttl_seconds_after_finished.map(Value::from)),
            ("template", Some(json!({ "metadata": self.pod_metadata(), "spec": self.pod_spec() }))),
        ]);
        Ok(json!({ "apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": spec }))
    }

    fn check(&self) -> Result<()> {
        check_job_name(&self.name)?;
        if self.image.is_empty() {
            // Run:ai's own words.
            return Err(Error::usage("-i, --image must be set"));
        }
        for (index, (variable, _)) in self.env.iter().enumerate() {
            check_env_name("the env variable", variable)?;
            if self.env[..index].iter().any(|(earlier, _)| earlier == variable) {
                return Err(Error::usage(format!("the env variable {variable} is given twice")));
            }
        }
        let paths: Vec<_> = self.volumes.iter().map(Volume::path).collect();
        match paths.iter().enumerate().find(|(index, path)| paths[..*index].contains(path)) {
            Some((_, path)) => Err(Error::usage(format!("two volumes have the same path {path}"))),
            None => Ok(()),
        }
    }

    /// Puts the variables of a manifest into the given order: only later ones see a variable.
    pub(crate) fn put_in_order(&self, manifest: &mut Value) {
        let env = manifest.pointer_mut("/spec/template/spec/containers/0/env").and_then(Value::as_array_mut);
        let place = |entry: &Value| self.order.iter().position(|name| entry["name"] == name.as_str());
        if let Some(env) = env {
            env.sort_by_key(|entry| place(entry).unwrap_or(usize::MAX));
        }
    }

    fn retries(&self) -> u32 {
        self.backoff_limit.unwrap_or(match self.purpose {
            Purpose::Training => BACKOFF_LIMIT,
            Purpose::Interactive => 0,
        })
    }

    /// Returns the metadata that the Job and its pods share.
    fn metadata(&self) -> Map<String, Value> {
        let own = self.own_labels();
        let own = own.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect::<Vec<_>>();
        fields([
            ("labels", text_map(own.iter().chain(&self.labels))),
            ("annotations", text_map(&self.annotations)),
        ])
    }

    /// Returns the labels that the scheduler reads.
    fn own_labels(&self) -> Vec<(&str, &str)> {
        let (node_pool, may_be_stopped) = match &self.scheduler {
            Scheduler::Runai => ("runai/node-pool", "interactive-preemptible"),
            Scheduler::Kai { .. } => ("kai.scheduler/node-pool", "build-preemptible"),
        };
        let mut labels = Vec::new();
        if let Scheduler::Kai { queue } = &self.scheduler {
            labels.push(("kai.scheduler/queue", queue.as_str()));
        }
        match (self.purpose, self.preemption) {
            (Purpose::Training, _) => {}
            (Purpose::Interactive, Some(Preemption::Preemptible)) => {
                labels.push(("priorityClassName", may_be_stopped));
            }
            (Purpose::Interactive, _) => labels.push(("priorityClassName", "build")),
        }
        if let Some(preemption) = self.preemption {
            labels.push(("kai.scheduler/preemptibility", preemption.word()));
        }
        if let [only] = self.node_pools.as_slice() {
            labels.push((node_pool, only));
        }
        labels
    }

    fn pod_metadata(&self) -> Map<String, Value> {
        let mut metadata = self.metadata();
        let mut own = self.gpu.as_ref().map(Gpu::annotations).unwrap_or_default();
        if self.node_pools.len() > 1 {
            own.push(("kai.scheduler/node-pools".to_owned(), self.node_pools.join(" ")));
        }
        if let Some(annotations) = text_map(self.annotations.iter().chain(&own)) {
            metadata.insert("annotations".to_owned(), annotations);
        }
        metadata
    }

    fn pod_spec(&self) -> Map<String, Value> {
        let scheduler = match self.scheduler {
            Scheduler::Runai => "runai-scheduler",
            Scheduler::Kai { .. } => "kai-scheduler",
        };
        fields([
            ("schedulerName", Some(json!(scheduler))),
            ("restartPolicy", Some(json!(self.restart_policy.as_deref().unwrap_or("Never")))),
            ("securityContext", self.user.security_context()),
            ("serviceAccountName", self.service_account.as_deref().map(Value::from)),
            ("nodeSelector", self.node_type.as_ref().map(|node_type| json!({ "run.ai/type": node_type }))),
            ("tolerations", self.tolerations()),
            ("containers", Some(json!([self.container()]))),
            ("volumes", self.named_volumes(|(source, _)| source)),
        ])
    }

    fn tolerations(&self) -> Option<Value> {
        let all = || self.tolerations.iter().map(Toleration::manifest).collect();
        (!self.tolerations.is_empty()).then(all)
    }

    /// Returns one side of each volume, source or mount, under the name `volume-<n>`.
    fn named_volumes(&self, side: impl Fn((Value, Value)) -> Value) -> Option<Value> {
        let named = self.volumes.iter().enumerate().map(|(index, volume)| {
            let mut one = side(volume.source_and_mount());
            one["name"] = Value::from(format!("volume-{index}"));
            one
        });
        (!self.volumes.is_empty()).then(|| named.collect())
    }

    fn container(&self) -> Map<String, Value> {
        let words = |words: &[String]| (!words.is_empty()).then(|| json!(words));
        let env: Vec<_> =
            self.env.iter().map(|(name, value)| json!({ "name": name, "value": value })).collect();
        let whole_gpus = match self.gpu {
            Some(Gpu::Whole(number)) if number > 0 => Some(("nvidia.com/gpu".to_owned(), number.to_string())),
            _ => None,
        };
        let resources = fields([
            ("limits", text_map(self.limits.iter().chain(&whole_gpus))),
            ("requests", text_map(&self.requests)),
        ]);
        fields([
            ("name", Some(json!(self.name))),
            ("image", Some(json!(self.image))),
            ("imagePullPolicy", self.image_pull_policy.as_deref().map(Value::from)),
            ("command", words(&self.command)),
            ("args", words(&self.args)),
            ("workingDir", self.working_dir.as_deref().map(Value::from)),
            ("env", (!env.is_empty()).then(|| Value::from(env))),
            ("resources", (!resources.is_empty()).then(|| Value::from(resources))),
            ("volumeMounts", self.named_volumes(|(_, mount)| mount)),
        ])
    }
}

impl Preemption {
    /// Returns the scheduler's word for it.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Preemptible => "preemptible",
            Self::NonPreemptible => "non-preemptible",
        }
    }
}

impl User {
    fn security_context(&self) -> Option<Value> {
        let groups = (!self.groups.is_empty()).then(|| Value::from(self.groups.as_slice()));
        let context = fields([
            ("runAsUser", self.uid.map(Value::from)),
            ("runAsGroup", self.gid.map(Value::from)),
            ("supplementalGroups", groups),
        ]);
        (!context.is_empty()).then_some(Value::Object(context))
    }
}

fn fields<const N: usize>(fields: [(&str, Option<Value>); N]) -> Map<String, Value> {
    fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
}

/// Returns a map of texts; none if it would be empty.
fn text_map<'a>(entries: impl IntoIterator<Item = &'a (String, String)>) -> Option<Value> {
    let map: Map<_, _> = entries.into_iter().map(|(key, value)| (key.clone(), json!(value))).collect();
    (!map.is_empty()).then_some(Value::Object(map))
}

#[cfg(test)]
mod tests;
