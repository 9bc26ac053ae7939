//! `view`: shows what is in a secret, and its values only with `--reveal`.

mod export;

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Serialize;
use zeroize::Zeroizing;

use self::export::Existing;
use crate::age::age;
use crate::command_line::CommandLine;
use crate::error::{Error, Result};
use crate::flags::{self, DataForm, HeadArgs, Holds, parse_data_form};
use crate::metadata::Metadata;
use crate::moment::Moment;
use crate::propagation::ExistingSecret;
use crate::secret::{self, Doubt, Identity, Notation, SecretValue, ValueSummary};
use crate::session;
use crate::session::Session;
use crate::ui::{Table, Topic};
use crate::wording::{few, nearest, plural};

/// Show what is in a secret: keys, sizes, and what each value looks like
///
/// Of a value whose form is known it says what it is, by what is public of it: the names, the issuer and the validity
/// of certificates and whether the key beside fits, the fingerprint of an SSH key, the registries and users of logins,
/// the account of a Google Cloud key, the issuer and the end of a JSON Web Token, the kind of other tokens.
///
/// It also says when each key was last written, and by which program, as far as the server has recorded it: a
/// program has one time for all the keys that it wrote, that of its last write.
///
/// Values are shown only with --reveal. A single value is written byte for byte, with nothing added unless
/// standard output is a terminal; a terminal gets only text. Several values need a format: -o json, dotenv or
/// shell. Each format reads back to the same values; a value that a format can't hold is refused.
///
/// -o jsonpath=TEMPLATE takes fields out of the JSON, with --reveal {.KEY} the value of a key, and {.data.KEY} the
/// value in base64, as kubectl prints it.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    kubectl runai-secret view hf -p team-a\n  \
    kubectl runai-secret view hf HF_TOKEN --reveal -p team-a\n  \
    kubectl runai-secret view settings --reveal -o dotenv --export-file=.env")]
pub(crate) struct ViewArgs {
    /// The secret
    #[arg(value_name = "NAME", value_parser = flags::parse_secret, add = Holds::Secret)]
    name: String,

    /// Only these keys
    #[arg(value_name = "KEY", add = Holds::Key)]
    keys: Vec<String>,

    /// Show the values
    #[arg(long)]
    reveal: bool,

    #[command(flatten)]
    head: HeadArgs,

    /// Output format: json and yaml hold what the table shows, jsonpath and custom-columns fields of it; with
    /// --reveal json, dotenv and shell hold the values
    #[arg(short, long, value_name = "json|yaml|dotenv|shell|jsonpath=…|custom-columns=…", value_parser = parse_form,
          add = Holds::Listed)]
    output: Option<Form>,

    /// Write the values to a new file that only you can read; on Windows, who can read its folder can read it
    #[arg(long, value_name = "PATH", requires = "reveal", add = Holds::File)]
    export_file: Option<PathBuf>,

    /// Replace the file if there is one
    #[arg(long, requires = "export_file")]
    overwrite: bool,
}

#[derive(Clone, PartialEq)]
enum Form {
    Data(DataForm),
    Dotenv,
    Shell,
}

fn parse_form(word: &str) -> Result<Form, String> {
    match word.to_lowercase().as_str() {
        "dotenv" => Ok(Form::Dotenv),
        "shell" => Ok(Form::Shell),
        _ => parse_data_form(word, "dotenv,shell,").map(Form::Data),
    }
}

/// The report of `-o json` without `--reveal`. docs/reference/json.md documents the fields.
#[derive(Serialize)]
struct ViewReport<'a> {
    namespace: &'a str,
    name: &'a str,
    #[serde(rename = "type")]
    secret_type: &'a str,
    immutable: bool,
    created: &'a str,
    /// Null if the server does not say.
    changed: Option<&'a str>,
    #[serde(rename = "changedBy")]
    changed_by: Option<&'a str>,
    keys: Vec<KeyReport<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct KeyReport<'a> {
    key: &'a str,
    bytes: usize,
    form: &'static str,
    ends_in_newline: bool,
    /// The reason why it can hardly be what is meant.
    doubt: Option<String>,
    /// The day on which the certificate or the token in the value expires.
    expires: Option<String>,
    /// The end that was noted with `--expires`.
    expires_as_noted: Option<String>,
    /// Null if the form of the value is not known.
    identity: Option<Identity>,
    /// Null if the server does not say.
    changed: Option<String>,
    changed_by: Option<String>,
    #[serde(skip)]
    look: ValueSummary,
}

