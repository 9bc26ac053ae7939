//! `delete --unused`: deletes the secrets of projects that nobody was seen to use, after a review.
//!
//! A value that is lost can't be made again by this program, so what is in doubt stays: what a program or the server
//! made, what is shared or a copy, what waits for workloads to come, and all of it where a kind could not be searched.

use std::collections::{BTreeMap, BTreeSet};

use futures::future::try_join_all;
use futures::{StreamExt, stream};

use super::args::DeleteArgs;
use super::deleted::{Deleted, delete};
use crate::age::age;
use crate::change::several::AT_ONCE;
use crate::cluster::{Cluster, Keys, Listed, Makers, Namespaces, Selection, Unseen};
use crate::error::{Error, Result};
use crate::flags::DryRun;
use crate::metadata::Metadata;
use crate::propagation;
use crate::secret::{CREDENTIAL_LABEL, is_the_servers};
use crate::session::Session;
use crate::session::batch::{Objects, Several};
use crate::wording::{few, plural};
use crate::workload::Reference;
use crate::{session, uses};

/// A namespace, and its project if several are named.
type Place = (String, Option<String>);

/// A secret that nobody was seen to use.
struct Idle<'p> {
    place: &'p Place,
    secret: Listed,
}

/// The namespaces to look at.
struct Area {
    places: Vec<Place>,
    reach: Reach,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Reach {
    /// Those that were named.
    Named,
    EveryProject,
}

/// What is in one namespace.
#[derive(Default)]
struct Look {
    secrets: Vec<Listed>,
    /// The names that anything refers to, certainly or probably.
    used: BTreeSet<String>,
    unseen: Vec<Unseen>,
}

/// Why a secret stays that nobody was seen to use.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Stays {
    Owned,
    OfTheServer,
    Shared,
    Credential,
    Terminating,
}

pub(super) async fn run(args: &DeleteArgs, cluster: &Cluster, session: &Session<'_>) -> Result<()> {
    let area = Area::of(args, cluster, session).await?;
    refuse_runais(&area.places, session)?;
    let looks = area.look(cluster).await?;
    refuse_unseen(&looks, &area, args, session)?;
    let left_out = if args.force { 0 } else { looks.iter().filter(|look| !look.unseen.is_empty()).count() };
    let idle = idle(&area, looks, args, session);
    let done = if idle.is_empty() {
        let namespaces: Vec<&str> = area.places.iter().map(|(namespace, _)| namespace.as_str()).collect();
        session.ui.note(&format!("no secret to delete that nothing uses in {}", few(&namespaces)));
        Ok(())
    } else {
        let chosen = choose(idle, args, session).await?;
        Removal { args, cluster, session }.run(&area, &chosen).await
    };
    match left_out {
        0 => done,
        _ => done.and(Err(Error::partly(format!("{} could not be searched", plural(left_out, "project"))))),
    }
}

impl Area {
    async fn of(args: &DeleteArgs, cluster: &Cluster, session: &Session<'_>) -> Result<Self> {
        if !args.all_projects {
            return Ok(Self { places: session.namespaces(cluster).await?, reach: Reach::Named });
        }
        if session.is_place_chosen() {
            return Err(Error::usage("--all-projects excludes --project and --namespace")
                .hint("leave out --all-projects, or --project and --namespace"));
        }
        let projects = cluster.projects().await.map_err(|failure| {
            Error::from(failure).hint("without the right to list namespaces, name projects: -p team-a,team-b")
        })?;
        let runai = &session.globals.place.runai_namespace;
        let projects = projects.into_iter().filter(|project| project.namespace != *runai);
        let places = projects.map(|project| (project.namespace, Some(project.name))).collect();
        Ok(Self { places, reach: Reach::EveryProject })
    }

    /// Lists the secrets and what refers to any: of every project in all namespaces at once.
    async fn look(&self, cluster: &Cluster) -> Result<Vec<Look>> {
        let look = async |(namespace, _): &Place| {
            let all = look_at(Namespaces::One(namespace.clone()), cluster).await?;
            Ok::<_, Error>(all.into_values().next().unwrap_or_default())
        };
        match self.reach {
            Reach::Named => try_join_all(self.places.iter().map(look)).await,
            Reach::EveryProject => {
                let mut all = look_at(Namespaces::All, cluster).await?;
                let everywhere = all.remove(&None).unwrap_or_default();
                let of = |(namespace, _): &Place| {
                    let mut look = all.remove(&Some(namespace.clone())).unwrap_or_default();
                    look.unseen.extend(everywhere.unseen.iter().cloned());
                    look
                };
                Ok(self.places.iter().map(of).collect())
            }
        }
    }
}

