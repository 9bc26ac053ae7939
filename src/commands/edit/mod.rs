//! `edit`: opens the values of a secret, or the text of one key, in an editor.
//!
//! The saved text becomes changes of single keys. They are written for the version that was read. If somebody
//! else wrote meanwhile, their changes are merged, and the user is asked about keys that both changed.

mod editor;
mod form;
mod private_file;

use std::collections::BTreeMap;

use serde_json::Value;

use self::editor::Editor;
use self::form::{Dispute, Form, Values};
use self::private_file::{Leftover, PrivateFile};
use crate::change::retry::Tries;
use crate::change::secret::{Done, SecretChange};
use crate::cluster::{Failure, SecretWithValues};
use crate::command_line::{self, CommandLine};
use crate::error::{Error, Result};
use crate::flags::{self, DryRun, Holds, Output, WriteArgs, parse_end};
use crate::metadata::Ends;
use crate::moment::Moment;
use crate::propagation::Scope;
use crate::secret::{self, Changes, Difference, SecretValue};
use crate::session::Session;
use crate::session::batch::Objects;
use crate::uses::losing_keys;
use crate::uses::restarts::AffectedWorkloads;
use crate::wording::{list, nearest};
use crate::{change, session, sharing};

/// Edit the values of a secret as text, in your editor
///
/// One file shows all keys whose values are text, decoded: change, add, rename and remove them. With KEY the
/// file is the value of that key alone. Keys whose values are not text are left out and stay as they are.
///
/// The file is in memory on Linux and in your folder for temporary files elsewhere, only you can read it, and it
/// is wiped when the editor ends. `KUBE_EDITOR`, `VISUAL` or `EDITOR` names the editor; without one it is vi, on
/// Windows notepad. Changes that others make meanwhile stay; if they
/// changed the same key, you are asked. If what you saved can't be written, it is kept, whatever ends the
/// editor or this program, and you are told where.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    kubectl runai-secret edit settings -p team-a\n  \
    kubectl runai-secret edit settings config.yaml -p team-a\n  \
    KUBE_EDITOR=nano kubectl runai-secret edit hf --dry-run=server")]
pub(crate) struct EditArgs {
    /// The secret
    #[arg(value_name = "NAME", value_parser = flags::parse_secret, add = Holds::Secret)]
    name: String,

    /// Only this key, as it is
    #[arg(value_name = "KEY", add = Holds::Key)]
    key: Option<String>,

    /// When the values that you change end, for `check` and `list`: a day, a time (RFC 3339), or from now on as 90d or 12w
    #[arg(long, value_name = "DATE", value_parser = parse_end, add = Holds::Text)]
    expires: Option<Moment>,

    #[command(flatten)]
    write: WriteArgs,
}

pub(super) async fn run(args: &EditArgs, session: &Session<'_>) -> Result<()> {
    secret::check_secret_name(&args.name)?;
    args.refuse_several(session)?;
    let change = SecretChange::begin("edit", &args.name, &args.write, session).await?;
    let SecretChange { namespace, cluster, .. } = &change;
    let found: SecretWithValues = match cluster.secret_as(namespace, &args.name).await {
        Ok(found) => found,
        Err(failure) => return Err(session::not_found::secret(failure, &args.name, namespace, cluster).await),
    };
    change.check(&found.head).await?;
    let scope = sharing::scope(&found.head.metadata, session);
    let form = args.form(&found.values, namespace)?;
    let editor = Editor::of(session)?;
    tell_of_leftovers(session);
    let file = PrivateFile::new(form.file_name(), form.text(&place(&change), &found.values))?;
    let mut editing = Editing { change, editor, form, file, expires: args.expires };
    editing.say_how_to_resume();
    let written = match editing.edit(&found.values).await? {
        Some(changes) => editing.write(found, changes).await?,
        None => None,
    };
    editing.file.wipe();
    let Some((done, changes)) = written else {
        session.ui.note("Edit cancelled, no changes made.");
        return Ok(());
    };
    let mut objects = Objects::asked(1, &args.write, session);
    editing.change.report(&done, None, &mut objects)?;
    objects.print()?;
    if scope != Scope::Nobody {
        editing.change.tell_of_copies(&scope);
        return Ok(());
    }
    editing.tell(&changes).await
}

