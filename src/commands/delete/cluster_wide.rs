//! `delete --cluster-wide`: takes the mark off first, so that no controller makes copies again, then deletes
//! the copies, and the source last: until then a copy can be told from somebody else's secret.

use std::collections::BTreeSet;

use futures::{StreamExt, stream};
use serde_json::json;

use super::args::DeleteArgs;
use super::deleted::{Deleted, delete};
use crate::change::retry::Tries;
use crate::cluster::{Cluster, Failure, if_there};
use crate::command_line::CommandLine;
use crate::error::{Error, Result};
use crate::flags::DryRun;
use crate::metadata::Metadata;
use crate::propagation::{self, DELETING, Key, Likeness, Row, Scope, Source, State};
use crate::session::Session;
use crate::sharing::report;
use crate::sharing::survey::{AT_ONCE, Survey};
use crate::sharing::wait::{Among, Until};
use crate::uses::who_needs::Consumers;
use crate::wording::{few, plural};
use crate::{session, sharing};

const KEPT: &str = "the secret itself was kept: run the command again to do the rest";

/// A shared secret that is being deleted.
pub(super) struct Removal<'a> {
    pub(super) name: &'a str,
    /// Run:ai's namespace.
    pub(super) namespace: &'a str,
    pub(super) args: &'a DeleteArgs,
    pub(super) cluster: &'a Cluster,
    pub(super) session: &'a Session<'a>,
}

