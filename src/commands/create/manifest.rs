//! Turns the command line into a secret, and checks all that can be checked without a cluster.

use std::collections::BTreeMap;

use super::ahead;
use super::args::NewSecretArgs;
use super::typed::Type;
use crate::command_line::CommandLine;
use crate::error::{Error, Result};
use crate::secret::{self, CREDENTIAL_LABEL, Contents, Credential, DOCKER_CONFIG, SecretManifest};
use crate::session::Session;
use crate::wording::nearest;
use crate::{logins, propagation, session};

/// Reads every source and returns the secret.
pub(super) async fn resolve(
    typed: &Type<'_>,
    args: &NewSecretArgs,
    session: &Session<'_>,
) -> Result<SecretManifest> {
    let word = only_name(&args.names, session)?;
    let services = typed.services(word)?;
    let secret_type = typed.name(&services)?;
    let name = typed.login_of_name(word).map_or(word, |service| service.secret);
    if !args.ignored.is_empty() {
        session.ui.warning("what follows -- is ignored, as in kubectl");
    }
    if args.save_config == Some(true) {
        return Err(Error::usage("--save-config would copy every value into an annotation")
            .hint("leave it out; nothing here needs it"));
    }
    secret::check_secret_name(name)?;
    let annotations = session::given_labels::annotations(&args.annotations)?;
    let own = if secret_type == DOCKER_CONFIG { Credential::DockerRegistry } else { typed.credential() };
    let credential = args.credential.map(|credential| credential.unwrap_or(own));
    let mut labels = labels(args, credential)?;
    if let [service] = services.as_slice()
        && typed.is_a_login_alone(word)
    {
        labels.entry(secret::LOGIN_LABEL.to_owned()).or_insert_with(|| service.name.to_owned());
    }
    ahead::look(word, typed, args, session).await?;
    let contents = typed.read(word, session).await?;
    let said = annotations.iter().filter(|(_, value)| !value.is_empty());
    let said: Vec<_> = said.map(|(key, _)| key.as_str()).collect();
    secret::check_keys(secret_type, &contents, &said)?;
    let warning =
        credential.and_then(|kind| kind.warning(secret_type, |key| contents.data.contains_key(key)));
    tell(name, &contents, warning, session);
    let mut manifest = SecretManifest::new(name, contents.data);
    secret_type.clone_into(&mut manifest.secret_type);
    (manifest.labels, manifest.annotations) = (labels, annotations);
    manifest.namespace.clone_from(&session.globals.place.namespace);
    manifest.note_ends(contents.ends, args.expires);
    manifest.immutable = args.immutable.then_some(true);
    if args.append_hash == Some(true) {
        manifest.name = secret::name_with_hash(&manifest);
        secret::check_secret_name(&manifest.name)?;
    }
    Ok(manifest)
}

fn only_name<'a>(names: &'a [String], session: &Session<'_>) -> Result<&'a str> {
    match names {
        [name] if name.is_empty() => Err(Error::usage("name must be specified")),
        [name] => Ok(name),
        // The words are not repeated: one of them may be a value that lost its key.
        _ => {
            let error = Error::usage(format!("exactly one NAME is required, got {}", names.len()));
            Err(error.hint(what_was_meant(names, session)))
        }
    }
}