impl EditArgs {
    fn refuse_several(&self, session: &Session<'_>) -> Result<()> {
        let projects = &session.globals.place.projects;
        if projects.len() < 2 || session.globals.place.namespace.is_some() {
            return Ok(());
        }
        let set = CommandLine::plugin("set").arg(&self.name);
        let set = match &self.key {
            Some(key) => set.arg(key),
            None => set.then("KEY"),
        };
        Err(Error::usage(format!(
            "edit opens the secret of one project, but --project names {}",
            projects.len()
        ))
        .hint(format!("to give a key the same value in all of them: {}", session.in_this_place(set))))
    }

    fn form(&self, values: &Values, namespace: &str) -> Result<Form> {
        let name = &self.name;
        let set = CommandLine::plugin("set").arg(name);
        let Some(key) = &self.key else { return Ok(Form::all(values)) };
        let Some(value) = values.get(key) else {
            let error = Error::failed(format!("secret {name} has no key {key}"));
            let near = nearest(key, values.keys().map(String::as_str));
            let error =
                near.into_iter().fold(error, |error, near| error.hint(format!("did you mean {near}?")));
            return Err(error.hint(format!("to add it: {}", set.arg(key).namespace(namespace))));
        };
        if !secret::is_text(value.expose()) {
            return Err(Error::failed(format!("the value of {key} is not text"))
                .hint(set.arg(format!("--from-file={key}=PATH")).namespace(namespace)));
        }
        Ok(Form::OneKey(key.clone()))
    }
}

/// Returns the secret's name for the text.
fn place(change: &SecretChange<'_>) -> String {
    format!("Secret {} in {}", change.name, change.namespace)
}

/// Warns of files that earlier runs left in memory: they may hold values, and unsaved work.
fn tell_of_leftovers(session: &Session<'_>) {
    for Leftover { folder, age } in private_file::leftovers() {
        let age = age.map(|age| format!(", {} ago", crate::age::in_words(age))).unwrap_or_default();
        let folder = folder.display().to_string();
        // cmd.exe and PowerShell have no command in common that deletes a folder.
        let delete = if cfg!(windows) {
            "delete that folder".to_owned()
        } else {
            format!("to delete it: {}", command_line::joined(["rm", "-r", &folder]))
        };
        session
            .ui
            .warning(&format!("an earlier edit left text in {folder}{age}, which may hold values; {delete}"));
    }
}

/// An edit in progress.
struct Editing<'a> {
    change: SecretChange<'a>,
    editor: Editor,
    form: Form,
    file: PrivateFile,
    /// When the values end that are changed.
    expires: Option<Moment>,
}

/// The decision about keys that both changed.
enum Decision {
    /// These keys stay as somebody else made them; the others become as they were edited.
    KeepTheirs(Vec<String>),
    EditAgain,
}

