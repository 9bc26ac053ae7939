//! Credential plugins of the kubeconfig (`users[].exec`), as `aws eks get-token` or `gke-gcloud-auth-plugin`.
//!
//! kube would run the plugin three times for each client, at up to a second each, and puts its output, a token, into
//! its errors. Here it runs once, before the client is made, and its standard output is shown to nobody.

use std::io::IsTerminal;
use std::process::Stdio;
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use kube::config::{AuthInfo, ExecConfig, ExecInteractiveMode};
use serde::Deserialize;
use serde_json::json;
use tokio::process::Command;
use zeroize::Zeroizing;

use super::Attendance;
use crate::error::{Error, Result};

/// A login in the browser takes its time; a plugin that hangs must not take for ever.
const PLUGIN_LIMIT: Duration = Duration::from_mins(2);

/// What a plugin prints (`client.authentication.k8s.io`, kind `ExecCredential`).
#[derive(Deserialize)]
struct ExecCredential {
    status: Option<ExecStatus>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ExecStatus {
    token: Option<String>,
    client_certificate_data: Option<String>,
    client_key_data: Option<String>,
}

/// Runs the user's plugin, if there is one, and puts its answer in its place.
///
/// # Errors
/// It is not there (with its own install hint), fails, takes over two minutes, or prints no credential.
pub(super) async fn run_credential_plugin(user: &mut AuthInfo, attendance: Attendance) -> Result<()> {
    let Some(plugin) = user.exec.take() else { return Ok(()) };
    let name = plugin.command.clone().unwrap_or_default();
    let output = tokio::time::timeout(PLUGIN_LIMIT, command(&plugin, &name, attendance)?.output())
        .await
        .map_err(|_| failed(&name, &format!("gave no answer within {} s", PLUGIN_LIMIT.as_secs())))?
        .map_err(|error| not_started(&plugin, &name, &error))?;
    let stdout = Zeroizing::new(output.stdout);
    if !output.status.success() {
        let code =
            output.status.code().map_or_else(|| "a signal".to_owned(), |code| format!("exit code {code}"));
        return Err(failed(&name, &format!("failed with {code}")));
    }
    let credential: ExecCredential =
        serde_json::from_slice(&stdout).map_err(|_| failed(&name, "printed no ExecCredential"))?;
    put_in_place(user, credential.status.ok_or_else(|| failed(&name, "printed no credential"))?, &name)
}

fn put_in_place(user: &mut AuthInfo, status: ExecStatus, name: &str) -> Result<()> {
    if status.token.is_none() && status.client_certificate_data.is_none() {
        return Err(failed(name, "printed neither a token nor a client certificate"));
    }
    if let Some(token) = status.token {
        user.token = Some(token.into());
        user.token_file = None;
    }
    // The plugin prints PEM; the kubeconfig's fields of the same name are base64 of it.
    if let (Some(certificate), Some(key)) = (status.client_certificate_data, status.client_key_data) {
        user.client_certificate_data = Some(BASE64_STANDARD.encode(certificate));
        user.client_key_data = Some(BASE64_STANDARD.encode(Zeroizing::new(key).as_bytes()).into());
    }
    Ok(())
}

fn command(plugin: &ExecConfig, name: &str, attendance: Attendance) -> Result<Command> {
    let attended = attendance == Attendance::Attended;
    // Our standard input may be a pipe with a secret in it: only a terminal is handed on.
    let terminal = attended && std::io::stdin().is_terminal();
    let interactive = terminal && plugin.interactive_mode != Some(ExecInteractiveMode::Never);
    if plugin.interactive_mode == Some(ExecInteractiveMode::Always) && !terminal {
        return Err(failed(name, "needs a terminal, and standard input is none"));
    }
    let mut command = Command::new(name);
    command
        .args(plugin.args.iter().flatten())
        .kill_on_drop(true)
        .stdout(Stdio::piped())
        .stderr(if attended { Stdio::inherit() } else { Stdio::null() });
    if !attended {
        // A plugin with clap inside would take this for a question to itself.
        command.env_remove("COMPLETE");
        // In the background, where the terminal does not let it read what is typed meanwhile.
        #[cfg(unix)]
        command.process_group(0);
    }
    command.stdin(if interactive { Stdio::inherit() } else { Stdio::null() });
    for variable in plugin.env.iter().flatten() {
        if let (Some(name), Some(value)) = (variable.get("name"), variable.get("value")) {
            command.env(name, value);
        }
    }
    let info = json!({
        "kind": "ExecCredential",
        "apiVersion": plugin.api_version,
        "spec": { "interactive": interactive, "cluster": plugin.cluster },
    });
    command.env("KUBERNETES_EXEC_INFO", info.to_string());
    Ok(command)
}

fn not_started(plugin: &ExecConfig, name: &str, error: &std::io::Error) -> Error {
    let why = if error.kind() == std::io::ErrorKind::NotFound {
        "is not installed".to_owned()
    } else {
        error.to_string()
    };
    let failure = failed(name, &why);
    match &plugin.install_hint {
        Some(hint) => failure.hint(hint.trim()),
        None => failure,
    }
}

fn failed(name: &str, what: &str) -> Error {
    Error::failed(format!("getting credentials: exec: executable {name} {what}")).hint(format!(
        "the kubeconfig names {name} as the user's credential plugin; \
             what it prints on standard output is not shown"
    ))
}
