use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

type Values = BTreeMap<String, SecretValue>;

fn values(entries: &[(&str, &str)]) -> Values {
    let value = |text: &str| SecretValue::from_bytes(text.as_bytes().to_vec());
    entries.iter().map(|(key, text)| ((*key).to_owned(), value(text))).collect()
}

fn written(values: &Values) -> String {
    let entries = values.iter().map(|(key, value)| (key.as_str(), value)).collect();
    String::from_utf8(text("", &entries).expose().to_vec()).unwrap()
}

fn read_text(text: &str) -> Result<Values, Vec<Mistake>> {
    read(text.as_bytes(), |key| key == "left.out")
}

fn texts(values: &Values) -> Vec<(&str, &str)> {
    let text = |value| std::str::from_utf8(SecretValue::expose(value)).unwrap();
    values.iter().map(|(key, value)| (key.as_str(), text(value))).collect()
}

#[track_caller]
fn assert_survives(entries: &[(&str, &str)]) {
    let text = written(&values(entries));
    let read = read_text(&text).unwrap_or_else(|mistakes| panic!("{mistakes:?} in {text}"));
    assert_eq!(texts(&read), entries, "{text}");
    // Any other reader of YAML reads the same.
    let by_serde: BTreeMap<String, String> = serde_saphyr::from_str(&text).unwrap();
    let by_serde: Vec<(&str, &str)> =
        by_serde.iter().map(|(key, text)| (key.as_str(), text.as_str())).collect();
    assert_eq!(by_serde, entries, "{text}");
}

#[track_caller]
fn assert_reads(text: &str, expected: &[(&str, &str)]) {
    let read = read_text(text).unwrap_or_else(|mistakes| panic!("{text:?}: {mistakes:?}"));
    assert_eq!(texts(&read), expected, "{text:?}");
}

#[track_caller]
fn mistakes(text: &str) -> Vec<usize> {
    let mistakes = read_text(text).err().unwrap_or_else(|| panic!("{text:?} is refused"));
    assert!(mistakes.iter().all(|mistake| !mistake.what.contains("CANARY")), "{mistakes:?}");
    mistakes.iter().map(|mistake| mistake.line).collect()
}

#[test]
fn values_have_the_simplest_form_that_cannot_be_mistaken() {
    for (value, expected) in [
        ("hf_Abc-1", "k: hf_Abc-1\n"),
        ("postgres://u:p@h/db?x=1#y", "k: postgres://u:p@h/db?x=1#y\n"),
        ("two words", "k: two words\n"),
        ("", "k: \"\"\n"),
        ("1234", "k: \"1234\"\n"),
        ("yes", "k: \"yes\"\n"),
        ("a: b", "k: \"a: b\"\n"),
        ("a #b", "k: \"a #b\"\n"),
        (" a ", "k: \" a \"\n"),
        ("$x", "k: \"$x\"\n"),
        ("{\"a\": 1}", "k: |-\n  {\"a\": 1}\n"),
        ("a\nb", "k: |-\n  a\n  b\n"),
        ("a\n\n b\n", "k: |\n  a\n\n   b\n"),
        (" a\nb\n", "k: |2\n   a\n  b\n"),
        ("a\r\n b \r\n", "k: \"\\\n  a\\r\\n\\\n  \\ b \\r\\n\"\n"),
        ("a\n\n", "k: \"\\\n  a\\n\\\n  \\n\"\n"),
        ("a\u{1b}[1m", "k: \"a\\x1B[1m\"\n"),
        ("\u{202e}x\u{fffe}", "k: \"\\u202Ex\\uFFFE\"\n"),
    ] {
        let data = values(&[("k", value)]);
        assert_eq!(written(&data), expected);
        assert_survives(&[("k", value)]);
    }
    assert_survives(&[("-", "a"), ("123", "b"), ("NO", "c"), ("_.-", "d")]);
}

#[test]
fn texts_that_yaml_stumbles_over_are_read_back() {
    for value in [
        "---",
        "...",
        "--- a\n",
        "a\n---\nb\n...\n",
        "# x",
        "a\n# b\n",
        "|",
        ">",
        "- a",
        "? a",
        "a:",
        "&a",
        "*a",
        "!a",
        "%a",
        "@a",
        "`a",
        "'",
        "\"",
        "\\",
        "\\n",
        "\t",
        "\ta\n\tb\n",
        "a\t",
        "a \nb",
        "\n",
        "\n\n",
        "\na",
        " ",
        "  \n  ",
        "\r",
        "a\rb",
        "\u{feff}a",
        "\u{85}",
        "\u{2028}",
        "é",
        "日本語",
        "\u{1f600}",
        "\u{7f}",
        "\u{1}",
        "~",
        "null",
        "0x1F",
        "1e3",
        "2001-01-01",
        "[a]",
        "{a}",
        "<<",
        "=",
        "a: b: c",
        "a\n\n\nb\n",
        "\u{a0}a",
    ] {
        assert_survives(&[("k", value), ("l", "next")]);
        assert_survives(&[("a", "before"), ("k", value)]);
    }
}

