//! `edit`: the text of one key in an editor.

mod private_file;

use std::collections::BTreeMap;
use std::env;
use std::ffi::OsStr;
use std::path::Path;
use std::process::Stdio;
use std::rc::Rc;

use tokio::process::Command;

use self::private_file::PrivateFile;
use super::change_secret::{self, SecretChange};
use super::renewal::Audience;
use super::status::few;
use super::{Session, TRIES, not_found};
use crate::cli::{DryRun, Output, WriteArgs};
use crate::error::{Error, Result};
use crate::secret::{self, SecretValue};

/// What looks at vim's registers, its undo history and its swap files finds nothing of the value.
const VIM: [&str; 5] = ["-n", "-i", "NONE", "-c", "set noundofile nobackup nowritebackup"];

/// Edit one key of a secret as text, in your editor
///
/// The value is written to a file in memory that only you can read, and wiped when the editor ends. The editor is that of
/// `KUBE_EDITOR`, `VISUAL` or `EDITOR`; vi without one. All other keys stay as they are, whoever changes them meanwhile;
/// where somebody else changed the same key, nothing is written and your text is kept.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    kubectl runai-secret edit settings config.yaml -p team-a\n  \
    kubectl runai-secret edit hf --dry-run=server")]
pub(crate) struct EditArgs {
    /// The secret
    #[arg(value_name = "NAME")]
    name: String,

    /// The key; asked for where the secret has several
    #[arg(value_name = "KEY")]
    key: Option<String>,

    #[command(flatten)]
    write: WriteArgs,
}

pub(super) async fn run(args: &EditArgs, session: &Session<'_>) -> Result<()> {
    secret::check_secret_name(&args.name)?;
    let cluster = session.connect().await?;
    let namespace = session.namespace(&cluster).await?;
    let change = SecretChange {
        command: "edit",
        name: &args.name,
        namespace: &namespace,
        write: &args.write,
        cluster: &cluster,
        session,
    };
    let mut values = read(&change).await?;
    let key = args.choose(&values, session).await?;
    let old = values.remove(&key).expect("one of the keys was chosen");
    let editor = editor(session)?;
    let mut file = PrivateFile::new(&key, &old)?;
    start_editor(&editor, &file.path, session).await?;
    let new = without_editors_newline(&old, file.read()?, session);
    if new.expose() == old.expose() {
        session.ui.note("Edit cancelled, no changes made.");
        return Ok(());
    }
    let edit = Edit { change, key: &key, old: &old };
    let written = edit.write(new).await;
    written.map_err(|error| {
        file.keep();
        error.hint(format!("your text is kept, delete it when you are done: {}", file.path.display()))
    })?;
    edit.tell().await
}

impl EditArgs {
    async fn choose(&self, values: &BTreeMap<String, SecretValue>, session: &Session<'_>) -> Result<String> {
        let name = &self.name;
        if let Some(key) = &self.key {
            let Some(value) = values.get(key) else {
                return Err(Error::failed(format!("secret {name} has no key {key}"))
                    .hint(format!("kubectl runai-secret set {name} {key} makes one")));
            };
            if !secret::is_text(value.expose()) {
                return Err(Error::failed(format!("the value of {key} is no text"))
                    .hint(format!("kubectl runai-secret set {name} --from-file={key}=PATH")));
            }
            return Ok(key.clone());
        }
        let texts = values.iter().filter(|(_, value)| secret::is_text(value.expose()));
        let texts: Vec<&str> = texts.map(|(key, _)| key.as_str()).collect();
        match texts.as_slice() {
            [] => Err(Error::failed(format!("secret {name} has no key whose value is text"))),
            [only] => Ok((*only).to_owned()),
            several => match session.ui.choose("Which key?", several).await? {
                Some(index) => Ok(several[index].to_owned()),
                None => {
                    Err(Error::usage(format!("secret {name} has several keys: name one of {}", few(several))))
                }
            },
        }
    }
}

async fn read(change: &SecretChange<'_>) -> Result<BTreeMap<String, SecretValue>> {
    let (name, namespace, cluster) = (change.name, change.namespace, change.cluster);
    match cluster.secret_outside(namespace, name).await {
        Ok(secret) => change.check(&secret)?,
        Err(failure) => return Err(not_found::secret(failure, name, namespace, cluster).await),
    }
    match cluster.namesake(namespace, name).await {
        Ok(found) => Ok(found.content.values()),
        Err(failure) => Err(not_found::secret(failure, name, namespace, cluster).await),
    }
}

