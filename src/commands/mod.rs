//! Holds one file or folder for each verb. No verb imports another. Each one resolves what was typed, looks,
//! plans, shows and writes.

mod attach;
mod check;
mod completion;
mod copy;
mod create;
mod delete;
mod detach;
mod edit;
mod label;
mod list;
mod set;
mod status;
mod submit;
mod sync;
mod unset;
mod usage;
mod view;

use std::cell::Cell;

use clap::Subcommand;

use self::attach::AttachArgs;
use self::check::CheckArgs;
use self::completion::CompletionArgs;
use self::copy::CopyArgs;
use self::create::CreateArgs;
use self::delete::DeleteArgs;
use self::detach::DetachArgs;
use self::edit::EditArgs;
use self::label::LabelArgs;
use self::list::ListArgs;
use self::set::SetArgs;
use self::status::StatusArgs;
use self::submit::SubmitArgs;
use self::sync::SyncArgs;
use self::unset::UnsetArgs;
use self::usage::UsageArgs;
use self::view::ViewArgs;
use crate::cluster::Cluster;
use crate::error::Result;
use crate::flags::Globals;
use crate::session::Session;
use crate::ui::Ui;

// Deferred: telling the parser of all flags at every start would take as long as everything else together.
// These comments are for the list of commands; each command has its own help.
#[derive(Subcommand)]
#[command(defer = true)]
pub(crate) enum Command {
    /// Create a secret from files, variables, hidden prompts and more
    Create(Box<CreateArgs>),
    /// Set keys of a secret, and leave its other keys as they are
    Set(Box<SetArgs>),
    /// Take keys out of a secret, and leave its other keys as they are
    Unset(UnsetArgs),
    /// Edit the values of a secret as text, in your editor
    Edit(EditArgs),
    /// Copy a secret to other projects
    Copy(CopyArgs),
    /// Delete a secret, or a shared one with every copy of it
    Delete(DeleteArgs),
    /// List the secrets of a project, without their values
    List(ListArgs),
    /// Show what is in a secret: keys, sizes, what each value looks like
    View(ViewArgs),
    /// Share a secret with every project: mark it cluster-wide for Run:ai
    Label(LabelArgs),
    /// Show where a shared secret arrived, and what is in the way
    Status(StatusArgs),
    /// Make the copies of a shared secret where Run:ai does not
    Sync(SyncArgs),
    /// Attach a secret to a workload: as env, files, for pulling images
    Attach(Box<AttachArgs>),
    /// Detach a secret from a workload: the reverse of attach
    Detach(Box<DetachArgs>),
    /// Submit a new job with secrets attached
    Submit(Box<SubmitArgs>),
    /// Check for secrets that are missing, misspelt, lost or expired
    Check(CheckArgs),
    /// Show which workloads use a secret, and how
    Usage(UsageArgs),
    /// Set up completion with Tab, in kubectl or in a shell
    Completion(CompletionArgs),
}

/// Runs a command. `cluster` is an existing connection for the same flags.
pub(crate) async fn run(
    command: &Command,
    globals: &Globals,
    cluster: Option<Cluster>,
    ui: &Ui,
) -> Result<()> {
    let session = Session { globals, connected: Cell::new(cluster), ui };
    match command {
        Command::Create(args) => create::run(args, &session).await,
        Command::Delete(args) => delete::run(args, &session).await,
        Command::List(args) => list::run(args, &session).await,
        Command::Label(args) => label::run(args, &session).await,
        Command::Status(args) => status::run(args, &session).await,
        Command::Sync(args) => sync::run(args, &session).await,
        Command::Attach(args) => attach::run(args, &session).await,
        Command::Detach(args) => detach::run(args, &session).await,
        Command::Submit(args) => submit::run(args, &session).await,
        Command::Check(args) => check::run(args, &session).await,
        Command::Copy(args) => copy::run(args, &session).await,
        Command::Edit(args) => edit::run(args, &session).await,
        Command::Set(args) => set::run(args, &session).await,
        Command::Unset(args) => unset::run(args, &session).await,
        Command::View(args) => view::run(args, &session).await,
        Command::Usage(args) => usage::run(args, &session).await,
        Command::Completion(args) => completion::run(args, &session),
    }
}
