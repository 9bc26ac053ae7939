//! Ranks the choices of a list by what was typed.

use super::line::common_start;

/// One choice, a row of a list.
#[derive(Default)]
pub(crate) struct Row {
    pub(crate) name: String,
    /// A description, or nothing.
    pub(crate) about: String,
    /// What is shown below the list while it is marked, or nothing.
    pub(crate) more: String,
    /// Other words by which it is found, with blanks between them.
    pub(crate) words: String,
}

impl From<(&str, &str)> for Row {
    fn from((name, about): (&str, &str)) -> Self {
        Self { name: name.to_owned(), about: about.to_owned(), ..Self::default() }
    }
}

/// The rank of a choice that all words of a search fit, though not as they stand together.
const APART: u8 = 8;

/// Returns the choices that fit a search, the best first: those that have it, or each word of it. The letters alone, in
/// their order, count only where nothing else fits.
pub(super) fn fitting(choices: &[Row], search: &str) -> Vec<usize> {
    let search = search.trim().to_lowercase();
    let by = |rank: fn(&Row, &str) -> Option<u8>| {
        let ranks = choices.iter().enumerate().filter_map(|(at, choice)| Some((rank(choice, &search)?, at)));
        let mut ranked: Vec<(u8, usize)> = ranks.collect();
        ranked.sort_unstable();
        ranked.into_iter().map(|(_, at)| at).collect::<Vec<_>>()
    };
    Some(by(rank_of_words)).filter(|fitting| !fitting.is_empty()).unwrap_or_else(|| by(rank_of_letters))
}

fn rank_of_words(choice: &Row, search: &str) -> Option<u8> {
    if let Some(rank) = rank(choice, search) {
        return Some(rank);
    }
    let ranks: Option<Vec<u8>> = search.split_whitespace().map(|word| rank(choice, word)).collect();
    ranks?.into_iter().max().map(|worst| worst + APART)
}

fn rank(Row { name, about, words: others, .. }: &Row, search: &str) -> Option<u8> {
    let (name, about) = (name.to_lowercase(), about.to_lowercase());
    let own = own_name(&name);
    let ranks = [
        name == search || own == search,
        own.starts_with(search),
        name.starts_with(search),
        words(&name).any(|word| word.starts_with(search)),
        name.contains(search),
        about.starts_with(search)
            || words(&about).any(|word| word == search)
            || others.split(' ').any(|word| word.starts_with(search)),
        about.contains(search),
        format!("{name} {about}").contains(search),
    ];
    ranks.iter().position(|fits| *fits).and_then(|rank| u8::try_from(rank).ok())
}

/// Fits letters that occur in the name in this order, such as `ftk` in `hf-token`.
fn rank_of_letters(choice: &Row, search: &str) -> Option<u8> {
    let name = choice.name.to_lowercase();
    let mut letters = name.chars();
    let mut wanted = search.chars().filter(|char| !char.is_whitespace());
    wanted.all(|wanted| letters.any(|letter| letter == wanted)).then_some(0)
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|char: char| !char.is_alphanumeric())
}

/// Returns the name of an object without the kind before it.
fn own_name(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}

/// Reports whether a word is an object's name without the kind before it.
pub(super) fn is_the_name(name: &str, word: &str) -> bool {
    own_name(name) == word
}

/// Reports whether a name has every word of a search.
pub(super) fn fits(name: &str, search: &str) -> bool {
    name.contains(search) || search.split_whitespace().all(|word| name.contains(word))
}

/// Returns what Tab makes of a search: as far as the fitting names that begin with it agree, with or without the kind before
/// them. None if that adds nothing.
pub(super) fn completed(choices: &[Row], fitting: &[usize], search: &str) -> Option<String> {
    let begins = |name: &str| name.to_lowercase().starts_with(&search.to_lowercase());
    let names = || fitting.iter().map(|at| choices[*at].name.as_str());
    let whole: Vec<&str> = names().filter(|name| begins(name)).collect();
    let own: Vec<&str> = names().map(own_name).filter(|name| begins(name)).collect();
    let known = match (whole.is_empty(), own.is_empty(), fitting) {
        (false, ..) => whole,
        (true, false, _) => own,
        (true, true, [only]) => return Some(choices[*only].name.clone()),
        (true, true, _) => return None,
    };
    let common = known.into_iter().reduce(common_start)?;
    (common.chars().count() > search.chars().count()).then(|| common.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choices(choices: &[(&str, &str)]) -> Vec<Row> {
        choices.iter().map(|choice| (*choice).into()).collect()
    }

    #[test]
    fn names_go_before_what_is_said_about_them() {
        let choices = choices(&[
            ("delete", "Delete a shared secret"),
            ("label", "Share a secret with every project"),
            ("web-1", ""),
            ("hf-token", "1 key"),
        ]);
        for (search, expected) in [
            ("", vec![0, 1, 2, 3]),
            ("share", vec![1, 0]),
            ("1", vec![2, 3]),
            ("shar", vec![1, 0]),
            ("LAB", vec![1]),
            ("ftk", vec![3]),
            ("zzz", vec![]),
            ("project share", vec![1]),
            ("key 1 token", vec![3]),
            ("key 2 token", vec![]),
        ] {
            assert_eq!(fitting(&choices, search), expected, "{search}");
        }
    }

    #[test]
    fn a_choice_is_found_by_other_words_too() {
        let row = |name, about, words: &str| Row { words: words.to_owned(), ..Row::from((name, about)) };
        let rows = [
            row("set", "Set keys of a secret", "rotate token"),
            row("create", "Create a secret", "new token"),
            row("restart", "Restart what holds an old value", "rotate"),
        ];
        for (search, expected) in
            [("rotate", vec![0, 2]), ("new secret", vec![1]), ("tok", vec![0, 1]), ("rotate old", vec![2])]
        {
            assert_eq!(fitting(&rows, search), expected, "{search}");
        }
    }

    #[test]
    fn the_whole_name_goes_before_its_beginning_a_word_a_part_and_the_kind() {
        let choices = choices(&[
            ("trainingworkload/bert", ""),
            ("job/retrain", ""),
            ("job/my-train", ""),
            ("job/train-2", ""),
            ("job/train", ""),
        ]);
        assert_eq!(fitting(&choices, "train"), [4, 3, 0, 2, 1]);
        assert_eq!(fitting(&choices, "job/train"), [4, 3]);
    }

    #[test]
    fn letters_alone_count_where_nothing_else_fits() {
        let choices = choices(&[("AWS_CA_BUNDLE", ""), ("WANDB_API_KEY", ""), ("HF_TOKEN", "")]);
        assert_eq!(fitting(&choices, "wan"), [1]);
        assert_eq!(fitting(&choices, "wcb"), [0]);
    }

    #[test]
    fn tab_completes_as_far_as_the_names_agree() {
        let choices = choices(&[("job/train", ""), ("job/trial", ""), ("deployment/web", "ready")]);
        let tab = |search| completed(&choices, &fitting(&choices, search), search);
        for (search, expected) in [
            ("j", Some("job/tr")),
            ("job/tr", None),
            ("tra", Some("train")),
            ("t", Some("tr")),
            ("ready", Some("deployment/web")),
            ("web", None),
            ("nothing", None),
        ] {
            assert_eq!(tab(search).as_deref(), expected, "{search}");
        }
    }
}
