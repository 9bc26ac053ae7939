//! Asks for the project, and for the secret in it.

use super::asking::{Guide, NAME, Question, something};
use super::last_project;
use super::line::Line;
use crate::complete::{self, Choice};
use crate::error::{Kind, Result};
use crate::{project, secret, session};

const NO_PROJECT: &str =
    "no namespace has the label runai/queue, so there is no project to pick; -n takes any namespace";
/// The choice of a secret that is not there yet.
pub(super) const NEW: &str = "a new one";
pub(super) const NO_SECRET: &str = "there is no secret to pick";

impl Guide<'_> {
    /// Asks for the project, unless a namespace was chosen on the command line or in the kubeconfig. A new secret may go
    /// into several.
    pub(super) async fn ask_for_project(&mut self) -> Result<()> {
        if !self.lacks_place().await? {
            return Ok(());
        }
        let projects = if self.command() == "create" && !self.has(&["attach"]) {
            self.pick_projects().await?
        } else {
            vec![self.pick_project().await?]
        };
        for project in projects {
            self.draft.flag("project", &project);
        }
        Ok(())
    }

    /// Returns the projects that a new secret goes into; none if a namespace was chosen already.
    pub(super) async fn choose_projects(&mut self) -> Result<Vec<String>> {
        if self.lacks_place().await? { self.pick_projects().await } else { Ok(Vec::new()) }
    }

    async fn pick_project(&mut self) -> Result<String> {
        let question = self.question_for_project();
        let project = match self.offered_projects(&question).await? {
            Some(choices) => self.pick(question.text, choices).await?,
            None => self.type_word(question.text, "", question.check, Some(question.line)).await?,
        };
        last_project::remember(self.cluster().await?.address(), &project);
        Ok(project)
    }

    pub(super) async fn pick_projects(&mut self) -> Result<Vec<String>> {
        let question = self.question_for_project();
        let projects = match self.offered_projects(&question).await? {
            Some(choices) => self.pick_several(question.text, &choices).await?,
            None => vec![self.type_word(question.text, "", question.check, Some(question.line)).await?],
        };
        if let [project] = projects.as_slice() {
            last_project::remember(self.cluster().await?.address(), project);
        }
        Ok(projects)
    }

    /// Returns the projects to pick from, the one that was picked last at the top.
    async fn offered_projects(&mut self, question: &Question<'_>) -> Result<Option<Vec<Choice>>> {
        let Some(mut choices) = self.offered(question).await? else { return Ok(None) };
        let last = last_project::of(self.cluster().await?.address());
        if let Some(at) = choices.iter().position(|choice| last.as_ref() == Some(&choice.value)) {
            choices[..=at].rotate_right(1);
            choices[0].about.push_str(", picked last");
        }
        Ok(Some(choices))
    }

    fn question_for_project(&self) -> Question<'static> {
        let line = self.draft.followed_by(&["--project", ""]);
        Question { text: "Project", none: NO_PROJECT, line, check: project::check_name }
    }

    /// Reports whether the line names where it works.
    pub(super) fn names_place(&self) -> bool {
        self.has(&["project", "namespace", "from-project"]) || self.is_about_sources()
    }

    async fn lacks_place(&self) -> Result<bool> {
        if self.names_place() {
            return Ok(false);
        }
        let namespace = self.cluster().await?.default_namespace().to_owned();
        let is_chosen = namespace != project::UNCHOSEN_NAMESPACE;
        if is_chosen {
            self.note(&format!(
                "using namespace {namespace} of the kubeconfig's context; -p names a project"
            ));
        }
        Ok(!is_chosen)
    }

    /// Asks for a secret, for commands that need no more.
    pub(super) async fn ask_for_secret(&mut self) -> Result<()> {
        if self.count() > 0 {
            return Ok(());
        }
        if !self.is_about_sources() {
            self.ask_for_project().await?;
        }
        let name = self.pick_secret().await?;
        self.draft.push(name);
        Ok(())
    }

    /// `rename`: the secret, and its new name.
    pub(super) async fn ask_for_rename(&mut self) -> Result<()> {
        self.ask_for_secret().await?;
        if self.count() == 1 {
            let name = self.type_name("Its new name", "", &NAME, secret::check_secret_name).await?;
            self.draft.push(name);
        }
        Ok(())
    }

    /// Reports whether the command works in the Run:ai namespace.
    fn is_about_sources(&self) -> bool {
        let command = self.command();
        matches!(command.as_str(), "label" | "sync") || (command != "copy" && self.has(&["cluster-wide"]))
    }

    /// Returns a line about the secrets of the command's namespace that ends with these words.
    pub(super) fn about_secrets(&self, words: &[&str]) -> Vec<String> {
        let line = self.draft.line();
        let project = line.value("from-project").map(|project| format!("--from-project={project}"));
        let command = match &project {
            Some(project) => vec!["copy", project],
            None if self.is_about_sources() => vec!["label"],
            None => vec!["view"],
        };
        self.draft.in_place(&[&command, words].concat())
    }

    pub(super) async fn pick_secret(&mut self) -> Result<String> {
        let line = self.about_secrets(&[""]);
        if self.secrets_for(&line).await?.is_empty() {
            self.refuse_no_namespace(&line).await?;
        }
        self.pick_or_type(Question {
            text: "Secret",
            none: NO_SECRET,
            line,
            check: secret::check_secret_name,
        })
        .await
    }

    /// Asks for a secret that is there, or makes a new one at once.
    pub(super) async fn pick_or_make_secret(&mut self) -> Result<String> {
        let line = self.about_secrets(&[""]);
        let question = Question { text: "Secret", none: "", line, check: secret::check_secret_name };
        let mut choices = match self.choices(&question.line).await {
            Err(error) if error.is_forbidden() => return self.pick_or_type(question).await,
            choices => choices?,
        };
        if choices.is_empty() {
            self.refuse_no_namespace(&question.line).await?;
        }
        choices.push(Choice::new(NEW, "made now"));
        loop {
            let picked = self.pick(question.text, choices.clone()).await?;
            if picked != NEW {
                return Ok(picked);
            }
            if let Some(made) = self.make_secret().await? {
                self.answers.replace_last(vec![made.clone()]);
                return Ok(made);
            }
            self.answers.take_last();
        }
    }

    /// Refuses a namespace that is not there, after nothing was found in it.
    async fn refuse_no_namespace(&self, line: &[String]) -> Result<()> {
        let cluster = self.cluster().await?;
        let namespace = complete::namespace(self.draft.program(), line, &cluster).await?;
        session::not_found::refuse_missing_namespace(&namespace, &cluster).await
    }

    /// Makes a secret with questions of its own. Returns its name; none if the first of its questions was stepped back
    /// from.
    pub(super) async fn make_secret(&mut self) -> Result<Option<String>> {
        let line = Line::typed(self.draft.in_place(&["create"]), self.connected, self.ui);
        let made = match Box::pin(line.answered()).await {
            Err(error) if error.kind() == Kind::SteppedBack => None,
            done => Some(done?.draft.name_of_secret()).filter(|name| !name.is_empty()),
        };
        self.known.clear();
        Ok(made)
    }

    /// Lists the secrets of the command's namespace as they are offered; none if they can't be listed.
    pub(super) async fn secrets_there_are(&mut self) -> Result<Vec<Choice>> {
        let line = self.about_secrets(&[""]);
        self.secrets_for(&line).await
    }

    /// Lists the secrets of one of several projects; none if they can't be listed.
    pub(super) async fn secrets_of_project(&mut self, project: &str) -> Result<Vec<Choice>> {
        let line = self.about_secrets(&[&format!("--project={project}"), ""]);
        self.secrets_for(&line).await
    }

    async fn secrets_for(&mut self, line: &[String]) -> Result<Vec<Choice>> {
        match self.choices(line).await {
            Err(error) if error.is_forbidden() => Ok(Vec::new()),
            choices => Ok(choices?),
        }
    }

    /// Asks for what `copy` lacks: the secret, its project, and the projects that get it.
    pub(super) async fn ask_for_copy(&mut self) -> Result<()> {
        let is_placed =
            self.count() > 1 || self.has(&["to-project", "to-namespace", "to-name", "cluster-wide"]);
        if self.count() > 0 && is_placed {
            return Ok(());
        }
        self.ask_for_project().await?;
        self.ask_for_secret().await?;
        if is_placed {
            return Ok(());
        }
        let text = "To which projects?";
        let line = self.draft.followed_by(&["--to-project", ""]);
        // The projects are those of the other cluster, which Tab knows.
        let projects = if self.has(&["to-context"]) {
            vec![self.type_word(text, "", project::check_name, Some(line)).await?]
        } else {
            let question = Question { text, none: NO_PROJECT, line, check: project::check_name };
            self.pick_several_or_type(question).await?
        };
        for project in projects {
            self.draft.flag("to-project", &project);
        }
        Ok(())
    }

    /// `label`: a secret of the Run:ai namespace, or one that is copied there from a project first.
    pub(super) async fn ask_for_label(&mut self) -> Result<()> {
        if self.count() > 0 {
            return Ok(());
        }
        if !self.has(&["from-project", "remove"]) {
            let ways = [
                ("one that is in the Run:ai namespace", ""),
                ("one that is in a project", "it is copied to the Run:ai namespace first"),
            ];
            if self.pick_way("Which secret do you want to share?", &ways).await? == 1 {
                let line = self.draft.followed_by(&["--from-project", ""]);
                let text = "From which project?";
                let project = self
                    .pick_or_type(Question { text, none: NO_PROJECT, line, check: project::check_name })
                    .await?;
                self.draft.flag("from-project", &project);
            }
        }
        let name = self.pick_secret().await?;
        self.draft.push(name);
        Ok(())
    }

    /// Asks for one or more keys of a secret.
    pub(super) async fn pick_keys(&mut self, secret: &str) -> Result<Vec<String>> {
        let line = self.about_secrets(&[secret, ""]);
        let question = Question { text: "Key", none: "the secret has no keys", line, check: something };
        self.pick_several_or_type(question).await
    }

    /// Lists the keys of a secret; none if it does not exist or can't be read.
    pub(super) async fn keys_of(&mut self, secret: &str) -> Result<Vec<Choice>> {
        let line = self.about_secrets(&[secret, ""]);
        match self.choices(&line).await {
            Err(error) if error.is_forbidden() || error.is_not_found() => Ok(Vec::new()),
            choices => Ok(choices?),
        }
    }
}
