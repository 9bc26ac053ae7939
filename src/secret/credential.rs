//! Run:ai's kinds of credentials: their labels and the keys that Run:ai reads.

use clap::ValueEnum;

use super::builtin_type::DOCKER_CONFIG;
use super::contents::Contents;
use super::docker_config;
use super::value::SecretValue;
use crate::error::Result;

/// The label that makes a secret selectable as a credential.
pub(crate) const CREDENTIAL_LABEL: &str = "run.ai/resource";

const USER: &str = "User";
const PASSWORD: &str = "Password";
const ACCESS_KEY_ID: &str = "AccessKeyId";
const SECRET_KEY: &str = "SecretKey";

/// A kind of credential in Run:ai.
#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Credential {
    DockerRegistry,
    AccessKey,
    Password,
    Generic,
}

impl Credential {
    /// Returns the value of the label.
    pub(crate) fn label_value(self) -> &'static str {
        match self {
            Self::DockerRegistry => "docker-registry",
            Self::AccessKey => "access-key",
            Self::Password => "password",
            Self::Generic => "generic",
        }
    }

    /// Returns the credential for a label's value.
    pub(super) fn of_label(value: &str) -> Option<Self> {
        Self::value_variants().iter().find(|one| one.label_value() == value).copied()
    }

    /// Warns if Run:ai would not find a key that it reads. `has` returns true for existing keys.
    pub(crate) fn warning(self, secret_type: &str, has: impl Fn(&str) -> bool) -> Option<String> {
        if self == Self::DockerRegistry && secret_type != DOCKER_CONFIG {
            return Some(format!("a docker-registry credential has the type {DOCKER_CONFIG}"));
        }
        let missing: Vec<_> = self.keys().iter().filter(|key| !has(key)).copied().collect();
        let missing = missing.join(" and ");
        (!missing.is_empty()).then(|| {
            format!("Run:ai needs {missing} in a {} credential, and the secret lacks it", self.label_value())
        })
    }

    fn keys(self) -> &'static [&'static str] {
        match self {
            Self::DockerRegistry => &[docker_config::KEY],
            Self::AccessKey => &[ACCESS_KEY_ID, SECRET_KEY],
            Self::Password => &[USER, PASSWORD],
            Self::Generic => &[],
        }
    }
}

/// Returns the contents of a password secret.
///
/// # Errors
/// The values are larger than a secret can hold.
pub(crate) fn password_contents(user: &str, password: SecretValue) -> Result<Contents> {
    pair([(USER, text(user)), (PASSWORD, password)])
}

/// Returns the contents of an access-key secret, for S3 and the like.
///
/// # Errors
/// The values are larger than a secret can hold.
pub(crate) fn access_key_contents(id: &str, secret_key: SecretValue) -> Result<Contents> {
    pair([(ACCESS_KEY_ID, text(id)), (SECRET_KEY, secret_key)])
}

fn text(text: &str) -> SecretValue {
    SecretValue::from_bytes(text.as_bytes().to_vec())
}

fn pair(pair: [(&str, SecretValue); 2]) -> Result<Contents> {
    let mut contents = Contents::default();
    for (key, value) in pair {
        contents.add(key.to_owned(), value)?;
    }
    contents.check_size()?;
    Ok(contents)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_credential_has_the_keys_that_run_ai_reads() {
        let value = || SecretValue::from_bytes(b"x".to_vec());
        let contents = password_contents("jane", value()).ok().unwrap();
        assert_eq!(Credential::Password.warning("", |key| contents.data.contains_key(key)), None);
        let warning = Credential::AccessKey.warning("", |key| contents.data.contains_key(key)).unwrap();
        assert!(warning.contains("AccessKeyId and SecretKey"), "{warning}");
        assert!(
            Credential::DockerRegistry
                .warning("", |key| contents.data.contains_key(key))
                .unwrap()
                .contains("dockerconfigjson")
        );
        assert_eq!(Credential::Generic.warning("", |key| contents.data.contains_key(key)), None);
        let contents = access_key_contents("id", value()).ok().unwrap();
        assert_eq!(Credential::AccessKey.warning("", |key| contents.data.contains_key(key)), None);
    }
}
