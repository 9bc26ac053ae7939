//! Fuzz target: kubeconfigs.

use super::{Attendance, Entries, check_kubeconfig, config, entries};
use crate::error::Error;
use crate::flags::Connection;
use crate::fuzz::{CANARY, feed, feed_bombs};
use crate::ui::Ui;

const SEEDS: [&str; 4] = [
    "apiVersion: v1\nkind: Config\ncurrent-context: dev\ncontexts:\n- name: dev\n  context: {cluster: c, user: u, namespace: team-a}\nclusters:\n- name: c\n  cluster:\n    server: https://10.0.0.1:6443\n    insecure-skip-tls-verify: true\n    proxy-url: socks5://user:CA+NARY/@proxy:1080\nusers:\n- name: u\n  user:\n    token: CA+NARY/\n    as: jane\n    as-groups: [dev]\n",
    "{\"apiVersion\":\"v1\",\"kind\":\"Config\",\"current-context\":\"dev\",\"contexts\":[{\"name\":\"dev\",\"context\":{\"cluster\":\"c\",\"user\":\"u\"}}],\"clusters\":[{\"name\":\"c\",\"cluster\":{\"server\":\"https://[::1]:1/path\",\"tls-server-name\":\"x\"}}],\"users\":[{\"name\":\"u\",\"user\":{\"username\":\"a\",\"password\":\"CA+NARY/\"}}],\"extensions\":[{\"name\":\"e\",\"extension\":{\"a\":1}}]}",
    "current-context: dev\ncontexts:\n- context: &x\n    cluster: c\n    user: u\n  name: dev\n- context: *x\n  name: other\nclusters:\n- cluster:\n    certificate-authority-data: LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCkFBPT0KLS0tLS1FTkQgQ0VSVElGSUNBVEUtLS0tLQo=\n    server: kubernetes.example.test:443\n  name: c\nusers:\n- name: u\n  user:\n    client-certificate-data: \"\"\n    client-key-data: Q0ErTkFSWS8=\n",
    "# comment\nkind: Config\npreferences: {}\ncontexts: null\nclusters: []\nusers:\n- name: CA-NARY\n  user:\n    exec:\n      apiVersion: client.authentication.k8s.io/v1\n      command: \"\"\n      args: [\"CA+NARY/\"]\n      interactiveMode: Never\n",
];

const WORDS: [&str; 18] = [
    "server: ",
    "https://",
    "http://",
    "://",
    ":443",
    "\u{0}",
    "token: |\n      x\n",
    "client-certificate-data: ",
    "client-key-data: ",
    "certificate-authority-data: ",
    "tls-server-name: ",
    "proxy-url: ",
    "namespace: ",
    "as: ",
    "as-uid: x\n",
    "users:\n",
    "insecure-skip-tls-verify: ",
    "user:CA+NARY/@",
];

fn told<T>(outcome: Result<T, Error>) -> String {
    let Err(error) = outcome else { return "ok".to_owned() };
    let error = error.to_string();
    // Names appear in messages, and a change of the input may have turned a value into a name.
    assert!(!error.contains(CANARY) || error.contains("\" does not exist"), "{error}");
    error
}

/// Reads, selects, and prepares settings and login; runs no plugin and sends nothing.
#[test]
fn kubeconfigs() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config");
    let flags = Connection { kubeconfig: Some(path.clone()), ..Connection::default() };
    let other = Connection {
        kubeconfig: Some(path.clone()),
        context: Some("other".to_owned()),
        ..Connection::default()
    };
    feed("kubeconfigs", &SEEDS, &WORDS, |bytes| {
        std::fs::write(&path, bytes).unwrap();
        let names =
            [Entries::Contexts, Entries::Clusters, Entries::Users].map(|which| told(entries(which, &flags)));
        let loaded = told(config::load(&flags, Attendance::Unattended, &Ui::silent()));
        format!("{names:?} {} {loaded}", told(check_kubeconfig(&other)))
    });
}

/// The input breaks off in the middle of a UTF-16 character.
#[test]
fn a_kubeconfig_of_powershell_that_breaks_off_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config");
    let flags = Connection { kubeconfig: Some(path.clone()), ..Connection::default() };
    for bytes in [&b"\xff\xfea"[..], b"\xfe\xff\0a\0", b"\xff\xfe\0\xd8"] {
        std::fs::write(&path, bytes).unwrap();
        assert!(check_kubeconfig(&flags).is_err(), "{bytes:?}");
    }
}

#[test]
fn kubeconfigs_that_are_larger_than_they_look() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config");
    let flags = Connection { kubeconfig: Some(path.clone()), ..Connection::default() };
    feed_bombs("kubeconfigs_that_are_larger_than_they_look", |bytes| {
        std::fs::write(&path, [b"contexts: []\n", bytes].concat()).unwrap();
        told(check_kubeconfig(&flags))
    });
}
