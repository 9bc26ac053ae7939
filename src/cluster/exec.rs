//! Credential plugins of the kubeconfig (`users[].exec`), such as `aws eks get-token` and
//! `gke-gcloud-auth-plugin`.
//!
//! kube-client 5.0.0 runs the plugin three times for each client, at up to a second each, and puts its
//! output, a token, into its errors (`AuthExecRun`). Here a plugin runs once, and nobody sees its standard
//! output.

use std::io::IsTerminal;
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use rustls::sign::CertifiedKey;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::io::AsyncReadExt;
use tokio::process::Command;
use zeroize::Zeroizing;

use super::kubeconfig::{Cluster, Confidential, Exec, decode};
use super::material::Field;
use super::{Attendance, identity};
use crate::command_line::CommandLine;
use crate::error::{Error, Result};
use crate::ui::Ui;
use crate::{programs, secret};

/// The time limit of a plugin: long enough for a login in the browser.
const PLUGIN_LIMIT: Duration = Duration::from_mins(2);
/// The limit of a plugin's output in bytes. No credential is larger.
const OUTPUT_LIMIT: u64 = 1 << 20;

const API_VERSIONS: [&str; 2] = ["client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1"];
/// The cluster's extension that is passed on to plugins.
const EXTENSION: &str = "client.authentication.k8s.io/exec";

/// A credential plugin, ready to run.
pub(super) struct Plugin {
    exec: Exec,
    pub(super) name: String,
    api_version: String,
    /// The cluster, as the plugin is told about it if the kubeconfig says so.
    cluster: Option<Value>,
    attendance: Attendance,
}

/// The credential that a plugin gave.
pub(super) struct Answer {
    pub(super) token: Option<Confidential>,
    pub(super) identity: Option<Arc<CertifiedKey>>,
    pub(super) ends: Option<SystemTime>,
}

/// The output of a plugin.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ExecCredential {
    kind: Option<String>,
    api_version: Option<String>,
    status: Option<ExecStatus>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ExecStatus {
    token: Option<String>,
    client_certificate_data: Option<String>,
    client_key_data: Option<String>,
    expiration_timestamp: Option<String>,
}

impl Plugin {
    /// Builds the plugin's command.
    ///
    /// # Errors
    /// The kubeconfig lacks a setting, or has a wrong one, in kubectl's words.
    pub(super) fn new(exec: Exec, user: &str, cluster: &Cluster, attendance: Attendance) -> Result<Self> {
        let missing = |what: &str| {
            Error::failed(format!("{what} must be specified for {user} to use exec authentication plugin"))
                .hint(format!(
                    "check exec of the user in the kubeconfig: {}",
                    CommandLine::kubectl("config view --minify")
                ))
        };
        let name = exec.command.clone().ok_or_else(|| missing("command"))?;
        let api_version = exec.api_version.clone().ok_or_else(|| missing("apiVersion"))?;
        if exec.env.iter().any(|variable| variable.name.is_empty()) {
            return Err(missing("env variable name"));
        }
        if !API_VERSIONS.contains(&api_version.as_str()) {
            return Err(Error::failed(format!("exec plugin: invalid apiVersion \"{api_version}\"")).hint(
                format!(
                    "{} and {} are supported: create the kubeconfig again with the tool that wrote it",
                    API_VERSIONS[0], API_VERSIONS[1]
                ),
            ));
        }
        if let Some(mode) = exec.interactive_mode.as_deref()
            && !["Never", "IfAvailable", "Always"].contains(&mode)
        {
            return Err(Error::failed(format!("invalid interactiveMode for {user}: \"{mode}\""))
                .hint("it is Never, IfAvailable or Always"));
        }
        // No program can be given a NUL.
        let texts =
            exec.args.iter().chain(exec.env.iter().flat_map(|it| [&it.name, &it.value])).chain([&name]);
        if texts.into_iter().any(|text| text.contains('\0')) {
            return Err(Error::failed(format!("the credential plugin of {user} can't be run"))
                .hint("its command, args or env in the kubeconfig have a NUL character"));
        }
        let cluster = exec.provide_cluster_info.then(|| cluster_info(cluster)).transpose()?;
        Ok(Self { exec, name, api_version, cluster, attendance })
    }

