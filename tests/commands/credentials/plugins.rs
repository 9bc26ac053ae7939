//! Credential plugins, and the ways to log in that kubectl has or had built in.

use serde_json::{Value, json};
use support::{Fault, KeyKind, Sandbox, World};

use super::{LOOK, runs, world_with_namespace};

/// A sandbox whose credential plugin writes down its runs and then does `then`.
fn with_plugin(world: &World, then: &str) -> Sandbox {
    with_plugin_as(world, then, &json!({}))
}

fn with_plugin_as(world: &World, then: &str, more: &Value) -> Sandbox {
    let sandbox = Sandbox::new();
    let runs = super::runs_file(&sandbox);
    let plugin = sandbox.program("login", &format!("#!/bin/sh\necho run >> '{}'\n{then}\n", runs.display()));
    let mut exec = json!({
        "apiVersion": "client.authentication.k8s.io/v1", "command": plugin, "interactiveMode": "Never",
    });
    for (field, value) in more.as_object().unwrap() {
        exec[field] = value.clone();
    }
    sandbox.kubeconfig(&world.kubeconfig().user(json!({ "exec": exec })))
}

fn prints(answer: &Value) -> String {
    format!("cat <<'END'\n{answer}\nEND")
}

fn credential(status: &Value) -> Value {
    json!({ "kind": "ExecCredential", "apiVersion": "client.authentication.k8s.io/v1", "status": status })
}

#[test]
fn a_refused_credential_is_asked_for_once_more_and_then_the_truth_is_said() {
    let world = world_with_namespace();
    let sandbox = with_plugin(&world, &prints(&credential(&json!({ "token": "wrong-t0ken" }))));
    let refused = sandbox.run(LOOK).fails_with(1);
    assert!(
        refused.stderr.starts_with("error: You must be logged in to the server (Unauthorized)\n"),
        "{refused}"
    );
    assert!(
        refused.stderr.contains("/login was run again, and its new credential is refused too\n"),
        "{refused}"
    );
    refused.never_shows(b"wrong-t0ken");
    assert_eq!((runs(&sandbox), world.requests().len()), (2, 2));
}

#[test]
fn a_credential_that_the_server_never_saw_is_not_called_refused() {
    let world = world_with_namespace();
    let nobody =
        r#"secrets is forbidden: User "system:anonymous" cannot create resource "secrets" in API group """#;
    let status =
        json!({ "kind": "Status", "apiVersion": "v1", "status": "Failure", "code": 403, "message": nobody });
    world.fail(Fault::on("POST", "/").for_ever().serve(403, "application/json", &status.to_string()));
    let sandbox = with_plugin(&world, &prints(&credential(&json!({ "token": world.admin_token() }))));
    let refused = sandbox.run(LOOK).fails_with(1);
    let said = "\nhint: your credential was sent, but the server did not see it: a proxy in between may have removed it";
    assert!(refused.stderr.contains(said), "{refused}");
    assert!(!refused.stderr.contains("was run again"), "{refused}");
    assert_eq!(runs(&sandbox), 1);
    let sandbox = Sandbox::new().kubeconfig(&world.kubeconfig().user(json!({})));
    let refused = sandbox.run(LOOK).fails_with(1);
    assert!(refused.stderr.contains("the kubeconfig has none for the user \"test\""), "{refused}");
}

#[test]
fn a_plugin_that_fails_the_second_time_says_so() {
    let world = world_with_namespace();
    let answer = prints(&credential(&json!({ "token": "wrong" })));
    let then = format!("[ $(wc -l < \"$(dirname \"$0\")/../work/runs\") -gt 1 ] && exit 7\n{answer}");
    let refused = with_plugin(&world, &then).run(LOOK).fails_with(1);
    assert!(refused.stderr.contains("/login failed with exit code 7\n"), "{refused}");
}

#[test]
fn a_new_certificate_of_a_plugin_gets_a_connection_of_its_own() {
    let world = world_with_namespace();
    let of = |user: &str| {
        let (certificate, key) = world.client_certificate_with(user, KeyKind::P256);
        prints(&credential(&json!({ "clientCertificateData": certificate, "clientKeyData": key })))
    };
    let then = format!(
        "if [ $(wc -l < \"$(dirname \"$0\")/../work/runs\") = 1 ]; then\n{}\nelse\n{}\nfi",
        of("jane"),
        of("john")
    );
    let sandbox = with_plugin(&world, &then);
    world.fail(Fault::on("POST", "/secrets").answer(401));
    let refused = sandbox.run(LOOK).fails_with(1);
    assert!(refused.stderr.contains("User \"john\" cannot create resource \"secrets\""), "{refused}");
    assert_eq!(runs(&sandbox), 2);
}

#[test]
fn a_credential_that_has_ended_when_it_comes_is_tried_all_the_same() {
    let world = world_with_namespace();
    let status =
        json!({ "token": world.admin_token(), "expirationTimestamp": "2001-01-01T00:00:00.5+02:00" });
    let sandbox = with_plugin(&world, &prints(&credential(&status)));
    sandbox.run(["list", "-nd"]).success();
    assert_eq!(runs(&sandbox), 1);
}

