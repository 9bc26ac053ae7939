use proptest::prelude::*;

use super::*;
use crate::secret::contents::Contents;

fn read(bytes: &[u8]) -> Result<Contents> {
    let mut contents = Contents::default();
    add_all(&mut Lines::in_a_test(&mut contents, ".env"), bytes).map(|()| contents)
}

#[track_caller]
fn assert_reads(file: &str, expected: &[(&str, &str)]) {
    let contents = read(file.as_bytes()).unwrap_or_else(|error| panic!("{file:?}: {error}"));
    let text = |value: &SecretValue| String::from_utf8(value.expose().to_vec()).unwrap();
    let found: Vec<_> = contents.data.iter().map(|(key, value)| (key.clone(), text(value))).collect();
    let expected: Vec<_> =
        expected.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    assert_eq!(found, expected, "{file:?}");
}

#[test]
fn a_plain_value_ends_at_the_line_or_at_a_comment() {
    assert_reads(
        "A=1\nB = two words  # c\nC=a#b\nD=#x\nE= #x\nF=\n",
        &[("A", "1"), ("B", "two words"), ("C", "a#b"), ("D", "#x"), ("E", ""), ("F", "")],
    );
}

#[test]
fn export_blank_lines_comments_and_a_byte_order_mark_say_nothing() {
    assert_reads(
        "\u{feff}\n # c\n\texport A=1\r\nexport\tB=2\rexported=3\n",
        &[("A", "1"), ("B", "2"), ("exported", "3")],
    );
}

#[test]
fn between_single_quotes_nothing_is_special() {
    assert_reads("A='a \\n #$b \"c\"' # c\n", &[("A", "a \\n #$b \"c\"")]);
    assert_reads("A='C:\\dir\\'", &[("A", "C:\\dir\\")]);
}

#[test]
fn between_double_quotes_escapes_are_read_and_other_backslashes_stay() {
    assert_reads(r#"A="\n\r\t\"\\\$\`\'|\w\é" # c"#, &[("A", "\n\r\t\"\\$`'|\\w\\é")]);
}

#[test]
fn a_quoted_value_may_have_several_lines() {
    let expected = &[("A", "-----BEGIN-----\nx=y # z\n-----END-----\n"), ("B", "2")];
    assert_reads("A=\"-----BEGIN-----\nx=y # z\n-----END-----\n\"\nB=2", expected);
    assert_reads("A='-----BEGIN-----\r\nx=y # z\r\n-----END-----\r\n'\r\nB=2", expected);
}

#[test]
fn a_dollar_sign_is_never_expanded() {
    assert_reads("A=$HOME\nB=\"${A}$(id)\"\n", &[("A", "$HOME"), ("B", "${A}$(id)")]);
}

#[test]
fn a_quote_in_the_middle_is_part_of_a_plain_value() {
    assert_reads("A=it's\nB=a\"b\"\n", &[("A", "it's"), ("B", "a\"b\"")]);
}

#[test]
fn an_error_names_the_line_where_it_starts_and_none_of_its_text() {
    for (bad, line) in [
        ("A=1\nCANARY", 2),
        ("A=1\nexport CANARY", 2),
        ("A=1\nCANARY: 1", 2),
        ("A=1\nCANARY CANARY=1", 2),
        ("A=1\n1CANARY=1", 2),
        ("A=1\n=CANARY", 2),
        ("A=1\nB=\"CANARY\nCANARY\n", 2),
        ("A=1\nB='CANARY\\'CANARY'", 2),
        ("A=1\nB=\"x\nx\" CANARY", 3),
        ("A=1\nB=`CANARY`", 2),
        ("A=\"\n\n\"\nA=CANARY", 4),
    ] {
        let refusal = read(bad.as_bytes()).err().unwrap_or_else(|| panic!("{bad:?} is refused")).to_string();
        assert!(refusal.starts_with(&format!("error: .env, line {line}: ")), "{bad:?}: {refusal}");
        assert!(!refusal.contains("CANARY"), "{refusal}");
    }
    let refusal = read(b"A=1\n\nB=CANARY\xff").err().unwrap().to_string();
    assert!(refusal.starts_with("error: .env, line 3: invalid utf8 bytes\n"), "{refusal}");
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused_without_a_panic(bytes in any::<Vec<u8>>(), text in "([A-C]=|[\"'#\\\\ \n\r`a-c]){0,30}") {
        let _ = (read(&bytes), read(text.as_bytes()));
    }

    #[test]
    fn any_value_survives_between_double_quotes(value in any::<String>(), more in any::<String>()) {
        let quoted = |value: &str| value.replace('\\', "\\\\").replace('"', "\\\"").replace('\r', "\\r");
        let contents = read(format!("A=\"{}\"\nB=\"{}\" # c", quoted(&value), quoted(&more)).as_bytes()).ok().unwrap();
        prop_assert_eq!(contents.data["A"].expose(), value.as_bytes());
        prop_assert_eq!(contents.data["B"].expose(), more.as_bytes());
    }

    #[test]
    fn any_value_without_its_quote_survives_between_single_quotes(value in "[^'\r]*") {
        let contents = read(format!("A='{value}'").as_bytes()).ok().unwrap();
        prop_assert_eq!(contents.data["A"].expose(), value.as_bytes());
    }

    #[test]
    fn no_error_holds_a_piece_of_a_line(line in "[ -~]{8,40}") {
        if let Err(error) = read(format!("{line}\n").as_bytes()) {
            let said = error.to_string();
            prop_assert!(!line.as_bytes().windows(8).any(|piece| said.contains(str::from_utf8(piece).unwrap())));
        }
    }
}
