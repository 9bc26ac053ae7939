//! Does what every command does first and last: connect, find the namespace, ask, report.

pub(crate) mod batch;
pub(crate) mod given_labels;
pub(crate) mod not_found;
pub(crate) mod projects;
pub(crate) mod scope;
pub(crate) mod target;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use futures::future::try_join_all;
use serde_json::Value;
use tokio::sync::OnceCell;

use crate::cluster::{Cluster, Keep, Write};
use crate::command_line::CommandLine;
use crate::error::{Error, Result};
use crate::flags::{Connection, DryRun, Globals, Head, Output, Place, WriteArgs};
use crate::ui::{Proposal, Ui};
use crate::{project, secret};

/// The connection that the questions and commands of one run share: a second one would run a credential plugin twice,
/// which may ask twice.
pub(crate) type Connected = OnceCell<Rc<Cluster>>;

/// Returns the ready connection, or connects.
///
/// # Errors
/// The kubeconfig or its credentials can't be used.
pub(crate) async fn connect(connected: &Connected, connection: &Connection, ui: &Ui) -> Result<Rc<Cluster>> {
    let connect = async || Cluster::connect(connection, ui).await.map(Rc::new);
    connected.get_or_try_init(connect).await.cloned()
}

/// The context of one run of a command.
pub(crate) struct Session<'a> {
    pub(crate) globals: &'a Globals,
    pub(crate) connected: &'a Connected,
    pub(crate) ui: &'a Ui,
}

