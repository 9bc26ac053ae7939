//! Which cluster and which user: the kubeconfig as kubectl reads it.
//!
//! kube's own reader stops at the first missing file of a `KUBECONFIG` list, and its error for a broken file quotes the
//! lines around the mistake, which may hold a token. Both are done here instead.

use std::env;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use kube::config::{
    AuthInfo, Context, Kubeconfig, KubeconfigError, NamedAuthInfo, NamedCluster, NamedContext,
};

use crate::cli::Connection;
use crate::error::{Error, Result};

/// The files that were read, merged, or nothing where there are none at all.
pub(super) fn read(flags: &Connection) -> Result<Option<Kubeconfig>> {
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
        Ok(file) => Ok(Some(file)),
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
    let user_name = flags.user.as_ref().or(context.user.as_ref());

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
    let found = user_name.and_then(|name| kubeconfig.auth_infos.iter().find(|user| &user.name == name));
    if let (Some(name), None) = (&flags.user, found) {
        return Err(missing("auth info", name, kubeconfig.auth_infos.iter().map(|user| &user.name)));
    }
    let mut user = found.and_then(|named| named.auth_info.clone()).unwrap_or_default();

    lay_over_cluster(&mut cluster, flags);
    lay_over_user(&mut user, flags);
    Ok(only(cluster, user, context.namespace))
}

fn context(kubeconfig: &Kubeconfig, flags: &Connection) -> Result<Context> {
    let current = kubeconfig.current_context.as_ref().filter(|name| !name.is_empty());
    let Some(name) = flags.context.as_ref().or(current) else {
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

fn missing<'a>(what: &str, name: &str, others: impl Iterator<Item = &'a String>) -> Error {
    let error = Error::usage(format!("{what} \"{name}\" does not exist"));
    let others: Vec<&String> = others.collect();
    if others.is_empty() { error } else { error.hint(format!("there are: {}", crate::wording::list(others))) }
}

fn lay_over_cluster(cluster: &mut kube::config::Cluster, flags: &Connection) {
    if let Some(server) = &flags.server {
        cluster.server = Some(server.clone());
    }
    if let Some(name) = &flags.tls_server_name {
        cluster.tls_server_name = Some(name.clone());
    }
    if let Some(path) = &flags.certificate_authority {
        cluster.certificate_authority = Some(path.display().to_string());
        cluster.certificate_authority_data = None;
    }
    if let Some(insecure) = flags.insecure_skip_tls_verify {
        cluster.insecure_skip_tls_verify = Some(insecure);
    }
    if cluster.insecure_skip_tls_verify == Some(true) {
        cluster.certificate_authority = None;
        cluster.certificate_authority_data = None;
    }
}

fn lay_over_user(user: &mut AuthInfo, flags: &Connection) {
    if let Some(token) = &flags.token {
        user.token = Some(token.as_str().into());
        user.token_file = None;
        user.exec = None;
        user.auth_provider = None;
    }
    if let (Some(certificate), Some(key)) = (&flags.client_certificate, &flags.client_key) {
        user.client_certificate = Some(certificate.display().to_string());
        user.client_key = Some(key.display().to_string());
        user.client_certificate_data = None;
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
