//! The profiles of the AWS command line and of boto3.

use std::path::PathBuf;

use jiff::Timestamp;

use super::found::{Found, default_first};
use super::ini::{section, sections};
use super::machine::{Machine, Text, absent, read as read_file, value};
use crate::command_line::CommandLine;
use crate::error::{Error, Result};
use crate::wording::{list, nearest};

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

    /// Returns a setting of a profile, and the file that has it. The file of credentials comes first.
    fn setting(&self, profile: &str, name: &str) -> Option<(&str, &Text)> {
        let credentials = self
            .credentials
            .as_ref()
            .and_then(|file| Some((section(file.text(), profile)?.get(name)?, file)));
        credentials.or_else(|| {
            let file = self.config.as_ref()?;
            let in_config =
                section(file.text(), &header(profile)).or_else(|| section(file.text(), profile))?;
            Some((in_config.get(name)?, file))
        })
    }

    /// Returns the names of all profiles, `default` first.
    fn profiles(&self) -> Vec<String> {
        let of = |file: &Option<Text>| -> Vec<String> {
            let names = file.as_ref().map(|file| sections(file.text())).unwrap_or_default();
            let names = names
                .into_iter()
                .filter(|name| !name.starts_with("sso-session ") && !name.starts_with("services "));
            names.map(|name| name.strip_prefix("profile ").unwrap_or(name).trim().to_owned()).collect()
        };
        let mut names = of(&self.credentials);
        names.extend(of(&self.config));
        names.sort_by_key(|name| name != "default");
        let mut seen = std::collections::HashSet::new();
        names.retain(|name| seen.insert(name.clone()));
        names
    }
}

/// Returns the name of a profile's section in the file of settings.
fn header(profile: &str) -> String {
    if profile == "default" { profile.to_owned() } else { format!("profile {profile}") }
}

fn usual(machine: &Machine<'_>) -> String {
    machine.word_in("AWS_PROFILE").unwrap_or_else(|| "default".to_owned())
}

/// Lists the profiles that have keys in a file.
pub(super) fn profiles(machine: &Machine<'_>) -> Vec<String> {
    let Ok(files) = Files::read(machine) else { return Vec::new() };
    let has_key = |profile: &String| files.setting(profile, KEY).is_some();
    let usual = usual(machine);
    default_first(files.profiles().into_iter().filter(has_key).collect(), |name| name == usual)
}

/// Reads the keys, the region and the endpoint of a profile.
pub(super) fn read(machine: &Machine<'_>, profile: Option<&str>) -> Result<Found> {
    let files = Files::read(machine)?;
    if files.credentials.is_none() && files.config.is_none() {
        return Err(absent(&files.paths));
    }
    let profile = profile.map_or_else(|| usual(machine), ToOwned::to_owned);
    let (Some((id, file)), Some((key, _))) = (files.setting(&profile, ID), files.setting(&profile, KEY))
    else {
        return Err(without_keys(&files, &profile));
    };
    let mut keys = vec![("AWS_ACCESS_KEY_ID", value(id)), ("AWS_SECRET_ACCESS_KEY", value(key))];
    let more = [
        ("AWS_SESSION_TOKEN", TOKEN),
        ("AWS_DEFAULT_REGION", "region"),
        ("AWS_ENDPOINT_URL", "endpoint_url"),
    ];
    for (variable, setting) in more {
        keys.extend(files.setting(&profile, setting).map(|(text, _)| (variable, value(text))));
    }
    let is_temporary = files.setting(&profile, TOKEN).is_some();
    let doubt = (!looks_like_an_id(id)).then(|| {
        "the access key's ID does not look like one of AWS: it has 20 capital letters and digits".to_owned()
    });
    let place = format!("{}, profile {}", file.shown(), crate::printable::printable(&profile));
    let found =
        Found::new(&place, keys)?.warned(doubt.filter(|_| files.setting(&profile, "endpoint_url").is_none()));
    Ok(found.warned(is_temporary.then(|| temporary(&files, &profile))))
}

/// Other stores that speak S3 have keys of other forms.
fn looks_like_an_id(id: &str) -> bool {
    id.len() >= 16 && id.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
}

/// Warns that the keys of a profile end soon.
fn temporary(files: &Files, profile: &str) -> String {
    let end = ENDS.iter().find_map(|name| files.setting(profile, name)?.0.parse::<Timestamp>().ok());
    let when = match end {
        Some(end) if end < Timestamp::now() => format!("and ended at {end}"),
        Some(end) => format!("and end at {end}"),
        None => "and end within hours".to_owned(),
    };
    format!("the keys of this profile are temporary {when}: a job that starts later can't use them")
}

fn without_keys(files: &Files, profile: &str) -> Error {
    let shown = crate::printable::printable(profile).into_owned();
    let profiles = files.profiles();
    if !profiles.iter().any(|name| name == profile) {
        let error =
            Error::failed(format!("there is no profile {shown:?} in the files of the AWS command line"));
        return match nearest(profile, profiles.iter().map(String::as_str)) {
            Some(near) => error.hint(format!("did you mean --from-login aws={near}?")),
            None => error.hint(format!("its profiles: {}", list(&profiles))),
        };
    }
    if FETCHED.iter().any(|name| files.setting(profile, name).is_some()) {
        let export = format!(
            "aws configure export-credentials --profile {} --format env-no-export | {}",
            crate::command_line::quoted(profile),
            CommandLine::plugin("create").then("aws --from-dotenv -")
        );
        return Error::failed(format!(
            "profile {shown:?} has no keys in a file: they are fetched for some hours"
        ))
        .hint(format!("to store them as they are now: {export}"));
    }
    Error::failed(format!("profile {shown:?} has no keys"))
}
