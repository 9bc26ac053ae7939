//! Logins: tokens, certificates, and their renewal when they expire or are refused.

mod id_token;

use std::cell::Cell;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use http::{HeaderValue, Uri};
use rustls::sign::CertifiedKey;
use tokio::sync::Mutex;
use zeroize::Zeroizing;

use super::address::{self, Account};
use super::exec::{self, Plugin};
use super::kubeconfig::{AuthProvider, Selected, User};
use super::{Attendance, bounded, identity};
use crate::error::{Error, Result};
use crate::secret;
use crate::ui::Ui;

/// How long before its expiry a plugin's credential is renewed; one that lives for seconds is renewed after
/// part of its life.
const AHEAD: Duration = Duration::from_secs(5);
/// How often a token file is read again, as by client-go: half of the time that the kubelet leaves for it.
const FILE_PERIOD: Duration = Duration::from_mins(1);

/// A user's credentials for the server, and the source of new ones.
pub(super) struct Login {
    source: Source,
    /// The certificate that the kubeconfig names.
    identity: Option<Arc<CertifiedKey>>,
    /// Locked while a new credential is made: requests at the same time wait for the same one.
    current: Mutex<Option<Rc<Credential>>>,
    /// Knows what is never to be quoted.
    ui: Ui,
}

enum Source {
    /// No token; the certificate is sent, if there is one.
    Nobody(Why),
    Fixed {
        header: HeaderValue,
        origin: String,
        ends: Option<SystemTime>,
    },
    File {
        path: PathBuf,
        or_else: Option<HeaderValue>,
    },
    IdToken(id_token::IdToken),
    Plugin(Plugin),
}

/// The reason why no token is sent.
enum Why {
    /// The user has none. Holds the user's name.
    None(String),
    /// http is readable by anybody; kubectl sends no token either.
    Unencrypted,
}

/// A credential as it is sent with a request.
pub(super) struct Credential {
    pub(super) header: Option<HeaderValue>,
    pub(super) identity: Option<Arc<CertifiedKey>>,
    /// The time for a new one.
    due: Option<SystemTime>,
    cause: Cause,
    /// The server has accepted it at least once.
    accepted: Cell<bool>,
}

/// The reason why a credential is asked for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Cause {
    Need,
    /// The previous one was refused.
    Refusal,
}

impl Credential {
    pub(super) fn is_accepted(&self) {
        self.accepted.set(true);
    }

    fn is_due(&self) -> bool {
        self.due.is_some_and(|due| due <= SystemTime::now())
    }
}

impl Login {
    /// Chooses the user's way to log in. As in Go's HTTP client, user and password in the server's address go
    /// before all others, and are sent over http too.
    ///
    /// # Errors
    /// The kubeconfig's settings for the user can't be used.
    pub(super) fn new(
        selected: &Selected,
        (server, account): (&Uri, Option<&Account>),
        attendance: Attendance,
        ui: &Ui,
    ) -> Result<Self> {
        let of_address = account.map(|account| {
            ui.never_quote(account.password.as_bytes());
            let origin = "user name and password in the server's address".to_owned();
            Source::Fixed { header: account.basic(), origin, ends: None }
        });
        if server.scheme_str() != Some("https") {
            let source = of_address.unwrap_or(Source::Nobody(Why::Unencrypted));
            return Ok(Self { source, identity: None, current: Mutex::default(), ui: ui.clone() });
        }
        let identity = identity::of_user(&selected.user, &selected.names.user, ui)?;
        let source = match of_address {
            Some(source) => source,
            None => source(selected, identity.is_some(), attendance)?,
        };
        Ok(Self { source, identity, current: Mutex::default(), ui: ui.clone() })
    }

    /// Returns the current credential, or a new one if that has expired.
    ///
    /// # Errors
    /// The plugin fails, the file can't be read, or the token has expired.
    pub(super) async fn credential(&self) -> Result<Rc<Credential>> {
        let mut current = self.current.lock().await;
        if let Some(credential) = current.as_ref().filter(|credential| !credential.is_due()) {
            return Ok(Rc::clone(credential));
        }
        let made = match (self.make(Cause::Need).await, current.as_ref()) {
            (Ok(made), _) => made,
            // The file may have been removed after the start, so that fewer people see it. client-go goes on
            // with the old token too.
            (Err(_), Some(before)) if matches!(self.source, Source::File { .. }) => {
                let due = Some(SystemTime::now() + FILE_PERIOD);
                let (header, identity) = (before.header.clone(), before.identity.clone());
                Credential { header, identity, due, cause: before.cause, accepted: before.accepted.clone() }
            }
            (Err(error), _) => return Err(error),
        };
        let made = Rc::new(made);
        *current = Some(Rc::clone(&made));
        Ok(made)
    }

