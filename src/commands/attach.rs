//! `attach`: gives an existing workload a secret, by reference.

mod extract;

use std::collections::BTreeMap;
use std::slice;

use crate::change::manifest::{ManifestChange, ManifestChangeArgs};
use crate::change::workload::ChangeArgs;
use crate::cluster::Cluster;
use crate::command_line::CommandLine;
use crate::error::{Error, Result};
use crate::flags::{self, Holds};
use crate::session::Session;
use crate::session::target::Selection;
use crate::sources::manifest_files::ManifestFiles;
use crate::uses::attaching::{Ahead, Attach, Attaching};
use crate::uses::references::{Heads, ReferenceArgs};
use crate::uses::runai_flags::RunaiFlags;
use crate::workload::{self, AccountLogins, Attachment, ContainerChoice, Existing, Target, TypedTarget};
use crate::{change, secret, session, uses};

/// Attach a secret to a workload: as env variables, as files, or for pulling images
///
/// The workload gets a reference to the secret, never a value. Before anything is written, the secret, its
/// keys and the containers are looked up; a change that the server refuses leaves all as it was. A Job's
/// template can't be changed: --recreate replaces the Job with one of the same name, --copy-as creates another
/// one. --dry-run=client looks all of this up too, and writes nothing.
///
/// A secret that says what it holds needs no more words: one that create made of a login, a registry login, an
/// SSH key, an access key of Run:ai. Keys become variables of their names, a registry login pulls images, an SSH
/// key goes into /root/.ssh.
///
/// With -f it changes the workloads of a manifest and prints the whole manifest, without asking a cluster;
/// --in-place writes it back into its file.
#[derive(clap::Args)]
#[command(
    mut_arg("output", uses::runai_flags::with_runai),
    mut_arg("filename", change::manifest::without_workload),
    override_usage = "kubectl runai-secret attach SECRET KIND/NAME… [--env [VAR=]KEY]… [--env-all[=PREFIX]] \
                      [--mount PATH[:KEY[=FILE],…]]…\n       \
                      kubectl runai-secret attach KIND/NAME… [-e VAR=SECRET:NAME,KEY]…\n       \
                      kubectl runai-secret attach KIND/NAME --extract VAR[=SECRET[,KEY]]…\n       \
                      kubectl runai-secret attach SECRET KIND -l SELECTOR …\n       \
                      kubectl runai-secret attach -f FILE|- …",
    after_help = "Examples:\n  \
        kubectl runai-secret attach hf deployment/web deployment/api --env HF_TOKEN\n  \
        kubectl runai-secret attach job/train -e MYUSERNAME=SECRET:my-secret,username --recreate\n  \
        kubectl runai-secret attach deployment/web --extract HF_TOKEN\n  \
        kubectl runai-secret attach hf -f manifests/ -R --env HF_TOKEN --in-place"
)]
pub(crate) struct AttachArgs {
    /// The secret (not with -e), then the workloads as KIND/NAME, or as NAME if only one has it; with -l their KIND;
    /// with -f they may be left out
    #[arg(value_name = "[SECRET] KIND/NAME", required_unless_present = "filename", value_parser = flags::parse_secret,
          add = Holds::SecretAndWorkload)]
    words: Vec<String>,

    /// One key as an env variable; without VAR it is named like the key, in capitals
    #[arg(long, value_name = "[VAR=]KEY", add = Holds::VariableAndKey)]
    env: Vec<String>,

    /// Every key as an env variable, with a prefix before its name
    #[arg(long, value_name = "PREFIX", num_args = 0..=1, require_equals = true, default_missing_value = "",
          add = Holds::Text)]
    env_all: Option<String>,

    /// Keys as files in a folder; without KEY all of them
    #[arg(long, value_name = "PATH[:KEY[=FILE],…]", add = Holds::Mount)]
    mount: Vec<String>,

    /// An env variable with the path of the mounted file, or of the folder if it has several
    #[arg(long, value_name = "VAR", requires = "mount", add = Holds::Text)]
    path_env: Option<String>,

    /// Pull the workload's images with this registry login; of a service account: those of all its pods to come
    #[arg(long)]
    image_pull: bool,

    /// Move the value of an env variable of the workload into a secret, new or not, and refer to that
    ///
    /// Without SECRET the secret is named after the service whose token it is, such as hf, or else after the variable;
    /// without KEY the key is named like the variable. A key that has another value is left alone. The secret is
    /// written before the workload: cut off in between, the same command does the rest. Everybody who may read the
    /// workload could read the value, so change it afterwards. With -f the value is taken out of the manifest, and the
    /// secret is written to the cluster; with --dry-run=client nothing is sent.
    #[arg(long, value_name = "VAR[=SECRET[,KEY]]", add = Holds::PlainVariable,
          conflicts_with_all = ["env", "env_all", "mount", "path_env", "image_pull", "environment", "env_secret",
                                "secret_volume", "mode", "selector", "overwrite", "optional"])]
    extract: Vec<String>,

    #[command(flatten)]
    references: ReferenceArgs,

    /// The workloads of the KIND whose labels match, such as app=web,tier!=db
    #[arg(short = 'l', long, value_name = "SELECTOR", conflicts_with = "filename", add = Holds::Text)]
    selector: Option<String>,

    /// The container; '*' for all. Needed if there are several
    #[arg(short, long, value_name = "NAME", value_delimiter = ',', add = Holds::Container)]
    container: Vec<String>,

    /// Replace what is in the way: variables of the same name, mounts at the same path
    #[arg(long)]
    overwrite: bool,

    /// Let the workload start even if the secret or the key is missing
    #[arg(long)]
    optional: bool,

    #[command(flatten)]
    manifest: ManifestChangeArgs,

    #[command(flatten)]
    runai: RunaiFlags,

    #[command(flatten)]
    change: ChangeArgs,
}

