//! Values that have ended, or end soon.

use std::time::Duration;

use super::contents::{at_the_source, of_secret};
use super::{Code, Finding, Severity, Users};
use crate::command_line::CommandLine;
use crate::moment::Moment;
use crate::propagation::Scope;
use crate::secret::{End, Ending, Inspection, TLS};

/// How far `check` looks ahead if nobody says.
const USUAL: Duration = Duration::from_hours(14 * 24);

/// The part of its lifetime in which a short-lived value is to be renewed. Programs that renew by themselves do it
/// before: cert-manager, for one, when a third is left.
const LAST_PART: u32 = 4;

/// An end that is nearer is told to the second.
const NEAR: Duration = Duration::from_hours(48);

/// How far ahead ends are reported.
#[derive(Clone, Copy)]
pub(crate) struct Horizon {
    now: Moment,
    within: Option<Duration>,
}

impl Horizon {
    /// Looks ahead as far as somebody asks for, or as is usual.
    pub(crate) fn new(within: Option<Duration>) -> Self {
        Self { now: Moment::now(), within }
    }

    fn is_over(self, end: Moment) -> bool {
        end < self.now
    }

    /// Tells whether what is valid for this long in all ends soon.
    fn is_near(self, end: Moment, lifetime: Option<Duration>) -> bool {
        let usual = || lifetime.map_or(USUAL, |lifetime| USUAL.min(lifetime / LAST_PART));
        end <= self.now.after(self.within.unwrap_or_else(usual))
    }

    fn in_words(self, end: Moment) -> String {
        let far = end.since(self.now).max(self.now.since(end));
        let text = if far < NEAR { end.to_string() } else { end.day() };
        format!("{} on {text}", if self.is_over(end) { "expired" } else { "expires" })
    }
}

pub(super) fn findings(horizon: Horizon, users: &Users<'_>, secret: &Inspection) -> Vec<Finding> {
    if secret.is_the_servers() {
        return Vec::new();
    }
    let of_values =
        secret.keys.iter().filter_map(|(key, value)| of_value(horizon, users, secret, key, value.end?));
    let noted = secret.keys.keys().filter_map(|key| of_note(horizon, users, secret, key));
    of_values.chain(noted).collect()
}

fn of_value(
    horizon: Horizon,
    users: &Users<'_>,
    secret: &Inspection,
    key: &str,
    end: End,
) -> Option<Finding> {
    let is_over = horizon.is_over(end.at);
    if !is_over && !horizon.is_near(end.at, end.lifetime) {
        return None;
    }
    let what = match end.of {
        Ending::Certificate => format!("the certificate in {key}"),
        Ending::Chain => format!("a certificate of the chain in {key}"),
        Ending::Authorities => format!("the last certificate in {key}"),
        Ending::Token => format!("the token in {key}"),
    };
    let code = match end.of {
        _ if !is_over => Code::ExpiresSoon,
        Ending::Token => Code::Expired,
        Ending::Certificate | Ending::Chain | Ending::Authorities => Code::ExpiredCertificate,
    };
    let remedy = at_the_source(secret, || format!("renew it: {}", renewal(secret, key)));
    let message = format!("{what} {}", horizon.in_words(end.at));
    Some(of_secret(secret, severity(is_over, users, secret), code, message, remedy))
}

/// Reports the end that somebody has noted for a key.
fn of_note(horizon: Horizon, users: &Users<'_>, secret: &Inspection, key: &str) -> Option<Finding> {
    let end = secret.noted.of_key(key)?;
    let is_over = horizon.is_over(end);
    if !is_over && !horizon.is_near(end, None) {
        return None;
    }
    let code = if is_over { Code::Expired } else { Code::ExpiresSoon };
    let set = CommandLine::plugin("set").arg(&secret.name).arg(key).then("--expires=DATE");
    let remedy = at_the_source(secret, || format!("renew it: {}", set.namespace(&secret.namespace)));
    let message = format!("the value of {key} {}, as noted", horizon.in_words(end));
    Some(of_secret(secret, severity(is_over, users, secret), code, message, remedy))
}

/// Returns the severity. What is shared or offered by Run:ai is used where nobody here sees it.
fn severity(is_over: bool, users: &Users<'_>, secret: &Inspection) -> Severity {
    let is_used = || {
        users.live(secret).next().is_some()
            || Scope::of(&secret.labels) != Scope::Nobody
            || secret.credential().is_some()
    };
    if is_over && is_used() { Severity::Error } else { Severity::Warning }
}

fn renewal(secret: &Inspection, key: &str) -> CommandLine {
    let line = if secret.secret_type == TLS {
        CommandLine::plugin("create tls").arg(&secret.name).then("--replace --cert=PATH --key=PATH")
    } else {
        CommandLine::plugin("set").arg(&secret.name).arg(format!("--from-file={key}=PATH"))
    };
    line.namespace(&secret.namespace)
}
