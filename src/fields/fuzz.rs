//! Fuzz target: templates of fields, over objects that anybody may have made.

use super::*;
use crate::fuzz::{CANARY, assert_linear, feed};

const SEEDS: [&str; 12] = [
    "jsonpath={.items[*].metadata.name}",
    "jsonpath={range .items[*]}{.name}{\"\\t\"}{range .ports[*]}{.p},{end}{\"\\n\"}{end}",
    "jsonpath={.data['tls\\.crt']} {.data.tls\\.crt}",
    "jsonpath={.items[?(@.metadata.labels.run\\.ai/x==\"1\")].n}",
    "jsonpath={.items[?(@.n>=2)]['name','n']}{..name}",
    "jsonpath={.items[-1:]}{.items[::2]}{.items[0,1].*}",
    "jsonpath=.items[0]",
    "jsonpath={$..*}{@}{'it\\'s'}{\"\\x41\\101\\u00e9\"}{true}{-1.5}",
    "custom-columns=NAME:.name,N:{.n},L:metadata.labels",
    "jsonpath={.items[?(@.x)]}{.items[?(@.name!='a')]}{end}",
    "go-template={{.x}}",
    "jsonpath={[*,*][*,*][*,*]}",
];

const WORDS: [&str; 24] = [
    "{",
    "}",
    "[",
    "]",
    "{range ",
    "{end}",
    "..",
    ".*",
    "[*]",
    "[?(@.",
    ")]",
    "==",
    "\"",
    "'",
    "\\",
    "\\.",
    "@",
    "$",
    ",",
    ":",
    "[*,*]",
    "[-1]",
    ".name",
    "custom-columns=",
];

const OBJECTS: [&str; 3] = [
    r#"{"kind":"List","items":[{"name":"a","n":1,"metadata":{"name":"x","labels":{"run.ai/x":"1"}},"ports":[{"p":1},{"p":2}]},{"name":"b\u001b","n":2.5,"x":null}],"data":{"tls.crt":"CA+NARY/"}}"#,
    r#"[[[[[[[[[[[["CA+NARY/"]]]]]]]]]]]] {"secrets":[],"unseen":[{"a":true}]} null "CA+NARY/" -7"#,
    r"{}",
];

#[test]
fn templates() {
    feed("templates", &SEEDS, &WORDS, |bytes| {
        let Ok(word) = std::str::from_utf8(bytes) else { return "not UTF-8".to_owned() };
        match Fields::of(word) {
            None => "another form".to_owned(),
            Some(Err(told)) => told,
            Some(Ok(fields)) => {
                let _ = fields.key_of_data(true).or(fields.key_of_data(false));
                // What was typed may be said again.
                let quoted = word.contains(CANARY);
                let said = OBJECTS.map(|object| outcome(&fields, object));
                assert!(quoted || !said.iter().any(|said| said.contains(CANARY)), "{said:?}");
                said.join(";")
            }
        }
    });
}

fn outcome(fields: &Fields, object: &str) -> String {
    match fields.chosen_from(object.as_bytes()) {
        Err(error) => error.to_string(),
        Ok(Chosen { content: Content::Text(text), absent }) => format!("{absent:?} {}", text.len()),
        Ok(Chosen { content: Content::Rows(rows), absent }) => {
            assert!(rows.iter().all(|row| row.len() == fields.headers().len()));
            format!("{absent:?} {} rows", rows.len())
        }
    }
}

#[test]
fn the_time_grows_with_the_template_and_with_the_object() {
    let object = OBJECTS[0];
    for part in [
        "{.a}",
        "{..a}",
        "{\"x\"}",
        "[0]",
        "{.a[?(@.b==1)]}",
        "{.a['b.c',",
        "{range .a}",
        "{.a\\.",
        "\\",
        "..",
        "[*,*]",
    ] {
        let read = |text: &str| {
            if let Some(Ok(fields)) = Fields::of(text) {
                let _ = fields.chosen_from(object.as_bytes());
            }
        };
        assert_linear(part, |length| format!("jsonpath={{{}}}", part.repeat(length)), read);
        assert_linear(part, |length| format!("jsonpath={}", part.repeat(length)), read);
    }
    let template = "{range .a[*]}{.n}{..n}{end}{.a[?(@.n>5)].n}{..n}";
    let Some(Ok(fields)) = Fields::of(&format!("jsonpath={template}")) else { panic!("{template}") };
    let objects = |length: usize| format!("{{\"a\":[{}{{}}]}}", "{\"n\":7,\"m\":[1,2]},".repeat(length));
    assert_linear("objects", objects, |text| {
        fields.chosen_from(text.as_bytes()).ok().unwrap();
    });
}
