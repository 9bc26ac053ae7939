//! Defines the command line of `create`: the flags of every secret, and those of each type.

use std::ffi::OsString;

use clap::{Args, Subcommand};

use super::attaching::AttachingArgs;
use crate::flags::{self, Asked, Brings, Holds, WriteArgs, parse_end};
use crate::moment::Moment;
use crate::secret::{Credential, DOCKER_HUB};
use crate::sources::SourceArgs;

/// Create a secret from files, variables, prompts, dotenv files and more
///
/// The name of a service alone takes the login that its program keeps on this machine: huggingface makes the
/// secret hf. The services are huggingface, wandb, aws, docker, ngc, gcloud, kaggle, github, netrc, pypi and dotenv.
///
/// The grammar is that of kubectl create secret, without the word secret. A type may come before the name;
/// without one the secret is generic. Sources mix freely. No value is printed, except by -o json and -o yaml,
/// which print the whole manifest as kubectl does.
#[derive(Args)]
#[command(
    override_usage = "kubectl runai-secret create [generic] NAME [--from-file [KEY=]PATH]… [--prompt KEY]… …\n       \
                      kubectl runai-secret create SERVICE\n       \
                      kubectl runai-secret create docker-registry|tls|ssh|password|access-key NAME …",
    after_help = "Examples:\n  \
        kubectl runai-secret create huggingface -p team-a\n  \
        kubectl runai-secret create hf --prompt HF_TOKEN -p team-a\n  \
        kubectl runai-secret create hf --from-file=HF_TOKEN=- -p team-a -p team-b < token.txt\n  \
        kubectl runai-secret create settings --from-dotenv=.env --dry-run=client -o yaml"
)]
pub(crate) struct CreateArgs {
    #[command(subcommand)]
    pub(super) typed: Option<Typed>,

    #[command(flatten)]
    pub(super) generic: GenericArgs,
}

/// The types of secret with a grammar of their own.
#[derive(Subcommand)]
#[command(defer = true)]
pub(super) enum Typed {
    /// A secret of any keys and values
    Generic(Box<GenericArgs>),
    /// A login to an image registry
    DockerRegistry(Box<DockerRegistryArgs>),
    /// A certificate and its private key
    Tls(Box<TlsArgs>),
    /// A private SSH key, for Git
    Ssh(Box<SshArgs>),
    /// A user's name and password
    Password(Box<PasswordArgs>),
    /// An access key, as for S3
    AccessKey(Box<AccessKeyArgs>),
}

/// The flags of every new secret, whatever its type.
#[derive(Args)]
pub(super) struct NewSecretArgs {
    /// Name of the secret
    #[arg(value_name = "NAME", value_parser = flags::parse_secret, add = Holds::Text)]
    pub(super) names: Vec<String>,

    /// Overwrite the secret if it exists; labels and annotations that are not named here stay
    #[arg(long)]
    pub(super) replace: bool,

    #[command(flatten)]
    pub(super) attaching: AttachingArgs,

    /// Create it in the Run:ai namespace, marked so that Run:ai copies it to every project
    #[arg(long)]
    pub(super) cluster_wide: bool,

    /// Make it selectable as a credential of Run:ai [default: the type's own kind, or generic]
    #[arg(long, num_args = 0..=1, require_equals = true, value_name = "TYPE")]
    #[expect(clippy::option_option, reason = "clap's form of a flag whose value may be left out")]
    pub(super) credential: Option<Option<Credential>>,

    /// Make it immutable: its values can't be changed later, it can only be deleted
    #[arg(long)]
    pub(super) immutable: bool,

    /// A label
    #[arg(long = "label", value_name = "KEY=VALUE", add = Holds::Text)]
    pub(super) labels: Vec<String>,

    /// An annotation
    #[arg(long = "annotation", value_name = "KEY=VALUE", add = Holds::Text)]
    pub(super) annotations: Vec<String>,

