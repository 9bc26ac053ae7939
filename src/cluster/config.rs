//! Turns flags and files into the settings of a connection.

use std::env;
use std::path::Path;
use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue, Uri, header};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};
use rustls::pki_types::ServerName;

use super::address::Account;
use super::kubeconfig::{Cluster, File, Selected, User};
use super::login::Login;
use super::proxy::Proxy;
use super::tls::Trust;
use super::{Attendance, address, kubeconfig, proxy};
use crate::command_line::CommandLine;
use crate::error::{Error, Result};
use crate::flags::{BINARY, Connection};
use crate::ui::Ui;

/// The time limit of one request unless the user sets one. kubectl waits for ever.
const REQUEST_LIMIT: Duration = Duration::from_secs(30);
/// The limit for "no limit" (0): a step that must not be interrupted may depend on an answer.
const LONGEST_LIMIT: Duration = Duration::from_mins(10);
const SERVICE_ACCOUNT: &str = "/var/run/secrets/kubernetes.io/serviceaccount";
const CONNECT_LIMIT: Duration = Duration::from_secs(10);

/// The settings of a connection, without the login.
pub(super) struct Settings {
    /// The base of every request.
    pub(super) server: Uri,
    pub(super) namespace: String,
    pub(super) trust: Trust,
    /// The name that the server's certificate must have, if it differs from the address.
    pub(super) server_name: Option<ServerName<'static>>,
    pub(super) proxy: Option<Proxy>,
    /// The headers of every request.
    pub(super) headers: HeaderMap,
    pub(super) compression: Compression,
    pub(super) versions: HttpVersions,
    pub(super) connect_limit: Duration,
    /// The time limit of one request.
    pub(super) limit: Duration,
}

/// Allows or refuses compressed answers.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Compression {
    Gzip,
    None,
}

/// The versions of HTTP that are offered to the server.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum HttpVersions {
    /// HTTP/2, over which all requests share a connection, and HTTP/1.1, which proxies may need.
    Both,
    /// HTTP/1.1 alone: the environment has `DISABLE_HTTP2`, as client-go reads it.
    First,
}

/// Returns the settings of the connection, and the login.
pub(super) fn load(flags: &Connection, attendance: Attendance, ui: &Ui) -> Result<(Settings, Login)> {
    let flags = &kubeconfig::meant(flags);
    let files = match kubeconfig::read(flags)? {
        Some(files) => files,
        None if flags.server.is_some() || names_an_entry(flags) => File::default(),
        None => in_cluster(flags)?,
    };
    let selected = kubeconfig::select(&files, flags)?;
    let (settings, account) = settings(&selected, flags.request_timeout)?;
    let server = (&settings.server, account.as_ref());
    let login = Login::new(&selected, server, attendance, ui)?;
    Ok((settings, login))
}

/// Checks the names in the connection flags without a cluster, for `--dry-run=client`, which reads a
/// kubeconfig only if a flag needs one.
///
/// # Errors
/// The file, context, cluster or user that a flag names does not exist, as in kubectl.
pub(crate) fn check_kubeconfig(flags: &Connection) -> Result<()> {
    let flags = &kubeconfig::meant(flags);
    if (flags.kubeconfig.is_some() || names_an_entry(flags))
        && let Some(files) = kubeconfig::read(flags)?
    {
        kubeconfig::select(&files, flags)?;
    }
    Ok(())
}

/// Returns true if a flag names an entry that only a kubeconfig has.
fn names_an_entry(flags: &Connection) -> bool {
    [&flags.context, &flags.cluster, &flags.user].into_iter().any(Option::is_some)
}

/// Returns the settings, and the user and password in the server's address.
fn settings(selected: &Selected, request_timeout: Option<Duration>) -> Result<(Settings, Option<Account>)> {
    let Selected { cluster, user, names, namespace, .. } = selected;
    let no_server = || {
        Error::failed("the cluster has no server").hint(format!(
            "set it: {}, or add --server=URL",
            CommandLine::kubectl("config set-cluster NAME --server=URL")
        ))
    };
    let (server, account) = address::parse(cluster.server.as_deref().ok_or_else(no_server)?)?;
    let explicit = cluster.proxy_url.as_deref();
    let proxy = proxy::for_server(&server, explicit, |name| env::var(name).ok())?;
    let limit = limit(request_timeout);
    // client-go ignores the TLS settings of a server without TLS.
    let encrypted = server.scheme_str() == Some("https");
    let settings = Settings {
        namespace: namespace.clone().unwrap_or_else(|| "default".to_owned()),
        trust: if encrypted { Trust::of(cluster, &names.cluster)? } else { Trust::Machine },
        server_name: if encrypted { server_name(cluster)? } else { None },
        proxy,
        headers: headers(user)?,
        compression: if cluster.disable_compression { Compression::None } else { Compression::Gzip },
        versions: match env::var_os("DISABLE_HTTP2") {
            Some(set) if !set.is_empty() => HttpVersions::First,
            _ => HttpVersions::Both,
        },
        connect_limit: limit.min(CONNECT_LIMIT),
        limit,
        server,
    };
    Ok((settings, account))
}

