//! `.dockerconfigjson`: the credentials of a registry, as kubectl writes them and kubelets read them.

use std::collections::BTreeMap;
use std::ffi::OsString;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::argument::entries;
use super::contents::{Contents, SIZE_LIMIT};
use super::go_json;
use super::input::Input;
use super::origin::Origin;
use super::source::key_and_origin;
use super::value::SecretValue;
use crate::error::{Error, Result};

pub(super) const KEY: &str = ".dockerconfigjson";

/// Where Docker Hub takes logins, and under which name its credentials must be.
pub(crate) const DOCKER_HUB: &str = "https://index.docker.io/v1/";

/// Names that people use for Docker Hub.
const OTHER_NAMES_OF_DOCKER_HUB: [&str; 5] =
    ["docker.io", "index.docker.io", "hub.docker.com", "registry-1.docker.io", "registry.hub.docker.com"];

/// A login to a registry.
pub(crate) struct Login<'a> {
    pub(crate) server: &'a str,
    pub(crate) username: &'a str,
    pub(crate) password: &'a SecretValue,
    pub(crate) email: &'a str,
}

#[derive(Serialize)]
struct Config<'a> {
    auths: BTreeMap<&'a str, Entry<'a>>,
}

#[derive(Serialize)]
struct Entry<'a> {
    username: &'a str,
    password: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    email: &'a str,
    auth: &'a str,
}

/// The file in Go's JSON, byte for byte kubectl's.
///
/// # Errors
/// The password is not UTF-8: JSON can't hold it, and Go would put something else in its place.
fn config(login: &Login<'_>) -> Result<SecretValue> {
    let password = std::str::from_utf8(login.password.expose())
        .map_err(|_| Error::usage("the password is not valid UTF-8, which Docker's format needs"))?;
    let pair = Zeroizing::new([login.username, ":", password].concat());
    let auth = Zeroizing::new(STANDARD.encode(pair.as_bytes()));
    let entry = Entry { username: login.username, password, email: login.email, auth: &auth };
    let config = Config { auths: BTreeMap::from([(login.server, entry)]) };
    // Room for every character as an escape: the buffer never moves.
    let room = 6 * (login.server.len() + 2 * pair.len() + login.email.len() + auth.len()) + 128;
    let mut json = Vec::with_capacity(room);
    go_json::write(&mut json, &config).expect("strings, written to memory");
    Ok(SecretValue::from_bytes(json))
}

/// What may be wrong with the name of a registry's server.
pub(super) fn server_warning(server: &str) -> Option<String> {
    let bare = server.trim_start_matches("https://").trim_start_matches("http://").trim_end_matches('/');
    let host = bare.split('/').next().unwrap_or_default();
    if OTHER_NAMES_OF_DOCKER_HUB.contains(&host) && server != DOCKER_HUB {
        return Some(format!(
            "Docker Hub's credentials belong under {DOCKER_HUB}, which is the default: leave out --docker-server"
        ));
    }
    if server.contains(char::is_whitespace) {
        return Some("the name of the registry's server has a blank in it".to_owned());
    }
    None
}

/// What is in a file that Docker or another program wrote. Nothing of it is kept but what is there.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Found {
    #[serde(default)]
    auths: Option<BTreeMap<String, FoundEntry>>,
    creds_store: Option<IgnoredAny>,
    cred_helpers: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct FoundEntry {
    auth: Option<NotEmpty>,
    username: Option<NotEmpty>,
    password: Option<NotEmpty>,
}

/// Whether a text has anything in it; the text itself is not kept.
struct NotEmpty(bool);

impl<'de> Deserialize<'de> for NotEmpty {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Zeroizing::new(String::deserialize(deserializer)?);
        Ok(Self(!text.is_empty()))
    }
}

impl FoundEntry {
    fn has_credential(&self) -> bool {
        let some = |text: &Option<NotEmpty>| text.as_ref().is_some_and(|text| text.0);
        some(&self.auth) || (some(&self.username) && some(&self.password))
    }
}

/// What a file with credentials is worth.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Useful,
    /// No registry in it, and nothing says where else the credentials would be.
    Empty,
    /// Docker keeps the credentials outside of the file, where no kubelet can read them.
    KeptElsewhere,
    /// Not a JSON object of the form, in this line.
    Malformed {
        line: usize,
    },
}

pub(super) fn judge(file: &[u8]) -> Verdict {
    // serde would take an array for a struct.
    if file.trim_ascii_start().first() != Some(&b'{') {
        return Verdict::Malformed { line: 1 };
    }
    let found: Found = match serde_json::from_slice(file) {
        Ok(found) => found,
        // Its text may quote the file.
        Err(error) => return Verdict::Malformed { line: error.line() },
    };
    let auths = found.auths.unwrap_or_default();
    if auths.values().any(FoundEntry::has_credential) {
        Verdict::Useful
    } else if found.creds_store.is_some() || found.cred_helpers.is_some() || !auths.is_empty() {
        Verdict::KeptElsewhere
    } else {
        Verdict::Empty
    }
}

