//! One use of a secret by a workload, and the flags that ask for it.
//!
//! An error never repeats an illegal key: a user who types `--env TOKEN=<the token>` has put a value there.

use std::fmt;

use super::name::check_object_name;
use crate::error::{Error, Result};
use crate::secret::{is_key, is_newer_env_name};

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Attachment {
    /// One env variable from one key.
    Env { variable: String, secret: String, key: String, need: Need },
    /// An env variable from each key, named like the key with `prefix` before it.
    EnvAll { secret: String, prefix: String, need: Need },
    /// A file from each key, or from those in `items`, in the directory `path`.
    Files { secret: String, path: String, items: Vec<Item>, mode: Option<Mode>, need: Need },
    /// An env variable with the path of mounted files. Its text is plain: a path is no value of a secret.
    PathOf { variable: String, secret: String, path: String },
    /// The registry login with which the workload's images are pulled.
    ImagePull { secret: String },
}

/// Tells whether a pod waits for the secret and the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Need {
    Required,
    Optional,
}

/// A key of a secret and the file it becomes, relative to the mount path.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Item {
    pub(crate) key: String,
    pub(crate) file: String,
}

/// Permission bits of mounted files, `0o000` to `0o777`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Mode(u32);

impl Attachment {
    /// Builds an env variable from a parsed reference, as in `-e VAR=SECRET:name,key`.
    ///
    /// # Errors
    /// The name or the key is illegal.
    pub(crate) fn env_from_key(variable: &str, secret: &str, key: &str) -> Result<Self> {
        // The key first: in a base64 text that ends in `=`, the variable would be the value.
        let key = checked_key(key)?;
        check_env_name("the env variable", variable)?;
        check_object_name("secret", secret)?;
        let (variable, secret) = (variable.to_owned(), secret.to_owned());
        Ok(Self::Env { variable, secret, key, need: Need::Required })
    }

    /// Parses `--env [VAR=]KEY`. The default variable is the key in upper case, with `_` for other characters
    /// than letters and digits.
    ///
    /// # Errors
    /// The variable or the key is illegal. Never repeats the key.
    pub(crate) fn env(secret: &str, flag: &str) -> Result<Self> {
        match flag.split_once('=') {
            Some((variable, key)) => Self::env_from_key(variable, secret, key),
            None => Self::env_from_key(&variable_for(&checked_key(flag)?), secret, flag),
        }
    }

    /// Parses `--env-all[=PREFIX]`.
    ///
    /// # Errors
    /// The prefix can't begin a variable's name.
    pub(crate) fn env_all(secret: &str, prefix: &str) -> Result<Self> {
        check_object_name("secret", secret)?;
        if !prefix.is_empty() {
            check_env_name("the prefix", prefix)?;
        }
        Ok(Self::EnvAll { secret: secret.to_owned(), prefix: prefix.to_owned(), need: Need::Required })
    }

    /// Parses `--mount PATH[:KEY[=FILE],…]`.
    ///
    /// # Errors
    /// The path or a file is illegal, or a file is named twice. Never repeats a key.
    pub(crate) fn files(secret: &str, flag: &str, mode: Option<Mode>) -> Result<Self> {
        check_object_name("secret", secret)?;
        let (path, items) = match flag.split_once(':') {
            Some((path, items)) => (path, items.split(',').map(Item::parse).collect::<Result<Vec<_>>>()?),
            None => (flag, Vec::new()),
        };
        if let Some(twice) = twice(&items) {
            return Err(Error::usage(format!("--mount names the file {:?} twice", twice.file)));
        }
        Ok(Self::Files {
            secret: secret.to_owned(),
            path: mount_path(path)?,
            items,
            mode,
            need: Need::Required,
        })
    }

    /// Builds the variable that holds the path of mounted files: of the one file that is named, or else of the
    /// folder.
    ///
    /// # Errors
    /// The variable's name is illegal, or `files` are not files.
    pub(crate) fn path_of(variable: &str, files: &Self) -> Result<Self> {
        check_env_name("the env variable", variable)?;
        let Self::Files { secret, path, items, .. } = files else {
            return Err(Error::usage(format!("{variable} can hold the path of files only")));
        };
        let path = match items.as_slice() {
            [only] => format!("{path}/{}", only.file),
            _ => path.clone(),
        };
        Ok(Self::PathOf { variable: variable.to_owned(), secret: secret.clone(), path })
    }

    pub(crate) fn image_pull(secret: &str) -> Result<Self> {
        check_object_name("secret", secret)?;
        Ok(Self::ImagePull { secret: secret.to_owned() })
    }

