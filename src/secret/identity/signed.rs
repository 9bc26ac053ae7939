//! JSON that says who it is for: signed tokens (RFC 7519), and keys of Google's service accounts.

use std::time::Duration;

use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use super::text::{address, cleaned};
use crate::moment::Moment;
use crate::secret::field_text::FieldText;
use crate::secret::go_base64::decoded_url;

/// The last second that has a date of four digits.
const LAST_SECOND: f64 = 253_402_300_799.0;

#[derive(Deserialize)]
struct Header {
    #[expect(dead_code, reason = "it must be there")]
    alg: IgnoredAny,
}

/// The claims that are public: who signed, for whom if that is an account of Kubernetes, and until when.
#[derive(Deserialize)]
struct Claims {
    #[serde(default)]
    iss: Scalar,
    #[serde(default)]
    sub: Scalar,
    #[serde(default)]
    iat: Scalar,
    #[serde(default)]
    exp: Scalar,
}

/// A field that may have any form.
#[derive(Deserialize, Default)]
#[serde(untagged)]
enum Scalar {
    Number(f64),
    Text(FieldText),
    #[default]
    Nothing,
    Other(IgnoredAny),
}

impl Scalar {
    fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) if !text.is_empty() => Some(text),
            _ => None,
        }
    }

    fn time(&self) -> Option<Moment> {
        match self {
            Self::Number(seconds) if (0.0..=LAST_SECOND).contains(seconds) => {
                Duration::try_from_secs_f64(*seconds).ok().map(Moment::since_1970)
            }
            _ => None,
        }
    }
}

impl Claims {
    fn of(token: &str) -> Option<Self> {
        let mut parts = token.split('.');
        let (header, claims, _signature) = (parts.next()?, parts.next()?, parts.next()?);
        let is_whole = parts.next().is_none() && token.starts_with("eyJ");
        is_whole.then_some(())?;
        serde_json::from_slice::<Header>(&decoded_url(header)?).ok()?;
        let claims = decoded_url(claims)?;
        // serde would accept a list for a struct.
        (claims.first() == Some(&b'{')).then_some(())?;
        serde_json::from_slice(&claims).ok()
    }

    fn end(&self) -> Option<Moment> {
        self.exp.time()
    }
}

/// What is public of a signed token.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(crate) struct SignedToken {
    pub(super) issuer: Option<String>,
    /// Only that of a service account of Kubernetes: others may be a person.
    pub(super) account: Option<String>,
    /// For example `2026-01-31T12:00:00Z`.
    pub(super) expires: Option<String>,
}

/// Recognizes a signed token.
pub(super) fn token(text: &str) -> Option<SignedToken> {
    let claims = Claims::of(text)?;
    let account = claims.sub.text().and_then(|subject| subject.strip_prefix("system:serviceaccount:"));
    Some(SignedToken {
        issuer: claims.iss.text().map(|issuer| cleaned(address(issuer))),
        account: account.filter(|account| account.chars().all(is_of_a_name)).map(cleaned),
        expires: claims.end().as_ref().map(Moment::to_string),
    })
}

fn is_of_a_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | ':')
}

/// Returns the time at which a signed token ends, and how long it is valid in all if it says so.
pub(super) fn end(text: &str) -> Option<(Moment, Option<Duration>)> {
    let claims = Claims::of(text)?;
    let end = claims.end()?;
    Some((end, claims.iat.time().map(|start| end.since(start))))
}

/// The public fields of the file that Google gives for a service account.
#[derive(Deserialize)]
struct AccountKey {
    #[serde(rename = "type")]
    form: FieldText,
    #[serde(default)]
    client_email: Scalar,
    #[serde(default)]
    project_id: Scalar,
}

/// A service account of Google Cloud.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(crate) struct GoogleAccount {
    pub(super) email: Option<String>,
    pub(super) project: Option<String>,
}

/// Recognizes the key of a service account of Google Cloud.
pub(super) fn service_account(file: &[u8]) -> Option<GoogleAccount> {
    let account: AccountKey = serde_json::from_slice(file).ok()?;
    let named = |field: &Scalar| {
        let is_name = |text: &&str| text.chars().all(|c| is_of_a_name(c) || matches!(c, '@' | '_'));
        field.text().filter(is_name).map(cleaned)
    };
    let (email, project) = (named(&account.client_email), named(&account.project_id));
    let email = email.filter(|email| email.contains('@'));
    (&*account.form == "service_account").then_some(GoogleAccount { email, project })
}
