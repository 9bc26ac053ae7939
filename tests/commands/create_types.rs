//! `create`: the types of secrets, and what is said about each before the server is asked.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use support::{Sandbox, World, scenario};

const PAIRS: &str = include_str!("../conformance/tls-pairs.json");
const CASES: &str = include_str!("../conformance/create-secret.json");

fn dry<'a>(arguments: &[&'a str]) -> Vec<&'a str> {
    ["create"].iter().chain(arguments).chain(&["--dry-run=client"]).copied().collect()
}

fn write_pair(sandbox: &Sandbox) {
    let pairs: Value = serde_json::from_str(PAIRS).unwrap();
    sandbox.file("tls.crt", pairs[1]["certificate"].as_str().unwrap());
    sandbox.file("tls.key", pairs[1]["key"].as_str().unwrap());
}

/// The files of one of kubectl's cases.
fn write_case(sandbox: &Sandbox, name: &str) {
    let cases: Value = serde_json::from_str(CASES).unwrap();
    let case = cases["cases"].as_array().unwrap().iter().find(|case| case["name"] == name).unwrap();
    for file in case["files"].as_array().unwrap() {
        let content = STANDARD.decode(file["base64"].as_str().unwrap()).unwrap();
        sandbox.file(file["name"].as_str().unwrap(), content);
    }
}

/// A private key in OpenSSH's format, as far as anything here reads it.
pub(crate) fn openssh_key(cipher: &str) -> String {
    let string = |text: &str| [&u32::try_from(text.len()).unwrap().to_be_bytes(), text.as_bytes()].concat();
    let head = [b"openssh-key-v1\0", &string(cipher)[..], &string("none"), &string("")].concat();
    let content = STANDARD.encode([&head[..], &[0, 0, 0, 1], &string("public"), &string("private")].concat());
    format!("-----BEGIN OPENSSH PRIVATE KEY-----\n{content}\n-----END OPENSSH PRIVATE KEY-----\n")
}

fn text_of(world: &World, namespace: &str, key: &str) -> String {
    String::from_utf8(world.secret_value(namespace, "s", key).unwrap()).unwrap()
}

#[scenario]
fn the_server_takes_each_type_and_gives_back_what_was_sent(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("a");
    write_pair(sandbox);
    sandbox.file("id_key", openssh_key("none"));
    sandbox.file("hosts", "github.com ssh-ed25519 AAAA\n");
    sandbox.run(["create", "tls", "tls", "--cert=tls.crt", "--key=tls.key", "-n", &namespace]).success();
    sandbox
        .run(["create", "ssh", "ssh", "--private-key=id_key", "--known-hosts=hosts", "-n", &namespace])
        .success();
    sandbox
        .stdin("p&w\n")
        .run([
            "create",
            "docker-registry",
            "docker",
            "--docker-server=nvcr.io",
            "--docker-username=$oauthtoken",
            "--docker-password-stdin",
            "-n",
            &namespace,
        ])
        .success();
    let type_of = |name: &str| world.secret(&namespace, name).unwrap()["type"].as_str().unwrap().to_owned();
    assert_eq!(type_of("tls"), "kubernetes.io/tls");
    assert_eq!(type_of("ssh"), "kubernetes.io/ssh-auth");
    assert_eq!(type_of("docker"), "kubernetes.io/dockerconfigjson");
    assert_eq!(
        world.secret_value(&namespace, "ssh", "known_hosts").unwrap(),
        b"github.com ssh-ed25519 AAAA\n"
    );
    assert_eq!(
        world.secret_value(&namespace, "ssh", "ssh-privatekey").unwrap(),
        openssh_key("none").as_bytes()
    );
    let config =
        String::from_utf8(world.secret_value(&namespace, "docker", ".dockerconfigjson").unwrap()).unwrap();
    let auth = STANDARD.encode("$oauthtoken:p&w");
    let expected = format!(
        r#"{{"auths":{{"nvcr.io":{{"username":"$oauthtoken","password":"p\u0026w","auth":"{auth}"}}}}}}"#
    );
    assert_eq!(config, expected);
}

#[scenario]
fn a_password_and_an_access_key_have_the_keys_that_run_ai_reads(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("a");
    sandbox.file("token.txt", "t0ken-value\n");
    sandbox
        .run([
            "create",
            "password",
            "s",
            "--username=jane",
            "--password-file=token.txt",
            "--credential",
            "-n",
            &namespace,
        ])
        .success();
    assert_eq!(text_of(world, &namespace, "User"), "jane");
    assert_eq!(text_of(world, &namespace, "Password"), "t0ken-value");
    assert_eq!(
        world.secret(&namespace, "s").unwrap()["metadata"]["labels"],
        json!({ "run.ai/resource": "password" })
    );
    let line = [
        "create",
        "access-key",
        "s",
        "--replace",
        "--access-key-id=AKIA",
        "--secret-key-env=S3_KEY",
        "--credential",
        "-n",
        &namespace,
    ];
    sandbox.env("S3_KEY", "s3cret-value").run(line).success();
    assert_eq!(text_of(world, &namespace, "AccessKeyId"), "AKIA");
    assert_eq!(text_of(world, &namespace, "SecretKey"), "s3cret-value");
    assert_eq!(
        world.secret(&namespace, "s").unwrap()["metadata"]["labels"],
        json!({ "run.ai/resource": "access-key" })
    );
}

