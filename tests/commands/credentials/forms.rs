//! Everything that a kubeconfig may hold, in every form that kubectl takes.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::process::Command;
use std::sync::mpsc;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};
use support::proxy::Proxy;
use support::{KeyKind, Kubeconfig, Odd, Outcome, Sandbox, World};

use super::{LOOK, world_with_namespace};

fn look(kubeconfig: &Kubeconfig) -> Outcome {
    Sandbox::new().kubeconfig(kubeconfig).run(LOOK)
}

/// Base64 in lines, as `base64` prints it without `-w0`.
fn in_lines(content: &str) -> String {
    let text = BASE64_STANDARD.encode(content);
    let lines: Vec<&str> = text.as_bytes().chunks(76).map(|line| str::from_utf8(line).unwrap()).collect();
    lines.join("\n") + "\n"
}

#[test]
fn white_space_around_a_token_is_taken_off_wherever_it_comes_from() {
    let world = world_with_namespace();
    let token = world.admin_token();
    for around in [format!("{token}\n"), format!("{token}\r\n"), format!(" \t{token} \n\n")] {
        look(&world.kubeconfig().token(&around)).success();
        Sandbox::new().with(&world).run(LOOK.iter().chain(&["--token", around.as_str()])).success();
        let sandbox = Sandbox::new();
        let file = sandbox.file("token", &around);
        sandbox.kubeconfig(&world.kubeconfig().user(json!({ "tokenFile": file }))).run(LOOK).success();
    }
}

#[test]
fn a_token_that_a_request_can_not_carry_is_refused_with_its_origin_and_never_shown() {
    let world = world_with_namespace();
    for token in
        ["s3cret-t0ken-1\nX-Y: z", "s3cret-t0ken-1\r\u{b}x", "a\u{1b}s3cret-t0ken-1", "s3cret-t0ken-1\u{7f}x"]
    {
        let sandbox = Sandbox::new();
        let file = sandbox.file("token", token);
        let of_file = sandbox.kubeconfig(&world.kubeconfig().user(json!({ "tokenFile": file })));
        let refused = of_file.run(LOOK).fails_with(1);
        assert!(refused.stderr.contains("/token can't be sent\nhint: "), "{refused}");
        refused.never_shows(b"s3cret-t0ken-1");
        let refused = look(&world.kubeconfig().token(token)).fails_with(1);
        let message = "error: the token of the user \"test\" in the kubeconfig can't be sent\nhint: ";
        assert!(refused.stderr.starts_with(message), "{refused}");
        refused.never_shows(b"s3cret-t0ken-1");
        let refused = Sandbox::new().with(&world).run(LOOK.iter().chain(&["--token", token])).fails_with(1);
        assert!(refused.stderr.starts_with("error: the token of --token can't be sent\nhint: "), "{refused}");
        refused.never_shows(b"s3cret-t0ken-1");
    }
    assert!(world.requests().is_empty());
}

#[test]
fn a_token_file_goes_before_a_token_and_stands_for_it_only_as_long_as_it_can_be_read() {
    let world = world_with_namespace();
    let sandbox = Sandbox::new();
    let (good, empty, none) =
        (sandbox.file("good", world.admin_token()), sandbox.file("empty", "\n"), sandbox.path().join("none"));
    let user = |token: &str, file| world.kubeconfig().user(json!({ "token": token, "tokenFile": file }));
    look(&user("wrong", &good)).success();
    look(&user(world.admin_token(), &none)).success();
    look(&user(world.admin_token(), &empty)).success();
    let refused = look(&user("", &none)).fails_with(1);
    assert!(
        refused.stderr.contains("none: no such file or directory\nhint: it is named by tokenFile"),
        "{refused}"
    );
    let refused = look(&user("", &empty)).fails_with(1);
    assert!(refused.stderr.starts_with("error: read empty token from file \""), "{refused}");
}

