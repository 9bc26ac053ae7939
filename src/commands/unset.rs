//! `unset`: takes keys out of a secret and leaves the others alone.

use std::collections::BTreeMap;
use std::rc::Rc;

use serde_json::Value;

use crate::change::places::{Place, Places, Written};
use crate::change::secret::{Plan, SecretChange};
use crate::cluster::{SecretHead, SecretWithValues};
use crate::command_line::CommandLine;
use crate::error::{Error, Result};
use crate::flags::{self, Holds, WriteArgs};
use crate::metadata::Ends;
use crate::propagation::Scope;
use crate::secret::Difference;
use crate::session::Session;
use crate::ui::Proposal;
use crate::wording::{list, nearest};
use crate::{secret, session, sharing, uses};

/// Take keys out of a secret, and leave its other keys as they are
///
/// If workloads would not start without one of the keys, it names them and asks you to confirm. With several
/// projects all secrets are read and judged before the first is changed: if one is refused, none is.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    kubectl runai-secret unset settings OLD_TOKEN -p team-a\n  \
    kubectl runai-secret unset settings OLD_TOKEN -p team-a,team-b\n  \
    kubectl runai-secret unset settings OLD_TOKEN OLD_URL --dry-run=server")]
pub(crate) struct UnsetArgs {
    /// The secret
    #[arg(value_name = "NAME", value_parser = flags::parse_secret, add = Holds::Secret)]
    name: String,

    /// The keys to take out
    #[arg(value_name = "KEY", required = true, add = Holds::Key)]
    keys: Vec<String>,

    #[command(flatten)]
    write: WriteArgs,
}

/// The secret in one place, with values.
type Found<'a> = Place<'a, SecretWithValues>;

pub(super) async fn run(args: &UnsetArgs, session: &Session<'_>) -> Result<()> {
    secret::check_secret_name(&args.name)?;
    let again = CommandLine::plugin("unset").arg(&args.name).args(&args.keys);
    let mut places = Places::begin("unset", &args.name, again, &args.write, session).await?;
    let cluster = Rc::clone(&places.cluster);
    let (read, ()) = tokio::join!(places.read(), cluster.discover_ahead());
    read?;
    places.judge(async |place| args.judge(place).await).await?;
    let scope = |place: &Found<'_>| {
        let metadata = place.found.as_ref().map(|secret| &secret.head.metadata);
        metadata.map_or(Scope::Nobody, |metadata| sharing::scope(metadata, session))
    };
    let scopes: Vec<Scope> = places.all.iter().map(scope).collect();
    let changes: Vec<_> = places.all.iter().map(|place| &place.change).zip(scopes).collect();
    uses::losing_keys::agree(&changes, &args.keys).await?;
    places.all.iter().for_each(|place| args.tell_of_the_rest(place));
    let keys = list(&args.keys);
    let effect =
        |place: &Found<'_>| format!("secret/{} in {}: without {keys}", args.name, place.change.namespace);
    let effects: Vec<String> = places.all.iter().map(effect).collect();
    let question = format!("Take {keys} out of {}?", args.name);
    session.confirm_if_guided(&args.write, &question, &effects, Proposal::No).await?;
    let scopes: Vec<Scope> = changes.into_iter().map(|(_, scope)| scope).collect();
    let found = places.take();
    let plan = |place: &Found<'_>, secret: Option<&SecretWithValues>| {
        let secret = args.check(secret.map(SecretWithValues::as_ref), &place.change.namespace)?;
        args.refuse_incomplete(secret)?;
        Ok(args.plan(secret))
    };
    let Written { done, verdict } = places.write(found, plan).await?;
    for ((place, scope), _) in places.all.iter().zip(&scopes).zip(done).filter(|(_, done)| done.is_some()) {
        place.change.tell_of_copies(scope);
    }
    verdict
}

impl UnsetArgs {
    /// Refuses a secret that can't lose these keys.
    async fn judge(&self, place: &Found<'_>) -> Result<()> {
        let SecretChange { namespace, cluster, .. } = &place.change;
        let found = place.found.as_ref().map(SecretWithValues::as_ref);
        let secret = match self.check(found, namespace) {
            Ok(secret) => secret,
            Err(error) if found.is_some() => return Err(error),
            Err(error) => {
                let name = &self.name;
                return Err(session::not_found::with_nearest_or_other_secret(
                    error, name, namespace, cluster,
                )
                .await);
            }
        };
        place.check().await?;
        self.refuse_incomplete(secret)
    }

    /// Says what is left of the secret, and warns of what nothing could use in it.
    fn tell_of_the_rest(&self, place: &Found<'_>) {
        let (Some(secret), ui) = (&place.found, place.change.session.ui) else { return };
        if secret.head.keys().all(|key| !self.stays(key)) {
            let suffix = place.suffix();
            ui.note(&format!("{} then has no keys left{suffix}; the empty secret stays", self.name));
        }
        for doubt in self.doubts_of_the_rest(secret) {
            ui.warning(&format!("{doubt}{}", place.suffix()));
        }
    }

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
