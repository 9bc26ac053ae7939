//! A Secret as it is sent to the API server or printed: the one place where values become text.
//!
//! The text is as secret as the values. Each form is written into a buffer that is wiped when dropped, and
//! that is made large enough beforehand, since growing it would leave copies in freed memory.

use std::collections::BTreeMap;
use std::io;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde::{Serialize, Serializer};
use serde_json::Value;
use zeroize::Zeroizing;

use super::difference::Difference;
use super::value::SecretValue;
use crate::metadata::{self, EXPIRES, Ends, LAST_APPLIED};
use crate::moment::Moment;
use crate::render::Escaping;

/// The label of a secret that holds a login of a service: its name. It says how jobs take the secret.
pub(crate) const LOGIN_LABEL: &str = "kubectl-runai-secret/login";

/// A Secret that is about to be created or printed.
pub(crate) struct SecretManifest {
    pub(crate) name: String,
    /// Set only if asked for; kubectl leaves the context's namespace out of the manifest too.
    pub(crate) namespace: Option<String>,
    /// If empty, the type is left out, and the API server makes it `Opaque`. `--append-hash` tells empty from
    /// `Opaque`.
    pub(crate) secret_type: String,
    pub(crate) data: BTreeMap<String, SecretValue>,
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) annotations: BTreeMap<String, String>,
    pub(crate) immutable: Option<bool>,
}

impl SecretManifest {
    /// Builds a secret of the default type, in the namespace of the request, without labels.
    pub(crate) fn new(name: impl Into<String>, data: BTreeMap<String, SecretValue>) -> Self {
        Self {
            name: name.into(),
            namespace: None,
            secret_type: String::new(),
            data,
            labels: BTreeMap::new(),
            annotations: BTreeMap::new(),
            immutable: None,
        }
    }

    /// Returns compact JSON, the body of a request. Wiped when the last handle on it is dropped.
    pub(crate) fn to_request_body(&self) -> Bytes {
        request_body(&self.document(self.namespace.as_deref()))
    }

    /// Returns the body of a request for a secret with this metadata instead of the manifest's own.
    pub(crate) fn to_replacement_body(&self, metadata: &Value) -> Bytes {
        request_body(&self.document_with(metadata))
    }

    /// Returns the metadata of the secret that it replaces, with its own labels and annotations. Leaves out
    /// `managedFields`, which the server writes again, the copy of the old values that `kubectl apply` left, and
    /// the ends of values that do not stay the same.
    pub(crate) fn metadata_over(&self, old: &Value, difference: &Difference) -> Value {
        let mut metadata = old.clone();
        if let Some(fields) = metadata.as_object_mut() {
            fields.remove("managedFields");
            if let Some(annotations) = fields.get_mut("annotations").and_then(Value::as_object_mut) {
                annotations.remove(LAST_APPLIED);
                let ends = annotations.remove(EXPIRES);
                let ends = ends.as_ref().and_then(Value::as_str).map(Ends::of).unwrap_or_default();
                let ends = ends.kept(|key| difference.keeps(key)).and(self.ends());
                annotations.extend(ends.annotation().map(|ends| (EXPIRES.to_owned(), Value::from(ends))));
            }
            // It says what the old values were.
            if let Some(labels) = fields.get_mut("labels").and_then(Value::as_object_mut) {
                labels.remove(LOGIN_LABEL);
            }
        }
        let mut annotations = self.annotations.clone();
        if metadata["annotations"].get(EXPIRES).is_some() {
            annotations.remove(EXPIRES);
        }
        metadata::with(metadata, &self.labels, &annotations)
    }

    /// Notes the ends that are known of its values, and one that holds for all. What an annotation says wins.
    pub(crate) fn note_ends(&mut self, known: Ends, of_all: Option<Moment>) {
        let keys = self.data.keys().map(String::as_str);
        let of_all = of_all.map(|end| Ends::noted(keys, end)).unwrap_or_default();
        let ends = known.and(of_all).and(self.ends());
        self.annotations.extend(ends.annotation().map(|ends| (EXPIRES.to_owned(), ends)));
    }