#[test]
fn what_is_empty_is_not_there() {
    let world = world_with_namespace();
    let user = json!({
        "token": world.admin_token(), "tokenFile": "", "client-certificate": "", "client-certificate-data": "",
        "client-key": "", "client-key-data": "", "username": "", "password": "", "as": "", "as-uid": "",
        "as-groups": [], "as-user-extra": {}, "exec": null, "auth-provider": null,
    });
    let mut kubeconfig = world.kubeconfig().user(user);
    for field in ["tls-server-name", "proxy-url", "certificate-authority"] {
        kubeconfig = kubeconfig.cluster(field, "");
    }
    let sandbox = Sandbox::new().kubeconfig(&kubeconfig);
    sandbox.run(LOOK).success();
    let flags = [
        "--server=",
        "--token=",
        "--user=",
        "--cluster=",
        "--context=",
        "--kubeconfig=",
        "--as=",
        "--as-group=",
        "--as-uid=",
        "--tls-server-name=",
        "--certificate-authority=",
        "--client-certificate=",
        "--client-key=",
    ];
    sandbox.run(LOOK.iter().chain(&flags)).success();
}

#[test]
fn base64_in_several_lines_is_base64() {
    let world = world_with_namespace();
    let (certificate, key) = world.client_certificate_with("jane", KeyKind::P256);
    let user =
        json!({ "client-certificate-data": in_lines(&certificate), "client-key-data": in_lines(&key) });
    let kubeconfig = world.kubeconfig().cluster("certificate-authority-data", in_lines(world.ca_pem()));
    let refused = look(&kubeconfig.user(user)).fails_with(1);
    assert!(refused.stderr.contains("User \"jane\" cannot create resource \"secrets\""), "{refused}");
    // As YAML folds them, and as `!!binary` has it.
    let sandbox = Sandbox::new();
    let [folded, binary] = [">", "!!binary |"].map(|style| {
        let lines = in_lines(world.ca_pem()).replace('\n', "\n      ");
        let authority = format!("certificate-authority-data: {style}\n      {lines}");
        format!(
            "kind: Config\ncurrent-context: c\ncontexts:\n- name: c\n  context: {{cluster: c, user: u}}\nusers:\n- name: u\n  \
             user: {{token: {}}}\nclusters:\n- name: c\n  cluster:\n    server: {}\n    {authority}\n",
            world.admin_token(),
            world.server()
        )
    });
    sandbox.file("folded", folded);
    sandbox.file("binary", binary);
    for file in ["folded", "binary"] {
        sandbox.env("KUBECONFIG", file).run(LOOK).success();
    }
}

#[test]
fn base64_that_is_none_is_named_by_its_own_field() {
    let world = world_with_namespace();
    let (certificate, key) = world.client_certificate_with("jane", KeyKind::P256);
    let user = |certificate: &str, key: &str| {
        world.kubeconfig().user(json!({ "client-certificate-data": certificate, "client-key-data": key }))
    };
    for (kubeconfig, field) in [
        (
            world.kubeconfig().cluster("certificate-authority-data", "s3cret?"),
            "certificate-authority-data of the cluster",
        ),
        (user("s3cret?", &in_lines(&key)), "client-certificate-data of the user"),
        (user(&in_lines(&certificate), "s3cret?"), "client-key-data of the user"),
    ] {
        let refused = look(&kubeconfig).fails_with(1);
        let message = format!("error: {field} \"test\" in the kubeconfig is not base64\nhint: ");
        assert!(refused.stderr.starts_with(&message), "{refused}");
        refused.never_shows(b"s3cret");
    }
}

#[test]
fn a_secret_of_a_manifest_may_be_written_in_lines_too() {
    let sandbox = Sandbox::new();
    let manifest = |value: &str| {
        json!({
            "apiVersion": "v1", "kind": "Secret", "metadata": { "name": "s" }, "data": { "A": value },
        })
        .to_string()
    };
    let world = world_with_namespace();
    let sandbox = sandbox.with(&world);
    sandbox.file("lines.yaml", manifest("aGVs\nbG8=\n"));
    sandbox.run(["check", "-f", "lines.yaml", "-nd"]).success();
    sandbox.file("blank.yaml", manifest("aGVs bG8="));
    let refused = sandbox.run(["check", "-f", "blank.yaml", "-nd"]).fails_with(2);
    assert!(refused.stderr.contains("the value of A in data is not base64"), "{refused}");
}

