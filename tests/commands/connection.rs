//! Who connects, and through what: credentials, certificates, proxies.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::json;
use support::proxy::Proxy;
use support::{Kubeconfig, Sandbox, Validity, World};

const LOOK: [&str; 5] = ["create", "s", "--from-literal=k=v", "--dry-run=server", "-nd"];

fn world_with_namespace() -> World {
    let world = World::in_process();
    world.create("/api/v1/namespaces", &json!({ "metadata": { "name": "d" } }));
    world
}

fn look(kubeconfig: &Kubeconfig) -> support::Outcome {
    Sandbox::new().kubeconfig(kubeconfig).run(LOOK)
}

/// A credential plugin that counts its runs in `runs` and then does `then`.
fn credential_plugin(sandbox: &Sandbox, then: &str) -> PathBuf {
    let script = format!("#!/bin/sh\necho run >> '{}'\n{then}\n", sandbox.path().join("runs").display());
    sandbox.program("credentials", &script)
}

fn credential(status: &serde_json::Value) -> String {
    let credential = json!({ "kind": "ExecCredential", "apiVersion": "client.authentication.k8s.io/v1", "status": status });
    format!("cat <<'END'\n{credential}\nEND")
}

#[test]
fn a_credential_plugin_runs_once() {
    let world = world_with_namespace();
    let sandbox = Sandbox::new();
    let plugin = credential_plugin(&sandbox, &credential(&json!({ "token": world.admin_token() })));
    let sandbox = sandbox.kubeconfig(&world.kubeconfig().exec(&plugin, &["an-argument"]));
    let words = ["create", "s", "--from-literal=k=v", "-nd"];
    sandbox.run(words).success().never_shows(world.admin_token().as_bytes());
    assert_eq!(fs::read_to_string(sandbox.path().join("runs")).unwrap(), "run\n");
}

#[test]
fn a_credential_plugin_may_answer_with_a_certificate() {
    let world = world_with_namespace();
    let (certificate, key) = world.client_certificate("jane", Validity::Valid);
    let sandbox = Sandbox::new();
    let status = json!({ "clientCertificateData": certificate, "clientKeyData": key });
    let plugin = credential_plugin(&sandbox, &credential(&status));
    let refused = sandbox.kubeconfig(&world.kubeconfig().exec(&plugin, &[])).run(LOOK).fails_with(1);
    assert!(refused.stderr.contains("User \"jane\" cannot create resource \"secrets\""), "{refused}");
}

#[test]
fn what_a_failing_credential_plugin_printed_is_shown_to_nobody() {
    let world = world_with_namespace();
    for (then, what) in [
        ("echo s3cret-t0ken-1; exit 3", "failed with exit code 3"),
        ("echo '{\"s3cret-t0ken-1\"'", "printed no ExecCredential"),
        (
            &credential(&json!({ "other": "s3cret-t0ken-1" })),
            "printed neither a token nor a client certificate",
        ),
    ] {
        let sandbox = Sandbox::new();
        let plugin = credential_plugin(&sandbox, then);
        let refused = sandbox.kubeconfig(&world.kubeconfig().exec(&plugin, &[])).run(LOOK).fails_with(1);
        assert!(refused.stderr.starts_with("error: getting credentials: exec: executable "), "{refused}");
        assert!(refused.stderr.contains(what), "{refused}");
        assert!(refused.stderr.contains("what it prints on standard output is not shown"), "{refused}");
        refused.never_shows(b"s3cret-t0ken-1");
    }
}

#[test]
fn the_login_that_a_failing_credential_plugin_needs_is_said() {
    let world = world_with_namespace();
    for (name, login) in [("aws", "aws sso login"), ("runai", "runai login"), ("tsh", "tsh login")] {
        let sandbox = Sandbox::new();
        let plugin = sandbox.path().join(name);
        fs::rename(credential_plugin(&sandbox, "exit 255"), &plugin).unwrap();
        let refused = sandbox.kubeconfig(&world.kubeconfig().exec(&plugin, &[])).run(LOOK).fails_with(1);
        assert!(refused.stderr.contains(&format!("hint: if the login has ended: {login}\n")), "{refused}");
    }
}

#[test]
fn a_credential_plugin_that_is_not_installed_is_named_with_its_own_hint() {
    let world = world_with_namespace();
    let exec = json!({
        "apiVersion": "client.authentication.k8s.io/v1", "command": "no-such-login", "interactiveMode": "Never",
        "installHint": "install it with: pip install no-such-login",
    });
    let refused = look(&world.kubeconfig().user(json!({ "exec": exec }))).fails_with(1);
    assert!(refused.stderr.contains("executable no-such-login is not installed"), "{refused}");
    assert!(refused.stderr.contains("hint: install it with: pip install no-such-login"), "{refused}");
}

