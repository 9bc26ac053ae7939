//! `-f`: makes a command's change to the workloads of manifests, without asking a cluster.

mod in_place;

use std::collections::BTreeSet;

use serde_json::Value;

use self::in_place::Places;
use crate::change::workload::{Plan, Planned};
use crate::error::{Error, Result};
use crate::flags::{BINARY, DataForm, DryRun, Head, Output, WriteArgs};
use crate::manifest::{Format, Manifest, Object};
use crate::session::Session;
use crate::sources::manifest_files::{ManifestArgs, ManifestFile, ManifestFiles};
use crate::wording::list;
use crate::workload::{KINDS, Kind, Target};

/// How `--validate` is read where it is left out.
const STRICT: &str = "Strict";

/// The flags of a command that changes the workloads of manifests.
#[derive(clap::Args)]
pub(crate) struct ManifestChangeArgs {
    #[command(flatten)]
    files: ManifestArgs,

    /// Write each manifest of -f back into its file, instead of printing it
    #[arg(long, requires = "filename", conflicts_with = "output")]
    in_place: bool,
}

impl ManifestChangeArgs {
    /// # Errors
    /// As for [`ManifestArgs::files`].
    pub(crate) fn files(&self) -> Result<Option<ManifestFiles>> {
        self.files.files()
    }

    pub(crate) fn is_given(&self) -> bool {
        self.files.is_given()
    }
}

/// Adjusts `-f` for commands that change a workload: it excludes the flags that need a cluster.
pub(crate) fn without_cluster(filename: clap::Arg) -> clap::Arg {
    without_workload(filename).conflicts_with_all(["dry_run", "validate", "field_manager"])
}

/// Does the same for a command that may write secrets. [`check_writes_nothing`] refuses the other flags.
pub(crate) fn without_workload(filename: clap::Arg) -> clap::Arg {
    filename
        .help(
            "Change the workloads of a manifest, or of a folder of them, and print it; - for standard input",
        )
        .conflicts_with_all(["recreate", "copy_as", "timeout"])
}

/// Refuses the flags of a write where nothing is sent.
///
/// # Errors
/// One is given.
pub(crate) fn check_writes_nothing(write: &WriteArgs) -> Result<()> {
    let given = [
        (write.dry_run != DryRun::None, "--dry-run"),
        (write.validate != STRICT, "--validate"),
        (write.field_manager != BINARY, "--field-manager"),
    ];
    match given.into_iter().find_map(|(is_given, flag)| is_given.then_some(flag)) {
        Some(flag) => {
            let why = "which changes a manifest and asks no cluster";
            Err(Error::usage(format!("{flag} has no effect with -f, {why}"))
                .hint(format!("leave out {flag}")))
        }
        None => Ok(()),
    }
}

/// A change to the workloads of manifests.
pub(crate) struct ManifestChange<'a, P> {
    pub(crate) plan: P,
    /// Empty for all workloads.
    pub(crate) targets: &'a [Target],
    pub(crate) args: &'a ManifestChangeArgs,
    pub(crate) write: &'a WriteArgs,
    pub(crate) session: &'a Session<'a>,
}

