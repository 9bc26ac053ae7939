//! Reads keys from the console of Windows, event by event.
//!
//! console's own reader (0.16) takes no Backspace, Tab or Esc in a hidden line.

use std::io;
use std::time::{Duration, Instant};

use console::Key;
use crossterm_winapi::{Console, InputRecord, KeyEventRecord};

use super::press::{Direction, KeyEvent, Presses, Shift};
use crate::ui::keyboard;

/// The bit of a held Shift key.
const SHIFT: u32 = 0x10;

/// The pause between two looks for a key.
const PAUSE: Duration = Duration::from_millis(5);

/// Reads the next key.
pub(super) fn read() -> io::Result<Key> {
    let (key, _) = Keyboard::new()?.next()?;
    if key == Key::CtrlC {
        // Drops the rest of a paste: it must not reach the shell.
        Keyboard::new()?.drop_typed()?;
    }
    Ok(key)
}

pub(super) struct Keyboard {
    console: Console,
    presses: Presses,
}

impl Keyboard {
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self { console: keyboard::events()?, presses: Presses::default() })
    }

    /// Waits for the next key. Returns how often it was pressed, too.
    pub(super) fn next(&mut self) -> io::Result<(Key, u16)> {
        loop {
            if let Some(pressed) = self.next_event()? {
                return Ok(pressed);
            }
        }
    }

    /// Waits for a key for some time, and reports whether one came.
    pub(super) fn has_more_within(&mut self, moment: Duration) -> io::Result<bool> {
        let end = Instant::now() + moment;
        loop {
            while self.console.number_of_console_input_events()? > 0 {
                if self.next_event()?.is_some() {
                    return Ok(true);
                }
            }
            if Instant::now() >= end {
                return Ok(false);
            }
            std::thread::sleep(PAUSE);
        }
    }

    /// Drops what was typed and not read.
    pub(super) fn drop_typed(&mut self) -> io::Result<()> {
        self.presses = Presses::default();
        self.console.read_console_input().map(drop)
    }

    fn next_event(&mut self) -> io::Result<Option<(Key, u16)>> {
        Ok(match self.console.read_single_input_event()? {
            InputRecord::KeyEvent(record) => self.presses.take(event(&record)),
            _ => None,
        })
    }
}

fn event(record: &KeyEventRecord) -> KeyEvent {
    KeyEvent {
        direction: if record.key_down { Direction::Down } else { Direction::Up },
        times: record.repeat_count,
        code: record.virtual_key_code,
        unit: record.u_char,
        shift: if record.control_key_state.has_state(SHIFT) { Shift::Held } else { Shift::Free },
    }
}
