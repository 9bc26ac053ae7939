//! `delete --cluster-wide`: the mark first, so that no controller makes copies again; then the copies; the source last,
//! so that whatever is left can still be told from somebody else's.

use futures::{StreamExt, stream};

use super::DeleteArgs;
use crate::cli::DryRun;
use crate::cluster::{Cluster, Failure};
use crate::commands::arrival::{self, Until};
use crate::commands::survey::{self, Area, IN_FLIGHT, Survey};
use crate::commands::{Session, TRIES, status};
use crate::error::{Error, Result};
use crate::metadata::Metadata;
use crate::propagation::{self, Evidence, Key, Row, Scope, State};
use crate::wording::plural;

/// One shared secret on its way out.
pub(super) struct Removal<'a> {
    pub(super) name: &'a str,
    /// Run:ai's.
    pub(super) namespace: &'a str,
    pub(super) args: &'a DeleteArgs,
    pub(super) cluster: &'a Cluster,
    pub(super) session: &'a Session<'a>,
}

impl Removal<'_> {
    pub(super) async fn run(&self) -> Result<()> {
        let Self { name, namespace, cluster, session, .. } = self;
        let area = Area::find(&[], cluster, session).await?;
        let survey = Survey::take(name, namespace, &area, cluster).await?;
        if !survey.is_known() {
            return Err(Error::in_kubectls_words(format!(
                "Error from server (NotFound): secrets \"{name}\" not found in namespace \"{namespace}\""
            ))
            .hint("no project has a copy of it either: there is nothing to delete"));
        }
        let source = self.source().await?;
        self.list_steps(source.as_ref(), &survey);
        if self.args.write.dry_run != DryRun::None {
            return self.dry_run(source.as_ref()).await;
        }
        session.ui.confirm(&format!("Delete {name} and its copies?")).await?;
        if let Some(source) = source {
            self.unmark(source).await?;
        }
        let limit = self.args.timeout;
        let survey = arrival::wait(Until::Gone, name, namespace, limit, cluster, session).await?;
        self.remove_what_run_ai_left(&survey).await?;
        self.remove(&copies(&survey, Maker::Ourselves)).await?;
        self.delete_source().await?;
        not_seen(&survey)
    }

    /// The secret in Run:ai's namespace, none where it is gone.
    async fn source(&self) -> Result<Option<Metadata>> {
        match self.cluster.secret_metadata(self.namespace, self.name).await {
            Ok(source) => Ok(Some(source)),
            Err(failure) if failure.is_not_found() => Ok(None),
            Err(failure) => Err(failure.into()),
        }
    }

    /// Each step, before anything is asked.
    fn list_steps(&self, source: Option<&Metadata>, survey: &Survey) {
        let Self { name, namespace, .. } = self;
        let effect = |line: String| self.session.ui.effect(&line);
        if source.is_some_and(|source| Scope::of(&source.labels) != Scope::Nobody) {
            effect(format!("secret {name} in {namespace} is not shared any more"));
        }
        let (runais, ours) = (copies(survey, Maker::RunAi), copies(survey, Maker::Ourselves));
        if !runais.is_empty() {
            effect(format!("Run:ai removes its copies from {}", titles(&runais)));
        }
        if !ours.is_empty() {
            effect(format!("the copies that sync made are deleted from {}", titles(&ours)));
        }
        let theirs: Vec<&Row> =
            survey.rows.iter().filter(|row| row.held.is_some() && row.evidence.is_none()).collect();
        if !theirs.is_empty() {
            effect(format!("secrets of that name that somebody else made stay: {}", titles(&theirs)));
        }
        if source.is_some() {
            effect(format!("secret {name} in {namespace} is deleted"));
        }
        effect(format!("jobs that use {name} won't start again"));
    }

    async fn dry_run(&self, source: Option<&Metadata>) -> Result<()> {
        let Some(source) = source else { return Ok(()) };
        super::delete(source, self.args, self.cluster).await?;
        super::report(source, "deleted", self.args, self.session)
    }

    /// Takes every label off that shares it.
    async fn unmark(&self, mut source: Metadata) -> Result<()> {
        for attempt in 1.. {
            let changes = propagation::unmarking(&source.labels, Key::Both);
            if changes.is_empty() {
                return Ok(());
            }
            match self.cluster.patch_secret_labels(&source, &changes, self.args.write.write()).await {
                Ok(_) => return Ok(()),
                Err(failure) if failure.is_conflict() && attempt < TRIES => {
                    let Some(again) = self.source().await? else { return Ok(()) };
                    source = again;
                }
                Err(failure) => return Err(failure.into()),
            }
        }
        unreachable!("the loop above has no end but its returns")
    }

    /// Where no controller is at work its copies stay for ever: asks whether to delete them.
    async fn remove_what_run_ai_left(&self, survey: &Survey) -> Result<()> {
        let left = copies(survey, Maker::RunAi);
        if left.is_empty() {
            return Ok(());
        }
        for row in &left {
            let evidence = row.evidence.as_ref().map(ToString::to_string).unwrap_or_default();
            self.session.ui.effect(&format!(
                "{}: Run:ai has not removed its copy in {} s ({evidence})",
                survey::title(row),
                self.args.timeout.as_secs()
            ));
        }
        let question =
            format!("Delete {}, as no controller of Run:ai seems to?", plural(left.len(), "secret"));
        self.session.ui.confirm(&question).await?;
        self.remove(&left).await
    }

    /// Deletes copies that are still as they were read.
    ///
    /// # Errors
    /// Some are left; the source stays too, so that the next run finds them.
    async fn remove(&self, rows: &[&Row]) -> Result<()> {
        let mut progress = self.session.ui.progress(&format!("copies of {} removed", self.name), rows.len());
        let mut removing =
            stream::iter(rows).map(|row| async { (*row, self.remove_one(row).await) }).buffered(IN_FLIGHT);
        let (mut done, mut left) = (0, Vec::new());
        while let Some((row, removed)) = removing.next().await {
            match removed {
                Ok(()) => {
                    done += 1;
                    progress.at(done);
                }
                Err(failure) => {
                    self.session.ui.error(&Error::from(failure).at(survey::title(row)));
                    left.push(survey::title(row));
                }
            }
        }
        drop(progress);
        if left.is_empty() {
            return Ok(());
        }
        Err(Error::partly(format!("copies of {} are left in {}", self.name, status::few(&left)))
            .hint("the secret itself was kept: run the command again to do the rest"))
    }

    async fn remove_one(&self, row: &Row) -> Result<(), Failure> {
        let Some(held) = &row.held else { return Ok(()) };
        let keep = self.args.write.write().keep;
        match self.cluster.delete_secret(&row.namespace, self.name, &held.uid, &held.version, keep).await {
            Err(failure) if failure.is_not_found() => Ok(()),
            removed => removed,
        }
    }

    async fn delete_source(&self) -> Result<()> {
        let Some(source) = self.source().await? else { return Ok(()) };
        super::delete(&source, self.args, self.cluster).await?;
        super::report(&source, "deleted", self.args, self.session)
    }
}

/// Who made a copy.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Maker {
    RunAi,
    Ourselves,
}

/// The copies that one of the two made, but for those on their way out.
fn copies(survey: &Survey, maker: Maker) -> Vec<&Row> {
    let made = |row: &&Row| match &row.evidence {
        None => false,
        Some(evidence) => (*evidence == Evidence::OurMark) == (maker == Maker::Ourselves),
    };
    survey.rows.iter().filter(made).filter(|row| row.state != State::Terminating).collect()
}

fn titles(rows: &[&Row]) -> String {
    status::few(&rows.iter().map(|row| survey::title(row)).collect::<Vec<_>>())
}

/// Where nobody could look a copy may be left.
fn not_seen(survey: &Survey) -> Result<()> {
    let unseen: Vec<&str> = survey.in_state(State::Forbidden).map(survey::title).collect();
    if unseen.is_empty() {
        return Ok(());
    }
    Err(Error::partly(format!("copies may be left in {}: you may not look there", status::few(&unseen))))
}