#[test]
fn a_credential_plugin_does_not_get_the_secret_on_standard_input() {
    let world = world_with_namespace();
    let sandbox = Sandbox::new();
    let copied = sandbox.path().join("copied");
    let answer = credential(&json!({ "token": world.admin_token() }));
    let plugin = credential_plugin(&sandbox, &format!("cat > '{}'\n{answer}", copied.display()));
    let sandbox = sandbox.kubeconfig(&world.kubeconfig().exec(&plugin, &[]));
    sandbox.stdin("piped-s3cret-value").run(["create", "s", "--from-file=k=-", "-nd"]).success();
    assert_eq!(world.secret_value("d", "s", "k").unwrap(), b"piped-s3cret-value");
    assert_eq!(fs::read(copied).unwrap(), b"");
}

#[test]
fn an_unknown_authority_is_said_as_kubectl_says_it() {
    let world = world_with_namespace();
    let refused = look(&world.kubeconfig().wrong_ca()).fails_with(1);
    assert!(refused.stderr.contains("x509: certificate signed by unknown authority"), "{refused}");
    assert!(refused.stderr.contains("\nhint: "), "{refused}");
    let insecure = world.kubeconfig().wrong_ca();
    Sandbox::new().kubeconfig(&insecure).run(LOOK.iter().chain(&["--insecure-skip-tls-verify"])).success();
}

#[test]
fn an_expired_client_certificate_is_said() {
    let world = world_with_namespace();
    let expired = world.client_certificate("jane", Validity::Expired);
    let refused = look(&world.kubeconfig().client_certificate(&expired)).fails_with(1);
    assert!(refused.stderr.contains("your client certificate has expired"), "{refused}");
}

#[test]
fn the_name_in_the_servers_certificate_can_be_given() {
    let world = world_with_namespace();
    let sandbox = Sandbox::new().with(&world);
    let refused = sandbox.run(LOOK.iter().chain(&["--tls-server-name=example.com"])).fails_with(1);
    assert!(refused.stderr.contains("certificate is not valid for this name"), "{refused}");
    sandbox.run(LOOK.iter().chain(&["--tls-server-name=localhost"])).success();
}

#[test]
fn plain_http_where_tls_is_expected_is_said() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("https://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        use std::io::{Read, Write};
        while let Ok((mut stream, _)) = listener.accept() {
            // What comes is read first: a connection that is closed before that is reset, and the answer may be lost.
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
        }
    });
    let world = world_with_namespace();
    let refused = look(&world.kubeconfig().server(&address)).fails_with(1);
    assert!(refused.stderr.contains("https"), "{refused}");
}

#[test]
fn another_user_can_be_impersonated() {
    let world = world_with_namespace();
    let words = ["--as=jane", "--as-group=one", "--as-group=two", "--as-uid=7"];
    let _ = Sandbox::new().with(&world).run(LOOK.iter().chain(&words)).fails_with(1);
    let request = &world.requests()[0];
    assert_eq!(request.header("impersonate-user"), Some("jane"));
    assert_eq!(request.header("impersonate-uid"), Some("7"));
    let groups: Vec<_> = request.headers.iter().filter(|(name, _)| name == "impersonate-group").collect();
    assert_eq!(groups.len(), 2);
}

#[test]
fn groups_on_both_sides_of_the_command_all_count() {
    let world = world_with_namespace();
    let words = ["--as=jane", "--as-group=one"].iter().chain(&LOOK).chain(&["--as-group", "two"]);
    let _ = Sandbox::new().with(&world).run(words).fails_with(1);
    let requests = world.requests();
    let groups = requests[0].headers.iter().filter(|(name, _)| name == "impersonate-group");
    assert_eq!(
        groups.map(|(_, value)| value.as_str()).collect::<BTreeSet<_>>(),
        BTreeSet::from(["one", "two"])
    );
}

#[test]
fn a_group_or_a_uid_without_a_user_is_refused_and_nothing_is_sent() {
    let world = world_with_namespace();
    let in_file = |field: &str, value: serde_json::Value| {
        let token = world.admin_token();
        Sandbox::new().kubeconfig(&world.kubeconfig().user(json!({ "token": token, field: value })))
    };
    let plain = || Sandbox::new().with(&world);
    for (sandbox, words) in [
        (plain(), &["--as-group=one"][..]),
        (plain(), &["--as-uid=7"]),
        (plain(), &["--as=", "--as-group=one"]),
        (in_file("as-groups", json!(["one"])), &[]),
    ] {
        let refused = sandbox.run(LOOK.iter().chain(words)).fails_with(1);
        let message = "error: requesting uid, groups or user-extra without impersonating a user\nhint: ";
        assert!(refused.stderr.starts_with(message), "{refused}");
    }
    let _ = in_file("as", json!("jane")).run(LOOK.iter().chain(&["--as-group=one"])).fails_with(1);
    assert_eq!(world.requests().len(), 1, "only the last one says who");
}

