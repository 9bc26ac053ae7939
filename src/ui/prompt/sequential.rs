//! Asks questions one line after the other: nothing is redrawn, and the terminal itself edits the answer.

use std::io::{self, Write};

use console::Term;

use super::answer::{self, PromptError};
use super::ranking::{Row, fits, is_the_name};
use super::{Proposal, Word};

/// The most choices that are listed; a part of the name finds the others.
const MOST_LINES: usize = 30;

const NONE_OF_THAT_NAME: &str = "No choice has that name or number; ? lists them.";

pub(super) fn confirm(question: &str, proposal: Proposal) -> Result<bool, PromptError> {
    let proposed = if proposal == Proposal::Yes { "yes" } else { "no" };
    loop {
        match answer(&format!("{question} (yes or no, Enter for {proposed})"))?.to_lowercase().as_str() {
            "y" | "yes" => return Ok(true),
            "n" | "no" => return Ok(false),
            "" => return Ok(proposal == Proposal::Yes),
            _ => say("Please type yes or no.")?,
        }
    }
}

/// Asks for a choice by its number, its name, or an unambiguous part of the name.
pub(super) fn pick(question: &str, choices: &[Row]) -> Result<usize, PromptError> {
    let all: Vec<usize> = (0..choices.len()).collect();
    show(choices, &all)?;
    loop {
        let answer = answer(&format!("{question} (number or name)"))?;
        match find(choices, &answer).as_slice() {
            [] if answer.is_empty() || answer == "?" => show(choices, &all)?,
            [] => say(NONE_OF_THAT_NAME)?,
            [only] if choices[*only].name != answer => {
                say(&choices[*only].name)?;
                return Ok(*only);
            }
            [only] => return Ok(*only),
            several => show(choices, several)?,
        }
    }
}

/// Asks for choices as [`pick`] does, with a comma after each but the last.
pub(super) fn pick_several(question: &str, choices: &[Row]) -> Result<Vec<usize>, PromptError> {
    let all: Vec<usize> = (0..choices.len()).collect();
    show(choices, &all)?;
    'asked: loop {
        let answer = answer(&format!("{question} (numbers or names, with commas between them)"))?;
        if answer.is_empty() || answer == "?" {
            show(choices, &all)?;
            continue;
        }
        let mut picked = Vec::new();
        for part in answer.split(',').map(str::trim) {
            match find(choices, part).as_slice() {
                [] => {
                    say(NONE_OF_THAT_NAME)?;
                    continue 'asked;
                }
                [only] => picked.push(*only),
                several => {
                    show(choices, several)?;
                    continue 'asked;
                }
            }
        }
        picked.sort_unstable();
        picked.dedup();
        let names: Vec<&str> = picked.iter().map(|at| choices[*at].name.as_str()).collect();
        if names.join(", ") != answer {
            say(&names.join(", "))?;
        }
        return Ok(picked);
    }
}

pub(super) fn word(question: &str, word: &Word) -> Result<String, PromptError> {
    let mut proposal = word.proposal.clone();
    loop {
        let mut answer = answer(&answer::with_proposal(question, &proposal))?;
        if answer.is_empty() {
            answer.clone_from(&proposal);
        }
        match word.judged(&answer) {
            Ok(()) => return Ok(answer),
            Err((why, legal)) => {
                say(&why)?;
                proposal = legal.unwrap_or_else(|| word.proposal.clone());
            }
        }
    }
}

/// Returns the choices that an answer may mean.
fn find(choices: &[Row], answer: &str) -> Vec<usize> {
    if answer.is_empty() {
        return Vec::new();
    }
    let named = choices.iter().position(|choice| choice.name == answer);
    let numbered = || {
        // `060` is more likely a part of a name.
        let number: usize = answer.parse().ok().filter(|_| !answer.starts_with('0'))?;
        number.checked_sub(1).filter(|at| *at < choices.len())
    };
    if let Some(at) = named.or_else(numbered) {
        return vec![at];
    }
    let is = |fit: fn(&str, &str) -> bool| -> Vec<usize> {
        (0..choices.len()).filter(|at| fit(&choices[*at].name, answer)).collect()
    };
    let named = is(is_the_name);
    if named.len() == 1 {
        return named;
    }
    Some(is(fits)).filter(|fitting| !fitting.is_empty()).unwrap_or_else(|| {
        (0..choices.len()).filter(|at| choices[*at].words.split(' ').any(|word| word == answer)).collect()
    })
}

fn show(choices: &[Row], which: &[usize]) -> io::Result<()> {
    for at in which.iter().take(MOST_LINES) {
        let Row { name, about, .. } = &choices[*at];
        let about = if about.is_empty() { String::new() } else { format!(": {about}") };
        say(&format!("{}. {name}{about}", at + 1))?;
    }
    match which.len().saturating_sub(MOST_LINES) {
        0 => Ok(()),
        more => say(&format!("{more} more; type a part of the name")),
    }
}

fn answer(question: &str) -> Result<String, PromptError> {
    crate::ui::terminal::draw(&Term::stderr(), &format!("{question}: "))?;
    let mut line = String::new();
    let is_end = io::stdin().read_line(&mut line)? == 0;
    if is_end {
        return Err(PromptError::Cancelled);
    }
    // Esc is an ordinary character on a terminal that edits lines.
    if line.contains('\x1b') {
        return Err(PromptError::Back);
    }
    Ok(line.trim().to_owned())
}

fn say(line: &str) -> io::Result<()> {
    io::stderr().write_all(format!("{line}\n").as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_a_name_a_number_or_a_part_of_a_name() {
        let choice = |name: &str| Row::from((name, ""));
        let choices = [
            choice("web"),
            choice("web-2"),
            choice("train"),
            choice("1"),
            choice("job/web-3"),
            choice("a b"),
            Row { words: "rotate renew".to_owned(), ..choice("set") },
        ];
        for (answer, expected) in [
            ("web", vec![0]),
            ("2", vec![1]),
            // A name goes before a number.
            ("1", vec![3]),
            ("eb", vec![0, 1, 4]),
            ("tr", vec![2]),
            ("web-3", vec![4]),
            ("b a", vec![5]),
            ("renew", vec![6]),
            ("0", vec![]),
            ("02", vec![]),
            ("8", vec![]),
            ("", vec![]),
        ] {
            assert_eq!(find(&choices, answer), expected, "{answer}");
        }
    }
}
