//! The choice of cluster and user: reads the kubeconfig as kubectl does.
//!
//! kube-client 5.0.0 is not used for it: `Kubeconfig::from_env` stops at the first missing file of a
//! `KUBECONFIG` list, and its error for a broken file quotes the lines around the mistake, which may hold a
//! token (kube-rs/kube#1975).

mod file;

use std::ffi::OsString;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

use file::{Context, NamedCluster, NamedContext, NamedUser, Unreadable};

use super::{address, bounded};
use crate::command_line::CommandLine;
use crate::error::{Error, Result};
use crate::flags::Connection;

pub(super) use file::{AuthProvider, AuthProviderConfig, Cluster, Confidential, Exec, File, User, decode};

const ONE_OF_THEM: &str = "remove one of them from the user in the kubeconfig";

/// The entries of a kubeconfig that have names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Entries {
    Contexts,
    Clusters,
    Users,
}

/// Returns the names in the kubeconfig, each with a short description.
///
/// # Errors
/// The kubeconfig can't be read.
pub(crate) fn entries(which: Entries, flags: &Connection) -> Result<Vec<(String, String)>> {
    let Some(files) = read(&meant(flags))? else { return Ok(Vec::new()) };
    Ok(match which {
        Entries::Contexts => files.contexts.into_iter().map(about_context).collect(),
        Entries::Clusters => files.clusters.into_iter().map(about_cluster).collect(),
        Entries::Users => files.users.into_iter().map(|user| (user.name, String::new())).collect(),
    })
}

/// Returns the flags without empty ones, which kubectl ignores.
pub(super) fn meant(flags: &Connection) -> Connection {
    let text = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    let path = |path: &Option<PathBuf>| path.clone().filter(|path| !path.as_os_str().is_empty());
    Connection {
        kubeconfig: path(&flags.kubeconfig),
        context: text(&flags.context),
        cluster: text(&flags.cluster),
        user: text(&flags.user),
        server: text(&flags.server),
        token: text(&flags.token),
        impersonate: text(&flags.impersonate),
        impersonate_groups: flags
            .impersonate_groups
            .iter()
            .filter(|group| !group.is_empty())
            .cloned()
            .collect(),
        impersonate_uid: text(&flags.impersonate_uid),
        certificate_authority: path(&flags.certificate_authority),
        client_certificate: path(&flags.client_certificate),
        client_key: path(&flags.client_key),
        insecure_skip_tls_verify: flags.insecure_skip_tls_verify,
        tls_server_name: text(&flags.tls_server_name),
        request_timeout: flags.request_timeout,
    }
}

fn about_context(named: NamedContext) -> (String, String) {
    let context = named.context;
    let about = match context.namespace {
        Some(namespace) => format!("cluster {}, namespace {namespace}", context.cluster),
        None => format!("cluster {}", context.cluster),
    };
    (named.name, about)
}

fn about_cluster(named: NamedCluster) -> (String, String) {
    let server = named.cluster.server.and_then(|server| address::parse(&server).ok());
    (named.name, server.map(|(server, _)| address::host_and_port(&server)).unwrap_or_default())
}

/// Reads and merges the files. Returns none if there are none, or if they name no cluster (such as
/// `/dev/null`).
pub(super) fn read(flags: &Connection) -> Result<Option<File>> {
    let knows_one = |files: &File| !files.contexts.is_empty() || !files.clusters.is_empty();
    Ok(read_files(flags)?.filter(knows_one))
}

fn read_files(flags: &Connection) -> Result<Option<File>> {
    if let Some(path) = &flags.kubeconfig {
        let missing = || Error::usage(format!("stat {}: no such file or directory", path.display()));
        return read_file(path)?.map(Some).ok_or_else(missing);
    }
    let mut merged: Option<File> = None;
    for path in default_paths() {
        let Some(file) = read_file(&path)? else { continue };
        match &mut merged {
            None => merged = Some(file),
            Some(before) => before.merge(file),
        }
    }
    Ok(merged)
}

/// Returns the paths where kubectl looks: the `KUBECONFIG` list, else `~/.kube/config`.
fn default_paths() -> Vec<PathBuf> {
    let listed: Vec<PathBuf> = env::var_os("KUBECONFIG")
        .map(|list| env::split_paths(&list).filter(|path| !path.as_os_str().is_empty()).collect())
        .unwrap_or_default();
    if listed.is_empty() { usual_path().into_iter().collect() } else { listed }
}