    /// When its values end, for `check` and `list`: a day, a time (RFC 3339), or from now on as 90d or 12w
    #[arg(long, value_name = "DATE", value_parser = parse_end, add = Holds::Text)]
    pub(super) expires: Option<Moment>,

    /// Add a hash of the content to the name
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "true|false")]
    pub(super) append_hash: Option<bool>,

    /// kubectl's; refused, because it copies every value into an annotation
    #[arg(long, hide = true, num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub(super) save_config: Option<bool>,

    #[command(flatten)]
    pub(super) write: WriteArgs,

    /// The words after `--`. kubectl ignores them silently; here there is a warning.
    #[arg(last = true, hide = true)]
    pub(super) ignored: Vec<OsString>,
}

/// A secret of any keys and values
#[derive(Args)]
#[command(
    override_usage = "kubectl runai-secret create generic NAME [--from-file [KEY=]PATH]… [--prompt KEY]… …"
)]
pub(super) struct GenericArgs {
    #[command(flatten)]
    pub(super) sources: SourceArgs,

    /// The type to give the secret [default: Opaque]
    #[arg(long = "type", value_name = "TYPE", add = Holds::SecretType)]
    pub(super) secret_type: Option<String>,

    /// Create it even if it has no keys
    #[arg(long)]
    pub(super) allow_empty: bool,

    #[command(flatten)]
    pub(super) new: NewSecretArgs,
}

/// A login to an image registry
#[derive(Args)]
#[command(
    override_usage = "kubectl runai-secret create docker-registry NAME --docker-username USER [--docker-server SERVER] [--docker-password-stdin]\n       kubectl runai-secret create docker-registry NAME --from-file PATH",
    after_help = "Examples:\n  \
    kubectl runai-secret create docker-registry hub --docker-username=me --docker-password-stdin < pw\n  \
    kubectl runai-secret create docker-registry hub --from-file=$HOME/.docker/config.json"
)]
pub(super) struct DockerRegistryArgs {
    /// Server of the registry; Docker Hub's is the default
    #[arg(long, value_name = "SERVER", allow_hyphen_values = true,
          add = Holds::Text, add = Asked("Registry", DOCKER_HUB))]
    pub(super) docker_server: Option<String>,

    /// Name of the user
    #[arg(long, value_name = "USER", allow_hyphen_values = true,
          add = Holds::Text, add = Asked("Name of the user", ""))]
    pub(super) docker_username: Option<String>,

    /// The password; everyone who can list the machine's processes sees it
    #[arg(long, value_name = "PASSWORD", allow_hyphen_values = true, add = Holds::Confidential)]
    pub(super) docker_password: Option<OsString>,

    /// Read the password from standard input
    #[arg(long, conflicts_with = "docker_password")]
    pub(super) docker_password_stdin: bool,

    /// Mail address of the user; registries ignore it
    #[arg(long, value_name = "MAIL", allow_hyphen_values = true, add = Holds::Text)]
    pub(super) docker_email: Option<String>,

    /// Docker's config.json, or - for standard input, instead of a login
    #[arg(long, value_name = "PATH", add = Holds::File, add = Brings::Keys(None))]
    pub(super) from_file: Vec<OsString>,

    #[command(flatten)]
    pub(super) new: NewSecretArgs,
}

/// A certificate and its private key
#[derive(Args)]
#[command(
    override_usage = "kubectl runai-secret create tls NAME --cert PATH --key PATH",
    after_help = "Examples:\n  \
    kubectl runai-secret create tls web --cert=fullchain.pem --key=privkey.pem -p team-a\n  \
    kubectl runai-secret create tls web --cert=fullchain.pem --key=privkey.pem --replace"
)]
pub(super) struct TlsArgs {
    /// The certificate in PEM, then its chain, or - for standard input
    #[arg(long, value_name = "PATH", add = Holds::File, add = Asked("Certificate, a PEM file", ""))]
    pub(super) cert: Option<OsString>,

    /// Its private key in PEM, not encrypted, or - for standard input
    #[arg(long, value_name = "PATH", add = Holds::File, add = Asked("Its private key, a PEM file", ""))]
    pub(super) key: Option<OsString>,