/// A server without TLS that answers every request with 401, and what it was sent.
fn plain_server() -> (u16, mpsc::Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        while let Ok((mut stream, _)) = listener.accept() {
            let mut request = [0; 8192];
            let length = stream.read(&mut request).unwrap_or_default();
            let _ = sender.send(String::from_utf8_lossy(&request[..length]).into_owned());
            let _ = stream
                .write_all(b"HTTP/1.1 401 Unauthorized\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
        }
    });
    (port, receiver)
}

#[test]
fn a_server_without_a_scheme_is_http_to_which_no_credential_is_sent() {
    let world = world_with_namespace();
    let (port, requests) = plain_server();
    for server in
        [format!("127.0.0.1:{port}"), format!("localhost:{port}"), format!("http://127.0.0.1:{port}/")]
    {
        let sandbox = Sandbox::new().kubeconfig(&world.kubeconfig().server(&server));
        let of_flag = Sandbox::new().with(&world);
        for refused in [sandbox.run(["list", "-nd"]), of_flag.run(["list", "-nd", "-s", &server])] {
            let refused = refused.fails_with(1);
            assert!(refused.stderr.contains("hint: no credentials are sent over http"), "{refused}");
            let request = requests.recv().unwrap();
            assert!(request.starts_with("GET /api/v1/namespaces/d/secrets?"), "{request}");
            assert!(!request.to_lowercase().contains("authorization"), "{request}");
        }
    }
}

#[test]
fn what_is_no_address_is_said_and_never_ends_in_a_panic() {
    let world = world_with_namespace();
    for server in [
        "://x",
        "/x/y",
        "localhost:1/x",
        "https://",
        " https://x",
        "https://x\n",
        "https://x:99999",
        "ä",
        "ftp://x",
        "unix:///x",
    ] {
        let sandbox = Sandbox::new().kubeconfig(&world.kubeconfig().server(server));
        let of_flag = Sandbox::new().with(&world);
        for refused in [sandbox.run(LOOK), of_flag.run(LOOK.iter().chain(&["-s", server]))] {
            let refused = refused.fails_with(1);
            assert!(refused.stderr.starts_with("error: the address of the server "), "{server}: {refused}");
        }
    }
}

#[test]
fn what_can_not_stand_in_a_header_or_a_name_is_said() {
    let world = world_with_namespace();
    let with = |field: &str, value: Value| {
        world.kubeconfig().user(json!({ "token": world.admin_token(), "as": "jane", field: value }))
    };
    for (kubeconfig, what) in [
        (with("as", json!("a\nb")), "the name of --as has a character"),
        (with("as-uid", json!("a\u{0}b")), "the UID of --as-uid has a character"),
        (with("as-groups", json!(["ok", "a\rb"])), "a group of --as-group has a character"),
        (
            with("as-user-extra", json!({ "k": ["a\nb"] })),
            "as-user-extra of the user in the kubeconfig has a character",
        ),
        (world.kubeconfig().cluster("tls-server-name", "a b"), "tls-server-name is not the name of a server"),
        (world.kubeconfig().proxy_url("proxy"), "the proxy between here and "),
        (
            world.kubeconfig().proxy_url("ftp://proxy"),
            "proxy-url in the kubeconfig has the scheme ftp, which is not supported",
        ),
        (
            world.kubeconfig().proxy_url("http://a b"),
            "proxy-url in the kubeconfig is not the address of a proxy",
        ),
    ] {
        let refused = look(&kubeconfig.namespace("d")).fails_with(1);
        assert!(refused.stderr.contains(what), "{what}: {refused}");
    }
    assert!(world.requests().is_empty());
    // What Go sends is sent.
    let _ = look(&with("as-user-extra", json!({ "a b/c": ["one", "two"] }))).fails_with(1);
    let request = &world.requests()[0];
    assert_eq!(request.header("impersonate-extra-a%20b%2fc"), Some("one"));
}

