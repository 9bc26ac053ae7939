//! From flags and files to the settings of a connection.

use std::env;
use std::error::Error as StdError;
use std::path::Path;
use std::time::Duration;

use http::{HeaderValue, header};
use kube::Config;
use kube::config::{KubeConfigOptions, Kubeconfig, KubeconfigError};

use super::trouble::chain;
use super::{Attendance, exec, kubeconfig, proxy};
use crate::cli::{BINARY, Connection};
use crate::error::{Error, Result};

/// How long one request may take where the user does not say. kubectl waits for ever.
const REQUEST_LIMIT: Duration = Duration::from_secs(30);
/// What stands for "no limit": a step that must not be interrupted may depend on it.
const LONGEST_LIMIT: Duration = Duration::from_mins(10);
const SERVICE_ACCOUNT: &str = "/var/run/secrets/kubernetes.io/serviceaccount";
const CONNECT_LIMIT: Duration = Duration::from_secs(10);

/// The settings of the connection, credentials included, and the time limit of one request.
pub(super) async fn load(flags: &Connection, attendance: Attendance) -> Result<(Config, Duration)> {
    let files = match kubeconfig::read(flags)? {
        Some(files) => files,
        None if flags.server.is_some() || names_an_entry(flags) => Kubeconfig::default(),
        None => in_cluster()?,
    };
    let mut config = from_kubeconfig(&kubeconfig::select(&files, flags)?).await?;
    if config.accept_invalid_certs {
        config.root_cert = None;
    }
    let agent = format!("{BINARY}/{} ({}/{})", env!("CARGO_PKG_VERSION"), env::consts::OS, env::consts::ARCH);
    config.headers.push((header::USER_AGENT, HeaderValue::from_str(&agent).expect("it is ASCII")));
    // Retries are the connection's own business: kube's would send a write twice.
    config.default_retry = false;
    let limit = match flags.request_timeout {
        None => REQUEST_LIMIT,
        Some(limit) if limit.is_zero() => LONGEST_LIMIT,
        Some(limit) => limit,
    };
    config.connect_timeout = Some(limit.min(CONNECT_LIMIT));
    exec::run_credential_plugin(&mut config.auth_info, attendance).await?;
    Ok((config, limit))
}

/// Checks what the connection flags name, without a cluster: for `--dry-run=client`, which looks at a kubeconfig only
/// where a flag asks for it.
///
/// # Errors
/// As kubectl: the file, the context, the cluster or the user that a flag names does not exist.
pub(crate) fn check_kubeconfig(flags: &Connection) -> Result<()> {
    if (flags.kubeconfig.is_some() || names_an_entry(flags))
        && let Some(files) = kubeconfig::read(flags)?
    {
        kubeconfig::select(&files, flags)?;
    }
    Ok(())
}

/// A flag asks for something that only a kubeconfig has.
fn names_an_entry(flags: &Connection) -> bool {
    [&flags.context, &flags.cluster, &flags.user].into_iter().any(Option::is_some)
}

async fn from_kubeconfig(selected: &Kubeconfig) -> Result<Config> {
    let explicit_proxy = selected.clusters[0].cluster.as_ref().and_then(|cluster| cluster.proxy_url.clone());
    let mut config = Config::from_custom_kubeconfig(selected.clone(), &KubeConfigOptions::default())
        .await
        .map_err(|error| not_usable(&error))?;
    config.proxy_url =
        proxy::for_server(&config.cluster_url, explicit_proxy.as_deref(), |name| env::var(name).ok())?;
    Ok(config)
}

/// As client-go: both variables, and the files that the kubelet puts into every pod with a service account.
fn in_cluster() -> Result<Kubeconfig> {
    let (Ok(host), Ok(port)) = (env::var("KUBERNETES_SERVICE_HOST"), env::var("KUBERNETES_SERVICE_PORT"))
    else {
        return Err(Error::failed("there is no kubeconfig")
            .hint("set KUBECONFIG, add --kubeconfig=FILE, or put the file at ~/.kube/config"));
    };
    let server = if host.contains(':') {
        format!("https://[{host}]:{port}")
    } else {
        format!("https://{host}:{port}")
    };
    kubeconfig::of_service_account(server, Path::new(SERVICE_ACCOUNT)).map_err(|_| {
        Error::failed("this looks like the inside of a pod, but its service account can't be used")
            .hint(format!("check {SERVICE_ACCOUNT}, or set KUBECONFIG"))
    })
}

/// kube's own text may quote certificates or the file; only what went wrong is kept.
fn not_usable(error: &KubeconfigError) -> Error {
    use KubeconfigError as E;
    let (what, hint) = match error {
        E::MissingClusterUrl => {
            ("the cluster has no server", "set it: kubectl config set-cluster NAME --server=URL")
        }
        E::ParseClusterUrl(_) => {
            ("the cluster's server is not a URL", "check it: kubectl config view --minify")
        }
        E::ParseProxyUrl(_) => ("the proxy's address is not a URL", "check proxy-url and HTTPS_PROXY"),
        E::LoadCertificateAuthority(_) | E::ParseCertificates(_) => (
            "unable to read certificate-authority",
            "check the file that the kubeconfig or --certificate-authority names",
        ),
        E::LoadClientCertificate(_) => {
            ("unable to read client-cert", "check client-certificate in the kubeconfig")
        }
        E::LoadClientKey(_) => ("unable to read client-key", "check client-key in the kubeconfig"),
        _ => ("invalid configuration", "check it: kubectl config view --minify"),
    };
    Error::failed(what).hint(hint)
}

/// Says why kube could not make a client of the settings, without its text: it may quote a credential.
pub(super) fn unusable(server: &str, error: &(dyn StdError + 'static)) -> Error {
    let io = chain(error).find_map(|error| error.downcast_ref::<std::io::Error>());
    let why = io.map(|error| format!(": {error}")).unwrap_or_default();
    Error::failed(format!("the credentials for {server} can't be used{why}"))
        .hint("check the user of the context: kubectl config view --minify")
}
