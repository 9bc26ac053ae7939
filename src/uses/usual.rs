//! The usual use of a secret that says what it holds: by the login that it was made of, by its type, or by the
//! credential that it is in Run:ai.

use std::collections::BTreeMap;

use crate::cluster::{Cluster, SecretHead};
use crate::command_line::CommandLine;
use crate::error::{Error, Result};
use crate::logins::{self, OPENSSH, Usual};
use crate::secret::{self, CREDENTIAL_LABEL, Credential, DOCKER_CONFIG, SSH, SecretManifest};
use crate::session::Session;
use crate::uses;
use crate::uses::references::Heads;
use crate::workload::{Attachment, Mode};

/// The permissions that OpenSSH asks of a private key.
const PRIVATE: &str = "0400";

/// The variables that AWS's libraries read, by the keys of a credential of Run:ai.
const ACCESS_KEY: [(&str, &str); 2] =
    [("AWS_ACCESS_KEY_ID", "AccessKeyId"), ("AWS_SECRET_ACCESS_KEY", "SecretKey")];

/// What is to be seen of a secret from outside.
pub(crate) struct Said<'a> {
    name: &'a str,
    labels: &'a BTreeMap<String, String>,
    secret_type: &'a str,
    keys: Vec<&'a str>,
}

impl<'a> Said<'a> {
    /// Takes it from a secret that was read.
    pub(crate) fn by(name: &'a str, head: &'a SecretHead) -> Self {
        Self {
            name,
            labels: &head.metadata.labels,
            secret_type: &head.secret_type,
            keys: head.keys().collect(),
        }
    }

    /// Takes it from a secret that is to be created.
    pub(crate) fn by_manifest(secret: &'a SecretManifest) -> Self {
        let keys = secret.data.keys().map(String::as_str).collect();
        Self { name: &secret.name, labels: &secret.labels, secret_type: &secret.secret_type, keys }
    }

    fn has_key(&self, key: &str) -> bool {
        self.keys.contains(&key)
    }
}

/// Returns how a workload usually gets a secret of a namespace, and the secret as it was read; none if it does not
/// say what it holds, or can't be read, of which there is a warning.
///
/// # Errors
/// There is no such secret, or it has none of the keys that its use needs.
pub(crate) async fn of_secret(
    name: &str,
    namespace: &str,
    cluster: &Cluster,
    session: &Session<'_>,
) -> Result<Option<(Vec<Attachment>, SecretHead)>> {
    match cluster.secret_head(namespace, name).await {
        Ok(head) => Ok(attachments(&Said::by(name, &head))?.map(|usual| (usual, head))),
        // Whoever names a key hears where else there is such a secret.
        Err(failure) if failure.is_not_found() || failure.is_forbidden() => {
            let any = Attachment::env_all(name, "")?;
            uses::references::check(&[any], Heads::new(), namespace, cluster, session).await.map(|_| None)
        }
        Err(failure) => Err(failure.into()),
    }
}

/// Returns each key as a variable, named as `attach --env` does.
///
/// # Errors
/// The secret's name is illegal.
pub(crate) fn variables(secret: &Said<'_>) -> Result<Vec<Attachment>> {
    secret.keys.iter().map(|key| Attachment::env(secret.name, key)).collect()
}

/// Returns how a workload usually gets the secret; none if it does not say what it holds.
///
/// # Errors
/// The secret has none of the keys that its use needs.
pub(crate) fn attachments(secret: &Said<'_>) -> Result<Option<Vec<Attachment>>> {
    let name = secret.name;
    let Some(usual) = usual(secret) else { return Ok(None) };
    let made = match usual {
        Known::AccessKey => {
            of_keys(secret, &ACCESS_KEY, |variable, key| Attachment::env_from_key(variable, name, key))?
        }
        Known::As(Usual::Variables) => {
            let keys: Vec<(&str, &str)> =
                secret.keys.iter().filter(|key| secret::is_env_name(key)).map(|key| (*key, *key)).collect();
            of_keys(secret, &keys, |variable, key| Attachment::env_from_key(variable, name, key))?
        }
        Known::As(Usual::File { folder, key, variable }) if secret.has_key(key) => {
            let files = Attachment::files(name, &format!("{folder}:{key}"), None)?;
            let path = Attachment::path_of(variable, &files)?;
            vec![files, path]
        }
        Known::As(Usual::Private { folder, files }) => {
            let items = files.iter().filter(|(key, _)| secret.has_key(key));
            let items: Vec<String> = items.map(|(key, file)| format!("{key}={file}")).collect();
            let mount = format!("{folder}:{}", items.join(","));
            if items.is_empty() {
                Vec::new()
            } else {
                vec![Attachment::files(name, &mount, Some(Mode::parse(PRIVATE)?))?]
            }
        }
        Known::As(Usual::ImagePull) => vec![Attachment::image_pull(name)?],
        Known::As(Usual::File { .. }) => Vec::new(),
    };
    if made.is_empty() {
        return Err(Error::failed(format!("secret {name} has none of the keys that its usual use needs"))
            .hint("say how the workload uses it: --env KEY, --env-all or --mount PATH"));
    }
    Ok(Some(made))
}

/// Returns the command that attaches the secret to a workload, whose name is still to be filled in.
pub(crate) fn command(secret: &Said<'_>) -> CommandLine {
    let attach = CommandLine::plugin("attach").arg(secret.name).then("KIND/NAME");
    // No shell has such a variable; a key with a dot is a file's name.
    let is_variable = |key: &&str| secret::is_env_name(key) && !key.contains(['.', '-']);
    match secret.keys.as_slice() {
        _ if usual(secret).is_some() => attach,
        [key] if is_variable(key) => attach.then("--env").arg(key),
        keys if !keys.is_empty() && keys.iter().all(is_variable) => attach.then("--env-all"),
        _ => attach.then("--mount").arg(format!("/etc/{}", secret.name)),
    }
}

/// What a secret says that it holds.
enum Known {
    As(&'static Usual),
    /// A credential of Run:ai for S3 and the like.
    AccessKey,
}

fn usual(secret: &Said<'_>) -> Option<Known> {
    let label = |key: &str| secret.labels.get(key).map(String::as_str);
    if let Some(service) = label(secret::LOGIN_LABEL).and_then(logins::named) {
        return Some(Known::As(&service.usual));
    }
    match secret.secret_type {
        DOCKER_CONFIG => Some(Known::As(&Usual::ImagePull)),
        SSH => Some(Known::As(&OPENSSH)),
        _ if label(CREDENTIAL_LABEL) == Some(Credential::AccessKey.label_value()) => Some(Known::AccessKey),
        _ => None,
    }
}

fn of_keys(
    secret: &Said<'_>,
    variables: &[(&str, &str)],
    attachment: impl Fn(&str, &str) -> Result<Attachment>,
) -> Result<Vec<Attachment>> {
    let there = variables.iter().filter(|(_, key)| secret.has_key(key));
    there.map(|(variable, key)| attachment(variable, key)).collect()
}