#[test]
fn a_certificate_that_the_kubeconfig_names_is_trusted_whether_or_not_it_is_an_authority() {
    let world = world_with_namespace();
    let at = |server: &str, authority: &str| {
        let kubeconfig = world.kubeconfig().server(server);
        look(&kubeconfig.cluster("certificate-authority-data", BASE64_STANDARD.encode(authority)))
    };
    for odd in [Odd::SelfSigned, Odd::SelfSignedAuthority] {
        let (server, certificate) = world.odd_door(odd);
        at(&server, &certificate).success();
        // Beside others, one of which is broken.
        let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        at(&server, &format!("subject=x\n{broken}text\n{}issuer=y\n{certificate}", world.ca_pem())).success();
        let refused = at(&server, world.ca_pem()).fails_with(1);
        assert!(refused.stderr.contains("x509: "), "{odd:?}: {refused}");
    }
    let (server, _) = world.odd_door(Odd::AuthorityOfAuthority);
    at(&server, world.ca_pem()).success();
    let refused = at(&server, World::in_process().ca_pem()).fails_with(1);
    assert!(refused.stderr.contains("x509: "), "{refused}");
    for (odd, why) in [
        (Odd::Expired, "certificate has expired or is not yet valid: current time 2"),
        (Odd::NotYetValid, " is before 2201-01-01T00:00:00Z\nhint: either this machine's clock is wrong"),
        (Odd::ForAnotherName, "certificate is not valid for this name"),
        (Odd::ForClients, "certificate specifies an incompatible key usage"),
        (Odd::OfNoAuthority, "certificate signed by unknown authority"),
        (Odd::AuthorityOfNoAuthority, "certificate signed by unknown authority"),
    ] {
        let (server, certificate) = world.odd_door(odd);
        let refused = at(&server, &certificate).fails_with(1);
        assert!(refused.stderr.contains(why), "{odd:?}: {refused}");
    }
    let (server, certificate) = world.odd_door(Odd::ForAnotherName);
    let named = world.kubeconfig().server(&server).cluster("tls-server-name", "api.example.com");
    look(&named.cluster("certificate-authority-data", BASE64_STANDARD.encode(certificate))).success();
}

#[test]
fn a_bundle_without_a_certificate_is_said_to_be_one() {
    let world = world_with_namespace();
    let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    for (bundle, why) in [
        ("hello", "unable to parse bytes as PEM block"),
        (broken, "no valid certificate authority data seen"),
    ] {
        let refused =
            look(&world.kubeconfig().cluster("certificate-authority-data", BASE64_STANDARD.encode(bundle)))
                .fails_with(1);
        let message = format!(
            "error: unable to load root certificates: {why}\nhint: certificate-authority of the cluster \"test\""
        );
        assert!(refused.stderr.starts_with(&message), "{refused}");
    }
    let refused = look(
        &world
            .kubeconfig()
            .cluster("certificate-authority-data", Value::Null)
            .cluster("certificate-authority", "/nowhere.pem"),
    )
    .fails_with(1);
    let message = "error: unable to read certificate-authority /nowhere.pem for test due to open /nowhere.pem: no such file or directory\n";
    assert!(refused.stderr.starts_with(message), "{refused}");
}

/// The same key without the envelope of PKCS #8, and so with another label.
fn as_sec1(pem: &str) -> String {
    use pkcs8::der::{Decode as _, Encode as _};
    const P256: pkcs8::ObjectIdentifier = pkcs8::ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
    let body: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    let der = BASE64_STANDARD.decode(body).unwrap();
    let key = pkcs8::PrivateKeyInfoRef::try_from(der.as_slice()).unwrap();
    let key = sec1::EcPrivateKey::from_der(key.private_key.as_bytes()).unwrap();
    // As some programs write it: without its public half.
    let parameters = Some(sec1::EcParameters::NamedCurve(P256));
    let key = sec1::EcPrivateKey { parameters, public_key: None, ..key };
    let body = BASE64_STANDARD.encode(key.to_der().unwrap());
    let parameters = "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n";
    format!("{parameters}-----BEGIN EC PRIVATE KEY-----\n{body}\n-----END EC PRIVATE KEY-----\n")
}

