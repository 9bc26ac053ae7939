//! `.dockerconfigjson`: the credentials of a registry, as kubectl writes them and kubelets read them.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::argument::entries;
use super::contents::{Contents, SIZE_LIMIT};
use super::field_text::FieldText;
use super::input::Input;
use super::origin::Origin;
use super::source::{key_and_origin, ordinal};
use super::token_scan::looks_like_a_token;
use super::value::SecretValue;
use super::{go_base64, go_json, unseen};
use crate::error::{Error, Result};

pub(super) const KEY: &str = ".dockerconfigjson";
/// The key of the older type, whose value is what `auths` is in the newer one.
pub(super) const OLD_KEY: &str = ".dockercfg";

/// The two forms of a file with logins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Config,
    Old,
}

impl Form {
    /// Returns the form of a key's value, if it is one with logins.
    pub(super) fn of_key(key: &str) -> Option<Self> {
        match key {
            KEY => Some(Self::Config),
            OLD_KEY => Some(Self::Old),
            _ => None,
        }
    }

    /// Returns the name of the map of logins.
    fn of(self) -> &'static str {
        match self {
            Self::Config => "auths",
            Self::Old => OLD_KEY,
        }
    }
}

/// The longest name of a user that is told, in bytes.
const LONGEST_USER: usize = 128;

/// The length from which a user whose password is shorter may be a token.
const LEAST_TOKEN: usize = 16;

/// Docker Hub's address for logins, and the name that its credentials must have.
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

/// Returns the file in Go's JSON, equal to kubectl's byte for byte.
///
/// # Errors
/// A password is not UTF-8: JSON can't hold it, and Go would replace it.
fn config(logins: &[Login<'_>]) -> Result<SecretValue> {
    let mut parts = Vec::with_capacity(logins.len());
    for login in logins {
        let password = std::str::from_utf8(login.password.expose())
            .map_err(|_| Error::usage("the password is not valid UTF-8, which Docker's format needs"))?;
        let pair = Zeroizing::new([login.username, ":", password].concat());
        parts.push((login, password, Zeroizing::new(STANDARD.encode(pair.as_bytes()))));
    }
    let entry = |(login, password, auth): &'_ (&Login<'_>, &'_ str, Zeroizing<String>)| -> usize {
        login.server.len() + 2 * (login.username.len() + password.len() + 1) + login.email.len() + auth.len()
    };
    // Enough room for every character as an escape, so that the buffer never moves.
    let room = 6 * parts.iter().map(entry).sum::<usize>() + 128 * (parts.len() + 1);
    let auths = parts.iter().map(|(login, password, auth)| {
        (login.server, Entry { username: login.username, password, email: login.email, auth })
    });
    let config = Config { auths: auths.collect() };
    let mut json = Vec::with_capacity(room);
    go_json::write(&mut json, &config).expect("strings, written to memory");
    Ok(SecretValue::from_bytes(json))
}

/// Returns true for a name that people use for Docker Hub.
pub(crate) fn is_docker_hub(host: &str) -> bool {
    OTHER_NAMES_OF_DOCKER_HUB.contains(&host)
}

/// Warns of a doubtful server name of a registry.
pub(super) fn server_warning(server: &str) -> Option<String> {
    let bare = server.trim_start_matches("https://").trim_start_matches("http://").trim_end_matches('/');
    let host = bare.split('/').next().unwrap_or_default();
    if is_docker_hub(host) && server != DOCKER_HUB {
        return Some(format!(
            "Docker Hub's credentials belong under {DOCKER_HUB}, which is the default: leave out --docker-server"
        ));
    }
    if server.contains(char::is_whitespace) {
        return Some("the server name of the registry has whitespace in it".to_owned());
    }
    None
}

/// The parts of a file by Docker or another program that matter. No password is kept.
///
/// The kubelet's Go matches field names in any case (`encoding/json`), and knows only `auths` and
/// `HttpHeaders` (`pkg/credentialprovider/config.go`).
#[derive(Default)]
struct Found {
    logins: BTreeMap<String, FoundLogin>,
    /// The file says that logins are kept outside of it.
    names_a_store: bool,
}

/// The reason why the kubelet can't use a login.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lack {
    /// The kubelet refuses the whole file.
    NotBase64,
    /// The kubelet refuses the whole file.
    NoColon,
    IdentityToken,
    NoPassword,
    NoUser,
    Nothing,
}