    /// Runs the plugin.
    ///
    /// # Errors
    /// The program does not exist (the plugin's own install hint is shown), fails, takes over two minutes, or
    /// prints no credential.
    pub(super) async fn run(&self, ui: &Ui) -> Result<Answer> {
        let running = self.output(self.command()?);
        let (status, stdout) = tokio::time::timeout(PLUGIN_LIMIT, running)
            .await
            .map_err(|_| self.failed(&format!("gave no answer within {} s", PLUGIN_LIMIT.as_secs())))??;
        if !status.success() {
            let code =
                status.code().map_or_else(|| "a signal".to_owned(), |code| format!("exit code {code}"));
            let failed = self.failed(&format!("failed with {code}"));
            return Err(match login_of(&self.name) {
                Some(login) => failed.hint(format!("if the login has ended: {login}")),
                None => failed,
            });
        }
        self.answer(self.read(&stdout)?, ui)
    }

    async fn output(&self, mut command: Command) -> Result<(ExitStatus, Zeroizing<Vec<u8>>)> {
        let mut child = command.spawn().map_err(|error| self.not_started(&error))?;
        let mut stdout = Zeroizing::new(Vec::new());
        if let Some(pipe) = child.stdout.take() {
            let read = pipe.take(OUTPUT_LIMIT + 1).read_to_end(&mut stdout).await;
            read.map_err(|error| self.not_started(&error))?;
        }
        if stdout.len() as u64 > OUTPUT_LIMIT {
            // Dropping the child kills it.
            return Err(self.failed("printed more than 1 MiB"));
        }
        let status = child.wait().await.map_err(|error| self.not_started(&error))?;
        Ok((status, stdout))
    }

    fn read(&self, stdout: &[u8]) -> Result<ExecStatus> {
        let none = || self.failed("printed no ExecCredential");
        let text = decode(stdout).ok_or_else(none)?;
        if text.contains('\0') && secret::foreign_encoding(stdout).is_some() {
            return Err(self.failed("printed UTF-16 without a byte order mark, and must print UTF-8"));
        }
        // kubectl's decoder accepts YAML as well.
        let printed: ExecCredential =
            serde_json::from_str(&text).or_else(|_| serde_saphyr::from_str(&text).map_err(|_| none()))?;
        let version = printed.api_version.as_deref();
        if printed.kind.as_deref() != Some("ExecCredential") || version.is_none() {
            return Err(none());
        }
        if version != Some(&self.api_version) {
            let known = API_VERSIONS.iter().find(|known| version == Some(**known)).unwrap_or(&"another one");
            return Err(self.failed(&format!(
                "is configured to use API version {}, plugin returned version {known}",
                self.api_version
            )));
        }
        printed.status.ok_or_else(|| self.failed("printed no credential"))
    }

    fn answer(&self, status: ExecStatus, ui: &Ui) -> Result<Answer> {
        let filled = |text: Option<String>| text.filter(|text| !text.is_empty()).map(Confidential::new);
        let token = filled(status.token);
        let (certificate, key) = (filled(status.client_certificate_data), filled(status.client_key_data));
        let identity = match (&certificate, &key) {
            (Some(certificate), Some(key)) => {
                let of = format!("of the credential plugin {}", self.name);
                let (chain, key) = (certificate.expose().as_bytes(), key.expose().as_bytes());
                ui.never_quote(key);
                Some(identity::of_pem(
                    chain,
                    key,
                    &format!("client certificate {of}"),
                    &format!("client key {of}"),
                )?)
            }
            (None, None) if token.is_some() => None,
            (None, None) => return Err(self.failed("printed neither a token nor a client certificate")),
            _ => return Err(self.failed("returned only certificate or key, not both")),
        };
        let ends = status.expiration_timestamp.as_deref().filter(|ends| !ends.is_empty()).map(|ends| {
            let ends: jiff::Timestamp =
                ends.parse().map_err(|_| self.failed("printed an expirationTimestamp that is not a time"))?;
            Ok::<Option<SystemTime>, Error>(on_the_clock(ends))
        });
        Ok(Answer { token, identity, ends: ends.transpose()?.flatten() })
    }