#[test]
fn client_keys_of_every_kind_and_label_are_used() {
    let world = world_with_namespace();
    for kind in [KeyKind::P256, KeyKind::P384, KeyKind::Ed25519] {
        let (certificate, key) = world.client_certificate_with("jane", kind);
        let mislabelled = key.replace("PRIVATE KEY", "ANY PRIVATE KEY");
        let mut keys = vec![key.clone(), mislabelled, format!("{certificate}{key}")];
        if kind == KeyKind::P256 {
            keys.push(as_sec1(&key));
        }
        for key in keys {
            let refused =
                look(&world.kubeconfig().client_certificate(&(certificate.clone(), key))).fails_with(1);
            assert!(refused.stderr.contains("User \"jane\" cannot create"), "{kind:?}: {refused}");
        }
    }
}

#[test]
fn client_certificates_that_are_of_no_use_are_named_with_the_reason() {
    let world = world_with_namespace();
    let (certificate, key) = world.client_certificate_with("jane", KeyKind::P256);
    let (_, other) = world.client_certificate_with("john", KeyKind::P256);
    let (_, other_kind) = world.client_certificate_with("john", KeyKind::Ed25519);
    let body = "AAAA\n-----END";
    let encrypted = format!("-----BEGIN ENCRYPTED PRIVATE KEY-----\n{body} ENCRYPTED PRIVATE KEY-----\n");
    let encrypted_of_old = format!(
        "-----BEGIN EC PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\n{body} EC PRIVATE KEY-----\n"
    );
    for (certificate, key, what) in [
        (&certificate, &encrypted, "the client-key of the user \"test\" can't be used: it is encrypted"),
        (
            &certificate,
            &encrypted_of_old,
            "the client-key of the user \"test\" can't be used: it is encrypted",
        ),
        (&certificate, &other, "tls: private key does not match public key"),
        (&certificate, &other_kind, "tls: private key type does not match public key type"),
        (
            &certificate,
            &certificate,
            "the client-key of the user \"test\" can't be used: tls: failed to find any PEM data in key",
        ),
        (
            &key,
            &key,
            "the client-certificate of the user \"test\" can't be used: tls: failed to find any PEM data",
        ),
        (
            &certificate,
            &format!("-----BEGIN PRIVATE KEY-----\n{body} PRIVATE KEY-----\n"),
            "tls: failed to parse private key",
        ),
        (
            &format!("-----BEGIN CERTIFICATE-----\n{body} CERTIFICATE-----\n"),
            &key,
            "x509: malformed certificate",
        ),
    ] {
        let refused =
            look(&world.kubeconfig().client_certificate(&(certificate.clone(), key.clone()))).fails_with(1);
        assert!(refused.stderr.contains(what), "{what}: {refused}");
        assert!(refused.stderr.contains("\nhint: "), "{refused}");
    }
    let missing =
        world.kubeconfig().user(json!({ "client-certificate": "/no.crt", "client-key": "/no.key" }));
    let refused = look(&missing).fails_with(1);
    let message =
        "error: unable to read client-cert /no.crt for test due to open /no.crt: no such file or directory\n";
    assert!(refused.stderr.starts_with(message), "{refused}");
    assert!(world.requests().is_empty());
}

#[test]
fn ways_to_log_in_that_exclude_each_other_are_refused_as_by_kubectl() {
    let world = world_with_namespace();
    for (user, message) in [
        (
            json!({ "token": "x", "username": "u", "password": "p" }),
            "more than one authentication method found for test; found [token basicAuth], only one is allowed",
        ),
        (
            json!({ "tokenFile": "/nowhere", "username": "u", "password": "p" }),
            "username/password or bearer token may be set, but not both",
        ),
        (
            json!({ "exec": { "command": "true" }, "auth-provider": { "name": "oidc" } }),
            "authProvider cannot be provided in combination with an exec plugin for test",
        ),
    ] {
        let refused = look(&world.kubeconfig().user(user)).fails_with(1);
        assert!(refused.stderr.starts_with(&format!("error: {message}\nhint: ")), "{refused}");
    }
    let _ = look(&world.kubeconfig().user(json!({ "username": "u", "password": "p:w" }))).fails_with(1);
    assert!(world.requests()[0].header("authorization").is_some());
}