impl Removal<'_> {
    pub(super) async fn run(&self, consumers: &mut Consumers<'_>, deleted: &mut Deleted<'_>) -> Result<()> {
        let Self { name, namespace, cluster, session, .. } = self;
        let survey = sharing::wait::survey(name, namespace, cluster).await?;
        if matches!(survey.source, Source::Missing) {
            session::not_found::refuse_no_runai_namespace(namespace, cluster).await?;
        }
        if !survey.is_known() {
            let error = sharing::survey::not_found(name, namespace)
                .hint("no project has a copy of it either: there is nothing to delete");
            return Err(session::not_found::with_nearest_secret(error, name, namespace, cluster).await);
        }
        let source = self.source().await?;
        self.check_that_it_is_shared(source.as_ref(), &survey)?;
        report::tell_troubles(&survey, session);
        if let Some(source) = &source {
            sharing::warn_of_owner(source, super::MADE_AGAIN, session);
        }
        let losing = self.losing(&survey);
        let steps = self.steps(source.as_ref(), &survey);
        consumers.tell(name, &steps, |namespace| losing.contains(namespace)).await?;
        if self.args.write.dry_run != DryRun::None {
            return self.dry_run(source.as_ref(), deleted).await;
        }
        session.ui.confirm(&format!("Delete {name} and its copies?")).await?;
        if let Some(source) = &source {
            self.unmark(source).await?;
        }
        let survey = self.wait().await?;
        self.remove_what_run_ai_left(&survey, deleted).await?;
        self.remove(&copies(&survey, Maker::Ourselves), deleted).await?;
        self.check_that_all_was_read(&survey)?;
        if let Some(source) = &source {
            self.delete_source(source, deleted).await?;
        }
        self.left_alone(&survey)?;
        not_seen(&survey)
    }

    /// Reads the secret in Run:ai's namespace; none if it is gone.
    async fn source(&self) -> Result<Option<Metadata>> {
        Ok(if_there(self.cluster.secret_metadata(self.namespace, self.name).await)?)
    }

    /// Reads the source again; none if it is gone.
    ///
    /// # Errors
    /// It is not the one that was confirmed.
    async fn same_source(&self, agreed: &Metadata) -> Result<Option<Metadata>> {
        let Some(source) = self.source().await? else { return Ok(None) };
        if source.uid == agreed.uid {
            return Ok(Some(source));
        }
        Err(Error::partly(format!(
            "somebody made another secret {} in {} meanwhile",
            self.name, self.namespace
        ))
        .hint("that one was not touched; to delete it too, run the command again"))
    }

    /// Refuses a secret that is not shared: Run:ai's namespace has secrets of its own, and a typing mistake
    /// may name one.
    fn check_that_it_is_shared(&self, source: Option<&Metadata>, survey: &Survey) -> Result<()> {
        let Some(source) = source else { return Ok(()) };
        let begun = source.annotations.deleting.is_some();
        let has_copies = survey.rows.iter().any(|row| row.evidence.is_some());
        if begun || has_copies || Scope::of(&source.labels) != Scope::Nobody {
            return Ok(());
        }
        let Self { name, namespace, .. } = self;
        Err(Error::failed(format!(
            "secret {name:?} in namespace {namespace:?} is not shared, and has no copies"
        ))
        .hint(format!(
            "to delete it anyway: {}",
            CommandLine::plugin("delete").arg(name).namespace(namespace)
        )))
    }

    /// Lists the steps, before anything is asked.
    fn steps(&self, source: Option<&Metadata>, survey: &Survey) -> Vec<String> {
        let Self { name, namespace, .. } = self;
        let mut steps = Vec::new();
        let mut effect = |line: String| steps.push(line);
        if source.is_some_and(|source| Scope::of(&source.labels) != Scope::Nobody) {
            effect(format!("secret {name} in {namespace} is not shared any more"));
        }
        let (runais, ours) = (copies(survey, Maker::RunAi), copies(survey, Maker::Ourselves));
        let unlike = copies(survey, Maker::Unknown);
        if !runais.is_empty() {
            effect(format!("Run:ai removes its copies from {}", titles(&runais)));
        }
        if !ours.is_empty() {
            effect(format!("the copies that sync made are deleted from {}", titles(&ours)));
        }
        if !unlike.is_empty() {
            effect(format!(
                "left alone, unless Run:ai removes them: secrets with its label and other content in {}",
                titles(&unlike)
            ));
        }
        let theirs: Vec<&Row> =
            survey.rows.iter().filter(|row| row.held.is_some() && row.evidence.is_none()).collect();
        if !theirs.is_empty() {
            effect(format!("secrets of that name that somebody else made stay: {}", titles(&theirs)));
        }
        let unseen: Vec<&Row> = survey.in_state(State::Forbidden).collect();
        if !unseen.is_empty() {
            effect(format!("copies may be left in {}: you may not look there", titles(&unseen)));
        }
        if source.is_some() {
            effect(format!("secret {name} in {namespace} is deleted"));
        }
        effect(format!("jobs that use {name} won't start again"));
        steps
    }

    /// Returns the namespaces that lose a secret of this name. A secret that somebody else made stays.
    fn losing<'s>(&'s self, survey: &'s Survey) -> BTreeSet<&'s str> {
        let is_losing =
            |row: &&Row| row.evidence.is_some() || matches!(row.state, State::Forbidden | State::Unknown);
        let copies = survey.rows.iter().filter(is_losing).map(|row| row.namespace.as_str());
        copies.chain([self.namespace]).collect()
    }

    async fn dry_run(&self, source: Option<&Metadata>, deleted: &mut Deleted<'_>) -> Result<()> {
        let Some(source) = source else { return Ok(()) };
        delete(source, self.args, self.cluster).await?;
        deleted.tell(self.name, self.namespace, None)
    }

    /// Removes every label that shares the secret, and notes on it that it is being deleted.
    async fn unmark(&self, agreed: &Metadata) -> Result<()> {
        let mut source = Some(agreed.clone());
        let mut tries = Tries::default();
        loop {
            let Some(now) = source else { return Ok(()) };
            let labels = propagation::unmarking(&now.labels, Key::Both);
            if labels.is_empty() && now.annotations.deleting.is_some() {
                return Ok(());
            }
            let change = json!({ "labels": labels, "annotations": { DELETING: "true" } });
            match self.cluster.patch_metadata(&now, change, self.args.write.write()).await {
                Ok(_) => return Ok(()),
                Err(failure) => tries.again(failure, Failure::is_conflict).await?,
            }
            source = self.same_source(agreed).await?;
        }
    }

    /// Waits until Run:ai's controller has removed its copies, or the time is over.
    async fn wait(&self) -> Result<Survey> {
        let Self { name, namespace, args, cluster, session } = self;
        let (until, among) = (Until::Gone, Among::EveryProject);
        let survey =
            sharing::wait::wait(until, name, namespace, among, args.timeout, cluster, session).await?;
        match survey.scope() {
            None | Some(Scope::Nobody) => Ok(survey),
            Some(_) => Err(Error::partly(format!("somebody shared {name} again meanwhile"))
                .hint("nothing was deleted; to delete it anyway, run the command again")),
        }
    }

    /// Asks whether to delete Run:ai's copies that are left: without a controller they would stay for ever.
    async fn remove_what_run_ai_left(&self, survey: &Survey, deleted: &mut Deleted<'_>) -> Result<()> {
        let left = copies(survey, Maker::RunAi);
        if left.is_empty() {
            return Ok(());
        }
        for row in &left {
            let evidence = row.evidence.as_ref().map(ToString::to_string).unwrap_or_default();
            self.session.ui.effect(&format!(
                "{}: Run:ai has not removed its copy in {} s ({evidence})",
                sharing::survey::title(row),
                self.args.timeout.as_secs()
            ));
        }
        let question = format!("Delete {} that Run:ai has not removed?", plural(left.len(), "secret"));
        self.session.ui.confirm(&question).await?;
        self.remove(&left, deleted).await
    }

    /// # Errors
    /// A secret that may be a copy was left alone: it is not known whose it is.
    fn left_alone(&self, survey: &Survey) -> Result<()> {
        let left = copies(survey, Maker::Unknown);
        let Some(first) = left.first() else { return Ok(()) };
        let (name, namespace) = (self.name, &first.namespace);
        let evidence = first.evidence.as_ref().map(ToString::to_string).unwrap_or_default();
        Err(Error::partly(format!(
            "secret {name} was left alone in {}: Run:ai's label or owner says that it is a copy ({evidence}), but its \
             content is not that of the shared one",
            titles(&left)
        ))
        .hint(format!("to delete it too: {}", CommandLine::plugin("delete").arg(name).namespace(namespace))))
    }

    /// Deletes the copies that have not changed since they were read.
    ///
    /// # Errors
    /// Some copies are left. The source stays too, so that the next run finds them.
    async fn remove(&self, rows: &[&Row], deleted: &mut Deleted<'_>) -> Result<()> {
        let mut progress = self.session.ui.progress(&format!("copies of {} removed", self.name), rows.len());
        let mut removing =
            stream::iter(rows).map(|row| async { (*row, self.remove_one(row).await) }).buffered(AT_ONCE);
        let (mut done, mut left) = (0, Vec::new());
        while let Some((row, removed)) = removing.next().await {
            let title = sharing::survey::title(row);
            match removed {
                Ok(()) => {
                    done += 1;
                    progress.at(done);
                    progress.beside(|| deleted.tell(self.name, &row.namespace, Some(title)))?;
                }
                Err(failure) => {
                    progress.beside(|| self.session.ui.error(&Error::from(failure).at(title)));
                    left.push(title);
                }
            }
        }
        if left.is_empty() {
            return Ok(());
        }
        Err(Error::partly(format!("copies of {} are left in {}", self.name, few(&left))).hint(KEPT))
    }

    async fn remove_one(&self, row: &Row) -> Result<(), Failure> {
        let Some(held) = &row.held else { return Ok(()) };
        let keep = self.args.write.write().keep;
        let removed =
            self.cluster.delete_secret(&row.namespace, self.name, &held.uid, &held.version, keep).await;
        if_there(removed).map(drop)
    }

    /// Refuses to delete the source while a copy could not be read: the next run must still recognise that
    /// copy.
    fn check_that_all_was_read(&self, survey: &Survey) -> Result<()> {
        let unread: Vec<&Row> = survey.in_state(State::Unknown).collect();
        if unread.is_empty() {
            return Ok(());
        }
        report::tell_troubles(survey, self.session);
        Err(Error::partly(format!("could not read whether {} has a copy of {}", titles(&unread), self.name))
            .hint(KEPT))
    }

    async fn delete_source(&self, agreed: &Metadata, deleted: &mut Deleted<'_>) -> Result<()> {
        let Some(source) = self.same_source(agreed).await? else { return Ok(()) };
        if Scope::of(&source.labels) != Scope::Nobody {
            return Err(Error::partly(format!("somebody shared {} again: it was kept", self.name)));
        }
        delete(&source, self.args, self.cluster).await?;
        deleted.tell(self.name, self.namespace, None)
    }
}

