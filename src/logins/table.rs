//! The services that are known, a row each.

use super::service::{Service, Usual};
use super::{aws, docker, files, tokens, wandb};
use crate::error::{Error, Result};
use crate::secret::{DOCKER_CONFIG, SSH, looks_like_a_token};
use crate::wording::{list, nearest};

const GCLOUD: Usual = Usual::File {
    folder: "/etc/gcloud",
    key: "application_default_credentials.json",
    variable: "GOOGLE_APPLICATION_CREDENTIALS",
};

const NETRC: Usual = Usual::File { folder: "/etc/netrc", key: ".netrc", variable: "NETRC" };

/// Where OpenSSH looks as root, whom most images run as. It tries a key of any algorithm under each of its names.
pub(crate) const OPENSSH: Usual = Usual::Private {
    folder: "/root/.ssh",
    files: &[
        ("ssh-privatekey", "id_ed25519"),
        ("ssh-publickey", "id_ed25519.pub"),
        ("known_hosts", "known_hosts"),
    ],
};

/// All services, the most usual first.
pub(crate) const SERVICES: &[Service] = &[
    Service {
        name: "huggingface",
        title: "a Hugging Face token",
        secret: "hf",
        secret_type: "",
        usual: Usual::Variables,
        log_in: "hf auth login",
        profile: "TOKEN-NAME",
        profiles: tokens::huggingface_tokens,
        read: tokens::huggingface,
    },
    Service {
        name: "wandb",
        title: "a W&B key",
        secret: "wandb",
        secret_type: "",
        usual: Usual::Variables,
        log_in: "wandb login",
        profile: "HOST",
        profiles: wandb::hosts,
        read: wandb::read_key,
    },
    Service {
        name: "aws",
        title: "an AWS access key",
        secret: "aws",
        secret_type: "",
        usual: Usual::Variables,
        log_in: "aws configure",
        profile: "PROFILE",
        profiles: aws::profiles,
        read: aws::read,
    },
    Service {
        name: "docker",
        title: "a login to an image registry",
        secret: "registry",
        secret_type: DOCKER_CONFIG,
        usual: Usual::ImagePull,
        log_in: "docker login REGISTRY",
        profile: "REGISTRY",
        profiles: docker::registries,
        read: docker::read,
    },
    Service {
        name: "ngc",
        title: "an NGC key",
        secret: "ngc",
        secret_type: "",
        usual: Usual::Variables,
        log_in: "ngc config set",
        profile: "PROFILE",
        profiles: tokens::ngc_profiles,
        read: tokens::ngc,
    },
    Service {
        name: "gcloud",
        title: "Google's application default credentials",
        secret: "gcloud",
        secret_type: "",
        usual: GCLOUD,
        log_in: "gcloud auth application-default login",
        profile: "FILE",
        profiles: files::gcloud_files,
        read: files::gcloud,
    },
    Service {
        name: "kaggle",
        title: "a Kaggle token",
        secret: "kaggle",
        secret_type: "",
        usual: Usual::Variables,
        log_in: "Kaggle's settings page makes kaggle.json; put it into ~/.kaggle",
        profile: "FILE",
        profiles: tokens::kaggle_files,
        read: tokens::kaggle,
    },
    Service {
        name: "github",
        title: "a GitHub token",
        secret: "github",
        secret_type: "",
        usual: Usual::Variables,
        log_in: "gh auth login --insecure-storage keeps the token in a file",
        profile: "HOST",
        profiles: tokens::github_hosts,
        read: tokens::github,
    },
    Service {
        name: "ssh",
        title: "an SSH key",
        secret: "ssh",
        secret_type: SSH,
        usual: OPENSSH,
        log_in: "",
        profile: "FILE",
        profiles: files::ssh_keys,
        read: files::ssh,
    },
    Service {
        name: "netrc",
        title: "a login of .netrc",
        secret: "netrc",
        secret_type: "",
        usual: NETRC,
        log_in: "",
        profile: "HOST",
        profiles: files::netrc_hosts,
        read: files::netrc,
    },
    Service {
        name: "pypi",
        title: "a PyPI token",
        secret: "pypi",
        secret_type: "",
        usual: Usual::Variables,
        log_in: "PyPI's account page makes a token; put it into ~/.pypirc",
        profile: "SERVER",
        profiles: tokens::pypi_servers,
        read: tokens::pypi,
    },
    Service {
        name: "dotenv",
        title: "the .env file of this folder",
        secret: "settings",
        secret_type: "",
        usual: Usual::Variables,
        log_in: "",
        profile: "FILE",
        profiles: files::dotenv_files,
        read: files::dotenv,
    },
];

/// Returns the service whose name a word is.
pub(crate) fn named(word: &str) -> Option<&'static Service> {
    SERVICES.iter().find(|service| service.name == word)
}

/// Splits `SERVICE[=PROFILE]`.
///
/// # Errors
/// There is no such service, or the profile is empty.
pub(crate) fn parse(argument: &str) -> Result<(&'static Service, Option<&str>)> {
    let (name, profile) =
        argument.split_once('=').map_or((argument, None), |(name, rest)| (name, Some(rest)));
    let Some(service) = named(name) else {
        let names = || SERVICES.iter().map(|service| service.name);
        let error =
            Error::usage(format!("--from-login does not know that service; it knows {}", list(names())));
        return Err(match nearest(name, names()) {
            Some(near) => error.hint(format!("did you mean {near}?")),
            None => error,
        });
    };
    if profile == Some("") {
        return Err(Error::usage(format!("--from-login {name}= names no {}", service.profile))
            .hint("an unset variable leaves nothing after the '='"));
    }
    if profile.is_some_and(looks_like_a_token) {
        return Err(Error::usage(format!(
            "what follows --from-login {name}= looks like a value (not shown)"
        ))
        .hint(format!("it names a {}; the value is read where its program keeps it", service.profile)));
    }
    Ok((service, profile))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_service_is_in_the_table_of_the_docs() {
        let (docs, _) = include_str!("../../docs/reference/logins.md").split_once("\n## ").unwrap();
        for service in SERVICES {
            let row = format!("| `{}", service.name);
            let row = docs
                .lines()
                .find(|line| line.starts_with(&row))
                .unwrap_or_else(|| panic!("{}", service.name));
            assert!(row.contains(&format!("| `{}` |", service.secret)), "{row}");
            assert!(row.contains(service.profile) && row.contains(service.secret_type), "{row}");
        }
        assert_eq!(docs.lines().filter(|line| line.starts_with("| `")).count(), SERVICES.len());
    }
}