/// Returns the path in the user's home: on Windows, as client-go, in the first that has it of `HOME`, as git's bash sets
/// it, the home on a server, and the profile.
fn usual_path() -> Option<PathBuf> {
    let in_home = |home: PathBuf| home.join(".kube").join("config");
    let of_windows = || homes_of_windows(|name| env::var_os(name)).map(in_home).find(|file| file.is_file());
    let found = if cfg!(windows) { of_windows() } else { None };
    found.or_else(|| env::home_dir().map(in_home))
}

fn homes_of_windows(variable: impl Fn(&str) -> Option<OsString>) -> impl Iterator<Item = PathBuf> {
    let set = |name: &str| variable(name).filter(|value| !value.is_empty());
    let on_a_server = set("HOMEDRIVE").zip(set("HOMEPATH")).map(|(mut drive, path)| {
        drive.push(path);
        drive
    });
    [set("HOME"), on_a_server, set("USERPROFILE")].into_iter().flatten().map(PathBuf::from)
}

/// Builds the error for no file that names a cluster: where they were looked for, and how to get one.
pub(super) fn no_file(flags: &Connection) -> Error {
    let (origin, paths) = match &flags.kubeconfig {
        Some(path) => ("--kubeconfig", vec![path.clone()]),
        None if env::var_os("KUBECONFIG").is_some_and(|list| !list.is_empty()) => {
            ("KUBECONFIG", default_paths())
        }
        None => ("the default", default_paths()),
    };
    let looked_for = paths.iter().map(|path| {
        let what = if path.exists() { "which names no cluster" } else { "which is not there" };
        format!("{origin} is {}, {what}", path.display())
    });
    let error = looked_for.fold(Error::failed("there is no kubeconfig"), Error::hint);
    error
        .hint("name the right one: KUBECONFIG, or --kubeconfig=FILE")
        .hint("to get one with Run:ai's own command: runai login, then runai kubeconfig set")
}

/// Returns a file's content; none for a missing file, which kubectl skips.
fn read_file(path: &Path) -> Result<Option<File>> {
    let content = match bounded::read(path) {
        Ok(content) => content,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unreadable(path, &bounded::reason(&error))),
    };
    let folder = path.parent().unwrap_or(Path::new(""));
    File::parse(&content, folder).map(Some).map_err(|Unreadable(why)| unreadable(path, &why))
}

fn unreadable(path: &Path, why: &str) -> Error {
    Error::failed(format!("error loading config file \"{}\": {why}", path.display())).hint(format!(
        "its text is not shown because it may hold credentials; try {}",
        CommandLine::kubectl("config view")
    ))
}

/// The selected entries of a kubeconfig, with the flags applied.
pub(super) struct Selected {
    pub(super) cluster: Cluster,
    pub(super) user: User,
    pub(super) names: Names,
    pub(super) namespace: Option<String>,
    /// The user's token is that of `--token`, which takes precedence over every other credential.
    pub(super) token_of_flag: bool,
}

/// The names of the entries, for errors. Empty if there is none.
#[derive(Clone, Default)]
pub(super) struct Names {
    pub(super) cluster: String,
    pub(super) user: String,
}

/// Picks context, cluster and user, and applies the flags to them.
///
/// # Errors
/// A flag names an entry that does not exist (kubectl's words), or no cluster is chosen.
pub(super) fn select(kubeconfig: &File, flags: &Connection) -> Result<Selected> {
    let context = context(kubeconfig, flags)?;
    let cluster_name = flags.cluster.as_ref().unwrap_or(&context.cluster);
    let user_name = flags.user.as_ref().or(context.user.as_ref());

    let found = kubeconfig.clusters.iter().find(|cluster| &cluster.name == cluster_name);
    let mut cluster = match found {
        Some(named) => named.cluster.clone(),
        None if flags.server.is_some() && flags.cluster.is_none() => Cluster::default(),
        None => {
            return Err(missing(
                "cluster",
                cluster_name,
                kubeconfig.clusters.iter().map(|cluster| &cluster.name),
            ));
        }
    };
    let mut user = user(kubeconfig, user_name, flags)?;

    lay_over_cluster(&mut cluster, flags)?;
    lay_over_user(&mut user, flags);
    let names = Names { cluster: cluster_name.clone(), user: user_name.cloned().unwrap_or_default() };
    check_user(&user, &names.user)?;
    check_impersonation(&user)?;
    Ok(Selected { cluster, user, names, namespace: context.namespace, token_of_flag: flags.token.is_some() })
}

