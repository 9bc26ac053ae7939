//! Defines the flags that give a workload secrets, and checks those secrets before anything is written.
//!
//! A reference to a missing key shows only when the pod is scheduled, hours later on a busy GPU queue.

use std::collections::{BTreeMap, BTreeSet};

use clap::{Arg, ArgAction, ArgMatches, Command, FromArgMatches};

use crate::cluster::{Cluster, Failure, SecretHead};
use crate::error::{Error, Result};
use crate::flags::Holds;
use crate::metadata::Metadata;
use crate::secret::{self, EnvEntry, SecretReference};
use crate::session::Session;
use crate::uses;
use crate::wording::{few, list};
use crate::workload::{self, Attachment, Mode};

/// Run:ai's flags that name a secret and its use.
#[derive(clap::Args)]
pub(crate) struct ReferenceArgs {
    #[command(flatten)]
    variables: VariableArgs,

    /// All keys of a secret as files in a folder
    #[arg(long, value_name = "path=PATH,name=NAME", add = Holds::SecretVolume)]
    secret_volume: Vec<String>,

    /// Permissions of the files, in octal
    #[arg(long, value_name = "MODE", add = Holds::Text)]
    mode: Option<String>,
}

/// `-e` and `--env-secret`, in the order of the command line: only later variables can refer to an earlier
/// one.
struct VariableArgs(Vec<VariableArg>);

enum VariableArg {
    Environment(String),
    EnvSecret(String),
}

type MakeVariableArg = fn(String) -> VariableArg;

/// The ids of the two flags, and the constructors of their arguments.
const VARIABLE_FLAGS: [(&str, MakeVariableArg); 2] =
    [("environment", VariableArg::Environment), ("env_secret", VariableArg::EnvSecret)];

