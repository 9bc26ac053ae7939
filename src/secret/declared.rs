//! A file that says which secrets there are, where they go, and where each value comes from: never a value.
//!
//! docs/reference/schemas/secrets.schema.json says the same to editors. Texts of the file may be values in the
//! wrong place: a message names the field, and repeats no more than names.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use super::generated;
use super::handling::Trimming;
use super::input::Input;
use super::name::{check_key, check_label_value, check_secret_name, is_key, may_be_a_value, quoted};
use super::origin::Origin;
use super::source::Source;
use super::token_scan::looks_like_a_token;
use crate::error::{Error, Result};
use crate::wording::{list, nearest};

/// The label of a secret that such a file made: the file's own name.
pub(crate) const FILE_LABEL: &str = "kubectl-runai-secret/file";

/// The annotation beside it: the secret's own namespace and name. Run:ai may copy labels and annotations; of a
/// copy this one is not true.
pub(crate) const FILE_OF: &str = "kubectl-runai-secret/file-of";

/// The annotation of a secret that was there before such a file took it over.
pub(crate) const FILE_ADOPTED: &str = "kubectl-runai-secret/file-adopted";

const FILE_FIELDS: [&str; 2] = ["name", "secrets"];
const SECRET_FIELDS: [&str; 6] = ["name", "projects", "everyProject", "type", "trim", "from"];
const SOURCES: [&str; 7] = ["login", "file", "variable", "dotenv", "json", "prompt", "generate"];
/// What other tools call the place of values.
const FOR_VALUES: [&str; 6] = ["value", "values", "data", "stringData", "literal", "literals"];

/// A file of secrets.
pub(crate) struct Declared {
    /// The name by which it knows what it made.
    pub(crate) name: String,
    pub(crate) secrets: Vec<DeclaredSecret>,
}

/// One secret, in all the places that it has.
pub(crate) struct DeclaredSecret {
    pub(crate) name: String,
    pub(crate) places: DeclaredPlaces,
    /// Empty if it is not said.
    pub(crate) secret_type: String,
    pub(crate) trimming: Trimming,
    pub(crate) from: Vec<ValueOrigin>,
}

/// Where a secret is to be.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum DeclaredPlaces {
    Projects(Vec<String>),
    /// Shared by Run:ai from its own namespace.
    EveryProject,
    /// Where the command line says.
    CommandLine,
}

/// Where values come from.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum ValueOrigin {
    /// `SERVICE` or `SERVICE=PROFILE`.
    Login(String),
    File {
        key: Option<String>,
        path: PathBuf,
    },
    Variable {
        key: Option<String>,
        name: String,
    },
    Dotenv(PathBuf),
    Json(PathBuf),
    /// Asked for where the key is missing.
    Prompt(String),
    /// Made up where the key is missing.
    Generate {
        key: String,
        length: usize,
    },
}

impl Declared {
    /// Reads the content of such a file. `folder` is the one that its paths begin in.
    ///
    /// # Errors
    /// It is something else, has a field that is not known, or holds what may be a value.
    pub(crate) fn read(content: &Value, folder: &Path) -> Result<Self> {
        let fields = object(content, "the file", &FILE_FIELDS)?;
        let name = required_text(fields, "name", "the file")?;
        check_label_value(&name).map_err(|_| {
            Error::usage("name: a name of at most 63 letters, digits, '-', '_' and '.', such as team-secrets")
        })?;
        let Some(Value::Array(entries)) = fields.get("secrets") else {
            return Err(Error::usage("secrets: a list of secrets is needed").hint("secrets: [{name: hf, …}]"));
        };
        let numbered = entries.iter().enumerate();
        let secrets =
            numbered.map(|(at, entry)| DeclaredSecret::read(entry, &format!("secrets[{at}]"), folder));
        let secrets: Vec<DeclaredSecret> = secrets.collect::<Result<_>>()?;
        check_that_each_is_once(&secrets)?;
        Ok(Self { name, secrets })
    }
}

