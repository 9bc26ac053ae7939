//! The API server's address, parsed as client-go parses it.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use http::{HeaderValue, Uri};
use percent_encoding::percent_decode_str;
use zeroize::Zeroizing;

use crate::command_line::CommandLine;
use crate::error::{Error, Result};
use crate::secret;

/// The user and password in a URL.
pub(super) struct Account {
    pub(super) name: Zeroizing<String>,
    pub(super) password: Zeroizing<String>,
}

impl Account {
    /// Reads what stands before the `@`; none if it is not text.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (name, password) = text.split_once(':').unwrap_or((text, ""));
        let decoded =
            |text: &str| Some(Zeroizing::new(percent_decode_str(text).decode_utf8().ok()?.into_owned()));
        Some(Self { name: decoded(name)?, password: decoded(password)? })
    }

    /// Returns the value of the header that shows both to a server or a proxy (RFC 7617).
    pub(super) fn basic(&self) -> HeaderValue {
        basic(&self.name, &self.password)
    }
}

/// Returns the value of the header for a user and a password.
pub(super) fn basic(name: &str, password: &str) -> HeaderValue {
    let pair = Zeroizing::new(format!("{name}:{password}"));
    let text = Zeroizing::new(format!("Basic {}", BASE64_STANDARD.encode(pair.as_bytes())));
    let mut header = HeaderValue::from_str(&text).expect("base64 is ASCII");
    header.set_sensitive(true);
    header
}

/// Returns the base of every request: scheme, host, port, and the path that a gateway may want before
/// Kubernetes' own. Beside it stand the user and the password that the address names.
///
/// An address without a scheme is http, as `kubectl proxy` serves it: client-go ignores TLS settings for
/// that.
///
/// # Errors
/// The text is not an address, or has another scheme than http and https.
pub(super) fn parse(text: &str) -> Result<(Uri, Option<Account>)> {
    let with_scheme = if names_scheme_and_host(text) { text.to_owned() } else { format!("http://{text}") };
    let refused = || {
        Error::failed("the address of the server must be a URL or a host:port pair").hint(format!(
            "it should look like https://api.example.com:6443: {}, or --server",
            CommandLine::kubectl("config view --minify")
        ))
    };
    if let Some(fault) = foreign_letters(text) {
        return Err(Error::failed(format!("the address of the server {fault}")).hint(IN_ASCII));
    }
    let (uri, account) = assembled(&with_scheme).ok_or_else(refused)?;
    if !matches!(uri.scheme_str(), Some("https" | "http")) {
        return Err(Error::failed("the address of the server has an unsupported scheme").hint(format!(
            "it must begin with https:// or http://: {}, or --server",
            CommandLine::kubectl("config view --minify")
        )));
    }
    if with_scheme != text && uri.path() != "/" {
        return Err(refused());
    }
    Ok((uri, account))
}

/// The hint for an address with other letters than those of ASCII.
pub(super) const IN_ASCII: &str = "write the name of the host as DNS has it, which begins with xn--; all else of the address percent-encoded";

/// Returns what is wrong with an address whose letters are not all those of ASCII; none if they are. kubectl
/// translates such a name of a host itself.
pub(super) fn foreign_letters(text: &str) -> Option<&'static str> {
    if text.is_ascii() {
        return None;
    }
    Some(if secret::has_unseen(text) { "has invisible characters in it" } else { "is not ASCII" })
}

/// Applies Go's rule for whether a text is a URL: `localhost:8080` has neither.
fn names_scheme_and_host(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once("://") else { return false };
    let mut letters = scheme.chars();
    letters.next().is_some_and(|first| first.is_ascii_alphabetic())
        && letters.all(|letter| letter.is_ascii_alphanumeric() || "+-.".contains(letter))
        && !rest.is_empty()
        && !rest.starts_with(['/', '?', '#'])
}

/// Returns the address without user, password, query and fragment, and the user and password.
fn assembled(text: &str) -> Option<(Uri, Option<Account>)> {
    let uri: Uri = text.parse().ok()?;
    let authority = uri.authority()?.as_str();
    let (account, address) = match authority.rsplit_once('@') {
        Some((account, address)) => (Some(Account::parse(account)?), address),
        None => (None, authority),
    };
    let port = address.strip_prefix(uri.host().filter(|host| !host.is_empty())?)?;
    match port.strip_prefix(':') {
        None if port.is_empty() => {}
        Some("") => {}
        // The URI parser accepts larger numbers, which are not ports.
        Some(number) => _ = number.parse::<u16>().ok()?,
        None => return None,
    }
    let address = address.strip_suffix(':').unwrap_or(address);
    let bare = Uri::builder().scheme(uri.scheme()?.as_str()).authority(address).path_and_query(uri.path());
    Some((bare.build().ok()?, account))
}