pub(super) async fn run(args: &ViewArgs, session: &Session<'_>) -> Result<()> {
    secret::check_secret_name(&args.name)?;
    args.check_form(session)?;
    let cluster = session.connect().await?;
    let namespace = session.namespace(&cluster).await?;
    let found = match cluster.namesake(&namespace, &args.name).await {
        Ok(found) => found,
        Err(failure) => {
            return Err(session::not_found::secret(failure, &args.name, &namespace, &cluster).await);
        }
    };
    let mut values = found.content.values();
    args.check_keys(&values)?;
    if args.reveal {
        values.retain(|key, _| args.wants(key));
        args.pick_one(&mut values, session).await?;
        args.reveal(&values, session)
    } else {
        args.describe(&found, &values, session)
    }
}

impl ViewArgs {
    fn check_form(&self, session: &Session<'_>) -> Result<()> {
        match (self.reveal, &self.output) {
            (false, Some(Form::Data(DataForm::Fields(fields)))) => match fields.key_of_data(false) {
                Some(key) => Err(self.asks_for_values(key, session)),
                None => Ok(()),
            },
            (false, Some(Form::Dotenv | Form::Shell)) => {
                Err(Error::usage("-o dotenv and -o shell hold the values")
                    .hint("add --reveal to see them; -o json and -o yaml describe them without showing any"))
            }
            (true, Some(Form::Data(DataForm::Yaml))) => {
                Err(Error::usage("with --reveal the formats are json, dotenv and shell"))
            }
            _ => Ok(()),
        }
    }

    /// Returns the error for kubectl's way to a value, `.data.KEY`, without --reveal.
    fn asks_for_values(&self, key: &str, session: &Session<'_>) -> Error {
        let view = CommandLine::plugin("view").arg(&self.name);
        let view = if key.is_empty() { view.then("KEY") } else { view.arg(key) };
        Error::usage("values are shown only with --reveal")
            .hint(format!("for the value itself: {}", session.in_this_place(view.then("--reveal"))))
            .hint("with --reveal the same -o prints it in base64")
    }

    fn check_keys(&self, values: &BTreeMap<String, SecretValue>) -> Result<()> {
        let unknown = self.keys.iter().find(|key| !values.contains_key(*key));
        unknown.map_or(Ok(()), |key| Err(no_such_key(&self.name, key, values)))
    }

    /// Returns true for a key that was named, or if none was.
    fn wants(&self, key: &String) -> bool {
        self.keys.is_empty() || self.keys.contains(key)
    }

    fn describe(
        &self,
        found: &ExistingSecret,
        values: &BTreeMap<String, SecretValue>,
        session: &Session<'_>,
    ) -> Result<()> {
        let Metadata { namespace, name, created, writes, .. } = &found.metadata;
        let keys: Vec<KeyReport<'_>> = values
            .iter()
            .filter(|(key, _)| self.wants(key))
            .map(|(key, value)| KeyReport::of(key, value, values, &found.metadata))
            .collect();
        let (secret_type, immutable) = (found.content.secret_type.as_str(), found.immutable);
        if let Some(Form::Data(form)) = &self.output {
            let last = writes.last();
            let (changed, changed_by) =
                last.as_ref().map(|last| (last.time.as_str(), last.manager.as_str())).unzip();
            let report =
                ViewReport { namespace, name, secret_type, immutable, created, changed, changed_by, keys };
            return session.ui.object(&report, form, self.head.head());
        }
        let fixed = if immutable { ", immutable" } else { "" };
        let count = plural(keys.len(), "key");
        session.ui.note(&format!(
            "secret {name} in {namespace}: type {secret_type}{fixed}, {count}, made {} ago",
            age(created)
        ));
        tell_labels(&found.metadata, session);
        if keys.is_empty() {
            return Ok(());
        }
        let reveal = CommandLine::plugin("view").arg(name).arg(keys[0].key).then("--reveal");
        session.ui.propose(session.in_this_place(reveal).to_string());
        let mut table = Table::new(["KEY", "BYTES", "LOOKS LIKE", "CHANGED", "BY"]).with(self.head.head());
        for key in &keys {
            let changed = key.changed.as_deref().map(age).unwrap_or_default();
            let by = key.changed_by.as_deref().unwrap_or_default();
            table.row([key.key, &key.bytes.to_string(), &key.look.to_string(), &changed, by]);
        }
        let facts: String =
            facts(&keys).map(|facts| format!("\n{}", facts.with(self.head.head()))).unwrap_or_default();
        session.ui.data(format!("{table}{facts}").as_bytes())?;
        for (key, doubt) in keys.iter().filter_map(|key| Some((key.key, key.doubt.as_deref()?))) {
            session.ui.warning(&format!("the value of {key} {doubt}"));
        }
        Ok(())
    }

