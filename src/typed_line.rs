//! The command line up to the cursor: the words so far, and the kind of the word being typed.
//!
//! clap 4.6's parser needs a whole line, and its completion knows only the last word. The secrets to offer
//! depend on the words before, so the words are read again here, by the same definitions of commands and
//! flags.

use clap::{Arg, ArgAction, Command};

/// A line without its last word.
pub(crate) struct Line<'a> {
    pub(crate) command: &'a Command,
    /// The commands' names, without the program's: `create`, `tls`.
    pub(crate) path: Vec<&'a str>,
    /// The given flags in their order, each with its value.
    pub(crate) flags: Vec<(&'a Arg, String)>,
    pub(crate) positionals: Vec<String>,
}

/// The word at the cursor.
pub(crate) enum Word<'a> {
    /// The value of a flag. `before` is the flag's part of the word: `--context=`, or nothing.
    Value {
        flag: &'a Arg,
        before: String,
        text: String,
    },
    Flag(String),
    /// The name of a command, or a positional argument.
    Plain(String),
    /// A word after `--`.
    NotOurs,
}

/// The state of the reader between two words.
#[derive(Clone, Copy)]
enum Next<'a> {
    Any,
    ValueOf(&'a Arg),
    NotOurs,
}

impl<'a> Line<'a> {
    /// Reads the words after the program's name; the last one is at the cursor. `program` must be built.
    pub(crate) fn read(program: &'a Command, words: &[String]) -> (Self, Word<'a>) {
        let mut line =
            Self { command: program, path: Vec::new(), flags: Vec::new(), positionals: Vec::new() };
        let Some((last, before)) = words.split_last() else { return (line, Word::Plain(String::new())) };
        let next = before.iter().fold(Next::Any, |next, word| line.take(next, word));
        let word = line.unfinished(next, last);
        (line, word)
    }