#[test]
fn a_token_on_the_command_line_goes_before_the_kubeconfigs() {
    let world = world_with_namespace();
    let sandbox = Sandbox::new().kubeconfig(&world.kubeconfig().token("wrong"));
    let refused = sandbox.run(LOOK).fails_with(1);
    assert!(refused.stderr.contains("You must be logged in to the server (Unauthorized)"), "{refused}");
    sandbox.run(LOOK.iter().chain(&["--token", world.admin_token()])).success();
}

#[test]
fn a_password_in_the_servers_address_is_not_shown() {
    for server in ["https://u:hunter2pw@127.0.0.1:1", "https://u:hunter2pw@localhost.invalid"] {
        let refused = Sandbox::new().run(LOOK.iter().chain(&["-v", "--server", server])).fails_with(1);
        refused.never_shows(b"hunter2pw");
    }
    let refused = Sandbox::new().run(LOOK.iter().chain(&["--server=https://u:p@127.0.0.1:1"])).fails_with(1);
    assert!(refused.stderr.starts_with("The connection to the server 127.0.0.1:1 was refused"), "{refused}");
}

#[test]
fn who_names_an_authority_wants_the_servers_certificate_checked() {
    let world = world_with_namespace();
    let careless = world.kubeconfig().cluster("certificate-authority-data", serde_json::Value::Null);
    let careless = careless.cluster("insecure-skip-tls-verify", true);
    let sandbox = Sandbox::new().kubeconfig(&careless);
    sandbox.file("right.pem", world.ca_pem());
    sandbox.file("wrong.pem", World::in_process().ca_pem());
    sandbox.run(LOOK).success();
    sandbox.run(LOOK.iter().chain(&["--certificate-authority=right.pem"])).success();
    let refused = sandbox.run(LOOK.iter().chain(&["--certificate-authority=wrong.pem"])).fails_with(1);
    assert!(refused.stderr.contains("tls: failed to verify certificate"), "{refused}");
    let both = ["--certificate-authority=right.pem", "--insecure-skip-tls-verify"];
    let refused = sandbox.run(LOOK.iter().chain(&both)).fails_with(2);
    let message = "error: specifying a root certificates file with the insecure flag is not allowed\n";
    assert!(refused.stderr.starts_with(message), "{refused}");
    // The kubeconfig may not ask for both either; the flag says which is meant.
    for (field, value) in [
        ("certificate-authority-data", BASE64_STANDARD.encode(World::in_process().ca_pem())),
        ("certificate-authority", "/nowhere.pem".to_owned()),
    ] {
        let sandbox = Sandbox::new().kubeconfig(&careless.clone().cluster(field, value));
        let refused = sandbox.run(LOOK).fails_with(1);
        assert!(refused.stderr.starts_with(message), "{refused}");
        sandbox.run(LOOK.iter().chain(&["--insecure-skip-tls-verify"])).success();
        let refused = sandbox.run(LOOK.iter().chain(&["--insecure-skip-tls-verify=false"])).fails_with(1);
        assert!(!refused.stderr.starts_with(message), "{refused}");
    }
}

#[test]
fn a_client_certificate_needs_its_key() {
    let world = world_with_namespace();
    let (certificate, key) = world.client_certificate("jane", Validity::Valid);
    let (_, other_key) = world.client_certificate("john", Validity::Valid);
    let sandbox = Sandbox::new().with(&world);
    sandbox.file("jane.crt", &certificate);
    sandbox.file("jane.key", &key);
    for (flag, missing) in [
        ("--client-certificate=jane.crt", "client-key-data or client-key"),
        ("--client-key=jane.key", "client-certificate-data or client-certificate"),
    ] {
        let refused = sandbox.run(LOOK.iter().chain(&[flag])).fails_with(1);
        let message =
            format!("error: {missing} must be specified to use the clientCert authentication method\n");
        assert!(refused.stderr.starts_with(&message), "{refused}");
    }
    // The other half may come from the kubeconfig.
    let sandbox = sandbox.kubeconfig(&world.kubeconfig().client_certificate(&(certificate, other_key)));
    let refused = sandbox.run(LOOK.iter().chain(&["--client-key=jane.key"])).fails_with(1);
    assert!(refused.stderr.contains("User \"jane\" cannot create resource \"secrets\""), "{refused}");
}