    /// Asks which of several values is shown on a terminal, if no format holds them all.
    async fn pick_one(
        &self,
        values: &mut BTreeMap<String, SecretValue>,
        session: &Session<'_>,
    ) -> Result<()> {
        let is_seen = self.export_file.is_none() && session.ui.data_is_seen() && session.ui.may_choose();
        if !is_seen || self.output.is_some() || values.len() < 2 {
            return Ok(());
        }
        let rows: Vec<String> = values.values().map(secret::size).collect();
        let rows = values.keys().zip(&rows).map(|(key, size)| (key.as_str(), size.as_str()));
        let picked =
            session.ui.pick("Which value do you want to see?", rows).await.map_err(Error::for_good)?;
        if let Some(key) = values.keys().nth(picked).cloned() {
            values.retain(|one, _| *one == key);
            session.ui.note_chosen(key);
        }
        Ok(())
    }

    fn reveal(&self, values: &BTreeMap<String, SecretValue>, session: &Session<'_>) -> Result<()> {
        let is_seen = self.export_file.is_none() && session.ui.data_is_seen();
        if is_seen {
            let check =
                |(key, value): (&String, &SecretValue)| check_harmless(&self.name, key, value, session);
            values.iter().try_for_each(check)?;
        }
        let several;
        let bytes: &[u8] = match self.notation(values)? {
            Some(notation) => {
                several = self.several(values, notation, session)?;
                &several
            }
            // On a terminal, the next output begins a new line.
            None if is_seen => {
                several = with_line_end(values);
                &several
            }
            None => values.values().next().map(SecretValue::expose).unwrap_or_default(),
        };
        let Some(path) = &self.export_file else { return session.ui.data(bytes) };
        let existing = if self.overwrite { Existing::Replace } else { Existing::Keep };
        export::write(path, bytes, existing)?;
        session.ui.note(&format!(
            "wrote {} to {}, which {}",
            plural(bytes.len(), "byte"),
            path.display(),
            export::READERS
        ));
        Ok(())
    }

    /// Returns the text of these values, or of what -o chooses of them.
    fn several(
        &self,
        values: &BTreeMap<String, SecretValue>,
        notation: Notation,
        session: &Session<'_>,
    ) -> Result<Zeroizing<Vec<u8>>> {
        let Some(Form::Data(DataForm::Fields(fields))) = &self.output else {
            return secret::revealed(values, notation);
        };
        let is_of_data = fields.key_of_data(values.contains_key("data")).is_some();
        let json = if is_of_data { secret::as_kubectls(values) } else { secret::revealed(values, notation)? };
        session.ui.text_of_fields(&json, fields, self.head.head())
    }

