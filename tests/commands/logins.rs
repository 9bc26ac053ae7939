//! `--from-login`: the logins that other programs keep on this machine, in the files as these write them.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use support::{Outcome, Sandbox, World, scenario};

use crate::create_types::openssh_key;

/// A part of every value: no output may hold it.
pub(crate) const CANARY: &str = "Zq7cAnArY";

/// A value of the form of a service, with the canary inside.
fn token(start: &str) -> String {
    format!("{start}{CANARY}0123456789abcdefghijklmnopqrstuvwxyz")
}

pub(crate) fn put(sandbox: &Sandbox, path: &str, content: impl AsRef<[u8]>) {
    let path = sandbox.home().join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
}

/// The keys and values that a login gives, and what is said of it.
#[track_caller]
pub(crate) fn stored(sandbox: &Sandbox, login: &str) -> (BTreeMap<String, String>, Outcome) {
    let words = ["create", "s", "--from-login", login, "--dry-run=client", "-ojson"];
    let printed = sandbox.run(words).success();
    assert!(!printed.stderr.contains(CANARY), "{printed}");
    let text = |value: &Value| String::from_utf8(STANDARD.decode(value.as_str().unwrap()).unwrap()).unwrap();
    let object = printed.json();
    let data = object["data"].as_object().unwrap().iter().map(|(key, value)| (key.clone(), text(value)));
    (data.collect(), printed)
}

#[track_caller]
pub(crate) fn assert_stores(sandbox: &Sandbox, login: &str, expected: &[(&str, &str)]) {
    let (data, printed) = stored(sandbox, login);
    let expected: BTreeMap<String, String> =
        expected.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    assert_eq!(data, expected, "{login}");
    assert!(!printed.stderr.contains("Warning"), "{printed}");
    let service = login.split('=').next().unwrap();
    assert_eq!(printed.json()["metadata"]["labels"]["kubectl-runai-secret/login"], service);
}

/// The refusal of a login, with each of these lines.
#[track_caller]
pub(crate) fn assert_refused(sandbox: &Sandbox, login: &str, lines: &[&str]) {
    let words = ["create", "s", "--from-login", login, "--dry-run=client", "-ojson"];
    let refused = sandbox.run(words);
    assert!(matches!(refused.code, Some(1 | 2)), "{refused}");
    refused.never_shows(CANARY.as_bytes());
    for line in lines {
        assert!(refused.stderr.contains(line), "{line}: {refused}");
    }
}

fn home(sandbox: &Sandbox, rest: &str) -> String {
    sandbox.home().join(rest).display().to_string()
}

#[test]
fn a_hugging_face_token_is_the_one_in_use_or_a_stored_one() {
    let sandbox = Sandbox::new();
    let (used, other) = (token("hf_"), token("hf_other"));
    put(&sandbox, ".cache/huggingface/token", &used);
    put(
        &sandbox,
        ".cache/huggingface/stored_tokens",
        format!("[main]\nhf_token = {used}\n\n[work token]\nhf_token = {other}\n"),
    );
    assert_stores(&sandbox, "huggingface", &[("HF_TOKEN", &used)]);
    assert_stores(&sandbox, "huggingface=work token", &[("HF_TOKEN", &other)]);
    let file = home(&sandbox, ".cache/huggingface/stored_tokens");
    assert_refused(
        &sandbox,
        "huggingface=none",
        &[&format!("{file} has no login named none"), "it has main and work token"],
    );
    put(&sandbox, "elsewhere/token", format!("{other}\r\n"));
    let moved = Sandbox::new().with_env("HF_HOME", sandbox.home().join("elsewhere"));
    assert_stores(&moved, "huggingface", &[("HF_TOKEN", &other)]);
}

#[test]
fn what_is_not_there_is_named_with_the_way_to_log_in() {
    let sandbox = Sandbox::new();
    let path = home(&sandbox, ".cache/huggingface/token");
    assert_refused(
        &sandbox,
        "huggingface",
        &[&format!("error: huggingface: {path} does not exist\n"), "hint: to log in: hf auth login\n"],
    );
    assert_refused(
        &sandbox,
        "aws",
        &["error: aws: ", ".aws/credentials and ", "hint: to log in: aws configure\n"],
    );
    assert_refused(&sandbox, "nosuch", &["it knows huggingface, wandb, aws, docker,"]);
    assert_refused(&sandbox, "hugingface", &["hint: did you mean huggingface?"]);
    assert_refused(&sandbox, "aws=", &["--from-login aws= names no PROFILE"]);
    for service in ["wandb", "docker", "ngc", "gcloud", "kaggle", "github", "ssh", "netrc", "pypi", "dotenv"]
    {
        assert_refused(&sandbox, service, &["error: "]);
    }
}