impl<P: Plan> ManifestChange<'_, P> {
    /// Changes the workloads, and prints the manifests or writes them back.
    ///
    /// # Errors
    /// A file can't be read or parsed, has no such workload, or the change is impossible.
    pub(crate) async fn run(&self, files: &ManifestFiles) -> Result<()> {
        self.check_no_place()?;
        self.run_on(&files.read()?).await
    }

    /// Does the same with files that were read.
    ///
    /// # Errors
    /// As for [`Self::run`]; what the workloads need can't be written.
    pub(crate) async fn run_on(&self, files: &[ManifestFile]) -> Result<()> {
        let places = if self.args.in_place { Some(Places::of(files)?) } else { None };
        let mut manifests: Vec<Manifest<'_>> =
            files.iter().map(ManifestFile::manifest).collect::<Result<_>>()?;
        let meant = meant(files, &manifests, self.targets)?;
        let ui = self.session.ui;
        for (manifest, meant) in manifests.iter_mut().zip(&meant) {
            let changed: Vec<Object> =
                meant.iter().filter_map(|one| self.changed(one).transpose()).collect::<Result<_>>()?;
            for place in manifest.replace(&changed)? {
                ui.warning(&format!(
                    "{place}: some comments were lost, in lines that were removed or rewritten"
                ));
            }
        }
        self.plan.prepare().await?;
        if let Some(places) = places {
            return places.write(files, &manifests, self.session);
        }
        match &self.write.output {
            Output::Human => ui.data(joined(&manifests)?.as_bytes()),
            Output::Data(DataForm::Yaml) => ui.data(joined_as(Format::Yaml, &manifests)?.as_bytes()),
            Output::Data(DataForm::Json) => ui.data(joined_as(Format::Json, &manifests)?.as_bytes()),
            Output::Data(DataForm::Fields(fields)) => {
                let json = joined_as(Format::Json, &manifests)?;
                ui.fields(json.trim_start_matches('\u{feff}').as_bytes(), fields, Head::Shown)
            }
            Output::Name => {
                let names = meant.iter().flatten().map(|one| one.name.clone() + "\n");
                ui.data(names.collect::<String>().as_bytes())
            }
        }
    }

    fn check_no_place(&self) -> Result<()> {
        let place = &self.session.globals.place;
        if place.namespace.is_none() && place.projects.is_empty() {
            return Ok(());
        }
        Err(Error::usage(
            "--namespace and --project have no effect with -f, which changes a manifest and asks no cluster",
        )
        .hint("leave them out; kubectl apply -n says where the objects go"))
    }

    /// Returns the changed object; none if there is nothing to change. Tells the differences on standard
    /// error.
    fn changed(&self, workload: &Workload) -> Result<Option<Object>> {
        let Workload { kind, name, object } = workload;
        let planned = self.plan.change(&object.value, kind, name).map_err(|error| {
            let error = error.at(&object.place);
            if self.targets.is_empty() {
                error.hint("KIND/NAME together with -f chooses one workload")
            } else {
                error
            }
        })?;
        for warning in planned.warnings() {
            self.session.ui.warning(&format!("{name}: {warning}"));
        }
        match planned {
            Planned::Nothing { why, .. } => {
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

/// Returns the workloads to change in each manifest, at least one in all.
///
/// # Errors
/// There is none, or not one that is meant.
pub(crate) fn meant(
    files: &[ManifestFile],
    manifests: &[Manifest<'_>],
    targets: &[Target],
) -> Result<Vec<Vec<Workload>>> {
    let mut workloads = manifests.iter().map(|one| workloads(one, targets)).collect::<Result<Vec<_>>>()?;
    let place = match files {
        [only] => only.name().to_owned(),
        several => format!("none of the {} files", several.len()),
    };
    let has = if files.len() == 1 { "has no" } else { "has a" };
    if workloads.iter().all(Vec::is_empty) {
        return Err(Error::failed(format!("{place} {has} workload of a known kind"))
            .hint(format!("the kinds are: {}", list(KINDS.iter().map(Kind::word)))));
    }
    if targets.is_empty() {
        return Ok(workloads);
    }
    let targets: Vec<String> = targets.iter().map(ToString::to_string).collect();
    let names: BTreeSet<String> = workloads.iter().flatten().map(|one| one.name.clone()).collect();
    for workloads in &mut workloads {
        workloads.retain(|one| targets.contains(&one.name));
    }
    if let Some(target) = targets.iter().find(|target| !names.contains(*target)) {
        let has = if files.len() == 1 { "has no" } else { "has" };
        let names = names.into_iter().collect::<Vec<_>>().join(", ");
        return Err(Error::failed(format!("{place} {has} {target}")).hint(format!(
            "the workloads in {} are: {names}",
            if files.len() == 1 { "it" } else { "them" }
        )));
    }
    Ok(workloads)
}

/// Finds the kind of an object that may be changed: a workload, or a service account that is named.
fn changeable(api_version: &str, kind: &str, targets: &[Target]) -> Option<&'static Kind> {
    let account = Kind::service_account();
    let is_account = Kind::referring_in_manifest(api_version, kind) == Some(account);
    let is_named = targets.iter().any(|target| target.kind == account);
    Kind::of_manifest(api_version, kind).or((is_account && is_named).then_some(account))
}

fn workloads(manifest: &Manifest<'_>, targets: &[Target]) -> Result<Vec<Workload>> {
    let objects = manifest.objects(|api_version, kind| changeable(api_version, kind, targets).is_some())?;
    Ok(objects.into_iter().filter_map(|object| Workload::of(object, targets)).collect())
}

/// Joins the manifests into one text, each unchanged except for the change. JSON among YAML becomes YAML,
/// since no reader takes both.
fn joined(manifests: &[Manifest<'_>]) -> Result<String> {
    match manifests {
        [only] => Ok(only.text()),
        _ if manifests.iter().all(|one| one.format() == Format::Json) => joined_as(Format::Json, manifests),
        _ => joined_as(Format::Yaml, manifests),
    }
}

fn joined_as(format: Format, manifests: &[Manifest<'_>]) -> Result<String> {
    let mut joined = String::new();
    for manifest in manifests {
        let text = manifest.text_as(format)?;
        if joined.is_empty() {
            joined = text;
            continue;
        }
        if !joined.ends_with('\n') {
            joined.push('\n');
        }
        // A byte order mark counts only at the start of the whole text.
        let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
        if format == Format::Yaml && !text.starts_with("---") {
            joined.push_str("---\n");
        }
        joined.push_str(text);
    }
    Ok(joined)
}

/// A workload of a manifest.
pub(crate) struct Workload {
    pub(crate) kind: &'static Kind,
    /// The name as kubectl prints it, or its beginning if the name is generated.
    pub(crate) name: String,
    pub(crate) object: Object,
}

impl Workload {
    fn of(object: Object, targets: &[Target]) -> Option<Self> {
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let (api_version, kind) = (text(&object.value["apiVersion"])?, text(&object.value["kind"])?);
        let kind = changeable(&api_version, &kind, targets)?;
        let metadata = &object.value["metadata"];
        let name = text(&metadata["name"]).or_else(|| text(&metadata["generateName"])).unwrap_or_default();
        Some(Self { kind, name: kind.display_name(&name), object })
    }
}
