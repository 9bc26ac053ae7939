//! The profiles of the AWS command line and of boto3.

use std::collections::HashSet;
use std::path::PathBuf;

use super::found::{Found, default_first, temporary};
use super::ini::{Section, section, sections, sections_with};
use super::machine::{Machine, Text, absent, read as read_file, value};
use crate::command_line::{CommandLine, quoted};
use crate::error::{Error, Result};
use crate::moment::Moment;
use crate::printable::printable;
use crate::wording::{few, nearest};

const ID: &str = "aws_access_key_id";
const KEY: &str = "aws_secret_access_key";
const TOKEN: &str = "aws_session_token";

/// The settings by which tools note when temporary keys end; no standard has one. saml2aws, aws-mfa, gimme-aws-creds and
/// aws-vault write these.
const ENDS: [&str; 4] =
    ["x_security_token_expires", "expiration", "aws_expiration", "aws_session_expiration"];

/// The settings of a profile whose keys are fetched when they are needed.
const FETCHED: [&str; 5] =
    ["sso_session", "sso_start_url", "role_arn", "credential_process", "login_session"];

/// The two files, of which either may be absent.
struct Files {
    credentials: Option<Text>,
    config: Option<Text>,
    paths: [PathBuf; 2],
}

impl Files {
    fn read(machine: &Machine<'_>) -> Result<Self> {
        let path = |variable, usual| machine.path_in(variable).unwrap_or_else(|| machine.home(usual));
        let credentials = path("AWS_SHARED_CREDENTIALS_FILE", ".aws/credentials");
        let config = path("AWS_CONFIG_FILE", ".aws/config");
        Ok(Self {
            credentials: read_file(&credentials)?,
            config: read_file(&config)?,
            paths: [credentials, config],
        })
    }

    /// Returns the first section of a profile that has a setting, and its file. The file of credentials comes
    /// first.
    fn section_with(&self, profile: &str, name: &str) -> Option<(Section<'_>, &Text)> {
        let has_it = |section: &Section<'_>| section.get(name).is_some();
        let in_credentials =
            self.credentials.as_ref().and_then(|file| Some((section(file.text(), profile)?, file)));
        let in_config = || {
            let file = self.config.as_ref()?;
            let found = headers(profile).into_iter().find_map(|header| section(file.text(), &header));
            Some((found?, file))
        };
        in_credentials
            .filter(|(found, _)| has_it(found))
            .or_else(|| in_config().filter(|(found, _)| has_it(found)))
    }

    fn setting(&self, profile: &str, name: &str) -> Option<&str> {
        self.section_with(profile, name)?.0.get(name)
    }

    /// Returns the names of all profiles, `default` first.
    fn profiles(&self) -> Vec<String> {
        let of = |file: &Option<Text>| -> Vec<String> {
            let names = file.as_ref().map(|file| sections(file.text())).unwrap_or_default();
            let names = names
                .into_iter()
                .filter(|name| !name.starts_with("sso-session ") && !name.starts_with("services "));
            names.map(profile_of).collect()
        };
        let mut names = of(&self.credentials);
        names.extend(of(&self.config));
        names.sort_by_key(|name| name != "default");
        let mut seen = HashSet::new();
        names.retain(|name| seen.insert(name.clone()));
        names
    }
}

/// Returns the names that a profile's section may have in the file of settings. The command line of AWS quotes
/// names with blanks.
fn headers(profile: &str) -> Vec<String> {
    let quoted = ["", "'", "\""].map(|mark| format!("profile {mark}{profile}{mark}"));
    std::iter::once(profile.to_owned()).filter(|_| profile == "default").chain(quoted).collect()
}

/// Returns the profile of a section's name.
fn profile_of(header: &str) -> String {
    let name = header.strip_prefix("profile ").unwrap_or(header).trim();
    name.trim_matches(['\'', '"']).to_owned()
}

/// Returns the profile that AWS's programs take by default (botocore's `configprovider.py`).
fn usual(machine: &Machine<'_>) -> String {
    let named = ["AWS_DEFAULT_PROFILE", "AWS_PROFILE"].iter().find_map(|variable| machine.word_in(variable));
    named.unwrap_or_else(|| "default".to_owned())
}

