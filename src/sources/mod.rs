//! Defines where input comes from: the flags for sources of values, and files of manifests.

pub(crate) mod manifest_files;
mod suspects;

use std::ffi::OsString;

use clap::Args;

use crate::error::{Error, Result};
use crate::flags::{Brings, Holds};
use crate::logins::{self, Found, Machine};
use crate::secret::{self, Contents, Handling, Nothing, ProcessInput, Source, Suspect, Trimming};
use crate::session::Session;

pub(crate) use self::suspects::{Ends, ask_about_suspects};

/// The flags for sources of values.
#[derive(Args)]
pub(crate) struct SourceArgs {
    /// Ask for the value, without showing it
    #[arg(long = "prompt", value_name = "KEY", add = Holds::Text,
          add = Brings::Key(Some(("I type it", "hidden; what is pasted is asked for once"))))]
    pub(crate) prompts: Vec<String>,

    /// A file, a folder of files, or - for standard input; the key is the file's name unless one is given
    #[arg(long, value_name = "[KEY=]PATH", add = Holds::KeyAndFile,
          add = Brings::Key(Some(("from a file", "also for values of several lines"))))]
    from_file: Vec<OsString>,

    /// A login that another program keeps on this machine: huggingface, wandb, aws, docker, ngc, gcloud, kaggle,
    /// github, ssh, netrc, pypi or dotenv, with a profile if it has several
    #[arg(long, value_name = "SERVICE[=PROFILE]", add = Holds::Login,
          add = Brings::Keys(Some(("a login on this machine", "of Hugging Face, AWS, Docker and others"))))]
    pub(crate) from_login: Vec<String>,

    /// A .env file, or - for standard input: quotes, export, comments and several lines; $ is not expanded
    #[arg(long, value_name = "PATH", add = Holds::File,
          add = Brings::Keys(Some(("the keys of a .env file", "quotes and export as in a shell"))))]
    from_dotenv: Vec<OsString>,

    /// A JSON or YAML map of strings, or - for standard input
    #[arg(long, value_name = "PATH", add = Holds::File,
          add = Brings::Keys(Some(("the keys of a JSON or YAML file", "a map of strings"))))]
    from_json: Vec<OsString>,

    /// An environment variable; the key is its name unless one is given
    #[arg(long, value_name = "[KEY=]VARIABLE", add = Holds::KeyAndVariable,
          add = Brings::Key(Some(("from an environment variable", ""))))]
    from_env: Vec<String>,

    /// A random value of letters, digits, - and _ [default length: 32]
    #[arg(long, value_name = "KEY[=LENGTH]", add = Holds::Text,
          add = Brings::Key(Some(("a random one", "32 letters and digits"))))]
    generate: Vec<String>,

    /// A file of KEY=VALUE lines, or - for standard input, as kubectl reads it: no quotes; KEY alone is a
    /// variable
    #[arg(long, value_name = "PATH", add = Holds::File, add = Brings::Keys(None))]
    from_env_file: Vec<OsString>,

    /// A key and its value; everyone who can list the machine's processes sees the value
    #[arg(long, value_name = "KEY=VALUE", allow_hyphen_values = true,
          add = Holds::KeyAndConfidential, add = Brings::Key(None))]
    from_literal: Vec<OsString>,

    /// Strip white space and a byte order mark from both ends of each value of one line
    #[arg(long)]
    trim: bool,

    /// Accept empty values; without it an empty file, pipe or variable is refused
    #[arg(long)]
    pub(crate) allow_empty_values: bool,
}