impl Lack {
    fn in_words(self) -> &'static str {
        match self {
            Self::NotBase64 => "its auth is not base64",
            Self::NoColon => "its auth has no ':' between user and password",
            Self::IdentityToken => {
                "it has an identity token but no password, and the kubelet does not read identity tokens"
            }
            Self::NoPassword => "it has a user but no password",
            Self::NoUser => "it has a password but no user",
            Self::Nothing => "it holds no login",
        }
    }

    fn spoils_the_file(self) -> bool {
        matches!(self, Self::NotBase64 | Self::NoColon)
    }
}

/// A login, judged while its texts are in memory.
struct FoundLogin {
    judged: Result<(), Lack>,
    /// None if it is, or may be, what one logs in with.
    user: Option<String>,
    /// Its user or its password has invisible characters.
    has_unseen: bool,
}

impl<'de> Deserialize<'de> for FoundLogin {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields;
        impl<'de> Visitor<'de> for Fields {
            type Value = FoundLogin;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a login")
            }

            fn visit_unit<E>(self) -> Result<FoundLogin, E> {
                Ok(FoundLogin { judged: Err(Lack::Nothing), user: None, has_unseen: false })
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<FoundLogin, A::Error> {
                let (mut user, mut password, mut auth) = <(FieldText, FieldText, FieldText)>::default();
                let mut tokens = Vec::new();
                while let Some(field) = map.next_key::<String>()? {
                    match field.to_lowercase().as_str() {
                        "username" => user = map.next_value::<FieldText>()?,
                        "password" => password = map.next_value::<FieldText>()?,
                        "email" => drop(map.next_value::<FieldText>()?),
                        "auth" => auth = map.next_value::<FieldText>()?,
                        "identitytoken" | "registrytoken" => {
                            tokens.push(map.next_value::<serde_json::Value>()?);
                        }
                        _ => {
                            map.next_value::<IgnoredAny>()?;
                        }
                    }
                }
                tokens.retain(|token| token.as_str() != Some(""));
                Ok(judge_login(&user, &password, &auth, &tokens))
            }
        }
        deserializer.deserialize_any(Fields)
    }
}

/// Judges a login as the kubelet reads it: `auth` takes precedence over user and password.
fn judge_login(user: &str, password: &str, auth: &str, tokens: &[serde_json::Value]) -> FoundLogin {
    let spoilt = |lack| FoundLogin { judged: Err(lack), user: None, has_unseen: false };
    let pair;
    let (user, password) = if auth.is_empty() {
        (user.as_bytes(), password.as_bytes())
    } else {
        let Some(decoded) = go_base64::decoded_auth(auth) else { return spoilt(Lack::NotBase64) };
        pair = decoded;
        let Some(colon) = pair.iter().position(|byte| *byte == b':') else { return spoilt(Lack::NoColon) };
        (&pair[..colon], &pair[colon + 1..])
    };
    let judged = match (user.is_empty(), password.is_empty()) {
        (false, false) => Ok(()),
        (_, true) if !tokens.is_empty() => Err(Lack::IdentityToken),
        (true, true) => Err(Lack::Nothing),
        (false, true) => Err(Lack::NoPassword),
        (true, false) => Err(Lack::NoUser),
    };
    let has_unseen =
        [user, password].into_iter().any(|part| str::from_utf8(part).is_ok_and(unseen::has_unseen));
    let user = public_user(user, password);
    let user = user.filter(|user| !tokens.iter().any(|token| token.as_str() == Some(user)));
    FoundLogin { judged, user, has_unseen }
}

/// Returns the user if that tells nothing of what one logs in with: a token may stand in its place.
fn public_user(user: &[u8], password: &[u8]) -> Option<String> {
    let (user, password) = (user.trim_ascii(), password.trim_ascii());
    // Then the password stands for nothing, and is short: `x`, `oauth2`, `x-oauth-basic`.
    let is_token = password.is_empty()
        || user == password
        || password == b"x-oauth-basic"
        || user.len() >= LEAST_TOKEN.max(password.len() + 1);
    let user = std::str::from_utf8(user).ok().filter(|user| !is_token && !user.is_empty())?;
    let is_name = user.len() <= LONGEST_USER && user.chars().all(is_of_a_user) && !is_opaque(user);
    (is_name && !looks_like_a_token(user)).then(|| user.to_owned())
}