fn check_that_each_is_once(secrets: &[DeclaredSecret]) -> Result<()> {
    let mut seen = BTreeSet::new();
    for DeclaredSecret { name, places, .. } in secrets {
        let places = match places {
            DeclaredPlaces::Projects(projects) => projects.iter().map(String::as_str).collect(),
            DeclaredPlaces::EveryProject => vec!["every project"],
            DeclaredPlaces::CommandLine => vec!["one place"],
        };
        if let Some(place) = places.into_iter().find(|place| !seen.insert((name, (*place).to_owned()))) {
            return Err(Error::usage(format!("secret {name} is there twice for {place}"))
                .hint("put all of its sources below one from"));
        }
    }
    Ok(())
}

impl DeclaredSecret {
    fn read(entry: &Value, at: &str, folder: &Path) -> Result<Self> {
        let fields = object(entry, at, &SECRET_FIELDS)?;
        let name = required_text(fields, "name", at)?;
        check_secret_name(&name).map_err(|error| error.at(&format!("{at}.name")))?;
        let from = match fields.get("from") {
            Some(Value::Array(entries)) if !entries.is_empty() => entries,
            _ => {
                return Err(Error::usage(format!(
                    "{at}.from: a list that says where the values come from is needed"
                ))
                .hint(format!("from: [{{login: huggingface}}]; each entry has one of {}", list(SOURCES))));
            }
        };
        let from = from.iter().enumerate();
        let from =
            from.map(|(number, entry)| ValueOrigin::read(entry, &format!("{at}.from[{number}]"), folder));
        Ok(Self {
            name,
            places: places(fields, at)?,
            secret_type: text(fields, "type", at)?.unwrap_or_default(),
            trimming: if flag(fields, "trim", at)? { Trimming::Trim } else { Trimming::Keep },
            from: from.collect::<Result<_>>()?,
        })
    }

    /// Returns the only login, if there is no other source.
    pub(crate) fn only_login(&self) -> Option<&str> {
        match self.from.as_slice() {
            [ValueOrigin::Login(word)] => Some(word),
            _ => None,
        }
    }

    pub(crate) fn logins(&self) -> Vec<String> {
        let login = |from: &ValueOrigin| match from {
            ValueOrigin::Login(word) => Some(word.clone()),
            _ => None,
        };
        self.from.iter().filter_map(login).collect()
    }

    /// Returns the keys that are asked for.
    pub(crate) fn prompts(&self) -> impl Iterator<Item = &str> {
        self.from.iter().filter_map(|from| match from {
            ValueOrigin::Prompt(key) => Some(key.as_str()),
            _ => None,
        })
    }

    /// Returns the keys that are made up, with the lengths of their values.
    pub(crate) fn generated(&self) -> impl Iterator<Item = (&str, usize)> {
        self.from.iter().filter_map(|from| match from {
            ValueOrigin::Generate { key, length } => Some((key.as_str(), *length)),
            _ => None,
        })
    }

    /// Returns the sources that can be read at once, but for logins.
    ///
    /// # Errors
    /// A variable is not set.
    pub(crate) fn sources(&self, input: &dyn Input) -> Result<Vec<Source>> {
        let mut sources = Vec::new();
        for from in &self.from {
            match from {
                ValueOrigin::File { key, path } => {
                    let from = Origin::Path(path.clone());
                    sources.push(Source::File { key: key.clone(), from });
                }
                ValueOrigin::Dotenv(path) => {
                    sources.push(Source::Dotenv { from: Origin::Path(path.clone()) });
                }
                ValueOrigin::Json(path) => sources.push(Source::Map { from: Origin::Path(path.clone()) }),
                ValueOrigin::Variable { key, name } => {
                    let argument = key.as_ref().map_or_else(|| name.clone(), |key| format!("{key}={name}"));
                    let read = Source::variables([argument], input);
                    sources.extend(read.map_err(|_| {
                        Error::usage("variable: there is no environment variable of that name")
                            .hint("it is not shown, since it may be a value; export it before apply")
                    })?);
                }
                ValueOrigin::Login(_) | ValueOrigin::Prompt(_) | ValueOrigin::Generate { .. } => {}
            }
        }
        Ok(sources)
    }
}

