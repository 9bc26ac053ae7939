//! The platforms of a release, with their names for cargo, for Krew and in the archive.

use crate::Result;

/// A platform that the plugin is built for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Platform {
    /// Krew's name, which is Go's.
    pub os: &'static str,
    pub arch: &'static str,
    /// Cargo's name. Linux is musl: one static program for every distribution, whatever its glibc.
    pub target: &'static str,
}

/// All platforms of a release.
pub const PLATFORMS: [Platform; 5] = [
    Platform { os: "darwin", arch: "amd64", target: "x86_64-apple-darwin" },
    Platform { os: "darwin", arch: "arm64", target: "aarch64-apple-darwin" },
    Platform { os: "linux", arch: "amd64", target: "x86_64-unknown-linux-musl" },
    Platform { os: "linux", arch: "arm64", target: "aarch64-unknown-linux-musl" },
    Platform { os: "windows", arch: "amd64", target: "x86_64-pc-windows-msvc" },
];

impl Platform {
    /// Finds a platform by a name such as `linux-amd64`, or by a target of cargo's. The C library is not
    /// compared: a build with another one runs there too, only not everywhere.
    pub fn named(name: &str) -> Result<Self> {
        let of = |target: &str| target.split('-').take(3).map(str::to_owned).collect::<Vec<_>>();
        let found = PLATFORMS.into_iter().find(|known| known.name() == name || of(known.target) == of(name));
        found.ok_or_else(|| {
            format!("no platform {name:?}; there are {}", PLATFORMS.map(|known| known.name()).join(", "))
        })
    }

    /// Returns `linux-amd64`.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{}-{}", self.os, self.arch)
    }

    /// Returns the program's name in the archive, by which kubectl finds it if it is unpacked by hand.
    #[must_use]
    pub fn program(&self) -> &'static str {
        if self.os == "windows" { "kubectl-runai_secret.exe" } else { "kubectl-runai_secret" }
    }

    /// Returns the archive's file name; `version` is `v1.2.3`.
    #[must_use]
    pub fn archive(&self, version: &str) -> String {
        format!("kubectl-runai-secret-{version}-{}.tar.gz", self.name())
    }

    /// Returns true for the start of a program for the platform. No other check notices two swapped builds.
    #[must_use]
    pub fn runs(&self, program: &[u8]) -> bool {
        let at = |offset: usize, bytes: &[u8]| program.get(offset..offset + bytes.len()) == Some(bytes);
        match (self.os, self.arch) {
            ("linux", "amd64") => at(0, b"\x7fELF") && at(18, &[62, 0]),
            ("linux", "arm64") => at(0, b"\x7fELF") && at(18, &[183, 0]),
            ("darwin", "amd64") => at(0, b"\xcf\xfa\xed\xfe\x07\0\0\x01"),
            ("darwin", "arm64") => at(0, b"\xcf\xfa\xed\xfe\x0c\0\0\x01"),
            ("windows", "amd64") => {
                let header = program.get(0x3c..0x40).map_or(0, |offset| {
                    usize::from(offset[0]) | usize::from(offset[1]) << 8 | usize::from(offset[2]) << 16
                });
                at(0, b"MZ") && at(header, b"PE\0\0\x64\x86")
            }
            _ => false,
        }
    }

    /// Returns the shortest content that passes for a program of the platform, for tests.
    #[must_use]
    pub fn stand_in(&self) -> Vec<u8> {
        let mut program = vec![0; 0x46];
        let mut put = |offset: usize, bytes: &[u8]| {
            program[offset..offset + bytes.len()].copy_from_slice(bytes);
        };
        match (self.os, self.arch) {
            ("linux", arch) => {
                put(0, b"\x7fELF");
                put(18, &[if arch == "amd64" { 62 } else { 183 }]);
            }
            ("darwin", arch) => {
                put(0, b"\xcf\xfa\xed\xfe\0\0\0\x01");
                put(4, &[if arch == "amd64" { 7 } else { 12 }]);
            }
            _ => {
                put(0, b"MZ");
                put(0x3c, &[0x40]);
                put(0x40, b"PE\0\0\x64\x86");
            }
        }
        program
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_platform_is_known_by_its_name_and_by_cargos_target() {
        for (name, meant) in [
            ("linux-arm64", "linux-arm64"),
            ("aarch64-unknown-linux-musl", "linux-arm64"),
            ("x86_64-unknown-linux-gnu", "linux-amd64"),
            ("x86_64-pc-windows-gnu", "windows-amd64"),
            ("aarch64-apple-darwin", "darwin-arm64"),
        ] {
            assert_eq!(Platform::named(name).unwrap().name(), meant, "{name}");
        }
        for name in ["linux-s390x", "riscv64gc-unknown-linux-gnu", "linux", ""] {
            assert!(Platform::named(name).is_err(), "{name}");
        }
    }

    #[test]
    fn a_program_is_taken_for_its_own_platform_alone() {
        for built_for in PLATFORMS {
            for platform in PLATFORMS {
                assert_eq!(
                    platform.runs(&built_for.stand_in()),
                    platform == built_for,
                    "{built_for:?} {platform:?}"
                );
            }
        }
        assert!(PLATFORMS.iter().all(|platform| !platform.runs(b"") && !platform.runs(b"#!/bin/sh\n")));
        assert!(!PLATFORMS[4].runs(&[b"MZ".as_slice(), &[0xff; 0x3e]].concat()));
    }
}
