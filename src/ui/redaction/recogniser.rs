//! Recognises values by salted hashes of their pieces, from which a value can't be read. The salt changes
//! with every run.

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};

use super::decoding::{base32s, decodings, hidden_texts, squeezed, unescaped};

/// The bytes that a text must share with a value to count as quoting it.
const PIECE: usize = 8;
/// The shortest value that is hidden, in bytes. A shorter one is part of ordinary words, and hiding it would
/// only make lines unreadable.
const SHORTEST: usize = 4;
/// Above this length, in bytes, only every fourth piece is known: that finds any 11 bytes.
const LONG: usize = 256;
const STRIDE: usize = 4;
/// The most hashes, of 8 bytes each. Beyond them no more values of lists are learnt.
const MOST: usize = 200_000;

#[derive(Default)]
pub(super) struct Recogniser {
    salt: RandomState,
    pieces: HashSet<u64>,
    /// Values that have no whole piece, in lower case.
    words: HashSet<u64>,
    is_full: bool,
}

impl Recogniser {
    /// Learns a value, without white space at its ends: the last line end, for example, is often lost on the
    /// way.
    pub(super) fn learn(&mut self, value: &[u8]) {
        let value = value.trim_ascii();
        self.learn_text(value);
        for text in hidden_texts(value) {
            self.learn_text(&text);
        }
    }

    /// Learns one of thousands of values, if there is room.
    pub(super) fn learn_if_there_is_room(&mut self, value: &[u8]) {
        self.is_full |= self.pieces.len() + self.words.len() >= MOST;
        if !self.is_full {
            self.learn(value);
        }
    }

    /// Reports whether all values were learnt.
    pub(super) fn has_room(&self) -> bool {
        !self.is_full
    }

    fn learn_text(&mut self, text: &[u8]) {
        match text.len() {
            0..SHORTEST => {}
            SHORTEST..PIECE => {
                self.words.insert(self.salt.hash_one(text.to_ascii_lowercase().as_slice()));
            }
            length => {
                let stride = if length > LONG { STRIDE } else { 1 };
                let squeezed = squeezed(text);
                let texts = if squeezed == text { vec![text] } else { vec![text, &squeezed] };
                let pieces = texts.into_iter().flat_map(|text| text.windows(PIECE).step_by(stride));
                self.pieces.extend(pieces.map(|piece| self.salt.hash_one(piece)));
            }
        }
    }

    /// Reports whether a text contains a piece of a value, plain, split or encoded, that is not a part of the
    /// `plain` texts too.
    pub(super) fn finds_in(&self, text: &[u8], plain: &[&str]) -> bool {
        let plain = [plain.join("\n").into_bytes(), squeezed(plain.join("\n").as_bytes())];
        let is_plain =
            |piece: &[u8]| plain.iter().any(|text| text.windows(piece.len()).any(|at| at == piece));
        let is_piece = |piece: &[u8]| self.pieces.contains(&self.salt.hash_one(piece)) && !is_plain(piece);
        let is_value = |word: &[u8]| {
            self.words.contains(&self.salt.hash_one(word.to_ascii_lowercase().as_slice())) && !is_plain(word)
        };
        let has_piece = |text: &[u8]| text.windows(PIECE).any(is_piece);
        let has = |text: &Vec<u8>| has_piece(text) || has_piece(&squeezed(text));
        let mut written = vec![text.to_vec(), unescaped(text)];
        written.push(unescaped(&written[1]));
        written.dedup();
        let decoded: Vec<_> = written.iter().flat_map(|text| decodings(text)).collect();
        let twice: Vec<_> = decoded.iter().flat_map(|text| decodings(text)).collect();
        let base32: Vec<_> = written.iter().flat_map(|text| base32s(text)).collect();
        let reversed: Vec<_> =
            written.iter().map(|text| text.iter().rev().copied().collect::<Vec<u8>>()).collect();
        // Decoded text begins anywhere. In written text a part of a word is not a value.
        written.iter().chain(&reversed).any(|text| has(text) || whole_words(text).any(is_value))
            || decoded.iter().chain(&twice).chain(&base32).any(|text| has(text) || words(text).any(is_value))
    }
}

/// Returns all parts of a text that are as long as a value without a whole piece.
fn words(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    (SHORTEST..PIECE).flat_map(|length| text.windows(length))
}

/// Returns those of them that are not part of a longer word.
fn whole_words(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let is_letter = |at: usize| text.get(at).is_some_and(u8::is_ascii_alphanumeric);
    let joined = move |at: usize| at > 0 && is_letter(at - 1) && is_letter(at);
    (SHORTEST..PIECE).flat_map(move |length| {
        let parts = text.windows(length).enumerate();
        parts.filter(move |(at, _)| !joined(*at) && !joined(at + length)).map(|(_, part)| part)
    })
}