fn places(fields: &Map<String, Value>, at: &str) -> Result<DeclaredPlaces> {
    let everywhere = flag(fields, "everyProject", at)?;
    match (fields.get("projects"), everywhere) {
        (None, true) => Ok(DeclaredPlaces::EveryProject),
        (None, false) => Ok(DeclaredPlaces::CommandLine),
        (Some(_), true) => Err(Error::usage(format!("{at}: projects and everyProject exclude each other"))
            .hint("leave out one of the two")),
        (Some(Value::Array(names)), false) if !names.is_empty() => {
            let mut projects = Vec::new();
            for (number, name) in names.iter().enumerate() {
                let name = one_text(name, &format!("{at}.projects[{number}]"))?;
                if !projects.contains(&name) {
                    projects.push(name);
                }
            }
            Ok(DeclaredPlaces::Projects(projects))
        }
        (Some(_), false) => Err(Error::usage(format!("{at}.projects: a list of projects is needed"))
            .hint("projects: [team-a, team-b]")),
    }
}

impl ValueOrigin {
    fn read(entry: &Value, at: &str, folder: &Path) -> Result<Self> {
        let known: Vec<&str> = SOURCES.into_iter().chain(["key", "length"]).collect();
        let fields = object(entry, at, &known)?;
        let named: Vec<&str> = SOURCES.into_iter().filter(|source| fields.contains_key(*source)).collect();
        let [source] = named.as_slice() else {
            return Err(Error::usage(format!("{at}: one source is needed, and there are {}", named.len()))
                .hint(format!("an entry has one of {}", list(SOURCES))));
        };
        let what = required_text(fields, source, at)?;
        let key = text(fields, "key", at)?;
        if let Some(key) = &key {
            legal_key(key, &format!("{at}.key"))?;
        }
        let refused = |field: &str| {
            Error::usage(format!("{at}: {field} has no effect on {source}"))
                .hint(format!("leave out {field}"))
        };
        if key.is_some() && !["file", "variable"].contains(source) {
            return Err(refused("key"));
        }
        if fields.contains_key("length") && *source != "generate" {
            return Err(refused("length"));
        }
        if ["file", "dotenv", "json"].contains(source) && what.starts_with("~/") {
            return Err(Error::usage(format!("{at}.{source}: ~ is not expanded in a file"))
                .hint("write the whole path, or one that begins at this file's folder"));
        }
        let path = || folder.join(&what);
        Ok(match *source {
            "login" => Self::Login(what),
            "file" => Self::File { key, path: path() },
            "variable" if what.contains('=') => {
                return Err(Error::usage(format!("{at}.variable: a variable's name has no '='"))
                    .hint("another key than its name: {variable: NAME, key: KEY}"));
            }
            "variable" => Self::Variable { key, name: what },
            "dotenv" => Self::Dotenv(path()),
            "json" => Self::Json(path()),
            "prompt" => {
                legal_key(&what, &format!("{at}.prompt"))?;
                Self::Prompt(what)
            }
            _ => {
                legal_key(&what, &format!("{at}.generate"))?;
                Self::Generate { key: what, length: length(fields, at)? }
            }
        })
    }
}

fn length(fields: &Map<String, Value>, at: &str) -> Result<usize> {
    let Some(length) = fields.get("length") else { return Ok(generated::LENGTH) };
    let length = length.as_u64().and_then(|length| usize::try_from(length).ok());
    length.filter(|length| generated::LENGTHS.contains(length)).ok_or_else(|| {
        let (least, most) = (generated::LENGTHS.start(), generated::LENGTHS.end());
        Error::usage(format!("{at}.length: a number from {least} to {most} is needed"))
    })
}

