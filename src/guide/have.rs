//! The way of somebody who begins with what is there: a login on this machine, a value, a file. All else is guessed, shown
//! once, and can be changed there; then the secret is offered to a workload.

use super::asking::{Guide, NAME};
use super::create::Taken;
use super::made::{Made, Verb};
use super::values::{logins_on_this_machine, question_for};
use crate::cli::elsewhere::words_for;
use crate::cli::overview::BY_FREQUENCY;
use crate::complete::{self, Choice};
use crate::error::Result;
use crate::logins::{self, Service};
use crate::secret::{self, Contents, Handling, Nothing, ProcessInput, Source, Trimming};
use crate::sources::read_logins;
use crate::ui::Ui;

const VALUE: &str = "a value";
const FILE: &str = "a file";

/// What somebody has.
#[derive(Clone)]
enum Have {
    /// `SERVICE[=PROFILE]`
    Login(String),
    /// A value that was typed or pasted.
    Value {
        key: String,
    },
    File {
        key: String,
        path: String,
    },
    Dotenv {
        path: String,
    },
}

/// The secret that is to be made.
struct NewSecret {
    have: Have,
    name: String,
    verb: Verb,
    /// The projects that get it; none for the namespace that the line or the kubeconfig names.
    projects: Vec<String>,
}

impl Guide<'_> {
    /// Asks for what is there, or what is to be done.
    pub(super) async fn ask_what_there_is(&mut self) -> Result<()> {
        let line = self.draft.followed_by(&[""]);
        let mut choices = haves();
        let mut commands = complete::fixed_choices(self.draft.program(), &line);
        commands.sort_by_key(|command| BY_FREQUENCY.iter().position(|name| **name == command.value));
        for command in &mut commands {
            command.words = words_for(&command.value);
        }
        choices.append(&mut commands);
        let picked = self.pick("What do you have, or want to do?", choices).await?;
        if let Some(have) = self.ask_for_have(&picked).await? {
            return self.ask_for_secret_of(have).await;
        }
        if matches!(picked.as_str(), "list" | "usage" | "check") {
            self.ask_for_project().await?;
        }
        self.draft.push_command(picked);
        self.ask_for_rest().await
    }

    /// Returns what was picked; none if it is a command.
    async fn ask_for_have(&mut self, picked: &str) -> Result<Option<Have>> {
        Ok(Some(match picked {
            VALUE => {
                let key = self.type_key().await?;
                self.ask_hidden(&question_for(&key)).await?;
                Have::Value { key }
            }
            FILE => {
                let path = self.type_path("File", "from-file", "").await?;
                let name = path.rsplit(['/', '\\']).next().unwrap_or_default().to_owned();
                if name.strip_suffix(".env").is_some() {
                    Have::Dotenv { path }
                } else {
                    Have::File { key: name, path }
                }
            }
            login if logins::parse(login).is_ok() => Have::Login(login.to_owned()),
            _ => return Ok(None),
        }))
    }

    async fn ask_for_secret_of(&mut self, have: Have) -> Result<()> {
        let projects = self.choose_projects().await?;
        let name = have.usual_name();
        let mut new = NewSecret { have, name, verb: Verb::Create, projects };
        self.settle_name(&mut new).await?;
        while !self.settle(&mut new).await? {}
        self.draft.push_command(if new.verb == Verb::Create { "create" } else { "set" });
        for project in &new.projects {
            self.draft.flag("project", project);
        }
        let variables = self.draft_contents(&new)?;
        if new.projects.len() < 2 {
            self.outcome.made = Some(Made { name: new.name, variables, verb: new.verb });
        }
        Ok(())
    }

    /// Puts name and contents into the line, and returns the keys that become variables.
    fn draft_contents(&mut self, new: &NewSecret) -> Result<Vec<String>> {
        let variables = match &new.have {
            Have::Login(login) => {
                let is_short = |service: &&Service| service.has_short_form() && service.secret == new.name;
                if new.verb == Verb::Create && logins::named(login).as_ref().is_some_and(is_short) {
                    self.draft.push(login);
                } else {
                    self.push_name(&new.name);
                    self.draft.flag("from-login", login);
                }
                // The secret itself says how it is used, or the questions of `attach` do.
                Vec::new()
            }
            Have::Value { key } => {
                self.push_name(&new.name);
                self.draft.flag("prompt", key);
                vec![key.clone()]
            }
            Have::File { key, path } => {
                self.push_name(&new.name);
                self.draft.flag("from-file", &format!("{key}={path}"));
                vec![key.clone()]
            }
            Have::Dotenv { path } => {
                self.push_name(&new.name);
                self.draft.flag("from-dotenv", path);
                new.have.keys(self.ui)?.0
            }
        };
        Ok(variables)
    }

    /// Adds the secret's name; it may be the word for a type of secret.
    fn push_name(&mut self, name: &str) {
        if self.draft.line().command.find_subcommand(name).is_some() {
            self.draft.push_command("generic");
        }
        self.draft.push(name);
    }

    /// Shows all that is guessed. Returns whether that was accepted; otherwise a line of it was changed.
    async fn settle(&mut self, new: &mut NewSecret) -> Result<bool> {
        let (keys, sizes) = new.have.keys(self.ui)?;
        let (accept, question) = match new.verb {
            Verb::Create => ("create it", format!("Create secret/{}?", new.name)),
            Verb::Set => ("set them", format!("Set these keys of secret/{}? The others stay", new.name)),
        };
        let row = |value: &str, about: &str| Choice::new(value, about);
        let mut rows = vec![row(accept, ""), row("name", &new.name)];
        // A place that was typed is not asked about again.
        if !self.names_place() {
            let place = match new.projects.as_slice() {
                [] => format!("namespace {}", self.cluster().await?.default_namespace()),
                projects => projects.join(", "),
            };
            rows.push(row("project", &place));
        }
        rows.extend(keys.iter().zip(&sizes).map(|(key, size)| row(&format!("key {key}"), size)));
        match self.pick(&question, rows).await?.as_str() {
            picked if picked == accept => return Ok(true),
            "name" => {
                let question = "Name of the secret";
                new.name = self.type_name(question, &new.name, &NAME, secret::check_secret_name).await?;
                self.settle_name(new).await?;
            }
            "project" => {
                new.projects = self.pick_projects().await?;
                self.settle_name(new).await?;
            }
            _ => self.change_contents(new).await?,
        }
        Ok(false)
    }

    /// Asks again for a key and its value; a login or a file of keys is taken as it is, so another may be picked.
    async fn change_contents(&mut self, new: &mut NewSecret) -> Result<()> {
        match &mut new.have {
            Have::Value { key } => {
                *key = self.type_key().await?;
                let question = question_for(key);
                self.ask_hidden(&question).await
            }
            Have::File { key, .. } => {
                *key = self.type_key().await?;
                Ok(())
            }
            Have::Login(_) | Have::Dotenv { .. } => {
                let picked = self.pick("What do you have?", haves()).await?;
                if let Some(have) = self.ask_for_have(&picked).await? {
                    (new.name, new.have) = (have.usual_name(), have);
                    self.settle_name(new).await?;
                }
                Ok(())
            }
        }
    }

    /// Asks what to do about a name that is taken.
    async fn settle_name(&mut self, new: &mut NewSecret) -> Result<()> {
        loop {
            new.verb = Verb::Create;
            let Some(place) = self.taken_in(&new.name, &new.projects).await? else { return Ok(()) };
            if self.ask_about_taken(&new.name, &place).await? == Taken::Set {
                new.verb = Verb::Set;
                return Ok(());
            }
            new.name = self.type_name("Name of the secret", "", &NAME, secret::check_secret_name).await?;
        }
    }

    /// Returns where a name is taken, in words; none if it is free.
    async fn taken_in(&mut self, name: &str, projects: &[String]) -> Result<Option<String>> {
        if projects.is_empty() {
            let there = self.secrets_there_are().await?;
            return Ok(there.iter().any(|secret| secret.value == name).then(String::new));
        }
        for project in projects {
            if self.secrets_of_project(project).await?.iter().any(|secret| secret.value == name) {
                return Ok(Some(format!(" in project {project}")));
            }
        }
        Ok(None)
    }
}