/// Says what to type instead of no name or several, by what people bring from other programs.
fn what_was_meant(names: &[String], session: &Session<'_>) -> String {
    let in_this_place = |command| session.in_this_place(command);
    let usual = || in_this_place(CommandLine::plugin("create").then("NAME --from-file=KEY=PATH")).to_string();
    let [first, second, ..] = names else { return usual() };
    let is_name = |word: &str| secret::is_secret_name(word) && !secret::looks_like_a_token(word);
    let name = if is_name(first) { first } else { "NAME" };
    let create = CommandLine::plugin("create");
    match second.as_str() {
        _ if first == "secret" => {
            let line = match &names[1..] {
                [kind, name]
                    if ["generic", "docker-registry", "tls"].contains(&kind.as_str()) && is_name(name) =>
                {
                    create.arg(kind).arg(name)
                }
                [name] if is_name(name) => create.arg(name),
                _ => create.then("[TYPE] NAME"),
            };
            format!("leave out the word secret: {}", in_this_place(line))
        }
        file if file.strip_suffix(".env").is_some() => {
            let create = create.arg(name).arg(format!("--from-dotenv={file}"));
            format!("the keys of such a file: {}", in_this_place(create))
        }
        key if is_name(first) && is_name_of_variable(key) => {
            let create = create.arg(name).arg(format!("--prompt={key}"));
            format!("to be asked for the value: {}", in_this_place(create))
        }
        pair if pair.contains('=') => {
            let key = secret::key_of_pair(pair).unwrap_or("KEY");
            let create = create.arg(name).arg(format!("--prompt={key}"));
            format!("to be asked for the value: {}", in_this_place(create))
        }
        _ if logins::named(first).is_some() => {
            let create = if is_name(second) && !second.contains('.') {
                create.arg(second)
            } else {
                create.then("NAME")
            };
            let create = create.arg(format!("--from-login={first}"));
            format!("a login of it: {}", in_this_place(create))
        }
        _ if let Some(known) = type_of(first) => {
            let create =
                if is_name(second) { create.arg(known).arg(second) } else { create.arg(known).then("NAME") };
            format!("the type is called {known}: {}", in_this_place(create))
        }
        _ => usual(),
    }
}

/// Recognizes `HF_TOKEN`; a value has other letters.
fn is_name_of_variable(word: &str) -> bool {
    let is_capital = |char: char| char.is_ascii_uppercase() || char.is_ascii_digit() || char == '_';
    secret::is_env_name(word)
        && word.contains('_')
        && word.chars().all(is_capital)
        && !secret::looks_like_a_token(word)
}

/// Returns the type of a secret that is called otherwise elsewhere, or mistyped.
fn type_of(word: &str) -> Option<&'static str> {
    const TYPES: [&str; 6] = ["generic", "docker-registry", "tls", "ssh", "password", "access-key"];
    match word {
        "registry" | "dockerconfigjson" | "dockercfg" | "image-pull" => Some("docker-registry"),
        "opaque" | "Opaque" => Some("generic"),
        "certificate" | "cert" => Some("tls"),
        "ssh-key" | "ssh-auth" => Some("ssh"),
        "basic-auth" => Some("password"),
        "s3" => Some("access-key"),
        _ => nearest(word, TYPES).and_then(|near| TYPES.into_iter().find(|known| *known == near)),
    }
}

/// Prints the notes and warnings about a secret before it is sent.
fn tell(name: &str, contents: &Contents, of_credential: Option<String>, session: &Session<'_>) {
    for note in &contents.notes {
        session.ui.note(note);
    }
    let dotted = "a name with a dot works in Kubernetes, but Run:ai's UI and API do not accept it";
    let dotted = name.contains('.').then(|| dotted.to_owned());
    for warning in contents.warnings.iter().cloned().chain(of_credential).chain(dotted) {
        session.ui.warning(&warning);
    }
}

/// Returns the labels that were given, and those that other flags stand for.
fn labels(args: &NewSecretArgs, credential: Option<Credential>) -> Result<BTreeMap<String, String>> {
    let mut labels = session::given_labels::labels(&args.labels)?;
    if let Some(credential) = credential {
        session::given_labels::insert_once(
            &mut labels,
            "--credential",
            CREDENTIAL_LABEL,
            credential.label_value(),
        )?;
    }
    if args.cluster_wide {
        for (key, value) in propagation::Key::Both.labels() {
            session::given_labels::insert_once(&mut labels, "--cluster-wide", key, value)?;
        }
    }
    Ok(labels)
}