/// Reads all sources, and `more`. `nothing` says how to treat empty values unless a flag accepts them: a
/// command that would replace an existing value refuses them all.
///
/// # Errors
/// A source can't be read, has an empty or illegal value, or two have the same key; a value must be typed and
/// nobody can be asked. No value is repeated.
pub(crate) async fn read_sources(
    args: &SourceArgs,
    more: Vec<Source>,
    nothing: Nothing,
    session: &Session<'_>,
) -> Result<Contents> {
    let mut sources = args.without_prompts()?;
    if !args.from_literal.is_empty() && session.ui.somebody_is_there() {
        session
            .ui
            .note("--from-literal leaves the value in the history of the shell; --prompt KEY asks for it");
    }
    let is_asked = !args.prompts.is_empty();
    if args.trim && !is_asked && !sources.iter().chain(&more).any(Source::may_have_ends) {
        return Err(Error::usage("--trim has no value to strip")
            .hint("it works on --from-file, --from-env, --from-env-file, --from-literal and --prompt"));
    }
    for key in &args.prompts {
        let Some(value) = session.ui.ask_hidden(&format!("Value of {key}")).await? else {
            let why = session.ui.why_nobody_is_asked();
            return Err(Error::usage(format!("--prompt {key} needs somebody to ask, but {why}"))
                .hint(format!("--from-file={key}=- reads the value from standard input")));
        };
        sources.push(Source::typed(key, value));
    }
    sources.extend(more);
    let mut logins = read_logins(&args.from_login)?;
    sources.append(&mut logins.sources);
    let trimming = if args.trim { Trimming::Trim } else { Trimming::Keep };
    let nothing = if args.allow_empty_values { Nothing::Take } else { nothing };
    let mut contents = secret::read(sources, Handling { trimming, nothing }, &mut ProcessInput)?;
    add_what_is_said(&mut contents, logins);
    Ok(contents)
}

/// Adds what is said of logins, whose values are in the contents already.
pub(crate) fn add_what_is_said(contents: &mut Contents, logins: Found) {
    contents.notes.extend(logins.notes);
    contents.ends = std::mem::take(&mut contents.ends).and(logins.ends);
    contents.suspects.extend(logins.doubts.iter().map(|doubt| Suspect::of_login(doubt)));
    contents.warnings.extend(logins.warnings.into_iter().chain(logins.doubts));
}

/// Reads logins, each `SERVICE` or `SERVICE=PROFILE`.
///
/// # Errors
/// A service is unknown, or has no such login on this machine.
pub(crate) fn read_logins(words: &[String]) -> Result<Found> {
    let machine = Machine::new(&ProcessInput);
    let mut all = Found::default();
    for word in words {
        let (service, profile) = logins::parse(word)?;
        let found = service.read(profile, &machine)?;
        all.sources.extend(found.sources);
        all.notes.extend(found.notes);
        all.warnings.extend(found.warnings);
        all.ends = all.ends.and(found.ends);
        all.doubts.extend(found.doubts);
    }
    Ok(all)
}

impl SourceArgs {
    /// Returns true if no flag names a source.
    pub(crate) fn is_empty(&self) -> bool {
        self.from_login.is_empty() && self.has_logins_alone()
    }

    /// Returns true if one login is the only source.
    pub(crate) fn are_one_login(&self) -> bool {
        self.from_login.len() == 1 && self.has_logins_alone()
    }

    /// Returns true if a value is made up.
    pub(crate) fn are_random(&self) -> bool {
        !self.generate.is_empty()
    }

    fn has_logins_alone(&self) -> bool {
        let words = [&self.prompts, &self.from_env, &self.generate];
        let paths =
            [&self.from_file, &self.from_dotenv, &self.from_json, &self.from_env_file, &self.from_literal];
        words.iter().all(|words| words.is_empty()) && paths.iter().all(|paths| paths.is_empty())
    }

    /// Returns all sources except those that must be asked for, whose keys are checked.
    fn without_prompts(&self) -> Result<Vec<Source>> {
        let mut sources = Source::literals(self.from_literal.clone())?;
        sources.extend(Source::files(named("--from-file", &self.from_file)?)?);
        sources.extend(Source::env_files(named("--from-env-file", &self.from_env_file)?)?);
        sources.extend(Source::dotenv_files(named("--from-dotenv", &self.from_dotenv)?));
        sources.extend(Source::maps(named("--from-json", &self.from_json)?));
        sources.extend(Source::variables(self.from_env.clone(), &ProcessInput)?);
        sources.extend(Source::generated(self.generate.clone())?);
        Source::check_keys("--prompt", &self.prompts)?;
        Ok(sources)
    }
}

/// # Errors
/// The flag has an empty value, which kubectl ignores.
fn named(flag: &str, paths: &[OsString]) -> Result<Vec<OsString>> {
    if paths.iter().any(|path| path.is_empty()) {
        return Err(Error::usage(format!("{flag} is empty: it names no file"))
            .hint("an unset variable leaves nothing after the '='"));
    }
    Ok(paths.to_vec())
}