#[test]
fn a_socks_proxy_is_told_user_and_password_and_resolves_the_name() {
    let world = world_with_namespace();
    let proxy = Proxy::socks(Some(("user", "p@ss")));
    let named = |proxy_url: &str| {
        let server = format!("https://api.internal.example:{}", world.address().port());
        world.kubeconfig().server(&server).cluster("tls-server-name", "localhost").proxy_url(proxy_url)
    };
    for scheme in ["socks5", "socks5h"] {
        look(&named(&format!("{scheme}://user:p%40ss@{}", proxy.address()))).success();
    }
    assert_eq!(proxy.asked_for()[0], format!("api.internal.example:{}", world.address().port()));
    let of_environment = Sandbox::new()
        .kubeconfig(&named(""))
        .with_env("HTTPS_PROXY", format!("socks5://user:p%40ss@{}", proxy.address()));
    of_environment.run(LOOK).success();
    for account in ["user:wr0ng-pw@", ""] {
        let refused = look(&named(&format!("socks5://{account}{}", proxy.address()))).fails_with(1);
        assert!(
            refused.stderr.starts_with(
                "Unable to connect to the server: the proxy between here and api.internal.example:"
            ),
            "{refused}"
        );
        refused.never_shows(b"wr0ng-pw");
    }
    let open = Proxy::socks(None);
    look(&named(&open.url())).success();
}

#[test]
fn a_proxy_that_is_not_there_is_not_told_as_the_server() {
    let world = world_with_namespace();
    for proxy in ["http://127.0.0.1:1", "socks5://127.0.0.1:1", "https://127.0.0.1:1"] {
        let refused = look(&world.kubeconfig().proxy_url(proxy)).fails_with(1);
        assert!(refused.stderr.contains("the proxy between here and 127.0.0.1:"), "{refused}");
        assert!(refused.stderr.contains(" can't be reached\nhint: "), "{refused}");
    }
}

