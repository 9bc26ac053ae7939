//! Services whose login is a token, or a name and a token, in a file of their own.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;

use super::found::{Found, default_first, only_default, temporary};
use super::ini::{Section, section, sections, sections_with};
use super::machine::{self, Machine, Text, absent, read, read_first, shown, value};
use crate::command_line::{CommandLine, quoted};
use crate::error::{Error, Result};
use crate::moment::Moment;
use crate::printable::printable;
use crate::secret::{FieldText, SecretValue};
use crate::wording::few;

// Hugging Face: huggingface_hub's `constants.py` and `utils/_auth.py`.

fn huggingface_folder(machine: &Machine<'_>) -> PathBuf {
    let cache = || machine.path_in("XDG_CACHE_HOME").unwrap_or_else(|| machine.home(".cache"));
    machine.path_in("HF_HOME").unwrap_or_else(|| cache().join("huggingface"))
}

fn huggingface_token(machine: &Machine<'_>) -> PathBuf {
    machine.path_in("HF_TOKEN_PATH").unwrap_or_else(|| huggingface_folder(machine).join("token"))
}

fn huggingface_stored(machine: &Machine<'_>) -> PathBuf {
    huggingface_token(machine).with_file_name("stored_tokens")
}

/// Lists the names of stored tokens; the token in use has none.
pub(super) fn huggingface_tokens(machine: &Machine<'_>) -> Vec<String> {
    let in_use = only_default(huggingface_token(machine).is_file());
    let stored = read(&huggingface_stored(machine)).ok().flatten();
    let stored = stored.iter().flat_map(|file| sections(file.text())).map(ToOwned::to_owned);
    in_use.into_iter().chain(stored).collect()
}

pub(super) fn huggingface(machine: &Machine<'_>, name: Option<&str>) -> Result<Found> {
    let (place, token, end) = if let Some(name) = name {
        let file = read_first(&[huggingface_stored(machine)])?;
        let stored = section(file.text(), name);
        let token = stored.as_ref().and_then(|stored| stored.get("hf_token"));
        let token = value(token.ok_or_else(|| no_section(&file, name))?);
        (format!("{}, token {}", file.shown(), printable(name)), token, stored.and_then(|one| ends(&one)))
    } else {
        let file = read_first(&[huggingface_token(machine)])?;
        let place = file.shown();
        let token = file.into_word()?;
        let end = end_of(&token, machine);
        (place, token, end)
    };
    let doubt =
        (!token.expose().starts_with(b"hf_")).then(|| doubt("a Hugging Face token", "begins with hf_"));
    let lasting = |end| {
        let why = temporary("this token of a login in the browser is", Some(end));
        format!("{why}; one of huggingface.co/settings/tokens does not end by itself")
    };
    let found = Found::new(&place, vec![("HF_TOKEN", token)])?.ending(&["HF_TOKEN"], end);
    Ok(found.doubted(doubt).warned(end.map(lasting)))
}

/// Returns when the token of a login in the browser ends, which `hf` renews and a job does not.
fn ends(stored: &Section<'_>) -> Option<Moment> {
    stored.get("expires_at")?.parse().ok().map(Duration::from_secs).map(Moment::since_1970)
}

/// Returns when the token in use ends, as it is noted beside its copy among the stored ones.
fn end_of(token: &SecretValue, machine: &Machine<'_>) -> Option<Moment> {
    let stored = read(&huggingface_stored(machine)).ok().flatten()?;
    let named = sections(stored.text()).into_iter().filter_map(|name| section(stored.text(), name));
    let same = |one: &Section<'_>| one.get("hf_token").is_some_and(|text| text.as_bytes() == token.expose());
    ends(&named.into_iter().find(same)?)
}

// NGC: `ngc config set` writes an INI file.

const NGC: &str = "CURRENT";

fn ngc_file(machine: &Machine<'_>) -> PathBuf {
    machine
        .path_in("NGC_CLI_HOME")
        .map_or_else(|| machine.home(".ngc/config"), |home| home.join(".ngc/config"))
}

pub(super) fn ngc_profiles(machine: &Machine<'_>) -> Vec<String> {
    let file = read(&ngc_file(machine)).ok().flatten();
    let names = file.iter().flat_map(|file| sections_with(file.text(), "apikey")).map(ToOwned::to_owned);
    default_first(names.collect(), |name| name == NGC)
}

