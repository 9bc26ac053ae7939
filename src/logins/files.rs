//! Logins that a job takes as a file, and the file of this folder.

use std::fs;
use std::path::PathBuf;

use serde::Deserialize;

use super::found::{Found, default_first, only_default};
use super::machine::{self, Machine, absent, read, read_first, shown, value};
use super::netrc::{self, check_entry, netrc_file, no_host};
use crate::error::{Error, Result};
use crate::printable::printable;
use crate::secret::{self, Audience, Origin, ProcessInput, Source, SshFiles};
use crate::wording::{few, list};

// Google: what the client libraries find by themselves.

/// The kinds of credentials that Google's libraries read from a file. `true`: they work anywhere.
const GOOGLE_TYPES: [(&str, bool); 6] = [
    ("authorized_user", true),
    ("service_account", true),
    ("impersonated_service_account", true),
    ("gdch_service_account", true),
    ("external_account_authorized_user", true),
    ("external_account", false),
];

#[derive(Deserialize)]
struct Google {
    r#type: String,
}

fn gcloud_paths(machine: &Machine<'_>) -> Vec<PathBuf> {
    let own = machine.path_in("GOOGLE_APPLICATION_CREDENTIALS");
    // Google's own programs do not heed XDG_CONFIG_HOME.
    let usual = || if cfg!(windows) { machine.config("gcloud") } else { machine.home(".config/gcloud") };
    let folder = machine.path_in("CLOUDSDK_CONFIG").unwrap_or_else(usual);
    own.map_or_else(|| vec![folder.join("application_default_credentials.json")], |path| vec![path])
}

pub(super) fn gcloud_files(machine: &Machine<'_>) -> Vec<String> {
    only_default(gcloud_paths(machine).iter().any(|path| path.is_file()))
}

pub(super) fn gcloud(machine: &Machine<'_>, path: Option<&str>) -> Result<Found> {
    let file = read_first(&path.map_or_else(|| gcloud_paths(machine), |path| vec![path.into()]))?;
    let place = file.shown();
    // The error's text may quote the file.
    let google: Google = machine::object(&file).map_err(|error| {
        Error::failed(format!("{place}, line {}: not a JSON object with a type", error.line()))
    })?;
    let Some((kind, works)) = GOOGLE_TYPES.iter().find(|(kind, _)| *kind == google.r#type) else {
        return Err(Error::failed(format!("{place} is not a file of Google's credentials")));
    };
    let doubt = (!works).then(|| {
        format!("credentials of the type {kind} refer to another file or server, which the job may not reach")
    });
    let key = "application_default_credentials.json";
    Ok(Found::new(&place, vec![(key, file.into_value())])?.warned(doubt))
}

// SSH: the keys that OpenSSH tries by itself.

const SSH_KEYS: [&str; 3] = ["id_ed25519", "id_ecdsa", "id_rsa"];

pub(super) fn ssh_keys(machine: &Machine<'_>) -> Vec<String> {
    let there = SSH_KEYS.into_iter().filter(|name| machine.home(".ssh").join(name).is_file());
    default_first(there.map(ToOwned::to_owned).collect(), |_| true)
}

pub(super) fn ssh(machine: &Machine<'_>, name: Option<&str>) -> Result<Found> {
    let folder = machine.home(".ssh");
    let private_key = match name {
        // A name is looked for where keys are, a path is taken as it is.
        Some(name) if name.contains(['/', '\\']) => PathBuf::from(name),
        Some(name) => folder.join(name),
        None => {
            let there = SSH_KEYS.iter().map(|name| folder.join(name)).find(|path| path.is_file());
            there.ok_or_else(|| no_key(&folder))?
        }
    };
    if private_key.exists() && !private_key.is_file() {
        return Err(Error::failed(format!("{} is not a regular file", shown(&private_key))));
    }
    let public_key = PathBuf::from(format!("{}.pub", private_key.display()));
    let known_hosts = folder.join("known_hosts");
    let there = |path: PathBuf| path.is_file().then_some(Origin::Path(path));
    let (public_key, known_hosts) = (there(public_key), there(known_hosts));
    let private_key = Origin::Path(private_key);
    let place = private_key.shown().to_string();
    let files = SshFiles { private_key, public_key, known_hosts, audience: Audience::Kubernetes };
    let contents = secret::ssh_contents(&files, &mut ProcessInput)?;
    let names: Vec<&String> = contents.data.keys().collect();
    let notes = vec![format!("{} from {place} and the folder ~/.ssh", list(&names))];
    let given = |(key, value)| Source::Given { key, value, place: None };
    let sources = contents.data.into_iter().map(given).collect();
    Ok(Found { sources, notes, warnings: contents.warnings, ..Found::default() })
}

