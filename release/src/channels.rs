//! What package managers other than Krew read of a release: a formula for Homebrew and a manifest for Scoop, rendered
//! from the same sums.

use crate::Result;
use crate::manifest;
use crate::platform::Platform;

/// A file that a package manager reads.
pub struct Channel {
    /// The package manager.
    pub name: &'static str,
    /// The file's name; Homebrew and Scoop know a package by it.
    pub file: &'static str,
    /// The file before a release, with the variables of the manifest for Krew.
    pub template: &'static str,
}

/// All of them.
pub const CHANNELS: [Channel; 2] = [
    Channel {
        name: "Homebrew",
        file: "kubectl-runai-secret.rb",
        template: include_str!("../templates/kubectl-runai-secret.rb"),
    },
    Channel {
        name: "Scoop",
        file: "kubectl-runai-secret.json",
        template: include_str!("../templates/kubectl-runai-secret.json"),
    },
];

impl Channel {
    /// Renders the file of `version` (`v1.2.3`). `None` where the archive of a platform that it names is not there.
    pub fn render(
        &self,
        version: &str,
        repository: &str,
        sums: &[(Platform, String)],
    ) -> Result<Option<String>> {
        let filled = manifest::fill(self.template, version, repository, sums);
        match manifest::unknown_variable(&filled) {
            Some(variable) if variable.starts_with("$SHA256_") => Ok(None),
            Some(variable) => {
                Err(format!("the template for {} has an unknown variable: {variable}", self.name))
            }
            None => Ok(Some(filled)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::PLATFORMS;

    const REPOSITORY: &str = "https://example.org/o/r";

    fn sums(platforms: &[Platform]) -> Vec<(Platform, String)> {
        platforms.iter().map(|platform| (*platform, archive_sum(*platform))).collect()
    }

    fn archive_sum(platform: Platform) -> String {
        crate::archive::sha256(platform.name().as_bytes())
    }

    fn url(platform: Platform) -> String {
        format!("{REPOSITORY}/releases/download/v1.2.3/{}", platform.archive("v1.2.3"))
    }

    #[test]
    fn homebrew_gets_address_and_sum_of_each_mac_and_linux() {
        let formula = CHANNELS[0].render("v1.2.3", REPOSITORY, &sums(&PLATFORMS)).unwrap().unwrap();
        for platform in PLATFORMS.into_iter().filter(|platform| platform.os != "windows") {
            let both = format!("url \"{}\"\n      sha256 \"{}\"\n", url(platform), archive_sum(platform));
            assert!(formula.contains(&both), "{both}\n{formula}");
        }
        assert!(formula.starts_with("class KubectlRunaiSecret < Formula\n"), "{formula}");
        assert!(formula.contains("version \"1.2.3\"") && !formula.contains("windows"), "{formula}");
    }

    #[test]
    fn scoop_gets_address_and_sum_of_windows() {
        let manifest = CHANNELS[1].render("v1.2.3", REPOSITORY, &sums(&PLATFORMS)).unwrap().unwrap();
        let manifest: serde_json::Value = serde_json::from_str(&manifest).unwrap();
        let windows = PLATFORMS[4];
        assert_eq!(manifest["version"], "1.2.3");
        assert_eq!(manifest["architecture"]["64bit"]["url"], url(windows));
        assert_eq!(manifest["architecture"]["64bit"]["hash"], archive_sum(windows));
        assert_eq!(manifest["bin"], windows.program());
        let next = manifest["autoupdate"]["architecture"]["64bit"]["url"].as_str().unwrap();
        assert_eq!(next.replace("$version", "1.2.3"), url(windows));
    }

    #[test]
    fn a_file_that_names_an_archive_that_is_not_there_is_not_made() {
        for channel in CHANNELS {
            assert_eq!(channel.render("v1.2.3", REPOSITORY, &sums(&PLATFORMS[2..3])), Ok(None));
            let misspelt = Channel { template: "$VERSOIN", ..channel };
            let refused = misspelt.render("v1.2.3", REPOSITORY, &sums(&PLATFORMS)).unwrap_err();
            assert!(refused.contains("$VERSOIN"), "{refused}");
        }
    }
}