#[test]
fn a_token_that_can_not_be_right_is_doubted() {
    let sandbox = Sandbox::new();
    put(&sandbox, ".cache/huggingface/token", CANARY);
    let (_, printed) = stored(&sandbox, "huggingface");
    let warning = "Warning: this does not look like a Hugging Face token, which begins with hf_\n";
    assert!(printed.stderr.contains(warning), "{printed}");
    put(&sandbox, ".cache/huggingface/token", " \n");
    assert_refused(&sandbox, "huggingface", &["has an empty login: no value for HF_TOKEN"]);
}

#[test]
fn a_key_of_wandb_is_in_netrc() {
    let sandbox = Sandbox::new();
    let (key, own) = (token("a"), token("local-"));
    put(
        &sandbox,
        ".netrc",
        format!(
            "machine api.wandb.ai\n  login user\n  password {key}\nmachine wandb.example\n  login user\n  password {own}\n"
        ),
    );
    assert_stores(&sandbox, "wandb", &[("WANDB_API_KEY", &key)]);
    let expected = [("WANDB_API_KEY", own.as_str()), ("WANDB_BASE_URL", "https://wandb.example")];
    let (data, printed) = stored(&sandbox, "wandb=wandb.example");
    assert_eq!(data, expected.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect());
    assert!(printed.stderr.contains("WANDB_BASE_URL is taken to be https://wandb.example"), "{printed}");
    assert_refused(&sandbox, "wandb=other.example", &["has no login to other.example"]);
    let line = format!("machine wandb.example login user password {own}\n");
    assert_stores(&sandbox, "netrc=wandb.example", &[(".netrc", &line)]);
    assert_refused(
        &sandbox,
        "netrc",
        &["has logins to api.wandb.ai and wandb.example: choose one", "hint: --from-login netrc=HOST"],
    );
}

#[test]
fn a_profile_of_aws_brings_keys_region_and_endpoint() {
    let sandbox = Sandbox::new();
    let (key, other) = (token(""), token("x"));
    put(
        &sandbox,
        ".aws/credentials",
        format!(
            "[default]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = {key}\n\n\
             [lab]\naws_access_key_id=lab-user\naws_secret_access_key={other}\n\n\
             [short]\naws_access_key_id = ASIAIOSFODNN7EXAMPLE\naws_secret_access_key = {key}\naws_session_token = {other}\n\
             x_security_token_expires = 2020-01-02T03:04:05Z\n"
        ),
    );
    put(
        &sandbox,
        ".aws/config",
        "[default]\nregion = eu-west-1\ns3 =\n  region = inner\n[profile lab]\nregion = local\nendpoint_url = https://s3.example\n\
         [profile sso]\nsso_session = x\nsso_role_name = y\n[sso-session x]\nsso_region = us-east-1\n",
    );
    let id = ("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE");
    let expected = [id, ("AWS_SECRET_ACCESS_KEY", &key), ("AWS_DEFAULT_REGION", "eu-west-1")];
    assert_stores(&sandbox, "aws", &expected);
    let expected = [
        ("AWS_ACCESS_KEY_ID", "lab-user"),
        ("AWS_SECRET_ACCESS_KEY", &other),
        ("AWS_DEFAULT_REGION", "local"),
        ("AWS_ENDPOINT_URL", "https://s3.example"),
    ];
    assert_stores(&sandbox, "aws=lab", &expected);
    let (data, printed) = stored(&sandbox, "aws=short");
    assert_eq!(data["AWS_SESSION_TOKEN"], other);
    let ends = printed.json()["metadata"]["annotations"]["kubectl-runai-secret/expires"].clone();
    let end = "2020-01-02T03:04:05Z";
    let expected = json!({"AWS_ACCESS_KEY_ID": end, "AWS_SECRET_ACCESS_KEY": end, "AWS_SESSION_TOKEN": end});
    assert_eq!(serde_json::from_str::<Value>(ends.as_str().unwrap()).unwrap(), expected);
    let warning =
        "the keys of this profile are temporary and ended at 2020-01-02T03:04:05Z: a job that starts later";
    assert!(printed.stderr.contains(warning), "{printed}");
    assert_refused(
        &sandbox,
        "aws=sso",
        &[
            "profile \"sso\" has no keys in a file: they are fetched for some hours",
            "hint: to store them as they are now: aws configure export-credentials --profile sso --format env-no-export | \
             kubectl runai-secret create aws --from-dotenv -\n",
        ],
    );
    assert_refused(
        &sandbox,
        "aws=labb",
        &["there is no profile \"labb\"", "did you mean --from-login aws=lab?"],
    );
    assert_refused(&sandbox, "aws=none", &["hint: its profiles: default, lab, short and sso\n"]);
    let chosen = Sandbox::new().with_env("AWS_PROFILE", "lab");
    for file in ["credentials", "config"] {
        put(&chosen, &format!(".aws/{file}"), fs::read(sandbox.home().join(".aws").join(file)).unwrap());
    }
    assert_eq!(stored(&chosen, "aws").0["AWS_ACCESS_KEY_ID"], "lab-user");
}