impl FromArgMatches for VariableArgs {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut typed: Vec<(usize, VariableArg)> = Vec::new();
        for (id, arg) in VARIABLE_FLAGS {
            let words = matches.get_many::<String>(id).into_iter().flatten();
            let places = matches.indices_of(id).into_iter().flatten();
            typed.extend(places.zip(words.cloned().map(arg)));
        }
        typed.sort_by_key(|(place, _)| *place);
        Ok(Self(typed.into_iter().map(|(_, arg)| arg).collect()))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl clap::Args for VariableArgs {
    fn augment_args(command: Command) -> Command {
        let [environment, env_secret] = VARIABLE_FLAGS.map(|(id, _)| Arg::new(id).action(ArgAction::Append));
        command
            .arg(
                environment
                    .short('e')
                    .long("environment")
                    .alias("environment-variable")
                    .value_name("VAR=SECRET:NAME,KEY")
                    .add(Holds::Reference)
                    .help("An env variable from a key of a secret"),
            )
            .arg(
                env_secret
                    .long("env-secret")
                    .value_name("VAR=NAME,key=KEY")
                    .add(Holds::EnvSecret)
                    .hide_short_help(true)
                    .help("An env variable from a key of a secret, as the newer runai CLI writes it"),
            )
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

/// The attachments that the flags ask for, and plain variables for commands that take them.
pub(crate) struct Uses {
    pub(crate) attachments: Vec<Attachment>,
    pub(crate) literals: Vec<(String, String)>,
    /// The names of all variables, in the order of the command line.
    pub(crate) order: Vec<String>,
}

impl ReferenceArgs {
    /// Returns the permissions of files that `--mode` gives.
    ///
    /// # Errors
    /// They are not octal.
    pub(crate) fn mode(&self) -> Result<Option<Mode>> {
        self.mode.as_deref().map(Mode::parse).transpose()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.variables.0.is_empty() && self.secret_volume.is_empty()
    }

    /// # Errors
    /// A flag is not legal, even if nothing would use it.
    pub(crate) fn resolve(&self) -> Result<Uses> {
        let mode = self.mode()?;
        let mut uses = Uses { attachments: Vec::new(), literals: Vec::new(), order: Vec::new() };
        for arg in &self.variables.0 {
            let attachment = match arg {
                VariableArg::EnvSecret(flag) => Attachment::env_secret(flag)?,
                VariableArg::Environment(entry) => match EnvEntry::parse(entry)? {
                    EnvEntry::Reference { variable, reference } => {
                        Attachment::env_from_key(&variable, &reference.secret, &reference.key)?
                    }
                    EnvEntry::Literal { variable, value } => {
                        uses.order.push(variable.clone());
                        uses.literals.push((variable, value));
                        continue;
                    }
                },
            };
            uses.order.extend(attachment.variable().map(str::to_owned));
            uses.attachments.push(attachment);
        }
        for flag in &self.secret_volume {
            uses.attachments.push(Attachment::secret_volume(flag, mode)?);
        }
        Ok(uses)
    }

    /// # Errors
    /// A mode is given, but no attachment is a file.
    pub(crate) fn check_mode_is_used(&self, attachments: &[Attachment]) -> Result<()> {
        if self.mode.is_none() || attachments.iter().any(|one| matches!(one, Attachment::Files { .. })) {
            return Ok(());
        }
        Err(Error::usage("--mode sets the permissions of files, but no files are asked for")
            .hint("leave it out, or ask for files: --secret-volume path=PATH,name=NAME"))
    }
}

/// Secrets that were read, by their names.
pub(crate) type Heads = BTreeMap<String, SecretHead>;

/// Checks that every secret and key exists in the workload's own namespace: references never cross
/// namespaces. Returns the keys of each secret that could be read, or was `read` a moment ago.
///
/// A user who may not read secrets gets a warning instead: the attachment itself needs no such right.
///
/// # Errors
/// A secret or a key that is not optional is missing, a secret is of another type than its use needs, or two
/// attachments would hide each other.
pub(crate) async fn check(
    attachments: &[Attachment],
    mut read: Heads,
    namespace: &str,
    cluster: &Cluster,
    session: &Session<'_>,
) -> Result<BTreeMap<String, Vec<String>>> {
    let names: BTreeSet<&str> = attachments.iter().map(Attachment::secret).collect();
    let heads = names.iter().map(|name| {
        let read = read.remove(*name);
        async move { looked_at(attachments, name, read, namespace, cluster).await }
    });
    let heads = futures::future::join_all(heads).await;
    let (mut keys, mut unread) = (BTreeMap::new(), Vec::new());
    for (name, head) in names.iter().zip(heads) {
        match head {
            Ok(head) => {
                workload::check_image_pull(attachments, name, &head.secret_type)?;
                if let Some(fault) = head.unusable_login {
                    session.ui.warning(&format!("no image can be pulled with secret {name}: {fault}"));
                }
                keys.insert((*name).to_owned(), head.keys);
            }
            Err(failure) if failure.is_forbidden() => unread.push(*name),
            Err(failure) if failure.is_not_found() && is_optional(attachments, name) => {
                session.ui.warning(&format!("secret {name} does not exist yet in namespace {namespace}"));
            }
            Err(failure) if failure.is_not_found() => {
                let explained =
                    uses::missing_secret::explain(failure, name, attachments, namespace, cluster, session);
                return Err(explained.await);
            }
            Err(failure) => return Err(failure.into()),
        }
    }
    if !unread.is_empty() {
        let names = list(unread);
        session.ui.warning(&format!(
            "you may not read secrets in namespace {namespace}: {names} and the keys were not checked"
        ));
    }
    workload::missing_keys(attachments, &keys)?;
    workload::clashes(attachments, &keys)?;
    for warning in workload::doubtful_env_names(attachments, &keys) {
        session.ui.warning(&warning);
    }
    tell(attachments, &keys, session);
    Ok(keys)
}

/// A secret that is about to be used.
struct Looked {
    secret_type: String,
    keys: Vec<String>,
    /// The reason why no image can be pulled with it, if one is to be.
    unusable_login: Option<String>,
}

/// Names the variables that all keys of a secret become.
fn tell(attachments: &[Attachment], keys: &BTreeMap<String, Vec<String>>, session: &Session<'_>) {
    for one in attachments {
        if let Attachment::EnvAll { secret, prefix, .. } = one
            && let Some(keys) = keys.get(secret).filter(|keys| !keys.is_empty())
        {
            let names: Vec<String> = keys.iter().map(|key| format!("{prefix}{key}")).collect();
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            session.ui.note(&format!("all keys of secret {secret} as variables: {}", few(&names)));
        }
    }
}

/// Warns of files below the home folder of the user of this machine.
pub(crate) fn below_own_home(attachments: &[Attachment]) -> Vec<String> {
    let home = std::env::home_dir().and_then(|home| home.into_os_string().into_string().ok());
    let home = home.as_deref().map(|home| home.trim_end_matches('/')).unwrap_or_default();
    workload::below_own_home(attachments, home)
}

/// Looks a secret up, if it was not read before. Its values are judged only if images are to be pulled with it.
async fn looked_at(
    attachments: &[Attachment],
    name: &str,
    read: Option<SecretHead>,
    namespace: &str,
    cluster: &Cluster,
) -> Result<Looked, Failure> {
    let pulls = |one: &Attachment| matches!(one, Attachment::ImagePull { secret } if secret == name);
    if attachments.iter().any(pulls) {
        let found = cluster.inspect_secret(namespace, name).await?;
        let unusable_login = found.unusable_login().map(str::to_owned);
        let (secret_type, keys) = (found.secret_type, found.keys.into_keys().collect());
        return Ok(Looked { secret_type, keys, unusable_login });
    }
    let found = match read {
        Some(head) => head,
        None => cluster.secret_head::<Metadata>(namespace, name).await?,
    };
    let keys = found.keys().map(str::to_owned).collect();
    Ok(Looked { secret_type: found.secret_type, keys, unusable_login: None })
}

/// Refuses a plain value that was meant as a reference: `hf,token` or `hf/token`, if secret hf has a key token.
/// Only then is it repeated, since it is not a value of a secret.
///
/// # Errors
/// There is one.
pub(crate) async fn refuse_wrong_references(
    literals: &[&(String, String)],
    namespace: &str,
    cluster: &Cluster,
) -> Result<()> {
    let likely =
        literals.iter().filter_map(|(variable, value)| Some((variable, secret::meant_reference(value)?)));
    let likely: Vec<_> = likely.collect();
    if likely.is_empty() {
        return Ok(());
    }
    // The names are listed first: a plain value may be a password, and a secret that is asked for by name
    // appears in logs.
    let names = cluster.secret_names(namespace).await.unwrap_or_default();
    for (variable, SecretReference { secret, key }) in likely {
        if !names.contains(&secret) {
            continue;
        }
        let Ok(found) = cluster.secret_head::<Metadata>(namespace, &secret).await else { continue };
        if found.has_key(&key) {
            return Err(Error::usage(format!(
                "{variable} would get plain text that names key {key} of secret {secret}"
            ))
            .hint(format!("for the key of the secret: -e {variable}=SECRET:{secret},{key}"))
            .hint(format!("if the text itself is meant: --literal {variable}")));
        }
    }
    Ok(())
}

fn is_optional(attachments: &[Attachment], name: &str) -> bool {
    attachments.iter().filter(|one| one.secret() == name).all(Attachment::is_optional)
}