    /// Returns the ends that its annotations note.
    pub(crate) fn ends(&self) -> Ends {
        self.annotations.get(EXPIRES).map(|ends| Ends::of(ends)).unwrap_or_default()
    }

    /// Returns true if labels and annotations of a secret with this metadata stay as they are when it is
    /// replaced.
    pub(crate) fn keeps_metadata(&self, old: &Value, difference: &Difference) -> bool {
        let new = self.metadata_over(old, difference);
        let entries = |of: &Value, field: &str| of[field].as_object().cloned().unwrap_or_default();
        ["labels", "annotations"].iter().all(|field| entries(&new, field) == entries(old, field))
    }

    /// Returns the output of `-o json`: kubectl's indentation, and a line feed at the end; a list for several
    /// namespaces.
    pub(crate) fn to_json(&self, namespaces: &[String]) -> Zeroizing<Vec<u8>> {
        let printed = self.printed(namespaces);
        written(|mut writer| {
            printed
                .serialize(&mut serde_json::Serializer::with_formatter(&mut writer, Escaping::default()))?;
            writer.write_all(b"\n")
        })
    }

    /// Returns the output of `-o yaml`, which kubectl reads back as exactly this secret; a list for several
    /// namespaces.
    pub(crate) fn to_yaml(&self, namespaces: &[String]) -> Zeroizing<Vec<u8>> {
        let printed = self.printed(namespaces);
        // kubectl never folds. Folded base64 would be legal YAML, but would surprise grep and diff.
        let options = serde_saphyr::ser_options! { folded_wrap_chars: usize::MAX };
        written(|mut writer| {
            serde_saphyr::to_io_writer_with_options(&mut writer, &printed, options.clone())
                .map_err(|_| io::Error::other("not YAML"))
        })
    }

    /// Returns the output of `-o name`.
    pub(crate) fn to_name(&self) -> String {
        format!("secret/{}", self.name)
    }

    pub(super) fn encoded_data(&self) -> EncodedData<'_> {
        EncodedData(&self.data)
    }

    fn printed<'a>(&'a self, namespaces: &'a [String]) -> Printed<'a> {
        match namespaces {
            [] => Printed::One(self.document(None)),
            [namespace] => Printed::One(self.document(Some(namespace))),
            several => Printed::List {
                api_version: "v1",
                items: several.iter().map(|namespace| self.document(Some(namespace))).collect(),
                kind: "List",
            },
        }
    }

    fn document<'a>(&'a self, namespace: Option<&'a str>) -> Document<'a, Metadata<'a>> {
        self.document_with(Metadata {
            annotations: &self.annotations,
            labels: &self.labels,
            name: &self.name,
            namespace,
        })
    }

    fn document_with<M>(&self, metadata: M) -> Document<'_, M> {
        Document {
            api_version: "v1",
            data: self.encoded_data(),
            immutable: self.immutable,
            kind: "Secret",
            metadata,
            secret_type: &self.secret_type,
        }
    }
}

fn request_body(document: &impl Serialize) -> Bytes {
    Bytes::from_owner(written(|writer| serde_json::to_writer(writer, document).map_err(io::Error::other)))
}

/// Returns the merge patch that gives a secret these values and leaves its other keys alone. `metadata` is
/// the patch's own and names the version it applies to.
pub(crate) fn patch_of_values(metadata: &Value, data: &BTreeMap<String, SecretValue>) -> Bytes {
    #[derive(Serialize)]
    struct Patch<'a> {
        metadata: &'a Value,
        data: EncodedData<'a>,
    }
    request_body(&Patch { metadata, data: EncodedData(data) })
}

/// Returns the merge patch that sets keys, and removes those without a value.
pub(crate) fn patch_of_changes(metadata: &Value, changes: &BTreeMap<&str, Option<&SecretValue>>) -> Bytes {
    struct EncodedChanges<'a>(&'a BTreeMap<&'a str, Option<&'a SecretValue>>);
    impl Serialize for EncodedChanges<'_> {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.collect_map(self.0.iter().map(|(key, value)| (key, value.map(Encoded))))
        }
    }
    #[derive(Serialize)]
    struct Patch<'a> {
        metadata: &'a Value,
        data: EncodedChanges<'a>,
    }
    request_body(&Patch { metadata, data: EncodedChanges(changes) })
}