/// The contents of a secret for a login that was given with flags.
pub(crate) fn contents_of_login(login: &Login<'_>) -> Result<Contents> {
    let mut contents = Contents::default();
    contents.warnings.extend(server_warning(login.server));
    contents.add(KEY.to_owned(), config(login)?)?;
    let password = SecretValue::from_bytes(login.password.expose().to_vec());
    contents.parts.insert("the password".to_owned(), password);
    contents.check_size()?;
    Ok(contents)
}

/// The contents of a secret for a file that Docker, Podman or another program wrote.
pub(crate) fn contents_of_file(arguments: Vec<OsString>, input: &mut dyn Input) -> Result<Contents> {
    let entries = entries("--from-file", arguments)?;
    let [entry] = entries.as_slice() else {
        return Err(Error::usage(format!("exactly one --from-file is required, got {}", entries.len())));
    };
    let (key, from) = key_and_origin(entry)?;
    if key.is_some_and(|key| key != KEY) {
        return Err(Error::usage(format!("the key of a docker-registry secret is {KEY}, and no other"))
            .hint("leave the key out: --from-file PATH"));
    }
    let shown = from.shown();
    if matches!(&from, Origin::Path(path) if path.is_dir()) {
        return Err(Error::usage(format!("--from-file must be a file here, and {shown} is a directory")));
    }
    let value = from.read(SIZE_LIMIT, input)?;
    let mut contents = Contents::default();
    match judge(value.expose()) {
        Verdict::Useful => {}
        Verdict::Empty => {
            contents.warnings.push(format!("{shown} names no registry: nothing can be pulled with it"));
        }
        Verdict::KeptElsewhere => {
            return Err(Error::usage(format!("{shown} holds no credential: Docker keeps them in a store of its own"))
                .hint("give the login itself: --docker-server SERVER --docker-username USER --docker-password-stdin"));
        }
        Verdict::Malformed { line } => {
            return Err(Error::usage(format!(
                "{shown}, line {line}: not a JSON object as Docker's config.json is"
            )));
        }
    }
    contents.add(KEY.to_owned(), value)?;
    Ok(contents)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn written(server: &str, username: &str, password: &str, email: &str) -> String {
        let password = SecretValue::from_bytes(password.as_bytes().to_vec());
        let login = Login { server, username, password: &password, email };
        String::from_utf8(config(&login).ok().unwrap().expose().to_vec()).unwrap()
    }

    #[test]
    fn the_file_is_kubectls_byte_for_byte() {
        assert_eq!(
            written("r", "a<b", "c&d>e", "a@b"),
            r#"{"auths":{"r":{"username":"a\u003cb","password":"c\u0026d\u003ee","email":"a@b","auth":"YTxiOmMmZD5l"}}}"#
        );
    }

    #[test]
    fn other_names_of_docker_hub_are_warned_of() {
        for server in
            ["docker.io", "https://index.docker.io/v2/", "https://hub.docker.com", "registry-1.docker.io/"]
        {
            assert!(server_warning(server).unwrap().contains(DOCKER_HUB), "{server}");
        }
        for server in [DOCKER_HUB, "nvcr.io", "reg.example.test:5000", "docker.io.example.test"] {
            assert_eq!(server_warning(server), None, "{server}");
        }
    }

    #[test]
    fn a_file_without_a_credential_in_it_is_told_from_one_with() {
        for (file, verdict) in [
            (r#"{"auths":{"r":{"auth":"dTpw"}}}"#, Verdict::Useful),
            (r#"{"auths":{"r":{"username":"u","password":"p"}},"credsStore":"x"}"#, Verdict::Useful),
            (r#"{"auths":{}}"#, Verdict::Empty),
            ("{}", Verdict::Empty),
            (r#"{"auths":{"r":{}},"credsStore":"desktop"}"#, Verdict::KeptElsewhere),
            (r#"{"auths":{"r":{"auth":""}}}"#, Verdict::KeptElsewhere),
            (r#"{"credHelpers":{"gcr.io":"gcloud"}}"#, Verdict::KeptElsewhere),
            ("[]", Verdict::Malformed { line: 1 }),
            ("{\n\"auths\": 1}", Verdict::Malformed { line: 2 }),
            ("", Verdict::Malformed { line: 1 }),
        ] {
            assert_eq!(judge(file.as_bytes()), verdict, "{file}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_judged_useful(password in any::<String>(), username in "[^:]{1,9}") {
            prop_assume!(!password.is_empty());
            prop_assert_eq!(judge(written("r", &username, &password, "").as_bytes()), Verdict::Useful);
        }

        #[test]
        fn any_file_is_judged_without_a_panic(file in any::<Vec<u8>>()) {
            let _ = judge(&file);
        }
    }
}
