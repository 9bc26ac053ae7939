//! The choice of a proxy for a connection.
//!
//! The rules are those of Go's `http.ProxyFromEnvironment`, which kubectl follows. kube-client 5.0.0 compares
//! `NO_PROXY` with the proxy's own address instead of the cluster's, and lets it overrule an explicit
//! `proxy-url` (`ConfigLoader::proxy_url`; the feature is kube-rs/kube#1203).

use std::net::IpAddr;

use http::Uri;

use super::address::{self, Account};
use crate::error::{Error, Result};

/// A proxy between this machine and the server.
pub(super) struct Proxy {
    pub(super) kind: Kind,
    /// Scheme, host and port, without user and password.
    pub(super) address: Uri,
    pub(super) user: Option<Account>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Http,
    Https,
    /// The proxy resolves the server's name, with or without an `h` at the end of the scheme, as with Go.
    Socks5,
}

/// Returns the proxy for a server: the kubeconfig's `proxy-url`, else the environment's proxy for that
/// server.
///
/// # Errors
/// The proxy's address is not a URL, or its scheme is not supported.
pub(super) fn for_server(
    server: &Uri,
    explicit: Option<&str>,
    environment: impl Fn(&str) -> Option<String>,
) -> Result<Option<Proxy>> {
    if let Some(url) = explicit.filter(|url| !url.is_empty()) {
        return parse(url, "proxy-url in the kubeconfig").map(Some);
    }
    let filled = |name: &str| environment(name).filter(|value| !value.is_empty());
    let variable = |name: &str| filled(name).or_else(|| filled(&name.to_lowercase()));
    let name = if server.scheme_str() == Some("http") { "HTTP_PROXY" } else { "HTTPS_PROXY" };
    let (Some(proxy), Some(host)) = (variable(name), server.host()) else { return Ok(None) };
    let port = server.port_u16().unwrap_or(if name == "HTTP_PROXY" { 80 } else { 443 });
    if goes_direct(host, port, &variable("NO_PROXY").unwrap_or_default()) {
        return Ok(None);
    }
    parse(&proxy, name).map(Some)
}

fn parse(url: &str, origin: &str) -> Result<Proxy> {
    let with_scheme = if url.contains("://") { url.to_owned() } else { format!("http://{url}") };
    if let Some(fault) = address::foreign_letters(url) {
        return Err(Error::failed(format!("{origin} {fault}")).hint(address::IN_ASCII));
    }
    if let Some(scheme) = unsupported_scheme(&with_scheme) {
        return Err(Error::failed(format!("{origin} has the scheme {scheme}, which is not supported")).hint(
            "http, https, socks5 and socks5h are: http://proxy.example.com:3128 or socks5://localhost:1080",
        ));
    }
    read(&with_scheme).ok_or_else(|| {
        Error::failed(format!("{origin} is not the address of a proxy"))
            .hint("it should look like http://proxy.example.com:3128 or socks5://localhost:1080")
    })
}

/// Returns the scheme if it is none of those that work. What is no scheme is not shown: it may be a password.
fn unsupported_scheme(url: &str) -> Option<&str> {
    let (scheme, _) = url.split_once("://")?;
    let is_one = scheme.len() <= 8 && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let is_supported = SCHEMES.iter().any(|known| scheme.eq_ignore_ascii_case(known));
    (is_one && !is_supported).then_some(scheme)
}

const SCHEMES: [&str; 4] = ["http", "https", "socks5", "socks5h"];

fn read(url: &str) -> Option<Proxy> {
    let uri: Uri = url.parse().ok()?;
    let (kind, port): (Kind, u16) = match uri.scheme_str()? {
        "http" => (Kind::Http, 80),
        "https" => (Kind::Https, 443),
        "socks5" | "socks5h" => (Kind::Socks5, 1080),
        _ => return None,
    };
    let authority = uri.authority()?.as_str();
    let host = uri.host().filter(|host| !host.is_empty())?;
    let (user, address) = match authority.rsplit_once('@') {
        Some((user, address)) => (Some(Account::parse(user)?), address),
        None => (None, authority),
    };
    let port = match address.strip_prefix(host)?.strip_prefix(':') {
        None | Some("") => port,
        Some(port) => port.parse().ok()?,
    };
    let scheme = if kind == Kind::Https { "https" } else { "http" };
    let address = Uri::builder().scheme(scheme).authority(format!("{host}:{port}")).path_and_query("/");
    // SOCKS has one byte for the length of each.
    let fits = |account: &Account| account.name.len() <= 255 && account.password.len() <= 255;
    if kind == Kind::Socks5 && !user.as_ref().is_none_or(fits) {
        return None;
    }
    Some(Proxy { kind, address: address.build().ok()?, user })
}

fn goes_direct(host: &str, port: u16, no_proxy: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']').trim_end_matches('.').to_lowercase();
    let address: Option<IpAddr> = host.parse().ok();
    // Go never sends requests to these through a proxy, whatever is set.
    if host == "localhost" || address.is_some_and(|address| address.is_loopback()) {
        return true;
    }
    no_proxy.split(',').map(|entry| entry.trim().to_lowercase()).filter(|entry| !entry.is_empty()).any(
        |entry| {
            if entry == "*" {
                return true;
            }
            if let (Some((network, length)), Some(address)) = (entry.split_once('/'), address) {
                return in_network(address, network, length);
            }
            let (name, wanted_port) = split_port(&entry);
            wanted_port.is_none_or(|wanted| wanted == port) && matches_name(&host, address, name)
        },
    )
}