    /// Returns a new credential in place of one that the server has refused, if there can be one. A
    /// credential that was made for this reason and is refused as well is not replaced again.
    ///
    /// # Errors
    /// The plugin fails.
    pub(super) async fn after_refusal(&self, refused: &Rc<Credential>) -> Result<Option<Rc<Credential>>> {
        let mut current = self.current.lock().await;
        if let Some(other) = current.as_ref().filter(|current| !Rc::ptr_eq(current, refused)) {
            return Ok(Some(Rc::clone(other)));
        }
        if refused.cause == Cause::Refusal && !refused.accepted.get() {
            return Ok(None);
        }
        let made = match &self.source {
            Source::Plugin(_) => self.make(Cause::Refusal).await?,
            Source::File { .. } => match self.make(Cause::Refusal).await {
                Ok(made) if made.header != refused.header => made,
                _ => return Ok(None),
            },
            Source::Nobody(_) | Source::Fixed { .. } | Source::IdToken(_) => return Ok(None),
        };
        let made = Rc::new(made);
        *current = Some(Rc::clone(&made));
        Ok(Some(made))
    }

    async fn make(&self, cause: Cause) -> Result<Credential> {
        let (mut header, mut due, mut identity) = (None, None, self.identity.clone());
        match &self.source {
            Source::Nobody(_) => {}
            Source::Fixed { header: fixed, .. } => header = Some(fixed.clone()),
            Source::IdToken(token) => {
                header = Some(token.header()?);
                due = Some(token.last_use());
            }
            Source::File { path, or_else } => {
                header = Some(match (token_in(path), or_else) {
                    (Ok(header), _) => header,
                    (Err(_), Some(token)) => token.clone(),
                    (Err(error), None) => return Err(error),
                });
                due = Some(SystemTime::now() + FILE_PERIOD);
            }
            Source::Plugin(plugin) => {
                let start = SystemTime::now();
                let answer = Box::pin(plugin.run(&self.ui)).await?;
                let origin = || format!("the token that the credential plugin {} printed", plugin.name);
                header = answer.token.map(|token| bearer(token.expose(), &origin())).transpose()?.flatten();
                identity = answer.identity.or(identity);
                due = answer.ends.and_then(|ends| due_before(start, ends));
            }
        }
        // What follows `Bearer` or `Basic`.
        if let Some((_, secret)) = header.as_ref().and_then(|text| text.to_str().ok()?.split_once(' ')) {
            self.ui.never_quote(secret.as_bytes());
        }
        Ok(Credential { header, identity, due, cause, accepted: Cell::new(false) })
    }

    /// Explains why the server saw no user.
    pub(super) fn why_unseen(&self) -> String {
        match &self.source {
            Source::Nobody(_) => self.why_refused(),
            Source::Fixed { .. } | Source::File { .. } | Source::IdToken(_) | Source::Plugin(_) => {
                "your credential was sent, but the server did not see it: a proxy in between may have removed it"
                    .to_owned()
            }
        }
    }

    /// Explains why the server may have refused the credential.
    pub(super) fn why_refused(&self) -> String {
        let now = SystemTime::now();
        match &self.source {
            Source::Nobody(Why::Unencrypted) => {
                "no credentials are sent over http, where anybody could read them: use the https address"
                    .to_owned()
            }
            Source::Nobody(Why::None(_)) if self.identity.is_some() => {
                "the server does not accept your client certificate".to_owned()
            }
            Source::Nobody(Why::None(name)) if name.is_empty() => {
                "no credentials were sent: the kubeconfig's context names no user".to_owned()
            }
            Source::Nobody(Why::None(name)) => {
                format!("no credentials were sent: the kubeconfig has none for the user \"{name}\"")
            }
            Source::Fixed { origin, ends: Some(ends), .. } if *ends <= now => {
                format!("{origin} expired at {}", in_words(*ends))
            }
            Source::Fixed { origin, .. } => {
                format!("{origin} is refused: it may have expired, or belong to another cluster")
            }
            Source::File { path, .. } => format!("the token in {} is refused", path.display()),
            Source::IdToken(_) => {
                "the id-token of the kubeconfig is refused, although it has not expired".to_owned()
            }
            Source::Plugin(plugin) => {
                let login = exec::login_of(&plugin.name).map(|login| format!("; to log in again: {login}"));
                format!(
                    "the credential plugin {} was run again, and its new credential is refused too{}",
                    plugin.name,
                    login.unwrap_or_default()
                )
            }
        }
    }
}