/// How the workload is to get secrets.
enum Asked {
    /// By flags, checked as far as that is possible without a cluster.
    Flags(Vec<Attachment>),
    /// As this secret itself says that it is used.
    AsUsual(String),
}

/// A checked request.
struct Request {
    /// Empty for every workload of a manifest, and where a selector says which are meant.
    targets: Vec<TypedTarget>,
    selected: Option<Selection>,
    files: Option<ManifestFiles>,
    asked: Asked,
}

pub(super) async fn run(args: &AttachArgs, session: &Session<'_>) -> Result<()> {
    if !args.extract.is_empty() {
        return extract::run(args, session).await;
    }
    let request = args.resolve(session)?;
    if args.runai == RunaiFlags::Wanted {
        if request.selected.is_some() || request.targets.len() > 1 {
            return Err(Error::usage("-o runai prints flags for one workload").hint("name one, or none"));
        }
        let known = request.targets.first().and_then(TypedTarget::as_known);
        return print_runai_flags(request.asked, known, args, session).await;
    }
    if let Some(files) = &request.files {
        return in_files(files, request.targets, request.asked, args, session).await;
    }
    let is_one = request.selected.is_none() && request.targets.len() == 1;
    if !is_one {
        change::several::check_flags(&args.change)?;
    }
    let cluster = session.connect().await?;
    let namespace = session.namespace(&cluster).await?;
    let Request { targets, selected, asked, .. } = request;
    let targets =
        session::target::find_all(targets, selected.as_ref(), &namespace, &cluster, session).await?;
    if let ([target], true) = (targets.as_slice(), is_one) {
        return to_one(target, asked, args, (&namespace, &cluster), session).await;
    }
    let (attachments, heads) = args.known(asked, None, &namespace, &cluster, session).await?;
    let (containers, existing) = args.choices();
    let (args, cluster, namespace) = (&args.change, &*cluster, namespace.as_str());
    Attach { to: targets, containers, existing, args, cluster, namespace, session }
        .run(attachments, heads)
        .await
}

async fn to_one(
    target: &Target,
    asked: Asked,
    args: &AttachArgs,
    (namespace, cluster): (&str, &Cluster),
    session: &Session<'_>,
) -> Result<()> {
    let way = args.change.way(target)?;
    let is_usual = matches!(asked, Asked::AsUsual(_));
    let object = async {
        // Flags are checked first, together with what else there is to read.
        if is_usual { Some(change::workload::read(cluster, namespace, target).await) } else { None }
    };
    let known = args.known(asked, Some(target), namespace, cluster, session);
    let (known, object) = tokio::join!(known, object);
    let (attachments, heads) = known?;
    let (containers, existing) = args.choices();
    workload::check_expressible(target.kind, &attachments, &containers)?;
    let args = &args.change;
    Attach { to: target, containers, existing, args, cluster, namespace, session }
        .run(attachments, way, Ahead { heads, object })
        .await
}

async fn in_files(
    files: &ManifestFiles,
    targets: Vec<TypedTarget>,
    asked: Asked,
    args: &AttachArgs,
    session: &Session<'_>,
) -> Result<()> {
    let Asked::Flags(attachments) = asked else { return Err(which_use()) };
    change::manifest::check_writes_nothing(&args.change.write)?;
    let targets = targets.into_iter().map(TypedTarget::known).collect::<Result<Vec<_>>>()?;
    let (containers, existing) = args.choices();
    let (accounts, keys) = (AccountLogins::new(), BTreeMap::new());
    let plan = Attaching { attachments, containers, existing, accounts, keys };
    let (targets, write) = (targets.as_slice(), &args.change.write);
    ManifestChange { plan, targets, args: &args.manifest, write, session }.run(files).await
}