/// The content of the output of `-o`.
#[derive(Serialize)]
#[serde(untagged)]
enum Printed<'a> {
    One(Document<'a, Metadata<'a>>),
    #[serde(rename_all = "camelCase")]
    List {
        api_version: &'static str,
        items: Vec<Document<'a, Metadata<'a>>>,
        kind: &'static str,
    },
}

/// A Secret in the order in which kubectl prints YAML.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document<'a, M> {
    api_version: &'static str,
    #[serde(skip_serializing_if = "EncodedData::is_empty")]
    data: EncodedData<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    immutable: Option<bool>,
    kind: &'static str,
    metadata: M,
    #[serde(rename = "type", skip_serializing_if = "str::is_empty")]
    secret_type: &'a str,
}

#[derive(Serialize)]
struct Metadata<'a> {
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    annotations: &'a BTreeMap<String, String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    labels: &'a BTreeMap<String, String>,
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    namespace: Option<&'a str>,
}

/// All values of a secret, each written as base64.
pub(super) struct EncodedData<'a>(pub(super) &'a BTreeMap<String, SecretValue>);

impl EncodedData<'_> {
    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Serialize for EncodedData<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(key, value)| (key, Encoded(value))))
    }
}

/// A value that is written as base64. It never leaves this folder, so nothing else can serialize a value.
struct Encoded<'a>(&'a SecretValue);

impl Serialize for Encoded<'_> {
    /// Writes into a string that is wiped: `collect_str` would make one that is not, in serializers without
    /// their own.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut text = Zeroizing::new(String::with_capacity(self.0.len().div_ceil(3) * 4));
        STANDARD.encode_string(self.0.expose(), &mut text);
        serializer.serialize_str(&text)
    }
}

/// Runs `write` twice: first to measure, then into a buffer of that size, which therefore never moves.
pub(super) fn written(write: impl Fn(&mut dyn io::Write) -> io::Result<()>) -> Zeroizing<Vec<u8>> {
    const MEMORY: &str = "a manifest of strings, written to memory";
    let mut size = Counter(0);
    write(&mut size).expect(MEMORY);
    let mut text = Zeroizing::new(Vec::with_capacity(size.0));
    write(&mut *text).expect(MEMORY);
    text
}

struct Counter(usize);