#[test]
fn no_proxy_is_meant_for_the_clusters_host() {
    let world = world_with_namespace();
    let proxy = Proxy::new();
    // Loopback never takes a proxy of the environment, so the cluster gets a name that only the proxy must resolve.
    let named =
        world.kubeconfig().server(&format!("https://localhost.localdomain:{}", world.address().port()));
    let named = named.cluster("tls-server-name", "localhost");
    let sandbox = Sandbox::new().kubeconfig(&named).with_env("HTTPS_PROXY", proxy.url());
    let _ = sandbox.run(LOOK.iter().chain(&["--request-timeout=5s"]));
    assert_eq!(proxy.asked_for(), [format!("localhost.localdomain:{}", world.address().port())]);
    let _ = sandbox.env("NO_PROXY", ".localdomain").run(LOOK.iter().chain(&["--request-timeout=5s"]));
    assert_eq!(proxy.connections(), 1, "NO_PROXY names the cluster");
    let _ = sandbox.env("NO_PROXY", "127.0.0.1").run(LOOK.iter().chain(&["--request-timeout=5s"]));
    assert_eq!(proxy.asked_for().len(), 2, "NO_PROXY names the proxy, which means nothing");
}

/// A server without TLS that refuses everybody, and the credentials that it was shown.
fn refusing_server() -> (support::Listening, Arc<Mutex<Vec<String>>>) {
    let shown = Arc::new(Mutex::new(Vec::new()));
    let noted = Arc::clone(&shown);
    let server = support::listen(move |request| {
        let header = request.headers().get("authorization").map_or("", |header| header.to_str().unwrap());
        noted.lock().unwrap().push(header.to_owned());
        let mut answer = http::Response::default();
        *answer.status_mut() = http::StatusCode::UNAUTHORIZED;
        answer
    });
    (server, shown)
}

#[test]
fn a_server_without_tls_and_without_a_port_is_reached_by_a_proxy_as_kubectl_reaches_it() {
    let (server, _) = refusing_server();
    let address = server.server().trim_start_matches("http://").parse().unwrap();
    let forwarding = Proxy::forwarding(address);
    let sandbox = Sandbox::new().with_env("HTTP_PROXY", format!("http://u:p%40ss@{}", forwarding.address()));
    let refused = sandbox.run(LOOK.iter().chain(&["-s", "http://api.example.test"])).fails_with(1);
    assert!(refused.stderr.contains("Unauthorized"), "{refused}");
    refused.never_shows(b"p@ss");
    let url = "http://api.example.test/api/v1/namespaces/d/secrets?";
    let asked_for = forwarding.asked_for();
    assert!(asked_for[0].starts_with(url) && asked_for[0].ends_with(" Basic dTpwQHNz"), "{asked_for:?}");

    let socks = Proxy::socks(None);
    let sandbox = Sandbox::new().with_env("HTTP_PROXY", socks.url());
    let words = ["-s", "http://api.example.test", "--request-timeout=5s"];
    sandbox.run(LOOK.iter().chain(&words)).fails_with(1);
    assert_eq!(socks.asked_for()[0], "api.example.test:80");

    let nowhere = Sandbox::new().with_env("HTTP_PROXY", "http://127.0.0.1:1");
    let refused = nowhere.run(LOOK.iter().chain(&words)).fails_with(1);
    let said = "the proxy between here and api.example.test can't be reached";
    assert!(refused.stderr.contains(said), "{refused}");
}

#[test]
fn user_and_password_of_the_servers_address_log_in_as_with_kubectl() {
    let (server, shown) = refusing_server();
    let with_user = server.server().replace("http://", "http://u:p%40ss@");
    for more in [&[][..], &["--token=other"]] {
        let refused =
            Sandbox::new().run(LOOK.iter().chain(&["-s", &with_user, "-v"]).chain(more)).fails_with(1);
        assert!(refused.stderr.contains("user name and password in the server's address"), "{refused}");
        assert_eq!(shown.lock().unwrap().pop().unwrap(), "Basic dTpwQHNz");
        refused.never_shows(b"p@ss");
        refused.never_shows(b"p%40ss");
    }
    let world = world_with_namespace();
    let with_user = world.server().replace("https://", "https://u:p%40ss@");
    let _ = look(&world.kubeconfig().server(&with_user)).fails_with(1);
    assert!(world.requests()[0].header("authorization").is_some());
}

