//! The flags for what each pod gets: GPUs, CPUs, memory and volumes.

use clap::builder::PossibleValuesParser;

use crate::error::{Error, Result};
use crate::flags::Holds;
use crate::workload::{self, Gpu, NewJob, Volume};

#[derive(clap::Args)]
pub(super) struct ResourceArgs {
    #[command(flatten)]
    gpus: GpuArgs,

    /// CPUs requested for each pod, such as 0.5 or 500m
    #[arg(long, alias = "cpu-core-request", value_name = "AMOUNT", add = Holds::Text)]
    cpu: Option<String>,

    /// Limit of CPUs for each pod
    #[arg(long, alias = "cpu-core-limit", value_name = "AMOUNT", hide_short_help = true, add = Holds::Text)]
    cpu_limit: Option<String>,

    /// Memory requested for each pod, such as 512Mi or 16Gi
    #[arg(long, alias = "cpu-memory-request", value_name = "AMOUNT", add = Holds::Text)]
    memory: Option<String>,

    /// Limit of memory for each pod
    #[arg(long, alias = "cpu-memory-limit", value_name = "AMOUNT", hide_short_help = true, add = Holds::Text)]
    memory_limit: Option<String>,

    #[command(flatten)]
    volumes: VolumeArgs,
}

#[derive(clap::Args)]
struct GpuArgs {
    /// GPUs for each pod: a whole number, or a fraction such as 0.5
    #[arg(short, long, alias = "gpu-devices-request", value_name = "NUMBER", conflicts_with = "gpu_memory",
          add = Holds::Text)]
    gpu: Option<String>,

    /// A part of a GPU by its memory, in MiB or such as 2G
    #[arg(long, value_name = "AMOUNT", add = Holds::Text)]
    gpu_memory: Option<String>,

    /// The part of each GPU, such as 0.5
    #[arg(long, value_name = "PART", hide = true, conflicts_with_all = ["gpu_memory", "gpu_memory_request"],
          add = Holds::Text)]
    gpu_portion_request: Option<String>,

    /// A part of a GPU by its memory
    #[arg(long, value_name = "AMOUNT", hide = true, conflicts_with = "gpu_memory", add = Holds::Text)]
    gpu_memory_request: Option<String>,

    /// What the part of a GPU is measured in
    #[arg(long, value_name = "WHAT", hide = true, value_parser = PossibleValuesParser::new(["portion", "memory"]))]
    gpu_request_type: Option<String>,
}

#[derive(clap::Args)]
struct VolumeArgs {
    /// An existing persistent volume claim, mounted at PATH
    #[arg(long = "pvc", value_name = "NAME:PATH[:ro]", add = Holds::Text)]
    claims: Vec<String>,

    /// An existing persistent volume claim
    #[arg(long = "existing-pvc", alias = "pvc-exists", value_name = "claimname=NAME,path=PATH", hide = true,
          add = Holds::Text)]
    existing_claims: Vec<String>,

    /// A folder of the node, mounted at PATH; read-only without readwrite
    #[arg(long = "host-path", value_name = "path=FOLDER,mount=PATH[,readwrite]", hide_short_help = true,
          add = Holds::Text)]
    folders: Vec<String>,

    /// A folder of the node, mounted at PATH
    #[arg(long = "volume", value_name = "FOLDER:PATH[:ro]", hide = true, add = Holds::Text)]
    volumes: Vec<String>,

    /// Shared memory without the usual limit of 64 MiB
    #[arg(long)]
    large_shm: bool,
}

impl ResourceArgs {
    pub(super) fn add_to(&self, job: NewJob) -> Result<NewJob> {
        let requests = amounts([("cpu", "--cpu", &self.cpu), ("memory", "--memory", &self.memory)])?;
        let limits = amounts([
            ("cpu", "--cpu-limit", &self.cpu_limit),
            ("memory", "--memory-limit", &self.memory_limit),
        ])?;
        Ok(NewJob { gpu: self.gpus.gpu()?, requests, limits, volumes: self.volumes.volumes()?, ..job })
    }
}

/// Checks the given amounts and returns them by resource.
fn amounts(given: [(&str, &str, &Option<String>); 2]) -> Result<Vec<(String, String)>> {
    let mut amounts = Vec::new();
    for (resource, flag, amount) in given {
        if let Some(amount) = amount {
            workload::check_quantity(flag, amount)?;
            amounts.push((resource.to_owned(), amount.clone()));
        }
    }
    Ok(amounts)
}

impl GpuArgs {
    fn gpu(&self) -> Result<Option<Gpu>> {
        let measured_in = match (&self.gpu_portion_request, &self.gpu_memory_request) {
            (Some(_), _) => Some("portion"),
            (None, Some(_)) => Some("memory"),
            (None, None) => None,
        };
        if let Some(said) = self.gpu_request_type.as_deref().filter(|said| Some(*said) != measured_in) {
            return Err(Error::usage(format!("--gpu-request-type {said} needs --gpu-{said}-request"))
                .hint("leave it out: the other flags say it too"));
        }
        let gpus = self.gpu.as_deref().map(Gpu::parse).transpose()?;
        if let Some(part) = &self.gpu_portion_request {
            return Gpu::parse_portion(part, gpus.as_ref()).map(Some);
        }
        if let Some(memory) = &self.gpu_memory_request {
            return match gpus {
                None | Some(Gpu::Whole(1)) => Gpu::parse_memory("--gpu-memory-request", memory).map(Some),
                Some(gpus) => Err(Error::usage(format!(
                    "--gpu-memory-request is a part of one GPU, and --gpu asks for {gpus}"
                ))
                .hint("leave out one of the two")),
            };
        }
        match &self.gpu_memory {
            Some(memory) => Gpu::parse_memory("--gpu-memory", memory).map(Some),
            None => Ok(gpus),
        }
    }
}

impl VolumeArgs {
    fn volumes(&self) -> Result<Vec<Volume>> {
        let memory = self.large_shm.then_some(Ok(Volume::SharedMemory)).into_iter();
        let claims = self.claims.iter().map(|claim| Volume::parse_claim(claim));
        let existing = self.existing_claims.iter().map(|claim| Volume::parse_existing_claim(claim));
        let folders = self.folders.iter().map(|folder| Volume::parse_folder(folder));
        let volumes = self.volumes.iter().map(|volume| Volume::parse_volume(volume));
        memory.chain(claims).chain(existing).chain(folders).chain(volumes).collect()
    }
}
