//! Asks for the project, and for the secret in it.

use super::{Guide, Question, something};
use crate::complete::Choice;
use crate::error::Result;
use crate::{project, secret};

const NO_PROJECT: &str =
    "no namespace has the label runai/queue, so there is no project to pick; -n takes any namespace";
pub(super) const NO_SECRET: &str = "there is no secret to pick";

impl Guide<'_> {
    /// Asks for the project, unless a namespace was chosen on the command line or in the kubeconfig.
    pub(super) async fn ask_for_project(&mut self) -> Result<()> {
        if self.has(&["project", "namespace", "from-project", "cluster-wide"]) {
            return Ok(());
        }
        let namespace = self.cluster().await?.default_namespace().to_owned();
        if namespace != project::UNCHOSEN_NAMESPACE {
            self.ui.note(&format!(
                "using namespace {namespace} of the kubeconfig's context; -p names a project"
            ));
            return Ok(());
        }
        let line = self.draft.followed_by(&["--project", ""]);
        let project = self
            .pick_or_type(Question { text: "Project", none: NO_PROJECT, line, check: project::check_name })
            .await?;
        self.draft.flag("project", &project);
        Ok(())
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

    /// Reports whether the command works in the Run:ai namespace.
    fn is_about_sources(&self) -> bool {
        matches!(self.command().as_str(), "label" | "sync") || self.has(&["cluster-wide"])
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
        self.pick_or_type(Question {
            text: "Secret",
            none: NO_SECRET,
            line,
            check: secret::check_secret_name,
        })
        .await
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
        if self.count() > 0 && self.has(&["to-project"]) {
            return Ok(());
        }
        self.ask_for_project().await?;
        self.ask_for_secret().await?;
        if self.has(&["to-project"]) {
            return Ok(());
        }
        let text = "To which project?";
        let line = self.draft.followed_by(&["--to-project", ""]);
        // The projects are those of the other cluster, which Tab knows.
        let project = if self.has(&["to-context"]) {
            self.type_word(text, "", project::check_name, Some(line)).await?
        } else {
            self.pick_or_type(Question { text, none: NO_PROJECT, line, check: project::check_name }).await?
        };
        self.draft.flag("to-project", &project);
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

    pub(super) async fn pick_key(&mut self, secret: &str) -> Result<String> {
        let line = self.about_secrets(&[secret, ""]);
        self.pick_or_type(Question { text: "Key", none: "the secret has no keys", line, check: something })
            .await
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
