//! Describes an argument beyond its help. The description is added to the argument itself, as `add = …`.

use clap::Arg;
use clap::builder::ArgExt;

/// The meaning of an argument's value. Tab completes by it, and it decides whether the value may be shown.
///
/// An argument without one is not shown and not completed; a test names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Holds {
    /// A value of a secret, or a part of one. It is never shown.
    Confidential,
    /// `KEY=VALUE`, of which the key may be shown.
    KeyAndConfidential,
    /// Words of the user's own; the name of something new.
    Text,
    /// One of a few words: those that clap knows, or else those that the value's name lists, as `json|yaml`.
    Listed,
    Cluster,
    /// `SERVICE[=PROFILE]`, a login on this machine.
    Login,
    /// A container of the workload on the line.
    Container,
    Context,
    /// `VAR=NAME,key=KEY`
    EnvSecret,
    File,
    /// A key of the secret that comes first on the line.
    Key,
    /// `[KEY=]PATH`
    KeyAndFile,
    /// `[KEY=]VARIABLE`
    KeyAndVariable,
    /// `PATH[:KEY[=FILE],…]`
    Mount,
    Namespace,
    /// A namespace of the cluster that `--to-context` names.
    NamespaceThere,
    Project,
    /// `VAR[=SECRET[,KEY]]`, of a variable that the workload on the line sets itself.
    PlainVariable,
    /// A project of the cluster that `--to-context` names.
    ProjectThere,
    /// `VAR=SECRET:NAME,KEY`; where a plain value is taken too, that is not shown.
    Reference,
    Secret,
    /// A secret, then a workload.
    SecretAndWorkload,
    /// A secret, or a workload as `KIND/NAME`.
    SecretOrWorkload,
    SecretType,
    /// `path=PATH,name=NAME`
    SecretVolume,
    /// A path where the workload on the line mounts the secret on the line.
    UsedPath,
    /// A variable that the workload on the line takes from the secret on the line.
    UsedVariable,
    User,
    /// An environment variable's name.
    Variable,
    /// `[VAR=]KEY`
    VariableAndKey,
    /// `KIND/NAME`
    Workload,
}

/// One of several ways, and a few words about it.
pub(crate) type Words = (&'static str, &'static str);

/// On an argument that brings values into a secret. With it are the words by which it is offered where a
/// command is led, if it is.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Brings {
    /// One key, which comes first in what the argument is given.
    Key(Option<Words>),
    Keys(Option<Words>),
}

/// On an argument without which a secret lacks something: the question for it where a command is led, and what it is where
/// nobody says otherwise; empty where somebody must.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked(pub(crate) &'static str, pub(crate) &'static str);

impl ArgExt for Holds {}
impl ArgExt for Brings {}
impl ArgExt for Asked {}

impl Holds {
    pub(crate) fn of(argument: &Arg) -> Option<Self> {
        let is_one_of_a_few = !argument.get_possible_values().is_empty();
        argument.get::<Self>().copied().or(is_one_of_a_few.then_some(Self::Listed))
    }

    /// Reports whether a value names its secret itself, so that no secret need come before the workload.
    pub(crate) fn names_a_secret(self) -> bool {
        matches!(self, Self::Reference | Self::EnvSecret | Self::SecretVolume | Self::PlainVariable)
    }
}
