//! What goes into a secret: keys, and where each value comes from. The values themselves are not asked for here.

use super::{Guide, something};
use crate::complete::{self, Choice};
use crate::error::{Error, Result};
use crate::secret;

/// The flags by which values come.
pub(super) const SOURCES: [&str; 8] = [
    "from-literal",
    "from-file",
    "from-env-file",
    "from-dotenv",
    "from-json",
    "from-env",
    "prompt",
    "generate",
];

/// Those that bring one key, which comes first in what they are given.
const SOURCES_OF_ONE: [&str; 5] = ["from-literal", "from-file", "from-env", "prompt", "generate"];

/// What a new secret may be made of.
#[derive(Clone, Copy)]
enum Content {
    /// No more than what was picked.
    Enough,
    Key,
    Dotenv,
    Map,
    /// An empty secret.
    Nothing,
}

impl Content {
    fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Enough => ("that is all", ""),
            Self::Key => ("a key and its value", "typed, from a file, from a variable, or random"),
            Self::Dotenv => ("the keys of a .env file", "quotes and export as in a shell"),
            Self::Map => ("the keys of a JSON or YAML file", "a map of strings"),
            Self::Nothing => ("nothing", "an empty secret"),
        }
    }
}

impl Guide<'_> {
    /// `set`: the secret, then the keys.
    pub(super) async fn ask_for_set(&mut self) -> Result<()> {
        if self.count() > 1 || (self.count() == 1 && self.has(&SOURCES)) {
            return Ok(());
        }
        self.ask_for_project().await?;
        self.ask_for_secret().await?;
        if self.has(&SOURCES) {
            return Ok(());
        }
        let secret = self.draft.line().positionals[0].clone();
        let mut keys = self.keys_of(&secret).await?;
        let new = "another key";
        keys.push(Choice { value: new.to_owned(), about: "that the secret does not have yet".to_owned() });
        let key = match self.pick("Key", keys).await? {
            picked if picked == new => self.type_key().await?,
            key => key,
        };
        self.ask_for_value(&key).await
    }

    /// `unset`: the secret, then the key.
    pub(super) async fn ask_for_unset(&mut self) -> Result<()> {
        if self.count() > 1 {
            return Ok(());
        }
        self.ask_for_project().await?;
        self.ask_for_secret().await?;
        let secret = self.draft.line().positionals[0].clone();
        let key = self.pick_key(&secret).await?;
        if key.starts_with('-') {
            // It would be read as a flag.
            self.draft.set_rest(vec![key]);
        } else {
            self.draft.push(key);
        }
        Ok(())
    }

    /// Where the value of a key comes from.
    async fn ask_for_value(&mut self, key: &str) -> Result<()> {
        let ways = [
            ("I type it", "hidden, asked for twice"),
            ("from a file", "also for values of several lines"),
            ("from an environment variable", ""),
            ("a random one", "32 letters and digits"),
        ];
        match self.pick_way(&format!("Where does the value of {key} come from?"), &ways).await? {
            0 => self.draft.flag("prompt", key),
            1 => {
                let path = self.type_path("File", "from-file", &format!("{key}=")).await?;
                self.draft.flag("from-file", &format!("{key}={path}"));
            }
            2 => {
                let variable = self.pick_variable().await?;
                self.draft.flag("from-env", &format!("{key}={variable}"));
            }
            _ => self.draft.flag("generate", key),
        }
        Ok(())
    }

    /// What goes into a new secret, one thing after the other.
    pub(super) async fn ask_for_contents(&mut self) -> Result<()> {
        let mut question = "What goes into it?";
        loop {
            let offered = [Content::Key, Content::Dotenv, Content::Map];
            let is_enough = self.has(&SOURCES);
            let before = is_enough.then_some(Content::Enough);
            let after = (!is_enough).then_some(Content::Nothing);
            let contents: Vec<_> = before.into_iter().chain(offered).chain(after).collect();
            let words: Vec<_> = contents.iter().map(|content| content.words()).collect();
            match contents[self.pick_way(question, &words).await?] {
                Content::Enough => return Ok(()),
                Content::Key => {
                    let key = self.type_key().await?;
                    self.ask_for_value(&key).await?;
                }
                Content::Dotenv => self.ask_for_file("from-dotenv").await?,
                Content::Map => self.ask_for_file("from-json").await?,
                Content::Nothing => {
                    self.draft.flag("allow-empty", "");
                    return Ok(());
                }
            }
            question = "What else?";
        }
    }

    /// A key that is there twice would be refused after all else was answered.
    async fn type_key(&mut self) -> Result<String> {
        let line = self.draft.line();
        let words = SOURCES_OF_ONE.iter().flat_map(|flag| line.values(flag));
        let keys: Vec<String> =
            words.map(|word| word.split('=').next().unwrap_or_default().to_owned()).collect();
        let check = move |key: &str| {
            check_name_of_key(key)?;
            if keys.iter().any(|given| given == key) {
                return Err(Error::usage(format!("{key} is there already")));
            }
            Ok(())
        };
        self.type_word("Name of the key, such as HF_TOKEN", "", check, None).await
    }

    pub(super) async fn ask_for_file(&mut self, flag: &str) -> Result<()> {
        let path = self.type_path("File", flag, "").await?;
        self.draft.flag(flag, &path);
        Ok(())
    }

    /// Asks for the path of a file that exists, the home folder's name in it; `before` is what of the flag's value comes
    /// before it.
    pub(super) async fn type_path(&mut self, question: &str, flag: &str, before: &str) -> Result<String> {
        let line = self.draft.followed_by(&[&format!("--{flag}"), before]);
        let path = self.type_word(question, "", is_file, Some(line)).await?;
        // No shell comes after this to read the tilde.
        Ok(complete::on_disk(&path).to_string_lossy().into_owned())
    }

    async fn pick_variable(&mut self) -> Result<String> {
        let names = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
        let mut names: Vec<String> = names.collect();
        names.sort();
        let choices = names.into_iter().map(|value| Choice { value, about: String::new() }).collect();
        self.pick("Variable", choices).await
    }
}

fn is_file(path: &str) -> Result<()> {
    something(path)?;
    let path = complete::on_disk(path);
    match (path.exists(), path.is_dir()) {
        (true, false) => Ok(()),
        (true, true) => Err(Error::usage("that is a folder, and a file is wanted")),
        (false, _) => Err(Error::usage("there is no such file")),
    }
}

/// A key's name. Who is asked for an "API key" may think of its value, and names are seen by everybody.
fn check_name_of_key(word: &str) -> Result<()> {
    if secret::looks_like_a_token(word) {
        return Err(Error::usage("this looks like a value; the name is what jobs call it, such as HF_TOKEN"));
    }
    secret::check_key(word)
}
