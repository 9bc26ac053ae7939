//! Objects from which operators make secrets, so that such a secret need not be created by hand.
//!
//! The fields are those of the operators' definitions. A secret that an object makes only under foreign
//! conditions, such as a policy to fill in an existing secret, does not count.

use serde_json::Value;

/// A secret that an operator is going to make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Made {
    pub(crate) name: String,
    /// None if it may be any.
    pub(crate) namespace: Option<String>,
    /// The object that makes it, such as `ExternalSecret hf`.
    pub(crate) maker: String,
}

/// The place of the secrets' names in an object, as JSON pointers, in which `*` stands for every item of a
/// list.
struct Row {
    group: &'static str,
    kind: &'static str,
    names: &'static [&'static str],
    /// The name if the field is missing: that of the object, or none.
    otherwise: Otherwise,
    reach: Reach,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Otherwise {
    OwnName,
    Nothing,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Reach {
    OwnNamespace,
    AnyNamespace,
}

use Otherwise::{Nothing, OwnName};
use Reach::{AnyNamespace, OwnNamespace};

const fn row(
    group: &'static str,
    kind: &'static str,
    names: &'static [&'static str],
    otherwise: Otherwise,
    reach: Reach,
) -> Row {
    Row { group, kind, names, otherwise, reach }
}

static MAKERS: [Row; 29] = [
    row("external-secrets.io", "ExternalSecret", &["/spec/target/name"], OwnName, OwnNamespace),
    row(
        "external-secrets.io",
        "ClusterExternalSecret",
        &["/spec/externalSecretSpec/target/name", "/spec/externalSecretName"],
        OwnName,
        AnyNamespace,
    ),
    row("kubernetes-client.io", "ExternalSecret", &[], OwnName, OwnNamespace),
    // The controller gives the secret the sealed secret's name, whatever its template says.
    row("bitnami.com", "SealedSecret", &[], OwnName, OwnNamespace),
    row("cert-manager.io", "Certificate", &["/spec/secretName"], Nothing, OwnNamespace),
    row("cert-manager.io", "Issuer", &["/spec/acme/privateKeySecretRef/name"], Nothing, OwnNamespace),
    row("cert-manager.io", "ClusterIssuer", &["/spec/acme/privateKeySecretRef/name"], Nothing, AnyNamespace),
    row("secrets.hashicorp.com", "VaultStaticSecret", &["/spec/destination/name"], Nothing, OwnNamespace),
    row("secrets.hashicorp.com", "VaultDynamicSecret", &["/spec/destination/name"], Nothing, OwnNamespace),
    row("secrets.hashicorp.com", "VaultPKISecret", &["/spec/destination/name"], Nothing, OwnNamespace),
    row("secrets.hashicorp.com", "HCPVaultSecretsApp", &["/spec/destination/name"], Nothing, OwnNamespace),
    row("secrets.infisical.com", "InfisicalSecret", &INFISICAL, Nothing, AnyNamespace),
    row("secrets.infisical.com", "InfisicalDynamicSecret", &INFISICAL, Nothing, AnyNamespace),
    row("onepassword.com", "OnePasswordItem", &[], OwnName, OwnNamespace),
    row(
        "secrets-store.csi.x-k8s.io",
        "SecretProviderClass",
        &["/spec/secretObjects/*/secretName"],
        Nothing,
        OwnNamespace,
    ),
    row("isindir.github.com", "SopsSecret", &["/spec/secretTemplates/*/name"], Nothing, OwnNamespace),
    row("ricoberger.de", "VaultSecret", &[], OwnName, OwnNamespace),
    row("redhatcop.redhat.io", "VaultSecret", &["/spec/output/name"], Nothing, OwnNamespace),
    row("secrets.doppler.com", "DopplerSecret", &["/spec/managedSecret/name"], Nothing, AnyNamespace),
    row("k8s.bitwarden.com", "BitwardenSecret", &["/spec/secretName"], Nothing, OwnNamespace),
    row("spv.no", "AzureKeyVaultSecret", &["/spec/output/secret/name"], Nothing, OwnNamespace),
    row("clustersecret.io", "ClusterSecret", &[], OwnName, AnyNamespace),
    row("kafka.strimzi.io", "KafkaUser", &[], OwnName, OwnNamespace),
    row("secretgenerator.mittwald.de", "StringSecret", &[], OwnName, OwnNamespace),
    row("secretgenerator.mittwald.de", "BasicAuth", &[], OwnName, OwnNamespace),
    row("secretgenerator.mittwald.de", "SSHKeyPair", &[], OwnName, OwnNamespace),
    row("trust.cert-manager.io", "Bundle", &[], OwnName, AnyNamespace),
    row("kustomize.config.k8s.io", "Kustomization", &["/secretGenerator/*/name"], Nothing, AnyNamespace),
    row("", "Kustomization", &["/secretGenerator/*/name"], Nothing, AnyNamespace),
];