/// The maker of a copy.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Maker {
    /// It has Run:ai's label or owner, and the content of the source.
    RunAi,
    Ourselves,
    /// It has Run:ai's label or owner and other content: it may be a project's own.
    Unknown,
}

/// Returns the copies of one maker, except those that are being deleted.
fn copies(survey: &Survey, maker: Maker) -> Vec<&Row> {
    let maker_of = |row: &Row| match row.likeness() {
        _ if row.is_ours() => Maker::Ourselves,
        Likeness::Equal => Maker::RunAi,
        Likeness::Different | Likeness::Unknown => Maker::Unknown,
    };
    let made = |row: &&Row| row.evidence.is_some() && maker_of(row) == maker;
    survey.rows.iter().filter(made).filter(|row| row.state != State::Terminating).collect()
}

fn titles(rows: &[&Row]) -> String {
    few(&rows.iter().map(|row| sharing::survey::title(row)).collect::<Vec<_>>())
}

/// Reports the namespaces that the user may not read, where copies may be left.
fn not_seen(survey: &Survey) -> Result<()> {
    let unseen: Vec<&str> = survey.in_state(State::Forbidden).map(sharing::survey::title).collect();
    if unseen.is_empty() {
        return Ok(());
    }
    Err(Error::partly(format!("copies may be left in {}: you may not look there", few(&unseen))))
}
