use std::time::Duration;

use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use serde_json::Value;

use super::text::LONGEST;
use super::*;
use crate::moment::Moment;

const PAIRS: &str = include_str!("../../../tests/conformance/tls-pairs.json");

/// Made by `ssh-keygen -t ed25519`, for this test alone.
const OPENSSH: &str = "-----BEGIN OPENSSH PRIVATE KEY-----
b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAMwAAAAtzc2gtZW
QyNTUxOQAAACCfKjtR3htSV3JXSLwMxU552zO0gjsALx7A3/KsXHor6wAAAJAF+IHRBfiB
0QAAAAtzc2gtZWQyNTUxOQAAACCfKjtR3htSV3JXSLwMxU552zO0gjsALx7A3/KsXHor6w
AAAECCNkrNdBD++iB+yioBYAzTeItV7dHwKg4mvQ9ZDRfMX58qO1HeG1JXcldIvAzFTnnb
M7SCOwAvHsDf8qxceivrAAAAB21lQGhlcmUBAgMEBQY=
-----END OPENSSH PRIVATE KEY-----
";

fn value(text: &str) -> SecretValue {
    SecretValue::from_bytes(text.as_bytes().to_vec())
}

/// What a value alone is, a fact in each line.
fn told(key: &str, text: &str) -> String {
    let identity = Identity::of(key, &value(text), &BTreeMap::new());
    let facts = identity.map(|identity| identity.facts()).unwrap_or_default();
    let lines: Vec<String> = facts.into_iter().map(|(name, detail)| format!("{name}: {detail}\n")).collect();
    lines.concat()
}