    /// Parses Run:ai's `--env-secret VAR=SECRET,key=KEY`.
    ///
    /// # Errors
    /// The text has another form, or a name is illegal.
    pub(crate) fn env_secret(flag: &str) -> Result<Self> {
        let parts =
            flag.split_once('=').and_then(|(variable, rest)| Some((variable, rest.split_once(",key=")?)));
        match parts {
            Some((variable, (secret, key))) => Self::env_from_key(variable, secret, key),
            None => Err(Error::usage("--env-secret takes VAR=SECRET,key=KEY")
                .hint("for example: --env-secret HF_TOKEN=hugging-face,key=token")),
        }
    }

    /// Parses Run:ai's `--secret-volume path=PATH,name=SECRET`, in either order.
    ///
    /// # Errors
    /// The text has another form, or the path is illegal.
    pub(crate) fn secret_volume(flag: &str, mode: Option<Mode>) -> Result<Self> {
        let parts: Vec<_> = flag.split(',').filter_map(|part| part.split_once('=')).collect();
        match parts[..] {
            [("path", path), ("name", secret)] | [("name", secret), ("path", path)]
                if flag.matches(',').count() == 1 && !path.contains(':') =>
            {
                Self::files(secret, path, mode)
            }
            _ => Err(Error::usage("--secret-volume takes path=PATH,name=SECRET")
                .hint("for example: --secret-volume path=/etc/ssh-key,name=my-ssh-key")),
        }
    }

    /// Makes it optional: the workload starts even if the secret or the key is missing. An image pull is
    /// optional anyway.
    #[must_use]
    pub(crate) fn optional(mut self) -> Self {
        match &mut self {
            Self::Env { need, .. } | Self::EnvAll { need, .. } | Self::Files { need, .. } => {
                *need = Need::Optional;
            }
            Self::PathOf { .. } | Self::ImagePull { .. } => {}
        }
        self
    }

    /// Gives files these permissions; what is no file has none.
    #[must_use]
    pub(crate) fn with_mode(mut self, wanted: Mode) -> Self {
        if let Self::Files { mode, .. } = &mut self {
            *mode = Some(wanted);
        }
        self
    }

    pub(crate) fn secret(&self) -> &str {
        match self {
            Self::Env { secret, .. }
            | Self::EnvAll { secret, .. }
            | Self::Files { secret, .. }
            | Self::PathOf { secret, .. }
            | Self::ImagePull { secret } => secret,
        }
    }

    /// Returns the keys it names; none means all.
    pub(crate) fn keys(&self) -> Vec<&str> {
        match self {
            Self::Env { key, .. } => vec![key],
            Self::Files { items, .. } => items.iter().map(|item| item.key.as_str()).collect(),
            Self::EnvAll { .. } | Self::PathOf { .. } | Self::ImagePull { .. } => Vec::new(),
        }
    }

    /// Returns the variable, if it is one.
    pub(crate) fn variable(&self) -> Option<&str> {
        match self {
            Self::Env { variable, .. } | Self::PathOf { variable, .. } => Some(variable),
            Self::EnvAll { .. } | Self::Files { .. } | Self::ImagePull { .. } => None,
        }
    }

    pub(crate) fn is_optional(&self) -> bool {
        match self {
            Self::Env { need, .. } | Self::EnvAll { need, .. } | Self::Files { need, .. } => {
                *need == Need::Optional
            }
            Self::PathOf { .. } | Self::ImagePull { .. } => false,
        }
    }
}

/// Prints `env MYUSERNAME ← SECRET:my-secret,username`.
impl fmt::Display for Attachment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Env { variable, secret, key, .. } => write!(f, "env {variable} ← SECRET:{secret},{key}"),
            Self::EnvAll { secret, prefix, .. } => write!(f, "env {prefix}* ← all keys of secret {secret}"),
            Self::Files { secret, path, items, .. } if items.is_empty() => {
                write!(f, "files in {path} ← all keys of secret {secret}")
            }
            Self::Files { secret, path, items, .. } => {
                let files: Vec<_> = items.iter().map(|item| item.file.as_str()).collect();
                write!(f, "files {} in {path} ← secret {secret}", files.join(", "))
            }
            Self::PathOf { variable, path, .. } => write!(f, "env {variable} = {path}"),
            Self::ImagePull { secret } => write!(f, "image pull ← secret {secret}"),
        }
    }
}

impl Item {
    /// Parses `KEY[=FILE]`; by default the file is named like the key.
    fn parse(text: &str) -> Result<Self> {
        let (key, file) = text.split_once('=').unwrap_or((text, text));
        let key = checked_key(key)?;
        let escapes = file.split('/').any(|step| step == "..") || file.starts_with("..");
        if file.is_empty() || file.starts_with('/') || file.ends_with('/') || escapes {
            return Err(Error::usage(format!(
                "the file for key {key:?} must be a relative path without '..', below the mount path"
            )));
        }
        Ok(Self { key, file: file.to_owned() })
    }
}