/// Refuses Run:ai's namespace: what its own programs read there is in no list.
fn refuse_runais(places: &[Place], session: &Session<'_>) -> Result<()> {
    let runai = &session.globals.place.runai_namespace;
    if places.iter().all(|(namespace, _)| namespace != runai) {
        return Ok(());
    }
    Err(Error::usage(format!("--unused does not look at {runai}: Run:ai's own programs read secrets there"))
        .hint("name a project, or delete a secret by its name"))
}

/// Lists the secrets and what refers to any, by namespace; what could not be seen in any is under none.
async fn look_at(scope: Namespaces, cluster: &Cluster) -> Result<BTreeMap<Option<String>, Look>> {
    let selection = Selection { labels: "", makers: Makers::People, keys: Keys::Count };
    let of_any = |reference: &Reference| !reference.secret.is_empty();
    let (secrets, users) = tokio::try_join!(
        cluster.list_secrets(&scope, &selection, |secret| secret),
        uses::consumers::find(of_any, &scope, cluster)
    )?;
    let mut looks: BTreeMap<Option<String>, Look> = BTreeMap::new();
    let one = match &scope {
        Namespaces::One(namespace) => Some(namespace.clone()),
        Namespaces::All | Namespaces::AllAtOnce => None,
    };
    let of = |namespace: &str| Some(one.clone().unwrap_or_else(|| namespace.to_owned()));
    for user in users.found {
        let names = user.references.into_iter().map(|reference| reference.secret);
        looks.entry(of(&user.namespace)).or_default().used.extend(names);
    }
    for unseen in secrets.unseen.into_iter().chain(users.unseen) {
        let place = one.clone().or_else(|| unseen.namespace.clone());
        looks.entry(place).or_default().unseen.push(unseen);
    }
    for secret in secrets.found {
        looks.entry(of(&secret.metadata.namespace)).or_default().secrets.push(secret);
    }
    Ok(looks)
}

/// # Errors
/// A kind could not be searched: what nobody was seen to use may be used there. Of all projects it is enough that some
/// could be.
fn refuse_unseen(looks: &[Look], area: &Area, args: &DeleteArgs, session: &Session<'_>) -> Result<()> {
    let mut unseen: Vec<Unseen> = looks.iter().flat_map(|look| look.unseen.clone()).collect();
    unseen.sort_unstable();
    unseen.dedup();
    if unseen.is_empty() {
        return Ok(());
    }
    session::scope::warn_unseen(&unseen, "what seems unused may be used there", session);
    let is_some_seen = looks.iter().any(|look| look.unseen.is_empty());
    if args.force || area.reach == Reach::EveryProject && is_some_seen {
        return Ok(());
    }
    Err(Error::failed("not every kind could be searched for uses; nothing was deleted")
        .hint("--force deletes what nothing that you may see uses"))
}

/// Returns what may go, and counts what stays though nobody was seen to use it.
fn idle<'p>(area: &'p Area, looks: Vec<Look>, args: &DeleteArgs, session: &Session<'_>) -> Vec<Idle<'p>> {
    let runai = &session.globals.place.runai_namespace;
    let mut staying: BTreeMap<Stays, usize> = BTreeMap::new();
    let mut idle = Vec::new();
    let searched = area.places.iter().zip(looks).filter(|(_, look)| args.force || look.unseen.is_empty());
    for (place, Look { secrets, used, .. }) in searched {
        for secret in secrets.into_iter().filter(|secret| !used.contains(&secret.metadata.name)) {
            match Stays::why(&secret, runai) {
                Some(why) => *staying.entry(why).or_default() += 1,
                None => idle.push(Idle { place, secret }),
            }
        }
    }
    if !staying.is_empty() {
        let all: usize = staying.values().sum();
        let verb = if all == 1 { "stays" } else { "stay" };
        let whys: Vec<String> =
            staying.iter().map(|(why, count)| format!("{count} {}", why.word())).collect();
        let secrets = plural(all, "secret");
        session.ui.note(&format!("{secrets} that nothing was seen to use {verb}: {}", whys.join("; ")));
    }
    idle
}

impl Stays {
    fn why(secret: &Listed, runai_namespace: &str) -> Option<Self> {
        let Metadata { labels, owner_references, terminating, .. } = &secret.metadata;
        let is_shared = propagation::reaches_projects(labels)
            || propagation::origin(&secret.metadata, runai_namespace).is_some();
        if terminating.is_some() {
            Some(Self::Terminating)
        } else if is_the_servers(&secret.secret_type) {
            Some(Self::OfTheServer)
        } else if is_shared {
            Some(Self::Shared)
        } else if !owner_references.is_empty() {
            Some(Self::Owned)
        } else if labels.contains_key(CREDENTIAL_LABEL) {
            Some(Self::Credential)
        } else {
            None
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Owned => "with an owner",
            Self::OfTheServer => "of a type that the server itself uses",
            Self::Shared => "shared, or a copy",
            Self::Credential => "credential of Run:ai",
            Self::Terminating => "being deleted",
        }
    }
}

