//! The API server's address, parsed as client-go parses it.

use http::Uri;

use crate::error::{Error, Result};

/// Returns the base of every request: scheme, host, port, and the path that a gateway may want before
/// Kubernetes' own.
///
/// An address without a scheme is http, as `kubectl proxy` serves it: client-go ignores TLS settings for
/// that.
///
/// # Errors
/// The text is not an address, or has another scheme than http and https.
pub(super) fn parse(text: &str) -> Result<Uri> {
    let with_scheme = if names_scheme_and_host(text) { text.to_owned() } else { format!("http://{text}") };
    let refused = || {
        Error::failed("the address of the server must be a URL or a host:port pair").hint(
            "it should look like https://api.example.com:6443: kubectl config view --minify, or --server",
        )
    };
    let uri = assembled(&with_scheme).ok_or_else(refused)?;
    if !matches!(uri.scheme_str(), Some("https" | "http")) {
        return Err(Error::failed("the address of the server has an unsupported scheme")
            .hint("it must begin with https:// or http://: kubectl config view --minify, or --server"));
    }
    if with_scheme != text && uri.path() != "/" {
        return Err(refused());
    }
    Ok(uri)
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

/// Returns the address without user, password, query and fragment.
fn assembled(text: &str) -> Option<Uri> {
    let uri: Uri = text.parse().ok()?;
    let authority = uri.authority()?.as_str();
    let address = authority.rsplit_once('@').map_or(authority, |(_, address)| address);
    let port = address.strip_prefix(uri.host().filter(|host| !host.is_empty())?)?;
    match port.strip_prefix(':') {
        None if port.is_empty() => {}
        Some("") => {}
        // The URI parser accepts larger numbers, which are not ports.
        Some(number) => _ = number.parse::<u16>().ok()?,
        None => return None,
    }
    let address = address.strip_suffix(':').unwrap_or(address);
    Uri::builder().scheme(uri.scheme()?.as_str()).authority(address).path_and_query(uri.path()).build().ok()
}

/// Returns the address of one request.
pub(super) fn join(base: &Uri, target: &str) -> http::Result<Uri> {
    let mut parts = base.clone().into_parts();
    let path = format!("{}{target}", base.path().trim_end_matches('/'));
    parts.path_and_query = Some(path.parse()?);
    Ok(Uri::from_parts(parts)?)
}

/// Returns the address without the user and the password that a URL may hold.
pub(super) fn host_and_port(server: &Uri) -> String {
    let authority = server.authority().map_or("", |authority| authority.as_str());
    authority.rsplit_once('@').map_or(authority, |(_, address)| address).to_owned()
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
            assert_eq!(parse(text).unwrap_or_else(|_| panic!("{text}")).to_string(), meant, "{text}");
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
            "https://ä",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_path_of_the_server_goes_before_the_path_of_the_request() {
        let base = parse("https://api/k8s/c-1//").ok().unwrap();
        assert_eq!(join(&base, "/api/v1/x?y=z").unwrap(), "https://api/k8s/c-1/api/v1/x?y=z");
        assert!(join(&base, &format!("/{}", "x".repeat(70_000))).is_err());
    }
}
