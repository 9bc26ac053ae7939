//! Asks for what `attach` and `detach` lack: the secret, its use, and the workload.

use super::asking::{Guide, VARIABLE};
use super::places::NEW;
use crate::cluster::SecretHead;
use crate::command_line::CommandLine;
use crate::complete::Choice;
use crate::error::{Error, Result};
use crate::flags::Holds;
use crate::metadata::Metadata;
use crate::secret::{DOCKER_CONFIG, OLD_DOCKER_CONFIG, SSH, TLS};
use crate::uses::usual::Said;
use crate::wording::list;
use crate::workload::{self, Attachment, TypedTarget};
use crate::{complete, secret, uses};

const NO_SECRET_NEEDED: &str = "no secret";

/// Flags that say how to use one secret.
const WAYS: [&str; 4] = ["env", "env-all", "mount", "image-pull"];

/// A way to use a secret.
#[derive(Clone, Copy)]
enum Way {
    /// No further way.
    Enough,
    /// As the secret itself says.
    Usual,
    OneKey,
    EveryKey,
    Files,
    ImagePull,
}

impl Way {
    /// Returns the ways that fit a type of secret, the likeliest first.
    fn offered(secret_type: &str) -> Vec<Self> {
        match secret_type {
            DOCKER_CONFIG | OLD_DOCKER_CONFIG => {
                vec![Self::ImagePull, Self::Files, Self::OneKey, Self::EveryKey]
            }
            TLS | SSH => vec![Self::Files, Self::OneKey, Self::EveryKey],
            _ => vec![Self::OneKey, Self::EveryKey, Self::Files],
        }
    }

    fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Enough => ("that is all", ""),
            Self::Usual => ("as usual", "by the names that programs look for"),
            Self::OneKey => ("as an env variable", "one key, or several"),
            Self::EveryKey => ("as env variables", "every key"),
            Self::Files => ("as files", "in a folder of the container"),
            Self::ImagePull => ("to pull images", "a registry's login"),
        }
    }
}

fn has_usual_use(secret: &str, head: &SecretHead) -> bool {
    matches!(uses::usual::attachments(&Said::by(secret, head)), Ok(Some(_)))
}