/// The editor's program and its first arguments.
fn editor(session: &Session<'_>) -> Result<Vec<String>> {
    let set = |name: &str| env::var(name).ok().filter(|editor| !editor.trim().is_empty());
    let editor = ["KUBE_EDITOR", "VISUAL", "EDITOR"].into_iter().find_map(set);
    let Some(editor) = editor.or_else(|| session.ui.data_is_seen().then(|| "vi".to_owned())) else {
        return Err(Error::usage("there is no terminal to edit in, and no other editor is set")
            .hint("KUBE_EDITOR says which one to start; set changes a key without an editor"));
    };
    let words = shell_words::split(&editor).unwrap_or_default();
    if words.is_empty() {
        return Err(Error::usage("the editor's command can't be understood").hint("set KUBE_EDITOR=vim"));
    }
    Ok(words)
}

/// Waits for the editor. It is given the file's name, and nothing of the value.
async fn start_editor(editor: &[String], path: &Path, session: &Session<'_>) -> Result<()> {
    let (program, arguments) = editor.split_first().expect("an editor has a name");
    let mut command = Command::new(program);
    command.args(arguments).kill_on_drop(true);
    // What it draws is the text: where that would go to a file, it goes nowhere.
    if !session.ui.data_is_seen() {
        command.stdout(Stdio::null());
    }
    if matches!(Path::new(program).file_name().and_then(OsStr::to_str), Some("vim" | "nvim")) {
        command.args(VIM);
    }
    let ended = command.arg(path).status().await;
    let ended = ended.map_err(|error| {
        Error::failed(format!("can't start the editor {program}: {}", error.kind()))
            .hint("KUBE_EDITOR, VISUAL or EDITOR says which one to start")
    })?;
    if ended.success() {
        return Ok(());
    }
    Err(Error::failed(format!("the editor {program} did not end well ({ended}); nothing was changed")))
}

/// Most editors end a file with a newline. One that was not there before is not part of the value.
fn without_editors_newline(old: &SecretValue, new: SecretValue, session: &Session<'_>) -> SecretValue {
    if old.expose().ends_with(b"\n") || !new.expose().ends_with(b"\n") {
        return new;
    }
    let new = new.without_line_end();
    if new.expose() != old.expose() {
        session.ui.note("the newline at the end was taken off, as there was none before");
    }
    new
}

/// A changed text on its way.
struct Edit<'a> {
    change: SecretChange<'a>,
    key: &'a str,
    /// The value that the editor was given.
    old: &'a SecretValue,
}

impl Edit<'_> {
    /// Writes the new value, if nobody else changed that key.
    async fn write(&self, new: SecretValue) -> Result<()> {
        let SecretChange { name, namespace, cluster, session, write, .. } = self.change;
        let data = Rc::new(BTreeMap::from([(self.key.to_owned(), new)]));
        session.ui.keep_confidential(Rc::clone(&data));
        for attempt in 1.. {
            // The version first: what is read after it is at least as new, and the patch holds for it alone.
            let secret = cluster.secret_outside(namespace, name).await?;
            self.change.check(&secret)?;
            let current = cluster.namesake(namespace, name).await?.content.values();
            if current.get(self.key).is_none_or(|value| value.expose() != self.old.expose()) {
                return Err(Error::failed(format!(
                    "somebody else changed {} of secret {name} meanwhile; nothing was written",
                    self.key
                )));
            }
            if write.dry_run == DryRun::Client {
                return session.report(write, &format!("secret/{name}"), "edited", &serde_json::Value::Null);
            }
            let patch = secret::patch_of_values(&change_secret::patch_metadata(&secret), &data);
            match cluster.change_secret(namespace, name, patch, write.write()).await {
                Ok(object) => return session.report(write, &format!("secret/{name}"), "edited", &object),
                Err(failure) if failure.is_conflict() && attempt < TRIES => {}
                Err(failure) => return Err(failure.into()),
            }
        }
        unreachable!("the loop above has no end but its returns")
    }

    /// Says who has to start again to see it.
    async fn tell(&self) -> Result<()> {
        let SecretChange { name, namespace, cluster, session, write, .. } = self.change;
        if write.output == Output::Human && write.dry_run == DryRun::None && !session.ui.is_quiet() {
            Audience::of(name, &[self.key], namespace, cluster).await?.tell(namespace, session);
        }
        Ok(())
    }
}