/// Returns the time limit of a request. kubectl's 0 means none; here a connection on which nothing comes ends.
fn limit(request_timeout: Option<Duration>) -> Duration {
    match request_timeout {
        None => REQUEST_LIMIT,
        Some(limit) if limit.is_zero() => LONGEST_LIMIT,
        Some(limit) => limit,
    }
}

fn server_name(cluster: &Cluster) -> Result<Option<ServerName<'static>>> {
    let Some(name) = &cluster.tls_server_name else { return Ok(None) };
    ServerName::try_from(name.clone()).map(Some).map_err(|_| {
        Error::failed("tls-server-name is not the name of a server").hint(
            "it is set in the kubeconfig's cluster, or by --tls-server-name: a name such as api.example.com",
        )
    })
}

/// Returns the headers for the user agent and for impersonation.
fn headers(user: &User) -> Result<HeaderMap> {
    let agent = format!("{BINARY}/{} ({}/{})", env!("CARGO_PKG_VERSION"), env::consts::OS, env::consts::ARCH);
    let mut headers = HeaderMap::new();
    headers.insert(header::USER_AGENT, HeaderValue::try_from(agent).expect("it is ASCII"));
    let mut add = |name: HeaderName, value: &str, origin: &str| -> Result<()> {
        let value = HeaderValue::from_bytes(value.as_bytes()).map_err(|_| not_sendable(origin))?;
        headers.append(name, value);
        Ok(())
    };
    if let Some(name) = &user.impersonate {
        add(HeaderName::from_static("impersonate-user"), name, "the name of --as")?;
    }
    if let Some(uid) = &user.impersonate_uid {
        add(HeaderName::from_static("impersonate-uid"), uid, "the UID of --as-uid")?;
    }
    for group in &user.impersonate_groups {
        add(HeaderName::from_static("impersonate-group"), group, "a group of --as-group")?;
    }
    for (key, values) in &user.impersonate_extra {
        let origin = "as-user-extra of the user in the kubeconfig";
        let name = extra_header(key).ok_or_else(|| not_sendable(origin))?;
        for value in values {
            add(name.clone(), value, origin)?;
        }
    }
    Ok(headers)
}

fn not_sendable(origin: &str) -> Error {
    Error::failed(format!("{origin} has a character that a request can't carry")).hint(
        "a line end, a tab or another control character: check as, as-uid, as-groups and as-user-extra too",
    )
}

/// Returns the header of an extra field. Characters that a header name can't have are escaped, and so is the
/// percent sign.
fn extra_header(key: &str) -> Option<HeaderName> {
    /// RFC 7230's token characters stand for themselves.
    const ESCAPED: AsciiSet = NON_ALPHANUMERIC
        .remove(b'!')
        .remove(b'#')
        .remove(b'$')
        .remove(b'&')
        .remove(b'\'')
        .remove(b'*')
        .remove(b'+')
        .remove(b'-')
        .remove(b'.')
        .remove(b'^')
        .remove(b'_')
        .remove(b'`')
        .remove(b'|')
        .remove(b'~');
    let name = format!("impersonate-extra-{}", percent_encode(key.as_bytes(), &ESCAPED));
    HeaderName::try_from(name).ok()
}

/// Reads both variables and the files that the kubelet puts into every pod with a service account, as
/// client-go does.
fn in_cluster(flags: &Connection) -> Result<File> {
    let (Ok(host), Ok(port)) = (env::var("KUBERNETES_SERVICE_HOST"), env::var("KUBERNETES_SERVICE_PORT"))
    else {
        return Err(kubeconfig::no_file(flags));
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_limit_of_zero_still_ends_a_connection_on_which_nothing_comes() {
        assert_eq!(limit(Some(Duration::ZERO)), Duration::from_mins(10));
        assert_eq!(limit(Some(Duration::from_secs(3))), Duration::from_secs(3));
        assert_eq!(limit(None), Duration::from_secs(30));
    }

    #[test]
    fn the_name_of_an_extra_field_is_escaped_where_a_header_can_not_have_it() {
        for (key, header) in [
            ("FOO-bar.baz_123", "impersonate-extra-foo-bar.baz_123"),
            ("foo%2f", "impersonate-extra-foo%252f"),
            ("foo.com/bar", "impersonate-extra-foo.com%2fbar"),
            ("a b\n", "impersonate-extra-a%20b%0a"),
        ] {
            assert_eq!(extra_header(key).unwrap().as_str(), header);
        }
    }
}
