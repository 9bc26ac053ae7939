//! Reads a hidden value from the console of Windows.

use std::io;
use std::time::Duration;

use console::Key;

use super::super::answer::PromptError;
use super::super::press;
use super::super::windows_keys::Keyboard;
use super::typed::{Entered, Next, Typed, several_lines};

/// How long the rest of a paste may take to follow.
const MOMENT: Duration = Duration::from_millis(100);

/// Reads up to Enter. Drops what was typed before the question.
pub(super) fn read(ask: impl FnOnce() -> io::Result<()>) -> Result<Entered, PromptError> {
    let mut keyboard = Keyboard::new()?;
    keyboard.drop_typed()?;
    ask()?;
    let mut typed = Typed::default();
    loop {
        let (key, times) = keyboard.next()?;
        if key == Key::Escape {
            return Err(PromptError::Back);
        }
        let bytes = press::bytes(&key).repeat(times.into());
        let end = bytes.into_iter().map(|byte| typed.take(byte)).find(|next| !matches!(next, Next::More));
        match end {
            None | Some(Next::More) => {}
            Some(Next::Enter) => break,
            Some(Next::Cancelled | Next::Refused) => {
                keyboard.drop_typed()?;
                return Err(PromptError::Cancelled);
            }
        }
    }
    if !keyboard.has_more_within(MOMENT)? {
        return Ok(typed.entered());
    }
    while keyboard.has_more_within(MOMENT)? {}
    Err(PromptError::Refused(several_lines()))
}
