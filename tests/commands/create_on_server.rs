//! `create` beside the API server's own rules: what is sent is read back equal, and the server refuses nothing that the
//! plugin had let pass without a word.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use support::{Sandbox, World, scenario};

const PAIRS: &str = include_str!("../conformance/tls-pairs.json");
const MEBIBYTE: usize = 1_048_576;

/// A command of `create`, with the secret's name and the folder of the files left out, and what it makes.
struct Made {
    words: Vec<String>,
    secret_type: &'static str,
    data: BTreeMap<String, Vec<u8>>,
}

fn made(words: &[&str], secret_type: &'static str, data: &[(&str, &[u8])]) -> Made {
    Made {
        words: words.iter().map(|word| (*word).to_owned()).collect(),
        secret_type,
        data: data.iter().map(|(key, value)| ((*key).to_owned(), value.to_vec())).collect(),
    }
}

/// `create TYPE NAME …` for each type there is, and each file that it reads.
fn own_types(sandbox: &Sandbox) -> Vec<Made> {
    let bytes: Vec<u8> = (0..=255).collect();
    let config = br#"{"auths":{"ghcr.io":{"auth":"amFuZTpwdw=="}}}"#;
    let ssh = format!(
        "-----BEGIN OPENSSH PRIVATE KEY-----\n{}\n-----END OPENSSH PRIVATE KEY-----\n",
        STANDARD
            .encode(b"openssh-key-v1\0\0\0\0\x04none\0\0\0\x04none\0\0\0\0\0\0\0\x01\0\0\0\x01a\0\0\0\x01b")
    );
    for (name, content) in [
        ("bytes.bin", &bytes[..]),
        ("config.json", config),
        ("id", ssh.as_bytes()),
        ("hosts", b"x ssh-rsa A\n"),
    ] {
        sandbox.file(name, content);
    }
    let login =
        br#"{"auths":{"nvcr.io":{"username":"jane","password":"p","email":"j@x.org","auth":"amFuZTpw"}}}"#;
    let docker = "kubernetes.io/dockerconfigjson";
    let words =
        ["docker-registry", "--docker-server=nvcr.io", "--docker-username=jane", "--docker-password=p"];
    let mut all = vec![
        made(
            &["generic", "--from-file=bytes.bin", "--from-literal=empty=", "--allow-empty-values"],
            "Opaque",
            &[("bytes.bin", &bytes), ("empty", b"")],
        ),
        made(&[&words[..], &["--docker-email=j@x.org"]].concat(), docker, &[(".dockerconfigjson", login)]),
        made(&["docker-registry", "--from-file=config.json"], docker, &[(".dockerconfigjson", config)]),
        made(
            &["ssh", "--private-key=id", "--known-hosts=hosts"],
            "kubernetes.io/ssh-auth",
            &[("ssh-privatekey", ssh.as_bytes()), ("known_hosts", b"x ssh-rsa A\n")],
        ),
        made(
            &["password", "--username=jane", "--password-env=TOKEN"],
            "Opaque",
            &[("User", b"jane"), ("Password", b"from outside")],
        ),
        made(
            &["access-key", "--access-key-id=AK", "--secret-key-env=TOKEN"],
            "Opaque",
            &[("AccessKeyId", b"AK"), ("SecretKey", b"from outside")],
        ),
    ];
    for pair in serde_json::from_str::<Vec<BTreeMap<String, String>>>(PAIRS).unwrap() {
        let (certificate, key, name) = (&pair["certificate"], &pair["key"], &pair["name"]);
        sandbox.file(format!("{name}.crt"), certificate);
        sandbox.file(format!("{name}.key"), key);
        let flags = [format!("--cert={name}.crt"), format!("--key={name}.key")];
        let data = [("tls.crt", certificate.as_bytes()), ("tls.key", key.as_bytes())];
        all.push(made(&["tls", &flags[0], &flags[1]], "kubernetes.io/tls", &data));
    }
    all
}