#[scenario]
fn a_password_is_asked_for_on_a_terminal(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("a");
    let mut session = sandbox.in_terminal(["create", "password", "s", "-n", &namespace]);
    session.expect("Name of the user");
    session.send_line("jane");
    session.expect("Password");
    session.send_line("hunter2-hunter2");
    session.expect("Once more");
    session.send_line("hunter2-hunter2");
    session.expect("Create secret/s?");
    session.send("y");
    let (code, shown) = session.wait();
    assert_eq!(code, 0, "{shown}");
    assert!(!shown.contains("hunter2"), "{shown}");
    // Without the name of the user, which is a value of this secret: it is asked for again.
    let next = format!("next time you can type: kubectl runai-secret create password s -n {namespace}\r");
    assert!(shown.contains(&next), "{shown}");
    assert_eq!(text_of(world, &namespace, "User"), "jane");
    assert_eq!(text_of(world, &namespace, "Password"), "hunter2-hunter2");
}

#[scenario]
fn what_the_server_would_refuse_of_a_type_is_refused_before_it_is_asked(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("a");
    for secret_type in
        ["tls", "dockerconfigjson", "dockercfg", "basic-auth", "ssh-auth", "service-account-token"]
    {
        let flag = format!("--type=kubernetes.io/{secret_type}");
        let refused =
            sandbox.run(["create", "s", &flag, "--from-literal=k=v", "-n", &namespace]).fails_with(2);
        assert!(refused.stderr.contains("must have") && refused.stderr.contains("hint: "), "{refused}");
        let object = json!({
            "apiVersion": "v1", "kind": "Secret", "metadata": { "name": "s" }, "data": { "k": "dg==" },
            "type": format!("kubernetes.io/{secret_type}"),
        });
        let (code, _) =
            world.admin("POST", &format!("/api/v1/namespaces/{namespace}/secrets"), Some(&object));
        assert_eq!(code, 422, "the server refuses {secret_type} too");
    }
    assert!(world.writes().is_empty());
}

#[test]
fn an_expired_certificate_is_taken_with_a_warning() {
    let sandbox = Sandbox::new();
    write_case(&sandbox, "tls/expired-certificate");
    let created = sandbox.run(dry(&["tls", "s", "--cert=tls.crt", "--key=tls.key"])).success();
    assert!(created.stderr.starts_with("Warning: the certificate in tls.crt expired on 20"), "{created}");
}

#[test]
fn a_key_that_is_encrypted_is_refused_with_the_command_that_decrypts_it() {
    let sandbox = Sandbox::new();
    write_case(&sandbox, "tls/encrypted-traditional-key");
    let refused = sandbox.run(dry(&["tls", "s", "--cert=tls.crt", "--key=tls.key"])).fails_with(2);
    assert!(refused.stderr.contains("openssl pkey -in tls.key -out tls-plain.key"), "{refused}");
}

#[test]
fn a_key_in_the_certificates_file_is_refused() {
    let sandbox = Sandbox::new();
    write_case(&sandbox, "tls/one-file-with-both");
    let refused = sandbox.run(dry(&["tls", "s", "--cert=b.pem", "--key=b.pem"])).fails_with(2);
    assert!(refused.stderr.starts_with("error: b.pem has a private key in it"), "{refused}");
}

#[test]
fn docker_hub_by_another_name_is_warned_of() {
    let sandbox = Sandbox::new();
    let line = dry(&[
        "docker-registry",
        "s",
        "--docker-server=docker.io",
        "--docker-username=u",
        "--docker-password-stdin",
    ]);
    let created = sandbox.stdin("hunter2-hunter2\n").run(line).success();
    assert!(
        created.stderr.contains("Warning: Docker Hub's credentials belong under https://index.docker.io/v1/"),
        "{created}"
    );
    let refused = sandbox.stdin("\n").run(dry(&[
        "docker-registry",
        "s",
        "--docker-username=u",
        "--docker-password-stdin",
    ]));
    assert!(refused.fails_with(2).stderr.contains("--docker-password-stdin: the value is empty"));
}

#[test]
fn an_ssh_key_that_no_job_could_use_is_refused_with_the_way_out() {
    let sandbox = Sandbox::new();
    for (content, words) in [
        (openssh_key("aes256-ctr"), "has a passphrase"),
        ("ssh-ed25519 AAAAhunter2-hunter2 jane@x\n".to_owned(), "is a public key"),
        ("hunter2-hunter2\n".to_owned(), "is not a private SSH key"),
    ] {
        sandbox.file("id_key", content);
        let refused = sandbox.run(dry(&["ssh", "s", "--private-key=id_key"])).fails_with(2);
        assert!(refused.stderr.contains(words) && refused.stderr.contains("hint: "), "{refused}");
        refused.never_shows(b"hunter2-hunter2");
    }
    assert!(sandbox.run(dry(&["ssh", "s"])).fails_with(2).stderr.contains("--private-key=PATH"));
}

