//! `view`: what a value is, without the value.

use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use serde_json::json;
use support::{Chain, Sandbox, World, scenario};

use crate::view::create;

const DAY: Duration = Duration::from_hours(24);

/// A signed token with these claims; its signature is of nobody.
pub(crate) fn signed(claims: &serde_json::Value) -> String {
    let part = |text: &str| BASE64_URL_SAFE_NO_PAD.encode(text);
    format!("{}.{}.c2lnbmF0dXJl", part(r#"{"alg":"RS256"}"#), part(&claims.to_string()))
}

/// The facts that a table tells, in the order in which they are, with single blanks.
fn facts(stdout: &str) -> Vec<String> {
    let (_, facts) = stdout.split_once("\n\n").unwrap_or_default();
    let mut lines = facts.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
    assert_eq!(lines.next().as_deref(), Some("KEY FACT DETAIL"), "{stdout}");
    lines.collect()
}

#[scenario]
fn a_certificate_is_told_by_its_names_its_issuer_its_days_and_its_key(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("ns");
    let end = SystemTime::UNIX_EPOCH + 60_000 * DAY;
    let (chain, other) = (Chain::ending(end, end + DAY), Chain::ending(end, end));
    let file = format!("{}{}", chain.certificate, chain.authority);
    create(world, &namespace, "web", &[("tls.crt", file.as_bytes()), ("tls.key", chain.key.as_bytes())]);
    create(world, &namespace, "odd", &[("tls.crt", file.as_bytes()), ("tls.key", other.key.as_bytes())]);
    let view = sandbox.run(["view", "web", "-n", &namespace]).success();
    assert_eq!(
        facts(&view.stdout),
        [
            "tls.crt subject CN=web",
            "tls.crt names web.example.test and 10.0.0.1",
            "tls.crt issuer CN=maker",
            "tls.crt valid 1975-01-01 to 2134-04-11",
            "tls.crt key tls.key fits",
            "tls.crt chain CN=maker, 1975-01-01 to 2134-04-12",
        ]
    );
    // The key beside is looked at, though it is not asked for.
    let odd = sandbox.run(["view", "odd", "tls.crt", "-n", &namespace, "-o", "json"]).success().json();
    let identity = &odd["keys"][0]["identity"];
    assert_eq!(identity["kind"], "certificate");
    assert_eq!(identity["key"], json!({"name": "tls.key", "fits": false}));
    assert_eq!(identity["certificates"][1]["notAfter"], "2134-04-12T00:00:00Z");
    assert_eq!(identity["certificates"][0]["names"], json!(["web.example.test", "10.0.0.1"]));
    let (code, shown) = sandbox.in_terminal(["view", "odd", "-n", &namespace]).wait();
    assert!(code == 0 && shown.contains("tls.key belongs to another certificate"), "{shown}");
}

/// Values of every form that is known but certificates. What is not public of them is `CANARY`.
pub(crate) fn known_values() -> Vec<(&'static str, String)> {
    let auth = BASE64_STANDARD.encode("$oauthtoken:CANARY-password");
    let logins = json!({"auths": {"nvcr.io": {"auth": auth}, "ghcr.io": {"username": "jane", "password": "CANARY-2"}}});
    let google = json!({"type": "service_account", "project_id": "ml", "client_email": "run@ml.iam.gserviceaccount.com",
        "private_key": "CANARY-3"});
    let claims = json!({"iss": "https://idp.example.test", "sub": "CANARY-jane", "exp": 7_258_118_400_u64});
    let hugging = "hf_CANARYabcdefghijklmnop";
    let public =
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ8qO1HeG1JXcldIvAzFTnnbM7SCOwAvHsDf8qxceivr CANARY@here";
    vec![
        (".dockerconfigjson", logins.to_string()),
        ("gcp.json", google.to_string()),
        ("hf", hugging.to_owned()),
        ("jwt", signed(&claims)),
        ("other", "CANARY-value".to_owned()),
        ("ssh", public.to_owned()),
    ]
}

#[scenario]
fn logins_keys_and_tokens_are_told_by_what_is_public_of_them(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("ns");
    let values = known_values();
    let values: Vec<(&str, &[u8])> = values.iter().map(|(key, value)| (*key, value.as_bytes())).collect();
    create(world, &namespace, "all", &values);
    let view = sandbox.run(["view", "all", "-n", &namespace]).success();
    view.never_shows(b"CANARY");
    assert_eq!(
        facts(&view.stdout),
        [
            ".dockerconfigjson login ghcr.io as jane",
            ".dockerconfigjson login nvcr.io as $oauthtoken",
            "gcp.json account run@ml.iam.gserviceaccount.com",
            "gcp.json project ml",
            "hf token Hugging Face token",
            "jwt token JSON Web Token",
            "jwt issuer https://idp.example.test",
            "jwt expires 2200-01-01T00:00:00Z",
            "ssh ssh key ED25519, 256 bits",
            "ssh fingerprint SHA256:wKN67jEmgdkCldcxs1BcEe769oPOJxMxY4xFbrN7eBs",
        ]
    );
    let line = view.stdout.lines().find(|line| line.starts_with("jwt ")).unwrap_or_default();
    assert!(line.contains("text, 1 line, expires 2200-01-01"), "{view}");
    let report = sandbox.run(["view", "all", "-n", &namespace, "-o", "json"]).success();
    report.never_shows(b"CANARY");
    let identities: Vec<_> =
        report.json()["keys"].as_array().unwrap().iter().map(|key| key["identity"].clone()).collect();
    assert_eq!(identities[2], json!({"kind": "token", "of": "Hugging Face token"}));
    assert_eq!(identities[4], json!(null));
    assert_eq!(identities[5]["kind"], "ssh-key");
}

#[scenario]
fn what_a_value_says_of_itself_moves_no_cursor(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("ns");
    let claims = json!({"iss": "\u{1b}]0;x\u{7}\u{202e}a\nhint: run this", "exp": 1});
    let logins = json!({"auths": {"r\u{1b}[2J": {"username": "u\r\u{9b}1m", "password": "p"}}});
    let (claims, logins) = (signed(&claims), logins.to_string());
    create(world, &namespace, "s", &[(".dockerconfigjson", logins.as_bytes()), ("jwt", claims.as_bytes())]);
    let (code, shown) = sandbox.in_terminal(["view", "s", "-n", &namespace]).wait();
    assert_eq!(code, 0, "{shown}");
    // Notes have a style of their own.
    for harm in ["\u{1b}]", "\u{1b}[2J", "\u{7}", "\u{202e}", "\u{9b}"] {
        assert!(!shown.contains(harm), "{shown:?}");
    }
    assert!(!shown.lines().any(|line| line.starts_with("hint: run this")), "{shown}");
}
