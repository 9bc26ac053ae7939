//! Makes the same change to the secret of one name in every project of a command: all are read and judged before the
//! first is written.

use std::rc::Rc;

use futures::future::join_all;
use futures::{StreamExt, stream};
use serde::de::DeserializeOwned;

use crate::change::secret::{Done, Plan, SecretChange};
use crate::change::several::AT_ONCE;
use crate::cluster::{Cluster, SecretHead};
use crate::command_line::CommandLine;
use crate::error::Result;
use crate::flags::WriteArgs;
use crate::session::Session;
use crate::session::batch::{Objects, Several};
use crate::wording::list;

/// The secret in one project, or in the only namespace.
pub(crate) struct Place<'a, S> {
    pub(crate) change: SecretChange<'a>,
    /// The project, if several are named.
    pub(crate) project: Option<String>,
    /// The secret as it was read; none if it does not exist.
    pub(crate) found: Option<S>,
}

/// All places of a command.
pub(crate) struct Places<'a, S> {
    pub(crate) all: Vec<Place<'a, S>>,
    pub(crate) cluster: Rc<Cluster>,
    write: &'a WriteArgs,
    pub(crate) session: &'a Session<'a>,
    /// The command without a place.
    again: CommandLine,
}

/// What was written: for each place what was done, or none where it failed.
pub(crate) struct Written {
    pub(crate) done: Vec<Option<Done>>,
    /// The outcome of all of them, for the exit code.
    pub(crate) verdict: Result<()>,
}

impl<'a, S> Places<'a, S> {
    /// Connects and finds the namespaces. Does not read the secrets yet. `again` is the command without a place.
    ///
    /// # Errors
    /// The cluster can't be reached, or a namespace can't be found out.
    pub(crate) async fn begin(
        command: &'static str,
        name: &'a str,
        again: CommandLine,
        write: &'a WriteArgs,
        session: &'a Session<'a>,
    ) -> Result<Self> {
        let cluster = session.connect().await?;
        let places = session.namespaces(&cluster).await?.into_iter();
        let place = |(namespace, project)| {
            let cluster = Rc::clone(&cluster);
            let change = SecretChange::in_namespace(command, name, namespace, write, cluster, session);
            Place { change, project, found: None }
        };
        let all = places.map(place).collect();
        Ok(Self { all, cluster, write, session, again })
    }

    /// Judges each place before anything is written, one after the other: somebody may be asked.
    ///
    /// # Errors
    /// One of them is refused; all refusals are told.
    pub(crate) async fn judge(&self, judge: impl AsyncFn(&Place<'a, S>) -> Result<()>) -> Result<()> {
        let mut several = self.several();
        for place in &self.all {
            several.one(place.title(), judge(place).await)?;
        }
        self.unanimous(&several)
    }

    /// Takes the secrets as they were read, for [`Self::write`].
    pub(crate) fn take(&mut self) -> Vec<Option<S>> {
        self.all.iter_mut().map(|place| place.found.take()).collect()
    }

    fn several(&self) -> Several<'a> {
        Several::projects(self.all.len(), self.session)
    }

    /// # Errors
    /// One of them was refused: then nothing is written anywhere.
    fn unanimous(&self, several: &Several<'_>) -> Result<()> {
        several.unanimous().map_err(|error| match several.done() {
            [] => error,
            others => error.hint(format!("to leave out the rest: {}", self.again_in(others))),
        })
    }

    /// Returns the command for some of the projects.
    fn again_in(&self, projects: &[String]) -> CommandLine {
        projects.iter().fold(self.again.clone(), |command, project| command.then("-p").arg(project))
    }

    /// Names the projects that are done, and the command for those that are not.
    fn verdict(&self, several: &Several<'_>) -> Result<()> {
        several.verdict().map_err(|error| {
            let error = match several.done() {
                [] => error,
                done => error.hint(format!("done in {}", list(done))),
            };
            error.hint(format!("for the rest: {}", self.again_in(&several.failed())))
        })
    }
}

impl<'a, S: DeserializeOwned + AsRef<SecretHead>> Places<'a, S> {
    /// Reads the secrets, all at once.
    ///
    /// # Errors
    /// One of them can't be read.
    pub(crate) async fn read(&mut self) -> Result<()> {
        let found = join_all(self.all.iter().map(|place| place.change.read())).await;
        let mut several = self.several();
        for (place, found) in self.all.iter_mut().zip(found) {
            place.found = several.one(place.title(), found)?.flatten();
        }
        self.unanimous(&several)
    }

    /// Writes what `plan` makes of each secret, some at once, and reports each. What fails does not stop the rest.
    ///
    /// # Errors
    /// The only one failed, the user ended the program, or nothing can be printed any more.
    pub(crate) async fn write(
        &self,
        found: Vec<Option<S>>,
        plan: impl Fn(&Place<'a, S>, Option<&S>) -> Result<Plan>,
    ) -> Result<Written> {
        let plan = &plan;
        let changes =
            self.all.iter().zip(found).map(async |(place, found)| {
                (place, place.change.run(found, |secret| plan(place, secret)).await)
            });
        let mut changes = stream::iter(changes).buffered(AT_ONCE);
        let mut several = self.several();
        let mut objects = Objects::asked(self.all.len(), self.write, self.session);
        let (mut done, mut stopped) = (Vec::new(), Ok(()));
        while let Some((place, outcome)) = changes.next().await {
            match several.one(place.title(), outcome).and_then(|one| place.report(one, &mut objects)) {
                Ok(one) => done.push(one),
                Err(error) => {
                    stopped = Err(error);
                    break;
                }
            }
        }
        objects.print()?;
        stopped?;
        Ok(Written { done, verdict: self.verdict(&several) })
    }
}

impl<S> Place<'_, S> {
    /// Returns the project's name, where several are named.
    pub(crate) fn title(&self) -> &str {
        self.project.as_deref().unwrap_or_default()
    }

    /// Returns ` in team-a` where several projects are named.
    pub(crate) fn suffix(&self) -> String {
        self.project.as_ref().map(|project| format!(" in {project}")).unwrap_or_default()
    }

    fn report(&self, done: Option<Done>, objects: &mut Objects<'_>) -> Result<Option<Done>> {
        if let Some(done) = &done {
            self.change.report(done, self.project.as_deref(), objects)?;
        }
        Ok(done)
    }
}

impl<S: AsRef<SecretHead>> Place<'_, S> {
    /// Refuses a secret that nobody can change, as [`SecretChange::check`] does.
    ///
    /// # Errors
    /// It can't be changed, or the answer is no.
    pub(crate) async fn check(&self) -> Result<()> {
        match &self.found {
            Some(secret) => self.change.check(secret.as_ref()).await,
            None => Ok(()),
        }
    }
}

/// Returns both errors' outcome: the first is told, the second is the command's.
pub(crate) fn both(first: Result<()>, last: Result<()>, session: &Session<'_>) -> Result<()> {
    match (first, last) {
        (Err(first), Err(last)) => {
            session.ui.error(&first);
            Err(last)
        }
        (first, last) => first.and(last),
    }
}
