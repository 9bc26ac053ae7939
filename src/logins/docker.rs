//! Logins to image registries, as Docker and Podman keep them: in a file, or in a helper's store.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;

use super::found::{Found, default_first};
use super::helper;
use super::machine::{Machine, Text, read_first, value};
use crate::error::{Error, Result};
use crate::printable::printable;
use crate::secret::{self, DOCKER_HUB, FieldText, Source};
use crate::wording::{list, nearest};

/// The user name by which a helper says that its secret is an identity token.
const TOKEN_USER: &str = "<token>";

/// The parts of config.json and of Podman's auth.json that say where logins are.
#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Config {
    auths: BTreeMap<String, Option<Entry>>,
    creds_store: String,
    cred_helpers: BTreeMap<String, String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Entry {
    auth: FieldText,
    username: FieldText,
    password: FieldText,
}

/// A user and a password.
struct Pair {
    user: FieldText,
    password: FieldText,
}

fn paths(machine: &Machine<'_>) -> Vec<PathBuf> {
    let docker = machine.path_in("DOCKER_CONFIG").unwrap_or_else(|| machine.home(".docker"));
    let mut paths = vec![docker.join("config.json")];
    paths.extend(machine.path_in("REGISTRY_AUTH_FILE"));
    paths.extend(machine.path_in("XDG_RUNTIME_DIR").map(|folder| folder.join("containers/auth.json")));
    paths.push(machine.config("containers/auth.json"));
    paths
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
    fn registries(&self) -> Vec<String> {
        let mut names: Vec<String> = self.auths.keys().chain(self.cred_helpers.keys()).cloned().collect();
        names.dedup_by_key(|name| plain(name));
        names
    }

    /// Returns the login to a registry; none if there is none.
    fn login(&self, registry: &str) -> Result<Option<Pair>> {
        let own = self.cred_helpers.iter().find(|(name, _)| plain(name) == plain(registry));
        let helper = own.map(|(_, helper)| helper.as_str()).or(Some(self.creds_store.as_str()));
        let entry = self.auths.iter().find(|(name, _)| plain(name) == plain(registry));
        if let Some(pair) = entry.and_then(|(_, entry)| entry.as_ref()?.pair()) {
            return Ok(Some(pair));
        }
        let Some(helper) = helper.filter(|helper| !helper.is_empty()) else { return Ok(None) };
        let asked = entry.map_or(registry, |(name, _)| name);
        let Some(answer) = helper::login(helper, asked)? else { return Ok(None) };
        if *answer.username == *TOKEN_USER {
            return Err(Error::failed(format!(
                "the login to {} is an identity token, which no kubelet reads",
                printable(registry)
            ))
            .hint("docker login with a user and a token for scripts makes one that works"));
        }
        Ok(Some(Pair { user: answer.username, password: answer.secret }))
    }
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

/// Lists the registries that the file names.
pub(super) fn registries(machine: &Machine<'_>) -> Vec<String> {
    let config = read_first(&paths(machine)).and_then(|file| config(&file)).unwrap_or_default();
    let names: Vec<String> = config.registries().iter().map(|name| plain(name)).collect();
    let is_only = names.len() == 1;
    default_first(names, |_| is_only)
}

/// Reads the logins to some registries, or to the only one.
pub(super) fn read(machine: &Machine<'_>, wanted: Option<&str>) -> Result<Found> {
    let file = read_first(&paths(machine))?;
    let config = config(&file)?;
    let mut known = config.registries();
    if known.is_empty() && !config.creds_store.is_empty() {
        known = helper::registries(&config.creds_store)?;
    }
    let wanted: Vec<String> = match (wanted, known.as_slice()) {
        (Some(wanted), _) => wanted.split(',').map(ToOwned::to_owned).collect(),
        (None, []) => return Err(Error::failed(format!("{} has no login", file.shown()))),
        (None, [only]) => vec![only.clone()],
        (None, several) => {
            let names: Vec<String> =
                several.iter().map(|name| printable(&plain(name)).into_owned()).collect();
            let line = format!("{} has logins to {}: choose one, or several", file.shown(), list(&names));
            return Err(Error::usage(line).hint(format!("--from-login docker={}", names.join(","))));
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
    Ok(Found { sources: contents.data.into_iter().map(given).collect(), notes, warnings: contents.warnings })
}

fn no_login(file: &Text, registry: &str, known: &[String]) -> Error {
    let error = Error::failed(format!("{} has no login to {}", file.shown(), printable(registry)));
    match nearest(registry, known.iter().map(String::as_str)) {
        Some(near) => error.hint(format!("did you mean --from-login docker={}?", printable(near))),
        None => error.hint(format!("to log in: docker login {}", crate::command_line::quoted(registry))),
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
