//! `-f`: the change that a command makes to a workload, made to those of a manifest. No cluster is asked.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};

use serde_json::Value;

use super::Session;
use super::change_workload::{Plan, Planned};
use crate::cli::{Output, WriteArgs};
use crate::error::{Error, Result};
use crate::manifest::{Format, Manifest, Object};
use crate::secret::{Origin, ProcessInput, SecretValue};
use crate::workload::{Kind, Target};

/// Many times what one request to an API server may hold; a pipe may never end.
const LIMIT: usize = 16 << 20;

#[derive(clap::Args)]
pub(super) struct ManifestArgs {
    /// Change the workloads of a manifest instead, and print it; - for standard input
    #[arg(short, long, value_name = "FILE|-", conflicts_with_all = ["recreate", "copy_as", "timeout", "dry_run",
          "validate", "field_manager"])]
    filename: Option<OsString>,
}

impl ManifestArgs {
    pub(super) fn file(&self) -> Option<ManifestFile> {
        self.filename.as_deref().map(ManifestFile::of)
    }
}

/// A file of manifests.
pub(super) struct ManifestFile(Origin);

impl ManifestFile {
    /// `-` is standard input.
    pub(super) fn of(file: &OsStr) -> Self {
        Self(Origin::of(file))
    }

    /// What it is called in messages.
    pub(super) fn name(&self) -> String {
        self.0.shown().to_string()
    }

    /// All of it. It may hold Secrets, so it is kept as one.
    pub(super) fn read(&self) -> Result<SecretValue> {
        self.0.read(LIMIT, &mut ProcessInput)
    }
}

/// The text of a manifest file.
///
/// # Errors
/// It is not UTF-8.
pub(super) fn text<'a>(name: &str, content: &'a SecretValue) -> Result<&'a str> {
    str::from_utf8(content.expose()).map_err(|_| Error::usage(format!("{name}: not UTF-8")))
}

/// A change of the workloads of a manifest.
pub(super) struct ManifestChange<'a, P> {
    pub(super) plan: P,
    /// None for every workload.
    pub(super) target: Option<&'a Target>,
    pub(super) write: &'a WriteArgs,
    pub(super) session: &'a Session<'a>,
}

impl<P: Plan> ManifestChange<'_, P> {
    pub(super) fn run(&self, file: &ManifestFile) -> Result<()> {
        self.check_no_place()?;
        let name = file.name();
        let content = file.read()?;
        let mut manifest = Manifest::parse(&name, text(&name, &content)?)?;
        let meant = self.meant(&name, &manifest)?;
        let changed: Vec<Object> =
            meant.iter().filter_map(|one| self.changed(one).transpose()).collect::<Result<_>>()?;
        for place in manifest.replace(&changed)? {
            self.session
                .ui
                .warning(&format!("{place}: comments are lost, where lines went or were written anew"));
        }
        let ui = self.session.ui;
        match self.write.output {
            Output::Human => ui.data(manifest.text().as_bytes()),
            Output::Yaml => ui.data(manifest.text_as(Format::Yaml)?.as_bytes()),
            Output::Json => ui.data(manifest.text_as(Format::Json)?.as_bytes()),
            Output::Name => {
                ui.data(meant.iter().map(|one| one.name.clone() + "\n").collect::<String>().as_bytes())
            }
        }
    }

    fn check_no_place(&self) -> Result<()> {
        let place = &self.session.globals.place;
        if place.namespace.is_none() && place.projects.is_empty() {
            return Ok(());
        }
        Err(Error::usage(
            "-f changes a manifest and asks no cluster: --namespace and --project mean nothing to it",
        )
        .hint("leave them out; kubectl apply -n says where the objects go"))
    }

    /// The workloads that are to be changed, at least one.
    fn meant(&self, file: &str, manifest: &Manifest<'_>) -> Result<Vec<Workload>> {
        let objects = manifest.objects(|api_version, kind| Kind::of_manifest(api_version, kind).is_some())?;
        let workloads: Vec<_> = objects.into_iter().filter_map(Workload::of).collect();
        if workloads.is_empty() {
            return Err(Error::failed(format!("{file} has no workload of a kind that is known"))
                .hint("kubectl runai-secret attach x/y names the kinds that are"));
        }
        let Some(target) = self.target else { return Ok(workloads) };
        let names: BTreeSet<String> = workloads.iter().map(|one| one.name.clone()).collect();
        let meant: Vec<_> = workloads.into_iter().filter(|one| one.name == target.to_string()).collect();
        if meant.is_empty() {
            let names = names.into_iter().collect::<Vec<_>>().join(", ");
            return Err(Error::failed(format!("{file} has no {target}"))
                .hint(format!("the workloads in it are: {names}")));
        }
        Ok(meant)
    }

    /// The object as it is wanted; none where there is nothing to do. Says on standard error what is different.
    fn changed(&self, workload: &Workload) -> Result<Option<Object>> {
        let Workload { kind, name, object } = workload;
        let planned = self.plan.change(&object.value, kind, name).map_err(|error| {
            let error = error.at(&object.place);
            if self.target.is_none() { error.hint("KIND/NAME beside -f chooses one workload") } else { error }
        })?;
        match planned {
            Planned::Nothing(why) => {
                self.session.ui.note(&why);
                Ok(None)
            }
            Planned::Changed(changed) => {
                for difference in &changed.differences {
                    self.session.ui.note(&format!("{name}: {difference}"));
                }
                Ok(Some(object.clone().with(changed.object)))
            }
        }
    }
}

/// A workload of a manifest.
struct Workload {
    kind: &'static Kind,
    /// As kubectl prints it; where the name is to be generated, as it begins.
    name: String,
    object: Object,
}

impl Workload {
    fn of(object: Object) -> Option<Self> {
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let (api_version, kind) = (text(&object.value["apiVersion"])?, text(&object.value["kind"])?);
        let kind = Kind::of_manifest(&api_version, &kind)?;
        let metadata = &object.value["metadata"];
        let name = text(&metadata["name"]).or_else(|| text(&metadata["generateName"])).unwrap_or_default();
        Some(Self { kind, name: kind.display_name(&name), object })
    }
}