/// `create generic NAME --type=…` for each type of Kubernetes, with no more than it asks for.
fn built_in_types() -> Vec<Made> {
    let of = |secret_type, data: &[(&str, &[u8])]| {
        let literals =
            data.iter().map(|(key, value)| format!("--from-literal={key}={}", value.escape_ascii()));
        let flags = [format!("--type={secret_type}"), "--allow-empty-values".to_owned()];
        let words: Vec<_> = flags.into_iter().chain(literals).collect();
        made(&words.iter().map(String::as_str).collect::<Vec<_>>(), secret_type, data)
    };
    vec![
        of("Opaque", &[("k", b"v")]),
        of("kubernetes.io/tls", &[("tls.crt", b""), ("tls.key", b"no PEM")]),
        of("kubernetes.io/ssh-auth", &[("ssh-privatekey", b"x")]),
        of("kubernetes.io/basic-auth", &[("username", b"u")]),
        of("kubernetes.io/basic-auth", &[("password", b"")]),
        of("kubernetes.io/dockercfg", &[(".dockercfg", b" {}")]),
        of("kubernetes.io/dockerconfigjson", &[(".dockerconfigjson", b"{}")]),
        of(
            "bootstrap.kubernetes.io/token",
            &[("token-id", b"abcdef"), ("token-secret", b"0123456789abcdef")],
        ),
        of("helm.sh/release.v1", &[("release", b"x")]),
        of("any words: of all / kinds", &[("k", b"v")]),
    ]
}

#[scenario]
fn every_type_is_read_back_as_it_was_given(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("a");
    let all: Vec<_> = own_types(sandbox).into_iter().chain(built_in_types()).collect();
    for (number, Made { words, secret_type, data }) in all.into_iter().enumerate() {
        let name = format!("s{number}");
        let line = ["create".to_owned()].into_iter().chain(words).chain([
            name.clone(),
            "-n".to_owned(),
            namespace.clone(),
        ]);
        let line: Vec<_> = line.collect();
        sandbox.env("TOKEN", "from outside").run(&line).success();
        let secret = world.secret(&namespace, &name).unwrap();
        assert_eq!(secret["type"], secret_type, "{line:?}");
        let stored = secret["data"].as_object().unwrap().iter();
        let stored: BTreeMap<_, _> = stored
            .map(|(key, value)| (key.clone(), STANDARD.decode(value.as_str().unwrap()).unwrap()))
            .collect();
        assert_eq!(stored, data, "{line:?}");
    }
}

#[scenario]
fn a_service_accounts_token_is_taken_with_the_accounts_name(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("a");
    // Without the account a controller deletes the secret at once.
    world.admin(
        "POST",
        &format!("/api/v1/namespaces/{namespace}/serviceaccounts"),
        Some(&json!({ "metadata": { "name": "job" } })),
    );
    let line =
        ["create", "s", "--type=kubernetes.io/service-account-token", "--allow-empty", "-n", &namespace];
    let account = "--annotation=kubernetes.io/service-account.name=";
    sandbox.run(line.iter().chain(&[account])).fails_with(2);
    assert!(world.writes().is_empty());
    sandbox.run(line.iter().chain(&[format!("{account}job").as_str()])).success();
    assert_eq!(world.secret(&namespace, "s").unwrap()["type"], "kubernetes.io/service-account-token");
}

#[scenario]
fn what_the_server_just_about_takes_is_sent_without_a_warning(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("a");
    sandbox.file("mebibyte", vec![b'x'; MEBIBYTE]);
    let keys: Vec<_> = (0..1000).map(|n| format!("KEY_{n}=value {n}")).collect();
    sandbox.file("keys.env", keys.join("\n"));
    let long = "a".repeat(253);
    let key = format!("--from-literal={}=v", "k".repeat(253));
    let annotation = |key: &str, size: usize| format!("--annotation={key}={}", "x".repeat(size - 1));
    let annotations = [annotation("A", 100 * 1024), annotation("b", 100 * 1024), annotation("c", 56 * 1024)];
    for (name, words) in [
        (long.as_str(), &["--from-literal=k=v"][..]),
        ("s1", &["--from-file=k=mebibyte", "--from-literal=empty=", "--allow-empty-values"]),
        ("s2", &["--from-env-file=keys.env"]),
        (
            "s3",
            &[&key, "--from-literal=-=v", "--from-literal=.a=v", "--from-literal=_=v", "--from-literal=0=v"],
        ),
        ("s4", &["--allow-empty", "--label=a.b/C_d=", "--label=x=A_b.c-D", "--immutable"]),
        ("s5", &["--allow-empty", &annotations[0], &annotations[1], &annotations[2]]),
        ("s6", &["--allow-empty", "--append-hash"]),
    ] {
        let line = ["create", name, "-n", &namespace];
        let created = sandbox.run(line.iter().chain(words)).success();
        assert_eq!(created.stderr, "", "{created}");
    }
}