/// Returns the service account of the pod that this runs in, in the form of a kubeconfig, so that flags apply
/// to it too.
///
/// # Errors
/// One of the account's files can't be read.
pub(super) fn of_service_account(server: String, folder: &Path) -> io::Result<File> {
    let (token, authority) = (folder.join("token"), folder.join("ca.crt"));
    fs::File::open(&token)?;
    fs::File::open(&authority)?;
    let namespace = fs::read_to_string(folder.join("namespace"))?.trim().to_owned();
    let name = "service-account".to_owned();
    let context = Context { cluster: name.clone(), user: Some(name.clone()), namespace: Some(namespace) };
    let cluster = Cluster {
        server: Some(server),
        certificate_authority: Some(authority.display().to_string()),
        ..Cluster::default()
    };
    let user = User { token_file: Some(token.display().to_string()), ..User::default() };
    Ok(File {
        current_context: Some(name.clone()),
        contexts: vec![NamedContext { name: name.clone(), context }],
        clusters: vec![NamedCluster { name: name.clone(), cluster }],
        users: vec![NamedUser { name, user }],
        ..File::default()
    })
}

fn context(kubeconfig: &File, flags: &Connection) -> Result<Context> {
    let Some(name) = flags.context.as_ref().or(kubeconfig.current_context.as_ref()) else {
        if flags.server.is_some() || flags.cluster.is_some() {
            let cluster = flags.cluster.clone().unwrap_or_default();
            return Ok(Context { cluster, ..Context::default() });
        }
        return Err(Error::failed("current-context is not set").hint(format!(
            "choose one: {}, or add --context=NAME",
            CommandLine::kubectl("config use-context NAME")
        )));
    };
    let found = kubeconfig.contexts.iter().find(|context| &context.name == name);
    found
        .map(|named| named.context.clone())
        .ok_or_else(|| missing("context", name, kubeconfig.contexts.iter().map(|context| &context.name)))
}

/// Finds the named user. It must exist unless flags say who it is: without a user the server would see
/// nobody.
fn user(kubeconfig: &File, name: Option<&String>, flags: &Connection) -> Result<User> {
    let Some(name) = name else { return Ok(User::default()) };
    let flags_say_who = flags.token.is_some() || flags.client_certificate.is_some();
    match kubeconfig.users.iter().find(|user| &user.name == name) {
        Some(found) => Ok(found.user.clone()),
        None if flags.user.is_none() && flags_say_who => Ok(User::default()),
        None => Err(missing("auth info", name, kubeconfig.users.iter().map(|user| &user.name))),
    }
}

fn missing<'a>(what: &str, name: &str, others: impl Iterator<Item = &'a String>) -> Error {
    let error = Error::usage(format!("{what} \"{name}\" does not exist"));
    let others: Vec<&String> = others.collect();
    if others.is_empty() { error } else { error.hint(format!("there are: {}", crate::wording::list(others))) }
}

/// Applies the flags to the cluster.
///
/// # Errors
/// The flags ask both to check the server's certificate by an authority and not to check it.
fn lay_over_cluster(cluster: &mut Cluster, flags: &Connection) -> Result<()> {
    if let Some(server) = &flags.server {
        cluster.server = Some(server.clone());
        // The kubeconfig's name belongs to another server. kubectl drops it too.
        cluster.tls_server_name = None;
    }
    if let Some(name) = &flags.tls_server_name {
        cluster.tls_server_name = Some(name.clone());
    }
    if let Some(path) = &flags.certificate_authority {
        cluster.certificate_authority = Some(path.display().to_string());
        cluster.certificate_authority_data = None;
        // A user who names an authority wants the certificate checked, whatever the kubeconfig says.
        cluster.insecure_skip_tls_verify = false;
    }
    if flags.certificate_authority.is_some() && flags.insecure_skip_tls_verify == Some(true) {
        return Err(Error::usage(
            "specifying a root certificates file with the insecure flag is not allowed",
        )
        .hint("leave out --certificate-authority or --insecure-skip-tls-verify"));
    }
    if let Some(insecure) = flags.insecure_skip_tls_verify {
        cluster.insecure_skip_tls_verify = insecure;
        if insecure {
            (cluster.certificate_authority, cluster.certificate_authority_data) = (None, None);
        }
    }
    Ok(())
}

fn lay_over_user(user: &mut User, flags: &Connection) {
    if let Some(token) = &flags.token {
        user.token = Some(Confidential::new(token.clone()));
        user.token_file = None;
        user.username = None;
        user.password = None;
        user.exec = None;
        user.auth_provider = None;
    }
    if let Some(certificate) = &flags.client_certificate {
        user.client_certificate = Some(certificate.display().to_string());
        user.client_certificate_data = None;
    }
    if let Some(key) = &flags.client_key {
        user.client_key = Some(key.display().to_string());
        user.client_key_data = None;
    }
    if let Some(name) = &flags.impersonate {
        user.impersonate = Some(name.clone());
    }
    if !flags.impersonate_groups.is_empty() {
        user.impersonate_groups.clone_from(&flags.impersonate_groups);
    }
    if let Some(uid) = &flags.impersonate_uid {
        user.impersonate_uid = Some(uid.clone());
    }
}