#[test]
fn answers_that_kubectl_takes_are_taken() {
    let world = world_with_namespace();
    let token = world.admin_token();
    let yaml = format!(
        "printf 'kind: ExecCredential\\napiVersion: client.authentication.k8s.io/v1\\nstatus:\\n  token: {token}\\n'"
    );
    with_plugin(&world, &yaml).run(LOOK).success();
    let line_end = json!({ "token": format!("{token}\n"), "clientKeyData": "", "expirationTimestamp": null });
    with_plugin(&world, &prints(&credential(&line_end))).run(LOOK).success();
    let older = json!({ "kind": "ExecCredential", "apiVersion": "client.authentication.k8s.io/v1beta1", "status": { "token": token } });
    let more = json!({ "apiVersion": "client.authentication.k8s.io/v1beta1", "interactiveMode": "", "args": null, "env": null });
    with_plugin_as(&world, &prints(&older), &more).run(LOOK).success();
}

#[test]
fn white_space_before_an_answer_is_passed_over_up_to_a_limit() {
    let world = world_with_namespace();
    let answer = prints(&credential(&json!({ "token": world.admin_token() })));
    let blanks = |count: u32, what: &str| format!("head -c {count} /dev/zero | tr '\\0' '{what}'\n{answer}");
    for what in [" ", "\\n"] {
        with_plugin(&world, &blanks(900_000, what)).run(LOOK).success();
        let refused = with_plugin(&world, &blanks(2_000_000, what)).run(LOOK).fails_with(1);
        assert!(refused.stderr.contains("/login printed more than 1 MiB\n"), "{refused}");
    }
}

#[test]
fn answers_that_are_no_credential_are_refused_and_never_shown() {
    let world = world_with_namespace();
    let (certificate, _) = world.client_certificate_with("jane", KeyKind::P256);
    let end = json!({ "token": "s3cret-t0ken-1", "expirationTimestamp": "s3cret-t0ken-1" });
    let other =
        json!({ "kind": "s3cret-t0ken-1", "apiVersion": "client.authentication.k8s.io/v1", "status": {} });
    let older = json!({ "kind": "ExecCredential", "apiVersion": "client.authentication.k8s.io/v1beta1", "status": { "token": "s3cret-t0ken-1" } });
    for (then, what) in [
        ("yes s3cret-t0ken-1".to_owned(), "printed more than 1 MiB"),
        ("printf 's3cret-t0ken-1\\0'".to_owned(), "printed no ExecCredential"),
        ("printf '\\377'".to_owned(), "printed no ExecCredential"),
        ("echo '{\"status\": {\"token\": \"s3cret-t0ken-1\"}}'".to_owned(), "printed no ExecCredential"),
        (prints(&other), "printed no ExecCredential"),
        (prints(&older), "plugin returned version client.authentication.k8s.io/v1beta1"),
        (prints(&credential(&end)), "printed an expirationTimestamp that is not a time"),
        (
            prints(&credential(&json!({ "clientCertificateData": certificate }))),
            "returned only certificate or key, not both",
        ),
        (
            prints(&credential(&json!({ "token": "s3cret-t0ken-1", "clientKeyData": "s3cret-t0ken-1" }))),
            "only certificate or key",
        ),
        (prints(&credential(&json!({ "token": "" }))), "printed neither a token nor a client certificate"),
        (prints(&credential(&json!({ "token": "s3cret-t0ken-1\nX: y" }))), "/login printed can't be sent\n"),
        (
            prints(&credential(
                &json!({ "clientCertificateData": certificate, "clientKeyData": "s3cret-t0ken-1" }),
            )),
            "failed to find any PEM data in key input",
        ),
    ] {
        let refused = with_plugin(&world, &then).run(LOOK).fails_with(1);
        assert!(refused.stderr.contains(what), "{what}: {refused}");
        refused.never_shows(b"s3cret-t0ken-1");
    }
    assert!(world.requests().is_empty());
}

#[test]
fn a_plugin_that_the_kubeconfig_describes_too_little_is_not_run() {
    let world = world_with_namespace();
    for (more, message) in [
        (json!({ "command": "" }), "command must be specified for test to use exec authentication plugin"),
        (
            json!({ "apiVersion": null }),
            "apiVersion must be specified for test to use exec authentication plugin",
        ),
        (
            json!({ "apiVersion": "client.authentication.k8s.io/v1alpha1" }),
            "exec plugin: invalid apiVersion \"client.authentication.k8s.io/v1alpha1\"",
        ),
        (json!({ "interactiveMode": "never" }), "invalid interactiveMode for test: \"never\""),
        (json!({ "env": [{ "value": "x" }] }), "env variable name must be specified for test"),
        (json!({ "args": ["a\u{0}b"] }), "the credential plugin of test can't be run"),
    ] {
        let sandbox = with_plugin_as(&world, "exit 0", &more);
        let refused = sandbox.run(LOOK).fails_with(1);
        assert!(refused.stderr.starts_with(&format!("error: {message}")), "{refused}");
        assert!(refused.stderr.contains("\nhint: "), "{refused}");
        assert_eq!(runs(&sandbox), 0);
    }
}

