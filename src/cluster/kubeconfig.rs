//! Which cluster and which user: the kubeconfig as kubectl reads it.
//!
//! kube's own reader stops at the first missing file of a `KUBECONFIG` list, and its error for a broken file quotes the
//! lines around the mistake, which may hold a token. Both are done here instead.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

use kube::config::{
    AuthInfo, Context, Kubeconfig, KubeconfigError, NamedAuthInfo, NamedCluster, NamedContext,
};

use super::connection::host_and_port;
use crate::cli::Connection;
use crate::error::{Error, Result};

/// What a kubeconfig has names for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Entries {
    Contexts,
    Clusters,
    Users,
}

/// The names in the kubeconfig, each with a few words about it.
///
/// # Errors
/// As for every reading of the kubeconfig.
pub(crate) fn entries(which: Entries, flags: &Connection) -> Result<Vec<(String, String)>> {
    let Some(files) = read(flags)? else { return Ok(Vec::new()) };
    Ok(match which {
        Entries::Contexts => files.contexts.into_iter().map(about_context).collect(),
        Entries::Clusters => files.clusters.into_iter().map(about_cluster).collect(),
        Entries::Users => files.auth_infos.into_iter().map(|user| (user.name, String::new())).collect(),
    })
}

fn about_context(named: NamedContext) -> (String, String) {
    let context = named.context.unwrap_or_default();
    let namespace = context.namespace.filter(|namespace| !namespace.is_empty());
    let about = match namespace {
        Some(namespace) => format!("cluster {}, namespace {namespace}", context.cluster),
        None => format!("cluster {}", context.cluster),
    };
    (named.name, about)
}

fn about_cluster(named: NamedCluster) -> (String, String) {
    let server = named.cluster.and_then(|cluster| cluster.server).and_then(|server| server.parse().ok());
    (named.name, server.as_ref().map(host_and_port).unwrap_or_default())
}

/// The files that were read, merged, or nothing where there are none or they know no cluster (as `/dev/null`).
pub(super) fn read(flags: &Connection) -> Result<Option<Kubeconfig>> {
    let knows_one = |files: &Kubeconfig| !files.contexts.is_empty() || !files.clusters.is_empty();
    Ok(read_files(flags)?.filter(knows_one))
}

fn read_files(flags: &Connection) -> Result<Option<Kubeconfig>> {
    if let Some(path) = &flags.kubeconfig {
        let missing = || Error::usage(format!("stat {}: no such file or directory", path.display()));
        return read_file(path)?.map(Some).ok_or_else(missing);
    }
    let mut merged: Option<Kubeconfig> = None;
    for path in default_paths() {
        let Some(file) = read_file(&path)? else { continue };
        merged = Some(match merged {
            None => file,
            Some(before) => before.merge(file).map_err(|error| unreadable(&path, &error))?,
        });
    }
    Ok(merged)
}

/// Where kubectl looks: the `KUBECONFIG` list, else `~/.kube/config`.
fn default_paths() -> Vec<PathBuf> {
    let listed: Vec<PathBuf> = env::var_os("KUBECONFIG")
        .map(|list| env::split_paths(&list).filter(|path| !path.as_os_str().is_empty()).collect())
        .unwrap_or_default();
    if listed.is_empty() {
        env::home_dir().map(|home| home.join(".kube/config")).into_iter().collect()
    } else {
        listed
    }
}

/// A file's content; nothing where it does not exist, which kubectl passes over.
fn read_file(path: &Path) -> Result<Option<Kubeconfig>> {
    match Kubeconfig::read_from(path) {
        Ok(mut file) => {
            // `kubectl config unset current-context` leaves it empty, and kube would keep that instead of the next one.
            file.current_context = file.current_context.filter(|name| !name.is_empty());
            Ok(Some(file))
        }
        Err(KubeconfigError::ReadConfig(error, _)) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(unreadable(path, &error)),
    }
}

fn unreadable(path: &Path, error: &KubeconfigError) -> Error {
    let why = match error {
        KubeconfigError::ReadConfig(error, _) => error.to_string(),
        KubeconfigError::Parse(error) => match error.location() {
            Some(place) => format!("yaml: line {}: not a kubeconfig", place.line()),
            None => "yaml: not a kubeconfig".to_owned(),
        },
        _ => "it can't be used together with the files before it".to_owned(),
    };
    Error::failed(format!("error loading config file \"{}\": {why}", path.display()))
        .hint("its text is not shown because it may hold credentials; try kubectl config view")
}