/// Refuses what kubectl refuses, since the server would see somebody else, or nobody.
fn check_user(user: &User, name: &str) -> Result<()> {
    let certificate = user.client_certificate.is_some() || user.client_certificate_data.is_some();
    let key = user.client_key.is_some() || user.client_key_data.is_some();
    let missing = match (certificate, key) {
        (true, false) => "client-key-data or client-key",
        (false, true) => "client-certificate-data or client-certificate",
        _ => return check_single_method(user, name),
    };
    Err(Error::failed(format!("{missing} must be specified to use the clientCert authentication method"))
        .hint("a certificate and its key belong together, in the kubeconfig or as --client-certificate and --client-key"))
}

fn check_single_method(user: &User, name: &str) -> Result<()> {
    if user.token.is_some() && (user.username.is_some() || user.password.is_some()) {
        return Err(Error::failed(format!(
            "more than one authentication method found for {name}; found [token basicAuth], only one is allowed"
        ))
        .hint(ONE_OF_THEM));
    }
    if user.exec.is_some() && user.auth_provider.is_some() {
        return Err(Error::failed(format!(
            "authProvider cannot be provided in combination with an exec plugin for {name}"
        ))
        .hint(ONE_OF_THEM));
    }
    Ok(())
}

/// Refuses groups and a UID without a user: they would be ignored, and the request made with all of one's own
/// rights.
fn check_impersonation(user: &User) -> Result<()> {
    let names_more = !user.impersonate_groups.is_empty()
        || !user.impersonate_extra.is_empty()
        || user.impersonate_uid.is_some();
    if user.impersonate.is_some() || !names_more {
        return Ok(());
    }
    Err(Error::failed("requesting uid, groups or user-extra without impersonating a user")
        .hint("add --as=USER: --as-group and --as-uid need it"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_home_of_windows_is_looked_for_as_client_go_does() {
        let homes = |set: &[(&str, &str)]| -> Vec<PathBuf> {
            let value =
                |name: &str| set.iter().find(|(known, _)| *known == name).map(|(_, value)| value.into());
            homes_of_windows(value).collect()
        };
        let all = [("USERPROFILE", "P"), ("HOME", "H"), ("HOMEDRIVE", "C:"), ("HOMEPATH", "/u")];
        assert_eq!(homes(&all), [Path::new("H"), Path::new("C:/u"), Path::new("P")]);
        assert_eq!(homes(&[("HOME", ""), ("HOMEDRIVE", "C:"), ("USERPROFILE", "P")]), [Path::new("P")]);
    }

    #[test]
    fn flags_are_laid_over_a_pods_service_account_as_over_a_kubeconfig() {
        let folder = tempfile::tempdir().unwrap();
        assert!(of_service_account("https://10.0.0.1".to_owned(), folder.path()).is_err());
        for (name, content) in [("token", "t"), ("ca.crt", "c"), ("namespace", "team-a\n")] {
            fs::write(folder.path().join(name), content).unwrap();
        }
        let account = of_service_account("https://10.0.0.1".to_owned(), folder.path()).unwrap();
        let flags = Connection {
            impersonate: Some("jane".to_owned()),
            insecure_skip_tls_verify: Some(true),
            ..Connection::default()
        };
        let selected = select(&account, &flags).unwrap();
        assert_eq!(selected.user.impersonate.as_deref(), Some("jane"));
        assert!(selected.user.token_file.as_ref().unwrap().ends_with("token"));
        assert!(selected.cluster.insecure_skip_tls_verify);
        assert_eq!(selected.namespace.as_deref(), Some("team-a"));

        let flags = Connection { token: Some("another".to_owned()), ..Connection::default() };
        let selected = select(&account, &flags).unwrap();
        assert_eq!(selected.user.token_file, None);
    }

    #[test]
    fn a_flag_that_is_empty_is_as_good_as_none() {
        let empty = || Some(String::new());
        let flags = Connection {
            server: empty(),
            token: empty(),
            user: empty(),
            tls_server_name: empty(),
            impersonate: empty(),
            client_key: Some(PathBuf::new()),
            impersonate_groups: vec![String::new()],
            ..Connection::default()
        };
        let meant = meant(&flags);
        let texts = [&meant.server, &meant.token, &meant.user, &meant.tls_server_name, &meant.impersonate];
        assert!(texts.into_iter().all(Option::is_none));
        assert!(meant.client_key.is_none() && meant.impersonate_groups.is_empty());
    }
}
