//! Values that can hardly be what is meant, before somebody at a terminal: what is around them may be taken off.

use support::{Sandbox, World, scenario};

use crate::create_types::{openssh_key, write_case};

const CANARY: &str = "Zq7cAnArY0123456789abcdefghijklmnopqrstuvwxyz";

/// Runs a command, answers one question with this key, and returns exit code and screen.
fn answered(sandbox: &Sandbox, words: &[&str], said: &str, question: &str, key: &str) -> (i32, String) {
    let mut session = sandbox.in_terminal(words);
    session.expect(said);
    session.expect(question);
    session.send(key);
    let (code, shown) = session.wait();
    assert!(!shown.contains(CANARY), "{shown}");
    assert_eq!(shown.matches("Warning:").count(), 1, "{shown}");
    assert!(!shown.contains("note: token.txt"), "said once: {shown}");
    (code, shown)
}

#[scenario]
fn what_is_around_a_value_is_taken_off_unless_somebody_says_no(world: &World, sandbox: &Sandbox) {
    let project = world.project("a");
    let (namespace, p) = (&project.namespace, format!("-p={}", project.name));
    let stored = |name: &str| world.secret_value(namespace, name, "HF_TOKEN").unwrap();
    sandbox.file("token.txt", format!("{CANARY}\r\n"));
    let ends = "token.txt ends in a newline, which becomes part of the value of HF_TOKEN";
    let create = |name| ["create", name, "--from-file=HF_TOKEN=token.txt", &p];
    let question = "Take off what is invisible at the ends?";
    let (code, shown) = answered(sandbox, &create("a"), ends, question, "\r");
    assert_eq!((code, stored("a")), (0, CANARY.as_bytes().to_vec()), "{shown}");
    assert!(shown.contains("next time add --trim"), "{shown}");
    let (code, _) = answered(sandbox, &create("b"), ends, question, "n");
    assert_eq!((code, stored("b")), (0, format!("{CANARY}\r\n").into_bytes()));

    sandbox.file("q.env", format!("HF_TOKEN=\"{CANARY}\"\n"));
    let quotes = "q.env, line 1: the value is in quotes, which are part of it";
    let set = ["set", "a", "--from-env-file=q.env", &p];
    let (code, _) = answered(sandbox, &set, quotes, "Take the quotes off?", "n");
    assert_eq!((code, stored("a")), (0, format!("\"{CANARY}\"").into_bytes()));
    let (code, _) = answered(sandbox, &set, quotes, "Take the quotes off?", "\r");
    assert_eq!((code, stored("a")), (0, CANARY.as_bytes().to_vec()));

    // Quotes and a newline are one question, and whoever has said yes to all is not asked.
    sandbox.file("both.txt", format!("'{CANARY}'\n"));
    let words = ["set", "b", "--from-file=HF_TOKEN=both.txt", &p];
    let (code, _) = answered(sandbox, &words, "is in quotes", "Take the quotes off?", "\r");
    assert_eq!((code, stored("b")), (0, CANARY.as_bytes().to_vec()));
    let mut session = sandbox.in_terminal(["create", "c", "--from-file=HF_TOKEN=token.txt", &p, "-y"]);
    session.expect("token.txt ends in a newline");
    assert_eq!(session.wait().0, 0);
    assert_eq!(stored("c"), format!("{CANARY}\r\n").into_bytes());
}

#[scenario]
fn what_can_not_be_right_is_used_only_if_somebody_says_so(world: &World, sandbox: &Sandbox) {
    let project = world.project("a");
    let p = format!("-p={}", project.name);
    let home = sandbox.home().join(".cache/huggingface");
    std::fs::create_dir_all(&home).unwrap();
    std::fs::write(home.join("token"), CANARY).unwrap();
    sandbox.file("all.txt", format!("A=1\nB={CANARY}\n"));
    for (name, source, said) in [
        ("a", "--from-literal=K=<your-token>", "the value of K is a placeholder, and no value"),
        ("nothing", "--from-literal=K=null", "the value of K is a placeholder, and no value"),
        ("b", "--from-file=K=all.txt", "the value of K is a whole file of variables"),
        ("c", "--from-login=huggingface", "this does not look like a Hugging Face token"),
        ("d", "--from-literal=K=a\u{200b}b", "has invisible characters in it"),
    ] {
        let words = ["create", name, source, &p];
        let (code, shown) = answered(sandbox, &words, said, "Use it anyway?", "\r");
        assert!(code == 1 && shown.contains("cancelled: you answered no"), "{shown}");
        assert!(world.secret(&project.namespace, name).is_none());
        let (code, shown) = answered(sandbox, &words, said, "Use it anyway?", "y");
        assert_eq!(code, 0, "{shown}");
        assert!(world.secret(&project.namespace, name).is_some());
    }
}

#[scenario]
fn a_pasted_value_with_a_blank_at_its_end_is_asked_about(world: &World, sandbox: &Sandbox) {
    let project = world.project("a");
    let mut session = sandbox.in_terminal(["create", "s", "--prompt", "K", "-p", &project.name]);
    session.expect("Value of K");
    session.send(&format!("\u{1b}[200~{CANARY} \u{1b}[201~\r"));
    session.expect("ends in a space");
    session.expect("Take off what is invisible at the ends?");
    session.send("\r");
    let (code, shown) = session.wait();
    assert_eq!(code, 0, "{shown}");
    assert_eq!(world.secret_value(&project.namespace, "s", "K").unwrap(), CANARY.as_bytes());
}

