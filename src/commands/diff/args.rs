//! The flags of `diff`, and the values that they bring.

use std::collections::BTreeMap;
use std::ffi::OsString;

use crate::error::{Error, Result};
use crate::flags::{self, Holds, ReportArgs};
use crate::secret::{Nothing, SecretValue};
use crate::session::Session;
use crate::sources::{SourceArgs, read_sources};

/// Compare two secrets, or a secret with a file, key by key, without values
///
/// What is here, NAME, is compared with what is there: OTHER, the secret of that name in another project or
/// cluster, or a source of values. Without NAME all secrets of two projects are compared. A key is only here,
/// only there, or in both, where it differs or is the same. Values are compared on this machine, and never
/// shown.
///
/// The exit code is 0 if nothing differs, 1 if something does, and larger if it failed, as of kubectl diff.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    kubectl runai-secret diff settings --from-dotenv=.env -p team-a\n  \
    kubectl runai-secret diff hf -p team-a --to-project=team-b\n  \
    kubectl runai-secret diff -p team-a --to-context=production\n  \
    kubectl runai-secret diff -f secrets.yaml")]
pub(crate) struct DiffArgs {
    /// The secret; without it all secrets of both places
    #[arg(value_name = "NAME", value_parser = flags::parse_secret, add = Holds::Secret)]
    pub(super) name: Option<String>,

    /// The secret to compare it with, if it has another name
    #[arg(value_name = "OTHER", value_parser = flags::parse_secret, add = Holds::Secret)]
    pub(super) other: Option<String>,

    /// The project to compare with
    #[arg(long, value_name = "PROJECT", add = Holds::ProjectThere)]
    pub(super) to_project: Option<String>,

    /// The first project; the same as --project
    #[arg(long, value_name = "PROJECT", add = Holds::Project)]
    pub(super) from_project: Option<String>,

    /// The kubeconfig's context of the cluster to compare with; without --to-project the same place there
    #[arg(long, value_name = "CONTEXT", add = Holds::Context)]
    pub(super) to_context: Option<String>,

    /// A file of secrets, as apply takes it: what apply would change
    #[arg(short, long, value_name = "FILE|-", conflicts_with_all = ["name", "to_project", "to_context", "from_project"],
          add = Holds::File)]
    pub(super) filename: Option<OsString>,

    #[command(flatten)]
    pub(super) sources: SourceArgs,

    #[command(flatten)]
    pub(super) report: ReportArgs,
}

impl DiffArgs {
    /// # Errors
    /// The flags name nothing to compare with, or more than one thing.
    pub(super) fn check(&self) -> Result<()> {
        let names_a_place = self.to_project.is_some() || self.to_context.is_some();
        if self.sources.is_empty() {
            return if self.other.is_some() || names_a_place { Ok(()) } else { Err(self.alone()) };
        }
        if self.other.is_some() || names_a_place {
            return Err(Error::usage("a secret is compared with one thing at a time")
                .hint("leave out the source of values, or OTHER, --to-project and --to-context"));
        }
        if self.name.is_none() {
            return Err(
                Error::usage("a source of values is compared with one secret").hint("name it: diff NAME …")
            );
        }
        if self.sources.are_random() {
            return Err(Error::usage("--generate makes a value that no secret has").hint("leave it out"));
        }
        Ok(())
    }

    /// # Errors
    /// A source is given beside the file that says where values come from.
    pub(super) fn check_file(&self) -> Result<()> {
        if self.sources.is_empty() {
            return Ok(());
        }
        Err(Error::usage("with -f the file says where values come from, and other sources have no effect")
            .hint("leave them out, or compare one secret: diff NAME --from-dotenv=.env"))
    }

    fn alone(&self) -> Error {
        let name = self.name.as_deref().unwrap_or("NAME");
        Error::usage("there is nothing to compare with")
            .hint(format!("another secret: diff {name} OTHER; another project: --to-project PROJECT"))
            .hint("another cluster: --to-context CONTEXT; a source of values: --from-dotenv=.env and others")
    }

    /// Reads the values that the flags bring.
    pub(super) async fn read(&self, session: &Session<'_>) -> Result<BTreeMap<String, SecretValue>> {
        let contents = read_sources(&self.sources, Vec::new(), Nothing::Take, session).await?;
        contents.notes.iter().for_each(|note| session.ui.note(note));
        contents.warnings.iter().for_each(|warning| session.ui.warning(warning));
        if !self.sources.allow_empty_values {
            contents.check_no_file_is_empty()?;
        }
        Ok(contents.data)
    }
}
