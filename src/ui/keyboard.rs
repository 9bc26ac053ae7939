//! The keyboard of Windows' console.

use std::io;

use crossterm_winapi::{Console, ConsoleMode, Handle};

/// Ctrl-C ends programs, lines are edited and shown by the console, keys come as escape sequences.
const COOKED: u32 = 0x1 | 0x2 | 0x4 | 0x200;

/// Returns the keyboard, even if standard input is something else.
pub(super) fn events() -> io::Result<Console> {
    Ok(Console::from(Handle::current_in_handle()?))
}

/// Has every key come as an event, Ctrl-C too. Returns the modes from before.
pub(super) fn for_keys() -> io::Result<u32> {
    let before = modes()?.mode()?;
    set_modes(before & !COOKED)?;
    Ok(before)
}

/// Sets the modes that `for_keys` returned.
pub(super) fn set_modes(before: u32) -> io::Result<()> {
    modes()?.set_mode(before)
}

fn modes() -> io::Result<ConsoleMode> {
    Ok(ConsoleMode::from(Handle::current_in_handle()?))
}
