//! The registry logins of service accounts, which pods use if they have none of their own.
//!
//! The admission plugin `ServiceAccount` fills in the list only if it is empty, so a pod's first own login
//! would displace those of the account.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::attach::Difference;
use super::attachment::Attachment;
use super::attachment::Effect;
use super::kind::{Kind, Part, Shape};
use super::tree::{list, put, text};
use crate::error::Result;

/// The account of pods that name none.
const DEFAULT: &str = "default";

/// Logins by service account; none if the account can't be read. An account that is missing here was not
/// read.
pub(crate) type AccountLogins = BTreeMap<String, Option<Vec<String>>>;

/// An object that gets a login, with those that its pods had until now.
pub(crate) struct WithLogins {
    pub(crate) object: Value,
    pub(crate) differences: Vec<Difference>,
    pub(crate) warnings: Vec<String>,
}

/// A pod's own logins, and the service account whose logins they displace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OwnLogins {
    pub(crate) account: String,
    pub(crate) logins: Vec<String>,
}

/// Returns the own logins of an object.
pub(crate) fn own_logins(object: &Value, kind: &Kind) -> Vec<OwnLogins> {
    let specs = kind.pod_specs(object).into_iter().filter_map(|pointer| object.pointer(&pointer));
    let own = specs.map(|spec| OwnLogins { account: account_of(spec).to_owned(), logins: logins_of(spec) });
    own.filter(|own| !own.logins.is_empty()).collect()
}

/// Returns the logins in a service account, or in a pod spec.
pub(crate) fn logins_of(account: &Value) -> Vec<String> {
    let names = list(account, "imagePullSecrets").iter().map(|entry| text(entry, "name").to_owned());
    names.filter(|name| !name.is_empty()).collect()
}

/// Returns the service account of a pod spec.
fn account_of(spec: &Value) -> &str {
    let fields = ["serviceAccountName", "serviceAccount"].map(|field| text(spec, field));
    fields.into_iter().find(|name| !name.is_empty()).unwrap_or(DEFAULT)
}

/// Returns the service accounts whose logins these attachments would displace.
pub(crate) fn accounts_at_stake(object: &Value, kind: &Kind, attachments: &[Attachment]) -> BTreeSet<String> {
    let parts = without_logins(object, kind, attachments).into_iter();
    parts.map(|(_, account)| account).collect()
}

/// Returns the object with the logins of its service accounts added, where it gets a login and has none.
///
/// # Errors
/// The object is malformed.
pub(crate) fn with_account_logins(
    object: &Value,
    kind: &Kind,
    attachments: &[Attachment],
    known: &AccountLogins,
) -> Result<WithLogins> {
    let mut with = WithLogins { object: object.clone(), differences: Vec::new(), warnings: Vec::new() };
    for (part, account) in without_logins(object, kind, attachments) {
        let logins = match known.get(&account) {
            Some(Some(logins)) => logins,
            Some(None) => {
                with.warnings.push(format!(
                    "the pods now have a login of their own, so those of service account {account}, which you may not \
                     read, are not used any more"
                ));
                continue;
            }
            None => {
                with.warnings.push(format!(
                    "the pods now have a login of their own: those of service account {account}, if any, are not used any \
                     more; add them too"
                ));
                continue;
            }
        };
        let is_asked =
            |login: &&String| attachments.iter().any(|one| is_login(one) && one.secret() == *login);
        for login in logins.iter().filter(|login| !is_asked(login)) {
            let Some(spec) = with.object.pointer_mut(&part.pointer) else { continue };
            put(spec, "imagePullSecrets", None, json!({ "name": login }))?;
            let attachment = Attachment::ImagePull { secret: login.clone() };
            with.differences.push(Difference {
                attachment,
                container: None,
                part: part.name.clone(),
                effect: Effect::KeptOfAccount,
            });
        }
    }
    Ok(with)
}

fn is_login(attachment: &Attachment) -> bool {
    matches!(attachment, Attachment::ImagePull { .. })
}

/// Returns the parts that have no login of their own and get one, each with its service account.
fn without_logins(object: &Value, kind: &Kind, attachments: &[Attachment]) -> Vec<(Part, String)> {
    if !attachments.iter().any(is_login) || !matches!(kind.shape, Shape::PodSpecs(_)) {
        return Vec::new();
    }
    let parts = kind.parts(object).into_iter();
    parts
        .filter_map(|part| {
            let spec = object.pointer(&part.pointer)?;
            let account = account_of(spec).to_owned();
            list(spec, "imagePullSecrets").is_empty().then_some((part, account))
        })
        .collect()
}