impl Idle<'_> {
    /// `hf`, or `hf in team-a` where several projects are named.
    fn title(&self) -> String {
        let name = &self.secret.metadata.name;
        match &self.place.1 {
            Some(project) => format!("{name} in {project}"),
            None => name.clone(),
        }
    }

    fn about(&self) -> String {
        format!("{}, made {} ago", self.secret.secret_type, age(&self.secret.metadata.created))
    }
}

/// Lists what may go, and asks: a person at a terminal may pick.
async fn choose<'p>(idle: Vec<Idle<'p>>, args: &DeleteArgs, session: &Session<'_>) -> Result<Vec<Idle<'p>>> {
    let line = |one: &Idle<'_>| format!("secret {}: {}", one.title(), one.about());
    let effects: Vec<String> = idle.iter().map(line).collect();
    let question = format!("Delete {}?", plural(idle.len(), "unused secret"));
    if args.write.dry_run != DryRun::None || !session.ui.may_choose() {
        session.confirm_effects(&args.write, &effects, &question).await?;
        return Ok(idle);
    }
    for effect in &effects {
        session.ui.effect(effect);
    }
    let every = if idle.len() == 1 { "delete it".to_owned() } else { format!("delete all {}", idle.len()) };
    let mut ways = vec![("delete none", ""), (every.as_str(), "")];
    if idle.len() > 1 {
        ways.push(("pick", "you mark those that go"));
    }
    match session.ui.choose(&question, &ways).await? {
        Some(1) => Ok(idle),
        Some(2) => {
            let rows: Vec<(String, String)> = idle.iter().map(|one| (one.title(), one.about())).collect();
            let rows = rows.iter().map(|(title, about)| (title.as_str(), about.as_str()));
            let picked = session.ui.pick_several("Which ones?", rows).await.map_err(Error::for_good)?;
            let chosen = idle.into_iter().enumerate().filter(|(at, _)| picked.contains(at));
            Ok(chosen.map(|(_, one)| one).collect())
        }
        _ => Err(Error::failed("cancelled: nothing was deleted")),
    }
}

/// The deletion of what was chosen.
struct Removal<'a> {
    args: &'a DeleteArgs,
    cluster: &'a Cluster,
    session: &'a Session<'a>,
}

impl Removal<'_> {
    /// Deletes what is still as it was listed and still unused, some at once.
    async fn run(&self, area: &Area, chosen: &[Idle<'_>]) -> Result<()> {
        let Self { args, cluster, session } = self;
        let is_real = args.write.dry_run == DryRun::None;
        let again = if is_real { area.look(cluster).await? } else { Vec::new() };
        let looks = area.places.iter().map(|(namespace, _)| namespace.as_str()).zip(&again);
        let now: &BTreeMap<&str, &Look> = &looks.collect();
        let mut several = Several::secrets(chosen.len(), session);
        let objects = Objects::asked(chosen.len(), &args.write, session);
        let mut deleted = Deleted { args, session, objects };
        let removals = chosen
            .iter()
            .map(async |one| (one, self.remove(one, now.get(one.place.0.as_str()).copied()).await));
        let mut removals = stream::iter(removals).buffered(AT_ONCE);
        let mut stopped = Ok(());
        while let Some((one, outcome)) = removals.next().await {
            let (namespace, project) = one.place;
            let told = several.one(&one.title(), outcome).and_then(|done| match done {
                Some(()) => deleted.tell(&one.secret.metadata.name, namespace, project.as_deref()),
                None => Ok(()),
            });
            if let Err(error) = told {
                stopped = Err(error);
                break;
            }
        }
        drop(removals);
        deleted.objects.print()?;
        stopped.and(several.verdict())
    }

    /// Deletes one secret. Nothing is read again in a dry run.
    async fn remove(&self, one: &Idle<'_>, now: Option<&Look>) -> Result<()> {
        let Metadata { name, uid, resource_version, .. } = &one.secret.metadata;
        if let Some(Look { secrets, used, unseen }) = now {
            if !(unseen.is_empty() || self.args.force) {
                return Err(Error::failed("not every kind could be searched again; it was not deleted"));
            }
            if used.contains(name) {
                return Err(Error::failed("something refers to it now; it was not deleted"));
            }
            let is_same = |secret: &Listed| {
                secret.metadata.uid == *uid && secret.metadata.resource_version == *resource_version
            };
            if !secrets.iter().any(is_same) {
                return Err(Error::failed("somebody changed or deleted it meanwhile; nothing was done"));
            }
        }
        let metadata = Metadata { namespace: one.place.0.clone(), ..one.secret.metadata.clone() };
        delete(&metadata, self.args, self.cluster).await
    }
}
