//! The flags by which a shown command reaches the cluster, and Run:ai's namespace there, that the user's own
//! command reached.
//!
//! They are known once, when the command line is read, and are added where a command is shown: no other place
//! has to think of them.

use std::cell::RefCell;
use std::path::PathBuf;

use super::quoting::joined;
use crate::flags::{Connection, DEFAULT_RUNAI_NAMESPACE};

#[derive(Default)]
struct Reach {
    /// The flags that kubectl has too.
    connection: Vec<String>,
    kubeconfig: Vec<String>,
    runai_namespace: Vec<String>,
    /// The project or the namespace, for a command that was not understood.
    place: Vec<String>,
}

thread_local! {
    // One command runs in a process, and on one thread. Tests run many, each on its own.
    static REACH: RefCell<Reach> = RefCell::default();
}

/// Keeps the flags of the command line for the commands that are shown from now on.
pub(crate) fn keep(connection: &Connection, runai_namespace: &str) {
    REACH.with_borrow_mut(|reach| {
        reach.connection = flags(connection);
        reach.kubeconfig = path("--kubeconfig", connection.kubeconfig.as_ref()).into_iter().collect();
        reach.runai_namespace = flag_of(runai_namespace);
    });
}

fn flag_of(runai_namespace: &str) -> Vec<String> {
    match runai_namespace {
        "" | DEFAULT_RUNAI_NAMESPACE => Vec::new(),
        namespace => vec![format!("--runai-namespace={namespace}")],
    }
}

/// Keeps the words that say in which project the command was to work.
pub(crate) fn keep_place(place: Vec<String>) {
    REACH.with_borrow_mut(|reach| reach.place = place);
}

/// The time in which the commands that are shown are for the cluster of another context.
pub(crate) struct There(Vec<String>);

impl There {
    /// Begins it. No flag but the kubeconfig's holds for both contexts.
    pub(crate) fn of(context: &str) -> Self {
        REACH.with_borrow_mut(|reach| {
            let context = format!("--context={context}");
            let there = reach.kubeconfig.iter().cloned().chain([context]).collect();
            Self(std::mem::replace(&mut reach.connection, there))
        })
    }
}

impl Drop for There {
    fn drop(&mut self) {
        REACH.with_borrow_mut(|reach| reach.connection = std::mem::take(&mut self.0));
    }
}

/// The program that is to get the flags.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Program {
    Kubectl,
    /// `kubectl config`, which changes a file and asks no cluster.
    KubectlConfig,
    Plugin,
}

/// Returns the flags as they stand in a command, with a blank before them. `runai_namespace` takes the place of the
/// namespace of the user's command.
pub(super) fn shown(program: Program, runai_namespace: Option<&str>) -> String {
    let another = runai_namespace.map(flag_of);
    REACH.with_borrow(|reach| {
        let (flags, own): (_, &[String]) = match program {
            Program::Kubectl => (&reach.connection, &[]),
            Program::KubectlConfig => (&reach.kubeconfig, &[]),
            Program::Plugin => (&reach.connection, another.as_ref().unwrap_or(&reach.runai_namespace)),
        };
        after_a_blank(flags.iter().chain(own))
    })
}

/// Returns the place as it stands in a command, with a blank before it.
pub(super) fn shown_place() -> String {
    REACH.with_borrow(|reach| after_a_blank(&reach.place))
}

fn after_a_blank<'a>(words: impl IntoIterator<Item = &'a String>) -> String {
    match joined(words) {
        words if words.is_empty() => words,
        words => format!(" {words}"),
    }
}

/// Returns true for a flag that a shown command gets anyway.
pub(crate) fn is_added(long: &str) -> bool {
    const ADDED: [&str; 14] = [
        "kubeconfig",
        "context",
        "cluster",
        "user",
        "server",
        "as",
        "as-group",
        "as-uid",
        "certificate-authority",
        "client-certificate",
        "client-key",
        "insecure-skip-tls-verify",
        "tls-server-name",
        "runai-namespace",
    ];
    ADDED.contains(&long)
}

