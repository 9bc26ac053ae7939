//! Reads the manifests that `-f` names: files, folders of them, standard input.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::Path;

use crate::error::{Error, Result};
use crate::flags::Holds;
use crate::manifest::Manifest;
use crate::secret::{self, Origin, ProcessInput, SecretValue};

/// The most bytes of a manifest: many times one request to an API server. A pipe may never end.
const LIMIT: usize = 16 << 20;

/// The extensions of the manifests in a folder, as kubectl has them.
const EXTENSIONS: [&str; 3] = ["json", "yaml", "yml"];

/// The greatest depth of nested folders.
const DEEPEST: usize = 64;

#[derive(clap::Args)]
pub(crate) struct ManifestArgs {
    /// A manifest, or a folder of them; - for standard input; may be repeated
    #[arg(short, long, value_name = "FILE|-", add = Holds::File)]
    filename: Vec<OsString>,

    /// Also read the subfolders of a folder that -f names
    #[arg(short = 'R', long, requires = "filename")]
    recursive: bool,
}

impl ManifestArgs {
    /// Returns the files that were named; none if the flag is missing.
    ///
    /// # Errors
    /// An address is named instead of a file; standard input is named twice; a folder has no manifest or
    /// can't be read.
    pub(crate) fn files(&self) -> Result<Option<ManifestFiles>> {
        if self.filename.is_empty() {
            return Ok(None);
        }
        if self.filename.iter().any(|path| path.is_empty()) {
            return Err(Error::usage("-f is empty: it names no file")
                .hint("write -f FILE, or -f - for standard input; an unset variable leaves nothing"));
        }
        let depth = if self.recursive { DEEPEST } else { 1 };
        let mut files = Vec::new();
        for path in secret::paths("--filename", self.filename.clone())? {
            refuse_an_address(&path)?;
            match Origin::of(&path) {
                Origin::Path(folder) if folder.is_dir() => {
                    let before = files.len();
                    add_folder(&mut files, &folder, depth)?;
                    if files.len() == before {
                        return Err(nothing_in(&folder, self.recursive));
                    }
                }
                origin => files.push(origin),
            }
        }
        secret::check_standard_input(files.iter())?;
        Ok(Some(ManifestFiles(files)))
    }

    pub(crate) fn is_given(&self) -> bool {
        !self.filename.is_empty()
    }
}

fn refuse_an_address(path: &OsStr) -> Result<()> {
    let path = path.to_string_lossy();
    if path.starts_with("http://") || path.starts_with("https://") {
        return Err(Error::usage("-f takes files, not addresses")
            .hint("to read it from there: curl -fsSL ADDRESS | kubectl runai-secret … -f -"));
    }
    Ok(())
}

fn nothing_in(folder: &Path, recursive: bool) -> Error {
    let folder = Origin::Path(folder.to_owned()).shown();
    let error = Error::failed(format!("{folder} has no file that ends in .yaml, .yml or .json"));
    if recursive { error } else { error.hint("-R also reads its subfolders") }
}

/// Adds the manifests of a folder, sorted by name.
fn add_folder(files: &mut Vec<Origin>, folder: &Path, depth: usize) -> Result<()> {
    let refused = |error| secret::reading(&Origin::Path(folder.to_owned()).shown(), &error);
    let entries: std::io::Result<Vec<_>> = fs::read_dir(folder).map_err(refused)?.collect();
    let mut paths: Vec<_> = entries.map_err(refused)?.into_iter().map(|entry| entry.path()).collect();
    paths.sort_unstable();
    for path in paths {
        let is_manifest = path.extension().is_some_and(|end| EXTENSIONS.iter().any(|known| end == *known));
        match (path.is_dir(), path.is_symlink()) {
            (true, false) if depth > 1 => add_folder(files, &path, depth - 1)?,
            (false, _) if is_manifest => files.push(Origin::Path(path)),
            // A link to a folder above would never end, so links to folders are not followed. kubectl does
            // the same.
            _ => {}
        }
    }
    Ok(())
}

/// At least one file of manifests, not read yet.
pub(crate) struct ManifestFiles(Vec<Origin>);

impl ManifestFiles {
    /// # Errors
    /// A file can't be read, is empty, or is not UTF-8.
    pub(crate) fn read(&self) -> Result<Vec<ManifestFile>> {
        self.0.iter().map(ManifestFile::read).collect()
    }
}

/// The text of a manifest. It may hold Secrets, so it is kept as a secret value.
pub(crate) struct ManifestFile {
    from: Origin,
    name: String,
    content: SecretValue,
}

impl ManifestFile {
    /// # Errors
    /// It can't be read, is empty, or is not UTF-8.
    pub(crate) fn read(from: &Origin) -> Result<Self> {
        let content = from.read_text(LIMIT, &mut ProcessInput)?;
        let name = from.shown().to_string();
        if content.expose().trim_ascii().is_empty() {
            return Err(match from {
                Origin::StandardInput => Error::usage("standard input is empty: no manifest to read")
                    .hint("the command before the pipe has printed nothing; did it fail?"),
                Origin::Path(_) => Error::usage(format!("{name} is empty; was it also the output?")).hint(
                    "a shell empties the file behind > before anything reads it: attach and detach have --in-place for that",
                ),
            });
        }
        if str::from_utf8(content.expose()).is_err() {
            return Err(Error::usage(format!("{name}: not UTF-8")));
        }
        Ok(Self { from: from.clone(), name, content })
    }

    /// Returns its name for messages.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Returns its path; none for standard input.
    pub(crate) fn path(&self) -> Option<&Path> {
        match &self.from {
            Origin::Path(path) => Some(path),
            Origin::StandardInput => None,
        }
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        self.content.expose()
    }

    /// Reads the file again, and reports whether it is as it was.
    pub(crate) fn is_as_read(&self) -> Result<bool> {
        Ok(self.from.read(LIMIT, &mut ProcessInput)?.expose() == self.bytes())
    }

    pub(crate) fn manifest(&self) -> Result<Manifest<'_>> {
        Manifest::parse(&self.name, str::from_utf8(self.content.expose()).unwrap_or_default())
    }
}
