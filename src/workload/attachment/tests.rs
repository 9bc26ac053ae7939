use proptest::prelude::*;

use super::*;

fn env(variable: &str, key: &str) -> Attachment {
    Attachment::Env { variable: variable.into(), secret: "s".into(), key: key.into(), need: Need::Required }
}

fn files(path: &str, items: &[(&str, &str)]) -> Attachment {
    let items = items.iter().map(|(key, file)| Item { key: (*key).into(), file: (*file).into() }).collect();
    Attachment::Files { secret: "s".into(), path: path.into(), items, mode: None, need: Need::Required }
}

#[test]
fn env_takes_a_key_or_a_variable_and_a_key() {
    let cases = [
        ("token", env("TOKEN", "token")),
        ("hf-token.v2", env("HF_TOKEN_V2", "hf-token.v2")),
        ("1st", env("_1ST", "1st")),
        ("HF=token", env("HF", "token")),
        ("my.var-1=token", env("my.var-1", "token")),
    ];
    for (flag, attachment) in cases {
        assert_eq!(Attachment::env("s", flag).unwrap(), attachment, "{flag}");
    }
    for flag in ["", "=k", "A=", "Ä=k", "A\n=k", "A=b=c", "a/b"] {
        assert!(Attachment::env("s", flag).is_err(), "{flag}");
    }
}

#[test]
fn a_value_where_a_key_belongs_is_not_repeated() {
    for flag in ["TOKEN=hunter2/+secret", "hunter2/+secret", "0hunter2/==", "hunter2/="] {
        let error = Attachment::env("s", flag).unwrap_err().to_string();
        assert!(!error.contains("hunter2"), "{error}");
    }
    let error = Attachment::files("s", "/p:hunter2/+secret=f", None).unwrap_err().to_string();
    assert!(!error.contains("hunter2"), "{error}");
}

#[test]
fn a_reference_in_the_wrong_flag_is_answered_with_the_right_one() {
    let error = Attachment::env("s", "A=SECRET:s,k").unwrap_err().to_string();
    assert!(error.contains("-e VAR=SECRET:name,key"), "{error}");
}

#[test]
fn env_all_takes_a_prefix_or_none() {
    let all = |prefix: &str| Attachment::env_all("s", prefix);
    let expected =
        |prefix: &str| Attachment::EnvAll { secret: "s".into(), prefix: prefix.into(), need: Need::Required };
    assert_eq!(all("").unwrap(), expected(""));
    assert_eq!(all("S3_").unwrap(), expected("S3_"));
    assert!(all("Ä").is_err());
}

#[test]
fn mount_takes_a_path_and_the_keys_to_be_files() {
    let cases = [
        ("/etc/s", files("/etc/s", &[])),
        ("/etc//s/", files("/etc/s", &[])),
        ("/etc/s:a", files("/etc/s", &[("a", "a")])),
        ("/etc/s:a=x/y,b", files("/etc/s", &[("a", "x/y"), ("b", "b")])),
    ];
    for (flag, attachment) in cases {
        assert_eq!(Attachment::files("s", flag, None).unwrap(), attachment, "{flag}");
    }
}

#[test]
fn a_mount_stays_where_it_is_asked_for() {
    let paths = ["", "etc", "./etc", "/", "//", "/.", "/a/../b", "/.."];
    let items =
        ["/a:", "/a:k=", "/a:k=/abs", "/a:k=../up", "/a:k=a/../../b", "/a:k=..a", "/a:k,l=k", "/a:k=f:g,"];
    for flag in paths.into_iter().chain(items) {
        assert!(Attachment::files("s", flag, None).is_err(), "{flag}");
    }
}

#[test]
fn run_ais_own_flags_mean_what_they_mean_there() {
    assert_eq!(Attachment::env_secret("V=s,key=k").unwrap(), env("V", "k"));
    for flag in ["V=s", "V", "V=s,k", "=s,key=k", "V=,key=k", "V=s,key="] {
        assert!(Attachment::env_secret(flag).is_err(), "{flag}");
    }
    for flag in ["path=/p,name=s", "name=s,path=/p"] {
        assert_eq!(Attachment::secret_volume(flag, None).unwrap(), files("/p", &[]), "{flag}");
    }
    for flag in
        ["path=/p", "name=s", "path=/p,name=s,x", "path=/p,name=S", "path=/p:k,name=s", "path=p,name=s"]
    {
        assert!(Attachment::secret_volume(flag, None).is_err(), "{flag}");
    }
}

#[test]
fn a_mode_is_octal() {
    for text in ["0400", "400", "0o400"] {
        assert_eq!(Mode::parse(text).unwrap().bits(), 0o400, "{text}");
    }
    assert_eq!(Mode::parse("0400").unwrap().to_string(), "0400");
    for text in ["", "0x100", "+400", "-1", "0800", "1000", "rw", "0o", " 400"] {
        assert!(Mode::parse(text).is_err(), "{text}");
    }
}

#[test]
fn secret_names_are_checked_wherever_they_come_from() {
    assert!(Attachment::env("Bad_Name", "k").is_err());
    assert!(Attachment::env_all("Bad_Name", "").is_err());
    assert!(Attachment::files("Bad_Name", "/a", None).is_err());
    assert!(Attachment::image_pull("Bad_Name").is_err());
}

#[test]
fn an_attachment_reads_as_a_person_would_say_it() {
    let shown = |attachment: Attachment| attachment.to_string();
    assert_eq!(shown(env("A", "k")), "env A ← SECRET:s,k");
    assert_eq!(shown(files("/p", &[])), "files in /p ← all keys of secret s");
    assert_eq!(shown(files("/p", &[("k", "f"), ("l", "l")])), "files f, l in /p ← secret s");
    assert_eq!(shown(Attachment::image_pull("s").unwrap()), "image pull ← secret s");
    let all = Attachment::env_all("s", "P_").unwrap();
    assert_eq!(shown(all), "env P_* ← all keys of secret s");
}

proptest! {
    #[test]
    fn every_legal_key_has_a_variable_that_every_server_takes(key in "[-._a-zA-Z0-9]{1,20}") {
        prop_assert!(crate::secret::is_env_name(&variable_for(&key)));
    }

    #[test]
    fn no_flag_makes_a_parser_panic(flag in "\\PC{0,40}") {
        let _ = Attachment::env("s", &flag);
        let _ = Attachment::files("s", &flag, None);
        let _ = Attachment::env_secret(&flag);
        let _ = Attachment::secret_volume(&flag, None);
        let _ = Mode::parse(&flag);
    }

    #[test]
    fn every_mount_path_that_is_taken_is_absolute_and_normal(flag in "[/.a:]{0,12}") {
        if let Ok(Attachment::Files { path, .. }) = Attachment::files("s", &flag, None) {
            prop_assert!(path.starts_with('/') && path.len() > 1);
            prop_assert_eq!(normal_path(&path), path);
        }
    }
}