/// Command lines of typed secrets whose values can hardly be meant, each with the key that it would have, and what is said.
fn typed(sandbox: &Sandbox) -> Vec<(Vec<&'static str>, &'static str, &'static str)> {
    write_case(sandbox, "tls/expired-certificate");
    sandbox.file("id_key", openssh_key("none").replace('\n', "\r\n"));
    sandbox.file("placeholder.txt", "<your-secret-key>\n");
    sandbox.file("quoted.txt", format!("\"{CANARY}\"\n"));
    sandbox.file("clean.txt", CANARY);
    sandbox.file("ends.txt", format!("{CANARY} \n"));
    vec![
        (
            vec!["tls", "--cert=tls.crt", "--key=tls.key"],
            "tls.key",
            "the certificate in tls.crt expired on 20",
        ),
        (vec!["ssh", "--private-key=id_key"], "ssh-privatekey", "id_key has Windows line ends"),
        (
            vec!["access-key", "--access-key-id=AKIA", "--secret-key-file=placeholder.txt"],
            "SecretKey",
            "--secret-key-file: the value is a placeholder, and no value",
        ),
        (
            vec![
                "docker-registry",
                "--docker-server=docker.io",
                "--docker-username=j",
                "--docker-password=x1",
            ],
            ".dockerconfigjson",
            "Docker Hub's credentials belong under",
        ),
        (
            vec!["password", "--username=jane\u{200b}", "--password-file=clean.txt"],
            "Password",
            "--username ends in a character without width",
        ),
        (
            vec!["generic", "--type=kubernetes.io/ssh-auth", "--from-file=ssh-privatekey=id_key"],
            "ssh-privatekey",
            "ssh-privatekey has Windows line ends",
        ),
    ]
}

#[scenario]
fn a_typed_secret_that_nothing_can_use_is_made_only_if_somebody_says_so(world: &World, sandbox: &Sandbox) {
    let project = world.project("a");
    let p = format!("-p={}", project.name);
    for (at, (line, key, said)) in typed(sandbox).into_iter().enumerate() {
        let name = format!("s{at}");
        let (kind, flags) = line.split_first().unwrap();
        let words = [&["create", kind, name.as_str(), p.as_str()], flags].concat();
        for (keys, is_made) in [("\r", false), ("y", true)] {
            let mut session = sandbox.in_terminal(&words);
            session.expect(said);
            session.expect("anyway?");
            session.send(keys);
            let (code, shown) = session.wait();
            assert_eq!(code, i32::from(!is_made), "{shown}");
            assert_eq!(world.secret_value(&project.namespace, &name, key).is_some(), is_made, "{shown}");
        }
    }
}

#[scenario]
fn without_a_terminal_a_typed_secret_is_made_with_a_warning(world: &World, sandbox: &Sandbox) {
    let project = world.project("a");
    let p = format!("-p={}", project.name);
    for (at, (line, key, said)) in typed(sandbox).into_iter().enumerate() {
        let name = format!("s{at}");
        let (kind, flags) = line.split_first().unwrap();
        let words = [&["create", kind, name.as_str(), p.as_str()], flags].concat();
        let made = sandbox.run(&words).success();
        assert!(made.stderr.contains(&format!("Warning: {said}")), "{made}");
        assert!(world.secret_value(&project.namespace, &name, key).is_some());
    }
}

#[scenario]
fn what_is_around_the_value_of_a_typed_secret_is_taken_off(world: &World, sandbox: &Sandbox) {
    let project = world.project("a");
    let (namespace, p) = (&project.namespace, format!("-p={}", project.name));
    drop(typed(sandbox));
    let stored = |name: &str, key: &str| world.secret_value(namespace, name, key).unwrap();
    let quotes = ["create", "password", "a", "--username=jane", "--password-file=quoted.txt", &p];
    let said = "--password-file: the value is in quotes, which are part of it";
    let (code, shown) = answered(sandbox, &quotes, said, "Take the quotes off?", "\r");
    assert_eq!((code, stored("a", "Password")), (0, CANARY.as_bytes().to_vec()), "{shown}");
    let ends = ["create", "access-key", "b", "--access-key-id=AKIA", "--secret-key-file=ends.txt", &p];
    let said = "--secret-key-file ends in a space, which becomes part of the value";
    let (code, shown) = answered(sandbox, &ends, said, "Take off what is invisible at the ends?", "\r");
    assert_eq!((code, stored("b", "SecretKey")), (0, CANARY.as_bytes().to_vec()), "{shown}");
    assert!(!shown.contains("--trim"), "there is no such flag here: {shown}");
    let mut session = sandbox.in_terminal([
        "create",
        "docker-registry",
        "c",
        "--docker-server=ghcr.io",
        "--docker-username=j",
        &p,
    ]);
    session.expect("Password");
    session.send(&format!("\u{1b}[200~{CANARY} \u{1b}[201~\r"));
    session.expect("what was typed ends in a space");
    session.expect("Take off what is invisible at the ends?");
    session.send("\r");
    let (code, shown) = session.wait();
    assert_eq!(code, 0, "{shown}");
    let config = String::from_utf8(stored("c", ".dockerconfigjson")).unwrap();
    assert!(config.contains(&format!("\"{CANARY}\"")), "{config}");
}
