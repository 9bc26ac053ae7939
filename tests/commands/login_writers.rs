//! `--from-login`: what other programs write, written by themselves. `ci/setup` installs them.

use std::fs;
use std::path::{Path, PathBuf};

use support::Sandbox;

use crate::completion::ask;
use crate::logins::{CANARY, assert_refused, assert_stores, put, stored};

/// A value that W&B takes too, whose keys have 40 characters or more.
fn secret() -> String {
    format!("{CANARY}0123456789abcdefghijklmnopqrstuvwxyz")
}

/// Returns the Python that has the programs; none where they are missing, which CI does not allow.
fn python() -> Option<PathBuf> {
    let python = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/login-writers/bin/python");
    let is_there = python.exists();
    assert!(
        is_there || std::env::var_os("CI").is_none(),
        "{} is missing: ci/setup installs it",
        python.display()
    );
    if !is_there {
        eprintln!(
            "not tested with the programs that write logins, which are missing: ci/setup installs them"
        );
    }
    is_there.then_some(python)
}

#[test]
fn what_aws_hugging_face_wandb_kaggle_and_dotenv_write_is_what_is_read() {
    let Some(python) = python() else { return };
    let sandbox = Sandbox::new();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("ci/login-writers/write.py");
    let secret = secret();
    sandbox.with_run().program(&python, [script.to_str().unwrap(), &secret]).success();
    let with = |start: &str, end: &str| format!("{start}{secret}{end}");
    let id = ("AWS_ACCESS_KEY_ID", "AKIAABCDEFGHIJKLMNOP");
    let region = ("AWS_DEFAULT_REGION", "eu-west-1");
    assert_stores(&sandbox, "aws", &[id, ("AWS_SECRET_ACCESS_KEY", &secret), region]);
    let lab = [
        ("AWS_ACCESS_KEY_ID", "lab-user"),
        ("AWS_SECRET_ACCESS_KEY", &with("", "#x")),
        ("AWS_ENDPOINT_URL", "http://s3.example:9000"),
    ];
    assert_stores(&sandbox, "aws=my lab", &lab);
    let (data, printed) = stored(&sandbox, "aws=short");
    assert_eq!(data["AWS_SESSION_TOKEN"], with("", "=="));
    assert!(printed.stderr.contains("the keys of this profile are temporary, for some hours"), "{printed}");

    assert_stores(&sandbox, "huggingface=work token", &[("HF_TOKEN", &with("hf_", ""))]);
    for in_use in ["huggingface", "huggingface=me"] {
        let (data, printed) = stored(&sandbox, in_use);
        assert_eq!(data["HF_TOKEN"], with("hf_oauth_", ""));
        let warning = "this token of a login in the browser is temporary and ended at 2020-01-02T03:04:05Z";
        assert!(printed.stderr.contains(warning), "{printed}");
    }

    // The server that was logged in to last is the one that wandb takes.
    let own = with("local-", "");
    let server = ("WANDB_BASE_URL", "http://wandb.example:8080");
    assert_stores(&sandbox, "wandb", &[("WANDB_API_KEY", &own), server]);
    assert_stores(&sandbox, "wandb=api.forge.coreweave.com", &[("WANDB_API_KEY", &secret)]);

    let hint = "to store the one of now: kaggle auth print-access-token | kubectl runai-secret create kaggle \
                --from-file=KAGGLE_API_TOKEN=- --trim";
    assert_refused(&sandbox, "kaggle", &["has a login in the browser, whose tokens end within hours", hint]);
    put(&sandbox, ".kaggle/access_token", format!("{secret}\n"));
    assert_stores(&sandbox, "kaggle", &[("KAGGLE_API_TOKEN", &secret)]);

    assert_stores(&sandbox, "dotenv", &[("TOKEN", &format!("it is {secret} # $HOME"))]);
    let offered = ask(&sandbox, "create s --from-login ");
    for login in ["aws", "aws=my lab", "aws=short", "huggingface=work token", "wandb=api.forge.coreweave.com"]
    {
        assert!(offered.names().contains(&login), "{login}: {:?}", offered.names());
    }
}

#[test]
fn a_key_of_wandbs_cloud_is_found_under_either_of_its_names() {
    let key = secret();
    for host in ["api.wandb.ai", "api.forge.coreweave.com"] {
        let sandbox = Sandbox::new();
        // wandb 0.31 and those before it.
        put(&sandbox, ".netrc", format!("machine {host}\n  login user\n  password {key}\n"));
        assert_stores(&sandbox, "wandb", &[("WANDB_API_KEY", &key)]);
        let home = sandbox.home();
        fs::rename(home.join(".netrc"), home.join("_netrc")).unwrap();
        assert_stores(&sandbox, "wandb", &[("WANDB_API_KEY", &key)]);
        put(&sandbox, ".netrc", "");
        assert_refused(&sandbox, "wandb", &["has no login to api.forge.coreweave.com and api.wandb.ai"]);
    }
}