#[test]
fn a_proxy_of_the_kubeconfig_goes_before_no_proxy() {
    let world = world_with_namespace();
    let proxy = Proxy::new();
    let sandbox =
        Sandbox::new().kubeconfig(&world.kubeconfig().proxy_url(&proxy.url())).with_env("NO_PROXY", "*");
    sandbox.run(LOOK).success();
    assert_eq!(proxy.connections(), 1);
}

#[test]
fn a_scheme_of_a_proxy_that_does_not_work_is_named_with_those_that_do() {
    let world = world_with_namespace();
    for scheme in ["socks4", "ftp", "quic", "socks"] {
        let refused =
            look(&world.kubeconfig().proxy_url(&format!("{scheme}://jane:hunter2@proxy:1080"))).fails_with(1);
        let said =
            format!("error: proxy-url in the kubeconfig has the scheme {scheme}, which is not supported\n");
        assert!(refused.stderr.starts_with(&said), "{refused}");
        assert!(refused.stderr.contains("hint: http, https, socks5 and socks5h are"), "{refused}");
        refused.never_shows(b"hunter2");
    }
    assert!(world.requests().is_empty());
}

#[test]
fn a_name_of_a_host_that_is_not_ascii_is_named_as_that() {
    let world = world_with_namespace();
    for (server, said) in [
        (
            "https://m\u{fc}nchen.example:6443",
            "error: the address of the server is not ASCII\nhint: write the name",
        ),
        ("m\u{fc}nchen.example", "error: the address of the server is not ASCII\n"),
        ("https://api\u{200b}.example", "error: the address of the server has invisible characters in it\n"),
    ] {
        let refused = Sandbox::new().with(&world).run(LOOK.iter().chain(&["--server", server])).fails_with(1);
        assert!(refused.stderr.starts_with(said), "{refused}");
    }
    let refused = look(&world.kubeconfig().proxy_url("http://pr\u{f6}xy:1")).fails_with(1);
    assert!(refused.stderr.starts_with("error: proxy-url in the kubeconfig is not ASCII\n"), "{refused}");
    let proxied = Sandbox::new().with(&world);
    let refused =
        proxied.env("HTTPS_PROXY", "http://pr\u{f6}xy:1").run(["list", "--server=https://h:1"]).fails_with(1);
    assert!(refused.stderr.starts_with("error: HTTPS_PROXY is not ASCII\n"), "{refused}");
}

/// A library that has the machine's clock stand on the day before 1970.
#[cfg(target_os = "linux")]
fn old_clock(sandbox: &Sandbox) -> PathBuf {
    let source = sandbox.file(
        "clock.c",
        "#define _GNU_SOURCE\n#include <sys/syscall.h>\n#include <time.h>\n#include <unistd.h>\n\
         int clock_gettime(clockid_t id, struct timespec *t) {\n\
         long r = syscall(SYS_clock_gettime, id, t); if (id == CLOCK_REALTIME) t->tv_sec = -86400; return (int)r; }\n",
    );
    let library = sandbox.path().join("clock.so");
    let built =
        std::process::Command::new("cc").args(["-shared", "-fPIC", "-o"]).args([&library, &source]).status();
    assert!(built.is_ok_and(|status| status.success()), "cc, which links Rust's programs too");
    library
}

#[cfg(target_os = "linux")]
#[test]
fn a_clock_before_1970_is_named_and_ends_nothing_in_a_panic() {
    let world = world_with_namespace();
    let sandbox = Sandbox::new().with(&world);
    let library = old_clock(&sandbox);
    let run = |words: &[&str]| sandbox.env("LD_PRELOAD", &library).run(words);
    let refused = run(&LOOK).fails_with(1);
    assert!(
        refused.stderr.contains("x509: certificate has expired or is not yet valid: current time "),
        "{refused}"
    );
    assert!(refused.stderr.contains("\nhint: either this machine's clock is wrong, or "), "{refused}");
    for words in [
        ["create", "s", "--from-literal=a=b"].as_slice(),
        &["view", "s"],
        &["list", "-o", "wide"],
        &["check"],
        &["usage", "s"],
        &["submit", "t", "-i", "x", "-e", "A=SECRET:s,a"],
        &["attach", "s", "job/t", "--env", "B=a", "--recreate", "--yes"],
        &["status"],
        &["delete", "s", "--yes", "--force"],
    ] {
        let outcome =
            run(&[words, &["-n", "d", "--insecure-skip-tls-verify", "--certificate-authority="]].concat());
        assert!(!outcome.stderr.contains("a bug in this program"), "{outcome}");
        assert!(outcome.signal.is_none(), "{outcome}");
    }
}