impl io::Write for Counter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn secret(data: &[(&str, &[u8])]) -> SecretManifest {
        let data =
            data.iter().map(|(key, value)| ((*key).to_owned(), SecretValue::from_bytes(value.to_vec())));
        SecretManifest::new("s", data.collect())
    }

    #[test]
    fn a_request_says_what_was_given_and_nothing_else() {
        assert_eq!(
            secret(&[("k", b"v")]).to_request_body(),
            r#"{"apiVersion":"v1","data":{"k":"dg=="},"kind":"Secret","metadata":{"name":"s"}}"#
        );
        assert_eq!(
            secret(&[]).to_request_body(),
            r#"{"apiVersion":"v1","kind":"Secret","metadata":{"name":"s"}}"#
        );
    }

    #[test]
    fn all_that_was_asked_for_is_in_the_request() {
        let mut manifest = secret(&[("k", b"\0\xff")]);
        manifest.namespace = Some("runai".to_owned());
        manifest.secret_type = "kubernetes.io/ssh-auth".to_owned();
        manifest.labels.insert("run.ai/cluster-wide".to_owned(), "true".to_owned());
        manifest.annotations.insert("a".to_owned(), "<b>".to_owned());
        manifest.immutable = Some(true);
        let body: Value = serde_json::from_slice(&manifest.to_request_body()).unwrap();
        let expected = json!({
            "apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/ssh-auth", "immutable": true,
            "metadata": {
                "name": "s", "namespace": "runai",
                "labels": {"run.ai/cluster-wide": "true"}, "annotations": {"a": "<b>"}
            },
            "data": {"k": "AP8="}
        });
        assert_eq!(body, expected);
        let namespace = ["runai".to_owned()];
        assert_eq!(serde_json::from_slice::<Value>(&manifest.to_json(&namespace)).unwrap(), expected);
        assert_eq!(serde_saphyr::from_slice::<Value>(&manifest.to_yaml(&namespace)).unwrap(), expected);
    }

    #[test]
    fn several_namespaces_make_a_list() {
        let printed = secret(&[("k", b"v")]).to_json(&["a".to_owned(), "b".to_owned()]);
        let printed: Value = serde_json::from_slice(&printed).unwrap();
        assert_eq!(printed["kind"], "List");
        assert_eq!(printed["items"][1]["metadata"], json!({ "name": "s", "namespace": "b" }));
        assert_eq!(printed["items"][0]["data"], json!({ "k": "dg==" }));
    }

    #[test]
    fn a_replacement_has_the_metadata_it_is_given() {
        let metadata = json!({ "name": "s", "resourceVersion": "7", "finalizers": ["x"] });
        let body: Value =
            serde_json::from_slice(&secret(&[("k", b"v")]).to_replacement_body(&metadata)).unwrap();
        assert_eq!(body["metadata"], metadata);
        assert_eq!(body["data"], json!({ "k": "dg==" }));
    }

    #[test]
    fn json_is_indented_as_kubectl_indents_it() {
        let text = String::from_utf8(secret(&[("k", b"v")]).to_json(&[]).to_vec()).unwrap();
        assert!(
            text.contains("\n    \"data\": {\n        \"k\": \"dg==\"\n    },\n") && text.ends_with("}\n"),
            "{text}"
        );
    }

    #[test]
    fn yaml_quotes_what_would_be_read_as_a_number_or_a_boolean() {
        let manifest = secret(&[("k", b"v"), ("n", b"\xd7\x6d\xf8"), ("yes", b"\x9e\xbb\x6d")]);
        let text = String::from_utf8(manifest.to_yaml(&[]).to_vec()).unwrap();
        let expected = "apiVersion: v1\ndata:\n  k: dg==\n  \"n\": \"1234\"\n  \"yes\": nrtt\nkind: Secret\nmetadata:\n  \
                        name: s\n";
        assert_eq!(text, expected);
    }

    #[test]
    fn yaml_never_folds_a_long_value() {
        let text = String::from_utf8(secret(&[("k", &[7; 10_000])]).to_yaml(&[]).to_vec()).unwrap();
        assert!(text.lines().any(|line| line.starts_with("  k: BwcH") && line.len() > 13_000));
    }

    #[test]
    fn a_buffer_is_large_enough_from_the_start() {
        let manifest = secret(&[("k", &[7; 10_000]), ("l", b"")]);
        for text in [manifest.to_json(&[]), manifest.to_yaml(&[])] {
            assert_eq!(text.len(), text.capacity());
        }
    }

    #[test]
    fn the_name_is_kubectls_resource_name() {
        assert_eq!(secret(&[]).to_name(), "secret/s");
    }

    proptest! {
        #[test]
        fn any_value_survives_in_every_form(
            value in any::<Vec<u8>>(),
            key in "[-_a-zA-Z0-9]{1,12}",
            note in any::<String>(),
        ) {
            let mut manifest = secret(&[(&key, &value)]);
            manifest.annotations.insert("note".to_owned(), note.clone());
            let forms = [
                serde_json::from_slice::<Value>(&manifest.to_request_body()).unwrap(),
                serde_json::from_slice(&manifest.to_json(&[])).unwrap(),
                serde_saphyr::from_slice(&manifest.to_yaml(&[])).unwrap(),
            ];
            for form in forms {
                let encoded = form["data"][&key].as_str().unwrap();
                prop_assert_eq!(&STANDARD.decode(encoded).unwrap(), &value);
                prop_assert_eq!(form["metadata"]["annotations"]["note"].as_str().unwrap(), &note);
            }
        }
    }
}
