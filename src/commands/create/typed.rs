//! Builds each type of secret: its arguments become keys and values.

use std::ffi::{OsStr, OsString};

use super::args::{
    AccessKeyArgs, CreateArgs, DockerRegistryArgs, GenericArgs, NewSecretArgs, PasswordArgs, SshArgs,
    TlsArgs, Typed,
};
use crate::error::{Error, Result};
use crate::logins::{self, Machine, Service};
use crate::secret::{
    self, Audience, Contents, Credential, DOCKER_CONFIG, DOCKER_HUB, Login, Nothing, Origin, ProcessInput,
    SSH, SecretValue, Single, SingleValue, Source, SshFiles, TLS,
};
use crate::session::Session;
use crate::sources::{Ends, add_what_is_said, ask_about_suspects, read_logins, read_sources};

/// A type of secret with its own arguments.
pub(super) enum Type<'a> {
    Generic(&'a GenericArgs),
    DockerRegistry(&'a DockerRegistryArgs),
    Tls(&'a TlsArgs),
    Ssh(&'a SshArgs),
    Password(&'a PasswordArgs),
    AccessKey(&'a AccessKeyArgs),
}

impl Type<'_> {
    /// Returns the service whose login is meant by a name alone: `create huggingface`.
    pub(super) fn login_of_name(&self, name: &str) -> Option<&'static Service> {
        let Type::Generic(args) = self else { return None };
        let is_bare = args.sources.is_empty() && args.secret_type.is_none() && !args.allow_empty;
        logins::named(name).filter(|_| is_bare)
    }

    /// Returns true if all keys come of one login, so that its usual use leaves none out.
    pub(super) fn is_a_login_alone(&self, name: &str) -> bool {
        let Type::Generic(args) = self else { return false };
        self.login_of_name(name).is_some() || args.sources.are_one_login()
    }

    /// Returns the services whose logins the secret gets.
    ///
    /// # Errors
    /// A service is unknown.
    pub(super) fn services(&self, name: &str) -> Result<Vec<&'static Service>> {
        let Type::Generic(args) = self else { return Ok(Vec::new()) };
        let services =
            args.sources.from_login.iter().map(|word| logins::parse(word).map(|(service, _)| service));
        services.chain(self.login_of_name(name).map(Ok)).collect()
    }

    /// Returns the API's name of the type; empty for the default, `Opaque`.
    pub(super) fn name(&self, services: &[&Service]) -> Result<&str> {
        Ok(match self {
            Type::Generic(args) if args.secret_type.is_none() => type_of(services)?,
            Type::Generic(args) => args.secret_type.as_deref().unwrap_or_default(),
            Type::DockerRegistry(_) => DOCKER_CONFIG,
            Type::Tls(_) => TLS,
            Type::Ssh(_) => SSH,
            Type::Password(_) | Type::AccessKey(_) => "",
        })
    }

    /// Returns the kind of Run:ai credential that fits the type.
    pub(super) fn credential(&self) -> Credential {
        match self {
            Type::DockerRegistry(_) => Credential::DockerRegistry,
            Type::Password(_) => Credential::Password,
            Type::AccessKey(_) => Credential::AccessKey,
            Type::Generic(_) | Type::Tls(_) | Type::Ssh(_) => Credential::Generic,
        }
    }

    /// Returns the keys whose values are asked for.
    pub(super) fn asked_keys(&self) -> &[String] {
        match self {
            Type::Generic(args) => &args.sources.prompts,
            _ => &[],
        }
    }

    /// Reports whether somebody types a value, or another program is asked for one.
    ///
    /// # Errors
    /// A key or a service is illegal.
    pub(super) fn asks(&self, name: &str, session: &Session<'_>) -> Result<bool> {
        Source::check_keys("--prompt", self.asked_keys())?;
        let is_typed = match self {
            Type::Generic(args) => !args.sources.prompts.is_empty(),
            Type::DockerRegistry(args) => {
                let is_given = args.docker_password.is_some() || args.docker_password_stdin;
                args.docker_username.is_some() && args.from_file.is_empty() && !is_given
            }
            Type::Password(args) => args.username.is_some() && args.hidden().is_typed(),
            Type::AccessKey(args) => args.access_key_id.is_some() && args.hidden().is_typed(),
            Type::Tls(_) | Type::Ssh(_) => false,
        };
        let machine = Machine::new(&ProcessInput);
        let services = self.services(name)?;
        Ok(is_typed && session.ui.somebody_is_there()
            || services.iter().any(|service| service.asks_a_program(&machine)))
    }

    /// Reads the contents.
    pub(super) async fn read(&self, name: &str, session: &Session<'_>) -> Result<Contents> {
        let mut contents = match self {
            Type::Generic(args) => return generic(args, self.login_of_name(name), session).await,
            Type::DockerRegistry(args) => docker_registry(args, session).await,
            Type::Tls(args) => tls(args),
            Type::Ssh(args) => ssh(args),
            Type::Password(args) => password(args, session).await,
            Type::AccessKey(args) => access_key(args, session).await,
        }?;
        for warning in std::mem::take(&mut contents.warnings) {
            contents.doubt(warning);
        }
        ask_about_suspects(&mut contents, Ends::Never, session.ui).await?;
        Ok(contents)
    }
}

impl CreateArgs {
    /// Returns the chosen type with its own arguments, and the arguments of every type.
    pub(super) fn chosen(&self) -> (Type<'_>, &NewSecretArgs) {
        match &self.typed {
            None => (Type::Generic(&self.generic), &self.generic.new),
            Some(Typed::Generic(args)) => (Type::Generic(args), &args.new),
            Some(Typed::DockerRegistry(args)) => (Type::DockerRegistry(args), &args.new),
            Some(Typed::Tls(args)) => (Type::Tls(args), &args.new),
            Some(Typed::Ssh(args)) => (Type::Ssh(args), &args.new),
            Some(Typed::Password(args)) => (Type::Password(args), &args.new),
            Some(Typed::AccessKey(args)) => (Type::AccessKey(args), &args.new),
        }
    }
}

/// Returns the type that the logins of some services need.
fn type_of(services: &[&Service]) -> Result<&'static str> {
    let types: Vec<&Service> =
        services.iter().copied().filter(|service| !service.secret_type.is_empty()).collect();
    let Some(first) = types.first() else { return Ok("") };
    match types.iter().find(|other| other.secret_type != first.secret_type) {
        None => Ok(first.secret_type),
        Some(other) => {
            let line = format!("{} and {} make secrets of different types", first.name, other.name);
            Err(Error::usage(line).hint("create one secret for each"))
        }
    }
}

async fn generic(
    args: &GenericArgs,
    login_of_name: Option<&Service>,
    session: &Session<'_>,
) -> Result<Contents> {
    let lines = if args.new.replace { Nothing::Refuse } else { Nothing::NoteLines };
    let mut login =
        read_logins(&login_of_name.map(|service| service.name.to_owned()).into_iter().collect::<Vec<_>>())?;
    let given = std::mem::take(&mut login.sources);
    let mut contents = read_sources(&args.sources, given, lines, session).await?;
    add_what_is_said(&mut contents, login);
    if !args.allow_empty && !args.sources.allow_empty_values {
        contents.check_not_empty()?;
    }
    ask_about_suspects(&mut contents, Ends::ByFlag, session.ui).await?;
    let secret_type = args.secret_type.as_deref().unwrap_or_default();
    // By what the values are now.
    let doubts = secret::doubts(secret_type, |key| contents.data.get(key));
    let unseen = secret::unseen_in("--type", secret_type);
    unseen.into_iter().chain(doubts).for_each(|warning| contents.doubt(warning));
    ask_about_suspects(&mut contents, Ends::Never, session.ui).await?;
    Ok(contents)
}

async fn docker_registry(args: &DockerRegistryArgs, session: &Session<'_>) -> Result<Contents> {
    // In kubectl's flag library, too, an empty argument is an empty list.
    let files: Vec<_> = args.from_file.iter().filter(|path| !path.is_empty()).cloned().collect();
    let username = args.docker_username.as_deref().filter(|username| !username.is_empty());
    let password = args.docker_password.as_deref().filter(|password| !password.is_empty());
    if !files.is_empty() {
        if username.is_some() || password.is_some() || args.docker_password_stdin {
            let line = "--from-file and a login with --docker-username are two sources of one value";
            return Err(Error::usage(line).hint("leave one of the two out"));
        }
        if args.docker_server.is_some() || args.docker_email.is_some() {
            let line = "--docker-server and --docker-email are of a login, and --from-file brings its own";
            return Err(Error::usage(line).hint("leave out --from-file, or the two"));
        }
        return secret::contents_of_file(files, &mut ProcessInput);
    }
    let server = args.docker_server.as_deref().unwrap_or(DOCKER_HUB);
    let Some(username) = username.filter(|_| !server.is_empty()) else {
        return Err(incomplete_login());
    };
    let password = if let Some(password) = password {
        Single::of("--docker-password", SecretValue::from_bytes(password.as_encoded_bytes().to_vec()))
    } else if args.docker_password_stdin {
        SingleValue::From(Origin::StandardInput).read("--docker-password-stdin", &mut ProcessInput)?
    } else if args.docker_password.is_some() {
        return Err(incomplete_login());
    } else {
        let typed = session.ui.ask_hidden("Password").await?.ok_or_else(incomplete_login)?;
        Single::of("what was typed", typed)
    };
    let (password, mut said) = settled(password, session).await?;
    let email = args.docker_email.as_deref().unwrap_or_default();
    let login = Login { server, username, password: &password, email };
    let mut contents = secret::contents_of_logins(&[login])?;
    let parts = [("--docker-server", server), ("--docker-username", username), ("--docker-email", email)];
    warn_of_unseen(&mut contents, &parts);
    contents.add_what_is_said(&mut said);
    Ok(contents)
}

fn incomplete_login() -> Error {
    Error::usage(
        "either --from-file or the combination of --docker-username, --docker-password and --docker-server is required",
    )
    .hint("--docker-password-stdin keeps the password out of the list of processes")
}

fn tls(args: &TlsArgs) -> Result<Contents> {
    let given = |path: &Option<_>| path.as_deref().filter(|path: &&OsStr| !path.is_empty()).map(Origin::of);
    let (Some(certificate), Some(key)) = (given(&args.cert), given(&args.key)) else {
        return Err(Error::usage("key and cert must be specified").hint("--cert=PATH --key=PATH"));
    };
    secret::tls_contents(&certificate, &key, &mut ProcessInput)
}

fn ssh(args: &SshArgs) -> Result<Contents> {
    let origin = |path: &Option<OsString>| path.as_deref().map(Origin::of);
    let Some(private_key) = origin(&args.private_key) else {
        return Err(Error::usage("a private key must be given: --private-key=PATH")
            .hint("ssh-keygen -t ed25519 -N '' -f job_key makes one for this purpose alone"));
    };
    let audience = if args.new.credential.is_some() { Audience::RunAi } else { Audience::Kubernetes };
    let (public_key, known_hosts) = (origin(&args.public_key), origin(&args.known_hosts));
    secret::ssh_contents(&SshFiles { private_key, public_key, known_hosts, audience }, &mut ProcessInput)
}

async fn password(args: &PasswordArgs, session: &Session<'_>) -> Result<Contents> {
    let user = public_half(args.username.as_deref(), "--username")?;
    let (password, mut said) = settled(args.hidden().value(session).await?, session).await?;
    let mut contents = secret::password_contents(user, password)?;
    warn_of_unseen(&mut contents, &[("--username", user)]);
    contents.add_what_is_said(&mut said);
    Ok(contents)
}

async fn access_key(args: &AccessKeyArgs, session: &Session<'_>) -> Result<Contents> {
    let id = public_half(args.access_key_id.as_deref(), "--access-key-id")?;
    let (secret_key, mut said) = settled(args.hidden().value(session).await?, session).await?;
    let mut contents = secret::access_key_contents(id, secret_key)?;
    warn_of_unseen(&mut contents, &[("--access-key-id", id)]);
    contents.add_what_is_said(&mut said);
    Ok(contents)
}

/// Asks about a value before it becomes a part of others. Returns it with what is left to say.
async fn settled(mut single: Single, session: &Session<'_>) -> Result<(SecretValue, Contents)> {
    ask_about_suspects(&mut single.looked_at, Ends::Never, session.ui).await?;
    Ok(single.into_parts())
}

/// Adds a warning for each argument that has invisible characters: whoever checks the login takes them for its own.
fn warn_of_unseen(contents: &mut Contents, arguments: &[(&str, &str)]) {
    let warnings = arguments.iter().filter_map(|(flag, text)| secret::unseen_in(flag, text));
    contents.warnings.extend(warnings);
}

/// Returns an argument that is not secret and must be given.
fn public_half<'a>(given: Option<&'a str>, flag: &str) -> Result<&'a str> {
    given.filter(|word| !word.is_empty()).ok_or_else(|| Error::usage(format!("{flag} must be given")))
}