/// The fields before version 0.9 and since.
static INFISICAL: [&str; 4] = [
    "/spec/managedSecretReference/secretName",
    "/spec/managedKubeSecretReferences/*/secretName",
    "/spec/managedSecretReferences/*/secretName",
    "/spec/managedKubeSecretReference/secretName",
];

/// The annotations of an ingress that make cert-manager issue the ingress's certificates.
const CERTIFICATES_FOR_INGRESS: [&str; 3] =
    ["cert-manager.io/issuer", "cert-manager.io/cluster-issuer", "kubernetes.io/tls-acme"];

/// Returns true if objects of a kind may make secrets.
pub(crate) fn may_make_secrets(api_version: &str, kind: &str) -> bool {
    row_of(api_version, kind).is_some()
        || matches!(
            (group(api_version), kind),
            ("networking.k8s.io", "Ingress") | ("postgresql.cnpg.io", "Cluster")
        )
}

/// Returns the secrets that an object makes. `namespace` is for an object that names none.
pub(crate) fn made_by(object: &Value, namespace: &str) -> Vec<Made> {
    let text = |field: &str| object[field].as_str().unwrap_or_default();
    let (api_version, kind) = (text("apiVersion"), text("kind"));
    let metadata = &object["metadata"];
    let own_name = metadata["name"].as_str().unwrap_or_default();
    let (mut names, reach) = match (group(api_version), kind) {
        ("networking.k8s.io", "Ingress") => (certificates(object), OwnNamespace),
        ("postgresql.cnpg.io", "Cluster") => (of_postgres(object, own_name), OwnNamespace),
        _ => row_of(api_version, kind)
            .map_or((Vec::new(), OwnNamespace), |row| (row.names_in(object, own_name), row.reach)),
    };
    if kind == "Kustomization" {
        names = renamed(object, names);
    }
    let own_namespace = metadata["namespace"].as_str().filter(|name| !name.is_empty()).unwrap_or(namespace);
    let maker = format!("{kind} {own_name}").trim_end().to_owned();
    let made = |name: String| {
        let namespace = (reach == OwnNamespace).then(|| own_namespace.to_owned());
        Made { name, namespace, maker: maker.clone() }
    };
    let mut all: Vec<Made> = names.into_iter().filter(|name| !name.is_empty()).map(made).collect();
    all.extend(of_crossplane(object, own_namespace, &maker));
    all
}

/// Returns the secret with the login of what an object of Crossplane, of any kind, orders. Only objects without a
/// namespace of their own name that of the secret.
fn of_crossplane(object: &Value, own_namespace: &str, maker: &str) -> Option<Made> {
    let to = object.pointer("/spec/writeConnectionSecretToRef")?;
    let name = to["name"].as_str().filter(|name| !name.is_empty())?.to_owned();
    let namespace = Some(to["namespace"].as_str().unwrap_or(own_namespace).to_owned());
    Some(Made { name, namespace, maker: maker.to_owned() })
}

/// Returns the secrets of a cluster of `CloudNativePG`. The login of the application is the user's own if it is named.
fn of_postgres(cluster: &Value, own_name: &str) -> Vec<String> {
    let is_own = cluster.pointer("/spec/bootstrap/initdb/secret/name").is_some();
    let ends = ["app", "superuser", "ca", "server", "replication"].into_iter();
    ends.filter(|end| !(is_own && *end == "app")).map(|end| format!("{own_name}-{end}")).collect()
}