#[scenario]
fn what_the_server_refuses_is_refused_before_it_is_asked(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("a");
    sandbox.file("too-much", vec![b'x'; MEBIBYTE + 1]);
    let too_much = STANDARD.encode(vec![b'x'; MEBIBYTE + 1]);
    let long = "a".repeat(254);
    let key = format!("--from-literal={long}=v");
    let annotations =
        ["A", "b", "c"].map(|letter| format!("--annotation={letter}={}", "x".repeat(100 * 1024)));
    let text = "x".repeat(100 * 1024);
    let typed = |name: &'static str| format!("--type=kubernetes.io/{name}");
    let [tls, ssh, basic, config, old] =
        ["tls", "ssh-auth", "basic-auth", "dockerconfigjson", "dockercfg"].map(typed);
    let of_type = |name: &str, key: &str, value: &str| json!({ "type": format!("kubernetes.io/{name}"), "stringData": { key: value } });
    for (words, object) in [
        (&["S", "--allow-empty"][..], json!({ "metadata": { "name": "S" } })),
        (&["a_b", "--allow-empty"], json!({ "metadata": { "name": "a_b" } })),
        (&["a..b", "--allow-empty"], json!({ "metadata": { "name": "a..b" } })),
        (&[&long, "--allow-empty"], json!({ "metadata": { "name": long } })),
        (&["s", "--from-literal=a/b=v"], json!({ "stringData": { "a/b": "v" } })),
        (&["s", "--from-literal=..a=v"], json!({ "stringData": { "..a": "v" } })),
        (&["s", "--from-literal=é=v"], json!({ "stringData": { "é": "v" } })),
        (&["s", &key], json!({ "stringData": { &long: "v" } })),
        (&["s", "--from-file=k=too-much"], json!({ "data": { "k": too_much } })),
        (
            &["s", "--allow-empty", "--label=a=b c"],
            json!({ "metadata": { "name": "s", "labels": { "a": "b c" } } }),
        ),
        (
            &["s", "--allow-empty", "--label=a/b/c=d"],
            json!({ "metadata": { "name": "s", "labels": { "a/b/c": "d" } } }),
        ),
        (
            &["s", "--allow-empty", "--annotation=a b=c"],
            json!({ "metadata": { "name": "s", "annotations": { "a b": "c" } } }),
        ),
        (
            &["s", "--allow-empty", &annotations[0], &annotations[1], &annotations[2]],
            json!({ "metadata": { "name": "s", "annotations": { "A": text, "b": text, "c": text } } }),
        ),
        (&["s", &tls, "--from-literal=tls.crt=x"], of_type("tls", "tls.crt", "x")),
        (&["s", &ssh, "--from-literal=ssh-privatekey="], of_type("ssh-auth", "ssh-privatekey", "")),
        (&["s", &basic, "--from-literal=user=x"], of_type("basic-auth", "user", "x")),
        (
            &["s", &config, "--from-literal=.dockerconfigjson=[]"],
            of_type("dockerconfigjson", ".dockerconfigjson", "[]"),
        ),
        (
            &["s", &config, "--from-literal=.dockerconfigjson="],
            of_type("dockerconfigjson", ".dockerconfigjson", ""),
        ),
        (&["s", &old, "--from-literal=.dockercfg={}x"], of_type("dockercfg", ".dockercfg", "{}x")),
    ] {
        let refused = sandbox.run(["create", "-n", &namespace].iter().chain(words));
        assert!(matches!(refused.code, Some(1 | 2)) && refused.stdout.is_empty(), "{refused}");
        let mut secret = json!({ "apiVersion": "v1", "kind": "Secret", "metadata": { "name": "s" } });
        secret.as_object_mut().unwrap().extend(object.as_object().unwrap().clone());
        let path = format!("/api/v1/namespaces/{namespace}/secrets?dryRun=All");
        let (code, answer) = world.admin("POST", &path, Some(&secret));
        let shown: Vec<_> = words.iter().map(|word| word.chars().take(40).collect::<String>()).collect();
        assert_eq!(
            code,
            422,
            "{shown:?}: the server refuses it too: {}",
            answer.get("message").unwrap_or(&Value::Null)
        );
    }
    assert!(world.writes().is_empty());
}