    fn command(&self) -> Result<Command> {
        let attended = self.attendance == Attendance::Attended;
        let mode = self.exec.interactive_mode.as_deref();
        // Our standard input may be a pipe with a secret in it, so a plugin gets it only if it is a terminal.
        let terminal = attended && std::io::stdin().is_terminal();
        let interactive = terminal && mode != Some("Never");
        if mode == Some("Always") && !terminal {
            return Err(self.failed("needs a terminal, and standard input is none"));
        }
        let mut command = Command::new(programs::to_start(&self.name));
        command.args(&self.exec.args).kill_on_drop(true).stdout(Stdio::piped()).stderr(if attended {
            Stdio::inherit()
        } else {
            Stdio::null()
        });
        if !attended {
            // A plugin that uses clap would take this variable for a completion request to itself.
            command.env_remove("COMPLETE");
            // In the background, so that the terminal does not let it read what the user types meanwhile.
            #[cfg(unix)]
            command.process_group(0);
        }
        command.stdin(if interactive { Stdio::inherit() } else { Stdio::null() });
        command.envs(self.exec.env.iter().map(|variable| (&variable.name, &variable.value)));
        let info = json!({
            "kind": "ExecCredential",
            "apiVersion": self.api_version,
            "spec": { "interactive": interactive, "cluster": self.cluster },
        });
        command.env("KUBERNETES_EXEC_INFO", info.to_string());
        Ok(command)
    }

    fn not_started(&self, error: &std::io::Error) -> Error {
        let why = if error.kind() == std::io::ErrorKind::NotFound {
            "is not installed".to_owned()
        } else {
            error.to_string()
        };
        let failure = self.failed(&why);
        match &self.exec.install_hint {
            Some(hint) => failure.hint(hint.trim()),
            None => failure,
        }
    }

    fn failed(&self, what: &str) -> Error {
        let name = &self.name;
        Error::failed(format!("getting credentials: exec: executable {name} {what}")).hint(format!(
            "the kubeconfig names {name} as the user's credential plugin; \
                 what it prints on standard output is not shown"
        ))
    }
}

/// Returns the command that logs in to what a credential plugin asks. Plugins that log in by themselves have none.
pub(super) fn login_of(plugin: &str) -> Option<&'static str> {
    let program = plugin.rsplit(['/', '\\']).next().unwrap_or_default();
    Some(match program.strip_suffix(".exe").unwrap_or(program) {
        "runai" => "runai login",
        "aws" | "aws-iam-authenticator" => "aws sso login",
        "gke-gcloud-auth-plugin" | "gcloud" => "gcloud auth login",
        "tsh" => "tsh login",
        "oci" => "oci session authenticate",
        "doctl" => "doctl auth init",
        _ => return None,
    })
}

/// Converts a time to the system's clock, and returns none for a time outside its range: Windows counts from
/// 1601 (rust-lang/rust#150505), and the conversion of jiff 0.2 panics before that. A time before 1970 is
/// past in any case.
fn on_the_clock(time: jiff::Timestamp) -> Option<SystemTime> {
    SystemTime::UNIX_EPOCH.checked_add(time.as_duration().try_into().unwrap_or_default())
}

/// Returns the description of the cluster for a plugin (`spec.cluster`), with which it can make certificates
/// for that cluster.
fn cluster_info(cluster: &Cluster) -> Result<Value> {
    let field =
        Field { name: "certificate-authority", file: "certificate-authority", of: "cluster", entry: "" };
    let (data, path) =
        (cluster.certificate_authority_data.as_deref(), cluster.certificate_authority.as_deref());
    let authority = field.content(data, path)?.map(|pem| BASE64_STANDARD.encode(&*pem));
    let extension = cluster.extensions.iter().find(|extension| extension.name == EXTENSION);
    let info = json!({
        "server": cluster.server,
        "tls-server-name": cluster.tls_server_name,
        "insecure-skip-tls-verify": cluster.insecure_skip_tls_verify.then_some(true),
        "certificate-authority-data": authority,
        "proxy-url": cluster.proxy_url,
        "disable-compression": cluster.disable_compression.then_some(true),
        "config": extension.map(|extension| &extension.extension),
    });
    let Value::Object(mut fields) = info else { return Ok(info) };
    fields.retain(|_, value| !value.is_null());
    Ok(Value::Object(fields))
}