impl Mode {
    /// Parses octal as chmod does: `0400`, `400` and `0o400` are the same.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let digits = text.strip_prefix("0o").unwrap_or(text);
        let is_octal = !digits.is_empty() && digits.chars().all(|c| c.is_digit(8));
        match u32::from_str_radix(digits, 8) {
            Ok(bits) if is_octal && bits <= 0o777 => Ok(Self(bits)),
            _ => Err(Error::usage(format!("--mode {text:?} is not an octal file mode from 0000 to 0777"))
                .hint("for example: --mode 0400")),
        }
    }

    /// Returns the mode with these permission bits; none if there are other bits.
    pub(super) fn of(bits: u32) -> Option<Self> {
        (bits <= 0o777).then_some(Self(bits))
    }

    pub(crate) fn bits(self) -> u32 {
        self.0
    }
}

/// Prints `0400`.
impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04o}", self.0)
    }
}

/// Checks a variable's name by the rule of newer servers. The server's version is not known here: an older
/// one refuses the name itself, and [`checks`](super::checks) warns before that.
pub(super) fn check_env_name(what: &str, name: &str) -> Result<()> {
    if is_newer_env_name(name) {
        return Ok(());
    }
    Err(Error::usage(format!("{what} {name:?} is not a legal env name: printable ASCII only, and no '='"))
        .hint("letters, digits and '_', with no digit first, are legal everywhere"))
}

/// Turns `hf-token` into `HF_TOKEN`, and `1st` into `_1ST`.
pub(super) fn variable_for(key: &str) -> String {
    let upper = key.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' });
    let digit_first = key.starts_with(|c: char| c.is_ascii_digit());
    digit_first.then_some('_').into_iter().chain(upper).collect()
}

/// Returns a path without empty and `.` steps, so that `/a/` and `/a` are equal.
pub(super) fn normal_path(path: &str) -> String {
    let steps = path.split('/').filter(|step| !step.is_empty() && *step != ".");
    steps.fold(String::new(), |path, step| path + "/" + step)
}

/// Returns the normal form of a path, if a volume can be mounted there.
///
/// # Errors
/// The path is not absolute, contains `..` or `:`, or is the root.
pub(crate) fn mount_path(path: &str) -> Result<String> {
    let refuse = |why: &str| Err(Error::usage(format!("the mount path {path:?} {why}")));
    if path.starts_with(['$', '~']) {
        return refuse("must be absolute: nothing replaces a variable or '~' in it")
            .map_err(|error| error.hint("write the path as it is in the container"));
    }
    if !path.starts_with('/') {
        return refuse("must be absolute: it must begin with '/'");
    }
    if path.split('/').any(|step| step == "..") {
        return refuse("must not contain '..'");
    }
    if path.contains(':') {
        return refuse("must not contain ':'");
    }
    match normal_path(path) {
        root if root.is_empty() => refuse("would hide the container's whole file system"),
        path => Ok(path),
    }
}

fn checked_key(key: &str) -> Result<String> {
    if is_key(key) {
        return Ok(key.to_owned());
    }
    let error = Error::usage(
        "the text in the place of the key is not a legal key: letters, digits, '-', '_' and '.' only, at \
         most 253",
    );
    Err(if key.starts_with("SECRET:") {
        error.hint("to give the secret's name too, write -e VAR=SECRET:name,key")
    } else {
        error.hint("name a key of the secret here, never a value")
    })
}

fn twice(items: &[Item]) -> Option<&Item> {
    items
        .iter()
        .enumerate()
        .find(|(index, item)| items[..*index].iter().any(|i| i.file == item.file))
        .map(|t| t.1)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effect {
    Added,
    /// It replaced something else.
    Replaced,
    /// The pods had it from their service account until now.
    KeptOfAccount,
}

/// The treatment of a conflicting entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Existing {
    Keep,
    Overwrite,
    /// All that can be there is of the same command.
    OfThisCommand,
}

impl Existing {
    /// Allows or refuses to replace a conflicting entry, which `refusal` describes.
    pub(super) fn replace(self, refusal: impl FnOnce() -> Error) -> Result<Effect> {
        match self {
            Self::Overwrite => Ok(Effect::Replaced),
            Self::Keep => Err(refusal().hint("--overwrite replaces it")),
            Self::OfThisCommand => {
                Err(refusal().hint("two flags of this command ask for it: leave out one of them"))
            }
        }
    }
}

#[cfg(test)]
mod tests;