impl Guide<'_> {
    pub(super) async fn ask_for_attach(&mut self) -> Result<()> {
        // `-f` asks no cluster, and the guide can't tell what is in the manifest.
        if self.has(&["filename"]) {
            return Ok(());
        }
        let Some((secret, target)) = self.secret_and_target() else { return Ok(()) };
        let says_how = self.has(&WAYS);
        let names_secrets = self.has_reference();
        let needs_secret = says_how || !names_secrets;
        let is_whole = target.is_some() && secret.is_some() == needs_secret && (says_how || names_secrets);
        let is_wrong = secret.is_some() && !needs_secret;
        if is_whole || is_wrong {
            return Ok(());
        }
        self.ask_for_project().await?;
        if needs_secret {
            let is_typed = secret.is_some();
            let secret = if let Some(secret) = secret {
                secret
            } else {
                let secret = self.pick_or_make_secret().await?;
                self.draft.push_first(secret.clone());
                secret
            };
            let head = if says_how { None } else { self.head_of(&secret).await? };
            let has_usual = head.as_ref().is_some_and(|head| has_usual_use(&secret, head));
            if !(says_how || is_typed && has_usual) {
                self.ask_how(&secret, head.as_ref()).await?;
            }
        }
        if target.is_none() {
            let target = self.pick_workload().await?;
            self.draft.push(target);
        }
        self.ask_for_container().await
    }

    /// Returns the secret and the workload among the words; a workload has its kind before it. None if the
    /// words are wrong: the command reports that itself.
    fn secret_and_target(&self) -> Option<(Option<String>, Option<String>)> {
        match self.draft.line().positionals.as_slice() {
            [] => Some((None, None)),
            [target] if target.contains('/') => Some((None, Some(target.clone()))),
            [secret] => Some((Some(secret.clone()), None)),
            [secret, target] if !secret.contains('/') && target.contains('/') => {
                Some((Some(secret.clone()), Some(target.clone())))
            }
            _ => None,
        }
    }

    async fn ask_how(&mut self, secret: &str, head: Option<&SecretHead>) -> Result<()> {
        let offered = Way::offered(head.map(|head| head.secret_type.as_str()).unwrap_or_default());
        // A type alone is known by the order of the ways.
        let is_login = |head: &&SecretHead| head.metadata.labels.contains_key(secret::LOGIN_LABEL);
        let mut first = head.filter(is_login).filter(|head| has_usual_use(secret, head)).map(|_| Way::Usual);
        let mut question = "How should the workload get it?";
        loop {
            let ways: Vec<Way> = first.into_iter().chain(offered.iter().copied()).collect();
            first = Some(Way::Enough);
            let words: Vec<_> = ways.iter().map(|way| way.words()).collect();
            match ways[self.pick_way(question, &words).await?] {
                Way::Enough | Way::Usual => return Ok(()),
                Way::OneKey => {
                    for (key, variable) in self.pick_variables(secret).await? {
                        let is_proposed = variable == proposed_variable(secret, &key);
                        let flag = if is_proposed { key } else { format!("{variable}={key}") };
                        self.draft.flag("env", &flag);
                    }
                }
                Way::EveryKey => self.draft.flag("env-all", ""),
                Way::Files => {
                    let path = self.type_mount_path(secret).await?;
                    self.draft.flag("mount", &path);
                }
                Way::ImagePull => self.draft.flag("image-pull", ""),
            }
            question = "Anything else?";
        }
    }

    /// Reports whether a flag names a secret itself.
    pub(super) fn has_reference(&self) -> bool {
        self.gives(|flag| Holds::of(flag).is_some_and(Holds::names_a_secret))
    }

    /// Returns the outside of a secret; none if it can't be read.
    async fn head_of(&self, secret: &str) -> Result<Option<SecretHead>> {
        let (line, cluster) = (self.about_secrets(&[""]), self.cluster().await?);
        let namespace = complete::namespace(self.draft.program(), &line, &cluster).await?;
        match cluster.secret_head::<Metadata>(&namespace, secret).await {
            Err(failure) if failure.is_forbidden() || failure.is_not_found() => Ok(None),
            head => Ok(Some(head?)),
        }
    }

    /// Asks for keys, and for the variable of a key that is alone; several are named by default.
    async fn pick_variables(&mut self, secret: &str) -> Result<Vec<(String, String)>> {
        let keys = self.pick_keys(secret).await?;
        if let [key] = keys.as_slice() {
            let variable = self.type_variable(secret, key).await?;
            return Ok(vec![(key.clone(), variable)]);
        }
        let named = |key: String| {
            let variable = proposed_variable(secret, &key);
            (key, variable)
        };
        Ok(keys.into_iter().map(named).collect())
    }

    /// Asks for the variable's name and proposes the one that the key would get by default.
    pub(super) async fn type_variable(&mut self, secret: &str, key: &str) -> Result<String> {
        let proposal = proposed_variable(secret, key);
        let (secret, wanted) = (secret.to_owned(), key.to_owned());
        let check = move |name: &str| Attachment::env_from_key(name, &secret, &wanted).map(drop);
        self.type_name("Name of the variable", &proposal, &VARIABLE, check).await
    }

    pub(super) async fn type_mount_path(&mut self, secret: &str) -> Result<String> {
        let check = |path: &str| workload::mount_path(path).map(drop);
        self.type_word("Folder in the container", &format!("/etc/{secret}"), check, None).await
    }

    async fn pick_workload(&mut self) -> Result<String> {
        let line = self.draft.followed_by(&[""]);
        let choices = complete::workloads(self.draft.program(), &line, &*self.cluster().await?).await?;
        if choices.is_empty() {
            self.note("no workload was found: there may be none, or none that you may list");
            return self.type_workload().await;
        }
        self.pick("Workload", choices).await
    }

    async fn type_workload(&mut self) -> Result<String> {
        let check = |word: &str| TypedTarget::parse(word).map(drop);
        let line = self.draft.followed_by(&[""]);
        self.type_word("Workload, such as deployment/web", "", check, Some(line)).await
    }

    /// Asks for a workload that uses the secret, or any secret if none is named.
    async fn pick_workload_that_uses(&mut self, secret: Option<&str>) -> Result<String> {
        let line = self.draft.followed_by(&[""]);
        let seen = complete::workloads_that_use(secret, self.draft.program(), &line, &*self.cluster().await?)
            .await?;
        let what = secret.map_or_else(|| "a secret".to_owned(), |name| format!("secret {name}"));
        if !seen.unseen.is_empty() {
            let kinds = list(seen.unseen.iter().map(|one| &one.resource));
            self.note(&format!("you may not list {kinds}: some of them may use {what}"));
        } else if seen.found.is_empty() {
            return Err(Error::failed(format!("no workload uses {what}"))
                .hint(format!("{} shows what else refers to secrets", CommandLine::plugin("usage"))));
        }
        if seen.found.is_empty() {
            return self.type_workload().await;
        }
        self.pick("Workload", seen.found).await
    }

    /// Asks for the container if the workload has several.
    async fn ask_for_container(&mut self) -> Result<()> {
        let uses_containers = self.has(&["env", "env-all", "mount"]) || self.has_reference();
        if self.has(&["container"]) || !uses_containers {
            return Ok(());
        }
        let line = self.draft.followed_by(&["--container", ""]);
        let mut choices = self.choices(&line).await?;
        if choices.len() < 2 {
            return Ok(());
        }
        let all = Choice::new("*", "all of them");
        choices.push(all);
        let container = self.pick("Container", choices).await?;
        self.draft.flag("container", &container);
        Ok(())
    }

    pub(super) async fn ask_for_detach(&mut self) -> Result<()> {
        if self.has(&["filename"]) {
            return Ok(());
        }
        let Some((secret, target)) = self.secret_and_target() else { return Ok(()) };
        if secret.is_some() && target.is_some() {
            return Ok(());
        }
        self.ask_for_project().await?;
        let target = if let Some(target) = target {
            target
        } else {
            let target = self.pick_workload_that_uses(secret.as_deref()).await?;
            self.draft.push(target.clone());
            target
        };
        if secret.is_none() {
            let secret = self.pick_secret_of(&TypedTarget::parse(&target)?, &target).await?;
            self.draft.push_first(secret);
        }
        Ok(())
    }

    /// Asks for one of the secrets that a workload uses.
    async fn pick_secret_of(&mut self, target: &TypedTarget, word: &str) -> Result<String> {
        let line = self.draft.followed_by(&[""]);
        let choices =
            complete::secrets_of(target, self.draft.program(), &line, &*self.cluster().await?).await?;
        if choices.is_empty() {
            return Err(Error::failed(format!("{word} uses no secret")));
        }
        self.pick("Secret", choices).await
    }

    /// Asks for secrets and their uses, for `submit`.
    pub(super) async fn ask_for_references(&mut self) -> Result<()> {
        let mut choices = self.secrets_there_are().await?;
        choices.extend([row(NEW, "made now"), row(NO_SECRET_NEEDED, "")]);
        let question = "Which secrets does it need?";
        let picked = loop {
            let picked = self.pick_several(question, &choices).await?;
            if !picked.iter().any(|secret| secret == NEW) {
                break picked;
            }
            if let Some(made) = self.make_secret().await? {
                let picked: Vec<String> =
                    picked.into_iter().filter(|secret| secret != NEW).chain([made]).collect();
                self.answers.replace_last(picked.clone());
                break picked;
            }
            self.answers.take_last();
        };
        for secret in picked.iter().filter(|secret| *secret != NO_SECRET_NEEDED) {
            self.ask_how_job_gets(secret).await?;
        }
        Ok(())
    }

    /// Asks how the new job gets a secret, unless that is known.
    async fn ask_how_job_gets(&mut self, secret: &str) -> Result<()> {
        if self.head_of(secret).await?.is_some_and(|head| has_usual_use(secret, &head)) {
            self.draft.flag("secret", secret);
            return Ok(());
        }
        let ways = [Way::OneKey, Way::EveryKey, Way::Files];
        let words = ways.map(Way::words);
        match ways[self.pick_way(&format!("How should the job get {secret}?"), &words).await?] {
            Way::OneKey => {
                for (key, variable) in self.pick_variables(secret).await? {
                    self.draft.flag("environment", &format!("{variable}=SECRET:{secret},{key}"));
                }
            }
            Way::EveryKey => self.draft.flag("env-all", secret),
            _ => {
                let path = self.type_mount_path(secret).await?;
                self.draft.flag("secret-volume", &format!("path={path},name={secret}"));
            }
        }
        Ok(())
    }
}

fn row(value: &str, about: &str) -> Choice {
    Choice::new(value, about)
}

/// Returns the default name of a key's variable. Empty if the key makes no legal name.
fn proposed_variable(secret: &str, key: &str) -> String {
    match Attachment::env(secret, key) {
        Ok(Attachment::Env { variable, .. }) => variable,
        _ => String::new(),
    }
}