impl Editing<'_> {
    /// Opens the editor until the text is right. Returns the changes of the values that were seen; none if
    /// the text is unchanged or given up.
    async fn edit(&mut self, seen: &Values) -> Result<Option<Changes>> {
        let session = self.change.session;
        let mut is_refused = false;
        loop {
            self.editor.open(&self.file.path, session).await?;
            let saved = self.file.read()?;
            let is_same = self.file.is_as_given(&saved);
            if is_same && is_refused {
                return Err(form::refusal(&[]));
            }
            if is_same || self.form.is_given_up(&saved) {
                return Ok(None);
            }
            if let Some(key) = self.form.emptied_key(&saved, seen) {
                self.say_how_to_empty(key);
                return Ok(None);
            }
            self.file.holds_work();
            let mistakes = match self.form.read(&saved) {
                Ok(mut after) => {
                    if let Form::OneKey(key) = &self.form {
                        leave_out_editors_additions(key, seen, &mut after, session);
                    }
                    let changes = Changes::between(seen, after, &self.form.shown(seen));
                    return Ok(Some(changes).filter(|changes| !changes.is_empty()));
                }
                Err(mistakes) => mistakes,
            };
            if !session.ui.somebody_is_there() {
                return Err(form::refusal(&mistakes));
            }
            self.file.replace(form::marked(&saved, &mistakes))?;
            is_refused = true;
        }
    }

    /// A file that is empty may come of an editor that failed, so it empties no value.
    fn say_how_to_empty(&self, key: &str) {
        let SecretChange { name, namespace, session, .. } = &self.change;
        let set = CommandLine::plugin("set")
            .arg(name)
            .arg(format!("--from-literal={key}="))
            .then("--allow-empty-values");
        session.ui.note(&format!(
            "the saved file has no value in it; to make the value of {key} empty: {}",
            set.namespace(namespace)
        ));
    }

    /// Stores the command that continues the edit, for the message about a text that is kept.
    fn say_how_to_resume(&mut self) {
        let SecretChange { name, namespace, .. } = &self.change;
        let key = match &self.form {
            Form::OneKey(key) => Some(key),
            Form::AllBut(_) => None,
        };
        let again = CommandLine::plugin("edit").arg(name).args(key).namespace(namespace);
        self.file.resume_by(again.to_string());
    }

    /// Writes the changes. Returns those that were written; none if nothing was left of them.
    async fn write(
        &mut self,
        mut seen: SecretWithValues,
        mut changes: Changes,
    ) -> Result<Option<(Done, Changes)>> {
        let mut agreed = Vec::new();
        let mut tries = Tries::default();
        self.warn_of_doubts(&seen, &changes);
        loop {
            let removed = changes.removed();
            if removed.iter().any(|key| !agreed.contains(key)) {
                let scope = sharing::scope(&seen.head.metadata, self.change.session);
                losing_keys::agree(&[(&self.change, scope)], &removed).await?;
                agreed = removed;
            }
            let difference = Difference::of(&seen.values, changes.entries());
            let old = &seen.head.metadata.annotations.ends;
            let ends = change::secret::ends_after(&seen.head.metadata, &difference, self.noted(&difference));
            let metadata = change::secret::patch_metadata(&seen.head.metadata, &difference, &ends);
            let failure = match self.send(&metadata, &changes).await {
                Ok(object) => {
                    let lost_ends =
                        old.lost_in(&ends).into_iter().filter(|key| !difference.loses(key)).collect();
                    let cleaned = seen.head.metadata.annotations.last_applied.is_some();
                    let done = Done { verb: "edited", object, difference, cleaned, lost_ends };
                    return Ok(Some((done, changes)));
                }
                Err(failure) => failure,
            };
            let beaten = |failure: &Failure| failure.is_conflict() || failure.is_not_found();
            tries.again(failure, beaten).await.map_err(|failure| self.change.refused(failure))?;
            let now = self.read_again(&seen).await?;
            changes = self.merged(changes, &seen, &now).await?;
            if changes.is_empty() {
                return Ok(None);
            }
            seen = now;
        }
    }

    /// Returns the end of the values that are changed.
    fn noted(&self, difference: &Difference) -> Ends {
        let new = difference.touched().into_iter().filter(|key| !difference.loses(key));
        self.expires.map(|end| Ends::noted(new, end)).unwrap_or_default()
    }

    /// Warns of values that nothing could use in a secret of this type.
    fn warn_of_doubts(&self, seen: &SecretWithValues, changes: &Changes) {
        let new = changes.entries();
        let secret_type = &seen.head.secret_type;
        if !secret::judged_keys(secret_type).iter().any(|key| new.contains_key(key)) {
            return;
        }
        let value = |key: &str| new.get(key).copied().unwrap_or_else(|| seen.values.get(key));
        for warning in secret::doubts(secret_type, value) {
            self.change.session.ui.warning(&warning);
        }
    }

    async fn send(&self, metadata: &Value, changes: &Changes) -> Result<Value, Failure> {
        let SecretChange { name, namespace, cluster, write, .. } = &self.change;
        if write.dry_run == DryRun::Client {
            return Ok(self.change.unwritten());
        }
        let patch = secret::patch_of_changes(metadata, &changes.entries());
        cluster.patch_secret(namespace, name, patch, write.write()).await
    }

    /// Reads the secret after somebody else changed it.
    async fn read_again(&self, seen: &SecretWithValues) -> Result<SecretWithValues> {
        let SecretChange { name, namespace, cluster, .. } = &self.change;
        let now: SecretWithValues = match cluster.secret_as(namespace, name).await {
            Err(failure) if failure.is_not_found() => {
                return Err(Error::failed(format!(
                    "secret {name} was deleted meanwhile; nothing was written"
                )));
            }
            now => now?,
        };
        if now.head.metadata.uid != seen.head.metadata.uid {
            return Err(Error::failed(format!(
                "secret {name} was deleted and created again meanwhile; nothing was written"
            )));
        }
        self.change.check(&now.head).await?;
        Ok(now)
    }

    /// Merges the changes into the current secret.
    async fn merged(
        &mut self,
        mut changes: Changes,
        seen: &SecretWithValues,
        now: &SecretWithValues,
    ) -> Result<Changes> {
        let disputed = changes.disputed(&seen.values, &now.values);
        while !disputed.is_empty() {
            match self.decide(&disputed, &now.values).await? {
                Decision::KeepTheirs(keys) => {
                    for key in &keys {
                        changes.give_up(key);
                    }
                    break;
                }
                Decision::EditAgain => {
                    self.form = self.form.with_comments(&changes, &now.values);
                    let dispute = Dispute { changes: &changes, disputed: &disputed, now: &now.values };
                    let text = self.form.disputed_text(&place(&self.change), &dispute);
                    self.file.replace(text)?;
                    self.say_how_to_resume();
                    if let Some(changes) = self.edit(&now.values).await? {
                        return Ok(changes);
                    }
                }
            }
        }
        changes.drop_done(&now.values);
        Ok(changes)
    }

    async fn decide(&self, disputed: &[String], now: &Values) -> Result<Decision> {
        let SecretChange { name, session, .. } = &self.change;
        let mut theirs = Vec::new();
        for key in disputed {
            let did = if now.contains_key(key) { "changed" } else { "removed" };
            let question = format!("Somebody else {did} {key} meanwhile, and so did you");
            match session
                .ui
                .choose(&question, &[("keep mine", ""), ("keep theirs", ""), ("edit again", "")])
                .await?
            {
                Some(0) => {}
                Some(1) => theirs.push(key.clone()),
                Some(_) => return Ok(Decision::EditAgain),
                None => {
                    return Err(Error::failed(format!(
                        "somebody else changed {} of secret {name} meanwhile; nothing was written",
                        list(disputed)
                    )));
                }
            }
        }
        Ok(Decision::KeepTheirs(theirs))
    }

    /// Names the workloads that use the changed keys, and those that need a restart.
    async fn tell(&self, changes: &Changes) -> Result<()> {
        let SecretChange { name, namespace, cluster, session, write, .. } = &self.change;
        if write.output == Output::Human && write.dry_run == DryRun::None && !session.ui.is_quiet() {
            let keys: Vec<&str> = changes.entries().into_keys().collect();
            let audience =
                AffectedWorkloads::of(name, &keys, namespace, cluster).await.map_err(|failure| {
                    Error::from(failure).at(
                        "the secret has its new values, but the workloads that use it could not be listed",
                    )
                })?;
            audience.tell(namespace, session);
        }
        Ok(())
    }
}

/// Removes what editors add by themselves, unless the value had it: a byte order mark at the start, as Notepad
/// does, and a newline at the end, as most do.
fn leave_out_editors_additions(
    key: &str,
    seen: &Values,
    after: &mut BTreeMap<String, SecretValue>,
    session: &Session<'_>,
) {
    let old = seen.get(key).map(SecretValue::expose).unwrap_or_default();
    let Some(mut new) = after.remove(key) else { return };
    if new.has_mark() && !seen.get(key).is_some_and(SecretValue::has_mark) {
        session.ui.note("the byte order mark at the start was removed, as there was none before");
        new = new.without_mark();
    }
    if new.expose().ends_with(b"\n") && !old.ends_with(b"\n") {
        new = new.without_line_end();
        if new.expose() != old {
            session.ui.note("the newline at the end was removed, as there was none before");
        }
    }
    after.insert(key.to_owned(), new);
}