    fn take(&mut self, next: Next<'a>, word: &str) -> Next<'a> {
        match next {
            Next::NotOurs => return Next::NotOurs,
            Next::ValueOf(flag) if is_value_of(flag, word) => {
                self.flags.push((flag, word.to_owned()));
                return Next::Any;
            }
            _ if word == "--" => return Next::NotOurs,
            _ => {}
        }
        if let Some(long) = word.strip_prefix("--") {
            let (name, value) =
                long.split_once('=').map_or((long, None), |(name, value)| (name, Some(value)));
            return self.flag(name).map_or(Next::Any, |flag| self.give(flag, value));
        }
        if word.len() > 1 && word.starts_with('-') {
            self.note_switches(word);
            return match self.short(word) {
                Some((flag, at)) => {
                    let value = word[at..].strip_prefix('=').unwrap_or(&word[at..]);
                    self.give(flag, (at < word.len()).then_some(value))
                }
                None => Next::Any,
            };
        }
        match self.command.find_subcommand(word).filter(|_| self.positionals.is_empty()) {
            Some(command) => {
                self.path.push(command.get_name());
                self.command = command;
            }
            None => self.positionals.push(word.to_owned()),
        }
        Next::Any
    }

    /// Records the letters of a word such as `-yq` up to the first that takes a value.
    fn note_switches(&mut self, word: &str) {
        let letters = word.chars().skip(1);
        let flags = letters
            .map_while(|letter| self.command.get_arguments().find(|flag| flag.get_short() == Some(letter)))
            .take_while(|flag| !takes_value(flag));
        let switches: Vec<_> = flags.map(|flag| (flag, String::new())).collect();
        self.flags.extend(switches);
    }

    /// Records a flag; tells whether its value is still to come.
    fn give(&mut self, flag: &'a Arg, value: Option<&str>) -> Next<'a> {
        if value.is_none() && takes_next_word(flag) {
            return Next::ValueOf(flag);
        }
        self.flags.push((flag, value.unwrap_or_default().to_owned()));
        Next::Any
    }

    fn unfinished(&self, next: Next<'a>, word: &str) -> Word<'a> {
        match next {
            Next::NotOurs => return Word::NotOurs,
            Next::ValueOf(flag) if is_value_of(flag, word) => {
                return Word::Value { flag, before: String::new(), text: word.to_owned() };
            }
            _ => {}
        }
        if let Some((name, text)) = word.strip_prefix("--").and_then(|long| long.split_once('=')) {
            let value = |flag| Word::Value { flag, before: format!("--{name}="), text: text.to_owned() };
            return self.flag(name).map_or(Word::NotOurs, value);
        }
        if !word.starts_with('-') {
            return Word::Plain(word.to_owned());
        }
        match self.short(word).filter(|(_, at)| *at < word.len()) {
            Some((flag, at)) => {
                let at = if word[at..].starts_with('=') { at + 1 } else { at };
                Word::Value { flag, before: word[..at].to_owned(), text: word[at..].to_owned() }
            }
            None => Word::Flag(word.to_owned()),
        }
    }

    /// The flag of the command that has this long name.
    pub(crate) fn flag(&self, name: &str) -> Option<&'a Arg> {
        let is_named = |flag: &&Arg| {
            let others = flag.get_all_aliases().unwrap_or_default();
            flag.get_long() == Some(name) || others.contains(&name)
        };
        self.command.get_arguments().find(is_named)
    }

    /// Returns the flag of a word such as `-n`, `-nvalue` or `-yn` that takes a value, and the position of
    /// the value.
    fn short(&self, word: &str) -> Option<(&'a Arg, usize)> {
        if word.starts_with("--") {
            return None;
        }
        for (at, letter) in word.char_indices().skip(1) {
            let flag = self.command.get_arguments().find(|flag| flag.get_short() == Some(letter))?;
            if takes_value(flag) {
                return Some((flag, at + letter.len_utf8()));
            }
        }
        None
    }

    /// Returns the last value of a flag, by its long name.
    pub(crate) fn value(&self, long: &str) -> Option<&str> {
        self.values(long).last()
    }

    /// Returns the last value of a flag, or the default of its definition.
    pub(crate) fn value_or_default(&self, long: &str) -> String {
        let default = || {
            let flag = self.flag(long)?;
            flag.get_default_values().first().map(|value| value.to_string_lossy().into_owned())
        };
        self.value(long).map(ToOwned::to_owned).or_else(default).unwrap_or_default()
    }

    /// Returns the values of a flag; of a list with commas each.
    pub(crate) fn values(&self, long: &str) -> impl Iterator<Item = &str> {
        let given = self.flags.iter().filter(move |(flag, _)| flag.get_long() == Some(long));
        given.flat_map(|(flag, value)| match flag.get_value_delimiter() {
            Some(comma) => value.split(comma).collect::<Vec<_>>(),
            None => vec![value.as_str()],
        })
    }

    pub(crate) fn has(&self, long: &str) -> bool {
        self.value(long).is_some()
    }

    /// Returns true if the flag was given and once is enough.
    pub(crate) fn is_done_with(&self, flag: &Arg) -> bool {
        let once = !matches!(flag.get_action(), ArgAction::Append | ArgAction::Count);
        once && self.flags.iter().any(|(given, _)| given.get_id() == flag.get_id())
    }
}

fn takes_value(flag: &Arg) -> bool {
    flag.get_num_args().is_some_and(|count| count.takes_values())
}

fn takes_next_word(flag: &Arg) -> bool {
    takes_value(flag) && !flag.is_require_equals_set()
}

/// Returns false for a word with a dash before it, which is the next flag, unless the flag's values may begin
/// so.
fn is_value_of(flag: &Arg, word: &str) -> bool {
    word == "-" || !word.starts_with('-') || flag.is_allow_hyphen_values_set()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::program;

    fn words(line: &str) -> Vec<String> {
        line.split(' ').map(ToOwned::to_owned).collect()
    }

    #[test]
    fn what_is_said_before_and_after_the_command_is_heard() {
        let program = program();
        for text in [
            "-p team-a --context=dev attach hf --env K deploy/web ",
            "attach hf -p=team-a deploy/web --context dev --env=K ",
            "-pteam-a attach -y hf --context dev --overwrite deploy/web --env K -v ",
        ] {
            let (line, word) = Line::read(&program, &words(text));
            assert_eq!(line.path, ["attach"], "{text}");
            assert_eq!(line.positionals, ["hf", "deploy/web"], "{text}");
            assert_eq!(line.value("project"), Some("team-a"), "{text}");
            assert_eq!((line.value("context"), line.value("env")), (Some("dev"), Some("K")), "{text}");
            assert_eq!(line.has("yes"), text.contains("-y "), "{text}");
            assert!(matches!(word, Word::Plain(word) if word.is_empty()), "{text}");
        }
    }

    #[test]
    fn a_name_that_is_also_a_commands_is_a_name_where_a_name_is_meant() {
        let program = program();
        let (line, _) = Line::read(&program, &words("-n status label create delete "));
        assert_eq!((line.path, line.positionals), (vec!["label"], words("create delete")));
        let (line, _) = Line::read(&program, &words("create web tls "));
        assert_eq!((line.path, line.positionals), (vec!["create"], words("web tls")));
    }

    #[test]
    fn the_word_at_the_cursor_is_a_flag_its_value_or_another_word() {
        let program = program();
        let value = |line: &str| match Line::read(&program, &words(line)).1 {
            Word::Value { flag, before, text } => {
                format!("{} {before} {text}", flag.get_long().unwrap())
            }
            Word::Flag(flag) => format!("flag {flag}"),
            Word::Plain(word) => format!("plain {word}"),
            Word::NotOurs => "not ours".to_owned(),
        };
        for (line, expected) in [
            ("--context=a:b=c", "context --context= a:b=c"),
            ("attach -p te", "project  te"),
            ("attach -pte", "project -p te"),
            ("attach -yp=te", "project -yp= te"),
            ("attach -p", "flag -p"),
            ("attach --dry-run ", "plain "),
            ("attach --env --mo", "flag --mo"),
            ("create s --from-literal -k=", "from-literal  -k="),
            ("submit -i python -- --ver", "not ours"),
            ("submit --cpu-core-request 4", "cpu  4"),
            ("submit --nonsense=x", "not ours"),
            ("--from", "flag --from"),
            ("-", "flag -"),
        ] {
            assert_eq!(value(line), expected, "{line}");
        }
    }
}