#[test]
fn each_value_is_the_text_that_stands_there() {
    assert_reads(
        "# c\na: yes\nb: 0777\nc: null\nd:\ne: ~\nf: 'it''s'\ng: \"\\t\" # c\nh: |\n  # no comment\n  x\n",
        &[
            ("a", "yes"),
            ("b", "0777"),
            ("c", "null"),
            ("d", ""),
            ("e", "~"),
            ("f", "it's"),
            ("g", "\t"),
            ("h", "# no comment\nx\n"),
        ],
    );
    assert_reads("a:\n  below\nb: >\n  folded\n  text\n", &[("a", "below"), ("b", "folded text\n")]);
    assert_reads("{}\n", &[]);
    assert_reads("{\"a\": \"b\", \"c\": \"d\"}", &[("a", "b"), ("c", "d")]);
    assert_reads("", &[]);
    // One editor ends lines as Windows does, another removes the last line's end.
    assert_reads("a: b\r\nc: |\r\n  d\r\n  e\r\n", &[("a", "b"), ("c", "d\ne\n")]);
    assert_reads("c: |\n  d", &[("c", "d\n")]);
    assert_reads("\u{feff}a: b\n", &[("a", "b")]);
}

#[test]
fn what_would_silently_be_something_else_is_a_mistake() {
    for (text, lines) in [
        ("a: CANARY #CANARY\n", &[1][..]),
        ("x: y\na: #CANARY\nb: c\n", &[2]),
        ("a: CANARY\n  CANARY\n", &[1]),
        ("a: &CANARY x\n", &[1]),
        ("a: !CANARY x\n", &[1]),
        ("a: b\nc: *CANARY\n", &[2]),
        ("a: [CANARY, b]\nc: {CANARY: [x]}\nd: e\n", &[1, 2]),
        ("a: b\nCANARY! x: c\nd: e\n", &[2]),
        ("a: b\n..CANARY: c\nleft.out: d\na: e\n", &[2, 3, 4]),
        ("a: \"CANARY\nb: c\n", &[1]),
        ("a: CANARY: b\n", &[1]),
        ("a: b\nCANARY\nc: d\n", &[2]),
        ("CANARY\n", &[1]),
        ("- CANARY\n", &[1]),
        ("a: b\n---\nc: d\n", &[2]),
        ("a: |\n  x\n CANARY\n", &[3]),
    ] {
        assert_eq!(mistakes(text), lines, "{text:?}");
    }
    let not_utf8 = read(b"a: b\nc: \xff", |_| false).err().unwrap();
    assert_eq!(not_utf8[0].line, 2);
}

#[test]
fn a_value_with_a_zero_byte_or_no_text_is_not_edited() {
    let is_editable = |bytes: &[u8]| super::is_editable(&SecretValue::from_bytes(bytes.to_vec()));
    assert!(is_editable(b"a\x01\r\n") && is_editable(b""));
    assert!(!is_editable(b"a\0") && !is_editable(b"\xff"));
}

/// Texts with all characters special to YAML, editors or terminals, far more often than by chance.
fn sharp() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "\n",
        "\n",
        " ",
        " ",
        "\t",
        "\r",
        "\r\n",
        "#",
        " #",
        ": ",
        ":",
        "---",
        "...",
        "\n---\n",
        "- ",
        "'",
        "\"",
        "\\",
        "|",
        ">",
        "&",
        "*",
        "!",
        "%",
        "@",
        "`",
        "{",
        "}",
        "[",
        "]",
        ",",
        "a",
        "b",
        "é",
        "\u{feff}",
        "\u{85}",
        "\u{2028}",
        "\u{1b}",
        "\u{7f}",
        "\u{fffe}",
        "\u{1f600}",
        "0",
        "yes",
    ]);
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]
    #[test]
    fn any_text_is_read_back_to_the_byte(
        a in "[^\0]*",
        b in sharp(),
        c in sharp(),
        key in "[-_a-zA-Z0-9][-._a-zA-Z0-9]{0,8}",
    ) {
        prop_assume!(!["a", "b", "c"].contains(&key.as_str()));
        let mut entries = vec![("a", a.as_str()), ("b", &b), ("c", &c), (&key, &b)];
        entries.sort_unstable();
        assert_survives(&entries);
    }

    #[test]
    fn any_file_is_read_or_refused_without_a_panic(bytes in any::<Vec<u8>>(), text in sharp()) {
        let _ = (read(&bytes, |_| false), read(text.as_bytes(), |_| false));
    }
}