/// The logins in a printed `.dockerconfigjson`.
#[track_caller]
fn logins(sandbox: &Sandbox, login: &str) -> BTreeMap<String, (String, String)> {
    let (data, printed) = stored(sandbox, login);
    assert_eq!(printed.json()["type"], "kubernetes.io/dockerconfigjson");
    let config: Value = serde_json::from_str(&data[".dockerconfigjson"]).unwrap();
    let text = |entry: &Value, field: &str| entry[field].as_str().unwrap().to_owned();
    let auths = config["auths"].as_object().unwrap().iter();
    auths
        .map(|(server, entry)| {
            let pair = (text(entry, "username"), text(entry, "password"));
            let auth = STANDARD.decode(text(entry, "auth")).unwrap();
            assert_eq!(auth, format!("{}:{}", pair.0, pair.1).into_bytes());
            (server.clone(), pair)
        })
        .collect()
}

#[test]
fn logins_to_registries_are_in_the_file_or_with_a_helper() {
    let sandbox = Sandbox::new();
    let auth = STANDARD.encode(format!("me:{CANARY}"));
    put(
        &sandbox,
        ".docker/config.json",
        format!(
            r#"{{"auths": {{"https://index.docker.io/v1/": {{"auth": "{auth}"}}, "ghcr.io": {{}}, "quay.io": {{}}}},
                "credsStore": "vault", "credHelpers": {{"ecr.example": "other"}}, "currentContext": "x"}}"#
        ),
    );
    let helper = |name: &str, cases: &str| {
        sandbox.program(
            &format!("docker-credential-{name}"),
            &format!("#!/bin/sh\nread -r server\ncase \"$1 $server\" in\n{cases}\n*) echo 'credentials not found in native keychain'; exit 1;;\nesac\n"),
        )
    };
    helper(
        "vault",
        &format!(
            "'get ghcr.io') echo '{{\"ServerURL\":\"ghcr.io\",\"Username\":\"robot\",\"Secret\":\"{CANARY}-g\"}}';;\n\
             'get quay.io') echo '{{\"ServerURL\":\"quay.io\",\"Username\":\"<token>\",\"Secret\":\"{CANARY}-t\"}}';;"
        ),
    );
    helper(
        "other",
        &format!("'get ecr.example') echo '{{\"Username\":\"AWS\",\"Secret\":\"{CANARY}-e\"}}';;"),
    );
    let pair = |user: &str, end: &str| (user.to_owned(), format!("{CANARY}{end}"));
    let hub = "https://index.docker.io/v1/".to_owned();
    assert_eq!(logins(&sandbox, "docker=docker.io"), BTreeMap::from([(hub.clone(), pair("me", ""))]));
    let both = BTreeMap::from([(hub, pair("me", "")), ("ghcr.io".to_owned(), pair("robot", "-g"))]);
    assert_eq!(logins(&sandbox, "docker=ghcr.io,index.docker.io"), both);
    assert_eq!(logins(&sandbox, "docker=ecr.example")["ecr.example"], pair("AWS", "-e"));
    assert_refused(&sandbox, "docker=quay.io", &["is an identity token, which no kubelet reads"]);
    assert_refused(
        &sandbox,
        "docker",
        &[
            "has logins to ",
            "choose one, or several",
            "--from-login docker=ecr.example,ghcr.io,https://index.docker.io/v1/",
        ],
    );
    assert_refused(
        &sandbox,
        "docker=gchr.io",
        &["has no login to gchr.io", "did you mean --from-login docker=ghcr.io?"],
    );
}