impl Session<'_> {
    /// Returns the ready connection, or connects.
    ///
    /// # Errors
    /// The kubeconfig or its credentials can't be used.
    pub(crate) async fn connect(&self) -> Result<Rc<Cluster>> {
        connect(self.connected, &self.globals.connection, self.ui).await
    }

    /// Returns the namespace to work in: `--namespace`, else the project's, else the context's.
    ///
    /// # Errors
    /// The name is illegal, wherever it comes from: it becomes part of every request's path.
    pub(crate) async fn namespace(&self, cluster: &Cluster) -> Result<String> {
        let place = &self.globals.place;
        let namespace = match (&place.namespace, self.only_project()?) {
            (Some(namespace), project) => {
                self.warn_of_override(namespace, project);
                namespace.clone()
            }
            (None, Some(project)) => self.namespace_of(cluster, project).await?,
            (None, None) => cluster.default_namespace().to_owned(),
        };
        secret::check_namespace(&namespace)?;
        Ok(namespace)
    }

    /// Returns all namespaces to work in, each once: those of several projects, with their names, or else the one of
    /// [`Self::namespace`].
    pub(crate) async fn namespaces(&self, cluster: &Cluster) -> Result<Vec<(String, Option<String>)>> {
        let place = &self.globals.place;
        if place.projects.len() < 2 {
            return Ok(vec![(self.namespace(cluster).await?, None)]);
        }
        if place.namespace.is_some() {
            return Err(Error::usage("--namespace names one place, but --project names several")
                .hint("leave out one of the two"));
        }
        place.projects.iter().try_for_each(|name| project::check_name(name))?;
        let named = batch::each_once(&place.projects);
        let found = named
            .iter()
            .map(async |project| Ok((self.namespace_of(cluster, project).await?, Some(project.clone()))));
        try_join_all(found).await
    }

    /// Returns the namespace to work in without asking a cluster: a project's is taken to have its usual name.
    ///
    /// # Errors
    /// Several projects are given, or a name cannot be one.
    pub(crate) fn usual_namespace(&self) -> Result<String> {
        let namespace = match (&self.globals.place.namespace, self.only_project()?) {
            (Some(namespace), project) => {
                self.warn_of_override(namespace, project);
                namespace.clone()
            }
            (None, Some(project)) => {
                project::check_name(project)?;
                project::usual_namespace(project)
            }
            (None, None) => project::UNCHOSEN_NAMESPACE.to_owned(),
        };
        secret::check_namespace(&namespace)?;
        Ok(namespace)
    }

    fn warn_of_override(&self, namespace: &str, project: Option<&str>) {
        if let Some(project) = project {
            self.ui.warning(&format!(
                "--namespace overrides --project: using namespace {namespace}, whether or not it is that of project \
                 {project}"
            ));
        }
    }

    /// Returns the project, for commands that work in one at a time.
    fn only_project(&self) -> Result<Option<&str>> {
        match self.globals.place.projects.as_slice() {
            [] => Ok(None),
            [project] => Ok(Some(project)),
            several => Err(Error::usage(format!(
                "this command works in one project at a time, but --project names {}",
                several.len()
            ))
            .hint("run it once for each project")),
        }
    }

    pub(crate) async fn namespace_of(&self, cluster: &Cluster, project: &str) -> Result<String> {
        let note = |usual: &str| {
            self.ui.detail(&format!(
                "you may not list namespaces: using {usual}, the usual one of project {project}"
            ));
        };
        cluster.namespace_of(project, note).await
    }

    /// Adds, to the refusal of a namespace that was only guessed, that the project's name may be wrong.
    pub(crate) fn with_guess(&self, error: Error) -> Error {
        let line = error.line();
        if !line.contains("(Forbidden)") {
            return error;
        }
        let is_meant = |namespace: &str| line.contains(&format!("\"{namespace}\""));
        let project = self.connected.get().and_then(|cluster| cluster.guessed_project(is_meant));
        match project {
            Some(project) => error.hint(format!(
                "you may not list namespaces, so the usual one of project {project} was taken: is that its name?"
            )),
            None => error,
        }
    }

    /// Returns the Run:ai namespace, for commands that work only there.
    ///
    /// # Errors
    /// A flag names a project or a namespace.
    pub(crate) fn runai_namespace(&self, command: &str) -> Result<&str> {
        if let Some(project) = self.globals.place.projects.first() {
            let error = not_in_a_project(command, "--project and --namespace");
            let of_project = CommandLine::plugin("label NAME --from-project").arg(project);
            return Err(if command == "label" {
                error.first_hint(format!("to share a secret of a project: {of_project}"))
            } else {
                error
            });
        }
        self.source_namespace(command)
    }

    /// Notes that `--wait` does nothing in a dry run.
    pub(crate) fn note_no_wait(&self, write: &WriteArgs, wait: Option<Duration>) {
        if wait.is_some() && write.dry_run != DryRun::None {
            self.ui.note("--wait has nothing to wait for in a dry run");
        }
    }

    /// Reports whether a flag says where to work.
    pub(crate) fn is_place_chosen(&self) -> bool {
        let place = &self.globals.place;
        place.namespace.is_some() || !place.projects.is_empty()
    }

    /// Notes that something was created in `default` because no namespace was chosen.
    pub(crate) fn note_unchosen_namespace(&self, namespace: &str) {
        if !self.is_place_chosen() && namespace == project::UNCHOSEN_NAMESPACE {
            self.ui.note("no project was named, so it is in namespace default");
        }
    }

    /// Returns the command with the place as it was typed, for where the namespace is not known yet.
    pub(crate) fn in_this_place(&self, command: CommandLine) -> CommandLine {
        let Place { projects, namespace, .. } = &self.globals.place;
        match namespace {
            Some(namespace) => command.namespace(namespace),
            None => projects.iter().fold(command, |command, project| command.then("-p").arg(project)),
        }
    }

    /// Keeps the command that usually comes after a write. A dry run, and a write whose object is printed, have none.
    pub(crate) fn propose(&self, write: &WriteArgs, next: &CommandLine) {
        if write.dry_run == DryRun::None && write.output == Output::Human {
            self.ui.propose(next.to_string());
        }
    }

    /// Returns the Run:ai namespace, for commands that look from there at projects.
    ///
    /// # Errors
    /// A flag names a namespace, or the Run:ai namespace's name is illegal.
    pub(crate) fn source_namespace(&self, command: &str) -> Result<&str> {
        let place = &self.globals.place;
        if place.namespace.is_some() {
            return Err(not_in_a_project(command, "--namespace"));
        }
        secret::check_namespace(&place.runai_namespace)?;
        Ok(&place.runai_namespace)
    }

    /// Shows what is about to be written and asks for confirmation if the command is guided. A dry run asks
    /// nothing.
    ///
    /// # Errors
    /// The answer is no, Esc or Ctrl-C.
    pub(crate) async fn confirm_if_guided(
        &self,
        write: &WriteArgs,
        question: &str,
        effects: &[String],
        proposal: Proposal,
    ) -> Result<()> {
        match write.dry_run {
            DryRun::None => self.ui.confirm_if_guided(question, effects, proposal).await,
            DryRun::Client | DryRun::Server => Ok(()),
        }
    }

    /// Lists what is about to happen and asks for confirmation. A dry run only lists it.
    ///
    /// # Errors
    /// The answer is no, nobody can be asked, or Esc or Ctrl-C.
    pub(crate) async fn confirm_effects(
        &self,
        args: &WriteArgs,
        effects: &[String],
        question: &str,
    ) -> Result<()> {
        if args.dry_run == DryRun::None {
            for effect in effects {
                self.ui.effect(effect);
            }
            return self.ui.confirm(question).await;
        }
        for effect in effects.iter().filter(|_| !self.ui.is_quiet()) {
            self.ui.effect_always(effect);
        }
        Ok(())
    }

    /// Reports a write in the chosen format. `-o json|yaml` prints `object`.
    ///
    /// # Errors
    /// Standard output can't be written to. The error says what was done nevertheless.
    pub(crate) fn report(&self, args: &WriteArgs, name: &str, verb: &str, object: &Value) -> Result<()> {
        let done = match (args.dry_run, name) {
            (DryRun::None, "") => "the write itself is done".to_owned(),
            (DryRun::None, name) => format!("{name} is {verb}"),
            (DryRun::Client | DryRun::Server, _) => String::new(),
        };
        self.print(args, name, verb, object).map_err(|error| error.although(&done))
    }

    fn print(&self, args: &WriteArgs, name: &str, verb: &str, object: &Value) -> Result<()> {
        match &args.output {
            Output::Human => self.ui.done(&format!("{name} {verb}{}", args.dry_run.suffix())),
            Output::Name => self.ui.data(format!("{name}\n").as_bytes()),
            Output::Data(form) => self.ui.object(&without_managed_fields(object), form, Head::Shown),
        }
    }
}

pub(crate) fn not_in_a_project(command: &str, flags: &str) -> Error {
    Error::usage(format!("{command} works in the Run:ai namespace, not in a project's"))
        .hint(format!("leave out {flags}; --runai-namespace says where Run:ai is installed"))
}

/// Returns the object as kubectl prints it: without `managedFields`, the server's record of who wrote which
/// field.
pub(crate) fn without_managed_fields(object: &Value) -> BTreeMap<&str, Cow<'_, Value>> {
    let fields = object.as_object().into_iter().flatten().map(|(name, field)| {
        let mut field = Cow::Borrowed(field);
        if name == "metadata" && field.get("managedFields").is_some() {
            field.to_mut().as_object_mut().map(|metadata| metadata.remove("managedFields"));
        }
        (name.as_str(), field)
    });
    fields.collect()
}

impl WriteArgs {
    /// Returns how a write is sent to the server. A `--dry-run=client` ends before that.
    pub(crate) fn write(&self) -> Write<'_> {
        let keep = if self.dry_run == DryRun::None { Keep::Yes } else { Keep::No };
        Write { field_manager: &self.field_manager, validation: self.validate, keep }
    }
}
