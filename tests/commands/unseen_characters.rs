//! Characters that nobody sees: wherever they are typed or read, they are told of, and not shown.

use serde_json::Value;
use support::{Outcome, Sandbox, World, scenario};

const UNSEEN: [char; 7] = ['\u{200b}', '\u{a0}', '\u{feff}', '\u{202e}', '\u{2066}', '\u{ad}', '\u{2060}'];

/// What is written to standard error without the words of the command.
#[track_caller]
fn tells(outcome: Outcome, words: &str) {
    let outcome = outcome.success();
    assert!(outcome.stderr.contains(words), "{words}: {outcome}");
    assert!(!outcome.stderr.contains(UNSEEN), "{outcome}");
}

#[scenario]
fn what_a_login_is_made_of_is_looked_at_for_them(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("d");
    let make = |words: &[&str]| {
        let words = [&["create"], words, &["--dry-run=server", "-n", &namespace]].concat();
        sandbox.stdin("pass").run(words)
    };
    for char in UNSEEN {
        let user = format!("ja{char}ne");
        tells(
            make(&["password", "s", "--username", &user, "--password-stdin"]),
            "Warning: --username has invisible characters in it\n",
        );
        tells(
            make(&["access-key", "s", "--access-key-id", &format!("AK{char}"), "--secret-key-stdin"]),
            "Warning: --access-key-id ends in a ",
        );
        let login = ["docker-registry", "s", "--docker-password-stdin"];
        let server = format!("{char}ghcr.io");
        for (more, words) in [
            (["--docker-username", user.as_str()].as_slice(), "Warning: --docker-username has invisible"),
            (
                &["--docker-username=jane", "--docker-server", &server],
                "Warning: --docker-server begins with a ",
            ),
            (
                &["--docker-username=jane", "--docker-email", &server],
                "Warning: --docker-email begins with a ",
            ),
        ] {
            tells(make(&[&login[..], more].concat()), words);
        }
    }
    tells(
        make(&["password", "s", "--username", "jane ", "--password-stdin"]),
        "--username ends in a space\n",
    );
}

#[scenario]
fn the_values_and_names_of_every_file_are_looked_at_for_them(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("d");
    let from = |flag: &str, content: &str| {
        sandbox.file("input", content);
        let source = format!("{flag}=input");
        sandbox.run(["create", "s", &source, "--dry-run=server", "-n", &namespace])
    };
    for char in UNSEEN {
        let json = |value: &str| Value::from(value).to_string();
        let end = format!("\"x{char}\"");
        tells(
            from("--from-json", &format!("{{\"A\": {}}}", json(&format!("x{char}y")))),
            "input, entry 1 has invisible",
        );
        tells(
            from("--from-json", &format!("{{\"A\": {end}}}")),
            "note: input, entry 1: the value ends in a ",
        );
        tells(from("--from-dotenv", &format!("A={end}\n")), "note: input, line 1: the value ends in a ");
        tells(from("--from-env-file", &format!("A=x{char}\n")), "note: input, line 1 ends in a ");
        for (flag, content) in [
            ("--from-dotenv", format!("A{char}B=x\n")),
            ("--from-env-file", format!("A{char}B=x\n")),
            ("--from-json", format!("{{\"A{char}B\": \"x\"}}")),
        ] {
            let refused = from(flag, &content).fails_with(2);
            assert!(refused.stderr.contains("it has invisible characters in it or at its ends"), "{refused}");
            assert!(!refused.stderr.contains(UNSEEN), "{refused}");
        }
        let login = |user: &str, server: &str| {
            let login = format!(r#"{{"auths": {{"{server}": {{"username": "{user}", "password": "p"}}}}}}"#);
            sandbox.file("config.json", login);
            let words = ["create", "docker-registry", "s", "--from-file=config.json", "--dry-run=server"];
            sandbox.run(words.iter().chain(&["-n", &namespace]))
        };
        let words =
            "Warning: config.json: the 1st entry of auths has invisible characters in it or at an end\n";
        tells(login(&format!("ja{char}ne"), "ghcr.io"), words);
        tells(login("jane", &format!("ghcr.io{char}")), words);
        let typed = sandbox.stdin("v").run(["set", "s", &format!("A{char}"), "-n", &namespace]).fails_with(2);
        assert!(typed.stderr.contains("it has invisible characters"), "{typed}");
        assert!(!typed.stderr.contains(UNSEEN), "{typed}");
    }
}

#[scenario]
fn what_a_job_is_made_of_is_looked_at_for_them(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("d");
    let submit = |image: &str, variable: &str| {
        sandbox.run(["submit", "t", "-i", image, "-e", variable, "--dry-run=server", "-n", &namespace])
    };
    tells(submit("busybox\u{200b}", "A=x"), "Warning: --image ends in a character without width\n");
    tells(submit("busybox", "A=x\u{a0}"), "Warning: -e A ends in a no-break space\n");
    let typed =
        ["create", "s", "--type=Opa\u{200b}que", "--from-literal=a=b", "--dry-run=client", "-n", &namespace];
    tells(sandbox.run(typed), "Warning: --type has invisible characters in it\n");
}

#[test]
fn what_is_typed_at_a_prompt_is_looked_at_for_them() {
    let world = World::with_plain_names();
    let namespace = world.namespace("d");
    let sandbox = Sandbox::new().with(&world);
    let mut session = sandbox.in_terminal(["create", "s", "--prompt", "K", "-n", &namespace]);
    session.expect("Value of K");
    session.send("tok\u{200b}en\r");
    session.expect("Once more");
    session.send("tok\u{200b}en\r");
    session.expect("has invisible characters in it");
}
