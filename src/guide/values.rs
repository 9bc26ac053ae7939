//! Asks for the keys of a secret and for the source of each value. Values themselves are not asked for here.

use clap::Arg;

use super::asking::{Guide, KEY, something};
use crate::complete::{self, Choice};
use crate::error::{Error, Result};
use crate::flags::{Brings, Holds, Words};
use crate::logins::{Machine, SERVICES, Service};
use crate::secret;

/// The flag by which a command asks for a value.
const PROMPT: &str = "prompt";

/// The file that most programs with such files read.
const DOTENV: &str = ".env";

/// A source of contents for a new secret.
enum Content<'a> {
    /// Nothing further.
    Enough,
    Key,
    /// The keys of a file, by the flag that names it.
    Keys(&'a str),
    /// An empty secret.
    Nothing,
}

impl Guide<'_> {
    /// The sources of the command that are offered: the flag's name, and the words for it.
    fn sources(&self, offer: fn(Brings) -> Option<Words>) -> Vec<(String, Words)> {
        let line = self.draft.line();
        let offered = |flag: &Arg| Some((flag.get_long()?.to_owned(), offer(*flag.get::<Brings>()?)?));
        line.command.get_arguments().filter_map(offered).collect()
    }

    fn holds(&self, flag: &str) -> Option<Holds> {
        self.draft.line().flag(flag).and_then(Holds::of)
    }

    pub(super) fn has_source(&self) -> bool {
        self.gives(|flag| flag.get::<Brings>().is_some())
    }

    /// Asks for what `set` lacks: the secret, then the key and its value's source.
    pub(super) async fn ask_for_set(&mut self) -> Result<()> {
        if self.count() > 1 || (self.count() == 1 && self.has_source()) {
            return Ok(());
        }
        self.ask_for_project().await?;
        self.ask_for_secret().await?;
        if self.has_source() {
            return Ok(());
        }
        let secret = self.draft.line().positionals[0].clone();
        let mut keys = self.keys_of(&secret).await?;
        let new = "another key";
        keys.push(Choice::new(new, "one that the secret does not have yet"));
        let key = match self.pick("Key", keys).await? {
            picked if picked == new => self.type_key().await?,
            key => key,
        };
        self.ask_for_value(&key).await
    }

    /// Asks for what `unset` lacks: the secret, then the keys.
    pub(super) async fn ask_for_unset(&mut self) -> Result<()> {
        if self.count() > 1 {
            return Ok(());
        }
        self.ask_for_project().await?;
        self.ask_for_secret().await?;
        let secret = self.draft.line().positionals[0].clone();
        let keys = self.pick_keys(&secret).await?;
        if keys.iter().any(|key| key.starts_with('-')) {
            // It would be read as a flag.
            self.draft.set_rest(keys);
        } else {
            for key in keys {
                self.draft.push(key);
            }
        }
        Ok(())
    }

    /// Asks where the value of a key comes from.
    async fn ask_for_value(&mut self, key: &str) -> Result<()> {
        let sources = self.sources(|source| if let Brings::Key(words) = source { words } else { None });
        let ways: Vec<_> = sources.iter().map(|(_, words)| *words).collect();
        let picked = self.pick_way(&format!("Where does the value of {key} come from?"), &ways).await?;
        let flag = &sources[picked].0;
        let value = match self.holds(flag) {
            Some(Holds::KeyAndFile) => {
                format!("{key}={}", self.type_path("File", flag, &format!("{key}=")).await?)
            }
            Some(Holds::KeyAndVariable) => format!("{key}={}", self.pick_variable().await?),
            _ => key.to_owned(),
        };
        self.draft.flag(flag, &value);
        // At once: whoever has chosen to type it would type it into the next question.
        if flag == PROMPT { self.ask_hidden(&question_for(key)).await } else { Ok(()) }
    }

    /// Asks for the contents of a new secret, one source after the other.
    pub(super) async fn ask_for_contents(&mut self) -> Result<()> {
        let mut files = self.sources(|source| if let Brings::Keys(words) = source { words } else { None });
        if logins_on_this_machine().is_empty() {
            files.retain(|(flag, _)| self.holds(flag) != Some(Holds::Login));
        }
        let mut question = "What goes into it?";
        loop {
            let key = ("a key and its value", "typed, from a file, from a variable, or random");
            let mut contents = vec![(Content::Key, key)];
            contents.extend(files.iter().map(|(flag, words)| (Content::Keys(flag), *words)));
            if self.has_source() {
                contents.insert(0, (Content::Enough, ("that is all", "")));
            } else {
                contents.push((Content::Nothing, ("nothing", "an empty secret")));
            }
            let words: Vec<_> = contents.iter().map(|(_, words)| *words).collect();
            match contents[self.pick_way(question, &words).await?].0 {
                Content::Enough => return Ok(()),
                Content::Key => {
                    let key = self.type_key().await?;
                    self.ask_for_value(&key).await?;
                }
                Content::Keys(flag) if self.holds(flag) == Some(Holds::Login) => {
                    let login = self.pick("Login", logins_on_this_machine()).await?;
                    self.draft.flag(flag, &login);
                }
                Content::Keys(flag) => {
                    let path = self.type_path("File", flag, "").await?;
                    self.draft.flag(flag, &path);
                }
                Content::Nothing => {
                    self.draft.flag("allow-empty", "");
                    return Ok(());
                }
            }
            question = "What else?";
        }
    }

    /// Asks for a key's name and refuses a repeated one at once, before anything else is answered.
    pub(super) async fn type_key(&mut self) -> Result<String> {
        let line = self.draft.line();
        let of_one_key = |flag: &Arg| matches!(flag.get(), Some(Brings::Key(_)));
        let words = line.flags.iter().filter(|(flag, _)| of_one_key(flag)).map(|(_, word)| word);
        let keys: Vec<String> =
            words.map(|word| word.split('=').next().unwrap_or_default().to_owned()).collect();
        let check = move |key: &str| {
            check_name_of_key(key)?;
            if keys.iter().any(|given| given == key) {
                return Err(Error::usage(format!("{key} is already given")));
            }
            Ok(())
        };
        self.type_name("Name of the key, such as HF_TOKEN", "", &KEY, check).await
    }

    /// Asks for the path of an existing file; `~` is expanded. `before` is the part of the flag's value
    /// before the path.
    pub(super) async fn type_path(&mut self, question: &str, flag: &str, before: &str) -> Result<String> {
        let line = self.draft.followed_by(&[&format!("--{flag}"), before]);
        let usual = if flag == "from-dotenv" && is_file(DOTENV).is_ok() { DOTENV } else { "" };
        let path = self.type_word(question, usual, is_file, Some(line)).await?;
        // No shell expands the tilde after this.
        Ok(complete::on_disk(&path).to_string_lossy().into_owned())
    }

    async fn pick_variable(&mut self) -> Result<String> {
        let names = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
        let mut names: Vec<String> = names.collect();
        names.sort();
        let choices = names.into_iter().map(|name| Choice::new(name, "")).collect();
        self.pick("Variable", choices).await
    }
}

/// Returns the question by which `create --prompt` and `set` ask for a value.
pub(super) fn question_for(key: &str) -> String {
    format!("Value of {key}")
}

/// Lists the logins that `--from-login` takes here.
pub(super) fn logins_on_this_machine() -> Vec<Choice> {
    let machine = Machine::new(&secret::ProcessInput);
    let of_service = |service: &'static Service| {
        service.logins(&machine).into_iter().map(|login| Choice::new(login, service.title))
    };
    SERVICES.iter().flat_map(of_service).collect()
}

fn is_file(path: &str) -> Result<()> {
    something(path)?;
    let path = complete::on_disk(path);
    match (path.exists(), path.is_dir()) {
        (true, false) => Ok(()),
        (true, true) => Err(Error::usage("that is a folder, not a file")),
        (false, _) => Err(Error::usage("there is no such file")),
    }
}

/// Checks a key's name. Somebody who is asked for an "API key" may type its value, and everybody may see
/// names.
fn check_name_of_key(word: &str) -> Result<()> {
    if secret::looks_like_a_token(word) {
        return Err(Error::usage("this looks like a value; type the name of the key, such as HF_TOKEN"));
    }
    secret::check_key(word)
}
