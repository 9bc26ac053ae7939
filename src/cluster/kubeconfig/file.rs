//! One kubeconfig file, reduced to the fields in use, and read as tolerantly as client-go reads it.
//!
//! kube's types refuse a whole file that client-go accepts, for a context without a cluster or an empty
//! `interactiveMode`, and take an empty string for a value (kube-rs/kube#1076; still so in kube-client
//! 5.0.0).

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::path::Path;

use serde::{Deserialize, Deserializer};
use serde_json::Value;
use zeroize::Zeroizing;

use crate::secret;

/// A token, a password or a key. Wiped when dropped, and without `Debug`.
#[derive(Clone, Default)]
pub(in crate::cluster) struct Confidential(Zeroizing<String>);

impl Confidential {
    pub(in crate::cluster) fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// Returns the text itself: for a header, or to be parsed.
    pub(in crate::cluster) fn expose(&self) -> &str {
        &self.0
    }
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "kebab-case", default)]
pub(in crate::cluster) struct File {
    #[serde(deserialize_with = "text")]
    pub(in crate::cluster) kind: Option<String>,
    #[serde(rename = "apiVersion", deserialize_with = "text")]
    pub(in crate::cluster) api_version: Option<String>,
    #[serde(deserialize_with = "text")]
    pub(in crate::cluster) current_context: Option<String>,
    #[serde(deserialize_with = "or_default")]
    pub(in crate::cluster) clusters: Vec<NamedCluster>,
    #[serde(deserialize_with = "or_default")]
    pub(in crate::cluster) users: Vec<NamedUser>,
    #[serde(deserialize_with = "or_default")]
    pub(in crate::cluster) contexts: Vec<NamedContext>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(in crate::cluster) struct NamedCluster {
    #[serde(deserialize_with = "or_default")]
    pub(in crate::cluster) name: String,
    #[serde(deserialize_with = "or_default")]
    pub(in crate::cluster) cluster: Cluster,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(in crate::cluster) struct NamedUser {
    #[serde(deserialize_with = "or_default")]
    pub(in crate::cluster) name: String,
    #[serde(deserialize_with = "or_default")]
    pub(in crate::cluster) user: User,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(in crate::cluster) struct NamedContext {
    #[serde(deserialize_with = "or_default")]
    pub(in crate::cluster) name: String,
    #[serde(deserialize_with = "or_default")]
    pub(in crate::cluster) context: Context,
}

#[derive(Deserialize, Default, Clone)]
#[serde(default)]
pub(in crate::cluster) struct Context {
    #[serde(deserialize_with = "or_default")]
    pub(in crate::cluster) cluster: String,
    #[serde(deserialize_with = "text")]
    pub(in crate::cluster) user: Option<String>,
    #[serde(deserialize_with = "text")]
    pub(in crate::cluster) namespace: Option<String>,
}

#[derive(Deserialize, Default, Clone)]
#[serde(rename_all = "kebab-case", default)]
pub(in crate::cluster) struct Cluster {
    #[serde(deserialize_with = "text")]
    pub(in crate::cluster) server: Option<String>,
    #[serde(deserialize_with = "text")]
    pub(in crate::cluster) tls_server_name: Option<String>,
    #[serde(deserialize_with = "or_default")]
    pub(in crate::cluster) insecure_skip_tls_verify: bool,
    #[serde(deserialize_with = "text")]
    pub(in crate::cluster) certificate_authority: Option<String>,
    #[serde(deserialize_with = "text")]
    pub(in crate::cluster) certificate_authority_data: Option<String>,
    #[serde(deserialize_with = "text")]
    pub(in crate::cluster) proxy_url: Option<String>,
    #[serde(deserialize_with = "or_default")]
    pub(in crate::cluster) disable_compression: bool,
    #[serde(deserialize_with = "or_default")]
    pub(in crate::cluster) extensions: Vec<NamedExtension>,
}

#[derive(Deserialize, Default, Clone)]
#[serde(default)]
pub(in crate::cluster) struct NamedExtension {
    #[serde(deserialize_with = "or_default")]
    pub(in crate::cluster) name: String,
    pub(in crate::cluster) extension: Value,
}

#[derive(Deserialize, Default, Clone)]
#[serde(rename_all = "kebab-case", default)]
pub(in crate::cluster) struct User {
    #[serde(deserialize_with = "text")]
    pub(in crate::cluster) client_certificate: Option<String>,
    #[serde(deserialize_with = "confidential")]
    pub(in crate::cluster) client_certificate_data: Option<Confidential>,
    #[serde(deserialize_with = "text")]
    pub(in crate::cluster) client_key: Option<String>,
    #[serde(deserialize_with = "confidential")]
    pub(in crate::cluster) client_key_data: Option<Confidential>,
    #[serde(deserialize_with = "confidential")]
    pub(in crate::cluster) token: Option<Confidential>,
    #[serde(rename = "tokenFile", deserialize_with = "text")]
    pub(in crate::cluster) token_file: Option<String>,
    #[serde(deserialize_with = "text")]
    pub(in crate::cluster) username: Option<String>,
    #[serde(deserialize_with = "confidential")]
    pub(in crate::cluster) password: Option<Confidential>,
    #[serde(rename = "as", deserialize_with = "text")]
    pub(in crate::cluster) impersonate: Option<String>,
    #[serde(rename = "as-uid", deserialize_with = "text")]
    pub(in crate::cluster) impersonate_uid: Option<String>,
    #[serde(rename = "as-groups", deserialize_with = "or_default")]
    pub(in crate::cluster) impersonate_groups: Vec<String>,
    #[serde(rename = "as-user-extra", deserialize_with = "or_default")]
    pub(in crate::cluster) impersonate_extra: BTreeMap<String, Vec<String>>,
    pub(in crate::cluster) auth_provider: Option<AuthProvider>,
    pub(in crate::cluster) exec: Option<Exec>,
}

/// A login by one of the ways built into kubectl, of which OIDC is left.
#[derive(Deserialize, Default, Clone)]
#[serde(default)]
pub(in crate::cluster) struct AuthProvider {
    #[serde(deserialize_with = "or_default")]
    pub(in crate::cluster) name: String,
    #[serde(deserialize_with = "or_default")]
    pub(in crate::cluster) config: AuthProviderConfig,
}

/// The settings of OIDC that are used. The others are for a refresh, which is left to kubectl.
#[derive(Deserialize, Default, Clone)]
#[serde(rename_all = "kebab-case", default)]
pub(in crate::cluster) struct AuthProviderConfig {
    #[serde(deserialize_with = "confidential")]
    pub(in crate::cluster) id_token: Option<Confidential>,
}

/// A credential plugin.
#[derive(Deserialize, Default, Clone)]
#[serde(rename_all = "camelCase", default)]
pub(in crate::cluster) struct Exec {
    #[serde(deserialize_with = "text")]
    pub(in crate::cluster) api_version: Option<String>,
    #[serde(deserialize_with = "text")]
    pub(in crate::cluster) command: Option<String>,
    #[serde(deserialize_with = "or_default")]
    pub(in crate::cluster) args: Vec<String>,
    #[serde(deserialize_with = "or_default")]
    pub(in crate::cluster) env: Vec<Variable>,
    #[serde(deserialize_with = "text")]
    pub(in crate::cluster) install_hint: Option<String>,
    #[serde(deserialize_with = "text")]
    pub(in crate::cluster) interactive_mode: Option<String>,
    #[serde(deserialize_with = "or_default")]
    pub(in crate::cluster) provide_cluster_info: bool,
}

#[derive(Deserialize, Default, Clone)]
#[serde(default)]
pub(in crate::cluster) struct Variable {
    #[serde(deserialize_with = "or_default")]
    pub(in crate::cluster) name: String,
    #[serde(deserialize_with = "or_default")]
    pub(in crate::cluster) value: String,
}

/// The reason why a text is not a kubeconfig. It never holds a part of the text.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unreadable(pub(super) String);

impl File {
    /// Reads the bytes of a file. The paths in it are relative to `folder`.
    ///
    /// # Errors
    /// It is neither YAML nor JSON, or not a kubeconfig.
    pub(super) fn parse(bytes: &[u8], folder: &Path) -> Result<Self, Unreadable> {
        let text = decode(bytes).ok_or_else(|| Unreadable("it is not text".to_owned()))?;
        if text.contains('\0') && secret::foreign_encoding(bytes).is_some() {
            return Err(Unreadable("it is UTF-16 without a byte order mark".to_owned()));
        }
        let files = documents(&text)?;
        files.iter().try_for_each(Self::refuse_two_of_a_name)?;
        let mut files = files.into_iter();
        let mut merged = files.next().unwrap_or_default();
        for file in files {
            merged.merge(file);
        }
        let other =
            |found: &Option<String>, expected: &str| found.as_deref().is_some_and(|it| it != expected);
        if other(&merged.kind, "Config") || other(&merged.api_version, "v1") {
            return Err(Unreadable("it is not a kubeconfig, of kind Config and apiVersion v1".to_owned()));
        }
        merged.start_paths_from(folder);
        Ok(merged)
    }

    /// Adds the entries of another file that this one lacks.
    pub(super) fn merge(&mut self, next: Self) {
        self.current_context = self.current_context.take().or(next.current_context);
        self.kind = self.kind.take().or(next.kind);
        self.api_version = self.api_version.take().or(next.api_version);
        add_new(&mut self.clusters, next.clusters, |named| &named.name);
        add_new(&mut self.users, next.users, |named| &named.name);
        add_new(&mut self.contexts, next.contexts, |named| &named.name);
    }

    /// Refuses two entries of one name, as client-go does: which of them is meant can't be known.
    fn refuse_two_of_a_name(&self) -> Result<(), Unreadable> {
        let lists: [(&str, Vec<&String>); 3] = [
            ("clusters", self.clusters.iter().map(|named| &named.name).collect()),
            ("users", self.users.iter().map(|named| &named.name).collect()),
            ("contexts", self.contexts.iter().map(|named| &named.name).collect()),
        ];
        for (list, names) in lists {
            let mut seen = BTreeSet::new();
            if let Some(name) = names.into_iter().find(|name| !seen.insert(*name)) {
                return Err(Unreadable(format!("{list} has two entries named {name:?}")));
            }
        }
        Ok(())
    }

    fn start_paths_from(&mut self, folder: &Path) {
        let absolute = |path: &mut Option<String>| {
            if let Some(path) = path {
                *path = folder.join(&*path).display().to_string();
            }
        };
        for named in &mut self.clusters {
            absolute(&mut named.cluster.certificate_authority);
        }
        for named in &mut self.users {
            let user = &mut named.user;
            for path in [&mut user.client_certificate, &mut user.client_key, &mut user.token_file] {
                absolute(path);
            }
            // A command without a separator is searched for on the PATH.
            if let Some(exec) = &mut user.exec
                && exec.command.as_ref().is_some_and(|command| command.contains(std::path::MAIN_SEPARATOR))
            {
                absolute(&mut exec.command);
            }
        }
    }
}

fn add_new<T>(to: &mut Vec<T>, more: Vec<T>, name: impl Fn(&T) -> &String) {
    for one in more {
        if !to.iter().any(|there| name(there) == name(&one)) {
            to.push(one);
        }
    }
}

/// Returns the documents of a text: JSON, whose tabs YAML would refuse, or YAML.
fn documents(text: &str) -> Result<Vec<File>, Unreadable> {
    if text.trim_start().starts_with('{')
        && let Ok(file) = serde_json::from_str(text)
    {
        return Ok(vec![file]);
    }
    // The last of several equal keys wins, as with Go's reader.
    let options = serde_saphyr::options! { duplicate_keys: serde_saphyr::DuplicateKeyPolicy::LastWins };
    // The error's own text quotes the lines around the mistake, which may hold a token.
    serde_saphyr::from_multiple_with_options(text, options).map_err(|error| match error.location() {
        Some(place) => Unreadable(format!("yaml: line {}: not a kubeconfig", place.line())),
        None => Unreadable("yaml: not a kubeconfig".to_owned()),
    })
}

/// Decodes UTF-8, or UTF-16 with a byte order mark, as PowerShell writes it and as Go's YAML reader takes it.
pub(in crate::cluster) fn decode(bytes: &[u8]) -> Option<Zeroizing<String>> {
    let wide = |bytes: &[u8], unit: fn([u8; 2]) -> u16| {
        let units: Vec<u16> = bytes.chunks_exact(2).map(|pair| unit([pair[0], pair[1]])).collect();
        bytes.len().is_multiple_of(2).then(|| String::from_utf16(&units).ok()).flatten()
    };
    let text = match bytes {
        [0xFF, 0xFE, rest @ ..] => wide(rest, u16::from_le_bytes),
        [0xFE, 0xFF, rest @ ..] => wide(rest, u16::from_be_bytes),
        [0xEF, 0xBB, 0xBF, rest @ ..] => String::from_utf8(rest.to_vec()).ok(),
        _ => String::from_utf8(bytes.to_vec()).ok(),
    };
    text.map(Zeroizing::new)
}

/// Reads null as if the field were missing.
fn or_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(from: D) -> Result<T, D::Error> {
    Ok(Option::deserialize(from)?.unwrap_or_default())
}

/// Reads an empty string as if the field were missing.
fn text<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    Ok(Option::deserialize(from)?.filter(|text: &String| !text.is_empty()))
}

fn confidential<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Confidential>, D::Error> {
    Ok(text(from)?.map(Confidential::new))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<File, Unreadable> {
        File::parse(text.as_bytes(), Path::new("/folder"))
    }

    #[test]
    fn two_entries_of_one_name_are_refused() {
        let text = "clusters:\n- name: c\n  cluster: {server: a}\n- name: c\n  cluster: {server: b}\n";
        let Err(Unreadable(why)) = parse(text) else { panic!("it was taken") };
        assert_eq!(why, "clusters has two entries named \"c\"");
    }

    #[test]
    fn null_and_empty_are_nothing_wherever_they_stand() {
        let file = parse(
            "kind: Config\ncurrent-context: \"\"\ncontexts: null\nclusters:\n- name: c\n  cluster:\n    \
             server: \"\"\n    tls-server-name: \"\"\n    proxy-url: \"\"\n    certificate-authority: \"\"\n    \
             certificate-authority-data: \"\"\n    insecure-skip-tls-verify: null\n    extensions: null\n- name: d\n  \
             cluster: null\nusers:\n- name: u\n  user:\n    token: \"\"\n    tokenFile: \"\"\n    client-certificate: \
             \"\"\n    client-certificate-data: \"\"\n    client-key: \"\"\n    client-key-data: \"\"\n    username: \
             \"\"\n    as: \"\"\n    as-groups: null\n    exec: null\n    auth-provider: null\n- name: v\n",
        )
        .unwrap();
        assert!(file.current_context.is_none() && file.contexts.is_empty());
        let cluster = &file.clusters[0].cluster;
        let texts =
            [&cluster.server, &cluster.tls_server_name, &cluster.proxy_url, &cluster.certificate_authority];
        assert!(texts.into_iter().chain([&cluster.certificate_authority_data]).all(Option::is_none));
        let user = &file.users[0].user;
        let texts = [&user.token_file, &user.client_certificate, &user.client_key, &user.username];
        assert!(texts.into_iter().all(Option::is_none));
        let secrets = [&user.token, &user.client_certificate_data, &user.client_key_data, &user.password];
        assert!(secrets.into_iter().all(Option::is_none));
        assert!(user.exec.is_none() && user.auth_provider.is_none());
    }

    #[test]
    fn paths_start_from_the_folder_of_the_file_but_not_the_name_of_a_command() {
        let file = parse(
            "users:\n- name: u\n  user: {tokenFile: t, client-key: /k, exec: {command: aws}}\n- name: v\n  user: \
             {exec: {command: ./login}}\n",
        )
        .unwrap();
        let [u, v] = &file.users[..] else { panic!() };
        assert_eq!(u.user.token_file.as_deref(), Some("/folder/t"));
        assert_eq!(u.user.client_key.as_deref(), Some("/k"));
        let command = |user: &NamedUser| user.user.exec.as_ref().unwrap().command.clone().unwrap();
        assert_eq!(command(u), "aws");
        assert_eq!(command(v), "/folder/./login");
    }

    #[test]
    fn what_is_no_kubeconfig_is_refused_without_a_word_of_it() {
        for text in [
            "kind: Secret\napiVersion: v1\n",
            "kind: Config\napiVersion: v2\n",
            "users: CANARY",
            "a: [CANARY",
            "CANARY",
            "users:\n- name: u\n  user: {token: [CANARY]}\n",
        ] {
            let Err(Unreadable(why)) = parse(text) else { panic!("{text}") };
            assert!(!why.contains("CANARY"), "{why}");
        }
    }

    #[test]
    fn text_of_powershell_json_with_tabs_and_a_key_twice_are_read() {
        let text = "current-context: a\ncurrent-context: b\n";
        let wide: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let marked = |mark: &[u8], text: &[u8]| [mark, text].concat();
        for bytes in [
            text.as_bytes().to_vec(),
            marked(&[0xFF, 0xFE], &wide),
            marked(&[0xEF, 0xBB, 0xBF], text.as_bytes()),
            b"{\n\t\"current-context\":\t\"b\"\n}".to_vec(),
        ] {
            let file = File::parse(&bytes, Path::new("")).unwrap();
            assert_eq!(file.current_context.as_deref(), Some("b"));
        }
        assert!(File::parse(&marked(&[0xFF, 0xFE], b"odd"), Path::new("")).is_err());
        assert!(File::parse(&[0xC3], Path::new("")).is_err());
    }
}
