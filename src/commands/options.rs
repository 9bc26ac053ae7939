//! `options`: the flags that every command has, which the help of each leaves out.

use clap::Args as _;

use crate::error::Result;
use crate::flags::Globals;
use crate::session::Session;

/// List the flags that every command has
///
/// They may stand before the command's name or after it.
#[derive(clap::Args)]
#[command(
    // They are there already when a deferred command is made.
    mut_args(|flag| flag.hide_short_help(false).hide_long_help(false)),
    override_usage = "kubectl runai-secret options",
    after_help = "Examples:\n  \
        kubectl runai-secret options\n  \
        kubectl runai-secret list -p team-a --context=prod --request-timeout=5s"
)]
pub(crate) struct OptionsArgs {}

pub(super) fn run(session: &Session<'_>) -> Result<()> {
    let flags = Globals::augment_args(clap::Command::new("options"));
    let list = flags.max_term_width(110).disable_help_flag(true).help_template("{all-args}").render_help();
    session.ui.data(list.to_string().as_bytes())
}
