//! `unset`: takes keys out of a secret and leaves the others alone.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::change::secret::{Plan, SecretChange};
use crate::cluster::{SecretHead, SecretWithValues};
use crate::command_line::CommandLine;
use crate::error::{Error, Result};
use crate::flags::{Holds, WriteArgs};
use crate::metadata::Ends;
use crate::secret::Difference;
use crate::session::Session;
use crate::ui::Proposal;
use crate::wording::{list, nearest};
use crate::{secret, session, sharing, uses};

/// Take keys out of a secret, and leave its other keys as they are
///
/// If workloads would not start without one of the keys, it names them and asks you to confirm.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    kubectl runai-secret unset settings OLD_TOKEN -p team-a\n  \
    kubectl runai-secret unset settings OLD_TOKEN OLD_URL --dry-run=server")]
pub(crate) struct UnsetArgs {
    /// The secret
    #[arg(value_name = "NAME", add = Holds::Secret)]
    name: String,

    /// The keys to take out
    #[arg(value_name = "KEY", required = true, add = Holds::Key)]
    keys: Vec<String>,

    #[command(flatten)]
    write: WriteArgs,
}

pub(super) async fn run(args: &UnsetArgs, session: &Session<'_>) -> Result<()> {
    secret::check_secret_name(&args.name)?;
    let change = SecretChange::begin("unset", &args.name, &args.write, session).await?;
    let SecretChange { namespace, cluster, .. } = &change;
    let (found, ()) = tokio::join!(change.read::<SecretWithValues>(), cluster.discover_ahead());
    let found = found?;
    let secret = match args.check(found.as_ref().map(AsRef::as_ref), namespace) {
        Ok(secret) => secret,
        Err(error) if found.is_some() => return Err(error),
        Err(error) => {
            return Err(session::not_found::with_nearest_secret(error, &args.name, namespace, cluster).await);
        }
    };
    change.check(secret).await?;
    args.refuse_incomplete(secret)?;
    let scope = sharing::scope(&secret.metadata, session);
    uses::losing_keys::agree(&change, &scope, &args.keys).await?;
    if secret.keys().all(|key| args.keys.iter().any(|gone| gone == key)) {
        session.ui.note(&format!("{} then has no keys left; the empty secret stays", args.name));
    }
    for doubt in found.iter().flat_map(|secret| args.doubts_of_the_rest(secret)) {
        session.ui.warning(&doubt);
    }
    let effect = format!("secret/{} in {namespace}: without {}", args.name, list(&args.keys));
    session
        .confirm_if_guided(
            &args.write,
            &format!("Take {} out of {}?", list(&args.keys), args.name),
            &[effect],
            Proposal::No,
        )
        .await?;
    let done = change
        .run(found, |secret| {
            let secret = args.check(secret.map(SecretWithValues::as_ref), namespace)?;
            args.refuse_incomplete(secret)?;
            Ok(args.plan(secret))
        })
        .await?;
    change.report(&done)?;
    change.tell_of_copies(&scope);
    Ok(())
}

impl UnsetArgs {
    /// Returns the secret if it has all of the keys.
    fn check<'a>(&self, found: Option<&'a SecretHead>, namespace: &str) -> Result<&'a SecretHead> {
        let name = &self.name;
        let Some(secret) = found else {
            return Err(Error::in_kubectls_words(format!(
                "Error from server (NotFound): secrets \"{name}\" not found"
            ))
            .hint(format!("to list the secrets: {}", CommandLine::plugin("list").namespace(namespace))));
        };
        let Some(missing) = self.keys.iter().find(|key| !secret.has_key(key)) else { return Ok(secret) };
        if secret::may_be_a_value(missing) {
            return Err(Error::failed(format!(
                "secret {name} has no such key {}; nothing was changed",
                secret::quoted(missing)
            ))
            .hint("a KEY is named without its value"));
        }
        let error = Error::failed(format!("secret {name} has no key {missing}; nothing was changed"));
        Err(match nearest(missing, secret.keys()) {
            Some(near) => error.hint(format!("did you mean {near}?")),
            None => error
                .hint(format!("its keys: {}", CommandLine::plugin("view").arg(name).namespace(namespace))),
        })
    }

    fn stays(&self, key: &str) -> bool {
        !self.keys.iter().any(|gone| gone == key)
    }

    /// Refuses to take out what the type requires: the server would refuse it too, and a dry run of the client asks
    /// no server.
    fn refuse_incomplete(&self, secret: &SecretHead) -> Result<()> {
        let (name, secret_type) = (&self.name, &secret.secret_type);
        let has = |key: &str| self.stays(key) && secret.has_key(key);
        let Some(missing) = secret::missing_keys(secret_type, has) else { return Ok(()) };
        let namespace = &secret.metadata.namespace;
        let delete = CommandLine::plugin("delete").arg(name).namespace(namespace);
        Err(Error::failed(format!(
            "secret {name} is of type {secret_type}, which must have {missing}; nothing was changed"
        ))
        .hint(format!(
            "to renew a value: {}",
            CommandLine::plugin("set").arg(name).arg(&self.keys[0]).namespace(namespace)
        ))
        .hint(format!("to delete the whole secret: {delete}")))
    }

    /// Judges what stays by the secret's type.
    fn doubts_of_the_rest(&self, secret: &SecretWithValues) -> Vec<String> {
        secret::doubts(&secret.head.secret_type, |key| secret.values.get(key).filter(|_| self.stays(key)))
    }

    fn plan(&self, secret: &SecretHead) -> Plan {
        let gone: BTreeMap<&str, _> = self.keys.iter().map(|key| (key.as_str(), None)).collect();
        let difference = Difference::losing(&self.keys);
        let body = |metadata: &Value| secret::patch_of_changes(metadata, &gone);
        Plan::patch(secret, difference, Ends::default(), body)
    }
}