/// A secret value, from one of three flags or asked for.
struct Hidden<'a> {
    what: &'a str,
    /// The beginning of the three flags' names.
    flag: &'a str,
    stdin: bool,
    file: Option<&'a OsStr>,
    variable: Option<&'a str>,
}

impl PasswordArgs {
    fn hidden(&self) -> Hidden<'_> {
        Hidden {
            what: "Password",
            flag: "--password",
            stdin: self.password_stdin,
            file: self.password_file.as_deref(),
            variable: self.password_env.as_deref(),
        }
    }
}

impl AccessKeyArgs {
    fn hidden(&self) -> Hidden<'_> {
        Hidden {
            what: "Secret key",
            flag: "--secret-key",
            stdin: self.secret_key_stdin,
            file: self.secret_key_file.as_deref(),
            variable: self.secret_key_env.as_deref(),
        }
    }
}

impl Hidden<'_> {
    fn is_typed(&self) -> bool {
        !self.stdin && self.file.is_none() && self.variable.is_none()
    }

    async fn value(&self, session: &Session<'_>) -> Result<Single> {
        let flag = self.flag;
        let given = match (self.stdin, self.file, self.variable) {
            (true, ..) => Some((SingleValue::From(Origin::StandardInput), "stdin")),
            (_, Some(path), _) => Some((SingleValue::From(Origin::of(path)), "file")),
            (.., Some(name)) => Some((SingleValue::Variable(name.to_owned()), "env")),
            _ => None,
        };
        if let Some((source, suffix)) = given {
            return source.read(&format!("{flag}-{suffix}"), &mut ProcessInput);
        }
        let typed = session.ui.ask_hidden(self.what).await?;
        typed.map(|value| Single::of("what was typed", value)).ok_or_else(|| {
            Error::usage(format!("one of {flag}-stdin, {flag}-file and {flag}-env must be given"))
                .hint(format!("for example: {flag}-stdin < token.txt"))
        })
    }
}
