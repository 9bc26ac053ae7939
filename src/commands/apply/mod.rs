//! `apply`: makes the secrets of a file that says which there are, and where their values come from.

mod leftovers;

use std::ffi::OsString;

use serde_json::{Value, json};

use crate::change;
use crate::change::declared::{Adopt, Applying, DeclaredFile, Made};
use crate::change::places::both;
use crate::error::{Kind, Result};
use crate::flags::{Holds, WriteArgs};
use crate::session::Session;
use crate::session::batch::{Objects, Several};
use crate::wording::list;

/// Make the secrets of a file that says where each value comes from
///
/// The file names secrets, their projects, and the source of each value: a login on this machine, a file, a
/// variable, a .env file, a JSON file, a prompt, a random value. It holds no values, so it can be kept in a repository.
///
/// What is as the file says is not written. A prompt and a random value are for keys that are missing: they
/// change no value that is there. Keys that the file does not name stay. A secret that it no longer names is reported, and
/// with --prune deleted, if this file made it and nothing needs it. One that --adopt took over stays without the mark of the
/// file.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    kubectl runai-secret apply -f secrets.yaml --dry-run\n  \
    kubectl runai-secret apply -f secrets.yaml\n  \
    kubectl runai-secret apply -f secrets.yaml --prune\n\n\
    secrets.yaml:\n  \
    name: team-secrets\n  \
    secrets:\n  \
    - name: hf\n    \
      projects: [team-a, team-b]\n    \
      from: [{login: huggingface}]\n  \
    - name: db\n    \
      everyProject: true\n    \
      from: [{dotenv: .env}, {generate: PASSWORD}]")]
pub(crate) struct ApplyArgs {
    /// The file of secrets; - for standard input
    #[arg(short, long, value_name = "FILE|-", required = true, add = Holds::File)]
    filename: OsString,

    /// Delete secrets that this file made and no longer names, after asking
    #[arg(long)]
    prune: bool,

    /// Take over secrets of these names that are there already; their other keys stay
    #[arg(long)]
    adopt: bool,

    #[command(flatten)]
    write: WriteArgs,
}

pub(super) async fn run(args: &ApplyArgs, session: &Session<'_>) -> Result<()> {
    let mut file = DeclaredFile::read(&args.filename)?;
    let (shown, name) = (file.shown.clone(), file.name().to_owned());
    let adopt = if args.adopt { Adopt::Yes } else { Adopt::No };
    let mut applying = Applying::prepare(&mut file, adopt, &args.write, session).await?;
    if applying.count() == 0 {
        session.ui.note(&format!("{shown} names no secrets"));
    }
    applying.ask().await?;
    let mut objects = Objects::asked(applying.count(), &args.write, session);
    let applied = apply(&applying, &mut objects, args, session).await;
    let left = leftovers::Leftovers { file: &name, shown: &shown, applying: &applying, args, session };
    let outcome = match applied {
        Ok(()) => left.run(&mut objects).await,
        Err(error) if matches!(error.kind(), Kind::Interrupted | Kind::SteppedBack | Kind::Signal(_)) => {
            Err(error)
        }
        Err(error) if args.prune => {
            // What a secret is to be replaced by may be what failed.
            session
                .ui
                .note(&format!("--prune deletes nothing as long as not all secrets are as {shown} says"));
            Err(error)
        }
        Err(error) => both(left.run(&mut objects).await, Err(error), session),
    };
    objects.print()?;
    outcome
}

/// Makes all secrets, and reports each.
async fn apply(
    applying: &Applying<'_>,
    objects: &mut Objects<'_>,
    args: &ApplyArgs,
    session: &Session<'_>,
) -> Result<()> {
    let mut several = Several::secrets(applying.count(), session);
    let outcome = applying
        .run(|title, made| {
            let Some(made) = several.one(title, made)? else { return Ok(()) };
            made.warn(session);
            let Made { name, spot, done, others, .. } = made;
            let place = format!(" in {}", spot.title);
            let verb = format!("{}{place}", done.verb);
            objects.tell(&format!("secret/{name}"), &verb, object(&name, &spot.namespace))?;
            if done.verb != "unchanged" {
                change::secret::tell_keys(&done.difference, Some(&spot.title), session);
                done.tell_lost_ends(&place, session);
                done.tell_cleaning(&place, &args.write, session);
            }
            if !others.is_empty() {
                let others = list(&others);
                session.ui.note(&format!(
                    "{name} in {} also has {others}, which the file does not name",
                    spot.title
                ));
            }
            Ok(())
        })
        .await;
    outcome.and(several.verdict())
}

/// Returns the object for `-o`, without values.
fn object(name: &str, namespace: &str) -> Value {
    json!({ "apiVersion": "v1", "kind": "Secret", "metadata": { "name": name, "namespace": namespace } })
}
