//! The manifest for Krew: rendered from `krew-manifest.yaml`, and read as Krew reads it.

use serde::Deserialize;

use crate::Result;
use crate::platform::{PLATFORMS, Platform};

/// The template, at the root of the repository.
pub const TEMPLATE: &str = include_str!("../../krew-manifest.yaml");

/// A manifest. Krew ignores unknown fields, and with them misspelt ones; here they are an error.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Manifest {
    pub api_version: String,
    pub kind: String,
    pub metadata: Metadata,
    pub spec: Spec,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Metadata {
    pub name: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Spec {
    pub version: String,
    pub homepage: String,
    pub short_description: String,
    pub description: String,
    pub caveats: String,
    pub platforms: Vec<Download>,
}

/// Krew's download for a platform.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Download {
    pub selector: Selector,
    pub uri: String,
    pub sha256: String,
    pub bin: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Selector {
    pub match_labels: Labels,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Labels {
    pub os: String,
    pub arch: String,
}

impl Download {
    /// Returns its platform, if a release has it.
    #[must_use]
    pub fn platform(&self) -> Option<Platform> {
        let Labels { os, arch } = &self.selector.match_labels;
        PLATFORMS.into_iter().find(|known| known.os == *os && known.arch == *arch)
    }
}

/// Reads a manifest.
pub fn parse(text: &str) -> Result<Manifest> {
    serde_saphyr::from_str(text).map_err(|error| format!("the manifest can't be read: {error}"))
}

/// Renders the manifest of `version` (`v1.2.3`), with the sums of the existing archives; platforms without
/// one are left out. `repository` is its address, such as `https://github.com/OWNER/REPOSITORY`.
pub fn render(
    template: &str,
    version: &str,
    repository: &str,
    sums: &[(Platform, String)],
) -> Result<String> {
    const START_OF_A_PLATFORM: &str = "\n  - selector:";
    if sums.is_empty() {
        return Err("there is no archive to write a manifest for".to_owned());
    }
    let filled = fill(template, version, repository, sums);
    let mut parts = filled.trim_end().split(START_OF_A_PLATFORM);
    let head = parts.next().unwrap_or_default().to_owned();
    let unfilled = PLATFORMS.map(variable);
    let complete = parts.filter(|part| unfilled.iter().all(|variable| !part.contains(variable)));
    let manifest = complete.fold(head, |text, part| text + START_OF_A_PLATFORM + part) + "\n";
    match unknown_variable(&manifest) {
        Some(variable) => Err(format!("the template has an unknown variable: {variable}")),
        None => Ok(manifest),
    }
}

/// Writes version, repository and sums into a template, and leaves out its comments: they are for its own readers.
pub(crate) fn fill(template: &str, version: &str, repository: &str, sums: &[(Platform, String)]) -> String {
    let number = version.trim_start_matches('v');
    let variables = [("$VERSION", version), ("$NUMBER", number), ("$REPOSITORY", repository)];
    let variables = variables.map(|(name, value)| (name.to_owned(), value));
    let of_sums = sums.iter().map(|(platform, sum)| (variable(*platform), sum.as_str()));
    let without_comments = template.split_inclusive('\n').filter(|line| !line.starts_with('#'));
    variables
        .into_iter()
        .chain(of_sums)
        .fold(without_comments.collect(), |text: String, (name, value)| text.replace(&name, value))
}

/// Returns a variable that was not filled in. Those of package managers themselves are in small letters.
pub(crate) fn unknown_variable(filled: &str) -> Option<&str> {
    let mut found = filled.match_indices('$').map(|(at, _)| word_at(filled, at));
    found.find(|word| word[1..].starts_with(|first: char| first.is_ascii_uppercase()))
}

/// Returns `$SHA256_LINUX_AMD64`.
fn variable(platform: Platform) -> String {
    format!("$SHA256_{}", platform.name().to_uppercase().replace('-', "_"))
}

fn word_at(text: &str, at: usize) -> &str {
    let is_part = |character: char| character.is_ascii_alphanumeric() || character == '_';
    let length = text[at + 1..].find(|character| !is_part(character));
    &text[at..length.map_or(text.len(), |length| at + 1 + length)]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sums(platforms: &[Platform]) -> Vec<(Platform, String)> {
        platforms.iter().enumerate().map(|(n, platform)| (*platform, format!("{n:064x}"))).collect()
    }

    #[test]
    fn every_platform_gets_its_own_address_and_sum() {
        let text = render(TEMPLATE, "v1.2.3", "https://example.org/o/r", &sums(&PLATFORMS)).unwrap();
        let manifest = parse(&text).unwrap();
        assert_eq!(manifest.spec.version, "v1.2.3");
        let platforms: Vec<_> = manifest.spec.platforms.iter().map(|each| each.platform().unwrap()).collect();
        assert_eq!(platforms, PLATFORMS);
        for (n, download) in manifest.spec.platforms.iter().enumerate() {
            assert_eq!(download.sha256, format!("{n:064x}"));
            let archive = PLATFORMS[n].archive("v1.2.3");
            assert_eq!(download.uri, format!("https://example.org/o/r/releases/download/v1.2.3/{archive}"));
            assert_eq!(download.bin, PLATFORMS[n].program());
        }
        assert!(!text.contains('#'), "{text}");
    }

    #[test]
    fn a_platform_without_an_archive_is_left_out() {
        let text = render(TEMPLATE, "v1.2.3", "https://example.org", &sums(&PLATFORMS[2..3])).unwrap();
        let manifest = parse(&text).unwrap();
        assert_eq!(manifest.spec.platforms.len(), 1);
        assert_eq!(manifest.spec.platforms[0].platform(), Some(PLATFORMS[2]));
        assert!(render(TEMPLATE, "v1.2.3", "https://example.org", &[]).is_err());
    }

    #[test]
    fn what_the_template_misspells_is_an_error() {
        let wrong = TEMPLATE.replace("$VERSION", "$VERSOIN");
        let refused = render(&wrong, "v1.2.3", "https://example.org", &sums(&PLATFORMS)).unwrap_err();
        assert!(refused.contains("$VERSOIN"), "{refused}");
        let wrong = TEMPLATE.replace("shortDescription", "shortDesciption");
        let text = render(&wrong, "v1.2.3", "https://example.org", &sums(&PLATFORMS)).unwrap();
        assert!(parse(&text).unwrap_err().contains("shortDesciption"));
    }
}
