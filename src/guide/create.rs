//! Asks for what `create` lacks: the project, the type of secret, its name and its contents.

use std::collections::BTreeMap;

use clap::{Arg, Command};

use super::asking::{Guide, NAME, something};
use super::draft::Draft;
use crate::error::Result;
use crate::flags::{Asked, Holds};
use crate::{logins, secret};

/// What is done about a name that is taken.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Taken {
    /// Keys of the secret that is there are set.
    Set,
    OtherName,
}

impl Guide<'_> {
    pub(super) async fn ask_for_create(&mut self) -> Result<()> {
        if self.names_a_login() {
            return self.ask_for_project().await;
        }
        let is_named = self.count() > 0;
        let is_typed = self.draft.line().path.len() > 1;
        if self.count() > 1 || (is_named && !self.lacks_contents()) {
            return Ok(());
        }
        self.ask_for_project().await?;
        if !is_typed && !is_named && !self.is_generic() {
            let kind = self.pick_next("What kind of secret?").await?;
            self.draft.push_command(kind);
        }
        let taken = self.names_taken().await?;
        if is_named {
            let name = self.draft.line().positionals[0].clone();
            let Some(place) = taken.get(&name) else { return self.ask_for_contents_by_type().await };
            return match self.ask_about_taken(&name, place).await? {
                Taken::Set => self.set_instead().await,
                Taken::OtherName => {
                    self.draft.take_first();
                    self.ask_for_new_secret(&taken).await
                }
            };
        }
        self.ask_for_new_secret(&taken).await
    }

    /// Reports whether the line is `create SERVICE`, which lacks nothing.
    fn names_a_login(&self) -> bool {
        let line = self.draft.line();
        let is_bare =
            line.path.len() == 1 && !self.has_source() && !line.has("type") && !line.has("allow-empty");
        matches!(line.positionals.as_slice(), [only] if is_bare && logins::named(only).is_some())
    }

    /// Reports whether a flag that not every type has says that the secret is generic.
    fn is_generic(&self) -> bool {
        let line = self.draft.line();
        let types: Vec<_> = line.command.get_subcommands().collect();
        let has = |of: &Command, flag: &Arg| of.get_arguments().any(|own| own.get_id() == flag.get_id());
        self.gives(|flag| !flag.is_global_set() && !types.iter().all(|of| has(of, flag)))
    }

    /// Returns what the type requires and the line lacks, by the flags that take the answers.
    fn unanswered(&self) -> Vec<(String, Asked, Option<Holds>)> {
        let line = self.draft.line();
        let question = |flag: &Arg| {
            let name = flag.get_long().filter(|name| !line.has(name))?;
            Some((name.to_owned(), *flag.get::<Asked>()?, Holds::of(flag)))
        };
        line.command.get_arguments().filter_map(question).collect()
    }

    /// Reports whether contents are missing that the command does not ask for itself. It asks for passwords.
    fn lacks_contents(&self) -> bool {
        let line = self.draft.line();
        let is_generic = !line.command.get_arguments().any(|flag| flag.get::<Asked>().is_some());
        let lacks_answer = || self.unanswered().iter().any(|(_, asked, _)| asked.1.is_empty());
        !self.has_source() && if is_generic { !line.has("allow-empty") } else { lacks_answer() }
    }

    async fn ask_for_contents_by_type(&mut self) -> Result<()> {
        if !self.lacks_contents() {
            return Ok(());
        }
        let questions = self.unanswered();
        if questions.is_empty() {
            return self.ask_for_contents().await;
        }
        for (flag, Asked(question, proposal), holds) in questions {
            let word = match holds {
                Some(Holds::File) => self.type_path(question, &flag, "").await?,
                _ => self.type_word(question, proposal, something, None).await?,
            };
            self.draft.flag(&flag, &word);
        }
        Ok(())
    }

    /// Asks for a name, and at once what to do if it is taken; then for the contents.
    async fn ask_for_new_secret(&mut self, taken: &BTreeMap<String, String>) -> Result<()> {
        loop {
            let question = "Name of the new secret";
            let name = self.type_name(question, "", &NAME, secret::check_secret_name).await?;
            let Some(place) = taken.get(&name) else {
                self.draft.push(name);
                return self.ask_for_contents_by_type().await;
            };
            if self.ask_about_taken(&name, place).await? == Taken::Set {
                self.draft.push(name);
                return self.set_instead().await;
            }
        }
    }

    /// Asks what to do about a name that is taken, in this place.
    pub(super) async fn ask_about_taken(&mut self, name: &str, place: &str) -> Result<Taken> {
        let set = ("set its keys", "and leave its other keys as they are");
        let ways = [set, ("another name", "")];
        let question = format!("Secret {name} already exists{place}. What now?");
        // `set` may lack a flag of the line.
        let ways = if self.draft.as_command("set").is_none() && self.command() == "create" {
            &ways[1..]
        } else {
            &ways[..]
        };
        let picked = self.pick_way(&question, ways).await?;
        Ok(if ways[picked] == set { Taken::Set } else { Taken::OtherName })
    }

    /// Goes on with `set` in the place of `create`.
    async fn set_instead(&mut self) -> Result<()> {
        let words = self.draft.as_command("set").unwrap_or_default();
        self.draft = Draft::new(words);
        self.ask_for_set().await
    }

    /// Lists the names that are taken in the projects of the new secret. With several projects, each name
    /// comes with its project.
    async fn names_taken(&mut self) -> Result<BTreeMap<String, String>> {
        if self.has(&["replace", "append-hash"]) {
            return Ok(BTreeMap::new());
        }
        let projects: Vec<String> = self.draft.line().values("project").map(ToOwned::to_owned).collect();
        if projects.len() < 2 {
            let names = self.secrets_there_are().await?.into_iter();
            return Ok(names.map(|choice| (choice.value, String::new())).collect());
        }
        let mut taken = BTreeMap::new();
        for project in projects {
            for choice in self.secrets_of_project(&project).await? {
                taken.insert(choice.value, format!(" in project {project}"));
            }
        }
        Ok(taken)
    }
}