#[test]
fn a_plugin_is_not_run_where_the_user_has_a_token() {
    let world = world_with_namespace();
    let exec = json!({ "apiVersion": "client.authentication.k8s.io/v1", "command": "false", "interactiveMode": "Never" });
    let user = json!({ "token": world.admin_token(), "exec": exec });
    Sandbox::new().kubeconfig(&world.kubeconfig().user(user)).run(LOOK).success();
}

#[test]
fn ways_to_log_in_that_kubectl_has_no_more_are_named_with_what_takes_their_place() {
    let world = world_with_namespace();
    for (name, message) in [
        (
            "gcp",
            "The gcp auth plugin has been removed. Please use the \"gke-gcloud-auth-plugin\" kubectl/client-go credential plugin instead.",
        ),
        (
            "azure",
            "The azure auth plugin has been removed. Please use the https://github.com/Azure/kubelogin kubectl/client-go credential plugin instead.",
        ),
        ("openstack", "no Auth Provider found for name \"openstack\""),
    ] {
        let sandbox = Sandbox::new();
        let marker = sandbox.path().join("ran");
        let config = json!({ "cmd-path": "touch", "cmd-args": marker, "access-token": "s3cret-t0ken-1" });
        let user = json!({ "auth-provider": { "name": name, "config": config } });
        let sandbox = sandbox.kubeconfig(&world.kubeconfig().user(user));
        let refused = sandbox.run(LOOK).fails_with(1);
        assert!(refused.stderr.starts_with(&format!("error: {message}\nhint: ")), "{refused}");
        refused.never_shows(b"s3cret-t0ken-1");
        assert!(!marker.exists());
    }
    assert!(world.requests().is_empty());
}

/// An id-token that ends then, in seconds since 1970.
fn id_token(ends: u64) -> String {
    use base64::Engine as _;
    let part = |value: &Value| base64::prelude::BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}.c2ln", part(&json!({ "alg": "none" })), part(&json!({ "exp": ends })))
}

#[test]
fn an_id_token_is_used_while_it_lasts_and_never_refreshed() {
    let world = world_with_namespace();
    let provider = |token: &str| {
        let config = json!({
            "idp-issuer-url": world.server(), "client-id": "kubectl", "id-token": token,
            "refresh-token": "s3cret-refresh", "idp-certificate-authority-data": "bm9uZQ==", "extra-scopes": null,
        });
        let user = json!({ "auth-provider": { "name": "oidc", "config": config } });
        Sandbox::new().kubeconfig(&world.kubeconfig().user(user))
    };
    let valid = id_token(20_000_000_000);
    let refused = provider(&valid).run(LOOK).fails_with(1);
    assert!(world.requests()[0].header("authorization").is_some());
    assert!(
        refused.stderr.contains("the id-token of the kubeconfig is refused, although it has not expired"),
        "{refused}"
    );
    world.clear_log();
    for sandbox in [provider(&id_token(1_000_000_000)), provider("")] {
        let refused = sandbox.run(LOOK.iter().chain(&["--context=test"])).fails_with(1);
        assert!(refused.stderr.contains("the user \"test\""), "{refused}");
        assert!(
            refused.stderr.contains("\nhint: kubectl get ns --context=test gets a new one and writes it"),
            "{refused}"
        );
        refused.never_shows(b"s3cret-refresh");
    }
    let ended = provider(&id_token(1_000_000_000)).run(LOOK).fails_with(1);
    assert!(ended.stderr.contains("in the kubeconfig expired at 2001-09-09T01:46:40Z\n"), "{ended}");
    for broken in ["a.b", "a.!.c", "a.e30.c"] {
        let refused = provider(broken).run(LOOK).fails_with(1);
        assert!(refused.stderr.contains("is not a valid JWT"), "{refused}");
    }
    assert!(world.requests().is_empty(), "nobody is asked for a new one: {:?}", world.lines());
}

#[test]
fn what_a_plugin_prints_is_read_in_the_encodings_that_kubectl_reads() {
    let world = world_with_namespace();
    let good = credential(&json!({ "token": world.admin_token() })).to_string();
    let wide: Vec<u8> = good.encode_utf16().flat_map(u16::to_le_bytes).collect();
    for printed in [[&b"\xff\xfe"[..], &wide].concat(), format!("\u{feff}{good}").into_bytes()] {
        let sandbox = with_plugin(&world, "cat printed");
        sandbox.file("printed", printed);
        sandbox.run(LOOK).success();
    }
    let sandbox = with_plugin(&world, "cat printed");
    sandbox.file("printed", &wide);
    let refused = sandbox.run(LOOK).fails_with(1);
    assert!(refused.stderr.contains("login printed UTF-16 without a byte order mark"), "{refused}");
    let marked = credential(&json!({ "token": format!("\u{feff}{}", world.admin_token()) }));
    let refused = with_plugin(&world, &prints(&marked)).run(LOOK).fails_with(1);
    assert!(refused.stderr.starts_with("error: the token that the credential plugin "), "{refused}");
    assert!(refused.stderr.contains(" begins with a byte order mark\n"), "{refused}");
}