fn legal_key(key: &str, at: &str) -> Result<()> {
    if is_key(key) {
        return Ok(());
    }
    let error = Error::usage(format!("{at}: it is no key that a secret can have"));
    Err(if may_be_a_value(key) { error } else { check_key(key).err().map_or(error, |error| error.at(at)) })
}

/// Returns the fields of a part of the file.
///
/// # Errors
/// It is something else, or has fields that are not known.
fn object<'a>(part: &'a Value, at: &str, known: &[&str]) -> Result<&'a Map<String, Value>> {
    let Value::Object(fields) = part else {
        return Err(Error::usage(format!("{at}: fields are needed, such as {}", known.join(", "))));
    };
    let Some(odd) = fields.keys().find(|field| !known.contains(&field.as_str())) else { return Ok(fields) };
    if FOR_VALUES.contains(&odd.as_str()) {
        return Err(Error::usage(format!(
            "{at}.{odd}: this file holds no values, only where they come from"
        ))
        .hint(format!("below from, each entry has one of {}", list(SOURCES))));
    }
    let error = Error::usage(format!("{at}: unknown field {}", quoted(odd)));
    Err(match nearest(odd, known.iter().copied()) {
        Some(near) => error.hint(format!("did you mean {near:?}?")),
        None => error.hint(format!("the fields there are {}", list(known))),
    })
}

fn text(fields: &Map<String, Value>, field: &str, at: &str) -> Result<Option<String>> {
    fields.get(field).map(|value| one_text(value, &format!("{at}.{field}"))).transpose()
}

fn required_text(fields: &Map<String, Value>, field: &str, at: &str) -> Result<String> {
    text(fields, field, at)?.ok_or_else(|| Error::usage(format!("{at}: {field} is missing")))
}

/// # Errors
/// It is no text, is empty, or looks like a token.
fn one_text(value: &Value, at: &str) -> Result<String> {
    match value.as_str() {
        Some("") | None => Err(Error::usage(format!("{at}: a text is needed"))),
        Some(text) if looks_like_a_token(text) => {
            Err(Error::usage(format!("{at}: what stands there looks like a value, and this file holds none"))
                .hint(
                    "it is not shown; say where the value comes from, such as file: PATH or variable: NAME",
                ))
        }
        Some(text) => Ok(text.to_owned()),
    }
}