async fn print_runai_flags(
    asked: Asked,
    target: Option<&Target>,
    args: &AttachArgs,
    session: &Session<'_>,
) -> Result<()> {
    let way =
        [(args.overwrite, "--overwrite"), (args.optional, "--optional"), (!args.container.is_empty(), "-c")];
    let flag =
        way.iter().find_map(|(is_given, flag)| is_given.then_some(*flag)).or(args.change.flag_of_way());
    if let Some(flag) = flag {
        return Err(uses::runai_flags::only_prints(flag));
    }
    if args.manifest.is_given() {
        return Err(Error::usage("-o runai prints flags of a command line, but -f is about a manifest")
            .hint("leave out one of them"));
    }
    let cluster = session.connect().await?;
    let namespace = session.namespace(&cluster).await?;
    let (attachments, heads) = args.known(asked, target, &namespace, &cluster, session).await?;
    let keys = uses::references::check(&attachments, heads, &namespace, &cluster, session).await?;
    uses::runai_flags::print(&attachments, &keys, session)
}

fn which_workload() -> Error {
    Error::usage("which secret, and to which workload?")
        .hint("kubectl runai-secret attach SECRET KIND/NAME --env KEY")
}

fn names_the_secret(words: &'static str) -> Error {
    Error::usage("-e already names the secret: leave out the first argument")
        .hint(CommandLine::plugin("attach").then(words))
}

fn which_use() -> Error {
    Error::usage("say how the workload uses the secret")
        .hint("add --env KEY, --env-all, --mount PATH or --image-pull")
}

impl AttachArgs {
    fn resolve(&self, session: &Session<'_>) -> Result<Request> {
        let (secret, words) = self.secret_and_targets(session)?;
        let (targets, selected) = self.targets(words)?;
        let mut attachments = match secret {
            Some(secret) => self.of_one_secret(secret)?,
            None => Vec::new(),
        };
        let uses = self.references.resolve()?;
        if let Some((variable, value)) = uses.literals.first() {
            let error = Error::usage(format!("-e {variable}=… is not a reference to a secret"));
            let right = format!("-e {variable}=SECRET:NAME,KEY");
            return Err(match secret::meant_reference(value) {
                Some(meant) if *value == format!("{},{}", meant.secret, meant.key) => {
                    error.hint(format!("put SECRET: before it: {right}"))
                }
                Some(_) => error.hint(format!("write {right}")),
                None => {
                    error.hint(format!("write {right}")).hint("for a plain value there is kubectl set env")
                }
            });
        }
        attachments.extend(uses.attachments);
        let known: Vec<&Target> = targets.iter().filter_map(TypedTarget::as_known).collect();
        let asked = match secret {
            Some(secret) if attachments.is_empty() && !self.manifest.is_given() => {
                Asked::AsUsual(secret.to_owned())
            }
            _ if attachments.is_empty() => return Err(which_use()),
            _ => Asked::Flags(self.checked(attachments, &known)?),
        };
        for target in known {
            self.change.way(target)?;
        }
        let files = self.manifest.files()?;
        if files.is_none() && targets.is_empty() && selected.is_none() {
            return Err(which_workload());
        }
        Ok(Request { targets, selected, files, asked })
    }

    fn choices(&self) -> (ContainerChoice, Existing) {
        let existing = if self.overwrite { Existing::Overwrite } else { Existing::Keep };
        (ContainerChoice::from_flags(&self.container), existing)
    }

    /// Returns the workloads that the words name, or what they and the selector select.
    fn targets(&self, words: &[String]) -> Result<(Vec<TypedTarget>, Option<Selection>)> {
        if let Some(selector) = &self.selector {
            return Ok((Vec::new(), Some(Selection::parse(words, selector)?)));
        }
        let typed = words.iter().map(|word| TypedTarget::parse(word));
        Ok((typed.collect::<Result<_>>()?, None))
    }

    /// Returns the attachments as they are to be made.
    ///
    /// # Errors
    /// A flag has no effect on them, or the workload can't have them.
    fn checked(&self, attachments: Vec<Attachment>, targets: &[&Target]) -> Result<Vec<Attachment>> {
        self.check_every_flag_is_used(&attachments)?;
        let need = |one: Attachment| if self.optional { one.optional() } else { one };
        let attachments: Vec<Attachment> = attachments.into_iter().map(need).collect();
        let containers = ContainerChoice::from_flags(&self.container);
        for target in targets {
            workload::check_expressible(target.kind, &attachments, &containers)?;
        }
        Ok(attachments)
    }

