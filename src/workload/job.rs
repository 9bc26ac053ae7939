//! A new Job for Run:ai's scheduler, as `runai submit` would make it. Attachments are added to it afterwards.

mod runai;

use std::fmt;

use serde_json::{Map, Value, json};

use super::attachment::{check_env_name, mount_path};
use super::name::{check_job_name, check_object_name};
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

/// The scheduler of the pods.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) enum Scheduler {
    #[default]
    Runai,
    /// KAI without Run:ai, in this queue.
    Kai { queue: String },
}

/// A mount of a Job other than a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Volume {
    /// Run:ai's `--large-shm`: `/dev/shm` in memory, without the usual limit of 64 MiB.
    SharedMemory,
    /// A claim that exists.
    Claim { name: String, path: String, access: Access },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    ReadWrite,
    ReadOnly,
}

impl Volume {
    /// Parses `--pvc NAME:PATH[:ro]`, for a claim that exists.
    pub(crate) fn parse_claim(text: &str) -> Result<Self> {
        let (name, path, access) = match text.split(':').collect::<Vec<_>>()[..] {
            [name, path] => (name, path, Access::ReadWrite),
            [name, path, "ro"] => (name, path, Access::ReadOnly),
            _ => {
                return Err(Error::usage(format!("--pvc {text:?} is not NAME:PATH[:ro]"))
                    .hint("for example: --pvc datasets:/data:ro"));
            }
        };
        check_object_name("persistent volume claim", name)?;
        Ok(Self::Claim { name: name.to_owned(), path: mount_path(path)?, access })
    }

    fn path(&self) -> &str {
        match self {
            Self::SharedMemory => "/dev/shm",
            Self::Claim { path, .. } => path,
        }
    }

    /// Returns the volume's source and its mount, without their common name.
    fn source_and_mount(&self) -> (Value, Value) {
        match self {
            Self::SharedMemory => {
                (json!({ "emptyDir": { "medium": "Memory" } }), json!({ "mountPath": self.path() }))
            }
            Self::Claim { name, path, access: Access::ReadWrite } => {
                (json!({ "persistentVolumeClaim": { "claimName": name } }), json!({ "mountPath": path }))
            }
            Self::Claim { name, path, access: Access::ReadOnly } => (
                json!({ "persistentVolumeClaim": { "claimName": name, "readOnly": true } }),
                json!({ "mountPath": path, "readOnly": true }),
            ),
        }
    }
}

/// The GPUs that a pod gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Gpu {
    /// This number of whole GPUs.
    Whole(u32),
    /// A part of one, between 0 and 1, in decimals without trailing zeros: `0.5`.
    Fraction(String),
    /// This many MiB of the memory of one.
    MemoryMib(u32),
}

impl fmt::Display for Gpu {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole(count) => write!(f, "{count}"),
            Self::Fraction(part) => write!(f, "{part}"),
            Self::MemoryMib(memory) => write!(f, "{memory} MiB of one"),
        }
    }
}

impl Gpu {
    /// Parses `--gpu`: a whole number, or a fraction between 0 and 1.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let refuse = |why: &str| {
            Err(Error::usage(format!("--gpu {text:?} {why}")).hint("for example: --gpu 1, or --gpu 0.5"))
        };
        let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
        let digits = |part: &str| part.chars().all(|c| c.is_ascii_digit());
        if whole.is_empty() && decimals.is_empty() || !digits(whole) || !digits(decimals) {
            return refuse("is not a number of GPUs");
        }
        let decimals = decimals.trim_end_matches('0');
        match (whole.trim_start_matches('0'), decimals) {
            ("", "") => Ok(Self::Whole(0)),
            ("", decimals) => Ok(Self::Fraction(format!("0.{decimals}"))),
            (whole, "") => whole.parse().map(Self::Whole).or_else(|_| refuse("is too many GPUs")),
            _ => refuse("is neither a whole number of GPUs nor a part of one GPU"),
        }
    }

    /// Parses `--gpu-memory`: a whole number of MiB.
    pub(crate) fn parse_memory(text: &str) -> Result<Self> {
        match text.parse() {
            Ok(mib) if mib > 0 && text.chars().all(|c| c.is_ascii_digit()) => Ok(Self::MemoryMib(mib)),
            _ => Err(Error::usage(format!("--gpu-memory {text:?} is not a whole number of MiB"))
                .hint("for example: --gpu-memory 2000")),
        }
    }

    /// Returns the scheduler's annotation for a part of a GPU.
    fn annotation(&self) -> Option<(String, String)> {
        match self {
            Self::Whole(_) => None,
            Self::Fraction(fraction) => Some(("gpu-fraction".to_owned(), fraction.clone())),
            Self::MemoryMib(mib) => Some(("gpu-memory".to_owned(), mib.to_string())),
        }
    }
}

/// Returns `job-x7k2p`, from five random bytes.
pub(crate) fn generated_name(random: [u8; 5]) -> String {
    format!("job-{}", generated_suffix(random))
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
        let queue = match &self.scheduler {
            Scheduler::Runai => None,
            Scheduler::Kai { queue } => Some(("kai.scheduler/queue".to_owned(), queue.clone())),
        };
        let priority = match self.purpose {
            Purpose::Training => None,
            Purpose::Interactive => Some(("priorityClassName".to_owned(), "build".to_owned())),
        };
        let labels = queue.iter().chain(&priority).chain(&self.labels);
        fields([("labels", text_map(labels)), ("annotations", text_map(&self.annotations))])
    }

    fn pod_metadata(&self) -> Map<String, Value> {
        let mut metadata = self.metadata();
        let gpu = self.gpu.as_ref().and_then(Gpu::annotation);
        if let Some(annotations) = text_map(self.annotations.iter().chain(&gpu)) {
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
            ("restartPolicy", Some(json!("Never"))),
            ("serviceAccountName", self.service_account.as_deref().map(Value::from)),
            ("nodeSelector", self.node_type.as_ref().map(|node_type| json!({ "run.ai/type": node_type }))),
            ("containers", Some(json!([self.container()]))),
            ("volumes", self.named_volumes(|(source, _)| source)),
        ])
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