impl Have {
    /// Returns the name that a secret of it usually has.
    fn usual_name(&self) -> String {
        match self {
            Self::Login(login) => match logins::parse(login) {
                Ok((service, _)) => service.secret.to_owned(),
                Err(_) => login.clone(),
            },
            Self::Value { key } | Self::File { key, .. } => as_name(key),
            Self::Dotenv { .. } => "settings".to_owned(),
        }
    }

    /// Returns the keys, and how long each value is. Warns of what looks wrong with them.
    ///
    /// # Errors
    /// They can't be read, or an illegal key is among them.
    fn keys(&self, ui: &Ui) -> Result<(Vec<String>, Vec<String>)> {
        let contents = match self {
            Self::Value { key } => {
                let size = ui.describe_ahead(&question_for(key)).unwrap_or_default();
                return Ok((vec![key.clone()], vec![size]));
            }
            Self::Login(login) => {
                let found = read_logins(std::slice::from_ref(login))?;
                let mut contents = read(found.sources)?;
                contents.warnings.extend(found.warnings);
                contents
            }
            Self::File { key, path } => read(Source::files([format!("{key}={path}").into()])?)?,
            Self::Dotenv { path } => read(Source::dotenv_files([path.into()]))?,
        };
        // The command asks about values that can hardly be meant.
        let is_asked = |warning: &String| contents.suspects.iter().any(|suspect| suspect.said == *warning);
        for warning in contents.warnings.iter().filter(|warning| !is_asked(warning)) {
            ui.warning(warning);
        }
        Ok(contents.data.iter().map(|(key, value)| (key.clone(), secret::size(value))).unzip())
    }
}

fn read(sources: Vec<Source>) -> Result<Contents> {
    let handling = Handling { trimming: Trimming::Keep, nothing: Nothing::NoteLines };
    secret::read(sources, handling, &mut ProcessInput)
}

/// Makes a name of a key's: `hf-token` of `HF_TOKEN`.
fn as_name(key: &str) -> String {
    let legal = |char: char| if char.is_ascii_alphanumeric() { char.to_ascii_lowercase() } else { '-' };
    let name: String = key.chars().map(legal).collect();
    match name.trim_matches('-') {
        "" => "secret".to_owned(),
        name => name.to_owned(),
    }
}

/// Lists what somebody may have: the logins on this machine, a value, a file.
fn haves() -> Vec<Choice> {
    let row = |value: &str, about: &str| Choice::new(value, about);
    let mut haves = logins_on_this_machine();
    for login in &mut haves {
        login.about.push_str(", found on this machine");
    }
    haves.push(row(VALUE, "I paste or type it, hidden"));
    haves.push(row(FILE, "a key, a certificate, a .env file"));
    haves
}
