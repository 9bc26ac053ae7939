//! Logins to image registries, as Docker and Podman keep them: in a file, or in a helper's store.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use serde::Deserialize;

use super::found::{Found, default_first};
use super::helper;
use super::machine::{Machine, Text, read as read_file, read_first, value};
use crate::command_line::quoted;
use crate::error::{Error, Result};
use crate::printable::printable;
use crate::secret::{self, DOCKER_HUB, FieldText, Source};
use crate::wording::{few, list, nearest};

/// The user name by which a helper says that its secret is an identity token.
const TOKEN_USER: &str = "<token>";

/// The parts of config.json and of Podman's auth.json that say where logins are.
#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Config {
    auths: Option<BTreeMap<String, Option<Entry>>>,
    creds_store: Option<String>,
    cred_helpers: Option<BTreeMap<String, String>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Entry {
    auth: FieldText,
    username: FieldText,
    password: FieldText,
    identitytoken: FieldText,
}

/// A user and a password.
struct Pair {
    user: FieldText,
    password: FieldText,
}

/// Returns the files in which logins may be: the one that a variable names, then Docker's, then Podman's.
fn paths(machine: &Machine<'_>) -> Vec<PathBuf> {
    let docker = machine.path_in("DOCKER_CONFIG").unwrap_or_else(|| machine.home(".docker"));
    let mut paths: Vec<PathBuf> = machine.path_in("REGISTRY_AUTH_FILE").into_iter().collect();
    paths.push(docker.join("config.json"));
    paths.extend(machine.path_in("XDG_RUNTIME_DIR").map(|folder| folder.join("containers/auth.json")));
    paths.push(machine.config("containers/auth.json"));
    paths
}

/// Reads the first file that names a login or a store of logins; else the first that is there.
fn logins(machine: &Machine<'_>) -> Result<(Text, Config)> {
    let paths = paths(machine);
    for path in &paths {
        if let Some(file) = read_file(path)? {
            let config = config(&file)?;
            if !config.registries().is_empty() || config.store().is_some() {
                return Ok((file, config));
            }
        }
    }
    let file = read_first(&paths)?;
    let config = config(&file)?;
    Ok((file, config))
}

fn config(file: &Text) -> Result<Config> {
    // The error's text may quote the file.
    serde_json::from_str(file.text()).map_err(|error| {
        Error::failed(format!(
            "{}, line {}: not a JSON object like Docker's config.json",
            file.shown(),
            error.line()
        ))
    })
}

impl Config {
    fn auths(&self) -> impl Iterator<Item = (&String, &Option<Entry>)> {
        self.auths.iter().flatten()
    }

    fn helpers(&self) -> impl Iterator<Item = (&String, &String)> {
        self.cred_helpers.iter().flatten()
    }

    fn store(&self) -> Option<&str> {
        self.creds_store.as_deref().filter(|store| !store.is_empty())
    }

    /// Returns the registries that the file names, each once, by its plain name.
    fn registries(&self) -> BTreeSet<String> {
        let names = self.auths().map(|(name, _)| name).chain(self.helpers().map(|(name, _)| name));
        names.filter(|name| !is_of_web_login(name)).map(|name| plain(name)).collect()
    }

    /// Returns the login to a registry; none if there is none. As in Docker a helper comes before the file.
    fn login(&self, registry: &str) -> Result<Option<Pair>> {
        let is_it = |name: &String| plain(name) == plain(registry);
        let own = self.helpers().find(|(name, _)| is_it(name));
        let entry = self.auths().find(|(name, _)| is_it(name));
        let in_file = entry.and_then(|(_, entry)| entry.as_ref()?.pair());
        let entry_name = entry.map(|(name, _)| name.as_str()).or(own.map(|(name, _)| name.as_str()));
        let entry = entry.and_then(|(_, entry)| entry.as_ref());
        let answer = match own.map(|(_, helper)| helper.as_str()).or(self.store()) {
            Some(helper) => match ask(helper, entry_name, registry) {
                Err(_) if in_file.is_some() => None,
                answer => answer?,
            },
            None => None,
        };
        let is_token = answer.as_ref().map_or_else(
            || in_file.is_none() && entry.is_some_and(|entry| !entry.identitytoken.is_empty()),
            |answer| *answer.username == *TOKEN_USER,
        );
        if is_token {
            return Err(Error::failed(format!(
                "the login to {} is an identity token, which no kubelet reads",
                printable(registry)
            ))
            .hint("docker login with a user and a token for scripts makes one that works"));
        }
        let Some(answer) = answer else { return Ok(in_file) };
        Pair::of(&answer.username, &answer.secret)
            .map(Some)
            .ok_or_else(|| Error::failed(format!("the helper's login to {} is empty", printable(registry))))
    }
}

/// Asks a helper by the names that a registry may have there: the file's, or else the usual ones.
fn ask(helper: &str, in_file: Option<&str>, registry: &str) -> Result<Option<helper::Answer>> {
    let plain = plain(registry);
    let names = [in_file.map_or_else(|| plain.clone(), ToOwned::to_owned), format!("https://{plain}")];
    for name in &names[..if plain == DOCKER_HUB { 1 } else { 2 }] {
        if let Some(answer) = helper::login(helper, name)? {
            return Ok(Some(answer));
        }
    }
    Ok(None)
}

