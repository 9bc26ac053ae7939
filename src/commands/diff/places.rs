//! The two places whose secrets are compared.

use std::rc::Rc;

use super::args::DiffArgs;
use crate::cluster::Cluster;
use crate::command_line::reach::There;
use crate::error::{Error, Result};
use crate::session::Session;

/// A namespace of a cluster.
#[derive(Clone)]
pub(super) struct Place {
    pub(super) cluster: Rc<Cluster>,
    /// The kubeconfig's context, if it is not the one in use.
    pub(super) context: Option<String>,
    pub(super) namespace: String,
}

pub(super) struct Places {
    pub(super) here: Place,
    pub(super) there: Place,
    /// What is there is a source of values, of this machine.
    pub(super) is_source: bool,
}

impl Places {
    /// Finds the place of the secret that is compared with a source.
    pub(super) async fn here_alone(args: &DiffArgs, session: &Session<'_>) -> Result<Self> {
        let here = here(args, session).await?;
        Ok(Self { there: here.clone(), here, is_source: true })
    }

    /// Finds both places.
    ///
    /// # Errors
    /// They are one, and no other secret is named; a cluster can't be reached, or a project not be found.
    pub(super) async fn find(args: &DiffArgs, session: &Session<'_>) -> Result<Self> {
        let here = here(args, session).await?;
        let meant_there = args.to_context.as_deref().map(There::of);
        let cluster = match &args.to_context {
            Some(context) => {
                let connection = session.globals.connection.to_other_context(context);
                Rc::new(Cluster::connect(&connection, session.ui).await?)
            }
            None => Rc::clone(&here.cluster),
        };
        let typed =
            session.globals.place.projects.first().filter(|_| session.globals.place.namespace.is_none());
        let first = args.from_project.as_ref().or(typed);
        let namespace = match (&args.to_project, first) {
            (Some(project), _) => session.namespace_of(&cluster, project).await?,
            (None, Some(project)) if args.to_context.is_some() => {
                session.namespace_of(&cluster, project).await?
            }
            (None, _) => here.namespace.clone(),
        };
        drop(meant_there);
        let there = Place { cluster, context: args.to_context.clone(), namespace };
        let is_one = there.context.is_none() && there.namespace == here.namespace;
        let is_itself = args.other.is_none() || args.other == args.name;
        if is_one && is_itself {
            return Err(Error::usage(format!("what is in {} would be compared with itself", here.namespace))
                .hint("name another project: --to-project PROJECT; or another secret: diff NAME OTHER"));
        }
        Ok(Self { here, there, is_source: false })
    }
}

async fn here(args: &DiffArgs, session: &Session<'_>) -> Result<Place> {
    let cluster = session.connect().await?;
    let place = &session.globals.place;
    let namespace = match &args.from_project {
        Some(_) if place.namespace.is_some() || !place.projects.is_empty() => {
            return Err(Error::usage("--from-project excludes --project and --namespace")
                .hint("leave out --project and --namespace, or --from-project"));
        }
        Some(project) => session.namespace_of(&cluster, project).await?,
        None => session.namespace(&cluster).await?,
    };
    Ok(Place { cluster, context: None, namespace })
}