/// Lists the profiles that have keys in a file.
pub(super) fn profiles(machine: &Machine<'_>) -> Vec<String> {
    let Ok(files) = Files::read(machine) else { return Vec::new() };
    let texts = [&files.credentials, &files.config];
    let with_key =
        texts.into_iter().flatten().flat_map(|file| sections_with(file.text(), KEY)).map(profile_of);
    let mut seen = HashSet::new();
    let usual = usual(machine);
    default_first(with_key.filter(|name| seen.insert(name.clone())).collect(), |name| name == usual)
}

/// Reads the keys, the region and the endpoint of a profile.
pub(super) fn read(machine: &Machine<'_>, profile: Option<&str>) -> Result<Found> {
    let files = Files::read(machine)?;
    if files.credentials.is_none() && files.config.is_none() {
        return Err(absent(&files.paths));
    }
    let profile = profile.map_or_else(|| usual(machine), ToOwned::to_owned);
    // A profile with a role takes that before its own keys.
    let role = files.setting(&profile, "role_arn");
    // All of a login is in one file: the other may have parts of an older one.
    let Some((login, file)) = files.section_with(&profile, ID).filter(|_| role.is_none()) else {
        return Err(without_keys(&files, &profile));
    };
    let (Some(id), Some(key)) = (login.get(ID), login.get(KEY)) else {
        return Err(without_keys(&files, &profile));
    };
    let mut keys = vec![("AWS_ACCESS_KEY_ID", value(id)), ("AWS_SECRET_ACCESS_KEY", value(key))];
    keys.extend(login.get(TOKEN).map(|token| ("AWS_SESSION_TOKEN", value(token))));
    for (variable, setting) in [("AWS_DEFAULT_REGION", "region"), ("AWS_ENDPOINT_URL", "endpoint_url")] {
        keys.extend(files.setting(&profile, setting).map(|text| (variable, value(text))));
    }
    let is_temporary = login.get(TOKEN).is_some();
    let doubt = (!looks_like_an_id(id)).then(|| {
        "the access key's ID does not look like one of AWS, which has 20 capital letters and digits"
            .to_owned()
    });
    let services = files.setting(&profile, "services").map(|_| {
        "the profile has endpoints of single services, which are not taken: set AWS_ENDPOINT_URL_S3 and its like".to_owned()
    });
    let place = format!("{}, profile {}", file.shown(), printable(&profile));
    let found = Found::new(&place, keys)?
        .doubted(doubt.filter(|_| files.setting(&profile, "endpoint_url").is_none()));
    let end = is_temporary.then(|| end(&files, &profile)).flatten();
    Ok(found
        .ending(&["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"], end)
        .warned(is_temporary.then(|| temporary("the keys of this profile are", end)))
        .warned(services))
}

/// Other stores that speak S3 have keys of other forms.
fn looks_like_an_id(id: &str) -> bool {
    id.len() >= 16 && id.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
}

/// Returns when the keys of a profile end, if that is noted.
fn end(files: &Files, profile: &str) -> Option<Moment> {
    ENDS.iter().find_map(|name| Moment::parse(files.setting(profile, name)?))
}

fn without_keys(files: &Files, profile: &str) -> Error {
    let shown = printable(profile).into_owned();
    let profiles = files.profiles();
    if !profiles.iter().any(|name| name == profile) {
        let error =
            Error::failed(format!("there is no profile {shown:?} in the files of the AWS command line"));
        return match nearest(profile, profiles.iter().map(String::as_str)) {
            Some(near) => error
                .hint(format!("did you mean --from-login {}?", quoted(&printable(&format!("aws={near}"))))),
            None => error.hint(format!(
                "its profiles: {}",
                printable(&few(&profiles.iter().map(String::as_str).collect::<Vec<_>>()))
            )),
        };
    }
    if FETCHED.iter().any(|name| files.setting(profile, name).is_some()) {
        let export = format!(
            "aws configure export-credentials --profile {} --format env-no-export | {}",
            quoted(profile),
            CommandLine::plugin("create").then("aws --from-dotenv -")
        );
        return Error::failed(format!(
            "profile {shown:?} has no keys in a file: they are fetched for some hours"
        ))
        .hint(format!("to store them as they are now: {export}"));
    }
    Error::failed(format!("profile {shown:?} has no keys"))
}
