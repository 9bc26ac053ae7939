//! Holds one file or folder for each verb. No verb imports another. Each one resolves what was typed, looks,
//! plans, shows and writes.

mod apply;
mod attach;
mod check;
mod completion;
mod copy;
mod create;
mod delete;
mod detach;
mod diff;
mod edit;
mod label;
mod list;
mod options;
mod rename;
mod restart;
mod set;
mod status;
mod submit;
mod sync;
mod unset;
mod usage;
mod view;

use clap::Subcommand;

use crate::error::{Error, Result};
use crate::flags::Globals;
use crate::session::{Connected, Session};
use crate::ui::Ui;

// Deferred: telling the parser of all flags at every start would take as long as everything else together.
// These comments are for the list of commands; each command has its own help.
#[derive(Subcommand)]
#[command(defer = true)]
pub(crate) enum Command {
    /// Create a secret from files, variables, hidden prompts and more
    Create(Box<create::CreateArgs>),
    /// Set keys of a secret, and leave its other keys as they are
    Set(Box<set::SetArgs>),
    /// Take keys out of a secret, and leave its other keys as they are
    Unset(unset::UnsetArgs),
    /// Edit the values of a secret as text, in your editor
    Edit(edit::EditArgs),
    /// Copy a secret to other projects, clusters or names
    Copy(copy::CopyArgs),
    /// Rename a secret, and point what uses it to the new name
    Rename(rename::RenameArgs),
    /// Make the secrets of a file that says where each value comes from
    Apply(apply::ApplyArgs),
    /// Delete a secret, or a shared one with every copy of it
    Delete(delete::DeleteArgs),
    /// List the secrets of a project, without their values
    List(list::ListArgs),
    /// Show what is in a secret: keys, sizes, what each value looks like
    View(view::ViewArgs),
    /// Compare two secrets, projects or clusters, or a secret with a file
    Diff(Box<diff::DiffArgs>),
    /// Share a secret with every project: mark it cluster-wide for Run:ai
    Label(label::LabelArgs),
    /// Show where a shared secret arrived, and what is in the way
    Status(status::StatusArgs),
    /// Make the copies of a shared secret where Run:ai does not
    Sync(sync::SyncArgs),
    /// Attach a secret to a workload: as env, files, for pulling images
    Attach(Box<attach::AttachArgs>),
    /// Detach a secret from a workload: the reverse of attach
    Detach(Box<detach::DetachArgs>),
    /// Submit a new job with secrets attached
    Submit(Box<submit::SubmitArgs>),
    /// Restart what still holds an old value of a secret
    Restart(restart::RestartArgs),
    /// Check for secrets that are missing, misspelt, lost or expired
    Check(check::CheckArgs),
    /// Show which workloads use a secret, and how
    Usage(usage::UsageArgs),
    /// Set up completion with Tab, in kubectl or in a shell
    Completion(completion::CompletionArgs),
    /// List the flags that every command has
    Options(options::OptionsArgs),
}

/// Returns the answer to a flag that a command knows and does not take; none if it does not know it either.
pub(crate) fn answer_to(command: &str, flag: &str) -> Option<Error> {
    match command {
        "submit" => submit::answer(flag),
        "copy" => copy::answer(flag),
        _ => None,
    }
}

/// Runs a command. `connected` is the connection for its flags, or a place for it.
pub(crate) async fn run(command: &Command, globals: &Globals, connected: &Connected, ui: &Ui) -> Result<()> {
    let session = Session { globals, connected, ui };
    run_in(command, &session).await.map_err(|error| session.with_guess(error))
}

async fn run_in(command: &Command, session: &Session<'_>) -> Result<()> {
    match command {
        Command::Create(args) => create::run(args, session).await,
        Command::Apply(args) => apply::run(args, session).await,
        Command::Delete(args) => delete::run(args, session).await,
        Command::List(args) => list::run(args, session).await,
        Command::Label(args) => label::run(args, session).await,
        Command::Status(args) => status::run(args, session).await,
        Command::Sync(args) => sync::run(args, session).await,
        Command::Attach(args) => attach::run(args, session).await,
        Command::Detach(args) => detach::run(args, session).await,
        Command::Submit(args) => submit::run(args, session).await,
        Command::Restart(args) => restart::run(args, session).await,
        Command::Check(args) => check::run(args, session).await,
        Command::Copy(args) => copy::run(args, session).await,
        Command::Rename(args) => rename::run(args, session).await,
        Command::Edit(args) => edit::run(args, session).await,
        Command::Set(args) => set::run(args, session).await,
        Command::Unset(args) => unset::run(args, session).await,
        Command::View(args) => view::run(args, session).await,
        Command::Diff(args) => diff::run(args, session).await,
        Command::Usage(args) => usage::run(args, session).await,
        Command::Completion(args) => completion::run(args, session),
        Command::Options(_) => options::run(session),
    }
}