#[test]
fn a_helper_that_fails_or_is_no_program_is_named_and_nothing_of_it_is_shown() {
    let sandbox = Sandbox::new();
    put(&sandbox, ".docker/config.json", r#"{"auths": {"ghcr.io": {}}, "credsStore": "vault"}"#);
    assert_refused(&sandbox, "docker", &["docker-credential-vault can't be started: "]);
    sandbox.program("docker-credential-vault", &format!("#!/bin/sh\necho {CANARY}\nexit 3\n"));
    let lines = ["docker-credential-vault get failed", "hint: to see why: docker login ghcr.io"];
    assert_refused(&sandbox, "docker", &lines);
    sandbox.program("docker-credential-vault", &format!("#!/bin/sh\necho {CANARY}\n"));
    assert_refused(&sandbox, "docker", &["docker-credential-vault gave no login in its answer"]);
    put(&sandbox, ".docker/config.json", r#"{"auths": {"ghcr.io": {}}, "credsStore": "../evil"}"#);
    assert_refused(&sandbox, "docker", &["../evil is not the name of a credential helper"]);
}

#[test]
fn podmans_file_of_logins_is_found_too() {
    let sandbox = Sandbox::new();
    let auth = STANDARD.encode(format!("me:{CANARY}"));
    put(
        &sandbox,
        ".config/containers/auth.json",
        format!(r#"{{"auths": {{"quay.io": {{"auth": "{auth}"}}}}}}"#),
    );
    assert_eq!(logins(&sandbox, "docker")["quay.io"], ("me".to_owned(), CANARY.to_owned()));
}

#[test]
fn tokens_of_ngc_kaggle_github_and_pypi_are_where_their_programs_keep_them() {
    let sandbox = Sandbox::new();
    let (key, other) = (token("nvapi-"), token("pypi-"));
    put(
        &sandbox,
        ".ngc/config",
        format!(
            // As ngcsdk 4.37 writes it.
            ";WARNING - This is a machine generated file.  Do not edit manually.\n;WARNING - To update local config settings, see \"ngc config set -h\" \n\n\
             [CURRENT]\napikey = {key}\nformat_type = ascii\norg = x\nteam = no-team\n\n[lab]\napikey = {other}\n\n"
        ),
    );
    assert_stores(&sandbox, "ngc", &[("NGC_API_KEY", &key)]);
    assert_stores(&sandbox, "ngc=lab", &[("NGC_API_KEY", &other)]);
    put(&sandbox, ".kaggle/kaggle.json", format!(r#"{{"username":"me","key":"{key}"}}"#));
    assert_stores(&sandbox, "kaggle", &[("KAGGLE_USERNAME", "me"), ("KAGGLE_KEY", &key)]);
    put(
        &sandbox,
        ".config/gh/hosts.yml",
        format!(
            "github.com:\n    git_protocol: https\n    users:\n        me:\n            oauth_token: {key}\n    user: me\n    oauth_token: {key}\n\
             ghe.example:\n    oauth_token: {other}\n    user: me\n\
             keyring.example:\n    users:\n        me:\n    user: me\n"
        ),
    );
    assert_stores(&sandbox, "github", &[("GH_TOKEN", &key)]);
    assert_stores(
        &sandbox,
        "github=ghe.example",
        &[("GH_ENTERPRISE_TOKEN", &other), ("GH_HOST", "ghe.example")],
    );
    assert_refused(
        &sandbox,
        "github=keyring.example",
        &[
            "gh keeps the token for keyring.example in the system's keyring",
            "gh auth token --hostname keyring.example | kubectl",
        ],
    );
    put(
        &sandbox,
        ".pypirc",
        format!(
            "[distutils]\nindex-servers =\n    pypi\n    own\n\n[pypi]\nusername = __token__\npassword = {other}\n\n[own]\nrepository = https://pypi.example/legacy/\nusername = me\npassword = {key}\n"
        ),
    );
    assert_stores(&sandbox, "pypi", &[("TWINE_USERNAME", "__token__"), ("TWINE_PASSWORD", &other)]);
    let expected = [
        ("TWINE_USERNAME", "me"),
        ("TWINE_PASSWORD", &key),
        ("TWINE_REPOSITORY_URL", "https://pypi.example/legacy/"),
    ];
    assert_stores(&sandbox, "pypi=own", &expected);
}

#[test]
fn logins_that_are_files_stay_as_they_are() {
    let sandbox = Sandbox::new();
    // As gcloud writes it.
    let google = format!(
        "{{\n  \"account\": \"\",\n  \"client_id\": \"1-x.apps.googleusercontent.com\",\n  \"client_secret\": \"d-{CANARY}\",\n  \
         \"quota_project_id\": \"lab\",\n  \"refresh_token\": \"1//{CANARY}\",\n  \"type\": \"authorized_user\",\n  \
         \"universe_domain\": \"googleapis.com\"\n}}"
    );
    put(&sandbox, ".config/gcloud/application_default_credentials.json", &google);
    assert_stores(&sandbox, "gcloud", &[("application_default_credentials.json", &google)]);
    let key = openssh_key("none");
    put(&sandbox, ".ssh/id_ed25519", &key);
    put(&sandbox, ".ssh/id_ed25519.pub", "ssh-ed25519 AAAA me\n");
    put(&sandbox, ".ssh/known_hosts", "github.com ssh-ed25519 AAAA\n");
    let expected = [
        ("known_hosts", "github.com ssh-ed25519 AAAA\n"),
        ("ssh-privatekey", key.as_str()),
        ("ssh-publickey", "ssh-ed25519 AAAA me\n"),
    ];
    assert_stores(&sandbox, "ssh", &expected);
    put(&sandbox, ".ssh/id_rsa", openssh_key("aes256-ctr"));
    assert_refused(&sandbox, "ssh=id_rsa", &["has a passphrase, which a job can't ask for"]);
    sandbox.file(".env", format!("export A='{CANARY}'\n"));
    assert_stores(&sandbox, "dotenv", &[("A", CANARY)]);
}

#[test]
fn files_of_another_form_are_refused_by_line_without_their_text() {
    let sandbox = Sandbox::new();
    for (path, login, line) in [
        (".docker/config.json", "docker", "line 1: not a JSON object like Docker's config.json"),
        (".kaggle/kaggle.json", "kaggle", "line 1: not a JSON object with username and key"),
        (
            ".config/gcloud/application_default_credentials.json",
            "gcloud",
            "line 1: not a JSON object with a type",
        ),
        (".config/gh/hosts.yml", "github", "is not gh's file of hosts"),
        (".aws/credentials", "aws", "there is no profile \"default\""),
        (".ngc/config", "ngc", "has no login named CURRENT"),
        (".netrc", "wandb", "has no login to api.forge.coreweave.com and api.wandb.ai"),
        (".netrc", "netrc=host.example", "has no login to host.example"),
        (".pypirc", "pypi", "has no login named pypi"),
        (".cache/huggingface/stored_tokens", "huggingface=x", "has no login named x"),
        (".ssh/id_ed25519", "ssh", "is not a private SSH key"),
    ] {
        put(&sandbox, path, format!("[{CANARY}"));
        assert_refused(&sandbox, login, &[line]);
        put(&sandbox, path, [b"\xff\xfe", CANARY.as_bytes()].concat());
        assert_refused(&sandbox, login, &["error: "]);
        fs::remove_file(sandbox.home().join(path)).unwrap();
        fs::create_dir(sandbox.home().join(path)).unwrap();
        assert_refused(&sandbox, login, &["error: "]);
        fs::remove_dir(sandbox.home().join(path)).unwrap();
    }
}

#[scenario]
fn a_service_alone_is_its_usual_secret(world: &World, sandbox: &Sandbox) {
    let project = world.project("a");
    let key = token("hf_");
    put(sandbox, ".cache/huggingface/token", &key);
    let created =
        sandbox.with_run().run_as_users_do(["create", "huggingface", "-p", &project.name]).success();
    created.never_shows(CANARY.as_bytes());
    assert_eq!(created.stdout, "secret/hf created\n");
    let note = format!("note: HF_TOKEN from {}\n", home(sandbox, ".cache/huggingface/token"));
    assert!(created.stderr.contains(&note), "{created}");
    assert_eq!(world.secret_value(&project.namespace, "hf", "HF_TOKEN").unwrap(), key.as_bytes());
    let set = sandbox.run(["set", "hf", "--from-login=huggingface", "-p", &project.name]).success();
    set.never_shows(CANARY.as_bytes());
    // A name with a source of its own is a name like any other.
    sandbox.run(["create", "aws", "--from-literal=k=v", "-p", &project.name]).success();
    assert!(world.secret(&project.namespace, "aws").is_some());
    assert!(Path::new(&home(sandbox, ".cache/huggingface/token")).exists());
}

#[scenario]
fn types_that_do_not_go_together_are_refused_before_anything_is_read(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("ns");
    world.clear_log();
    let words = ["create", "s", "--from-login=docker", "--from-login=ssh", "-n", &namespace];
    let refused = sandbox.run(words).fails_with(2);
    assert!(refused.stderr.contains("error: docker and ssh make secrets of different types\n"), "{refused}");
    assert!(world.requests().is_empty());
}

#[test]
fn a_password_that_begins_with_a_number_sign_is_no_comment() {
    let sandbox = Sandbox::new();
    let key = token("#");
    put(
        &sandbox,
        ".netrc",
        format!("machine api.wandb.ai login u password {key}\nmachine b.example login v password other\n"),
    );
    assert_stores(&sandbox, "wandb", &[("WANDB_API_KEY", &key)]);
    assert_refused(
        &sandbox,
        "netrc=api.wandb.ai",
        &["a word with blanks or a # at its start can't be written"],
    );
    put(&sandbox, ".netrc", format!("machine api.wandb.ai login u password {CANARY}\\\\x\n"));
    assert_refused(
        &sandbox,
        "wandb",
        &["a word has quotes or backslashes, which programs read in different ways"],
    );
}

#[test]
fn a_registrys_helper_comes_before_the_file_and_tokens_are_told_apart() {
    let sandbox = Sandbox::new();
    let auth = |text: &str| STANDARD.encode(text);
    put(
        &sandbox,
        ".docker/config.json",
        format!(
            r#"{{"auths": {{"https://index.docker.io/v1/": {{"auth": "{}"}}, "https://index.docker.io/v1/access-token": {{"auth": "{}"}},
                "https://index.docker.io/v1/refresh-token": {{"auth": "{}"}}}}, "credHelpers": null}}"#,
            auth(&format!("me:{CANARY}")),
            auth("me:access"),
            auth("me:refresh"),
        ),
    );
    let hub = "https://index.docker.io/v1/";
    assert_eq!(logins(&sandbox, "docker")[hub].1, CANARY, "the only login");
    put(
        &sandbox,
        ".docker/config.json",
        format!(r#"{{"auths": {{"ghcr.io": {{"auth": "{}"}}}}, "credsStore": "vault"}}"#, auth("me:stale")),
    );
    let helper = |answer: &str| {
        let script =
            format!("#!/bin/sh\nread -r server\n[ \"$server\" = ghcr.io ] || exit 2\necho '{answer}'\n");
        sandbox.program("docker-credential-vault", &script);
    };
    helper(&format!(r#"{{"Username": "new", "Secret": "{CANARY}"}}"#));
    assert_eq!(logins(&sandbox, "docker")["ghcr.io"], ("new".to_owned(), CANARY.to_owned()));
    helper(r#"{"Username": "new", "Secret": ""}"#);
    assert_refused(&sandbox, "docker", &["the helper's login to ghcr.io is empty"]);
    sandbox.program("docker-credential-vault", "#!/bin/sh\nexit 3\n");
    assert_eq!(logins(&sandbox, "docker")["ghcr.io"].1, "stale", "what Docker falls back to");
    let token = format!(
        r#"{{"auths": {{"r.azurecr.io": {{"auth": "{}", "identitytoken": "{CANARY}"}}}}}}"#,
        auth("0:")
    );
    put(&sandbox, ".docker/config.json", token);
    assert_refused(
        &sandbox,
        "docker",
        &["the login to r.azurecr.io is an identity token, which no kubelet reads"],
    );
}

#[test]
fn a_file_without_logins_does_not_hide_the_one_that_has_them() {
    let sandbox = Sandbox::new();
    put(&sandbox, ".docker/config.json", r#"{"currentContext": "x"}"#);
    let auth = STANDARD.encode(format!("me:{CANARY}"));
    put(
        &sandbox,
        ".config/containers/auth.json",
        format!(r#"{{"auths": {{"quay.io": {{"auth": "{auth}"}}}}}}"#),
    );
    assert_eq!(logins(&sandbox, "docker")["quay.io"].1, CANARY);
}

#[test]
fn parts_of_different_logins_of_aws_are_not_mixed() {
    let sandbox = Sandbox::new();
    let key = token("");
    let id = "AKIAIOSFODNN7EXAMPLE";
    put(
        &sandbox,
        ".aws/credentials",
        format!(
            "[default]\n  aws_access_key_id: {id}\n  aws_secret_access_key: {key}\n[half]\naws_access_key_id={id}\n[role]\naws_access_key_id={id}\naws_secret_access_key={key}\n"
        ),
    );
    put(
        &sandbox,
        ".aws/config",
        format!(
            "[default]\naws_session_token = stale\n[profile half]\naws_secret_access_key = {key}\n\
             [profile role]\nrole_arn = arn:aws:iam::1:role/x\nsource_profile = default\n\
             [profile 'my lab']\naws_access_key_id = {id}\naws_secret_access_key = {key}\nregion = local\n"
        ),
    );
    assert_stores(&sandbox, "aws", &[("AWS_ACCESS_KEY_ID", id), ("AWS_SECRET_ACCESS_KEY", &key)]);
    assert_refused(&sandbox, "aws=half", &["profile \"half\" has no keys"]);
    assert_refused(&sandbox, "aws=role", &["profile \"role\" has no keys in a file: they are fetched"]);
    assert_eq!(stored(&sandbox, "aws=my lab").0["AWS_DEFAULT_REGION"], "local");
}

#[test]
fn a_password_goes_where_its_server_is_and_a_token_to_its_own_host() {
    let sandbox = Sandbox::new();
    let key = token("pypi-");
    put(
        &sandbox,
        ".pypirc",
        format!("[pypi]\nusername: __token__\npassword: {key}\n[own]\nusername=me\npassword={key}\n"),
    );
    assert_stores(&sandbox, "pypi", &[("TWINE_USERNAME", "__token__"), ("TWINE_PASSWORD", &key)]);
    assert_refused(&sandbox, "pypi=own", &["no repository, so the password would go to PyPI"]);
    put(
        &sandbox,
        ".config/gh/hosts.yml",
        format!(
            "acme.ghe.com:\n  oauth_token: {key}\nghe.example:\n  user: me\n  users: null\nempty.example:\n"
        ),
    );
    assert_stores(&sandbox, "github=acme.ghe.com", &[("GH_TOKEN", &key), ("GH_HOST", "acme.ghe.com")]);
    assert_refused(&sandbox, "github=ghe.example", &["--from-file=GH_ENTERPRISE_TOKEN=- --trim"]);
}

#[test]
fn the_folder_one_is_in_is_nobodys_home() {
    let sandbox = Sandbox::new();
    sandbox.file(".cache/huggingface/token", token("hf_"));
    for home in ["", "."] {
        let words = ["create", "s", "--from-login=huggingface", "--dry-run=client", "-ojson"];
        let outcome = sandbox.env("HOME", home).run(words);
        assert!(outcome.code == Some(1) && outcome.stderr.contains("does not exist"), "{outcome}");
    }
}

#[test]
fn a_value_in_the_place_of_a_profile_is_not_repeated() {
    let sandbox = Sandbox::new();
    let value = "hf_aB3dE5fG7hJ9kL1mN3pQ5rS7tU9vW1xY3z";
    let words =
        ["create", "s", &format!("--from-login=huggingface={value}"), "--dry-run=client"].map(str::to_owned);
    let refused = sandbox.run(words).fails_with(2);
    refused.never_shows(value.as_bytes());
    let pipe = sandbox.path().join(".env");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status().unwrap();
    assert!(made.success());
    assert_refused(&sandbox, "dotenv", &[".env is not a regular file"]);
}

#[scenario]
fn the_label_says_no_more_than_what_the_secret_holds(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("ns");
    put(sandbox, ".cache/huggingface/token", token("hf_"));
    let label =
        || world.secret(&namespace, "s").unwrap()["metadata"]["labels"]["kubectl-runai-secret/login"].clone();
    sandbox.run(["create", "s", "--from-login=huggingface", "-n", &namespace]).success();
    assert_eq!(label(), "huggingface");
    sandbox.run(["create", "s", "--from-literal=HF_TOKEN=x", "--replace", "-n", &namespace]).success();
    assert_eq!(label(), Value::Null, "it holds something else now");
    let words =
        ["create", "s", "--from-login=huggingface", "--from-literal=k=v", "--replace", "-n", &namespace];
    sandbox.run(words).success();
    assert_eq!(label(), Value::Null, "its usual use would leave out a key");
}
