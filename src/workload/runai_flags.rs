//! Flags of the newer `runai` CLI that are equivalent to an attachment.
//!
//! It has two: `--env-secret` for one key as a variable, and `--secret-volume` for all keys as files.

use std::collections::BTreeMap;

use super::attachment::{Attachment, Need};
use crate::error::{Error, Result};
use crate::secret::is_env_name;

/// Returns the words of a command line, unquoted. `keys` holds the keys of the secrets that are used as a
/// whole.
///
/// # Errors
/// The CLI has no flag for an attachment, which the error names.
pub(crate) fn runai_flags(
    attachments: &[Attachment],
    keys: &BTreeMap<String, Vec<String>>,
) -> Result<Vec<String>> {
    let mut words = Vec::new();
    for attachment in attachments {
        words.extend(flags(attachment, keys).map_err(|why| {
            Error::failed(format!("the runai CLI has no flag for this: {attachment}")).hint(why)
        })?);
    }
    Ok(words)
}

fn flags(attachment: &Attachment, keys: &BTreeMap<String, Vec<String>>) -> Result<Vec<String>, &'static str> {
    let variable = |variable: &str, secret: &str, key: &str| {
        ["--env-secret".to_owned(), format!("{variable}={secret},key={key}")]
    };
    match attachment {
        Attachment::Env { need: Need::Optional, .. }
        | Attachment::EnvAll { need: Need::Optional, .. }
        | Attachment::Files { need: Need::Optional, .. } => {
            Err("it has no optional secrets: leave out --optional")
        }
        Attachment::Env { variable: name, secret, key, .. } => Ok(variable(name, secret, key).into()),
        Attachment::EnvAll { secret, prefix, .. } => {
            let keys =
                keys.get(secret).ok_or("it takes one flag for each key, and the keys are not known")?;
            let variables = keys.iter().map(|key| (format!("{prefix}{key}"), key));
            let legal = variables.filter(|(name, _)| is_env_name(name));
            Ok(legal.flat_map(|(name, key)| variable(&name, secret, key)).collect())
        }
        Attachment::Files { mode: Some(_), .. } => {
            Err("it does not set the permissions of files: leave out --mode")
        }
        Attachment::Files { secret, path, items, .. } if items.is_empty() => {
            Ok(vec!["--secret-volume".to_owned(), format!("path={path},name={secret}")])
        }
        Attachment::Files { .. } => Err("it mounts all keys of a secret: leave out :KEY"),
        Attachment::PathOf { variable, path, .. } => {
            Ok(vec!["--environment-variable".to_owned(), format!("{variable}={path}")])
        }
        Attachment::ImagePull { .. } => Err(
            "Run:ai pulls images with the registry logins of the project: create docker-registry --credential makes one",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_cli_can_say_is_said_in_its_flags() {
        let attachments = [
            Attachment::env("hf", "HF=token").unwrap(),
            Attachment::files("ssh", "/etc/ssh", None).unwrap(),
            Attachment::env_all("s3", "S3_").unwrap(),
        ];
        let keys = BTreeMap::from([("s3".to_owned(), vec!["id".to_owned(), "a b".to_owned()])]);
        assert_eq!(
            runai_flags(&attachments, &keys).unwrap(),
            [
                "--env-secret",
                "HF=hf,key=token",
                "--secret-volume",
                "path=/etc/ssh,name=ssh",
                "--env-secret",
                "S3_id=s3,key=id"
            ]
        );
    }

    #[test]
    fn what_it_cannot_say_is_refused_by_name() {
        for (attachment, part) in [
            (Attachment::env("s", "K").unwrap().optional(), "--optional"),
            (Attachment::env_all("s", "").unwrap(), "the keys are not known"),
            (Attachment::files("s", "/p:k", None).unwrap(), "leave out :KEY"),
            (Attachment::image_pull("s").unwrap(), "registry logins"),
        ] {
            let refusal = runai_flags(&[attachment], &BTreeMap::new()).unwrap_err().to_string();
            assert!(refusal.starts_with("error: the runai CLI has no flag for this: "), "{refusal}");
            assert!(refusal.contains(part), "{refusal}");
        }
    }
}