/// Picks context, cluster and user, and lays the flags over them. The result has these three and no others.
///
/// # Errors
/// What a flag names does not exist (kubectl's words), or nothing says which cluster is meant.
pub(super) fn select(kubeconfig: &Kubeconfig, flags: &Connection) -> Result<Kubeconfig> {
    let context = context(kubeconfig, flags)?;
    let cluster_name = flags.cluster.as_ref().unwrap_or(&context.cluster);
    let user_name = flags.user.as_ref().filter(|name| !name.is_empty()).or(context.user.as_ref());

    let found = kubeconfig.clusters.iter().find(|cluster| &cluster.name == cluster_name);
    let mut cluster = match found.and_then(|named| named.cluster.clone()) {
        Some(cluster) => cluster,
        None if flags.server.is_some() && flags.cluster.is_none() => kube::config::Cluster::default(),
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
    check_client_certificate(&user)?;
    check_impersonation(&user)?;
    Ok(only(cluster, user, context.namespace))
}

/// The service account of the pod that this runs in, in the form of a kubeconfig, so that flags are laid over it too.
///
/// # Errors
/// One of the account's files can't be read.
pub(super) fn of_service_account(server: String, folder: &Path) -> io::Result<Kubeconfig> {
    let (token, authority) = (folder.join("token"), folder.join("ca.crt"));
    fs::File::open(&token)?;
    fs::File::open(&authority)?;
    let namespace = fs::read_to_string(folder.join("namespace"))?.trim().to_owned();
    let cluster = kube::config::Cluster {
        server: Some(server),
        certificate_authority: Some(authority.display().to_string()),
        ..kube::config::Cluster::default()
    };
    let user = AuthInfo { token_file: Some(token.display().to_string()), ..AuthInfo::default() };
    Ok(only(cluster, user, Some(namespace)))
}

fn context(kubeconfig: &Kubeconfig, flags: &Connection) -> Result<Context> {
    let Some(name) = flags.context.as_ref().or(kubeconfig.current_context.as_ref()) else {
        if flags.server.is_some() || flags.cluster.is_some() {
            let cluster = flags.cluster.clone().unwrap_or_default();
            return Ok(Context { cluster, ..Context::default() });
        }
        return Err(Error::failed("current-context is not set")
            .hint("choose one: kubectl config use-context NAME, or add --context=NAME"));
    };
    let found = kubeconfig.contexts.iter().find(|context| &context.name == name);
    found
        .and_then(|named| named.context.clone())
        .ok_or_else(|| missing("context", name, kubeconfig.contexts.iter().map(|context| &context.name)))
}

/// A user that is named must exist, unless flags say who it is: without one, the server would see nobody.
fn user(kubeconfig: &Kubeconfig, name: Option<&String>, flags: &Connection) -> Result<AuthInfo> {
    let Some(name) = name.filter(|name| !name.is_empty()) else { return Ok(AuthInfo::default()) };
    let flags_say_who = flags.token.is_some() || flags.client_certificate.is_some();
    match kubeconfig.auth_infos.iter().find(|user| &user.name == name) {
        Some(found) => Ok(found.auth_info.clone().unwrap_or_default()),
        None if flags.user.is_none() && flags_say_who => Ok(AuthInfo::default()),
        None => Err(missing("auth info", name, kubeconfig.auth_infos.iter().map(|user| &user.name))),
    }
}

fn missing<'a>(what: &str, name: &str, others: impl Iterator<Item = &'a String>) -> Error {
    let error = Error::usage(format!("{what} \"{name}\" does not exist"));
    let others: Vec<&String> = others.collect();
    if others.is_empty() { error } else { error.hint(format!("there are: {}", crate::wording::list(others))) }
}

