//! Values that can hardly be what is meant, before somebody at a terminal: what is around them may be taken off.

use support::{Sandbox, World, scenario};

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