fn no_key(folder: &std::path::Path) -> Error {
    let folder = printable(&folder.to_string_lossy()).into_owned();
    Error::failed(format!("{folder} has none of {}", list(SSH_KEYS)))
        .hint("ssh-keygen -t ed25519 -N '' -f job_key makes one for jobs alone: --from-login ssh=./job_key")
}

// .netrc: the login to one host, and no other.

pub(super) fn netrc_hosts(machine: &Machine<'_>) -> Vec<String> {
    let file = read(&netrc_file(machine)).ok().flatten();
    let hosts = file.iter().flat_map(|file| netrc::entries(file.text()).into_iter().map(|one| one.host));
    let hosts: Vec<String> = hosts.map(ToOwned::to_owned).collect();
    let is_only = hosts.len() == 1;
    default_first(hosts, |_| is_only)
}

pub(super) fn netrc(machine: &Machine<'_>, host: Option<&str>) -> Result<Found> {
    let file = read_first(&[netrc_file(machine)])?;
    let entries = netrc::entries(file.text());
    let entry = match (host, entries.as_slice()) {
        (Some(host), all) => {
            all.iter().find(|entry| entry.host == host).ok_or_else(|| no_host(&file, host))?
        }
        (None, [only]) => only,
        (None, []) => {
            return Err(Error::failed(format!("{} has no login to a host that it names", file.shown())));
        }
        (None, all) => {
            let hosts: Vec<String> = all.iter().map(|entry| printable(entry.host).into_owned()).collect();
            let hosts: Vec<&str> = hosts.iter().map(String::as_str).collect();
            let line = format!("{} has logins to {}: choose one", file.shown(), few(&hosts));
            return Err(Error::usage(line).hint("--from-login netrc=HOST"));
        }
    };
    let place = format!("{}, machine {}", file.shown(), printable(entry.host));
    check_entry(&file, entry)?;
    let is_odd = |word: &&str| word.contains(char::is_whitespace) || word.starts_with('#');
    if [entry.host, entry.login, entry.password].iter().any(is_odd) {
        return Err(Error::failed(format!(
            "{place}: a word with blanks or a # at its start can't be written for every reader"
        )));
    }
    let login = if entry.login.is_empty() { String::new() } else { format!("login {} ", entry.login) };
    let line =
        zeroize::Zeroizing::new(format!("machine {} {login}password {}\n", entry.host, entry.password));
    if entry.password.is_empty() {
        return Err(Error::failed(format!("{place} has an empty login: no password")));
    }
    Found::new(&place, vec![(".netrc", value(&line))])
}

// .env: the source is the file itself, with its own rules.

pub(super) fn dotenv_files(_: &Machine<'_>) -> Vec<String> {
    only_default(PathBuf::from(".env").is_file())
}

pub(super) fn dotenv(_: &Machine<'_>, path: Option<&str>) -> Result<Found> {
    let path = PathBuf::from(path.unwrap_or(".env"));
    match fs::metadata(&path) {
        Ok(metadata) if metadata.is_file() => {}
        // A pipe may never end.
        Ok(_) => return Err(Error::failed(format!("{} is not a regular file", shown(&path)))),
        Err(_) => return Err(absent(&[path])),
    }
    let sources = Source::dotenv_files([path.into()]);
    Ok(Found { sources, ..Found::default() })
}