fn signed(claims: &str) -> String {
    let part = |text: &str| BASE64_URL_SAFE_NO_PAD.encode(text);
    format!("{}.{}.c2ln", part(r#"{"alg":"RS256"}"#), part(claims))
}

#[test]
fn a_fingerprint_is_that_of_ssh_keygen() {
    let ed = "ssh key: ED25519, 256 bits\nfingerprint: SHA256:wKN67jEmgdkCldcxs1BcEe769oPOJxMxY4xFbrN7eBs\n";
    assert_eq!(told("any", OPENSSH), ed);
    let public = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ8qO1HeG1JXcldIvAzFTnnbM7SCOwAvHsDf8qxceivr me@here\n";
    assert_eq!(told("any", public), ed);
    let pairs: Vec<Value> = serde_json::from_str(PAIRS).unwrap();
    let key = |name: &str| {
        let pair = pairs.iter().find(|pair| pair["name"] == name).unwrap();
        pair["key"].as_str().unwrap().to_owned()
    };
    for (name, bits, fingerprint) in [
        ("rsa-1024", "RSA, 1024 bits", "IDetbfkDBjfUA9hfenOhgyHQKRNJkbURs2b88CNhb8E"),
        ("rsa-2048", "RSA, 2048 bits", "WGMv+3fNe9aEl0QmxBwEvtyLL6xi60faFBIb3OgNRRE"),
        ("p256", "ECDSA, 256 bits", "u68KHmAliUwE41T+slrHvumIujFhjvms3d5lJ5SvhL0"),
        ("p384", "ECDSA, 384 bits", "0+nWLoPgoL5oL2oADx68ARB7YoPCKTlk3Y6vISqhg7Y"),
        ("p521", "ECDSA, 521 bits", "kbrax9snj57bFh1FyUYeFWJ1cQDa8BOjQbqwQ0N2Ces"),
    ] {
        let expected = format!("ssh key: {bits}\nfingerprint: SHA256:{fingerprint}\n");
        assert_eq!(told("ssh-privatekey", &key(name)), expected, "{name}");
        assert_eq!(told("tls.key", &key(name)), "", "no key for SSH");
    }
    assert!(told("id_ed25519", &key("ed25519")).starts_with("ssh key: ED25519, 256 bits\n"));
    for other in ["ssh-ed25519 AAAA", "ssh-rsa AAAAC3NzaC1lZDI1NTE5AAAAIJ8q", "ssh-ed25519"] {
        assert_eq!(told("ssh", other), "", "{other}");
    }
}

#[test]
fn a_certificate_is_told_with_the_key_beside_it() {
    let pairs: Vec<Value> = serde_json::from_str(PAIRS).unwrap();
    for (at, pair) in pairs.iter().enumerate() {
        let text = |field: &str, pair: &Value| pair[field].as_str().unwrap().to_owned();
        let told = |key: String| {
            let certificate = value(&text("certificate", pair));
            let beside = BTreeMap::from([("tls.key".to_owned(), value(&key))]);
            Identity::of("tls.crt", &certificate, &beside).unwrap().facts()
        };
        let own = told(text("key", pair));
        let name = text("name", pair).replace("-without-its-public-half", "");
        assert_eq!(own[0], ("subject", format!("CN={name}.example.test")));
        assert_eq!(own[1], ("issuer", format!("CN={name}.example.test")));
        assert!(own[2].0 == "valid" && own[2].1.starts_with("2026-"), "{own:?}");
        if name != "p224" {
            assert_eq!(own[3], ("key", "tls.key fits".to_owned()), "{name}");
        }
        let other = told(text("key", &pairs[(at + 1) % 6]));
        assert_eq!(other[3], ("key", "tls.key belongs to another certificate".to_owned()), "{name}");
        assert_eq!(told("no key".to_owned()).len(), 3, "nobody can tell");
    }
}

#[test]
fn of_logins_the_registry_and_the_user_are_told_unless_the_user_is_what_one_logs_in_with() {
    let auth = |pair: &str| format!(r#"{{"auth":"{}"}}"#, BASE64_STANDARD.encode(pair));
    let token = "ghp_0123456789abcdefABCDEF0123456789abcd";
    let file = format!(
        r#"{{"auths":{{"a":{},"b":{},"c":{},"d":{},"https://u:CANARY@e":{},"f":{{"username":"\u001b[2Jx","password":"p"}}}}}}"#,
        auth("$oauthtoken:CANARY"),
        auth("CANARY:CANARY"),
        auth("CANARY:x-oauth-basic"),
        auth(&format!("{token}:CANARY")),
        auth("CANARY:"),
    );
    let expected = "login: a as $oauthtoken\nlogin: b\nlogin: c\nlogin: d\nlogin: f\nlogin: e\n";
    assert_eq!(told(".dockerconfigjson", &file), expected);
    assert_eq!(told("config.json", &file), expected);
    assert_eq!(told(".dockercfg", r#"{"r":{"username":"u","password":"CANARY"}}"#), "login: r as u\n");
    assert_eq!(told("k", r#"{"r":{"username":"u","password":"CANARY"}}"#), "");
}

#[test]
fn of_json_the_public_fields_are_told_and_no_other() {
    let key = r#"{"type":"service_account","project_id":"p-1","private_key":"CANARY","client_email":"me@p-1.iam.gserviceaccount.com"}"#;
    assert_eq!(told("key.json", key), "account: me@p-1.iam.gserviceaccount.com\nproject: p-1\n");
    let odd = r#"{"type":"service_account","project_id":["CANARY"],"client_email":"a\nb@CANARY "}"#;
    assert_eq!(told("key.json", odd), "account: of Google Cloud\n");
    let claims =
        r#"{"iss":"https://issuer.example.test","sub":"jane@example.test","exp":4102444800,"key":"CANARY"}"#;
    assert_eq!(
        told("k", &format!("{}\n", signed(claims))),
        "token: JSON Web Token\nissuer: https://issuer.example.test\nexpires: 2100-01-01T00:00:00Z\n"
    );
    let account =
        r#"{"iss":"https://u:CANARY@i\u001b[2J","sub":"system:serviceaccount:ns:default","exp":"CANARY"}"#;
    assert_eq!(
        told("k", &signed(account)),
        "token: JSON Web Token\nissuer: i\\u{1b}[2J\naccount: ns:default\n"
    );
    for (exp, end) in
        [("1e300", None), ("-1", None), ("253402300800", None), ("1.5", Some(1)), ("null", None)]
    {
        let end_of = End::of(signed(&format!(r#"{{"exp":{exp}}}"#)).as_bytes()).map(|end| end.at);
        assert_eq!(end_of, end.map(Duration::from_secs).map(Moment::since_1970), "{exp}");
    }
    for other in
        ["eyJ.eyJ.x", "a.b.c", &signed("[1]"), &format!("{}.x", signed("{}")), "{\"type\":\"other\"}"]
    {
        assert_eq!(told("k", other), "", "{other}");
    }
}

#[test]
fn a_token_is_known_by_its_form_and_a_digest_by_the_name_of_its_key_too() {
    let digest = "0123456789abcdef0123456789abcdef01234567";
    for (key, text, kind) in [
        ("k", "hf_abcdefghijklmnopqrst\n", "Hugging Face token"),
        ("k", "ASIAIOSFODNN7EXAMPLE", "AWS access key ID, temporary"),
        ("k", "AKIAIOSFODNN7EXAMPLE", "AWS access key ID"),
        ("WANDB_API_KEY", digest, "Weights & Biases API key"),
    ] {
        assert_eq!(told(key, text), format!("token: {kind}\n"));
    }
    for (key, text) in [("k", digest), ("k", "hunter2"), ("k", ""), ("HF_TOKEN", "a b")] {
        assert_eq!(told(key, text), "");
    }
}

#[test]
fn what_is_long_is_cut() {
    let logins: Vec<String> = (0..100).map(|at| format!(r#""r{at}{}":{{}}"#, "x".repeat(300))).collect();
    let told = told(".dockerconfigjson", &format!(r#"{{"auths":{{{}}}}}"#, logins.join(",")));
    assert_eq!(told.lines().count(), MOST);
    assert!(told.lines().all(|line| line.chars().count() <= LONGEST + "login: …".chars().count()), "{told}");
}

#[test]
fn no_fact_is_what_one_logs_in_with() {
    let token = "ghp_0123456789abcdefABCDEF0123456789abcd";
    let digest = "0123456789abcdef".repeat(4);
    let long = "AQIC-canary-in-the-place-of-a-user";
    for (user, password) in [
        ("CANARY", " CANARY"),
        ("CANARY", "CANARY\n"),
        (long, "x"),
        (long, "oauth2"),
        (long, "unused"),
        (long, " "),
        ("AKCp8canarycanarycanarycanary", "a-password-that-is-longer-than-the-user"),
        (&digest, &"x".repeat(80)),
        ("a pass phrase", "jane"),
    ] {
        let file = serde_json::json!({"auths": {"r": {"username": user, "password": password}}}).to_string();
        assert_eq!(told(".dockerconfigjson", &file), "login: r\n", "{user}");
    }
    let file = r#"{"auths":{"r":{"username":"CANARY","password":"p4ssw0rd","identitytoken":"CANARY"}}}"#;
    assert_eq!(told(".dockerconfigjson", file), "login: r\n");
    for user in ["jane@x.test", "robot$ci+x", "_json_key", "00000000-0000-0000-0000-000000000000"] {
        let password = "p".repeat(40);
        let file = serde_json::json!({"auths": {"r": {"username": user, "password": password}}}).to_string();
        assert_eq!(told(".dockerconfigjson", &file), format!("login: r as {user}\n"));
    }
    for (address, shown) in [
        ("https://r.test/?token=CANARY", "https://r.test/".to_owned()),
        ("https://r.test/x#CANARY", "https://r.test/x".to_owned()),
        ("https://u:CANARY?x@r.test", "…".to_owned()),
        (&format!("https://r.test/{token}/x"), "https://r.test/…/x".to_owned()),
        (&format!("{token}.r.test"), "…".to_owned()),
        (token, "…".to_owned()),
        ("nvcr.io", "nvcr.io".to_owned()),
    ] {
        let file = serde_json::json!({"auths": {address: {"username": "u", "password": "p"}}}).to_string();
        assert_eq!(told(".dockerconfigjson", &file), format!("login: {shown} as u\n"), "{address}");
        let claims = serde_json::json!({"iss": address}).to_string();
        assert_eq!(
            told("k", &signed(&claims)),
            format!("token: JSON Web Token\nissuer: {shown}\n"),
            "{address}"
        );
    }
    let account = serde_json::json!({"type": "service_account", "project_id": token,
        "client_email": format!("{token}@x.test")});
    assert!(!told("k", &account.to_string()).contains("ghp_"));
}