/// Tells whether names of users and of robots have a character: `robot$ci`, `team+ci`, `_json_key`, `jane@x.test`.
fn is_of_a_user(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '.' | '-' | '_' | '@' | '+' | '$' | '|' | '/')
}

/// Tells whether a text is long, and letters and digits alone.
fn is_opaque(text: &str) -> bool {
    text.len() >= 2 * LEAST_TOKEN
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
        && text.bytes().any(|byte| byte.is_ascii_digit())
}

impl<'de> Deserialize<'de> for Found {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields;
        impl<'de> Visitor<'de> for Fields {
            type Value = Found;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("Docker's config.json")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Found, A::Error> {
                let mut found = Found::default();
                while let Some(field) = map.next_key::<String>()? {
                    match field.to_lowercase().as_str() {
                        "auths" => {
                            let logins = map.next_value::<Option<BTreeMap<String, FoundLogin>>>()?;
                            found.logins = logins.unwrap_or_default();
                        }
                        "httpheaders" => drop(map.next_value::<Option<BTreeMap<String, FieldText>>>()?),
                        "credsstore" | "credhelpers" => {
                            map.next_value::<IgnoredAny>()?;
                            found.names_a_store = true;
                        }
                        _ => {
                            map.next_value::<IgnoredAny>()?;
                        }
                    }
                }
                Ok(found)
            }
        }
        deserializer.deserialize_map(Fields)
    }
}

/// The usefulness of a file with credentials.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// At least one login can be used. The listed ones, by position, can't.
    Useful(Vec<(usize, Lack)>),
    /// It holds no registry, and does not say that the credentials are elsewhere.
    Empty,
    /// Docker keeps the credentials outside of the file, where no kubelet can read them.
    KeptElsewhere,
    /// No login can be used; this is the fault of the first.
    Useless(Lack),
    /// This login makes the kubelet ignore the whole file.
    Spoilt(usize, Lack),
    /// Not a JSON object of this form; the mistake is in this line.
    Malformed { line: usize },
}

/// Reads the logins of a file. An error is the line of the mistake.
fn found(file: &[u8], form: Form) -> Result<Found, usize> {
    // serde would accept an array for a struct.
    if file.trim_ascii_start().first() != Some(&b'{') {
        return Err(1);
    }
    let found = match form {
        Form::Config => serde_json::from_slice(file),
        Form::Old => serde_json::from_slice(file).map(|logins| Found { logins, names_a_store: false }),
    };
    // The error's text may quote the file.
    found.map_err(|error| error.line())
}

/// Returns the positions of the logins with invisible characters in registry, user or password.
fn logins_with_unseen(file: &[u8], form: Form) -> Vec<usize> {
    let logins = found(file, form).map(|found| found.logins).unwrap_or_default();
    let unseen =
        (1..).zip(logins).filter(|(_, (server, login))| login.has_unseen || unseen::has_unseen(server));
    unseen.map(|(place, _)| place).collect()
}

/// Returns the registries of a file, each with its user as far as that is public; none if it is no such file.
pub(super) fn users(file: &[u8], form: Form) -> Option<Vec<(String, Option<String>)>> {
    let found = found(file, form).ok()?;
    Some(found.logins.into_iter().map(|(registry, login)| (registry, login.user)).collect())
}

pub(super) fn judge(file: &[u8], form: Form) -> Verdict {
    let found = match found(file, form) {
        Ok(found) => found,
        Err(line) => return Verdict::Malformed { line },
    };
    let lacks = (1..).zip(found.logins.values());
    let lacks = lacks.filter_map(|(place, login)| Some((place, login.judged.err()?)));
    let lacks: Vec<(usize, Lack)> = lacks.collect();
    if let Some((place, lack)) = lacks.iter().find(|(_, lack)| lack.spoils_the_file()) {
        return Verdict::Spoilt(*place, *lack);
    }
    match lacks.first() {
        _ if lacks.len() < found.logins.len() => Verdict::Useful(lacks),
        Some((_, lack)) if !found.names_a_store || *lack == Lack::IdentityToken => Verdict::Useless(*lack),
        None if !found.names_a_store => Verdict::Empty,
        _ => Verdict::KeptElsewhere,
    }
}