    #[command(flatten)]
    pub(super) new: NewSecretArgs,
}

/// A private SSH key, for Git
///
/// With --credential the private key is also stored under the key `ssh`, which Run:ai reads.
#[derive(Args)]
#[command(
    override_usage = "kubectl runai-secret create ssh NAME --private-key PATH [--known-hosts PATH]",
    after_help = "Examples:\n  \
    kubectl runai-secret create ssh git --private-key=job_key -p team-a\n  \
    kubectl runai-secret create ssh git --private-key=job_key --known-hosts=hosts --credential"
)]
pub(super) struct SshArgs {
    /// The private key, without a passphrase, or - for standard input
    #[arg(long, value_name = "PATH", add = Holds::File, add = Asked("Private key, a file", ""))]
    pub(super) private_key: Option<OsString>,

    /// Its public key
    #[arg(long, value_name = "PATH", add = Holds::File)]
    pub(super) public_key: Option<OsString>,

    /// Keys of the hosts to connect to, as ssh-keyscan prints them
    #[arg(long, value_name = "PATH", add = Holds::File)]
    pub(super) known_hosts: Option<OsString>,

    #[command(flatten)]
    pub(super) new: NewSecretArgs,
}

/// A user's name and password
///
/// Run:ai reads them under the keys `User` and `Password`, so they get these names.
#[derive(Args)]
#[command(
    override_usage = "kubectl runai-secret create password NAME --username USER [--password-stdin]",
    after_help = "Examples:\n  \
    kubectl runai-secret create password git --username=jane --credential -p team-a\n  \
    kubectl runai-secret create password git --username=jane --password-stdin < token.txt"
)]
pub(super) struct PasswordArgs {
    /// Name of the user
    #[arg(long, value_name = "USER", add = Holds::Confidential, add = Asked("Name of the user", ""))]
    pub(super) username: Option<String>,

    /// Read the password from standard input; without one of these three flags you are asked
    #[arg(long, conflicts_with_all = ["password_file", "password_env"])]
    pub(super) password_stdin: bool,

    /// Read the password from a file
    #[arg(long, value_name = "PATH", conflicts_with = "password_env", add = Holds::File)]
    pub(super) password_file: Option<OsString>,

    /// Take the password from an environment variable
    #[arg(long, value_name = "VARIABLE", add = Holds::Variable)]
    pub(super) password_env: Option<String>,

    #[command(flatten)]
    pub(super) new: NewSecretArgs,
}

/// An access key, as for S3
///
/// Run:ai reads it under the keys `AccessKeyId` and `SecretKey`, so its parts get these names.
#[derive(Args)]
#[command(
    override_usage = "kubectl runai-secret create access-key NAME --access-key-id ID [--secret-key-stdin]",
    after_help = "Examples:\n  \
    kubectl runai-secret create access-key s3 --access-key-id=AKIA… --credential -p team-a\n  \
    kubectl runai-secret create access-key s3 --access-key-id=AKIA… --secret-key-stdin < key.txt"
)]
pub(super) struct AccessKeyArgs {
    /// The public half of the pair
    #[arg(long, value_name = "ID", add = Holds::Confidential, add = Asked("Access key ID", ""))]
    pub(super) access_key_id: Option<String>,

    /// Read the secret key from standard input; without one of these three flags you are asked
    #[arg(long, conflicts_with_all = ["secret_key_file", "secret_key_env"])]
    pub(super) secret_key_stdin: bool,

    /// Read the secret key from a file
    #[arg(long, value_name = "PATH", conflicts_with = "secret_key_env", add = Holds::File)]
    pub(super) secret_key_file: Option<OsString>,

    /// Take the secret key from an environment variable
    #[arg(long, value_name = "VARIABLE", add = Holds::Variable)]
    pub(super) secret_key_env: Option<String>,

    #[command(flatten)]
    pub(super) new: NewSecretArgs,
}
