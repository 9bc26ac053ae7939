//! Reads the registry logins of service accounts, before a workload gets one of its own.

use std::collections::BTreeSet;

use crate::cluster::Cluster;
use crate::error::Result;
use crate::workload::{self, AccountLogins, Kind, Target};

/// Reads the logins of these service accounts. An account that does not exist has none.
///
/// # Errors
/// A read failed, for another reason than a missing right, which is part of the answer.
pub(crate) async fn read(
    accounts: BTreeSet<String>,
    namespace: &str,
    cluster: &Cluster,
) -> Result<AccountLogins> {
    let mut known = AccountLogins::new();
    for name in accounts {
        // A pod spec may hold an illegal name, and this one becomes part of a path.
        if workload::check_object_name("service account", &name).is_err() {
            continue;
        }
        let target = Target { kind: Kind::service_account(), name };
        let logins = match cluster.workload(namespace, &target).await {
            Ok(account) => Some(workload::logins_of(&account)),
            Err(failure) if failure.is_not_found() => Some(Vec::new()),
            Err(failure) if failure.is_forbidden() => None,
            Err(failure) => return Err(failure.into()),
        };
        known.insert(target.name, logins);
    }
    Ok(known)
}