/// Judges the logins of a secret, from wherever they come. Returns warnings, a line each.
///
/// # Errors
/// The kubelet can use none of them.
pub(super) fn check_value(form: Form, file: &SecretValue) -> Result<Vec<String>> {
    let key = if form == Form::Config { KEY } else { OLD_KEY };
    let mut warnings = Vec::new();
    check(key, form, file.expose(), &mut warnings)?;
    Ok(warnings)
}

/// Says why no image can be pulled with a file; none if one can.
pub(super) fn fault(form: Form, file: &SecretValue) -> Option<String> {
    if matches!(judge(file.expose(), form), Verdict::Useful(_)) {
        return None;
    }
    match check_value(form, file) {
        Ok(warnings) => warnings.into_iter().next(),
        Err(error) => Some(error.for_a_note().to_owned()),
    }
}

/// Refuses a file of which the kubelet can use nothing; warns of single unusable logins.
fn check(shown: &str, form: Form, file: &[u8], warnings: &mut Vec<String>) -> Result<()> {
    let of = form.of();
    let refusal = |what: &str| Error::usage(format!("{shown} {what}"));
    let login =
        "give the login itself: --docker-server SERVER --docker-username USER --docker-password-stdin";
    warnings.extend(logins_with_unseen(file, form).into_iter().map(|place| {
        format!("{shown}: the {} entry of {of} has invisible characters in it or at an end", ordinal(place))
    }));
    match judge(file, form) {
        Verdict::Useful(lacks) => {
            warnings.extend(lacks.into_iter().map(|(place, lack)| {
                format!("{shown}: the {} entry of {of} can't be used to pull images: {}", ordinal(place), lack.in_words())
            }));
            Ok(())
        }
        Verdict::Empty => {
            warnings.push(format!("{shown} names no registry: no image can be pulled with it"));
            Ok(())
        }
        Verdict::KeptElsewhere => {
            Err(refusal("holds no credential: Docker keeps them in a store of its own").hint(login))
        }
        Verdict::Useless(lack) => {
            let error = refusal(&format!("can't be used to pull images: {}", lack.in_words()));
            Err(match lack {
                Lack::IdentityToken => error.hint(login).hint(
                    "for an Azure registry, az acr login --expose-token prints such a password; it expires after three hours",
                ),
                _ => error.hint(login),
            })
        }
        Verdict::Spoilt(place, lack) => Err(refusal(&format!(
            "can't be used to pull images: in the {} entry of {of} {}, and then the kubelet ignores the whole file",
            ordinal(place),
            lack.in_words()
        ))
        .hint("auth is base64 of USER:PASSWORD; docker login writes it")),
        Verdict::Malformed { .. } if file.trim_ascii().is_empty() => Err(refusal("is empty").hint(login)),
        Verdict::Malformed { line } => {
            Err(Error::usage(format!("{shown}, line {line}: not a JSON object like Docker's config.json")))
        }
    }
}