pub(super) fn ngc(machine: &Machine<'_>, profile: Option<&str>) -> Result<Found> {
    let file = read_first(&[ngc_file(machine)])?;
    let profile = profile.unwrap_or(NGC);
    let key = section(file.text(), profile).and_then(|section| section.get("apikey"));
    let key = key.ok_or_else(|| no_section(&file, profile))?;
    let doubt = (key.len() < 40).then(|| doubt("an NGC key", "begins with nvapi-, or has 84 characters"));
    let place = format!("{}, {}", file.shown(), printable(profile));
    Ok(Found::new(&place, vec![("NGC_API_KEY", value(key))])?.doubted(doubt))
}

// Kaggle: a token, or kaggle.json.

#[derive(Deserialize)]
struct Kaggle {
    username: FieldText,
    key: FieldText,
}

/// Returns the files in the order in which Kaggle's programs look (kaggle 2.2): a token, then a key.
fn kaggle_paths(machine: &Machine<'_>) -> Vec<PathBuf> {
    let tokens = ["access_token", "access_token.txt"].map(|name| machine.home(".kaggle").join(name));
    let own = machine.path_in("KAGGLE_CONFIG_DIR").map(|folder| vec![folder]);
    let folders = own.unwrap_or_else(|| vec![machine.home(".kaggle"), machine.config("kaggle")]);
    tokens.into_iter().chain(folders.iter().map(|folder| folder.join("kaggle.json"))).collect()
}

pub(super) fn kaggle_files(machine: &Machine<'_>) -> Vec<String> {
    only_default(kaggle_paths(machine).iter().any(|path| path.is_file()))
}

pub(super) fn kaggle(machine: &Machine<'_>, path: Option<&str>) -> Result<Found> {
    let paths = path.map_or_else(|| kaggle_paths(machine), |path| vec![path.into()]);
    let file = match read_first(&paths) {
        Err(_) if path.is_none() && !paths.iter().any(|path| path.exists()) => {
            return Err(without_kaggle_file(&paths, machine));
        }
        file => file?,
    };
    let place = file.shown();
    if file.path.extension().is_none_or(|end| end != "json") {
        return Found::new(&place, vec![("KAGGLE_API_TOKEN", file.into_word()?)]);
    }
    // The error's text may quote the file.
    let login: Kaggle = machine::object(&file).map_err(|error| {
        Error::failed(format!("{place}, line {}: not a JSON object with username and key", error.line()))
    })?;
    Found::new(&place, vec![("KAGGLE_USERNAME", value(&login.username)), ("KAGGLE_KEY", value(&login.key))])
}

/// Builds the error that there is no file, or only the one of a login in the browser, whose tokens end within hours.
fn without_kaggle_file(paths: &[PathBuf], machine: &Machine<'_>) -> Error {
    let renewed = machine.home(".kaggle/credentials.json");
    if !renewed.is_file() {
        return absent(paths);
    }
    let store = CommandLine::plugin("create").then("kaggle --from-file=KAGGLE_API_TOKEN=- --trim");
    Error::failed(format!("{} has a login in the browser, whose tokens end within hours", shown(&renewed)))
        .hint("Kaggle's settings page makes a token that lasts; put it into ~/.kaggle/access_token")
        .hint(format!("to store the one of now: kaggle auth print-access-token | {store}"))
}

// GitHub: gh keeps tokens in the system's keyring, or in hosts.yml.

const GITHUB: &str = "github.com";

#[derive(Deserialize)]
struct Host {
    oauth_token: Option<FieldText>,
    user: Option<String>,
    users: Option<BTreeMap<String, Option<User>>>,
}

#[derive(Deserialize)]
struct User {
    oauth_token: Option<FieldText>,
}

impl Host {
    fn token(&self) -> Option<&str> {
        let users = self.users.as_ref();
        let active = users.and_then(|users| users.get(self.user.as_deref()?)?.as_ref()?.oauth_token.as_ref());
        let tokens = [self.oauth_token.as_ref(), active];
        tokens.into_iter().flatten().map(|token| &**token).find(|token| !token.is_empty())
    }
}

fn github_file(machine: &Machine<'_>) -> PathBuf {
    let usual = || machine.config(if cfg!(windows) { "GitHub CLI" } else { "gh" });
    machine.path_in("GH_CONFIG_DIR").unwrap_or_else(usual).join("hosts.yml")
}

fn github_logins(file: &Text) -> Result<BTreeMap<String, Host>> {
    // The error's text may quote the file.
    serde_saphyr::from_str::<BTreeMap<String, Option<Host>>>(file.text())
        .map(|hosts| hosts.into_iter().filter_map(|(name, host)| Some((name, host?))).collect())
        .map_err(|_| Error::failed(format!("{} is not gh's file of hosts", file.shown())))
}

