use std::time::{Duration, Instant};

use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use proptest::prelude::*;

use super::*;

const VALUE: &str = "c4nary-in-the-coal-mine?>~/\\\"<&>\u{e9}";

fn knowing(values: &[&[u8]]) -> Redaction {
    let redaction = Redaction::default();
    for value in values {
        redaction.learn(value);
    }
    redaction
}

fn quoted(redaction: &Redaction, text: &str) -> String {
    redaction.quotable(text, &Topic::default())
}

#[track_caller]
fn is_hidden(redaction: &Redaction, text: &str) {
    assert_eq!(quoted(redaction, text), REPEATS, "{text}");
}

#[track_caller]
fn is_shown(redaction: &Redaction, text: &str) {
    assert_eq!(quoted(redaction, text), text);
}

fn bytes_as(form: impl Fn(u8) -> String, between: &str) -> String {
    VALUE.bytes().map(form).collect::<Vec<_>>().join(between)
}

fn base64(text: impl AsRef<[u8]>) -> String {
    BASE64_STANDARD.encode(text)
}

/// RFC 4648, section 6, without padding.
fn base32(bytes: &[u8]) -> String {
    let bits = bytes.iter().map(|byte| format!("{byte:08b}")).collect::<Vec<_>>().concat();
    let digits = split(&bits, 5, " ");
    let letter = |digit: &str| {
        let place = u8::from_str_radix(&format!("{digit:0<5}"), 2).unwrap();
        char::from(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"[usize::from(place)])
    };
    digits.split(' ').map(letter).collect()
}

/// A text in pieces of so many characters.
fn split(text: &str, length: usize, between: &str) -> String {
    let letters: Vec<char> = text.chars().collect();
    letters.chunks(length).map(String::from_iter).collect::<Vec<_>>().join(between)
}

/// The value in every form that somebody may write it in.
fn forms() -> Vec<String> {
    let chars = |form: fn(u32) -> String| VALUE.chars().map(|c| form(c.into())).collect::<String>();
    let mut forms = vec![
        VALUE.to_owned(),
        VALUE[2..12].to_owned(),
        serde_json::Value::from(VALUE).to_string(),
        serde_json::Value::from(serde_json::Value::from(VALUE).to_string()).to_string(),
        format!("{VALUE:?}"),
        base64(VALUE),
        base64(base64(VALUE)),
        base64(format!("x{VALUE}")),
        base64(format!("xy{VALUE}")),
        base64(VALUE)[3..20].to_owned(),
        split(&base64(VALUE), 4, "\n"),
        split(&base64(VALUE), 7, "-"),
        BASE64_URL_SAFE_NO_PAD.encode(VALUE),
        bytes_as(|byte| format!("{byte:02x}"), ""),
        bytes_as(|byte| format!("{byte:02X}"), ":"),
        bytes_as(|byte| format!("0x{byte:02x}"), ", "),
        bytes_as(|byte| format!("\\x{byte:02x}"), ""),
        bytes_as(|byte| format!("\\{byte:03o}"), ""),
        bytes_as(|byte| format!("%{byte:02X}"), ""),
        bytes_as(|byte| byte.to_string(), " "),
        bytes_as(|byte| byte.to_string(), ","),
        base64(bytes_as(|byte| format!("{byte:02x}"), "")),
        chars(|code| format!("\\u{code:04x}")),
        chars(|code| format!("\\U{code:08x}")),
        chars(|code| format!("&#{code};")),
        chars(|code| format!("&#x{code:x};")),
        form_urlencoded::byte_serialize(VALUE.as_bytes()).collect(),
        VALUE.to_uppercase(),
        VALUE.to_lowercase(),
        VALUE.chars().rev().collect(),
        VALUE.to_uppercase().chars().rev().collect(),
        bytes_as(|byte| format!("{byte:o}"), " "),
        bytes_as(|byte| format!("0{byte:o}"), ", "),
        bytes_as(|byte| format!("\\{byte:o}"), ""),
        base32(VALUE.as_bytes()),
        base32(format!("xyz{VALUE}").as_bytes()).to_lowercase(),
        VALUE.replace('-', "=2D"),
        VALUE.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;"),
    ];
    forms.extend((1..8).flat_map(|length| [" ", "|", "…\n"].map(|between| split(VALUE, length, between))));
    forms
}

#[test]
fn a_value_is_recognised_in_every_form_wherever_it_stands() {
    let redaction = knowing(&[VALUE.as_bytes()]);
    for form in forms() {
        is_hidden(&redaction, &form);
        is_hidden(&redaction, &format!("denied by policy: key=\"{form}\", see https://policy.example.com"));
    }
}

#[test]
fn nothing_is_recognised_where_nothing_is_known() {
    for form in forms() {
        is_shown(&Redaction::default(), &form);
    }
}

#[test]
fn eight_bytes_of_a_short_value_and_eleven_of_a_long_one_are_enough() {
    let long: Vec<u8> =
        (0..5000_u32).flat_map(|n| n.wrapping_mul(0x9E37_79B1).to_string().into_bytes()).collect();
    let redaction = knowing(&[b"c4nary-in-the-coal-mine", &long]);
    is_hidden(&redaction, "an odd nary-in- of");
    is_shown(&redaction, "an odd nary-in of");
    let text = std::str::from_utf8(&long).unwrap();
    for from in 20_000..20_020 {
        is_hidden(&redaction, &text[from..from + 11]);
    }
}

#[test]
fn a_value_of_less_than_eight_bytes_is_recognised_as_a_word() {
    let redaction = knowing(&[b"hunter2\n", b"p@ss!", b"abc"]);
    for text in [
        "denied: hunter2, 1",
        "HUNTER2",
        "2retnuh",
        "k=aHVudGVyMgo=",
        "k=68756e74657232",
        "is:p@ss!",
        "\\u0068unter2",
    ] {
        is_hidden(&redaction, text);
    }
    for text in ["hunter22", "shunter2", "abc"] {
        is_shown(&redaction, text);
    }
}

#[test]
fn what_api_servers_say_of_their_own_accord_is_shown_whatever_the_values_are() {
    let kubeconfig = b"contexts: [{context: {namespace: team-a, user: jane@example.com, resource: secrets}}]";
    let redaction = knowing(&[kubeconfig, b"team-a", b"secrets", b"jane@example.com", b"true"]);
    let names = "/api/v1/namespaces/team-a/secrets/hf?fieldManager=x hf";
    let topic = |values| Topic { names: names.to_owned(), values };
    for text in [
        "secrets \"hf\" is forbidden: User \"jane@example.com\" cannot create resource \"secrets\" in API group \"\" in the \
         namespace \"team-a\"",
        "secrets \"hf\" not found",
        "secrets \"hf\" already exists",
        "Operation cannot be fulfilled on secrets \"hf\": the object has been modified; please apply your changes to the \
         latest version and try again",
        "Too many requests, please try again later.",
        "Unauthorized",
    ] {
        assert_eq!(redaction.quotable(text, &topic(Values::Unknown)), text);
    }
    is_shown(
        &redaction,
        "admission webhook \"a.io\" denied the request: namespace and resource are not allowed, since true",
    );
    assert_eq!(
        redaction.quotable("the project team-a is closed", &topic(Values::Known)),
        "the project team-a is closed"
    );
}

#[test]
fn the_webhook_that_refused_is_named_where_its_words_are_not_shown() {
    let redaction = knowing(&[VALUE.as_bytes()]);
    let by = "admission webhook \"policy.example.com\" denied the request: ";
    assert_eq!(quoted(&redaction, &format!("{by}found {VALUE}")), format!("{by}{REPEATS}"));
    is_hidden(&redaction, &format!("admission webhook \"{VALUE}\" denied the request: no"));
    let unknown = Topic { values: Values::Unknown, ..Topic::default() };
    assert_eq!(redaction.quotable(&format!("{by}no"), &unknown), format!("{by}{MAY_REPEAT}"));
}

#[test]
fn a_password_in_a_registrys_login_is_recognised_by_itself() {
    let auth = base64("jane:s3cret-of-jane");
    let redaction = knowing(&[format!("{{\"auths\":{{\"r.io\":{{\"auth\":\"{auth}\"}}}}}}").as_bytes()]);
    is_hidden(&redaction, "no s3cret-of-jane here");
    let redaction = knowing(&[b"{\"password\":\"a\\u003cb\\\"c\\nd-e\\u0026\"}"]);
    is_hidden(&redaction, "no a<b\"c\nd-e& here");
}

#[test]
fn all_values_of_a_secret_or_of_a_list_are_learnt() {
    let data = |value: &str| {
        format!("{{\"kind\":\"Secret\",\"data\":{{\"k\":\"{}\",\"gone\":null}}}}", base64(value))
    };
    let redaction = Redaction::default();
    redaction.learn_secret(data("first-value").as_bytes());
    redaction.learn_list(format!("{{\"items\":[{},{{}}]}}", data("second-value")).as_bytes());
    redaction.learn_secret(b"{\"kind\":\"Secret\",\"data\":[]");
    for text in ["a first-value", "a second-value"] {
        is_hidden(&redaction, text);
    }
    is_shown(&redaction, "a third-value");
}

#[test]
fn beyond_its_room_no_text_that_is_not_ordinary_is_shown() {
    let redaction = Redaction::default();
    let page = |page: u32| {
        let value = |n: u32| {
            format!("{{\"data\":{{\"k\":\"{}\"}}}}", base64(format!("{:032x}", n.wrapping_mul(0x9E37_79B1))))
        };
        let items: Vec<String> = (page * 500..page * 500 + 500).map(value).collect();
        format!("{{\"items\":[{}]}}", items.join(","))
    };
    redaction.learn_list(page(0).as_bytes());
    is_shown(&redaction, "a word of a webhook");
    let pages: Vec<String> = (1..100).map(page).collect();
    for page in pages {
        redaction.learn_list(page.as_bytes());
    }
    assert_eq!(quoted(&redaction, "a word of a webhook"), MAY_REPEAT);
    is_shown(&redaction, "Unauthorized");
    redaction.learn(VALUE.as_bytes());
    is_hidden(&redaction, VALUE);
}

/// Built for tests it is some twenty times slower than it is for users.
#[test]
fn a_value_of_a_mebibyte_and_a_long_text_take_no_time() {
    let value: Vec<u8> =
        (0..1 << 18_u32).flat_map(|n: u32| n.wrapping_mul(0x9E37_79B1).to_le_bytes()).collect();
    let started = Instant::now();
    let redaction = knowing(&[&value]);
    is_hidden(&redaction, &base64(&value[5000..5040]));
    let text = "a long word of a webhook, ".repeat(300);
    assert_eq!(quoted(&redaction, &text), text[..LONGEST]);
    assert!(started.elapsed() < Duration::from_secs(30), "{:?}", started.elapsed());
}

proptest! {
    #[test]
    fn any_value_and_any_text_are_looked_at_without_a_panic(value in any::<Vec<u8>>(), text in any::<String>()) {
        let redaction = knowing(&[&value]);
        let _ = quoted(&redaction, &text);
        let _ = quoted(&Redaction::default(), &text);
    }

    #[test]
    fn a_random_value_is_recognised_in_base64_at_any_place(value in "[!-~]{12,300}", before in "[ -~]{0,9}") {
        let redaction = knowing(&[value.as_bytes()]);
        prop_assert_eq!(quoted(&redaction, &format!("{before} {}", base64(format!("{before}{value}")))), REPEATS);
    }
}
