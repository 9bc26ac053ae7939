//! Real shells: what a person gets who presses Tab.
//!
//! bash and zsh run in a terminal; fish has a command that says what it would offer. Each completes the plugin through
//! kubectl, with kubectl's own script, and under its file name, with the plugin's script.

use std::fmt::{Debug, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use support::sandbox::kubectl;
use support::{Sandbox, Session, World};

use super::PATIENCE;
use crate::workloads::create_deployment;

const BASH_COMPLETION: &str = "/usr/share/bash-completion/bash_completion";

/// A cluster with something to offer, and a sandbox in which everything is installed.
fn scene() -> (World, Sandbox) {
    let world = World::with_plain_names();
    let (a, runai) = (world.project("team-a").namespace, world.runai_namespace());
    world.project("team-b");
    let keys = [("USER", "v4lue"), ("PASS.word", "v4lue"), ("zone", "v4lue")];
    for (namespace, name, keys) in
        [(&a, "hf", &keys[..2]), (&a, "s3-login", &keys), (&runai, "shared", &keys)]
    {
        world.create_secret(namespace, name, keys);
    }
    create_deployment(&world, &a, "web");
    let kubeconfig = world.kubeconfig().context("arn:aws:eks:1:cluster/x", &a).context("other", &a);
    let sandbox = Sandbox::new().kubeconfig(&kubeconfig).with_env("SHELL", "/bin/sh");
    sandbox.file("keys/id file.pem", "");
    sandbox.file("token.txt", "");
    sandbox.link_plugin();
    (world, sandbox)
}

/// Where a shell is; a note where it is not.
fn shell(name: &str) -> Option<PathBuf> {
    let path = ["/bin", "/usr/bin", "/usr/local/bin", "/opt/homebrew/bin"]
        .map(|folder| Path::new(folder).join(name));
    let found = path.into_iter().find(|path| path.is_file());
    // kubectl's script for bash calls functions of this package.
    let lacks_functions = name == "bash" && !Path::new(BASH_COMPLETION).is_file();
    if found.is_none() || kubectl().is_none() || lacks_functions {
        println!("note: not tested: there is no {name}, no kubectl, or no {BASH_COMPLETION}");
        return None;
    }
    found
}

/// A shell at its prompt.
struct Prompt {
    session: Session,
    /// Goes to the beginning of the line.
    home: &'static str,
}

impl Prompt {
    fn bash(sandbox: &Sandbox, bash: &Path) -> Self {
        let mut session = sandbox.with_run().program_in_terminal(bash, ["--norc", "--noprofile", "-i"]);
        for line in [
            "PS1='> '; bind 'set enable-bracketed-paste off'; bind 'set bell-style none'; bind 'set show-all-if-ambiguous on'",
            &format!(". {BASH_COMPLETION}; . <(kubectl completion bash)"),
            ". <(kubectl-runai-secret completion bash)",
        ] {
            session.send_line(line);
        }
        Self { session, home: "\u{1}" }.ready()
    }

    fn zsh(sandbox: &Sandbox, zsh: &Path) -> Self {
        let mut session = sandbox.env("SHELL", zsh).program_in_terminal(zsh, ["-f", "-i"]);
        for line in [
            "PS1='> '; setopt NO_PROMPT_SP NO_BEEP NO_AUTO_MENU; bindkey -e; unset zle_bracketed_paste; LISTMAX=0",
            "autoload -Uz compinit; compinit -u -d $HOME/dump; . <(kubectl completion zsh)",
            ". <(kubectl-runai-secret completion zsh)",
        ] {
            session.send_line(line);
        }
        Self { session, home: "\u{1}" }.ready()
    }

    /// Defines a command that shows its arguments, and waits until the shell has done all before.
    fn ready(mut self) -> Self {
        self.session
            .send_line("args() { printf 'ARGS'; printf '<%s>' \"$@\"; printf 'END\\n'; }; args re''ady");
        self.session.expect("ARGS<ready>END");
        self
    }

    /// What becomes of a line with a Tab and an `@` typed after it: `@` stands alone where the Tab ended the word.
    #[track_caller]
    fn completed(&mut self, line: &str) -> String {
        self.session.send(&format!("{line}\t@{}args \r", self.home));
        let shown = self.session.expect_match("ARGS<[^\r\n]*>END");
        let words = shown.trim_start_matches("ARGS<").trim_end_matches(">END");
        words
            .rsplit("><")
            .next()
            .map(|last| {
                if last == "@" {
                    words.rsplit("><").nth(1).map_or_else(String::new, |word| format!("{word} "))
                } else {
                    last.trim_end_matches('@').to_owned()
                }
            })
            .unwrap()
    }

    /// What is listed after a Tab.
    #[track_caller]
    fn listed(&mut self, line: &str, last: &str) -> String {
        again_until(|| {
            self.session.send(&format!("{line}\t"));
            let shown = self.session.shows(last, Duration::from_secs(10));
            self.session.send("\u{15}");
            shown.ok_or_else(|| format!("no {last:?} is listed: {}", self.session.seen()))
        })
    }
}

/// Tries until it is as it should be: of a machine at other work completion offers what it has learned in its time.
#[track_caller]
fn again_until<T>(mut attempt: impl FnMut() -> Result<T, String>) -> T {
    let end = Instant::now() + PATIENCE;
    loop {
        match attempt() {
            Ok(done) => return done,
            Err(why) => assert!(Instant::now() < end, "{why}"),
        }
    }
}

/// It is as it should be, or what there is instead.
fn is<T: PartialEq + Debug + ?Sized>(found: &T, expected: &T) -> Result<(), String> {
    if found == expected { Ok(()) } else { Err(format!("{found:?} instead of {expected:?}")) }
}

/// A line, and what its last word becomes; a blank at its end where the word is done.
const CASES: [(&str, &str); 30] = [
    ("att", "attach "),
    ("attach --over", "--overwrite "),
    ("attach -p team-a h", "hf "),
    ("attach --project=team-a h", "hf "),
    ("attach -p team-a hf dep", "deployment/"),
    ("attach -p team-a hf deploy/w", "deploy/web "),
    ("attach -p team-a hf deploy/web -c ", "main "),
    ("attach -p team-a hf deploy/web --env U", "USER "),
    ("attach -p team-a hf deploy/web --env=U", "--env=USER "),
    ("attach -p team-a hf deploy/web --env A_B=U", "A_B=USER "),
    ("attach -p team-a hf deploy/web --env=A_B=U", "--env=A_B=USER "),
    ("attach -p team-a hf deploy/web --mount /etc/x:U", "/etc/x:USER "),
    ("attach -p team-a hf deploy/web --mount=/etc/x:U", "--mount=/etc/x:USER "),
    ("attach -p team-a hf deploy/web --mount /etc/x:USER,P", "/etc/x:USER,PASS.word "),
    ("attach -p team-a deploy/web -e A=", "A=SECRET:"),
    ("attach -p team-a deploy/web -e A=SECRET:s3", "A=SECRET:s3-login,"),
    ("attach -p team-a deploy/web -e A=SECRET:s3-login,U", "A=SECRET:s3-login,USER "),
    ("attach -p team-a deploy/web --environment=A=SECRET:h", "--environment=A=SECRET:hf,"),
    ("submit -p team-a --env-secret A=h", "A=hf,key="),
    ("submit -p team-a --env-secret A=hf,key=U", "A=hf,key=USER "),
    ("submit -p team-a --env-secret=A=s3-login,key=U", "--env-secret=A=s3-login,key=USER "),
    ("submit -p team-a --secret-volume path=/x,name=s", "path=/x,name=s3-login "),
    ("create x --dry-run=s", "--dry-run=server "),
    ("create x -o y", "yaml "),
    ("label s", "shared "),
    ("--context=arn:aws:eks:1:cl", "--context=arn:aws:eks:1:cluster/x "),
    ("--context arn", "arn:aws:eks:1:cluster/x "),
    ("--context=arn:aws:eks:1:cluster/x attach h", "hf "),
    ("create x --from-file=tok", "--from-file=token.txt "),
    ("create x --from-file K=tok", "K=token.txt "),
];

/// Every way to start it, and how many of the cases are tried: the last way differs from the first in its name alone.
const PROGRAMS: [(&str, usize); 3] = [
    ("kubectl runai-secret", CASES.len()),
    ("kubectl-runai-secret", CASES.len()),
    ("kubectl runai secret", 5),
];

#[track_caller]
fn all_cases(shell: &str, prompt: &mut Prompt) {
    for (program, cases) in PROGRAMS {
        for (line, expected) in &CASES[..cases] {
            again_until(|| {
                let completed = prompt.completed(&format!("{program} {line}"));
                is(completed.as_str(), *expected).map_err(|why| format!("{shell}: {program} {line}: {why}"))
            });
        }
    }
}

#[test]
fn bash_completes_words_with_colons_equals_signs_and_slashes() {
    let Some(bash) = shell("bash") else { return };
    let (_world, sandbox) = scene();
    all_cases("bash", &mut Prompt::bash(&sandbox, &bash));
}

#[test]
fn zsh_completes_the_same() {
    let Some(zsh) = shell("zsh") else { return };
    let (_world, sandbox) = scene();
    all_cases("zsh", &mut Prompt::zsh(&sandbox, &zsh));
}

#[test]
fn names_are_listed_with_what_is_known_of_them() {
    let (_world, sandbox) = scene();
    if let Some(bash) = shell("bash") {
        let mut prompt = Prompt::bash(&sandbox, &bash);
        let listed = prompt.listed("kubectl runai-secret attach -p team-a ", "s3-login  (Opaque, 3 keys, ");
        assert!(listed.contains("hf        (Opaque, 2 keys, "), "{listed}");
        prompt.listed("kubectl-runai-secret attach -p team-a ", "s3-login");
    }
    if let Some(zsh) = shell("zsh") {
        let mut prompt = Prompt::zsh(&sandbox, &zsh);
        for program in ["kubectl runai-secret", "kubectl-runai-secret"] {
            let listed =
                prompt.listed(&format!("{program} attach -p team-a "), "s3-login  -- Opaque, 3 keys, ");
            assert!(listed.contains("hf        -- Opaque, 2 keys, "), "{listed}");
        }
    }
}

#[test]
fn in_bash_the_cursor_may_stand_within_the_line() {
    let Some(bash) = shell("bash") else { return };
    let (_world, sandbox) = scene();
    let mut prompt = Prompt::bash(&sandbox, &bash);
    for program in ["kubectl runai-secret", "kubectl-runai-secret"] {
        let words = format!("{program} attach -p team-a deploy/web -e A=SECRET:h --yes");
        let left = "\u{1b}[D".repeat(" --yes".len());
        again_until(|| {
            prompt.session.send(&format!("{words}{left}\t\u{1}args \r"));
            let shown = prompt.session.expect_match("ARGS<[^\r\n]*>END");
            if shown.ends_with("<-e><A=SECRET:hf,><--yes>END") { Ok(()) } else { Err(shown) }
        });
    }
}

#[test]
fn fish_offers_the_same_with_descriptions() {
    let Some(fish) = shell("fish") else { return };
    let (_world, sandbox) = scene();
    let load = "kubectl completion fish | source; kubectl-runai-secret completion fish | source\n";
    let of_program = |(program, cases): (&'static str, usize)| {
        CASES[..cases].iter().map(move |(line, word)| (format!("{program} {line}"), word.trim_end()))
    };
    let mut left: Vec<(String, &str)> = PROGRAMS.into_iter().flat_map(of_program).collect();
    again_until(|| {
        let mut script = load.to_owned();
        for (line, _) in &left {
            writeln!(script, "echo (complete -C '{line}' | string split -f1 \\t)").unwrap();
        }
        let outcome = sandbox.env("SHELL", &fish).program(&fish, ["-c", &script]).success();
        is(&outcome.stdout.lines().count(), &left.len())?;
        let mut offered = outcome.stdout.lines();
        left.retain(|(_, word)| offered.next() != Some(word));
        if left.is_empty() { Ok(()) } else { Err(format!("not as expected: {left:?}: {outcome}")) }
    });
    for program in ["kubectl runai-secret", "kubectl-runai-secret"] {
        let ask = format!("{load}complete -C '{program} attach -p team-a '");
        again_until(|| {
            let offered = sandbox.with_run().program(&fish, ["-c", &ask]).success();
            if offered.stdout.starts_with("hf\tOpaque, 2 keys, ") { Ok(()) } else { Err(offered.to_string()) }
        });
    }
}

/// elvish knows completers in a terminal only, so the one of its script is called by another name.
#[test]
fn elvish_offers_names_under_the_programs_own_name() {
    let Some(elvish) = shell("elvish") else { return };
    let (_world, sandbox) = scene();
    let printed = sandbox.run(["completion", "elvish"]).success().stdout;
    let completer =
        printed.replace("set edit:completion:arg-completer[kubectl-runai-secret] =", "var complete~ =");
    let script = format!("{completer}\ncomplete kubectl-runai-secret attach -p team-a '' | to-lines");
    again_until(|| {
        let outcome = sandbox.with_run().program(&elvish, ["-c", &script]).success();
        is(outcome.stdout.as_str(), "hf\ns3-login\n")
    });
}
