//! `create`: where, what kind of secret, its name, and what goes into it.

use std::collections::BTreeMap;

use super::values::SOURCES;
use super::{Guide, something};
use crate::error::{Error, Result};
use crate::secret::{self, DOCKER_HUB};

/// The flags that a secret of any keys has alone, beside its sources.
const GENERIC: [&str; 3] = ["trim", "type", "allow-empty"];

impl Guide<'_> {
    pub(super) async fn ask_for_create(&mut self) -> Result<()> {
        let is_named = self.count() > 0;
        let is_typed = self.draft.line().path.len() > 1;
        if self.count() > 1 || (is_named && !self.lacks_contents()) {
            return Ok(());
        }
        self.ask_for_project().await?;
        let is_generic = self.has(&SOURCES) || self.has(&GENERIC);
        if !is_typed && !is_named && !is_generic {
            let kind = self.pick_command("What kind of secret?", &["create"]).await?;
            self.draft.push_command(kind);
        }
        if !is_named {
            self.ask_for_new_name().await?;
        }
        self.ask_for_contents_by_type().await
    }

    fn type_of_secret(&self) -> String {
        self.draft.line().path.get(1).map_or("generic", |name| name).to_owned()
    }

    /// What the command does not ask for by itself: it asks for passwords.
    fn lacks_contents(&self) -> bool {
        match self.type_of_secret().as_str() {
            "generic" => !self.has(&SOURCES) && !self.has(&["allow-empty"]),
            "tls" => !self.has(&["cert"]) || !self.has(&["key"]),
            "ssh" => !self.has(&["private-key"]),
            "docker-registry" => !self.has(&["docker-username", "from-file"]),
            "password" => !self.has(&["username"]),
            "access-key" => !self.has(&["access-key-id"]),
            _ => false,
        }
    }

    async fn ask_for_contents_by_type(&mut self) -> Result<()> {
        if !self.lacks_contents() {
            return Ok(());
        }
        let questions: &[(&str, &str)] = match self.type_of_secret().as_str() {
            "tls" => &[("Certificate, a PEM file", "cert"), ("Its private key, a PEM file", "key")],
            "ssh" => &[("Private key, a file", "private-key")],
            "docker-registry" => return self.ask_for_login().await,
            "password" => return self.ask_for_word("Name of the user", "", "username").await,
            "access-key" => return self.ask_for_word("Access key ID", "", "access-key-id").await,
            _ => return self.ask_for_contents().await,
        };
        for (question, flag) in questions {
            if !self.has(&[flag]) {
                let path = self.type_path(question, flag, "").await?;
                self.draft.flag(flag, &path);
            }
        }
        Ok(())
    }

    async fn ask_for_login(&mut self) -> Result<()> {
        if !self.has(&["docker-server"]) {
            self.ask_for_word("Registry", DOCKER_HUB, "docker-server").await?;
        }
        self.ask_for_word("Name of the user", "", "docker-username").await
    }

    async fn ask_for_word(&mut self, question: &str, proposal: &str, flag: &str) -> Result<()> {
        let word = self.type_word(question, proposal, something, None).await?;
        self.draft.flag(flag, &word);
        Ok(())
    }

    /// A name that is taken is said so now, not after all else was answered.
    async fn ask_for_new_name(&mut self) -> Result<()> {
        let is_asked = !self.has(&["replace", "append-hash"]);
        let taken = if is_asked { self.names_taken().await? } else { BTreeMap::new() };
        let check = move |name: &str| {
            secret::check_secret_name(name)?;
            match taken.get(name) {
                Some(place) => {
                    Err(Error::usage(format!("secret {name} exists already{place}; set changes it")))
                }
                None => Ok(()),
            }
        };
        let name = self.type_word("Name of the new secret", "", check, None).await?;
        self.draft.push(name);
        Ok(())
    }

    /// The names of the secrets in every place where the new one goes; where these are several, each with its place.
    async fn names_taken(&mut self) -> Result<BTreeMap<String, String>> {
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
