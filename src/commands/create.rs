//! `create`: a new secret, in one request.

use std::ffi::OsString;

use clap::Subcommand;
use serde_json::Value;

use super::Session;
use crate::cli::{DryRun, Output, WriteArgs};
use crate::cluster::{self, Cluster, Failure};
use crate::error::{Error, Result};
use crate::secret::{self, ProcessInput, SecretManifest, Source};

/// Create a secret from literals, files and env files
///
/// The grammar is that of kubectl create secret, without the word secret. A type may come before the name; without
/// one the secret is generic. Values never appear in what is printed, but for -o json and -o yaml, which print the
/// whole manifest as kubectl does.
#[derive(clap::Args)]
#[command(
    override_usage = "kubectl runai-secret create [generic] NAME [--from-literal KEY=VALUE]… [--from-file [KEY=]PATH]… \
                      [--from-env-file PATH]…",
    after_help = "Examples:\n  \
        kubectl runai-secret create my-secret --from-literal=username=jane --from-file=password=./password.txt\n  \
        kubectl runai-secret create generic hf --from-file=HF_TOKEN=- -p team-a < token.txt\n  \
        kubectl runai-secret create settings --from-env-file=.env --dry-run=client -o yaml"
)]
pub(crate) struct CreateArgs {
    #[command(subcommand)]
    typed: Option<Typed>,

    #[command(flatten)]
    generic: GenericArgs,
}

/// The types of secret that have a grammar of their own.
#[derive(Subcommand)]
enum Typed {
    /// A secret of any keys and values
    Generic(GenericArgs),
}

#[derive(clap::Args)]
struct GenericArgs {
    /// Name of the secret
    #[arg(value_name = "NAME")]
    names: Vec<String>,

    /// A key and its value; the value is seen by everyone who can list the machine's processes
    #[arg(long, value_name = "KEY=VALUE", allow_hyphen_values = true)]
    from_literal: Vec<OsString>,

    /// A file, a folder of files, or - for standard input; the key is the file's name unless one is given
    #[arg(long, value_name = "[KEY=]PATH")]
    from_file: Vec<OsString>,

    /// A file of KEY=VALUE lines, or - for standard input; KEY alone takes the variable of the environment
    #[arg(long, value_name = "PATH")]
    from_env_file: Vec<OsString>,

    /// The type to give the secret [default: Opaque]
    #[arg(long = "type", value_name = "TYPE")]
    secret_type: Option<String>,

    /// Add a hash of the content to the name
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "true|false")]
    append_hash: Option<bool>,

    /// Create it although it has no keys
    #[arg(long)]
    allow_empty: bool,

    /// kubectl's; refused, because it copies every value into an annotation
    #[arg(long, hide = true, num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    save_config: Option<bool>,

    #[command(flatten)]
    write: WriteArgs,

    /// kubectl ignores what follows `--`.
    #[arg(last = true, hide = true)]
    ignored: Vec<OsString>,
}

impl GenericArgs {
    fn is_unused(&self) -> bool {
        self.names.is_empty()
            && [&self.from_literal, &self.from_file, &self.from_env_file]
                .iter()
                .all(|source| source.is_empty())
    }
}

pub(super) async fn run(args: &CreateArgs, session: &Session<'_>) -> Result<()> {
    let args = match &args.typed {
        None => &args.generic,
        Some(Typed::Generic(typed)) if args.generic.is_unused() => typed,
        Some(_) => {
            return Err(Error::usage("the type comes first")
                .hint("for example: kubectl runai-secret create generic NAME --from-file=PATH"));
        }
    };
    let manifest = resolve(args, session)?;
    let write = &args.write;
    if write.dry_run == DryRun::Client {
        return dry_run(manifest, write, session).await;
    }
    // The sources are read by now: a credential plugin may take the terminal.
    let cluster = session.connect().await?;
    let namespace = session.namespace(&cluster).await?;
    match send(&manifest, &cluster, &namespace, write).await {
        Ok(object) => session.report(write, &manifest.to_name(), "created", &object),
        Err(failure) => Err(refused(failure, &manifest, &namespace)),
    }
}

/// Reads every source and checks all that can be checked without a cluster.
fn resolve(args: &GenericArgs, session: &Session<'_>) -> Result<SecretManifest> {
    let name = only_name(&args.names)?;
    if args.save_config == Some(true) {
        return Err(Error::usage("--save-config would copy every value into an annotation")
            .hint("leave it out; nothing here needs it"));
    }
    secret::check_secret_name(name)?;
    if let Some(namespace) = &session.globals.place.namespace {
        secret::check_namespace(namespace)?;
    }
    let mut sources = Source::literals(args.from_literal.clone())?;
    sources.extend(Source::files(args.from_file.clone())?);
    sources.extend(Source::env_files(args.from_env_file.clone())?);
    let contents = secret::read(sources, &mut ProcessInput)?;
    if !args.allow_empty {
        contents.check_not_empty()?;
    }
    for note in &contents.notes {
        session.ui.note(note);
    }
    session.ui.keep_confidential(&contents.data);
    let mut manifest = SecretManifest::new(name, contents.data);
    manifest.secret_type = args.secret_type.clone().unwrap_or_default();
    manifest.namespace.clone_from(&session.globals.place.namespace);
    if args.append_hash == Some(true) {
        manifest.name = secret::name_with_hash(&manifest);
        secret::check_secret_name(&manifest.name)?;
    }
    Ok(manifest)
}

fn only_name(names: &[String]) -> Result<&str> {
    match names {
        [name] if name.is_empty() => Err(Error::usage("name must be specified")),
        [name] => Ok(name),
        // Not repeated: a word too many may be a value that lost its key.
        _ => Err(Error::usage(format!("exactly one NAME is required, got {}", names.len()))
            .hint("kubectl runai-secret create NAME --from-file=KEY=PATH")),
    }
}

/// Prints the manifest. Nothing is sent, unless the namespace has to be looked up because `--project` names it.
async fn dry_run(mut manifest: SecretManifest, write: &WriteArgs, session: &Session<'_>) -> Result<()> {
    if manifest.namespace.is_none() && session.globals.place.project.is_some() {
        manifest.namespace = Some(session.namespace(&session.connect().await?).await?);
    } else {
        cluster::check_kubeconfig(&session.globals.connection)?;
    }
    match write.output {
        Output::Json => session.ui.data(&manifest.to_json()),
        Output::Yaml => session.ui.data(&manifest.to_yaml()),
        Output::Human | Output::Name => session.report(write, &manifest.to_name(), "created", &Value::Null),
    }
}

async fn send(
    manifest: &SecretManifest,
    cluster: &Cluster,
    namespace: &str,
    args: &WriteArgs,
) -> Result<Value, Failure> {
    let body = manifest.to_request_body();
    match args.output {
        Output::Json | Output::Yaml => cluster.create_secret_and_return(namespace, body, args.write()).await,
        Output::Human | Output::Name => {
            cluster.create_secret(namespace, body, args.write()).await.map(|()| Value::Null)
        }
    }
}

fn refused(failure: Failure, manifest: &SecretManifest, namespace: &str) -> Error {
    let name = &manifest.name;
    if failure.is_already_exists() {
        return Error::from(failure)
            .hint(format!("see what it is: kubectl get secret {name} -n {namespace}"))
            .hint("nothing was changed; choose another name, or delete that one first");
    }
    if failure.has_unknown_effect() {
        return Error::from(failure).hint(format!("kubectl get secret {name} -n {namespace}"));
    }
    failure.into()
}