/// Returns the names as the objects beside a Kustomization write them, and as they are in what it makes.
fn renamed(kustomization: &Value, names: Vec<String>) -> Vec<String> {
    let text = |field: &str| kustomization[field].as_str().unwrap_or_default();
    let (prefix, suffix) = (text("namePrefix"), text("nameSuffix"));
    if prefix.is_empty() && suffix.is_empty() {
        return names;
    }
    names.into_iter().flat_map(|name| [format!("{prefix}{name}{suffix}"), name]).collect()
}

fn group(api_version: &str) -> &str {
    api_version.split_once('/').map_or("", |(group, _)| group)
}

fn row_of(api_version: &str, kind: &str) -> Option<&'static Row> {
    MAKERS.iter().find(|row| row.group == group(api_version) && row.kind == kind)
}

impl Row {
    fn names_in(&self, object: &Value, own_name: &str) -> Vec<String> {
        // External Secrets: `Merge` fills in an existing secret, `None` makes none.
        let policy = object.pointer("/spec/target/creationPolicy").and_then(Value::as_str);
        // HashiCorp's operator makes the secret only if this is set.
        let is_told = object.pointer("/spec/destination/create") == Some(&Value::Bool(true));
        // trust-manager makes config maps, and secrets only if a key for them is named.
        let is_of_maps =
            self.group == "trust.cert-manager.io" && object.pointer("/spec/target/secret").is_none();
        let is_untold = self.group == "secrets.hashicorp.com" && !is_told;
        if matches!(policy, Some("Merge" | "None")) || is_untold || is_of_maps {
            return Vec::new();
        }
        let found: Vec<String> = self.names.iter().flat_map(|pointer| texts(object, pointer)).collect();
        match self.otherwise {
            OwnName if found.is_empty() => vec![own_name.to_owned()],
            OwnName => found.into_iter().take(1).collect(),
            Nothing => found,
        }
    }
}

fn certificates(ingress: &Value) -> Vec<String> {
    let annotations = &ingress["metadata"]["annotations"];
    if CERTIFICATES_FOR_INGRESS.iter().all(|key| annotations[key].is_null()) {
        return Vec::new();
    }
    texts(ingress, "/spec/tls/*/secretName")
}

