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
pub(crate) fn write_case(sandbox: &Sandbox, name: &str) {
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

/// Values that nothing could use, by the type of their secret and the key, with what is said of each.
fn useless() -> [(&'static str, &'static str, String, &'static str); 5] {
    let encrypted = openssh_key("aes256-ctr");
    [
        ("kubernetes.io/ssh-auth", "ssh-privatekey", encrypted, "ssh-privatekey has a passphrase"),
        ("kubernetes.io/ssh-auth", "ssh-privatekey", "ssh-rsa AAAA x".to_owned(), "is a public key"),
        (
            "kubernetes.io/dockerconfigjson",
            ".dockerconfigjson",
            r#"{"auths":{"r":{"auth":"!!!"}}}"#.to_owned(),
            "in the 1st entry of auths its auth is not base64",
        ),
        (
            "kubernetes.io/dockercfg",
            ".dockercfg",
            r#"{"r":{"auth":"!!!"}}"#.to_owned(),
            "in the 1st entry of .dockercfg its auth is not base64",
        ),
        (
            "kubernetes.io/tls",
            "tls.crt",
            "nothing in PEM".to_owned(),
            "failed to find any PEM data in certificate input",
        ),
    ]
}

/// The value of a sound secret of each type.
fn sound(secret_type: &str) -> Vec<(&'static str, String)> {
    let pairs: Value = serde_json::from_str(PAIRS).unwrap();
    let of_pair = |part: &str| pairs[1][part].as_str().unwrap().to_owned();
    match secret_type {
        "kubernetes.io/ssh-auth" => vec![("ssh-privatekey", openssh_key("none"))],
        "kubernetes.io/dockerconfigjson" => {
            vec![(".dockerconfigjson", r#"{"auths":{"r":{"auth":"dTpw"}}}"#.to_owned())]
        }
        "kubernetes.io/dockercfg" => vec![(".dockercfg", r#"{"r":{"auth":"dTpw"}}"#.to_owned())],
        _ => vec![("tls.crt", of_pair("certificate")), ("tls.key", of_pair("key"))],
    }
}

fn create_typed(world: &World, namespace: &str, secret_type: &str, values: &[(&str, String)]) {
    let data: serde_json::Map<String, Value> =
        values.iter().map(|(key, value)| ((*key).to_owned(), STANDARD.encode(value).into())).collect();
    let object = json!({"metadata": {"name": "s"}, "type": secret_type, "data": data});
    world.create(&format!("/api/v1/namespaces/{namespace}/secrets"), &object);
}

#[scenario]
fn set_refuses_what_nothing_could_use_in_a_secret_of_its_type(world: &World, sandbox: &Sandbox) {
    for (index, (secret_type, key, value, words)) in useless().into_iter().enumerate() {
        let namespace = world.namespace(&format!("ns{index}"));
        create_typed(world, &namespace, secret_type, &sound(secret_type));
        world.clear_log();
        sandbox.file("value", &value);
        let flag = format!("--from-file={key}=value");
        let refused = sandbox.run(["set", "s", &flag, "-n", &namespace]).fails_with(2);
        assert!(refused.stderr.contains(words) && refused.stderr.contains("\nhint: "), "{words}: {refused}");
        assert!(!refused.stderr.contains("error: error"), "{refused}");
        assert!(world.writes().is_empty(), "{:?}", world.lines());
        declare(sandbox, &[(key, "value")]);
        for more in [&[][..], &["--dry-run=client"]] {
            let line = ["apply", "-f", "s.yaml", "--adopt", "-n", &namespace];
            let refused = sandbox.run(line.iter().chain(more)).fails_with(2);
            assert!(refused.stderr.contains(words) && !refused.stderr.contains("--from-"), "{refused}");
        }
        assert!(world.writes().is_empty(), "{:?}", world.lines());
        let other = sandbox.run(["set", "s", "--from-literal=note=x", "-n", &namespace]).success();
        assert_eq!(other.stderr, "note: added note\n", "another key says nothing of this one");
    }
}

#[scenario]
fn one_half_of_a_pair_is_judged_with_the_half_that_stays(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("a");
    create_typed(world, &namespace, "kubernetes.io/tls", &sound("kubernetes.io/tls"));
    let pairs: Value = serde_json::from_str(PAIRS).unwrap();
    let other = pairs.as_array().unwrap().iter().skip(2);
    let other = other.filter(|pair| pair["certificate"] != pairs[1]["certificate"]).find(|pair| {
        sandbox.file("new.crt", pair["certificate"].as_str().unwrap());
        sandbox.file("new.key", pair["key"].as_str().unwrap());
        sandbox.run(dry(&["tls", "s", "--cert=new.crt", "--key=new.key"])).code == Some(0)
    });
    assert!(other.is_some(), "there is a second pair");
    for half in ["--from-file=tls.key=new.key", "--from-file=tls.crt=new.crt"] {
        let refused = sandbox.run(["set", "s", half, "-n", &namespace]).fails_with(2);
        assert!(refused.stderr.contains("private key"), "{refused}");
        let hint = "--from-file=tls.crt=PATH --from-file=tls.key=PATH";
        assert!(refused.stderr.contains(hint), "{refused}");
    }
    let apply = ["apply", "-f", "s.yaml", "--adopt", "-n", &namespace];
    for half in [("tls.key", "new.key"), ("tls.crt", "new.crt")] {
        declare(sandbox, &[half]);
        for more in [&[][..], &["--dry-run=client"], &["--dry-run=server"]] {
            let refused = sandbox.run(apply.iter().chain(more)).fails_with(2);
            assert!(
                refused.stderr.contains("private key") && !refused.stderr.contains("--from-"),
                "{refused}"
            );
            assert!(refused.stderr.contains("{file: PATH, key: tls.crt}"), "{refused}");
        }
        sandbox.run(["diff", "-f", "s.yaml", "-n", &namespace]).fails_with(2);
    }
    let both = ["set", "s", "--from-file=tls.key=new.key", "--from-file=tls.crt=new.crt", "-n", &namespace];
    sandbox.run(both).success();
    declare(sandbox, &[("tls.key", "new.key"), ("tls.crt", "new.crt")]);
    sandbox.run(apply).success();
}

/// A file of the secret `s`, of no type, with these keys from files.
fn declare(sandbox: &Sandbox, keys: &[(&str, &str)]) {
    let from: Vec<Value> = keys.iter().map(|(key, path)| json!({"file": path, "key": key})).collect();
    let secret = json!({"name": "s", "from": from});
    sandbox.file("s.yaml", json!({"name": "f", "secrets": [secret]}).to_string());
}

#[scenario]
fn create_with_a_type_and_copy_and_edit_warn_of_what_nothing_could_use(world: &World, sandbox: &Sandbox) {
    for (index, (secret_type, key, value, words)) in useless().into_iter().enumerate() {
        let (from, to) = (world.namespace(&format!("from{index}")), world.project(&format!("to{index}")));
        let mut values = sound(secret_type);
        values.retain(|(other, _)| *other != key);
        values.push((key, value));
        let mut line = vec!["create".to_owned(), "s".to_owned(), format!("--type={secret_type}")];
        for (key, value) in &values {
            sandbox.file(key, value);
            line.push(format!("--from-file={key}={key}"));
        }
        line.extend(["-n".to_owned(), from.clone()]);
        let made = sandbox.run(line).success();
        let warns = |said: &support::Outcome| {
            said.stderr.contains("Warning: ")
                && said.stderr.contains(words)
                && !said.stderr.contains("error: ")
        };
        assert!(warns(&made), "{words}: {made}");
        let copied = sandbox.run(["copy", "s", "--to-project", &to.name, "-n", &from]).success();
        assert!(warns(&copied), "{words}: {copied}");
        let edited =
            crate::edit::with_editor(sandbox, "echo ' ' >> \"$1\"").run(["edit", "s", key, "-n", &from]);
        let edited = edited.success();
        assert!(edited.stderr.contains("Warning: "), "{words}: {edited}");
    }
}

#[scenario]
fn a_login_that_the_kubelet_cannot_read_is_said_by_whatever_pulls_with_it(world: &World, sandbox: &Sandbox) {
    let useless = useless();
    for (index, (secret_type, key, value, words)) in
        useless.iter().filter(|one| one.1.starts_with('.')).enumerate()
    {
        let namespace = world.namespace(&format!("ns{index}"));
        create_typed(world, &namespace, secret_type, &[(key, value.clone())]);
        crate::workloads::create_deployment(world, &namespace, "web");
        let attach: &[&str] = &["attach", "s", "deploy/web", "--image-pull"];
        let submit: &[&str] = &["submit", "j", "-i", "x", "--image-pull-secret", "s"];
        for line in [attach, submit] {
            let done = sandbox.run(line.iter().chain(&["-n", namespace.as_str()])).success();
            let warning = "Warning: no image can be pulled with secret s: ";
            assert!(done.stderr.contains(warning) && done.stderr.contains(words), "{line:?}: {done}");
            assert!(!done.stderr.contains("error: "), "{done}");
        }
        let checked = sandbox.run(["check", "-o", "json", "-n", &namespace]).fails_with(3).json();
        let findings = checked["findings"].as_array().unwrap();
        let found = findings.iter().find(|one| one["code"] == "unusable-login").expect("it is found");
        assert_eq!((&found["severity"], &found["object"]), (&json!("error"), &json!("secret/s")));
        assert!(found["message"].as_str().unwrap().contains(words), "{found}");
    }
}
