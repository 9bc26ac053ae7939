//! Understands the key events of Windows' console.

use console::Key;

/// Virtual key codes of keys without a character.
const ALT: u16 = 0x12;
const NAMED: [(u16, Key); 9] = [
    (0x21, Key::PageUp),
    (0x22, Key::PageDown),
    (0x23, Key::End),
    (0x24, Key::Home),
    (0x25, Key::ArrowLeft),
    (0x26, Key::ArrowUp),
    (0x27, Key::ArrowRight),
    (0x28, Key::ArrowDown),
    (0x2e, Key::Del),
];

/// A key that went down or up.
#[derive(Clone, Copy)]
pub(super) struct KeyEvent {
    pub(super) direction: Direction,
    /// How often a key that is held down counts.
    pub(super) times: u16,
    /// The key itself.
    pub(super) code: u16,
    /// Its character, a unit of UTF-16; 0 for none.
    pub(super) unit: u16,
    pub(super) shift: Shift,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    Down,
    Up,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Shift {
    Held,
    Free,
}

/// The presses of keys, of which a character may take two.
#[derive(Default)]
pub(super) struct Presses {
    first_half: Option<u16>,
}

impl Presses {
    /// Returns the key that an event completes, and how often it was pressed; none if there is more to come, or it
    /// stands for nothing.
    pub(super) fn take(&mut self, event: KeyEvent) -> Option<(Key, u16)> {
        // A character typed by its number arrives as Alt goes up.
        let counts = event.direction == Direction::Down || (event.code == ALT && event.unit != 0);
        if !counts {
            return None;
        }
        let key = if event.unit == 0 { named(event.code) } else { self.character(event) };
        key.map(|key| (key, event.times.max(1)))
    }

    fn character(&mut self, event: KeyEvent) -> Option<Key> {
        let units = [self.first_half.take().unwrap_or_default(), event.unit];
        let units = if units[0] == 0 { &units[1..] } else { &units[..] };
        let mut chars = char::decode_utf16(units.iter().copied()).filter_map(Result::ok);
        let Some(char) = chars.next() else {
            self.first_half = (0xd800..0xdc00).contains(&event.unit).then_some(event.unit);
            return None;
        };
        Some(match char {
            '\r' | '\n' => Key::Enter,
            '\t' if event.shift == Shift::Held => Key::BackTab,
            '\t' => Key::Tab,
            '\u{8}' | '\u{7f}' => Key::Backspace,
            '\u{1b}' => Key::Escape,
            // Ctrl-A, Ctrl-E and Ctrl-C.
            '\u{1}' => Key::Home,
            '\u{5}' => Key::End,
            '\u{3}' => Key::CtrlC,
            char => Key::Char(char),
        })
    }
}

fn named(code: u16) -> Option<Key> {
    NAMED.into_iter().find(|(known, _)| *known == code).map(|(_, key)| key)
}

/// Returns the bytes that a terminal sends for a key of a hidden value; none for one that is no part of a value and
/// does not edit it.
pub(super) fn bytes(key: &Key) -> Vec<u8> {
    match key {
        Key::Enter => vec![b'\r'],
        Key::Tab => vec![b'\t'],
        Key::Backspace => vec![0x7f],
        Key::CtrlC => vec![0x03],
        Key::Char(char) => char.encode_utf8(&mut [0; 4]).as_bytes().to_vec(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn down(code: u16, unit: u16) -> KeyEvent {
        KeyEvent { direction: Direction::Down, times: 1, code, unit, shift: Shift::Free }
    }

    fn keys(events: &[KeyEvent]) -> Vec<Key> {
        let mut presses = Presses::default();
        events.iter().filter_map(|event| presses.take(*event)).map(|(key, _)| key).collect()
    }

    #[test]
    fn a_key_counts_as_it_goes_down() {
        let up = KeyEvent { direction: Direction::Up, ..down(0x41, u16::from(b'a')) };
        assert_eq!(keys(&[down(0x41, u16::from(b'a')), up]), [Key::Char('a')]);
        let held = KeyEvent { times: 3, ..down(0x41, u16::from(b'a')) };
        assert_eq!(Presses::default().take(held), Some((Key::Char('a'), 3)));
        // Shift, Ctrl and Alt alone.
        assert_eq!(keys(&[down(0x10, 0), down(0x11, 0), down(0x12, 0)]), []);
    }

    #[test]
    fn keys_that_edit_are_known_by_their_character() {
        for (unit, key) in [
            (0x08, Key::Backspace),
            (0x7f, Key::Backspace),
            (0x0d, Key::Enter),
            (0x09, Key::Tab),
            (0x1b, Key::Escape),
            (0x03, Key::CtrlC),
            (0x04, Key::Char('\u{4}')),
        ] {
            assert_eq!(keys(&[down(0, unit)]), [key]);
        }
        let back = KeyEvent { shift: Shift::Held, ..down(0x09, 0x09) };
        assert_eq!(keys(&[back, down(0x26, 0)]), [Key::BackTab, Key::ArrowUp]);
    }

    #[test]
    fn a_character_of_two_units_is_one_and_half_of_one_is_none() {
        let [high, low] = [0xd83d, 0xde00].map(|unit| down(0xe7, unit));
        assert_eq!(keys(&[high, low]), [Key::Char('😀')]);
        assert_eq!(keys(&[low, high, down(0x41, 0x61)]), [Key::Char('a')]);
        assert_eq!(keys(&[high, high, low]), [Key::Char('😀')]);
    }

    #[test]
    fn a_character_typed_by_its_number_arrives_with_alt() {
        let alt = KeyEvent { direction: Direction::Up, ..down(ALT, 0xe4) };
        assert_eq!(keys(&[down(ALT, 0), down(0x60, 0), alt]), [Key::Char('ä')]);
    }

    #[test]
    fn a_hidden_value_gets_what_a_terminal_would_send() {
        assert_eq!(bytes(&Key::Char('ä')), "ä".as_bytes());
        assert_eq!(bytes(&Key::Tab), b"\t");
        assert_eq!(bytes(&Key::Backspace), b"\x7f");
        assert_eq!(bytes(&Key::Enter), b"\r");
        for silent in [Key::ArrowUp, Key::Home, Key::Del, Key::BackTab] {
            assert_eq!(bytes(&silent), b"");
        }
    }
}