/// Returns true for the entries in which `docker login` keeps the tokens of a login by browser.
fn is_of_web_login(name: &str) -> bool {
    name.ends_with("/access-token") || name.ends_with("/refresh-token")
}

impl Pair {
    /// Returns the pair if neither is empty.
    fn of(user: &str, password: &str) -> Option<Self> {
        (!user.is_empty() && !password.is_empty())
            .then(|| Self { user: user.into(), password: password.into() })
    }
}

impl Entry {
    fn pair(&self) -> Option<Pair> {
        if self.auth.is_empty() {
            let (user, password): (&str, &str) = (&self.username, &self.password);
            return Pair::of(user, password);
        }
        let bytes = secret::decoded_auth(&self.auth)?;
        let (user, password) = std::str::from_utf8(&bytes).ok()?.split_once(':')?;
        Pair::of(user, password)
    }
}

/// Returns a registry's name without what programs write around it; Docker Hub's names are one.
fn plain(registry: &str) -> String {
    let bare = registry.trim_start_matches("https://").trim_start_matches("http://");
    let bare =
        ["/v1/", "/v2/", "/v1", "/v2", "/"].iter().find_map(|end| bare.strip_suffix(end)).unwrap_or(bare);
    if secret::is_docker_hub(bare) { DOCKER_HUB.to_owned() } else { bare.to_owned() }
}

/// Reports whether a helper may be asked for a login.
pub(super) fn has_helpers(machine: &Machine<'_>) -> bool {
    logins(machine).is_ok_and(|(_, config)| config.store().is_some() || config.helpers().next().is_some())
}

/// Lists the registries that the file names.
pub(super) fn registries(machine: &Machine<'_>) -> Vec<String> {
    let config = logins(machine).map(|(_, config)| config).unwrap_or_default();
    let names: Vec<String> = config.registries().into_iter().collect();
    let is_only = names.len() == 1;
    default_first(names, |_| is_only)
}

/// Reads the logins to some registries, or to the only one.
pub(super) fn read(machine: &Machine<'_>, wanted: Option<&str>) -> Result<Found> {
    let (file, config) = logins(machine)?;
    let mut known = config.registries();
    if let Some(store) = config.store().filter(|_| known.is_empty() && wanted.is_none()) {
        let stored = helper::registries(store)?;
        known.extend(stored.iter().filter(|name| !is_of_web_login(name)).map(|name| plain(name)));
    }
    let wanted: Vec<String> = match wanted {
        Some(wanted) => wanted.split(',').map(ToOwned::to_owned).collect(),
        None if known.is_empty() => return Err(Error::failed(format!("{} has no login", file.shown()))),
        None if known.len() == 1 => known.iter().cloned().collect(),
        None => {
            let names: Vec<String> = known.iter().map(|name| printable(name).into_owned()).collect();
            let shown = few(&names.iter().map(String::as_str).collect::<Vec<_>>());
            let line = format!("{} has logins to {shown}: choose one, or several", file.shown());
            let all = format!("docker={}", names[..names.len().min(3)].join(","));
            return Err(Error::usage(line).hint(format!("--from-login {}", quoted(&all))));
        }
    };
    let mut pairs = Vec::new();
    for registry in &wanted {
        let pair = config.login(registry)?.ok_or_else(|| no_login(&file, registry, &known))?;
        pairs.push((plain(registry), pair));
    }
    let passwords: Vec<_> = pairs.iter().map(|(_, pair)| value(&pair.password)).collect();
    let logins: Vec<secret::Login<'_>> = pairs
        .iter()
        .zip(&passwords)
        .map(|((server, pair), password)| secret::Login { server, username: &pair.user, password, email: "" })
        .collect();
    let contents = secret::contents_of_logins(&logins)?;
    let names: Vec<String> = wanted.iter().map(|name| printable(&plain(name)).into_owned()).collect();
    let notes = vec![format!("the login to {} from {}", list(&names), file.shown())];
    let given = |(key, value)| Source::Given { key, value, place: None };
    Ok(Found {
        sources: contents.data.into_iter().map(given).collect(),
        notes,
        warnings: contents.warnings,
        ..Found::default()
    })
}

fn no_login(file: &Text, registry: &str, known: &BTreeSet<String>) -> Error {
    let error = Error::failed(format!("{} has no login to {}", file.shown(), printable(registry)));
    let others = known.iter().map(String::as_str).filter(|name| *name != plain(registry));
    match nearest(registry, others) {
        Some(near) => error
            .hint(format!("did you mean --from-login {}?", quoted(&printable(&format!("docker={near}"))))),
        None => error.hint(format!("to log in: docker login {}", quoted(registry))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_registry_has_one_name_however_it_is_written() {
        for hub in ["docker.io", "https://index.docker.io/v1/", "index.docker.io", "registry-1.docker.io/v2/"]
        {
            assert_eq!(plain(hub), DOCKER_HUB, "{hub}");
        }
        assert_eq!(plain("https://ghcr.io/"), "ghcr.io");
        assert_eq!(plain("registry.example/group"), "registry.example/group");
    }
}