/// Returns the contents of a secret for logins, each to another registry.
///
/// # Errors
/// A password is not UTF-8, or the file is too large.
pub(crate) fn contents_of_logins(logins: &[Login<'_>]) -> Result<Contents> {
    let mut contents = Contents::default();
    for login in logins {
        contents.warnings.extend(server_warning(login.server));
        if login.username.contains(':') {
            contents.warnings.push(
                "the user name contains a ':', which ends the name when the login is read: the rest becomes part of the \
                 password"
                    .to_owned(),
            );
        }
    }
    contents.add(KEY.to_owned(), config(logins)?)?;
    contents.check_size()?;
    Ok(contents)
}

/// Returns the contents of a secret for a file that Docker, Podman or another program wrote.
///
/// # Errors
/// There is not exactly one file, it can't be read, or the kubelet could not use it.
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
    let value = from.read_text(SIZE_LIMIT, input)?;
    unseen::refuse_mark(&shown, value.expose(), "the kubelet")?;
    let mut contents = Contents::default();
    check(&shown.to_string(), Form::Config, value.expose(), &mut contents.warnings)?;
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
        String::from_utf8(config(&[login]).ok().unwrap().expose().to_vec()).unwrap()
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
    fn a_login_that_the_kubelet_can_use_is_told_from_those_that_it_can_not() {
        let useful = || Verdict::Useful(Vec::new());
        for (file, verdict) in [
            (r#"{"auths":{"r":{"auth":"dTpw"}}}"#, useful()),
            (r#"{"auths":{"r":{"auth":"dTpwdw"}}}"#, useful()),
            (r#"{"auths":{"r":{"auth":"dTp\nwdw=="}}}"#, useful()),
            (r#"{"Auths":{"r:5000/x":{"Auth":"dTpw","email":null}},"HttpHeaders":{"a":"b"}}"#, useful()),
            (r#"{"auths":{"r":{"username":"u","password":"p"}},"credsStore":"x"}"#, useful()),
            (
                r#"{"auths":{"a":{"auth":"dTpw"},"b":{"auth":"dTo=","identitytoken":"t"},"c":{}}}"#,
                Verdict::Useful(vec![(2, Lack::IdentityToken), (3, Lack::Nothing)]),
            ),
            (r#"{"auths":{}}"#, Verdict::Empty),
            ("{}", Verdict::Empty),
            (r#"{"auths":{"r":{}},"credsStore":"desktop"}"#, Verdict::KeptElsewhere),
            (r#"{"credHelpers":{"gcr.io":"gcloud"}}"#, Verdict::KeptElsewhere),
            (r#"{"auths":{"r":{"auth":"dTo=","identitytoken":"t"}}}"#, Verdict::Useless(Lack::IdentityToken)),
            (
                r#"{"auths":{"r":{"identitytoken":"t"}},"credsStore":""}"#,
                Verdict::Useless(Lack::IdentityToken),
            ),
            (
                r#"{"auths":{"r":{"auth":"dTo=","username":"u","password":"p"}}}"#,
                Verdict::Useless(Lack::NoPassword),
            ),
            (r#"{"auths":{"r":{"username":"u"}}}"#, Verdict::Useless(Lack::NoPassword)),
            (r#"{"auths":{"r":{"password":"p"}}}"#, Verdict::Useless(Lack::NoUser)),
            (r#"{"auths":{"r":{"auth":""}}}"#, Verdict::Useless(Lack::Nothing)),
            (r#"{"auths":{"r":null}}"#, Verdict::Useless(Lack::Nothing)),
            (r#"{"auths":{"a":{"auth":"dTpw"},"b":{"auth":"u:p"}}}"#, Verdict::Spoilt(2, Lack::NotBase64)),
            (r#"{"auths":{"b":{"auth":"dXA="}}}"#, Verdict::Spoilt(1, Lack::NoColon)),
            ("[]", Verdict::Malformed { line: 1 }),
            ("{\n\"auths\": 1}", Verdict::Malformed { line: 2 }),
            (r#"{"auths":{"a":{"auth":"dTpw","username":1}}}"#, Verdict::Malformed { line: 1 }),
            ("", Verdict::Malformed { line: 1 }),
        ] {
            assert_eq!(judge(file.as_bytes(), Form::Config), verdict, "{file}");
        }
    }

    #[test]
    fn the_older_form_is_a_map_of_logins_and_nothing_more() {
        for (file, verdict) in [
            (r#"{"r":{"auth":"dTpw"}}"#, Verdict::Useful(Vec::new())),
            (r#"{"r":{"username":"u","password":"p"},"s":{}}"#, Verdict::Useful(vec![(2, Lack::Nothing)])),
            (r#"{"r":{"auth":"!!!"}}"#, Verdict::Spoilt(1, Lack::NotBase64)),
            (r#"{"auths":{"r":{"auth":"dTpw"}}}"#, Verdict::Useless(Lack::Nothing)),
            ("{}", Verdict::Empty),
            (r#"{"r":1}"#, Verdict::Malformed { line: 1 }),
        ] {
            assert_eq!(judge(file.as_bytes(), Form::Old), verdict, "{file}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_judged_useful(password in any::<String>(), username in "[^:]{1,9}") {
            prop_assume!(!password.is_empty());
            prop_assert_eq!(judge(written("r", &username, &password, "").as_bytes(), Form::Config), Verdict::Useful(Vec::new()));
        }

        #[test]
        fn any_file_is_judged_without_a_panic(file in any::<Vec<u8>>()) {
            let _ = (judge(&file, Form::Config), judge(&file, Form::Old));
        }
    }
}