/// Chooses as client-go does if there are several ways.
fn source(selected: &Selected, has_certificate: bool, attendance: Attendance) -> Result<Source> {
    let Selected { user, names, cluster, token_of_flag, .. } = selected;
    let origin = if *token_of_flag {
        "the token of --token".to_owned()
    } else {
        format!("the token of the user \"{}\" in the kubeconfig", names.user)
    };
    let token = user.token.as_ref().map(|token| bearer(token.expose(), &origin)).transpose()?.flatten();
    let has_password = user.username.is_some() || user.password.is_some();
    if has_password && user.token_file.is_some() {
        return Err(Error::failed("username/password or bearer token may be set, but not both")
            .hint("remove tokenFile, or username and password, from the user in the kubeconfig"));
    }
    if let Some(path) = &user.token_file {
        return Ok(Source::File { path: path.into(), or_else: token });
    }
    if let (Some(header), Some(token)) = (token, &user.token) {
        return Ok(Source::Fixed { header, origin, ends: id_token::end_of(token.expose()) });
    }
    if has_password {
        let origin = format!("user name and password of the user \"{}\" in the kubeconfig", names.user);
        return Ok(Source::Fixed { header: basic(user), origin, ends: None });
    }
    if let Some(provider) = &user.auth_provider {
        return of_provider(provider, &names.user);
    }
    match &user.exec {
        // A plugin's settings are checked in any case; it runs only if there is no other credential.
        Some(exec) => {
            let plugin = Plugin::new(exec.clone(), &names.user, cluster, attendance)?;
            Ok(if has_certificate {
                Source::Nobody(Why::None(names.user.clone()))
            } else {
                Source::Plugin(plugin)
            })
        }
        None => Ok(Source::Nobody(Why::None(names.user.clone()))),
    }
}

fn of_provider(provider: &AuthProvider, user: &str) -> Result<Source> {
    let removed = |name: &str, successor: &str, see: &str| {
        Error::failed(format!(
            "The {name} auth plugin has been removed. Please use the {successor} kubectl/client-go credential plugin instead."
        ))
        .hint(format!("create the kubeconfig again: {see}"))
    };
    match provider.name.as_str() {
        "oidc" => id_token::IdToken::new(&provider.config, user).map(Source::IdToken),
        "gcp" => Err(removed(
            "gcp",
            "\"gke-gcloud-auth-plugin\"",
            "gcloud container clusters get-credentials CLUSTER",
        )),
        "azure" => Err(removed(
            "azure",
            "https://github.com/Azure/kubelogin",
            "az aks get-credentials, then kubelogin convert-kubeconfig",
        )),
        name => Err(Error::failed(format!("no Auth Provider found for name \"{name}\"")).hint(format!(
            "the user \"{user}\" of the kubeconfig has an auth-provider that kubectl does not know either; use an exec plugin"
        ))),
    }
}

/// The hint for a token that no server knows, as it is not what was meant.
const AS_UTF8: &str = "a server knows no such token: write it again, as UTF-8 without a byte order mark";

/// Returns the token as a header, or none if it is only white space, which client-go trims from files too.
///
/// # Errors
/// The token has a character that a header can't carry. The error names the token's origin and shows nothing
/// of it.
fn bearer(token: &str, origin: &str) -> Result<Option<HeaderValue>> {
    let token = token.trim();
    if token.is_empty() {
        return Ok(None);
    }
    let text = Zeroizing::new(format!("Bearer {token}"));
    let mut header = HeaderValue::from_bytes(text.as_bytes()).map_err(|_| {
        Error::failed(format!("{origin} can't be sent")).hint(
            "it contains a line end or another control character: a token is one line; it is not shown here",
        )
    })?;
    let fault = secret::foreign_encoding(token.as_bytes())
        .or_else(|| secret::has_unseen(token).then_some("has invisible characters in it"));
    if let Some(fault) = fault {
        return Err(Error::failed(format!("{origin} {fault}")).hint(AS_UTF8));
    }
    header.set_sensitive(true);
    Ok(Some(header))
}

fn basic(user: &User) -> HeaderValue {
    let password = user.password.as_ref().map_or("", |password| password.expose());
    address::basic(user.username.as_deref().unwrap_or_default(), password)
}

fn token_in(path: &Path) -> Result<HeaderValue> {
    let shown = path.display();
    let hint = "it is named by tokenFile in the kubeconfig";
    let content = bounded::read(path).map_err(|error| {
        let reason = bounded::reason(&error);
        Error::failed(format!("failed to read token file \"{shown}\": open {shown}: {reason}")).hint(hint)
    })?;
    let origin = format!("the token in {shown}");
    if let Some(fault) = secret::foreign_encoding(&content) {
        return Err(Error::failed(format!("{origin} {fault}")).hint(AS_UTF8));
    }
    let text = std::str::from_utf8(&content)
        .map_err(|_| Error::failed(format!("{origin} can't be sent")).hint("the file is not UTF-8 text"))?;
    bearer(text, &origin)?
        .ok_or_else(|| Error::failed(format!("read empty token from file \"{shown}\"")).hint(hint))
}

/// Returns when to ask for the next one. A credential that had expired before it came is kept: the clocks
/// differ, and the server will decide.
fn due_before(start: SystemTime, ends: SystemTime) -> Option<SystemTime> {
    let life = ends.duration_since(start).ok().filter(|life| !life.is_zero())?;
    ends.checked_sub(AHEAD.min(life / 4))
}

fn in_words(time: SystemTime) -> String {
    jiff::Timestamp::try_from(time).map(|time| time.to_string()).unwrap_or_default()
}