/// Returns the address of one request.
pub(super) fn join(base: &Uri, target: &str) -> http::Result<Uri> {
    let mut parts = base.clone().into_parts();
    let path = format!("{}{target}", base.path().trim_end_matches('/'));
    parts.path_and_query = Some(path.parse()?);
    Ok(Uri::from_parts(parts)?)
}

/// Returns host and port, as they are shown.
pub(super) fn host_and_port(server: &Uri) -> String {
    server.authority().map_or("", |authority| authority.as_str()).to_owned()
}

/// Returns an address with its port, where the scheme's own is left out.
pub(super) fn with_port(address: Uri) -> Uri {
    let (Some(authority), None) = (address.authority(), address.port()) else { return address };
    let port = if address.scheme_str() == Some("http") { 80 } else { 443 };
    let with_port = format!("{authority}:{port}").parse();
    let mut parts = address.clone().into_parts();
    parts.authority = with_port.ok();
    Uri::from_parts(parts).unwrap_or(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_mean_what_they_mean_to_kubectl() {
        for (text, meant) in [
            ("https://api:6443", "https://api:6443/"),
            ("HTTPS://api", "https://api/"),
            ("https://api:6443/k8s/c-1/", "https://api:6443/k8s/c-1/"),
            ("https://api:6443/?x=y#z", "https://api:6443/"),
            ("https://u:p@api", "https://api/"),
            ("https://api:", "https://api/"),
            ("https://[::1]:6443", "https://[::1]:6443/"),
            ("127.0.0.1:8001", "http://127.0.0.1:8001/"),
            ("localhost:8080", "http://localhost:8080/"),
            ("localhost:8080/", "http://localhost:8080/"),
            ("api", "http://api/"),
            ("[::1]:8001", "http://[::1]:8001/"),
        ] {
            let (address, _) = parse(text).unwrap_or_else(|_| panic!("{text}"));
            assert_eq!(address.to_string(), meant, "{text}");
        }
    }

    #[test]
    fn user_and_password_of_an_address_are_kept_apart_from_it() {
        for (text, name, password) in [
            ("https://u:p%40ss%3a@api", "u", "p@ss:"),
            ("https://u@api", "u", ""),
            ("https://@api", "", ""),
            ("http://a%20b:c:d@[::1]:1/x", "a b", "c:d"),
        ] {
            let (address, account) = parse(text).unwrap_or_else(|_| panic!("{text}"));
            let account = account.unwrap();
            assert!(!address.to_string().contains('@'), "{address}");
            assert_eq!((account.name.as_str(), account.password.as_str()), (name, password));
        }
        assert!(parse("https://api").is_ok_and(|(_, account)| account.is_none()));
        assert_eq!(basic("u", "p@ss"), "Basic dTpwQHNz");
    }

    #[test]
    fn an_address_without_a_port_has_that_of_its_scheme() {
        for (text, with) in [
            ("http://api/x", "http://api:80/x"),
            ("https://[::1]", "https://[::1]:443/"),
            ("http://api:8001", "http://api:8001/"),
        ] {
            assert_eq!(with_port(text.parse().unwrap()).to_string(), with);
        }
    }

    #[test]
    fn what_is_no_address_of_a_server_is_refused() {
        for text in [
            "",
            "/",
            "/x/y",
            "://x",
            "https://",
            "https:///x",
            "localhost:8080/x",
            "https://api:99999",
            "https://a b",
            " https://api",
            "https://api\n",
            "ftp://api",
            "https://api:x",
            "https://:6443",
            "https://@",
            "https:api",
            "unix:///run/x.sock",
            "https://[::1",
            "https://u:%ff@api",
            "https://ä",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_path_of_the_server_goes_before_the_path_of_the_request() {
        let (base, _) = parse("https://api/k8s/c-1//").ok().unwrap();
        assert_eq!(join(&base, "/api/v1/x?y=z").unwrap(), "https://api/k8s/c-1/api/v1/x?y=z");
        assert!(join(&base, &format!("/{}", "x".repeat(70_000))).is_err());
    }
}
