//! `diff`: compares secrets key by key, without values.

mod args;
mod declared;
mod places;
mod report;

use std::collections::{BTreeMap, BTreeSet};

use self::places::Places;
use self::report::{Compared, DiffReport};
use crate::error::{Error, Result};
use crate::propagation::{Content, ExistingSecret};
use crate::secret::{self, Difference, SecretValue};
use crate::session::Session;
use crate::{cluster, session};

pub(crate) use self::args::DiffArgs;

/// Compares, and ends with a failure that has another exit code than a difference.
pub(super) async fn run(args: &DiffArgs, session: &Session<'_>) -> Result<()> {
    compare(args, session).await.map_err(Error::of_a_comparison)
}

async fn compare(args: &DiffArgs, session: &Session<'_>) -> Result<()> {
    for name in args.name.iter().chain(&args.other) {
        secret::check_secret_name(name)?;
    }
    if let Some(path) = &args.filename {
        args.check_file()?;
        return declared::compare(path, &args.report, session).await;
    }
    args.check()?;
    let (places, compared) = if args.sources.is_empty() {
        let places = Places::find(args, session).await?;
        let compared = match &args.name {
            Some(name) => vec![two(name, args.other.as_deref(), &places).await?],
            None => all(&places).await?,
        };
        (places, compared)
    } else {
        // First: a credential plugin may take the terminal.
        let values = args.read(session).await?;
        let places = Places::here_alone(args, session).await?;
        let name = args.name.as_deref().unwrap_or_default();
        let compared = with_source(name, &values, &places).await?;
        (places, vec![compared])
    };
    report::tell(&DiffReport::of(&places, &compared), &args.report, session)
}

/// Compares one secret with another; one of the two may be missing.
async fn two(name: &str, other: Option<&str>, places: &Places) -> Result<Compared> {
    let (here, there) = (&places.here, &places.there);
    let there_name = other.unwrap_or(name);
    let (old, new) = tokio::join!(
        here.cluster.namesake(&here.namespace, name),
        there.cluster.namesake(&there.namespace, there_name)
    );
    let (old, new) = match (cluster::if_there(old)?, cluster::if_there(new)?) {
        (None, None) => {
            let place = if here.namespace == there.namespace { "" } else { ", nor there" };
            let error = Error::in_kubectls_words(format!(
                "Error from server (NotFound): secrets {name:?} not found in {}{place}",
                here.namespace
            ));
            return Err(
                session::not_found::with_nearest_secret(error, name, &here.namespace, &here.cluster).await
            );
        }
        found => found,
    };
    let content = |found: Option<ExistingSecret>| found.map(|found| found.content);
    Ok(Compared::of(name, Some(there_name), content(old).as_ref(), content(new).as_ref()))
}

/// Compares all secrets that somebody made.
async fn all(places: &Places) -> Result<Vec<Compared>> {
    let (here, there) = (&places.here, &places.there);
    let (old, new) =
        tokio::join!(here.cluster.contents_in(&here.namespace), there.cluster.contents_in(&there.namespace));
    let (old, new): (BTreeMap<String, Content>, BTreeMap<String, Content>) = (old?, new?);
    let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    Ok(names.into_iter().map(|name| Compared::of(name, Some(name), old.get(name), new.get(name))).collect())
}

/// Compares one secret with the values of a source.
async fn with_source(
    name: &str,
    values: &BTreeMap<String, SecretValue>,
    places: &Places,
) -> Result<Compared> {
    let here = &places.here;
    let found = match here.cluster.namesake(&here.namespace, name).await {
        Ok(found) => found,
        Err(failure) => {
            return Err(session::not_found::secret(failure, name, &here.namespace, &here.cluster).await);
        }
    };
    let difference = Difference::of_whole(&found.content.values(), values);
    Ok(Compared::with_source(name, &difference))
}
