//! The operators' kinds and webhooks, from the modules in Go's cache that the operators were built from.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Once;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};
use support::World;
use support::engines::Operators;

const JOBSET: &str = "sigs.k8s.io/jobset";
const TRAINING: &str = "github.com/kubeflow/training-operator";
const RAY: &str = "github.com/ray-project/kuberay/ray-operator";

/// The module and the file of each kind's definition.
const KINDS: [(&str, &str); 5] = [
    (JOBSET, "config/components/crd/bases/jobset.x-k8s.io_jobsets.yaml"),
    (TRAINING, "manifests/base/crds/kubeflow.org_pytorchjobs.yaml"),
    ("github.com/kubeflow/mpi-operator", "manifests/base/kubeflow.org_mpijobs.yaml"),
    (RAY, "config/crd/bases/ray.io_rayclusters.yaml"),
    (RAY, "config/crd/bases/ray.io_rayjobs.yaml"),
];

/// The module and the file of each list of webhooks, and the resource whose webhooks count: the operators that run here
/// have no others.
const WEBHOOKS: [(&str, &str, &str); 2] = [
    (JOBSET, "config/components/webhook/manifests.yaml", "jobsets"),
    (TRAINING, "manifests/base/webhook/manifests.yaml", "pytorchjobs"),
];

/// Serves the operators' kinds, and starts the operators, once for this process.
pub(crate) fn with_operators(world: &World) {
    static STARTED: Once = Once::new();
    STARTED.call_once(|| {
        let definitions: Vec<Value> =
            KINDS.iter().flat_map(|(module, file)| documents(&folder(module).join(file))).collect();
        world.define(&definitions);
        let operators = Operators::shared();
        for (module, file, resource) in WEBHOOKS {
            for mut configuration in documents(&folder(module).join(file)) {
                lead_to(operators, &mut configuration, resource);
                install(world, &configuration, resource);
            }
        }
    });
}

/// Returns the folder of a module's source.
fn folder(module: &str) -> PathBuf {
    let operators = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/engines/operators");
    let go =
        Command::new("go").args(["list", "-m", "-f", "{{.Dir}}", module]).current_dir(operators).output();
    let output = go.expect("go, which built the operators");
    let folder = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    let why = String::from_utf8_lossy(&output.stderr);
    assert!(!folder.is_empty(), "{module} is not in Go's cache; to bring it there: go mod download\n{why}");
    folder.into()
}

fn documents(file: &Path) -> Vec<Value> {
    let content = fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let documents = content.split("\n---").map(|text| text.trim_start_matches("---"));
    let documents = documents.filter(|text| !text.trim().is_empty());
    documents.map(|text| serde_saphyr::from_str(text).expect("YAML of an operator")).collect()
}

/// Keeps the webhooks of the resource, and leads them from a service of the cluster to the process of this test.
fn lead_to(operators: &Operators, configuration: &mut Value, resource: &str) {
    let webhooks = configuration["webhooks"].as_array_mut().expect("webhooks");
    webhooks.retain(|webhook| webhook["rules"][0]["resources"] == json!([resource]));
    for webhook in webhooks {
        let path = webhook["clientConfig"]["service"]["path"].as_str().expect("a path");
        let url = format!("{}{path}", operators.webhooks);
        webhook["clientConfig"] = json!({"url": url, "caBundle": BASE64_STANDARD.encode(operators.ca_pem)});
    }
}

fn install(world: &World, configuration: &Value, resource: &str) {
    let mut configuration = configuration.clone();
    configuration["metadata"]["name"] = json!(resource);
    let plural = match configuration["kind"].as_str() {
        Some("MutatingWebhookConfiguration") => "mutatingwebhookconfigurations",
        _ => "validatingwebhookconfigurations",
    };
    world.create(&format!("/apis/admissionregistration.k8s.io/v1/{plural}"), &configuration);
}