#[test]
fn a_login_that_the_kubelet_can_not_use_is_refused_with_its_reason() {
    let sandbox = Sandbox::new();
    for (logins, words) in [
        (
            r#""r": {"auth": "MDAwMDAwMDAtMDAwMDo=", "identitytoken": "hunter2-hunter2"}"#,
            "an identity token but no password",
        ),
        (r#""r": {"identitytoken": "hunter2-hunter2"}"#, "an identity token but no password"),
        (r#""r": {"auth": "aHVudGVyMi1odW50ZXIyOg=="}"#, "a user but no password"),
        (r#""r": {"username": "hunter2-hunter2"}"#, "a user but no password"),
        (r#""r": {}"#, "holds no login"),
        (
            r#""a": {"auth": "dTpw"}, "b": {"auth": "hunter2-hunter2:"}"#,
            "the 2nd entry of auths its auth is not base64",
        ),
        (
            r#""a": {"auth": "dTpw"}, "b": {"auth": "aHVudGVyMi1odW50ZXIy"}"#,
            "no ':' between user and password",
        ),
    ] {
        sandbox.file("config.json", format!("{{\"auths\": {{{logins}}}}}"));
        let refused = sandbox.run(dry(&["docker-registry", "s", "--from-file=config.json"])).fails_with(2);
        assert!(refused.stderr.starts_with("error: config.json can't be used to pull images"), "{refused}");
        assert!(refused.stderr.contains(words) && refused.stderr.contains("\nhint: "), "{words}: {refused}");
        refused.never_shows(b"hunter2-hunter2");
        let typed =
            ["s", "--type=kubernetes.io/dockerconfigjson", "--from-file=.dockerconfigjson=config.json"];
        assert!(
            sandbox.run(dry(&typed)).success().stderr.contains("Warning: .dockerconfigjson can't be used")
        );
    }
    sandbox.file("config.json", r#"{"auths": {"a": {"auth": "dTpw"}, "b": {"auth": "dTo="}}}"#);
    let created = sandbox.run(dry(&["docker-registry", "s", "--from-file=config.json"])).success();
    let warning = "Warning: config.json: the 2nd entry of auths can't be used to pull images: it has a user but no password\n";
    assert_eq!(created.stderr, warning);
}

#[test]
fn an_ssh_key_that_openssh_will_not_read_is_warned_of() {
    let sandbox = Sandbox::new();
    for (content, words) in [
        (openssh_key("none").replace('\n', "\r\n"), "has Windows line ends"),
        (openssh_key("none").trim_end().to_owned(), "does not end in a newline"),
        (format!("\n{}", openssh_key("none")), "has text before the key's first line"),
    ] {
        sandbox.file("id_key", content);
        let created = sandbox.run(dry(&["ssh", "s", "--private-key=id_key"])).success();
        assert!(
            created.stderr.contains(words) && created.stderr.contains("OpenSSH will not read the key"),
            "{created}"
        );
    }
    sandbox.file("id_key", openssh_key("none").replace("OPENSSH", "RSA"));
    let refused = sandbox.run(dry(&["ssh", "s", "--private-key=id_key"])).fails_with(2);
    assert!(refused.stderr.contains("has another format than its BEGIN line says"), "{refused}");
}

#[test]
fn an_ssh_credential_has_the_key_under_run_ais_name_too() {
    let sandbox = Sandbox::new();
    sandbox.file("id_key", openssh_key("none"));
    let printed =
        sandbox.run(dry(&["ssh", "s", "--private-key=id_key", "--credential", "-ojson"])).success().json();
    assert_eq!(printed["data"]["ssh"], printed["data"]["ssh-privatekey"]);
    assert_eq!(printed["metadata"]["labels"]["run.ai/resource"], "generic");
}

#[test]
fn without_a_terminal_what_is_missing_is_named() {
    let sandbox = Sandbox::new();
    for (line, words) in [
        (&["password", "s"][..], "--username must be given"),
        (&["password", "s", "--username=u"], "one of --password-stdin, --password-file and --password-env"),
        (&["access-key", "s"], "--access-key-id must be given"),
        (&["access-key", "s", "--access-key-id=x"], "one of --secret-key-stdin"),
        (&["tls", "s"], "key and cert must be specified"),
        (&["docker-registry", "s"], "either --from-file or the combination of"),
    ] {
        let refused = sandbox.run(dry(line)).fails_with(2);
        assert!(refused.stderr.contains(words), "{refused}");
    }
}

#[test]
fn a_credential_that_lacks_what_run_ai_reads_is_warned_of() {
    let line = dry(&["s", "--from-literal=k=v", "--credential=access-key"]);
    let created = Sandbox::new().run(line).success();
    assert!(created.stderr.contains("Run:ai needs AccessKeyId and SecretKey"), "{created}");
}

#[test]
fn a_name_with_a_dot_is_warned_of() {
    let created = Sandbox::new().run(dry(&["a.b", "--from-literal=k=v"])).success();
    assert!(created.stderr.starts_with("Warning: a name with a dot"), "{created}");
}