fn flags(connection: &Connection) -> Vec<String> {
    let text = |flag: &str, value: Option<&str>| {
        value.filter(|value| !value.is_empty()).map(|value| format!("{flag}={value}"))
    };
    let insecure = connection.insecure_skip_tls_verify.map(|insecure| insecure.to_string());
    // Without the token: what is shown ends in logs.
    let flags = [
        path("--kubeconfig", connection.kubeconfig.as_ref()),
        text("--context", connection.context.as_deref()),
        text("--cluster", connection.cluster.as_deref()),
        text("--user", connection.user.as_deref()),
        text("--server", connection.server.as_deref().map(without_userinfo).as_deref()),
        text("--as", connection.impersonate.as_deref()),
        text("--as-uid", connection.impersonate_uid.as_deref()),
        path("--certificate-authority", connection.certificate_authority.as_ref()),
        path("--client-certificate", connection.client_certificate.as_ref()),
        path("--client-key", connection.client_key.as_ref()),
        text("--insecure-skip-tls-verify", insecure.as_deref()),
        text("--tls-server-name", connection.tls_server_name.as_deref()),
    ];
    let groups = connection.impersonate_groups.iter().map(|group| format!("--as-group={group}"));
    flags.into_iter().flatten().chain(groups).collect()
}

fn path(flag: &str, path: Option<&PathBuf>) -> Option<String> {
    let path = path.filter(|path| !path.as_os_str().is_empty())?;
    Some(format!("{flag}={}", path.display()))
}

/// Returns the URL without user and password, since the command is shown.
fn without_userinfo(url: &str) -> String {
    let start = url.find("://").map_or(0, |at| at + 3);
    let end = url[start..].find(['/', '?', '#']).map_or(url.len(), |at| start + at);
    let host = url[start..end].rfind('@').map_or(start, |at| start + at + 1);
    format!("{}{}", &url[..start], &url[host..])
}

#[cfg(test)]
mod tests {
    use super::super::CommandLine;
    use super::*;

    fn connection() -> Connection {
        Connection {
            kubeconfig: Some("dir/my config".into()),
            context: Some("prod;id".to_owned()),
            token: Some("hunter2".to_owned()),
            server: Some("https://u:hunter2@h:1".to_owned()),
            ..Connection::default()
        }
    }

    #[test]
    fn a_shown_command_has_the_flags_before_its_rest() {
        keep(&connection(), "ops");
        let flags = "'--kubeconfig=dir/my config' '--context=prod;id' --server=https://h:1";
        for (command, shown) in [
            (CommandLine::kubectl("get pods").namespace("a"), format!("kubectl get pods -n a {flags}")),
            (
                CommandLine::plugin("view").arg("s"),
                format!("kubectl runai-secret view s {flags} --runai-namespace=ops"),
            ),
            (
                CommandLine::kubectl("config use-context NAME"),
                "kubectl config use-context NAME '--kubeconfig=dir/my config'".to_owned(),
            ),
            (CommandLine::kubectl("config view --minify"), format!("kubectl config view --minify {flags}")),
            (
                CommandLine::kubectl("exec job/NAME -- sh").arg("-c"),
                format!("kubectl exec job/NAME {flags} -- sh -c"),
            ),
            (
                CommandLine::plugin("view a | kubectl runai-secret create b -f -"),
                format!(
                    "kubectl runai-secret view a {flags} --runai-namespace=ops | kubectl runai-secret create b -f - \
                     {flags} --runai-namespace=ops"
                ),
            ),
            (
                CommandLine::plugin("list -o json | jq -r ."),
                format!("kubectl runai-secret list -o json {flags} --runai-namespace=ops | jq -r ."),
            ),
        ] {
            assert_eq!(command.to_string(), shown);
        }
    }

    #[test]
    fn a_command_for_another_runai_namespace_has_that_one_alone() {
        keep(&Connection::default(), "ops");
        let sync = CommandLine::plugin("sync").arg("s");
        let shown = "kubectl runai-secret sync s --runai-namespace=t1";
        assert_eq!(sync.clone().runai_namespace("t1").to_string(), shown);
        let usual = sync.runai_namespace(DEFAULT_RUNAI_NAMESPACE).to_string();
        assert_eq!(usual, "kubectl runai-secret sync s");
    }

    #[test]
    fn a_command_for_another_context_has_that_one_and_the_kubeconfig() {
        keep(&connection(), DEFAULT_RUNAI_NAMESPACE);
        let view = CommandLine::plugin("view s");
        let here = view.to_string();
        let there = There::of("eu");
        assert_eq!(view.to_string(), "kubectl runai-secret view s '--kubeconfig=dir/my config' --context=eu");
        drop(there);
        assert_eq!(view.to_string(), here);
    }

    #[test]
    fn a_password_in_the_servers_address_is_not_repeated() {
        for (url, shown) in [
            ("https://u:hunter2@h:1/p@q", "https://h:1/p@q"),
            ("https://u:p@x@h", "https://h"),
            ("u:hunter2@h:1", "h:1"),
            ("https://h:1", "https://h:1"),
        ] {
            assert_eq!(without_userinfo(url), shown);
        }
    }
}
