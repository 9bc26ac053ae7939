//! `release archive` packs a program, `release manifest` writes sums and manifest for what was packed. `release/build`
//! calls both.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use release::channels::CHANNELS;
use release::check::{self, Platforms};
use release::platform::{PLATFORMS, Platform};
use release::{Result, archive, manifest};

/// Makes what a release of kubectl-runai-secret consists of.
#[derive(Parser)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    /// The version, such as v1.2.3.
    #[arg(long, global = true, default_value = "v0.0.0-dev", value_parser = version)]
    version: String,
    /// The folder for what is made.
    #[arg(long, global = true, default_value = "dist")]
    out: PathBuf,
}

#[derive(Subcommand)]
enum Command {
    /// Packs a program, its man pages, completion and the licence.
    Archive {
        /// What it was built for: a target of cargo's, or such as linux-amd64.
        #[arg(long, value_parser = Platform::named)]
        platform: Platform,
        /// The program that cargo built.
        #[arg(long)]
        program: PathBuf,
    },
    /// Writes the manifests of Krew, Homebrew and Scoop for the archives there are, and SHA256SUMS, and checks all of it.
    Manifest {
        /// The repository's address, such as <https://github.com/OWNER/REPOSITORY>.
        #[arg(long)]
        repository: String,
        /// Refuses where the archive of a platform is missing.
        #[arg(long)]
        all_platforms: bool,
    },
}

/// Takes only `v1.2.3` and `v1.2.3-rc.1`: the version becomes part of file names and addresses.
fn version(text: &str) -> Result<String> {
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let is_word = |part: &str| {
        !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    let numbers =
        text.strip_prefix('v').map(|rest| rest.split_once('-').map_or((rest, "dev"), |parts| parts));
    match numbers {
        Some((numbers, pre))
            if numbers.split('.').count() == 3
                && numbers.split('.').all(is_number)
                && pre.split('.').all(is_word) =>
        {
            Ok(text.to_owned())
        }
        _ => Err("a version is vX.Y.Z or vX.Y.Z-PRE, such as v1.2.3-rc.1".to_owned()),
    }
}

fn main() -> ExitCode {
    let Cli { command, version, out } = Cli::parse();
    let made = match command {
        Command::Archive { platform, program } => pack(&out, &version, platform, &program),
        Command::Manifest { repository, all_platforms } => describe(
            &out,
            &version,
            &repository,
            if all_platforms { Platforms::All } else { Platforms::Some },
        ),
    };
    match made {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn pack(out: &Path, version: &str, platform: Platform, program: &Path) -> Result<()> {
    let licence = include_bytes!("../../LICENSE");
    let mut entries = archive::entries(platform, &read(program)?, licence).to_vec();
    for name in FOLDERS {
        entries.extend(archive::folder(&Path::new(SOURCE).join(name), name)?);
    }
    write(&out.join(platform.archive(version)), &archive::write(&entries))
}

fn describe(out: &Path, version: &str, repository: &str, platforms: Platforms) -> Result<()> {
    let archives = PLATFORMS.into_iter().filter_map(|platform| {
        let name = platform.archive(version);
        let bytes = fs::read(out.join(&name)).ok()?;
        Some((platform, name, archive::sha256(&bytes)))
    });
    let archives: Vec<_> = archives.collect();
    let sums: Vec<_> = archives.iter().map(|(platform, _, sum)| (*platform, sum.clone())).collect();
    let text = manifest::render(manifest::TEMPLATE, version, repository, &sums)?;
    let wrong = check::release(&manifest::parse(&text)?, platforms, |name| fs::read(out.join(name)).ok());
    if !wrong.is_empty() {
        return Err(format!("{version} can't be released:\n  {}", wrong.join("\n  ")));
    }
    let mut files: Vec<(String, Vec<u8>)> = vec![(MANIFEST.to_owned(), text.into_bytes())];
    for channel in CHANNELS {
        let text = channel.render(version, repository, &sums)?;
        files.extend(text.map(|text| (channel.file.to_owned(), text.into_bytes())));
    }
    for (name, bytes) in &files {
        write(&out.join(name), bytes)?;
    }
    let mut sums: Vec<_> = archives.into_iter().map(|(_, name, sum)| (name, sum)).collect();
    files.extend(others(out, version)?);
    sums.extend(files.into_iter().map(|(name, bytes)| (name, archive::sha256(&bytes))));
    let lines = sums.into_iter().map(|(name, sum)| format!("{sum}  {name}\n"));
    write(&out.join("SHA256SUMS"), lines.collect::<String>().as_bytes())
}

/// Returns the other files of this version in the folder, by name.
fn others(out: &Path, version: &str) -> Result<Vec<(String, Vec<u8>)>> {
    let unread = |error: std::io::Error| format!("can't read the files in {}: {error}", out.display());
    let mut found = Vec::new();
    for file in fs::read_dir(out).map_err(unread)? {
        let name = file.map_err(unread)?.file_name().to_string_lossy().into_owned();
        if OTHER_FILES.iter().any(|end| name.ends_with(&format!(".{end}"))) && name.contains(&version[1..]) {
            let bytes = read(&out.join(&name))?;
            found.push((name, bytes));
        }
    }
    found.sort();
    Ok(found)
}

/// The root of the repository.
const SOURCE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// The folders of it that are packed beside the program.
const FOLDERS: [&str; 2] = ["completions", "man"];

/// The ends of the other files of a release that SHA256SUMS names too, where `release/packages` and `release/crate` made
/// them.
const OTHER_FILES: [&str; 4] = ["crate", "cdx.json", "deb", "rpm"];

/// Krew requires that the file has the plugin's name.
const MANIFEST: &str = "runai-secret.yaml";

fn read(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).map_err(|error| format!("can't read {}: {error}", path.display()))
}

fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)
        .and_then(|()| fs::write(path, bytes))
        .map_err(|error| format!("can't write {}: {error}", path.display()))?;
    println!("{}", path.display());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_can_leave_no_folder() {
        for text in ["v1.2.3", "v0.0.0-dev", "v1.2.3-rc.1", "v10.20.30-a-b.7"] {
            assert_eq!(version(text).as_deref(), Ok(text));
        }
        for text in [
            "../../x",
            "v1.2.3/../x",
            "1.2.3",
            "v1.2",
            "v1.2.3.4",
            "v1.2.3-",
            "v1.2.3-a/b",
            "v1.2.3-a..b",
            "v",
            "",
        ] {
            assert!(version(text).is_err(), "{text}");
        }
        let line = ["release", "manifest", "--repository=x", "--version=../../x"];
        assert!(Cli::try_parse_from(line).is_err());
    }
}