fn flag(fields: &Map<String, Value>, field: &str, at: &str) -> Result<bool> {
    match fields.get(field) {
        None => Ok(false),
        Some(Value::Bool(value)) => Ok(*value),
        Some(_) => Err(Error::usage(format!("{at}.{field}: true or false is needed"))),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use serde_json::json;

    use super::*;

    fn read(content: &Value) -> Result<Declared> {
        Declared::read(content, Path::new("/etc/secrets"))
    }

    fn one(secret: &Value) -> Value {
        json!({"name": "f", "secrets": [secret]})
    }

    #[test]
    fn every_source_is_read_and_paths_begin_at_the_file() {
        let from = json!([
            {"login": "aws=lab"}, {"file": "ca.pem", "key": "ca.crt"}, {"variable": "TOKEN"}, {"dotenv": "/x/.env"},
            {"json": "a.json"}, {"prompt": "PIN"}, {"generate": "password", "length": 48}, {"generate": "salt"},
        ]);
        let file = read(&one(&json!({"name": "s", "projects": ["a", "b", "a"], "trim": true, "from": from})))
            .ok()
            .unwrap();
        let [secret] = file.secrets.as_slice() else { panic!() };
        assert_eq!(secret.places, DeclaredPlaces::Projects(vec!["a".to_owned(), "b".to_owned()]));
        assert_eq!(
            secret.from,
            [
                ValueOrigin::Login("aws=lab".to_owned()),
                ValueOrigin::File { key: Some("ca.crt".to_owned()), path: "/etc/secrets/ca.pem".into() },
                ValueOrigin::Variable { key: None, name: "TOKEN".to_owned() },
                ValueOrigin::Dotenv("/x/.env".into()),
                ValueOrigin::Json("/etc/secrets/a.json".into()),
                ValueOrigin::Prompt("PIN".to_owned()),
                ValueOrigin::Generate { key: "password".to_owned(), length: 48 },
                ValueOrigin::Generate { key: "salt".to_owned(), length: 32 },
            ]
        );
        assert!(secret.trimming == Trimming::Trim && secret.only_login().is_none());
    }

    #[test]
    fn what_is_wrong_is_named_by_its_place_and_what_may_be_a_value_is_not_repeated() {
        let token = "hf_aB3dE5fG7hJ9kL1mN3pQ5rS7tU9vW1xY3z";
        let from = json!([{"file": "x"}]);
        for (content, said) in [
            (json!([]), "the file: fields are needed"),
            (json!({"name": "f"}), "secrets: a list of secrets is needed"),
            (json!({"name": "f", "secret": []}), "did you mean \"secrets\"?"),
            (json!({"name": "a b", "secrets": []}), "name: a name of at most 63"),
            (one(&json!({"name": "s"})), "secrets[0].from: a list"),
            (one(&json!({"name": "s", "from": from, "project": ["a"]})), "did you mean \"projects\"?"),
            (
                one(&json!({"name": "s", "from": from, "data": {"a": token}})),
                "secrets[0].data: this file holds no values",
            ),
            (one(&json!({"name": "s", "from": from, (token): 1})), "secrets[0]: unknown field"),
            (
                one(&json!({"name": "s", "from": [{"file": token}]})),
                "secrets[0].from[0].file: what stands there",
            ),
            (one(&json!({"name": "s", "from": [{"value": token}]})), "secrets[0].from[0].value: this file"),
            (one(&json!({"name": "s", "from": [{"prompt": "a b"}]})), "secrets[0].from[0].prompt"),
            (one(&json!({"name": "s", "from": [{"json": "~/x"}]})), "from[0].json: ~ is not expanded"),
            (
                one(&json!({"name": "s", "from": [{"generate": "k", "length": 1}]})),
                "from[0].length: a number from 8",
            ),
            (
                one(&json!({"name": "s", "from": [{"login": "aws", "key": "k"}]})),
                "key has no effect on login",
            ),
            (
                one(&json!({"name": "s", "from": [{"login": "aws", "file": "k"}]})),
                "one source is needed, and there are 2",
            ),
            (one(&json!({"name": "s", "from": from, "projects": "a"})), "secrets[0].projects: a list"),
            (
                one(&json!({"name": "s", "from": from, "projects": ["a"], "everyProject": true})),
                "exclude each other",
            ),
        ] {
            let error = read(&content).err().unwrap_or_else(|| panic!("{content}")).to_string();
            assert!(error.contains(said) && !error.contains(token), "{said}: {error}");
        }
        let twice = json!({"name": "s", "from": from, "projects": ["a"]});
        let twice = json!({"name": "f", "secrets": [twice, twice]});
        assert!(read(&twice).err().unwrap().to_string().contains("secret s is there twice for a"));
    }

    #[test]
    fn the_schema_has_the_fields_that_are_read() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/reference/schemas/secrets.schema.json");
        let schema: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
        let fields = |pointer: &str| -> BTreeSet<String> {
            schema.pointer(pointer).unwrap().as_object().unwrap().keys().cloned().collect()
        };
        let known = |fields: &[&str]| fields.iter().map(|field| (*field).to_owned()).collect::<BTreeSet<_>>();
        assert_eq!(fields("/properties"), known(&FILE_FIELDS));
        assert_eq!(fields("/properties/secrets/items/properties"), known(&SECRET_FIELDS));
        let sources = known(&[SOURCES.as_slice(), &["key", "length"]].concat());
        assert_eq!(fields("/properties/secrets/items/properties/from/items/properties"), sources);
    }
}