pub(super) fn github_hosts(machine: &Machine<'_>) -> Vec<String> {
    let file = read(&github_file(machine)).ok().flatten();
    let logins = file.and_then(|file| github_logins(&file).ok()).unwrap_or_default();
    let is_only = logins.len() == 1;
    let hosts = logins.into_iter().filter(|(_, host)| host.token().is_some()).map(|(name, _)| name).collect();
    default_first(hosts, |host| is_only || host == GITHUB)
}

pub(super) fn github(machine: &Machine<'_>, host: Option<&str>) -> Result<Found> {
    let file = read_first(&[github_file(machine)])?;
    let logins = github_logins(&file)?;
    let only = logins.keys().next().filter(|_| logins.len() == 1).map(String::as_str);
    let host = host.or(only).unwrap_or(GITHUB);
    let Some(login) = logins.get(host) else {
        return Err(Error::failed(format!("{} has no login to {}", file.shown(), printable(host))));
    };
    let Some(token) = login.token() else {
        let (key, _) = github_keys(host);
        let store =
            CommandLine::plugin("create").then("github").arg(format!("--from-file={key}=-")).then("--trim");
        let print = quoted(host);
        return Err(Error::failed(format!(
            "gh keeps the token for {} in the system's keyring",
            printable(host)
        ))
        .hint(format!("to store it: gh auth token --hostname {print} | {store}")));
    };
    let place = format!("{}, {}", file.shown(), printable(host));
    let (key, needs_host) = github_keys(host);
    let host = needs_host.then(|| ("GH_HOST", value(host)));
    Found::new(&place, [(key, value(token))].into_iter().chain(host).collect())
}

/// Returns the variable from which gh reads the token of a host, and whether it must be told the host
/// (`gh help environment`).
fn github_keys(host: &str) -> (&'static str, bool) {
    match host {
        GITHUB => ("GH_TOKEN", false),
        host if host.ends_with(".ghe.com") => ("GH_TOKEN", true),
        _ => ("GH_ENTERPRISE_TOKEN", true),
    }
}

// PyPI: .pypirc, as twine reads it.

const PYPI: &str = "pypi";

fn pypi_file(machine: &Machine<'_>) -> PathBuf {
    machine.home(".pypirc")
}

pub(super) fn pypi_servers(machine: &Machine<'_>) -> Vec<String> {
    let file = read(&pypi_file(machine)).ok().flatten();
    let names = file.iter().flat_map(|file| sections(file.text())).filter(|name| *name != "distutils");
    default_first(names.map(ToOwned::to_owned).collect(), |name| name == PYPI)
}

pub(super) fn pypi(machine: &Machine<'_>, server: Option<&str>) -> Result<Found> {
    let file = read_first(&[pypi_file(machine)])?;
    let server = server.unwrap_or(PYPI);
    let own = section(file.text(), server).ok_or_else(|| no_section(&file, server))?;
    let Some(password) = own.get("password") else {
        let line = format!("{}, {}: no password", file.shown(), printable(server));
        return Err(Error::failed(line).hint("twine asks for it, or keeps it in the system's keyring"));
    };
    let username = own.get("username").unwrap_or("__token__");
    let mut keys = vec![("TWINE_USERNAME", value(username)), ("TWINE_PASSWORD", value(password))];
    if own.get("repository").is_none() && ![PYPI, "testpypi"].contains(&server) {
        let line = format!(
            "{}, {}: no repository, so the password would go to PyPI",
            file.shown(),
            printable(server)
        );
        return Err(Error::failed(line).hint("add repository = https://… to it"));
    }
    let test = (server == "testpypi").then_some("https://test.pypi.org/legacy/");
    keys.extend(own.get("repository").or(test).map(|url| ("TWINE_REPOSITORY_URL", value(url))));
    let is_odd = username == "__token__" && !password.starts_with("pypi-");
    let doubt = is_odd.then(|| doubt("a PyPI token", "begins with pypi-"));
    Ok(Found::new(&format!("{}, {}", file.shown(), printable(server)), keys)?.doubted(doubt))
}

fn no_section(file: &Text, name: &str) -> Error {
    let names: Vec<String> =
        sections(file.text()).into_iter().map(|name| printable(name).into_owned()).collect();
    Error::failed(format!("{} has no login named {}", file.shown(), printable(name)))
        .hint(format!("it has {}", few(&names.iter().map(String::as_str).collect::<Vec<_>>())))
}

/// Warns that a value has another form than those of its service.
pub(super) fn doubt(what: &str, form: &str) -> String {
    format!("this does not look like {what}, which {form}")
}