#[test]
fn a_kubeconfig_may_be_a_pipe_and_never_has_no_end() {
    let world = world_with_namespace();
    let sandbox = Sandbox::new().with(&world);
    let pipe = sandbox.path().join("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let (content, writer) = (world.kubeconfig().to_string(), pipe.clone());
    let writing = std::thread::spawn(move || fs::write(writer, content));
    sandbox.env("KUBECONFIG", &pipe).run(LOOK).success();
    writing.join().unwrap().unwrap();
    let refused = sandbox.env("KUBECONFIG", "/dev/zero").run(LOOK).fails_with(1);
    assert!(
        refused
            .stderr
            .starts_with("error: error loading config file \"/dev/zero\": it is larger than 8 MiB\n"),
        "{refused}"
    );
    let refused = sandbox.env("KUBECONFIG", "/dev").run(LOOK).fails_with(1);
    assert!(
        refused.stderr.starts_with("error: error loading config file \"/dev\": is a directory\n"),
        "{refused}"
    );
    for user in [
        json!({ "tokenFile": "/dev/zero" }),
        json!({ "client-certificate": "/dev/zero", "client-key": "/dev/zero" }),
    ] {
        let refused = look(&world.kubeconfig().user(user)).fails_with(1);
        assert!(refused.stderr.contains("it is larger than 8 MiB\n"), "{refused}");
    }
    let endless = world
        .kubeconfig()
        .cluster("certificate-authority-data", Value::Null)
        .cluster("certificate-authority", "/dev/zero");
    assert!(look(&endless).fails_with(1).stderr.contains("it is larger than 8 MiB\n"));
    // One that nobody writes into does not keep Ctrl-C away.
    let stuck = sandbox.env("KUBECONFIG", &pipe).spawn(LOOK);
    std::thread::sleep(std::time::Duration::from_millis(300));
    stuck.interrupt();
    let ended = stuck.wait();
    assert!(ended.code == Some(130) || ended.signal == Some(2), "{ended}");
}

/// A text in UTF-16 with a byte order mark, as PowerShell's `>` writes it.
fn in_utf16(text: &str) -> Vec<u8> {
    [0xfeff].into_iter().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect()
}

#[test]
fn a_token_in_another_encoding_is_refused_by_the_name_of_its_file() {
    let world = world_with_namespace();
    let sandbox = Sandbox::new();
    let token = world.admin_token();
    let bare: Vec<u8> = token.encode_utf16().flat_map(u16::to_le_bytes).collect();
    for (content, fault) in [
        (in_utf16(token), "token is UTF-16\n"),
        (bare, "token is UTF-16\n"),
        (format!("\u{feff}{token}\r\n").into_bytes(), "token begins with a byte order mark\n"),
        (format!("{token}\u{200b}\n").into_bytes(), "token has invisible characters in it\n"),
    ] {
        let file = sandbox.file("token", content);
        let refused = look(&world.kubeconfig().user(json!({ "tokenFile": file }))).fails_with(1);
        assert!(refused.stderr.starts_with("error: the token in /"), "{refused}");
        assert!(refused.stderr.contains(fault), "{fault}: {refused}");
    }
    let marked = format!("\u{feff}{token}");
    let refused = look(&world.kubeconfig().token(&marked)).fails_with(1);
    let message = "error: the token of the user \"test\" in the kubeconfig begins with a byte order mark\n";
    assert!(refused.stderr.starts_with(message), "{refused}");
    let refused = Sandbox::new().with(&world).run(LOOK.iter().chain(&["--token", &marked])).fails_with(1);
    let message = "error: the token of --token begins with a byte order mark\n";
    assert!(refused.stderr.starts_with(message), "{refused}");
    assert!(world.requests().is_empty());
}

#[test]
fn certificates_and_keys_in_another_encoding_are_refused_by_their_own_names() {
    let world = world_with_namespace();
    let (certificate, key) = world.client_certificate_with("jane", KeyKind::P256);
    let sandbox = Sandbox::new();
    for (change, fault) in [
        (in_utf16 as fn(&str) -> Vec<u8>, "is UTF-16"),
        (|text: &str| format!("\u{feff}{text}").into_bytes(), "begins with a byte order mark"),
    ] {
        let authority = sandbox.file("ca.pem", change(world.ca_pem()));
        for kubeconfig in [
            world
                .kubeconfig()
                .cluster("certificate-authority-data", BASE64_STANDARD.encode(change(world.ca_pem()))),
            world
                .kubeconfig()
                .cluster("certificate-authority-data", "")
                .cluster("certificate-authority", authority.to_str().unwrap()),
        ] {
            let refused = look(&kubeconfig).fails_with(1);
            let message = format!(
                "error: unable to load root certificates: certificate-authority of the cluster \"test\" {fault}\n"
            );
            assert!(refused.stderr.starts_with(&message), "{refused}");
        }
        let files = [
            ("certificate", sandbox.file("c", change(&certificate)), sandbox.file("good-k", &key)),
            ("key", sandbox.file("good-c", &certificate), sandbox.file("k", change(&key))),
        ];
        for (what, certificate, key) in files {
            let user = json!({ "client-certificate": certificate, "client-key": key });
            let refused = look(&world.kubeconfig().user(user)).fails_with(1);
            let message =
                format!("error: the client-{what} of the user \"test\" can't be used: it {fault}\n");
            assert!(refused.stderr.starts_with(&message), "{refused}");
        }
    }
    let bundle = format!("\u{feff}{0}{0}", world.ca_pem());
    look(&world.kubeconfig().cluster("certificate-authority-data", BASE64_STANDARD.encode(bundle))).success();
    assert!(world.requests().len() == 1);
}

#[test]
fn a_kubeconfig_in_utf_16_is_read_by_its_mark_and_named_without_one() {
    let world = world_with_namespace();
    let sandbox = Sandbox::new();
    let text = world.kubeconfig().to_string();
    sandbox.file("marked", in_utf16(&text));
    sandbox.env("KUBECONFIG", "marked").run(LOOK).success();
    sandbox.file("bare", &in_utf16(&text)[2..]);
    let refused = sandbox.env("KUBECONFIG", "bare").run(LOOK).fails_with(1);
    let message = "error: error loading config file \"bare\": it is UTF-16 without a byte order mark\n";
    assert!(refused.stderr.starts_with(message), "{refused}");
}