/// Matches a host: `.example.com` and `*.example.com` mean the names below it, `example.com` also the name
/// itself.
fn matches_name(host: &str, address: Option<IpAddr>, name: &str) -> bool {
    if let Some(address) = address {
        return name.trim_start_matches('[').trim_end_matches(']').parse() == Ok(address);
    }
    let name = if name.starts_with("*.") { &name[1..] } else { name };
    match name.strip_prefix('.') {
        Some(_) => host.ends_with(name),
        None => host == name || host.strip_suffix(name).is_some_and(|front| front.ends_with('.')),
    }
}

fn split_port(entry: &str) -> (&str, Option<u16>) {
    match entry.rsplit_once(':') {
        Some((name, port)) if entry.parse::<IpAddr>().is_err() && port.parse::<u16>().is_ok() => {
            (name, port.parse().ok())
        }
        _ => (entry, None),
    }
}

fn in_network(address: IpAddr, network: &str, length: &str) -> bool {
    let (Ok(network), Ok(length)) = (network.parse::<IpAddr>(), length.parse::<u32>()) else { return false };
    match (address, network) {
        (IpAddr::V4(address), IpAddr::V4(network)) => {
            let kept = u32::MAX.checked_shl(32_u32.saturating_sub(length)).unwrap_or(0);
            address.to_bits() & kept == network.to_bits() & kept
        }
        (IpAddr::V6(address), IpAddr::V6(network)) => {
            let kept = u128::MAX.checked_shl(128_u32.saturating_sub(length)).unwrap_or(0);
            address.to_bits() & kept == network.to_bits() & kept
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxy(server: &str, no_proxy: &str) -> Option<String> {
        let environment = |name: &str| match name {
            "HTTPS_PROXY" => Some("http://proxy.corp:3128".to_owned()),
            "NO_PROXY" => Some(no_proxy.to_owned()),
            _ => None,
        };
        let found = for_server(&server.parse().unwrap(), None, environment).ok().unwrap();
        found.map(|proxy| proxy.address.to_string())
    }

    #[test]
    fn no_proxy_means_the_clusters_host_and_not_the_proxys() {
        assert!(proxy("https://api.k8s.corp:6443", "k8s.corp").is_none());
        assert!(proxy("https://api.k8s.corp:6443", ".k8s.corp").is_none());
        assert!(proxy("https://api.k8s.corp:6443", "*.k8s.corp:6443").is_none());
        assert!(proxy("https://10.1.2.3", "10.0.0.0/8").is_none());
        assert!(proxy("https://[fd00::1]:6443", "fd00::/8").is_none());
        assert!(proxy("https://10.1.2.3", "*").is_none());
        for no_proxy in
            ["", "proxy.corp", "s.corp", "api.k8s.corp:443", "8s.corp", "10.0.0.0/8", "*k8s.corp", "*."]
        {
            assert!(proxy("https://api.k8s.corp:6443", no_proxy).is_some(), "{no_proxy}");
        }
    }

    #[test]
    fn the_machine_itself_is_never_reached_through_a_proxy() {
        assert!(proxy("https://127.0.0.1:6443", "").is_none());
        assert!(proxy("https://localhost:6443", "").is_none());
    }

    #[test]
    fn a_variable_that_is_empty_does_not_hide_the_one_in_small_letters() {
        let environment = |name: &str| match name {
            "HTTPS_PROXY" | "NO_PROXY" => Some(String::new()),
            "https_proxy" => Some("http://proxy.corp:3128".to_owned()),
            "no_proxy" => Some("k8s.corp".to_owned()),
            _ => None,
        };
        let taken = |server: &str| for_server(&server.parse().unwrap(), None, environment).ok().unwrap();
        assert!(taken("https://10.1.2.3").is_some());
        assert!(taken("https://api.k8s.corp").is_none());
    }

    #[test]
    fn an_explicit_proxy_url_goes_before_no_proxy() {
        let environment = |name: &str| (name == "NO_PROXY").then(|| "*".to_owned());
        let server = "https://127.0.0.1:6443".parse().unwrap();
        assert!(for_server(&server, Some("socks5://localhost:1080"), environment).ok().unwrap().is_some());
    }

    #[test]
    fn an_address_that_is_none_is_refused() {
        let server = "https://10.0.0.1".parse().unwrap();
        assert!(for_server(&server, Some("ftp://proxy"), |_| None).is_err());
        assert!(for_server(&server, Some("proxy.corp:3128"), |_| None).is_ok());
    }

    #[test]
    fn user_and_password_are_decoded_and_never_part_of_the_address() {
        for (url, kind, address) in [
            ("http://u:p%40ss@proxy", Kind::Http, "http://proxy:80/"),
            ("https://u:p%40ss@proxy:8443/", Kind::Https, "https://proxy:8443/"),
            ("socks5://u:p%40ss@proxy", Kind::Socks5, "http://proxy:1080/"),
            ("socks5h://u:p%40ss@[::1]:1081", Kind::Socks5, "http://[::1]:1081/"),
        ] {
            let proxy = read(url).unwrap();
            assert_eq!((proxy.kind, proxy.address.to_string().as_str()), (kind, address));
            let user = proxy.user.unwrap();
            assert_eq!((user.name.as_str(), user.password.as_str()), ("u", "p@ss"));
        }
        let user = read("http://only@proxy").unwrap().user.unwrap();
        assert_eq!((user.name.as_str(), user.password.as_str()), ("only", ""));
        for wrong in [
            "http://",
            "http://proxy:x",
            "http://proxy:99999",
            "http://u:%ff@proxy",
            "ftp://proxy",
            "http://a b",
        ] {
            assert!(read(wrong).is_none(), "{wrong}");
        }
        assert!(read(&format!("socks5://{}@proxy", "u".repeat(300))).is_none());
    }
}