/// # Errors
/// The flags ask both to check the server's certificate by an authority and not to check it.
fn lay_over_cluster(cluster: &mut kube::config::Cluster, flags: &Connection) -> Result<()> {
    if let Some(server) = &flags.server {
        cluster.server = Some(server.clone());
    }
    if let Some(name) = &flags.tls_server_name {
        cluster.tls_server_name = Some(name.clone());
    }
    if let Some(path) = &flags.certificate_authority {
        cluster.certificate_authority = Some(path.display().to_string());
        cluster.certificate_authority_data = None;
        // Who names an authority wants the certificate checked, whatever the kubeconfig says.
        cluster.insecure_skip_tls_verify = None;
    }
    if flags.certificate_authority.is_some() && flags.insecure_skip_tls_verify == Some(true) {
        return Err(Error::usage(
            "specifying a root certificates file with the insecure flag is not allowed",
        )
        .hint("leave out --certificate-authority or --insecure-skip-tls-verify"));
    }
    if let Some(insecure) = flags.insecure_skip_tls_verify {
        cluster.insecure_skip_tls_verify = Some(insecure);
    }
    if cluster.insecure_skip_tls_verify == Some(true) {
        cluster.certificate_authority = None;
        cluster.certificate_authority_data = None;
    }
    Ok(())
}

fn lay_over_user(user: &mut AuthInfo, flags: &Connection) {
    if let Some(token) = &flags.token {
        user.token = Some(token.as_str().into());
        user.token_file = None;
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
        user.impersonate_groups = Some(flags.impersonate_groups.clone());
    }
    if let Some(uid) = &flags.impersonate_uid {
        user.impersonate_uid = Some(uid.clone());
    }
}

/// kube passes over a certificate without a key, and the server would see somebody else, or nobody.
fn check_client_certificate(user: &AuthInfo) -> Result<()> {
    let certificate = user.client_certificate.is_some() || user.client_certificate_data.is_some();
    let key = user.client_key.is_some() || user.client_key_data.is_some();
    let missing = match (certificate, key) {
        (true, false) => "client-key-data or client-key",
        (false, true) => "client-certificate-data or client-certificate",
        _ => return Ok(()),
    };
    Err(Error::failed(format!("{missing} must be specified to use the clientCert authentication method"))
        .hint("a certificate and its key belong together, in the kubeconfig or as --client-certificate and --client-key"))
}

/// kube passes over groups and a UID without a user, and the request would be made with all of one's own rights.
fn check_impersonation(user: &AuthInfo) -> Result<()> {
    let names_user = user.impersonate.as_ref().is_some_and(|name| !name.is_empty());
    let names_more = user.impersonate_groups.as_ref().is_some_and(|groups| !groups.is_empty())
        || user.impersonate_uid.as_ref().is_some_and(|uid| !uid.is_empty());
    if names_user || !names_more {
        return Ok(());
    }
    Err(Error::failed("requesting uid, groups or user-extra without impersonating a user")
        .hint("say who: --as=USER goes with --as-group and --as-uid"))
}

fn only(cluster: kube::config::Cluster, user: AuthInfo, namespace: Option<String>) -> Kubeconfig {
    let name = "selected".to_owned();
    let context =
        Context { cluster: name.clone(), user: Some(name.clone()), namespace, ..Context::default() };
    Kubeconfig {
        current_context: Some(name.clone()),
        contexts: vec![NamedContext {
            name: name.clone(),
            context: Some(context),
            ..NamedContext::default()
        }],
        clusters: vec![NamedCluster {
            name: name.clone(),
            cluster: Some(cluster),
            ..NamedCluster::default()
        }],
        auth_infos: vec![NamedAuthInfo { name, auth_info: Some(user), ..NamedAuthInfo::default() }],
        ..Kubeconfig::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
        let user = selected.auth_infos[0].auth_info.as_ref().unwrap();
        assert_eq!(user.impersonate.as_deref(), Some("jane"));
        assert!(user.token_file.as_ref().unwrap().ends_with("token"));
        let cluster = selected.clusters[0].cluster.as_ref().unwrap();
        assert_eq!(cluster.insecure_skip_tls_verify, Some(true));
        assert_eq!(cluster.certificate_authority, None);
        assert_eq!(selected.contexts[0].context.as_ref().unwrap().namespace.as_deref(), Some("team-a"));

        let flags = Connection { token: Some("another".to_owned()), ..Connection::default() };
        let selected = select(&account, &flags).unwrap();
        assert_eq!(selected.auth_infos[0].auth_info.as_ref().unwrap().token_file, None);
    }
}