    /// Returns the format for these values; none for a single value as it is.
    fn notation(&self, values: &BTreeMap<String, SecretValue>) -> Result<Option<Notation>> {
        match self.output {
            Some(Form::Data(_)) => Ok(Some(Notation::Json)),
            Some(Form::Dotenv) => Ok(Some(Notation::Dotenv)),
            Some(Form::Shell) => Ok(Some(Notation::Shell)),
            None if values.len() == 1 => Ok(None),
            None => Err(Error::usage(format!("secret {} has {}", self.name, plural(values.len(), "key")))
                .hint(format!(
                    "name one ({}), or choose a format: -o json, -o dotenv or -o shell",
                    names(values)
                ))),
        }
    }
}

impl<'a> KeyReport<'a> {
    fn of(
        key: &'a str,
        value: &SecretValue,
        beside: &BTreeMap<String, SecretValue>,
        metadata: &Metadata,
    ) -> Self {
        let look = ValueSummary::of(value);
        let doubt = Doubt::of(value.expose()).map(|doubt| doubt.to_string());
        let (form, ends_in_newline, expires) = (look.form.code(), look.ends_in_newline, look.expires());
        let last = metadata.last_change_of(key);
        let expires_as_noted = metadata.annotations.ends.of_key(key).as_ref().map(Moment::to_string);
        let (changed, changed_by) = last.map(|last| (last.time, last.manager)).unzip();
        let (bytes, identity) = (value.len(), Identity::of(key, value, beside));
        Self {
            key,
            bytes,
            form,
            ends_in_newline,
            doubt,
            expires,
            expires_as_noted,
            identity,
            changed,
            changed_by,
            look,
        }
    }
}

/// Notes the labels of a secret; one that repeats a value is not shown.
fn tell_labels(secret: &Metadata, session: &Session<'_>) {
    let label =
        |(key, value): (&String, &String)| session.ui.quotable(&format!("{key}={value}"), &Topic::default());
    let labels: Vec<String> = secret.labels.iter().map(label).collect();
    if !labels.is_empty() {
        session
            .ui
            .note(&format!("its labels: {}", few(&labels.iter().map(String::as_str).collect::<Vec<_>>())));
    }
}

/// Lays out what the values are, as far as that is public; none if it is not known of any.
fn facts(keys: &[KeyReport<'_>]) -> Option<Table> {
    let mut table = Table::new(["KEY", "FACT", "DETAIL"]);
    let all = keys.iter().flat_map(|key| {
        let facts = key.identity.as_ref().map(Identity::facts).unwrap_or_default();
        let noted = key.expires_as_noted.as_ref().map(|end| ("expires", format!("{end}, as noted")));
        facts.into_iter().chain(noted).map(|(fact, detail)| [key.key.to_owned(), fact.to_owned(), detail])
    });
    let mut known = false;
    for row in all {
        known = true;
        table.row(row);
    }
    known.then_some(table)
}

fn no_such_key(name: &str, key: &str, values: &BTreeMap<String, SecretValue>) -> Error {
    let error = Error::failed(format!("secret {name} has no key {key}"));
    match nearest(key, values.keys().map(String::as_str)) {
        Some(near) => error.hint(format!("did you mean {near}?")),
        None => error.hint(format!("its keys are: {}", names(values))),
    }
}

fn names(values: &BTreeMap<String, SecretValue>) -> String {
    few(&values.keys().map(String::as_str).collect::<Vec<_>>())
}

/// Refuses values that are not text on a terminal: escape sequences could do anything there.
fn check_harmless(name: &str, key: &str, value: &SecretValue, session: &Session<'_>) -> Result<()> {
    if secret::is_text(value.expose()) {
        return Ok(());
    }
    Err(Error::failed(format!("the value of {key} is not text, and would garble the terminal")).hint(
        session.in_this_place(
            CommandLine::plugin("view").arg(name).arg(key).then("--reveal --export-file=PATH"),
        ),
    ))
}

fn with_line_end(values: &BTreeMap<String, SecretValue>) -> Zeroizing<Vec<u8>> {
    let value = values.values().next().map(SecretValue::expose).unwrap_or_default();
    let mut text = Zeroizing::new(Vec::with_capacity(value.len() + 1));
    text.extend_from_slice(value);
    if !value.ends_with(b"\n") {
        text.push(b'\n');
    }
    text
}
