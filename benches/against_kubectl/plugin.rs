//! The measured program.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::LazyLock;
use std::{env, fs};

use serde_json::Value;
use support::sandbox::kubectl;

use crate::arena::Pair;
use crate::row::{Row, Samples, Target, compared, megabytes};

/// Returns the plugin as it is shipped, built at the first call.
///
/// The plugin that cargo builds along with a benchmark differs: its dependencies also have the features of
/// the benchmark's, such as tokio's threads, and with them 50 KB and a library to load at every start.
pub(crate) fn plugin() -> &'static Path {
    static BINARY: LazyLock<PathBuf> = LazyLock::new(|| {
        let mut build = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        // They are about this program, and ring is rebuilt wherever they change.
        for (name, _) in env::vars_os() {
            if ["CARGO_PKG_", "CARGO_MANIFEST_"].iter().any(|start| name.to_string_lossy().starts_with(start))
            {
                build.env_remove(name);
            }
        }
        let output = build
            .args([
                "build",
                "--release",
                "--bin",
                env!("CARGO_PKG_NAME"),
                "--message-format=json-render-diagnostics",
            ])
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .stderr(Stdio::inherit())
            .output()
            .expect("cargo runs");
        assert!(output.status.success(), "the plugin does not build");
        String::from_utf8_lossy(&output.stdout)
            .lines()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok())
            .find_map(|message| message["executable"].as_str().map(PathBuf::from))
            .expect("cargo names the binary it built")
    });
    &BINARY
}

pub(crate) fn sizes() -> Vec<Row> {
    let size = |program: &Path| {
        #[expect(clippy::cast_precision_loss, reason = "shown with one decimal")]
        fs::metadata(program).map(|file| vec![file.len() as f64]).expect("a program that was run")
    };
    let pair = Pair { what: "size of the program", ours: "", kubectls: "", target: Target::Megabytes(10.0) };
    let kubectls = kubectl().map(size).unwrap_or_default();
    let samples = Samples { ours: size(plugin()), kubectls, ..Samples::default() };
    vec![compared(&pair, samples, |[_, median, _]| megabytes(median))]
}
