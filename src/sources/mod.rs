//! Where input comes from: the flags of values' sources, and files of manifests.

pub(crate) mod manifest_files;

use std::ffi::OsString;

use clap::Args;

use crate::error::{Error, Result};
use crate::secret::{self, Contents, Handling, Nothing, ProcessInput, Source, Trimming};
use crate::session::Session;

/// Where values come from.
#[derive(Args)]
pub(crate) struct SourceArgs {
    /// A key and its value; the value is seen by everyone who can list the machine's processes
    #[arg(long, value_name = "KEY=VALUE", allow_hyphen_values = true)]
    pub(crate) from_literal: Vec<OsString>,

    /// A file, a folder of files, or - for standard input; the key is the file's name unless one is given
    #[arg(long, value_name = "[KEY=]PATH")]
    pub(crate) from_file: Vec<OsString>,

    /// A file of KEY=VALUE lines, or - for standard input, as kubectl reads it: no quotes; KEY alone is a variable
    #[arg(long, value_name = "PATH")]
    pub(crate) from_env_file: Vec<OsString>,

    /// A .env file, or - for standard input: quotes, export, comments and several lines; $ is not expanded
    #[arg(long, value_name = "PATH")]
    pub(crate) from_dotenv: Vec<OsString>,

    /// A JSON or YAML map of strings, or - for standard input
    #[arg(long, value_name = "PATH")]
    pub(crate) from_json: Vec<OsString>,

    /// An environment variable; the key is its name unless one is given
    #[arg(long, value_name = "[KEY=]VARIABLE")]
    pub(crate) from_env: Vec<String>,

    /// Ask for the value, without showing it
    #[arg(long = "prompt", value_name = "KEY")]
    pub(crate) prompts: Vec<String>,

    /// A random value of letters, digits, - and _ [default length: 32]
    #[arg(long, value_name = "KEY[=LENGTH]")]
    pub(crate) generate: Vec<String>,

    /// Take white space and a byte order mark off the ends of each value of one line
    #[arg(long)]
    pub(crate) trim: bool,

    /// Take values with nothing in them: an empty file, pipe or variable is refused otherwise
    #[arg(long)]
    pub(crate) allow_empty_values: bool,
}

/// Reads all sources, and those of `more` beside them. `nothing` is what is done about values with nothing in them, where
/// no flag takes them: where a value that is there would be lost they are all refused.
pub(crate) async fn read_sources(
    args: &SourceArgs,
    more: Vec<Source>,
    nothing: Nothing,
    session: &Session<'_>,
) -> Result<Contents> {
    if args.trim && more.is_empty() && !args.have_raw_values() {
        return Err(Error::usage("--trim has no value to take anything off")
            .hint("it is for --from-file, --from-env, --from-env-file, --from-literal and --prompt"));
    }
    args.refuse_no_path()?;
    let mut sources = Source::literals(args.from_literal.clone())?;
    sources.extend(Source::files(args.from_file.clone())?);
    sources.extend(Source::env_files(args.from_env_file.clone())?);
    sources.extend(Source::dotenv_files(args.from_dotenv.clone()));
    sources.extend(Source::maps(args.from_json.clone()));
    sources.extend(Source::variables(args.from_env.clone(), &ProcessInput)?);
    sources.extend(Source::generated(args.generate.clone())?);
    Source::check_keys("--prompt", &args.prompts)?;
    for key in &args.prompts {
        let Some(value) = session.ui.ask_hidden(&format!("Value of {key}")).await? else {
            let why = session.ui.why_nobody_is_asked();
            return Err(Error::usage(format!("--prompt {key} needs somebody to ask, and {why}"))
                .hint(format!("--from-file={key}=- reads the value from standard input")));
        };
        sources.push(Source::typed(key, value));
    }
    sources.extend(more);
    let trimming = if args.trim { Trimming::Trim } else { Trimming::Keep };
    let nothing = if args.allow_empty_values { Nothing::Take } else { nothing };
    secret::read(sources, Handling { trimming, nothing }, &mut ProcessInput)
}

impl SourceArgs {
    /// Whether a value comes as it is, which may have something at its ends.
    pub(crate) fn have_raw_values(&self) -> bool {
        let raw = [&self.from_literal, &self.from_file, &self.from_env_file];
        raw.iter().any(|given| !given.is_empty()) || !self.from_env.is_empty() || !self.prompts.is_empty()
    }

    /// # Errors
    /// A flag that names a file has nothing behind it: kubectl passes that over.
    pub(crate) fn refuse_no_path(&self) -> Result<()> {
        let paths = [
            ("--from-file", &self.from_file),
            ("--from-env-file", &self.from_env_file),
            ("--from-dotenv", &self.from_dotenv),
            ("--from-json", &self.from_json),
        ];
        match paths.iter().find(|(_, paths)| paths.iter().any(|path| path.is_empty())) {
            Some((flag, _)) => Err(Error::usage(format!("{flag} is empty, and names no file"))
                .hint("a variable that is not set leaves nothing behind the '='")),
            None => Ok(()),
        }
    }

    pub(crate) fn is_unused(&self) -> bool {
        let literals_and_files =
            [&self.from_literal, &self.from_file, &self.from_env_file, &self.from_dotenv, &self.from_json];
        let words = [&self.from_env, &self.prompts, &self.generate];
        literals_and_files.iter().all(|given| given.is_empty()) && words.iter().all(|given| given.is_empty())
    }
}