    /// Returns what the flags ask for, or else what the secret itself says, with the secret.
    ///
    /// # Errors
    /// The secret does not say how it is used, or can't be read.
    async fn known(
        &self,
        asked: Asked,
        target: Option<&Target>,
        namespace: &str,
        cluster: &Cluster,
        session: &Session<'_>,
    ) -> Result<(Vec<Attachment>, Heads)> {
        let secret = match asked {
            Asked::Flags(attachments) => return Ok((attachments, Heads::new())),
            Asked::AsUsual(secret) => secret,
        };
        let usual = uses::usual::of_secret(&secret, namespace, cluster, session).await?;
        let (usual, head) = usual.ok_or_else(which_use)?;
        let usual = match self.references.mode()? {
            Some(mode) => usual.into_iter().map(|one| one.with_mode(mode)).collect(),
            None => usual,
        };
        Ok((self.checked(usual, target.as_slice())?, Heads::from([(secret, head)])))
    }

    /// Refuses a flag that has no effect: the user expects one.
    fn check_every_flag_is_used(&self, attachments: &[Attachment]) -> Result<()> {
        self.references.check_mode_is_used(attachments)?;
        if attachments.iter().any(|one| !matches!(one, Attachment::ImagePull { .. })) {
            return Ok(());
        }
        let (flag, why) = match (self.container.is_empty(), self.optional) {
            (false, _) => ("-c", "the login is for all images of the workload"),
            (true, true) => ("--optional", "a workload starts without that secret anyway"),
            (true, false) => return Ok(()),
        };
        Err(Error::usage(format!("{flag} has no effect on --image-pull alone: {why}"))
            .hint(format!("leave out {flag}")))
    }

    /// Returns the secret, if the words name one, and the words for workloads.
    fn secret_and_targets(&self, session: &Session<'_>) -> Result<(Option<&str>, &[String])> {
        let names_keys =
            !self.env.is_empty() || self.env_all.is_some() || !self.mount.is_empty() || self.image_pull;
        let of_manifest = self.manifest.is_given();
        let names_secrets = !self.references.is_empty();
        match self.words.as_slice() {
            [] if !names_keys && of_manifest => Ok((None, &[])),
            [secret] if names_keys && of_manifest => Ok((Some(secret), &[])),
            [target] if !names_keys && target.contains('/') => Ok((None, slice::from_ref(target))),
            [_] if !names_keys && of_manifest && !names_secrets => Err(which_use()),
            [secret] if !names_keys && !names_secrets => {
                Err(Error::usage("which workload is to get the secret?")
                    .hint(session.in_this_place(
                        CommandLine::plugin("attach").arg(secret).then("KIND/NAME --env KEY"),
                    )))
            }
            [_] if !names_keys && of_manifest => Err(names_the_secret("-f FILE -e VAR=SECRET:NAME,KEY")),
            [target] if !names_keys => Ok((None, slice::from_ref(target))),
            [] | [_] => Err(which_workload()),
            [target, secret] if Target::are_swapped(target, secret) => {
                let right = CommandLine::plugin("attach").arg(secret).arg(target).then("…");
                Err(Target::swapped(&session.in_this_place(right)))
            }
            words if names_secrets && !names_keys && (self.selector.is_some() || words[0].contains('/')) => {
                Ok((None, words))
            }
            [_, ..] if names_secrets && !names_keys => {
                Err(names_the_secret("KIND/NAME -e VAR=SECRET:NAME,KEY"))
            }
            [_, _, .., last] if self.env_all.as_deref() == Some("") && !last.contains('/') => {
                Err(Error::usage("--env-all is followed by a word that is no workload")
                    .hint("a prefix follows --env-all after '=': --env-all=PREFIX"))
            }
            [secret, targets @ ..] => Ok((Some(secret), targets)),
        }
    }

    fn of_one_secret(&self, secret: &str) -> Result<Vec<Attachment>> {
        let mode = self.references.mode()?;
        let mut attachments = Vec::new();
        for flag in &self.env {
            attachments.push(Attachment::env(secret, flag)?);
        }
        if let Some(prefix) = &self.env_all {
            attachments.push(Attachment::env_all(secret, prefix)?);
        }
        if self.env_all.as_deref() == Some(secret) {
            return Err(Error::usage(format!(
                "--env-all={secret} would put {secret:?} before the name of each key"
            ))
            .hint("leave out what follows --env-all: the secret is named before the workload"));
        }
        for flag in &self.mount {
            attachments.push(Attachment::files(secret, flag, mode)?);
        }
        if let Some(variable) = &self.path_env {
            let files: Vec<_> =
                attachments.iter().filter(|one| matches!(one, Attachment::Files { .. })).collect();
            let [files] = files.as_slice() else {
                return Err(Error::usage("--path-env is about one --mount, and there are several")
                    .hint("attach them one after the other"));
            };
            attachments.push(Attachment::path_of(variable, files)?);
        }
        if self.image_pull {
            attachments.push(Attachment::image_pull(secret)?);
        }
        Ok(attachments)
    }
}