fn texts(object: &Value, pointer: &str) -> Vec<String> {
    let mut found = vec![object];
    for step in pointer.split('/').skip(1) {
        found = found
            .into_iter()
            .flat_map(|value| match step {
                "*" => value.as_array().map_or(&[][..], Vec::as_slice).iter().collect(),
                step => value.get(step).into_iter().collect::<Vec<_>>(),
            })
            .collect();
    }
    found.into_iter().filter_map(Value::as_str).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn names(object: &Value) -> Vec<String> {
        made_by(object, "ns").into_iter().map(|made| made.name).collect()
    }

    fn object(api_version: &str, kind: &str, spec: &Value) -> Value {
        json!({"apiVersion": api_version, "kind": kind, "metadata": {"name": "own"}, "spec": spec})
    }

    #[test]
    fn every_operators_object_names_its_secret_in_its_own_field() {
        for (api_version, kind, spec, secret) in [
            ("external-secrets.io/v1", "ExternalSecret", json!({"target": {"name": "s"}}), "s"),
            ("external-secrets.io/v1beta1", "ExternalSecret", json!({"target": {}}), "own"),
            ("external-secrets.io/v1", "ClusterExternalSecret", json!({"externalSecretName": "s"}), "s"),
            ("bitnami.com/v1alpha1", "SealedSecret", json!({"template": {"metadata": {"name": "x"}}}), "own"),
            ("cert-manager.io/v1", "Certificate", json!({"secretName": "s"}), "s"),
            (
                "secrets.hashicorp.com/v1beta1",
                "VaultStaticSecret",
                json!({"destination": {"name": "s", "create": true}}),
                "s",
            ),
            (
                "secrets.infisical.com/v1alpha1",
                "InfisicalSecret",
                json!({"managedSecretReference": {"secretName": "s", "secretNamespace": "x"}}),
                "s",
            ),
            ("onepassword.com/v1", "OnePasswordItem", json!({"itemPath": "x"}), "own"),
            (
                "secrets-store.csi.x-k8s.io/v1",
                "SecretProviderClass",
                json!({"secretObjects": [{"secretName": "s"}]}),
                "s",
            ),
            ("isindir.github.com/v1alpha3", "SopsSecret", json!({"secretTemplates": [{"name": "s"}]}), "s"),
        ] {
            assert!(may_make_secrets(api_version, kind));
            assert_eq!(names(&object(api_version, kind, &spec)), [secret], "{kind}");
        }
        let kustomization =
            json!({"secretGenerator": [{"name": "a"}, {"name": "b"}], "kind": "Kustomization"});
        assert_eq!(names(&kustomization), ["a", "b"]);
        let mut ingress = json!({"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": {"name": "web"},
            "spec": {"tls": [{"secretName": "cert"}]}});
        assert!(names(&ingress).is_empty());
        ingress["metadata"]["annotations"] = json!({"cert-manager.io/cluster-issuer": "x"});
        assert_eq!(names(&ingress), ["cert"]);
    }

    #[test]
    fn what_follows_a_rule_of_its_own_is_made_too() {
        let ordered = json!({"writeConnectionSecretToRef": {"name": "s", "namespace": "there"}});
        let made = made_by(&object("db.example.org/v1", "XDatabase", &ordered), "ns");
        assert_eq!((made[0].name.as_str(), made[0].namespace.as_deref()), ("s", Some("there")));
        let claim =
            object("db.example.org/v1", "Database", &json!({"writeConnectionSecretToRef": {"name": "s"}}));
        assert_eq!(made_by(&claim, "ns")[0].namespace.as_deref(), Some("ns"));
        let postgres = |spec: Value| names(&object("postgresql.cnpg.io/v1", "Cluster", &spec));
        assert!(postgres(json!({})).contains(&"own-app".to_owned()));
        let own_login = json!({"bootstrap": {"initdb": {"secret": {"name": "mine"}}}});
        assert!(!postgres(own_login).contains(&"own-app".to_owned()));
        for kind in ["StringSecret", "BasicAuth", "SSHKeyPair"] {
            assert_eq!(names(&object("secretgenerator.mittwald.de/v1alpha1", kind, &json!({}))), ["own"]);
        }
        let bundle =
            |target: Value| names(&object("trust.cert-manager.io/v1", "Bundle", &json!({"target": target})));
        assert_eq!(bundle(json!({"secret": {"key": "ca.pem"}})), ["own"]);
        assert!(bundle(json!({"configMap": {"key": "ca.pem"}})).is_empty());
        let renamed =
            json!({"kind": "Kustomization", "namePrefix": "dev-", "secretGenerator": [{"name": "a"}]});
        assert_eq!(names(&renamed), ["dev-a", "a"]);
    }

    #[test]
    fn what_only_fills_in_a_secret_makes_none() {
        let merge = json!({"target": {"name": "s", "creationPolicy": "Merge"}});
        assert!(names(&object("external-secrets.io/v1", "ExternalSecret", &merge)).is_empty());
        let vault = json!({"destination": {"name": "s"}});
        assert!(names(&object("secrets.hashicorp.com/v1beta1", "VaultStaticSecret", &vault)).is_empty());
        assert!(names(&object("example.com/v1", "ExternalSecret", &json!({}))).is_empty());
        assert!(!may_make_secrets("v1", "ConfigMap"));
        for spec in [json!(1), json!([]), json!({"target": 1, "secretName": 2})] {
            assert!(names(&object("cert-manager.io/v1", "Certificate", &spec)).is_empty());
        }
    }

    #[test]
    fn the_namespace_is_the_objects_unless_it_may_be_any() {
        let item = object("onepassword.com/v1", "OnePasswordItem", &json!({}));
        assert_eq!(made_by(&item, "ns")[0].namespace.as_deref(), Some("ns"));
        assert_eq!(made_by(&item, "ns")[0].maker, "OnePasswordItem own");
        let everywhere = object("external-secrets.io/v1", "ClusterExternalSecret", &json!({}));
        assert_eq!(made_by(&everywhere, "ns")[0].namespace, None);
    }
}
