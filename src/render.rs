//! Objects as text, in the forms that kubectl prints and reads back.

use serde::Serialize;
use serde_json::ser::PrettyFormatter;
use zeroize::Zeroizing;

/// JSON as kubectl prints it: four spaces, a newline at the end.
pub(crate) fn json(object: &impl Serialize) -> Zeroizing<Vec<u8>> {
    let mut text = Zeroizing::new(Vec::new());
    let mut serializer =
        serde_json::Serializer::with_formatter(&mut *text, PrettyFormatter::with_indent(b"    "));
    object.serialize(&mut serializer).expect("objects are trees of strings, numbers and booleans");
    text.push(b'\n');
    text
}

/// YAML that kubectl reads back exactly: what YAML 1.1 would take for a boolean, a number or a date is quoted, and no
/// line is folded.
pub(crate) fn yaml(object: &impl Serialize) -> Zeroizing<Vec<u8>> {
    let options = serde_saphyr::ser_options! { folded_wrap_chars: usize::MAX };
    let text = serde_saphyr::to_string_with_options(object, options)
        .expect("objects are trees of strings, numbers and booleans");
    let mut text = Zeroizing::new(text.into_bytes());
    if text.last() != Some(&b'\n') {
        text.push(b'\n');
    }
    text
}
