//! W&B: `wandb login` writes into `.netrc`, and notes the address of a server of one's own.

use super::found::{Found, default_first};
use super::ini::section;
use super::machine::{Machine, read, read_first, value};
use super::netrc::{self, check_entry, netrc_file, no_host};
use super::tokens::doubt;
use crate::command_line::quoted;
use crate::error::Result;
use crate::printable::printable;
use crate::wording::list;

/// The hosts of W&B's own cloud: two names of the same servers, which take the same keys (`urls.py` of wandb 0.31).
const CLOUD: [&str; 2] = ["api.forge.coreweave.com", "api.wandb.ai"];

/// Returns the address of the server that wandb takes where none is named (wandb 0.31's `wandb_setup.py`).
fn server(machine: &Machine<'_>) -> Option<String> {
    machine.word_in("WANDB_BASE_URL").or_else(|| {
        let folder = machine.path_in("WANDB_CONFIG_DIR").unwrap_or_else(|| machine.home(".config/wandb"));
        let file = read(&folder.join("settings")).ok().flatten()?;
        section(file.text(), "default")?.get("base_url").map(ToOwned::to_owned)
    })
}

/// Returns the host of an address, with its port: what stands in `.netrc`.
fn host_of(address: &str) -> &str {
    let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
    rest.split('/').next().unwrap_or_default()
}

/// Returns the hosts that wandb looks for where none is named.
fn usual(server: Option<&str>) -> Vec<&str> {
    match server.map(host_of) {
        Some(own) if !CLOUD.contains(&own) => vec![own],
        _ => CLOUD.to_vec(),
    }
}

pub(super) fn hosts(machine: &Machine<'_>) -> Vec<String> {
    let server = server(machine);
    let usual = usual(server.as_deref());
    let file = read(&netrc_file(machine)).ok().flatten();
    let hosts = file.iter().flat_map(|file| netrc::entries(file.text()).into_iter().map(|one| one.host));
    let is_one = |host: &&str| host.contains("wandb") || CLOUD.contains(host) || usual.contains(host);
    let hosts = hosts.filter(is_one).map(ToOwned::to_owned).collect();
    default_first(hosts, |host| usual.contains(&host))
}

pub(super) fn read_key(machine: &Machine<'_>, host: Option<&str>) -> Result<Found> {
    let file = read_first(&[netrc_file(machine)])?;
    let server = server(machine);
    let wanted = host.map_or_else(|| usual(server.as_deref()), |host| vec![host]);
    let entries = netrc::entries(file.text());
    let entry = wanted.iter().find_map(|host| entries.iter().find(|entry| entry.host == *host));
    let entry = entry.ok_or_else(|| {
        let error = no_host(&file, &list(&wanted));
        match hosts(machine).into_iter().find(|host| !host.is_empty()) {
            Some(other) => error.hint(format!("--from-login wandb={}", quoted(&printable(&other)))),
            None => error,
        }
    })?;
    check_entry(&file, entry)?;
    let host = entry.host;
    let mut keys = vec![("WANDB_API_KEY", value(entry.password))];
    let known = server.as_deref().filter(|address| address.contains("://") && host_of(address) == host);
    let is_own = !CLOUD.contains(&host);
    if is_own {
        keys.push(("WANDB_BASE_URL", value(known.unwrap_or(&format!("https://{host}")))));
    }
    let doubt = (entry.password.len() < 40).then(|| doubt("a W&B key", "has 40 characters or more"));
    // The file has the host and the port, and not whether they are reached by https.
    let guess = (is_own && known.is_none()).then(|| {
        format!("WANDB_BASE_URL is taken to be https://{}: if it is http, add it yourself", printable(host))
    });
    let place = format!("{}, machine {}", file.shown(), printable(host));
    Ok(Found::new(&place, keys)?.doubted(doubt).warned(guess))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_of_ones_own_is_looked_for_by_host_and_port() {
        assert_eq!(usual(Some("http://wandb.example:8080/x")), ["wandb.example:8080"]);
        assert_eq!(usual(Some("wandb.example")), ["wandb.example"]);
        assert_eq!(usual(Some("https://api.wandb.ai")), CLOUD);
        assert_eq!(usual(None), CLOUD);
    }
}
